// SPDX-License-Identifier: MIT
/* OCSP stapling: served from what is configured, checked when given. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/ocsp.h>

#include "engine/identity.h"
#include "engine/messages.h"
#include "engine/ocsp.h"
#include "world.h"

#define DAY	(24 * 3600L)
#define GOOD	V_OCSP_CERTSTATUS_GOOD
#define REVOKED	V_OCSP_CERTSTATUS_REVOKED
#define UNKNOWN	V_OCSP_CERTSTATUS_UNKNOWN

/* Each way a staple travels: 1.3, 1.2 with and without ServerKeyExchange. */
static const struct way {
	uint16_t	version;
	const uint16_t	*suites;
} ways[] = {
	{ TLS13, NULL },
	{ TLS12, (const uint16_t []){ 0xc02f } },
	{ TLS12, (const uint16_t []){ 0x003c } },
};

#define WAYS	(sizeof(ways) / sizeof(ways[0]))

static struct actor new_server(const char *feature)
{
	return actor_new(&(struct pki_spec){
		.key = "rsa", .name = "x", .san = "DNS:" NAME,
		.issuer = world.ca, .eku = "serverAuth", .feature = feature });
}

/* What a server staples whose clock and tests are not ours. */
static void force_staple(struct engine_identity *identity,
			 const unsigned char *der, size_t len)
{
	const unsigned char *at = der;
	OCSP_RESPONSE *response = d2i_OCSP_RESPONSE(NULL, &at, len);

	OCSP_BASICRESP_free(identity->staple);
	identity->staple = response ? OCSP_response_get1_basic(response) : NULL;
	OCSP_RESPONSE_free(response);
	writer_reset(&identity->staple_der);
	writer_bytes(&identity->staple_der, bytes_of(der, len));
}

static void staple(struct engine_identity *identity,
		   const struct pki_status *status)
{
	size_t len;
	unsigned char *der = pki_ocsp(status, &len);

	force_staple(identity, der, len);
	OPENSSL_free(der);
}

static void run(const struct way *way, struct actor *actor, struct pair *pair)
{
	struct engine_config c = world_client(), s = world_server(actor);

	c.max_version = c.min_version = way->version;
	c.suites = way->suites;
	c.n_suites = way->suites ? 1 : 0;
	world_run(pair, c, s);
}

static void refuse(struct actor *actor, const struct pki_status *status,
		   int alert, int error, const char *text)
{
	size_t i;

	staple(actor->identity, status);
	for (i = 0; i < WAYS; i++) {
		struct pair pair;

		run(&ways[i], actor, &pair);
		assert_failed(&pair.client, alert, error, text);
		pair_free(&pair);
	}
}

static void accept(struct actor *actor, const struct pki_status *status)
{
	size_t i;

	staple(actor->identity, status);
	for (i = 0; i < WAYS; i++) {
		struct pair pair;

		run(&ways[i], actor, &pair);
		pair_assert_good(&pair);
		pair_free(&pair);
	}
}

static void good_responses_are_accepted(void **state)
{
	struct actor actor = new_server(NULL);
	const struct pki_status good = { .cert = actor.cert,
		.issuer = world.ca, .status = GOOD };
	struct pki_status other = good;

	(void)state;
	accept(&actor, &good);
	other.sha1 = true;
	accept(&actor, &other);
	other.until = -1;
	accept(&actor, &other);
	actor_free(&actor);
}

static void bad_responses_are_refused(void **state)
{
	struct actor actor = new_server(NULL);
	struct pki_cert *impostor = pki_issue(&(struct pki_spec){
		.key = "p256", .name = "CA", .ca = true });
	const struct pki_status good = { .cert = actor.cert,
		.issuer = world.ca, .status = GOOD };
	struct pki_status bad = good;

	(void)state;
	bad.status = REVOKED;
	refuse(&actor, &bad, CERTIFICATE_REVOKED, EKEYREVOKED, "revoked");
	bad.status = UNKNOWN;
	refuse(&actor, &bad, BAD_CERTIFICATE_STATUS_RESPONSE, EKEYREJECTED,
	       "does not know");
	bad = good, bad.signer = impostor;
	refuse(&actor, &bad, BAD_CERTIFICATE_STATUS_RESPONSE, EKEYREJECTED,
	       "not signed");
	/* by the server itself */
	bad = good, bad.signer = actor.cert;
	refuse(&actor, &bad, BAD_CERTIFICATE_STATUS_RESPONSE, EKEYREJECTED,
	       "not signed");
	actor_free(&actor);
	pki_free(impostor);
}

