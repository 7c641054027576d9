// SPDX-License-Identifier: MIT
/*
 * modern, intermediate and legacy are Mozilla's three profiles of server-side
 * TLS (version 5.7; RFC 9325 recommends what intermediate has), whose legacy
 * is called old there. What they have below TLS 1.2 and with 3DES is gone
 * (RFC 8996, RFC 9325 section 4.1). The hybrid group is in front wherever
 * libcrypto has it. The default is intermediate in the server's order and,
 * behind it, what old but unbroken peers need.
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

/* In the order of the profile old. */
#define SUITES_ECDHE_CBC \
	0xc023, 0xc027,	/* ECDHE_{ECDSA,RSA} AES_128_CBC_SHA256 */ \
	0xc009, 0xc013,	/* ECDHE_{ECDSA,RSA} AES_128_CBC_SHA */ \
	0xc024, 0xc028,	/* ECDHE_{ECDSA,RSA} AES_256_CBC_SHA384 */ \
	0xc00a, 0xc014	/* ECDHE_{ECDSA,RSA} AES_256_CBC_SHA */

/* Behind the others: old servers have groups that are not RFC 7919's. */
#define SUITES_DHE_AEAD \
	0x009e, 0x009f,	/* DHE_RSA AES_128_GCM_SHA256, AES_256_GCM_SHA384 */ \
	0xccaa		/* DHE_RSA CHACHA20_POLY1305_SHA256 */

#define SUITES_DHE_CBC \
	0x0067, 0x006b	/* DHE_RSA AES_{128,256}_CBC_SHA256 */

#define SUITES_RSA_AEAD \
	0x009c, 0x009d	/* RSA AES_128_GCM_SHA256, AES_256_GCM_SHA384 */

#define SUITES_RSA_CBC \
	0x003c, 0x003d,	/* RSA AES_{128,256}_CBC_SHA256 */ \
	0x002f, 0x0035	/* RSA AES_{128,256}_CBC_SHA */

static const uint16_t suites_modern[] = { SUITES_13 };
static const uint16_t suites_intermediate[] = {
	SUITES_13, SUITES_ECDHE_AEAD, SUITES_DHE_AEAD,
};
static const uint16_t suites_default[] = {
	SUITES_13, SUITES_ECDHE_AEAD,
	0xc023, 0xc027,	/* ECDHE_{ECDSA,RSA} AES_128_CBC_SHA256 */
	SUITES_RSA_AEAD,
	0x003c,		/* RSA AES_128_CBC_SHA256 */
};
static const uint16_t suites_legacy[] = {
	SUITES_13, SUITES_ECDHE_AEAD, SUITES_DHE_AEAD, SUITES_ECDHE_CBC,
	SUITES_DHE_CBC, SUITES_RSA_AEAD, SUITES_RSA_CBC,
};

#define GROUPS_COMMON \
	0x11ec,	/* X25519MLKEM768 */ \
	0x001d,	/* x25519 */ \
	0x0017,	/* secp256r1 */ \
	0x0018	/* secp384r1 */

static const uint16_t groups_common[] = { GROUPS_COMMON };

/* With the groups of RFC 7919 for DHE. */
static const uint16_t groups_finite[] = {
	GROUPS_COMMON,
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
#define LIMIT	16384	/* RFC 8446 section 5.1 */
#define OCSP	CLIENT_OCSP_NO

static const struct policy policies[] = {
	{ "default", TLS12, TLS13, 2, false, LIMIT, OCSP, LIST(suites_default),
	  LIST(groups_common), LIST(sigalgs_common) },
	{ "modern", TLS13, TLS13, 2, true, LIMIT, OCSP, LIST(suites_modern),
	  LIST(groups_common), LIST(sigalgs_common) },
	{ "intermediate", TLS12, TLS13, 2, true, LIMIT, OCSP,
	  LIST(suites_intermediate), LIST(groups_finite),
	  LIST(sigalgs_common) },
	{ "legacy", TLS12, TLS13, 1, false, LIMIT, OCSP, LIST(suites_legacy),
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
