// SPDX-License-Identifier: MIT
/* A worker, with a kernel that is made of memory. */
#include "workbench.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ALERT_UNKNOWN_CA	48

/*
 * Handshakes that succeed.
 */

static void client_and_server_finish(void **state)
{
	struct end *server, *client = add_pair(&server);

	(void)state;
	kernel_run(&kernel);
	kernel_assert_good(client, server);
	assert_int_equal(client->result.version, 0x0304);
	assert_string_equal(client->peer_identity, "example.org");
	assert_true(client->result.flags & SOCKTLS_INFO_PEER_VERIFIED);
	assert_int_equal(client->certs[SOCKTLS_CHAIN_PEER], 1);
	assert_int_equal(server->certs[SOCKTLS_CHAIN_LOCAL], 1);
	assert_int_equal(server->certs[SOCKTLS_CHAIN_PEER], 0);
	assert_int_equal(worker_count(kernel.worker), 0);
}

/* Two names, and for one of them two kinds of keys. */
static void name_and_suite_choose_the_certificate(void **state)
{
	struct pki_cert *ecdsa = pki_issue(&(struct pki_spec){ .key = "p256",
		.name = "x", .san = "DNS:example.org", .issuer = fixture.ca });
	struct pki_cert *www = pki_issue(&(struct pki_spec){ .key = "p256",
		.name = "x", .san = "DNS:*.example.net",
		.issuer = fixture.ca });
	struct end *server, *client = add_pair(&server);
	struct end *server2, *client2 = add_pair(&server2);
	struct end *server3, *client3 = add_pair(&server3);
	struct stores *several;

	(void)state;
	fixture_write(&fixture, "identities/default/e-chain.pem",
		      ecdsa->chain_pem);
	fixture_write(&fixture, "identities/default/e-key.pem", ecdsa->key_pem);
	fixture_write(&fixture, "identities/default/w-chain.pem",
		      www->chain_pem);
	fixture_write(&fixture, "identities/default/w-key.pem", www->key_pem);
	fixture_write(&fixture, "policies/e.conf", "max-version = 1.2\n"
		      "ciphers = TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256\n");
	several = load_stores();
	worker_set_stores(kernel.worker, several);
	client2->parameters.policy = "e";
	client3->parameters.server_name = "www.example.net";
	kernel_run(&kernel);
	kernel_assert_good(client, server);
	kernel_assert_good(client2, server2);
	kernel_assert_good(client3, server3);
	assert_string_equal(client->peer_identity, "example.org");
	/* rsa_pss_rsae_sha256, ecdsa_secp256r1_sha256 */
	assert_int_equal(client->result.signature_scheme, 0x0804);
	assert_int_equal(client2->result.signature_scheme, 0x0403);
	assert_string_equal(client2->peer_identity, "example.org");
	assert_string_equal(client3->peer_identity, "*.example.net");
	worker_set_stores(kernel.worker, stores);
	stores_free(several);
	pki_free(ecdsa);
	pki_free(www);
}

static void policy_is_a_file_of_the_administrator(void **state)
{
	struct end *server, *client = add_pair(&server);
	struct stores *with_policy;

	(void)state;
	fixture_write(&fixture, "policies/old.conf",
		      "base = legacy\nciphers = TLS_RSA_WITH_AES_128_CCM\n");
	with_policy = load_stores();
	worker_set_stores(kernel.worker, with_policy);
	client->parameters.policy = "old";
	server->parameters.policy = "old";
	kernel_run(&kernel);
	kernel_assert_good(client, server);
	assert_int_equal(client->result.suite, 0xc09c);
	worker_set_stores(kernel.worker, stores);
	stores_free(with_policy);
}

static void unknown_policy_is_refused(void **state)
{
	struct end *server, *client = add_pair(&server);

	(void)state;
	client->parameters.policy = "paranoid";
	kernel_run(&kernel);
	assert_failed(client, EINVAL, "no policy \"paranoid\"");
}

