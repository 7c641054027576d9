// SPDX-License-Identifier: MIT
/*
 * A helper that answers wrongly. What is malformed is refused with an errno and a
 * word why, and changes nothing; what cannot be applied ends the connection, with
 * one errno; nothing is left.
 */
#include "fake.h"

#include <linux/netlink.h>
#include <linux/tls.h>

static struct rig rig;
static struct fake_item item;
static uint8_t junk[65536];

/* ---- refused ---- */

static void refused(int error)
{
	int got = fake_reply(&rig.helper, &rig.reply);

	EXPECT_EQ(got, -error);
	EXPECT_NE(rig.helper.said[0], 0);
	if (got != -error)
		harness_note("%s", rig.helper.said);
	reply_init(&rig.reply, rig.id);
}

/* A nest of which only the beginning is there. */
static void open_nest(uint16_t type)
{
	rig.reply.nest = rig.reply.len;
	reply_bytes(&rig.reply, type, NULL, 0);
}

static void add_u32(uint32_t kind, uint16_t attr, uint32_t value)
{
	reply_action(&rig.reply, kind);
	reply_u32(&rig.reply, attr, value);
}

/* The handshake is where it was before all that was refused. */
static void goes_on(void)
{
	rig_finish(&rig, 0x0304, 0, "cookie", 6);
	rig_expect_alive(&rig);
}

TEST(reply_that_is_no_reply_is_refused)
{
	rig_begin(&rig, SOCKTLS_CLIENT, &item);
	refused(EINVAL);				/* nothing */
	open_nest(SOCKTLS_A_ACTION);			/* not a nest */
	reply_bytes(&rig.reply, SOCKTLS_A_ACTION_ID, &rig.id, 8);
	reply_u32(&rig.reply, SOCKTLS_A_ACTION_KIND, SOCKTLS_ACTION_MORE);
	refused(EINVAL);
	open_nest(SOCKTLS_A_ACTION | NLA_F_NESTED);	/* no kind */
	reply_bytes(&rig.reply, SOCKTLS_A_ACTION_ID, &rig.id, 8);
	refused(EINVAL);
	open_nest(SOCKTLS_A_ACTION | NLA_F_NESTED);	/* no id */
	reply_u32(&rig.reply, SOCKTLS_A_ACTION_KIND, SOCKTLS_ACTION_MORE);
	refused(EINVAL);
	open_nest(SOCKTLS_A_ACTION | NLA_F_NESTED);	/* a short id */
	reply_u32(&rig.reply, SOCKTLS_A_ACTION_ID, 1);
	reply_u32(&rig.reply, SOCKTLS_A_ACTION_KIND, SOCKTLS_ACTION_MORE);
	refused(EINVAL);
	reply_action(&rig.reply, SOCKTLS_ACTION_MORE);	/* no such attribute */
	reply_u32(&rig.reply, 200, 1);
	refused(EINVAL);
	reply_u32(&rig.reply, 200, 1);			/* nor there */
	refused(EINVAL);
	goes_on();
}

TEST(reply_that_is_cut_off_is_refused)
{
	size_t cut;

	rig_begin(&rig, SOCKTLS_CLIENT, &item);
	for (cut = 1; cut <= 12; cut++) {
		reply_action(&rig.reply, SOCKTLS_ACTION_VERSION);
		reply_u32(&rig.reply, SOCKTLS_A_ACTION_VERSION, 0x0304);
		rig.reply.len -= cut;
		if (cut >= 8)	/* the nest says more than there is */
			((struct nlattr *)(rig.reply.bytes + rig.reply.nest))
				->nla_len = rig.reply.len - rig.reply.nest +
					    cut;
		rig.reply.nest = cut >= 8 ? 0 : rig.reply.nest;
		refused(EINVAL);
	}
	goes_on();
}

TEST(reply_of_an_unknown_kind_is_refused)
{
	static const uint32_t kinds[] = { 0, 11, 255, UINT32_MAX };
	unsigned int i;

	rig_begin(&rig, SOCKTLS_CLIENT, &item);
	for (i = 0; i < ARRAY_SIZE(kinds); i++) {
		reply_action(&rig.reply, kinds[i]);
		refused(ERANGE);
	}
	goes_on();
}

