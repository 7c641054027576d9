// SPDX-License-Identifier: MIT
/* An administrator's policy, from keys and values as they stand in a file. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/groups.h"
#include "engine/policy.h"
#include "engine/protocol.h"
#include "engine/sigalgs.h"
#include "engine/suites.h"

#define WORDS_MAX	128
#define RECORD_LIMIT_MIN 64	/* RFC 8449 section 4 */
#define RECORD_LIMIT_MAX 16384

/**
 * struct key - a key of a policy file
 * @name: as it is written
 * @set: 0, or -EINVAL with @error filled
 */
struct key {
	const char	*name;
	int (*set)(struct engine_policy *policy, const char *value,
		   char *error, size_t error_len);
};

/* --------------------------------------------------------- single values */

static int set_base(struct engine_policy *policy, const char *value,
		    char *error, size_t error_len)
{
	const struct policy *base = policy_find(value);

	if (!*value || !base) {
		snprintf(error, error_len,
			 "\"%.60s\" is no policy: default, modern, intermediate, legacy",
			 value);
		return -EINVAL;
	}
	if (policy->touched) {
		snprintf(error, error_len, "base must stand before other keys");
		return -EINVAL;
	}
	policy->policy = *base;
	return 0;
}

static int read_version(uint16_t *version, const char *value, char *error,
			size_t error_len)
{
	*version = !strcmp(value, "1.2") ? TLS12 :
		   !strcmp(value, "1.3") ? TLS13 : 0;
	if (*version)
		return 0;
	snprintf(error, error_len, "\"%.60s\" is not 1.2 or 1.3", value);
	return -EINVAL;
}

static int set_min_version(struct engine_policy *policy, const char *value,
			   char *error, size_t error_len)
{
	return read_version(&policy->policy.min_version, value, error,
			    error_len);
}

static int set_max_version(struct engine_policy *policy, const char *value,
			   char *error, size_t error_len)
{
	return read_version(&policy->policy.max_version, value, error,
			    error_len);
}

static int set_order(struct engine_policy *policy, const char *value,
		     char *error, size_t error_len)
{
	policy->policy.peer_order = !strcmp(value, "client");
	if (policy->policy.peer_order || !strcmp(value, "server"))
		return 0;
	snprintf(error, error_len, "\"%.60s\" is not \"server\" or \"client\"",
		 value);
	return -EINVAL;
}

static int set_client_ocsp(struct engine_policy *policy, const char *value,
			   char *error, size_t error_len)
{
	static const char *const names[] = {
		[CLIENT_OCSP_NO] = "no", [CLIENT_OCSP_REQUEST] = "request",
		[CLIENT_OCSP_REQUIRE] = "require",
	};
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcmp(value, names[i]))
			continue;
		policy->policy.client_ocsp = i;
		return 0;
	}
	snprintf(error, error_len,
		 "\"%.60s\" is not \"no\", \"request\" or \"require\"", value);
	return -EINVAL;
}

static int read_number(const char *value, unsigned long min, unsigned long max,
		       unsigned long *number, char *error, size_t error_len)
{
	char *end;

	errno = 0;
	*number = strtoul(value, &end, 10);
	if (*value >= '0' && *value <= '9' && !*end && !errno &&
	    *number >= min && *number <= max)
		return 0;
	snprintf(error, error_len, "\"%.60s\" is not a number from %lu to %lu",
		 value, min, max);
	return -EINVAL;
}

static int set_security_level(struct engine_policy *policy, const char *value,
			      char *error, size_t error_len)
{
	unsigned long number;
	int ret = read_number(value, 1, 5, &number, error, error_len);

	if (!ret)
		policy->policy.security_level = number;
	return ret;
}

static int set_record_limit(struct engine_policy *policy, const char *value,
			    char *error, size_t error_len)
{
	unsigned long number;
	int ret = read_number(value, RECORD_LIMIT_MIN, RECORD_LIMIT_MAX,
			      &number, error, error_len);

	if (!ret)
		policy->policy.record_limit = number;
	return ret;
}

/* ----------------------------------------------------------------- lists */

static uint16_t suite_code(const char *name)
{
	const struct suite *suite;
	size_t i;

	for (i = 0; (suite = suite_at(i)); i++)
		if (!strcmp(suite->name, name))
			return suite->code;
	return 0;
}

static uint16_t sigalg_code(const char *name)
{
	const struct sigalg *alg;
	size_t i;

	for (i = 0; (alg = sigalg_at(i)); i++)
		if (!strcmp(alg->name, name))
			return alg->scheme;
	return 0;
}

/*
 * Words, separated by blanks, commas or colons. The first value replaces what
 * the base has, others, as continued lines make them, go on.
 */
