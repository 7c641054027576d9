/* SPDX-License-Identifier: MIT */
/* The identities and trust stores of a configuration directory. */
#ifndef SOCKTLSD_STORES_H
#define SOCKTLSD_STORES_H

#include <stddef.h>
#include <sys/types.h>

#include "config.h"
#include "engine/engine.h"
#include "identity.h"

struct stores;

/**
 * stores_load() - read identities/, trust/ and policies/
 * @stores: set on success, owned by the caller
 * @config: read only during the call
 * @old: the stores that these replace, NULL: none
 * @n_errors: identities, trust stores and policies that were skipped, each
 *	with an error in the log; a default that is named and missing counts as
 *	well
 *
 * One bad entry costs that entry only, so that a typing error in one
 * certificate does not take every service of the machine down. What @old has of
 * the same name is taken over for it, unless its files are not there any more.
 *
 * Return: 0 or -ENOMEM.
 */
int stores_load(struct stores **stores, const struct config *config,
		const struct stores *old, size_t *n_errors);

/**
 * stores_find_policy() - what is offered and accepted
 * @stores: the stores
 * @name: its name, NULL or empty: the default
 * @rules: an administrator's, borrowed, or NULL: a built-in one
 * @builtin: its name then, borrowed from @stores or @name; NULL: the default
 * @error: on failure, what is wrong, for the application
 * @error_len: length of @error in bytes
 *
 * Return: 0, or -EINVAL when there is none of that name.
 */
int stores_find_policy(const struct stores *stores, const char *name,
		       struct engine_policy **rules, const char **builtin,
		       char *error, size_t error_len);

/* What handshakes in progress still use lives on by its references. */
void stores_free(struct stores *stores);

size_t stores_count_identities(const struct stores *stores);
size_t stores_count_trusts(const struct stores *stores);

/**
 * stores_find_identity() - the identity that a requester may use
 * @stores: the stores
 * @name: its name, NULL or empty: the default
 * @uid: of the requester
 * @gid: primary group of the requester
 * @identity: set on success; borrowed, identity_get() it to outlive @stores
 * @error: on failure, what is wrong, for the application
 * @error_len: length of @error in bytes
 *
 * Return: 0, -ENOKEY when there is none of that name, -EACCES when the
 * requester may not use it.
 */
int stores_find_identity(const struct stores *stores, const char *name,
			 uid_t uid, gid_t gid, struct identity **identity,
			 char *error, size_t error_len);

/**
 * stores_find_trust() - a trust store
 * @stores: the stores
 * @name: its name, NULL or empty: the default
 * @role: without a default store a client gets the system's; a server does
 *	not: who may log in is never decided by the CAs of the web
 * @trust: set on success; borrowed, an engine takes its own reference
 * @error: on failure, what is wrong, for the application
 * @error_len: length of @error in bytes
 *
 * Return: 0, or -ENOKEY when there is none.
 */
int stores_find_trust(const struct stores *stores, const char *name,
		      enum socktls_role role, struct engine_trust **trust,
		      char *error, size_t error_len);

#endif /* SOCKTLSD_STORES_H */
