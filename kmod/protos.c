// SPDX-License-Identifier: GPL-2.0
/*
 * Our proto and proto_ops for each base, and what each entry point may do in
 * which state:
 *
 *  entry point       PLAIN   HANDSHAKING   ESTABLISHED     FAILED
 *  sendmsg sendpage  base    waits         records         the errno
 *  splice_eof        base    nothing       flush           nothing
 *  recvmsg           base    waits         records         rest, the errno
 *  splice_read       base    waits         records         rest, the errno
 *  poll              base    nothing ready own             own
 *  ioctl             base    FIONREAD SIOCOUTQ, else ENOIOCTLCMD
 *  shutdown          base    fails it      close_notify    base
 *  close             base    aborts it     close_notify    base
 *  disconnect        base    EOPNOTSUPP (but from inside close)
 *  accept            gives the child its connection
 *  get/setsockopt    SOL_TLS own, else base but for the list in sockopt.c
 *  read_sock read_skb sendmsg_locked sendpage_locked mmap peek_len
 *                    base    EOPNOTSUPP
 *  set_rcvlowat      base    own, once what arrives is records
 *  set_peek_off      base    EOPNOTSUPP
 *  psock (sockmap)   EINVAL always
 *
 * The key plane is ESTABLISHED in a keyed direction, PLAIN in the other.
 */
#include <linux/mutex.h>
#include <linux/slab.h>
#include <net/inet_common.h>

#include "socktls.h"

static LIST_HEAD(protos_list);
static DEFINE_MUTEX(protos_mutex);

static bool conn_is_plain(const struct socktls_conn *conn)
{
	return READ_ONCE(conn->state) == SOCKTLS_STATE_PLAIN &&
	       !READ_ONCE(conn->key_plane);
}

#define CLOSE_PASSES	8

/* sk locked, released in between. */
static void close_pause(struct socktls_conn *conn)
{
	release_sock(conn->sk);
	lock_sock(conn->sk);
}

/*
 * TCP sends its FIN in any case: if memory is short, there are a few tries for
 * what goes before it, and then the peer sees the end as what it is, a cut.
 */
static void close_notify(struct socktls_conn *conn)
{
	unsigned int passes = CLOSE_PASSES;
	int err = socktls_tx_close_notify(conn);

	while ((err == -EAGAIN || err == -ENOMEM) && --passes) {
		close_pause(conn);
		err = socktls_tx_close_notify(conn);
	}
}

/*
 * Unread tickets must not make TCP send a reset. The acknowledgement of the
 * first, which goes with the close_notify, brings those that Nagle's algorithm
 * held back: into the backlog, while the lock is held.
 */
static void close_drain(struct socktls_conn *conn)
{
	unsigned int passes = CLOSE_PASSES;

	socktls_rx_fill(conn, 1);
	close_notify(conn);
	do {
		close_pause(conn);
		socktls_rx_fill(conn, 1);
	} while (--passes && socktls_rx_buffered(conn) && !conn->rx.error &&
		 list_empty(&conn->rx.opened));
}

/* proto->close: the last words, then TCP's own close. */
static void protos_close(struct sock *sk, long timeout)
{
	struct socktls_conn *conn = socktls_conn(sk);
	struct proto *base = conn->protos->base_prot;

	lock_sock(sk);
	conn->closing = true;
	if (conn->key_plane) {
		if (conn->tx.keyed)
			close_notify(conn);
	} else if (conn->state == SOCKTLS_STATE_HANDSHAKING) {
		socktls_hs_end(conn, SOCKTLS_ABORT_CLOSED, -1);
		socktls_conn_cancel_deadline(conn);
		close_notify(conn);
	} else if (conn->state == SOCKTLS_STATE_ESTABLISHED) {
		close_drain(conn);
	}
	release_sock(sk);
	base->close(sk, timeout);
}

static int protos_disconnect(struct sock *sk, int flags)
{
	struct socktls_conn *conn = socktls_conn(sk);

	/* a listener closes with children that nobody accepted: they have the
	 * base proto, but inet_child_forget() calls the listener's
	 */
	if (!conn)
		return sk->sk_prot->disconnect(sk, flags);
	if (!conn->closing && (!conn_is_plain(conn) || socktls_ulp_is_tls(sk)))
		return -EOPNOTSUPP;
	return conn->protos->base_prot->disconnect(sk, flags);
}

