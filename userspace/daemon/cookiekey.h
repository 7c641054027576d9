/* SPDX-License-Identifier: MIT */
/*
 * The key of cookies. What is left of a handshake, exporter and resumption
 * secrets among it, lies in the kernel and travels in netlink messages; this
 * makes it worth nothing to whoever reads them there. AES-256-GCM under a key
 * that is made at start, never stored, and gone with the process. A sealed
 * cookie is
 *
 *	number (8) | ciphertext | tag (16)
 *
 * The number is the nonce: counted, so that it never comes twice. The
 * connection's id is associated data.
 */
#ifndef SOCKTLSD_COOKIEKEY_H
#define SOCKTLSD_COOKIEKEY_H

#include <stdint.h>

#include "engine/engine.h"

#define COOKIE_SEAL_OVERHEAD	24

struct cookiekey;

/**
 * cookiekey_new() - make a key
 * @key: set on success, owned by the caller
 *
 * Return: 0, -ENOMEM, or -EIO when there is no randomness.
 */
int cookiekey_new(struct cookiekey **key);
void cookiekey_free(struct cookiekey *key);

/**
 * cookiekey_seal() - seal a cookie
 * @key: the key
 * @id: of the connection
 * @plain: what to seal
 * @sealed: room for SOCKTLS_COOKIE_MAX bytes
 * @len: set to @plain's length and COOKIE_SEAL_OVERHEAD
 *
 * Return: 0, -E2BIG, -ENOMEM or -EIO.
 */
int cookiekey_seal(struct cookiekey *key, uint64_t id,
		   struct engine_bytes plain, uint8_t *sealed, size_t *len);

/**
 * cookiekey_open() - open a sealed cookie
 * @key: the key
 * @id: of the connection whose cookie it should be
 * @sealed: what DONE gave to the kernel
 * @plain: room for SOCKTLS_COOKIE_MAX bytes; the caller wipes it
 * @len: set to the bytes in it
 *
 * Return: 0; -ESTALE when this key did not seal it for this connection; or
 * -ENOMEM. On failure @plain holds nothing.
 */
int cookiekey_open(const struct cookiekey *key, uint64_t id,
		   struct engine_bytes sealed, uint8_t *plain, size_t *len);

#endif /* SOCKTLSD_COOKIEKEY_H */
