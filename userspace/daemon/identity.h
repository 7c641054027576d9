/* SPDX-License-Identifier: MIT */
/* One identity: identities/NAME/{chain.pem,key.pem,allow}. */
#ifndef SOCKTLSD_IDENTITY_H
#define SOCKTLSD_IDENTITY_H

#include <stddef.h>
#include <sys/types.h>

#include "access.h"
#include "config.h"
#include "engine/engine.h"

/**
 * struct identity - a certificate chain, its private key, and who may use them
 * @references: the key is freed with the last one. An engine keeps a reference
 *	to @engine but none to @key, so whoever owns an engine holds one of these
 * @name: directory name
 * @engine: the chain, with the key behind engine_keyops
 * @key: of engine_local_key_new()
 * @access: who may use it
 */
struct identity {
	unsigned int		references;
	char			name[SOCKTLS_NAME_MAX + 1];
	struct engine_identity	*engine;
	void			*key;
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
 * Without an allow file root and the owner of key.pem may use it: the owner
 * can read the key anyway.
 *
 * Return: 0, -EINVAL for bad contents or a key that does not belong to the
 * certificate, -ENOMEM, or the negative errno of reading a file.
 */
int identity_load(struct identity **identity, const char *dir,
		  const char *name, char *error, size_t error_len);

struct identity *identity_get(struct identity *identity);

/* NULL is allowed. */
void identity_put(struct identity *identity);

#endif /* SOCKTLSD_IDENTITY_H */