/* A server whose clock is wrong, or that does not look. */
static void stale_and_foreign_responses_are_refused(void **state)
{
	struct actor actor = new_server(NULL);
	const struct {
		struct pki_status	status;
		const char		*text;
	} cases[] = {
		{ { .cert = actor.cert, .from = -9 * DAY, .until = -DAY },
		  "out of date" },
		{ { .cert = actor.cert, .from = DAY }, "out of date" },
		{ { .cert = actor.cert, .from = -8 * DAY, .until = -1 },
		  "out of date" },
		{ { .cert = world.rsa.cert }, "another certificate" },
	};
	size_t i, j;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct pki_status status = cases[i].status;
		unsigned char *der;
		size_t len;

		status.issuer = world.ca;
		der = pki_ocsp(&status, &len);
		for (j = 0; j < WAYS; j++) {
			struct engine_config c = world_client();
			struct engine_config s = world_server(&actor);
			struct pair pair;

			/* the server's own check must not be in the way */
			staple(actor.identity, &(struct pki_status){
				.cert = actor.cert, .issuer = world.ca });
			writer_reset(&actor.identity->staple_der);
			writer_bytes(&actor.identity->staple_der,
				     bytes_of(der, len));
			c.max_version = c.min_version = ways[j].version;
			c.suites = ways[j].suites;
			c.n_suites = ways[j].suites ? 1 : 0;
			world_run(&pair, c, s);
			assert_failed(&pair.client,
				      BAD_CERTIFICATE_STATUS_RESPONSE,
				      EKEYREJECTED, cases[i].text);
			pair_free(&pair);
		}
		OPENSSL_free(der);
	}
	actor_free(&actor);
}

static void garbage_is_refused(void **state)
{
	struct actor actor = new_server(NULL);
	/* OCSPResponse { tryLater } */
	static const unsigned char later[] = { 0x30, 3, 0x0a, 1, 3 };
	size_t i;

	(void)state;
	for (i = 0; i < WAYS; i++) {
		struct pair pair;

		staple(actor.identity, &(struct pki_status){
			.cert = actor.cert, .issuer = world.ca });
		writer_reset(&actor.identity->staple_der);
		writer_bytes(&actor.identity->staple_der,
			     i ? bytes_of(later, sizeof(later)) :
				 bytes_of("garbage", 7));
		run(&ways[i], &actor, &pair);
		assert_failed(&pair.client, BAD_CERTIFICATE_STATUS_RESPONSE,
			      EKEYREJECTED, "malformed");
		pair_free(&pair);
	}
	actor_free(&actor);
}

/* RFC 6960 section 4.2.2.2: with the use that the CA gave it, or not at all. */
static void delegated_responders_need_their_use(void **state)
{
	struct actor actor = new_server(NULL);
	struct pki_cert *delegate = pki_issue(&(struct pki_spec){
		.key = "p256", .name = "responder", .issuer = world.ca,
		.eku = "OCSPSigning" });
	struct pki_cert *other = pki_issue(&(struct pki_spec){
		.key = "p256", .name = "other", .issuer = world.ca,
		.eku = "serverAuth" });
	struct pki_status status = { .cert = actor.cert, .issuer = world.ca,
		.signer = delegate };

	(void)state;
	accept(&actor, &status);
	status.signer = other;
	refuse(&actor, &status, BAD_CERTIFICATE_STATUS_RESPONSE, EKEYREJECTED,
	       "not signed");
	pki_free(other);
	pki_free(delegate);
	actor_free(&actor);
}

