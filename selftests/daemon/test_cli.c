// SPDX-License-Identifier: MIT
/* What the command's subcommands share, and the library's texts. */
#include "fixture.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"

static void assert_address(const char *text, const char *default_port,
			   const char *host, const char *port)
{
	char copy[128], default_copy[16], *got_host, *got_port;

	snprintf(copy, sizeof(copy), "%s", text);
	snprintf(default_copy, sizeof(default_copy), "%s",
		 default_port ? default_port : "");
	if (!cli_parse_address(copy, &got_host, &got_port,
			       default_port ? default_copy : NULL)) {
		if (host)
			fail_msg("%s is refused", text);
		return;
	}
	if (!host)
		fail_msg("%s is host \"%s\" port \"%s\"", text, got_host,
			 got_port);
	assert_string_equal(got_host, host);
	assert_string_equal(got_port, port);
}

static void addresses_are_split(void **state)
{
	(void)state;
	assert_address("example.org:443", NULL, "example.org", "443");
	assert_address("10.0.0.1:https", NULL, "10.0.0.1", "https");
	assert_address("[::1]:443", NULL, "::1", "443");
	assert_address("[fe80::1%lo]:1", NULL, "fe80::1%lo", "1");
	assert_address(":8443", "443", "", "8443");
	assert_address("8443", "443", "", "8443");
	assert_address("*:8443", "443", "", "8443");
	assert_address("*", "443", "", "443");
	assert_address("::", "443", "::", "443");
	assert_address("::1", "443", "::1", "443");
	assert_address("[::1]", "443", "::1", "443");
	assert_address("localhost", "443", "localhost", "443");
}

static void bad_addresses_are_refused(void **state)
{
	(void)state;
	assert_address("example.org", NULL, NULL, NULL);
	assert_address("::1", NULL, NULL, NULL);
	assert_address("[::1]", NULL, NULL, NULL);
	assert_address("[::1]443", NULL, NULL, NULL);
	assert_address("[::1", NULL, NULL, NULL);
	assert_address("[]:1", NULL, NULL, NULL);
	assert_address("host:", NULL, NULL, NULL);
	assert_address("host:", "443", NULL, NULL);
}

static void seconds_are_parsed(void **state)
{
	static const char *const bad[] = {
		"", "x", "-1", "0", "1s", "1e99", "nan", "inf", " 1", "0.0001",
	};
	uint32_t ms;

	(void)state;
	assert_true(cli_parse_seconds("5", &ms));
	assert_int_equal(ms, 5000);
	assert_true(cli_parse_seconds("0.25", &ms));
	assert_int_equal(ms, 250);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (cli_parse_seconds(bad[i], &ms))
			fail_msg("\"%s\" is %u ms", bad[i], ms);
}

static void pem_starts_at_its_first_certificate(void **state)
{
	char path[] = "/tmp/socktls-test.XXXXXX", *text, *big;
	int fd = mkstemp(path);

	(void)state;
	close(fd);
	pki_write_file(path, "# my CA\n-----BEGIN CERTIFICATE-----\n");
	text = cli_read_pem(path);
	assert_string_equal(text, "-----BEGIN CERTIFICATE-----\n");
	free(text);

	log_capture();
	pki_write_file(path, "nothing");
	assert_null(cli_read_pem(path));
	big = malloc(SOCKTLS_TRUST_MAX + 2);
	memset(big, '-', SOCKTLS_TRUST_MAX + 1);
	memcpy(big, "-----BEGIN", 10);
	big[SOCKTLS_TRUST_MAX + 1] = '\0';
	pki_write_file(path, big);
	free(big);
	assert_null(cli_read_pem(path));
	unlink(path);
	assert_null(cli_read_pem(path));
	text = (char *)log_captured();
	assert_non_null(strstr(text, "contains no certificate"));
	assert_non_null(strstr(text, "longer than 32768 bytes"));
	assert_non_null(strstr(text, "No such file"));
}

