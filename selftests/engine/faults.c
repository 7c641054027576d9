// SPDX-License-Identifier: MIT
/*
 * Whatever the engine asks memory or libcrypto for may fail, once, anywhere in
 * a handshake: it ends with an error that is told, or nothing was lost. The
 * engine is linked with its calls renamed to the ones here (objcopy), so that
 * nobody else's fail. usage: faults [STEP]: every STEP-th call, default 1
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/ocsp.h>
#include <openssl/rand.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>

#include "engine/core.h"
#include "world.h"

static unsigned long calls, fault_at;

static bool fault(void)
{
	return ++calls == fault_at;
}

#define POINTER(type, name, params, args) \
	type *fault_##name params; \
	type *fault_##name params { return fault() ? NULL : name args; }
#define RESULT(name, params, args) \
	int fault_##name params; \
	int fault_##name params { return fault() ? 0 : name args; }

POINTER(void, malloc, (size_t n), (n))
POINTER(void, calloc, (size_t n, size_t size), (n, size))
POINTER(char, strdup, (const char *s), (s))
POINTER(char, strndup, (const char *s, size_t n), (s, n))
POINTER(EVP_MD_CTX, EVP_MD_CTX_new, (void), ())
POINTER(EVP_PKEY_CTX, EVP_PKEY_CTX_new_from_pkey,
	(OSSL_LIB_CTX *lib, EVP_PKEY *key, const char *query),
	(lib, key, query))
POINTER(EVP_PKEY_CTX, EVP_PKEY_CTX_new_from_name,
	(OSSL_LIB_CTX *lib, const char *name, const char *query),
	(lib, name, query))
POINTER(EVP_MAC_CTX, EVP_MAC_CTX_new, (EVP_MAC *mac), (mac))
POINTER(X509, d2i_X509, (X509 **to, const unsigned char **in, long len),
	(to, in, len))
POINTER(X509_STORE_CTX, X509_STORE_CTX_new, (void), ())
POINTER(X509_STORE, X509_STORE_new, (void), ())
POINTER(OPENSSL_STACK, OPENSSL_sk_new_null, (void), ())
POINTER(OPENSSL_STACK, OPENSSL_sk_dup, (const OPENSSL_STACK *s), (s))
POINTER(OCSP_BASICRESP, OCSP_response_get1_basic, (OCSP_RESPONSE *r), (r))
POINTER(OCSP_CERTID, OCSP_cert_to_id,
	(const EVP_MD *md, const X509 *cert, const X509 *issuer),
	(md, cert, issuer))
POINTER(BIO, BIO_new, (const BIO_METHOD *m), (m))
RESULT(RAND_bytes, (unsigned char *out, int n), (out, n))
RESULT(EVP_DigestInit_ex, (EVP_MD_CTX *c, const EVP_MD *m, ENGINE *e),
       (c, m, e))
RESULT(EVP_DigestUpdate, (EVP_MD_CTX *c, const void *d, size_t n), (c, d, n))
RESULT(EVP_DigestFinal_ex, (EVP_MD_CTX *c, unsigned char *o, unsigned int *n),
       (c, o, n))
RESULT(EVP_MD_CTX_copy_ex, (EVP_MD_CTX *to, const EVP_MD_CTX *from),
       (to, from))
RESULT(EVP_Digest, (const void *d, size_t n, unsigned char *o,
		    unsigned int *on, const EVP_MD *m, ENGINE *e),
       (d, n, o, on, m, e))
RESULT(EVP_MAC_init, (EVP_MAC_CTX *c, const unsigned char *key, size_t n,
		      const OSSL_PARAM p[]), (c, key, n, p))
RESULT(EVP_MAC_update, (EVP_MAC_CTX *c, const unsigned char *d, size_t n),
       (c, d, n))
RESULT(EVP_MAC_final, (EVP_MAC_CTX *c, unsigned char *o, size_t *n, size_t s),
       (c, o, n, s))
RESULT(EVP_PKEY_generate, (EVP_PKEY_CTX *c, EVP_PKEY **k), (c, k))
RESULT(EVP_PKEY_keygen_init, (EVP_PKEY_CTX *c), (c))
RESULT(EVP_PKEY_paramgen_init, (EVP_PKEY_CTX *c), (c))
RESULT(EVP_PKEY_paramgen, (EVP_PKEY_CTX *c, EVP_PKEY **k), (c, k))
RESULT(EVP_PKEY_derive_init, (EVP_PKEY_CTX *c), (c))
RESULT(EVP_PKEY_derive, (EVP_PKEY_CTX *c, unsigned char *o, size_t *n),
       (c, o, n))
RESULT(EVP_PKEY_CTX_set_dh_pad, (EVP_PKEY_CTX *c, int pad), (c, pad))
RESULT(EVP_PKEY_encrypt_init, (EVP_PKEY_CTX *c), (c))
RESULT(EVP_PKEY_decrypt_init, (EVP_PKEY_CTX *c), (c))
RESULT(EVP_PKEY_fromdata_init, (EVP_PKEY_CTX *c), (c))
RESULT(EVP_DigestSignInit, (EVP_MD_CTX *c, EVP_PKEY_CTX **p, const EVP_MD *m,
			    ENGINE *e, EVP_PKEY *k), (c, p, m, e, k))
RESULT(EVP_DigestVerifyInit, (EVP_MD_CTX *c, EVP_PKEY_CTX **p, const EVP_MD *m,
			      ENGINE *e, EVP_PKEY *k), (c, p, m, e, k))
RESULT(EVP_DigestSign, (EVP_MD_CTX *c, unsigned char *o, size_t *n,
			const unsigned char *d, size_t dn), (c, o, n, d, dn))
RESULT(OPENSSL_sk_push, (OPENSSL_STACK *s, const void *d), (s, d))
RESULT(X509_STORE_add_cert, (X509_STORE *s, X509 *c), (s, c))
RESULT(X509_STORE_CTX_init, (X509_STORE_CTX *c, X509_STORE *s, X509 *leaf,
			     STACK_OF(X509) *chain), (c, s, leaf, chain))
RESULT(X509_up_ref, (X509 *c), (c))
RESULT(i2d_X509, (const X509 *c, unsigned char **o), (c, o))

size_t fault_EVP_PKEY_get1_encoded_public_key(EVP_PKEY *key,
					      unsigned char **out);
size_t fault_EVP_PKEY_get1_encoded_public_key(EVP_PKEY *key,
					      unsigned char **out)
{
	return fault() ? 0 : EVP_PKEY_get1_encoded_public_key(key, out);
}

/* ------------------------------------------------------------------ tests */

