/* SPDX-License-Identifier: MIT */
/*
 * The handshake engine: TLS 1.2 (RFC 5246) and TLS 1.3 (RFC 8446), client and
 * server, without I/O.
 *
 * The engine consumes handshake bytes at an encryption level and produces
 * handshake bytes, keys and a result, through struct engine_output. It never
 * sees a record, a socket, a file or a clock other than engine_config.now.
 * A worker of socktlsd turns the outputs into netlink actions; a test turns
 * them into memory buffers; both get the same sequence.
 *
 * One engine belongs to one thread at a time.
 */
#ifndef SOCKTLS_ENGINE_H
#define SOCKTLS_ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <linux/socktls.h>
#include <linux/socktls_netlink.h>

#define ENGINE_SECRET_MAX	64	/* hash output, or a MAC key */
#define ENGINE_KEY_MAX		32
#define ENGINE_IV_MAX		16

struct engine;
struct engine_identity;
struct engine_trust;
struct engine_policy;
struct engine_psks;

/**
 * struct engine_bytes - bytes that somebody else owns
 * @data: may be NULL when @len is 0
 * @len: in bytes
 */
struct engine_bytes {
	const uint8_t	*data;
	size_t		len;
};

/**
 * struct engine_key - the record protection of one direction at one level
 * @direction: what this side does with it: receive or send
 * @level: the level whose records it protects
 * @cipher: TLS_CIPHER_* of <linux/tls.h> or SOCKTLS_CIPHER_*
 * @flags: SOCKTLS_KEY_*
 * @key_len: write key, in bytes
 * @iv_len: write IV: TLS 1.3 and ChaCha20 12, TLS 1.2 GCM and CCM 4 (the
 *	implicit part), CBC 0
 * @mac_key_len: MAC key, 0 for an AEAD
 * @secret_len: application traffic secret (TLS 1.3, application level), else 0
 *
 * Valid during the callback only; the engine wipes it afterwards.
 */
struct engine_key {
	enum socktls_direction	direction;
	enum socktls_level	level;
	uint16_t		cipher;
	uint32_t		flags;
	size_t			key_len;
	size_t			iv_len;
	size_t			mac_key_len;
	size_t			secret_len;
	uint8_t			key[ENGINE_KEY_MAX];
	uint8_t			iv[ENGINE_IV_MAX];
	uint8_t			mac_key[ENGINE_SECRET_MAX];
	uint8_t			secret[ENGINE_SECRET_MAX];
};

/**
 * struct engine_result - what a finished handshake agreed on
 * @version: 0x0303 or 0x0304
 * @suite: cipher suite code point
 * @group: NamedGroup, 0 for RSA key exchange
 * @signature_scheme: the peer's, 0 when it did not sign
 * @flags: SOCKTLS_INFO_*
 * @alpn: protocol name, empty when none
 * @peer_identity: text, NULL when the peer sent no certificate or it was not
 *	verified: the SAN that matched the server name, else the subject. With
 *	an external PSK its identity behind "psk:"
 * @cookie: opaque to the kernel, given back with tickets and exporters
 *
 * Valid during the callback only.
 */
struct engine_result {
	uint16_t		version;
	uint16_t		suite;
	uint16_t		group;
	uint16_t		signature_scheme;
	uint32_t		flags;
	struct engine_bytes	alpn;
	const char		*peer_identity;
	struct engine_bytes	cookie;
};

/**
 * struct engine_failure - why a handshake ended without a result
 * @alert: AlertDescription to send, -1: none (alert received, or out of memory)
 * @error: positive errno for the application; one meaning each, see
 *	socktls(7): EKEYREJECTED, EPROTO, ...
 * @text: for people: what was wrong and what to do
 */
struct engine_failure {
	int		alert;
	int		error;
	const char	*text;
};

/**
 * struct engine_output - where an engine's output goes
 *
 * Called in the order in which a record layer must act. Each returns 0, or a
 * negative errno, which ends the engine (no further callbacks) and is returned
 * by the engine_*() call in progress. certificate() comes once per certificate,
 * leaf first, before done(). fail() comes at most once and is the last call.
 * keylog() may be NULL; it gets lines of the NSS key log format without the
 * newline, for tests only.
 *
 * What send() is told to send lazily, a server's tickets, goes out with the
 * first application record: a client that only writes and closes would
 * otherwise be reset. limit() bounds the plaintext of a record in one
 * direction, in bytes without the TLS 1.3 content type. skip_early() says how
 * to skip early data that was refused, at most @max_bytes of it.
 */
