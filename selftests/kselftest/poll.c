// SPDX-License-Identifier: MIT
/* poll, epoll, select: EPOLLIN means that a read returns data, EOF or an error. */
#include "util.h"

#include <sys/select.h>

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

TEST_F(tls, idle_is_only_writable)
{
	EXPECT_EQ(poll_for(self->in, POLLIN | POLLOUT | POLLPRI, 100), POLLOUT);
	EXPECT_EQ(poll_for(self->out, POLLIN | POLLOUT | POLLPRI, 100),
		  POLLOUT);
	EXPECT_EQ(poll_for(self->in, POLLIN | POLLRDHUP, 200), 0);
}

TEST_F(tls, data_wakes_a_poller)
{
	if (!fork()) {
		sleep_ms(100);
		_exit(write(self->out, "x", 1) != 1);
	}
	EXPECT_EQ(poll_for(self->in, POLLIN, 10000), POLLIN);
	EXPECT_EQ(recv(self->in, self->buf, 10, MSG_DONTWAIT), 1);
	EXPECT_EQ(poll_for(self->in, POLLIN, 50), 0);
}

TEST_F(tls, select_works_as_well)
{
	struct timeval time = { .tv_sec = 10 };
	fd_set set;

	FD_ZERO(&set);
	FD_SET(self->in, &set);
	ASSERT_EQ(write(self->out, "x", 1), 1);
	EXPECT_EQ(select(self->in + 1, &set, NULL, NULL, &time), 1);
	EXPECT_TRUE(FD_ISSET(self->in, &set));
}

TEST_F(tls, rest_of_a_record_stays_readable)
{
	ASSERT_EQ(write(self->out, "0123456789", 10), 10);
	wait_for_events(self->in, POLLIN);
	EXPECT_EQ(read(self->in, self->buf, 4), 4);
	EXPECT_EQ(poll_for(self->in, POLLIN, 0), POLLIN);
	EXPECT_EQ(read(self->in, self->buf, 6), 6);
	EXPECT_EQ(poll_for(self->in, POLLIN, 0), 0);
}

TEST_F(tls, level_triggered_epoll_tells_as_long_as_there_is_data)
{
	struct epoll_event ev = { .events = EPOLLIN };
	int ep = epoll_create1(EPOLL_CLOEXEC), i;

	ASSERT_EQ(epoll_ctl(ep, EPOLL_CTL_ADD, self->in, &ev), 0);
	EXPECT_EQ(epoll_wait(ep, &ev, 1, 50), 0);
	ASSERT_EQ(write(self->out, "abc", 3), 3);
	for (i = 0; i < 3; i++) {
		EXPECT_EQ(epoll_wait(ep, &ev, 1, 5000), 1);
		EXPECT_EQ(recv(self->in, self->buf, 1, MSG_DONTWAIT), 1);
	}
	EXPECT_EQ(epoll_wait(ep, &ev, 1, 50), 0);
}

TEST_F(tls, edge_triggered_epoll_loses_nothing)
{
	struct flow flow = {
		.fd = self->out, .len = 200000, .chunk = 333, .writing = true,
	};
	struct epoll_event ev = { .events = EPOLLIN | EPOLLET };
	int ep = epoll_create1(EPOLL_CLOEXEC);
	size_t done = 0;
	ssize_t n;

	ASSERT_EQ(epoll_ctl(ep, EPOLL_CTL_ADD, self->in, &ev), 0);
	flow_start(&flow);
	while (done < flow.len) {
		ASSERT_EQ(epoll_wait(ep, &ev, 1, 10000), 1);
		while ((n = recv(self->in, self->buf, 1000, MSG_DONTWAIT)) > 0) {
			ASSERT_TRUE(pattern_ok(self->buf, n, done));
			done += n;
		}
		EXPECT_EQ(errno, EAGAIN);
	}
	EXPECT_TRUE(flow_join(&flow));
}

TEST_F(tls, each_message_is_an_edge)
{
	struct epoll_event ev = { .events = EPOLLIN | EPOLLET };
	int ep = epoll_create1(EPOLL_CLOEXEC), i;

	ASSERT_EQ(epoll_ctl(ep, EPOLL_CTL_ADD, self->in, &ev), 0);
	for (i = 0; i < 300; i++) {
		ASSERT_EQ(write(self->out, "x", 1), 1);
		ASSERT_EQ(epoll_wait(ep, &ev, 1, 10000), 1);
		ASSERT_EQ(recv(self->in, self->buf, 1, MSG_DONTWAIT), 1);
	}
}

