// SPDX-License-Identifier: MIT
/* Resumption with messages that were changed on the way; early data. */
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

/* An ID that a client makes up beside its ticket is nobody's session. */
static void only_sessions_found_by_id_end_by_it(void **state)
{
	struct engine_bytes id;
	struct scene scene;
	struct engine *engine;

	(void)state;
	start_with_session(&scene, BY_TICKET);
	scene_expect(&scene, true);
	engine = server(&scene)->engine;
	id = engine->server.session_id;
	assert_int_equal(id.len, 32);
	assert_int_equal(sessions_ops.add(scene.server_host.sessions,
					  ENGINE_SESSION_ID, id,
					  bytes_of("other", 5),
					  scene.now + 10), 0);
	engine_cookie_ended(bytes_of(server(&scene)->cookie,
				     server(&scene)->cookie_len),
			    &sessions_ops, scene.server_host.sessions);
	session_forget(engine);
	assert_int_equal(sessions_count(scene.server_host.sessions), 1);
	scene_free(&scene);
}

/**
 * struct hellos - ClientHellos seen
 * @n: how many
 * @ticket: session_ticket of each, with type and length
 */
struct hellos {
	unsigned int	n;
	size_t		len[2];
	uint8_t		ticket[2][1024];
};

static bool note_tickets(struct pair *pair, struct side *from,
			 struct record *record)
{
	struct hellos *hellos = pair->arg;
	uint8_t *e;

	(void)from;
	if (!is_hello(record, CLIENT_HELLO))
		return true;
	assert_true(hellos->n < 2);
	e = find_extension(record, EXT_SESSION_TICKET);
	assert_non_null(e);
	hellos->len[hellos->n] = 4 + (e[2] << 8 | e[3]);
	memcpy(hellos->ticket[hellos->n], e, hellos->len[hellos->n]);
	hellos->n++;
	return true;
}

/* RFC 8446 section 4.1.2 lists what may change; session_ticket is not there. */
static void retry_leaves_a_ticket_of_tls12_alone(void **state)
{
	static const uint16_t both[] = { 0x001d, 0x0017 };
	struct hellos hellos = { 0 };
	struct scene scene;

	(void)state;
	start(&scene, BY_TICKET);
	scene.client.max_version = TLS13;
	scene.client.groups = both;
	scene.client.n_groups = 2;
	scene_expect(&scene, false);
	scene.server.max_version = TLS13;
	scene.server.groups = both + 1;
	scene.server.n_groups = 1;
	scene.tamper = note_tickets;
	scene.arg = &hellos;
	scene_expect(&scene, false);
	assert_int_equal(client(&scene)->result.version, TLS13);
	assert_int_equal(hellos.n, 2);
	assert_true(hellos.len[0] > 100);
	assert_int_equal(hellos.len[0], hellos.len[1]);
	assert_memory_equal(hellos.ticket[0], hellos.ticket[1], hellos.len[0]);
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

/* RFC 8446 appendix C.4: to which server, it could not tell. */
static void client_without_a_name_offers_nothing(void **state)
{
	char *pin = pki_pin(world.rsa.cert);
	struct engine_trust *trust = trust_of(pin);
	struct scene scene;
	size_t i;

	(void)state;
	for (i = 0; i < WAYS; i++) {
		start(&scene, &ways[i]);
		scene.client.server_name = NULL;
		scene.client.trust = trust;
		scene_connect(&scene);
		pair_assert_good(&scene.pair);
		assert_int_equal(sessions_count(scene.client_host.sessions), 0);
		scene_connect(&scene);
		pair_assert_good(&scene.pair);
		assert_false(scene_resumed(&scene));
		assert_int_equal(client(&scene)->engine->client.session_id.len,
				 client(&scene)->engine->version >= TLS13 ?
				 32 : 0);
		scene_free(&scene);
	}
	engine_trust_put(trust);
	free(pin);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(session_with_ems_is_resumed_with_it_only),
		cmocka_unit_test(session_without_ems_is_not_kept),
		cmocka_unit_test(resumed_suite_has_to_be_the_sessions),
		cmocka_unit_test(echo_of_a_random_id_is_refused),
		cmocka_unit_test(only_sessions_found_by_id_end_by_it),
		cmocka_unit_test(retry_leaves_a_ticket_of_tls12_alone),
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
		cmocka_unit_test(client_without_a_name_offers_nothing),
	};

	return cmocka_run_group_tests_name("resumption_wire", tests, world_setup,
					   world_teardown);
}
