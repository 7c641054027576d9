// SPDX-License-Identifier: MIT
/* What both sides agree on, or why they cannot. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/groups.h"
#include "engine/messages.h"
#include "engine/policy.h"
#include "engine/suites.h"
#include "world.h"

#define LIST(...) (const uint16_t[]){ __VA_ARGS__ }

/* ------------------------------------------------------------- version */

static void highest_common_version_wins(void **state)
{
	static const struct {
		uint16_t client_min, client_max, server_min, server_max, agreed;
	} cases[] = {
		{ 0, 0, 0, 0, TLS13 },
		{ 0, TLS12, 0, 0, TLS12 },
		{ 0, 0, 0, TLS12, TLS12 },
		{ TLS13, 0, 0, 0, TLS13 },
		{ TLS12, TLS12, TLS12, TLS12, TLS12 },
		{ TLS13, 0, 0, TLS12, 0 },
		{ 0, TLS12, TLS13, 0, 0 },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct engine_config c = world_client();
		struct engine_config s = world_server(&world.rsa);
		struct pair pair;

		c.min_version = cases[i].client_min;
		c.max_version = cases[i].client_max;
		s.min_version = cases[i].server_min;
		s.max_version = cases[i].server_max;
		world_run(&pair, c, s);
		if (cases[i].agreed) {
			pair_assert_good(&pair);
			assert_int_equal(pair.client.result.version,
					 cases[i].agreed);
		} else {
			assert_failed(&pair.server, PROTOCOL_VERSION,
				      EPROTONOSUPPORT, "protocol version");
		}
		pair_free(&pair);
	}
}

/* Replace bytes in the first ClientHello on its way. */
struct edit {
	const uint8_t	*from, *to;
	size_t		len;
	unsigned int	done;
};

static bool edit_record(struct pair *pair, struct side *from,
			struct record *record)
{
	struct edit *edit = pair->arg;
	uint8_t *at;

	if (edit->done || strcmp(from->name, "client"))
		return true;
	at = memmem(record->data, record->len, edit->from, edit->len);
	if (at) {
		memcpy(at, edit->to, edit->len);
		edit->done++;
	}
	return true;
}

/* supported_versions hidden by somebody on the path: the sentinel tells. */
static void downgrade_is_noticed_by_the_client(void **state)
{
	/* with a GREASE value in front of the versions */
	static const uint8_t versions[] = { 0, 43, 0, 7, 6 };
	static const uint8_t hidden[] = { 0xfa, 43, 0, 7, 6 };
	struct edit edit = { versions, hidden, sizeof(versions), 0 };
	struct engine_config c = world_client(), s = world_server(&world.rsa);
	struct pair pair;

	(void)state;
	pair_init(&pair, &c, &s);
	pair.tamper = edit_record;
	pair.arg = &edit;
	pair_run(&pair);
	assert_int_equal(edit.done, 1);
	assert_int_equal(pair.server.version, TLS12);
	assert_failed(&pair.client, ILLEGAL_PARAMETER, EPROTO, "sentinel");
	pair_free(&pair);
}

/* A ClientHello from scratch, into a server. */
struct hello_spec {
	uint16_t	legacy_version;
	const uint16_t	*suites;
	size_t		n_suites;
	const uint8_t	*extensions;
	size_t		extensions_len;
	uint8_t		compression;
	bool		no_extensions;
};

static void send_hello(const struct hello_spec *spec, struct side *side,
		       struct engine_config *config)
{
	static const uint8_t random[32] = { 9 };
	struct writer w = { 0 };
	size_t mark, list, i;

	side_init(side, "server", config);
	writer_u8(&w, CLIENT_HELLO);
	mark = writer_open(&w, 3);
	writer_u16(&w, spec->legacy_version);
	writer_bytes(&w, bytes_of(random, 32));
	writer_u8(&w, 0);
	list = writer_open(&w, 2);
	for (i = 0; i < spec->n_suites; i++)
		writer_u16(&w, spec->suites[i]);
	writer_close(&w, list, 2);
	writer_u8(&w, 1);
	writer_u8(&w, spec->compression);
	if (!spec->no_extensions)
		writer_vector(&w, 2, bytes_of(spec->extensions,
					      spec->extensions_len));
	writer_close(&w, mark, 3);
	side->ret = engine_receive(side->engine, SOCKTLS_LEVEL_PLAINTEXT, 22,
				   writer_view(&w));
	writer_free(&w);
}

