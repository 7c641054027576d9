// SPDX-License-Identifier: GPL-2.0
/*
 * A helper takes tickets when it has time, and nobody hears its opinion. So
 * that a malformed one ends its connection (RFC 8446 section 6), the lengths of
 * its fields are checked as they come.
 */
#include "ticket.h"

enum ticket_field {
	FIELD_TIMES,		/* ticket_lifetime, ticket_age_add */
	FIELD_NONCE_LEN,
	FIELD_NONCE,
	FIELD_TICKET_LEN,
	FIELD_TICKET,
	FIELD_LIST_LEN,
	FIELD_TYPE,
	FIELD_EXTENSION_LEN,
	FIELD_EXTENSION,
};

/* No bytes: as many as the field before said. */
static const struct {
	u8	bytes;
	u8	next;
} fields[] = {
	[FIELD_TIMES]		= { 8, FIELD_NONCE_LEN },
	[FIELD_NONCE_LEN]	= { 1, FIELD_NONCE },
	[FIELD_NONCE]		= { 0, FIELD_TICKET_LEN },
	[FIELD_TICKET_LEN]	= { 2, FIELD_TICKET },
	[FIELD_TICKET]		= { 0, FIELD_LIST_LEN },
	[FIELD_LIST_LEN]	= { 2, FIELD_TYPE },
	[FIELD_TYPE]		= { 2, FIELD_EXTENSION_LEN },
	[FIELD_EXTENSION_LEN]	= { 2, FIELD_EXTENSION },
	[FIELD_EXTENSION]	= { 0, FIELD_TYPE },
};

/**
 * ticket_begin() - a message begins
 * @shape: to be set
 * @len: of its body
 */
void ticket_begin(struct ticket_shape *shape, u32 len)
{
	*shape = (struct ticket_shape){
		.rest = len,
		.need = fields[FIELD_TIMES].bytes,
		.bad = len < fields[FIELD_TIMES].bytes,
	};
}

/* A field is complete. */
static void ticket_next(struct ticket_shape *shape)
{
	do {
		bool is_list = shape->field == FIELD_LIST_LEN;
		u16 number = shape->number;

		shape->field = fields[shape->field].next;
		shape->need = fields[shape->field].bytes ?: number;
		shape->number = 0;
		shape->complete = shape->field == FIELD_TYPE && !shape->rest;
		shape->bad = (is_list && number != shape->rest) ||
			     (shape->field == FIELD_TICKET && !number) ||
			     (shape->need > shape->rest && !shape->complete);
	} while (!shape->need && !shape->bad);
}

/**
 * ticket_feed() - bytes of the body
 * @shape: of ticket_begin()
 * @bytes: what follows what came before
 * @len: of @bytes; no more than are missing
 *
 * Return: whether the message can still become a good one; when all of it has
 * come, @shape->complete tells whether it has.
 */
bool ticket_feed(struct ticket_shape *shape, const u8 *bytes, u32 len)
{
	while (len-- && !shape->bad) {
		shape->number = shape->number << 8 | *bytes++;
		shape->rest--;
		if (!--shape->need)
			ticket_next(shape);
	}
	return !shape->bad;
}
