/* SPDX-License-Identifier: MIT */
#ifndef SOCKTLS_LIB_BINDING_H
#define SOCKTLS_LIB_BINDING_H

#include <stddef.h>
#include <stdint.h>

#include "lib/sha2.h"

/*
 * tls-server-end-point of a certificate in DER: bytes written to @out; 0: the
 * binding is not defined for its signature algorithm, or it is not DER.
 */
size_t binding_end_point(const uint8_t *der, size_t len, uint8_t out[SHA2_MAX]);

#endif /* SOCKTLS_LIB_BINDING_H */
