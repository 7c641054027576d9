// SPDX-License-Identifier: MIT
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>

#include "engine/psk.h"

#define IDENTITIES_MAX		32	/* looked at, and */
#define TICKETS_OPENED_MAX	4	/* each of which costs a decryption */
#define TICKETS_MAX		8	/* tried from the store */
#define EXTERNAL_MAX		4	/* offered */
#define CANDIDATES_MAX		(1 + EXTERNAL_MAX)

/**
 * struct candidate - a PSK as it is offered
 * @identity: ticket, or external identity
 * @age: obfuscated_ticket_age, 0 for an external one
 * @secret: the PSK
 * @md: the hash that it is bound to
 * @label: of the binder key
 * @external: the same, NULL: of engine->session
 */
struct candidate {
	struct engine_bytes		identity;
	uint32_t			age;
	struct engine_bytes		secret;
	const EVP_MD			*md;
	const char			*label;
	const struct external_psk	*external;
};

bool psk_in_use(const struct engine *engine)
{
	return engine->resumed || engine->external;
}

struct engine_bytes psk_secret(const struct engine *engine)
{
	if (engine->external)
		return engine->external->secret;
	if (!engine->resumed)
		return bytes_of(NULL, 0);
	return bytes_of(engine->session.secret, engine->session.secret_len);
}

const EVP_MD *psk_hash(const struct engine *engine)
{
	if (engine->external)
		return engine->external->md;
	return engine->resumed ? engine->session.suite->md() : NULL;
}

/* In milliseconds; by a clock of seconds. */
static uint32_t obfuscated_age(const struct engine *engine)
{
	const struct session *session = &engine->session;
	uint64_t age = (engine->set.now - session->issued) * 1000;

	return (uint32_t)age + session->age_add;
}

static struct candidate of_session(const struct engine *engine)
{
	const struct session *session = &engine->session;

	return (struct candidate){
		.identity = session->handle, .age = obfuscated_age(engine),
		.secret = bytes_of(session->secret, session->secret_len),
		.md = session->suite->md(), .label = "res binder",
	};
}

static struct candidate of_external(const struct external_psk *psk)
{
	return (struct candidate){
		.identity = psk->identity, .secret = psk->secret,
		.md = psk->md, .label = "ext binder", .external = psk,
	};
}

/* Now it is known who the peer is: whoever has the key. */
static int use_external(struct engine *engine, const struct external_psk *psk)
{
	session_reset(engine);
	engine->external = psk;
	engine->peer.identity = malloc(EXTERNAL_TEXT_MAX);
	if (!engine->peer.identity)
		return engine_fail_memory(engine);
	external_text(psk, engine->peer.identity);
	return 0;
}

/* ---------------------------------------------------------------- binder */

/*
 * Over the transcript before the ClientHello, @before, and the ClientHello up
 * to its binders, @hello.
 */
static int make_binder(struct engine *engine, const struct candidate *psk,
		       struct engine_bytes before, struct engine_bytes hello,
		       struct digest *binder)
{
	struct schedule early = { 0 };
	uint8_t key[HASH_MAX];
	struct digest hash;
	int ret;

	ret = transcript_hash_of(psk->md, before, hello, &hash);
	if (!ret)
		ret = schedule_early(&early, psk->md, psk->secret);
	if (!ret)
		ret = schedule_binder_key(&early, psk->label, key);
	if (!ret)
		ret = schedule_finished(psk->md, key, &hash, binder);
	schedule_wipe(&early);
	OPENSSL_cleanse(key, sizeof(key));
	return engine_check(engine, ret, "compute a binder");
}

/* ---------------------------------------------------------------- client */

/* Some suite that we offer has the hash. */
static bool offers_hash(const struct engine *engine, const EVP_MD *md)
{
	const struct settings *set = &engine->set;
	size_t i;

	for (i = 0; i < set->n_suites; i++) {
		const struct suite *suite = suite_find(set->suites[i]);

		if (suite->version >= TLS13 && suite->md() == md)
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
		    offers_hash(engine, engine->session.suite->md()))
			return;
		session_reset(engine);
	}
}

bool psk_fits(const struct engine *engine)
{
	return engine->session.suite && engine->session.version >= TLS13 &&
	       engine->suite->md() == engine->session.suite->md();
}

