// SPDX-License-Identifier: GPL-2.0
/*
 * The floor: what crypto_aead_encrypt() alone costs for a record, in place, one
 * scatterlist entry, with a request that is made once. Loading measures; the
 * figures are read from the module's parameters, in the order of "sizes".
 */
#include <crypto/aead.h>
#include <linux/crypto.h>
#include <linux/ktime.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/scatterlist.h>

#define ROUNDS		200
#define AAD_LEN		5	/* a record's header */
#define TAG_LEN		16
#define KEY_LEN		16
#define BUF_ORDER	3

static unsigned int sizes[] = { 256, 1024, 4096, 16384 };
static unsigned long encrypt[ARRAY_SIZE(sizes)];
static unsigned long decrypt[ARRAY_SIZE(sizes)];
static unsigned int nr_sizes = ARRAY_SIZE(sizes);

module_param_array(sizes, uint, &nr_sizes, 0444);
module_param_array(encrypt, ulong, NULL, 0444);
module_param_array(decrypt, ulong, NULL, 0444);

struct floor {
	struct crypto_aead	*aead;
	struct aead_request	*req;
	struct crypto_wait	wait;
	struct scatterlist	sg;
	u8			*buf;
	u8			iv[16];
};

static int floor_init(struct floor *f)
{
	static const u8 key[KEY_LEN] = "floor";
	int err;

	f->aead = crypto_alloc_aead("gcm(aes)", 0, 0);
	if (IS_ERR(f->aead))
		return PTR_ERR(f->aead);
	err = crypto_aead_setkey(f->aead, key, sizeof(key)) ? :
	      crypto_aead_setauthsize(f->aead, TAG_LEN);
	if (err)
		goto err_aead;
	err = -ENOMEM;
	f->req = aead_request_alloc(f->aead, GFP_KERNEL);
	if (!f->req)
		goto err_aead;
	f->buf = (u8 *)__get_free_pages(GFP_KERNEL, BUF_ORDER);
	if (!f->buf)
		goto err_req;
	crypto_init_wait(&f->wait);
	aead_request_set_callback(f->req, CRYPTO_TFM_REQ_MAY_BACKLOG |
				  CRYPTO_TFM_REQ_MAY_SLEEP, crypto_req_done,
				  &f->wait);
	return 0;

err_req:
	aead_request_free(f->req);
err_aead:
	crypto_free_aead(f->aead);
	return err;
}

static void floor_exit(struct floor *f)
{
	free_pages((unsigned long)f->buf, BUF_ORDER);
	aead_request_free(f->req);
	crypto_free_aead(f->aead);
}

/* Of a TLS 1.3 record: the content type is encrypted too. */
static int floor_once(struct floor *f, unsigned int size, bool encrypting)
{
	unsigned int len = size + 1 + (encrypting ? 0 : TAG_LEN);

	aead_request_set_ad(f->req, AAD_LEN);
	aead_request_set_crypt(f->req, &f->sg, &f->sg, len, f->iv);
	return crypto_wait_req(encrypting ? crypto_aead_encrypt(f->req) :
					    crypto_aead_decrypt(f->req),
			       &f->wait);
}

/* The median would need memory: the cheapest round is as good, with icount. */
static int floor_measure(struct floor *f, unsigned int i)
{
	unsigned int round;

	encrypt[i] = ULONG_MAX;
	decrypt[i] = ULONG_MAX;
	sg_init_one(&f->sg, f->buf, AAD_LEN + sizes[i] + 1 + TAG_LEN);
	for (round = 0; round < ROUNDS; round++) {
		u64 start = ktime_get_ns(), middle;
		int err = floor_once(f, sizes[i], true);

		middle = ktime_get_ns();
		if (!err)
			err = floor_once(f, sizes[i], false);
		if (err)
			return err;
		decrypt[i] = min_t(u64, decrypt[i], ktime_get_ns() - middle);
		encrypt[i] = min_t(u64, encrypt[i], middle - start);
	}
	return 0;
}

static int __init floor_module_init(void)
{
	struct floor f = { 0 };
	unsigned int i;
	int err;

	err = floor_init(&f);
	for (i = 0; !err && i < nr_sizes; i++)
		err = sizes[i] + AAD_LEN + 1 + TAG_LEN <=
		      PAGE_SIZE << BUF_ORDER ?
		      floor_measure(&f, i) : -EINVAL;
	if (f.buf)
		floor_exit(&f);
	return err;
}

static void __exit floor_module_exit(void)
{
}

module_init(floor_module_init);
module_exit(floor_module_exit);

MODULE_DESCRIPTION("socktls: what encryption alone costs");
MODULE_LICENSE("GPL");
