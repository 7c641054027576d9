// SPDX-License-Identifier: MIT
/*
 * The state machines from outside: every message in every state, levels, key
 * changes, ChangeCipherSpec, HelloRequest, and what a tampering peer can do.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/ocsp.h>

#include "engine/core.h"
#include "resume.h"

/* ------------------------------------------------------------- flavours */

/* Handshakes that between them visit every state. */
static const struct flavour {
	const char	*name;
	uint16_t	version;
	uint16_t	suite;
	bool		mutual;
	bool		retry;
	bool		stapled;
	bool		tickets;
	bool		resumed;
} flavours[] = {
	{ .name = "1.3", TLS13, 0x1301, .mutual = false },
	{ .name = "1.3 mutual", TLS13, 0x1302, .mutual = true },
	{ .name = "1.3 retry", TLS13, 0x1303, .retry = true },
	{ .name = "1.2 RSA", TLS12, 0x003c, .mutual = false },
	{ .name = "1.2 RSA mutual", TLS12, 0x003c, .mutual = true },
	{ .name = "1.2 ECDHE", TLS12, 0xc02f, .mutual = false },
	{ .name = "1.2 ECDHE mutual", TLS12, 0xc02f, .mutual = true },
	{ .name = "1.2 RSA stapled", TLS12, 0x003c, .mutual = true,
	  .stapled = true },
	{ .name = "1.2 ECDHE stapled", TLS12, 0xc02f, .stapled = true },
	{ .name = "1.2 ticket", TLS12, 0xc02f, .mutual = true,
	  .tickets = true },
	{ .name = "1.2 resumed", TLS12, 0x003c, .resumed = true },
	{ .name = "1.3 resumed", TLS13, 0x1301, .tickets = true,
	  .resumed = true },
};

#define FLAVOURS	(sizeof(flavours) / sizeof(flavours[0]))

static struct actor stapled;
/* Whose sessions a flavour uses; of the last one. */
static struct scene scene;

static int setup(void **state)
{
	struct pki_status status = { .status = V_OCSP_CERTSTATUS_GOOD };
	unsigned char *der;
	char text[128];
	size_t len;

	world_setup(state);
	stapled = actor_new(&(struct pki_spec){ .key = "rsa", .name = "server",
		.san = "DNS:" NAME, .issuer = world.ca, .eku = "serverAuth" });
	status.cert = stapled.cert;
	status.issuer = world.ca;
	der = pki_ocsp(&status, &len);
	assert_int_equal(engine_identity_staple(stapled.identity,
			bytes_of(der, len), text, sizeof(text)), 0);
	OPENSSL_free(der);
	return 0;
}

static int teardown(void **state)
{
	actor_free(&stapled);
	scene_free(&scene);
	return world_teardown(state);
}

/* With an empty store, or one connection behind it. */
static void remember(const struct flavour *flavour, struct engine_config *c,
		     struct engine_config *s)
{
	if (scene.now)
		scene_free(&scene);
	scene_init(&scene, flavour->version);
	scene.client.suites = scene.server.suites = &flavour->suite;
	scene.client.n_suites = scene.server.n_suites = 1;
	scene.server.tickets = flavour->tickets;
	if (flavour->mutual)
		scene_make_mutual(&scene);
	if (flavour->resumed)
		scene_expect(&scene, false);
	*c = scene.client;
	*s = scene.server;
}

static void flavour_init(const struct flavour *flavour, struct pair *pair)
{
	static const uint16_t both[] = { 0x001d, 0x0017 };
	struct engine_config c = world_client(), s = world_server(&world.rsa);

	if (flavour->stapled)
		s.identities = &stapled.identity;
	c.suites = s.suites = &flavour->suite;
	c.n_suites = s.n_suites = 1;
	c.groups = both;
	c.n_groups = 2;
	if (flavour->retry) {
		s.groups = both + 1;
		s.n_groups = 1;
	}
	if (flavour->mutual) {
		c.identities = &world.client_ecdsa.identity;
		c.n_identities = 1;
		s.peer_auth = SOCKTLS_PEER_AUTH_REQUIRE;
		s.trust = world.trust;
	}
	if (flavour->tickets || flavour->resumed)
		remember(flavour, &c, &s);
	pair_init(pair, &c, &s);
}

