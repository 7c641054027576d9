// SPDX-License-Identifier: MIT
/* Actions LIMIT, SKIP_EARLY and a lazy SEND, record by record. */
#include "fake.h"

static struct rig rig;
static struct fake_item item;
static struct wire_record record;
static char buf[65536];

/* ---- LIMIT ---- */

FIXTURE(limit) {
	char	unused;
};

FIXTURE_VARIANT(limit) {
	uint16_t	version;
};

FIXTURE_VARIANT_ADD(limit, tls12) { 0x0303 };
FIXTURE_VARIANT_ADD(limit, tls13) { 0x0304 };

FIXTURE_SETUP(limit)
{
	rig_begin(&rig, SOCKTLS_SERVER, &item);
	reply_limit(&rig.reply, SOCKTLS_DIRECTION_TX, 500);
	reply_limit(&rig.reply, SOCKTLS_DIRECTION_RX, 600);
	rig_finish(&rig, variant->version, 0, NULL, 0);
}

TEST_F(limit, records_sent_are_cut)
{
	size_t done = 0;

	pattern_fill(buf, 1234, 0);
	ASSERT_EQ(write(rig.fd, buf, 1234), 1234);
	while (done < 1234) {
		size_t want = 1234 - done < 500 ? 1234 - done : 500;

		ASSERT_TRUE(wire_read(&rig.in, &record));
		ASSERT_EQ(record.len, want);
		EXPECT_TRUE(pattern_ok(record.bytes, record.len, done));
		done += record.len;
	}
}

TEST_F(limit, record_received_at_the_limit_is_taken)
{
	pattern_fill(buf, 600, 0);
	wire_write(&rig.out, TYPE_DATA, buf, 600);
	ASSERT_TRUE(read_all(rig.fd, buf, 600));
	EXPECT_TRUE(pattern_ok(buf, 600, 0));
}

TEST_F(limit, record_received_over_the_limit_is_an_overflow)
{
	wire_write(&rig.out, TYPE_DATA, buf, 601);
	rig_expect_failed(&rig, EMSGSIZE, 22);
}

TEST_F(limit, limits_are_told)
{
	struct socktls_info info;

	tls_info(rig.fd, &info);
	EXPECT_EQ(info.tx_max_plaintext, 500);
	EXPECT_EQ(info.rx_max_plaintext, 600);
}

/* RFC 8449 section 4: it is the whole inner plaintext that counts. */
TEST(limit_counts_padding_in_tls13)
{
	rig_begin(&rig, SOCKTLS_SERVER, &item);
	reply_limit(&rig.reply, SOCKTLS_DIRECTION_RX, 600);
	rig_finish(&rig, 0x0304, 0, NULL, 0);
	wire_write_padded(&rig.out, TYPE_DATA, buf, 100, 500);
	ASSERT_TRUE(read_all(rig.fd, buf, 100));
	wire_write_padded(&rig.out, TYPE_DATA, buf, 100, 501);
	rig_expect_failed(&rig, EMSGSIZE, 22);
}

TEST(limit_without_one_is_2_to_the_14)
{
	struct socktls_info info;

	rig_up(&rig, SOCKTLS_SERVER, 0x0304);
	tls_info(rig.fd, &info);
	EXPECT_EQ(info.tx_max_plaintext, 16384);
	EXPECT_EQ(info.rx_max_plaintext, 16384);
	wire_write(&rig.out, TYPE_DATA, buf, 16384);
	ASSERT_TRUE(read_all(rig.fd, buf, 16384));
	wire_write(&rig.out, TYPE_DATA, buf, 16385);
	rig_expect_failed(&rig, EMSGSIZE, 22);
}

TEST(limit_out_of_range_is_refused)
{
	rig_begin(&rig, SOCKTLS_SERVER, &item);
	reply_limit(&rig.reply, SOCKTLS_DIRECTION_RX, 0);
	EXPECT_EQ(fake_reply(&rig.helper, &rig.reply), -EINVAL);
	reply_init(&rig.reply, rig.id);
	reply_limit(&rig.reply, SOCKTLS_DIRECTION_TX, 16385);
	EXPECT_EQ(fake_reply(&rig.helper, &rig.reply), -EINVAL);
	reply_init(&rig.reply, rig.id);
	reply_skip(&rig.reply, 0, 100);
	EXPECT_NE(fake_reply(&rig.helper, &rig.reply), 0);
	reply_init(&rig.reply, rig.id);
	reply_skip(&rig.reply, 3, 100);
	EXPECT_NE(fake_reply(&rig.helper, &rig.reply), 0);
}

