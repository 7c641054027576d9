/* SPDX-License-Identifier: MIT */
/* TLS 1.2: what both roles do alike. */
#ifndef SOCKTLS_ENGINE_TLS12_H
#define SOCKTLS_ENGINE_TLS12_H

#include "engine/core.h"

/*
 * Master secret and key block, into engine->rx_key and tx_key; the transcript
 * ends with ClientKeyExchange (RFC 7627 section 4).
 */
int tls12_derive(struct engine *engine, struct engine_bytes premaster);
/* The key block alone, from the master secret of the session. */
int tls12_resume(struct engine *engine);
/* ChangeCipherSpec, the write key, Finished. */
int tls12_send_finished(struct engine *engine);
/* The peer's ChangeCipherSpec: the read key. */
int tls12_take_ccs(struct engine *engine);
/* A check step: the peer's Finished. */
int tls12_check_finished(struct engine *engine, const struct message *message);
/*
 * What the signature of ServerKeyExchange covers: both randoms and the
 * parameters (RFC 5246 section 7.4.3).
 */
void tls12_signed_params(const struct engine *engine, struct writer *w,
			 struct engine_bytes params);
/* A finite-field secret becomes a pre-master secret (section 8.1.2). */
struct engine_bytes tls12_premaster(const struct group *group,
				    const struct group_secret *secret);

#endif /* SOCKTLS_ENGINE_TLS12_H */
