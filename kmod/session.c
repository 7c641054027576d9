// SPDX-License-Identifier: GPL-2.0
/* Tickets, exporters and ends of sessions, as items for a helper. */
#include <linux/netlink.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "session.h"

#define SESSION_ITEMS_MAX	4096			/* of a netns */
#define SESSION_BYTES_MAX	(8 * 1024 * 1024)
/* Of a NewSessionTicket, with header; a longer one is not worth keeping. */
#define SESSION_TICKET_MAX	32768
#define SESSION_EXPORT_JIFFIES	(10 * HZ)

static atomic_t items_alive = ATOMIC_INIT(0);

int session_items_alive(void)
{
	return atomic_read(&items_alive);
}

static void cookie_put(struct socktls_cookie *cookie)
{
	if (cookie && refcount_dec_and_test(&cookie->ref))
		kfree_sensitive(cookie);
}

static struct session_item *item_new(const struct socktls_conn *conn, u32 kind,
				     struct socktls_cookie *cookie, u32 size)
{
	struct session_item *item;

	item = kvzalloc(struct_size(item, bytes, size), GFP_KERNEL_ACCOUNT);
	if (!item)
		return NULL;
	INIT_LIST_HEAD(&item->node);
	refcount_set(&item->ref, 1);
	init_completion(&item->done);
	item->kind = kind;
	item->id = conn->id;
	item->connection = conn->id;
	item->size = size;
	if (cookie)
		refcount_inc(&cookie->ref);
	item->cookie = cookie;
	atomic_inc(&items_alive);
	return item;
}

/* Context: any, BH included. May be NULL. */
void session_item_put(struct session_item *item)
{
	if (!item || !refcount_dec_and_test(&item->ref))
		return;
	if (item->answer)
		hs_action_free(item->answer);
	cookie_put(item->cookie);
	kvfree(item);
	atomic_dec(&items_alive);
}

/* ---- the queue; the netns' lock held ---- */

static void queue_remove(struct socktls_net *sn, struct session_item *item)
{
	if (list_empty(&item->node))
		return;
	list_del_init(&item->node);
	sn->nr_items--;
	sn->items_size -= item->size;
	session_item_put(item);
}

static int queue_add(struct socktls_net *sn, struct session_item *item)
{
	/* tickets are the peers' to multiply: half of the queue is for others */
	u32 share = item->kind == SOCKTLS_ITEM_TICKET ? 2 : 1;

	if (list_empty(&sn->workers))
		return -ESRCH;
	if (sn->nr_items >= SESSION_ITEMS_MAX / share ||
	    sn->items_size + item->size > SESSION_BYTES_MAX / share)
		return -EUSERS;
	refcount_inc(&item->ref);
	list_add_tail(&item->node, &sn->items);
	sn->nr_items++;
	sn->items_size += item->size;
	return 0;
}

static void export_finish(struct socktls_net *sn, struct session_item *item,
			  int err)
{
	item->err = err;
	complete(&item->done);
	queue_remove(sn, item);
}

static bool is_export(const struct session_item *item)
{
	return item->kind == SOCKTLS_ITEM_EXPORT;
}

/**
 * session_claim() - a worker takes an item
 * @sn: its lock is held
 * @item: in sn->items, and in the message already
 * @worker: who
 * @claimed: for session_settle(), what needs no answer
 */
void session_claim(struct socktls_net *sn, struct session_item *item,
		   struct socktls_worker *worker, struct list_head *claimed)
{
	if (!is_export(item)) {
		list_move_tail(&item->node, claimed);
		return;
	}
	item->worker = worker;
	item->fresh = true;
	list_move_tail(&item->node, &sn->exports);
}

/**
 * session_settle() - the delivery is over
 * @sn: its lock is held
 * @worker: who claimed; only compared
 * @claimed: of session_claim()
 * @delivered: it succeeded; else all is pending again
 */
void session_settle(struct socktls_net *sn, struct socktls_worker *worker,
		    struct list_head *claimed, bool delivered)
{
	struct session_item *item, *next;

	list_for_each_entry_safe(item, next, claimed, node)
		if (delivered)
			queue_remove(sn, item);
	list_splice_init(claimed, &sn->items);
	list_for_each_entry_safe(item, next, &sn->exports, node) {
		if (item->worker != worker || !item->fresh)
			continue;
		item->fresh = false;
		if (!delivered)
			list_move(&item->node, &sn->items);
	}
	if (list_empty(&sn->workers))
		session_worker_gone(sn, NULL);
}

/**
 * session_answer() - a REPLY to an EXPORT
 * @sn: its lock is held
 * @worker: whose
 * @id: of the item
 * @actions: one EXPORTED or FAIL, taken
 * @extack: says why not
 *
 * Return: 0; -ENOENT when nobody waits for it; -EINVAL for other actions.
 */
int session_answer(struct socktls_net *sn, struct socktls_worker *worker,
		   u64 id, struct list_head *actions,
		   struct netlink_ext_ack *extack)
{
	struct hs_action *action = list_first_entry(actions, struct hs_action,
						    list);
	struct session_item *item;

