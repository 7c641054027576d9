// SPDX-License-Identifier: GPL-2.0
/*
 * Sending: plaintext is copied into page fragments, sealed in place and handed
 * to TCP page by page. What a call leaves open, for more to come, lies in memory
 * of its own until it is sealed. Whichever way, a failure for want of memory has
 * changed nothing, for somebody still has the plaintext. TCP is never waited for
 * in the middle of a record: what it does not take at once is the unsent tail,
 * which goes before anything else and is resumed from write_space.
 */
#include <linux/bvec.h>
#include <linux/highmem.h>
#include <linux/tls.h>

#include "pin.h"
#include "socktls.h"
#include "trace.h"

#define TX_OPEN_JIFFIES		(HZ / 5)	/* life of an open record */
#define TX_TICK_JIFFIES		msecs_to_jiffies(10)
#define TX_PIN_MIN		8192	/* bytes: cheaper than a copy */
#define TX_ALIGN_MIN		4096	/* bytes: a gap does not hurt */
#define TX_BLOCK		16	/* of the cipher */
#define TX_FLAGS	(MSG_MORE | MSG_DONTWAIT | MSG_NOSIGNAL | MSG_EOR | \
			 MSG_CMSG_COMPAT | MSG_SPLICE_PAGES |	\
			 MSG_BATCH | MSG_WAITALL |		\
			 MSG_SENDPAGE_NOPOLICY | COMPAT_SENDPAGE_NOTLAST)

static atomic_t segments_alive = ATOMIC_INIT(0);

int socktls_tx_pages_alive(void)
{
	return atomic_read(&segments_alive);
}

int socktls_tx_init(struct socktls_tx *tx)
{
	tx->max_plaintext = RECORD_MAX_PLAINTEXT;
	INIT_LIST_HEAD(&tx->lazy);
	tx->rekey_at = U64_MAX;
	tx->prelude_at = U64_MAX;
	tx->epoch = socktls_epoch_new_null();
	return tx->epoch ? 0 : -ENOMEM;
}

static void tx_drop_segments(struct socktls_tx *tx)
{
	while (tx->vec.nr > tx->sent) {
		put_page(tx->vec.bv[--tx->vec.nr].bv_page);
		atomic_dec(&segments_alive);
	}
	tx->vec.nr = 0;
	tx->vec.len = 0;
	tx->sent = 0;
	tx->sealed = false;
}

static void tx_drop_open(struct socktls_tx *tx)
{
	socktls_record_free(tx->open);
	tx->open = NULL;
	tx->plaintext_len = 0;
}

/* sk locked, or nobody else sees the connection any more */
void socktls_tx_destroy(struct socktls_conn *conn)
{
	tx_drop_segments(&conn->tx);
	tx_drop_open(&conn->tx);
	socktls_hs_drop_lazy(conn);
	socktls_epoch_wipe(conn->tx.epoch);
}

/* Makes vec, where the next sealed record will be, at least @want bytes long. */
static int tx_grow(struct socktls_conn *conn, u32 want)
{
	struct socktls_vec *vec = &conn->tx.vec;
	struct page_frag *frag = sk_page_frag(conn->sk);

	while (vec->len < want) {
		struct bio_vec *last = vec->nr ? &vec->bv[vec->nr - 1] : NULL;
		u32 n;

		/* a refill forgets the gap of tx_align() on an unused page */
		if ((!frag->page ||
		     frag->offset + FRAG_ROOM_MIN > frag->size) &&
		    !socktls_frag_refill(conn->sk, frag))
			return -ENOMEM;
		n = min_t(u32, frag->size - frag->offset, want - vec->len);
		if (last && last->bv_page == frag->page &&
		    last->bv_offset + last->bv_len == frag->offset) {
			last->bv_len += n;
		} else {
			if (vec->nr == VEC_SEGMENTS)
				return -ENOBUFS;
			last = &vec->bv[vec->nr++];
			last->bv_page = frag->page;
			last->bv_offset = frag->offset;
			last->bv_len = n;
			get_page(frag->page);
			atomic_inc(&segments_alive);
		}
		frag->offset += n;
		vec->len += n;
	}
	return 0;
}

static u32 tx_prefix(const struct socktls_tx *tx)
{
	return RECORD_HEADER_LEN + tx->epoch->prefix;
}

