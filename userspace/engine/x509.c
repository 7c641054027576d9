// SPDX-License-Identifier: MIT
#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include "engine/ocsp.h"
#include "engine/x509.h"

#define CHAIN_DEPTH	10	/* intermediates */
#define PATHS_MAX	8	/* tried, where intermediates are there twice */
#define NAMES_SHOWN	3
#define NAMES_LEN	120

/* --------------------------------------------------------------- taking */

static int take_one(struct engine *engine, struct engine_bytes der)
{
	const unsigned char *at = der.data;
	X509 *cert = d2i_X509(NULL, &at, der.len);

	if (!cert || at != der.data + der.len) {
		X509_free(cert);
		return engine_fail(engine, BAD_CERTIFICATE, EKEYREJECTED,
				   "a certificate of %s is not valid DER",
				   engine_peer_name(engine));
	}
	if (sk_X509_push(engine->peer.chain, cert) > 0)
		return 0;
	X509_free(cert);
	return engine_fail_memory(engine);
}

/* RFC 8446 section 4.4.2: what was asked for; of a client, its status. */
static struct extensions asked_for(const struct engine *engine)
{
	struct extensions asked = { 0 };

	if (is_client(engine))
		return engine->client.offered;
	if (engine->set.policy->client_ocsp)
		extensions_allow(&asked, EXT_STATUS_REQUEST);
	return asked;
}

static int take_extensions(struct engine *engine, struct engine_bytes block)
{
	struct extensions asked = asked_for(engine);
	struct engine_bytes body, response;
	struct extensions list;
	int alert;

	extensions_parse(&list, block, IN_CERTIFICATE);
	if (!extensions_within(&list, &asked))
		return engine_fail(engine, UNSUPPORTED_EXTENSION, EPROTO,
				   "a certificate of %s has an extension that was not asked for",
				   engine_peer_name(engine));
	if (!extensions_have(&list, EXT_STATUS_REQUEST))
		return 0;
	body = extensions_get(&list, EXT_STATUS_REQUEST);
	alert = ocsp_read_status(body, &response);
	if (alert)
		return engine_fail_message(engine, alert, "Certificate");
	/* That of the leaf comes first, and is the one to be checked. */
	if (sk_X509_num(engine->peer.chain) == 1)
		writer_bytes(&engine->peer.staple, response);
	return engine->peer.staple.bad ? engine_fail_memory(engine) : 0;
}

int peer_take(struct engine *engine, struct certificate_list *list)
{
	struct engine_bytes der, extensions;
	int ret = 0;

	if (!reader_more(&list->list))
		return 0;
	engine->peer.chain = sk_X509_new_null();
	if (!engine->peer.chain)
		return engine_fail_memory(engine);
	while (!ret && certificate_next(list, &der, &extensions)) {
		ret = take_one(engine, der);
		if (!ret)
			ret = take_extensions(engine, extensions);
	}
	if (ret)
		return ret;
	engine->peer.key = X509_get0_pubkey(sk_X509_value(engine->peer.chain,
							  0));
	if (!engine->peer.key)
		return engine_fail(engine, UNSUPPORTED_CERTIFICATE,
				   EKEYREJECTED,
				   "the public key in the certificate of %s is of an unknown kind",
				   engine_peer_name(engine));
	return 0;
}

/* ---------------------------------------------------------------- texts */

/* Names come from the peer: nothing unprintable reaches a terminal. */
static void append_name(char *text, size_t size, const char *name, size_t len)
{
	size_t at = strlen(text);
	size_t i;

	at += snprintf(text + at, size - at, at ? ", \"" : "\"");
	for (i = 0; i < len && at + 2 < size; i++)
		text[at++] = isprint((unsigned char)name[i]) ? name[i] : '?';
	if (at + 2 <= size)
		text[at++] = '"';
	text[at] = 0;
}

