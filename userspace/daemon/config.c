// SPDX-License-Identifier: MIT
/* socktlsd.conf, and the names of identities and trust stores. */
#include "config.h"

#include <errno.h>
#include <ini.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "file.h"

/* State of one config_load(). */
struct parse {
	struct config	*config;
	char		reason[256];	/* of the first bad line */
};

static bool name_char_is_valid(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
	       (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
}

bool name_is_valid(const char *name)
{
	size_t len = strlen(name);

	if (len == 0 || len > SOCKTLS_NAME_MAX || name[0] == '.')
		return false;
	for (size_t i = 0; i < len; i++)
		if (!name_char_is_valid(name[i]))
			return false;
	return true;
}

static bool set_name(struct parse *parse, char *name, bool *is_set,
		     const char *value)
{
	if (!name_is_valid(value)) {
		snprintf(parse->reason, sizeof(parse->reason),
			 "\"%.60s\" is not a valid name: letters, digits, '.', '_', '-', no leading dot",
			 value);
		return false;
	}
	snprintf(name, SOCKTLS_NAME_MAX + 1, "%s", value);
	*is_set = true;
	return true;
}

static bool set_default_identity(struct parse *parse, const char *value)
{
	return set_name(parse, parse->config->default_identity,
			&parse->config->identity_is_set, value);
}

static bool set_default_trust(struct parse *parse, const char *value)
{
	return set_name(parse, parse->config->default_trust,
			&parse->config->trust_is_set, value);
}

static bool set_default_policy(struct parse *parse, const char *value)
{
	return set_name(parse, parse->config->default_policy,
			&parse->config->policy_is_set, value);
}

static bool set_system_trust(struct parse *parse, const char *value)
{
	struct config *config = parse->config;

	if (strcmp(value, "none") == 0) {
		config->system_trust[0] = '\0';
		return true;
	}
	if (value[0] != '/' || strlen(value) >= sizeof(config->system_trust)) {
		snprintf(parse->reason, sizeof(parse->reason),
			 "\"%.60s\" is neither \"none\" nor an absolute path",
			 value);
		return false;
	}
	snprintf(config->system_trust, sizeof(config->system_trust), "%s",
		 value);
	return true;
}

static bool set_log_level(struct parse *parse, const char *value)
{
	if (log_level_parse(value, &parse->config->log_level))
		return true;
	snprintf(parse->reason, sizeof(parse->reason),
		 "\"%.60s\" is not a log level: error, warning, info, debug",
		 value);
	return false;
}

static bool set_number(struct parse *parse, unsigned long *number,
		       const char *value, unsigned long min, unsigned long max)
{
	char *end;

	errno = 0;
	*number = strtoul(value, &end, 10);
	if (*value >= '0' && *value <= '9' && !*end && !errno &&
	    *number >= min && *number <= max)
		return true;
	snprintf(parse->reason, sizeof(parse->reason),
		 "\"%.60s\" is not a number from %lu to %lu", value, min, max);
	return false;
}

static bool set_session_size(struct parse *parse, const char *value)
{
	return set_number(parse, &parse->config->session_kib, value, 0,
			  1024 * 1024);
}

/* RFC 8446 section 4.6.1: seven days at most. */
static bool set_session_lifetime(struct parse *parse, const char *value)
{
	return set_number(parse, &parse->config->session_lifetime, value, 1,
			  7 * 24 * 3600);
}

static bool set_session_tickets(struct parse *parse, const char *value)
{
	return set_number(parse, &parse->config->session_tickets, value, 0, 16);
}

static bool set_session_ids(struct parse *parse, const char *value)
{
	bool yes = !strcmp(value, "yes");

	if (!yes && strcmp(value, "no")) {
		snprintf(parse->reason, sizeof(parse->reason),
			 "\"%.60s\" is neither \"yes\" nor \"no\"", value);
		return false;
	}
	parse->config->session_ids = yes;
	return true;
}

static const struct {
	const char	*section;
	const char	*key;
	bool		(*set)(struct parse *parse, const char *value);
} keys[] = {
	{ "identity",	"default",	set_default_identity },
	{ "trust",	"default",	set_default_trust },
	{ "trust",	"system",	set_system_trust },
	{ "policy",	"default",	set_default_policy },
	{ "sessions",	"size",		set_session_size },
	{ "sessions",	"lifetime",	set_session_lifetime },
	{ "sessions",	"tickets",	set_session_tickets },
	{ "sessions",	"ids",		set_session_ids },
	{ "log",	"level",	set_log_level },
};

/* Nonzero: go on. After the first bad line nothing is applied any more. */
static int apply_key(void *arg, const char *section, const char *key,
		     const char *value)
{
	struct parse *parse = arg;

	if (parse->reason[0])
		return 1;
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		if (strcmp(keys[i].section, section) == 0 &&
		    strcmp(keys[i].key, key) == 0)
			return keys[i].set(parse, value);
	}
	snprintf(parse->reason, sizeof(parse->reason),
		 "no such key: \"%.60s\" in section [%.60s]", key, section);
	return 0;
}

static int parse_file(struct config *config, const char *path, char *error,
		      size_t error_len)
{
	struct parse parse = { .config = config };
	struct file file;
	int err, line;

	err = file_read(&file, path);
	if (err == -ENOENT)
		return 0;
	if (err) {
		snprintf(error, error_len, "%s: %s", path, strerror(-err));
		return err;
	}
	if (strlen(file.data) != file.len) {
		snprintf(error, error_len, "%s: contains a NUL byte", path);
		file_wipe(&file);
		return -EINVAL;
	}

	line = ini_parse_string(file.data, apply_key, &parse);
	file_wipe(&file);
	if (line == 0)
		return 0;
	snprintf(error, error_len, "%s:%d: %s", path, line,
		 parse.reason[0] ? parse.reason :
		 "neither a section nor KEY = VALUE");
	return -EINVAL;
}

static int check_dir(const char *dir, char *error, size_t error_len)
{
	struct stat st;

	/* Paths below it have to fit PATH_MAX, whatever the names are. */
	if (strlen(dir) >= sizeof(((struct config *)NULL)->dir)) {
		snprintf(error, error_len, "%.60s...: too long a path", dir);
		return -ENAMETOOLONG;
	}
	if (stat(dir, &st) < 0) {
		int err = errno;

		snprintf(error, error_len, "%s: %s", dir, strerror(err));
		return -err;
	}
	if (!S_ISDIR(st.st_mode)) {
		snprintf(error, error_len, "%s: not a directory", dir);
		return -ENOTDIR;
	}
	return 0;
}

int config_load(struct config *config, const char *dir, char *error,
		size_t error_len)
{
	char path[sizeof(config->dir) + 32];
	int err;

	err = check_dir(dir, error, error_len);
	if (err)
		return err;

	*config = (struct config){
		.default_identity	= "default",
		.default_trust		= "default",
		.system_trust		= CONFIG_SYSTEM_TRUST,
		.log_level		= LOG_LEVEL_INFO,
		.session_kib		= CONFIG_SESSION_KIB,
		.session_lifetime	= CONFIG_SESSION_LIFETIME,
		.session_ids		= true,
		.session_tickets	= CONFIG_SESSION_TICKETS,
	};
	snprintf(config->dir, sizeof(config->dir), "%s", dir);
	snprintf(path, sizeof(path), "%s/socktlsd.conf", dir);
	return parse_file(config, path, error, error_len);
}
