// SPDX-License-Identifier: MIT
/* One identity: identities/NAME/{chain.pem,key.pem,allow}. */
#include "identity.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "file.h"
#include "log.h"

/* Where identity_load() is: paths and error texts of one identity. */
struct load {
	struct identity	*identity;
	const char	*dir;
	char		path[PATH_MAX];
	char		*error;
	size_t		error_len;
};

static int load_file(struct load *load, const char *name, struct file *file)
{
	int err;

	snprintf(load->path, sizeof(load->path), "%s/%s", load->dir, name);
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
	struct file file;
	int err;

	err = load_file(load, "key.pem", &file);
	if (err)
		return err;
	if (file.mode & (S_IROTH | S_IWOTH))
		log_warning("%s: mode %04o: everyone on this machine has the private key; chmod 600 it",
			    load->path, (unsigned int)file.mode);

	err = engine_local_key_new(&load->identity->key,
				   (struct engine_bytes){ (uint8_t *)file.data,
							  file.len },
				   reason, sizeof(reason));
	if (err)
		fail_file(load, err, reason);
	else
		err = access_add_uid(&load->identity->access, file.owner);
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
	err = engine_identity_new(&identity->engine,
				  (struct engine_bytes){ (uint8_t *)file.data,
							 file.len },
				  &engine_local_keyops, identity->key,
				  reason, sizeof(reason));
	file_wipe(&file);
	if (err)
		return fail_file(load, err, reason);
	if (!engine_local_key_matches(identity->key, identity->engine))
		return fail_file(load, -EINVAL,
				 "key.pem is not the private key of its first certificate");
	return 0;
}

/* The file replaces the rule that the key's owner may. */
static int load_access(struct load *load)
{
	struct identity *identity = load->identity;
	char reason[ERROR_TEXT_MAX];
	struct stat st;
	struct file file;
	int err;

	snprintf(load->path, sizeof(load->path), "%s/allow", load->dir);
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
	int err;

	snprintf(error, error_len, "%s: out of memory", dir);
	load.identity = calloc(1, sizeof(*load.identity));
	if (!load.identity)
		return -ENOMEM;
	load.identity->references = 1;
	snprintf(load.identity->name, sizeof(load.identity->name), "%s", name);

	err = load_key(&load);
	if (!err)
		err = load_chain(&load);
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
	if (identity->engine)
		engine_identity_put(identity->engine);
	if (identity->key)
		engine_local_key_free(identity->key);
	access_clear(&identity->access);
	free(identity);
}