static bool append_general_name(const GENERAL_NAME *name, char *text,
				size_t size)
{
	char address[INET6_ADDRSTRLEN];
	const uint8_t *data;
	int len;

	if (name->type != GEN_DNS && name->type != GEN_IPADD)
		return false;
	data = ASN1_STRING_get0_data(name->d.ia5);
	len = ASN1_STRING_length(name->d.ia5);
	if (name->type == GEN_IPADD) {
		if ((len != 4 && len != 16) ||
		    !inet_ntop(len == 4 ? AF_INET : AF_INET6, data, address,
			       sizeof(address)))
			return false;
		data = (const uint8_t *)address;
		len = strlen(address);
	}
	append_name(text, size, (const char *)data, len);
	return true;
}

/* The names a certificate is for, for a text. */
static void list_names(X509 *cert, char *text, size_t size)
{
	GENERAL_NAMES *names = X509_get_ext_d2i(cert, NID_subject_alt_name,
						NULL, NULL);
	int i, shown = 0;

	*text = 0;
	for (i = 0; names && i < sk_GENERAL_NAME_num(names); i++) {
		if (shown == NAMES_SHOWN || strlen(text) + 8 > size)
			break;
		shown += append_general_name(sk_GENERAL_NAME_value(names, i),
					     text, size);
	}
	if (!shown)
		snprintf(text, size, "no host name at all");
	GENERAL_NAMES_free(names);
}

/* ----------------------------------------------------------------- path */

/**
 * struct verdict - what a verification error means to both sides
 * @code: X509_V_ERR_*
 * @alert: for the peer
 * @error: for the application
 * @advice: what to do
 */
static const struct verdict {
	int		code;
	int		alert;
	int		error;
	const char	*advice;
} verdicts[] = {
	{ X509_V_ERR_CERT_HAS_EXPIRED, CERTIFICATE_EXPIRED, EKEYEXPIRED,
	  "it must be renewed, or this clock is wrong" },
	{ X509_V_ERR_CERT_NOT_YET_VALID, CERTIFICATE_EXPIRED, EKEYEXPIRED,
	  "it is too early to use it, or this clock is wrong" },
	{ X509_V_ERR_CERT_REVOKED, CERTIFICATE_REVOKED, EKEYREVOKED,
	  "its issuer has revoked it" },
	{ X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT, UNKNOWN_CA, EKEYREJECTED,
	  "its CA is not in the trust store" },
	{ X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY, UNKNOWN_CA,
	  EKEYREJECTED,
	  "its CA is not in the trust store, or an intermediate is not sent" },
	{ X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE, UNKNOWN_CA, EKEYREJECTED,
	  "its CA is not in the trust store, or an intermediate is not sent" },
	{ X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT, UNKNOWN_CA, EKEYREJECTED,
	  "put it into the trust store if it is the right one" },
	{ X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN, UNKNOWN_CA, EKEYREJECTED,
	  "its CA is not in the trust store" },
	{ X509_V_ERR_CERT_UNTRUSTED, UNKNOWN_CA, EKEYREJECTED,
	  "its CA is not trusted for this" },
	{ X509_V_ERR_CERT_SIGNATURE_FAILURE, BAD_CERTIFICATE, EKEYREJECTED,
	  "the signature on it is not its CA's" },
	{ X509_V_ERR_INVALID_PURPOSE, UNSUPPORTED_CERTIFICATE, EKEYREJECTED,
	  "it was issued for another use (extended key usage)" },
	{ X509_V_ERR_EE_KEY_TOO_SMALL, BAD_CERTIFICATE, EKEYREJECTED,
	  "the policy wants a longer key" },
	{ X509_V_ERR_CA_KEY_TOO_SMALL, BAD_CERTIFICATE, EKEYREJECTED,
	  "the policy wants longer CA keys" },
	{ X509_V_ERR_CA_MD_TOO_WEAK, BAD_CERTIFICATE, EKEYREJECTED,
	  "the policy refuses SHA-1 signatures" },
	{ X509_V_ERR_UNABLE_TO_GET_CRL, CERTIFICATE_UNKNOWN, EKEYREJECTED,
	  "the trust store has revocation lists, but not its CA's" },
	{ X509_V_ERR_CRL_HAS_EXPIRED, CERTIFICATE_UNKNOWN, EKEYREJECTED,
	  "the revocation list of its CA must be fetched anew" },
	{ X509_V_ERR_CRL_NOT_YET_VALID, CERTIFICATE_UNKNOWN, EKEYREJECTED,
	  "the revocation list of its CA is of the future, or this clock is wrong" },
	{ X509_V_ERR_PERMITTED_VIOLATION, CERTIFICATE_UNKNOWN, EKEYREJECTED,
	  "a CA above it may not vouch for this name" },
	{ X509_V_ERR_EXCLUDED_VIOLATION, CERTIFICATE_UNKNOWN, EKEYREJECTED,
	  "a CA above it may not vouch for this name" },
	{ X509_V_ERR_INVALID_CA, BAD_CERTIFICATE, EKEYREJECTED,
	  "one that signed it is no CA" },
	{ 0, CERTIFICATE_UNKNOWN, EKEYREJECTED, "it cannot be accepted" },
};

