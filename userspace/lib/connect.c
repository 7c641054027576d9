// SPDX-License-Identifier: MIT
/* Connections and listeners with TLS. */
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "socktls.h"

#define ADDRESS_TEXT_MAX	(NI_MAXHOST + NI_MAXSERV + 4)

static const struct socktls_options no_options;

/* errno survives: callers close sockets between the error and its report. */
static int set_failure(struct socktls_failure *failure, enum socktls_step step,
		       int error, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

static int set_failure(struct socktls_failure *failure, enum socktls_step step,
		       int error, const char *format, ...)
{
	va_list args;

	if (failure) {
		failure->step = step;
		failure->error = error;
		va_start(args, format);
		vsnprintf(failure->text, sizeof(failure->text), format, args);
		va_end(args);
	}
	errno = error;
	return -1;
}

static void close_keeping_errno(int fd)
{
	int saved = errno;

	close(fd);
	errno = saved;
}

static int resolve(const char *host, const char *service, int flags,
		   struct addrinfo **list, struct socktls_failure *failure)
{
	const struct addrinfo hints = {
		.ai_family = AF_UNSPEC,
		.ai_socktype = SOCK_STREAM,
		.ai_flags = flags,
	};
	int code = getaddrinfo(host, service, &hints, list);

	if (code == 0)
		return 0;
	return set_failure(failure, SOCKTLS_STEP_RESOLVE,
			   code == EAI_SYSTEM ? errno : EADDRNOTAVAIL,
			   "cannot look up %s port %s: %s", host ? host : "*",
			   service, code == EAI_SYSTEM ? strerror(errno) :
			   gai_strerror(code));
}

static const char *address_text(const struct addrinfo *address,
				char text[ADDRESS_TEXT_MAX])
{
	char host[NI_MAXHOST], service[NI_MAXSERV];

	if (getnameinfo(address->ai_addr, address->ai_addrlen, host,
			sizeof(host), service, sizeof(service),
			NI_NUMERICHOST | NI_NUMERICSERV))
		return "?";
	snprintf(text, ADDRESS_TEXT_MAX,
		 address->ai_family == AF_INET6 ? "[%s]:%s" : "%s:%s", host,
		 service);
	return text;
}

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * INT64_C(1000) + now.tv_nsec / 1000000;
}

/* Waits for connect(); 0, or -1 with errno. */
static int await_connected(int fd, uint32_t timeout_ms)
{
	struct pollfd poll_fd = { .fd = fd, .events = POLLOUT };
	int64_t deadline = now_ms() + timeout_ms, left = -1;
	int error, n;
	socklen_t len = sizeof(error);

	do {
		if (timeout_ms)
			left = deadline - now_ms();
		if (timeout_ms && left < 0)
			left = 0;
		n = poll(&poll_fd, 1, left > INT32_MAX ? INT32_MAX : left);
	} while (n < 0 && errno == EINTR);
	if (n == 0)
		errno = ETIMEDOUT;
	if (n <= 0)
		return -1;
	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0)
		return -1;
	errno = error;
	return error ? -1 : 0;
}

static int set_blocking(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	return flags < 0 ? -1 : fcntl(fd, F_SETFL, flags & ~O_NONBLOCK);
}

static int connect_address(const struct addrinfo *address, uint32_t timeout_ms,
			   struct socktls_failure *failure)
{
	char text[ADDRESS_TEXT_MAX];
	int error, fd = socket(address->ai_family,
			       SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
			       IPPROTO_TCP);

	if (fd < 0)
		return set_failure(failure, SOCKTLS_STEP_SOCKET, errno,
				   "cannot make a socket: %s", strerror(errno));
	if ((connect(fd, address->ai_addr, address->ai_addrlen) == 0 ||
	     (errno == EINPROGRESS && await_connected(fd, timeout_ms) == 0)) &&
	    set_blocking(fd) == 0)
		return fd;
	error = errno;
	close(fd);
	return set_failure(failure, SOCKTLS_STEP_SOCKET, error,
			   "cannot connect to %s: %s",
			   address_text(address, text), strerror(error));
}

static int connect_tcp(const char *host, const char *service,
		       uint32_t timeout_ms, struct socktls_failure *failure)
{
	struct addrinfo *list, *address;
	int fd = -1;

	if (resolve(host, service, AI_ADDRCONFIG, &list, failure) < 0)
		return -1;
	for (address = list; address && fd < 0; address = address->ai_next)
		fd = connect_address(address, timeout_ms, failure);
	freeaddrinfo(list);
	return fd;
}

