// SPDX-License-Identifier: MIT
/* socktls connect: stdin and stdout over a TLS connection. */
#include <argp.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "pump.h"

enum {
	OPTION_SERVER_NAME = 0x100,
	OPTION_TRUST,
	OPTION_TRUST_FILE,
	OPTION_IDENTITY,
	OPTION_INSECURE,
	OPTION_TIMEOUT,
	OPTION_ALLOW_EOF,
};

struct connect {
	struct socktls_options	options;
	char			*trust_file;	/* its contents, owned */
	char			*address;	/* as written, owned */
	char			*host;
	char			*port;
};

static const struct argp_option option_table[] = {
	{ "server-name", OPTION_SERVER_NAME, "NAME", 0,
	  "The name to verify and to ask for, default HOST", 0 },
	{ "trust", OPTION_TRUST, "NAME", 0,
	  "A trust store of socktlsd, or pins", 0 },
	{ "trust-file", OPTION_TRUST_FILE, "PEM", 0,
	  "A file of certificates to trust", 0 },
	{ "identity", OPTION_IDENTITY, "NAME", 0,
	  "The identity of socktlsd to show when asked for one", 0 },
	{ "insecure", OPTION_INSECURE, NULL, 0,
	  "Do not verify the server: anybody may be there", 0 },
	{ "timeout", OPTION_TIMEOUT, "SECONDS", 0,
	  "Deadline of the TCP connection and of the handshake, each", 0 },
	{ "allow-eof", OPTION_ALLOW_EOF, NULL, 0,
	  "Take an end without close_notify for an end, not an error", 0 },
	{ 0 }
};

static void parse_timeout(struct connect *connect, struct argp_state *state,
			  const char *arg)
{
	if (!cli_parse_seconds(arg, &connect->options.timeout_ms))
		argp_error(state, "--timeout: \"%s\" is not a number of seconds",
			   arg);
}

static void parse_trust_file(struct connect *connect, const char *path)
{
	free(connect->trust_file);
	connect->trust_file = cli_read_pem(path);
	if (!connect->trust_file)
		exit(CLI_ERROR);
	connect->options.trust = connect->trust_file;
}

static void parse_address(struct connect *connect, struct argp_state *state,
			  const char *arg)
{
	if (connect->address)
		argp_error(state, "one HOST:PORT only");
	connect->address = strdup(arg);
	if (!connect->address)
		argp_failure(state, CLI_ERROR, ENOMEM, NULL);
	if (!cli_parse_address(connect->address, &connect->host,
			       &connect->port, NULL) || !*connect->host)
		argp_error(state, "\"%s\" is not HOST:PORT or [ADDRESS]:PORT",
			   arg);
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct connect *connect = state->input;

	switch (key) {
	case OPTION_SERVER_NAME:
		connect->options.server_name = arg;
		break;
	case OPTION_TRUST:
		connect->options.trust = arg;
		break;
	case OPTION_TRUST_FILE:
		parse_trust_file(connect, arg);
		break;
	case OPTION_IDENTITY:
		connect->options.identity = arg;
		break;
	case OPTION_INSECURE:
		connect->options.peer_auth = SOCKTLS_PEER_AUTH_NONE;
		break;
	case OPTION_TIMEOUT:
		parse_timeout(connect, state, arg);
		break;
	case OPTION_ALLOW_EOF:
		connect->options.eof = SOCKTLS_EOF_ALLOW;
		break;
	case ARGP_KEY_ARG:
		parse_address(connect, state, arg);
		break;
	case ARGP_KEY_NO_ARGS:
		argp_error(state, "HOST:PORT is missing");
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

static uint16_t report(const struct connect *connect, int fd)
{
	char text[SOCKTLS_TEXT_MAX], peer[SOCKTLS_IDENTITY_MAX];
	struct socktls_info info;

	if (socktls_get_info(fd, &info) < 0)
		return 0;
	if (socktls_get_peer_identity(fd, peer, sizeof(peer)) < 0)
		peer[0] = '\0';
	cli_error("%s port %s: %s%s%s", connect->host, connect->port,
		  socktls_info_text(&info, text, sizeof(text)),
		  *peer ? " as " : "", peer);
	return info.version;
}

static bool is_failed(int fd)
{
	enum socktls_state state;

	return socktls_get_state(fd, &state) == 0 &&
	       state == SOCKTLS_STATE_FAILED;
}

/*
 * TLS 1.3 half-closes (RFC 8446 section 6.1); TLS 1.2 does not (RFC 5246
 * section 7.2.1). Somebody who types wants the prompt back.
 */
static int pump(const struct connect *connect, int fd, uint16_t version)
{
	bool stop = version < 0x0304 || isatty(STDIN_FILENO);
	char text[SOCKTLS_TEXT_MAX];
	int err = pump_run(fd, STDIN_FILENO, STDOUT_FILENO, stop);

	if (!err)
		return CLI_OK;
	if (err == -EPIPE && !is_failed(fd)) {
		cli_error("nobody takes any more bytes: %s", strerror(EPIPE));
		return CLI_ERROR;
	}
	cli_error("%s port %s: %s", connect->host, connect->port,
		  socktls_error_text(fd, -err, text, sizeof(text)));
	return CLI_BROKEN;
}

static int run(const struct connect *connect)
{
	struct socktls_failure failure;
	uint16_t version;
	int status, fd;

	fd = socktls_connect(connect->host, connect->port, &connect->options,
			     &failure);
	if (fd < 0) {
		cli_error("%s port %s: %s", connect->host, connect->port,
			  failure.text);
		return cli_failure_status(&failure);
	}
	version = report(connect, fd);
	status = pump(connect, fd, version);
	close(fd);
	return status;
}

int cli_connect(int argc, char **argv)
{
	static const struct argp argp = {
		.options = option_table,
		.parser = parse,
		.args_doc = "HOST:PORT",
		.doc = "Carries stdin and stdout over a TLS connection.\v"
		       "What was negotiated goes to stderr. Exit status: 0, 1 local error, "
		       "2 no TCP connection, 3 the handshake failed, 4 the connection broke, 64 usage.",
	};
	struct connect connect = { 0 };
	int status;

	argp_parse(&argp, argc, argv, 0, NULL, &connect);
	status = run(&connect);
	free(connect.trust_file);
	free(connect.address);
	return status;
}
