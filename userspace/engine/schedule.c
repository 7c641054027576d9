// SPDX-License-Identifier: MIT
#include <errno.h>
#include <string.h>

#include "engine/kdf.h"
#include "engine/schedule.h"

static int derive_secret(const struct schedule *s, const char *label,
			 const struct digest *hash, uint8_t *out)
{
	return kdf_expand_label(s->md, bytes_of(s->secret, s->len), label,
				digest_view(hash), out, s->len);
}

static int empty_hash(const EVP_MD *md, struct digest *hash)
{
	unsigned int len = 0;

	if (EVP_Digest("", 0, hash->data, &len, md, NULL) != 1)
		return -EIO;
	hash->len = len;
	return 0;
}

/* The step down the figure: Derive-Secret(., "derived", "") and Extract. */
static int descend(struct schedule *s, struct engine_bytes ikm)
{
	uint8_t derived[HASH_MAX];
	struct digest empty;
	int ret;

	ret = empty_hash(s->md, &empty);
	if (!ret)
		ret = derive_secret(s, "derived", &empty, derived);
	if (!ret)
		ret = kdf_extract(s->md, bytes_of(derived, s->len), ikm,
				  s->secret);
	OPENSSL_cleanse(derived, sizeof(derived));
	return ret;
}

int schedule_early(struct schedule *s, const EVP_MD *md,
		   struct engine_bytes psk)
{
	static const uint8_t zeros[HASH_MAX];

	s->md = md;
	s->len = EVP_MD_get_size(md);
	if (!psk.len)
		psk = bytes_of(zeros, s->len);
	return kdf_extract(md, bytes_of(NULL, 0), psk, s->secret);
}

int schedule_binder_key(const struct schedule *s, const char *label,
			uint8_t *key)
{
	struct digest empty;
	int ret;

	ret = empty_hash(s->md, &empty);
	if (ret)
		return ret;
	return derive_secret(s, label, &empty, key);
}

int schedule_handshake(struct schedule *s, struct engine_bytes shared,
		       const struct digest *hash)
{
	int ret;

	ret = descend(s, shared);
	if (!ret)
		ret = derive_secret(s, "c hs traffic", hash,
				    s->client_handshake);
	if (!ret)
		ret = derive_secret(s, "s hs traffic", hash,
				    s->server_handshake);
	return ret;
}

int schedule_application(struct schedule *s, const struct digest *hash)
{
	static const uint8_t zeros[HASH_MAX];
	int ret;

	ret = descend(s, bytes_of(zeros, s->len));
	if (!ret)
		ret = derive_secret(s, "c ap traffic", hash,
				    s->client_application);
	if (!ret)
		ret = derive_secret(s, "s ap traffic", hash,
				    s->server_application);
	if (!ret)
		ret = derive_secret(s, "exp master", hash, s->exporter_master);
	return ret;
}

int schedule_resumption(struct schedule *s, const struct digest *hash)
{
	return derive_secret(s, "res master", hash, s->resumption_master);
}

int schedule_finished(const EVP_MD *md, const uint8_t *secret,
		      const struct digest *hash, struct digest *verify_data)
{
	size_t len = EVP_MD_get_size(md);
	uint8_t key[HASH_MAX];
	struct engine_bytes part = digest_view(hash);
	int ret;

	ret = kdf_expand_label(md, bytes_of(secret, len), "finished",
			       bytes_of(NULL, 0), key, len);
	if (!ret)
		ret = kdf_hmac(md, bytes_of(key, len), &part, 1,
			       verify_data->data);
	verify_data->len = len;
	OPENSSL_cleanse(key, sizeof(key));
	return ret;
}

int schedule_traffic_key(const struct suite *suite, const uint8_t *secret,
			 struct engine_key *key)
{
	const EVP_MD *md = suite->md();
	struct engine_bytes base = bytes_of(secret, EVP_MD_get_size(md));
	int ret;

	key->cipher = suite->cipher;
	key->key_len = suite->key_len;
	key->iv_len = suite->iv_len;
	ret = kdf_expand_label(md, base, "key", bytes_of(NULL, 0), key->key,
			       key->key_len);
	if (ret)
		return ret;
	return kdf_expand_label(md, base, "iv", bytes_of(NULL, 0), key->iv,
				key->iv_len);
}

void schedule_wipe(struct schedule *s)
{
	OPENSSL_cleanse(s, sizeof(*s));
}

int schedule12_master(struct schedule12 *s, const struct suite *suite,
		      struct engine_bytes premaster,
		      const struct digest *session_hash)
{
	if (session_hash)
		return kdf_prf(suite->md(), premaster, "extended master secret",
			       digest_view(session_hash), bytes_of(NULL, 0),
			       s->master, MASTER_LEN);
	return kdf_prf(suite->md(), premaster, "master secret",
		       bytes_of(s->client_random, RANDOM_LEN),
		       bytes_of(s->server_random, RANDOM_LEN),
		       s->master, MASTER_LEN);
}

static void take(struct reader *block, uint8_t *out, size_t len)
{
	struct engine_bytes bytes = reader_bytes(block, len);

	if (bytes.len)
		memcpy(out, bytes.data, bytes.len);
}

static void key_lengths(const struct suite *suite, struct engine_key *key)
{
	key->cipher = suite->cipher;
	key->key_len = suite->key_len;
	key->iv_len = suite->iv_len;
	key->mac_key_len = suite->mac_len;
}

int schedule12_key_block(const struct schedule12 *s, const struct suite *suite,
			 struct engine_key *client, struct engine_key *server)
{
	uint8_t block[2 * (ENGINE_SECRET_MAX + ENGINE_KEY_MAX + ENGINE_IV_MAX)];
	size_t len = 2 * (suite->mac_len + suite->key_len + suite->iv_len);
	struct reader r = reader_of(bytes_of(block, len));
	int ret;

	key_lengths(suite, client);
	key_lengths(suite, server);
	ret = kdf_prf(suite->md(), bytes_of(s->master, MASTER_LEN),
		      "key expansion", bytes_of(s->server_random, RANDOM_LEN),
		      bytes_of(s->client_random, RANDOM_LEN), block, len);
	if (!ret) {
		take(&r, client->mac_key, suite->mac_len);
		take(&r, server->mac_key, suite->mac_len);
		take(&r, client->key, suite->key_len);
		take(&r, server->key, suite->key_len);
		take(&r, client->iv, suite->iv_len);
		take(&r, server->iv, suite->iv_len);
	}
	OPENSSL_cleanse(block, sizeof(block));
	return ret;
}

int schedule12_finished(const struct schedule12 *s, const struct suite *suite,
			bool client, const struct digest *hash,
			struct digest *verify_data)
{
	verify_data->len = FINISHED12_LEN;
	return kdf_prf(suite->md(), bytes_of(s->master, MASTER_LEN),
		       client ? "client finished" : "server finished",
		       digest_view(hash), bytes_of(NULL, 0),
		       verify_data->data, verify_data->len);
}
