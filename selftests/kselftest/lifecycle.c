// SPDX-License-Identifier: MIT
/* Helpers that come and go, processes that end, and what is left behind. */
#include "util.h"

#include <sys/syscall.h>
#include <sys/un.h>

/* ---- without a helper ---- */

FIXTURE(netns) {
	struct pair	pair;
};

FIXTURE_SETUP(netns)
{
	netns_new();
	tcp_pair(AF_INET, &self->pair.client, &self->pair.server);
	tls_prepare_client(self->pair.client);
	tls_prepare_server(self->pair.server, "server-ecdsa");
}

TEST_F(netns, without_helper_is_esrch_at_once)
{
	long long start = now_ms();

	EXPECT_ERRNO(tls_start(self->pair.client, SOCKTLS_CLIENT, 0), ESRCH);
	set_nonblocking(self->pair.client, true);
	EXPECT_ERRNO(tls_start(self->pair.client, SOCKTLS_CLIENT, 0), ESRCH);
	EXPECT_LE(now_ms() - start, 1000);
	/* nothing has happened to the socket */
	EXPECT_EQ(tls_state(self->pair.client), SOCKTLS_STATE_PLAIN);
	expect_ping(self->pair.client, self->pair.server);
}

TEST_F(netns, with_a_helper_started_later_works)
{
	EXPECT_ERRNO(tls_start(self->pair.client, SOCKTLS_CLIENT, 0), ESRCH);
	helper_start();
	tls_handshake(&self->pair);
	expect_ping(self->pair.client, self->pair.server);
}

/* ---- a helper that dies ---- */

TEST_F_TIMEOUT(netns, helper_killed_in_a_transfer_changes_nothing, 120)
{
	size_t mib = 1 << 20, len = (harness_slowness() > 1 ? 16 : 64) * mib;
	struct flow out = {
		.fd = self->pair.client, .len = len, .writing = true,
	};
	struct flow in = { .fd = self->pair.server, .len = len };
	pid_t helper = helper_start();

	tls_handshake(&self->pair);
	flow_start(&out);
	flow_start(&in);
	while (atomic_load(&in.done) < len / 8)
		sleep_ms(1);
	helper_kill(helper);
	EXPECT_LE(atomic_load(&in.done), len / 8 * 7);
	EXPECT_TRUE(flow_join(&out));
	EXPECT_TRUE(flow_join(&in));
	expect_ping(self->pair.server, self->pair.client);
	EXPECT_EQ(shutdown(self->pair.client, SHUT_WR), 0);
	EXPECT_EQ(read(self->pair.server, &len, 1), 0);
}

TEST_F(netns, helper_killed_in_a_handshake_aborts_it)
{
	struct starter starter = {
		.fd = self->pair.client, .role = SOCKTLS_CLIENT,
	};
	pid_t helper = helper_start();
	struct socktls_error error;

	starter_start(&starter);
	/* its ClientHello is out: the helper has an engine for it */
	wait_for_events(self->pair.server, POLLIN);
	helper_kill(helper);
	EXPECT_ERRNO(starter_join(&starter), ECONNABORTED);
	tls_error(self->pair.client, &error);
	EXPECT_EQ(error.error, ECONNABORTED);
	EXPECT_NE(error.text[0], 0);
}

/* It has the engine, and an item that it has not asked for yet. */
TEST_F(netns, helper_killed_with_an_item_waiting_aborts_it)
{
	struct starter starter = {
		.fd = self->pair.client, .role = SOCKTLS_CLIENT,
	};
	pid_t helper = helper_start();
	long long start;

	starter_start(&starter);
	wait_for_events(self->pair.server, POLLIN);
	ASSERT_EQ(kill(helper, SIGSTOP), 0);
	/* a record of type handshake */
	ASSERT_EQ(write(self->pair.server, "\x16\x03\x03\x00\x04\x02\x00\x00\x01",
			9), 9);
	sleep_ms(300);
	start = now_ms();
	helper_kill(helper);
	EXPECT_ERRNO(starter_join(&starter), ECONNABORTED);
	EXPECT_LE(now_ms() - start, 5000);
}

