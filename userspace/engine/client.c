// SPDX-License-Identifier: MIT
/* Client: ClientHello, and what ServerHello decides before the version does. */
#include <errno.h>
#include <string.h>

#include "engine/auth.h"
#include "engine/client.h"
#include "engine/limits.h"
#include "engine/ocsp.h"
#include "engine/psk.h"

#define HELLO_REQUESTS_MAX	4

/* --------------------------------------------------------- ClientHello */

static bool offers12(const struct engine *engine)
{
	return engine->set.min_version <= TLS12;
}

static bool offers13(const struct engine *engine)
{
	return engine->set.max_version >= TLS13;
}

static uint16_t grease_value(uint8_t random)
{
	return ((random & 0xf0) | 0x0a) * 0x0101;
}

static bool make_grease(struct engine *engine)
{
	struct grease *grease = &engine->client.grease;
	uint8_t random[5];

	if (!entropy_bytes(&engine->set.entropy, random, sizeof(random)))
		return false;
	grease->suite = grease_value(random[0]);
	grease->extension = grease_value(random[1]);
	grease->group = grease_value(random[2]);
	grease->version = grease_value(random[3]);
	grease->sigalg = grease_value(random[4]);
	grease->share = true;
	return true;
}

/* A list of uint16 with a value in front that means nothing. */
static void write_greased(struct writer *w, uint16_t type, uint16_t grease,
			  const uint16_t *list, size_t n)
{
	size_t mark = extension_open(w, type);
	size_t inner = writer_open(w, 2);
	size_t i;

	writer_u16(w, grease);
	for (i = 0; i < n; i++)
		writer_u16(w, list[i]);
	writer_close(w, inner, 2);
	extension_close(w, mark);
}

static void write_server_name(struct engine *engine, struct writer *w)
{
	const char *name = engine->set.server_name;
	size_t mark, list;

	if (!name || engine->set.server_name_is_ip)
		return;
	mark = extension_open(w, EXT_SERVER_NAME);
	list = writer_open(w, 2);
	writer_u8(w, NAME_TYPE_HOST_NAME);
	writer_vector(w, 2, bytes_of(name, strlen(name)));
	writer_close(w, list, 2);
	extension_close(w, mark);
}

static void write_versions(struct engine *engine, struct writer *w)
{
	size_t mark = extension_open(w, EXT_SUPPORTED_VERSIONS);
	size_t list = writer_open(w, 1);

	writer_u16(w, engine->client.grease.version);
	writer_u16(w, TLS13);
	if (offers12(engine))
		writer_u16(w, TLS12);
	writer_close(w, list, 1);
	extension_close(w, mark);
}

static void write_alpn(struct engine *engine, struct writer *w)
{
	size_t mark;

	if (!engine->set.alpn.len)
		return;
	mark = extension_open(w, EXT_ALPN);
	writer_vector(w, 2, writer_view(&engine->set.alpn));
	extension_close(w, mark);
}

static bool offers_cbc(const struct engine *engine)
{
	size_t i;

	for (i = 0; i < engine->set.n_suites; i++)
		if (suite_find(engine->set.suites[i])->mac_len)
			return true;
	return false;
}

/* A ticket to resume with, or the wish for one (RFC 5077 section 3.2). */
static void write_session_ticket(struct engine *engine, struct writer *w)
{
	struct engine_bytes ticket = bytes_of(NULL, 0);

	if (!session_enabled(engine))
		return;
	if (engine->session.version == TLS12)
		ticket = engine->session.handle;
	extension_write(w, EXT_SESSION_TICKET, ticket);
}

/*
 * psk_dhe_ke: a new key exchange every time. Sent for the tickets' sake, and
 * again behind a retry whose suite fits no key.
 */
static void write_psk_modes(struct engine *engine, struct writer *w)
{
	static const uint8_t modes[] = { 1, PSK_DHE_KE };

	if (session_enabled(engine) || engine->set.psks)
		extension_write(w, EXT_PSK_KEY_EXCHANGE_MODES,
				bytes_of(modes, sizeof(modes)));
}

static void write_tls12(struct engine *engine, struct writer *w)
{
	static const uint8_t point_formats[] = { 1, POINT_UNCOMPRESSED };
	static const uint8_t first_handshake[] = { 0 };

	extension_write(w, EXT_EC_POINT_FORMATS,
			bytes_of(point_formats, sizeof(point_formats)));
	extension_write(w, EXT_EXTENDED_MASTER_SECRET, bytes_of(NULL, 0));
	extension_write(w, EXT_RENEGOTIATION_INFO,
			bytes_of(first_handshake, sizeof(first_handshake)));
	if (offers_cbc(engine))
		extension_write(w, EXT_ENCRYPT_THEN_MAC, bytes_of(NULL, 0));
	write_session_ticket(engine, w);
}

