// SPDX-License-Identifier: GPL-2.0
/*
 * Reading opened records: recvmsg, splice, poll, FIONREAD. Whoever needs to
 * know whether there is something to read opens the head record; nothing is
 * opened on arrival.
 */
#include <linux/highmem.h>
#include <linux/poll.h>
#include <linux/splice.h>
#include <linux/tls.h>
#include <asm/ioctls.h>

#include "socktls.h"

static bool rx_is_plain(const struct socktls_conn *conn)
{
	return conn->key_plane ? !conn->rx.keyed :
				 conn->state == SOCKTLS_STATE_PLAIN;
}

/* Established, or the key plane's receiving direction: records may be opened. */
static bool rx_is_live(const struct socktls_conn *conn)
{
	return conn->key_plane ? conn->rx.keyed :
				 conn->state == SOCKTLS_STATE_ESTABLISHED ||
				 conn->state == SOCKTLS_STATE_CLOSED;
}

/* sock_rcvlowat() for plaintext. */
static size_t rx_lowat(const struct socktls_conn *conn, bool waitall,
		       size_t len)
{
	size_t low = waitall ? len : min_t(size_t, conn->rcvlowat, len);

	return low ? : 1;
}

/*
 * Opened records that are still there when the lock is released, or when
 * another is opened, are charged. What is newest is at the end of the list.
 */
static void rx_charge(struct socktls_conn *conn)
{
	struct socktls_rx *rx = &conn->rx;
	struct rx_record *rec;

	rx->uncharged = false;
	list_for_each_entry_reverse(rec, &rx->opened, list) {
		if (rec->charged)
			break;
		if (!socktls_record_charge(conn->sk, rec)) {
			rx->uncharged = true;
			break;
		}
	}
}

/*
 * Opened records are outside the receive window, and one of a single byte takes
 * a page. So there is an end to what poll and MSG_PEEK open ahead: the receive
 * buffer, or the first record that could not be charged.
 */
static bool rx_is_full(const struct socktls_conn *conn)
{
	const struct socktls_rx *rx = &conn->rx;

	return rx->opened_size >= (u32)READ_ONCE(conn->sk->sk_rcvbuf) ||
	       (rx->uncharged && !list_empty(&rx->opened));
}

/* With none opened there is always room for one: reading goes on. */
static bool rx_has_room(struct socktls_conn *conn)
{
	if (list_empty(&conn->rx.opened))
		return true;
	rx_charge(conn);
	return !rx_is_full(conn);
}

/*
 * Key plane: what follows a KeyUpdate is under a key that the program has to
 * bring, after it has read the record.
 */
static bool rx_is_key_update(const struct socktls_conn *conn,
			     const struct rx_record *rec)
{
	u8 first;

	if (conn->version != RECORD_TLS_1_3 || rec->type != RECORD_HANDSHAKE ||
	    !rec->len)
		return false;
	socktls_vec_read(&rec->vec, rec->off, &first, 1);
	return first == HANDSHAKE_KEY_UPDATE;
}

/* Helper plane: nothing for the reader, or data where none may be. */
static bool rx_is_control(const struct socktls_conn *conn,
			  const struct rx_record *rec)
{
	return !conn->key_plane && (rec->type != RECORD_APPLICATION_DATA ||
				    !rec->len || conn->rx.tracker.header_len);
}

static int rx_fill_one(struct socktls_conn *conn)
{
	struct socktls_rx *rx = &conn->rx;
	struct rx_record *rec;
	int ret;

	if (unlikely(rx->update_due)) {
		ret = socktls_rekey_rx(conn);
		if (ret)
			return ret;
	}
	ret = socktls_rx_head(conn);
	if (ret <= 0)
		return ret;
	if (socktls_rx_outer_plaintext(conn)) {
		rx->error = -EPROTO;
		socktls_conn_fail(conn, EPROTO, ALERT_UNEXPECTED_MESSAGE,
				  SOCKTLS_ALERT_SENT,
				  "the peer sent a record in plaintext after the handshake");
		return -EPROTO;
	}
	rec = socktls_rx_open(conn, rx->epoch);
	if (IS_ERR(rec)) {
		if (PTR_ERR(rec) == -ENOMEM)
			socktls_rx_retry(conn);
		return PTR_ERR(rec);
	}
	if (rx_is_control(conn, rec)) {
		ret = socktls_control(conn, rec);
		socktls_rx_release(conn, rec);
		return ret ? ret : 1;
	}
	rx->empty = 0;
	rx->updates = 0;
	if (conn->key_plane)
		rx->key_expired = rx_is_key_update(conn, rec);
	list_add_tail(&rec->list, &rx->opened);
	rx->opened_len += rec->len;
	rx->opened_size += rec->size;
	return 1;
}

