// SPDX-License-Identifier: MIT
/* Listeners: what their children get, and when. */
#include "peer.h"

static int arm(int listener)
{
	return tls_start(listener, SOCKTLS_SERVER, 0);
}

static void start_client(int fd)
{
	tls_prepare_client(fd);
	set_nonblocking(fd, true);
	ASSERT_ERRNO(tls_start(fd, SOCKTLS_CLIENT, 0), EINPROGRESS);
	set_nonblocking(fd, false);
}

FIXTURE(listener) {
	int	fd;
};

FIXTURE_VARIANT(listener) {
	int	family;
};

FIXTURE_VARIANT_ADD(listener, ipv4) { AF_INET };
FIXTURE_VARIANT_ADD(listener, ipv6) { AF_INET6 };
FIXTURE_VARIANT_ADD(listener, dual_stack) { FAMILY_MAPPED };

FIXTURE_SETUP(listener)
{
	self->fd = tcp_listen(variant->family);
}

static void serve_one(int listener, int family)
{
	int client = tcp_connect(family, listener), child;

	start_client(client);
	child = accept(listener, NULL, NULL);
	ASSERT_GE(child, 0);
	expect_ping(client, child);
	expect_ping(child, client);
	EXPECT_EQ(tls_state(child), SOCKTLS_STATE_ESTABLISHED);
	close(client);
	close(child);
}

TEST_F(listener, armed_gives_children_that_handshake)
{
	tls_prepare_server(self->fd, "server-ecdsa");
	ASSERT_EQ(arm(self->fd), 0);
	EXPECT_EQ(tls_state(self->fd), SOCKTLS_STATE_PLAIN);
	serve_one(self->fd, variant->family);
	serve_one(self->fd, variant->family);
	/* arming again changes nothing */
	ASSERT_EQ(arm(self->fd), 0);
	serve_one(self->fd, variant->family);
}

TEST_F(listener, attached_after_a_connection_was_queued_serves_it)
{
	int client = tcp_connect(variant->family, self->fd), child;

	tls_prepare_server(self->fd, "server-ecdsa");
	ASSERT_EQ(arm(self->fd), 0);
	start_client(client);
	child = accept(self->fd, NULL, NULL);
	ASSERT_GE(child, 0);
	expect_ping(client, child);
	expect_ping(child, client);
	serve_one(self->fd, variant->family);
}

TEST_F(listener, unarmed_gives_plain_children)
{
	int client = tcp_connect(variant->family, self->fd), child;

	ASSERT_EQ(tls_attach(self->fd), 0);
	child = accept(self->fd, NULL, NULL);
	ASSERT_GE(child, 0);
	EXPECT_EQ(tls_state(child), SOCKTLS_STATE_PLAIN);
	expect_ping(client, child);
	expect_ping(child, client);
	close(client);
	client = tcp_connect(variant->family, self->fd);
	child = accept(self->fd, NULL, NULL);
	EXPECT_EQ(tls_state(child), SOCKTLS_STATE_PLAIN);
	expect_ping(child, client);
	/* and may become TLS by themselves */
	ASSERT_EQ(tls_set_text(child, SOCKTLS_IDENTITY, "server-ecdsa"), 0);
	start_client(client);
	ASSERT_EQ(tls_start(child, SOCKTLS_SERVER, 0), 0);
	expect_ping(client, child);
}

TEST_F(listener, armed_before_listen_or_not_at_all)
{
	int fd = tcp_socket(AF_INET);

	ASSERT_EQ(tls_attach(fd), 0);
	EXPECT_ERRNO(arm(fd), ENOTCONN);
	/* the options stay with the socket that listens later */
	ASSERT_EQ(tls_set_text(fd, SOCKTLS_IDENTITY, "server-ecdsa"), 0);
	ASSERT_EQ(listen(fd, 8), 0);
	ASSERT_EQ(arm(fd), 0);
	serve_one(fd, AF_INET);
}

TEST(listener_is_only_a_server)
{
	int fd = tcp_listen(AF_INET);

	ASSERT_EQ(tls_attach(fd), 0);
	EXPECT_ERRNO(tls_start(fd, SOCKTLS_CLIENT, 0), EINVAL);
	EXPECT_EQ(arm(fd), 0);
	set_nonblocking(fd, true);
	EXPECT_EQ(arm(fd), 0);
	EXPECT_ERRNO(accept(fd, NULL, NULL), EAGAIN);
}

