/* SPDX-License-Identifier: MIT */
/* Extension lists, and the codecs of the extensions' bodies. */
#ifndef SOCKTLS_ENGINE_EXTENSIONS_H
#define SOCKTLS_ENGINE_EXTENSIONS_H

#include "engine/protocol.h"
#include "engine/wire.h"

#define EXTENSIONS_KNOWN	20

/* Where an extension may stand, the table of RFC 8446 section 4.2. */
enum extension_place {
	IN_CLIENT_HELLO		= 1 << 0,
	IN_SERVER_HELLO12	= 1 << 1,
	IN_SERVER_HELLO13	= 1 << 2,
	IN_HELLO_RETRY		= 1 << 3,
	IN_ENCRYPTED		= 1 << 4,
	IN_CERTIFICATE		= 1 << 5,
	IN_CERTIFICATE_REQUEST	= 1 << 6,
	IN_TICKET		= 1 << 7,
};

/**
 * struct extensions - a parsed list
 * @present: bit per row of the table in extensions.c
 * @unknown: there was one that the table does not have
 * @last: type of the last one
 * @body: extension_data by row
 */
struct extensions {
	uint32_t		present;
	bool			unknown;
	uint16_t		last;
	struct engine_bytes	body[EXTENSIONS_KNOWN];
};

/*
 * Parse the body of an Extension vector (without its length). Returns 0 or
 * an alert: DECODE_ERROR, ILLEGAL_PARAMETER for a type that comes twice or
 * that does not belong into @place.
 */
int extensions_parse(struct extensions *list, struct engine_bytes bytes,
		     enum extension_place place);
bool extensions_have(const struct extensions *list, uint16_t type);
/* The body, empty when absent. */
struct engine_bytes extensions_get(const struct extensions *list,
				   uint16_t type);
/* True when @list holds nothing (unknown ones included) that @asked lacks. */
bool extensions_within(const struct extensions *list,
		       const struct extensions *asked);
/* Count @type among those that may come back: the cookie comes unasked. */
void extensions_allow(struct extensions *asked, uint16_t type);

/*
 * Bodies. Each parser returns 0 or DECODE_ERROR (or the alert named) and, on
 * success, has read the whole body.
 */
int extension_read_server_name(struct engine_bytes body,
			       struct engine_bytes *host);
int extension_read_u16_list(struct engine_bytes body,
			    struct engine_bytes *list);
int extension_read_versions(struct engine_bytes body,
			    struct engine_bytes *list);
int extension_read_u8_list(struct engine_bytes body,
			   struct engine_bytes *list);
int extension_read_opaque(struct engine_bytes body, unsigned int width,
			  size_t min, struct engine_bytes *value);
int extension_read_u16(struct engine_bytes body, uint16_t *value);
int extension_read_alpn(struct engine_bytes body, struct engine_bytes *list);
int extension_read_empty(struct engine_bytes body);
/* A client's shares: the vector's content, to be read entry by entry. */
int extension_read_key_shares(struct engine_bytes body,
			      struct engine_bytes *entries);
int extension_read_key_share(struct engine_bytes body, uint16_t *group,
			     struct engine_bytes *share);
/* pre_shared_key of a ClientHello: two vectors of as many entries. */
struct psk_offer {
	struct engine_bytes	identities;
	struct engine_bytes	binders;
};

int extension_read_psk_offer(struct engine_bytes body, struct psk_offer *offer);
/* The next identity, and its binder; false at the end. */
bool psk_next(struct psk_offer *offer, struct engine_bytes *identity,
	      struct engine_bytes *binder);
/* The share for @group among @entries. */
bool key_shares_find(struct engine_bytes entries, uint16_t group,
		     struct engine_bytes *share);

/* Writing: type and length field, then the caller's body. */
size_t extension_open(struct writer *w, uint16_t type);
void extension_close(struct writer *w, size_t mark);
void extension_write(struct writer *w, uint16_t type, struct engine_bytes body);
void extension_write_u16_list(struct writer *w, uint16_t type,
			      const uint16_t *list, size_t n);

#endif /* SOCKTLS_ENGINE_EXTENSIONS_H */