static bool hash_fits(const struct engine *engine, const EVP_MD *md)
{
	if (engine->client.retried)
		return engine->suite->md() == md;
	return offers_hash(engine, md);
}

/*
 * The external ones that are offered to this server, behind @n in @list: of
 * each identity the key that the server would take.
 */
static size_t add_external(const struct engine *engine,
			   struct candidate list[CANDIDATES_MAX], size_t n)
{
	const struct settings *set = &engine->set;
	const char *name = set->server_name;
	struct engine_bytes host = bytes_of(name, name ? strlen(name) : 0);
	size_t i;

	for (i = 0; set->psks && i < set->psks->n && n < CANDIDATES_MAX; i++) {
		const struct external_psk *psk = &set->psks->list[i];

		if (external_find(set->psks, psk->identity, host) == psk &&
		    hash_fits(engine, psk->md))
			list[n++] = of_external(psk);
	}
	return n;
}

/*
 * What a ClientHello offers: the ticket, then external PSKs. The same for the
 * hello and for its answer.
 */
static size_t candidates(const struct engine *engine,
			 struct candidate list[CANDIDATES_MAX])
{
	size_t n = 0;

	if (engine->session.version >= TLS13)
		list[n++] = of_session(engine);
	return add_external(engine, list, n);
}

bool psk_offers(const struct engine *engine)
{
	struct candidate list[CANDIDATES_MAX];

	return engine->set.max_version >= TLS13 && candidates(engine, list);
}

void psk_offer_write(struct engine *engine, struct writer *w)
{
	static const uint8_t zeros[HASH_MAX];
	struct candidate psks[CANDIDATES_MAX];
	size_t i, n = candidates(engine, psks);
	size_t mark = extension_open(w, EXT_PRE_SHARED_KEY);
	size_t list = writer_open(w, 2);

	for (i = 0; i < n; i++) {
		writer_vector(w, 2, psks[i].identity);
		writer_u32(w, psks[i].age);
	}
	writer_close(w, list, 2);
	list = writer_open(w, 2);
	for (i = 0; i < n; i++)
		writer_vector(w, 1, bytes_of(zeros,
					     EVP_MD_get_size(psks[i].md)));
	writer_close(w, list, 2);
	extension_close(w, mark);
}

int psk_bind(struct engine *engine)
{
	struct candidate psks[CANDIDATES_MAX];
	size_t i, n = candidates(engine, psks);
	struct writer *flight = &engine->flight;
	size_t start = engine->message_mark, at = flight->len;
	struct engine_bytes hello;
	struct digest binder;
	int ret = 0;

	for (i = 0; i < n; i++)
		at -= 1 + EVP_MD_get_size(psks[i].md);
	hello = bytes_of(flight->data + start, at - 2 - start);
	for (i = 0; i < n && !ret; i++) {
		ret = make_binder(engine, &psks[i],
				  writer_view(&engine->transcript.raw), hello,
				  &binder);
		if (!ret)
			memcpy(flight->data + at + 1, binder.data, binder.len);
		at += 1 + EVP_MD_get_size(psks[i].md);
	}
	return ret;
}

int psk_take(struct engine *engine, uint16_t index)
{
	struct candidate psks[CANDIDATES_MAX];
	size_t n = candidates(engine, psks);

	if (index >= n || psks[index].md != engine->suite->md())
		return engine_fail(engine, ILLEGAL_PARAMETER, EPROTO,
				   "%s chose a PSK that was not offered, or a suite that does not fit it",
				   engine_peer_name(engine));
	if (psks[index].external)
		return use_external(engine, psks[index].external);
	engine->resumed = true;
	return 0;
}

/* ---------------------------------------------------------------- server */

static bool common_hash(const struct engine *engine, const struct offer *offer,
			const EVP_MD *md)
{
	const struct settings *set = &engine->set;
	size_t i;

	if (engine->server.retried)
		return engine->suite->md() == md;
	for (i = 0; i < set->n_suites; i++) {
		const struct suite *suite = suite_find(set->suites[i]);

		if (suite->version >= TLS13 && suite->md() == md &&
		    bytes_have_u16(offer->hello.suites, suite->code))
			return true;
	}
	return false;
}

