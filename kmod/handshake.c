// SPDX-License-Identifier: GPL-2.0
/*
 * The kernel's side of a handshake: what the peer sends goes to the helper as
 * items, what the helper decides comes back as actions. Runs in the
 * connection's work, with the socket lock.
 */
#include <linux/cgroup.h>
#include <linux/cred.h>
#include <linux/slab.h>

#include "hs.h"
#include "trace.h"

#define HS_CCS_MAX		32	/* TLS 1.3 CCS records dropped */

static atomic_t handshakes_alive = ATOMIC_INIT(0);

int hs_alive(void)
{
	return atomic_read(&handshakes_alive);
}

void hs_action_free(struct hs_action *action)
{
	kvfree_sensitive(action, struct_size(action, bytes, action->len +
					     action->alpn_len +
					     action->cookie_len));
}

void hs_actions_free(struct list_head *actions)
{
	struct hs_action *action, *next;

	list_for_each_entry_safe(action, next, actions, list) {
		list_del(&action->list);
		hs_action_free(action);
	}
}

/* Context: any, BH included. */
void hs_put(struct hs *hs)
{
	if (!refcount_dec_and_test(&hs->ref))
		return;
	hs_actions_free(&hs->actions);
	socktls_config_put(hs->config);
	kvfree(hs->bytes);
	kfree(hs);
	atomic_dec(&handshakes_alive);
}

static u64 hs_cgroup(const struct sock *sk)
{
#ifdef CONFIG_SOCK_CGROUP_DATA
	return cgroup_id(sock_cgroup_ptr(&((struct sock *)sk)->sk_cgrp_data));
#else
	return 0;
#endif
}

static struct hs *hs_new(struct socktls_conn *conn, const struct cred *cred,
			 u32 pid)
{
	struct hs *hs = kzalloc(sizeof(*hs), GFP_KERNEL_ACCOUNT);

	if (!hs)
		return NULL;
	atomic_inc(&handshakes_alive);
	refcount_set(&hs->ref, 1);
	INIT_LIST_HEAD(&hs->node);
	INIT_LIST_HEAD(&hs->actions);
	hs->sn = socktls_net(sock_net(conn->sk));
	hs->id = conn->id;
	hs->conn = conn;
	hs->role = conn->role;
	hs->config = socktls_config_get(conn->config);
	hs->uid = cred->euid;
	hs->gid = cred->egid;
	hs->pid = pid;
	hs->cgroup = hs_cgroup(conn->sk);
	hs->bytes = kvmalloc(HS_BYTES_MAX, GFP_KERNEL_ACCOUNT);
	if (!hs->bytes) {
		hs_put(hs);
		return NULL;
	}
	return hs;
}

/*
 * Makes the item visible to helpers. In HS_IDLE. Not when the worker with the
 * engine is gone: no other could go on.
 */
static void hs_post(struct hs *hs)
{
	bool lost;

	spin_lock_bh(&hs->sn->lock);
	lost = hs->lost;
	if (!lost) {
		trace_socktls_handshake_item(hs->id, hs->level,
					     hs->content_type, hs->len);
		hs->state = HS_READY;
		/* a NEXT whose delivery is under way may still have it */
		list_move_tail(&hs->node, hs->worker ? &hs->worker->items :
						       &hs->sn->pending);
	}
	spin_unlock_bh(&hs->sn->lock);
	if (!lost)
		socktls_nl_ring(hs->sn, hs);
}

static int hs_insert(struct hs *hs)
{
	struct socktls_net *sn = hs->sn;
	int err;

	err = xa_reserve_bh(&sn->handshakes, hs->id, GFP_KERNEL);
	if (err)
		return err;
	spin_lock_bh(&sn->lock);
	if (list_empty(&sn->workers))
		err = -ESRCH;
	else if (sn->nr_handshakes >= READ_ONCE(sn->sysctls.max_handshakes))
		err = -EUSERS;
	else
		err = socktls_net_charge_user(sn, hs->uid);
	if (!err) {
		sn->nr_handshakes++;
		refcount_inc(&hs->ref);
		xa_store(&sn->handshakes, hs->id, hs, 0);
	}
	spin_unlock_bh(&sn->lock);
	if (err)
		xa_erase_bh(&sn->handshakes, hs->id);
	return err;
}

