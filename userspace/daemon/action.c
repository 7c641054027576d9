// SPDX-License-Identifier: MIT
/* What the helper answers: SOCKTLS_A_ACTION, before it is encoded. */
#include "action.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>

/* Headers, alignment and every fixed-size attribute of a nest. */
#define ACTION_OVERHEAD		512

static struct action *add(struct action_list *list,
			  enum socktls_action_kind kind, size_t len)
{
	struct action *action = calloc(1, sizeof(*action) + len);

	if (!action)
		return NULL;
	action->kind = kind;
	action->len = len;
	STAILQ_INSERT_TAIL(list, action, link);
	return action;
}

static void copy_bytes(uint8_t *to, struct engine_bytes from)
{
	if (from.len)
		memcpy(to, from.data, from.len);
}

int action_add_send(struct action_list *list, uint8_t content_type,
		    struct engine_bytes bytes, bool lazy)
{
	struct engine_bytes part;
	struct action *action;

	while (bytes.len) {
		part = bytes;
		if (part.len > ACTION_SEND_MAX)
			part.len = ACTION_SEND_MAX;
		action = add(list, SOCKTLS_ACTION_SEND, part.len);
		if (!action)
			return -ENOMEM;
		action->content_type = content_type;
		action->lazy = lazy;
		copy_bytes(action->bytes, part);
		bytes.data += part.len;
		bytes.len -= part.len;
	}
	return 0;
}

int action_add_version(struct action_list *list, uint16_t version)
{
	struct action *action = add(list, SOCKTLS_ACTION_VERSION, 0);

	if (!action)
		return -ENOMEM;
	action->version = version;
	return 0;
}

int action_add_key(struct action_list *list, const struct engine_key *key)
{
	struct action *action = add(list, SOCKTLS_ACTION_KEY, 0);

	if (!action)
		return -ENOMEM;
	action->key = *key;
	return 0;
}

int action_add_limit(struct action_list *list,
		     enum socktls_direction direction, uint32_t max_plaintext)
{
	struct action *action = add(list, SOCKTLS_ACTION_LIMIT, 0);

	if (!action)
		return -ENOMEM;
	action->direction = direction;
	action->limit = max_plaintext;
	return 0;
}

int action_add_skip_early(struct action_list *list,
			  enum socktls_skip_mode mode, uint32_t max_bytes)
{
	struct action *action = add(list, SOCKTLS_ACTION_SKIP_EARLY, 0);

	if (!action)
		return -ENOMEM;
	action->mode = mode;
	action->limit = max_bytes;
	return 0;
}

int action_add_certificate(struct action_list *list, enum socktls_chain chain,
			   struct engine_bytes der)
{
	struct action *action;

	if (der.len > ACTION_BYTES_MAX)
		return -E2BIG;
	action = add(list, SOCKTLS_ACTION_CERTIFICATE, der.len);
	if (!action)
		return -ENOMEM;
	action->chain = chain;
	copy_bytes(action->bytes, der);
	return 0;
}

/* Copies @bytes to @to and points them there; returns what follows. */
static uint8_t *own_bytes(struct engine_bytes *bytes, uint8_t *to)
{
	copy_bytes(to, *bytes);
	bytes->data = bytes->len ? to : NULL;
	return to + bytes->len;
}

int action_add_done(struct action_list *list,
		    const struct engine_result *result)
{
	const char *name = result->peer_identity;
	size_t name_len = name ? strlen(name) + 1 : 0;
	size_t len = result->alpn.len + result->cookie.len + name_len;
	struct action *action;
	uint8_t *end;

	if (len > ACTION_BYTES_MAX || name_len > ACTION_IDENTITY_MAX)
		return -E2BIG;
	action = add(list, SOCKTLS_ACTION_DONE, len);
	if (!action)
		return -ENOMEM;
	action->result = *result;
	end = own_bytes(&action->result.alpn, action->bytes);
	end = own_bytes(&action->result.cookie, end);
	if (name) {
		memcpy(end, name, name_len);
		action->result.peer_identity = (char *)end;
	}
	return 0;
}

/* A text that is too long ends before the character that does not fit. */
static void copy_text(char *to, size_t size, const char *from)
{
	size_t len = strlen(from);

	if (len >= size) {
		len = size - 1;
		while (len && ((unsigned char)from[len] & 0xc0) == 0x80)
			len--;
	}
	memcpy(to, from, len);
	to[len] = '\0';
}

int action_add_fail(struct action_list *list, int alert, int error,
		    const char *text)
{
	struct action *action = add(list, SOCKTLS_ACTION_FAIL, 0);

	if (!action)
		return -ENOMEM;
	action->alert = alert;
	action->error = error;
	copy_text(action->text, sizeof(action->text), text ? text : "");
	return 0;
}

int action_add_more(struct action_list *list)
{
	return add(list, SOCKTLS_ACTION_MORE, 0) ? 0 : -ENOMEM;
}

int action_add_exported(struct action_list *list, struct engine_bytes bytes)
{
	struct action *action;

	if (bytes.len > ACTION_BYTES_MAX)
		return -E2BIG;
	action = add(list, SOCKTLS_ACTION_EXPORTED, bytes.len);
	if (!action)
		return -ENOMEM;
	copy_bytes(action->bytes, bytes);
	return 0;
}

size_t action_encoded_max(const struct action *action)
{
	return ACTION_OVERHEAD + action->len;
}

void action_list_clear(struct action_list *list)
{
	struct action *action;

	while ((action = STAILQ_FIRST(list))) {
		STAILQ_REMOVE_HEAD(list, link);
		OPENSSL_cleanse(action, sizeof(*action) + action->len);
		free(action);
	}
}