static bool opens_ticket(struct engine *engine, const struct offer *offer,
			 struct engine_bytes identity)
{
	struct writer *raw = &engine->session_raw;

	if (!session_open(engine, identity, raw) ||
	    !session_take(engine, writer_view(raw)))
		return false;
	if (engine->session.version >= TLS13 &&
	    common_hash(engine, offer, engine->session.suite->md()))
		return true;
	session_reset(engine);
	return false;
}

/* Who must show a certificate cannot show a key instead. */
static const struct external_psk *find_external(const struct engine *engine,
						const struct offer *offer,
						struct engine_bytes identity)
{
	const struct settings *set = &engine->set;
	const struct external_psk *psk;

	if (set->peer_auth == SOCKTLS_PEER_AUTH_REQUIRE)
		return NULL;
	psk = external_find(set->psks, identity, offer->host);
	return psk && common_hash(engine, offer, psk->md) ? psk : NULL;
}

/* @tail: bytes of the binders and their length, the end of the ClientHello. */
static int check_binder(struct engine *engine, const struct candidate *psk,
			struct engine_bytes binder, size_t tail)
{
	struct engine_bytes raw = writer_view(&engine->transcript.raw);
	struct digest expected;
	int ret;

	raw.len -= tail;
	ret = make_binder(engine, psk, raw, bytes_of(NULL, 0), &expected);
	if (ret)
		return ret;
	if (binder.len != expected.len)
		return engine_fail_message(engine, ILLEGAL_PARAMETER,
					   "ClientHello");
	if (!CRYPTO_memcmp(binder.data, expected.data, expected.len))
		return 0;
	return engine_fail(engine, DECRYPT_ERROR, EPROTO,
			   "the client's PSK binder is wrong: it does not have the %s's key",
			   psk->external ? "identity" : "ticket");
}

static int parse(struct engine *engine, const struct offer *offer,
		 struct psk_offer *psk)
{
	int alert = extension_read_psk_offer(extensions_get(
				&offer->hello.extensions, EXT_PRE_SHARED_KEY),
				psk);

	return alert ? engine_fail_message(engine, alert, "ClientHello") : 0;
}

/* The first one that this server knows and can use, in @chosen. */
static bool pick(struct engine *engine, const struct offer *offer,
		 struct psk_offer walk, struct candidate *chosen,
		 struct engine_bytes *binder)
{
	unsigned int tickets = engine->set.tickets ? TICKETS_OPENED_MAX : 0;
	const struct external_psk *external;
	struct engine_bytes identity;
	unsigned int i;

	for (i = 0; i < IDENTITIES_MAX && walk.identities.len; i++) {
		if (!psk_next(&walk, &identity, binder))
			break;
		engine->server.psk_index = i;
		external = find_external(engine, offer, identity);
		if (external) {
			*chosen = of_external(external);
			return true;
		}
		if (tickets && tickets-- &&
		    opens_ticket(engine, offer, identity)) {
			*chosen = of_session(engine);
			return true;
		}
	}
	return false;
}

int psk_select(struct engine *engine, const struct offer *offer)
{
	const struct extensions *list = &offer->hello.extensions;
	struct engine_bytes binder;
	struct candidate chosen;
	struct psk_offer psk;
	int ret;

	session_reset(engine);
	engine->external = NULL;
	engine->server.psk_unknown = false;
	if (!extensions_have(list, EXT_PRE_SHARED_KEY))
		return 0;
	if (!extensions_have(list, EXT_PSK_KEY_EXCHANGE_MODES))
		return engine_fail(engine, MISSING_EXTENSION, EPROTO,
				   "the client offers a PSK without psk_key_exchange_modes");
	ret = parse(engine, offer, &psk);
	if (ret || !engine->server.psk_dhe_ke)
		return ret;
	engine->server.psk_unknown = !pick(engine, offer, psk, &chosen,
					   &binder);
	if (engine->server.psk_unknown)
		return 0;
	ret = check_binder(engine, &chosen, binder, psk.binders.len + 2);
	if (!ret && chosen.external)
		return use_external(engine, chosen.external);
	engine->resumed = !ret;
	return ret;
}