static int fail_verdict(struct engine *engine, int code)
{
	const struct verdict *v = verdicts;

	while (v->code && v->code != code)
		v++;
	return engine_fail(engine, v->alert, v->error,
			   "certificate of %s%s%s: %s: %s",
			   is_client(engine) ? "\"" : "",
			   engine_peer_name(engine),
			   is_client(engine) ? "\"" : "",
			   X509_verify_cert_error_string(code), v->advice);
}

/* Pins: what is pinned among the presented certificates is the anchor. */
static X509_STORE *pinned_store(const struct engine *engine, bool *any)
{
	X509_STORE *store = X509_STORE_new();
	int i;

	*any = false;
	for (i = 0; store && i < sk_X509_num(engine->peer.chain); i++) {
		X509 *cert = sk_X509_value(engine->peer.chain, i);

		if (!trust_pins(engine->set.trust, cert))
			continue;
		*any = true;
		if (X509_STORE_add_cert(store, cert) != 1) {
			X509_STORE_free(store);
			return NULL;
		}
	}
	return store;
}

/*
 * The whole path is checked against the lists that there are. Only the leaf's
 * CA must have one: those above it change seldom, and publish seldom. Who
 * signed an anchor's list is not in the path, so that libcrypto takes the
 * anchor itself for the signer where the list does not name its key.
 */
static int forgive_missing_crl(int ok, X509_STORE_CTX *ctx)
{
	int depth = X509_STORE_CTX_get_error_depth(ctx);

	if (ok || !depth)
		return ok;
	switch (X509_STORE_CTX_get_error(ctx)) {
	case X509_V_ERR_CRL_SIGNATURE_FAILURE:
		if (depth < X509_STORE_CTX_get_num_untrusted(ctx))
			return 0;
		break;
	case X509_V_ERR_UNABLE_TO_GET_CRL:
	case X509_V_ERR_DIFFERENT_CRL_SCOPE:
		break;
	default:
		return 0;
	}
	X509_STORE_CTX_set_error(ctx, X509_V_OK);
	return 1;
}

static bool path_prepare(struct engine *engine, X509_STORE_CTX *ctx,
			 X509_STORE *store, STACK_OF(X509) *presented)
{
	/* Anchors are what the administrator listed, roots or not. */
	unsigned long flags = X509_V_FLAG_PARTIAL_CHAIN;
	X509_VERIFY_PARAM *param;

	if (X509_STORE_CTX_init(ctx, store,
				sk_X509_value(engine->peer.chain, 0),
				presented) != 1)
		return false;
	X509_STORE_CTX_set_purpose(ctx, is_client(engine) ?
				   X509_PURPOSE_SSL_SERVER :
				   X509_PURPOSE_SSL_CLIENT);
	param = X509_STORE_CTX_get0_param(ctx);
	X509_VERIFY_PARAM_set_time(param, engine->set.now);
	X509_VERIFY_PARAM_set_depth(param, CHAIN_DEPTH);
	X509_VERIFY_PARAM_set_auth_level(param,
					 engine->set.policy->security_level);
	if (engine->set.trust->have_crl) {
		flags |= X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL;
		X509_STORE_CTX_set_verify_cb(ctx, forgive_missing_crl);
	}
	return X509_VERIFY_PARAM_set_flags(param, flags) == 1;
}