/**
 * socktls_hs_start() - a handshake begins
 * @conn: sk locked, about to be HANDSHAKING
 * @cred: on whose behalf
 * @pid: of the requester, in its own namespace
 *
 * Return: 0; -ESRCH when no helper serves the netns; -EUSERS over the limits;
 * -ENOMEM.
 */
int socktls_hs_start(struct socktls_conn *conn, const struct cred *cred,
		     u32 pid)
{
	struct hs *hs = hs_new(conn, cred, pid);
	int err;

	if (!hs)
		return -ENOMEM;
	err = hs_insert(hs);
	if (err) {
		hs_put(hs);
		return err;
	}
	conn->hs = hs;
	if (conn->role == SOCKTLS_CLIENT) {
		/* the ClientHello is the helper's to write */
		hs_post(hs);
	}
	return 0;
}

/* The netns' lock held: nobody finds it by its id any more. */
void hs_forget(struct hs *hs)
{
	struct socktls_net *sn = hs->sn;

	list_del_init(&hs->node);
	if (xa_erase(&sn->handshakes, hs->id)) {
		sn->nr_handshakes--;
		socktls_net_uncharge_user(sn, hs->uid);
		hs_put(hs);
	}
}

/**
 * socktls_hs_end() - the connection needs its handshake no longer
 * @conn: sk locked, or its destruction
 * @reason: SOCKTLS_ABORT_* for the worker, should it wait for more
 * @alert: the one received, or -1
 *
 * Context: any, BH included.
 */
void socktls_hs_end(struct socktls_conn *conn, u32 reason, int alert)
{
	struct hs *hs = conn->hs;
	struct socktls_net *sn;
	bool tell = false;

	if (!hs)
		return;
	sn = hs->sn;
	conn->hs = NULL;
	spin_lock_bh(&sn->lock);
	hs->conn = NULL;
	list_del_init(&hs->node);
	if (hs->worker && conn->state != SOCKTLS_STATE_ESTABLISHED) {
		tell = true;
		hs->aborted = true;
		hs->reason = reason;
		hs->alert = alert;
		list_add_tail(&hs->node, &hs->worker->items);
	} else {
		hs_forget(hs);
	}
	spin_unlock_bh(&sn->lock);
	if (tell)
		socktls_nl_ring(sn, hs);
	hs_put(hs);
}

/* A NEXT could not be delivered. The netns' lock held. */
void hs_requeue(struct hs *hs)
{
	if (hs->aborted) {
		if (hs->worker)
			list_add(&hs->node, &hs->worker->items);
		return;
	}
	if (hs->state != HS_OUT || !hs->conn)
		return;
	hs->state = HS_READY;
	if (!hs->answered) {
		hs->introduced = false;
		hs->worker = NULL;
	}
	list_add(&hs->node, hs->worker ? &hs->worker->items :
					 &hs->sn->pending);
}

/*
 * A helper socket was closed. What it had not answered goes to another; what
 * it had is lost with its engine. The netns' lock held.
 */
void hs_worker_gone(struct hs *hs, struct socktls_worker *worker)
{
	if (hs->worker != worker)
		return;
	list_del_init(&hs->node);
	hs->worker = NULL;
	if (hs->aborted) {
		hs_forget(hs);
	} else if (!hs->answered) {
		hs->introduced = false;
		hs->state = HS_READY;
		list_add(&hs->node, &hs->sn->pending);
	} else if (hs->state != HS_REPLIED) {
		WRITE_ONCE(hs->lost, true);
		if (hs->conn)
			socktls_conn_kick(hs->conn, 0);
	}
}

/* ---- what comes back: actions ---- */

static int apply_send(struct socktls_conn *conn, struct hs_action *action)
{
	int err = socktls_tx_control(conn, action->content_type, action->bytes,
				     action->len, &action->taken);

	if (err && err != -EAGAIN && err != -ENOMEM)
		socktls_conn_fail(conn, ECONNRESET, -1, SOCKTLS_ALERT_NONE,
				  "TCP refused a handshake record (error %d)",
				  err);
	return err;
}

/*
 * TLS 1.2: what the peer sends next is under another key only behind its
 * change_cipher_spec, so only the reply to that one may bring the key
 * (CVE-2014-0224).
 */
