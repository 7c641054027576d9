// SPDX-License-Identifier: GPL-2.0
/* REPLY: what the helper wants done. */
#include <linux/slab.h>

#include "netlink.h"
#include "session.h"

/* From there on errnos are the kernel's own: a program must not see them. */
#define ACTION_ERRNO_MAX	511

/* What a helper may say of a connection. */
#define ACTION_INFO_FLAGS	(SOCKTLS_INFO_RESUMED | \
				 SOCKTLS_INFO_PEER_VERIFIED | \
				 SOCKTLS_INFO_SERVER | \
				 SOCKTLS_INFO_EXT_MASTER_SECRET | \
				 SOCKTLS_INFO_ENCRYPT_THEN_MAC | \
				 SOCKTLS_INFO_PSK)

static struct netlink_range_validation u16_range = { .max = U16_MAX };

const struct nla_policy socktls_action_policy[SOCKTLS_A_ACTION_MAX + 1] = {
	[SOCKTLS_A_ACTION_ID]		= { .type = NLA_U64 },
	[SOCKTLS_A_ACTION_KIND]		= NLA_POLICY_RANGE(NLA_U32,
						SOCKTLS_ACTION_SEND,
						SOCKTLS_ACTION_EXPORTED),
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
	[SOCKTLS_A_ACTION_CIPHER]	= NLA_POLICY_FULL_RANGE(NLA_U32,
							       &u16_range),
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
	[SOCKTLS_A_ACTION_SUITE]	= NLA_POLICY_FULL_RANGE(NLA_U32,
							       &u16_range),
	[SOCKTLS_A_ACTION_GROUP]	= NLA_POLICY_FULL_RANGE(NLA_U32,
							       &u16_range),
	[SOCKTLS_A_ACTION_SIGNATURE_SCHEME] = NLA_POLICY_FULL_RANGE(NLA_U32,
							       &u16_range),
	[SOCKTLS_A_ACTION_ALPN]		= { .type = NLA_BINARY, .len = 255 },
	[SOCKTLS_A_ACTION_PEER_IDENTITY] = { .type = NLA_NUL_STRING,
					     .len = 1023 },
	[SOCKTLS_A_ACTION_COOKIE]	= { .type = NLA_BINARY,
					    .len = SOCKTLS_COOKIE_MAX },
	[SOCKTLS_A_ACTION_ALERT]	= NLA_POLICY_MAX(NLA_U32, U8_MAX),
	[SOCKTLS_A_ACTION_ERRNO]	= NLA_POLICY_RANGE(NLA_U32, 1,
						ACTION_ERRNO_MAX),
	[SOCKTLS_A_ACTION_TEXT]		= { .type = NLA_NUL_STRING,
					    .len = 255 },
	[SOCKTLS_A_ACTION_SEQUENCE]	= { .type = NLA_U64 },
};

static u32 get_u32(struct nlattr **tb, int attr)
{
	return tb[attr] ? nla_get_u32(tb[attr]) : 0;
}

static u8 get_key_part(struct nlattr **tb, int attr, u8 *to)
{
	if (!tb[attr])
		return 0;
	memcpy(to, nla_data(tb[attr]), nla_len(tb[attr]));
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
	if (tb[SOCKTLS_A_ACTION_SEQUENCE])
		key->seq = nla_get_u64(tb[SOCKTLS_A_ACTION_SEQUENCE]);
	key->explicit_nonce = key->seq;
}

#define NEEDS(attr)	BIT(SOCKTLS_A_ACTION_##attr)

/* What each kind cannot do without. */
static const u32 action_needs[] = {
	[SOCKTLS_ACTION_SEND]		= NEEDS(CONTENT_TYPE) | NEEDS(BYTES),
	[SOCKTLS_ACTION_VERSION]	= NEEDS(VERSION),
	[SOCKTLS_ACTION_KEY]		= NEEDS(DIRECTION) | NEEDS(LEVEL) |
					  NEEDS(CIPHER) | NEEDS(KEY),
	[SOCKTLS_ACTION_LIMIT]		= NEEDS(DIRECTION) | NEEDS(LIMIT),
	[SOCKTLS_ACTION_SKIP_EARLY]	= NEEDS(MODE) | NEEDS(LIMIT),
	[SOCKTLS_ACTION_MORE]		= 0,
	[SOCKTLS_ACTION_CERTIFICATE]	= NEEDS(CHAIN) | NEEDS(BYTES),
	[SOCKTLS_ACTION_DONE]		= NEEDS(VERSION) | NEEDS(SUITE),
	[SOCKTLS_ACTION_FAIL]		= NEEDS(ERRNO),
	[SOCKTLS_ACTION_EXPORTED]	= NEEDS(BYTES),
};

