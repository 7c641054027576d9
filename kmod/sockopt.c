// SPDX-License-Identifier: GPL-2.0
/* The socket options of level SOL_TLS; see include/uapi/linux/socktls.h. */
#include <linux/cred.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/tls.h>
#include <linux/uaccess.h>

#include "net.h"
#include "socktls.h"

/* Options of TCP that would reach its queues past the record layer. */
static bool sockopt_is_barred(const struct socktls_conn *conn, int level,
			      int optname)
{
	if (level != SOL_TCP || (conn->state == SOCKTLS_STATE_PLAIN &&
				 !conn->key_plane))
		return false;
	return optname == TCP_REPAIR ||
	       optname == TCP_REPAIR_QUEUE || optname == TCP_QUEUE_SEQ ||
	       optname == TCP_FASTOPEN_CONNECT;
}

static bool sockopt_is_nonblocking(const struct sock *sk)
{
	const struct socket *sock = sk->sk_socket;

	return sock && sock->file && sock->file->f_flags & O_NONBLOCK;
}

static u32 sockopt_default_timeout(const struct sock *sk)
{
	struct socktls_net *sn = socktls_net(sock_net(sk));

	return READ_ONCE(sn->sysctls.handshake_timeout_ms);
}

/* A TCP Fast Open child talks before the third segment has come (RFC 7413). */
static bool sockopt_is_connected(const struct sock *sk)
{
	return (1 << sk->sk_state) & (TCPF_ESTABLISHED | TCPF_CLOSE_WAIT) ||
	       tcp_passive_fastopen(sk);
}

static void start_undo(struct socktls_conn *conn)
{
	socktls_conn_set_state(conn, SOCKTLS_STATE_PLAIN);
	/* a poll meanwhile has found nothing ready */
	conn->sk->sk_state_change(conn->sk);
}

/**
 * socktls_start_handshake() - PLAIN to HANDSHAKING
 * @conn: sk locked
 * @role: SOCKTLS_CLIENT or SOCKTLS_SERVER
 * @timeout_ms: deadline, 0: the default, net.socktls.handshake_timeout_ms
 * @cred: requester's, unless the identity was set by another
 * @pid: requester's
 *
 * Return: 0 when it has started, its failure is the connection's then;
 * -ENOTCONN when TCP is not connected; -EBUSY while another thread is inside a
 * read or write of plain bytes; -EOPNOTSUPP under TCP_REPAIR; -ESRCH without a helper in the netns; -EUSERS
 * over the limits of pending handshakes; -ENOMEM.
 */
int socktls_start_handshake(struct socktls_conn *conn, u8 role, u32 timeout_ms,
			    const struct cred *cred, u32 pid)
{
	struct sock *sk = conn->sk;
	int err;

	if (!timeout_ms)
		timeout_ms = sockopt_default_timeout(sk);
	if (!sockopt_is_connected(sk)) {
		err = -ENOTCONN;
		goto failed;
	}
	if (tcp_sk(sk)->repair) {
		err = -EOPNOTSUPP;
		goto failed;
	}
	if (sk->sk_write_pending)
		return -EBUSY;
	socktls_conn_set_state(conn, SOCKTLS_STATE_HANDSHAKING);
	/* pairs with socktls_conn_enter_plain() */
	smp_mb();
	if (atomic_read(&conn->plain_calls)) {
		start_undo(conn);
		return -EBUSY;
	}
	if (conn->config->identity_cred)
		cred = conn->config->identity_cred;
	conn->role = role;
	conn->flags = role == SOCKTLS_SERVER ? SOCKTLS_INFO_SERVER : 0;
	err = socktls_hs_start(conn, cred, pid);
	if (err) {
		start_undo(conn);
		goto failed;
	}
	socktls_conn_take_over(conn);
	socktls_conn_take_input(conn);
	socktls_conn_arm_deadline(conn, min_t(u32, HANDSHAKE_TIMEOUT_MAX,
					      timeout_ms));
	socktls_count(conn, SOCKTLS_STAT_HANDSHAKES_STARTED, 1);
	socktls_conn_kick(conn, 0);
	return 0;

failed:
	/* a child of an armed listener must never pass as a plain socket */
	if (conn->config->armed) {
		socktls_conn_take_over(conn);
		socktls_conn_fail(conn, -err, -1, SOCKTLS_ALERT_NONE, "%s",
				  err == -ESRCH ?
				  "no socktlsd serves this network namespace: start it" :
				  "the handshake could not be started");
	}
	return err;
}

