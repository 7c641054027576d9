// SPDX-License-Identifier: GPL-2.0
/* What a network namespace holds; see struct socktls_net. */
#include <linux/slab.h>

#include "hs.h"
#include "net.h"

struct net_user {
	struct list_head	list;
	kuid_t			uid;
	u32			pending;
};

static unsigned int net_id;
static atomic64_t conn_ids = ATOMIC64_INIT(0);

struct socktls_net *socktls_net(const struct net *net)
{
	return net_generic(net, net_id);
}

/* A number that no connection and no other item has. */
u64 socktls_conn_new_id(void)
{
	return atomic64_inc_return(&conn_ids);
}

void socktls_net_add(struct socktls_conn *conn)
{
	struct socktls_net *sn = socktls_net(sock_net(conn->sk));

	spin_lock_bh(&sn->lock);
	/* under the lock: the list is in the order of the ids */
	conn->id = socktls_conn_new_id();
	list_add_tail(&conn->net_node, &sn->conns);
	spin_unlock_bh(&sn->lock);
}

/* Context: any, BH included. */
void socktls_net_remove(struct socktls_conn *conn)
{
	struct socktls_net *sn = socktls_net(sock_net(conn->sk));

	spin_lock_bh(&sn->lock);
	list_del_init(&conn->net_node);
	spin_unlock_bh(&sn->lock);
}

static struct net_user *net_find_user(struct socktls_net *sn, kuid_t uid)
{
	struct net_user *user;

	list_for_each_entry(user, &sn->users, list)
		if (uid_eq(user->uid, uid))
			return user;
	return NULL;
}

static void net_put_user(struct net_user *user)
{
	if (user->pending)
		return;
	list_del(&user->list);
	kfree(user);
}

/**
 * socktls_net_charge_user() - a uid begins a handshake
 * @sn: its lock is held
 * @uid: the requester
 *
 * Return: 0; -EUSERS when the uid has too many pending; -ENOMEM.
 */
int socktls_net_charge_user(struct socktls_net *sn, kuid_t uid)
{
	struct net_user *user = net_find_user(sn, uid);

	if (!user) {
		user = kzalloc(sizeof(*user), GFP_ATOMIC);
		if (!user)
			return -ENOMEM;
		user->uid = uid;
		list_add(&user->list, &sn->users);
	}
	if (user->pending >= READ_ONCE(sn->sysctls.max_handshakes_per_uid)) {
		net_put_user(user);
		return -EUSERS;
	}
	user->pending++;
	return 0;
}

/* @sn's lock is held. */
void socktls_net_uncharge_user(struct socktls_net *sn, kuid_t uid)
{
	struct net_user *user = net_find_user(sn, uid);

	if (WARN_ON_ONCE(!user))
		return;
	user->pending--;
	net_put_user(user);
}

static int __net_init net_init(struct net *net)
{
	struct socktls_net *sn = socktls_net(net);
	int err;

	spin_lock_init(&sn->lock);
	sn->net = net;
	INIT_LIST_HEAD(&sn->workers);
	INIT_LIST_HEAD(&sn->pending);
	INIT_LIST_HEAD(&sn->items);
	INIT_LIST_HEAD(&sn->exports);
	INIT_LIST_HEAD(&sn->conns);
	INIT_LIST_HEAD(&sn->users);
	xa_init_flags(&sn->handshakes, XA_FLAGS_LOCK_BH);
	INIT_DELAYED_WORK(&sn->ring, socktls_nl_ring_again);
	sn->stats = alloc_percpu(struct socktls_stats);
	if (!sn->stats)
		return -ENOMEM;
	err = socktls_sysctl_init(sn);
	if (err)
		goto err_stats;
	err = socktls_proc_init(net);
	if (err)
		goto err_sysctl;
	return 0;

err_sysctl:
	socktls_sysctl_exit(sn);
err_stats:
	free_percpu(sn->stats);
	return err;
}

/* Sockets hold their netns, so nothing is left but what the doorbell runs on. */
static void __net_exit net_exit(struct net *net)
{
	struct socktls_net *sn = socktls_net(net);

	socktls_proc_exit(net);
	socktls_sysctl_exit(sn);
	cancel_delayed_work_sync(&sn->ring);
	WARN_ON_ONCE(!list_empty(&sn->conns));
	WARN_ON_ONCE(sn->nr_items);
	WARN_ON_ONCE(!xa_empty(&sn->handshakes));
	xa_destroy(&sn->handshakes);
	free_percpu(sn->stats);
}

static struct pernet_operations net_ops = {
	.init	= net_init,
	.exit	= net_exit,
	.id	= &net_id,
	.size	= sizeof(struct socktls_net),
};

int socktls_net_init(void)
{
	return register_pernet_subsys(&net_ops);
}

void socktls_net_exit(void)
{
	unregister_pernet_subsys(&net_ops);
}