static void take_issuer(struct engine *engine, STACK_OF(X509) *path)
{
	X509 *issuer = sk_X509_value(path, 1);

	X509_free(engine->peer.issuer);
	engine->peer.issuer = NULL;
	if (issuer && X509_up_ref(issuer) == 1)
		engine->peer.issuer = issuer;
}

/*
 * Take the intermediate at which the path ended out of @presented. False when
 * it did not end at one, so that there is no other path to try.
 */
static bool drop_culprit(X509_STORE_CTX *ctx, STACK_OF(X509) *presented)
{
	X509 *culprit = X509_STORE_CTX_get_current_cert(ctx);
	int i;

	if (X509_STORE_CTX_get_error_depth(ctx) == 0)
		return false;
	for (i = 1; culprit && i < sk_X509_num(presented); i++)
		if (sk_X509_value(presented, i) == culprit) {
			sk_X509_delete(presented, i);
			return true;
		}
	return false;
}

/* X509_V_OK, another verdict, or X509_V_ERR_OUT_OF_MEM. */
static int try_path(struct engine *engine, X509_STORE *store,
		    STACK_OF(X509) *presented, bool *again)
{
	X509_STORE_CTX *ctx = X509_STORE_CTX_new();
	int code = X509_V_ERR_OUT_OF_MEM;

	*again = false;
	if (ctx && path_prepare(engine, ctx, store, presented)) {
		code = X509_verify_cert(ctx) == 1 ? X509_V_OK :
		       X509_STORE_CTX_get_error(ctx);
		if (code == X509_V_OK)
			take_issuer(engine, X509_STORE_CTX_get0_chain(ctx));
		else
			*again = drop_culprit(ctx, presented);
	}
	X509_STORE_CTX_free(ctx);
	ERR_clear_error();
	return code;
}

/*
 * libcrypto follows one path. Where an intermediate is there twice, signed by
 * two CAs, the other one may lead to an anchor. The first verdict counts.
 */
static int verify_path(struct engine *engine, X509_STORE *store)
{
	STACK_OF(X509) *presented = sk_X509_dup(engine->peer.chain);
	int code, first = X509_V_OK, tries = 0;
	bool again = presented;

	code = presented ? X509_V_OK : X509_V_ERR_OUT_OF_MEM;
	while (again && tries++ < PATHS_MAX) {
		code = try_path(engine, store, presented, &again);
		first = first ? first : code;
	}
	sk_X509_free(presented);
	if (code == X509_V_ERR_OUT_OF_MEM)
		return engine_fail_memory(engine);
	return code == X509_V_OK ? 0 : fail_verdict(engine, first);
}

static int verify_pinned_path(struct engine *engine)
{
	X509_STORE *store;
	bool any;
	int ret;

	store = pinned_store(engine, &any);
	if (!store)
		return engine_fail_memory(engine);
	if (any)
		ret = verify_path(engine, store);
	else
		ret = engine_fail(engine, UNKNOWN_CA, EKEYREJECTED,
				  "no certificate of %s has a pinned key",
				  engine_peer_name(engine));
	X509_STORE_free(store);
	return ret;
}

/* ----------------------------------------------------------------- name */

