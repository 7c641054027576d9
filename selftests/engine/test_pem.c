// SPDX-License-Identifier: MIT
/* PEM that asks for a passphrase: nobody is asked, and nothing waits. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "world.h"

#define PATIENCE	10	/* seconds */

static const char header[] =
	"Proc-Type: 4,ENCRYPTED\n"
	"DEK-Info: AES-256-CBC,000102030405060708090A0B0C0D0E0F\n\n";

/* @pem with the header of an encrypted block in its first one; to be freed. */
static char *encrypted(const char *pem)
{
	const char *body = strchr(pem, '\n') + 1;
	char *text;

	assert_true(asprintf(&text, "%.*s%s%s", (int)(body - pem), pem, header,
			     body) > 0);
	return text;
}

typedef int (*reader_of_pem)(struct engine_bytes pem, char *text, size_t len);

static int read_trust(struct engine_bytes pem, char *text, size_t len)
{
	struct engine_trust *trust;

	return engine_trust_new(&trust, pem, text, len);
}

static int read_chain(struct engine_bytes pem, char *text, size_t len)
{
	struct engine_identity *identity;

	return engine_identity_new(&identity, pem, &engine_local_keyops, NULL,
				   text, len);
}

static int read_key(struct engine_bytes pem, char *text, size_t len)
{
	void *key;

	return engine_local_key_new(&key, pem, text, len);
}

/* With no terminal, and a stdin on which nobody writes. */
static void read_alone(reader_of_pem reads, const char *pem)
{
	char text[256] = "";
	int fds[2];

	setsid();
	alarm(PATIENCE);
	if (pipe(fds) || dup2(fds[0], STDIN_FILENO) < 0)
		_exit(2);
	if (reads((struct engine_bytes){ (const uint8_t *)pem, strlen(pem) },
		  text, sizeof(text)) != -EINVAL)
		_exit(3);
	_exit(strstr(text, "passphrase") ? 0 : 4);
}

static void assert_refused(reader_of_pem reads, const char *pem)
{
	int status;
	pid_t pid;

	pid = fork();
	assert_true(pid >= 0);
	if (!pid)
		read_alone(reads, pem);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void encrypted_trust_is_refused_unasked(void **state)
{
	char *lone = encrypted(world.ca->cert_pem), *second;
	char *crl = pki_crl(world.ca, NULL), *locked = encrypted(crl), *with;

	(void)state;
	assert_true(asprintf(&second, "%s%s", world.ca->cert_pem, lone) > 0);
	assert_true(asprintf(&with, "%s%s", world.ca->cert_pem, locked) > 0);
	assert_refused(read_trust, lone);
	assert_refused(read_trust, second);
	assert_refused(read_trust, with);
	free(with);
	free(second);
	free(locked);
	free(crl);
	free(lone);
}

/* Nor is what came before it taken for the whole chain. */
static void encrypted_chains_are_refused_unasked(void **state)
{
	char *lone = encrypted(world.rsa.cert->cert_pem), *second;

	(void)state;
	assert_true(asprintf(&second, "%s%s", world.ecdsa.cert->cert_pem,
			     lone) > 0);
	assert_refused(read_chain, lone);
	assert_refused(read_chain, second);
	free(second);
	free(lone);
}

static void encrypted_keys_are_refused_unasked(void **state)
{
	static const char key[] =
		"-----BEGIN RSA PRIVATE KEY-----\n"
		"Proc-Type: 4,ENCRYPTED\n"
		"DEK-Info: AES-256-CBC,000102030405060708090A0B0C0D0E0F\n\n"
		"AAAAAAAAAAAAAAAAAAAAAA==\n"
		"-----END RSA PRIVATE KEY-----\n";

	(void)state;
	assert_refused(read_key, key);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(encrypted_trust_is_refused_unasked),
		cmocka_unit_test(encrypted_chains_are_refused_unasked),
		cmocka_unit_test(encrypted_keys_are_refused_unasked),
	};

	return cmocka_run_group_tests_name("pem", tests, world_setup,
					   world_teardown);
}
