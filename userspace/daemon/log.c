// SPDX-License-Identifier: MIT
/* Messages for the administrator: stderr, or syslog in the background. */
#include "log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>

static const struct {
	const char	*name;
	int		priority;
} levels[] = {
	[LOG_LEVEL_ERROR]	= { "error", LOG_ERR },
	[LOG_LEVEL_WARNING]	= { "warning", LOG_WARNING },
	[LOG_LEVEL_INFO]	= { "info", LOG_INFO },
	[LOG_LEVEL_DEBUG]	= { "debug", LOG_DEBUG },
};

static enum log_level threshold = LOG_LEVEL_INFO;
static bool use_syslog;

bool log_level_parse(const char *name, enum log_level *level)
{
	for (size_t i = 0; i < sizeof(levels) / sizeof(levels[0]); i++) {
		if (strcmp(name, levels[i].name) == 0) {
			*level = i;
			return true;
		}
	}
	return false;
}

void log_set_level(enum log_level level)
{
	threshold = level;
}

void log_to_syslog(void)
{
	openlog("socktlsd", LOG_PID, LOG_DAEMON);
	use_syslog = true;
}

/*
 * Text may quote what a peer or an application sent: one message stays one
 * line, and no control character reaches a terminal.
 */
static void make_printable(char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < 0x20 || *text == 0x7f)
			*text = '?';
}

void log_message(enum log_level level, const char *format, ...)
{
	char text[1024];
	va_list args;

	if (level > threshold)
		return;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	make_printable(text);
	if (use_syslog)
		syslog(levels[level].priority, "%s", text);
	else
		fprintf(stderr, "socktlsd: %s: %s\n", levels[level].name, text);
}
