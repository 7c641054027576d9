// SPDX-License-Identifier: GPL-2.0
/* kmod/cipher.c: sealing and opening with every record protection */
#include <kunit/test.h>
#include <linux/random.h>
#include <linux/socktls.h>
#include <linux/tls.h>

#include "compat.h"
#include "suite_params.h"

struct aead_vector {
	const char *name;
	u16 cipher;
	u16 version;
	u64 seq;
	u8 iv_size;
	u8 key_size;
	u8 iv[RECORD_NONCE_LEN];
	u8 key[32];
	u8 record[128];
	u32 record_len;
};

#include "aead_vectors.h"

/* --- helpers --- */

struct opened {
	u8 type;
	u32 off;
	u32 len;
};

static int open_vec(struct socktls_epoch *epoch, const struct socktls_vec *src,
		    struct socktls_vec *dst, struct opened *o)
{
	struct scatterlist sg[VEC_SEGMENTS];
	u8 bytes[RECORD_HEADER_LEN];
	struct record_header h;
	int err;

	socktls_vec_read(src, 0, bytes, sizeof(bytes));
	record_parse_header(bytes, &h);
	sg_init_table(sg, ARRAY_SIZE(sg));
	err = socktls_vec_to_sg(src, RECORD_HEADER_LEN + h.length, sg,
				ARRAY_SIZE(sg));
	return err ? err : socktls_epoch_open(epoch, &h, sg, dst, &o->type,
					      &o->off, &o->len);
}

static u8 pattern(u32 i)
{
	return i * 31 + (i >> 8) + 1;
}

static void fill_plaintext(struct socktls_epoch *epoch, struct suite_vec *v,
			   u32 len)
{
	u32 off = RECORD_HEADER_LEN + epoch->prefix;
	u8 chunk[64];
	u32 i;

	for (i = 0; i < len; i++) {
		chunk[i % 64] = pattern(i);
		if (i % 64 == 63 || i == len - 1)
			socktls_vec_write(&v->vec, off + i / 64 * 64, chunk,
					  i % 64 + 1);
	}
}

static void expect_plaintext(struct kunit *test, const struct socktls_vec *vec,
			     const struct opened *o, u32 len)
{
	u32 i, wrong = 0;
	u8 byte = 0;

	KUNIT_ASSERT_EQ(test, len, o->len);
	for (i = 0; i < len; i++) {
		socktls_vec_read(vec, o->off + i, &byte, 1);
		wrong += byte != pattern(i);
	}
	KUNIT_ASSERT_EQ(test, 0, wrong);
}

/* --- known records --- */

