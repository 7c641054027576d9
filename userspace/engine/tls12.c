// SPDX-License-Identifier: MIT
#include <errno.h>
#include <string.h>

#include <openssl/crypto.h>

#include "engine/limits.h"
#include "engine/tls12.h"

static int derive_master(struct engine *engine, struct engine_bytes premaster)
{
	struct digest session_hash;
	int ret;

	ret = transcript_now(engine, &session_hash);
	if (ret)
		return ret;
	ret = schedule12_master(&engine->schedule12, engine->suite, premaster,
				engine->ems ? &session_hash : NULL);
	if (ret)
		return engine_fail_crypto(engine, "derive the master secret");
	return 0;
}

static int derive_keys(struct engine *engine)
{
	struct engine_key *rx = &engine->rx_key;
	struct engine_key *tx = &engine->tx_key;
	bool client = is_client(engine);

	keylog_secret(engine, "CLIENT_RANDOM", engine->schedule12.master,
		      MASTER_LEN);
	rx->direction = SOCKTLS_DIRECTION_RX;
	tx->direction = SOCKTLS_DIRECTION_TX;
	rx->level = SOCKTLS_LEVEL_APPLICATION;
	tx->level = SOCKTLS_LEVEL_APPLICATION;
	rx->flags = engine->etm ? SOCKTLS_KEY_ENCRYPT_THEN_MAC : 0;
	tx->flags = rx->flags;
	if (schedule12_key_block(&engine->schedule12, engine->suite,
				 client ? tx : rx, client ? rx : tx))
		return engine_fail_crypto(engine, "derive the key block");
	return 0;
}

int tls12_derive(struct engine *engine, struct engine_bytes premaster)
{
	int ret = derive_master(engine, premaster);

	return ret ? ret : derive_keys(engine);
}

int tls12_resume(struct engine *engine)
{
	memcpy(engine->schedule12.master, engine->session.secret, MASTER_LEN);
	return derive_keys(engine);
}

/* verify_data over the transcript so far, as @client or server makes it. */
static int verify_data(struct engine *engine, bool client, struct digest *out)
{
	struct digest hash;
	int ret;

	ret = transcript_now(engine, &hash);
	if (ret)
		return ret;
	if (schedule12_finished(&engine->schedule12, engine->suite, client,
				&hash, out))
		return engine_fail_crypto(engine, "compute Finished");
	return 0;
}

int tls12_send_finished(struct engine *engine)
{
	struct digest own;
	struct writer *w;
	int ret;

	ret = ccs_send(engine);
	if (!ret)
		ret = limits_apply(engine, SOCKTLS_DIRECTION_TX);
	if (!ret)
		ret = key_install(engine, &engine->tx_key);
	OPENSSL_cleanse(&engine->tx_key, sizeof(engine->tx_key));
	if (!ret)
		ret = verify_data(engine, is_client(engine), &own);
	if (ret)
		return ret;
	w = message_begin(engine, FINISHED);
	writer_bytes(w, digest_view(&own));
	return message_end(engine);
}

int tls12_take_ccs(struct engine *engine)
{
	int ret = limits_apply(engine, SOCKTLS_DIRECTION_RX);

	if (!ret)
		ret = key_install(engine, &engine->rx_key);
	OPENSSL_cleanse(&engine->rx_key, sizeof(engine->rx_key));
	return ret;
}

int tls12_check_finished(struct engine *engine, const struct message *message)
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

void tls12_signed_params(const struct engine *engine, struct writer *w,
			 struct engine_bytes params)
{
	writer_bytes(w, bytes_of(engine->schedule12.client_random, RANDOM_LEN));
	writer_bytes(w, bytes_of(engine->schedule12.server_random, RANDOM_LEN));
	writer_bytes(w, params);
}

struct engine_bytes tls12_premaster(const struct group *group,
				    const struct group_secret *secret)
{
	struct engine_bytes premaster = bytes_of(secret->data, secret->len);

	/* Leading zeros go, in Diffie-Hellman alone. */
	while (group->kind == GROUP_FINITE_FIELD && premaster.len &&
	       !*premaster.data) {
		premaster.data++;
		premaster.len--;
	}
	return premaster;
}
