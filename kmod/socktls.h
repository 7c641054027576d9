/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The connection and everything that works on it.
 *
 * The socket lock guards a connection ("sk locked" below). struct hs, the part
 * of a handshake that the helper sees, is guarded by the lock of its netns.
 */
#ifndef SOCKTLS_H
#define SOCKTLS_H

#include <linux/list.h>
#include <linux/rcupdate.h>
#include <linux/refcount.h>
#include <linux/workqueue.h>
#include <net/inet_connection_sock.h>
#include <net/sock.h>
#include <net/tcp.h>
#include <linux/socktls.h>
#include <linux/socktls_netlink.h>

#include "cipher.h"
#include "compat.h"
#include "record.h"
#include "stat.h"
#include "ticket.h"

struct hs;
struct session_item;
struct socktls_cookie;
struct socktls_net;

/*
 * What a socket asks of its handshakes. Immutable once it is in a connection:
 * setting an option replaces it by a changed copy, so that a listener's can be
 * shared with its children.
 */
struct socktls_config {
	refcount_t		ref;
	const struct cred	*identity_cred;	/* who set SOCKTLS_IDENTITY */
	const struct cred	*armed_cred;	/* who armed the listener */
	char			*server_name;	/* strings or NULL */
	char			*identity;
	char			*policy;
	u8			*alpn;
	u32			alpn_len;
	u8			*trust;
	u32			trust_len;
	u8			peer_auth;
	u8			eof;
	u8			record_sizing;
	struct socktls_padding	padding;
	u8			armed;		/* listener: children handshake */
	u32			timeout_ms;
	u32			armed_pid;
};

/* The most skb fragments that a record is decrypted from without a copy. */
#define RX_SEGMENTS	24

/* Memory of a record: an opened one waits for its reader; see memory.c. */
struct rx_record {
	struct list_head	list;
	u8			type;
	bool			scattered;	/* pages apart, not one run */
	u32			off;		/* unread plaintext in vec */
	u32			len;
	u32			size;		/* bytes of memory */
	u32			charged;	/* of them, charged to the socket */
	struct socktls_vec	vec;
};

struct socktls_rx {
	struct socktls_epoch	*epoch;
	struct list_head	opened;
	u32			opened_len;	/* bytes of application data */
	u32			opened_size;	/* bytes of memory they take */
	bool			uncharged;	/* the newest is over a limit */
	u32			seq;		/* where the record layer is */
	u32			need;		/* head record on the wire, 0: unknown */
	struct record_header	header;		/* valid when need is set */
	u32			judged;		/* epoch that takes it, or 0 */
	struct rx_record	*raw;		/* head record, copied out */
	struct scatterlist	sg[RX_SEGMENTS];
	int			error;		/* sticky, after opened is read */
	bool			closed;		/* close_notify received */
	bool			protected;	/* a protected record was opened */
	bool			taken;		/* what arrives is records */
	bool			keyed;		/* key plane: TLS_RX was set */
	bool			key_expired;	/* key plane: KeyUpdate received */
	bool			stopped;	/* key plane: not records any more */
	u32			consumed;	/* records read to their end */
	u16			ccs;		/* TLS 1.3 CCS records dropped */
	u16			empty;		/* empty records in a row */
	u16			warnings;	/* warning alerts received */
	bool			shut;		/* shutdown(SHUT_RD) was called */
	u16			updates;	/* KeyUpdates without data between */
	bool			update_due;	/* the next record has a new key */
	u8			request_update;	/* of the KeyUpdate being read */
	u8			skip_mode;	/* enum socktls_skip_mode, or 0 */
	u32			skip_left;	/* bytes */
	u32			max_plaintext;	/* of a protected record */
	struct session_item	*ticket;	/* being read */
	struct ticket_shape	ticket_shape;	/* of it, kept or not */
	struct handshake_tracker tracker;
};

