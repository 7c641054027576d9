// SPDX-License-Identifier: MIT
/* Server, TLS 1.2: from ClientHello to Finished. */
#include <errno.h>
#include <string.h>

#include <linux/tls.h>

#include "engine/auth.h"
#include "engine/limits.h"
#include "engine/server.h"
#include "engine/tickets.h"
#include "engine/tls12.h"

/* --------------------------------------------------------- negotiation */

/*
 * What a client accepts that does not say: RFC 5246 section 7.4.1.4.1 (SHA-1,
 * which a policy may not have), and the curve that everybody has.
 */
static const uint8_t sigalgs_unsaid[] = { 0x02, 0x01, 0x02, 0x03 };
static const uint8_t groups_unsaid[] = { 0x00, 0x17 };

static void fill_unsaid(struct offer *offer)
{
	if (!offer->sigalgs.len)
		offer->sigalgs = bytes_of(sigalgs_unsaid,
					  sizeof(sigalgs_unsaid));
	if (!offer->groups.len)
		offer->groups = bytes_of(groups_unsaid, sizeof(groups_unsaid));
}

/* RFC 7919 section 4: who names no finite-field group takes any. */
static bool names_finite_fields(struct engine_bytes groups)
{
	struct reader r = reader_of(groups);

	while (reader_more(&r))
		if (reader_u16(&r) >> 8 == 1)
			return true;
	return false;
}

/* The first of our groups that both have and that fits the exchange. */
static const struct group *common_group(const struct engine *engine,
					const struct offer *offer, bool ecdhe)
{
	const struct settings *set = &engine->set;
	bool any = !ecdhe && !names_finite_fields(offer->groups);
	size_t i;

	for (i = 0; i < set->n_groups; i++) {
		const struct group *group = group_find(set->groups[i]);
		bool fits = ecdhe ? group_is_ecdhe(group) :
			    group->kind == GROUP_FINITE_FIELD;

		if (fits && (any || bytes_have_u16(offer->groups, group->code)))
			return group;
	}
	return NULL;
}

/* RFC 8422 section 5.1: the curve of an ECDSA key is one the client has. */
static bool curve_known(const struct offer *offer,
			const struct engine_identity *identity)
{
	EVP_PKEY *key = X509_get0_pubkey(identity_leaf(identity));
	uint16_t code = group_of_curve(key);

	return !code || bytes_have_u16(offer->groups, code);
}

static uint16_t scheme_of(const struct engine *engine,
			  const struct offer *offer,
			  const struct engine_identity *identity)
{
	const struct policy *policy = engine->set.policy;

	return identity_scheme(identity, policy->sigalgs, policy->n_sigalgs,
			       offer->sigalgs, TLS12);
}

/* Can @identity serve engine->suite, the one under trial, for this client? */
static bool can_serve(struct engine *engine, const struct offer *offer,
		      const struct engine_identity *identity)
{
	const struct suite *suite = engine->suite;

	if (!server_chain_fits(engine, offer, identity))
		return false;
	if (suite->exchange == EXCHANGE_RSA)
		return identity_decrypts(identity);
	return identity_auth(identity) == suite->auth &&
	       scheme_of(engine, offer, identity) &&
	       curve_known(offer, identity);
}

/* Try @code: suite, group and identity at once, or none of them. */
static bool try_suite(struct engine *engine, const struct offer *offer,
		      uint16_t code)
{
	const struct suite *suite = suite_find(code);

	if (suite->version != TLS12)
		return false;
	engine->suite = suite;
	engine->group = NULL;
	if (suite->exchange != EXCHANGE_RSA)
		engine->group = common_group(engine, offer,
					     suite->exchange == EXCHANGE_ECDHE);
	if (suite->exchange == EXCHANGE_RSA || engine->group)
		engine->identity = server_pick_identity(engine, offer,
							can_serve);
	return engine->identity;
}

