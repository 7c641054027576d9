// SPDX-License-Identifier: MIT
#include <errno.h>
#include <string.h>

#include <openssl/crypto.h>

#include "engine/cookie.h"
#include "engine/kdf.h"
#include "engine/messages.h"
#include "engine/session.h"

#define FORMAT		1
#define LABEL_MAX	249	/* RFC 8446 section 7.1, less "tls13 " */

/**
 * struct cookie - a cookie, parsed
 * @role: enum socktls_role
 * @version: TLS12 or TLS13
 * @suite: cipher suite
 * @exporter: exporter_master_secret, in TLS 1.2 the master secret; empty:
 *	nothing can be exported
 * @randoms: TLS 1.2: of client and server
 * @resumption: client, TLS 1.3: resumption_master_secret
 * @authenticated: as in struct session
 * @key: client: as in struct session
 * @identity: as in struct session
 * @chain: client, TLS 1.3: digest under which the store has the chain
 * @id: server, TLS 1.2: session ID
 */
struct cookie {
	enum socktls_role	role;
	uint16_t		version;
	const struct suite	*suite;
	struct engine_bytes	exporter;
	struct engine_bytes	randoms;
	struct engine_bytes	resumption;
	uint64_t		authenticated;
	struct engine_bytes	key;
	struct engine_bytes	identity;
	struct engine_bytes	chain;
	struct engine_bytes	id;
};

/* --------------------------------------------------------------- codec */

static void encode(struct writer *w, const struct cookie *cookie)
{
	writer_u8(w, FORMAT);
	writer_u8(w, cookie->role);
	writer_u16(w, cookie->version);
	writer_u16(w, cookie->suite->code);
	writer_vector(w, 1, cookie->exporter);
	writer_vector(w, 1, cookie->randoms);
	writer_vector(w, 1, cookie->resumption);
	writer_u32(w, cookie->authenticated >> 32);
	writer_u32(w, cookie->authenticated);
	writer_vector(w, 1, cookie->key);
	writer_vector(w, 1, cookie->identity);
	writer_vector(w, 1, cookie->chain);
	writer_vector(w, 1, cookie->id);
}

static bool is_len(struct engine_bytes bytes, size_t len)
{
	return !bytes.len || bytes.len == len;
}

static bool lengths_fit(const struct cookie *cookie)
{
	size_t hash = EVP_MD_get_size(cookie->suite->md());
	bool tls13 = cookie->version >= TLS13;

	return is_len(cookie->exporter, tls13 ? hash : MASTER_LEN) &&
	       cookie->randoms.len == (tls13 ? 0 : 2 * RANDOM_LEN) &&
	       is_len(cookie->resumption, hash) &&
	       is_len(cookie->key, SESSION_KEY_LEN) &&
	       is_len(cookie->identity, SESSION_KEY_LEN) &&
	       is_len(cookie->chain, SESSION_KEY_LEN) &&
	       cookie->id.len <= SESSION_ID_MAX;
}

static bool decode(struct cookie *cookie, struct engine_bytes bytes)
{
	struct reader r = reader_of(bytes);

	if (reader_u8(&r) != FORMAT)
		return false;
	cookie->role = reader_u8(&r);
	cookie->version = reader_u16(&r);
	cookie->suite = suite_find(reader_u16(&r));
	cookie->exporter = reader_vector(&r, 1, 0);
	cookie->randoms = reader_vector(&r, 1, 0);
	cookie->resumption = reader_vector(&r, 1, 0);
	cookie->authenticated = (uint64_t)reader_u32(&r) << 32;
	cookie->authenticated |= reader_u32(&r);
	cookie->key = reader_vector(&r, 1, 0);
	cookie->identity = reader_vector(&r, 1, 0);
	cookie->chain = reader_vector(&r, 1, 0);
	cookie->id = reader_vector(&r, 1, 0);
	return reader_done(&r) && cookie->suite &&
	       cookie->suite->version == cookie->version &&
	       cookie->role <= SOCKTLS_SERVER && lengths_fit(cookie);
}

/* -------------------------------------------------------------- writing */

/* Many connections have the same chain; it is kept once, by its digest. */
static int store_chain(struct engine *engine, uint8_t digest[SESSION_KEY_LEN],
		       struct cookie *cookie)
{
	const struct settings *set = &engine->set;
	struct writer chain = { 0 };
	int ret = session_chain(engine, &chain);

	if (!ret && chain.len && chain.len <= ENGINE_SESSION_MAX / 2 &&
	    EVP_Digest(chain.data, chain.len, digest, NULL, EVP_sha256(),
		       NULL) == 1) {
		cookie->chain = bytes_of(digest, SESSION_KEY_LEN);
		set->sessions->add(set->sessions_arg, ENGINE_SESSION_CHAIN,
				   cookie->chain, writer_view(&chain),
				   set->now + SESSION_LIFETIME_MAX);
	}
	writer_free(&chain);
	return ret;
}