struct engine_output {
	int (*send)(void *arg, uint8_t content_type, struct engine_bytes bytes,
		    bool lazy);
	int (*version)(void *arg, uint16_t version);
	int (*key)(void *arg, const struct engine_key *key);
	int (*limit)(void *arg, enum socktls_direction direction,
		     uint32_t max_plaintext);
	int (*skip_early)(void *arg, enum socktls_skip_mode mode,
			  uint32_t max_bytes);
	int (*certificate)(void *arg, enum socktls_chain chain,
			   struct engine_bytes der);
	int (*done)(void *arg, const struct engine_result *result);
	int (*fail)(void *arg, const struct engine_failure *failure);
	void (*keylog)(void *arg, const char *line);
};

/**
 * struct engine_keyops - operations with a private key
 * @sign: sign @in as SignatureScheme @scheme demands (RFC 8446 section 4.2.3),
 *	write at most *@out_len bytes to @out and the length to *@out_len
 * @decrypt: RSA decryption of a TLS 1.2 EncryptedPreMasterSecret with
 *	@client_version checked inside it: always yields 48 bytes, random ones
 *	on any fault, in constant time (RFC 5246 section 7.4.7.1)
 *
 * Return 0 or a negative errno. The only way to a private key: the engine
 * never holds one, so that another process may.
 */
struct engine_keyops {
	int (*sign)(void *key, uint16_t scheme, struct engine_bytes in,
		    uint8_t *out, size_t *out_len);
	int (*decrypt)(void *key, uint16_t client_version,
		       struct engine_bytes in, uint8_t premaster[48]);
};

/*
 * Identities: a certificate chain and a private key behind engine_keyops.
 * Reference counted; an engine takes its own reference. Immutable.
 *
 * engine_identity_new(): @chain_pem holds the leaf first. @key is handed to
 * the @ops calls. Returns 0, -EINVAL with @error_text (of @error_len bytes)
 * filled when the chain does not parse, or -ENOMEM.
 */
int engine_identity_new(struct engine_identity **identity,
			struct engine_bytes chain_pem,
			const struct engine_keyops *ops, void *key,
			char *error_text, size_t error_len);
/*
 * engine_identity_staple(): give the identity an OCSP response (DER) for its
 * leaf, which it staples for peers that ask, as long as it is valid. Before the
 * identity is shared. Returns 0, -EINVAL with @error_text filled, -ENOMEM.
 */
int engine_identity_staple(struct engine_identity *identity,
			   struct engine_bytes response, char *error_text,
			   size_t error_len);
struct engine_identity *engine_identity_get(struct engine_identity *identity);
void engine_identity_put(struct engine_identity *identity);

/*
 * engine_local_key_new(): private key operations in this process, over
 * libcrypto, from PEM. engine_local_keyops are the operations for it.
 */
extern const struct engine_keyops engine_local_keyops;
int engine_local_key_new(void **key, struct engine_bytes key_pem,
			 char *error_text, size_t error_len);
void engine_local_key_free(void *key);
/* True when @key is the private key of @identity's leaf certificate. */
bool engine_local_key_matches(void *key, struct engine_identity *identity);

/*
 * Trust stores: CA certificates in PEM, or pins as SOCKTLS_TRUST takes them
 * (detected by their first bytes). Reference counted, immutable.
 */
int engine_trust_new(struct engine_trust **trust, struct engine_bytes value,
		     char *error_text, size_t error_len);
/* Are there CRLs in it? Then every leaf is looked up in one. */
bool engine_trust_has_crl(const struct engine_trust *trust);
struct engine_trust *engine_trust_get(struct engine_trust *trust);
void engine_trust_put(struct engine_trust *trust);

/*
 * Policies of an administrator. engine_policy_new() makes a copy of the default
 * one; engine_policy_set() changes it as a line KEY = VALUE of a file does,
 * with the keys of socktlsd.conf(5): base, min-version, max-version, order,
 * ciphers, groups, sigalgs, security-level, record-size-limit, client-ocsp; it
 * returns 0, -EINVAL with @error filled, or -ENOMEM. engine_policy_check() says
 * whether what came out can be used. Reference counted, then immutable.
 */
struct engine_policy *engine_policy_new(void);
int engine_policy_set(struct engine_policy *policy, const char *key,
		      const char *value, char *error, size_t error_len);
int engine_policy_check(const struct engine_policy *policy, char *error,
			size_t error_len);
struct engine_policy *engine_policy_get(struct engine_policy *policy);
void engine_policy_put(struct engine_policy *policy);
/* Is @name one of the built-in ones? */
bool engine_policy_is_known(const char *name);

/*
 * Is @name, which is not empty, one that a certificate can be for: an IP
 * literal, or labels of printable ASCII with no colon, no '%' and no leading
 * dot?
 */
bool engine_server_name_is_valid(const char *name);

/*
 * External PSKs (RFC 8446 section 2.2, TLS 1.3 only): keys that both sides have
 * from elsewhere. engine_psks_add() copies one: @hash is sha256 or sha384,
 * NULL: sha256; @server_name, if there is one, is the only server for which the key
 * counts, and there it is used in place of one of the same @identity without.
 * It returns 0, -EINVAL with @error filled, or -ENOMEM. Reference counted,
 * immutable once an engine has it; wiped with the last reference.
 */
