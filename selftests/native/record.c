// SPDX-License-Identifier: MIT
#include <string.h>

#include <linux/tls.h>

#include <openssl/evp.h>
#include <openssl/rand.h>

#include "record.h"

#define HEADER	5
#define TAG_MAX	16
#define BLOCK	16

/* How each cipher is called by libcrypto; mac: a block cipher with HMAC. */
static const struct cipher {
	uint16_t	number;
	const char	*name;
	const char	*mac;
	unsigned int	explicit_nonce;		/* in TLS 1.2 */
	unsigned int	tag;
} ciphers[] = {
	{ TLS_CIPHER_AES_GCM_128, "AES-128-GCM", NULL, 8, 16 },
	{ TLS_CIPHER_AES_GCM_256, "AES-256-GCM", NULL, 8, 16 },
	{ TLS_CIPHER_AES_CCM_128, "AES-128-CCM", NULL, 8, 16 },
	{ SOCKTLS_CIPHER_AES_256_CCM, "AES-256-CCM", NULL, 8, 16 },
	{ SOCKTLS_CIPHER_AES_128_CCM_8, "AES-128-CCM", NULL, 8, 8 },
	{ SOCKTLS_CIPHER_AES_256_CCM_8, "AES-256-CCM", NULL, 8, 8 },
	{ TLS_CIPHER_CHACHA20_POLY1305, "ChaCha20-Poly1305", NULL, 0, 16 },
	{ SOCKTLS_CIPHER_AES_128_CBC_HMAC_SHA1, "AES-128-CBC", "SHA1", 0, 0 },
	{ SOCKTLS_CIPHER_AES_256_CBC_HMAC_SHA1, "AES-256-CBC", "SHA1", 0, 0 },
	{ SOCKTLS_CIPHER_AES_128_CBC_HMAC_SHA256, "AES-128-CBC", "SHA256", 0, 0 },
	{ SOCKTLS_CIPHER_AES_256_CBC_HMAC_SHA256, "AES-256-CBC", "SHA256", 0, 0 },
	{ SOCKTLS_CIPHER_AES_256_CBC_HMAC_SHA384, "AES-256-CBC", "SHA384", 0, 0 },
};

static const struct cipher *cipher_of(const struct record_keys *keys)
{
	size_t i;

	for (i = 0; i < sizeof(ciphers) / sizeof(ciphers[0]); i++)
		if (ciphers[i].number == keys->key.cipher)
			return &ciphers[i];
	return NULL;
}

static void put16(uint8_t *at, unsigned int value)
{
	at[0] = value >> 8;
	at[1] = value;
}

static void put64(uint8_t *at, uint64_t value)
{
	int i;

	for (i = 7; i >= 0; i--, value >>= 8)
		at[i] = value;
}

static void put_header(uint8_t *wire, uint8_t type, size_t len)
{
	wire[0] = type;
	put16(wire + 1, 0x0303);
	put16(wire + 3, len);
}

void record_rekey(struct record_keys *keys, uint16_t version,
		  const struct engine_key *key)
{
	keys->key = *key;
	keys->keyed = true;
	keys->version = version;
	keys->sequence = 0;
}

/* ---------------------------------------------------------------- AEADs */

/* RFC 8446 section 5.3 and RFC 7905: IV xor sequence; else RFC 5288. */
static void make_nonce(const struct record_keys *keys,
		       const uint8_t *explicit_nonce, uint8_t nonce[12])
{
	int i;

	memcpy(nonce, keys->key.iv, keys->key.iv_len);
	if (keys->key.iv_len == 4) {
		memcpy(nonce + 4, explicit_nonce, 8);
		return;
	}
	for (i = 0; i < 8; i++)
		nonce[4 + i] ^= keys->sequence >> (8 * (7 - i));
}

/* What is authenticated besides: the header, or RFC 5246 section 6.2.3.3. */
static size_t make_aad(const struct record_keys *keys, const uint8_t *header,
		       uint8_t type, size_t plain_len, uint8_t aad[13])
{
	if (keys->version >= 0x0304) {
		memcpy(aad, header, HEADER);
		return HEADER;
	}
	put64(aad, keys->sequence);
	aad[8] = type;
	put16(aad + 9, 0x0303);
	put16(aad + 11, plain_len);
	return 13;
}

