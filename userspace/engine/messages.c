// SPDX-License-Identifier: MIT
#include <string.h>

#include "engine/messages.h"

/* SHA-256("HelloRetryRequest"), RFC 8446 section 4.1.3. */
const uint8_t hello_retry_random[RANDOM_LEN] = {
	0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11,
	0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91,
	0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb, 0x8c, 0x5e,
	0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c,
};

static int whole(const struct reader *r)
{
	return reader_done(r) ? 0 : DECODE_ERROR;
}

/* The extensions block of a hello may be missing altogether before 1.3. */
static int hello_extensions(struct reader *r, struct extensions *list,
			    enum extension_place place)
{
	struct engine_bytes block = { 0 };

	if (reader_more(r))
		block = reader_vector(r, 2, 0);
	if (!reader_done(r))
		return DECODE_ERROR;
	return extensions_parse(list, block, place);
}

int client_hello_parse(struct client_hello *hello, struct engine_bytes body)
{
	struct reader r = reader_of(body);
	int alert;

	hello->legacy_version = reader_u16(&r);
	hello->random = reader_bytes(&r, RANDOM_LEN);
	hello->session_id = reader_vector(&r, 1, 0);
	hello->suites = reader_vector(&r, 2, 2);
	hello->compression = reader_vector(&r, 1, 1);
	if (r.bad || hello->session_id.len > SESSION_ID_MAX ||
	    hello->suites.len % 2)
		return DECODE_ERROR;
	alert = hello_extensions(&r, &hello->extensions, IN_CLIENT_HELLO);
	if (alert)
		return alert;
	/* RFC 8446 section 4.2.11: the last one. */
	if (extensions_have(&hello->extensions, EXT_PRE_SHARED_KEY) &&
	    hello->extensions.last != EXT_PRE_SHARED_KEY)
		return ILLEGAL_PARAMETER;
	return 0;
}

void client_hello_write(struct writer *w, uint16_t legacy_version,
			const uint8_t random[RANDOM_LEN],
			struct engine_bytes session_id, uint16_t grease,
			const uint16_t *suites, size_t n)
{
	size_t mark, i;

	writer_u16(w, legacy_version);
	writer_bytes(w, bytes_of(random, RANDOM_LEN));
	writer_vector(w, 1, session_id);
	mark = writer_open(w, 2);
	writer_u16(w, grease);
	for (i = 0; i < n; i++)
		writer_u16(w, suites[i]);
	writer_close(w, mark, 2);
	writer_u8(w, 1);	/* compression methods: */
	writer_u8(w, 0);	/* null */
}

/*
 * What may stand in the extensions depends on the version, which stands in
 * the extensions.
 */
static int server_hello_extensions(struct reader *r, struct server_hello *hello)
{
	struct reader again = *r;
	struct engine_bytes versions;
	unsigned int any = IN_SERVER_HELLO12 | IN_SERVER_HELLO13 |
			   IN_HELLO_RETRY;
	int alert;

	alert = hello_extensions(r, &hello->extensions, any);
	if (alert)
		return alert;
	hello->version = hello->legacy_version;
	if (!extensions_have(&hello->extensions, EXT_SUPPORTED_VERSIONS))
		return hello_extensions(&again, &hello->extensions,
					IN_SERVER_HELLO12);
	versions = extensions_get(&hello->extensions, EXT_SUPPORTED_VERSIONS);
	alert = extension_read_u16(versions, &hello->version);
	if (alert)
		return alert;
	/* Section 4.2.1: never used to negotiate an older version. */
	if (hello->version < TLS13)
		return ILLEGAL_PARAMETER;
	return hello_extensions(&again, &hello->extensions, hello->retry ?
				IN_HELLO_RETRY : IN_SERVER_HELLO13);
}