/*
 * What the figures allow, written down a second time: RFC 8446 appendix A, RFC
 * 5246 section 7.3. A word per message as message_name() writes it.
 */
static const struct {
	enum state	state;
	const char	*allowed;
} figures[] = {
	{ CLIENT_WAIT_SH, "ServerHello HelloRequest" },
	{ CLIENT_WAIT_EE, "EncryptedExtensions" },
	{ CLIENT_WAIT_CERT_CR, "Certificate CertificateRequest" },
	{ CLIENT_WAIT_CERT, "Certificate" },
	{ CLIENT_WAIT_CV, "CertificateVerify" },
	{ CLIENT_WAIT_FINISHED, "Finished" },
	{ CLIENT12_WAIT_CERT, "Certificate HelloRequest" },
	{ CLIENT12_WAIT_CS_SKE,
	  "CertificateStatus ServerKeyExchange HelloRequest" },
	{ CLIENT12_WAIT_CS_CR_SHD,
	  "CertificateStatus CertificateRequest ServerHelloDone HelloRequest" },
	{ CLIENT12_WAIT_SKE, "ServerKeyExchange HelloRequest" },
	{ CLIENT12_WAIT_CR_SHD,
	  "CertificateRequest ServerHelloDone HelloRequest" },
	{ CLIENT12_WAIT_SHD, "ServerHelloDone HelloRequest" },
	{ CLIENT12_WAIT_TICKET, "NewSessionTicket HelloRequest" },
	{ CLIENT12_WAIT_CCS, "ChangeCipherSpec HelloRequest" },
	{ CLIENT12_WAIT_FINISHED, "Finished" },
	{ SERVER_START, "ClientHello" },
	{ SERVER_WAIT_SECOND_CH, "ClientHello" },
	{ SERVER_WAIT_CERT, "Certificate" },
	{ SERVER_WAIT_CV, "CertificateVerify" },
	{ SERVER_WAIT_FINISHED, "Finished" },
	{ SERVER12_WAIT_CERT, "Certificate" },
	{ SERVER12_WAIT_CKE, "ClientKeyExchange" },
	{ SERVER12_WAIT_CV, "CertificateVerify" },
	{ SERVER12_WAIT_CCS, "ChangeCipherSpec" },
	{ SERVER12_WAIT_FINISHED, "Finished" },
};

static bool has_word(const char *words, const char *word)
{
	size_t len = strlen(word);
	const char *at = words;

	while ((at = strstr(at, word))) {
		if ((at == words || at[-1] == ' ') &&
		    (at[len] == ' ' || !at[len]))
			return true;
		at += len;
	}
	return false;
}

static bool figure_allows(enum state state, uint16_t type)
{
	size_t i;

	for (i = 0; i < sizeof(figures) / sizeof(figures[0]); i++)
		if (figures[i].state == state)
			return has_word(figures[i].allowed,
					message_name(type));
	fail_msg("state %s is in no figure", states_name(state));
	return false;
}

/* ---------------------------------------- every message in every state */

/**
 * struct probe - inject @type before message number @at
 * @seen: messages so far
 * @visited: states that were probed
 * @to: who got it
 */
struct probe {
	uint16_t	type;
	unsigned int	at, seen;
	struct side	*to;
	enum state	state;
	bool		*visited;
};

static void inject(struct pair *pair, struct side *to, const uint8_t *message,
		   size_t len)
{
	struct probe *probe = pair->arg;
	const uint8_t handshake[] = { probe->type, 0, 0, 0 };
	static const uint8_t ccs[] = { 1 };
	bool is_ccs = probe->type == STEP_CCS;

	(void)message;
	(void)len;
	if (probe->seen++ != probe->at)
		return;
	probe->to = to;
	probe->state = to->engine->state;
	probe->visited[probe->state] = true;
	to->ret = engine_receive(to->engine, to->rx_level, is_ccs ? 20 : 22,
				 is_ccs ? bytes_of(ccs, 1) :
					  bytes_of(handshake, 4));
}

