// SPDX-License-Identifier: MIT
#include <string.h>

#include <openssl/crypto.h>

#include "engine/kdf.h"
#include "engine/session.h"
#include "engine/tickets.h"

/* The session that this handshake leaves; @chain holds the peer's. */
static int describe(struct engine *engine, struct session *session,
		    struct writer *chain)
{
	int ret;

	ret = session_describe(engine, session);
	if (!ret)
		ret = session_chain(engine, chain);
	session->chain = writer_view(chain);
	return ret;
}

/* -------------------------------------------------------- server, TLS 1.3 */

/* RFC 8446 section 4.6.1: PskKey = HKDF-Expand-Label(...) */
static int make_psk(struct engine *engine, struct session *session,
		    uint8_t nonce)
{
	struct schedule *s = &engine->schedule;

	session->secret_len = s->len;
	return engine_check(engine,
			    kdf_expand_label(s->md,
					     bytes_of(s->resumption_master,
						      s->len),
					     "resumption",
					     bytes_of(&nonce, 1),
					     session->secret, s->len),
			    "derive a PSK");
}

static void write_ticket13(struct writer *w, const struct session *session,
			   uint8_t nonce, const struct writer *ticket)
{
	size_t mark;

	writer_u8(w, NEW_SESSION_TICKET);
	mark = writer_open(w, 3);
	writer_u32(w, session->lifetime);
	writer_u32(w, session->age_add);
	writer_vector(w, 1, bytes_of(&nonce, 1));
	writer_vector(w, 2, writer_view(ticket));
	writer_u16(w, 0);	/* extensions: no early data */
	writer_close(w, mark, 3);
}

/* One message; none when the ticket cannot be sealed. */
static int add_ticket13(struct engine *engine, struct session *session,
			uint8_t nonce, struct writer *messages)
{
	struct writer ticket = { 0 };
	uint8_t random[4];
	int ret;

	if (!entropy_bytes(&engine->set.entropy, random, sizeof(random)))
		return engine_fail_crypto(engine, "make random bytes");
	session->age_add = (uint32_t)random[0] << 24 | random[1] << 16 |
			   random[2] << 8 | random[3];
	ret = make_psk(engine, session, nonce);
	if (!ret && session_seal(engine, session, &ticket))
		write_ticket13(messages, session, nonce, &ticket);
	writer_free(&ticket);
	return ret;
}

static int send_lazily(struct engine *engine, const struct writer *messages)
{
	if (messages->bad)
		return engine_fail_memory(engine);
	return messages->len ? lazy_send(engine, writer_view(messages)) : 0;
}

int tickets_send13(struct engine *engine)
{
	unsigned int n = engine->resumed ? 1 : engine->set.tickets;
	struct writer messages = { 0 }, chain = { 0 };
	struct session session;
	unsigned int i;
	int ret;

	/* With an external PSK the next handshake is as short again. */
	if (!session_enabled(engine) || !engine->set.tickets ||
	    !engine->server.psk_dhe_ke || engine->external)
		return 0;
	ret = describe(engine, &session, &chain);
	for (i = 0; i < n && !ret; i++)
		ret = add_ticket13(engine, &session, i, &messages);
	if (!ret)
		ret = send_lazily(engine, &messages);
	OPENSSL_cleanse(&session, sizeof(session));
	writer_free(&messages);
	writer_free(&chain);
	return ret;
}

/* -------------------------------------------------------- server, TLS 1.2 */

static int describe12(struct engine *engine, struct session *session,
		      struct writer *chain)
{
	int ret = describe(engine, session, chain);

	memcpy(session->secret, engine->schedule12.master, MASTER_LEN);
	session->secret_len = MASTER_LEN;
	return ret;
}

int tickets_send12(struct engine *engine)
{
	struct writer ticket = { 0 }, chain = { 0 };
	struct session session;
	struct writer *w;
	int ret;

	ret = describe12(engine, &session, &chain);
	if (!ret && !session_seal(engine, &session, &ticket))
		writer_reset(&ticket);
	if (!ret) {
		/* RFC 5077 section 3.3 */
		w = message_begin(engine, NEW_SESSION_TICKET);
		writer_u32(w, session.lifetime);
		writer_vector(w, 2, writer_view(&ticket));
		ret = message_end(engine);
	}
	OPENSSL_cleanse(&session, sizeof(session));
	writer_free(&ticket);
	writer_free(&chain);
	return ret;
}

int tickets_save_id(struct engine *engine)
{
	struct writer chain = { 0 };
	struct session session;
	int ret;

	if (!engine->server.new_id.len)
		return 0;
	ret = describe12(engine, &session, &chain);
	if (!ret)
		session_add(engine, ENGINE_SESSION_ID, engine->server.new_id,
			    &session);
	OPENSSL_cleanse(&session, sizeof(session));
	writer_free(&chain);
	return ret;
}

/* -------------------------------------------------------- client, TLS 1.2 */

/* RFC 5077 section 3.3: a hint of 0 leaves it to us. */
static uint32_t lifetime12(const struct engine *engine)
{
	uint32_t hint = engine->client.ticket_lifetime;

	if (!engine->client.ticket.len || !hint)
		return engine->set.session_lifetime;
	return hint < SESSION_LIFETIME_MAX ? hint : SESSION_LIFETIME_MAX;
}

/* A resumed session stays as it is, unless a new ticket came. */
int tickets_save12(struct engine *engine)
{
	struct client *client = &engine->client;
	struct writer chain = { 0 };
	struct session session;
	int ret;

	if (!session_enabled(engine) || !engine->ems)
		return 0;
	if (!client->ticket.len && (engine->resumed || !client->new_id.len))
		return 0;
	ret = describe12(engine, &session, &chain);
	session.lifetime = lifetime12(engine);
	session.handle = writer_view(&client->ticket);
	if (!session.handle.len)
		session.id = client->new_id;
	if (!ret)
		session_add(engine, ENGINE_SESSION_RESUMABLE,
			    bytes_of(engine->session_key, SESSION_KEY_LEN),
			    &session);
	OPENSSL_cleanse(&session, sizeof(session));
	writer_free(&chain);
	return ret;
}
