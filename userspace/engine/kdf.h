/* SPDX-License-Identifier: MIT */
/* HMAC, HKDF (RFC 5869) and the PRF of TLS 1.2 (RFC 5246 section 5). */
#ifndef SOCKTLS_ENGINE_KDF_H
#define SOCKTLS_ENGINE_KDF_H

#include <openssl/evp.h>

#include "engine/transcript.h"
#include "engine/wire.h"

/* All return 0 or -EIO when libcrypto fails. */

/* HMAC over the concatenation of @n parts; @out has room for the hash. */
int kdf_hmac(const EVP_MD *md, struct engine_bytes key,
	     const struct engine_bytes *parts, size_t n, uint8_t *out);
int kdf_extract(const EVP_MD *md, struct engine_bytes salt,
		struct engine_bytes ikm, uint8_t *prk);
int kdf_expand(const EVP_MD *md, struct engine_bytes prk,
	       struct engine_bytes info, uint8_t *out, size_t len);
/* RFC 8446 section 7.1; @label without "tls13 ". */
int kdf_expand_label(const EVP_MD *md, struct engine_bytes secret,
		     const char *label, struct engine_bytes context,
		     uint8_t *out, size_t len);
/* @seed1 and @seed2 are concatenated. */
int kdf_prf(const EVP_MD *md, struct engine_bytes secret, const char *label,
	    struct engine_bytes seed1, struct engine_bytes seed2,
	    uint8_t *out, size_t len);

#endif /* SOCKTLS_ENGINE_KDF_H */
