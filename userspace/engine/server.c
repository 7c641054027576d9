// SPDX-License-Identifier: MIT
/* Server: ClientHello until the version decides. */
#include <errno.h>
#include <string.h>

#include <linux/tls.h>

#include "engine/ocsp.h"
#include "engine/server.h"

/* ---------------------------------------------------------- the offer */

static int read_lists(struct offer *offer)
{
	const struct extensions *list = &offer->hello.extensions;
	int alert = 0;

	if (extensions_have(list, EXT_SERVER_NAME))
		alert = extension_read_server_name(extensions_get(list,
						   EXT_SERVER_NAME),
						   &offer->host);
	if (!alert && extensions_have(list, EXT_SUPPORTED_GROUPS))
		alert = extension_read_u16_list(extensions_get(list,
						EXT_SUPPORTED_GROUPS),
						&offer->groups);
	if (!alert && extensions_have(list, EXT_SIGNATURE_ALGORITHMS))
		alert = extension_read_u16_list(extensions_get(list,
						EXT_SIGNATURE_ALGORITHMS),
						&offer->sigalgs);
	offer->sigalgs_cert = offer->sigalgs;
	if (!alert && extensions_have(list, EXT_SIGNATURE_ALGORITHMS_CERT))
		alert = extension_read_u16_list(extensions_get(list,
						EXT_SIGNATURE_ALGORITHMS_CERT),
						&offer->sigalgs_cert);
	if (!alert && extensions_have(list, EXT_ALPN))
		alert = extension_read_alpn(extensions_get(list, EXT_ALPN),
					    &offer->alpn);
	if (!alert && extensions_have(list, EXT_STATUS_REQUEST))
		alert = ocsp_read_request(extensions_get(list,
							 EXT_STATUS_REQUEST),
					  &offer->status);
	return alert;
}

/* What the first and the second ClientHello must have in common (4.1.2). */
static int digest_hello(const struct client_hello *hello, struct digest *out)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	const struct engine_bytes parts[] = {
		hello->random, hello->session_id, hello->suites,
		hello->compression,
		extensions_get(&hello->extensions, EXT_SERVER_NAME),
		extensions_get(&hello->extensions, EXT_SUPPORTED_VERSIONS),
		extensions_get(&hello->extensions, EXT_SUPPORTED_GROUPS),
		extensions_get(&hello->extensions, EXT_SIGNATURE_ALGORITHMS),
		extensions_get(&hello->extensions,
			       EXT_SIGNATURE_ALGORITHMS_CERT),
		extensions_get(&hello->extensions, EXT_ALPN),
	};
	bool good = ctx && EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) == 1;
	unsigned int len = 0;
	size_t i;

	for (i = 0; good && i < sizeof(parts) / sizeof(parts[0]); i++)
		good = EVP_DigestUpdate(ctx, &parts[i].len,
					sizeof(parts[i].len)) == 1 &&
		       EVP_DigestUpdate(ctx, parts[i].data, parts[i].len) == 1;
	good = good && EVP_DigestFinal_ex(ctx, out->data, &len) == 1;
	out->len = len;
	EVP_MD_CTX_free(ctx);
	return good ? 0 : -EIO;
}

static int check_second(struct engine *engine, const struct client_hello *hello)
{
	struct digest digest;

	if (digest_hello(hello, &digest))
		return engine_fail_crypto(engine, "hash a ClientHello");
	if (engine->server.retried &&
	    !bytes_equal(digest_view(&digest),
			 digest_view(&engine->server.hello_digest)))
		return engine_fail(engine, ILLEGAL_PARAMETER, EPROTO,
				   "the client changed its ClientHello after HelloRetryRequest");
	engine->server.hello_digest = digest;
	return 0;
}

/* ------------------------------------------------------------- version */

static int refuse_version(struct engine *engine, uint16_t offered)
{
	return engine_fail(engine, PROTOCOL_VERSION, EPROTONOSUPPORT,
			   "the client offers no protocol version between 0x%04x and 0x%04x (its best is 0x%04x; TLS 1.2 is 0x0303)",
			   engine->set.min_version, engine->set.max_version,
			   offered);
}

