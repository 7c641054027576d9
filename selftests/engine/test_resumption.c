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

/* The ways to resume. */
static const struct way {
	const char	*name;
	uint16_t	version;
	bool		ids;
	unsigned int	tickets;
	enum engine_session_kind kind;
} ways[] = {
	{ "ID", TLS12, true, 0, ENGINE_SESSION_RESUMABLE },
	{ "ticket", TLS12, false, 2, ENGINE_SESSION_RESUMABLE },
	{ "PSK", TLS13, false, 2, ENGINE_SESSION_TICKET },
};

#define WAYS		(sizeof(ways) / sizeof(ways[0]))
#define BY_ID		(&ways[0])
#define BY_TICKET	(&ways[1])
#define BY_PSK		(&ways[2])

static void start(struct scene *scene, const struct way *way)
{
	scene_init(scene, way->version);
	scene->server.session_ids = way->ids;
	scene->server.tickets = way->tickets;
}

/* With one connection behind it. */
static void start_with_session(struct scene *scene, const struct way *way)
{
	start(scene, way);
	scene_expect(scene, false);
}

static const struct side *client(const struct scene *scene)
{
	return &scene->pair.client;
}

static const struct side *server(const struct scene *scene)
{
	return &scene->pair.server;
}

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

/* The session ID of a ServerHello in a record. */
static struct engine_bytes session_id_of(const struct record *record)
{
	return bytes_of(record->data + 4 + 2 + 32 + 1, record->data[38]);
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

/* ------------------------------------------------------- tampered messages */

/* Where the extensions' length stands in a hello. */
static size_t extensions_at(const struct record *record)
{
	size_t at = 4 + 2 + 32;

	at += 1 + record->data[at];
	if (record->data[0] == SERVER_HELLO)
		return at + 3;
	at += 2 + (record->data[at] << 8 | record->data[at + 1]);
	return at + 1 + record->data[at];
}

static void adjust_u16(uint8_t *at, int by)
{
	int value = (at[0] << 8 | at[1]) + by;

	at[0] = value >> 8;
	at[1] = value;
}

static void adjust_hello(struct record *record, int by)
{
	adjust_u16(record->data + 2, by);
	adjust_u16(record->data + extensions_at(record), by);
	record->len += by;
}

static uint8_t *find_extension(struct record *record, uint16_t type)
{
	size_t at = extensions_at(record) + 2;

	while (at < record->len) {
		uint8_t *e = record->data + at;

		if ((e[0] << 8 | e[1]) == type)
			return e;
		at += 4 + (e[2] << 8 | e[3]);
	}
	return NULL;
}

static void remove_extension(struct record *record, uint16_t type)
{
	uint8_t *e = find_extension(record, type);
	size_t len;

	assert_non_null(e);
	len = 4 + (e[2] << 8 | e[3]);
	memmove(e, e + len, record->data + record->len - e - len);
	adjust_hello(record, -(int)len);
}

/* In front of all others: pre_shared_key stays the last. */
static void insert_empty_extension(struct record *record, uint16_t type)
{
	size_t at = extensions_at(record) + 2;
	uint8_t *data = malloc(record->len + 4);

	memcpy(data, record->data, at);
	data[at] = type >> 8;
	data[at + 1] = type;
	data[at + 2] = data[at + 3] = 0;
	memcpy(data + at + 4, record->data + at, record->len - at);
	free(record->data);
	record->data = data;
	adjust_hello(record, 4);
}

static bool is_hello(const struct record *record, uint8_t type)
{
	return record->type == 22 && !record->level && record->data[0] == type;
}

static bool client_without_ems(struct pair *pair, struct side *from,
			       struct record *record)
{
	(void)pair;
	(void)from;
	if (is_hello(record, CLIENT_HELLO))
		remove_extension(record, EXT_EXTENDED_MASTER_SECRET);
	return true;
}

static bool server_without_ems(struct pair *pair, struct side *from,
			       struct record *record)
{
	(void)pair;
	(void)from;
	if (is_hello(record, SERVER_HELLO))
		remove_extension(record, EXT_EXTENDED_MASTER_SECRET);
	return true;
}

static void session_with_ems_is_resumed_with_it_only(void **state)
{
	struct scene scene;
	size_t i;

	(void)state;
	for (i = 0; i < 2; i++) {
		start_with_session(&scene, &ways[i]);
		scene.tamper = client_without_ems;
		scene_connect(&scene);
		assert_failed(server(&scene), HANDSHAKE_FAILURE, EPROTO,
			      "extended master secret");
		scene_free(&scene);
		start_with_session(&scene, &ways[i]);
		scene.tamper = server_without_ems;
		scene_connect(&scene);
		assert_failed(client(&scene), HANDSHAKE_FAILURE, EPROTO,
			      "extended master secret");
		scene_free(&scene);
	}
}

/* Without it nothing is promised: neither an ID nor a ticket. */
static bool check_no_promise(struct pair *pair, struct side *from,
			     struct record *record)
{
	bool *seen = pair->arg;