#define ENGINE_PSK_IDENTITY_MAX	256
#define ENGINE_PSK_MIN		16	/* bytes: RFC 9257 section 6 */
#define ENGINE_PSK_MAX		256

struct engine_psks *engine_psks_new(void);
int engine_psks_add(struct engine_psks *psks, struct engine_bytes identity,
		    struct engine_bytes secret, const char *hash,
		    const char *server_name, char *error, size_t error_len);
size_t engine_psks_count(const struct engine_psks *psks);
struct engine_psks *engine_psks_get(struct engine_psks *psks);
void engine_psks_put(struct engine_psks *psks);

/* The longest session, serialized; what is longer is not resumed. */
#define ENGINE_SESSION_MAX	16384
/* Room that seal() may take beyond the plaintext. */
#define ENGINE_SEAL_OVERHEAD	64
/* The longest output of an exporter: what HKDF with SHA-256 yields. */
#define ENGINE_EXPORT_MAX	8160

/**
 * enum engine_session_kind - what a key of the session store is
 * @ENGINE_SESSION_ID: server: a TLS 1.2 session ID
 * @ENGINE_SESSION_RESUMABLE: client: digest of whom and how; one TLS 1.2
 *	session, usable again and again
 * @ENGINE_SESSION_TICKET: the same digest; several TLS 1.3 tickets, each of
 *	which is used once
 * @ENGINE_SESSION_CHAIN: client: digest of a chain of certificates
 */
enum engine_session_kind {
	ENGINE_SESSION_ID,
	ENGINE_SESSION_RESUMABLE,
	ENGINE_SESSION_TICKET,
	ENGINE_SESSION_CHAIN,
};

/**
 * struct engine_sessions - where sessions live, outside of the engine
 * @add: keep @value, secret and opaque, until @expires at most. Replaces what
 *	was there under @key, but tickets, which add up. Any value may be
 *	forgotten early
 * @find: copy the newest value under @key that has not expired to @value, of
 *	*@len bytes, and its length to *@len. A ticket is removed by that.
 *	Returns 0, or -ENOENT
 * @drop: forget all that is under @key
 * @seal: encrypt and authenticate a ticket's content; @sealed has room for
 *	ENGINE_SEAL_OVERHEAD more bytes than @plain, *@len says how much. NULL:
 *	this server sends no tickets
 * @open: the reverse; -EBADMSG: not sealed by a key still in use
 *
 * Return 0 or a negative errno. Another process may hold the ticket keys.
 */
struct engine_sessions {
	int (*add)(void *arg, enum engine_session_kind kind,
		   struct engine_bytes key, struct engine_bytes value,
		   time_t expires);
	int (*find)(void *arg, enum engine_session_kind kind,
		    struct engine_bytes key, time_t now, uint8_t *value,
		    size_t *len);
	void (*drop)(void *arg, enum engine_session_kind kind,
		     struct engine_bytes key);
	int (*seal)(void *arg, time_t now, struct engine_bytes plain,
		    uint8_t *sealed, size_t *len);
	int (*open)(void *arg, time_t now, struct engine_bytes sealed,
		    uint8_t *plain, size_t *len);
};

/**
 * struct engine_config - parameters of one handshake
 * @role: client or server
 * @server_name: client: name to send as SNI and to verify; an IP literal is
 *	matched against iPAddress SANs and not sent; NULL: none (then a
 *	verifying client needs pins in @trust, or @psks one of which the server
 *	has to take, and fails with EINVAL without)
 * @identities: server: at least one, the first is the default, or none with
 *	@psks; client: the one to present when asked, or none
 * @n_identities: elements of @identities
 * @psks: external PSKs: a server's, which it does not use when @peer_auth is
 *	REQUIRE; those that a client offers, for they prove the server's
 *	identity as well as a certificate; or NULL
 * @trust: for verifying the peer, NULL only when @peer_auth is NONE, or when a
 *	client has @psks: then the server has to take one of them
 * @peer_auth: enum socktls_peer_auth, DEFAULT resolved by role
 * @alpn: ProtocolNameList, empty for none
 * @policy: name of a built-in policy, NULL for the default
 * @rules: an administrator's policy instead, or NULL
 * @now: for certificate validity, 0: time(NULL)
 * @min_version: 0 or 0x0303 or 0x0304
 * @max_version: 0 or 0x0303 or 0x0304
 * @suites: explicit list in order of preference, NULL: the policy's
 * @n_suites: elements of @suites
 * @groups: explicit list, NULL: the policy's
 * @n_groups: elements of @groups
 * @sessions: session store and ticket keys, NULL: nothing is resumed; not
 *	copied
 * @sessions_arg: for @sessions
 * @session_scope: sessions of different scopes know nothing of each other: say
 *	user and trust store. Name, policy, ALPN, peer authentication and
 *	identities count by themselves
 * @session_lifetime: of a server's sessions and tickets, in seconds; 0: two
 *	hours
 * @session_ids: server: TLS 1.2 sessions are resumed by ID
 * @tickets: server: how many to send in TLS 1.3; 0: none in TLS 1.2 either
 * @random: test hook: source of all randomness, NULL: RAND_bytes()
 * @random_arg: for @random
 *
 * Everything is copied or referenced by engine_new().
 */
