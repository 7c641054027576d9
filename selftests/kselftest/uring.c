// SPDX-License-Identifier: MIT
/* io_uring on TLS sockets. */
#include "util.h"

#include <liburing.h>

FIXTURE(uring) {
	struct pair	pair;
	struct io_uring	ring;
	char		buf[65536], in[65536];
};

FIXTURE_SETUP(uring)
{
	int err = io_uring_queue_init(32, &self->ring, 0);

	if (err == -ENOSYS || err == -EPERM)
		harness_skip("this kernel has no io_uring");
	ASSERT_EQ(err, 0);
	tls_pair(AF_INET, &self->pair);
	pattern_fill(self->buf, sizeof(self->buf), 0);
}

static struct io_uring_sqe *sqe(struct fixture_uring *self)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(&self->ring);

	ASSERT_NE(sqe, NULL);
	return sqe;
}

static int wait_result(struct fixture_uring *self, uintptr_t tag)
{
	struct io_uring_cqe *cqe;
	int res;

	ASSERT_EQ(io_uring_wait_cqe(&self->ring, &cqe), 0);
	ASSERT_EQ((uintptr_t)cqe->user_data, tag);
	res = cqe->res;
	io_uring_cqe_seen(&self->ring, cqe);
	return res;
}

static int result(struct fixture_uring *self, uintptr_t tag)
{
	ASSERT_GE(io_uring_submit(&self->ring), 0);
	return wait_result(self, tag);
}

TEST_F(uring, send_and_receive)
{
	struct io_uring_sqe *s = sqe(self);

	io_uring_prep_send(s, self->pair.client, self->buf, 1000, 0);
	s->user_data = 1;
	EXPECT_EQ(result(self, 1), 1000);
	s = sqe(self);
	io_uring_prep_recv(s, self->pair.server, self->in, 65536, 0);
	s->user_data = 2;
	EXPECT_EQ(result(self, 2), 1000);
	EXPECT_TRUE(pattern_ok(self->in, 1000, 0));
}

/* Nothing is there: the ring polls, and the poll opens the record. */
TEST_F(uring, receive_that_waits)
{
	struct io_uring_sqe *s = sqe(self);

	io_uring_prep_recv(s, self->pair.server, self->in, 65536, 0);
	s->user_data = 1;
	ASSERT_EQ(io_uring_submit(&self->ring), 1);
	sleep_ms(50);
	ASSERT_EQ(write(self->pair.client, self->buf, 1000), 1000);
	EXPECT_EQ(wait_result(self, 1), 1000);
	EXPECT_TRUE(pattern_ok(self->in, 1000, 0));
	/* a ticket or other control record is no completion: the end is */
	s = sqe(self);
	io_uring_prep_recv(s, self->pair.server, self->in, 65536, 0);
	s->user_data = 2;
	ASSERT_EQ(io_uring_submit(&self->ring), 1);
	ASSERT_EQ(shutdown(self->pair.client, SHUT_WR), 0);
	EXPECT_EQ(wait_result(self, 2), 0);
}

TEST_F(uring, waitall_on_both_sides_moves_all_of_it)
{
	size_t len = sizeof(self->buf);
	struct io_uring_sqe *s = sqe(self);
	int i, total = 0;

	io_uring_prep_recv(s, self->pair.server, self->in, len, MSG_WAITALL);
	s->user_data = 1;
	s = sqe(self);
	io_uring_prep_send(s, self->pair.client, self->buf, len, MSG_WAITALL);
	s->user_data = 1;
	ASSERT_EQ(io_uring_submit(&self->ring), 2);
	for (i = 0; i < 2; i++)
		total += wait_result(self, 1);
	EXPECT_EQ(total, 2 * len);
	EXPECT_TRUE(pattern_ok(self->in, len, 0));
}

TEST_F(uring, messages_with_several_buffers)
{
	struct iovec out[3] = {
		{ self->buf, 1 }, { self->buf + 1, 4095 },
		{ self->buf + 4096, 904 },
	};
	struct iovec in[2] = { { self->in, 3000 }, { self->in + 3000, 2000 } };
	struct msghdr to = { .msg_iov = out, .msg_iovlen = 3 };
	struct msghdr from = { .msg_iov = in, .msg_iovlen = 2 };
	struct io_uring_sqe *s = sqe(self);

	io_uring_prep_sendmsg(s, self->pair.client, &to, 0);
	s->user_data = 1;
	EXPECT_EQ(result(self, 1), 5000);
	s = sqe(self);
	io_uring_prep_recvmsg(s, self->pair.server, &from, MSG_WAITALL);
	s->user_data = 2;
	EXPECT_EQ(result(self, 2), 5000);
	EXPECT_TRUE(pattern_ok(self->in, 5000, 0));
}

