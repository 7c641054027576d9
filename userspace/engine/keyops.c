// SPDX-License-Identifier: MIT
/* Private key operations in this process. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>

#include "engine/identity.h"
#include "engine/pem.h"
#include "engine/protocol.h"
#include "engine/sigalgs.h"

static int local_sign(void *key, uint16_t scheme, struct engine_bytes in,
		      uint8_t *out, size_t *out_len)
{
	const struct sigalg *alg = sigalg_find(scheme);

	if (!alg)
		return -EINVAL;
	return sigalg_sign(alg, key, in, out, out_len);
}

/*
 * libcrypto's TLS padding mode does the whole of RFC 5246 section 7.4.7.1 in
 * constant time: it yields random bytes on a fault of padding or version. What
 * can still fail is public: a ciphertext of the wrong length, or one that is
 * not below the modulus. That gets random bytes here.
 */
static bool decrypt_with_tls_padding(EVP_PKEY *key, unsigned int version,
				     struct engine_bytes in,
				     uint8_t premaster[PREMASTER_LEN])
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
	size_t len = PREMASTER_LEN;
	OSSL_PARAM params[2];
	bool good;

	params[0] = OSSL_PARAM_construct_uint(
			OSSL_ASYM_CIPHER_PARAM_TLS_CLIENT_VERSION, &version);
	params[1] = OSSL_PARAM_construct_end();
	good = ctx && EVP_PKEY_decrypt_init(ctx) == 1 &&
	       EVP_PKEY_CTX_set_rsa_padding(ctx,
					    RSA_PKCS1_WITH_TLS_PADDING) == 1 &&
	       EVP_PKEY_CTX_set_params(ctx, params) == 1 &&
	       EVP_PKEY_decrypt(ctx, premaster, &len, in.data, in.len) == 1 &&
	       len == PREMASTER_LEN;
	EVP_PKEY_CTX_free(ctx);
	ERR_clear_error();
	return good;
}

static int local_decrypt(void *key, uint16_t client_version,
			 struct engine_bytes in,
			 uint8_t premaster[PREMASTER_LEN])
{
	uint8_t substitute[PREMASTER_LEN];
	int ret = 0;

	/* Made in every case, before the outcome is known. */
	if (RAND_bytes(substitute, sizeof(substitute)) != 1)
		return -EIO;
	if (!decrypt_with_tls_padding(key, client_version, in, premaster))
		memcpy(premaster, substitute, PREMASTER_LEN);
	OPENSSL_cleanse(substitute, sizeof(substitute));
	return ret;
}

const struct engine_keyops engine_local_keyops = {
	.sign		= local_sign,
	.decrypt	= local_decrypt,
};

int engine_local_key_new(void **key, struct engine_bytes key_pem,
			 char *error_text, size_t error_len)
{
	BIO *bio = BIO_new_mem_buf(key_pem.len ? (const void *)key_pem.data
					       : "", key_pem.len);
	bool encrypted = false;

	if (!bio)
		return -ENOMEM;
	*key = PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, &encrypted);
	BIO_free(bio);
	ERR_clear_error();
	if (*key)
		return 0;
	snprintf(error_text, error_len, encrypted ?
		 "the private key is encrypted: store it without a passphrase" :
		 "no PEM private key of a supported kind in the key file");
	return -EINVAL;
}

void engine_local_key_free(void *key)
{
	EVP_PKEY_free(key);
}

bool engine_local_key_matches(void *key, struct engine_identity *identity)
{
	return EVP_PKEY_eq(key, X509_get0_pubkey(identity_leaf(identity))) == 1;
}
