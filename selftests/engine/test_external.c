// SPDX-License-Identifier: MIT
/* External PSKs: RFC 8446 sections 2.2 and 4.2.11. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/core.h"
#include "resume.h"

#define KEY_A	"0123456789abcdef"
#define KEY_B	"another key of 32 bytes.........."

static const uint16_t p256[] = { 0x0017 }, x25519_p256[] = { 0x001d, 0x0017 };

static struct engine_bytes text(const char *s)
{
	return bytes_of(s, strlen(s));
}

static void add(struct engine_psks *psks, const char *identity,
		const char *key, const char *hash, const char *server_name)
{
	char error[128] = "";

	assert_int_equal(engine_psks_add(psks, text(identity), text(key), hash,
					 server_name, error, sizeof(error)),
			 0);
}

static struct engine_psks *one(const char *identity, const char *key,
			       const char *hash)
{
	struct engine_psks *psks = engine_psks_new();

	assert_non_null(psks);
	add(psks, identity, key, hash, NULL);
	return psks;
}

/**
 * struct meeting - two ends and their keys
 * @client: for the next run
 * @server: for the next run
 * @pair: of the run
 */
struct meeting {
	struct engine_config	client, server;
	struct pair		pair;
};

/* Both may use certificates too; takes the PSKs over. */
static struct meeting meeting(struct engine_psks *client,
			      struct engine_psks *server)
{
	struct meeting m = {
		.client = world_client(), .server = world_server(&world.ecdsa),
	};

	m.client.psks = client;
	m.server.psks = server;
	return m;
}

static void without_server_certificate(struct meeting *m)
{
	m->server.identities = NULL;
	m->server.n_identities = 0;
}

static void without_trust(struct meeting *m)
{
	m->client.trust = NULL;
	m->client.server_name = NULL;
}

static void meet(struct meeting *m)
{
	world_run(&m->pair, m->client, m->server);
}

static void part(struct meeting *m)
{
	pair_free(&m->pair);
	engine_psks_put(m->client.psks);
	engine_psks_put(m->server.psks);
}

static void assert_by_psk(const struct pair *pair, const char *identity)
{
	const struct side *sides[] = { &pair->client, &pair->server };
	size_t i;

	pair_assert_good(pair);
	for (i = 0; i < 2; i++) {
		assert_int_equal(sides[i]->result.version, TLS13);
		assert_true(sides[i]->result.group);
		assert_true(sides[i]->result.flags & SOCKTLS_INFO_PSK);
		assert_false(sides[i]->result.flags &
			     (SOCKTLS_INFO_RESUMED |
			      SOCKTLS_INFO_PEER_VERIFIED));
		assert_int_equal(sides[i]->result.signature_scheme, 0);
		assert_int_equal(sides[i]->peer_certs, 0);
		assert_string_equal(sides[i]->identity, identity);
	}
}

static void assert_by_certificate(const struct pair *pair)
{
	pair_assert_good(pair);
	assert_true(pair->client.result.flags & SOCKTLS_INFO_PEER_VERIFIED);
	assert_false(pair->client.result.flags & SOCKTLS_INFO_PSK);
	assert_false(pair->server.result.flags & SOCKTLS_INFO_PSK);
	assert_true(pair->client.peer_certs);
}

/* --------------------------------------------------------------- the keys */