/* BH disabled, the socket's spinlock held: for those who missed the lock. */
static void protos_release_cb(struct sock *sk)
{
	struct socktls_conn *conn = socktls_conn(sk);

	/* release() restores the base proto, so there is a connection */
	conn->protos->base_prot->release_cb(sk);
	if (conn->work_missed) {
		conn->work_missed = false;
		if (conn->attached)
			socktls_conn_kick(conn, 0);
	}
	if (conn->poll_missed) {
		conn->poll_missed = false;
		if (conn->callbacks && !sock_flag(sk, SOCK_DEAD))
			conn->base_data_ready(sk);
	}
}

/*
 * The end of what this side sends. Return: true when what goes before TCP's FIN
 * waits for memory; the FIN is then the connection's work's.
 */
static bool shutdown_sending(struct socktls_conn *conn)
{
	int err = 0;
	bool later;

	lock_sock(conn->sk);
	if ((conn->key_plane && conn->tx.keyed) ||
	    conn->state == SOCKTLS_STATE_ESTABLISHED)
		err = socktls_tx_close_notify(conn);
	else if (conn->state == SOCKTLS_STATE_HANDSHAKING)
		socktls_conn_fail(conn, ECANCELED, ALERT_USER_CANCELED,
				  SOCKTLS_ALERT_SENT,
				  "shutdown() was called before the handshake was done");
	later = err == -EAGAIN || err == -ENOMEM;
	conn->tx.fin = later;
	release_sock(conn->sk);
	return later;
}

static int protos_shutdown(struct socket *sock, int how)
{
	struct socktls_conn *conn = socktls_conn(sock->sk);

	if (how == SHUT_RD || how == SHUT_RDWR)
		WRITE_ONCE(conn->rx.shut, true);
	if ((how == SHUT_WR || how == SHUT_RDWR) && shutdown_sending(conn)) {
		if (how == SHUT_WR)
			return 0;
		how = SHUT_RD;
	}
	return conn->protos->base_ops->shutdown(sock, how);
}

static int protos_mmap(struct file *file, struct socket *sock,
		       struct vm_area_struct *vma)
{
	struct socktls_conn *conn = socktls_conn(sock->sk);

	if (!conn_is_plain(conn))
		return -EOPNOTSUPP;
	return conn->protos->base_ops->mmap(file, sock, vma);
}

static int protos_read_sock(struct sock *sk, read_descriptor_t *desc,
			    sk_read_actor_t recv_actor)
{
	struct socktls_conn *conn = socktls_conn(sk);

	if (!conn_is_plain(conn))
		return -EOPNOTSUPP;
	return conn->protos->base_ops->read_sock(sk, desc, recv_actor);
}

static int protos_read_skb(struct sock *sk, skb_read_actor_t recv_actor)
{
	struct socktls_conn *conn = socktls_conn(sk);

	if (!conn_is_plain(conn))
		return -EOPNOTSUPP;
	return conn->protos->base_ops->read_skb(sk, recv_actor);
}

static int protos_sendmsg_locked(struct sock *sk, struct msghdr *msg,
				 size_t size)
{
	struct socktls_conn *conn = socktls_conn(sk);

	if (!conn_is_plain(conn))
		return -EOPNOTSUPP;
	return conn->protos->base_ops->sendmsg_locked(sk, msg, size);
}

#ifdef HAVE_SENDPAGE
static int protos_sendpage_locked(struct sock *sk, struct page *page,
				  int offset, size_t size, int flags)
{
	struct socktls_conn *conn = socktls_conn(sk);

	if (!conn_is_plain(conn))
		return -EOPNOTSUPP;
	return conn->protos->base_ops->sendpage_locked(sk, page, offset, size,
						       flags);
}
#endif

static int protos_peek_len(struct socket *sock)
{
	struct socktls_conn *conn = socktls_conn(sock->sk);

	if (!conn_is_plain(conn))
		return -EOPNOTSUPP;
	return conn->protos->base_ops->peek_len(sock);
}

/*
 * TCP counts bytes of records, the program bytes of plaintext: once records
 * are read, TCP's own low-water mark stays at one. Capped as TCP caps it, for
 * poll opens that many bytes. sk locked.
 */
