/* SPDX-License-Identifier: GPL-2.0 */
/* What a network namespace holds: connections, helpers, counters, limits. */
#ifndef SOCKTLS_NET_H
#define SOCKTLS_NET_H

#include <linux/workqueue.h>
#include <linux/xarray.h>
#include <net/netns/generic.h>

#include "socktls.h"

#define HANDSHAKE_TIMEOUT_MAX	600000	/* milliseconds */

/* net.socktls.*: read with READ_ONCE(), written by proc handlers. */
struct socktls_sysctls {
	unsigned int	handshake_timeout_ms;
	unsigned int	max_handshakes;
	unsigned int	max_handshakes_per_uid;
	unsigned int	dynamic_records;
	unsigned int	rekey_records;		/* 0: the suite's limit */
};

/**
 * struct socktls_net - of one network namespace
 * @lock: guards everything below, and every struct hs of the netns; taken
 *	inside the socket lock, BH disabled
 * @workers: registered helper sockets
 * @pending: items that no worker has claimed yet
 * @items: struct session_item that no worker has claimed yet
 * @exports: those that a worker is to answer
 * @handshakes: struct hs by id
 * @conns: all connections
 * @ring: rings the doorbell again while @pending or @items is not empty
 * @stats: not under the lock, nor are @sysctls
 */
struct socktls_net {
	spinlock_t		lock;
	struct net		*net;
	struct list_head	workers;
	struct list_head	pending;
	struct xarray		handshakes;
	struct list_head	conns;
	struct list_head	users;
	struct list_head	items;
	struct list_head	exports;
	u32			nr_items;
	u32			items_size;	/* bytes */
	u32			nr_handshakes;
	struct delayed_work	ring;
	struct socktls_stats __percpu *stats;
	struct socktls_sysctls	sysctls;
	struct ctl_table	*sysctl_table;
	struct ctl_table_header	*sysctl_header;
};

struct socktls_net *socktls_net(const struct net *net);
void socktls_net_add(struct socktls_conn *conn);
u64 socktls_conn_new_id(void);
void socktls_net_remove(struct socktls_conn *conn);
int socktls_net_charge_user(struct socktls_net *sn, kuid_t uid);
void socktls_net_uncharge_user(struct socktls_net *sn, kuid_t uid);
int socktls_net_init(void);
void socktls_net_exit(void);

/* sysctl.c */
int socktls_sysctl_init(struct socktls_net *sn);
void socktls_sysctl_exit(struct socktls_net *sn);

/* proc.c */
int socktls_proc_init(struct net *net);
void socktls_proc_exit(struct net *net);

#endif /* SOCKTLS_NET_H */
