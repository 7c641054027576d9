// SPDX-License-Identifier: MIT
/*
 * Each MUST of RFC 8446 that names an alert, as a row: what a peer does wrong,
 * and what it gets for it. What is about records, or after the handshake, is
 * the module's; what is about pre_shared_key stands in test_resumption.c.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/messages.h"
#include "world.h"

#define HEADER	4

/* What is done to the message on its way. */
enum op {
	OP_CUT,		/* its last byte is missing */
	OP_GROW,	/* there is a byte too many */
	OP_BYTES,	/* bytes at an offset of the body are others */
	OP_BODY,	/* the whole body is another */
	OP_SUITES,	/* of a ClientHello: others */
	OP_COMPRESSION,	/* of a ClientHello: other methods */
	OP_EXT,		/* an extension is others, or new, at the end */
	OP_EXT_DROP,	/* an extension is missing */
	OP_EXT_TWICE,	/* an extension comes twice */
	OP_FLIP,	/* the last bit is another */
	OP_AGAIN,	/* the message comes twice */
};

/**
 * struct row - a rule
 * @rule: section, and what it says
 * @to: who gets the message: 'c' or 's'
 * @how: letters: 'r' with a retry, 'm' with mutual authentication, '2' TLS 1.2,
 *	'o' the receiver has TLS 1.3 only
 * @type: of the message
 * @nth: which one of that type, 0: the first
 * @op: what is done to it
 * @at: offset in the body, or type of extension; with 1 << 16: in front
 * @bytes: for @op
 * @len: of @bytes
 * @alert: that the receiver has to send
 */
struct row {
	const char	*rule;
	char		to;
	const char	*how;
	uint8_t		type;
	unsigned int	nth;
	enum op		op;
	unsigned int	at;
	const char	*bytes;
	size_t		len;
	int		alert;
};

#define B(text)		text, sizeof(text) - 1
#define NOTHING		NULL, 0

/* Offsets in a ServerHello behind a session ID of 32 bytes. */
#define SH_SESSION_ID	(2 + 32 + 1)
#define SH_SUITE	(SH_SESSION_ID + 32)

/* A point of P-256 that is on no curve, and one that is infinity. */
#define BAD_POINT	"\0\x17\0\x41\x04" \
	"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define ZEROS32		"\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0" \
			"\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"

