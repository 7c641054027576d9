// SPDX-License-Identifier: MIT
/* The key plane: types of records, and records that cannot be. */
#include "keyfixture.h"

/* The number of the next record, as TLS_TX or TLS_RX tell it. */
static int get_record_number(struct fixture_key *self,
			     const struct fixture_variant_key *variant, int opt)
{
	union key told = { 0 };
	socklen_t len = variant->len;
	int fd = opt == TLS_TX ? self->pair.client : self->pair.server;

	ASSERT_EQ(tls_get(fd, opt, &told, &len), 0);
	return told.bytes[len - 1];
}

TEST_F(key, carries_record_types)
{
	uint8_t type;

	key_up(self);
	ASSERT_EQ(send_record(self->pair.client, 22, "hand", 4, 0), 4);
	ASSERT_EQ(recv_record(self->pair.server, &type, self->buf, 100, 0), 4);
	EXPECT_EQ(type, 22);
	EXPECT_EQ(memcmp(self->buf, "hand", 4), 0);
	ASSERT_EQ(write(self->pair.client, "data", 4), 4);
	ASSERT_EQ(recv_record(self->pair.server, &type, self->buf, 100, 0), 4);
	EXPECT_EQ(type, 23);
	ASSERT_EQ(send_record(self->pair.client, 100, "any", 3, 0), 3);
	ASSERT_EQ(recv_record(self->pair.server, &type, self->buf, 100, 0), 3);
	EXPECT_EQ(type, 100);
}

TEST_F(key, control_records_are_not_mixed_with_data)
{
	uint8_t type;

	key_up(self);
	ASSERT_EQ(write(self->pair.client, "one", 3), 3);
	ASSERT_EQ(send_record(self->pair.client, 21, "\1\0", 2, 0), 2);
	ASSERT_EQ(send_record(self->pair.client, 21, "\1\1", 2, 0), 2);
	ASSERT_EQ(write(self->pair.client, "two", 3), 3);
	sleep_ms(50);
	EXPECT_EQ(recv_record(self->pair.server, &type, self->buf, 100, 0), 3);
	EXPECT_EQ(type, 23);
	EXPECT_EQ(recv_record(self->pair.server, &type, self->buf, 100, 0), 2);
	EXPECT_EQ(type, 21);
	EXPECT_EQ(self->buf[1], 0);
	EXPECT_EQ(recv_record(self->pair.server, &type, self->buf, 100, 0), 2);
	EXPECT_EQ(self->buf[1], 1);
	EXPECT_EQ(recv_record(self->pair.server, &type, self->buf, 100, 0), 3);
	EXPECT_EQ(type, 23);
	EXPECT_EQ(memcmp(self->buf, "two", 3), 0);
}

TEST_F(key, control_record_is_read_in_parts)
{
	uint8_t type;

	key_up(self);
	ASSERT_EQ(send_record(self->pair.client, 22, "handshake", 9, 0), 9);
	EXPECT_EQ(recv_record(self->pair.server, &type, self->buf, 4, 0), 4);
	EXPECT_EQ(type, 22);
	EXPECT_EQ(recv_record(self->pair.server, &type, self->buf, 100, 0), 5);
	EXPECT_EQ(type, 22);
	EXPECT_EQ(memcmp(self->buf, "shake", 5), 0);
}

TEST_F(key, control_record_without_room_for_its_type_is_eio)
{
	uint8_t type;

	key_up(self);
	ASSERT_EQ(write(self->pair.client, "data", 4), 4);
	ASSERT_EQ(send_record(self->pair.client, 21, "\1\0", 2, 0), 2);
	EXPECT_EQ(recv(self->pair.server, self->buf, 100, 0), 4);
	EXPECT_ERRNO(recv(self->pair.server, self->buf, 100, 0), EIO);
	/* and it is still there */
	EXPECT_EQ(recv_record(self->pair.server, &type, self->buf, 100, 0), 2);
	EXPECT_EQ(type, 21);
}

