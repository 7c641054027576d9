/* SPDX-License-Identifier: MIT */
/*
 * The size of records: record_size_limit (RFC 8449), and max_fragment_length
 * (RFC 6066 section 4) for peers that know no better.
 */
#ifndef SOCKTLS_ENGINE_LIMITS_H
#define SOCKTLS_ENGINE_LIMITS_H

#include "engine/core.h"

/* Into a ClientHello. */
void limits_write_offer(const struct engine *engine, struct writer *w);
/* A server reads the offer; the version is known. */
int limits_take_offer(struct engine *engine, const struct extensions *list);
/* Into ServerHello (TLS 1.2) or EncryptedExtensions. */
void limits_write_answer(const struct engine *engine, struct writer *w);
/* A client reads the answer. */
int limits_take_answer(struct engine *engine, const struct extensions *list);
/* Tell the record layer, once per direction, before the key it is about. */
int limits_apply(struct engine *engine, enum socktls_direction direction);
/* max_fragment_length was agreed on, which counts from now on. */
int limits_apply_now(struct engine *engine);

#endif /* SOCKTLS_ENGINE_LIMITS_H */
