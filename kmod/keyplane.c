// SPDX-License-Identifier: GPL-2.0
/*
 * The key plane: a program with a TLS library of its own installs keys with
 * the structs of <linux/tls.h>, TLS_TX and TLS_RX.
 */
#include <linux/slab.h>
#include <linux/tls.h>
#include <linux/uaccess.h>

#include "socktls.h"

/* The longest value */
#define KEYPLANE_INFO_MAX	sizeof(struct socktls_crypto_info_cbc)

/*
 * Every struct of an AEAD is info, iv, key, salt, rec_seq, without gaps; the
 * lengths are in the cipher's row. ChaCha20's has no salt: its iv is all of it.
 */
struct keyplane_layout {
	u8	iv, key, salt, rec_seq;		/* offsets */
	u8	salt_len;
};

static void keyplane_layout(const struct socktls_cipher *c,
			    struct keyplane_layout *l)
{
	l->salt_len = RECORD_NONCE_LEN - c->info_iv_size;
	l->iv = sizeof(struct tls_crypto_info);
	l->key = l->iv + c->info_iv_size;
	l->salt = l->key + c->key_size;
	l->rec_seq = l->salt + l->salt_len;
}

static void keyplane_read_key(const struct socktls_cipher *c, const u8 *info,
			      struct socktls_key *key)
{
	struct keyplane_layout l;

	keyplane_layout(c, &l);
	key->key_len = c->key_size;
	memcpy(key->key, info + l.key, c->key_size);
	memcpy(key->iv, info + l.salt, l.salt_len);
	memcpy(key->iv + l.salt_len, info + l.iv, c->info_iv_size);
	key->iv_len = key->version == RECORD_TLS_1_3 ? RECORD_NONCE_LEN :
						       c->salt_size;
	key->seq = get_unaligned_be64(info + l.rec_seq);
	if (c->explicit_size)
		key->explicit_nonce = get_unaligned_be64(info + l.iv);
}

/* What the kernel's structs and ours must look like for the layout above. */
#define KEYPLANE_CHECK(_type, _iv, _key)				\
	static_assert(sizeof(struct _type) == 4 + 12 + (_key) + 8 &&	\
		      offsetof(struct _type, iv) == 4 &&		\
		      offsetof(struct _type, key) == 4 + (_iv) &&	\
		      offsetof(struct _type, salt) == 4 + (_iv) + (_key) && \
		      offsetof(struct _type, rec_seq) == 4 + 12 + (_key))

KEYPLANE_CHECK(tls12_crypto_info_aes_gcm_128, 8, 16);
KEYPLANE_CHECK(tls12_crypto_info_aes_gcm_256, 8, 32);
KEYPLANE_CHECK(tls12_crypto_info_aes_ccm_128, 8, 16);
KEYPLANE_CHECK(tls12_crypto_info_chacha20_poly1305, 12, 32);
KEYPLANE_CHECK(tls12_crypto_info_sm4_gcm, 8, 16);
KEYPLANE_CHECK(tls12_crypto_info_sm4_ccm, 8, 16);
KEYPLANE_CHECK(tls12_crypto_info_aria_gcm_128, 8, 16);
KEYPLANE_CHECK(tls12_crypto_info_aria_gcm_256, 8, 32);
KEYPLANE_CHECK(socktls_crypto_info_aes_256_ccm, 8, 32);

static bool keyplane_cbc_valid(const struct socktls_cipher *c,
			       const struct socktls_crypto_info_cbc *info)
{
	return !(info->flags & ~SOCKTLS_CBC_ENCRYPT_THEN_MAC) &&
	       !memchr_inv(info->key + c->key_size, 0,
			   sizeof(info->key) - c->key_size) &&
	       !memchr_inv(info->mac_key + c->mac_key_size, 0,
			   sizeof(info->mac_key) - c->mac_key_size);
}

static int keyplane_read_cbc(const struct socktls_cipher *c,
			     const struct socktls_crypto_info_cbc *info,
			     struct socktls_key *key)
{
	if (!keyplane_cbc_valid(c, info))
		return -EINVAL;
	key->encrypt_then_mac = info->flags & SOCKTLS_CBC_ENCRYPT_THEN_MAC;
	key->key_len = c->key_size;
	memcpy(key->key, info->key, c->key_size);
	key->mac_key_len = c->mac_key_size;
	memcpy(key->mac_key, info->mac_key, c->mac_key_size);
	key->seq = get_unaligned_be64(info->rec_seq);
	return 0;
}

