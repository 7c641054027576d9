// SPDX-License-Identifier: MIT
/* The identities and trust stores of a configuration directory. */
#include "stores.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "file.h"
#include "log.h"
#include "policy.h"

struct trust {
	char			name[SOCKTLS_NAME_MAX + 1];
	struct engine_trust	*engine;
};

struct rules {
	char			name[SOCKTLS_NAME_MAX + 1];
	struct engine_policy	*engine;
};

struct stores {
	struct identity		**identities;
	size_t			n_identities;
	struct trust		*trusts;
	size_t			n_trusts;
	struct rules		*policies;
	size_t			n_policies;
	struct engine_trust	*system_trust;
	char			system_path[PATH_MAX];
	bool			default_trust_failed;
	char			default_identity[SOCKTLS_NAME_MAX + 1];
	char			default_trust[SOCKTLS_NAME_MAX + 1];
	char			default_policy[SOCKTLS_NAME_MAX + 1];
};

static struct identity *find_identity(const struct stores *stores,
				      const char *name)
{
	for (size_t i = 0; i < stores->n_identities; i++)
		if (strcmp(stores->identities[i]->name, name) == 0)
			return stores->identities[i];
	return NULL;
}

static struct engine_trust *find_trust(const struct stores *stores,
				       const char *name)
{
	for (size_t i = 0; i < stores->n_trusts; i++)
		if (strcmp(stores->trusts[i].name, name) == 0)
			return stores->trusts[i].engine;
	return NULL;
}

static struct engine_policy *find_policy(const struct stores *stores,
					 const char *name)
{
	for (size_t i = 0; i < stores->n_policies; i++)
		if (strcmp(stores->policies[i].name, name) == 0)
			return stores->policies[i].engine;
	return NULL;
}

/* Room for one more; NULL: no memory. It counts when n_identities says so. */
static struct identity **identity_slot(struct stores *stores)
{
	struct identity **identities;

	identities = reallocarray(stores->identities, stores->n_identities + 1,
				  sizeof(*identities));
	if (!identities)
		return NULL;
	stores->identities = identities;
	return &identities[stores->n_identities];
}

static struct trust *trust_slot(struct stores *stores, const char *name)
{
	struct trust *trusts;

	trusts = reallocarray(stores->trusts, stores->n_trusts + 1,
			      sizeof(*trusts));
	if (!trusts)
		return NULL;
	stores->trusts = trusts;
	trusts += stores->n_trusts;
	snprintf(trusts->name, sizeof(trusts->name), "%s", name);
	return trusts;
}

static struct rules *policy_slot(struct stores *stores, const char *name)
{
	struct rules *policies;

	policies = reallocarray(stores->policies, stores->n_policies + 1,
				sizeof(*policies));
	if (!policies)
		return NULL;
	stores->policies = policies;
	policies += stores->n_policies;
	snprintf(policies->name, sizeof(policies->name), "%s", name);
	return policies;
}

static int add_identity(struct stores *stores, const char *dir,
			const char *name)
{
	struct identity **slot = identity_slot(stores);
	char error[ERROR_TEXT_MAX];
	int err;

	if (!slot)
		return -ENOMEM;
	err = identity_load(slot, dir, name, error, sizeof(error));
	if (err) {
		log_error("identity \"%s\" skipped: %s", name, error);
		return err;
	}
	stores->n_identities++;
	return 0;
}

static int read_trust_file(struct file *file, const char *path)
{
	int err = file_read(file, path);

	if (err)
		log_error("trust store skipped: %s: %s", path, strerror(-err));
	return err;
}

/* The revocation lists of trust/NAME.pem, trust/NAME.crl: empty if missing. */
static int read_crl_file(struct file *file, const char *path)
{
	char crl[PATH_MAX];
	struct stat st;

	snprintf(crl, sizeof(crl), "%.*s.crl", (int)(strlen(path) - 4), path);
	if (!strcmp(path + strlen(path) - 4, ".pem") &&
	    (stat(crl, &st) == 0 || errno != ENOENT))
		return read_trust_file(file, crl);
	*file = (struct file){ 0 };
	return 0;
}

