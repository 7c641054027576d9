// SPDX-License-Identifier: MIT
/*
 * The engine and libssl in one process, joined by memory: what both derive from
 * the same handshake has to be equal.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/ssl.h>

#include "engine/core.h"
#include "native/record.h"
#include "resume.h"

#define EARLY_LEN	16384

/**
 * struct joint - an engine and an SSL
 * @ssl: libssl's end; its BIOs are memory
 * @engine: our end
 * @tx: protection of what the engine sends
 * @rx: of what it receives
 * @version: announced
 * @level: of @rx
 * @done: the engine's handshake is
 * @failed: with this alert, -1: not
 * @flags: of the result
 * @cookie: of the result
 * @cookie_len: bytes in it
 * @lazy: messages for the first application record
 * @skip: how early data is skipped now, 0: not
 * @skip_left: bytes that may be skipped
 * @skipped: records that were
 * @host: of the engine, for tickets that come
 */
struct joint {
	SSL			*ssl;
	struct engine		*engine;
	struct record_keys	tx, rx;
	uint16_t		version;
	enum socktls_level	level;
	bool			done;
	int			failed;
	uint32_t		flags;
	uint8_t			cookie[COOKIE_MAX];
	size_t			cookie_len;
	struct writer		lazy;
	struct writer		input;
	enum socktls_skip_mode	skip;
	size_t			skip_left;
	unsigned int		skipped;
	struct host		*host;
};

/* --------------------------------------------------- the engine's records */

static int send_record(struct joint *joint, uint8_t type, const uint8_t *data,
		       size_t len)
{
	uint8_t wire[RECORD_WIRE_MAX];
	int n = record_seal(&joint->tx, type, data, len, wire);

	assert_true(n > 0);
	assert_int_equal(BIO_write(SSL_get_rbio(joint->ssl), wire, n), n);
	return 0;
}

static int on_send(void *arg, uint8_t type, struct engine_bytes bytes,
		   bool lazy)
{
	struct joint *joint = arg;

	if (!lazy)
		return send_record(joint, type, bytes.data, bytes.len);
	writer_bytes(&joint->lazy, bytes);
	return 0;
}

static int on_version(void *arg, uint16_t version)
{
	((struct joint *)arg)->version = version;
	return 0;
}

static int on_key(void *arg, const struct engine_key *key)
{
	struct joint *joint = arg;

	if (key->direction == SOCKTLS_DIRECTION_TX) {
		record_rekey(&joint->tx, joint->version, key);
	} else {
		record_rekey(&joint->rx, joint->version, key);
		joint->level = key->level;
	}
	return 0;
}

static int on_limit(void *arg, enum socktls_direction direction,
		    uint32_t max_plaintext)
{
	(void)arg;
	(void)direction;
	assert_true(max_plaintext >= 64);
	return 0;
}

static int on_skip_early(void *arg, enum socktls_skip_mode mode,
			 uint32_t max_bytes)
{
	struct joint *joint = arg;

	joint->skip = mode;
	joint->skip_left = max_bytes;
	return 0;
}

static int on_certificate(void *arg, enum socktls_chain chain,
			  struct engine_bytes der)
{
	(void)arg;
	(void)chain;
	(void)der;
	return 0;
}

static int on_done(void *arg, const struct engine_result *result)
{
	struct joint *joint = arg;

	joint->done = true;
	joint->flags = result->flags;
	joint->cookie_len = result->cookie.len;
	memcpy(joint->cookie, result->cookie.data, result->cookie.len);
	return 0;
}

static int on_fail(void *arg, const struct engine_failure *failure)
{
	struct joint *joint = arg;

	print_message("engine: %s\n", failure->text);
	joint->failed = failure->alert;
	return 0;
}

static const struct engine_output output = {
	.send = on_send, .version = on_version, .key = on_key,
	.limit = on_limit, .skip_early = on_skip_early,
	.certificate = on_certificate, .done = on_done, .fail = on_fail,
};

/* True when the record is early data, which has been passed over. */
static bool skip_record(struct joint *joint, const uint8_t *record, size_t len,
			int plain_len)
{
	if (joint->skip == SOCKTLS_SKIP_OPAQUE && record[0] != RECORD_DATA &&
	    record[0] != RECORD_CCS)
		joint->skip = 0;
	if (joint->skip == SOCKTLS_SKIP_TRIAL && plain_len >= 0)
		joint->skip = 0;
	if (!joint->skip || record[0] != RECORD_DATA)
		return false;
	assert_true(len - 5 <= joint->skip_left);
	joint->skip_left -= len - 5;
	joint->skipped++;
	return true;
}

