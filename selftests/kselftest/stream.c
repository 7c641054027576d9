// SPDX-License-Identifier: MIT
/* The stream as a whole: records on the wire, buffers, splicing, its ends. */
#include "util.h"

#include <sys/sendfile.h>

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

/* ---- on the wire ---- */

FIXTURE(wire) {
	struct tap	tap;
	struct pair	pair;
	char		buf[65536];
	int		records;	/* of the handshake, client to server */
};

FIXTURE_SETUP(wire)
{
	tap_pair(&self->tap, AF_INET, &self->pair);
	tls_prepare_client(self->pair.client);
	tls_prepare_server(self->pair.server, "server-ecdsa");
	tls_handshake(&self->pair);
	expect_ping(self->pair.client, self->pair.server);
	self->records = atomic_load(&self->tap.up.records);
}

static int wire_records(struct fixture_wire *self, size_t len)
{
	ASSERT_TRUE(read_all(self->pair.server, self->buf, len));
	return atomic_load(&self->tap.up.records) - self->records;
}

TEST_F(wire, a_write_is_as_few_records_as_can_be)
{
	ASSERT_TRUE(write_all(self->pair.client, self->buf, 16384));
	EXPECT_EQ(wire_records(self, 16384), 1);
	ASSERT_TRUE(write_all(self->pair.client, self->buf, 16385));
	EXPECT_EQ(wire_records(self, 16385), 3);
}

TEST_F(wire, msg_more_coalesces)
{
	int i;

	for (i = 0; i < 100; i++)
		ASSERT_EQ(send(self->pair.client, "0123456789", 10, MSG_MORE),
			  10);
	ASSERT_EQ(send(self->pair.client, "end", 3, 0), 3);
	EXPECT_EQ(wire_records(self, 1003), 1);
	EXPECT_EQ(memcmp(self->buf + 990, "0123456789end", 13), 0);
	/* a full record waits for nobody */
	pattern_fill(self->buf, 20000, 0);
	ASSERT_EQ(send(self->pair.client, self->buf, 20000, MSG_MORE), 20000);
	EXPECT_EQ(wire_records(self, 16384), 2);
	EXPECT_TRUE(pattern_ok(self->buf, 16384, 0));
}

/* They take turns on the page that small writes are gathered in. */
TEST_F(wire, msg_more_coalesces_on_two_sockets_in_turns)
{
	struct pair other;
	int i, n;

	tls_pair(AF_INET, &other);
	for (i = 0; i < 60; i++) {
		ASSERT_EQ(send(self->pair.client, "0123456789", 10, MSG_MORE),
			  10);
		ASSERT_EQ(send(other.client, "abcdefghij", 10, MSG_MORE), 10);
	}
	ASSERT_EQ(send(self->pair.client, "end", 3, 0), 3);
	ASSERT_EQ(send(other.client, "end", 3, 0), 3);
	n = wire_records(self, 603);
	EXPECT_LE(n, 10);
	for (i = 0; i < 60; i++)
		ASSERT_EQ(memcmp(self->buf + 10 * i, "0123456789", 10), 0);
	ASSERT_TRUE(read_all(other.server, self->buf, 603));
	for (i = 0; i < 60; i++)
		ASSERT_EQ(memcmp(self->buf + 10 * i, "abcdefghij", 10), 0);
}

TEST_F(wire, msg_more_is_sent_by_itself_after_a_while)
{
	ASSERT_EQ(send(self->pair.client, "abc", 3, MSG_MORE), 3);
	EXPECT_EQ(poll_for(self->pair.server, POLLIN, 30), 0);
	EXPECT_EQ(poll_for(self->pair.server, POLLIN, 3000), POLLIN);
	EXPECT_EQ(wire_records(self, 3), 1);
}

TEST_F(wire, msg_more_is_sent_by_an_empty_write)
{
	ASSERT_EQ(send(self->pair.client, "abc", 3, MSG_MORE), 3);
	EXPECT_EQ(send(self->pair.client, "", 0, 0), 0);
	EXPECT_EQ(poll_for(self->pair.server, POLLIN, 150), POLLIN);
}

TEST_F(wire, msg_more_is_sent_by_shutdown)
{
	ASSERT_EQ(send(self->pair.client, "abc", 3, MSG_MORE), 3);
	ASSERT_EQ(shutdown(self->pair.client, SHUT_WR), 0);
	EXPECT_EQ(read(self->pair.server, self->buf, 10), 3);
	EXPECT_EQ(read(self->pair.server, self->buf, 10), 0);
}

