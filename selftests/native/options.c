// SPDX-License-Identifier: MIT
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/crypto.h>

#include "engine/groups.h"
#include "engine/suites.h"
#include "options.h"

enum {
	OPT_TRUST = 0x200, OPT_IDENTITY, OPT_POLICY, OPT_TLS, OPT_SUITE,
	OPT_GROUP, OPT_ALPN, OPT_KEYLOG, OPT_LIST,
	OPT_PSK, OPT_RECORD_LIMIT,
};

static const struct argp_option entries[] = {
	{ "trust", OPT_TRUST, "FILE", 0,
	  "CA certificates in PEM, or pins, to verify the peer with", 0 },
	{ "identity-dir", OPT_IDENTITY, "DIR", 0,
	  "DIR/NAME/chain.pem and key.pem, or DIR/chain.pem and key.pem; ocsp.der beside them is stapled", 0 },
	{ "policy", OPT_POLICY, "NAME", 0, "modern, intermediate, legacy", 0 },
	{ "tls", OPT_TLS, "1.2|1.3", 0, "this protocol version alone", 0 },
	{ "suite", OPT_SUITE, "LIST", 0,
	  "cipher suites by IANA name or 0xNNNN, separated by commas", 0 },
	{ "group", OPT_GROUP, "LIST", 0,
	  "groups by IANA name, separated by commas", 0 },
	{ "alpn", OPT_ALPN, "LIST", 0,
	  "application protocols, separated by commas", 0 },
	{ "psk", OPT_PSK, "IDENTITY:HEX[:HASH]", 0,
	  "an external PSK; may be given several times; a server needs no identity then", 0 },
	{ "record-size-limit", OPT_RECORD_LIMIT, "BYTES", 0,
	  "plaintext of a record received; with the default policy", 0 },
	{ "list", OPT_LIST, NULL, 0,
	  "print the engine's cipher suites, code and name, and exit", 0 },
	{ "keylog", OPT_KEYLOG, "FILE", 0,
	  "append secrets in the NSS key log format", 0 },
	{ 0 }
};

/* A whole file, NUL-terminated; NULL when there is none. */
static char *read_file(const char *path, size_t *len)
{
	FILE *file = fopen(path, "r");
	char *data;

	if (!file)
		return NULL;
	data = malloc(1 << 20);
	*len = fread(data, 1, (1 << 20) - 1, file);
	data[*len] = 0;
	fclose(file);
	return data;
}

static void load_trust(struct argp_state *state, struct options *options,
		       const char *path)
{
	char text[256] = "";
	size_t len;
	char *data = read_file(path, &len);

	if (!data)
		argp_failure(state, 1, errno, "%s", path);
	if (engine_trust_new(&options->config.trust,
			     (struct engine_bytes){ (uint8_t *)data, len },
			     text, sizeof(text)))
		argp_failure(state, 1, 0, "%s: %s", path, text);
	free(data);
}

static void load_staple(struct argp_state *state, const char *dir,
			struct engine_identity *identity)
{
	char path[4096], text[256] = "";
	size_t len;
	char *response;

	snprintf(path, sizeof(path), "%s/ocsp.der", dir);
	response = read_file(path, &len);
	if (response &&
	    engine_identity_staple(identity, (struct engine_bytes){
					(uint8_t *)response, len },
				   text, sizeof(text)))
		argp_failure(state, 1, 0, "%s: %s", path, text);
	free(response);
}

static bool load_identity(struct argp_state *state, struct options *options,
			  const char *dir)
{
	char path[4096], text[256] = "";
	char *chain, *key;
	size_t chain_len, key_len;
	void *handle;

	snprintf(path, sizeof(path), "%s/chain.pem", dir);
	chain = read_file(path, &chain_len);
	snprintf(path, sizeof(path), "%s/key.pem", dir);
	key = read_file(path, &key_len);
	if (!chain || !key) {
		free(chain);
		free(key);
		return false;
	}
	if (engine_local_key_new(&handle, (struct engine_bytes){
					(uint8_t *)key, key_len },
				 text, sizeof(text)) ||
	    engine_identity_new(&options->identities[
					options->config.n_identities++],
				(struct engine_bytes){ (uint8_t *)chain,
						       chain_len },
				&engine_local_keyops, handle, text,
				sizeof(text)))
		argp_failure(state, 1, 0, "%s: %s", dir, text);
	load_staple(state, dir, options->identities[
				options->config.n_identities - 1]);
	free(chain);
	free(key);
	return true;
}

