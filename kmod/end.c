// SPDX-License-Identifier: GPL-2.0
/*
 * The end of what a side sends: alerts, close_notify and TCP's FIN, in this
 * order and behind all that was written.
 */
#include "socktls.h"
#include "trace.h"

#define END_RETRY_JIFFIES	msecs_to_jiffies(10)

/* proto->stream_memory_free: the forced tail ignores TCP_NOTSENT_LOWAT too. */
bool socktls_stream_memory_free(const struct sock *sk, int wake)
{
	struct socktls_conn *conn = socktls_conn(sk);

	if (!conn)
		return true;
	return conn->tx.force ||
	       conn->protos->base_prot->stream_memory_free(sk, wake);
}

/**
 * socktls_tx_untold() - send where nobody is there to be told of an error
 * @conn: sk locked
 * @send: what sends
 *
 * TCP sends nothing while the socket has an error that the program has not taken
 * yet, and takes it. That of a living connection, as an ICMP message brings, or
 * of what was received, waits meanwhile.
 *
 * Return: what @send returns.
 */
int socktls_tx_untold(struct socktls_conn *conn,
		      int (*send)(struct socktls_conn *conn))
{
	struct sock *sk = conn->sk;
	int soft = 0, err;

	if (unlikely(READ_ONCE(sk->sk_err)) &&
	    !(sk->sk_shutdown & SEND_SHUTDOWN))
		soft = xchg(&sk->sk_err, 0);
	err = send(conn);
	if (soft) {
		cmpxchg(&sk->sk_err, 0, soft);
		/* a poll in between has not seen it */
		if (!sock_flag(sk, SOCK_DEAD))
			sk_error_report(sk);
	}
	return err;
}

/*
 * What goes at the end of a connection may exceed the send buffer: nobody waits
 * for room then.
 */
static int end_forced(struct socktls_conn *conn,
		      int (*send)(struct socktls_conn *conn))
{
	struct sock *sk = conn->sk;
	int sndbuf = sk->sk_sndbuf;
	int err;

	conn->tx.force = true;
	WRITE_ONCE(sk->sk_sndbuf, INT_MAX);
	err = socktls_tx_untold(conn, send);
	WRITE_ONCE(sk->sk_sndbuf, sndbuf);
	conn->tx.force = false;
	return err;
}

/**
 * socktls_tx_alert() - send an alert, behind what is queued
 * @conn: sk locked
 * @level: 1 warning, 2 fatal
 * @description: AlertDescription
 *
 * Never waits: it may exceed the send buffer. Failure is silent, for the
 * connection ends anyway.
 */
void socktls_tx_alert(struct socktls_conn *conn, u8 level, u8 description)
{
	u8 alert[2] = { level, description };
	u32 taken = 0;

	if (conn->tx.error || end_forced(conn, socktls_tx_flush))
		return;
	if (socktls_tx_control(conn, RECORD_ALERT, alert, sizeof(alert),
			       &taken))
		return;
	socktls_count(conn, SOCKTLS_STAT_TX_ALERTS, 1);
	trace_socktls_alert_tx(conn, level, description);
	end_forced(conn, socktls_tx_flush);
}

/* Everything that goes before TCP's FIN. */
static int end_last_words(struct socktls_conn *conn)
{
	static const u8 alert[] = { ALERT_LEVEL_WARNING, ALERT_CLOSE_NOTIFY };
	struct socktls_tx *tx = &conn->tx;
	u32 taken = 0;
	int err = 0;

	/* a message that was begun is no place for an alert */
	if (tx->lazy_begun)
		err = socktls_hs_send_lazy(conn);
	if (!err)
		err = socktls_tx_flush(conn);
	if (err || !tx->notify)
		return err;
	err = socktls_tx_control(conn, RECORD_ALERT, alert, sizeof(alert),
				 &taken);
	if (!taken)
		return err;
	tx->notify = false;
	socktls_count(conn, SOCKTLS_STAT_TX_ALERTS, 1);
	trace_socktls_alert_tx(conn, alert[0], alert[1]);
	return err ? err : socktls_tx_push(conn);
}

/**
 * socktls_tx_close_notify() - end what this side sends (RFC 8446 section 6.1)
 * @conn: sk locked
 *
 * Never waits, and exceeds the send buffer rather than leave something out. May
 * be called again.
 *
 * Return: 0 when TCP has all of it; -EAGAIN or -ENOMEM when memory is short: the
 * connection's work tries again until close(); a final errno.
 */
int socktls_tx_close_notify(struct socktls_conn *conn)
{
	struct socktls_tx *tx = &conn->tx;
	int err;

	if (!tx->closing)
		tx->notify = !conn->key_plane;
	tx->closing = true;
	if (tx->error)
		return tx->error;
	err = end_forced(conn, end_last_words);
	if ((err == -EAGAIN || err == -ENOMEM) && !conn->closing)
		socktls_conn_kick(conn, END_RETRY_JIFFIES);
	return err;
}

/**
 * socktls_tx_tick_closing() - what deferred work does once writing has ended
 * @conn: sk locked
 *
 * Sends what is left, and the FIN behind it, which comes too when the rest cannot
 * be sent any more.
 */
void socktls_tx_tick_closing(struct socktls_conn *conn)
{
	struct sock *sk = conn->sk;
	int err = socktls_tx_close_notify(conn);

	if (err == -EAGAIN || err == -ENOMEM || !conn->tx.fin)
		return;
	conn->tx.fin = false;
	socktls_conn_send_fin(conn);
	sk->sk_state_change(sk);
}
