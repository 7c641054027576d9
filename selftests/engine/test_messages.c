// SPDX-License-Identifier: MIT
/*
 * Message codecs: the messages of real handshakes, cut at every byte and with
 * every byte changed. Each candidate lies in memory of exactly its own size, so
 * that the address sanitizer sees a read past the end.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/messages.h"
#include "hex.h"
#include "rfc8448.h"
#include "world.h"

/* ----------------------------------------------------- codecs by message */

static int parse_client_hello(struct engine_bytes body)
{
	struct client_hello m;

	return client_hello_parse(&m, body);
}

static int parse_server_hello(struct engine_bytes body)
{
	struct server_hello m;

	return server_hello_parse(&m, body);
}

static int parse_encrypted_extensions(struct engine_bytes body)
{
	struct extensions m;

	return encrypted_extensions_parse(&m, body);
}

static int parse_certificate(struct engine_bytes body, bool tls13)
{
	struct engine_bytes context, der, extensions;
	struct certificate_list list;
	int alert = certificate_parse(&list, tls13, body, &context);

	while (!alert && certificate_next(&list, &der, &extensions))
		assert_true(der.len > 0);
	return alert;
}

static int parse_certificate12(struct engine_bytes body)
{
	return parse_certificate(body, false);
}

static int parse_certificate13(struct engine_bytes body)
{
	return parse_certificate(body, true);
}

static int parse_request12(struct engine_bytes body)
{
	struct certificate_request m;

	return certificate_request12_parse(&m, body);
}

static int parse_request13(struct engine_bytes body)
{
	struct certificate_request m;

	return certificate_request13_parse(&m, body);
}

static int parse_verify(struct engine_bytes body)
{
	struct signature m;

	return certificate_verify_parse(&m, body);
}

static int parse_exchange_ecdhe(struct engine_bytes body)
{
	struct server_key_exchange m;

	return server_key_exchange_ecdhe_parse(&m, body);
}

static int parse_exchange_dhe(struct engine_bytes body)
{
	struct server_key_exchange m;
	struct server_dh_params dh;

	return server_key_exchange_dhe_parse(&m, &dh, body);
}

static int parse_client_exchange1(struct engine_bytes body)
{
	struct engine_bytes m;

	return client_key_exchange_parse(&m, 1, body);
}

static int parse_client_exchange2(struct engine_bytes body)
{
	struct engine_bytes m;

	return client_key_exchange_parse(&m, 2, body);
}

static int parse_ticket13(struct engine_bytes body)
{
	struct new_session_ticket m;

	return new_session_ticket13_parse(&m, body);
}

static int parse_ticket12(struct engine_bytes body)
{
	struct new_session_ticket m;

	return new_session_ticket12_parse(&m, body);
}

typedef int (*parser)(struct engine_bytes body);

static int parse_exact(parser parse, const uint8_t *data, size_t len)
{
	uint8_t *copy = malloc(len ? len : 1);
	int alert;

	/* without a byte behind it, even when it is empty */
	copy = realloc(copy, len);
	if (len)
		memcpy(copy, data, len);
	alert = parse(bytes_of(copy, len));
	free(copy);
	return alert;
}

/* @whole: without it nothing that is shorter may be taken. */
static void cut_and_change(parser parse, const uint8_t *body, size_t len,
			   size_t valid_cut)
{
	uint8_t *changed = malloc(len);
	size_t at;
	unsigned int bit;

	assert_int_equal(parse_exact(parse, body, len), 0);
	for (at = 0; at < len; at++) {
		int alert = parse_exact(parse, body, at);

		if (at == valid_cut)
			assert_int_equal(alert, 0);
		else
			assert_true(alert > 0);
	}
	for (at = 0; at < len; at++)
		for (bit = 0; bit < 8; bit++) {
			memcpy(changed, body, len);
			changed[at] ^= 1 << bit;
			assert_true(parse_exact(parse, changed, len) >= 0);
		}
	/* something behind it */
	changed = realloc(changed, len + 1);
	memcpy(changed, body, len);
	changed[len] = 0;
	assert_true(parse_exact(parse, changed, len + 1) > 0);
	free(changed);
}

/* ---------------------------------------------- from handshakes in memory */

