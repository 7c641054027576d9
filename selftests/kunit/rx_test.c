// SPDX-License-Identifier: GPL-2.0
/*
 * kmod/rx.c, from TCP's receive queue to the opened record: a stream of records
 * cut anywhere gives the same bytes, a changed one gives none.
 *
 * The queue is that of a TCP socket that is not connected; the test puts skbs
 * into it as TCP would, with their bytes in the head, in page fragments, in a
 * list of skbs, and now and then some bytes twice.
 */
#include <kunit/test.h>
#include <linux/moduleparam.h>
#include <linux/prandom.h>
#include <linux/random.h>

#include "socktls.h"
#include "suite_params.h"

static unsigned int splits = 100;
module_param(splits, uint, 0444);
MODULE_PARM_DESC(splits, "ways to cut each stream");

static bool every_bit;
module_param(every_bit, bool, 0444);
MODULE_PARM_DESC(every_bit, "flip each bit, not one in each byte");

static unsigned long long seed;
module_param(seed, ullong, 0444);
MODULE_PARM_DESC(seed, "repeats a run, 0: random");

#define STREAM_RECORDS	8
#define STREAM_SIZE	(3 * 17000)
#define FRAGS		6
#define FRAG_SIZE	1500
#define POOL_PAGES	64

/**
 * struct rx_fixture - one end of a connection without the other
 * @sock: holds the receive queue
 * @conn: its receive epoch is the suite's; nobody else knows the socket, so
 *	nobody locks it
 * @tx: seals what the peer sends
 * @vec: room to seal a record in
 * @plain: plaintext of the stream
 * @wire: what the peer sends, then a filling for records that grew
 * @got: room for what is read
 * @wire_len: bytes that the peer sends
 * @pool: pages for fragments, as far as nobody else holds them
 * @pool_next: the one to look at next
 * @rnd: the same numbers for the same seed
 * @record: content type and plaintext of each record of the stream
 * @nr: how many there are
 */
struct rx_fixture {
	struct socket *sock;
	struct socktls_conn *conn;
	struct socktls_epoch *tx;
	struct suite_vec *vec;
	u8 *plain;
	u8 *wire;
	u8 *got;
	u32 wire_len;
	struct page *pool[POOL_PAGES];
	u32 pool_next;
	struct rnd_state rnd;
	struct { u8 type; u32 off, len; } record[STREAM_RECORDS];
	u32 nr;
};

static u32 rnd_below(struct rx_fixture *f, u32 limit)
{
	return prandom_u32_state(&f->rnd) % limit;
}

static u32 rnd_bit(struct rx_fixture *f)
{
	return 1 << rnd_below(f, 8);
}

/* --- the socket --- */

static void rx_conn_init(struct kunit *test, struct rx_fixture *f,
			 struct socktls_epoch *rx)
{
	struct socktls_config *config = socktls_config_new();
	struct sock *sk = f->sock->sk;

	KUNIT_ASSERT_NOT_NULL(test, config);
	f->conn = socktls_conn_new(sk, config, GFP_KERNEL);
	socktls_config_put(config);
	KUNIT_ASSERT_NOT_NULL(test, f->conn);
	rcu_assign_pointer(inet_csk(sk)->icsk_ulp_data, f->conn);
	swap(f->conn->rx.epoch, rx);
	socktls_epoch_free(rx);
	/* as if this side had closed: it cannot send, so it does not try to */
	f->conn->closing = true;
	f->conn->tx.closing = true;
	sk->sk_shutdown |= SEND_SHUTDOWN;
	inet_csk(sk)->icsk_ack.rcv_mss = 536;
}

static int rx_test_init(struct kunit *test)
{
	struct socktls_key key;
	struct socktls_epoch *rx;
	struct rx_fixture *f;

	f = kunit_kzalloc(test, sizeof(*f), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, f);
	test->priv = f;
	suite_make_key(test->param_value, &key);
	f->tx = suite_epoch(test, &key);
	f->vec = suite_vec(test, 1, 0, 20000);
	f->plain = kunit_kzalloc(test, STREAM_SIZE, GFP_KERNEL);
	f->wire = kunit_kzalloc(test, 2 * STREAM_SIZE, GFP_KERNEL);
	f->got = kunit_kzalloc(test, RECORD_MAX_PLAINTEXT, GFP_KERNEL);
	KUNIT_ASSERT_TRUE(test, f->plain && f->wire && f->got);
	seed = seed ? : get_random_u64();
	prandom_seed_state(&f->rnd, seed);

	KUNIT_ASSERT_EQ(test, 0, sock_create_kern(&init_net, AF_INET,
						  SOCK_STREAM, IPPROTO_TCP,
						  &f->sock));
	rx = socktls_epoch_new(&key);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, rx);
	rx_conn_init(test, f, rx);
	return 0;
}

