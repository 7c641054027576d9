// SPDX-License-Identifier: GPL-2.0
/* kmod/cbc.c: what is sealed, what is opened, and what is refused */
#include <kunit/test.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "cbc_maker.h"

struct cbc_vector {
	const char *name;
	const char *hash;
	u8 key_size;
	bool encrypt_then_mac;
	u8 key[32];
	u8 mac_key[SOCKTLS_CBC_MAX_MAC];
	u8 record[128];
	u32 record_len;
};

#include "cbc_vectors.h"

struct cbc_param {
	const char *name;
	struct socktls_cbc_desc desc;
	bool encrypt_then_mac;
};

#define PARAM(_key, _hash, _mac, _hash_block, _etm, _name) {		\
	.name = "AES-" #_key "-CBC " _hash " " _name,			\
	.desc = {							\
		.cipher = "cbc(aes)", .hash = (_hash),			\
		.key_size = (_key) / 8, .mac_size = (_mac),		\
		.block_size = 16, .hash_block_size = (_hash_block),	\
	},								\
	.encrypt_then_mac = (_etm),					\
}

#define BOTH_WAYS(_key, _hash, _mac, _hash_block)			      \
	PARAM(_key, _hash, _mac, _hash_block, false, "mac-then-encrypt"),     \
	PARAM(_key, _hash, _mac, _hash_block, true, "encrypt-then-mac")

static const struct cbc_param cbc_params[] = {
	BOTH_WAYS(128, "sha1", 20, 64),
	BOTH_WAYS(256, "sha1", 20, 64),
	BOTH_WAYS(128, "sha256", 32, 64),
	BOTH_WAYS(256, "sha256", 32, 64),
	BOTH_WAYS(128, "sha384", 48, 128),
	BOTH_WAYS(256, "sha384", 48, 128),
};

KUNIT_ARRAY_PARAM_DESC(cbc, cbc_params, name);

/* Those where the peer's padding is decrypted before it is authenticated */
static const void *mac_first_gen_params(const void *prev, char *desc)
{
	const struct cbc_param *param;

	do {
		param = cbc_gen_params(prev, desc);
		prev = param;
	} while (param && param->encrypt_then_mac);
	return param;
}

struct cbc_fixture {
	struct cbc_maker maker;
	struct socktls_cbc *tx;
	struct socktls_cbc *rx;
	u8 *copy;
	u32 off;
	u32 len;
};

static int cbc_test_init(struct kunit *test)
{
	const struct cbc_param *param = test->param_value;
	struct cbc_fixture *f;

	f = kunit_kzalloc(test, sizeof(*f), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, f);
	test->priv = f;
	if (!param)
		return 0;
	cbc_maker_init(test, &f->maker, &param->desc, param->encrypt_then_mac);
	f->copy = kunit_kzalloc(test, CBC_BUF_SIZE, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, f->copy);
	f->tx = socktls_cbc_new(&param->desc, f->maker.key, f->maker.mac_key,
				param->encrypt_then_mac);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, f->tx);
	f->rx = socktls_cbc_new(&param->desc, f->maker.key, f->maker.mac_key,
				param->encrypt_then_mac);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, f->rx);
	return 0;
}

static void cbc_test_exit(struct kunit *test)
{
	struct cbc_fixture *f = test->priv;

	if (!f)
		return;
	if (!IS_ERR(f->tx))
		socktls_cbc_free(f->tx);
	if (!IS_ERR(f->rx))
		socktls_cbc_free(f->rx);
	cbc_maker_exit(&f->maker);
}

static int open_buf(struct cbc_fixture *f, u32 fragment_len)
{
	return socktls_cbc_open(f->rx, CBC_SEQ, CBC_TYPE, CBC_VERSION,
				f->maker.buf, fragment_len, &f->off, &f->len);
}

/* Opens a copy, so that the record at f->copy can be tried again */
static int open_copy(struct cbc_fixture *f, u32 fragment_len)
{
	memcpy(f->maker.buf, f->copy, CBC_BUF_SIZE);
	return open_buf(f, fragment_len);
}

static void expect_refused(struct kunit *test, struct cbc_fixture *f, int err)
{
	KUNIT_ASSERT_EQ(test, -EBADMSG, err);
	KUNIT_ASSERT_EQ(test, 0, f->len);
}

