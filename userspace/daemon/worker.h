/* SPDX-License-Identifier: MIT */
/*
 * A worker: handshake items in, one reply each out, an engine per connection.
 *
 * Single-threaded. It does no I/O of its own: items come by worker_item(),
 * replies leave through struct worker_channel, which netlink.c implements and
 * the tests replace. A handshake that waits for its peer costs memory, never
 * time: no call waits for anything.
 */
#ifndef SOCKTLSD_WORKER_H
#define SOCKTLSD_WORKER_H

#include <stddef.h>
#include <stdio.h>

#include "action.h"
#include "item.h"
#include "stores.h"

struct worker;

/**
 * struct worker_channel - the way to the kernel
 * @reply: hand over the actions that answer an item of connection @id, of
 *	which there is at least one; the caller keeps and wipes @actions.
 *	Returns 0 when they are queued, -ENOENT when the connection is gone, or
 *	another negative errno when they were refused
 */
struct worker_channel {
	int (*reply)(void *arg, uint64_t id, const struct action_list *actions);
};

/**
 * worker_new() - make a worker, with a key of its own for cookies
 * @worker: set on success, owned by the caller
 * @channel: must outlive the worker
 * @arg: for @channel
 * @stores: identities and trust; borrowed
 * @keylog: NULL, or where to write the key log; borrowed
 *
 * Return: 0, -ENOMEM, or -EIO without randomness.
 */
int worker_new(struct worker **worker, const struct worker_channel *channel,
	       void *arg, const struct stores *stores, FILE *keylog);

/* Handshakes that begin from now on use @stores. */
void worker_set_stores(struct worker *worker, const struct stores *stores);

/**
 * struct worker_sessions - how handshakes are resumed
 * @ops: store and ticket keys, NULL: not at all
 * @arg: for @ops
 * @lifetime: of sessions and tickets, in seconds
 * @ids: servers resume by session ID
 * @tickets: that a server sends, 0: none
 */
struct worker_sessions {
	const struct engine_sessions	*ops;
	void				*arg;
	uint32_t			lifetime;
	bool				ids;
	unsigned int			tickets;
};

/* For handshakes that begin from now on; @sessions is copied. */
void worker_set_sessions(struct worker *worker,
			 const struct worker_sessions *sessions);

/**
 * worker_item() - serve one item
 * @worker: the worker
 * @item: read only during the call
 *
 * A HANDSHAKE or EXPORT item gets exactly one reply before the call returns.
 */
void worker_item(struct worker *worker, const struct item *item);

/* Handshakes in progress. */
size_t worker_count(const struct worker *worker);

/* Drops every handshake in progress, with nothing said to the kernel. */
void worker_free(struct worker *worker);

#endif /* SOCKTLSD_WORKER_H */