static bool allowed(const struct engine *engine, uint16_t version)
{
	return version >= engine->set.min_version &&
	       version <= engine->set.max_version;
}

static int choose_version(struct engine *engine, const struct offer *offer,
			  uint16_t *version)
{
	const struct client_hello *hello = &offer->hello;
	struct engine_bytes list;
	int alert;

	if (!extensions_have(&hello->extensions, EXT_SUPPORTED_VERSIONS)) {
		*version = TLS12;
		if (hello->legacy_version < TLS12 || !allowed(engine, TLS12))
			return refuse_version(engine, hello->legacy_version);
		return 0;
	}
	alert = extension_read_versions(extensions_get(&hello->extensions,
						EXT_SUPPORTED_VERSIONS), &list);
	if (alert)
		return engine_fail_message(engine, alert, "ClientHello");
	*version = TLS13;
	if (allowed(engine, TLS13) && bytes_have_u16(list, TLS13))
		return 0;
	*version = TLS12;
	if (allowed(engine, TLS12) && bytes_have_u16(list, TLS12))
		return 0;
	return refuse_version(engine, bytes_have_u16(list, TLS13) ? TLS13 :
			      hello->legacy_version);
}

/* RFC 7507: a client that fell back, where this server can do more. */
static int check_fallback(struct engine *engine, const struct offer *offer,
			  uint16_t version)
{
	if (version == engine->set.max_version ||
	    !bytes_have_u16(offer->hello.suites, SUITE_FALLBACK_SCSV))
		return 0;
	return engine_fail(engine, INAPPROPRIATE_FALLBACK, EPROTO,
			   "the client fell back to an older version than this server has (TLS_FALLBACK_SCSV)");
}

static int check_compression(struct engine *engine, const struct offer *offer,
			     uint16_t version)
{
	struct engine_bytes methods = offer->hello.compression;

	if (bytes_have_u8(methods, 0) && (version < TLS13 || methods.len == 1))
		return 0;
	return engine_fail(engine, ILLEGAL_PARAMETER, EPROTO,
			   "the client's compression methods are not allowed");
}

/* ---------------------------------------------------- shared selection */

struct engine_identity *server_pick_identity(struct engine *engine,
		const struct offer *offer,
		bool (*usable)(struct engine *engine, const struct offer *offer,
			       const struct engine_identity *identity))
{
	const struct settings *set = &engine->set;
	enum identity_match best = MATCH_NONE;
	struct engine_identity *found = NULL;
	bool named = false;
	size_t i;

	for (i = 0; offer->host.len && i < set->n_identities; i++) {
		struct engine_identity *identity = set->identities[i];
		enum identity_match match = identity_names(identity,
							   offer->host);

		named = named || match != MATCH_NONE;
		if (match > best && usable(engine, offer, identity)) {
			best = match;
			found = identity;
		}
	}
	/* A name that is ours gets no certificate of another name. */
	for (i = 0; !named && !found && i < set->n_identities; i++)
		if (usable(engine, offer, set->identities[i]))
			found = set->identities[i];
	return found;
}

bool server_chain_fits(const struct engine *engine, const struct offer *offer,
		       const struct engine_identity *identity)
{
	return !engine->server.fitting ||
	       identity_chain_fits(identity, offer->sigalgs_cert);
}

void server_staple(struct engine *engine, const struct offer *offer)
{
	if (offer->status)
		engine->staple = ocsp_staple(engine->identity,
					     engine->set.now);
}

bool server_prefers_chacha(struct engine_bytes suites, uint16_t version)
{
	struct reader r = reader_of(suites);

	while (reader_more(&r)) {
		const struct suite *suite = suite_find(reader_u16(&r));

		if (suite && suite->version == version && !suite->mac_len)
			return suite->cipher == TLS_CIPHER_CHACHA20_POLY1305;
	}
	return false;
}

static bool alpn_find(struct engine_bytes list, struct engine_bytes name)
{
	struct reader r = reader_of(list);

	while (reader_more(&r))
		if (bytes_equal(reader_vector(&r, 1, 1), name))
			return true;
	return false;
}