TEST_F(tls, two_epolls_are_both_told)
{
	struct epoll_event ev = { .events = EPOLLIN };
	int eps[2] = { epoll_create1(0), epoll_create1(0) }, i;

	for (i = 0; i < 2; i++)
		ASSERT_EQ(epoll_ctl(eps[i], EPOLL_CTL_ADD, self->in, &ev), 0);
	ASSERT_EQ(write(self->out, "x", 1), 1);
	for (i = 0; i < 2; i++)
		EXPECT_EQ(epoll_wait(eps[i], &ev, 1, 5000), 1);
}

TEST_F(tls, full_socket_is_not_writable_until_it_drains)
{
	size_t out = 0, in = 0;
	ssize_t n;

	set_nonblocking(self->out, true);
	while ((n = write(self->out, self->buf, sizeof(self->buf))) > 0)
		out += n;
	EXPECT_EQ(poll_for(self->out, POLLOUT, 0), 0);
	if (!fork()) {
		while (in < out) {
			n = read(self->in, self->buf, sizeof(self->buf));
			if (n <= 0)
				_exit(1);
			in += n;
		}
		_exit(0);
	}
	EXPECT_EQ(poll_for(self->out, POLLOUT, 20000), POLLOUT);
	EXPECT_GE(write(self->out, self->buf, 100), 1);
}

TEST_F(tls, edge_triggered_writer_is_woken_until_all_is_out)
{
	struct flow in = { .fd = self->in, .len = 4 << 20 };
	struct epoll_event ev = { .events = EPOLLOUT | EPOLLET };
	int ep = epoll_create1(EPOLL_CLOEXEC);
	size_t out = 0;
	ssize_t n;

	set_nonblocking(self->out, true);
	ASSERT_EQ(epoll_ctl(ep, EPOLL_CTL_ADD, self->out, &ev), 0);
	flow_start(&in);
	while (out < in.len) {
		ASSERT_EQ(epoll_wait(ep, &ev, 1, 10000), 1);
		do {
			size_t len = in.len - out < sizeof(self->buf) ?
				     in.len - out : sizeof(self->buf);

			pattern_fill(self->buf, len, out);
			n = len ? write(self->out, self->buf, len) : 0;
			out += n > 0 ? n : 0;
		} while (n > 0);
	}
	EXPECT_TRUE(flow_join(&in));
}

TEST_F(tls, low_water_mark_holds_the_poller_back)
{
	set_int(self->in, SOL_SOCKET, SO_RCVLOWAT, 10);
	ASSERT_EQ(write(self->out, "hello", 5), 5);
	EXPECT_EQ(poll_for(self->in, POLLIN, 100), 0);
	ASSERT_EQ(write(self->out, "world", 5), 5);
	EXPECT_EQ(poll_for(self->in, POLLIN, 5000), POLLIN);
	set_int(self->in, SOL_SOCKET, SO_RCVLOWAT, 100);
	EXPECT_EQ(poll_for(self->in, POLLIN, 50), 0);
	ASSERT_EQ(shutdown(self->out, SHUT_WR), 0);
	EXPECT_EQ(poll_for(self->in, POLLIN, 5000), POLLIN);
}

static void *lower_mark(void *arg)
{
	sleep_ms(100);
	set_int(*(int *)arg, SOL_SOCKET, SO_RCVLOWAT, 1);
	return NULL;
}

TEST_F(tls, lowering_the_low_water_mark_wakes_the_poller)
{
	pthread_t thread;

	set_int(self->in, SOL_SOCKET, SO_RCVLOWAT, 10);
	ASSERT_EQ(write(self->out, "hello", 5), 5);
	ASSERT_EQ(pthread_create(&thread, NULL, lower_mark, &self->in), 0);
	EXPECT_EQ(poll_for(self->in, POLLIN, 5000), POLLIN);
	pthread_join(thread, NULL);
}

TEST_F(tls, low_water_mark_has_a_limit)
{
	struct flow flow = {
		.fd = self->out, .len = 32 << 20, .writing = true,
	};

	set_int(self->in, SOL_SOCKET, SO_RCVLOWAT, INT32_MAX);
	flow_start(&flow);
	EXPECT_EQ(poll_for(self->in, POLLIN, 20000), POLLIN);
}

