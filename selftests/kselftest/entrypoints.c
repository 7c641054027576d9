// SPDX-License-Identifier: MIT
/* Nothing reaches raw TCP past the record layer: the table of kmod/protos.c. */
#include "util.h"

#include <asm/ioctls.h>
#include <linux/sockios.h>
#include <sys/mman.h>

#ifndef MSG_ZEROCOPY
#define MSG_ZEROCOPY	0x4000000
#endif
#ifndef SO_ZEROCOPY
#define SO_ZEROCOPY	60
#endif

FIXTURE(tls) {
	struct pair	pair;
	int		fd;
};

FIXTURE_SETUP(tls)
{
	tls_pair(AF_INET, &self->pair);
	self->fd = self->pair.client;
}

TEST_F(tls, urgent_data_is_refused)
{
	char c;

	EXPECT_ERRNO(send(self->fd, "x", 1, MSG_OOB), EOPNOTSUPP);
	EXPECT_ERRNO(recv(self->fd, &c, 1, MSG_OOB), EOPNOTSUPP);
	expect_ping(self->pair.client, self->pair.server);
}

TEST_F(tls, zerocopy_send_is_refused)
{
	set_int(self->fd, SOL_SOCKET, SO_ZEROCOPY, 1);
	EXPECT_ERRNO(send(self->fd, "x", 1, MSG_ZEROCOPY), EOPNOTSUPP);
	expect_ping(self->pair.client, self->pair.server);
}

TEST_F(tls, fast_open_send_is_refused)
{
	EXPECT_ERRNO(send(self->fd, "x", 1, MSG_FASTOPEN), EOPNOTSUPP);
}

TEST_F(tls, error_queue_is_empty)
{
	char c;

	EXPECT_ERRNO(recv(self->fd, &c, 1, MSG_ERRQUEUE), EAGAIN);
}

TEST_F(tls, zerocopy_receive_is_refused)
{
	struct tcp_zerocopy_receive zc = { 0 };
	socklen_t len = sizeof(zc);

	EXPECT_ERRNO(getsockopt(self->fd, SOL_TCP, TCP_ZEROCOPY_RECEIVE, &zc,
				&len), EOPNOTSUPP);
}

TEST_F(tls, mmap_is_refused)
{
	EXPECT_EQ((long)mmap(NULL, 4096, PROT_READ, MAP_SHARED, self->fd, 0),
		  -1);
	EXPECT_EQ(errno, EOPNOTSUPP);
}

TEST_F(tls, repair_is_refused)
{
	EXPECT_ERRNO(setsockopt(self->fd, SOL_TCP, TCP_REPAIR, &(int){ 1 }, 4),
		     EOPNOTSUPP);
	EXPECT_ERRNO(setsockopt(self->fd, SOL_TCP, TCP_REPAIR_QUEUE,
				&(int){ 1 }, 4), EOPNOTSUPP);
	EXPECT_ERRNO(setsockopt(self->fd, SOL_TCP, TCP_QUEUE_SEQ, &(int){ 1 },
				4), EOPNOTSUPP);
}

/* It would put the socket back on TCP's own functions. */
TEST(tls_addrform_is_refused)
{
	struct pair pair;
	int family = AF_INET;

	tls_pair(FAMILY_MAPPED, &pair);
	EXPECT_EQ(setsockopt(pair.client, IPPROTO_IPV6, IPV6_ADDRFORM, &family,
			     sizeof(family)), -1);
	EXPECT_EQ(errno, EBUSY);
	expect_ping(pair.client, pair.server);
}

TEST_F(tls, another_ulp_is_refused)
{
	EXPECT_ERRNO(setsockopt(self->fd, SOL_TCP, TCP_ULP, "tls", 3), EEXIST);
	EXPECT_ERRNO(tls_attach(self->fd), EEXIST);
}

TEST_F(tls, disconnect_is_refused)
{
	struct sockaddr any = { .sa_family = AF_UNSPEC };

	EXPECT_ERRNO(connect(self->fd, &any, sizeof(any)), EOPNOTSUPP);
	expect_ping(self->pair.client, self->pair.server);
}

TEST_F(tls, connect_again_is_refused)
{
	struct sockaddr_storage addr;
	socklen_t len = sizeof(addr);

	ASSERT_EQ(getpeername(self->fd, (struct sockaddr *)&addr, &len), 0);
	EXPECT_ERRNO(connect(self->fd, (struct sockaddr *)&addr, len), EISCONN);
	EXPECT_ERRNO(listen(self->fd, 1), EINVAL);
}

TEST_F(tls, ioctls_serve_counts_only)
{
	int n = -1;

	EXPECT_EQ(ioctl(self->fd, FIONREAD, &n), 0);
	EXPECT_EQ(n, 0);
	EXPECT_EQ(ioctl(self->fd, SIOCOUTQ, &n), 0);
	EXPECT_ERRNO(ioctl(self->fd, SIOCATMARK, &n), ENOTTY);
	EXPECT_ERRNO(ioctl(self->fd, SIOCOUTQNSD, &n), ENOTTY);
	EXPECT_ERRNO(ioctl(self->fd, TCGETS, &n), ENOTTY);
	EXPECT_ERRNO(ioctl(self->fd, FIONREAD, BAD_MEMORY), EFAULT);
}

