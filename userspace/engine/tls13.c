// SPDX-License-Identifier: MIT
#include <errno.h>

#include <openssl/crypto.h>

#include "engine/psk.h"
#include "engine/tls13.h"

int tls13_handshake_secrets(struct engine *engine,
			    const struct group_secret *secret)
{
	struct schedule *s = &engine->schedule;
	struct digest hash;
	int ret;

	ret = transcript_now(engine, &hash);
	if (ret)
		return ret;
	ret = schedule_early(s, engine->suite->md(), psk_secret(engine));
	if (!ret)
		ret = schedule_handshake(s, bytes_of(secret->data, secret->len),
					 &hash);
	if (ret)
		return engine_fail_crypto(engine, "derive handshake secrets");
	keylog_secret(engine, "CLIENT_HANDSHAKE_TRAFFIC_SECRET",
		      s->client_handshake, s->len);
	keylog_secret(engine, "SERVER_HANDSHAKE_TRAFFIC_SECRET",
		      s->server_handshake, s->len);
	return 0;
}

int tls13_application_secrets(struct engine *engine)
{
	struct schedule *s = &engine->schedule;
	struct digest hash;
	int ret;

	ret = transcript_now(engine, &hash);
	if (ret)
		return ret;
	if (schedule_application(s, &hash))
		return engine_fail_crypto(engine, "derive application secrets");
	keylog_secret(engine, "CLIENT_TRAFFIC_SECRET_0", s->client_application,
		      s->len);
	keylog_secret(engine, "SERVER_TRAFFIC_SECRET_0", s->server_application,
		      s->len);
	keylog_secret(engine, "EXPORTER_SECRET", s->exporter_master, s->len);
	return 0;
}

int tls13_resumption_secret(struct engine *engine)
{
	struct digest hash;
	int ret;

	ret = transcript_now(engine, &hash);
	if (!ret && schedule_resumption(&engine->schedule, &hash))
		ret = engine_fail_crypto(engine, "derive the resumption secret");
	return ret;
}

/* verify_data over the transcript so far, as @client or server makes it. */
static int verify_data(struct engine *engine, bool client, struct digest *out)
{
	const struct schedule *s = &engine->schedule;
	struct digest hash;
	int ret;

	ret = transcript_now(engine, &hash);
	if (ret)
		return ret;
	if (schedule_finished(s->md, client ? s->client_handshake :
			      s->server_handshake, &hash, out))
		return engine_fail_crypto(engine, "compute Finished");
	return 0;
}

int tls13_send_finished(struct engine *engine)
{
	struct digest own;
	struct writer *w;
	int ret;

	ret = verify_data(engine, is_client(engine), &own);
	if (ret)
		return ret;
	w = message_begin(engine, FINISHED);
	writer_bytes(w, digest_view(&own));
	return message_end(engine);
}

int tls13_check_finished(struct engine *engine, const struct message *message)
{
	struct digest expected;
	int ret;

	ret = verify_data(engine, !is_client(engine), &expected);
	if (ret)
		return ret;
	if (message->body.len != expected.len)
		return engine_fail_message(engine, DECODE_ERROR, "Finished");
	if (CRYPTO_memcmp(message->body.data, expected.data, expected.len))
		return engine_fail(engine, DECRYPT_ERROR, EPROTO,
				   "Finished from %s does not match the handshake",
				   engine_peer_name(engine));
	return 0;
}
