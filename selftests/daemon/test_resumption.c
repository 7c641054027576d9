// SPDX-License-Identifier: MIT
/* What a worker does after the handshake: resumption, exporters, cookies. */
#include "workbench.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/sessions.h"
#include "daemon/ticketkeys.h"

#define RESUMPTION(name)	cmocka_unit_test_setup_teardown(name, \
					setup_resumption, teardown_resumption)

static struct ticketkeys *keys;
static struct sessions *sessions;

static int setup_resumption(void **state)
{
	struct worker_sessions resumption = {
		.ops = &sessions_ops, .lifetime = 3600, .ids = true,
		.tickets = 2,
	};

	setup(state);
	assert_int_equal(ticketkeys_new(&keys, 3600), 0);
	assert_int_equal(sessions_new(&sessions, 1 << 20, &ticketkeys_ops,
				      keys), 0);
	resumption.arg = sessions;
	worker_set_sessions(kernel.worker, &resumption);
	return 0;
}

static int teardown_resumption(void **state)
{
	teardown(state);
	sessions_free(sessions);
	ticketkeys_free(keys);
	return 0;
}

/* A connection of @uid; the client keeps its tickets. */
static struct end *connect_as(uid_t uid, const char *policy, bool resumed)
{
	struct end *server, *client = add_pair(&server);

	client->parameters.uid = uid;
	client->parameters.policy = policy;
	kernel_run(&kernel);
	kernel_assert_good(client, server);
	assert_int_equal(!!(client->result.flags & SOCKTLS_INFO_RESUMED),
			 resumed);
	assert_int_equal(!!(server->result.flags & SOCKTLS_INFO_RESUMED),
			 resumed);
	assert_true(client->result.flags & SOCKTLS_INFO_PEER_VERIFIED);
	assert_string_equal(client->peer_identity, "example.org");
	assert_int_equal(client->certs[SOCKTLS_CHAIN_PEER], 1);
	assert_int_equal(server->certs[SOCKTLS_CHAIN_LOCAL], 1);
	kernel_give_tickets(client);
	return client;
}

static void write_policy12(void)
{
	fixture_write(&fixture, "policies/tls12.conf", "max-version = 1.2\n");
	worker_set_stores(kernel.worker, NULL);
	stores_free(stores);
	stores = load_stores();
	worker_set_stores(kernel.worker, stores);
}

static void sessions_are_resumed_and_stay_with_their_user(void **state)
{
	static const char *const policies[] = { NULL, "tls12" };

	(void)state;
	write_policy12();
	for (size_t i = 0; i < 2; i++) {
		connect_as(1000, policies[i], false);
		connect_as(1001, policies[i], false);
		connect_as(1000, policies[i], true);
		connect_as(1001, policies[i], true);
		connect_as(0, policies[i], false);
	}
}

static void fatal_alert_ends_sessions(void **state)
{
	struct end *client;

	(void)state;
	client = connect_as(1000, NULL, false);
	kernel_end(client, 20);
	connect_as(1000, NULL, false);
	connect_as(1000, NULL, true);
}

static void trust_of_another_name_starts_anew(void **state)
{
	struct end *server, *client;

	(void)state;
	connect_as(1000, NULL, false);
	client = add_pair(&server);
	client->parameters.uid = 1000;
	client->parameters.trust = (struct engine_bytes){
		(const uint8_t *)"default", 7 };
	kernel_run(&kernel);
	kernel_assert_good(client, server);
	assert_false(client->result.flags & SOCKTLS_INFO_RESUMED);
}

static void exporters_agree_and_refuse(void **state)
{
	struct end *client;

	(void)state;
	client = connect_as(1000, NULL, false);
	kernel_export(client, "EXPORTER-Channel-Binding", "", 32);
	kernel_export(client->peer, "EXPORTER-Channel-Binding", "", 32);
	assert_int_equal(client->exported_len, 32);
	assert_int_equal(client->peer->exported_len, 32);
	assert_memory_equal(client->exported, client->peer->exported, 32);
	kernel_export(client, "", NULL, 32);
	assert_int_equal(client->error, EINVAL);
	assert_non_null(strstr(client->text, "label"));
	kernel_export(client, "x", NULL, ENGINE_EXPORT_MAX + 1);
	assert_int_equal(client->error, EINVAL);
}