/* With all that goes around a plaintext, but for its padding. */
static u32 tx_record_len(const struct socktls_tx *tx, u32 plaintext_len)
{
	return tx_prefix(tx) + plaintext_len +
	       socktls_epoch_suffix_max(tx->epoch);
}

/*
 * Where the next record's plaintext will be in its page: at @offset, so that it
 * crosses pages where its source does, or at a block of the cipher, or, with
 * @mask 0, anywhere. Only if all @len bytes of the record fit behind.
 */
static void tx_align(struct socktls_conn *conn, u32 offset, u32 mask, u32 len)
{
	struct page_frag *frag = sk_page_frag(conn->sk);
	u32 gap;

	if (!socktls_frag_refill(conn->sk, frag))
		return;
	gap = (offset - tx_prefix(&conn->tx) - frag->offset) & mask;
	if (frag->offset + gap + len <= frag->size)
		frag->offset += gap;
}

/* Makes room in vec, which is empty, for a record of @n bytes of plaintext. */
static int tx_room(struct socktls_conn *conn, u32 n)
{
	u32 len = tx_record_len(&conn->tx, n) + socktls_shape_padding(conn, n);

	tx_align(conn, 0, n >= TX_ALIGN_MIN ? TX_BLOCK - 1 : 0, len);
	if (!tx_grow(conn, len))
		return 0;
	tx_drop_segments(&conn->tx);
	return -ENOMEM;
}

/* Makes room in the open record for @n more bytes and what goes around all. */
static int tx_reserve(struct socktls_conn *conn, u32 n)
{
	struct socktls_tx *tx = &conn->tx;
	u32 filled = tx_prefix(tx) + tx->plaintext_len;
	u32 len = tx_record_len(tx, tx->plaintext_len + n);
	struct rx_record *next;
	u32 done = 0;

	len += socktls_shape_padding(conn, tx->plaintext_len + n);
	if (tx->open && tx->open->vec.len >= len)
		return 0;
	next = socktls_record_alloc(len, 0, conn->sk->sk_allocation);
	if (!next)
		return -ENOMEM;
	while (tx->open && done < filled) {
		u32 room;
		const void *from = socktls_record_at(tx->open, done, &room);

		room = min(room, filled - done);
		done += socktls_vec_write(&next->vec, done, from, room);
	}
	socktls_record_free(tx->open);
	tx->open = next;
	return 0;
}

/* Copies from the caller to @off of a record; returns bytes copied. */
static u32 tx_copy(const struct socktls_vec *vec, u32 off,
		   struct iov_iter *from, u32 len)
{
	const struct bio_vec *bv = vec->bv;
	u32 done = 0;

	while (bv < vec->bv + vec->nr && done < len) {
		u32 at, n, copied;

		if (off >= bv->bv_len) {
			off -= bv++->bv_len;
			continue;
		}
		/* one page at a time: a segment may span several */
		at = bv->bv_offset + off;
		n = min_t(u32, min(len - done, bv->bv_len - off),
			  PAGE_SIZE - at % PAGE_SIZE);
		copied = copy_page_from_iter(bv->bv_page + at / PAGE_SIZE,
					     at % PAGE_SIZE, n, from);
		done += copied;
		if (copied < n)
			break;
		off += n;
	}
	return done;
}

static int tx_fail(struct socktls_conn *conn, int err)
{
	const char *why = "the cipher failed";

	tx_drop_open(&conn->tx);
	if (err == -EOVERFLOW) {
		why = "its key has protected as many as it may";
		if (conn->key_plane)
			err = -EBADMSG;	/* what stock kTLS says */
	}
	conn->tx.error = err;
	socktls_conn_fail(conn, -err, -1, SOCKTLS_ALERT_NONE,
			  "a record could not be protected: %s (error %d)",
			  why, err);
	return err;
}

/* A record of @len bytes of plaintext has just been sealed. */
static void tx_account(struct socktls_conn *conn, u32 len)
{
	struct socktls_tx *tx = &conn->tx;

	socktls_count(conn, SOCKTLS_STAT_TX_RECORDS, 1);
	if (tx->type == RECORD_APPLICATION_DATA) {
		conn->rx.updates = 0;
		socktls_count(conn, SOCKTLS_STAT_TX_BYTES, len);
		socktls_shape_sent(tx, len);
	}
	trace_socktls_record_tx(conn, tx->type, len, tx->epoch->seq - 1);
}