static void expired_staples_are_not_served(void **state)
{
	struct actor actor = new_server(NULL);
	size_t i;

	(void)state;
	staple(actor.identity, &(struct pki_status){ .cert = actor.cert,
		.issuer = world.ca, .from = -9 * DAY, .until = -DAY });
	assert_int_equal(ocsp_staple(actor.identity, time(NULL)).len, 0);
	assert_int_not_equal(ocsp_staple(actor.identity,
					 time(NULL) - 2 * DAY).len, 0);
	for (i = 0; i < WAYS; i++) {
		struct pair pair;

		run(&ways[i], &actor, &pair);
		pair_assert_good(&pair);
		pair_free(&pair);
	}
	actor_free(&actor);
}

static void must_staple_is_honoured(void **state)
{
	struct actor actor = new_server("status_request");
	size_t i;

	(void)state;
	for (i = 0; i < WAYS; i++) {
		struct pair pair;

		run(&ways[i], &actor, &pair);
		assert_failed(&pair.client, BAD_CERTIFICATE_STATUS_RESPONSE,
			      EKEYREJECTED, "demands");
		pair_free(&pair);
	}
	accept(&actor, &(struct pki_status){ .cert = actor.cert,
		.issuer = world.ca });
	actor_free(&actor);
}

/* Announced in ServerHello, and then left out: RFC 6066 allows it. */
static bool drop_status(struct pair *pair, struct side *from,
			struct record *record)
{
	size_t at = 0, len;

	(void)pair;
	while (!strcmp(from->name, "server") && record->type == 22 &&
	       at < record->len) {
		uint8_t *m = record->data + at;

		len = 4 + ((size_t)m[1] << 16 | m[2] << 8 | m[3]);
		if (m[0] == CERTIFICATE_STATUS) {
			memmove(m, m + len, record->len - at - len);
			record->len -= len;
			continue;
		}
		at += len;
	}
	return true;
}

static void announced_and_left_out(void **state)
{
	const char *features[] = { NULL, "status_request" };
	size_t i, j;

	(void)state;
	for (i = 0; i < 2; i++)
		for (j = 1; j < WAYS; j++) {
			struct actor actor = new_server(features[i]);
			struct engine_config c = world_client();
			struct engine_config s = world_server(&actor);
			struct pair pair;

			staple(actor.identity, &(struct pki_status){
				.cert = actor.cert, .issuer = world.ca });
			c.max_version = TLS12;
			c.suites = ways[j].suites;
			c.n_suites = 1;
			pair_init(&pair, &c, &s);
			pair.tamper = drop_status;
			pair_run(&pair);
			/* taken: transcripts differ, and so do the keys */
			pair.server.bad = NULL;
			if (i)
				assert_failed(&pair.client,
					      BAD_CERTIFICATE_STATUS_RESPONSE,
					      EKEYREJECTED, "demands");
			else
				assert_failed(&pair.server, DECRYPT_ERROR,
					      EPROTO, "Finished");
			pair_free(&pair);
			actor_free(&actor);
		}
}

/* Who does not verify does not ask, so nothing may come. */
static void unasked_staples_do_not_come(void **state)
{
	struct actor actor = new_server(NULL);
	size_t i;

	(void)state;
	staple(actor.identity, &(struct pki_status){ .cert = actor.cert,
		.issuer = world.ca, .status = REVOKED });
	for (i = 0; i < WAYS; i++) {
		struct engine_config c = { .peer_auth = SOCKTLS_PEER_AUTH_NONE,
			.max_version = ways[i].version,
			.suites = ways[i].suites,
			.n_suites = ways[i].suites ? 1 : 0 };
		struct pair pair;

		world_run(&pair, c, world_server(&actor));
		pair_assert_good(&pair);
		pair_free(&pair);
	}
	actor_free(&actor);
}

/* An anchor of itself has no issuer that could say anything. */
static void pinned_leaves_need_no_responder(void **state)
{
	struct actor actor = new_server("status_request");
	char *pin = pki_pin(actor.cert);
	struct engine_config c = world_client();
	struct pair pair;

	(void)state;
	c.trust = trust_of(pin);
	world_run(&pair, c, world_server(&actor));
	pair_assert_good(&pair);
	pair_free(&pair);
	engine_trust_put(c.trust);
	free(pin);
	actor_free(&actor);
}

/* --------------------------------------------------------- configuration */

