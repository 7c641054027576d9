/* SPDX-License-Identifier: MIT */
/* What the tests of a worker share: its stores, and a kernel made of memory. */
#ifndef SOCKTLS_WORKBENCH_H
#define SOCKTLS_WORKBENCH_H

#include "fixture.h"
#include "kernel.h"

extern struct fixture fixture;
extern struct stores *stores;
extern struct kernel kernel;

struct stores *load_stores(void);
int group_setup(void **state);
int group_teardown(void **state);
int setup(void **state);
int teardown(void **state);
/* A client joined to @server. */
struct end *add_pair(struct end **server);
void assert_failed(const struct end *end, int error, const char *text);

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

#endif /* SOCKTLS_WORKBENCH_H */
