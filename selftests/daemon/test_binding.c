// SPDX-License-Identifier: MIT
/* Channel bindings of libsocktls: digests of certificates, as libcrypto's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include "lib/binding.h"
#include "pki.h"

static void sha2_is_libcryptos_at_every_length(void **state)
{
	static const struct {
		unsigned int	bits;
		const EVP_MD	*(*md)(void);
	} rows[] = {
		{ 224, EVP_sha224 }, { 256, EVP_sha256 },
		{ 384, EVP_sha384 }, { 512, EVP_sha512 },
	};
	uint8_t data[520], ours[SHA2_MAX], theirs[EVP_MAX_MD_SIZE];
	size_t i, len;

	(void)state;
	for (i = 0; i < sizeof(data); i++)
		data[i] = i * 7 + 3;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		for (len = 0; len <= sizeof(data); len++) {
			sha2(rows[i].bits, data, len, ours);
			assert_int_equal(EVP_Digest(data, len, theirs, NULL,
						    rows[i].md(), NULL), 1);
			assert_memory_equal(ours, theirs, rows[i].bits / 8);
		}
}

static size_t end_point(const struct pki_cert *cert, uint8_t out[SHA2_MAX])
{
	unsigned char *der = NULL;
	int len = i2d_X509(cert->cert, &der);
	size_t n = binding_end_point(der, len, out), cut;
	uint8_t ignored[SHA2_MAX];
	char *copy;

	/* cut off anywhere it is no certificate; on the heap for ASan */
	for (cut = 0; cut < (size_t)len; cut++) {
		copy = malloc(cut ? cut : 1);
		memcpy(copy, der, cut);
		assert_int_equal(binding_end_point((uint8_t *)copy, cut,
						   ignored), 0);
		free(copy);
	}
	OPENSSL_free(der);
	return n;
}

/* RFC 5929 section 4.1: the signature's hash, SHA-256 for what is older. */
static void the_signature_chooses_the_hash(void **state)
{
	static const struct {
		const char	*key;
		const char	*digest;
		const EVP_MD	*(*md)(void);
	} rows[] = {
		{ "rsa", "MD5", EVP_sha256 }, { "rsa", "SHA1", EVP_sha256 },
		{ "rsa", "SHA224", EVP_sha224 },
		{ "rsa", "SHA256", EVP_sha256 },
		{ "rsa", "SHA384", EVP_sha384 },
		{ "rsa", "SHA512", EVP_sha512 },
		{ "p256", "SHA1", EVP_sha256 },
		{ "p256", "SHA224", EVP_sha224 },
		{ "p256", "SHA256", EVP_sha256 },
		{ "p384", "SHA384", EVP_sha384 },
		{ "p521", "SHA512", EVP_sha512 },
		{ "rsa-pss", "SHA1", EVP_sha256 },
		{ "rsa-pss", "SHA224", EVP_sha224 },
		{ "rsa-pss", "SHA256", EVP_sha256 },
		{ "rsa-pss", "SHA384", EVP_sha384 },
		{ "rsa-pss", "SHA512", EVP_sha512 },
	};
	uint8_t ours[SHA2_MAX], theirs[EVP_MAX_MD_SIZE];
	unsigned int len;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct pki_cert *cert = pki_issue(&(struct pki_spec){
			.key = rows[i].key, .digest = rows[i].digest,
			.name = "localhost" });

		assert_int_equal(X509_digest(cert->cert, rows[i].md(), theirs,
					     &len), 1);
		assert_int_equal(end_point(cert, ours), len);
		assert_memory_equal(ours, theirs, len);
		pki_free(cert);
	}
}

static void without_a_hash_there_is_none(void **state)
{
	static const char *const keys[] = { "ed25519", "ed448" };
	uint8_t out[SHA2_MAX];
	size_t i;

	(void)state;
	for (i = 0; i < 2; i++) {
		struct pki_cert *cert = pki_issue(&(struct pki_spec){
			.key = keys[i], .name = "localhost" });

		assert_int_equal(end_point(cert, out), 0);
		pki_free(cert);
	}
	assert_int_equal(binding_end_point((const uint8_t *)
			"\x30\x84\xff\xff\xff\xff\x30", 7, out), 0);
	assert_int_equal(binding_end_point((const uint8_t *)"\x30\x80\x30", 3,
					   out), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sha2_is_libcryptos_at_every_length),
		cmocka_unit_test(the_signature_chooses_the_hash),
		cmocka_unit_test(without_a_hash_there_is_none),
	};

	return cmocka_run_group_tests_name("channel bindings", tests, NULL,
					   NULL);
}