/* Blocking: until it is over. The deadline bounds it, not SO_SNDTIMEO. */
static int handshake_wait(struct socktls_conn *conn)
{
	long timeo = MAX_SCHEDULE_TIMEOUT;

	return socktls_conn_ready(conn, &timeo);
}

static int handshake_read(struct socktls_handshake *hs, sockptr_t optval,
			  unsigned int optlen)
{
	memset(hs, 0, sizeof(*hs));
	if (optlen < sizeof(hs->role) || optlen > sizeof(*hs))
		return -EINVAL;
	if (copy_from_sockptr(hs, optval, optlen))
		return -EFAULT;
	if (hs->role > SOCKTLS_SERVER || hs->flags || hs->reserved)
		return -EINVAL;
	return 0;
}

static int sockopt_handshake(struct socktls_conn *conn, sockptr_t optval,
			     unsigned int optlen)
{
	bool nonblocking = sockopt_is_nonblocking(conn->sk);
	struct socktls_handshake hs;
	int err;

	err = handshake_read(&hs, optval, optlen);
	if (err)
		return err;
	if (conn->key_plane)
		return -EBUSY;
	if (conn->sk->sk_state == TCP_LISTEN)
		return hs.role == SOCKTLS_SERVER ?
		       socktls_config_arm(conn, hs.timeout_ms) : -EINVAL;
	switch (conn->state) {
	case SOCKTLS_STATE_PLAIN:
		err = socktls_start_handshake(conn, hs.role, hs.timeout_ms,
					      current_cred(),
					      task_tgid_vnr(current));
		if (err)
			return err;
		return nonblocking ? -EINPROGRESS : handshake_wait(conn);
	case SOCKTLS_STATE_HANDSHAKING:
		return nonblocking ? -EALREADY : handshake_wait(conn);
	case SOCKTLS_STATE_FAILED:
		return handshake_wait(conn);
	}
	return -EISCONN;
}

static int sockopt_key_update(struct socktls_conn *conn, sockptr_t optval,
			      unsigned int optlen)
{
	u32 request;

	if (optlen < sizeof(request))
		return -EINVAL;
	if (copy_from_sockptr(&request, optval, sizeof(request)))
		return -EFAULT;
	if (conn->key_plane)
		return -EBUSY;
	return socktls_rekey_request(conn, request);
}

static int sockopt_set(struct socktls_conn *conn, int optname,
		       sockptr_t optval, unsigned int optlen)
{
	switch (optname) {
	case TLS_TX:
	case TLS_RX:
	case TLS_TX_ZEROCOPY_RO:
	case TLS_RX_EXPECT_NO_PAD:
	case COMPAT_TLS_TX_MAX_PAYLOAD_LEN:
		return socktls_keyplane_set(conn, optname, optval, optlen);
	case SOCKTLS_SERVER_NAME:
	case SOCKTLS_ALPN:
	case SOCKTLS_POLICY:
	case SOCKTLS_IDENTITY:
	case SOCKTLS_TRUST:
	case SOCKTLS_PEER_AUTH:
	case SOCKTLS_EOF:
		if (conn->key_plane)
			return -EBUSY;
		if (conn->state != SOCKTLS_STATE_PLAIN &&
		    optname != SOCKTLS_EOF)
			return -EISCONN;
		return socktls_config_set(conn, optname, optval, optlen);
	case SOCKTLS_PADDING:
	case SOCKTLS_RECORD_SIZING:
		return socktls_config_set(conn, optname, optval, optlen);
	case SOCKTLS_HANDSHAKE:
		return sockopt_handshake(conn, optval, optlen);
	case SOCKTLS_KEY_UPDATE:
		return sockopt_key_update(conn, optval, optlen);
	}
	return -ENOPROTOOPT;
}

