// SPDX-License-Identifier: GPL-2.0
/* The TCP upper layer protocol: how TLS comes to a socket and leaves it. */
#include <linux/inet_diag.h>
#include <linux/module.h>
#include <linux/tls.h>
#include <net/tls.h>

#include "net.h"
#include "socktls.h"

static char *ulp = "";
module_param(ulp, charp, 0444);
MODULE_PARM_DESC(ulp, "tls: be the ULP of that name too, in place of stock tls.ko");

/*
 * By what a layer above TCP replaces: tcpv6_prot, which is not exported, has
 * these of tcp_prot.
 */
static bool prot_is_tcp(const struct proto *prot)
{
	return prot->close == tcp_prot.close &&
	       prot->disconnect == tcp_prot.disconnect &&
	       prot->setsockopt == tcp_prot.setsockopt &&
	       prot->getsockopt == tcp_prot.getsockopt &&
	       prot->sendmsg == tcp_prot.sendmsg &&
	       prot->recvmsg == tcp_prot.recvmsg &&
	       prot->release_cb == tcp_prot.release_cb;
}

/*
 * The creator may be another proto: a plain client of an MPTCP listener has TCP
 * again, but was made by MPTCP's variant of it.
 */
static bool ulp_is_base_tcp(const struct sock *sk)
{
	return sk->sk_protocol == IPPROTO_TCP && sk->sk_type == SOCK_STREAM &&
	       prot_is_tcp(sk->sk_prot);
}

/* Puts @conn on @sk. sk locked; cannot fail any more. */
static void ulp_install(struct sock *sk, struct socktls_conn *conn,
			struct socktls_protos *protos)
{
	conn->protos = protos;
	conn->rcvlowat = sk->sk_rcvlowat;
	/* a listener may be cloned meanwhile: with our proto, clone() too */
	WRITE_ONCE(inet_csk(sk)->icsk_ulp_ops, &socktls_ulp_ops);
	rcu_assign_pointer(inet_csk(sk)->icsk_ulp_data, conn);
	/* proto_ops find the connection: first it, then them */
	smp_wmb();
	WRITE_ONCE(sk->sk_prot, &protos->prot);
	WRITE_ONCE(sk->sk_socket->ops, &protos->ops);
}

static int ulp_attach(struct sock *sk, struct socktls_config *config,
		      const struct proto_ops *base_ops)
{
	struct socktls_protos *protos;
	struct socktls_conn *conn;

	protos = socktls_protos_get(sk->sk_prot, base_ops);
	if (!protos)
		return -ENOMEM;
	conn = socktls_conn_new(sk, config, GFP_KERNEL_ACCOUNT);
	if (!conn)
		return -ENOMEM;
	ulp_install(sk, conn, protos);
	return 0;
}

static int ulp_init_states(struct sock *sk, unsigned int states)
{
	struct socktls_config *config;
	int err;

	if (!((1 << sk->sk_state) & states))
		return -ENOTCONN;
	if (!sk->sk_socket || !ulp_is_base_tcp(sk) || tcp_sk(sk)->repair)
		return -EOPNOTSUPP;
	if (READ_ONCE(sk->sk_user_data))
		return -EBUSY;
	config = socktls_config_new();
	if (!config)
		return -ENOMEM;
	err = ulp_attach(sk, config, sk->sk_socket->ops);
	socktls_config_put(config);
	return err;
}

/* tcp_ulp_ops->init. sk locked. */
static int ulp_init(struct sock *sk)
{
	return ulp_init_states(sk, TCPF_CLOSE | TCPF_LISTEN | TCPF_ESTABLISHED);
}

/* As stock kTLS: never a listener, so its children need no clone() either. */
static int ulp_init_tls(struct sock *sk)
{
	return ulp_init_states(sk, TCPF_ESTABLISHED);
}

/**
 * socktls_attach_child() - give an accepted socket its connection
 * @sk: locked, grafted to its struct socket
 * @config: the listener's
 * @base_ops: what the socket's proto_ops were before ours
 *
 * Return: 0; -ENOMEM; -EBUSY when something else in the kernel took the socket
 * while it was queued, as a sockmap can.
 */
int socktls_attach_child(struct sock *sk, struct socktls_config *config,
			 const struct proto_ops *base_ops)
{
	int err;

	if (!ulp_is_base_tcp(sk) || READ_ONCE(sk->sk_user_data) ||
	    inet_csk(sk)->icsk_ulp_ops)
		return -EBUSY;
	err = ulp_attach(sk, config, base_ops);
	if (err)
		return err;
	/* tcp_cleanup_ulp() puts it; the listener has one, so this is safe */
	__module_get(THIS_MODULE);
	clear_bit(SOCK_SUPPORT_ZC, &sk->sk_socket->flags);
	return 0;
}

/*
 * tcp_ulp_ops->release, when the socket is destroyed; process or BH. The base
 * proto is restored first: TCP goes on using sk_prot after it has dropped the
 * reference on this module.
 */