static int read_list(uint16_t **list, size_t *n, const char *value,
		     uint16_t (*code_of)(const char *name), const char *what,
		     char *error, size_t error_len)
{
	char *copy = strdup(value), *save, *word;
	size_t count = *list ? *n : 0;
	int ret = copy ? 0 : -ENOMEM;
	bool fresh = !*list;

	if (fresh)
		*list = calloc(WORDS_MAX, sizeof(**list));
	if (!*list)
		ret = -ENOMEM;

	word = copy ? strtok_r(copy, " \t,:", &save) : NULL;
	for (; word && !ret; word = strtok_r(NULL, " \t,:", &save)) {
		uint16_t code = code_of(word);

		if (code && count < WORDS_MAX) {
			(*list)[count++] = code;
			continue;
		}
		ret = -EINVAL;
		if (code)
			snprintf(error, error_len, "more than %d names",
				 WORDS_MAX);
		else
			snprintf(error, error_len, "\"%.60s\" is not %s that socktls has",
				 word, what);
	}
	if (!ret && !count) {
		snprintf(error, error_len, "the list is empty");
		ret = -EINVAL;
	}
	free(copy);
	if (!ret) {
		*n = count;
	} else if (fresh) {	/* the base's stays in force */
		free(*list);
		*list = NULL;
	}
	return ret;
}

static int set_ciphers(struct engine_policy *policy, const char *value,
		       char *error, size_t error_len)
{
	int ret = read_list(&policy->lists[0], &policy->policy.n_suites, value,
			    suite_code, "a cipher suite", error, error_len);

	if (!ret)
		policy->policy.suites = policy->lists[0];
	return ret;
}

static int set_groups(struct engine_policy *policy, const char *value,
		      char *error, size_t error_len)
{
	int ret = read_list(&policy->lists[1], &policy->policy.n_groups, value,
			    group_code, "a group", error, error_len);

	if (!ret)
		policy->policy.groups = policy->lists[1];
	return ret;
}

static int set_sigalgs(struct engine_policy *policy, const char *value,
		       char *error, size_t error_len)
{
	int ret = read_list(&policy->lists[2], &policy->policy.n_sigalgs, value,
			    sigalg_code, "a signature scheme", error,
			    error_len);

	if (!ret)
		policy->policy.sigalgs = policy->lists[2];
	return ret;
}

/* ------------------------------------------------------------ the policy */

static const struct key keys[] = {
	{ "base",		set_base },
	{ "min-version",	set_min_version },
	{ "max-version",	set_max_version },
	{ "order",		set_order },
	{ "ciphers",		set_ciphers },
	{ "groups",		set_groups },
	{ "sigalgs",		set_sigalgs },
	{ "security-level",	set_security_level },
	{ "record-size-limit",	set_record_limit },
	{ "client-ocsp",	set_client_ocsp },
};

int engine_policy_set(struct engine_policy *policy, const char *key,
		      const char *value, char *error, size_t error_len)
{
	size_t i;
	int ret;

	for (i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		if (strcmp(keys[i].name, key))
			continue;
		ret = keys[i].set(policy, value, error, error_len);
		policy->touched = true;
		return ret;
	}
	snprintf(error, error_len, "no such key: \"%.60s\"", key);
	return -EINVAL;
}

int engine_policy_check(const struct engine_policy *policy, char *error,
			size_t error_len)
{
	const struct policy *p = &policy->policy;
	bool group = false;
	size_t i;

	if (p->min_version > p->max_version) {
		snprintf(error, error_len,
			 "min-version is above max-version");
		return -EINVAL;
	}
	for (i = 0; i < p->n_groups; i++)
		group = group || group_find(p->groups[i]);
	if (!group) {
		snprintf(error, error_len,
			 "this host's libcrypto has none of the groups");
		return -EINVAL;
	}
	for (i = 0; i < p->n_suites; i++) {
		uint16_t version = suite_find(p->suites[i])->version;

		if (version >= p->min_version && version <= p->max_version)
			return 0;
	}
	snprintf(error, error_len,
		 "no cipher suite belongs to an allowed version");
	return -EINVAL;
}

bool engine_policy_is_known(const char *name)
{
	return policy_find(name);
}

struct engine_policy *engine_policy_new(void)
{
	struct engine_policy *new = calloc(1, sizeof(*new));

	if (!new)
		return NULL;
	atomic_init(&new->references, 1);
	new->policy = *policy_find(NULL);
	return new;
}

struct engine_policy *engine_policy_get(struct engine_policy *policy)
{
	atomic_fetch_add(&policy->references, 1);
	return policy;
}

void engine_policy_put(struct engine_policy *policy)
{
	size_t i;

	if (!policy || atomic_fetch_sub(&policy->references, 1) != 1)
		return;
	for (i = 0; i < 3; i++)
		free(policy->lists[i]);
	free(policy);
}