TEST_F(wire, msg_more_is_sent_by_close)
{
	ASSERT_EQ(send(self->pair.client, "abc", 3, MSG_MORE), 3);
	ASSERT_EQ(close(self->pair.client), 0);
	EXPECT_EQ(read(self->pair.server, self->buf, 10), 3);
	EXPECT_EQ(read(self->pair.server, self->buf, 10), 0);
}

TEST_F(wire, bytes_one_by_one_do_not_stall)
{
	struct flow in = { .fd = self->pair.server, .len = 5000 };

	atomic_store(&self->tap.chunk, 1);
	flow_start(&in);
	pattern_fill(self->buf, 5000, 0);
	ASSERT_TRUE(write_all(self->pair.client, self->buf, 5000));
	EXPECT_TRUE(flow_join(&in));
}

TEST_F(wire, small_segments_and_the_smallest_buffers_do_not_stall)
{
	struct flow out = {
		.fd = self->pair.client, .len = 40000, .writing = true,
	};
	struct flow in = { .fd = self->pair.server, .len = 40000 };

	set_int(self->pair.server, SOL_SOCKET, SO_RCVBUF, 1);
	set_int(self->pair.client, SOL_SOCKET, SO_SNDBUF, 1);
	atomic_store(&self->tap.chunk, 100);
	flow_start(&out);
	flow_start(&in);
	EXPECT_TRUE(flow_join(&out));
	EXPECT_TRUE(flow_join(&in));
}

TEST(wire_handshake_passes_byte_by_byte)
{
	struct tap tap;
	struct pair pair;

	tap_pair(&tap, AF_INET, &pair);
	atomic_store(&tap.chunk, 1);
	tls_prepare_client(pair.client);
	tls_prepare_server(pair.server, "server-rsa");
	tls_handshake(&pair);
	expect_ping(pair.client, pair.server);
	expect_ping(pair.server, pair.client);
}

TEST_F(wire, changed_byte_is_refused_and_what_came_before_is_read)
{
	long long at;
	struct socktls_error error;

	ASSERT_EQ(write(self->pair.client, "good", 4), 4);
	while (poll_for(self->pair.server, POLLIN, 10) == 0)
		;
	at = atomic_load(&self->tap.up.passed);
	atomic_store(&self->tap.up.flip, at + 20);
	ASSERT_EQ(write(self->pair.client, self->buf, 1000), 1000);
	EXPECT_EQ(read(self->pair.server, self->buf, 100), 4);
	EXPECT_ERRNO(read(self->pair.server, self->buf, 100), EBADMSG);
	EXPECT_ERRNO(read(self->pair.server, self->buf, 100), EBADMSG);
	tls_error(self->pair.server, &error);
	EXPECT_EQ(error.error, EBADMSG);
	EXPECT_EQ(error.alert, 20);
	EXPECT_EQ(error.alert_from, SOCKTLS_ALERT_SENT);
	EXPECT_ERRNO(read(self->pair.client, self->buf, 1), EREMOTEIO);
	tls_error(self->pair.client, &error);
	EXPECT_EQ(error.alert, 20);
}

TEST_F(wire, cut_off_record_is_a_reset_even_where_eof_is_allowed)
{
	ASSERT_EQ(tls_set_u32(self->pair.server, SOCKTLS_EOF,
			      SOCKTLS_EOF_ALLOW), 0);
	atomic_store(&self->tap.up.allow,
		     atomic_load(&self->tap.up.passed) + 50);
	ASSERT_EQ(write(self->pair.client, self->buf, 1000), 1000);
	sleep_ms(50);
	shutdown(self->tap.up.to, SHUT_WR);
	EXPECT_ERRNO(read(self->pair.server, self->buf, 100), ECONNRESET);
}

/* ---- files and pipes ---- */

TEST_F(tls, sendfile_sends_a_file_from_an_offset)
{
	struct flow in = { .fd = self->in, .len = 1 << 20 };
	FILE *file = tmpfile();
	off_t at = 5;
	size_t done = 0;

	ASSERT_NE(file, NULL);
	ASSERT_EQ(fwrite("12345", 1, 5, file), 5);
	while (done < in.len) {
		pattern_fill(self->buf, 65536, done);
		ASSERT_EQ(fwrite(self->buf, 1, 65536, file), 65536);
		done += 65536;
	}
	ASSERT_EQ(fflush(file), 0);
	flow_start(&in);
	for (done = 0; done < in.len; ) {
		ssize_t n = sendfile(self->out, fileno(file), &at,
				     in.len - done);

		ASSERT_GE(n, 1);
		done += n;
	}
	EXPECT_TRUE(flow_join(&in));
	EXPECT_EQ(at, 5 + (1 << 20));
}