static int apply(int fd, const struct socktls_options *options,
		 struct socktls_failure *failure)
{
	if (socktls_apply(fd, options) == 0)
		return 0;
	if (errno == ENOENT)
		return set_failure(failure, SOCKTLS_STEP_ATTACH, errno,
				   "socktls.ko is not loaded: modprobe socktls");
	return set_failure(failure, SOCKTLS_STEP_ATTACH, errno,
			   "cannot set up TLS on the socket: %s",
			   strerror(errno));
}

/* Runs a handshake on a blocking socket. */
static int handshake(int fd, enum socktls_role role, uint32_t timeout_ms,
		     struct socktls_failure *failure)
{
	char text[SOCKTLS_TEXT_MAX - 32];
	int error;

	if (socktls_start(fd, role, timeout_ms) == 0 || errno == EISCONN)
		return 0;
	error = errno;
	if (error == ESRCH)
		return set_failure(failure, SOCKTLS_STEP_HANDSHAKE, error,
				   "no socktlsd serves this network namespace: start it");
	return set_failure(failure, SOCKTLS_STEP_HANDSHAKE, error,
			   "TLS handshake: %s",
			   socktls_error_text(fd, error, text, sizeof(text)));
}

int socktls_connect(const char *host, const char *service,
		    const struct socktls_options *options,
		    struct socktls_failure *failure)
{
	struct socktls_options filled = options ? *options : no_options;
	int fd;

	if (!filled.server_name)
		filled.server_name = host;
	fd = connect_tcp(host, service, filled.timeout_ms, failure);
	if (fd < 0)
		return -1;
	if (apply(fd, &filled, failure) == 0 &&
	    handshake(fd, SOCKTLS_CLIENT, filled.timeout_ms, failure) == 0)
		return fd;
	close_keeping_errno(fd);
	return -1;
}

static int listen_address(const struct addrinfo *address, int backlog,
			  struct socktls_failure *failure)
{
	char text[ADDRESS_TEXT_MAX];
	int one = 1, zero = 0, error;
	int fd = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC,
			IPPROTO_TCP);

	if (fd < 0)
		return set_failure(failure, SOCKTLS_STEP_SOCKET, errno,
				   "cannot make a socket: %s", strerror(errno));
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (address->ai_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &zero, sizeof(zero));
	if (bind(fd, address->ai_addr, address->ai_addrlen) == 0 &&
	    listen(fd, backlog) == 0)
		return fd;
	error = errno;
	close(fd);
	return set_failure(failure, SOCKTLS_STEP_SOCKET, error,
			   "cannot listen on %s: %s",
			   address_text(address, text), strerror(error));
}

/* An IPv6 wildcard takes IPv4 as well, so it is tried first. */
static int listen_tcp(const char *host, const char *service, int backlog,
		      struct socktls_failure *failure)
{
	struct addrinfo *list, *address;
	int fd = -1;

	if (host && !*host)
		host = NULL;
	if (resolve(host, service, AI_PASSIVE, &list, failure) < 0)
		return -1;
	for (address = list; address && fd < 0 && !host;
	     address = address->ai_next)
		if (address->ai_family == AF_INET6)
			fd = listen_address(address, backlog, failure);
	for (address = list; address && fd < 0; address = address->ai_next)
		if (host || address->ai_family != AF_INET6)
			fd = listen_address(address, backlog, failure);
	freeaddrinfo(list);
	return fd;
}

int socktls_listen(const char *host, const char *service,
		   const struct socktls_options *options, int backlog,
		   struct socktls_failure *failure)
{
	int fd;

	if (!options)
		options = &no_options;
	fd = listen_tcp(host, service, backlog, failure);
	if (fd < 0)
		return -1;
	if (apply(fd, options, failure) == 0 &&
	    handshake(fd, SOCKTLS_SERVER, options->timeout_ms, failure) == 0)
		return fd;
	close_keeping_errno(fd);
	return -1;
}

int socktls_accept(int listener, struct socktls_failure *failure)
{
	int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

	if (fd < 0)
		return set_failure(failure, SOCKTLS_STEP_SOCKET, errno,
				   "cannot accept: %s", strerror(errno));
	if (handshake(fd, SOCKTLS_SERVER, 0, failure) == 0)
		return fd;
	close_keeping_errno(fd);
	return -1;
}
