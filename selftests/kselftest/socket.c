// SPDX-License-Identifier: MIT
/*
 * The socket API, both ends in one program. Each test is a process of its own.
 * Environment: SOCKTLS_CA, the file of the CA that issued "server-ecdsa".
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/socktls.h>
#include <linux/tls.h>

static char pem[SOCKTLS_TRUST_MAX];
static int pem_len;
static int failed_line;

#define EXPECT(cond)							\
	do {								\
		if (!(cond)) {						\
			failed_line = __LINE__;				\
			fprintf(stderr, "line %d: %s (errno %d)\n",	\
				__LINE__, #cond, errno);		\
			return;						\
		}							\
	} while (0)

#define FAILS(call, code)	EXPECT((errno = 0, (call) == -1 && errno == (code)))

static int set(int fd, int opt, const void *value, socklen_t len)
{
	return setsockopt(fd, SOL_TLS, opt, value, len);
}

static int attach(int fd)
{
	return setsockopt(fd, SOL_TCP, TCP_ULP, "socktls", 7);
}

static int start(int fd, int role)
{
	struct socktls_handshake hs = { .role = role, .timeout_ms = 2000 };

	return set(fd, SOCKTLS_HANDSHAKE, &hs, sizeof(hs));
}

static int state(int fd)
{
	int value = -1;
	socklen_t len = sizeof(value);

	getsockopt(fd, SOL_TLS, SOCKTLS_STATE, &value, &len);
	return value;
}

/* A TCP connection over loopback. */
static void tcp_pair(int fds[2], int prepare(int), int *listener)
{
	struct sockaddr_in a = { .sin_family = AF_INET };
	socklen_t len = sizeof(a);
	int l = socket(AF_INET, SOCK_STREAM, 0);

	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	fds[0] = socket(AF_INET, SOCK_STREAM, 0);
	if (bind(l, (void *)&a, len) || listen(l, 8) ||
	    getsockname(l, (void *)&a, &len) || (prepare && prepare(l)) ||
	    connect(fds[0], (void *)&a, len))
		exit(99);
	fds[1] = accept(l, NULL, NULL);
	if (listener)
		*listener = l;
	else
		close(l);
}

static int prepare_server(int l)
{
	return attach(l) || set(l, SOCKTLS_IDENTITY, "server-ecdsa", 12) ||
	       start(l, SOCKTLS_SERVER);
}

static int prepare_unarmed(int l)
{
	return attach(l);
}

static int prepare_client(int fd, const char *name)
{
	return attach(fd) || set(fd, SOCKTLS_SERVER_NAME, name, strlen(name)) ||
	       set(fd, SOCKTLS_TRUST, pem, pem_len);
}

static void tls_pair(int fds[2])
{
	tcp_pair(fds, prepare_server, NULL);
	if (prepare_client(fds[0], "localhost") ||
	    start(fds[0], SOCKTLS_CLIENT))
		exit(98);
}

static void fill(char *buf, size_t len, unsigned int seed)
{
	size_t i;

	for (i = 0; i < len; i++)
		buf[i] = (i * 7 + i / 251 + seed) & 0xff;
}

static bool read_all(int fd, char *buf, size_t len)
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

static void handshake_establishes_both_ends(void)
{
	struct socktls_info info;
	socklen_t len = sizeof(info);
	int fds[2];
	char c;

	tls_pair(fds);
	EXPECT(state(fds[0]) == SOCKTLS_STATE_ESTABLISHED);
	EXPECT(!getsockopt(fds[0], SOL_TLS, SOCKTLS_INFO, &info, &len));
	EXPECT(info.version == 0x0304 && info.suite && info.group);
	EXPECT(info.flags & SOCKTLS_INFO_PEER_VERIFIED);
	EXPECT(write(fds[1], "x", 1) == 1 && read(fds[0], &c, 1) == 1);
	EXPECT(c == 'x' && state(fds[1]) == SOCKTLS_STATE_ESTABLISHED);
	FAILS(start(fds[0], SOCKTLS_CLIENT), EISCONN);
	FAILS(setsockopt(fds[0], SOL_TCP, TCP_ULP, "socktls", 7), EEXIST);
}