static int add_client13(struct engine *engine, struct session *session,
			uint8_t digest[SESSION_KEY_LEN], struct cookie *cookie)
{
	int ret = session_describe(engine, session);

	if (ret)
		return ret;
	cookie->resumption = bytes_of(engine->schedule.resumption_master,
				      engine->schedule.len);
	cookie->authenticated = session->authenticated;
	cookie->identity = bytes_of(session->identity, SESSION_KEY_LEN);
	ret = store_chain(engine, digest, cookie);
	/* What could not be verified again is not resumed. */
	if (engine->external || (engine->peer.chain && !cookie->chain.len))
		cookie->resumption = bytes_of(NULL, 0);
	return ret;
}

static void add_exporter(struct engine *engine, struct cookie *cookie,
			 uint8_t randoms[2 * RANDOM_LEN])
{
	const struct schedule12 *s = &engine->schedule12;

	if (engine->version >= TLS13) {
		cookie->exporter = bytes_of(engine->schedule.exporter_master,
					    engine->schedule.len);
		return;
	}
	if (engine->ems)
		cookie->exporter = bytes_of(s->master, MASTER_LEN);
	memcpy(randoms, s->client_random, RANDOM_LEN);
	memcpy(randoms + RANDOM_LEN, s->server_random, RANDOM_LEN);
	cookie->randoms = bytes_of(randoms, 2 * RANDOM_LEN);
}

/* The ID under which the server's store has this session. */
static struct engine_bytes server_id(const struct engine *engine)
{
	if (is_client(engine) || engine->version >= TLS13)
		return bytes_of(NULL, 0);
	return engine->server.by_id ? engine->server.session_id :
				      engine->server.new_id;
}

int cookie_write(struct engine *engine, struct writer *w)
{
	struct cookie cookie = {
		.role = engine->set.role,
		.version = engine->version,
		.suite = engine->suite,
		.id = server_id(engine),
	};
	bool keeps = session_enabled(engine) && is_client(engine);
	uint8_t randoms[2 * RANDOM_LEN], digest[SESSION_KEY_LEN];
	struct session session;
	int ret = 0;

	add_exporter(engine, &cookie, randoms);
	if (keeps)
		cookie.key = bytes_of(engine->session_key, SESSION_KEY_LEN);
	if (keeps && engine->version >= TLS13)
		ret = add_client13(engine, &session, digest, &cookie);
	if (!ret)
		encode(w, &cookie);
	return ret ? ret : w->bad ? engine_fail_memory(engine) : 0;
}

/* -------------------------------------------------------------- tickets */

static bool parse_ticket(struct engine_bytes message,
			 struct new_session_ticket *ticket)
{
	struct reader r = reader_of(message);
	struct engine_bytes body;

	if (reader_u8(&r) != NEW_SESSION_TICKET)
		return false;
	body = reader_vector(&r, 3, 0);
	return reader_done(&r) && !new_session_ticket13_parse(ticket, body);
}

/* Take the chain out of the store; it may have none, or may have lost it. */
static bool find_chain(const struct cookie *cookie, time_t now,
		       const struct engine_sessions *sessions, void *arg,
		       struct writer *chain)
{
	size_t len = ENGINE_SESSION_MAX;
	uint8_t *room;

	if (!cookie->chain.len)
		return true;
	room = writer_room(chain, len);
	if (!room || sessions->find(arg, ENGINE_SESSION_CHAIN, cookie->chain,
				    now, room, &len))
		return false;
	chain->len = len;
	return true;
}

static int add_ticket(const struct cookie *cookie,
		      const struct new_session_ticket *ticket, time_t now,
		      const struct engine_sessions *sessions, void *arg,
		      struct engine_bytes chain)
{
	const EVP_MD *md = cookie->suite->md();
	struct session session = {
		.version = cookie->version, .suite = cookie->suite,
		.authenticated = cookie->authenticated, .issued = now,
		.lifetime = ticket->lifetime, .age_add = ticket->age_add,
		.secret_len = EVP_MD_get_size(md),
		.handle = ticket->ticket, .chain = chain,
	};
	struct writer value = { 0 };
	int ret;

	if (session.lifetime > SESSION_LIFETIME_MAX)
		session.lifetime = SESSION_LIFETIME_MAX;
	memcpy(session.key, cookie->key.data, SESSION_KEY_LEN);
	memcpy(session.identity, cookie->identity.data, SESSION_KEY_LEN);
	ret = kdf_expand_label(md, cookie->resumption, "resumption",
			       ticket->nonce, session.secret,
			       session.secret_len);
	if (!ret)
		session_write(&value, &session);
	if (!ret && (value.bad || value.len > ENGINE_SESSION_MAX))
		ret = -ENOENT;
	if (!ret)
		ret = sessions->add(arg, ENGINE_SESSION_TICKET, cookie->key,
				    writer_view(&value),
				    session_expires(&session));
	OPENSSL_cleanse(&session, sizeof(session));
	writer_free(&value);
	return ret;
}