TEST_F(netns, helper_that_had_not_answered_is_replaced)
{
	pid_t helper = helper_start();

	ASSERT_EQ(kill(helper, SIGSTOP), 0);
	set_nonblocking(self->pair.client, true);
	ASSERT_ERRNO(tls_start(self->pair.client, SOCKTLS_CLIENT, 0),
		     EINPROGRESS);
	set_nonblocking(self->pair.client, false);
	sleep_ms(150);
	helper_start();
	helper_kill(helper);
	ASSERT_EQ(tls_start(self->pair.server, SOCKTLS_SERVER, 0), 0);
	expect_ping(self->pair.server, self->pair.client);
}

TEST_F(netns, helper_that_is_stuck_runs_into_the_deadline)
{
	pid_t helper = helper_start();

	ASSERT_EQ(kill(helper, SIGSTOP), 0);
	EXPECT_ERRNO(tls_start(self->pair.client, SOCKTLS_CLIENT, 300),
		     ETIMEDOUT);
	ASSERT_EQ(kill(helper, SIGCONT), 0);
	tls_pair(AF_INET, &self->pair);
	expect_ping(self->pair.client, self->pair.server);
}

TEST_F(netns, helper_restarted_serves_new_connections)
{
	struct pair second;
	pid_t helper = helper_start();

	tls_handshake(&self->pair);
	helper_kill(helper);
	tcp_pair(AF_INET, &second.client, &second.server);
	tls_prepare_client(second.client);
	EXPECT_ERRNO(tls_start(second.client, SOCKTLS_CLIENT, 0), ESRCH);
	helper_start();
	tls_prepare_server(second.server, "server-ecdsa");
	tls_handshake(&second);
	expect_ping(second.client, second.server);
	expect_ping(self->pair.client, self->pair.server);
}

TEST_F(netns, exporter_is_stale_once_its_helper_is_gone)
{
	uint8_t one[32], other[32];
	struct pair second;
	pid_t helper = helper_start();

	tls_handshake(&self->pair);
	ASSERT_EQ(tls_export(self->pair.client, "x", one, sizeof(one)), 0);
	ASSERT_EQ(tls_export(self->pair.server, "x", other, sizeof(other)), 0);
	EXPECT_EQ(memcmp(one, other, sizeof(one)), 0);
	helper_kill(helper);
	EXPECT_ERRNO(tls_export(self->pair.client, "x", one, sizeof(one)),
		     ESRCH);
	helper_start();
	EXPECT_ERRNO(tls_export(self->pair.client, "x", one, sizeof(one)),
		     ESTALE);
	tls_pair(AF_INET, &second);
	EXPECT_EQ(tls_export(second.client, "x", one, sizeof(one)), 0);
	expect_ping(self->pair.client, self->pair.server);
}

TEST_F(netns, two_helpers_share_the_work)
{
	pid_t first = helper_start();
	struct pair pair;
	int i;

	helper_start();
	for (i = 0; i < 6; i++)
		tls_pair(AF_INET, &pair);
	helper_kill(first);
	for (i = 0; i < 3; i++)
		tls_pair(AF_INET, &pair);
}

TEST(silent_peers_keep_nobody_from_a_handshake)
{
	struct pair pairs[64], pair;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(pairs); i++) {
		tcp_pair(AF_INET, &pairs[i].client, &pairs[i].server);
		tls_prepare_client(pairs[i].client);
		set_nonblocking(pairs[i].client, true);
		ASSERT_ERRNO(tls_start(pairs[i].client, SOCKTLS_CLIENT, 0),
			     EINPROGRESS);
	}
	tls_pair(AF_INET, &pair);
	expect_ping(pair.client, pair.server);
}

