// SPDX-License-Identifier: MIT
#include <ctype.h>
#include <errno.h>
#include <string.h>

#include <openssl/crypto.h>

#include "engine/core.h"
#include "engine/session.h"
#include "engine/x509.h"

#define FORMAT	1

/* --------------------------------------------------------------- codec */

static void write_u64(struct writer *w, uint64_t value)
{
	writer_u32(w, value >> 32);
	writer_u32(w, value);
}

static uint64_t read_u64(struct reader *r)
{
	uint64_t high = reader_u32(r);

	return high << 32 | reader_u32(r);
}

void session_write(struct writer *w, const struct session *session)
{
	writer_u8(w, FORMAT);
	writer_u16(w, session->version);
	writer_u16(w, session->suite->code);
	write_u64(w, session->authenticated);
	write_u64(w, session->issued);
	writer_u32(w, session->lifetime);
	writer_u32(w, session->age_add);
	writer_bytes(w, bytes_of(session->key, SESSION_KEY_LEN));
	writer_bytes(w, bytes_of(session->identity, SESSION_KEY_LEN));
	writer_vector(w, 1, bytes_of(session->secret, session->secret_len));
	writer_vector(w, 2, session->handle);
	writer_vector(w, 1, session->id);
	writer_vector(w, 2, session->chain);
}

static void read_key(struct reader *r, uint8_t key[SESSION_KEY_LEN])
{
	struct engine_bytes bytes = reader_bytes(r, SESSION_KEY_LEN);

	if (bytes.len)
		memcpy(key, bytes.data, bytes.len);
}

/* As long as the version and the suite's hash say. */
static bool read_secret(struct reader *r, struct session *session)
{
	struct engine_bytes secret = reader_vector(r, 1, 1);
	size_t len;

	if (!session->suite || session->suite->version != session->version)
		return false;
	len = session->version >= TLS13 ?
	      (size_t)EVP_MD_get_size(session->suite->md()) : MASTER_LEN;
	if (secret.len != len)
		return false;
	memcpy(session->secret, secret.data, len);
	session->secret_len = len;
	return true;
}

bool session_parse(struct session *session, struct engine_bytes bytes)
{
	struct reader r = reader_of(bytes);

	*session = (struct session){ 0 };
	if (reader_u8(&r) != FORMAT)
		return false;
	session->version = reader_u16(&r);
	session->suite = suite_find(reader_u16(&r));
	session->authenticated = read_u64(&r);
	session->issued = read_u64(&r);
	session->lifetime = reader_u32(&r);
	session->age_add = reader_u32(&r);
	read_key(&r, session->key);
	read_key(&r, session->identity);
	if (!read_secret(&r, session))
		return false;
	session->handle = reader_vector(&r, 2, 0);
	session->id = reader_vector(&r, 1, 0);
	session->chain = reader_vector(&r, 2, 0);
	return reader_done(&r) && session->id.len <= SESSION_ID_MAX;
}

/* Tickets of tickets do not prolong what certificates once said. */
uint64_t session_expires(const struct session *session)
{
	uint64_t own = session->issued + session->lifetime;
	uint64_t last = session->authenticated + SESSION_LIFETIME_MAX;

	return own < last ? own : last;
}

static bool in_time(const struct session *session, time_t now)
{
	return now >= 0 && session->authenticated <= session->issued &&
	       session->issued <= (uint64_t)now &&
	       (uint64_t)now < session_expires(session);
}

/* ------------------------------------------------------------ what counts */

/*
 * RFC 8446 appendix C.4: a ticket goes to the server that it is of. A client
 * that knows no name, as with pins, cannot tell one server from another.
 */
bool session_enabled(const struct engine *engine)
{
	return engine->set.sessions &&
	       (!is_client(engine) || engine->set.server_name);
}

static bool add_part(EVP_MD_CTX *ctx, struct engine_bytes part)
{
	uint32_t len = part.len;

	return EVP_DigestUpdate(ctx, &len, sizeof(len)) == 1 &&
	       EVP_DigestUpdate(ctx, part.data, part.len) == 1;
}

