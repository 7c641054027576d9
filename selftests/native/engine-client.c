// SPDX-License-Identifier: MIT
/*
 * engine-client HOST:PORT: the engine as a TLS client on an ordinary socket.
 * Standard input goes out, what comes back goes to standard output; what was
 * negotiated, or why not, goes to standard error. With --get N, N connections
 * one after the other, each a request and an answer, later ones resuming the
 * session of earlier ones. Exit status 1: no handshake, 2: it broke later.
 */
#include <err.h>
#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "conn.h"
#include "options.h"
#include "sessions.h"

enum {
	OPT_NAME = 0x100, OPT_NO_VERIFY, OPT_GET,
};

struct arguments {
	struct options	options;
	char		*host;
	char		*port;
	const char	*name;
	int		gets;
};

static const struct argp_option entries[] = {
	{ "name", OPT_NAME, "NAME", 0,
	  "server name to send and verify, when it is not HOST", 0 },
	{ "no-verify", OPT_NO_VERIFY, NULL, 0,
	  "accept any certificate", 0 },
	{ "get", OPT_GET, "N", 0,
	  "connect N times, send a request of HTTP, and resume sessions", 0 },
	{ 0 }
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct arguments *args = state->input;
	char *colon;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &args->options;
		return 0;
	case OPT_NAME:
		args->name = arg;
		return 0;
	case OPT_NO_VERIFY:
		args->options.config.peer_auth = SOCKTLS_PEER_AUTH_NONE;
		return 0;
	case OPT_GET:
		args->gets = atoi(arg);
		return 0;
	case ARGP_KEY_ARG:
		colon = strrchr(arg, ':');
		if (args->host || !colon)
			argp_usage(state);
		*colon = 0;
		args->host = arg;
		args->port = colon + 1;
		return 0;
	case ARGP_KEY_END:
		if (!args->host)
			argp_usage(state);
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

static int connect_to(const struct arguments *args)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
	struct addrinfo *list, *at;
	int fd = -1;

	if (getaddrinfo(args->host, args->port, &hints, &list))
		errx(1, "%s:%s is no address", args->host, args->port);
	for (at = list; at; at = at->ai_next) {
		fd = socket(at->ai_family, SOCK_STREAM, 0);
		if (fd >= 0 && !connect(fd, at->ai_addr, at->ai_addrlen))
			break;
		close(fd);
		fd = -1;
	}
	freeaddrinfo(list);
	if (fd < 0)
		err(1, "%s:%s", args->host, args->port);
	return fd;
}

static int copy_in(struct conn *conn, bool *open)
{
	uint8_t data[RECORD_PLAIN_MAX];
	ssize_t n = read(STDIN_FILENO, data, sizeof(data));

	if (n > 0)
		return conn_write(conn, data, n);
	*open = false;
	conn_shutdown(conn);
	return 0;
}

static int copy_out(struct conn *conn, bool *open)
{
	static uint8_t data[RECORD_WIRE_MAX];
	int n = conn_read(conn, data);

	*open = n > 0;
	if (n > 0 && write(STDOUT_FILENO, data, n) != n)
		return -1;
	return n < 0 ? -1 : 0;
}

/*
 * Until the peer closes. When input ends, two more seconds for what the peer
 * still has to say.
 */
static int copy(struct conn *conn)
{
	bool in_open = true, out_open = true;

	while (out_open) {
		struct pollfd fds[] = {
			{ .fd = conn->fd, .events = POLLIN },
			{ .fd = in_open ? STDIN_FILENO : -1, .events = POLLIN },
		};
		int n = poll(fds, 2, in_open ? -1 : 2000);

		if (n <= 0)
			return n;
		if (fds[1].revents && copy_in(conn, &in_open))
			return -1;
		if (fds[0].revents && copy_out(conn, &out_open))
			return -1;
	}
	return 0;
}

static int handshake(struct conn *conn, struct arguments *args)
{
	if (conn_handshake(conn, connect_to(args), &args->options.config,
			   args->options.keylog)) {
		fprintf(stderr, "failed: %s\n", conn->failure);
		return -1;
	}
	fprintf(stderr, "negotiated: %s\n", conn->result);
	return 0;
}

/*
 * The answer; some peers leave the connection open behind it, or close it
 * without close_notify.
 */
static size_t answer(struct conn *conn)
{
	static uint8_t data[RECORD_WIRE_MAX];
	struct pollfd fd = { .fd = conn->fd, .events = POLLIN };
	size_t total = 0;
	int n;

	while (poll(&fd, 1, total ? 200 : 5000) > 0) {
		n = conn_read(conn, data);
		if (n <= 0)
			break;
		total += n;
	}
	return total;
}

static int get(struct arguments *args)
{
	static const char request[] = "GET / HTTP/1.0\r\n\r\n";
	struct conn conn;
	int status = 0;
	size_t total;

	if (handshake(&conn, args)) {
		status = 1;
	} else {
		total = conn_write(&conn, request, strlen(request)) ? 0 :
			answer(&conn);
		fprintf(stderr, "answer: %zu bytes %s\n", total, conn.failure);
		status = total ? 0 : 2;
	}
	conn_close(&conn);
	return status;
}

static int pipe_through(struct arguments *args)
{
	struct conn conn;
	int status = 0;

	if (handshake(&conn, args)) {
		status = 1;
	} else if (copy(&conn)) {
		fprintf(stderr, "broken: %s\n", conn.failure);
		status = 2;
	}
	conn_close(&conn);
	return status;
}

int main(int argc, char **argv)
{
	static const struct argp_child children[] = {
		{ &options_argp, 0, "TLS:", 1 }, { 0 }
	};
	static const struct argp argp = {
		.options = entries, .parser = parse, .args_doc = "HOST:PORT",
		.doc = "The handshake engine as a TLS client, for tests.",
		.children = children,
	};
	struct arguments args = { 0 };
	int status = 0;

	argp_parse(&argp, argc, argv, 0, NULL, &args);
	args.options.config.role = SOCKTLS_CLIENT;
	args.options.config.server_name = args.name ? args.name : args.host;
	if (!args.gets)
		return pipe_through(&args);
	if (args.gets > 1) {
		if (sessions_init())
			err(1, "no memory for sessions");
		args.options.config.sessions = &sessions_ops;
	}
	while (args.gets-- && !status)
		status = get(&args);
	return status;
}
