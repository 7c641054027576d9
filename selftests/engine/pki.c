// SPDX-License-Identifier: MIT
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <openssl/err.h>
#include <openssl/ocsp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#include "pki.h"

#define HOUR	3600L
#define MONTH	(30 * 24 * HOUR)

#define must(condition) \
	do { \
		if (!(condition)) \
			die(__LINE__, #condition); \
	} while (0)

static void die(int line, const char *what)
{
	fprintf(stderr, "pki.c:%d: %s\n", line, what);
	ERR_print_errors_fp(stderr);
	abort();
}

/* ----------------------------------------------------------------- keys */

static EVP_PKEY *make_rsa(const char *type, unsigned int bits)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
	EVP_PKEY *key = NULL;

	must(ctx && EVP_PKEY_keygen_init(ctx) == 1 &&
	     EVP_PKEY_CTX_set_rsa_keygen_bits(ctx, bits) == 1 &&
	     EVP_PKEY_generate(ctx, &key) == 1);
	EVP_PKEY_CTX_free(ctx);
	return key;
}

static EVP_PKEY *make_key(const char *kind)
{
	if (!strncmp(kind, "rsa:", 4))
		return make_rsa("RSA", atoi(kind + 4));
	if (!strcmp(kind, "rsa"))
		return make_rsa("RSA", 2048);
	if (!strcmp(kind, "rsa-pss"))
		return make_rsa("RSA-PSS", 2048);
	if (!strcmp(kind, "ed25519"))
		return EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	if (!strcmp(kind, "ed448"))
		return EVP_PKEY_Q_keygen(NULL, NULL, "ED448");
	if (!strcmp(kind, "p256"))
		return EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
	if (!strcmp(kind, "p384"))
		return EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-384");
	if (!strcmp(kind, "p521"))
		return EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-521");
	return NULL;
}

/* --------------------------------------------------------- certificates */

static void set_serial(X509 *cert)
{
	unsigned char serial[16];
	BIGNUM *number;

	must(RAND_bytes(serial, sizeof(serial)) == 1);
	serial[0] &= 0x7f;
	number = BN_bin2bn(serial, sizeof(serial), NULL);
	must(number && BN_to_ASN1_INTEGER(number, X509_get_serialNumber(cert)));
	BN_free(number);
}

static void add_name(X509_NAME *name, const char *type, const char *value)
{
	must(X509_NAME_add_entry_by_txt(name, type, MBSTRING_UTF8,
			(const unsigned char *)value, -1, -1, 0));
}

static void set_name(X509 *cert, const struct pki_spec *spec)
{
	X509_NAME *name = X509_NAME_new();
	unsigned int i;

	must(name);
	for (i = 0; i < spec->n_units; i++)
		add_name(name, "OU", spec->unit);
	if (spec->name)
		add_name(name, "CN", spec->name);
	must(X509_set_subject_name(cert, name) == 1);
	must(X509_set_issuer_name(cert, spec->issuer ?
			X509_get_subject_name(spec->issuer->cert) : name) == 1);
	X509_NAME_free(name);
}

static void add_extension(X509 *cert, const struct pki_spec *spec, int nid,
			  const char *value)
{
	X509_EXTENSION *extension;
	X509V3_CTX ctx;

	if (!value)
		return;
	X509V3_set_ctx_nodb(&ctx);
	X509V3_set_ctx(&ctx, spec->issuer ? spec->issuer->cert : cert, cert,
		       NULL, NULL, 0);
	extension = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	must(extension && X509_add_ext(cert, extension, -1) == 1);
	X509_EXTENSION_free(extension);
}

static const char *default_usage(const struct pki_spec *spec)
{
	if (spec->ca)
		return "critical,keyCertSign,cRLSign";
	if (!strncmp(spec->key, "rsa", 3) && strcmp(spec->key, "rsa-pss"))
		return "critical,digitalSignature,keyEncipherment";
	return "critical,digitalSignature";
}

static void add_extensions(X509 *cert, const struct pki_spec *spec)
{
	add_extension(cert, spec, NID_basic_constraints,
		      spec->ca ? "critical,CA:TRUE" : "critical,CA:FALSE");
	add_extension(cert, spec, NID_key_usage,
		      spec->usage ? spec->usage : default_usage(spec));
	add_extension(cert, spec, NID_subject_key_identifier, "hash");
	if (spec->issuer)
		add_extension(cert, spec, NID_authority_key_identifier,
			      "keyid");
	add_extension(cert, spec, NID_ext_key_usage, spec->eku);
	add_extension(cert, spec, NID_subject_alt_name, spec->san);
	add_extension(cert, spec, NID_name_constraints, spec->constraints);
	add_extension(cert, spec, NID_tlsfeature, spec->feature);
}

