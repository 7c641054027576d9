/* SPDX-License-Identifier: MIT */
/*
 * The keys of a server's tickets: AES-256-GCM, made here, never stored, wiped
 * after two periods. A ticket is
 *
 *	key name (16) | nonce (12) | ciphertext | tag (16)
 *
 * as RFC 5077 section 4 recommends, with an AEAD in place of cipher and MAC.
 */
#ifndef SOCKTLSD_TICKETKEYS_H
#define SOCKTLSD_TICKETKEYS_H

#include <stdint.h>
#include <time.h>

#include "sessions.h"

struct ticketkeys;

/* Their arg is a struct ticketkeys. */
extern const struct ticket_ops ticketkeys_ops;

/**
 * ticketkeys_new() - make an empty set; keys come with the first ticket
 * @keys: set on success, owned by the caller
 * @period: seconds that a key seals; it opens for as long again, so that a
 *	ticket of this lifetime can always be opened
 *
 * Return: 0 or -ENOMEM.
 */
int ticketkeys_new(struct ticketkeys **keys, uint32_t period);
void ticketkeys_free(struct ticketkeys *keys);

void ticketkeys_set_period(struct ticketkeys *keys, uint32_t period);

/* Wipe keys whose time is over. To be called now and then. */
void ticketkeys_expire(struct ticketkeys *keys, time_t now);

#endif /* SOCKTLSD_TICKETKEYS_H */
