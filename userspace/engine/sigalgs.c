// SPDX-License-Identifier: MIT
#include <errno.h>
#include <string.h>

#include <openssl/objects.h>
#include <openssl/rsa.h>

#include "engine/protocol.h"
#include "engine/sigalgs.h"

#define P256 "prime256v1"
#define P384 "secp384r1"
#define P521 "secp521r1"

static const struct sigalg sigalgs[] = {
	{ 0x0403, "ecdsa_secp256r1_sha256", "EC", EVP_sha256, P256, 0, 1 },
	{ 0x0503, "ecdsa_secp384r1_sha384", "EC", EVP_sha384, P384, 0, 1 },
	{ 0x0603, "ecdsa_secp521r1_sha512", "EC", EVP_sha512, P521, 0, 1 },
	{ 0x0807, "ed25519", "ED25519", NULL, NULL, 0, 1 },
	{ 0x0808, "ed448", "ED448", NULL, NULL, 0, 1 },
	{ 0x0804, "rsa_pss_rsae_sha256", "RSA", EVP_sha256, NULL, 1, 1 },
	{ 0x0805, "rsa_pss_rsae_sha384", "RSA", EVP_sha384, NULL, 1, 1 },
	{ 0x0806, "rsa_pss_rsae_sha512", "RSA", EVP_sha512, NULL, 1, 1 },
	{ 0x0809, "rsa_pss_pss_sha256", "RSA-PSS", EVP_sha256, NULL, 1, 1 },
	{ 0x080a, "rsa_pss_pss_sha384", "RSA-PSS", EVP_sha384, NULL, 1, 1 },
	{ 0x080b, "rsa_pss_pss_sha512", "RSA-PSS", EVP_sha512, NULL, 1, 1 },
	{ 0x0401, "rsa_pkcs1_sha256", "RSA", EVP_sha256, NULL, 0, 0 },
	{ 0x0501, "rsa_pkcs1_sha384", "RSA", EVP_sha384, NULL, 0, 0 },
	{ 0x0601, "rsa_pkcs1_sha512", "RSA", EVP_sha512, NULL, 0, 0 },
	{ 0x0203, "ecdsa_sha1", "EC", EVP_sha1, NULL, 0, 0 },
	{ 0x0201, "rsa_pkcs1_sha1", "RSA", EVP_sha1, NULL, 0, 0 },
};

const struct sigalg *sigalg_at(size_t index)
{
	return index < sizeof(sigalgs) / sizeof(sigalgs[0]) ?
		&sigalgs[index] : NULL;
}

const struct sigalg *sigalg_find(uint16_t scheme)
{
	size_t i;

	for (i = 0; i < sizeof(sigalgs) / sizeof(sigalgs[0]); i++)
		if (sigalgs[i].scheme == scheme)
			return &sigalgs[i];
	return NULL;
}

static bool curve_fits(const struct sigalg *alg, EVP_PKEY *key)
{
	char name[32];
	size_t len;

	return EVP_PKEY_get_group_name(key, name, sizeof(name), &len) == 1 &&
	       !strcmp(name, alg->curve);
}

bool sigalg_fits(const struct sigalg *alg, EVP_PKEY *key, uint16_t version)
{
	if (EVP_PKEY_is_a(key, alg->key) != 1)
		return false;
	if (version >= TLS13 && !alg->tls13)
		return false;
	if (version >= TLS13 && alg->curve && !curve_fits(alg, key))
		return false;
	/* RFC 8017 section 9.1.1: room for hash, salt and two bytes. */
	if (alg->pss &&
	    EVP_PKEY_get_size(key) < 2 * EVP_MD_get_size(alg->md()) + 2)
		return false;
	return true;
}

static int key_number(const char *name)
{
	if (!strcmp(name, "RSA"))
		return NID_rsaEncryption;
	if (!strcmp(name, "EC"))
		return NID_X9_62_id_ecPublicKey;
	return OBJ_sn2nid(name);
}

/* libcrypto's numbers of the signature in a certificate. */
static bool names_signature(const struct sigalg *alg, X509 *cert, int hash,
			    int key)
{
	if (X509_get_signature_nid(cert) == NID_rsassaPss)
		return alg->pss && EVP_MD_get_type(alg->md()) == hash;
	if (alg->pss || hash != (alg->md ? EVP_MD_get_type(alg->md()) :
				 NID_undef))
		return false;
	return key_number(alg->key) == key;
}

bool sigalgs_signed(struct engine_bytes list, X509 *cert, EVP_PKEY *issuer)
{
	int hash = NID_undef, key = NID_undef;
	size_t i;

	if (X509_get_signature_nid(cert) == NID_rsassaPss) {
		if (!X509_get_signature_info(cert, &hash, NULL, NULL, NULL))
			return false;
	} else if (!OBJ_find_sigid_algs(X509_get_signature_nid(cert), &hash,
					&key)) {
		return false;
	}
	for (i = 0; i < sizeof(sigalgs) / sizeof(sigalgs[0]); i++)
		if (names_signature(&sigalgs[i], cert, hash, key) &&
		    (!issuer || EVP_PKEY_is_a(issuer, sigalgs[i].key)) &&
		    bytes_have_u16(list, sigalgs[i].scheme))
			return true;
	return false;
}

/* What libcrypto verifies: SHA-1 has less than the 80 bits of level 1. */
size_t sigalgs_of_certificates(int security_level,
			       uint16_t list[SIGALGS_CERT_MAX])
{
	size_t i, n = 0;

	for (i = 0; i < sizeof(sigalgs) / sizeof(sigalgs[0]); i++)
		if (security_level < 1 || sigalgs[i].md != EVP_sha1)
			list[n++] = sigalgs[i].scheme;
	return n;
}

static bool set_padding(const struct sigalg *alg, EVP_PKEY_CTX *ctx)
{
	if (!alg->pss)
		return true;
	return EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING) == 1 &&
	       EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, RSA_PSS_SALTLEN_DIGEST) ==
		       1;
}

bool sigalg_verify(const struct sigalg *alg, EVP_PKEY *key,
		   struct engine_bytes message, struct engine_bytes signature)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	EVP_PKEY_CTX *key_ctx;
	bool good;

	good = ctx &&
	       EVP_DigestVerifyInit(ctx, &key_ctx, alg->md ? alg->md() : NULL,
				    NULL, key) == 1 &&
	       set_padding(alg, key_ctx) &&
	       EVP_DigestVerify(ctx, signature.data, signature.len,
				message.data, message.len) == 1;
	EVP_MD_CTX_free(ctx);
	return good;
}

int sigalg_sign(const struct sigalg *alg, EVP_PKEY *key,
		struct engine_bytes message, uint8_t *out, size_t *out_len)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	EVP_PKEY_CTX *key_ctx;
	int ret = -EIO;

	if (*out_len < (size_t)EVP_PKEY_get_size(key))
		ret = -ENOSPC;
	else if (ctx &&
		 EVP_DigestSignInit(ctx, &key_ctx, alg->md ? alg->md() : NULL,
				    NULL, key) == 1 &&
		 set_padding(alg, key_ctx) &&
		 EVP_DigestSign(ctx, out, out_len, message.data,
				message.len) == 1)
		ret = 0;
	EVP_MD_CTX_free(ctx);
	return ret;
}
