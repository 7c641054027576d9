// SPDX-License-Identifier: MIT
/*
 * Key exchange: X25519, X448, NIST curves, RFC 7919 groups, and the hybrid
 * X25519MLKEM768 where libcrypto has ML-KEM (>= 3.5; looked up at run time).
 */
#include <errno.h>
#include <pthread.h>
#include <string.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/dh.h>
#include <openssl/ec.h>
#include <openssl/objects.h>
#include <openssl/param_build.h>

#include "engine/groups.h"

#define HYBRID "X25519MLKEM768"

static const struct group groups[] = {
	{ 0x11ec, HYBRID, GROUP_KEM, HYBRID, NULL, 1216, 1120 },
	{ 0x001d, "x25519", GROUP_MONTGOMERY, "X25519", NULL, 32, 32 },
	{ 0x0017, "secp256r1", GROUP_WEIERSTRASS, "EC", "P-256", 65, 65 },
	{ 0x001e, "x448", GROUP_MONTGOMERY, "X448", NULL, 56, 56 },
	{ 0x0018, "secp384r1", GROUP_WEIERSTRASS, "EC", "P-384", 97, 97 },
	{ 0x0019, "secp521r1", GROUP_WEIERSTRASS, "EC", "P-521", 133, 133 },
	{ 0x0100, "ffdhe2048", GROUP_FINITE_FIELD, "DH", "ffdhe2048", 256, 256 },
	{ 0x0101, "ffdhe3072", GROUP_FINITE_FIELD, "DH", "ffdhe3072", 384, 384 },
	{ 0x0102, "ffdhe4096", GROUP_FINITE_FIELD, "DH", "ffdhe4096", 512, 512 },
};

static bool have_hybrid;
static pthread_once_t hybrid_once = PTHREAD_ONCE_INIT;

static void hybrid_probe(void)
{
	EVP_KEM *kem = EVP_KEM_fetch(NULL, HYBRID, NULL);

	have_hybrid = kem;
	EVP_KEM_free(kem);
}

static bool group_available(const struct group *group)
{
	if (group->kind != GROUP_KEM)
		return true;
	pthread_once(&hybrid_once, hybrid_probe);
	return have_hybrid;
}

const struct group *group_at(size_t index)
{
	size_t i;

	for (i = 0; i < sizeof(groups) / sizeof(groups[0]); i++)
		if (group_available(&groups[i]) && !index--)
			return &groups[i];
	return NULL;
}

const struct group *group_find(uint16_t code)
{
	size_t i;

	for (i = 0; i < sizeof(groups) / sizeof(groups[0]); i++)
		if (groups[i].code == code && group_available(&groups[i]))
			return &groups[i];
	return NULL;
}

uint16_t group_code(const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(groups) / sizeof(groups[0]); i++)
		if (!strcmp(groups[i].name, name))
			return groups[i].code;
	return 0;
}

bool group_is_ecdhe(const struct group *group)
{
	return group->kind == GROUP_MONTGOMERY ||
	       group->kind == GROUP_WEIERSTRASS;
}

/* The public point for a private scalar, which fromdata() wants along. */
static EVP_PKEY *ec_key_from_scalar(const struct group *group,
				    const BIGNUM *scalar)
{
	int nid = EC_curve_nist2nid(group->parameters);
	EC_GROUP *curve = EC_GROUP_new_by_curve_name(nid);
	EC_POINT *point = curve ? EC_POINT_new(curve) : NULL;
	OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
	OSSL_PARAM *params = NULL;
	EVP_PKEY *key = NULL;
	uint8_t public[133];
	size_t len;

	if (!point || !build || !ctx ||
	    !EC_POINT_mul(curve, point, scalar, NULL, NULL, NULL))
		goto out;
	len = EC_POINT_point2oct(curve, point, POINT_CONVERSION_UNCOMPRESSED,
				 public, sizeof(public), NULL);
	if (!len ||
	    !OSSL_PARAM_BLD_push_utf8_string(build, OSSL_PKEY_PARAM_GROUP_NAME,
					     group->parameters, 0) ||
	    !OSSL_PARAM_BLD_push_octet_string(build, OSSL_PKEY_PARAM_PUB_KEY,
					      public, len) ||
	    !OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_PRIV_KEY, scalar))
		goto out;
	params = OSSL_PARAM_BLD_to_param(build);
	if (params && EVP_PKEY_fromdata_init(ctx) == 1 &&
	    EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_KEYPAIR, params) != 1)
		key = NULL;