/* See tx_seal(). */
static int tx_protect(struct socktls_conn *conn,
		      const struct socktls_vec *plain,
		      struct socktls_source *from, u32 len)
{
	struct socktls_tx *tx = &conn->tx;
	u32 padding = socktls_shape_padding(conn, len);
	u32 wire_len = tx_record_len(tx, len);
	unsigned int nr;
	int err;

	/* the policy may be another than when room was made */
	if (plain)
		padding = min(padding, plain->len - wire_len);
	if (tx_grow(conn, wire_len + padding))
		return -ENOMEM;
	nr = tx->vec.nr;
	err = plain ? socktls_epoch_seal(tx->epoch, tx->type, &tx->vec, plain,
					 len, padding) :
		      socktls_epoch_seal_from(tx->epoch, tx->type, &tx->vec,
					      len, from);
	atomic_sub(nr - tx->vec.nr, &segments_alive);
	return err;
}

/*
 * Seals a record of @len bytes into vec. They are in @plain, which may be vec,
 * or in @from; one of both is NULL.
 *
 * Return: 0; -ENOMEM, and vec is empty again: a part may have been encrypted, but
 * nobody sees it, so the nonce is as good as new; another errno after the
 * connection failed.
 */
static int tx_seal(struct socktls_conn *conn, const struct socktls_vec *plain,
		   struct socktls_source *from, u32 len)
{
	struct socktls_tx *tx = &conn->tx;
	int err;

	if (!conn->key_plane && tx->epoch->version == RECORD_TLS_1_3 &&
	    tx->epoch->seq >= tx->epoch->cipher->record_limit)
		err = -EOVERFLOW;
	else
		err = tx_protect(conn, plain, from, len);
	if (err) {
		tx_drop_segments(tx);
		return err == -ENOMEM ? err : tx_fail(conn, err);
	}
	tx_account(conn, len);
	tx->sealed = true;
	tx->sent = 0;
	return 0;
}

/* The open record, which is not empty; vec is. */
static int tx_seal_open(struct socktls_conn *conn)
{
	struct socktls_tx *tx = &conn->tx;
	int err = tx_seal(conn, &tx->open->vec, NULL, tx->plaintext_len);

	if (!err)
		tx_drop_open(tx);
	return err;
}

static int tx_push_segment(struct socktls_conn *conn, struct bio_vec *bv,
			   bool last)
{
	while (bv->bv_len) {
		int n = compat_send_page(conn->sk, bv->bv_page, bv->bv_offset,
					 bv->bv_len, !last);

		/* short of memory, not of room: no ACK may come to resume it */
		if (n == -EAGAIN && sk_stream_memory_free(conn->sk))
			socktls_conn_kick(conn, TX_TICK_JIFFIES);
		if (n < 0)
			return n;
		bv->bv_offset += n;
		bv->bv_len -= n;
	}
	return 0;
}

/* sk_err may have been a soft one, which is told once: then it goes on. */
static void tx_push_failed(struct socktls_conn *conn, int err)
{
	if (conn->sk->sk_shutdown & SEND_SHUTDOWN ||
	    conn->sk->sk_state == TCP_CLOSE)
		conn->tx.error = err;
	else
		socktls_conn_kick(conn, TX_TICK_JIFFIES);
}

/**
 * socktls_tx_push() - give TCP the sealed record, or what is left of it
 * @conn: sk locked
 *
 * Context: process; does not wait.
 *
 * Return: 0 when nothing is left; -EAGAIN when TCP has no room (write_space
 * resumes); another errno of TCP, which is final.
 */
int socktls_tx_push(struct socktls_conn *conn)
{
	struct socktls_tx *tx = &conn->tx;
	int err;

	if (!tx->sealed)
		return 0;
	while (tx->sent < tx->vec.nr) {
		struct bio_vec *bv = &tx->vec.bv[tx->sent];

		err = tx_push_segment(conn, bv, tx->sent == tx->vec.nr - 1);
		if (err) {
			if (err != -EAGAIN)
				tx_push_failed(conn, err);
			return err;
		}
		put_page(bv->bv_page);
		atomic_dec(&segments_alive);
		tx->sent++;
	}
	tx_drop_segments(tx);
	return 0;
}

/**
 * socktls_tx_flush() - send the open record and the unsent tail
 * @conn: sk locked
 *
 * Return: 0, -EAGAIN when TCP has no room for all of it, or a final errno.
 */