static bool find_suite(struct engine *engine, const struct offer *offer)
{
	const struct settings *set = &engine->set;
	struct reader theirs = reader_of(offer->hello.suites);
	bool chacha = !set->policy->peer_order &&
		      server_prefers_chacha(offer->hello.suites, TLS12);
	bool found = false;
	size_t i;

	for (i = 0; chacha && !found && i < set->n_suites; i++)
		found = suite_find(set->suites[i])->cipher ==
				TLS_CIPHER_CHACHA20_POLY1305 &&
			bytes_have_u16(offer->hello.suites, set->suites[i]) &&
			try_suite(engine, offer, set->suites[i]);
	for (i = 0; !set->policy->peer_order && !found && i < set->n_suites;
	     i++)
		found = bytes_have_u16(offer->hello.suites, set->suites[i]) &&
			try_suite(engine, offer, set->suites[i]);
	while (set->policy->peer_order && !found && reader_more(&theirs)) {
		uint16_t code = reader_u16(&theirs);

		found = settings_offer_suite(set, code) &&
			try_suite(engine, offer, code);
	}
	return found;
}

/*
 * RFC 7919 section 4: the client has suites of ours that take a finite-field
 * group, and names such groups, of which none is ours.
 */
static bool lacks_finite_field(const struct engine *engine,
			       const struct offer *offer)
{
	const struct settings *set = &engine->set;
	size_t i;

	if (!names_finite_fields(offer->groups) ||
	    common_group(engine, offer, false))
		return false;
	for (i = 0; i < set->n_suites; i++)
		if (suite_find(set->suites[i])->exchange == EXCHANGE_DHE &&
		    bytes_have_u16(offer->hello.suites, set->suites[i]))
			return true;
	return false;
}

static int no_suite(struct engine *engine, const struct offer *offer)
{
	if (!lacks_finite_field(engine, offer))
		return server_nothing_common(engine, "cipher suite");
	return engine_fail(engine, INSUFFICIENT_SECURITY, EPROTONOSUPPORT,
			   "the client names finite-field groups, and none of ours: see the policy");
}

/* RFC 5246 section 7.4.2: with a chain that the client accepts, if there is. */
static int choose_suite(struct engine *engine, const struct offer *offer)
{
	bool found;

	engine->server.fitting = true;
	found = find_suite(engine, offer);
	engine->server.fitting = false;
	if (!found && !find_suite(engine, offer))
		return no_suite(engine, offer);
	if (engine->suite->exchange != EXCHANGE_RSA)
		engine->server.scheme = scheme_of(engine, offer,
						  engine->identity);
	server_staple(engine, offer);
	return 0;
}

/* RFC 5746 section 3.6: the extension, empty, or the signalling suite. */
static int check_renegotiation(struct engine *engine, const struct offer *offer,
			       bool *answer)
{
	const struct extensions *list = &offer->hello.extensions;
	struct engine_bytes value;

	*answer = bytes_have_u16(offer->hello.suites,
				 SUITE_RENEGOTIATION_SCSV);
	if (!extensions_have(list, EXT_RENEGOTIATION_INFO))
		return 0;
	if (extension_read_opaque(extensions_get(list, EXT_RENEGOTIATION_INFO),
				  1, 0, &value))
		return engine_fail_message(engine, DECODE_ERROR, "ClientHello");
	*answer = true;
	if (!value.len)
		return 0;
	return engine_fail(engine, HANDSHAKE_FAILURE, EPROTO,
			   "the client sends a first ClientHello as a renegotiation");
}

static int check_points(struct engine *engine, const struct offer *offer)
{
	const struct extensions *list = &offer->hello.extensions;
	struct engine_bytes formats;

	if (!extensions_have(list, EXT_EC_POINT_FORMATS))
		return 0;
	if (extension_read_u8_list(extensions_get(list, EXT_EC_POINT_FORMATS),
				   &formats))
		return engine_fail_message(engine, DECODE_ERROR, "ClientHello");
	if (!bytes_have_u8(formats, POINT_UNCOMPRESSED))
		return engine_fail_message(engine, ILLEGAL_PARAMETER,
					   "ClientHello");
	engine->server.points = true;
	return 0;
}

/* RFC 7366 section 2: for block ciphers alone; the suite is chosen. */
static int check_encrypt_then_mac(struct engine *engine,
				  const struct offer *offer)
{
	const struct extensions *list = &offer->hello.extensions;

	if (extension_read_empty(extensions_get(list, EXT_ENCRYPT_THEN_MAC)))
		return engine_fail_message(engine, DECODE_ERROR, "ClientHello");
	engine->etm = extensions_have(list, EXT_ENCRYPT_THEN_MAC) &&
		      engine->suite->mac_len;
	return 0;
}

