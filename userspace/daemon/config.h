/* SPDX-License-Identifier: MIT */
/* socktlsd.conf, and the names of identities and trust stores. */
#ifndef SOCKTLSD_CONFIG_H
#define SOCKTLSD_CONFIG_H

#include <stdbool.h>
#include <stddef.h>

#include <linux/socktls.h>

#include "log.h"

#define CONFIG_DIR_DEFAULT	"/etc/socktls"
#define CONFIG_SYSTEM_TRUST	"/etc/ssl/certs/ca-certificates.crt"

#define CONFIG_SESSION_KIB	16384
#define CONFIG_SESSION_LIFETIME	7200
#define CONFIG_SESSION_TICKETS	2

/* Long enough for every text of this directory. */
#define ERROR_TEXT_MAX		512

/**
 * struct config - what socktlsd.conf says, defaults filled in
 * @dir: the configuration directory
 * @default_identity: for a server that names none; need not exist unless
 *	@identity_is_set
 * @default_trust: for a connection that names none; need not exist unless
 *	@trust_is_set
 * @default_policy: for a connection that names none, built-in or one of
 *	policies/; empty: the engine's default
 * @system_trust: PEM file that clients get when there is no default store;
 *	empty: none
 * @log_level: how much is logged
 * @session_kib: memory for sessions, in KiB
 * @session_lifetime: of sessions, tickets and ticket keys, in seconds
 * @session_ids: TLS 1.2 sessions are resumed by ID
 * @session_tickets: tickets for each TLS 1.3 connection; 0: none at all
 * @identity_is_set: the file names @default_identity
 * @trust_is_set: the file names @default_trust
 * @policy_is_set: the file names @default_policy
 */
struct config {
	char		dir[256];
	char		default_identity[SOCKTLS_NAME_MAX + 1];
	char		default_trust[SOCKTLS_NAME_MAX + 1];
	char		default_policy[SOCKTLS_NAME_MAX + 1];
	char		system_trust[256];
	enum log_level	log_level;
	unsigned long	session_kib;
	unsigned long	session_lifetime;
	bool		session_ids;
	unsigned long	session_tickets;
	bool		identity_is_set;
	bool		trust_is_set;
	bool		policy_is_set;
};

/**
 * name_is_valid() - may this be the name of an identity or trust store?
 * @name: letters, digits, '.', '_' and '-'; no leading dot; 1 to
 *	SOCKTLS_NAME_MAX bytes
 *
 * What is valid is one component of a path and nothing else.
 */
bool name_is_valid(const char *name);

/**
 * config_load() - read DIR/socktlsd.conf
 * @config: filled on success
 * @dir: the configuration directory; the file may be missing, the directory
 *	may not
 * @error: on failure, what is wrong, with file and line
 * @error_len: length of @error in bytes
 *
 * Return: 0, -EINVAL for bad contents, or the errno of opening it, negative.
 */
int config_load(struct config *config, const char *dir, char *error,
		size_t error_len);

#endif /* SOCKTLSD_CONFIG_H */
