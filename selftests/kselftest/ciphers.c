// SPDX-License-Identifier: MIT
/*
 * Every record protection of <linux/tls.h> and <linux/socktls.h>, with keys by
 * TLS_TX and TLS_RX.
 */
#include "util.h"

#include <linux/tls.h>

/* Longer than any, for a value that is too long. */
union key {
	struct tls_crypto_info		info;
	struct socktls_crypto_info_cbc	cbc;
	unsigned char			bytes[128];
};

/* @needs: what a kernel may lack, by its name in /proc/crypto */
struct protection {
	uint16_t	version;
	uint16_t	cipher;
	socklen_t	len;
	const char	*needs;
	uint8_t		key_len;	/* these: block ciphers */
	uint8_t		mac_len;
	uint32_t	flags;
};

struct keyed {
	const struct protection	*p;
	struct pair		pair;
	union key		key;
	char			buf[1024];
};

/* All, and those that are block ciphers. */
FIXTURE(cipher) { struct keyed k; };
FIXTURE_VARIANT(cipher) { struct protection p; };
FIXTURE(cbc) { struct keyed k; };
FIXTURE_VARIANT(cbc) { struct protection p; };

#define AEAD(_name, _version, _cipher, _type, _needs)			\
	FIXTURE_VARIANT_ADD(cipher, _name) { {				\
		.version = TLS_1_##_version##_VERSION,			\
		.cipher = (_cipher), .len = sizeof(struct _type),	\
		.needs = (_needs),					\
	} }

AEAD(tls12_aes128_gcm, 2, TLS_CIPHER_AES_GCM_128,
     tls12_crypto_info_aes_gcm_128, NULL);
AEAD(tls13_aes128_gcm, 3, TLS_CIPHER_AES_GCM_128,
     tls12_crypto_info_aes_gcm_128, NULL);
AEAD(tls12_aes256_gcm, 2, TLS_CIPHER_AES_GCM_256,
     tls12_crypto_info_aes_gcm_256, NULL);
AEAD(tls13_aes256_gcm, 3, TLS_CIPHER_AES_GCM_256,
     tls12_crypto_info_aes_gcm_256, NULL);
AEAD(tls12_chacha20, 2, TLS_CIPHER_CHACHA20_POLY1305,
     tls12_crypto_info_chacha20_poly1305, NULL);
AEAD(tls13_chacha20, 3, TLS_CIPHER_CHACHA20_POLY1305,
     tls12_crypto_info_chacha20_poly1305, NULL);
AEAD(tls12_aes128_ccm, 2, TLS_CIPHER_AES_CCM_128,
     tls12_crypto_info_aes_ccm_128, NULL);
AEAD(tls13_aes128_ccm, 3, TLS_CIPHER_AES_CCM_128,
     tls12_crypto_info_aes_ccm_128, NULL);
AEAD(tls12_aes256_ccm, 2, SOCKTLS_CIPHER_AES_256_CCM,
     socktls_crypto_info_aes_256_ccm, NULL);
AEAD(tls12_aes128_ccm_8, 2, SOCKTLS_CIPHER_AES_128_CCM_8,
     tls12_crypto_info_aes_ccm_128, NULL);
AEAD(tls12_aes256_ccm_8, 2, SOCKTLS_CIPHER_AES_256_CCM_8,
     socktls_crypto_info_aes_256_ccm, NULL);
AEAD(tls12_sm4_gcm, 2, TLS_CIPHER_SM4_GCM, tls12_crypto_info_sm4_gcm, "sm4");
AEAD(tls13_sm4_gcm, 3, TLS_CIPHER_SM4_GCM, tls12_crypto_info_sm4_gcm, "sm4");
AEAD(tls12_sm4_ccm, 2, TLS_CIPHER_SM4_CCM, tls12_crypto_info_sm4_ccm, "sm4");
AEAD(tls13_sm4_ccm, 3, TLS_CIPHER_SM4_CCM, tls12_crypto_info_sm4_ccm, "sm4");
AEAD(tls12_aria128_gcm, 2, TLS_CIPHER_ARIA_GCM_128,
     tls12_crypto_info_aria_gcm_128, "aria");
AEAD(tls12_aria256_gcm, 2, TLS_CIPHER_ARIA_GCM_256,
     tls12_crypto_info_aria_gcm_256, "aria");

#define CBC_WAY(_fixture, _name, _cipher, _key, _mac, _flags)		\
	FIXTURE_VARIANT_ADD(_fixture, _name) { {			\
		.version = TLS_1_2_VERSION,				\
		.cipher = (_cipher),					\
		.len = sizeof(struct socktls_crypto_info_cbc),		\
		.key_len = (_key), .mac_len = (_mac), .flags = (_flags), \
	} }
