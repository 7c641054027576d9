// SPDX-License-Identifier: MIT
/* One identity: chains, keys, OCSP responses, and who may use them. */
#include "identity.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "file.h"
#include "log.h"
#include "psk.h"

#define FURTHER_CHAIN	"-chain.pem"

/* Where identity_load() is: paths and error texts of one identity. */
struct load {
	struct identity	*identity;
	const char	*dir;
	char		prefix[NAME_MAX + 1];	/* of the pair, "" or "X-" */
	char		path[PATH_MAX];
	char		*error;
	size_t		error_len;
};

static void set_path(struct load *load, const char *name)
{
	snprintf(load->path, sizeof(load->path), "%s/%s%s", load->dir,
		 load->prefix, name);
}

static int load_file(struct load *load, const char *name, struct file *file)
{
	int err;

	set_path(load, name);
	err = file_read(file, load->path);
	if (err)
		snprintf(load->error, load->error_len, "%s: %s", load->path,
			 strerror(-err));
	return err;
}

static int fail_file(struct load *load, int err, const char *reason)
{
	snprintf(load->error, load->error_len, "%s: %s", load->path, reason);
	return err;
}

static int load_key(struct load *load)
{
	char reason[ERROR_TEXT_MAX] = "not a private key in PEM";
	struct identity *identity = load->identity;
	struct file file;
	int err;

	err = load_file(load, "key.pem", &file);
	if (err)
		return err;
	if (file.mode & (S_IROTH | S_IWOTH))
		log_warning("%s: mode %04o: everyone on this machine has the private key; chmod 600 it",
			    load->path, (unsigned int)file.mode);

	err = engine_local_key_new(&identity->keys[identity->n],
				   (struct engine_bytes){ (uint8_t *)file.data,
							  file.len },
				   reason, sizeof(reason));
	if (err)
		fail_file(load, err, reason);
	else if (!load->prefix[0])
		err = access_add_uid(&identity->access, file.owner);
	file_wipe(&file);
	return err;
}

static int load_chain(struct load *load)
{
	char reason[ERROR_TEXT_MAX] = "not a certificate chain in PEM";
	struct identity *identity = load->identity;
	struct file file;
	int err;

	err = load_file(load, "chain.pem", &file);
	if (err)
		return err;
	err = engine_identity_new(&identity->engines[identity->n],
				  (struct engine_bytes){ (uint8_t *)file.data,
							 file.len },
				  &engine_local_keyops,
				  identity->keys[identity->n],
				  reason, sizeof(reason));
	file_wipe(&file);
	if (err)
		return fail_file(load, err, reason);
	if (engine_local_key_matches(identity->keys[identity->n],
				     identity->engines[identity->n]))
		return 0;
	snprintf(reason, sizeof(reason),
		 "%.64skey.pem is not the private key of its first certificate",
		 load->prefix);
	return fail_file(load, -EINVAL, reason);
}

/*
 * An OCSP response that cannot be used is no reason to have no certificate: it
 * is fetched again and again by a program that may have failed once.
 */
static int load_staple(struct load *load)
{
	struct identity *identity = load->identity;
	char reason[ERROR_TEXT_MAX] = "cannot be used";
	struct stat st;
	struct file file;
	int err;

	set_path(load, "ocsp.der");
	if (stat(load->path, &st) < 0 && errno == ENOENT)
		return 0;
	err = load_file(load, "ocsp.der", &file);
	if (!err) {
		err = engine_identity_staple(identity->engines[identity->n],
				(struct engine_bytes){ (uint8_t *)file.data,
						       file.len },
				reason, sizeof(reason));
		file_wipe(&file);
	} else {
		snprintf(reason, sizeof(reason), "%s", strerror(-err));
	}
	if (err && err != -ENOMEM)
		log_warning("%s: not stapled: %s", load->path, reason);
	return err == -ENOMEM ? err : 0;
}

static int load_pair(struct load *load)
{
	struct identity *identity = load->identity;
	size_t at = identity->n;
	int err;

	if (at == IDENTITY_PAIRS_MAX) {
		set_path(load, "chain.pem");
		return fail_file(load, -EINVAL, "too many certificates");
	}
	err = load_key(load);
	if (!err)
		err = load_chain(load);
	if (!err)
		err = load_staple(load);
	if (!err) {
		identity->n++;
		return 0;
	}
	engine_identity_put(identity->engines[at]);
	engine_local_key_free(identity->keys[at]);
	return err;
}

