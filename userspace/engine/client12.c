// SPDX-License-Identifier: MIT
/* Client, TLS 1.2: from ServerHello to Finished. */
#include <errno.h>
#include <string.h>

#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#include "engine/auth.h"
#include "engine/client.h"
#include "engine/limits.h"
#include "engine/ocsp.h"
#include "engine/tickets.h"
#include "engine/tls12.h"

/* --------------------------------------------------------- ServerHello */

/* RFC 5746 section 3.4: present and empty in a first handshake. */
static int check_renegotiation(struct engine *engine,
			       const struct extensions *list)
{
	struct engine_bytes value;

	if (!extensions_have(list, EXT_RENEGOTIATION_INFO))
		return engine_fail(engine, HANDSHAKE_FAILURE, EPROTO,
				   "%s does not support secure renegotiation (RFC 5746): update its TLS library",
				   engine_peer_name(engine));
	if (extension_read_opaque(extensions_get(list, EXT_RENEGOTIATION_INFO),
				  1, 0, &value))
		return engine_fail_message(engine, DECODE_ERROR, "ServerHello");
	if (value.len)
		return engine_fail(engine, HANDSHAKE_FAILURE, EPROTO,
				   "%s answers a first handshake as a renegotiation",
				   engine_peer_name(engine));
	return 0;
}

/* RFC 8422 section 5.1.2: if there, with uncompressed. */
static int check_points(struct engine *engine, const struct extensions *list)
{
	struct engine_bytes formats;

	if (!extensions_have(list, EXT_EC_POINT_FORMATS))
		return 0;
	if (extension_read_u8_list(extensions_get(list, EXT_EC_POINT_FORMATS),
				   &formats))
		return engine_fail_message(engine, DECODE_ERROR, "ServerHello");
	if (!bytes_have_u8(formats, POINT_UNCOMPRESSED))
		return engine_fail_message(engine, ILLEGAL_PARAMETER,
					   "ServerHello");
	return 0;
}

/* RFC 7366 section 3: for block ciphers alone. */
static int check_encrypt_then_mac(struct engine *engine,
				  const struct extensions *list)
{
	engine->etm = extensions_have(list, EXT_ENCRYPT_THEN_MAC);
	if (extension_read_empty(extensions_get(list, EXT_ENCRYPT_THEN_MAC)))
		return engine_fail_message(engine, DECODE_ERROR, "ServerHello");
	if (engine->etm && !engine->suite->mac_len)
		return engine_fail_message(engine, ILLEGAL_PARAMETER,
					   "ServerHello");
	return 0;
}

/* RFC 5246 section 7.4.1.3, RFC 5077 section 3.4: our ID came back. */
static bool is_echoed(const struct engine *engine,
		      const struct server_hello *hello)
{
	return hello->session_id.len &&
	       bytes_equal(hello->session_id, engine->client.session_id);
}

static int check_resumed(struct engine *engine)
{
	if (engine->session.version != TLS12)
		return engine_fail(engine, ILLEGAL_PARAMETER, EPROTO,
				   "%s resumes a session that this host does not have",
				   engine_peer_name(engine));
	if (engine->suite != engine->session.suite)
		return engine_fail(engine, ILLEGAL_PARAMETER, EPROTO,
				   "%s resumes a session with another cipher suite",
				   engine_peer_name(engine));
	/* RFC 7627 section 5.3; we keep no session without it. */
	if (!engine->ems)
		return engine_fail(engine, HANDSHAKE_FAILURE, EPROTO,
				   "%s resumes a session without its extended master secret",
				   engine_peer_name(engine));
	return 0;
}

static int resume(struct engine *engine)
{
	int ret = check_resumed(engine);

	if (ret)
		return ret;
	engine->resumed = true;
	transcript_drop_raw(&engine->transcript);
	engine->state = engine->client.ticket_due ? CLIENT12_WAIT_TICKET :
						    CLIENT12_WAIT_CCS;
	return tls12_resume(engine);
}

