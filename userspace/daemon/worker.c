// SPDX-License-Identifier: MIT
/* A worker: handshake items in, one reply each out, an engine per connection. */
#include "worker.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>

#include "config.h"
#include "cookiekey.h"
#include "keylog.h"
#include "engine/wire.h"
#include "log.h"

#define N_BUCKETS	4096	/* a power of two */

/* AlertDescription of RFC 8446 section 6 */
#define ALERT_INTERNAL_ERROR	80

/**
 * struct connection - a handshake in progress
 * @link: in its bucket
 * @id: the kernel's number of it
 * @worker: whose
 * @engine: the handshake
 * @identity: keeps the engine's private key alive; NULL when there is none
 * @actions: what the engine produced since the last reply
 * @is_over: DONE or FAIL is among them
 * @uid: for the log
 * @server: role, for the log
 */
struct connection {
	LIST_ENTRY(connection)	link;
	uint64_t		id;
	struct worker		*worker;
	struct engine		*engine;
	struct identity		*identity;
	struct action_list	actions;
	bool			is_over;
	uid_t			uid;
	bool			server;
};

LIST_HEAD(bucket, connection);

struct worker {
	const struct worker_channel	*channel;
	void				*channel_arg;
	const struct stores		*stores;
	struct worker_sessions		sessions;
	FILE				*keylog;
	struct cookiekey		*cookiekey;
	size_t				count;
	struct bucket			buckets[N_BUCKETS];
};

/* The kernel counts ids up, so their low bits spread by themselves. */
static struct bucket *bucket_of(struct worker *worker, uint64_t id)
{
	return &worker->buckets[id & (N_BUCKETS - 1)];
}

static struct connection *find_connection(struct worker *worker, uint64_t id)
{
	struct connection *connection;

	LIST_FOREACH(connection, bucket_of(worker, id), link)
		if (connection->id == id)
			return connection;
	return NULL;
}

static struct connection *add_connection(struct worker *worker,
					 const struct item *item)
{
	struct connection *connection = calloc(1, sizeof(*connection));

	if (!connection)
		return NULL;
	connection->id = item->id;
	connection->worker = worker;
	connection->uid = item->parameters.uid;
	connection->server = item->parameters.role == SOCKTLS_SERVER;
	STAILQ_INIT(&connection->actions);
	LIST_INSERT_HEAD(bucket_of(worker, item->id), connection, link);
	worker->count++;
	return connection;
}

static void drop_connection(struct connection *connection)
{
	LIST_REMOVE(connection, link);
	connection->worker->count--;
	engine_free(connection->engine);
	identity_put(connection->identity);
	action_list_clear(&connection->actions);
	free(connection);
}

static void log_fail(const struct connection *connection, int error,
		     const char *text)
{
	log_info("connection %llu (%s, uid %u): %s (%s)",
		 (unsigned long long)connection->id,
		 connection->server ? "server" : "client", connection->uid,
		 text, strerror(error));
}

/* What the helper itself has to say against a handshake. */
static int fail(struct connection *connection, int error, const char *text)
{
	int err;

	log_fail(connection, error, text);
	err = action_add_fail(&connection->actions, ALERT_INTERNAL_ERROR,
			      error, text);
	connection->is_over = !err;
	return err;
}

/*
 * The engine's output.
 */

static int output_send(void *arg, uint8_t content_type,
		       struct engine_bytes bytes, bool lazy)
{
	struct connection *connection = arg;

	return action_add_send(&connection->actions, content_type, bytes, lazy);
}

static int output_version(void *arg, uint16_t version)
{
	struct connection *connection = arg;

	return action_add_version(&connection->actions, version);
}

static int output_key(void *arg, const struct engine_key *key)
{
	struct connection *connection = arg;

	return action_add_key(&connection->actions, key);
}

static int output_limit(void *arg, enum socktls_direction direction,
			uint32_t max_plaintext)
{
	struct connection *connection = arg;

	return action_add_limit(&connection->actions, direction, max_plaintext);
}

