/* SPDX-License-Identifier: MIT */
/* What the helper answers: SOCKTLS_A_ACTION, before it is encoded. */
#ifndef SOCKTLSD_ACTION_H
#define SOCKTLSD_ACTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "engine/engine.h"

/* Longest byte string of one action: its nest stays below 64 KiB. */
#define ACTION_BYTES_MAX	60000
/* A flight above this length goes out as several SEND actions. */
#define ACTION_SEND_MAX		32768
/* The kernel takes no longer peer identity, with the NUL. */
#define ACTION_IDENTITY_MAX	1024
/* SOCKTLS_ERROR has room for this much, with the NUL. */
#define ACTION_TEXT_MAX		248

/**
 * struct action - one action
 * @link: in the list
 * @kind: which of the fields below count
 * @content_type: SEND
 * @lazy: SEND: with the first application record
 * @version: VERSION
 * @key: KEY
 * @direction: LIMIT
 * @limit: LIMIT: longest plaintext of a record; SKIP_EARLY: how much to skip
 * @mode: SKIP_EARLY
 * @chain: CERTIFICATE
 * @result: DONE; its pointers point into @bytes
 * @alert: FAIL, -1: none
 * @error: FAIL: positive errno
 * @text: FAIL
 * @len: length of @bytes
 * @bytes: SEND, CERTIFICATE, EXPORTED: the bytes; DONE: what @result points to
 */
struct action {
	STAILQ_ENTRY(action)		link;
	enum socktls_action_kind	kind;
	union {
		struct {
			uint8_t		content_type;
			bool		lazy;
		};
		uint16_t		version;
		struct engine_key	key;
		struct {
			enum socktls_direction	direction;
			enum socktls_skip_mode	mode;
			uint32_t		limit;
		};
		enum socktls_chain	chain;
		struct engine_result	result;
		struct {
			int		alert;
			int		error;
			char		text[ACTION_TEXT_MAX];
		};
	};
	size_t				len;
	uint8_t				bytes[];
};

/* In the order in which the kernel shall apply them. */
STAILQ_HEAD(action_list, action);

/*
 * Each appends one action (SEND: as many as the bytes need) and copies what it
 * is given. Return 0, -ENOMEM, or -E2BIG for a certificate or a name that is
 * longer than the kernel takes. A name is never cut: it may decide who gets in.
 */
int action_add_send(struct action_list *list, uint8_t content_type,
		    struct engine_bytes bytes, bool lazy);
int action_add_version(struct action_list *list, uint16_t version);
int action_add_key(struct action_list *list, const struct engine_key *key);
int action_add_limit(struct action_list *list,
		     enum socktls_direction direction, uint32_t max_plaintext);
int action_add_skip_early(struct action_list *list,
			  enum socktls_skip_mode mode, uint32_t max_bytes);
int action_add_certificate(struct action_list *list, enum socktls_chain chain,
			   struct engine_bytes der);
int action_add_done(struct action_list *list,
		    const struct engine_result *result);
int action_add_fail(struct action_list *list, int alert, int error,
		    const char *text);
int action_add_more(struct action_list *list);
/* The answer to an EXPORT item. */
int action_add_exported(struct action_list *list, struct engine_bytes bytes);

/* Upper bound of the bytes that an action needs when encoded. */
size_t action_encoded_max(const struct action *action);

/* Wipes and frees all; the list is empty afterwards. */
void action_list_clear(struct action_list *list);

#endif /* SOCKTLSD_ACTION_H */