static void rx_test_exit(struct kunit *test)
{
	struct rx_fixture *f = test->priv;
	struct sock *sk;
	u32 i;

	if (!f || !f->sock)
		return;
	sk = f->sock->sk;
	__skb_queue_purge(&sk->sk_receive_queue);
	for (i = 0; i < POOL_PAGES; i++)
		if (f->pool[i])
			put_page(f->pool[i]);
	rcu_assign_pointer(inet_csk(sk)->icsk_ulp_data, NULL);
	if (f->conn) {
		socktls_conn_detach(f->conn);
		socktls_conn_put(f->conn);
	}
	sock_release(f->sock);
}

/* An empty queue, a connection without a past; the next byte has number @seq */
static void rx_restart(struct rx_fixture *f, u32 seq)
{
	struct socktls_conn *conn = f->conn;
	struct tcp_sock *tp = tcp_sk(conn->sk);

	__skb_queue_purge(&conn->sk->sk_receive_queue);
	if (conn->rx.raw)
		socktls_rx_release(conn, conn->rx.raw);
	conn->rx.raw = NULL;
	conn->rx.need = 0;
	conn->rx.error = 0;
	conn->rx.stopped = false;
	conn->rx.epoch->seq = 0;
	memset(&conn->error, 0, sizeof(conn->error));
	conn->state = SOCKTLS_STATE_ESTABLISHED;
	conn->sk->sk_err = 0;
	tp->copied_seq = seq;
	tp->rcv_nxt = seq;
	conn->rx.seq = seq;
}

/* --- segments --- */

/* Allocating dear pages for each fragment would take most of the time */
static struct page *pool_page(struct kunit *test, struct rx_fixture *f)
{
	u32 i;

	for (i = 0; i < POOL_PAGES; i++) {
		struct page **page = &f->pool[f->pool_next++ % POOL_PAGES];

		if (!*page)
			*page = alloc_page(GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, *page);
		if (page_count(*page) == 1) {
			get_page(*page);
			return *page;
		}
	}
	return alloc_page(GFP_KERNEL);
}

/* A piece of the bytes in a page of its own, somewhere in it */
static void add_frag(struct kunit *test, struct rx_fixture *f,
		     struct sk_buff *skb, const u8 *bytes, u32 len)
{
	u32 off = rnd_below(f, PAGE_SIZE - len);
	struct page *page = pool_page(test, f);

	KUNIT_ASSERT_NOT_NULL(test, page);
	memcpy(page_address(page) + off, bytes, len);
	skb_fill_page_desc(skb, skb_shinfo(skb)->nr_frags, page, off, len);
	skb->len += len;
	skb->data_len += len;
	skb->truesize += PAGE_SIZE;
}

/* The first @head bytes lie in the head, the rest in fragments */
static struct sk_buff *new_skb(struct kunit *test, struct rx_fixture *f,
			       const u8 *bytes, u32 len, u32 head)
{
	struct sk_buff *skb;
	int left;
	u32 n;

	if (len - head > FRAGS * FRAG_SIZE)
		head = len;
	skb = alloc_skb(head, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, skb);
	skb_put_data(skb, bytes, head);
	for (left = FRAGS - 1; head < len; left--) {
		u32 most = min_t(u32, len - head, FRAG_SIZE);
		u32 least = max_t(int, 1, len - head - left * FRAG_SIZE);

		n = least + rnd_below(f, most - least + 1);
		add_frag(test, f, skb, bytes + head, n);
		head += n;
	}
	return skb;
}

/* To a list of one */
static void append_skb(struct sk_buff *skb, struct sk_buff *more)
{
	skb_shinfo(skb)->frag_list = more;
	skb->len += more->len;
	skb->data_len += more->len;
	skb->truesize += more->truesize;
}

