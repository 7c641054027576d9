// SPDX-License-Identifier: GPL-2.0
/*
 * The connection: its states, the socket's callbacks, deferred work, waiting.
 */
#include <linux/slab.h>

#include "net.h"
#include "socktls.h"
#include "trace.h"

#define CONN_IDLE_JIFFIES	msecs_to_jiffies(10)

static struct workqueue_struct *conn_wq;
static atomic_t conns_alive = ATOMIC_INIT(0);

static void conn_work(struct work_struct *work);
static void conn_deadline(struct work_struct *work);

int socktls_conn_alive(void)
{
	return atomic_read(&conns_alive);
}

int socktls_wq_init(void)
{
	conn_wq = alloc_workqueue("socktls", WQ_UNBOUND | WQ_MEM_RECLAIM, 0);
	return conn_wq ? 0 : -ENOMEM;
}

void socktls_wq_exit(void)
{
	destroy_workqueue(conn_wq);
}

void socktls_conn_get(struct socktls_conn *conn)
{
	refcount_inc(&conn->ref);
}

/* A connection may end in softirq, where no transform can be freed. */
static void conn_free(struct work_struct *work)
{
	struct socktls_conn *conn = container_of(work, struct socktls_conn,
						 free_work);

	socktls_epoch_free(conn->rx.epoch);
	socktls_epoch_free(conn->tx.epoch);
	socktls_config_put(conn->config);
	kfree(conn->peer_identity);
	kfree(conn->alpn);
	kvfree(conn->chain[SOCKTLS_CHAIN_PEER].bytes);
	kvfree(conn->chain[SOCKTLS_CHAIN_LOCAL].bytes);
	atomic_dec(&conns_alive);
	kfree_rcu(conn, rcu);
}

/* Context: any, BH included. */
void socktls_conn_put(struct socktls_conn *conn)
{
	if (refcount_dec_and_test(&conn->ref))
		queue_work(conn_wq, &conn->free_work);
}

/**
 * socktls_conn_new() - the TLS state of a socket
 * @sk: the socket, locked
 * @config: referenced on success
 * @gfp: how to allocate
 *
 * Return: the connection with one reference, not yet on the socket; NULL
 * without memory.
 */
struct socktls_conn *socktls_conn_new(struct sock *sk,
				      struct socktls_config *config, gfp_t gfp)
{
	struct socktls_conn *conn = kzalloc(sizeof(*conn), gfp);

	if (!conn)
		return NULL;
	if (socktls_rx_init(&conn->rx) || socktls_tx_init(&conn->tx)) {
		socktls_epoch_free(conn->rx.epoch);
		kfree(conn);
		return NULL;
	}
	refcount_set(&conn->ref, 1);
	conn->sk = sk;
	conn->config = socktls_config_get(config);
	conn->attached = true;
	conn->stats = socktls_net(sock_net(sk))->stats;
	conn->error_stat = SOCKTLS_STAT_NONE;
	socktls_shape_config(conn);
	atomic_set(&conn->plain_calls, 0);
	INIT_DELAYED_WORK(&conn->work, conn_work);
	INIT_DELAYED_WORK(&conn->deadline, conn_deadline);
	INIT_WORK(&conn->free_work, conn_free);
	atomic_inc(&conns_alive);
	socktls_net_add(conn);
	return conn;
}

/*
 * A queued work item holds the connection and the socket: the socket outlives
 * the ULP on it then, and the item finds attached cleared.
 */
static void conn_hold(struct socktls_conn *conn)
{
	socktls_conn_get(conn);
	sock_hold(conn->sk);
}

static void conn_release(struct socktls_conn *conn)
{
	sock_put(conn->sk);
	socktls_conn_put(conn);
}

/**
 * socktls_conn_kick() - have the connection's work done
 * @conn: attached
 * @delay: jiffies; 0 also advances work that is queued for later
 *
 * Context: any, with the socket lock, its spinlock or the netns' lock held.
 */
