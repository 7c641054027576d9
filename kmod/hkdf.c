// SPDX-License-Identifier: GPL-2.0
/*
 * HKDF-Expand-Label (RFC 8446 section 7.1) over the kernel's HMAC, and from a
 * traffic secret to the next one (section 7.2) and its key (section 7.3). Pure:
 * no socket, no lock.
 */
#include <crypto/hash.h>
#include <linux/err.h>
#include <linux/string.h>

#include "hkdf.h"

#define HKDF_PREFIX	"tls13 "
#define HKDF_LABEL_MAX	16
/* uint16 length, the label and the context behind their lengths, a counter */
#define HKDF_INFO_MAX	(2 + 1 + sizeof(HKDF_PREFIX) + HKDF_LABEL_MAX + 1 + 1)

/* The length of a secret is that of its suite's hash. */
static const struct hkdf_hash {
	u8		size;
	const char	*hmac;
} hashes[] = {
	{ 32, "hmac(sha256)" },
	{ 48, "hmac(sha384)" },
};

static const struct hkdf_hash *hash_of(u8 secret_len)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(hashes); i++)
		if (hashes[i].size == secret_len)
			return &hashes[i];
	return NULL;
}

/* HkdfLabel with an empty context, and the counter of the only block. */
static u32 hkdf_info(u8 info[HKDF_INFO_MAX], const char *label, u8 out_len)
{
	u8 prefix_len = strlen(HKDF_PREFIX), label_len = strlen(label);
	u8 *p = info;

	*p++ = 0;
	*p++ = out_len;
	*p++ = prefix_len + label_len;
	memcpy(p, HKDF_PREFIX, prefix_len);
	memcpy(p + prefix_len, label, label_len);
	p += prefix_len + label_len;
	*p++ = 0;
	*p++ = 1;
	return p - info;
}

static int hkdf_expand(struct crypto_shash *hmac, const char *label, u8 *out,
		       u8 out_len)
{
	SHASH_DESC_ON_STACK(desc, hmac);
	u8 info[HKDF_INFO_MAX], block[CIPHER_SECRET_MAX];
	int err;

	desc->tfm = hmac;
	err = crypto_shash_digest(desc, info, hkdf_info(info, label, out_len),
				  block);
	if (!err)
		memcpy(out, block, out_len);
	memzero_explicit(block, sizeof(block));
	shash_desc_zero(desc);
	return err;
}

/**
 * socktls_hkdf_expand_label() - HKDF-Expand-Label with an empty context
 * @secret: the PRK
 * @secret_len: 32 for SHA-256, 48 for SHA-384
 * @label: at most 16 characters, without "tls13 "
 * @out: result
 * @out_len: bytes, at most @secret_len: one block of output
 *
 * Context: process, may sleep (the crypto API may load modules).
 *
 * Return: 0; -EINVAL for lengths that do not fit; -ENOENT when the kernel lacks
 * the hash; -ENOMEM.
 */
int socktls_hkdf_expand_label(const u8 *secret, u8 secret_len,
			      const char *label, u8 *out, u8 out_len)
{
	const struct hkdf_hash *hash = hash_of(secret_len);
	struct crypto_shash *hmac;
	int err;

	if (!hash || out_len > secret_len || strlen(label) > HKDF_LABEL_MAX)
		return -EINVAL;
	hmac = crypto_alloc_shash(hash->hmac, 0, 0);
	if (IS_ERR(hmac))
		return PTR_ERR(hmac);
	err = crypto_shash_setkey(hmac, secret, secret_len);
	if (!err)
		err = hkdf_expand(hmac, label, out, out_len);
	crypto_free_shash(hmac);
	return err;
}

/**
 * socktls_hkdf_next_key() - what a KeyUpdate leads to
 * @secret: application_traffic_secret_N
 * @secret_len: its bytes, 32 or 48
 * @key: key_len and iv_len say what is wanted; filled with
 *	application_traffic_secret_N+1 and its write key and IV. The caller wipes
 *	it, also after a failure
 *
 * Context: process, may sleep.
 *
 * Return: as socktls_hkdf_expand_label().
 */
int socktls_hkdf_next_key(const u8 *secret, u8 secret_len,
			  struct socktls_key *key)
{
	int err;

	key->secret_len = secret_len;
	err = socktls_hkdf_expand_label(secret, secret_len, "traffic upd",
					key->secret, secret_len);
	if (!err)
		err = socktls_hkdf_expand_label(key->secret, secret_len, "key",
						key->key, key->key_len);
	if (!err)
		err = socktls_hkdf_expand_label(key->secret, secret_len, "iv",
						key->iv, key->iv_len);
	return err;
}
