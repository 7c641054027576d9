// SPDX-License-Identifier: GPL-2.0
#include <kunit/test.h>
#include <linux/mm.h>
#include <linux/random.h>
#include <linux/socktls.h>
#include <linux/tls.h>

#include "suite_params.h"

#define PARAM(_type, _name, _version, _etm)				\
	{ .name = (_name), .cipher = (_type), .version = (_version),	\
	  .encrypt_then_mac = (_etm) },

#define PARAMS_BOTH(_type, _name)					\
	PARAM(_type, "TLS 1.2 " _name, RECORD_TLS_1_2, false)		\
	PARAM(_type, "TLS 1.3 " _name, RECORD_TLS_1_3, false)
#define PARAMS_ONLY_12(_type, _name)					\
	PARAM(_type, "TLS 1.2 " _name, RECORD_TLS_1_2, false)

#define CIPHER_AEAD(_type, _name, _aead, _key, _salt, _explicit, _tag,	\
		    _ccm, _versions, _limit)				\
	PARAMS_##_versions(_type, _name)
#define CIPHER_CBC(_type, _name, _key, _hash, _mac, _hash_block)	\
	PARAM(_type, _name " mac-then-encrypt", RECORD_TLS_1_2, false)	\
	PARAM(_type, _name " encrypt-then-mac", RECORD_TLS_1_2, true)

static const struct suite_param suite_params[] = {
#include "cipher_table.h"
};

/* The next one that @wanted likes */
static const void *next_param(const void *prev, char *desc,
			      bool (*wanted)(const struct suite_param *param))
{
	const struct suite_param *param = prev;

	param = param ? param + 1 : suite_params;
	for (; param < suite_params + ARRAY_SIZE(suite_params); param++) {
		if (!wanted(param))
			continue;
		strscpy(desc, param->name, KUNIT_PARAM_DESC_SIZE);
		return param;
	}
	return NULL;
}

static bool want_all(const struct suite_param *param)
{
	return true;
}

static bool want_13(const struct suite_param *param)
{
	return param->version == RECORD_TLS_1_3;
}

const void *suite_gen_params(const void *prev, char *desc)
{
	return next_param(prev, desc, want_all);
}

const void *suite_13_gen_params(const void *prev, char *desc)
{
	return next_param(prev, desc, want_13);
}

void suite_make_key(const struct suite_param *param, struct socktls_key *key)
{
	const struct socktls_cipher *c = socktls_cipher_find(param->cipher);

	memset(key, 0, sizeof(*key));
	key->version = param->version;
	key->cipher = param->cipher;
	key->encrypt_then_mac = param->encrypt_then_mac;
	key->key_len = c->key_size;
	key->mac_key_len = c->mac_key_size;
	key->iv_len = param->version == RECORD_TLS_1_3 ? RECORD_NONCE_LEN :
							 c->salt_size;
	get_random_bytes(key->key, key->key_len);
	get_random_bytes(key->mac_key, key->mac_key_len);
	get_random_bytes(key->iv, key->iv_len);
	key->explicit_nonce = get_random_u64();
}

static void free_epoch(void *epoch)
{
	socktls_epoch_free(epoch);
}

struct socktls_epoch *suite_epoch(struct kunit *test,
				  const struct socktls_key *key)
{
	struct socktls_epoch *epoch = socktls_epoch_new(key);

	if (epoch == ERR_PTR(-ENOENT))
		kunit_skip(test, "the kernel has no such cipher");
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, epoch);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, free_epoch,
							   epoch));
	return epoch;
}

static void put_pages(struct socktls_vec *vec)
{
	while (vec->nr)
		put_page(vec->bv[--vec->nr].bv_page);
}

static void free_vec(void *data)
{
	struct suite_vec *v = data;

	put_pages(&v->vec);
	put_pages(&v->whole);
}

/* A page, or as many in a row as hold a segment */
struct suite_vec *suite_vec(struct kunit *test, u32 nr, u32 off, u32 size)
{
	struct suite_vec *v = kunit_kzalloc(test, sizeof(*v), GFP_KERNEL);
	u32 i;

	KUNIT_ASSERT_NOT_NULL(test, v);
	KUNIT_ASSERT_LE(test, nr, VEC_SEGMENTS);
	for (i = 0; i < nr; i++) {
		struct bio_vec *bv = &v->whole.bv[i];

		bv->bv_page = alloc_pages(GFP_KERNEL | __GFP_COMP | __GFP_ZERO,
					  get_order(off + size));
		if (!bv->bv_page)
			break;
		bv->bv_offset = off;
		bv->bv_len = size;
		v->whole.nr++;
		v->whole.len += size;
	}
	v->vec = v->whole;
	for (i = 0; i < v->whole.nr; i++)
		get_page(v->whole.bv[i].bv_page);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, free_vec, v));
	KUNIT_ASSERT_EQ(test, nr, v->whole.nr);
	return v;
}

/* v->vec holds references of its own, which trimming it drops */
void suite_vec_reset(struct suite_vec *v)
{
	u32 i;

	put_pages(&v->vec);
	v->vec = v->whole;
	for (i = 0; i < v->whole.nr; i++) {
		get_page(v->whole.bv[i].bv_page);
		memset(page_address(v->whole.bv[i].bv_page) +
		       v->whole.bv[i].bv_offset, 0, v->whole.bv[i].bv_len);
	}
}
