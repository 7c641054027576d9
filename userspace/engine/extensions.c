// SPDX-License-Identifier: MIT
#include <string.h>

#include "engine/extensions.h"

/* RFC 8446 section 4.2 for TLS 1.3; IN_SERVER_HELLO12 from each one's RFC. */
static const struct {
	uint16_t	type;
	unsigned int	places;
} known[EXTENSIONS_KNOWN] = {
	{ EXT_SERVER_NAME,
	  IN_CLIENT_HELLO | IN_SERVER_HELLO12 | IN_ENCRYPTED },
	{ EXT_MAX_FRAGMENT_LENGTH,
	  IN_CLIENT_HELLO | IN_SERVER_HELLO12 | IN_ENCRYPTED },
	{ EXT_STATUS_REQUEST,
	  IN_CLIENT_HELLO | IN_SERVER_HELLO12 | IN_CERTIFICATE |
	  IN_CERTIFICATE_REQUEST },
	{ EXT_SUPPORTED_GROUPS,
	  /* TLS 1.2 servers are known to send it: tolerated, ignored */
	  IN_CLIENT_HELLO | IN_SERVER_HELLO12 | IN_ENCRYPTED },
	{ EXT_EC_POINT_FORMATS, IN_CLIENT_HELLO | IN_SERVER_HELLO12 },
	{ EXT_SIGNATURE_ALGORITHMS, IN_CLIENT_HELLO | IN_CERTIFICATE_REQUEST },
	{ EXT_ALPN, IN_CLIENT_HELLO | IN_SERVER_HELLO12 | IN_ENCRYPTED },
	{ EXT_ENCRYPT_THEN_MAC, IN_CLIENT_HELLO | IN_SERVER_HELLO12 },
	{ EXT_EXTENDED_MASTER_SECRET, IN_CLIENT_HELLO | IN_SERVER_HELLO12 },
	{ EXT_RECORD_SIZE_LIMIT,
	  IN_CLIENT_HELLO | IN_SERVER_HELLO12 | IN_ENCRYPTED },
	{ EXT_SESSION_TICKET, IN_CLIENT_HELLO | IN_SERVER_HELLO12 },
	{ EXT_PRE_SHARED_KEY, IN_CLIENT_HELLO | IN_SERVER_HELLO13 },
	{ EXT_EARLY_DATA, IN_CLIENT_HELLO | IN_ENCRYPTED | IN_TICKET },
	{ EXT_SUPPORTED_VERSIONS,
	  IN_CLIENT_HELLO | IN_SERVER_HELLO13 | IN_HELLO_RETRY },
	{ EXT_COOKIE, IN_CLIENT_HELLO | IN_HELLO_RETRY },
	{ EXT_PSK_KEY_EXCHANGE_MODES, IN_CLIENT_HELLO },
	{ EXT_CERTIFICATE_AUTHORITIES,
	  IN_CLIENT_HELLO | IN_CERTIFICATE_REQUEST },
	{ EXT_SIGNATURE_ALGORITHMS_CERT,
	  IN_CLIENT_HELLO | IN_CERTIFICATE_REQUEST },
	{ EXT_KEY_SHARE,
	  IN_CLIENT_HELLO | IN_SERVER_HELLO13 | IN_HELLO_RETRY },
	{ EXT_RENEGOTIATION_INFO, IN_CLIENT_HELLO | IN_SERVER_HELLO12 },
};

static int row_of(uint16_t type)
{
	int i;

	for (i = 0; i < EXTENSIONS_KNOWN; i++)
		if (known[i].type == type)
			return i;
	return -1;
}

static int extensions_add(struct extensions *list, uint16_t type,
			  struct engine_bytes body, enum extension_place place)
{
	int row = row_of(type);

	list->last = type;
	if (row < 0) {
		list->unknown = true;
		return 0;
	}
	if (!(known[row].places & place))
		return ILLEGAL_PARAMETER;
	list->present |= 1U << row;
	list->body[row] = body;
	return 0;
}

int extensions_parse(struct extensions *list, struct engine_bytes bytes,
		     enum extension_place place)
{
	struct reader r = reader_of(bytes);
	uint8_t seen[65536 / 8] = { 0 };	/* unknown types count too */

	*list = (struct extensions){ 0 };
	while (reader_more(&r)) {
		uint16_t type = reader_u16(&r);
		struct engine_bytes body = reader_vector(&r, 2, 0);
		int alert;

		if (r.bad)
			return DECODE_ERROR;
		if (seen[type / 8] & 1 << type % 8)
			return ILLEGAL_PARAMETER;
		seen[type / 8] |= 1 << type % 8;
		alert = extensions_add(list, type, body, place);
		if (alert)
			return alert;
	}
	return reader_done(&r) ? 0 : DECODE_ERROR;
}

bool extensions_have(const struct extensions *list, uint16_t type)
{
	int row = row_of(type);

	return row >= 0 && list->present & 1U << row;
}

struct engine_bytes extensions_get(const struct extensions *list, uint16_t type)
{
	int row = row_of(type);

	if (row < 0 || !(list->present & 1U << row))
		return bytes_of(NULL, 0);
	return list->body[row];
}

bool extensions_within(const struct extensions *list,
		       const struct extensions *asked)
{
	return !list->unknown && !(list->present & ~asked->present);
}

void extensions_allow(struct extensions *asked, uint16_t type)
{
	int row = row_of(type);

	if (row >= 0)
		asked->present |= 1U << row;
}

static int whole(const struct reader *r)
{
	return reader_done(r) ? 0 : DECODE_ERROR;
}