/* ---- processes ---- */

TEST(fork_shares_a_connection)
{
	struct pair pair;
	char buf[8];
	int status;
	pid_t pid;

	tls_pair(AF_INET, &pair);
	pid = fork();
	if (!pid)
		_exit(write(pair.client, "child", 5) != 5);
	ASSERT_EQ(waitpid(pid, &status, 0), pid);
	EXPECT_EQ(status, 0);
	ASSERT_TRUE(read_all(pair.server, buf, 5));
	/* the child's exit has not closed it */
	expect_ping(pair.client, pair.server);
	expect_ping(pair.server, pair.client);
}

static int pass_fd(int fd)
{
	union {
		char		buf[CMSG_SPACE(sizeof(int))];
		struct cmsghdr	align;
	} control = { 0 };
	char c = 'x';
	struct iovec iov = { &c, 1 };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);
	int sv[2];

	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = SCM_RIGHTS;
	cmsg->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(cmsg), &fd, sizeof(fd));
	ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, sv), 0);
	ASSERT_EQ(sendmsg(sv[0], &msg, 0), 1);
	ASSERT_EQ(recvmsg(sv[1], &msg, 0), 1);
	memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&msg)), sizeof(fd));
	return fd;
}

TEST(passed_descriptor_is_the_connection)
{
	struct pair pair;
	int fd;

	tls_pair(AF_INET, &pair);
	fd = pass_fd(pair.client);
	ASSERT_NE(fd, pair.client);
	ASSERT_EQ(close(pair.client), 0);
	expect_ping(fd, pair.server);
}

TEST(killed_process_ends_its_connections_properly)
{
	struct pair pair;
	pid_t pid;
	char c;

	tls_pair(AF_INET, &pair);
	pid = fork();
	if (!pid) {
		write(pair.client, "x", 1);
		pause();
	}
	close(pair.client);
	ASSERT_EQ(read(pair.server, &c, 1), 1);
	ASSERT_EQ(kill(pid, SIGKILL), 0);
	EXPECT_EQ(read(pair.server, &c, 1), 0);
}

TEST(close_with_linger_zero_is_a_reset)
{
	struct linger linger = { .l_onoff = 1 };
	struct pair pair;
	char c;

	tls_pair(AF_INET, &pair);
	ASSERT_EQ(setsockopt(pair.client, SOL_SOCKET, SO_LINGER, &linger,
			     sizeof(linger)), 0);
	ASSERT_EQ(close(pair.client), 0);
	sleep_ms(20);
	/* close_notify may still have got through */
	EXPECT_LE(read(pair.server, &c, 1), 0);
	EXPECT_LE(read(pair.server, &c, 1), 0);
}

/* ---- what is left ---- */

TEST(module_cannot_go_while_a_socket_is_open)
{
	int fd = tcp_socket(AF_INET);

	ASSERT_EQ(tls_attach(fd), 0);
	EXPECT_EQ(syscall(SYS_delete_module, "socktls", O_NONBLOCK), -1);
	EXPECT_EQ(errno, EAGAIN);
}

static void close_pair(const struct pair *pair)
{
	ASSERT_EQ(close(pair->client), 0);
	ASSERT_EQ(close(pair->server), 0);
}

TEST(connection_closed_leaves_nothing)
{
	long before = socktls_objects_settle(0);
	struct pair pair;

	tls_pair(AF_INET6, &pair);
	EXPECT_GE(socktls_objects(), before + 2);
	expect_ping(pair.client, pair.server);
	ASSERT_EQ(write(pair.client, "unread", 6), 6);
	wait_for_events(pair.server, POLLIN);
	ASSERT_EQ(send(pair.server, "open", 4, MSG_MORE), 4);
	close_pair(&pair);
	EXPECT_EQ(socktls_objects_settle(before), before);
}