/* Names of hosts know no case. */
static bool add_name(EVP_MD_CTX *ctx, struct engine_bytes name)
{
	uint32_t len = name.len;
	bool good = EVP_DigestUpdate(ctx, &len, sizeof(len)) == 1;
	size_t i;

	for (i = 0; good && i < name.len; i++) {
		uint8_t c = tolower(name.data[i]);

		good = EVP_DigestUpdate(ctx, &c, 1) == 1;
	}
	return good;
}

static bool add_u16_list(EVP_MD_CTX *ctx, const uint16_t *list, size_t n)
{
	return add_part(ctx, bytes_of(list, n * sizeof(*list)));
}

static bool add_settings(EVP_MD_CTX *ctx, const struct settings *set)
{
	const uint16_t fixed[] = {
		set->role, set->peer_auth, set->min_version, set->max_version,
		set->policy->security_level, set->policy->client_ocsp,
	};
	size_t i;
	bool good;

	good = add_u16_list(ctx, fixed, sizeof(fixed) / sizeof(fixed[0])) &&
	       add_part(ctx, writer_view(&set->session_scope)) &&
	       add_u16_list(ctx, set->suites, set->n_suites) &&
	       add_u16_list(ctx, set->groups, set->n_groups) &&
	       add_u16_list(ctx, set->policy->sigalgs,
			    set->policy->n_sigalgs) &&
	       add_part(ctx, writer_view(&set->alpn));
	for (i = 0; good && set->role == SOCKTLS_CLIENT &&
	     i < set->n_identities; i++)
		good = add_part(ctx, set->identities[i]->der[0]);
	return good;
}

int session_key(struct engine *engine, struct engine_bytes name,
		uint8_t key[SESSION_KEY_LEN])
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool good = ctx && EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) == 1 &&
		    add_name(ctx, name) && add_settings(ctx, &engine->set) &&
		    EVP_DigestFinal_ex(ctx, key, NULL) == 1;

	EVP_MD_CTX_free(ctx);
	return good ? 0 : engine_fail_crypto(engine, "hash the settings");
}

static bool digest_identity(const struct engine_identity *identity,
			    uint8_t out[SESSION_KEY_LEN])
{
	return EVP_Digest(identity->der[0].data, identity->der[0].len, out,
			  NULL, EVP_sha256(), NULL) == 1;
}

/* The identity that the session was made with, which may be none. */
static bool find_identity(const struct engine *engine,
			  const struct session *session,
			  struct engine_identity **identity)
{
	static const uint8_t none[SESSION_KEY_LEN];
	uint8_t digest[SESSION_KEY_LEN];
	size_t i;

	*identity = NULL;
	if (!memcmp(session->identity, none, SESSION_KEY_LEN))
		return is_client(engine);
	for (i = 0; i < engine->set.n_identities; i++) {
		if (!digest_identity(engine->set.identities[i], digest) ||
		    memcmp(digest, session->identity, SESSION_KEY_LEN))
			continue;
		*identity = engine->set.identities[i];
		return true;
	}
	return false;
}

/* ------------------------------------------------------------- the chain */

int session_chain(struct engine *engine, struct writer *w)
{
	int n = engine->peer.chain ? sk_X509_num(engine->peer.chain) : 0;
	size_t mark;
	int i;

	if (!n)
		return 0;
	mark = writer_open(w, 3);
	for (i = 0; i < n; i++) {
		unsigned char *der = NULL;
		int len = i2d_X509(sk_X509_value(engine->peer.chain, i), &der);

		if (len <= 0)
			return engine_fail_memory(engine);
		writer_vector(w, 3, bytes_of(der, len));
		OPENSSL_free(der);
	}
	writer_close(w, mark, 3);
	return w->bad ? engine_fail_memory(engine) : 0;
}

/* Failures here are no failures of the handshake. */
static bool take_chain(struct engine *engine, struct engine_bytes chain)
{
	struct certificate_list list;
	struct engine_bytes context;
	int ret;

	if (!chain.len)
		return engine->set.peer_auth == SOCKTLS_PEER_AUTH_NONE ||
		       (!is_client(engine) && engine->set.peer_auth !=
			SOCKTLS_PEER_AUTH_REQUIRE);
	if (certificate_parse(&list, false, chain, &context))
		return false;
	engine->trial = true;
	ret = peer_take(engine, &list);
	if (!ret && engine->peer.chain)
		ret = peer_verify(engine);
	engine->trial = false;
	return !ret && engine->peer.chain;
}

/* ---------------------------------------------------------------- taking */