/* Resume, or remember what a full handshake needs of this ServerHello. */
static int take_session(struct engine *engine, const struct server_hello *hello)
{
	const struct extensions *list = &hello->extensions;
	struct client *client = &engine->client;

	if (extension_read_empty(extensions_get(list, EXT_SESSION_TICKET)))
		return engine_fail_message(engine, DECODE_ERROR, "ServerHello");
	client->ticket_due = extensions_have(list, EXT_SESSION_TICKET);
	if (is_echoed(engine, hello))
		return resume(engine);
	session_reset(engine);
	if (hello->session_id.len)
		memcpy(client->new_id_buf, hello->session_id.data,
		       hello->session_id.len);
	client->new_id = bytes_of(client->new_id_buf, hello->session_id.len);
	return 0;
}

int client12_server_hello(struct engine *engine,
			  const struct server_hello *hello)
{
	const struct extensions *list = &hello->extensions;
	int ret;

	ret = check_renegotiation(engine, list);
	if (!ret)
		ret = check_points(engine, list);
	if (!ret && (extension_read_empty(extensions_get(list,
					EXT_EXTENDED_MASTER_SECRET)) ||
		     extension_read_empty(extensions_get(list,
					EXT_SERVER_NAME)) ||
		     extension_read_empty(extensions_get(list,
					EXT_STATUS_REQUEST))))
		ret = engine_fail_message(engine, DECODE_ERROR, "ServerHello");
	if (!ret)
		ret = check_encrypt_then_mac(engine, list);
	if (!ret)
		ret = client_alpn_take(engine, list);
	if (!ret)
		ret = limits_take_answer(engine, list);
	if (!ret)
		ret = limits_apply_now(engine);
	engine->client.status_due = extensions_have(list, EXT_STATUS_REQUEST);
	engine->ems = extensions_have(list, EXT_EXTENDED_MASTER_SECRET);
	engine->state = CLIENT12_WAIT_CERT;
	return ret ? ret : take_session(engine, hello);
}

/* ----------------------------------------------------------- Certificate */

/* Section 7.4.2: the key fits the suite, and may be used so. */
static int check_key_kind(struct engine *engine)
{
	X509 *leaf = sk_X509_value(engine->peer.chain, 0);
	EVP_PKEY *key = engine->peer.key;
	uint32_t usage = KU_DIGITAL_SIGNATURE;
	bool fits;

	if (engine->suite->exchange == EXCHANGE_RSA) {
		fits = EVP_PKEY_is_a(key, "RSA");
		usage = KU_KEY_ENCIPHERMENT;
	} else if (engine->suite->auth == AUTH_RSA) {
		fits = EVP_PKEY_is_a(key, "RSA") ||
		       EVP_PKEY_is_a(key, "RSA-PSS");
	} else {
		fits = EVP_PKEY_is_a(key, "EC") ||
		       EVP_PKEY_is_a(key, "ED25519") ||
		       EVP_PKEY_is_a(key, "ED448");
	}
	if (fits && X509_get_key_usage(leaf) & usage)
		return 0;
	return engine_fail(engine, ILLEGAL_PARAMETER, EKEYREJECTED,
			   "the certificate of %s has a key that may not be used with %s",
			   engine_peer_name(engine), engine->suite->name);
}

static enum state behind_certificate(const struct engine *engine)
{
	return engine->suite->exchange == EXCHANGE_RSA ?
		CLIENT12_WAIT_CR_SHD : CLIENT12_WAIT_SKE;
}

int client12_certificate(struct engine *engine, const struct message *message)
{
	int ret;

	ret = auth_certificate(engine, message);
	if (!ret)
		ret = check_key_kind(engine);
	if (engine->client.status_due)
		engine->state = engine->suite->exchange == EXCHANGE_RSA ?
				CLIENT12_WAIT_CS_CR_SHD : CLIENT12_WAIT_CS_SKE;
	else
		engine->state = behind_certificate(engine);
	return ret;
}

int client12_certificate_status(struct engine *engine,
				const struct message *message)
{
	struct engine_bytes response;
	int alert = ocsp_read_status(message->body, &response);

	if (alert)
		return engine_fail_message(engine, alert, "CertificateStatus");
	engine->client.status_due = false;
	engine->state = behind_certificate(engine);
	return ocsp_check(engine, response);
}

