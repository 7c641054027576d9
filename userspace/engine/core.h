/* SPDX-License-Identifier: MIT */
/*
 * The engine's insides: its state, and the calls by which the roles produce
 * output.
 */
#ifndef SOCKTLS_ENGINE_CORE_H
#define SOCKTLS_ENGINE_CORE_H

#include <openssl/x509.h>

#include "engine/entropy.h"
#include "engine/external.h"
#include "engine/groups.h"
#include "engine/identity.h"
#include "engine/messages.h"
#include "engine/policy.h"
#include "engine/schedule.h"
#include "engine/session.h"
#include "engine/sigalgs.h"
#include "engine/states.h"
#include "engine/trust.h"

#define SHARES_MAX	2	/* key shares in our ClientHello */

/**
 * struct settings - the configuration, checked, copied and resolved
 *
 * Fields are those of struct engine_config; the lists are never empty.
 *
 * @psk_only: client: certificates could not be verified, so that it takes one
 *	of @psks or nothing
 */
struct settings {
	enum socktls_role	role;
	char			*server_name;
	bool			server_name_is_ip;
	struct engine_identity	**identities;
	size_t			n_identities;
	struct engine_psks	*psks;
	bool			psk_only;
	struct engine_trust	*trust;
	enum socktls_peer_auth	peer_auth;
	struct writer		alpn;
	const struct policy	*policy;
	struct engine_policy	*rules;
	time_t			now;
	uint16_t		min_version;
	uint16_t		max_version;
	uint16_t		*suites;
	size_t			n_suites;
	uint16_t		*groups;
	size_t			n_groups;
	const struct engine_sessions *sessions;
	void			*sessions_arg;
	struct writer		session_scope;
	uint32_t		session_lifetime;
	bool			session_ids;
	unsigned int		tickets;
	struct entropy		entropy;
};

/**
 * struct peer - what the peer said about itself
 * @chain: certificates, leaf first, NULL: none
 * @key: of the leaf, owned by @chain
 * @issuer: of the leaf, in the verified path, owned; NULL: not verified, or the
 *	leaf is itself an anchor
 * @staple: OCSP response of a TLS 1.3 Certificate, empty: none
 * @verified: against the trust store and, on a client, the name
 * @identity: text for struct engine_result, owned
 * @scheme: of its signature
 */
struct peer {
	STACK_OF(X509)		*chain;
	EVP_PKEY		*key;
	X509			*issuer;
	struct writer		staple;
	bool			verified;
	char			*identity;
	uint16_t		scheme;
};

/**
 * struct grease - RFC 8701: values of the form 0x?A?A, of which none is real
 * @share: a key share of @group is sent as well; not when the server asked for
 *	another one
 */
struct grease {
	uint16_t		suite;
	uint16_t		extension;
	uint16_t		group;
	uint16_t		version;
	uint16_t		sigalg;
	bool			share;
};

/**
 * struct limits - the size of records, see limits.h
 * @by: the extension that was agreed on, 0: none
 * @rx: longest plaintext of a record that may come; 0: not limited, or said
 * @tx: the same for what is sent
 */
struct limits {
	uint16_t		by;
	uint16_t		rx;
	uint16_t		tx;
};

/**
 * struct client - a client's own part
 * @shares: groups offered in key_share, and their keys
 * @session_id: sent; random (RFC 8446 appendix D.4) or of a session
 * @grease: values that mean nothing (RFC 8701), the same in both ClientHellos
 * @retried: a HelloRetryRequest was answered
 * @cookie: of the HelloRetryRequest
 * @offered: extensions in our ClientHello
 * @asked: a CertificateRequest came
 * @scheme: our signature scheme, 0: we send an empty Certificate
 * @server_share: of a TLS 1.2 ServerKeyExchange
 * @status_due: the server announced a CertificateStatus (TLS 1.2)
 * @hello_requests: HelloRequests ignored so far
 * @new_id: session ID that a TLS 1.2 server gave
 * @ticket_due: a TLS 1.2 server will send a NewSessionTicket
 * @ticket: which was this one
 * @ticket_lifetime: its hint
 */
