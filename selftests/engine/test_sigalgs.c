// SPDX-License-Identifier: MIT
/* Who may have signed certificates: signature_algorithms_cert. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/core.h"
#include "world.h"

#define ECDSA_SHA256	0x0403
#define RSA_SHA256	0x0401
#define NOTHING		0x0a0a	/* RFC 8701 */

static struct engine_bytes list_of(uint16_t scheme, uint8_t room[2])
{
	room[0] = scheme >> 8;
	room[1] = scheme;
	return bytes_of(room, 2);
}

/* By authority and hash: the one scheme that names the signature. */
static void each_signature_has_one_scheme(void **state)
{
	static const struct {
		const char	*key;
		const char	*digest;
		uint16_t	scheme;
	} rows[] = {
		{ "rsa", "SHA256", RSA_SHA256 }, { "rsa", "SHA384", 0x0501 },
		{ "rsa", "SHA512", 0x0601 }, { "rsa", "SHA1", 0x0201 },
		{ "p256", "SHA256", ECDSA_SHA256 }, { "p384", "SHA384", 0x0503 },
		{ "p521", "SHA512", 0x0603 }, { "p384", "SHA256", ECDSA_SHA256 },
		{ "p256", "SHA1", 0x0203 },
		{ "ed25519", NULL, 0x0807 }, { "ed448", NULL, 0x0808 },
		{ "rsa-pss", "SHA256", 0x0809 },
		{ "rsa-pss", "SHA384", 0x080a },
	};
	const struct sigalg *alg;
	uint8_t room[2];
	size_t i, j;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct pki_cert *ca = pki_issue(&(struct pki_spec){
			.key = rows[i].key, .name = "CA", .ca = true });
		struct pki_cert *leaf = pki_issue(&(struct pki_spec){
			.key = "p256", .name = "leaf", .issuer = ca,
			.digest = rows[i].digest });

		for (j = 0; (alg = sigalg_at(j)); j++)
			assert_int_equal(sigalgs_signed(list_of(alg->scheme,
								room),
							leaf->cert, ca->key),
					 alg->scheme == rows[i].scheme);
		assert_true(sigalgs_signed(list_of(rows[i].scheme, room),
					   leaf->cert, NULL));
		pki_free(leaf);
		pki_free(ca);
	}
}

static void roots_do_not_count_and_intermediates_do(void **state)
{
	struct pki_cert *root = pki_issue(&(struct pki_spec){
		.key = "rsa", .name = "root", .ca = true });
	struct pki_cert *middle = pki_issue(&(struct pki_spec){
		.key = "p256", .name = "middle", .ca = true, .issuer = root });
	struct pki_cert *leaf = pki_issue(&(struct pki_spec){
		.key = "p256", .name = "leaf", .issuer = middle });
	struct engine_identity *whole = identity_of(leaf);
	struct engine_identity *alone = identity_of(root);
	uint8_t both[] = { 4, 3, 4, 1 }, room[2];

	(void)state;
	assert_int_equal(whole->n, 2);
	assert_true(identity_chain_fits(whole, bytes_of(both, 4)));
	assert_false(identity_chain_fits(whole, list_of(ECDSA_SHA256, room)));
	assert_false(identity_chain_fits(whole, list_of(RSA_SHA256, room)));
	assert_true(identity_chain_fits(whole, bytes_of(NULL, 0)));
	assert_true(identity_chain_fits(alone, list_of(ECDSA_SHA256, room)));
	identity_drop(whole);
	identity_drop(alone);
	pki_free(leaf);
	pki_free(middle);
	pki_free(root);
}

/* --------------------------------------------------------------- choosing */

/**
 * struct choice - two certificates for one name, with keys of one kind
 * @rsa_ca: signs with RSA_SHA256
 * @by_rsa: by it
 * @by_ecdsa: by world.ca, with ECDSA_SHA256
 * @policy: lacks schemes, so that signature_algorithms_cert is sent
 * @scheme: the one that is left in there on the way
 * @seen: times that it was
 */
