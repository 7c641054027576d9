// SPDX-License-Identifier: MIT
/* Server, TLS 1.3: from ClientHello to Finished. */
#include <errno.h>

#include "engine/auth.h"
#include "engine/limits.h"
#include "engine/psk.h"
#include "engine/tickets.h"
#include "engine/tls13.h"

/*
 * The most early data that is skipped, in bytes of ciphertext: no ticket of
 * ours allows any, so it is for a ticket of another server, or for an external
 * PSK that the client was set up so for. How much these allow is not known here;
 * one full record is skipped.
 */
#define EARLY_DATA_MAX	(16384 + 256)

/* --------------------------------------------------------- negotiation */

/* Of the PSK's hash, if there is one. */
static bool suite_fits(const struct engine *engine, const struct suite *suite)
{
	return suite->version >= TLS13 &&
	       (!psk_in_use(engine) || suite->md() == psk_hash(engine));
}

static const struct suite *choose_suite(const struct engine *engine,
					struct engine_bytes theirs)
{
	const struct suite *chacha = suite_find(0x1303);
	const struct settings *set = &engine->set;
	struct reader r = reader_of(theirs);
	size_t i;

	if (!set->policy->peer_order && chacha && suite_fits(engine, chacha) &&
	    settings_offer_suite(set, chacha->code) &&
	    server_prefers_chacha(theirs, TLS13))
		return chacha;
	for (i = 0; !set->policy->peer_order && i < set->n_suites; i++) {
		const struct suite *suite = suite_find(set->suites[i]);

		if (suite_fits(engine, suite) &&
		    bytes_have_u16(theirs, suite->code))
			return suite;
	}
	while (set->policy->peer_order && reader_more(&r)) {
		uint16_t code = reader_u16(&r);
		const struct suite *suite = suite_find(code);

		if (settings_offer_suite(set, code) &&
		    suite_fits(engine, suite))
			return suite;
	}
	return NULL;
}

static bool can_sign(struct engine *engine, const struct offer *offer,
		     const struct engine_identity *identity)
{
	const struct policy *policy = engine->set.policy;

	return server_chain_fits(engine, offer, identity) &&
	       identity_scheme(identity, policy->sigalgs, policy->n_sigalgs,
			       offer->sigalgs, TLS13);
}

static int choose_identity(struct engine *engine, const struct offer *offer)
{
	const struct policy *policy = engine->set.policy;

	engine->server.fitting = true;
	engine->identity = server_pick_identity(engine, offer, can_sign);
	engine->server.fitting = false;
	/* Section 4.4.2.2: the client may know what to do with another chain. */
	if (!engine->identity)
		engine->identity = server_pick_identity(engine, offer,
							can_sign);
	if (!engine->identity)
		return server_nothing_common(engine, "signature scheme");
	engine->server.scheme = identity_scheme(engine->identity,
						policy->sigalgs,
						policy->n_sigalgs,
						offer->sigalgs, TLS13);
	server_staple(engine, offer);
	return 0;
}

/* Section 9.2: mandatory, the first one without a PSK. */
static int check_mandatory(struct engine *engine, const struct offer *offer)
{
	const struct extensions *list = &offer->hello.extensions;

	if ((psk_in_use(engine) ||
	     extensions_have(list, EXT_SIGNATURE_ALGORITHMS)) &&
	    extensions_have(list, EXT_SUPPORTED_GROUPS) &&
	    extensions_have(list, EXT_KEY_SHARE))
		return 0;
	return engine_fail(engine, MISSING_EXTENSION, EPROTO,
			   "the TLS 1.3 ClientHello lacks signature_algorithms, supported_groups or key_share");
}

/*
 * The first of our groups for which the client sent a share, else the first
 * that both have, with an empty share: HelloRetryRequest.
 */
static int choose_group(struct engine *engine, const struct offer *offer,
			struct engine_bytes entries, struct engine_bytes *share)
{
	const struct settings *set = &engine->set;
	const struct group *both = NULL;
	size_t i;