TEST(reply_is_of_one_connection)
{
	rig_begin(&rig, SOCKTLS_CLIENT, &item);
	reply_action(&rig.reply, SOCKTLS_ACTION_MORE);
	rig.reply.id = rig.id + 1;
	reply_action(&rig.reply, SOCKTLS_ACTION_MORE);
	refused(EINVAL);
	rig.reply.id = 0;
	reply_action(&rig.reply, SOCKTLS_ACTION_MORE);
	rig.reply.id = rig.id;
	reply_action(&rig.reply, SOCKTLS_ACTION_MORE);
	refused(EINVAL);
	rig.reply.id = rig.id + 1;
	reply_action(&rig.reply, SOCKTLS_ACTION_MORE);
	refused(ENOENT);
	goes_on();
}

TEST(reply_that_lacks_what_its_kind_needs_is_refused)
{
	static const struct {
		uint32_t	kind;
		uint16_t	needs[4];
	} kinds[] = {
		{ SOCKTLS_ACTION_SEND, { SOCKTLS_A_ACTION_CONTENT_TYPE,
					 SOCKTLS_A_ACTION_BYTES } },
		{ SOCKTLS_ACTION_VERSION, { SOCKTLS_A_ACTION_VERSION } },
		{ SOCKTLS_ACTION_KEY, { SOCKTLS_A_ACTION_DIRECTION,
					SOCKTLS_A_ACTION_LEVEL,
					SOCKTLS_A_ACTION_CIPHER,
					SOCKTLS_A_ACTION_KEY } },
		{ SOCKTLS_ACTION_LIMIT, { SOCKTLS_A_ACTION_DIRECTION,
					  SOCKTLS_A_ACTION_LIMIT } },
		{ SOCKTLS_ACTION_SKIP_EARLY, { SOCKTLS_A_ACTION_MODE,
					       SOCKTLS_A_ACTION_LIMIT } },
		{ SOCKTLS_ACTION_CERTIFICATE, { SOCKTLS_A_ACTION_CHAIN,
						SOCKTLS_A_ACTION_BYTES } },
		{ SOCKTLS_ACTION_DONE, { SOCKTLS_A_ACTION_VERSION,
					 SOCKTLS_A_ACTION_SUITE } },
		{ SOCKTLS_ACTION_FAIL, { SOCKTLS_A_ACTION_ERRNO } },
		{ SOCKTLS_ACTION_EXPORTED, { SOCKTLS_A_ACTION_BYTES } },
	};
	unsigned int i, without, attr;

	rig_begin(&rig, SOCKTLS_CLIENT, &item);
	for (i = 0; i < ARRAY_SIZE(kinds); i++)
		for (without = 0; without < 4; without++) {
			if (!kinds[i].needs[without])
				break;
			reply_action(&rig.reply, kinds[i].kind);
			for (attr = 0; attr < 4; attr++)
				if (attr != without && kinds[i].needs[attr])
					reply_u32(&rig.reply,
						  kinds[i].needs[attr], 22);
			/* 22 is in the range of few: refused for one or the other */
			EXPECT_NE(fake_reply(&rig.helper, &rig.reply), 0);
			EXPECT_NE(rig.helper.said[0], 0);
			reply_init(&rig.reply, rig.id);
		}
	reply_action(&rig.reply, SOCKTLS_ACTION_SEND);
	reply_bytes(&rig.reply, SOCKTLS_A_ACTION_BYTES, "x", 1);
	refused(EINVAL);
	reply_action(&rig.reply, SOCKTLS_ACTION_FAIL);
	refused(EINVAL);
	reply_action(&rig.reply, SOCKTLS_ACTION_DONE);
	reply_u32(&rig.reply, SOCKTLS_A_ACTION_VERSION, 0x0304);
	refused(EINVAL);
	goes_on();
}