static void client_proves_itself(void **state)
{
	struct end *server, *client = add_pair(&server);

	(void)state;
	client->parameters.identity = "client";
	server->parameters.peer_auth = SOCKTLS_PEER_AUTH_REQUIRE;
	kernel_run(&kernel);
	kernel_assert_good(client, server);
	assert_int_equal(server->certs[SOCKTLS_CHAIN_PEER], 1);
	assert_int_equal(client->certs[SOCKTLS_CHAIN_LOCAL], 1);
	assert_non_null(strstr(server->peer_identity, "client.example"));
}

/* Runs a client of this subject; the server is returned, with its end. */
static struct end *serve_subject(const char *name, const char *unit,
				 unsigned int n_units, uint16_t version)
{
	struct pki_cert *cert = pki_issue(&(struct pki_spec){ .key = "p256",
		.name = name, .unit = unit, .n_units = n_units,
		.issuer = fixture.ca });
	struct end *server, *client = add_pair(&server);
	struct stores *with_subject;

	fixture_write(&fixture, "identities/subject/chain.pem",
		      cert->chain_pem);
	fixture_write(&fixture, "identities/subject/key.pem", cert->key_pem);
	fixture_write(&fixture, "policies/v.conf", version == 0x0304 ?
		      "min-version = 1.3\n" : "max-version = 1.2\n");
	with_subject = load_stores();
	worker_set_stores(kernel.worker, with_subject);
	client->parameters.identity = "subject";
	client->parameters.policy = "v";
	server->parameters.peer_auth = SOCKTLS_PEER_AUTH_REQUIRE;
	kernel_run(&kernel);
	if (!client->over)
		kernel_abort(client, SOCKTLS_ABORT_ALERT);
	worker_set_stores(kernel.worker, stores);
	stores_free(with_subject);
	pki_free(cert);
	return server;
}

/* 60 characters, 120 bytes, 360 when each byte is escaped */
#define LETTERS "\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9"
#define UNIT LETTERS LETTERS LETTERS LETTERS LETTERS \
	     LETTERS LETTERS LETTERS LETTERS LETTERS

static void subjects_are_utf8(void **state)
{
	static const uint16_t versions[] = { 0x0303, 0x0304 };
	struct end *server;

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		server = serve_subject("Zo\u00eb", UNIT, 4, versions[i]);
		assert_true(server->done);
		assert_string_equal(server->peer_identity, "CN=Zo\u00eb,OU="
				    UNIT ",OU=" UNIT ",OU=" UNIT ",OU=" UNIT);
	}
	/* what could move a terminal's cursor is escaped, and all with it */
	server = serve_subject("\u00eb\xc2\x9b" "1m", NULL, 0, 0x0304);
	assert_true(server->done);
	assert_string_equal(server->peer_identity, "CN=\\C3\\AB\\C2\\9B1m");
}

/* Cut short it could be somebody else's. */
static void subject_over_the_kernels_limit_fails_at_once(void **state)
{
	static const uint16_t versions[] = { 0x0303, 0x0304 };

	(void)state;
	for (size_t i = 0; i < 2; i++)
		assert_failed(serve_subject("Zoe", UNIT, 9, versions[i]),
			      E2BIG, "longer than the kernel takes");
	assert_int_equal(worker_count(kernel.worker), 0);
}

static void client_without_certificate_is_let_in_by_request_only(void **state)
{
	struct end *server, *client = add_pair(&server);

	(void)state;
	server->parameters.peer_auth = SOCKTLS_PEER_AUTH_REQUEST;
	kernel_run(&kernel);
	kernel_assert_good(client, server);

	client = add_pair(&server);
	server->parameters.peer_auth = SOCKTLS_PEER_AUTH_REQUIRE;
	kernel_run(&kernel);
	assert_true(server->over);
	assert_false(server->done);
	assert_int_not_equal(server->error, 0);
}

