/* SPDX-License-Identifier: MIT */
/* Where random bytes come from: RAND_bytes(), or a test's hook. */
#ifndef SOCKTLS_ENGINE_ENTROPY_H
#define SOCKTLS_ENGINE_ENTROPY_H

#include <openssl/rand.h>

#include "engine/engine.h"

struct entropy {
	int (*random)(void *arg, uint8_t *out, size_t len);
	void *arg;
};

/* False on failure. */
static inline bool entropy_bytes(const struct entropy *entropy, uint8_t *out,
				 size_t len)
{
	if (entropy->random)
		return !entropy->random(entropy->arg, out, len);
	return RAND_bytes(out, len) == 1;
}

#endif /* SOCKTLS_ENGINE_ENTROPY_H */