static void keys_that_make_no_sense_are_refused(void **state)
{
	struct engine_psks *psks = one("id", KEY_A, NULL);
	char error[128], longest[ENGINE_PSK_IDENTITY_MAX + 2];

	(void)state;
	memset(longest, 'x', sizeof(longest));
	longest[sizeof(longest) - 1] = 0;
	assert_int_equal(engine_psks_add(psks, text(""), text(KEY_A), NULL,
					 NULL, error, sizeof(error)), -EINVAL);
	assert_int_equal(engine_psks_add(psks, text(longest), text(KEY_A), NULL,
					 NULL, error, sizeof(error)), -EINVAL);
	assert_non_null(strstr(error, "1 to 256 bytes"));
	assert_int_equal(engine_psks_add(psks, text("a"), text("short"), NULL,
					 NULL, error, sizeof(error)), -EINVAL);
	assert_non_null(strstr(error, "16 to 256 bytes"));
	assert_int_equal(engine_psks_add(psks, text("a"), text(KEY_A), "md5",
					 NULL, error, sizeof(error)), -EINVAL);
	assert_non_null(strstr(error, "sha256 or sha384"));
	assert_int_equal(engine_psks_add(psks, text("id"), text(KEY_B), NULL,
					 NULL, error, sizeof(error)), -EINVAL);
	assert_non_null(strstr(error, "there already"));
	add(psks, "id", KEY_B, NULL, "elsewhere");
	assert_int_equal(engine_psks_add(psks, text("id"), text(KEY_B), NULL,
					 "ELSEWHERE", error, sizeof(error)),
			 -EINVAL);
	assert_int_equal(engine_psks_count(psks), 2);
	engine_psks_put(psks);
}

static int try_config(struct engine_config config)
{
	struct engine *engine;
	int ret = engine_new(&engine, &config, &pair_output, NULL);

	if (!ret)
		engine_free(engine);
	return ret;
}

static void settings_without_any_proof_are_refused(void **state)
{
	struct engine_psks *psks = engine_psks_new();
	struct engine_config c = world_client(), s = world_server(&world.rsa);

	(void)state;
	add(psks, "id", KEY_A, NULL, "elsewhere");
	s.n_identities = 0;
	assert_int_equal(try_config(s), -EINVAL);
	s.psks = psks;
	assert_int_equal(try_config(s), 0);
	s.max_version = TLS12;
	assert_int_equal(try_config(s), -EINVAL);
	s.max_version = 0;
	s.peer_auth = SOCKTLS_PEER_AUTH_REQUIRE;
	s.trust = world.trust;
	assert_int_equal(try_config(s), -EINVAL);

	c.trust = NULL;
	c.psks = psks;
	assert_int_equal(try_config(c), -EINVAL);
	c.server_name = "elsewhere";
	assert_int_equal(try_config(c), 0);
	c.max_version = TLS12;
	assert_int_equal(try_config(c), -EINVAL);
	engine_psks_put(psks);
}

static void identities_are_told_in_printable_form(void **state)
{
	struct meeting m = meeting(one("a %\xff", KEY_A, NULL),
				   one("a %\xff", KEY_A, NULL));

	(void)state;
	meet(&m);
	assert_by_psk(&m.pair, "psk:a%20%25%FF");
	part(&m);
}

/* --------------------------------------------------------- authentication */

static void a_key_replaces_certificates(void **state)
{
	struct meeting m = meeting(one("device-7", KEY_A, NULL),
				   one("device-7", KEY_A, NULL));

	(void)state;
	meet(&m);
	assert_by_psk(&m.pair, "psk:device-7");
	/* hello, EncryptedExtensions and Finished */
	assert_null(strstr(m.pair.server.events, "send:11"));
	assert_int_equal(m.pair.server.local_certs, 0);
	part(&m);
}

static void a_key_needs_no_certificate_at_all(void **state)
{
	struct meeting m = meeting(one("device-7", KEY_A, NULL),
				   one("device-7", KEY_A, NULL));

	(void)state;
	without_server_certificate(&m);
	without_trust(&m);
	meet(&m);
	assert_by_psk(&m.pair, "psk:device-7");
	part(&m);
}

static void a_client_without_trust_takes_no_certificate(void **state)
{
	struct meeting m = meeting(one("device-7", KEY_A, NULL), NULL);

	(void)state;
	without_trust(&m);
	meet(&m);
	assert_failed(&m.pair.client, HANDSHAKE_FAILURE, EKEYREJECTED,
		      "takes none of the PSKs");
	part(&m);
}

