/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Tracepoints. Their names and fields are described in
 * Documentation/observability.md and stay as they are; new fields come last.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM socktls

#if !defined(SOCKTLS_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define SOCKTLS_TRACE_H

#include <linux/tracepoint.h>
#include <linux/socktls_netlink.h>

#include "socktls.h"

#define show_record_type(type)						\
	__print_symbolic(type, { 20, "change_cipher_spec" },		\
			 { 21, "alert" }, { 22, "handshake" },		\
			 { 23, "application_data" })

/* Tells tools that read the format files what the names mean. */
TRACE_DEFINE_ENUM(SOCKTLS_STATE_PLAIN);
TRACE_DEFINE_ENUM(SOCKTLS_STATE_HANDSHAKING);
TRACE_DEFINE_ENUM(SOCKTLS_STATE_ESTABLISHED);
TRACE_DEFINE_ENUM(SOCKTLS_STATE_CLOSED);
TRACE_DEFINE_ENUM(SOCKTLS_STATE_FAILED);
TRACE_DEFINE_ENUM(SOCKTLS_LEVEL_PLAINTEXT);
TRACE_DEFINE_ENUM(SOCKTLS_LEVEL_EARLY);
TRACE_DEFINE_ENUM(SOCKTLS_LEVEL_HANDSHAKE);
TRACE_DEFINE_ENUM(SOCKTLS_LEVEL_APPLICATION);
TRACE_DEFINE_ENUM(SOCKTLS_ACTION_SEND);
TRACE_DEFINE_ENUM(SOCKTLS_ACTION_VERSION);
TRACE_DEFINE_ENUM(SOCKTLS_ACTION_KEY);
TRACE_DEFINE_ENUM(SOCKTLS_ACTION_LIMIT);
TRACE_DEFINE_ENUM(SOCKTLS_ACTION_SKIP_EARLY);
TRACE_DEFINE_ENUM(SOCKTLS_ACTION_MORE);
TRACE_DEFINE_ENUM(SOCKTLS_ACTION_CERTIFICATE);
TRACE_DEFINE_ENUM(SOCKTLS_ACTION_DONE);
TRACE_DEFINE_ENUM(SOCKTLS_ACTION_FAIL);
TRACE_DEFINE_ENUM(SOCKTLS_ACTION_EXPORTED);

#define show_state(state)						\
	__print_symbolic(state, { SOCKTLS_STATE_PLAIN, "plain" },	\
			 { SOCKTLS_STATE_HANDSHAKING, "handshaking" },	\
			 { SOCKTLS_STATE_ESTABLISHED, "established" },	\
			 { SOCKTLS_STATE_CLOSED, "closed" },		\
			 { SOCKTLS_STATE_FAILED, "failed" })

#define show_level(level)						\
	__print_symbolic(level, { SOCKTLS_LEVEL_PLAINTEXT, "plaintext" }, \
			 { SOCKTLS_LEVEL_EARLY, "early" },		\
			 { SOCKTLS_LEVEL_HANDSHAKE, "handshake" },	\
			 { SOCKTLS_LEVEL_APPLICATION, "application" })

#define show_action(kind)						\
	__print_symbolic(kind, { SOCKTLS_ACTION_SEND, "send" },		\
			 { SOCKTLS_ACTION_VERSION, "version" },		\
			 { SOCKTLS_ACTION_KEY, "key" },			\
			 { SOCKTLS_ACTION_LIMIT, "limit" },		\
			 { SOCKTLS_ACTION_SKIP_EARLY, "skip_early" },	\
			 { SOCKTLS_ACTION_MORE, "more" },		\
			 { SOCKTLS_ACTION_CERTIFICATE, "certificate" },	\
			 { SOCKTLS_ACTION_DONE, "done" },		\
			 { SOCKTLS_ACTION_FAIL, "fail" },		\
			 { SOCKTLS_ACTION_EXPORTED, "exported" })