struct socktls_tx {
	struct socktls_epoch	*epoch;
	struct rx_record	*open;		/* where its plaintext is */
	struct socktls_vec	vec;		/* sealed record, or unsent tail */
	u32			plaintext_len;	/* of the open record */
	unsigned long		open_until;	/* jiffies: then it is sent */
	u8			type;		/* of the open record */
	u8			sent;		/* segments of a sealed record gone */
	bool			sealed;		/* vec is a sealed record */
	bool			keyed;		/* key plane: TLS_TX was set */
	bool			closing;	/* nothing more may be written */
	bool			notify;		/* a close_notify is due */
	bool			fin;		/* TCP's FIN is, behind all else */
	bool			force;		/* over the send buffer's limit */
	bool			dynamic;	/* short records while cold */
	int			error;		/* sticky */
	u32			max_plaintext;
	u32			limit;		/* of the open record */
	u32			cold;		/* bytes until it is warm */
	unsigned long		last_sent;	/* jiffies, of dynamic records */
	u16			no_renegotiation;
	u8			updates;	/* KeyUpdates to be sent */
	struct list_head	lazy;		/* struct hs_action, for later */
	bool			lazy_begun;	/* sent in part, maybe in a message */
	u32			lazy_size;	/* all that was ever kept, bytes */
	u64			rekey_at;	/* sequence number that asks for one */
	u64			prelude_at;	/* and for socktls_tx_prelude() */
};

/**
 * struct socktls_conn - a socket's TLS state
 * @sk: the socket; valid while attached, or while a work item runs
 * @attached: the ULP is on the socket; cleared by release()
 *
 * sk locked, but for: @ref; @id and the base pointers, constant; @state, read
 * anywhere with READ_ONCE(); @net_node, guarded by the netns' lock.
 */
struct socktls_conn {
	struct rcu_head		rcu;
	refcount_t		ref;
	struct sock		*sk;
	u64			id;
	struct list_head	net_node;
	const struct socktls_protos *protos;
	void			(*base_data_ready)(struct sock *sk);
	void			(*base_write_space)(struct sock *sk);
	void			(*base_state_change)(struct sock *sk);
	struct delayed_work	work;
	struct delayed_work	deadline;
	struct work_struct	free_work;	/* after the last reference */
	atomic_t		plain_calls;	/* readers inside the base proto */
	struct socktls_stats __percpu *stats;	/* of the netns */

	u8			state;
	u8			role;
	bool			key_plane;
	bool			zerocopy_ro;	/* TLS_TX_ZEROCOPY_RO */
	bool			expect_no_pad;	/* TLS_RX_EXPECT_NO_PAD */
	bool			callbacks;	/* sk's callbacks are ours */
	bool			attached;
	bool			closing;	/* close() has begun */
	bool			poll_missed;	/* re-ring from release_cb */
	u8			error_stat;	/* of the next failure, see stat.h */
	bool			work_missed;	/* and so */
	bool			expired;	/* the deadline has passed */
	bool			starved;	/* wake the reader, to try again */
	u32			flags;		/* SOCKTLS_INFO_* */
	int			rcvlowat;
	u16			version;
	u16			cipher;		/* TLS_CIPHER_* or SOCKTLS_CIPHER_* */
	u16			suite;
	u16			group;
	u16			signature_scheme;
	struct socktls_config	*config;
	struct hs		*hs;		/* while HANDSHAKING */
	struct socktls_rx	rx;
	struct socktls_tx	tx;
	struct socktls_key	own_key[2];	/* key plane: rx, tx */
	struct socktls_error	error;
	char			*peer_identity;
	u8			*alpn;		/* the name negotiated, or NULL */
	u8			alpn_len;
	struct socktls_cookie	*cookie;	/* what DONE gave, or NULL */
	struct session_item	*ended;		/* to tell of its end */
	struct {
		u8		*bytes;		/* sequence of socktls_blob */
		u32		len;
	} chain[2];				/* SOCKTLS_CHAIN_PEER, _LOCAL */
};

/* A base proto and proto_ops, and ours made from them. Never freed while loaded. */
struct socktls_protos {
	struct list_head	list;
	struct proto		*base_prot;
	const struct proto_ops	*base_ops;
	struct proto		prot;
	struct proto_ops	ops;
};

static inline struct socktls_conn *socktls_conn(const struct sock *sk)
{
	return rcu_dereference_raw(inet_csk(sk)->icsk_ulp_data);
}

static inline void socktls_count(const struct socktls_conn *conn,
				 enum socktls_stat stat, unsigned long n)
{
	socktls_stats_add(conn->stats, stat, n);
}

/* ulp.c */
int socktls_ulp_init(void);
void socktls_ulp_exit(void);
int socktls_attach_child(struct sock *sk, struct socktls_config *config,
			 const struct proto_ops *base_ops);