/* Returns false when the handshake has fewer messages. */
static bool probe_one(const struct flavour *flavour, uint16_t type,
		      unsigned int at, bool *visited)
{
	struct probe probe = { .type = type, .at = at, .visited = visited };
	struct pair pair;
	bool allowed;

	flavour_init(flavour, &pair);
	pair.before_message = inject;
	pair.arg = &probe;
	pair_run(&pair);
	if (!probe.to) {
		pair_assert_good(&pair);
		pair_free(&pair);
		return false;
	}
	allowed = figure_allows(probe.state, type);
	if (!allowed) {
		if (!probe.to->failed)
			print_message("%s: %s in %s was taken\n", flavour->name,
				      message_name(type),
				      states_name(probe.state));
		assert_failed(probe.to, UNEXPECTED_MESSAGE, EPROTO,
			      "out of place");
	} else if (type == HELLO_REQUEST) {
		/* ignored, and kept out of the transcript: all goes well */
		pair_assert_good(&pair);
	} else {
		/* an empty one is judged by its content, or breaks later */
		assert_false(pair.client.done && pair.server.done);
		assert_true(probe.to->failed);
		if (type != SERVER_HELLO_DONE && type != STEP_CCS)
			assert_int_not_equal(probe.to->failure.alert,
					     UNEXPECTED_MESSAGE);
	}
	pair_free(&pair);
	return true;
}

static void every_message_in_every_state(void **state)
{
	bool visited[STATES] = { false };
	unsigned int at, n = 0;
	uint16_t type;
	size_t i;

	(void)state;
	for (i = 0; i < FLAVOURS; i++)
		for (type = 0; type <= STEP_CCS; type++) {
			/* all that exist, and two that do not */
			if (type > CERTIFICATE_STATUS && type != 67 &&
			    type != MESSAGE_HASH && type != STEP_CCS)
				continue;
			for (at = 0; probe_one(&flavours[i], type, at, visited);
			     at++)
				n++;
		}
	for (i = 0; i < sizeof(figures) / sizeof(figures[0]); i++)
		if (!visited[figures[i].state])
			fail_msg("state %s was never reached",
				 states_name(figures[i].state));
	print_message("%u probes\n", n);
}

/* ------------------------------------------------- bytes out of place */

static void wrong_level(struct pair *pair, struct side *to,
			const uint8_t *message, size_t len)
{
	struct probe *probe = pair->arg;
	enum socktls_level wrong;

	if (probe->seen++ != probe->at)
		return;
	probe->to = to;
	wrong = to->rx_level == SOCKTLS_LEVEL_PLAINTEXT ?
		SOCKTLS_LEVEL_HANDSHAKE : SOCKTLS_LEVEL_PLAINTEXT;
	to->ret = engine_receive(to->engine, wrong, 22,
				 bytes_of(message, len));
}

static void bytes_of_another_level_are_refused(void **state)
{
	unsigned int at;
	size_t i;

	(void)state;
	for (i = 0; i < FLAVOURS; i++)
		for (at = 0;; at++) {
			struct probe probe = { .at = at };
			struct pair pair;

			flavour_init(&flavours[i], &pair);
			pair.before_message = wrong_level;
			pair.arg = &probe;
			pair_run(&pair);
			if (!probe.to) {
				pair_free(&pair);
				break;
			}
			assert_failed(probe.to, UNEXPECTED_MESSAGE, EPROTO,
				      "wrong keys");
			pair_free(&pair);
		}
}

/* Append to the record that changes the receiver's keys. */
struct tail {
	const char	*from;
	uint8_t		type;
	unsigned int	done;
};

static bool last_message_is(const struct record *record, uint8_t type)
{
	size_t at = 0, len;

	while (record->type == 22) {
		const uint8_t *m = record->data + at;

		len = 4 + ((size_t)m[1] << 16 | m[2] << 8 | m[3]);
		if (at + len == record->len)
			return m[0] == type;
		at += len;
	}
	return false;
}

static bool append_byte(struct pair *pair, struct side *from,
			struct record *record)
{
	struct tail *tail = pair->arg;

