// SPDX-License-Identifier: MIT
/*
 * What changes the records: record_size_limit (RFC 8449), max_fragment_length
 * (RFC 6066 section 4), encrypt-then-MAC (RFC 7366).
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/messages.h"
#include "world.h"

static struct engine_policy *limited(unsigned int limit)
{
	struct engine_policy *policy = engine_policy_new();
	char value[16], text[128];

	snprintf(value, sizeof(value), "%u", limit);
	assert_int_equal(engine_policy_set(policy, "record-size-limit", value,
					   text, sizeof(text)), 0);
	return policy;
}

static void run_limits(unsigned int client, unsigned int server,
		       uint16_t version, struct pair *pair)
{
	struct engine_config c = world_client(), s = world_server(&world.rsa);

	c.max_version = version;
	c.rules = limited(client);
	s.rules = limited(server);
	world_run(pair, c, s);
	pair_assert_good(pair);
	engine_policy_put(c.rules);
	engine_policy_put(s.rules);
}

/* No one says what is the protocol's limit anyway. */
static void no_limit_is_told_where_there_is_none(void **state)
{
	uint16_t version;

	(void)state;
	for (version = TLS12; version <= TLS13; version++) {
		struct pair pair;

		run_limits(16384, 16384, version, &pair);
		assert_null(strstr(pair.client.events, "limit"));
		assert_null(strstr(pair.server.events, "limit"));
		pair_free(&pair);
	}
}

static void limits_come_before_the_keys_they_are_about(void **state)
{
	struct pair pair;

	(void)state;
	run_limits(1000, 64, TLS13, &pair);
	assert_string_equal(pair.client.events,
		"send:1 version ccs key:rx:handshake key:tx:handshake "
		"limit:rx:1000 limit:tx:64 send:20 key:tx:application "
		"key:rx:application cert:peer done");
	assert_string_equal(pair.server.events,
		"version send:2 ccs limit:tx:1000 key:tx:handshake send:8 "
		"key:tx:application limit:rx:64 key:rx:handshake "
		"key:rx:application cert:local done");
	pair_free(&pair);
	run_limits(1000, 64, TLS12, &pair);
	assert_string_equal(pair.client.events,
		"send:1 version send:16 ccs limit:tx:64 key:tx:application "
		"send:20 limit:rx:1000 key:rx:application cert:peer done");
	assert_string_equal(pair.server.events,
		"version send:2 limit:rx:64 key:rx:application ccs "
		"limit:tx:1000 key:tx:application send:20 cert:local done");
	pair_free(&pair);
}

/* RFC 8449 section 4: what was said holds, though it was said for TLS 1.3. */
static void limit_told_for_13_holds_in_12(void **state)
{
	struct engine_config c = world_client(), s = world_server(&world.rsa);
	struct pair pair;

	(void)state;
	c.rules = limited(1000);
	s.max_version = TLS12;
	world_run(&pair, c, s);
	pair_assert_good(&pair);
	assert_non_null(strstr(pair.client.events, "limit:rx:1001 "));
	assert_non_null(strstr(pair.server.events, "limit:tx:1001 "));
	pair_free(&pair);
	engine_policy_put(c.rules);
	c.rules = limited(16384);
	world_run(&pair, c, s);
	pair_assert_good(&pair);
	assert_null(strstr(pair.client.events, "limit"));
	assert_null(strstr(pair.server.events, "limit"));
	pair_free(&pair);
	engine_policy_put(c.rules);
}

/* ------------------------------------------------------- their extension */

static uint8_t *hello_of(struct engine_config *config, size_t *len)
{
	struct side side;
	uint8_t *bytes;

	side_init(&side, "client", config);
	assert_int_equal(engine_start(side.engine), 0);
	bytes = side_take(&side, len);
	side_free(&side);
	return bytes;
}

/* Rename record_size_limit to another extension with a body of two bytes. */
static void answer(uint16_t version, uint16_t type, const uint8_t *body,
		   size_t len, struct side *side)
{
	static const uint8_t limit[] = { 0, 28, 0, 2 };
	struct engine_config c = world_client(), s = world_server(&world.rsa);
	size_t hello_len;
	uint8_t *hello, *at;

	c.max_version = version;
	hello = hello_of(&c, &hello_len);
	at = memmem(hello, hello_len, limit, sizeof(limit));
	assert_non_null(at);
	if (len == 1) {
		/* the last byte goes, and lengths shrink */
		memmove(at + 5, at + 6, hello + hello_len - at - 6);
		hello_len--;
		at[3] = 1;
		hello[3]--;
		at = hello + 4 + 34 + 1 + hello[38];
		at += 2 + (at[0] << 8 | at[1]) + 2;
		if (!at[1]--)
			at[0]--;
		at = memmem(hello, hello_len, "\0\34\0\1", 4);
	}
	at[0] = type >> 8;
	at[1] = type;
	memcpy(at + 4, body, len);
	side_init(side, "server", &s);
	side->ret = engine_receive(side->engine, SOCKTLS_LEVEL_PLAINTEXT, 22,
				   bytes_of(hello, hello_len));
	free(hello);
}

