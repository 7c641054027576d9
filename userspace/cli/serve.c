// SPDX-License-Identifier: MIT
/* socktls serve: a program for each TLS connection accepted. */
#include <argp.h>
#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli.h"

#define BACKLOG		128
#define DEFAULT_PORT	"443"

enum {
	OPTION_LISTEN = 0x100,
	OPTION_IDENTITY,
	OPTION_CLIENT_AUTH,
	OPTION_TRUST,
	OPTION_TRUST_FILE,
	OPTION_MAX_CONNECTIONS,
	OPTION_TIMEOUT,
	OPTION_ALLOW_EOF,
};

struct serve {
	struct socktls_options	options;
	char			*trust_file;	/* its contents, owned */
	char			*address;	/* as written, owned */
	char			*host;
	char			*port;
	char			**program;
	unsigned int		max_connections;	/* 0: no limit */
	unsigned int		n_children;
	int			listener;
	int			signals;	/* signalfd */
	sigset_t		old_mask;
};

static const struct argp_option option_table[] = {
	{ "listen", OPTION_LISTEN, "ADDR[:PORT]", 0,
	  "Address to listen on, [ADDR]:PORT for IPv6, :PORT for all; port "
	  DEFAULT_PORT " when none is given", 0 },
	{ "identity", OPTION_IDENTITY, "NAME", 0,
	  "The identity of socktlsd to show, default socktlsd's default", 0 },
	{ "client-auth", OPTION_CLIENT_AUTH, "request|require", 0,
	  "Ask clients for a certificate", 0 },
	{ "trust", OPTION_TRUST, "NAME", 0,
	  "The trust store of socktlsd for clients' certificates, or pins", 0 },
	{ "trust-file", OPTION_TRUST_FILE, "PEM", 0,
	  "A file of certificates to trust", 0 },
	{ "max-connections", OPTION_MAX_CONNECTIONS, "N", 0,
	  "Serve no more than N at the same time; others wait", 0 },
	{ "timeout", OPTION_TIMEOUT, "SECONDS", 0,
	  "Deadline of each handshake", 0 },
	{ "allow-eof", OPTION_ALLOW_EOF, NULL, 0,
	  "Take an end without close_notify for an end, not an error", 0 },
	{ 0 }
};

/*
 * Command line.
 */

static void parse_listen(struct serve *serve, struct argp_state *state,
			 const char *arg)
{
	static char default_port[] = DEFAULT_PORT;

	free(serve->address);
	serve->address = strdup(arg);
	if (!serve->address)
		argp_failure(state, CLI_ERROR, ENOMEM, NULL);
	if (!cli_parse_address(serve->address, &serve->host, &serve->port,
			       default_port))
		argp_error(state, "--listen: \"%s\" is not ADDR[:PORT]", arg);
}

static void parse_client_auth(struct serve *serve, struct argp_state *state,
			      const char *arg)
{
	if (strcmp(arg, "request") == 0)
		serve->options.peer_auth = SOCKTLS_PEER_AUTH_REQUEST;
	else if (strcmp(arg, "require") == 0)
		serve->options.peer_auth = SOCKTLS_PEER_AUTH_REQUIRE;
	else
		argp_error(state, "--client-auth: \"%s\" is neither request nor require",
			   arg);
}

static void parse_max_connections(struct serve *serve,
				  struct argp_state *state, const char *arg)
{
	unsigned long value;
	char *end;

	errno = 0;
	value = strtoul(arg, &end, 10);
	if (errno || end == arg || *end || *arg == '-' || value < 1 ||
	    value > 1000000)
		argp_error(state, "--max-connections: \"%s\" is not a number from 1 to 1000000",
			   arg);
	serve->max_connections = value;
}

static void parse_trust_file(struct serve *serve, const char *path)
{
	free(serve->trust_file);
	serve->trust_file = cli_read_pem(path);
	if (!serve->trust_file)
		exit(CLI_ERROR);
	serve->options.trust = serve->trust_file;
}

