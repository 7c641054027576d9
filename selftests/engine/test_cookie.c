// SPDX-License-Identifier: MIT
/* The cookie of a finished handshake: its format, exporters, tickets. */
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

static struct engine_bytes cookie_of(const struct side *side)
{
	return bytes_of(side->cookie, side->cookie_len);
}

static int export(struct engine_bytes cookie, const char *label,
		  const char *context, uint8_t *out, size_t len)
{
	return engine_cookie_export(cookie, label,
				    bytes_of(context, context ?
					     strlen(context) : 0),
				    context, out, len);
}

static void begin(struct scene *scene, uint16_t version)
{
	scene_init(scene, version);
	scene_expect(scene, false);
}

/* -------------------------------------------------------------- exporters */

static void both_sides_export_the_same(void **state)
{
	static const char *const contexts[] = { NULL, "", "context" };
	uint8_t c[64], s[64], all[6][64];
	struct scene scene;
	size_t i, j, n;
	uint16_t version;

	(void)state;
	for (version = TLS12; version <= TLS13; version++) {
		begin(&scene, version);
		for (i = 0, n = 0; i < 3; i++) {
			assert_int_equal(export(cookie_of(&scene.pair.client),
						"EXPORTER-a", contexts[i], c,
						sizeof(c)), 0);
			assert_int_equal(export(cookie_of(&scene.pair.server),
						"EXPORTER-a", contexts[i], s,
						sizeof(s)), 0);
			assert_memory_equal(c, s, sizeof(c));
			memcpy(all[n++], c, sizeof(c));
			assert_int_equal(export(cookie_of(&scene.pair.client),
						"EXPORTER-b", contexts[i],
						all[n++], sizeof(c)), 0);
		}
		/* label and context count; an empty one in TLS 1.2 as well */
		for (i = 0; i < n; i++)
			for (j = 0; j < i; j++)
				assert_int_equal(!memcmp(all[i], all[j], 64),
						 version == TLS13 &&
						 i / 2 == 1 && i - j == 2);
		scene_free(&scene);
	}
}

/* Each connection has values of its own, a resumed one too. */
static void resumed_connection_exports_anew(void **state)
{
	uint8_t first[32], second[32];
	struct scene scene;
	uint16_t version;

	(void)state;
	for (version = TLS12; version <= TLS13; version++) {
		begin(&scene, version);
		assert_int_equal(export(cookie_of(&scene.pair.client), "a",
					NULL, first, 32), 0);
		scene_expect(&scene, true);
		assert_int_equal(export(cookie_of(&scene.pair.client), "a",
					NULL, second, 32), 0);
		assert_memory_not_equal(first, second, 32);
		assert_int_equal(export(cookie_of(&scene.pair.server), "a",
					NULL, first, 32), 0);
		assert_memory_equal(first, second, 32);
		scene_free(&scene);
	}
}

static void labels_of_the_protocol_are_refused(void **state)
{
	static const char *const reserved[] = {
		"client finished", "server finished", "master secret",
		"extended master secret", "key expansion",
	};
	char longest[251];
	struct scene scene;
	uint8_t out[32];
	size_t i;

	(void)state;
	begin(&scene, TLS12);
	for (i = 0; i < 5; i++)
		assert_int_equal(export(cookie_of(&scene.pair.client),
					reserved[i], NULL, out, 32), -EINVAL);
	scene_free(&scene);
	begin(&scene, TLS13);
	assert_int_equal(export(cookie_of(&scene.pair.client), "", NULL, out,
				32), -EINVAL);
	memset(longest, 'x', 250);
	longest[250] = '\0';
	assert_int_equal(export(cookie_of(&scene.pair.client), longest, NULL,
				out, 32), -EINVAL);
	longest[249] = '\0';
	assert_int_equal(export(cookie_of(&scene.pair.client), longest, NULL,
				out, 32), 0);
	scene_free(&scene);
}

static void lengths_are_bounded(void **state)
{
	uint8_t out[ENGINE_EXPORT_MAX + 1], half[ENGINE_EXPORT_MAX];
	struct scene scene;

	(void)state;
	begin(&scene, TLS13);
	assert_int_equal(export(cookie_of(&scene.pair.client), "a", NULL, out,
				0), -EINVAL);
	assert_int_equal(export(cookie_of(&scene.pair.client), "a", NULL, out,
				sizeof(out)), -EINVAL);
	assert_int_equal(export(cookie_of(&scene.pair.client), "a", NULL, out,
				ENGINE_EXPORT_MAX), 0);
	/* RFC 8446: the length is part of it */
	assert_int_equal(export(cookie_of(&scene.pair.client), "a", NULL, half,
				ENGINE_EXPORT_MAX / 2), 0);
	assert_memory_not_equal(out, half, 32);
	scene_free(&scene);
}