static void limits_below_64_are_refused(void **state)
{
	uint16_t version;

	(void)state;
	for (version = TLS12; version <= TLS13; version++) {
		struct side side;

		answer(version, EXT_RECORD_SIZE_LIMIT,
		       (const uint8_t []){ 0, 63 }, 2, &side);
		assert_failed(&side, ILLEGAL_PARAMETER, EPROTO, "ClientHello");
		side_free(&side);
		answer(version, EXT_RECORD_SIZE_LIMIT,
		       (const uint8_t []){ 0, 64 }, 2, &side);
		assert_int_equal(side.ret, 0);
		side_free(&side);
		/* a future version's, for all a server knows */
		answer(version, EXT_RECORD_SIZE_LIMIT,
		       (const uint8_t []){ 0xff, 0xff }, 2, &side);
		assert_int_equal(side.ret, 0);
		assert_null(strstr(side.events, "limit"));
		side_free(&side);
	}
}

static void fragment_length_counts_at_once(void **state)
{
	uint16_t version;
	uint8_t code;

	(void)state;
	for (version = TLS12; version <= TLS13; version++)
		for (code = 0; code <= 5; code++) {
			char expected[64];
			struct side side;

			answer(version, EXT_MAX_FRAGMENT_LENGTH, &code, 1,
			       &side);
			if (code < 1 || code > 4) {
				assert_failed(&side, ILLEGAL_PARAMETER, EPROTO,
					      "ClientHello");
				side_free(&side);
				continue;
			}
			assert_int_equal(side.ret, 0);
			snprintf(expected, sizeof(expected), "limit:tx:%d",
				 256 << code);
			assert_non_null(strstr(side.events, expected));
			snprintf(expected, sizeof(expected), "limit:rx:%d",
				 256 << code);
			assert_non_null(strstr(side.events, expected));
			side_free(&side);
		}
}

static void fragment_length_of_two_bytes_is_malformed(void **state)
{
	struct side side;

	(void)state;
	answer(TLS12, EXT_MAX_FRAGMENT_LENGTH, (const uint8_t []){ 1, 1 }, 2,
	       &side);
	assert_failed(&side, DECODE_ERROR, EPROTO, "ClientHello");
	side_free(&side);
}

/* Change the answer on its way to the client. */
struct change {
	uint8_t		from[6], to[6];
	size_t		len;
	unsigned int	done;
};

static bool change_answer(struct pair *pair, struct side *from,
			  struct record *record)
{
	struct change *change = pair->arg;
	uint8_t *at;

	if (strcmp(from->name, "server"))
		return true;
	at = memmem(record->data, record->len, change->from, change->len);
	if (at && !change->done++)
		memcpy(at, change->to, change->len);
	return true;
}

static void run_change(struct change change, unsigned int client_limit,
		       uint16_t version, int alert)
{
	struct engine_config c = world_client(), s = world_server(&world.rsa);
	struct pair pair;

	c.max_version = version;
	c.rules = limited(client_limit);
	pair_init(&pair, &c, &s);
	pair.tamper = change_answer;
	pair.arg = &change;
	pair_run(&pair);
	assert_int_equal(change.done, 1);
	assert_failed(&pair.client, alert, EPROTO, "");
	pair_free(&pair);
	engine_policy_put(c.rules);
}

static void senseless_answers_are_refused(void **state)
{
	(void)state;
	/* 16384 or 16385 becomes 63 */
	run_change((struct change){ { 0, 28, 0, 2, 0x40, 0x01 },
				    { 0, 28, 0, 2, 0, 63 }, 6, 0 },
		   16384, TLS13, ILLEGAL_PARAMETER);
	run_change((struct change){ { 0, 28, 0, 2, 0x40, 0x00 },
				    { 0, 28, 0, 2, 0, 63 }, 6, 0 },
		   16384, TLS12, ILLEGAL_PARAMETER);
	/* max_fragment_length of two bytes, and where it was not asked for */
	run_change((struct change){ { 0, 28, 0, 2, 0x40, 0x01 },
				    { 0, 1, 0, 2, 1, 1 }, 6, 0 },
		   512, TLS13, DECODE_ERROR);
	run_change((struct change){ { 0, 28, 0, 2, 0x40, 0x01 },
				    { 0, 1, 0, 2, 1, 1 }, 6, 0 },
		   500, TLS13, UNSUPPORTED_EXTENSION);
}

