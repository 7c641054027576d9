// SPDX-License-Identifier: MIT
/* Policies: the three profiles, and an administrator's own. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/groups.h"
#include "engine/policy.h"
#include "engine/sigalgs.h"
#include "engine/suites.h"
#include "engine/protocol.h"
#include "world.h"

/* Mozilla's guideline 5.7, "old" without what is below TLS 1.2 or 3DES. */
static const struct {
	const char	*name;
	uint16_t	min_version;
	bool		peer_order;
	const char	*suites;
} profiles[] = {
	{ "modern", TLS13, true,
	  "TLS_AES_128_GCM_SHA256 TLS_AES_256_GCM_SHA384 "
	  "TLS_CHACHA20_POLY1305_SHA256 " },
	{ "intermediate", TLS12, true,
	  "TLS_AES_128_GCM_SHA256 TLS_AES_256_GCM_SHA384 "
	  "TLS_CHACHA20_POLY1305_SHA256 "
	  "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256 "
	  "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256 "
	  "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384 "
	  "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384 "
	  "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256 "
	  "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256 "
	  "TLS_DHE_RSA_WITH_AES_128_GCM_SHA256 "
	  "TLS_DHE_RSA_WITH_AES_256_GCM_SHA384 "
	  "TLS_DHE_RSA_WITH_CHACHA20_POLY1305_SHA256 " },
	{ "legacy", TLS12, false,
	  "TLS_AES_128_GCM_SHA256 TLS_AES_256_GCM_SHA384 "
	  "TLS_CHACHA20_POLY1305_SHA256 "
	  "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256 "
	  "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256 "
	  "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384 "
	  "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384 "
	  "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256 "
	  "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256 "
	  "TLS_DHE_RSA_WITH_AES_128_GCM_SHA256 "
	  "TLS_DHE_RSA_WITH_AES_256_GCM_SHA384 "
	  "TLS_DHE_RSA_WITH_CHACHA20_POLY1305_SHA256 "
	  "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256 "
	  "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256 "
	  "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA "
	  "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA "
	  "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA384 "
	  "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384 "
	  "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA "
	  "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA "
	  "TLS_DHE_RSA_WITH_AES_128_CBC_SHA256 "
	  "TLS_DHE_RSA_WITH_AES_256_CBC_SHA256 "
	  "TLS_RSA_WITH_AES_128_GCM_SHA256 TLS_RSA_WITH_AES_256_GCM_SHA384 "
	  "TLS_RSA_WITH_AES_128_CBC_SHA256 TLS_RSA_WITH_AES_256_CBC_SHA256 "
	  "TLS_RSA_WITH_AES_128_CBC_SHA TLS_RSA_WITH_AES_256_CBC_SHA " },
};

static void profiles_are_the_well_known_ones(void **state)
{
	size_t i, j;

	(void)state;
	for (i = 0; i < 3; i++) {
		const struct policy *policy = policy_find(profiles[i].name);
		char suites[2048] = "";

		for (j = 0; j < policy->n_suites; j++) {
			strcat(suites, suite_find(policy->suites[j])->name);
			strcat(suites, " ");
		}
		assert_string_equal(suites, profiles[i].suites);
		assert_int_equal(policy->min_version, profiles[i].min_version);
		assert_int_equal(policy->max_version, TLS13);
		assert_int_equal(policy->peer_order, profiles[i].peer_order);
		/* x25519, P-256, P-384, with the hybrid in front */
		assert_int_equal(policy->groups[0], 0x11ec);
		assert_int_equal(policy->groups[1], 0x001d);
		assert_int_equal(policy->groups[2], 0x0017);
		assert_int_equal(policy->groups[3], 0x0018);
	}
}

/* --------------------------------------------------- an administrator's */

static struct engine_policy *policy_of(const char *const *lines, size_t n)
{
	struct engine_policy *policy = engine_policy_new();
	char text[256] = "";
	size_t i;

	for (i = 0; i < n; i += 2)
		if (engine_policy_set(policy, lines[i], lines[i + 1], text,
				      sizeof(text)))
			fail_msg("%s", text);
	if (engine_policy_check(policy, text, sizeof(text)))
		fail_msg("%s", text);
	return policy;
}

#define POLICY(...) policy_of((const char *const []){ __VA_ARGS__ }, \
	sizeof((const char *const []){ __VA_ARGS__ }) / sizeof(char *))

static void own_lists_decide(void **state)
{
	struct engine_policy *policy = POLICY(
		"base", "legacy", "max-version", "1.2",
		"ciphers", "TLS_RSA_WITH_AES_256_CBC_SHA256 TLS_RSA_WITH_AES_128_CCM",
		"groups", "secp521r1:x448");
	struct engine_config c = world_client(), s = world_server(&world.rsa);
	struct pair pair;

	(void)state;
	c.policy = "legacy";
	s.rules = policy;
	world_run(&pair, c, s);
	pair_assert_good(&pair);
	assert_int_equal(pair.client.result.version, TLS12);
	assert_int_equal(pair.client.result.suite, 0x003d);
	pair_free(&pair);
	engine_policy_put(policy);

	policy = POLICY("groups", "secp384r1", "sigalgs",
			"ecdsa_secp256r1_sha256, rsa_pss_rsae_sha512",
			"min-version", "1.3");
	s.rules = policy;
	world_run(&pair, world_client(), s);
	pair_assert_good(&pair);
	assert_int_equal(pair.client.result.group, 0x0018);
	assert_int_equal(pair.client.result.signature_scheme, 0x0806);
	pair_free(&pair);
	engine_policy_put(policy);
}

