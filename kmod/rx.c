// SPDX-License-Identifier: GPL-2.0
/*
 * Receiving: find the head record in TCP's receive queue and open it into
 * kernel pages. Nothing here waits, and no skb pointer outlives a call: the
 * queue may be collapsed whenever the socket lock is released.
 */
#include <linux/highmem.h>
#include <linux/slab.h>

#include "socktls.h"
#include "trace.h"

#define RX_RETRY_JIFFIES	msecs_to_jiffies(10)

int socktls_rx_init(struct socktls_rx *rx)
{
	INIT_LIST_HEAD(&rx->opened);
	sg_init_table(rx->sg, RX_SEGMENTS);
	rx->max_plaintext = RECORD_MAX_PLAINTEXT;
	rx->epoch = socktls_epoch_new_null();
	return rx->epoch ? 0 : -ENOMEM;
}

/**
 * socktls_rx_release() - the record has been read, or is not wanted
 * @conn: sk locked
 * @rec: in no list
 */
void socktls_rx_release(struct socktls_conn *conn, struct rx_record *rec)
{
	socktls_record_uncharge(conn->sk, rec);
	socktls_record_free(rec);
}

/* sk locked, or nobody else sees the connection any more; any context */
void socktls_rx_destroy(struct socktls_conn *conn)
{
	struct socktls_rx *rx = &conn->rx;
	struct rx_record *rec, *next;

	list_for_each_entry_safe(rec, next, &rx->opened, list) {
		list_del(&rec->list);
		socktls_rx_release(conn, rec);
	}
	if (rx->raw)
		socktls_rx_release(conn, rx->raw);
	rx->raw = NULL;
	rx->opened_len = 0;
	rx->opened_size = 0;
	socktls_epoch_wipe(rx->epoch);
}

/* Bytes in TCP's receive queue, in order, without the FIN. */
static u32 rx_queued(const struct sock *sk)
{
	const struct tcp_sock *tp = tcp_sk(sk);
	u32 queued = tp->rcv_nxt - tp->copied_seq;

	if (queued && sock_flag(sk, SOCK_DONE))
		queued--;
	return queued;
}

/**
 * socktls_rx_buffered() - bytes on the wire's side of the record layer
 * @conn: sk locked
 *
 * Return: bytes received and not yet opened, those copied out included.
 */
u32 socktls_rx_buffered(const struct socktls_conn *conn)
{
	return (conn->rx.raw ? conn->rx.raw->len : 0) + rx_queued(conn->sk);
}

/* Where the queue holds the byte @off behind copied_seq. */
static struct sk_buff *rx_seek(struct sock *sk, u32 off, u32 *skb_off)
{
	u32 seq = tcp_sk(sk)->copied_seq;
	struct sk_buff *skb = tcp_recv_skb(sk, seq, skb_off);

	seq += off;
	while (skb) {
		*skb_off = seq - TCP_SKB_CB(skb)->seq;
		if (*skb_off < skb->len)
			return skb;
		if (skb_queue_is_last(&sk->sk_receive_queue, skb))
			return NULL;
		skb = skb_queue_next(&sk->sk_receive_queue, skb);
	}
	return NULL;
}

/* The only way bytes of records leave the queue. */
static void rx_read_done(struct socktls_conn *conn, u32 len)
{
	tcp_read_done(conn->sk, len);
	conn->rx.seq = tcp_sk(conn->sk)->copied_seq;
}

/* Copies part of a segment to the end of a record's pages. */
static bool rx_copy_segment(struct rx_record *rec, struct sk_buff *skb,
			    u32 skb_off, u32 len)
{
	u32 before = rec->len;

	while (len) {
		u32 room;
		void *to = socktls_record_at(rec, rec->len, &room);
		u32 n = min(len, room);

		if (skb_copy_bits(skb, skb_off, to, n)) {
			rec->len = before;
			return false;
		}
		rec->len += n;
		skb_off += n;
		len -= n;
	}
	return true;
}

/* Moves up to @len bytes from the head of the queue into a record's pages. */
static void rx_move(struct socktls_conn *conn, u32 len, struct rx_record *rec)
{
	while (len) {
		u32 skb_off, n;
		struct sk_buff *skb = rx_seek(conn->sk, 0, &skb_off);

		if (!skb)
			break;
		n = min_t(u32, len, skb->len - skb_off);
		if (!rx_copy_segment(rec, skb, skb_off, n))
			break;
		rx_read_done(conn, n);
		len -= n;
	}
}

