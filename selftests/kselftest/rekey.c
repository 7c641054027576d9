// SPDX-License-Identifier: MIT
/* KeyUpdate (RFC 8446 section 4.6.3), record by record. */
#include "fake.h"

static struct rig rig;
static struct wire_record record;

FIXTURE(role) {
	char	buf[65536];
};

FIXTURE_VARIANT(role) {
	uint32_t	role;
};

FIXTURE_VARIANT_ADD(role, client) { SOCKTLS_CLIENT };
FIXTURE_VARIANT_ADD(role, server) { SOCKTLS_SERVER };

FIXTURE_SETUP(role)
{
	rig_up(&rig, variant->role, 0x0304);
}

static int key_update(int fd, uint32_t request)
{
	return tls_set_u32(fd, SOCKTLS_KEY_UPDATE, request);
}

/* ---- received ---- */

TEST_F(role, received_update_changes_the_key_from_the_next_record_on)
{
	rig_expect_alive(&rig);
	wire_write(&rig.out, TYPE_DATA, "old", 3);
	wire_key_update(&rig.out, 0);
	wire_write(&rig.out, TYPE_DATA, "new", 3);
	ASSERT_TRUE(read_all(rig.fd, self->buf, 6));
	EXPECT_EQ(memcmp(self->buf, "oldnew", 6), 0);
	/* nobody asked for one back */
	EXPECT_TRUE(wire_is_silent(&rig.in, 100));
	rig_expect_alive(&rig);
	EXPECT_EQ(stat_value("RxRekeys"), 1);
	EXPECT_EQ(stat_value("TxRekeys"), 0);
}

TEST_F(role, received_updates_may_follow_each_other)
{
	int i;

	for (i = 0; i < 30; i++)
		wire_key_update(&rig.out, 0);
	rig_expect_alive(&rig);
	EXPECT_EQ(stat_value("RxRekeys"), 30);
}

TEST_F(role, received_update_may_come_in_pieces)
{
	wire_write(&rig.out, TYPE_HANDSHAKE, "\30\0", 2);
	wire_write(&rig.out, TYPE_HANDSHAKE, "\0\1", 2);
	wire_write(&rig.out, TYPE_HANDSHAKE, "\0", 1);
	wire_update(&rig.out);
	rig_expect_alive(&rig);
}

TEST_F(role, received_update_is_invisible_to_poll)
{
	wire_key_update(&rig.out, 0);
	EXPECT_EQ(poll_for(rig.fd, POLLIN, 100), 0);
	EXPECT_ERRNO(recv(rig.fd, self->buf, 1, MSG_DONTWAIT), EAGAIN);
	rig_expect_alive(&rig);
}

TEST_F(role, answer_goes_before_the_next_application_record)
{
	wire_key_update(&rig.out, 1);
	/* read by whoever looks, before the deferred work does */
	EXPECT_ERRNO(recv(rig.fd, self->buf, 1, MSG_DONTWAIT), EAGAIN);
	ASSERT_EQ(write(rig.fd, "data", 4), 4);
	wire_expect_key_update(&rig.in, 0);
	wire_expect_data(&rig.in, "data", 4);
	rig_expect_alive(&rig);
}

TEST_F(role, answer_goes_without_anybody_reading_or_writing)
{
	wire_key_update(&rig.out, 1);
	wire_expect_key_update(&rig.in, 0);
	rig_expect_alive(&rig);
}

TEST_F(role, answer_goes_behind_a_record_that_was_open)
{
	ASSERT_EQ(send(rig.fd, "be", 2, MSG_MORE), 2);
	wire_key_update(&rig.out, 1);
	EXPECT_ERRNO(recv(rig.fd, self->buf, 1, MSG_DONTWAIT), EAGAIN);
	ASSERT_EQ(send(rig.fd, "after", 5, 0), 5);
	wire_expect_data(&rig.in, "be", 2);
	wire_expect_key_update(&rig.in, 0);
	wire_expect_data(&rig.in, "after", 5);
}