/* socktls_rx_fill(), but what is opened is not charged yet. */
static int rx_fill(struct socktls_conn *conn, u32 target)
{
	struct socktls_rx *rx = &conn->rx;
	int ret = 1;

	while (ret > 0 && rx_is_live(conn) && !rx->error && !rx->closed &&
	       !rx->key_expired &&
	       (rx->opened_len < target || list_empty(&rx->opened)) &&
	       rx_has_room(conn))
		ret = rx_fill_one(conn);
	return rx->error;
}

/**
 * socktls_rx_fill() - open records until there is something to read
 * @conn: sk locked
 * @target: bytes wanted; on the key plane a record of any type is enough to
 *	stop at, for it may not be mixed with others
 *
 * Helper plane: consumes every record that is not application data.
 *
 * Context: process; does not wait for data.
 *
 * Return: 0, or the errno that comes after what has been opened.
 */
int socktls_rx_fill(struct socktls_conn *conn, u32 target)
{
	int err = rx_fill(conn, target);

	rx_charge(conn);
	return err;
}

/* A FIN, a reset, or an end that TCP came to by itself. */
static bool rx_has_ended(const struct sock *sk)
{
	return sock_flag(sk, SOCK_DONE) || sk->sk_shutdown & RCV_SHUTDOWN ||
	       sk->sk_state == TCP_CLOSE;
}

/*
 * Helper plane: without close_notify data may be missing (RFC 8446 section
 * 6.1), and every later read says so, too: TCP tells a reset only once, to
 * whoever asks first, and then reads as ended.
 */
static int rx_truncated(struct socktls_conn *conn, int error)
{
	if (!error || error == EPIPE)	/* a reset behind a FIN is EPIPE to TCP */
		error = ECONNRESET;
	conn->rx.error = -error;
	socktls_conn_fail(conn, error, -1, SOCKTLS_ALERT_NONE,
			  error == ECONNRESET ?
			  "the peer closed the TCP connection without close_notify: data may be missing" :
			  "the TCP connection broke: data may be missing");
	return conn->rx.error;
}

/*
 * What a read that finds no record returns: 0 at the end, -EAGAIN: wait. With
 * @keep an error of TCP's is left for the next call, for this one has data.
 */
static int rx_condition(struct socktls_conn *conn, bool keep)
{
	struct sock *sk = conn->sk;

	if (conn->rx.error)
		return conn->rx.error;
	if (conn->rx.key_expired)
		return -EKEYEXPIRED;
	if (conn->error.error && !conn->key_plane)
		return -(int)conn->error.error;
	if (conn->rx.closed)
		return 0;
	if (sk->sk_err && (conn->key_plane || !rx_has_ended(sk)))
		return keep ? -READ_ONCE(sk->sk_err) : sock_error(sk);
	if (!rx_has_ended(sk))
		return -EAGAIN;
	if (conn->rx.shut || (conn->key_plane && sk->sk_shutdown))
		return 0;
	if (conn->key_plane)
		return -ENOTCONN;
	if (sock_flag(sk, SOCK_DONE) && !sk->sk_err &&
	    conn->config->eof == SOCKTLS_EOF_ALLOW &&
	    !socktls_rx_buffered(conn))
		return 0;
	return rx_truncated(conn, sk->sk_err);
}

/* A reader's place among the opened records. */
struct rx_cursor {
	struct list_head	*seen;	/* last record dealt with, or the head */
	u8			type;	/* of the records read so far, 0: none */
	bool			peek;
	size_t			copied;
	u32			consumed;	/* rx.consumed when seen was set */
};

/*
 * Waits for a record behind those that the cursor has seen. sk locked, released
 * while waiting: then another reader may take what was peeked at.
 * Return: 1 with rec set, 0 at the end of the stream, or a negative errno.
 */
static int rx_wait(struct socktls_conn *conn, struct rx_cursor *at,
		   struct rx_record **rec, long *timeo)
{
	struct socktls_rx *rx = &conn->rx;

