// SPDX-License-Identifier: MIT
/*
 * Files of an administrator, by the input's first byte: socktlsd.conf, policies,
 * allow files, certificate chains, keys, trust stores, OCSP responses.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/access.h"
#include "daemon/config.h"
#include "daemon/policy.h"
#include "engine/engine.h"
#include "pki.h"

static char dir[64], conf[80];
static char error[ERROR_TEXT_MAX];

static void remove_files(void)
{
	unlink(conf);
	rmdir(dir);
}

static void write_conf(struct engine_bytes in)
{
	FILE *file;

	if (!dir[0]) {
		snprintf(dir, sizeof(dir), "/dev/shm/socktls-fuzz.XXXXXX");
		if (!mkdtemp(dir))
			abort();
		snprintf(conf, sizeof(conf), "%s/socktlsd.conf", dir);
		atexit(remove_files);
	}
	file = fopen(conf, "w");
	if (!file || fwrite(in.data, 1, in.len, file) != in.len)
		abort();
	fclose(file);
}

static void on_config(struct engine_bytes in)
{
	struct config config;

	write_conf(in);
	if (!config_load(&config, dir, error, sizeof(error)) &&
	    (!name_is_valid(config.default_identity) ||
	     !name_is_valid(config.default_trust)))
		abort();
}

static void on_policy(struct engine_bytes in)
{
	struct engine_policy *policy;

	write_conf(in);
	if (!policy_load(&policy, conf, error, sizeof(error)))
		engine_policy_put(policy);
}

/* Keys and values straight, which is a hundred times as fast. */
static void on_policy_lines(struct engine_bytes in)
{
	struct engine_policy *policy = engine_policy_new();
	char *text = strndup((const char *)in.data, in.len), *rest = text;
	char *line, *value;

	while ((line = strsep(&rest, "\n"))) {
		value = strchr(line, '=');
		if (!value)
			continue;
		*value++ = 0;
		engine_policy_set(policy, line, value, error, sizeof(error));
	}
	engine_policy_check(policy, error, sizeof(error));
	engine_policy_put(policy);
	free(text);
}

static void on_access(struct engine_bytes in)
{
	struct access_list list = { 0 };
	char *text = strndup((const char *)in.data, in.len);

	/* Names would be looked up in the machine's directory services. */
	if (!strpbrk(text, "abcdfhijklmqxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_"))
		access_parse(&list, text, error, sizeof(error));
	access_is_allowed(&list, 1, 1);
	access_clear(&list);
	free(text);
}

static void on_trust(struct engine_bytes in)
{
	struct engine_trust *trust;

	if (!engine_trust_new(&trust, in, error, sizeof(error)))
		engine_trust_put(trust);
}

static void on_key(struct engine_bytes in)
{
	void *key;

	if (!engine_local_key_new(&key, in, error, sizeof(error)))
		engine_local_key_free(key);
}

static void on_chain(struct engine_bytes in)
{
	struct engine_identity *identity;

	if (!engine_identity_new(&identity, in, &engine_local_keyops, NULL,
				 error, sizeof(error)))
		engine_identity_put(identity);
}

static void on_staple(struct engine_bytes in)
{
	static struct pki_cert *cert;
	struct engine_identity *identity;

	if (!cert)
		cert = pki_issue(&(struct pki_spec){ .key = "ed25519",
						     .name = "x" });
	if (engine_identity_new(&identity, (struct engine_bytes){
			(uint8_t *)cert->chain_pem, strlen(cert->chain_pem) },
			&engine_local_keyops, NULL, error, sizeof(error)))
		abort();
	engine_identity_staple(identity, in, error, sizeof(error));
	engine_identity_put(identity);
}

static void (*const readers[])(struct engine_bytes in) = {
	on_config, on_policy, on_policy_lines, on_access, on_trust, on_key,
	on_chain, on_staple,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size)
		readers[data[0] % (sizeof(readers) / sizeof(readers[0]))](
			(struct engine_bytes){ data + 1, size - 1 });
	return 0;
}
