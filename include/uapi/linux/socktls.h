/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note OR MIT */
/*
 * socktls: TLS as a property of a TCP socket.
 *
 * Attach with setsockopt(fd, SOL_TCP, TCP_ULP, "socktls", 7); everything else
 * is a socket option of level SOL_TLS. The numbers below 0x100 belong to
 * <linux/tls.h> (TLS_TX, TLS_RX, ...) and mean the same here.
 *
 * See Documentation/uapi.md and socktls(7).
 */
#ifndef _UAPI_LINUX_SOCKTLS_H
#define _UAPI_LINUX_SOCKTLS_H

#include <linux/types.h>

#ifndef SOL_TLS
#define SOL_TLS		282
#endif

#define SOCKTLS_ULP_NAME	"socktls"

/* Socket options, level SOL_TLS. */
enum {
	/* set, get: DNS name or IP literal of the server, no trailing NUL needed */
	SOCKTLS_SERVER_NAME	= 0x100,
	/*
	 * set: protocol names in order of preference, each behind a byte with
	 * its length (ProtocolNameList of RFC 7301 section 3.1 without its own
	 * length); get: the name negotiated, empty when there is none
	 */
	SOCKTLS_ALPN		= 0x101,
	/* set, get: "modern", "intermediate", "legacy" or an administrator's */
	SOCKTLS_POLICY		= 0x102,
	/* set, get: name of an identity in the helper's configuration */
	SOCKTLS_IDENTITY	= 0x103,
	/*
	 * set: name of a trust store; or PEM certificates (the bytes start with
	 * "-----BEGIN"); or SPKI pins ("sha256/BASE64", separated by newlines).
	 * get: the name, empty when the value was not a name
	 */
	SOCKTLS_TRUST		= 0x104,
	/* set, get: __u32, enum socktls_peer_auth */
	SOCKTLS_PEER_AUTH	= 0x105,
	/* set, get: __u32, enum socktls_eof */
	SOCKTLS_EOF		= 0x106,
	/* set: struct socktls_handshake; starts, joins or arms the handshake */
	SOCKTLS_HANDSHAKE	= 0x107,
	/* get: __u32, enum socktls_state */
	SOCKTLS_STATE		= 0x108,
	/* get: struct socktls_info */
	SOCKTLS_INFO		= 0x109,
	/* get: struct socktls_error */
	SOCKTLS_ERROR		= 0x10a,
	/* get: sequence of struct socktls_blob: the peer's chain and identity */
	SOCKTLS_PEER		= 0x10b,
	/* get: sequence of struct socktls_blob: the own chain, leaf first */
	SOCKTLS_LOCAL_CERT	= 0x10c,
	/* get: struct socktls_exporter, read and written */
	SOCKTLS_EXPORTER	= 0x10d,
	/* set: __u32, enum socktls_key_update */
	SOCKTLS_KEY_UPDATE	= 0x10e,
	/* set, get: struct socktls_padding; TLS 1.3, what is sent */
	SOCKTLS_PADDING		= 0x10f,
	/* set, get: __u32, enum socktls_record_sizing */
	SOCKTLS_RECORD_SIZING	= 0x110,
};

enum socktls_role {
	SOCKTLS_CLIENT	= 0,
	SOCKTLS_SERVER	= 1,
};

enum socktls_peer_auth {
	SOCKTLS_PEER_AUTH_DEFAULT	= 0,	/* client: require; server: none */
	SOCKTLS_PEER_AUTH_NONE		= 1,
	SOCKTLS_PEER_AUTH_REQUEST	= 2,
	SOCKTLS_PEER_AUTH_REQUIRE	= 3,
};

enum socktls_eof {
	SOCKTLS_EOF_STRICT	= 0,	/* FIN without close_notify: ECONNRESET */
	SOCKTLS_EOF_ALLOW	= 1,	/* FIN without close_notify: end of file */
};

enum socktls_key_update {
	SOCKTLS_KEY_UPDATE_NOT_REQUESTED	= 0,
	SOCKTLS_KEY_UPDATE_REQUESTED		= 1,
};

enum socktls_padding_mode {
	SOCKTLS_PADDING_NONE		= 0,
	SOCKTLS_PADDING_MULTIPLE	= 1,	/* up to the next multiple of size */
	SOCKTLS_PADDING_FIXED		= 2,	/* every record has size bytes */
};