static void a_wrong_key_is_decrypt_error(void **state)
{
	struct meeting m = meeting(one("device-7", KEY_A, NULL),
				   one("device-7", KEY_B, NULL));

	(void)state;
	meet(&m);
	assert_failed(&m.pair.server, DECRYPT_ERROR, EPROTO,
		      "does not have the identity's key");
	part(&m);
}

static void an_unknown_identity_gets_a_certificate(void **state)
{
	struct meeting m = meeting(one("device-7", KEY_A, NULL),
				   one("device-8", KEY_A, NULL));

	(void)state;
	meet(&m);
	assert_by_certificate(&m.pair);
	part(&m);
}

static void an_unknown_identity_without_certificate_is_refused(void **state)
{
	struct meeting m = meeting(one("device-7", KEY_A, NULL),
				   one("device-8", KEY_A, NULL));

	(void)state;
	without_server_certificate(&m);
	meet(&m);
	assert_failed(&m.pair.server, UNKNOWN_PSK_IDENTITY, EKEYREJECTED,
		      "knows none of the client's PSKs");
	part(&m);
}

static void a_client_without_keys_is_refused_by_a_server_of_keys(void **state)
{
	struct meeting m = meeting(NULL, one("device-8", KEY_A, NULL));

	(void)state;
	without_server_certificate(&m);
	meet(&m);
	assert_failed(&m.pair.server, HANDSHAKE_FAILURE, EKEYREJECTED,
		      "no PSK for psk_dhe_ke");
	pair_free(&m.pair);
	m.client.max_version = TLS12;
	meet(&m);
	assert_failed(&m.pair.server, PROTOCOL_VERSION, EPROTONOSUPPORT, "");
	part(&m);
}

static void who_has_to_show_a_certificate_cannot_show_a_key(void **state)
{
	struct meeting m = meeting(one("device-7", KEY_A, NULL),
				   one("device-7", KEY_A, NULL));

	(void)state;
	m.server.peer_auth = SOCKTLS_PEER_AUTH_REQUIRE;
	m.server.trust = world.trust;
	meet(&m);
	assert_failed(&m.pair.server, CERTIFICATE_REQUIRED, EKEYREJECTED,
		      "one is required");
	pair_free(&m.pair);

	m.client.identities = &world.client_ecdsa.identity;
	m.client.n_identities = 1;
	meet(&m);
	assert_by_certificate(&m.pair);
	assert_string_equal(m.pair.server.identity, "CN=alice");
	part(&m);
}

static void who_may_show_a_certificate_may_show_a_key(void **state)
{
	struct meeting m = meeting(one("device-7", KEY_A, NULL),
				   one("device-7", KEY_A, NULL));

	(void)state;
	m.server.peer_auth = SOCKTLS_PEER_AUTH_REQUEST;
	m.server.trust = world.trust;
	meet(&m);
	assert_by_psk(&m.pair, "psk:device-7");
	part(&m);
}

static void a_key_counts_for_its_server_alone(void **state)
{
	struct engine_psks *psks = engine_psks_new(), *both;
	struct meeting m;

	(void)state;
	add(psks, "id", KEY_A, NULL, "other.example");
	m = meeting(psks, one("id", KEY_A, NULL));
	meet(&m);
	assert_by_certificate(&m.pair);
	part(&m);

	psks = engine_psks_new();
	add(psks, "id", KEY_A, NULL, "other.example");
	m = meeting(one("id", KEY_A, NULL), psks);
	meet(&m);
	assert_by_certificate(&m.pair);
	part(&m);

	psks = engine_psks_new();
	add(psks, "id", KEY_A, NULL, "other.example");
	add(psks, "id", KEY_B, NULL, "Server.Example");
	both = engine_psks_get(psks);
	m = meeting(psks, both);
	meet(&m);
	assert_by_psk(&m.pair, "psk:id");
	part(&m);
}

