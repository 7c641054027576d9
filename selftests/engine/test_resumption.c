// SPDX-License-Identifier: MIT
/* Resumption: by session ID, by ticket, by PSK; and when there is none. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/core.h"
#include "resume.h"

/* ------------------------------------------------------------- it works */

static void second_connection_resumes(void **state)
{
	struct scene scene;
	size_t i;

	(void)state;
	for (i = 0; i < WAYS; i++) {
		start_with_session(&scene, &ways[i]);
		scene.now += 10;
		scene_expect(&scene, true);
		scene.now += 10;
		scene_expect(&scene, true);
		scene_free(&scene);
	}
}

static void abbreviated_handshake_has_the_messages_of_its_rfc(void **state)
{
	struct scene scene;

	(void)state;
	start_with_session(&scene, BY_ID);
	assert_string_equal(server(&scene)->events,
			    "version send:2 key:rx:application ccs "
			    "key:tx:application send:20 cert:local done");
	scene_expect(&scene, true);
	/* RFC 5246 figure 2 */
	assert_string_equal(server(&scene)->events,
			    "version send:2 ccs key:tx:application send:20 "
			    "key:rx:application cert:local done");
	assert_string_equal(client(&scene)->events,
			    "send:1 version key:rx:application ccs "
			    "key:tx:application send:20 cert:peer done");
	scene_free(&scene);
	/* RFC 5077 figure 1: the ticket before ChangeCipherSpec */
	start_with_session(&scene, BY_TICKET);
	assert_string_equal(server(&scene)->events,
			    "version send:2 key:rx:application send:4 ccs "
			    "key:tx:application send:20 cert:local done");
	scene_expect(&scene, true);
	assert_string_equal(server(&scene)->events,
			    "version send:2 ccs key:tx:application send:20 "
			    "key:rx:application cert:local done");
	scene_free(&scene);
	/* RFC 8446 figure 3 */
	start_with_session(&scene, BY_PSK);
	assert_string_equal(server(&scene)->events,
			    "version send:2 ccs key:tx:handshake send:8 "
			    "key:tx:application key:rx:handshake "
			    "key:rx:application lazy:4 cert:local done");
	scene_expect(&scene, true);
	assert_int_equal(server(&scene)->peer_certs, 0);
	assert_true(server(&scene)->n_lazy == 1);
	scene_free(&scene);
}

/**
 * struct ids - session IDs seen on the wire
 * @client: of the ClientHello
 * @server: of the ServerHello
 */
struct ids {
	uint8_t	client[33];
	uint8_t	server[33];
};

static bool note_ids(struct pair *pair, struct side *from,
		     struct record *record)
{
	struct ids *ids = pair->arg;
	struct engine_bytes id;
	uint8_t *to;

	if (record->type != 22 || record->level || record->data[0] < 1 ||
	    record->data[0] > 2)
		return true;
	id = session_id_of(record);
	to = from == &pair->client ? ids->client : ids->server;
	to[0] = id.len;
	memcpy(to + 1, id.data, id.len);
	return true;
}

static void hit_echoes_the_id_and_miss_makes_a_new_one(void **state)
{
	struct ids first = { 0 }, hit = { 0 }, miss = { 0 };
	struct scene scene;

	(void)state;
	start(&scene, BY_ID);
	scene.tamper = note_ids;
	scene.arg = &first;
	scene_expect(&scene, false);
	assert_int_equal(first.client[0], 0);
	assert_int_equal(first.server[0], 32);
	scene.arg = &hit;
	scene_expect(&scene, true);
	assert_memory_equal(hit.client, first.server, 33);
	assert_memory_equal(hit.server, first.server, 33);
	sessions_set_max(scene.server_host.sessions, 0);
	sessions_set_max(scene.server_host.sessions, 1 << 20);
	scene.arg = &miss;
	scene_expect(&scene, false);
	assert_memory_equal(miss.client, first.server, 33);
	assert_int_equal(miss.server[0], 32);
	assert_memory_not_equal(miss.server, first.server, 33);
	/* and the new one is good */
	scene.arg = &hit;
	scene_expect(&scene, true);
	assert_memory_equal(hit.server, miss.server, 33);
	scene_free(&scene);
}