static int output_skip_early(void *arg, enum socktls_skip_mode mode,
			     uint32_t max_bytes)
{
	struct connection *connection = arg;

	return action_add_skip_early(&connection->actions, mode, max_bytes);
}

static int output_certificate(void *arg, enum socktls_chain chain,
			      struct engine_bytes der)
{
	struct connection *connection = arg;

	return action_add_certificate(&connection->actions, chain, der);
}

/* The kernel is given the cookie sealed. */
static int add_done(struct connection *connection,
		    const struct engine_result *result)
{
	struct engine_result with_sealed = *result;
	uint8_t sealed[SOCKTLS_COOKIE_MAX];
	size_t len;
	int err;

	if (!result->cookie.len)
		return action_add_done(&connection->actions, result);
	err = cookiekey_seal(connection->worker->cookiekey, connection->id,
			     result->cookie, sealed, &len);
	if (err)
		return err;
	with_sealed.cookie = bytes_of(sealed, len);
	return action_add_done(&connection->actions, &with_sealed);
}

static int output_done(void *arg, const struct engine_result *result)
{
	struct connection *connection = arg;
	int err;

	err = add_done(connection, result);
	if (err)
		return err;
	connection->is_over = true;
	log_debug("connection %llu (%s, uid %u): %s, version %04x, suite %04x, group %04x, peer %s",
		  (unsigned long long)connection->id,
		  connection->server ? "server" : "client", connection->uid,
		  result->flags & SOCKTLS_INFO_RESUMED ? "resumed" :
		  result->flags & SOCKTLS_INFO_PSK ? "by external PSK" :
		  "established", result->version, result->suite, result->group,
		  result->peer_identity ? result->peer_identity : "-");
	return 0;
}

static int output_fail(void *arg, const struct engine_failure *failure)
{
	struct connection *connection = arg;
	int err;

	log_fail(connection, failure->error, failure->text);
	err = action_add_fail(&connection->actions, failure->alert,
			      failure->error, failure->text);
	connection->is_over = !err;
	return err;
}

static void output_keylog(void *arg, const char *line)
{
	struct connection *connection = arg;

	keylog_write(connection->worker->keylog, line);
}

static const struct engine_output output = {
	.send		= output_send,
	.version	= output_version,
	.key		= output_key,
	.limit		= output_limit,
	.skip_early	= output_skip_early,
	.certificate	= output_certificate,
	.done		= output_done,
	.fail		= output_fail,
};

static const struct engine_output output_with_keylog = {
	.send		= output_send,
	.version	= output_version,
	.key		= output_key,
	.limit		= output_limit,
	.skip_early	= output_skip_early,
	.certificate	= output_certificate,
	.done		= output_done,
	.fail		= output_fail,
	.keylog		= output_keylog,
};

/*
 * A connection's first item: from parameters to an engine.
 */

static bool starts_with(struct engine_bytes bytes, const char *prefix)
{
	size_t len = strlen(prefix);

	return bytes.len >= len && memcmp(bytes.data, prefix, len) == 0;
}

/* Certificates or pins of the application's own. */
static int make_trust(struct engine_bytes value, struct engine_trust **trust,
		      char *error, size_t error_len)
{
	char reason[ERROR_TEXT_MAX - 16] = "cannot be read";
	int err = engine_trust_new(trust, value, reason, sizeof(reason));

	if (err)
		snprintf(error, error_len, "SOCKTLS_TRUST: %s", reason);
	return err;
}

