// SPDX-License-Identifier: MIT
/* Application data: every call, every size, flags and options. */
#include "util.h"

#define MIB	(1 << 20)

/* ---- all calls, all sizes ---- */

static ssize_t do_sendmsg(int fd, const void *buf, size_t len)
{
	struct iovec iov = { (void *)buf, len };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };

	return sendmsg(fd, &msg, 0);
}

static ssize_t do_recvmsg(int fd, void *buf, size_t len)
{
	struct iovec iov = { buf, len };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	ssize_t n = recvmsg(fd, &msg, 0);

	if (n > 0)
		EXPECT_EQ(msg.msg_flags & ~MSG_EOR, 0);
	return n;
}

/* In uneven pieces. */
static int split(struct iovec iov[4], void *buf, size_t len)
{
	size_t cuts[4] = { 1, len / 3, len / 2, len };
	size_t at = 0;
	int i;

	for (i = 0; i < 4; i++) {
		size_t to = cuts[i] < at ? at : cuts[i] > len ? len : cuts[i];

		iov[i].iov_base = buf + at;
		iov[i].iov_len = to - at;
		at = to;
	}
	return 4;
}

static ssize_t do_writev(int fd, const void *buf, size_t len)
{
	struct iovec iov[4];

	return writev(fd, iov, split(iov, (void *)buf, len));
}

static ssize_t do_readv(int fd, void *buf, size_t len)
{
	struct iovec iov[4];

	return readv(fd, iov, split(iov, buf, len));
}

static ssize_t do_send(int fd, const void *buf, size_t len)
{
	return send(fd, buf, len, MSG_NOSIGNAL);
}

static ssize_t do_recv(int fd, void *buf, size_t len)
{
	return recv(fd, buf, len, 0);
}

FIXTURE(call) {
	struct pair	pair;
};

FIXTURE_VARIANT(call) {
	ssize_t		(*out)(int fd, const void *buf, size_t len);
	ssize_t		(*in)(int fd, void *buf, size_t len);
};

FIXTURE_VARIANT_ADD(call, write_read) { write, read };
FIXTURE_VARIANT_ADD(call, send_recv) { do_send, do_recv };
FIXTURE_VARIANT_ADD(call, sendmsg_recvmsg) { do_sendmsg, do_recvmsg };
FIXTURE_VARIANT_ADD(call, writev_readv) { do_writev, do_readv };

FIXTURE_SETUP(call)
{
	tls_pair(AF_INET, &self->pair);
}

struct sender {
	pthread_t	thread;
	int		fd;
	ssize_t		(*out)(int fd, const void *buf, size_t len);
	char		*buf;
	size_t		len;
	ssize_t		result;
};

static void *sender_run(void *arg)
{
	struct sender *s = arg;

	s->result = s->out(s->fd, s->buf, s->len);
	return NULL;
}

TEST_F(call, carries_every_size)
{
	static const size_t sizes[] = {
		1, 2, 3, 15, 16, 17, 255, 4095, 4096, 4097, 16383, 16384,
		16385, 32768, 100000, MIB,
	};
	static char in[MIB], buf[MIB];
	struct sender s = {
		.fd = self->pair.client, .out = variant->out, .buf = buf,
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		size_t done = 0;
		ssize_t n;

		s.len = sizes[i];
		pattern_fill(buf, s.len, i);
		ASSERT_EQ(pthread_create(&s.thread, NULL, sender_run, &s), 0);
		while (done < s.len) {
			n = variant->in(self->pair.server, in + done,
					s.len - done);
			ASSERT_GE(n, 1);
			done += n;
		}
		pthread_join(s.thread, NULL);
		EXPECT_EQ(s.result, s.len);
		ASSERT_TRUE(pattern_ok(in, s.len, i));
	}
	EXPECT_ERRNO(recv(self->pair.server, in, 1, MSG_DONTWAIT), EAGAIN);
}

TEST_F(call, of_nothing_does_nothing)
{
	char c = 0;

	EXPECT_EQ(variant->out(self->pair.client, &c, 0), 0);
	EXPECT_EQ(variant->in(self->pair.server, &c, 0), 0);
	EXPECT_ERRNO(recv(self->pair.server, &c, 1, MSG_DONTWAIT), EAGAIN);
	expect_ping(self->pair.client, self->pair.server);
}

/* ---- reading ---- */

FIXTURE(tls) {
	struct pair	pair;
	int		out, in;
	char		buf[65536];
};

FIXTURE_SETUP(tls)
{
	tls_pair(AF_INET, &self->pair);
	self->out = self->pair.client;
	self->in = self->pair.server;
}