static void mutual_authentication_is_resumed_with_its_identity(void **state)
{
	struct scene scene;
	char identity[512];
	size_t i;

	(void)state;
	for (i = 0; i < WAYS; i++) {
		start(&scene, &ways[i]);
		scene_make_mutual(&scene);
		scene_expect(&scene, false);
		snprintf(identity, sizeof(identity), "%s",
			 server(&scene)->identity);
		assert_non_null(strstr(identity, "alice"));
		scene_expect(&scene, true);
		assert_string_equal(server(&scene)->identity, identity);
		assert_true(server(&scene)->result.flags &
			    SOCKTLS_INFO_PEER_VERIFIED);
		assert_true(server(&scene)->peer_certs > 0);
		scene_free(&scene);
	}
}

static void tickets_are_used_once_and_several_are_kept(void **state)
{
	struct scene scene;

	(void)state;
	start_with_session(&scene, BY_PSK);
	scene.server.tickets = 0;	/* opens none either */
	scene_expect(&scene, false);
	scene_free(&scene);

	start(&scene, BY_PSK);
	scene.server.tickets = 3;
	scene_expect(&scene, false);
	assert_int_equal(server(&scene)->n_lazy, 1);
	/* three, the chain, and none after three more connections */
	assert_int_equal(sessions_count(scene.client_host.sessions), 4);
	scene_connect(&scene);
	assert_true(scene_resumed(&scene));
	/* a resumed connection brings one in place of the one it took */
	assert_int_equal(sessions_count(scene.client_host.sessions), 4);
	scene_free(&scene);
}

static void ticket_that_was_used_is_gone(void **state)
{
	struct scene scene;

	(void)state;
	start(&scene, BY_PSK);
	scene.server.tickets = 1;
	scene_expect(&scene, false);
	assert_int_equal(sessions_count(scene.client_host.sessions), 2);
	/* the client fails on the way; its ticket was out */
	scene.server.max_version = TLS12;
	scene.server.min_version = TLS12;
	scene_connect(&scene);
	assert_true(client(&scene)->failed || server(&scene)->failed);
	assert_int_equal(sessions_count(scene.client_host.sessions), 1);
	scene_free(&scene);
}

static void resumption_survives_a_retry(void **state)
{
	static const uint16_t both[] = { 0x001d, 0x0017 };
	struct scene scene;

	(void)state;
	start(&scene, BY_PSK);
	scene.client.groups = both;
	scene.client.n_groups = 2;
	scene.server.groups = both + 1;
	scene.server.n_groups = 1;
	scene_expect(&scene, false);
	scene_expect(&scene, true);
	assert_non_null(strstr(client(&scene)->events,
			       "send:1 version ccs send:1"));
	scene_free(&scene);
}

static void every_chunking_resumes(void **state)
{
	struct scene scene;
	size_t i, chunk;

	(void)state;
	for (i = 0; i < WAYS; i++)
		for (chunk = 1; chunk < 8; chunk += 3) {
			start_with_session(&scene, &ways[i]);
			pair_free(&scene.pair);
			scene.client.now = scene.server.now = scene.now;
			pair_init(&scene.pair, &scene.client, &scene.server);
			scene.pair.chunk = chunk;
			pair_run(&scene.pair);
			pair_assert_good(&scene.pair);
			assert_true(scene_resumed(&scene));
			scene_free(&scene);
		}
}

/* ----------------------------------------------------- tickets that fail */

static void flip_ticket(struct session *session, struct writer *handle)
{
	(void)session;
	handle->data[handle->len / 2] ^= 1;
}

static void flip_name(struct session *session, struct writer *handle)
{
	(void)session;
	handle->data[0] ^= 0x80;
}

static void flip_tag(struct session *session, struct writer *handle)
{
	(void)session;
	handle->data[handle->len - 1] ^= 1;
}

static void cut_ticket(struct session *session, struct writer *handle)
{
	(void)session;
	handle->len -= 1;
}

static void cut_to_one(struct session *session, struct writer *handle)
{
	(void)session;
	handle->len = 1;
}

static void pad_ticket(struct session *session, struct writer *handle)
{
	(void)session;
	writer_u8(handle, 0);
}