static bool apply_key_is_early(const struct socktls_conn *conn,
			       const struct hs_action *action)
{
	return action->direction == SOCKTLS_DIRECTION_RX &&
	       conn->version == RECORD_TLS_1_2 &&
	       conn->hs->content_type != RECORD_CHANGE_CIPHER_SPEC;
}

static int apply_key(struct socktls_conn *conn, struct hs_action *action)
{
	struct socktls_key *key = &action->key;
	struct socktls_epoch *epoch;

	if (apply_key_is_early(conn, action))
		return -EPROTO;
	key->version = conn->version;
	epoch = socktls_epoch_new(key);
	if (IS_ERR(epoch)) {
		int err = PTR_ERR(epoch);

		if (err == -ENOMEM)
			return err;	/* tried again */
		socktls_conn_fail(conn, err == -ENOENT ? ENOENT : EIO,
				  ALERT_INTERNAL_ERROR, SOCKTLS_ALERT_SENT,
				  "the kernel cannot protect records as negotiated (cipher %u, error %d)",
				  key->cipher, err);
		return err;
	}
	if (action->direction == SOCKTLS_DIRECTION_TX) {
		swap(conn->tx.epoch, epoch);
		socktls_rekey_arm(conn);
	} else {
		swap(conn->rx.epoch, epoch);
		memset(&conn->rx.tracker, 0, sizeof(conn->rx.tracker));
	}
	conn->cipher = key->cipher;
	socktls_epoch_free(epoch);
	return 0;
}

/* Appends a struct socktls_blob to what SOCKTLS_PEER or _LOCAL_CERT tells. */
static int apply_blob(struct socktls_conn *conn, u32 which, u32 type,
		      const u8 *bytes, u32 len)
{
	struct socktls_blob head = { .type = type, .len = len };
	u32 old = conn->chain[which].len;
	u32 size = sizeof(head) + ALIGN(len, 4);
	u8 *all = kvzalloc(old + size, GFP_KERNEL);

	if (!all)
		return -ENOMEM;
	if (old)
		memcpy(all, conn->chain[which].bytes, old);
	memcpy(all + old, &head, sizeof(head));
	memcpy(all + old + sizeof(head), bytes, len);
	kvfree(conn->chain[which].bytes);
	conn->chain[which].bytes = all;
	conn->chain[which].len = old + size;
	return 0;
}

static int apply_certificate(struct socktls_conn *conn,
			     struct hs_action *action)
{
	if (conn->chain[action->chain].len + action->len > HS_ACTION_BYTES_MAX)
		return -EMSGSIZE;
	return apply_blob(conn, action->chain, SOCKTLS_BLOB_CERTIFICATE,
			  action->bytes, action->len);
}

static bool epoch_is_application(const struct socktls_epoch *epoch)
{
	return epoch->cipher && epoch->level == SOCKTLS_LEVEL_APPLICATION;
}

/* The first bytes of a DONE are the peer's verified identity. */
static int done_identity(struct socktls_conn *conn,
			 const struct hs_action *action)
{
	char *identity;
	int err;

	if (!action->len)
		return 0;
	identity = kmemdup_nul(action->bytes, action->len, GFP_KERNEL);
	if (!identity)
		return -ENOMEM;
	err = apply_blob(conn, SOCKTLS_CHAIN_PEER, SOCKTLS_BLOB_IDENTITY,
			 action->bytes, action->len);
	if (err) {
		kfree(identity);
		return err;
	}
	spin_lock_bh(&conn->hs->sn->lock);
	conn->peer_identity = identity;
	spin_unlock_bh(&conn->hs->sn->lock);
	return 0;
}

static int done_alpn(struct socktls_conn *conn, const struct hs_action *action)
{
	if (!action->alpn_len || conn->alpn)
		return 0;
	conn->alpn = kmemdup(action->bytes + action->len, action->alpn_len,
			     GFP_KERNEL);
	if (!conn->alpn)
		return -ENOMEM;
	conn->alpn_len = action->alpn_len;
	return 0;
}

