// SPDX-License-Identifier: GPL-2.0
/* kmod/record.c: headers, nonces, additional data, and where delivery pauses */
#include <kunit/test.h>
#include <linux/random.h>
#include <linux/string.h>

#include "record.h"

/* --- header --- */

static void header_is_read_big_endian(struct kunit *test)
{
	static const u8 bytes[] = { 0x16, 0x03, 0x01, 0x12, 0x34 };
	struct record_header h;

	record_parse_header(bytes, &h);
	KUNIT_EXPECT_EQ(test, RECORD_HANDSHAKE, h.type);
	KUNIT_EXPECT_EQ(test, 0x0301, h.version);
	KUNIT_EXPECT_EQ(test, 0x1234, h.length);
}

static void header_is_written_as_read(struct kunit *test)
{
	struct record_header h;
	u8 bytes[RECORD_HEADER_LEN];

	record_write_header(bytes, RECORD_ALERT, RECORD_TLS_1_2, 0xfffe);
	record_parse_header(bytes, &h);
	KUNIT_EXPECT_EQ(test, RECORD_ALERT, h.type);
	KUNIT_EXPECT_EQ(test, RECORD_TLS_1_2, h.version);
	KUNIT_EXPECT_EQ(test, 0xfffe, h.length);
}

static int check(u8 type, u16 version, u16 length,
		 const struct record_limits *limits)
{
	struct record_header h = {
		.type = type, .version = version, .length = length,
	};

	return record_check_header(&h, limits);
}

static const struct record_limits limits_none = {
	.max_length = RECORD_MAX_PLAINTEXT,
};

static const struct record_limits limits_12 = {
	.version = RECORD_TLS_1_2,
	.min_length = 48,
	.max_length = RECORD_MAX_PLAINTEXT + RECORD_EXPANSION_12,
};

static const struct record_limits limits_13 = {
	.version = RECORD_TLS_1_2,
	.min_length = 17,
	.max_length = RECORD_MAX_PLAINTEXT + 1 + 16,
};

static void header_of_unknown_type_is_refused(struct kunit *test)
{
	u32 type;

	for (type = 0; type < 256; type++)
		KUNIT_EXPECT_EQ(test, type >= 20 && type <= 23 ? 0 : -ENOMSG,
				check(type, RECORD_TLS_1_2, 100, &limits_13));
}

static void header_of_other_version_is_refused(struct kunit *test)
{
	u32 version;

	for (version = 0; version < 0x10000; version++)
		KUNIT_ASSERT_EQ(test, version == 0x0303 ? 0 : -EINVAL,
				check(22, version, 100, &limits_12));
}

/* Only the major version tells TLS from something else in a ClientHello */
static void first_header_may_have_any_tls_version(struct kunit *test)
{
	u32 version;

	for (version = 0x0300; version <= 0x0303; version++)
		KUNIT_EXPECT_EQ(test, 0, check(22, version, 5, &limits_none));
	for (version = 0; version < 0x10000; version++)
		if (version >> 8 != 3)
			KUNIT_ASSERT_EQ(test, -EINVAL,
					check(22, version, 5, &limits_none));
}

static void expect_limits(struct kunit *test, const struct record_limits *l)
{
	u32 length;
	int expected;

	for (length = 0; length < 0x10000; length++) {
		expected = length > l->max_length ? -EMSGSIZE :
			   length < l->min_length ? -EBADMSG : 0;
		KUNIT_ASSERT_EQ(test, expected,
				check(23, RECORD_TLS_1_2, length, l));
	}
}

static void header_over_or_under_limit_is_refused(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, 0, check(23, 0x0303, 16384, &limits_none));
	KUNIT_EXPECT_EQ(test, -EMSGSIZE, check(23, 0x0303, 16385,
					       &limits_none));
	KUNIT_EXPECT_EQ(test, 0, check(23, 0x0303, 16384 + 17, &limits_13));
	KUNIT_EXPECT_EQ(test, -EMSGSIZE, check(23, 0x0303, 16384 + 18,
					       &limits_13));
	KUNIT_EXPECT_EQ(test, 0, check(23, 0x0303, 16384 + 2048, &limits_12));
	KUNIT_EXPECT_EQ(test, -EMSGSIZE, check(23, 0x0303, 16384 + 2049,
					       &limits_12));
	KUNIT_EXPECT_EQ(test, -EBADMSG, check(23, 0x0303, 0, &limits_13));
	KUNIT_EXPECT_EQ(test, -EBADMSG, check(23, 0x0303, 0, &limits_12));
	expect_limits(test, &limits_none);
	expect_limits(test, &limits_12);
	expect_limits(test, &limits_13);
}

