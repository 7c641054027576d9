// SPDX-License-Identifier: MIT
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "conn.h"
#include "engine/groups.h"
#include "engine/kdf.h"
#include "engine/sigalgs.h"
#include "engine/suites.h"

#define CLOSE_NOTIFY		0
#define NEW_SESSION_TICKET	4
#define KEY_UPDATE		24

/* --------------------------------------------------------------- records */

static int write_all(int fd, const uint8_t *data, size_t len)
{
	while (len) {
		ssize_t n = send(fd, data, len, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return -1;
		data += n;
		len -= n;
	}
	return 0;
}

static int send_records(struct conn *conn, uint8_t type, const uint8_t *data,
			size_t len)
{
	uint8_t wire[RECORD_WIRE_MAX];

	do {
		size_t max = conn->tx_max ? conn->tx_max : RECORD_PLAIN_MAX;
		size_t n = len < max ? len : max;
		int ret = record_seal(&conn->tx, type, data, n, wire);

		if (ret < 0 || write_all(conn->fd, wire, ret))
			return -1;
		data += n;
		len -= n;
	} while (len);
	return 0;
}

static int read_all(int fd, uint8_t *data, size_t len)
{
	size_t got = 0;

	while (got < len) {
		ssize_t n = recv(fd, data + got, len - got, 0);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n;
		got += n;
	}
	return len;
}

static int complain(struct conn *conn, const char *what)
{
	if (!*conn->failure)
		snprintf(conn->failure, sizeof(conn->failure), "%s", what);
	return -1;
}

static void send_alert(struct conn *conn, uint8_t level, uint8_t description)
{
	const uint8_t alert[] = { level, description };

	send_records(conn, RECORD_ALERT, alert, sizeof(alert));
}

/* RFC 8446 section 4.2.10: is this a record of early data, to be skipped? */
static bool is_early(struct conn *conn, const uint8_t *wire, size_t len)
{
	bool data = wire[0] == RECORD_DATA;

	if (conn->skip && data && len <= conn->skip_left) {
		conn->skip_left -= len;
		return true;
	}
	return false;
}

/* One record from the socket. Returns its length, or -1. */
static int read_wire(struct conn *conn, uint8_t wire[RECORD_WIRE_MAX])
{
	size_t len;
	int ret;

	ret = read_all(conn->fd, wire, 5);
	if (ret <= 0)
		return complain(conn, ret ? strerror(errno) :
				"connection closed without close_notify");
	len = wire[3] << 8 | wire[4];
	if (len + 5 > RECORD_WIRE_MAX)
		return complain(conn, "record too long");
	if (read_all(conn->fd, wire + 5, len) != (int)len)
		return complain(conn, "connection closed inside a record");
	return len + 5;
}

/* The next record, opened. Returns its length, or -1. */
static int read_record(struct conn *conn, uint8_t *type, uint8_t *plain)
{
	uint8_t wire[RECORD_WIRE_MAX];
	int len, ret;

again:
	len = read_wire(conn, wire);
	if (len < 0)
		return -1;
	/* In the clear also under TLS 1.3: its change_cipher_spec. */
	if (wire[0] == RECORD_CCS && conn->version == 0x0304) {
		*type = RECORD_CCS;
		memcpy(plain, wire + 5, len - 5);
		return len - 5;
	}
	if (conn->skip == SOCKTLS_SKIP_OPAQUE && is_early(conn, wire, len))
		goto again;
	ret = record_open(&conn->rx, wire, len, type, plain);
	if (ret < 0 && conn->skip == SOCKTLS_SKIP_TRIAL &&
	    is_early(conn, wire, len)) {
		conn->rx.sequence--;
		goto again;
	}
	conn->skip = 0;
	if (ret < 0) {
		send_alert(conn, 2, 20);
		return complain(conn, "record does not authenticate");
	}
	if (conn->rx_max && (size_t)ret > conn->rx_max) {
		send_alert(conn, 2, 22);
		return complain(conn, "record over the limit");
	}
	return ret;
}

static int take_alert(struct conn *conn, const uint8_t *alert, int len)
{
	char text[64];

	if (len == 2 && alert[1] == CLOSE_NOTIFY) {
		conn->closed = true;
		return 0;
	}
	snprintf(text, sizeof(text), "alert %d received", len == 2 ? alert[1] :
		 -1);
	return complain(conn, text);
}

/* ------------------------------------------------------------- callbacks */

static int on_send(void *arg, uint8_t type, struct engine_bytes bytes,
		   bool lazy)
{
	(void)lazy;
	return send_records(arg, type, bytes.data, bytes.len) ? -EPIPE : 0;
}

static int on_version(void *arg, uint16_t version)
{
	((struct conn *)arg)->version = version;
	return 0;
}

static int on_key(void *arg, const struct engine_key *key)
{
	struct conn *conn = arg;

	if (key->direction == SOCKTLS_DIRECTION_TX) {
		record_rekey(&conn->tx, conn->version, key);
	} else {
		record_rekey(&conn->rx, conn->version, key);
		conn->level = key->level;
	}
	return 0;
}

static int on_limit(void *arg, enum socktls_direction direction,
		    uint32_t max_plaintext)
{
	struct conn *conn = arg;

	if (direction == SOCKTLS_DIRECTION_TX)
		conn->tx_max = max_plaintext;
	else
		conn->rx_max = max_plaintext;
	return 0;
}

static int on_skip_early(void *arg, enum socktls_skip_mode mode,
			 uint32_t max_bytes)
{
	struct conn *conn = arg;

	conn->skip = mode;
	conn->skip_left = max_bytes;
	return 0;
}

static int on_certificate(void *arg, enum socktls_chain chain,
			  struct engine_bytes der)
{
	(void)arg;
	(void)chain;
	(void)der;
	return 0;
}

static int on_done(void *arg, const struct engine_result *result)
{
	const struct group *group = group_find(result->group);
	const struct sigalg *alg = sigalg_find(result->signature_scheme);
	struct conn *conn = arg;

	conn->cookie_len = result->cookie.len;
	if (conn->cookie_len > sizeof(conn->cookie))
		return -EMSGSIZE;
	if (conn->cookie_len)
		memcpy(conn->cookie, result->cookie.data, conn->cookie_len);
	snprintf(conn->result, sizeof(conn->result),
		 "TLS 1.%d, %s, group %s, signature %s, alpn %.*s, resumed %s, peer %s",
		 result->version - 0x0301, suite_find(result->suite)->name,
		 group ? group->name : "none", alg ? alg->name : "none",
		 (int)result->alpn.len, result->alpn.len ?
		 (const char *)result->alpn.data : "",
		 result->flags & SOCKTLS_INFO_RESUMED ? "yes" : "no",
		 result->peer_identity ? result->peer_identity : "unverified");
	return 0;
}

static int on_fail(void *arg, const struct engine_failure *failure)
{
	struct conn *conn = arg;

	snprintf(conn->failure, sizeof(conn->failure), "%s (errno %d, alert %d)",
		 failure->text, failure->error, failure->alert);
	if (failure->alert >= 0)
		send_alert(conn, 2, failure->alert);
	return 0;
}

static void on_keylog(void *arg, const char *line)
{
	struct conn *conn = arg;

	if (conn->keylog) {
		fprintf(conn->keylog, "%s\n", line);
		fflush(conn->keylog);
	}
}

static const struct engine_output output = {
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

/* ------------------------------------------------------------- handshake */

/* The randomness of fuzz_engine.c, so that a recording can be replayed. */
static int fuzz_random(void *arg, uint8_t *out, size_t len)
{
	uint64_t *state = arg;

	while (len--) {
		*state = *state * 6364136223846793005u + 1;
		*out++ = *state >> 56;
	}
	return 0;
}

/* ENGINE_RECORD=FILE: append what the peer says, as selftests/fuzz reads it. */
static void record_chunk(uint8_t type, const uint8_t *plain, int len)
{
	const char *path = getenv("ENGINE_RECORD");
	const uint8_t header[] = { type == RECORD_CCS, len >> 8, len };
	FILE *file = path ? fopen(path, "a") : NULL;

	if (!file)
		return;
	fwrite(header, 1, sizeof(header), file);
	fwrite(plain, 1, len, file);
	fclose(file);
}

static int handshake_record(struct conn *conn, uint8_t type,
			    const uint8_t *plain, int len)
{
	if (type == RECORD_ALERT) {
		take_alert(conn, plain, len);
		return complain(conn, "closed during the handshake");
	}
	if (type == RECORD_CCS && conn->version == 0x0304)
		return 0;
	if (type != RECORD_CCS && type != RECORD_HANDSHAKE)
		return complain(conn, "unexpected record");
	record_chunk(type, plain, len);
	return engine_receive(conn->engine, conn->level, type,
			      (struct engine_bytes){ plain, len });
}

int conn_handshake(struct conn *conn, int fd,
		   const struct engine_config *config, FILE *keylog)
{
	struct engine_config copy = *config;
	uint8_t plain[RECORD_WIRE_MAX];
	uint64_t random = 1;
	uint8_t type;
	int ret;

	if (getenv("ENGINE_RECORD")) {
		copy.random = fuzz_random;
		copy.random_arg = &random;
	}
	memset(conn, 0, sizeof(*conn));
	conn->fd = fd;
	conn->keylog = keylog;
	conn->sessions = config->sessions;
	ret = engine_new(&conn->engine, &copy, &output, conn);
	if (ret)
		return complain(conn, "the configuration makes no sense");
	ret = engine_start(conn->engine);
	while (!ret && !engine_is_done(conn->engine)) {
		int len = read_record(conn, &type, plain);

		ret = len < 0 ? -1 :
		      handshake_record(conn, type, plain, len);
	}
	return ret ? complain(conn, "the handshake failed") : 0;
}

/* ------------------------------------------------------------ after that */

int conn_write(struct conn *conn, const void *data, size_t len)
{
	return send_records(conn, RECORD_DATA, data, len);
}

/* RFC 8446 section 7.2 */
static int update_secret(struct record_keys *keys, uint16_t version)
{
	struct engine_key key = keys->key;
	const EVP_MD *md = key.secret_len == 48 ? EVP_sha384() : EVP_sha256();
	struct engine_bytes none = { 0 };
	struct engine_bytes next = { key.secret, key.secret_len };
	uint8_t secret[HASH_MAX];

	if (kdf_expand_label(md, next, "traffic upd", none, secret,
			     key.secret_len))
		return -1;
	memcpy(key.secret, secret, key.secret_len);
	if (kdf_expand_label(md, next, "key", none, key.key, key.key_len) ||
	    kdf_expand_label(md, next, "iv", none, key.iv, key.iv_len))
		return -1;
	record_rekey(keys, version, &key);
	return 0;
}

static int take_key_update(struct conn *conn, const uint8_t *message,
			   size_t len)
{
	static const uint8_t reply[] = { KEY_UPDATE, 0, 0, 1, 0 };

	if (conn->version != 0x0304 || len != 5 || message[4] > 1 ||
	    update_secret(&conn->rx, conn->version))
		return complain(conn, "malformed KeyUpdate");
	if (!message[4])
		return 0;
	if (send_records(conn, RECORD_HANDSHAKE, reply, sizeof(reply)))
		return -1;
	return update_secret(&conn->tx, conn->version);
}

static int take_ticket(struct conn *conn, const uint8_t *message, size_t len)
{
	struct engine_bytes cookie = { conn->cookie, conn->cookie_len };

	if (!conn->sessions)
		return 0;
	if (engine_cookie_ticket(cookie, (struct engine_bytes){ message, len },
				 time(NULL), conn->sessions, NULL) == -EPROTO)
		return complain(conn, "malformed NewSessionTicket");
	return 0;
}

static int take_message(struct conn *conn, const uint8_t *message, size_t len)
{
	switch (message[0]) {
	case KEY_UPDATE:
		return take_key_update(conn, message, len);
	case NEW_SESSION_TICKET:
		return take_ticket(conn, message, len);
	}
	return complain(conn, "unexpected message after the handshake");
}

/* Messages may share a record, and records a message. */
static int take_messages(struct conn *conn, const uint8_t *plain, size_t plen)
{
	size_t len;

	if (plen > sizeof(conn->post) - conn->post_len)
		return complain(conn, "message after the handshake too long");
	memcpy(conn->post + conn->post_len, plain, plen);
	conn->post_len += plen;
	while (conn->post_len >= 4) {
		len = 4 + (conn->post[1] << 16 | conn->post[2] << 8 |
			   conn->post[3]);
		if (len > conn->post_len)
			break;
		if (take_message(conn, conn->post, len))
			return -1;
		conn->post_len -= len;
		memmove(conn->post, conn->post + len, conn->post_len);
	}
	return 0;
}

static int post_handshake(struct conn *conn, uint8_t type,
			  const uint8_t *plain, int len)
{
	if (type == RECORD_ALERT)
		return take_alert(conn, plain, len);
	if (type == RECORD_HANDSHAKE)
		return take_messages(conn, plain, len);
	return complain(conn, "unexpected record after the handshake");
}

int conn_read(struct conn *conn, void *data)
{
	while (!conn->closed) {
		uint8_t type;
		int len = read_record(conn, &type, data);

		if (len < 0)
			return -1;
		if (type == RECORD_DATA && len)
			return len;
		if (type != RECORD_DATA && post_handshake(conn, type, data,
							  len))
			return -1;
	}
	return 0;
}

void conn_shutdown(struct conn *conn)
{
	if (!conn->shut && conn->engine && engine_is_done(conn->engine))
		send_alert(conn, 1, CLOSE_NOTIFY);
	conn->shut = true;
}

void conn_close(struct conn *conn)
{
	conn_shutdown(conn);
	shutdown(conn->fd, SHUT_WR);
	engine_free(conn->engine);
	close(conn->fd);
}
