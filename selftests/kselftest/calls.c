// SPDX-License-Identifier: MIT
/* Calls as programs make them: odd buffers, bad memory, time limits, TCP's options. */
#include "util.h"

#include <limits.h>
#include <sys/mman.h>

FIXTURE(tls) {
	struct pair	pair;
	int		out, in;
	char		buf[262144];
};

FIXTURE_SETUP(tls)
{
	tls_pair(AF_INET, &self->pair);
	self->out = self->pair.client;
	self->in = self->pair.server;
}

/* ---- iovecs ---- */

/* Cuts @len bytes at @buf into pieces of @sizes in turn; returns their number. */
static int cut(struct iovec *iov, int max, char *buf, size_t len,
	       const size_t *sizes, int n_sizes)
{
	size_t at = 0;
	int i;

	for (i = 0; i < max && at < len; i++) {
		size_t n = sizes[i % n_sizes];

		if (n > len - at)
			n = len - at;
		iov[i].iov_base = n ? buf + at : NULL;
		iov[i].iov_len = n;
		at += n;
	}
	return i;
}

TEST_F(tls, iovecs_of_any_shape_carry_the_same_bytes)
{
	static const size_t shapes[][4] = {
		{ 1, 1, 1, 1 }, { 0, 1, 0, 4095 }, { 4097, 0, 0, 3 },
		{ 16384, 1, 16383, 0 }, { 16385, 7, 0, 0 }, { 40000, 0, 1, 2 },
	};
	static char in[262144];
	struct iovec iov[IOV_MAX];
	size_t i, k;

	for (i = 0; i < ARRAY_SIZE(shapes); i++) {
		for (k = 0; k < ARRAY_SIZE(shapes); k++) {
			size_t len = 0, got = 0;
			int n, j;

			n = cut(iov, IOV_MAX, self->buf, 60000, shapes[i], 4);
			for (j = 0; j < n; j++)
				len += iov[j].iov_len;
			pattern_fill(self->buf, len, i);
			ASSERT_EQ(writev(self->out, iov, n), len);
			while (got < len) {
				ssize_t r;

				n = cut(iov, IOV_MAX, in + got, len - got,
					shapes[k], 4);
				r = readv(self->in, iov, n);
				ASSERT_GE(r, 1);
				got += r;
			}
			ASSERT_TRUE(pattern_ok(in, len, i));
		}
	}
}

/* ---- memory that ends in the middle ---- */

/* @len good bytes at the end of a page, then none. */
static char *edge(size_t len)
{
	size_t size = (len + 4095) / 4096 * 4096;
	char *map = mmap(NULL, size + 4096, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	ASSERT_NE(map, MAP_FAILED);
	ASSERT_EQ(munmap(map + size, 4096), 0);
	return map + size - len;
}

TEST_F(tls, send_from_memory_that_ends_sends_what_there_is)
{
	static const size_t good[] = { 1, 100, 5000, 16384, 16385, 50000 };
	size_t i, k;

	for (i = 0; i < ARRAY_SIZE(good); i++) {
		char *from = edge(good[i]);
		size_t sent = 0;
		ssize_t n = 1;

		pattern_fill(from, good[i], 0);
		/* it goes on where it stopped, until nothing is left */
		for (k = 0; k < 100 && n > 0; k++) {
			n = write(self->out, from + sent,
				  good[i] - sent + 4096);
			if (n > 0)
				sent += n;
		}
		EXPECT_EQ(n, -1);
		EXPECT_EQ(errno, EFAULT);
		EXPECT_EQ(sent, good[i]);
		ASSERT_TRUE(read_all(self->in, self->buf, good[i]));
		ASSERT_TRUE(pattern_ok(self->buf, good[i], 0));
	}
	EXPECT_ERRNO(recv(self->in, self->buf, 1, MSG_DONTWAIT), EAGAIN);
	expect_ping(self->out, self->in);
}

TEST_F(tls, read_into_memory_that_ends_loses_nothing)
{
	static const size_t good[] = { 1, 100, 5000, 16384, 20000 };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(good); i++) {
		char *to = edge(good[i]);
		size_t got = 0;
		ssize_t n;

		pattern_fill(self->buf, 30000, 0);
		ASSERT_TRUE(write_all(self->out, self->buf, 30000));
		while (got < good[i]) {
			n = read(self->in, to + got, good[i] - got + 4000);
			ASSERT_GE(n, 1);
			got += n;
		}
		EXPECT_EQ(got, good[i]);
		EXPECT_ERRNO(read(self->in, to + got, 4000), EFAULT);
		EXPECT_TRUE(pattern_ok(to, got, 0));
		memset(self->buf, 0, sizeof(self->buf));
		ASSERT_TRUE(read_all(self->in, self->buf, 30000 - got));
		ASSERT_TRUE(pattern_ok(self->buf, 30000 - got, got));
	}
}