static struct actor stapled;
static unsigned long step = 1;

static int setup(void **state)
{
	struct pki_status status = { 0 };
	unsigned char *der;
	char text[128];
	size_t len;

	world_setup(state);
	stapled = actor_new(&(struct pki_spec){ .key = "rsa", .name = "server",
		.san = "DNS:" NAME, .issuer = world.ca });
	status.cert = stapled.cert;
	status.issuer = world.ca;
	der = pki_ocsp(&status, &len);
	assert_int_equal(engine_identity_staple(stapled.identity,
			bytes_of(der, len), text, sizeof(text)), 0);
	OPENSSL_free(der);
	return 0;
}

static int teardown(void **state)
{
	actor_free(&stapled);
	return world_teardown(state);
}

static const struct flavour {
	uint16_t	suite;
	uint16_t	group;
	bool		mutual;
	bool		retry;
} flavours[] = {
	{ 0x1301, 0x001d, true, false },
	{ 0x1302, 0x0017, false, true },
	{ 0x003c, 0x001d, true, false },
	{ 0xc02f, 0x001e, false, false },
	{ 0x009e, 0x0100, false, false },
};

/* Returns the number of calls that could have failed. */
static unsigned long run(const struct flavour *flavour, unsigned long at)
{
	const uint16_t groups[] = { 0x0018, flavour->group, 0x0017 };
	struct engine_config c = world_client();
	struct engine_config s = world_server(&stapled);
	struct pair pair;

	c.suites = s.suites = &flavour->suite;
	c.n_suites = s.n_suites = 1;
	c.groups = groups + !flavour->retry;
	c.n_groups = 2;
	s.groups = groups + 1;
	s.n_groups = 1;
	if (flavour->mutual) {
		c.identities = &world.client_ecdsa.identity;
		c.n_identities = 1;
		s.peer_auth = SOCKTLS_PEER_AUTH_REQUIRE;
		s.trust = world.trust;
	}
	pair_init(&pair, &c, &s);
	calls = 0;
	fault_at = at;
	pair_run(&pair);
	fault_at = 0;
	if (!at || at > calls) {
		pair_assert_good(&pair);
	} else if (pair.client.done && pair.server.done) {
		/* something that could be done without */
		pair_assert_good(&pair);
	} else {
		/* both sides never wait for each other in silence */
		assert_true(pair.client.ret || pair.server.ret);
		assert_int_equal(!!pair.client.ret, pair.client.failed);
		assert_int_equal(!!pair.server.ret, pair.server.failed);
	}
	pair_free(&pair);
	return calls;
}