	client_without_ems(pair, from, record);
	if (is_hello(record, SERVER_HELLO)) {
		*seen = true;
		assert_int_equal(session_id_of(record).len, 0);
		assert_null(find_extension(record, EXT_SESSION_TICKET));
	}
	return true;
}

static void session_without_ems_is_not_kept(void **state)
{
	struct scene scene;
	size_t i;

	(void)state;
	for (i = 0; i < 2; i++) {
		bool seen = false;

		start(&scene, &ways[i]);
		scene.tamper = check_no_promise;
		scene.arg = &seen;
		scene_connect(&scene);
		assert_true(seen);
		assert_int_equal(sessions_count(scene.server_host.sessions), 0);
		assert_int_equal(sessions_count(scene.client_host.sessions), 0);
		scene_free(&scene);
	}
}

static bool server_changes_suite(struct pair *pair, struct side *from,
				 struct record *record)
{
	struct engine_bytes id;
	uint8_t *suite;

	(void)pair;
	(void)from;
	if (!is_hello(record, SERVER_HELLO))
		return true;
	id = session_id_of(record);
	suite = record->data + (id.data - record->data) + id.len;
	suite[0] = 0xc0;
	suite[1] = 0x30;
	return true;
}

static void resumed_suite_has_to_be_the_sessions(void **state)
{
	struct scene scene;

	(void)state;
	start_with_session(&scene, BY_ID);
	assert_int_not_equal(client(&scene)->result.suite, 0xc030);
	scene.tamper = server_changes_suite;
	scene_connect(&scene);
	assert_failed(client(&scene), ILLEGAL_PARAMETER, EPROTO,
		      "another cipher suite");
	scene_free(&scene);
}

static bool server_echoes_id(struct pair *pair, struct side *from,
			     struct record *record)
{
	static uint8_t id[32];