TEST_F(tls, partial_reads_lose_nothing)
{
	size_t done = 0, step = 1;

	pattern_fill(self->buf, 50000, 0);
	ASSERT_TRUE(write_all(self->out, self->buf, 50000));
	while (done < 50000) {
		char part[977];
		ssize_t n;

		step = step * 7 % sizeof(part) + 1;
		n = read(self->in, part, step);
		ASSERT_GE(n, 1);
		ASSERT_TRUE(pattern_ok(part, n, done));
		done += n;
	}
	EXPECT_EQ(done, 50000);
}

TEST_F(tls, a_read_takes_several_records)
{
	int n = 0;

	ASSERT_EQ(write(self->out, "one", 3), 3);
	ASSERT_EQ(write(self->out, "two", 3), 3);
	ASSERT_EQ(write(self->out, "three", 5), 5);
	while (n < 11) {
		EXPECT_EQ(recv(self->in, self->buf, 100, MSG_PEEK) > 0, 1);
		n = recv(self->in, self->buf, 100, MSG_PEEK);
	}
	EXPECT_EQ(read(self->in, self->buf, 100), 11);
	EXPECT_EQ(memcmp(self->buf, "onetwothree", 11), 0);
}

TEST_F(tls, peek_shows_the_same_twice_and_across_records)
{
	char again[64];

	ASSERT_EQ(write(self->out, "hello", 5), 5);
	ASSERT_EQ(write(self->out, "world", 5), 5);
	wait_for_events(self->in, POLLIN);
	sleep_ms(50);
	EXPECT_EQ(recv(self->in, self->buf, 3, MSG_PEEK), 3);
	EXPECT_EQ(memcmp(self->buf, "hel", 3), 0);
	EXPECT_EQ(recv(self->in, self->buf, 64, MSG_PEEK), 10);
	EXPECT_EQ(recv(self->in, again, 64, MSG_PEEK), 10);
	EXPECT_EQ(memcmp(self->buf, "helloworld", 10), 0);
	EXPECT_EQ(memcmp(again, "helloworld", 10), 0);
	EXPECT_EQ(read(self->in, again, 4), 4);
	EXPECT_EQ(recv(self->in, again, 64, MSG_PEEK), 6);
	EXPECT_EQ(memcmp(again, "oworld", 6), 0);
	EXPECT_EQ(recv(self->in, again, 64, MSG_PEEK | MSG_DONTWAIT), 6);
	EXPECT_EQ(read(self->in, again, 64), 6);
	EXPECT_ERRNO(recv(self->in, again, 1, MSG_PEEK | MSG_DONTWAIT), EAGAIN);
}

TEST_F(tls, peek_waits_for_all_if_asked_to)
{
	if (!fork()) {
		sleep_ms(100);
		_exit(write(self->out, "world", 5) != 5);
	}
	ASSERT_EQ(write(self->out, "hello", 5), 5);
	EXPECT_EQ(recv(self->in, self->buf, 10, MSG_PEEK | MSG_WAITALL), 10);
	EXPECT_EQ(read(self->in, self->buf, 10), 10);
	EXPECT_EQ(memcmp(self->buf, "helloworld", 10), 0);
}

TEST_F(tls, peek_at_a_whole_buffer_delivers_once)
{
	char part[3000];
	size_t done = 0;

	pattern_fill(self->buf, 40000, 0);
	ASSERT_TRUE(write_all(self->out, self->buf, 40000));
	while (done < 40000) {
		ssize_t n = recv(self->in, part, sizeof(part), MSG_PEEK);

		ASSERT_GE(n, 1);
		ASSERT_TRUE(pattern_ok(part, n, done));
		n = read(self->in, part, n / 2 + 1);
		ASSERT_GE(n, 1);
		ASSERT_TRUE(pattern_ok(part, n, done));
		done += n;
	}
}

/* A page for each byte: opening ahead must have an end. */
TEST_F(tls, tiny_records_do_not_fill_memory_when_peeked_at)
{
	long before = socktls_objects(), limit;
	ssize_t n;
	int i;

	set_int(self->out, IPPROTO_TCP, TCP_NODELAY, 1);
	for (i = 0; i < 1500; i++) {
		char c = i;

		ASSERT_EQ(write(self->out, &c, 1), 1);
	}
	limit = before + get_int(self->in, SOL_SOCKET, SO_RCVBUF) / 4096 + 8;
	n = recv(self->in, self->buf, sizeof(self->buf), MSG_PEEK);
	EXPECT_GE(n, 1);
	EXPECT_LE(socktls_objects(), limit);
	n = recv(self->in, self->buf, sizeof(self->buf),
		 MSG_PEEK | MSG_WAITALL);
	EXPECT_GE(n, 1);
	set_int(self->in, SOL_SOCKET, SO_RCVLOWAT, 1200);
	EXPECT_EQ(poll_for(self->in, POLLIN, 5000), POLLIN);
	EXPECT_LE(socktls_objects(), limit);
	set_int(self->in, SOL_SOCKET, SO_RCVLOWAT, 1);
	EXPECT_EQ(recv(self->in, self->buf, 1500, MSG_WAITALL), 1500);
	for (i = 0; i < 1500; i++)
		ASSERT_EQ(self->buf[i], (char)i);
}

