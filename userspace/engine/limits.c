// SPDX-License-Identifier: MIT
#include <errno.h>

#include "engine/limits.h"

#define RECORD_MAX	16384	/* RFC 8446 section 5.1 */
#define RECORD_SIZE_MIN	64	/* RFC 8449 section 4 */

/* max_fragment_length's codes are 1 to 4: 512 to 4096. */
static uint16_t fragment_length(uint8_t code)
{
	return code >= 1 && code <= 4 ? 256 << code : 0;
}

static uint8_t fragment_code(uint16_t length)
{
	uint8_t code;

	for (code = 4; code && fragment_length(code) != length; code--)
		;
	return code;
}

/*
 * TLS 1.3 counts the content type. A client says so before it knows what will
 * be chosen: its limit in TLS 1.2 is one byte longer (RFC 8449 section 4).
 */
static uint16_t own_limit(const struct engine *engine, bool tls13)
{
	bool offered = is_client(engine) ? engine->set.max_version >= TLS13 :
					   tls13;
	uint16_t own = engine->set.policy->record_limit + offered - tls13;

	return own > RECORD_MAX ? RECORD_MAX : own;
}

static void write_size_limit(struct writer *w, uint16_t own, bool tls13)
{
	size_t mark = extension_open(w, EXT_RECORD_SIZE_LIMIT);

	writer_u16(w, own + tls13);
	extension_close(w, mark);
}

static void write_fragment_length(struct writer *w, uint16_t length)
{
	uint8_t code = fragment_code(length);

	extension_write(w, EXT_MAX_FRAGMENT_LENGTH, bytes_of(&code, 1));
}

void limits_write_offer(const struct engine *engine, struct writer *w)
{
	uint16_t own = engine->set.policy->record_limit;

	/* For servers that do not know the other one. */
	if (fragment_code(own))
		write_fragment_length(w, own);
	write_size_limit(w, own, engine->set.max_version >= TLS13);
}

void limits_write_answer(const struct engine *engine, struct writer *w)
{
	const struct limits *limits = &engine->limits;

	if (limits->by == EXT_RECORD_SIZE_LIMIT)
		write_size_limit(w, engine->set.policy->record_limit,
				 engine->version >= TLS13);
	else if (limits->by == EXT_MAX_FRAGMENT_LENGTH)
		write_fragment_length(w, limits->tx);
}

static int take_size_limit(struct engine *engine, struct engine_bytes body,
			   const char *what)
{
	struct limits *limits = &engine->limits;
	bool tls13 = engine->version >= TLS13;
	uint16_t theirs;

	if (extension_read_u16(body, &theirs))
		return engine_fail_message(engine, DECODE_ERROR, what);
	if (theirs < RECORD_SIZE_MIN)
		return engine_fail_message(engine, ILLEGAL_PARAMETER, what);
	limits->by = EXT_RECORD_SIZE_LIMIT;
	limits->rx = own_limit(engine, tls13);
	/* What is above the protocol's limit may come of a later version. */
	limits->tx = theirs > RECORD_MAX ? RECORD_MAX : theirs - tls13;
	return 0;
}

static int take_fragment_length(struct engine *engine,
				struct engine_bytes body, const char *what)
{
	struct limits *limits = &engine->limits;
	uint16_t length;

	if (body.len != 1)
		return engine_fail_message(engine, DECODE_ERROR, what);
	length = fragment_length(*body.data);
	if (!length || (is_client(engine) &&
			length != engine->set.policy->record_limit))
		return engine_fail_message(engine, ILLEGAL_PARAMETER, what);
	limits->by = EXT_MAX_FRAGMENT_LENGTH;
	limits->rx = length;
	limits->tx = length;
	return 0;
}

/* RFC 8449 section 5: who knows both ignores the old one. */
int limits_take_offer(struct engine *engine, const struct extensions *list)
{
	static const char what[] = "ClientHello";

	engine->limits = (struct limits){ 0 };
	if (extensions_have(list, EXT_RECORD_SIZE_LIMIT))
		return take_size_limit(engine, extensions_get(list,
						EXT_RECORD_SIZE_LIMIT), what);
	if (extensions_have(list, EXT_MAX_FRAGMENT_LENGTH))
		return take_fragment_length(engine, extensions_get(list,
						EXT_MAX_FRAGMENT_LENGTH), what);
	return 0;
}

int limits_take_answer(struct engine *engine, const struct extensions *list)
{
	bool size = extensions_have(list, EXT_RECORD_SIZE_LIMIT);
	bool fragment = extensions_have(list, EXT_MAX_FRAGMENT_LENGTH);
	const char *what = engine->version >= TLS13 ? "EncryptedExtensions" :
						      "ServerHello";

	if (size && fragment)
		return engine_fail_message(engine, ILLEGAL_PARAMETER, what);
	if (size)
		return take_size_limit(engine, extensions_get(list,
						EXT_RECORD_SIZE_LIMIT), what);
	if (fragment)
		return take_fragment_length(engine, extensions_get(list,
						EXT_MAX_FRAGMENT_LENGTH), what);
	return 0;
}

int limits_apply(struct engine *engine, enum socktls_direction direction)
{
	struct limits *limits = &engine->limits;
	bool rx = direction == SOCKTLS_DIRECTION_RX;
	uint16_t *limit = rx ? &limits->rx : &limits->tx;
	uint16_t max = *limit;

	*limit = 0;
	if (!max || max == RECORD_MAX)
		return 0;
	return limit_install(engine, direction, max);
}

int limits_apply_now(struct engine *engine)
{
	int ret;

	if (engine->limits.by != EXT_MAX_FRAGMENT_LENGTH)
		return 0;
	ret = limits_apply(engine, SOCKTLS_DIRECTION_TX);
	if (!ret)
		ret = limits_apply(engine, SOCKTLS_DIRECTION_RX);
	return ret;
}
