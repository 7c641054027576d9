// SPDX-License-Identifier: MIT
/* Mutual authentication, in both versions. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/protocol.h"
#include "world.h"

static const uint16_t rsa_cbc = 0x003c;

/* Versions, and TLS 1.2 once more with RSA key exchange. */
static const struct way {
	uint16_t	version;
	const uint16_t	*suite;
} ways[] = {
	{ TLS13, NULL }, { TLS12, NULL }, { TLS12, &rsa_cbc },
};

#define WAYS	(sizeof(ways) / sizeof(ways[0]))

static void run(const struct way *way, struct actor *client,
		enum socktls_peer_auth auth, struct engine_trust *trust,
		struct pair *pair)
{
	struct engine_config c = world_client(), s = world_server(&world.rsa);

	c.max_version = c.min_version = way->version;
	c.suites = way->suite;
	c.n_suites = way->suite ? 1 : 0;
	if (client) {
		c.identities = &client->identity;
		c.n_identities = 1;
	}
	s.peer_auth = auth;
	s.trust = trust;
	world_run(pair, c, s);
}

static void each_kind_of_client_certificate_is_verified(void **state)
{
	static const char *const kinds[] = {
		"rsa", "rsa-pss", "p256", "p384", "p521", "ed25519", "ed448",
	};
	size_t i, j;

	(void)state;
	for (j = 0; j < sizeof(kinds) / sizeof(kinds[0]); j++) {
		struct actor client = actor_new(&(struct pki_spec){
			.key = kinds[j], .name = "alice", .issuer = world.ca,
			.eku = "clientAuth" });

		for (i = 0; i < WAYS; i++) {
			struct pair pair;

			run(&ways[i], &client, SOCKTLS_PEER_AUTH_REQUIRE,
			    world.trust, &pair);
			pair_assert_good(&pair);
			assert_string_equal(pair.server.identity, "CN=alice");
			assert_true(pair.server.result.flags &
				    SOCKTLS_INFO_PEER_VERIFIED);
			assert_int_not_equal(
				pair.server.result.signature_scheme, 0);
			assert_int_equal(pair.server.peer_certs, 1);
			pair_free(&pair);
		}
		actor_free(&client);
	}
}

/* What would turn the text around, or break its line, does not go out as is. */
static void subjects_that_are_not_plain_text_are_escaped(void **state)
{
	static const struct {
		const char *name, *identity;
	} rows[] = {
		{ "Zo\u00eb", "CN=Zo\u00eb" },
		{ "\u05d0\u2010\u202f\u2065\u206a",
		  "CN=\u05d0\u2010\u202f\u2065\u206a" },
		{ "a\u061cb", "CN=a\\D8\\9Cb" },
		{ "a\u200eb", "CN=a\\E2\\80\\8Eb" },
		{ "a\u200fb", "CN=a\\E2\\80\\8Fb" },
		{ "a\u2028b", "CN=a\\E2\\80\\A8b" },
		{ "a\u202eb", "CN=a\\E2\\80\\AEb" },
		{ "a\u2066b", "CN=a\\E2\\81\\A6b" },
		{ "a\u2069b", "CN=a\\E2\\81\\A9b" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct actor client = actor_new(&(struct pki_spec){
			.key = "p256", .name = rows[i].name,
			.issuer = world.ca, .eku = "clientAuth" });
		struct pair pair;

		run(&ways[0], &client, SOCKTLS_PEER_AUTH_REQUIRE, world.trust,
		    &pair);
		pair_assert_good(&pair);
		assert_string_equal(pair.server.identity, rows[i].identity);
		pair_free(&pair);
		actor_free(&client);
	}
}

static void requested_but_not_given_goes_on(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < WAYS; i++) {
		struct pair pair;

		run(&ways[i], NULL, SOCKTLS_PEER_AUTH_REQUEST, world.trust,
		    &pair);
		pair_assert_good(&pair);
		assert_int_equal(pair.server.peer_certs, 0);
		assert_false(pair.server.result.flags &
			     SOCKTLS_INFO_PEER_VERIFIED);
		pair_free(&pair);
	}
}

static void required_but_not_given_fails(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < WAYS; i++) {
		struct pair pair;

		run(&ways[i], NULL, SOCKTLS_PEER_AUTH_REQUIRE, world.trust,
		    &pair);
		assert_failed(&pair.server, ways[i].version == TLS13 ?
			      CERTIFICATE_REQUIRED : HANDSHAKE_FAILURE,
			      EKEYREJECTED, "no certificate");
		pair_free(&pair);
	}
}

static void not_asked_means_not_sent(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < WAYS; i++) {
		struct pair pair;

		run(&ways[i], &world.client_rsa, SOCKTLS_PEER_AUTH_NONE, NULL,
		    &pair);
		pair_assert_good(&pair);
		assert_int_equal(pair.server.peer_certs, 0);
		pair_free(&pair);
	}
}

/* certificate_authorities names a CA that did not issue the client's. */
static void certificate_of_another_ca_is_withheld(void **state)
{
	struct pki_cert *other = pki_issue(&(struct pki_spec){
		.key = "p256", .name = "other CA", .ca = true });
	struct engine_trust *trust = trust_of(other->cert_pem);
	size_t i;

	(void)state;
	for (i = 0; i < WAYS; i++) {
		struct pair pair;

		run(&ways[i], &world.client_rsa, SOCKTLS_PEER_AUTH_REQUEST,
		    trust, &pair);
		pair_assert_good(&pair);
		assert_int_equal(pair.server.peer_certs, 0);
		assert_int_equal(pair.client.local_certs, 0);
		pair_free(&pair);
	}
	engine_trust_put(trust);
	pki_free(other);
}

