/* SPDX-License-Identifier: MIT */
/* OpenSSL as the other end of a connection. */
#ifndef SOCKTLS_TEST_PEER_H
#define SOCKTLS_TEST_PEER_H

#include <openssl/ssl.h>

#include "util.h"

/**
 * struct peer - OpenSSL on a socket
 * @fd: blocking, the caller's
 * @server: its role
 * @version: TLS1_2_VERSION or TLS1_3_VERSION alone, 0: both
 * @suite: name as OpenSSL has it, NULL: its default list
 * @identity: name in identities/, NULL: none
 * @request: ask for the other end's certificate and verify it
 * @ok: the handshake succeeded
 */
struct peer {
	int		fd;
	bool		server;
	int		version;
	const char	*suite;
	const char	*identity;
	bool		request;

	pthread_t	thread;
	SSL_CTX		*ctx;
	SSL		*ssl;
	bool		ok;
};

/* Makes ctx, for tests that change it before peer_start(). */
void peer_prepare(struct peer *peer);
/* Does the handshake in a thread. */
void peer_start(struct peer *peer);
bool peer_join(struct peer *peer);
bool peer_write(struct peer *peer, const void *buf, size_t len);
bool peer_read(struct peer *peer, void *buf, size_t len);
/* SSL_get_error() of a read of one byte. */
int peer_read_error(struct peer *peer);

#endif /* SOCKTLS_TEST_PEER_H */