static int keyplane_parse(const u8 *info, unsigned int len,
			  struct socktls_key *key)
{
	const struct tls_crypto_info *head = (const void *)info;
	const struct socktls_cipher *c = socktls_cipher_find(head->cipher_type);

	if (!c || len != c->info_size ||
	    !socktls_cipher_allows(c, head->version))
		return -EINVAL;
	key->version = head->version;
	key->cipher = head->cipher_type;
	key->level = SOCKTLS_LEVEL_APPLICATION;
	if (c->cbc)
		return keyplane_read_cbc(c, (const void *)info, key);
	keyplane_read_key(c, info, key);
	return 0;
}

static int keyplane_read(sockptr_t optval, unsigned int optlen,
			 struct socktls_key *key)
{
	u8 info[KEYPLANE_INFO_MAX] __aligned(4);
	int err;

	if (optlen < sizeof(struct tls_crypto_info) || optlen > sizeof(info))
		return -EINVAL;
	if (copy_from_sockptr(info, optval, optlen))
		err = -EFAULT;
	else
		err = keyplane_parse(info, optlen, key);
	memzero_explicit(info, sizeof(info));
	return err;
}

/*
 * Stock kTLS demands the same version and cipher in both directions, and of
 * the next key as of the one before.
 */
static int keyplane_match(const struct socktls_conn *conn,
			  const struct socktls_key *key)
{
	if (!conn->key_plane)
		return 0;
	return conn->version == key->version && conn->cipher == key->cipher ?
	       0 : -EINVAL;
}

static void keyplane_write_cbc(const struct socktls_epoch *e,
			       const struct socktls_key *key,
			       struct socktls_crypto_info_cbc *info)
{
	memset(info, 0, sizeof(*info));
	info->version = e->version;
	info->cipher_type = e->cipher->type;
	if (key->encrypt_then_mac)
		info->flags = SOCKTLS_CBC_ENCRYPT_THEN_MAC;
	put_unaligned_be64(e->seq, info->rec_seq);
	memcpy(info->key, key->key, key->key_len);
	memcpy(info->mac_key, key->mac_key, key->mac_key_len);
}

/*
 * What getsockopt() gives back, with the current nonce and number in it. The
 * explicit nonce is told as stock kTLS tells it: it counts records in both
 * directions, though what is received brings its own.
 */
static void keyplane_write_info(const struct socktls_epoch *e,
				const struct socktls_key *key, u8 *info)
{
	const struct socktls_cipher *c = e->cipher;
	struct tls_crypto_info head = {
		.version = e->version, .cipher_type = c->type,
	};
	struct keyplane_layout l;

	if (c->cbc) {
		keyplane_write_cbc(e, key, (void *)info);
		return;
	}
	keyplane_layout(c, &l);
	memcpy(info, &head, sizeof(head));
	memcpy(info + l.key, key->key, c->key_size);
	memcpy(info + l.salt, e->iv, l.salt_len);
	if (e->version == RECORD_TLS_1_3 || !c->explicit_size)
		memcpy(info + l.iv, e->iv + l.salt_len, c->info_iv_size);
	else
		put_unaligned_be64(key->explicit_nonce + e->seq - key->seq,
				   info + l.iv);
	put_unaligned_be64(e->seq, info + l.rec_seq);
}

static int keyplane_install_tx(struct socktls_conn *conn,
			       struct socktls_epoch **epoch)
{
	/* what was written before the new key goes out under the old one */
	int err = conn->tx.keyed ? socktls_tx_flush(conn) : 0;

	if (err && err != -EAGAIN)
		return err;
	if (conn->tx.keyed)
		socktls_count(conn, SOCKTLS_STAT_TX_REKEYS, 1);
	swap(conn->tx.epoch, *epoch);
	WRITE_ONCE(conn->tx.keyed, true);
	return 0;
}

static int keyplane_install_rx(struct socktls_conn *conn,
			       struct socktls_epoch **epoch)
{
	if (conn->rx.keyed)
		socktls_count(conn, SOCKTLS_STAT_RX_REKEYS, 1);
	swap(conn->rx.epoch, *epoch);
	WRITE_ONCE(conn->rx.keyed, true);
	conn->rx.key_expired = false;
	socktls_conn_take_input(conn);
	/* records may have come before their key */
	conn->base_data_ready(conn->sk);
	return 0;
}

