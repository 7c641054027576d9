// SPDX-License-Identifier: GPL-2.0
/*
 * Times socktls_cbc_open() on MAC-then-encrypt records of one length, and an
 * opener that is written without care, which the evaluation must tell apart.
 * The samples are in debugfs, socktls_cbc_timing; see "run".
 */
#include <crypto/algapi.h>
#include <crypto/hash.h>
#include <crypto/skcipher.h>
#include <linux/debugfs.h>
#include <linux/module.h>
#include <linux/random.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>
#include <linux/timex.h>
#include <linux/vmalloc.h>

#include "cbc.h"

static unsigned int rounds = 1000;
module_param(rounds, uint, 0444);
MODULE_PARM_DESC(rounds, "samples of each kind of record");

#define BLOCK		16
#define DATA_LEN	512		/* of what is encrypted */
#define FRAGMENT_LEN	(BLOCK + DATA_LEN)
#define HEADER_LEN	13
#define VARIANTS	16		/* records of a kind, each of its own */

/* As the evaluation numbers them */
enum kind {
	VALID_SHORT, VALID_LONG, BAD_PADDING, BAD_MAC_SHORT, BAD_MAC_LONG,
	KINDS,
};

enum opener { CAREFUL, NAIVE, OPENERS };

struct sample {
	u8 hash;
	u8 opener;
	u8 kind;
	u8 authentic;
	u32 cycles;
};

static const struct socktls_cbc_desc descs[] = {
	{ "cbc(aes)", "sha1", 16, 20, BLOCK, 64 },
	{ "cbc(aes)", "sha256", 16, 32, BLOCK, 64 },
	{ "cbc(aes)", "sha384", 32, 48, BLOCK, 128 },
};

#define SAMPLES		(ARRAY_SIZE(descs) * OPENERS * KINDS * rounds)

static struct debugfs_blob_wrapper blob;
static struct dentry *file;

struct bench {
	const struct socktls_cbc_desc *desc;
	struct socktls_cbc *cbc;
	struct crypto_sync_skcipher *cipher;
	struct crypto_shash *hmac;
	u8 key[32];
	u8 mac_key[SOCKTLS_CBC_MAX_MAC];
	u8 record[KINDS][VARIANTS][FRAGMENT_LEN];
	u8 message[HEADER_LEN + DATA_LEN];
	u8 buf[FRAGMENT_LEN] __aligned(64);
};

/* --- records --- */

static int run_cipher(struct bench *b, u8 *fragment, bool encrypt)
{
	SYNC_SKCIPHER_REQUEST_ON_STACK(request, b->cipher);
	struct scatterlist sg;
	u8 iv[BLOCK];

	memcpy(iv, fragment, BLOCK);
	sg_init_one(&sg, fragment + BLOCK, DATA_LEN);
	skcipher_request_set_sync_tfm(request, b->cipher);
	skcipher_request_set_callback(request, 0, NULL, NULL);
	skcipher_request_set_crypt(request, &sg, &sg, DATA_LEN, iv);
	return encrypt ? crypto_skcipher_encrypt(request) :
			 crypto_skcipher_decrypt(request);
}

/* The MAC of record 0, of type 23 */
static int make_mac(struct bench *b, const u8 *data, u32 len, u8 *mac)
{
	static const u8 header[HEADER_LEN - 2] = { [8] = 23, 3, 3 };

	memcpy(b->message, header, sizeof(header));
	b->message[HEADER_LEN - 2] = len >> 8;
	b->message[HEADER_LEN - 1] = len;
	memcpy(b->message + HEADER_LEN, data, len);
	return crypto_shash_tfm_digest(b->hmac, b->message, HEADER_LEN + len,
				       mac);
}

static bool is_long(enum kind kind)
{
	return kind == VALID_LONG || kind == BAD_MAC_LONG;
}

/* Plaintext, MAC, padding; and what is wrong with the record, if anything */
static int make_record(struct bench *b, enum kind kind, u8 *fragment)
{
	u32 padding = (is_long(kind) ? 240 : 0) + get_random_u32() % 16;
	u32 len = DATA_LEN - b->desc->mac_size - padding - 1;
	u8 *data = fragment + BLOCK;
	int err;

	get_random_bytes(fragment, BLOCK + len);
	err = make_mac(b, data, len, data + len);
	if (err)
		return err;
	memset(data + DATA_LEN - padding - 1, padding, padding + 1);
	if (kind == BAD_PADDING)
		data[DATA_LEN - 1] ^= 0x80;
	if (kind == BAD_MAC_SHORT || kind == BAD_MAC_LONG)
		data[len + get_random_u32() % b->desc->mac_size] ^= 1;
	return run_cipher(b, fragment, true);
}

static int make_records(struct bench *b)
{
	u32 i, kind;
	int err = 0;

	for (kind = 0; kind < KINDS && !err; kind++)
		for (i = 0; i < VARIANTS && !err; i++)
			err = make_record(b, kind, b->record[kind][i]);
	return err;
}

/* --- openers --- */