TEST_F(key, control_record_is_polled_for)
{
	uint8_t type;

	key_up(self);
	EXPECT_EQ(poll_for(self->pair.server, POLLIN, 20), 0);
	ASSERT_EQ(send_record(self->pair.client, 21, "\1\0", 2, 0), 2);
	EXPECT_EQ(poll_for(self->pair.server, POLLIN, 5000), POLLIN);
	EXPECT_EQ(recv_record(self->pair.server, &type, self->buf, 100,
			      MSG_DONTWAIT), 2);
}

TEST_F(key, control_record_is_peeked)
{
	uint8_t type;

	key_up(self);
	ASSERT_EQ(send_record(self->pair.client, 22, "hand", 4, 0), 4);
	EXPECT_EQ(recv_record(self->pair.server, &type, self->buf, 100,
			      MSG_PEEK), 4);
	EXPECT_EQ(type, 22);
	EXPECT_EQ(recv_record(self->pair.server, &type, self->buf, 100, 0), 4);
	EXPECT_EQ(type, 22);
}

TEST_F(key, control_record_cannot_be_more)
{
	key_up(self);
	EXPECT_ERRNO(send_record(self->pair.client, 21, "\1\0", 2, MSG_MORE),
		     EINVAL);
}

TEST_F(key, control_record_flushes_open_data_before_it)
{
	uint8_t type;

	key_up(self);
	ASSERT_EQ(send(self->pair.client, "open", 4, MSG_MORE), 4);
	ASSERT_EQ(send_record(self->pair.client, 21, "\1\0", 2, 0), 2);
	EXPECT_EQ(recv_record(self->pair.server, &type, self->buf, 100, 0), 4);
	EXPECT_EQ(type, 23);
	EXPECT_EQ(recv_record(self->pair.server, &type, self->buf, 100, 0), 2);
	EXPECT_EQ(type, 21);
}

TEST_F(key, control_record_does_not_go_into_a_pipe)
{
	int pipes[2];

	key_up(self);
	ASSERT_EQ(pipe(pipes), 0);
	ASSERT_EQ(write(self->pair.client, "data", 4), 4);
	ASSERT_EQ(send_record(self->pair.client, 21, "\1\0", 2, 0), 2);
	EXPECT_EQ(splice(self->pair.server, NULL, pipes[1], NULL, 100, 0), 4);
	EXPECT_ERRNO(splice(self->pair.server, NULL, pipes[1], NULL, 100, 0),
		     EINVAL);
}

/* ---- what comes from the wire ---- */

static void send_raw(struct fixture_key *self, uint16_t version, size_t len,
		     size_t body)
{
	unsigned char *bytes = (void *)self->buf;

	memset(bytes, 0x5a, 5 + body);
	bytes[0] = 23;
	bytes[1] = version >> 8;
	bytes[2] = version;
	bytes[3] = len >> 8;
	bytes[4] = len;
	ASSERT_EQ(tls_set(self->pair.server, TLS_RX, &self->key, self->len), 0);
	ASSERT_TRUE(write_all(self->pair.client, bytes, 5 + body));
}

TEST_F(key, record_of_another_version_is_refused)
{
	send_raw(self, 0x0301, 100, 100);
	EXPECT_ERRNO(recv(self->pair.server, self->buf, 100, 0), EINVAL);
}

TEST_F(key, record_over_the_limit_is_refused)
{
	send_raw(self, 0x0303, 16384 + 257, 100);
	EXPECT_ERRNO(recv(self->pair.server, self->buf, 100, 0), EMSGSIZE);
}

TEST_F(key, record_too_short_for_its_tag_is_refused)
{
	send_raw(self, 0x0303, 15, 15);
	EXPECT_ERRNO(recv(self->pair.server, self->buf, 100, 0), EBADMSG);
}

TEST_F(key, record_not_authentic_is_refused)
{
	send_raw(self, 0x0303, 100, 100);
	EXPECT_TRUE(poll_for(self->pair.server, POLLIN, 5000) & POLLIN);
	EXPECT_ERRNO(recv(self->pair.server, self->buf, 100, 0), EBADMSG);
}