/**
 * struct socktls_padding - value of SOCKTLS_PADDING
 * @mode: enum socktls_padding_mode
 * @size: bytes of content and padding, 1 to 16384; with NONE 0
 */
struct socktls_padding {
	__u32	mode;
	__u32	size;
};

enum socktls_record_sizing {
	SOCKTLS_RECORD_SIZING_DEFAULT	= 0,	/* set: as the sysctl says */
	SOCKTLS_RECORD_SIZING_FULL	= 1,	/* as long as allowed */
	SOCKTLS_RECORD_SIZING_DYNAMIC	= 2,	/* short while cold */
};

enum socktls_state {
	SOCKTLS_STATE_PLAIN		= 0,
	SOCKTLS_STATE_HANDSHAKING	= 1,
	SOCKTLS_STATE_ESTABLISHED	= 2,
	SOCKTLS_STATE_CLOSED		= 3,
	SOCKTLS_STATE_FAILED		= 4,
};

/* The longest option values, in bytes. */
#define SOCKTLS_NAME_MAX	255	/* server name, identity, policy, trust name */
#define SOCKTLS_TRUST_MAX	32768	/* PEM bytes or pins */
#define SOCKTLS_ALPN_MAX	4096	/* list of protocol names */

/**
 * struct socktls_handshake - value of SOCKTLS_HANDSHAKE
 * @role: enum socktls_role
 * @flags: none defined, 0
 * @timeout_ms: deadline of the whole handshake in milliseconds, 0: the default
 * @reserved: 0
 *
 * A shorter value is taken as if it were filled up with zeros; @role is
 * required.
 */
struct socktls_handshake {
	__u32	role;
	__u32	flags;
	__u32	timeout_ms;
	__u32	reserved;
};

/**
 * struct socktls_info - value of SOCKTLS_INFO, valid once established
 * @version: 0x0303 (TLS 1.2) or 0x0304 (TLS 1.3)
 * @suite: cipher suite, the code point of the IANA registry
 * @group: NamedGroup of the key exchange, 0: RSA key exchange
 * @signature_scheme: of the peer's CertificateVerify or ServerKeyExchange, or 0
 * @flags: SOCKTLS_INFO_*
 * @tx_max_plaintext: longest plaintext of a record sent, in bytes
 * @rx_max_plaintext: longest plaintext of a record accepted, in bytes
 * @id: the connection's number in netlink dumps and traces
 */
struct socktls_info {
	__u16	version;
	__u16	suite;
	__u16	group;
	__u16	signature_scheme;
	__u32	flags;
	__u32	tx_max_plaintext;
	__u32	rx_max_plaintext;
	__u32	reserved;
	__u64	id;
};

#define SOCKTLS_INFO_RESUMED		(1 << 0)	/* abbreviated handshake */
#define SOCKTLS_INFO_PEER_VERIFIED	(1 << 1)	/* peer's certificate verified */
#define SOCKTLS_INFO_SERVER		(1 << 2)	/* role is SOCKTLS_SERVER */
#define SOCKTLS_INFO_KEY_PLANE		(1 << 3)	/* keys came by TLS_TX/TLS_RX */
#define SOCKTLS_INFO_EXT_MASTER_SECRET	(1 << 4)	/* RFC 7627, or TLS 1.3 */
#define SOCKTLS_INFO_ENCRYPT_THEN_MAC	(1 << 5)	/* RFC 7366 */
#define SOCKTLS_INFO_PSK		(1 << 6)	/* external PSK, no certificate */

/* The longest label, context and result of an exporter, in bytes. */
#define SOCKTLS_EXPORTER_LABEL_MAX	249
#define SOCKTLS_EXPORTER_CONTEXT_MAX	16384
#define SOCKTLS_EXPORTER_LENGTH_MAX	8160

/**
 * struct socktls_exporter - value of SOCKTLS_EXPORTER, RFC 8446 section 7.5
 * @label_len: bytes of the label, without NUL
 * @context_len: bytes of the context
 * @length: bytes wanted
 * @flags: SOCKTLS_EXPORTER_CONTEXT or 0
 * @data: in: the label, and behind it the context; out: @length bytes
 *
 * The option's length is the room for both. It is set to what was written.
 */
struct socktls_exporter {
	__u32	label_len;
	__u32	context_len;
	__u32	length;
	__u32	flags;
	__u8	data[];
};

