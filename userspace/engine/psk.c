// SPDX-License-Identifier: MIT
#include <errno.h>
#include <string.h>

#include <openssl/crypto.h>

#include "engine/psk.h"

#define IDENTITIES_MAX		4	/* looked at; each costs a decryption */
#define TICKETS_MAX		8	/* tried from the store */

struct engine_bytes psk_secret(const struct engine *engine)
{
	if (!engine->resumed)
		return bytes_of(NULL, 0);
	return bytes_of(engine->session.secret, engine->session.secret_len);
}

/* ---------------------------------------------------------------- binder */

/*
 * Over the transcript before the ClientHello and the ClientHello up to its
 * binders, the last @cut bytes of @hello.
 */
static int make_binder(struct engine *engine, struct engine_bytes before,
		       struct engine_bytes hello, struct digest *binder)
{
	const EVP_MD *md = engine->session.suite->md();
	struct schedule early = { 0 };
	uint8_t key[HASH_MAX];
	struct digest hash;
	int ret;

	ret = transcript_hash_of(md, before, hello, &hash);
	if (!ret)
		ret = schedule_early(&early, md,
				     bytes_of(engine->session.secret,
					      engine->session.secret_len));
	if (!ret)
		ret = schedule_binder_key(&early, "res binder", key);
	if (!ret)
		ret = schedule_finished(md, key, &hash, binder);
	schedule_wipe(&early);
	OPENSSL_cleanse(key, sizeof(key));
	return engine_check(engine, ret, "compute a binder");
}

/* ---------------------------------------------------------------- client */

/* Some suite that we offer has the session's hash. */
static bool offers_hash(const struct engine *engine,
			const struct session *session)
{
	const struct settings *set = &engine->set;
	size_t i;

	for (i = 0; i < set->n_suites; i++) {
		const struct suite *suite = suite_find(set->suites[i]);

		if (suite->version >= TLS13 &&
		    suite->md() == session->suite->md())
			return true;
	}
	return false;
}

void psk_find(struct engine *engine)
{
	struct engine_bytes key = bytes_of(engine->session_key,
					   SESSION_KEY_LEN);
	struct writer *raw = &engine->session_raw;
	unsigned int tries = TICKETS_MAX;

	while (tries-- && session_find(engine, ENGINE_SESSION_TICKET, key,
				       raw)) {
		if (!session_take(engine, writer_view(raw)))
			continue;
		if (engine->session.version >= TLS13 &&
		    engine->session.handle.len &&
		    offers_hash(engine, &engine->session))
			return;
		session_reset(engine);
	}
}

bool psk_fits(const struct engine *engine)
{
	return engine->session.suite && engine->session.version >= TLS13 &&
	       engine->suite->md() == engine->session.suite->md();
}

/* In milliseconds; by a clock of seconds. */
static uint32_t obfuscated_age(const struct engine *engine)
{
	const struct session *session = &engine->session;
	uint64_t age = (engine->set.now - session->issued) * 1000;

	return (uint32_t)age + session->age_add;
}

static size_t binder_len(const struct session *session)
{
	return EVP_MD_get_size(session->suite->md());
}

void psk_offer_write(struct engine *engine, struct writer *w)
{
	static const uint8_t zeros[HASH_MAX];
	const struct session *session = &engine->session;
	size_t mark = extension_open(w, EXT_PRE_SHARED_KEY);
	size_t list = writer_open(w, 2);

	writer_vector(w, 2, session->handle);
	writer_u32(w, obfuscated_age(engine));
	writer_close(w, list, 2);
	list = writer_open(w, 2);
	writer_vector(w, 1, bytes_of(zeros, binder_len(session)));
	writer_close(w, list, 2);
	extension_close(w, mark);
}

int psk_bind(struct engine *engine)
{
	struct writer *flight = &engine->flight;
	size_t len = binder_len(&engine->session);
	size_t start = engine->message_mark;
	struct digest binder;
	int ret;

	ret = make_binder(engine, writer_view(&engine->transcript.raw),
			  bytes_of(flight->data + start,
				   flight->len - start - len - 3), &binder);
	if (!ret)
		memcpy(flight->data + flight->len - len, binder.data, len);
	return ret;
}

/* ---------------------------------------------------------------- server */

static bool common_hash(const struct engine *engine, const struct offer *offer,
			const struct session *session)
{
	const struct settings *set = &engine->set;
	size_t i;

	if (engine->server.retried)
		return engine->suite->md() == session->suite->md();
	for (i = 0; i < set->n_suites; i++) {
		const struct suite *suite = suite_find(set->suites[i]);

		if (suite->version >= TLS13 &&
		    suite->md() == session->suite->md() &&
		    bytes_have_u16(offer->hello.suites, suite->code))
			return true;
	}
	return false;
}

static bool usable(struct engine *engine, const struct offer *offer,
		   struct engine_bytes identity)
{
	struct writer *raw = &engine->session_raw;

	if (!session_open(engine, identity, raw) ||
	    !session_take(engine, writer_view(raw)))
		return false;
	if (engine->session.version >= TLS13 &&
	    common_hash(engine, offer, &engine->session))
		return true;
	session_reset(engine);
	return false;
}

/* @tail: bytes of the binders and their length, the end of the ClientHello. */
static int check_binder(struct engine *engine, struct engine_bytes binder,
			size_t tail)
{
	struct engine_bytes raw = writer_view(&engine->transcript.raw);
	struct digest expected;
	int ret;

	raw.len -= tail;
	ret = make_binder(engine, raw, bytes_of(NULL, 0), &expected);
	if (ret)
		return ret;
	if (binder.len != expected.len)
		return engine_fail_message(engine, ILLEGAL_PARAMETER,
					   "ClientHello");
	if (!CRYPTO_memcmp(binder.data, expected.data, expected.len))
		return 0;
	return engine_fail(engine, DECRYPT_ERROR, EPROTO,
			   "the client's PSK binder is wrong: it does not have the ticket's key");
}

static int parse(struct engine *engine, const struct offer *offer,
		 struct psk_offer *psk)
{
	int alert = extension_read_psk_offer(extensions_get(
				&offer->hello.extensions, EXT_PRE_SHARED_KEY),
				psk);

	return alert ? engine_fail_message(engine, alert, "ClientHello") : 0;
}

int psk_select(struct engine *engine, const struct offer *offer)
{
	const struct extensions *list = &offer->hello.extensions;
	struct engine_bytes identity, binder;
	struct psk_offer psk, walk;
	unsigned int i;
	int ret;

	session_reset(engine);
	if (!extensions_have(list, EXT_PRE_SHARED_KEY))
		return 0;
	if (!extensions_have(list, EXT_PSK_KEY_EXCHANGE_MODES))
		return engine_fail(engine, MISSING_EXTENSION, EPROTO,
				   "the client offers a PSK without psk_key_exchange_modes");
	ret = parse(engine, offer, &psk);
	if (ret || !engine->set.tickets || !engine->server.psk_dhe_ke)
		return ret;
	walk = psk;
	for (i = 0; i < IDENTITIES_MAX && walk.identities.len; i++) {
		if (!psk_next(&walk, &identity, &binder))
			break;
		if (!usable(engine, offer, identity))
			continue;
		engine->resumed = true;
		engine->server.psk_index = i;
		return check_binder(engine, binder, psk.binders.len + 2);
	}
	return 0;
}