	(void)pair;
	(void)from;
	if (is_hello(record, CLIENT_HELLO))
		memcpy(id, session_id_of(record).data, 32);
	if (is_hello(record, SERVER_HELLO))
		memcpy((void *)session_id_of(record).data, id, 32);
	return true;
}

/* RFC 8446 section 4.1.3: the ID was random, so there is no such session. */
static void echo_of_a_random_id_is_refused(void **state)
{
	struct scene scene;

	(void)state;
	start(&scene, BY_ID);
	scene.client.max_version = TLS13;
	scene.server.max_version = TLS12;
	scene.tamper = server_echoes_id;
	scene_connect(&scene);
	assert_failed(client(&scene), ILLEGAL_PARAMETER, EPROTO,
		      "does not have");
	scene_free(&scene);
}

/* --------------------------------------------------- pre_shared_key itself */

static bool drop_modes(struct pair *pair, struct side *from,
		       struct record *record)
{
	(void)pair;
	(void)from;
	if (is_hello(record, CLIENT_HELLO))
		remove_extension(record, EXT_PSK_KEY_EXCHANGE_MODES);
	return true;
}

static void psk_without_modes_is_refused(void **state)
{
	struct scene scene;

	(void)state;
	start_with_session(&scene, BY_PSK);
	scene.tamper = drop_modes;
	scene_connect(&scene);
	assert_failed(server(&scene), MISSING_EXTENSION, EPROTO,
		      "psk_key_exchange_modes");
	scene_free(&scene);
}

static void client_without_modes_gets_no_tickets(void **state)
{
	struct scene scene;

	(void)state;
	start(&scene, BY_PSK);
	scene.client.sessions = NULL;
	scene_connect(&scene);
	pair_assert_good(&scene.pair);
	assert_int_equal(server(&scene)->n_lazy, 0);
	scene_free(&scene);
}

static bool psk_ke_only(struct pair *pair, struct side *from,
			struct record *record)
{
	(void)pair;
	(void)from;
	if (is_hello(record, CLIENT_HELLO))
		find_extension(record, EXT_PSK_KEY_EXCHANGE_MODES)[5] = 0;
	return true;
}

/* Without a key exchange of its own there would be no forward secrecy. */
static void psk_ke_is_not_done(void **state)
{
	struct scene scene;

	(void)state;
	start_with_session(&scene, BY_PSK);
	scene.tamper = psk_ke_only;
	scene_connect(&scene);
	assert_false(server(&scene)->engine->resumed);
	assert_int_equal(server(&scene)->n_lazy, 0);
	assert_non_null(strstr(server(&scene)->events, "key:tx:application"));
	scene_free(&scene);
}

/* Changes one byte of pre_shared_key, counted from its end. */
static bool spoil_psk(struct pair *pair, struct side *from,
		      struct record *record)
{
	size_t *at = pair->arg;

	(void)from;
	if (is_hello(record, CLIENT_HELLO))
		record->data[record->len - *at] ^= 1;
	return true;
}

static void every_byte_of_a_psk_offer_counts(void **state)
{
	struct scene scene;
	size_t at, len, n[2] = { 0 };

	(void)state;
	start_with_session(&scene, BY_PSK);
	len = 4 + 2 + 2 + scene.pair.server.lazy[0].len / 2;
	scene_free(&scene);
	for (at = 1; at < len; at += at < 40 ? 1 : 7) {
		start_with_session(&scene, BY_PSK);
		scene.tamper = spoil_psk;
		scene.arg = &at;
		scene_connect(&scene);
		assert_false(client(&scene)->done && server(&scene)->done);
		n[server(&scene)->failed]++;
		scene_free(&scene);
	}
	assert_true(n[1] > 32);		/* the binder at least */
}

/* The binder's bytes, changed on the way. */
static void binder_is_checked_to_the_last_byte(void **state)
{
	struct scene scene;
	size_t at;

	(void)state;
	for (at = 1; at <= 32; at++) {
		start_with_session(&scene, BY_PSK);
		scene.tamper = spoil_psk;
		scene.arg = &at;
		scene_connect(&scene);
		assert_failed(server(&scene), DECRYPT_ERROR, EPROTO, "binder");
		scene_free(&scene);
	}
}

/* ------------------------------------------------------------- early data */

static bool add_early_data(struct pair *pair, struct side *from,
			   struct record *record)
{
	(void)pair;
	(void)from;
	if (is_hello(record, CLIENT_HELLO))
		insert_empty_extension(record, EXT_EARLY_DATA);
	return true;
}

/* First ClientHello only, as section 4.1.2 has it. */
static bool add_early_data_once(struct pair *pair, struct side *from,
				struct record *record)
{
	bool *done = pair->arg;

