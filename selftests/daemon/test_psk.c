// SPDX-License-Identifier: MIT
/* External PSKs: their files, and who gets to use them. */
#include "workbench.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/psk.h"
#include "daemon/stores.h"
#include "engine/external.h"

#define KEY	"000102030405060708090a0b0c0d0e0f"
#define OTHER	"ff0102030405060708090a0b0c0d0e0f"

static int parse(const char *text, struct engine_psks **psks, char *error,
		 size_t error_len)
{
	char *copy = strdup(text);
	int err;

	*psks = engine_psks_new();
	*error = '\0';
	err = psk_parse(*psks, copy, error, error_len);
	free(copy);
	return err;
}

static void lines_become_keys(void **state)
{
	struct engine_psks *psks;
	char error[256];

	(void)state;
	assert_int_equal(parse("# comment\n\n"
			       "device-7\t" KEY "\n"
			       "hex:00FF  " OTHER " server=example.org"
			       " hash=sha384 # and why\n", &psks, error,
			       sizeof(error)), 0);
	assert_int_equal(psks->n, 2);
	assert_int_equal(psks->list[0].identity.len, 8);
	assert_memory_equal(psks->list[0].identity.data, "device-7", 8);
	assert_int_equal(psks->list[0].secret.len, 16);
	assert_int_equal(psks->list[0].secret.data[15], 15);
	assert_ptr_equal(psks->list[0].md, EVP_sha256());
	assert_null(psks->list[0].server_name);
	assert_int_equal(psks->list[1].identity.len, 2);
	assert_memory_equal(psks->list[1].identity.data, "\0\xff", 2);
	assert_ptr_equal(psks->list[1].md, EVP_sha384());
	assert_string_equal(psks->list[1].server_name, "example.org");
	engine_psks_put(psks);
}

static void bad_lines_are_named_and_keys_are_not(void **state)
{
	static const struct {
		const char	*text;
		const char	*error;
	} rows[] = {
		{ "a " KEY "\nb\n", "line 2: expected IDENTITY KEY" },
		{ "a " KEY " b\n", "line 1: expected" },
		{ "a " KEY " hash=sha256 hash=sha384\n", "line 1: expected" },
		{ "a " KEY " server=\n", "line 1: expected" },
		{ "a " KEY " hash=md5\n", "line 1: the hash" },
		{ "a " KEY "0\n", "line 1: the key is not in hex" },
		{ "a 00:01\n", "line 1: the key is not in hex" },
		{ "a 0001\n", "line 1: a PSK has 16 to" },
		{ "hex:0 " KEY "\n", "line 1: the identity" },
		{ "hex: " KEY "\n", "line 1: the identity" },
		{ "a " KEY "\na " OTHER "\n", "line 2: a PSK of this identity" },
	};
	struct engine_psks *psks;
	char error[256];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(parse(rows[i].text, &psks, error,
				       sizeof(error)), -EINVAL);
		if (!strstr(error, rows[i].error))
			fail_msg("%s", error);
		assert_null(strstr(error, KEY));
		engine_psks_put(psks);
	}
}

/* --------------------------------------------------------------- identities */

static void reload(void)
{
	stores_free(stores);
	stores = load_stores();
	worker_set_stores(kernel.worker, stores);
}

static void set_mode(const char *name, mode_t mode)
{
	char path[160];

	snprintf(path, sizeof(path), "%s/%s", fixture.dir, name);
	assert_int_equal(chmod(path, mode), 0);
}

static void files_of_others_are_refused(void **state)
{
	static const mode_t modes[] = { 0640, 0604, 0620, 0602, 0610 };
	struct config config;
	struct stores *loaded;
	char error[ERROR_TEXT_MAX];
	size_t i, n;

	(void)state;
	fixture_write(&fixture, "identities/keys/psk", "a " KEY "\n");
	assert_int_equal(config_load(&config, fixture.dir, error,
				     sizeof(error)), 0);
	for (i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		set_mode("identities/keys/psk", modes[i]);
		log_capture();
		assert_int_equal(stores_load(&loaded, &config, NULL, &n), 0);
		assert_non_null(strstr(log_captured(),
				       "others have the keys in it"));
		assert_int_equal(n, 1);
		stores_free(loaded);
	}
	set_mode("identities/keys/psk", 0600);
	assert_int_equal(stores_load(&loaded, &config, NULL, &n), 0);
	assert_int_equal(n, 0);
	stores_free(loaded);
}

static void a_file_without_keys_costs_the_identity(void **state)
{
	struct config config;
	struct stores *loaded;
	char error[ERROR_TEXT_MAX];
	size_t n;

	(void)state;
	fixture_write(&fixture, "identities/default/psk", "# none yet\n");
	assert_int_equal(config_load(&config, fixture.dir, error,
				     sizeof(error)), 0);
	log_capture();
	assert_int_equal(stores_load(&loaded, &config, NULL, &n), 0);
	assert_non_null(strstr(log_captured(), "no key in it"));
	assert_int_equal(n, 1);
	stores_free(loaded);
}

/* ----------------------------------------------------------------- workers */

static struct end *keyed_pair(struct end **server, const char *client_identity,
			      const char *server_identity)
{
	struct end *client = add_pair(server);

	client->parameters.identity = client_identity;
	(*server)->parameters.identity = server_identity;
	return client;
}

