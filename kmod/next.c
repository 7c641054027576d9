// SPDX-License-Identifier: GPL-2.0
/* NEXT: what the kernel asks of the helper. */
#include "netlink.h"
#include "session.h"

#define NL_BUFFER_MAX		(1024 * 1024)
/* The least that is worth a try when there is no memory in one piece. */
#define NL_BUFFER_LEAST		8192
/* An item's attributes but for its longest strings, generously. */
#define NL_ITEM_OVERHEAD	1024

/**
 * struct next - a NEXT being answered
 * @sn: the netns
 * @sk: whose; it is in sendmsg()
 * @skb: the answer
 * @claimed: struct hs that are in it
 * @session: struct session_item that are, and need no answer
 * @full: something had no room
 */
struct next {
	struct socktls_net	*sn;
	struct sock		*sk;
	struct sk_buff		*skb;
	struct list_head	claimed;
	struct list_head	session;
	bool			full;
};

static u32 item_size(const struct hs *hs)
{
	return NL_ITEM_OVERHEAD + hs->len +
	       (hs->introduced ? 0 : hs->config->trust_len +
				     hs->config->alpn_len);
}

/* uid and gid as the helper knows them, not as those do whom it serves. */
static int item_put_parameters(const struct next *next, const struct hs *hs)
{
	const struct socktls_config *c = hs->config;
	struct user_namespace *ns = sk_user_ns(next->sk);
	struct sk_buff *skb = next->skb;

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

static int item_put_handshake(const struct next *next, const struct hs *hs)
{
	struct sk_buff *skb = next->skb;

	if (!hs->introduced && item_put_parameters(next, hs))
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

static int item_put(const struct next *next, const struct hs *hs)
{
	struct sk_buff *skb = next->skb;
	struct nlattr *nest = nla_nest_start(skb, SOCKTLS_A_ITEM);
	u32 kind = hs->aborted ? SOCKTLS_ITEM_ABORTED : SOCKTLS_ITEM_HANDSHAKE;

	if (!nest)
		return -EMSGSIZE;
	if (nla_put_u32(skb, SOCKTLS_A_ITEM_KIND, kind) ||
	    nla_put_u64_64bit(skb, SOCKTLS_A_ITEM_ID, hs->id,
			      SOCKTLS_A_ITEM_PAD) ||
	    (hs->aborted ? item_put_aborted(skb, hs) :
			   item_put_handshake(next, hs))) {
		nla_nest_cancel(skb, nest);
		return -EMSGSIZE;
	}
	nla_nest_end(skb, nest);
	return 0;
}

/* Moves what fits of @from into the answer, and to @claimed. Lock held. */
static void next_claim(struct next *next, struct socktls_worker *worker,
		       struct list_head *from)
{
	struct hs *hs, *tmp;

	list_for_each_entry_safe(hs, tmp, from, node) {
		if (item_size(hs) > (u32)skb_tailroom(next->skb) ||
		    item_put(next, hs)) {
			next->full = true;
			return;
		}
		list_move_tail(&hs->node, &next->claimed);
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
static void next_claim_session(struct next *next, struct socktls_worker *worker)
{
	struct session_item *item, *tmp;

	list_for_each_entry_safe(item, tmp, &next->sn->items, node) {
		if (NL_ITEM_OVERHEAD + item->size + item->cookie->len >
		    (u32)skb_tailroom(next->skb) ||
		    session_put(next->skb, item)) {
			next->full = true;
			return;
		}
		session_claim(next->sn, item, worker, &next->session);
	}
}

/*
 * Return: 0; -EPERM when the socket has not registered; -ENOMEM when nothing
 * fits, which happens to an answer that got less room than was asked for.
 */
static int next_fill(struct next *next)
{
	struct socktls_net *sn = next->sn;
	struct socktls_worker *worker;
	int err = -EPERM;

	spin_lock_bh(&sn->lock);
	worker = nl_worker(sn, next->sk);
	if (worker) {
		u32 room = skb_tailroom(next->skb);

		next_claim(next, worker, &worker->items);
		next_claim(next, worker, &sn->pending);
		next_claim_session(next, worker);
		err = next->full && skb_tailroom(next->skb) == room ? -ENOMEM :
								      0;
	}
	spin_unlock_bh(&sn->lock);
	return err;
}

/*
 * After the delivery: what was aborted is done with. What the connection
 * aborted meanwhile sits in the worker's list again and is left alone. What
 * could not be delivered is another worker's to take.
 */
static void next_settle(struct next *next, bool delivered)
{
	struct socktls_net *sn = next->sn;
	struct hs *hs, *tmp;

	spin_lock_bh(&sn->lock);
	list_for_each_entry_safe_reverse(hs, tmp, &next->claimed, node) {
		list_del_init(&hs->node);
		if (!delivered)
			hs_requeue(hs);
		else if (hs->aborted)
			hs_forget(hs);
	}
	session_settle(sn, nl_worker(sn, next->sk), &next->session, delivered);
	if (!delivered)
		nl_pass_over(sn, next->sk);
	spin_unlock_bh(&sn->lock);
}

/*
 * Memory in one piece may be scarce: less will do. No more than the helper
 * stated, though the allocator may give it.
 */
static struct sk_buff *next_alloc(u32 size)
{
	gfp_t gfp = GFP_KERNEL | __GFP_NOWARN | __GFP_NORETRY;
	struct sk_buff *skb = NULL;
	u32 room;

	for (; !skb && size >= NL_BUFFER_LEAST; size /= 2) {
		if (size / 2 < NL_BUFFER_LEAST)
			gfp = GFP_KERNEL;
		room = size - NL_ITEM_OVERHEAD;
		skb = genlmsg_new(room, gfp);
	}
	if (skb)
		skb_reserve(skb, skb_tailroom(skb) -
				 nlmsg_total_size(genlmsg_total_size(room)));
	return skb;
}

static int next_size(struct genl_info *info, u32 *size)
{
	const struct nlattr *attr = info->attrs[SOCKTLS_A_BUFFER_SIZE];

	if (GENL_REQ_ATTR_CHECK(info, SOCKTLS_A_BUFFER_SIZE))
		return -EINVAL;
	*size = nla_get_u32(attr);
	if (*size < SOCKTLS_BUFFER_MIN) {
		NL_SET_ERR_MSG_ATTR(info->extack, attr,
				    "the longest item would not fit");
		return -EINVAL;
	}
	*size = min_t(u32, *size, NL_BUFFER_MAX);
	return 0;
}

int nl_next(struct sk_buff *skb, struct genl_info *info)
{
	struct next next = {
		.sn = socktls_net(genl_info_net(info)),
		.sk = NETLINK_CB(skb).sk,
		.claimed = LIST_HEAD_INIT(next.claimed),
		.session = LIST_HEAD_INIT(next.session),
	};
	void *header;
	u32 size;
	int err;

	err = next_size(info, &size);
	if (err)
		return err;
	next.skb = next_alloc(size);
	if (!next.skb)
		return -ENOMEM;
	header = genlmsg_put_reply(next.skb, info, &socktls_family, 0,
				   SOCKTLS_CMD_NEXT);
	err = header ? next_fill(&next) : -EMSGSIZE;
	if (err == -EPERM)
		GENL_SET_ERR_MSG(info, "this socket has not registered");
	if (err) {
		nlmsg_free(next.skb);
		return err;
	}
	genlmsg_end(next.skb, header);
	err = genlmsg_reply(next.skb, info);
	next_settle(&next, !err);
	return err;
}
