// SPDX-License-Identifier: MIT
/*
 * modern, intermediate and legacy are the three well-known profiles of
 * server-side TLS (RFC 9325 recommends what intermediate has); the versions
 * below TLS 1.2 that legacy had are gone (RFC 8996). The default is
 * intermediate and, behind it, what old but unbroken peers need.
 */
#include <string.h>

#include "engine/policy.h"
#include "engine/protocol.h"

#define SUITES_13 \
	0x1301,	/* AES_128_GCM_SHA256 */ \
	0x1302,	/* AES_256_GCM_SHA384 */ \
	0x1303	/* CHACHA20_POLY1305_SHA256 */

#define SUITES_ECDHE_AEAD \
	0xc02b, 0xc02f,	/* ECDHE_{ECDSA,RSA} AES_128_GCM_SHA256 */ \
	0xc02c, 0xc030,	/* ECDHE_{ECDSA,RSA} AES_256_GCM_SHA384 */ \
	0xcca9, 0xcca8	/* ECDHE_{ECDSA,RSA} CHACHA20_POLY1305_SHA256 */

#define SUITES_ECDHE_CBC_SHA256 \
	0xc023, 0xc027	/* ECDHE_{ECDSA,RSA} AES_128_CBC_SHA256 */

#define SUITES_ECDHE_CBC \
	0xc024, 0xc028,	/* ECDHE_{ECDSA,RSA} AES_256_CBC_SHA384 */ \
	0xc009, 0xc013,	/* ECDHE_{ECDSA,RSA} AES_128_CBC_SHA */ \
	0xc00a, 0xc014	/* ECDHE_{ECDSA,RSA} AES_256_CBC_SHA */

/* Behind the others: old servers have groups that are not RFC 7919's. */
#define SUITES_DHE \
	0x009e, 0x009f	/* DHE_RSA AES_128_GCM_SHA256, AES_256_GCM_SHA384 */

#define SUITES_RSA \
	0x009c,	/* RSA_WITH_AES_128_GCM_SHA256 */ \
	0x009d,	/* RSA_WITH_AES_256_GCM_SHA384 */ \
	0x003c	/* RSA_WITH_AES_128_CBC_SHA256 */

#define SUITES_RSA_CBC \
	0x003d,	/* RSA_WITH_AES_256_CBC_SHA256 */ \
	0x002f,	/* RSA_WITH_AES_128_CBC_SHA */ \
	0x0035	/* RSA_WITH_AES_256_CBC_SHA */

static const uint16_t suites_modern[] = { SUITES_13 };
static const uint16_t suites_intermediate[] = {
	SUITES_13, SUITES_ECDHE_AEAD, SUITES_DHE,
};
static const uint16_t suites_default[] = {
	SUITES_13, SUITES_ECDHE_AEAD, SUITES_ECDHE_CBC_SHA256, SUITES_RSA,
};
static const uint16_t suites_legacy[] = {
	SUITES_13, SUITES_ECDHE_AEAD, SUITES_ECDHE_CBC_SHA256,
	SUITES_ECDHE_CBC, SUITES_DHE, SUITES_RSA, SUITES_RSA_CBC,
};

static const uint16_t groups_common[] = {
	0x001d,	/* x25519 */
	0x0017,	/* secp256r1 */
	0x0018,	/* secp384r1 */
};

/* With the groups of RFC 7919 for DHE. */
static const uint16_t groups_finite[] = {
	0x001d, 0x0017, 0x0018,
	0x0100,	/* ffdhe2048 */
	0x0101,	/* ffdhe3072 */
};

#define SIGALGS_13 \
	0x0403, 0x0503, 0x0603,	/* ecdsa_secp*_sha* */ \
	0x0807, 0x0808,		/* ed25519, ed448 */ \
	0x0809, 0x080a, 0x080b,	/* rsa_pss_pss_* */ \
	0x0804, 0x0805, 0x0806	/* rsa_pss_rsae_* */

#define SIGALGS_PKCS1 \
	0x0401, 0x0501, 0x0601	/* rsa_pkcs1_sha* */

/* The pkcs1 schemes also say what may sign the certificates. */
static const uint16_t sigalgs_common[] = { SIGALGS_13, SIGALGS_PKCS1 };
static const uint16_t sigalgs_legacy[] = {
	SIGALGS_13, SIGALGS_PKCS1,
	0x0203, 0x0201,		/* ecdsa_sha1, rsa_pkcs1_sha1 */
};

#define LIST(list) (list), sizeof(list) / sizeof((list)[0])

static const struct policy policies[] = {
	{ "default", TLS12, 2, false, LIST(suites_default),
	  LIST(groups_common), LIST(sigalgs_common) },
	{ "modern", TLS13, 2, true, LIST(suites_modern),
	  LIST(groups_common), LIST(sigalgs_common) },
	{ "intermediate", TLS12, 2, true, LIST(suites_intermediate),
	  LIST(groups_finite), LIST(sigalgs_common) },
	{ "legacy", TLS12, 1, false, LIST(suites_legacy),
	  LIST(groups_finite), LIST(sigalgs_legacy) },
};

const struct policy *policy_find(const char *name)
{
	size_t i;

	if (!name || !*name)
		return &policies[0];
	for (i = 0; i < sizeof(policies) / sizeof(policies[0]); i++)
		if (!strcmp(policies[i].name, name))
			return &policies[i];
	return NULL;
}