static void configure(struct actor *actor, const struct pki_status *status,
		      int expected, const char *complaint)
{
	char text[256] = "";
	size_t len;
	unsigned char *der = pki_ocsp(status, &len);

	assert_int_equal(engine_identity_staple(actor->identity,
			bytes_of(der, len), text, sizeof(text)), expected);
	assert_non_null(strstr(text, complaint));
	OPENSSL_free(der);
}

static void configured_responses_are_looked_at(void **state)
{
	static const uint8_t long_one[32769];
	struct actor actor = new_server(NULL);
	char text[256] = "";

	(void)state;
	assert_int_equal(engine_identity_staple(actor.identity,
			bytes_of("garbage", 7), text, sizeof(text)), -EINVAL);
	assert_non_null(strstr(text, "not a successful OCSP response"));
	assert_int_equal(engine_identity_staple(actor.identity,
			bytes_of(long_one, sizeof(long_one)), text,
			sizeof(text)), -EINVAL);
	assert_non_null(strstr(text, "more than"));
	configure(&actor, &(struct pki_status){ .cert = world.rsa.cert,
		.issuer = world.ca }, -EINVAL, "another certificate");
	configure(&actor, &(struct pki_status){ .cert = actor.cert,
		.issuer = world.ca, .status = REVOKED }, -EINVAL, "revoked");
	configure(&actor, &(struct pki_status){ .cert = actor.cert,
		.issuer = world.ca }, 0, "");
	assert_int_not_equal(ocsp_staple(actor.identity, time(NULL)).len, 0);
	actor_free(&actor);
}

/* ----------------------------------------------------------------- codecs */

static void codecs_refuse_what_is_cut(void **state)
{
	static const uint8_t request[] = { 1, 0, 1, 9, 0, 2, 8, 8 };
	static const uint8_t status[] = { 1, 0, 0, 2, 0x30, 0 };
	struct engine_bytes response;
	bool ocsp;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(request); i++)
		assert_int_equal(ocsp_read_request(bytes_of(request, i),
						   &ocsp), DECODE_ERROR);
	assert_int_equal(ocsp_read_request(bytes_of(request, i), &ocsp), 0);
	assert_true(ocsp);
	assert_int_equal(ocsp_read_request(bytes_of("\x02zz", 3), &ocsp), 0);
	assert_false(ocsp);
	for (i = 0; i < sizeof(status); i++)
		assert_int_equal(ocsp_read_status(bytes_of(status, i),
						  &response), DECODE_ERROR);
	assert_int_equal(ocsp_read_status(bytes_of(status, i), &response), 0);
	assert_int_equal(response.len, 2);
	assert_int_equal(ocsp_read_status(bytes_of("\2\0\0\1x", 5), &response),
			 ILLEGAL_PARAMETER);
	assert_int_equal(ocsp_read_status(bytes_of("\1\0\0\0", 4), &response),
			 DECODE_ERROR);
}

/* A client's certificate comes with what nobody asked for. */
static bool add_extension(struct pair *pair, struct side *from,
			  struct record *record)
{
	uint8_t *m = record->data;

	(void)pair;
	if (strcmp(from->name, "client") || m[0] != CERTIFICATE)
		return true;
	/* only the message's end is known: the empty extensions of the last */
	record->len = 4 + (m[1] << 16 | m[2] << 8 | m[3]) + 4;
	record->data = realloc(m, record->len);
	m = record->data;
	memcpy(m + record->len - 6, "\0\4\0\5\0\0", 6);
	m[2] += m[3] > 251;
	m[3] += 4;
	m[6] += m[7] > 251;
	m[7] += 4;
	return true;
}

static void extensions_of_a_client_certificate_are_unasked(void **state)
{
	struct engine_config c = world_client(), s = world_server(&world.rsa);
	struct pair pair;

	(void)state;
	c.identities = &world.client_ecdsa.identity;
	c.n_identities = 1;
	s.peer_auth = SOCKTLS_PEER_AUTH_REQUIRE;
	s.trust = world.trust;
	pair_init(&pair, &c, &s);
	pair.tamper = add_extension;
	pair_run(&pair);
	assert_failed(&pair.server, UNSUPPORTED_EXTENSION, EPROTO,
		      "not asked for");
	pair_free(&pair);
}

