// SPDX-License-Identifier: GPL-2.0
/*
 * The generic netlink family; Documentation/netlink/specs/socktls.yaml. No
 * doit waits for a socket, sends a record or allocates a transform: genl_rcv()
 * holds a lock of the whole system.
 */
#include <linux/netlink.h>
#include <linux/slab.h>
#include <linux/tls.h>
#include <net/genetlink.h>
#include <net/ipv6.h>

#include "session.h"

#define NL_RING_JIFFIES		msecs_to_jiffies(100)
#define NL_BUFFER_MAX		(1024 * 1024)
/* An item's attributes but for its longest strings, generously. */
#define NL_ITEM_OVERHEAD	1024

static struct genl_family socktls_family;

static const struct nla_policy action_policy[SOCKTLS_A_ACTION_MAX + 1] = {
	[SOCKTLS_A_ACTION_ID]		= { .type = NLA_U64 },
	[SOCKTLS_A_ACTION_KIND]		= { .type = NLA_U32 },
	[SOCKTLS_A_ACTION_CONTENT_TYPE]	= NLA_POLICY_RANGE(NLA_U32,
						RECORD_CHANGE_CIPHER_SPEC,
						RECORD_HANDSHAKE),
	[SOCKTLS_A_ACTION_BYTES]	= { .type = NLA_BINARY },
	[SOCKTLS_A_ACTION_LAZY]		= { .type = NLA_FLAG },
	[SOCKTLS_A_ACTION_VERSION]	= NLA_POLICY_RANGE(NLA_U32,
						RECORD_TLS_1_2, RECORD_TLS_1_3),
	[SOCKTLS_A_ACTION_DIRECTION]	= NLA_POLICY_MAX(NLA_U32,
						SOCKTLS_DIRECTION_TX),
	[SOCKTLS_A_ACTION_LEVEL]	= NLA_POLICY_RANGE(NLA_U32,
						SOCKTLS_LEVEL_HANDSHAKE,
						SOCKTLS_LEVEL_APPLICATION),
	[SOCKTLS_A_ACTION_CIPHER]	= { .type = NLA_U32 },
	[SOCKTLS_A_ACTION_FLAGS]	= { .type = NLA_U32 },
	[SOCKTLS_A_ACTION_KEY]		= { .type = NLA_BINARY,
					    .len = CIPHER_KEY_MAX },
	[SOCKTLS_A_ACTION_IV]		= { .type = NLA_BINARY,
					    .len = RECORD_NONCE_LEN },
	[SOCKTLS_A_ACTION_MAC_KEY]	= { .type = NLA_BINARY,
					    .len = CIPHER_MAC_KEY_MAX },
	[SOCKTLS_A_ACTION_TRAFFIC_SECRET] = { .type = NLA_BINARY,
					      .len = CIPHER_SECRET_MAX },
	[SOCKTLS_A_ACTION_LIMIT]	= { .type = NLA_U32 },
	[SOCKTLS_A_ACTION_MODE]		= NLA_POLICY_RANGE(NLA_U32,
						SOCKTLS_SKIP_OPAQUE,
						SOCKTLS_SKIP_TRIAL),
	[SOCKTLS_A_ACTION_CHAIN]	= NLA_POLICY_MAX(NLA_U32,
						SOCKTLS_CHAIN_LOCAL),
	[SOCKTLS_A_ACTION_SUITE]	= { .type = NLA_U32 },
	[SOCKTLS_A_ACTION_GROUP]	= { .type = NLA_U32 },
	[SOCKTLS_A_ACTION_SIGNATURE_SCHEME] = { .type = NLA_U32 },
	[SOCKTLS_A_ACTION_ALPN]		= { .type = NLA_BINARY, .len = 255 },
	[SOCKTLS_A_ACTION_PEER_IDENTITY] = { .type = NLA_NUL_STRING,
					     .len = 1023 },
	[SOCKTLS_A_ACTION_COOKIE]	= { .type = NLA_BINARY,
					    .len = SOCKTLS_COOKIE_MAX },
	[SOCKTLS_A_ACTION_ALERT]	= NLA_POLICY_MAX(NLA_U32, U8_MAX),
	[SOCKTLS_A_ACTION_ERRNO]	= NLA_POLICY_RANGE(NLA_U32, 1, 4095),
	[SOCKTLS_A_ACTION_TEXT]		= { .type = NLA_NUL_STRING,
					    .len = 255 },
};

