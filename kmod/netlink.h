/* SPDX-License-Identifier: GPL-2.0 */
/* The commands of the generic netlink family. */
#ifndef SOCKTLS_NETLINK_H
#define SOCKTLS_NETLINK_H

#include <net/genetlink.h>

#include "hs.h"

extern struct genl_family socktls_family;

struct socktls_worker *nl_worker(struct socktls_net *sn, const struct sock *sk);
void nl_pass_over(struct socktls_net *sn, const struct sock *sk);

/* next.c */
int nl_next(struct sk_buff *skb, struct genl_info *info);

/* reply.c */
extern const struct nla_policy socktls_action_policy[SOCKTLS_A_ACTION_MAX + 1];
int nl_reply(struct sk_buff *skb, struct genl_info *info);

/* dump.c */
int nl_conn_dump(struct sk_buff *skb, struct netlink_callback *cb);

static inline int nl_put_string(struct sk_buff *skb, int attr,
				const char *text)
{
	return text ? nla_put_string(skb, attr, text) : 0;
}

#endif /* SOCKTLS_NETLINK_H */
