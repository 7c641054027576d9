/* SPDX-License-Identifier: MIT */
#ifndef SOCKTLS_ENGINE_TRUST_H
#define SOCKTLS_ENGINE_TRUST_H

#include <stdatomic.h>

#include <openssl/x509.h>

#include "engine/wire.h"

#define PIN_LEN		32

/**
 * struct engine_trust - whom to trust
 * @references: count
 * @store: CA certificates and CRLs; empty when there are pins
 * @have_crl: some CRL is in @store, so revocation is checked
 * @names: subjects of the CAs, DistinguishedName each, with a 2-byte length
 * @pins: SHA-256 of SubjectPublicKeyInfo each
 * @n_pins: elements of @pins
 */
struct engine_trust {
	atomic_uint	references;
	X509_STORE	*store;
	bool		have_crl;
	struct writer	names;
	uint8_t		(*pins)[PIN_LEN];
	size_t		n_pins;
};

/* Is the key of @cert pinned? */
bool trust_pins(const struct engine_trust *trust, X509 *cert);

#endif /* SOCKTLS_ENGINE_TRUST_H */