static void handshake_nonblocking_is_polled_for(void)
{
	struct pollfd p;
	int fds[2], l;

	tcp_pair(fds, prepare_unarmed, &l);
	EXPECT(!prepare_client(fds[0], "localhost"));
	EXPECT(!fcntl(fds[0], F_SETFL, O_NONBLOCK));
	FAILS(start(fds[0], SOCKTLS_CLIENT), EINPROGRESS);
	FAILS(start(fds[0], SOCKTLS_CLIENT), EALREADY);
	FAILS(write(fds[0], "x", 1), EAGAIN);
	FAILS(read(fds[0], &l, 1), EAGAIN);
	p = (struct pollfd){ .fd = fds[0], .events = POLLIN | POLLOUT };
	EXPECT(poll(&p, 1, 100) == 0);
	EXPECT(!set(fds[1], SOCKTLS_IDENTITY, "server-ecdsa", 12));
	EXPECT(!start(fds[1], SOCKTLS_SERVER));
	EXPECT(poll(&p, 1, 5000) == 1 && p.revents == POLLOUT);
	EXPECT(state(fds[0]) == SOCKTLS_STATE_ESTABLISHED);
}

static void handshake_with_silent_peer_times_out(void)
{
	struct socktls_error error;
	socklen_t len = sizeof(error);
	int fds[2];

	tcp_pair(fds, NULL, NULL);
	EXPECT(!prepare_client(fds[0], "localhost"));
	FAILS(start(fds[0], SOCKTLS_CLIENT), ETIMEDOUT);
	EXPECT(!getsockopt(fds[0], SOL_TLS, SOCKTLS_ERROR, &error, &len));
	EXPECT(error.error == ETIMEDOUT && error.text[0]);
	EXPECT(state(fds[0]) == SOCKTLS_STATE_FAILED);
	FAILS(write(fds[0], "x", 1), ETIMEDOUT);
}

static void on_alarm(int sig)
{
	(void)sig;
}

static void handshake_is_interrupted_by_signals(void)
{
	struct sigaction act = { .sa_handler = on_alarm };
	int fds[2];

	tcp_pair(fds, NULL, NULL);
	EXPECT(!prepare_client(fds[0], "localhost"));
	sigaction(SIGALRM, &act, NULL);
	alarm(1);
	FAILS(start(fds[0], SOCKTLS_CLIENT), EINTR);
	EXPECT(state(fds[0]) == SOCKTLS_STATE_HANDSHAKING);
}

static void handshake_refuses_wrong_name_and_says_so(void)
{
	struct socktls_error error;
	socklen_t len = sizeof(error);
	int fds[2];

	tcp_pair(fds, prepare_server, NULL);
	EXPECT(!prepare_client(fds[0], "other.example"));
	FAILS(start(fds[0], SOCKTLS_CLIENT), EKEYREJECTED);
	EXPECT(!getsockopt(fds[0], SOL_TLS, SOCKTLS_ERROR, &error, &len));
	EXPECT(error.error == EKEYREJECTED);
	EXPECT(error.alert_from == SOCKTLS_ALERT_SENT);
	FAILS(read(fds[1], &len, 1), EREMOTEIO);
}

static void shutdown_in_the_middle_of_a_handshake_ends_it(void)
{
	int fds[2];

	tcp_pair(fds, NULL, NULL);
	EXPECT(!prepare_client(fds[0], "localhost"));
	EXPECT(!fcntl(fds[0], F_SETFL, O_NONBLOCK));
	FAILS(start(fds[0], SOCKTLS_CLIENT), EINPROGRESS);
	EXPECT(!shutdown(fds[0], SHUT_RDWR));
	EXPECT(state(fds[0]) == SOCKTLS_STATE_FAILED);
}

static void listener_unarmed_gives_plain_children(void)
{
	int fds[2];
	char c;

	tcp_pair(fds, prepare_unarmed, NULL);
	EXPECT(state(fds[1]) == SOCKTLS_STATE_PLAIN);
	EXPECT(write(fds[0], "p", 1) == 1 && read(fds[1], &c, 1) == 1);
	EXPECT(c == 'p');
}

