// SPDX-License-Identifier: MIT
#include "sessions.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include <openssl/crypto.h>
#include <openssl/rand.h>

#define N_BUCKETS	4096	/* a power of two */
#define KEY_MAX		32
#define KEY_WORDS	(KEY_MAX / sizeof(uint64_t))

/**
 * struct entry - a session
 * @in_bucket: newest first
 * @in_use: least recently used last
 * @kind: what @key is
 * @key_len: bytes in @key
 * @key: all of it
 * @expires: not found from then on
 * @len: of @value
 * @value: secret
 */
struct entry {
	LIST_ENTRY(entry)		in_bucket;
	TAILQ_ENTRY(entry)		in_use;
	enum engine_session_kind	kind;
	size_t				key_len;
	uint8_t				key[KEY_MAX];
	time_t				expires;
	size_t				len;
	uint8_t				value[];
};

LIST_HEAD(bucket, entry);
TAILQ_HEAD(use_list, entry);

struct sessions {
	const struct ticket_ops	*tickets;
	void			*tickets_arg;
	size_t			max_bytes;
	size_t			bytes;
	size_t			count;
	uint64_t		factors[KEY_WORDS];
	struct use_list		used;
	struct bucket		buckets[N_BUCKETS];
};

static size_t entry_size(size_t len)
{
	return sizeof(struct entry) + len;
}

/*
 * Multiplication by secret numbers: a server that makes one certificate after
 * the other shall not be able to fill a bucket.
 */
static struct bucket *bucket_of(struct sessions *sessions,
				struct engine_bytes key)
{
	uint64_t words[KEY_WORDS] = { 0 }, hash = 0;
	size_t i;

	memcpy(words, key.data, key.len < KEY_MAX ? key.len : KEY_MAX);
	for (i = 0; i < KEY_WORDS; i++)
		hash += (words[i] ^ words[i] >> 32) * sessions->factors[i];
	return &sessions->buckets[hash >> 32 & (N_BUCKETS - 1)];
}

static bool is_under(const struct entry *entry, enum engine_session_kind kind,
		     struct engine_bytes key)
{
	return entry->kind == kind && entry->key_len == key.len &&
	       !CRYPTO_memcmp(entry->key, key.data, key.len);
}

static void entry_remove(struct sessions *sessions, struct entry *entry)
{
	size_t size = entry_size(entry->len);

	LIST_REMOVE(entry, in_bucket);
	TAILQ_REMOVE(&sessions->used, entry, in_use);
	sessions->bytes -= size;
	sessions->count--;
	OPENSSL_cleanse(entry, size);
	free(entry);
}

/* All but the newest @keep under a key. */
static void remove_behind(struct sessions *sessions,
			  enum engine_session_kind kind,
			  struct engine_bytes key, unsigned int keep)
{
	struct entry *entry, *next;

	for (entry = LIST_FIRST(bucket_of(sessions, key)); entry;
	     entry = next) {
		next = LIST_NEXT(entry, in_bucket);
		if (!is_under(entry, kind, key))
			continue;
		if (keep)
			keep--;
		else
			entry_remove(sessions, entry);
	}
}

static void shrink(struct sessions *sessions)
{
	while (sessions->bytes > sessions->max_bytes)
		entry_remove(sessions, TAILQ_LAST(&sessions->used, use_list));
}

/*
 * The operations.
 */

static int add(void *arg, enum engine_session_kind kind,
	       struct engine_bytes key, struct engine_bytes value,
	       time_t expires)
{
	struct sessions *sessions = arg;
	size_t size = entry_size(value.len);
	struct entry *entry;

	if (key.len > KEY_MAX || size > sessions->max_bytes)
		return -E2BIG;
	entry = calloc(1, size);
	if (!entry)
		return -ENOMEM;
	entry->kind = kind;
	entry->key_len = key.len;
	memcpy(entry->key, key.data, key.len);
	entry->expires = expires;
	entry->len = value.len;
	memcpy(entry->value, value.data, value.len);
	remove_behind(sessions, kind, key, kind == ENGINE_SESSION_TICKET ?
		      SESSIONS_TICKETS_MAX - 1 : 0);
	LIST_INSERT_HEAD(bucket_of(sessions, key), entry, in_bucket);
	TAILQ_INSERT_HEAD(&sessions->used, entry, in_use);
	sessions->bytes += size;
	sessions->count++;
	shrink(sessions);
	return 0;
}

