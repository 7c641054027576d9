// SPDX-License-Identifier: GPL-2.0
/* NEXT: what the kernel asks of the helper. */
#include "netlink.h"
#include "session.h"

#define NL_BUFFER_MAX		(1024 * 1024)
/* An item's attributes but for its longest strings, generously. */
#define NL_ITEM_OVERHEAD	1024

static u32 item_size(const struct hs *hs)
{
	return NL_ITEM_OVERHEAD + hs->len +
	       (hs->introduced ? 0 : hs->config->trust_len +
				     hs->config->alpn_len);
}

static int item_put_parameters(struct sk_buff *skb, const struct hs *hs)
{
	const struct socktls_config *c = hs->config;
	struct user_namespace *ns = hs->sn->net->user_ns;

	if (nla_put_u32(skb, SOCKTLS_A_ITEM_ROLE, hs->role) ||
	    nl_put_string(skb, SOCKTLS_A_ITEM_SERVER_NAME, c->server_name) ||
	    (c->alpn && nla_put(skb, SOCKTLS_A_ITEM_ALPN, c->alpn_len,
				c->alpn)) ||
	    nl_put_string(skb, SOCKTLS_A_ITEM_POLICY, c->policy) ||
	    nl_put_string(skb, SOCKTLS_A_ITEM_IDENTITY, c->identity) ||
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

int nl_next(struct sk_buff *skb, struct genl_info *info)
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
	worker = nl_worker(sn, NETLINK_CB(skb).sk);
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
