// SPDX-License-Identifier: MIT
/* The peer's certificates: path, time, use, name; pins. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/identity.h"
#include "engine/protocol.h"
#include "world.h"

#define DAY	(24 * 3600L)

/* The client's verdict on a server that presents @spec's certificate. */
static void present_in(const struct pki_spec *spec, const char *name,
		       struct engine_trust *trust, const char *policy,
		       uint16_t version, struct pair *pair)
{
	struct actor actor = actor_new(spec);
	struct engine_config c = world_client(), s = world_server(&actor);

	c.server_name = name;
	c.trust = trust;
	c.policy = policy;
	c.max_version = version;
	world_run(pair, c, s);
	actor_free(&actor);
}

static void refuse(const struct pki_spec *spec, const char *name, int alert,
		   int error, const char *text)
{
	uint16_t version;

	for (version = TLS12; version <= TLS13; version++) {
		struct pair pair;

		present_in(spec, name, world.trust, NULL, version, &pair);
		assert_failed(&pair.client, alert, error, text);
		assert_non_null(strstr(pair.client.text, name));
		assert_false(pair.server.done);
		pair_free(&pair);
	}
}

static void accept(const struct pki_spec *spec, const char *name,
		   const char *identity)
{
	struct pair pair;

	present_in(spec, name, world.trust, NULL, 0, &pair);
	pair_assert_good(&pair);
	assert_string_equal(pair.client.identity, identity);
	assert_true(pair.client.result.flags & SOCKTLS_INFO_PEER_VERIFIED);
	pair_free(&pair);
}

static void name_mismatch_is_refused_and_says_for_whom(void **state)
{
	(void)state;
	refuse(&(struct pki_spec){ .key = "p256", .name = NAME,
		.san = "DNS:other.example,DNS:more.example",
		.issuer = world.ca }, NAME, BAD_CERTIFICATE, EKEYREJECTED,
	       "certificate of \"" NAME "\" is for \"other.example\", \"more.example\", not for the name asked for");
}

/* RFC 9525 section 6.3: the common name is no name. */
static void common_name_is_not_a_name(void **state)
{
	(void)state;
	refuse(&(struct pki_spec){ .key = "p256", .name = NAME,
		.issuer = world.ca }, NAME, BAD_CERTIFICATE, EKEYREJECTED,
	       "no host name at all");
}

static void unprintable_names_do_not_reach_the_text(void **state)
{
	struct pair pair;
	size_t i;

	(void)state;
	present_in(&(struct pki_spec){ .key = "p256", .name = "x",
		.san = "DNS:evil\033[31m.example", .issuer = world.ca }, NAME,
		   world.trust, NULL, 0, &pair);
	assert_failed(&pair.client, BAD_CERTIFICATE, EKEYREJECTED, "evil?[31m");
	for (i = 0; pair.client.text[i]; i++)
		assert_true(pair.client.text[i] >= ' ');
	pair_free(&pair);
}

static void wildcard_matches_one_label(void **state)
{
	const struct pki_spec spec = { .key = "p256", .name = "x",
		.san = "DNS:*.example.org", .issuer = world.ca };

	(void)state;
	accept(&spec, "www.example.org", "*.example.org");
	refuse(&spec, "a.b.example.org", BAD_CERTIFICATE, EKEYREJECTED,
	       "is for \"*.example.org\"");
	refuse(&spec, "example.org", BAD_CERTIFICATE, EKEYREJECTED, "is for");
}

static void trailing_dot_is_not_part_of_the_name(void **state)
{
	struct pair pair;

	(void)state;
	present_in(&(struct pki_spec){ .key = "p256", .name = "x",
		.san = "DNS:" NAME, .issuer = world.ca }, NAME ".",
		   world.trust, NULL, 0, &pair);
	pair_assert_good(&pair);
	pair_free(&pair);
}

/* ".example.org" would be any name below it. */
static void names_that_are_none_are_refused(void **state)
{
	static const char *const bad[] = {
		".", "..", ".example.org", "a..example.org", "example.org..",
		"a b.example.org", "a\tb", "caf\303\251.example", "a\177",
		"example.org:443", "[2001:db8::1]", "fe80::1%eth0", "2001:db8:::",
		"a%b",
	};
	static const char *const good[] = {
		"localhost", "a.example.org.", "_x.example", "xn--caf-dma.example",
		"192.0.2.1", "2001:db8::1", "::ffff:192.0.2.1",
	};
	struct engine_config c = world_client();
	struct side side;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct engine *engine = NULL;

		c.server_name = bad[i];
		side = (struct side){ 0 };
		if (engine_new(&engine, &c, &(struct engine_output){ 0 },
			       &side) != -EINVAL)
			fail_msg("%s", bad[i]);
	}
	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		c.server_name = good[i];
		side_init(&side, "client", &c);
		side_free(&side);
	}
}

