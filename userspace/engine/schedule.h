/* SPDX-License-Identifier: MIT */
/*
 * Key schedules: TLS 1.3 (RFC 8446 section 7), TLS 1.2 (RFC 5246 sections 6.3,
 * 7.4.9 and 8.1, RFC 7627).
 */
#ifndef SOCKTLS_ENGINE_SCHEDULE_H
#define SOCKTLS_ENGINE_SCHEDULE_H

#include "engine/protocol.h"
#include "engine/suites.h"
#include "engine/transcript.h"

/**
 * struct schedule - secrets of a TLS 1.3 handshake, each as long as the hash
 * @md: hash of the suite
 * @len: its length
 * @secret: the vertical secret of the figure in section 7.1: Early, then
 *	Handshake, then Master
 *
 * The names of the others are those of the figure.
 */
struct schedule {
	const EVP_MD	*md;
	size_t		len;
	uint8_t		secret[HASH_MAX];
	uint8_t		client_handshake[HASH_MAX];
	uint8_t		server_handshake[HASH_MAX];
	uint8_t		client_application[HASH_MAX];
	uint8_t		server_application[HASH_MAX];
	uint8_t		exporter_master[HASH_MAX];
	uint8_t		resumption_master[HASH_MAX];
};

/* All return 0 or -EIO when libcrypto fails. @hash: the transcript's. */
int schedule_early(struct schedule *s, const EVP_MD *md,
		   struct engine_bytes psk);
int schedule_binder_key(const struct schedule *s, const char *label,
			uint8_t *key);
int schedule_handshake(struct schedule *s, struct engine_bytes shared,
		       const struct digest *hash);
int schedule_application(struct schedule *s, const struct digest *hash);
int schedule_resumption(struct schedule *s, const struct digest *hash);
/* verify_data of section 4.4.4 under the base key @secret. */
int schedule_finished(const EVP_MD *md, const uint8_t *secret,
		      const struct digest *hash, struct digest *verify_data);
/* Write key and IV of a traffic secret, section 7.3. */
int schedule_traffic_key(const struct suite *suite, const uint8_t *secret,
			 struct engine_key *key);
void schedule_wipe(struct schedule *s);

/**
 * struct schedule12 - secrets of a TLS 1.2 handshake
 * @client_random: of the ClientHello
 * @server_random: of the ServerHello
 * @master: the master secret
 */
struct schedule12 {
	uint8_t	client_random[RANDOM_LEN];
	uint8_t	server_random[RANDOM_LEN];
	uint8_t	master[MASTER_LEN];
};

/* @session_hash: extended master secret (RFC 7627), NULL: without. */
int schedule12_master(struct schedule12 *s, const struct suite *suite,
		      struct engine_bytes premaster,
		      const struct digest *session_hash);
/*
 * Section 6.3: MAC keys, write keys, IVs of both directions; fills the three
 * fields and their lengths in each key.
 */
int schedule12_key_block(const struct schedule12 *s, const struct suite *suite,
			 struct engine_key *client, struct engine_key *server);
int schedule12_finished(const struct schedule12 *s, const struct suite *suite,
			bool client, const struct digest *hash,
			struct digest *verify_data);

#endif /* SOCKTLS_ENGINE_SCHEDULE_H */
