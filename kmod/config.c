// SPDX-License-Identifier: GPL-2.0
/* What a socket asks of its handshakes; see struct socktls_config. */
#include <linux/cred.h>
#include <linux/ctype.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "net.h"
#include "socktls.h"

struct socktls_config *socktls_config_new(void)
{
	struct socktls_config *config = kzalloc(sizeof(*config), GFP_KERNEL_ACCOUNT);

	if (config)
		refcount_set(&config->ref, 1);
	return config;
}

struct socktls_config *socktls_config_get(struct socktls_config *config)
{
	refcount_inc(&config->ref);
	return config;
}

/* Context: any, BH included. */
void socktls_config_put(struct socktls_config *config)
{
	if (!config || !refcount_dec_and_test(&config->ref))
		return;
	put_cred(config->identity_cred);
	put_cred(config->armed_cred);
	kfree(config->server_name);
	kfree(config->identity);
	kfree(config->policy);
	kfree(config->alpn);
	kfree(config->trust);
	kfree(config);
}

static u8 *config_dup_bytes(const u8 *from, u32 len)
{
	return from ? kmemdup(from, len, GFP_KERNEL_ACCOUNT) : NULL;
}

static int config_dup(struct socktls_config *to,
		      const struct socktls_config *from)
{
	*to = *from;
	refcount_set(&to->ref, 1);
	to->identity_cred = from->identity_cred ?
			    get_cred(from->identity_cred) : NULL;
	to->armed_cred = from->armed_cred ? get_cred(from->armed_cred) : NULL;
	to->server_name = kstrdup(from->server_name, GFP_KERNEL_ACCOUNT);
	to->identity = kstrdup(from->identity, GFP_KERNEL_ACCOUNT);
	to->policy = kstrdup(from->policy, GFP_KERNEL_ACCOUNT);
	to->alpn = config_dup_bytes(from->alpn, from->alpn_len);
	to->trust = config_dup_bytes(from->trust, from->trust_len);
	if ((from->server_name && !to->server_name) ||
	    (from->identity && !to->identity) ||
	    (from->policy && !to->policy) ||
	    (from->alpn && !to->alpn) || (from->trust && !to->trust))
		return -ENOMEM;
	return 0;
}

static struct socktls_config *config_copy(const struct socktls_config *from)
{
	struct socktls_config *to = kmalloc(sizeof(*to), GFP_KERNEL_ACCOUNT);

	if (to && config_dup(to, from)) {
		socktls_config_put(to);
		return NULL;
	}
	return to;
}

/* Reads a text of 1 to SOCKTLS_NAME_MAX bytes without control characters. */
static int config_read_name(char **name, sockptr_t optval, unsigned int optlen)
{
	unsigned int i;
	char *text;

	if (!optlen || optlen > SOCKTLS_NAME_MAX)
		return -EINVAL;
	text = kzalloc(optlen + 1, GFP_KERNEL_ACCOUNT);
	if (!text)
		return -ENOMEM;
	if (copy_from_sockptr(text, optval, optlen)) {
		kfree(text);
		return -EFAULT;
	}
	if (!text[optlen - 1])
		optlen--;	/* a trailing NUL does no harm */
	for (i = 0; i < optlen; i++)
		if (!isprint(text[i]) || text[i] == ' ')
			break;
	if (!optlen || i < optlen) {
		kfree(text);
		return -EINVAL;
	}
	kfree(*name);
	*name = text;
	return 0;
}

static int config_read_trust(struct socktls_config *config, sockptr_t optval,
			     unsigned int optlen)
{
	u8 *trust;

	if (!optlen || optlen > SOCKTLS_TRUST_MAX)
		return -EINVAL;
	trust = kzalloc(optlen + 1, GFP_KERNEL_ACCOUNT);
	if (!trust)
		return -ENOMEM;
	if (copy_from_sockptr(trust, optval, optlen)) {
		kfree(trust);
		return -EFAULT;
	}
	if (!trust[optlen - 1])
		optlen--;
	if (!optlen || memchr(trust, 0, optlen)) {
		kfree(trust);
		return -EINVAL;
	}
	kfree(config->trust);
	config->trust = trust;
	config->trust_len = optlen;
	return 0;
}

/* RFC 7301 section 3.1: names of 1 to 255 bytes, at least one. */
static bool config_alpn_is_list(const u8 *list, unsigned int len)
{
	unsigned int off = 0;

	while (off < len) {
		if (!list[off])
			return false;
		off += 1 + list[off];
	}
	return len && off == len;
}

