/* SPDX-License-Identifier: MIT */
/* External PSKs: keys that both sides have from elsewhere (RFC 8446 2.2). */
#ifndef SOCKTLS_ENGINE_EXTERNAL_H
#define SOCKTLS_ENGINE_EXTERNAL_H

#include <stdatomic.h>

#include <openssl/evp.h>

#include "engine/engine.h"

#define EXTERNAL_TEXT_MAX	(4 + 3 * ENGINE_PSK_IDENTITY_MAX + 1)

/**
 * struct external_psk - one key
 * @identity: as sent, not a secret
 * @secret: the key
 * @md: the hash that it is bound to
 * @server_name: of the server for which it counts, NULL: any
 */
struct external_psk {
	struct engine_bytes	identity;
	struct engine_bytes	secret;
	const EVP_MD		*md;
	char			*server_name;
};

struct engine_psks {
	atomic_uint		references;
	struct external_psk	*list;
	size_t			n;
};

/*
 * The key of that identity for a server of that name: the one that counts there
 * alone, else the one that counts anywhere; NULL: none.
 */
const struct external_psk *external_find(const struct engine_psks *psks,
					 struct engine_bytes identity,
					 struct engine_bytes server_name);
/* Does the key count for a server of that name, which may be empty? */
bool external_is_for(const struct external_psk *psk,
		     struct engine_bytes server_name);
/* "psk:IDENTITY", with %XX for what is not printable. */
void external_text(const struct external_psk *psk,
		   char text[EXTERNAL_TEXT_MAX]);

#endif /* SOCKTLS_ENGINE_EXTERNAL_H */