static int visible(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

static void load_identities(struct argp_state *state, struct options *options,
			    const char *dir)
{
	struct dirent **names;
	char path[4096];
	int i, n;

	options->config.identities = options->identities;
	if (load_identity(state, options, dir))
		return;
	n = scandir(dir, &names, visible, alphasort);
	for (i = 0; i < n && i < LIST_MAX; i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, names[i]->d_name);
		load_identity(state, options, path);
		free(names[i]);
	}
	if (n >= 0)
		free(names);
	if (!options->config.n_identities)
		argp_failure(state, 1, 0, "%s: no identity there", dir);
}

static uint16_t suite_number(const char *name)
{
	const struct suite *suite;
	size_t i;

	for (i = 0; (suite = suite_at(i)); i++)
		if (!strcmp(suite->name, name))
			return suite->code;
	return strtoul(name, NULL, 0);
}

static uint16_t group_number(const char *name)
{
	const struct group *group;
	size_t i;

	for (i = 0; (group = group_at(i)); i++)
		if (!strcmp(group->name, name))
			return group->code;
	return strtoul(name, NULL, 0);
}

static size_t read_list(uint16_t *list, char *text,
			uint16_t (*number)(const char *))
{
	size_t n = 0;
	char *word;

	for (word = strtok(text, ","); word && n < LIST_MAX;
	     word = strtok(NULL, ","))
		list[n++] = number(word);
	return n;
}

static void read_alpn(struct options *options, char *text)
{
	uint8_t *at = options->alpn;
	char *word;

	for (word = strtok(text, ","); word; word = strtok(NULL, ",")) {
		*at++ = strlen(word);
		memcpy(at, word, strlen(word));
		at += strlen(word);
	}
	options->config.alpn = (struct engine_bytes){
		options->alpn, at - options->alpn,
	};
}

static void read_version(struct argp_state *state, struct options *options,
			 const char *text)
{
	uint16_t version = !strcmp(text, "1.2") ? 0x0303 :
			   !strcmp(text, "1.3") ? 0x0304 : 0;

	if (!version)
		argp_error(state, "--tls is 1.2 or 1.3");
	options->config.min_version = version;
	options->config.max_version = version;
}

static void add_psk(struct argp_state *state, struct options *options,
		    char *arg)
{
	char *key = strchr(arg, ':'), *hash = key ? strchr(key + 1, ':') : NULL;
	char text[256] = "IDENTITY:HEX[:HASH]";
	unsigned char *secret = NULL;
	long len = 0;

	if (!options->config.psks)
		options->config.psks = engine_psks_new();
	if (hash)
		*hash++ = 0;
	if (key) {
		*key++ = 0;
		secret = OPENSSL_hexstr2buf(key, &len);
	}
	if (!secret || !options->config.psks ||
	    engine_psks_add(options->config.psks,
			    (struct engine_bytes){ (uint8_t *)arg,
						   strlen(arg) },
			    (struct engine_bytes){ secret, len }, hash, NULL,
			    text, sizeof(text)))
		argp_error(state, "--psk: %s", text);
	OPENSSL_free(secret);
}

static void limit_records(struct argp_state *state, struct options *options,
			  const char *value)
{
	char text[256] = "";

	options->config.rules = engine_policy_new();
	if (!options->config.rules ||
	    engine_policy_set(options->config.rules, "record-size-limit",
			      value, text, sizeof(text)))
		argp_failure(state, 1, 0, "--record-size-limit: %s", text);
}

static void list_suites(void)
{
	const struct suite *suite;
	size_t i;

	for (i = 0; (suite = suite_at(i)); i++)
		printf("0x%04x %s\n", suite->code, suite->name);
	exit(0);
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct options *options = state->input;
	struct engine_config *config = &options->config;

	switch (key) {
	case OPT_TRUST:
		load_trust(state, options, arg);
		return 0;
	case OPT_IDENTITY:
		load_identities(state, options, arg);
		return 0;
	case OPT_POLICY:
		config->policy = arg;
		return 0;
	case OPT_TLS:
		read_version(state, options, arg);
		return 0;
	case OPT_SUITE:
		config->suites = options->suites;
		config->n_suites = read_list(options->suites, arg,
					     suite_number);
		return 0;
	case OPT_GROUP:
		config->groups = options->groups;
		config->n_groups = read_list(options->groups, arg,
					     group_number);
		return 0;
	case OPT_ALPN:
		read_alpn(options, arg);
		return 0;
	case OPT_PSK:
		add_psk(state, options, arg);
		return 0;
	case OPT_RECORD_LIMIT:
		limit_records(state, options, arg);
		return 0;
	case OPT_LIST:
		list_suites();
		return 0;
	case OPT_KEYLOG:
		options->keylog = fopen(arg, "a");
		if (!options->keylog)
			argp_failure(state, 1, errno, "%s", arg);
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

const struct argp options_argp = { .options = entries, .parser = parse };