int socktls_tx_flush(struct socktls_conn *conn)
{
	int err = socktls_tx_push(conn);

	if (err || !conn->tx.plaintext_len)
		return err;
	err = tx_seal_open(conn);
	return err ? err : socktls_tx_push(conn);
}

static int tick_send(struct socktls_conn *conn)
{
	int err = socktls_tx_flush(conn);

	return err || !conn->tx.updates ? err : socktls_rekey_tx(conn);
}

/**
 * socktls_tx_tick() - what deferred work does for the sending side
 * @conn: sk locked
 *
 * Resumes the unsent tail; sends the open record once it is old enough, and
 * looks again soon while it is not; sends KeyUpdates that are due, and a
 * close_notify.
 */
void socktls_tx_tick(struct socktls_conn *conn)
{
	struct socktls_tx *tx = &conn->tx;

	if (tx->closing) {
		socktls_tx_tick_closing(conn);
		return;
	}
	if (!tx->plaintext_len || tx->sealed ||
	    time_after_eq(jiffies, tx->open_until)) {
		int err = socktls_tx_untold(conn, tick_send);

		if (err != -ENOMEM)
			return;
	}
	socktls_conn_kick(conn, TX_TICK_JIFFIES);
}

/*
 * On the key plane an error of the socket stops writing until the program has
 * taken it, as with stock kTLS; one of protection stops it for good.
 */
static int tx_ready(struct socktls_conn *conn, long *timeo)
{
	if (!conn->key_plane)
		return socktls_conn_ready(conn, timeo);
	if (conn->tx.error)
		return conn->tx.error;
	return -READ_ONCE(conn->sk->sk_err);
}

/* What goes before the next application record: tickets, KeyUpdates. */
static int tx_prelude(struct socktls_conn *conn)
{
	int err = 0;

	if (!list_empty(&conn->tx.lazy))
		err = socktls_hs_send_lazy(conn);
	return err ? err : socktls_rekey_tx(conn);
}

/* Waits until a record can be begun. sk locked, released while waiting. */
static int tx_wait_room(struct socktls_conn *conn, long *timeo)
{
	for (;;) {
		int err = socktls_tx_push(conn);

		if (err && err != -EAGAIN)
			return err;
		if (!err && sk_stream_memory_free(conn->sk)) {
			if (likely(conn->tx.epoch->seq < conn->tx.prelude_at))
				return 0;
			err = tx_prelude(conn);
			if (err != -EAGAIN)
				return err;
		}
		err = sk_stream_wait_memory(conn->sk, timeo);
		if (err)
			return err;
		err = tx_ready(conn, timeo);
		if (err)
			return err;
		if (conn->tx.closing)
			return -EPIPE;
	}
}

/* Waits until a record of this type can be begun, or gone on with. */
static int tx_begin(struct socktls_conn *conn, u8 type, long *timeo)
{
	struct socktls_tx *tx = &conn->tx;
	int err;

	for (;;) {
		err = tx_wait_room(conn, timeo);
		if (err)
			return err;
		if (!tx->plaintext_len || tx->type == type)
			break;
		err = socktls_tx_flush(conn);
		if (err && err != -EAGAIN)
			return err;
	}
	tx->type = type;
	if (!tx->plaintext_len) {
		tx->open_until = jiffies + TX_OPEN_JIFFIES;
		tx->limit = socktls_shape_limit(conn, type);
	}
	return 0;
}

/**
 * socktls_tx_control() - send bytes that are not application data
 * @conn: sk locked
 * @type: content type
 * @bytes: kernel memory
 * @len: bytes, fragmented as needed (RFC 8446 section 5.1)
 * @taken: advanced by the bytes that are in records now
 *
 * Return: 0 when all is sealed; -EAGAIN to be called again with the rest when
 * TCP has room; -ENOMEM; a final errno.
 */
int socktls_tx_control(struct socktls_conn *conn, u8 type, const u8 *bytes,
		       u32 len, u32 *taken)
{
	struct socktls_tx *tx = &conn->tx;

	while (*taken < len) {
		int err = socktls_tx_flush(conn);
		u32 n;

		if (err)
			return err;
		tx->type = type;
		n = record_fragment_len(len - *taken,
					socktls_shape_limit(conn, type));
		err = tx_room(conn, n);
		if (err)
			return err;
		socktls_vec_write(&tx->vec, tx_prefix(tx), bytes + *taken, n);
		err = tx_seal(conn, &tx->vec, NULL, n);
		if (err)
			return err;
		*taken += n;
		err = socktls_tx_push(conn);
		if (err && err != -EAGAIN)
			return err;
	}
	return 0;
}

