/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note OR MIT */
/*
 * Generic netlink family "socktls", between socktls.ko and socktlsd.
 * Follows Documentation/netlink/specs/socktls.yaml, which explains each name.
 */
#ifndef _UAPI_LINUX_SOCKTLS_NETLINK_H
#define _UAPI_LINUX_SOCKTLS_NETLINK_H

#define SOCKTLS_GENL_NAME	"socktls"
#define SOCKTLS_GENL_VERSION	1

enum socktls_cmd {
	SOCKTLS_CMD_REGISTER = 1,
	SOCKTLS_CMD_READY,
	SOCKTLS_CMD_NEXT,
	SOCKTLS_CMD_REPLY,
	SOCKTLS_CMD_CONN_GET,

	__SOCKTLS_CMD_MAX,
	SOCKTLS_CMD_MAX = __SOCKTLS_CMD_MAX - 1
};

/* Top-level attributes. */
enum socktls_attr {
	SOCKTLS_A_BUFFER_SIZE = 1,	/* u32 */
	SOCKTLS_A_ITEM,			/* nest of socktls_item_attr, multi */
	SOCKTLS_A_ACTION,		/* nest of socktls_action_attr, multi */
	SOCKTLS_A_CONN,			/* nest of socktls_conn_attr */

	__SOCKTLS_A_MAX,
	SOCKTLS_A_MAX = __SOCKTLS_A_MAX - 1
};

enum socktls_item_kind {
	SOCKTLS_ITEM_HANDSHAKE = 1,
	SOCKTLS_ITEM_ABORTED,
	SOCKTLS_ITEM_TICKET,
	SOCKTLS_ITEM_EXPORT,
	SOCKTLS_ITEM_ENDED,
};

enum socktls_abort_reason {
	SOCKTLS_ABORT_TIMEOUT = 1,	/* the deadline passed */
	SOCKTLS_ABORT_RESET,		/* the TCP connection was reset */
	SOCKTLS_ABORT_CLOSED,		/* the application or the peer closed */
	SOCKTLS_ABORT_ALERT,		/* fatal alert received */
	SOCKTLS_ABORT_PROTOCOL,		/* the peer broke the record protocol */
	SOCKTLS_ABORT_ACTION,		/* an action could not be applied */
};

/* An encryption level, the epoch of RFC 9001 section 4.1.4. */
enum socktls_level {
	SOCKTLS_LEVEL_PLAINTEXT = 0,
	SOCKTLS_LEVEL_EARLY,
	SOCKTLS_LEVEL_HANDSHAKE,
	SOCKTLS_LEVEL_APPLICATION,
};

enum socktls_item_attr {
	SOCKTLS_A_ITEM_PAD = 1,
	SOCKTLS_A_ITEM_KIND,		/* u32 */
	SOCKTLS_A_ITEM_ID,		/* u64 */
	SOCKTLS_A_ITEM_ROLE,		/* u32, only in an id's first item */
	SOCKTLS_A_ITEM_SERVER_NAME,	/* string, first item */
	SOCKTLS_A_ITEM_ALPN,		/* binary, first item */
	SOCKTLS_A_ITEM_POLICY,		/* string, first item */
	SOCKTLS_A_ITEM_IDENTITY,	/* string, first item */
	SOCKTLS_A_ITEM_TRUST,		/* binary, first item */
	SOCKTLS_A_ITEM_PEER_AUTH,	/* u32, first item */
	SOCKTLS_A_ITEM_UID,		/* u32, first item */
	SOCKTLS_A_ITEM_GID,		/* u32, first item */
	SOCKTLS_A_ITEM_PID,		/* u32, first item */
	SOCKTLS_A_ITEM_NETNS,		/* u64, inode number, first item */
	SOCKTLS_A_ITEM_CGROUP,		/* u64, first item */
	SOCKTLS_A_ITEM_LEVEL,		/* u32 */
	SOCKTLS_A_ITEM_CONTENT_TYPE,	/* u32 */
	SOCKTLS_A_ITEM_BYTES,		/* binary */
	SOCKTLS_A_ITEM_REASON,		/* u32 */
	SOCKTLS_A_ITEM_ALERT,		/* u32 */
	SOCKTLS_A_ITEM_COOKIE,		/* binary */
	SOCKTLS_A_ITEM_LABEL,		/* string */
	SOCKTLS_A_ITEM_CONTEXT,		/* binary */
	SOCKTLS_A_ITEM_LENGTH,		/* u32 */
	SOCKTLS_A_ITEM_CONNECTION,	/* u64, of an export */

	__SOCKTLS_A_ITEM_MAX,
	SOCKTLS_A_ITEM_MAX = __SOCKTLS_A_ITEM_MAX - 1
};

enum socktls_action_kind {
	SOCKTLS_ACTION_SEND = 1,
	SOCKTLS_ACTION_VERSION,
	SOCKTLS_ACTION_KEY,
	SOCKTLS_ACTION_LIMIT,
	SOCKTLS_ACTION_SKIP_EARLY,
	SOCKTLS_ACTION_MORE,
	SOCKTLS_ACTION_CERTIFICATE,
	SOCKTLS_ACTION_DONE,
	SOCKTLS_ACTION_FAIL,
	SOCKTLS_ACTION_EXPORTED,
};