/* ------------------------------------------------------------- of clients */

/*
 * A client with a certificate, and a server that has @trust and whose policy
 * has @client_ocsp.
 */
static void run_trusting(uint16_t version, struct actor *client,
			 struct engine_trust *trust, const char *client_ocsp,
			 struct pair *pair)
{
	struct engine_config c = world_client(), s = world_server(&world.rsa);
	struct engine_policy *policy = engine_policy_new();
	char error[128];

	assert_int_equal(engine_policy_set(policy, "client-ocsp", client_ocsp,
					   error, sizeof(error)), 0);
	c.identities = &client->identity;
	c.n_identities = 1;
	c.max_version = version;
	s.rules = policy;
	s.peer_auth = SOCKTLS_PEER_AUTH_REQUEST;
	s.trust = trust;
	world_run(pair, c, s);
	engine_policy_put(policy);
}

static void run_mutual(uint16_t version, struct actor *client,
		       const char *client_ocsp, struct pair *pair)
{
	run_trusting(version, client, world.trust, client_ocsp, pair);
}

static struct actor new_client(const char *feature)
{
	return actor_new(&(struct pki_spec){
		.key = "p256", .name = "alice", .issuer = world.ca,
		.eku = "clientAuth", .feature = feature });
}

static void clients_staple_when_they_are_asked(void **state)
{
	static const char *const settings[] = { "no", "request", "require" };
	struct actor actor = new_client(NULL);
	size_t i;

	(void)state;
	staple(actor.identity, &(struct pki_status){
		.cert = actor.cert, .issuer = world.ca });
	for (i = 0; i < 3; i++) {
		struct pair pair;

		run_mutual(TLS13, &actor, settings[i], &pair);
		pair_assert_good(&pair);
		assert_string_equal(pair.server.identity, "CN=alice");
		assert_int_equal(!!pair.server.engine->peer.staple.len, !!i);
		pair_free(&pair);
	}
	actor_free(&actor);
}