/* Are the caller's next @n bytes worth taking where they are? */
static bool tx_takes_pages(const struct socktls_conn *conn,
			   const struct msghdr *msg, u32 n)
{
	return n >= TX_PIN_MIN && user_backed_iter(&msg->msg_iter) &&
	       socktls_epoch_takes_source(conn->tx.epoch) &&
	       !socktls_shape_padding(conn, n);
}

/*
 * Seals a record of the caller's next @n bytes without copying them first.
 * Return: bytes taken; 0 when they have to be copied; a negative errno after
 * the connection failed.
 */
static noinline int tx_take_pages(struct socktls_conn *conn,
				  struct msghdr *msg, u32 n)
{
	struct socktls_source from;
	int err;

	if (!socktls_pin(&from, &msg->msg_iter, n))
		return 0;
	tx_align(conn, from.offset[0], PAGE_SIZE - 1,
		 tx_record_len(&conn->tx, n));
	err = tx_seal(conn, NULL, &from, n);
	socktls_unpin(&from);
	if (err == -ENOMEM) {
		iov_iter_revert(&msg->msg_iter, n);
		return 0;
	}
	return err ? err : n;
}

/*
 * The same with a copy of them. Return: bytes taken, less than @n when the
 * caller's memory ends; -EFAULT; -ENOMEM; another errno after the connection
 * failed.
 */
static int tx_take_copy(struct socktls_conn *conn, struct msghdr *msg, u32 n)
{
	struct socktls_tx *tx = &conn->tx;
	int err = tx_room(conn, n);
	u32 done;

	if (err)
		return err;
	done = tx_copy(&tx->vec, tx_prefix(tx), &msg->msg_iter, n);
	if (!done) {
		tx_drop_segments(tx);
		return -EFAULT;
	}
	err = tx_seal(conn, &tx->vec, NULL, done);
	if (!err)
		return done;
	iov_iter_revert(&msg->msg_iter, done);
	return err;
}

/* The caller's next @n bytes are all of a record. */
static int tx_whole(struct socktls_conn *conn, struct msghdr *msg, u32 n,
		    size_t *copied)
{
	int taken = 0, err;

	if (tx_takes_pages(conn, msg, n))
		taken = tx_take_pages(conn, msg, n);
	if (!taken)
		taken = tx_take_copy(conn, msg, n);
	if (taken < 0)
		return taken;
	*copied += taken;
	err = socktls_tx_push(conn);
	if (err && err != -EAGAIN)
		return err;
	return taken < n ? -EFAULT : 0;
}

/* They belong to the open record, which more may follow. */
static int tx_append(struct socktls_conn *conn, struct msghdr *msg, u32 n,
		     bool more, size_t *copied)
{
	struct socktls_tx *tx = &conn->tx;
	int err = tx_reserve(conn, n);
	u32 done;

	if (err)
		return err;
	done = tx_copy(&tx->open->vec, tx_prefix(tx) + tx->plaintext_len,
		       &msg->msg_iter, n);
	tx->plaintext_len += done;
	*copied += done;
	if (done < n)
		err = -EFAULT;
	if (!tx->plaintext_len) {
		tx_drop_open(tx);
	} else if (done < n || !more || tx->plaintext_len >= tx->limit) {
		int seal_err = socktls_tx_flush(conn);

		/* what no record will carry was not taken */
		if (seal_err && !tx->sealed && !tx->plaintext_len)
			*copied -= done;
		if (seal_err == -ENOMEM)
			socktls_conn_kick(conn, TX_TICK_JIFFIES);
		if (seal_err && seal_err != -EAGAIN)
			return seal_err;
	} else {
		socktls_conn_kick(conn, TX_TICK_JIFFIES);
	}
	return err;
}

/* One pass: room, copy, seal when full or when nothing more is announced. */
static int tx_step(struct socktls_conn *conn, struct msghdr *msg, u8 type,
		   bool more, long *timeo, size_t *copied)
{
	struct socktls_tx *tx = &conn->tx;
	u32 n;
	int err;

	err = tx_begin(conn, type, timeo);
	if (err)
		return err;
	n = record_fragment_len(msg_data_left(msg),
				tx->limit - tx->plaintext_len);
	if (!tx->plaintext_len && (n == tx->limit || !more))
		return tx_whole(conn, msg, n, copied);
	return tx_append(conn, msg, n, more, copied);
}

