/* SPDX-License-Identifier: MIT */
/*
 * libsocktls: a thin wrapper around the socket options of socktls.ko.
 *
 * Nothing here is needed to use socktls, which is a handful of setsockopt()
 * calls (socktls(7)); it saves typing, and turns numbers into text.
 *
 * Functions that return int return 0, or a file descriptor, or -1 with errno
 * set. They keep no state and may be called from any thread.
 */
#ifndef SOCKTLS_H
#define SOCKTLS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>

#include <linux/socktls.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Enough for socktls_info_text() and socktls_error_text(), in bytes. */
#define SOCKTLS_TEXT_MAX	512

/* Enough for socktls_get_peer_identity(), in bytes. */
#define SOCKTLS_IDENTITY_MAX	1024

/**
 * struct socktls_options - what a connection or listener is to be like
 * @server_name: client: name to verify and to send as SNI; NULL: the host
 *	given to socktls_connect()
 * @identity: name of an identity in socktlsd's configuration; NULL: none for
 *	a client, socktlsd's default for a server
 * @trust: name of a trust store, or PEM certificates, or pins; NULL:
 *	socktlsd's default
 * @peer_auth: enum socktls_peer_auth
 * @eof: enum socktls_eof
 * @timeout_ms: deadline in milliseconds, 0: the default. socktls_connect():
 *	of the TCP connection and of the handshake, each; socktls_listen(): of
 *	the handshake of each connection
 *
 * All zero is a good start.
 */
struct socktls_options {
	const char	*server_name;
	const char	*identity;
	const char	*trust;
	uint32_t	peer_auth;
	uint32_t	eof;
	uint32_t	timeout_ms;
};

/**
 * enum socktls_step - how far socktls_connect() or socktls_listen() got
 * @SOCKTLS_STEP_RESOLVE: looking up host and service
 * @SOCKTLS_STEP_SOCKET: connecting, or binding and listening
 * @SOCKTLS_STEP_ATTACH: attaching the ULP and setting options
 * @SOCKTLS_STEP_HANDSHAKE: the handshake
 */
enum socktls_step {
	SOCKTLS_STEP_RESOLVE,
	SOCKTLS_STEP_SOCKET,
	SOCKTLS_STEP_ATTACH,
	SOCKTLS_STEP_HANDSHAKE,
};

/**
 * struct socktls_failure - why there is no connection
 * @step: enum socktls_step
 * @error: positive errno
 * @text: for people, without a newline
 */
struct socktls_failure {
	uint32_t	step;
	uint32_t	error;
	char		text[SOCKTLS_TEXT_MAX];
};

/*
 * One socket option each.
 */

/* Attaches the ULP. ENOENT: socktls.ko is not there and cannot be loaded. */
int socktls_attach(int fd);

int socktls_set_server_name(int fd, const char *name);
int socktls_set_identity(int fd, const char *name);

/**
 * socktls_set_trust() - whose certificates are believed
 * @fd: a socket with the ULP
 * @trust: name of a trust store, or PEM certificates, or pins
 */
int socktls_set_trust(int fd, const char *trust);

int socktls_set_peer_auth(int fd, enum socktls_peer_auth peer_auth);
int socktls_set_eof(int fd, enum socktls_eof eof);

/**
 * socktls_start() - start, join or arm the handshake
 * @fd: a socket with the ULP
 * @role: client or server
 * @timeout_ms: deadline in milliseconds, 0: the default
 *
 * On a blocking socket it returns when the handshake is over. On a
 * non-blocking one it fails with EINPROGRESS, and the socket becomes writable
 * when it is over. On a listener it arms the handshakes of what is accepted.
 */
int socktls_start(int fd, enum socktls_role role, uint32_t timeout_ms);

int socktls_get_state(int fd, enum socktls_state *state);
int socktls_get_info(int fd, struct socktls_info *info);
int socktls_get_error(int fd, struct socktls_error *error);