static void expect_pattern(struct kunit *test, struct cbc_fixture *f, u32 len)
{
	u32 i, wrong = 0;

	KUNIT_ASSERT_EQ(test, 16, f->off);
	KUNIT_ASSERT_EQ(test, len, f->len);
	for (i = 0; i < len; i++)
		wrong += f->maker.buf[f->off + i] != cbc_pattern(i);
	KUNIT_ASSERT_EQ(test, 0, wrong);
}

/* Leaves the record in maker.buf and copy */
static u32 seal_pattern(struct kunit *test, struct cbc_fixture *f, u32 len)
{
	u8 *end = f->maker.buf + socktls_cbc_fragment_len(f->tx, len);
	u32 fragment_len = 0;
	u32 i;
	int err;

	for (i = 0; i < len; i++)
		f->maker.buf[16 + i] = cbc_pattern(i);
	memset(end, 0xee, 16);
	err = socktls_cbc_seal(f->tx, CBC_SEQ, CBC_TYPE, CBC_VERSION,
			       f->maker.buf, len, &fragment_len);
	KUNIT_ASSERT_EQ(test, 0, err);
	KUNIT_ASSERT_PTR_EQ(test, end, f->maker.buf + fragment_len);
	KUNIT_ASSERT_NULL(test, memchr_inv(end, 0xee, 16));
	memcpy(f->copy, f->maker.buf, CBC_BUF_SIZE);
	return fragment_len;
}

static void round_trip(struct kunit *test, struct cbc_fixture *f, u32 len)
{
	u32 fragment_len = seal_pattern(test, f, len);

	KUNIT_ASSERT_EQ(test, 0, open_buf(f, fragment_len));
	expect_pattern(test, f, len);
}

static void cbc_round_trips_small_records(struct kunit *test)
{
	u32 len;

	for (len = 0; len <= 300; len++)
		round_trip(test, test->priv, len);
}

static void cbc_round_trips_large_records(struct kunit *test)
{
	u32 len;

	for (len = SOCKTLS_CBC_MAX_PLAINTEXT - 50;
	     len <= SOCKTLS_CBC_MAX_PLAINTEXT; len++)
		round_trip(test, test->priv, len);
}

static void cbc_refuses_to_seal_over_limit(struct kunit *test)
{
	struct cbc_fixture *f = test->priv;
	u32 fragment_len;

	KUNIT_EXPECT_EQ(test, -EINVAL,
			socktls_cbc_seal(f->tx, 0, CBC_TYPE, CBC_VERSION,
					 f->maker.buf,
					 SOCKTLS_CBC_MAX_PLAINTEXT + 1,
					 &fragment_len));
}

static void cbc_seals_with_fresh_iv(struct kunit *test)
{
	struct cbc_fixture *f = test->priv;

	seal_pattern(test, f, 64);
	memcpy(f->copy + 1024, f->copy, 16);
	seal_pattern(test, f, 64);
	KUNIT_EXPECT_MEMNEQ(test, f->copy + 1024, f->copy, 16);
}

static void cbc_seals_what_hmac_and_cbc_make(struct kunit *test)
{
	struct cbc_fixture *f = test->priv;
	u32 len, fragment_len, clear_len;

	for (len = 0; len <= 300; len += 7) {
		fragment_len = seal_pattern(test, f, len);
		clear_len = cbc_make_clear(test, &f->maker, len,
					   cbc_least_padding(&f->maker, len));
		memcpy(f->maker.buf, f->copy, 16);
		KUNIT_ASSERT_EQ(test, fragment_len,
				cbc_make_sealed(test, &f->maker, clear_len));
		KUNIT_ASSERT_MEMEQ(test, f->copy, f->maker.buf, fragment_len);
	}
}

static void cbc_opens_every_padding(struct kunit *test)
{
	struct cbc_fixture *f = test->priv;
	u32 len, padding, fragment_len;

	for (len = 0; len <= 160; len++) {
		padding = cbc_least_padding(&f->maker, len);
		for (; padding < 256; padding += 16) {
			fragment_len = cbc_make_clear(test, &f->maker, len,
						      padding);
			fragment_len = cbc_make_sealed(test, &f->maker,
						       fragment_len);
			KUNIT_ASSERT_EQ(test, 0, open_buf(f, fragment_len));
			expect_pattern(test, f, len);
		}
	}
}