static parser parser_of(uint8_t type, uint16_t version, bool ecdhe)
{
	switch (type) {
	case CLIENT_HELLO:
		return parse_client_hello;
	case SERVER_HELLO:
		return parse_server_hello;
	case ENCRYPTED_EXTENSIONS:
		return parse_encrypted_extensions;
	case CERTIFICATE:
		return version == TLS13 ? parse_certificate13 :
					  parse_certificate12;
	case CERTIFICATE_REQUEST:
		return version == TLS13 ? parse_request13 : parse_request12;
	case CERTIFICATE_VERIFY:
		return parse_verify;
	case SERVER_KEY_EXCHANGE:
		return parse_exchange_ecdhe;
	case CLIENT_KEY_EXCHANGE:
		return ecdhe ? parse_client_exchange1 : parse_client_exchange2;
	}
	return NULL;	/* Finished, ServerHelloDone: no codec */
}

/* Hellos end with an extensions block that may be missing altogether. */
static size_t bare_hello(uint8_t type, const uint8_t *body)
{
	struct reader r = reader_of(bytes_of(body, 1 << 16));
	size_t len = 1 << 16;

	if (type != CLIENT_HELLO && type != SERVER_HELLO)
		return SIZE_MAX;
	reader_bytes(&r, 34);
	reader_vector(&r, 1, 0);
	if (type == CLIENT_HELLO) {
		reader_vector(&r, 2, 0);
		reader_vector(&r, 1, 0);
	} else {
		reader_bytes(&r, 3);
	}
	return len - r.left;
}

struct flavour {
	uint16_t	version;
	bool		ecdhe;
	unsigned int	seen[256];
};

static void try_message(struct pair *pair, struct side *to,
			const uint8_t *message, size_t len)
{
	struct flavour *flavour = pair->arg;
	parser parse = parser_of(message[0], flavour->version, flavour->ecdhe);

	(void)to;
	if (len == 1 || !parse)
		return;
	flavour->seen[message[0]]++;
	cut_and_change(parse, message + 4, len - 4,
		       bare_hello(message[0], message + 4));
}

static void run_flavour(uint16_t version, uint16_t suite, bool ecdhe)
{
	struct flavour flavour = { .version = version, .ecdhe = ecdhe };
	struct engine_config c = world_client(), s = world_server(&world.rsa);
	static const uint16_t groups[] = { 0x1d, 0x17 };
	struct pair pair;

	c.suites = &suite;
	c.n_suites = 1;
	c.alpn = s.alpn = bytes_of("\x02h2", 3);
	c.identities = &world.client_ecdsa.identity;
	c.n_identities = 1;
	c.groups = groups;
	c.n_groups = 2;
	s.groups = groups + 1;
	s.n_groups = 1;
	s.peer_auth = SOCKTLS_PEER_AUTH_REQUIRE;
	s.trust = world.trust;
	pair_init(&pair, &c, &s);
	pair.before_message = try_message;
	pair.arg = &flavour;
	pair_run(&pair);
	pair_assert_good(&pair);
	assert_int_equal(flavour.seen[CLIENT_HELLO], version == TLS13 ? 2 : 1);
	assert_int_equal(flavour.seen[CERTIFICATE], 2);
	assert_int_equal(flavour.seen[CERTIFICATE_REQUEST], 1);
	assert_int_equal(flavour.seen[ENCRYPTED_EXTENSIONS],
			 version == TLS13 ? 1 : 0);
	assert_int_equal(flavour.seen[CLIENT_KEY_EXCHANGE],
			 version == TLS12 ? 1 : 0);
	pair_free(&pair);
}

static void tls13_messages_cut_and_changed(void **state)
{
	(void)state;
	run_flavour(TLS13, 0x1301, false);
}

static void tls12_ecdhe_messages_cut_and_changed(void **state)
{
	(void)state;
	run_flavour(TLS12, 0xc02f, true);
}

static void tls12_rsa_messages_cut_and_changed(void **state)
{
	(void)state;
	run_flavour(TLS12, 0x003c, false);
}

static void traced_messages_cut_and_changed(void **state)
{
	struct hex m;

	(void)state;
	m = hex(S3_CLIENT_HELLO);
	cut_and_change(parse_client_hello, m.data + 4, m.len - 4,
		       bare_hello(CLIENT_HELLO, m.data + 4));
	m = hex(S5_HELLO_RETRY_REQUEST);
	cut_and_change(parse_server_hello, m.data + 4, m.len - 4,
		       bare_hello(SERVER_HELLO, m.data + 4));
	m = hex(S3_ENCRYPTED_EXTENSIONS);
	cut_and_change(parse_encrypted_extensions, m.data + 4, m.len - 4,
		       SIZE_MAX);
	m = hex(S3_CERTIFICATE);
	cut_and_change(parse_certificate13, m.data + 4, m.len - 4, SIZE_MAX);
	m = hex(S3_NEW_SESSION_TICKET);
	cut_and_change(parse_ticket13, m.data + 4, m.len - 4, SIZE_MAX);
}