static int keyplane_install(struct socktls_conn *conn, int optname,
			    const struct socktls_key *key)
{
	struct socktls_epoch *epoch = socktls_epoch_new(key);
	int err;

	if (IS_ERR(epoch))
		return PTR_ERR(epoch);
	conn->version = key->version;
	conn->cipher = key->cipher;
	WRITE_ONCE(conn->key_plane, true);
	socktls_conn_take_over(conn);
	err = optname == TLS_TX ? keyplane_install_tx(conn, &epoch) :
				  keyplane_install_rx(conn, &epoch);
	if (!err)
		conn->own_key[optname == TLS_TX] = *key;
	/* the one before, or the new one after a failure */
	socktls_epoch_free(epoch);
	return err;
}

static bool keyplane_is_connected(const struct sock *sk)
{
	const unsigned int never = TCPF_LISTEN | TCPF_SYN_SENT |
				   TCPF_SYN_RECV | TCPF_NEW_SYN_RECV;

	/* what arrived before a connection ended can still be read */
	if (sk->sk_state == TCP_CLOSE)
		return socktls_ulp_is_tls(sk);
	return !((1 << sk->sk_state) & never);
}

static int keyplane_set_key(struct socktls_conn *conn, int optname,
			    sockptr_t optval, unsigned int optlen)
{
	struct socktls_key key = { 0 };
	int err;

	if (conn->state != SOCKTLS_STATE_PLAIN)
		return -EBUSY;
	if (!keyplane_is_connected(conn->sk))
		return -ENOTCONN;
	if (tcp_sk(conn->sk)->repair)
		return -EOPNOTSUPP;
	/* TLS 1.2 has no KeyUpdate */
	if ((optname == TLS_TX ? conn->tx.keyed : conn->rx.keyed) &&
	    conn->version != RECORD_TLS_1_3)
		return -EBUSY;
	err = keyplane_read(optval, optlen, &key);
	if (!err)
		err = keyplane_match(conn, &key);
	if (!err)
		err = keyplane_install(conn, optname, &key);
	memzero_explicit(&key, sizeof(key));
	return err;
}

static int keyplane_set_zerocopy_ro(struct socktls_conn *conn,
				    sockptr_t optval, unsigned int optlen)
{
	u32 value;

	if (optlen != sizeof(value))
		return -EINVAL;
	if (copy_from_sockptr(&value, optval, sizeof(value)))
		return -EFAULT;
	if (value > 1)
		return -EINVAL;
	conn->zerocopy_ro = value;
	return 0;
}

static int keyplane_set_no_pad(struct socktls_conn *conn, sockptr_t optval,
			       unsigned int optlen)
{
	u32 value;
	int zeroed;

	if (conn->version != RECORD_TLS_1_3 || optlen < sizeof(value))
		return -EINVAL;
	if (copy_from_sockptr(&value, optval, sizeof(value)))
		return -EFAULT;
	if (value > 1 || !conn->rx.keyed)
		return -EINVAL;
	zeroed = check_zeroed_sockptr(optval, sizeof(value),
				      optlen - sizeof(value));
	if (zeroed <= 0)
		return zeroed ? zeroed : -EINVAL;
	WRITE_ONCE(conn->expect_no_pad, value);
	return 0;
}

/* The record_size_limit that the peer sent, RFC 8449, without the type. */
static int keyplane_set_max_payload(struct socktls_conn *conn,
				    sockptr_t optval, unsigned int optlen)
{
	const u16 least = conn->version == RECORD_TLS_1_3 ? 63 : 64;
	u16 value;

	if (conn->state != SOCKTLS_STATE_PLAIN || conn->tx.plaintext_len)
		return -EBUSY;
	if (optlen != sizeof(value))
		return -EINVAL;
	if (copy_from_sockptr(&value, optval, sizeof(value)))
		return -EFAULT;
	if (value < least || value > RECORD_MAX_PLAINTEXT)
		return -EINVAL;
	WRITE_ONCE(conn->tx.max_plaintext, value);
	return 0;
}

