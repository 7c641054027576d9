/* SPDX-License-Identifier: MIT */
/* OCSP stapling: RFC 6066 section 8, RFC 8446 section 4.4.2.1, RFC 7633. */
#ifndef SOCKTLS_ENGINE_OCSP_H
#define SOCKTLS_ENGINE_OCSP_H

#include "engine/core.h"

/*
 * The body of a status_request extension in a ClientHello: is a status of type
 * ocsp asked for? Returns 0 or DECODE_ERROR.
 */
int ocsp_read_request(struct engine_bytes body, bool *ocsp);
void ocsp_write_request(struct writer *w);
/* CertificateStatus, which is a message in TLS 1.2 and an extension in 1.3. */
int ocsp_read_status(struct engine_bytes body, struct engine_bytes *response);
void ocsp_write_status(struct writer *w, struct engine_bytes response);

/* The own identity's response as long as it is valid, else empty. */
struct engine_bytes ocsp_staple(const struct engine_identity *identity,
				time_t now);
/* Verify what the peer stapled; the chain has been verified. */
int ocsp_check(struct engine *engine, struct engine_bytes response);
/*
 * Nothing was stapled: the certificate may not allow that (RFC 7633), nor a
 * server's policy.
 */
int ocsp_check_missing(struct engine *engine);

#endif /* SOCKTLS_ENGINE_OCSP_H */