static int action_check_needs(struct nlattr *nest, struct nlattr **tb, u32 kind,
			      struct netlink_ext_ack *extack)
{
	unsigned long needs = action_needs[kind];
	unsigned int attr;

	for_each_set_bit(attr, &needs, SOCKTLS_A_ACTION_MAX + 1)
		if (NL_REQ_ATTR_CHECK(extack, nest, tb, attr)) {
			NL_SET_ERR_MSG(extack,
				       "an action lacks what its kind needs");
			return -EINVAL;
		}
	return 0;
}

/* What a policy cannot say, as it depends on the kind. */
static int action_check(struct nlattr **tb, u32 kind,
			struct netlink_ext_ack *extack)
{
	u32 flags = get_u32(tb, SOCKTLS_A_ACTION_FLAGS);
	u32 limit = get_u32(tb, SOCKTLS_A_ACTION_LIMIT);

	switch (kind) {
	case SOCKTLS_ACTION_SEND:
		if (get_u32(tb, SOCKTLS_A_ACTION_CONTENT_TYPE) ==
		    RECORD_ALERT) {
			NL_SET_ERR_MSG(extack, "alerts are FAIL's to send");
			return -EINVAL;
		}
		fallthrough;
	case SOCKTLS_ACTION_CERTIFICATE:
		if (nla_len(tb[SOCKTLS_A_ACTION_BYTES]))
			return 0;
		NL_SET_ERR_MSG(extack, "SEND or CERTIFICATE of no bytes");
		return -EINVAL;
	case SOCKTLS_ACTION_KEY:
		if (!(flags & ~SOCKTLS_KEY_ENCRYPT_THEN_MAC))
			return 0;
		NL_SET_ERR_MSG(extack, "KEY with unknown flags");
		return -EINVAL;
	case SOCKTLS_ACTION_DONE:
		if (!(flags & ~ACTION_INFO_FLAGS))
			return 0;
		NL_SET_ERR_MSG(extack, "DONE with flags not a helper's");
		return -EINVAL;
	case SOCKTLS_ACTION_LIMIT:
		if (limit && limit <= RECORD_MAX_PLAINTEXT)
			return 0;
		NL_SET_ERR_MSG(extack, "LIMIT is not 1 to 16384");
		return -EINVAL;
	}
	return 0;
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
				      len + alpn_len + cookie_len),
			  GFP_KERNEL_ACCOUNT);
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
	action->alpn_len = alpn_len;
	if (alpn_len)
		memcpy(action->bytes + len, nla_data(alpn), alpn_len);
	action->cookie_len = cookie_len;
	if (cookie_len)
		memcpy(action->bytes + len + alpn_len, nla_data(cookie),
		       cookie_len);
	return action;
}

/* An id is never 0, which is none yet. All actions are of one connection. */
static int action_parse_id(struct nlattr **tb, u64 *id,
			   struct netlink_ext_ack *extack)
{
	u64 this = nla_get_u64(tb[SOCKTLS_A_ACTION_ID]);

	if (!this || (*id && *id != this)) {
		NL_SET_ERR_MSG_ATTR(extack, tb[SOCKTLS_A_ACTION_ID],
				    "no id, or actions of different ids");
		return -EINVAL;
	}
	*id = this;
	return 0;
}

/* DONE and FAIL are the last of a handshake. */
static int action_check_order(const struct list_head *actions,
			      struct netlink_ext_ack *extack)
{
	const struct hs_action *last;

