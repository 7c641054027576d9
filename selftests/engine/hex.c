// SPDX-License-Identifier: MIT
#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "hex.h"

static int digit(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *at = c ? strchr(digits, tolower((unsigned char)c)) : NULL;

	assert_non_null(at);
	return at - digits;
}

struct hex hex(const char *text)
{
	struct hex h = { 0 };

	while (*text) {
		if (isspace((unsigned char)*text)) {
			text++;
			continue;
		}
		assert_true(h.len < HEX_MAX);
		h.data[h.len++] = digit(text[0]) << 4 | digit(text[1]);
		text += 2;
	}
	return h;
}

void assert_hex_equal(const uint8_t *data, size_t len, const char *text)
{
	struct hex expected = hex(text);

	assert_int_equal(len, expected.len);
	assert_memory_equal(data, expected.data, len);
}