/* An identity for all servers, and in @first or second place for ours alone. */
static struct engine_psks *general_and_special(bool first, const char *hash)
{
	struct engine_psks *psks = engine_psks_new();

	if (first)
		add(psks, "id", KEY_A, hash, NAME);
	add(psks, "id", KEY_B, NULL, NULL);
	if (!first)
		add(psks, "id", KEY_A, hash, NAME);
	return psks;
}

static void of_two_keys_of_an_identity_the_special_one_counts(void **state)
{
	static const char *const hashes[] = { "sha256", "sha384" };
	size_t i;

	(void)state;
	for (i = 0; i < 8; i++) {
		const char *hash = hashes[i / 4];
		struct meeting m = meeting(general_and_special(i & 1, hash),
					   general_and_special(i & 2, hash));

		meet(&m);
		assert_by_psk(&m.pair, "psk:id");
		part(&m);
	}
	/* who has but the special one, on either side */
	for (i = 0; i < 4; i++) {
		struct engine_psks *both = general_and_special(i & 1, NULL);
		struct engine_psks *alone = one("id", KEY_A, NULL);
		struct meeting m = meeting(i & 2 ? both : alone,
					   i & 2 ? alone : both);

		meet(&m);
		assert_by_psk(&m.pair, "psk:id");
		part(&m);
	}
}

static void other_servers_get_the_general_key_of_an_identity(void **state)
{
	struct engine_psks *psks = engine_psks_new();
	struct meeting m;

	(void)state;
	add(psks, "id", KEY_A, NULL, "other.example");
	add(psks, "id", KEY_B, NULL, NULL);
	m = meeting(psks, one("id", KEY_B, NULL));
	meet(&m);
	assert_by_psk(&m.pair, "psk:id");
	part(&m);
}

/* ------------------------------------------------------------------ hashes */

static void the_suite_follows_the_hash_of_the_key(void **state)
{
	static const struct {
		const char	*hash;
		uint16_t	suite;
	} rows[] = { { "sha256", 0x1301 }, { "sha384", 0x1302 } };
	size_t i;

	(void)state;
	for (i = 0; i < 2; i++) {
		static const uint16_t suites[] = { 0x1302, 0x1301 };
		struct meeting m = meeting(one("id", KEY_A, rows[i].hash),
					   one("id", KEY_A, rows[i].hash));

		m.server.suites = suites;
		m.server.n_suites = 2;
		meet(&m);
		assert_by_psk(&m.pair, "psk:id");
		assert_int_equal(m.pair.client.result.suite, rows[i].suite);
		part(&m);
	}
}

static void a_key_without_a_suite_is_not_used(void **state)
{
	static const uint16_t suites[] = { 0x1301 };
	struct meeting m = meeting(one("id", KEY_A, "sha384"),
				   one("id", KEY_A, "sha384"));

	(void)state;
	m.server.suites = suites;
	m.server.n_suites = 1;
	meet(&m);
	assert_by_certificate(&m.pair);
	pair_free(&m.pair);

	/* neither offered */
	m.client.suites = suites;
	m.client.n_suites = 1;
	without_server_certificate(&m);
	m.server.suites = NULL;
	meet(&m);
	assert_failed(&m.pair.server, HANDSHAKE_FAILURE, EKEYREJECTED,
		      "no PSK");
	part(&m);
}

static void both_sides_have_to_agree_on_the_hash(void **state)
{
	struct meeting m = meeting(one("id", KEY_A, "sha256"),
				   one("id", KEY_A, "sha384"));

	(void)state;
	meet(&m);
	/* the binder is too short for the key */
	assert_failed(&m.pair.server, ILLEGAL_PARAMETER, EPROTO, "ClientHello");
	part(&m);
}

/* ------------------------------------------------------ several, and retry */

