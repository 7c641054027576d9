// SPDX-License-Identifier: GPL-2.0
/*
 * Helper plane, records that are not application data, once established:
 * alerts and post-handshake messages. A plain read never sees one.
 */
#include "socktls.h"
#include "trace.h"

#define MAX_WARNINGS	16	/* warning alerts of one connection */
#define MAX_EMPTY	32	/* empty records in a row */
/* RFC 8446 section 4.6.1: what its fields can hold */
#define MAX_TICKET	(4 + 4 + 1 + 255 + 2 + 65535 + 2 + 65534)
#define MAX_REFUSALS	8	/* no_renegotiation warnings sent */

/**
 * socktls_control_refuse() - the peer broke the protocol
 * @conn: sk locked
 * @alert: AlertDescription to send
 * @what: what it sent, for people
 *
 * Return: -EPROTO.
 */
int socktls_control_refuse(struct socktls_conn *conn, int alert,
			   const char *what)
{
	conn->rx.error = -EPROTO;
	socktls_conn_fail(conn, EPROTO, alert, SOCKTLS_ALERT_SENT,
			  "the peer sent %s", what);
	return -EPROTO;
}

static int control_unexpected(struct socktls_conn *conn, const char *what)
{
	return socktls_control_refuse(conn, ALERT_UNEXPECTED_MESSAGE, what);
}

static int control_close_notify(struct socktls_conn *conn)
{
	conn->rx.closed = true;
	/* RFC 5246 7.2.1 wants an answer at once; RFC 8446 6.1 does not */
	if (conn->version == RECORD_TLS_1_2)
		socktls_tx_close_notify(conn);
	socktls_conn_wake(conn);
	return 0;
}

/**
 * socktls_control_alert() - judge an alert
 * @conn: sk locked, helper plane
 * @rec: a record of type alert, owned by the caller
 *
 * Return: 0 to go on, or a negative errno after the connection failed:
 * -EREMOTEIO for a fatal alert, -EPROTO for a malformed one or too many.
 */
int socktls_control_alert(struct socktls_conn *conn, struct rx_record *rec)
{
	u8 alert[2];

	if (rec->len != sizeof(alert)) {
		conn->rx.error = -EPROTO;
		socktls_conn_fail(conn, EPROTO, ALERT_DECODE_ERROR,
				  SOCKTLS_ALERT_SENT,
				  "the peer sent an alert of %u bytes",
				  rec->len);
		return -EPROTO;
	}
	socktls_vec_read(&rec->vec, rec->off, alert, sizeof(alert));
	socktls_count(conn, SOCKTLS_STAT_RX_ALERTS, 1);
	trace_socktls_alert_rx(conn, alert[0], alert[1]);
	if (alert[1] == ALERT_CLOSE_NOTIFY &&
	    conn->state != SOCKTLS_STATE_HANDSHAKING)
		return control_close_notify(conn);
	if (alert[1] == ALERT_USER_CANCELED ||
	    (alert[0] == ALERT_LEVEL_WARNING &&
	     alert[1] != ALERT_CLOSE_NOTIFY &&
	     conn->version != RECORD_TLS_1_3)) {
		if (++conn->rx.warnings <= MAX_WARNINGS)
			return 0;
		return control_unexpected(conn, "too many warning alerts");
	}
	conn->rx.error = -EREMOTEIO;
	socktls_conn_fail(conn, EREMOTEIO, alert[1], SOCKTLS_ALERT_RECEIVED,
			  "the peer ended the connection with alert %u",
			  alert[1]);
	return -EREMOTEIO;
}

/* TLS 1.2: renegotiation is refused (RFC 5246 section 7.2.2). */
static int control_refuse_renegotiation(struct socktls_conn *conn)
{
	if (conn->tx.no_renegotiation++ >= MAX_REFUSALS)
		return control_unexpected(conn,
					  "too many requests to renegotiate");
	if (!conn->tx.closing)
		socktls_tx_alert(conn, ALERT_LEVEL_WARNING,
				 ALERT_NO_RENEGOTIATION);
	return 0;
}