bool socktls_ulp_is_tls(const struct sock *sk);
extern struct tcp_ulp_ops socktls_ulp_ops;

/* protos.c */
struct socktls_protos *socktls_protos_get(struct proto *base_prot,
					  const struct proto_ops *base_ops);
struct proto *socktls_protos_base(struct proto *prot);
void socktls_protos_free(void);

/* listen.c */
void socktls_clone(const struct request_sock *req, struct sock *newsk,
		   const gfp_t priority);
int socktls_accept(struct socket *sock, struct socket *newsock,
		   COMPAT_ACCEPT_PARAMS);

/* conn.c */
struct socktls_conn *socktls_conn_new(struct sock *sk,
				      struct socktls_config *config, gfp_t gfp);
void socktls_conn_get(struct socktls_conn *conn);
void socktls_conn_put(struct socktls_conn *conn);
void socktls_conn_detach(struct socktls_conn *conn);
void socktls_conn_take_over(struct socktls_conn *conn);
void socktls_conn_take_input(struct socktls_conn *conn);
void socktls_conn_set_state(struct socktls_conn *conn, u8 state);
void socktls_conn_kick(struct socktls_conn *conn, unsigned long delay);
void socktls_conn_arm_deadline(struct socktls_conn *conn, u32 timeout_ms);
void socktls_conn_cancel_deadline(struct socktls_conn *conn);
void socktls_conn_established(struct socktls_conn *conn);
void socktls_conn_wake(struct socktls_conn *conn);
__printf(5, 6)
void socktls_conn_fail(struct socktls_conn *conn, int error, int alert,
		       enum socktls_alert_from from, const char *fmt, ...);
void socktls_conn_send_fin(struct socktls_conn *conn);
bool socktls_conn_trylock(struct socktls_conn *conn, bool *missed);
void socktls_conn_wait(struct socktls_conn *conn, long *timeo);
bool socktls_conn_enter_plain(struct socktls_conn *conn);
void socktls_conn_leave_plain(struct socktls_conn *conn);
int socktls_conn_ready(struct socktls_conn *conn, long *timeo);
int socktls_wq_init(void);
void socktls_wq_exit(void);
int socktls_conn_alive(void);

/* config.c */
struct socktls_config *socktls_config_new(void);
struct socktls_config *socktls_config_get(struct socktls_config *config);
void socktls_config_put(struct socktls_config *config);
int socktls_config_set(struct socktls_conn *conn, int optname,
		       sockptr_t optval, unsigned int optlen);
int socktls_config_arm(struct socktls_conn *conn, u32 timeout_ms);

/* sockopt.c */
int socktls_setsockopt(struct sock *sk, int level, int optname,
		       sockptr_t optval, unsigned int optlen);
int socktls_getsockopt(struct sock *sk, int level, int optname,
		       char __user *optval, int __user *optlen);
int socktls_start_handshake(struct socktls_conn *conn, u8 role, u32 timeout_ms,
			    const struct cred *cred, u32 pid);

/* keyplane.c */
int socktls_keyplane_set(struct socktls_conn *conn, int optname,
			 sockptr_t optval, unsigned int optlen);
int socktls_keyplane_get(struct socktls_conn *conn, int optname,
			 char __user *optval, int __user *optlen);

/* tx.c */
int socktls_tx_init(struct socktls_tx *tx);
void socktls_tx_destroy(struct socktls_conn *conn);
int socktls_sendmsg(struct sock *sk, struct msghdr *msg, size_t len);
int socktls_tx_push(struct socktls_conn *conn);
int socktls_tx_flush(struct socktls_conn *conn);
int socktls_tx_control(struct socktls_conn *conn, u8 type, const u8 *bytes,
		       u32 len, u32 *taken);
void socktls_tx_tick(struct socktls_conn *conn);
#ifdef HAVE_SENDPAGE
int socktls_sendpage(struct sock *sk, struct page *page, int offset,
		     size_t size, int flags);
#endif
void socktls_splice_eof(struct socket *sock);
int socktls_tx_pages_alive(void);

/* end.c: alerts, close_notify */
bool socktls_stream_memory_free(const struct sock *sk, int wake);
int socktls_tx_untold(struct socktls_conn *conn,
		      int (*send)(struct socktls_conn *conn));
void socktls_tx_alert(struct socktls_conn *conn, u8 level, u8 description);
int socktls_tx_close_notify(struct socktls_conn *conn);
void socktls_tx_tick_closing(struct socktls_conn *conn);