static int protos_set_rcvlowat(struct sock *sk, int val)
{
	struct socktls_conn *conn = socktls_conn(sk);
	int cap = sk->sk_userlocks & SOCK_RCVBUF_LOCK ? sk->sk_rcvbuf / 2 :
		  READ_ONCE(sock_net(sk)->ipv4.sysctl_tcp_rmem[2]) / 2;

	if (!conn->rx.taken)
		return conn->protos->base_ops->set_rcvlowat(sk, val);
	conn->rcvlowat = clamp(val, 1, cap);
	/* it may be enough now for who polls */
	conn->base_data_ready(sk);
	return 0;
}

/* Kernels from 6.9 on have it for TCP. */
static int protos_set_peek_off(struct sock *sk, int val)
{
	struct socktls_conn *conn = socktls_conn(sk);

	if (!conn_is_plain(conn))
		return -EOPNOTSUPP;
	return conn->protos->base_ops->set_peek_off(sk, val);
}

static void protos_init_prot(struct proto *prot, const struct proto *base)
{
	*prot = *base;
	prot->close = protos_close;
	prot->disconnect = protos_disconnect;
	prot->setsockopt = socktls_setsockopt;
	prot->getsockopt = socktls_getsockopt;
	prot->sendmsg = socktls_sendmsg;
	prot->recvmsg = socktls_recvmsg;
#ifdef HAVE_PROTO_IOCTL_KARG
	prot->ioctl = socktls_prot_ioctl;
#endif
#ifdef HAVE_SENDPAGE
	prot->sendpage = socktls_sendpage;
#endif
#ifdef HAVE_PROTO_SPLICE_EOF
	prot->splice_eof = socktls_splice_eof;
#endif
	prot->release_cb = protos_release_cb;
	prot->stream_memory_free = socktls_stream_memory_free;
#ifdef CONFIG_BPF_SYSCALL
	prot->psock_update_sk_prot = NULL;
#endif
}

static void protos_init_ops(struct proto_ops *ops,
			    const struct proto_ops *base)
{
	*ops = *base;
	ops->accept = socktls_accept;
	ops->poll = socktls_poll;
	ops->ioctl = socktls_ioctl;
	ops->shutdown = protos_shutdown;
	ops->splice_read = socktls_splice_read;
	ops->mmap = protos_mmap;
	ops->read_sock = protos_read_sock;
	ops->read_skb = protos_read_skb;
	ops->sendmsg_locked = protos_sendmsg_locked;
#ifdef HAVE_SENDPAGE
	ops->sendpage_locked = protos_sendpage_locked;
#endif
	ops->peek_len = protos_peek_len;
	ops->set_rcvlowat = protos_set_rcvlowat;
	if (base->set_peek_off)
		ops->set_peek_off = protos_set_peek_off;
}

/**
 * socktls_protos_base() - the proto under ours
 * @prot: any proto
 *
 * Context: any.
 *
 * Return: what @prot was made from when it is ours, else @prot.
 */
struct proto *socktls_protos_base(struct proto *prot)
{
	if (prot->close != protos_close)
		return prot;
	return container_of(prot, struct socktls_protos, prot)->base_prot;
}

/**
 * socktls_protos_get() - our tables for a base
 * @base_prot: the socket's proto
 * @base_ops: its socket's proto_ops
 *
 * Made once for each base and kept until the module goes.
 *
 * Context: process, may sleep.
 *
 * Return: the tables, NULL without memory.
 */
struct socktls_protos *socktls_protos_get(struct proto *base_prot,
					  const struct proto_ops *base_ops)
{
	struct socktls_protos *p;

	mutex_lock(&protos_mutex);
	list_for_each_entry(p, &protos_list, list)
		if (p->base_prot == base_prot && p->base_ops == base_ops)
			goto out;
	p = kzalloc(sizeof(*p), GFP_KERNEL);
	if (!p)
		goto out;
	p->base_prot = base_prot;
	p->base_ops = base_ops;
	protos_init_prot(&p->prot, base_prot);
	protos_init_ops(&p->ops, base_ops);
	list_add(&p->list, &protos_list);
out:
	mutex_unlock(&protos_mutex);
	return p;
}

void socktls_protos_free(void)
{
	struct socktls_protos *p, *next;

	list_for_each_entry_safe(p, next, &protos_list, list) {
		list_del(&p->list);
		kfree(p);
	}
}
