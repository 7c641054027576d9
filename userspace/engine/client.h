/* SPDX-License-Identifier: MIT */
/* A client's steps; client.c until the version is known, then client12/13. */
#ifndef SOCKTLS_ENGINE_CLIENT_H
#define SOCKTLS_ENGINE_CLIENT_H

#include "engine/core.h"

int client_start(struct engine *engine);
/* Write a ClientHello with the key shares in engine->client. */
int client_hello_send(struct engine *engine);
/* Make a share for @group in slot @slot. */
int client_share_make(struct engine *engine, size_t slot,
		      const struct group *group);
int client_alpn_take(struct engine *engine, const struct extensions *list);

/* Steps of the table in states.c. */
int client_hello_request(struct engine *engine, const struct message *message);
int client_server_hello_check(struct engine *engine,
			      const struct message *message);
int client_server_hello(struct engine *engine, const struct message *message);

int client13_server_hello(struct engine *engine,
			  const struct server_hello *hello);
int client13_retry(struct engine *engine, const struct server_hello *hello);
int client13_encrypted_extensions(struct engine *engine,
				  const struct message *message);
int client13_certificate_request(struct engine *engine,
				 const struct message *message);
int client13_certificate(struct engine *engine, const struct message *message);
int client13_certificate_verify(struct engine *engine,
				const struct message *message);
int client13_finished(struct engine *engine, const struct message *message);

int client12_server_hello(struct engine *engine,
			  const struct server_hello *hello);
int client12_certificate(struct engine *engine, const struct message *message);
int client12_certificate_status(struct engine *engine,
				const struct message *message);
int client12_key_exchange(struct engine *engine, const struct message *message);
int client12_certificate_request(struct engine *engine,
				 const struct message *message);
int client12_hello_done(struct engine *engine, const struct message *message);
int client12_ticket(struct engine *engine, const struct message *message);
int client12_ccs(struct engine *engine, const struct message *message);
int client12_finished(struct engine *engine, const struct message *message);

#endif /* SOCKTLS_ENGINE_CLIENT_H */