/* ---- early data that was refused ---- */

/* A server with a handshake key, skipping up to @limit bytes. */
static void skip_begin(uint32_t mode, uint32_t limit)
{
	rig_begin(&rig, SOCKTLS_SERVER, &item);
	reply_version(&rig.reply, 0x0304);
	reply_skip(&rig.reply, mode, limit);
	if (mode == SOCKTLS_SKIP_TRIAL) {
		wire_key(&rig.out, 0x0304, 8);
		wire_key(&rig.in, 0x0304, 9);
		reply_key(&rig.reply, SOCKTLS_DIRECTION_TX,
			  SOCKTLS_LEVEL_HANDSHAKE, &rig.in);
		reply_key(&rig.reply, SOCKTLS_DIRECTION_RX,
			  SOCKTLS_LEVEL_HANDSHAKE, &rig.out);
	}
	ASSERT_EQ(fake_reply(&rig.helper, &rig.reply), 0);
	reply_init(&rig.reply, rig.id);
}

static void expect_handshake(const char *bytes, size_t len)
{
	fake_expect(&rig.helper, &item, SOCKTLS_ITEM_HANDSHAKE);
	ASSERT_EQ(item.len, len);
	EXPECT_EQ(memcmp(item.bytes, bytes, len), 0);
}

static void expect_gone(uint8_t alert)
{
	char c;

	wire_expect_alert(&rig.in, alert);
	EXPECT_EQ(read(rig.fd, &c, 1), -1);
	EXPECT_EQ(tls_state(rig.fd), SOCKTLS_STATE_FAILED);
}

TEST(skip_opaque_discards_data_until_the_second_client_hello)
{
	skip_begin(SOCKTLS_SKIP_OPAQUE, 1000);
	wire_write(&rig.out, TYPE_CCS, "\1", 1);
	wire_write_bad(&rig.out, TYPE_DATA, 600);
	wire_write_bad(&rig.out, TYPE_DATA, 400);
	wire_write(&rig.out, TYPE_HANDSHAKE, "\1\0\0\1y", 5);
	expect_handshake("\1\0\0\1y", 5);
	rig_finish(&rig, 0x0304, 0, NULL, 0);
	rig_expect_alive(&rig);
}

TEST(skip_opaque_ends_with_the_second_client_hello)
{
	skip_begin(SOCKTLS_SKIP_OPAQUE, 1000);
	wire_write(&rig.out, TYPE_HANDSHAKE, "\1\0\0\1y", 5);
	expect_handshake("\1\0\0\1y", 5);
	reply_action(&rig.reply, SOCKTLS_ACTION_MORE);
	ASSERT_EQ(fake_reply(&rig.helper, &rig.reply), 0);
	wire_write_bad(&rig.out, TYPE_DATA, 100);
	expect_gone(10);
}

TEST(skip_opaque_is_bounded)
{
	skip_begin(SOCKTLS_SKIP_OPAQUE, 1000);
	wire_write_bad(&rig.out, TYPE_DATA, 600);
	wire_write_bad(&rig.out, TYPE_DATA, 401);
	expect_gone(10);
}

TEST(skip_trial_does_not_advance_the_sequence_number)
{
	struct wire early = { 0 };

	skip_begin(SOCKTLS_SKIP_TRIAL, 40000);
	early.fd = rig.raw;
	wire_key(&early, 0x0304, 77);
	wire_write(&early, TYPE_DATA, buf, 16384);
	wire_write(&early, TYPE_DATA, buf, 1);
	wire_write(&early, TYPE_DATA, buf, 16000);
	wire_write(&rig.out, TYPE_HANDSHAKE, "\10\0\0\1a", 5);
	expect_handshake("\10\0\0\1a", 5);
	reply_action(&rig.reply, SOCKTLS_ACTION_MORE);
	ASSERT_EQ(fake_reply(&rig.helper, &rig.reply), 0);
	wire_write(&rig.out, TYPE_HANDSHAKE, "\10\0\0\1b", 5);
	expect_handshake("\10\0\0\1b", 5);
	reply_init(&rig.reply, rig.id);
	rig_finish(&rig, 0x0304, 0, NULL, 0);
	rig_expect_alive(&rig);
}

