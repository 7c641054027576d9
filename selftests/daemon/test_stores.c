// SPDX-License-Identifier: MIT
/* Identities and trust stores, loaded from a directory. */
#include "fixture.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/stores.h"

static struct fixture fixture;

static int setup(void **state)
{
	(void)state;
	fixture_make(&fixture);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	fixture_remove(&fixture);
	return 0;
}

/* Loads with no system store, so that the machine's does not matter. */
static struct stores *load_over(const struct stores *old,
				size_t expected_errors)
{
	char error[ERROR_TEXT_MAX];
	struct config config;
	struct stores *stores;
	size_t n_errors;

	assert_int_equal(config_load(&config, fixture.dir, error,
				     sizeof(error)), 0);
	if (strcmp(config.system_trust, CONFIG_SYSTEM_TRUST) == 0)
		config.system_trust[0] = '\0';
	assert_int_equal(stores_load(&stores, &config, old, &n_errors), 0);
	assert_int_equal(n_errors, expected_errors);
	return stores;
}

static struct stores *load(size_t expected_errors)
{
	return load_over(NULL, expected_errors);
}

static int find(struct stores *stores, const char *name, uid_t uid, gid_t gid,
		const char *expected_text)
{
	struct identity *identity = NULL;
	char error[ERROR_TEXT_MAX] = "";
	int err = stores_find_identity(stores, name, uid, gid, &identity,
				       error, sizeof(error));

	if (!err) {
		assert_non_null(identity);
		assert_non_null(identity->engines[0]);
	} else if (!strstr(error, expected_text)) {
		fail_msg("%s", error);
	}
	return err;
}

static void both_identities_load(void **state)
{
	struct stores *stores;

	(void)state;
	fixture_fill(&fixture);
	stores = load(0);
	assert_int_equal(stores_count_identities(stores), 2);
	assert_int_equal(stores_count_trusts(stores), 1);
	assert_int_equal(find(stores, "client", 0, 0, ""), 0);
	assert_int_equal(find(stores, "default", 0, 0, ""), 0);
	assert_int_equal(find(stores, NULL, 0, 0, ""), 0);
	assert_int_equal(find(stores, "", 0, 0, ""), 0);
	stores_free(stores);
}

static void empty_directory_is_fine(void **state)
{
	struct stores *stores;

	(void)state;
	fixture_empty(&fixture);
	stores = load(0);
	assert_int_equal(find(stores, NULL, 0, 0, "no default identity"),
			 -ENOKEY);
	stores_free(stores);
}

static void unknown_identity_is_named(void **state)
{
	struct stores *stores;

	(void)state;
	fixture_fill(&fixture);
	stores = load(0);
	assert_int_equal(find(stores, "nobody", 0, 0,
			      "no identity \"nobody\""), -ENOKEY);
	assert_int_equal(find(stores, "../default", 0, 0, "no identity"),
			 -ENOKEY);
	stores_free(stores);
}

static void without_allow_file_the_key_owner_may(void **state)
{
	struct stores *stores;
	char path[128];

	(void)state;
	fixture_fill(&fixture);
	snprintf(path, sizeof(path), "%s/identities/default/key.pem",
		 fixture.dir);
	if (geteuid() != 0)
		skip();
	assert_int_equal(chown(path, 1234, 1234), 0);
	stores = load(0);
	assert_int_equal(find(stores, "default", 0, 0, ""), 0);
	assert_int_equal(find(stores, "default", 1234, 99, ""), 0);
	assert_int_equal(find(stores, "default", 1235, 1234,
			      "uid 1235 (gid 1234) may not use the identity \"default\""),
			 -EACCES);
	stores_free(stores);
}

static void allow_file_replaces_the_owner(void **state)
{
	struct stores *stores;
	char path[128];

	(void)state;
	fixture_fill(&fixture);
	snprintf(path, sizeof(path), "%s/identities/default/key.pem",
		 fixture.dir);
	if (geteuid() != 0)
		skip();
	assert_int_equal(chown(path, 1234, 1234), 0);
	fixture_write(&fixture, "identities/default/allow",
		      "user 1000\ngroup 2000\n");
	stores = load(0);
	assert_int_equal(find(stores, NULL, 1000, 1, ""), 0);
	assert_int_equal(find(stores, NULL, 1, 2000, ""), 0);
	assert_int_equal(find(stores, NULL, 1234, 1234, "may not use"),
			 -EACCES);
	stores_free(stores);
}