static u32 rx_peek(struct socktls_conn *conn, u8 *to, u32 len)
{
	struct rx_record *raw = conn->rx.raw;
	u32 done = 0;

	if (raw) {
		done = min(raw->len, len);
		socktls_vec_read(&raw->vec, 0, to, done);
	}
	while (done < len) {
		u32 off = done - (raw ? raw->len : 0), skb_off, n;
		struct sk_buff *skb = rx_seek(conn->sk, off, &skb_off);

		if (!skb)
			break;
		n = min_t(u32, len - done, skb->len - skb_off);
		if (skb_copy_bits(skb, skb_off, to + done, n))
			break;
		done += n;
	}
	return done;
}

/**
 * socktls_rx_outer_plaintext() - is the head record outside the protection?
 * @conn: sk locked, the head record's header is known
 *
 * TLS 1.3 sends every protected record as application_data, so anything else
 * can only be a plaintext alert or a change_cipher_spec (RFC 8446 section 5).
 */
bool socktls_rx_outer_plaintext(const struct socktls_conn *conn)
{
	const struct socktls_epoch *epoch = conn->rx.epoch;

	return epoch->cipher && epoch->version == RECORD_TLS_1_3 &&
	       !conn->key_plane &&
	       conn->rx.header.type != RECORD_APPLICATION_DATA;
}

static int rx_check_header(struct socktls_conn *conn)
{
	struct record_header *h = &conn->rx.header;
	struct record_limits limits;
	int err;

	if (likely(conn->rx.judged == conn->rx.epoch->serial))
		return 0;
	socktls_epoch_limits(conn->rx.epoch, &limits);
	limits.any_type = conn->key_plane;
	if (socktls_rx_outer_plaintext(conn))
		limits.min_length = 0;
	/* kept until its key comes; then it is checked again */
	if (!conn->rx.epoch->cipher &&
	    h->type == RECORD_APPLICATION_DATA)
		limits.max_length = RECORD_MAX_PLAINTEXT + RECORD_EXPANSION_12;
	err = record_check_header(h, &limits);
	if (!err)
		conn->rx.judged = conn->rx.epoch->serial;
	return err;
}

/*
 * As stock kTLS has it: the program is told once, by sk_err, and nothing more
 * can be made of the stream.
 */
static int rx_header_failed_key_plane(struct socktls_conn *conn, int err)
{
	conn->rx.stopped = true;
	if (err == -EINVAL)
		conn->error_stat = SOCKTLS_STAT_ERR_BAD_VERSION;
	else if (err == -EBADMSG)
		conn->error_stat = SOCKTLS_STAT_ERR_TOO_SHORT;
	socktls_conn_fail(conn, -err, -1, SOCKTLS_ALERT_NONE,
			  "the peer sent a record of version 0x%04x and %u bytes",
			  conn->rx.header.version, conn->rx.header.length);
	return err;
}

static int rx_header_failed(struct socktls_conn *conn, int err)
{
	const struct record_header *h = &conn->rx.header;

	if (conn->key_plane)
		return rx_header_failed_key_plane(conn, err);
	conn->rx.error = err;
	switch (err) {
	case -ENOMSG:
		conn->rx.error = -EPROTO;
		conn->error_stat = SOCKTLS_STAT_ERR_BAD_TYPE;
		socktls_conn_fail(conn, EPROTO, ALERT_UNEXPECTED_MESSAGE,
				  SOCKTLS_ALERT_SENT,
				  "the peer sent a record of unknown content type %u: is it speaking TLS?",
				  h->type);
		break;
	case -EINVAL:
		conn->rx.error = -EPROTO;
		conn->error_stat = SOCKTLS_STAT_ERR_BAD_VERSION;
		socktls_conn_fail(conn, EPROTO, ALERT_PROTOCOL_VERSION,
				  SOCKTLS_ALERT_SENT,
				  "the peer sent a record of version 0x%04x",
				  h->version);
		break;
	case -EMSGSIZE:
		socktls_conn_fail(conn, EMSGSIZE, ALERT_RECORD_OVERFLOW,
				  SOCKTLS_ALERT_SENT,
				  "the peer sent a record of %u bytes, over the limit",
				  h->length);
		break;
	default:
		conn->error_stat = SOCKTLS_STAT_ERR_TOO_SHORT;
		socktls_conn_fail(conn, -err, ALERT_BAD_RECORD_MAC,
				  SOCKTLS_ALERT_SENT,
				  "the peer sent a record of %u bytes, too short to be authentic",
				  h->length);
	}
	return conn->rx.error;
}