TEST_F(tls, peek_into_memory_that_ends_loses_nothing)
{
	char *to = edge(100);

	pattern_fill(self->buf, 1000, 0);
	ASSERT_TRUE(write_all(self->out, self->buf, 1000));
	wait_for_events(self->in, POLLIN);
	EXPECT_EQ(recv(self->in, to, 1000, MSG_PEEK), 100);
	ASSERT_TRUE(read_all(self->in, self->buf, 1000));
	EXPECT_TRUE(pattern_ok(self->buf, 1000, 0));
}

/* ---- waiting and not waiting ---- */

TEST_F(tls, dontwait_takes_what_fits_and_no_more)
{
	size_t sent = 0, got = 0;
	ssize_t n;

	for (;;) {
		pattern_fill(self->buf, 100000, sent);
		n = send(self->out, self->buf, 100000, MSG_DONTWAIT);
		if (n < 0)
			break;
		sent += n;
	}
	EXPECT_EQ(errno, EAGAIN);
	while (got < sent) {
		n = recv(self->in, self->buf, sizeof(self->buf), 0);
		ASSERT_GE(n, 1);
		ASSERT_TRUE(pattern_ok(self->buf, n, got));
		got += n;
	}
	EXPECT_EQ(got, sent);
	EXPECT_ERRNO(recv(self->in, self->buf, 1, MSG_DONTWAIT), EAGAIN);
}

TEST_F(tls, send_timeout_is_kept)
{
	struct timeval time = { .tv_usec = 200000 };
	long long start;
	size_t sent = 0;
	ssize_t n;

	ASSERT_EQ(setsockopt(self->out, SOL_SOCKET, SO_SNDTIMEO, &time,
			     sizeof(time)), 0);
	do {
		start = now_ms();
		n = write(self->out, self->buf, sizeof(self->buf));
		if (n > 0)
			sent += n;
	} while (n > 0);
	EXPECT_EQ(n, -1);
	EXPECT_EQ(errno, EAGAIN);
	EXPECT_GE(now_ms() - start, 190);
	/* what was taken arrives */
	ASSERT_EQ(shutdown(self->out, SHUT_WR), 0);
	while ((n = read(self->in, self->buf, sizeof(self->buf))) > 0)
		sent -= n;
	EXPECT_EQ(n, 0);
	EXPECT_EQ(sent, 0);
}

static void on_signal(int sig)
{
	(void)sig;
}

TEST_F(tls, signal_interrupts_a_write_and_tells_what_went)
{
	struct sigaction act = { .sa_handler = on_signal };
	struct itimerval timer = { .it_value = { .tv_usec = 200000 } };
	ssize_t n;

	ASSERT_EQ(sigaction(SIGALRM, &act, NULL), 0);
	set_nonblocking(self->out, true);
	while ((n = write(self->out, self->buf, sizeof(self->buf))) > 0)
		;
	set_nonblocking(self->out, false);
	ASSERT_EQ(setitimer(ITIMER_REAL, &timer, NULL), 0);
	EXPECT_ERRNO(write(self->out, self->buf, 1), EINTR);
}

TEST_F(tls, waitall_ends_at_bad_memory_and_at_the_end)
{
	char *to = edge(10);

	ASSERT_EQ(write(self->out, "0123456789abcdef", 16), 16);
	EXPECT_EQ(recv(self->in, to, 16, MSG_WAITALL), 10);
	ASSERT_EQ(close(self->out), 0);
	EXPECT_EQ(recv(self->in, self->buf, 100, MSG_WAITALL), 6);
	EXPECT_EQ(memcmp(self->buf, "abcdef", 6), 0);
}

/* ---- pipes ---- */

TEST_F(tls, vmsplice_and_splice_send_pages_of_the_program)
{
	struct flow in = { .fd = self->in, .len = 1 << 18 };
	struct iovec iov = { self->buf, sizeof(self->buf) };
	int pipes[2];

	ASSERT_EQ(pipe(pipes), 0);
	pattern_fill(self->buf, sizeof(self->buf), 0);
	flow_start(&in);
	while (iov.iov_len) {
		ssize_t n = vmsplice(pipes[1], &iov, 1, 0), m;

		ASSERT_GE(n, 1);
		iov.iov_base += n;
		iov.iov_len -= n;
		while (n) {
			m = splice(pipes[0], NULL, self->out, NULL, n,
				   iov.iov_len ? SPLICE_F_MORE : 0);
			ASSERT_GE(m, 1);
			n -= m;
		}
	}
	EXPECT_TRUE(flow_join(&in));
}