/* A message header is complete: may this message come after the handshake? */
static int control_message(struct socktls_conn *conn, u8 type, u32 len)
{
	bool client = conn->role == SOCKTLS_CLIENT;

	if (conn->version == RECORD_TLS_1_2) {
		if (type == (client ? HANDSHAKE_HELLO_REQUEST :
				      HANDSHAKE_CLIENT_HELLO))
			return control_refuse_renegotiation(conn);
		return control_unexpected(conn,
					  "a handshake message after the handshake");
	}
	switch (type) {
	case HANDSHAKE_NEW_SESSION_TICKET:
		if (!client)
			break;
		if (len > MAX_TICKET)
			return socktls_control_refuse(conn, ALERT_DECODE_ERROR,
						      "a NewSessionTicket that is too long");
		ticket_begin(&conn->rx.ticket_shape, len);
		socktls_session_ticket(conn, conn->rx.tracker.header, len);
		return 0;
	case HANDSHAKE_KEY_UPDATE:
		if (len == sizeof(conn->rx.request_update))
			return 0;
		return socktls_control_refuse(conn, ALERT_DECODE_ERROR,
					      "a KeyUpdate of a wrong length");
	}
	return control_unexpected(conn,
				  "a handshake message after the handshake");
}

static int control_malformed_ticket(struct socktls_conn *conn)
{
	return socktls_control_refuse(conn, ALERT_DECODE_ERROR,
				      "a malformed NewSessionTicket");
}

/* Some bytes of a NewSessionTicket, @off into the record. */
static int control_ticket(struct socktls_conn *conn, struct rx_record *rec,
			  u32 off, u32 len)
{
	u8 bytes[64];
	u32 n;

	socktls_session_ticket_bytes(conn, rec, off, len);
	for (; len; len -= n, off += n) {
		n = min_t(u32, len, sizeof(bytes));
		socktls_vec_read(&rec->vec, off, bytes, n);
		if (!ticket_feed(&conn->rx.ticket_shape, bytes, n))
			return control_malformed_ticket(conn);
	}
	return 0;
}

/* Some bytes of the body of a message; they are added to @done. */
static int control_body(struct socktls_conn *conn, struct rx_record *rec,
			u32 *done)
{
	struct handshake_tracker *t = &conn->rx.tracker;
	u32 n = min(t->left, rec->len - *done);
	u32 off = rec->off + *done;

	t->left -= n;
	*done += n;
	if (t->header[0] == HANDSHAKE_NEW_SESSION_TICKET)
		return control_ticket(conn, rec, off, n);
	if (t->header[0] == HANDSHAKE_KEY_UPDATE)
		socktls_vec_read(&rec->vec, off, &conn->rx.request_update, 1);
	return 0;
}

/* The message is complete; @left bytes of its last record follow. */
static int control_message_end(struct socktls_conn *conn, u32 left)
{
	struct handshake_tracker *t = &conn->rx.tracker;

	t->header_len = 0;
	if (t->header[0] == HANDSHAKE_NEW_SESSION_TICKET) {
		if (!conn->rx.ticket_shape.complete)
			return control_malformed_ticket(conn);
		socktls_session_ticket_end(conn);
	}
	if (t->header[0] != HANDSHAKE_KEY_UPDATE)
		return 0;
	/* they would be of the new key (RFC 8446 section 5.1) */
	if (left)
		return control_unexpected(conn,
					  "handshake bytes behind a KeyUpdate");
	return socktls_rekey_received(conn, conn->rx.request_update);
}

/* Follows post-handshake messages, which may span records. */
static int control_handshake(struct socktls_conn *conn, struct rx_record *rec)
{
	struct handshake_tracker *t = &conn->rx.tracker;
	u32 done = 0;
	int err = 0;

	while (!err && done < rec->len) {
		if (t->header_len < sizeof(t->header)) {
			socktls_vec_read(&rec->vec, rec->off + done,
					 &t->header[t->header_len++], 1);
			done++;
			if (t->header_len < sizeof(t->header))
				continue;
			t->left = get_unaligned_be32(t->header) & 0xffffff;
			err = control_message(conn, t->header[0], t->left);
		} else {
			err = control_body(conn, rec, &done);
		}
		if (!err && !t->left)
			err = control_message_end(conn, rec->len - done);
	}
	return err;
}

/**
 * socktls_control() - deal with a record that holds no application data
 * @conn: sk locked, helper plane, established
 * @rec: opened, owned by the caller
 *
 * Return: 0 to go on, or a negative errno after the connection failed.
 */
int socktls_control(struct socktls_conn *conn, struct rx_record *rec)
{
	bool inside = conn->rx.tracker.header_len;

	if (inside && rec->type != RECORD_HANDSHAKE)
		return control_unexpected(conn,
					  "a record in the middle of a handshake message");
	switch (rec->type) {
	case RECORD_APPLICATION_DATA:
		if (++conn->rx.empty > MAX_EMPTY)
			return control_unexpected(conn,
						  "too many empty records");
		return 0;
	case RECORD_ALERT:
		return socktls_control_alert(conn, rec);
	case RECORD_HANDSHAKE:
		if (!rec->len)
			break;
		return control_handshake(conn, rec);
	}
	return control_unexpected(conn, "a record of unexpected content type");
}