static int find_named_trust(const struct stores *stores,
			    const struct item_parameters *parameters,
			    struct engine_trust **trust, char *error,
			    size_t error_len)
{
	struct engine_bytes value = parameters->trust;
	char name[SOCKTLS_NAME_MAX + 1] = "";
	int err;

	if (value.len && value.data[value.len - 1] == '\0')
		value.len--;
	if (value.len < sizeof(name) && !memchr(value.data ?: (void *)"", 0,
						value.len))
		memcpy(name, value.data ?: (void *)"", value.len);
	if (value.len && !name_is_valid(name)) {
		snprintf(error, error_len,
			 "SOCKTLS_TRUST is neither a valid name, nor PEM, nor pins");
		return -EINVAL;
	}
	err = stores_find_trust(stores, name, parameters->role, trust, error,
				error_len);
	if (!err)
		engine_trust_get(*trust);
	return err;
}

static bool has_psks(const struct connection *connection)
{
	return connection->identity && connection->identity->psks;
}

/*
 * A client with external PSKs needs no trust store: without one the server has
 * to take a PSK.
 */
static bool may_lack_trust(const struct connection *connection,
			   const struct item_parameters *parameters, int err)
{
	return err == -ENOKEY && parameters->role == SOCKTLS_CLIENT &&
	       !parameters->trust.len && has_psks(connection);
}

/* Sets config->trust, with a reference of its own. */
static int choose_trust(const struct connection *connection,
			const struct item_parameters *parameters,
			struct engine_config *config, char *error,
			size_t error_len)
{
	int err;

	if (config->peer_auth == SOCKTLS_PEER_AUTH_NONE)
		return 0;
	if (starts_with(parameters->trust, "-----BEGIN") ||
	    starts_with(parameters->trust, "sha256/"))
		return make_trust(parameters->trust, &config->trust, error,
				  error_len);
	err = find_named_trust(connection->worker->stores, parameters,
			       &config->trust, error, error_len);
	return may_lack_trust(connection, parameters, err) ? 0 : err;
}

/* A server always has one; a client only when the application names it. */
static int choose_identity(struct connection *connection,
			   const struct item_parameters *parameters,
			   char *error, size_t error_len)
{
	const char *name = parameters->identity;
	bool named = name && *name;
	struct identity *identity;
	int err;

	if (!named && parameters->role == SOCKTLS_CLIENT)
		return 0;
	if (named && !name_is_valid(name)) {
		snprintf(error, error_len,
			 "SOCKTLS_IDENTITY is not a valid name: letters, digits, '.', '_', '-', no leading dot");
		return -EINVAL;
	}
	err = stores_find_identity(connection->worker->stores, name,
				   parameters->uid, parameters->gid, &identity,
				   error, error_len);
	if (!err)
		connection->identity = identity_get(identity);
	return err;
}

static enum socktls_peer_auth
resolve_peer_auth(const struct item_parameters *parameters)
{
	if (parameters->peer_auth != SOCKTLS_PEER_AUTH_DEFAULT)
		return parameters->peer_auth;
	return parameters->role == SOCKTLS_CLIENT ?
		SOCKTLS_PEER_AUTH_REQUIRE : SOCKTLS_PEER_AUTH_NONE;
}

static int check_server_name(const struct connection *connection,
			     const struct item_parameters *parameters,
			     const struct engine_config *config, char *error,
			     size_t error_len)
{
	if (config->server_name &&
	    !engine_server_name_is_valid(config->server_name)) {
		snprintf(error, error_len,
			 "SOCKTLS_SERVER_NAME is neither a host name (of another alphabet: its xn-- form) nor an IP address");
		return -EINVAL;
	}
	if (config->role == SOCKTLS_SERVER || config->server_name ||
	    has_psks(connection) ||
	    config->peer_auth == SOCKTLS_PEER_AUTH_NONE ||
	    starts_with(parameters->trust, "sha256/"))
		return 0;
	snprintf(error, error_len,
		 "SOCKTLS_SERVER_NAME is not set, so the server's certificate cannot be checked");
	return -EINVAL;
}

/*
 * Sessions stay with their user, and with what an application said about trust
 * and identity. What the names stand for may change: certificates are verified
 * again.
 */
