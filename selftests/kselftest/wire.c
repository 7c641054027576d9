// SPDX-License-Identifier: MIT
/* Records by libcrypto, as the other end of a connection; see fake.h. */
#include "fake.h"

#include <endian.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#define TAG	16

static void expand(const uint8_t *secret, const char *label, uint8_t *out,
		   size_t len)
{
	uint8_t info[64] = { 0, len }, block[32];
	size_t n = strlen(label);

	info[2] = 6 + n;
	memcpy(info + 3, "tls13 ", 6);
	memcpy(info + 9, label, n);
	info[9 + n] = 0;
	info[10 + n] = 1;
	ASSERT_NE(HMAC(EVP_sha256(), secret, FAKE_SECRET, info, 11 + n, block,
		       NULL), NULL);
	memcpy(out, block, len);
}

static void wire_derive(struct wire *wire)
{
	expand(wire->secret, "key", wire->key, sizeof(wire->key));
	expand(wire->secret, "iv", wire->iv, sizeof(wire->iv));
	wire->seq = 0;
}

void wire_key(struct wire *wire, uint16_t version, unsigned int seed)
{
	wire->version = version;
	pattern_fill(wire->secret, sizeof(wire->secret), seed * 1000 + 1);
	wire_derive(wire);
}

void wire_update(struct wire *wire)
{
	uint8_t next[FAKE_SECRET];

	expand(wire->secret, "traffic upd", next, sizeof(next));
	memcpy(wire->secret, next, sizeof(next));
	wire_derive(wire);
}

/* TLS 1.2: the explicit part of the nonce is the sequence number. */
static void wire_nonce(const struct wire *wire, uint8_t nonce[12])
{
	uint64_t seq = htobe64(wire->seq);
	int i;

	memcpy(nonce, wire->iv, 12);
	if (wire->version == 0x0303)
		memcpy(nonce + 4, &seq, 8);
	else
		for (i = 0; i < 8; i++)
			nonce[4 + i] ^= ((uint8_t *)&seq)[i];
}

static size_t wire_aad(const struct wire *wire, const uint8_t header[5],
		       size_t plaintext, uint8_t aad[13])
{
	uint64_t seq = htobe64(wire->seq);

	if (wire->version != 0x0303) {
		memcpy(aad, header, 5);
		return 5;
	}
	memcpy(aad, &seq, 8);
	memcpy(aad + 8, header, 3);
	aad[11] = plaintext >> 8;
	aad[12] = plaintext;
	return 13;
}

static void make_header(uint8_t header[5], uint8_t type, size_t len)
{
	header[0] = type;
	header[1] = header[2] = 3;
	header[3] = len >> 8;
	header[4] = len;
}

void wire_write_padded(struct wire *wire, uint8_t type, const void *bytes,
		       size_t len, size_t padding)
{
	static _Thread_local uint8_t record[5 + 65536], inner[65536];
	size_t prefix = wire->version == 0x0303 ? 8 : 0, aad_len;
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	uint8_t nonce[12], aad[13];
	int n;

	if (len)
		memcpy(inner, bytes, len);
	if (wire->version == 0x0304) {
		inner[len++] = type;
		memset(inner + len, 0, padding);
		len += padding;
		type = TYPE_DATA;
	}
	if (!wire->version) {
		make_header(record, type, len);
		memcpy(record + 5, inner, len);
		ASSERT_TRUE(write_all(wire->fd, record, 5 + len));
		return;
	}
	make_header(record, type, prefix + len + TAG);
	wire_nonce(wire, nonce);
	memcpy(record + 5, nonce + 4, prefix);
	aad_len = wire_aad(wire, record, len, aad);
	EVP_EncryptInit_ex(ctx, EVP_aes_128_gcm(), NULL, wire->key, nonce);
	EVP_EncryptUpdate(ctx, NULL, &n, aad, aad_len);
	EVP_EncryptUpdate(ctx, record + 5 + prefix, &n, inner, len);
	EVP_EncryptFinal_ex(ctx, record + 5 + prefix + len, &n);
	EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, TAG,
			    record + 5 + prefix + len);
	EVP_CIPHER_CTX_free(ctx);
	wire->seq++;
	ASSERT_TRUE(write_all(wire->fd, record, 5 + prefix + len + TAG));
}

