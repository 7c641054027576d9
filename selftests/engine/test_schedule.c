// SPDX-License-Identifier: MIT
/* Key schedules against RFC 8448, and TLS 1.2 against libcrypto's own PRF. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/core_names.h>
#include <openssl/kdf.h>

#include "engine/groups.h"
#include "engine/kdf.h"
#include "engine/schedule.h"
#include "hex.h"
#include "rfc8448.h"

/* The test's entropy: a fixed string of bytes, in the order they are asked. */
struct fixed {
	struct hex	bytes;
	size_t		at;
};

static int fixed_random(void *arg, uint8_t *out, size_t len)
{
	struct fixed *fixed = arg;

	assert_true(fixed->at + len <= fixed->bytes.len);
	memcpy(out, fixed->bytes.data + fixed->at, len);
	fixed->at += len;
	return 0;
}

static void add(struct transcript *t, const char *text)
{
	struct hex message = hex(text);

	assert_int_equal(transcript_add(t, hex_view(&message)), 0);
}

static void now(struct transcript *t, struct digest *digest)
{
	assert_int_equal(transcript_hash(t, digest), 0);
}

static void check_key(const uint8_t *secret, const char *key, const char *iv)
{
	struct engine_key out = { 0 };

	assert_int_equal(schedule_traffic_key(suite_find(0x1301), secret, &out),
			 0);
	assert_hex_equal(out.key, out.key_len, key);
	assert_hex_equal(out.iv, out.iv_len, iv);
	assert_int_equal(out.mac_key_len, 0);
}

static void check_finished(const uint8_t *base, struct transcript *t,
			   const char *message)
{
	struct hex expected = hex(message);
	struct digest hash, verify_data;

	now(t, &hash);
	assert_int_equal(schedule_finished(EVP_sha256(), base, &hash,
					   &verify_data), 0);
	assert_int_equal(verify_data.len, expected.len - 4);
	assert_memory_equal(verify_data.data, expected.data + 4,
			    verify_data.len);
}

static void secrets_match_rfc8448_section3(void **state)
{
	struct hex shared = hex(S3_SHARED), nonce = hex("0000");
	struct schedule s = { 0 };
	struct transcript t;
	struct digest hash;
	uint8_t psk[32];

	(void)state;
	transcript_init(&t);
	add(&t, S3_CLIENT_HELLO);
	assert_int_equal(transcript_set_hash(&t, EVP_sha256()), 0);
	add(&t, S3_SERVER_HELLO);
	now(&t, &hash);
	assert_hex_equal(hash.data, hash.len, S3_HELLO_HASH);
	assert_int_equal(schedule_early(&s, EVP_sha256(), bytes_of(NULL, 0)),
			 0);
	assert_hex_equal(s.secret, s.len, S3_EARLY);
	assert_int_equal(schedule_handshake(&s, hex_view(&shared), &hash), 0);
	assert_hex_equal(s.secret, s.len, S3_HANDSHAKE);
	assert_hex_equal(s.client_handshake, s.len, S3_CLIENT_HANDSHAKE);
	assert_hex_equal(s.server_handshake, s.len, S3_SERVER_HANDSHAKE);
	check_key(s.server_handshake, S3_SERVER_HANDSHAKE_KEY,
		  S3_SERVER_HANDSHAKE_IV);
	check_key(s.client_handshake, S3_CLIENT_HANDSHAKE_KEY,
		  S3_CLIENT_HANDSHAKE_IV);

	add(&t, S3_ENCRYPTED_EXTENSIONS);
	add(&t, S3_CERTIFICATE);
	add(&t, S3_CERTIFICATE_VERIFY);
	check_finished(s.server_handshake, &t, S3_SERVER_FINISHED);
	add(&t, S3_SERVER_FINISHED);
	now(&t, &hash);
	assert_int_equal(schedule_application(&s, &hash), 0);
	assert_hex_equal(s.secret, s.len, S3_MASTER);
	assert_hex_equal(s.client_application, s.len, S3_CLIENT_APPLICATION);
	assert_hex_equal(s.server_application, s.len, S3_SERVER_APPLICATION);
	assert_hex_equal(s.exporter_master, s.len, S3_EXPORTER);
	check_key(s.server_application, S3_SERVER_APPLICATION_KEY,
		  S3_SERVER_APPLICATION_IV);
	check_key(s.client_application, S3_CLIENT_APPLICATION_KEY,
		  S3_CLIENT_APPLICATION_IV);

	check_finished(s.client_handshake, &t, S3_CLIENT_FINISHED);
	add(&t, S3_CLIENT_FINISHED);
	now(&t, &hash);
	assert_int_equal(schedule_resumption(&s, &hash), 0);
	assert_hex_equal(s.resumption_master, s.len, S3_RESUMPTION);
	assert_int_equal(kdf_expand_label(EVP_sha256(),
					  bytes_of(s.resumption_master, 32),
					  "resumption", hex_view(&nonce), psk,
					  sizeof(psk)), 0);
	assert_hex_equal(psk, sizeof(psk), S3_PSK);
	transcript_free(&t);
}