/* TCP counts memory by the megabyte: a few of them, in use. */
static void use_memory(void)
{
	static char block[1 << 20];
	int out, in, i;

	tcp_pair(AF_INET, &out, &in);
	set_int(in, SOL_SOCKET, SO_RCVBUFFORCE, 8 << 20);
	set_int(out, SOL_SOCKET, SO_SNDBUFFORCE, 8 << 20);
	for (i = 0; i < 6; i++)
		ASSERT_EQ(send(out, block, sizeof(block), MSG_DONTWAIT),
			  sizeof(block));
}

/* One record always gets through; the rest waits in TCP's buffers. */
TEST_F(tls, memory_limit_bounds_what_is_opened_ahead)
{
	FILE *file = fopen("/proc/sys/net/ipv4/tcp_mem", "r");
	char old[128];
	int ready;
	ssize_t peeked;
	bool all;

	ASSERT_NE(file, NULL);
	ASSERT_NE(fgets(old, sizeof(old), file), NULL);
	fclose(file);
	pattern_fill(self->buf, 60000, 0);
	ASSERT_TRUE(write_all(self->out, self->buf, 60000));
	set_int(self->in, SOL_SOCKET, SO_RCVLOWAT, 50000);
	use_memory();
	file_write("/proc/sys/net/ipv4/tcp_mem", "1 1 1");
	ready = poll_for(self->in, POLLIN, 5000);
	peeked = recv(self->in, self->buf, 60000, MSG_PEEK | MSG_DONTWAIT);
	all = read_all(self->in, self->buf, 60000);
	file_write("/proc/sys/net/ipv4/tcp_mem", old);
	EXPECT_EQ(ready, POLLIN);
	/* the deferred work may have opened, and charged, one before */
	EXPECT_GE(peeked, 16384);
	EXPECT_LE(peeked, 2 * 16384);
	EXPECT_TRUE(all);
	EXPECT_TRUE(pattern_ok(self->buf, 60000, 0));
}

TEST_F(tls, close_notify_is_readable_and_rdhup)
{
	ASSERT_EQ(shutdown(self->out, SHUT_WR), 0);
	EXPECT_EQ(poll_for(self->in, POLLIN | POLLRDHUP, 5000),
		  POLLIN | POLLRDHUP);
	EXPECT_EQ(read(self->in, self->buf, 1), 0);
	EXPECT_EQ(poll_for(self->in, POLLIN | POLLOUT, 0), POLLIN | POLLOUT);
}

TEST_F(tls, close_notify_wakes_an_edge_triggered_poller)
{
	struct epoll_event ev = { .events = EPOLLIN | EPOLLRDHUP | EPOLLET };
	int ep = epoll_create1(EPOLL_CLOEXEC);

	ASSERT_EQ(epoll_ctl(ep, EPOLL_CTL_ADD, self->in, &ev), 0);
	EXPECT_EQ(epoll_wait(ep, &ev, 1, 0), 0);
	ASSERT_EQ(close(self->out), 0);
	EXPECT_EQ(epoll_wait(ep, &ev, 1, 5000), 1);
	while (recv(self->in, self->buf, 1, MSG_DONTWAIT) == -1)
		ASSERT_EQ(epoll_wait(ep, &ev, 1, 5000), 1);
}

/* ---- what must not wake ---- */

FIXTURE(wire) {
	struct tap	tap;
	struct pair	pair;
	char		buf[65536];
};

FIXTURE_SETUP(wire)
{
	tap_pair(&self->tap, AF_INET, &self->pair);
	tls_prepare_client(self->pair.client);
	tls_prepare_server(self->pair.server, "server-ecdsa");
	tls_handshake(&self->pair);
	expect_ping(self->pair.client, self->pair.server);
}

