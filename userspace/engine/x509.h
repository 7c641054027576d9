/* SPDX-License-Identifier: MIT */
/* The peer's certificates: taken from the message, verified. */
#ifndef SOCKTLS_ENGINE_X509_H
#define SOCKTLS_ENGINE_X509_H

#include "engine/core.h"

/* Decode the chain into engine->peer; an empty list leaves it NULL. */
int peer_take(struct engine *engine, struct certificate_list *list);
/*
 * Verify engine->peer: path, purpose, time, and on a client the name (RFC
 * 9525). Sets peer.verified and peer.identity.
 */
int peer_verify(struct engine *engine);

#endif /* SOCKTLS_ENGINE_X509_H */