	if (tail->done || strcmp(from->name, tail->from) ||
	    !last_message_is(record, tail->type))
		return true;
	record->data = realloc(record->data, record->len + 1);
	record->data[record->len++] = 0;
	tail->done++;
	return true;
}

static void run_tail(const struct flavour *flavour, const char *from,
		     uint8_t type)
{
	struct tail tail = { from, type, 0 };
	struct pair pair;
	struct side *to;

	flavour_init(flavour, &pair);
	to = strcmp(from, "client") ? &pair.client : &pair.server;
	pair.tamper = append_byte;
	pair.arg = &tail;
	pair_run(&pair);
	assert_int_equal(tail.done, 1);
	assert_failed(to, UNEXPECTED_MESSAGE, EPROTO, "");
	assert_false(to->done);
	pair_free(&pair);
}

/* RFC 8446 section 5.1, and behind the last message of all. */
static void bytes_behind_a_key_change_are_refused(void **state)
{
	(void)state;
	run_tail(&flavours[0], "server", SERVER_HELLO);
	run_tail(&flavours[0], "server", FINISHED);
	run_tail(&flavours[0], "client", CLIENT_HELLO);
	run_tail(&flavours[0], "client", FINISHED);
	run_tail(&flavours[1], "client", FINISHED);
	run_tail(&flavours[3], "client", CLIENT_KEY_EXCHANGE);
	run_tail(&flavours[3], "client", FINISHED);
	run_tail(&flavours[3], "server", FINISHED);
}

static void ccs_with_other_content_is_refused(void **state)
{
	static const uint8_t contents[][2] = { { 0, 0 }, { 2, 0 }, { 1, 1 } };
	size_t i, len;

	(void)state;
	for (i = 0; i < 3; i++) {
		struct pair pair;
		struct engine_config c = world_client();

		len = i == 2 ? 2 : 1;
		c.max_version = TLS12;
		side_init(&pair.client, "client", &c);
		engine_start(pair.client.engine);
		pair.client.ret = engine_receive(pair.client.engine,
						 SOCKTLS_LEVEL_PLAINTEXT, 20,
						 bytes_of(contents[i], len));
		assert_failed(&pair.client, UNEXPECTED_MESSAGE, EPROTO,
			      "ChangeCipherSpec");
		side_free(&pair.client);
	}
}

static void other_record_types_are_refused(void **state)
{
	struct engine_config s = world_server(&world.rsa);
	struct side side;

	(void)state;
	side_init(&side, "server", &s);
	side.ret = engine_receive(side.engine, SOCKTLS_LEVEL_PLAINTEXT, 23,
				  bytes_of("x", 1));
	assert_failed(&side, UNEXPECTED_MESSAGE, EPROTO, "type 23");
	side_free(&side);
}

static void hello_request_flood_ends(void **state)
{
	static const uint8_t request[4] = { 0 };
	struct engine_config c = world_client();
	struct side side;
	int i;

	(void)state;
	side_init(&side, "client", &c);
	engine_start(side.engine);
	for (i = 0; i < 100 && !side.ret; i++)
		side.ret = engine_receive(side.engine, SOCKTLS_LEVEL_PLAINTEXT,
					  22, bytes_of(request, 4));
	assert_failed(&side, UNEXPECTED_MESSAGE, EPROTO, "HelloRequest");
	side_free(&side);
}

static void messages_over_their_limit_are_refused_by_the_header(void **state)
{
	static const uint8_t huge[] = { CLIENT_HELLO, 1, 0, 0 };
	struct engine_config s = world_server(&world.rsa);
	struct side side;

	(void)state;
	side_init(&side, "server", &s);
	side.ret = engine_receive(side.engine, SOCKTLS_LEVEL_PLAINTEXT, 22,
				  bytes_of(huge, 4));
	assert_failed(&side, DECODE_ERROR, EPROTO, "limit");
	side_free(&side);
}