struct choice {
	struct pki_cert		*rsa_ca;
	struct actor		by_rsa, by_ecdsa;
	struct engine_policy	*policy;
	uint16_t		scheme;
	unsigned int		seen;
};

static struct engine_policy *policy_with(const char *sigalgs)
{
	struct engine_policy *policy = engine_policy_new();
	char error[128];

	assert_int_equal(engine_policy_set(policy, "sigalgs", sigalgs, error,
					   sizeof(error)), 0);
	return policy;
}

static void choice_init(struct choice *choice)
{
	struct pki_spec spec = {
		.key = "p256", .name = "server", .san = "DNS:" NAME,
	};

	*choice = (struct choice){ 0 };
	choice->rsa_ca = pki_issue(&(struct pki_spec){
		.key = "rsa", .name = "RSA CA", .ca = true });
	spec.issuer = choice->rsa_ca;
	choice->by_rsa = actor_new(&spec);
	spec.issuer = world.ca;
	choice->by_ecdsa = actor_new(&spec);
	choice->policy = policy_with("ecdsa_secp256r1_sha256");
}

static void choice_free(struct choice *choice)
{
	actor_free(&choice->by_rsa);
	actor_free(&choice->by_ecdsa);
	pki_free(choice->rsa_ca);
	engine_policy_put(choice->policy);
}

/* The extension's list; its length in @len. */
static uint8_t *find_list(struct record *record, size_t *len)
{
	static const uint8_t type[] = { 0, EXT_SIGNATURE_ALGORITHMS_CERT, 0 };
	uint8_t *at = memmem(record->data, record->len, type, sizeof(type));

	if (!at)
		return NULL;
	*len = at[4] << 8 | at[5];
	return at + 6;
}

static bool leave_one(struct pair *pair, struct side *from,
		      struct record *record)
{
	struct choice *choice = pair->arg;
	size_t len, i;
	uint8_t *list = find_list(record, &len);

	(void)from;
	for (i = 0; list && i < len; i += 2) {
		uint16_t scheme = list[i] << 8 | list[i + 1];

		choice->seen += scheme == choice->scheme;
		if (scheme != choice->scheme)
			list_of(NOTHING, list + i);
	}
	return true;
}

static void assert_chosen(struct choice *choice, uint16_t version,
			  uint16_t scheme, struct engine_identity *expected)
{
	struct engine_identity *identities[] = {
		choice->by_rsa.identity, choice->by_ecdsa.identity,
	};
	struct engine_config c = world_client(), s = world_server(&world.rsa);
	struct pair pair;

	c.rules = choice->policy;
	c.max_version = version;
	s.identities = identities;
	s.n_identities = 2;
	choice->scheme = scheme;
	choice->seen = 0;
	pair_init(&pair, &c, &s);
	pair.tamper = leave_one;
	pair.arg = choice;
	pair_run(&pair);
	assert_int_equal(choice->seen, scheme != NOTHING);
	assert_int_equal(pair.server.version, version);
	assert_ptr_equal(pair.server.engine->identity, expected);
	pair_free(&pair);
}

static void a_server_sends_a_chain_that_fits(void **state)
{
	static const uint16_t versions[] = { TLS12, TLS13 };
	struct choice choice;
	size_t i;

	(void)state;
	choice_init(&choice);
	for (i = 0; i < 2; i++) {
		assert_chosen(&choice, versions[i], RSA_SHA256,
			      choice.by_rsa.identity);
		assert_chosen(&choice, versions[i], ECDSA_SHA256,
			      choice.by_ecdsa.identity);
		/* the first, if none does: the client may know better */
		assert_chosen(&choice, versions[i], NOTHING,
			      choice.by_rsa.identity);
	}
	choice_free(&choice);
}