/* What may fail for want of memory comes first: it is tried again. */
static int apply_done(struct socktls_conn *conn, struct hs_action *action)
{
	int err;

	if (!epoch_is_application(conn->rx.epoch) ||
	    !epoch_is_application(conn->tx.epoch) ||
	    action->version != conn->version)
		return -EINVAL;
	err = done_alpn(conn, action);
	if (!err)
		err = socktls_session_begin(conn, action->bytes + action->len +
						  action->alpn_len,
					    action->cookie_len);
	if (!err)
		err = done_identity(conn, action);
	if (err)
		return err;
	conn->suite = action->suite;
	conn->group = action->group;
	conn->signature_scheme = action->signature_scheme;
	conn->flags |= action->flags;
	socktls_conn_established(conn);
	socktls_hs_end(conn, 0, -1);
	return 0;
}

static int apply_limit(struct socktls_conn *conn,
		       const struct hs_action *action)
{
	if (action->direction == SOCKTLS_DIRECTION_TX)
		conn->tx.max_plaintext = action->limit;
	else
		conn->rx.max_plaintext = action->limit;
	return 0;
}

static int apply_skip(struct socktls_conn *conn, const struct hs_action *action)
{
	conn->rx.skip_mode = action->mode;
	conn->rx.skip_left = action->limit;
	return 0;
}

static int apply_fail(struct socktls_conn *conn, struct hs_action *action)
{
	bool send = action->alert >= 0;

	socktls_conn_fail(conn, action->error, action->alert,
			  send ? SOCKTLS_ALERT_SENT : SOCKTLS_ALERT_NONE,
			  "%.*s", (int)min_t(u32, action->len, 240),
			  action->bytes);
	return -ECONNABORTED;
}

/* What is to go with the first application record stays an action until then. */
static int apply_lazy(struct socktls_conn *conn, struct hs_action *action)
{
	u32 size = sizeof(*action) + action->len;

	if (conn->tx.lazy_size + size > HS_ACTION_BYTES_MAX)
		return -E2BIG;
	conn->tx.lazy_size += size;
	list_add_tail(&action->list, &conn->tx.lazy);
	conn->tx.prelude_at = 0;
	return 0;
}

/**
 * socktls_hs_send_lazy() - send what waited for the first application record
 * @conn: sk locked
 *
 * Return: 0; -EAGAIN or -ENOMEM, to be called again; an errno after the
 * connection failed.
 */
int socktls_hs_send_lazy(struct socktls_conn *conn)
{
	struct hs_action *action, *next;

	list_for_each_entry_safe(action, next, &conn->tx.lazy, list) {
		int err = apply_send(conn, action);

		if (action->taken)
			conn->tx.lazy_begun = true;
		if (err)
			return err;
		list_del(&action->list);
		hs_action_free(action);
	}
	conn->tx.lazy_begun = false;
	socktls_rekey_arm(conn);
	return 0;
}

/* sk locked, or nobody else sees the connection any more; any context */
void socktls_hs_drop_lazy(struct socktls_conn *conn)
{
	hs_actions_free(&conn->tx.lazy);
}

static int hs_apply_one(struct socktls_conn *conn, struct hs_action *action)
{
	switch (action->kind) {
	case SOCKTLS_ACTION_SEND:
		return action->lazy ? apply_lazy(conn, action) :
				      apply_send(conn, action);
	case SOCKTLS_ACTION_VERSION:
		conn->version = action->version;
		return 0;
	case SOCKTLS_ACTION_KEY:
		return apply_key(conn, action);
	case SOCKTLS_ACTION_LIMIT:
		return apply_limit(conn, action);
	case SOCKTLS_ACTION_SKIP_EARLY:
		return apply_skip(conn, action);
	case SOCKTLS_ACTION_MORE:
		return 0;
	case SOCKTLS_ACTION_CERTIFICATE:
		return apply_certificate(conn, action);
	case SOCKTLS_ACTION_DONE:
		return apply_done(conn, action);
	case SOCKTLS_ACTION_FAIL:
		return apply_fail(conn, action);
	}
	return -EINVAL;
}

/* All actions are applied. */
static void hs_idle(struct hs *hs)
{
	spin_lock_bh(&hs->sn->lock);
	hs->state = HS_IDLE;
	WRITE_ONCE(hs->lost, !hs->worker);
	spin_unlock_bh(&hs->sn->lock);
}

