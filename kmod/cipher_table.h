/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * The table of record protections: rows for cipher.c, and for the test that
 * holds the engine's suites against them. No include guard: whoever includes it
 * defines the two macros first.
 *
 * CIPHER_AEAD(type, name, crypto API name, key size, salt size, size of the
 *	explicit nonce, tag size, is it CCM, versions, record limit)
 * CIPHER_CBC(type, name, key size, crypto API name of the hash, MAC size, size
 *	of the hash's block)
 *
 * LIMIT_ is 2^24.5 for GCM (RFC 8446 section 5.5), 2^23 for CCM (RFC 9147
 * appendix B.1): records of full size under one key. SM4 has AES's block size,
 * so the same bounds hold. CCM_8 and ARIA have no suite of TLS 1.3 here.
 */
CIPHER_AEAD(TLS_CIPHER_AES_GCM_128, "AES-128-GCM", "gcm(aes)",
	    16, 4, 8, 16, false, BOTH, LIMIT_GCM)
CIPHER_AEAD(TLS_CIPHER_AES_GCM_256, "AES-256-GCM", "gcm(aes)",
	    32, 4, 8, 16, false, BOTH, LIMIT_GCM)
CIPHER_AEAD(TLS_CIPHER_CHACHA20_POLY1305, "ChaCha20-Poly1305",
	    "rfc7539(chacha20,poly1305)", 32, 12, 0, 16, false, BOTH,
	    LIMIT_NONE)
CIPHER_AEAD(TLS_CIPHER_AES_CCM_128, "AES-128-CCM", "ccm(aes)",
	    16, 4, 8, 16, true, BOTH, LIMIT_CCM)
CIPHER_AEAD(SOCKTLS_CIPHER_AES_256_CCM, "AES-256-CCM", "ccm(aes)",
	    32, 4, 8, 16, true, ONLY_12, LIMIT_CCM)
CIPHER_AEAD(SOCKTLS_CIPHER_AES_128_CCM_8, "AES-128-CCM-8", "ccm(aes)",
	    16, 4, 8, 8, true, ONLY_12, LIMIT_CCM)
CIPHER_AEAD(SOCKTLS_CIPHER_AES_256_CCM_8, "AES-256-CCM-8", "ccm(aes)",
	    32, 4, 8, 8, true, ONLY_12, LIMIT_CCM)
CIPHER_AEAD(TLS_CIPHER_SM4_GCM, "SM4-GCM", "gcm(sm4)",
	    16, 4, 8, 16, false, BOTH, LIMIT_GCM)
CIPHER_AEAD(TLS_CIPHER_SM4_CCM, "SM4-CCM", "ccm(sm4)",
	    16, 4, 8, 16, true, BOTH, LIMIT_CCM)
CIPHER_AEAD(TLS_CIPHER_ARIA_GCM_128, "ARIA-128-GCM", "gcm(aria)",
	    16, 4, 8, 16, false, ONLY_12, LIMIT_GCM)
CIPHER_AEAD(TLS_CIPHER_ARIA_GCM_256, "ARIA-256-GCM", "gcm(aria)",
	    32, 4, 8, 16, false, ONLY_12, LIMIT_GCM)
CIPHER_CBC(SOCKTLS_CIPHER_AES_128_CBC_HMAC_SHA1, "AES-128-CBC-SHA1",
	   16, "sha1", 20, 64)
CIPHER_CBC(SOCKTLS_CIPHER_AES_256_CBC_HMAC_SHA1, "AES-256-CBC-SHA1",
	   32, "sha1", 20, 64)
CIPHER_CBC(SOCKTLS_CIPHER_AES_128_CBC_HMAC_SHA256, "AES-128-CBC-SHA256",
	   16, "sha256", 32, 64)
CIPHER_CBC(SOCKTLS_CIPHER_AES_256_CBC_HMAC_SHA256, "AES-256-CBC-SHA256",
	   32, "sha256", 32, 64)
CIPHER_CBC(SOCKTLS_CIPHER_AES_256_CBC_HMAC_SHA384, "AES-256-CBC-SHA384",
	   32, "sha384", 48, 128)
