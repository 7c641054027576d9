// SPDX-License-Identifier: MIT
/* A configuration directory of socktlsd's, made for one test program. */
#include "fixture.h"

#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int remove_entry(const char *path, const struct stat *st, int type,
			struct FTW *ftw)
{
	(void)st;
	(void)type;
	return ftw->level == 0 ? 0 : remove(path);
}

void fixture_empty(const struct fixture *fixture)
{
	assert_int_equal(nftw(fixture->dir, remove_entry, 8,
			      FTW_DEPTH | FTW_PHYS), 0);
}

void fixture_write(const struct fixture *fixture, const char *name,
		   const char *text)
{
	char path[512];

	snprintf(path, sizeof(path), "%s/%s", fixture->dir, name);
	for (char *slash = path + strlen(fixture->dir) + 1;
	     (slash = strchr(slash, '/')); slash++) {
		*slash = '\0';
		assert_true(mkdir(path, 0700) == 0 || errno == EEXIST);
		*slash = '/';
	}
	pki_write_file(path, text);
}

static void write_identity(const struct fixture *fixture, const char *name,
			   const struct pki_cert *cert)
{
	char path[128];

	snprintf(path, sizeof(path), "identities/%s/chain.pem", name);
	fixture_write(fixture, path, cert->chain_pem);
	snprintf(path, sizeof(path), "identities/%s/key.pem", name);
	fixture_write(fixture, path, cert->key_pem);
}

void fixture_fill(const struct fixture *fixture)
{
	fixture_empty(fixture);
	fixture_write(fixture, "trust/default.pem", fixture->ca->cert_pem);
	write_identity(fixture, "default", fixture->server);
	write_identity(fixture, "client", fixture->client);
}

void fixture_make(struct fixture *fixture)
{
	umask(077);
	snprintf(fixture->dir, sizeof(fixture->dir), "/tmp/socktlsd-test.XXXXXX");
	assert_non_null(mkdtemp(fixture->dir));
	fixture->ca = pki_issue(&(struct pki_spec){
		.key = "p256", .name = "Test CA", .ca = true,
	});
	/* RSA, so that TLS 1.2 can use its key exchange as well. */
	fixture->server = pki_issue(&(struct pki_spec){
		.key = "rsa", .name = "example.org", .san = "DNS:example.org",
		.issuer = fixture->ca, .eku = "serverAuth",
	});
	fixture->client = pki_issue(&(struct pki_spec){
		.key = "p256", .name = "client.example",
		.san = "DNS:client.example", .issuer = fixture->ca,
		.eku = "clientAuth",
	});
}

void fixture_remove(struct fixture *fixture)
{
	fixture_empty(fixture);
	rmdir(fixture->dir);
	pki_free(fixture->client);
	pki_free(fixture->server);
	pki_free(fixture->ca);
}

static int saved_stderr = -1;
static FILE *captured;
static char captured_text[16384];

void log_capture(void)
{
	fflush(stderr);
	saved_stderr = dup(STDERR_FILENO);
	captured = tmpfile();
	assert_non_null(captured);
	dup2(fileno(captured), STDERR_FILENO);
}

const char *log_captured(void)
{
	size_t n;

	fflush(stderr);
	dup2(saved_stderr, STDERR_FILENO);
	close(saved_stderr);
	rewind(captured);
	n = fread(captured_text, 1, sizeof(captured_text) - 1, captured);
	captured_text[n] = '\0';
	fclose(captured);
	return captured_text;
}