void wire_write(struct wire *wire, uint8_t type, const void *bytes, size_t len)
{
	wire_write_padded(wire, type, bytes, len, 0);
}

void wire_write_bad(struct wire *wire, uint8_t outer, size_t len)
{
	uint8_t record[5 + 65536];

	make_header(record, outer, len);
	pattern_fill(record + 5, len, 4711);
	ASSERT_TRUE(write_all(wire->fd, record, 5 + len));
}

void wire_key_update(struct wire *wire, uint8_t request)
{
	const uint8_t message[] = { 24, 0, 0, 1, request };

	wire_write(wire, TYPE_HANDSHAKE, message, sizeof(message));
	wire_update(wire);
}

static bool wire_open(struct wire *wire, const uint8_t header[5],
		      struct wire_record *record)
{
	size_t prefix = wire->version == 0x0303 ? 8 : 0, aad_len;
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	uint8_t nonce[12], aad[13];
	bool ok;
	int n;

	ASSERT_GE(record->len, prefix + TAG);
	record->len -= prefix + TAG;
	wire_nonce(wire, nonce);
	if (prefix)
		memcpy(nonce + 4, record->bytes, 8);
	aad_len = wire_aad(wire, header, record->len, aad);
	EVP_DecryptInit_ex(ctx, EVP_aes_128_gcm(), NULL, wire->key, nonce);
	EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, TAG,
			    record->bytes + prefix + record->len);
	EVP_DecryptUpdate(ctx, NULL, &n, aad, aad_len);
	EVP_DecryptUpdate(ctx, record->bytes, &n, record->bytes + prefix,
			  record->len);
	ok = EVP_DecryptFinal_ex(ctx, record->bytes + record->len, &n) == 1;
	EVP_CIPHER_CTX_free(ctx);
	return ok;
}

bool wire_read(struct wire *wire, struct wire_record *record)
{
	uint8_t header[5];

	if (!read_all(wire->fd, header, sizeof(header)))
		return false;
	record->outer = record->type = header[0];
	record->len = record->wire_len = header[3] << 8 | header[4];
	ASSERT_LE(record->len, sizeof(record->bytes));
	ASSERT_TRUE(read_all(wire->fd, record->bytes, record->len));
	if (!wire->version)
		return true;
	ASSERT_TRUE(wire_open(wire, header, record));
	wire->seq++;
	if (wire->version == 0x0304) {
		while (record->len && !record->bytes[record->len - 1])
			record->len--;
		ASSERT_GE(record->len, 1);
		record->type = record->bytes[--record->len];
	}
	return true;
}

void wire_expect_alert(struct wire *wire, uint8_t description)
{
	static struct wire_record record;

	ASSERT_TRUE(wire_read(wire, &record));
	EXPECT_EQ(record.type, TYPE_ALERT);
	EXPECT_EQ(record.len, 2);
	EXPECT_EQ(record.bytes[1], description);
}

void wire_expect_data(struct wire *wire, const void *bytes, size_t len)
{
	static struct wire_record record;

	ASSERT_TRUE(wire_read(wire, &record));
	ASSERT_EQ(record.type, TYPE_DATA);
	ASSERT_EQ(record.len, len);
	EXPECT_EQ(memcmp(record.bytes, bytes, len), 0);
}

void wire_expect_key_update(struct wire *wire, uint8_t request)
{
	static struct wire_record record;

	ASSERT_TRUE(wire_read(wire, &record));
	ASSERT_EQ(record.type, TYPE_HANDSHAKE);
	ASSERT_EQ(record.len, 5);
	EXPECT_EQ(memcmp(record.bytes, "\30\0\0\1", 4), 0);
	EXPECT_EQ(record.bytes[4], request);
	wire_update(wire);
}

bool wire_is_silent(struct wire *wire, int ms)
{
	return poll_for(wire->fd, POLLIN, ms) == 0;
}
