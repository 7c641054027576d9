/* SPDX-License-Identifier: MIT */
/* TLS 1.3: what both roles do alike. */
#ifndef SOCKTLS_ENGINE_TLS13_H
#define SOCKTLS_ENGINE_TLS13_H

#include "engine/core.h"

/* From the shared secret; the transcript ends with ServerHello. */
int tls13_handshake_secrets(struct engine *engine,
			    const struct group_secret *secret);
/* The transcript ends with the server's Finished. */
int tls13_application_secrets(struct engine *engine);
/* The transcript ends with the client's Finished. */
int tls13_resumption_secret(struct engine *engine);
int tls13_send_finished(struct engine *engine);
/* A check step: the peer's Finished. */
int tls13_check_finished(struct engine *engine, const struct message *message);

#endif /* SOCKTLS_ENGINE_TLS13_H */