static int rx_parse_header(struct socktls_conn *conn)
{
	struct socktls_rx *rx = &conn->rx;
	u8 bytes[RECORD_HEADER_LEN];

	if (rx->need)
		return 1;
	if (rx_peek(conn, bytes, sizeof(bytes)) < sizeof(bytes))
		return 0;
	record_parse_header(bytes, &rx->header);
	rx->need = RECORD_HEADER_LEN + rx->header.length;
	rx->judged = 0;
	return 1;
}

/*
 * Moves what is there of the head record out of TCP's buffers, which it may be
 * holding closed: a segment of few bytes can pin much memory.
 */
static int rx_copy_out(struct socktls_conn *conn)
{
	struct socktls_rx *rx = &conn->rx;

	if (!rx->raw) {
		rx->raw = socktls_record_alloc(RECORD_MAX_LEN, 0,
					       conn->sk->sk_allocation);
		if (!rx->raw)
			return -ENOMEM;
		socktls_record_charge(conn->sk, rx->raw);
	}
	rx_move(conn, min(rx_queued(conn->sk), rx->need - rx->raw->len),
		rx->raw);
	return 0;
}

/*
 * A thread that was asleep in TCP's recvmsg when the socket got the ULP cannot be
 * seen, and takes bytes when it wakes. TCP itself drops an urgent byte.
 */
static bool rx_was_robbed(const struct socktls_conn *conn)
{
	return conn->rx.seq != tcp_sk(conn->sk)->copied_seq;
}

static int rx_robbed(struct socktls_conn *conn)
{
	conn->rx.error = -ENODATA;
	socktls_conn_fail(conn, ENODATA, ALERT_INTERNAL_ERROR,
			  SOCKTLS_ALERT_SENT,
			  "bytes of a record are gone: taken by a read that began before TCP_ULP was set, or urgent data");
	return -ENODATA;
}

/* All of it has come, but it cannot be read: the memory of a device. */
static bool rx_is_unreadable(const struct socktls_conn *conn)
{
	return !conn->rx.need &&
	       socktls_rx_buffered(conn) >= RECORD_HEADER_LEN;
}

static int rx_header_missing(struct socktls_conn *conn)
{
	if (!rx_is_unreadable(conn))
		return 0;
	conn->rx.error = -EIO;
	socktls_conn_fail(conn, EIO, ALERT_INTERNAL_ERROR, SOCKTLS_ALERT_SENT,
			  "what the peer sent is in the memory of a device: it cannot be read");
	return -EIO;
}

/**
 * socktls_rx_retry() - memory was short: try again soon
 * @conn: sk locked
 *
 * The reader is woken then, for no segment may come that would wake it.
 */
void socktls_rx_retry(struct socktls_conn *conn)
{
	conn->starved = true;
	socktls_conn_kick(conn, RX_RETRY_JIFFIES);
}

/**
 * socktls_rx_head() - is the whole head record here?
 * @conn: sk locked
 *
 * Copies an incomplete record out of TCP's buffers when the window needs it.
 *
 * Context: process; does not wait for data.
 *
 * Return: 1 with rx.header valid; 0 when bytes are missing, or memory for
 * copying them out (then it is tried again); a negative errno after the
 * connection failed.
 */
int socktls_rx_head(struct socktls_conn *conn)
{
	struct socktls_rx *rx = &conn->rx;
	int err;

	if (rx->error)
		return rx->error;
	if (rx->stopped)
		return 0;
	if (unlikely(rx_was_robbed(conn)))
		return rx_robbed(conn);
	if (!rx_parse_header(conn))
		return rx_header_missing(conn);
	err = rx_check_header(conn);
	if (err)
		return rx_header_failed(conn, err);
	if (rx->raw && rx->raw->len < rx->need)
		rx_copy_out(conn);
	if (socktls_rx_buffered(conn) >= rx->need)
		return 1;
	if (!rx->raw && tcp_epollin_ready(conn->sk, INT_MAX) &&
	    rx_copy_out(conn))
		socktls_rx_retry(conn);
	return socktls_rx_buffered(conn) >= rx->need;
}

/**
 * socktls_rx_wants_reader() - is a wake-up worth a reader's while?
 * @conn: sk's spinlock held, or sk locked
 *
 * Context: BH or process; nothing is opened.
 *
 * Return: true for a whole record, one that will be refused, the end of the
 * stream, or a window that only a reader opens.
 */
bool socktls_rx_wants_reader(struct socktls_conn *conn)
{
	struct sock *sk = conn->sk;

	if (conn->rx.error || sk->sk_err || sock_flag(sk, SOCK_DONE) ||
	    sk->sk_shutdown & RCV_SHUTDOWN)
		return true;
	if (conn->rx.stopped)
		return false;
	if (tcp_epollin_ready(sk, INT_MAX) || rx_was_robbed(conn))
		return true;
	if (!rx_parse_header(conn))
		return rx_is_unreadable(conn);
	return rx_check_header(conn) ||
	       socktls_rx_buffered(conn) >= conn->rx.need;
}