static const struct row rows[] = {
	/* ----------------------------------------- 4.1.1, 4.1.2: ClientHello */
	{ "4.1.1: no suite in common", 's', "", CLIENT_HELLO, 0, OP_SUITES, 0,
	  B("\x13\x7f"), HANDSHAKE_FAILURE },
	{ "4.1.1: no group in common", 's', "", CLIENT_HELLO, 0, OP_EXT,
	  EXT_SUPPORTED_GROUPS, B("\0\2\0\x7f"), HANDSHAKE_FAILURE },
	{ "4.1.1, 4.4.3: no signature scheme in common", 's', "", CLIENT_HELLO,
	  0, OP_EXT, EXT_SIGNATURE_ALGORITHMS, B("\0\2\x7f\x7f"),
	  HANDSHAKE_FAILURE },
	{ "4.1.2: another ClientHello after the retry", 's', "r", CLIENT_HELLO,
	  1, OP_BYTES, 2, B("other"), ILLEGAL_PARAMETER },
	{ "4.1.2: no version that the server has", 's', "o", CLIENT_HELLO, 0,
	  OP_EXT, EXT_SUPPORTED_VERSIONS, B("\2\3\3"), PROTOCOL_VERSION },
	{ "4.2.1: no version at all that exists", 's', "", CLIENT_HELLO, 0,
	  OP_EXT, EXT_SUPPORTED_VERSIONS, B("\2\3\2"), PROTOCOL_VERSION },
	{ "4.2.1: TLS 1.3 only, and no supported_versions", 's', "o",
	  CLIENT_HELLO, 0, OP_EXT_DROP, EXT_SUPPORTED_VERSIONS, NOTHING,
	  PROTOCOL_VERSION },

	/* ----------------------------------------------- 4.1.3: ServerHello */
	{ "4.1.3: legacy_version is not 0x0303", 'c', "", SERVER_HELLO, 0,
	  OP_BYTES, 0, B("\3\4"), ILLEGAL_PARAMETER },
	{ "4.1.3: session ID not echoed", 'c', "", SERVER_HELLO, 0, OP_BYTES,
	  SH_SESSION_ID, B("abcd"), ILLEGAL_PARAMETER },
	{ "4.1.3: suite that was not offered", 'c', "", SERVER_HELLO, 0,
	  OP_BYTES, SH_SUITE, B("\x13\x04"), ILLEGAL_PARAMETER },
	{ "4.1.3: compression", 'c', "", SERVER_HELLO, 0, OP_BYTES,
	  SH_SUITE + 2, B("\1"), ILLEGAL_PARAMETER },
	{ "4.1.3: TLS 1.1", 'c', "2", SERVER_HELLO, 0, OP_BYTES, 0, B("\3\2"),
	  PROTOCOL_VERSION },
	{ "4.1.3: sentinel of TLS 1.2", 'c', "2", SERVER_HELLO, 0, OP_BYTES,
	  2 + 24, B("DOWNGRD\1"), ILLEGAL_PARAMETER },
	{ "4.1.3: sentinel of TLS 1.1", 'c', "2", SERVER_HELLO, 0, OP_BYTES,
	  2 + 24, B("DOWNGRD\0"), ILLEGAL_PARAMETER },
	{ "4.2.1: selected_version that was not offered", 'c', "",
	  SERVER_HELLO, 0, OP_EXT, EXT_SUPPORTED_VERSIONS, B("\3\5"),
	  ILLEGAL_PARAMETER },
	{ "4.2.1: selected_version below TLS 1.3", 'c', "", SERVER_HELLO, 0,
	  OP_EXT, EXT_SUPPORTED_VERSIONS, B("\3\3"), ILLEGAL_PARAMETER },
	{ "4.2.8: share of a group that was not offered", 'c', "",
	  SERVER_HELLO, 0, OP_EXT, EXT_KEY_SHARE, B("\0\x19\0\1x"),
	  ILLEGAL_PARAMETER },
	{ "4.2.8: no share", 'c', "", SERVER_HELLO, 0, OP_EXT_DROP,
	  EXT_KEY_SHARE, NOTHING, MISSING_EXTENSION },
	{ "4.2.8: share of another group than the retry's", 'c', "r",
	  SERVER_HELLO, 1, OP_EXT, EXT_KEY_SHARE, B("\0\x1d\0\x20" ZEROS32),
	  ILLEGAL_PARAMETER },

	/* -------------------------------------- 4.1.4: HelloRetryRequest */
	{ "4.1.4: a second HelloRetryRequest", 'c', "r", SERVER_HELLO, 0,
	  OP_AGAIN, 0, NOTHING, UNEXPECTED_MESSAGE },
	{ "4.1.4: a retry that changes nothing", 'c', "r", SERVER_HELLO, 0,
	  OP_EXT_DROP, EXT_KEY_SHARE, NOTHING, ILLEGAL_PARAMETER },
	{ "4.1.4: another suite after the retry", 'c', "r", SERVER_HELLO, 1,
	  OP_BYTES, SH_SUITE, B("\x13\x03"), ILLEGAL_PARAMETER },
	{ "4.1.4: another version after the retry", 'c', "r", SERVER_HELLO, 1,
	  OP_EXT_DROP, EXT_SUPPORTED_VERSIONS, NOTHING, ILLEGAL_PARAMETER },
	{ "4.1.4: a retry without supported_versions", 'c', "r", SERVER_HELLO,
	  0, OP_EXT_DROP, EXT_SUPPORTED_VERSIONS, NOTHING, ILLEGAL_PARAMETER },
	{ "4.1.4: a retry with an extension that was not offered", 'c', "r",
	  SERVER_HELLO, 0, OP_EXT, 0x7a7a, B(""), UNSUPPORTED_EXTENSION },
	{ "4.2.8: a retry for a group that was not offered", 'c', "r",
	  SERVER_HELLO, 0, OP_EXT, EXT_KEY_SHARE, B("\0\x19"),
	  ILLEGAL_PARAMETER },
	{ "4.2.8: a retry for a group whose share was there", 'c', "r",
	  SERVER_HELLO, 0, OP_EXT, EXT_KEY_SHARE, B("\0\x1d"),
	  ILLEGAL_PARAMETER },

	/* ------------------------------------------------- 4.2: extensions */
	{ "4.2: twice in ClientHello", 's', "", CLIENT_HELLO, 0, OP_EXT_TWICE,
	  EXT_SUPPORTED_GROUPS, NOTHING, ILLEGAL_PARAMETER },
	{ "4.2: twice in ServerHello", 'c', "", SERVER_HELLO, 0, OP_EXT_TWICE,
	  EXT_KEY_SHARE, NOTHING, ILLEGAL_PARAMETER },
	{ "4.2: ALPN in ServerHello", 'c', "", SERVER_HELLO, 0, OP_EXT,
	  EXT_ALPN, B("\0\3\2h2"), ILLEGAL_PARAMETER },
	{ "4.2: key_share in EncryptedExtensions", 'c', "",
	  ENCRYPTED_EXTENSIONS, 0, OP_EXT, EXT_KEY_SHARE, B("\0\x1d\0\1x"),
	  ILLEGAL_PARAMETER },
	{ "4.2: supported_versions in EncryptedExtensions", 'c', "",
	  ENCRYPTED_EXTENSIONS, 0, OP_EXT, EXT_SUPPORTED_VERSIONS, B("\3\4"),
	  ILLEGAL_PARAMETER },
	{ "4.2: signature_algorithms in EncryptedExtensions", 'c', "",
	  ENCRYPTED_EXTENSIONS, 0, OP_EXT, EXT_SIGNATURE_ALGORITHMS,
	  B("\0\2\4\3"), ILLEGAL_PARAMETER },
	{ "4.2: server_name in CertificateRequest", 'c', "m",
	  CERTIFICATE_REQUEST, 0, OP_EXT, EXT_SERVER_NAME, B(""),
	  ILLEGAL_PARAMETER },
	{ "4.2: not asked for, in EncryptedExtensions", 'c', "",
	  ENCRYPTED_EXTENSIONS, 0, OP_EXT, EXT_ALPN, B("\0\3\2h2"),
	  UNSUPPORTED_EXTENSION },
	{ "4.2: unknown, in EncryptedExtensions", 'c', "",
	  ENCRYPTED_EXTENSIONS, 0, OP_EXT, 0x7a7a, B(""),
	  UNSUPPORTED_EXTENSION },
	{ "4.2: unknown, in ServerHello", 'c', "", SERVER_HELLO, 0, OP_EXT,
	  0x7a7a, B(""), UNSUPPORTED_EXTENSION },
	{ "4.2.10: early_data accepted that was not sent", 'c', "",
	  ENCRYPTED_EXTENSIONS, 0, OP_EXT, EXT_EARLY_DATA, B(""),
	  UNSUPPORTED_EXTENSION },
	{ "4.2.11: pre_shared_key that was not offered", 'c', "",
	  SERVER_HELLO, 0, OP_EXT, EXT_PRE_SHARED_KEY, B("\0\0"),
	  UNSUPPORTED_EXTENSION },
	{ "4.2.11: pre_shared_key is not the last one", 's', "", CLIENT_HELLO,
	  0, OP_EXT, EXT_PRE_SHARED_KEY | 1 << 16, B("\0\0"),
	  ILLEGAL_PARAMETER },

	/* -------------------------------------------------- 4.2.8: key_share */
	{ "4.2.8: two shares of a group", 's', "", CLIENT_HELLO, 0, OP_EXT,
	  EXT_KEY_SHARE, B("\0\x0a\0\x1d\0\1x\0\x1d\0\1x"),
	  ILLEGAL_PARAMETER },
	{ "4.2.8: after a retry, not the group asked for", 's', "r",
	  CLIENT_HELLO, 1, OP_EXT, EXT_KEY_SHARE,
	  B("\0\x24\0\x1d\0\x20" ZEROS32), ILLEGAL_PARAMETER },
	{ "4.2.8: after a retry, no share", 's', "r", CLIENT_HELLO, 1, OP_EXT,
	  EXT_KEY_SHARE, B("\0\0"), ILLEGAL_PARAMETER },
	{ "4.2.8.2: a point on no curve, from a client", 's', "r",
	  CLIENT_HELLO, 1, OP_EXT, EXT_KEY_SHARE, B("\0\x45" BAD_POINT),
	  ILLEGAL_PARAMETER },
	{ "4.2.8.2: a point on no curve, from a server", 'c', "r",
	  SERVER_HELLO, 1, OP_EXT, EXT_KEY_SHARE, B(BAD_POINT),
	  ILLEGAL_PARAMETER },
	{ "4.2.8.2: a point of the wrong length", 's', "r", CLIENT_HELLO, 1,
	  OP_EXT, EXT_KEY_SHARE, B("\0\5\0\x17\0\1\4"), ILLEGAL_PARAMETER },
	{ "7.4.2: an x25519 secret of zeros, from a client", 's', "",
	  CLIENT_HELLO, 0, OP_EXT, EXT_KEY_SHARE,
	  B("\0\x24\0\x1d\0\x20" ZEROS32), ILLEGAL_PARAMETER },
	{ "7.4.2: an x25519 secret of zeros, from a server", 'c', "",
	  SERVER_HELLO, 0, OP_EXT, EXT_KEY_SHARE,
	  B("\0\x1d\0\x20" ZEROS32), ILLEGAL_PARAMETER },

	/* ------------------------------------------- 9.2: mandatory extensions */
	{ "9.2: no signature_algorithms", 's', "", CLIENT_HELLO, 0,
	  OP_EXT_DROP, EXT_SIGNATURE_ALGORITHMS, NOTHING, MISSING_EXTENSION },
	{ "9.2: no supported_groups", 's', "", CLIENT_HELLO, 0, OP_EXT_DROP,
	  EXT_SUPPORTED_GROUPS, NOTHING, MISSING_EXTENSION },
	{ "9.2: no key_share", 's', "", CLIENT_HELLO, 0, OP_EXT_DROP,
	  EXT_KEY_SHARE, NOTHING, MISSING_EXTENSION },
	{ "4.3.2: CertificateRequest without signature_algorithms", 'c', "m",
	  CERTIFICATE_REQUEST, 0, OP_EXT_DROP, EXT_SIGNATURE_ALGORITHMS,
	  NOTHING, MISSING_EXTENSION },
	{ "4.3.2: CertificateRequest with a context", 'c', "m",
	  CERTIFICATE_REQUEST, 0, OP_BODY, 0,
	  B("\1x\0\x08\0\x0d\0\4\0\2\4\3"), ILLEGAL_PARAMETER },

	/* ------------------------------------- 4.4: certificates, signatures */
	{ "4.4.2: a server without a certificate", 'c', "", CERTIFICATE, 0,
	  OP_BODY, 0, B("\0\0\0\0"), DECODE_ERROR },
	{ "4.4.2: a server's Certificate with a context", 'c', "",
	  CERTIFICATE, 0, OP_BODY, 0, B("\1x\0\0\6\0\0\1x\0\0"),
	  ILLEGAL_PARAMETER },
	{ "4.4.2: an extension that was not asked for", 'c', "", CERTIFICATE,
	  0, OP_BODY, 0, NULL, 1, UNSUPPORTED_EXTENSION },
	{ "4.4.2.4: no certificate where one is required", 's', "m",
	  CERTIFICATE, 0, OP_BODY, 0, B("\0\0\0\0"), CERTIFICATE_REQUIRED },
	{ "4.4.2.4: not a certificate", 'c', "", CERTIFICATE, 0, OP_BODY, 0,
	  B("\0\0\0\x08\0\0\3abc\0\0"), BAD_CERTIFICATE },
	{ "4.4.3: a scheme that was not offered", 'c', "",
	  CERTIFICATE_VERIFY, 0, OP_BYTES, 0, B("\2\1"), ILLEGAL_PARAMETER },
	{ "4.4.3: RSASSA-PKCS1-v1_5", 'c', "", CERTIFICATE_VERIFY, 0,
	  OP_BYTES, 0, B("\4\1"), ILLEGAL_PARAMETER },
	{ "4.4.3: a scheme that does not fit the key", 'c', "",
	  CERTIFICATE_VERIFY, 0, OP_BYTES, 0, B("\4\3"), ILLEGAL_PARAMETER },
	{ "4.4.3: a wrong signature of the server", 'c', "",
	  CERTIFICATE_VERIFY, 0, OP_FLIP, 0, NOTHING, DECRYPT_ERROR },
	{ "4.4.3: a wrong signature of the client", 's', "m",
	  CERTIFICATE_VERIFY, 0, OP_FLIP, 0, NOTHING, DECRYPT_ERROR },
	{ "4.4.4: a wrong Finished of the server", 'c', "", FINISHED, 0,
	  OP_FLIP, 0, NOTHING, DECRYPT_ERROR },
	{ "4.4.4: a wrong Finished of the client", 's', "", FINISHED, 0,
	  OP_FLIP, 0, NOTHING, DECRYPT_ERROR },

	/* ---------------------------------- 4.1.2: legacy_compression_methods */
	{ "4.1.2: compression methods besides null", 's', "", CLIENT_HELLO, 0,
	  OP_COMPRESSION, 0, B("\1\0"), ILLEGAL_PARAMETER },
	{ "4.1.2: no null compression", 's', "", CLIENT_HELLO, 0,
	  OP_COMPRESSION, 0, B("\1"), ILLEGAL_PARAMETER },

	/* ---------------------- 6.2: "cannot be parsed according to the syntax" */
	{ "6.2: cut ClientHello", 's', "", CLIENT_HELLO, 0, OP_CUT, 0, NOTHING,
	  DECODE_ERROR },
	{ "6.2: grown ClientHello", 's', "", CLIENT_HELLO, 0, OP_GROW, 0,
	  NOTHING, DECODE_ERROR },
	{ "6.2: cut ServerHello", 'c', "", SERVER_HELLO, 0, OP_CUT, 0, NOTHING,
	  DECODE_ERROR },
	{ "6.2: grown ServerHello", 'c', "", SERVER_HELLO, 0, OP_GROW, 0,
	  NOTHING, DECODE_ERROR },
	{ "6.2: cut EncryptedExtensions", 'c', "", ENCRYPTED_EXTENSIONS, 0,
	  OP_CUT, 0, NOTHING, DECODE_ERROR },
	{ "6.2: grown EncryptedExtensions", 'c', "", ENCRYPTED_EXTENSIONS, 0,
	  OP_GROW, 0, NOTHING, DECODE_ERROR },
	{ "6.2: cut CertificateRequest", 'c', "m", CERTIFICATE_REQUEST, 0,
	  OP_CUT, 0, NOTHING, DECODE_ERROR },
	{ "6.2: grown CertificateRequest", 'c', "m", CERTIFICATE_REQUEST, 0,
	  OP_GROW, 0, NOTHING, DECODE_ERROR },
	{ "6.2: cut Certificate", 'c', "", CERTIFICATE, 0, OP_CUT, 0, NOTHING,
	  DECODE_ERROR },
	{ "6.2: grown Certificate", 's', "m", CERTIFICATE, 0, OP_GROW, 0,
	  NOTHING, DECODE_ERROR },
	{ "6.2: cut CertificateVerify", 's', "m", CERTIFICATE_VERIFY, 0,
	  OP_CUT, 0, NOTHING, DECODE_ERROR },
	{ "6.2: grown CertificateVerify", 'c', "", CERTIFICATE_VERIFY, 0,
	  OP_GROW, 0, NOTHING, DECODE_ERROR },
	{ "6.2: cut Finished", 's', "", FINISHED, 0, OP_CUT, 0, NOTHING,
	  DECODE_ERROR },
	{ "6.2: grown Finished", 'c', "", FINISHED, 0, OP_GROW, 0, NOTHING,
	  DECODE_ERROR },
	{ "6.2: empty extension where it may not be", 's', "", CLIENT_HELLO,
	  0, OP_EXT, EXT_SUPPORTED_GROUPS, B(""), DECODE_ERROR },
	{ "6.2: server_name that is not empty", 'c', "", ENCRYPTED_EXTENSIONS,
	  0, OP_EXT, EXT_SERVER_NAME, B("x"), DECODE_ERROR },
};

