/* SPDX-License-Identifier: MIT */
/*
 * One identity: identities/NAME/{chain.pem,key.pem,ocsp.der,psk,allow}, and any
 * number of X-chain.pem, X-key.pem, X-ocsp.der beside them.
 */
#ifndef SOCKTLSD_IDENTITY_H
#define SOCKTLSD_IDENTITY_H

#include <stddef.h>
#include <sys/types.h>

#include "access.h"
#include "config.h"
#include "engine/engine.h"

/* Certificates of one identity. */
#define IDENTITY_PAIRS_MAX	32

/**
 * struct identity - certificate chains, private keys, and who may use them
 * @references: the keys are freed with the last one. An engine keeps references
 *	to @engines but none to @keys, so whoever owns an engine holds one of
 *	these
 * @name: directory name
 * @engines: the chains, with the keys behind engine_keyops; that of chain.pem,
 *	the default one, comes first, the others by their file names
 * @keys: of engine_local_key_new(), one for each chain
 * @n: elements of both, 0 when there is @psks alone
 * @psks: external PSKs, or NULL
 * @access: who may use it
 */
struct identity {
	unsigned int		references;
	char			name[SOCKTLS_NAME_MAX + 1];
	struct engine_identity	*engines[IDENTITY_PAIRS_MAX];
	void			*keys[IDENTITY_PAIRS_MAX];
	size_t			n;
	struct engine_psks	*psks;
	struct access_list	access;
};

/**
 * identity_load() - read an identity
 * @identity: set on success, with one reference
 * @dir: the directory that is named like the identity
 * @name: its name, valid
 * @error: on failure, what is wrong, with the file's path
 * @error_len: length of @error in bytes
 *
 * A server presents what fits the client's SNI and what it can verify: several
 * names, or an RSA and an ECDSA certificate for one, are several chains.
 *
 * Without an allow file root and the owner of key.pem may use it, or of psk
 * when there is no certificate: the owner can read the key anyway. A psk file
 * that others than its owner can read or write is refused.
 *
 * Return: 0, -EPERM for such a psk file, -EINVAL for bad contents or a key that
 * does not belong to the certificate, -ENOMEM, or the negative errno of reading
 * a file.
 */
int identity_load(struct identity **identity, const char *dir,
		  const char *name, char *error, size_t error_len);

struct identity *identity_get(struct identity *identity);

/* NULL is allowed. */
void identity_put(struct identity *identity);

#endif /* SOCKTLSD_IDENTITY_H */