static struct entry *find_entry(struct sessions *sessions,
				enum engine_session_kind kind,
				struct engine_bytes key, time_t now)
{
	struct entry *entry, *next;

	for (entry = LIST_FIRST(bucket_of(sessions, key)); entry;
	     entry = next) {
		next = LIST_NEXT(entry, in_bucket);
		if (!is_under(entry, kind, key))
			continue;
		if (now < entry->expires)
			return entry;
		entry_remove(sessions, entry);
	}
	return NULL;
}

static int find(void *arg, enum engine_session_kind kind,
		struct engine_bytes key, time_t now, uint8_t *value,
		size_t *len)
{
	struct sessions *sessions = arg;
	struct entry *entry = find_entry(sessions, kind, key, now);

	if (!entry || entry->len > *len)
		return -ENOENT;
	memcpy(value, entry->value, entry->len);
	*len = entry->len;
	if (kind == ENGINE_SESSION_TICKET) {
		entry_remove(sessions, entry);
	} else {
		TAILQ_REMOVE(&sessions->used, entry, in_use);
		TAILQ_INSERT_HEAD(&sessions->used, entry, in_use);
	}
	return 0;
}

static void drop(void *arg, enum engine_session_kind kind,
		 struct engine_bytes key)
{
	remove_behind(arg, kind, key, 0);
}

static int seal(void *arg, time_t now, struct engine_bytes plain,
		uint8_t *sealed, size_t *len)
{
	struct sessions *sessions = arg;

	return sessions->tickets->seal(sessions->tickets_arg, now, plain,
				       sealed, len);
}

static int open_ticket(void *arg, time_t now, struct engine_bytes sealed,
		       uint8_t *plain, size_t *len)
{
	struct sessions *sessions = arg;

	return sessions->tickets->open(sessions->tickets_arg, now, sealed,
				       plain, len);
}

const struct engine_sessions sessions_ops = {
	.add	= add,
	.find	= find,
	.drop	= drop,
	.seal	= seal,
	.open	= open_ticket,
};

/*
 * Life.
 */

int sessions_new(struct sessions **sessions, size_t max_bytes,
		 const struct ticket_ops *tickets, void *arg)
{
	struct sessions *new = calloc(1, sizeof(*new));

	if (!new)
		return -ENOMEM;
	if (RAND_bytes((uint8_t *)new->factors, sizeof(new->factors)) != 1) {
		free(new);
		return -EIO;
	}
	new->max_bytes = max_bytes;
	new->tickets = tickets;
	new->tickets_arg = arg;
	TAILQ_INIT(&new->used);
	*sessions = new;
	return 0;
}

void sessions_free(struct sessions *sessions)
{
	if (!sessions)
		return;
	sessions_set_max(sessions, 0);
	free(sessions);
}

void sessions_set_max(struct sessions *sessions, size_t max_bytes)
{
	sessions->max_bytes = max_bytes;
	shrink(sessions);
}

void sessions_expire(struct sessions *sessions, time_t now)
{
	struct entry *entry, *next;

	for (entry = TAILQ_FIRST(&sessions->used); entry; entry = next) {
		next = TAILQ_NEXT(entry, in_use);
		if (entry->expires <= now)
			entry_remove(sessions, entry);
	}
}

size_t sessions_count(const struct sessions *sessions)
{
	return sessions->count;
}

size_t sessions_bytes(const struct sessions *sessions)
{
	return sessions->bytes;
}
