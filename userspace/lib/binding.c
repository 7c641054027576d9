// SPDX-License-Identifier: MIT
/* Channel bindings: tls-exporter (RFC 9266), tls-server-end-point (RFC 5929). */
#include "lib/binding.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "socktls.h"

#define EXPORTER_LABEL	"EXPORTER-Channel-Binding"
#define EXPORTER_LEN	32
#define CHAIN_MAX	(256 * 1024)	/* more than the helper hands over */

/* --------------------------------------------------------------------- DER */

#define DER_OID		0x06
#define DER_SEQUENCE	0x30
#define DER_EXPLICIT_0	0xa0

struct der {
	const uint8_t	*data;
	size_t		len;
};

/* The element at the front of @from, which loses it, must have @tag. */
static bool der_take(struct der *from, uint8_t tag, struct der *content)
{
	size_t at = 2, len, i;

	if (from->len < 2 || from->data[0] != tag)
		return false;
	len = from->data[1];
	if (len & 0x80) {
		size_t n = len & 0x7f;

		if (!n || n > 4 || n > from->len - 2)
			return false;
		for (len = 0, i = 0; i < n; i++)
			len = len << 8 | from->data[at++];
	}
	if (len > from->len - at)
		return false;
	*content = (struct der){ from->data + at, len };
	from->data += at + len;
	from->len -= at + len;
	return true;
}

/* ------------------------------------------------------------------ hashes */

#define OID(bytes)	bytes, sizeof(bytes) - 1
#define PKCS1		"\x2a\x86\x48\x86\xf7\x0d\x01\x01"
#define ECDSA		"\x2a\x86\x48\xce\x3d\x04"
#define NIST_HASH	"\x60\x86\x48\x01\x65\x03\x04\x02"
#define NIST_SIGNATURE	"\x60\x86\x48\x01\x65\x03\x04\x03"

struct algorithm {
	const char	*oid;
	size_t		len;
	unsigned int	bits;
};

/* RFC 5929 section 4.1: SHA-256 in place of MD5 and SHA-1. */
static const struct algorithm signatures[] = {
	{ OID(PKCS1 "\x04"), 256 },		/* MD5 */
	{ OID(PKCS1 "\x05"), 256 },		/* SHA-1 */
	{ OID(PKCS1 "\x0e"), 224 },
	{ OID(PKCS1 "\x0b"), 256 },
	{ OID(PKCS1 "\x0c"), 384 },
	{ OID(PKCS1 "\x0d"), 512 },
	{ OID(ECDSA "\x01"), 256 },		/* SHA-1 */
	{ OID(ECDSA "\x03\x01"), 224 },
	{ OID(ECDSA "\x03\x02"), 256 },
	{ OID(ECDSA "\x03\x03"), 384 },
	{ OID(ECDSA "\x03\x04"), 512 },
	{ OID(NIST_SIGNATURE "\x01"), 224 },	/* DSA */
	{ OID(NIST_SIGNATURE "\x02"), 256 },
};

static const struct algorithm hashes[] = {
	{ OID("\x2b\x0e\x03\x02\x1a"), 256 },	/* SHA-1 */
	{ OID(NIST_HASH "\x04"), 224 },
	{ OID(NIST_HASH "\x01"), 256 },
	{ OID(NIST_HASH "\x02"), 384 },
	{ OID(NIST_HASH "\x03"), 512 },
};

static unsigned int bits_of(const struct algorithm *list, size_t n,
			    struct der oid)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (list[i].len == oid.len &&
		    !memcmp(list[i].oid, oid.data, oid.len))
			return list[i].bits;
	return 0;
}

/* RSASSA-PSS names its hash in the parameters; without, it is SHA-1. */
static unsigned int pss_bits(struct der parameters)
{
	struct der fields, explicit, algorithm, oid;

	if (!der_take(&parameters, DER_SEQUENCE, &fields))
		return 0;
	if (!der_take(&fields, DER_EXPLICIT_0, &explicit))
		return 256;
	if (!der_take(&explicit, DER_SEQUENCE, &algorithm) ||
	    !der_take(&algorithm, DER_OID, &oid))
		return 0;
	return bits_of(hashes, sizeof(hashes) / sizeof(hashes[0]), oid);
}