/* The PSK of section 3 and the ClientHello up to its binders. */
static void binder_matches_rfc8448_section4(void **state)
{
	struct hex psk = hex(S3_PSK), hello = hex(S4_CLIENT_HELLO);
	struct engine_bytes none = { 0 };
	struct digest hash, binder;
	struct schedule s = { 0 };
	uint8_t key[HASH_MAX];

	(void)state;
	assert_int_equal(schedule_early(&s, EVP_sha256(), hex_view(&psk)), 0);
	assert_hex_equal(s.secret, s.len, S4_EARLY);
	assert_int_equal(schedule_binder_key(&s, "res binder", key), 0);
	assert_hex_equal(key, s.len, S4_BINDER_KEY);
	hello.len -= 2 + 1 + 32;
	assert_int_equal(transcript_hash_of(EVP_sha256(), none,
					    hex_view(&hello), &hash), 0);
	assert_hex_equal(hash.data, hash.len, S4_BINDER_HASH);
	assert_int_equal(schedule_finished(EVP_sha256(), key, &hash, &binder),
			 0);
	assert_hex_equal(binder.data, binder.len, S4_BINDER);
}

/* ClientHello1 becomes message_hash; the exchange is P-256. */
static void secrets_match_rfc8448_section5(void **state)
{
	struct hex shared = hex(S5_SHARED);
	uint8_t zeros[S5_CLIENT_HELLO_2_ZEROS] = { 0 };
	struct hex second = hex(S5_CLIENT_HELLO_2_HEAD);
	struct schedule s = { 0 };
	struct transcript t;
	struct digest hash;

	(void)state;
	transcript_init(&t);
	add(&t, S5_CLIENT_HELLO_1);
	assert_int_equal(transcript_set_hash(&t, EVP_sha256()), 0);
	assert_int_equal(transcript_restart(&t), 0);
	add(&t, S5_HELLO_RETRY_REQUEST);
	memcpy(second.data + second.len, zeros, sizeof(zeros));
	second.len += sizeof(zeros);
	assert_int_equal(second.len, 512);
	assert_int_equal(transcript_add(&t, hex_view(&second)), 0);
	add(&t, S5_SERVER_HELLO);
	now(&t, &hash);
	assert_hex_equal(hash.data, hash.len, S5_HELLO_HASH);
	assert_int_equal(schedule_early(&s, EVP_sha256(), bytes_of(NULL, 0)),
			 0);
	assert_int_equal(schedule_handshake(&s, hex_view(&shared), &hash), 0);
	assert_hex_equal(s.secret, s.len, S5_HANDSHAKE);
	assert_hex_equal(s.client_handshake, s.len, S5_CLIENT_HANDSHAKE);
	assert_hex_equal(s.server_handshake, s.len, S5_SERVER_HANDSHAKE);
	check_key(s.server_handshake, S5_SERVER_HANDSHAKE_KEY,
		  S5_SERVER_HANDSHAKE_IV);
	transcript_free(&t);
}

static void exchange(uint16_t code, const char *client, const char *server,
		     const char *client_public, const char *server_public,
		     const char *shared)
{
	const struct group *group = group_find(code);
	struct fixed c = { .bytes = hex(client) }, s = { .bytes = hex(server) };
	struct entropy ce = { fixed_random, &c }, se = { fixed_random, &s };
	struct writer offer = { 0 }, answer = { 0 };
	struct group_secret ours, theirs;
	EVP_PKEY *key;

	key = group_offer(group, &ce, &offer);
	assert_non_null(key);
	assert_hex_equal(offer.data, offer.len, client_public);
	assert_int_equal(group_answer(group, &se, writer_view(&offer), &answer,
				      &theirs), 0);
	assert_hex_equal(answer.data, answer.len, server_public);
	assert_int_equal(group_finish(group, key, writer_view(&answer), &ours),
			 0);
	assert_hex_equal(ours.data, ours.len, shared);
	assert_hex_equal(theirs.data, theirs.len, shared);
	EVP_PKEY_free(key);
	writer_free(&offer);
	writer_free(&answer);
}