/* A configuration file continues long lists in lines of their own. */
static void continued_lists_go_on(void **state)
{
	struct engine_policy *policy = POLICY(
		"ciphers", "TLS_AES_256_GCM_SHA384",
		"ciphers", "TLS_AES_128_GCM_SHA256");

	(void)state;
	assert_int_equal(policy->policy.n_suites, 2);
	assert_int_equal(policy->policy.suites[0], 0x1302);
	assert_int_equal(policy->policy.suites[1], 0x1301);
	engine_policy_put(policy);
}

static void order_and_level_are_taken(void **state)
{
	struct engine_policy *policy = POLICY(
		"base", "modern", "order", "server", "security-level", "3",
		"record-size-limit", "64");

	(void)state;
	assert_false(policy->policy.peer_order);
	assert_int_equal(policy->policy.security_level, 3);
	assert_int_equal(policy->policy.record_limit, 64);
	assert_int_equal(policy->policy.min_version, TLS13);
	engine_policy_put(policy);
	policy = POLICY("order", "client");
	assert_true(policy->policy.peer_order);
	engine_policy_put(policy);
}

static void bad_values_are_refused_by_name(void **state)
{
	static const struct {
		const char *key, *value, *complaint;
	} bad[] = {
		{ "base", "paranoid", "\"paranoid\" is no policy" },
		{ "base", "", "is no policy" },
		{ "min-version", "1.1", "not 1.2 or 1.3" },
		{ "max-version", "TLSv1.3", "not 1.2 or 1.3" },
		{ "order", "mine", "\"server\" or \"client\"" },
		{ "ciphers", "TLS_AES_128_GCM_SHA256 RC4-MD5",
		  "\"RC4-MD5\" is not a cipher suite" },
		{ "ciphers", " , ", "empty" },
		{ "groups", "secp256k1", "not a group" },
		{ "sigalgs", "rsa_pkcs1_md5", "not a signature scheme" },
		{ "security-level", "0", "from 1 to 5" },
		{ "security-level", "2x", "from 1 to 5" },
		{ "record-size-limit", "63", "from 64 to 16384" },
		{ "record-size-limit", "-64", "from 64 to 16384" },
		{ "record-size-limit", "16385", "from 64 to 16384" },
		{ "client-ocsp", "yes", "\"request\" or \"require\"" },
		{ "cyphers", "x", "no such key: \"cyphers\"" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct engine_policy *policy = engine_policy_new();
		char text[256] = "";

		assert_int_equal(engine_policy_set(policy, bad[i].key,
						   bad[i].value, text,
						   sizeof(text)), -EINVAL);
		if (!strstr(text, bad[i].complaint))
			fail_msg("%s = %s: %s", bad[i].key, bad[i].value, text);
		engine_policy_put(policy);
	}
}

/* What was refused leaves nothing behind, whatever comes then. */
static void refused_lists_leave_the_base(void **state)
{
	struct engine_policy *policy = engine_policy_new();
	size_t n = policy->policy.n_suites, i;
	char text[256], long_list[20 * 130] = "";

	(void)state;
	assert_int_equal(engine_policy_set(policy, "ciphers",
			"TLS_AES_128_GCM_SHA256 nonsense", text, sizeof(text)),
			 -EINVAL);
	assert_int_equal(engine_policy_check(policy, text, sizeof(text)), 0);
	assert_int_equal(policy->policy.n_suites, n);
	assert_int_equal(engine_policy_set(policy, "ciphers",
			"TLS_AES_128_GCM_SHA256", text, sizeof(text)), 0);
	assert_int_equal(policy->policy.n_suites, 1);
	assert_int_equal(engine_policy_check(policy, text, sizeof(text)), 0);
	for (i = 0; i < 129; i++)
		strcat(long_list, "ed25519 ");
	assert_int_equal(engine_policy_set(policy, "sigalgs", long_list, text,
					   sizeof(text)), -EINVAL);
	assert_non_null(strstr(text, "more than 128"));
	engine_policy_put(policy);
}

static void refuse(struct engine_policy *policy, const char *key,
		   const char *value, const char *complaint)
{
	char text[256] = "";

	assert_int_equal(engine_policy_set(policy, key, value, text,
					   sizeof(text)), 0);
	assert_int_equal(engine_policy_check(policy, text, sizeof(text)),
			 -EINVAL);
	assert_non_null(strstr(text, complaint));
	engine_policy_put(policy);
}

static void policies_that_allow_nothing_are_refused(void **state)
{
	struct engine_policy *policy = engine_policy_new();
	char text[256];

	(void)state;
	engine_policy_set(policy, "min-version", "1.3", text, sizeof(text));
	refuse(policy, "max-version", "1.2", "above");
	policy = engine_policy_new();
	engine_policy_set(policy, "min-version", "1.3", text, sizeof(text));
	refuse(policy, "ciphers", "TLS_RSA_WITH_AES_128_CBC_SHA",
	       "no cipher suite");
	if (!group_find(0x11ec))
		refuse(engine_policy_new(), "groups", "X25519MLKEM768",
		       "libcrypto");
	policy = engine_policy_new();
	engine_policy_set(policy, "order", "client", text, sizeof(text));
	assert_int_equal(engine_policy_set(policy, "base", "modern", text,
					   sizeof(text)), -EINVAL);
	assert_non_null(strstr(text, "before"));
	engine_policy_put(policy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(profiles_are_the_well_known_ones),
		cmocka_unit_test(own_lists_decide),
		cmocka_unit_test(continued_lists_go_on),
		cmocka_unit_test(order_and_level_are_taken),
		cmocka_unit_test(bad_values_are_refused_by_name),
		cmocka_unit_test(refused_lists_leave_the_base),
		cmocka_unit_test(policies_that_allow_nothing_are_refused),
	};

	return cmocka_run_group_tests_name("policy", tests, world_setup,
					   world_teardown);
}
