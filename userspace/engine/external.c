// SPDX-License-Identifier: MIT
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <openssl/crypto.h>

#include "engine/external.h"
#include "engine/wire.h"

static void wipe(struct external_psk *psk)
{
	free((void *)psk->identity.data);
	OPENSSL_clear_free((void *)psk->secret.data, psk->secret.len);
	free(psk->server_name);
	*psk = (struct external_psk){ 0 };
}

static void external_free(struct engine_psks *psks)
{
	size_t i;

	for (i = 0; i < psks->n; i++)
		wipe(&psks->list[i]);
	free(psks->list);
	free(psks);
}

struct engine_psks *engine_psks_new(void)
{
	struct engine_psks *psks = calloc(1, sizeof(*psks));

	if (psks)
		atomic_init(&psks->references, 1);
	return psks;
}

struct engine_psks *engine_psks_get(struct engine_psks *psks)
{
	atomic_fetch_add(&psks->references, 1);
	return psks;
}

void engine_psks_put(struct engine_psks *psks)
{
	if (psks && atomic_fetch_sub(&psks->references, 1) == 1)
		external_free(psks);
}

size_t engine_psks_count(const struct engine_psks *psks)
{
	return psks->n;
}

static const EVP_MD *find_hash(const char *name)
{
	if (!name || !strcmp(name, "sha256"))
		return EVP_sha256();
	return strcmp(name, "sha384") ? NULL : EVP_sha384();
}

static bool same_name(const char *a, const char *b)
{
	return a && b ? !strcasecmp(a, b) : a == b;
}

static bool is_there(const struct engine_psks *psks,
		     struct engine_bytes identity, const char *server_name)
{
	size_t i;

	for (i = 0; i < psks->n; i++)
		if (bytes_equal(psks->list[i].identity, identity) &&
		    same_name(psks->list[i].server_name, server_name))
			return true;
	return false;
}

static int check(const struct engine_psks *psks, struct engine_bytes identity,
		 struct engine_bytes secret, const char *hash,
		 const char *server_name, char *error, size_t error_len)
{
	if (!identity.len || identity.len > ENGINE_PSK_IDENTITY_MAX)
		snprintf(error, error_len,
			 "a PSK identity has 1 to %d bytes, not %zu",
			 ENGINE_PSK_IDENTITY_MAX, identity.len);
	else if (secret.len < ENGINE_PSK_MIN || secret.len > ENGINE_PSK_MAX)
		snprintf(error, error_len,
			 "a PSK has %d to %d bytes, not %zu", ENGINE_PSK_MIN,
			 ENGINE_PSK_MAX, secret.len);
	else if (!find_hash(hash))
		snprintf(error, error_len,
			 "the hash of a PSK is sha256 or sha384");
	else if (is_there(psks, identity, server_name))
		snprintf(error, error_len, "a PSK of this identity is there already");
	else
		return 0;
	return -EINVAL;
}

static bool copy(struct engine_bytes *to, struct engine_bytes from, void *room)
{
	if (room)
		memcpy(room, from.data, from.len);
	*to = bytes_of(room, room ? from.len : 0);
	return room;
}

int engine_psks_add(struct engine_psks *psks, struct engine_bytes identity,
		    struct engine_bytes secret, const char *hash,
		    const char *server_name, char *error, size_t error_len)
{
	struct external_psk *list, new = { .md = find_hash(hash) };
	int ret;

	ret = check(psks, identity, secret, hash, server_name, error,
		    error_len);
	if (ret)
		return ret;
	list = reallocarray(psks->list, psks->n + 1, sizeof(*list));
	if (!list)
		return -ENOMEM;
	psks->list = list;
	if (server_name)
		new.server_name = strdup(server_name);
	if (!copy(&new.identity, identity, malloc(identity.len)) ||
	    !copy(&new.secret, secret, OPENSSL_malloc(secret.len)) ||
	    (server_name && !new.server_name)) {
		wipe(&new);
		return -ENOMEM;
	}
	list[psks->n++] = new;
	return 0;
}

bool external_is_for(const struct external_psk *psk,
		     struct engine_bytes server_name)
{
	const char *own = psk->server_name;

	return !own || (strlen(own) == server_name.len &&
			!strncasecmp(own, (const char *)server_name.data,
				     server_name.len));
}

const struct external_psk *external_find(const struct engine_psks *psks,
					 struct engine_bytes identity,
					 struct engine_bytes server_name)
{
	const struct external_psk *found = NULL;
	size_t i;

	for (i = 0; psks && i < psks->n; i++) {
		const struct external_psk *psk = &psks->list[i];

		if (!bytes_equal(psk->identity, identity) ||
		    !external_is_for(psk, server_name))
			continue;
		if (psk->server_name)
			return psk;
		found = psk;
	}
	return found;
}

void external_text(const struct external_psk *psk,
		   char text[EXTERNAL_TEXT_MAX])
{
	size_t at = sprintf(text, "psk:"), i;

	for (i = 0; i < psk->identity.len; i++) {
		uint8_t c = psk->identity.data[i];

		at += sprintf(text + at, c > ' ' && c < 0x7f && c != '%' ?
			      "%c" : "%%%02X", c);
	}
}
