// SPDX-License-Identifier: GPL-2.0
/*
 * How long the records are that a socket sends: padding (RFC 8446 section 5.4),
 * and short records while a connection is cold, so that the peer can open what
 * one segment brings instead of waiting for sixteen kilobytes.
 */
#include "net.h"
#include "socktls.h"

#define SHAPE_COLD_PLAINTEXT	1300	/* fits a segment of MTU 1,500 */
#define SHAPE_WARM_BYTES	65536	/* sent, then it is warm */
#define SHAPE_IDLE_JIFFIES	HZ	/* not sent, then it is cold */

static bool shape_pads(const struct socktls_conn *conn)
{
	const struct socktls_epoch *epoch = conn->tx.epoch;

	return conn->config->padding.mode && epoch->cipher &&
	       epoch->version == RECORD_TLS_1_3 &&
	       epoch->level == SOCKTLS_LEVEL_APPLICATION;
}

/**
 * socktls_shape_limit() - the longest plaintext of a record that begins now
 * @conn: sk locked
 * @type: its content type
 *
 * Return: bytes, at least 1.
 */
u32 socktls_shape_limit(struct socktls_conn *conn, u8 type)
{
	struct socktls_tx *tx = &conn->tx;
	u32 limit = tx->max_plaintext;

	if (shape_pads(conn) &&
	    conn->config->padding.mode == SOCKTLS_PADDING_FIXED)
		/* an alert or a KeyUpdate (5 bytes) is never divided */
		limit = min(limit, type == RECORD_APPLICATION_DATA ?
				   conn->config->padding.size :
				   max_t(u32, conn->config->padding.size, 5));
	if (!tx->dynamic || type != RECORD_APPLICATION_DATA)
		return limit;
	if (time_after(jiffies, tx->last_sent + SHAPE_IDLE_JIFFIES))
		tx->cold = SHAPE_WARM_BYTES;
	return tx->cold ? min_t(u32, limit, SHAPE_COLD_PLAINTEXT) : limit;
}

/**
 * socktls_shape_padding() - what is added to a plaintext
 * @conn: sk locked
 * @len: of the plaintext, bytes
 *
 * Return: bytes of padding; with the plaintext within the record's limit.
 */
u32 socktls_shape_padding(const struct socktls_conn *conn, u32 len)
{
	const struct socktls_padding *policy = &conn->config->padding;
	u32 padding;

	if (likely(!policy->mode) || !shape_pads(conn) ||
	    len >= conn->tx.max_plaintext)
		return 0;
	if (policy->mode == SOCKTLS_PADDING_FIXED)
		padding = policy->size > len ? policy->size - len : 0;
	else
		padding = roundup(len, policy->size) - len;
	return min(padding, conn->tx.max_plaintext - len);
}

/**
 * socktls_shape_sent() - application data was sent
 * @tx: sk locked
 * @len: bytes of plaintext
 */
void socktls_shape_sent(struct socktls_tx *tx, u32 len)
{
	if (!tx->dynamic)
		return;
	tx->cold -= min(tx->cold, len);
	tx->last_sent = jiffies;
}

/**
 * socktls_shape_config() - the connection's configuration is new
 * @conn: sk locked, or not seen by others yet
 */
void socktls_shape_config(struct socktls_conn *conn)
{
	struct socktls_net *sn = socktls_net(sock_net(conn->sk));
	u8 sizing = conn->config->record_sizing;
	bool dynamic = sizing == SOCKTLS_RECORD_SIZING_DYNAMIC;

	if (sizing == SOCKTLS_RECORD_SIZING_DEFAULT)
		dynamic = READ_ONCE(sn->sysctls.dynamic_records);
	if (dynamic && !conn->tx.dynamic)
		conn->tx.cold = SHAPE_WARM_BYTES;
	conn->tx.dynamic = dynamic;
}
