// SPDX-License-Identifier: MIT
/* What a ClientHello says besides: GREASE (RFC 8701), and what it hints at. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/messages.h"
#include "world.h"

#define LIST(...) (const uint16_t[]){ __VA_ARGS__ }

static bool is_grease(uint16_t value)
{
	return (value & 0x0f0f) == 0x0a0a && value >> 8 == (value & 0xff);
}

static uint16_t first_u16(struct engine_bytes list)
{
	struct reader r = reader_of(list);

	return reader_u16(&r);
}

static uint8_t *hello_of(struct side *side, struct client_hello *hello)
{
	uint8_t *bytes;
	size_t len;

	bytes = side_take(side, &len);
	assert_true(len > 4);
	assert_int_equal(client_hello_parse(hello, bytes_of(bytes + 4,
							    len - 4)), 0);
	return bytes;
}

static void check_grease(const struct client_hello *hello, bool share)
{
	const struct extensions *list = &hello->extensions;
	struct engine_bytes values;
	uint16_t group;

	assert_true(is_grease(first_u16(hello->suites)));
	assert_true(list->unknown);
	extension_read_u16_list(extensions_get(list, EXT_SUPPORTED_GROUPS),
				&values);
	group = first_u16(values);
	assert_true(is_grease(group));
	extension_read_u16_list(extensions_get(list, EXT_SIGNATURE_ALGORITHMS),
				&values);
	assert_true(is_grease(first_u16(values)));
	extension_read_versions(extensions_get(list, EXT_SUPPORTED_VERSIONS),
				&values);
	assert_true(is_grease(first_u16(values)));
	assert_int_equal(extension_read_key_shares(extensions_get(list,
						EXT_KEY_SHARE), &values), 0);
	assert_int_equal(key_shares_find(values, group, &values), share);
}

static void grease_is_sent_everywhere_and_changes(void **state)
{
	struct engine_config c = world_client();
	unsigned int different = 0;
	uint16_t last = 0;
	int i;

	(void)state;
	for (i = 0; i < 20; i++) {
		struct client_hello hello;
		struct side side;
		uint8_t *bytes;

		side_init(&side, "client", &c);
		assert_int_equal(engine_start(side.engine), 0);
		bytes = hello_of(&side, &hello);
		check_grease(&hello, true);
		different += first_u16(hello.suites) != last;
		last = first_u16(hello.suites);
		free(bytes);
		side_free(&side);
	}
	assert_true(different > 3);
}

struct hellos {
	struct writer	bodies[2];
	unsigned int	n;
};

static void keep_hellos(struct pair *pair, struct side *to,
			const uint8_t *message, size_t len)
{
	struct hellos *hellos = pair->arg;

	(void)to;
	if (message[0] == CLIENT_HELLO && hellos->n < 2)
		writer_bytes(&hellos->bodies[hellos->n++],
			     bytes_of(message + 4, len - 4));
}

/* RFC 8446 section 4.1.2: the same hello, but for the share asked for. */
static void grease_stays_in_the_second_hello(void **state)
{
	struct engine_config c = world_client(), s = world_server(&world.rsa);
	struct client_hello first, second;
	struct hellos hellos = { 0 };
	struct pair pair;

	(void)state;
	s.groups = LIST(0x0018);
	s.n_groups = 1;
	pair_init(&pair, &c, &s);
	pair.before_message = keep_hellos;
	pair.arg = &hellos;
	pair_run(&pair);
	pair_assert_good(&pair);
	assert_int_equal(hellos.n, 2);
	client_hello_parse(&first, writer_view(&hellos.bodies[0]));
	client_hello_parse(&second, writer_view(&hellos.bodies[1]));
	check_grease(&first, true);
	check_grease(&second, false);
	assert_int_equal(first_u16(first.suites), first_u16(second.suites));
	pair_free(&pair);
	writer_free(&hellos.bodies[0]);
	writer_free(&hellos.bodies[1]);
}

/* A server that picks what means nothing is out of its mind. */
struct pick {
	uint16_t	suite;
	unsigned int	done;
};

static void see_suite(struct pair *pair, struct side *to,
		      const uint8_t *message, size_t len)
{
	struct pick *pick = pair->arg;
	struct client_hello hello;
	struct writer w = { 0 };

	if (message[0] == CLIENT_HELLO) {
		client_hello_parse(&hello, bytes_of(message + 4, len - 4));
		pick->suite = first_u16(hello.suites);
	}
	if (message[0] != SERVER_HELLO)
		return;
	writer_bytes(&w, bytes_of(message, len));
	/* behind header, version, random and the echoed session id */
	w.data[4 + 2 + 32 + 1 + 32] = pick->suite >> 8;
	w.data[4 + 2 + 32 + 1 + 32 + 1] = pick->suite;
	to->ret = engine_receive(to->engine, SOCKTLS_LEVEL_PLAINTEXT, 22,
				 writer_view(&w));
	writer_free(&w);
	pick->done++;
}

static void grease_picked_by_the_server_is_refused(void **state)
{
	struct engine_config c = world_client(), s = world_server(&world.rsa);
	struct pick pick = { 0 };
	struct pair pair;

	(void)state;
	pair_init(&pair, &c, &s);
	pair.before_message = see_suite;
	pair.arg = &pick;
	pair_run(&pair);
	assert_int_equal(pick.done, 1);
	assert_failed(&pair.client, ILLEGAL_PARAMETER, EPROTO, "not offered");
	pair_free(&pair);
}

/* The first AEAD that a client names tells whether it has AES. */
static void chacha_goes_to_clients_without_aes(void **state)
{
	const struct {
		const uint16_t	*client;
		size_t		n;
		uint16_t	version, agreed;
	} cases[] = {
		{ LIST(0x1303, 0x1301), 2, TLS13, 0x1303 },
		{ LIST(0x1301, 0x1303), 2, TLS13, 0x1301 },
		{ LIST(0x1302, 0x1303, 0x1301), 3, TLS13, 0x1301 },
		{ LIST(0xcca8, 0xc02f), 2, TLS12, 0xcca8 },
		/* a block cipher says nothing */
		{ LIST(0x003c, 0xcca8, 0xc02f), 3, TLS12, 0xcca8 },
		{ LIST(0xc030, 0xcca8, 0xc02f), 3, TLS12, 0xc02f },
		/* nor does one for another certificate, but for the AES */
		{ LIST(0xcca9, 0xcca8, 0xc02f), 3, TLS12, 0xcca8 },
		{ LIST(0xcca9, 0xc02f), 2, TLS12, 0xc02f },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct engine_config c = world_client();
		struct engine_config s = world_server(&world.rsa);
		struct pair pair;

		c.suites = cases[i].client;
		c.n_suites = cases[i].n;
		c.max_version = c.min_version = cases[i].version;
		world_run(&pair, c, s);
		pair_assert_good(&pair);
		assert_int_equal(pair.client.result.suite, cases[i].agreed);
		pair_free(&pair);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(grease_is_sent_everywhere_and_changes),
		cmocka_unit_test(grease_stays_in_the_second_hello),
		cmocka_unit_test(grease_picked_by_the_server_is_refused),
		cmocka_unit_test(chacha_goes_to_clients_without_aes),
	};

	return cmocka_run_group_tests_name("hello", tests, world_setup,
					   world_teardown);
}