	for (i = 0; i < set->n_groups; i++) {
		const struct group *group = group_find(set->groups[i]);

		if (!bytes_have_u16(offer->groups, group->code))
			continue;
		if (key_shares_find(entries, group->code, share)) {
			engine->group = group;
			return 0;
		}
		both = both ? both : group;
	}
	engine->group = both;
	*share = bytes_of(NULL, 0);
	return both ? 0 : server_nothing_common(engine, "group");
}

/* ---------------------------------------------------------- ServerHello */

static void write_selected_version(struct writer *w)
{
	size_t mark = extension_open(w, EXT_SUPPORTED_VERSIONS);

	writer_u16(w, TLS13);
	extension_close(w, mark);
}

/* RFC 8446 appendix D.4: once, behind the first handshake message. */
static int compatibility_ccs(struct engine *engine)
{
	if (engine->ccs_sent || !engine->server.session_id.len)
		return 0;
	return ccs_send(engine);
}

/* Section 4.2.10: refused by saying nothing about it. */
static int skip_early(struct engine *engine, enum socktls_skip_mode mode)
{
	if (!engine->server.early_data)
		return 0;
	return early_data_skip(engine, mode, EARLY_DATA_MAX);
}

static int send_retry(struct engine *engine)
{
	struct writer *w;
	size_t mark, inner;
	int ret;

	ret = engine_check(engine, transcript_restart(&engine->transcript),
			   "hash a message");
	if (ret)
		return ret;
	w = message_begin(engine, SERVER_HELLO);
	server_hello_write(w, hello_retry_random, engine->server.session_id,
			   engine->suite->code);
	mark = writer_open(w, 2);
	inner = extension_open(w, EXT_KEY_SHARE);
	writer_u16(w, engine->group->code);
	extension_close(w, inner);
	write_selected_version(w);
	writer_close(w, mark, 2);
	ret = message_end(engine);
	if (!ret)
		ret = compatibility_ccs(engine);
	if (!ret)
		ret = skip_early(engine, SOCKTLS_SKIP_OPAQUE);
	engine->server.retried = true;
	engine->state = SERVER_WAIT_SECOND_CH;
	return ret;
}

static int send_hello(struct engine *engine, const struct writer *share)
{
	struct writer *w = message_begin(engine, SERVER_HELLO);
	size_t mark, inner;
	int ret;

	server_hello_write(w, engine->schedule12.server_random,
			   engine->server.session_id, engine->suite->code);
	mark = writer_open(w, 2);
	if (psk_in_use(engine)) {
		inner = extension_open(w, EXT_PRE_SHARED_KEY);
		writer_u16(w, engine->server.psk_index);
		extension_close(w, inner);
	}
	inner = extension_open(w, EXT_KEY_SHARE);
	writer_u16(w, engine->group->code);
	writer_vector(w, 2, writer_view(share));
	extension_close(w, inner);
	write_selected_version(w);
	writer_close(w, mark, 2);
	ret = message_end(engine);
	if (!ret)
		ret = compatibility_ccs(engine);
	return ret;
}

static int handshake_secrets(struct engine *engine,
			     const struct group_secret *secret)
{
	int ret = tls13_handshake_secrets(engine, secret);

	if (!ret)
		ret = limits_apply(engine, SOCKTLS_DIRECTION_TX);
	if (ret)
		return ret;
	return traffic_key_install(engine, SOCKTLS_DIRECTION_TX,
				   SOCKTLS_LEVEL_HANDSHAKE,
				   engine->schedule.server_handshake);
}

/* Answer the share, say hello, switch to handshake keys. */
static int exchange(struct engine *engine, struct engine_bytes peer_share)
{
	struct group_secret secret;
	struct writer share = { 0 };
	int ret;

	ret = group_answer(engine->group, &engine->set.entropy, peer_share,
			   &share, &secret);
	if (ret == -EPROTO)
		ret = engine_fail(engine, ILLEGAL_PARAMETER, EPROTO,
				  "the client's key share is not valid for %s",
				  engine->group->name);
	else
		ret = engine_check(engine, ret, "agree on a key");
	if (!ret)
		ret = send_hello(engine, &share);
	if (!ret)
		ret = handshake_secrets(engine, &secret);
	group_secret_wipe(&secret);
	writer_free(&share);
	return ret;
}