/* The order of stock kTLS, whose errnos programs know */
static void header_length_is_judged_before_version(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, -EMSGSIZE, check(23, 0x5555, 0x5555,
					       &limits_13));
	KUNIT_EXPECT_EQ(test, -EBADMSG, check(23, 0x5555, 0, &limits_12));
	KUNIT_EXPECT_EQ(test, -EINVAL, check(23, 0x5555, 100, &limits_12));
}

/* --- nonce and additional data --- */

static const u8 write_iv[RECORD_NONCE_LEN] = {
	0x5d, 0x31, 0x3e, 0xb2, 0x67, 0x12, 0x76, 0xee,
	0x13, 0x00, 0x0b, 0x30,
};

/* RFC 8446 section 5.3, RFC 7905 section 2: record 0 has the IV itself */
static void first_nonce_is_the_iv(struct kunit *test)
{
	u8 nonce[RECORD_NONCE_LEN];

	record_nonce_xor(nonce, write_iv, 0);
	KUNIT_EXPECT_MEMEQ(test, nonce, write_iv, sizeof(nonce));
}

/* The 64-bit number, big-endian, padded on the left to the IV's length */
static void nonce_is_iv_xor_padded_sequence_number(struct kunit *test)
{
	static const u8 padded[RECORD_NONCE_LEN] = {
		0, 0, 0, 0, 0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef,
	};
	static const u8 zero[RECORD_NONCE_LEN];
	u8 nonce[RECORD_NONCE_LEN];
	u32 i;

	record_nonce_xor(nonce, zero, 0x0123456789abcdefULL);
	KUNIT_EXPECT_MEMEQ(test, nonce, padded, sizeof(nonce));
	record_nonce_xor(nonce, write_iv, 0x0123456789abcdefULL);
	for (i = 0; i < sizeof(nonce); i++)
		KUNIT_EXPECT_EQ(test, write_iv[i] ^ padded[i], nonce[i]);
}

/* RFC 5288 section 3: salt[4] || nonce_explicit[8] */
static void explicit_nonce_follows_the_salt(struct kunit *test)
{
	static const u8 explicit_nonce[] = { 1, 2, 3, 4, 5, 6, 7, 8 };
	static const u8 expected[RECORD_NONCE_LEN] = {
		0x5d, 0x31, 0x3e, 0xb2, 1, 2, 3, 4, 5, 6, 7, 8,
	};
	u8 nonce[RECORD_NONCE_LEN];

	record_nonce_explicit(nonce, write_iv, explicit_nonce);
	KUNIT_EXPECT_MEMEQ(test, nonce, expected, sizeof(nonce));
}

/* RFC 5246 section 6.2.3.3: seq_num || type || version || length */
static void aad_of_tls_1_2_is_number_and_header(struct kunit *test)
{
	static const u8 expected[RECORD_AAD_LEN_12] = {
		0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef,
		0x17, 0x03, 0x03, 0x40, 0x00,
	};
	u8 aad[RECORD_AAD_LEN_12];

	record_aad_12(aad, 0x0123456789abcdefULL, RECORD_APPLICATION_DATA,
		      RECORD_TLS_1_2, RECORD_MAX_PLAINTEXT);
	KUNIT_EXPECT_MEMEQ(test, aad, expected, sizeof(aad));
}

/* --- fragmentation --- */

static void fragments_are_full_but_the_last(struct kunit *test)
{
	u32 total, left, n, count;

	for (total = 0; total < 3 * RECORD_MAX_PLAINTEXT + 3; total++) {
		left = total;
		for (count = 0; left; count++) {
			n = record_fragment_len(left, RECORD_MAX_PLAINTEXT);
			KUNIT_ASSERT_EQ(test, min_t(u32, left, 16384), n);
			left -= n;
		}
		KUNIT_ASSERT_EQ(test, DIV_ROUND_UP(total, 16384), count);
	}
}

static void fragments_keep_to_a_lower_limit(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, 0, record_fragment_len(0, 64));
	KUNIT_EXPECT_EQ(test, 63, record_fragment_len(63, 64));
	KUNIT_EXPECT_EQ(test, 64, record_fragment_len(64, 64));
	KUNIT_EXPECT_EQ(test, 64, record_fragment_len(65, 64));
	KUNIT_EXPECT_EQ(test, 1, record_fragment_len(U32_MAX, 1));
}

/* --- Finished --- */

/*
 * A server's flight, its bodies full of bytes that look like a Finished:
 * EncryptedExtensions (8), Certificate (11), CertificateVerify (15), a message
 * without a body, Finished (20), and a NewSessionTicket (4).
 */
static const struct flight_message {
	u8 type;
	u32 len;
} flight[] = {
	{ 8, 6 }, { 11, 300 }, { 15, 70 }, { 14, 0 }, { 20, 32 }, { 4, 20 },
};

#define FLIGHT_SIZE	(6 * 4 + 6 + 300 + 70 + 32 + 20)
#define FINISHED_END	(FLIGHT_SIZE - 4 - 20)