TEST(listener_children_inherit_its_options)
{
	int fd = tcp_listen(AF_INET), client, child;
	char text[32] = "";
	socklen_t len = sizeof(text);

	tls_prepare_server(fd, "server-ecdsa");
	ASSERT_EQ(tls_set_u32(fd, SOCKTLS_PEER_AUTH,
			      SOCKTLS_PEER_AUTH_REQUEST), 0);
	ASSERT_EQ(tls_set_u32(fd, SOCKTLS_EOF, SOCKTLS_EOF_ALLOW), 0);
	ASSERT_EQ(tls_set_text(fd, SOCKTLS_TRUST, "ca"), 0);
	client = tcp_connect(AF_INET, fd);
	child = accept(fd, NULL, NULL);
	ASSERT_GE(child, 0);
	EXPECT_EQ(get_int(child, SOL_TLS, SOCKTLS_PEER_AUTH),
		  SOCKTLS_PEER_AUTH_REQUEST);
	EXPECT_EQ(get_int(child, SOL_TLS, SOCKTLS_EOF), SOCKTLS_EOF_ALLOW);
	EXPECT_EQ(tls_get(child, SOCKTLS_IDENTITY, text, &len), 0);
	EXPECT_EQ(strcmp(text, "server-ecdsa"), 0);
	/* a child's are its own */
	ASSERT_EQ(tls_set_u32(child, SOCKTLS_EOF, SOCKTLS_EOF_STRICT), 0);
	EXPECT_EQ(get_int(fd, SOL_TLS, SOCKTLS_EOF), SOCKTLS_EOF_ALLOW);
	close(client);
}

TEST(listener_options_are_those_at_accept)
{
	int fd = tcp_listen(AF_INET), client, child;
	struct socktls_info info;

	tls_prepare_server(fd, "unknown-ca");
	ASSERT_EQ(arm(fd), 0);
	client = tcp_connect(AF_INET, fd);
	ASSERT_EQ(tls_set_text(fd, SOCKTLS_IDENTITY, "server-ecdsa"), 0);
	start_client(client);
	child = accept(fd, NULL, NULL);
	expect_ping(client, child);
	tls_info(client, &info);
	EXPECT_TRUE(info.flags & SOCKTLS_INFO_PEER_VERIFIED);
}

TEST(listener_accept_returns_at_once_and_the_first_read_waits)
{
	int fd = tcp_listen(AF_INET), client, child;
	long long start;
	char c;

	tls_prepare_server(fd, "server-ecdsa");
	ASSERT_EQ(arm(fd), 0);
	client = tcp_connect(AF_INET, fd);
	start = now_ms();
	child = accept4(fd, NULL, NULL, SOCK_NONBLOCK);
	EXPECT_LE(now_ms() - start, 1000 * harness_slowness());
	ASSERT_GE(child, 0);
	EXPECT_EQ(tls_state(child), SOCKTLS_STATE_HANDSHAKING);
	EXPECT_ERRNO(read(child, &c, 1), EAGAIN);
	EXPECT_EQ(poll_for(child, POLLIN | POLLOUT, 50), 0);
	EXPECT_ERRNO(tls_start(child, SOCKTLS_SERVER, 0), EALREADY);
	set_nonblocking(child, false);
	if (!fork()) {
		sleep_ms(100);
		start_client(client);
		_exit(write(client, "x", 1) != 1);
	}
	EXPECT_EQ(read(child, &c, 1), 1);
	EXPECT_EQ(tls_start(child, SOCKTLS_SERVER, 0), -1);
	EXPECT_EQ(errno, EISCONN);
}

TEST(listener_deadline_is_its_childrens)
{
	int fd = tcp_listen(AF_INET), client, child;
	char c;

	tls_prepare_server(fd, "server-ecdsa");
	ASSERT_EQ(tls_start(fd, SOCKTLS_SERVER, 300), 0);
	client = tcp_connect(AF_INET, fd);
	child = accept(fd, NULL, NULL);
	ASSERT_GE(child, 0);
	EXPECT_ERRNO(read(child, &c, 1), ETIMEDOUT);
	close(client);
}