#define CBC(_name, _cipher, _key, _mac)					\
	CBC_WAY(cipher, _name, _cipher, _key, _mac, 0);			\
	CBC_WAY(cipher, _name##_etm, _cipher, _key, _mac,		\
		SOCKTLS_CBC_ENCRYPT_THEN_MAC);				\
	CBC_WAY(cbc, _name, _cipher, _key, _mac, 0);			\
	CBC_WAY(cbc, _name##_etm, _cipher, _key, _mac,			\
		SOCKTLS_CBC_ENCRYPT_THEN_MAC)

CBC(aes128_cbc_sha1, SOCKTLS_CIPHER_AES_128_CBC_HMAC_SHA1, 16, 20);
CBC(aes256_cbc_sha1, SOCKTLS_CIPHER_AES_256_CBC_HMAC_SHA1, 32, 20);
CBC(aes128_cbc_sha256, SOCKTLS_CIPHER_AES_128_CBC_HMAC_SHA256, 16, 32);
CBC(aes256_cbc_sha256, SOCKTLS_CIPHER_AES_256_CBC_HMAC_SHA256, 32, 32);
CBC(aes256_cbc_sha384, SOCKTLS_CIPHER_AES_256_CBC_HMAC_SHA384, 32, 48);

/* Bytes that differ by @seed; the record number is small. */
static void make_key(union key *key, const struct protection *v, int seed)
{
	memset(key, 0, sizeof(*key));
	if (v->key_len) {
		pattern_fill(key->cbc.key, v->key_len, seed * 4096 + 77);
		pattern_fill(key->cbc.mac_key, v->mac_len, seed * 4096 + 177);
		key->cbc.flags = v->flags;
		key->cbc.rec_seq[7] = 5;
	} else {
		pattern_fill(key->bytes, v->len, seed * 4096 + 77);
		memset(key->bytes + v->len - 8, 0, 7);
		key->bytes[v->len - 1] = 5;
	}
	key->info.version = v->version;
	key->info.cipher_type = v->cipher;
}

/* Has it been found before, or can it be loaded? */
static bool kernel_has(const char *name)
{
	char line[256], want[64];
	bool found = false;
	FILE *file = fopen("/proc/crypto", "r");

	snprintf(want, sizeof(want), ": %s\n", name);
	while (file && !found && fgets(line, sizeof(line), file))
		found = !strncmp(line, "name", 4) && strstr(line, want);
	if (file)
		fclose(file);
	return found;
}

static void keyed_init(struct keyed *k, const struct protection *p)
{
	k->p = p;
	tcp_pair(AF_INET, &k->pair.client, &k->pair.server);
	ASSERT_EQ(tls_attach(k->pair.client), 0);
	ASSERT_EQ(tls_attach(k->pair.server), 0);
	make_key(&k->key, p, 0);
}

FIXTURE_SETUP(cipher)
{
	keyed_init(&self->k, &variant->p);
}

FIXTURE_SETUP(cbc)
{
	keyed_init(&self->k, &variant->p);
}

/* Keys a direction; skips where the kernel says that it lacks the cipher. */
static void key_one(struct keyed *k, int fd, int opt, const union key *key)
{
	int ret = tls_set(fd, opt, key, k->p->len);

	if (ret && errno == ENOENT && k->p->needs && !kernel_has(k->p->needs)) {
		/* nothing has changed by that */
		expect_ping(k->pair.client, k->pair.server);
		harness_skip("this kernel has no %s", k->p->needs);
	}
	ASSERT_EQ(ret, 0);
}

/* From client to server, with @rx or the same key there. */
static void key_up(struct keyed *k, const union key *rx)
{
	key_one(k, k->pair.client, TLS_TX, &k->key);
	key_one(k, k->pair.server, TLS_RX, rx ? rx : &k->key);
}

static void pass(int from, int to, size_t len)
{
	struct flow out = { .fd = from, .len = len, .writing = true };
	struct flow in = { .fd = to, .len = len };

	flow_start(&out);
	flow_start(&in);
	ASSERT_TRUE(flow_join(&out) & flow_join(&in));
}

TEST_F(cipher, carries_data_both_ways)
{
	static const size_t sizes[] = { 1, 100, 16385, 50000 };
	struct keyed *k = &self->k;
	union key down;
	unsigned int i;

	key_up(k, NULL);
	make_key(&down, k->p, 1);
	key_one(k, k->pair.server, TLS_TX, &down);
	key_one(k, k->pair.client, TLS_RX, &down);
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		pass(k->pair.client, k->pair.server, sizes[i]);
		pass(k->pair.server, k->pair.client, sizes[i]);
	}
}