/* RFC 6066 section 8: a server may announce it and not send it. */
static int check_status_missing(struct engine *engine)
{
	if (!engine->client.status_due)
		return 0;
	engine->client.status_due = false;
	return ocsp_check_missing(engine);
}

/* ----------------------------------------------------- ServerKeyExchange */

static int parse_exchange(struct engine *engine, const struct message *message,
			  struct server_key_exchange *exchange)
{
	struct server_dh_params dh;
	int alert;

	if (engine->suite->exchange == EXCHANGE_ECDHE) {
		alert = server_key_exchange_ecdhe_parse(exchange,
							message->body);
		if (!alert && !settings_offer_group(&engine->set,
						    exchange->group))
			alert = ILLEGAL_PARAMETER;
	} else {
		alert = server_key_exchange_dhe_parse(exchange, &dh,
						      message->body);
		if (!alert)
			exchange->group = group_by_parameters(dh.p, dh.g);
	}
	if (alert)
		return engine_fail_message(engine, alert, "ServerKeyExchange");
	return 0;
}

static int check_group(struct engine *engine,
		       const struct server_key_exchange *exchange)
{
	bool ecdhe = engine->suite->exchange == EXCHANGE_ECDHE;

	engine->group = group_find(exchange->group);
	if (engine->group && group_is_ecdhe(engine->group) == ecdhe &&
	    settings_offer_group(&engine->set, exchange->group) &&
	    exchange->point.len <= engine->group->server_share)
		return 0;
	return engine_fail(engine, ILLEGAL_PARAMETER, EPROTO,
			   "%s chose a key exchange group that was not offered",
			   engine_peer_name(engine));
}

static int check_signed(struct engine *engine,
			const struct server_key_exchange *exchange)
{
	struct writer content = { 0 };
	int ret;

	tls12_signed_params(engine, &content, exchange->params);
	if (content.bad)
		ret = engine_fail_memory(engine);
	else
		ret = auth_check_signature(engine, &exchange->signature,
					   writer_view(&content),
					   "ServerKeyExchange");
	writer_free(&content);
	return ret;
}

/*
 * The server's share is answered when ServerHelloDone comes; until then it
 * waits in client.server_share.
 */
int client12_key_exchange(struct engine *engine, const struct message *message)
{
	struct server_key_exchange exchange;
	int ret;

	ret = check_status_missing(engine);
	if (!ret)
		ret = parse_exchange(engine, message, &exchange);
	if (!ret)
		ret = check_group(engine, &exchange);
	if (!ret)
		ret = check_signed(engine, &exchange);
	if (ret)
		return ret;
	writer_bytes(&engine->client.server_share, exchange.point);
	if (engine->client.server_share.bad)
		return engine_fail_memory(engine);
	engine->state = CLIENT12_WAIT_CR_SHD;
	return 0;
}

int client12_certificate_request(struct engine *engine,
				 const struct message *message)
{
	struct certificate_request request;
	int alert, ret;

	ret = check_status_missing(engine);
	if (ret)
		return ret;
	alert = certificate_request12_parse(&request, message->body);
	if (alert)
		return engine_fail_message(engine, alert, "CertificateRequest");
	auth_answer_request(engine, &request);
	engine->state = CLIENT12_WAIT_SHD;
	return 0;
}

/* ----------------------------------------------------------- our flight */

/* RSAES-PKCS1-v1_5 to the key of the server's certificate (7.4.7.1). */
static int encrypt_premaster(struct engine *engine,
			     const uint8_t premaster[PREMASTER_LEN],
			     struct writer *w)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, engine->peer.key,
						       NULL);
	size_t len = EVP_PKEY_get_size(engine->peer.key);
	uint8_t *room;
	int ret = 0;

	writer_u16(w, len);
	room = writer_room(w, len);
	if (!room)
		ret = engine_fail_memory(engine);
	else if (!ctx || EVP_PKEY_encrypt_init(ctx) != 1 ||
		 EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING) != 1 ||
		 EVP_PKEY_encrypt(ctx, room, &len, premaster,
				  PREMASTER_LEN) != 1)
		ret = engine_fail_crypto(engine,
					 "encrypt the pre-master secret");
	EVP_PKEY_CTX_free(ctx);
	return ret;
}