/* rx.c */
int socktls_rx_init(struct socktls_rx *rx);
void socktls_rx_destroy(struct socktls_conn *conn);
int socktls_rx_head(struct socktls_conn *conn);
struct rx_record *socktls_rx_open(struct socktls_conn *conn,
				  struct socktls_epoch *epoch);
bool socktls_rx_may_skip(struct socktls_conn *conn, u8 mode);
int socktls_rx_skip(struct socktls_conn *conn);
void socktls_rx_retry(struct socktls_conn *conn);
void socktls_rx_release(struct socktls_conn *conn, struct rx_record *rec);
u32 socktls_rx_buffered(const struct socktls_conn *conn);
bool socktls_rx_wants_reader(struct socktls_conn *conn);
bool socktls_rx_outer_plaintext(const struct socktls_conn *conn);

/* shape.c */
u32 socktls_shape_limit(struct socktls_conn *conn, u8 type);
u32 socktls_shape_padding(const struct socktls_conn *conn, u32 len);
void socktls_shape_sent(struct socktls_tx *tx, u32 len);
void socktls_shape_config(struct socktls_conn *conn);

/* memory.c */
struct rx_record *socktls_record_alloc(u32 size, u32 offset, gfp_t gfp);
void socktls_record_free(struct rx_record *rec);
void *socktls_record_at(const struct rx_record *rec, u32 off, u32 *room);
bool socktls_record_charge(struct sock *sk, struct rx_record *rec);
void socktls_record_uncharge(struct sock *sk, struct rx_record *rec);
#define FRAG_ROOM_MIN	32	/* bytes, as in sk_page_frag_refill() */
bool socktls_frag_refill(struct sock *sk, struct page_frag *frag);
void socktls_record_exit(void);
int socktls_records_alive(void);

/* read.c */
int socktls_recvmsg(struct sock *sk, struct msghdr *msg, size_t len, int flags
		    COMPAT_RECVMSG_PARAMS);
ssize_t socktls_splice_read(struct socket *sock, loff_t *ppos,
			    struct pipe_inode_info *pipe, size_t len,
			    unsigned int flags);
__poll_t socktls_poll(struct file *file, struct socket *sock,
		      struct poll_table_struct *wait);
int socktls_ioctl(struct socket *sock, unsigned int cmd, unsigned long arg);
#ifdef HAVE_PROTO_IOCTL_KARG
int socktls_prot_ioctl(struct sock *sk, int cmd, int *karg);
#endif
int socktls_rx_fill(struct socktls_conn *conn, u32 target);

/* control.c: records that are not application data */
int socktls_control(struct socktls_conn *conn, struct rx_record *rec);
int socktls_control_alert(struct socktls_conn *conn, struct rx_record *rec);
int socktls_control_refuse(struct socktls_conn *conn, int alert,
			   const char *what);

/* rekey.c */
void socktls_rekey_arm(struct socktls_conn *conn);
int socktls_rekey_tx(struct socktls_conn *conn);
int socktls_rekey_rx(struct socktls_conn *conn);
int socktls_rekey_received(struct socktls_conn *conn, u8 request);
int socktls_rekey_request(struct socktls_conn *conn, u32 request);

/* handshake.c */
int socktls_hs_start(struct socktls_conn *conn, const struct cred *cred,
		     u32 pid);
void socktls_hs_run(struct socktls_conn *conn);
void socktls_hs_end(struct socktls_conn *conn, u32 reason, int alert);
int socktls_hs_send_lazy(struct socktls_conn *conn);
void socktls_hs_drop_lazy(struct socktls_conn *conn);

/* session.c: tickets, exporters, the end of a session */
int socktls_session_begin(struct socktls_conn *conn, const u8 *bytes, u32 len);
void socktls_session_free(struct socktls_conn *conn);
void socktls_session_ended(struct socktls_conn *conn, int alert);
void socktls_session_ticket(struct socktls_conn *conn, const u8 header[4],
			    u32 len);
void socktls_session_ticket_bytes(struct socktls_conn *conn,
				  const struct rx_record *rec, u32 off,
				  u32 len);
void socktls_session_ticket_end(struct socktls_conn *conn);
int socktls_session_export(struct socktls_conn *conn, char __user *optval,
			   int __user *optlen);

#endif /* SOCKTLS_H */