static void assert_by_psk(struct end *client, struct end *server,
			  const char *identity)
{
	kernel_assert_good(client, server);
	assert_string_equal(client->peer_identity, identity);
	assert_string_equal(server->peer_identity, identity);
	assert_true(client->result.flags & SOCKTLS_INFO_PSK);
	assert_true(server->result.flags & SOCKTLS_INFO_PSK);
	assert_int_equal(client->certs[SOCKTLS_CHAIN_PEER], 0);
	assert_int_equal(server->certs[SOCKTLS_CHAIN_LOCAL], 0);
}

static void keys_of_identities_are_used(void **state)
{
	struct end *server, *client;

	(void)state;
	fixture_write(&fixture, "identities/keys/psk", "device-7 " KEY "\n");
	reload();
	client = keyed_pair(&server, "keys", "keys");
	kernel_run(&kernel);
	assert_by_psk(client, server, "psk:device-7");

	/* it has no certificate for a client without the key */
	client = keyed_pair(&server, NULL, "keys");
	kernel_run(&kernel);
	assert_failed(server, EKEYREJECTED, "no PSK for psk_dhe_ke");

	/* and a server that has one, and does not know the key, sends it */
	client = keyed_pair(&server, "keys", "default");
	kernel_run(&kernel);
	kernel_assert_good(client, server);
	assert_string_equal(client->peer_identity, "example.org");
}

static void keys_stand_beside_certificates(void **state)
{
	struct end *server, *client;

	(void)state;
	fixture_write(&fixture, "identities/default/psk",
		      "device-7 " KEY "\n");
	fixture_write(&fixture, "identities/client/psk",
		      "device-7 " KEY " server=elsewhere\n"
		      "device-7 " KEY " server=example.org\n");
	reload();
	client = keyed_pair(&server, "client", NULL);
	kernel_run(&kernel);
	assert_by_psk(client, server, "psk:device-7");

	client = keyed_pair(&server, NULL, NULL);
	kernel_run(&kernel);
	kernel_assert_good(client, server);
	assert_int_equal(client->certs[SOCKTLS_CHAIN_PEER], 1);

	/* a certificate is required: the key does not do */
	client = keyed_pair(&server, "client", NULL);
	server->parameters.peer_auth = SOCKTLS_PEER_AUTH_REQUIRE;
	kernel_run(&kernel);
	kernel_assert_good(client, server);
	assert_false(server->result.flags & SOCKTLS_INFO_PSK);
	assert_int_equal(server->certs[SOCKTLS_CHAIN_PEER], 1);
}

static void a_client_with_keys_needs_neither_name_nor_trust(void **state)
{
	struct end *server, *client;

	(void)state;
	fixture_empty(&fixture);
	fixture_write(&fixture, "identities/keys/psk", "device-7 " KEY "\n");
	fixture_write(&fixture, "identities/far/psk",
		      "device-7 " KEY " server=elsewhere\n");
	reload();
	client = keyed_pair(&server, "keys", "keys");
	client->parameters.server_name = NULL;
	kernel_run(&kernel);
	assert_by_psk(client, server, "psk:device-7");

	/* but a trust store that it asks for has to be there */
	client = keyed_pair(&server, "keys", "keys");
	client->parameters.trust = (struct engine_bytes){
		(const uint8_t *)"nowhere", 7,
	};
	kernel_start(client);
	assert_failed(client, ENOKEY, "no trust store \"nowhere\"");

	/* and a key for this server */
	client = keyed_pair(&server, "far", "keys");
	kernel_start(client);
	assert_failed(client, EINVAL, "no PSK of the identity can be used");
}

static void keys_are_for_those_who_may(void **state)
{
	struct end *server, *client;
	char path[160];

	(void)state;
	fixture_write(&fixture, "identities/keys/psk", "device-7 " KEY "\n");
	snprintf(path, sizeof(path), "%s/identities/keys/psk", fixture.dir);
	if (geteuid() != 0)
		skip();
	assert_int_equal(chown(path, 1234, 1234), 0);
	reload();
	client = keyed_pair(&server, "keys", "keys");
	client->parameters.uid = 1234;
	kernel_run(&kernel);
	assert_by_psk(client, server, "psk:device-7");

	client = keyed_pair(&server, "keys", "keys");
	client->parameters.uid = 4000;
	kernel_start(client);
	assert_failed(client, EACCES, "may not use the identity \"keys\"");
}

static void reload_changes_the_keys(void **state)
{
	struct end *server, *client, *old_server, *old_client;

	(void)state;
	fixture_write(&fixture, "identities/keys/psk", "device-7 " KEY "\n");
	reload();
	old_client = keyed_pair(&old_server, "keys", "keys");
	kernel_step(old_client);
	kernel_step(old_server);

	fixture_write(&fixture, "identities/keys/psk", "device-8 " OTHER "\n");
	reload();
	kernel_run(&kernel);
	assert_by_psk(old_client, old_server, "psk:device-7");
	client = keyed_pair(&server, "keys", "keys");
	kernel_run(&kernel);
	assert_by_psk(client, server, "psk:device-8");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_become_keys),
		cmocka_unit_test(bad_lines_are_named_and_keys_are_not),
		TEST(files_of_others_are_refused),
		TEST(a_file_without_keys_costs_the_identity),
		TEST(keys_of_identities_are_used),
		TEST(keys_stand_beside_certificates),
		TEST(a_client_with_keys_needs_neither_name_nor_trust),
		TEST(keys_are_for_those_who_may),
		TEST(reload_changes_the_keys),
	};

	return cmocka_run_group_tests_name("external PSKs", tests, group_setup,
					   group_teardown);
}
