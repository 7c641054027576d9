// SPDX-License-Identifier: MIT
/* Stands in for socktls.ko under a worker. */
#include "kernel.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define CONTENT_CCS	20

static struct end *find_end(struct kernel *kernel, uint64_t id)
{
	struct end *end;

	LIST_FOREACH(end, &kernel->ends, link)
		if (end->id == id)
			return end;
	return NULL;
}

/*
 * Actions.
 */

static void apply_lazy(struct end *end, const struct action *action)
{
	assert_true(end->tickets_len + action->len <= sizeof(end->tickets));
	memcpy(end->tickets + end->tickets_len, action->bytes, action->len);
	end->tickets_len += action->len;
}

static void apply_send(struct end *end, const struct action *action)
{
	struct record *record;

	if (action->lazy) {
		apply_lazy(end, action);
		return;
	}
	record = malloc(sizeof(*record) + action->len);
	assert_non_null(record);
	*record = (struct record){
		.level = end->tx_level,
		.type = action->content_type,
		.len = action->len,
	};
	memcpy(record->data, action->bytes, action->len);
	if (end->peer)
		STAILQ_INSERT_TAIL(&end->peer->queue, record, link);
	else
		free(record);
}

static void apply_key(struct end *end, const struct engine_key *key)
{
	assert_int_not_equal(end->version, 0);
	assert_true(key->key_len > 0);
	if (key->direction == SOCKTLS_DIRECTION_RX) {
		/* Bytes under the old key behind it: unexpected_message. */
		struct record *record = STAILQ_FIRST(&end->queue);

		assert_true(!record || record->taken == 0);
		end->rx_level = key->level;
		end->rx_key = *key;
	} else {
		end->tx_level = key->level;
		end->tx_key = *key;
	}
}

static void apply_done(struct end *end, const struct engine_result *result)
{
	end->over = true;
	end->done = true;
	end->result = *result;
	assert_true(result->cookie.len <= sizeof(end->cookie));
	memcpy(end->cookie, result->cookie.data, result->cookie.len);
	end->cookie_len = result->cookie.len;
	end->peer_identity[0] = '\0';
	if (result->peer_identity)
		strncat(end->peer_identity, result->peer_identity,
			sizeof(end->peer_identity) - 1);
}

/* What may come when the handshake is over. */
static bool apply_after(struct end *end, const struct action *action)
{
	if (!end->done)
		return false;
	if (action->kind == SOCKTLS_ACTION_EXPORTED) {
		memcpy(end->exported, action->bytes, action->len);
		end->exported_len = action->len;
	} else {
		assert_int_equal(action->kind, SOCKTLS_ACTION_FAIL);
		assert_int_equal(action->alert, -1);
		end->error = action->error;
		memcpy(end->text, action->text, sizeof(end->text));
	}
	return true;
}

static void apply(struct end *end, const struct action *action)
{
	if (apply_after(end, action))
		return;
	assert_false(end->over);
	switch (action->kind) {
	case SOCKTLS_ACTION_SEND:
		apply_send(end, action);
		break;
	case SOCKTLS_ACTION_VERSION:
		end->version = action->version;
		break;
	case SOCKTLS_ACTION_KEY:
		apply_key(end, &action->key);
		break;
	case SOCKTLS_ACTION_CERTIFICATE:
		end->certs[action->chain]++;
		break;
	case SOCKTLS_ACTION_MORE:
		end->more++;
		break;
	case SOCKTLS_ACTION_DONE:
		apply_done(end, &action->result);
		break;
	case SOCKTLS_ACTION_FAIL:
		end->over = true;
		end->error = action->error;
		end->alert = action->alert;
		memcpy(end->text, action->text, sizeof(end->text));
		break;
	default:
		fail_msg("action of kind %u", action->kind);
	}
}

static void apply_all(struct end *end, const struct action_list *actions)
{
	const struct action *action = STAILQ_FIRST(actions);

	assert_non_null(action);
	if (action->kind == SOCKTLS_ACTION_MORE)
		assert_null(STAILQ_NEXT(action, link));
	STAILQ_FOREACH(action, actions, link)
		apply(end, action);
}

static int take_reply(void *arg, uint64_t id, const struct action_list *actions)
{
	struct end *end = find_end(arg, id);

	assert_non_null(end);
	assert_true(end->awaiting);
	if (end->refusals) {
		end->refusals--;
		return end->reply_error;
	}
	end->awaiting = false;
	end->replies++;
	apply_all(end, actions);
	return 0;
}

static const struct worker_channel channel = {
	.reply = take_reply,
};

/*
 * Items.
 */

static void serve(struct end *end, const struct item *item)
{
	end->awaiting = true;
	worker_item(end->kernel->worker, item);
	if (end->reply_error != -ENOENT)
		assert_false(end->awaiting);
}

