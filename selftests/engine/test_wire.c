// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/wire.h"

static const uint8_t digits[] = { 1, 2, 3, 4, 5, 6, 7, 8, 9 };

static void reader_reads_in_network_order(void **state)
{
	struct reader r = reader_of(bytes_of(digits, 9));

	(void)state;
	assert_int_equal(reader_u8(&r), 0x01);
	assert_int_equal(reader_u16(&r), 0x0203);
	assert_int_equal(reader_u24(&r), 0x040506);
	assert_int_equal(reader_rest(&r).len, 3);
	assert_true(reader_done(&r));
	r = reader_of(bytes_of(digits, 4));
	assert_int_equal(reader_u32(&r), 0x01020304);
}

static void reader_past_the_end_stays_bad(void **state)
{
	struct reader r = reader_of(bytes_of(digits, 3));

	(void)state;
	assert_int_equal(reader_u32(&r), 0);
	assert_true(r.bad);
	/* what was there is gone as well */
	assert_int_equal(reader_u8(&r), 0);
	assert_null(reader_bytes(&r, 1).data);
	assert_false(reader_done(&r));
	assert_false(reader_more(&r));
}

static void reader_vector_is_bounded(void **state)
{
	static const uint8_t vector[] = { 0, 2, 7, 8, 9 };
	struct reader r = reader_of(bytes_of(vector, 5));
	struct engine_bytes bytes = reader_vector(&r, 2, 1);

	(void)state;
	assert_int_equal(bytes.len, 2);
	assert_int_equal(bytes.data[1], 8);
	assert_int_equal(r.left, 1);
	r = reader_of(bytes_of(vector, 3));
	reader_vector(&r, 2, 0);
	assert_true(r.bad);
	r = reader_of(bytes_of(vector, 5));
	reader_vector(&r, 2, 3);
	assert_true(r.bad);
}

static void reader_of_nothing(void **state)
{
	struct reader r = reader_of(bytes_of(NULL, 0));

	(void)state;
	assert_true(reader_done(&r));
	assert_int_equal(reader_bytes(&r, 0).len, 0);
	assert_false(r.bad);
	reader_u8(&r);
	assert_true(r.bad);
}

static void writer_writes_what_reader_reads(void **state)
{
	struct writer w = { 0 };
	struct reader r;
	size_t mark;

	(void)state;
	writer_u8(&w, 0xab);
	writer_u16(&w, 0xcdef);
	writer_u24(&w, 0x123456);
	writer_u32(&w, 0x789abcde);
	mark = writer_open(&w, 3);
	writer_vector(&w, 1, bytes_of(digits, 9));
	writer_close(&w, mark, 3);
	assert_false(w.bad);
	r = reader_of(writer_view(&w));
	assert_int_equal(reader_u8(&r), 0xab);
	assert_int_equal(reader_u16(&r), 0xcdef);
	assert_int_equal(reader_u24(&r), 0x123456);
	assert_int_equal(reader_u32(&r), 0x789abcde);
	r = reader_of(reader_vector(&r, 3, 0));
	assert_true(bytes_equal(reader_vector(&r, 1, 0), bytes_of(digits, 9)));
	assert_true(reader_done(&r));
	writer_free(&w);
}

static void writer_refuses_a_vector_that_is_too_long(void **state)
{
	struct writer w = { 0 };
	size_t mark = writer_open(&w, 1);
	uint8_t *room;

	(void)state;
	room = writer_room(&w, 255);
	assert_non_null(room);
	memset(room, 0, 255);
	writer_close(&w, mark, 1);
	assert_false(w.bad);
	mark = writer_open(&w, 1);
	assert_non_null(writer_room(&w, 256));
	writer_close(&w, mark, 1);
	assert_true(w.bad);
	assert_null(writer_room(&w, 1));
	writer_free(&w);
	assert_false(w.bad);
}

static void writer_keeps_bytes_as_it_grows(void **state)
{
	struct writer w = { 0 };
	unsigned int i;

	(void)state;
	for (i = 0; i < 70000; i++)
		writer_u8(&w, i * 7);
	for (i = 0; i < 70000; i++)
		assert_int_equal(w.data[i], (uint8_t)(i * 7));
	writer_consume(&w, 1000);
	assert_int_equal(w.len, 69000);
	assert_int_equal(w.data[0], (uint8_t)7000);
	writer_free(&w);
}

static void writer_reset_wipes(void **state)
{
	struct writer w = { 0 };

	(void)state;
	writer_bytes(&w, bytes_of(digits, 9));
	writer_reset(&w);
	assert_int_equal(w.len, 0);
	assert_int_equal(w.data[0] | w.data[8], 0);
	writer_free(&w);
}

static void lists_are_searched_by_element(void **state)
{
	static const uint8_t list[] = { 0x12, 0x34, 0x56, 0x78 };

	(void)state;
	assert_true(bytes_have_u16(bytes_of(list, 4), 0x5678));
	assert_false(bytes_have_u16(bytes_of(list, 4), 0x3456));
	assert_false(bytes_have_u16(bytes_of(list, 3), 0x5600));
	assert_false(bytes_have_u16(bytes_of(list, 0), 0));
	assert_true(bytes_have_u8(bytes_of(list, 4), 0x34));
	assert_false(bytes_have_u8(bytes_of(NULL, 0), 0));
	assert_true(bytes_equal(bytes_of(NULL, 0), bytes_of(list, 0)));
	assert_false(bytes_equal(bytes_of(list, 1), bytes_of(list, 2)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reader_reads_in_network_order),
		cmocka_unit_test(reader_past_the_end_stays_bad),
		cmocka_unit_test(reader_vector_is_bounded),
		cmocka_unit_test(reader_of_nothing),
		cmocka_unit_test(writer_writes_what_reader_reads),
		cmocka_unit_test(writer_refuses_a_vector_that_is_too_long),
		cmocka_unit_test(writer_keeps_bytes_as_it_grows),
		cmocka_unit_test(writer_reset_wipes),
		cmocka_unit_test(lists_are_searched_by_element),
	};

	return cmocka_run_group_tests_name("wire", tests, NULL, NULL);
}
