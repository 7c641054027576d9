// SPDX-License-Identifier: MIT
/* External PSKs of an identity: identities/NAME/psk. */
#include "psk.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <openssl/crypto.h>

#define HEX_IDENTITY	"hex:"
#define BLANKS		" \t\r"

/**
 * struct line - one key
 * @identity: text, or HEX_IDENTITY and hex
 * @key: hex
 * @hash: NULL: none named
 * @server: NULL: any
 */
struct line {
	const char	*identity;
	const char	*key;
	const char	*hash;
	const char	*server;
};

static bool take_option(struct line *line, const char *word)
{
	if (!strncmp(word, "hash=", 5) && !line->hash)
		line->hash = word + 5;
	else if (!strncmp(word, "server=", 7) && word[7] && !line->server)
		line->server = word + 7;
	else
		return false;
	return true;
}

/* False when it is neither empty nor a key. */
static bool split(struct line *line, char *text)
{
	char *save, *word = strtok_r(text, BLANKS, &save);

	*line = (struct line){ .identity = word };
	if (!word)
		return true;
	line->key = strtok_r(NULL, BLANKS, &save);
	while ((word = strtok_r(NULL, BLANKS, &save)))
		if (!take_option(line, word))
			return false;
	return line->key;
}

/* Even digits, nothing between them. */
static bool read_hex(const char *hex, uint8_t *out, size_t room, size_t *len)
{
	*len = 0;
	if (!*hex || strspn(hex, "0123456789abcdefABCDEF") != strlen(hex))
		return false;
	return OPENSSL_hexstr2buf_ex(out, room, len, hex, '\0') == 1;
}

static bool read_identity(const char *word, uint8_t *out, size_t room,
			  size_t *len)
{
	if (!strncmp(word, HEX_IDENTITY, strlen(HEX_IDENTITY)))
		return read_hex(word + strlen(HEX_IDENTITY), out, room, len);
	*len = strlen(word);
	if (*len > room)
		return false;
	memcpy(out, word, *len);
	return true;
}

static int add(struct engine_psks *psks, const struct line *line, char *error,
	       size_t error_len)
{
	uint8_t identity[ENGINE_PSK_IDENTITY_MAX], key[ENGINE_PSK_MAX];
	size_t identity_len, key_len;
	int err = -EINVAL;

	if (!read_identity(line->identity, identity, sizeof(identity),
			   &identity_len))
		snprintf(error, error_len,
			 "the identity is too long, or not in hex");
	else if (!read_hex(line->key, key, sizeof(key), &key_len))
		snprintf(error, error_len,
			 "the key is not in hex, or too long");
	else
		err = engine_psks_add(psks,
				      (struct engine_bytes){ identity,
							     identity_len },
				      (struct engine_bytes){ key, key_len },
				      line->hash, line->server, error,
				      error_len);
	OPENSSL_cleanse(key, sizeof(key));
	return err;
}

int psk_parse(struct engine_psks *psks, char *text, char *error,
	      size_t error_len)
{
	char reason[128] = "out of memory", *next;
	unsigned int number = 0;
	struct line line;
	int err = 0;

	while (!err && (next = strsep(&text, "\n"))) {
		number++;
		next[strcspn(next, "#")] = '\0';
		if (!split(&line, next)) {
			snprintf(reason, sizeof(reason),
				 "expected IDENTITY KEY [hash=HASH] [server=NAME]");
			err = -EINVAL;
		} else if (line.identity) {
			err = add(psks, &line, reason, sizeof(reason));
		}
	}
	if (err)
		snprintf(error, error_len, "line %u: %s", number, reason);
	return err;
}