/* A bad identity is skipped, and costs no other. */
static void assert_skipped(const char *reason)
{
	struct stores *stores;
	const char *text;

	log_capture();
	stores = load(1);
	text = log_captured();
	if (!strstr(text, reason))
		fail_msg("%s", text);
	assert_int_equal(find(stores, "client", 0, 0, ""), 0);
	assert_int_equal(find(stores, "default", 0, 0, "no identity"),
			 -ENOKEY);
	stores_free(stores);
}

static void broken_identities_are_skipped(void **state)
{
	char path[128];

	(void)state;
	fixture_fill(&fixture);
	fixture_write(&fixture, "identities/default/key.pem",
		      fixture.client->key_pem);
	assert_skipped("chain.pem: key.pem is not the private key of its first certificate");

	fixture_fill(&fixture);
	fixture_write(&fixture, "identities/default/key.pem", "rubbish");
	assert_skipped("identities/default/key.pem: ");

	fixture_fill(&fixture);
	fixture_write(&fixture, "identities/default/chain.pem", "rubbish");
	assert_skipped("identities/default/chain.pem: ");

	fixture_fill(&fixture);
	fixture_write(&fixture, "identities/default/chain.pem", "");
	assert_skipped("identities/default/chain.pem: ");

	fixture_fill(&fixture);
	fixture_write(&fixture, "identities/default/allow", "user\n");
	assert_skipped("identities/default/allow: line 1: expected");

	fixture_fill(&fixture);
	snprintf(path, sizeof(path), "%s/identities/default/key.pem",
		 fixture.dir);
	unlink(path);
	assert_skipped("identities/default/key.pem: No such file");

	assert_int_equal(mkdir(path, 0700), 0);
	assert_skipped("identities/default/key.pem: Invalid argument");
}

static void odd_names_are_errors_and_hidden_ones_are_not(void **state)
{
	struct stores *stores;
	const char *text;

	(void)state;
	fixture_fill(&fixture);
	fixture_write(&fixture, "identities/.git/x", "");
	fixture_write(&fixture, "trust/README", "");
	fixture_write(&fixture, "trust/.x.pem", "");
	fixture_write(&fixture, "identities/a b/x", "");
	log_capture();
	stores = load(1);
	text = log_captured();
	assert_non_null(strstr(text, "identities/a b skipped"));
	stores_free(stores);
}

static void world_readable_key_is_warned_of(void **state)
{
	char path[128];

	(void)state;
	fixture_fill(&fixture);
	snprintf(path, sizeof(path), "%s/identities/default/key.pem",
		 fixture.dir);
	assert_int_equal(chmod(path, 0644), 0);
	log_capture();
	stores_free(load(0));
	assert_non_null(strstr(log_captured(), "mode 0644"));
}

static void broken_trust_is_skipped(void **state)
{
	struct stores *stores;
	const char *text;

	(void)state;
	fixture_fill(&fixture);
	fixture_write(&fixture, "trust/other.pem", "rubbish");
	log_capture();
	stores = load(1);
	text = log_captured();
	if (!strstr(text, "trust/other.pem"))
		fail_msg("%s", text);
	assert_int_equal(stores_count_trusts(stores), 1);
	stores_free(stores);
}

static int find_trust(struct stores *stores, const char *name,
		      enum socktls_role role)
{
	struct engine_trust *trust = NULL;
	char error[ERROR_TEXT_MAX];
	int err = stores_find_trust(stores, name, role, &trust, error,
				    sizeof(error));

	if (err && name)
		assert_non_null(strstr(error, name));
	else if (!err)
		assert_non_null(trust);
	return err;
}

static void default_trust_is_found(void **state)
{
	struct stores *stores;

	(void)state;
	fixture_fill(&fixture);
	stores = load(0);
	assert_int_equal(find_trust(stores, NULL, SOCKTLS_CLIENT), 0);
	assert_int_equal(find_trust(stores, NULL, SOCKTLS_SERVER), 0);
	assert_int_equal(find_trust(stores, "default", SOCKTLS_CLIENT), 0);
	assert_int_equal(find_trust(stores, "other", SOCKTLS_CLIENT), -ENOKEY);
	stores_free(stores);
}

static void write_system_trust(const char *name, const char *pem)
{
	char text[256];

	fixture_write(&fixture, name, pem);
	snprintf(text, sizeof(text), "[trust]\nsystem = %s/%s\n", fixture.dir,
		 name);
	fixture_write(&fixture, "socktlsd.conf", text);
}