/* --------------------------------------------------------------- editing */

static size_t get(const uint8_t *at, unsigned int width)
{
	size_t value = 0;

	while (width--)
		value = value << 8 | *at++;
	return value;
}

/* Where the block of extensions begins, with its length. */
static size_t block_of(const uint8_t *body, uint8_t type)
{
	size_t at = 2 + 32;

	switch (type) {
	case ENCRYPTED_EXTENSIONS:
		return 0;
	case CERTIFICATE_REQUEST:
		return 1 + body[0];
	case SERVER_HELLO:
		return at + 1 + body[at] + 3;
	}
	at += 1 + body[at];
	at += 2 + get(body + at, 2);
	return at + 1 + body[at];
}

static void copy_extension(struct writer *w, uint16_t type, const uint8_t *data,
			   size_t len)
{
	extension_write(w, type, bytes_of(data, len));
}

/* The body with its extensions edited. */
static void edit_extensions(const struct row *row, const uint8_t *body,
			    size_t len, struct writer *w)
{
	size_t at = block_of(body, row->type), mark;
	uint16_t wanted = row->at;
	bool found = false;

	writer_bytes(w, bytes_of(body, at));
	mark = writer_open(w, 2);
	if (row->at >> 16 == 1)	/* in front */
		copy_extension(w, wanted, (const uint8_t *)row->bytes,
			       row->len);
	for (at += 2; at < len; at += 4 + get(body + at + 2, 2)) {
		uint16_t type = get(body + at, 2);
		bool same = type == wanted && !(row->at >> 16);

		found = found || same;
		if (same && row->op == OP_EXT_DROP)
			continue;
		if (same && row->op == OP_EXT) {
			copy_extension(w, type, (const uint8_t *)row->bytes,
				       row->len);
			continue;
		}
		copy_extension(w, type, body + at + 4, get(body + at + 2, 2));
		if (same)
			copy_extension(w, type, body + at + 4,
				       get(body + at + 2, 2));
	}
	if (!found && row->op == OP_EXT && !(row->at >> 16))
		copy_extension(w, wanted, (const uint8_t *)row->bytes,
			       row->len);
	assert_true(found || row->op == OP_EXT);
	writer_close(w, mark, 2);
}

