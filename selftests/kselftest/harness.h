/* SPDX-License-Identifier: MIT */
/*
 * A small test harness in the manner of the kernel's selftests: TAP output, a
 * process and a deadline for each test.
 *
 *	FIXTURE(f) { int fd; };			what a test starts from
 *	FIXTURE_VARIANT(f) { int family; };	optional: what tests run once for
 *	FIXTURE_VARIANT_ADD(f, ipv4) { .family = AF_INET };
 *	FIXTURE_SETUP(f) { self->fd = ...; }
 *	TEST_F(f, name) { ... self->fd ... variant->family ... }
 *	TEST(name) { ... }
 *
 * Nothing is torn down: the process ends. EXPECT_* notes a failure and goes on,
 * ASSERT_* ends the test. Both print where, and what was seen.
 */
#ifndef SOCKTLS_HARNESS_H
#define SOCKTLS_HARNESS_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>

#define HARNESS_TIMEOUT	30	/* seconds; the environment may stretch it */

struct harness_variant {
	const char		*name;
	const void		*value;
	struct harness_variant	*next;
};

struct harness_test {
	const char		*name;
	void			(*run)(const void *variant);
	struct harness_variant	**variants;
	unsigned int		timeout;
	struct harness_test	*next;
};

void harness_add_test(struct harness_test *test);
void harness_add_variant(struct harness_variant **list,
			 struct harness_variant *variant);

/* Note a failure; @fatal: end the test. */
void harness_fail(bool fatal, const char *file, int line, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
void harness_skip(const char *fmt, ...)
	__attribute__((format(printf, 1, 2), noreturn));
/* Print a diagnostic line. */
void harness_note(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* How much slower than a stock kernel this one may be. */
unsigned int harness_slowness(void);
int harness_main(int argc, char **argv);

#define HARNESS_REGISTER(_id, _name, _run, _variants, _timeout)		\
	static struct harness_test harness_test_##_id = {		\
		.name = (_name), .run = (_run), .timeout = (_timeout),	\
		.variants = (_variants),				\
	};								\
	static void __attribute__((constructor)) harness_add_##_id(void) \
	{								\
		harness_add_test(&harness_test_##_id);			\
	}

#define TEST_TIMEOUT(_name, _timeout)					\
	static void test_##_name(void);					\
	static void test_run_##_name(const void *variant)		\
	{								\
		(void)variant;						\
		test_##_name();						\
	}								\
	HARNESS_REGISTER(_name, #_name, test_run_##_name, NULL, _timeout) \
	static void test_##_name(void)

#define TEST(_name)	TEST_TIMEOUT(_name, HARNESS_TIMEOUT)

#define FIXTURE(_f)							\
	struct fixture_variant_##_f;					\
	static struct harness_variant *variants_##_f;			\
	struct fixture_##_f

#define FIXTURE_VARIANT(_f)	struct fixture_variant_##_f

#define FIXTURE_VARIANT_ADD(_f, _v)					\
	static const struct fixture_variant_##_f variant_##_f##_##_v;	\
	static struct harness_variant harness_variant_##_f##_##_v = {	\
		.name = #_v, .value = &variant_##_f##_##_v,		\
	};								\
	static void __attribute__((constructor)) add_##_f##_##_v(void)	\
	{								\
		harness_add_variant(&variants_##_f,			\
				    &harness_variant_##_f##_##_v);	\
	}								\
	static const struct fixture_variant_##_f variant_##_f##_##_v =

#define FIXTURE_SETUP(_f)						\
	static void setup_##_f(struct fixture_##_f *self		\
		__attribute__((unused)),				\
		const struct fixture_variant_##_f *variant		\
		__attribute__((unused)))

#define TEST_F_TIMEOUT(_f, _name, _timeout)				\
	static void test_##_f##_##_name(struct fixture_##_f *self,	\
		const struct fixture_variant_##_f *variant);		\
	static void run_##_f##_##_name(const void *variant)		\
	{								\
		static struct fixture_##_f self;			\
									\
		setup_##_f(&self, variant);				\
		test_##_f##_##_name(&self, variant);			\
	}								\
	HARNESS_REGISTER(_f##_##_name, #_f "_" #_name,			\
			 run_##_f##_##_name, &variants_##_f, _timeout)	\
	static void test_##_f##_##_name(struct fixture_##_f *self	\
					__attribute__((unused)),	\
		const struct fixture_variant_##_f *variant		\
		__attribute__((unused)))

#define TEST_F(_f, _name)	TEST_F_TIMEOUT(_f, _name, HARNESS_TIMEOUT)

#define HARNESS_COMPARE(_fatal, _seen, _op, _want)			\
	do {								\
		long long _s = (long long)(_seen);			\
		int _e = errno;						\
		long long _w = (long long)(_want);			\
									\
		if (!(_s _op _w))					\
			harness_fail(_fatal, __FILE__, __LINE__,	\
				     "%s is %lld, not " #_op " %s (%lld); errno %d", \
				     #_seen, _s, #_want, _w, _e);	\
	} while (0)

/* The call must return -1 with this errno. */
#define HARNESS_ERRNO(_fatal, _call, _errno)				\
	do {								\
		long long _r;						\
									\
		errno = 0;						\
		_r = (long long)(_call);				\
		if (_r != -1 || errno != (_errno))			\
			harness_fail(_fatal, __FILE__, __LINE__,	\
				     "%s returned %lld, errno %d, not " \
				     #_errno " (%d)", #_call, _r, errno, \
				     (_errno));				\
	} while (0)

#define EXPECT_EQ(_seen, _want)	HARNESS_COMPARE(false, _seen, ==, _want)
#define EXPECT_NE(_seen, _want)	HARNESS_COMPARE(false, _seen, !=, _want)
#define EXPECT_GE(_seen, _want)	HARNESS_COMPARE(false, _seen, >=, _want)
#define EXPECT_LE(_seen, _want)	HARNESS_COMPARE(false, _seen, <=, _want)
#define EXPECT_TRUE(_cond)	HARNESS_COMPARE(false, _cond, !=, 0)
#define EXPECT_FALSE(_cond)	HARNESS_COMPARE(false, _cond, ==, 0)
#define EXPECT_ERRNO(_call, _e)	HARNESS_ERRNO(false, _call, _e)
#define ASSERT_EQ(_seen, _want)	HARNESS_COMPARE(true, _seen, ==, _want)
#define ASSERT_NE(_seen, _want)	HARNESS_COMPARE(true, _seen, !=, _want)
#define ASSERT_GE(_seen, _want)	HARNESS_COMPARE(true, _seen, >=, _want)
#define ASSERT_LE(_seen, _want)	HARNESS_COMPARE(true, _seen, <=, _want)
#define ASSERT_TRUE(_cond)	HARNESS_COMPARE(true, _cond, !=, 0)
#define ASSERT_FALSE(_cond)	HARNESS_COMPARE(true, _cond, ==, 0)
#define ASSERT_ERRNO(_call, _e)	HARNESS_ERRNO(true, _call, _e)

#endif /* SOCKTLS_HARNESS_H */