static void vector_to_desc(const struct aead_vector *v, char *desc)
{
	strscpy(desc, v->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(aead, aead_vectors, vector_to_desc);

static struct socktls_epoch *vector_epoch(struct kunit *test,
					  const struct aead_vector *v)
{
	struct socktls_key key = {
		.version = v->version, .cipher = v->cipher, .seq = v->seq,
		.key_len = v->key_size, .iv_len = v->iv_size,
		.explicit_nonce = get_unaligned_be64(v->record + 5),
	};

	memcpy(key.key, v->key, v->key_size);
	memcpy(key.iv, v->iv, v->iv_size);
	return suite_epoch(test, &key);
}

static void expect_opens(struct kunit *test, const struct aead_vector *v,
			 const void *plaintext, u32 len)
{
	struct socktls_epoch *epoch = vector_epoch(test, v);
	struct suite_vec *src = suite_vec(test, 8, 4070, 40);
	struct suite_vec *dst = suite_vec(test, 1, 0, 4096);
	struct opened o;
	u8 got[64];

	socktls_vec_write(&src->vec, 0, v->record, v->record_len);
	KUNIT_ASSERT_EQ(test, 0, open_vec(epoch, &src->vec, &dst->vec, &o));
	KUNIT_EXPECT_EQ(test, RECORD_APPLICATION_DATA, o.type);
	KUNIT_ASSERT_EQ(test, len, o.len);
	socktls_vec_read(&dst->vec, o.off, got, len);
	KUNIT_EXPECT_MEMEQ(test, got, plaintext, len);
	KUNIT_EXPECT_EQ(test, v->seq + 1, epoch->seq);
}

static void expect_seals(struct kunit *test, const struct aead_vector *v,
			 const void *plaintext, u32 len)
{
	struct socktls_epoch *epoch = vector_epoch(test, v);
	struct suite_vec *vec = suite_vec(test, 8, 4070, 40);
	u8 got[128];

	socktls_vec_write(&vec->vec, RECORD_HEADER_LEN + epoch->prefix,
			  plaintext, len);
	KUNIT_ASSERT_EQ(test, 0,
			socktls_epoch_seal(epoch, RECORD_APPLICATION_DATA,
					   &vec->vec, &vec->vec, len, 0));
	KUNIT_ASSERT_EQ(test, v->record_len, vec->vec.len);
	socktls_vec_read(&vec->vec, 0, got, v->record_len);
	KUNIT_EXPECT_MEMEQ(test, got, v->record, v->record_len);
	KUNIT_EXPECT_EQ(test, v->seq + 1, epoch->seq);
}

static void cipher_opens_known_record(struct kunit *test)
{
	expect_opens(test, test->param_value, AEAD_VECTOR_PLAINTEXT,
		     sizeof(AEAD_VECTOR_PLAINTEXT) - 1);
}

static void cipher_seals_known_record(struct kunit *test)
{
	expect_seals(test, test->param_value, AEAD_VECTOR_PLAINTEXT,
		     sizeof(AEAD_VECTOR_PLAINTEXT) - 1);
}

/* RFC 8448 section 3: the client's first record of application_data */
static const struct aead_vector rfc8448 = {
	.cipher = TLS_CIPHER_AES_GCM_128, .version = 0x0304,
	.iv_size = 12, .key_size = 16,
	.iv = {
		0x5b, 0x78, 0x92, 0x3d, 0xee, 0x08, 0x57, 0x90,
		0x33, 0xe5, 0x23, 0xd9,
	},
	.key = {
		0x17, 0x42, 0x2d, 0xda, 0x59, 0x6e, 0xd5, 0xd9,
		0xac, 0xd8, 0x90, 0xe3, 0xc6, 0x3f, 0x50, 0x51,
	},
	.record_len = 72,
	.record = {
		0x17, 0x03, 0x03, 0x00, 0x43, 0xa2, 0x3f, 0x70,
		0x54, 0xb6, 0x2c, 0x94, 0xd0, 0xaf, 0xfa, 0xfe,
		0x82, 0x28, 0xba, 0x55, 0xcb, 0xef, 0xac, 0xea,
		0x42, 0xf9, 0x14, 0xaa, 0x66, 0xbc, 0xab, 0x3f,
		0x2b, 0x98, 0x19, 0xa8, 0xa5, 0xb4, 0x6b, 0x39,
		0x5b, 0xd5, 0x4a, 0x9a, 0x20, 0x44, 0x1e, 0x2b,
		0x62, 0x97, 0x4e, 0x1f, 0x5a, 0x62, 0x92, 0xa2,
		0x97, 0x70, 0x14, 0xbd, 0x1e, 0x3d, 0xea, 0xe6,
		0x3a, 0xee, 0xbb, 0x21, 0x69, 0x49, 0x15, 0xe4,
	},
};

static void cipher_opens_and_seals_the_record_of_rfc8448(struct kunit *test)
{
	u8 plaintext[50];
	u32 i;

	for (i = 0; i < sizeof(plaintext); i++)
		plaintext[i] = i;
	expect_opens(test, &rfc8448, plaintext, sizeof(plaintext));
	expect_seals(test, &rfc8448, plaintext, sizeof(plaintext));
}

/* --- both ways --- */

static const struct { u32 nr, off, size; } shapes[] = {
	{ 8, 0, 4096 }, { 8, 1001, 2300 }, { 1, 3, 20000 }, { 5, 4095, 4096 },
};

static const u32 sizes[] = { 0, 1, 15, 16, 17, 100, 1000, 4097, 16383, 16384 };

struct both {
	struct socktls_epoch *tx;
	struct socktls_epoch *rx;
};

static void make_both(struct kunit *test, struct both *b)
{
	struct socktls_key key;

	suite_make_key(test->param_value, &key);
	b->tx = suite_epoch(test, &key);
	b->rx = suite_epoch(test, &key);
}

static void round_trip(struct kunit *test, struct both *b,
		       struct suite_vec *src, struct suite_vec *dst, u32 len)
{
	struct opened o;

	suite_vec_reset(src);
	fill_plaintext(b->tx, src, len);
	KUNIT_ASSERT_EQ(test, 0, socktls_epoch_seal(b->tx, RECORD_HANDSHAKE,
						    &src->vec, &src->vec, len,
						    0));
	KUNIT_ASSERT_EQ(test, 0, open_vec(b->rx, &src->vec, &dst->vec, &o));
	KUNIT_ASSERT_EQ(test, RECORD_HANDSHAKE, o.type);
	expect_plaintext(test, &dst->vec, &o, len);
}

static void cipher_round_trips_every_shape(struct kunit *test)
{
	struct suite_vec *src, *dst;
	struct both b;
	u32 i, j;

	make_both(test, &b);
	for (i = 0; i < ARRAY_SIZE(shapes); i++) {
		src = suite_vec(test, shapes[i].nr, shapes[i].off,
				shapes[i].size);
		dst = suite_vec(test, 5, 0, 4096);
		for (j = 0; j < ARRAY_SIZE(sizes); j++)
			round_trip(test, &b, src, dst, sizes[j]);
		/* and in place, as a record that was copied out is opened */
		for (j = 0; j < ARRAY_SIZE(sizes); j++)
			round_trip(test, &b, src, src, sizes[j]);
	}
}

/* When sealing fails there must be something left to be tried again. */
static void cipher_leaves_a_plaintext_elsewhere_alone(struct kunit *test)
{
	struct suite_vec *src, *plain, *dst = suite_vec(test, 5, 0, 4096);
	struct opened whole = { .off = RECORD_HEADER_LEN }, o;
	struct both b;
	u32 i, j;

	make_both(test, &b);
	whole.off += b.tx->prefix;
	for (i = 0; i < ARRAY_SIZE(shapes); i++) {
		const u32 k = (i + 1) % ARRAY_SIZE(shapes);

		src = suite_vec(test, shapes[i].nr, shapes[i].off,
				shapes[i].size);
		plain = suite_vec(test, shapes[k].nr, shapes[k].off,
				  shapes[k].size);
		for (j = 0; j < ARRAY_SIZE(sizes); j++) {
			suite_vec_reset(src);
			suite_vec_reset(plain);
			fill_plaintext(b.tx, plain, sizes[j]);
			KUNIT_ASSERT_EQ(test, 0,
					socktls_epoch_seal(b.tx, 23, &src->vec,
							   &plain->vec,
							   sizes[j], 0));
			whole.len = sizes[j];
			expect_plaintext(test, &plain->vec, &whole, sizes[j]);
			KUNIT_ASSERT_EQ(test, 0, open_vec(b.rx, &src->vec,
							  &dst->vec, &o));
			expect_plaintext(test, &dst->vec, &o, sizes[j]);
		}
	}
}

/* Bytes on the wire are those that the limits of reception expect */
static void cipher_limits_are_those_of_its_records(struct kunit *test)
{
	struct suite_vec *v = suite_vec(test, 1, 0, 20000);
	struct record_limits limits;
	struct both b;
	u32 expansion;

	make_both(test, &b);
	socktls_epoch_limits(b.rx, &limits);
	KUNIT_EXPECT_EQ(test, RECORD_TLS_1_2, limits.version);
	KUNIT_ASSERT_EQ(test, 0, socktls_epoch_seal(b.tx, 23, &v->vec, &v->vec,
						    0, 0));
	KUNIT_EXPECT_EQ(test, v->vec.len, 5 + limits.min_length);
	expansion = v->vec.len - 5;
	suite_vec_reset(v);
	KUNIT_ASSERT_EQ(test, 0, socktls_epoch_seal(b.tx, 23, &v->vec, &v->vec,
						    16384, 0));
	KUNIT_EXPECT_LE(test, v->vec.len, 5 + limits.max_length);
	if (!b.tx->cipher->cbc)
		KUNIT_EXPECT_EQ(test, limits.max_length, 16384 + expansion);
	KUNIT_EXPECT_LE(test, v->vec.len, 5 + b.tx->prefix + 16384 +
			socktls_epoch_suffix_max(b.tx));
}

static void cipher_refuses_to_seal_over_limit_or_room(struct kunit *test)
{
	struct suite_vec *v = suite_vec(test, 1, 0, 20000);
	struct suite_vec *record = suite_vec(test, 1, 0, 4096);
	struct suite_vec *small;
	struct both b;

	make_both(test, &b);
	KUNIT_EXPECT_EQ(test, -EINVAL,
			socktls_epoch_seal(b.tx, 23, &v->vec, &v->vec, 16385,
					   0));
	KUNIT_EXPECT_EQ(test, -EINVAL,
			socktls_epoch_seal(b.tx, 23, &v->vec, &v->vec, U32_MAX,
					   0));
	KUNIT_EXPECT_EQ(test, 20000, v->vec.len);
	KUNIT_ASSERT_EQ(test, 0, socktls_epoch_seal(b.tx, 23, &record->vec,
						    &record->vec, 1000, 0));
	small = suite_vec(test, 1, 0, record->vec.len - 1);
	KUNIT_EXPECT_EQ(test, -EINVAL, socktls_epoch_seal(b.tx, 23, &small->vec,
							  &small->vec, 1000,
							  0));
	KUNIT_EXPECT_EQ(test, record->vec.len - 1, small->vec.len);
	KUNIT_EXPECT_EQ(test, 1, b.tx->seq);
}

static void cipher_sequence_number_does_not_wrap(struct kunit *test)
{
	struct suite_vec *v = suite_vec(test, 1, 0, 4096);
	struct suite_vec *dst = suite_vec(test, 1, 0, 4096);
	struct opened o;
	struct both b;

	make_both(test, &b);
	b.tx->seq = U64_MAX - 1;
	b.rx->seq = U64_MAX - 1;
	round_trip(test, &b, v, dst, 100);
	KUNIT_EXPECT_EQ(test, -EOVERFLOW, open_vec(b.rx, &v->vec, &dst->vec,
						   &o));
	suite_vec_reset(v);
	KUNIT_EXPECT_EQ(test, -EOVERFLOW,
			socktls_epoch_seal(b.tx, 23, &v->vec, &v->vec, 100, 0));
}

/* So that records may be tried with a key that is not theirs */
static void cipher_sequence_number_stays_when_opening_fails(struct kunit *test)
{
	struct suite_vec *v = suite_vec(test, 1, 0, 4096);
	struct suite_vec *dst = suite_vec(test, 1, 0, 4096);
	struct opened o;
	struct both b;
	u8 byte;

	make_both(test, &b);
	KUNIT_ASSERT_EQ(test, 0, socktls_epoch_seal(b.tx, 23, &v->vec, &v->vec,
						    99, 0));
	socktls_vec_read(&v->vec, v->vec.len - 1, &byte, 1);
	byte ^= 1;
	socktls_vec_write(&v->vec, v->vec.len - 1, &byte, 1);
	KUNIT_EXPECT_EQ(test, -EBADMSG, open_vec(b.rx, &v->vec, &dst->vec, &o));
	KUNIT_EXPECT_EQ(test, 0, b.rx->seq);
	byte ^= 1;
	socktls_vec_write(&v->vec, v->vec.len - 1, &byte, 1);
	KUNIT_EXPECT_EQ(test, 0, open_vec(b.rx, &v->vec, &dst->vec, &o));
}

static void cipher_refuses_record_out_of_order(struct kunit *test)
{
	struct suite_vec *v = suite_vec(test, 1, 0, 4096);
	struct suite_vec *dst = suite_vec(test, 1, 0, 4096);
	struct opened o;
	struct both b;

	make_both(test, &b);
	b.tx->seq = 1;
	KUNIT_ASSERT_EQ(test, 0, socktls_epoch_seal(b.tx, 23, &v->vec, &v->vec,
						    99, 0));
	KUNIT_EXPECT_EQ(test, -EBADMSG, open_vec(b.rx, &v->vec, &dst->vec, &o));
	b.rx->seq = 1;
	KUNIT_EXPECT_EQ(test, 0, open_vec(b.rx, &v->vec, &dst->vec, &o));
	KUNIT_EXPECT_EQ(test, -EBADMSG, open_vec(b.rx, &v->vec, &dst->vec, &o));
}

/* No two records under one key may have one nonce */
static void cipher_explicit_nonces_differ(struct kunit *test)
{
	struct suite_vec *v = suite_vec(test, 1, 0, 4096);
	u8 first[16], second[16];
	struct both b;

	make_both(test, &b);
	if (!b.tx->prefix)
		kunit_skip(test, "no explicit nonce");
	KUNIT_ASSERT_EQ(test, 0, socktls_epoch_seal(b.tx, 23, &v->vec, &v->vec,
						    9, 0));
	socktls_vec_read(&v->vec, 5, first, b.tx->prefix);
	suite_vec_reset(v);
	KUNIT_ASSERT_EQ(test, 0, socktls_epoch_seal(b.tx, 23, &v->vec, &v->vec,
						    9, 0));
	socktls_vec_read(&v->vec, 5, second, b.tx->prefix);
	KUNIT_EXPECT_MEMNEQ(test, first, second, b.tx->prefix);
}

/* --- padding of TLS 1.3 --- */

static void padded(struct kunit *test, struct both *b, struct suite_vec *src,
		   struct suite_vec *dst, u32 len, u32 padding)
{
	struct opened o;

	/* the pages of a sender are not clean */
	suite_vec_reset(src);
	fill_plaintext(b->tx, src, src->vec.len - RECORD_HEADER_LEN);
	fill_plaintext(b->tx, src, len);
	KUNIT_ASSERT_EQ(test, 0, socktls_epoch_seal(b->tx, RECORD_ALERT,
						    &src->vec, &src->vec, len,
						    padding));
	KUNIT_ASSERT_EQ(test, src->vec.len,
			5 + len + 1 + padding + b->tx->cipher->tag_size);
	KUNIT_ASSERT_EQ(test, 0, open_vec(b->rx, &src->vec, &dst->vec, &o));
	KUNIT_ASSERT_EQ(test, RECORD_ALERT, o.type);
	expect_plaintext(test, &dst->vec, &o, len);
}

static void cipher_pads_and_strips(struct kunit *test)
{
	static const u32 lens[] = { 0, 1, 63, 64, 65, 1000, 16383, 16384 };
	static const u32 paddings[] = { 0, 1, 15, 63, 64, 65, 255, 256, 5000 };
	struct suite_vec *src = suite_vec(test, 8, 1001, 2300);
	struct suite_vec *dst = suite_vec(test, 5, 0, 4096);
	struct both b;
	u32 i, j;

	make_both(test, &b);
	for (i = 0; i < ARRAY_SIZE(lens); i++) {
		for (j = 0; j < ARRAY_SIZE(paddings); j++)
			if (lens[i] + paddings[j] <= 16384)
				padded(test, &b, src, dst, lens[i],
				       paddings[j]);
		padded(test, &b, src, dst, lens[i], 16384 - lens[i]);
	}
}

/* RFC 8446 section 5.4: TLSInnerPlaintext is at most 2^14 + 1 bytes */
static void cipher_refuses_padding_over_limit(struct kunit *test)
{
	struct suite_vec *v = suite_vec(test, 1, 0, 40000);
	struct both b;

	make_both(test, &b);
	KUNIT_EXPECT_EQ(test, -EINVAL,
			socktls_epoch_seal(b.tx, 23, &v->vec, &v->vec, 0,
					   16385));
	KUNIT_EXPECT_EQ(test, -EINVAL,
			socktls_epoch_seal(b.tx, 23, &v->vec, &v->vec, 16384,
					   1));
	KUNIT_EXPECT_EQ(test, -EINVAL,
			socktls_epoch_seal(b.tx, 23, &v->vec, &v->vec, 100,
					   16285));
	KUNIT_EXPECT_EQ(test, -EINVAL,
			socktls_epoch_seal(b.tx, 23, &v->vec, &v->vec, 1,
					   U32_MAX));
	KUNIT_EXPECT_EQ(test, 0, b.tx->seq);
	KUNIT_EXPECT_EQ(test, 40000, v->vec.len);
}

static void cipher_refuses_padding_without_tls_1_3(struct kunit *test)
{
	const struct suite_param *param = test->param_value;
	struct suite_vec *v = suite_vec(test, 1, 0, 4096);
	struct both b;

	make_both(test, &b);
	KUNIT_EXPECT_EQ(test, param->version == RECORD_TLS_1_3 ? 0 : -EINVAL,
			socktls_epoch_seal(b.tx, 23, &v->vec, &v->vec, 10, 1));
}

/* Authentic, but nothing in it is not zero: no content type */
static void cipher_tells_inner_plaintext_of_zeros(struct kunit *test)
{
	static const u32 paddings[] = { 0, 1, 62, 63, 64, 65, 127, 5000,
					16384 };
	struct suite_vec *src = suite_vec(test, 1, 0, 20000);
	struct suite_vec *dst = suite_vec(test, 5, 0, 4096);
	struct opened o;
	struct both b;
	u32 i;

	make_both(test, &b);
	for (i = 0; i < ARRAY_SIZE(paddings); i++) {
		suite_vec_reset(src);
		KUNIT_ASSERT_EQ(test, 0,
				socktls_epoch_seal(b.tx, 0, &src->vec,
						   &src->vec, 0, paddings[i]));
		KUNIT_ASSERT_EQ(test, -ENOMSG, open_vec(b.rx, &src->vec,
							&dst->vec, &o));
		b.rx->seq = b.tx->seq;
	}
}

/* Zeros before the content type are data */
static void cipher_keeps_zeros_of_the_plaintext(struct kunit *test)
{
	static const u32 lens[] = { 1, 63, 64, 65, 5000, 16384 };
	struct suite_vec *src = suite_vec(test, 1, 0, 20000);
	struct suite_vec *dst = suite_vec(test, 5, 0, 4096);
	struct opened o;
	struct both b;
	u32 i;

	make_both(test, &b);
	for (i = 0; i < ARRAY_SIZE(lens); i++) {
		suite_vec_reset(src);
		KUNIT_ASSERT_EQ(test, 0,
				socktls_epoch_seal(b.tx, 23, &src->vec,
						   &src->vec, lens[i],
						   (16384 - lens[i]) / 2));
		KUNIT_ASSERT_EQ(test, 0, open_vec(b.rx, &src->vec, &dst->vec,
						  &o));
		KUNIT_ASSERT_EQ(test, 23, o.type);
		KUNIT_ASSERT_EQ(test, lens[i], o.len);
	}
}

/* --- keys --- */

static void expect_refused(struct kunit *test, const struct socktls_key *key)
{
	struct socktls_epoch *epoch = socktls_epoch_new(key);

	KUNIT_EXPECT_PTR_EQ(test, epoch, ERR_PTR(-EINVAL));
	if (!IS_ERR(epoch))
		socktls_epoch_free(epoch);
}

static void cipher_refuses_key_that_does_not_fit(struct kunit *test)
{
	struct socktls_key good, key;
	u8 *const lens[] = { &key.key_len, &key.iv_len, &key.mac_key_len };
	u32 i;

	suite_make_key(test->param_value, &good);
	for (i = 0; i < ARRAY_SIZE(lens); i++) {
		key = good;
		*lens[i] += 1;
		expect_refused(test, &key);
		key = good;
		*lens[i] -= 1;
		expect_refused(test, &key);
	}
	key = good;
	key.version = 0x0302;
	expect_refused(test, &key);
	key = good;
	key.secret_len = CIPHER_SECRET_MAX + 1;
	expect_refused(test, &key);
	key = good;
	key.encrypt_then_mac = true;
	if (!good.mac_key_len)
		expect_refused(test, &key);
	if (!(socktls_cipher_find(good.cipher)->versions & CIPHER_TLS_1_3)) {
		key = good;
		key.version = RECORD_TLS_1_3;
		key.iv_len = RECORD_NONCE_LEN;
		expect_refused(test, &key);
	}
}

static void cipher_refuses_unknown_number(struct kunit *test)
{
	struct socktls_key key = { .version = RECORD_TLS_1_2, .key_len = 16,
				   .iv_len = 4 };
	u32 type;

	for (type = 0; type <= U16_MAX; type++) {
		key.cipher = type;
		if (!socktls_cipher_find(type))
			expect_refused(test, &key);
	}
}

static int alive;

static int cipher_suite_init(struct kunit_suite *suite)
{
	alive = socktls_cipher_alive();
	return 0;
}

static void cipher_leaves_no_epoch_behind(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, alive, socktls_cipher_alive());
}

static struct kunit_case cipher_cases[] = {
	KUNIT_CASE_PARAM(cipher_opens_known_record, aead_gen_params),
	KUNIT_CASE_PARAM(cipher_seals_known_record, aead_gen_params),
	KUNIT_CASE(cipher_opens_and_seals_the_record_of_rfc8448),
	KUNIT_CASE_PARAM(cipher_round_trips_every_shape, suite_gen_params),
	KUNIT_CASE_PARAM(cipher_leaves_a_plaintext_elsewhere_alone,
			 suite_gen_params),
	KUNIT_CASE_PARAM(cipher_limits_are_those_of_its_records,
			 suite_gen_params),
	KUNIT_CASE_PARAM(cipher_refuses_to_seal_over_limit_or_room,
			 suite_gen_params),
	KUNIT_CASE_PARAM(cipher_sequence_number_does_not_wrap,
			 suite_gen_params),
	KUNIT_CASE_PARAM(cipher_sequence_number_stays_when_opening_fails,
			 suite_gen_params),
	KUNIT_CASE_PARAM(cipher_refuses_record_out_of_order, suite_gen_params),
	KUNIT_CASE_PARAM(cipher_explicit_nonces_differ, suite_gen_params),
	KUNIT_CASE_PARAM(cipher_pads_and_strips, suite_13_gen_params),
	KUNIT_CASE_PARAM(cipher_refuses_padding_over_limit,
			 suite_13_gen_params),
	KUNIT_CASE_PARAM(cipher_refuses_padding_without_tls_1_3,
			 suite_gen_params),
	KUNIT_CASE_PARAM(cipher_tells_inner_plaintext_of_zeros,
			 suite_13_gen_params),
	KUNIT_CASE_PARAM(cipher_keeps_zeros_of_the_plaintext,
			 suite_13_gen_params),
	KUNIT_CASE_PARAM(cipher_refuses_key_that_does_not_fit,
			 suite_gen_params),
	KUNIT_CASE(cipher_refuses_unknown_number),
	KUNIT_CASE(cipher_leaves_no_epoch_behind),
	{}
};

static struct kunit_suite cipher_suite = {
	.name = "cipher",
	.suite_init = cipher_suite_init,
	.test_cases = cipher_cases,
};

kunit_test_suites(&cipher_suite);