static void versions_below_1_2_are_refused(void **state)
{
	struct engine_config s = world_server(&world.rsa);
	const struct hello_spec old = { .legacy_version = 0x0302,
		.suites = LIST(0x002f), .n_suites = 1, .no_extensions = true };
	static const uint8_t list[] = { 0, 43, 0, 3, 2, 3, 2 };
	const struct hello_spec listed = { .legacy_version = 0x0303,
		.suites = LIST(0x002f), .n_suites = 1,
		.extensions = list, .extensions_len = sizeof(list) };
	struct side side;

	(void)state;
	send_hello(&old, &side, &s);
	assert_failed(&side, PROTOCOL_VERSION, EPROTONOSUPPORT, "0x0302");
	side_free(&side);
	send_hello(&listed, &side, &s);
	assert_failed(&side, PROTOCOL_VERSION, EPROTONOSUPPORT, "version");
	side_free(&side);
}

static void fallback_scsv_is_refused_where_more_is_possible(void **state)
{
	struct engine_config s = world_server(&world.rsa);
	const struct hello_spec hello = { .legacy_version = 0x0303,
		.suites = LIST(0x003c, 0x5600), .n_suites = 2,
		.no_extensions = true };
	struct side side;

	(void)state;
	send_hello(&hello, &side, &s);
	assert_failed(&side, INAPPROPRIATE_FALLBACK, EPROTO, "fell back");
	side_free(&side);
	s.max_version = TLS12;
	send_hello(&hello, &side, &s);
	assert_int_equal(side.ret, 0);
	side_free(&side);
}

/* RFC 5246 without any extension, as the plainest client sends it. */
static void bare_tls12_hello_gets_rsa(void **state)
{
	struct engine_config s = world_server(&world.rsa);
	const struct hello_spec hello = { .legacy_version = 0x0303,
		.suites = LIST(0xc02f, 0x003c, 0x00ff), .n_suites = 3,
		.no_extensions = true };
	struct server_hello answer;
	struct side side;
	uint8_t *bytes;
	size_t len;

	(void)state;
	send_hello(&hello, &side, &s);
	assert_int_equal(side.ret, 0);
	bytes = side_take(&side, &len);
	assert_int_equal(server_hello_parse(&answer, bytes_of(bytes + 4,
				bytes[2] << 8 | bytes[3])), 0);
	/* SHA-1, which it accepts by not saying, is no scheme of ours */
	assert_int_equal(answer.suite, 0x003c);
	assert_true(extensions_have(&answer.extensions,
				    EXT_RENEGOTIATION_INFO));
	assert_false(extensions_have(&answer.extensions,
				     EXT_EXTENDED_MASTER_SECRET));
	free(bytes);
	side_free(&side);
}

static void compression_must_include_null(void **state)
{
	struct engine_config s = world_server(&world.rsa);
	const struct hello_spec hello = { .legacy_version = 0x0303,
		.suites = LIST(0x003c), .n_suites = 1, .compression = 1,
		.no_extensions = true };
	struct side side;

	(void)state;
	send_hello(&hello, &side, &s);
	assert_failed(&side, ILLEGAL_PARAMETER, EPROTO, "compression");
	side_free(&side);
}

static void tls13_hello_without_key_share_is_refused(void **state)
{
	static const uint8_t list[] = {
		0, 43, 0, 3, 2, 3, 4,
		0, 10, 0, 4, 0, 2, 0, 0x1d,
		0, 13, 0, 4, 0, 2, 8, 4,
	};
	struct engine_config s = world_server(&world.rsa);
	const struct hello_spec hello = { .legacy_version = 0x0303,
		.suites = LIST(0x1301), .n_suites = 1,
		.extensions = list, .extensions_len = sizeof(list) };
	struct side side;

	(void)state;
	send_hello(&hello, &side, &s);
	assert_failed(&side, MISSING_EXTENSION, EPROTO, "key_share");
	side_free(&side);
}

