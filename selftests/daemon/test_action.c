// SPDX-License-Identifier: MIT
/* Actions before they are encoded. */
#include "fixture.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/action.h"

static struct engine_bytes pattern(size_t len)
{
	uint8_t *data = malloc(len);

	assert_non_null(data);
	for (size_t i = 0; i < len; i++)
		data[i] = i * 7 + i / 251;
	return (struct engine_bytes){ data, len };
}

static void long_flight_is_split_in_order(void **state)
{
	struct action_list list = STAILQ_HEAD_INITIALIZER(list);
	struct engine_bytes bytes = pattern(2 * ACTION_SEND_MAX + 5);
	struct action *action;
	size_t done = 0, n = 0;

	(void)state;
	assert_int_equal(action_add_send(&list, 22, bytes, false), 0);
	STAILQ_FOREACH(action, &list, link) {
		assert_int_equal(action->kind, SOCKTLS_ACTION_SEND);
		assert_int_equal(action->content_type, 22);
		assert_true(action->len <= ACTION_SEND_MAX);
		assert_true(action_encoded_max(action) < 65536);
		assert_memory_equal(action->bytes, bytes.data + done,
				    action->len);
		done += action->len;
		n++;
	}
	assert_int_equal(done, bytes.len);
	assert_int_equal(n, 3);
	action_list_clear(&list);
	assert_true(STAILQ_EMPTY(&list));
	free((void *)bytes.data);
}

static void every_part_of_a_lazy_flight_is_lazy(void **state)
{
	struct action_list list = STAILQ_HEAD_INITIALIZER(list);
	struct engine_bytes bytes = pattern(ACTION_SEND_MAX + 5);
	struct action *action;

	(void)state;
	assert_int_equal(action_add_send(&list, 22, bytes, true), 0);
	STAILQ_FOREACH(action, &list, link)
		assert_true(action->lazy);
	action_list_clear(&list);
	free((void *)bytes.data);
}

static void limit_and_skip_early_keep_what_they_say(void **state)
{
	struct action_list list = STAILQ_HEAD_INITIALIZER(list);
	struct action *action;

	(void)state;
	assert_int_equal(action_add_limit(&list, SOCKTLS_DIRECTION_TX, 512), 0);
	assert_int_equal(action_add_skip_early(&list, SOCKTLS_SKIP_TRIAL,
					       16384), 0);
	action = STAILQ_FIRST(&list);
	assert_int_equal(action->kind, SOCKTLS_ACTION_LIMIT);
	assert_int_equal(action->direction, SOCKTLS_DIRECTION_TX);
	assert_int_equal(action->limit, 512);
	action = STAILQ_NEXT(action, link);
	assert_int_equal(action->kind, SOCKTLS_ACTION_SKIP_EARLY);
	assert_int_equal(action->mode, SOCKTLS_SKIP_TRIAL);
	assert_int_equal(action->limit, 16384);
	action_list_clear(&list);
}

static void exported_bytes_fit_one_nest(void **state)
{
	struct action_list list = STAILQ_HEAD_INITIALIZER(list);
	struct engine_bytes bytes = pattern(ACTION_BYTES_MAX + 1);

	(void)state;
	assert_int_equal(action_add_exported(&list, bytes), -E2BIG);
	assert_true(STAILQ_EMPTY(&list));
	bytes.len = 48;
	assert_int_equal(action_add_exported(&list, bytes), 0);
	assert_int_equal(STAILQ_FIRST(&list)->kind, SOCKTLS_ACTION_EXPORTED);
	assert_memory_equal(STAILQ_FIRST(&list)->bytes, bytes.data, 48);
	action_list_clear(&list);
	free((void *)bytes.data);
}

static void certificate_must_fit_one_nest(void **state)
{
	struct action_list list = STAILQ_HEAD_INITIALIZER(list);
	struct engine_bytes bytes = pattern(ACTION_BYTES_MAX + 1);

	(void)state;
	assert_int_equal(action_add_certificate(&list, SOCKTLS_CHAIN_PEER,
						bytes), -E2BIG);
	assert_true(STAILQ_EMPTY(&list));
	bytes.len--;
	assert_int_equal(action_add_certificate(&list, SOCKTLS_CHAIN_PEER,
						bytes), 0);
	assert_true(action_encoded_max(STAILQ_FIRST(&list)) < 65536);
	action_list_clear(&list);
	free((void *)bytes.data);
}

static void done_owns_its_strings(void **state)
{
	struct action_list list = STAILQ_HEAD_INITIALIZER(list);
	char alpn[] = "h2", cookie[] = "cookie", identity[] = "example.org";
	struct engine_result result = {
		.version = 0x0304, .suite = 0x1301,
		.alpn = { (uint8_t *)alpn, 2 },
		.cookie = { (uint8_t *)cookie, 6 },
		.peer_identity = identity,
	};
	const struct engine_result *copy;
	char name[ACTION_IDENTITY_MAX + 1];

	(void)state;
	assert_int_equal(action_add_done(&list, &result), 0);
	memset(alpn, 'x', 2);
	memset(cookie, 'x', 6);
	memset(identity, 'x', 11);
	copy = &STAILQ_FIRST(&list)->result;
	assert_int_equal(copy->suite, 0x1301);
	assert_memory_equal(copy->alpn.data, "h2", 2);
	assert_memory_equal(copy->cookie.data, "cookie", 6);
	assert_string_equal(copy->peer_identity, "example.org");
	action_list_clear(&list);

	result.peer_identity = memset(name, 'a', sizeof(name));
	name[ACTION_IDENTITY_MAX] = '\0';
	assert_int_equal(action_add_done(&list, &result), -E2BIG);
	name[ACTION_IDENTITY_MAX - 1] = '\0';
	assert_int_equal(action_add_done(&list, &result), 0);
	action_list_clear(&list);

	result = (struct engine_result){ .version = 0x0303 };
	assert_int_equal(action_add_done(&list, &result), 0);
	assert_null(STAILQ_FIRST(&list)->result.peer_identity);
	action_list_clear(&list);
}

static void long_text_ends_at_a_character(void **state)
{
	struct action_list list = STAILQ_HEAD_INITIALIZER(list);
	char text[400];

	(void)state;
	memset(text, 'a', sizeof(text));
	/* Two bytes that straddle the limit. */
	memcpy(text + ACTION_TEXT_MAX - 2, "\xc3\xa9", 2);
	text[sizeof(text) - 1] = '\0';
	assert_int_equal(action_add_fail(&list, -1, 71, text), 0);
	assert_int_equal(strlen(STAILQ_FIRST(&list)->text),
			 ACTION_TEXT_MAX - 2);
	action_list_clear(&list);

	assert_int_equal(action_add_fail(&list, 40, 71, NULL), 0);
	assert_string_equal(STAILQ_FIRST(&list)->text, "");
	action_list_clear(&list);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(long_flight_is_split_in_order),
		cmocka_unit_test(every_part_of_a_lazy_flight_is_lazy),
		cmocka_unit_test(limit_and_skip_early_keep_what_they_say),
		cmocka_unit_test(exported_bytes_fit_one_nest),
		cmocka_unit_test(certificate_must_fit_one_nest),
		cmocka_unit_test(done_owns_its_strings),
		cmocka_unit_test(long_text_ends_at_a_character),
	};

	return cmocka_run_group_tests_name("action", tests, NULL, NULL);
}
