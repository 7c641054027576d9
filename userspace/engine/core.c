// SPDX-License-Identifier: MIT
/* The engine's life: configuration in, reassembly, dispatch, output. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>

#include "engine/client.h"
#include "engine/cookie.h"
#include "engine/core.h"

#define HEADER_LEN	4
#define TEXT_MAX	248	/* struct socktls_error */

/* ------------------------------------------------------------- failure */

int engine_fail(struct engine *engine, int alert, int error, const char *format,
		...)
{
	struct engine_failure failure = { .alert = alert, .error = error };
	char text[TEXT_MAX];
	va_list args;

	if (engine->trial)
		return -error;
	if (engine->error)
		return engine->error;
	engine->error = -error;
	session_forget(engine);
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	failure.text = text;
	/* The alert says it all; a flight may be half written. */
	writer_reset(&engine->flight);
	engine->output->fail(engine->arg, &failure);
	ERR_clear_error();
	return engine->error;
}

const char *engine_peer_name(const struct engine *engine)
{
	if (!is_client(engine))
		return "the client";
	return engine->set.server_name ? engine->set.server_name : "the server";
}

int engine_fail_message(struct engine *engine, int alert, const char *what)
{
	const char *how = alert == DECODE_ERROR ? "is malformed" :
			  "holds something that is not allowed there";

	return engine_fail(engine, alert, EPROTO, "%s from %s %s", what,
			   engine_peer_name(engine), how);
}

int engine_fail_memory(struct engine *engine)
{
	return engine_fail(engine, ALERT_NONE, ENOMEM,
			   "out of memory during the handshake");
}

int engine_fail_crypto(struct engine *engine, const char *what)
{
	return engine_fail(engine, INTERNAL_ERROR, EIO,
			   "libcrypto could not %s", what);
}

int engine_check(struct engine *engine, int ret, const char *what)
{
	if (!ret)
		return 0;
	if (ret == -ENOMEM)
		return engine_fail_memory(engine);
	return engine_fail_crypto(engine, what);
}

/* The result of an output callback: an error ends the engine silently. */
static int output_result(struct engine *engine, int ret)
{
	if (ret && !engine->error)
		engine->error = ret;
	return ret;
}

/* -------------------------------------------------------------- output */

struct writer *message_begin(struct engine *engine, enum handshake_type type)
{
	engine->message_mark = engine->flight.len;
	writer_u8(&engine->flight, type);
	writer_open(&engine->flight, 3);
	return &engine->flight;
}

int message_close(struct engine *engine)
{
	writer_close(&engine->flight, engine->message_mark + HEADER_LEN, 3);
	return engine->flight.bad ? engine_fail_memory(engine) : 0;
}

int message_commit(struct engine *engine)
{
	struct writer *flight = &engine->flight;
	size_t mark = engine->message_mark;

	return engine_check(engine,
			    transcript_add(&engine->transcript,
					   bytes_of(flight->data + mark,
						    flight->len - mark)),
			    "hash a message");
}

int message_end(struct engine *engine)
{
	int ret = message_close(engine);

	return ret ? ret : message_commit(engine);
}

int flight_send(struct engine *engine)
{
	int ret;

	if (!engine->flight.len)
		return 0;
	ret = engine->output->send(engine->arg, CONTENT_HANDSHAKE,
				   writer_view(&engine->flight), false);
	writer_reset(&engine->flight);
	return output_result(engine, ret);
}

int ccs_send(struct engine *engine)
{
	static const uint8_t one = 1;
	int ret;

	ret = flight_send(engine);
	if (ret)
		return ret;
	engine->ccs_sent = true;
	return output_result(engine,
			     engine->output->send(engine->arg,
						  CONTENT_CHANGE_CIPHER_SPEC,
						  bytes_of(&one, 1), false));
}

int lazy_send(struct engine *engine, struct engine_bytes messages)
{
	return output_result(engine,
			     engine->output->send(engine->arg,
						  CONTENT_HANDSHAKE, messages,
						  true));
}

