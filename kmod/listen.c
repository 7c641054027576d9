// SPDX-License-Identifier: GPL-2.0
/*
 * Listeners. A child is made in softirq, where nothing may fail, so it is born
 * with the base proto and without a connection; accept() gives it one, with the
 * options that the listener has then. Nobody locks a child before.
 */
#include "socktls.h"

/*
 * tcp_ulp_ops->clone. BH; the listener may be attached or destroyed meanwhile,
 * for nobody locks it here, so its connection is not looked at. The child may be
 * accepted by another listener (tcp_migrate_req), so it gets the ULP only from
 * our accept(), and until then holds no reference on the module.
 */
void socktls_clone(const struct request_sock *req, struct sock *newsk,
		   const gfp_t priority)
{
	WRITE_ONCE(inet_csk(newsk)->icsk_ulp_ops, NULL);
	RCU_INIT_POINTER(inet_csk(newsk)->icsk_ulp_data, NULL);
	WRITE_ONCE(newsk->sk_prot, socktls_protos_base(newsk->sk_prot));
	/* TIME_WAIT keeps this one beyond the module's life */
	newsk->sk_prot_creator = socktls_protos_base(newsk->sk_prot_creator);
}

static struct socktls_config *listen_config(struct sock *sk)
{
	struct socktls_config *config;

	lock_sock(sk);
	config = socktls_config_get(socktls_conn(sk)->config);
	release_sock(sk);
	return config;
}

static int listen_attach(struct sock *sk, struct socktls_config *config,
			 const struct proto_ops *base_ops)
{
	int err;

	lock_sock(sk);
	err = socktls_attach_child(sk, config, base_ops);
	if (!err && config->armed)
		/* a failure is the connection's, to be read from it */
		socktls_start_handshake(socktls_conn(sk), SOCKTLS_SERVER,
					config->timeout_ms, config->armed_cred,
					config->armed_pid);
	release_sock(sk);
	return err;
}

/* proto_ops->accept */
int socktls_accept(struct socket *sock, struct socket *newsock,
		   COMPAT_ACCEPT_PARAMS)
{
	const struct proto_ops *base_ops =
		socktls_conn(sock->sk)->protos->base_ops;
	struct socktls_config *config;
	int err;

	/* until the child has its connection, it is a plain TCP socket */
	newsock->ops = base_ops;
	err = base_ops->accept(sock, newsock, COMPAT_ACCEPT_ARGS);
	if (err)
		return err;
	config = listen_config(sock->sk);
	err = listen_attach(newsock->sk, config, base_ops);
	socktls_config_put(config);
	return err;
}