out:
	OSSL_PARAM_free(params);
	EVP_PKEY_CTX_free(ctx);
	OSSL_PARAM_BLD_free(build);
	EC_POINT_free(point);
	EC_GROUP_free(curve);
	return key;
}

/* With a test's entropy a key pair follows from its bytes alone. */
static EVP_PKEY *generate_from_hook(const struct group *group,
				    const struct entropy *entropy)
{
	size_t len = group->kind == GROUP_MONTGOMERY ?
			group->client_share : group->client_share / 2;
	uint8_t seed[66];
	EVP_PKEY *key = NULL;
	BIGNUM *scalar;

	if (len > sizeof(seed) || !entropy_bytes(entropy, seed, len))
		return NULL;
	if (group->kind == GROUP_MONTGOMERY) {
		key = EVP_PKEY_new_raw_private_key_ex(NULL, group->algorithm,
						      NULL, seed, len);
	} else {
		if (len == sizeof(seed))	/* P-521: stay below the order */
			seed[0] = 0;
		scalar = BN_bin2bn(seed, len, NULL);
		if (scalar)
			key = ec_key_from_scalar(group, scalar);
		BN_clear_free(scalar);
	}
	OPENSSL_cleanse(seed, sizeof(seed));
	return key;
}

static EVP_PKEY *generate(const struct group *group,
			  const struct entropy *entropy)
{
	EVP_PKEY_CTX *ctx;
	EVP_PKEY *key = NULL;

	if (entropy->random && group_is_ecdhe(group))
		return generate_from_hook(group, entropy);
	ctx = EVP_PKEY_CTX_new_from_name(NULL, group->algorithm, NULL);
	if (ctx && EVP_PKEY_keygen_init(ctx) == 1 &&
	    (!group->parameters ||
	     EVP_PKEY_CTX_set_group_name(ctx, group->parameters) == 1) &&
	    EVP_PKEY_generate(ctx, &key) != 1)
		key = NULL;
	EVP_PKEY_CTX_free(ctx);
	return key;
}

static bool write_share(EVP_PKEY *key, struct writer *share)
{
	unsigned char *public = NULL;
	size_t len = EVP_PKEY_get1_encoded_public_key(key, &public);

	if (len)
		writer_bytes(share, bytes_of(public, len));
	OPENSSL_free(public);
	return len && !share->bad;
}

EVP_PKEY *group_offer(const struct group *group, const struct entropy *entropy,
		      struct writer *share)
{
	EVP_PKEY *key = generate(group, entropy);

	if (key && write_share(key, share))
		return key;
	EVP_PKEY_free(key);
	return NULL;
}

/*
 * The peer's public key, validated by libcrypto as it is decoded (points on
 * the curve, RFC 8446 section 4.2.8.2) or as it is used.
 */
static EVP_PKEY *decode_share(const struct group *group,
			      struct engine_bytes share)
{
	EVP_PKEY_CTX *ctx;
	EVP_PKEY *key = NULL;
	OSSL_PARAM params[2];