TEST(reply_with_a_value_out_of_range_is_refused)
{
	static const struct {
		uint32_t	kind;
		uint16_t	attr;
		uint32_t	value;
	} values[] = {
		{ SOCKTLS_ACTION_SEND, SOCKTLS_A_ACTION_CONTENT_TYPE, 19 },
		{ SOCKTLS_ACTION_SEND, SOCKTLS_A_ACTION_CONTENT_TYPE, 23 },
		{ SOCKTLS_ACTION_VERSION, SOCKTLS_A_ACTION_VERSION, 0x0302 },
		{ SOCKTLS_ACTION_VERSION, SOCKTLS_A_ACTION_VERSION, 0x0305 },
		{ SOCKTLS_ACTION_KEY, SOCKTLS_A_ACTION_DIRECTION, 2 },
		{ SOCKTLS_ACTION_LIMIT, SOCKTLS_A_ACTION_DIRECTION, 2 },
		{ SOCKTLS_ACTION_KEY, SOCKTLS_A_ACTION_LEVEL,
		  SOCKTLS_LEVEL_PLAINTEXT },
		{ SOCKTLS_ACTION_KEY, SOCKTLS_A_ACTION_LEVEL,
		  SOCKTLS_LEVEL_APPLICATION + 1 },
		{ SOCKTLS_ACTION_KEY, SOCKTLS_A_ACTION_CIPHER, 65536 + 51 },
		{ SOCKTLS_ACTION_CERTIFICATE, SOCKTLS_A_ACTION_CHAIN, 2 },
		{ SOCKTLS_ACTION_SKIP_EARLY, SOCKTLS_A_ACTION_MODE, 0 },
		{ SOCKTLS_ACTION_SKIP_EARLY, SOCKTLS_A_ACTION_MODE, 3 },
		{ SOCKTLS_ACTION_DONE, SOCKTLS_A_ACTION_SUITE, 65536 },
		{ SOCKTLS_ACTION_DONE, SOCKTLS_A_ACTION_GROUP, 65536 },
		{ SOCKTLS_ACTION_DONE, SOCKTLS_A_ACTION_SIGNATURE_SCHEME,
		  65536 },
		{ SOCKTLS_ACTION_FAIL, SOCKTLS_A_ACTION_ALERT, 256 },
		{ SOCKTLS_ACTION_FAIL, SOCKTLS_A_ACTION_ERRNO, 0 },
		{ SOCKTLS_ACTION_FAIL, SOCKTLS_A_ACTION_ERRNO, 512 },
		{ SOCKTLS_ACTION_FAIL, SOCKTLS_A_ACTION_ERRNO, 4095 },
		{ SOCKTLS_ACTION_FAIL, SOCKTLS_A_ACTION_ERRNO, UINT32_MAX },
	};
	unsigned int i;

	rig_begin(&rig, SOCKTLS_CLIENT, &item);
	for (i = 0; i < ARRAY_SIZE(values); i++) {
		add_u32(values[i].kind, values[i].attr, values[i].value);
		refused(ERANGE);
	}
	add_u32(SOCKTLS_ACTION_SEND, SOCKTLS_A_ACTION_CONTENT_TYPE, 21);
	reply_bytes(&rig.reply, SOCKTLS_A_ACTION_BYTES, "\2\50", 2);
	refused(EINVAL);
	reply_done(&rig.reply, 0x0304, SOCKTLS_INFO_KEY_PLANE, "cookie", 6);
	refused(EINVAL);
	reply_done(&rig.reply, 0x0304, 1U << 31, "cookie", 6);
	refused(EINVAL);
	goes_on();
}

TEST(reply_with_a_string_too_long_is_refused)
{
	static const struct {
		uint32_t	kind;
		uint16_t	attr;
		size_t		len;
	} strings[] = {
		{ SOCKTLS_ACTION_KEY, SOCKTLS_A_ACTION_KEY, 33 },
		{ SOCKTLS_ACTION_KEY, SOCKTLS_A_ACTION_IV, 13 },
		{ SOCKTLS_ACTION_KEY, SOCKTLS_A_ACTION_MAC_KEY, 49 },
		{ SOCKTLS_ACTION_KEY, SOCKTLS_A_ACTION_TRAFFIC_SECRET, 49 },
		{ SOCKTLS_ACTION_DONE, SOCKTLS_A_ACTION_COOKIE, 4097 },
		{ SOCKTLS_ACTION_DONE, SOCKTLS_A_ACTION_ALPN, 256 },
	};
	unsigned int i;

	rig_begin(&rig, SOCKTLS_CLIENT, &item);
	for (i = 0; i < ARRAY_SIZE(strings); i++) {
		reply_action(&rig.reply, strings[i].kind);
		reply_bytes(&rig.reply, strings[i].attr, junk, strings[i].len);
		refused(ERANGE);
	}
	memset(junk, 'x', sizeof(junk));
	reply_action(&rig.reply, SOCKTLS_ACTION_FAIL);
	reply_bytes(&rig.reply, SOCKTLS_A_ACTION_TEXT, junk, 300);
	refused(EINVAL);	/* nor does it end */
	reply_send(&rig.reply, TYPE_HANDSHAKE, junk, 0, false);
	refused(EINVAL);
	goes_on();
}

