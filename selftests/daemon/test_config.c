// SPDX-License-Identifier: MIT
/* socktlsd.conf, and the names of identities and trust stores. */
#include "fixture.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/config.h"

static struct fixture fixture;

static int setup(void **state)
{
	(void)state;
	snprintf(fixture.dir, sizeof(fixture.dir), "/tmp/socktlsd-test.XXXXXX");
	return mkdtemp(fixture.dir) ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	fixture_empty(&fixture);
	return rmdir(fixture.dir);
}

static void names_are_one_path_component(void **state)
{
	char longest[SOCKTLS_NAME_MAX + 2];

	(void)state;
	assert_true(name_is_valid("default"));
	assert_true(name_is_valid("www.Example-2_org"));
	assert_true(name_is_valid("-"));
	assert_false(name_is_valid(""));
	assert_false(name_is_valid("."));
	assert_false(name_is_valid(".."));
	assert_false(name_is_valid(".hidden"));
	assert_false(name_is_valid("a/b"));
	assert_false(name_is_valid("/etc"));
	assert_false(name_is_valid("a b"));
	assert_false(name_is_valid("a\nb"));
	assert_false(name_is_valid("caf\xc3\xa9"));

	memset(longest, 'a', sizeof(longest));
	longest[SOCKTLS_NAME_MAX + 1] = '\0';
	assert_false(name_is_valid(longest));
	longest[SOCKTLS_NAME_MAX] = '\0';
	assert_true(name_is_valid(longest));
}

static void missing_file_means_defaults(void **state)
{
	struct config config;
	char error[ERROR_TEXT_MAX];

	(void)state;
	fixture_empty(&fixture);
	assert_int_equal(config_load(&config, fixture.dir, error,
				     sizeof(error)), 0);
	assert_string_equal(config.dir, fixture.dir);
	assert_string_equal(config.default_identity, "default");
	assert_string_equal(config.default_trust, "default");
	assert_string_equal(config.system_trust, CONFIG_SYSTEM_TRUST);
	assert_int_equal(config.log_level, LOG_LEVEL_INFO);
	assert_int_equal(config.session_kib, CONFIG_SESSION_KIB);
	assert_int_equal(config.session_lifetime, CONFIG_SESSION_LIFETIME);
	assert_int_equal(config.session_tickets, CONFIG_SESSION_TICKETS);
	assert_true(config.session_ids);
	assert_false(config.identity_is_set);
	assert_false(config.trust_is_set);
}

static void every_key_is_taken(void **state)
{
	struct config config;
	char error[ERROR_TEXT_MAX];

	(void)state;
	fixture_write(&fixture, "socktlsd.conf",
		      "# comment\n"
		      "[identity]\ndefault = www\n"
		      "[trust]\ndefault=corp ; inline\nsystem = none\n"
		      "[policy]\ndefault = modern\n"
		      "[sessions]\nsize = 64\nlifetime = 600\ntickets = 4\n"
		      "ids = no\n"
		      "[log]\nlevel = debug\n");
	assert_int_equal(config_load(&config, fixture.dir, error,
				     sizeof(error)), 0);
	assert_string_equal(config.default_identity, "www");
	assert_true(config.identity_is_set);
	assert_string_equal(config.default_trust, "corp");
	assert_true(config.trust_is_set);
	assert_string_equal(config.system_trust, "");
	assert_string_equal(config.default_policy, "modern");
	assert_true(config.policy_is_set);
	assert_int_equal(config.log_level, LOG_LEVEL_DEBUG);
	assert_int_equal(config.session_kib, 64);
	assert_int_equal(config.session_lifetime, 600);
	assert_int_equal(config.session_tickets, 4);
	assert_false(config.session_ids);
}

static void shipped_file_is_valid(void **state)
{
	struct config config;
	char error[ERROR_TEXT_MAX], text[4096];
	FILE *file = fopen("userspace/daemon/socktlsd.conf", "re");

	(void)state;
	assert_non_null(file);
	text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
	fclose(file);
	fixture_write(&fixture, "socktlsd.conf", text);
	assert_int_equal(config_load(&config, fixture.dir, error,
				     sizeof(error)), 0);
}