TEST(skip_trial_ends_with_the_first_record_that_opens)
{
	skip_begin(SOCKTLS_SKIP_TRIAL, 40000);
	wire_write_bad(&rig.out, TYPE_DATA, 100);
	wire_write(&rig.out, TYPE_HANDSHAKE, "\10\0\0\1a", 5);
	expect_handshake("\10\0\0\1a", 5);
	reply_action(&rig.reply, SOCKTLS_ACTION_MORE);
	ASSERT_EQ(fake_reply(&rig.helper, &rig.reply), 0);
	wire_write_bad(&rig.out, TYPE_DATA, 100);
	expect_gone(20);
}

TEST(skip_trial_is_bounded)
{
	skip_begin(SOCKTLS_SKIP_TRIAL, 1000);
	wire_write_bad(&rig.out, TYPE_DATA, 600);
	wire_write_bad(&rig.out, TYPE_DATA, 401);
	expect_gone(20);
}

/* ---- the sequence number ---- */

static void expect_overflow(void)
{
	struct socktls_error told;

	EXPECT_EQ(tls_state(rig.fd), SOCKTLS_STATE_FAILED);
	tls_error(rig.fd, &told);
	EXPECT_EQ(told.error, EOVERFLOW);
	EXPECT_EQ(stat_value("ErrSequence"), 1);
	/* nothing goes any more: when sending has ended, no alert either */
	EXPECT_FALSE(wire_read(&rig.in, &record));
}

/* RFC 5246 section 6.1: it never wraps, and TLS 1.2 has no KeyUpdate */
TEST(sequence_number_does_not_wrap_when_sending)
{
	rig.first_seq = UINT64_MAX - 2;
	rig_up(&rig, SOCKTLS_SERVER, 0x0303);
	ASSERT_EQ(write(rig.fd, "one", 3), 3);
	wire_expect_data(&rig.in, "one", 3);
	ASSERT_EQ(write(rig.fd, "two", 3), 3);
	wire_expect_data(&rig.in, "two", 3);
	EXPECT_ERRNO(write(rig.fd, "three", 5), EOVERFLOW);
	EXPECT_ERRNO(write(rig.fd, "three", 5), EOVERFLOW);
	expect_overflow();
}

/* What no record will carry was not taken. */
TEST(write_ends_where_the_sequence_number_does)
{
	rig.first_seq = UINT64_MAX - 1;
	rig_up(&rig, SOCKTLS_SERVER, 0x0303);
	EXPECT_EQ(write(rig.fd, buf, 40000), 16384);
	ASSERT_TRUE(wire_read(&rig.in, &record));
	EXPECT_EQ(record.len, 16384);
	expect_overflow();
}

TEST(sequence_number_does_not_wrap_when_receiving)
{
	rig.first_seq = UINT64_MAX - 1;
	rig_up(&rig, SOCKTLS_SERVER, 0x0303);
	wire_write(&rig.out, TYPE_DATA, "one", 3);
	ASSERT_TRUE(read_all(rig.fd, buf, 3));
	wire_write(&rig.out, TYPE_DATA, "two", 3);
	EXPECT_ERRNO(read(rig.fd, buf, 3), EOVERFLOW);
	wire_expect_alert(&rig.in, 80);
	expect_overflow();
}

/* ---- lazy ---- */

static void lazy_begin(uint16_t version)
{
	rig_begin(&rig, SOCKTLS_SERVER, &item);
	reply_send(&rig.reply, TYPE_HANDSHAKE, "\4\0\0\2t1", 6, true);
	reply_send(&rig.reply, TYPE_HANDSHAKE, "\4\0\0\2t2", 6, true);
	rig_finish(&rig, version, 0, NULL, 0);
}

static void expect_tickets(void)
{
	ASSERT_TRUE(wire_read(&rig.in, &record));
	EXPECT_EQ(record.type, TYPE_HANDSHAKE);
	ASSERT_EQ(record.len, 6);
	EXPECT_EQ(memcmp(record.bytes + 4, "t1", 2), 0);
	ASSERT_TRUE(wire_read(&rig.in, &record));
	EXPECT_EQ(record.type, TYPE_HANDSHAKE);
	EXPECT_EQ(memcmp(record.bytes + 4, "t2", 2), 0);
}

TEST(lazy_bytes_go_before_the_first_application_record)
{
	lazy_begin(0x0304);
	EXPECT_TRUE(wire_is_silent(&rig.in, 150));
	ASSERT_EQ(write(rig.fd, "data", 4), 4);
	expect_tickets();
	wire_expect_data(&rig.in, "data", 4);
	rig_expect_alive(&rig);
}