static int read_trust(struct engine_trust **trust, const char *path)
{
	char error[ERROR_TEXT_MAX] = "not certificates in PEM";
	struct file file, crl;
	char *both = NULL;
	int err, len;

	err = read_trust_file(&file, path);
	if (err)
		return err;
	err = read_crl_file(&crl, path);
	if (err) {
		file_wipe(&file);
		return err;
	}
	len = asprintf(&both, "%s\n%s", file.data, crl.len ? crl.data : "");
	if (len < 0)
		err = -ENOMEM;
	else
		err = engine_trust_new(trust, (struct engine_bytes){
					(uint8_t *)both, len }, error,
				       sizeof(error));
	if (len >= 0)
		free(both);
	if (!err && crl.len && !engine_trust_has_crl(*trust)) {
		snprintf(error, sizeof(error),
			 "no CRL in PEM in the .crl file beside it");
		engine_trust_put(*trust);
		*trust = NULL;
		err = -EINVAL;
	}
	file_wipe(&file);
	file_wipe(&crl);
	if (err)
		log_error("trust store skipped: %s: %s", path, error);
	return err;
}

static int add_trust(struct stores *stores, const char *path, const char *name)
{
	struct trust *slot = trust_slot(stores, name);
	int err;

	if (!slot)
		return -ENOMEM;
	err = read_trust(&slot->engine, path);
	if (!err)
		stores->n_trusts++;
	else if (strcmp(name, stores->default_trust) == 0)
		stores->default_trust_failed = true;
	return err;
}

static int add_policy(struct stores *stores, const char *path,
		      const char *name)
{
	char error[ERROR_TEXT_MAX];
	struct rules *slot;
	int err;

	if (engine_policy_is_known(name)) {
		log_error("policy skipped: %s: \"%s\" is the name of a built-in policy",
			  path, name);
		return -EEXIST;
	}
	slot = policy_slot(stores, name);
	if (!slot)
		return -ENOMEM;
	err = policy_load(&slot->engine, path, error, sizeof(error));
	if (err)
		log_error("policy skipped: %s", error);
	else
		stores->n_policies++;
	return err;
}

/*
 * What the stores before these had: @name, or all when it is NULL. They return
 * how many there were.
 */

static size_t keep_identities(struct stores *stores, const struct stores *old,
			      const char *name)
{
	struct identity **slot;
	size_t kept = 0;

	for (size_t i = 0; i < old->n_identities; i++) {
		if (name && strcmp(old->identities[i]->name, name) != 0)
			continue;
		slot = identity_slot(stores);
		if (!slot)
			break;
		*slot = identity_get(old->identities[i]);
		stores->n_identities++;
		kept++;
	}
	return kept;
}

static size_t keep_trusts(struct stores *stores, const struct stores *old,
			  const char *name)
{
	struct trust *slot;
	size_t kept = 0;

	for (size_t i = 0; i < old->n_trusts; i++) {
		if (name && strcmp(old->trusts[i].name, name) != 0)
			continue;
		slot = trust_slot(stores, old->trusts[i].name);
		if (!slot)
			break;
		slot->engine = engine_trust_get(old->trusts[i].engine);
		stores->n_trusts++;
		kept++;
	}
	return kept;
}

static size_t keep_policies(struct stores *stores, const struct stores *old,
			    const char *name)
{
	struct rules *slot;
	size_t kept = 0;

	for (size_t i = 0; i < old->n_policies; i++) {
		if (name && strcmp(old->policies[i].name, name) != 0)
			continue;
		slot = policy_slot(stores, old->policies[i].name);
		if (!slot)
			break;
		slot->engine = engine_policy_get(old->policies[i].engine);
		stores->n_policies++;
		kept++;
	}
	return kept;
}

/**
 * struct kind - what a subdirectory of the configuration holds
 * @dir: its name
 * @ending: of the files that count; empty: directories
 * @add: read one
 * @keep: take it over from the stores before
 */
static const struct kind {
	const char	*dir;
	const char	*ending;
	int		(*add)(struct stores *stores, const char *path,
			       const char *name);
	size_t		(*keep)(struct stores *stores, const struct stores *old,
				const char *name);
} kinds[] = {
	{ "identities", "", add_identity, keep_identities },
	{ "trust", ".pem", add_trust, keep_trusts },
	{ "policies", ".conf", add_policy, keep_policies },
};

/*
 * A renewal may be caught half way, and a typing error shall not end a service
 * that runs. What is gone is gone.
 */
