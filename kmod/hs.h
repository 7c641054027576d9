/* SPDX-License-Identifier: GPL-2.0 */
/* A handshake as the helper sees it, between handshake.c and the commands. */
#ifndef SOCKTLS_HS_H
#define SOCKTLS_HS_H

#include <linux/socktls_netlink.h>

#include "net.h"
#include "socktls.h"

#define HS_BYTES_MAX		RECORD_MAX_PLAINTEXT
#define HS_ACTIONS_MAX		64
#define HS_ACTION_BYTES_MAX	(256 * 1024)

struct socktls_worker {
	struct list_head	list;		/* in socktls_net.workers */
	struct list_head	items;		/* struct hs with something for it */
	struct sock		*sk;		/* the authority; referenced */
	u32			portid;		/* where the doorbell goes */
};

enum hs_state {
	HS_IDLE,	/* nothing for the helper */
	HS_READY,	/* an item waits to be claimed */
	HS_OUT,		/* claimed, the reply is awaited */
	HS_REPLIED,	/* actions wait to be applied */
};

/**
 * struct hs_action - one action of a REPLY
 * @taken: of @bytes, already in records
 * @lazy: SEND: not before the first application record
 * @limit: LIMIT, SKIP_EARLY: bytes
 * @mode: SKIP_EARLY
 * @alpn_len: DONE: bytes of the protocol name that follow the @len first ones
 * @cookie_len: DONE: and of the cookie behind them
 *
 * Wiped when freed: it may hold keys.
 */
struct hs_action {
	struct list_head	list;
	u32			kind;
	u32			content_type;
	u32			version;
	u32			direction;
	u32			chain;
	u32			suite;
	u32			group;
	u32			signature_scheme;
	u32			flags;
	u32			limit;
	u32			mode;
	bool			lazy;
	s32			alert;		/* -1: none */
	u32			error;
	struct socktls_key	key;
	u32			taken;
	u32			len;
	u32			alpn_len;
	u32			cookie_len;
	u8			bytes[];	/* SEND, CERTIFICATE; text else */
};

/**
 * struct hs - a handshake
 *
 * The netns' lock guards all of it but @ref and what is constant from the
 * start (@sn, @id and the parameters). In HS_IDLE the connection's work may
 * fill the item without it. One reference is the connection's, one the
 * xarray's.
 */
struct hs {
	refcount_t		ref;
	struct list_head	node;		/* worker's items or pending */
	struct socktls_net	*sn;
	u64			id;
	struct socktls_conn	*conn;		/* NULL once it is over */
	struct socktls_worker	*worker;
	u8			state;
	bool			introduced;	/* parameters were claimed */
	bool			answered;	/* a worker holds its engine */
	bool			lost;		/* that worker is gone */
	bool			aborted;	/* tell the worker, then forget */
	u32			reason;
	s32			alert;

	u8			role;
	struct socktls_config	*config;
	kuid_t			uid;
	kgid_t			gid;
	u32			pid;
	u64			cgroup;

	u32			level;
	u32			content_type;
	u32			len;
	u8			*bytes;

	struct list_head	actions;
};

void hs_put(struct hs *hs);
void hs_action_free(struct hs_action *action);
void hs_actions_free(struct list_head *actions);
int hs_alive(void);
void hs_requeue(struct hs *hs);
void hs_worker_gone(struct hs *hs, struct socktls_worker *worker);
void hs_forget(struct hs *hs);

/* netlink.c */
void socktls_nl_ring(struct socktls_net *sn, const struct hs *hs);
void socktls_nl_ring_again(struct work_struct *work);
int socktls_nl_init(void);
void socktls_nl_exit(void);

#endif /* SOCKTLS_HS_H */