TEST(reply_with_too_much_is_refused)
{
	int i;

	rig_begin(&rig, SOCKTLS_CLIENT, &item);
	for (i = 0; i < 65; i++)
		reply_action(&rig.reply, SOCKTLS_ACTION_MORE);
	refused(E2BIG);
	for (i = 0; i < 5; i++)
		reply_send(&rig.reply, TYPE_HANDSHAKE, junk, 58000, true);
	refused(E2BIG);
	goes_on();
}

TEST(reply_with_something_behind_its_end_is_refused)
{
	rig_begin(&rig, SOCKTLS_CLIENT, &item);
	reply_done(&rig.reply, 0x0304, 0, "cookie", 6);
	reply_send(&rig.reply, TYPE_HANDSHAKE, "late", 4, false);
	refused(EINVAL);
	reply_done(&rig.reply, 0x0304, 0, "cookie", 6);
	reply_done(&rig.reply, 0x0304, 0, "cookie", 6);
	refused(EINVAL);
	add_u32(SOCKTLS_ACTION_FAIL, SOCKTLS_A_ACTION_ERRNO, EPROTO);
	reply_action(&rig.reply, SOCKTLS_ACTION_MORE);
	refused(EINVAL);
	goes_on();
}

/* ---- who replies, and when ---- */

TEST(reply_of_another_helper_is_refused)
{
	struct fake second, stranger;

	rig_begin(&rig, SOCKTLS_CLIENT, &item);
	fake_open(&second);
	reply_version(&rig.reply, 0x0304);
	EXPECT_EQ(fake_reply(&second, &rig.reply), -ENOENT);
	EXPECT_NE(second.said[0], 0);
	fake_connect(&stranger);
	EXPECT_EQ(fake_reply(&stranger, &rig.reply), -EPERM);
	EXPECT_NE(stranger.said[0], 0);
	reply_init(&rig.reply, rig.id);
	goes_on();
}

TEST(reply_without_an_item_is_refused)
{
	rig_begin(&rig, SOCKTLS_CLIENT, &item);
	reply_action(&rig.reply, SOCKTLS_ACTION_MORE);
	ASSERT_EQ(fake_reply(&rig.helper, &rig.reply), 0);
	/* applied by now or not: the item has had its reply */
	refused(EPROTO);
	wire_write(&rig.out, TYPE_HANDSHAKE, "\2\0\0\1x", 5);
	fake_expect(&rig.helper, &item, SOCKTLS_ITEM_HANDSHAKE);
	goes_on();
	reply_init(&rig.reply, rig.id);
	reply_action(&rig.reply, SOCKTLS_ACTION_MORE);
	refused(ENOENT);
}

TEST(reply_to_a_connection_that_is_gone_is_refused)
{
	long before;

	rig_begin(&rig, SOCKTLS_CLIENT, &item);
	before = socktls_objects();
	close(rig.fd);
	reply_version(&rig.reply, 0x0304);
	refused(ENOENT);
	fake_expect(&rig.helper, &item, SOCKTLS_ITEM_ABORTED);
	EXPECT_EQ(item.id, rig.id);
	EXPECT_EQ(item.reason, SOCKTLS_ABORT_CLOSED);
	reply_action(&rig.reply, SOCKTLS_ACTION_MORE);
	refused(ENOENT);
	EXPECT_LE(socktls_objects_settle(before - 2), before - 2);
}

TEST(reply_with_a_key_twice_counts_the_last)
{
	struct wire other;

	rig_begin(&rig, SOCKTLS_CLIENT, &item);
	wire_key(&other, 0x0304, 7);
	reply_version(&rig.reply, 0x0304);
	reply_key(&rig.reply, SOCKTLS_DIRECTION_TX, SOCKTLS_LEVEL_APPLICATION,
		  &other);
	reply_key(&rig.reply, SOCKTLS_DIRECTION_RX, SOCKTLS_LEVEL_APPLICATION,
		  &other);
	goes_on();
}

/* ---- queued, and not to be applied ---- */

FIXTURE(impossible) {
	long	before;
};

FIXTURE_VARIANT(impossible) {
	void	(*build)(void);
};

static void put_key(uint32_t direction, uint32_t level, uint32_t cipher,
		    size_t key_len, size_t iv_len)
{
	reply_action(&rig.reply, SOCKTLS_ACTION_KEY);
	reply_u32(&rig.reply, SOCKTLS_A_ACTION_DIRECTION, direction);
	reply_u32(&rig.reply, SOCKTLS_A_ACTION_LEVEL, level);
	reply_u32(&rig.reply, SOCKTLS_A_ACTION_CIPHER, cipher);
	reply_bytes(&rig.reply, SOCKTLS_A_ACTION_KEY, junk, key_len);
	reply_bytes(&rig.reply, SOCKTLS_A_ACTION_IV, junk, iv_len);
}