/*
 * socktls_setsockopt() - proto->setsockopt
 *
 * Return: see socktls(7), section ERRORS.
 */
int socktls_setsockopt(struct sock *sk, int level, int optname,
		       sockptr_t optval, unsigned int optlen)
{
	struct socktls_conn *conn = socktls_conn(sk);
	int err;

	if (level != SOL_TLS) {
		if (sockopt_is_barred(conn, level, optname))
			return -EOPNOTSUPP;
		return conn->protos->base_prot->setsockopt(sk, level, optname,
							   optval, optlen);
	}
	lock_sock(sk);
	err = sockopt_set(conn, optname, optval, optlen);
	release_sock(sk);
	return err;
}

static int sockopt_put(const void *value, u32 len, char __user *optval,
		       int __user *optlen)
{
	int room;

	if (get_user(room, optlen))
		return -EFAULT;
	if (room < 0)
		return -EINVAL;
	if ((u32)room < len) {
		/* tell how much it takes */
		return put_user(len, optlen) ? -EFAULT : -ERANGE;
	}
	if (put_user(len, optlen) || copy_to_user(optval, value, len))
		return -EFAULT;
	return 0;
}

static int sockopt_put_u32(u32 value, char __user *optval, int __user *optlen)
{
	return sockopt_put(&value, sizeof(value), optval, optlen);
}

static int sockopt_put_text(const char *text, char __user *optval,
			    int __user *optlen)
{
	return sockopt_put(text ? : "", text ? strlen(text) : 0, optval,
			   optlen);
}

/* The structs grow at their end: an older program gets the part it knows. */
static int sockopt_put_struct(const void *value, u32 len, char __user *optval,
			      int __user *optlen)
{
	int room;

	if (get_user(room, optlen))
		return -EFAULT;
	if (room <= 0)
		return -EINVAL;
	return sockopt_put(value, min_t(u32, room, len), optval, optlen);
}

static int sockopt_get_info(struct socktls_conn *conn, char __user *optval,
			    int __user *optlen)
{
	struct socktls_info info = {
		.version = conn->version,
		.suite = conn->suite,
		.group = conn->group,
		.signature_scheme = conn->signature_scheme,
		.flags = conn->flags,
		.tx_max_plaintext = conn->tx.max_plaintext,
		.rx_max_plaintext = conn->rx.max_plaintext,
		.id = conn->id,
	};

	if (conn->key_plane)
		info.flags |= SOCKTLS_INFO_KEY_PLANE;
	else if (conn->state != SOCKTLS_STATE_ESTABLISHED &&
		 conn->state != SOCKTLS_STATE_CLOSED)
		return -ENOTCONN;
	return sockopt_put_struct(&info, sizeof(info), optval, optlen);
}

static int sockopt_get_trust(struct socktls_conn *conn, char __user *optval,
			     int __user *optlen)
{
	const struct socktls_config *config = conn->config;
	bool is_name = config->trust && config->trust_len <= SOCKTLS_NAME_MAX &&
		       !memchr(config->trust, '/', config->trust_len) &&
		       !memchr(config->trust, '\n', config->trust_len);

	return sockopt_put(is_name ? config->trust : (u8 *)"",
			   is_name ? config->trust_len : 0, optval, optlen);
}

static bool sockopt_is_over(const struct socktls_conn *conn)
{
	return conn->state != SOCKTLS_STATE_PLAIN &&
	       conn->state != SOCKTLS_STATE_HANDSHAKING;
}

static int sockopt_get_alpn(struct socktls_conn *conn, char __user *optval,
			    int __user *optlen)
{
	if (!sockopt_is_over(conn))
		return -ENOTCONN;
	return sockopt_put(conn->alpn, conn->alpn_len, optval, optlen);
}