static void listener_closes_with_children_in_its_queue(void)
{
	struct sockaddr_in a = { .sin_family = AF_INET };
	socklen_t len = sizeof(a);
	int l, c, fds[2];

	tcp_pair(fds, prepare_server, &l);
	EXPECT(!getsockname(l, (void *)&a, &len));
	c = socket(AF_INET, SOCK_STREAM, 0);
	EXPECT(!connect(c, (void *)&a, len));
	EXPECT(!close(l) && !close(c));
}

static void data_of_any_size_arrives(void)
{
	static const size_t sizes[] = {
		1, 2, 15, 16, 17, 4096, 16383, 16384, 16385, 100000, 1 << 20,
	};
	static char out[1 << 20], in[1 << 20];
	unsigned int i;
	int fds[2];

	tls_pair(fds);
	for (i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		fill(out, sizes[i], i);
		memset(in, 0, sizes[i]);
		if (!fork())
			_exit(write(fds[0], out, sizes[i]) !=
			      (ssize_t)sizes[i]);
		EXPECT(read_all(fds[1], in, sizes[i]));
		EXPECT(!memcmp(in, out, sizes[i]));
		wait(NULL);
	}
}

static void data_is_peeked_and_counted(void)
{
	char buf[64];
	int fds[2], n;

	tls_pair(fds);
	EXPECT(write(fds[0], "hello", 5) == 5 && write(fds[0], "world", 5) == 5);
	EXPECT(recv(fds[1], buf, 3, MSG_PEEK) == 3 && !memcmp(buf, "hel", 3));
	EXPECT(!ioctl(fds[1], FIONREAD, &n) && n >= 5);
	EXPECT(recv(fds[1], buf, 10, MSG_WAITALL) == 10);
	EXPECT(!memcmp(buf, "helloworld", 10));
	EXPECT(!ioctl(fds[1], FIONREAD, &n) && n == 0);
	FAILS(recv(fds[1], buf, 1, MSG_DONTWAIT), EAGAIN);
}

static void data_fills_a_nonblocking_socket_and_drains(void)
{
	static char buf[65536];
	size_t out = 0, in = 0;
	struct pollfd p;
	int fds[2];
	ssize_t n;

	tls_pair(fds);
	EXPECT(!fcntl(fds[0], F_SETFL, O_NONBLOCK));
	while ((n = write(fds[0], buf, sizeof(buf))) > 0)
		out += n;
	EXPECT(errno == EAGAIN && out > sizeof(buf));
	p = (struct pollfd){ .fd = fds[0], .events = POLLOUT };
	while (in < out) {
		n = read(fds[1], buf, sizeof(buf));
		EXPECT(n > 0);
		in += n;
	}
	EXPECT(poll(&p, 1, 5000) == 1 && p.revents & POLLOUT);
}

static void data_passes_a_small_receive_buffer(void)
{
	static char out[300000], in[300000];
	int fds[2], small = 1;

	tls_pair(fds);
	EXPECT(!setsockopt(fds[1], SOL_SOCKET, SO_RCVBUF, &small, 4));
	fill(out, sizeof(out), 3);
	if (!fork())
		_exit(write(fds[0], out, sizeof(out)) < 0);
	EXPECT(read_all(fds[1], in, sizeof(in)));
	EXPECT(!memcmp(in, out, sizeof(in)));
}

static void sendfile_and_splice_carry_data(void)
{
	static char out[50000], in[50000];
	FILE *file = tmpfile();
	int fds[2], pipes[2];
	off_t at = 0;
	ssize_t n;

	tls_pair(fds);
	fill(out, sizeof(out), 9);
	EXPECT(file && fwrite(out, 1, sizeof(out), file) == sizeof(out));
	EXPECT(!fflush(file));
	EXPECT(sendfile(fds[0], fileno(file), &at, sizeof(out)) ==
	       (ssize_t)sizeof(out));
	EXPECT(read_all(fds[1], in, sizeof(in)));
	EXPECT(!memcmp(in, out, sizeof(in)));
	EXPECT(!pipe(pipes) && write(fds[0], "spliced", 7) == 7);
	n = splice(fds[1], NULL, pipes[1], NULL, 100, 0);
	EXPECT(n == 7 && read(pipes[0], in, 7) == 7);
	EXPECT(!memcmp(in, "spliced", 7));
}