static int check_master_secret(struct engine *engine, const struct offer *offer)
{
	const struct extensions *list = &offer->hello.extensions;

	if (extension_read_empty(extensions_get(list,
						EXT_EXTENDED_MASTER_SECRET)))
		return engine_fail_message(engine, DECODE_ERROR, "ClientHello");
	engine->ems = extensions_have(list, EXT_EXTENDED_MASTER_SECRET);
	return 0;
}

/* ------------------------------------------------------------ our flight */

static void write_extensions(struct engine *engine, struct writer *w,
			     bool renegotiation)
{
	static const uint8_t points[] = { 1, POINT_UNCOMPRESSED };
	static const uint8_t first_handshake[] = { 0 };

	/* RFC 6066 section 3: a session has its name. */
	if (engine->server.named && !engine->resumed)
		extension_write(w, EXT_SERVER_NAME, bytes_of(NULL, 0));
	if (renegotiation)
		extension_write(w, EXT_RENEGOTIATION_INFO,
				bytes_of(first_handshake,
					 sizeof(first_handshake)));
	if (engine->ems)
		extension_write(w, EXT_EXTENDED_MASTER_SECRET,
				bytes_of(NULL, 0));
	if (engine->server.points &&
	    engine->suite->exchange == EXCHANGE_ECDHE)
		extension_write(w, EXT_EC_POINT_FORMATS,
				bytes_of(points, sizeof(points)));
	if (engine->etm)
		extension_write(w, EXT_ENCRYPT_THEN_MAC, bytes_of(NULL, 0));
	if (engine->staple.len)
		extension_write(w, EXT_STATUS_REQUEST, bytes_of(NULL, 0));
	limits_write_answer(engine, w);
	if (engine->server.ticket_due)
		extension_write(w, EXT_SESSION_TICKET, bytes_of(NULL, 0));
	server_alpn_write(engine, w);
}

static int send_hello(struct engine *engine, bool renegotiation)
{
	struct writer *w;
	size_t mark;
	int ret;

	ret = server_random_make(engine);
	if (ret)
		return ret;
	w = message_begin(engine, SERVER_HELLO);
	server_hello_write(w, engine->schedule12.server_random,
			   engine->resumed ? engine->server.session_id :
			   engine->server.new_id, engine->suite->code);
	mark = writer_open(w, 2);
	write_extensions(engine, w, renegotiation);
	/* Without extensions not even their length: RFC 5246 section 7.4.1.3 */
	if (w->len == mark && !w->bad)
		w->len -= 2;
	else
		writer_close(w, mark, 2);
	return message_end(engine);
}

/* Fresh ephemeral parameters; the key waits for the client's share. */
static int make_params(struct engine *engine, struct writer *params)
{
	struct writer share = { 0 };

	engine->server.exchange_key = group_offer(engine->group,
						  &engine->set.entropy, &share);
	if (engine->suite->exchange == EXCHANGE_DHE) {
		group_write_parameters(engine->group, params);
		writer_vector(params, 2, writer_view(&share));
	} else {
		writer_u8(params, CURVE_TYPE_NAMED);
		writer_u16(params, engine->group->code);
		writer_vector(params, 1, writer_view(&share));
	}
	writer_free(&share);
	if (!engine->server.exchange_key)
		return engine_fail_crypto(engine, "make a key share");
	return params->bad ? engine_fail_memory(engine) : 0;
}

static int send_key_exchange(struct engine *engine)
{
	struct writer params = { 0 }, content = { 0 };
	struct writer *w;
	int ret;

	ret = make_params(engine, &params);
	if (ret)
		goto out;
	tls12_signed_params(engine, &content, writer_view(&params));
	w = message_begin(engine, SERVER_KEY_EXCHANGE);
	writer_bytes(w, writer_view(&params));
	if (content.bad)
		ret = engine_fail_memory(engine);
	else
		ret = auth_sign(engine, engine->server.scheme,
				writer_view(&content), w);
	if (!ret)
		ret = message_end(engine);
out:
	writer_free(&params);
	writer_free(&content);
	return ret;
}

