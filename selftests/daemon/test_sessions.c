// SPDX-License-Identifier: MIT
/* The session store: expiry, bounds, order; a clock of the test's own. */
#include "fixture.h"

#include <errno.h>
#include <string.h>

#include "daemon/sessions.h"
#include "engine/wire.h"

#define NOW	1000000

static struct sessions *sessions;

/* Reverses, so that one sees who was called. */
static int mirror(void *arg, time_t now, struct engine_bytes in, uint8_t *out,
		  size_t *len)
{
	size_t i;

	(void)arg;
	(void)now;
	for (i = 0; i < in.len; i++)
		out[i] = in.data[in.len - 1 - i];
	*len = in.len;
	return 0;
}

static const struct ticket_ops mirrors = { .seal = mirror, .open = mirror };

static int setup(void **state)
{
	(void)state;
	return sessions_new(&sessions, 1 << 20, &mirrors, NULL);
}

static int teardown(void **state)
{
	(void)state;
	sessions_free(sessions);
	return 0;
}

static struct engine_bytes key_of(const char *key)
{
	return bytes_of(key, strlen(key));
}

static int put(enum engine_session_kind kind, const char *key,
	       const char *value, time_t expires)
{
	return sessions_ops.add(sessions, kind, key_of(key), key_of(value),
				expires);
}

/* The value, or NULL. */
static const char *get(enum engine_session_kind kind, const char *key,
		       time_t now)
{
	static char value[64];
	size_t len = sizeof(value) - 1;

	if (sessions_ops.find(sessions, kind, key_of(key), now,
			      (uint8_t *)value, &len))
		return NULL;
	value[len] = '\0';
	return value;
}

static void ids_are_found_again_and_again(void **state)
{
	(void)state;
	assert_null(get(ENGINE_SESSION_ID, "a", NOW));
	assert_int_equal(put(ENGINE_SESSION_ID, "a", "one", NOW + 10), 0);
	assert_string_equal(get(ENGINE_SESSION_ID, "a", NOW), "one");
	assert_string_equal(get(ENGINE_SESSION_ID, "a", NOW + 9), "one");
	assert_null(get(ENGINE_SESSION_ID, "b", NOW));
	assert_null(get(ENGINE_SESSION_ID, "aa", NOW));
}

static void kinds_are_apart(void **state)
{
	(void)state;
	put(ENGINE_SESSION_ID, "a", "id", NOW + 10);
	put(ENGINE_SESSION_RESUMABLE, "a", "resumable", NOW + 10);
	put(ENGINE_SESSION_TICKET, "a", "ticket", NOW + 10);
	put(ENGINE_SESSION_CHAIN, "a", "chain", NOW + 10);
	assert_int_equal(sessions_count(sessions), 4);
	assert_string_equal(get(ENGINE_SESSION_ID, "a", NOW), "id");
	assert_string_equal(get(ENGINE_SESSION_RESUMABLE, "a", NOW),
			    "resumable");
	assert_string_equal(get(ENGINE_SESSION_TICKET, "a", NOW), "ticket");
	assert_string_equal(get(ENGINE_SESSION_CHAIN, "a", NOW), "chain");
}

static void expired_is_not_found_and_goes(void **state)
{
	(void)state;
	put(ENGINE_SESSION_ID, "a", "one", NOW + 10);
	put(ENGINE_SESSION_ID, "b", "two", NOW + 20);
	assert_null(get(ENGINE_SESSION_ID, "a", NOW + 10));
	assert_int_equal(sessions_count(sessions), 1);
	sessions_expire(sessions, NOW + 19);
	assert_int_equal(sessions_count(sessions), 1);
	sessions_expire(sessions, NOW + 20);
	assert_int_equal(sessions_count(sessions), 0);
	assert_int_equal(sessions_bytes(sessions), 0);
}

static void newer_replaces_but_tickets_add_up(void **state)
{
	char value[16];
	int i;

	(void)state;
	put(ENGINE_SESSION_RESUMABLE, "a", "one", NOW + 10);
	put(ENGINE_SESSION_RESUMABLE, "a", "two", NOW + 10);
	assert_int_equal(sessions_count(sessions), 1);
	assert_string_equal(get(ENGINE_SESSION_RESUMABLE, "a", NOW), "two");
	for (i = 0; i < SESSIONS_TICKETS_MAX + 3; i++) {
		snprintf(value, sizeof(value), "%d", i);
		put(ENGINE_SESSION_TICKET, "a", value, NOW + 10);
	}
	/* the newest first, each once, the oldest are gone */
	for (i = SESSIONS_TICKETS_MAX + 2; i >= 3; i--) {
		snprintf(value, sizeof(value), "%d", i);
		assert_string_equal(get(ENGINE_SESSION_TICKET, "a", NOW),
				    value);
	}
	assert_null(get(ENGINE_SESSION_TICKET, "a", NOW));
}