static int config_read_alpn(struct socktls_config *config, sockptr_t optval,
			    unsigned int optlen)
{
	u8 *list;

	if (!optlen || optlen > SOCKTLS_ALPN_MAX)
		return -EINVAL;
	list = kmalloc(optlen, GFP_KERNEL_ACCOUNT);
	if (!list)
		return -ENOMEM;
	if (copy_from_sockptr(list, optval, optlen)) {
		kfree(list);
		return -EFAULT;
	}
	if (!config_alpn_is_list(list, optlen)) {
		kfree(list);
		return -EINVAL;
	}
	kfree(config->alpn);
	config->alpn = list;
	config->alpn_len = optlen;
	return 0;
}

static int config_read_u32(u8 *value, u32 max, sockptr_t optval,
			   unsigned int optlen)
{
	u32 number;

	if (optlen < sizeof(number))
		return -EINVAL;
	if (copy_from_sockptr(&number, optval, sizeof(number)))
		return -EFAULT;
	if (number > max)
		return -EINVAL;
	*value = number;
	return 0;
}

static int config_read_padding(struct socktls_config *config, sockptr_t optval,
			       unsigned int optlen)
{
	struct socktls_padding padding;

	if (optlen != sizeof(padding))
		return -EINVAL;
	if (copy_from_sockptr(&padding, optval, sizeof(padding)))
		return -EFAULT;
	if (padding.mode > SOCKTLS_PADDING_FIXED ||
	    padding.size > RECORD_MAX_PLAINTEXT ||
	    !padding.size != (padding.mode == SOCKTLS_PADDING_NONE))
		return -EINVAL;
	config->padding = padding;
	return 0;
}

static int config_read(struct socktls_config *config, int optname,
		       sockptr_t optval, unsigned int optlen)
{
	int err;

	switch (optname) {
	case SOCKTLS_SERVER_NAME:
		return config_read_name(&config->server_name, optval, optlen);
	case SOCKTLS_ALPN:
		return config_read_alpn(config, optval, optlen);
	case SOCKTLS_POLICY:
		return config_read_name(&config->policy, optval, optlen);
	case SOCKTLS_IDENTITY:
		err = config_read_name(&config->identity, optval, optlen);
		if (err)
			return err;
		put_cred(config->identity_cred);
		config->identity_cred = get_current_cred();
		return 0;
	case SOCKTLS_TRUST:
		return config_read_trust(config, optval, optlen);
	case SOCKTLS_PEER_AUTH:
		return config_read_u32(&config->peer_auth,
				       SOCKTLS_PEER_AUTH_REQUIRE, optval,
				       optlen);
	case SOCKTLS_EOF:
		return config_read_u32(&config->eof, SOCKTLS_EOF_ALLOW, optval,
				       optlen);
	case SOCKTLS_PADDING:
		return config_read_padding(config, optval, optlen);
	case SOCKTLS_RECORD_SIZING:
		return config_read_u32(&config->record_sizing,
				       SOCKTLS_RECORD_SIZING_DYNAMIC, optval,
				       optlen);
	}
	return -ENOPROTOOPT;
}

/* CONN_GET looks at the old one, under the lock of the netns. */
static void config_replace(struct socktls_conn *conn,
			   struct socktls_config *config)
{
	struct socktls_net *sn = socktls_net(sock_net(conn->sk));
	struct socktls_config *old = conn->config;

	spin_lock_bh(&sn->lock);
	conn->config = config;
	spin_unlock_bh(&sn->lock);
	socktls_config_put(old);
}

/**
 * socktls_config_set() - set one of the options that parametrize a handshake
 * @conn: sk locked
 * @optname: SOCKTLS_SERVER_NAME, _ALPN, _POLICY, _IDENTITY, _TRUST, _PEER_AUTH,
 *	_EOF, _PADDING or _RECORD_SIZING
 * @optval: the value
 * @optlen: its length in bytes
 *
 * Return: 0; -EINVAL for a value out of range; -EFAULT; -ENOMEM.
 */
int socktls_config_set(struct socktls_conn *conn, int optname,
		       sockptr_t optval, unsigned int optlen)
{
	struct socktls_config *config = config_copy(conn->config);
	int err;

	if (!config)
		return -ENOMEM;
	err = config_read(config, optname, optval, optlen);
	if (err) {
		socktls_config_put(config);
		return err;
	}
	config_replace(conn, config);
	socktls_shape_config(conn);
	return 0;
}

/**
 * socktls_config_arm() - have a listener's children start a handshake
 * @conn: the listener's, sk locked
 * @timeout_ms: deadline of each handshake, 0: the default
 *
 * Return: 0, -ENOMEM.
 */
int socktls_config_arm(struct socktls_conn *conn, u32 timeout_ms)
{
	struct socktls_config *config = config_copy(conn->config);

	if (!config)
		return -ENOMEM;
	put_cred(config->armed_cred);
	config->armed_cred = get_current_cred();
	config->armed_pid = task_tgid_vnr(current);
	config->armed = true;
	config->timeout_ms = timeout_ms;
	config_replace(conn, config);
	return 0;
}