static int exchange_rsa(struct engine *engine)
{
	uint8_t premaster[PREMASTER_LEN];
	struct writer *w;
	int ret;

	if (!entropy_bytes(&engine->set.entropy, premaster, PREMASTER_LEN))
		return engine_fail_crypto(engine, "make random bytes");
	/* The version that ClientHello offered in legacy_version. */
	premaster[0] = TLS12 >> 8;
	premaster[1] = TLS12 & 0xff;
	w = message_begin(engine, CLIENT_KEY_EXCHANGE);
	ret = encrypt_premaster(engine, premaster, w);
	if (!ret)
		ret = message_end(engine);
	if (!ret)
		ret = tls12_derive(engine, bytes_of(premaster, PREMASTER_LEN));
	OPENSSL_cleanse(premaster, sizeof(premaster));
	return ret;
}

static int answer_share(struct engine *engine, struct writer *share,
			struct group_secret *secret)
{
	struct engine_bytes theirs = writer_view(&engine->client.server_share);
	int ret;

	ret = group_answer12(engine->group, &engine->set.entropy, theirs,
			     share, secret);
	if (ret == -EPROTO)
		return engine_fail(engine, ILLEGAL_PARAMETER, EPROTO,
				   "the key share of %s is not valid for %s",
				   engine_peer_name(engine),
				   engine->group->name);
	return engine_check(engine, ret, "agree on a key");
}

static int exchange_ephemeral(struct engine *engine)
{
	unsigned int width = engine->suite->exchange == EXCHANGE_DHE ? 2 : 1;
	struct writer share = { 0 };
	struct group_secret secret;
	struct writer *w;
	int ret;

	ret = answer_share(engine, &share, &secret);
	if (!ret) {
		w = message_begin(engine, CLIENT_KEY_EXCHANGE);
		writer_vector(w, width, writer_view(&share));
		ret = message_end(engine);
	}
	if (!ret)
		ret = tls12_derive(engine,
				   tls12_premaster(engine->group, &secret));
	group_secret_wipe(&secret);
	writer_free(&share);
	return ret;
}

int client12_hello_done(struct engine *engine, const struct message *message)
{
	struct client *client = &engine->client;
	int ret = check_status_missing(engine);

	(void)message;
	if (!ret && client->asked)
		ret = auth_send_certificate(engine, client->scheme ?
					    engine->identity : NULL,
					    bytes_of(NULL, 0));
	if (!ret && engine->suite->exchange == EXCHANGE_RSA)
		ret = exchange_rsa(engine);
	else if (!ret)
		ret = exchange_ephemeral(engine);
	if (!ret && client->scheme)
		ret = auth_send_verify12(engine, client->scheme);
	transcript_drop_raw(&engine->transcript);
	if (!ret)
		ret = tls12_send_finished(engine);
	engine->state = client->ticket_due ? CLIENT12_WAIT_TICKET :
					     CLIENT12_WAIT_CCS;
	return ret;
}

/* ------------------------------------------------- the server's last word */

/* RFC 5077 section 3.3: it may be empty. */
int client12_ticket(struct engine *engine, const struct message *message)
{
	struct client *client = &engine->client;
	struct new_session_ticket ticket;
	int alert = new_session_ticket12_parse(&ticket, message->body);

	if (alert)
		return engine_fail_message(engine, alert, "NewSessionTicket");
	writer_bytes(&client->ticket, ticket.ticket);
	client->ticket_lifetime = ticket.lifetime;
	engine->state = CLIENT12_WAIT_CCS;
	return client->ticket.bad ? engine_fail_memory(engine) : 0;
}

int client12_ccs(struct engine *engine, const struct message *message)
{
	(void)message;
	engine->state = CLIENT12_WAIT_FINISHED;
	return tls12_take_ccs(engine);
}

int client12_finished(struct engine *engine, const struct message *message)
{
	int ret = 0;

	(void)message;
	if (engine->resumed)
		ret = tls12_send_finished(engine);
	if (!ret)
		ret = tickets_save12(engine);
	if (!ret)
		ret = engine_finish(engine);
	return ret;
}