	list_for_each_entry(item, &sn->exports, node) {
		if (item->id != id || item->worker != worker)
			continue;
		if (!list_is_singular(actions) ||
		    (action->kind != SOCKTLS_ACTION_EXPORTED &&
		     action->kind != SOCKTLS_ACTION_FAIL)) {
			NL_SET_ERR_MSG(extack,
				       "an exporter takes one EXPORTED or FAIL");
			return -EINVAL;
		}
		list_del(&action->list);
		item->answer = action;
		export_finish(sn, item, 0);
		return 0;
	}
	NL_SET_ERR_MSG(extack, "nobody waits for an answer of this id");
	return -ENOENT;
}

/**
 * session_worker_gone() - a helper socket was closed
 * @sn: its lock is held; the worker is in no list any more
 * @worker: the one that is gone, NULL: none in particular
 *
 * What it had not answered goes to another one. Without any, what was to be
 * told is dropped, and who asked is told.
 */
void session_worker_gone(struct socktls_net *sn, struct socktls_worker *worker)
{
	struct session_item *item, *next;

	list_for_each_entry_safe(item, next, &sn->exports, node)
		if (worker && item->worker == worker) {
			item->worker = NULL;
			item->fresh = false;
			list_move(&item->node, &sn->items);
		}
	if (!list_empty(&sn->workers))
		return;
	list_for_each_entry_safe(item, next, &sn->items, node) {
		if (is_export(item))
			export_finish(sn, item, -ESRCH);
		else
			queue_remove(sn, item);
	}
}

static int session_post(struct socktls_conn *conn, struct session_item *item)
{
	struct socktls_net *sn = socktls_net(sock_net(conn->sk));
	int err;

	spin_lock_bh(&sn->lock);
	err = queue_add(sn, item);
	spin_unlock_bh(&sn->lock);
	if (!err)
		socktls_nl_ring(sn, NULL);
	return err;
}

/* ---- a connection's ---- */

/**
 * socktls_session_begin() - DONE brought a cookie
 * @conn: sk locked
 * @bytes: the cookie
 * @len: its length, 0: nothing to be told of this connection
 *
 * The item that tells of its end is made now: its posting needs no memory. With
 * the queue full or no helper there it is dropped.
 *
 * Return: 0, -ENOMEM; may be called again then.
 */
int socktls_session_begin(struct socktls_conn *conn, const u8 *bytes, u32 len)
{
	struct socktls_cookie *cookie;

	if (!len || conn->cookie)
		return 0;
	cookie = kmalloc(struct_size(cookie, bytes, len), GFP_KERNEL);
	if (!cookie)
		return -ENOMEM;
	refcount_set(&cookie->ref, 1);
	cookie->len = len;
	memcpy(cookie->bytes, bytes, len);
	conn->ended = item_new(conn, SOCKTLS_ITEM_ENDED, cookie, 0);
	if (!conn->ended) {
		cookie_put(cookie);
		return -ENOMEM;
	}
	conn->cookie = cookie;
	return 0;
}

/* Context: any, BH included. */
void socktls_session_free(struct socktls_conn *conn)
{
	session_item_put(conn->ended);
	session_item_put(conn->rx.ticket);
	cookie_put(conn->cookie);
	conn->ended = NULL;
	conn->rx.ticket = NULL;
	conn->cookie = NULL;
}

/**
 * socktls_session_ended() - a fatal alert was sent or received
 * @conn: sk locked
 * @alert: AlertDescription
 *
 * Context: any.
 */
void socktls_session_ended(struct socktls_conn *conn, int alert)
{
	struct session_item *item = conn->ended;

	if (!item)
		return;
	conn->ended = NULL;
	item->alert = alert;
	session_post(conn, item);
	session_item_put(item);
}

/**
 * socktls_session_ticket() - a NewSessionTicket begins
 * @conn: sk locked, client, established
 * @header: the message's first four bytes
 * @len: of the rest
 *
 * Dropped when there is no helper, no cookie, no memory, or when it is too
 * long.
 */
void socktls_session_ticket(struct socktls_conn *conn, const u8 header[4],
			    u32 len)
{
	struct socktls_net *sn = socktls_net(sock_net(conn->sk));

	if (!conn->cookie || len + 4 > SESSION_TICKET_MAX ||
	    list_empty_careful(&sn->workers))
		return;
	conn->rx.ticket = item_new(conn, SOCKTLS_ITEM_TICKET, conn->cookie,
				   len + 4);
	if (!conn->rx.ticket)
		return;
	memcpy(conn->rx.ticket->bytes, header, 4);
	conn->rx.ticket->filled = 4;
}

/* Some bytes of it, @off into the record. */
void socktls_session_ticket_bytes(struct socktls_conn *conn,
				  const struct rx_record *rec, u32 off, u32 len)
{
	struct session_item *item = conn->rx.ticket;

	if (!item)
		return;
	socktls_vec_read(&rec->vec, off, item->bytes + item->filled, len);
	item->filled += len;
}

/* It is complete. A full queue drops it. */
void socktls_session_ticket_end(struct socktls_conn *conn)
{
	struct session_item *item = conn->rx.ticket;

	if (!item)
		return;
	conn->rx.ticket = NULL;
	session_post(conn, item);
	session_item_put(item);
}

