/* SPDX-License-Identifier: GPL-2.0 */
/*
 * TLS 1.2 records of block ciphers with MAC keys (RFC 5246 section 6.2.3.2),
 * MAC-then-encrypt and encrypt-then-MAC (RFC 7366).
 */
#ifndef _SOCKTLS_CBC_H
#define _SOCKTLS_CBC_H

#include <linux/types.h>

/* RFC 5246 section 6.2.3: a fragment on the wire is at most 2^14 + 2048 bytes */
#define SOCKTLS_CBC_MAX_PLAINTEXT	16384
#define SOCKTLS_CBC_MAX_FRAGMENT	(SOCKTLS_CBC_MAX_PLAINTEXT + 2048)

#define SOCKTLS_CBC_MAX_BLOCK		16
#define SOCKTLS_CBC_MAX_MAC		48
#define SOCKTLS_CBC_MAX_HASH_BLOCK	128

struct socktls_cbc;

/**
 * struct socktls_cbc_desc - a block cipher and the hash of its HMAC
 * @cipher: the crypto API's name of the cipher, as "cbc(aes)"
 * @hash: the crypto API's name of the bare hash, as "sha256"; a hash of the
 *	SHA-1 and SHA-2 families
 * @key_size: bytes of a write key
 * @mac_size: bytes of a MAC, and of a MAC key
 * @block_size: bytes of the cipher's block, and of the IV in each record
 * @hash_block_size: bytes of the hash's block: 64, or 128 for hashes of 64-bit
 *	words
 */
struct socktls_cbc_desc {
	const char *cipher;
	const char *hash;
	u8 key_size;
	u8 mac_size;
	u8 block_size;
	u8 hash_block_size;
};

struct socktls_cbc * __must_check
socktls_cbc_new(const struct socktls_cbc_desc *desc, const u8 *key,
		const u8 *mac_key, bool encrypt_then_mac);
void socktls_cbc_free(struct socktls_cbc *cbc);

u32 socktls_cbc_fragment_len(const struct socktls_cbc *cbc, u32 plaintext_len);
u32 socktls_cbc_min_fragment(const struct socktls_cbc *cbc);

int __must_check socktls_cbc_seal(struct socktls_cbc *cbc, u64 seq, u8 type,
				  u16 version, u8 *buf, u32 plaintext_len,
				  u32 *fragment_len);
int __must_check socktls_cbc_open(struct socktls_cbc *cbc, u64 seq, u8 type,
				  u16 version, u8 *buf, u32 fragment_len,
				  u32 *plaintext_off, u32 *plaintext_len);

#endif
