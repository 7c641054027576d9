/* SPDX-License-Identifier: MIT */
/* A small world of certificates that several tests share, made once. */
#ifndef SOCKTLS_SELFTESTS_WORLD_H
#define SOCKTLS_SELFTESTS_WORLD_H

#include "pair.h"

#define NAME	"server.example"

/**
 * struct actor - a certificate as an engine takes it
 * @cert: with its key
 * @identity: the same
 */
struct actor {
	struct pki_cert		*cert;
	struct engine_identity	*identity;
};

/**
 * struct world - one CA, servers called NAME, clients called alice
 * @trust: holds @ca
 */
struct world {
	struct pki_cert		*ca;
	struct engine_trust	*trust;
	struct actor		rsa, ecdsa, ed25519;
	struct actor		client_rsa, client_ecdsa, client_ed25519;
};

extern struct world world;

int world_setup(void **state);
int world_teardown(void **state);

struct actor actor_new(const struct pki_spec *spec);
void actor_free(struct actor *actor);

struct engine_config world_client(void);
struct engine_config world_server(struct actor *actor);

/* Run a handshake; the pair is left for inspection, then pair_free(). */
void world_run(struct pair *pair, struct engine_config client,
	       struct engine_config server);

/* The same with a server that presents @chain_pem for @leaf. */
void world_run_chain(const char *chain_pem, const struct pki_cert *leaf,
		     struct engine_trust *trust, struct pair *pair);
/* The same with a client whose trust store is of @value. */
void world_run_trust(const char *value, struct actor *actor,
		     struct pair *pair);

/* The side failed so, and the other got nothing wrong of its own. */
void assert_failed(const struct side *side, int alert, int error,
		   const char *text);

#endif /* SOCKTLS_SELFTESTS_WORLD_H */
