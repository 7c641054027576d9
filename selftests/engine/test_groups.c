// SPDX-License-Identifier: MIT
/* Key exchange groups: agreement, shares that are not valid, fresh keys. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/groups.h"
#include "engine/messages.h"
#include "engine/policy.h"
#include "world.h"

#define HYBRID	0x11ec

static const struct entropy entropy;

static void both_sides_agree_in_every_group(void **state)
{
	const struct group *group;
	size_t i;

	(void)state;
	for (i = 0; (group = group_at(i)); i++) {
		struct writer offer = { 0 }, answer = { 0 };
		struct group_secret server, client;
		EVP_PKEY *key = group_offer(group, &entropy, &offer);

		assert_non_null(key);
		assert_int_equal(offer.len, group->client_share);
		assert_int_equal(group_answer(group, &entropy,
					      writer_view(&offer), &answer,
					      &server), 0);
		assert_int_equal(answer.len, group->server_share);
		assert_int_equal(group_finish(group, key, writer_view(&answer),
					      &client), 0);
		assert_int_equal(client.len, server.len);
		assert_memory_equal(client.data, server.data, client.len);
		assert_int_equal(group_find(group->code) == group, true);
		assert_int_equal(group_code(group->name), group->code);
		EVP_PKEY_free(key);
		writer_free(&offer);
		writer_free(&answer);
	}
	assert_true(i >= 8);
}

/* One byte more or less, on either side. */
static void shares_of_other_lengths_are_refused(void **state)
{
	static const uint8_t zeros[2048];
	const struct group *group;
	size_t i;
	int more;

	(void)state;
	for (i = 0; (group = group_at(i)); i++)
		for (more = -1; more <= 1; more += 2) {
			struct writer share = { 0 };
			struct group_secret secret;
			EVP_PKEY *key = group_offer(group, &entropy, &share);

			assert_int_equal(group_answer(group, &entropy,
				bytes_of(zeros, group->client_share + more),
				&share, &secret), -EPROTO);
			assert_int_equal(group_finish(group, key,
				bytes_of(zeros, group->server_share + more),
				&secret), -EPROTO);
			EVP_PKEY_free(key);
			writer_free(&share);
		}
}

static void refuse(const struct group *group, const uint8_t *share)
{
	struct writer answer = { 0 };
	struct group_secret secret;
	EVP_PKEY *key = group_offer(group, &entropy, &answer);

	assert_int_equal(group_answer(group, &entropy,
				      bytes_of(share, group->client_share),
				      &answer, &secret), -EPROTO);
	/* a KEM's ciphertext is never refused: it yields another secret */
	if (group->kind != GROUP_KEM)
		assert_int_equal(group_finish(group, key, bytes_of(share,
						group->server_share), &secret),
				 -EPROTO);
	EVP_PKEY_free(key);
	writer_free(&answer);
}

/*
 * RFC 8446 section 4.2.8.1: 1 < Y < p-1; section 4.2.8.2: on the curve; section
 * 7.4.2: no secret of zeros; FIPS 203 section 7.2: coefficients below q.
 */
static void public_keys_that_are_not_valid_are_refused(void **state)
{
	const struct group *group;
	uint8_t share[2048];
	size_t i;

	(void)state;
	for (i = 0; (group = group_at(i)); i++) {
		struct writer prime = { 0 };

		memset(share, 0, sizeof(share));
		switch (group->kind) {
		case GROUP_MONTGOMERY:
			refuse(group, share);
			break;
		case GROUP_WEIERSTRASS:
			refuse(group, share);		/* not a point */
			share[0] = 4;
			refuse(group, share);		/* (0, 0) */
			share[0] = 2;
			refuse(group, share);		/* compressed */
			break;
		case GROUP_FINITE_FIELD:
			refuse(group, share);
			share[group->client_share - 1] = 1;
			refuse(group, share);
			group_write_parameters(group, &prime);
			memcpy(share, prime.data + 2, group->client_share);
			refuse(group, share);		/* p */
			share[group->client_share - 1]--;
			refuse(group, share);		/* p - 1 */
			break;
		case GROUP_KEM:
			memset(share, 0xff, sizeof(share));
			refuse(group, share);
		}
		writer_free(&prime);
	}
}

/* A share of zeros is in the other half: both halves are checked. */
static void hybrid_checks_its_classical_half(void **state)
{
	const struct group *group = group_find(HYBRID);
	struct writer offer = { 0 }, answer = { 0 };
	struct group_secret secret;
	EVP_PKEY *key;

	(void)state;
	if (!group) {	/* see hybrid_is_there_where_libcrypto_has_it */
		print_message("no ML-KEM in this libcrypto\n");
		return;
	}
	key = group_offer(group, &entropy, &offer);
	assert_non_null(key);
	/* x25519 stands behind ML-KEM */
	memset(offer.data + offer.len - 32, 0, 32);
	assert_int_equal(group_answer(group, &entropy, writer_view(&offer),
				      &answer, &secret), -EPROTO);
	EVP_PKEY_free(key);
	writer_free(&offer);
	writer_free(&answer);
}

