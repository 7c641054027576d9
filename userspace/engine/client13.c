// SPDX-License-Identifier: MIT
/* Client, TLS 1.3: from ServerHello or HelloRetryRequest to Finished. */
#include <errno.h>

#include "engine/auth.h"
#include "engine/client.h"
#include "engine/limits.h"
#include "engine/psk.h"
#include "engine/tls13.h"

/* The change_cipher_spec for middleboxes, before the second flight (D.4). */
static int compatibility_ccs(struct engine *engine)
{
	if (engine->ccs_sent || !engine->client.session_id.len)
		return 0;
	return ccs_send(engine);
}

/* --------------------------------------------------- HelloRetryRequest */

static int retry_group(struct engine *engine, const struct server_hello *hello)
{
	struct client *client = &engine->client;
	uint16_t code;
	size_t i;

	if (extension_read_u16(extensions_get(&hello->extensions,
					      EXT_KEY_SHARE), &code))
		return engine_fail_message(engine, DECODE_ERROR,
					   "HelloRetryRequest");
	for (i = 0; i < SHARES_MAX; i++)
		if (client->shares[i].group &&
		    client->shares[i].group->code == code)
			goto refuse;
	if (!settings_offer_group(&engine->set, code))
		goto refuse;
	for (i = 1; i < SHARES_MAX; i++) {
		EVP_PKEY_free(client->shares[i].key);
		client->shares[i].key = NULL;
		client->shares[i].group = NULL;
	}
	client->grease.share = false;
	return client_share_make(engine, 0, group_find(code));
refuse:
	return engine_fail(engine, ILLEGAL_PARAMETER, EPROTO,
			   "%s asks for group 0x%04x, which it already has or which was not offered",
			   engine_peer_name(engine), code);
}

static int retry_cookie(struct engine *engine, const struct server_hello *hello)
{
	struct engine_bytes cookie;

	if (extension_read_opaque(extensions_get(&hello->extensions,
						 EXT_COOKIE), 2, 1, &cookie))
		return engine_fail_message(engine, DECODE_ERROR,
					   "HelloRetryRequest");
	writer_bytes(&engine->client.cookie, cookie);
	return engine->client.cookie.bad ? engine_fail_memory(engine) : 0;
}

int client13_retry(struct engine *engine, const struct server_hello *hello)
{
	bool share = extensions_have(&hello->extensions, EXT_KEY_SHARE);
	bool cookie = extensions_have(&hello->extensions, EXT_COOKIE);
	int ret = 0;

	if (!share && !cookie)
		return engine_fail(engine, ILLEGAL_PARAMETER, EPROTO,
				   "HelloRetryRequest from %s asks for no change",
				   engine_peer_name(engine));
	engine->client.retried = true;
	/* Section 4.1.4: a PSK of another hash has to go. */
	if (engine->session.version >= TLS13 && !psk_fits(engine))
		session_reset(engine);
	if (share)
		ret = retry_group(engine, hello);
	if (!ret && cookie)
		ret = retry_cookie(engine, hello);
	if (!ret)
		ret = compatibility_ccs(engine);
	if (!ret)
		ret = client_hello_send(engine);
	return ret;
}

/* --------------------------------------------------------- ServerHello */

static int agree(struct engine *engine, const struct server_hello *hello,
		 struct group_secret *secret)
{
	struct client *client = &engine->client;
	struct engine_bytes share;
	uint16_t code;
	size_t i;
	int ret;

	if (!extensions_have(&hello->extensions, EXT_KEY_SHARE))
		return engine_fail(engine, MISSING_EXTENSION, EPROTO,
				   "ServerHello from %s has no key_share",
				   engine_peer_name(engine));
	if (extension_read_key_share(extensions_get(&hello->extensions,
						    EXT_KEY_SHARE),
				     &code, &share))
		return engine_fail_message(engine, DECODE_ERROR, "ServerHello");
	for (i = 0; i < SHARES_MAX; i++)
		if (client->shares[i].group &&
		    client->shares[i].group->code == code)
			break;
	if (i == SHARES_MAX)
		return engine_fail(engine, ILLEGAL_PARAMETER, EPROTO,
				   "%s chose group 0x%04x, for which it has no key share",
				   engine_peer_name(engine), code);
	engine->group = client->shares[i].group;
	ret = group_finish(engine->group, client->shares[i].key, share, secret);
	if (ret == -EPROTO)
		return engine_fail(engine, ILLEGAL_PARAMETER, EPROTO,
				   "the key share of %s is not valid for %s",
				   engine_peer_name(engine),
				   engine->group->name);
	return engine_check(engine, ret, "agree on a key");
}

static int handshake_keys(struct engine *engine,
			  const struct group_secret *secret)
{
	struct schedule *s = &engine->schedule;
	int ret;

	ret = tls13_handshake_secrets(engine, secret);
	if (!ret)
		ret = compatibility_ccs(engine);
	if (!ret)
		ret = traffic_key_install(engine, SOCKTLS_DIRECTION_RX,
					  SOCKTLS_LEVEL_HANDSHAKE,
					  s->server_handshake);
	if (!ret)
		ret = traffic_key_install(engine, SOCKTLS_DIRECTION_TX,
					  SOCKTLS_LEVEL_HANDSHAKE,
					  s->client_handshake);
	return ret;
}

