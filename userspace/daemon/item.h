/* SPDX-License-Identifier: MIT */
/* What the kernel asks of the helper: SOCKTLS_A_ITEM, decoded. */
#ifndef SOCKTLSD_ITEM_H
#define SOCKTLSD_ITEM_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "engine/engine.h"

/**
 * struct item_parameters - what an id's first item says
 * @role: client or server
 * @server_name: NULL when not set; so for the other texts
 * @alpn: empty when not set
 * @policy: name
 * @identity: name, as the application wrote it
 * @trust: name, PEM or pins, as the application wrote it
 * @peer_auth: enum socktls_peer_auth
 * @uid: whose credentials count
 * @gid: its primary group
 * @pid: for the log only
 */
struct item_parameters {
	enum socktls_role	role;
	const char		*server_name;
	struct engine_bytes	alpn;
	const char		*policy;
	const char		*identity;
	struct engine_bytes	trust;
	enum socktls_peer_auth	peer_auth;
	uid_t			uid;
	gid_t			gid;
	pid_t			pid;
};

/**
 * struct item - one item; what it points to belongs to its buffer
 * @kind: of the item
 * @id: the connection
 * @is_first: @parameters are there
 * @parameters: HANDSHAKE, first time
 * @level: HANDSHAKE: of the record that carried @bytes
 * @content_type: HANDSHAKE: 22 or 20
 * @bytes: HANDSHAKE: may be empty in a first item; TICKET: the message
 * @reason: ABORTED: enum socktls_abort_reason
 * @alert: ABORTED: received alert, ENDED: the fatal alert, -1: none
 * @cookie: TICKET, EXPORT, ENDED: what DONE said
 * @connection: whose cookie; @id too, but for an EXPORT, whose id is its own
 * @label: EXPORT
 * @context: EXPORT
 * @has_context: EXPORT: @context counts, even when it is empty
 * @length: EXPORT: bytes wanted
 */
struct item {
	enum socktls_item_kind	kind;
	uint64_t		id;
	bool			is_first;
	struct item_parameters	parameters;
	enum socktls_level	level;
	uint8_t			content_type;
	struct engine_bytes	bytes;
	uint32_t		reason;
	int			alert;
	struct engine_bytes	cookie;
	uint64_t		connection;
	const char		*label;
	struct engine_bytes	context;
	bool			has_context;
	uint32_t		length;
};

#endif /* SOCKTLSD_ITEM_H */
