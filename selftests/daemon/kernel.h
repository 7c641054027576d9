/* SPDX-License-Identifier: MIT */
/*
 * Stands in for socktls.ko under a worker: it makes items, takes replies, and
 * carries bytes between two connections with a record layer that protects
 * nothing but checks that keys and levels of both sides agree.
 */
#ifndef SOCKTLS_SELFTESTS_KERNEL_H
#define SOCKTLS_SELFTESTS_KERNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "daemon/worker.h"

struct kernel;

struct record {
	STAILQ_ENTRY(record)	link;
	enum socktls_level	level;
	uint8_t			type;
	size_t			len;
	size_t			taken;
	uint8_t			data[];
};

/**
 * struct end - one connection of the kernel's
 * @parameters: what its first item says
 * @raw: an engine of the test's own serves it, not the worker
 * @silent: its records stay where they are: a slow peer
 * @reply_error: answer to the next reply
 * @refusals: how many replies to answer so
 * @awaiting: an item is out
 * @started: the first item was out
 * @over: DONE or FAIL was applied
 * @done: it was DONE
 * @replies: replies taken
 * @more: those that were MORE
 * @certs: CERTIFICATE actions by chain
 * @tickets: what was to be sent lazily
 * @tickets_len: bytes in it
 * @cookie: of DONE
 * @cookie_len: bytes in it
 * @exported: of EXPORTED
 * @exported_len: bytes in it
 */
struct end {
	LIST_ENTRY(end)			link;
	struct kernel			*kernel;
	uint64_t			id;
	struct item_parameters		parameters;
	struct end			*peer;
	struct engine			*raw;
	bool				silent;
	int				reply_error;
	unsigned int			refusals;
	bool				awaiting;
	bool				started;
	bool				over;
	bool				done;
	unsigned int			replies;
	unsigned int			more;
	unsigned int			certs[2];
	uint8_t				tickets[8192];
	size_t				tickets_len;
	uint8_t				cookie[4096];
	size_t				cookie_len;
	uint8_t				exported[ENGINE_EXPORT_MAX];
	size_t				exported_len;
	enum socktls_level		rx_level;
	enum socktls_level		tx_level;
	struct engine_key		rx_key;
	struct engine_key		tx_key;
	uint16_t			version;
	struct engine_result		result;
	char				peer_identity[ACTION_IDENTITY_MAX];
	int				error;
	int				alert;
	char				text[ACTION_TEXT_MAX];
	STAILQ_HEAD(, record)		queue;
};

/**
 * struct kernel - all connections, and the worker below test
 * @chunk: longest byte string of an item, 0: whole records
 */
struct kernel {
	struct worker		*worker;
	size_t			chunk;
	uint64_t		last_id;
	LIST_HEAD(, end)	ends;
};

void kernel_init(struct kernel *kernel, const struct stores *stores,
		 FILE *keylog);
/* Another worker; the old one is the caller's. */
void kernel_restart(struct kernel *kernel, const struct stores *stores);
void kernel_free(struct kernel *kernel);

/* A connection: for root, to or as example.org, all else default. */
struct end *kernel_add(struct kernel *kernel, enum socktls_role role);

/* Has @end served by an engine of its own instead of the worker. */
void kernel_make_raw(struct end *end, const struct engine_config *config);

void kernel_join(struct end *one, struct end *other);

/* Delivers at most one item to @end; false when there is none. */
bool kernel_step(struct end *end);

/* Delivers in turn until nothing moves. */
void kernel_run(struct kernel *kernel);

/* A first item, again and again. */
void kernel_start(struct end *end);

/* Hands out one HANDSHAKE item with these bytes. */
void kernel_deliver(struct end *end, enum socktls_level level, uint8_t type,
		    const uint8_t *data, size_t len);

void kernel_abort(struct end *end, enum socktls_abort_reason reason);

/* An established client's TICKET items, for all that its server sent lazily. */
void kernel_give_tickets(struct end *end);

/*
 * An EXPORT item; the reply is in end->exported, or end->error. A NULL
 * @context is none.
 */
void kernel_export(struct end *end, const char *label, const char *context,
		   uint32_t length);

/* An ENDED item. */
void kernel_end(struct end *end, int alert);

/* Both established, with the same result and each other's keys. */
void kernel_assert_good(const struct end *one, const struct end *other);

#endif /* SOCKTLS_SELFTESTS_KERNEL_H */
