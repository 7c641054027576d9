// SPDX-License-Identifier: MIT
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "engine/identity.h"
#include "engine/pem.h"
#include "engine/sigalgs.h"

#define CHAIN_MAX	16	/* certificates in an identity */

static void identity_free(struct engine_identity *identity)
{
	size_t i;

	for (i = 0; i < identity->n; i++) {
		X509_free(identity->chain[i]);
		OPENSSL_free((void *)identity->der[i].data);
	}
	OCSP_BASICRESP_free(identity->staple);
	writer_free(&identity->staple_der);
	free(identity->chain);
	free(identity->der);
	free(identity);
}

static int append(struct engine_identity *identity, X509 *cert)
{
	unsigned char *der = NULL;
	int len = i2d_X509(cert, &der);

	if (len <= 0)
		return -ENOMEM;
	identity->chain[identity->n] = cert;
	identity->der[identity->n] = (struct engine_bytes){ der, len };
	identity->n++;
	return 0;
}

static int read_chain(struct engine_identity *identity, BIO *bio,
		      char *error_text, size_t error_len)
{
	bool encrypted = false;
	X509 *cert;
	int ret = 0;

	while (!ret && (cert = PEM_read_bio_X509(bio, NULL, no_passphrase,
						 &encrypted))) {
		if (identity->n == CHAIN_MAX) {
			snprintf(error_text, error_len,
				 "more than %d certificates in the chain",
				 CHAIN_MAX);
			ret = -EINVAL;
		} else {
			ret = append(identity, cert);
		}
		if (ret)
			X509_free(cert);
	}
	/* the end of the file is an error to libcrypto */
	ERR_clear_error();
	if (!encrypted)
		return ret;
	snprintf(error_text, error_len,
		 "a certificate in the chain is encrypted: store it without a passphrase");
	return -EINVAL;
}

static int chain_check(const struct engine_identity *identity,
		       char *error_text, size_t error_len)
{
	if (!identity->n) {
		snprintf(error_text, error_len,
			 "no PEM certificate in the chain file");
		return -EINVAL;
	}
	if (!X509_get0_pubkey(identity_leaf(identity))) {
		snprintf(error_text, error_len,
			 "the first certificate's public key is not supported");
		return -EINVAL;
	}
	return 0;
}

int engine_identity_new(struct engine_identity **identity,
			struct engine_bytes chain_pem,
			const struct engine_keyops *ops, void *key,
			char *error_text, size_t error_len)
{
	struct engine_identity *new = calloc(1, sizeof(*new));
	BIO *bio = BIO_new_mem_buf(chain_pem.len ? (const void *)chain_pem.data
						 : "", chain_pem.len);
	int ret = -ENOMEM;

	if (!new || !bio)
		goto fail;
	atomic_init(&new->references, 1);
	new->ops = ops;
	new->key = key;
	new->chain = calloc(CHAIN_MAX, sizeof(*new->chain));
	new->der = calloc(CHAIN_MAX, sizeof(*new->der));
	if (!new->chain || !new->der)
		goto fail;
	ret = read_chain(new, bio, error_text, error_len);
	if (!ret)
		ret = chain_check(new, error_text, error_len);
	if (ret)
		goto fail;
	BIO_free(bio);
	*identity = new;
	return 0;
fail:
	BIO_free(bio);
	if (new)
		identity_free(new);
	return ret;
}

struct engine_identity *engine_identity_get(struct engine_identity *identity)
{
	atomic_fetch_add(&identity->references, 1);
	return identity;
}

void engine_identity_put(struct engine_identity *identity)
{
	if (identity && atomic_fetch_sub(&identity->references, 1) == 1)
		identity_free(identity);
}

static bool may(const struct engine_identity *identity, uint32_t usage)
{
	/* UINT32_MAX without the extension */
	return X509_get_key_usage(identity_leaf(identity)) & usage;
}

uint16_t identity_scheme(const struct engine_identity *identity,
			 const uint16_t *ours, size_t n,
			 struct engine_bytes theirs, uint16_t version)
{
	EVP_PKEY *key = X509_get0_pubkey(identity_leaf(identity));
	size_t i;

	if (!may(identity, KU_DIGITAL_SIGNATURE))
		return 0;
	for (i = 0; i < n; i++) {
		const struct sigalg *alg = sigalg_find(ours[i]);

		if (alg && bytes_have_u16(theirs, alg->scheme) &&
		    sigalg_fits(alg, key, version))
			return alg->scheme;
	}
	return 0;
}

/* Its signature proves nothing, and nobody looks at it. */
static bool is_root(X509 *cert)
{
	return !X509_NAME_cmp(X509_get_subject_name(cert),
			      X509_get_issuer_name(cert));
}

bool identity_chain_fits(const struct engine_identity *identity,
			 struct engine_bytes schemes)
{
	size_t i;

	for (i = 0; schemes.len && i < identity->n; i++) {
		X509 *cert = identity->chain[i];
		X509 *issuer = i + 1 < identity->n ? identity->chain[i + 1] :
						     NULL;

		if (!is_root(cert) &&
		    !sigalgs_signed(schemes, cert, issuer ?
				    X509_get0_pubkey(issuer) : NULL))
			return false;
	}
	return true;
}

bool identity_decrypts(const struct engine_identity *identity)
{
	EVP_PKEY *key = X509_get0_pubkey(identity_leaf(identity));

	return EVP_PKEY_is_a(key, "RSA") && may(identity, KU_KEY_ENCIPHERMENT);
}

enum suite_auth identity_auth(const struct engine_identity *identity)
{
	EVP_PKEY *key = X509_get0_pubkey(identity_leaf(identity));

	if (EVP_PKEY_is_a(key, "RSA") || EVP_PKEY_is_a(key, "RSA-PSS"))
		return AUTH_RSA;
	return AUTH_ECDSA;
}

static bool issuer_is(X509 *cert, struct engine_bytes name)
{
	unsigned char *der = NULL;
	int len = i2d_X509_NAME(X509_get_issuer_name(cert), &der);
	bool same = len > 0 && bytes_equal(bytes_of(der, len), name);

	OPENSSL_free(der);
	return same;
}

bool identity_issued_by(const struct engine_identity *identity,
			struct engine_bytes authorities)
{
	struct reader r = reader_of(authorities);

	while (reader_more(&r)) {
		struct engine_bytes name = reader_vector(&r, 2, 1);
		size_t i;

		for (i = 0; i < identity->n; i++)
			if (issuer_is(identity->chain[i], name))
				return true;
	}
	return false;
}

enum identity_match identity_names(const struct engine_identity *identity,
				   struct engine_bytes host)
{
	char *name = NULL;
	enum identity_match match = MATCH_NONE;

	if (X509_check_host(identity_leaf(identity), (const char *)host.data,
			    host.len, X509_CHECK_FLAG_NEVER_CHECK_SUBJECT,
			    &name) == 1)
		match = name && *name != '*' ? MATCH_EXACT : MATCH_WILDCARD;
	OPENSSL_free(name);
	return match;
}
