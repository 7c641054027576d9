/* SPDX-License-Identifier: MIT */
/* What a server or a TLS 1.2 client keeps of a finished handshake. */
#ifndef SOCKTLS_ENGINE_TICKETS_H
#define SOCKTLS_ENGINE_TICKETS_H

#include "engine/core.h"

/*
 * Server, TLS 1.3: NewSessionTicket messages, sent lazily. Only for a client
 * that can use them. The transcript ends with its Finished.
 */
int tickets_send13(struct engine *engine);
/* Server, TLS 1.2: NewSessionTicket, empty when there cannot be one. */
int tickets_send12(struct engine *engine);
/* Server, TLS 1.2: keep the session under server.new_id, if that is set. */
int tickets_save_id(struct engine *engine);
/* Client, TLS 1.2: keep the session, by ticket or by ID. */
int tickets_save12(struct engine *engine);

#endif /* SOCKTLS_ENGINE_TICKETS_H */
