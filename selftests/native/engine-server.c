// SPDX-License-Identifier: MIT
/*
 * engine-server: the engine as a TLS server on ordinary sockets of loopback. A
 * process per connection. What was negotiated, or why not, goes to standard
 * error, a line per connection.
 */
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "conn.h"
#include "options.h"
#include "sessions.h"

enum {
	OPT_PORT = 0x100, OPT_CLIENT_AUTH, OPT_ECHO, OPT_HTTP,
	OPT_RESUME,
};

struct arguments {
	struct options	options;
	int		port;
	bool		http;
};

static const struct argp_option entries[] = {
	{ "port", OPT_PORT, "P", 0, "listen on 127.0.0.1:P; 0: any port", 0 },
	{ "client-auth", OPT_CLIENT_AUTH, "request|require", 0,
	  "ask for a client certificate, verified with --trust", 0 },
	{ "echo", OPT_ECHO, NULL, 0, "send back what comes (default)", 0 },
	{ "http", OPT_HTTP, NULL, 0, "answer a GET and close", 0 },
	{ "resume", OPT_RESUME, "id|ticket", 0,
	  "resume sessions by ID (TLS 1.2) or by ticket, and give them out", 0 },
	{ 0 }
};

static void allow_resumption(struct engine_config *config,
			     struct argp_state *state, const char *how)
{
	config->session_ids = !strcmp(how, "id");
	config->tickets = !strcmp(how, "ticket") ? 2 : 0;
	config->sessions = &sessions_ops;
	if (!config->session_ids && !config->tickets)
		argp_error(state, "--resume is id or ticket");
	if (sessions_init())
		argp_failure(state, 1, errno, "no memory for sessions");
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct arguments *args = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &args->options;
		return 0;
	case OPT_PORT:
		args->port = atoi(arg);
		return 0;
	case OPT_CLIENT_AUTH:
		args->options.config.peer_auth = !strcmp(arg, "require") ?
			SOCKTLS_PEER_AUTH_REQUIRE : SOCKTLS_PEER_AUTH_REQUEST;
		return 0;
	case OPT_RESUME:
		allow_resumption(&args->options.config, state, arg);
		return 0;
	case OPT_ECHO:
		args->http = false;
		return 0;
	case OPT_HTTP:
		args->http = true;
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

static int listen_on(int port)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET, .sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	socklen_t len = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	int one = 1;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) ||
	    listen(fd, 64))
		err(1, "port %d", port);
	getsockname(fd, (struct sockaddr *)&address, &len);
	fprintf(stderr, "listening on %d\n", ntohs(address.sin_port));
	return fd;
}

static int serve_echo(struct conn *conn)
{
	static uint8_t data[RECORD_WIRE_MAX];
	int n;

	while ((n = conn_read(conn, data)) > 0)
		if (conn_write(conn, data, n))
			return -1;
	return n;
}

/* Reads until the blank line that ends a request. */
static int serve_http(struct conn *conn)
{
	static uint8_t data[RECORD_WIRE_MAX];
	char request[8192] = "", reply[2048], page[1536];
	size_t len = 0;
	int n;

	while (!strstr(request, "\r\n\r\n") && !strstr(request, "\n\n")) {
		n = conn_read(conn, data);
		if (n <= 0 || len + n >= sizeof(request))
			return -1;
		memcpy(request + len, data, n);
		len += n;
		request[len] = 0;
	}
	snprintf(page, sizeof(page), "<!doctype html><title>socktls</title>"
		 "<p>%s</p>\n", conn->result);
	n = snprintf(reply, sizeof(reply), "HTTP/1.0 200 OK\r\n"
		     "Content-Type: text/html\r\nContent-Length: %zu\r\n"
		     "Connection: close\r\n\r\n%s", strlen(page), page);
	return conn_write(conn, reply, n);
}

static void serve(const struct arguments *args, int fd)
{
	struct conn conn;
	int ret;

	if (conn_handshake(&conn, fd, &args->options.config,
			   args->options.keylog)) {
		fprintf(stderr, "failed: %s\n", conn.failure);
	} else {
		fprintf(stderr, "negotiated: %s\n", conn.result);
		ret = args->http ? serve_http(&conn) : serve_echo(&conn);
		if (ret)
			fprintf(stderr, "broken: %s\n", conn.failure);
	}
	conn_close(&conn);
}

int main(int argc, char **argv)
{
	static const struct argp_child children[] = {
		{ &options_argp, 0, "TLS:", 1 }, { 0 }
	};
	static const struct argp argp = {
		.options = entries, .parser = parse,
		.doc = "The handshake engine as a TLS server, for tests.",
		.children = children,
	};
	struct arguments args = { .port = 4433 };
	int listener, fd;

	argp_parse(&argp, argc, argv, 0, NULL, &args);
	args.options.config.role = SOCKTLS_SERVER;
	signal(SIGCHLD, SIG_IGN);
	listener = listen_on(args.port);
	while ((fd = accept(listener, NULL, NULL)) >= 0) {
		if (!fork()) {
			close(listener);
			serve(&args, fd);
			_exit(0);
		}
		close(fd);
	}
	return 1;
}