static void ulp_release(struct sock *sk)
{
	struct socktls_conn *conn = socktls_conn(sk);

	if (!conn)
		return;
	WRITE_ONCE(sk->sk_prot, conn->protos->base_prot);
	if (sk->sk_socket)
		sk->sk_socket->ops = conn->protos->base_ops;
	rcu_assign_pointer(inet_csk(sk)->icsk_ulp_data, NULL);
	socktls_conn_detach(conn);
	socktls_conn_put(conn);
}

static u16 ulp_conf(bool keyed)
{
	return keyed ? TLS_CONF_SW : TLS_CONF_BASE;
}

/* For ss -i; without the socket lock, under RCU. */
static int ulp_get_info(struct sock *sk, struct sk_buff *skb
			COMPAT_ULP_INFO_PARAMS)
{
	struct socktls_conn *conn;
	struct nlattr *nest;
	bool on;
	int err = -EMSGSIZE;

	nest = nla_nest_start_noflag(skb, INET_ULP_INFO_TLS);
	if (!nest)
		return -EMSGSIZE;
	rcu_read_lock();
	conn = socktls_conn(sk);
	if (!conn) {
		err = 0;
		goto out;
	}
	on = READ_ONCE(conn->state) == SOCKTLS_STATE_ESTABLISHED;
	if (READ_ONCE(conn->version) &&
	    (nla_put_u16(skb, TLS_INFO_VERSION, READ_ONCE(conn->version)) ||
	     nla_put_u16(skb, TLS_INFO_CIPHER, READ_ONCE(conn->cipher))))
		goto out;
	if (nla_put_u16(skb, TLS_INFO_TXCONF,
			ulp_conf(on || READ_ONCE(conn->tx.keyed))) ||
	    nla_put_u16(skb, TLS_INFO_RXCONF,
			ulp_conf(on || READ_ONCE(conn->rx.keyed))))
		goto out;
	if (READ_ONCE(conn->expect_no_pad) &&
	    nla_put_flag(skb, TLS_INFO_RX_NO_PAD))
		goto out;
	if (nla_put_u16(skb, COMPAT_TLS_INFO_TX_MAX_PAYLOAD_LEN,
			READ_ONCE(conn->tx.max_plaintext)))
		goto out;
	err = 0;
out:
	rcu_read_unlock();
	if (err)
		nla_nest_cancel(skb, nest);
	else
		nla_nest_end(skb, nest);
	return err;
}

static size_t ulp_get_info_size(const struct sock *sk COMPAT_ULP_INFO_PARAMS)
{
	return nla_total_size(0) + 5 * nla_total_size(sizeof(u16)) +
	       nla_total_size(0);
}

struct tcp_ulp_ops socktls_ulp_ops = {
	.name		= SOCKTLS_ULP_NAME,
	.owner		= THIS_MODULE,
	.init		= ulp_init,
	.release	= ulp_release,
	.clone		= socktls_clone,
	.get_info	= ulp_get_info,
	.get_info_size	= ulp_get_info_size,
};

static struct tcp_ulp_ops tls_ulp_ops = {
	.name		= "tls",
	.owner		= THIS_MODULE,
	.init		= ulp_init_tls,
	.release	= ulp_release,
	.get_info	= ulp_get_info,
	.get_info_size	= ulp_get_info_size,
};

/**
 * socktls_ulp_is_tls() - was the socket attached under the name of stock kTLS?
 * @sk: with our ULP
 *
 * Return: true if so: what is neither key nor data then does what stock does.
 */
bool socktls_ulp_is_tls(const struct sock *sk)
{
	return inet_csk(sk)->icsk_ulp_ops == &tls_ulp_ops;
}

static bool ulp_wants_tls(void)
{
	return !strcmp(ulp, "tls");
}

/*
 * A tls.ko that is loaded later would not notice that its name is taken, and
 * corrupt the list of ULPs when it goes: it has to be kept out.
 */
int socktls_ulp_init(void)
{
	int err;

	if (*ulp && !ulp_wants_tls()) {
		pr_err("socktls: ulp=%s: the only other name is tls\n", ulp);
		return -EINVAL;
	}
	if (ulp_wants_tls()) {
		err = tcp_register_ulp(&tls_ulp_ops);
		if (err) {
			pr_err("socktls: ulp=tls: a ULP of this name is there already: unload tls.ko, and keep it out\n");
			return err;
		}
	}
	err = tcp_register_ulp(&socktls_ulp_ops);
	if (err && ulp_wants_tls())
		tcp_unregister_ulp(&tls_ulp_ops);
	return err;
}

void socktls_ulp_exit(void)
{
	tcp_unregister_ulp(&socktls_ulp_ops);
	if (ulp_wants_tls())
		tcp_unregister_ulp(&tls_ulp_ops);
}
