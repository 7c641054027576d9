// SPDX-License-Identifier: MIT
/* SOCKTLS_HANDSHAKE, both ends sockets: waiting, polling, failing. */
#include "util.h"

FIXTURE(tcp) {
	struct pair	pair;
};

FIXTURE_VARIANT(tcp) {
	int		family;
};

FIXTURE_VARIANT_ADD(tcp, ipv4) { .family = AF_INET };
FIXTURE_VARIANT_ADD(tcp, ipv6) { .family = AF_INET6 };
FIXTURE_VARIANT_ADD(tcp, ipv4_mapped) { .family = FAMILY_MAPPED };

FIXTURE_SETUP(tcp)
{
	tcp_pair(variant->family, &self->pair.client, &self->pair.server);
	tls_prepare_client(self->pair.client);
	tls_prepare_server(self->pair.server, "server-ecdsa");
}

TEST_F(tcp, blocking_handshake_establishes_both_ends)
{
	struct starter server = {
		.fd = self->pair.server, .role = SOCKTLS_SERVER,
	};
	struct socktls_info info;

	EXPECT_EQ(tls_state(self->pair.client), SOCKTLS_STATE_PLAIN);
	starter_start(&server);
	ASSERT_EQ(tls_start(self->pair.client, SOCKTLS_CLIENT, 0), 0);
	ASSERT_EQ(starter_join(&server), 0);
	EXPECT_EQ(tls_state(self->pair.client), SOCKTLS_STATE_ESTABLISHED);
	EXPECT_EQ(tls_state(self->pair.server), SOCKTLS_STATE_ESTABLISHED);
	tls_info(self->pair.client, &info);
	EXPECT_EQ(info.version, 0x0304);
	EXPECT_EQ(info.suite >> 8, 0x13);
	EXPECT_NE(info.group, 0);
	EXPECT_NE(info.id, 0);
	EXPECT_EQ(info.tx_max_plaintext, 16384);
	EXPECT_EQ(info.rx_max_plaintext, 16384);
	EXPECT_EQ(info.flags & (SOCKTLS_INFO_PEER_VERIFIED |
				SOCKTLS_INFO_SERVER | SOCKTLS_INFO_RESUMED |
				SOCKTLS_INFO_KEY_PLANE),
		  SOCKTLS_INFO_PEER_VERIFIED);
	tls_info(self->pair.server, &info);
	EXPECT_EQ(info.flags & (SOCKTLS_INFO_PEER_VERIFIED |
				SOCKTLS_INFO_SERVER), SOCKTLS_INFO_SERVER);
	expect_ping(self->pair.client, self->pair.server);
	expect_ping(self->pair.server, self->pair.client);
}

TEST_F(tcp, nonblocking_handshake_is_in_progress_then_writable)
{
	set_nonblocking(self->pair.client, true);
	set_nonblocking(self->pair.server, true);
	EXPECT_ERRNO(tls_start(self->pair.client, SOCKTLS_CLIENT, 0),
		     EINPROGRESS);
	EXPECT_ERRNO(tls_start(self->pair.client, SOCKTLS_CLIENT, 0), EALREADY);
	EXPECT_EQ(tls_state(self->pair.client), SOCKTLS_STATE_HANDSHAKING);
	EXPECT_EQ(poll_for(self->pair.client, POLLIN | POLLOUT, 50), 0);
	EXPECT_ERRNO(tls_start(self->pair.server, SOCKTLS_SERVER, 0),
		     EINPROGRESS);
	EXPECT_EQ(poll_for(self->pair.client, POLLIN | POLLOUT, 20000),
		  POLLOUT);
	EXPECT_EQ(poll_for(self->pair.server, POLLIN | POLLOUT, 20000),
		  POLLOUT);
	EXPECT_EQ(get_int(self->pair.client, SOL_SOCKET, SO_ERROR), 0);
	EXPECT_ERRNO(tls_start(self->pair.client, SOCKTLS_CLIENT, 0), EISCONN);
	EXPECT_ERRNO(tls_start(self->pair.server, SOCKTLS_CLIENT, 0), EISCONN);
	expect_ping(self->pair.client, self->pair.server);
}

FIXTURE(hs) {
	struct pair	pair;
};

FIXTURE_SETUP(hs)
{
	tcp_pair(AF_INET, &self->pair.client, &self->pair.server);
	tls_prepare_client(self->pair.client);
	tls_prepare_server(self->pair.server, "server-ecdsa");
}