static void of_several_keys_the_one_that_is_known_counts(void **state)
{
	struct engine_psks *psks = engine_psks_new();
	struct meeting m;

	(void)state;
	add(psks, "first", KEY_A, NULL, NULL);
	add(psks, "second", KEY_A, "sha384", NULL);
	add(psks, "third", KEY_B, NULL, NULL);
	m = meeting(psks, one("second", KEY_A, "sha384"));
	meet(&m);
	assert_by_psk(&m.pair, "psk:second");
	part(&m);
}

static void a_retry_has_binders_of_its_own(void **state)
{
	struct meeting m = meeting(one("id", KEY_A, NULL),
				   one("id", KEY_A, NULL));

	(void)state;
	m.client.groups = x25519_p256;
	m.client.n_groups = 2;
	m.server.groups = p256;
	m.server.n_groups = 1;
	meet(&m);
	assert_by_psk(&m.pair, "psk:id");
	assert_int_equal(m.pair.client.result.group, p256[0]);
	part(&m);
}

/* Notes in the bits of @arg in which ClientHellos "first" was offered. */
static bool note_first(struct pair *pair, struct side *from,
		       struct record *record)
{
	unsigned int *seen = pair->arg;

	if (from == &pair->client && record->data[0] == CLIENT_HELLO &&
	    record->type == 22)
		*seen = *seen << 1 |
			!!memmem(record->data, record->len, "first", 5);
	return true;
}

/* Section 4.1.4: keys of another hash than the retry's suite are left out. */
static void a_retry_offers_keys_of_its_hash_alone(void **state)
{
	struct engine_psks *psks = engine_psks_new();
	unsigned int seen = 1;
	struct meeting m;

	(void)state;
	add(psks, "first", KEY_A, NULL, NULL);
	add(psks, "second", KEY_B, "sha384", NULL);
	m = meeting(psks, one("second", KEY_B, "sha384"));
	m.client.groups = x25519_p256;
	m.client.n_groups = 2;
	m.server.groups = p256;
	m.server.n_groups = 1;
	pair_init(&m.pair, &m.client, &m.server);
	m.pair.tamper = note_first;
	m.pair.arg = &seen;
	pair_run(&m.pair);
	assert_by_psk(&m.pair, "psk:second");
	/* two ClientHellos, the first with it, the second without */
	assert_int_equal(seen, 6);
	part(&m);
}

/* Notes in the bits of @arg which ClientHellos have psk_key_exchange_modes. */
static bool note_modes(struct pair *pair, struct side *from,
		       struct record *record)
{
	static const uint8_t modes[] = { 0, EXT_PSK_KEY_EXCHANGE_MODES,
					 0, 2, 1, 1 };
	unsigned int *seen = pair->arg;

	if (from == &pair->client && record->data[0] == CLIENT_HELLO &&
	    record->type == 22)
		*seen = *seen << 1 | !!memmem(record->data, record->len, modes,
					      sizeof(modes));
	return true;
}

/* Section 4.1.2: what need not change stays, also when no key is left. */
static void a_retry_without_keys_keeps_the_modes(void **state)
{
	static const uint16_t suites[] = { 0x1302 };
	struct meeting m = meeting(one("first", KEY_A, "sha256"), NULL);
	unsigned int seen = 1;

	(void)state;
	m.server.suites = suites;
	m.server.n_suites = 1;
	m.client.groups = x25519_p256;
	m.client.n_groups = 2;
	m.server.groups = p256;
	m.server.n_groups = 1;
	pair_init(&m.pair, &m.client, &m.server);
	m.pair.tamper = note_modes;
	m.pair.arg = &seen;
	pair_run(&m.pair);
	assert_by_certificate(&m.pair);
	assert_int_equal(seen, 7);
	part(&m);
}

/* ----------------------------------------------------------- and sessions */