void session_reset(struct engine *engine)
{
	peer_reset(&engine->peer);
	OPENSSL_cleanse(&engine->session, sizeof(engine->session));
	engine->identity = NULL;
	engine->resumed = false;
}

bool session_take(struct engine *engine, struct engine_bytes bytes)
{
	struct session *session = &engine->session;

	if (session_parse(session, bytes) &&
	    session->version >= engine->set.min_version &&
	    session->version <= engine->set.max_version &&
	    !memcmp(session->key, engine->session_key, SESSION_KEY_LEN) &&
	    in_time(session, engine->set.now) &&
	    find_identity(engine, session, &engine->identity) &&
	    take_chain(engine, session->chain))
		return true;
	session_reset(engine);
	return false;
}

int session_describe(struct engine *engine, struct session *session)
{
	bool resumed = engine->resumed;

	*session = (struct session){
		.version = engine->version,
		.suite = engine->suite,
		.authenticated = resumed ? engine->session.authenticated :
					   (uint64_t)engine->set.now,
		.issued = engine->set.now,
		.lifetime = engine->set.session_lifetime,
	};
	memcpy(session->key, engine->session_key, SESSION_KEY_LEN);
	if (engine->identity &&
	    !digest_identity(engine->identity, session->identity))
		return engine_fail_crypto(engine, "hash a certificate");
	return 0;
}

void session_forget(struct engine *engine)
{
	struct engine_bytes key = bytes_of(engine->session_key,
					   SESSION_KEY_LEN);

	if (!session_enabled(engine) || !engine->session.suite)
		return;
	if (is_client(engine))
		session_drop(engine, ENGINE_SESSION_RESUMABLE, key);
	else if (engine->server.by_id)
		session_drop(engine, ENGINE_SESSION_ID,
			     engine->server.session_id);
}

/* ------------------------------------------------------------- the store */

bool session_find(struct engine *engine, enum engine_session_kind kind,
		  struct engine_bytes key, struct writer *value)
{
	const struct settings *set = &engine->set;
	size_t len = ENGINE_SESSION_MAX;
	uint8_t *room;

	writer_reset(value);
	room = writer_room(value, len);
	if (!room || set->sessions->find(set->sessions_arg, kind, key, set->now,
					 room, &len))
		return false;
	value->len = len;
	return true;
}

void session_add(struct engine *engine, enum engine_session_kind kind,
		 struct engine_bytes key, const struct session *session)
{
	const struct settings *set = &engine->set;
	struct writer value = { 0 };

	session_write(&value, session);
	if (!value.bad && value.len <= ENGINE_SESSION_MAX)
		set->sessions->add(set->sessions_arg, kind, key,
				   writer_view(&value),
				   session_expires(session));
	writer_free(&value);
}

void session_drop(struct engine *engine, enum engine_session_kind kind,
		  struct engine_bytes key)
{
	engine->set.sessions->drop(engine->set.sessions_arg, kind, key);
}

bool session_open(struct engine *engine, struct engine_bytes sealed,
		  struct writer *plain)
{
	const struct settings *set = &engine->set;
	size_t len = sealed.len;
	uint8_t *room;

	if (!set->sessions->open ||
	    len > ENGINE_SESSION_MAX + ENGINE_SEAL_OVERHEAD)
		return false;
	writer_reset(plain);
	room = writer_room(plain, len);
	if (!room || set->sessions->open(set->sessions_arg, set->now, sealed,
					 room, &len))
		return false;
	plain->len = len;
	return true;
}

bool session_seal(struct engine *engine, const struct session *session,
		  struct writer *sealed)
{
	const struct settings *set = &engine->set;
	struct writer plain = { 0 };
	size_t len = 0;
	uint8_t *room = NULL;
	int ret = -ENOMEM;

	session_write(&plain, session);
	if (!plain.bad && plain.len <= ENGINE_SESSION_MAX) {
		len = plain.len + ENGINE_SEAL_OVERHEAD;
		room = writer_room(sealed, len);
	}
	if (room)
		ret = set->sessions->seal(set->sessions_arg, set->now,
					  writer_view(&plain), room, &len);
	if (room)
		sealed->len -= plain.len + ENGINE_SEAL_OVERHEAD - (ret ? 0 : len);
	writer_free(&plain);
	return !ret;
}