static int open_careful(struct bench *b)
{
	u32 off, len;

	return socktls_cbc_open(b->cbc, 0, 23, 0x0303, b->buf, FRAGMENT_LEN,
				&off, &len);
}

/* RFC 5246 as one reads it: stops at the first fault, hashes what is there */
static int open_naive(struct bench *b)
{
	u8 mac[SOCKTLS_CBC_MAX_MAC], *data = b->buf + BLOCK;
	u32 padding, len, i;
	int err;

	err = run_cipher(b, b->buf, false);
	if (err)
		return err;
	padding = data[DATA_LEN - 1];
	if (padding + 1 + b->desc->mac_size > DATA_LEN)
		return -EBADMSG;
	for (i = 1; i <= padding; i++)
		if (data[DATA_LEN - 1 - i] != padding)
			return -EBADMSG;
	len = DATA_LEN - b->desc->mac_size - padding - 1;
	err = make_mac(b, data, len, mac);
	if (err)
		return err;
	return memcmp(mac, data + len, b->desc->mac_size) ? -EBADMSG : 0;
}

/* --- samples --- */

static int take_sample(struct bench *b, struct sample *s)
{
	u32 i = get_random_u32() % VARIANTS;
	cycles_t start, end;
	int err;

	memcpy(b->buf, b->record[s->kind][i], FRAGMENT_LEN);
	if (s->opener == CAREFUL) {
		start = get_cycles();
		err = open_careful(b);
		end = get_cycles();
	} else {
		start = get_cycles();
		err = open_naive(b);
		end = get_cycles();
	}
	s->authentic = !err;
	s->cycles = end - start;
	return err == -EBADMSG ? 0 : err;
}

/* The kinds come in random order, so that nothing else can follow them */
static int take_samples(struct bench *b, u32 hash, struct sample *samples)
{
	u32 n = OPENERS * KINDS * rounds;
	u32 i, j;
	int err = 0;

	for (i = 0; i < n; i++) {
		samples[i].hash = hash;
		samples[i].opener = i % OPENERS;
		samples[i].kind = i / OPENERS % KINDS;
	}
	for (i = n - 1; i; i--) {
		j = get_random_u32() % (i + 1);
		swap(samples[i], samples[j]);
	}
	for (i = 0; i < n && !err; i++) {
		err = take_sample(b, &samples[i]);
		cond_resched();
	}
	return err;
}

/* --- life --- */

static void bench_free(struct bench *b)
{
	socktls_cbc_free(b->cbc);
	if (!IS_ERR_OR_NULL(b->cipher))
		crypto_free_sync_skcipher(b->cipher);
	if (!IS_ERR_OR_NULL(b->hmac))
		crypto_free_shash(b->hmac);
	kfree_sensitive(b);
}

static int bench_set_keys(struct bench *b)
{
	char name[32];

	snprintf(name, sizeof(name), "hmac(%s)", b->desc->hash);
	get_random_bytes(b->key, sizeof(b->key));
	get_random_bytes(b->mac_key, sizeof(b->mac_key));
	b->cbc = socktls_cbc_new(b->desc, b->key, b->mac_key, false);
	if (IS_ERR(b->cbc)) {
		int err = PTR_ERR(b->cbc);

		b->cbc = NULL;
		return err;
	}
	b->cipher = crypto_alloc_sync_skcipher(b->desc->cipher, 0, 0);
	if (IS_ERR(b->cipher))
		return PTR_ERR(b->cipher);
	b->hmac = crypto_alloc_shash(name, 0, 0);
	if (IS_ERR(b->hmac))
		return PTR_ERR(b->hmac);
	return crypto_sync_skcipher_setkey(b->cipher, b->key,
					   b->desc->key_size) ?:
	       crypto_shash_setkey(b->hmac, b->mac_key, b->desc->mac_size);
}

static int time_hash(u32 hash, struct sample *samples)
{
	struct bench *b = kzalloc(sizeof(*b), GFP_KERNEL);
	int err;

	if (!b)
		return -ENOMEM;
	b->desc = &descs[hash];
	err = bench_set_keys(b) ?: make_records(b) ?:
	      take_samples(b, hash, samples);
	bench_free(b);
	return err;
}

static int __init cbc_timing_init(void)
{
	struct sample *samples;
	u32 hash;
	int err = 0;

	if (rounds < 2 || rounds > 100000)
		return -EINVAL;
	samples = vzalloc(SAMPLES * sizeof(*samples));
	if (!samples)
		return -ENOMEM;
	for (hash = 0; hash < ARRAY_SIZE(descs) && !err; hash++)
		err = time_hash(hash, samples + hash * OPENERS * KINDS * rounds);
	if (err) {
		vfree(samples);
		return err;
	}
	blob.data = samples;
	blob.size = SAMPLES * sizeof(*samples);
	file = debugfs_create_blob("socktls_cbc_timing", 0400, NULL, &blob);
	return 0;
}

static void __exit cbc_timing_exit(void)
{
	debugfs_remove(file);
	vfree(blob.data);
}

module_init(cbc_timing_init);
module_exit(cbc_timing_exit);

MODULE_DESCRIPTION("Times opening records of block ciphers");
MODULE_LICENSE("GPL");