TEST(listener_accepts_a_client_that_is_gone)
{
	struct linger linger = { .l_onoff = 1 };
	int fd = tcp_listen(AF_INET), client, child;
	char c;

	tls_prepare_server(fd, "server-ecdsa");
	ASSERT_EQ(arm(fd), 0);
	client = tcp_connect(AF_INET, fd);
	ASSERT_EQ(close(client), 0);
	child = accept(fd, NULL, NULL);
	ASSERT_GE(child, 0);
	EXPECT_ERRNO(read(child, &c, 1), ECONNRESET);
	client = tcp_connect(AF_INET, fd);
	ASSERT_EQ(setsockopt(client, SOL_SOCKET, SO_LINGER, &linger,
			     sizeof(linger)), 0);
	ASSERT_EQ(close(client), 0);
	sleep_ms(20);
	child = accept(fd, NULL, NULL);
	if (child >= 0)
		EXPECT_EQ(read(child, &c, 1), -1);
}

TEST(listener_polls_and_accepts_like_any)
{
	int fd = tcp_listen(AF_INET), client, child;
	struct sockaddr_storage addr;
	socklen_t len = sizeof(addr);

	tls_prepare_server(fd, "server-ecdsa");
	ASSERT_EQ(arm(fd), 0);
	set_nonblocking(fd, true);
	EXPECT_EQ(poll_for(fd, POLLIN, 20), 0);
	EXPECT_ERRNO(accept(fd, NULL, NULL), EAGAIN);
	client = tcp_connect(AF_INET, fd);
	EXPECT_EQ(poll_for(fd, POLLIN, 5000), POLLIN);
	child = accept(fd, (struct sockaddr *)&addr, &len);
	ASSERT_GE(child, 0);
	EXPECT_EQ(addr.ss_family, AF_INET);
	EXPECT_EQ(getsockname(client, (struct sockaddr *)&addr, &len), 0);
}

TEST(listener_without_a_helper_never_gives_a_plain_child)
{
	int fd, client, child;
	struct socktls_error error;
	char c;

	netns_new();
	fd = tcp_listen(AF_INET);
	tls_prepare_server(fd, "server-ecdsa");
	ASSERT_EQ(arm(fd), 0);
	client = tcp_connect(AF_INET, fd);
	ASSERT_EQ(write(client, "plain", 5), 5);
	child = accept(fd, NULL, NULL);
	if (child < 0)
		return;
	EXPECT_EQ(tls_state(child), SOCKTLS_STATE_FAILED);
	EXPECT_ERRNO(read(child, &c, 1), ESRCH);
	EXPECT_ERRNO(write(child, "x", 1), ESRCH);
	tls_error(child, &error);
	EXPECT_EQ(error.error, ESRCH);
	EXPECT_EQ(recv(client, &c, 1, 0) <= 0, 1);
}

/* A child that nobody accepts is freed with its listener. */
FIXTURE(queue) {
	int	fd;
	int	clients[4];
};

FIXTURE_VARIANT(queue) {
	bool	late;		/* attached when they were queued already */
	bool	hello;		/* their ClientHello has come */
};

FIXTURE_VARIANT_ADD(queue, silent) { false, false };
FIXTURE_VARIANT_ADD(queue, with_hello) { false, true };
FIXTURE_VARIANT_ADD(queue, from_before) { true, true };

FIXTURE_SETUP(queue)
{
	unsigned int i;

	self->fd = tcp_listen(AF_INET);
	if (!variant->late) {
		tls_prepare_server(self->fd, "server-ecdsa");
		ASSERT_EQ(arm(self->fd), 0);
	}
	for (i = 0; i < ARRAY_SIZE(self->clients); i++) {
		self->clients[i] = tcp_connect(AF_INET, self->fd);
		if (variant->hello)
			start_client(self->clients[i]);
	}
	if (variant->late) {
		tls_prepare_server(self->fd, "server-ecdsa");
		ASSERT_EQ(arm(self->fd), 0);
	}
	sleep_ms(50);
}

TEST_F(queue, listener_closes_over_it)
{
	char c;

	ASSERT_EQ(close(self->fd), 0);
	EXPECT_EQ(read(self->clients[0], &c, 1), -1);
}

TEST_F(queue, listener_closes_while_children_handshake)
{
	int child = accept(self->fd, NULL, NULL);

	ASSERT_GE(child, 0);
	ASSERT_EQ(close(self->fd), 0);
	ASSERT_EQ(close(child), 0);
}

TEST_F(queue, listener_is_shut_down_over_it)
{
	ASSERT_EQ(shutdown(self->fd, SHUT_RDWR), 0);
	EXPECT_EQ(accept(self->fd, NULL, NULL), -1);
	ASSERT_EQ(close(self->fd), 0);
}