DECLARE_EVENT_CLASS(socktls_record,
	TP_PROTO(const struct socktls_conn *conn, u8 type, u32 len, u64 seq),
	TP_ARGS(conn, type, len, seq),
	TP_STRUCT__entry(
		__field(u64, id)
		__field(u64, seq)
		__field(u32, len)
		__field(u16, version)
		__field(u16, cipher)
		__field(u8, type)
	),
	TP_fast_assign(
		__entry->id = conn->id;
		__entry->seq = seq;
		__entry->len = len;
		__entry->version = conn->version;
		__entry->cipher = conn->cipher;
		__entry->type = type;
	),
	TP_printk("id=%llu type=%s len=%u seq=%llu version=0x%04x cipher=%u",
		  __entry->id, show_record_type(__entry->type), __entry->len,
		  __entry->seq, __entry->version, __entry->cipher)
);

DEFINE_EVENT(socktls_record, socktls_record_tx,
	TP_PROTO(const struct socktls_conn *conn, u8 type, u32 len, u64 seq),
	TP_ARGS(conn, type, len, seq)
);

DEFINE_EVENT(socktls_record, socktls_record_rx,
	TP_PROTO(const struct socktls_conn *conn, u8 type, u32 len, u64 seq),
	TP_ARGS(conn, type, len, seq)
);

DECLARE_EVENT_CLASS(socktls_alert,
	TP_PROTO(const struct socktls_conn *conn, u8 level, u8 description),
	TP_ARGS(conn, level, description),
	TP_STRUCT__entry(
		__field(u64, id)
		__field(u8, level)
		__field(u8, description)
	),
	TP_fast_assign(
		__entry->id = conn->id;
		__entry->level = level;
		__entry->description = description;
	),
	TP_printk("id=%llu level=%u description=%u", __entry->id,
		  __entry->level, __entry->description)
);

DEFINE_EVENT(socktls_alert, socktls_alert_tx,
	TP_PROTO(const struct socktls_conn *conn, u8 level, u8 description),
	TP_ARGS(conn, level, description)
);

DEFINE_EVENT(socktls_alert, socktls_alert_rx,
	TP_PROTO(const struct socktls_conn *conn, u8 level, u8 description),
	TP_ARGS(conn, level, description)
);

TRACE_EVENT(socktls_state,
	TP_PROTO(const struct socktls_conn *conn, u8 from, u8 to),
	TP_ARGS(conn, from, to),
	TP_STRUCT__entry(
		__field(u64, id)
		__field(u8, from)
		__field(u8, to)
		__field(u8, role)
		__field(u32, error)
	),
	TP_fast_assign(
		__entry->id = conn->id;
		__entry->from = from;
		__entry->to = to;
		__entry->role = conn->role;
		__entry->error = conn->error.error;
	),
	TP_printk("id=%llu from=%s to=%s role=%s error=%u", __entry->id,
		  show_state(__entry->from), show_state(__entry->to),
		  __print_symbolic(__entry->role,
				   { SOCKTLS_CLIENT, "client" },
				   { SOCKTLS_SERVER, "server" }),
		  __entry->error)
);

/* Bytes of the peer's become an item for the helper. */
TRACE_EVENT(socktls_handshake_item,
	TP_PROTO(u64 id, u32 level, u8 type, u32 len),
	TP_ARGS(id, level, type, len),
	TP_STRUCT__entry(
		__field(u64, id)
		__field(u32, level)
		__field(u32, len)
		__field(u8, type)
	),
	TP_fast_assign(
		__entry->id = id;
		__entry->level = level;
		__entry->len = len;
		__entry->type = type;
	),
	TP_printk("id=%llu level=%s type=%s len=%u", __entry->id,
		  show_level(__entry->level), show_record_type(__entry->type),
		  __entry->len)
);

/* One of the helper's actions has been applied, or not (error). */
TRACE_EVENT(socktls_handshake_action,
	TP_PROTO(u64 id, u32 kind, u32 len, int error),
	TP_ARGS(id, kind, len, error),
	TP_STRUCT__entry(
		__field(u64, id)
		__field(u32, kind)
		__field(u32, len)
		__field(int, error)
	),
	TP_fast_assign(
		__entry->id = id;
		__entry->kind = kind;
		__entry->len = len;
		__entry->error = error;
	),
	TP_printk("id=%llu kind=%s len=%u error=%d", __entry->id,
		  show_action(__entry->kind), __entry->len, __entry->error)
);

#endif /* SOCKTLS_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
