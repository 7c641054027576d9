/* SPDX-License-Identifier: MIT */
/*
 * Key exchange groups (NamedGroup, RFC 8446 section 4.2.7). The interface is
 * that of a KEM: the client offers, the server answers, the client finishes.
 * A Diffie-Hellman group is the case in which both shares look alike.
 */
#ifndef SOCKTLS_ENGINE_GROUPS_H
#define SOCKTLS_ENGINE_GROUPS_H

#include <openssl/evp.h>

#include "engine/entropy.h"
#include "engine/wire.h"

#define GROUP_SECRET_MAX	512	/* ffdhe4096 */

enum group_kind {
	GROUP_MONTGOMERY,	/* RFC 7748 */
	GROUP_WEIERSTRASS,	/* RFC 8422: uncompressed points */
	GROUP_FINITE_FIELD,	/* RFC 7919 */
	GROUP_KEM,		/* hybrid with ML-KEM */
};

/**
 * struct group - a row per group
 * @code: IANA number
 * @name: IANA name
 * @kind: how keys and shares are made
 * @algorithm: libcrypto's name of the key type
 * @parameters: libcrypto's name of the group, or NULL
 * @client_share: bytes of the client's share
 * @server_share: bytes of the server's share
 */
struct group {
	uint16_t	code;
	const char	*name;
	enum group_kind	kind;
	const char	*algorithm;
	const char	*parameters;
	size_t		client_share;
	size_t		server_share;
};

/**
 * struct group_secret - a shared secret
 * @len: bytes in @data
 * @data: wiped by group_secret_wipe()
 */
struct group_secret {
	size_t	len;
	uint8_t	data[GROUP_SECRET_MAX];
};

/* NULL when unknown, or when this libcrypto lacks it. */
const struct group *group_find(uint16_t code);
const struct group *group_at(size_t index);
/* The number of a group, whether this libcrypto has it or not; 0: unknown. */
uint16_t group_code(const char *name);
/* May the group be used in a TLS 1.2 ECDHE suite? */
bool group_is_ecdhe(const struct group *group);

/* Client: make a key, write its share. NULL on failure. */
EVP_PKEY *group_offer(const struct group *group, const struct entropy *entropy,
		      struct writer *share);

/*
 * Server: answer @peer with @share and compute @secret. Returns 0, -EPROTO
 * when the peer's share is not valid, -EIO when libcrypto fails.
 */
int group_answer(const struct group *group, const struct entropy *entropy,
		 struct engine_bytes peer, struct writer *share,
		 struct group_secret *secret);

/* Client: the secret from the own @key and the server's share. As above. */
int group_finish(const struct group *group, EVP_PKEY *key,
		 struct engine_bytes peer, struct group_secret *secret);

/*
 * TLS 1.2 ServerKeyExchange and ClientKeyExchange: here the server offers, and
 * a finite-field share may come without its leading zeros.
 */
int group_answer12(const struct group *group, const struct entropy *entropy,
		   struct engine_bytes peer, struct writer *share,
		   struct group_secret *secret);
int group_finish12(const struct group *group, EVP_PKEY *key,
		   struct engine_bytes peer, struct group_secret *secret);
/* dh_p and dh_g of a finite-field group, as vectors. */
void group_write_parameters(const struct group *group, struct writer *w);
/* The RFC 7919 group with these parameters, 0: none. */
uint16_t group_by_parameters(struct engine_bytes p, struct engine_bytes g);
/* The group that is the curve of an EC key, 0: not an EC key or unknown. */
uint16_t group_of_curve(EVP_PKEY *key);

void group_secret_wipe(struct group_secret *secret);

#endif /* SOCKTLS_ENGINE_GROUPS_H */
