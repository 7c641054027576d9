// SPDX-License-Identifier: MIT
/* The key of cookies: what opens, and what does not. */
#include "fixture.h"

#include <errno.h>
#include <string.h>

#include <linux/socktls_netlink.h>

#include "daemon/cookiekey.h"
#include "engine/wire.h"

#define ID	0x1122334455667788

static struct cookiekey *key;
static const char content[] = "exporter and resumption secrets";

/**
 * struct sealed - a cookie as the kernel has it
 * @len: bytes in @data
 */
struct sealed {
	size_t	len;
	uint8_t	data[SOCKTLS_COOKIE_MAX];
};

static int setup(void **state)
{
	(void)state;
	return cookiekey_new(&key);
}

static int teardown(void **state)
{
	(void)state;
	cookiekey_free(key);
	return 0;
}

static void seal(struct sealed *sealed, const void *data, size_t len)
{
	assert_int_equal(cookiekey_seal(key, ID, bytes_of(data, len),
					sealed->data, &sealed->len), 0);
	assert_int_equal(sealed->len, len + COOKIE_SEAL_OVERHEAD);
}

static int open_with(const struct cookiekey *with, uint64_t id,
		     const struct sealed *sealed, size_t len)
{
	uint8_t plain[SOCKTLS_COOKIE_MAX];
	size_t plain_len = 0;
	int ret;

	memset(plain, 0xee, sizeof(plain));
	ret = cookiekey_open(with, id, bytes_of(sealed->data, len), plain,
			     &plain_len);
	if (ret == 0) {
		assert_int_equal(plain_len, sizeof(content));
		assert_memory_equal(plain, content, sizeof(content));
	} else {
		assert_null(memmem(plain, sizeof(plain), "secrets", 7));
	}
	return ret;
}

static void opens_what_it_sealed(void **state)
{
	struct sealed one, two;

	(void)state;
	seal(&one, content, sizeof(content));
	seal(&two, content, sizeof(content));
	assert_int_equal(open_with(key, ID, &one, one.len), 0);
	assert_int_equal(open_with(key, ID, &two, two.len), 0);
	assert_null(memmem(one.data, one.len, "secrets", 7));
	/* another nonce */
	assert_memory_not_equal(one.data, two.data, one.len);
	assert_memory_not_equal(one.data + 8, two.data + 8, sizeof(content));
}

static void refuses_every_flipped_bit(void **state)
{
	struct sealed sealed;

	(void)state;
	seal(&sealed, content, sizeof(content));
	for (size_t bit = 0; bit < 8 * sealed.len; bit++) {
		sealed.data[bit / 8] ^= 1 << bit % 8;
		assert_int_equal(open_with(key, ID, &sealed, sealed.len),
				 -ESTALE);
		sealed.data[bit / 8] ^= 1 << bit % 8;
	}
	assert_int_equal(open_with(key, ID, &sealed, sealed.len), 0);
}

static void refuses_other_lengths(void **state)
{
	struct sealed sealed;

	(void)state;
	seal(&sealed, content, sizeof(content));
	for (size_t len = 0; len < sealed.len; len++)
		assert_int_equal(open_with(key, ID, &sealed, len), -ESTALE);
	sealed.data[sealed.len] = 0;
	assert_int_equal(open_with(key, ID, &sealed, sealed.len + 1), -ESTALE);
}

static void refuses_the_cookie_of_another_connection(void **state)
{
	struct sealed sealed;

	(void)state;
	seal(&sealed, content, sizeof(content));
	for (int bit = 0; bit < 64; bit++)
		assert_int_equal(open_with(key, ID ^ 1ULL << bit, &sealed,
					   sealed.len), -ESTALE);
}

static void refuses_the_cookie_of_another_key(void **state)
{
	struct cookiekey *other;
	struct sealed sealed;

	(void)state;
	assert_int_equal(cookiekey_new(&other), 0);
	seal(&sealed, content, sizeof(content));
	assert_int_equal(open_with(other, ID, &sealed, sealed.len), -ESTALE);
	cookiekey_free(other);
}

static void seals_what_the_kernel_takes_and_no_more(void **state)
{
	static const uint8_t zeros[SOCKTLS_COOKIE_MAX];
	uint8_t plain[SOCKTLS_COOKIE_MAX];
	struct sealed sealed;
	size_t len;

	(void)state;
	seal(&sealed, zeros, SOCKTLS_COOKIE_MAX - COOKIE_SEAL_OVERHEAD);
	assert_int_equal(sealed.len, SOCKTLS_COOKIE_MAX);
	assert_int_equal(cookiekey_open(key, ID,
					bytes_of(sealed.data, sealed.len),
					plain, &len), 0);
	assert_int_equal(len, SOCKTLS_COOKIE_MAX - COOKIE_SEAL_OVERHEAD);
	assert_memory_equal(plain, zeros, len);
	len = SOCKTLS_COOKIE_MAX - COOKIE_SEAL_OVERHEAD + 1;
	assert_int_equal(cookiekey_seal(key, ID, bytes_of(zeros, len),
					sealed.data, &len), -E2BIG);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(opens_what_it_sealed),
		TEST(refuses_every_flipped_bit),
		TEST(refuses_other_lengths),
		TEST(refuses_the_cookie_of_another_connection),
		TEST(refuses_the_cookie_of_another_key),
		TEST(seals_what_the_kernel_takes_and_no_more),
	};

	return cmocka_run_group_tests_name("cookiekey", tests, NULL, NULL);
}
