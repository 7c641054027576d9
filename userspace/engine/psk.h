/* SPDX-License-Identifier: MIT */
/* TLS 1.3 resumption: pre_shared_key (RFC 8446 section 4.2.11). */
#ifndef SOCKTLS_ENGINE_PSK_H
#define SOCKTLS_ENGINE_PSK_H

#include "engine/server.h"

/* The PSK of this handshake, empty: none. */
struct engine_bytes psk_secret(const struct engine *engine);

/*
 * Client. psk_offer_write() puts the extension at the end of a ClientHello with
 * binders of zeros, psk_bind() fills them in once all lengths are written.
 */
void psk_offer_write(struct engine *engine, struct writer *w);
int psk_bind(struct engine *engine);
/* Look for a ticket; in engine->session if there is one. */
void psk_find(struct engine *engine);
/* Does the hash of engine->suite allow the session in use? */
bool psk_fits(const struct engine *engine);

/*
 * Server: pick a session among those offered, and check its binder. Sets
 * engine->resumed and server.psk_index when there is one. Before a retry
 * @suites may still decide the suite, whose hash has to be the session's.
 */
int psk_select(struct engine *engine, const struct offer *offer);

#endif /* SOCKTLS_ENGINE_PSK_H */