TEST_F(wire, part_of_a_record_is_not_readable)
{
	long long at = atomic_load(&self->tap.up.passed);
	int n;

	atomic_store(&self->tap.up.allow, at + 500);
	ASSERT_EQ(write(self->pair.client, self->buf, 1000), 1000);
	EXPECT_EQ(poll_for(self->pair.server, POLLIN, 200), 0);
	EXPECT_ERRNO(recv(self->pair.server, &n, 1, MSG_DONTWAIT), EAGAIN);
	EXPECT_EQ(ioctl(self->pair.server, FIONREAD, &n), 0);
	EXPECT_EQ(n, 0);
	atomic_store(&self->tap.up.allow, at + 1021);
	EXPECT_EQ(poll_for(self->pair.server, POLLIN, 100), 0);
	atomic_store(&self->tap.up.allow, INT64_MAX);
	EXPECT_EQ(poll_for(self->pair.server, POLLIN, 5000), POLLIN);
	EXPECT_EQ(recv(self->pair.server, self->buf, 2000, MSG_DONTWAIT), 1000);
}

TEST_F(wire, part_of_a_handshake_is_not_readable)
{
	struct tap tap;
	struct pair pair;

	tap_pair(&tap, AF_INET, &pair);
	atomic_store(&tap.down.allow, 10);
	tls_prepare_client(pair.client);
	tls_prepare_server(pair.server, "server-ecdsa");
	set_nonblocking(pair.client, true);
	set_nonblocking(pair.server, true);
	ASSERT_ERRNO(tls_start(pair.client, SOCKTLS_CLIENT, 0), EINPROGRESS);
	ASSERT_ERRNO(tls_start(pair.server, SOCKTLS_SERVER, 0), EINPROGRESS);
	EXPECT_EQ(poll_for(pair.client, POLLIN | POLLOUT, 300), 0);
	EXPECT_EQ(poll_for(pair.server, POLLIN | POLLOUT, 100), 0);
	atomic_store(&tap.down.allow, 300);
	EXPECT_EQ(poll_for(pair.client, POLLIN | POLLOUT, 200), 0);
	atomic_store(&tap.down.allow, INT64_MAX);
	EXPECT_EQ(poll_for(pair.client, POLLIN | POLLOUT, 10000), POLLOUT);
}

/* Whatever the segmentation and the timing, POLLIN is kept. */
TEST_F(wire, readable_never_means_eagain)
{
	struct flow flow = {
		.fd = self->pair.client, .len = 300000, .chunk = 1999,
		.writing = true,
	};
	size_t done = 0, polls = 0;

	atomic_store(&self->tap.chunk, 711);
	flow_start(&flow);
	while (done < flow.len) {
		ssize_t n;

		ASSERT_EQ(poll_for(self->pair.server, POLLIN, 10000), POLLIN);
		polls++;
		n = recv(self->pair.server, self->buf, 1500, MSG_DONTWAIT);
		ASSERT_GE(n, 1);
		ASSERT_TRUE(pattern_ok(self->buf, n, done));
		done += n;
	}
	harness_note("%zu polls", polls);
	EXPECT_TRUE(flow_join(&flow));
}

TEST_F(wire, changed_byte_is_an_error_to_a_poller)
{
	atomic_store(&self->tap.up.flip,
		     atomic_load(&self->tap.up.passed) + 10);
	ASSERT_EQ(write(self->pair.client, "x", 1), 1);
	EXPECT_TRUE(poll_for(self->pair.server, POLLIN, 5000) & POLLIN);
	EXPECT_TRUE(poll_for(self->pair.server, POLLIN, 0) & POLLERR);
	EXPECT_EQ(get_int(self->pair.server, SOL_SOCKET, SO_ERROR), EBADMSG);
	EXPECT_ERRNO(read(self->pair.server, self->buf, 1), EBADMSG);
}

/* A program that waits for an error or for room alone hears of one. */
TEST_F(wire, changed_byte_is_found_where_nobody_reads)
{
	struct epoll_event ev = { .events = EPOLLOUT | EPOLLET };
	int ep = epoll_create1(EPOLL_CLOEXEC);

	ASSERT_EQ(epoll_ctl(ep, EPOLL_CTL_ADD, self->pair.server, &ev), 0);
	ASSERT_EQ(epoll_wait(ep, &ev, 1, 0), 1);
	atomic_store(&self->tap.up.flip,
		     atomic_load(&self->tap.up.passed) + 10);
	ASSERT_EQ(write(self->pair.client, "x", 1), 1);
	do {
		ASSERT_EQ(epoll_wait(ep, &ev, 1, 5000), 1);
	} while (!(ev.events & EPOLLERR));
}

int main(int argc, char **argv)
{
	return harness_main(argc, argv);
}