/* A pin store names no CA, so the client sends what it has. */
static void unacceptable_client_certificate_fails(void **state)
{
	char *pin = pki_pin(world.client_ecdsa.cert);
	struct engine_trust *trust = trust_of(pin);
	size_t i;

	(void)state;
	for (i = 0; i < WAYS; i++) {
		struct pair pair;

		run(&ways[i], &world.client_rsa, SOCKTLS_PEER_AUTH_REQUEST,
		    trust, &pair);
		assert_failed(&pair.server, UNKNOWN_CA, EKEYREJECTED,
			      "the client");
		pair_free(&pair);
		run(&ways[i], &world.client_ecdsa, SOCKTLS_PEER_AUTH_REQUIRE,
		    trust, &pair);
		pair_assert_good(&pair);
		pair_free(&pair);
	}
	engine_trust_put(trust);
	free(pin);
}

static void server_certificate_does_not_serve_as_a_clients(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < WAYS; i++) {
		struct pair pair;

		run(&ways[i], &world.rsa, SOCKTLS_PEER_AUTH_REQUIRE,
		    world.trust, &pair);
		assert_failed(&pair.server, UNSUPPORTED_CERTIFICATE,
			      EKEYREJECTED, "another use");
		pair_free(&pair);
	}
}

/* The key that signs is not the certificate's. */
static void stolen_certificate_without_key_fails(void **state)
{
	struct pki_cert stolen = *world.client_ecdsa.cert;
	struct actor thief = { .cert = &stolen };
	struct pki_cert *own = pki_issue(&(struct pki_spec){
		.key = "p256", .name = "mallory" });
	char text[128];
	void *key;
	size_t i;

	(void)state;
	assert_int_equal(engine_local_key_new(&key, (struct engine_bytes){
			(uint8_t *)own->key_pem, strlen(own->key_pem) }, text,
			sizeof(text)), 0);
	assert_int_equal(engine_identity_new(&thief.identity,
			(struct engine_bytes){ (uint8_t *)stolen.chain_pem,
			strlen(stolen.chain_pem) }, &engine_local_keyops, key,
			text, sizeof(text)), 0);
	assert_false(engine_local_key_matches(key, thief.identity));
	for (i = 0; i < WAYS; i++) {
		struct pair pair;

		run(&ways[i], &thief, SOCKTLS_PEER_AUTH_REQUIRE, world.trust,
		    &pair);
		assert_failed(&pair.server, DECRYPT_ERROR, EPROTO,
			      "signature");
		pair_free(&pair);
	}
	identity_drop(thief.identity);
	pki_free(own);
}

static int failing_sign(void *key, uint16_t scheme, struct engine_bytes in,
			uint8_t *out, size_t *out_len)
{
	(void)key;
	(void)scheme;
	(void)in;
	(void)out;
	(void)out_len;
	return -EIO;
}

static void key_that_cannot_sign_is_reported(void **state)
{
	static const struct engine_keyops ops = { .sign = failing_sign };
	struct pki_cert *cert = world.ecdsa.cert;
	struct actor actor = { .cert = cert };
	struct pair pair;
	char text[128];

	(void)state;
	assert_int_equal(engine_identity_new(&actor.identity,
			(struct engine_bytes){ (uint8_t *)cert->chain_pem,
			strlen(cert->chain_pem) }, &ops, NULL, text,
			sizeof(text)), 0);
	world_run(&pair, world_client(), world_server(&actor));
	assert_failed(&pair.server, INTERNAL_ERROR, ENOKEY, "private key");
	pair_free(&pair);
	engine_identity_put(actor.identity);
}

static void unverified_client_side_says_so(void **state)
{
	struct engine_config c = { .peer_auth = SOCKTLS_PEER_AUTH_NONE };
	struct pair pair;

	(void)state;
	world_run(&pair, c, world_server(&world.ecdsa));
	pair_assert_good(&pair);
	assert_false(pair.client.result.flags & SOCKTLS_INFO_PEER_VERIFIED);
	assert_string_equal(pair.client.identity, "");
	assert_int_equal(pair.client.peer_certs, 1);
	pair_free(&pair);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_kind_of_client_certificate_is_verified),
		cmocka_unit_test(subjects_that_are_not_plain_text_are_escaped),
		cmocka_unit_test(requested_but_not_given_goes_on),
		cmocka_unit_test(required_but_not_given_fails),
		cmocka_unit_test(not_asked_means_not_sent),
		cmocka_unit_test(certificate_of_another_ca_is_withheld),
		cmocka_unit_test(unacceptable_client_certificate_fails),
		cmocka_unit_test(server_certificate_does_not_serve_as_a_clients),
		cmocka_unit_test(stolen_certificate_without_key_fails),
		cmocka_unit_test(key_that_cannot_sign_is_reported),
		cmocka_unit_test(unverified_client_side_says_so),
	};

	return cmocka_run_group_tests_name("auth", tests, world_setup,
					   world_teardown);
}