static int send_done(struct engine *engine)
{
	message_begin(engine, SERVER_HELLO_DONE);
	return message_end(engine);
}

static int send_flight(struct engine *engine, bool renegotiation)
{
	int ret;

	ret = send_hello(engine, renegotiation);
	if (!ret)
		ret = limits_apply_now(engine);
	if (!ret)
		ret = auth_send_certificate(engine, engine->identity,
					    bytes_of(NULL, 0));
	if (!ret && engine->staple.len)
		ret = auth_send_status(engine);
	if (!ret && engine->suite->exchange != EXCHANGE_RSA)
		ret = send_key_exchange(engine);
	if (!ret && engine->set.peer_auth != SOCKTLS_PEER_AUTH_NONE)
		ret = auth_send_request12(engine);
	if (!ret)
		ret = send_done(engine);
	engine->state = engine->server.asked ? SERVER12_WAIT_CERT :
					       SERVER12_WAIT_CKE;
	return ret;
}

/* ------------------------------------------------------------ resumption */

/*
 * RFC 5077 section 3.4: with a ticket there, the ID is no key to a session.
 * Both ways an unknown one leads to a full handshake.
 */
static bool find_bytes(struct engine *engine, const struct offer *offer)
{
	struct engine_bytes ticket = extensions_get(&offer->hello.extensions,
						    EXT_SESSION_TICKET);
	struct engine_bytes id = engine->server.session_id;

	if (engine->set.tickets && ticket.len)
		return session_open(engine, ticket, &engine->session_raw);
	engine->server.by_id = engine->set.session_ids && id.len &&
			       session_find(engine, ENGINE_SESSION_ID, id,
					    &engine->session_raw);
	return engine->server.by_id;
}

static bool suite_in_common(const struct engine *engine,
			    const struct offer *offer, uint16_t code)
{
	return settings_offer_suite(&engine->set, code) &&
	       bytes_have_u16(offer->hello.suites, code);
}

/* Sets engine->resumed when there is a session to resume. */
static int find_session(struct engine *engine, const struct offer *offer)
{
	if (!session_enabled(engine) || !find_bytes(engine, offer) ||
	    !session_take(engine, writer_view(&engine->session_raw))) {
		engine->server.by_id = false;
		return 0;
	}
	if (engine->session.version != TLS12 ||
	    !suite_in_common(engine, offer, engine->session.suite->code)) {
		engine->server.by_id = false;
		session_reset(engine);
		return 0;
	}
	/* RFC 7627 section 5.3; we keep no session without it. */
	if (!engine->ems)
		return engine_fail(engine, HANDSHAKE_FAILURE, EPROTO,
				   "the client resumes a session without its extended master secret");
	engine->suite = engine->session.suite;
	engine->resumed = true;
	return 0;
}

static int resume(struct engine *engine, bool renegotiation)
{
	int ret;

	ret = engine_check(engine,
			   transcript_set_hash(&engine->transcript,
					       engine->suite->md()),
			   "hash a message");
	if (!ret)
		ret = send_hello(engine, renegotiation);
	if (!ret)
		ret = limits_apply_now(engine);
	transcript_drop_raw(&engine->transcript);
	if (!ret)
		ret = tls12_resume(engine);
	if (!ret)
		ret = tls12_send_finished(engine);
	engine->state = SERVER12_WAIT_CCS;
	return ret;
}

/* How the session that begins now will be resumed: by ticket, else by ID. */
static int prepare_session(struct engine *engine, const struct offer *offer)
{
	struct server *server = &engine->server;

	if (!session_enabled(engine) || !engine->ems)
		return 0;
	server->ticket_due = engine->set.tickets &&
			     extensions_have(&offer->hello.extensions,
					     EXT_SESSION_TICKET);
	if (server->ticket_due || !engine->set.session_ids)
		return 0;
	if (!entropy_bytes(&engine->set.entropy, server->new_id_buf,
			   SESSION_ID_MAX))
		return engine_fail_crypto(engine, "make random bytes");
	server->new_id = bytes_of(server->new_id_buf, SESSION_ID_MAX);
	return 0;
}