void socktls_conn_kick(struct socktls_conn *conn, unsigned long delay)
{
	bool queued;

	if (delay && delayed_work_pending(&conn->work))
		return;
	conn_hold(conn);
	if (delay)
		queued = queue_delayed_work(conn_wq, &conn->work, delay);
	else
		queued = !mod_delayed_work(conn_wq, &conn->work, 0);
	if (!queued)
		conn_release(conn);
}

void socktls_conn_arm_deadline(struct socktls_conn *conn, u32 timeout_ms)
{
	conn_hold(conn);
	if (!queue_delayed_work(conn_wq, &conn->deadline,
				msecs_to_jiffies(timeout_ms)))
		conn_release(conn);
}

void socktls_conn_cancel_deadline(struct socktls_conn *conn)
{
	if (cancel_delayed_work(&conn->deadline))
		conn_release(conn);
}

/**
 * socktls_conn_trylock() - take the socket lock if nobody has it
 * @conn: attached, or held by a work item
 * @missed: set when somebody has it, under the socket's spinlock: release_cb
 *	sees it then
 *
 * For those who must not wait for the owner: poll, because epoll holds its own
 * mutex; deferred work, because an owner may sleep in a page fault as long as
 * the program behind the memory likes, and all connections share the workers.
 *
 * Return: true with the socket locked, for release_sock().
 */
bool socktls_conn_trylock(struct socktls_conn *conn, bool *missed)
{
	struct sock *sk = conn->sk;
	bool owned;

	spin_lock_bh(&sk->sk_lock.slock);
	owned = sock_owned_by_user_nocheck(sk);
	if (owned)
		*missed = true;
	else
		sk->sk_lock.owned = 1;
	spin_unlock_bh(&sk->sk_lock.slock);
	if (!owned)
		mutex_acquire(&sk->sk_lock.dep_map, 0, 1, _RET_IP_);
	return !owned;
}

/* The rest is the work's, which comes again when the lock is not to be had. */
static void conn_deadline(struct work_struct *work)
{
	struct socktls_conn *conn = container_of(to_delayed_work(work),
						 struct socktls_conn, deadline);

	WRITE_ONCE(conn->expired, true);
	conn_work(&conn->work.work);
}

static void conn_work_established(struct socktls_conn *conn)
{
	struct socktls_rx *rx = &conn->rx;

	if (list_empty(&rx->opened))
		socktls_rx_fill(conn, 1);
	if (!list_empty(&rx->opened) || rx->error || rx->closed)
		conn->base_data_ready(conn->sk);
}

static void conn_work_handshaking(struct socktls_conn *conn)
{
	if (READ_ONCE(conn->expired))
		socktls_conn_fail(conn, ETIMEDOUT, ALERT_USER_CANCELED,
				  SOCKTLS_ALERT_SENT,
				  "the handshake did not finish before its deadline");
	else
		socktls_hs_run(conn);
}

static void conn_work_locked(struct socktls_conn *conn)
{
	bool tail = conn->tx.sealed;

	if (conn->state == SOCKTLS_STATE_HANDSHAKING)
		conn_work_handshaking(conn);
	else if (conn->key_plane || conn->state == SOCKTLS_STATE_ESTABLISHED)
		socktls_tx_tick(conn);
	if (conn->state == SOCKTLS_STATE_ESTABLISHED && !conn->key_plane)
		conn_work_established(conn);
	if (conn->starved && conn->callbacks) {
		conn->starved = false;
		conn->base_data_ready(conn->sk);
	}
	if (tail && !conn->tx.sealed)
		conn->base_write_space(conn->sk);
}

static void conn_work(struct work_struct *work)
{
	struct socktls_conn *conn = container_of(to_delayed_work(work),
						 struct socktls_conn, work);

	if (socktls_conn_trylock(conn, &conn->work_missed)) {
		if (conn->attached && !conn->closing)
			conn_work_locked(conn);
		release_sock(conn->sk);
	}
	conn_release(conn);
}