/* As GRO makes them */
static struct sk_buff *new_skb_list(struct kunit *test, struct rx_fixture *f,
				    const u8 *bytes, u32 len)
{
	u32 head = rnd_below(f, len);
	struct sk_buff *skb = new_skb(test, f, bytes, head, head);
	struct sk_buff *more = new_skb(test, f, bytes + head, len - head,
				       rnd_below(f, len - head + 1));

	append_skb(skb, more);
	return skb;
}

/* Spliced by somebody who may still write there */
static void share_frags(struct sk_buff *skb)
{
	if (skb_is_nonlinear(skb))
		skb_shinfo(skb)->flags |= SKBFL_SHARED_FRAG;
}

static struct sk_buff *skb_of_any_form(struct kunit *test,
				       struct rx_fixture *f, const u8 *bytes,
				       u32 len)
{
	switch (rnd_below(f, 8)) {
	case 0:
	case 1:
	case 2:
		return new_skb(test, f, bytes, len, 0);
	case 3:
		return new_skb(test, f, bytes, len, rnd_below(f, len + 1));
	case 4:
		return new_skb_list(test, f, bytes, len);
	}
	return new_skb(test, f, bytes, len, len);
}

static struct sk_buff *random_skb(struct kunit *test, struct rx_fixture *f,
				  const u8 *bytes, u32 len)
{
	struct sk_buff *skb = skb_of_any_form(test, f, bytes, len);

	if (!rnd_below(f, 16))
		share_frags(skb);
	return skb;
}

static void rx_queue(struct rx_fixture *f, struct sk_buff *skb, u32 len,
		     u32 again)
{
	struct sock *sk = f->sock->sk;
	struct tcp_sock *tp = tcp_sk(sk);

	TCP_SKB_CB(skb)->seq = tp->rcv_nxt - again;
	TCP_SKB_CB(skb)->end_seq = tp->rcv_nxt + len;
	TCP_SKB_CB(skb)->tcp_flags = TCPHDR_ACK;
	__skb_queue_tail(&sk->sk_receive_queue, skb);
	tp->rcv_nxt += len;
	tp->rcv_wup = tp->rcv_nxt;
}

/*
 * What TCP does with a segment that is in order: @again bytes of it are those
 * that came last. The window may be closed, so that the record is copied out.
 */
static void rx_segment(struct kunit *test, struct rx_fixture *f,
		       const u8 *bytes, u32 len, u32 again)
{
	rx_queue(f, random_skb(test, f, bytes - again, len + again), len, again);
	tcp_sk(f->sock->sk)->rcv_wnd = rnd_below(f, 8) ? 65535 : 0;
}

/* --- the stream --- */

static void seal_record(struct kunit *test, struct rx_fixture *f, u8 type,
			u32 off, u32 len, u32 padding)
{
	u32 room = RECORD_HEADER_LEN + f->tx->prefix;

	suite_vec_reset(f->vec);
	socktls_vec_write(&f->vec->vec, room, f->plain + off, len);
	KUNIT_ASSERT_EQ(test, 0, socktls_epoch_seal(f->tx, type, &f->vec->vec,
						    &f->vec->vec, len,
						    padding));
	socktls_vec_read(&f->vec->vec, 0, f->wire + f->wire_len,
			 f->vec->vec.len);
	f->wire_len += f->vec->vec.len;
	f->record[f->nr].type = type;
	f->record[f->nr].off = off;
	f->record[f->nr].len = len;
	f->nr++;
}

static void make_stream(struct kunit *test, struct rx_fixture *f,
			const u32 *sizes, u32 nr)
{
	bool pad = f->tx->version == RECORD_TLS_1_3;
	u32 i, off = 0;

	get_random_bytes(f->plain, STREAM_SIZE);
	for (i = 0; i < nr; i++) {
		seal_record(test, f, 21 + i % 3, off, sizes[i],
			    pad && sizes[i] < 16000 ? rnd_below(f, 50) : 0);
		off += sizes[i];
	}
}

