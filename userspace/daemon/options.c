// SPDX-License-Identifier: MIT
/* The command line of socktlsd. */
#include "options.h"

#include <argp.h>
#include <errno.h>
#include <stdlib.h>

#include "config.h"

const char *argp_program_version = "socktlsd 0.1";

enum {
	OPTION_CHECK_CONFIG = 0x100,
	OPTION_KEY_LOG,
	OPTION_LOG_LEVEL,
	OPTION_PIDFILE,
	OPTION_WAIT,
};

static const struct argp_option option_table[] = {
	{ "config", 'c', "DIR", 0,
	  "Configuration directory, default " CONFIG_DIR_DEFAULT, 0 },
	{ "check-config", OPTION_CHECK_CONFIG, NULL, 0,
	  "Read the configuration, say what is wrong with it, and exit", 0 },
	{ "foreground", 'f', NULL, 0, "Stay in the foreground (default)", 0 },
	{ "background", 'b', NULL, 0,
	  "Leave the terminal once registered; log to syslog", 0 },
	{ "log-level", OPTION_LOG_LEVEL, "LEVEL", 0,
	  "error, warning, info or debug; overrides the configuration", 0 },
	{ "pidfile", OPTION_PIDFILE, "FILE", 0,
	  "Write the process id there once registered", 0 },
	{ "wait", OPTION_WAIT, "SECONDS", 0,
	  "Wait that long for socktls.ko to be loaded", 0 },
	{ "key-log", OPTION_KEY_LOG, "FILE", 0,
	  "FOR TESTS ONLY: append the secrets of every connection to FILE", 0 },
	{ 0 }
};

static void parse_wait(struct options *options, struct argp_state *state,
		       const char *arg)
{
	unsigned long value;
	char *end;

	errno = 0;
	value = strtoul(arg, &end, 10);
	if (errno || *end || end == arg || *arg == '-' || value > 86400)
		argp_error(state, "--wait: \"%s\" is not a number of seconds from 0 to 86400",
			   arg);
	options->wait_seconds = value;
}

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
	struct options *options = state->input;

	switch (key) {
	case 'c':
		options->config_dir = arg;
		break;
	case 'f':
		options->background = false;
		break;
	case 'b':
		options->background = true;
		break;
	case OPTION_CHECK_CONFIG:
		options->check_config = true;
		break;
	case OPTION_LOG_LEVEL:
		if (!log_level_parse(arg, &options->log_level))
			argp_error(state, "--log-level: \"%s\" is not error, warning, info or debug",
				   arg);
		options->log_level_is_set = true;
		break;
	case OPTION_PIDFILE:
		options->pidfile = arg;
		break;
	case OPTION_WAIT:
		parse_wait(options, state, arg);
		break;
	case OPTION_KEY_LOG:
		options->keylog = arg;
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

static const struct argp argp = {
	.options = option_table,
	.parser = parse_option,
	.doc = "Does the TLS handshakes of the sockets of this network namespace, for socktls.ko.\v"
	       "SIGHUP reads the configuration again; handshakes in progress keep the old one. "
	       "SIGTERM ends; established connections go on.",
};

void options_parse(struct options *options, int argc, char **argv)
{
	*options = (struct options){ .config_dir = CONFIG_DIR_DEFAULT };
	argp_parse(&argp, argc, argv, 0, NULL, options);
}