static int verify_name(struct engine *engine, X509 *cert)
{
	const unsigned int flags = X509_CHECK_FLAG_NEVER_CHECK_SUBJECT |
				   X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS;
	const char *name = engine->set.server_name;
	char names[NAMES_LEN];
	char *matched = NULL;
	int good;

	if (engine->set.server_name_is_ip)
		good = X509_check_ip_asc(cert, name, 0) == 1;
	else
		good = X509_check_host(cert, name, strlen(name), flags,
				       &matched) == 1;
	if (good) {
		engine->peer.identity = strdup(matched ? matched : name);
		OPENSSL_free(matched);
		return engine->peer.identity ? 0 : engine_fail_memory(engine);
	}
	list_names(cert, names, sizeof(names));
	return engine_fail(engine, BAD_CERTIFICATE, EKEYREJECTED,
			   "certificate of \"%s\" is for %s, not for the name asked for",
			   name, names);
}

/* Controls, line and paragraph separators, and what changes the direction. */
static bool is_control(unsigned long c)
{
	static const struct {
		unsigned long first, last;
	} controls[] = {
		{ 0x00, 0x1f }, { 0x7f, 0x9f }, { 0x61c, 0x61c },
		{ 0x200e, 0x200f }, { 0x2028, 0x202e }, { 0x2066, 0x2069 },
	};
	size_t i;

	for (i = 0; i < sizeof(controls) / sizeof(controls[0]); i++)
		if (c >= controls[i].first && c <= controls[i].last)
			return true;
	return false;
}

/* UTF-8 without control characters. */
static bool is_clean_text(const char *text, long len)
{
	while (len > 0) {
		unsigned long c;
		int n = UTF8_getc((const unsigned char *)text, len, &c);

		if (n <= 0 || is_control(c))
			return false;
		text += n;
		len -= n;
	}
	return true;
}

/*
 * RFC 4514 lets letters of other alphabets stand for themselves; RFC 2253's
 * escapes are three bytes for each of theirs. False: a string in it is none.
 */
static bool print_subject(BIO *bio, const X509_NAME *subject)
{
	char *data;
	long len;

	if (X509_NAME_print_ex(bio, subject, 0, XN_FLAG_RFC2253 &
			       ~ASN1_STRFLGS_ESC_MSB) < 0)
		return false;
	len = BIO_get_mem_data(bio, &data);
	if (is_clean_text(data, len))
		return true;
	return BIO_reset(bio) == 1 &&
	       X509_NAME_print_ex(bio, subject, 0, XN_FLAG_RFC2253) >= 0;
}

/* A client's identity is the subject, or its first name when that is empty. */
static int take_subject(struct engine *engine, X509 *cert)
{
	X509_NAME *subject = X509_get_subject_name(cert);
	BIO *bio = BIO_new(BIO_s_mem());
	char names[NAMES_LEN];
	char *data;
	long len;

	if (!bio)
		return engine_fail_memory(engine);
	if (!print_subject(bio, subject)) {
		BIO_free(bio);
		return engine_fail(engine, BAD_CERTIFICATE, EKEYREJECTED,
				   "the subject in the certificate of %s cannot be read",
				   engine_peer_name(engine));
	}
	len = BIO_get_mem_data(bio, &data);
	if (len > 0) {
		engine->peer.identity = strndup(data, len);
	} else {
		list_names(cert, names, sizeof(names));
		engine->peer.identity = strdup(names);
	}
	BIO_free(bio);
	return engine->peer.identity ? 0 : engine_fail_memory(engine);
}

int peer_verify(struct engine *engine)
{
	X509 *leaf = sk_X509_value(engine->peer.chain, 0);
	int ret;

	if (engine->set.peer_auth == SOCKTLS_PEER_AUTH_NONE)
		return 0;
	if (engine->set.trust->n_pins)
		ret = verify_pinned_path(engine);
	else
		ret = verify_path(engine, engine->set.trust->store);
	if (!ret)
		ret = is_client(engine) && engine->set.server_name ?
		      verify_name(engine, leaf) :
		      take_subject(engine, leaf);
	if (!ret)
		engine->peer.verified = true;
	return ret;
}
