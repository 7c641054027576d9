// SPDX-License-Identifier: MIT
/* Revocation lists: of the leaf's CA, of those above it, of anchors. */
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

#define DAY	(24 * 3600L)

static void revoked_certificate_is_refused(void **state)
{
	char *bad = pki_crl(world.ca, world.rsa.cert);
	char *value;
	struct pair pair;

	(void)state;
	assert_true(asprintf(&value, "%s%s", world.ca->cert_pem, bad) > 0);
	world_run_trust(value, &world.rsa, &pair);
	assert_failed(&pair.client, CERTIFICATE_REVOKED, EKEYREVOKED,
		      "revoked");
	pair_free(&pair);
	world_run_trust(value, &world.ecdsa, &pair);
	pair_assert_good(&pair);
	pair_free(&pair);
	free(value);
	free(bad);
}

/* A list of another CA, or none of now: nobody knows what is revoked. */
static void missing_and_stale_crls_refuse(void **state)
{
	struct pki_cert *other = pki_issue(&(struct pki_spec){
		.key = "p256", .name = "other CA", .ca = true });
	struct pki_cert *ca = pki_issue(&(struct pki_spec){
		.key = "p256", .name = "CA", .ca = true, .valid_to = 90 * DAY });
	struct actor actor = actor_new(&(struct pki_spec){
		.key = "p256", .name = "x", .san = "DNS:" NAME, .issuer = ca,
		.valid_to = 90 * DAY });
	const struct {
		const struct pki_cert	*issuer;
		long			when;
		const char		*text;
	} cases[] = {
		{ ca, 0, NULL },
		{ other, 0, "not its CA's" },
		{ ca, 40 * DAY, "must be fetched anew" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < 3; i++) {
		struct engine_config c = world_client();
		char *crl = pki_crl(cases[i].issuer, NULL), *value;
		struct pair pair;

		assert_true(asprintf(&value, "%s%s", ca->cert_pem, crl) > 0);
		c.trust = trust_of(value);
		c.now = time(NULL) + cases[i].when;
		world_run(&pair, c, world_server(&actor));
		if (cases[i].text)
			assert_failed(&pair.client, CERTIFICATE_UNKNOWN,
				      EKEYREJECTED, cases[i].text);
		else
			pair_assert_good(&pair);
		pair_free(&pair);
		engine_trust_put(c.trust);
		free(value);
		free(crl);
	}
	actor_free(&actor);
	pki_free(ca);
	pki_free(other);
}

/* A handshake under a trust store of the CA and these lists. */
static void run_crls(const char *first, const char *second,
		     struct actor *actor, struct pair *pair)
{
	struct engine_config c = world_client();
	char *value;

	assert_true(asprintf(&value, "%s%s%s", world.ca->cert_pem, first,
			     second) > 0);
	c.trust = trust_of(value);
	world_run(pair, c, world_server(actor));
	engine_trust_put(c.trust);
	free(value);
}

/* The list of the CA above is used if it is there, and need not be. */
static void revoked_intermediates_are_refused(void **state)
{
	struct pki_cert *sub = pki_issue(&(struct pki_spec){ .key = "p256",
		.name = "sub", .issuer = world.ca, .ca = true });
	struct actor actor = actor_new(&(struct pki_spec){ .key = "p256",
		.name = "x", .san = "DNS:" NAME, .issuer = sub });
	char *leaves = pki_crl(sub, NULL), *none = pki_crl(world.ca, NULL);
	char *subs = pki_crl(world.ca, sub);
	struct pair pair;

	(void)state;
	run_crls(leaves, subs, &actor, &pair);
	assert_failed(&pair.client, CERTIFICATE_REVOKED, EKEYREVOKED,
		      "revoked");
	pair_free(&pair);
	run_crls(leaves, none, &actor, &pair);
	pair_assert_good(&pair);
	pair_free(&pair);
	run_crls(leaves, "", &actor, &pair);
	pair_assert_good(&pair);
	pair_free(&pair);
	run_crls(none, "", &actor, &pair);
	assert_failed(&pair.client, CERTIFICATE_UNKNOWN, EKEYREJECTED,
		      "not its CA's");
	pair_free(&pair);
	free(leaves);
	free(none);
	free(subs);
	actor_free(&actor);
	pki_free(sub);
}

/* The way around a revoked intermediate is a way. */
static void other_paths_avoid_revoked_intermediates(void **state)
{
	struct pki_cert *bad = pki_issue(&(struct pki_spec){ .key = "p256",
		.name = "sub", .issuer = world.ca, .ca = true });
	struct pki_cert *good = pki_issue(&(struct pki_spec){ .key = "",
		.same_key = bad, .name = "sub", .issuer = world.ca,
		.ca = true });
	struct pki_cert *leaf = pki_issue(&(struct pki_spec){ .key = "p256",
		.name = "x", .san = "DNS:" NAME, .issuer = bad });
	char *leaves = pki_crl(bad, NULL), *subs = pki_crl(world.ca, bad);
	struct engine_trust *trust;
	char *value, *chain;
	struct pair pair;

	(void)state;
	assert_true(asprintf(&value, "%s%s%s", world.ca->cert_pem, leaves,
			     subs) > 0);
	assert_true(asprintf(&chain, "%s%s%s", leaf->cert_pem, bad->cert_pem,
			     good->cert_pem) > 0);
	trust = trust_of(value);
	world_run_chain(chain, leaf, trust, &pair);
	pair_assert_good(&pair);
	pair_free(&pair);
	engine_trust_put(trust);
	free(chain);
	free(value);
	free(leaves);
	free(subs);
	pki_free(leaf);
	pki_free(good);
	pki_free(bad);
}

/* What is in the store is an anchor, and needs no list that speaks of it. */
static void lists_of_anchors_need_not_fit(void **state)
{
	struct pki_cert *sub = pki_issue(&(struct pki_spec){ .key = "p256",
		.name = "sub", .issuer = world.ca, .ca = true });
	struct actor actor = actor_new(&(struct pki_spec){ .key = "p256",
		.name = "x", .san = "DNS:" NAME, .issuer = sub });
	char *leaves = pki_crl(sub, NULL), *revoked = pki_crl(sub, actor.cert);
	char *subs = pki_crl(world.ca, NULL);
	char *users = pki_crl_of_users(world.ca);
	char *both, *bad;
	struct pair pair;

	(void)state;
	assert_true(asprintf(&both, "%s%s", sub->cert_pem, leaves) > 0);
	run_crls(both, subs, &actor, &pair);
	pair_assert_good(&pair);
	pair_free(&pair);
	assert_true(asprintf(&bad, "%s%s", sub->cert_pem, revoked) > 0);
	run_crls(bad, subs, &actor, &pair);
	assert_failed(&pair.client, CERTIFICATE_REVOKED, EKEYREVOKED,
		      "revoked");
	pair_free(&pair);
	run_crls(users, "", &world.rsa, &pair);
	pair_assert_good(&pair);
	pair_free(&pair);
	free(bad);
	free(both);
	free(users);
	free(subs);
	free(revoked);
	free(leaves);
	actor_free(&actor);
	pki_free(sub);
}

/* In the name of the CA, but signed by somebody else. */
static void forged_lists_count_for_nothing(void **state)
{
	struct pki_cert *impostor = pki_issue(&(struct pki_spec){
		.key = "p256", .name = "CA", .ca = true });
	struct pki_cert *sub = pki_issue(&(struct pki_spec){ .key = "p256",
		.name = "sub", .issuer = world.ca, .ca = true });
	struct actor actor = actor_new(&(struct pki_spec){ .key = "p256",
		.name = "x", .san = "DNS:" NAME, .issuer = sub });
	char *forged = pki_crl(impostor, NULL), *leaves = pki_crl(sub, NULL);
	struct pair pair;

	(void)state;
	run_crls(forged, "", &world.rsa, &pair);
	assert_failed(&pair.client, CERTIFICATE_UNKNOWN, EKEYREJECTED,
		      "CRL signature");
	pair_free(&pair);
	run_crls(leaves, forged, &actor, &pair);
	assert_failed(&pair.client, CERTIFICATE_UNKNOWN, EKEYREJECTED,
		      "CRL signature");
	pair_free(&pair);
	free(leaves);
	free(forged);
	actor_free(&actor);
	pki_free(sub);
	pki_free(impostor);
}

/* The leaf is not a CA: it is looked up wherever it lies. */
static void leaves_in_the_store_are_looked_up(void **state)
{
	char *bad = pki_crl(world.ca, world.rsa.cert);
	char *none = pki_crl(world.ca, NULL), *alone;
	struct pair pair;

	(void)state;
	run_crls(world.rsa.cert->cert_pem, bad, &world.rsa, &pair);
	assert_failed(&pair.client, CERTIFICATE_REVOKED, EKEYREVOKED,
		      "revoked");
	pair_free(&pair);
	run_crls(world.rsa.cert->cert_pem, none, &world.rsa, &pair);
	pair_assert_good(&pair);
	pair_free(&pair);
	/* without its CA nobody vouches for the list */
	assert_true(asprintf(&alone, "%s%s", world.rsa.cert->cert_pem,
			     none) > 0);
	world_run_trust(alone, &world.rsa, &pair);
	assert_true(pair.client.failed);
	assert_int_equal(pair.client.failure.error, EKEYREJECTED);
	pair_free(&pair);
	free(alone);
	free(none);
	free(bad);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(revoked_certificate_is_refused),
		cmocka_unit_test(missing_and_stale_crls_refuse),
		cmocka_unit_test(revoked_intermediates_are_refused),
		cmocka_unit_test(other_paths_avoid_revoked_intermediates),
		cmocka_unit_test(lists_of_anchors_need_not_fit),
		cmocka_unit_test(forged_lists_count_for_nothing),
		cmocka_unit_test(leaves_in_the_store_are_looked_up),
	};

	return cmocka_run_group_tests_name("CRLs", tests, world_setup,
					   world_teardown);
}
