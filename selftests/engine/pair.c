// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/err.h>

#include "engine/identity.h"
#include "pair.h"

/* ------------------------------------------------------------- outputs */

static void event(struct side *side, const char *format, ...)
{
	size_t at = strlen(side->events);
	va_list args;

	if (at)
		side->events[at++] = ' ';
	va_start(args, format);
	vsnprintf(side->events + at, sizeof(side->events) - at, format, args);
	va_end(args);
}

static const char *level_name(enum socktls_level level)
{
	static const char *const names[] = {
		"plaintext", "early", "handshake", "application",
	};

	return names[level];
}

static int on_send(void *arg, uint8_t type, struct engine_bytes bytes,
		   bool lazy)
{
	struct side *side = arg;
	struct record *record = lazy ? &side->lazy[side->n_lazy++] :
				       &side->sent[side->n_sent++];

	assert_true(side->n_sent < RECORDS_MAX);
	assert_true(side->n_lazy < LAZY_MAX);
	assert_true(bytes.len > 0);
	assert_false(side->failed);
	*record = (struct record){
		.level = side->tx_level, .key = side->tx, .type = type,
		.data = malloc(bytes.len), .len = bytes.len,
	};
	memcpy(record->data, bytes.data, bytes.len);
	if (lazy)
		event(side, "lazy:%u", bytes.data[0]);
	else if (type == 20)
		event(side, "ccs");
	else
		event(side, "send:%u", bytes.data[0]);
	return 0;
}

static int on_version(void *arg, uint16_t version)
{
	struct side *side = arg;

	assert_int_equal(side->version, 0);
	side->version = version;
	event(side, "version");
	return 0;
}

static int on_key(void *arg, const struct engine_key *key)
{
	struct side *side = arg;
	bool tx = key->direction == SOCKTLS_DIRECTION_TX;

	assert_true(side->version);
	*(tx ? &side->tx : &side->rx) = *key;
	*(tx ? &side->tx_level : &side->rx_level) = key->level;
	event(side, "key:%s:%s", tx ? "tx" : "rx", level_name(key->level));
	return 0;
}

static int on_limit(void *arg, enum socktls_direction direction,
		    uint32_t max_plaintext)
{
	struct side *side = arg;

	assert_true(side->version);
	event(side, "limit:%s:%u", direction == SOCKTLS_DIRECTION_TX ? "tx" :
	      "rx", max_plaintext);
	return 0;
}

static int on_skip_early(void *arg, enum socktls_skip_mode mode,
			 uint32_t max_bytes)
{
	struct side *side = arg;

	side->skip_mode = mode;
	side->skip_max = max_bytes;
	event(side, "skip:%u", mode);
	return 0;
}

static int on_certificate(void *arg, enum socktls_chain chain,
			  struct engine_bytes der)
{
	struct side *side = arg;

	assert_true(der.len > 0 && der.data[0] == 0x30);
	assert_false(side->done);
	if (chain == SOCKTLS_CHAIN_PEER)
		side->peer_certs++;
	else
		side->local_certs++;
	event(side, "cert:%s", chain == SOCKTLS_CHAIN_PEER ? "peer" : "local");
	return 0;
}

static int on_done(void *arg, const struct engine_result *result)
{
	struct side *side = arg;

	side->done = true;
	side->result = *result;
	assert_true(result->cookie.len && result->cookie.len <= COOKIE_MAX);
	memcpy(side->cookie, result->cookie.data, result->cookie.len);
	side->cookie_len = result->cookie.len;
	if (result->peer_identity)
		snprintf(side->identity, sizeof(side->identity), "%s",
			 result->peer_identity);
	snprintf(side->alpn, sizeof(side->alpn), "%.*s",
		 (int)result->alpn.len, (const char *)result->alpn.data);
	event(side, "done");
	return 0;
}

static int on_fail(void *arg, const struct engine_failure *failure)
{
	struct side *side = arg;

	assert_false(side->failed);
	side->failed = true;
	side->failure = *failure;
	snprintf(side->text, sizeof(side->text), "%s", failure->text);
	side->failure.text = side->text;
	assert_true(strlen(side->text) > 10);
	event(side, "fail");
	return 0;
}

