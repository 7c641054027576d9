/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Every difference between kernel versions, and nothing else. The HAVE_ macros
 * come from probes of the kernel's headers in Kbuild, never from a version
 * number: distributions move features both ways.
 */
#ifndef SOCKTLS_COMPAT_H
#define SOCKTLS_COMPAT_H

#include <linux/net.h>
#include <linux/version.h>
#include <net/sock.h>
#include <net/tcp.h>

#ifdef HAVE_LINUX_UNALIGNED_H
#include <linux/unaligned.h>
#else
#include <asm/unaligned.h>
#endif

/* MSG_SENDPAGE_NOTLAST says on old kernels what MSG_MORE says on new ones. */
#ifdef HAVE_SENDPAGE
#define COMPAT_SENDPAGE_NOTLAST	MSG_SENDPAGE_NOTLAST
#else
#define COMPAT_SENDPAGE_NOTLAST	0
#endif

#ifndef MSG_SENDPAGE_NOPOLICY
#define MSG_SENDPAGE_NOPOLICY	0
#endif

/*
 * compat_send_page() - hand a part of a page that is ours alone to TCP, which
 * takes its own reference; never waits. sk locked. Return: bytes taken or a
 * negative errno.
 */
#ifdef HAVE_SENDPAGE
static inline int compat_send_page(struct sock *sk, struct page *page,
				   unsigned int off, size_t len, bool more)
{
	int flags = MSG_DONTWAIT | MSG_NOSIGNAL | MSG_NO_SHARED_FRAGS |
		    (more ? MSG_MORE | MSG_SENDPAGE_NOTLAST : 0);
	struct bio_vec bv = {
		.bv_page = page, .bv_offset = off, .bv_len = len,
	};
	struct msghdr msg = { .msg_flags = flags };

	if (sk->sk_route_caps & NETIF_F_SG)
		return tcp_sendpage_locked(sk, page, off, len, flags);
	/* TCP would go through the socket's sendmsg_locked, which is ours */
	iov_iter_bvec(&msg.msg_iter, ITER_SOURCE, &bv, 1, len);
	return tcp_sendmsg_locked(sk, &msg, len);
}
#else
static inline int compat_send_page(struct sock *sk, struct page *page,
				   unsigned int off, size_t len, bool more)
{
	struct msghdr msg = {
		.msg_flags = MSG_DONTWAIT | MSG_NOSIGNAL | MSG_SPLICE_PAGES |
			     MSG_NO_SHARED_FRAGS | (more ? MSG_MORE : 0),
	};
	struct bio_vec bv;

	bvec_set_page(&bv, page, len, off);
	iov_iter_bvec(&msg.msg_iter, ITER_SOURCE, &bv, 1, len);
	return tcp_sendmsg_locked(sk, &msg, len);
}
#endif

#ifdef HAVE_PROTO_ACCEPT_ARG
#define COMPAT_ACCEPT_PARAMS	struct proto_accept_arg *arg
#define COMPAT_ACCEPT_ARGS	arg
#else
#define COMPAT_ACCEPT_PARAMS	int flags, bool kern
#define COMPAT_ACCEPT_ARGS	flags, kern
#endif

#ifdef HAVE_ULP_INFO_NET_ADMIN
#define COMPAT_ULP_INFO_PARAMS	, bool net_admin
#else
#define COMPAT_ULP_INFO_PARAMS
#endif

#ifdef HAVE_RECVMSG_ADDR_LEN
#define COMPAT_RECVMSG_PARAMS	, int *addr_len
#define COMPAT_RECVMSG_ARGS	, addr_len
#else
#define COMPAT_RECVMSG_PARAMS
#define COMPAT_RECVMSG_ARGS
#endif

/* Bytes in the memory of a device (net.core, devmem TCP) cannot be read. */
static inline bool compat_skb_readable(const struct sk_buff *skb)
{
#ifdef HAVE_SKB_FRAGS_READABLE
	return skb_frags_readable(skb);
#else
	return true;
#endif
}

/* Whose socket it is. */
#ifdef HAVE_SK_UID
static inline kuid_t compat_sk_uid(struct sock *sk)
{
	return sk_uid(sk);
}
#else
static inline kuid_t compat_sk_uid(struct sock *sk)
{
	return sock_i_uid(sk);
}
#endif

/* Of the newest <linux/tls.h>, whose numbers hold on every kernel. */
#ifdef HAVE_TLS_MAX_PAYLOAD
#define COMPAT_TLS_TX_MAX_PAYLOAD_LEN		TLS_TX_MAX_PAYLOAD_LEN
#define COMPAT_TLS_INFO_TX_MAX_PAYLOAD_LEN	TLS_INFO_TX_MAX_PAYLOAD_LEN
#else
#define COMPAT_TLS_TX_MAX_PAYLOAD_LEN		5
#define COMPAT_TLS_INFO_TX_MAX_PAYLOAD_LEN	7
#endif

static inline struct ctl_table_header *
compat_register_net_sysctl(struct net *net, const char *path,
			   struct ctl_table *table, size_t nr)
{
#ifdef HAVE_REGISTER_NET_SYSCTL_SZ
	return register_net_sysctl_sz(net, path, table, nr);
#else
	return register_net_sysctl(net, path, table);
#endif
}

#endif /* SOCKTLS_COMPAT_H */