/* Without the extension signature_algorithms says it. */
static void signature_algorithms_counts_where_it_stands_alone(void **state)
{
	struct engine_identity *identities[2];
	struct engine_config c, s;
	struct choice choice;
	struct pair pair;

	(void)state;
	choice_init(&choice);
	identities[0] = choice.by_rsa.identity;
	identities[1] = choice.by_ecdsa.identity;
	c = world_client();
	s = world_server(&world.rsa);
	c.rules = choice.policy;
	c.peer_auth = SOCKTLS_PEER_AUTH_NONE;
	s.identities = identities;
	s.n_identities = 2;
	world_run(&pair, c, s);
	pair_assert_good(&pair);
	assert_ptr_equal(pair.server.engine->identity, identities[1]);
	pair_free(&pair);
	choice_free(&choice);
}

static void a_client_sends_a_chain_that_fits(void **state)
{
	static const uint16_t schemes[] = { RSA_SHA256, ECDSA_SHA256 };
	struct engine_config c = world_client(), s = world_server(&world.ecdsa);
	struct engine_identity *identities[2];
	struct choice choice;
	size_t i;

	(void)state;
	choice_init(&choice);
	identities[0] = choice.by_rsa.identity;
	identities[1] = choice.by_ecdsa.identity;
	c.identities = identities;
	c.n_identities = 2;
	s.rules = choice.policy;
	s.peer_auth = SOCKTLS_PEER_AUTH_REQUEST;
	s.trust = trust_of(world.ca->cert_pem);
	for (i = 0; i < 2; i++) {
		struct pair pair;

		choice.scheme = schemes[i];
		choice.seen = 0;
		pair_init(&pair, &c, &s);
		/* the chains come from different authorities */
		writer_reset(&pair.server.engine->set.trust->names);
		pair.tamper = leave_one;
		pair.arg = &choice;
		pair_run(&pair);
		assert_int_equal(choice.seen, 1);
		assert_ptr_equal(pair.client.engine->identity, identities[i]);
		pair_free(&pair);
	}
	engine_trust_put(s.trust);
	choice_free(&choice);
}

/* ---------------------------------------------------------------- sending */

static void assert_sent(struct engine_config config, const uint16_t *expected,
			size_t n)
{
	struct side side;
	struct record *hello;
	uint8_t *list;
	size_t len, i;

	side_init(&side, "client", &config);
	assert_int_equal(engine_start(side.engine), 0);
	hello = &side.sent[0];
	list = find_list(hello, &len);
	assert_int_equal(!!list, !!n);
	assert_true(!list || len == 2 * n);
	for (i = 0; i < n; i++)
		assert_int_equal(list[2 * i] << 8 | list[2 * i + 1],
				 expected[i]);
	side_free(&side);
}

static void it_is_sent_where_it_differs(void **state)
{
	static const uint16_t verified[] = {
		0x0403, 0x0503, 0x0603, 0x0807, 0x0808, 0x0804, 0x0805, 0x0806,
		0x0809, 0x080a, 0x080b, 0x0401, 0x0501, 0x0601,
	};
	struct engine_policy *policy = policy_with("ecdsa_secp384r1_sha384");
	struct engine_config config = world_client();
	size_t n = sizeof(verified) / sizeof(verified[0]);

	(void)state;
	assert_sent(config, NULL, 0);
	config.policy = "intermediate";
	assert_sent(config, NULL, 0);
	/* SHA-1 in TLS 1.2 handshakes, and never in certificates */
	config.policy = "legacy";
	assert_sent(config, verified, n);
	config.rules = policy;
	assert_sent(config, verified, n);
	config.peer_auth = SOCKTLS_PEER_AUTH_NONE;
	assert_sent(config, NULL, 0);
	engine_policy_put(policy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_signature_has_one_scheme),
		cmocka_unit_test(roots_do_not_count_and_intermediates_do),
		cmocka_unit_test(a_server_sends_a_chain_that_fits),
		cmocka_unit_test(signature_algorithms_counts_where_it_stands_alone),
		cmocka_unit_test(a_client_sends_a_chain_that_fits),
		cmocka_unit_test(it_is_sent_where_it_differs),
	};

	return cmocka_run_group_tests_name("signature algorithms", tests,
					   world_setup, world_teardown);
}
