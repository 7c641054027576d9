// SPDX-License-Identifier: GPL-2.0
/* CONN_GET: the connections of a network namespace. */
#include <net/ipv6.h>

#include "compat.h"
#include "netlink.h"

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

/* @ns: of whoever asks */
static int conn_put_fields(struct sk_buff *skb, struct user_namespace *ns,
			   struct socktls_conn *conn)
{
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
	    nl_put_string(skb, SOCKTLS_A_CONN_SERVER_NAME,
			  conn->config->server_name) ||
	    nl_put_string(skb, SOCKTLS_A_CONN_PEER_IDENTITY, conn->peer_identity))
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
	if (!nest ||
	    conn_put_fields(skb, sk_user_ns(NETLINK_CB(cb->skb).sk), conn)) {
		genlmsg_cancel(skb, header);
		return -EMSGSIZE;
	}
	nla_nest_end(skb, nest);
	genlmsg_end(skb, header);
	return 0;
}

int nl_conn_dump(struct sk_buff *skb, struct netlink_callback *cb)
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