static void every_call_may_fail_in_a_handshake(void **state)
{
	unsigned long at, n, all = 0;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(flavours) / sizeof(flavours[0]); i++) {
		n = run(&flavours[i], 0);
		for (at = 1; at <= n; at += step, all++)
			run(&flavours[i], at);
	}
	print_message("%lu faults\n", all);
	assert_true(all * step > 1000);
}

static void every_call_may_fail_in_configuration(void **state)
{
	static const uint16_t groups[] = { 0x001d };
	struct engine_config c = world_client();
	char text[128];
	unsigned long at;
	int ret = -1;

	(void)state;
	c.groups = groups;
	c.n_groups = 1;
	c.identities = &world.client_rsa.identity;
	c.n_identities = 1;
	c.alpn = bytes_of("\2h2", 3);
	for (at = 1; ret; at++) {
		struct engine *engine;

		calls = 0;
		fault_at = at;
		ret = engine_new(&engine, &c, &pair_output, NULL);
		fault_at = 0;
		if (ret)
			assert_int_equal(ret, -ENOMEM);
		else
			engine_free(engine);
	}
	assert_true(at > 5);
	for (at = 1, ret = -1; ret; at++) {
		struct engine_policy *policy;

		calls = 0;
		fault_at = at;
		policy = engine_policy_new();
		ret = policy ? engine_policy_set(policy, "groups", "x25519",
						 text, sizeof(text)) : -ENOMEM;
		fault_at = 0;
		if (ret)
			assert_int_equal(ret, -ENOMEM);
		engine_policy_put(policy);
	}
	for (at = 1, ret = -1; ret; at++) {
		struct engine_trust *trust;

		calls = 0;
		fault_at = at;
		ret = engine_trust_new(&trust, bytes_of(world.ca->cert_pem,
					strlen(world.ca->cert_pem)), text,
				       sizeof(text));
		fault_at = 0;
		if (!ret)
			engine_trust_put(trust);
	}
	for (at = 1, ret = -1; ret; at++) {
		struct engine_identity *identity;

		calls = 0;
		fault_at = at;
		ret = engine_identity_new(&identity, bytes_of(
				world.rsa.cert->chain_pem,
				strlen(world.rsa.cert->chain_pem)),
				&engine_local_keyops, world.rsa.cert->key,
				text, sizeof(text));
		fault_at = 0;
		if (!ret)
			engine_identity_put(identity);
	}
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_call_may_fail_in_a_handshake),
		cmocka_unit_test(every_call_may_fail_in_configuration),
	};

	if (argc > 1)
		step = strtoul(argv[1], NULL, 10);
	return cmocka_run_group_tests_name("faults", tests, setup, teardown);
}