static void on_keylog(void *arg, const char *line)
{
	struct side *side = arg;

	assert_true(side->n_keylog < KEYLOG_MAX);
	snprintf(side->keylog[side->n_keylog++], sizeof(side->keylog[0]), "%s",
		 line);
}

const struct engine_output pair_output = {
	.send		= on_send,
	.version	= on_version,
	.key		= on_key,
	.limit		= on_limit,
	.skip_early	= on_skip_early,
	.certificate	= on_certificate,
	.done		= on_done,
	.fail		= on_fail,
	.keylog		= on_keylog,
};

/* ------------------------------------------------------------- carrying */

static bool same_key(const struct engine_key *a, const struct engine_key *b)
{
	return a->cipher == b->cipher && a->flags == b->flags &&
	       a->key_len == b->key_len && a->iv_len == b->iv_len &&
	       a->mac_key_len == b->mac_key_len &&
	       a->secret_len == b->secret_len &&
	       !memcmp(a->key, b->key, a->key_len) &&
	       !memcmp(a->iv, b->iv, a->iv_len) &&
	       !memcmp(a->mac_key, b->mac_key, a->mac_key_len) &&
	       !memcmp(a->secret, b->secret, a->secret_len);
}

static void receive_chunks(struct pair *pair, struct side *to,
			   const struct record *record)
{
	size_t chunk = pair->chunk ? pair->chunk : record->len;
	size_t at, n;

	for (at = 0; at < record->len && !to->ret; at += n) {
		n = record->len - at < chunk ? record->len - at : chunk;
		to->ret = engine_receive(to->engine, record->level,
					 record->type,
					 (struct engine_bytes){
						.data = record->data + at,
						.len = n });
	}
}

/* One message at a time; records here hold whole messages. */
static void receive_messages(struct pair *pair, struct side *to,
			     const struct record *record)
{
	size_t at = 0, len;

	while (at < record->len && !to->ret) {
		const uint8_t *m = record->data + at;

		len = record->type == 20 ? record->len :
		      4 + ((size_t)m[1] << 16 | m[2] << 8 | m[3]);
		assert_true(len <= record->len - at);
		pair->before_message(pair, to, m, len);
		if (to->ret)
			return;
		to->ret = engine_receive(to->engine, record->level,
					 record->type,
					 (struct engine_bytes){ m, len });
		at += len;
	}
}

static void deliver(struct pair *pair, struct side *from, struct record *record)
{
	struct side *to = from->peer;

	if (pair->tamper && !pair->tamper(pair, from, record))
		return;
	/* In TLS 1.3 the record layer drops these; design.md. */
	if (record->type == 20 && to->version != 0x0303) {
		if (record->level != SOCKTLS_LEVEL_PLAINTEXT || !to->version)
			to->bad = "change_cipher_spec where no record layer drops it";
		return;
	}
	if (record->level != to->rx_level)
		to->bad = "record of a level the receiver has no key for";
	else if (!same_key(&record->key, &to->rx))
		to->bad = "the receiver's key is not the sender's";
	if (pair->before_message)
		receive_messages(pair, to, record);
	else
		receive_chunks(pair, to, record);
}

/* Join what follows if a record layer could have read it in one go. */
static void coalesce(struct side *from)
{
	struct record *first = &from->sent[from->n_taken];
	struct record *next;

	while (from->n_taken + 1 < from->n_sent) {
		next = first + 1;
		if (next->type != first->type || next->level != first->level ||
		    first->type != 22)
			return;
		first->data = realloc(first->data, first->len + next->len);
		memcpy(first->data + first->len, next->data, next->len);
		first->len += next->len;
		free(next->data);
		memmove(next, next + 1,
			(from->n_sent - from->n_taken - 2) * sizeof(*next));
		from->n_sent--;
	}
}

static bool move(struct pair *pair, struct side *from)
{
	bool moved = false;

	while (from->n_taken < from->n_sent && !from->peer->ret) {
		struct record *record;

		if (pair->coalesce)
			coalesce(from);
		record = &from->sent[from->n_taken++];
		deliver(pair, from, record);
		free(record->data);
		record->data = NULL;
		moved = true;
	}
	return moved;
}

void pair_run(struct pair *pair)
{
	bool moved;

	pair->client.ret = engine_start(pair->client.engine);
	pair->server.ret = engine_start(pair->server.engine);
	do {
		moved = move(pair, &pair->client);
		moved |= move(pair, &pair->server);
	} while (moved);
}