	for (;;) {
		int err;

		if (!list_is_last(at->seen, &rx->opened)) {
			*rec = list_first_entry(at->seen, struct rx_record,
						list);
			return 1;
		}
		rx_fill(conn, rx->opened_len + 1);
		if (!list_is_last(at->seen, &rx->opened))
			continue;
		if (rx_is_full(conn))
			return -EAGAIN;	/* a peek that has seen enough */
		err = rx_condition(conn, at->copied);
		if (err != -EAGAIN)
			return err;
		if (!*timeo)
			return -EAGAIN;
		if (signal_pending(current))
			return sock_intr_errno(*timeo);
		rx_charge(conn);
		socktls_conn_wait(conn, timeo);
		if (at->peek && at->consumed != rx->consumed) {
			if (at->copied)
				return -EAGAIN;
			at->seen = &rx->opened;
			at->consumed = rx->consumed;
		}
	}
}

static u32 rx_copy_to_iter(struct rx_record *rec, u32 len, struct iov_iter *to)
{
	u32 done = 0;

	while (done < len) {
		u32 room;
		void *from = socktls_record_at(rec, rec->off + done, &room);
		u32 n = min(len - done, room);
		u32 copied = copy_to_iter(from, n, to);

		done += copied;
		if (copied < n)
			break;
	}
	return done;
}

static void rx_advance(struct socktls_conn *conn, struct rx_record *rec, u32 n)
{
	rec->off += n;
	rec->len -= n;
	conn->rx.opened_len -= n;
	if (!rec->len) {
		conn->rx.consumed++;
		conn->rx.opened_size -= rec->size;
		list_del(&rec->list);
		socktls_rx_release(conn, rec);
	}
}

/* Key plane: tell the content type, as stock kTLS does. */
static int rx_put_type(struct socktls_conn *conn, struct msghdr *msg, u8 type)
{
	int err;

	if (!conn->key_plane)
		return 0;
	err = put_cmsg(msg, SOL_TLS, TLS_GET_RECORD_TYPE, sizeof(type), &type);
	if (type != RECORD_APPLICATION_DATA &&
	    (err || msg->msg_flags & MSG_CTRUNC))
		return -EIO;
	return 0;
}

/* Reads from one record. Return: 1 to go on, 0 to stop, or an errno. */
static int rx_read_record(struct socktls_conn *conn, struct rx_record *rec,
			  struct msghdr *msg, struct rx_cursor *at)
{
	u32 n, copied;

	if (at->type && at->type != rec->type)
		return 0;
	if (!at->type) {
		int err = rx_put_type(conn, msg, rec->type);

		if (err)
			return err;
		at->type = rec->type;
	}
	n = min_t(size_t, msg_data_left(msg), rec->len);
	copied = rx_copy_to_iter(rec, n, &msg->msg_iter);
	at->copied += copied;
	if (conn->key_plane && copied == rec->len)
		msg->msg_flags |= MSG_EOR;
	if (at->peek) {
		at->seen = &rec->list;
		at->consumed = conn->rx.consumed;
	} else {
		rx_advance(conn, rec, copied);
	}
	if (copied < n)
		return -EFAULT;
	/* a control record is read alone */
	return at->type == RECORD_APPLICATION_DATA;
}

static int rx_recvmsg(struct socktls_conn *conn, struct msghdr *msg,
		      size_t len, int flags, struct rx_cursor *at)
{
	long timeo = sock_rcvtimeo(conn->sk, flags & MSG_DONTWAIT);
	long none = 0;
	size_t target;
	int ret = 1;

	if (at->peek) {
		/* what is peeked at stays open, see rx_is_full() */
		len = min_t(size_t, len, READ_ONCE(conn->sk->sk_rcvbuf));
		iov_iter_truncate(&msg->msg_iter, len);
	}
	target = rx_lowat(conn, flags & MSG_WAITALL, len);
	if (!conn->key_plane) {
		ret = socktls_conn_ready(conn, &timeo);
		/* what was received before a failure is still delivered */
		if (ret && list_empty(&conn->rx.opened))
			return ret;
	}
	do {
		struct rx_record *rec;
		bool enough = at->copied && at->copied >= target;

		ret = rx_wait(conn, at, &rec, enough ? &none : &timeo);
		if (ret > 0)
			ret = rx_read_record(conn, rec, msg, at);
	} while (ret > 0 && msg_data_left(msg));
	return min(ret, 0);
}