static void keep_old(struct stores *stores, const struct kind *kind,
		     const struct stores *old, const char *path,
		     const char *name, int err)
{
	if (old && err != -ENOENT && kind->keep(stores, old, name))
		log_error("%s: what was read before stays in use", path);
}

/* Cuts @ending off; false when @name has another one, or nothing else. */
static bool cut_ending(char *name, const char *ending)
{
	size_t len = strlen(name), cut = strlen(ending);

	if (len <= cut || strcmp(name + len - cut, ending) != 0)
		return false;
	name[len - cut] = '\0';
	return true;
}

/* Entries with a leading dot are editors' and version control's. */
static int is_visible(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

static int add_directory_entry(struct stores *stores, const struct kind *kind,
			       const struct stores *old, const char *path,
			       char *name, size_t *n_errors)
{
	int err;

	if (*kind->ending && !cut_ending(name, kind->ending))
		return 0;
	if (name_is_valid(name)) {
		err = kind->add(stores, path, name);
		if (err)
			keep_old(stores, kind, old, path, name, err);
	} else {
		log_error("%s skipped: its name is not a valid one: letters, digits, '.', '_', '-'",
			  path);
		err = -EINVAL;
	}
	if (err)
		++*n_errors;
	return err == -ENOMEM ? err : 0;
}

static void fail_directory(struct stores *stores, const struct kind *kind,
			   const struct stores *old, const char *dir, int error,
			   size_t *n_errors)
{
	if (error == ENOENT)
		return;
	log_error("%s: %s", dir, strerror(error));
	++*n_errors;
	/* It may be in there. */
	if (kind->add == add_trust)
		stores->default_trust_failed = true;
	keep_old(stores, kind, old, dir, NULL, -error);
}

static int add_directory(struct stores *stores, const struct kind *kind,
			 const struct config *config, const struct stores *old,
			 size_t *n_errors)
{
	char dir[sizeof(config->dir) + 16], path[PATH_MAX];
	struct dirent **entries;
	int n, err = 0;

	snprintf(dir, sizeof(dir), "%s/%s", config->dir, kind->dir);
	n = scandir(dir, &entries, is_visible, alphasort);
	if (n < 0)
		fail_directory(stores, kind, old, dir, errno, n_errors);
	for (int i = 0; i < n; i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, entries[i]->d_name);
		if (!err)
			err = add_directory_entry(stores, kind, old, path,
						  entries[i]->d_name,
						  n_errors);
		free(entries[i]);
	}
	if (n >= 0)
		free(entries);
	return err;
}

static void keep_system_trust(struct stores *stores, const struct stores *old)
{
	if (!old || !old->system_trust ||
	    strcmp(old->system_path, stores->system_path) != 0)
		return;
	stores->system_trust = engine_trust_get(old->system_trust);
	log_error("%s: what was read before stays in use", old->system_path);
}

/* Only what has no default store needs the system's. */
static void add_system_trust(struct stores *stores,
			     const struct config *config,
			     const struct stores *old)
{
	int err;

	if (find_trust(stores, config->default_trust) ||
	    config->trust_is_set || !config->system_trust[0])
		return;
	if (stores->default_trust_failed) {
		log_error("the default trust store \"%s\" is there but cannot be used: clients that name none are refused",
			  config->default_trust);
		return;
	}
	snprintf(stores->system_path, sizeof(stores->system_path), "%s",
		 config->system_trust);
	err = read_trust(&stores->system_trust, stores->system_path);
	if (err && err != -ENOENT)
		keep_system_trust(stores, old);
	if (!stores->system_trust)
		log_warning("there is no default trust store: clients have to name one, or install ca-certificates");
}

static void check_defaults(const struct stores *stores,
			   const struct config *config, size_t *n_errors)
{
	if (config->identity_is_set &&
	    !find_identity(stores, config->default_identity)) {
		log_error("%s/socktlsd.conf: default identity \"%s\" is not in %s/identities",
			  config->dir, config->default_identity, config->dir);
		++*n_errors;
	}
	if (config->policy_is_set &&
	    !engine_policy_is_known(config->default_policy) &&
	    !find_policy(stores, config->default_policy)) {
		log_error("%s/socktlsd.conf: default policy \"%s\" is neither built in nor in %s/policies",
			  config->dir, config->default_policy, config->dir);
		++*n_errors;
	}
	if (config->trust_is_set &&
	    !find_trust(stores, config->default_trust)) {
		log_error("%s/socktlsd.conf: default trust store \"%s\" is not in %s/trust",
			  config->dir, config->default_trust, config->dir);
		++*n_errors;
	}
}