struct client {
	struct {
		const struct group	*group;
		EVP_PKEY		*key;
	} shares[SHARES_MAX];
	struct engine_bytes	session_id;
	uint8_t			session_id_buf[SESSION_ID_MAX];
	struct grease		grease;
	bool			retried;
	struct writer		cookie;
	struct extensions	offered;
	bool			asked;
	uint16_t		scheme;
	struct writer		server_share;
	bool			status_due;
	unsigned int		hello_requests;
	struct engine_bytes	new_id;
	uint8_t			new_id_buf[SESSION_ID_MAX];
	bool			ticket_due;
	struct writer		ticket;
	uint32_t		ticket_lifetime;
};

/**
 * struct server - a server's own part
 * @retried: a HelloRetryRequest was sent
 * @hello_digest: of the first ClientHello's fixed fields, for comparison
 * @legacy_version: of the ClientHello, for the pre-master secret
 * @session_id: of the ClientHello, echoed in TLS 1.3
 * @fitting: only chains whose signatures the client accepts are chosen
 * @named: the server_name extension is to be acknowledged
 * @points: ec_point_formats is to be sent
 * @scheme: our signature scheme
 * @asked: we sent a CertificateRequest
 * @exchange_key: the key of our ServerKeyExchange
 * @psk_dhe_ke: the client takes a PSK, of a ticket or an external one, with a
 *	key exchange
 * @psk_index: which of its PSKs is in use
 * @psk_unknown: it offers PSKs, of which none is known or fits
 * @early_data: the client sends early data, which is refused
 * @ticket_due: TLS 1.2: we said that we would send a ticket
 * @by_id: TLS 1.2: the session in use was found by @session_id
 * @new_id: TLS 1.2: ID of the new session, empty: none
 */
struct server {
	bool			retried;
	struct digest		hello_digest;
	uint16_t		legacy_version;
	struct engine_bytes	session_id;
	uint8_t			session_id_buf[SESSION_ID_MAX];
	bool			fitting;
	bool			named;
	bool			points;
	uint16_t		scheme;
	bool			asked;
	EVP_PKEY		*exchange_key;
	bool			psk_dhe_ke;
	uint16_t		psk_index;
	bool			psk_unknown;
	bool			early_data;
	bool			ticket_due;
	bool			by_id;
	struct engine_bytes	new_id;
	uint8_t			new_id_buf[SESSION_ID_MAX];
};

/**
 * struct engine - see engine.h
 * @output: callbacks
 * @arg: for them
 * @set: settings
 * @state: row of the state table
 * @error: negative errno once the engine is dead
 * @trial: failures now are no failures of the handshake
 * @done: the handshake is complete
 * @in: received bytes: the message being handled and what came behind it
 * @flight: messages not handed to output->send() yet
 * @message_mark: start of the message in @flight that is being written
 * @rx_level: the level at which bytes must come now
 * @handling: bytes at the front of @in that belong to that message
 * @ccs_sent: the one change_cipher_spec for middleboxes is out
 * @transcript: of both sides
 * @version: negotiated, 0: not yet
 * @suite: negotiated
 * @group: of the key exchange, NULL: RSA
 * @ems: extended master secret (RFC 7627)
 * @etm: encrypt-then-MAC (RFC 7366)
 * @limits: of records
 * @identity: the own one in use, borrowed from @set
 * @staple: OCSP response to send with it, owned by it; empty: none
 * @alpn: the protocol agreed on
 * @resumed: this handshake resumes @session
 * @external: the external PSK in use, borrowed from @set; NULL: none
 * @session: a session that is offered or resumed; no suite: none
 * @session_raw: what it was parsed from
 * @session_key: see session_key()
 * @schedule: TLS 1.3
 * @schedule12: TLS 1.2; also home of both randoms in TLS 1.3
 * @rx_key: TLS 1.2, waits for the peer's change_cipher_spec
 * @tx_key: TLS 1.2, waits for our own
 */
struct engine {
	const struct engine_output	*output;
	void				*arg;
	struct settings			set;
	enum state			state;
	int				error;
	bool				trial;
	bool				done;

