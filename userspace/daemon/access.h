/* SPDX-License-Identifier: MIT */
/* Who may use an identity: identities/NAME/allow. */
#ifndef SOCKTLSD_ACCESS_H
#define SOCKTLSD_ACCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/**
 * struct access_list - uids and gids that may use an identity
 * @everyone: no question asked
 * @n_uids: elements of @uids
 * @n_gids: elements of @gids
 * @uids: user ids; members of a named group are among them
 * @gids: primary group ids
 */
struct access_list {
	bool	everyone;
	size_t	n_uids;
	size_t	n_gids;
	uid_t	*uids;
	gid_t	*gids;
};

/**
 * access_parse() - add the rules of an allow file
 * @list: zeroed or filled before
 * @text: lines "user NAME", "group NAME" or "everyone"; a number is taken as
 *	an id; '#' starts a comment; NUL-terminated
 * @error: on failure, what is wrong, with the line number
 * @error_len: length of @error in bytes
 *
 * Names are looked up now, so that a worker needs no name service later.
 *
 * Return: 0, -EINVAL for a bad line, -ENOMEM.
 */
int access_parse(struct access_list *list, const char *text, char *error,
		 size_t error_len);

/* Lets one user in. Returns 0 or -ENOMEM. */
int access_add_uid(struct access_list *list, uid_t uid);

/* Root may always; a group counts as primary group or by membership. */
bool access_is_allowed(const struct access_list *list, uid_t uid, gid_t gid);

/* Frees what @list holds and zeroes it. */
void access_clear(struct access_list *list);

#endif /* SOCKTLSD_ACCESS_H */
