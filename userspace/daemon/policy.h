/* SPDX-License-Identifier: MIT */
/* One administrator's policy: policies/NAME.conf. */
#ifndef SOCKTLSD_POLICY_H
#define SOCKTLSD_POLICY_H

#include <stddef.h>

#include "engine/engine.h"

/**
 * policy_load() - read a policy
 * @policy: set on success, with one reference
 * @path: lines KEY = VALUE, without sections; '#' and ';' start comments
 * @error: on failure, what is wrong, with file and line
 * @error_len: length of @error in bytes
 *
 * Return: 0, -EINVAL for bad contents, -ENOMEM, or the negative errno of
 * reading the file.
 */
int policy_load(struct engine_policy **policy, const char *path, char *error,
		size_t error_len);

#endif /* SOCKTLSD_POLICY_H */
