// SPDX-License-Identifier: MIT
#include "ticketkeys.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#define NAME_LEN	16
#define NONCE_LEN	12
#define KEY_LEN		32
#define TAG_LEN		16
#define HEAD_LEN	(NAME_LEN + NONCE_LEN)

_Static_assert(HEAD_LEN + TAG_LEN <= ENGINE_SEAL_OVERHEAD,
	       "a sealed ticket fits the room for it");

/**
 * struct key - a generation
 * @valid: there is one
 * @made: when
 * @name: tells which key sealed a ticket
 * @key: secret
 */
struct key {
	bool	valid;
	time_t	made;
	uint8_t	name[NAME_LEN];
	uint8_t	key[KEY_LEN];
};

/**
 * struct ticketkeys - two generations
 * @period: in seconds
 * @current: seals and opens
 * @previous: opens
 */
struct ticketkeys {
	uint32_t	period;
	struct key	current;
	struct key	previous;
};

static void wipe(struct key *key)
{
	OPENSSL_cleanse(key, sizeof(*key));
}

/* A clock that was set back makes no key older than it is. */
static bool is_older(const struct key *key, time_t now, uint64_t age)
{
	return key->valid && now > key->made &&
	       (uint64_t)(now - key->made) >= age;
}

void ticketkeys_expire(struct ticketkeys *keys, time_t now)
{
	const uint64_t period = keys->period;

	if (is_older(&keys->current, now, period)) {
		keys->previous = keys->current;
		wipe(&keys->current);
	}
	if (is_older(&keys->previous, now, 2 * period))
		wipe(&keys->previous);
}

static int make_key(struct key *key, time_t now)
{
	if (RAND_bytes(key->name, NAME_LEN) != 1 ||
	    RAND_priv_bytes(key->key, KEY_LEN) != 1)
		return -EIO;
	key->made = now;
	key->valid = true;
	return 0;
}

static bool encrypt(EVP_CIPHER_CTX *ctx, const struct key *key,
		    struct engine_bytes plain, uint8_t *sealed)
{
	uint8_t *nonce = sealed + NAME_LEN, *text = sealed + HEAD_LEN;
	int len = 0, last = 0;

	return EVP_EncryptInit_ex(ctx, EVP_aes_256_gcm(), NULL, key->key,
				  nonce) == 1 &&
	       EVP_EncryptUpdate(ctx, NULL, &len, sealed, NAME_LEN) == 1 &&
	       EVP_EncryptUpdate(ctx, text, &len, plain.data, plain.len) == 1 &&
	       EVP_EncryptFinal_ex(ctx, text + len, &last) == 1 &&
	       EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, TAG_LEN,
				   text + plain.len) == 1;
}

static int seal(void *arg, time_t now, struct engine_bytes plain,
		uint8_t *sealed, size_t *len)
{
	struct ticketkeys *keys = arg;
	EVP_CIPHER_CTX *ctx;
	int ret = -EIO;

	ticketkeys_expire(keys, now);
	if (!keys->current.valid && make_key(&keys->current, now))
		return -EIO;
	if (RAND_bytes(sealed + NAME_LEN, NONCE_LEN) != 1)
		return -EIO;
	memcpy(sealed, keys->current.name, NAME_LEN);
	ctx = EVP_CIPHER_CTX_new();
	if (!ctx)
		return -ENOMEM;
	if (encrypt(ctx, &keys->current, plain, sealed)) {
		*len = HEAD_LEN + plain.len + TAG_LEN;
		ret = 0;
	}
	EVP_CIPHER_CTX_free(ctx);
	return ret;
}

static const struct key *find_key(const struct ticketkeys *keys,
				  struct engine_bytes sealed)
{
	const struct key *both[] = { &keys->current, &keys->previous };
	size_t i;

	if (sealed.len < HEAD_LEN + TAG_LEN)
		return NULL;
	for (i = 0; i < 2; i++)
		if (both[i]->valid &&
		    !memcmp(both[i]->name, sealed.data, NAME_LEN))
			return both[i];
	return NULL;
}

static bool decrypt(EVP_CIPHER_CTX *ctx, const struct key *key,
		    struct engine_bytes sealed, uint8_t *plain, size_t plain_len)
{
	const uint8_t *text = sealed.data + HEAD_LEN;
	int len = 0, last = 0;

	return EVP_DecryptInit_ex(ctx, EVP_aes_256_gcm(), NULL, key->key,
				  sealed.data + NAME_LEN) == 1 &&
	       EVP_DecryptUpdate(ctx, NULL, &len, sealed.data, NAME_LEN) == 1 &&
	       EVP_DecryptUpdate(ctx, plain, &len, text, plain_len) == 1 &&
	       EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, TAG_LEN,
				   (void *)(text + plain_len)) == 1 &&
	       EVP_DecryptFinal_ex(ctx, plain + len, &last) == 1;
}

static int open_ticket(void *arg, time_t now, struct engine_bytes sealed,
		       uint8_t *plain, size_t *len)
{
	struct ticketkeys *keys = arg;
	const struct key *key;
	EVP_CIPHER_CTX *ctx;
	size_t plain_len;
	int ret = -EBADMSG;

	ticketkeys_expire(keys, now);
	key = find_key(keys, sealed);
	if (!key)
		return -EBADMSG;
	plain_len = sealed.len - HEAD_LEN - TAG_LEN;
	if (plain_len > *len)
		return -EBADMSG;
	ctx = EVP_CIPHER_CTX_new();
	if (!ctx)
		return -ENOMEM;
	if (decrypt(ctx, key, sealed, plain, plain_len)) {
		*len = plain_len;
		ret = 0;
	} else {
		OPENSSL_cleanse(plain, plain_len);
	}
	EVP_CIPHER_CTX_free(ctx);
	return ret;
}

const struct ticket_ops ticketkeys_ops = {
	.seal	= seal,
	.open	= open_ticket,
};

int ticketkeys_new(struct ticketkeys **keys, uint32_t period)
{
	struct ticketkeys *new = calloc(1, sizeof(*new));

	if (!new)
		return -ENOMEM;
	new->period = period;
	*keys = new;
	return 0;
}

void ticketkeys_free(struct ticketkeys *keys)
{
	if (!keys)
		return;
	OPENSSL_cleanse(keys, sizeof(*keys));
	free(keys);
}

void ticketkeys_set_period(struct ticketkeys *keys, uint32_t period)
{
	keys->period = period;
}