	if (group->kind == GROUP_MONTGOMERY)
		return EVP_PKEY_new_raw_public_key_ex(NULL, group->algorithm,
						      NULL, share.data,
						      share.len);
	if (group->kind == GROUP_WEIERSTRASS &&
	    share.data[0] != POINT_CONVERSION_UNCOMPRESSED)
		return NULL;
	ctx = EVP_PKEY_CTX_new_from_name(NULL, group->algorithm, NULL);
	params[0] = group->parameters ?
		OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME,
						 (char *)group->parameters, 0) :
		OSSL_PARAM_construct_end();
	params[1] = OSSL_PARAM_construct_end();
	if (!ctx || EVP_PKEY_paramgen_init(ctx) != 1 ||
	    EVP_PKEY_CTX_set_params(ctx, params) != 1 ||
	    EVP_PKEY_paramgen(ctx, &key) != 1 ||
	    EVP_PKEY_set1_encoded_public_key(key, share.data, share.len) != 1) {
		EVP_PKEY_free(key);
		key = NULL;
	}
	EVP_PKEY_CTX_free(ctx);
	return key;
}

static int derive(const struct group *group, EVP_PKEY *own, EVP_PKEY *peer,
		  struct group_secret *secret)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, own, NULL);
	int ret = -EIO;

	secret->len = sizeof(secret->data);
	if (!ctx || EVP_PKEY_derive_init(ctx) != 1)
		goto out;
	/* RFC 8446 section 7.4.1: as long as the prime. */
	if (group->kind == GROUP_FINITE_FIELD &&
	    EVP_PKEY_CTX_set_dh_pad(ctx, 1) != 1)
		goto out;
	ret = -EPROTO;
	if (EVP_PKEY_derive_set_peer(ctx, peer) == 1 &&
	    EVP_PKEY_derive(ctx, secret->data, &secret->len) == 1)
		ret = 0;
out:
	EVP_PKEY_CTX_free(ctx);
	return ret;
}

static int kem_answer(const struct group *group, struct engine_bytes peer,
		      struct writer *share, struct group_secret *secret)
{
	EVP_PKEY *key = EVP_PKEY_new_raw_public_key_ex(NULL, group->algorithm,
						       NULL, peer.data,
						       peer.len);
	EVP_PKEY_CTX *ctx;
	size_t len = group->server_share;
	uint8_t *room = writer_room(share, len);
	int ret = -EPROTO;

	if (!key)
		return -EPROTO;
	secret->len = sizeof(secret->data);
	ctx = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
	if (!ctx || !room || EVP_PKEY_encapsulate_init(ctx, NULL) != 1)
		ret = -EIO;
	else if (EVP_PKEY_encapsulate(ctx, room, &len, secret->data,
				      &secret->len) == 1)
		ret = 0;
	EVP_PKEY_CTX_free(ctx);
	EVP_PKEY_free(key);
	return ret;
}

static int kem_finish(EVP_PKEY *key, struct engine_bytes peer,
		      struct group_secret *secret)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
	int ret = -EPROTO;

	secret->len = sizeof(secret->data);
	if (!ctx || EVP_PKEY_decapsulate_init(ctx, NULL) != 1)
		ret = -EIO;
	else if (EVP_PKEY_decapsulate(ctx, secret->data, &secret->len,
				      peer.data, peer.len) == 1)
		ret = 0;
	EVP_PKEY_CTX_free(ctx);
	return ret;
}

int group_finish(const struct group *group, EVP_PKEY *key,
		 struct engine_bytes peer, struct group_secret *secret)
{
	EVP_PKEY *peer_key;
	int ret = -EPROTO;

	if (peer.len != group->server_share)
		return -EPROTO;
	if (group->kind == GROUP_KEM)
		return kem_finish(key, peer, secret);
	peer_key = decode_share(group, peer);
	if (peer_key)
		ret = derive(group, key, peer_key, secret);
	EVP_PKEY_free(peer_key);
	return ret;
}

int group_answer(const struct group *group, const struct entropy *entropy,
		 struct engine_bytes peer, struct writer *share,
		 struct group_secret *secret)
{
	EVP_PKEY *key;
	int ret;

