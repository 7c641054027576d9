// SPDX-License-Identifier: MIT
#include "workbench.h"

#include <string.h>

struct fixture fixture;
struct stores *stores;
struct kernel kernel;

struct stores *load_stores(void)
{
	char error[ERROR_TEXT_MAX];
	struct config config;
	struct stores *loaded;
	size_t n_errors;

	assert_int_equal(config_load(&config, fixture.dir, error,
				     sizeof(error)), 0);
	config.system_trust[0] = '\0';
	assert_int_equal(stores_load(&loaded, &config, NULL,
				     &n_errors), 0);
	assert_int_equal(n_errors, 0);
	return loaded;
}

int group_setup(void **state)
{
	(void)state;
	log_set_level(LOG_LEVEL_ERROR);
	fixture_make(&fixture);
	return 0;
}

int group_teardown(void **state)
{
	(void)state;
	fixture_remove(&fixture);
	return 0;
}

int setup(void **state)
{
	(void)state;
	fixture_fill(&fixture);
	stores = load_stores();
	kernel_init(&kernel, stores, NULL);
	return 0;
}

int teardown(void **state)
{
	(void)state;
	kernel_free(&kernel);
	stores_free(stores);
	return 0;
}

struct end *add_pair(struct end **server)
{
	struct end *client = kernel_add(&kernel, SOCKTLS_CLIENT);

	*server = kernel_add(&kernel, SOCKTLS_SERVER);
	kernel_join(client, *server);
	return client;
}

void assert_failed(const struct end *end, int error, const char *text)
{
	assert_true(end->over);
	assert_false(end->done);
	if (end->error != error || !strstr(end->text, text))
		fail_msg("errno %d: %s", end->error, end->text);
}