static void make_flight(u8 *bytes)
{
	u32 i, pos = 0;

	for (i = 0; i < ARRAY_SIZE(flight); i++) {
		bytes[pos] = flight[i].type;
		bytes[pos + 1] = 0;
		bytes[pos + 2] = flight[i].len >> 8;
		bytes[pos + 3] = flight[i].len;
		memset(bytes + pos + 4, HANDSHAKE_FINISHED, flight[i].len);
		pos += 4 + flight[i].len;
	}
}

static u8 *new_flight(struct kunit *test)
{
	u8 *bytes = kunit_kzalloc(test, FLIGHT_SIZE, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, bytes);
	make_flight(bytes);
	return bytes;
}

/* Feeds bytes from @from to @to; the pause must be told with Finished's last */
static void track(struct kunit *test, struct handshake_tracker *t,
		  const u8 *bytes, u32 from, u32 to)
{
	KUNIT_ASSERT_EQ(test, to >= FINISHED_END,
			handshake_track(t, bytes + from, to - from));
}

static void finished_is_found_at_every_cut(struct kunit *test)
{
	u8 *bytes = new_flight(test);
	u32 first, second;

	for (first = 0; first <= FLIGHT_SIZE; first++) {
		for (second = first; second <= FLIGHT_SIZE; second++) {
			struct handshake_tracker t = {};

			track(test, &t, bytes, 0, first);
			track(test, &t, bytes, first, second);
			track(test, &t, bytes, second, FLIGHT_SIZE);
		}
	}
}

static void finished_is_found_byte_by_byte(struct kunit *test)
{
	struct handshake_tracker t = {};
	u8 *bytes = new_flight(test);
	u32 i;

	for (i = 0; i < FLIGHT_SIZE; i++)
		track(test, &t, bytes, i, i + 1);
}

static void finished_is_found_at_random_cuts(struct kunit *test)
{
	u8 *bytes = new_flight(test);
	u32 run, from, to;

	for (run = 0; run < 10000; run++) {
		struct handshake_tracker t = {};

		for (from = 0; from < FLIGHT_SIZE; from = to) {
			to = min_t(u32, FLIGHT_SIZE,
				   from + get_random_u32() % 64);
			track(test, &t, bytes, from, to);
		}
	}
}

static void finished_without_body_is_found(struct kunit *test)
{
	static const u8 bytes[] = { HANDSHAKE_FINISHED, 0, 0, 0 };
	struct handshake_tracker t = {};

	KUNIT_EXPECT_FALSE(test, handshake_track(&t, bytes, 3));
	KUNIT_EXPECT_TRUE(test, handshake_track(&t, bytes + 3, 1));
}

static void finished_stays_found(struct kunit *test)
{
	struct handshake_tracker t = {};
	u8 *bytes = new_flight(test);

	KUNIT_EXPECT_TRUE(test, handshake_track(&t, bytes, FLIGHT_SIZE));
	KUNIT_EXPECT_TRUE(test, handshake_track(&t, bytes, 0));
	KUNIT_EXPECT_TRUE(test, handshake_track(&t, bytes, 30));
}

/* A body of 2^24 - 1 bytes, none of which starts a message */
static void longest_message_is_no_finished(struct kunit *test)
{
	static const u8 header[] = { HANDSHAKE_CLIENT_HELLO, 0xff, 0xff, 0xff };
	struct handshake_tracker t = {};
	u8 *bytes = new_flight(test);
	u32 left = 0xffffff;
	u32 n;

	memset(bytes, HANDSHAKE_FINISHED, 64);
	KUNIT_EXPECT_FALSE(test, handshake_track(&t, header, sizeof(header)));
	while (left) {
		n = min_t(u32, left, 64);
		KUNIT_ASSERT_FALSE(test, handshake_track(&t, bytes, n));
		left -= n;
	}
	make_flight(bytes);
	KUNIT_EXPECT_TRUE(test, handshake_track(&t, bytes, FLIGHT_SIZE));
}

static struct kunit_case record_cases[] = {
	KUNIT_CASE(header_is_read_big_endian),
	KUNIT_CASE(header_is_written_as_read),
	KUNIT_CASE(header_of_unknown_type_is_refused),
	KUNIT_CASE(header_of_other_version_is_refused),
	KUNIT_CASE(first_header_may_have_any_tls_version),
	KUNIT_CASE(header_over_or_under_limit_is_refused),
	KUNIT_CASE(header_length_is_judged_before_version),
	KUNIT_CASE(first_nonce_is_the_iv),
	KUNIT_CASE(nonce_is_iv_xor_padded_sequence_number),
	KUNIT_CASE(explicit_nonce_follows_the_salt),
	KUNIT_CASE(aad_of_tls_1_2_is_number_and_header),
	KUNIT_CASE(fragments_are_full_but_the_last),
	KUNIT_CASE(fragments_keep_to_a_lower_limit),
	KUNIT_CASE(finished_is_found_at_every_cut),
	KUNIT_CASE(finished_is_found_byte_by_byte),
	KUNIT_CASE(finished_is_found_at_random_cuts),
	KUNIT_CASE(finished_without_body_is_found),
	KUNIT_CASE(finished_stays_found),
	KUNIT_CASE(longest_message_is_no_finished),
	{}
};