static bool aead(const struct record_keys *keys, bool seal,
		 const uint8_t nonce[12], const uint8_t *aad, size_t aad_len,
		 const uint8_t *in, size_t len, uint8_t *out, uint8_t *tag)
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	EVP_CIPHER *cipher = EVP_CIPHER_fetch(NULL, cipher_of(keys)->name,
					      NULL);
	bool ccm = EVP_CIPHER_get_mode(cipher) == EVP_CIPH_CCM_MODE;
	int tag_len = cipher_of(keys)->tag;
	int n;
	bool good;

	good = EVP_CipherInit_ex2(ctx, cipher, NULL, NULL, seal, NULL) == 1 &&
	       EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_IVLEN, 12, NULL) ==
		       1 &&
	       (seal && !ccm ? 1 :
		EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, tag_len,
				    seal ? NULL : tag) == 1) &&
	       EVP_CipherInit_ex2(ctx, NULL, keys->key.key, nonce, seal,
				  NULL) == 1 &&
	       (!ccm || EVP_CipherUpdate(ctx, NULL, &n, NULL, len) == 1) &&
	       EVP_CipherUpdate(ctx, NULL, &n, aad, aad_len) == 1 &&
	       EVP_CipherUpdate(ctx, out, &n, in, len) == 1 &&
	       (ccm || EVP_CipherFinal_ex(ctx, out + n, &n) == 1) &&
	       (!seal || EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG,
					     tag_len, tag) == 1);
	EVP_CIPHER_free(cipher);
	EVP_CIPHER_CTX_free(ctx);
	return good;
}

static int seal_aead(struct record_keys *keys, uint8_t type,
		     const uint8_t *plain, size_t len, uint8_t *wire)
{
	unsigned int explicit_len = keys->version >= 0x0304 ? 0 :
				    cipher_of(keys)->explicit_nonce;
	uint8_t inner[RECORD_PLAIN_MAX + 1];
	uint8_t nonce[12], aad[13];
	uint8_t *body = wire + HEADER;
	size_t aad_len;

	memcpy(inner, plain, len);
	if (keys->version >= 0x0304) {
		inner[len++] = type;
		type = RECORD_DATA;
	}
	put_header(wire, type, explicit_len + len + cipher_of(keys)->tag);
	put64(nonce, keys->sequence);
	memcpy(body, nonce, explicit_len);
	make_nonce(keys, body, nonce);
	aad_len = make_aad(keys, wire, type, len, aad);
	body += explicit_len;
	if (!aead(keys, true, nonce, aad, aad_len, inner, len, body,
		  body + len))
		return -1;
	return HEADER + explicit_len + len + cipher_of(keys)->tag;
}

/* The inner type is the last byte that is not zero (section 5.4). */
static int strip_padding(uint8_t *type, const uint8_t *plain, int len)
{
	while (len && !plain[len - 1])
		len--;
	if (!len)
		return -1;
	*type = plain[len - 1];
	return len - 1;
}

static int open_aead(struct record_keys *keys, const uint8_t *wire, size_t len,
		     uint8_t *type, uint8_t *plain)
{
	unsigned int explicit_len = keys->version >= 0x0304 ? 0 :
				    cipher_of(keys)->explicit_nonce;
	const uint8_t *body = wire + HEADER;
	uint8_t nonce[12], aad[13], tag[TAG_MAX];
	size_t tag_len = cipher_of(keys)->tag;
	size_t aad_len;

	len -= HEADER;
	if (len < explicit_len + tag_len)
		return -1;
	make_nonce(keys, body, nonce);
	body += explicit_len;
	len -= explicit_len + tag_len;
	aad_len = make_aad(keys, wire, *type, len, aad);
	memcpy(tag, body + len, tag_len);
	if (!aead(keys, false, nonce, aad, aad_len, body, len, plain, tag))
		return -1;
	return keys->version >= 0x0304 ? strip_padding(type, plain, len) :
					 (int)len;
}

/* -------------------------------------------------------- block ciphers */

static bool cbc(const struct record_keys *keys, bool seal, const uint8_t *iv,
		const uint8_t *in, size_t len, uint8_t *out)
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	EVP_CIPHER *cipher = EVP_CIPHER_fetch(NULL, cipher_of(keys)->name,
					      NULL);
	int n = 0;
	bool good;

	good = EVP_CipherInit_ex2(ctx, cipher, keys->key.key, iv, seal,
				  NULL) == 1 &&
	       EVP_CIPHER_CTX_set_padding(ctx, 0) == 1 &&
	       EVP_CipherUpdate(ctx, out, &n, in, len) == 1 && n == (int)len;
	EVP_CIPHER_free(cipher);
	EVP_CIPHER_CTX_free(ctx);
	return good;
}