static void assert_refused(const char *text, const char *place,
			   const char *reason)
{
	struct config config;
	char error[ERROR_TEXT_MAX];

	fixture_write(&fixture, "socktlsd.conf", text);
	assert_int_equal(config_load(&config, fixture.dir, error,
				     sizeof(error)), -EINVAL);
	if (!strstr(error, place) || !strstr(error, reason))
		fail_msg("%s", error);
}

static void bad_lines_are_named(void **state)
{
	(void)state;
	assert_refused("[identity]\ndefalt = x\n", "socktlsd.conf:2: ",
		       "no such key: \"defalt\" in section [identity]");
	assert_refused("[sessions]\nlifetime = 604801\n", "socktlsd.conf:2: ",
		       "not a number from 1 to 604800");
	assert_refused("[sessions]\ntickets = -1\n", "socktlsd.conf:2: ",
		       "not a number from 0 to 16");
	assert_refused("[sessions]\nsize = 1x\n", "socktlsd.conf:2: ",
		       "not a number");
	assert_refused("[sessions]\nids = maybe\n", "socktlsd.conf:2: ",
		       "neither \"yes\" nor \"no\"");
	assert_refused("[nothing]\na = b\n", "socktlsd.conf:2: ",
		       "no such key: \"a\" in section [nothing]");
	assert_refused("[identity]\n\ndefault = ../x\n", "socktlsd.conf:3: ",
		       "\"../x\" is not a valid name");
	assert_refused("[trust]\nsystem = ca.pem\n", "socktlsd.conf:2: ",
		       "neither \"none\" nor an absolute path");
	assert_refused("[log]\nlevel = loud\n", "socktlsd.conf:2: ",
		       "\"loud\" is not a log level");
	assert_refused("[log]\nlevel\n", "socktlsd.conf:2: ",
		       "neither a section nor KEY = VALUE");
	assert_refused("[log\n", "socktlsd.conf:1: ", "neither a section");
}

/* The first of several is reported, with its own line and reason. */
static void first_bad_line_counts(void **state)
{
	(void)state;
	assert_refused("[log]\nlevel = loud\n[x]\ny = z\n",
		       "socktlsd.conf:2: ", "\"loud\"");
}

static void directory_must_exist(void **state)
{
	struct config config;
	char error[ERROR_TEXT_MAX], path[128];

	(void)state;
	snprintf(path, sizeof(path), "%s/none", fixture.dir);
	assert_int_equal(config_load(&config, path, error, sizeof(error)),
			 -ENOENT);
	assert_non_null(strstr(error, path));
	fixture_write(&fixture, "file", "");
	snprintf(path, sizeof(path), "%s/file", fixture.dir);
	assert_int_equal(config_load(&config, path, error, sizeof(error)),
			 -ENOTDIR);
}

static void nul_bytes_are_refused(void **state)
{
	struct config config;
	char error[ERROR_TEXT_MAX], path[128];
	FILE *file;

	(void)state;
	snprintf(path, sizeof(path), "%s/socktlsd.conf", fixture.dir);
	file = fopen(path, "we");
	assert_non_null(file);
	fwrite("[log]\n\0level = loud\n", 1, 20, file);
	fclose(file);
	assert_int_equal(config_load(&config, fixture.dir, error,
				     sizeof(error)), -EINVAL);
	assert_non_null(strstr(error, "NUL"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_one_path_component),
		cmocka_unit_test(missing_file_means_defaults),
		cmocka_unit_test(every_key_is_taken),
		cmocka_unit_test(shipped_file_is_valid),
		cmocka_unit_test(bad_lines_are_named),
		cmocka_unit_test(first_bad_line_counts),
		cmocka_unit_test(directory_must_exist),
		cmocka_unit_test(nul_bytes_are_refused),
	};

	return cmocka_run_group_tests_name("config", tests, setup, teardown);
}