/* EdDSA has its own. */
static const EVP_MD *hash_for(const EVP_PKEY *key)
{
	if (EVP_PKEY_is_a(key, "ED25519") || EVP_PKEY_is_a(key, "ED448"))
		return NULL;
	return EVP_sha256();
}

static void sign(X509 *cert, const struct pki_spec *spec, EVP_PKEY *own)
{
	EVP_PKEY *key = spec->issuer ? spec->issuer->key : own;
	const EVP_MD *md;

	md = EVP_get_digestbyname(spec->digest ? spec->digest : "SHA256");
	if (EVP_PKEY_is_a(key, "ED25519") || EVP_PKEY_is_a(key, "ED448"))
		md = NULL;
	must(X509_sign(cert, key, md) > 0);
}

/* ------------------------------------------------------------------ PEM */

static char *bio_text(BIO *bio)
{
	char *data, *text;
	long len = BIO_get_mem_data(bio, &data);

	text = strndup(data, len);
	must(text);
	BIO_free(bio);
	return text;
}

static char *cert_pem(X509 *cert)
{
	BIO *bio = BIO_new(BIO_s_mem());

	must(bio && PEM_write_bio_X509(bio, cert) == 1);
	return bio_text(bio);
}

static char *key_pem(EVP_PKEY *key)
{
	BIO *bio = BIO_new(BIO_s_mem());

	must(bio && PEM_write_bio_PKCS8PrivateKey(bio, key, NULL, NULL, 0, NULL,
						  NULL) == 1);
	return bio_text(bio);
}

static bool self_signed(const struct pki_cert *cert)
{
	return !X509_NAME_cmp(X509_get_subject_name(cert->cert),
			      X509_get_issuer_name(cert->cert));
}

static char *concat(const char *a, const char *b)
{
	char *text;

	must(asprintf(&text, "%s%s", a, b) >= 0);
	return text;
}

struct pki_cert *pki_issue(const struct pki_spec *spec)
{
	struct pki_cert *new = calloc(1, sizeof(*new));
	time_t now = time(NULL);
	X509 *cert = X509_new();

	must(new && cert);
	if (spec->same_key && EVP_PKEY_up_ref(spec->same_key->key) == 1)
		new->key = spec->same_key->key;
	else
		new->key = make_key(spec->key);
	must(new->key);
	must(X509_set_version(cert, X509_VERSION_3) == 1);
	set_serial(cert);
	set_name(cert, spec);
	must(X509_time_adj(X509_getm_notBefore(cert),
			   spec->valid_from ? spec->valid_from : -HOUR, &now));
	must(X509_time_adj(X509_getm_notAfter(cert),
			   spec->valid_to ? spec->valid_to : MONTH, &now));
	must(X509_set_pubkey(cert, new->key) == 1);
	add_extensions(cert, spec);
	sign(cert, spec, new->key);
	new->cert = cert;
	new->cert_pem = cert_pem(cert);
	new->key_pem = key_pem(new->key);
	if (spec->issuer && !self_signed(spec->issuer))
		new->chain_pem = concat(new->cert_pem, spec->issuer->chain_pem);
	else
		new->chain_pem = concat(new->cert_pem, "");
	return new;
}

void pki_free(struct pki_cert *cert)
{
	if (!cert)
		return;
	EVP_PKEY_free(cert->key);
	X509_free(cert->cert);
	free(cert->chain_pem);
	free(cert->cert_pem);
	free(cert->key_pem);
	free(cert);
}

char *pki_pin(const struct pki_cert *cert)
{
	unsigned char digest[EVP_MAX_MD_SIZE], base64[64];
	unsigned char *der = NULL;
	int len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(cert->cert), &der);

	must(len > 0 &&
	     EVP_Digest(der, len, digest, NULL, EVP_sha256(), NULL) == 1);
	EVP_EncodeBlock(base64, digest, 32);
	OPENSSL_free(der);
	return concat("sha256/", (char *)base64);
}

static void set_scope(X509_CRL *crl, const char *scope)
{
	X509_EXTENSION *extension;

	if (!scope)
		return;
	extension = X509V3_EXT_conf_nid(NULL, NULL,
					NID_issuing_distribution_point, scope);
	must(extension && X509_CRL_add_ext(crl, extension, -1) == 1);
	X509_EXTENSION_free(extension);
}

