/* SPDX-License-Identifier: MIT */
/* The command line of socktlsd. */
#ifndef SOCKTLSD_OPTIONS_H
#define SOCKTLSD_OPTIONS_H

#include <stdbool.h>

#include "log.h"

/**
 * struct options - what the command line says
 * @config_dir: configuration directory
 * @keylog: NULL, or file for the key log
 * @pidfile: NULL, or file for the process id
 * @wait_seconds: how long to wait for the kernel module at start
 * @log_level: valid when @log_level_is_set, overrides the configuration
 * @log_level_is_set: --log-level was given
 * @check_config: only look whether the configuration is good
 * @background: leave the terminal once registered
 */
struct options {
	const char	*config_dir;
	const char	*keylog;
	const char	*pidfile;
	unsigned int	wait_seconds;
	enum log_level	log_level;
	bool		log_level_is_set;
	bool		check_config;
	bool		background;
};

/* Ends the process on --help, --version and bad usage (status 64). */
void options_parse(struct options *options, int argc, char **argv);

#endif /* SOCKTLSD_OPTIONS_H */
