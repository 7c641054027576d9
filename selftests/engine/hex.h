/* SPDX-License-Identifier: MIT */
/* Test vectors as hexadecimal text. */
#ifndef SOCKTLS_SELFTESTS_HEX_H
#define SOCKTLS_SELFTESTS_HEX_H

#include "engine/wire.h"

#define HEX_MAX	4096

/**
 * struct hex - decoded text
 * @len: bytes in @data
 */
struct hex {
	size_t	len;
	uint8_t	data[HEX_MAX];
};

/* Blanks between digits are skipped; anything else fails the test. */
struct hex hex(const char *text);

static inline struct engine_bytes hex_view(const struct hex *h)
{
	return bytes_of(h->data, h->len);
}

/* Compare, and show both on a difference. */
void assert_hex_equal(const uint8_t *data, size_t len, const char *text);

#endif /* SOCKTLS_SELFTESTS_HEX_H */
