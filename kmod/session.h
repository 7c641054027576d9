/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the helper is told and asked after DONE: tickets, exporters, and that a
 * connection ended with a fatal alert. It keeps nothing for a connection but
 * the cookie that it gave with DONE.
 */
#ifndef SOCKTLS_SESSION_H
#define SOCKTLS_SESSION_H

#include <linux/completion.h>

#include "hs.h"

struct socktls_cookie {
	refcount_t		ref;
	u32			len;
	u8			bytes[];
};

/**
 * struct session_item - a TICKET, an EXPORT or an ENDED
 * @node: in socktls_net.items or .exports, or with a NEXT; empty: in none
 * @id: of the connection; of an EXPORT: its own
 * @connection: id of the connection
 * @worker: EXPORT: who is to answer
 * @fresh: EXPORT: its delivery is under way
 * @filled: TICKET: bytes that have come
 * @label_len: EXPORT: with the NUL; the context follows
 * @size: of @bytes
 *
 * The netns' lock guards @node, @worker, @fresh, @answer and @err until @done.
 * A list holds a reference, and so does whoever waits.
 */
struct session_item {
	struct list_head	node;
	refcount_t		ref;
	u32			kind;
	u64			id;
	u64			connection;
	struct socktls_cookie	*cookie;
	struct socktls_worker	*worker;
	bool			fresh;
	s32			alert;
	u32			filled;
	u32			length;
	u32			label_len;
	bool			has_context;
	struct completion	done;
	struct hs_action	*answer;
	int			err;
	u32			size;
	u8			bytes[];
};

void session_item_put(struct session_item *item);
int session_items_alive(void);
void session_claim(struct socktls_net *sn, struct session_item *item,
		   struct socktls_worker *worker, struct list_head *claimed);
void session_settle(struct socktls_net *sn, struct socktls_worker *worker,
		    struct list_head *claimed, bool delivered);
int session_answer(struct socktls_net *sn, struct socktls_worker *worker,
		   u64 id, struct list_head *actions,
		   struct netlink_ext_ack *extack);
void session_worker_gone(struct socktls_net *sn,
			 struct socktls_worker *worker);

#endif /* SOCKTLS_SESSION_H */
