// SPDX-License-Identifier: MIT
/* TCP connections, data, TLS sockets; see util.h. */
#include "util.h"

volatile uintptr_t bad_address = 8;

int tcp_socket(int family)
{
	int fd = socket(family == FAMILY_MAPPED ? AF_INET6 : family,
			SOCK_STREAM | SOCK_CLOEXEC, 0);

	ASSERT_GE(fd, 0);
	return fd;
}

static socklen_t loopback(int family, struct sockaddr_storage *addr)
{
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)addr;
	struct sockaddr_in *in = (struct sockaddr_in *)addr;

	memset(addr, 0, sizeof(*addr));
	if (family == AF_INET) {
		in->sin_family = AF_INET;
		in->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		return sizeof(*in);
	}
	in6->sin6_family = AF_INET6;
	if (family == AF_INET6) {
		in6->sin6_addr = in6addr_loopback;
	} else {
		in6->sin6_addr.s6_addr[10] = 0xff;
		in6->sin6_addr.s6_addr[11] = 0xff;
		in6->sin6_addr.s6_addr[12] = 127;
		in6->sin6_addr.s6_addr[15] = 1;
	}
	return sizeof(*in6);
}

int tcp_listen(int family)
{
	struct sockaddr_storage addr;
	socklen_t len = loopback(family, &addr);
	int fd = tcp_socket(family);

	/* a dual-stack listener is bound to both */
	if (family == FAMILY_MAPPED)
		memset(&((struct sockaddr_in6 *)&addr)->sin6_addr, 0, 16);
	ASSERT_EQ(bind(fd, (struct sockaddr *)&addr, len), 0);
	ASSERT_EQ(listen(fd, 1024), 0);
	return fd;
}

int tcp_connect(int family, int listener)
{
	struct sockaddr_storage addr, bound;
	socklen_t len = loopback(family, &addr), bound_len = sizeof(bound);
	int fd = tcp_socket(family);

	ASSERT_EQ(getsockname(listener, (struct sockaddr *)&bound,
			      &bound_len), 0);
	/* the port is at the same place in both families */
	((struct sockaddr_in *)&addr)->sin_port =
		((struct sockaddr_in *)&bound)->sin_port;
	ASSERT_EQ(connect(fd, (struct sockaddr *)&addr, len), 0);
	return fd;
}

void tcp_pair(int family, int *client, int *server)
{
	int listener = tcp_listen(family);

	*client = tcp_connect(family, listener);
	*server = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	ASSERT_GE(*server, 0);
	close(listener);
}

void set_nonblocking(int fd, bool on)
{
	ASSERT_EQ(fcntl(fd, F_SETFL, on ? O_NONBLOCK : 0), 0);
}

int get_int(int fd, int level, int opt)
{
	int value = -1;
	socklen_t len = sizeof(value);

	ASSERT_EQ(getsockopt(fd, level, opt, &value, &len), 0);
	return value;
}

void set_int(int fd, int level, int opt, int value)
{
	ASSERT_EQ(setsockopt(fd, level, opt, &value, sizeof(value)), 0);
}

int poll_for(int fd, int events, int ms)
{
	struct pollfd p = { .fd = fd, .events = events };
	int n = poll(&p, 1, ms);

	ASSERT_GE(n, 0);
	return n ? p.revents : 0;
}

void wait_for_events(int fd, int events)
{
	ASSERT_NE(poll_for(fd, events, 60000), 0);
}

void sleep_ms(unsigned int ms)
{
	struct timespec time = { ms / 1000, ms % 1000 * 1000000L };

	while (nanosleep(&time, &time) && errno == EINTR)
		;
}

long long now_ms(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1000LL + time.tv_nsec / 1000000;
}

/* ---- data ---- */

static unsigned char pattern_byte(size_t at)
{
	return at ^ at >> 8 ^ at >> 14 ^ at >> 21;
}

void pattern_fill(void *buf, size_t len, size_t offset)
{
	unsigned char *bytes = buf;
	size_t i;

	for (i = 0; i < len; i++)
		bytes[i] = pattern_byte(offset + i);
}

bool pattern_ok(const void *buf, size_t len, size_t offset)
{
	const unsigned char *bytes = buf;
	size_t i;

	for (i = 0; i < len; i++)
		if (bytes[i] != pattern_byte(offset + i)) {
			harness_note("byte %zu is %02x, not %02x", offset + i,
				     bytes[i], pattern_byte(offset + i));
			return false;
		}
	return true;
}

bool write_all(int fd, const void *buf, size_t len)
{
	size_t done = 0;

	while (done < len) {
		ssize_t n = write(fd, buf + done, len - done);

		if (n <= 0)
			return false;
		done += n;
	}
	return true;
}

bool read_all(int fd, void *buf, size_t len)
{
	size_t done = 0;

	while (done < len) {
		ssize_t n = read(fd, buf + done, len - done);

		if (n <= 0)
			return false;
		done += n;
	}
	return true;
}

void expect_ping(int from, int to)
{
	char c = 0;

	ASSERT_EQ(write(from, "p", 1), 1);
	ASSERT_EQ(read(to, &c, 1), 1);
	ASSERT_EQ(c, 'p');
}

