// SPDX-License-Identifier: GPL-2.0
/*
 * kmod/cbc.c: what opening a record has the hash do, and with which memory,
 * depends on the record's length on the wire only.
 *
 * The hashes it is given here are the kernel's own, behind one that keeps a
 * trace of every call.
 */
#include <crypto/hash.h>
#include <crypto/internal/hash.h>
#include <kunit/test.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "cbc_maker.h"

#define TRACE_PREFIX	"trace-"

/* More than the state of any hash of the SHA-2 family; ours goes behind it */
#define TRACE_STATE	240

enum trace_call { TRACE_INIT = 1, TRACE_UPDATE, TRACE_FINAL, TRACE_EXPORT,
		  TRACE_IMPORT };

/**
 * struct trace - what a hash was asked to do
 * @calls: how many calls there were
 * @compressions: how often its compression function ran
 * @call: each call: what, the memory given to it, and its size
 */
static struct trace {
	u32 calls;
	u32 compressions;
	struct {
		const void *memory;
		u32 len;
		enum trace_call call;
	} call[64];
} trace, expected;

static bool trace_spoils_export;

struct trace_state {
	u64 count;
	struct shash_desc inner;
};

static void trace_add(enum trace_call call, const void *memory, u32 len)
{
	u32 i = trace.calls++;

	if (i >= ARRAY_SIZE(trace.call))
		return;
	trace.call[i].call = call;
	trace.call[i].memory = memory;
	trace.call[i].len = len;
}

static int trace_init(struct shash_desc *desc)
{
	struct crypto_shash **inner = crypto_shash_ctx(desc->tfm);
	struct trace_state *state = shash_desc_ctx(desc);

	trace_add(TRACE_INIT, NULL, 0);
	state->count = 0;
	state->inner.tfm = *inner;
	return crypto_shash_init(&state->inner);
}

static int trace_update(struct shash_desc *desc, const u8 *data,
			unsigned int len)
{
	struct trace_state *state = shash_desc_ctx(desc);
	u32 block_size = crypto_shash_blocksize(desc->tfm);

	trace_add(TRACE_UPDATE, data, len);
	trace.compressions += (state->count + len) / block_size -
			      state->count / block_size;
	state->count += len;
	return crypto_shash_update(&state->inner, data, len);
}

static int trace_final(struct shash_desc *desc, u8 *digest)
{
	struct trace_state *state = shash_desc_ctx(desc);
	u32 block_size = crypto_shash_blocksize(desc->tfm);
	u32 rest = state->count % block_size;

	trace_add(TRACE_FINAL, digest, 0);
	trace.compressions += 1 + (rest + 1 + block_size / 8 > block_size);
	return crypto_shash_final(&state->inner, digest);
}

static int trace_export(struct shash_desc *desc, void *out)
{
	struct trace_state *state = shash_desc_ctx(desc);

	trace_add(TRACE_EXPORT, out, 0);
	memcpy(out + TRACE_STATE, &state->count, sizeof(state->count));
	if (!trace_spoils_export)
		return crypto_shash_export(&state->inner, out);
	memset(out, 0, TRACE_STATE);
	return crypto_shash_export(&state->inner, out + 8);
}

static int trace_import(struct shash_desc *desc, const void *in)
{
	struct crypto_shash **inner = crypto_shash_ctx(desc->tfm);
	struct trace_state *state = shash_desc_ctx(desc);

	trace_add(TRACE_IMPORT, in, 0);
	memcpy(&state->count, in + TRACE_STATE, sizeof(state->count));
	state->inner.tfm = *inner;
	return crypto_shash_import(&state->inner,
				   in + 8 * trace_spoils_export);
}

static int trace_init_tfm(struct crypto_shash *tfm)
{
	const char *name = crypto_tfm_alg_name(crypto_shash_tfm(tfm));
	struct crypto_shash **inner = crypto_shash_ctx(tfm);

	*inner = crypto_alloc_shash(name + strlen(TRACE_PREFIX), 0, 0);
	return PTR_ERR_OR_ZERO(*inner);
}

