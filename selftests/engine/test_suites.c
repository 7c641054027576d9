// SPDX-License-Identifier: MIT
/*
 * The engine's table of suites against the kernel's table of record
 * protections: what is negotiated can be installed, and the other way round.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>
#include <linux/socktls.h>
#include <linux/tls.h>

#include "engine/protocol.h"
#include "engine/suites.h"

enum versions { ONLY_12 = 1, BOTH = 3 };

struct protection {
	uint16_t	type;
	const char	*name;
	uint8_t		key_size;
	uint8_t		salt_size;
	uint8_t		mac_size;
	enum versions	versions;
};

#define CIPHER_AEAD(_type, _name, _aead, _key, _salt, _explicit, _tag,	\
		    _ccm, _versions, _limit)				\
	{ (_type), (_name), (_key), (_salt), 0, (_versions) },
#define CIPHER_CBC(_type, _name, _key, _hash, _mac, _hash_block)	\
	{ (_type), (_name), (_key), 0, (_mac), ONLY_12 },

static const struct protection kernel[] = {
#include "../../kmod/cipher_table.h"
};

#define N_KERNEL	(sizeof(kernel) / sizeof(kernel[0]))

/* For the key plane only, as stock kTLS has them. */
static const uint16_t key_plane_only[] = {
	TLS_CIPHER_SM4_GCM, TLS_CIPHER_SM4_CCM,
	TLS_CIPHER_ARIA_GCM_128, TLS_CIPHER_ARIA_GCM_256,
};

static const struct protection *kernel_find(uint16_t type)
{
	size_t i;

	for (i = 0; i < N_KERNEL; i++)
		if (kernel[i].type == type)
			return &kernel[i];
	return NULL;
}

static bool is_key_plane_only(uint16_t type)
{
	size_t i;

	for (i = 0; i < sizeof(key_plane_only) / sizeof(uint16_t); i++)
		if (key_plane_only[i] == type)
			return true;
	return false;
}

static bool is_negotiated(uint16_t type)
{
	const struct suite *suite;
	size_t i;

	for (i = 0; (suite = suite_at(i)); i++)
		if (suite->cipher == type)
			return true;
	return false;
}

static void suites_have_a_protection_in_the_kernel(void **state)
{
	const struct suite *suite;
	size_t i;

	(void)state;
	for (i = 0; (suite = suite_at(i)); i++) {
		const struct protection *p = kernel_find(suite->cipher);

		if (!p)
			fail_msg("%s: the kernel has no cipher 0x%x",
				 suite->name, suite->cipher);
		assert_int_equal(suite->key_len, p->key_size);
		assert_int_equal(suite->mac_len, p->mac_size);
		if (suite->version == TLS13) {
			assert_int_equal(p->versions, BOTH);
			assert_int_equal(suite->iv_len, 12);
		} else {
			assert_int_equal(suite->version, TLS12);
			assert_int_equal(suite->iv_len, p->salt_size);
		}
	}
	assert_true(i > 0);
}

static void protections_of_the_kernel_have_a_suite(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < N_KERNEL; i++)
		if (is_negotiated(kernel[i].type) ==
		    is_key_plane_only(kernel[i].type))
			fail_msg("%s (0x%x): a suite uses it or it is for the key plane only, not both, not neither",
				 kernel[i].name, kernel[i].type);
}

static void protections_have_numbers_of_their_own(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < N_KERNEL; i++)
		assert_ptr_equal(kernel_find(kernel[i].type), &kernel[i]);
}

/* Every write key, MAC key and IV has room where it is passed on. */
static void keys_fit_the_engines_buffers(void **state)
{
	struct engine_key key;
	size_t i;

	(void)state;
	for (i = 0; i < N_KERNEL; i++) {
		assert_true(kernel[i].key_size <= sizeof(key.key));
		assert_true(kernel[i].mac_size <= sizeof(key.mac_key));
		assert_true(kernel[i].salt_size <= sizeof(key.iv));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(suites_have_a_protection_in_the_kernel),
		cmocka_unit_test(protections_of_the_kernel_have_a_suite),
		cmocka_unit_test(protections_have_numbers_of_their_own),
		cmocka_unit_test(keys_fit_the_engines_buffers),
	};

	return cmocka_run_group_tests_name("suites", tests, NULL, NULL);
}