static void duplicate_extension_is_refused(void **state)
{
	/* an unknown one, twice */
	static const uint8_t list[] = { 0xaa, 0xaa, 0, 0, 0xaa, 0xaa, 0, 0 };
	struct engine_config s = world_server(&world.rsa);
	const struct hello_spec hello = { .legacy_version = 0x0303,
		.suites = LIST(0x003c), .n_suites = 1,
		.extensions = list, .extensions_len = sizeof(list) };
	struct side side;

	(void)state;
	send_hello(&hello, &side, &s);
	assert_failed(&side, ILLEGAL_PARAMETER, EPROTO, "ClientHello");
	side_free(&side);
}

static void renegotiation_info_with_content_is_refused(void **state)
{
	static const uint8_t list[] = { 0xff, 1, 0, 3, 2, 1, 2 };
	struct engine_config s = world_server(&world.rsa);
	const struct hello_spec hello = { .legacy_version = 0x0303,
		.suites = LIST(0x003c), .n_suites = 1,
		.extensions = list, .extensions_len = sizeof(list) };
	struct side side;

	(void)state;
	send_hello(&hello, &side, &s);
	assert_failed(&side, HANDSHAKE_FAILURE, EPROTO, "renegotiation");
	side_free(&side);
}

/* -------------------------------------------------------- suite, group */