/**
 * socktls_keyplane_set() - the options of <linux/tls.h>
 * @conn: sk locked
 * @optname: one of them
 * @optval: the value
 * @optlen: its length in bytes
 *
 * Return: 0; -EBUSY on the helper plane, when that direction has a key of
 * TLS 1.2, or for a limit while a record is open; -ENOTCONN; -EOPNOTSUPP for a
 * key under TCP_REPAIR; -EINVAL for a
 * value that does not fit; -ENOENT when the kernel lacks the cipher; -EFAULT;
 * -ENOMEM.
 */
int socktls_keyplane_set(struct socktls_conn *conn, int optname,
			 sockptr_t optval, unsigned int optlen)
{
	if (sockptr_is_null(optval))
		return -EINVAL;
	switch (optname) {
	case TLS_TX_ZEROCOPY_RO:
		return keyplane_set_zerocopy_ro(conn, optval, optlen);
	case TLS_RX_EXPECT_NO_PAD:
		return keyplane_set_no_pad(conn, optval, optlen);
	case COMPAT_TLS_TX_MAX_PAYLOAD_LEN:
		return keyplane_set_max_payload(conn, optval, optlen);
	}
	return keyplane_set_key(conn, optname, optval, optlen);
}

static int keyplane_get_key(struct socktls_conn *conn, int optname,
			    char __user *optval, int len)
{
	const struct socktls_epoch *e = optname == TLS_TX ? conn->tx.epoch :
							    conn->rx.epoch;
	const struct socktls_cipher *c = e->cipher;
	struct tls_crypto_info head = {
		.version = conn->version, .cipher_type = conn->cipher,
	};
	u8 info[KEYPLANE_INFO_MAX] __aligned(4);
	int err;

	if (conn->state != SOCKTLS_STATE_PLAIN)
		return -EPERM;
	if (!(optname == TLS_TX ? conn->tx.keyed : conn->rx.keyed))
		return -EBUSY;
	if (len == sizeof(head))
		return copy_to_user(optval, &head, sizeof(head)) ? -EFAULT : 0;
	if (len != c->info_size)
		return -EINVAL;
	keyplane_write_info(e, &conn->own_key[optname == TLS_TX], info);
	err = copy_to_user(optval, info, len) ? -EFAULT : 0;
	memzero_explicit(info, sizeof(info));
	return err;
}

static int keyplane_get_zerocopy_ro(struct socktls_conn *conn,
				    char __user *optval, int len)
{
	u32 value = conn->zerocopy_ro;

	if (len != sizeof(value))
		return -EINVAL;
	return copy_to_user(optval, &value, sizeof(value)) ? -EFAULT : 0;
}

static int keyplane_put(const void *value, int size, char __user *optval,
			int __user *optlen, int len)
{
	if (len < size)
		return -EINVAL;
	if (put_user(size, optlen) || copy_to_user(optval, value, size))
		return -EFAULT;
	return 0;
}

static int keyplane_get_no_pad(struct socktls_conn *conn, char __user *optval,
			       int __user *optlen, int len)
{
	u32 value = conn->expect_no_pad;

	if (!conn->rx.keyed || conn->version != RECORD_TLS_1_3)
		return -EINVAL;
	return keyplane_put(&value, sizeof(value), optval, optlen, len);
}

/*
 * socktls_keyplane_get() - read the options of <linux/tls.h>
 *
 * Return: 0; -EPERM for keys of the helper plane, which never leave the
 * kernel; -EBUSY without a key; -EINVAL; -EFAULT.
 */
int socktls_keyplane_get(struct socktls_conn *conn, int optname,
			 char __user *optval, int __user *optlen)
{
	u16 max_payload = conn->tx.max_plaintext;
	int len;

	if (get_user(len, optlen))
		return -EFAULT;
	switch (optname) {
	case TLS_TX_ZEROCOPY_RO:
		return keyplane_get_zerocopy_ro(conn, optval, len);
	case TLS_RX_EXPECT_NO_PAD:
		return keyplane_get_no_pad(conn, optval, optlen, len);
	case COMPAT_TLS_TX_MAX_PAYLOAD_LEN:
		return keyplane_put(&max_payload, sizeof(max_payload), optval,
				    optlen, len);
	}
	if (!optval || len < (int)sizeof(struct tls_crypto_info))
		return -EINVAL;
	return keyplane_get_key(conn, optname, optval, len);
}
