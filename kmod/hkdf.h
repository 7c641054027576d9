/* SPDX-License-Identifier: GPL-2.0 */
/* The part of TLS 1.3's key schedule that a KeyUpdate needs. */
#ifndef SOCKTLS_HKDF_H
#define SOCKTLS_HKDF_H

#include <linux/types.h>

#include "cipher.h"

int __must_check socktls_hkdf_expand_label(const u8 *secret, u8 secret_len,
					   const char *label, u8 *out,
					   u8 out_len);
int __must_check socktls_hkdf_next_key(const u8 *secret, u8 secret_len,
				       struct socktls_key *key);

#endif