/**
 * socktls_get_peer_identity() - who the peer proved to be
 * @fd: an established socket
 * @text: filled with the verified identity, "" when there is none
 * @len: length of @text in bytes, SOCKTLS_IDENTITY_MAX is enough
 *
 * An identity longer than @text fails with ERANGE.
 */
int socktls_get_peer_identity(int fd, char *text, size_t len);

/* The longest channel binding, in bytes. */
#define SOCKTLS_BINDING_MAX	64

/**
 * socktls_get_channel_binding() - what ties a login to this connection
 * @fd: an established socket, either side
 * @type: "tls-exporter" (RFC 9266) or "tls-server-end-point" (RFC 5929), as
 *	SASL mechanisms with -PLUS in their names ask for
 * @data: filled with the binding
 * @len: length of @data, SOCKTLS_BINDING_MAX is enough
 *
 * EINVAL: another type. EOPNOTSUPP: tls-exporter in TLS 1.2 without extended
 * master secret; tls-server-end-point for a certificate whose signature has no
 * hash of SHA-2 or older (Ed25519). ENODATA: the server showed no certificate.
 *
 * Return: bytes in @data, or -1.
 */
ssize_t socktls_get_channel_binding(int fd, const char *type, void *data,
				    size_t len);

/*
 * Several of them in the usual order.
 */

/* Attaches the ULP and sets @options, of which NULL fields are left alone. */
int socktls_apply(int fd, const struct socktls_options *options);

/**
 * socktls_connect() - a TLS connection to a server
 * @host: name or address, without brackets
 * @service: port number or service name
 * @options: NULL: defaults
 * @failure: NULL, or filled on failure
 *
 * Tries each address of @host until TCP connects to one.
 *
 * Return: a blocking socket, established, close-on-exec; or -1.
 */
int socktls_connect(const char *host, const char *service,
		    const struct socktls_options *options,
		    struct socktls_failure *failure);

/**
 * socktls_listen() - a listener whose connections speak TLS
 * @host: name or address to bind, NULL or "": any, of IPv6 and IPv4
 * @service: port number or service name
 * @options: NULL: defaults
 * @backlog: as of listen(2)
 * @failure: NULL, or filled on failure
 *
 * Return: a listening socket, close-on-exec; or -1. accept(2) on it returns at
 * once; the handshake goes on by itself, and the first I/O waits for it.
 */
int socktls_listen(const char *host, const char *service,
		   const struct socktls_options *options, int backlog,
		   struct socktls_failure *failure);

/**
 * socktls_accept() - the next connection, with its handshake done
 * @listener: of socktls_listen(), blocking
 * @failure: NULL, or filled on failure
 *
 * One connection at a time, for small servers: a peer that says nothing keeps
 * the others waiting until its deadline. Otherwise accept(2) and
 * socktls_start() in a thread or process of each connection's own.
 *
 * Return: a blocking socket, close-on-exec; or -1.
 */
int socktls_accept(int listener, struct socktls_failure *failure);

/*
 * Text. Names are those of the IANA registries; what has none here is NULL.
 */

const char *socktls_version_name(uint16_t version);
const char *socktls_suite_name(uint16_t suite);
const char *socktls_group_name(uint16_t group);
const char *socktls_signature_name(uint16_t signature_scheme);
const char *socktls_alert_name(uint8_t alert);
const char *socktls_state_name(enum socktls_state state);

/**
 * socktls_info_text() - what was negotiated, in one line
 * @info: of socktls_get_info()
 * @text: filled and terminated
 * @len: length of @text in bytes
 *
 * Return: @text.
 */
const char *socktls_info_text(const struct socktls_info *info, char *text,
			      size_t len);

/**
 * socktls_error_text() - why a connection failed, in one line
 * @fd: the socket
 * @error: positive errno of the call that failed, said when the socket itself
 *	knows no more
 * @text: filled and terminated
 * @len: length of @text in bytes
 *
 * Return: @text.
 */
const char *socktls_error_text(int fd, int error, char *text, size_t len);

#ifdef __cplusplus
}
#endif

#endif /* SOCKTLS_H */