static int readable_bytes(int fd)
{
	int n = -1;

	EXPECT_EQ(ioctl(fd, FIONREAD, &n), 0);
	return n;
}

TEST_F(tls, fionread_counts_plaintext)
{
	EXPECT_EQ(readable_bytes(self->in), 0);
	ASSERT_EQ(write(self->out, self->buf, 1000), 1000);
	wait_for_events(self->in, POLLIN);
	EXPECT_EQ(readable_bytes(self->in), 1000);
	EXPECT_EQ(read(self->in, self->buf, 300), 300);
	EXPECT_EQ(readable_bytes(self->in), 700);
	EXPECT_EQ(read(self->in, self->buf, 1000), 700);
	EXPECT_EQ(readable_bytes(self->in), 0);
}

TEST_F(tls, waitall_waits_across_records)
{
	struct flow flow = {
		.fd = self->out, .len = 50000, .chunk = 777, .writing = true,
	};

	flow_start(&flow);
	EXPECT_EQ(recv(self->in, self->buf, 50000, MSG_WAITALL), 50000);
	EXPECT_TRUE(pattern_ok(self->buf, 50000, 0));
	EXPECT_TRUE(flow_join(&flow));
}

TEST_F(tls, waitall_is_ended_by_the_end)
{
	ASSERT_EQ(write(self->out, "short", 5), 5);
	ASSERT_EQ(shutdown(self->out, SHUT_WR), 0);
	EXPECT_EQ(recv(self->in, self->buf, 100, MSG_WAITALL), 5);
	EXPECT_EQ(recv(self->in, self->buf, 100, MSG_WAITALL), 0);
}

TEST_F(tls, nothing_there_is_eagain)
{
	EXPECT_ERRNO(recv(self->in, self->buf, 1, MSG_DONTWAIT), EAGAIN);
	set_nonblocking(self->in, true);
	EXPECT_ERRNO(read(self->in, self->buf, 1), EAGAIN);
	EXPECT_ERRNO(recv(self->in, self->buf, 1, MSG_PEEK), EAGAIN);
	EXPECT_ERRNO(recv(self->in, self->buf, 1, MSG_WAITALL), EAGAIN);
}

TEST_F(tls, receive_timeout_is_kept)
{
	struct timeval time = { .tv_usec = 200000 };
	long long start = now_ms();

	ASSERT_EQ(setsockopt(self->in, SOL_SOCKET, SO_RCVTIMEO, &time,
			     sizeof(time)), 0);
	EXPECT_ERRNO(read(self->in, self->buf, 1), EAGAIN);
	EXPECT_GE(now_ms() - start, 190);
	ASSERT_EQ(write(self->out, "part", 4), 4);
	EXPECT_EQ(recv(self->in, self->buf, 10, MSG_WAITALL), 4);
}

TEST_F(tls, low_water_mark_counts_plaintext)
{
	if (!fork()) {
		sleep_ms(100);
		_exit(write(self->out, "world", 5) != 5);
	}
	set_int(self->in, SOL_SOCKET, SO_RCVLOWAT, 10);
	ASSERT_EQ(write(self->out, "hello", 5), 5);
	EXPECT_EQ(read(self->in, self->buf, 100), 10);
	/* less when less is asked for */
	ASSERT_EQ(write(self->out, "abc", 3), 3);
	EXPECT_EQ(read(self->in, self->buf, 2), 2);
}

TEST(tls_low_water_mark_set_before_the_handshake_is_kept)
{
	struct pair pair;
	char buf[16];

	tcp_pair(AF_INET, &pair.client, &pair.server);
	set_int(pair.server, SOL_SOCKET, SO_RCVLOWAT, 6);
	tls_prepare_client(pair.client);
	tls_prepare_server(pair.server, "server-ecdsa");
	tls_handshake(&pair);
	if (!fork()) {
		sleep_ms(100);
		_exit(write(pair.client, "def", 3) != 3);
	}
	ASSERT_EQ(write(pair.client, "abc", 3), 3);
	EXPECT_EQ(read(pair.server, buf, sizeof(buf)), 6);
}

static void on_signal(int sig)
{
	(void)sig;
}