static void take_post_handshake(struct joint *joint, const uint8_t *plain,
				size_t len)
{
	size_t at, n;

	for (at = 0; at < len; at += n) {
		const uint8_t *m = plain + at;

		n = 4 + (m[1] << 16 | m[2] << 8 | m[3]);
		assert_true(at + n <= len);
		assert_int_equal(m[0], NEW_SESSION_TICKET);
		assert_int_equal(engine_cookie_ticket(
				bytes_of(joint->cookie, joint->cookie_len),
				bytes_of(m, n), time(NULL), &sessions_ops,
				joint->host->sessions), 0);
	}
}

static void take_record(struct joint *joint, const uint8_t *record, size_t len)
{
	static uint8_t plain[RECORD_WIRE_MAX];
	struct record_keys before = joint->rx;
	uint8_t type;
	int n;

	if (record[0] == RECORD_CCS && joint->version != TLS12)
		return;
	if (joint->skip == SOCKTLS_SKIP_OPAQUE &&
	    skip_record(joint, record, len, -1))
		return;
	n = record_open(&joint->rx, record, len, &type, plain);
	if (joint->skip && skip_record(joint, record, len, n)) {
		joint->rx = before;
		return;
	}
	assert_true(n >= 0);
	if (type == RECORD_ALERT)
		joint->failed = plain[1];
	else if (type == RECORD_DATA)
		assert_true(joint->done);
	else if (joint->done)
		take_post_handshake(joint, plain, n);
	else
		engine_receive(joint->engine, joint->level, type,
			       bytes_of(plain, n));
}

/* All whole records that libssl has written. Returns false when none. */
static bool take_records(struct joint *joint)
{
	BIO *bio = SSL_get_wbio(joint->ssl);
	size_t pending = BIO_ctrl_pending(bio), len;
	struct writer *in = &joint->input;
	bool any = false;

	if (pending)
		assert_int_equal(BIO_read(bio, writer_room(in, pending),
					  pending), pending);
	while (in->len >= 5) {
		len = 5 + (in->data[3] << 8 | in->data[4]);
		if (in->len < len)
			break;
		take_record(joint, in->data, len);
		writer_consume(in, len);
		any = true;
	}
	return any;
}

/* --------------------------------------------------------------- both ends */

static SSL_CTX *ssl_ctx(bool server, uint16_t version)
{
	SSL_CTX *ctx = SSL_CTX_new(server ? TLS_server_method() :
					    TLS_client_method());
	X509_STORE *store = SSL_CTX_get_cert_store(ctx);

	assert_non_null(ctx);
	assert_int_equal(SSL_CTX_set_min_proto_version(ctx, version), 1);
	assert_int_equal(SSL_CTX_set_max_proto_version(ctx, version), 1);
	assert_int_equal(X509_STORE_add_cert(store, world.ca->cert), 1);
	SSL_CTX_set_session_id_context(ctx, (const uint8_t *)"test", 4);
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_BOTH);
	if (!server) {
		SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
		return ctx;
	}
	assert_int_equal(SSL_CTX_use_certificate(ctx, world.rsa.cert->cert), 1);
	assert_int_equal(SSL_CTX_use_PrivateKey(ctx, world.rsa.cert->key), 1);
	return ctx;
}