static int write_scope(struct writer *w,
		       const struct item_parameters *parameters)
{
	const char *identity = parameters->identity ?: "";

	writer_u32(w, parameters->uid);
	writer_vector(w, 2, bytes_of(identity, strlen(identity)));
	writer_vector(w, 3, parameters->trust);
	return w->bad ? -ENOMEM : 0;
}

static void choose_sessions(const struct worker *worker,
			    struct engine_config *config,
			    const struct writer *scope)
{
	config->sessions = worker->sessions.ops;
	config->sessions_arg = worker->sessions.arg;
	config->session_scope = writer_view(scope);
	config->session_lifetime = worker->sessions.lifetime;
	config->session_ids = worker->sessions.ids;
	config->tickets = worker->sessions.tickets;
}

static int make_engine(struct connection *connection,
		       const struct item_parameters *parameters, char *error,
		       size_t error_len)
{
	const char *server_name = parameters->server_name;
	struct engine_config config = {
		.role = parameters->role,
		.server_name = server_name && *server_name ? server_name : NULL,
		.peer_auth = resolve_peer_auth(parameters),
		.alpn = parameters->alpn,
	};
	struct writer scope = { 0 };
	int err;

	snprintf(error, error_len, "out of memory");
	err = stores_find_policy(connection->worker->stores,
				 parameters->policy, &config.rules,
				 &config.policy, error, error_len);
	if (!err)
		err = choose_identity(connection, parameters, error, error_len);
	if (!err)
		err = check_server_name(connection, parameters, &config, error,
					error_len);
	if (!err)
		err = choose_trust(connection, parameters, &config, error,
				   error_len);
	if (!err)
		err = write_scope(&scope, parameters);
	if (err)
		goto out;

	choose_sessions(connection->worker, &config, &scope);
	if (connection->identity) {
		config.identities = connection->identity->engines;
		config.n_identities = connection->identity->n;
		config.psks = connection->identity->psks;
	}
	err = engine_new(&connection->engine, &config,
			 connection->worker->keylog ?
			 &output_with_keylog : &output, connection);
	if (err == -EINVAL)
		snprintf(error, error_len, has_psks(connection) ?
			 "the socket's options do not make sense together: no PSK of the identity can be used, and certificates cannot either" :
			 "the socket's options do not make sense together");
out:
	if (config.trust)
		engine_trust_put(config.trust);
	writer_free(&scope);
	return err;
}

/*
 * Items.
 */

static const char too_big[] =
	"a certificate, a chain or a name in it is longer than the kernel takes";

/* Returns what the engine returned; it told the reason itself. */
static int begin(struct connection *connection, const struct item *item)
{
	char error[ERROR_TEXT_MAX];
	int err;

	err = make_engine(connection, &item->parameters, error, sizeof(error));
	if (err)
		return fail(connection, -err, error);
	return engine_start(connection->engine);
}

static int feed(struct connection *connection, const struct item *item)
{
	if (connection->is_over || !item->bytes.len)
		return 0;
	return engine_receive(connection->engine, item->level,
			      item->content_type, item->bytes);
}

/*
 * The engine ends without fail() when one of our callbacks returned an error:
 * the application shall hear of it nevertheless.
 */
static int conclude(struct connection *connection, int err)
{
	if (err && !connection->is_over) {
		action_list_clear(&connection->actions);
		err = fail(connection, -err, err == -E2BIG ? too_big :
			   "the handshake helper failed");
	} else {
		err = 0;
	}
	if (!err && STAILQ_EMPTY(&connection->actions))
		err = action_add_more(&connection->actions);
	return err;
}

/*
 * Sends the reply. Without one the kernel would wait for it until the
 * connection's deadline, so a refused one is followed by a plain FAIL.
 */
