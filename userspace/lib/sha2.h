/* SPDX-License-Identifier: MIT */
/* SHA-2, not for secrets. */
#ifndef SOCKTLS_LIB_SHA2_H
#define SOCKTLS_LIB_SHA2_H

#include <stddef.h>
#include <stdint.h>

#define SHA2_MAX	64

/* @bits: 224, 256, 384 or 512; as many go to @out. */
void sha2(unsigned int bits, const void *data, size_t len,
	  uint8_t out[SHA2_MAX]);

#endif /* SOCKTLS_LIB_SHA2_H */