static void check_complete(struct serve *serve, struct argp_state *state)
{
	if (!serve->address)
		argp_error(state, "--listen is missing");
	if (serve->options.trust && !serve->options.peer_auth)
		argp_error(state, "--trust is for --client-auth, which is missing");
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct serve *serve = state->input;

	switch (key) {
	case OPTION_LISTEN:
		parse_listen(serve, state, arg);
		break;
	case OPTION_IDENTITY:
		serve->options.identity = arg;
		break;
	case OPTION_CLIENT_AUTH:
		parse_client_auth(serve, state, arg);
		break;
	case OPTION_TRUST:
		serve->options.trust = arg;
		break;
	case OPTION_TRUST_FILE:
		parse_trust_file(serve, arg);
		break;
	case OPTION_MAX_CONNECTIONS:
		parse_max_connections(serve, state, arg);
		break;
	case OPTION_TIMEOUT:
		if (!cli_parse_seconds(arg, &serve->options.timeout_ms))
			argp_error(state, "--timeout: \"%s\" is not a number of seconds",
				   arg);
		break;
	case OPTION_ALLOW_EOF:
		serve->options.eof = SOCKTLS_EOF_ALLOW;
		break;
	case ARGP_KEY_ARG:
		/* The program and all that follows, options included. */
		serve->program = state->argv + state->next - 1;
		state->next = state->argc;
		break;
	case ARGP_KEY_NO_ARGS:
		argp_error(state, "PROGRAM is missing");
		break;
	case ARGP_KEY_END:
		check_complete(serve, state);
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

/*
 * The child: handshake, environment, program.
 */

static void set_remote(int fd, char *text, size_t len)
{
	struct sockaddr_storage address;
	socklen_t address_len = sizeof(address);
	char host[NI_MAXHOST], port[NI_MAXSERV];

	snprintf(text, len, "?");
	if (getpeername(fd, (struct sockaddr *)&address, &address_len) < 0 ||
	    getnameinfo((struct sockaddr *)&address, address_len, host,
			sizeof(host), port, sizeof(port),
			NI_NUMERICHOST | NI_NUMERICSERV))
		return;
	setenv("REMOTE_ADDR", host, 1);
	setenv("REMOTE_PORT", port, 1);
	snprintf(text, len, "%s port %s", host, port);
}

static void set_or_unset(const char *name, const char *value)
{
	if (value && *value)
		setenv(name, value, 1);
	else
		unsetenv(name);
}

static void set_negotiated(int fd)
{
	char peer[SOCKTLS_IDENTITY_MAX];
	struct socktls_info info;

	if (socktls_get_info(fd, &info) < 0)
		return;
	if (socktls_get_peer_identity(fd, peer, sizeof(peer)) < 0)
		peer[0] = '\0';
	set_or_unset("SOCKTLS_VERSION", socktls_version_name(info.version));
	set_or_unset("SOCKTLS_SUITE", socktls_suite_name(info.suite));
	set_or_unset("SOCKTLS_GROUP", socktls_group_name(info.group));
	set_or_unset("SOCKTLS_PEER", peer);
}

static void run_program(const struct serve *serve, int fd)
{
	if (dup2(fd, STDIN_FILENO) < 0 || dup2(fd, STDOUT_FILENO) < 0)
		return;
	signal(SIGPIPE, SIG_DFL);
	sigprocmask(SIG_SETMASK, &serve->old_mask, NULL);
	execvp(serve->program[0], serve->program);
	cli_error("cannot run %s: %s", serve->program[0], strerror(errno));
}

/*
 * The handshake began with accept(); here it is waited for, in this
 * connection's own process, so that the environment can tell of it.
 */
static void run_child(const struct serve *serve, int fd)
{
	char text[SOCKTLS_TEXT_MAX], remote[NI_MAXHOST + NI_MAXSERV + 8];
	int err;

	cli_clear_environment();
	set_remote(fd, remote, sizeof(remote));
	do {
		err = socktls_start(fd, SOCKTLS_SERVER, 0) ? errno : 0;
	} while (err == EINTR);
	if (err && err != EISCONN) {
		cli_error("%s: TLS handshake: %s", remote,
			  socktls_error_text(fd, err, text, sizeof(text)));
		_exit(CLI_HANDSHAKE);
	}
	set_negotiated(fd);
	run_program(serve, fd);
	_exit(127);
}

/*
 * The parent.
 */

static void accept_one(struct serve *serve)
{
	int fd = accept4(serve->listener, NULL, NULL, SOCK_CLOEXEC);
	pid_t pid;

	if (fd < 0) {
		if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED)
			cli_error("cannot accept: %s", strerror(errno));
		/* Out of descriptors or memory: they come back by themselves. */
		if (errno == EMFILE || errno == ENFILE || errno == ENOMEM ||
		    errno == ENOBUFS)
			usleep(100000);
		return;
	}
	pid = fork();
	if (pid == 0)
		run_child(serve, fd);
	if (pid < 0)
		cli_error("cannot fork: %s", strerror(errno));
	else
		serve->n_children++;
	close(fd);
}

static void reap_children(struct serve *serve)
{
	while (waitpid(-1, NULL, WNOHANG) > 0)
		serve->n_children--;
}

/* True when it is time to go. */
static bool take_signal(struct serve *serve)
{
	struct signalfd_siginfo info;

	if (read(serve->signals, &info, sizeof(info)) != sizeof(info))
		return false;
	if (info.ssi_signo != SIGCHLD)
		return true;
	reap_children(serve);
	return false;
}

static int loop(struct serve *serve)
{
	struct pollfd fds[2] = {
		{ .fd = serve->signals, .events = POLLIN },
		{ .events = POLLIN },
	};

	for (;;) {
		fds[1].fd = serve->max_connections &&
			serve->n_children >= serve->max_connections ?
			-1 : serve->listener;
		fds[1].revents = 0;
		if (poll(fds, 2, -1) < 0 && errno != EINTR) {
			cli_error("poll: %s", strerror(errno));
			return CLI_ERROR;
		}
		if (fds[0].revents && take_signal(serve))
			return CLI_OK;
		if (fds[1].revents)
			accept_one(serve);
	}
}

/* Blocked before the first fork(), so that no child's end is missed. */
static int watch_signals(struct serve *serve)
{
	sigset_t mask;

	sigemptyset(&mask);
	sigaddset(&mask, SIGCHLD);
	sigaddset(&mask, SIGTERM);
	sigaddset(&mask, SIGINT);
	sigprocmask(SIG_BLOCK, &mask, &serve->old_mask);
	serve->signals = signalfd(-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK);
	if (serve->signals < 0)
		cli_error("signalfd: %s", strerror(errno));
	return serve->signals;
}

static int run(struct serve *serve)
{
	struct socktls_failure failure;
	int status;

	if (watch_signals(serve) < 0)
		return CLI_ERROR;
	serve->listener = socktls_listen(serve->host, serve->port,
					 &serve->options, BACKLOG, &failure);
	if (serve->listener < 0) {
		cli_error("%s", failure.text);
		return cli_failure_status(&failure);
	}
	cli_error("listening on %s port %s", *serve->host ? serve->host : "*",
		  serve->port);
	status = loop(serve);
	close(serve->listener);
	close(serve->signals);
	return status;
}

int cli_serve(int argc, char **argv)
{
	static const struct argp argp = {
		.options = option_table,
		.parser = parse,
		.args_doc = "-- PROGRAM [ARGS...]",
		.doc = "Runs PROGRAM for each TLS connection accepted, which becomes its stdin and stdout.\v"
		       "PROGRAM finds SOCKTLS_VERSION, SOCKTLS_SUITE, SOCKTLS_GROUP, SOCKTLS_PEER, REMOTE_ADDR "
		       "and REMOTE_PORT in its environment. SIGTERM ends listening; programs that run go on.",
	};
	struct serve serve = { 0 };
	int status;

	argp_parse(&argp, argc, argv, ARGP_IN_ORDER, NULL, &serve);
	status = run(&serve);
	free(serve.trust_file);
	free(serve.address);
	return status;
}
