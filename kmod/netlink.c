// SPDX-License-Identifier: GPL-2.0
/*
 * The generic netlink family; Documentation/netlink/specs/socktls.yaml. The
 * helpers that have registered, and their doorbell. No doit waits for a socket,
 * sends a record or allocates a transform: genl_rcv() holds a lock of the whole
 * system.
 */
#include <linux/slab.h>

#include "netlink.h"
#include "session.h"

#define NL_RING_JIFFIES		msecs_to_jiffies(100)

static const struct nla_policy socktls_policy[SOCKTLS_A_MAX + 1] = {
	[SOCKTLS_A_BUFFER_SIZE]	= { .type = NLA_U32 },
	[SOCKTLS_A_ACTION]	= NLA_POLICY_NESTED(socktls_action_policy),
};

/* ---- helpers ---- */

/* The worker that @sk is, or NULL. Lock held. */
struct socktls_worker *nl_worker(struct socktls_net *sn, const struct sock *sk)
{
	struct socktls_worker *worker;

	list_for_each_entry(worker, &sn->workers, list)
		if (worker->sk == sk)
			return worker;
	return NULL;
}

static int nl_register(struct sk_buff *skb, struct genl_info *info)
{
	struct socktls_net *sn = socktls_net(genl_info_net(info));
	struct sock *sk = NETLINK_CB(skb).sk;
	struct socktls_worker *worker;
	int err = 0;

	worker = kzalloc(sizeof(*worker), GFP_KERNEL);
	if (!worker)
		return -ENOMEM;
	INIT_LIST_HEAD(&worker->items);
	worker->sk = sk;
	worker->portid = info->snd_portid;
	spin_lock_bh(&sn->lock);
	if (nl_worker(sn, sk)) {
		err = -EALREADY;
	} else {
		sock_hold(sk);
		list_add_tail(&worker->list, &sn->workers);
	}
	spin_unlock_bh(&sn->lock);
	if (err)
		kfree(worker);
	else
		mod_delayed_work(system_wq, &sn->ring, 0);
	return err;
}

static void worker_drop(struct socktls_net *sn, struct socktls_worker *worker)
{
	unsigned long id;
	struct hs *hs;

	list_del(&worker->list);
	xa_for_each(&sn->handshakes, id, hs)
		hs_worker_gone(hs, worker);
	session_worker_gone(sn, worker);
	sock_put(worker->sk);
	kfree(worker);
}

/*
 * A netlink socket was closed. Its port may be another's already, so the
 * socket is the criterion: this one is dead.
 */
static int nl_notify(struct notifier_block *nb, unsigned long event, void *ptr)
{
	struct netlink_notify *notify = ptr;
	struct socktls_worker *worker, *next;
	struct socktls_net *sn;

	if (event != NETLINK_URELEASE || notify->protocol != NETLINK_GENERIC)
		return NOTIFY_DONE;
	sn = socktls_net(notify->net);
	spin_lock_bh(&sn->lock);
	list_for_each_entry_safe(worker, next, &sn->workers, list)
		if (worker->portid == notify->portid &&
		    sock_flag(worker->sk, SOCK_DEAD))
			worker_drop(sn, worker);
	if ((!list_empty(&sn->pending) || !list_empty(&sn->items)) &&
	    !list_empty(&sn->workers))
		mod_delayed_work(system_wq, &sn->ring, 0);
	spin_unlock_bh(&sn->lock);
	return NOTIFY_DONE;
}

static struct notifier_block nl_notifier = {
	.notifier_call = nl_notify,
};

static void nl_ring_port(struct socktls_net *sn, u32 portid)
{
	struct sk_buff *skb = genlmsg_new(0, GFP_ATOMIC);

	if (!skb)
		return;	/* rung again in 100 ms */
	if (!genlmsg_put(skb, 0, 0, &socktls_family, 0, SOCKTLS_CMD_READY)) {
		nlmsg_free(skb);
		return;
	}
	/* a full queue is as good as a delivered doorbell */
	genlmsg_unicast(sn->net, skb, portid);
}

/* The worker in turn, for work that is nobody's yet. Lock held. */
static struct socktls_worker *nl_next_worker(struct socktls_net *sn)
{
	struct socktls_worker *worker;