static bool client_without_ems(struct pair *pair, struct side *from,
			       struct record *record)
{
	uint8_t *at;

	(void)pair;
	(void)from;
	if (record->type != 22 || record->data[0] != CLIENT_HELLO)
		return true;
	/* a type that nobody knows */
	at = memmem(record->data, record->len, "\0\x17\0\0", 4);
	assert_non_null(at);
	at[0] = 0x7f;
	return true;
}

/*
 * The change shows in Finished, so nobody gets that far; the server's cookie
 * is made by hand as it would have been.
 */
static void tls12_without_extended_master_secret_exports_nothing(void **state)
{
	struct scene scene;
	struct writer cookie = { 0 };
	uint8_t out[32];

	(void)state;
	scene_init(&scene, TLS12);
	scene.tamper = client_without_ems;
	scene_connect(&scene);
	assert_false(scene.pair.server.engine->ems);
	assert_true(scene.pair.server.failed);
	scene_free(&scene);
	begin(&scene, TLS12);
	/* format, role, version, suite; then a length of 48 */
	assert_int_equal(scene.pair.client.cookie[6], MASTER_LEN);
	writer_bytes(&cookie, bytes_of(scene.pair.client.cookie, 6));
	writer_u8(&cookie, 0);
	writer_bytes(&cookie, bytes_of(scene.pair.client.cookie + 7 +
				       MASTER_LEN,
				       scene.pair.client.cookie_len - 7 -
				       MASTER_LEN));
	assert_int_equal(export(writer_view(&cookie), "a", NULL, out, 32),
			 -EOPNOTSUPP);
	writer_free(&cookie);
	scene_free(&scene);
}

/* ---------------------------------------------------------------- format */

static void other_formats_are_refused(void **state)
{
	struct engine_bytes cookie;
	struct scene scene;
	uint8_t out[32], copy[COOKIE_MAX + 1];
	uint16_t version;
	size_t i;

	(void)state;
	for (version = TLS12; version <= TLS13; version++) {
		begin(&scene, version);
		cookie = cookie_of(&scene.pair.client);
		assert_true(cookie.len < 512);
		memcpy(copy, cookie.data, cookie.len);
		/* in memory of its own, so that a sanitizer sees each read */
		for (i = 0; i < cookie.len; i++) {
			uint8_t *part = malloc(i ? i : 1);

			memcpy(part, copy, i);
			assert_int_equal(export(bytes_of(part, i), "a", NULL,
						out, 32), -EBADMSG);
			assert_int_equal(engine_cookie_ticket(bytes_of(part, i),
					bytes_of("", 0), scene.now,
					&sessions_ops,
					scene.client_host.sessions), -EBADMSG);
			engine_cookie_ended(bytes_of(part, i), &sessions_ops,
					    scene.client_host.sessions);
			free(part);
		}
		copy[cookie.len] = 0;
		assert_int_equal(export(bytes_of(copy, cookie.len + 1), "a",
					NULL, out, 32), -EBADMSG);
		copy[0]++;
		assert_int_equal(export(bytes_of(copy, cookie.len), "a", NULL,
					out, 32), -EBADMSG);
		scene_free(&scene);
	}
}

/* Any byte, any value: an answer or an error, and no memory touched. */
static void changed_cookies_do_no_harm(void **state)
{
	struct scene scene;
	uint8_t out[32];
	uint16_t version;
	size_t i;

	(void)state;
	for (version = TLS12; version <= TLS13; version++) {
		begin(&scene, version);
		for (i = 0; i < scene.pair.client.cookie_len * 8; i++) {
			struct side *side = &scene.pair.client;

			side->cookie[i / 8] ^= 1 << i % 8;
			export(cookie_of(side), "a", NULL, out, 32);
			engine_cookie_ended(cookie_of(side), &sessions_ops,
					    scene.client_host.sessions);
			side->cookie[i / 8] ^= 1 << i % 8;
		}
		scene_free(&scene);
	}
}

/* --------------------------------------------------------------- tickets */

/* The first NewSessionTicket of the server. */
static struct engine_bytes ticket_of(const struct scene *scene)
{
	const struct record *lazy = &scene->pair.server.lazy[0];
	const uint8_t *m = lazy->data;