static void epoll_edge_triggered_loses_nothing(void)
{
	struct epoll_event ev = { .events = EPOLLIN | EPOLLET };
	int fds[2], ep = epoll_create1(0), i;
	char c;

	tls_pair(fds);
	EXPECT(!fcntl(fds[1], F_SETFL, O_NONBLOCK));
	EXPECT(!epoll_ctl(ep, EPOLL_CTL_ADD, fds[1], &ev));
	for (i = 0; i < 500; i++) {
		EXPECT(write(fds[0], &i, 1) == 1);
		do {
			EXPECT(epoll_wait(ep, &ev, 1, 5000) == 1);
		} while (read(fds[1], &c, 1) != 1);
		EXPECT(c == (char)i);
	}
}

static void close_notify_ends_reading_and_writing_goes_on(void)
{
	int fds[2];
	char c;

	tls_pair(fds);
	EXPECT(write(fds[0], "1", 1) == 1 && !shutdown(fds[0], SHUT_WR));
	EXPECT(read(fds[1], &c, 1) == 1 && read(fds[1], &c, 1) == 0);
	EXPECT(write(fds[1], "2", 1) == 1 && read(fds[0], &c, 1) == 1);
	signal(SIGPIPE, SIG_IGN);
	FAILS(write(fds[0], "3", 1), EPIPE);
}

static void options_refuse_bad_values(void)
{
	int fds[2], bad = 77;

	tcp_pair(fds, NULL, NULL);
	EXPECT(!attach(fds[0]));
	FAILS(set(fds[0], SOCKTLS_PEER_AUTH, &bad, 4), EINVAL);
	FAILS(set(fds[0], SOCKTLS_PEER_AUTH, &bad, 1), EINVAL);
	FAILS(set(fds[0], SOCKTLS_SERVER_NAME, "", 0), EINVAL);
	FAILS(set(fds[0], SOCKTLS_SERVER_NAME, "a b", 3), EINVAL);
	FAILS(set(fds[0], SOCKTLS_SERVER_NAME, (void *)8, 3), EFAULT);
	FAILS(set(fds[0], SOCKTLS_ALPN, "x", 1), EOPNOTSUPP);
	FAILS(set(fds[0], 0x7777, "x", 1), ENOPROTOOPT);
	FAILS(start(fds[0], 7), EINVAL);
}

static void entry_points_do_not_reach_tcp(void)
{
	struct sockaddr any = { .sa_family = AF_UNSPEC };
	int fds[2], one = 1;
	char c;

	tls_pair(fds);
	FAILS(send(fds[0], "x", 1, MSG_OOB), EOPNOTSUPP);
	FAILS(recv(fds[0], &c, 1, MSG_OOB), EOPNOTSUPP);
	FAILS(setsockopt(fds[0], SOL_TCP, TCP_REPAIR, &one, 4), EOPNOTSUPP);
	FAILS(connect(fds[0], &any, sizeof(any)), EOPNOTSUPP);
	FAILS(set(fds[0], TLS_TX, &(struct tls12_crypto_info_aes_gcm_128){
		.info = { TLS_1_3_VERSION, TLS_CIPHER_AES_GCM_128 } },
		sizeof(struct tls12_crypto_info_aes_gcm_128)), EBUSY);
}

static void thousand_connections_open_and_close(void)
{
	int i;

	for (i = 0; i < 1000; i++) {
		int fds[2];
		char c;

		tls_pair(fds);
		EXPECT(write(fds[0], "x", 1) == 1 && read(fds[1], &c, 1) == 1);
		EXPECT(!close(fds[0]) && !close(fds[1]));
	}
}