/* Several requests at once have one answer. */
TEST_F(role, answers_are_coalesced)
{
	int i;

	for (i = 0; i < 20; i++)
		wire_key_update(&rig.out, 1);
	EXPECT_ERRNO(recv(rig.fd, self->buf, 1, MSG_DONTWAIT), EAGAIN);
	wire_expect_key_update(&rig.in, 0);
	while (!wire_is_silent(&rig.in, 200))
		wire_expect_key_update(&rig.in, 0);
	rig_expect_alive(&rig);
	EXPECT_LE(stat_value("TxRekeys"), 3);
	EXPECT_EQ(stat_value("RxRekeys"), 20);
}

/* A reader must not wait for room to send the answer. */
TEST_F(role, reader_is_not_blocked_by_the_answer)
{
	size_t sent = 0, got = 0;
	ssize_t n;

	set_nonblocking(rig.fd, true);
	pattern_fill(self->buf, sizeof(self->buf), 0);
	while ((n = write(rig.fd, self->buf, sizeof(self->buf))) > 0)
		sent += n;
	ASSERT_EQ(errno, EAGAIN);
	set_nonblocking(rig.fd, false);
	wire_key_update(&rig.out, 1);
	wire_write(&rig.out, TYPE_DATA, "read", 4);
	ASSERT_EQ(read(rig.fd, self->buf, 4), 4);
	EXPECT_EQ(memcmp(self->buf, "read", 4), 0);
	/* the answer comes behind what was half sent */
	while (got < sent) {
		ASSERT_TRUE(wire_read(&rig.in, &record));
		ASSERT_EQ(record.type, TYPE_DATA);
		got += record.len;
	}
	wire_expect_key_update(&rig.in, 0);
	rig_expect_alive(&rig);
}

TEST_F(role, bytes_behind_an_update_in_its_record_are_unexpected)
{
	wire_write(&rig.out, TYPE_HANDSHAKE, "\30\0\0\1\0\4", 6);
	rig_expect_failed(&rig, EPROTO, 10);
}

TEST_F(role, two_updates_in_one_record_are_unexpected)
{
	wire_write(&rig.out, TYPE_HANDSHAKE, "\30\0\0\1\0\30\0\0\1\0", 10);
	rig_expect_failed(&rig, EPROTO, 10);
}

TEST_F(role, other_request_update_is_an_illegal_parameter)
{
	wire_write(&rig.out, TYPE_HANDSHAKE, "\30\0\0\1\2", 5);
	rig_expect_failed(&rig, EPROTO, 47);
}

TEST_F(role, update_of_another_length_is_a_decode_error)
{
	wire_write(&rig.out, TYPE_HANDSHAKE, "\30\0\0\2\0\0", 6);
	rig_expect_failed(&rig, EPROTO, 50);
}

TEST_F(role, empty_update_is_a_decode_error)
{
	wire_write(&rig.out, TYPE_HANDSHAKE, "\30\0\0\0", 4);
	rig_expect_failed(&rig, EPROTO, 50);
}

TEST_F(role, data_in_the_middle_of_an_update_is_unexpected)
{
	wire_write(&rig.out, TYPE_HANDSHAKE, "\30\0\0", 3);
	wire_write(&rig.out, TYPE_DATA, "x", 1);
	rig_expect_failed(&rig, EPROTO, 10);
}

TEST_F(role, record_under_the_old_key_behind_an_update_is_refused)
{
	struct wire old = rig.out;

	wire_key_update(&rig.out, 0);
	old.seq = 1;
	wire_write(&old, TYPE_DATA, "replay", 6);
	rig_expect_failed(&rig, EBADMSG, 20);
}

TEST_F(role, flood_of_updates_without_data_is_refused)
{
	int i;

	for (i = 0; i < 33; i++)
		wire_key_update(&rig.out, 0);
	rig_expect_failed(&rig, EPROTO, 10);
}