static void spoilt_tickets_lead_to_a_full_handshake(void **state)
{
	void (*const spoil[])(struct session *, struct writer *) = {
		flip_ticket, flip_name, flip_tag, cut_ticket, cut_to_one,
		pad_ticket,
	};
	struct scene scene;
	size_t i, j;

	(void)state;
	for (i = 1; i < WAYS; i++)
		for (j = 0; j < sizeof(spoil) / sizeof(spoil[0]); j++) {
			start(&scene, &ways[i]);
			scene.server.tickets = 1;
			scene_expect(&scene, false);
			scene_edit(&scene, ways[i].kind, spoil[j]);
			scene_expect(&scene, false);
			scene_free(&scene);
		}
}

static void flip_secret(struct session *session, struct writer *handle)
{
	(void)handle;
	session->secret[0] ^= 1;
}

static void binder_of_another_key_is_refused(void **state)
{
	struct scene scene;

	(void)state;
	start_with_session(&scene, BY_PSK);
	scene_edit(&scene, ENGINE_SESSION_TICKET, flip_secret);
	scene_connect(&scene);
	assert_failed(server(&scene), DECRYPT_ERROR, EPROTO, "binder");
	scene_free(&scene);
}

static void ticket_of_another_master_secret_shows_in_finished(void **state)
{
	struct scene scene;
	size_t i;

	(void)state;
	for (i = 0; i < 2; i++) {
		start_with_session(&scene, &ways[i]);
		scene_edit(&scene, ENGINE_SESSION_RESUMABLE, flip_secret);
		scene_connect(&scene);
		/* a real record layer would notice earlier */
		assert_true(client(&scene)->failed);
		assert_int_equal(client(&scene)->failure.alert, DECRYPT_ERROR);
		scene_free(&scene);
	}
}

/* A ticket of SHA-256 under a suite of SHA-384. */
static void change_hash(struct session *session, struct writer *handle)
{
	(void)handle;
	session->suite = suite_find(0x1302);
	session->secret_len = 48;
}

static void psk_of_another_hash_is_passed_over(void **state)
{
	static const uint16_t sha384 = 0x1302;
	static const uint16_t both[] = { 0x1301, 0x1302 };
	struct scene scene;

	(void)state;
	start(&scene, BY_PSK);
	scene.client.suites = scene.server.suites = both;
	scene.client.n_suites = scene.server.n_suites = 2;
	scene_expect(&scene, false);
	assert_int_equal(client(&scene)->result.suite, 0x1301);
	scene.client.suites = &sha384;
	scene.client.n_suites = 1;
	scene_edit(&scene, ENGINE_SESSION_TICKET, change_hash);
	scene_expect(&scene, false);
	assert_int_equal(client(&scene)->result.suite, 0x1302);
	scene_free(&scene);
}

/* The server prefers a suite of another hash, but the PSK decides. */
static void psk_decides_the_hash(void **state)
{
	static const uint16_t order[] = { 0x1302, 0x1303, 0x1301 };
	struct scene scene;

	(void)state;
	start(&scene, BY_PSK);
	scene.server.suites = order;
	scene.server.n_suites = 3;
	scene.client.suites = order + 2;
	scene.client.n_suites = 1;
	scene_expect(&scene, false);
	scene.client.suites = order;
	scene.client.n_suites = 3;
	scene_edit(&scene, ENGINE_SESSION_TICKET, NULL);
	scene_expect(&scene, true);
	assert_int_equal(client(&scene)->result.suite, 0x1303);
	scene_free(&scene);
}

/* ------------------------------------------------------------------ time */

static void live_long(struct session *session, struct writer *handle)
{
	(void)handle;
	session->lifetime = SESSION_LIFETIME_MAX;
}

static void both_sides_know_when_a_session_ends(void **state)
{
	struct scene scene;
	size_t i;
	int edit;

	(void)state;
	for (i = 0; i < WAYS; i++)
		for (edit = 0; edit < 2; edit++) {
			start_with_session(&scene, &ways[i]);
			scene.now += LIFETIME - 1;
			if (edit)
				scene_edit(&scene, ways[i].kind, live_long);
			scene.now++;
			scene_expect(&scene, false);
			scene_free(&scene);
			start_with_session(&scene, &ways[i]);
			scene.now += LIFETIME - 1;
			scene_expect(&scene, true);
			scene_free(&scene);
		}
}