static struct engine_identity *server_identity(void **key)
{
	struct engine_bytes chain = {
		(const uint8_t *)fixture.server->chain_pem,
		strlen(fixture.server->chain_pem),
	};
	struct engine_bytes key_pem = {
		(const uint8_t *)fixture.server->key_pem,
		strlen(fixture.server->key_pem),
	};
	struct engine_identity *identity;
	char error[256];

	assert_int_equal(engine_local_key_new(key, key_pem, error,
					      sizeof(error)), 0);
	assert_int_equal(engine_identity_new(&identity, chain,
					     &engine_local_keyops, *key,
					     error, sizeof(error)), 0);
	return identity;
}

/* The worker's client against a server that is not the worker's. */
static void run_client_against(uint16_t version, uint16_t suite)
{
	struct end *server, *client = add_pair(&server);
	struct engine_config config = {
		.role = SOCKTLS_SERVER,
		.n_identities = 1,
		.peer_auth = SOCKTLS_PEER_AUTH_NONE,
		.max_version = version,
		.suites = &suite,
		.n_suites = 1,
	};
	void *key;
	struct engine_identity *identity = server_identity(&key);

	config.identities = &identity;
	kernel_make_raw(server, &config);
	server->started = true;
	kernel_run(&kernel);
	kernel_assert_good(client, server);
	assert_int_equal(client->result.version, version);
	assert_int_equal(client->result.suite, suite);
	engine_free(server->raw);
	server->raw = NULL;
	engine_identity_put(identity);
	engine_local_key_free(key);
}

/* The worker's server against a client that is not the worker's. */
static void run_server_against(uint16_t version, uint16_t suite)
{
	struct end *server, *client = add_pair(&server);
	const struct engine_config config = {
		.role = SOCKTLS_CLIENT,
		.server_name = "example.org",
		.peer_auth = SOCKTLS_PEER_AUTH_NONE,
		.max_version = version,
		.suites = &suite,
		.n_suites = 1,
	};

	kernel_make_raw(client, &config);
	kernel_run(&kernel);
	kernel_assert_good(client, server);
	assert_int_equal(server->result.version, version);
	assert_int_equal(server->result.suite, suite);
}

static void versions_and_suites_work_on_both_sides(void **state)
{
	static const struct {
		uint16_t version;
		uint16_t suite;
	} cases[] = {
		{ 0x0304, 0x1301 },	/* TLS_AES_128_GCM_SHA256 */
		{ 0x0304, 0x1303 },	/* TLS_CHACHA20_POLY1305_SHA256 */
		{ 0x0303, 0xc02f },	/* ECDHE_RSA_WITH_AES_128_GCM_SHA256 */
		{ 0x0303, 0x003c },	/* RSA_WITH_AES_128_CBC_SHA256 */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		run_server_against(cases[i].version, cases[i].suite);
		run_client_against(cases[i].version, cases[i].suite);
	}
	assert_int_equal(worker_count(kernel.worker), 0);
}

/* Every incomplete message is answered, with MORE alone. */
static void single_bytes_are_answered_with_more(void **state)
{
	struct end *server, *client = add_pair(&server);

	(void)state;
	kernel.chunk = 1;
	kernel_run(&kernel);
	kernel_assert_good(client, server);
	assert_true(server->more > 100);
	assert_true(client->more > 1000);
	assert_true(client->replies > client->more);
}

#define N_PAIRS	200

static void many_ids_interleave(void **state)
{
	struct end *clients[N_PAIRS], *servers[N_PAIRS];

	(void)state;
	kernel.chunk = 400;
	for (size_t i = 0; i < N_PAIRS; i++) {
		clients[i] = add_pair(&servers[i]);
		/* So that buckets are shared. */
		clients[i]->id = (i + 1) << 12;
		servers[i]->id = ((i + 1) << 12) | 1;
	}
	kernel_run(&kernel);
	for (size_t i = 0; i < N_PAIRS; i++)
		kernel_assert_good(clients[i], servers[i]);
	assert_int_equal(worker_count(kernel.worker), 0);
}

