// SPDX-License-Identifier: MIT
/* The engine in the traces of RFC 8448: its randomness is the trace's. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/pem.h>

#include "engine/core.h"
#include "hex.h"
#include "pair.h"
#include "rfc8448.h"

struct fixed {
	struct hex	bytes;
	size_t		at;
};

static int fixed_random(void *arg, uint8_t *out, size_t len)
{
	struct fixed *fixed = arg;

	assert_true(fixed->at + len <= fixed->bytes.len);
	memcpy(out, fixed->bytes.data + fixed->at, len);
	fixed->at += len;
	return 0;
}

/* The trace's signature: salts are random, so it cannot be made again. */
static int traced_sign(void *key, uint16_t scheme, struct engine_bytes in,
		       uint8_t *out, size_t *out_len)
{
	struct hex message = hex(S3_CERTIFICATE_VERIFY);

	(void)key;
	(void)in;
	assert_int_equal(scheme, 0x0804);
	*out_len = message.len - 8;
	memcpy(out, message.data + 8, *out_len);
	return 0;
}

static const struct engine_keyops traced_keyops = { .sign = traced_sign };

static struct engine_identity *traced_identity(void)
{
	struct hex message = hex(S3_CERTIFICATE);
	const unsigned char *der = message.data + 4 + 1 + 3 + 3;
	X509 *cert = d2i_X509(NULL, &der, 0x1b0);
	BIO *bio = BIO_new(BIO_s_mem());
	struct engine_identity *identity;
	char *pem, text[256];
	long len;

	assert_non_null(cert);
	PEM_write_bio_X509(bio, cert);
	len = BIO_get_mem_data(bio, &pem);
	assert_int_equal(engine_identity_new(&identity,
				(struct engine_bytes){ (uint8_t *)pem, len },
				&traced_keyops, NULL, text, sizeof(text)), 0);
	BIO_free(bio);
	X509_free(cert);
	return identity;
}

static bool keylog_has(const struct side *side, const char *label,
		       const char *secret)
{
	size_t i;

	for (i = 0; i < side->n_keylog; i++)
		if (!strncmp(side->keylog[i], label, strlen(label)) &&
		    strstr(side->keylog[i], secret))
			return true;
	return false;
}

/* Section 3's ClientHello gets section 3's ServerHello and its secrets. */
static void server_answers_section3_byte_for_byte(void **state)
{
	struct engine_identity *identity = traced_identity();
	struct fixed fixed = { .bytes = hex(S3_SERVER_RANDOM
					    S3_SERVER_PRIVATE) };
	struct engine_config config = {
		.role = SOCKTLS_SERVER, .identities = &identity,
		.n_identities = 1, .random = fixed_random, .random_arg = &fixed,
	};
	struct hex hello = hex(S3_CLIENT_HELLO), answer = hex(S3_SERVER_HELLO);
	struct hex certificate = hex(S3_CERTIFICATE);
	struct side side;
	struct record *first, *second;

	(void)state;
	side_init(&side, "server", &config);
	assert_int_equal(engine_receive(side.engine, SOCKTLS_LEVEL_PLAINTEXT,
					22, hex_view(&hello)), 0);
	/* an empty session id: no change_cipher_spec */
	assert_string_equal(side.events, "version send:2 key:tx:handshake "
			    "send:8 key:tx:application key:rx:handshake");
	first = &side.sent[0];
	second = &side.sent[1];
	assert_int_equal(first->len, answer.len);
	assert_memory_equal(first->data, answer.data, answer.len);
	assert_hex_equal(second->key.key, 16, S3_SERVER_HANDSHAKE_KEY);
	assert_hex_equal(second->key.iv, 12, S3_SERVER_HANDSHAKE_IV);
	assert_hex_equal(side.rx.key, 16, S3_CLIENT_HANDSHAKE_KEY);
	assert_hex_equal(side.rx.iv, 12, S3_CLIENT_HANDSHAKE_IV);
	assert_true(keylog_has(&side, "CLIENT_HANDSHAKE_TRAFFIC_SECRET",
			       S3_CLIENT_HANDSHAKE));
	assert_true(keylog_has(&side, "SERVER_HANDSHAKE_TRAFFIC_SECRET",
			       S3_SERVER_HANDSHAKE));
	/* Certificate, behind our EncryptedExtensions, is the trace's */
	assert_non_null(memmem(second->data, second->len, certificate.data,
			       certificate.len));
	side_free(&side);
	engine_identity_put(identity);
}

/**
 * struct traced_store - has the one session of section 4
 * @side: whose
 * @ticket: that was asked for
 */
