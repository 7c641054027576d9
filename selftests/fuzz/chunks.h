/* SPDX-License-Identifier: MIT */
/*
 * What a peer sends, as a fuzzer's input: a byte that picks a configuration,
 * then chunks: a byte (content type and level), a 16-bit length, bytes.
 */
#ifndef SOCKTLS_SELFTESTS_CHUNKS_H
#define SOCKTLS_SELFTESTS_CHUNKS_H

#include <stddef.h>
#include <stdint.h>

#define CHUNKS_MAX	24
#define CHUNK_HEADER	3

/* Values of struct chunk.kind; anything else is taken modulo KINDS. */
enum chunk_kind {
	CHUNK_HANDSHAKE,	/* at the level the receiver is at */
	CHUNK_CCS,
	CHUNK_PLAINTEXT,	/* handshake bytes at this level */
	CHUNK_PROTECTED,	/* at the handshake level */
	CHUNK_DATA,		/* application_data */
	KINDS,
};

struct chunk {
	uint8_t		kind;
	const uint8_t	*data;
	size_t		len;
};

/* Returns how many there are; what is cut off is dropped. */
size_t chunks_read(const uint8_t *data, size_t size, struct chunk *chunks);
/* Returns the bytes written, at most @size. */
size_t chunks_write(uint8_t config, const struct chunk *chunks, size_t n,
		    uint8_t *data, size_t size);

#endif /* SOCKTLS_SELFTESTS_CHUNKS_H */
