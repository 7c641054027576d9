// SPDX-License-Identifier: MIT
/* Who may use an identity: identities/NAME/allow. */
#include "access.h"

#include <ctype.h>
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int access_add_uid(struct access_list *list, uid_t uid)
{
	uid_t *uids = reallocarray(list->uids, list->n_uids + 1, sizeof(*uids));

	if (!uids)
		return -ENOMEM;
	list->uids = uids;
	list->uids[list->n_uids++] = uid;
	return 0;
}

static int add_gid(struct access_list *list, gid_t gid)
{
	gid_t *gids = reallocarray(list->gids, list->n_gids + 1, sizeof(*gids));

	if (!gids)
		return -ENOMEM;
	list->gids = gids;
	list->gids[list->n_gids++] = gid;
	return 0;
}

/* The id -1 means "no change" to the kernel and is nobody's. */
static bool parse_id(const char *word, unsigned int *id)
{
	unsigned long value;
	char *end;

	if (!isdigit((unsigned char)word[0]))
		return false;
	errno = 0;
	value = strtoul(word, &end, 10);
	if (errno || *end || value >= (unsigned int)-1)
		return false;
	*id = value;
	return true;
}

static int allow_user(struct access_list *list, const char *name)
{
	struct passwd *user;
	unsigned int id;

	if (parse_id(name, &id))
		return access_add_uid(list, id);
	user = getpwnam(name);
	return user ? access_add_uid(list, user->pw_uid) : -ENOENT;
}

/*
 * The kernel tells a requester's primary group only. Members of the group
 * that have another primary group are let in by uid.
 */
static int allow_group(struct access_list *list, const char *name)
{
	struct passwd *user;
	struct group *group;
	unsigned int id;
	int err;

	if (parse_id(name, &id))
		return add_gid(list, id);
	group = getgrnam(name);
	if (!group)
		return -ENOENT;
	err = add_gid(list, group->gr_gid);
	for (char **member = group->gr_mem; !err && *member; member++) {
		user = getpwnam(*member);
		if (user)
			err = access_add_uid(list, user->pw_uid);
	}
	return err;
}

/* One line without its comment: zero, one or two words. */
static int parse_line(struct access_list *list, char *line, char *error,
		      size_t error_len)
{
	char *save, *word = strtok_r(line, " \t\r", &save);
	char *name = word ? strtok_r(NULL, " \t\r", &save) : NULL;
	char *rest = name ? strtok_r(NULL, " \t\r", &save) : NULL;
	int err = -EINVAL;

	if (!word)
		return 0;
	if (strcmp(word, "everyone") == 0 && !name) {
		list->everyone = true;
		return 0;
	}
	if (strcmp(word, "user") == 0 && name && !rest)
		err = allow_user(list, name);
	else if (strcmp(word, "group") == 0 && name && !rest)
		err = allow_group(list, name);

	if (err == -ENOENT)
		snprintf(error, error_len, "no such %s: %.60s", word, name);
	else if (err == -EINVAL)
		snprintf(error, error_len,
			 "expected \"user NAME\", \"group NAME\" or \"everyone\"");
	else if (err)
		snprintf(error, error_len, "out of memory");
	return err;
}

int access_parse(struct access_list *list, const char *text, char *error,
		 size_t error_len)
{
	char *copy = strdup(text), *rest = copy, *line;
	char reason[128];
	int number = 0, err = 0;

	if (!copy) {
		snprintf(error, error_len, "out of memory");
		return -ENOMEM;
	}
	while (!err && (line = strsep(&rest, "\n"))) {
		number++;
		line[strcspn(line, "#")] = '\0';
		err = parse_line(list, line, reason, sizeof(reason));
	}
	free(copy);
	if (err)
		snprintf(error, error_len, "line %d: %s", number, reason);
	return err == -ENOENT ? -EINVAL : err;
}

bool access_is_allowed(const struct access_list *list, uid_t uid, gid_t gid)
{
	if (uid == 0 || list->everyone)
		return true;
	for (size_t i = 0; i < list->n_uids; i++)
		if (list->uids[i] == uid)
			return true;
	for (size_t i = 0; i < list->n_gids; i++)
		if (list->gids[i] == gid)
			return true;
	return false;
}

void access_clear(struct access_list *list)
{
	free(list->uids);
	free(list->gids);
	memset(list, 0, sizeof(*list));
}
