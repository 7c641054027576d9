/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Every record protection in every way it can be used: each row of the table
 * with each version, and block ciphers both ways.
 */
#ifndef SUITE_PARAMS_H
#define SUITE_PARAMS_H

#include "cipher.h"

struct kunit;

/**
 * struct suite_param - a record protection
 * @name: for the test's result
 * @cipher: number of the row
 * @version: 0x0303 or 0x0304
 * @encrypt_then_mac: RFC 7366
 */
struct suite_param {
	const char *name;
	u16 cipher;
	u16 version;
	bool encrypt_then_mac;
};

/* For KUNIT_CASE_PARAM: all; those of TLS 1.3 */
const void *suite_gen_params(const void *prev, char *desc);
const void *suite_13_gen_params(const void *prev, char *desc);

/* A key of random bytes that fits */
void suite_make_key(const struct suite_param *param, struct socktls_key *key);

/*
 * An epoch that is freed with the test; skips the test where the kernel has no
 * such cipher.
 */
struct socktls_epoch *suite_epoch(struct kunit *test,
				  const struct socktls_key *key);

/*
 * A record's memory: @nr segments of @size bytes that start @off bytes into
 * their pages, and are given back with the test.
 */
struct suite_vec {
	struct socktls_vec vec;
	struct socktls_vec whole;
};

struct suite_vec *suite_vec(struct kunit *test, u32 nr, u32 off, u32 size);
/* As it was made, for the next record; zeros in it */
void suite_vec_reset(struct suite_vec *v);

#endif