static char *make_crl(const struct pki_cert *issuer,
		      const struct pki_cert *revoked, const char *scope)
{
	X509_CRL *crl = X509_CRL_new();
	X509_REVOKED *entry;
	ASN1_TIME *at;
	BIO *bio = BIO_new(BIO_s_mem());

	must(crl && bio);
	must(X509_CRL_set_version(crl, X509_CRL_VERSION_2) == 1);
	must(X509_CRL_set_issuer_name(crl,
			X509_get_subject_name(issuer->cert)) == 1);
	at = X509_gmtime_adj(NULL, -HOUR);
	must(at && X509_CRL_set1_lastUpdate(crl, at) == 1);
	if (revoked) {
		entry = X509_REVOKED_new();
		must(entry && X509_REVOKED_set_serialNumber(entry,
				X509_get_serialNumber(revoked->cert)) == 1 &&
		     X509_REVOKED_set_revocationDate(entry, at) == 1 &&
		     X509_CRL_add0_revoked(crl, entry) == 1);
	}
	must(X509_gmtime_adj(at, MONTH) &&
	     X509_CRL_set1_nextUpdate(crl, at) == 1);
	ASN1_TIME_free(at);
	set_scope(crl, scope);
	must(X509_CRL_sign(crl, issuer->key, EVP_sha256()) > 0);
	must(PEM_write_bio_X509_CRL(bio, crl) == 1);
	X509_CRL_free(crl);
	return bio_text(bio);
}

char *pki_crl(const struct pki_cert *issuer, const struct pki_cert *revoked)
{
	return make_crl(issuer, revoked, NULL);
}

char *pki_crl_of_users(const struct pki_cert *issuer)
{
	return make_crl(issuer, NULL, "critical,onlyuser:TRUE");
}

static ASN1_GENERALIZEDTIME *generalized(long seconds)
{
	ASN1_TIME *at = X509_gmtime_adj(NULL, seconds);
	ASN1_GENERALIZEDTIME *out = ASN1_TIME_to_generalizedtime(at, NULL);

	must(out);
	ASN1_TIME_free(at);
	return out;
}

unsigned char *pki_ocsp(const struct pki_status *status, size_t *len)
{
	const struct pki_cert *signer = status->signer ? status->signer :
							 status->issuer;
	OCSP_CERTID *id = OCSP_cert_to_id(status->sha1 ? EVP_sha1() :
					  EVP_sha256(), status->cert->cert,
					  status->issuer->cert);
	ASN1_GENERALIZEDTIME *from = generalized(status->from ? status->from :
						 -HOUR);
	ASN1_GENERALIZEDTIME *until = status->until == -1 ? NULL :
		generalized(status->until ? status->until : MONTH);
	ASN1_GENERALIZEDTIME *revoked = generalized(-HOUR);
	OCSP_BASICRESP *basic = OCSP_BASICRESP_new();
	OCSP_RESPONSE *response;
	unsigned char *der = NULL;
	int n;

	must(id && basic);
	must(OCSP_basic_add1_status(basic, id, status->status, 0,
				    status->status ==
				    V_OCSP_CERTSTATUS_REVOKED ? revoked : NULL,
				    from, until));
	must(OCSP_basic_sign(basic, signer->cert, signer->key,
			     hash_for(signer->key), NULL, 0) == 1);
	response = OCSP_response_create(OCSP_RESPONSE_STATUS_SUCCESSFUL, basic);
	must(response);
	n = i2d_OCSP_RESPONSE(response, &der);
	must(n > 0);
	*len = n;
	OCSP_RESPONSE_free(response);
	OCSP_BASICRESP_free(basic);
	OCSP_CERTID_free(id);
	ASN1_GENERALIZEDTIME_free(from);
	ASN1_GENERALIZEDTIME_free(until);
	ASN1_GENERALIZEDTIME_free(revoked);
	return der;
}

/* ---------------------------------------------------------------- files */

void pki_write_file(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	must(file && fputs(text, file) >= 0 && !fclose(file));
}

void pki_write_identity(const struct pki_cert *cert, const char *dir,
			const char *name)
{
	char path[4096];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	must(!mkdir(path, 0700) || errno == EEXIST);
	snprintf(path, sizeof(path), "%s/%s/chain.pem", dir, name);
	pki_write_file(path, cert->chain_pem);
	snprintf(path, sizeof(path), "%s/%s/key.pem", dir, name);
	pki_write_file(path, cert->key_pem);
}