static void a_handshake_with_a_key_leaves_no_ticket(void **state)
{
	static const uint8_t ticket[] = {
		NEW_SESSION_TICKET, 0, 0, 14, 0, 0, 14, 16, 0, 0, 0, 0,
		0, 0, 1, 'x', 0, 0,
	};
	struct scene scene;

	(void)state;
	scene_init(&scene, TLS13);
	scene.client.psks = one("id", KEY_A, NULL);
	scene.server.psks = engine_psks_get(scene.client.psks);
	scene_connect(&scene);
	assert_by_psk(&scene.pair, "psk:id");
	assert_int_equal(server(&scene)->n_lazy, 0);
	/* nor does the client keep those of other servers */
	assert_int_equal(engine_cookie_ticket(
				bytes_of(client(&scene)->cookie,
					 client(&scene)->cookie_len),
				bytes_of(ticket, sizeof(ticket)), scene.now,
				&sessions_ops, scene.client_host.sessions),
			 -ENOENT);
	scene_connect(&scene);
	assert_by_psk(&scene.pair, "psk:id");
	engine_psks_put(scene.client.psks);
	engine_psks_put(scene.server.psks);
	scene_free(&scene);
}

static void tickets_and_keys_are_offered_together(void **state)
{
	struct scene scene;

	(void)state;
	start_with_session(&scene, BY_PSK);
	scene.client.psks = one("id", KEY_A, NULL);
	scene.server.psks = engine_psks_get(scene.client.psks);
	scene_connect(&scene);
	pair_assert_good(&scene.pair);
	assert_true(scene_resumed(&scene));
	assert_false(server(&scene)->result.flags & SOCKTLS_INFO_PSK);

	/* a server that cannot open the ticket takes the key behind it */
	ticketkeys_free(scene.server_host.keys);
	sessions_free(scene.server_host.sessions);
	assert_int_equal(ticketkeys_new(&scene.server_host.keys, LIFETIME), 0);
	assert_int_equal(sessions_new(&scene.server_host.sessions, 65536,
				      &ticketkeys_ops, scene.server_host.keys),
			 0);
	scene.server.sessions_arg = scene.server_host.sessions;
	scene_connect(&scene);
	assert_by_psk(&scene.pair, "psk:id");
	assert_int_equal(scene.pair.client.peer_certs, 0);
	engine_psks_put(scene.client.psks);
	engine_psks_put(scene.server.psks);
	scene_free(&scene);
}

/* Nothing to verify its chain with: a session from before is not looked at. */
static void without_trust_no_session_is_resumed(void **state)
{
	struct scene scene;

	(void)state;
	start_with_session(&scene, BY_PSK);
	scene.client.psks = one("id", KEY_A, NULL);
	scene.client.trust = NULL;
	scene_connect(&scene);
	assert_failed(client(&scene), HANDSHAKE_FAILURE, EKEYREJECTED,
		      "takes none of the PSKs");
	scene.server.psks = engine_psks_get(scene.client.psks);
	scene_connect(&scene);
	assert_by_psk(&scene.pair, "psk:id");
	engine_psks_put(scene.client.psks);
	engine_psks_put(scene.server.psks);
	scene_free(&scene);
}

/* --------------------------------------------------------- hostile peers */

/* The last extension whose header is @type and @len bytes; its body. */
static uint8_t *find(struct record *record, uint8_t type, uint8_t len)
{
	const uint8_t header[] = { 0, type, 0, len };

	return memmem(record->data, record->len, header, sizeof(header)) + 4;
}

static bool without_dhe(struct pair *pair, struct side *from,
			struct record *record)
{
	if (from == &pair->client && record->data[0] == CLIENT_HELLO)
		find(record, EXT_PSK_KEY_EXCHANGE_MODES, 2)[1] = 0;
	return true;
}

static void psk_ke_is_refused(void **state)
{
	struct meeting m = meeting(one("id", KEY_A, NULL),
				   one("id", KEY_A, NULL));

	(void)state;
	without_server_certificate(&m);
	pair_init(&m.pair, &m.client, &m.server);
	m.pair.tamper = without_dhe;
	pair_run(&m.pair);
	assert_failed(&m.pair.server, HANDSHAKE_FAILURE, EKEYREJECTED,
		      "no PSK for psk_dhe_ke");
	part(&m);
}

