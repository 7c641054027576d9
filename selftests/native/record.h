/* SPDX-License-Identifier: MIT */
/*
 * A record layer in user space over libcrypto, for tests alone: the product's
 * is the kernel's. It favours plainness over speed and over side channels.
 */
#ifndef SOCKTLS_SELFTESTS_RECORD_H
#define SOCKTLS_SELFTESTS_RECORD_H

#include "engine/engine.h"

#define RECORD_PLAIN_MAX	16384
#define RECORD_WIRE_MAX		(5 + RECORD_PLAIN_MAX + 2048)

enum record_type {
	RECORD_CCS		= 20,
	RECORD_ALERT		= 21,
	RECORD_HANDSHAKE	= 22,
	RECORD_DATA		= 23,
};

/**
 * struct record_keys - protection of one direction
 * @key: keys, valid when @keyed
 * @keyed: false: plaintext
 * @version: 0x0303 or 0x0304
 * @sequence: of the next record
 */
struct record_keys {
	struct engine_key	key;
	bool			keyed;
	uint16_t		version;
	uint64_t		sequence;
};

/*
 * Protect @len bytes as one record. Returns the bytes in @wire (of
 * RECORD_WIRE_MAX), header included, or -1.
 */
int record_seal(struct record_keys *keys, uint8_t type, const uint8_t *plain,
		size_t len, uint8_t *wire);

/*
 * Open a record: @wire holds header and body. Returns the plaintext's length
 * in @plain (of RECORD_WIRE_MAX), sets *@type to the inner type, or returns
 * -1 when it does not authenticate.
 */
int record_open(struct record_keys *keys, const uint8_t *wire, size_t len,
		uint8_t *type, uint8_t *plain);

void record_rekey(struct record_keys *keys, uint16_t version,
		  const struct engine_key *key);

#endif /* SOCKTLS_SELFTESTS_RECORD_H */