TEST_F(tls, sendfile_of_a_short_file_is_sent_at_once)
{
	FILE *file = tmpfile();
	off_t at = 0;

	ASSERT_NE(file, NULL);
	ASSERT_EQ(fwrite("short", 1, 5, file), 5);
	ASSERT_EQ(fflush(file), 0);
	EXPECT_EQ(sendfile(self->out, fileno(file), &at, 100000), 5);
	EXPECT_EQ(poll_for(self->in, POLLIN, 150), POLLIN);
	EXPECT_EQ(read(self->in, self->buf, 100), 5);
	EXPECT_EQ(memcmp(self->buf, "short", 5), 0);
}

struct pump {
	pthread_t	thread;
	int		from, to;
	size_t		len;
};

static void *pump_run(void *arg)
{
	struct pump *pump = arg;
	size_t done = 0;

	while (done < pump->len) {
		ssize_t n = splice(pump->from, NULL, pump->to, NULL,
				   pump->len - done, SPLICE_F_MOVE);

		if (n <= 0) {
			harness_note("splice: %zd, errno %d", n, errno);
			break;
		}
		done += n;
	}
	return (void *)(intptr_t)(done == pump->len);
}

/* Writer, pipe, socket, socket, pipe, reader. */
TEST_F(tls, splice_carries_data_in_and_out)
{
	struct flow out = { .len = 1 << 20, .writing = true, .chunk = 5000 };
	struct flow in = { .len = 1 << 20, .chunk = 7777 };
	struct pump pumps[2];
	int p[2], q[2], i;
	void *ok;

	ASSERT_EQ(pipe(p), 0);
	ASSERT_EQ(pipe(q), 0);
	pumps[0] = (struct pump){ .from = p[0], .to = self->out };
	pumps[1] = (struct pump){ .from = self->in, .to = q[1] };
	out.fd = p[1];
	in.fd = q[0];
	flow_start(&out);
	flow_start(&in);
	for (i = 0; i < 2; i++) {
		pumps[i].len = out.len;
		ASSERT_EQ(pthread_create(&pumps[i].thread, NULL, pump_run,
					 &pumps[i]), 0);
	}
	EXPECT_TRUE(flow_join(&out));
	for (i = 0; i < 2; i++) {
		pthread_join(pumps[i].thread, &ok);
		EXPECT_TRUE(ok);
	}
	EXPECT_TRUE(flow_join(&in));
}

TEST_F(tls, splice_of_a_part_leaves_the_rest)
{
	int pipes[2];

	ASSERT_EQ(pipe(pipes), 0);
	ASSERT_EQ(write(self->out, "partrest", 8), 8);
	EXPECT_EQ(splice(self->in, NULL, pipes[1], NULL, 4, 0), 4);
	EXPECT_EQ(read(self->in, self->buf, 100), 4);
	EXPECT_EQ(memcmp(self->buf, "rest", 4), 0);
	EXPECT_EQ(read(pipes[0], self->buf, 100), 4);
	EXPECT_EQ(memcmp(self->buf, "part", 4), 0);
	EXPECT_ERRNO(splice(self->in, NULL, pipes[1], NULL, 4,
			    SPLICE_F_NONBLOCK), EAGAIN);
	ASSERT_EQ(shutdown(self->out, SHUT_WR), 0);
	EXPECT_EQ(splice(self->in, NULL, pipes[1], NULL, 4, 0), 0);
}

/* What lies in a pipe must not change when later records are read. */
TEST_F(tls, spliced_data_stays_as_it_was)
{
	int pipes[2], i;

	ASSERT_EQ(pipe(pipes), 0);
	pattern_fill(self->buf, 8000, 0);
	ASSERT_TRUE(write_all(self->out, self->buf, 8000));
	for (i = 0; i < 8000; )
		i += splice(self->in, NULL, pipes[1], NULL, 8000 - i, 0);
	memset(self->buf, 0, 8000);
	for (i = 0; i < 5; i++) {
		ASSERT_TRUE(write_all(self->out, self->buf, 8000));
		ASSERT_TRUE(read_all(self->in, self->buf, 8000));
	}
	ASSERT_TRUE(read_all(pipes[0], self->buf, 8000));
	EXPECT_TRUE(pattern_ok(self->buf, 8000, 0));
}