static void ip_literals_match_ip_sans_alone(void **state)
{
	const struct pki_spec spec = { .key = "p256", .name = "x",
		.san = "IP:192.0.2.7,IP:2001:db8::7", .issuer = world.ca };

	(void)state;
	accept(&spec, "192.0.2.7", "192.0.2.7");
	accept(&spec, "2001:db8::7", "2001:db8::7");
	refuse(&spec, "192.0.2.8", BAD_CERTIFICATE, EKEYREJECTED,
	       "192.0.2.7");
	refuse(&(struct pki_spec){ .key = "p256", .name = "x",
		.san = "DNS:192.0.2.7", .issuer = world.ca }, "192.0.2.7",
	       BAD_CERTIFICATE, EKEYREJECTED, "not for the name asked for");
}

static void expired_certificate_is_refused(void **state)
{
	(void)state;
	refuse(&(struct pki_spec){ .key = "p256", .name = "x",
		.san = "DNS:" NAME, .issuer = world.ca,
		.valid_from = -2 * DAY, .valid_to = -DAY }, NAME,
	       CERTIFICATE_EXPIRED, EKEYEXPIRED, "expired");
}

static void future_certificate_is_refused(void **state)
{
	(void)state;
	refuse(&(struct pki_spec){ .key = "p256", .name = "x",
		.san = "DNS:" NAME, .issuer = world.ca,
		.valid_from = DAY, .valid_to = 2 * DAY }, NAME,
	       CERTIFICATE_EXPIRED, EKEYEXPIRED, "too early");
}

static void now_of_the_configuration_counts(void **state)
{
	struct engine_config c = world_client(), s = world_server(&world.rsa);
	struct pair pair;

	(void)state;
	c.now = time(NULL) + 60 * DAY;
	world_run(&pair, c, s);
	assert_failed(&pair.client, CERTIFICATE_EXPIRED, EKEYEXPIRED,
		      "expired");
	pair_free(&pair);
}

static void unknown_ca_is_refused(void **state)
{
	struct pki_cert *other = pki_issue(&(struct pki_spec){
		.key = "p256", .name = "other CA", .ca = true });

	(void)state;
	refuse(&(struct pki_spec){ .key = "p256", .name = "x",
		.san = "DNS:" NAME, .issuer = other }, NAME, UNKNOWN_CA,
	       EKEYREJECTED, "not in the trust store");
	pki_free(other);
}

static void self_signed_is_refused(void **state)
{
	(void)state;
	refuse(&(struct pki_spec){ .key = "p256", .name = "x",
		.san = "DNS:" NAME }, NAME, UNKNOWN_CA, EKEYREJECTED,
	       "self-signed");
}

/* A CA of the same name whose key did not sign. */
static void forged_signature_is_refused(void **state)
{
	struct pki_cert *impostor = pki_issue(&(struct pki_spec){
		.key = "p256", .name = "CA", .ca = true });
	struct pair pair;

	(void)state;
	present_in(&(struct pki_spec){ .key = "p256", .name = "x",
		.san = "DNS:" NAME, .issuer = impostor }, NAME, world.trust,
		   NULL, 0, &pair);
	assert_true(pair.client.failed);
	assert_int_equal(pair.client.failure.error, EKEYREJECTED);
	pair_free(&pair);
	pki_free(impostor);
}

static void wrong_use_is_refused(void **state)
{
	(void)state;
	refuse(&(struct pki_spec){ .key = "p256", .name = "x",
		.san = "DNS:" NAME, .issuer = world.ca, .eku = "clientAuth" },
	       NAME, UNSUPPORTED_CERTIFICATE, EKEYREJECTED, "another use");
}

static void leaf_that_signs_is_no_ca(void **state)
{
	struct pki_cert *leaf = pki_issue(&(struct pki_spec){
		.key = "p256", .name = "leaf", .issuer = world.ca });
	struct pair pair;

	(void)state;
	present_in(&(struct pki_spec){ .key = "p256", .name = "x",
		.san = "DNS:" NAME, .issuer = leaf }, NAME, world.trust, NULL,
		   0, &pair);
	assert_true(pair.client.failed);
	assert_int_equal(pair.client.failure.error, EKEYREJECTED);
	pair_free(&pair);
	pki_free(leaf);
}