static void joint_init(struct joint *joint, SSL_CTX *ctx,
		       const struct engine_config *config, struct host *host)
{
	memset(joint, 0, sizeof(*joint));
	joint->failed = -1;
	joint->host = host;
	joint->ssl = SSL_new(ctx);
	assert_non_null(joint->ssl);
	SSL_set_bio(joint->ssl, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
	assert_int_equal(engine_new(&joint->engine, config, &output, joint), 0);
	if (config->role == SOCKTLS_CLIENT) {
		SSL_set_accept_state(joint->ssl);
	} else {
		SSL_set_connect_state(joint->ssl);
		SSL_set_tlsext_host_name(joint->ssl, NAME);
	}
}

static void joint_run(struct joint *joint)
{
	bool moved;

	assert_int_equal(engine_start(joint->engine), 0);
	do {
		SSL_do_handshake(joint->ssl);
		moved = take_records(joint);
	} while (moved && joint->failed < 0);
}

static void joint_assert_good(struct joint *joint)
{
	assert_int_equal(joint->failed, -1);
	assert_true(joint->done);
	assert_true(SSL_is_init_finished(joint->ssl));
}

/* Application data both ways; tickets go first. */
static void joint_talk(struct joint *joint)
{
	char text[16];

	if (joint->lazy.len)
		send_record(joint, RECORD_HANDSHAKE, joint->lazy.data,
			    joint->lazy.len);
	send_record(joint, RECORD_DATA, (const uint8_t *)"hello", 5);
	assert_int_equal(SSL_read(joint->ssl, text, sizeof(text)), 5);
	assert_memory_equal(text, "hello", 5);
	assert_int_equal(SSL_write(joint->ssl, "again", 5), 5);
	assert_true(take_records(joint));
}

static void joint_free(struct joint *joint)
{
	/* else libssl calls the session bad */
	SSL_set_shutdown(joint->ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
	SSL_free(joint->ssl);
	engine_free(joint->engine);
	writer_free(&joint->lazy);
	writer_free(&joint->input);
}

/* --------------------------------------------------------------- exporters */

static void compare_exporter(struct joint *joint, const char *label,
			     const char *context, size_t len)
{
	uint8_t ours[ENGINE_EXPORT_MAX], theirs[ENGINE_EXPORT_MAX];
	size_t context_len = context ? strlen(context) : 0;

	assert_int_equal(engine_cookie_export(
			bytes_of(joint->cookie, joint->cookie_len), label,
			bytes_of(context, context_len), context, ours, len), 0);
	assert_int_equal(SSL_export_keying_material(joint->ssl, theirs, len,
			label, strlen(label), (const uint8_t *)context,
			context_len, context != NULL), 1);
	assert_memory_equal(ours, theirs, len);
}

static void exporters_are_those_of_openssl(void **state)
{
	/* RFC 9266 is the first one, without a context that counts */
	static const char *const labels[] = {
		"EXPORTER-Channel-Binding", "EXPORTER: a", "EXPERIMENTAL x",
	};
	static const char *const contexts[] = { NULL, "", "context" };
	static const size_t lengths[] = { 1, 20, 32, 64, 255, 8160 };
	size_t i, j, k, version, role;

	(void)state;
	for (version = TLS12; version <= TLS13; version++)
		for (role = 0; role < 2; role++) {
			SSL_CTX *ctx = ssl_ctx(!role, version);
			struct scene scene;
			struct joint joint;

			scene_init(&scene, version);
			scene.client.role = SOCKTLS_CLIENT;
			scene.server.role = SOCKTLS_SERVER;
			joint_init(&joint, ctx, role ? &scene.server :
				   &scene.client, &scene.client_host);
			joint_run(&joint);
			joint_assert_good(&joint);
			for (i = 0; i < 3; i++)
				for (j = 0; j < 3; j++)
					for (k = 0; k < 6; k++)
						compare_exporter(&joint,
								 labels[i],
								 contexts[j],
								 lengths[k]);
			joint_free(&joint);
			scene_free(&scene);
			SSL_CTX_free(ctx);
		}
}

/* -------------------------------------------------------------- resumption */

static const struct {
	uint16_t	version;
	bool		by_id;
} kinds[] = {
	{ TLS12, true }, { TLS12, false }, { TLS13, false },
};

/* Returns whether the engine and libssl, which agree, resumed. */
static bool connect_client(struct scene *scene, SSL_CTX *ctx)
{
	struct joint joint;
	bool resumed;

	joint_init(&joint, ctx, &scene->client, &scene->client_host);
	joint_run(&joint);
	joint_assert_good(&joint);
	joint_talk(&joint);
	resumed = joint.flags & SOCKTLS_INFO_RESUMED;
	assert_int_equal(SSL_session_reused(joint.ssl), resumed);
	compare_exporter(&joint, "EXPORTER: resumed", "", 32);
	joint_free(&joint);
	return resumed;
}

static void engine_resumes_at_openssl(void **state)
{
	struct scene scene;
	SSL_CTX *ctx;
	size_t i, n;

	(void)state;
	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		ctx = ssl_ctx(true, kinds[i].version);
		if (kinds[i].by_id)
			SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET);
		scene_init(&scene, kinds[i].version);
		scene.client.role = SOCKTLS_CLIENT;
		assert_false(connect_client(&scene, ctx));
		for (n = 0; n < 3; n++)
			assert_true(connect_client(&scene, ctx));
		SSL_CTX_free(ctx);
		/* a server that knows nothing of it */
		ctx = ssl_ctx(true, kinds[i].version);
		assert_false(connect_client(&scene, ctx));
		scene_free(&scene);
		SSL_CTX_free(ctx);
	}
}

/* With @session; returns the new one, which may be the same. */
static SSL_SESSION *connect_server(struct scene *scene, SSL_CTX *ctx,
				   SSL_SESSION *session, bool expected)
{
	SSL_SESSION *next;
	struct joint joint;

	joint_init(&joint, ctx, &scene->server, &scene->server_host);
	if (session)
		SSL_set_session(joint.ssl, session);
	joint_run(&joint);
	joint_assert_good(&joint);
	joint_talk(&joint);
	assert_int_equal(!!(joint.flags & SOCKTLS_INFO_RESUMED), expected);
	assert_int_equal(SSL_session_reused(joint.ssl), expected);
	compare_exporter(&joint, "EXPORTER: resumed", NULL, 32);
	next = SSL_get1_session(joint.ssl);
	joint_free(&joint);
	SSL_SESSION_free(session);
	return next;
}