/* Opens all that is there; the plaintext must be the next one's of the stream */
static void read_records(struct kunit *test, struct rx_fixture *f, u32 *next)
{
	struct rx_record *rec;
	int ret;

	while ((ret = socktls_rx_head(f->conn)) > 0) {
		rec = socktls_rx_open(f->conn, f->conn->rx.epoch);
		KUNIT_ASSERT_NOT_ERR_OR_NULL(test, rec);
		KUNIT_ASSERT_LT(test, *next, f->nr);
		KUNIT_ASSERT_EQ(test, f->record[*next].type, rec->type);
		KUNIT_ASSERT_EQ(test, f->record[*next].len, rec->len);
		socktls_vec_read(&rec->vec, rec->off, f->got, rec->len);
		KUNIT_ASSERT_EQ(test, 0,
				memcmp(f->got, f->plain + f->record[*next].off,
				       rec->len));
		socktls_rx_release(f->conn, rec);
		++*next;
	}
	KUNIT_ASSERT_EQ(test, 0, ret);
}

/* A few bytes, up to some hundreds, or up to all */
static u32 segment_len(struct rx_fixture *f, u32 style, u32 left)
{
	static const u32 most[] = { 4, 50, 700, STREAM_SIZE };

	return 1 + rnd_below(f, min(left, most[style]));
}

static void split_once(struct kunit *test, struct rx_fixture *f, u32 style)
{
	u32 at = 0, next = 0;
	u32 len, again;

	/* numbers wrap somewhere in the stream */
	rx_restart(f, rnd_below(f, 2) ? -rnd_below(f, f->wire_len) : 1);
	while (at < f->wire_len) {
		len = segment_len(f, style, f->wire_len - at);
		again = rnd_below(f, 8) ? 0 : rnd_below(f, min(at, 9u) + 1);
		rx_segment(test, f, f->wire + at, len, again);
		at += len;
		/* a reader comes late */
		if (rnd_below(f, 3))
			read_records(test, f, &next);
	}
	read_records(test, f, &next);
	KUNIT_ASSERT_EQ(test, f->nr, next);
	KUNIT_ASSERT_EQ(test, 0, socktls_rx_buffered(f->conn));
}

/* Styles from @style on; the one of the shortest segments is the dearest */
static void split_stream(struct kunit *test, u32 count, u32 style)
{
	struct rx_fixture *f = test->priv;
	u32 i;

	f->conn->key_plane = true;
	for (i = 0; i < count; i++) {
		split_once(test, f, style + i % (4 - style));
		cond_resched();
	}
	kunit_info(test, "%u ways to cut %u bytes, seed %llu\n", count,
		   f->wire_len, seed);
}

static void rx_opens_the_same_however_the_stream_is_cut(struct kunit *test)
{
	static const u32 sizes[] = { 1, 33, 0, 90 };
	struct rx_fixture *f = test->priv;

	make_stream(test, f, sizes, ARRAY_SIZE(sizes));
	split_stream(test, splits / 16, 0);
	split_stream(test, splits - splits / 16, 1);
}

static void rx_opens_the_same_however_full_records_are_cut(struct kunit *test)
{
	static const u32 sizes[] = { 16384, 700, 16383 };
	struct rx_fixture *f = test->priv;

	make_stream(test, f, sizes, ARRAY_SIZE(sizes));
	split_stream(test, splits / 50, 2);
}

/* Was the last record opened from this page? Only the first entry says so */
static bool opened_from(const struct rx_fixture *f, const struct page *page)
{
	return sg_page(&f->conn->rx.sg[0]) == page;
}

/*
 * The skb, of one fragment or of a list of such, holds the whole stream, which
 * is one record. It is opened from the page, unless that is somebody else's.
 */
static void open_one(struct kunit *test, struct rx_fixture *f,
		     struct sk_buff *skb, const struct page *page, bool there)
{
	u32 next = 0;

	rx_queue(f, skb, f->wire_len, 0);
	tcp_sk(f->sock->sk)->rcv_wnd = 65535;
	read_records(test, f, &next);
	KUNIT_EXPECT_EQ(test, 1, next);
	KUNIT_EXPECT_EQ(test, there, opened_from(f, page));
}

static struct page *first_page(const struct sk_buff *skb)
{
	return skb_frag_page(&skb_shinfo(skb)->frags[0]);
}