/*
 * Takes the mark of the record before off the table, of which the last entry
 * keeps its own: skb_to_sgvec() takes any mark for the table's end.
 */
static void rx_unmark(struct socktls_rx *rx)
{
	struct scatterlist *sg = rx->sg;

	while (!sg_is_last(sg))
		sg++;
	if (sg != &rx->sg[RX_SEGMENTS - 1])
		sg_unmark_end(sg);
}

/*
 * Pages that somebody spliced to a socket of this machine are still his: he may
 * write there between the check of a record and its decryption.
 */
static bool rx_is_shared(const struct sk_buff *skb)
{
	const struct sk_buff *frag;

	if (skb_has_shared_frag(skb))
		return true;
	skb_walk_frags(skb, frag)
		if (skb_has_shared_frag(frag))
			return true;
	return false;
}

/* Describes the head record where it lies in the queue, if it is safe there. */
static int rx_map(struct socktls_conn *conn)
{
	struct socktls_rx *rx = &conn->rx;
	u32 done = 0, skb_off;
	int used = 0, n;

	rx_unmark(rx);
	while (done < rx->need) {
		struct sk_buff *skb = rx_seek(conn->sk, done, &skb_off);

		if (!skb || used == RX_SEGMENTS || rx_is_shared(skb))
			return -EMSGSIZE;
		if (!compat_skb_readable(skb))
			return -EIO;
		n = min_t(u32, skb->len - skb_off, rx->need - done);
		done += n;
		n = skb_to_sgvec_nomark(skb, rx->sg + used, skb_off, n);
		if (n < 0)
			return n;
		used += n;
	}
	sg_mark_end(&rx->sg[used - 1]);
	return 0;
}

/* The head record has been dealt with. */
static void rx_consume(struct socktls_conn *conn)
{
	struct socktls_rx *rx = &conn->rx;
	struct rx_record *raw = rx->raw;

	if (!raw || rx->need > raw->len)
		rx_read_done(conn, rx->need - (raw ? raw->len : 0));
	rx->need = 0;
	if (raw) {
		rx->raw = NULL;
		socktls_rx_release(conn, raw);
	}
}

static void rx_open_failed(struct socktls_conn *conn, int err)
{
	if (conn->key_plane && (err == -ENOMSG || err == -EOVERFLOW))
		err = -EBADMSG;	/* what stock kTLS says */
	conn->rx.error = err;
	switch (err) {
	case -EBADMSG:
		socktls_conn_fail(conn, EBADMSG, ALERT_BAD_RECORD_MAC,
				  SOCKTLS_ALERT_SENT,
				  "a record from the peer is not authentic");
		break;
	case -ENOMSG:
		conn->rx.error = -EPROTO;
		conn->error_stat = SOCKTLS_STAT_ERR_NO_TYPE;
		socktls_conn_fail(conn, EPROTO, ALERT_UNEXPECTED_MESSAGE,
				  SOCKTLS_ALERT_SENT,
				  "a record from the peer has no content type");
		break;
	case -EMSGSIZE:
		socktls_conn_fail(conn, EMSGSIZE, ALERT_RECORD_OVERFLOW,
				  SOCKTLS_ALERT_SENT,
				  "a record from the peer has more plaintext than allowed");
		break;
	case -EOVERFLOW:
		socktls_conn_fail(conn, EOVERFLOW, ALERT_INTERNAL_ERROR,
				  SOCKTLS_ALERT_SENT,
				  "the peer's key has protected as many records as it may");
		break;
	default:
		socktls_conn_fail(conn, -err, ALERT_INTERNAL_ERROR,
				  SOCKTLS_ALERT_SENT,
				  "a record could not be decrypted (error %d)",
				  err);
	}
}

/* Describes the head record where it is, copying it out if need be. */
static int rx_gather(struct socktls_conn *conn)
{
	struct socktls_rx *rx = &conn->rx;
	int err;

	if (!rx->raw && !rx_map(conn))
		return 0;
	err = rx->raw && rx->raw->len >= rx->need ? 0 : rx_copy_out(conn);
	if (err)
		return err;
	if (rx->raw->len < rx->need)
		return -EIO;	/* a segment that cannot be read */
	rx_unmark(rx);
	return socktls_vec_to_sg(&rx->raw->vec, rx->need, rx->sg, RX_SEGMENTS);
}

