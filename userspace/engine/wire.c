// SPDX-License-Identifier: MIT
/*
 * Reader and writer of wire bytes. Errors are sticky, so a codec reads a whole
 * message and asks once, at the end, whether it was there.
 */
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>

#include "engine/wire.h"

#define WRITER_MIN_SIZE	256

struct reader reader_of(struct engine_bytes bytes)
{
	return (struct reader){ .data = bytes.data, .left = bytes.len };
}

static void reader_spoil(struct reader *r)
{
	r->bad = true;
	r->left = 0;
}

struct engine_bytes reader_bytes(struct reader *r, size_t len)
{
	struct engine_bytes bytes = { .data = r->data, .len = len };

	if (r->bad || len > r->left) {
		reader_spoil(r);
		return (struct engine_bytes){ 0 };
	}
	if (len) {
		r->data += len;
		r->left -= len;
	}
	return bytes;
}

static uint32_t reader_uint(struct reader *r, unsigned int width)
{
	struct engine_bytes bytes = reader_bytes(r, width);
	uint32_t value = 0;
	size_t i;

	for (i = 0; i < bytes.len; i++)
		value = value << 8 | bytes.data[i];
	return value;
}

uint8_t reader_u8(struct reader *r)
{
	return reader_uint(r, 1);
}

uint16_t reader_u16(struct reader *r)
{
	return reader_uint(r, 2);
}

uint32_t reader_u24(struct reader *r)
{
	return reader_uint(r, 3);
}

uint32_t reader_u32(struct reader *r)
{
	return reader_uint(r, 4);
}

struct engine_bytes reader_vector(struct reader *r, unsigned int width,
				  size_t min)
{
	size_t len = reader_uint(r, width);

	if (len < min)
		reader_spoil(r);
	return reader_bytes(r, len);
}

struct engine_bytes reader_rest(struct reader *r)
{
	return reader_bytes(r, r->left);
}

bool reader_done(const struct reader *r)
{
	return !r->bad && !r->left;
}

bool reader_more(const struct reader *r)
{
	return !r->bad && r->left;
}

/* Not realloc(): what was written may be secret and must not stay behind. */
static bool writer_grow(struct writer *w, size_t size)
{
	uint8_t *data = malloc(size);

	if (!data)
		return false;
	if (w->len)
		memcpy(data, w->data, w->len);
	if (w->data)
		OPENSSL_cleanse(w->data, w->size);
	free(w->data);
	w->data = data;
	w->size = size;
	return true;
}

uint8_t *writer_room(struct writer *w, size_t len)
{
	size_t size = w->size ? w->size : WRITER_MIN_SIZE;
	uint8_t *room;

	if (w->bad)
		return NULL;
	if (len > SIZE_MAX / 4 - w->len) {
		w->bad = true;
		return NULL;
	}
	while (size - w->len < len)
		size *= 2;
	if (size != w->size && !writer_grow(w, size)) {
		w->bad = true;
		return NULL;
	}
	room = w->data + w->len;
	w->len += len;
	return room;
}

static void writer_uint(struct writer *w, uint32_t value, unsigned int width)
{
	uint8_t *room = writer_room(w, width);

	while (room && width--) {
		room[width] = value;
		value >>= 8;
	}
}

void writer_u8(struct writer *w, uint8_t value)
{
	writer_uint(w, value, 1);
}

void writer_u16(struct writer *w, uint16_t value)
{
	writer_uint(w, value, 2);
}

void writer_u24(struct writer *w, uint32_t value)
{
	writer_uint(w, value, 3);
}

void writer_u32(struct writer *w, uint32_t value)
{
	writer_uint(w, value, 4);
}

void writer_bytes(struct writer *w, struct engine_bytes bytes)
{
	uint8_t *room;

	if (!bytes.len)
		return;
	room = writer_room(w, bytes.len);
	if (room)
		memcpy(room, bytes.data, bytes.len);
}

void writer_vector(struct writer *w, unsigned int width,
		   struct engine_bytes bytes)
{
	size_t mark = writer_open(w, width);

	writer_bytes(w, bytes);
	writer_close(w, mark, width);
}

size_t writer_open(struct writer *w, unsigned int width)
{
	writer_uint(w, 0, width);
	return w->len;
}

void writer_close(struct writer *w, size_t mark, unsigned int width)
{
	size_t len = w->len - mark;
	uint8_t *field;

	if (w->bad)
		return;
	if (len >> (8 * width)) {
		w->bad = true;
		return;
	}
	field = w->data + mark - width;
	while (width--) {
		field[width] = len;
		len >>= 8;
	}
}

void writer_consume(struct writer *w, size_t len)
{
	w->len -= len;
	memmove(w->data, w->data + len, w->len);
}

void writer_reset(struct writer *w)
{
	if (w->data)
		OPENSSL_cleanse(w->data, w->size);
	w->len = 0;
	w->bad = false;
}

void writer_free(struct writer *w)
{
	writer_reset(w);
	free(w->data);
	*w = (struct writer){ 0 };
}

bool bytes_equal(struct engine_bytes a, struct engine_bytes b)
{
	return a.len == b.len && (!a.len || !memcmp(a.data, b.data, a.len));
}

bool bytes_have_u16(struct engine_bytes list, uint16_t value)
{
	struct reader r = reader_of(list);

	while (reader_more(&r))
		if (reader_u16(&r) == value && !r.bad)
			return true;
	return false;
}

bool bytes_have_u8(struct engine_bytes list, uint8_t value)
{
	return list.len && memchr(list.data, value, list.len);
}
