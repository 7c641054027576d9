// SPDX-License-Identifier: MIT
/*
 * pki-tool DIR: a set of keys and certificates for tests, in the layout of the
 * helper's configuration:
 *
 *   DIR/trust/ca.pem, other-ca.pem (which issued nothing), crl.pem (ca.pem and
 *     a CRL that revokes "revoked"), DIR/trust/server-rsa.pin
 *   DIR/identities/NAME/{chain,key}.pem, NAME being
 *     server-rsa server-ecdsa server-ed25519   for localhost, 127.0.0.1, ::1
 *     wrong-name expired unknown-ca revoked    certificates to be refused
 *     client-rsa client-ecdsa client-ed25519   for clientAuth
 *     server-stapled client-stapled            with ocsp.der
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "pki.h"

#define LOCAL	"DNS:localhost,IP:127.0.0.1,IP:::1"
#define DAY	(24 * 3600L)

static const struct {
	const char	*name;
	const char	*key;
	const char	*san;
	const char	*eku;
	bool		other_ca;
	long		valid_from, valid_to;
} identities[] = {
	{ "server-rsa", "rsa", LOCAL, "serverAuth", 0, 0, 0 },
	{ "server-ecdsa", "p256", LOCAL, "serverAuth", 0, 0, 0 },
	{ "server-ed25519", "ed25519", LOCAL, "serverAuth", 0, 0, 0 },
	{ "wrong-name", "p256", "DNS:other.example", "serverAuth", 0, 0, 0 },
	{ "expired", "p256", LOCAL, "serverAuth", 0, -2 * DAY, -DAY },
	{ "unknown-ca", "p256", LOCAL, "serverAuth", 1, 0, 0 },
	{ "revoked", "p256", LOCAL, "serverAuth", 0, 0, 0 },
	{ "client-rsa", "rsa", NULL, "clientAuth", 0, 0, 0 },
	{ "client-ecdsa", "p256", NULL, "clientAuth", 0, 0, 0 },
	{ "client-ed25519", "ed25519", NULL, "clientAuth", 0, 0, 0 },
	{ "server-stapled", "p256", LOCAL, "serverAuth", 0, 0, 0 },
	{ "client-stapled", "p256", NULL, "clientAuth", 0, 0, 0 },
};

static void make_dir(char *path, size_t size, const char *dir, const char *name)
{
	snprintf(path, size, "%s/%s", dir, name);
	if (mkdir(path, 0755) && errno != EEXIST) {
		perror(path);
		exit(1);
	}
}

static void write_trust(const char *dir, const char *name, const char *text,
			const char *more)
{
	char path[4096], *all;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	if (asprintf(&all, "%s%s", text, more) < 0)
		abort();
	pki_write_file(path, all);
	free(all);
}

static struct pki_cert *make_ca(const char *name)
{
	return pki_issue(&(struct pki_spec){
		.key = "p256", .name = name, .ca = true,
	});
}

static void write_ocsp(const char *dir, const char *name,
		       const struct pki_cert *cert, const struct pki_cert *ca)
{
	struct pki_status status = { .cert = cert, .issuer = ca };
	unsigned char *der;
	char path[4352];
	FILE *file;
	size_t len;

	snprintf(path, sizeof(path), "%s/%s/ocsp.der", dir, name);
	der = pki_ocsp(&status, &len);
	file = fopen(path, "w");
	if (!file || fwrite(der, 1, len, file) != len || fclose(file)) {
		perror(path);
		exit(1);
	}
	OPENSSL_free(der);
}

static void make_identities(const char *dir, const char *trust,
			    const struct pki_cert *ca,
			    const struct pki_cert *other)
{
	size_t i;

	for (i = 0; i < sizeof(identities) / sizeof(identities[0]); i++) {
		struct pki_cert *cert = pki_issue(&(struct pki_spec){
			.key = identities[i].key,
			.name = identities[i].name,
			.san = identities[i].san,
			.eku = identities[i].eku,
			.issuer = identities[i].other_ca ? other : ca,
			.valid_from = identities[i].valid_from,
			.valid_to = identities[i].valid_to,
		});

		pki_write_identity(cert, dir, identities[i].name);
		if (i == 0) {
			char *pin = pki_pin(cert);

			write_trust(trust, "server-rsa.pin", pin, "\n");
			free(pin);
		}
		if (strstr(identities[i].name, "stapled"))
			write_ocsp(dir, identities[i].name, cert, ca);
		if (!strcmp(identities[i].name, "revoked")) {
			char *crl = pki_crl(ca, cert);

			write_trust(trust, "crl.pem", ca->cert_pem, crl);
			free(crl);
		}
		pki_free(cert);
	}
}

int main(int argc, char **argv)
{
	struct pki_cert *ca, *other, *idle;
	char dir[4096], trust[4096];

	if (argc != 2) {
		fprintf(stderr, "usage: pki-tool DIR\n");
		return 2;
	}
	make_dir(dir, sizeof(dir), argv[1], "");
	make_dir(dir, sizeof(dir), argv[1], "identities");
	make_dir(trust, sizeof(trust), argv[1], "trust");
	ca = make_ca("Test CA");
	other = make_ca("Unknown CA");
	idle = make_ca("Other CA");
	write_trust(trust, "ca.pem", ca->cert_pem, "");
	write_trust(trust, "other-ca.pem", idle->cert_pem, "");
	make_identities(dir, trust, ca, other);
	pki_free(ca);
	pki_free(other);
	pki_free(idle);
	return 0;
}