static void slow_peer_blocks_nobody(void **state)
{
	struct end *slow_server, *slow_client = add_pair(&slow_server);
	struct end *server, *client = add_pair(&server);

	(void)state;
	slow_client->silent = true;
	kernel_start(slow_client);
	kernel_run(&kernel);
	kernel_assert_good(client, server);
	assert_false(slow_client->over);
	assert_int_equal(worker_count(kernel.worker), 2);

	slow_client->silent = false;
	kernel_run(&kernel);
	kernel_assert_good(slow_client, slow_server);
	assert_int_equal(worker_count(kernel.worker), 0);
}

/*
 * Ends that are not DONE.
 */

static void abort_in_the_middle_frees(void **state)
{
	struct end *server, *client;

	(void)state;
	/* After each number of steps that a handshake may have taken. */
	for (unsigned int steps = 0; steps < 5; steps++) {
		client = add_pair(&server);
		for (unsigned int i = 0; i < steps; i++)
			kernel_step(i % 2 ? server : client);
		kernel_abort(client, SOCKTLS_ABORT_CLOSED);
		kernel_abort(server, SOCKTLS_ABORT_TIMEOUT);
		assert_int_equal(worker_count(kernel.worker), 0);
	}
	/* Once more, of an id that is not known any longer. */
	kernel_abort(client, SOCKTLS_ABORT_RESET);
}

static void bytes_of_an_unknown_id_fail_it(void **state)
{
	struct end *client = kernel_add(&kernel, SOCKTLS_CLIENT);

	(void)state;
	client->started = true;
	log_capture();
	kernel_deliver(client, SOCKTLS_LEVEL_PLAINTEXT, 22,
		       (const uint8_t *)"x", 1);
	assert_non_null(strstr(log_captured(), "lost"));
	assert_failed(client, ECONNABORTED, "lost");
	assert_int_equal(worker_count(kernel.worker), 0);
}

static void rubbish_fails_with_an_alert(void **state)
{
	struct end *server = kernel_add(&kernel, SOCKTLS_SERVER);
	const uint8_t rubbish[] = { 0xff, 0, 0, 1, 0 };

	(void)state;
	kernel_deliver(server, SOCKTLS_LEVEL_PLAINTEXT, 22, rubbish,
		       sizeof(rubbish));
	assert_true(server->over);
	assert_int_equal(server->error, EPROTO);
	assert_true(server->alert > 0);
	assert_int_equal(worker_count(kernel.worker), 0);
}

static void wrong_name_is_refused(void **state)
{
	struct end *server, *client = add_pair(&server);

	(void)state;
	client->parameters.server_name = "example.net";
	kernel_run(&kernel);
	assert_failed(client, EKEYREJECTED, "example.net");
	kernel_abort(server, SOCKTLS_ABORT_ALERT);
	assert_int_equal(worker_count(kernel.worker), 0);
}

static void gone_connection_drops_the_engine(void **state)
{
	struct end *client = kernel_add(&kernel, SOCKTLS_CLIENT);

	(void)state;
	client->reply_error = -ENOENT;
	client->refusals = 1;
	kernel_start(client);
	assert_int_equal(client->replies, 0);
	assert_int_equal(worker_count(kernel.worker), 0);
}

static void refused_reply_becomes_a_failure(void **state)
{
	struct end *client = kernel_add(&kernel, SOCKTLS_CLIENT);

	(void)state;
	client->reply_error = -EINVAL;
	client->refusals = 1;
	log_capture();
	kernel_start(client);
	assert_non_null(strstr(log_captured(), "refused the reply"));
	assert_failed(client, EIO, "refused");
	assert_int_equal(worker_count(kernel.worker), 0);
}

static void chain_over_the_kernels_limit_is_said(void **state)
{
	struct end *client = kernel_add(&kernel, SOCKTLS_CLIENT);

	(void)state;
	client->reply_error = -E2BIG;
	client->refusals = 1;
	log_capture();
	kernel_start(client);
	log_captured();
	assert_failed(client, E2BIG, "longer than the kernel takes");
}