static void exchanges_match_rfc8448(void **state)
{
	(void)state;
	exchange(0x001d, S3_CLIENT_PRIVATE, S3_SERVER_PRIVATE,
		 "99381de560e4bd43d23d8e435a7dbafeb3c06e51c13cae4d5413691e529aaf2c",
		 "c9828876112095fe66762bdbf7c672e156d6cc253b833df1dd69b1b04e751f0f",
		 S3_SHARED);
	exchange(0x0017, S5_CLIENT_PRIVATE, S5_SERVER_PRIVATE,
		 S5_CLIENT_PUBLIC, S5_SERVER_PUBLIC, S5_SHARED);
}

/* ------------------------------------------------------------- TLS 1.2 */

/* libcrypto's TLS1-PRF, which the engine does not use. */
static void reference_prf(const char *md, const uint8_t *secret, size_t len,
			  const char *label, const uint8_t *seed,
			  size_t seed_len, uint8_t *out, size_t out_len)
{
	EVP_KDF *kdf = EVP_KDF_fetch(NULL, "TLS1-PRF", NULL);
	EVP_KDF_CTX *ctx = EVP_KDF_CTX_new(kdf);
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST,
						 (char *)md, 0),
		OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SECRET,
						  (void *)secret, len),
		OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SEED,
						  (void *)label, strlen(label)),
		OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SEED,
						  (void *)seed, seed_len),
		OSSL_PARAM_construct_end(),
	};

	assert_int_equal(EVP_KDF_derive(ctx, out, out_len, params), 1);
	EVP_KDF_CTX_free(ctx);
	EVP_KDF_free(kdf);
}

static void fill(uint8_t *out, size_t len, uint8_t from)
{
	while (len--)
		*out++ = from++;
}

/* Random, pre-master secret -> master secret -> MAC keys, keys, IVs. */
static void check_suite(const struct suite *suite)
{
	const char *md = EVP_MD_get0_name(suite->md());
	size_t m = suite->mac_len, k = suite->key_len, v = suite->iv_len;
	struct schedule12 s;
	struct engine_key client = { 0 }, server = { 0 };
	uint8_t premaster[48], seed[64], master[48], block[256];
	struct digest finished, hash = { .len = EVP_MD_get_size(suite->md()) };

	fill(s.client_random, 32, 1);
	fill(s.server_random, 32, 101);
	fill(premaster, 48, 201);
	fill(hash.data, hash.len, 7);
	memcpy(seed, s.client_random, 32);
	memcpy(seed + 32, s.server_random, 32);
	reference_prf(md, premaster, 48, "master secret", seed, 64, master, 48);
	assert_int_equal(schedule12_master(&s, suite, bytes_of(premaster, 48),
					   NULL), 0);
	assert_memory_equal(s.master, master, 48);

	memcpy(seed, s.server_random, 32);
	memcpy(seed + 32, s.client_random, 32);
	reference_prf(md, master, 48, "key expansion", seed, 64, block,
		      2 * (m + k + v));
	assert_int_equal(schedule12_key_block(&s, suite, &client, &server), 0);
	assert_int_equal(client.mac_key_len, m);
	assert_int_equal(server.key_len, k);
	assert_int_equal(client.iv_len, v);
	assert_memory_equal(client.mac_key, block, m);
	assert_memory_equal(server.mac_key, block + m, m);
	assert_memory_equal(client.key, block + 2 * m, k);
	assert_memory_equal(server.key, block + 2 * m + k, k);
	assert_memory_equal(client.iv, block + 2 * m + 2 * k, v);
	assert_memory_equal(server.iv, block + 2 * m + 2 * k + v, v);

	reference_prf(md, master, 48, "server finished", hash.data, hash.len,
		      block, 12);
	assert_int_equal(schedule12_finished(&s, suite, false, &hash,
					     &finished), 0);
	assert_int_equal(finished.len, 12);
	assert_memory_equal(finished.data, block, 12);

	reference_prf(md, premaster, 48, "extended master secret", hash.data,
		      hash.len, master, 48);
	assert_int_equal(schedule12_master(&s, suite, bytes_of(premaster, 48),
					   &hash), 0);
	assert_memory_equal(s.master, master, 48);
}

static void key_block_is_split_as_rfc5246_says(void **state)
{
	const struct suite *suite;
	size_t i, n = 0;

	(void)state;
	for (i = 0; (suite = suite_at(i)); i++)
		if (suite->version == TLS12) {
			check_suite(suite);
			n++;
		}
	assert_true(n > 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(secrets_match_rfc8448_section3),
		cmocka_unit_test(binder_matches_rfc8448_section4),
		cmocka_unit_test(secrets_match_rfc8448_section5),
		cmocka_unit_test(exchanges_match_rfc8448),
		cmocka_unit_test(key_block_is_split_as_rfc5246_says),
	};

	return cmocka_run_group_tests_name("schedule", tests, NULL, NULL);
}
