/* SPDX-License-Identifier: MIT */
/* socktls, the command: what its subcommands share. */
#ifndef SOCKTLS_CLI_H
#define SOCKTLS_CLI_H

#include <stdbool.h>
#include <stdint.h>

#include "socktls.h"

/* Exit statuses; 64 is argp's for bad usage. */
enum cli_status {
	CLI_OK		= 0,
	CLI_ERROR	= 1,	/* anything local */
	CLI_CONNECT	= 2,	/* no TCP connection, or cannot listen */
	CLI_HANDSHAKE	= 3,	/* the handshake failed */
	CLI_BROKEN	= 4,	/* the connection broke afterwards */
};

/* Each parses its own argv, of which argv[0] is for usage messages. */
int cli_connect(int argc, char **argv);
int cli_serve(int argc, char **argv);
int cli_status(int argc, char **argv);

/* One line on stderr, "socktls: ...". */
void cli_error(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Exit status of a failed socktls_connect() or socktls_listen(). */
enum cli_status cli_failure_status(const struct socktls_failure *failure);

/**
 * cli_parse_address() - HOST:PORT, [HOST]:PORT, :PORT
 * @text: what the user wrote; changed
 * @host: set, points into @text; "" when there is none
 * @port: set, points into @text, or is @default_port
 * @default_port: when the text has none; NULL: it must have one
 *
 * An IPv6 address with a port needs the brackets.
 *
 * Return: false when it is not an address.
 */
bool cli_parse_address(char *text, char **host, char **port,
		       char *default_port);

/* Seconds, as "5" or "0.5", to milliseconds; false when it is no time. */
bool cli_parse_seconds(const char *text, uint32_t *ms);

/**
 * cli_read_pem() - a file of PEM certificates as SOCKTLS_TRUST takes them
 * @path: which file
 *
 * Return: NUL-terminated text to be freed, or NULL after a message.
 */
char *cli_read_pem(const char *path);

/*
 * Forget what the environment says of a connection: it is of another one, above
 * this process, and a program would believe it where this one has no word.
 */
void cli_clear_environment(void);

#endif /* SOCKTLS_CLI_H */