/* BH or process, the socket's spinlock held or the socket owned. */
static void conn_data_ready(struct sock *sk)
{
	struct socktls_conn *conn = socktls_conn(sk);

	if (conn->state == SOCKTLS_STATE_HANDSHAKING) {
		socktls_conn_kick(conn, 0);
		return;
	}
	/* keyed one way only: what comes is not records, or not yet */
	if (conn->key_plane && !conn->rx.keyed) {
		conn->base_data_ready(sk);
		return;
	}
	/* a read that began before the key still takes bytes */
	if (!socktls_rx_wants_reader(conn) && !atomic_read(&conn->plain_calls))
		return;
	conn->base_data_ready(sk);
	if (!conn->key_plane)
		socktls_conn_kick(conn, CONN_IDLE_JIFFIES);
}

static void conn_write_space(struct sock *sk)
{
	struct socktls_conn *conn = socktls_conn(sk);

	if (!conn->closing && (conn->tx.sealed ||
			       conn->state == SOCKTLS_STATE_HANDSHAKING))
		socktls_conn_kick(conn, 0);
	conn->base_write_space(sk);
}

static void conn_state_change(struct sock *sk)
{
	struct socktls_conn *conn = socktls_conn(sk);

	if (conn->state == SOCKTLS_STATE_HANDSHAKING && !conn->closing)
		socktls_conn_kick(conn, 0);
	conn->base_state_change(sk);
}

/**
 * socktls_conn_set_state() - the one way to another state
 * @conn: sk locked
 * @state: SOCKTLS_STATE_*
 */
void socktls_conn_set_state(struct socktls_conn *conn, u8 state)
{
	trace_socktls_state(conn, conn->state, state);
	WRITE_ONCE(conn->state, state);
}

/**
 * socktls_conn_take_over() - the socket's callbacks become ours
 * @conn: sk locked
 */
void socktls_conn_take_over(struct socktls_conn *conn)
{
	struct sock *sk = conn->sk;

	if (conn->callbacks)
		return;
	write_lock_bh(&sk->sk_callback_lock);
	conn->base_data_ready = sk->sk_data_ready;
	conn->base_write_space = sk->sk_write_space;
	conn->base_state_change = sk->sk_state_change;
	sk->sk_data_ready = conn_data_ready;
	sk->sk_write_space = conn_write_space;
	sk->sk_state_change = conn_state_change;
	write_unlock_bh(&sk->sk_callback_lock);
	conn->callbacks = true;
}

/**
 * socktls_conn_take_input() - from now on arriving bytes are records
 * @conn: sk locked, taken over; nothing happens the second time
 *
 * The low-water mark counts plaintext then, and TCP's own stays at one.
 */
void socktls_conn_take_input(struct socktls_conn *conn)
{
	struct sock *sk = conn->sk;

	if (conn->rx.taken)
		return;
	conn->rx.taken = true;
	conn->rx.seq = tcp_sk(sk)->copied_seq;
	conn->rcvlowat = sk->sk_rcvlowat;
	WRITE_ONCE(sk->sk_rcvlowat, 1);
}

/**
 * socktls_conn_detach() - the socket is going away
 * @conn: sk's spinlock held or nobody else sees the socket; any context
 *
 * Gives back everything but the memory that others may still look at, and the
 * epochs: wiped here, they are freed with it.
 */
void socktls_conn_detach(struct socktls_conn *conn)
{
	struct sock *sk = conn->sk;

	conn->attached = false;
	if (conn->state == SOCKTLS_STATE_HANDSHAKING)
		socktls_count(conn, SOCKTLS_STAT_HANDSHAKES_FAILED, 1);
	socktls_hs_end(conn, SOCKTLS_ABORT_CLOSED, -1);
	socktls_conn_cancel_deadline(conn);
	if (cancel_delayed_work(&conn->work))
		conn_release(conn);
	if (conn->callbacks) {
		write_lock_bh(&sk->sk_callback_lock);
		sk->sk_data_ready = conn->base_data_ready;
		sk->sk_write_space = conn->base_write_space;
		sk->sk_state_change = conn->base_state_change;
		write_unlock_bh(&sk->sk_callback_lock);
		conn->callbacks = false;
	}
	socktls_net_remove(conn);
	socktls_session_free(conn);
	socktls_rx_destroy(conn);
	socktls_tx_destroy(conn);
	memzero_explicit(conn->own_key, sizeof(conn->own_key));
}