static int sockopt_get_chain(struct socktls_conn *conn, int which,
			     char __user *optval, int __user *optlen)
{
	if (!sockopt_is_over(conn))
		return -ENOTCONN;
	return sockopt_put(conn->chain[which].bytes, conn->chain[which].len,
			   optval, optlen);
}

static int sockopt_get(struct socktls_conn *conn, int optname,
		       char __user *optval, int __user *optlen)
{
	const struct socktls_config *config = conn->config;

	switch (optname) {
	case TLS_TX:
	case TLS_RX:
	case TLS_TX_ZEROCOPY_RO:
	case TLS_RX_EXPECT_NO_PAD:
	case COMPAT_TLS_TX_MAX_PAYLOAD_LEN:
		return socktls_keyplane_get(conn, optname, optval, optlen);
	case SOCKTLS_SERVER_NAME:
		return sockopt_put_text(config->server_name, optval, optlen);
	case SOCKTLS_ALPN:
		return sockopt_get_alpn(conn, optval, optlen);
	case SOCKTLS_POLICY:
		return sockopt_put_text(config->policy, optval, optlen);
	case SOCKTLS_IDENTITY:
		return sockopt_put_text(config->identity, optval, optlen);
	case SOCKTLS_TRUST:
		return sockopt_get_trust(conn, optval, optlen);
	case SOCKTLS_PEER_AUTH:
		return sockopt_put_u32(config->peer_auth, optval, optlen);
	case SOCKTLS_EOF:
		return sockopt_put_u32(config->eof, optval, optlen);
	case SOCKTLS_PADDING:
		return sockopt_put(&config->padding, sizeof(config->padding),
				   optval, optlen);
	case SOCKTLS_RECORD_SIZING:
		return sockopt_put_u32(conn->tx.dynamic ?
				       SOCKTLS_RECORD_SIZING_DYNAMIC :
				       SOCKTLS_RECORD_SIZING_FULL, optval,
				       optlen);
	case SOCKTLS_STATE:
		return sockopt_put_u32(conn->state, optval, optlen);
	case SOCKTLS_INFO:
		return sockopt_get_info(conn, optval, optlen);
	case SOCKTLS_ERROR:
		return sockopt_put_struct(&conn->error, sizeof(conn->error),
					  optval, optlen);
	case SOCKTLS_PEER:
		return sockopt_get_chain(conn, SOCKTLS_CHAIN_PEER, optval,
					 optlen);
	case SOCKTLS_LOCAL_CERT:
		return sockopt_get_chain(conn, SOCKTLS_CHAIN_LOCAL, optval,
					 optlen);
	}
	return -ENOPROTOOPT;
}

/* It reads: no handshake may start meanwhile. */
static int sockopt_zerocopy_receive(struct sock *sk, char __user *optval,
				    int __user *optlen)
{
	struct socktls_conn *conn = socktls_conn(sk);
	int err;

	if (!socktls_conn_enter_plain(conn))
		return -EOPNOTSUPP;
	err = conn->protos->base_prot->getsockopt(sk, SOL_TCP,
						  TCP_ZEROCOPY_RECEIVE, optval,
						  optlen);
	socktls_conn_leave_plain(conn);
	return err;
}

/*
 * socktls_getsockopt() - proto->getsockopt
 *
 * Return: see socktls(7), section ERRORS.
 */
int socktls_getsockopt(struct sock *sk, int level, int optname,
		       char __user *optval, int __user *optlen)
{
	struct socktls_conn *conn = socktls_conn(sk);
	int err;

	if (level == SOL_TCP && optname == TCP_ZEROCOPY_RECEIVE)
		return sockopt_zerocopy_receive(sk, optval, optlen);
	if (level != SOL_TLS) {
		if (sockopt_is_barred(conn, level, optname))
			return -EOPNOTSUPP;
		return conn->protos->base_prot->getsockopt(sk, level, optname,
							   optval, optlen);
	}
	/* waits for the helper, without the lock */
	if (optname == SOCKTLS_EXPORTER)
		return socktls_session_export(conn, optval, optlen);
	lock_sock(sk);
	err = sockopt_get(conn, optname, optval, optlen);
	release_sock(sk);
	return err;
}