/*
 * The first action. It is in no list meanwhile, for it may end the handshake.
 * Return: 0; a negative errno when it is to be tried again or the handshake is
 * over.
 */
static int hs_apply_next(struct socktls_conn *conn, struct hs_action *action)
{
	int err;

	list_del_init(&action->list);
	err = hs_apply_one(conn, action);
	trace_socktls_handshake_action(conn->id, action->kind, action->len,
				       err);
	if ((err == -EAGAIN || err == -ENOMEM) && conn->hs) {
		list_add(&action->list, &conn->hs->actions);
		if (err == -ENOMEM)
			socktls_conn_kick(conn, msecs_to_jiffies(10));
		return err;
	}
	if (err)
		socktls_conn_fail(conn, EIO, ALERT_INTERNAL_ERROR,
				  SOCKTLS_ALERT_SENT,
				  "an action of the helper could not be applied (error %d)",
				  err);
	/* one that waits for data is the connection's now */
	if (list_empty(&action->list))
		hs_action_free(action);
	return err;
}

/*
 * Applies what a REPLY has queued, in order. Return: true when all of it is
 * and the handshake goes on; false when it waits (for room in the send buffer,
 * for memory, for the reply) or is over.
 */
static bool hs_apply(struct socktls_conn *conn)
{
	while (conn->hs && conn->hs->state == HS_REPLIED) {
		struct hs_action *action;

		action = list_first_entry_or_null(&conn->hs->actions,
						  struct hs_action, list);
		if (!action)
			hs_idle(conn->hs);
		else if (hs_apply_next(conn, action))
			return false;
	}
	return conn->hs && conn->hs->state == HS_IDLE;
}

/* ---- what goes out: handshake bytes of the peer ---- */

static int hs_unexpected(struct socktls_conn *conn, const char *what)
{
	socktls_conn_fail(conn, EPROTO, ALERT_UNEXPECTED_MESSAGE,
			  SOCKTLS_ALERT_SENT, "the peer sent %s", what);
	return -EPROTO;
}

/* TLS 1.3 hides the type; only handshake bytes are gathered there. */
static u8 hs_content_type(const struct socktls_conn *conn)
{
	u8 outer = conn->rx.header.type;

	return outer == RECORD_APPLICATION_DATA ? RECORD_HANDSHAKE : outer;
}

static bool hs_coalesces(const struct hs *hs, u8 content_type, u32 len)
{
	return !hs->len || (hs->content_type == content_type &&
			    content_type == RECORD_HANDSHAKE &&
			    hs->len + len <= HS_BYTES_MAX);
}

static int hs_gather(struct socktls_conn *conn, struct rx_record *rec)
{
	struct hs *hs = conn->hs;

	if (rec->type == RECORD_ALERT)
		return socktls_control_alert(conn, rec);
	if (rec->type != RECORD_HANDSHAKE &&
	    rec->type != RECORD_CHANGE_CIPHER_SPEC)
		return hs_unexpected(conn, "application data before the handshake was done");
	/* RFC 8446 section 5: it is never protected */
	if (rec->type != conn->rx.header.type &&
	    rec->type == RECORD_CHANGE_CIPHER_SPEC)
		return hs_unexpected(conn, "a change_cipher_spec under a key");
	if (!rec->len)
		return hs_unexpected(conn, "an empty handshake record");
	socktls_vec_read(&rec->vec, rec->off, hs->bytes + hs->len, rec->len);
	if (rec->type == RECORD_HANDSHAKE)
		handshake_track(&conn->rx.tracker, hs->bytes + hs->len,
				rec->len);
	hs->len += rec->len;
	hs->level = conn->rx.epoch->level;
	hs->content_type = rec->type;
	return 0;
}

static int hs_open(struct socktls_conn *conn, struct socktls_epoch *epoch)
{
	struct rx_record *rec = socktls_rx_open(conn, epoch);
	int err;

	if (IS_ERR(rec)) {
		if (PTR_ERR(rec) == -ENOMEM)
			socktls_rx_retry(conn);
		return PTR_ERR(rec);
	}
	if (!rec)
		return 0;
	err = hs_gather(conn, rec);
	socktls_rx_release(conn, rec);
	return err;
}

