/* SPDX-License-Identifier: MIT */
/* The one table of cipher suites. */
#ifndef SOCKTLS_ENGINE_SUITES_H
#define SOCKTLS_ENGINE_SUITES_H

#include <openssl/evp.h>

#include "engine/engine.h"

enum suite_exchange {
	EXCHANGE_TLS13,		/* negotiated apart from the suite */
	EXCHANGE_RSA,
	EXCHANGE_DHE,
	EXCHANGE_ECDHE,
};

enum suite_auth {
	AUTH_TLS13,		/* negotiated apart from the suite */
	AUTH_RSA,
	AUTH_ECDSA,		/* and EdDSA, RFC 8422 section 5.10 */
};

/**
 * struct suite - a row per suite
 * @code: IANA number
 * @name: IANA name
 * @version: TLS12 or TLS13
 * @exchange: key exchange of TLS 1.2
 * @auth: certificate key of TLS 1.2
 * @cipher: the kernel's number for the record protection
 * @key_len: write key
 * @iv_len: the write IV that is derived (RFC 5288: 4, RFC 7905: 12)
 * @mac_len: MAC key, 0 for an AEAD
 * @md: hash of the PRF or of HKDF, and of the transcript
 */
struct suite {
	uint16_t		code;
	const char		*name;
	uint16_t		version;
	enum suite_exchange	exchange;
	enum suite_auth		auth;
	uint16_t		cipher;
	uint8_t			key_len;
	uint8_t			iv_len;
	uint8_t			mac_len;
	const EVP_MD		*(*md)(void);
};

/* NULL for an unknown number. */
const struct suite *suite_find(uint16_t code);
/* For tests and tools that go through all: NULL past the end. */
const struct suite *suite_at(size_t index);

#endif /* SOCKTLS_ENGINE_SUITES_H */