/* RFC 7301 section 3.2: in the server's order. */
static int choose_alpn(struct engine *engine, const struct offer *offer)
{
	struct reader ours = reader_of(writer_view(&engine->set.alpn));

	if (!offer->alpn.len || !engine->set.alpn.len || engine->alpn.len)
		return 0;
	while (reader_more(&ours)) {
		struct engine_bytes name = reader_vector(&ours, 1, 1);

		if (!alpn_find(offer->alpn, name))
			continue;
		writer_bytes(&engine->alpn, name);
		return engine->alpn.bad ? engine_fail_memory(engine) : 0;
	}
	return engine_fail(engine, NO_APPLICATION_PROTOCOL, EPROTONOSUPPORT,
			   "the client offers no application protocol (ALPN) that this server has");
}

void server_alpn_write(struct engine *engine, struct writer *w)
{
	size_t mark, list;

	if (!engine->alpn.len)
		return;
	mark = extension_open(w, EXT_ALPN);
	list = writer_open(w, 2);
	writer_vector(w, 1, writer_view(&engine->alpn));
	writer_close(w, list, 2);
	extension_close(w, mark);
}

/* RFC 8446 section 4.1.3: the sentinel of a server that could do TLS 1.3. */
int server_random_make(struct engine *engine)
{
	static const uint8_t sentinel[] = {
		'D', 'O', 'W', 'N', 'G', 'R', 'D', 1,
	};
	uint8_t *random = engine->schedule12.server_random;

	if (!entropy_bytes(&engine->set.entropy, random, RANDOM_LEN))
		return engine_fail_crypto(engine, "make random bytes");
	if (engine->version < TLS13 && engine->set.max_version >= TLS13)
		memcpy(random + RANDOM_LEN - sizeof(sentinel), sentinel,
		       sizeof(sentinel));
	return 0;
}

int server_nothing_common(struct engine *engine, const char *what)
{
	return engine_fail(engine, HANDSHAKE_FAILURE, EPROTONOSUPPORT,
			   "client and server have no %s in common: see the policy and the certificate's kind",
			   what);
}

/* --------------------------------------------------------- ClientHello */

static int take_session_id(struct engine *engine,
			   const struct client_hello *hello)
{
	struct server *server = &engine->server;

	if (hello->session_id.len)
		memcpy(server->session_id_buf, hello->session_id.data,
		       hello->session_id.len);
	server->session_id = bytes_of(server->session_id_buf,
				      hello->session_id.len);
	server->legacy_version = hello->legacy_version;
	memcpy(engine->schedule12.client_random, hello->random.data,
	       RANDOM_LEN);
	return 0;
}

static int parse(struct engine *engine, const struct message *message,
		 struct offer *offer)
{
	int alert;

	*offer = (struct offer){ 0 };
	alert = client_hello_parse(&offer->hello, message->body);
	if (!alert)
		alert = read_lists(offer);
	if (alert)
		return engine_fail_message(engine, alert, "ClientHello");
	return check_second(engine, &offer->hello);
}

int server_client_hello(struct engine *engine, const struct message *message)
{
	struct offer offer;
	uint16_t version;
	int ret;

	ret = parse(engine, message, &offer);
	if (!ret)
		ret = choose_version(engine, &offer, &version);
	if (!ret)
		ret = check_fallback(engine, &offer, version);
	if (!ret)
		ret = check_compression(engine, &offer, version);
	if (!ret)
		ret = take_session_id(engine, &offer.hello);
	if (!ret)
		ret = choose_alpn(engine, &offer);
	if (!ret && !engine->version)
		ret = version_announce(engine, version);
	if (ret)
		return ret;
	engine->server.named = offer.host.len;
	if (session_enabled(engine)) {
		ret = session_key(engine, offer.host, engine->session_key);
		if (ret)
			return ret;
	}
	if (version >= TLS13)
		return server13_client_hello(engine, &offer);
	return server12_client_hello(engine, &offer);
}