static const struct nla_policy socktls_policy[SOCKTLS_A_MAX + 1] = {
	[SOCKTLS_A_BUFFER_SIZE]	= { .type = NLA_U32 },
	[SOCKTLS_A_ACTION]	= NLA_POLICY_NESTED(action_policy),
};

/* ---- helpers ---- */

static struct socktls_worker *worker_find(struct socktls_net *sn,
					  const struct sock *sk)
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
	if (worker_find(sn, sk)) {
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

/* ---- NEXT ---- */

static u32 item_size(const struct hs *hs)
{
	return NL_ITEM_OVERHEAD + hs->len +
	       (hs->introduced ? 0 : hs->config->trust_len +
				     hs->config->alpn_len);
}

static int put_string(struct sk_buff *skb, int attr, const char *text)
{
	return text ? nla_put_string(skb, attr, text) : 0;
}

static int item_put_parameters(struct sk_buff *skb, const struct hs *hs)
{
	const struct socktls_config *c = hs->config;
	struct user_namespace *ns = hs->sn->net->user_ns;

	if (nla_put_u32(skb, SOCKTLS_A_ITEM_ROLE, hs->role) ||
	    put_string(skb, SOCKTLS_A_ITEM_SERVER_NAME, c->server_name) ||
	    (c->alpn && nla_put(skb, SOCKTLS_A_ITEM_ALPN, c->alpn_len,
				c->alpn)) ||
	    put_string(skb, SOCKTLS_A_ITEM_POLICY, c->policy) ||
	    put_string(skb, SOCKTLS_A_ITEM_IDENTITY, c->identity) ||
	    (c->trust && nla_put(skb, SOCKTLS_A_ITEM_TRUST, c->trust_len,
				 c->trust)) ||
	    nla_put_u32(skb, SOCKTLS_A_ITEM_PEER_AUTH, c->peer_auth) ||
	    nla_put_u32(skb, SOCKTLS_A_ITEM_UID,
			from_kuid_munged(ns, hs->uid)) ||
	    nla_put_u32(skb, SOCKTLS_A_ITEM_GID,
			from_kgid_munged(ns, hs->gid)) ||
	    nla_put_u32(skb, SOCKTLS_A_ITEM_PID, hs->pid) ||
	    nla_put_u64_64bit(skb, SOCKTLS_A_ITEM_NETNS, hs->sn->net->ns.inum,
			      SOCKTLS_A_ITEM_PAD) ||
	    nla_put_u64_64bit(skb, SOCKTLS_A_ITEM_CGROUP, hs->cgroup,
			      SOCKTLS_A_ITEM_PAD))
		return -EMSGSIZE;
	return 0;
}

static int item_put_handshake(struct sk_buff *skb, const struct hs *hs)
{
	if (!hs->introduced && item_put_parameters(skb, hs))
		return -EMSGSIZE;
	if (!hs->len)
		return 0;
	if (nla_put_u32(skb, SOCKTLS_A_ITEM_LEVEL, hs->level) ||
	    nla_put_u32(skb, SOCKTLS_A_ITEM_CONTENT_TYPE, hs->content_type) ||
	    nla_put(skb, SOCKTLS_A_ITEM_BYTES, hs->len, hs->bytes))
		return -EMSGSIZE;
	return 0;
}

static int item_put_aborted(struct sk_buff *skb, const struct hs *hs)
{
	if (nla_put_u32(skb, SOCKTLS_A_ITEM_REASON, hs->reason) ||
	    (hs->alert >= 0 &&
	     nla_put_u32(skb, SOCKTLS_A_ITEM_ALERT, hs->alert)))
		return -EMSGSIZE;
	return 0;
}

static int item_put(struct sk_buff *skb, const struct hs *hs)
{
	struct nlattr *nest = nla_nest_start(skb, SOCKTLS_A_ITEM);
	u32 kind = hs->aborted ? SOCKTLS_ITEM_ABORTED : SOCKTLS_ITEM_HANDSHAKE;

	if (!nest)
		return -EMSGSIZE;
	if (nla_put_u32(skb, SOCKTLS_A_ITEM_KIND, kind) ||
	    nla_put_u64_64bit(skb, SOCKTLS_A_ITEM_ID, hs->id,
			      SOCKTLS_A_ITEM_PAD) ||
	    (hs->aborted ? item_put_aborted(skb, hs) :
			   item_put_handshake(skb, hs))) {
		nla_nest_cancel(skb, nest);
		return -EMSGSIZE;
	}
	nla_nest_end(skb, nest);
	return 0;
}

/* Moves what fits of @from into the message, and to @claimed. Lock held. */
static void next_claim(struct socktls_worker *worker, struct list_head *from,
		       struct sk_buff *skb, struct list_head *claimed)
{
	struct hs *hs, *next;

	list_for_each_entry_safe(hs, next, from, node) {
		if (item_size(hs) > (u32)skb_tailroom(skb) ||
		    item_put(skb, hs))
			return;
		list_move_tail(&hs->node, claimed);
		hs->worker = worker;
		hs->introduced = true;
		if (!hs->aborted)
			hs->state = HS_OUT;
	}
}

static int session_put_fields(struct sk_buff *skb,
			      const struct session_item *item)
{
	const struct socktls_cookie *cookie = item->cookie;

	if (nla_put(skb, SOCKTLS_A_ITEM_COOKIE, cookie->len, cookie->bytes))
		return -EMSGSIZE;
	switch (item->kind) {
	case SOCKTLS_ITEM_TICKET:
		return nla_put(skb, SOCKTLS_A_ITEM_BYTES, item->size,
			       item->bytes);
	case SOCKTLS_ITEM_ENDED:
		return nla_put_u32(skb, SOCKTLS_A_ITEM_ALERT, item->alert);
	}
	if (nla_put_string(skb, SOCKTLS_A_ITEM_LABEL, item->bytes) ||
	    nla_put_u32(skb, SOCKTLS_A_ITEM_LENGTH, item->length) ||
	    nla_put_u64_64bit(skb, SOCKTLS_A_ITEM_CONNECTION, item->connection,
			      SOCKTLS_A_ITEM_PAD) ||
	    (item->has_context &&
	     nla_put(skb, SOCKTLS_A_ITEM_CONTEXT, item->size - item->label_len,
		     item->bytes + item->label_len)))
		return -EMSGSIZE;
	return 0;
}

static int session_put(struct sk_buff *skb, const struct session_item *item)
{
	struct nlattr *nest = nla_nest_start(skb, SOCKTLS_A_ITEM);

	if (!nest)
		return -EMSGSIZE;
	if (nla_put_u32(skb, SOCKTLS_A_ITEM_KIND, item->kind) ||
	    nla_put_u64_64bit(skb, SOCKTLS_A_ITEM_ID, item->id,
			      SOCKTLS_A_ITEM_PAD) ||
	    session_put_fields(skb, item)) {
		nla_nest_cancel(skb, nest);
		return -EMSGSIZE;
	}
	nla_nest_end(skb, nest);
	return 0;
}

/* As next_claim(), of what is no handshake's. Lock held. */
static void next_claim_session(struct socktls_net *sn,
			       struct socktls_worker *worker,
			       struct sk_buff *skb, struct list_head *claimed)
{
	struct session_item *item, *next;

	list_for_each_entry_safe(item, next, &sn->items, node) {
		if (NL_ITEM_OVERHEAD + item->size + item->cookie->len >
		    (u32)skb_tailroom(skb) || session_put(skb, item))
			return;
		session_claim(sn, item, worker, claimed);
	}
}

/*
 * After the delivery: what was aborted is done with. What the connection
 * aborted meanwhile sits in the worker's list again and is left alone.
 */
static void next_settle(struct socktls_net *sn, struct socktls_worker *worker,
			struct list_head *claimed, struct list_head *session,
			bool delivered)
{
	struct hs *hs, *next;

	spin_lock_bh(&sn->lock);
	list_for_each_entry_safe(hs, next, claimed, node) {
		list_del_init(&hs->node);
		if (!delivered)
			hs_requeue(hs);
		else if (hs->aborted)
			hs_forget(hs);
	}
	session_settle(sn, worker, session, delivered);
	spin_unlock_bh(&sn->lock);
}

static int nl_next(struct sk_buff *skb, struct genl_info *info)
{
	struct socktls_net *sn = socktls_net(genl_info_net(info));
	struct socktls_worker *worker;
	struct sk_buff *reply;
	LIST_HEAD(claimed);
	LIST_HEAD(session);
	void *header;
	u32 size;
	int err;

	if (GENL_REQ_ATTR_CHECK(info, SOCKTLS_A_BUFFER_SIZE))
		return -EINVAL;
	size = nla_get_u32(info->attrs[SOCKTLS_A_BUFFER_SIZE]);
	if (size < SOCKTLS_BUFFER_MIN)
		return -EINVAL;
	size = min_t(u32, size, NL_BUFFER_MAX) - NL_ITEM_OVERHEAD;
	reply = genlmsg_new(size, GFP_KERNEL);
	if (!reply)
		return -ENOMEM;
	/* the allocator may give more: no more than the helper stated */
	skb_reserve(reply, skb_tailroom(reply) -
			   nlmsg_total_size(genlmsg_total_size(size)));
	header = genlmsg_put_reply(reply, info, &socktls_family, 0,
				   SOCKTLS_CMD_NEXT);
	if (!header) {
		nlmsg_free(reply);
		return -EMSGSIZE;
	}
	spin_lock_bh(&sn->lock);
	worker = worker_find(sn, NETLINK_CB(skb).sk);
	if (worker) {
		next_claim(worker, &worker->items, reply, &claimed);
		next_claim(worker, &sn->pending, reply, &claimed);
		next_claim_session(sn, worker, reply, &session);
	}
	spin_unlock_bh(&sn->lock);
	if (!worker) {
		nlmsg_free(reply);
		return -EPERM;
	}
	genlmsg_end(reply, header);
	err = genlmsg_reply(reply, info);
	next_settle(sn, worker, &claimed, &session, !err);
	return err;
}

/* ---- REPLY ---- */

static u32 get_u32(struct nlattr **tb, int attr)
{
	return tb[attr] ? nla_get_u32(tb[attr]) : 0;
}

/* A netlink policy cannot say "at most 65535". */
static bool action_fits_u16(struct nlattr **tb)
{
	return get_u32(tb, SOCKTLS_A_ACTION_CIPHER) <= U16_MAX &&
	       get_u32(tb, SOCKTLS_A_ACTION_SUITE) <= U16_MAX &&
	       get_u32(tb, SOCKTLS_A_ACTION_GROUP) <= U16_MAX &&
	       get_u32(tb, SOCKTLS_A_ACTION_SIGNATURE_SCHEME) <= U16_MAX;
}

/* The message is wiped, and so is what an error would echo of it. */
static u8 get_key_part(struct nlattr **tb, int attr, u8 *to)
{
	if (!tb[attr])
		return 0;
	memcpy(to, nla_data(tb[attr]), nla_len(tb[attr]));
	memzero_explicit(nla_data(tb[attr]), nla_len(tb[attr]));
	return nla_len(tb[attr]);
}

static void action_parse_key(struct nlattr **tb, struct socktls_key *key)
{
	key->cipher = get_u32(tb, SOCKTLS_A_ACTION_CIPHER);
	key->level = get_u32(tb, SOCKTLS_A_ACTION_LEVEL);
	key->encrypt_then_mac = get_u32(tb, SOCKTLS_A_ACTION_FLAGS) &
				SOCKTLS_KEY_ENCRYPT_THEN_MAC;
	key->key_len = get_key_part(tb, SOCKTLS_A_ACTION_KEY, key->key);
	key->iv_len = get_key_part(tb, SOCKTLS_A_ACTION_IV, key->iv);
	key->mac_key_len = get_key_part(tb, SOCKTLS_A_ACTION_MAC_KEY,
					key->mac_key);
	key->secret_len = get_key_part(tb, SOCKTLS_A_ACTION_TRAFFIC_SECRET,
				       key->secret);
}

/* What each kind cannot do without. */
static int action_check(struct nlattr **tb, u32 kind)
{
	u32 limit;

	switch (kind) {
	case SOCKTLS_ACTION_SEND:
		/* alerts are FAIL's */
		if (get_u32(tb, SOCKTLS_A_ACTION_CONTENT_TYPE) == RECORD_ALERT)
			return -EINVAL;
		return tb[SOCKTLS_A_ACTION_CONTENT_TYPE] &&
		       tb[SOCKTLS_A_ACTION_BYTES] &&
		       nla_len(tb[SOCKTLS_A_ACTION_BYTES]) ? 0 : -EINVAL;
	case SOCKTLS_ACTION_VERSION:
		return tb[SOCKTLS_A_ACTION_VERSION] ? 0 : -EINVAL;
	case SOCKTLS_ACTION_KEY:
		return tb[SOCKTLS_A_ACTION_DIRECTION] &&
		       tb[SOCKTLS_A_ACTION_LEVEL] &&
		       tb[SOCKTLS_A_ACTION_CIPHER] &&
		       tb[SOCKTLS_A_ACTION_KEY] &&
		       !(get_u32(tb, SOCKTLS_A_ACTION_FLAGS) &
			 ~SOCKTLS_KEY_ENCRYPT_THEN_MAC) ? 0 : -EINVAL;
	case SOCKTLS_ACTION_CERTIFICATE:
		return tb[SOCKTLS_A_ACTION_CHAIN] &&
		       tb[SOCKTLS_A_ACTION_BYTES] ? 0 : -EINVAL;
	case SOCKTLS_ACTION_DONE:
		return tb[SOCKTLS_A_ACTION_VERSION] &&
		       tb[SOCKTLS_A_ACTION_SUITE] ? 0 : -EINVAL;
	case SOCKTLS_ACTION_FAIL:
		return tb[SOCKTLS_A_ACTION_ERRNO] ? 0 : -EINVAL;
	case SOCKTLS_ACTION_MORE:
		return 0;
	case SOCKTLS_ACTION_LIMIT:
		limit = get_u32(tb, SOCKTLS_A_ACTION_LIMIT);
		return tb[SOCKTLS_A_ACTION_DIRECTION] && limit &&
		       limit <= RECORD_MAX_PLAINTEXT ? 0 : -EINVAL;
	case SOCKTLS_ACTION_SKIP_EARLY:
		return tb[SOCKTLS_A_ACTION_MODE] &&
		       tb[SOCKTLS_A_ACTION_LIMIT] ? 0 : -EINVAL;
	case SOCKTLS_ACTION_EXPORTED:
		return tb[SOCKTLS_A_ACTION_BYTES] ? 0 : -EINVAL;
	}
	return -EINVAL;
}

/* The one string of bytes that a kind carries. */
static const struct nlattr *action_bytes(struct nlattr **tb, u32 kind)
{
	switch (kind) {
	case SOCKTLS_ACTION_DONE:
		return tb[SOCKTLS_A_ACTION_PEER_IDENTITY];
	case SOCKTLS_ACTION_FAIL:
		return tb[SOCKTLS_A_ACTION_TEXT];
	}
	return tb[SOCKTLS_A_ACTION_BYTES];
}

static bool action_is_text(u32 kind)
{
	return kind == SOCKTLS_ACTION_DONE || kind == SOCKTLS_ACTION_FAIL;
}

static struct hs_action *action_new(struct nlattr **tb, u32 kind)
{
	const struct nlattr *bytes = action_bytes(tb, kind);
	const struct nlattr *alpn = tb[SOCKTLS_A_ACTION_ALPN];
	const struct nlattr *cookie = tb[SOCKTLS_A_ACTION_COOKIE];
	bool done = kind == SOCKTLS_ACTION_DONE;
	u32 alpn_len = alpn && done ? nla_len(alpn) : 0;
	u32 cookie_len = cookie && done ? nla_len(cookie) : 0;
	u32 len = bytes ? nla_len(bytes) : 0;
	struct hs_action *action;

	if (len && action_is_text(kind))
		len = strnlen(nla_data(bytes), len);
	action = kvzalloc(struct_size(action, bytes,
				      len + alpn_len + cookie_len), GFP_KERNEL);
	if (!action)
		return NULL;
	action->kind = kind;
	action->content_type = get_u32(tb, SOCKTLS_A_ACTION_CONTENT_TYPE);
	action->version = get_u32(tb, SOCKTLS_A_ACTION_VERSION);
	action->direction = get_u32(tb, SOCKTLS_A_ACTION_DIRECTION);
	action->chain = get_u32(tb, SOCKTLS_A_ACTION_CHAIN);
	action->suite = get_u32(tb, SOCKTLS_A_ACTION_SUITE);
	action->group = get_u32(tb, SOCKTLS_A_ACTION_GROUP);
	action->signature_scheme = get_u32(tb,
					   SOCKTLS_A_ACTION_SIGNATURE_SCHEME);
	action->flags = get_u32(tb, SOCKTLS_A_ACTION_FLAGS);
	action->limit = get_u32(tb, SOCKTLS_A_ACTION_LIMIT);
	action->mode = get_u32(tb, SOCKTLS_A_ACTION_MODE);
	action->lazy = tb[SOCKTLS_A_ACTION_LAZY];
	action->error = get_u32(tb, SOCKTLS_A_ACTION_ERRNO);
	action->alert = tb[SOCKTLS_A_ACTION_ALERT] ?
			(s32)get_u32(tb, SOCKTLS_A_ACTION_ALERT) : -1;
	if (kind == SOCKTLS_ACTION_KEY)
		action_parse_key(tb, &action->key);
	action->len = len;
	if (len)
		memcpy(action->bytes, nla_data(bytes), len);
	if (len && kind == SOCKTLS_ACTION_EXPORTED)
		memzero_explicit(nla_data(bytes), len);
	action->alpn_len = alpn_len;
	if (alpn_len)
		memcpy(action->bytes + len, nla_data(alpn), alpn_len);
	action->cookie_len = cookie_len;
	if (cookie_len) {
		memcpy(action->bytes + len + alpn_len, nla_data(cookie),
		       cookie_len);
		memzero_explicit(nla_data(cookie), cookie_len);
	}
	return action;
}

static int action_parse(const struct nlattr *nest, struct genl_info *info,
			u64 *id, struct list_head *actions)
{
	struct nlattr *tb[SOCKTLS_A_ACTION_MAX + 1];
	struct hs_action *action;
	u32 kind;
	int err;

	err = nla_parse_nested(tb, SOCKTLS_A_ACTION_MAX, nest, action_policy,
			       info->extack);
	if (err)
		return err;
	if (!tb[SOCKTLS_A_ACTION_ID] || !tb[SOCKTLS_A_ACTION_KIND])
		return -EINVAL;
	if (*id && *id != nla_get_u64(tb[SOCKTLS_A_ACTION_ID])) {
		GENL_SET_ERR_MSG(info, "actions of different ids in one REPLY");
		return -EINVAL;
	}
	*id = nla_get_u64(tb[SOCKTLS_A_ACTION_ID]);
	kind = nla_get_u32(tb[SOCKTLS_A_ACTION_KIND]);
	err = action_check(tb, kind);
	if (err)
		return err;
	if (!action_fits_u16(tb))
		return -EINVAL;
	action = action_new(tb, kind);
	if (!action)
		return -ENOMEM;
	list_add_tail(&action->list, actions);
	return 0;
}

static int reply_parse(struct genl_info *info, u64 *id,
		       struct list_head *actions)
{
	const struct nlattr *nest;
	u32 count = 0, size = 0;
	int rem, err;

	nla_for_each_attr(nest, genlmsg_data(info->genlhdr),
			  genlmsg_len(info->genlhdr), rem) {
		if (nla_type(nest) != SOCKTLS_A_ACTION)
			continue;
		size += nla_len(nest);
		if (++count > HS_ACTIONS_MAX || size > HS_ACTION_BYTES_MAX)
			return -E2BIG;
		err = action_parse(nest, info, id, actions);
		if (err)
			return err;
	}
	return count ? 0 : -EINVAL;
}

/* Hands the actions to the connection. */
static int reply_queue(struct socktls_net *sn, const struct sock *from, u64 id,
		       struct list_head *actions)
{
	struct socktls_worker *worker;
	struct hs *hs;
	int err = 0;

	spin_lock_bh(&sn->lock);
	worker = worker_find(sn, from);
	hs = xa_load(&sn->handshakes, id);
	if (!worker) {
		err = -EPERM;
	} else if (!hs) {
		err = session_answer(sn, worker, id, actions);
	} else if (!hs->conn || hs->worker != worker) {
		err = -ENOENT;
	} else if (hs->state != HS_OUT) {
		err = -EPROTO;
	} else {
		list_splice_tail_init(actions, &hs->actions);
		hs->answered = true;
		hs->len = 0;
		hs->state = HS_REPLIED;
		socktls_conn_kick(hs->conn, 0);
	}
	spin_unlock_bh(&sn->lock);
	return err;
}

static int nl_reply(struct sk_buff *skb, struct genl_info *info)
{
	LIST_HEAD(actions);
	u64 id = 0;
	int err;

	err = reply_parse(info, &id, &actions);
	if (!err)
		err = reply_queue(socktls_net(genl_info_net(info)),
				  NETLINK_CB(skb).sk, id, &actions);
	hs_actions_free(&actions);
	return err;
}

/* ---- CONN_GET ---- */

static int conn_put_address(struct sk_buff *skb, int attr,
			    const struct sock *sk, bool remote)
{
	const struct inet_sock *inet = inet_sk(sk);
	__be16 port = remote ? inet->inet_dport : inet->inet_sport;

#if IS_ENABLED(CONFIG_IPV6)
	if (sk->sk_family == AF_INET6) {
		struct sockaddr_in6 in6 = {
			.sin6_family = AF_INET6,
			.sin6_port = port,
			.sin6_addr = remote ? sk->sk_v6_daddr :
					      sk->sk_v6_rcv_saddr,
		};

		return nla_put(skb, attr, sizeof(in6), &in6);
	}
#endif
	{
		struct sockaddr_in in = {
			.sin_family = AF_INET,
			.sin_port = port,
			.sin_addr.s_addr = remote ? inet->inet_daddr :
						    inet->inet_rcv_saddr,
		};

		return nla_put(skb, attr, sizeof(in), &in);
	}
}

static int conn_put_fields(struct sk_buff *skb, struct socktls_conn *conn)
{
	struct user_namespace *ns = sock_net(conn->sk)->user_ns;
	u32 flags = READ_ONCE(conn->flags);

	if (READ_ONCE(conn->key_plane))
		flags |= SOCKTLS_INFO_KEY_PLANE;
	if (nla_put_u64_64bit(skb, SOCKTLS_A_CONN_ID, conn->id,
			      SOCKTLS_A_CONN_PAD) ||
	    nla_put_u32(skb, SOCKTLS_A_CONN_STATE, READ_ONCE(conn->state)) ||
	    nla_put_u32(skb, SOCKTLS_A_CONN_FLAGS, flags) ||
	    nla_put_u32(skb, SOCKTLS_A_CONN_UID,
			from_kuid_munged(ns, compat_sk_uid(conn->sk))) ||
	    nla_put_u64_64bit(skb, SOCKTLS_A_CONN_INODE,
			      sock_i_ino(conn->sk), SOCKTLS_A_CONN_PAD) ||
	    conn_put_address(skb, SOCKTLS_A_CONN_LOCAL, conn->sk, false) ||
	    conn_put_address(skb, SOCKTLS_A_CONN_REMOTE, conn->sk, true) ||
	    nla_put_u32(skb, SOCKTLS_A_CONN_VERSION,
			READ_ONCE(conn->version)) ||
	    nla_put_u32(skb, SOCKTLS_A_CONN_SUITE, READ_ONCE(conn->suite)) ||
	    put_string(skb, SOCKTLS_A_CONN_SERVER_NAME,
		       conn->config->server_name) ||
	    put_string(skb, SOCKTLS_A_CONN_PEER_IDENTITY, conn->peer_identity))
		return -EMSGSIZE;
	return 0;
}

static int conn_put(struct sk_buff *skb, struct netlink_callback *cb,
		    struct socktls_conn *conn)
{
	struct nlattr *nest;
	void *header;

	header = genlmsg_put(skb, NETLINK_CB(cb->skb).portid,
			     cb->nlh->nlmsg_seq, &socktls_family, NLM_F_MULTI,
			     SOCKTLS_CMD_CONN_GET);
	if (!header)
		return -EMSGSIZE;
	nest = nla_nest_start(skb, SOCKTLS_A_CONN);
	if (!nest || conn_put_fields(skb, conn)) {
		genlmsg_cancel(skb, header);
		return -EMSGSIZE;
	}
	nla_nest_end(skb, nest);
	genlmsg_end(skb, header);
	return 0;
}

static int nl_conn_dump(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct net *net = sock_net(skb->sk);
	struct socktls_net *sn = socktls_net(net);
	bool all = netlink_ns_capable(cb->skb, net->user_ns, CAP_NET_ADMIN);
	kuid_t uid = compat_sk_uid(NETLINK_CB(cb->skb).sk);
	struct socktls_conn *conn;

	spin_lock_bh(&sn->lock);
	/* args[0]: the last id that was told; ids only grow */
	list_for_each_entry(conn, &sn->conns, net_node) {
		if (conn->id <= cb->args[0] ||
		    (!all && !uid_eq(compat_sk_uid(conn->sk), uid)))
			continue;
		if (conn_put(skb, cb, conn))
			break;
		cb->args[0] = conn->id;
	}
	spin_unlock_bh(&sn->lock);
	return skb->len;
}

static const struct genl_ops socktls_genl_ops[] = {
	{ .cmd = SOCKTLS_CMD_REGISTER, .doit = nl_register,
	  .flags = GENL_UNS_ADMIN_PERM },
	{ .cmd = SOCKTLS_CMD_NEXT, .doit = nl_next },
	{ .cmd = SOCKTLS_CMD_REPLY, .doit = nl_reply },
	{ .cmd = SOCKTLS_CMD_CONN_GET, .dumpit = nl_conn_dump },
};

static struct genl_family socktls_family __ro_after_init = {
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