	return bytes_of(m, 4 + (m[1] << 16 | m[2] << 8 | m[3]));
}

static int take(struct scene *scene, struct engine_bytes message)
{
	return engine_cookie_ticket(cookie_of(&scene->pair.client), message,
				    scene->now, &sessions_ops,
				    scene->client_host.sessions);
}

static void malformed_tickets_are_refused(void **state)
{
	struct engine_bytes ticket;
	struct scene scene;
	uint8_t *part;
	size_t i;

	(void)state;
	begin(&scene, TLS13);
	ticket = ticket_of(&scene);
	assert_int_equal(take(&scene, ticket), 0);
	for (i = 0; i < ticket.len; i++) {
		part = malloc(i ? i : 1);
		memcpy(part, ticket.data, i);
		assert_int_equal(take(&scene, bytes_of(part, i)), -EPROTO);
		free(part);
	}
	part = malloc(ticket.len + 1);
	memcpy(part, ticket.data, ticket.len);
	part[ticket.len] = 0;
	assert_int_equal(take(&scene, bytes_of(part, ticket.len + 1)),
			 -EPROTO);
	part[0] = FINISHED;
	assert_int_equal(take(&scene, bytes_of(part, ticket.len)), -EPROTO);
	free(part);
	scene_free(&scene);
}

static void set_lifetime(struct engine_bytes ticket, uint32_t lifetime)
{
	uint8_t *at = (uint8_t *)ticket.data + 4;

	at[0] = lifetime >> 24;
	at[1] = lifetime >> 16;
	at[2] = lifetime >> 8;
	at[3] = lifetime;
}

static void lifetimes_of_tickets_are_bounded(void **state)
{
	struct scene scene;
	size_t before;

	(void)state;
	begin(&scene, TLS13);
	before = sessions_count(scene.client_host.sessions);
	set_lifetime(ticket_of(&scene), 0);
	assert_int_equal(take(&scene, ticket_of(&scene)), -ENOENT);
	assert_int_equal(sessions_count(scene.client_host.sessions), before);
	/* RFC 8446: no longer than seven days, whatever a server says */
	set_lifetime(ticket_of(&scene), UINT32_MAX);
	assert_int_equal(take(&scene, ticket_of(&scene)), 0);
	assert_int_equal(sessions_count(scene.client_host.sessions),
			 before + 1);
	sessions_expire(scene.client_host.sessions,
			scene.now + SESSION_LIFETIME_MAX - 1);
	assert_int_not_equal(sessions_count(scene.client_host.sessions), 0);
	sessions_expire(scene.client_host.sessions,
			scene.now + SESSION_LIFETIME_MAX);
	assert_int_equal(sessions_count(scene.client_host.sessions), 0);
	scene_free(&scene);
}

static void only_a_client_of_tls13_takes_tickets(void **state)
{
	struct scene scene;

	(void)state;
	begin(&scene, TLS13);
	assert_int_equal(engine_cookie_ticket(cookie_of(&scene.pair.server),
					      ticket_of(&scene), scene.now,
					      &sessions_ops,
					      scene.server_host.sessions),
			 -ENOENT);
	scene_free(&scene);
}

/* The server's chain was forgotten: without it nothing could be verified. */
static void ticket_without_its_chain_is_not_kept(void **state)
{
	struct scene scene;

	(void)state;
	begin(&scene, TLS13);
	sessions_set_max(scene.client_host.sessions, 0);
	sessions_set_max(scene.client_host.sessions, 1 << 20);
	assert_int_equal(take(&scene, ticket_of(&scene)), -ENOENT);
	assert_int_equal(sessions_count(scene.client_host.sessions), 0);
	scene_free(&scene);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_sides_export_the_same),
		cmocka_unit_test(resumed_connection_exports_anew),
		cmocka_unit_test(labels_of_the_protocol_are_refused),
		cmocka_unit_test(lengths_are_bounded),
		cmocka_unit_test(
			tls12_without_extended_master_secret_exports_nothing),
		cmocka_unit_test(other_formats_are_refused),
		cmocka_unit_test(changed_cookies_do_no_harm),
		cmocka_unit_test(malformed_tickets_are_refused),
		cmocka_unit_test(lifetimes_of_tickets_are_bounded),
		cmocka_unit_test(only_a_client_of_tls13_takes_tickets),
		cmocka_unit_test(ticket_without_its_chain_is_not_kept),
	};

	return cmocka_run_group_tests_name("cookie", tests, world_setup,
					   world_teardown);
}