/*
 * socktls_recvmsg() - proto->recvmsg
 *
 * Return: bytes of plaintext, 0 at close_notify (helper plane) or FIN (key
 * plane), or a negative errno when there was nothing before it.
 */
int socktls_recvmsg(struct sock *sk, struct msghdr *msg, size_t len, int flags
		    COMPAT_RECVMSG_PARAMS)
{
	struct socktls_conn *conn = socktls_conn(sk);
	struct rx_cursor at = {
		.seen = &conn->rx.opened,
		.peek = flags & MSG_PEEK,
	};
	int err;

again:
	if (flags & MSG_ERRQUEUE || socktls_conn_enter_plain(conn)) {
		err = conn->protos->base_prot->recvmsg(sk, msg, len, flags
						       COMPAT_RECVMSG_ARGS);
		if (!(flags & MSG_ERRQUEUE))
			socktls_conn_leave_plain(conn);
		return err;
	}
	if (flags & MSG_OOB)
		return -EOPNOTSUPP;
	lock_sock(sk);
	if (rx_is_plain(conn)) {	/* a handshake could not be started */
		release_sock(sk);
		goto again;
	}
	err = len ? rx_recvmsg(conn, msg, len, flags, &at) : 0;
	rx_charge(conn);
	release_sock(sk);
	return at.copied ? at.copied : err;
}

static void rx_spd_release(struct splice_pipe_desc *spd, unsigned int i)
{
	put_page(spd->pages[i]);
}

/* Lends the record's pages to a pipe. sk locked, pipe locked by the caller. */
static ssize_t rx_splice_record(struct rx_record *rec,
				struct pipe_inode_info *pipe, size_t len)
{
	struct partial_page partial[VEC_SEGMENTS];
	struct page *pages[VEC_SEGMENTS];
	struct splice_pipe_desc spd = {
		.pages = pages,
		.partial = partial,
		.nr_pages_max = VEC_SEGMENTS,
		.ops = &nosteal_pipe_buf_ops,
		.spd_release = rx_spd_release,
	};
	u32 off = rec->off, left = min_t(size_t, len, rec->len);

	while (left) {
		u32 room;
		void *at = socktls_record_at(rec, off, &room);
		u32 n = min_t(u32, left, PAGE_SIZE - offset_in_page(at));
		struct page *page = virt_to_page(at);

		get_page(page);
		pages[spd.nr_pages] = page;
		partial[spd.nr_pages].offset = offset_in_page(at);
		partial[spd.nr_pages].len = n;
		partial[spd.nr_pages].private = 0;
		spd.nr_pages++;
		off += n;
		left -= n;
	}
	return splice_to_pipe(pipe, &spd);
}

static ssize_t rx_splice(struct socktls_conn *conn,
			 struct pipe_inode_info *pipe, size_t len, long timeo)
{
	struct rx_cursor at = { .seen = &conn->rx.opened };
	struct rx_record *rec;
	ssize_t ret;

	if (!conn->key_plane) {
		ret = socktls_conn_ready(conn, &timeo);
		if (ret && list_empty(&conn->rx.opened))
			return ret;
	}
	for (;;) {
		ret = rx_wait(conn, &at, &rec, &timeo);
		if (ret <= 0)
			return ret;
		if (rec->len || rec->type != RECORD_APPLICATION_DATA)
			break;
		rx_advance(conn, rec, 0);	/* 0 would be the end */
	}
	if (rec->type != RECORD_APPLICATION_DATA)
		return -EINVAL;	/* a pipe carries no content type */
	ret = rx_splice_record(rec, pipe, len);
	if (ret > 0)
		rx_advance(conn, rec, ret);
	return ret;
}

/* proto_ops->splice_read */
ssize_t socktls_splice_read(struct socket *sock, loff_t *ppos,
			    struct pipe_inode_info *pipe, size_t len,
			    unsigned int flags)
{
	struct sock *sk = sock->sk;
	struct socktls_conn *conn = socktls_conn(sk);
	ssize_t ret;

again:
	if (socktls_conn_enter_plain(conn)) {
		ret = conn->protos->base_ops->splice_read(sock, ppos, pipe,
							  len, flags);
		socktls_conn_leave_plain(conn);
		return ret;
	}
	if (!len)
		return 0;
	lock_sock(sk);
	if (rx_is_plain(conn)) {
		release_sock(sk);
		goto again;
	}
	ret = rx_splice(conn, pipe, len,
			sock_rcvtimeo(sk, sock->file->f_flags & O_NONBLOCK ||
					  flags & SPLICE_F_NONBLOCK));
	rx_charge(conn);
	release_sock(sk);
	return ret;
}