int stores_load(struct stores **stores, const struct config *config,
		const struct stores *old, size_t *n_errors)
{
	struct stores *new = calloc(1, sizeof(*new));
	int err = 0;

	*n_errors = 0;
	if (!new)
		return -ENOMEM;
	snprintf(new->default_identity, sizeof(new->default_identity), "%s",
		 config->default_identity);
	snprintf(new->default_trust, sizeof(new->default_trust), "%s",
		 config->default_trust);
	snprintf(new->default_policy, sizeof(new->default_policy), "%s",
		 config->default_policy);

	for (size_t i = 0; !err && i < sizeof(kinds) / sizeof(kinds[0]); i++)
		err = add_directory(new, &kinds[i], config, old, n_errors);
	if (err) {
		stores_free(new);
		return err;
	}
	add_system_trust(new, config, old);
	check_defaults(new, config, n_errors);
	*stores = new;
	return 0;
}

void stores_free(struct stores *stores)
{
	if (!stores)
		return;
	for (size_t i = 0; i < stores->n_identities; i++)
		identity_put(stores->identities[i]);
	for (size_t i = 0; i < stores->n_trusts; i++)
		engine_trust_put(stores->trusts[i].engine);
	for (size_t i = 0; i < stores->n_policies; i++)
		engine_policy_put(stores->policies[i].engine);
	if (stores->system_trust)
		engine_trust_put(stores->system_trust);
	free(stores->identities);
	free(stores->trusts);
	free(stores->policies);
	free(stores);
}

size_t stores_count_identities(const struct stores *stores)
{
	return stores->n_identities;
}

size_t stores_count_trusts(const struct stores *stores)
{
	return stores->n_trusts;
}

static int no_identity(const struct stores *stores, const char *name,
		       char *error, size_t error_len)
{
	if (name && *name)
		snprintf(error, error_len,
			 "socktlsd has no identity \"%.64s\": see its identities directory and its log",
			 name);
	else
		snprintf(error, error_len,
			 "no SOCKTLS_IDENTITY was set and socktlsd has no default identity (\"%.64s\")",
			 stores->default_identity);
	return -ENOKEY;
}

int stores_find_identity(const struct stores *stores, const char *name,
			 uid_t uid, gid_t gid, struct identity **identity,
			 char *error, size_t error_len)
{
	bool named = name && *name;
	struct identity *found;

	found = find_identity(stores, named ? name : stores->default_identity);
	if (!found)
		return no_identity(stores, name, error, error_len);
	if (!access_is_allowed(&found->access, uid, gid)) {
		snprintf(error, error_len,
			 "uid %u (gid %u) may not use the identity \"%.64s\": see its allow file",
			 uid, gid, found->name);
		return -EACCES;
	}
	*identity = found;
	return 0;
}

int stores_find_trust(const struct stores *stores, const char *name,
		      enum socktls_role role, struct engine_trust **trust,
		      char *error, size_t error_len)
{
	bool named = name && *name;

	*trust = find_trust(stores, named ? name : stores->default_trust);
	if (!*trust && !named && role == SOCKTLS_CLIENT)
		*trust = stores->system_trust;
	if (*trust)
		return 0;
	if (named)
		snprintf(error, error_len,
			 "socktlsd has no trust store \"%.64s\": see its trust directory and its log",
			 name);
	else
		snprintf(error, error_len,
			 "no SOCKTLS_TRUST was set and socktlsd %s default trust store (\"%.64s\")%s",
			 stores->default_trust_failed ? "cannot use its" :
			 "has no", stores->default_trust,
			 stores->default_trust_failed ? ": see its log" : "");
	return -ENOKEY;
}

int stores_find_policy(const struct stores *stores, const char *name,
		       struct engine_policy **rules, const char **builtin,
		       char *error, size_t error_len)
{
	if (!name || !*name)
		name = stores->default_policy;
	*rules = find_policy(stores, name);
	*builtin = *rules ? NULL : name;
	if (*rules || engine_policy_is_known(name))
		return 0;
	snprintf(error, error_len,
		 "socktlsd has no policy \"%.64s\": modern, intermediate, legacy, or a file in its policies directory",
		 name);
	return -EINVAL;
}
