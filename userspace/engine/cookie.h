/* SPDX-License-Identifier: MIT */
/*
 * The cookie: what is left of a handshake, for the kernel to keep and to give
 * back. Readers are in engine.h.
 */
#ifndef SOCKTLS_ENGINE_COOKIE_H
#define SOCKTLS_ENGINE_COOKIE_H

#include "engine/core.h"

/*
 * Write the cookie while the schedule still has its secrets. A TLS 1.3 client
 * also stores its server's chain for the tickets to come.
 */
int cookie_write(struct engine *engine, struct writer *w);

#endif /* SOCKTLS_ENGINE_COOKIE_H */