int early_data_skip(struct engine *engine, enum socktls_skip_mode mode,
		    uint32_t max_bytes)
{
	return output_result(engine, engine->output->skip_early(engine->arg,
								mode,
								max_bytes));
}

/*
 * RFC 8446 section 5.1: no bytes of the old keys behind the message that
 * changes them, nor behind the last one.
 */
static int nothing_behind(struct engine *engine)
{
	if (engine->in.len == engine->handling)
		return 0;
	return engine_fail(engine, UNEXPECTED_MESSAGE, EPROTO,
			   "%s sent handshake bytes across a key change",
			   engine_peer_name(engine));
}

int key_install(struct engine *engine, const struct engine_key *key)
{
	int ret;

	ret = flight_send(engine);
	if (ret)
		return ret;
	if (key->direction == SOCKTLS_DIRECTION_RX) {
		ret = nothing_behind(engine);
		engine->rx_level = key->level;
	}
	if (ret)
		return ret;
	return output_result(engine, engine->output->key(engine->arg, key));
}

int traffic_key_install(struct engine *engine, enum socktls_direction direction,
			enum socktls_level level, const uint8_t *secret)
{
	struct engine_key key = { .direction = direction, .level = level };
	int ret;

	ret = engine_check(engine,
			   schedule_traffic_key(engine->suite, secret, &key),
			   "derive a traffic key");
	if (!ret && level == SOCKTLS_LEVEL_APPLICATION) {
		key.secret_len = engine->schedule.len;
		memcpy(key.secret, secret, key.secret_len);
	}
	if (!ret)
		ret = key_install(engine, &key);
	OPENSSL_cleanse(&key, sizeof(key));
	return ret;
}

int limit_install(struct engine *engine, enum socktls_direction direction,
		  uint16_t max_plaintext)
{
	int ret = flight_send(engine);

	if (ret)
		return ret;
	return output_result(engine, engine->output->limit(engine->arg,
							   direction,
							   max_plaintext));
}

int version_announce(struct engine *engine, uint16_t version)
{
	engine->version = version;
	return output_result(engine,
			     engine->output->version(engine->arg, version));
}

void keylog_secret(struct engine *engine, const char *label,
		   const uint8_t *secret, size_t len)
{
	char line[32 + 2 * (RANDOM_LEN + HASH_MAX) + 3];
	size_t at, i;

	if (!engine->output->keylog)
		return;
	at = snprintf(line, sizeof(line), "%s ", label);
	for (i = 0; i < RANDOM_LEN; i++)
		at += snprintf(line + at, sizeof(line) - at, "%02x",
			       engine->schedule12.client_random[i]);
	at += snprintf(line + at, sizeof(line) - at, " ");
	for (i = 0; i < len; i++)
		at += snprintf(line + at, sizeof(line) - at, "%02x", secret[i]);
	engine->output->keylog(engine->arg, line);
	OPENSSL_cleanse(line, sizeof(line));
}

int transcript_now(struct engine *engine, struct digest *digest)
{
	return engine_check(engine,
			    transcript_hash(&engine->transcript, digest),
			    "hash the transcript");
}

static int certificate_out(struct engine *engine, enum socktls_chain chain,
			   struct engine_bytes der)
{
	return output_result(engine, engine->output->certificate(engine->arg,
								 chain, der));
}

static int certificates_out(struct engine *engine)
{
	const struct engine_identity *own = engine->identity;
	unsigned char *der;
	size_t i;
	int ret = 0;
	int n, len;

	for (i = 0; own && i < own->n && !ret; i++)
		ret = certificate_out(engine, SOCKTLS_CHAIN_LOCAL, own->der[i]);
	n = engine->peer.chain ? sk_X509_num(engine->peer.chain) : 0;
	for (i = 0; i < (size_t)n && !ret; i++) {
		der = NULL;
		len = i2d_X509(sk_X509_value(engine->peer.chain, i), &der);
		if (len <= 0)
			return engine_fail_memory(engine);
		ret = certificate_out(engine, SOCKTLS_CHAIN_PEER,
				      bytes_of(der, len));
		OPENSSL_free(der);
	}
	return ret;
}