/* ------------------------------------------------------------ our flight */

static int send_encrypted_extensions(struct engine *engine)
{
	struct writer *w = message_begin(engine, ENCRYPTED_EXTENSIONS);
	size_t mark = writer_open(w, 2);

	if (engine->server.named)
		extension_write(w, EXT_SERVER_NAME, bytes_of(NULL, 0));
	limits_write_answer(engine, w);
	server_alpn_write(engine, w);
	writer_close(w, mark, 2);
	return message_end(engine);
}

static int send_authentication(struct engine *engine)
{
	int ret = 0;

	if (engine->set.peer_auth != SOCKTLS_PEER_AUTH_NONE)
		ret = auth_send_request13(engine);
	if (!ret)
		ret = auth_send_certificate(engine, engine->identity,
					    bytes_of(NULL, 0));
	if (!ret)
		ret = auth_send_verify13(engine, engine->server.scheme);
	return ret;
}

static int send_flight(struct engine *engine)
{
	struct schedule *s = &engine->schedule;
	int ret;

	ret = send_encrypted_extensions(engine);
	if (!ret && !psk_in_use(engine))
		ret = send_authentication(engine);
	if (!ret)
		ret = tls13_send_finished(engine);
	if (!ret)
		ret = tls13_application_secrets(engine);
	if (!ret)
		ret = traffic_key_install(engine, SOCKTLS_DIRECTION_TX,
					  SOCKTLS_LEVEL_APPLICATION,
					  s->server_application);
	if (!ret)
		ret = skip_early(engine, SOCKTLS_SKIP_TRIAL);
	if (!ret)
		ret = limits_apply(engine, SOCKTLS_DIRECTION_RX);
	if (!ret)
		ret = traffic_key_install(engine, SOCKTLS_DIRECTION_RX,
					  SOCKTLS_LEVEL_HANDSHAKE,
					  s->client_handshake);
	engine->state = engine->server.asked ? SERVER_WAIT_CERT :
					       SERVER_WAIT_FINISHED;
	return ret;
}

/* --------------------------------------------------------- ClientHello */

static int read_shares(struct engine *engine, const struct offer *offer,
		       struct engine_bytes *entries)
{
	int alert = extension_read_key_shares(extensions_get(
				&offer->hello.extensions, EXT_KEY_SHARE),
				entries);

	if (alert)
		return engine_fail_message(engine, alert, "ClientHello");
	return 0;
}

/* Section 4.2.8: the one share that was asked for, and no other. */
static int check_retried(struct engine *engine, struct engine_bytes entries,
			 const struct group *asked)
{
	struct reader r = reader_of(entries);
	uint16_t code = reader_u16(&r);

	reader_vector(&r, 2, 1);
	if (reader_done(&r) && code == asked->code)
		return 0;
	return engine_fail(engine, ILLEGAL_PARAMETER, EPROTO,
			   "the client did not send the one key share that HelloRetryRequest asked for");
}

/* What the client says about resumption, which it may say anew. */
static int take_psk_modes(struct engine *engine, const struct offer *offer)
{
	const struct extensions *list = &offer->hello.extensions;
	struct engine_bytes modes;

	engine->server.psk_dhe_ke = false;
	if (!extensions_have(list, EXT_PSK_KEY_EXCHANGE_MODES))
		return 0;
	if (extension_read_u8_list(extensions_get(list,
						  EXT_PSK_KEY_EXCHANGE_MODES),
				   &modes))
		return engine_fail_message(engine, DECODE_ERROR, "ClientHello");
	engine->server.psk_dhe_ke = bytes_have_u8(modes, PSK_DHE_KE);
	return 0;
}

