// SPDX-License-Identifier: GPL-2.0
/* REPLY: what the helper wants done. */
#include <linux/slab.h>

#include "netlink.h"
#include "session.h"

const struct nla_policy socktls_action_policy[SOCKTLS_A_ACTION_MAX + 1] = {
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
	[SOCKTLS_A_ACTION_SEQUENCE]	= { .type = NLA_U64 },
};
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
	if (tb[SOCKTLS_A_ACTION_SEQUENCE])
		key->seq = nla_get_u64(tb[SOCKTLS_A_ACTION_SEQUENCE]);
	key->explicit_nonce = key->seq;
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

	err = nla_parse_nested(tb, SOCKTLS_A_ACTION_MAX, nest, socktls_action_policy,
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
	worker = nl_worker(sn, from);
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

int nl_reply(struct sk_buff *skb, struct genl_info *info)
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