static void cbc_refuses_wrong_padding_byte(struct kunit *test)
{
	struct cbc_fixture *f = test->priv;
	u32 padding, fragment_len, i;

	for (padding = cbc_least_padding(&f->maker, 80); padding < 256;
	     padding += 16) {
		for (i = 1; i <= padding; i++) {
			fragment_len = cbc_make_clear(test, &f->maker, 80,
						      padding);
			f->maker.buf[fragment_len - 1 - i] ^= 1 << i % 8;
			fragment_len = cbc_make_sealed(test, &f->maker,
						       fragment_len);
			expect_refused(test, f, open_buf(f, fragment_len));
		}
	}
}

/*
 * The last byte takes every value, at a record shorter and longer than it; but
 * 0 behind what is authentic already is a padding, too.
 */
static void cbc_refuses_wrong_padding_length(struct kunit *test)
{
	static const u32 lens[] = { 0, 1, 16, 200, 255, 256, 512 };
	struct cbc_fixture *f = test->priv;
	u32 padding, fragment_len, i, value;

	for (i = 0; i < ARRAY_SIZE(lens); i++) {
		padding = cbc_least_padding(&f->maker, lens[i]);
		for (value = 0; value < 256; value++) {
			if (value == padding ||
			    (!value && f->maker.encrypt_then_mac))
				continue;
			fragment_len = cbc_make_clear(test, &f->maker, lens[i],
						      padding);
			f->maker.buf[fragment_len - 1] = value;
			fragment_len = cbc_make_sealed(test, &f->maker,
						       fragment_len);
			expect_refused(test, f, open_buf(f, fragment_len));
		}
	}
}

/*
 * Consistent padding of every value that fits the record, but that takes away
 * bytes of the MAC, or of plaintext and MAC
 */
static void cbc_refuses_padding_over_mac(struct kunit *test)
{
	struct cbc_fixture *f = test->priv;
	u32 least = cbc_least_padding(&f->maker, 300);
	u32 value, fragment_len;

	for (value = least + 1; value < 256; value++) {
		fragment_len = cbc_make_clear(test, &f->maker, 300, least);
		memset(f->maker.buf + fragment_len - 1 - value, value,
		       value + 1);
		fragment_len = cbc_make_sealed(test, &f->maker, fragment_len);
		expect_refused(test, f, open_buf(f, fragment_len));
	}
}

static void cbc_refuses_each_flipped_bit(struct kunit *test)
{
	struct cbc_fixture *f = test->priv;
	u32 fragment_len = seal_pattern(test, f, 100);
	u32 i;

	for (i = 0; i < fragment_len * 8; i++) {
		f->copy[i / 8] ^= 1 << i % 8;
		expect_refused(test, f, open_copy(f, fragment_len));
		f->copy[i / 8] ^= 1 << i % 8;
	}
	KUNIT_EXPECT_EQ(test, 0, open_copy(f, fragment_len));
}

static void cbc_refuses_each_flipped_bit_of_the_mac(struct kunit *test)
{
	struct cbc_fixture *f = test->priv;
	u32 i, fragment_len;

	for (i = 0; i < f->maker.desc->mac_size * 8; i++) {
		fragment_len = cbc_make_clear(test, &f->maker, 77,
					      cbc_least_padding(&f->maker, 77));
		f->maker.buf[16 + 77 + i / 8] ^= 1 << i % 8;
		fragment_len = cbc_make_sealed(test, &f->maker, fragment_len);
		expect_refused(test, f, open_buf(f, fragment_len));
	}
}

static void cbc_refuses_each_shorter_record(struct kunit *test)
{
	struct cbc_fixture *f = test->priv;
	u32 fragment_len = seal_pattern(test, f, 300);

	while (fragment_len--)
		expect_refused(test, f, open_copy(f, fragment_len));
}

static void cbc_refuses_each_longer_record(struct kunit *test)
{
	struct cbc_fixture *f = test->priv;
	u32 fragment_len = seal_pattern(test, f, 300);
	u32 i;

	for (i = 1; i <= 64; i++)
		expect_refused(test, f, open_copy(f, fragment_len + i));
}

static void cbc_refuses_fragment_over_limit(struct kunit *test)
{
	struct cbc_fixture *f = test->priv;
	u32 len = SOCKTLS_CBC_MAX_PLAINTEXT + 2048;
	u32 i;

	seal_pattern(test, f, 300);
	for (i = 1; i <= 64; i++)
		expect_refused(test, f, open_copy(f, len + i));
	expect_refused(test, f, open_copy(f, U32_MAX));
	expect_refused(test, f, open_copy(f, round_down(U32_MAX, 16)));
}