int server12_client_hello(struct engine *engine, const struct offer *said)
{
	struct offer offer = *said;
	bool renegotiation;
	int ret;

	fill_unsaid(&offer);
	ret = check_renegotiation(engine, &offer, &renegotiation);
	if (!ret)
		ret = check_points(engine, &offer);
	if (!ret)
		ret = check_master_secret(engine, &offer);
	if (!ret)
		ret = find_session(engine, &offer);
	if (!ret && !engine->resumed)
		ret = choose_suite(engine, &offer);
	if (!ret)
		ret = check_encrypt_then_mac(engine, &offer);
	if (!ret)
		ret = limits_take_offer(engine, &offer.hello.extensions);
	if (!ret && engine->resumed)
		return resume(engine, renegotiation);
	if (!ret)
		ret = prepare_session(engine, &offer);
	if (ret)
		return ret;
	ret = engine_check(engine,
			   transcript_set_hash(&engine->transcript,
					       engine->suite->md()),
			   "hash a message");
	if (!ret)
		ret = send_flight(engine, renegotiation);
	return ret;
}

/* --------------------------------------------------- the client's flight */

int server12_certificate(struct engine *engine, const struct message *message)
{
	engine->state = SERVER12_WAIT_CKE;
	return auth_certificate(engine, message);
}

static int exchange_rsa(struct engine *engine, struct engine_bytes encrypted)
{
	const struct engine_identity *own = engine->identity;
	uint8_t premaster[PREMASTER_LEN];
	int ret;

	ret = own->ops->decrypt(own->key, engine->server.legacy_version,
				encrypted, premaster);
	if (ret)
		ret = engine_fail(engine, INTERNAL_ERROR, ENOKEY,
				  "the private key did not decrypt (%s): see the helper's log",
				  strerror(-ret));
	else
		ret = tls12_derive(engine, bytes_of(premaster, PREMASTER_LEN));
	OPENSSL_cleanse(premaster, sizeof(premaster));
	return ret;
}

static int exchange_ephemeral(struct engine *engine, struct engine_bytes share)
{
	struct group_secret secret;
	int ret;

	ret = group_finish12(engine->group, engine->server.exchange_key, share,
			     &secret);
	if (ret == -EPROTO)
		ret = engine_fail(engine, ILLEGAL_PARAMETER, EPROTO,
				  "the client's key share is not valid for %s",
				  engine->group->name);
	else
		ret = engine_check(engine, ret, "agree on a key");
	if (!ret)
		ret = tls12_derive(engine,
				   tls12_premaster(engine->group, &secret));
	group_secret_wipe(&secret);
	EVP_PKEY_free(engine->server.exchange_key);
	engine->server.exchange_key = NULL;
	return ret;
}

int server12_key_exchange(struct engine *engine, const struct message *message)
{
	bool ecdhe = engine->suite->exchange == EXCHANGE_ECDHE;
	struct engine_bytes value;
	int alert, ret;

	alert = client_key_exchange_parse(&value, ecdhe ? 1 : 2, message->body);
	if (alert)
		return engine_fail_message(engine, alert, "ClientKeyExchange");
	if (engine->suite->exchange == EXCHANGE_RSA)
		ret = exchange_rsa(engine, value);
	else
		ret = exchange_ephemeral(engine, value);
	if (engine->peer.chain) {
		engine->state = SERVER12_WAIT_CV;
	} else {
		transcript_drop_raw(&engine->transcript);
		engine->state = SERVER12_WAIT_CCS;
	}
	return ret;
}

int server12_certificate_verify(struct engine *engine,
				const struct message *message)
{
	(void)message;	/* the check said it all */
	transcript_drop_raw(&engine->transcript);
	engine->state = SERVER12_WAIT_CCS;
	return 0;
}

int server12_ccs(struct engine *engine, const struct message *message)
{
	(void)message;
	engine->state = SERVER12_WAIT_FINISHED;
	return tls12_take_ccs(engine);
}

int server12_finished(struct engine *engine, const struct message *message)
{
	int ret = 0;

	(void)message;
	if (engine->server.ticket_due)
		ret = tickets_send12(engine);
	if (!ret && !engine->resumed)
		ret = tls12_send_finished(engine);
	if (!ret)
		ret = tickets_save_id(engine);
	if (!ret)
		ret = engine_finish(engine);
	return ret;
}