static void weak_keys_and_sha1_are_refused_by_policy(void **state)
{
	struct pki_cert *rsa_ca = pki_issue(&(struct pki_spec){
		.key = "rsa", .name = "RSA CA", .ca = true });
	struct engine_trust *trust = trust_of(rsa_ca->cert_pem);
	const struct pki_spec sha1 = { .key = "rsa", .name = "x",
		.san = "DNS:" NAME, .issuer = rsa_ca, .digest = "SHA1" };
	const struct pki_spec weak = { .key = "rsa:1024", .name = "x",
		.san = "DNS:" NAME, .issuer = world.ca };
	struct pair pair;

	(void)state;
	refuse(&weak, NAME, BAD_CERTIFICATE, EKEYREJECTED, "longer key");
	present_in(&weak, NAME, world.trust, "legacy", TLS12, &pair);
	pair_assert_good(&pair);
	pair_free(&pair);
	present_in(&sha1, NAME, trust, NULL, 0, &pair);
	assert_failed(&pair.client, BAD_CERTIFICATE, EKEYREJECTED, "SHA-1");
	pair_free(&pair);
	engine_trust_put(trust);
	pki_free(rsa_ca);
}

static void name_constraints_are_honoured(void **state)
{
	struct pki_cert *sub = pki_issue(&(struct pki_spec){
		.key = "p256", .name = "sub", .issuer = world.ca, .ca = true,
		.constraints = "critical,permitted;DNS:allowed.example" });

	(void)state;
	accept(&(struct pki_spec){ .key = "p256", .name = "x",
		.san = "DNS:www.allowed.example", .issuer = sub },
	       "www.allowed.example", "www.allowed.example");
	refuse(&(struct pki_spec){ .key = "p256", .name = "x",
		.san = "DNS:" NAME, .issuer = sub }, NAME,
	       CERTIFICATE_UNKNOWN, EKEYREJECTED, "permitted subtree");
	pki_free(sub);
}

/* ------------------------------------------------------- intermediates */

static void intermediates_missing_extra_and_as_anchor(void **state)
{
	struct pki_cert *sub = pki_issue(&(struct pki_spec){
		.key = "p256", .name = "sub", .issuer = world.ca, .ca = true });
	struct pki_cert *leaf = pki_issue(&(struct pki_spec){
		.key = "p256", .name = "x", .san = "DNS:" NAME,
		.issuer = sub });
	struct engine_trust *sub_trust = trust_of(sub->cert_pem);
	struct pair pair;
	char *extra;

	(void)state;
	world_run_chain(leaf->chain_pem, leaf, world.trust, &pair);
	pair_assert_good(&pair);
	assert_int_equal(pair.client.peer_certs, 2);
	pair_free(&pair);

	world_run_chain(leaf->cert_pem, leaf, world.trust, &pair);
	assert_failed(&pair.client, UNKNOWN_CA, EKEYREJECTED, "intermediate");
	pair_free(&pair);

	assert_true(asprintf(&extra, "%s%s%s%s", leaf->cert_pem,
			     world.rsa.cert->cert_pem, world.ca->cert_pem,
			     sub->cert_pem) > 0);
	world_run_chain(extra, leaf, world.trust, &pair);
	pair_assert_good(&pair);
	pair_free(&pair);
	free(extra);

	/* what is listed is an anchor, root or not */
	world_run_chain(leaf->cert_pem, leaf, sub_trust, &pair);
	pair_assert_good(&pair);
	pair_free(&pair);
	engine_trust_put(sub_trust);
	pki_free(leaf);
	pki_free(sub);
}

