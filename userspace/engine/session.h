/* SPDX-License-Identifier: MIT */
/*
 * A session: what a handshake leaves behind so that a later one may be short,
 * as the server's tickets and both sides' stores hold it.
 */
#ifndef SOCKTLS_ENGINE_SESSION_H
#define SOCKTLS_ENGINE_SESSION_H

#include "engine/protocol.h"
#include "engine/suites.h"
#include "engine/transcript.h"

struct engine;
struct settings;

#define SESSION_KEY_LEN		32
/* RFC 8446 section 4.6.1: seven days, in seconds. */
#define SESSION_LIFETIME_MAX	604800

/**
 * struct session - one session
 * @version: TLS12 or TLS13
 * @suite: cipher suite; in TLS 1.3 only its hash counts
 * @authenticated: when certificates were last exchanged
 * @issued: when the ticket or the ID was made (server) or received (client)
 * @lifetime: in seconds from then
 * @age_add: ticket_age_add
 * @key: digest of whom and how, see session_key()
 * @identity: SHA-256 of the own leaf certificate, zeros: none was sent
 * @secret_len: bytes in @secret
 * @secret: TLS 1.2: master secret; TLS 1.3: the PSK
 * @handle: client: ticket, empty: none
 * @id: client, TLS 1.2: session ID, empty: none
 * @chain: body of a TLS 1.2 Certificate message with the peer's chain, empty:
 *	none
 *
 * The last three point into what was parsed.
 */
struct session {
	uint16_t		version;
	const struct suite	*suite;
	uint64_t		authenticated;
	uint64_t		issued;
	uint32_t		lifetime;
	uint32_t		age_add;
	uint8_t			key[SESSION_KEY_LEN];
	uint8_t			identity[SESSION_KEY_LEN];
	size_t			secret_len;
	uint8_t			secret[HASH_MAX];
	struct engine_bytes	handle;
	struct engine_bytes	id;
	struct engine_bytes	chain;
};

/* False when @bytes is not a session of this format. */
bool session_parse(struct session *session, struct engine_bytes bytes);
void session_write(struct writer *w, const struct session *session);
/* The end of its life as far as this side has a say in it. */
uint64_t session_expires(const struct session *session);

/* True when sessions are kept at all. */
bool session_enabled(const struct engine *engine);
/*
 * What both connections must have in common: scope, name, policy, versions,
 * ALPN, peer authentication, and a client's identities. @name in any case.
 */
int session_key(struct engine *engine, struct engine_bytes name,
		uint8_t key[SESSION_KEY_LEN]);
/* What this handshake would leave behind, but for secret and handle. */
int session_describe(struct engine *engine, struct session *session);
/* The peer's chain in the form of struct session; appended to @w. */
int session_chain(struct engine *engine, struct writer *w);

/*
 * Take @bytes into engine->session if the session may be resumed by this
 * handshake as things are now: format, version, key, time, own identity, and
 * the peer's chain, which is verified anew and then is in engine->peer.
 */
bool session_take(struct engine *engine, struct engine_bytes bytes);
/* Undo that. */
void session_reset(struct engine *engine);
/* A fatal alert: the session that this handshake resumes is forgotten. */
void session_forget(struct engine *engine);

/* The store's calls, with lengths and time as the engine has them. */
bool session_find(struct engine *engine, enum engine_session_kind kind,
		  struct engine_bytes key, struct writer *value);
void session_add(struct engine *engine, enum engine_session_kind kind,
		 struct engine_bytes key, const struct session *session);
void session_drop(struct engine *engine, enum engine_session_kind kind,
		  struct engine_bytes key);
bool session_open(struct engine *engine, struct engine_bytes sealed,
		  struct writer *plain);
/* False when it cannot be sealed. */
bool session_seal(struct engine *engine, const struct session *session,
		  struct writer *sealed);

#endif /* SOCKTLS_ENGINE_SESSION_H */