static void repeated_first_item_starts_again(void **state)
{
	struct end *server, *client = add_pair(&server);

	(void)state;
	kernel_start(client);
	assert_int_equal(worker_count(kernel.worker), 1);
	free(STAILQ_FIRST(&server->queue));
	STAILQ_INIT(&server->queue);
	kernel_start(client);
	assert_int_equal(worker_count(kernel.worker), 1);
	kernel_run(&kernel);
	kernel_assert_good(client, server);
}

static void other_kinds_are_ignored(void **state)
{
	(void)state;
	for (unsigned int kind = SOCKTLS_ITEM_TICKET; kind < 10; kind++)
		if (kind != SOCKTLS_ITEM_EXPORT)
			worker_item(kernel.worker,
				    &(struct item){ .kind = kind, .id = 1 });
	assert_int_equal(worker_count(kernel.worker), 0);
}

/*
 * Parameters.
 */

static struct end *server_named(const char *identity, uid_t uid)
{
	struct end *server, *client = add_pair(&server);

	server->parameters.identity = identity;
	server->parameters.uid = uid;
	server->parameters.gid = uid;
	kernel_run(&kernel);
	kernel_abort(client, SOCKTLS_ABORT_ALERT);
	assert_int_equal(worker_count(kernel.worker), 0);
	return server;
}

static void identities_are_checked(void **state)
{
	(void)state;
	assert_failed(server_named("nobody", 0), ENOKEY,
		      "no identity \"nobody\"");
	assert_failed(server_named("../default", 0), EINVAL,
		      "not a valid name");
	assert_failed(server_named("default", 4000), EACCES,
		      "uid 4000 (gid 4000) may not use the identity \"default\"");
	assert_failed(server_named(NULL, 4000), EACCES, "may not use");
	assert_true(server_named("default", 0)->done);
	assert_true(server_named("", 0)->done);
}

/* A key is a key, whichever side it is used on. */
static void client_identities_are_checked_too(void **state)
{
	struct end *client = kernel_add(&kernel, SOCKTLS_CLIENT);

	(void)state;
	client->parameters.identity = "client";
	client->parameters.uid = 4000;
	kernel_start(client);
	assert_failed(client, EACCES, "may not use the identity \"client\"");
}

static struct end *client_trusting(const char *trust)
{
	struct end *server, *client = add_pair(&server);

	client->parameters.trust = (struct engine_bytes){
		(const uint8_t *)trust, strlen(trust),
	};
	kernel_run(&kernel);
	if (!server->over)
		kernel_abort(server, SOCKTLS_ABORT_ALERT);
	return client;
}

static void trust_is_a_name_or_pem_or_pins(void **state)
{
	struct pki_cert *other = pki_issue(&(struct pki_spec){
		.key = "p256", .name = "Other CA", .ca = true,
	});
	char *pin = pki_pin(fixture.server), *wrong_pin = pki_pin(other);
	struct end *client;

	(void)state;
	assert_true(client_trusting("default")->done);
	assert_true(client_trusting(fixture.ca->cert_pem)->done);
	assert_true(client_trusting(pin)->done);

	client = client_trusting(other->cert_pem);
	assert_failed(client, EKEYREJECTED, "");
	assert_int_equal(client->alert, ALERT_UNKNOWN_CA);
	assert_failed(client_trusting(wrong_pin), EKEYREJECTED, "");
	assert_failed(client_trusting("nowhere"), ENOKEY,
		      "no trust store \"nowhere\"");
	assert_failed(client_trusting("../default"), EINVAL,
		      "neither a valid name");
	assert_failed(client_trusting("-----BEGIN NONSENSE"), EINVAL,
		      "SOCKTLS_TRUST: ");
	assert_failed(client_trusting("sha256/zz"), EINVAL,
		      "SOCKTLS_TRUST: ");
	assert_int_equal(worker_count(kernel.worker), 0);
	free(pin);
	free(wrong_pin);
	pki_free(other);
}