/* The CAs of the web never decide who may log in. */
static void system_trust_is_for_clients_only(void **state)
{
	struct stores *stores;

	(void)state;
	fixture_empty(&fixture);
	write_system_trust("system.pem", fixture.ca->cert_pem);
	stores = load(0);
	assert_int_equal(find_trust(stores, NULL, SOCKTLS_CLIENT), 0);
	assert_int_equal(find_trust(stores, NULL, SOCKTLS_SERVER), -ENOKEY);
	assert_int_equal(find_trust(stores, "system", SOCKTLS_CLIENT),
			 -ENOKEY);
	stores_free(stores);
}

/* As everything that was read before; another file is another store. */
static void unreadable_system_trust_stays_on_reload(void **state)
{
	struct stores *old, *stores;
	char path[128];

	(void)state;
	fixture_empty(&fixture);
	write_system_trust("system.pem", fixture.ca->cert_pem);
	old = load(0);
	write_system_trust("system.pem", "rubbish\n");
	log_capture();
	stores = load_over(old, 0);
	assert_non_null(strstr(log_captured(), "read before stays in use"));
	stores_free(old);
	assert_int_equal(find_trust(stores, NULL, SOCKTLS_CLIENT), 0);

	old = stores;
	write_system_trust("other.pem", "rubbish\n");
	stores = load_over(old, 0);
	assert_int_equal(find_trust(stores, NULL, SOCKTLS_CLIENT), -ENOKEY);
	stores_free(stores);

	write_system_trust("system.pem", fixture.ca->cert_pem);
	snprintf(path, sizeof(path), "%s/system.pem", fixture.dir);
	assert_int_equal(unlink(path), 0);
	stores = load_over(old, 0);
	assert_int_equal(find_trust(stores, NULL, SOCKTLS_CLIENT), -ENOKEY);
	stores_free(stores);
	stores_free(old);
}

/* A list beside it that is none: nothing is left of it. */
static void system_trust_with_a_bad_crl_is_not_used(void **state)
{
	struct stores *stores;

	(void)state;
	fixture_empty(&fixture);
	write_system_trust("system.pem", fixture.ca->cert_pem);
	fixture_write(&fixture, "system.crl", "rubbish\n");
	log_capture();
	stores = load(0);
	assert_non_null(strstr(log_captured(), "no CRL in PEM"));
	assert_int_equal(find_trust(stores, NULL, SOCKTLS_CLIENT), -ENOKEY);
	stores_free(stores);
}

/* Whoever put a store there did not mean the CAs of the web. */
static void broken_default_trust_does_not_fall_back(void **state)
{
	static const struct {
		const char *file, *text;
	} broken[] = {
		{ "trust/default.pem", "rubbish\n" },
		{ "trust/default.crl", "rubbish\n" },
	};
	struct engine_trust *trust;
	char error[ERROR_TEXT_MAX];
	struct stores *stores;

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		fixture_fill(&fixture);
		write_system_trust("system.pem", fixture.ca->cert_pem);
		fixture_write(&fixture, broken[i].file, broken[i].text);
		log_capture();
		stores = load(1);
		assert_non_null(strstr(log_captured(), "there but cannot be used"));
		assert_int_equal(stores_find_trust(stores, NULL, SOCKTLS_CLIENT,
						   &trust, error,
						   sizeof(error)), -ENOKEY);
		assert_non_null(strstr(error, "cannot use its default"));
		stores_free(stores);
	}
}

static void named_defaults_must_exist(void **state)
{
	const char *text;

	(void)state;
	fixture_fill(&fixture);
	fixture_write(&fixture, "socktlsd.conf",
		      "[identity]\ndefault = a\n[trust]\ndefault = b\n");
	log_capture();
	stores_free(load(2));
	text = log_captured();
	assert_non_null(strstr(text, "default identity \"a\""));
	assert_non_null(strstr(text, "default trust store \"b\""));
}

static void write_bytes(const char *name, const void *data, size_t len)
{
	char path[256];
	FILE *file;

	fixture_write(&fixture, name, "");
	snprintf(path, sizeof(path), "%s/%s", fixture.dir, name);
	file = fopen(path, "we");
	assert_non_null(file);
	assert_int_equal(fwrite(data, 1, len, file), len);
	fclose(file);
}