static void no_common_suite_group_or_kind_is_reported(void **state)
{
	const struct {
		const uint16_t	*client, *server;
		bool		groups;
		const char	*what;
	} cases[] = {
		{ LIST(0x1301), LIST(0x1302), false, "TLS 1.3 cipher suite" },
		{ LIST(0x003c), LIST(0x009c), false, "cipher suite" },
		{ LIST(0x001d), LIST(0x0017), true, "group" },
		/* ECDSA suite, RSA certificate */
		{ LIST(0xc02b), LIST(0xc02b), false, "cipher suite" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct engine_config c = world_client();
		struct engine_config s = world_server(&world.rsa);
		struct pair pair;

		*(cases[i].groups ? &c.groups : &c.suites) = cases[i].client;
		*(cases[i].groups ? &s.groups : &s.suites) = cases[i].server;
		*(cases[i].groups ? &c.n_groups : &c.n_suites) = 1;
		*(cases[i].groups ? &s.n_groups : &s.n_suites) = 1;
		world_run(&pair, c, s);
		assert_failed(&pair.server, HANDSHAKE_FAILURE, EPROTONOSUPPORT,
			      cases[i].what);
		pair_free(&pair);
	}
}

/* The parameters of a DHE server are those of RFC 7919, or it is refused. */
static void dhe_takes_named_groups_alone(void **state)
{
	const uint16_t suite = 0x009e;
	struct engine_config c = world_client(), s = world_server(&world.rsa);
	uint8_t p[] = { 0xff, 0xff };
	struct pair pair;

	(void)state;
	c.suites = s.suites = &suite;
	c.n_suites = s.n_suites = 1;
	c.policy = s.policy = "legacy";
	world_run(&pair, c, s);
	pair_assert_good(&pair);
	assert_int_equal(pair.client.result.group, 0x0100);
	pair_free(&pair);
	/* ffdhe2048 is the server's, and this client has ffdhe3072 alone */
	c.groups = LIST(0x0101);
	c.n_groups = 1;
	s.groups = LIST(0x0100);
	s.n_groups = 1;
	world_run(&pair, c, s);
	assert_failed(&pair.server, INSUFFICIENT_SECURITY, EPROTONOSUPPORT,
		      "finite-field groups");
	pair_free(&pair);
	/* the certificate is what stands in the way here */
	s = world_server(&world.ecdsa);
	s.policy = "legacy";
	s.suites = &suite;
	s.n_suites = 1;
	c.groups = LIST(0x0100);
	world_run(&pair, c, s);
	assert_failed(&pair.server, HANDSHAKE_FAILURE, EPROTONOSUPPORT,
		      "cipher suite");
	pair_free(&pair);
	assert_int_equal(group_by_parameters(bytes_of(p, 2),
					     bytes_of("\2", 1)), 0);
}

static void authentication_follows_the_suite(void **state)
{
	static const struct {
		uint16_t	suite;
		bool		ecdsa;
	} cases[] = {
		{ 0xc02b, true }, { 0xc02f, false }, { 0x003c, false },
	};
	struct engine_identity *both[] = {
		world.ecdsa.identity, world.rsa.identity,
	};
	size_t i;

	(void)state;
	for (i = 0; i < 3; i++) {
		struct engine_config c = world_client();
		struct engine_config s = world_server(&world.rsa);
		struct pair pair;

		s.identities = both;
		s.n_identities = 2;
		c.suites = &cases[i].suite;
		c.n_suites = 1;
		world_run(&pair, c, s);
		pair_assert_good(&pair);
		assert_int_equal(pair.client.result.suite, cases[i].suite);
		if (cases[i].suite != 0x003c)
			assert_int_equal(pair.client.result.signature_scheme ==
					 0x0403, cases[i].ecdsa);
		pair_free(&pair);
	}
}

static void server_order_decides_unless_the_policy_says_otherwise(void **state)
{
	const char *policies[] = { NULL, "intermediate" };
	uint16_t expected[] = { 0x1302, 0x1301 };
	size_t i;

	(void)state;
	for (i = 0; i < 2; i++) {
		struct engine_config c = world_client();
		struct engine_config s = world_server(&world.rsa);
		struct pair pair;

		c.suites = LIST(0x1301, 0x1302);
		s.suites = LIST(0x1302, 0x1301);
		c.n_suites = s.n_suites = 2;
		s.policy = policies[i];
		world_run(&pair, c, s);
		pair_assert_good(&pair);
		assert_int_equal(pair.client.result.suite, expected[i]);
		pair_free(&pair);
	}
}

static void retry_happens_once_and_only_where_needed(void **state)
{
	struct engine_config c = world_client(), s = world_server(&world.rsa);
	struct pair pair;

	(void)state;
	c.groups = LIST(0x001d, 0x0017);
	c.n_groups = 2;
	s.groups = LIST(0x0017);
	s.n_groups = 1;
	world_run(&pair, c, s);
	pair_assert_good(&pair);
	assert_int_equal(pair.client.result.group, 0x0017);
	assert_string_equal(pair.client.events,
		"send:1 version ccs send:1 key:rx:handshake key:tx:handshake "
		"send:20 key:tx:application key:rx:application "
		"cert:peer done");
	assert_string_equal(pair.server.events,
		"version send:2 ccs send:2 key:tx:handshake send:8 "
		"key:tx:application key:rx:handshake key:rx:application "
		"cert:local done");
	pair_free(&pair);
}

static void outputs_come_in_the_order_a_record_layer_needs(void **state)
{
	struct engine_config c = world_client(), s = world_server(&world.rsa);
	struct pair pair;

	(void)state;
	world_run(&pair, c, s);
	assert_string_equal(pair.client.events,
		"send:1 version ccs key:rx:handshake key:tx:handshake send:20 "
		"key:tx:application key:rx:application cert:peer done");
	assert_string_equal(pair.server.events,
		"version send:2 ccs key:tx:handshake send:8 "
		"key:tx:application key:rx:handshake key:rx:application "
		"cert:local done");
	pair_free(&pair);
	c.max_version = TLS12;
	world_run(&pair, c, s);
	assert_string_equal(pair.client.events,
		"send:1 version send:16 ccs key:tx:application send:20 "
		"key:rx:application cert:peer done");
	assert_string_equal(pair.server.events,
		"version send:2 key:rx:application ccs key:tx:application "
		"send:20 cert:local done");
	pair_free(&pair);
}

static void tls12_alone_sends_no_session_id_and_no_share(void **state)
{
	struct engine_config c = world_client();
	struct client_hello hello;
	struct side side;
	uint8_t *bytes;
	size_t len;

	(void)state;
	c.max_version = TLS12;
	side_init(&side, "client", &c);
	assert_int_equal(engine_start(side.engine), 0);
	bytes = side_take(&side, &len);
	assert_int_equal(client_hello_parse(&hello, bytes_of(bytes + 4,
							     len - 4)), 0);
	assert_int_equal(hello.session_id.len, 0);
	assert_false(extensions_have(&hello.extensions, EXT_KEY_SHARE));
	assert_false(extensions_have(&hello.extensions,
				     EXT_SUPPORTED_VERSIONS));
	assert_true(extensions_have(&hello.extensions,
				    EXT_EXTENDED_MASTER_SECRET));
	assert_true(extensions_have(&hello.extensions,
				    EXT_RENEGOTIATION_INFO));
	free(bytes);
	side_free(&side);
}

/* ---------------------------------------------------------- SNI, ALPN */

static void names_choose_the_identity(void **state)
{
	struct actor exact = actor_new(&(struct pki_spec){ .key = "p256",
		.name = "x", .san = "DNS:www.example.org",
		.issuer = world.ca });
	struct actor wildcard = actor_new(&(struct pki_spec){ .key = "p256",
		.name = "x", .san = "DNS:*.example.org", .issuer = world.ca });
	struct engine_identity *all[] = {
		world.rsa.identity, wildcard.identity, exact.identity,
	};
	static const struct {
		const char *name, *identity;
	} cases[] = {
		{ NAME, NAME },
		{ "www.example.org", "www.example.org" },
		{ "mail.example.org", "*.example.org" },
	};
	uint16_t version;
	size_t i;

	(void)state;
	for (version = TLS12; version <= TLS13; version++)
		for (i = 0; i < 3; i++) {
			struct engine_config c = world_client();
			struct engine_config s = world_server(&world.rsa);
			struct pair pair;

			c.server_name = cases[i].name;
			c.max_version = version;
			s.identities = all;
			s.n_identities = 3;
			world_run(&pair, c, s);
			pair_assert_good(&pair);
			assert_string_equal(pair.client.identity,
					    cases[i].identity);
			pair_free(&pair);
		}
	actor_free(&exact);
	actor_free(&wildcard);
}

static void unknown_name_gets_the_default_identity(void **state)
{
	struct engine_config c = world_client();
	struct engine_identity *both[] = {
		world.rsa.identity, world.ecdsa.identity,
	};
	struct engine_config s = world_server(&world.rsa);
	struct pair pair;

	(void)state;
	c.server_name = "unknown.example";
	s.identities = both;
	s.n_identities = 2;
	world_run(&pair, c, s);
	assert_failed(&pair.client, BAD_CERTIFICATE, EKEYREJECTED,
		      "\"" NAME "\"");
	pair_free(&pair);
}

static void run_alpn(const char *client, const char *server, uint16_t version,
		     struct pair *pair)
{
	struct engine_config c = world_client(), s = world_server(&world.rsa);

	c.max_version = version;
	c.alpn = bytes_of(client, strlen(client));
	s.alpn = bytes_of(server, strlen(server));
	world_run(pair, c, s);
}

static void alpn_is_the_servers_choice_among_the_clients(void **state)
{
	struct pair pair;
	uint16_t version;

	(void)state;
	for (version = TLS12; version <= TLS13; version++) {
		run_alpn("\x08http/1.1\x02h2", "\x02h2\x08http/1.1", version,
			 &pair);
		pair_assert_good(&pair);
		assert_string_equal(pair.client.alpn, "h2");
		pair_free(&pair);
		run_alpn("\x02h2", "", version, &pair);
		pair_assert_good(&pair);
		assert_string_equal(pair.client.alpn, "");
		pair_free(&pair);
		run_alpn("", "\x02h2", version, &pair);
		pair_assert_good(&pair);
		pair_free(&pair);
		run_alpn("\x02h2", "\x03" "ftp", version, &pair);
		assert_failed(&pair.server, NO_APPLICATION_PROTOCOL,
			      EPROTONOSUPPORT, "ALPN");
		pair_free(&pair);
	}
}

/* -------------------------------------------------------- configuration */

static void assert_invalid(struct engine_config config)
{
	struct engine *engine;

	assert_int_equal(engine_new(&engine, &config, &pair_output, NULL),
			 -EINVAL);
}

static void senseless_configurations_are_refused(void **state)
{
	struct engine_config c = world_client(), s = world_server(&world.rsa);
	struct engine_config config;

	(void)state;
	config = c, config.server_name = NULL;
	assert_invalid(config);
	config = c, config.trust = NULL;
	assert_invalid(config);
	config = s, config.n_identities = 0;
	assert_invalid(config);
	config = s, config.peer_auth = SOCKTLS_PEER_AUTH_REQUIRE;
	assert_invalid(config);
	config = c, config.policy = "paranoid";
	assert_invalid(config);
	config = c, config.min_version = 0x0302;
	assert_invalid(config);
	config = c, config.min_version = TLS13, config.max_version = TLS12;
	assert_invalid(config);
	config = c, config.suites = LIST(0x0005), config.n_suites = 1;
	assert_invalid(config);
	config = c, config.groups = LIST(0x0001), config.n_groups = 1;
	assert_invalid(config);
	config = c, config.alpn = bytes_of("\x05http", 5);
	assert_invalid(config);
	config = c, config.policy = "modern", config.max_version = TLS12;
	assert_invalid(config);
}

static void policies_have_known_and_usable_lists(void **state)
{
	static const char *const names[] = {
		"default", "modern", "intermediate", "legacy",
	};
	size_t i, j;

	(void)state;
	assert_ptr_equal(policy_find(NULL), policy_find("default"));
	assert_ptr_equal(policy_find(""), policy_find("default"));
	for (i = 0; i < 4; i++) {
		const struct policy *policy = policy_find(names[i]);
		struct engine_config c = world_client();
		struct engine_config s = world_server(&world.rsa);
		struct pair pair;

		assert_non_null(policy);
		for (j = 0; j < policy->n_suites; j++) {
			const struct suite *suite;

			suite = suite_find(policy->suites[j]);
			assert_non_null(suite);
			assert_true(suite->version >= policy->min_version);
			/* forward secrecy but where the name says otherwise */
			if (strcmp(names[i], "default") &&
			    strcmp(names[i], "legacy"))
				assert_int_not_equal(suite->exchange,
						     EXCHANGE_RSA);
		}
		c.policy = names[i];
		s.policy = names[i];
		world_run(&pair, c, s);
		pair_assert_good(&pair);
		pair_free(&pair);
	}
	assert_null(policy_find("Modern"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(highest_common_version_wins),
		cmocka_unit_test(downgrade_is_noticed_by_the_client),
		cmocka_unit_test(versions_below_1_2_are_refused),
		cmocka_unit_test(fallback_scsv_is_refused_where_more_is_possible),
		cmocka_unit_test(bare_tls12_hello_gets_rsa),
		cmocka_unit_test(compression_must_include_null),
		cmocka_unit_test(tls13_hello_without_key_share_is_refused),
		cmocka_unit_test(duplicate_extension_is_refused),
		cmocka_unit_test(renegotiation_info_with_content_is_refused),
		cmocka_unit_test(no_common_suite_group_or_kind_is_reported),
		cmocka_unit_test(dhe_takes_named_groups_alone),
		cmocka_unit_test(authentication_follows_the_suite),
		cmocka_unit_test(server_order_decides_unless_the_policy_says_otherwise),
		cmocka_unit_test(retry_happens_once_and_only_where_needed),
		cmocka_unit_test(outputs_come_in_the_order_a_record_layer_needs),
		cmocka_unit_test(tls12_alone_sends_no_session_id_and_no_share),
		cmocka_unit_test(names_choose_the_identity),
		cmocka_unit_test(unknown_name_gets_the_default_identity),
		cmocka_unit_test(alpn_is_the_servers_choice_among_the_clients),
		cmocka_unit_test(senseless_configurations_are_refused),
		cmocka_unit_test(policies_have_known_and_usable_lists),
	};

	return cmocka_run_group_tests_name("negotiation", tests, world_setup,
					   world_teardown);
}