/* ---- SOCKTLS_EXPORTER ---- */

static int export_check(const struct socktls_conn *conn)
{
	if (conn->key_plane)
		return -EBUSY;
	if (conn->error.error)
		return -(int)conn->error.error;
	if (conn->state != SOCKTLS_STATE_ESTABLISHED)
		return -ENOTCONN;
	/* RFC 7627 section 5.4: without it two sessions may export the same */
	if (!conn->cookie ||
	    (conn->version == RECORD_TLS_1_2 &&
	     !(conn->flags & SOCKTLS_INFO_EXT_MASTER_SECRET)))
		return -EOPNOTSUPP;
	return 0;
}

static int export_read(struct socktls_exporter *head, const char __user *optval,
		       u32 room)
{
	if (room < sizeof(*head))
		return -EINVAL;
	if (copy_from_user(head, optval, sizeof(*head)))
		return -EFAULT;
	if (!head->label_len || head->label_len > SOCKTLS_EXPORTER_LABEL_MAX ||
	    head->context_len > SOCKTLS_EXPORTER_CONTEXT_MAX ||
	    !head->length || head->length > SOCKTLS_EXPORTER_LENGTH_MAX ||
	    head->flags & ~SOCKTLS_EXPORTER_CONTEXT ||
	    (head->context_len && !(head->flags & SOCKTLS_EXPORTER_CONTEXT)) ||
	    room < sizeof(*head) + head->label_len + head->context_len)
		return -EINVAL;
	return 0;
}

/* Label, NUL, context. */
static int export_fill(struct session_item *item,
		       const struct socktls_exporter *head,
		       const char __user *data)
{
	item->label_len = head->label_len + 1;
	item->length = head->length;
	item->has_context = head->flags & SOCKTLS_EXPORTER_CONTEXT;
	if (copy_from_user(item->bytes, data, head->label_len) ||
	    copy_from_user(item->bytes + item->label_len,
			   data + head->label_len, head->context_len))
		return -EFAULT;
	return memchr(item->bytes, 0, head->label_len) ? -EINVAL : 0;
}

static int export_start(struct socktls_conn *conn, struct session_item *item)
{
	int err;

	lock_sock(conn->sk);
	err = export_check(conn);
	if (!err) {
		item->id = socktls_conn_new_id();
		item->cookie = conn->cookie;
		refcount_inc(&item->cookie->ref);
		err = session_post(conn, item);
	}
	release_sock(conn->sk);
	return err;
}

static int export_wait(struct socktls_net *sn, struct session_item *item)
{
	long ret = wait_for_completion_interruptible_timeout(&item->done,
							     SESSION_EXPORT_JIFFIES);

	spin_lock_bh(&sn->lock);
	queue_remove(sn, item);
	spin_unlock_bh(&sn->lock);
	if (!completion_done(&item->done) && !ret)
		return -ETIMEDOUT;
	if (ret < 0)
		return ret;
	return item->err;
}

/* What the helper answered. */
static int export_result(const struct session_item *item)
{
	const struct hs_action *action = item->answer;

	if (action->kind == SOCKTLS_ACTION_FAIL)
		return -(int)action->error;
	return action->len == item->length ? 0 : -EIO;
}

/**
 * socktls_session_export() - getsockopt(SOCKTLS_EXPORTER)
 * @conn: not locked
 * @optval: struct socktls_exporter
 * @optlen: room; set to what was written
 *
 * Context: process; waits for the helper, at most 10 s.
 *
 * Return: 0; -EINVAL; -EFAULT; -ERANGE when the result does not fit, *@optlen
 * says what would; -ENOTCONN; -EBUSY on the key plane; -EOPNOTSUPP for TLS 1.2
 * without extended master secret; -ESRCH without a helper; -EUSERS when too
 * much is pending; -ETIMEDOUT; -ERESTARTSYS; -ENOMEM; the helper's errno.
 */
int socktls_session_export(struct socktls_conn *conn, char __user *optval,
			   int __user *optlen)
{
	struct socktls_net *sn = socktls_net(sock_net(conn->sk));
	struct socktls_exporter head;
	struct session_item *item;
	int err, room;
	u32 len;

	if (get_user(room, optlen))
		return -EFAULT;
	if (room < 0)
		return -EINVAL;
	err = export_read(&head, optval, room);
	if (err)
		return err;
	len = sizeof(head) + head.length;
	if ((u32)room < len)
		return put_user(len, optlen) ? -EFAULT : -ERANGE;
	item = item_new(conn, SOCKTLS_ITEM_EXPORT, NULL,
			head.label_len + 1 + head.context_len);
	if (!item)
		return -ENOMEM;
	err = export_fill(item, &head, optval + sizeof(head));
	if (!err)
		err = export_start(conn, item);
	if (!err)
		err = export_wait(sn, item);
	if (!err)
		err = export_result(item);
	if (!err && (put_user(len, optlen) ||
		     copy_to_user(optval + sizeof(head), item->answer->bytes,
				  head.length)))
		err = -EFAULT;
	session_item_put(item);
	return err;
}