void pair_assert_good(const struct pair *pair)
{
	const struct side *c = &pair->client, *s = &pair->server;

	if (c->failed || s->failed)
		print_message("client: %s\nserver: %s\n", c->text, s->text);
	assert_int_equal(c->ret, 0);
	assert_int_equal(s->ret, 0);
	assert_null(c->bad);
	assert_null(s->bad);
	assert_true(c->done && s->done);
	assert_true(engine_is_done(c->engine) && engine_is_done(s->engine));
	assert_int_equal(c->result.version, s->result.version);
	assert_int_equal(c->result.version, c->version);
	assert_int_equal(s->result.version, s->version);
	assert_int_equal(c->result.suite, s->result.suite);
	assert_int_equal(c->result.group, s->result.group);
	assert_string_equal(c->alpn, s->alpn);
	assert_true(same_key(&c->tx, &s->rx));
	assert_true(same_key(&c->rx, &s->tx));
	assert_false(same_key(&c->rx, &c->tx));
	assert_int_equal(c->tx_level, SOCKTLS_LEVEL_APPLICATION);
	assert_int_equal(c->rx_level, SOCKTLS_LEVEL_APPLICATION);
	assert_int_equal(c->peer_certs, s->local_certs);
	assert_int_equal(s->peer_certs, c->local_certs);
	assert_int_equal(c->n_keylog, s->n_keylog);
}

/* ----------------------------------------------------------------- life */

void side_init(struct side *side, const char *name,
	       struct engine_config *config)
{
	memset(side, 0, sizeof(*side));
	side->name = name;
	assert_int_equal(engine_new(&side->engine, config, &pair_output, side),
			 0);
}

void side_free(struct side *side)
{
	size_t i;

	for (i = 0; i < side->n_sent; i++)
		free(side->sent[i].data);
	for (i = 0; i < side->n_lazy; i++)
		free(side->lazy[i].data);
	engine_free(side->engine);
}

uint8_t *side_take(struct side *side, size_t *len)
{
	uint8_t *all = malloc(1);

	*len = 0;
	for (; side->n_taken < side->n_sent; side->n_taken++) {
		struct record *record = &side->sent[side->n_taken];

		if (record->type != 22)
			continue;
		all = realloc(all, *len + record->len + 1);
		memcpy(all + *len, record->data, record->len);
		*len += record->len;
	}
	return all;
}

void pair_init(struct pair *pair, struct engine_config *client,
	       struct engine_config *server)
{
	memset(pair, 0, sizeof(*pair));
	client->role = SOCKTLS_CLIENT;
	server->role = SOCKTLS_SERVER;
	side_init(&pair->client, "client", client);
	side_init(&pair->server, "server", server);
	pair->client.peer = &pair->server;
	pair->server.peer = &pair->client;
}

void pair_free(struct pair *pair)
{
	side_free(&pair->client);
	side_free(&pair->server);
}

struct engine_identity *identity_of(const struct pki_cert *cert)
{
	struct engine_identity *identity;
	char text[256] = "";
	void *key;

	assert_int_equal(engine_local_key_new(&key, (struct engine_bytes){
				(const uint8_t *)cert->key_pem,
				strlen(cert->key_pem) }, text, sizeof(text)),
			 0);
	ERR_clear_error();
	assert_int_equal(engine_identity_new(&identity, (struct engine_bytes){
				(const uint8_t *)cert->chain_pem,
				strlen(cert->chain_pem) },
				&engine_local_keyops, key, text, sizeof(text)),
			 0);
	assert_true(engine_local_key_matches(key, identity));
	/* nothing that another use of libcrypto would take for its own */
	assert_int_equal(ERR_peek_error(), 0);
	return identity;
}

void identity_drop(struct engine_identity *identity)
{
	void *key = identity->key;

	engine_identity_put(identity);
	engine_local_key_free(key);
}

struct engine_trust *trust_of(const char *pem)
{
	struct engine_trust *trust;
	char text[256] = "";

	assert_int_equal(engine_trust_new(&trust, (struct engine_bytes){
				(const uint8_t *)pem, strlen(pem) },
				text, sizeof(text)), 0);
	return trust;
}
