// SPDX-License-Identifier: MIT
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/ocsp.h>
#include <openssl/x509v3.h>

#include "engine/ocsp.h"

#define STATUS_TYPE_OCSP	1
#define FEATURE_STATUS_REQUEST	5	/* RFC 7633 section 4.2.3.1 */
#define RESPONSE_MAX		32768	/* it shares a 64 KiB extension block */
#define SKEW			300	/* seconds that clocks may differ */
#define AGE_MAX			(7 * 24 * 3600L)	/* without nextUpdate */

/* ---------------------------------------------------------------- codecs */

int ocsp_read_request(struct engine_bytes body, bool *ocsp)
{
	struct reader r = reader_of(body);

	*ocsp = reader_u8(&r) == STATUS_TYPE_OCSP;
	if (!*ocsp)
		return r.bad ? DECODE_ERROR : 0;
	reader_vector(&r, 2, 0);	/* ResponderID */
	reader_vector(&r, 2, 0);	/* Extensions */
	return reader_done(&r) ? 0 : DECODE_ERROR;
}

void ocsp_write_request(struct writer *w)
{
	static const uint8_t request[] = { STATUS_TYPE_OCSP, 0, 0, 0, 0 };

	extension_write(w, EXT_STATUS_REQUEST,
			bytes_of(request, sizeof(request)));
}

int ocsp_read_status(struct engine_bytes body, struct engine_bytes *response)
{
	struct reader r = reader_of(body);
	uint8_t type = reader_u8(&r);

	*response = reader_vector(&r, 3, 1);
	if (!reader_done(&r))
		return DECODE_ERROR;
	return type == STATUS_TYPE_OCSP ? 0 : ILLEGAL_PARAMETER;
}

void ocsp_write_status(struct writer *w, struct engine_bytes response)
{
	writer_u8(w, STATUS_TYPE_OCSP);
	writer_vector(w, 3, response);
}

/* -------------------------------------------------------------- responses */

/* What a response says about one certificate. */
struct verdict {
	int			status;		/* V_OCSP_CERTSTATUS_* */
	ASN1_GENERALIZEDTIME	*from, *until;	/* borrowed, @until may be NULL */
};

static OCSP_BASICRESP *parse(struct engine_bytes bytes)
{
	const unsigned char *at = bytes.data;
	OCSP_RESPONSE *response = d2i_OCSP_RESPONSE(NULL, &at, bytes.len);
	OCSP_BASICRESP *basic = NULL;

	if (response && at == bytes.data + bytes.len &&
	    OCSP_response_status(response) == OCSP_RESPONSE_STATUS_SUCCESSFUL)
		basic = OCSP_response_get1_basic(response);
	OCSP_RESPONSE_free(response);
	return basic;
}

/* Responders hash the issuer as they like. */
static bool is_about(OCSP_CERTID *id, X509 *cert, X509 *issuer)
{
	ASN1_OBJECT *hash;
	OCSP_CERTID *own;
	bool same;

	if (OCSP_id_get0_info(NULL, &hash, NULL, NULL, id) != 1)
		return false;
	own = OCSP_cert_to_id(EVP_get_digestbyobj(hash), cert, issuer);
	same = own && !OCSP_id_cmp(own, id);
	OCSP_CERTID_free(own);
	return same;
}

/* @issuer may be NULL: then the serial number decides. */
static bool find(OCSP_BASICRESP *basic, X509 *cert, X509 *issuer,
		 struct verdict *verdict)
{
	int i;

	for (i = 0; i < OCSP_resp_count(basic); i++) {
		OCSP_SINGLERESP *single = OCSP_resp_get0(basic, i);
		OCSP_CERTID *id;
		ASN1_INTEGER *serial;

		id = (OCSP_CERTID *)OCSP_SINGLERESP_get0_id(single);
		if (OCSP_id_get0_info(NULL, NULL, NULL, &serial, id) != 1 ||
		    ASN1_INTEGER_cmp(serial, X509_get0_serialNumber(cert)))
			continue;
		if (issuer && !is_about(id, cert, issuer))
			continue;
		verdict->status = OCSP_single_get0_status(single, NULL, NULL,
							  &verdict->from,
							  &verdict->until);
		return true;
	}
	return false;
}

static bool is_before(const ASN1_GENERALIZEDTIME *at, time_t when)
{
	return ASN1_TIME_cmp_time_t(at, when) < 0;
}

static bool is_current(const struct verdict *verdict, time_t now)
{
	if (!is_before(verdict->from, now + SKEW))
		return false;
	if (!verdict->until)
		return !is_before(verdict->from, now - AGE_MAX);
	return !is_before(verdict->until, now - SKEW);
}

/* ----------------------------------------------------------------- ours */