static void bytes_after_done_are_an_error(void **state)
{
	static const uint8_t request[4] = { 0 };
	struct pair pair;
	size_t i;

	(void)state;
	for (i = 0; i < FLAVOURS; i++) {
		flavour_init(&flavours[i], &pair);
		pair_run(&pair);
		pair_assert_good(&pair);
		assert_int_equal(engine_receive(pair.client.engine,
						SOCKTLS_LEVEL_APPLICATION, 22,
						bytes_of(request, 4)), -EPROTO);
		pair_free(&pair);
	}
}

static void empty_input_changes_nothing(void **state)
{
	struct engine_config s = world_server(&world.rsa);
	struct side side;

	(void)state;
	side_init(&side, "server", &s);
	assert_int_equal(engine_receive(side.engine, SOCKTLS_LEVEL_PLAINTEXT,
					22, bytes_of(NULL, 0)), 0);
	assert_false(side.failed);
	side_free(&side);
}

/* ------------------------------------------------------------ tampering */

/* Flip one bit of the last byte of a message. */
struct flip {
	const char	*from;
	uint8_t		type;
	unsigned int	done;
};

static bool flip_last(struct pair *pair, struct side *from,
		      struct record *record)
{
	struct flip *flip = pair->arg;
	size_t at = 0, len;

	while (record->type == 22 && !strcmp(from->name, flip->from) &&
	       at < record->len) {
		uint8_t *m = record->data + at;

		len = 4 + ((size_t)m[1] << 16 | m[2] << 8 | m[3]);
		if (m[0] == flip->type && !flip->done) {
			m[len - 1] ^= 1;
			flip->done++;
		}
		at += len;
	}
	return true;
}

static void run_flip(const struct flavour *flavour, const char *from,
		     uint8_t type, int alert, int error, const char *text)
{
	struct flip flip = { from, type, 0 };
	struct pair pair;

	flavour_init(flavour, &pair);
	pair.tamper = flip_last;
	pair.arg = &flip;
	pair_run(&pair);
	assert_int_equal(flip.done, 1);
	assert_failed(strcmp(from, "client") ? &pair.client : &pair.server,
		      alert, error, text);
	pair_free(&pair);
}

static void wrong_finished_is_refused(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < FLAVOURS; i++) {
		run_flip(&flavours[i], "client", FINISHED, DECRYPT_ERROR,
			 EPROTO, "Finished");
		run_flip(&flavours[i], "server", FINISHED, DECRYPT_ERROR,
			 EPROTO, "Finished");
	}
}

static void wrong_signatures_are_refused(void **state)
{
	(void)state;
	run_flip(&flavours[0], "server", CERTIFICATE_VERIFY, DECRYPT_ERROR,
		 EPROTO, "signature");
	run_flip(&flavours[1], "client", CERTIFICATE_VERIFY, DECRYPT_ERROR,
		 EPROTO, "signature");
	run_flip(&flavours[6], "client", CERTIFICATE_VERIFY, DECRYPT_ERROR,
		 EPROTO, "signature");
	run_flip(&flavours[5], "server", SERVER_KEY_EXCHANGE, DECRYPT_ERROR,
		 EPROTO, "signature");
}

/*
 * RFC 5246 section 7.4.7.1: whatever is wrong with the pre-master secret shows
 * as a wrong Finished and not before. Here a bit of the ciphertext.
 */
static void wrong_premaster_shows_in_finished_alone(void **state)
{
	struct flip flip = { "client", CLIENT_KEY_EXCHANGE, 0 };
	struct pair pair;

	(void)state;
	flavour_init(&flavours[3], &pair);
	pair.tamper = flip_last;
	pair.arg = &flip;
	pair_run(&pair);
	assert_int_equal(flip.done, 1);
	/* the keys differ, so the record layer would not even open it */
	assert_non_null(pair.server.bad);
	pair.server.bad = NULL;
	assert_failed(&pair.server, DECRYPT_ERROR, EPROTO, "Finished");
	assert_non_null(strstr(pair.server.events, "key:rx:application"));
	pair_free(&pair);
}

