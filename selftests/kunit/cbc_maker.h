/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Records made without kmod/cbc.c, so that a test can make wrong ones, too: the
 * kernel's own hmac() for the MAC, padding as the test wants it.
 */
#ifndef CBC_MAKER_H
#define CBC_MAKER_H

#include <linux/types.h>

#include "cbc.h"

/* Room for the longest fragment, and for some that are too long */
#define CBC_BUF_SIZE	(SOCKTLS_CBC_MAX_FRAGMENT + 256)

struct kunit;

/**
 * struct cbc_maker - keys, and room for a record
 * @desc: the algorithms, by the crypto API's own names
 * @encrypt_then_mac: RFC 7366
 * @buf: the fragment in the making, CBC_BUF_SIZE bytes
 */
struct cbc_maker {
	const struct socktls_cbc_desc *desc;
	bool encrypt_then_mac;
	struct crypto_sync_skcipher *cipher;
	struct crypto_shash *hmac;
	u8 key[32];
	u8 mac_key[SOCKTLS_CBC_MAX_MAC];
	u8 *buf;
};

#define CBC_SEQ		0x0102030405060708ULL
#define CBC_TYPE	23
#define CBC_VERSION	0x0303

void cbc_maker_init(struct kunit *test, struct cbc_maker *maker,
		    const struct socktls_cbc_desc *desc,
		    bool encrypt_then_mac);
void cbc_maker_exit(struct cbc_maker *maker);

/*
 * cbc_make_clear(): IV, pattern, MAC if it is to be encrypted, @padding bytes
 * of padding and the byte that says so; returns the fragment's length without
 * encrypt-then-MAC's MAC. cbc_make_sealed(): encrypts it, and appends that MAC;
 * returns the fragment's length. A test may change the buffer in between.
 */
u32 cbc_make_clear(struct kunit *test, struct cbc_maker *maker,
		   u32 plaintext_len, u32 padding);
u32 cbc_make_sealed(struct kunit *test, struct cbc_maker *maker, u32 len);

/* Padding of a @plaintext_len that ends on a block, at least */
u32 cbc_least_padding(const struct cbc_maker *maker, u32 plaintext_len);

u8 cbc_pattern(u32 pos);

#endif
