// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "world.h"

struct world world;

struct actor actor_new(const struct pki_spec *spec)
{
	struct actor actor = { .cert = pki_issue(spec) };

	actor.identity = identity_of(actor.cert);
	return actor;
}

void actor_free(struct actor *actor)
{
	identity_drop(actor->identity);
	pki_free(actor->cert);
}

static struct actor server(const char *key)
{
	return actor_new(&(struct pki_spec){
		.key = key, .name = "server", .san = "DNS:" NAME,
		.issuer = world.ca, .eku = "serverAuth" });
}

static struct actor client(const char *key)
{
	return actor_new(&(struct pki_spec){
		.key = key, .name = "alice", .issuer = world.ca,
		.eku = "clientAuth" });
}

int world_setup(void **state)
{
	(void)state;
	world.ca = pki_issue(&(struct pki_spec){
		.key = "p256", .name = "CA", .ca = true });
	world.trust = trust_of(world.ca->cert_pem);
	world.rsa = server("rsa");
	world.ecdsa = server("p256");
	world.ed25519 = server("ed25519");
	world.client_rsa = client("rsa");
	world.client_ecdsa = client("p256");
	world.client_ed25519 = client("ed25519");
	return 0;
}

int world_teardown(void **state)
{
	(void)state;
	actor_free(&world.rsa);
	actor_free(&world.ecdsa);
	actor_free(&world.ed25519);
	actor_free(&world.client_rsa);
	actor_free(&world.client_ecdsa);
	actor_free(&world.client_ed25519);
	engine_trust_put(world.trust);
	pki_free(world.ca);
	return 0;
}

struct engine_config world_client(void)
{
	return (struct engine_config){
		.role = SOCKTLS_CLIENT, .server_name = NAME,
		.trust = world.trust,
	};
}

struct engine_config world_server(struct actor *actor)
{
	return (struct engine_config){
		.role = SOCKTLS_SERVER, .identities = &actor->identity,
		.n_identities = 1,
	};
}

void world_run(struct pair *pair, struct engine_config client_config,
	       struct engine_config server_config)
{
	pair_init(pair, &client_config, &server_config);
	pair_run(pair);
}

void world_run_chain(const char *chain_pem, const struct pki_cert *leaf,
		     struct engine_trust *trust, struct pair *pair)
{
	struct pki_cert presented = *leaf;
	struct actor actor = { .cert = &presented };

	presented.chain_pem = (char *)chain_pem;
	actor.identity = identity_of(&presented);
	world_run(pair, (struct engine_config){ .server_name = NAME,
						.trust = trust },
		  world_server(&actor));
	identity_drop(actor.identity);
}

void world_run_trust(const char *value, struct actor *actor, struct pair *pair)
{
	struct engine_config c = world_client();
	struct engine_trust *trust = trust_of(value);

	c.trust = trust;
	world_run(pair, c, world_server(actor));
	engine_trust_put(trust);
}

void assert_failed(const struct side *side, int alert, int error,
		   const char *text)
{
	assert_true(side->failed);
	if (side->failure.alert != alert || side->failure.error != error ||
	    !strstr(side->text, text))
		print_message("alert %d, errno %d: %s\n", side->failure.alert,
			      side->failure.error, side->text);
	assert_int_equal(side->failure.alert, alert);
	assert_int_equal(side->failure.error, error);
	assert_non_null(strstr(side->text, text));
	assert_int_equal(side->ret, -error);
	assert_null(side->bad);
	assert_false(engine_is_done(side->engine));
	/* dead for good */
	assert_int_equal(engine_receive(side->engine, side->rx_level, 22,
					(struct engine_bytes){
						(const uint8_t *)"", 1 }),
			 -error);
}