/* keyops.decrypt itself: each fault gives 48 bytes and no error. */
static void decrypt_never_tells_faults_apart(void **state)
{
	EVP_PKEY *key = world.rsa.cert->key;
	const struct engine_keyops *ops = &engine_local_keyops;
	uint8_t good[48] = { 3, 3, 7 }, wrong_version[48] = { 3, 1, 7 };
	uint8_t cipher[256], out[48], again[48];
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(key, NULL);
	size_t len;

	(void)state;
	EVP_PKEY_encrypt_init(ctx);
	len = sizeof(cipher);
	assert_int_equal(EVP_PKEY_encrypt(ctx, cipher, &len, good, 48), 1);
	assert_int_equal(ops->decrypt(key, TLS12, bytes_of(cipher, len), out),
			 0);
	assert_memory_equal(out, good, 48);
	/* version, length of the secret, padding, length of the ciphertext */
	len = sizeof(cipher);
	EVP_PKEY_encrypt(ctx, cipher, &len, wrong_version, 48);
	assert_int_equal(ops->decrypt(key, TLS12, bytes_of(cipher, len), out),
			 0);
	assert_memory_not_equal(out, wrong_version, 48);
	len = sizeof(cipher);
	EVP_PKEY_encrypt(ctx, cipher, &len, good, 47);
	assert_int_equal(ops->decrypt(key, TLS12, bytes_of(cipher, len), out),
			 0);
	assert_memory_not_equal(out, good, 47);
	memset(cipher, 1, sizeof(cipher));
	assert_int_equal(ops->decrypt(key, TLS12, bytes_of(cipher, 256), out),
			 0);
	assert_int_equal(ops->decrypt(key, TLS12, bytes_of(cipher, 17), out),
			 0);
	assert_int_equal(ops->decrypt(key, TLS12, bytes_of(cipher, 17), again),
			 0);
	assert_memory_not_equal(out, again, 48);
	EVP_PKEY_CTX_free(ctx);
}

/* Any single bit of any message: never both done with different views. */
struct anywhere {
	size_t		at, seen;
	unsigned int	done;
};

static bool flip_anywhere(struct pair *pair, struct side *from,
			  struct record *record)
{
	struct anywhere *any = pair->arg;

	(void)from;
	if (record->type != 22)
		return true;
	if (any->at >= any->seen && any->at < any->seen + record->len) {
		record->data[any->at - any->seen] ^= 0x10;
		any->done++;
	}
	any->seen += record->len;
	return true;
}

static void no_changed_byte_goes_unnoticed(void **state)
{
	static const size_t chosen[] = { 0, 4, 5, 10, 11 };
	size_t i, at, n = 0;

	(void)state;
	for (i = 0; i < sizeof(chosen) / sizeof(chosen[0]); i++)
		for (at = 0;; at += 5) {
			struct anywhere any = { .at = at };
			struct pair pair;

			flavour_init(&flavours[chosen[i]], &pair);
			pair.tamper = flip_anywhere;
			pair.arg = &any;
			pair_run(&pair);
			if (!any.done) {
				pair_free(&pair);
				break;
			}
			if (pair.client.done && pair.server.done)
				fail_msg("%s: byte %zu",
					 flavours[chosen[i]].name, at);
			pair_free(&pair);
			n++;
		}
	print_message("%zu bytes\n", n);
	assert_true(n > 500);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_message_in_every_state),
		cmocka_unit_test(bytes_of_another_level_are_refused),
		cmocka_unit_test(bytes_behind_a_key_change_are_refused),
		cmocka_unit_test(ccs_with_other_content_is_refused),
		cmocka_unit_test(other_record_types_are_refused),
		cmocka_unit_test(hello_request_flood_ends),
		cmocka_unit_test(messages_over_their_limit_are_refused_by_the_header),
		cmocka_unit_test(bytes_after_done_are_an_error),
		cmocka_unit_test(empty_input_changes_nothing),
		cmocka_unit_test(wrong_finished_is_refused),
		cmocka_unit_test(wrong_signatures_are_refused),
		cmocka_unit_test(wrong_premaster_shows_in_finished_alone),
		cmocka_unit_test(decrypt_never_tells_faults_apart),
		cmocka_unit_test(no_changed_byte_goes_unnoticed),
	};

	return cmocka_run_group_tests_name("states", tests, setup, teardown);
}