static unsigned int signature_bits(struct der certificate)
{
	static const uint8_t pss[] = PKCS1 "\x0a";
	struct der content, tbs, algorithm, oid;

	if (!der_take(&certificate, DER_SEQUENCE, &content) ||
	    !der_take(&content, DER_SEQUENCE, &tbs) ||
	    !der_take(&content, DER_SEQUENCE, &algorithm) ||
	    !der_take(&algorithm, DER_OID, &oid))
		return 0;
	if (oid.len == sizeof(pss) - 1 && !memcmp(oid.data, pss, oid.len))
		return pss_bits(algorithm);
	return bits_of(signatures, sizeof(signatures) / sizeof(signatures[0]),
		       oid);
}

size_t binding_end_point(const uint8_t *der, size_t len, uint8_t out[SHA2_MAX])
{
	unsigned int bits = signature_bits((struct der){ der, len });

	if (bits)
		sha2(bits, der, len, out);
	return bits / 8;
}

/* ---------------------------------------------------------------- bindings */

static ssize_t fail(int error)
{
	errno = error;
	return -1;
}

/* The context is there, and empty: RFC 9266 section 2. */
static ssize_t get_exporter(int fd, uint8_t out[SOCKTLS_BINDING_MAX])
{
	union {
		struct socktls_exporter	value;
		uint8_t			room[sizeof(struct socktls_exporter) +
					     SOCKTLS_BINDING_MAX];
	} buffer = { .value = {
		.label_len = strlen(EXPORTER_LABEL),
		.length = EXPORTER_LEN,
		.flags = SOCKTLS_EXPORTER_CONTEXT,
	} };
	socklen_t len = sizeof(buffer);

	memcpy(buffer.value.data, EXPORTER_LABEL, strlen(EXPORTER_LABEL));
	if (getsockopt(fd, SOL_TLS, SOCKTLS_EXPORTER, &buffer, &len) < 0)
		return -1;
	memcpy(out, buffer.value.data, EXPORTER_LEN);
	explicit_bzero(&buffer, sizeof(buffer));
	return EXPORTER_LEN;
}

/* The leaf comes first. */
static ssize_t of_chain(const uint8_t *bytes, size_t len,
			uint8_t out[SOCKTLS_BINDING_MAX])
{
	const struct socktls_blob *leaf = (const void *)bytes;
	ssize_t n;

	if (len < sizeof(*leaf) || leaf->type != SOCKTLS_BLOB_CERTIFICATE ||
	    leaf->len > len - sizeof(*leaf))
		return fail(ENODATA);
	n = binding_end_point(leaf->data, leaf->len, out);
	return n ? n : fail(EOPNOTSUPP);
}

static ssize_t get_end_point(int fd, uint8_t out[SOCKTLS_BINDING_MAX])
{
	socklen_t len = CHAIN_MAX;
	struct socktls_info info;
	uint8_t *chain;
	ssize_t n = -1;

	if (socktls_get_info(fd, &info) < 0)
		return -1;
	chain = malloc(len);
	if (!chain)
		return -1;
	if (!getsockopt(fd, SOL_TLS, info.flags & SOCKTLS_INFO_SERVER ?
			SOCKTLS_LOCAL_CERT : SOCKTLS_PEER, chain, &len))
		n = of_chain(chain, len, out);
	free(chain);
	return n;
}

static const struct {
	const char	*type;
	ssize_t		(*get)(int fd, uint8_t out[SOCKTLS_BINDING_MAX]);
} bindings[] = {
	{ "tls-exporter",		get_exporter },
	{ "tls-server-end-point",	get_end_point },
};

ssize_t socktls_get_channel_binding(int fd, const char *type, void *data,
				    size_t len)
{
	uint8_t value[SOCKTLS_BINDING_MAX];
	ssize_t n;
	size_t i;

	for (i = 0; i < sizeof(bindings) / sizeof(bindings[0]); i++)
		if (!strcmp(bindings[i].type, type))
			break;
	if (i == sizeof(bindings) / sizeof(bindings[0]))
		return fail(EINVAL);
	n = bindings[i].get(fd, value);
	if (n < 0)
		return -1;
	if ((size_t)n <= len)
		memcpy(data, value, n);
	explicit_bzero(value, sizeof(value));
	return (size_t)n <= len ? n : fail(ERANGE);
}