	worker = list_first_entry_or_null(&sn->workers, struct socktls_worker,
					  list);
	if (worker)
		list_move_tail(&worker->list, &sn->workers);
	return worker;
}

/**
 * socktls_nl_ring() - tell a helper that there is work
 * @sn: the netns
 * @hs: whose item, just posted; referenced by the caller. NULL: any helper's
 *
 * Context: any but under the netns' lock, BH included.
 */
void socktls_nl_ring(struct socktls_net *sn, const struct hs *hs)
{
	struct socktls_worker *worker;
	u32 portid = 0;

	spin_lock_bh(&sn->lock);
	worker = hs && hs->worker ? hs->worker : nl_next_worker(sn);
	if (worker)
		portid = worker->portid;
	queue_delayed_work(system_wq, &sn->ring, NL_RING_JIFFIES);
	spin_unlock_bh(&sn->lock);
	if (portid)
		nl_ring_port(sn, portid);
}

/*
 * A worker could not be given what it had asked for: the others are rung, now,
 * before it. Lock held.
 */
void nl_pass_over(struct socktls_net *sn, const struct sock *sk)
{
	struct socktls_worker *worker = nl_worker(sn, sk);

	if (worker)
		list_move_tail(&worker->list, &sn->workers);
	mod_delayed_work(system_wq, &sn->ring, 0);
}

/* Doorbells may be lost; as long as there is unclaimed work, ring again. */
void socktls_nl_ring_again(struct work_struct *work)
{
	struct socktls_net *sn = container_of(to_delayed_work(work),
					      struct socktls_net, ring);
	struct socktls_worker *worker, *in_turn = NULL;
	u32 ports[16];
	unsigned int n = 0, i;
	bool again = false;

	spin_lock_bh(&sn->lock);
	if (!list_empty(&sn->pending) || !list_empty(&sn->items)) {
		in_turn = nl_next_worker(sn);
		again = true;
	}
	list_for_each_entry(worker, &sn->workers, list) {
		if (worker != in_turn && list_empty(&worker->items))
			continue;
		again = true;
		if (n < ARRAY_SIZE(ports))
			ports[n++] = worker->portid;
	}
	if (again && !list_empty(&sn->workers))
		queue_delayed_work(system_wq, &sn->ring, NL_RING_JIFFIES);
	spin_unlock_bh(&sn->lock);
	for (i = 0; i < n; i++)
		nl_ring_port(sn, ports[i]);
}

static const struct genl_ops socktls_genl_ops[] = {
	{ .cmd = SOCKTLS_CMD_REGISTER, .doit = nl_register,
	  .flags = GENL_UNS_ADMIN_PERM },
	{ .cmd = SOCKTLS_CMD_NEXT, .doit = nl_next },
	{ .cmd = SOCKTLS_CMD_REPLY, .doit = nl_reply },
	{ .cmd = SOCKTLS_CMD_CONN_GET, .dumpit = nl_conn_dump },
};

struct genl_family socktls_family __ro_after_init = {
	.name		= SOCKTLS_GENL_NAME,
	.version	= SOCKTLS_GENL_VERSION,
	.maxattr	= SOCKTLS_A_MAX,
	.policy		= socktls_policy,
	.netnsok	= true,
	.parallel_ops	= true,
	.module		= THIS_MODULE,
	.ops		= socktls_genl_ops,
	.n_ops		= ARRAY_SIZE(socktls_genl_ops),
};

int __init socktls_nl_init(void)
{
	int err = netlink_register_notifier(&nl_notifier);

	if (err)
		return err;
	err = genl_register_family(&socktls_family);
	if (err)
		netlink_unregister_notifier(&nl_notifier);
	return err;
}

static void nl_drop_workers(struct socktls_net *sn)
{
	struct socktls_worker *worker, *next;

	spin_lock_bh(&sn->lock);
	list_for_each_entry_safe(worker, next, &sn->workers, list)
		worker_drop(sn, worker);
	spin_unlock_bh(&sn->lock);
}

void socktls_nl_exit(void)
{
	struct net *net;

	genl_unregister_family(&socktls_family);
	netlink_unregister_notifier(&nl_notifier);
	down_read(&net_rwsem);
	for_each_net(net)
		nl_drop_workers(socktls_net(net));
	up_read(&net_rwsem);
}
