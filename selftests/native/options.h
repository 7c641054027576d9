/* SPDX-License-Identifier: MIT */
/* Options and files that engine-server and engine-client share. */
#ifndef SOCKTLS_SELFTESTS_OPTIONS_H
#define SOCKTLS_SELFTESTS_OPTIONS_H

#include <argp.h>
#include <stdio.h>

#include "engine/engine.h"

#define LIST_MAX	64

/**
 * struct options - from the command line
 * @config: for engine_new(), its pointers into the rest
 * @keylog: open file or NULL
 */
struct options {
	struct engine_config	config;
	FILE			*keylog;
	struct engine_identity	*identities[LIST_MAX];
	uint16_t		suites[LIST_MAX];
	uint16_t		groups[LIST_MAX];
	uint8_t			alpn[1024];
};

/* A child parser; its input is struct options. */
extern const struct argp options_argp;

#endif /* SOCKTLS_SELFTESTS_OPTIONS_H */