#define IMPOSSIBLE(_name)						\
	static void build_##_name(void);				\
	FIXTURE_VARIANT_ADD(impossible, _name) {			\
		.build = build_##_name,					\
	};								\
	static void build_##_name(void)

IMPOSSIBLE(short_key)
{
	reply_version(&rig.reply, 0x0304);
	put_key(SOCKTLS_DIRECTION_TX, SOCKTLS_LEVEL_HANDSHAKE,
		TLS_CIPHER_AES_GCM_128, 15, 12);
}

IMPOSSIBLE(long_key)
{
	reply_version(&rig.reply, 0x0304);
	put_key(SOCKTLS_DIRECTION_RX, SOCKTLS_LEVEL_HANDSHAKE,
		TLS_CIPHER_AES_GCM_128, 32, 12);
}

IMPOSSIBLE(empty_key)
{
	reply_version(&rig.reply, 0x0304);
	put_key(SOCKTLS_DIRECTION_TX, SOCKTLS_LEVEL_HANDSHAKE,
		TLS_CIPHER_AES_GCM_128, 0, 12);
}

IMPOSSIBLE(iv_of_another_version)
{
	reply_version(&rig.reply, 0x0304);
	put_key(SOCKTLS_DIRECTION_TX, SOCKTLS_LEVEL_HANDSHAKE,
		TLS_CIPHER_AES_GCM_128, 16, 4);
}

IMPOSSIBLE(key_before_the_version)
{
	put_key(SOCKTLS_DIRECTION_TX, SOCKTLS_LEVEL_HANDSHAKE,
		TLS_CIPHER_AES_GCM_128, 16, 12);
}

IMPOSSIBLE(key_before_change_cipher_spec)
{
	reply_version(&rig.reply, 0x0303);
	put_key(SOCKTLS_DIRECTION_RX, SOCKTLS_LEVEL_APPLICATION,
		TLS_CIPHER_AES_GCM_128, 16, 4);
}

IMPOSSIBLE(done_without_keys)
{
	reply_version(&rig.reply, 0x0304);
	reply_done(&rig.reply, 0x0304, 0, "cookie", 6);
}

IMPOSSIBLE(done_with_one_key)
{
	wire_key(&rig.in, 0x0304, 2);
	rig.in.fd = -1;
	reply_version(&rig.reply, 0x0304);
	reply_key(&rig.reply, SOCKTLS_DIRECTION_TX, SOCKTLS_LEVEL_APPLICATION,
		  &rig.in);
	reply_done(&rig.reply, 0x0304, 0, "cookie", 6);
}

IMPOSSIBLE(done_with_handshake_keys)
{
	wire_key(&rig.in, 0x0304, 2);
	rig.in.fd = -1;
	reply_version(&rig.reply, 0x0304);
	reply_key(&rig.reply, SOCKTLS_DIRECTION_TX, SOCKTLS_LEVEL_HANDSHAKE,
		  &rig.in);
	reply_key(&rig.reply, SOCKTLS_DIRECTION_RX, SOCKTLS_LEVEL_HANDSHAKE,
		  &rig.in);
	reply_done(&rig.reply, 0x0304, 0, "cookie", 6);
}

IMPOSSIBLE(done_of_another_version)
{
	wire_key(&rig.in, 0x0304, 2);
	rig.in.fd = -1;
	reply_version(&rig.reply, 0x0304);
	reply_key(&rig.reply, SOCKTLS_DIRECTION_TX, SOCKTLS_LEVEL_APPLICATION,
		  &rig.in);
	reply_key(&rig.reply, SOCKTLS_DIRECTION_RX, SOCKTLS_LEVEL_APPLICATION,
		  &rig.in);
	reply_done(&rig.reply, 0x0303, 0, "cookie", 6);
}

IMPOSSIBLE(exporter_in_a_handshake)
{
	reply_action(&rig.reply, SOCKTLS_ACTION_EXPORTED);
	reply_bytes(&rig.reply, SOCKTLS_A_ACTION_BYTES, junk, 32);
}