/* ---- much of it ---- */

TEST_F(tls, full_nonblocking_socket_is_eagain_and_drains)
{
	size_t out = 0, in = 0;
	ssize_t n;

	set_nonblocking(self->out, true);
	for (;;) {
		pattern_fill(self->buf, sizeof(self->buf), out);
		n = write(self->out, self->buf, sizeof(self->buf));
		if (n < 0)
			break;
		out += n;
	}
	EXPECT_EQ(errno, EAGAIN);
	EXPECT_EQ(poll_for(self->out, POLLOUT, 50), 0);
	while (in < out) {
		n = read(self->in, self->buf, sizeof(self->buf));
		ASSERT_GE(n, 1);
		ASSERT_TRUE(pattern_ok(self->buf, n, in));
		in += n;
	}
	EXPECT_EQ(poll_for(self->out, POLLOUT, 5000), POLLOUT);
	expect_ping(self->out, self->in);
}

TEST_F_TIMEOUT(tls, both_directions_at_once_carry_64_mib, 120)
{
	size_t len = (64 << 20) / (harness_slowness() > 1 ? 8 : 1);
	struct flow flows[] = {
		{ .fd = self->out, .len = len, .writing = true },
		{ .fd = self->in, .len = len },
		{ .fd = self->in, .len = len, .writing = true, .chunk = 30000 },
		{ .fd = self->out, .len = len, .chunk = 100000 },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(flows); i++)
		flow_start(&flows[i]);
	for (i = 0; i < ARRAY_SIZE(flows); i++)
		EXPECT_TRUE(flow_join(&flows[i]));
}

/* ---- ends ---- */

TEST_F(tls, half_close_leaves_the_other_direction_open)
{
	char c;

	ASSERT_EQ(write(self->out, "1", 1), 1);
	ASSERT_EQ(shutdown(self->out, SHUT_WR), 0);
	EXPECT_EQ(read(self->in, &c, 1), 1);
	EXPECT_EQ(read(self->in, &c, 1), 0);
	EXPECT_EQ(read(self->in, &c, 1), 0);
	EXPECT_EQ(write(self->in, "2", 1), 1);
	EXPECT_EQ(read(self->out, &c, 1), 1);
	EXPECT_EQ(c, '2');
	EXPECT_EQ(shutdown(self->in, SHUT_WR), 0);
	EXPECT_EQ(read(self->out, &c, 1), 0);
	EXPECT_EQ(get_int(self->in, SOL_SOCKET, SO_ERROR), 0);
}

TEST_F(tls, writing_after_shutdown_is_epipe)
{
	ASSERT_EQ(shutdown(self->out, SHUT_WR), 0);
	EXPECT_ERRNO(send(self->out, "3", 1, MSG_NOSIGNAL), EPIPE);
	signal(SIGPIPE, SIG_IGN);
	EXPECT_ERRNO(write(self->out, "3", 1), EPIPE);
}

TEST_F(tls, writing_after_shutdown_raises_sigpipe)
{
	int status;
	pid_t pid;

	ASSERT_EQ(shutdown(self->out, SHUT_WR), 0);
	pid = fork();
	if (!pid)
		_exit(write(self->out, "3", 1) < 0);
	ASSERT_EQ(waitpid(pid, &status, 0), pid);
	EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGPIPE);
}

TEST_F(tls, close_is_a_close_notify)
{
	char c;

	ASSERT_EQ(write(self->out, "bye", 3), 3);
	ASSERT_EQ(close(self->out), 0);
	EXPECT_EQ(read(self->in, self->buf, 100), 3);
	EXPECT_EQ(read(self->in, &c, 1), 0);
	EXPECT_EQ(get_int(self->in, SOL_SOCKET, SO_ERROR), 0);
}

static size_t fill(struct fixture_tls *self)
{
	size_t out = 0;
	ssize_t n;

	set_nonblocking(self->out, true);
	for (;;) {
		pattern_fill(self->buf, sizeof(self->buf), out);
		n = write(self->out, self->buf, sizeof(self->buf));
		if (n < 0)
			break;
		out += n;
	}
	ASSERT_EQ(errno, EAGAIN);
	return out;
}