static bool write_shares(struct engine *engine, struct writer *w)
{
	struct client *client = &engine->client;
	size_t mark = extension_open(w, EXT_KEY_SHARE);
	size_t list = writer_open(w, 2);
	bool good = true;
	size_t i;

	if (client->grease.share) {
		writer_u16(w, client->grease.group);
		writer_vector(w, 2, bytes_of("", 1));
	}
	for (i = 0; i < SHARES_MAX && client->shares[i].group && good; i++) {
		unsigned char *share = NULL;
		size_t len;

		len = EVP_PKEY_get1_encoded_public_key(client->shares[i].key,
						       &share);
		good = len;
		writer_u16(w, client->shares[i].group->code);
		writer_vector(w, 2, bytes_of(share, len));
		OPENSSL_free(share);
	}
	writer_close(w, list, 2);
	extension_close(w, mark);
	return good;
}

static bool write_extensions(struct engine *engine, struct writer *w)
{
	const struct grease *grease = &engine->client.grease;
	const struct settings *set = &engine->set;
	bool good = true;

	extension_write(w, grease->extension, bytes_of(NULL, 0));
	write_server_name(engine, w);
	if (offers12(engine))
		write_tls12(engine, w);
	write_greased(w, EXT_SUPPORTED_GROUPS, grease->group, set->groups,
		      set->n_groups);
	write_greased(w, EXT_SIGNATURE_ALGORITHMS, grease->sigalg,
		      set->policy->sigalgs, set->policy->n_sigalgs);
	auth_write_sigalgs_cert(engine, w);
	limits_write_offer(engine, w);
	if (set->peer_auth != SOCKTLS_PEER_AUTH_NONE)
		ocsp_write_request(w);
	write_alpn(engine, w);
	if (offers13(engine)) {
		write_versions(engine, w);
		if (engine->client.cookie.len) {
			size_t mark = extension_open(w, EXT_COOKIE);

			writer_vector(w, 2, writer_view(&engine->client.cookie));
			extension_close(w, mark);
		}
		good = write_shares(engine, w);
		write_psk_modes(engine, w);
	}
	/* The last one: RFC 8446 section 4.2.11. */
	if (psk_offers(engine))
		psk_offer_write(engine, w);
	return good;
}

static int close_hello(struct engine *engine)
{
	int ret = message_close(engine);

	if (!ret && psk_offers(engine))
		ret = psk_bind(engine);
	return ret ? ret : message_commit(engine);
}

int client_hello_send(struct engine *engine)
{
	struct client *client = &engine->client;
	struct writer *w = message_begin(engine, CLIENT_HELLO);
	size_t body = w->len;
	struct client_hello hello;
	bool good;
	size_t mark;

	client_hello_write(w, TLS12, engine->schedule12.client_random,
			   client->session_id, client->grease.suite,
			   engine->set.suites,
			   engine->set.n_suites);
	mark = writer_open(w, 2);
	good = write_extensions(engine, w);
	writer_close(w, mark, 2);
	if (w->bad)
		return engine_fail_memory(engine);
	if (!good)
		return engine_fail_crypto(engine, "encode a key share");
	/* What may come back is what is in there. */
	if (client_hello_parse(&hello, bytes_of(w->data + body, w->len - body)))
		return engine_fail(engine, INTERNAL_ERROR, EINVAL,
				   "the configuration makes a ClientHello that is too long");
	client->offered = (struct extensions){
		.present = hello.extensions.present,
	};
	return close_hello(engine);
}

int client_share_make(struct engine *engine, size_t slot,
		      const struct group *group)
{
	struct client *client = &engine->client;
	struct writer share = { 0 };

	EVP_PKEY_free(client->shares[slot].key);
	client->shares[slot].group = group;
	client->shares[slot].key = group_offer(group, &engine->set.entropy,
					       &share);
	writer_free(&share);
	if (!client->shares[slot].key)
		return engine_fail_crypto(engine, "make a key share");
	return 0;
}

/* The first group; behind a hybrid also the first classical one. */
static int make_shares(struct engine *engine)
{
	const struct settings *set = &engine->set;
	const struct group *group = group_find(set->groups[0]);
	size_t i;
	int ret;

	ret = client_share_make(engine, 0, group);
	if (ret || group->kind != GROUP_KEM)
		return ret;
	for (i = 1; i < set->n_groups; i++) {
		group = group_find(set->groups[i]);
		if (group->kind != GROUP_KEM)
			return client_share_make(engine, 1, group);
	}
	return 0;
}