static void trace_exit_tfm(struct crypto_shash *tfm)
{
	struct crypto_shash **inner = crypto_shash_ctx(tfm);

	crypto_free_shash(*inner);
}

#define TRACE_ALG(_name, _digest, _block) {				\
	.init = trace_init,						\
	.update = trace_update,						\
	.final = trace_final,						\
	.export = trace_export,						\
	.import = trace_import,						\
	.init_tfm = trace_init_tfm,					\
	.exit_tfm = trace_exit_tfm,					\
	.descsize = sizeof(struct trace_state) + TRACE_STATE,		\
	.digestsize = (_digest),					\
	.statesize = TRACE_STATE + sizeof(u64),				\
	.base = {							\
		.cra_name = TRACE_PREFIX _name,				\
		.cra_driver_name = TRACE_PREFIX _name "-kunit",		\
		.cra_blocksize = (_block),				\
		.cra_ctxsize = sizeof(struct crypto_shash *),		\
		.cra_module = THIS_MODULE,				\
	},								\
}

static struct shash_alg trace_algs[] = {
	TRACE_ALG("sha1", 20, 64),
	TRACE_ALG("sha256", 32, 64),
	TRACE_ALG("sha384", 48, 128),
};

static int time_suite_init(struct kunit_suite *suite)
{
	return crypto_register_shashes(trace_algs, ARRAY_SIZE(trace_algs));
}

static void time_suite_exit(struct kunit_suite *suite)
{
	crypto_unregister_shashes(trace_algs, ARRAY_SIZE(trace_algs));
}

struct time_param {
	const char *name;
	struct socktls_cbc_desc plain;
	struct socktls_cbc_desc traced;
};

#define DESC(_hash, _mac, _hash_block) {				\
	.cipher = "cbc(aes)", .hash = (_hash), .key_size = 16,		\
	.mac_size = (_mac), .block_size = 16,				\
	.hash_block_size = (_hash_block),				\
}

#define PARAM(_hash, _mac, _hash_block) {				\
	.name = (_hash),						\
	.plain = DESC(_hash, _mac, _hash_block),			\
	.traced = DESC(TRACE_PREFIX _hash, _mac, _hash_block),		\
}

static const struct time_param time_params[] = {
	PARAM("sha1", 20, 64),
	PARAM("sha256", 32, 64),
	PARAM("sha384", 48, 128),
};

KUNIT_ARRAY_PARAM_DESC(time, time_params, name);

struct time_fixture {
	struct cbc_maker maker;
	struct socktls_cbc *rx;
};

static int time_test_init(struct kunit *test)
{
	const struct time_param *param = test->param_value;
	struct time_fixture *f;

	f = kunit_kzalloc(test, sizeof(*f), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, f);
	test->priv = f;
	cbc_maker_init(test, &f->maker, &param->plain, false);
	f->rx = socktls_cbc_new(&param->traced, f->maker.key,
				f->maker.mac_key, false);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, f->rx);
	return 0;
}

static void time_test_exit(struct kunit *test)
{
	struct time_fixture *f = test->priv;

	if (!f)
		return;
	if (!IS_ERR(f->rx))
		socktls_cbc_free(f->rx);
	cbc_maker_exit(&f->maker);
}

/* Opens the record in the making; the trace must be the expected one */
static void expect_trace(struct kunit *test, struct time_fixture *f, u32 len,
			 int result)
{
	u32 off, plaintext_len;

	len = cbc_make_sealed(test, &f->maker, len);
	memset(&trace, 0, sizeof(trace));
	KUNIT_ASSERT_EQ(test, result,
			socktls_cbc_open(f->rx, CBC_SEQ, CBC_TYPE, CBC_VERSION,
					 f->maker.buf, len, &off,
					 &plaintext_len));
	KUNIT_ASSERT_LE(test, trace.calls, ARRAY_SIZE(trace.call));
	if (!expected.calls)
		expected = trace;
	KUNIT_ASSERT_EQ(test, expected.compressions, trace.compressions);
	KUNIT_ASSERT_MEMEQ(test, &expected, &trace, sizeof(trace));
}