	if (!*done)
		add_early_data(pair, from, record);
	*done = true;
	return true;
}

/* With a ticket of a server whose keys this one does not have. */
static void start_with_foreign_ticket(struct scene *scene)
{
	static const uint16_t both[] = { 0x001d, 0x0017 };

	start(scene, BY_PSK);
	scene->client.groups = both;
	scene->client.n_groups = 2;
	scene_expect(scene, false);
	ticketkeys_free(scene->server_host.keys);
	assert_int_equal(ticketkeys_new(&scene->server_host.keys, LIFETIME), 0);
	sessions_free(scene->server_host.sessions);
	assert_int_equal(sessions_new(&scene->server_host.sessions, 1 << 20,
				      &ticketkeys_ops,
				      scene->server_host.keys), 0);
	scene->server.sessions_arg = scene->server_host.sessions;
}

/*
 * The ticket is another server's, the early data what its client sends with
 * it: both are passed over. The client here knows nothing of it, so that its
 * Finished does not match.
 */
static void early_data_is_skipped_by_trial(void **state)
{
	struct scene scene;

	(void)state;
	start_with_foreign_ticket(&scene);
	scene.tamper = add_early_data;
	scene_connect(&scene);
	assert_int_equal(server(&scene)->skip_mode, SOCKTLS_SKIP_TRIAL);
	assert_true(server(&scene)->skip_max >= 16384);
	assert_non_null(strstr(server(&scene)->events,
			       "skip:2 key:rx:handshake"));
	assert_false(server(&scene)->engine->resumed);
	scene_free(&scene);
}

static void early_data_before_a_retry_is_skipped_whole(void **state)
{
	static const uint16_t p256 = 0x0017;
	struct scene scene;
	bool done = false;

	(void)state;
	start_with_foreign_ticket(&scene);
	scene.server.groups = &p256;
	scene.server.n_groups = 1;
	scene.tamper = add_early_data_once;
	scene.arg = &done;
	scene_connect(&scene);
	assert_int_equal(server(&scene)->skip_mode, SOCKTLS_SKIP_OPAQUE);
	assert_non_null(strstr(server(&scene)->events, "send:2 ccs skip:1"));
	scene_free(&scene);
}

static void early_data_after_a_retry_is_refused(void **state)
{
	static const uint16_t p256 = 0x0017;
	struct scene scene;

	(void)state;
	start_with_foreign_ticket(&scene);
	scene.server.groups = &p256;
	scene.server.n_groups = 1;
	scene.tamper = add_early_data;
	scene_connect(&scene);
	assert_failed(server(&scene), ILLEGAL_PARAMETER, EPROTO,
		      "ClientHello");
	scene_free(&scene);
}

static void early_data_without_psk_is_refused(void **state)
{
	struct scene scene;

	(void)state;
	start(&scene, BY_PSK);
	scene.tamper = add_early_data;
	scene_connect(&scene);
	assert_failed(server(&scene), ILLEGAL_PARAMETER, EPROTO,
		      "ClientHello");
	scene_free(&scene);
}

static bool find_early_data(struct pair *pair, struct side *from,
			    struct record *record)
{
	unsigned int *hellos = pair->arg;

	(void)from;
	if (!is_hello(record, CLIENT_HELLO))
		return true;
	(*hellos)++;
	assert_null(find_extension(record, EXT_EARLY_DATA));
	return true;
}

static void client_never_offers_early_data(void **state)
{
	unsigned int hellos = 0;
	struct scene scene;

	(void)state;
	start_with_session(&scene, BY_PSK);
	scene.tamper = find_early_data;
	scene.arg = &hellos;
	scene_expect(&scene, true);
	assert_int_equal(hellos, 1);
	scene_free(&scene);
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
		cmocka_unit_test(session_with_ems_is_resumed_with_it_only),
		cmocka_unit_test(session_without_ems_is_not_kept),
		cmocka_unit_test(resumed_suite_has_to_be_the_sessions),
		cmocka_unit_test(echo_of_a_random_id_is_refused),
		cmocka_unit_test(psk_without_modes_is_refused),
		cmocka_unit_test(client_without_modes_gets_no_tickets),
		cmocka_unit_test(psk_ke_is_not_done),
		cmocka_unit_test(every_byte_of_a_psk_offer_counts),
		cmocka_unit_test(binder_is_checked_to_the_last_byte),
		cmocka_unit_test(early_data_is_skipped_by_trial),
		cmocka_unit_test(early_data_before_a_retry_is_skipped_whole),
		cmocka_unit_test(early_data_after_a_retry_is_refused),
		cmocka_unit_test(early_data_without_psk_is_refused),
		cmocka_unit_test(client_never_offers_early_data),
	};

	return cmocka_run_group_tests_name("resumption", tests, setup,
					   teardown);
}