static struct identity *default_of(const struct stores *stores)
{
	struct identity *identity;
	char error[ERROR_TEXT_MAX];

	assert_int_equal(stores_find_identity(stores, NULL, 0, 0, &identity,
					      error, sizeof(error)), 0);
	return identity;
}

static void identities_may_have_several_chains(void **state)
{
	struct stores *stores;

	(void)state;
	fixture_fill(&fixture);
	fixture_write(&fixture, "identities/default/b-chain.pem",
		      fixture.client->chain_pem);
	fixture_write(&fixture, "identities/default/b-key.pem",
		      fixture.client->key_pem);
	fixture_write(&fixture, "identities/default/a-chain.pem",
		      fixture.ca->chain_pem);
	fixture_write(&fixture, "identities/default/a-key.pem",
		      fixture.ca->key_pem);
	stores = load(0);
	assert_int_equal(default_of(stores)->n, 3);
	/* chain.pem first, the others by name */
	assert_true(engine_local_key_matches(fixture.server->key,
					     default_of(stores)->engines[0]));
	assert_true(engine_local_key_matches(fixture.ca->key,
					     default_of(stores)->engines[1]));
	assert_true(engine_local_key_matches(fixture.client->key,
					     default_of(stores)->engines[2]));
	stores_free(stores);
}

static void one_bad_chain_costs_the_identity(void **state)
{
	const char *text;

	(void)state;
	fixture_fill(&fixture);
	fixture_write(&fixture, "identities/default/b-chain.pem",
		      fixture.client->chain_pem);
	fixture_write(&fixture, "identities/default/b-key.pem",
		      fixture.ca->key_pem);
	fixture_write(&fixture, "identities/client/c-chain.pem",
		      fixture.client->chain_pem);
	log_capture();
	stores_free(load(2));
	text = log_captured();
	assert_non_null(strstr(text, "b-key.pem is not the private key"));
	assert_non_null(strstr(text, "c-key.pem: No such file"));
}

/* A fetch that failed does not take the service down. */
static void unusable_ocsp_responses_are_warned_of(void **state)
{
	struct pki_status status = { .cert = fixture.server,
				     .issuer = fixture.ca };
	struct stores *stores;
	unsigned char *der;
	const char *text;
	size_t len;

	(void)state;
	fixture_fill(&fixture);
	der = pki_ocsp(&status, &len);
	write_bytes("identities/default/ocsp.der", der, len);
	write_bytes("identities/client/ocsp.der", der, len);
	log_capture();
	stores = load(0);
	text = log_captured();
	assert_non_null(strstr(text, "client/ocsp.der: not stapled: the OCSP response is for another certificate"));
	assert_null(strstr(text, "default/ocsp.der"));
	assert_int_equal(stores_count_identities(stores), 2);
	stores_free(stores);
	OPENSSL_free(der);
}

static void crls_stand_beside_their_store(void **state)
{
	char *crl = pki_crl(fixture.ca, fixture.server);
	struct engine_trust *trust;
	struct stores *stores;
	char error[ERROR_TEXT_MAX];

	(void)state;
	fixture_fill(&fixture);
	fixture_write(&fixture, "trust/default.crl", crl);
	stores = load(0);
	assert_int_equal(stores_count_trusts(stores), 1);
	assert_int_equal(stores_find_trust(stores, NULL, SOCKTLS_CLIENT,
					   &trust, error, sizeof(error)), 0);
	assert_true(engine_trust_has_crl(trust));
	stores_free(stores);
	/* one that holds none would be believed to protect */
	fixture_write(&fixture, "trust/default.crl", "nothing\n");
	log_capture();
	stores = load(1);
	assert_non_null(strstr(log_captured(), "no CRL in PEM"));
	assert_int_equal(stores_count_trusts(stores), 0);
	stores_free(stores);
	free(crl);
}

static int find_policy(struct stores *stores, const char *name,
		       struct engine_policy **rules, const char **builtin)
{
	char error[ERROR_TEXT_MAX] = "";
	int err = stores_find_policy(stores, name, rules, builtin, error,
				     sizeof(error));

	if (err)
		assert_non_null(strstr(error, name));
	return err;
}