static void edit_list(const struct row *row, const uint8_t *body, size_t len,
		      struct writer *w)
{
	size_t suites = 2 + 32 + 1 + body[2 + 32];
	size_t methods = suites + 2 + get(body + suites, 2);
	size_t rest = methods + 1 + body[methods];

	writer_bytes(w, bytes_of(body, suites));
	if (row->op == OP_SUITES)
		writer_vector(w, 2, bytes_of(row->bytes, row->len));
	else
		writer_bytes(w, bytes_of(body + suites, methods - suites));
	if (row->op == OP_COMPRESSION)
		writer_vector(w, 1, bytes_of(row->bytes, row->len));
	else
		writer_bytes(w, bytes_of(body + methods, rest - methods));
	writer_bytes(w, bytes_of(body + rest, len - rest));
}

/* The leaf's entry with an extension that nobody asked for. */
static void edit_entry(const uint8_t *body, struct writer *w)
{
	size_t len = get(body + 4, 3), list;

	writer_u8(w, 0);
	list = writer_open(w, 3);
	writer_vector(w, 3, bytes_of(body + 7, len));
	writer_vector(w, 2, bytes_of("\x7a\x7a\0\0", 4));
	writer_close(w, list, 3);
}

static void edit_body(const struct row *row, const uint8_t *body, size_t len,
		      struct writer *w)
{
	switch (row->op) {
	case OP_CUT:
		writer_bytes(w, bytes_of(body, len - 1));
		return;
	case OP_GROW:
		writer_bytes(w, bytes_of(body, len));
		writer_u8(w, 0);
		return;
	case OP_BODY:
		if (row->bytes)
			writer_bytes(w, bytes_of(row->bytes, row->len));
		else
			edit_entry(body, w);
		return;
	case OP_BYTES:
	case OP_FLIP:
	case OP_AGAIN:
		writer_bytes(w, bytes_of(body, len));
		if (row->op == OP_BYTES)
			memcpy(w->data + row->at, row->bytes, row->len);
		else if (row->op == OP_FLIP)
			w->data[len - 1] ^= 1;
		return;
	case OP_SUITES:
	case OP_COMPRESSION:
		edit_list(row, body, len, w);
		return;
	default:
		edit_extensions(row, body, len, w);
	}
}