/* Records of one length: every padding, wrong padding, wrong MAC */
static void trace_fragment_len(struct kunit *test, struct time_fixture *f,
			       u32 fragment_len)
{
	struct cbc_maker *maker = &f->maker;
	u32 overhead = 16 + maker->desc->mac_size + 1;
	u32 padding, len;

	memset(&expected, 0, sizeof(expected));
	for (padding = 0; padding < 256; padding++) {
		if (overhead + padding > fragment_len)
			break;
		len = fragment_len - overhead - padding;
		if (len > SOCKTLS_CBC_MAX_PLAINTEXT)
			continue;
		cbc_make_clear(test, maker, len, padding);
		expect_trace(test, f, fragment_len, 0);

		cbc_make_clear(test, maker, len, padding);
		maker->buf[16 + len] ^= 1;
		expect_trace(test, f, fragment_len, -EBADMSG);

		cbc_make_clear(test, maker, len, padding);
		maker->buf[fragment_len - 1] ^= 0x80;
		expect_trace(test, f, fragment_len, -EBADMSG);
	}
}

static void cbc_open_hashes_the_same_for_every_padding(struct kunit *test)
{
	struct time_fixture *f = test->priv;
	u32 fragment_len;

	for (fragment_len = socktls_cbc_min_fragment(f->rx);
	     fragment_len <= 480; fragment_len += 16)
		trace_fragment_len(test, f, fragment_len);
}

static void cbc_open_hashes_the_same_in_large_records(struct kunit *test)
{
	struct time_fixture *f = test->priv;

	trace_fragment_len(test, f, 16384);
	trace_fragment_len(test, f, 16384 + 304);
}

/* One block of the hash after another, and none that is not needed */
static void cbc_open_hashes_little_more_than_hmac(struct kunit *test)
{
	struct time_fixture *f = test->priv;
	u32 block_size = f->maker.desc->hash_block_size;
	u32 fragment_len, longest, blocks;

	for (fragment_len = socktls_cbc_min_fragment(f->rx);
	     fragment_len <= 2048; fragment_len += 16) {
		longest = fragment_len - 16 - f->maker.desc->mac_size - 1;
		blocks = DIV_ROUND_UP(13 + longest + 1 + block_size / 8,
				      block_size);
		memset(&expected, 0, sizeof(expected));
		cbc_make_clear(test, &f->maker, longest, 0);
		expect_trace(test, f, fragment_len, 0);
		KUNIT_ASSERT_EQ(test, blocks + 1, trace.compressions);
	}
}

static void cbc_new_refuses_hash_of_unknown_export(struct kunit *test)
{
	const struct time_param *param = test->param_value;
	struct time_fixture *f = test->priv;
	struct socktls_cbc *cbc;

	trace_spoils_export = true;
	cbc = socktls_cbc_new(&param->traced, f->maker.key, f->maker.mac_key,
			      false);
	trace_spoils_export = false;
	KUNIT_ASSERT_TRUE(test, IS_ERR(cbc));
	KUNIT_EXPECT_EQ(test, -EOPNOTSUPP, PTR_ERR(cbc));
}

static struct kunit_case time_cases[] = {
	KUNIT_CASE_PARAM(cbc_open_hashes_the_same_for_every_padding,
			 time_gen_params),
	KUNIT_CASE_PARAM(cbc_open_hashes_the_same_in_large_records,
			 time_gen_params),
	KUNIT_CASE_PARAM(cbc_open_hashes_little_more_than_hmac,
			 time_gen_params),
	KUNIT_CASE_PARAM(cbc_new_refuses_hash_of_unknown_export,
			 time_gen_params),
	{}
};

static struct kunit_suite time_suite = {
	.name = "cbc_time",
	.suite_init = time_suite_init,
	.suite_exit = time_suite_exit,
	.init = time_test_init,
	.exit = time_test_exit,
	.test_cases = time_cases,
};

kunit_test_suites(&time_suite);