TEST_F(tls, splice_with_more_is_sent_when_the_pipe_is_done)
{
	int pipes[2];

	ASSERT_EQ(pipe(pipes), 0);
	ASSERT_EQ(write(pipes[1], "hello", 5), 5);
	EXPECT_EQ(splice(pipes[0], NULL, self->out, NULL, 5, SPLICE_F_MORE), 5);
	EXPECT_EQ(read(self->in, self->buf, 100), 5);
}

TEST_F(tls, tee_and_splice_out_give_the_same_bytes)
{
	int p[2], q[2];
	char again[5];

	ASSERT_EQ(pipe(p), 0);
	ASSERT_EQ(pipe(q), 0);
	ASSERT_EQ(write(self->out, "hello", 5), 5);
	EXPECT_EQ(splice(self->in, NULL, p[1], NULL, 100, 0), 5);
	EXPECT_EQ(tee(p[0], q[1], 100, 0), 5);
	/* the record's pages must not serve again as long as a pipe has them */
	ASSERT_EQ(write(self->out, "WORLD", 5), 5);
	EXPECT_EQ(read(self->in, self->buf, 100), 5);
	EXPECT_EQ(read(p[0], again, 5), 5);
	EXPECT_EQ(memcmp(again, "hello", 5), 0);
	EXPECT_EQ(read(q[0], again, 5), 5);
	EXPECT_EQ(memcmp(again, "hello", 5), 0);
}

/* ---- options of TCP ---- */

TEST_F(tls, cork_holds_segments_and_loses_nothing)
{
	int i;

	set_int(self->out, IPPROTO_TCP, TCP_CORK, 1);
	for (i = 0; i < 10; i++)
		ASSERT_EQ(write(self->out, "0123456789", 10), 10);
	EXPECT_EQ(poll_for(self->in, POLLIN, 20), 0);
	set_int(self->out, IPPROTO_TCP, TCP_CORK, 0);
	EXPECT_EQ(recv(self->in, self->buf, 100, MSG_WAITALL), 100);
	for (i = 0; i < 10; i++)
		EXPECT_EQ(memcmp(self->buf + 10 * i, "0123456789", 10), 0);
}

TEST_F(tls, nodelay_sends_each_write_at_once)
{
	int i;

	set_int(self->out, IPPROTO_TCP, TCP_NODELAY, 1);
	for (i = 0; i < 50; i++) {
		ASSERT_EQ(write(self->out, "x", 1), 1);
		ASSERT_EQ(poll_for(self->in, POLLIN, 5000), POLLIN);
		ASSERT_EQ(read(self->in, self->buf, 10), 1);
	}
}

/* close() waits until the peer has it all, as long as it takes. */
TEST_F(tls, linger_waits_for_the_peer)
{
	struct linger linger = { .l_onoff = 1, .l_linger = 20 };
	struct flow in = { .fd = self->in };
	int ready[2];
	ssize_t n;

	ASSERT_EQ(pipe(ready), 0);
	set_nonblocking(self->out, true);
	while ((n = write(self->out, self->buf, 65536)) > 0)
		in.len += n;
	set_nonblocking(self->out, false);
	ASSERT_EQ(setsockopt(self->out, SOL_SOCKET, SO_LINGER, &linger,
			     sizeof(linger)), 0);
	if (!fork()) {
		size_t left = in.len;

		close(self->out);
		write(ready[1], "x", 1);
		sleep_ms(300);
		while (left && (n = read(self->in, self->buf,
					 sizeof(self->buf))) > 0)
			left -= n;
		_exit(left || read(self->in, self->buf, 1) != 0);
	}
	close(self->in);
	/* the last one to close is this process */
	ASSERT_EQ(read(ready[0], self->buf, 1), 1);
	{
		long long start = now_ms();
		int status;

		EXPECT_EQ(close(self->out), 0);
		EXPECT_GE(now_ms() - start, 150);
		EXPECT_LE(now_ms() - start, 15000);
		ASSERT_GE(wait(&status), 0);
		EXPECT_EQ(status, 0);
	}
}

int main(int argc, char **argv)
{
	return harness_main(argc, argv);
}
