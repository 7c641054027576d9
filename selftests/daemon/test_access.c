// SPDX-License-Identifier: MIT
/* Who may use an identity. */
#include "fixture.h"

#include <errno.h>
#include <string.h>

#include "daemon/access.h"

static struct access_list parsed(const char *text)
{
	struct access_list list = { 0 };
	char error[256];

	assert_int_equal(access_parse(&list, text, error, sizeof(error)), 0);
	return list;
}

static void empty_list_lets_root_in_only(void **state)
{
	struct access_list list = parsed("# nobody\n\n   \n");

	(void)state;
	assert_true(access_is_allowed(&list, 0, 0));
	assert_false(access_is_allowed(&list, 1000, 1000));
	assert_false(access_is_allowed(&list, 1000, 0));
	assert_false(access_is_allowed(&list, (uid_t)-1, (gid_t)-1));
	access_clear(&list);
}

static void numbers_are_ids(void **state)
{
	struct access_list list = parsed("user 1000\r\n\tgroup 33 # www\n"
					 "user\t4294967294");

	(void)state;
	assert_true(access_is_allowed(&list, 1000, 1));
	assert_true(access_is_allowed(&list, 5, 33));
	assert_true(access_is_allowed(&list, 4294967294u, 1));
	assert_false(access_is_allowed(&list, 33, 1000));
	assert_false(access_is_allowed(&list, 1001, 34));
	access_clear(&list);
}

static void names_are_looked_up(void **state)
{
	struct access_list list = parsed("user daemon\ngroup www-data\n");

	(void)state;
	assert_true(access_is_allowed(&list, 1, 100));
	assert_true(access_is_allowed(&list, 100, 33));
	assert_false(access_is_allowed(&list, 2, 2));
	access_clear(&list);
}

static void everyone_is_everyone(void **state)
{
	struct access_list list = parsed("everyone\n");

	(void)state;
	assert_true(access_is_allowed(&list, 12345, 12345));
	access_clear(&list);
}

static void assert_refused(const char *text, const char *reason)
{
	struct access_list list = { 0 };
	char error[256];

	assert_int_equal(access_parse(&list, text, error, sizeof(error)),
			 -EINVAL);
	if (!strstr(error, reason))
		fail_msg("\"%s\": %s", text, error);
	access_clear(&list);
}

static void bad_lines_are_named(void **state)
{
	(void)state;
	assert_refused("user 1\nusr 2\n", "line 2: expected");
	assert_refused("user\n", "line 1: expected");
	assert_refused("user 1 2\n", "line 1: expected");
	assert_refused("everyone else\n", "line 1: expected");
	assert_refused("\n\nuser no-such-user\n",
		       "line 3: no such user: no-such-user");
	assert_refused("group no-such-group\n",
		       "line 1: no such group: no-such-group");
	assert_refused("user 4294967295\n", "line 1: no such user");
	assert_refused("user 99999999999999999999\n", "line 1: no such user");
	assert_refused("user -1\n", "line 1: no such user");
	assert_refused("user 12x\n", "line 1: no such user");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(empty_list_lets_root_in_only),
		cmocka_unit_test(numbers_are_ids),
		cmocka_unit_test(names_are_looked_up),
		cmocka_unit_test(everyone_is_everyone),
		cmocka_unit_test(bad_lines_are_named),
	};

	return cmocka_run_group_tests_name("access", tests, NULL, NULL);
}
