/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Record protection: the table of cipher suites, and an epoch, the protection
 * of one direction at one encryption level.
 */
#ifndef SOCKTLS_CIPHER_H
#define SOCKTLS_CIPHER_H

#include <linux/bvec.h>
#include <linux/crypto.h>
#include <linux/scatterlist.h>
#include <linux/types.h>

#include "record.h"

#define CIPHER_KEY_MAX		32
#define CIPHER_MAC_KEY_MAX	48
#define CIPHER_SECRET_MAX	48

struct aead_request;
struct crypto_aead;
struct socktls_cbc;
struct socktls_cbc_desc;
struct socktls_source;

/**
 * struct socktls_cipher - a row of the table of record protections
 * @type: TLS_CIPHER_* or SOCKTLS_CIPHER_*
 * @versions: CIPHER_TLS_1_2, CIPHER_TLS_1_3
 * @name: for people
 * @aead: crypto API name, NULL for a block cipher with a MAC key
 * @cbc: the block cipher and its MAC, NULL for an AEAD
 * @key_size: write key, bytes
 * @mac_key_size: MAC key, bytes, 0 for an AEAD
 * @salt_size: implicit part of a TLS 1.2 nonce, bytes
 * @explicit_size: explicit part of a TLS 1.2 nonce, bytes on the wire
 * @tag_size: bytes
 * @ccm: the crypto API wants the counter length before the nonce (RFC 3610)
 * @info_size: size of the struct that a program passes by TLS_TX, TLS_RX
 * @info_iv_size: length of its member iv, 0 for a block cipher
 * @record_limit: records under one key (RFC 8446 section 5.5)
 */
struct socktls_cipher {
	u16	type;
	u8	versions;
	const char *name;
	const char *aead;
	const struct socktls_cbc_desc *cbc;
	u8	key_size;
	u8	mac_key_size;
	u8	salt_size;
	u8	explicit_size;
	u8	tag_size;
	bool	ccm;
	u8	info_size;
	u8	info_iv_size;
	u64	record_limit;
};

#define CIPHER_TLS_1_2	BIT(0)
#define CIPHER_TLS_1_3	BIT(1)

/**
 * struct socktls_key - what an epoch is made of
 *
 * Lengths in bytes. @iv: TLS 1.3 and ChaCha20 the 12-byte write IV, TLS 1.2
 * GCM and CCM the 4-byte salt. @explicit_nonce: the first one sent.
 * The owner wipes it.
 */
struct socktls_key {
	u16	version;
	u16	cipher;
	u8	level;
	bool	encrypt_then_mac;
	u8	key_len;
	u8	iv_len;
	u8	mac_key_len;
	u8	secret_len;
	u64	seq;
	u64	explicit_nonce;
	u8	key[CIPHER_KEY_MAX];
	u8	iv[RECORD_NONCE_LEN];
	u8	mac_key[CIPHER_MAC_KEY_MAX];
	u8	secret[CIPHER_SECRET_MAX];
};

/*
 * struct socktls_vec - the bytes of a record, in pages
 * @nr: segments in use
 * @len: their bytes
 */
#define VEC_SEGMENTS	8

struct socktls_vec {
	unsigned int	nr;
	u32		len;
	struct bio_vec	bv[VEC_SEGMENTS];
};

/**
 * struct socktls_epoch - protection of one direction at one level
 * @cipher: NULL: no protection yet
 * @serial: its own number, not 0
 * @prefix: bytes between header and plaintext on the wire
 * @seq: sequence number of the next record
 *
 * Used by one caller at a time (the socket lock). No request outlives a call.
 */
struct socktls_epoch {
	const struct socktls_cipher *cipher;
	u32			serial;
	u16			version;
	u8			level;
	u8			prefix;
	u64			seq;
	u64			explicit_nonce;
	u8			iv[RECORD_NONCE_LEN];
	u8			secret_len;
	u8			secret[CIPHER_SECRET_MAX];
	struct crypto_aead	*aead;
	struct aead_request	*req;
	struct crypto_wait	wait;
	struct socktls_cbc	*cbc;
	u8			*scratch;
	u8			aad[RECORD_AAD_LEN_12];
	u8			nonce[16];
	struct scatterlist	src[3];
	struct scatterlist	dst[3];
	struct scatterlist	sg[VEC_SEGMENTS + 1];
	struct scatterlist	plain_sg[VEC_SEGMENTS + 1];
};

const struct socktls_cipher *socktls_cipher_find(u16 type);
bool socktls_cipher_allows(const struct socktls_cipher *cipher, u16 version);
struct socktls_epoch *socktls_epoch_new(const struct socktls_key *key);
struct socktls_epoch *socktls_epoch_new_null(void);
void socktls_epoch_wipe(struct socktls_epoch *epoch);
void socktls_epoch_free(struct socktls_epoch *epoch);
void socktls_epoch_limits(const struct socktls_epoch *epoch,
			  struct record_limits *limits);
u32 socktls_epoch_suffix_max(const struct socktls_epoch *epoch);
int socktls_epoch_seal(struct socktls_epoch *epoch, u8 type,
		       struct socktls_vec *vec, const struct socktls_vec *plain,
		       u32 plaintext_len, u32 padding);
bool socktls_epoch_takes_source(const struct socktls_epoch *epoch);
int socktls_epoch_seal_from(struct socktls_epoch *epoch, u8 type,
			    struct socktls_vec *vec, u32 plaintext_len,
			    struct socktls_source *from);
int socktls_epoch_open(struct socktls_epoch *epoch,
		       const struct record_header *header,
		       struct scatterlist *src, struct socktls_vec *dst,
		       u8 *type, u32 *off, u32 *len);

u32 socktls_vec_write(const struct socktls_vec *vec, u32 off, const void *from,
		      u32 len);
u32 socktls_vec_read(const struct socktls_vec *vec, u32 off, void *to, u32 len);
int socktls_vec_to_sg(const struct socktls_vec *vec, u32 len,
		      struct scatterlist *sg, unsigned int max);
int socktls_vec_part(const struct socktls_vec *vec, u32 off, u32 len,
		     struct scatterlist *sg);
void socktls_vec_trim(struct socktls_vec *vec, u32 len);

int socktls_cipher_alive(void);

#endif /* SOCKTLS_CIPHER_H */