/* Section 4.2.10: empty, beside a PSK, and not once more after a retry. */
static int take_early_data(struct engine *engine, const struct offer *offer)
{
	const struct extensions *list = &offer->hello.extensions;

	engine->server.early_data = extensions_have(list, EXT_EARLY_DATA);
	if (!engine->server.early_data)
		return 0;
	if (extension_read_empty(extensions_get(list, EXT_EARLY_DATA)))
		return engine_fail_message(engine, DECODE_ERROR, "ClientHello");
	if (engine->server.retried ||
	    !extensions_have(list, EXT_PRE_SHARED_KEY))
		return engine_fail_message(engine, ILLEGAL_PARAMETER,
					   "ClientHello");
	return 0;
}

/* Section 4.2.11: without a PSK by certificate, if both sides can. */
static int check_psk(struct engine *engine, const struct offer *offer)
{
	bool certificates = engine->set.n_identities &&
			    extensions_have(&offer->hello.extensions,
					    EXT_SIGNATURE_ALGORITHMS);

	if (psk_in_use(engine) || !engine->set.psks || certificates)
		return 0;
	if (engine->server.psk_unknown)
		return engine_fail(engine, UNKNOWN_PSK_IDENTITY, EKEYREJECTED,
				   "this server knows none of the client's PSKs, or none of a hash that both have");
	if (engine->set.n_identities)
		return 0;
	return engine_fail(engine, HANDSHAKE_FAILURE, EKEYREJECTED,
			   "the client offers no PSK for psk_dhe_ke, and this server has no certificate");
}

static int choose_authentication(struct engine *engine,
				 const struct offer *offer)
{
	int ret;

	ret = take_psk_modes(engine, offer);
	if (!ret)
		ret = take_early_data(engine, offer);
	if (!ret)
		ret = psk_select(engine, offer);
	if (!ret)
		ret = check_psk(engine, offer);
	if (!ret)
		ret = check_mandatory(engine, offer);
	if (!ret && !psk_in_use(engine))
		ret = choose_identity(engine, offer);
	return ret;
}

static int negotiate(struct engine *engine, const struct offer *offer)
{
	int ret;

	ret = choose_authentication(engine, offer);
	if (ret || engine->server.retried)
		return ret;
	engine->suite = choose_suite(engine, offer->hello.suites);
	if (!engine->suite)
		return server_nothing_common(engine, "TLS 1.3 cipher suite");
	return engine_check(engine, transcript_set_hash(&engine->transcript,
							engine->suite->md()),
			    "hash a message");
}

int server13_client_hello(struct engine *engine, const struct offer *offer)
{
	const struct group *asked = engine->group;
	struct engine_bytes entries, share;
	int ret;

	ret = negotiate(engine, offer);
	if (!ret)
		ret = limits_take_offer(engine, &offer->hello.extensions);
	if (!ret)
		ret = read_shares(engine, offer, &entries);
	if (!ret && engine->server.retried)
		ret = check_retried(engine, entries, asked);
	if (!ret)
		ret = choose_group(engine, offer, entries, &share);
	if (ret)
		return ret;
	if (!share.len)
		return send_retry(engine);
	transcript_drop_raw(&engine->transcript);
	ret = server_random_make(engine);
	if (!ret)
		ret = exchange(engine, share);
	if (!ret)
		ret = send_flight(engine);
	return ret;
}

/* --------------------------------------------------- the client's flight */

int server13_certificate(struct engine *engine, const struct message *message)
{
	int ret = auth_certificate(engine, message);

	engine->state = engine->peer.chain ? SERVER_WAIT_CV :
					     SERVER_WAIT_FINISHED;
	return ret;
}

int server13_certificate_verify(struct engine *engine,
				const struct message *message)
{
	(void)message;	/* the check said it all */
	engine->state = SERVER_WAIT_FINISHED;
	return 0;
}

int server13_finished(struct engine *engine, const struct message *message)
{
	int ret;

	(void)message;
	ret = tls13_resumption_secret(engine);
	if (!ret)
		ret = traffic_key_install(engine, SOCKTLS_DIRECTION_RX,
					  SOCKTLS_LEVEL_APPLICATION,
					  engine->schedule.client_application);
	if (!ret)
		ret = tickets_send13(engine);
	if (!ret)
		ret = engine_finish(engine);
	return ret;
}