/* ------------------------------------------------------- encrypt-then-MAC */

static void run_suite(uint16_t suite, struct pair *pair)
{
	struct engine_config c = world_client(), s = world_server(&world.rsa);

	c.suites = s.suites = &suite;
	c.n_suites = s.n_suites = 1;
	world_run(pair, c, s);
	pair_assert_good(pair);
}

static void block_ciphers_encrypt_then_mac_and_others_do_not(void **state)
{
	static const struct {
		uint16_t	suite;
		bool		etm;
	} cases[] = {
		{ 0x003c, true }, { 0xc028, true }, { 0xc013, true },
		{ 0xc02f, false }, { 0x009c, false }, { 0x1301, false },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct pair pair;

		run_suite(cases[i].suite, &pair);
		assert_int_equal(!!(pair.client.result.flags &
				    SOCKTLS_INFO_ENCRYPT_THEN_MAC),
				 cases[i].etm);
		assert_int_equal(pair.server.tx.flags,
				 cases[i].etm ? SOCKTLS_KEY_ENCRYPT_THEN_MAC :
				 0);
		assert_int_equal(pair.client.result.flags,
				 (pair.server.result.flags |
				  SOCKTLS_INFO_PEER_VERIFIED) &
				 ~SOCKTLS_INFO_SERVER);
		pair_free(&pair);
	}
}

/* Not offered without a block cipher; not answered to who did not offer it. */
static void without_the_offer_there_is_no_answer(void **state)
{
	const uint16_t aead = 0xc02f, cbc = 0x003c;
	struct engine_config c = world_client(), s = world_server(&world.rsa);
	struct client_hello hello;
	struct side side;
	uint8_t *bytes, *at;
	size_t len;

	(void)state;
	c.suites = &aead;
	c.n_suites = 1;
	bytes = hello_of(&c, &len);
	assert_int_equal(client_hello_parse(&hello, bytes_of(bytes + 4,
							     len - 4)), 0);
	assert_false(extensions_have(&hello.extensions, EXT_ENCRYPT_THEN_MAC));
	free(bytes);

	c.suites = &cbc;
	bytes = hello_of(&c, &len);
	at = memmem(bytes, len, "\0\26\0\0", 4);
	assert_non_null(at);
	at[0] = 0xfa;	/* hidden */
	side_init(&side, "server", &s);
	side.ret = engine_receive(side.engine, SOCKTLS_LEVEL_PLAINTEXT, 22,
				  bytes_of(bytes, len));
	assert_int_equal(side.ret, 0);
	free(bytes);
	bytes = side_take(&side, &len);
	assert_null(memmem(bytes, len, "\0\26\0\0", 4));
	free(bytes);
	side_free(&side);
}

/* RFC 7366 section 3: an answer for an AEAD is an error. */
static void encrypt_then_mac_of_an_aead_is_refused(void **state)
{
	static const uint16_t both[] = { 0xc02f, 0x003c };
	struct change change = { { 0, 23, 0, 0 }, { 0, 22, 0, 0 }, 4, 0 };
	struct engine_config c = world_client(), s = world_server(&world.rsa);
	struct pair pair;

	(void)state;
	c.suites = both;
	c.n_suites = 2;
	pair_init(&pair, &c, &s);
	pair.tamper = change_answer;
	pair.arg = &change;
	pair_run(&pair);
	assert_int_equal(change.done, 1);
	assert_failed(&pair.client, ILLEGAL_PARAMETER, EPROTO, "ServerHello");
	pair_free(&pair);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_limit_is_told_where_there_is_none),
		cmocka_unit_test(limits_come_before_the_keys_they_are_about),
		cmocka_unit_test(limit_told_for_13_holds_in_12),
		cmocka_unit_test(limits_below_64_are_refused),
		cmocka_unit_test(fragment_length_counts_at_once),
		cmocka_unit_test(fragment_length_of_two_bytes_is_malformed),
		cmocka_unit_test(senseless_answers_are_refused),
		cmocka_unit_test(block_ciphers_encrypt_then_mac_and_others_do_not),
		cmocka_unit_test(without_the_offer_there_is_no_answer),
		cmocka_unit_test(encrypt_then_mac_of_an_aead_is_refused),
	};

	return cmocka_run_group_tests_name("limits", tests, world_setup,
					   world_teardown);
}
