// SPDX-License-Identifier: MIT
#include <errno.h>
#include <pthread.h>
#include <string.h>

#include <openssl/core_names.h>

#include "engine/kdf.h"

#define HKDF_BLOCKS_MAX	255	/* RFC 5869 section 2.3 */

static EVP_MAC *hmac;
static pthread_once_t hmac_once = PTHREAD_ONCE_INIT;

static void hmac_fetch(void)
{
	hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
}

int kdf_hmac(const EVP_MD *md, struct engine_bytes key,
	     const struct engine_bytes *parts, size_t n, uint8_t *out)
{
	static const uint8_t empty;
	EVP_MAC_CTX *ctx;
	OSSL_PARAM params[2];
	size_t i, len;
	int ret = -EIO;

	pthread_once(&hmac_once, hmac_fetch);
	ctx = EVP_MAC_CTX_new(hmac);
	params[0] = OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST,
					(char *)EVP_MD_get0_name(md), 0);
	params[1] = OSSL_PARAM_construct_end();
	/* A NULL key would mean "as before" to libcrypto. */
	if (!ctx || EVP_MAC_init(ctx, key.len ? key.data : &empty, key.len,
				 params) != 1)
		goto out;
	for (i = 0; i < n; i++)
		if (EVP_MAC_update(ctx, parts[i].data, parts[i].len) != 1)
			goto out;
	if (EVP_MAC_final(ctx, out, &len, EVP_MD_get_size(md)) == 1)
		ret = 0;
out:
	EVP_MAC_CTX_free(ctx);
	return ret;
}

int kdf_extract(const EVP_MD *md, struct engine_bytes salt,
		struct engine_bytes ikm, uint8_t *prk)
{
	return kdf_hmac(md, salt, &ikm, 1, prk);
}

int kdf_expand(const EVP_MD *md, struct engine_bytes prk,
	       struct engine_bytes info, uint8_t *out, size_t len)
{
	size_t hash_len = EVP_MD_get_size(md);
	uint8_t block[HASH_MAX];
	uint8_t counter = 0;
	struct engine_bytes parts[] = {
		{ .data = block, .len = 0 }, info,
		{ .data = &counter, .len = 1 },
	};
	int ret = 0;

	if (len > HKDF_BLOCKS_MAX * hash_len)
		return -EIO;
	while (len && !ret) {
		size_t n = len < hash_len ? len : hash_len;

		counter++;
		ret = kdf_hmac(md, prk, parts, 3, block);
		parts[0].len = hash_len;
		memcpy(out, block, n);
		out += n;
		len -= n;
	}
	OPENSSL_cleanse(block, sizeof(block));
	return ret;
}

int kdf_expand_label(const EVP_MD *md, struct engine_bytes secret,
		     const char *label, struct engine_bytes context,
		     uint8_t *out, size_t len)
{
	struct writer info = { 0 };
	size_t mark;
	int ret = -EIO;

	writer_u16(&info, len);
	mark = writer_open(&info, 1);
	writer_bytes(&info, bytes_of("tls13 ", 6));
	writer_bytes(&info, bytes_of(label, strlen(label)));
	writer_close(&info, mark, 1);
	writer_vector(&info, 1, context);
	if (!info.bad)
		ret = kdf_expand(md, secret, writer_view(&info), out, len);
	writer_free(&info);
	return ret;
}

/*
 * P_hash of RFC 5246 section 5, with seed = label + seed1 + seed2:
 * A(0) = seed, A(i) = HMAC(secret, A(i-1)), output HMAC(secret, A(i) + seed).
 */
int kdf_prf(const EVP_MD *md, struct engine_bytes secret, const char *label,
	    struct engine_bytes seed1, struct engine_bytes seed2,
	    uint8_t *out, size_t len)
{
	size_t hash_len = EVP_MD_get_size(md);
	uint8_t a[HASH_MAX], block[HASH_MAX];
	struct engine_bytes parts[] = {
		{ .data = a, .len = hash_len },
		{ .data = (const uint8_t *)label, .len = strlen(label) },
		seed1, seed2,
	};
	int ret;

	ret = kdf_hmac(md, secret, parts + 1, 3, a);
	while (len && !ret) {
		size_t n = len < hash_len ? len : hash_len;

		ret = kdf_hmac(md, secret, parts, 4, block);
		if (ret)
			break;
		memcpy(out, block, n);
		out += n;
		len -= n;
		ret = kdf_hmac(md, secret, parts, 1, a);
	}
	OPENSSL_cleanse(a, sizeof(a));
	OPENSSL_cleanse(block, sizeof(block));
	return ret;
}