static void rx_copies_what_others_may_write_before_it_opens_it(struct kunit *test)
{
	static const u32 sizes[] = { 100 };
	struct rx_fixture *f = test->priv;
	struct sk_buff *skb, *more;

	make_stream(test, f, sizes, ARRAY_SIZE(sizes));
	f->conn->key_plane = true;

	rx_restart(f, 1);
	skb = new_skb(test, f, f->wire, f->wire_len, 0);
	open_one(test, f, skb, first_page(skb), true);

	rx_restart(f, 1);
	skb = new_skb(test, f, f->wire, f->wire_len, 0);
	share_frags(skb);
	open_one(test, f, skb, first_page(skb), false);

	/* in the list behind a segment that nobody shares */
	rx_restart(f, 1);
	skb = new_skb(test, f, f->wire, 20, 0);
	more = new_skb(test, f, f->wire + 20, f->wire_len - 20, 0);
	share_frags(more);
	append_skb(skb, more);
	open_one(test, f, skb, first_page(skb), false);
}

/* --- changed records --- */

/*
 * Feeds the changed stream, and more where the change made the record longer.
 * The record must be refused, with nothing of it left to read, and stay so.
 */
static int refusal(struct kunit *test, struct rx_fixture *f)
{
	u32 cut = 1 + rnd_below(f, f->wire_len - 1);
	struct rx_record *rec;
	int ret;

	rx_restart(f, 1);
	rx_segment(test, f, f->wire, cut, 0);
	rx_segment(test, f, f->wire + cut, f->wire_len - cut, 0);
	ret = socktls_rx_head(f->conn);
	if (!ret) {
		rx_segment(test, f, f->wire + f->wire_len, RECORD_MAX_LEN, 0);
		ret = socktls_rx_head(f->conn);
	}
	if (ret > 0) {
		rec = socktls_rx_open(f->conn, f->conn->rx.epoch);
		KUNIT_ASSERT_TRUE(test, IS_ERR(rec));
		ret = PTR_ERR(rec);
	}
	KUNIT_ASSERT_LT(test, ret, 0);
	KUNIT_ASSERT_EQ(test, 0, f->conn->rx.epoch->seq);
	KUNIT_ASSERT_TRUE(test, list_empty(&f->conn->rx.opened));
	KUNIT_ASSERT_EQ(test, 0, f->conn->rx.opened_len);
	KUNIT_ASSERT_LE(test, socktls_rx_head(f->conn), 0);
	KUNIT_ASSERT_NE(test, 0, f->conn->error.error);
	return ret;
}

/* One bit of each byte, or each bit, from @from on */
static void flip_bits(struct kunit *test, struct rx_fixture *f, u32 from,
		      u32 to, void (*expect)(struct kunit *test,
					     struct rx_fixture *f, u32 at,
					     int err))
{
	u32 at, bits, bit;

	seal_record(test, f, RECORD_APPLICATION_DATA, 0, 40, 0);
	for (at = from; at < min(to, f->wire_len); at++) {
		bits = every_bit ? 0xff : rnd_bit(f);
		for (bit = 1; bit < 256; bit <<= 1) {
			if (!(bits & bit))
				continue;
			f->wire[at] ^= bit;
			expect(test, f, at, refusal(test, f));
			f->wire[at] ^= bit;
		}
	}
}

/* Nonce, ciphertext, MAC, tag: one errno, one alert, whatever it was */
static void expect_bad_record_mac(struct kunit *test, struct rx_fixture *f,
				  u32 at, int err)
{
	KUNIT_ASSERT_EQ(test, -EBADMSG, err);
	KUNIT_ASSERT_EQ(test, EBADMSG, f->conn->error.error);
	KUNIT_ASSERT_EQ(test, ALERT_BAD_RECORD_MAC, f->conn->error.alert);
	KUNIT_ASSERT_EQ(test, SOCKTLS_ALERT_SENT, f->conn->error.alert_from);
}

static void rx_refuses_flipped_bits_of_the_fragment(struct kunit *test)
{
	flip_bits(test, test->priv, RECORD_HEADER_LEN, U32_MAX,
		  expect_bad_record_mac);
}

