/* SPDX-License-Identifier: MIT */
/* A server's steps; server.c until the version is known, then server12/13. */
#ifndef SOCKTLS_ENGINE_SERVER_H
#define SOCKTLS_ENGINE_SERVER_H

#include "engine/core.h"

/**
 * struct offer - a ClientHello, with the extensions that both versions read
 * @hello: the message
 * @host: server_name, empty: none
 * @groups: supported_groups, uint16 each, empty: none
 * @sigalgs: signature_algorithms, uint16 each, empty: none
 * @sigalgs_cert: the same of certificates: signature_algorithms_cert, else
 *	@sigalgs; empty: none
 * @alpn: ProtocolNameList, empty: none
 * @status: an OCSP response is asked for
 */
struct offer {
	struct client_hello	hello;
	struct engine_bytes	host;
	struct engine_bytes	groups;
	struct engine_bytes	sigalgs;
	struct engine_bytes	sigalgs_cert;
	struct engine_bytes	alpn;
	bool			status;
};

/*
 * The identity for this offer among those for which @usable says yes: the
 * ones that name the host exactly, else by wildcard, else all, the first one
 * first. NULL: none.
 */
struct engine_identity *server_pick_identity(struct engine *engine,
		const struct offer *offer,
		bool (*usable)(struct engine *engine, const struct offer *offer,
			       const struct engine_identity *identity));
/* Does the chain fit the client, as far as that counts now? */
bool server_chain_fits(const struct engine *engine, const struct offer *offer,
		       const struct engine_identity *identity);
/*
 * Is ChaCha20 the first AEAD of @version that the client names? Then it has no
 * AES in hardware, and AES would cost it dearly.
 */
bool server_prefers_chacha(struct engine_bytes suites, uint16_t version);
/* The identity is chosen: staple its OCSP response if the client asked. */
void server_staple(struct engine *engine, const struct offer *offer);
/* Write the agreed ALPN protocol as an extension, if there is one. */
void server_alpn_write(struct engine *engine, struct writer *w);
/* A new ServerHello.random, with the downgrade sentinel where due. */
int server_random_make(struct engine *engine);
/* No suite, group or certificate in common: which one and what to do. */
int server_nothing_common(struct engine *engine, const char *what);

/* Steps of the table in states.c. */
int server_client_hello(struct engine *engine, const struct message *message);

int server13_client_hello(struct engine *engine, const struct offer *offer);
int server13_certificate(struct engine *engine, const struct message *message);
int server13_certificate_verify(struct engine *engine,
				const struct message *message);
int server13_finished(struct engine *engine, const struct message *message);

int server12_client_hello(struct engine *engine, const struct offer *offer);
int server12_certificate(struct engine *engine, const struct message *message);
int server12_key_exchange(struct engine *engine, const struct message *message);
int server12_certificate_verify(struct engine *engine,
				const struct message *message);
int server12_ccs(struct engine *engine, const struct message *message);
int server12_finished(struct engine *engine, const struct message *message);

#endif /* SOCKTLS_ENGINE_SERVER_H */