static void cbc_refuses_other_header(struct kunit *test)
{
	struct cbc_fixture *f = test->priv;
	u32 fragment_len = seal_pattern(test, f, 100);
	u32 bit, off, len;
	u64 seq;
	u16 version;
	u8 type;

	for (bit = 0; bit < 64 + 8 + 16; bit++) {
		seq = CBC_SEQ ^ (bit < 64 ? BIT_ULL(bit) : 0);
		type = CBC_TYPE ^ (bit >= 64 && bit < 72 ? BIT(bit - 64) : 0);
		version = CBC_VERSION ^ (bit >= 72 ? BIT(bit - 72) : 0);
		memcpy(f->maker.buf, f->copy, fragment_len);
		KUNIT_ASSERT_EQ(test, -EBADMSG,
				socktls_cbc_open(f->rx, seq, type, version,
						 f->maker.buf, fragment_len,
						 &off, &len));
	}
}

/* Authentic all the same: the alert is another one */
static void cbc_refuses_plaintext_over_limit(struct kunit *test)
{
	struct cbc_fixture *f = test->priv;
	u32 len, padding, fragment_len;

	for (len = SOCKTLS_CBC_MAX_PLAINTEXT - 9;
	     len < SOCKTLS_CBC_MAX_PLAINTEXT + 300; len += 9) {
		padding = cbc_least_padding(&f->maker, len) + 240;
		fragment_len = cbc_make_clear(test, &f->maker, len, padding);
		fragment_len = cbc_make_sealed(test, &f->maker, fragment_len);
		if (len <= SOCKTLS_CBC_MAX_PLAINTEXT) {
			KUNIT_ASSERT_EQ(test, 0, open_buf(f, fragment_len));
			expect_pattern(test, f, len);
			continue;
		}
		KUNIT_ASSERT_EQ(test, -EMSGSIZE, open_buf(f, fragment_len));
		KUNIT_ASSERT_EQ(test, 0, f->len);
	}
}

static void cbc_shortest_fragment_is_an_empty_record(struct kunit *test)
{
	struct cbc_fixture *f = test->priv;
	u32 min = socktls_cbc_min_fragment(f->rx);

	KUNIT_EXPECT_EQ(test, min, seal_pattern(test, f, 0));
	KUNIT_EXPECT_EQ(test, 0, open_copy(f, min));
	KUNIT_EXPECT_EQ(test, 0, f->len);
}

/* --- known answers --- */

KUNIT_ARRAY_PARAM_DESC(vector, cbc_vectors, name);

static void cbc_opens_record_of_openssl(struct kunit *test)
{
	const struct cbc_vector *v = test->param_value;
	const u32 len = sizeof(CBC_VECTOR_PLAINTEXT) - 1;
	struct cbc_fixture *f = test->priv;
	struct socktls_cbc_desc desc = { .cipher = "cbc(aes)" };
	u32 i;

	for (i = 0; i < ARRAY_SIZE(cbc_params); i++)
		if (!strcmp(cbc_params[i].desc.hash, v->hash) &&
		    cbc_params[i].desc.key_size == v->key_size)
			desc = cbc_params[i].desc;
	f->maker.buf = kunit_kzalloc(test, CBC_BUF_SIZE, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, f->maker.buf);
	memcpy(f->maker.buf, v->record + 5, v->record_len - 5);
	f->rx = socktls_cbc_new(&desc, v->key, v->mac_key,
				v->encrypt_then_mac);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, f->rx);
	KUNIT_ASSERT_EQ(test, 0,
			socktls_cbc_open(f->rx, 1, CBC_TYPE, CBC_VERSION,
					 f->maker.buf, v->record_len - 5,
					 &f->off, &f->len));
	KUNIT_ASSERT_EQ(test, len, f->len);
	KUNIT_EXPECT_MEMEQ(test, f->maker.buf + f->off, CBC_VECTOR_PLAINTEXT,
			   len);
}

/* The vector's fixture is its own */
static int vector_test_init(struct kunit *test)
{
	test->priv = kunit_kzalloc(test, sizeof(struct cbc_fixture),
				   GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, test->priv);
	return 0;
}

/* --- keys --- */