struct run {
	const struct row	*row;
	unsigned int		seen;
	bool			done;
};

static void edit_message(struct run *run, struct writer *out,
			 const uint8_t *message, size_t len)
{
	const struct row *row = run->row;
	struct writer body = { 0 };
	unsigned int times = row->op == OP_AGAIN ? 2 : 1;

	run->done = true;
	edit_body(row, message + HEADER, len - HEADER, &body);
	assert_false(body.bad);
	while (times--) {
		writer_u8(out, message[0]);
		writer_vector(out, 3, writer_view(&body));
	}
	writer_free(&body);
}

static bool tamper(struct pair *pair, struct side *from, struct record *record)
{
	struct run *run = pair->arg;
	struct writer out = { 0 };
	size_t at = 0, len;

	if (run->done || record->type != 22 || from->peer->name[0] !=
	    run->row->to)
		return true;
	for (; at < record->len; at += len) {
		const uint8_t *m = record->data + at;

		len = HEADER + get(m + 1, 3);
		if (m[0] == run->row->type && run->seen++ == run->row->nth)
			edit_message(run, &out, m, len);
		else
			writer_bytes(&out, bytes_of(m, len));
	}
	free(record->data);
	record->data = malloc(out.len);
	record->len = out.len;
	memcpy(record->data, out.data, out.len);
	writer_free(&out);
	return true;
}