TEST_F(tls, peek_offset_is_refused)
{
	/* either refused, or peeking would have to honour it */
	EXPECT_EQ(setsockopt(self->fd, SOL_SOCKET, SO_PEEK_OFF, &(int){ 0 },
			     4), -1);
}

TEST_F(tls, accept_on_a_connection_is_refused)
{
	EXPECT_ERRNO(accept(self->fd, NULL, NULL), EINVAL);
}

TEST_F(tls, record_types_are_the_kernels)
{
	char control[CMSG_SPACE(1)] = "";
	struct iovec iov = { "x", 1 };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control,
		.msg_controllen = sizeof(control),
	};
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);

	cmsg->cmsg_level = SOL_TLS;
	cmsg->cmsg_type = 1;	/* TLS_SET_RECORD_TYPE */
	cmsg->cmsg_len = CMSG_LEN(1);
	*CMSG_DATA(cmsg) = 22;
	EXPECT_ERRNO(sendmsg(self->fd, &msg, 0), EINVAL);
	expect_ping(self->pair.client, self->pair.server);
}

/* The same while the handshake is under way. */
FIXTURE(hs) {
	struct pair	pair;
	int		fd;
};

FIXTURE_SETUP(hs)
{
	tcp_pair(AF_INET, &self->pair.client, &self->pair.server);
	self->fd = self->pair.client;
	tls_prepare_client(self->fd);
	set_nonblocking(self->fd, true);
	ASSERT_ERRNO(tls_start(self->fd, SOCKTLS_CLIENT, 0), EINPROGRESS);
}

TEST_F(hs, nothing_gets_past_it)
{
	struct tcp_zerocopy_receive zc = { 0 };
	struct sockaddr any = { .sa_family = AF_UNSPEC };
	socklen_t len = sizeof(zc);
	int n = -1, pipes[2];
	char c;

	EXPECT_EQ(send(self->fd, "x", 1, MSG_OOB), -1);
	EXPECT_EQ(recv(self->fd, &c, 1, MSG_OOB), -1);
	EXPECT_EQ(send(self->fd, "x", 1, MSG_ZEROCOPY), -1);
	EXPECT_ERRNO(getsockopt(self->fd, SOL_TCP, TCP_ZEROCOPY_RECEIVE, &zc,
				&len), EOPNOTSUPP);
	EXPECT_ERRNO(connect(self->fd, &any, sizeof(any)), EOPNOTSUPP);
	EXPECT_EQ(ioctl(self->fd, FIONREAD, &n), 0);
	EXPECT_EQ(n, 0);
	EXPECT_ERRNO(ioctl(self->fd, SIOCATMARK, &n), ENOTTY);
	EXPECT_ERRNO(setsockopt(self->fd, SOL_TCP, TCP_REPAIR, &(int){ 1 }, 4),
		     EOPNOTSUPP);
	ASSERT_EQ(pipe(pipes), 0);
	EXPECT_ERRNO(splice(self->fd, NULL, pipes[1], NULL, 1, 0), EAGAIN);
}

/* A dead connection stays dead: nothing may go out in plaintext. */
TEST_F(hs, nothing_gets_past_its_failure)
{
	char buf[2048];
	ssize_t n, sum = 0;
	int fds[2];

	EXPECT_EQ(shutdown(self->fd, SHUT_RDWR), 0);
	signal(SIGPIPE, SIG_IGN);
	EXPECT_EQ(write(self->fd, "secret", 6), -1);
	EXPECT_EQ(read(self->fd, buf, 1), -1);
	ASSERT_EQ(pipe(fds), 0);
	ASSERT_EQ(write(fds[1], "secret", 6), 6);
	EXPECT_EQ(splice(fds[0], NULL, self->fd, NULL, 6, 0), -1);
	EXPECT_EQ(tls_start(self->fd, SOCKTLS_CLIENT, 0), -1);
	close(self->fd);
	while ((n = read(self->pair.server, buf, sizeof(buf))) > 0) {
		EXPECT_EQ(memmem(buf, n, "secret", 6), NULL);
		sum += n;
	}
	EXPECT_GE(sum, 1);
}

/* They speak plain TCP, whatever the listener would rather speak. */
TEST(plain_clients_of_an_mptcp_listener_are_attached)
{
	static const int families[] = { AF_INET, AF_INET6 };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(families); i++) {
		struct sockaddr_storage any = { .ss_family = families[i] };
		int fd = socket(families[i], SOCK_STREAM, IPPROTO_MPTCP);
		struct pair pair;

		ASSERT_GE(fd, 0);
		ASSERT_EQ(bind(fd, (struct sockaddr *)&any, sizeof(any)), 0);
		ASSERT_EQ(listen(fd, 1), 0);
		pair.client = tcp_connect(families[i], fd);
		pair.server = accept(fd, NULL, NULL);
		ASSERT_GE(pair.server, 0);
		tls_prepare_server(pair.server, "server-ecdsa");
		tls_prepare_client(pair.client);
		tls_handshake(&pair);
		expect_ping(pair.client, pair.server);
		expect_ping(pair.server, pair.client);
		close(pair.server);
		close(pair.client);
		close(fd);
	}
}

int main(int argc, char **argv)
{
	return harness_main(argc, argv);
}