static void verifying_client_needs_a_name(void **state)
{
	struct end *server, *client = add_pair(&server);

	(void)state;
	client->parameters.server_name = NULL;
	kernel_run(&kernel);
	assert_failed(client, EINVAL, "SOCKTLS_SERVER_NAME");

	client = add_pair(&server);
	client->parameters.server_name = NULL;
	client->parameters.peer_auth = SOCKTLS_PEER_AUTH_NONE;
	kernel_run(&kernel);
	kernel_assert_good(client, server);
	assert_false(client->result.flags & SOCKTLS_INFO_PEER_VERIFIED);
}

static void server_name_must_be_one(void **state)
{
	static const char *const names[] = {
		".example.org", "example.org:443", "ex\303\244mple.org",
	};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct end *server, *client = add_pair(&server);

		client->parameters.server_name = names[i];
		kernel_run(&kernel);
		assert_failed(client, EINVAL, "neither a host name");
	}
}

/*
 * Reloading, key log.
 */

static void reload_spares_what_is_in_progress(void **state)
{
	struct end *old_server, *old_client = add_pair(&old_server);
	struct end *server, *client;

	(void)state;
	/* The server holds its identity, and has yet to finish. */
	kernel_step(old_client);
	kernel_step(old_server);

	fixture_empty(&fixture);
	stores_free(stores);
	stores = load_stores();
	worker_set_stores(kernel.worker, stores);

	kernel_run(&kernel);
	kernel_assert_good(old_client, old_server);
	client = add_pair(&server);
	kernel_run(&kernel);
	assert_failed(client, ENOKEY, "no default trust store");
}

static void keylog_has_lines_when_asked_for(void **state)
{
	struct end *server, *client;
	char line[512];
	size_t n = 0;
	FILE *file = tmpfile();

	(void)state;
	kernel_free(&kernel);
	kernel_init(&kernel, stores, file);
	client = add_pair(&server);
	kernel_run(&kernel);
	kernel_assert_good(client, server);
	rewind(file);
	while (fgets(line, sizeof(line), file)) {
		assert_non_null(strchr(line, ' '));
		assert_int_equal(line[strlen(line) - 1], '\n');
		n++;
	}
	fclose(file);
	/* Four traffic secrets on each side, at least. */
	assert_true(n >= 8);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(client_and_server_finish),
		TEST(name_and_suite_choose_the_certificate),
		TEST(policy_is_a_file_of_the_administrator),
		TEST(unknown_policy_is_refused),
		TEST(client_proves_itself),
		TEST(subjects_are_utf8),
		TEST(subject_over_the_kernels_limit_fails_at_once),
		TEST(client_without_certificate_is_let_in_by_request_only),
		TEST(versions_and_suites_work_on_both_sides),
		TEST(single_bytes_are_answered_with_more),
		TEST(many_ids_interleave),
		TEST(slow_peer_blocks_nobody),
		TEST(abort_in_the_middle_frees),
		TEST(bytes_of_an_unknown_id_fail_it),
		TEST(rubbish_fails_with_an_alert),
		TEST(wrong_name_is_refused),
		TEST(gone_connection_drops_the_engine),
		TEST(refused_reply_becomes_a_failure),
		TEST(chain_over_the_kernels_limit_is_said),
		TEST(repeated_first_item_starts_again),
		TEST(other_kinds_are_ignored),
		TEST(identities_are_checked),
		TEST(client_identities_are_checked_too),
		TEST(trust_is_a_name_or_pem_or_pins),
		TEST(verifying_client_needs_a_name),
		TEST(server_name_must_be_one),
		TEST(reload_spares_what_is_in_progress),
		TEST(keylog_has_lines_when_asked_for),
	};

	return cmocka_run_group_tests_name("worker", tests, group_setup,
					   group_teardown);
}
