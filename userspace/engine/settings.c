// SPDX-License-Identifier: MIT
/* From struct engine_config to struct settings. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "engine/core.h"
#include "trust.h"

#define SESSION_LIFETIME	7200	/* seconds */
#define TICKETS_MAX		16	/* in one flight */

static bool is_ip_literal(const char *name)
{
	uint8_t address[sizeof(struct in6_addr)];

	return inet_pton(AF_INET, name, address) == 1 ||
	       inet_pton(AF_INET6, name, address) == 1;
}

/*
 * Labels of printable ASCII. A name that begins with a dot would stand for all
 * below it (X509_check_host()); ':' and '%' are of addresses alone.
 */
static bool is_host_name(const char *name, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++) {
		if (name[i] <= ' ' || name[i] > '~' || name[i] == ':' ||
		    name[i] == '%')
			return false;
		if (name[i] == '.' && (!i || name[i - 1] == '.'))
			return false;
	}
	return name[len - 1] != '.';
}

bool engine_server_name_is_valid(const char *name)
{
	size_t len = strlen(name);

	/* SNI and certificates have no root dot (RFC 6066 section 3). */
	if (len > 1 && name[len - 1] == '.')
		len--;
	return len && len <= SOCKTLS_NAME_MAX &&
	       (is_ip_literal(name) || is_host_name(name, len));
}

static int copy_name(struct settings *set, const char *name)
{
	size_t len;

	if (!name || !*name)
		return 0;
	if (!engine_server_name_is_valid(name))
		return -EINVAL;
	len = strlen(name);
	if (len > 1 && name[len - 1] == '.')
		len--;
	set->server_name = strndup(name, len);
	if (!set->server_name)
		return -ENOMEM;
	set->server_name_is_ip = is_ip_literal(set->server_name);
	return 0;
}

static int copy_identities(struct settings *set,
			   const struct engine_config *config)
{
	size_t i;

	if (!config->n_identities)
		return 0;
	set->identities = calloc(config->n_identities,
				 sizeof(*set->identities));
	if (!set->identities)
		return -ENOMEM;
	for (i = 0; i < config->n_identities; i++)
		set->identities[i] =
			engine_identity_get(config->identities[i]);
	set->n_identities = config->n_identities;
	return 0;
}

static bool suite_usable(const struct settings *set, uint16_t code)
{
	const struct suite *suite = suite_find(code);

	return suite && suite->version >= set->min_version &&
	       suite->version <= set->max_version;
}

static bool group_usable(const struct settings *set, uint16_t code)
{
	const struct group *group = group_find(code);

	return group && (set->max_version >= TLS13 || group->kind != GROUP_KEM);
}

/* Keep of @from what @usable allows. */
static int copy_list(struct settings *set, uint16_t **to, size_t *n_to,
		     const uint16_t *from, size_t n,
		     bool (*usable)(const struct settings *, uint16_t))
{
	size_t i;

	*to = calloc(n ? n : 1, sizeof(**to));
	if (!*to)
		return -ENOMEM;
	for (i = 0; i < n; i++)
		if (usable(set, from[i]))
			(*to)[(*n_to)++] = from[i];
	return *n_to ? 0 : -EINVAL;
}

static int copy_lists(struct settings *set, const struct engine_config *config)
{
	const struct policy *policy = set->policy;
	int ret;

	if (config->suites)
		ret = copy_list(set, &set->suites, &set->n_suites,
				config->suites, config->n_suites, suite_usable);
	else
		ret = copy_list(set, &set->suites, &set->n_suites,
				policy->suites, policy->n_suites, suite_usable);
	if (ret)
		return ret;
	if (config->groups)
		return copy_list(set, &set->groups, &set->n_groups,
				 config->groups, config->n_groups,
				 group_usable);
	return copy_list(set, &set->groups, &set->n_groups, policy->groups,
			 policy->n_groups, group_usable);
}

static int resolve_versions(struct settings *set,
			    const struct engine_config *config)
{
	set->min_version = config->min_version ? config->min_version :
						 set->policy->min_version;
	set->max_version = config->max_version ? config->max_version :
						 set->policy->max_version;
	if (set->min_version < TLS12 || set->max_version > TLS13 ||
	    set->min_version > set->max_version)
		return -EINVAL;
	return 0;
}

static bool suites_have(const struct settings *set, uint16_t version)
{
	size_t i;

	for (i = 0; i < set->n_suites; i++)
		if (suite_find(set->suites[i])->version == version)
			return true;
	return false;
}

/* A version without a suite is not offered. */
static void narrow_versions(struct settings *set)
{
	if (!suites_have(set, TLS13))
		set->max_version = TLS12;
	if (!suites_have(set, TLS12))
		set->min_version = TLS13;
}