/* Certificates prove nothing without a trust store and a name. */
static int check_certificates_do(struct engine *engine)
{
	if (!engine->set.psk_only)
		return 0;
	return engine_fail(engine, HANDSHAKE_FAILURE, EKEYREJECTED,
			   "%s takes none of the PSKs that were offered, and there is nothing to verify a certificate with",
			   engine_peer_name(engine));
}

/* Section 4.2.11: one that was offered, under a suite of its hash. */
static int take_psk(struct engine *engine, const struct server_hello *hello)
{
	uint16_t index;

	if (!extensions_have(&hello->extensions, EXT_PRE_SHARED_KEY)) {
		session_reset(engine);
		return check_certificates_do(engine);
	}
	if (extension_read_u16(extensions_get(&hello->extensions,
					      EXT_PRE_SHARED_KEY), &index))
		return engine_fail_message(engine, DECODE_ERROR, "ServerHello");
	return psk_take(engine, index);
}

int client13_server_hello(struct engine *engine,
			  const struct server_hello *hello)
{
	struct group_secret secret;
	int ret;

	/* The hash runs on; the messages are not needed any more. */
	transcript_drop_raw(&engine->transcript);
	ret = take_psk(engine, hello);
	if (!ret)
		ret = agree(engine, hello, &secret);
	if (!ret)
		ret = handshake_keys(engine, &secret);
	group_secret_wipe(&secret);
	engine->state = CLIENT_WAIT_EE;
	return ret;
}

/* ------------------------------------------------- the server's flight */

int client13_encrypted_extensions(struct engine *engine,
				  const struct message *message)
{
	struct extensions list;
	int alert, ret;

	alert = encrypted_extensions_parse(&list, message->body);
	if (alert)
		return engine_fail_message(engine, alert,
					   "EncryptedExtensions");
	if (!extensions_within(&list, &engine->client.offered))
		return engine_fail(engine, UNSUPPORTED_EXTENSION, EPROTO,
				   "%s answered with an extension that was not offered",
				   engine_peer_name(engine));
	if (extension_read_empty(extensions_get(&list, EXT_SERVER_NAME)))
		return engine_fail_message(engine, DECODE_ERROR,
					   "EncryptedExtensions");
	engine->state = psk_in_use(engine) ? CLIENT_WAIT_FINISHED :
					     CLIENT_WAIT_CERT_CR;
	ret = client_alpn_take(engine, &list);
	if (!ret)
		ret = limits_take_answer(engine, &list);
	if (!ret)
		ret = limits_apply(engine, SOCKTLS_DIRECTION_RX);
	if (!ret)
		ret = limits_apply(engine, SOCKTLS_DIRECTION_TX);
	return ret;
}

int client13_certificate_request(struct engine *engine,
				 const struct message *message)
{
	struct certificate_request request;
	int alert;

	alert = certificate_request13_parse(&request, message->body);
	/* RFC 8446 section 4.3.2: empty but after the handshake. */
	if (!alert && request.context.len)
		alert = ILLEGAL_PARAMETER;
	if (alert)
		return engine_fail_message(engine, alert, "CertificateRequest");
	auth_answer_request(engine, &request);
	engine->state = CLIENT_WAIT_CERT;
	return 0;
}

int client13_certificate(struct engine *engine, const struct message *message)
{
	engine->state = CLIENT_WAIT_CV;
	return auth_certificate(engine, message);
}

int client13_certificate_verify(struct engine *engine,
				const struct message *message)
{
	(void)message;	/* the check said it all */
	engine->state = CLIENT_WAIT_FINISHED;
	return 0;
}

/* ----------------------------------------------------------- our flight */

static int send_certificate(struct engine *engine)
{
	int ret;

	if (!engine->client.asked)
		return 0;
	ret = auth_send_certificate(engine, engine->client.scheme ?
				    engine->identity : NULL, bytes_of(NULL, 0));
	if (!ret && engine->client.scheme)
		ret = auth_send_verify13(engine, engine->client.scheme);
	return ret;
}

int client13_finished(struct engine *engine, const struct message *message)
{
	struct schedule *s = &engine->schedule;
	int ret;

	(void)message;
	ret = tls13_application_secrets(engine);
	if (!ret)
		ret = send_certificate(engine);
	if (!ret)
		ret = tls13_send_finished(engine);
	if (!ret)
		ret = tls13_resumption_secret(engine);
	if (!ret)
		ret = traffic_key_install(engine, SOCKTLS_DIRECTION_TX,
					  SOCKTLS_LEVEL_APPLICATION,
					  s->client_application);
	if (!ret)
		ret = traffic_key_install(engine, SOCKTLS_DIRECTION_RX,
					  SOCKTLS_LEVEL_APPLICATION,
					  s->server_application);
	if (!ret)
		ret = engine_finish(engine);
	return ret;
}