/* ------------------------------------------------------------------- rows */

static void run_row(const struct row *row)
{
	static const uint16_t groups[] = { 0x001d, 0x0017 };
	struct engine_config c = world_client(), s = world_server(&world.rsa);
	struct run run = { .row = row };
	struct side *to;
	struct pair pair;

	c.groups = groups;
	c.n_groups = 2;
	s.groups = strchr(row->how, 'r') ? groups + 1 : groups;
	s.n_groups = strchr(row->how, 'r') ? 1 : 2;
	if (strchr(row->how, 'm')) {
		c.identities = &world.client_ecdsa.identity;
		c.n_identities = 1;
		s.peer_auth = SOCKTLS_PEER_AUTH_REQUIRE;
		s.trust = world.trust;
	}
	if (strchr(row->how, 'o'))
		s.min_version = TLS13;
	if (strchr(row->how, '2'))
		s.max_version = TLS12;
	pair_init(&pair, &c, &s);
	pair.tamper = tamper;
	pair.arg = &run;
	pair_run(&pair);
	to = row->to == 'c' ? &pair.client : &pair.server;
	if (!run.done || !to->failed || to->failure.alert != row->alert)
		print_message("%s: alert %d, %s\n", row->rule,
			      to->failed ? to->failure.alert : -2, to->text);
	assert_true(run.done);
	assert_true(to->failed);
	assert_int_equal(to->failure.alert, row->alert);
	assert_false(pair.client.done && pair.server.done);
	pair_free(&pair);
}

static void every_rule_has_its_alert(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		run_row(&rows[i]);
	print_message("%zu rules\n", i);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_rule_has_its_alert),
	};

	return cmocka_run_group_tests_name("alerts", tests, world_setup,
					   world_teardown);
}