int engine_cookie_ticket(struct engine_bytes cookie,
			 struct engine_bytes message, time_t now,
			 const struct engine_sessions *sessions, void *arg)
{
	struct new_session_ticket ticket;
	struct writer chain = { 0 };
	struct cookie parsed;
	int ret = -ENOENT;

	if (!decode(&parsed, cookie))
		return -EBADMSG;
	if (!parsed.resumption.len || !parsed.key.len || !parsed.identity.len)
		return -ENOENT;
	if (!parse_ticket(message, &ticket))
		return -EPROTO;
	/* A lifetime of 0: to be discarded at once (section 4.6.1). */
	if (ticket.lifetime && find_chain(&parsed, now, sessions, arg, &chain))
		ret = add_ticket(&parsed, &ticket, now, sessions, arg,
				 writer_view(&chain));
	writer_free(&chain);
	return ret;
}

/* ------------------------------------------------------------- exporters */

/* RFC 5705 section 4: the labels that the protocol itself uses. */
static bool label_is_good(const char *label, uint16_t version)
{
	static const char *const reserved[] = {
		"client finished", "server finished", "master secret",
		"extended master secret", "key expansion",
	};
	size_t len = strlen(label);
	size_t i;

	if (!len || len > LABEL_MAX)
		return false;
	for (i = 0; version < TLS13 &&
	     i < sizeof(reserved) / sizeof(reserved[0]); i++)
		/* the PRF joins label and seed, so a prefix is as good */
		if (!strncmp(label, reserved[i], strlen(reserved[i])))
			return false;
	return true;
}

/* RFC 8446 section 7.5 */
static int export13(const struct cookie *cookie, const char *label,
		    struct engine_bytes context, uint8_t *out, size_t len)
{
	const EVP_MD *md = cookie->suite->md();
	struct digest empty = { 0 }, hash = { 0 };
	uint8_t secret[HASH_MAX];
	int ret = -EIO;

	if (EVP_Digest("", 0, empty.data, NULL, md, NULL) != 1 ||
	    EVP_Digest(context.len ? (const void *)context.data : "",
		       context.len, hash.data, NULL, md, NULL) != 1)
		return ret;
	empty.len = EVP_MD_get_size(md);
	hash.len = empty.len;
	ret = kdf_expand_label(md, cookie->exporter, label, digest_view(&empty),
			       secret, empty.len);
	if (!ret)
		ret = kdf_expand_label(md, bytes_of(secret, empty.len),
				       "exporter", digest_view(&hash), out,
				       len);
	OPENSSL_cleanse(secret, sizeof(secret));
	return ret;
}

static int export12(const struct cookie *cookie, const char *label,
		    struct engine_bytes context, bool has_context,
		    uint8_t *out, size_t len)
{
	struct writer tail = { 0 };
	int ret = -ENOMEM;

	if (has_context)
		writer_vector(&tail, 2, context);
	if (!tail.bad)
		ret = kdf_prf(cookie->suite->md(), cookie->exporter, label,
			      cookie->randoms, writer_view(&tail), out, len);
	writer_free(&tail);
	return ret;
}

int engine_cookie_export(struct engine_bytes cookie, const char *label,
			 struct engine_bytes context, bool has_context,
			 uint8_t *out, size_t len)
{
	struct cookie parsed;

	if (!decode(&parsed, cookie))
		return -EBADMSG;
	if (!len || len > ENGINE_EXPORT_MAX || context.len > UINT16_MAX ||
	    !label_is_good(label, parsed.version))
		return -EINVAL;
	if (!parsed.exporter.len)
		return -EOPNOTSUPP;
	if (parsed.version >= TLS13)
		return export13(&parsed, label, context, out, len);
	return export12(&parsed, label, context, has_context, out, len);
}

/* ----------------------------------------------------------------- ended */

void engine_cookie_ended(struct engine_bytes cookie,
			 const struct engine_sessions *sessions, void *arg)
{
	struct cookie parsed;

	if (!decode(&parsed, cookie))
		return;
	if (parsed.id.len)
		sessions->drop(arg, ENGINE_SESSION_ID, parsed.id);
	if (!parsed.key.len)
		return;
	/* RFC 8446 section 6.2: tickets should go too. */
	sessions->drop(arg, ENGINE_SESSION_RESUMABLE, parsed.key);
	sessions->drop(arg, ENGINE_SESSION_TICKET, parsed.key);
}