	struct writer			in;
	struct writer			flight;
	size_t				message_mark;
	enum socktls_level		rx_level;
	size_t				handling;
	bool				ccs_sent;

	struct transcript		transcript;

	uint16_t			version;
	const struct suite		*suite;
	const struct group		*group;
	bool				ems;
	bool				etm;
	struct limits			limits;
	struct engine_identity		*identity;
	struct engine_bytes		staple;
	struct writer			alpn;
	struct peer			peer;

	bool				resumed;
	const struct external_psk	*external;
	struct session			session;
	struct writer			session_raw;
	uint8_t				session_key[SESSION_KEY_LEN];

	struct schedule			schedule;
	struct schedule12		schedule12;
	struct engine_key		rx_key;
	struct engine_key		tx_key;

	struct client			client;
	struct server			server;
};

/*
 * End the handshake: alert, errno, text. Returns -error, for the caller to
 * pass on. Only the first failure is reported.
 */
int __attribute__((format(printf, 4, 5)))
engine_fail(struct engine *engine, int alert, int error, const char *format,
	    ...);
/* The peer's message @what is malformed or not allowed. */
int engine_fail_message(struct engine *engine, int alert, const char *what);
int engine_fail_memory(struct engine *engine);
/* libcrypto could not do @what. */
int engine_fail_crypto(struct engine *engine, const char *what);
/* -ENOMEM or -EIO of the parts below, 0: none. */
int engine_check(struct engine *engine, int ret, const char *what);

/* Who the peer is, for texts: the name asked for, or "the client". */
const char *engine_peer_name(const struct engine *engine);

void peer_reset(struct peer *peer);

/*
 * Write a message into the flight; it enters the transcript at the end. With
 * message_close() first, its bytes are complete before they do.
 */
struct writer *message_begin(struct engine *engine, enum handshake_type type);
int message_close(struct engine *engine);
int message_commit(struct engine *engine);
int message_end(struct engine *engine);
/* Hand the flight to output->send(). */
int flight_send(struct engine *engine);
int ccs_send(struct engine *engine);
/* Handshake messages after the handshake, with the first application record. */
int lazy_send(struct engine *engine, struct engine_bytes messages);
/* Early data is refused; @max_bytes of it, as ciphertext. */
int early_data_skip(struct engine *engine, enum socktls_skip_mode mode,
		    uint32_t max_bytes);

/* These send the flight first, so that it goes out under the old key. */
int key_install(struct engine *engine, const struct engine_key *key);
int traffic_key_install(struct engine *engine, enum socktls_direction direction,
			enum socktls_level level, const uint8_t *secret);
int limit_install(struct engine *engine, enum socktls_direction direction,
		  uint16_t max_plaintext);
int version_announce(struct engine *engine, uint16_t version);
/* Certificates, result, done(). */
int engine_finish(struct engine *engine);

/* Lines of the NSS key log format. */
void keylog_secret(struct engine *engine, const char *label,
		   const uint8_t *secret, size_t len);

int transcript_now(struct engine *engine, struct digest *digest);

static inline bool is_client(const struct engine *engine)
{
	return engine->set.role == SOCKTLS_CLIENT;
}

static inline bool settings_offer_suite(const struct settings *set,
					uint16_t code)
{
	size_t i;

	for (i = 0; i < set->n_suites; i++)
		if (set->suites[i] == code)
			return true;
	return false;
}

static inline bool settings_offer_group(const struct settings *set,
					uint16_t code)
{
	size_t i;

	for (i = 0; i < set->n_groups; i++)
		if (set->groups[i] == code)
			return true;
	return false;
}

static inline bool settings_offer_sigalg(const struct settings *set,
					 uint16_t code)
{
	size_t i;

	for (i = 0; i < set->policy->n_sigalgs; i++)
		if (set->policy->sigalgs[i] == code)
			return true;
	return false;
}

/* settings.c */
int settings_init(struct settings *set, const struct engine_config *config);
void settings_free(struct settings *set);

#endif /* SOCKTLS_ENGINE_CORE_H */
