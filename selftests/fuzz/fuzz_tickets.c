// SPDX-License-Identifier: MIT
/*
 * Sessions, tickets and cookies from an enemy's hand: a sealed ticket that
 * somehow opens, a session store that was tampered with.
 */
#include <stdlib.h>
#include <string.h>

#include "engine/session.h"
#include "pki.h"

static const uint8_t *stored;
static size_t stored_len;

static int on_add(void *arg, enum engine_session_kind kind,
		  struct engine_bytes key, struct engine_bytes value,
		  time_t expires)
{
	(void)arg;
	(void)kind;
	(void)key;
	(void)expires;
	if (value.len > ENGINE_SESSION_MAX)
		abort();
	return 0;
}

static int on_find(void *arg, enum engine_session_kind kind,
		   struct engine_bytes key, time_t now, uint8_t *value,
		   size_t *len)
{
	(void)arg;
	(void)kind;
	(void)key;
	(void)now;
	if (stored_len > *len)
		return -1;
	memcpy(value, stored, stored_len);
	*len = stored_len;
	return 0;
}

static void on_drop(void *arg, enum engine_session_kind kind,
		    struct engine_bytes key)
{
	(void)arg;
	(void)kind;
	(void)key;
}

static const struct engine_sessions sessions = {
	.add	= on_add,
	.find	= on_find,
	.drop	= on_drop,
};

static int ignore_send(void *arg, uint8_t type, struct engine_bytes bytes,
		       bool lazy)
{
	(void)arg;
	(void)type;
	(void)bytes;
	(void)lazy;
	return 0;
}

static int ignore_fail(void *arg, const struct engine_failure *failure)
{
	(void)arg;
	(void)failure;
	return 0;
}

static const struct engine_output output = {
	.send	= ignore_send,
	.fail	= ignore_fail,
};

static struct engine_trust *make_trust(void)
{
	struct pki_cert *ca = pki_issue(&(struct pki_spec){ .key = "ed25519",
		.name = "CA", .ca = true });
	struct engine_trust *trust;
	char text[128];

	if (engine_trust_new(&trust, bytes_of(ca->cert_pem,
					      strlen(ca->cert_pem)), text,
			     sizeof(text)))
		abort();
	pki_free(ca);
	return trust;
}

/* A client that finds @in in its store. */
static void on_stored(struct engine_bytes in)
{
	static struct engine_trust *trust;
	struct engine_config config = {
		.role = SOCKTLS_CLIENT, .server_name = "localhost",
		.peer_auth = SOCKTLS_PEER_AUTH_REQUIRE, .now = 1700000000,
		.sessions = &sessions,
	};
	struct engine *engine;

	if (!trust)
		trust = make_trust();
	config.trust = trust;
	stored = in.data;
	stored_len = in.len;
	if (engine_new(&engine, &config, &output, NULL))
		abort();
	engine_start(engine);
	engine_free(engine);
}

static void on_session(struct engine_bytes in)
{
	struct session session;
	struct writer w = { 0 };

	if (session_parse(&session, in)) {
		session_write(&w, &session);
		session_expires(&session);
		if (!w.len)
			abort();
	}
	writer_free(&w);
}

static void on_export(struct engine_bytes in)
{
	uint8_t out[48];

	engine_cookie_export(in, "EXPERIMENTAL fuzz", bytes_of("x", 1), true,
			     out, sizeof(out));
}

static void on_ended(struct engine_bytes in)
{
	engine_cookie_ended(in, &sessions, NULL);
}

/* Two bytes say where the cookie ends and the message begins. */
static void on_ticket(struct engine_bytes in)
{
	struct reader r = reader_of(in);
	struct engine_bytes cookie = reader_vector(&r, 2, 0);

	engine_cookie_ticket(cookie, reader_rest(&r), 1700000000, &sessions,
			     NULL);
}

static void (*const readers[])(struct engine_bytes in) = {
	on_stored, on_session, on_export, on_ended, on_ticket,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size)
		readers[data[0] % (sizeof(readers) / sizeof(readers[0]))](
			bytes_of(data + 1, size - 1));
	return 0;
}
