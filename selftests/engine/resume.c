// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "engine/core.h"
#include "resume.h"

#define SESSION_MEMORY	(1024 * 1024)

const struct way ways[WAYS] = {
	{ "ID", TLS12, true, 0, ENGINE_SESSION_RESUMABLE },
	{ "ticket", TLS12, false, 2, ENGINE_SESSION_RESUMABLE },
	{ "PSK", TLS13, false, 2, ENGINE_SESSION_TICKET },
};

static void host_init(struct host *host)
{
	assert_int_equal(ticketkeys_new(&host->keys, LIFETIME), 0);
	assert_int_equal(sessions_new(&host->sessions, SESSION_MEMORY,
				      &ticketkeys_ops, host->keys), 0);
}

static void host_free(struct host *host)
{
	sessions_free(host->sessions);
	ticketkeys_free(host->keys);
}

static void configure(struct engine_config *config, struct host *host,
		      uint16_t version)
{
	config->min_version = version;
	config->max_version = version;
	config->sessions = &sessions_ops;
	config->sessions_arg = host->sessions;
	config->session_lifetime = LIFETIME;
	config->session_ids = true;
	config->tickets = 2;
}

void scene_init(struct scene *scene, uint16_t version)
{
	memset(scene, 0, sizeof(*scene));
	scene->now = time(NULL);
	host_init(&scene->client_host);
	host_init(&scene->server_host);
	scene->client = world_client();
	scene->server = world_server(&world.rsa);
	configure(&scene->client, &scene->client_host, version);
	configure(&scene->server, &scene->server_host, version);
}

void scene_make_mutual(struct scene *scene)
{
	scene->client.identities = &world.client_ecdsa.identity;
	scene->client.n_identities = 1;
	scene->server.peer_auth = SOCKTLS_PEER_AUTH_REQUIRE;
	scene->server.trust = world.trust;
}

static void forget_pair(struct scene *scene)
{
	if (scene->ran)
		pair_free(&scene->pair);
	scene->ran = false;
}

void scene_free(struct scene *scene)
{
	forget_pair(scene);
	host_free(&scene->client_host);
	host_free(&scene->server_host);
}

void scene_take_tickets(struct scene *scene)
{
	const struct side *c = &scene->pair.client, *s = &scene->pair.server;
	size_t i, at, len;

	for (i = 0; i < s->n_lazy; i++) {
		const struct record *record = &s->lazy[i];

		assert_int_equal(record->level, SOCKTLS_LEVEL_APPLICATION);
		for (at = 0; at < record->len; at += len) {
			const uint8_t *m = record->data + at;

			len = 4 + (m[1] << 16 | m[2] << 8 | m[3]);
			assert_true(at + len <= record->len);
			assert_int_equal(engine_cookie_ticket(
					bytes_of(c->cookie, c->cookie_len),
					bytes_of(m, len), scene->now,
					&sessions_ops,
					scene->client_host.sessions), 0);
		}
	}
}

void scene_connect(struct scene *scene)
{
	forget_pair(scene);
	scene->client.now = scene->now;
	scene->server.now = scene->now;
	pair_init(&scene->pair, &scene->client, &scene->server);
	scene->ran = true;
	scene->pair.tamper = scene->tamper;
	scene->pair.arg = scene->arg;
	pair_run(&scene->pair);
	if (scene->pair.client.done)
		scene_take_tickets(scene);
}

bool scene_resumed(const struct scene *scene)
{
	return scene->pair.client.result.flags & SOCKTLS_INFO_RESUMED;
}

void scene_expect(struct scene *scene, bool resumed)
{
	const struct side *c = &scene->pair.client, *s = &scene->pair.server;
	bool certificate;

	scene_connect(scene);
	pair_assert_good(&scene->pair);
	assert_int_equal(scene_resumed(scene), resumed);
	assert_int_equal(!!(s->result.flags & SOCKTLS_INFO_RESUMED), resumed);
	/* known from this handshake or from the one before it */
	assert_true(c->result.flags & SOCKTLS_INFO_PEER_VERIFIED);
	assert_string_equal(c->identity, NAME);
	assert_true(c->peer_certs > 0);
	certificate = s->version == TLS12 ?
		      strstr(s->events, "send:2 send:11") ||
		      s->result.signature_scheme || c->result.signature_scheme :
		      c->result.signature_scheme;
	if (resumed)
		assert_false(certificate);
}

void start(struct scene *scene, const struct way *way)
{
	scene_init(scene, way->version);
	scene->server.session_ids = way->ids;
	scene->server.tickets = way->tickets;
}

void start_with_session(struct scene *scene, const struct way *way)
{
	start(scene, way);
	scene_expect(scene, false);
}

void scene_edit(struct scene *scene, enum engine_session_kind kind,
		void (*edit)(struct session *session, struct writer *handle))
{
	struct engine_config config = scene->client;
	uint8_t value[ENGINE_SESSION_MAX];
	size_t len = sizeof(value);
	struct writer handle = { 0 }, edited = { 0 };
	struct session session;
	struct side side;
	uint8_t *key;

	key = scene->pair.client.engine->session_key;
	assert_int_equal(sessions_ops.find(scene->client_host.sessions, kind,
					   bytes_of(key, SESSION_KEY_LEN),
					   scene->now, value, &len), 0);
	sessions_ops.drop(scene->client_host.sessions, kind,
			  bytes_of(key, SESSION_KEY_LEN));
	assert_true(session_parse(&session, bytes_of(value, len)));
	writer_bytes(&handle, session.handle);
	config.role = SOCKTLS_CLIENT;
	side_init(&side, "key", &config);
	assert_int_equal(engine_start(side.engine), 0);
	key = side.engine->session_key;
	memcpy(session.key, key, SESSION_KEY_LEN);
	if (edit)
		edit(&session, &handle);
	session.handle = writer_view(&handle);
	session_write(&edited, &session);
	assert_int_equal(sessions_ops.add(scene->client_host.sessions, kind,
					  bytes_of(key, SESSION_KEY_LEN),
					  writer_view(&edited),
					  scene->now + SESSION_LIFETIME_MAX),
			 0);
	side_free(&side);
	writer_free(&handle);
	writer_free(&edited);
}