TEST_F(uring, linked_sends_keep_their_order)
{
	int i;

	for (i = 0; i < 16; i++) {
		struct io_uring_sqe *s = sqe(self);

		io_uring_prep_send(s, self->pair.client, self->buf + 1000 * i,
				   1000, MSG_WAITALL);
		s->user_data = 3;
		if (i < 15)
			s->flags |= IOSQE_IO_LINK;
	}
	ASSERT_EQ(io_uring_submit(&self->ring), 16);
	for (i = 0; i < 16; i++)
		EXPECT_EQ(wait_result(self, 3), 1000);
	ASSERT_TRUE(read_all(self->pair.server, self->in, 16000));
	EXPECT_TRUE(pattern_ok(self->in, 16000, 0));
}

TEST_F(uring, splices_in_and_out)
{
	struct io_uring_sqe *s;
	int p[2], q[2];

	ASSERT_EQ(pipe(p), 0);
	ASSERT_EQ(pipe(q), 0);
	ASSERT_EQ(write(p[1], self->buf, 5000), 5000);
	s = sqe(self);
	io_uring_prep_splice(s, p[0], -1, self->pair.client, -1, 5000, 0);
	s->user_data = 1;
	EXPECT_EQ(result(self, 1), 5000);
	s = sqe(self);
	io_uring_prep_splice(s, self->pair.server, -1, q[1], -1, 5000, 0);
	s->user_data = 2;
	EXPECT_EQ(result(self, 2), 5000);
	ASSERT_TRUE(read_all(q[0], self->in, 5000));
	EXPECT_TRUE(pattern_ok(self->in, 5000, 0));
}

TEST_F(uring, polls)
{
	struct io_uring_sqe *s = sqe(self);

	io_uring_prep_poll_add(s, self->pair.server, POLLIN);
	s->user_data = 1;
	ASSERT_EQ(io_uring_submit(&self->ring), 1);
	ASSERT_EQ(write(self->pair.client, "x", 1), 1);
	EXPECT_EQ(wait_result(self, 1) & POLLIN, POLLIN);
	EXPECT_EQ(recv(self->pair.server, self->in, 1, MSG_DONTWAIT), 1);
}

TEST_F(uring, request_that_is_cancelled_takes_nothing)
{
	struct io_uring_sqe *s = sqe(self);
	struct io_uring_cqe *cqe;
	int i;

	io_uring_prep_recv(s, self->pair.server, self->in, 100, 0);
	s->user_data = 1;
	ASSERT_EQ(io_uring_submit(&self->ring), 1);
	sleep_ms(20);
	s = sqe(self);
	io_uring_prep_cancel64(s, 1, 0);
	s->user_data = 2;
	ASSERT_EQ(io_uring_submit(&self->ring), 1);
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(io_uring_wait_cqe(&self->ring, &cqe), 0);
		EXPECT_EQ(cqe->res, cqe->user_data == 1 ? -ECANCELED : 0);
		io_uring_cqe_seen(&self->ring, cqe);
	}
	expect_ping(self->pair.client, self->pair.server);
}

static int count_by_command(struct fixture_uring *self, int fd)
{
	struct io_uring_sqe *s = sqe(self);

	memset(s, 0, sizeof(*s));
	s->opcode = 46;		/* IORING_OP_URING_CMD */
	s->fd = fd;
	s->off = 0;		/* SOCKET_URING_OP_SIOCINQ */
	s->user_data = 1;
	return result(self, 1);
}

/*
 * It asks the proto, past the proto_ops. Before 6.7 the files of sockets have no
 * commands (-EOPNOTSUPP), plain ones neither; where those have, so must ours.
 */
TEST_F(uring, counts_plaintext)
{
	struct pair plain;
	int n;

	tcp_pair(AF_INET, &plain.client, &plain.server);
	n = count_by_command(self, plain.server);
	if (n == -EOPNOTSUPP)
		harness_skip("plain sockets have no io_uring commands either");
	ASSERT_EQ(n, 0);
	ASSERT_EQ(write(self->pair.client, self->buf, 1000), 1000);
	wait_for_events(self->pair.server, POLLIN);
	EXPECT_EQ(count_by_command(self, self->pair.server), 1000);
}

TEST_F(uring, zerocopy_send_is_refused_and_harmless)
{
	struct io_uring_sqe *s = sqe(self);
	struct io_uring_cqe *cqe;

	memset(s, 0, sizeof(*s));
	s->opcode = 47;		/* IORING_OP_SEND_ZC */
	s->fd = self->pair.client;
	s->addr = (uintptr_t)self->buf;
	s->len = 1000;
	s->user_data = 1;
	ASSERT_EQ(io_uring_submit(&self->ring), 1);
	ASSERT_EQ(io_uring_wait_cqe(&self->ring, &cqe), 0);
	EXPECT_LE(cqe->res, -1);
	expect_ping(self->pair.client, self->pair.server);
}

int main(int argc, char **argv)
{
	return harness_main(argc, argv);
}
