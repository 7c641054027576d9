/* SPDX-License-Identifier: MIT */
/* Certificate, CertificateRequest and CertificateVerify, for both roles. */
#ifndef SOCKTLS_ENGINE_AUTH_H
#define SOCKTLS_ENGINE_AUTH_H

#include "engine/core.h"

/*
 * Sending. The callers of the first two have chosen engine->identity; a NULL
 * @identity makes an empty list.
 */
int auth_send_certificate(struct engine *engine,
			  const struct engine_identity *identity,
			  struct engine_bytes context);
/* TLS 1.2: CertificateStatus with engine->staple. */
int auth_send_status(struct engine *engine);
/* TLS 1.3: over the transcript so far. */
int auth_send_verify13(struct engine *engine, uint16_t scheme);
/* TLS 1.2: a client's, over the raw messages. */
int auth_send_verify12(struct engine *engine, uint16_t scheme);
int auth_sign(struct engine *engine, uint16_t scheme,
	      struct engine_bytes content, struct writer *w);
/* signature_algorithms_cert, where it differs from signature_algorithms. */
void auth_write_sigalgs_cert(struct engine *engine, struct writer *w);
int auth_send_request13(struct engine *engine);
int auth_send_request12(struct engine *engine);

/* Receiving. Certificate: parsed, taken into engine->peer, verified. */
int auth_certificate(struct engine *engine, const struct message *message);
/* CertificateVerify; steps that run before it enters the transcript. */
int auth_check_verify13(struct engine *engine, const struct message *message);
int auth_check_verify12(struct engine *engine, const struct message *message);
/* Was the signature made with a scheme we allow, by the peer's key? */
int auth_check_signature(struct engine *engine,
			 const struct signature *signature,
			 struct engine_bytes content, const char *what);
/* A client's answer to a CertificateRequest: sets client.scheme. */
void auth_answer_request(struct engine *engine,
			 const struct certificate_request *request);

#endif /* SOCKTLS_ENGINE_AUTH_H */