int server_hello_parse(struct server_hello *hello, struct engine_bytes body)
{
	struct reader r = reader_of(body);

	hello->legacy_version = reader_u16(&r);
	hello->random = reader_bytes(&r, RANDOM_LEN);
	hello->session_id = reader_vector(&r, 1, 0);
	hello->suite = reader_u16(&r);
	hello->compression = reader_u8(&r);
	if (r.bad || hello->session_id.len > SESSION_ID_MAX)
		return DECODE_ERROR;
	hello->retry = !memcmp(hello->random.data, hello_retry_random,
			       RANDOM_LEN);
	return server_hello_extensions(&r, hello);
}

void server_hello_write(struct writer *w, const uint8_t random[RANDOM_LEN],
			struct engine_bytes session_id, uint16_t suite)
{
	writer_u16(w, TLS12);
	writer_bytes(w, bytes_of(random, RANDOM_LEN));
	writer_vector(w, 1, session_id);
	writer_u16(w, suite);
	writer_u8(w, 0);
}

int encrypted_extensions_parse(struct extensions *list,
			       struct engine_bytes body)
{
	struct reader r = reader_of(body);
	struct engine_bytes block = reader_vector(&r, 2, 0);

	if (!reader_done(&r))
		return DECODE_ERROR;
	return extensions_parse(list, block, IN_ENCRYPTED);
}

bool certificate_next(struct certificate_list *list, struct engine_bytes *der,
		      struct engine_bytes *extensions)
{
	if (!reader_more(&list->list))
		return false;
	*der = reader_vector(&list->list, 3, 1);
	*extensions = bytes_of(NULL, 0);
	if (list->tls13)
		*extensions = reader_vector(&list->list, 2, 0);
	return !list->list.bad;
}

int certificate_parse(struct certificate_list *list, bool tls13,
		      struct engine_bytes body, struct engine_bytes *context)
{
	struct reader r = reader_of(body);
	struct certificate_list walk;
	struct engine_bytes der, block;
	struct extensions extensions;

	*context = bytes_of(NULL, 0);
	if (tls13)
		*context = reader_vector(&r, 1, 0);
	list->tls13 = tls13;
	list->list = reader_of(reader_vector(&r, 3, 0));
	if (!reader_done(&r))
		return DECODE_ERROR;
	walk = *list;
	while (certificate_next(&walk, &der, &block)) {
		int alert = extensions_parse(&extensions, block,
					     IN_CERTIFICATE);

		if (alert)
			return alert;
	}
	return whole(&walk.list);
}

/* A list of DistinguishedName: each one 1 to 2^16-1 bytes. */
static bool authorities_good(struct engine_bytes authorities)
{
	struct reader r = reader_of(authorities);

	while (reader_more(&r))
		reader_vector(&r, 2, 1);
	return reader_done(&r);
}

int certificate_request13_parse(struct certificate_request *request,
				struct engine_bytes body)
{
	struct reader r = reader_of(body);
	struct extensions list;
	struct engine_bytes block;
	int alert;

	*request = (struct certificate_request){ 0 };
	request->context = reader_vector(&r, 1, 0);
	block = reader_vector(&r, 2, 2);
	if (!reader_done(&r))
		return DECODE_ERROR;
	alert = extensions_parse(&list, block, IN_CERTIFICATE_REQUEST);
	if (alert)
		return alert;
	if (!extensions_have(&list, EXT_SIGNATURE_ALGORITHMS))
		return MISSING_EXTENSION;
	alert = extension_read_u16_list(extensions_get(&list,
						EXT_SIGNATURE_ALGORITHMS),
					&request->sigalgs);
	request->sigalgs_cert = request->sigalgs;
	if (!alert && extensions_have(&list, EXT_SIGNATURE_ALGORITHMS_CERT))
		alert = extension_read_u16_list(extensions_get(&list,
						EXT_SIGNATURE_ALGORITHMS_CERT),
						&request->sigalgs_cert);
	/* Section 4.4.2.1: empty here. */
	request->status = extensions_have(&list, EXT_STATUS_REQUEST);
	if (!alert && request->status)
		alert = extension_read_empty(extensions_get(&list,
							EXT_STATUS_REQUEST));
	if (alert || !extensions_have(&list, EXT_CERTIFICATE_AUTHORITIES))
		return alert;
	alert = extension_read_opaque(extensions_get(&list,
						EXT_CERTIFICATE_AUTHORITIES),
				      2, 3, &request->authorities);
	if (!alert && !authorities_good(request->authorities))
		alert = DECODE_ERROR;
	return alert;
}