static struct kunit_suite record_suite = {
	.name = "record",
	.test_cases = record_cases,
};

/* --- delivery during a handshake --- */

struct delivery_case {
	const char *name;
	struct delivery_state at;
	enum delivery change_cipher_spec;
	enum delivery alert;
	enum delivery handshake;
	enum delivery application_data;
};

/* The delivery rule, row by row: what a record of each outer type becomes */
static const struct delivery_case delivery_cases[] = {
	{
		.name = "no key, version unknown",
		.at = { .keyed = false, .version = 0 },
		.change_cipher_spec = DELIVERY_PAUSE,
		.alert = DELIVERY_OPEN,
		.handshake = DELIVERY_OPEN,
		.application_data = DELIVERY_PAUSE,
	}, {
		.name = "no key, TLS 1.2",
		.at = { .version = RECORD_TLS_1_2 },
		.change_cipher_spec = DELIVERY_OPEN,
		.alert = DELIVERY_OPEN,
		.handshake = DELIVERY_OPEN,
		.application_data = DELIVERY_PAUSE,
	}, {
		.name = "no key, TLS 1.3",
		.at = { .version = RECORD_TLS_1_3 },
		.change_cipher_spec = DELIVERY_DROP,
		.alert = DELIVERY_OPEN,
		.handshake = DELIVERY_OPEN,
		.application_data = DELIVERY_PAUSE,
	}, {
		.name = "handshake key, TLS 1.3, nothing opened",
		.at = { .keyed = true, .version = RECORD_TLS_1_3 },
		.change_cipher_spec = DELIVERY_DROP,
		.alert = DELIVERY_PLAINTEXT,
		.handshake = DELIVERY_REFUSE,
		.application_data = DELIVERY_OPEN,
	}, {
		.name = "handshake key, TLS 1.3",
		.at = { .keyed = true, .version = RECORD_TLS_1_3,
			.protected = true },
		.change_cipher_spec = DELIVERY_DROP,
		.alert = DELIVERY_REFUSE,
		.handshake = DELIVERY_REFUSE,
		.application_data = DELIVERY_OPEN,
	}, {
		.name = "handshake key, TLS 1.3, Finished delivered",
		.at = { .keyed = true, .version = RECORD_TLS_1_3,
			.protected = true, .finished = true },
		.change_cipher_spec = DELIVERY_REFUSE,
		.alert = DELIVERY_REFUSE,
		.handshake = DELIVERY_REFUSE,
		.application_data = DELIVERY_PAUSE,
	}, {
		.name = "application key, TLS 1.3",
		.at = { .keyed = true, .version = RECORD_TLS_1_3,
			.protected = true, .application = true },
		.change_cipher_spec = DELIVERY_REFUSE,
		.alert = DELIVERY_REFUSE,
		.handshake = DELIVERY_REFUSE,
		.application_data = DELIVERY_PAUSE,
	}, {
		.name = "key, TLS 1.2",
		.at = { .keyed = true, .version = RECORD_TLS_1_2 },
		.change_cipher_spec = DELIVERY_OPEN,
		.alert = DELIVERY_OPEN,
		.handshake = DELIVERY_OPEN,
		.application_data = DELIVERY_PAUSE,
	},
};

KUNIT_ARRAY_PARAM_DESC(delivery, delivery_cases, name);

static void delivery_follows_the_rule(struct kunit *test)
{
	const struct delivery_case *c = test->param_value;

	KUNIT_EXPECT_EQ(test, c->change_cipher_spec,
			record_delivery(&c->at, RECORD_CHANGE_CIPHER_SPEC));
	KUNIT_EXPECT_EQ(test, c->alert,
			record_delivery(&c->at, RECORD_ALERT));
	KUNIT_EXPECT_EQ(test, c->handshake,
			record_delivery(&c->at, RECORD_HANDSHAKE));
	KUNIT_EXPECT_EQ(test, c->application_data,
			record_delivery(&c->at, RECORD_APPLICATION_DATA));
}

static struct kunit_case delivery_kunit_cases[] = {
	KUNIT_CASE_PARAM(delivery_follows_the_rule, delivery_gen_params),
	{}
};

static struct kunit_suite delivery_suite = {
	.name = "delivery",
	.test_cases = delivery_kunit_cases,
};

kunit_test_suites(&record_suite, &delivery_suite);
