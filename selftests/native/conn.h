/* SPDX-License-Identifier: MIT */
/* A TLS connection: a socket, an engine, the record layer of record.h. */
#ifndef SOCKTLS_SELFTESTS_CONN_H
#define SOCKTLS_SELFTESTS_CONN_H

#include <stdio.h>

#include "record.h"

#define POST_MAX	(2 * RECORD_WIRE_MAX)
#define COOKIE_MAX	4096

/**
 * struct conn - one connection
 * @fd: socket, owned
 * @engine: the handshake
 * @tx: protection, sending
 * @rx: protection, receiving
 * @tx_max: longest plaintext of a record sent, 0: the protocol's limit
 * @rx_max: the same of one received
 * @version: 0 until negotiated
 * @level: of @rx
 * @result: text of what was agreed on
 * @failure: text of why not
 * @keylog: file for the key log, or NULL
 * @sessions: where tickets go, NULL: nowhere
 * @cookie: of the engine, for that
 * @cookie_len: bytes of @cookie
 * @post: handshake messages after the handshake, incomplete
 * @post_len: bytes in @post
 * @skip: how early data that was refused is skipped, 0: there is none
 * @skip_left: bytes of it that may still come
 * @closed: the peer's close_notify came
 * @shut: ours was sent
 */
struct conn {
	int			fd;
	struct engine		*engine;
	struct record_keys	tx;
	struct record_keys	rx;
	size_t			tx_max;
	size_t			rx_max;
	uint16_t		version;
	enum socktls_level	level;
	char			result[1024];
	char			failure[512];
	FILE			*keylog;
	const struct engine_sessions *sessions;
	uint8_t			cookie[COOKIE_MAX];
	size_t			cookie_len;
	uint8_t			post[POST_MAX];
	size_t			post_len;
	enum socktls_skip_mode	skip;
	uint32_t		skip_left;
	bool			closed;
	bool			shut;
};

/* Do the handshake on @fd; 0, or -1 with conn->failure set. */
int conn_handshake(struct conn *conn, int fd,
		   const struct engine_config *config, FILE *keylog);
int conn_write(struct conn *conn, const void *data, size_t len);
/* Application data; 0: closed, -1: error. @data has RECORD_WIRE_MAX bytes. */
int conn_read(struct conn *conn, void *data);
/* close_notify: nothing more will be written. */
void conn_shutdown(struct conn *conn);
/* close_notify if it was not sent, and the socket. */
void conn_close(struct conn *conn);

#endif /* SOCKTLS_SELFTESTS_CONN_H */