static void *flow_run(void *arg)
{
	struct flow *flow = arg;
	char *buf = malloc(flow->chunk);
	size_t done = 0;

	while (done < flow->len) {
		size_t want = flow->len - done < flow->chunk ?
			      flow->len - done : flow->chunk;
		ssize_t n;

		if (flow->writing) {
			pattern_fill(buf, want, done);
			n = write(flow->fd, buf, want);
		} else {
			n = read(flow->fd, buf, want);
		}
		if (n <= 0) {
			flow->error = n ? errno : 0;
			break;
		}
		if (!flow->writing && !pattern_ok(buf, n, done))
			break;
		done += n;
		atomic_store(&flow->done, done);
	}
	flow->ok = done == flow->len;
	if (!flow->ok)
		harness_note("%s stopped at %zu of %zu, errno %d",
			     flow->writing ? "writing" : "reading", done,
			     flow->len, flow->error);
	free(buf);
	return NULL;
}

void flow_start(struct flow *flow)
{
	if (!flow->chunk)
		flow->chunk = 65536;
	ASSERT_EQ(pthread_create(&flow->thread, NULL, flow_run, flow), 0);
}

bool flow_join(struct flow *flow)
{
	ASSERT_EQ(pthread_join(flow->thread, NULL), 0);
	return flow->ok;
}

/* ---- TLS sockets ---- */

int tls_attach(int fd)
{
	return setsockopt(fd, SOL_TCP, TCP_ULP, SOCKTLS_ULP_NAME,
			  strlen(SOCKTLS_ULP_NAME));
}

int tls_set(int fd, int opt, const void *value, socklen_t len)
{
	return setsockopt(fd, SOL_TLS, opt, value, len);
}

int tls_set_text(int fd, int opt, const char *text)
{
	return tls_set(fd, opt, text, strlen(text));
}

int tls_set_u32(int fd, int opt, uint32_t value)
{
	return tls_set(fd, opt, &value, sizeof(value));
}

int tls_get(int fd, int opt, void *value, socklen_t *len)
{
	return getsockopt(fd, SOL_TLS, opt, value, len);
}

int tls_export(int fd, const char *label, void *out, uint32_t len)
{
	struct {
		struct socktls_exporter	head;
		uint8_t			data[512];
	} value = {
		.head = { .label_len = strlen(label), .length = len },
	};
	socklen_t size = sizeof(value);

	ASSERT_LE(strlen(label), sizeof(value.data));
	ASSERT_LE(len, sizeof(value.data));
	memcpy(value.data, label, strlen(label));
	if (tls_get(fd, SOCKTLS_EXPORTER, &value, &size))
		return -1;
	memcpy(out, value.data, len);
	return 0;
}

int tls_state(int fd)
{
	return get_int(fd, SOL_TLS, SOCKTLS_STATE);
}

void tls_info(int fd, struct socktls_info *info)
{
	socklen_t len = sizeof(*info);

	memset(info, 0, sizeof(*info));
	ASSERT_EQ(tls_get(fd, SOCKTLS_INFO, info, &len), 0);
	ASSERT_EQ(len, sizeof(*info));
}

void tls_error(int fd, struct socktls_error *error)
{
	socklen_t len = sizeof(*error);

	ASSERT_EQ(tls_get(fd, SOCKTLS_ERROR, error, &len), 0);
	ASSERT_EQ(len, sizeof(*error));
}

int tls_start(int fd, uint32_t role, uint32_t timeout_ms)
{
	struct socktls_handshake hs = {
		.role = role, .timeout_ms = timeout_ms,
	};

	return tls_set(fd, SOCKTLS_HANDSHAKE, &hs, sizeof(hs));
}

void tls_prepare_client(int fd)
{
	ASSERT_EQ(tls_attach(fd), 0);
	ASSERT_EQ(tls_set_text(fd, SOCKTLS_SERVER_NAME, "localhost"), 0);
	ASSERT_EQ(tls_set_text(fd, SOCKTLS_TRUST, "ca"), 0);
}

void tls_prepare_server(int fd, const char *identity)
{
	ASSERT_EQ(tls_attach(fd), 0);
	ASSERT_EQ(tls_set_text(fd, SOCKTLS_IDENTITY, identity), 0);
}

void tls_handshake(const struct pair *pair)
{
	set_nonblocking(pair->server, true);
	ASSERT_ERRNO(tls_start(pair->server, SOCKTLS_SERVER, 0), EINPROGRESS);
	ASSERT_EQ(tls_start(pair->client, SOCKTLS_CLIENT, 0), 0);
	set_nonblocking(pair->server, false);
	ASSERT_EQ(poll_for(pair->server, POLLOUT, 20000), POLLOUT);
}

void tls_pair(int family, struct pair *pair)
{
	tcp_pair(family, &pair->client, &pair->server);
	tls_prepare_client(pair->client);
	tls_prepare_server(pair->server, "server-ecdsa");
	tls_handshake(pair);
}

static void *starter_run(void *arg)
{
	struct starter *starter = arg;

	errno = 0;
	starter->result = tls_start(starter->fd, starter->role,
				    starter->timeout_ms);
	starter->error = errno;
	return NULL;
}

void starter_start(struct starter *starter)
{
	ASSERT_EQ(pthread_create(&starter->thread, NULL, starter_run, starter),
		  0);
}

int starter_join(struct starter *starter)
{
	ASSERT_EQ(pthread_join(starter->thread, NULL), 0);
	errno = starter->error;
	return starter->result;
}
