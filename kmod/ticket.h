/* SPDX-License-Identifier: GPL-2.0 */
/* The shape of a NewSessionTicket (RFC 8446 section 4.6.1). */
#ifndef SOCKTLS_TICKET_H
#define SOCKTLS_TICKET_H

#include <linux/types.h>

/**
 * struct ticket_shape - follows the fields of a message whose bytes come anyhow
 * @rest: bytes of the message that have not come
 * @need: of them, bytes of the field
 * @number: what the field's bytes so far are in big endian, modulo 2^16
 * @field: enum ticket_field
 * @bad: it is malformed
 * @complete: every field has come, and nothing is left
 */
struct ticket_shape {
	u32	rest;
	u32	need;
	u16	number;
	u8	field;
	bool	bad;
	bool	complete;
};

void ticket_begin(struct ticket_shape *shape, u32 len);
bool ticket_feed(struct ticket_shape *shape, const u8 *bytes, u32 len);

#endif /* SOCKTLS_TICKET_H */