/* MAC over the pseudo header with @len, and @data: RFC 5246 section 6.2.3.1. */
static bool mac(const struct record_keys *keys, uint8_t type,
		const uint8_t *data, size_t len, uint8_t *out)
{
	uint8_t message[13 + RECORD_WIRE_MAX];

	put64(message, keys->sequence);
	message[8] = type;
	put16(message + 9, 0x0303);
	put16(message + 11, len);
	memcpy(message + 13, data, len);
	return EVP_Q_mac(NULL, "HMAC", NULL, cipher_of(keys)->mac, NULL,
			 keys->key.mac_key, keys->key.mac_key_len, message,
			 13 + len, out, EVP_MAX_MD_SIZE, NULL);
}

static size_t pad(uint8_t *data, size_t len)
{
	size_t padding = BLOCK - 1 - len % BLOCK;

	memset(data + len, padding, padding + 1);
	return len + padding + 1;
}

static int seal_cbc(struct record_keys *keys, uint8_t type,
		    const uint8_t *plain, size_t len, uint8_t *wire)
{
	bool etm = keys->key.flags & SOCKTLS_KEY_ENCRYPT_THEN_MAC;
	uint8_t inner[RECORD_WIRE_MAX + EVP_MAX_MD_SIZE];
	uint8_t *iv = wire + HEADER, *body = iv + BLOCK;
	size_t mac_len = keys->key.mac_key_len;

	memcpy(inner, plain, len);
	if (!etm && !mac(keys, type, plain, len, inner + len))
		return -1;
	len = pad(inner, len + (etm ? 0 : mac_len));
	if (RAND_bytes(iv, BLOCK) != 1 || !cbc(keys, true, iv, inner, len,
					       body))
		return -1;
	len += BLOCK;
	/* RFC 7366: over IV and ciphertext. */
	if (etm && !mac(keys, type, iv, len, iv + len))
		return -1;
	len += etm ? mac_len : 0;
	put_header(wire, type, len);
	return HEADER + len;
}

static int open_cbc(struct record_keys *keys, const uint8_t *wire, size_t len,
		    uint8_t type, uint8_t *plain)
{
	bool etm = keys->key.flags & SOCKTLS_KEY_ENCRYPT_THEN_MAC;
	size_t mac_len = keys->key.mac_key_len;
	const uint8_t *iv = wire + HEADER;
	uint8_t expected[EVP_MAX_MD_SIZE];
	size_t padding, i;

	len -= HEADER;
	if (etm) {
		if (len < BLOCK + mac_len)
			return -1;
		len -= mac_len;
		if (!mac(keys, type, iv, len, expected) ||
		    CRYPTO_memcmp(expected, iv + len, mac_len))
			return -1;
	}
	if (len < 2 * BLOCK || len % BLOCK)
		return -1;
	len -= BLOCK;
	if (!cbc(keys, false, iv, iv + BLOCK, len, plain))
		return -1;
	padding = plain[len - 1] + 1;
	if (padding + (etm ? 0 : mac_len) > len)
		return -1;
	for (i = 1; i <= padding; i++)
		if (plain[len - i] != padding - 1)
			return -1;
	len -= padding;
	if (etm)
		return len;
	len -= mac_len;
	if (!mac(keys, type, plain, len, expected) ||
	    CRYPTO_memcmp(expected, plain + len, mac_len))
		return -1;
	return len;
}

/* --------------------------------------------------------------- either */

int record_seal(struct record_keys *keys, uint8_t type, const uint8_t *plain,
		size_t len, uint8_t *wire)
{
	int ret;

	if (!keys->keyed) {
		put_header(wire, type, len);
		memcpy(wire + HEADER, plain, len);
		return HEADER + len;
	}
	if (cipher_of(keys)->mac)
		ret = seal_cbc(keys, type, plain, len, wire);
	else
		ret = seal_aead(keys, type, plain, len, wire);
	keys->sequence++;
	return ret;
}

int record_open(struct record_keys *keys, const uint8_t *wire, size_t len,
		uint8_t *type, uint8_t *plain)
{
	int ret;

	*type = wire[0];
	if (!keys->keyed) {
		memcpy(plain, wire + HEADER, len - HEADER);
		return len - HEADER;
	}
	if (keys->version >= 0x0304 && *type != RECORD_DATA)
		return -1;
	if (cipher_of(keys)->mac)
		ret = open_cbc(keys, wire, len, *type, plain);
	else
		ret = open_aead(keys, wire, len, type, plain);
	keys->sequence++;
	return ret > RECORD_PLAIN_MAX ? -1 : ret;
}
