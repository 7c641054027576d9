/* SPDX-License-Identifier: MIT */
/*
 * Two engines joined in memory by a record layer that protects nothing but
 * checks everything: that a record's keys are those the receiver holds, that
 * levels match, that outputs come in an order a record layer can act on.
 */
#ifndef SOCKTLS_SELFTESTS_PAIR_H
#define SOCKTLS_SELFTESTS_PAIR_H

#include "engine/engine.h"
#include "pki.h"

#define EVENTS_MAX	4096
#define RECORDS_MAX	256
#define KEYLOG_MAX	16
#define LAZY_MAX	16
#define COOKIE_MAX	4096

struct record {
	enum socktls_level	level;
	struct engine_key	key;		/* the sender's, zero: plaintext */
	uint8_t			type;
	uint8_t			*data;
	size_t			len;
};

/**
 * struct side - one engine and what it put out
 * @events: outputs in order as words: "send:2", "ccs", "version",
 *	"key:tx:handshake", "limit:tx:512", "cert:peer", "done", "fail"
 * @sent: records not delivered yet
 * @lazy: what was to be sent with the first application record, undelivered
 * @cookie: of the result
 * @skip_mode: how early data is skipped, 0: not
 * @bad: a complaint of the record layer, NULL: none
 */
struct side {
	const char		*name;
	struct engine		*engine;
	struct side		*peer;
	char			events[EVENTS_MAX];
	struct record		sent[RECORDS_MAX];
	size_t			n_sent, n_taken;
	struct record		lazy[LAZY_MAX];
	size_t			n_lazy;
	uint8_t			cookie[COOKIE_MAX];
	size_t			cookie_len;
	enum socktls_skip_mode	skip_mode;
	uint32_t		skip_max;
	struct engine_key	tx, rx;
	enum socktls_level	tx_level, rx_level;
	uint16_t		version;
	bool			done;
	struct engine_result	result;
	char			identity[512];
	char			alpn[256];
	unsigned int		peer_certs, local_certs;
	bool			failed;
	struct engine_failure	failure;
	char			text[512];
	char			keylog[KEYLOG_MAX][256];
	size_t			n_keylog;
	const char		*bad;
	int			ret;
};

/**
 * struct pair - a client, a server, and how to carry bytes between them
 * @chunk: longest piece given to engine_receive(), 0: whole records
 * @coalesce: join adjacent records of one level and type before delivery
 * @tamper: called for every record before delivery; false: drop it
 * @before_message: called before each handshake message or CCS is delivered,
 *	which are then delivered one by one
 * @arg: for both
 */
struct pair {
	struct side		client;
	struct side		server;
	size_t			chunk;
	bool			coalesce;
	bool (*tamper)(struct pair *pair, struct side *from,
		       struct record *record);
	void (*before_message)(struct pair *pair, struct side *to,
			       const uint8_t *message, size_t len);
	void			*arg;
};

void pair_init(struct pair *pair, struct engine_config *client,
	       struct engine_config *server);
/* Start and carry bytes until nothing moves. */
void pair_run(struct pair *pair);
/* Both done, no complaints, same results, same application keys. */
void pair_assert_good(const struct pair *pair);
void pair_free(struct pair *pair);

/* One side alone: its outputs are recorded, the test plays the peer. */
void side_init(struct side *side, const char *name,
	       struct engine_config *config);
void side_free(struct side *side);
/* All handshake bytes sent so far that were not taken; to be freed. */
uint8_t *side_take(struct side *side, size_t *len);

extern const struct engine_output pair_output;

struct engine_identity *identity_of(const struct pki_cert *cert);
struct engine_trust *trust_of(const char *pem);
/* Frees the key as well. */
void identity_drop(struct engine_identity *identity);

#endif /* SOCKTLS_SELFTESTS_PAIR_H */