static void clock_set_back_ends_a_session(void **state)
{
	struct scene scene;
	size_t i;

	(void)state;
	for (i = 0; i < WAYS; i++) {
		start_with_session(&scene, &ways[i]);
		scene.now -= 60;
		scene_expect(&scene, false);
		scene_free(&scene);
	}
}

/* New tickets do not carry a session past seven days. */
static void authentication_does_not_live_for_ever(void **state)
{
	struct scene scene;
	time_t end;

	(void)state;
	start_with_session(&scene, BY_PSK);
	end = scene.now + SESSION_LIFETIME_MAX;
	while (scene.now + LIFETIME - 1 < end) {
		scene.now += LIFETIME - 1;
		scene_expect(&scene, true);
	}
	scene.now = end;
	scene_expect(&scene, false);
	scene_free(&scene);
}

static void ticket_keys_of_two_generations_open(void **state)
{
	struct scene scene;
	size_t i;

	(void)state;
	for (i = 1; i < WAYS; i++) {
		start_with_session(&scene, &ways[i]);
		/* the key is as old as that ticket; the next one is young */
		scene.now += LIFETIME - 1;
		scene_expect(&scene, true);
		if (ways[i].version == TLS13) {
			scene.now += LIFETIME - 1;
			scene_expect(&scene, true);
		}
		scene.now += 3 * LIFETIME;
		scene_expect(&scene, false);
		scene_free(&scene);
	}
}

/* --------------------------------------------- what a session is bound to */

static struct actor other_server;

static int setup(void **state)
{
	int ret = world_setup(state);

	other_server = actor_new(&(struct pki_spec){
		.key = "p256", .name = "both",
		.san = "DNS:" NAME ",DNS:other.example", .issuer = world.ca });
	return ret;
}

static int teardown(void **state)
{
	actor_free(&other_server);
	return world_teardown(state);
}

/* The client is made to offer what it never would by itself. */
static void server_refuses_a_session_of_another_name(void **state)
{
	struct scene scene;
	size_t i;

	(void)state;
	for (i = 0; i < WAYS; i++) {
		start(&scene, &ways[i]);
		scene.server.identities = &other_server.identity;
		scene_expect(&scene, false);
		scene.client.server_name = "other.example";
		scene_edit(&scene, ways[i].kind, NULL);
		scene_connect(&scene);
		pair_assert_good(&scene.pair);
		assert_false(scene_resumed(&scene));
		assert_string_equal(client(&scene)->identity, "other.example");
		scene_free(&scene);
	}
}

static void client_offers_no_session_of_another_name(void **state)
{
	struct scene scene;
	size_t i;

	(void)state;
	for (i = 0; i < WAYS; i++) {
		start(&scene, &ways[i]);
		scene.server.identities = &other_server.identity;
		scene_expect(&scene, false);
		scene.client.server_name = "other.example";
		scene_connect(&scene);
		pair_assert_good(&scene.pair);
		assert_false(scene_resumed(&scene));
		assert_false(client(&scene)->engine->session.suite);
		/* a name knows no case */
		scene.client.server_name = "SERVER.example";
		scene_connect(&scene);
		pair_assert_good(&scene.pair);
		assert_true(scene_resumed(&scene));
		scene_free(&scene);
	}
}

static void change_alpn(struct engine_config *config)
{
	config->alpn = bytes_of("\2h2", 3);
}

static void change_policy(struct engine_config *config)
{
	config->policy = "legacy";
}

static void change_scope(struct engine_config *config)
{
	config->session_scope = bytes_of("uid 1001", 8);
}

static void change_peer_auth(struct engine_config *config)
{
	if (config->role == SOCKTLS_SERVER) {
		config->peer_auth = SOCKTLS_PEER_AUTH_REQUEST;
		config->trust = world.trust;
	} else {
		config->peer_auth = SOCKTLS_PEER_AUTH_REQUEST;
	}
}

static void change_identity(struct engine_config *config)
{
	config->identities = config->role == SOCKTLS_SERVER ?
			     &world.ecdsa.identity :
			     &world.client_ecdsa.identity;
	config->n_identities = 1;
}