/* Wakes whoever waits for the state, for reading or for writing. */
void socktls_conn_wake(struct socktls_conn *conn)
{
	struct sock *sk = conn->sk;

	if (sock_flag(sk, SOCK_DEAD))
		return;
	conn->base_state_change(sk);
	sk_wake_async(sk, SOCK_WAKE_IO, POLL_OUT);
}

void socktls_conn_established(struct socktls_conn *conn)
{
	socktls_conn_set_state(conn, SOCKTLS_STATE_ESTABLISHED);
	socktls_conn_cancel_deadline(conn);
	socktls_count(conn, SOCKTLS_STAT_HANDSHAKES, 1);
	memset(&conn->rx.tracker, 0, sizeof(conn->rx.tracker));
	conn->rx.warnings = 0;
	conn->rx.skip_mode = 0;
	socktls_conn_wake(conn);
	/* application data may be here already */
	socktls_conn_kick(conn, 0);
}

static u32 conn_abort_reason(const struct socktls_conn *conn)
{
	switch (conn->error.error) {
	case ETIMEDOUT:
		return SOCKTLS_ABORT_TIMEOUT;
	case ECONNRESET:
		return SOCKTLS_ABORT_RESET;
	case EREMOTEIO:
		return SOCKTLS_ABORT_ALERT;
	case ECANCELED:
		return SOCKTLS_ABORT_CLOSED;
	case EIO:
	case ENOENT:
		return SOCKTLS_ABORT_ACTION;
	}
	return SOCKTLS_ABORT_PROTOCOL;
}

/* conn->error is set. Every failure is counted once, see stat.h. */
static void conn_count_failure(struct socktls_conn *conn)
{
	enum socktls_stat stat = conn->error_stat;

	if (stat == SOCKTLS_STAT_NONE)
		stat = socktls_stat_of_error(conn->error.error,
					     conn->error.alert_from ?
					     conn->error.alert : -1);
	socktls_count(conn, SOCKTLS_STAT_ERRORS, 1);
	socktls_count(conn, stat, 1);
	if (conn->state == SOCKTLS_STATE_HANDSHAKING)
		socktls_count(conn, SOCKTLS_STAT_HANDSHAKES_FAILED, 1);
}

/**
 * socktls_conn_send_fin() - TCP's half of shutdown(SHUT_WR)
 * @conn: sk locked
 */
void socktls_conn_send_fin(struct socktls_conn *conn)
{
	struct sock *sk = conn->sk;

	WRITE_ONCE(sk->sk_shutdown, sk->sk_shutdown | SEND_SHUTDOWN);
	conn->protos->base_prot->shutdown(sk, SEND_SHUTDOWN);
}

/**
 * socktls_conn_fail() - the connection is dead: tell the peer and the program
 * @conn: sk locked
 * @error: positive errno for the program
 * @alert: AlertDescription, sent when @from says so, -1: none
 * @from: who sent it
 * @fmt: what was wrong, for people
 *
 * The first failure is the one that is kept. Nothing can be sent afterwards;
 * data that was received and authenticated before it can still be read. On the
 * key plane alerts are the program's business, and so is everything else but
 * the error.
 */
void socktls_conn_fail(struct socktls_conn *conn, int error, int alert,
		       enum socktls_alert_from from, const char *fmt, ...)
{
	struct sock *sk = conn->sk;
	va_list args;

	if (conn->error.error)
		return;
	conn->error.error = error;
	if (!conn->key_plane && alert >= 0) {
		conn->error.alert = alert;
		conn->error.alert_from = from;
	}
	va_start(args, fmt);
	vscnprintf(conn->error.text, sizeof(conn->error.text), fmt, args);
	va_end(args);
	conn_count_failure(conn);