/* Of the key plane; and a length may be over the limit */
static void expect_bad_header(struct kunit *test, struct rx_fixture *f,
			      u32 at, int err)
{
	if (at == 0)
		KUNIT_ASSERT_EQ(test, -EBADMSG, err);
	else if (at < 3)
		KUNIT_ASSERT_EQ(test, -EINVAL, err);
	else
		KUNIT_ASSERT_TRUE(test, err == -EBADMSG || err == -EMSGSIZE);
}

/* On the key plane, where any content type passes the check of the header */
static void rx_refuses_flipped_bits_of_the_header(struct kunit *test)
{
	struct rx_fixture *f = test->priv;

	f->conn->key_plane = true;
	flip_bits(test, f, 0, RECORD_HEADER_LEN, expect_bad_header);
}

static void rx_refuses_record_cut_short(struct kunit *test)
{
	struct rx_fixture *f = test->priv;
	u32 whole, len;

	seal_record(test, f, RECORD_APPLICATION_DATA, 0, 40, 0);
	whole = f->wire_len;
	for (len = RECORD_HEADER_LEN; len < whole; len += every_bit ? 1 : 7) {
		f->wire_len = len;
		put_unaligned_be16(len - RECORD_HEADER_LEN, f->wire + 3);
		KUNIT_ASSERT_EQ(test, -EBADMSG, refusal(test, f));
		KUNIT_ASSERT_EQ(test, ALERT_BAD_RECORD_MAC,
				f->conn->error.alert);
	}
}

/* The receiver of an inner plaintext without a type: RFC 8446 section 5.4 */
static void rx_refuses_inner_plaintext_of_zeros(struct kunit *test)
{
	struct rx_fixture *f = test->priv;

	seal_record(test, f, 0, 0, 0, 9000);
	rx_restart(f, 1);
	rx_segment(test, f, f->wire, f->wire_len, 0);
	KUNIT_ASSERT_EQ(test, 1, socktls_rx_head(f->conn));
	KUNIT_ASSERT_TRUE(test, IS_ERR(socktls_rx_open(f->conn,
						       f->conn->rx.epoch)));
	KUNIT_EXPECT_EQ(test, EPROTO, f->conn->error.error);
	KUNIT_EXPECT_EQ(test, ALERT_UNEXPECTED_MESSAGE, f->conn->error.alert);
}

/* Its header alone tells that what is inside is over 2^14 + 1 bytes */
static void rx_refuses_record_over_limit(struct kunit *test)
{
	struct rx_fixture *f = test->priv;
	struct record_limits limits;

	socktls_epoch_limits(f->conn->rx.epoch, &limits);
	record_write_header(f->wire, RECORD_APPLICATION_DATA, RECORD_TLS_1_2,
			    limits.max_length + 1);
	rx_restart(f, 1);
	rx_segment(test, f, f->wire, RECORD_HEADER_LEN, 0);
	KUNIT_EXPECT_EQ(test, -EMSGSIZE, socktls_rx_head(f->conn));
	KUNIT_EXPECT_EQ(test, ALERT_RECORD_OVERFLOW, f->conn->error.alert);
}

static struct kunit_case rx_cases[] = {
	KUNIT_CASE_PARAM_ATTR(rx_opens_the_same_however_the_stream_is_cut,
			      suite_gen_params, { .speed = KUNIT_SPEED_SLOW }),
	KUNIT_CASE_PARAM_ATTR(rx_opens_the_same_however_full_records_are_cut,
			      suite_gen_params, { .speed = KUNIT_SPEED_SLOW }),
	KUNIT_CASE_PARAM(rx_copies_what_others_may_write_before_it_opens_it,
			 suite_gen_params),
	KUNIT_CASE_PARAM(rx_refuses_flipped_bits_of_the_fragment,
			 suite_gen_params),
	KUNIT_CASE_PARAM(rx_refuses_flipped_bits_of_the_header,
			 suite_gen_params),
	KUNIT_CASE_PARAM(rx_refuses_record_cut_short, suite_gen_params),
	KUNIT_CASE_PARAM(rx_refuses_inner_plaintext_of_zeros,
			 suite_13_gen_params),
	KUNIT_CASE_PARAM(rx_refuses_record_over_limit, suite_gen_params),
	{}
};

static struct kunit_suite rx_suite = {
	.name = "rx",
	.init = rx_test_init,
	.exit = rx_test_exit,
	.test_cases = rx_cases,
};

kunit_test_suites(&rx_suite);