TEST_F(role, flood_of_requests_without_data_is_refused)
{
	int i;

	for (i = 0; i < 60; i++)
		wire_key_update(&rig.out, 1);
	while (wire_read(&rig.in, &record) && record.type == TYPE_HANDSHAKE)
		wire_update(&rig.in);
	EXPECT_EQ(record.type, TYPE_ALERT);
	EXPECT_EQ(record.bytes[1], 10);
}

TEST_F(role, updates_with_data_between_are_no_flood)
{
	int i;

	for (i = 0; i < 200; i++) {
		wire_key_update(&rig.out, 0);
		wire_write(&rig.out, TYPE_DATA, "x", 1);
	}
	ASSERT_TRUE(read_all(rig.fd, self->buf, 200));
	rig_expect_alive(&rig);
}

/* A peer that only listens may rekey as often as it is told something. */
TEST_F(role, updates_of_a_listening_peer_are_no_flood)
{
	int i;

	for (i = 0; i < 100; i++) {
		ASSERT_EQ(write(rig.fd, "x", 1), 1);
		wire_expect_data(&rig.in, "x", 1);
		wire_key_update(&rig.out, 0);
		EXPECT_ERRNO(recv(rig.fd, self->buf, 1, MSG_DONTWAIT), EAGAIN);
	}
	rig_expect_alive(&rig);
}

/* A program that only sends may ask as often as it has sent something. */
TEST_F(role, updates_asked_for_between_writes_are_no_flood)
{
	int i;

	for (i = 0; i < 60; i++) {
		ASSERT_EQ(write(rig.fd, "x", 1), 1);
		wire_expect_data(&rig.in, "x", 1);
		ASSERT_EQ(key_update(rig.fd, SOCKTLS_KEY_UPDATE_REQUESTED), 0);
		wire_expect_key_update(&rig.in, 1);
		wire_key_update(&rig.out, 0);
		EXPECT_ERRNO(recv(rig.fd, self->buf, 1, MSG_DONTWAIT), EAGAIN);
	}
	rig_expect_alive(&rig);
}

/* ---- sent ---- */

TEST_F(role, update_on_demand_changes_the_key)
{
	ASSERT_EQ(write(rig.fd, "old", 3), 3);
	ASSERT_EQ(key_update(rig.fd, SOCKTLS_KEY_UPDATE_NOT_REQUESTED), 0);
	ASSERT_EQ(write(rig.fd, "new", 3), 3);
	wire_expect_data(&rig.in, "old", 3);
	wire_expect_key_update(&rig.in, 0);
	wire_expect_data(&rig.in, "new", 3);
	rig_expect_alive(&rig);
	EXPECT_EQ(stat_value("TxRekeys"), 1);
}

TEST_F(role, update_on_demand_may_ask_the_peer)
{
	ASSERT_EQ(key_update(rig.fd, SOCKTLS_KEY_UPDATE_REQUESTED), 0);
	wire_expect_key_update(&rig.in, 1);
	wire_key_update(&rig.out, 0);
	rig_expect_alive(&rig);
}

TEST_F(role, update_on_demand_ends_the_open_record)
{
	ASSERT_EQ(send(rig.fd, "open", 4, MSG_MORE), 4);
	ASSERT_EQ(key_update(rig.fd, SOCKTLS_KEY_UPDATE_NOT_REQUESTED), 0);
	wire_expect_data(&rig.in, "open", 4);
	wire_expect_key_update(&rig.in, 0);
	rig_expect_alive(&rig);
}

TEST_F(role, update_on_demand_waits_for_room_without_blocking)
{
	size_t sent = 0, got = 0;
	int updates = 0;
	ssize_t n;

	set_nonblocking(rig.fd, true);
	pattern_fill(self->buf, sizeof(self->buf), 0);
	while ((n = write(rig.fd, self->buf, sizeof(self->buf))) > 0)
		sent += n;
	set_nonblocking(rig.fd, false);
	EXPECT_EQ(key_update(rig.fd, SOCKTLS_KEY_UPDATE_NOT_REQUESTED), 0);
	while (got < sent || !updates) {
		ASSERT_TRUE(wire_read(&rig.in, &record));
		if (record.type == TYPE_HANDSHAKE) {
			wire_update(&rig.in);
			updates++;
		} else {
			got += record.len;
		}
	}
	rig_expect_alive(&rig);
}

