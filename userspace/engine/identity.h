/* SPDX-License-Identifier: MIT */
#ifndef SOCKTLS_ENGINE_IDENTITY_H
#define SOCKTLS_ENGINE_IDENTITY_H

#include <stdatomic.h>

#include <openssl/ocsp.h>
#include <openssl/x509.h>

#include "engine/engine.h"
#include "engine/suites.h"
#include "engine/wire.h"

/**
 * struct engine_identity - a certificate chain and the way to its key
 * @references: count
 * @chain: certificates, leaf first
 * @der: the same, encoded
 * @n: elements of both
 * @ops: operations with the private key
 * @key: for @ops, not owned
 * @staple: OCSP response, or NULL
 * @staple_der: the same, encoded
 */
struct engine_identity {
	atomic_uint		references;
	X509			**chain;
	struct engine_bytes	*der;
	size_t			n;
	const struct engine_keyops *ops;
	void			*key;
	OCSP_BASICRESP		*staple;
	struct writer		staple_der;
};

static inline X509 *identity_leaf(const struct engine_identity *identity)
{
	return identity->chain[0];
}

/*
 * The scheme with which @identity signs for a peer that accepts @theirs
 * (uint16 each) when we allow @ours; 0: none.
 */
uint16_t identity_scheme(const struct engine_identity *identity,
			 const uint16_t *ours, size_t n,
			 struct engine_bytes theirs, uint16_t version);
/* May the key decrypt a pre-master secret (RSA, key usage)? */
bool identity_decrypts(const struct engine_identity *identity);
/*
 * Are the signatures in the chain, but for those of roots, of @schemes (uint16
 * each)? Empty: any will do. RFC 8446 sections 4.2.3 and 4.4.2.2.
 */
bool identity_chain_fits(const struct engine_identity *identity,
			 struct engine_bytes schemes);
/* Does one of its certificates come from one of @authorities? */
bool identity_issued_by(const struct engine_identity *identity,
			struct engine_bytes authorities);
enum suite_auth identity_auth(const struct engine_identity *identity);

enum identity_match {
	MATCH_NONE,
	MATCH_WILDCARD,
	MATCH_EXACT,
};

/* How the leaf certificate names @host. */
enum identity_match identity_names(const struct engine_identity *identity,
				   struct engine_bytes host);

#endif /* SOCKTLS_ENGINE_IDENTITY_H */