	if (peer.len != group->client_share)
		return -EPROTO;
	if (group->kind == GROUP_KEM)
		return kem_answer(group, peer, share, secret);
	key = group_offer(group, entropy, share);
	if (!key)
		return -EIO;
	ret = group_finish(group, key, peer, secret);
	EVP_PKEY_free(key);
	return ret;
}

/* ------------------------------------------------------------- TLS 1.2 */

/* Fill up with leading zeros what a finite-field peer left out. */
static bool pad_share(const struct group *group, struct engine_bytes share,
		      struct writer *padded)
{
	size_t missing = group->server_share - share.len;
	uint8_t *zeros;

	if (share.len > group->server_share ||
	    (missing && group->kind != GROUP_FINITE_FIELD))
		return false;
	zeros = writer_room(padded, missing);
	if (zeros)
		memset(zeros, 0, missing);
	writer_bytes(padded, share);
	return !padded->bad;
}

int group_finish12(const struct group *group, EVP_PKEY *key,
		   struct engine_bytes peer, struct group_secret *secret)
{
	struct writer padded = { 0 };
	int ret = -EPROTO;

	if (pad_share(group, peer, &padded))
		ret = group_finish(group, key, writer_view(&padded), secret);
	writer_free(&padded);
	return ret;
}

int group_answer12(const struct group *group, const struct entropy *entropy,
		   struct engine_bytes peer, struct writer *share,
		   struct group_secret *secret)
{
	struct writer padded = { 0 };
	int ret = -EPROTO;

	if (pad_share(group, peer, &padded))
		ret = group_answer(group, entropy, writer_view(&padded), share,
				   secret);
	writer_free(&padded);
	return ret;
}

/* libcrypto's copy of the prime of RFC 7919, in network order. */
static size_t group_prime(const struct group *group, uint8_t *prime)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "DH", NULL);
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME,
						 (char *)group->parameters, 0),
		OSSL_PARAM_construct_end(),
	};
	EVP_PKEY *key = NULL;
	BIGNUM *p = NULL;
	size_t len = 0;

	if (ctx && EVP_PKEY_fromdata_init(ctx) == 1 &&
	    EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_KEY_PARAMETERS,
			      params) == 1 &&
	    EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_FFC_P, &p) == 1)
		len = BN_bn2bin(p, prime);
	BN_free(p);
	EVP_PKEY_free(key);
	EVP_PKEY_CTX_free(ctx);
	return len;
}

void group_write_parameters(const struct group *group, struct writer *w)
{
	uint8_t prime[GROUP_SECRET_MAX];

	writer_vector(w, 2, bytes_of(prime, group_prime(group, prime)));
	writer_u16(w, 1);
	writer_u8(w, 2);	/* the generator of all of RFC 7919 */
}

uint16_t group_by_parameters(struct engine_bytes p, struct engine_bytes g)
{
	uint8_t prime[GROUP_SECRET_MAX];
	size_t i;

	for (i = 0; i < sizeof(groups) / sizeof(groups[0]); i++) {
		const struct group *group = &groups[i];

		if (group->kind != GROUP_FINITE_FIELD ||
		    group->client_share != p.len)
			continue;
		if (bytes_equal(bytes_of(prime, group_prime(group, prime)),
				p) && g.len == 1 && g.data[0] == 2)
			return group->code;
	}
	return 0;
}

uint16_t group_of_curve(EVP_PKEY *key)
{
	char name[32];
	size_t len, i;
	int nid;

	if (!EVP_PKEY_is_a(key, "EC") ||
	    EVP_PKEY_get_group_name(key, name, sizeof(name), &len) != 1)
		return 0;
	nid = OBJ_sn2nid(name);
	for (i = 0; i < sizeof(groups) / sizeof(groups[0]); i++)
		if (groups[i].kind == GROUP_WEIERSTRASS &&
		    EC_curve_nist2nid(groups[i].parameters) == nid)
			return groups[i].code;
	return 0;
}

void group_secret_wipe(struct group_secret *secret)
{
	OPENSSL_cleanse(secret, sizeof(*secret));
}