static void expect_all_and_the_end(struct fixture_tls *self, size_t out)
{
	size_t in = 0;
	ssize_t n;

	while ((n = read(self->in, self->buf, sizeof(self->buf))) > 0) {
		ASSERT_TRUE(pattern_ok(self->buf, n, in));
		in += n;
	}
	EXPECT_EQ(n, 0);
	EXPECT_EQ(in, out);
}

/* Data in flight for a reader that is slow must survive the close. */
TEST_F(tls, close_loses_nothing)
{
	size_t out = fill(self);

	ASSERT_EQ(close(self->out), 0);
	sleep_ms(50);
	expect_all_and_the_end(self, out);
}

TEST_F(tls, shutdown_of_a_full_socket_loses_nothing)
{
	size_t out = fill(self);
	long long start = now_ms();

	ASSERT_EQ(shutdown(self->out, SHUT_WR), 0);
	EXPECT_LE(now_ms() - start, 1000 * harness_slowness());
	EXPECT_ERRNO(send(self->out, "x", 1, MSG_NOSIGNAL), EPIPE);
	expect_all_and_the_end(self, out);
	/* the other direction goes on */
	expect_ping(self->in, self->out);
}

TEST_F(wire, bare_fin_is_a_reset)
{
	struct socktls_error error;

	ASSERT_EQ(write(self->pair.client, "data", 4), 4);
	while (!poll_for(self->pair.server, POLLIN, 10))
		;
	shutdown(self->tap.up.to, SHUT_WR);
	EXPECT_EQ(read(self->pair.server, self->buf, 100), 4);
	EXPECT_ERRNO(read(self->pair.server, self->buf, 100), ECONNRESET);
	tls_error(self->pair.server, &error);
	EXPECT_EQ(error.error, ECONNRESET);
	EXPECT_NE(strstr(error.text, "close_notify"), NULL);
}

TEST_F(wire, bare_fin_is_the_end_where_it_is_allowed)
{
	ASSERT_EQ(tls_set_u32(self->pair.server, SOCKTLS_EOF,
			      SOCKTLS_EOF_ALLOW), 0);
	ASSERT_EQ(write(self->pair.client, "data", 4), 4);
	while (!poll_for(self->pair.server, POLLIN, 10))
		;
	shutdown(self->tap.up.to, SHUT_WR);
	EXPECT_EQ(read(self->pair.server, self->buf, 100), 4);
	EXPECT_EQ(read(self->pair.server, self->buf, 100), 0);
	expect_ping(self->pair.server, self->pair.client);
}

/* Whoever asks first is told by TCP, and a reader must hear of it, too. */
TEST_F(wire, reset_never_reads_as_the_end)
{
	struct linger linger = { .l_onoff = 1 };

	ASSERT_EQ(tls_set_u32(self->pair.server, SOCKTLS_EOF,
			      SOCKTLS_EOF_ALLOW), 0);
	ASSERT_EQ(setsockopt(self->tap.up.to, SOL_SOCKET, SO_LINGER, &linger,
			     sizeof(linger)), 0);
	shutdown(self->tap.down.from, SHUT_RD);
	close(self->tap.up.to);
	EXPECT_EQ(poll_for(self->pair.server, POLLIN, 5000) & POLLERR, POLLERR);
	EXPECT_EQ(get_int(self->pair.server, SOL_SOCKET, SO_ERROR),
		  ECONNRESET);
	EXPECT_ERRNO(read(self->pair.server, self->buf, 1), ECONNRESET);
	EXPECT_ERRNO(read(self->pair.server, self->buf, 1), ECONNRESET);
}

TEST_F(wire, reset_is_a_reset)
{
	struct linger linger = { .l_onoff = 1 };

	ASSERT_EQ(setsockopt(self->tap.up.to, SOL_SOCKET, SO_LINGER, &linger,
			     sizeof(linger)), 0);
	shutdown(self->tap.down.from, SHUT_RD);
	close(self->tap.up.to);
	EXPECT_EQ(write(self->pair.server, "x", 1) < 0 ||
		  read(self->pair.server, self->buf, 1) < 0, 1);
	EXPECT_TRUE(poll_for(self->pair.server, POLLIN, 1000) & (POLLERR |
								 POLLHUP));
}

int main(int argc, char **argv)
{
	return harness_main(argc, argv);
}
