// SPDX-License-Identifier: MIT
/* Chunks, and a mutator that knows their structure and keeps lengths right. */
#include <stdlib.h>
#include <string.h>

#include "chunks.h"

#define BODY_MAX	16384
#define HANDSHAKE_HEADER 4
#define CLIENT_HELLO	1
#define SERVER_HELLO	2

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size,
			       unsigned int seed);

size_t chunks_read(const uint8_t *data, size_t size, struct chunk *chunks)
{
	size_t n = 0, at = 1, len;

	while (n < CHUNKS_MAX && at + CHUNK_HEADER <= size) {
		len = data[at + 1] << 8 | data[at + 2];
		if (len > size - at - CHUNK_HEADER)
			len = size - at - CHUNK_HEADER;
		chunks[n++] = (struct chunk){ data[at] % KINDS,
					      data + at + CHUNK_HEADER, len };
		at += CHUNK_HEADER + len;
	}
	return n;
}

size_t chunks_write(uint8_t config, const struct chunk *chunks, size_t n,
		    uint8_t *data, size_t size)
{
	size_t i, at = 1;

	if (!size)
		return 0;
	data[0] = config;
	for (i = 0; i < n; i++) {
		if (chunks[i].len > 65535 ||
		    at + CHUNK_HEADER + chunks[i].len > size)
			break;
		data[at] = chunks[i].kind;
		data[at + 1] = chunks[i].len >> 8;
		data[at + 2] = chunks[i].len;
		memcpy(data + at + CHUNK_HEADER, chunks[i].data, chunks[i].len);
		at += CHUNK_HEADER + chunks[i].len;
	}
	return at;
}

/* ---------------------------------------------------------------- mutator */

static unsigned int next(unsigned int *seed)
{
	*seed = *seed * 1664525 + 1013904223;
	return *seed >> 16;
}

static void put(uint8_t *at, size_t value, unsigned int width)
{
	while (width--) {
		at[width] = value;
		value >>= 8;
	}
}

static size_t get(const uint8_t *at, unsigned int width)
{
	size_t value = 0;

	while (width--)
		value = value << 8 | *at++;
	return value;
}

/* Where the extensions of a hello begin; 0: not a hello, or malformed. */
static size_t find_extensions(const uint8_t *message, size_t len)
{
	size_t at = HANDSHAKE_HEADER + 2 + 32;

	if (len < at + 1 ||
	    (message[0] != CLIENT_HELLO && message[0] != SERVER_HELLO))
		return 0;
	at += 1 + message[at];
	if (message[0] == SERVER_HELLO)
		at += 3;
	else if (at + 2 <= len)
		at += 2 + get(message + at, 2);
	else
		return 0;
	if (message[0] == CLIENT_HELLO && at < len)
		at += 1 + message[at];
	return at + 2 <= len ? at : 0;
}

/* Mutate the body of one extension of a hello; lengths stay right. */
static size_t mutate_extension(uint8_t *message, size_t len, size_t max,
			       unsigned int *seed)
{
	size_t block = find_extensions(message, len), at, body, grown;
	size_t list[64], n = 0, rest;
	uint8_t scratch[4096];

	if (!block)
		return len;
	for (at = block + 2; at + 4 <= len && n < 64;
	     at += 4 + get(message + at + 2, 2))
		list[n++] = at;
	if (!n)
		return len;
	at = list[next(seed) % n];
	body = get(message + at + 2, 2);
	if (at + 4 + body > len || body > sizeof(scratch) / 2)
		return len;
	memcpy(scratch, message + at + 4, body);
	grown = LLVMFuzzerMutate(scratch, body, sizeof(scratch));
	if (len - body + grown > max)
		return len;
	rest = len - at - 4 - body;
	memmove(message + at + 4 + grown, message + at + 4 + body, rest);
	memcpy(message + at + 4, scratch, grown);
	put(message + at + 2, grown, 2);
	len = len - body + grown;
	put(message + block, len - block - 2, 2);
	put(message + 1, len - HANDSHAKE_HEADER, 3);
	return len;
}

/* Mutate a message's body; its length stays right. */
static size_t mutate_message(uint8_t *message, size_t len, size_t max)
{
	if (len < HANDSHAKE_HEADER)
		return LLVMFuzzerMutate(message, len, max);
	len = HANDSHAKE_HEADER + LLVMFuzzerMutate(message + HANDSHAKE_HEADER,
						  len - HANDSHAKE_HEADER,
						  max - HANDSHAKE_HEADER);
	put(message + 1, len - HANDSHAKE_HEADER, 3);
	return len;
}

static void copy_chunk(struct chunk *chunks, size_t *n, size_t from, size_t to)
{
	struct chunk copy = chunks[from];

	if (*n == CHUNKS_MAX)
		return;
	memmove(&chunks[to + 1], &chunks[to], (*n - to) * sizeof(*chunks));
	chunks[to] = copy;
	++*n;
}

static void drop_chunk(struct chunk *chunks, size_t *n, size_t at)
{
	--*n;
	memmove(&chunks[at], &chunks[at + 1], (*n - at) * sizeof(*chunks));
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size,
			       unsigned int seed)
{
	static uint8_t body[BODY_MAX], out[1 << 20];
	struct chunk chunks[CHUNKS_MAX + 1];
	uint8_t config = size ? data[0] : 0;
	size_t n = chunks_read(data, size, chunks), at, len;

	if (!n || next(&seed) % 16 == 0)
		return LLVMFuzzerMutate(data, size, max_size);
	at = next(&seed) % n;
	switch (next(&seed) % 10) {
	case 0:
		config = next(&seed);
		break;
	case 1:
		copy_chunk(chunks, &n, at, next(&seed) % n);
		break;
	case 2:
		drop_chunk(chunks, &n, at);
		break;
	case 3:
		chunks[at].kind = next(&seed) % KINDS;
		break;
	default:
		if (chunks[at].len > sizeof(body) / 2)
			break;
		memcpy(body, chunks[at].data, chunks[at].len);
		if (next(&seed) % 2)
			chunks[at].len = mutate_extension(body, chunks[at].len,
							  sizeof(body), &seed);
		else
			chunks[at].len = mutate_message(body, chunks[at].len,
							sizeof(body));
		chunks[at].data = body;
	}
	len = chunks_write(config, chunks, n, out, max_size < sizeof(out) ?
			   max_size : sizeof(out));
	memcpy(data, out, len);
	return len;
}