/* One intermediate, signed by the CA that is trusted and by one that is not. */
static void cross_signed_intermediates_find_the_anchor(void **state)
{
	struct pki_cert *other = pki_issue(&(struct pki_spec){
		.key = "p256", .name = "other CA", .ca = true });
	struct pki_cert *ours = pki_issue(&(struct pki_spec){
		.key = "p256", .name = "sub", .issuer = world.ca, .ca = true });
	struct pki_cert *theirs = pki_issue(&(struct pki_spec){
		.same_key = ours, .key = "", .name = "sub", .issuer = other,
		.ca = true });
	struct pki_cert *old = pki_issue(&(struct pki_spec){
		.same_key = ours, .key = "", .name = "sub", .issuer = world.ca,
		.ca = true, .valid_from = -2 * DAY, .valid_to = -DAY });
	struct pki_cert *leaf = pki_issue(&(struct pki_spec){
		.key = "p256", .name = "x", .san = "DNS:" NAME,
		.issuer = ours });
	struct pki_cert *orders[][3] = {
		{ ours, theirs, old }, { theirs, ours, old },
		{ old, theirs, ours }, { theirs, old, ours },
	};
	struct pair pair;
	char *chain;
	size_t i;

	(void)state;
	for (i = 0; i < 4; i++) {
		assert_true(asprintf(&chain, "%s%s%s%s", leaf->cert_pem,
				     orders[i][0]->cert_pem,
				     orders[i][1]->cert_pem,
				     orders[i][2]->cert_pem) > 0);
		world_run_chain(chain, leaf, world.trust, &pair);
		pair_assert_good(&pair);
		pair_free(&pair);
		free(chain);
	}
	/* without the one that leads home, all others are of no use */
	assert_true(asprintf(&chain, "%s%s%s", leaf->cert_pem,
			     theirs->cert_pem, old->cert_pem) > 0);
	world_run_chain(chain, leaf, world.trust, &pair);
	assert_true(pair.client.failed);
	assert_int_equal(pair.client.failure.alert, UNKNOWN_CA);
	pair_free(&pair);
	free(chain);
	pki_free(leaf);
	pki_free(old);
	pki_free(theirs);
	pki_free(ours);
	pki_free(other);
}

/* The old CA signed the new one's key, for clients that know the old alone. */
static void cross_signed_roots_lead_to_either(void **state)
{
	struct pki_cert *old = pki_issue(&(struct pki_spec){
		.key = "p256", .name = "old CA", .ca = true });
	struct pki_cert *bridge = pki_issue(&(struct pki_spec){
		.same_key = world.ca, .key = "", .name = "CA", .issuer = old,
		.ca = true });
	struct engine_trust *old_trust = trust_of(old->cert_pem);
	struct engine_trust *trusts[] = { world.trust, old_trust };
	struct pki_cert *leaf = pki_issue(&(struct pki_spec){
		.key = "p256", .name = "x", .san = "DNS:" NAME,
		.issuer = world.ca });
	char *chain;
	size_t i;

	(void)state;
	assert_true(asprintf(&chain, "%s%s", leaf->cert_pem,
			     bridge->cert_pem) > 0);
	for (i = 0; i < 2; i++) {
		struct pair pair;

		world_run_chain(chain, leaf, trusts[i], &pair);
		pair_assert_good(&pair);
		pair_free(&pair);
	}
	free(chain);
	engine_trust_put(old_trust);
	pki_free(leaf);
	pki_free(bridge);
	pki_free(old);
}

/* RFC 8446 section 4.4.2.2, and RSA key exchange needs the other bit. */
static void key_usage_is_honoured(void **state)
{
	static const uint16_t rsa = 0x003c, ecdhe = 0xc02f;
	const struct {
		const char	*usage;
		uint16_t	version;
		const uint16_t	*suite;
		bool		good;
	} cases[] = {
		{ "critical,digitalSignature", TLS13, NULL, true },
		{ "critical,keyEncipherment", TLS13, NULL, false },
		{ "critical,digitalSignature", TLS12, &ecdhe, true },
		{ "critical,keyEncipherment", TLS12, &ecdhe, false },
		{ "critical,digitalSignature", TLS12, &rsa, false },
		{ "critical,keyEncipherment", TLS12, &rsa, true },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct actor actor = actor_new(&(struct pki_spec){
			.key = "rsa", .name = "x", .san = "DNS:" NAME,
			.issuer = world.ca, .usage = cases[i].usage });
		/* a server that looks at it does not even try */
		struct actor careless = actor_new(&(struct pki_spec){
			.same_key = actor.cert, .key = "", .name = "x",
			.issuer = world.ca,
			.usage = "digitalSignature,keyEncipherment" });
		struct engine_config c = world_client();
		struct engine_config s = world_server(&careless);
		struct engine_bytes der = careless.identity->der[0];
		struct pair pair;

		c.min_version = c.max_version = cases[i].version;
		c.suites = cases[i].suite;
		c.n_suites = !!cases[i].suite;
		careless.identity->der[0] = actor.identity->der[0];
		world_run(&pair, c, s);
		if (cases[i].good)
			assert_true(pair.client.done);
		else
			assert_failed(&pair.client, ILLEGAL_PARAMETER,
				      EKEYREJECTED, "may not be used");
		pair_free(&pair);
		s = world_server(&actor);
		world_run(&pair, c, s);
		assert_int_equal(pair.client.done, cases[i].good);
		if (!cases[i].good)
			assert_failed(&pair.server, HANDSHAKE_FAILURE,
				      EPROTONOSUPPORT, "in common");
		pair_free(&pair);
		careless.identity->der[0] = der;
		actor_free(&careless);
		actor_free(&actor);
	}
}