TEST_F(role, answer_and_request_of_ones_own_are_two_updates)
{
	ASSERT_EQ(send(rig.fd, "o", 1, MSG_MORE), 1);
	wire_key_update(&rig.out, 1);
	EXPECT_ERRNO(recv(rig.fd, self->buf, 1, MSG_DONTWAIT), EAGAIN);
	ASSERT_EQ(key_update(rig.fd, SOCKTLS_KEY_UPDATE_REQUESTED), 0);
	wire_expect_data(&rig.in, "o", 1);
	wire_expect_key_update(&rig.in, 0);
	wire_expect_key_update(&rig.in, 1);
	rig_expect_alive(&rig);
}

TEST_F(role, limit_of_records_rekeys_by_itself)
{
	int i, updates = 0;

	sysctl_set("rekey_records", 7);
	/* keys that are installed from now on */
	ASSERT_EQ(key_update(rig.fd, SOCKTLS_KEY_UPDATE_NOT_REQUESTED), 0);
	wire_expect_key_update(&rig.in, 0);
	for (i = 0; i < 68; i++)
		ASSERT_EQ(write(rig.fd, "data", 4), 4);
	for (i = 0; i < 68; ) {
		ASSERT_TRUE(wire_read(&rig.in, &record));
		if (record.type == TYPE_HANDSHAKE) {
			EXPECT_EQ(i % 7, 0);
			EXPECT_EQ(record.bytes[4], 0);
			wire_update(&rig.in);
			updates++;
		} else {
			i++;
		}
	}
	EXPECT_EQ(updates, 9);
	rig_expect_alive(&rig);
	sysctl_set("rekey_records", 0);
}

TEST_F(role, bad_requests_are_refused)
{
	uint32_t value = 0;

	EXPECT_ERRNO(key_update(rig.fd, 2), EINVAL);
	EXPECT_ERRNO(tls_set(rig.fd, SOCKTLS_KEY_UPDATE, &value, 3), EINVAL);
	EXPECT_ERRNO(tls_set(rig.fd, SOCKTLS_KEY_UPDATE, BAD_MEMORY, 4),
		     EFAULT);
	EXPECT_TRUE(wire_is_silent(&rig.in, 50));
	ASSERT_EQ(shutdown(rig.fd, SHUT_WR), 0);
	wire_expect_alert(&rig.in, 0);
	EXPECT_ERRNO(key_update(rig.fd, 0), EPIPE);
}

TEST_F(role, update_after_close_notify_is_followed_but_not_answered)
{
	ASSERT_EQ(shutdown(rig.fd, SHUT_WR), 0);
	wire_expect_alert(&rig.in, 0);
	wire_key_update(&rig.out, 1);
	wire_write(&rig.out, TYPE_DATA, "late", 4);
	ASSERT_EQ(read(rig.fd, self->buf, 4), 4);
	EXPECT_EQ(memcmp(self->buf, "late", 4), 0);
	EXPECT_FALSE(wire_read(&rig.in, &record));
}

TEST(update_needs_an_established_tls13_connection)
{
	static struct rig two;
	int fd = tcp_socket(AF_INET);

	ASSERT_EQ(tls_attach(fd), 0);
	EXPECT_ERRNO(key_update(fd, 0), ENOTCONN);
	rig_up(&two, SOCKTLS_CLIENT, 0x0303);
	EXPECT_ERRNO(key_update(two.fd, 0), EOPNOTSUPP);
	rig_expect_alive(&two);
}

int main(int argc, char **argv)
{
	return harness_main(argc, argv);
}