enum socktls_direction {
	SOCKTLS_DIRECTION_RX = 0,
	SOCKTLS_DIRECTION_TX = 1,
};

enum socktls_chain {
	SOCKTLS_CHAIN_PEER = 0,
	SOCKTLS_CHAIN_LOCAL = 1,
};

/* How to skip early data that was refused. */
enum socktls_skip_mode {
	SOCKTLS_SKIP_OPAQUE = 1,	/* after a HelloRetryRequest */
	SOCKTLS_SKIP_TRIAL,		/* what does not open */
};

#define SOCKTLS_KEY_ENCRYPT_THEN_MAC	(1 << 0)

enum socktls_action_attr {
	SOCKTLS_A_ACTION_PAD = 1,
	SOCKTLS_A_ACTION_ID,		/* u64 */
	SOCKTLS_A_ACTION_KIND,		/* u32 */
	SOCKTLS_A_ACTION_CONTENT_TYPE,	/* u32: SEND */
	SOCKTLS_A_ACTION_BYTES,		/* binary: SEND, CERTIFICATE, EXPORTED */
	SOCKTLS_A_ACTION_LAZY,		/* flag: SEND */
	SOCKTLS_A_ACTION_VERSION,	/* u32: VERSION, DONE */
	SOCKTLS_A_ACTION_DIRECTION,	/* u32: KEY, LIMIT */
	SOCKTLS_A_ACTION_LEVEL,		/* u32: KEY */
	SOCKTLS_A_ACTION_CIPHER,	/* u32: KEY, TLS_CIPHER_* or SOCKTLS_CIPHER_* */
	SOCKTLS_A_ACTION_FLAGS,		/* u32: KEY: SOCKTLS_KEY_*; DONE: SOCKTLS_INFO_* */
	SOCKTLS_A_ACTION_KEY,		/* binary: KEY */
	SOCKTLS_A_ACTION_IV,		/* binary: KEY */
	SOCKTLS_A_ACTION_MAC_KEY,	/* binary: KEY */
	SOCKTLS_A_ACTION_TRAFFIC_SECRET,/* binary: KEY */
	SOCKTLS_A_ACTION_LIMIT,		/* u32: LIMIT, SKIP_EARLY */
	SOCKTLS_A_ACTION_MODE,		/* u32: SKIP_EARLY, socktls_skip_mode */
	SOCKTLS_A_ACTION_CHAIN,		/* u32: CERTIFICATE */
	SOCKTLS_A_ACTION_SUITE,		/* u32: DONE */
	SOCKTLS_A_ACTION_GROUP,		/* u32: DONE */
	SOCKTLS_A_ACTION_SIGNATURE_SCHEME, /* u32: DONE */
	SOCKTLS_A_ACTION_ALPN,		/* binary: DONE */
	SOCKTLS_A_ACTION_PEER_IDENTITY,	/* string: DONE */
	SOCKTLS_A_ACTION_COOKIE,	/* binary: DONE */
	SOCKTLS_A_ACTION_ALERT,		/* u32: FAIL; absent: none is sent */
	SOCKTLS_A_ACTION_ERRNO,		/* u32: FAIL */
	SOCKTLS_A_ACTION_TEXT,		/* string: FAIL */
	SOCKTLS_A_ACTION_SEQUENCE,	/* u64: KEY */

	__SOCKTLS_A_ACTION_MAX,
	SOCKTLS_A_ACTION_MAX = __SOCKTLS_A_ACTION_MAX - 1
};

enum socktls_conn_attr {
	SOCKTLS_A_CONN_PAD = 1,
	SOCKTLS_A_CONN_ID,		/* u64 */
	SOCKTLS_A_CONN_STATE,		/* u32 */
	SOCKTLS_A_CONN_FLAGS,		/* u32, SOCKTLS_INFO_* */
	SOCKTLS_A_CONN_UID,		/* u32 */
	SOCKTLS_A_CONN_INODE,		/* u64 */
	SOCKTLS_A_CONN_LOCAL,		/* binary, struct sockaddr_in or _in6 */
	SOCKTLS_A_CONN_REMOTE,		/* binary, struct sockaddr_in or _in6 */
	SOCKTLS_A_CONN_VERSION,		/* u32 */
	SOCKTLS_A_CONN_SUITE,		/* u32 */
	SOCKTLS_A_CONN_SERVER_NAME,	/* string */
	SOCKTLS_A_CONN_PEER_IDENTITY,	/* string */

	__SOCKTLS_A_CONN_MAX,
	SOCKTLS_A_CONN_MAX = __SOCKTLS_A_CONN_MAX - 1
};

/* The longest cookie, in bytes. */
#define SOCKTLS_COOKIE_MAX	4096

/* The smallest buffer that NEXT accepts, in bytes: one item always fits. */
#define SOCKTLS_BUFFER_MIN	65536

#endif /* _UAPI_LINUX_SOCKTLS_NETLINK_H */