static uint32_t result_flags(const struct engine *engine)
{
	uint32_t flags = 0;

	if (engine->peer.verified)
		flags |= SOCKTLS_INFO_PEER_VERIFIED;
	if (!is_client(engine))
		flags |= SOCKTLS_INFO_SERVER;
	if (engine->etm)
		flags |= SOCKTLS_INFO_ENCRYPT_THEN_MAC;
	if (engine->resumed)
		flags |= SOCKTLS_INFO_RESUMED;
	if (engine->external)
		flags |= SOCKTLS_INFO_PSK;
	if (engine->ems || engine->version >= TLS13)
		flags |= SOCKTLS_INFO_EXT_MASTER_SECRET;
	return flags;
}

int engine_finish(struct engine *engine)
{
	struct engine_result result = {
		.version = engine->version,
		.suite = engine->suite->code,
		.group = engine->group ? engine->group->code : 0,
		.signature_scheme = engine->peer.scheme,
		.flags = result_flags(engine),
		.alpn = writer_view(&engine->alpn),
		.peer_identity = engine->peer.identity,
	};
	struct writer cookie = { 0 };
	int ret;

	ret = nothing_behind(engine);
	if (!ret)
		ret = flight_send(engine);
	if (!ret)
		ret = certificates_out(engine);
	if (!ret)
		ret = cookie_write(engine, &cookie);
	if (ret)
		goto out;
	engine->state = CONNECTED;
	engine->done = true;
	schedule_wipe(&engine->schedule);
	OPENSSL_cleanse(&engine->schedule12, sizeof(engine->schedule12));
	transcript_free(&engine->transcript);
	result.cookie = writer_view(&cookie);
	ret = output_result(engine,
			    engine->output->done(engine->arg, &result));
out:
	writer_free(&cookie);
	return ret;
}

/* --------------------------------------------------------------- input */

static int unexpected(struct engine *engine, uint16_t type)
{
	return engine_fail(engine, UNEXPECTED_MESSAGE, EPROTO,
			   "%s from %s is out of place (state %s)",
			   message_name(type), engine_peer_name(engine),
			   states_name(engine->state));
}

static int dispatch(struct engine *engine, const struct step *step,
		    const struct message *message)
{
	int ret = 0;

	if (step->check)
		ret = step->check(engine, message);
	if (ret)
		return ret;
	/* RFC 5246 section 7.4.1.1 */
	if (message->type != HELLO_REQUEST)
		ret = engine_check(engine,
				   transcript_add(&engine->transcript,
						  message->whole),
				   "hash a message");
	if (!ret)
		ret = step->handle(engine, message);
	return ret;
}

/*
 * Take one message out of engine->in. Returns 1 when there was one, 0 when it
 * is not complete, or a negative errno.
 */
static int receive_message(struct engine *engine)
{
	struct reader r = reader_of(writer_view(&engine->in));
	struct message message;
	const struct step *step;
	size_t len;
	int ret;

	message.type = reader_u8(&r);
	if (r.bad)
		return 0;
	/* Judged by its first byte: nothing unexpected is ever buffered. */
	step = states_find(engine->state, message.type);
	if (!step)
		return unexpected(engine, message.type);
	len = reader_u24(&r);
	if (!r.bad && len > step->max)
		return engine_fail(engine, DECODE_ERROR, EPROTO,
				   "%s from %s is %zu bytes long, over the limit of %zu",
				   message_name(message.type),
				   engine_peer_name(engine), len, step->max);
	message.body = reader_bytes(&r, len);
	if (r.bad)
		return 0;
	message.whole = bytes_of(engine->in.data, HEADER_LEN + len);
	engine->handling = message.whole.len;
	ret = dispatch(engine, step, &message);
	engine->handling = 0;
	if (ret)
		return ret;
	writer_consume(&engine->in, message.whole.len);
	return 1;
}