static void cbc_new_tells_unknown_algorithms(struct kunit *test)
{
	static const u8 key[SOCKTLS_CBC_MAX_MAC];
	struct socktls_cbc_desc desc = cbc_params[0].desc;

	desc.cipher = "cbc(no-such-cipher)";
	KUNIT_EXPECT_EQ(test, -ENOENT,
			PTR_ERR(socktls_cbc_new(&desc, key, key, false)));
	desc.cipher = cbc_params[0].desc.cipher;
	desc.hash = "no-such-hash";
	KUNIT_EXPECT_EQ(test, -ENOENT,
			PTR_ERR(socktls_cbc_new(&desc, key, key, false)));
}

static void cbc_new_refuses_other_sizes(struct kunit *test)
{
	static const u8 key[SOCKTLS_CBC_MAX_MAC];
	struct socktls_cbc_desc desc = cbc_params[0].desc;

	desc.mac_size++;
	KUNIT_EXPECT_EQ(test, -EINVAL,
			PTR_ERR(socktls_cbc_new(&desc, key, key, false)));
	desc = cbc_params[0].desc;
	desc.block_size = 8;
	KUNIT_EXPECT_EQ(test, -EINVAL,
			PTR_ERR(socktls_cbc_new(&desc, key, key, false)));
	desc = cbc_params[0].desc;
	desc.key_size = 17;
	KUNIT_EXPECT_EQ(test, -EINVAL,
			PTR_ERR(socktls_cbc_new(&desc, key, key, false)));
}

static void cbc_free_takes_null(struct kunit *test)
{
	socktls_cbc_free(NULL);
}

static struct kunit_case cbc_cases[] = {
	KUNIT_CASE_PARAM(cbc_round_trips_small_records, cbc_gen_params),
	KUNIT_CASE_PARAM(cbc_round_trips_large_records, cbc_gen_params),
	KUNIT_CASE_PARAM(cbc_refuses_to_seal_over_limit, cbc_gen_params),
	KUNIT_CASE_PARAM(cbc_seals_with_fresh_iv, cbc_gen_params),
	KUNIT_CASE_PARAM(cbc_seals_what_hmac_and_cbc_make, cbc_gen_params),
	KUNIT_CASE_PARAM(cbc_opens_every_padding, cbc_gen_params),
	KUNIT_CASE_PARAM(cbc_refuses_wrong_padding_byte, cbc_gen_params),
	KUNIT_CASE_PARAM(cbc_refuses_wrong_padding_length, cbc_gen_params),
	KUNIT_CASE_PARAM(cbc_refuses_padding_over_mac, mac_first_gen_params),
	KUNIT_CASE_PARAM(cbc_refuses_each_flipped_bit, cbc_gen_params),
	KUNIT_CASE_PARAM(cbc_refuses_each_flipped_bit_of_the_mac,
			 mac_first_gen_params),
	KUNIT_CASE_PARAM(cbc_refuses_each_shorter_record, cbc_gen_params),
	KUNIT_CASE_PARAM(cbc_refuses_each_longer_record, cbc_gen_params),
	KUNIT_CASE_PARAM(cbc_refuses_fragment_over_limit, cbc_gen_params),
	KUNIT_CASE_PARAM(cbc_refuses_other_header, cbc_gen_params),
	KUNIT_CASE_PARAM(cbc_refuses_plaintext_over_limit, cbc_gen_params),
	KUNIT_CASE_PARAM(cbc_shortest_fragment_is_an_empty_record,
			 cbc_gen_params),
	KUNIT_CASE(cbc_new_tells_unknown_algorithms),
	KUNIT_CASE(cbc_new_refuses_other_sizes),
	KUNIT_CASE(cbc_free_takes_null),
	{}
};

static struct kunit_suite cbc_suite = {
	.name = "cbc",
	.init = cbc_test_init,
	.exit = cbc_test_exit,
	.test_cases = cbc_cases,
};

static struct kunit_case vector_cases[] = {
	KUNIT_CASE_PARAM(cbc_opens_record_of_openssl, vector_gen_params),
	{}
};

static struct kunit_suite vector_suite = {
	.name = "cbc_vectors",
	.init = vector_test_init,
	.exit = cbc_test_exit,
	.test_cases = vector_cases,
};

kunit_test_suites(&cbc_suite, &vector_suite);

MODULE_DESCRIPTION("KUnit tests of socktls");
MODULE_LICENSE("GPL");