TEST(handshakes_broken_off_anywhere_leave_nothing)
{
	long before = socktls_objects_settle(0);
	int i;

	for (i = 0; i < 60; i++) {
		struct pair pair;

		tcp_pair(AF_INET, &pair.client, &pair.server);
		tls_prepare_client(pair.client);
		tls_prepare_server(pair.server, "server-ecdsa");
		set_nonblocking(pair.client, true);
		set_nonblocking(pair.server, true);
		tls_start(pair.server, SOCKTLS_SERVER, 0);
		tls_start(pair.client, SOCKTLS_CLIENT, 0);
		sleep_ms(i % 20 * 2);
		if (i % 3 == 1)
			shutdown(pair.client, SHUT_RDWR);
		if (i % 3 == 2)
			shutdown(pair.server, SHUT_WR);
		close_pair(&pair);
	}
	EXPECT_EQ(socktls_objects_settle(before), before);
}

TEST(namespace_that_ends_leaves_nothing)
{
	long before = socktls_objects_settle(0);
	struct pair pair;
	pid_t pid = fork();

	if (!pid) {
		netns_new();
		helper_start();
		tls_pair(AF_INET, &pair);
		tcp_pair(AF_INET, &pair.client, &pair.server);
		tls_prepare_client(pair.client);
		set_nonblocking(pair.client, true);
		tls_start(pair.client, SOCKTLS_CLIENT, 0);
		kill(0, SIGKILL);
	}
	ASSERT_EQ(setpgid(pid, pid), 0);
	ASSERT_EQ(waitpid(pid, NULL, 0), pid);
	EXPECT_EQ(socktls_objects_settle(before), before);
}

/* "socktls status" walks connections whose options change and that go. */
TEST(connections_are_listed_while_they_change)
{
	char command[4096], name[32];
	pid_t pid;
	int i, status;

	snprintf(command, sizeof(command), "%s", getenv("SOCKTLS_TEST_HELPER"));
	/* socktlsd's neighbour */
	command[strlen(command) - 1] = 0;
	strcat(command, " status > /dev/null");
	pid = fork();
	if (!pid) {
		for (i = 0; i < 20; i++)
			if (system(command))
				_exit(1);
		_exit(0);
	}
	for (i = 0; !waitpid(pid, &status, WNOHANG); i++) {
		int fd = tcp_socket(AF_INET);

		ASSERT_EQ(tls_attach(fd), 0);
		snprintf(name, sizeof(name), "name%d.example", i);
		ASSERT_EQ(tls_set_text(fd, SOCKTLS_SERVER_NAME, name), 0);
		ASSERT_EQ(tls_set_text(fd, SOCKTLS_SERVER_NAME, "b"), 0);
		close(fd);
	}
	EXPECT_EQ(status, 0);
}

TEST_TIMEOUT(thousand_connections_leave_nothing, 300)
{
	long before = socktls_objects_settle(0);
	int listener = tcp_listen(AF_INET), i;

	tls_prepare_server(listener, "server-ecdsa");
	ASSERT_EQ(tls_start(listener, SOCKTLS_SERVER, 0), 0);
	for (i = 0; i < 1000; i++) {
		int client = tcp_connect(AF_INET, listener), child;
		char c;

		tls_prepare_client(client);
		child = accept(listener, NULL, NULL);
		ASSERT_GE(child, 0);
		ASSERT_EQ(tls_start(client, SOCKTLS_CLIENT, 0), 0);
		ASSERT_EQ(write(client, "x", 1), 1);
		ASSERT_EQ(read(child, &c, 1), 1);
		/* each side begins half of the time */
		ASSERT_EQ(close(i % 2 ? client : child), 0);
		ASSERT_EQ(close(i % 2 ? child : client), 0);
	}
	ASSERT_EQ(close(listener), 0);
	EXPECT_EQ(socktls_objects_settle(before), before);
}

int main(int argc, char **argv)
{
	return harness_main(argc, argv);
}