TEST_F(key, garbage_is_told_once)
{
	need_newest(self->pair.client);
	send_raw(self, 0x5555, 0x5555, 100);
	EXPECT_ERRNO(recv(self->pair.server, self->buf, 100, 0), EMSGSIZE);
	EXPECT_ERRNO(recv(self->pair.server, self->buf, 100, MSG_DONTWAIT),
		     EAGAIN);
	EXPECT_EQ(poll_for(self->pair.server, POLLIN, 20), 0);
	ASSERT_EQ(close(self->pair.client), 0);
	EXPECT_EQ(recv(self->pair.server, self->buf, 100, 0), 0);
}

/* What the sender does by itself meanwhile does not take it. */
TEST_F(key, error_of_what_was_received_outlives_an_open_record)
{
	int fd = self->pair.server;
	uint8_t type;

	if (is_stock())
		harness_skip("stock kTLS loses the open record");
	ASSERT_EQ(tls_set(fd, TLS_TX, &self->key, self->len), 0);
	ASSERT_EQ(tls_set(self->pair.client, TLS_RX, &self->key, self->len), 0);
	ASSERT_EQ(send(fd, "more", 4, MSG_MORE), 4);
	send_raw(self, 0x0301, 100, 100);
	EXPECT_TRUE(poll_for(fd, POLLIN, 5000) & POLLERR);
	ASSERT_EQ(shutdown(fd, SHUT_WR), 0);
	EXPECT_ERRNO(recv(fd, self->buf, 100, 0), EINVAL);
	EXPECT_EQ(recv_record(self->pair.client, &type, self->buf, 100, 0), 4);
}

TEST_F(key, forgery_is_told_each_time)
{
	int fd = self->pair.server;

	send_raw(self, 0x0303, 100, 100);
	EXPECT_ERRNO(recv(fd, self->buf, 100, 0), EBADMSG);
	EXPECT_ERRNO(recv(fd, self->buf, 100, 0), EBADMSG);
	/* and stops writing until it has been taken notice of */
	ASSERT_EQ(tls_set(fd, TLS_TX, &self->key, self->len), 0);
	EXPECT_ERRNO(write(fd, "x", 1), EBADMSG);
	EXPECT_EQ(get_int(fd, SOL_SOCKET, SO_ERROR), EBADMSG);
	EXPECT_EQ(write(fd, "x", 1), 1);
}

TEST_F(key, more_and_end_of_record_contradict)
{
	need_newest(self->pair.client);
	key_up(self);
	EXPECT_ERRNO(send(self->pair.client, "x", 1, MSG_MORE | MSG_EOR),
		     EINVAL);
	expect_ping(self->pair.client, self->pair.server);
}

TEST_F(key, given_type_ends_the_open_record)
{
	uint8_t type;

	key_up(self);
	ASSERT_EQ(send(self->pair.client, "one", 3, MSG_MORE), 3);
	ASSERT_EQ(send_record(self->pair.client, 23, "two", 3, 0), 3);
	sleep_ms(50);
	/* two records, of one type */
	EXPECT_EQ(recv_record(self->pair.server, &type, self->buf, 4, 0), 4);
	EXPECT_EQ(recv_record(self->pair.server, &type, self->buf, 100, 0), 2);
	EXPECT_EQ(get_record_number(self, variant, TLS_RX), 5 + 2);
}

/* A reader that peeks and waits for more may lose what it peeked at. */
TEST_F(key, peek_survives_another_reader)
{
	struct flow out = { .len = 4000000, .writing = true, .chunk = 100 };
	struct flow in = { .len = 4000000, .chunk = 4096 };
	size_t n;

	key_up(self);
	out.fd = self->pair.client;
	in.fd = self->pair.server;
	flow_start(&in);
	flow_start(&out);
	for (n = 0; n < 2000 && atomic_load(&in.done) < in.len / 2; n++)
		recv(self->pair.server, self->buf, 5000,
		     MSG_PEEK | (n & 1 ? MSG_WAITALL : 0));
	ASSERT_TRUE(flow_join(&out) & flow_join(&in));
}

int main(int argc, char **argv)
{
	return keys_main(argc, argv);
}
