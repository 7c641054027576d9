// SPDX-License-Identifier: MIT
/* Ticket keys: what opens, and for how long; a clock of the test's own. */
#include "fixture.h"

#include <errno.h>
#include <string.h>

#include "daemon/ticketkeys.h"
#include "engine/wire.h"

#define NOW	1000000
#define PERIOD	100

static struct ticketkeys *keys;

/**
 * struct sealed - a ticket
 * @len: bytes in @data
 */
struct sealed {
	size_t	len;
	uint8_t	data[128 + ENGINE_SEAL_OVERHEAD];
};

static int setup(void **state)
{
	(void)state;
	return ticketkeys_new(&keys, PERIOD);
}

static int teardown(void **state)
{
	(void)state;
	ticketkeys_free(keys);
	return 0;
}

static const char content[] = "a session, so to say";

static struct sealed seal(time_t now)
{
	struct sealed sealed = { .len = sizeof(sealed.data) };

	assert_int_equal(ticketkeys_ops.seal(keys, now,
					     bytes_of(content, sizeof(content)),
					     sealed.data, &sealed.len), 0);
	assert_true(sealed.len > sizeof(content));
	assert_true(sealed.len <= sizeof(content) + ENGINE_SEAL_OVERHEAD);
	assert_null(memmem(sealed.data, sealed.len, "session", 7));
	return sealed;
}

static bool opens(const struct sealed *sealed, time_t now)
{
	uint8_t plain[256];
	size_t len = sizeof(plain);
	int ret;

	ret = ticketkeys_ops.open(keys, now,
				  bytes_of(sealed->data, sealed->len), plain,
				  &len);
	if (ret) {
		assert_int_equal(ret, -EBADMSG);
		return false;
	}
	assert_int_equal(len, sizeof(content));
	assert_memory_equal(plain, content, len);
	return true;
}

static void every_ticket_opens_for_a_period_at_least(void **state)
{
	time_t made, late;

	(void)state;
	for (made = NOW; made < NOW + 3 * PERIOD; made += 7) {
		struct sealed sealed = seal(made);

		for (late = made; late < made + PERIOD; late += 11)
			if (!opens(&sealed, late))
				fail_msg("made %ld, opened %ld", made - NOW,
					 late - NOW);
		/* one store per ticket: its clock went ahead */
		ticketkeys_free(keys);
		assert_int_equal(ticketkeys_new(&keys, PERIOD), 0);
		seal(NOW);
	}
}

static void two_generations_open_and_no_third(void **state)
{
	struct sealed first, second, third;

	(void)state;
	first = seal(NOW);
	assert_true(opens(&first, NOW + PERIOD - 1));
	second = seal(NOW + PERIOD);
	assert_memory_not_equal(first.data, second.data, 16);
	assert_true(opens(&first, NOW + PERIOD));
	third = seal(NOW + 2 * PERIOD);
	assert_memory_not_equal(second.data, third.data, 16);
	assert_false(opens(&first, NOW + 2 * PERIOD));
	assert_true(opens(&second, NOW + 2 * PERIOD));
	assert_true(opens(&third, NOW + 2 * PERIOD));
}

static void idle_keys_end_as_well(void **state)
{
	struct sealed sealed;

	(void)state;
	sealed = seal(NOW);
	ticketkeys_expire(keys, NOW + 10 * PERIOD);
	assert_false(opens(&sealed, NOW + 10 * PERIOD));
	/* also when the clock is set back afterwards: it was wiped */
	assert_false(opens(&sealed, NOW));
}

static void clock_set_back_changes_no_key(void **state)
{
	struct sealed first, second;

	(void)state;
	first = seal(NOW);
	second = seal(NOW - 1000);
	assert_memory_equal(first.data, second.data, 16);
	assert_true(opens(&second, NOW - 1000));
}

static void every_bit_counts(void **state)
{
	struct sealed sealed = seal(NOW), spoilt;
	size_t i;

	(void)state;
	for (i = 0; i < 8 * sealed.len; i++) {
		spoilt = sealed;
		spoilt.data[i / 8] ^= 1 << i % 8;
		assert_false(opens(&spoilt, NOW));
	}
	for (i = 0; i < sealed.len; i++) {
		spoilt = sealed;
		spoilt.len = i;
		assert_false(opens(&spoilt, NOW));
	}
	spoilt = sealed;
	spoilt.len++;
	assert_false(opens(&spoilt, NOW));
	assert_true(opens(&sealed, NOW));
}

static void same_content_is_never_sealed_alike(void **state)
{
	struct sealed first, second;

	(void)state;
	first = seal(NOW);
	second = seal(NOW);
	assert_memory_equal(first.data, second.data, 16);
	assert_memory_not_equal(first.data + 16, second.data + 16, 12);
	assert_memory_not_equal(first.data + 28, second.data + 28,
				sizeof(content));
}

static void keys_of_another_host_do_not_open(void **state)
{
	struct sealed sealed = seal(NOW);
	struct ticketkeys *mine = keys;

	(void)state;
	assert_int_equal(ticketkeys_new(&keys, PERIOD), 0);
	seal(NOW);
	assert_false(opens(&sealed, NOW));
	ticketkeys_free(keys);
	keys = mine;
	assert_true(opens(&sealed, NOW));
}

static void content_over_the_room_is_refused(void **state)
{
	struct sealed sealed = seal(NOW);
	uint8_t plain[sizeof(content) - 1];
	size_t len = sizeof(plain);

	(void)state;
	assert_int_equal(ticketkeys_ops.open(keys, NOW,
					     bytes_of(sealed.data, sealed.len),
					     plain, &len), -EBADMSG);
}

#define TEST(name)	cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(every_ticket_opens_for_a_period_at_least),
		TEST(two_generations_open_and_no_third),
		TEST(idle_keys_end_as_well),
		TEST(clock_set_back_changes_no_key),
		TEST(every_bit_counts),
		TEST(same_content_is_never_sealed_alike),
		TEST(keys_of_another_host_do_not_open),
		TEST(content_over_the_room_is_refused),
	};

	return cmocka_run_group_tests_name("ticketkeys", tests, NULL, NULL);
}
