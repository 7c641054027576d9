/* SPDX-License-Identifier: MIT */
/* Messages for the administrator: stderr, or syslog in the background. */
#ifndef SOCKTLSD_LOG_H
#define SOCKTLSD_LOG_H

#include <stdbool.h>

enum log_level {
	LOG_LEVEL_ERROR,
	LOG_LEVEL_WARNING,
	LOG_LEVEL_INFO,
	LOG_LEVEL_DEBUG,
};

/**
 * log_level_parse() - name of a level to its number
 * @name: "error", "warning", "info" or "debug"
 * @level: set when the name is known
 *
 * Return: true when @name is known.
 */
bool log_level_parse(const char *name, enum log_level *level);

/* Messages above @level are dropped; the level at start is info. */
void log_set_level(enum log_level level);

/* From now on messages go to syslog instead of stderr. */
void log_to_syslog(void);

/* No secret is ever an argument: the key log is another file, keylog.c. */
void log_message(enum log_level level, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

#define log_error(...)		log_message(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warning(...)	log_message(LOG_LEVEL_WARNING, __VA_ARGS__)
#define log_info(...)		log_message(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...)		log_message(LOG_LEVEL_DEBUG, __VA_ARGS__)

#endif /* SOCKTLSD_LOG_H */