	if (!conn->key_plane && conn->state != SOCKTLS_STATE_FAILED) {
		socktls_conn_set_state(conn, SOCKTLS_STATE_FAILED);
		if (alert >= 0 && from == SOCKTLS_ALERT_SENT &&
		    !conn->tx.closing)
			socktls_tx_alert(conn, ALERT_LEVEL_FATAL, alert);
		conn->tx.closing = true;
		if (!(sk->sk_shutdown & SEND_SHUTDOWN) && !conn->closing)
			socktls_conn_send_fin(conn);
	}
	if (!conn->key_plane && alert >= 0)
		socktls_session_ended(conn, alert);
	socktls_hs_end(conn, conn_abort_reason(conn),
		       from == SOCKTLS_ALERT_RECEIVED ? alert : -1);
	socktls_conn_cancel_deadline(conn);
	WRITE_ONCE(sk->sk_err, error);
	/* pairs with the reads of sk_err in poll */
	smp_wmb();
	if (!sock_flag(sk, SOCK_DEAD)) {
		sk_error_report(sk);
		if (conn->callbacks)
			conn->base_state_change(sk);
	}
}

/**
 * socktls_conn_wait() - wait for something to happen to the socket
 * @conn: sk locked, released while waiting
 * @timeo: jiffies, what is left is written back
 */
void socktls_conn_wait(struct socktls_conn *conn, long *timeo)
{
	DEFINE_WAIT_FUNC(wait, woken_wake_function);
	struct sock *sk = conn->sk;

	add_wait_queue(sk_sleep(sk), &wait);
	sk_set_bit(SOCKWQ_ASYNC_WAITDATA, sk);
	release_sock(sk);
	*timeo = wait_woken(&wait, TASK_INTERRUPTIBLE, *timeo);
	lock_sock(sk);
	sk_clear_bit(SOCKWQ_ASYNC_WAITDATA, sk);
	remove_wait_queue(sk_sleep(sk), &wait);
}

/**
 * socktls_conn_ready() - wait until application data may flow
 * @conn: sk locked, released while waiting
 * @timeo: jiffies, 0: do not wait
 *
 * Return: 0; -EAGAIN while handshaking; -ERESTARTSYS or -EINTR after a signal;
 * the connection's errno when it failed.
 */
int socktls_conn_ready(struct socktls_conn *conn, long *timeo)
{
	while (conn->state == SOCKTLS_STATE_HANDSHAKING) {
		if (!*timeo)
			return -EAGAIN;
		if (signal_pending(current))
			return sock_intr_errno(*timeo);
		socktls_conn_wait(conn, timeo);
	}
	if (conn->error.error) {
		conn->sk->sk_err = 0;
		return -(int)conn->error.error;
	}
	return 0;
}

/**
 * socktls_conn_enter_plain() - begin a call of the base proto
 * @conn: the connection
 *
 * While a thread is inside, no handshake can start: the thread would read
 * records as data. One that went in before the socket had the ULP is not
 * counted; what it takes is missed later, see rx_was_robbed(). Pairs with the
 * barrier in socktls_start_handshake().
 *
 * Return: true when bytes still pass unprotected, to be followed by
 * socktls_conn_leave_plain(); false otherwise.
 */
bool socktls_conn_enter_plain(struct socktls_conn *conn)
{
	bool plain;

	atomic_inc(&conn->plain_calls);
	/* either this sees the handshake begin, or that sees this call */
	smp_mb__after_atomic();
	if (READ_ONCE(conn->key_plane))
		plain = !READ_ONCE(conn->rx.keyed);
	else
		plain = READ_ONCE(conn->state) == SOCKTLS_STATE_PLAIN;
	if (!plain)
		atomic_dec(&conn->plain_calls);
	return plain;
}

void socktls_conn_leave_plain(struct socktls_conn *conn)
{
	atomic_dec(&conn->plain_calls);
}
