// SPDX-License-Identifier: GPL-2.0
#include <crypto/hash.h>
#include <crypto/skcipher.h>
#include <kunit/test.h>
#include <linux/random.h>
#include <linux/scatterlist.h>

#include "cbc_maker.h"

u8 cbc_pattern(u32 pos)
{
	return pos * 7 + (pos >> 8);
}

void cbc_maker_init(struct kunit *test, struct cbc_maker *maker,
		    const struct socktls_cbc_desc *desc, bool encrypt_then_mac)
{
	char name[32];

	maker->desc = desc;
	maker->encrypt_then_mac = encrypt_then_mac;
	get_random_bytes(maker->key, sizeof(maker->key));
	get_random_bytes(maker->mac_key, sizeof(maker->mac_key));
	maker->buf = kunit_kzalloc(test, CBC_BUF_SIZE, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, maker->buf);

	snprintf(name, sizeof(name), "hmac(%s)", desc->hash);
	maker->hmac = crypto_alloc_shash(name, 0, 0);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, maker->hmac);
	KUNIT_ASSERT_EQ(test, 0, crypto_shash_setkey(maker->hmac,
						     maker->mac_key,
						     desc->mac_size));
	maker->cipher = crypto_alloc_sync_skcipher(desc->cipher, 0, 0);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, maker->cipher);
	KUNIT_ASSERT_EQ(test, 0, crypto_sync_skcipher_setkey(maker->cipher,
							     maker->key,
							     desc->key_size));
}

void cbc_maker_exit(struct cbc_maker *maker)
{
	if (!IS_ERR_OR_NULL(maker->hmac))
		crypto_free_shash(maker->hmac);
	if (!IS_ERR_OR_NULL(maker->cipher))
		crypto_free_sync_skcipher(maker->cipher);
}

u32 cbc_least_padding(const struct cbc_maker *maker, u32 plaintext_len)
{
	u32 mac_size = maker->encrypt_then_mac ? 0 : maker->desc->mac_size;

	return 15 - (plaintext_len + mac_size) % 16;
}

static void make_mac(struct kunit *test, struct cbc_maker *maker,
		     const u8 *data, u32 len, u8 *mac)
{
	SHASH_DESC_ON_STACK(desc, maker->hmac);
	u8 header[13] = {
		1, 2, 3, 4, 5, 6, 7, 8, CBC_TYPE, 3, 3, len >> 8, len,
	};
	int err;

	desc->tfm = maker->hmac;
	err = crypto_shash_init(desc) ?:
	      crypto_shash_update(desc, header, sizeof(header)) ?:
	      crypto_shash_finup(desc, data, len, mac);
	shash_desc_zero(desc);
	KUNIT_ASSERT_EQ(test, 0, err);
}

u32 cbc_make_clear(struct kunit *test, struct cbc_maker *maker,
		   u32 plaintext_len, u32 padding)
{
	u8 *data = maker->buf + 16;
	u32 len = plaintext_len;
	u32 i;

	get_random_bytes(maker->buf, 16);
	for (i = 0; i < plaintext_len; i++)
		data[i] = cbc_pattern(i);
	if (!maker->encrypt_then_mac) {
		make_mac(test, maker, data, len, data + len);
		len += maker->desc->mac_size;
	}
	memset(data + len, padding, padding + 1);
	return 16 + len + padding + 1;
}

u32 cbc_make_sealed(struct kunit *test, struct cbc_maker *maker, u32 len)
{
	SYNC_SKCIPHER_REQUEST_ON_STACK(request, maker->cipher);
	struct scatterlist sg;
	u8 iv[16];
	int err;

	memcpy(iv, maker->buf, 16);
	sg_init_one(&sg, maker->buf + 16, len - 16);
	skcipher_request_set_sync_tfm(request, maker->cipher);
	skcipher_request_set_callback(request, CRYPTO_TFM_REQ_MAY_SLEEP, NULL,
				      NULL);
	skcipher_request_set_crypt(request, &sg, &sg, len - 16, iv);
	err = crypto_skcipher_encrypt(request);
	KUNIT_ASSERT_EQ(test, 0, err);
	if (!maker->encrypt_then_mac)
		return len;
	make_mac(test, maker, maker->buf, len, maker->buf + len);
	return len + maker->desc->mac_size;
}