/* A plaintext alert between protected records: RFC 8446 section 5. */
static int hs_open_plaintext(struct socktls_conn *conn)
{
	struct socktls_epoch *epoch = socktls_epoch_new_null();
	int err;

	if (!epoch) {
		socktls_rx_retry(conn);
		return -ENOMEM;
	}
	err = hs_open(conn, epoch);
	socktls_epoch_free(epoch);
	return err;
}

static int hs_drop_ccs(struct socktls_conn *conn)
{
	bool good = conn->rx.header.length == 1 &&
		    ++conn->rx.ccs <= HS_CCS_MAX;

	if (socktls_rx_skip(conn) != 1 || !good)
		return hs_unexpected(conn, "a change_cipher_spec that is not one");
	return 0;
}

static enum delivery hs_judge(const struct socktls_conn *conn)
{
	const struct socktls_epoch *epoch = conn->rx.epoch;
	struct delivery_state at = {
		.keyed = epoch->cipher,
		.version = conn->version,
		.application = epoch->level == SOCKTLS_LEVEL_APPLICATION,
		.finished = conn->rx.tracker.finished,
		.protected = conn->rx.protected,
	};

	return record_delivery(&at, conn->rx.header.type);
}

/* One record. Return: 1 to go on, 0 to pause, or a negative errno. */
static int hs_pump_one(struct socktls_conn *conn)
{
	struct hs *hs = conn->hs;
	int ret = socktls_rx_head(conn);

	if (ret <= 0)
		return ret;
	if (socktls_rx_may_skip(conn, SOCKTLS_SKIP_OPAQUE)) {
		socktls_rx_skip(conn);
		return 1;
	}
	switch (hs_judge(conn)) {
	case DELIVERY_OPEN:
		if (!hs_coalesces(hs, hs_content_type(conn),
				  conn->rx.header.length))
			return 0;
		ret = hs_open(conn, conn->rx.epoch);
		break;
	case DELIVERY_PLAINTEXT:
		ret = hs_open_plaintext(conn);
		break;
	case DELIVERY_DROP:
		ret = hs_drop_ccs(conn);
		break;
	case DELIVERY_PAUSE:
		/* with nothing to tell the helper, no key can come either */
		if (hs->len)
			return 0;
		fallthrough;
	default:
		ret = hs_unexpected(conn, "a record that the handshake does not expect");
	}
	if (ret)
		return ret;
	return hs->content_type != RECORD_CHANGE_CIPHER_SPEC || !hs->len;
}

static void hs_pump(struct socktls_conn *conn)
{
	struct hs *hs = conn->hs;
	struct sock *sk = conn->sk;
	int ret;

	do {
		ret = hs_pump_one(conn);
	} while (ret > 0);
	if (conn->state != SOCKTLS_STATE_HANDSHAKING)
		return;
	if (hs->len) {
		hs_post(hs);
	} else if (sock_flag(sk, SOCK_DONE)) {
		socktls_conn_fail(conn, ECONNRESET, -1, SOCKTLS_ALERT_NONE,
				  "the peer closed the connection during the handshake");
	}
}

static void hs_lost(struct socktls_conn *conn)
{
	socktls_conn_fail(conn, ECONNABORTED, ALERT_INTERNAL_ERROR,
			  SOCKTLS_ALERT_SENT,
			  "socktlsd went away during the handshake");
}

/**
 * socktls_hs_run() - carry the handshake on as far as it goes
 * @conn: sk locked, HANDSHAKING
 *
 * Context: process; does not wait.
 */
void socktls_hs_run(struct socktls_conn *conn)
{
	struct sock *sk = conn->sk;

	if (sk->sk_err || sk->sk_state == TCP_CLOSE) {
		socktls_conn_fail(conn, sk->sk_err ? : ECONNRESET, -1,
				  SOCKTLS_ALERT_NONE,
				  "the TCP connection broke during the handshake");
		return;
	}
	if (socktls_tx_flush(conn) == -EAGAIN)
		return;
	if (READ_ONCE(conn->hs->lost)) {
		hs_lost(conn);
		return;
	}
	if (!hs_apply(conn))
		return;
	/* what the worker had answered before it went was applied first */
	if (READ_ONCE(conn->hs->lost))
		hs_lost(conn);
	else
		hs_pump(conn);
}