	if (list_empty(actions))
		return 0;
	last = list_last_entry(actions, struct hs_action, list);
	if (!action_is_text(last->kind))
		return 0;
	NL_SET_ERR_MSG(extack, "an action behind DONE or FAIL");
	return -EINVAL;
}

static int action_parse(struct nlattr *nest, struct netlink_ext_ack *extack,
			u64 *id, struct list_head *actions)
{
	struct nlattr *tb[SOCKTLS_A_ACTION_MAX + 1];
	struct hs_action *action;
	u32 kind;
	int err;

	err = nla_parse_nested(tb, SOCKTLS_A_ACTION_MAX, nest,
			       socktls_action_policy, extack);
	if (err)
		return err;
	if (NL_REQ_ATTR_CHECK(extack, nest, tb, SOCKTLS_A_ACTION_ID) ||
	    NL_REQ_ATTR_CHECK(extack, nest, tb, SOCKTLS_A_ACTION_KIND)) {
		NL_SET_ERR_MSG(extack, "an action without id or kind");
		return -EINVAL;
	}
	kind = nla_get_u32(tb[SOCKTLS_A_ACTION_KIND]);
	err = action_parse_id(tb, id, extack);
	if (!err)
		err = action_check_order(actions, extack);
	if (!err)
		err = action_check_needs(nest, tb, kind, extack);
	if (!err)
		err = action_check(tb, kind, extack);
	if (err)
		return err;
	action = action_new(tb, kind);
	if (!action)
		return -ENOMEM;
	list_add_tail(&action->list, actions);
	return 0;
}

static int reply_parse(struct genl_info *info, u64 *id,
		       struct list_head *actions)
{
	u32 count = 0, size = 0;
	struct nlattr *nest;
	int rem, err;

	nla_for_each_attr(nest, genlmsg_data(info->genlhdr),
			  genlmsg_len(info->genlhdr), rem) {
		if (nla_type(nest) != SOCKTLS_A_ACTION)
			continue;
		size += nla_len(nest);
		if (++count > HS_ACTIONS_MAX || size > HS_ACTION_BYTES_MAX) {
			GENL_SET_ERR_MSG(info, "over 64 actions, or 256 KiB");
			return -E2BIG;
		}
		err = action_parse(nest, info->extack, id, actions);
		if (err)
			return err;
	}
	if (count)
		return 0;
	GENL_SET_ERR_MSG(info, "REPLY without actions");
	return -EINVAL;
}

/* Hands the actions to the connection. Lock held. */
static int reply_queue(struct socktls_net *sn, struct genl_info *info,
		       const struct sock *from, u64 id,
		       struct list_head *actions)
{
	struct socktls_worker *worker = nl_worker(sn, from);
	struct hs *hs = xa_load(&sn->handshakes, id);

	if (!worker) {
		GENL_SET_ERR_MSG(info, "this socket has not registered");
		return -EPERM;
	}
	if (!hs)
		return session_answer(sn, worker, id, actions, info->extack);
	if (!hs->conn || hs->worker != worker) {
		GENL_SET_ERR_MSG(info, "over, or another helper's");
		return -ENOENT;
	}
	if (hs->state != HS_OUT) {
		GENL_SET_ERR_MSG(info, "no item of this id awaits a reply");
		return -EPROTO;
	}
	list_splice_tail_init(actions, &hs->actions);
	hs->answered = true;
	hs->len = 0;
	hs->state = HS_REPLIED;
	socktls_conn_kick(hs->conn, 0);
	return 0;
}

int nl_reply(struct sk_buff *skb, struct genl_info *info)
{
	struct socktls_net *sn = socktls_net(genl_info_net(info));
	LIST_HEAD(actions);
	u64 id = 0;
	int err;

	err = reply_parse(info, &id, &actions);
	if (!err) {
		spin_lock_bh(&sn->lock);
		err = reply_queue(sn, info, NETLINK_CB(skb).sk, id, &actions);
		spin_unlock_bh(&sn->lock);
	}
	hs_actions_free(&actions);
	/* keys, taken or not; an error would echo them, too */
	memzero_explicit(genlmsg_data(info->genlhdr),
			 genlmsg_len(info->genlhdr));
	return err;
}
