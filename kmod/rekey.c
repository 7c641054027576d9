// SPDX-License-Identifier: GPL-2.0
/*
 * KeyUpdate (RFC 8446 section 4.6.3), both ways. The next epoch is made before
 * anything is given up: when there is no memory nothing has changed, and it is
 * tried again.
 */
#include "hkdf.h"
#include "net.h"
#include "socktls.h"

#define REKEY_RETRY_JIFFIES	msecs_to_jiffies(10)
/* Records that may still follow under a key: KeyUpdate, tickets, alerts. */
#define REKEY_RESERVE		1024
/* KeyUpdates in a row without application data in either direction. */
#define REKEY_MAX_IDLE		32

/* What a KeyUpdate of ours is for; in socktls_tx.updates. */
#define UPDATE_OWN	BIT(0)	/* the program wants it */
#define UPDATE_ASK	BIT(1)	/* and that the peer does the same */
#define UPDATE_REPLY	BIT(2)	/* the peer asked */

/*
 * The epoch behind @now. Return: it; ERR_PTR(-ENOMEM) when it may succeed later,
 * as when a signal ended the search for the cipher; or another errno.
 */
static struct socktls_epoch *rekey_next(const struct socktls_epoch *now)
{
	struct socktls_key key = {
		.version = now->version,
		.cipher = now->cipher->type,
		.level = now->level,
		.key_len = now->cipher->key_size,
		.iv_len = RECORD_NONCE_LEN,
	};
	struct socktls_epoch *next;
	int err;

	err = socktls_hkdf_next_key(now->secret, now->secret_len, &key);
	next = err ? ERR_PTR(err) : socktls_epoch_new(&key);
	memzero_explicit(&key, sizeof(key));
	if (IS_ERR(next) && (PTR_ERR(next) == -EINTR ||
			     PTR_ERR(next) == -ETIMEDOUT))
		return ERR_PTR(-ENOMEM);
	return next;
}

static void rekey_commit(struct socktls_epoch **at, struct socktls_epoch *next)
{
	swap(*at, next);
	socktls_epoch_free(next);
}

static struct socktls_net *conn_net(const struct socktls_conn *conn)
{
	return socktls_net(sock_net(conn->sk));
}

static bool rekey_is_possible(const struct socktls_conn *conn)
{
	return conn->version == RECORD_TLS_1_3 && !conn->key_plane &&
	       conn->tx.epoch->secret_len;
}

/* From which record on is something due before it? */
static void rekey_set_prelude(struct socktls_conn *conn)
{
	struct socktls_tx *tx = &conn->tx;
	u64 limit = U64_MAX;
	u32 lower;

	if (rekey_is_possible(conn)) {
		limit = tx->epoch->cipher->record_limit - REKEY_RESERVE;
		lower = READ_ONCE(conn_net(conn)->sysctls.rekey_records);
		if (lower)
			limit = min_t(u64, limit, lower);
	}
	tx->rekey_at = limit;
	tx->prelude_at = tx->updates || !list_empty(&tx->lazy) ? 0 : limit;
}

/**
 * socktls_rekey_arm() - a send epoch was installed
 * @conn: sk locked
 *
 * From now on its records are counted against the suite's limit (RFC 8446
 * section 5.5), or the lower one of net.socktls.rekey_records.
 */
void socktls_rekey_arm(struct socktls_conn *conn)
{
	rekey_set_prelude(conn);
}

/* A failure that is not for want of memory. */
static int rekey_failed(struct socktls_conn *conn, int err)
{
	socktls_conn_fail(conn, EIO, ALERT_INTERNAL_ERROR, SOCKTLS_ALERT_SENT,
			  "the next key could not be derived (error %d)", err);
	return -EIO;
}

/* Seals one KeyUpdate under the old key and goes over to the new one. */
static int rekey_send(struct socktls_conn *conn)
{
	struct socktls_tx *tx = &conn->tx;
	/* an answer says update_not_requested; a wish of ours comes after it */
	u8 ask = (tx->updates & (UPDATE_ASK | UPDATE_REPLY)) == UPDATE_ASK;
	const u8 message[] = { HANDSHAKE_KEY_UPDATE, 0, 0, 1, ask };
	struct socktls_epoch *next;
	u32 taken = 0;
	int err;

	/* no record may come between those of a message (section 5.1) */
	err = tx->lazy_begun ? socktls_hs_send_lazy(conn) : 0;
	if (!err)
		err = socktls_tx_flush(conn);
	if (err)
		return err;
	next = rekey_next(tx->epoch);
	if (IS_ERR(next))
		return PTR_ERR(next) == -ENOMEM ? -ENOMEM :
		       rekey_failed(conn, PTR_ERR(next));
	err = socktls_tx_control(conn, RECORD_HANDSHAKE, message,
				 sizeof(message), &taken);
	if (!taken) {
		socktls_epoch_free(next);
		return err;
	}
	rekey_commit(&tx->epoch, next);
	tx->updates &= ask ? 0 : UPDATE_ASK;
	rekey_set_prelude(conn);
	socktls_count(conn, SOCKTLS_STAT_TX_REKEYS, 1);
	return err;
}

