// SPDX-License-Identifier: MIT
/*
 * Both roles against each other: every suite, group, certificate kind and
 * chunking that fit together.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/groups.h"
#include "engine/protocol.h"
#include "engine/suites.h"
#include "pair.h"

#define NAME	"server.example"

static const char *const kinds[] = {
	"rsa", "rsa-pss", "p256", "p384", "p521", "ed25519", "ed448",
};

#define KINDS	(sizeof(kinds) / sizeof(kinds[0]))

static struct {
	struct pki_cert		*ca;
	struct pki_cert		*certs[KINDS];
	struct engine_identity	*identities[KINDS];
	struct pki_cert		*client_cert;
	struct engine_identity	*client_identity;
	struct engine_trust	*trust;
} world;

static int setup(void **state)
{
	size_t i;

	(void)state;
	world.ca = pki_issue(&(struct pki_spec){
		.key = "p256", .name = "CA", .ca = true });
	world.trust = trust_of(world.ca->cert_pem);
	for (i = 0; i < KINDS; i++) {
		world.certs[i] = pki_issue(&(struct pki_spec){
			.key = kinds[i], .name = "leaf", .san = "DNS:" NAME,
			.issuer = world.ca, .eku = "serverAuth" });
		world.identities[i] = identity_of(world.certs[i]);
	}
	world.client_cert = pki_issue(&(struct pki_spec){
		.key = "p256", .name = "alice", .issuer = world.ca,
		.eku = "clientAuth" });
	world.client_identity = identity_of(world.client_cert);
	return 0;
}

static int teardown(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < KINDS; i++) {
		identity_drop(world.identities[i]);
		pki_free(world.certs[i]);
	}
	identity_drop(world.client_identity);
	pki_free(world.client_cert);
	engine_trust_put(world.trust);
	pki_free(world.ca);
	return 0;
}

static struct engine_config client_config(void)
{
	return (struct engine_config){
		.server_name = NAME, .trust = world.trust,
	};
}

static struct engine_config server_config(struct engine_identity **identity)
{
	return (struct engine_config){
		.identities = identity, .n_identities = 1,
	};
}

static bool suits(const struct suite *suite, size_t kind)
{
	bool rsa = !strncmp(kinds[kind], "rsa", 3);

	if (suite->version == TLS13)
		return true;
	if (suite->exchange == EXCHANGE_RSA)
		return !strcmp(kinds[kind], "rsa");
	return suite->auth == AUTH_RSA ? rsa : !rsa;
}

static bool group_suits(const struct suite *suite, const struct group *group)
{
	if (suite->version == TLS13)
		return true;
	if (suite->exchange == EXCHANGE_RSA)
		return group->code == 0x001d;	/* one is enough */
	if (suite->exchange == EXCHANGE_DHE)
		return group->kind == GROUP_FINITE_FIELD;
	return group_is_ecdhe(group);
}

static void run_one(const struct suite *suite, const struct group *group,
		    size_t kind, size_t chunk, bool coalesce)
{
	struct engine_config c = client_config();
	struct engine_config s = server_config(&world.identities[kind]);
	/* the curve of an ECDSA certificate must be among the groups */
	const uint16_t groups[] = { group->code, 0x17, 0x18, 0x19 };
	struct pair pair;

	c.suites = s.suites = &suite->code;
	c.n_suites = s.n_suites = 1;
	c.groups = s.groups = groups;
	c.n_groups = s.n_groups = 4;
	pair_init(&pair, &c, &s);
	pair.chunk = chunk;
	pair.coalesce = coalesce;
	pair_run(&pair);
	if (!pair.client.done || !pair.server.done)
		print_message("%s, %s, %s:\n", suite->name, group->name,
			      kinds[kind]);
	pair_assert_good(&pair);
	assert_int_equal(pair.client.result.suite, suite->code);
	assert_int_equal(pair.client.result.group,
			 suite->exchange == EXCHANGE_RSA ? 0 : group->code);
	assert_int_equal(pair.client.tx.mac_key_len, suite->mac_len);
	assert_int_equal(pair.client.tx.key_len, suite->key_len);
	assert_int_equal(pair.client.tx.iv_len, suite->iv_len);
	assert_true(pair.client.result.flags & SOCKTLS_INFO_PEER_VERIFIED);
	assert_true(pair.client.result.flags & SOCKTLS_INFO_EXT_MASTER_SECRET);
	assert_false(pair.client.result.flags & SOCKTLS_INFO_SERVER);
	assert_true(pair.server.result.flags & SOCKTLS_INFO_SERVER);
	assert_false(pair.server.result.flags & SOCKTLS_INFO_PEER_VERIFIED);
	assert_string_equal(pair.client.identity, NAME);
	pair_free(&pair);
}

/* For each suite, every certificate that fits it and every group. */
static void every_suite_group_and_certificate(void **state)
{
	size_t i, j, k, n = 0;
	const struct suite *suite;
	const struct group *group;

	(void)state;
	for (i = 0; (suite = suite_at(i)); i++)
		for (j = 0; (group = group_at(j)); j++)
			for (k = 0; k < KINDS; k++) {
				/* finite fields are slow: one kind each */
				if (group->kind == GROUP_FINITE_FIELD && k != 0
				    && k != 2)
					continue;
				if (!suits(suite, k) ||
				    !group_suits(suite, group))
					continue;
				run_one(suite, group, k, 0, (i + j + k) % 2);
				n++;
			}
	print_message("%zu combinations\n", n);
	assert_true(n > 450);
}

static const struct group *first_group(const struct suite *suite)
{
	return group_find(suite->exchange == EXCHANGE_DHE ? 0x0100 : 0x001d);
}

static void every_chunking(void **state)
{
	static const size_t chunks[] = { 1, 2, 3, 5, 7, 64, 1000 };
	const struct suite *suite;
	size_t i, j, k;

	(void)state;
	for (i = 0; (suite = suite_at(i)); i++)
		for (j = 0; j < sizeof(chunks) / sizeof(chunks[0]); j++)
			for (k = 0; k < KINDS; k += 2)
				if (suits(suite, k))
					run_one(suite, first_group(suite), k,
						chunks[j], j % 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_suite_group_and_certificate),
		cmocka_unit_test(every_chunking),
	};

	return cmocka_run_group_tests_name("handshake", tests, setup, teardown);
}