static void dropped_key_takes_all_of_its_kind(void **state)
{
	(void)state;
	put(ENGINE_SESSION_TICKET, "a", "one", NOW + 10);
	put(ENGINE_SESSION_TICKET, "a", "two", NOW + 10);
	put(ENGINE_SESSION_TICKET, "b", "three", NOW + 10);
	put(ENGINE_SESSION_ID, "a", "four", NOW + 10);
	sessions_ops.drop(sessions, ENGINE_SESSION_TICKET, key_of("a"));
	assert_null(get(ENGINE_SESSION_TICKET, "a", NOW));
	assert_string_equal(get(ENGINE_SESSION_TICKET, "b", NOW), "three");
	assert_string_equal(get(ENGINE_SESSION_ID, "a", NOW), "four");
}

static void least_recently_used_goes_first(void **state)
{
	size_t one;

	(void)state;
	put(ENGINE_SESSION_ID, "a", "1", NOW + 10);
	one = sessions_bytes(sessions);
	put(ENGINE_SESSION_ID, "b", "2", NOW + 10);
	put(ENGINE_SESSION_ID, "c", "3", NOW + 10);
	sessions_set_max(sessions, 3 * one);
	assert_int_equal(sessions_count(sessions), 3);
	assert_non_null(get(ENGINE_SESSION_ID, "a", NOW));
	put(ENGINE_SESSION_ID, "d", "4", NOW + 10);
	assert_int_equal(sessions_count(sessions), 3);
	assert_null(get(ENGINE_SESSION_ID, "b", NOW));
	assert_non_null(get(ENGINE_SESSION_ID, "a", NOW));
	assert_non_null(get(ENGINE_SESSION_ID, "c", NOW));
	assert_non_null(get(ENGINE_SESSION_ID, "d", NOW));
}

static void memory_is_bounded(void **state)
{
	char key[16];
	int i;

	(void)state;
	sessions_set_max(sessions, 10000);
	for (i = 0; i < 1000; i++) {
		snprintf(key, sizeof(key), "%d", i);
		put(ENGINE_SESSION_ID, key, "a value of some bytes", NOW + 10);
		assert_true(sessions_bytes(sessions) <= 10000);
	}
	assert_true(sessions_count(sessions) > 10);
	assert_non_null(get(ENGINE_SESSION_ID, "999", NOW));
	assert_null(get(ENGINE_SESSION_ID, "0", NOW));
	sessions_set_max(sessions, 0);
	assert_int_equal(sessions_count(sessions), 0);
	assert_int_equal(put(ENGINE_SESSION_ID, "a", "1", NOW + 10), -E2BIG);
}

static void value_over_the_room_is_not_found(void **state)
{
	uint8_t value[3];
	size_t len = sizeof(value);

	(void)state;
	put(ENGINE_SESSION_ID, "a", "four", NOW + 10);
	assert_int_equal(sessions_ops.find(sessions, ENGINE_SESSION_ID,
					   key_of("a"), NOW, value, &len),
			 -ENOENT);
}

static void tickets_are_sealed_elsewhere(void **state)
{
	uint8_t out[8];
	size_t len = sizeof(out);

	(void)state;
	assert_int_equal(sessions_ops.seal(sessions, NOW, key_of("abc"), out,
					   &len), 0);
	assert_memory_equal(out, "cba", 3);
	assert_int_equal(sessions_ops.open(sessions, NOW, key_of("abc"), out,
					   &len), 0);
	assert_memory_equal(out, "cba", 3);
}

#define TEST(name)	cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(ids_are_found_again_and_again),
		TEST(kinds_are_apart),
		TEST(expired_is_not_found_and_goes),
		TEST(newer_replaces_but_tickets_add_up),
		TEST(dropped_key_takes_all_of_its_kind),
		TEST(least_recently_used_goes_first),
		TEST(memory_is_bounded),
		TEST(value_over_the_room_is_not_found),
		TEST(tickets_are_sealed_elsewhere),
	};

	return cmocka_run_group_tests_name("sessions", tests, NULL, NULL);
}