static void openssl_resumes_at_the_engine(void **state)
{
	SSL_SESSION *session;
	struct scene scene;
	SSL_CTX *ctx;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		ctx = ssl_ctx(false, kinds[i].version);
		if (kinds[i].by_id)
			SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET);
		scene_init(&scene, kinds[i].version);
		scene.server.role = SOCKTLS_SERVER;
		session = connect_server(&scene, ctx, NULL, false);
		session = connect_server(&scene, ctx, session, true);
		session = connect_server(&scene, ctx, session, true);
		scene_free(&scene);
		/* another host, without these keys and sessions */
		scene_init(&scene, kinds[i].version);
		scene.server.role = SOCKTLS_SERVER;
		session = connect_server(&scene, ctx, session, false);
		SSL_SESSION_free(session);
		scene_free(&scene);
		SSL_CTX_free(ctx);
	}
}

/* -------------------------------------------------------------- early data */

/* A session with a ticket for early data, of a server of libssl. */
static SSL_SESSION *foreign_session(SSL_CTX *client_ctx)
{
	SSL_CTX *server_ctx = ssl_ctx(true, TLS13);
	SSL *client, *server;
	SSL_SESSION *session;
	BIO *one, *other;
	char byte;
	int i;

	SSL_CTX_set_max_early_data(server_ctx, EARLY_LEN);
	client = SSL_new(client_ctx);
	server = SSL_new(server_ctx);
	assert_int_equal(BIO_new_bio_pair(&one, 65536, &other, 65536), 1);
	SSL_set_bio(client, one, one);
	SSL_set_bio(server, other, other);
	SSL_set_connect_state(client);
	SSL_set_accept_state(server);
	SSL_set_tlsext_host_name(client, NAME);
	for (i = 0; i < 5; i++) {
		SSL_do_handshake(client);
		SSL_do_handshake(server);
	}
	assert_int_equal(SSL_write(server, "x", 1), 1);
	assert_int_equal(SSL_read(client, &byte, 1), 1);
	session = SSL_get1_session(client);
	assert_int_equal(SSL_SESSION_get_max_early_data(session), EARLY_LEN);
	SSL_set_shutdown(client, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
	SSL_free(client);
	SSL_free(server);
	SSL_CTX_free(server_ctx);
	return session;
}

/* @chunk bytes in a record. */
static void refuse_early_data(size_t chunk, const char *client_groups,
			      unsigned int records)
{
	static const uint16_t p256 = 0x0017;
	SSL_CTX *ctx = ssl_ctx(false, TLS13);
	SSL_SESSION *session = foreign_session(ctx);
	static uint8_t data[EARLY_LEN];
	struct scene scene;
	struct joint joint;
	size_t at, n;

	scene_init(&scene, TLS13);
	scene.server.role = SOCKTLS_SERVER;
	scene.server.groups = &p256;
	scene.server.n_groups = 1;
	joint_init(&joint, ctx, &scene.server, &scene.server_host);
	assert_int_equal(SSL_set1_groups_list(joint.ssl, client_groups), 1);
	SSL_set_session(joint.ssl, session);
	for (at = 0; at < sizeof(data); at += n)
		assert_int_equal(SSL_write_early_data(joint.ssl, data + at,
						      chunk, &n), 1);
	joint_run(&joint);
	joint_assert_good(&joint);
	assert_int_equal(SSL_get_early_data_status(joint.ssl),
			 SSL_EARLY_DATA_REJECTED);
	assert_int_equal(joint.skipped, records);
	assert_false(joint.flags & SOCKTLS_INFO_RESUMED);
	joint_talk(&joint);
	joint_free(&joint);
	scene_free(&scene);
	SSL_SESSION_free(session);
	SSL_CTX_free(ctx);
}

static void early_data_is_refused_and_the_handshake_goes_on(void **state)
{
	(void)state;
	refuse_early_data(EARLY_LEN, "P-256", 1);
	refuse_early_data(EARLY_LEN / 8, "P-256", 8);
	/* with a retry in between */
	refuse_early_data(EARLY_LEN, "X25519:P-256", 1);
	refuse_early_data(EARLY_LEN / 8, "X25519:P-256", 8);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(exporters_are_those_of_openssl),
		cmocka_unit_test(engine_resumes_at_openssl),
		cmocka_unit_test(openssl_resumes_at_the_engine),
		cmocka_unit_test(
			early_data_is_refused_and_the_handshake_goes_on),
	};

	return cmocka_run_group_tests_name("openssl", tests, world_setup,
					   world_teardown);
}