/*
 * Key plane: the content type of the record, as stock kTLS takes it. One that
 * is given ends the open record, even if it is the same.
 */
static int tx_record_type(struct socktls_conn *conn, struct msghdr *msg,
			  u8 *type)
{
	struct cmsghdr *cmsg;
	int err;

	for_each_cmsghdr(cmsg, msg) {
		if (!CMSG_OK(msg, cmsg))
			return -EINVAL;
		if (cmsg->cmsg_level != SOL_TLS)
			continue;
		if (!conn->key_plane || cmsg->cmsg_type != TLS_SET_RECORD_TYPE ||
		    cmsg->cmsg_len < CMSG_LEN(sizeof(*type)) ||
		    msg->msg_flags & MSG_MORE)
			return -EINVAL;
		*type = *(u8 *)CMSG_DATA(cmsg);
		err = socktls_tx_flush(conn);
		if (err && err != -EAGAIN)
			return err;
	}
	return 0;
}

static int tx_check(struct socktls_conn *conn, struct msghdr *msg, u8 *type,
		    long *timeo)
{
	int err = tx_ready(conn, timeo);

	if (err)
		return err;
	if (msg->msg_flags & ~TX_FLAGS)
		return -EOPNOTSUPP;
	if (conn->key_plane && msg->msg_flags & MSG_MORE &&
	    msg->msg_flags & MSG_EOR)
		return -EINVAL;
	return msg->msg_controllen ? tx_record_type(conn, msg, type) : 0;
}

static int tx_sendmsg(struct socktls_conn *conn, struct msghdr *msg,
		      size_t *copied)
{
	long timeo = sock_sndtimeo(conn->sk, msg->msg_flags & MSG_DONTWAIT);
	bool more = msg->msg_flags & (MSG_MORE | COMPAT_SENDPAGE_NOTLAST);
	u8 type = RECORD_APPLICATION_DATA;
	int err;

	err = tx_check(conn, msg, &type, &timeo);
	if (err)
		return err;
	if (!msg_data_left(msg) && !more && conn->tx.plaintext_len) {
		err = socktls_tx_flush(conn);
		return err == -EAGAIN ? 0 : err;
	}
	while (msg_data_left(msg)) {
		if (conn->tx.closing ||
		    conn->sk->sk_shutdown & SEND_SHUTDOWN)
			return -EPIPE;
		err = tx_step(conn, msg, type, more, &timeo, copied);
		if (err)
			return err;
	}
	return 0;
}

static bool tx_is_plain(const struct socktls_conn *conn)
{
	return conn->key_plane ? !conn->tx.keyed :
				 conn->state == SOCKTLS_STATE_PLAIN;
}

/*
 * socktls_sendmsg() - proto->sendmsg
 *
 * Return: bytes of plaintext accepted, all of them in records or in the open
 * record; or a negative errno when none was.
 */
int socktls_sendmsg(struct sock *sk, struct msghdr *msg, size_t len)
{
	struct socktls_conn *conn = socktls_conn(sk);
	size_t copied = 0;
	int err;

	lock_sock(sk);
	if (tx_is_plain(conn)) {
		err = tcp_sendmsg_locked(sk, msg, len);
		release_sock(sk);
		return err;
	}
	err = tx_sendmsg(conn, msg, &copied);
	if (copied)
		err = copied;
	else if (err == -EPIPE)
		err = sk_stream_error(sk, msg->msg_flags, err);
	release_sock(sk);
	return err;
}

#ifdef HAVE_SENDPAGE
/* proto->sendpage: by copying, as every other write */
int socktls_sendpage(struct sock *sk, struct page *page, int offset,
		     size_t size, int flags)
{
	struct bio_vec bv = {
		.bv_page = page, .bv_offset = offset, .bv_len = size,
	};
	struct msghdr msg = { .msg_flags = flags };

	iov_iter_bvec(&msg.msg_iter, WRITE, &bv, 1, size);
	return socktls_sendmsg(sk, &msg, size);
}
#endif

/* The end of a splice closes the open record. */
void socktls_splice_eof(struct socket *sock)
{
	struct sock *sk = sock->sk;
	struct socktls_conn *conn = socktls_conn(sk);

	lock_sock(sk);
	if (!tx_is_plain(conn))
		socktls_tx_flush(conn);
	release_sock(sk);
}