static void key_pair(int fds[2], int version)
{
	struct tls12_crypto_info_aes_gcm_128 key = {
		.info = { version, TLS_CIPHER_AES_GCM_128 },
		.key = "0123456789abcde", .salt = "sal", .iv = "ivivivi",
	};

	tcp_pair(fds, NULL, NULL);
	if (attach(fds[0]) || attach(fds[1]) ||
	    set(fds[0], TLS_TX, &key, sizeof(key)) ||
	    set(fds[1], TLS_RX, &key, sizeof(key)))
		exit(97);
}

static void keyplane_carries_data_and_record_types(void)
{
	int versions[] = { TLS_1_2_VERSION, TLS_1_3_VERSION }, i;

	for (i = 0; i < 2; i++) {
		char control[CMSG_SPACE(1)] = "", buf[64];
		struct iovec iov = { "ctrl", 4 };
		struct msghdr msg = {
			.msg_iov = &iov, .msg_iovlen = 1,
			.msg_control = control,
			.msg_controllen = sizeof(control),
		};
		struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
		int fds[2];

		key_pair(fds, versions[i]);
		EXPECT(write(fds[0], "data", 4) == 4);
		EXPECT(read(fds[1], buf, 64) == 4 && !memcmp(buf, "data", 4));
		c->cmsg_level = SOL_TLS;
		c->cmsg_type = TLS_SET_RECORD_TYPE;
		c->cmsg_len = CMSG_LEN(1);
		*CMSG_DATA(c) = 100;
		EXPECT(sendmsg(fds[0], &msg, 0) == 4);
		FAILS(read(fds[1], buf, 64), EIO);
		iov.iov_base = buf;
		msg.msg_controllen = sizeof(control);
		EXPECT(recvmsg(fds[1], &msg, 0) == 4);
		c = CMSG_FIRSTHDR(&msg);
		EXPECT(c && c->cmsg_type == TLS_GET_RECORD_TYPE);
		EXPECT(*CMSG_DATA(c) == 100);
		EXPECT(!close(fds[0]) && read(fds[1], buf, 64) == 0);
	}
}

static const struct {
	const char *name;
	void (*run)(void);
} tests[] = {
#define T(name)	{ #name, name }
	T(handshake_establishes_both_ends),
	T(handshake_nonblocking_is_polled_for),
	T(handshake_with_silent_peer_times_out),
	T(handshake_is_interrupted_by_signals),
	T(handshake_refuses_wrong_name_and_says_so),
	T(shutdown_in_the_middle_of_a_handshake_ends_it),
	T(listener_unarmed_gives_plain_children),
	T(listener_closes_with_children_in_its_queue),
	T(data_of_any_size_arrives),
	T(data_is_peeked_and_counted),
	T(data_fills_a_nonblocking_socket_and_drains),
	T(data_passes_a_small_receive_buffer),
	T(sendfile_and_splice_carry_data),
	T(epoll_edge_triggered_loses_nothing),
	T(close_notify_ends_reading_and_writing_goes_on),
	T(options_refuse_bad_values),
	T(entry_points_do_not_reach_tcp),
	T(keyplane_carries_data_and_record_types),
	T(thousand_connections_open_and_close),
};

static bool run_test(unsigned int i)
{
	pid_t pid = fork();
	int status;

	if (!pid) {
		alarm(240);
		tests[i].run();
		_exit(failed_line != 0);
	}
	waitpid(pid, &status, 0);
	printf("%sok %u %s%s\n", status ? "not " : "", i + 1, tests[i].name,
	       status ? WIFSIGNALED(status) ? " # killed" : " # failed" : "");
	fflush(stdout);
	return !status;
}

int main(void)
{
	unsigned int n = sizeof(tests) / sizeof(*tests), i, good = 0;
	FILE *ca = fopen(getenv("SOCKTLS_CA") ? : "", "r");

	if (!ca)
		return fprintf(stderr, "SOCKTLS_CA?\n"), 64;
	pem_len = fread(pem, 1, sizeof(pem), ca);
	printf("TAP version 13\n1..%u\n", n);
	for (i = 0; i < n; i++)
		good += run_test(i);
	printf("%u passed, %u failed\n", good, n - good);
	return good != n;
}
