/* SPDX-License-Identifier: MIT */
/*
 * Keys by TLS_TX and TLS_RX, as <linux/tls.h> has them. With --ulp tls the same
 * tests run on stock kTLS, which shows that the expectations are right.
 */
#ifndef SOCKTLS_TEST_KEYS_H
#define SOCKTLS_TEST_KEYS_H

#include "util.h"

#include <linux/tls.h>

#ifndef TLS_TX_MAX_PAYLOAD_LEN
#define TLS_TX_MAX_PAYLOAD_LEN 5
#endif

extern const char *ulp;

union key {
	struct tls_crypto_info				info;
	struct tls12_crypto_info_aes_gcm_128		gcm128;
	struct tls12_crypto_info_aes_gcm_256		gcm256;
	struct tls12_crypto_info_chacha20_poly1305	chacha;
	unsigned char					bytes[64];
};

bool is_stock(void);
/* Rekeying came to stock kTLS a while before this option. */
void need_newest(int fd);
int attach(int fd, const char *name);
/* Bytes that differ by @seed; the record number, at the end, is small. */
void make_key(union key *key, uint16_t version, uint16_t cipher, socklen_t len,
	      int seed);
ssize_t send_record(int fd, uint8_t type, const void *data, size_t len,
		    int flags);
ssize_t recv_record(int fd, uint8_t *type, void *data, size_t len, int flags);
/* As harness_main(), after --ulp NAME. */
int keys_main(int argc, char **argv);

#endif /* SOCKTLS_TEST_KEYS_H */
