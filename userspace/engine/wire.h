/* SPDX-License-Identifier: MIT */
/*
 * The bounds-checked reader and writer of the TLS presentation language
 * (RFC 8446 section 3). Nothing else touches wire bytes.
 */
#ifndef SOCKTLS_ENGINE_WIRE_H
#define SOCKTLS_ENGINE_WIRE_H

#include "engine/engine.h"

/**
 * struct reader - what is left to read
 * @data: next byte
 * @left: bytes that remain
 * @bad: a read went past the end; sticky, and every later read yields zeros
 *
 * Readers never own or copy; what they return points into their input.
 */
struct reader {
	const uint8_t	*data;
	size_t		left;
	bool		bad;
};

struct reader reader_of(struct engine_bytes bytes);
uint8_t reader_u8(struct reader *r);
uint16_t reader_u16(struct reader *r);
uint32_t reader_u24(struct reader *r);
uint32_t reader_u32(struct reader *r);
struct engine_bytes reader_bytes(struct reader *r, size_t len);
/* A vector whose length takes @width (1 to 3) bytes; must hold >= @min. */
struct engine_bytes reader_vector(struct reader *r, unsigned int width,
				  size_t min);
struct engine_bytes reader_rest(struct reader *r);
/* True when every read succeeded and nothing is left. */
bool reader_done(const struct reader *r);
/* True while there is something to read and nothing went wrong. */
bool reader_more(const struct reader *r);

/**
 * struct writer - a growing buffer
 * @data: the bytes so far, owned
 * @len: their number
 * @size: bytes allocated
 * @bad: an allocation failed or a vector was too long; sticky
 */
struct writer {
	uint8_t	*data;
	size_t	len;
	size_t	size;
	bool	bad;
};

void writer_u8(struct writer *w, uint8_t value);
void writer_u16(struct writer *w, uint16_t value);
void writer_u24(struct writer *w, uint32_t value);
void writer_u32(struct writer *w, uint32_t value);
void writer_bytes(struct writer *w, struct engine_bytes bytes);
void writer_vector(struct writer *w, unsigned int width,
		   struct engine_bytes bytes);
/* Room for @len bytes that the caller fills at once; NULL when bad. */
uint8_t *writer_room(struct writer *w, size_t len);
/* Open a vector of length width @width; close it with the returned mark. */
size_t writer_open(struct writer *w, unsigned int width);
void writer_close(struct writer *w, size_t mark, unsigned int width);
/* Drop the first @len bytes. */
void writer_consume(struct writer *w, size_t len);
/* Empty, keeping the memory, which is wiped. */
void writer_reset(struct writer *w);
/* Wipe and free. */
void writer_free(struct writer *w);

static inline struct engine_bytes bytes_of(const void *data, size_t len)
{
	return (struct engine_bytes){ .data = data, .len = len };
}

static inline struct engine_bytes writer_view(const struct writer *w)
{
	return bytes_of(w->data, w->len);
}

bool bytes_equal(struct engine_bytes a, struct engine_bytes b);
/* True when @list, a sequence of uint16, contains @value. */
bool bytes_have_u16(struct engine_bytes list, uint16_t value);
bool bytes_have_u8(struct engine_bytes list, uint8_t value);

#endif /* SOCKTLS_ENGINE_WIRE_H */