/* RFC 6066 section 3: at most one name of each type; only host_name exists. */
int extension_read_server_name(struct engine_bytes body,
			       struct engine_bytes *host)
{
	struct reader outer = reader_of(body);
	struct reader names = reader_of(reader_vector(&outer, 2, 1));

	*host = bytes_of(NULL, 0);
	while (reader_more(&names)) {
		uint8_t type = reader_u8(&names);
		struct engine_bytes name = reader_vector(&names, 2, 1);

		if (type == NAME_TYPE_HOST_NAME && host->len)
			return ILLEGAL_PARAMETER;
		if (type == NAME_TYPE_HOST_NAME)
			*host = name;
	}
	if (host->len && memchr(host->data, 0, host->len))
		return ILLEGAL_PARAMETER;
	return reader_done(&names) ? whole(&outer) : DECODE_ERROR;
}

int extension_read_u16_list(struct engine_bytes body, struct engine_bytes *list)
{
	struct reader r = reader_of(body);

	*list = reader_vector(&r, 2, 2);
	return list->len % 2 ? DECODE_ERROR : whole(&r);
}

int extension_read_versions(struct engine_bytes body, struct engine_bytes *list)
{
	struct reader r = reader_of(body);

	*list = reader_vector(&r, 1, 2);
	return list->len % 2 ? DECODE_ERROR : whole(&r);
}

int extension_read_u8_list(struct engine_bytes body, struct engine_bytes *list)
{
	return extension_read_opaque(body, 1, 1, list);
}

int extension_read_opaque(struct engine_bytes body, unsigned int width,
			  size_t min, struct engine_bytes *value)
{
	struct reader r = reader_of(body);

	*value = reader_vector(&r, width, min);
	return whole(&r);
}

int extension_read_u16(struct engine_bytes body, uint16_t *value)
{
	struct reader r = reader_of(body);

	*value = reader_u16(&r);
	return whole(&r);
}

int extension_read_alpn(struct engine_bytes body, struct engine_bytes *list)
{
	struct reader r = reader_of(body), names;

	*list = reader_vector(&r, 2, 2);
	names = reader_of(*list);
	while (reader_more(&names))
		reader_vector(&names, 1, 1);
	return reader_done(&names) ? whole(&r) : DECODE_ERROR;
}

int extension_read_empty(struct engine_bytes body)
{
	return body.len ? DECODE_ERROR : 0;
}

/* RFC 8446 section 4.2.8: one entry per group. */
int extension_read_key_shares(struct engine_bytes body,
			      struct engine_bytes *entries)
{
	struct reader r = reader_of(body), entry;
	uint8_t seen[65536 / 8] = { 0 };

	*entries = reader_vector(&r, 2, 0);
	entry = reader_of(*entries);
	while (reader_more(&entry)) {
		uint16_t group = reader_u16(&entry);

		reader_vector(&entry, 2, 1);
		if (entry.bad)
			return DECODE_ERROR;
		if (seen[group / 8] & 1 << group % 8)
			return ILLEGAL_PARAMETER;
		seen[group / 8] |= 1 << group % 8;
	}
	return reader_done(&entry) ? whole(&r) : DECODE_ERROR;
}

bool psk_next(struct psk_offer *offer, struct engine_bytes *identity,
	      struct engine_bytes *binder)
{
	struct reader identities = reader_of(offer->identities);
	struct reader binders = reader_of(offer->binders);

	*identity = reader_vector(&identities, 2, 1);
	reader_u32(&identities);	/* obfuscated_ticket_age */
	*binder = reader_vector(&binders, 1, 32);
	offer->identities = reader_rest(&identities);
	offer->binders = reader_rest(&binders);
	return !identities.bad && !binders.bad;
}

/* RFC 8446 section 4.2.11 */
int extension_read_psk_offer(struct engine_bytes body, struct psk_offer *offer)
{
	struct reader r = reader_of(body);
	struct engine_bytes identity, binder;
	struct psk_offer walk;

	offer->identities = reader_vector(&r, 2, 7);
	offer->binders = reader_vector(&r, 2, 33);
	if (!reader_done(&r))
		return DECODE_ERROR;
	walk = *offer;
	while (walk.identities.len && walk.binders.len)
		if (!psk_next(&walk, &identity, &binder))
			return DECODE_ERROR;
	return walk.identities.len || walk.binders.len ? ILLEGAL_PARAMETER : 0;
}

bool key_shares_find(struct engine_bytes entries, uint16_t group,
		     struct engine_bytes *share)
{
	struct reader r = reader_of(entries);

	while (reader_more(&r)) {
		uint16_t code = reader_u16(&r);

		*share = reader_vector(&r, 2, 1);
		if (!r.bad && code == group)
			return true;
	}
	return false;
}

int extension_read_key_share(struct engine_bytes body, uint16_t *group,
			     struct engine_bytes *share)
{
	struct reader r = reader_of(body);

	*group = reader_u16(&r);
	*share = reader_vector(&r, 2, 1);
	return whole(&r);
}

size_t extension_open(struct writer *w, uint16_t type)
{
	writer_u16(w, type);
	return writer_open(w, 2);
}

void extension_close(struct writer *w, size_t mark)
{
	writer_close(w, mark, 2);
}

void extension_write(struct writer *w, uint16_t type, struct engine_bytes body)
{
	writer_u16(w, type);
	writer_vector(w, 2, body);
}

void extension_write_u16_list(struct writer *w, uint16_t type,
			      const uint16_t *list, size_t n)
{
	size_t mark = extension_open(w, type);
	size_t inner = writer_open(w, 2);
	size_t i;

	for (i = 0; i < n; i++)
		writer_u16(w, list[i]);
	writer_close(w, inner, 2);
	extension_close(w, mark);
}