struct engine_config {
	enum socktls_role	role;
	const char		*server_name;
	struct engine_identity *const *identities;
	size_t			n_identities;
	struct engine_psks	*psks;
	struct engine_trust	*trust;
	enum socktls_peer_auth	peer_auth;
	struct engine_bytes	alpn;
	const char		*policy;
	struct engine_policy	*rules;
	time_t			now;
	uint16_t		min_version;
	uint16_t		max_version;
	const uint16_t		*suites;
	size_t			n_suites;
	const uint16_t		*groups;
	size_t			n_groups;
	const struct engine_sessions *sessions;
	void			*sessions_arg;
	struct engine_bytes	session_scope;
	uint32_t		session_lifetime;
	bool			session_ids;
	unsigned int		tickets;
	int (*random)(void *arg, uint8_t *out, size_t len);
	void			*random_arg;
};

/**
 * engine_new() - make an engine
 * @engine: set on success, owned by the caller
 * @config: parameters, copied
 * @output: callbacks, must outlive the engine
 * @arg: for @output
 *
 * Return: 0, -EINVAL for a configuration that makes no sense, -ENOMEM.
 */
int engine_new(struct engine **engine, const struct engine_config *config,
	       const struct engine_output *output, void *arg);

/**
 * engine_start() - begin: a client sends its ClientHello, a server nothing
 *
 * Return: 0, or a negative errno after fail() was called.
 */
int engine_start(struct engine *engine);

/**
 * engine_receive() - take bytes from the peer
 * @level: the level of the record that carried them
 * @content_type: 22 handshake, 20 change_cipher_spec (TLS 1.2 only)
 * @bytes: any chunking of messages
 *
 * Return: 0 (also when a message is incomplete), or a negative errno after
 * fail() was called.
 */
int engine_receive(struct engine *engine, enum socktls_level level,
		   uint8_t content_type, struct engine_bytes bytes);

/**
 * engine_abort() - the handshake ended by an alert that is not the engine's
 *
 * A fatal one, received, or sent by the record layer: the session that would
 * have been resumed is forgotten. Without an alert, say by a reset, call
 * engine_free() alone.
 */
void engine_abort(struct engine *engine);

/* True after done(). */
bool engine_is_done(const struct engine *engine);

/* Wipes and frees; NULL is allowed. */
void engine_free(struct engine *engine);

/*
 * After the handshake. The cookie of struct engine_result is all that is left
 * of it; it holds secrets.
 */

/**
 * engine_cookie_ticket() - a client received a NewSessionTicket (TLS 1.3)
 * @cookie: of the connection
 * @message: the whole message, with its header
 * @now: time
 * @sessions: where to keep it
 * @arg: for @sessions
 *
 * Return: 0, -EBADMSG for a cookie of another format, -EPROTO for a malformed
 * message, -ENOENT when it cannot be used, or -ENOMEM.
 */
int engine_cookie_ticket(struct engine_bytes cookie,
			 struct engine_bytes message, time_t now,
			 const struct engine_sessions *sessions, void *arg);

/**
 * engine_cookie_export() - keying material for the application
 * @cookie: of the connection
 * @label: of the exporter
 * @context: of the exporter
 * @has_context: RFC 5705 knows the difference between none and an empty one
 * @out: filled on success
 * @len: bytes wanted, 1 to ENGINE_EXPORT_MAX
 *
 * RFC 8446 section 7.5, RFC 5705.
 *
 * Return: 0, -EBADMSG for a cookie of another format, -EINVAL for a label that
 * is reserved, empty or too long, or for such a length, -EOPNOTSUPP in TLS 1.2
 * without extended master secret, or -EIO.
 */
int engine_cookie_export(struct engine_bytes cookie, const char *label,
			 struct engine_bytes context, bool has_context,
			 uint8_t *out, size_t len);

/**
 * engine_cookie_ended() - the connection ended by a fatal alert
 * @cookie: of the connection
 * @sessions: where its sessions are forgotten
 * @arg: for @sessions
 */
void engine_cookie_ended(struct engine_bytes cookie,
			 const struct engine_sessions *sessions, void *arg);

#endif /* SOCKTLS_ENGINE_H */