struct traced_store {
	struct side	*side;
	struct hex	ticket;
};

/* What the ticket would hold, had this server made it. */
static int open_traced(void *arg, time_t now, struct engine_bytes sealed,
		       uint8_t *plain, size_t *len)
{
	struct traced_store *store = arg;
	const struct engine *engine = store->side->engine;
	struct session session = {
		.version = TLS13, .suite = suite_find(0x1301),
		.authenticated = now, .issued = now, .lifetime = 30,
		.secret_len = 32,
	};
	struct engine_bytes own = engine->set.identities[0]->der[0];
	struct hex psk = hex(S3_PSK);
	struct writer w = { 0 };

	memcpy(session.secret, psk.data, 32);
	memcpy(session.key, engine->session_key, SESSION_KEY_LEN);
	assert_int_equal(EVP_Digest(own.data, own.len, session.identity, NULL,
				    EVP_sha256(), NULL), 1);
	session_write(&w, &session);
	assert_true(w.len <= *len);
	memcpy(plain, w.data, w.len);
	*len = w.len;
	writer_free(&w);
	store->ticket.len = sealed.len;
	memcpy(store->ticket.data, sealed.data, sealed.len);
	return 0;
}

static int seal_nothing(void *arg, time_t now, struct engine_bytes plain,
			uint8_t *sealed, size_t *len)
{
	(void)arg;
	(void)now;
	(void)plain;
	(void)sealed;
	(void)len;
	return -EIO;
}

static const struct engine_sessions traced_sessions = {
	.seal = seal_nothing, .open = open_traced,
};

/* Section 4: the binder is good, the answer the trace's; early data is not. */
static void server_resumes_section4_byte_for_byte(void **state)
{
	struct engine_identity *identity = traced_identity();
	struct fixed fixed = { .bytes = hex(S4_SERVER_RANDOM
					    S4_SERVER_PRIVATE) };
	struct side side;
	struct traced_store store = { .side = &side };
	struct engine_config config = {
		.role = SOCKTLS_SERVER, .identities = &identity,
		.n_identities = 1, .random = fixed_random, .random_arg = &fixed,
		.sessions = &traced_sessions, .sessions_arg = &store,
		.tickets = 1,
	};
	struct hex hello = hex(S4_CLIENT_HELLO), answer = hex(S4_SERVER_HELLO);
	struct hex ticket = hex(S3_NEW_SESSION_TICKET);

	(void)state;
	side_init(&side, "server", &config);
	assert_int_equal(engine_receive(side.engine, SOCKTLS_LEVEL_PLAINTEXT,
					22, hex_view(&hello)), 0);
	assert_string_equal(side.events, "version send:2 key:tx:handshake "
			    "send:8 key:tx:application skip:2 "
			    "key:rx:handshake");
	assert_non_null(memmem(ticket.data, ticket.len, store.ticket.data,
			       store.ticket.len));
	assert_int_equal(side.sent[0].len, answer.len);
	assert_memory_equal(side.sent[0].data, answer.data, answer.len);
	assert_true(side.engine->resumed);
	assert_true(keylog_has(&side, "CLIENT_HANDSHAKE_TRAFFIC_SECRET",
			       S4_CLIENT_HANDSHAKE));
	side_free(&side);

	/* one bit of the binder */
	fixed.at = 0;
	hello.data[hello.len - 1] ^= 1;
	side_init(&side, "server", &config);
	assert_int_equal(engine_receive(side.engine, SOCKTLS_LEVEL_PLAINTEXT,
					22, hex_view(&hello)), -EPROTO);
	assert_int_equal(side.failure.alert, DECRYPT_ERROR);
	side_free(&side);
	engine_identity_put(identity);
}