static bool choose_another(struct pair *pair, struct side *from,
			   struct record *record)
{
	if (from == &pair->server && record->data[0] == SERVER_HELLO)
		find(record, EXT_PRE_SHARED_KEY, 2)[1] = 1;
	return true;
}

static void a_key_that_was_not_offered_cannot_be_chosen(void **state)
{
	struct meeting m = meeting(one("id", KEY_A, NULL),
				   one("id", KEY_A, NULL));

	(void)state;
	pair_init(&m.pair, &m.client, &m.server);
	m.pair.tamper = choose_another;
	pair_run(&m.pair);
	assert_failed(&m.pair.client, ILLEGAL_PARAMETER, EPROTO,
		      "PSK that was not offered");
	part(&m);
}

static bool change_binder(struct pair *pair, struct side *from,
			  struct record *record)
{
	if (from == &pair->client && record->data[0] == CLIENT_HELLO)
		record->data[record->len - 1] ^= 1;
	return true;
}

static void a_changed_binder_is_decrypt_error(void **state)
{
	struct meeting m = meeting(one("id", KEY_A, NULL),
				   one("id", KEY_A, NULL));

	(void)state;
	pair_init(&m.pair, &m.client, &m.server);
	m.pair.tamper = change_binder;
	pair_run(&m.pair);
	assert_failed(&m.pair.server, DECRYPT_ERROR, EPROTO, "binder is wrong");
	part(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys_that_make_no_sense_are_refused),
		cmocka_unit_test(settings_without_any_proof_are_refused),
		cmocka_unit_test(identities_are_told_in_printable_form),
		cmocka_unit_test(a_key_replaces_certificates),
		cmocka_unit_test(a_key_needs_no_certificate_at_all),
		cmocka_unit_test(a_client_without_trust_takes_no_certificate),
		cmocka_unit_test(a_wrong_key_is_decrypt_error),
		cmocka_unit_test(an_unknown_identity_gets_a_certificate),
		cmocka_unit_test(an_unknown_identity_without_certificate_is_refused),
		cmocka_unit_test(a_client_without_keys_is_refused_by_a_server_of_keys),
		cmocka_unit_test(who_has_to_show_a_certificate_cannot_show_a_key),
		cmocka_unit_test(who_may_show_a_certificate_may_show_a_key),
		cmocka_unit_test(a_key_counts_for_its_server_alone),
		cmocka_unit_test(of_two_keys_of_an_identity_the_special_one_counts),
		cmocka_unit_test(other_servers_get_the_general_key_of_an_identity),
		cmocka_unit_test(the_suite_follows_the_hash_of_the_key),
		cmocka_unit_test(a_key_without_a_suite_is_not_used),
		cmocka_unit_test(both_sides_have_to_agree_on_the_hash),
		cmocka_unit_test(of_several_keys_the_one_that_is_known_counts),
		cmocka_unit_test(a_retry_has_binders_of_its_own),
		cmocka_unit_test(a_retry_offers_keys_of_its_hash_alone),
		cmocka_unit_test(a_retry_without_keys_keeps_the_modes),
		cmocka_unit_test(a_handshake_with_a_key_leaves_no_ticket),
		cmocka_unit_test(tickets_and_keys_are_offered_together),
		cmocka_unit_test(without_trust_no_session_is_resumed),
		cmocka_unit_test(psk_ke_is_refused),
		cmocka_unit_test(a_key_that_was_not_offered_cannot_be_chosen),
		cmocka_unit_test(a_changed_binder_is_decrypt_error),
	};

	return cmocka_run_group_tests_name("external PSKs", tests, world_setup,
					   world_teardown);
}