static bool is_there(struct load *load, const char *name)
{
	struct stat st;

	set_path(load, name);
	return stat(load->path, &st) == 0 || errno != ENOENT;
}

static int add_psks(struct load *load, struct file *file)
{
	struct identity *identity = load->identity;
	char reason[ERROR_TEXT_MAX] = "out of memory";
	int err = -ENOMEM;

	if (file->mode & (S_IRWXG | S_IRWXO)) {
		snprintf(reason, sizeof(reason),
			 "mode %04o: others have the keys in it; chmod 600 it",
			 (unsigned int)file->mode);
		return fail_file(load, -EPERM, reason);
	}
	if (strlen(file->data) != file->len)
		return fail_file(load, -EINVAL, "contains a NUL byte");
	identity->psks = engine_psks_new();
	if (identity->psks)
		err = psk_parse(identity->psks, file->data, reason,
				sizeof(reason));
	if (!err && !engine_psks_count(identity->psks)) {
		snprintf(reason, sizeof(reason), "no key in it");
		err = -EINVAL;
	}
	return err ? fail_file(load, err, reason) : 0;
}

static int load_psks(struct load *load)
{
	struct file file;
	int err;

	if (!is_there(load, "psk"))
		return 0;
	err = load_file(load, "psk", &file);
	if (err)
		return err;
	err = add_psks(load, &file);
	if (!err && !load->identity->n)
		err = access_add_uid(&load->identity->access, file.owner);
	file_wipe(&file);
	return err;
}

/* Keys do without certificates. */
static bool needs_pair(struct load *load)
{
	return is_there(load, "chain.pem") || is_there(load, "key.pem") ||
	       !is_there(load, "psk");
}

/* X-chain.pem */
static int is_further_chain(const struct dirent *entry)
{
	size_t len = strlen(entry->d_name), cut = strlen(FURTHER_CHAIN);

	return entry->d_name[0] != '.' && len > cut &&
	       strcmp(entry->d_name + len - cut, FURTHER_CHAIN) == 0;
}

static int load_further_pairs(struct load *load)
{
	struct dirent **entries;
	int n, err = 0;

	n = scandir(load->dir, &entries, is_further_chain, alphasort);
	for (int i = 0; i < n; i++) {
		const char *name = entries[i]->d_name;

		/* with the '-' */
		snprintf(load->prefix, sizeof(load->prefix), "%.*s",
			 (int)(strlen(name) - strlen(FURTHER_CHAIN) + 1), name);
		if (!err)
			err = load_pair(load);
		free(entries[i]);
	}
	if (n >= 0)
		free(entries);
	load->prefix[0] = '\0';
	return n < 0 ? -ENOMEM : err;
}

/* The file replaces the rule that the key's owner may. */
static int load_access(struct load *load)
{
	struct identity *identity = load->identity;
	char reason[ERROR_TEXT_MAX];
	struct stat st;
	struct file file;
	int err;

	set_path(load, "allow");
	if (stat(load->path, &st) < 0 && errno == ENOENT)
		return 0;
	err = load_file(load, "allow", &file);
	if (err)
		return err;
	access_clear(&identity->access);
	err = access_parse(&identity->access, file.data, reason,
			   sizeof(reason));
	file_wipe(&file);
	return err ? fail_file(load, err, reason) : 0;
}

int identity_load(struct identity **identity, const char *dir,
		  const char *name, char *error, size_t error_len)
{
	struct load load = {
		.dir = dir, .error = error, .error_len = error_len,
	};
	int err = 0;

	snprintf(error, error_len, "%s: out of memory", dir);
	load.identity = calloc(1, sizeof(*load.identity));
	if (!load.identity)
		return -ENOMEM;
	load.identity->references = 1;
	snprintf(load.identity->name, sizeof(load.identity->name), "%s", name);

	if (needs_pair(&load))
		err = load_pair(&load);
	if (!err)
		err = load_further_pairs(&load);
	if (!err)
		err = load_psks(&load);
	if (!err)
		err = load_access(&load);
	if (err) {
		identity_put(load.identity);
		return err;
	}
	*identity = load.identity;
	return 0;
}

struct identity *identity_get(struct identity *identity)
{
	identity->references++;
	return identity;
}

void identity_put(struct identity *identity)
{
	if (!identity || --identity->references)
		return;
	for (size_t i = 0; i < identity->n; i++) {
		engine_identity_put(identity->engines[i]);
		engine_local_key_free(identity->keys[i]);
	}
	engine_psks_put(identity->psks);
	access_clear(&identity->access);
	free(identity);
}