/**
 * socktls_rekey_tx() - send the KeyUpdates that are due
 * @conn: sk locked, established
 *
 * Context: process; does not wait.
 *
 * Return: 0 when nothing is due any more; -EAGAIN when TCP has no room, or
 * -ENOMEM, to be called again; another errno after the connection failed.
 */
int socktls_rekey_tx(struct socktls_conn *conn)
{
	struct socktls_tx *tx = &conn->tx;

	while (tx->updates || (rekey_is_possible(conn) &&
			       tx->epoch->seq >= tx->rekey_at)) {
		int err = rekey_send(conn);

		if (err)
			return err;
	}
	return 0;
}

static void rekey_want(struct socktls_conn *conn, u8 update)
{
	conn->tx.updates |= update;
	conn->tx.prelude_at = 0;
}

/**
 * socktls_rekey_request() - SOCKTLS_KEY_UPDATE
 * @conn: sk locked
 * @request: enum socktls_key_update
 *
 * Return: 0 when the KeyUpdate is sent, or will be before the next application
 * record; -EINVAL for another value; -ENOTCONN before the handshake is done;
 * -EPIPE after shutdown; -EOPNOTSUPP for TLS 1.2; the connection's errno.
 */
int socktls_rekey_request(struct socktls_conn *conn, u32 request)
{
	int err;

	if (request > SOCKTLS_KEY_UPDATE_REQUESTED)
		return -EINVAL;
	if (conn->error.error)
		return -(int)conn->error.error;
	if (conn->state != SOCKTLS_STATE_ESTABLISHED)
		return -ENOTCONN;
	if (!rekey_is_possible(conn))
		return -EOPNOTSUPP;
	if (conn->tx.closing || conn->sk->sk_shutdown & SEND_SHUTDOWN)
		return -EPIPE;
	rekey_want(conn, request ? UPDATE_ASK : UPDATE_OWN);
	err = socktls_rekey_tx(conn);
	if (err != -EAGAIN && err != -ENOMEM)
		return err;
	socktls_conn_kick(conn, REKEY_RETRY_JIFFIES);
	return 0;
}

/**
 * socktls_rekey_rx() - go over to the peer's next key
 * @conn: sk locked; rx.update_due is set, no record was opened since
 *
 * Return: 0; -ENOMEM, to be tried again before the next record; -EIO after the
 * connection failed.
 */
int socktls_rekey_rx(struct socktls_conn *conn)
{
	struct socktls_rx *rx = &conn->rx;
	struct socktls_epoch *next = rekey_next(rx->epoch);

	if (IS_ERR(next)) {
		if (PTR_ERR(next) == -ENOMEM) {
			socktls_conn_kick(conn, REKEY_RETRY_JIFFIES);
			return -ENOMEM;
		}
		rx->error = -EIO;
		return rekey_failed(conn, PTR_ERR(next));
	}
	rekey_commit(&rx->epoch, next);
	rx->update_due = false;
	socktls_count(conn, SOCKTLS_STAT_RX_REKEYS, 1);
	return 0;
}

/* Application data in between, sent or received, begins the count anew. */
static bool rekey_is_flood(struct socktls_conn *conn)
{
	return ++conn->rx.updates > REKEY_MAX_IDLE;
}

/**
 * socktls_rekey_received() - a KeyUpdate came
 * @conn: sk locked, established, TLS 1.3
 * @request: its request_update
 *
 * An answer goes before the next application record, or within 10 ms by the
 * connection's work; several requests have one answer.
 *
 * Context: process; does not wait.
 *
 * Return: 0, or a negative errno after the connection failed.
 */
int socktls_rekey_received(struct socktls_conn *conn, u8 request)
{
	int err;

	if (request > SOCKTLS_KEY_UPDATE_REQUESTED)
		return socktls_control_refuse(conn, ALERT_ILLEGAL_PARAMETER,
					      "a KeyUpdate with a wrong request_update");
	if (rekey_is_flood(conn))
		return socktls_control_refuse(conn, ALERT_UNEXPECTED_MESSAGE,
					      "too many KeyUpdates without data");
	if (request && !conn->tx.closing) {
		/* a record that was begun before goes before */
		socktls_tx_flush(conn);
		rekey_want(conn, UPDATE_REPLY);
		socktls_conn_kick(conn, REKEY_RETRY_JIFFIES);
	}
	conn->rx.update_due = true;
	err = socktls_rekey_rx(conn);
	return err == -ENOMEM ? 0 : err;
}