/* Never in place: without memory the ciphertext must be whole for a retry. */
static struct rx_record *rx_decrypt(struct socktls_conn *conn,
				    struct socktls_epoch *epoch, int *err)
{
	struct socktls_rx *rx = &conn->rx;
	struct rx_record *rec =
		socktls_record_alloc(rx->need, offset_in_page(rx->sg[0].offset),
				     conn->sk->sk_allocation);

	*err = -ENOMEM;
	if (!rec)
		return NULL;
	*err = socktls_epoch_open(epoch, &rx->header, rx->sg, &rec->vec,
				  &rec->type, &rec->off, &rec->len);
	if (*err) {
		socktls_rx_release(conn, rec);
		return NULL;
	}
	rx_consume(conn);
	return rec;
}

static void rx_account(const struct socktls_conn *conn,
		       const struct rx_record *rec,
		       const struct socktls_epoch *epoch)
{
	socktls_count(conn, SOCKTLS_STAT_RX_RECORDS, 1);
	if (rec->type == RECORD_APPLICATION_DATA)
		socktls_count(conn, SOCKTLS_STAT_RX_BYTES, rec->len);
	trace_socktls_record_rx(conn, rec->type, rec->len, epoch->seq - 1);
}

/**
 * socktls_rx_may_skip() - is the head record early data that was refused?
 * @conn: sk locked, the head record's header is known
 * @mode: SOCKTLS_SKIP_OPAQUE before opening it, SOCKTLS_SKIP_TRIAL when it has
 *	not opened (RFC 8446 section 4.2.10)
 *
 * Return: true when it is to be dropped; it is counted against the bound then.
 */
bool socktls_rx_may_skip(struct socktls_conn *conn, u8 mode)
{
	struct socktls_rx *rx = &conn->rx;

	if (rx->skip_mode != mode || !rx->header.length ||
	    rx->skip_left < rx->header.length ||
	    rx->header.type != RECORD_APPLICATION_DATA)
		return false;
	rx->skip_left -= rx->header.length;
	return true;
}

/*
 * LIMIT bounds protected records; in TLS 1.3 the padding counts as well
 * (RFC 8449 section 4).
 */
static bool rx_is_over_limit(const struct socktls_conn *conn,
			     const struct socktls_epoch *epoch,
			     const struct rx_record *rec)
{
	u32 len = rec->len;

	if (conn->key_plane || !epoch->cipher)
		return false;
	if (epoch->version == RECORD_TLS_1_3)
		len = conn->rx.header.length - epoch->cipher->tag_size - 1;
	return len > conn->rx.max_plaintext;
}

/**
 * socktls_rx_open() - check and decrypt the head record
 * @conn: sk locked; socktls_rx_head() has just returned 1
 * @epoch: the protection to use
 *
 * Context: process, may sleep in the crypto API.
 *
 * Return: the record, owned by the caller, in no list; NULL when it was dropped
 * as early data, only during a handshake; ERR_PTR(-ENOMEM), to be
 * tried again; another ERR_PTR after the connection failed.
 */
struct rx_record *socktls_rx_open(struct socktls_conn *conn,
				  struct socktls_epoch *epoch)
{
	struct socktls_rx *rx = &conn->rx;
	struct rx_record *rec;
	int err;

	err = rx_gather(conn);
	rec = err ? NULL : rx_decrypt(conn, epoch, &err);
	if (rec && rx_is_over_limit(conn, epoch, rec)) {
		socktls_rx_release(conn, rec);
		rec = NULL;
		err = -EMSGSIZE;
	}
	if (rec) {
		if (epoch == rx->epoch)
			rx->skip_mode = 0;
		rx->protected |= epoch->cipher != NULL;
		rx_account(conn, rec, epoch);
		return rec;
	}
	if (err == -EBADMSG && socktls_rx_may_skip(conn, SOCKTLS_SKIP_TRIAL)) {
		socktls_rx_skip(conn);
		return NULL;
	}
	if (err != -ENOMEM)
		rx_open_failed(conn, err);
	return ERR_PTR(err);
}

/**
 * socktls_rx_skip() - drop the head record unopened
 * @conn: sk locked; socktls_rx_head() has just returned 1
 *
 * Return: the first byte of the dropped record's content, -1 when it is empty.
 */
int socktls_rx_skip(struct socktls_conn *conn)
{
	struct socktls_rx *rx = &conn->rx;
	u8 bytes[RECORD_HEADER_LEN + 1];
	int first = -1;

	if (rx->header.length &&
	    rx_peek(conn, bytes, sizeof(bytes)) == sizeof(bytes))
		first = bytes[RECORD_HEADER_LEN];
	rx_consume(conn);
	return first;
}