static void policies_are_built_in_or_files(void **state)
{
	struct engine_policy *rules;
	struct stores *stores;
	const char *builtin;

	(void)state;
	fixture_fill(&fixture);
	fixture_write(&fixture, "policies/old.conf",
		      "# comment\nbase = legacy\nmax-version = 1.2 ; not 1.3\n"
		      "ciphers = TLS_RSA_WITH_AES_128_CBC_SHA,\n"
		      "  TLS_RSA_WITH_AES_256_CBC_SHA\n");
	fixture_write(&fixture, "policies/README", "not a policy\n");
	fixture_write(&fixture, "socktlsd.conf", "[policy]\ndefault = old\n");
	stores = load(0);
	assert_int_equal(find_policy(stores, "modern", &rules, &builtin), 0);
	assert_null(rules);
	assert_string_equal(builtin, "modern");
	assert_int_equal(find_policy(stores, "old", &rules, &builtin), 0);
	assert_non_null(rules);
	assert_null(builtin);
	assert_int_equal(find_policy(stores, NULL, &rules, &builtin), 0);
	assert_non_null(rules);
	assert_int_equal(find_policy(stores, "paranoid", &rules, &builtin),
			 -EINVAL);
	stores_free(stores);
}

static void broken_policies_are_skipped(void **state)
{
	static const struct {
		const char *name, *text, *complaint;
	} broken[] = {
		{ "a", "ciphers = TLS_AES_128_GCM_SHA256\norder = my\n",
		  "a.conf:2: \"my\" is not" },
		{ "b", "[policy]\norder = client\n", "no sections" },
		{ "c", "ciphers\n", "c.conf:1: not KEY = VALUE" },
		{ "d", "min-version = 1.3\nmax-version = 1.2\n", "above" },
		{ "modern", "order = server\n", "built-in" },
		{ "e", "ciphers = TLS_AES_128_GCM_SHA256 TLS_AES_128_GCM_SHA256 TLS_AES_128_GCM_SHA256 TLS_AES_128_GCM_SHA256 TLS_AES_128_GCM_SHA256 TLS_AES_128_GCM_SHA256 TLS_AES_128_GCM_SHA256 TLS_AES_128_GCM_SHA256 TLS_AES_128_GCM_SHA256\n",
		  "e.conf:1: longer than" },
	};
	const size_t n = sizeof(broken) / sizeof(broken[0]);
	const char *text;
	char path[64];

	(void)state;
	fixture_fill(&fixture);
	for (size_t i = 0; i < n; i++) {
		snprintf(path, sizeof(path), "policies/%s.conf",
			 broken[i].name);
		fixture_write(&fixture, path, broken[i].text);
	}
	fixture_write(&fixture, "socktlsd.conf", "[policy]\ndefault = d\n");
	log_capture();
	stores_free(load(n + 1));
	text = log_captured();
	for (size_t i = 0; i < n; i++)
		if (!strstr(text, broken[i].complaint))
			fail_msg("%s: %s", broken[i].complaint, text);
	assert_non_null(strstr(text, "default policy \"d\""));
}

/* Reads anew what load_over() then gives in the place of @stores. */
static struct stores *reload(struct stores *stores, size_t expected_errors)
{
	struct stores *new = load_over(stores, expected_errors);

	stores_free(stores);
	return new;
}

static void assert_all_there(struct stores *stores)
{
	struct engine_policy *rules;
	const char *builtin;

	assert_int_equal(find(stores, "default", 0, 0, ""), 0);
	assert_int_equal(find(stores, "client", 0, 0, ""), 0);
	assert_int_equal(find_trust(stores, "default", SOCKTLS_SERVER), 0);
	assert_int_equal(find_policy(stores, "mine", &rules, &builtin), 0);
	assert_non_null(rules);
}

static void bad_entries_do_not_replace_good_ones(void **state)
{
	struct stores *stores;
	const char *text;

	(void)state;
	fixture_fill(&fixture);
	fixture_write(&fixture, "policies/mine.conf", "order = client\n");
	stores = load(0);
	/* the chain has been renewed, the key not yet */
	fixture_write(&fixture, "identities/default/chain.pem",
		      fixture.ca->cert_pem);
	fixture_write(&fixture, "trust/default.pem", "rubbish\n");
	fixture_write(&fixture, "policies/mine.conf", "order = nobody\n");
	for (int i = 0; i < 2; i++) {
		log_capture();
		stores = reload(stores, 3);
		text = log_captured();
		assert_non_null(strstr(text, "identities/default: what was read before stays"));
		assert_non_null(strstr(text, "trust/default.pem: what was read before stays"));
		assert_non_null(strstr(text, "policies/mine.conf: what was read before stays"));
		assert_all_there(stores);
		assert_int_equal(stores_count_identities(stores), 2);
		assert_int_equal(stores_count_trusts(stores), 1);
	}
	fixture_write(&fixture, "identities/default/key.pem",
		      fixture.ca->key_pem);
	fixture_write(&fixture, "trust/default.pem", fixture.ca->cert_pem);
	fixture_write(&fixture, "policies/mine.conf", "order = server\n");
	stores = reload(stores, 0);
	assert_true(engine_local_key_matches(fixture.ca->key,
					     default_of(stores)->engines[0]));
	stores_free(stores);
}