int engine_identity_staple(struct engine_identity *identity,
			   struct engine_bytes response, char *error_text,
			   size_t error_len)
{
	OCSP_BASICRESP *basic = parse(response);
	struct verdict verdict;
	int ret = -EINVAL;

	if (response.len > RESPONSE_MAX)
		snprintf(error_text, error_len,
			 "an OCSP response of more than %d bytes",
			 RESPONSE_MAX);
	else if (!basic)
		snprintf(error_text, error_len,
			 "not a successful OCSP response in DER");
	else if (!find(basic, identity_leaf(identity), identity->n > 1 ?
		       identity->chain[1] : NULL, &verdict))
		snprintf(error_text, error_len,
			 "the OCSP response is for another certificate");
	else if (verdict.status != V_OCSP_CERTSTATUS_GOOD)
		snprintf(error_text, error_len,
			 "the OCSP response says that the certificate is %s",
			 OCSP_cert_status_str(verdict.status));
	else
		ret = 0;
	if (!ret) {
		identity->staple = basic;
		writer_bytes(&identity->staple_der, response);
		return identity->staple_der.bad ? -ENOMEM : 0;
	}
	OCSP_BASICRESP_free(basic);
	ERR_clear_error();
	return ret;
}

struct engine_bytes ocsp_staple(const struct engine_identity *identity,
				time_t now)
{
	struct verdict verdict;

	if (!identity->staple ||
	    !find(identity->staple, identity_leaf(identity), NULL, &verdict) ||
	    !is_current(&verdict, now))
		return bytes_of(NULL, 0);
	return writer_view(&identity->staple_der);
}

/* ---------------------------------------------------------------- theirs */

static int refuse(struct engine *engine, const char *why)
{
	return engine_fail(engine, BAD_CERTIFICATE_STATUS_RESPONSE,
			   EKEYREJECTED,
			   "the OCSP response that \"%s\" stapled %s",
			   engine_peer_name(engine), why);
}

/*
 * Signed by the issuer, or by whom the issuer lets sign (RFC 6960 section
 * 4.2.2.2): the issuer is the only anchor here.
 */
static bool is_authentic(struct engine *engine, OCSP_BASICRESP *basic)
{
	X509_STORE *store = X509_STORE_new();
	STACK_OF(X509) *certs = sk_X509_new_null();
	X509 *issuer = engine->peer.issuer;
	bool good = false;

	if (store && certs && X509_STORE_add_cert(store, issuer) == 1 &&
	    sk_X509_push(certs, issuer) > 0) {
		X509_VERIFY_PARAM_set_time(X509_STORE_get0_param(store),
					   engine->set.now);
		good = OCSP_basic_verify(basic, certs, store,
					 OCSP_PARTIAL_CHAIN) == 1;
	}
	sk_X509_free(certs);
	X509_STORE_free(store);
	return good;
}

static int judge(struct engine *engine, OCSP_BASICRESP *basic)
{
	X509 *leaf = sk_X509_value(engine->peer.chain, 0);
	struct verdict verdict;

	if (!is_authentic(engine, basic))
		return refuse(engine, "is not signed by the certificate's issuer");
	if (!find(basic, leaf, engine->peer.issuer, &verdict))
		return refuse(engine, "is for another certificate");
	if (!is_current(&verdict, engine->set.now))
		return refuse(engine, "is out of date, or this clock is wrong");
	if (verdict.status == V_OCSP_CERTSTATUS_REVOKED)
		return engine_fail(engine, CERTIFICATE_REVOKED, EKEYREVOKED,
				   "certificate of \"%s\": its issuer has revoked it (OCSP)",
				   engine_peer_name(engine));
	if (verdict.status != V_OCSP_CERTSTATUS_GOOD)
		return refuse(engine, "does not know the certificate");
	return 0;
}

static bool is_required(const struct engine *engine)
{
	return !is_client(engine) &&
	       engine->set.policy->client_ocsp == CLIENT_OCSP_REQUIRE;
}

int ocsp_check(struct engine *engine, struct engine_bytes response)
{
	OCSP_BASICRESP *basic;
	int ret;

	/* An anchor of itself has no issuer; unverified, nothing counts. */
	if (!engine->peer.issuer)
		return is_required(engine) ?
		       refuse(engine, "cannot be checked: the certificate is an anchor of itself") :
		       0;
	basic = parse(response);
	ret = basic ? judge(engine, basic) :
		      refuse(engine, "is malformed or not a successful one");
	OCSP_BASICRESP_free(basic);
	ERR_clear_error();
	return ret;
}

static bool must_staple(X509 *cert)
{
	TLS_FEATURE *features = X509_get_ext_d2i(cert, NID_tlsfeature, NULL,
						 NULL);
	bool must = false;
	int i;

	for (i = 0; features && i < sk_ASN1_INTEGER_num(features); i++)
		must = must || ASN1_INTEGER_get(sk_ASN1_INTEGER_value(features,
								      i)) ==
			FEATURE_STATUS_REQUEST;
	TLS_FEATURE_free(features);
	return must;
}

int ocsp_check_missing(struct engine *engine)
{
	X509 *leaf = sk_X509_value(engine->peer.chain, 0);
	bool required = is_required(engine);
	/* A client can do what its certificate says in TLS 1.3 alone. */
	bool possible = is_client(engine) || engine->version >= TLS13;

	if (!required && !(possible && engine->peer.issuer &&
			   must_staple(leaf)))
		return 0;
	return engine_fail(engine, BAD_CERTIFICATE_STATUS_RESPONSE,
			   EKEYREJECTED,
			   "%s of \"%s\" demands a stapled OCSP response, and none came%s",
			   required ? "the policy for the certificate" :
			   "certificate", engine_peer_name(engine),
			   engine->version < TLS13 && required ?
			   ": TLS 1.2 cannot" : "");
}