static int receive_handshake(struct engine *engine, struct engine_bytes bytes)
{
	int ret;

	writer_bytes(&engine->in, bytes);
	if (engine->in.bad)
		return engine_fail_memory(engine);
	do {
		ret = receive_message(engine);
	} while (ret > 0);
	return ret;
}

static int receive_ccs(struct engine *engine, struct engine_bytes bytes)
{
	const struct step *step = states_find(engine->state, STEP_CCS);

	if (bytes.len != 1 || bytes.data[0] != 1)
		return engine_fail(engine, UNEXPECTED_MESSAGE, EPROTO,
				   "ChangeCipherSpec from %s is not one byte 1",
				   engine_peer_name(engine));
	/* In the middle of a message, or where no table row has it. */
	if (!step || engine->in.len)
		return unexpected(engine, STEP_CCS);
	return step->handle(engine, NULL);
}

static int receive(struct engine *engine, enum socktls_level level,
		   uint8_t content_type, struct engine_bytes bytes)
{
	if (level != engine->rx_level)
		return engine_fail(engine, UNEXPECTED_MESSAGE, EPROTO,
				   "%s sent handshake bytes under the wrong keys",
				   engine_peer_name(engine));
	if (content_type == CONTENT_HANDSHAKE)
		return receive_handshake(engine, bytes);
	if (content_type == CONTENT_CHANGE_CIPHER_SPEC)
		return receive_ccs(engine, bytes);
	return engine_fail(engine, UNEXPECTED_MESSAGE, EPROTO,
			   "%s sent a record of type %u during the handshake",
			   engine_peer_name(engine), content_type);
}

int engine_receive(struct engine *engine, enum socktls_level level,
		   uint8_t content_type, struct engine_bytes bytes)
{
	int ret;

	if (engine->error)
		return engine->error;
	ret = receive(engine, level, content_type, bytes);
	/* A handler sends its flight with the last message it takes. */
	if (!ret)
		ret = flight_send(engine);
	ERR_clear_error();
	return ret;
}

/* ---------------------------------------------------------------- life */

int engine_new(struct engine **engine, const struct engine_config *config,
	       const struct engine_output *output, void *arg)
{
	struct engine *new = calloc(1, sizeof(*new));
	int ret;

	if (!new)
		return -ENOMEM;
	new->output = output;
	new->arg = arg;
	transcript_init(&new->transcript);
	new->rx_level = SOCKTLS_LEVEL_PLAINTEXT;
	ret = settings_init(&new->set, config);
	if (ret) {
		engine_free(new);
		return ret;
	}
	new->state = is_client(new) ? CLIENT_START : SERVER_START;
	*engine = new;
	return 0;
}

int engine_start(struct engine *engine)
{
	int ret;

	if (engine->error)
		return engine->error;
	if (engine->state != CLIENT_START)
		return 0;
	ret = client_start(engine);
	return ret ? ret : flight_send(engine);
}

bool engine_is_done(const struct engine *engine)
{
	return engine->done;
}

static void client_free(struct client *client)
{
	size_t i;

	for (i = 0; i < SHARES_MAX; i++)
		EVP_PKEY_free(client->shares[i].key);
	writer_free(&client->cookie);
	writer_free(&client->server_share);
	writer_free(&client->ticket);
}

void peer_reset(struct peer *peer)
{
	sk_X509_pop_free(peer->chain, X509_free);
	X509_free(peer->issuer);
	writer_free(&peer->staple);
	free(peer->identity);
	*peer = (struct peer){ 0 };
}

void engine_abort(struct engine *engine)
{
	if (!engine->error && !engine->done)
		session_forget(engine);
}

void engine_free(struct engine *engine)
{
	if (!engine)
		return;
	client_free(&engine->client);
	EVP_PKEY_free(engine->server.exchange_key);
	peer_reset(&engine->peer);
	writer_free(&engine->session_raw);
	writer_free(&engine->in);
	writer_free(&engine->flight);
	writer_free(&engine->alpn);
	transcript_free(&engine->transcript);
	settings_free(&engine->set);
	OPENSSL_cleanse(engine, sizeof(*engine));
	free(engine);
}