static void reply(struct connection *connection)
{
	struct worker *worker = connection->worker;
	int err;

	err = worker->channel->reply(worker->channel_arg, connection->id,
				     &connection->actions);
	action_list_clear(&connection->actions);
	if (err && err != -ENOENT) {
		log_error("connection %llu: the kernel refused the reply: %s",
			  (unsigned long long)connection->id, strerror(-err));
		if (fail(connection, err == -E2BIG ? E2BIG : EIO,
			 err == -E2BIG ? too_big :
			 "the kernel refused the handshake helper's reply") == 0)
			worker->channel->reply(worker->channel_arg,
					       connection->id,
					       &connection->actions);
	}
	if (err || connection->is_over)
		drop_connection(connection);
}

/* Out of memory, or an id this worker knows nothing of. */
static void reply_fail(struct worker *worker, uint64_t id, int error,
		       const char *text)
{
	struct action_list actions = STAILQ_HEAD_INITIALIZER(actions);

	log_error("connection %llu: %s", (unsigned long long)id, text);
	if (action_add_fail(&actions, ALERT_INTERNAL_ERROR, error, text) == 0)
		worker->channel->reply(worker->channel_arg, id, &actions);
	action_list_clear(&actions);
}

static void serve_handshake(struct worker *worker, const struct item *item)
{
	struct connection *connection = find_connection(worker, item->id);
	int err = 0;

	/* The kernel requeued a first item whose reply did not reach it. */
	if (connection && item->is_first) {
		drop_connection(connection);
		connection = NULL;
	}
	if (!connection && !item->is_first) {
		reply_fail(worker, item->id, ECONNABORTED,
			   "the handshake helper has lost this handshake's state");
		return;
	}
	if (!connection) {
		connection = add_connection(worker, item);
		if (!connection) {
			reply_fail(worker, item->id, ENOMEM,
				   "the handshake helper is out of memory");
			return;
		}
		err = begin(connection, item);
	}
	if (!err)
		err = feed(connection, item);
	if (conclude(connection, err)) {
		reply_fail(worker, item->id, ENOMEM,
			   "the handshake helper is out of memory");
		drop_connection(connection);
		return;
	}
	reply(connection);
}

static void serve_aborted(struct worker *worker, const struct item *item)
{
	struct connection *connection = find_connection(worker, item->id);

	log_debug("connection %llu: aborted by the kernel, reason %u, alert %d",
		  (unsigned long long)item->id, item->reason, item->alert);
	if (!connection)
		return;
	/* a fatal alert, from the peer or from the kernel */
	if ((item->reason == SOCKTLS_ABORT_ALERT ||
	     item->reason == SOCKTLS_ABORT_PROTOCOL) && connection->engine)
		engine_abort(connection->engine);
	drop_connection(connection);
}

/*
 * Items of established connections: all that is left of them is their cookie.
 */

/**
 * struct opened - an item's cookie, opened
 * @bytes: in @data
 * @data: secret
 */
struct opened {
	struct engine_bytes	bytes;
	uint8_t			data[SOCKTLS_COOKIE_MAX];
};

static int open_cookie(const struct worker *worker, const struct item *item,
		       struct opened *opened)
{
	size_t len = 0;
	int err = cookiekey_open(worker->cookiekey, item->connection,
				 item->cookie, opened->data, &len);

	opened->bytes = bytes_of(opened->data, len);
	return err;
}

static void close_cookie(struct opened *opened)
{
	OPENSSL_cleanse(opened->data, opened->bytes.len);
}

static void serve_ticket(struct worker *worker, const struct item *item)
{
	const struct worker_sessions *sessions = &worker->sessions;
	struct opened cookie;
	int err;

	err = open_cookie(worker, item, &cookie);
	if (!err && !sessions->ops)
		err = -EOPNOTSUPP;
	if (!err)
		err = engine_cookie_ticket(cookie.bytes, item->bytes,
					   time(NULL), sessions->ops,
					   sessions->arg);
	close_cookie(&cookie);
	log_debug("connection %llu: ticket %s",
		  (unsigned long long)item->id,
		  err ? strerror(-err) : "kept");
}