TEST(listener_serves_again_after_shutdown_and_listen)
{
	int fd = tcp_listen(AF_INET);

	tls_prepare_server(fd, "server-ecdsa");
	ASSERT_EQ(arm(fd), 0);
	serve_one(fd, AF_INET);
	ASSERT_EQ(shutdown(fd, SHUT_RDWR), 0);
	ASSERT_EQ(listen(fd, 8), 0);
	serve_one(fd, AF_INET);
}

/*
 * TCP Fast Open (RFC 7413) without cookies, on a wire so slow that the child is
 * accepted, and the handshake begins, before the third segment has come.
 */
TEST_TIMEOUT(listener_serves_a_fast_open_client, 60)
{
	struct tcp_info info;
	socklen_t len = sizeof(info);
	struct sockaddr_storage addr;
	socklen_t addr_len = sizeof(addr);
	struct peer peer = { 0 };
	char buf[4];
	int fd, child;

	netns_new();
	file_write("/proc/sys/net/ipv4/tcp_fastopen", "519");
	ASSERT_EQ(system("tc qdisc add dev lo root netem delay 300ms"), 0);
	helper_start();
	fd = tcp_listen(AF_INET);
	set_int(fd, SOL_TCP, TCP_FASTOPEN, 8);
	tls_prepare_server(fd, "server-ecdsa");
	ASSERT_EQ(arm(fd), 0);

	peer.fd = tcp_socket(AF_INET);
	set_int(peer.fd, SOL_TCP, TCP_FASTOPEN_CONNECT, 1);
	ASSERT_EQ(getsockname(fd, (struct sockaddr *)&addr, &addr_len), 0);
	ASSERT_EQ(connect(peer.fd, (struct sockaddr *)&addr, addr_len), 0);
	peer_start(&peer);
	child = accept(fd, NULL, NULL);
	ASSERT_GE(child, 0);
	ASSERT_EQ(getsockopt(child, SOL_TCP, TCP_INFO, &info, &len), 0);
	EXPECT_EQ(info.tcpi_state, TCP_SYN_RECV);
	EXPECT_EQ(tls_state(child), SOCKTLS_STATE_HANDSHAKING);
	ASSERT_TRUE(peer_join(&peer));
	ASSERT_TRUE(peer_write(&peer, "ping", 4));
	ASSERT_TRUE(read_all(child, buf, 4));
	EXPECT_EQ(memcmp(buf, "ping", 4), 0);
	ASSERT_TRUE(write_all(child, "pong", 4));
	ASSERT_TRUE(peer_read(&peer, buf, 4));
	EXPECT_EQ(memcmp(buf, "pong", 4), 0);
}

static int listen_beside(int other)
{
	struct sockaddr_storage addr;
	socklen_t len = sizeof(addr);
	int fd = tcp_socket(AF_INET);

	set_int(fd, SOL_SOCKET, SO_REUSEPORT, 1);
	if (other < 0) {
		addr = (struct sockaddr_storage){ .ss_family = AF_INET };
		len = sizeof(struct sockaddr_in);
	} else {
		ASSERT_EQ(getsockname(other, (struct sockaddr *)&addr, &len), 0);
	}
	ASSERT_EQ(bind(fd, (struct sockaddr *)&addr, len), 0);
	ASSERT_EQ(listen(fd, 8), 0);
	return fd;
}

/* net.ipv4.tcp_migrate_req: it goes to a listener that knows nothing of TLS. */
TEST(child_that_migrates_to_a_plain_listener_is_plain)
{
	int fd, other, client, child;
	char name[16] = "";
	socklen_t len = sizeof(name);

	netns_new();
	file_write("/proc/sys/net/ipv4/tcp_migrate_req", "1");
	fd = listen_beside(-1);
	tls_prepare_server(fd, "server-ecdsa");
	ASSERT_EQ(arm(fd), 0);
	client = tcp_connect(AF_INET, fd);
	other = listen_beside(fd);
	ASSERT_EQ(close(fd), 0);
	child = accept(other, NULL, NULL);
	ASSERT_GE(child, 0);
	EXPECT_EQ(getsockopt(child, SOL_TCP, TCP_ULP, name, &len), 0);
	EXPECT_EQ(len, 0);
	expect_ping(client, child);
	expect_ping(child, client);
	EXPECT_EQ(tls_attach(child), 0);
}

int main(int argc, char **argv)
{
	return harness_main(argc, argv);
}