static int copy_alpn(struct settings *set, struct engine_bytes alpn)
{
	struct reader r = reader_of(alpn);

	while (reader_more(&r))
		reader_vector(&r, 1, 1);
	if (!reader_done(&r) || alpn.len > UINT16_MAX)
		return -EINVAL;
	writer_bytes(&set->alpn, alpn);
	return set->alpn.bad ? -ENOMEM : 0;
}

static struct engine_bytes name_of(const struct settings *set)
{
	const char *name = set->server_name;

	return bytes_of(name, name ? strlen(name) : 0);
}

/* A client keeps them when one counts for this server. */
static void copy_psks(struct settings *set, struct engine_psks *psks)
{
	size_t i;

	if (!psks || set->max_version < TLS13)
		return;
	for (i = 0; i < psks->n; i++)
		if (set->role == SOCKTLS_SERVER ||
		    external_is_for(&psks->list[i], name_of(set)))
			break;
	if (i < psks->n)
		set->psks = engine_psks_get(psks);
}

/* Without certificates of its own a server has TLS 1.3 and its PSKs. */
static int check_server(struct settings *set)
{
	if (set->role != SOCKTLS_SERVER || set->n_identities)
		return 0;
	if (!set->psks || set->peer_auth == SOCKTLS_PEER_AUTH_REQUIRE)
		return -EINVAL;
	set->min_version = TLS13;
	return 0;
}

/* Certificates cannot be verified: a PSK may prove who the server is. */
static int rely_on_psk(struct settings *set)
{
	if (set->role != SOCKTLS_CLIENT || !set->psks)
		return -EINVAL;
	set->psk_only = true;
	set->min_version = TLS13;
	return 0;
}

static int resolve_peer_auth(struct settings *set,
			     const struct engine_config *config)
{
	set->peer_auth = config->peer_auth;
	if (set->peer_auth > SOCKTLS_PEER_AUTH_REQUIRE)
		return -EINVAL;
	if (set->peer_auth == SOCKTLS_PEER_AUTH_DEFAULT)
		set->peer_auth = set->role == SOCKTLS_CLIENT ?
			SOCKTLS_PEER_AUTH_REQUIRE : SOCKTLS_PEER_AUTH_NONE;
	if (set->peer_auth == SOCKTLS_PEER_AUTH_NONE)
		return 0;
	if (!config->trust)
		return rely_on_psk(set);
	/* a pinned key is the server's, whatever it is called */
	if (set->role == SOCKTLS_CLIENT && !set->server_name &&
	    !config->trust->n_pins)
		return rely_on_psk(set);
	set->trust = engine_trust_get(config->trust);
	return 0;
}

static int copy_sessions(struct settings *set,
			 const struct engine_config *config)
{
	/* Their chains could not be verified again. */
	set->sessions = set->psk_only ? NULL : config->sessions;
	set->sessions_arg = config->sessions_arg;
	set->session_ids = config->session_ids;
	set->tickets = set->sessions && set->sessions->seal ?
		       config->tickets : 0;
	set->session_lifetime = config->session_lifetime ?
				config->session_lifetime : SESSION_LIFETIME;
	if (set->tickets > TICKETS_MAX ||
	    set->session_lifetime > SESSION_LIFETIME_MAX)
		return -EINVAL;
	writer_bytes(&set->session_scope, config->session_scope);
	return set->session_scope.bad ? -ENOMEM : 0;
}

int settings_init(struct settings *set, const struct engine_config *config)
{
	int ret;

	set->role = config->role;
	if (config->rules)
		set->rules = engine_policy_get(config->rules);
	set->policy = set->rules ? &set->rules->policy :
				   policy_find(config->policy);
	set->now = config->now ? config->now : time(NULL);
	set->entropy = (struct entropy){ config->random, config->random_arg };
	if (!set->policy || config->role > SOCKTLS_SERVER)
		return -EINVAL;
	ret = resolve_versions(set, config);
	if (!ret)
		ret = copy_name(set, config->server_name);
	if (!ret)
		ret = copy_identities(set, config);
	if (!ret)
		copy_psks(set, config->psks);
	if (!ret)
		ret = resolve_peer_auth(set, config);
	if (!ret)
		ret = check_server(set);
	if (!ret)
		ret = copy_alpn(set, config->alpn);
	if (!ret)
		ret = copy_lists(set, config);
	if (!ret)
		narrow_versions(set);
	if (!ret)
		ret = copy_sessions(set, config);
	return ret;
}

void settings_free(struct settings *set)
{
	size_t i;

	for (i = 0; i < set->n_identities; i++)
		engine_identity_put(set->identities[i]);
	free(set->identities);
	engine_psks_put(set->psks);
	engine_trust_put(set->trust);
	engine_policy_put(set->rules);
	free(set->server_name);
	writer_free(&set->alpn);
	writer_free(&set->session_scope);
	free(set->suites);
	free(set->groups);
}
