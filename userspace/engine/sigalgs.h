/* SPDX-License-Identifier: MIT */
/* Signature schemes (RFC 8446 section 4.2.3), one table for both versions. */
#ifndef SOCKTLS_ENGINE_SIGALGS_H
#define SOCKTLS_ENGINE_SIGALGS_H

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "engine/wire.h"

#define SIGNATURE_MAX	1024	/* RSA of 8192 bits */

/**
 * struct sigalg - a row per SignatureScheme
 * @scheme: code point; in TLS 1.2 the pair of hash and signature
 * @name: IANA name
 * @key: libcrypto's name of the key type
 * @md: hash, NULL for EdDSA
 * @curve: TLS 1.3 ties an ECDSA scheme to a curve; libcrypto's name
 * @pss: RSASSA-PSS with a salt as long as the hash
 * @tls13: may sign a TLS 1.3 handshake (section 4.2.3)
 */
struct sigalg {
	uint16_t	scheme;
	const char	*name;
	const char	*key;
	const EVP_MD	*(*md)(void);
	const char	*curve;
	bool		pss;
	bool		tls13;
};

const struct sigalg *sigalg_find(uint16_t scheme);
const struct sigalg *sigalg_at(size_t index);
/* Can @key (public or private) make signatures of @alg under @version? */
bool sigalg_fits(const struct sigalg *alg, EVP_PKEY *key, uint16_t version);
bool sigalg_verify(const struct sigalg *alg, EVP_PKEY *key,
		   struct engine_bytes message, struct engine_bytes signature);
/* Returns 0, -EIO when libcrypto fails, -ENOSPC when *@out_len is too small. */
int sigalg_sign(const struct sigalg *alg, EVP_PKEY *key,
		struct engine_bytes message, uint8_t *out, size_t *out_len);

/*
 * Is @cert signed by a scheme of @list (uint16 each)? @issuer is the key that
 * did it, NULL: unknown. Of ECDSA the hash counts, not the curve: authorities
 * combine them as they like.
 */
bool sigalgs_signed(struct engine_bytes list, X509 *cert, EVP_PKEY *issuer);

/* The schemes of certificates that are verified, @n of them at @list. */
#define SIGALGS_CERT_MAX	32

size_t sigalgs_of_certificates(int security_level,
			       uint16_t list[SIGALGS_CERT_MAX]);

#endif /* SOCKTLS_ENGINE_SIGALGS_H */