static void assert_stale(struct end *end)
{
	kernel_export(end, "x", NULL, 32);
	assert_int_equal(end->error, ESTALE);
	assert_int_equal(end->exported_len, 0);
	assert_non_null(strstr(end->text, "is gone"));
}

/* Nothing that came from it may be used: no exporter, no ticket, no end. */
static void cookie_that_is_not_the_connections_is_refused(void **state)
{
	struct end *client, *other;
	uint8_t own[sizeof(client->cookie)];

	(void)state;
	client = connect_as(1000, NULL, false);
	other = connect_as(1001, NULL, false);
	memcpy(own, client->cookie, sizeof(own));
	client->cookie[client->cookie_len / 2] ^= 1;
	assert_stale(client);
	memcpy(client->cookie, other->cookie, sizeof(own));
	client->cookie_len = other->cookie_len;
	assert_stale(client);
	kernel_end(client, 40);
	connect_as(1001, NULL, true);
	memcpy(client->cookie, own, sizeof(own));
	kernel_export(client, "x", NULL, 32);
	assert_int_equal(client->exported_len, 32);
}

static void restarted_worker_opens_no_cookie_of_before(void **state)
{
	struct end *client;
	struct worker *old = kernel.worker;

	(void)state;
	client = connect_as(1000, NULL, false);
	kernel_restart(&kernel, stores);
	assert_stale(client);
	kernel_give_tickets(client);
	kernel_end(client, 40);
	worker_free(kernel.worker);
	kernel.worker = old;
	kernel_export(client, "x", NULL, 32);
	assert_int_equal(client->exported_len, 32);
}

/* The secret of a line of the key log. */
static size_t parse_secret(const char *line, uint8_t *secret)
{
	const char *hex = strrchr(line, ' ') + 1;
	size_t n = 0;

	while (sscanf(hex + 2 * n, "%2hhx", secret + n) == 1)
		n++;
	return n;
}

static void secrets_of_a_cookie_are_sealed(void **state)
{
	struct end *server, *client;
	FILE *file = tmpfile();
	uint8_t secret[256];
	char line[512];
	size_t len, n = 0;

	(void)state;
	kernel_free(&kernel);
	kernel_init(&kernel, stores, file);
	client = add_pair(&server);
	kernel_run(&kernel);
	kernel_assert_good(client, server);
	rewind(file);
	while (fgets(line, sizeof(line), file)) {
		if (strncmp(line, "EXPORTER_SECRET ", 16))
			continue;
		len = parse_secret(line, secret);
		assert_true(len >= 32);
		assert_null(memmem(client->cookie, client->cookie_len, secret,
				   len));
		assert_null(memmem(server->cookie, server->cookie_len, secret,
				   len));
		n++;
	}
	fclose(file);
	assert_int_equal(n, 2);
}

static void junk_in_place_of_cookies_and_tickets_is_survived(void **state)
{
	struct end *client;

	(void)state;
	client = connect_as(1000, NULL, false);
	memset(client->peer->tickets + 4, 0xff, client->peer->tickets_len - 4);
	client->peer->tickets[3] = 7;
	client->peer->tickets_len = 11;
	kernel_give_tickets(client);
	client->cookie_len = 3;
	kernel_give_tickets(client);
	kernel_end(client, 40);
	connect_as(1000, NULL, true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RESUMPTION(sessions_are_resumed_and_stay_with_their_user),
		RESUMPTION(fatal_alert_ends_sessions),
		RESUMPTION(trust_of_another_name_starts_anew),
		RESUMPTION(exporters_agree_and_refuse),
		RESUMPTION(cookie_that_is_not_the_connections_is_refused),
		RESUMPTION(restarted_worker_opens_no_cookie_of_before),
		TEST(secrets_of_a_cookie_are_sealed),
		RESUMPTION(junk_in_place_of_cookies_and_tickets_is_survived),
	};

	return cmocka_run_group_tests_name("resumption", tests, group_setup,
					   group_teardown);
}