/* Within a reply's limit, but what is kept has its own. */
IMPOSSIBLE(more_lazy_bytes_than_are_kept)
{
	int i;

	for (i = 0; i < 4; i++)
		reply_send(&rig.reply, TYPE_HANDSHAKE, junk, 65000, true);
	reply_send(&rig.reply, TYPE_HANDSHAKE, junk, 1800, true);
}

IMPOSSIBLE(unknown_cipher)
{
	reply_version(&rig.reply, 0x0304);
	put_key(SOCKTLS_DIRECTION_TX, SOCKTLS_LEVEL_HANDSHAKE, 9999, 16, 12);
}

FIXTURE_SETUP(impossible)
{
	rig_begin(&rig, SOCKTLS_CLIENT, &item);
	self->before = socktls_objects();
	variant->build();
}

TEST_F(impossible, action_ends_the_connection)
{
	struct socktls_error told;
	char c;

	ASSERT_EQ(fake_reply(&rig.helper, &rig.reply), 0);
	EXPECT_ERRNO(read(rig.fd, &c, 1), EIO);
	EXPECT_ERRNO(write(rig.fd, "x", 1), EIO);
	EXPECT_EQ(tls_state(rig.fd), SOCKTLS_STATE_FAILED);
	tls_error(rig.fd, &told);
	EXPECT_EQ(told.error, EIO);
	EXPECT_EQ(told.alert, 80);
	EXPECT_EQ(told.alert_from, SOCKTLS_ALERT_SENT);
	harness_note("%s", told.text);
	fake_expect(&rig.helper, &item, SOCKTLS_ITEM_ABORTED);
	EXPECT_EQ(item.id, rig.id);
	EXPECT_EQ(item.reason, SOCKTLS_ABORT_ACTION);
	reply_init(&rig.reply, rig.id);
	reply_action(&rig.reply, SOCKTLS_ACTION_MORE);
	refused(ENOENT);
	close(rig.fd);
	EXPECT_LE(socktls_objects_settle(self->before - 2), self->before - 2);
}

/* ---- anything ---- */

static void begin_again(void)
{
	close(rig.fd);
	close(rig.raw);
	while (fake_next(&rig.helper, &item, 0))
		;
	tcp_pair(AF_INET, &rig.fd, &rig.raw);
	ASSERT_EQ(tls_attach(rig.fd), 0);
	set_nonblocking(rig.fd, true);
	ASSERT_ERRNO(tls_start(rig.fd, SOCKTLS_CLIENT, 0), EINPROGRESS);
	do
		ASSERT_TRUE(fake_next(&rig.helper, &item, 10000));
	while (item.kind != SOCKTLS_ITEM_HANDSHAKE);
	rig.id = item.id;
}

static void build_whole(void)
{
	reply_init(&rig.reply, rig.id);
	wire_key(&rig.out, 0x0304, 1);
	wire_key(&rig.in, 0x0304, 2);
	reply_send(&rig.reply, TYPE_HANDSHAKE, "\1\0\0\1x", 5, false);
	reply_version(&rig.reply, 0x0304);
	reply_limit(&rig.reply, SOCKTLS_DIRECTION_TX, 1000);
	reply_key(&rig.reply, SOCKTLS_DIRECTION_TX, SOCKTLS_LEVEL_APPLICATION,
		  &rig.in);
	reply_key(&rig.reply, SOCKTLS_DIRECTION_RX, SOCKTLS_LEVEL_APPLICATION,
		  &rig.out);
	reply_done(&rig.reply, 0x0304, 0, "cookie", 6);
}

TEST_TIMEOUT(replies_with_any_byte_changed_are_survived, 240)
{
	static const uint8_t changes[] = { 0x01, 0x80, 0xff };
	unsigned int accepted = 0, refusals = 0;
	long before;
	size_t at;

	rig_begin(&rig, SOCKTLS_CLIENT, &item);
	before = socktls_objects();
	build_whole();
	for (at = NLMSG_HDRLEN + 4; at < rig.reply.len; at++) {
		build_whole();
		rig.reply.bytes[at] ^= changes[at % ARRAY_SIZE(changes)];
		if (fake_reply(&rig.helper, &rig.reply)) {
			refusals++;
			continue;
		}
		accepted++;
		begin_again();
	}
	harness_note("%u accepted, %u refused", accepted, refusals);
	EXPECT_GE(accepted, 100);
	EXPECT_GE(refusals, 100);
	begin_again();
	EXPECT_LE(socktls_objects_settle(before), before);
}

int main(int argc, char **argv)
{
	return harness_main(argc, argv);
}