/* The suite of a TLS 1.2 session is part of it. */
static void find_session12(struct engine *engine)
{
	struct engine_bytes key = bytes_of(engine->session_key,
					   SESSION_KEY_LEN);
	struct session *session = &engine->session;

	if (!session_find(engine, ENGINE_SESSION_RESUMABLE, key,
			  &engine->session_raw))
		return;
	if (session_take(engine, writer_view(&engine->session_raw))) {
		if (session->version == TLS12 &&
		    (session->handle.len || session->id.len) &&
		    settings_offer_suite(&engine->set, session->suite->code))
			return;
		session_reset(engine);
	}
	session_drop(engine, ENGINE_SESSION_RESUMABLE, key);
}

static int find_session(struct engine *engine)
{
	const char *name = engine->set.server_name;
	int ret;

	if (!session_enabled(engine))
		return 0;
	ret = session_key(engine, bytes_of(name, name ? strlen(name) : 0),
			  engine->session_key);
	if (ret)
		return ret;
	if (offers13(engine))
		psk_find(engine);
	if (!engine->session.suite && offers12(engine))
		find_session12(engine);
	return 0;
}

/*
 * A session's ID; else random: a server that resumes by ticket echoes it (RFC
 * 5077 section 3.4), and TLS 1.3 looks so like a resumption (RFC 8446 appendix
 * D.4).
 */
static int make_session_id(struct engine *engine)
{
	struct client *client = &engine->client;
	const struct session *session = &engine->session;
	bool ticket = session->version == TLS12 && session->handle.len;

	client->session_id = bytes_of(client->session_id_buf, SESSION_ID_MAX);
	if (session->id.len && !ticket) {
		memcpy(client->session_id_buf, session->id.data,
		       session->id.len);
		client->session_id.len = session->id.len;
	} else if (!ticket && !offers13(engine)) {
		client->session_id.len = 0;
	} else if (!entropy_bytes(&engine->set.entropy, client->session_id_buf,
				  SESSION_ID_MAX)) {
		return engine_fail_crypto(engine, "make random bytes");
	}
	return 0;
}

int client_start(struct engine *engine)
{
	const struct entropy *entropy = &engine->set.entropy;
	int ret;

	if (!entropy_bytes(entropy, engine->schedule12.client_random,
			   RANDOM_LEN))
		return engine_fail_crypto(engine, "make random bytes");
	if (!make_grease(engine))
		return engine_fail_crypto(engine, "make random bytes");
	ret = find_session(engine);
	if (!ret)
		ret = make_session_id(engine);
	if (!ret && offers13(engine))
		ret = make_shares(engine);
	if (!ret)
		ret = client_hello_send(engine);
	engine->state = CLIENT_WAIT_SH;
	return ret;
}

int client_hello_request(struct engine *engine, const struct message *message)
{
	(void)message;
	if (++engine->client.hello_requests > HELLO_REQUESTS_MAX)
		return engine_fail(engine, UNEXPECTED_MESSAGE, EPROTO,
				   "%s floods this client with HelloRequests",
				   engine_peer_name(engine));
	return 0;
}

/* --------------------------------------------------------- ServerHello */

static int check_version(struct engine *engine,
			 const struct server_hello *hello)
{
	const struct settings *set = &engine->set;
	/* RFC 8446 section 4.2.1: picked from a list, so it must be in it. */
	int alert = extensions_have(&hello->extensions,
				    EXT_SUPPORTED_VERSIONS) ?
		    ILLEGAL_PARAMETER : PROTOCOL_VERSION;

	if (hello->version < set->min_version ||
	    hello->version > set->max_version)
		return engine_fail(engine, alert, EPROTONOSUPPORT,
				   "%s wants protocol version 0x%04x; this side allows 0x%04x to 0x%04x (TLS 1.2 is 0x0303)",
				   engine_peer_name(engine), hello->version,
				   set->min_version, set->max_version);
	if (engine->version && hello->version != engine->version)
		return engine_fail(engine, ILLEGAL_PARAMETER, EPROTO,
				   "%s changed its mind about the version after HelloRetryRequest",
				   engine_peer_name(engine));
	/* HelloRetryRequest exists in TLS 1.3 only; legacy_version is fixed. */
	if ((hello->retry && hello->version < TLS13) ||
	    (hello->version >= TLS13 && hello->legacy_version != TLS12))
		return engine_fail_message(engine, ILLEGAL_PARAMETER,
					   "ServerHello");
	return 0;
}

/* RFC 8446 section 4.1.3: a server that could do more says so. */
static int check_downgrade(struct engine *engine,
			   const struct server_hello *hello)
{
	static const uint8_t sentinel[] = "DOWNGRD";
	const uint8_t *tail = hello->random.data + RANDOM_LEN - 8;

	if (hello->version >= TLS13 || memcmp(tail, sentinel, 7) ||
	    tail[7] > 1)
		return 0;
	/* 1: has TLS 1.3; 0: has TLS 1.2, so this cannot be its answer. */
	if (tail[7] == 1 && !offers13(engine))
		return 0;
	return engine_fail(engine, ILLEGAL_PARAMETER, EPROTO,
			   "somebody between this host and %s forces an older protocol version (downgrade sentinel in ServerHello)",
			   engine_peer_name(engine));
}