int certificate_request12_parse(struct certificate_request *request,
				struct engine_bytes body)
{
	struct reader r = reader_of(body);

	*request = (struct certificate_request){ 0 };
	request->types = reader_vector(&r, 1, 1);
	request->sigalgs = reader_vector(&r, 2, 2);
	request->sigalgs_cert = request->sigalgs;
	request->authorities = reader_vector(&r, 2, 0);
	if (request->sigalgs.len % 2 || !authorities_good(request->authorities))
		return DECODE_ERROR;
	return whole(&r);
}

static void signature_read(struct reader *r, struct signature *signature)
{
	signature->scheme = reader_u16(r);
	signature->value = reader_vector(r, 2, 0);
}

int certificate_verify_parse(struct signature *signature,
			     struct engine_bytes body)
{
	struct reader r = reader_of(body);

	signature_read(&r, signature);
	return whole(&r);
}

void certificate_verify_write(struct writer *w, uint16_t scheme,
			      struct engine_bytes value)
{
	writer_u16(w, scheme);
	writer_vector(w, 2, value);
}

int server_key_exchange_ecdhe_parse(struct server_key_exchange *exchange,
				    struct engine_bytes body)
{
	struct reader r = reader_of(body);
	uint8_t curve_type = reader_u8(&r);

	exchange->group = reader_u16(&r);
	exchange->point = reader_vector(&r, 1, 1);
	exchange->params = bytes_of(body.data, body.len - r.left);
	signature_read(&r, &exchange->signature);
	if (!reader_done(&r))
		return DECODE_ERROR;
	return curve_type == CURVE_TYPE_NAMED ? 0 : ILLEGAL_PARAMETER;
}

int server_key_exchange_dhe_parse(struct server_key_exchange *exchange,
				  struct server_dh_params *dh,
				  struct engine_bytes body)
{
	struct reader r = reader_of(body);

	dh->p = reader_vector(&r, 2, 1);
	dh->g = reader_vector(&r, 2, 1);
	dh->y = reader_vector(&r, 2, 1);
	exchange->group = 0;
	exchange->point = dh->y;
	exchange->params = bytes_of(body.data, body.len - r.left);
	signature_read(&r, &exchange->signature);
	return whole(&r);
}

int client_key_exchange_parse(struct engine_bytes *exchange, unsigned int width,
			      struct engine_bytes body)
{
	struct reader r = reader_of(body);

	*exchange = reader_vector(&r, width, 1);
	return whole(&r);
}

int new_session_ticket13_parse(struct new_session_ticket *ticket,
			       struct engine_bytes body)
{
	struct reader r = reader_of(body);
	struct engine_bytes block;

	ticket->lifetime = reader_u32(&r);
	ticket->age_add = reader_u32(&r);
	ticket->nonce = reader_vector(&r, 1, 0);
	ticket->ticket = reader_vector(&r, 2, 1);
	block = reader_vector(&r, 2, 0);
	if (!reader_done(&r))
		return DECODE_ERROR;
	return extensions_parse(&ticket->extensions, block, IN_TICKET);
}

int new_session_ticket12_parse(struct new_session_ticket *ticket,
			       struct engine_bytes body)
{
	struct reader r = reader_of(body);

	*ticket = (struct new_session_ticket){ 0 };
	ticket->lifetime = reader_u32(&r);
	ticket->ticket = reader_vector(&r, 2, 0);
	return whole(&r);
}