static void expect_bad_record(struct keyed *k, const union key *rx)
{
	key_up(k, rx);
	ASSERT_EQ(write(k->pair.client, k->buf, 100), 100);
	EXPECT_ERRNO(recv(k->pair.server, k->buf, 100, 0), EBADMSG);
}

TEST_F(cipher, other_key_opens_nothing)
{
	union key other;

	make_key(&other, &variant->p, 2);
	expect_bad_record(&self->k, &other);
}

TEST_F(cipher, key_is_told_as_it_was_set)
{
	struct keyed *k = &self->k;
	union key told = { 0 };
	socklen_t len = k->p->len;
	uint8_t *seq = k->p->key_len ? told.cbc.rec_seq :
				       told.bytes + len - 8;

	key_up(k, NULL);
	expect_ping(k->pair.client, k->pair.server);
	ASSERT_EQ(tls_get(k->pair.server, TLS_RX, &told, &len), 0);
	EXPECT_EQ(len, k->p->len);
	EXPECT_EQ(seq[7], 6);
	seq[7] = 5;
	/* as in stock kTLS, explicit nonces are counted in both directions */
	if (!k->p->key_len && k->p->version == TLS_1_2_VERSION &&
	    k->p->cipher != TLS_CIPHER_CHACHA20_POLY1305)
		told.bytes[11]--;
	EXPECT_EQ(memcmp(&told, &k->key, k->p->len), 0);
}

TEST_F(cipher, value_of_other_length_is_refused)
{
	struct keyed *k = &self->k;
	int fd = k->pair.client;

	EXPECT_ERRNO(tls_set(fd, TLS_TX, &k->key, k->p->len - 1), EINVAL);
	EXPECT_ERRNO(tls_set(fd, TLS_TX, &k->key, k->p->len + 1), EINVAL);
	EXPECT_ERRNO(tls_set(fd, TLS_TX, &k->key, sizeof(k->key)), EINVAL);
	expect_ping(fd, k->pair.server);
}

/* ---- block ciphers ---- */

static void expect_refused(struct keyed *k, const union key *bad)
{
	EXPECT_ERRNO(tls_set(k->pair.client, TLS_TX, bad, k->p->len), EINVAL);
}

TEST_F(cbc, value_is_checked)
{
	struct keyed *k = &self->k;
	union key bad;
	int bit;

	for (bit = 1; bit < 32; bit++) {
		bad = k->key;
		bad.cbc.flags |= 1u << bit;
		expect_refused(k, &bad);
	}
	if (k->p->key_len < sizeof(bad.cbc.key)) {
		bad = k->key;
		bad.cbc.key[k->p->key_len] = 1;
		expect_refused(k, &bad);
		bad.cbc.key[k->p->key_len] = 0;
		bad.cbc.key[sizeof(bad.cbc.key) - 1] = 1;
		expect_refused(k, &bad);
	}
	if (k->p->mac_len < sizeof(bad.cbc.mac_key)) {
		bad = k->key;
		bad.cbc.mac_key[k->p->mac_len] = 1;
		expect_refused(k, &bad);
	}
	bad = k->key;
	bad.info.version = TLS_1_3_VERSION;
	expect_refused(k, &bad);
	expect_ping(k->pair.client, k->pair.server);
}

/* RFC 5246 section 6.2.3.2 and RFC 7366: what is where on the wire. */
TEST_F(cbc, records_have_the_length_of_their_way)
{
	struct keyed *k = &self->k;
	size_t inner = 100 + (k->p->flags ? 0 : k->p->mac_len);
	size_t want = 16 + inner + 16 - inner % 16;
	unsigned char header[5];

	if (k->p->flags)
		want += k->p->mac_len;
	key_one(k, k->pair.client, TLS_TX, &k->key);
	ASSERT_EQ(write(k->pair.client, k->buf, 100), 100);
	/* not keyed there */
	ASSERT_TRUE(read_all(k->pair.server, header, 5));
	EXPECT_EQ(header[0], 23);
	EXPECT_EQ(header[3] << 8 | header[4], want);
	EXPECT_EQ(recv(k->pair.server, k->buf, 1000, 0), (ssize_t)want);
}

TEST_F(cbc, ways_do_not_mix)
{
	union key other = self->k.key;

	other.cbc.flags ^= SOCKTLS_CBC_ENCRYPT_THEN_MAC;
	expect_bad_record(&self->k, &other);
}

TEST_F(cbc, other_mac_key_opens_nothing)
{
	union key other = self->k.key;

	other.cbc.mac_key[variant->p.mac_len - 1] ^= 1;
	expect_bad_record(&self->k, &other);
}

int main(int argc, char **argv)
{
	return harness_main(argc, argv);
}