static void negotiated_is_one_line(void **state)
{
	struct socktls_info info = {
		.version = 0x0304, .suite = 0x1301, .group = 0x001d,
		.signature_scheme = 0x0403,
		.flags = SOCKTLS_INFO_PEER_VERIFIED,
	};
	char text[SOCKTLS_TEXT_MAX];

	(void)state;
	assert_string_equal(socktls_info_text(&info, text, sizeof(text)),
			    "TLS 1.3, TLS_AES_128_GCM_SHA256, key exchange x25519, signature ecdsa_secp256r1_sha256, peer verified");
	info = (struct socktls_info){ .version = 0x0305, .suite = 0xfefe };
	assert_string_equal(socktls_info_text(&info, text, sizeof(text)),
			    "0x0305, 0xfefe, key exchange RSA, peer NOT verified");
}

/* Whatever the library is told of a socket without TLS, it answers. */
static void plain_descriptors_are_errors(void **state)
{
	struct socktls_info info;
	enum socktls_state socket_state;
	char text[SOCKTLS_TEXT_MAX];
	int fds[2];

	(void)state;
	assert_int_equal(pipe(fds), 0);
	assert_int_equal(socktls_attach(fds[0]), -1);
	assert_int_equal(errno, ENOTSOCK);
	assert_int_equal(socktls_get_info(fds[0], &info), -1);
	assert_int_equal(socktls_get_state(fds[0], &socket_state), -1);
	assert_int_equal(socktls_get_peer_identity(fds[0], text,
						   sizeof(text)), -1);
	assert_string_equal(socktls_error_text(fds[0], EPIPE, text,
					       sizeof(text)),
			    strerror(EPIPE));
	close(fds[0]);
	close(fds[1]);
}

static void failures_say_how_far_it_came(void **state)
{
	struct socktls_failure failure;

	(void)state;
	assert_int_equal(socktls_connect("127.0.0.1", "1", NULL, &failure), -1);
	assert_int_equal(failure.step, SOCKTLS_STEP_SOCKET);
	assert_int_equal(failure.error, ECONNREFUSED);
	assert_non_null(strstr(failure.text, "127.0.0.1:1"));
	assert_int_equal(cli_failure_status(&failure), CLI_CONNECT);

	assert_int_equal(socktls_connect("127.0.0.1", "no-such-service", NULL,
					 &failure), -1);
	assert_int_equal(failure.step, SOCKTLS_STEP_RESOLVE);
	assert_int_equal(socktls_listen("192.0.2.1", "1", NULL, 1, &failure),
			 -1);
	assert_int_equal(failure.error, EADDRNOTAVAIL);
	assert_int_equal(socktls_connect("127.0.0.1", "1", NULL, NULL), -1);
}

static void the_longest_identity_is_told_whole(void **state)
{
	char line[SOCKTLS_TEXT_MAX + SOCKTLS_IDENTITY_MAX];

	(void)state;
	memset(line, 'x', sizeof(line));
	memcpy(line + sizeof(line) - 5, " end", 5);
	log_capture();
	cli_error("%s", line);
	assert_non_null(strstr(log_captured(), "x end\n"));
}

static void nothing_is_said_of_another_connection(void **state)
{
	static const char *const names[] = {
		"REMOTE_ADDR", "REMOTE_PORT", "SOCKTLS_VERSION",
		"SOCKTLS_SUITE", "SOCKTLS_GROUP", "SOCKTLS_PEER",
	};

	(void)state;
	for (size_t i = 0; i < 6; i++)
		setenv(names[i], "stale", 1);
	setenv("SOCKTLS_TEST_OTHER", "stays", 1);
	cli_clear_environment();
	for (size_t i = 0; i < 6; i++)
		assert_null(getenv(names[i]));
	assert_non_null(getenv("SOCKTLS_TEST_OTHER"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_are_split),
		cmocka_unit_test(bad_addresses_are_refused),
		cmocka_unit_test(seconds_are_parsed),
		cmocka_unit_test(pem_starts_at_its_first_certificate),
		cmocka_unit_test(negotiated_is_one_line),
		cmocka_unit_test(plain_descriptors_are_errors),
		cmocka_unit_test(failures_say_how_far_it_came),
		cmocka_unit_test(the_longest_identity_is_told_whole),
		cmocka_unit_test(nothing_is_said_of_another_connection),
	};

	return cmocka_run_group_tests_name("cli", tests, NULL, NULL);
}