static int check_suite(struct engine *engine, const struct server_hello *hello)
{
	const struct suite *suite = suite_find(hello->suite);

	if (!suite || !settings_offer_suite(&engine->set, hello->suite) ||
	    suite->version != hello->version)
		return engine_fail(engine, ILLEGAL_PARAMETER, EPROTO,
				   "%s chose cipher suite 0x%04x, which was not offered",
				   engine_peer_name(engine), hello->suite);
	if (engine->client.retried && hello->suite != engine->suite->code)
		return engine_fail(engine, ILLEGAL_PARAMETER, EPROTO,
				   "%s changed its mind about the cipher suite after HelloRetryRequest",
				   engine_peer_name(engine));
	engine->suite = suite;
	return 0;
}

static int check_rest(struct engine *engine, const struct server_hello *hello)
{
	struct extensions allowed = engine->client.offered;

	if (hello->compression)
		return engine_fail_message(engine, ILLEGAL_PARAMETER,
					   "ServerHello");
	if (hello->version >= TLS13 &&
	    !bytes_equal(hello->session_id, engine->client.session_id))
		return engine_fail(engine, ILLEGAL_PARAMETER, EPROTO,
				   "%s did not echo the session id",
				   engine_peer_name(engine));
	if (hello->retry)
		extensions_allow(&allowed, EXT_COOKIE);
	if (!extensions_within(&hello->extensions, &allowed))
		return engine_fail(engine, UNSUPPORTED_EXTENSION, EPROTO,
				   "%s answered with an extension that was not offered",
				   engine_peer_name(engine));
	return 0;
}

static int hash_start(struct engine *engine, bool retry)
{
	int ret = 0;

	if (!engine->client.retried)
		ret = transcript_set_hash(&engine->transcript,
					  engine->suite->md());
	if (!ret && retry)
		ret = transcript_restart(&engine->transcript);
	return engine_check(engine, ret, "hash a message");
}

static int parse(struct engine *engine, struct server_hello *hello,
		 const struct message *message)
{
	int alert = server_hello_parse(hello, message->body);

	if (alert)
		return engine_fail_message(engine, alert, "ServerHello");
	return 0;
}

int client_server_hello_check(struct engine *engine,
			      const struct message *message)
{
	struct server_hello hello;
	int ret;

	ret = parse(engine, &hello, message);
	if (!ret && hello.retry && engine->client.retried)
		ret = engine_fail(engine, UNEXPECTED_MESSAGE, EPROTO,
				  "%s sent a second HelloRetryRequest",
				  engine_peer_name(engine));
	if (!ret)
		ret = check_version(engine, &hello);
	if (!ret)
		ret = check_downgrade(engine, &hello);
	if (!ret)
		ret = check_suite(engine, &hello);
	if (!ret)
		ret = check_rest(engine, &hello);
	if (!ret)
		ret = hash_start(engine, hello.retry);
	return ret;
}

int client_server_hello(struct engine *engine, const struct message *message)
{
	struct server_hello hello;
	int ret;

	ret = parse(engine, &hello, message);
	if (!ret && !engine->version)
		ret = version_announce(engine, hello.version);
	if (ret)
		return ret;
	if (hello.retry)
		return client13_retry(engine, &hello);
	memcpy(engine->schedule12.server_random, hello.random.data, RANDOM_LEN);
	if (hello.version >= TLS13)
		return client13_server_hello(engine, &hello);
	return client12_server_hello(engine, &hello);
}

/* RFC 7301 section 3.1: one protocol, one of ours. */
int client_alpn_take(struct engine *engine, const struct extensions *list)
{
	struct engine_bytes body, chosen, offered;
	struct reader r, ours = reader_of(writer_view(&engine->set.alpn));
	int alert;

	if (!extensions_have(list, EXT_ALPN))
		return 0;
	body = extensions_get(list, EXT_ALPN);
	alert = extension_read_alpn(body, &chosen);
	if (alert)
		return engine_fail_message(engine, alert, "ALPN");
	r = reader_of(chosen);
	chosen = reader_vector(&r, 1, 1);
	while (reader_done(&r) && reader_more(&ours)) {
		offered = reader_vector(&ours, 1, 1);
		if (!bytes_equal(offered, chosen))
			continue;
		writer_bytes(&engine->alpn, chosen);
		return engine->alpn.bad ? engine_fail_memory(engine) : 0;
	}
	return engine_fail(engine, ILLEGAL_PARAMETER, EPROTO,
			   "%s chose an application protocol that was not offered",
			   engine_peer_name(engine));
}
