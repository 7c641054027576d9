/* SPDX-License-Identifier: MIT */
/* Two hosts that remember sessions, and a clock that tests move. */
#ifndef SOCKTLS_SELFTESTS_RESUME_H
#define SOCKTLS_SELFTESTS_RESUME_H

#include "daemon/sessions.h"
#include "daemon/ticketkeys.h"
#include "engine/session.h"
#include "world.h"

#define LIFETIME	3600

/**
 * struct way - a way to resume
 * @name: for texts
 * @version: TLS12 or TLS13
 * @ids: the server has session IDs
 * @tickets: that the server sends
 * @kind: of the session in the client's store
 */
struct way {
	const char	*name;
	uint16_t	version;
	bool		ids;
	unsigned int	tickets;
	enum engine_session_kind kind;
};

#define WAYS		3

extern const struct way ways[WAYS];

#define BY_ID		(&ways[0])
#define BY_TICKET	(&ways[1])
#define BY_PSK		(&ways[2])

/**
 * struct host - what outlives a handshake
 * @keys: ticket keys
 * @sessions: session store
 */
struct host {
	struct ticketkeys	*keys;
	struct sessions		*sessions;
};

/**
 * struct scene - two hosts and how they connect
 * @now: their clock
 * @client_host: the client's
 * @server_host: the server's
 * @client: for the next connection
 * @server: for the next connection
 * @pair: the last connection
 * @ran: there was one
 * @tamper: for the next connection, see struct pair
 */
struct scene {
	time_t			now;
	struct host		client_host, server_host;
	struct engine_config	client, server;
	struct pair		pair;
	bool			ran;
	bool (*tamper)(struct pair *pair, struct side *from,
		       struct record *record);
	void			*arg;
};

/* Session IDs and two tickets; both ends with RSA and no client certificate. */
void scene_init(struct scene *scene, uint16_t version);
void scene_free(struct scene *scene);
/* The same, that way; start_with_session(): with one connection behind it. */
void start(struct scene *scene, const struct way *way);
void start_with_session(struct scene *scene, const struct way *way);
/* The client has a certificate, the server requires one. */
void scene_make_mutual(struct scene *scene);

/* Connect; the client keeps the tickets that it got. Not judged. */
void scene_connect(struct scene *scene);
/* The same; has to succeed, resumed or not. */
void scene_expect(struct scene *scene, bool resumed);
bool scene_resumed(const struct scene *scene);
/* Hand the client's TICKET items to it. */
void scene_take_tickets(struct scene *scene);

/*
 * Change the client's only session, with what it points to in @bytes, and put
 * it under the key of a client as configured now.
 */
void scene_edit(struct scene *scene, enum engine_session_kind kind,
		void (*edit)(struct session *session, struct writer *handle));

/* Sides of the last connection. */
static inline const struct side *client(const struct scene *scene)
{
	return &scene->pair.client;
}

static inline const struct side *server(const struct scene *scene)
{
	return &scene->pair.server;
}

/* The session ID of a hello in a record. */
static inline struct engine_bytes session_id_of(const struct record *record)
{
	return bytes_of(record->data + 4 + 2 + 32 + 1, record->data[38]);
}

#endif /* SOCKTLS_SELFTESTS_RESUME_H */
