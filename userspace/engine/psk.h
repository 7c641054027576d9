/* SPDX-License-Identifier: MIT */
/* TLS 1.3 resumption and external PSKs: RFC 8446 section 4.2.11. */
#ifndef SOCKTLS_ENGINE_PSK_H
#define SOCKTLS_ENGINE_PSK_H

#include "engine/server.h"

/* Is there a PSK in use, of a session or an external one? */
bool psk_in_use(const struct engine *engine);
/* The PSK of this handshake, empty: none. */
struct engine_bytes psk_secret(const struct engine *engine);
/* The hash that it is bound to, NULL: none. */
const EVP_MD *psk_hash(const struct engine *engine);

/*
 * Client. psk_offer_write() puts the extension at the end of a ClientHello with
 * binders of zeros, psk_bind() fills them in once all lengths are written.
 */
bool psk_offers(const struct engine *engine);
void psk_offer_write(struct engine *engine, struct writer *w);
int psk_bind(struct engine *engine);
/* Look for a ticket; in engine->session if there is one. */
void psk_find(struct engine *engine);
/* Does the hash of engine->suite allow the session in use? */
bool psk_fits(const struct engine *engine);
/* The server chose the PSK at @index. */
int psk_take(struct engine *engine, uint16_t index);

/*
 * Server: pick a PSK among those offered, and check its binder. Sets
 * engine->resumed or engine->external, and server.psk_index, when there is one.
 * Before a retry the hash has to be that of some suite in common, of which the
 * PSK then decides; behind one it has to be that of engine->suite.
 */
int psk_select(struct engine *engine, const struct offer *offer);

#endif /* SOCKTLS_ENGINE_PSK_H */