void kernel_start(struct end *end)
{
	const struct item item = {
		.kind = SOCKTLS_ITEM_HANDSHAKE,
		.id = end->id,
		.is_first = true,
		.parameters = end->parameters,
		.content_type = 22,
		.alert = -1,
	};

	end->started = true;
	if (end->raw)
		engine_start(end->raw);
	else
		serve(end, &item);
}

void kernel_deliver(struct end *end, enum socktls_level level, uint8_t type,
		    const uint8_t *data, size_t len)
{
	/* A server's first item carries both parameters and bytes. */
	struct item item = {
		.kind = SOCKTLS_ITEM_HANDSHAKE,
		.id = end->id,
		.is_first = !end->started,
		.level = level,
		.content_type = type,
		.bytes = { data, len },
		.alert = -1,
	};

	if (end->raw) {
		engine_receive(end->raw, level, type, item.bytes);
		return;
	}
	if (item.is_first)
		item.parameters = end->parameters;
	end->started = true;
	serve(end, &item);
}

void kernel_abort(struct end *end, enum socktls_abort_reason reason)
{
	const struct item item = {
		.kind = SOCKTLS_ITEM_ABORTED,
		.id = end->id,
		.reason = reason,
		.alert = -1,
	};

	end->over = true;
	worker_item(end->kernel->worker, &item);
}

void kernel_give_tickets(struct end *end)
{
	const struct end *server = end->peer;
	size_t at, len;

	for (at = 0; at < server->tickets_len; at += len) {
		const uint8_t *m = server->tickets + at;
		struct item item = {
			.kind = SOCKTLS_ITEM_TICKET,
			.id = end->id,
			.alert = -1,
			.cookie = { end->cookie, end->cookie_len },
			.connection = end->id,
		};

		len = 4 + (m[1] << 16 | m[2] << 8 | m[3]);
		assert_true(at + len <= server->tickets_len);
		item.bytes = (struct engine_bytes){ m, len };
		worker_item(end->kernel->worker, &item);
	}
}

void kernel_export(struct end *end, const char *label, const char *context,
		   uint32_t length)
{
	const struct item item = {
		.kind = SOCKTLS_ITEM_EXPORT,
		.id = end->id,
		.alert = -1,
		.cookie = { end->cookie, end->cookie_len },
		.connection = end->id,
		.label = label,
		.context = { (const uint8_t *)context,
			     context ? strlen(context) : 0 },
		.has_context = context,
		.length = length,
	};

	end->error = 0;
	end->exported_len = 0;
	end->awaiting = true;
	worker_item(end->kernel->worker, &item);
	assert_false(end->awaiting);
}

void kernel_end(struct end *end, int alert)
{
	const struct item item = {
		.kind = SOCKTLS_ITEM_ENDED,
		.id = end->id,
		.alert = alert,
		.cookie = { end->cookie, end->cookie_len },
		.connection = end->id,
	};

	worker_item(end->kernel->worker, &item);
}

static void drop_record(struct end *end, struct record *record)
{
	STAILQ_REMOVE(&end->queue, record, record, link);
	free(record);
}

/* The delivery rule, as far as engines can make a difference to it. */
static struct record *next_record(struct end *end)
{
	struct record *record = STAILQ_FIRST(&end->queue);

	while (record && record->type == CONTENT_CCS &&
	       end->version == 0x0304) {
		drop_record(end, record);
		record = STAILQ_FIRST(&end->queue);
	}
	if (!record || record->level != end->rx_level)
		return NULL;
	return record;
}

/* Off the queue before its reply may install a key. */
static void deliver_part(struct end *end, struct record *record)
{
	size_t left = record->len - record->taken, len = left;
	enum socktls_level level = record->level;
	uint8_t type = record->type, *data;

	if (end->kernel->chunk && len > end->kernel->chunk)
		len = end->kernel->chunk;
	data = malloc(len);
	assert_non_null(data);
	memcpy(data, record->data + record->taken, len);
	record->taken += len;
	if (len == left)
		drop_record(end, record);
	kernel_deliver(end, level, type, data, len);
	free(data);
}

bool kernel_step(struct end *end)
{
	struct record *record;

	if (end->over || end->silent)
		return false;
	if (!end->started && end->parameters.role == SOCKTLS_CLIENT) {
		kernel_start(end);
		return true;
	}
	record = next_record(end);
	if (!record)
		return false;
	deliver_part(end, record);
	return true;
}

void kernel_run(struct kernel *kernel)
{
	struct end *end;
	bool moved;

	do {
		moved = false;
		LIST_FOREACH(end, &kernel->ends, link)
			moved |= kernel_step(end);
	} while (moved);
}