TEST_F(hs, epoll_waits_for_its_end)
{
	struct epoll_event ev = { .events = EPOLLIN | EPOLLOUT | EPOLLET };
	int ep = epoll_create1(EPOLL_CLOEXEC);
	long long until = now_ms() + 20000;

	set_nonblocking(self->pair.client, true);
	set_nonblocking(self->pair.server, true);
	ASSERT_ERRNO(tls_start(self->pair.client, SOCKTLS_CLIENT, 0),
		     EINPROGRESS);
	ASSERT_EQ(epoll_ctl(ep, EPOLL_CTL_ADD, self->pair.client, &ev), 0);
	ASSERT_ERRNO(tls_start(self->pair.server, SOCKTLS_SERVER, 0),
		     EINPROGRESS);
	do {
		ASSERT_EQ(epoll_wait(ep, &ev, 1, 20000), 1);
		EXPECT_EQ(ev.events, EPOLLOUT);
	} while (!(ev.events & EPOLLOUT) && now_ms() < until);
	EXPECT_EQ(tls_state(self->pair.client), SOCKTLS_STATE_ESTABLISHED);
}

TEST_F(hs, second_caller_joins_the_first)
{
	struct starter first = {
		.fd = self->pair.client, .role = SOCKTLS_CLIENT,
	};
	struct starter second = first;

	starter_start(&first);
	while (tls_state(self->pair.client) == SOCKTLS_STATE_PLAIN)
		sleep_ms(1);
	starter_start(&second);
	ASSERT_EQ(tls_start(self->pair.server, SOCKTLS_SERVER, 0), 0);
	EXPECT_EQ(starter_join(&first), 0);
	EXPECT_EQ(starter_join(&second), 0);
}

static void *write_late(void *arg)
{
	return (void *)(intptr_t)(write(*(int *)arg, "late", 4) == 4);
}

TEST_F(hs, reads_and_writes_wait_for_it)
{
	char buf[8];
	pthread_t thread;
	void *wrote;

	set_nonblocking(self->pair.client, true);
	ASSERT_ERRNO(tls_start(self->pair.client, SOCKTLS_CLIENT, 0),
		     EINPROGRESS);
	EXPECT_ERRNO(write(self->pair.client, "x", 1), EAGAIN);
	EXPECT_ERRNO(read(self->pair.client, buf, 1), EAGAIN);
	EXPECT_ERRNO(recv(self->pair.client, buf, 1, MSG_PEEK), EAGAIN);
	set_nonblocking(self->pair.client, false);
	EXPECT_ERRNO(recv(self->pair.client, buf, 1, MSG_DONTWAIT), EAGAIN);
	ASSERT_EQ(pthread_create(&thread, NULL, write_late,
				 &self->pair.client), 0);
	sleep_ms(50);
	set_nonblocking(self->pair.server, true);
	ASSERT_ERRNO(tls_start(self->pair.server, SOCKTLS_SERVER, 0),
		     EINPROGRESS);
	set_nonblocking(self->pair.server, false);
	EXPECT_EQ(read(self->pair.server, buf, sizeof(buf)), 4);
	EXPECT_EQ(memcmp(buf, "late", 4), 0);
	pthread_join(thread, &wrote);
	EXPECT_TRUE(wrote);
}

TEST_F(hs, receive_timeout_ends_a_read_that_waits_for_it)
{
	struct timeval time = { .tv_usec = 100000 };
	char c;

	set_nonblocking(self->pair.client, true);
	ASSERT_ERRNO(tls_start(self->pair.client, SOCKTLS_CLIENT, 0),
		     EINPROGRESS);
	set_nonblocking(self->pair.client, false);
	ASSERT_EQ(setsockopt(self->pair.client, SOL_SOCKET, SO_RCVTIMEO, &time,
			     sizeof(time)), 0);
	EXPECT_ERRNO(read(self->pair.client, &c, 1), EAGAIN);
	EXPECT_EQ(tls_state(self->pair.client), SOCKTLS_STATE_HANDSHAKING);
}

static void expect_timed_out(int fd)
{
	struct socktls_error error;
	char c;

	EXPECT_EQ(tls_state(fd), SOCKTLS_STATE_FAILED);
	tls_error(fd, &error);
	EXPECT_EQ(error.error, ETIMEDOUT);
	EXPECT_NE(error.text[0], 0);
	EXPECT_ERRNO(write(fd, "x", 1), ETIMEDOUT);
	EXPECT_ERRNO(read(fd, &c, 1), ETIMEDOUT);
	EXPECT_ERRNO(tls_start(fd, SOCKTLS_CLIENT, 0), ETIMEDOUT);
}

TEST_F(hs, silent_peer_fails_a_client_at_the_deadline)
{
	long long start = now_ms();

	EXPECT_ERRNO(tls_start(self->pair.client, SOCKTLS_CLIENT, 400),
		     ETIMEDOUT);
	EXPECT_GE(now_ms() - start, 390);
	EXPECT_LE(now_ms() - start, 5000);
	expect_timed_out(self->pair.client);
}