static void sessions_do_not_cross_settings(void **state)
{
	void (*const change[])(struct engine_config *) = {
		change_alpn, change_policy, change_scope, change_peer_auth,
		change_identity,
	};
	struct scene scene;
	size_t i, j;
	int side;

	(void)state;
	for (i = 0; i < WAYS; i++)
		for (j = 0; j < sizeof(change) / sizeof(change[0]); j++)
			for (side = 0; side < 2; side++) {
				start_with_session(&scene, &ways[i]);
				change[j](side ? &scene.client :
						 &scene.server);
				scene_expect(&scene, false);
				scene_free(&scene);
			}
}

/* ------------------------------------------------- certificates, as of now */

static struct engine_trust *trust_with_crl(const struct pki_cert *revoked)
{
	char *crl = pki_crl(world.ca, revoked), pem[16384];

	snprintf(pem, sizeof(pem), "%s%s", world.ca->cert_pem, crl);
	free(crl);
	return trust_of(pem);
}

static void revoked_server_is_not_resumed(void **state)
{
	struct engine_trust *trust = trust_with_crl(world.rsa.cert);
	struct scene scene;
	size_t i;

	(void)state;
	for (i = 0; i < WAYS; i++) {
		start_with_session(&scene, &ways[i]);
		scene.client.trust = trust;
		scene_connect(&scene);
		assert_failed(client(&scene), CERTIFICATE_REVOKED, EKEYREVOKED,
			      "revoked");
		/* the session was not even offered */
		assert_false(server(&scene)->engine->session.suite);
		scene_free(&scene);
	}
	engine_trust_put(trust);
}

static void revoked_client_is_not_resumed(void **state)
{
	struct engine_trust *trust = trust_with_crl(world.client_ecdsa.cert);
	struct scene scene;
	size_t i;

	(void)state;
	for (i = 0; i < WAYS; i++) {
		start(&scene, &ways[i]);
		scene_make_mutual(&scene);
		scene_expect(&scene, false);
		scene.server.trust = trust;
		scene_connect(&scene);
		assert_failed(server(&scene), CERTIFICATE_REVOKED, EKEYREVOKED,
			      "revoked");
		scene_free(&scene);
	}
	engine_trust_put(trust);
}

static void untrusted_ca_ends_its_sessions(void **state)
{
	struct pki_cert *ca = pki_issue(&(struct pki_spec){
		.key = "p256", .name = "another CA", .ca = true });
	struct engine_trust *trust = trust_of(ca->cert_pem);
	struct scene scene;
	size_t i;

	(void)state;
	for (i = 0; i < WAYS; i++) {
		start_with_session(&scene, &ways[i]);
		scene.client.trust = trust;
		scene_connect(&scene);
		assert_failed(client(&scene), UNKNOWN_CA, EKEYREJECTED, "CA");
		scene_free(&scene);
	}
	engine_trust_put(trust);
	pki_free(ca);
}

static void expired_certificate_ends_its_sessions(void **state)
{
	struct actor brief = actor_new(&(struct pki_spec){
		.key = "p256", .name = "brief", .san = "DNS:" NAME,
		.issuer = world.ca, .valid_to = 1000 });
	struct scene scene;
	size_t i;

	(void)state;
	for (i = 0; i < WAYS; i++) {
		start(&scene, &ways[i]);
		scene.server.identities = &brief.identity;
		scene_expect(&scene, false);
		scene.now += 900;
		scene_expect(&scene, true);
		scene.now += 200;
		scene_connect(&scene);
		assert_failed(client(&scene), CERTIFICATE_EXPIRED, EKEYEXPIRED,
			      "expired");
		scene_free(&scene);
	}
	actor_free(&brief);
}

/* ----------------------------------------------------------- fatal alerts */

static void fatal_alert_ends_a_session_id(void **state)
{
	struct scene scene;

	(void)state;
	start_with_session(&scene, BY_ID);
	engine_cookie_ended(bytes_of(server(&scene)->cookie,
				     server(&scene)->cookie_len),
			    &sessions_ops, scene.server_host.sessions);
	assert_int_equal(sessions_count(scene.server_host.sessions), 0);
	scene_expect(&scene, false);
	/* also that of a connection that resumed it */
	scene_expect(&scene, true);
	engine_cookie_ended(bytes_of(server(&scene)->cookie,
				     server(&scene)->cookie_len),
			    &sessions_ops, scene.server_host.sessions);
	scene_expect(&scene, false);
	scene_free(&scene);
}