static void what_is_gone_does_not_stay(void **state)
{
	struct stores *stores;
	char path[128];

	(void)state;
	fixture_fill(&fixture);
	stores = load(0);
	snprintf(path, sizeof(path), "%s/identities/default/key.pem",
		 fixture.dir);
	unlink(path);
	log_capture();
	stores = reload(stores, 1);
	assert_null(strstr(log_captured(), "stays"));
	assert_int_equal(find(stores, "default", 0, 0, "no identity"),
			 -ENOKEY);
	fixture_empty(&fixture);
	stores = reload(stores, 0);
	assert_int_equal(stores_count_identities(stores), 0);
	assert_int_equal(stores_count_trusts(stores), 0);
	stores_free(stores);
}

/* Nothing can be told of what is in it. */
static void unreadable_directories_keep_all(void **state)
{
	struct stores *stores;

	(void)state;
	fixture_fill(&fixture);
	fixture_write(&fixture, "policies/mine.conf", "order = client\n");
	stores = load(0);
	fixture_empty(&fixture);
	fixture_write(&fixture, "identities", "a file\n");
	fixture_write(&fixture, "trust", "a file\n");
	fixture_write(&fixture, "policies", "a file\n");
	log_capture();
	stores = reload(stores, 3);
	log_captured();
	assert_all_there(stores);
	stores_free(stores);
}

static void identity_outlives_its_stores(void **state)
{
	struct engine_bytes message = { (const uint8_t *)"hello", 5 };
	struct identity *identity;
	struct stores *stores;
	char error[ERROR_TEXT_MAX];
	uint8_t signature[1024];
	size_t len = sizeof(signature);

	(void)state;
	fixture_fill(&fixture);
	stores = load(0);
	assert_int_equal(stores_find_identity(stores, "client", 0, 0,
					      &identity, error,
					      sizeof(error)), 0);
	identity_get(identity);
	stores_free(stores);
	/* ecdsa_secp256r1_sha256 */
	assert_int_equal(engine_local_keyops.sign(identity->keys[0], 0x0403,
						  message, signature, &len),
			 0);
	identity_put(identity);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_identities_load),
		cmocka_unit_test(empty_directory_is_fine),
		cmocka_unit_test(unknown_identity_is_named),
		cmocka_unit_test(without_allow_file_the_key_owner_may),
		cmocka_unit_test(allow_file_replaces_the_owner),
		cmocka_unit_test(broken_identities_are_skipped),
		cmocka_unit_test(odd_names_are_errors_and_hidden_ones_are_not),
		cmocka_unit_test(world_readable_key_is_warned_of),
		cmocka_unit_test(broken_trust_is_skipped),
		cmocka_unit_test(default_trust_is_found),
		cmocka_unit_test(system_trust_is_for_clients_only),
		cmocka_unit_test(unreadable_system_trust_stays_on_reload),
		cmocka_unit_test(system_trust_with_a_bad_crl_is_not_used),
		cmocka_unit_test(broken_default_trust_does_not_fall_back),
		cmocka_unit_test(named_defaults_must_exist),
		cmocka_unit_test(identities_may_have_several_chains),
		cmocka_unit_test(one_bad_chain_costs_the_identity),
		cmocka_unit_test(unusable_ocsp_responses_are_warned_of),
		cmocka_unit_test(crls_stand_beside_their_store),
		cmocka_unit_test(policies_are_built_in_or_files),
		cmocka_unit_test(broken_policies_are_skipped),
		cmocka_unit_test(bad_entries_do_not_replace_good_ones),
		cmocka_unit_test(what_is_gone_does_not_stay),
		cmocka_unit_test(unreadable_directories_keep_all),
		cmocka_unit_test(identity_outlives_its_stores),
	};

	return cmocka_run_group_tests_name("stores", tests, setup, teardown);
}