static void other_messages_cut_and_changed(void **state)
{
	/* p, g, Ys; scheme and signature */
	struct hex dhe = hex("0003 0a0b0d 0001 02 0002 0506 0401 0004 01020304");
	struct hex ticket = hex("00000e10 0005 0102030405");

	(void)state;
	cut_and_change(parse_exchange_dhe, dhe.data, dhe.len, SIZE_MAX);
	cut_and_change(parse_ticket12, ticket.data, ticket.len, SIZE_MAX);
}

/* ------------------------------------------------- alerts that RFCs name */

static void pre_shared_key_must_be_last(void **state)
{
	static const uint8_t random[32];
	struct writer w = { 0 };
	uint16_t suite = 0x1301;
	struct client_hello hello;
	size_t mark;

	(void)state;
	client_hello_write(&w, TLS12, random, bytes_of(NULL, 0), 0x0a0a,
			   &suite, 1);
	mark = writer_open(&w, 2);
	extension_write(&w, EXT_PRE_SHARED_KEY, bytes_of("x", 1));
	extension_write(&w, EXT_EXTENDED_MASTER_SECRET, bytes_of(NULL, 0));
	writer_close(&w, mark, 2);
	assert_int_equal(client_hello_parse(&hello, writer_view(&w)),
			 ILLEGAL_PARAMETER);
	writer_free(&w);
}

static void extensions_in_the_wrong_message_are_refused(void **state)
{
	/* key_share in EncryptedExtensions */
	struct hex ee = hex("0004 0033 0000");
	/* unknown ones are the caller's affair */
	struct hex unknown = hex("0004 1a1a 0000");
	struct extensions list;

	(void)state;
	assert_int_equal(encrypted_extensions_parse(&list, hex_view(&ee)),
			 ILLEGAL_PARAMETER);
	assert_int_equal(encrypted_extensions_parse(&list, hex_view(&unknown)),
			 0);
	assert_true(list.unknown);
}

static void key_shares_name_each_group_once(void **state)
{
	struct hex twice = hex("000a 001d 0001 aa 001d 0001 bb");
	struct hex empty = hex("0004 001d 0000");
	struct engine_bytes entries;

	(void)state;
	assert_int_equal(extension_read_key_shares(hex_view(&twice), &entries),
			 ILLEGAL_PARAMETER);
	assert_int_equal(extension_read_key_shares(hex_view(&empty), &entries),
			 DECODE_ERROR);
}

static void server_name_is_one_clean_host_name(void **state)
{
	static const struct {
		const char	*body;
		int		alert;
	} cases[] = {
		{ "0006 00 0003 612e62", 0 },
		{ "", DECODE_ERROR },
		{ "0000", DECODE_ERROR },
		{ "0003 00 0000", DECODE_ERROR },
		{ "0006 00 0003 610062", ILLEGAL_PARAMETER },
		{ "0008 00 0001 61 00 0001 62", ILLEGAL_PARAMETER },
	};
	struct engine_bytes host;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct hex body = hex(cases[i].body);

		assert_int_equal(extension_read_server_name(hex_view(&body),
							    &host),
				 cases[i].alert);
	}
}

static void old_version_in_supported_versions_is_refused(void **state)
{
	static const uint8_t random[32] = { 1 };
	struct writer w = { 0 };
	struct server_hello hello;
	size_t mark;

	(void)state;
	server_hello_write(&w, random, bytes_of(NULL, 0), 0x003c);
	mark = writer_open(&w, 2);
	extension_write(&w, EXT_SUPPORTED_VERSIONS, bytes_of("\x03\x03", 2));
	writer_close(&w, mark, 2);
	assert_int_equal(server_hello_parse(&hello, writer_view(&w)),
			 ILLEGAL_PARAMETER);
	writer_free(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tls13_messages_cut_and_changed),
		cmocka_unit_test(tls12_ecdhe_messages_cut_and_changed),
		cmocka_unit_test(tls12_rsa_messages_cut_and_changed),
		cmocka_unit_test(traced_messages_cut_and_changed),
		cmocka_unit_test(other_messages_cut_and_changed),
		cmocka_unit_test(pre_shared_key_must_be_last),
		cmocka_unit_test(extensions_in_the_wrong_message_are_refused),
		cmocka_unit_test(key_shares_name_each_group_once),
		cmocka_unit_test(server_name_is_one_clean_host_name),
		cmocka_unit_test(old_version_in_supported_versions_is_refused),
	};

	return cmocka_run_group_tests_name("messages", tests, world_setup,
					   world_teardown);
}