TEST_F(hs, silent_peer_fails_a_server_at_the_deadline)
{
	int events;

	set_nonblocking(self->pair.server, true);
	ASSERT_ERRNO(tls_start(self->pair.server, SOCKTLS_SERVER, 300),
		     EINPROGRESS);
	events = poll_for(self->pair.server, POLLIN | POLLOUT, 10000);
	EXPECT_TRUE(events & POLLERR);
	EXPECT_EQ(get_int(self->pair.server, SOL_SOCKET, SO_ERROR), ETIMEDOUT);
	expect_timed_out(self->pair.server);
}

TEST_F(hs, deadline_does_not_strike_afterwards)
{
	struct starter server = {
		.fd = self->pair.server, .role = SOCKTLS_SERVER,
		.timeout_ms = 2000 * harness_slowness(),
	};

	starter_start(&server);
	ASSERT_EQ(tls_start(self->pair.client, SOCKTLS_CLIENT,
			    2000 * harness_slowness()), 0);
	ASSERT_EQ(starter_join(&server), 0);
	sleep_ms(2200 * harness_slowness());
	expect_ping(self->pair.client, self->pair.server);
	expect_ping(self->pair.server, self->pair.client);
}

static void on_signal(int sig)
{
	(void)sig;
}

static void alarm_in_ms(unsigned int ms, int flags)
{
	struct sigaction act = { .sa_handler = on_signal, .sa_flags = flags };
	struct itimerval timer = {
		.it_value = { ms / 1000, ms % 1000 * 1000 },
	};

	ASSERT_EQ(sigaction(SIGALRM, &act, NULL), 0);
	ASSERT_EQ(setitimer(ITIMER_REAL, &timer, NULL), 0);
}

TEST_F(hs, signal_interrupts_and_it_goes_on)
{
	alarm_in_ms(100, 0);
	EXPECT_ERRNO(tls_start(self->pair.client, SOCKTLS_CLIENT, 0), EINTR);
	EXPECT_EQ(tls_state(self->pair.client), SOCKTLS_STATE_HANDSHAKING);
	set_nonblocking(self->pair.server, true);
	ASSERT_ERRNO(tls_start(self->pair.server, SOCKTLS_SERVER, 0),
		     EINPROGRESS);
	set_nonblocking(self->pair.server, false);
	EXPECT_EQ(tls_start(self->pair.client, SOCKTLS_CLIENT, 0), 0);
	expect_ping(self->pair.client, self->pair.server);
}

TEST_F(hs, signal_with_restart_is_not_seen)
{
	if (!fork()) {
		sleep_ms(400);
		_exit(tls_start(self->pair.server, SOCKTLS_SERVER, 0) != 0);
	}
	alarm_in_ms(100, SA_RESTART);
	EXPECT_EQ(tls_start(self->pair.client, SOCKTLS_CLIENT, 0), 0);
}

TEST_F(hs, killed_in_the_middle_leaves_a_peer_that_fails)
{
	int status;
	pid_t pid = fork();

	if (!pid) {
		close(self->pair.server);
		tls_start(self->pair.client, SOCKTLS_CLIENT, 0);
		_exit(0);
	}
	sleep_ms(100);
	close(self->pair.client);
	kill(pid, SIGKILL);
	ASSERT_EQ(waitpid(pid, &status, 0), pid);
	EXPECT_EQ(tls_start(self->pair.server, SOCKTLS_SERVER, 0), -1);
	EXPECT_EQ(tls_state(self->pair.server), SOCKTLS_STATE_FAILED);
}

TEST_F(hs, shutdown_in_the_middle_cancels_it)
{
	struct socktls_error error;

	set_nonblocking(self->pair.client, true);
	ASSERT_ERRNO(tls_start(self->pair.client, SOCKTLS_CLIENT, 0),
		     EINPROGRESS);
	EXPECT_EQ(shutdown(self->pair.client, SHUT_RDWR), 0);
	EXPECT_EQ(tls_state(self->pair.client), SOCKTLS_STATE_FAILED);
	tls_error(self->pair.client, &error);
	EXPECT_EQ(error.error, ECANCELED);
	EXPECT_EQ(tls_start(self->pair.server, SOCKTLS_SERVER, 5000), -1);
}

TEST_F(hs, shutdown_wakes_who_waits_for_it)
{
	struct starter client = {
		.fd = self->pair.client, .role = SOCKTLS_CLIENT,
	};

	starter_start(&client);
	while (tls_state(self->pair.client) != SOCKTLS_STATE_HANDSHAKING)
		sleep_ms(1);
	sleep_ms(50);
	EXPECT_EQ(shutdown(self->pair.client, SHUT_RDWR), 0);
	EXPECT_ERRNO(starter_join(&client), ECANCELED);
}