/* There is a context, perhaps an empty one (RFC 5705 tells it from none). */
#define SOCKTLS_EXPORTER_CONTEXT	(1 << 0)

enum socktls_alert_from {
	SOCKTLS_ALERT_NONE	= 0,
	SOCKTLS_ALERT_SENT	= 1,
	SOCKTLS_ALERT_RECEIVED	= 2,
};

/**
 * struct socktls_error - value of SOCKTLS_ERROR, why a connection failed
 * @error: positive errno, 0: no error
 * @alert: AlertDescription of RFC 8446 section 6, valid when @alert_from is set
 * @alert_from: enum socktls_alert_from
 * @reserved: 0
 * @text: what was wrong, for people, NUL-terminated
 */
struct socktls_error {
	__u32	error;
	__u8	alert;
	__u8	alert_from;
	__u16	reserved;
	char	text[248];
};

enum socktls_blob_type {
	SOCKTLS_BLOB_CERTIFICATE	= 1,	/* DER, leaf first */
	SOCKTLS_BLOB_IDENTITY		= 2,	/* verified identity, UTF-8 text */
};

/**
 * struct socktls_blob - element of SOCKTLS_PEER and SOCKTLS_LOCAL_CERT
 * @type: enum socktls_blob_type
 * @len: length of @data in bytes; the next element starts at the next
 *	multiple of four
 * @data: the bytes
 */
struct socktls_blob {
	__u32	type;
	__u32	len;
	__u8	data[];
};

/*
 * Record protection. TLS_CIPHER_* of <linux/tls.h>, and what it lacks: AEADs of
 * TLS 1.2 (RFC 6655, RFC 7251), and block ciphers with a MAC key (RFC 5246
 * section 6.2.3.2).
 */
#define SOCKTLS_CIPHER_AES_128_CBC_HMAC_SHA1	0x101
#define SOCKTLS_CIPHER_AES_256_CBC_HMAC_SHA1	0x102
#define SOCKTLS_CIPHER_AES_128_CBC_HMAC_SHA256	0x103
#define SOCKTLS_CIPHER_AES_256_CBC_HMAC_SHA256	0x104
#define SOCKTLS_CIPHER_AES_256_CBC_HMAC_SHA384	0x105
#define SOCKTLS_CIPHER_AES_256_CCM		0x201
#define SOCKTLS_CIPHER_AES_128_CCM_8		0x202
#define SOCKTLS_CIPHER_AES_256_CCM_8		0x203

/*
 * Values of TLS_TX and TLS_RX for these. AES-128-CCM-8 has the struct of
 * AES-128-CCM in <linux/tls.h>, struct tls12_crypto_info_aes_ccm_128.
 */

/**
 * struct socktls_crypto_info_aes_256_ccm - AES-256-CCM, AES-256-CCM-8
 * @version: TLS_1_2_VERSION
 * @cipher_type: SOCKTLS_CIPHER_AES_256_CCM or SOCKTLS_CIPHER_AES_256_CCM_8
 * @iv: explicit part of the first nonce
 * @key: write key
 * @salt: implicit part of every nonce
 * @rec_seq: sequence number of the next record, big-endian
 */
struct socktls_crypto_info_aes_256_ccm {
	__u16	version;
	__u16	cipher_type;
	__u8	iv[8];
	__u8	key[32];
	__u8	salt[4];
	__u8	rec_seq[8];
};

/**
 * struct socktls_crypto_info_cbc - AES-CBC with HMAC
 * @version: TLS_1_2_VERSION
 * @cipher_type: SOCKTLS_CIPHER_AES_*_CBC_HMAC_*
 * @flags: SOCKTLS_CBC_ENCRYPT_THEN_MAC or 0
 * @rec_seq: sequence number of the next record, big-endian
 * @key: write key: 16 bytes for AES-128, 32 for AES-256, then zeros
 * @mac_key: MAC key: 20 bytes for SHA1, 32 for SHA256, 48 for SHA384, then zeros
 *
 * Each record has an IV of its own, which the kernel draws.
 */
struct socktls_crypto_info_cbc {
	__u16	version;
	__u16	cipher_type;
	__u32	flags;
	__u8	rec_seq[8];
	__u8	key[32];
	__u8	mac_key[48];
};

#define SOCKTLS_CBC_ENCRYPT_THEN_MAC	(1 << 0)	/* RFC 7366 */

#endif /* _UAPI_LINUX_SOCKTLS_H */
