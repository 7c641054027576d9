/* SPDX-License-Identifier: MIT */
/*
 * Keys and certificates made at test time with libcrypto, for the engine's
 * tests and everybody else's. Aborts on any failure: a test cannot go on.
 */
#ifndef SOCKTLS_SELFTESTS_PKI_H
#define SOCKTLS_SELFTESTS_PKI_H

#include <stdbool.h>
#include <stddef.h>
#include <time.h>

#include <openssl/evp.h>
#include <openssl/x509.h>

/**
 * struct pki_cert - a certificate and its private key
 * @key: private key
 * @cert: certificate
 * @chain_pem: the certificate and its issuers but the root, as PEM
 * @cert_pem: the certificate alone
 * @key_pem: PKCS#8
 */
struct pki_cert {
	EVP_PKEY	*key;
	X509		*cert;
	char		*chain_pem;
	char		*cert_pem;
	char		*key_pem;
};

/**
 * struct pki_spec - what to issue
 * @key: "rsa" (2048), "rsa:BITS", "rsa-pss", "p256", "p384", "p521",
 *	"ed25519", "ed448"
 * @name: commonName; NULL: an empty subject
 * @unit: an organizationalUnitName before @name, @n_units times; NULL: none
 * @n_units: see @unit
 * @san: as in openssl's configuration, "DNS:a,IP:1.2.3.4"; NULL: none
 * @issuer: NULL: self-signed
 * @same_key: takes the key of this one instead of a new one; NULL: none
 * @ca: basicConstraints CA:TRUE and keyCertSign
 * @eku: "serverAuth", "clientAuth", ...; NULL: none
 * @usage: keyUsage, NULL: what fits @ca and the key
 * @constraints: nameConstraints, NULL: none
 * @feature: TLS feature, "status_request": must staple (RFC 7633); NULL: none
 * @digest: hash of the signature, NULL: "SHA256"
 * @valid_from: seconds from now, 0: an hour ago
 * @valid_to: seconds from now, 0: in 30 days
 */
struct pki_spec {
	const char		*key;
	const char		*name;
	const char		*unit;
	unsigned int		n_units;
	const char		*san;
	const struct pki_cert	*issuer;
	const struct pki_cert	*same_key;
	bool			ca;
	const char		*eku;
	const char		*usage;
	const char		*constraints;
	const char		*feature;
	const char		*digest;
	long			valid_from;
	long			valid_to;
};

struct pki_cert *pki_issue(const struct pki_spec *spec);
void pki_free(struct pki_cert *cert);
/* "sha256/BASE64" of the public key; to be freed. */
char *pki_pin(const struct pki_cert *cert);
/* A CRL of @issuer that lists @revoked (NULL: nothing), PEM; to be freed. */
char *pki_crl(const struct pki_cert *issuer, const struct pki_cert *revoked);
/* One that is empty, and speaks of certificates that are no CAs alone. */
char *pki_crl_of_users(const struct pki_cert *issuer);
/**
 * struct pki_status - what an OCSP responder says
 * @cert: about which certificate
 * @issuer: its issuer
 * @signer: whose key signs, NULL: @issuer's
 * @status: V_OCSP_CERTSTATUS_*
 * @from: thisUpdate in seconds from now, 0: an hour ago
 * @until: nextUpdate, 0: in 30 days, -1: absent
 * @sha1: names the issuer by SHA-1, else by SHA-256
 */
struct pki_status {
	const struct pki_cert	*cert;
	const struct pki_cert	*issuer;
	const struct pki_cert	*signer;
	int			status;
	long			from;
	long			until;
	bool			sha1;
};

/* An OCSP response in DER; to be freed. */
unsigned char *pki_ocsp(const struct pki_status *status, size_t *len);
/* Write DIR/NAME/chain.pem and key.pem, as in the helper's configuration. */
void pki_write_identity(const struct pki_cert *cert, const char *dir,
			const char *name);
void pki_write_file(const char *path, const char *text);

#endif /* SOCKTLS_SELFTESTS_PKI_H */
