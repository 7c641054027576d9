/* SPDX-License-Identifier: MIT */
/* A pair of sockets and a key, for each version and cipher. */
#ifndef SOCKTLS_TEST_KEYFIXTURE_H
#define SOCKTLS_TEST_KEYFIXTURE_H

#include "keys.h"

FIXTURE(key) {
	struct pair	pair;
	union key	key;
	socklen_t	len;
	char		buf[131072];
};

FIXTURE_VARIANT(key) {
	uint16_t	version;
	uint16_t	cipher;
	socklen_t	len;
};

#define KEY_VARIANT(_name, _version, _cipher, _type)			\
	FIXTURE_VARIANT_ADD(key, _name) {				\
		_version, _cipher, sizeof(struct tls12_crypto_info_##_type) \
	}

KEY_VARIANT(tls12_aes128_gcm, TLS_1_2_VERSION, TLS_CIPHER_AES_GCM_128,
	    aes_gcm_128);
KEY_VARIANT(tls12_aes256_gcm, TLS_1_2_VERSION, TLS_CIPHER_AES_GCM_256,
	    aes_gcm_256);
KEY_VARIANT(tls12_chacha20, TLS_1_2_VERSION, TLS_CIPHER_CHACHA20_POLY1305,
	    chacha20_poly1305);
KEY_VARIANT(tls13_aes128_gcm, TLS_1_3_VERSION, TLS_CIPHER_AES_GCM_128,
	    aes_gcm_128);
KEY_VARIANT(tls13_aes256_gcm, TLS_1_3_VERSION, TLS_CIPHER_AES_GCM_256,
	    aes_gcm_256);
KEY_VARIANT(tls13_chacha20, TLS_1_3_VERSION, TLS_CIPHER_CHACHA20_POLY1305,
	    chacha20_poly1305);

FIXTURE_SETUP(key)
{
	tcp_pair(AF_INET, &self->pair.client, &self->pair.server);
	ASSERT_EQ(attach(self->pair.client, ulp), 0);
	ASSERT_EQ(attach(self->pair.server, ulp), 0);
	self->len = variant->len;
	make_key(&self->key, variant->version, variant->cipher, self->len, 0);
}

/* One direction, client to server. */
static inline void key_up(struct fixture_key *self)
{
	ASSERT_EQ(tls_set(self->pair.client, TLS_TX, &self->key, self->len), 0);
	ASSERT_EQ(tls_set(self->pair.server, TLS_RX, &self->key, self->len), 0);
}

#endif /* SOCKTLS_TEST_KEYFIXTURE_H */