TEST(lazy_bytes_do_not_go_because_of_a_read)
{
	lazy_begin(0x0304);
	wire_write(&rig.out, TYPE_DATA, "data", 4);
	ASSERT_TRUE(read_all(rig.fd, buf, 4));
	EXPECT_TRUE(wire_is_silent(&rig.in, 150));
	ASSERT_EQ(write(rig.fd, "data", 4), 4);
	expect_tickets();
	wire_expect_data(&rig.in, "data", 4);
}

TEST(lazy_bytes_do_not_go_without_data)
{
	lazy_begin(0x0304);
	ASSERT_EQ(shutdown(rig.fd, SHUT_WR), 0);
	wire_expect_alert(&rig.in, 0);
	EXPECT_FALSE(wire_read(&rig.in, &record));
	close(rig.fd);
}

TEST(lazy_bytes_go_under_the_key_of_then)
{
	lazy_begin(0x0304);
	ASSERT_EQ(tls_set_u32(rig.fd, SOCKTLS_KEY_UPDATE, 0), 0);
	wire_expect_key_update(&rig.in, 0);
	ASSERT_EQ(send(rig.fd, "da", 2, MSG_MORE), 2);
	ASSERT_EQ(send(rig.fd, "ta", 2, 0), 2);
	expect_tickets();
	wire_expect_data(&rig.in, "data", 4);
	rig_expect_alive(&rig);
}

/* A ticket of many records, and a send buffer that holds a few of them. */
#define LONG_TICKET	40000

static void lazy_begin_long(void)
{
	static uint8_t ticket[LONG_TICKET] = { 4, 0, (LONG_TICKET - 4) >> 8,
					       (LONG_TICKET - 4) & 0xff };

	pattern_fill(ticket + 4, LONG_TICKET - 4, 4);
	rig_begin(&rig, SOCKTLS_SERVER, &item);
	set_int(rig.fd, SOL_SOCKET, SO_SNDBUF, 4608);
	set_int(rig.raw, SOL_SOCKET, SO_RCVBUF, 4608);
	reply_limit(&rig.reply, SOCKTLS_DIRECTION_TX, 100);
	reply_send(&rig.reply, TYPE_HANDSHAKE, ticket, LONG_TICKET, true);
	rig_finish(&rig, 0x0304, 0, NULL, 0);
	set_nonblocking(rig.fd, true);
	/* TCP takes a part of it, and nothing of what comes behind */
	EXPECT_ERRNO(write(rig.fd, "data", 4), EAGAIN);
	set_nonblocking(rig.fd, false);
}

static void expect_long_ticket(void)
{
	size_t done = 0;

	while (done < LONG_TICKET) {
		ASSERT_TRUE(wire_read(&rig.in, &record));
		ASSERT_EQ(record.type, TYPE_HANDSHAKE);
		/* not the KeyUpdate */
		ASSERT_EQ(record.len, 100);
		if (done)
			ASSERT_TRUE(pattern_ok(record.bytes, record.len, done));
		done += record.len;
	}
}

/* RFC 8446 section 5.1: no other record between those of a message */
TEST(lazy_message_in_pieces_is_not_cut_by_a_key_update)
{
	lazy_begin_long();
	ASSERT_EQ(tls_set_u32(rig.fd, SOCKTLS_KEY_UPDATE, 0), 0);
	expect_long_ticket();
	wire_expect_key_update(&rig.in, 0);
	rig_expect_alive(&rig);
}

TEST(lazy_message_in_pieces_is_not_cut_by_an_answer)
{
	lazy_begin_long();
	wire_key_update(&rig.out, 1);
	expect_long_ticket();
	wire_expect_key_update(&rig.in, 0);
	rig_expect_alive(&rig);
}

TEST(lazy_message_in_pieces_is_not_cut_by_shutdown)
{
	lazy_begin_long();
	ASSERT_EQ(shutdown(rig.fd, SHUT_WR), 0);
	expect_long_ticket();
	wire_expect_alert(&rig.in, 0);
	EXPECT_FALSE(wire_read(&rig.in, &record));
}

TEST(lazy_message_in_pieces_is_not_cut_by_close)
{
	lazy_begin_long();
	ASSERT_EQ(close(rig.fd), 0);
	expect_long_ticket();
	wire_expect_alert(&rig.in, 0);
	EXPECT_FALSE(wire_read(&rig.in, &record));
}

int main(int argc, char **argv)
{
	return harness_main(argc, argv);
}