TEST_F(hs, peer_that_closes_fails_it)
{
	struct socktls_error error;

	close(self->pair.server);
	EXPECT_ERRNO(tls_start(self->pair.client, SOCKTLS_CLIENT, 0),
		     ECONNRESET);
	tls_error(self->pair.client, &error);
	EXPECT_EQ(error.error, ECONNRESET);
	EXPECT_NE(error.text[0], 0);
}

TEST_F(hs, peer_that_resets_fails_it)
{
	struct linger linger = { .l_onoff = 1 };

	set_nonblocking(self->pair.client, true);
	ASSERT_ERRNO(tls_start(self->pair.client, SOCKTLS_CLIENT, 0),
		     EINPROGRESS);
	ASSERT_EQ(setsockopt(self->pair.server, SOL_SOCKET, SO_LINGER, &linger,
			     sizeof(linger)), 0);
	close(self->pair.server);
	EXPECT_TRUE(poll_for(self->pair.client, POLLOUT, 5000) & POLLERR);
	set_nonblocking(self->pair.client, false);
	EXPECT_ERRNO(tls_start(self->pair.client, SOCKTLS_CLIENT, 0),
		     ECONNRESET);
}

TEST(handshake_with_a_peer_that_speaks_no_tls_is_a_protocol_error)
{
	struct socktls_error error;
	struct pair pair;

	tcp_pair(AF_INET, &pair.client, &pair.server);
	tls_prepare_client(pair.client);
	ASSERT_EQ(write(pair.server, "HTTP/1.0 400 Bad Request\r\n\r\n", 28),
		  28);
	EXPECT_ERRNO(tls_start(pair.client, SOCKTLS_CLIENT, 0), EPROTO);
	tls_error(pair.client, &error);
	EXPECT_EQ(error.error, EPROTO);
	EXPECT_EQ(error.alert_from, SOCKTLS_ALERT_SENT);
	EXPECT_NE(strstr(error.text, "TLS"), NULL);
}

TEST_F(hs, two_clients_refuse_each_other)
{
	struct starter other = {
		.fd = self->pair.server, .role = SOCKTLS_CLIENT,
		.timeout_ms = 10000,
	};

	starter_start(&other);
	EXPECT_EQ(tls_start(self->pair.client, SOCKTLS_CLIENT, 10000), -1);
	EXPECT_EQ(starter_join(&other), -1);
	EXPECT_NE(errno, ETIMEDOUT);
}

TEST_F(hs, server_without_an_identity_fails_both_ends)
{
	struct socktls_error error;
	struct starter client = {
		.fd = self->pair.client, .role = SOCKTLS_CLIENT,
	};

	ASSERT_EQ(tls_set_text(self->pair.server, SOCKTLS_IDENTITY, "nobody"),
		  0);
	starter_start(&client);
	EXPECT_EQ(tls_start(self->pair.server, SOCKTLS_SERVER, 0), -1);
	tls_error(self->pair.server, &error);
	EXPECT_NE(strstr(error.text, "nobody"), NULL);
	EXPECT_ERRNO(starter_join(&client), EREMOTEIO);
}

TEST(handshake_needs_a_connection)
{
	int fd = tcp_socket(AF_INET);

	EXPECT_ERRNO(tls_start(fd, SOCKTLS_CLIENT, 0), ENOPROTOOPT);
	ASSERT_EQ(tls_attach(fd), 0);
	EXPECT_ERRNO(tls_start(fd, SOCKTLS_CLIENT, 0), ENOTCONN);
	EXPECT_ERRNO(tls_start(fd, SOCKTLS_SERVER, 0), ENOTCONN);
	EXPECT_EQ(tls_state(fd), SOCKTLS_STATE_PLAIN);
}

TEST(handshake_starts_on_a_socket_attached_before_connect)
{
	int listener = tcp_listen(AF_INET6), fd = tcp_socket(AF_INET6);
	struct sockaddr_storage addr;
	socklen_t len = sizeof(addr);
	struct pair pair;

	tls_prepare_client(fd);
	ASSERT_EQ(getsockname(listener, (struct sockaddr *)&addr, &len), 0);
	ASSERT_EQ(connect(fd, (struct sockaddr *)&addr, len), 0);
	pair.client = fd;
	pair.server = accept(listener, NULL, NULL);
	tls_prepare_server(pair.server, "server-ecdsa");
	tls_handshake(&pair);
	expect_ping(pair.client, pair.server);
}

int main(int argc, char **argv)
{
	return harness_main(argc, argv);
}