/* ---------------------------------------------------------------- pins */

static void pins_replace_the_ca(void **state)
{
	char *leaf = pki_pin(world.rsa.cert), *other = pki_pin(world.ecdsa.cert);
	char *both;
	struct pair pair;

	(void)state;
	world_run_trust(leaf, &world.rsa, &pair);
	pair_assert_good(&pair);
	pair_free(&pair);
	assert_true(asprintf(&both, "%s\r\n\n%s\n", other, leaf) > 0);
	world_run_trust(both, &world.rsa, &pair);
	pair_assert_good(&pair);
	pair_free(&pair);
	world_run_trust(other, &world.rsa, &pair);
	assert_failed(&pair.client, UNKNOWN_CA, EKEYREJECTED, "pinned key");
	pair_free(&pair);
	free(both);
	free(leaf);
	free(other);
}

/* A pin names the key, so the server needs no other name. */
static void pins_need_no_server_name(void **state)
{
	char *leaf = pki_pin(world.rsa.cert);
	struct engine_trust *trust = trust_of(leaf);
	struct engine_config c = world_client();
	struct pair pair;

	(void)state;
	c.server_name = NULL;
	c.trust = trust;
	world_run(&pair, c, world_server(&world.rsa));
	pair_assert_good(&pair);
	pair_free(&pair);
	engine_trust_put(trust);
	free(leaf);
}

static void refuse_trust(const char *value, const char *complaint)
{
	struct engine_trust *trust;
	char text[256] = "";

	assert_int_equal(engine_trust_new(&trust, (struct engine_bytes){
				(const uint8_t *)value, strlen(value) },
				text, sizeof(text)), -EINVAL);
	assert_non_null(strstr(text, complaint));
}

static void unusable_trust_values_are_refused(void **state)
{
	(void)state;
	refuse_trust("", "neither");
	refuse_trust("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
		     "neither");
	refuse_trust("sha256/AAAA", "pin 1");
	refuse_trust("sha256/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\nx",
		     "pin 2");
	refuse_trust("sha256/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
		     "pin 1");
	refuse_trust("sha256/!AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
		     "pin 1");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(name_mismatch_is_refused_and_says_for_whom),
		cmocka_unit_test(common_name_is_not_a_name),
		cmocka_unit_test(unprintable_names_do_not_reach_the_text),
		cmocka_unit_test(wildcard_matches_one_label),
		cmocka_unit_test(trailing_dot_is_not_part_of_the_name),
		cmocka_unit_test(names_that_are_none_are_refused),
		cmocka_unit_test(ip_literals_match_ip_sans_alone),
		cmocka_unit_test(expired_certificate_is_refused),
		cmocka_unit_test(future_certificate_is_refused),
		cmocka_unit_test(now_of_the_configuration_counts),
		cmocka_unit_test(unknown_ca_is_refused),
		cmocka_unit_test(self_signed_is_refused),
		cmocka_unit_test(forged_signature_is_refused),
		cmocka_unit_test(wrong_use_is_refused),
		cmocka_unit_test(leaf_that_signs_is_no_ca),
		cmocka_unit_test(weak_keys_and_sha1_are_refused_by_policy),
		cmocka_unit_test(name_constraints_are_honoured),
		cmocka_unit_test(intermediates_missing_extra_and_as_anchor),
		cmocka_unit_test(cross_signed_intermediates_find_the_anchor),
		cmocka_unit_test(cross_signed_roots_lead_to_either),
		cmocka_unit_test(key_usage_is_honoured),
		cmocka_unit_test(pins_replace_the_ca),
		cmocka_unit_test(pins_need_no_server_name),
		cmocka_unit_test(unusable_trust_values_are_refused),
	};

	return cmocka_run_group_tests_name("x509", tests, world_setup,
					   world_teardown);
}