static bool poll_is_readable(const struct socktls_conn *conn, u32 target)
{
	const struct socktls_rx *rx = &conn->rx;

	if (rx->error || rx->closed || sock_flag(conn->sk, SOCK_DONE) ||
	    conn->sk->sk_shutdown & RCV_SHUTDOWN)
		return true;
	if (conn->key_plane)
		return !list_empty(&rx->opened);
	return rx->opened_len >= target || rx_is_full(conn) ||
	       conn->error.error;
}

static __poll_t poll_read_mask(struct socktls_conn *conn)
{
	u32 target = rx_lowat(conn, false, INT_MAX);
	__poll_t mask = 0;

	socktls_rx_fill(conn, target);
	if (poll_is_readable(conn, target))
		mask |= EPOLLIN | EPOLLRDNORM;
	if (conn->rx.closed)
		mask |= EPOLLRDHUP;
	/* it may have come up just now */
	if (READ_ONCE(conn->sk->sk_err))
		mask |= EPOLLERR;
	return mask;
}

/* Bytes that TCP has not taken must go before anything can be written. */
static bool poll_tail_pending(struct socktls_conn *conn)
{
	if (!READ_ONCE(conn->tx.sealed))
		return false;
	set_bit(SOCK_NOSPACE, &conn->sk->sk_socket->flags);
	smp_mb__after_atomic();
	return READ_ONCE(conn->tx.sealed);
}

/* proto_ops->poll */
__poll_t socktls_poll(struct file *file, struct socket *sock,
		      struct poll_table_struct *wait)
{
	const __poll_t in = EPOLLIN | EPOLLRDNORM;
	const __poll_t out = EPOLLOUT | EPOLLWRNORM;
	struct socktls_conn *conn = socktls_conn(sock->sk);
	__poll_t mask = conn->protos->base_ops->poll(file, sock, wait);
	u8 state = READ_ONCE(conn->state);

	if (state == SOCKTLS_STATE_HANDSHAKING)
		return mask & ~(in | out | EPOLLRDHUP | EPOLLPRI);
	if (poll_tail_pending(conn))
		mask &= ~out;
	if (READ_ONCE(conn->key_plane) ? !READ_ONCE(conn->rx.keyed) :
					 state == SOCKTLS_STATE_PLAIN)
		return mask;
	mask &= ~(in | EPOLLPRI);
	if (socktls_conn_trylock(conn, &conn->poll_missed)) {
		mask |= poll_read_mask(conn);
		release_sock(conn->sk);
	} else if (!list_empty_careful(&conn->rx.opened) &&
		   (READ_ONCE(conn->key_plane) ||
		    READ_ONCE(conn->rx.opened_len) >=
		    rx_lowat(conn, false, INT_MAX))) {
		mask |= in;
	}
	return mask;
}

/* FIONREAD: plaintext that a read returns now. */
static int rx_readable(struct socktls_conn *conn)
{
	int len;

	lock_sock(conn->sk);
	socktls_rx_fill(conn, 1);
	len = conn->rx.opened_len;
	release_sock(conn->sk);
	return len;
}

/* proto_ops->ioctl */
int socktls_ioctl(struct socket *sock, unsigned int cmd, unsigned long arg)
{
	struct sock *sk = sock->sk;
	struct socktls_conn *conn = socktls_conn(sk);
	int len;

	if (cmd == FIONREAD && !rx_is_plain(conn)) {
		len = rx_readable(conn);
		return put_user(len, (int __user *)arg);
	}
	if (cmd != TIOCOUTQ && !rx_is_plain(conn))
		return -ENOIOCTLCMD;
	return conn->protos->base_ops->ioctl(sock, cmd, arg);
}

#ifdef HAVE_PROTO_IOCTL_KARG
/* proto->ioctl, which io_uring calls past the proto_ops */
int socktls_prot_ioctl(struct sock *sk, int cmd, int *karg)
{
	struct socktls_conn *conn = socktls_conn(sk);

	if (rx_is_plain(conn) || cmd == TIOCOUTQ)
		return conn->protos->base_prot->ioctl(sk, cmd, karg);
	if (cmd != FIONREAD)
		return -ENOIOCTLCMD;
	*karg = rx_readable(conn);
	return 0;
}
#endif
