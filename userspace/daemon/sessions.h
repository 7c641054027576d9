/* SPDX-License-Identifier: MIT */
/*
 * Sessions in this process's memory: a server's by ID, a client's by whom and
 * how. Bounded: the least recently used go first. Everything that goes is
 * wiped.
 */
#ifndef SOCKTLSD_SESSIONS_H
#define SOCKTLSD_SESSIONS_H

#include <stddef.h>
#include <time.h>

#include "engine/engine.h"

/* TLS 1.3 tickets kept for one key: as many connections may begin at once. */
#define SESSIONS_TICKETS_MAX	4

struct sessions;

/**
 * struct ticket_ops - whoever holds the ticket keys
 * @seal: as in struct engine_sessions
 * @open: as in struct engine_sessions
 */
struct ticket_ops {
	int (*seal)(void *arg, time_t now, struct engine_bytes plain,
		    uint8_t *sealed, size_t *len);
	int (*open)(void *arg, time_t now, struct engine_bytes sealed,
		    uint8_t *plain, size_t *len);
};

/* Operations for engine_config.sessions; their arg is a struct sessions. */
extern const struct engine_sessions sessions_ops;

/**
 * sessions_new() - make a store
 * @sessions: set on success, owned by the caller
 * @max_bytes: memory that its entries may take
 * @tickets: keys for tickets, must outlive the store
 * @arg: for @tickets
 *
 * Return: 0, -ENOMEM, or -EIO without random numbers.
 */
int sessions_new(struct sessions **sessions, size_t max_bytes,
		 const struct ticket_ops *tickets, void *arg);
void sessions_free(struct sessions *sessions);

/* Another bound; what is over it goes at once. */
void sessions_set_max(struct sessions *sessions, size_t max_bytes);

/* Wipe what has expired. To be called now and then. */
void sessions_expire(struct sessions *sessions, time_t now);

size_t sessions_count(const struct sessions *sessions);
size_t sessions_bytes(const struct sessions *sessions);

#endif /* SOCKTLSD_SESSIONS_H */
