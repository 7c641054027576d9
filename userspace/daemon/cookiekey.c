// SPDX-License-Identifier: MIT
#include "cookiekey.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include <linux/socktls_netlink.h>

#define NUMBER_LEN	8
#define NONCE_LEN	12
#define KEY_LEN		32
#define TAG_LEN		16

_Static_assert(NUMBER_LEN + TAG_LEN == COOKIE_SEAL_OVERHEAD,
	       "what a seal adds");

/**
 * struct cookiekey - the key
 * @sealed: cookies so far; the next one's number
 * @key: secret
 */
struct cookiekey {
	uint64_t	sealed;
	uint8_t		key[KEY_LEN];
};

static void put_u64(uint8_t *to, uint64_t value)
{
	for (int i = 7; i >= 0; i--, value >>= 8)
		to[i] = value;
}

/**
 * struct envelope - what goes into the cipher beside key and text
 * @nonce: zeros and the cookie's number
 * @id: associated data
 */
struct envelope {
	uint8_t	nonce[NONCE_LEN];
	uint8_t	id[8];
};

static struct envelope envelope_of(const uint8_t *number, uint64_t id)
{
	struct envelope envelope = { 0 };

	memcpy(envelope.nonce + NONCE_LEN - NUMBER_LEN, number, NUMBER_LEN);
	put_u64(envelope.id, id);
	return envelope;
}

static bool encrypt(EVP_CIPHER_CTX *ctx, const uint8_t *key,
		    const struct envelope *envelope, struct engine_bytes plain,
		    uint8_t *text)
{
	int len = 0, last = 0;

	return EVP_EncryptInit_ex(ctx, EVP_aes_256_gcm(), NULL, key,
				  envelope->nonce) == 1 &&
	       EVP_EncryptUpdate(ctx, NULL, &len, envelope->id,
				 sizeof(envelope->id)) == 1 &&
	       EVP_EncryptUpdate(ctx, text, &len, plain.data, plain.len) == 1 &&
	       EVP_EncryptFinal_ex(ctx, text + len, &last) == 1 &&
	       EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, TAG_LEN,
				   text + plain.len) == 1;
}

static bool decrypt(EVP_CIPHER_CTX *ctx, const uint8_t *key,
		    const struct envelope *envelope, const uint8_t *text,
		    size_t text_len, uint8_t *plain)
{
	int len = 0, last = 0;

	return EVP_DecryptInit_ex(ctx, EVP_aes_256_gcm(), NULL, key,
				  envelope->nonce) == 1 &&
	       EVP_DecryptUpdate(ctx, NULL, &len, envelope->id,
				 sizeof(envelope->id)) == 1 &&
	       EVP_DecryptUpdate(ctx, plain, &len, text, text_len) == 1 &&
	       EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, TAG_LEN,
				   (void *)(text + text_len)) == 1 &&
	       EVP_DecryptFinal_ex(ctx, plain + len, &last) == 1;
}

int cookiekey_seal(struct cookiekey *key, uint64_t id,
		   struct engine_bytes plain, uint8_t *sealed, size_t *len)
{
	struct envelope envelope;
	EVP_CIPHER_CTX *ctx;
	int ret = -EIO;

	if (plain.len > SOCKTLS_COOKIE_MAX - COOKIE_SEAL_OVERHEAD)
		return -E2BIG;
	ctx = EVP_CIPHER_CTX_new();
	if (!ctx)
		return -ENOMEM;
	put_u64(sealed, key->sealed++);
	envelope = envelope_of(sealed, id);
	if (encrypt(ctx, key->key, &envelope, plain, sealed + NUMBER_LEN)) {
		*len = plain.len + COOKIE_SEAL_OVERHEAD;
		ret = 0;
	}
	EVP_CIPHER_CTX_free(ctx);
	return ret;
}

int cookiekey_open(const struct cookiekey *key, uint64_t id,
		   struct engine_bytes sealed, uint8_t *plain, size_t *len)
{
	size_t text_len = sealed.len - COOKIE_SEAL_OVERHEAD;
	struct envelope envelope;
	EVP_CIPHER_CTX *ctx;
	int ret = -ESTALE;

	if (sealed.len < COOKIE_SEAL_OVERHEAD ||
	    sealed.len > SOCKTLS_COOKIE_MAX)
		return -ESTALE;
	ctx = EVP_CIPHER_CTX_new();
	if (!ctx)
		return -ENOMEM;
	envelope = envelope_of(sealed.data, id);
	if (decrypt(ctx, key->key, &envelope, sealed.data + NUMBER_LEN,
		    text_len, plain)) {
		*len = text_len;
		ret = 0;
	} else {
		OPENSSL_cleanse(plain, text_len);
	}
	EVP_CIPHER_CTX_free(ctx);
	return ret;
}

int cookiekey_new(struct cookiekey **key)
{
	struct cookiekey *new = calloc(1, sizeof(*new));

	if (!new)
		return -ENOMEM;
	if (RAND_priv_bytes(new->key, KEY_LEN) != 1) {
		free(new);
		return -EIO;
	}
	*key = new;
	return 0;
}

void cookiekey_free(struct cookiekey *key)
{
	if (!key)
		return;
	OPENSSL_cleanse(key, sizeof(*key));
	free(key);
}