/*
 * An engine of the test's own, whose output becomes actions at once.
 */

static void apply_one(struct end *end, struct action_list *list)
{
	apply_all(end, list);
	action_list_clear(list);
}

static int raw_send(void *arg, uint8_t type, struct engine_bytes bytes,
		    bool lazy)
{
	struct action_list list = STAILQ_HEAD_INITIALIZER(list);

	action_add_send(&list, type, bytes, lazy);
	apply_one(arg, &list);
	return 0;
}

static int raw_version(void *arg, uint16_t version)
{
	struct end *end = arg;

	end->version = version;
	return 0;
}

static int raw_key(void *arg, const struct engine_key *key)
{
	apply_key(arg, key);
	return 0;
}

static int raw_certificate(void *arg, enum socktls_chain chain,
			   struct engine_bytes der)
{
	struct end *end = arg;

	assert_true(der.len > 0);
	end->certs[chain]++;
	return 0;
}

static int raw_done(void *arg, const struct engine_result *result)
{
	apply_done(arg, result);
	return 0;
}

static int raw_fail(void *arg, const struct engine_failure *failure)
{
	struct action_list list = STAILQ_HEAD_INITIALIZER(list);

	action_add_fail(&list, failure->alert, failure->error, failure->text);
	apply_one(arg, &list);
	return 0;
}

static const struct engine_output raw_output = {
	.send		= raw_send,
	.version	= raw_version,
	.key		= raw_key,
	.certificate	= raw_certificate,
	.done		= raw_done,
	.fail		= raw_fail,
};

void kernel_make_raw(struct end *end, const struct engine_config *config)
{
	assert_int_equal(engine_new(&end->raw, config, &raw_output, end), 0);
}

/*
 * Life.
 */

struct end *kernel_add(struct kernel *kernel, enum socktls_role role)
{
	struct end *end = calloc(1, sizeof(*end));

	assert_non_null(end);
	end->kernel = kernel;
	end->id = ++kernel->last_id;
	end->parameters.role = role;
	if (role == SOCKTLS_CLIENT)
		end->parameters.server_name = "example.org";
	STAILQ_INIT(&end->queue);
	LIST_INSERT_HEAD(&kernel->ends, end, link);
	return end;
}

void kernel_join(struct end *one, struct end *other)
{
	one->peer = other;
	other->peer = one;
}

void kernel_init(struct kernel *kernel, const struct stores *stores,
		 FILE *keylog)
{
	memset(kernel, 0, sizeof(*kernel));
	LIST_INIT(&kernel->ends);
	assert_int_equal(worker_new(&kernel->worker, &channel, kernel, stores,
				    keylog), 0);
}

void kernel_restart(struct kernel *kernel, const struct stores *stores)
{
	assert_int_equal(worker_new(&kernel->worker, &channel, kernel, stores,
				    NULL), 0);
}

void kernel_free(struct kernel *kernel)
{
	struct end *end;

	worker_free(kernel->worker);
	while ((end = LIST_FIRST(&kernel->ends))) {
		LIST_REMOVE(end, link);
		while (!STAILQ_EMPTY(&end->queue))
			drop_record(end, STAILQ_FIRST(&end->queue));
		engine_free(end->raw);
		free(end);
	}
}

static void assert_same_key(const struct engine_key *tx,
			    const struct engine_key *rx)
{
	assert_int_equal(tx->level, rx->level);
	assert_int_equal(tx->cipher, rx->cipher);
	assert_int_equal(tx->key_len, rx->key_len);
	assert_memory_equal(tx->key, rx->key, tx->key_len);
	assert_int_equal(tx->iv_len, rx->iv_len);
	assert_memory_equal(tx->iv, rx->iv, tx->iv_len);
	assert_int_equal(tx->mac_key_len, rx->mac_key_len);
	assert_memory_equal(tx->mac_key, rx->mac_key, tx->mac_key_len);
	assert_int_equal(tx->secret_len, rx->secret_len);
	assert_memory_equal(tx->secret, rx->secret, tx->secret_len);
}

void kernel_assert_good(const struct end *one, const struct end *other)
{
	if (!one->done || !other->done)
		fail_msg("%llu: %s, %llu: %s", (unsigned long long)one->id,
			 one->text, (unsigned long long)other->id,
			 other->text);
	assert_int_equal(one->result.version, other->result.version);
	assert_int_equal(one->result.suite, other->result.suite);
	assert_int_equal(one->result.group, other->result.group);
	assert_int_equal(one->tx_level, SOCKTLS_LEVEL_APPLICATION);
	assert_same_key(&one->tx_key, &other->rx_key);
	assert_same_key(&other->tx_key, &one->rx_key);
}