static void fatal_alert_ends_a_clients_sessions(void **state)
{
	struct scene scene;
	size_t i;

	(void)state;
	for (i = 0; i < WAYS; i++) {
		start_with_session(&scene, &ways[i]);
		engine_cookie_ended(bytes_of(client(&scene)->cookie,
					     client(&scene)->cookie_len),
				    &sessions_ops, scene.client_host.sessions);
		scene_expect(&scene, false);
		scene_free(&scene);
	}
}

static bool spoil_client_finished(struct pair *pair, struct side *from,
				  struct record *record)
{
	if (from == &pair->client && record->type == 22 &&
	    record->data[0] == FINISHED)
		record->data[4] ^= 1;
	return true;
}

static void failed_resumption_forgets_the_session(void **state)
{
	struct scene scene;

	(void)state;
	start_with_session(&scene, BY_ID);
	scene.tamper = spoil_client_finished;
	scene_connect(&scene);
	assert_failed(server(&scene), DECRYPT_ERROR, EPROTO, "Finished");
	assert_int_equal(sessions_count(scene.server_host.sessions), 0);
	scene.tamper = NULL;
	scene_expect(&scene, false);
	scene_free(&scene);
}

static bool drop_servers(struct pair *pair, struct side *from,
			 struct record *record)
{
	(void)record;
	return from == &pair->client;
}

static void alert_received_forgets_the_session(void **state)
{
	struct scene scene;
	size_t i;

	(void)state;
	for (i = 0; i < 2; i++) {
		start_with_session(&scene, &ways[i]);
		scene.tamper = drop_servers;
		scene_connect(&scene);
		engine_abort(client(&scene)->engine);
		assert_int_equal(sessions_count(scene.client_host.sessions),
				 0);
		scene_free(&scene);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(second_connection_resumes),
		cmocka_unit_test(
			abbreviated_handshake_has_the_messages_of_its_rfc),
		cmocka_unit_test(hit_echoes_the_id_and_miss_makes_a_new_one),
		cmocka_unit_test(
			mutual_authentication_is_resumed_with_its_identity),
		cmocka_unit_test(tickets_are_used_once_and_several_are_kept),
		cmocka_unit_test(ticket_that_was_used_is_gone),
		cmocka_unit_test(resumption_survives_a_retry),
		cmocka_unit_test(every_chunking_resumes),
		cmocka_unit_test(spoilt_tickets_lead_to_a_full_handshake),
		cmocka_unit_test(binder_of_another_key_is_refused),
		cmocka_unit_test(
			ticket_of_another_master_secret_shows_in_finished),
		cmocka_unit_test(psk_of_another_hash_is_passed_over),
		cmocka_unit_test(psk_decides_the_hash),
		cmocka_unit_test(both_sides_know_when_a_session_ends),
		cmocka_unit_test(clock_set_back_ends_a_session),
		cmocka_unit_test(authentication_does_not_live_for_ever),
		cmocka_unit_test(ticket_keys_of_two_generations_open),
		cmocka_unit_test(server_refuses_a_session_of_another_name),
		cmocka_unit_test(client_offers_no_session_of_another_name),
		cmocka_unit_test(sessions_do_not_cross_settings),
		cmocka_unit_test(revoked_server_is_not_resumed),
		cmocka_unit_test(revoked_client_is_not_resumed),
		cmocka_unit_test(untrusted_ca_ends_its_sessions),
		cmocka_unit_test(expired_certificate_ends_its_sessions),
		cmocka_unit_test(fatal_alert_ends_a_session_id),
		cmocka_unit_test(fatal_alert_ends_a_clients_sessions),
		cmocka_unit_test(failed_resumption_forgets_the_session),
		cmocka_unit_test(alert_received_forgets_the_session),
	};

	return cmocka_run_group_tests_name("resumption", tests, setup,
					   teardown);
}
