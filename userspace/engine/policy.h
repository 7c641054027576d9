/* SPDX-License-Identifier: MIT */
/* Policies: what is offered and accepted, in order of preference. */
#ifndef SOCKTLS_ENGINE_POLICY_H
#define SOCKTLS_ENGINE_POLICY_H

#include <stdatomic.h>

#include "engine/engine.h"

/* Does a server ask a client for an OCSP response to its certificate? */
enum client_ocsp {
	CLIENT_OCSP_NO,
	CLIENT_OCSP_REQUEST,	/* what comes is checked */
	CLIENT_OCSP_REQUIRE,
};

/**
 * struct policy - a row per policy
 * @name: as in SOCKTLS_POLICY; the first row is the default
 * @min_version: TLS12 or TLS13
 * @max_version: TLS12 or TLS13
 * @security_level: libcrypto's, for the peer's chain: 1: 80 bits, 2: 112 bits
 * @peer_order: a server follows the client's order of suites
 * @record_limit: longest plaintext of a record that is accepted
 * @client_ocsp: of a server that asks for certificates
 * @suites: cipher suites, as are
 * @groups: and
 * @sigalgs: code points
 */
struct policy {
	const char	*name;
	uint16_t	min_version;
	uint16_t	max_version;
	int		security_level;
	bool		peer_order;
	uint16_t	record_limit;
	enum client_ocsp client_ocsp;
	const uint16_t	*suites;
	size_t		n_suites;
	const uint16_t	*groups;
	size_t		n_groups;
	const uint16_t	*sigalgs;
	size_t		n_sigalgs;
};

/**
 * struct engine_policy - an administrator's policy
 * @references: count
 * @touched: something was set
 * @policy: its lists are those of the base, or
 * @lists: owned: ciphers, groups, sigalgs
 */
struct engine_policy {
	atomic_uint	references;
	bool		touched;
	struct policy	policy;
	uint16_t	*lists[3];
};

/* NULL: unknown. A NULL or empty @name is the default. */
const struct policy *policy_find(const char *name);

#endif /* SOCKTLS_ENGINE_POLICY_H */
