// SPDX-License-Identifier: MIT
#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/mman.h>

#include <openssl/evp.h>
#include <openssl/rand.h>

#include "sessions.h"

#define SLOTS		64
#define KEY_MAX		64
#define NONCE		12
#define TAG		16

/**
 * struct slot - one session
 * @used: false: free
 * @age: higher is newer
 */
struct slot {
	bool				used;
	enum engine_session_kind	kind;
	uint64_t			age;
	time_t				expires;
	size_t				key_len;
	size_t				len;
	uint8_t				key[KEY_MAX];
	uint8_t				value[ENGINE_SESSION_MAX];
};

/* Shared by all processes: a server forks one for each connection. */
static struct store {
	pthread_mutex_t	lock;
	uint64_t	age;
	uint8_t		ticket_key[32];
	struct slot	slots[SLOTS];
} *store;

int sessions_init(void)
{
	pthread_mutexattr_t shared;

	store = mmap(NULL, sizeof(*store), PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (store == MAP_FAILED)
		return -1;
	pthread_mutexattr_init(&shared);
	pthread_mutexattr_setpshared(&shared, PTHREAD_PROCESS_SHARED);
	pthread_mutex_init(&store->lock, &shared);
	return RAND_bytes(store->ticket_key, sizeof(store->ticket_key)) == 1 ?
	       0 : -1;
}

static bool slot_is(const struct slot *slot, enum engine_session_kind kind,
		    struct engine_bytes key)
{
	return slot->used && slot->kind == kind && slot->key_len == key.len &&
	       !memcmp(slot->key, key.data, key.len);
}

/* The newest of them, or NULL. */
static struct slot *slot_find(enum engine_session_kind kind,
			      struct engine_bytes key)
{
	struct slot *found = NULL, *slot;

	for (slot = store->slots; slot < store->slots + SLOTS; slot++)
		if (slot_is(slot, kind, key) &&
		    (!found || slot->age > found->age))
			found = slot;
	return found;
}

/* A free one, or the oldest. */
static struct slot *slot_take(void)
{
	struct slot *found = store->slots, *slot;

	for (slot = store->slots; slot < store->slots + SLOTS; slot++) {
		if (!slot->used)
			return slot;
		if (slot->age < found->age)
			found = slot;
	}
	return found;
}

static int on_add(void *arg, enum engine_session_kind kind,
		  struct engine_bytes key, struct engine_bytes value,
		  time_t expires)
{
	struct slot *slot = NULL;

	(void)arg;
	if (key.len > KEY_MAX || value.len > ENGINE_SESSION_MAX)
		return -ENOSPC;
	pthread_mutex_lock(&store->lock);
	if (kind != ENGINE_SESSION_TICKET)
		slot = slot_find(kind, key);
	if (!slot)
		slot = slot_take();
	slot->used = true;
	slot->kind = kind;
	slot->age = ++store->age;
	slot->expires = expires;
	slot->key_len = key.len;
	slot->len = value.len;
	memcpy(slot->key, key.data, key.len);
	memcpy(slot->value, value.data, value.len);
	pthread_mutex_unlock(&store->lock);
	return 0;
}

static int on_find(void *arg, enum engine_session_kind kind,
		   struct engine_bytes key, time_t now, uint8_t *value,
		   size_t *len)
{
	struct slot *slot;
	int ret = -ENOENT;

	(void)arg;
	pthread_mutex_lock(&store->lock);
	slot = slot_find(kind, key);
	if (slot && slot->expires > now && slot->len <= *len) {
		memcpy(value, slot->value, slot->len);
		*len = slot->len;
		slot->used = kind != ENGINE_SESSION_TICKET;
		ret = 0;
	}
	pthread_mutex_unlock(&store->lock);
	return ret;
}

static void on_drop(void *arg, enum engine_session_kind kind,
		    struct engine_bytes key)
{
	struct slot *slot;

	(void)arg;
	pthread_mutex_lock(&store->lock);
	while ((slot = slot_find(kind, key)))
		slot->used = false;
	pthread_mutex_unlock(&store->lock);
}

/* Nonce, ciphertext, tag. */
static int on_seal(void *arg, time_t now, struct engine_bytes plain,
		   uint8_t *sealed, size_t *len)
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	uint8_t *out = sealed + NONCE;
	int n, good;

	(void)arg;
	(void)now;
	good = RAND_bytes(sealed, NONCE) == 1 &&
	       EVP_EncryptInit_ex(ctx, EVP_aes_256_gcm(), NULL,
				  store->ticket_key, sealed) == 1 &&
	       EVP_EncryptUpdate(ctx, out, &n, plain.data, plain.len) == 1 &&
	       EVP_EncryptFinal_ex(ctx, out + n, &n) == 1 &&
	       EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, TAG,
				   out + plain.len) == 1;
	EVP_CIPHER_CTX_free(ctx);
	*len = NONCE + plain.len + TAG;
	return good ? 0 : -EIO;
}

static int on_open(void *arg, time_t now, struct engine_bytes sealed,
		   uint8_t *plain, size_t *len)
{
	EVP_CIPHER_CTX *ctx;
	uint8_t tag[TAG];
	int n, good;

	(void)arg;
	(void)now;
	if (sealed.len < NONCE + TAG || sealed.len - NONCE - TAG > *len)
		return -EBADMSG;
	*len = sealed.len - NONCE - TAG;
	memcpy(tag, sealed.data + NONCE + *len, TAG);
	ctx = EVP_CIPHER_CTX_new();
	good = EVP_DecryptInit_ex(ctx, EVP_aes_256_gcm(), NULL,
				  store->ticket_key, sealed.data) == 1 &&
	       EVP_DecryptUpdate(ctx, plain, &n, sealed.data + NONCE, *len) ==
		       1 &&
	       EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, TAG, tag) ==
		       1 &&
	       EVP_DecryptFinal_ex(ctx, plain + n, &n) == 1;
	EVP_CIPHER_CTX_free(ctx);
	return good ? 0 : -EBADMSG;
}

const struct engine_sessions sessions_ops = {
	.add	= on_add,
	.find	= on_find,
	.drop	= on_drop,
	.seal	= on_seal,
	.open	= on_open,
};