static const char *export_error(int err)
{
	switch (err) {
	case -EINVAL:
		return "label or length of the exporter are not allowed";
	case -EOPNOTSUPP:
		return "TLS 1.2 without extended master secret (RFC 7627) exports nothing";
	case -ESTALE:
		return "the handshake helper that made this connection is gone, and its secrets with it";
	default:
		return "the handshake helper could not compute the exporter";
	}
}

static int compute_export(const struct worker *worker, const struct item *item,
			  uint8_t *out)
{
	struct opened cookie;
	int err;

	err = open_cookie(worker, item, &cookie);
	if (!err)
		err = engine_cookie_export(cookie.bytes, item->label ?: "",
					   item->context, item->has_context,
					   out, item->length);
	close_cookie(&cookie);
	return err == -EBADMSG ? -ESTALE : err;
}

static void serve_export(struct worker *worker, const struct item *item)
{
	struct action_list actions = STAILQ_HEAD_INITIALIZER(actions);
	uint8_t out[ENGINE_EXPORT_MAX];
	int err;

	err = compute_export(worker, item, out);
	if (!err)
		err = action_add_exported(&actions,
					  bytes_of(out, item->length));
	else
		err = action_add_fail(&actions, -1, -err, export_error(err));
	if (err)
		log_error("connection %llu: the handshake helper is out of memory",
			  (unsigned long long)item->id);
	else
		worker->channel->reply(worker->channel_arg, item->id, &actions);
	OPENSSL_cleanse(out, sizeof(out));
	action_list_clear(&actions);
}

static void serve_ended(struct worker *worker, const struct item *item)
{
	struct opened cookie;

	log_debug("connection %llu: ended by alert %d",
		  (unsigned long long)item->id, item->alert);
	if (!open_cookie(worker, item, &cookie) && worker->sessions.ops)
		engine_cookie_ended(cookie.bytes, worker->sessions.ops,
				    worker->sessions.arg);
	close_cookie(&cookie);
}

void worker_item(struct worker *worker, const struct item *item)
{
	switch (item->kind) {
	case SOCKTLS_ITEM_HANDSHAKE:
		serve_handshake(worker, item);
		break;
	case SOCKTLS_ITEM_ABORTED:
		serve_aborted(worker, item);
		break;
	case SOCKTLS_ITEM_TICKET:
		serve_ticket(worker, item);
		break;
	case SOCKTLS_ITEM_EXPORT:
		serve_export(worker, item);
		break;
	case SOCKTLS_ITEM_ENDED:
		serve_ended(worker, item);
		break;
	default:
		log_debug("connection %llu: item of kind %u ignored",
			  (unsigned long long)item->id, item->kind);
	}
}

/*
 * Life of a worker.
 */

int worker_new(struct worker **worker, const struct worker_channel *channel,
	       void *arg, const struct stores *stores, FILE *keylog)
{
	struct worker *new = calloc(1, sizeof(*new));
	int err;

	if (!new)
		return -ENOMEM;
	err = cookiekey_new(&new->cookiekey);
	if (err) {
		free(new);
		return err;
	}
	new->channel = channel;
	new->channel_arg = arg;
	new->stores = stores;
	new->keylog = keylog;
	*worker = new;
	return 0;
}

void worker_set_stores(struct worker *worker, const struct stores *stores)
{
	worker->stores = stores;
}

void worker_set_sessions(struct worker *worker,
			 const struct worker_sessions *sessions)
{
	worker->sessions = *sessions;
}

size_t worker_count(const struct worker *worker)
{
	return worker->count;
}

void worker_free(struct worker *worker)
{
	struct connection *connection;

	if (!worker)
		return;
	for (size_t i = 0; i < N_BUCKETS; i++)
		while ((connection = LIST_FIRST(&worker->buckets[i])))
			drop_connection(connection);
	cookiekey_free(worker->cookiekey);
	free(worker);
}