TEST_F(tls, signal_interrupts_a_read)
{
	struct sigaction act = { .sa_handler = on_signal };
	struct itimerval timer = { .it_value = { .tv_usec = 100000 } };

	ASSERT_EQ(sigaction(SIGALRM, &act, NULL), 0);
	ASSERT_EQ(setitimer(ITIMER_REAL, &timer, NULL), 0);
	EXPECT_ERRNO(read(self->in, self->buf, 1), EINTR);
	/* what has been read counts */
	ASSERT_EQ(write(self->out, "part", 4), 4);
	ASSERT_EQ(setitimer(ITIMER_REAL, &timer, NULL), 0);
	EXPECT_EQ(recv(self->in, self->buf, 10, MSG_WAITALL), 4);
}

TEST_F(tls, bad_memory_is_efault_and_loses_nothing)
{
	char *good = self->buf;

	EXPECT_ERRNO(write(self->out, BAD_MEMORY, 10), EFAULT);
	ASSERT_EQ(write(self->out, "hello", 5), 5);
	EXPECT_ERRNO(read(self->in, BAD_MEMORY, 5), EFAULT);
	EXPECT_EQ(read(self->in, good, 100), 5);
	EXPECT_EQ(memcmp(good, "hello", 5), 0);
	EXPECT_EQ(tls_state(self->out), SOCKTLS_STATE_ESTABLISHED);
}

struct shared_reader {
	pthread_t	thread;
	int		fd;
	size_t		sum;
	unsigned long	total;
};

static void *shared_read(void *arg)
{
	struct shared_reader *reader = arg;
	unsigned char buf[1000];
	ssize_t n, i;

	while ((n = read(reader->fd, buf, sizeof(buf))) > 0) {
		for (i = 0; i < n; i++)
			reader->total += buf[i];
		reader->sum += n;
	}
	return NULL;
}

TEST_F(tls, many_messages_in_one_call)
{
	struct mmsghdr msgs[3] = { 0 };
	struct iovec iov[3] = {
		{ "one", 3 }, { "two", 3 }, { "three", 5 },
	};
	int i;

	for (i = 0; i < 3; i++) {
		msgs[i].msg_hdr.msg_iov = &iov[i];
		msgs[i].msg_hdr.msg_iovlen = 1;
	}
	EXPECT_EQ(sendmmsg(self->out, msgs, 3, MSG_NOSIGNAL), 3);
	EXPECT_EQ(recv(self->in, self->buf, 11, MSG_WAITALL), 11);
	EXPECT_EQ(memcmp(self->buf, "onetwothree", 11), 0);
	EXPECT_EQ(send(self->out, "all", 3, MSG_WAITALL), 3);
	for (i = 0; i < 3; i++)
		iov[i].iov_base = self->buf + 100 * i;
	msgs[0].msg_hdr.msg_iovlen = 0;
	EXPECT_EQ(recvmmsg(self->in, msgs + 1, 1, 0, NULL), 1);
	EXPECT_EQ(msgs[1].msg_len, 3);
}

TEST_F(tls, two_readers_share_without_loss)
{
	struct shared_reader readers[2];
	unsigned long total = 0;
	int i;

	for (i = 0; i < 2; i++) {
		readers[i] = (struct shared_reader){ .fd = self->in };
		ASSERT_EQ(pthread_create(&readers[i].thread, NULL, shared_read,
					 &readers[i]), 0);
	}
	for (i = 0; i < 1000; i++) {
		ssize_t len = i * 37 % 3000 + 1, k;

		pattern_fill(self->buf, len, i);
		for (k = 0; k < len; k++)
			total += (unsigned char)self->buf[k];
		ASSERT_EQ(write(self->out, self->buf, len), len);
	}
	ASSERT_EQ(shutdown(self->out, SHUT_WR), 0);
	for (i = 0; i < 2; i++)
		pthread_join(readers[i].thread, NULL);
	EXPECT_EQ(readers[0].total + readers[1].total, total);
}

static void *shared_write(void *arg)
{
	char block[5000];
	int *fd = arg, i;

	/* one record each: they may come in any order, but whole */
	memset(block, 'a' + (pthread_self() >> 12) % 26, sizeof(block));
	for (i = 0; i < 200; i++)
		if (write(*fd, block, sizeof(block)) != sizeof(block))
			return (void *)1;
	return NULL;
}

TEST_F(tls, two_writers_do_not_mix)
{
	pthread_t threads[2];
	char block[5000];
	void *failed;
	int i, k;

	for (i = 0; i < 2; i++)
		ASSERT_EQ(pthread_create(&threads[i], NULL, shared_write,
					 &self->out), 0);
	for (i = 0; i < 400; i++) {
		ASSERT_TRUE(read_all(self->in, block, sizeof(block)));
		for (k = 1; k < (int)sizeof(block); k++)
			ASSERT_EQ(block[k], block[0]);
	}
	for (i = 0; i < 2; i++) {
		pthread_join(threads[i], &failed);
		EXPECT_EQ((long)failed, 0);
	}
}

int main(int argc, char **argv)
{
	return harness_main(argc, argv);
}
