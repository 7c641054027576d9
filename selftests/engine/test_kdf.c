// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "engine/kdf.h"
#include "hex.h"

static void hkdf_case(const char *ikm, const char *salt, const char *info,
		      const char *prk_text, const char *okm_text)
{
	struct hex i = hex(ikm), s = hex(salt), f = hex(info);
	struct hex okm = hex(okm_text);
	uint8_t prk[32], out[128];

	assert_int_equal(kdf_extract(EVP_sha256(), hex_view(&s), hex_view(&i),
				     prk), 0);
	assert_hex_equal(prk, sizeof(prk), prk_text);
	assert_int_equal(kdf_expand(EVP_sha256(), bytes_of(prk, sizeof(prk)),
				    hex_view(&f), out, okm.len), 0);
	assert_memory_equal(out, okm.data, okm.len);
}

/* RFC 5869 appendices A.1, A.2, A.3 */
static void hkdf_matches_rfc5869_basic(void **state)
{
	(void)state;
	hkdf_case("0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b",
		  "000102030405060708090a0b0c", "f0f1f2f3f4f5f6f7f8f9",
		  "077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5",
		  "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf"
		  "34007208d5b887185865");
}

static void hkdf_matches_rfc5869_longer(void **state)
{
	(void)state;
	hkdf_case("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
		  "202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f"
		  "404142434445464748494a4b4c4d4e4f",
		  "606162636465666768696a6b6c6d6e6f707172737475767778797a7b7c7d7e7f"
		  "808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f"
		  "a0a1a2a3a4a5a6a7a8a9aaabacadaeaf",
		  "b0b1b2b3b4b5b6b7b8b9babbbcbdbebfc0c1c2c3c4c5c6c7c8c9cacbcccdcecf"
		  "d0d1d2d3d4d5d6d7d8d9dadbdcdddedfe0e1e2e3e4e5e6e7e8e9eaebecedeeef"
		  "f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff",
		  "06a6b88c5853361a06104c9ceb35b45cef760014904671014a193f40c15fc244",
		  "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c"
		  "59045a99cac7827271cb41c65e590e09da3275600c2f09b8367793a9aca3db71"
		  "cc30c58179ec3e87c14c01d5c1f3434f1d87");
}

static void hkdf_matches_rfc5869_empty_salt(void **state)
{
	(void)state;
	hkdf_case("0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "", "",
		  "19ef24a32c717b167f33a91d6f648bdf96596776afdb6377ac434c1c293ccb04",
		  "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d"
		  "9d201395faa4b61a96c8");
}

static void hkdf_refuses_more_than_255_blocks(void **state)
{
	static uint8_t out[255 * 32 + 1];
	uint8_t prk[32] = { 0 };

	(void)state;
	assert_int_equal(kdf_expand(EVP_sha256(), bytes_of(prk, 32),
				    bytes_of("", 0), out, 255 * 32), 0);
	assert_int_not_equal(kdf_expand(EVP_sha256(), bytes_of(prk, 32),
					bytes_of("", 0), out, 255 * 32 + 1), 0);
}

/* The vectors that were posted to the IETF TLS list for RFC 5246's PRF. */
static void prf_matches_vector_sha256(void **state)
{
	struct hex secret = hex("9bbe436ba940f017b17652849a71db35");
	struct hex seed = hex("a0ba9f936cda311827a6f796ffd5198c");
	uint8_t out[100];

	(void)state;
	/* the seed in two parts must be the seed in one */
	assert_int_equal(kdf_prf(EVP_sha256(), hex_view(&secret), "test label",
				 bytes_of(seed.data, 5),
				 bytes_of(seed.data + 5, seed.len - 5), out,
				 sizeof(out)), 0);
	assert_hex_equal(out, sizeof(out),
		"e3f229ba727be17b8d122620557cd453c2aab21d07c3d495329b52d4e61edb5a"
		"6b301791e90d35c9c9a46b4e14baf9af0fa022f7077def17abfd3797c0564bab"
		"4fbc91666e9def9b97fce34f796789baa48082d122ee42c5a72e5a5110fff701"
		"87347b66");
}

static void prf_matches_vector_sha384(void **state)
{
	struct hex secret = hex("b80b733d6ceefcdc71566ea48e5567df");
	struct hex seed = hex("cd665cf6a8447dd6ff8b27555edb7465");
	uint8_t out[148];

	(void)state;
	assert_int_equal(kdf_prf(EVP_sha384(), hex_view(&secret), "test label",
				 hex_view(&seed), bytes_of(NULL, 0), out,
				 sizeof(out)), 0);
	assert_hex_equal(out, sizeof(out),
		"7b0c18e9ced410ed1804f2cfa34a336a1c14dffb4900bb5fd7942107e81c83cd"
		"e9ca0faa60be9fe34f82b1233c9146a0e534cb400fed2700884f9dc236f80edd"
		"8bfa961144c9e8d792eca722a7b32fc3d416d473ebc2c5fd4abfdad05d918425"
		"9b5bf8cd4d90fa0d31e2dec479e4f1a26066f2eea9a69236a3e52655c9e9aee6"
		"91c8f3a26854308d5eaa3be85e0990703d73e56f");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hkdf_matches_rfc5869_basic),
		cmocka_unit_test(hkdf_matches_rfc5869_longer),
		cmocka_unit_test(hkdf_matches_rfc5869_empty_salt),
		cmocka_unit_test(hkdf_refuses_more_than_255_blocks),
		cmocka_unit_test(prf_matches_vector_sha256),
		cmocka_unit_test(prf_matches_vector_sha384),
	};

	return cmocka_run_group_tests_name("kdf", tests, NULL, NULL);
}
