/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Records as they are on the wire: header, nonce, additional data, and where
 * the delivery of handshake bytes pauses. Pure functions: no socket, no lock.
 */
#ifndef SOCKTLS_RECORD_H
#define SOCKTLS_RECORD_H

#include <linux/types.h>

#define RECORD_HEADER_LEN	5
#define RECORD_MAX_PLAINTEXT	16384	/* RFC 8446 section 5.1 */
#define RECORD_EXPANSION_12	2048	/* RFC 5246 section 6.2.3 */
#define RECORD_MAX_LEN		(RECORD_HEADER_LEN + RECORD_MAX_PLAINTEXT + \
				 RECORD_EXPANSION_12)
#define RECORD_NONCE_LEN	12
#define RECORD_AAD_LEN_12	13

#define RECORD_TLS_1_2		0x0303
#define RECORD_TLS_1_3		0x0304

enum record_type {
	RECORD_CHANGE_CIPHER_SPEC	= 20,
	RECORD_ALERT			= 21,
	RECORD_HANDSHAKE		= 22,
	RECORD_APPLICATION_DATA		= 23,
};

/* AlertDescription, RFC 8446 section 6 and RFC 5246 section 7.2. */
enum record_alert {
	ALERT_CLOSE_NOTIFY		= 0,
	ALERT_UNEXPECTED_MESSAGE	= 10,
	ALERT_BAD_RECORD_MAC		= 20,
	ALERT_RECORD_OVERFLOW		= 22,
	ALERT_HANDSHAKE_FAILURE		= 40,
	ALERT_ILLEGAL_PARAMETER		= 47,
	ALERT_DECODE_ERROR		= 50,
	ALERT_PROTOCOL_VERSION		= 70,
	ALERT_INTERNAL_ERROR		= 80,
	ALERT_USER_CANCELED		= 90,
	ALERT_NO_RENEGOTIATION		= 100,
};

#define ALERT_LEVEL_WARNING	1
#define ALERT_LEVEL_FATAL	2

/* HandshakeType, RFC 8446 section 4. */
enum record_handshake_type {
	HANDSHAKE_HELLO_REQUEST		= 0,
	HANDSHAKE_CLIENT_HELLO		= 1,
	HANDSHAKE_NEW_SESSION_TICKET	= 4,
	HANDSHAKE_CERTIFICATE_REQUEST	= 13,
	HANDSHAKE_FINISHED		= 20,
	HANDSHAKE_KEY_UPDATE		= 24,
};

/**
 * struct record_header - the five bytes before every record
 * @type: outer content type
 * @version: legacy_record_version
 * @length: bytes that follow the header
 */
struct record_header {
	u8	type;
	u16	version;
	u16	length;
};

/**
 * struct record_limits - what a header must satisfy
 * @version: legacy_record_version demanded, 0: any of SSL 3.0 to TLS 1.2's
 *	(a first ClientHello may say 0x0301, RFC 8446 section 5.1)
 * @min_length: shortest length that the protection allows
 * @max_length: longest length
 * @any_type: content types are the program's business (key plane)
 */
struct record_limits {
	u16	version;
	u32	min_length;
	u32	max_length;
	bool	any_type;
};

void record_parse_header(const u8 bytes[RECORD_HEADER_LEN],
			 struct record_header *header);
void record_write_header(u8 bytes[RECORD_HEADER_LEN], u8 type, u16 version,
			 u16 length);
int record_check_header(const struct record_header *header,
			const struct record_limits *limits);
void record_nonce_xor(u8 nonce[RECORD_NONCE_LEN],
		      const u8 iv[RECORD_NONCE_LEN], u64 seq);
void record_nonce_explicit(u8 nonce[RECORD_NONCE_LEN], const u8 salt[4],
			   const u8 explicit_nonce[8]);
void record_aad_12(u8 aad[RECORD_AAD_LEN_12], u64 seq, u8 type, u16 version,
		   u16 plaintext_len);
u32 record_fragment_len(u32 left, u32 max_plaintext);

/**
 * struct handshake_tracker - follows message boundaries in handshake bytes
 * @header: bytes of the message header seen so far
 * @header_len: how many
 * @left: bytes of the message body not yet seen
 * @finished: a Finished message has ended
 */
struct handshake_tracker {
	u8	header[4];
	u8	header_len;
	u32	left;
	bool	finished;
};

bool handshake_track(struct handshake_tracker *tracker, const u8 *bytes,
		     u32 len);

/* What becomes of the head record during a handshake. */
enum delivery {
	DELIVERY_OPEN,		/* with the current key, or none */
	DELIVERY_PLAINTEXT,	/* an alert outside the protection */
	DELIVERY_DROP,		/* a change_cipher_spec without meaning */
	DELIVERY_PAUSE,		/* kept until the helper has acted */
	DELIVERY_REFUSE,	/* unexpected_message */
};

/**
 * struct delivery_state - what decides about it
 * @keyed: the receive epoch has a key
 * @version: negotiated, 0 while unknown
 * @application: the key is an application key
 * @finished: a Finished was delivered under this key
 * @protected: a protected record has been opened
 */
struct delivery_state {
	bool	keyed;
	u16	version;
	bool	application;
	bool	finished;
	bool	protected;
};

enum delivery record_delivery(const struct delivery_state *at, u8 outer_type);

#endif /* SOCKTLS_RECORD_H */