/* Absent without a word, or the first choice; a run says which it expects. */
static void hybrid_is_there_where_libcrypto_has_it(void **state)
{
	struct engine_config c = world_client(), s = world_server(&world.rsa);
	EVP_KEM *kem = EVP_KEM_fetch(NULL, "X25519MLKEM768", NULL);
	const char *policies[] = { NULL, "modern", "intermediate", "legacy" };
	size_t i;

	(void)state;
	assert_int_equal(!!group_find(HYBRID), !!kem);
	if (getenv("SOCKTLS_TEST_HYBRID"))
		assert_non_null(kem);
	for (i = 0; i < 4; i++) {
		struct pair pair;

		c.policy = s.policy = policies[i];
		world_run(&pair, c, s);
		pair_assert_good(&pair);
		assert_int_equal(pair.client.result.group, kem ? HYBRID :
				 0x001d);
		pair_free(&pair);
	}
	EVP_KEM_free(kem);
}

/* Whoever does not know the hybrid need not ask for a retry. */
static void a_classical_share_goes_with_the_hybrid(void **state)
{
	static const uint16_t classical[] = { 0x001d };
	struct engine_config c = world_client(), s = world_server(&world.rsa);
	struct pair pair;

	(void)state;
	s.groups = classical;
	s.n_groups = 1;
	world_run(&pair, c, s);
	pair_assert_good(&pair);
	assert_int_equal(pair.client.result.group, 0x001d);
	assert_null(strstr(pair.client.events, "send:1 version ccs send:1"));
	pair_free(&pair);
}

/* TLS 1.2 has no hybrids, whatever the lists say. */
static void tls12_takes_no_hybrid(void **state)
{
	static const uint16_t groups[] = { HYBRID, 0x0017 };
	struct engine_config c = world_client(), s = world_server(&world.rsa);
	struct pair pair;

	(void)state;
	c.groups = s.groups = groups;
	c.n_groups = s.n_groups = 2;
	c.max_version = TLS12;
	world_run(&pair, c, s);
	pair_assert_good(&pair);
	assert_int_equal(pair.client.result.group, 0x0017);
	pair_free(&pair);
}

/* --------------------------------------------------------- ephemeral keys */

/* Remembers the shares of both sides, by what they stand in. */
struct shares {
	struct writer	all[4];
	size_t		n;
};

static void keep(struct pair *pair, struct side *to, const uint8_t *message,
		 size_t len)
{
	struct shares *shares = pair->arg;
	struct engine_bytes body, share = { 0 };
	struct client_hello client;
	struct server_hello server;
	struct reader r;
	uint16_t group;

	(void)to;
	if (len < 4)	/* ChangeCipherSpec */
		return;
	body = bytes_of(message + 4, len - 4);
	switch (message[0]) {
	case CLIENT_HELLO:
		client_hello_parse(&client, body);
		if (extension_read_key_shares(extensions_get(&client.extensions,
						EXT_KEY_SHARE), &share) ||
		    !share.len)
			return;
		break;
	case SERVER_HELLO:
		server_hello_parse(&server, body);
		if (extension_read_key_share(extensions_get(&server.extensions,
						EXT_KEY_SHARE), &group, &share))
			return;
		break;
	case SERVER_KEY_EXCHANGE:
		r = reader_of(body);
		reader_bytes(&r, 3);
		share = reader_vector(&r, 1, 1);
		break;
	case CLIENT_KEY_EXCHANGE:
		share = body;
		break;
	default:
		return;
	}
	assert_true(shares->n < 4);
	writer_bytes(&shares->all[shares->n++], share);
}

static void ephemeral_keys_are_fresh(void **state)
{
	uint16_t version;
	size_t i;

	(void)state;
	for (version = TLS12; version <= TLS13; version++) {
		struct shares runs[2] = { 0 };

		for (i = 0; i < 2; i++) {
			struct engine_config c = world_client();
			struct engine_config s = world_server(&world.rsa);
			struct pair pair;

			c.max_version = version;
			pair_init(&pair, &c, &s);
			pair.before_message = keep;
			pair.arg = &runs[i];
			pair_run(&pair);
			pair_assert_good(&pair);
			pair_free(&pair);
			assert_int_equal(runs[i].n, 2);
		}
		for (i = 0; i < 2; i++) {
			assert_false(bytes_equal(writer_view(&runs[0].all[i]),
						 writer_view(&runs[1].all[i])));
			writer_free(&runs[0].all[i]);
			writer_free(&runs[1].all[i]);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_sides_agree_in_every_group),
		cmocka_unit_test(shares_of_other_lengths_are_refused),
		cmocka_unit_test(public_keys_that_are_not_valid_are_refused),
		cmocka_unit_test(hybrid_checks_its_classical_half),
		cmocka_unit_test(hybrid_is_there_where_libcrypto_has_it),
		cmocka_unit_test(a_classical_share_goes_with_the_hybrid),
		cmocka_unit_test(tls12_takes_no_hybrid),
		cmocka_unit_test(ephemeral_keys_are_fresh),
	};

	return cmocka_run_group_tests_name("groups", tests, world_setup,
					   world_teardown);
}
