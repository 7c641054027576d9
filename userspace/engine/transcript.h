/* SPDX-License-Identifier: MIT */
/* The transcript of handshake messages and its hash (RFC 8446 section 4.4.1). */
#ifndef SOCKTLS_ENGINE_TRANSCRIPT_H
#define SOCKTLS_ENGINE_TRANSCRIPT_H

#include <openssl/evp.h>

#include "engine/wire.h"

#define HASH_MAX	64

/**
 * struct transcript - the messages so far
 * @raw: their bytes; until the hash is known, and in TLS 1.2 longer: a client's
 *	CertificateVerify signs the messages under a hash of its own
 * @keep_raw: still needed
 * @ctx: running hash, NULL until transcript_set_hash()
 */
struct transcript {
	struct writer	raw;
	bool		keep_raw;
	EVP_MD_CTX	*ctx;
};

/* A hash value. */
struct digest {
	size_t	len;
	uint8_t	data[HASH_MAX];
};

void transcript_init(struct transcript *t);
void transcript_free(struct transcript *t);
/* The calls below return 0, -ENOMEM or -EIO. */
int transcript_add(struct transcript *t, struct engine_bytes message);
int transcript_set_hash(struct transcript *t, const EVP_MD *md);
/* HelloRetryRequest: what was heard becomes one message_hash message. */
int transcript_restart(struct transcript *t);
/* Of @before and @after joined, apart from any transcript. */
int transcript_hash_of(const EVP_MD *md, struct engine_bytes before,
		       struct engine_bytes after, struct digest *digest);
int transcript_hash(const struct transcript *t, struct digest *digest);
/* The raw messages are not needed any more. */
void transcript_drop_raw(struct transcript *t);

static inline struct engine_bytes digest_view(const struct digest *digest)
{
	return bytes_of(digest->data, digest->len);
}

#endif /* SOCKTLS_ENGINE_TRANSCRIPT_H */