static void responses_of_clients_are_checked(void **state)
{
	struct actor actor = new_client(NULL);
	const struct {
		struct pki_status	status;
		int			alert;
		int			error;
		const char		*text;
	} rows[] = {
		{ { .cert = actor.cert, .issuer = world.ca,
		    .status = REVOKED },
		  CERTIFICATE_REVOKED, EKEYREVOKED, "revoked it (OCSP)" },
		{ { .cert = actor.cert, .issuer = world.ca, .status = UNKNOWN },
		  BAD_CERTIFICATE_STATUS_RESPONSE, EKEYREJECTED,
		  "does not know" },
		{ { .cert = actor.cert, .issuer = world.ca,
		    .signer = world.rsa.cert },
		  BAD_CERTIFICATE_STATUS_RESPONSE, EKEYREJECTED,
		  "not signed by" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct pair pair;

		staple(actor.identity, &rows[i].status);
		run_mutual(TLS13, &actor, "request", &pair);
		assert_failed(&pair.server, rows[i].alert, rows[i].error,
			      rows[i].text);
		pair_free(&pair);
		/* who does not ask does not judge */
		run_mutual(TLS13, &actor, "no", &pair);
		pair_assert_good(&pair);
		pair_free(&pair);
	}
	actor_free(&actor);
}

static void clients_without_response(void **state)
{
	static const char *const features[] = { NULL, "status_request" };
	size_t i;

	(void)state;
	for (i = 0; i < 2; i++) {
		struct actor actor = new_client(features[i]);
		struct pair pair;

		run_mutual(TLS13, &actor, "no", &pair);
		pair_assert_good(&pair);
		pair_free(&pair);

		run_mutual(TLS13, &actor, "request", &pair);
		if (i)
			assert_failed(&pair.server,
				      BAD_CERTIFICATE_STATUS_RESPONSE,
				      EKEYREJECTED, "demands");
		else
			pair_assert_good(&pair);
		pair_free(&pair);

		run_mutual(TLS13, &actor, "require", &pair);
		assert_failed(&pair.server, BAD_CERTIFICATE_STATUS_RESPONSE,
			      EKEYREJECTED, "the policy for the certificate");
		pair_free(&pair);
		actor_free(&actor);
	}
}

/* A client that is an anchor of itself: nobody vouches for what it staples. */
static void require_of_anchor(struct actor *client, const char *value)
{
	struct engine_trust *trust = trust_of(value);
	size_t i;

	for (i = 0; i < 2; i++) {
		struct pair pair;

		staple(client->identity, &(struct pki_status){
			.cert = client->cert, .issuer = world.ca,
			.from = i ? 0 : -9 * DAY, .until = i ? 0 : -DAY });
		run_trusting(TLS13, client, trust, "request", &pair);
		pair_assert_good(&pair);
		assert_string_equal(pair.server.identity, "CN=alice");
		pair_free(&pair);
		run_trusting(TLS13, client, trust, "require", &pair);
		assert_failed(&pair.server, BAD_CERTIFICATE_STATUS_RESPONSE,
			      EKEYREJECTED, i ? "cannot be checked" :
			      "none came");
		pair_free(&pair);
	}
	engine_trust_put(trust);
}

static void a_required_response_rules_out_anchors(void **state)
{
	struct actor pinned = new_client("status_request");
	struct actor listed = actor_new(&(struct pki_spec){
		.key = "p256", .name = "alice", .eku = "clientAuth" });
	char *pin = pki_pin(pinned.cert);

	(void)state;
	require_of_anchor(&pinned, pin);
	require_of_anchor(&listed, listed.cert->cert_pem);
	free(pin);
	actor_free(&listed);
	actor_free(&pinned);
}

/* TLS 1.2 has no place for it. */
static void a_required_response_rules_out_tls12(void **state)
{
	struct actor actor = new_client(NULL);
	struct pair pair;

	(void)state;
	staple(actor.identity, &(struct pki_status){
		.cert = actor.cert, .issuer = world.ca });
	run_mutual(TLS12, &actor, "require", &pair);
	assert_failed(&pair.server, BAD_CERTIFICATE_STATUS_RESPONSE,
		      EKEYREJECTED, "TLS 1.2 cannot");
	pair_free(&pair);
	run_mutual(TLS12, &actor, "request", &pair);
	pair_assert_good(&pair);
	pair_free(&pair);
	actor_free(&actor);

	/* and a certificate that demands one cannot mean it there */
	actor = new_client("status_request");
	run_mutual(TLS12, &actor, "request", &pair);
	pair_assert_good(&pair);
	pair_free(&pair);
	actor_free(&actor);
}

/* Section 4.4.2.1: status_request is empty in a CertificateRequest. */
static void requests_with_a_body_are_refused(void **state)
{
	static const uint8_t body[] = {
		0, 0, 14,
		0, 13, 0, 4, 0, 2, 4, 3,
		0, 5, 0, 2, 1, 0,
	};
	struct certificate_request request;

	(void)state;
	assert_int_equal(certificate_request13_parse(&request,
			bytes_of(body, sizeof(body))), DECODE_ERROR);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_responses_are_accepted),
		cmocka_unit_test(bad_responses_are_refused),
		cmocka_unit_test(stale_and_foreign_responses_are_refused),
		cmocka_unit_test(garbage_is_refused),
		cmocka_unit_test(delegated_responders_need_their_use),
		cmocka_unit_test(expired_staples_are_not_served),
		cmocka_unit_test(must_staple_is_honoured),
		cmocka_unit_test(announced_and_left_out),
		cmocka_unit_test(unasked_staples_do_not_come),
		cmocka_unit_test(pinned_leaves_need_no_responder),
		cmocka_unit_test(configured_responses_are_looked_at),
		cmocka_unit_test(codecs_refuse_what_is_cut),
		cmocka_unit_test(extensions_of_a_client_certificate_are_unasked),
		cmocka_unit_test(clients_staple_when_they_are_asked),
		cmocka_unit_test(responses_of_clients_are_checked),
		cmocka_unit_test(clients_without_response),
		cmocka_unit_test(a_required_response_rules_out_anchors),
		cmocka_unit_test(a_required_response_rules_out_tls12),
		cmocka_unit_test(requests_with_a_body_are_refused),
	};

	return cmocka_run_group_tests_name("ocsp", tests, world_setup,
					   world_teardown);
}