/* Section 5: the server that has P-256 alone asks for it. */
static void server_retries_section5(void **state)
{
	static const uint16_t p256 = 0x17;
	struct engine_identity *identity = traced_identity();
	struct fixed fixed = { .bytes = hex(
		"bb341d847fd789c47c387172dc0c9bf147fccacb5043d86ca4c598d3ff571b98"
		S5_SERVER_PRIVATE) };
	struct engine_config config = {
		.role = SOCKTLS_SERVER, .identities = &identity,
		.n_identities = 1, .random = fixed_random, .random_arg = &fixed,
		.groups = &p256, .n_groups = 1,
	};
	struct hex first = hex(S5_CLIENT_HELLO_1);
	struct hex second = hex(S5_CLIENT_HELLO_2_HEAD);
	struct hex expected = hex(S5_SERVER_HELLO);
	struct server_hello hello;
	struct record *retry, *answer;
	struct side side;

	(void)state;
	memset(second.data + second.len, 0, S5_CLIENT_HELLO_2_ZEROS);
	second.len += S5_CLIENT_HELLO_2_ZEROS;
	side_init(&side, "server", &config);
	assert_int_equal(engine_receive(side.engine, SOCKTLS_LEVEL_PLAINTEXT,
					22, hex_view(&first)), 0);
	assert_string_equal(side.events, "version send:2");
	retry = &side.sent[0];
	assert_int_equal(server_hello_parse(&hello, bytes_of(retry->data + 4,
							     retry->len - 4)),
			 0);
	assert_true(hello.retry);
	assert_int_equal(hello.version, TLS13);
	assert_int_equal(engine_receive(side.engine, SOCKTLS_LEVEL_PLAINTEXT,
					22, hex_view(&second)), 0);
	answer = &side.sent[1];
	assert_int_equal(answer->len, expected.len);
	assert_memory_equal(answer->data, expected.data, expected.len);
	side_free(&side);
	engine_identity_put(identity);
}

/* Each message of the traces through its codec. */
static void codecs_read_the_traces(void **state)
{
	struct hex m;
	struct client_hello ch;
	struct server_hello sh;
	struct extensions list;
	struct certificate_list certs;
	struct signature signature;
	struct new_session_ticket ticket;
	struct engine_bytes context, der, extensions, share, cookie;
	uint16_t group;

	(void)state;
	m = hex(S3_CLIENT_HELLO);
	assert_int_equal(client_hello_parse(&ch, bytes_of(m.data + 4,
							  m.len - 4)), 0);
	assert_int_equal(ch.suites.len, 6);
	assert_true(extensions_have(&ch.extensions, EXT_RECORD_SIZE_LIMIT));
	assert_int_equal(ch.extensions.last, EXT_RECORD_SIZE_LIMIT);
	assert_int_equal(extension_read_server_name(
			extensions_get(&ch.extensions, EXT_SERVER_NAME), &der),
			0);
	assert_true(bytes_equal(der, bytes_of("server", 6)));
	m = hex(S3_SERVER_HELLO);
	assert_int_equal(server_hello_parse(&sh, bytes_of(m.data + 4,
							  m.len - 4)), 0);
	assert_int_equal(sh.suite, 0x1301);
	assert_int_equal(extension_read_key_share(
			extensions_get(&sh.extensions, EXT_KEY_SHARE), &group,
			&share), 0);
	assert_int_equal(group, 0x1d);
	m = hex(S3_ENCRYPTED_EXTENSIONS);
	assert_int_equal(encrypted_extensions_parse(&list, bytes_of(m.data + 4,
							m.len - 4)), 0);
	assert_true(extensions_have(&list, EXT_SUPPORTED_GROUPS));
	m = hex(S3_CERTIFICATE);
	assert_int_equal(certificate_parse(&certs, true, bytes_of(m.data + 4,
					   m.len - 4), &context), 0);
	assert_true(certificate_next(&certs, &der, &extensions));
	assert_int_equal(der.len, 0x1b0);
	assert_false(certificate_next(&certs, &der, &extensions));
	m = hex(S3_CERTIFICATE_VERIFY);
	assert_int_equal(certificate_verify_parse(&signature,
			bytes_of(m.data + 4, m.len - 4)), 0);
	assert_int_equal(signature.scheme, 0x0804);
	m = hex(S3_NEW_SESSION_TICKET);
	assert_int_equal(new_session_ticket13_parse(&ticket,
			bytes_of(m.data + 4, m.len - 4)), 0);
	assert_int_equal(ticket.lifetime, 30);
	assert_int_equal(ticket.age_add, 0xfad6aac5);
	assert_int_equal(ticket.ticket.len, 0xb2);
	m = hex(S5_HELLO_RETRY_REQUEST);
	assert_int_equal(server_hello_parse(&sh, bytes_of(m.data + 4,
							  m.len - 4)), 0);
	assert_true(sh.retry);
	assert_int_equal(extension_read_opaque(
			extensions_get(&sh.extensions, EXT_COOKIE), 2, 1,
			&cookie), 0);
	assert_int_equal(cookie.len, 0x72);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(server_answers_section3_byte_for_byte),
		cmocka_unit_test(server_resumes_section4_byte_for_byte),
		cmocka_unit_test(server_retries_section5),
		cmocka_unit_test(codecs_read_the_traces),
	};

	return cmocka_run_group_tests_name("rfc8448", tests, NULL, NULL);
}
