// SPDX-License-Identifier: MIT
#include <errno.h>
#include <string.h>

#include <openssl/x509v3.h>

#include "engine/auth.h"
#include "engine/ocsp.h"
#include "engine/x509.h"

/* -------------------------------------------------------------- sending */

static void write_entry_extensions(struct engine *engine, struct writer *w,
				   bool leaf)
{
	size_t mark = writer_open(w, 2), inner;

	if (leaf && engine->staple.len) {
		inner = extension_open(w, EXT_STATUS_REQUEST);
		ocsp_write_status(w, engine->staple);
		extension_close(w, inner);
	}
	writer_close(w, mark, 2);
}

int auth_send_certificate(struct engine *engine,
			  const struct engine_identity *identity,
			  struct engine_bytes context)
{
	struct writer *w = message_begin(engine, CERTIFICATE);
	size_t mark, i;

	if (engine->version >= TLS13)
		writer_vector(w, 1, context);
	mark = writer_open(w, 3);
	for (i = 0; identity && i < identity->n; i++) {
		writer_vector(w, 3, identity->der[i]);
		if (engine->version >= TLS13)
			write_entry_extensions(engine, w, !i);
	}
	writer_close(w, mark, 3);
	return message_end(engine);
}

int auth_send_status(struct engine *engine)
{
	ocsp_write_status(message_begin(engine, CERTIFICATE_STATUS),
			  engine->staple);
	return message_end(engine);
}

int auth_sign(struct engine *engine, uint16_t scheme,
	      struct engine_bytes content, struct writer *w)
{
	const struct engine_identity *own = engine->identity;
	uint8_t signature[SIGNATURE_MAX];
	size_t len = sizeof(signature);
	int ret;

	ret = own->ops->sign(own->key, scheme, content, signature, &len);
	if (ret)
		return engine_fail(engine, INTERNAL_ERROR, ENOKEY,
				   "the private key did not make a signature (%s): see the helper's log",
				   strerror(-ret));
	certificate_verify_write(w, scheme, bytes_of(signature, len));
	return 0;
}

/* What a TLS 1.3 CertificateVerify covers, RFC 8446 section 4.4.3. */
static void verify13_content(struct writer *w, bool by_server,
			     const struct digest *hash)
{
	static const char server[] = "TLS 1.3, server CertificateVerify";
	static const char client[] = "TLS 1.3, client CertificateVerify";
	const char *context = by_server ? server : client;
	uint8_t *pad = writer_room(w, 64);

	if (pad)
		memset(pad, ' ', 64);
	/* with its NUL, the separator */
	writer_bytes(w, bytes_of(context, sizeof(server)));
	writer_bytes(w, digest_view(hash));
}

int auth_send_verify13(struct engine *engine, uint16_t scheme)
{
	struct writer content = { 0 };
	struct digest hash;
	struct writer *w;
	int ret;

	ret = transcript_now(engine, &hash);
	if (ret)
		return ret;
	verify13_content(&content, !is_client(engine), &hash);
	w = message_begin(engine, CERTIFICATE_VERIFY);
	if (content.bad)
		ret = engine_fail_memory(engine);
	else
		ret = auth_sign(engine, scheme, writer_view(&content), w);
	writer_free(&content);
	return ret ? ret : message_end(engine);
}

int auth_send_verify12(struct engine *engine, uint16_t scheme)
{
	struct writer *w = message_begin(engine, CERTIFICATE_VERIFY);
	int ret;

	ret = auth_sign(engine, scheme, writer_view(&engine->transcript.raw),
			w);
	return ret ? ret : message_end(engine);
}

static struct engine_bytes authorities(const struct engine *engine)
{
	if (!engine->set.trust)
		return bytes_of(NULL, 0);
	return writer_view(&engine->set.trust->names);
}

static bool lists(const uint16_t *list, size_t n, uint16_t scheme)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (list[i] == scheme)
			return true;
	return false;
}

/* What a policy leaves out is left out of handshakes, not of certificates. */
void auth_write_sigalgs_cert(struct engine *engine, struct writer *w)
{
	const struct policy *policy = engine->set.policy;
	uint16_t all[SIGALGS_CERT_MAX];
	size_t n = sigalgs_of_certificates(policy->security_level, all), i;

	if (engine->set.peer_auth == SOCKTLS_PEER_AUTH_NONE)
		return;
	for (i = 0; i < n; i++)
		if (!lists(policy->sigalgs, policy->n_sigalgs, all[i]))
			break;
	if (i < n || n != policy->n_sigalgs)
		extension_write_u16_list(w, EXT_SIGNATURE_ALGORITHMS_CERT, all,
					 n);
}

int auth_send_request13(struct engine *engine)
{
	const struct policy *policy = engine->set.policy;
	struct writer *w = message_begin(engine, CERTIFICATE_REQUEST);
	struct engine_bytes names = authorities(engine);
	size_t mark, inner;

	writer_u8(w, 0);	/* certificate_request_context */
	mark = writer_open(w, 2);
	extension_write_u16_list(w, EXT_SIGNATURE_ALGORITHMS, policy->sigalgs,
				 policy->n_sigalgs);
	auth_write_sigalgs_cert(engine, w);
	if (policy->client_ocsp)
		extension_write(w, EXT_STATUS_REQUEST, bytes_of(NULL, 0));
	/* The vector may not be empty; it and its extension have lengths. */
	if (names.len && names.len < UINT16_MAX - 256) {
		inner = extension_open(w, EXT_CERTIFICATE_AUTHORITIES);
		writer_vector(w, 2, names);
		extension_close(w, inner);
	}
	writer_close(w, mark, 2);
	engine->server.asked = true;
	return message_end(engine);
}

int auth_send_request12(struct engine *engine)
{
	const struct policy *policy = engine->set.policy;
	struct writer *w = message_begin(engine, CERTIFICATE_REQUEST);
	size_t mark, i;

	writer_u8(w, 2);
	writer_u8(w, CERT_TYPE_RSA_SIGN);
	writer_u8(w, CERT_TYPE_ECDSA_SIGN);
	mark = writer_open(w, 2);
	for (i = 0; i < policy->n_sigalgs; i++)
		writer_u16(w, policy->sigalgs[i]);
	writer_close(w, mark, 2);
	writer_vector(w, 2, authorities(engine));
	engine->server.asked = true;
	return message_end(engine);
}

/* ------------------------------------------------------------ receiving */

/* No certificate: a server's is a fault, a client's is a choice. */
static int no_certificate(struct engine *engine)
{
	if (is_client(engine))
		return engine_fail_message(engine, DECODE_ERROR, "Certificate");
	if (engine->set.peer_auth != SOCKTLS_PEER_AUTH_REQUIRE)
		return 0;
	return engine_fail(engine, engine->version >= TLS13 ?
			   CERTIFICATE_REQUIRED : HANDSHAKE_FAILURE,
			   EKEYREJECTED,
			   "the client sent no certificate, and one is required");
}

int auth_certificate(struct engine *engine, const struct message *message)
{
	struct certificate_list list;
	struct engine_bytes context;
	int alert, ret;

	alert = certificate_parse(&list, engine->version >= TLS13,
				  message->body, &context);
	if (alert)
		return engine_fail_message(engine, alert, "Certificate");
	/* We send no context; RFC 8446 section 4.4.2. */
	if (context.len)
		return engine_fail_message(engine, ILLEGAL_PARAMETER,
					   "Certificate");
	ret = peer_take(engine, &list);
	if (ret)
		return ret;
	if (!engine->peer.chain)
		return no_certificate(engine);
	ret = peer_verify(engine);
	if (ret || engine->client.status_due)
		return ret;
	if (!is_client(engine) && !engine->set.policy->client_ocsp)
		return 0;
	if (engine->peer.staple.len)
		return ocsp_check(engine, writer_view(&engine->peer.staple));
	return ocsp_check_missing(engine);
}

int auth_check_signature(struct engine *engine,
			 const struct signature *signature,
			 struct engine_bytes content, const char *what)
{
	const struct sigalg *alg = sigalg_find(signature->scheme);

	if (!alg || !settings_offer_sigalg(&engine->set, signature->scheme) ||
	    !sigalg_fits(alg, engine->peer.key, engine->version))
		return engine_fail(engine, ILLEGAL_PARAMETER, EPROTO,
				   "%s from %s is signed with scheme 0x%04x, which was not offered or does not fit its certificate",
				   what, engine_peer_name(engine),
				   signature->scheme);
	/* RFC 8446 section 4.4.2.2, RFC 5246 section 7.4.2 */
	if (!(X509_get_key_usage(sk_X509_value(engine->peer.chain, 0)) &
	      KU_DIGITAL_SIGNATURE))
		return engine_fail(engine, ILLEGAL_PARAMETER, EKEYREJECTED,
				   "the certificate of %s has a key that may not be used to sign (key usage)",
				   engine_peer_name(engine));
	if (!sigalg_verify(alg, engine->peer.key, content, signature->value))
		return engine_fail(engine, DECRYPT_ERROR, EPROTO,
				   "the signature of %s in its %s is wrong",
				   engine_peer_name(engine), what);
	engine->peer.scheme = signature->scheme;
	return 0;
}

int auth_check_verify13(struct engine *engine, const struct message *message)
{
	struct signature signature;
	struct writer content = { 0 };
	struct digest hash;
	int alert, ret;

	alert = certificate_verify_parse(&signature, message->body);
	if (alert)
		return engine_fail_message(engine, alert, "CertificateVerify");
	ret = transcript_now(engine, &hash);
	if (ret)
		return ret;
	verify13_content(&content, is_client(engine), &hash);
	if (content.bad)
		ret = engine_fail_memory(engine);
	else
		ret = auth_check_signature(engine, &signature,
					   writer_view(&content),
					   "CertificateVerify");
	writer_free(&content);
	return ret;
}

int auth_check_verify12(struct engine *engine, const struct message *message)
{
	struct signature signature;
	int alert;

	alert = certificate_verify_parse(&signature, message->body);
	if (alert)
		return engine_fail_message(engine, alert, "CertificateVerify");
	return auth_check_signature(engine, &signature,
				    writer_view(&engine->transcript.raw),
				    "CertificateVerify");
}

/* Does the certificate's key fit TLS 1.2's certificate_types? */
static bool type_wanted(const struct engine_identity *identity,
			struct engine_bytes types)
{
	uint8_t type = identity_auth(identity) == AUTH_RSA ?
			CERT_TYPE_RSA_SIGN : CERT_TYPE_ECDSA_SIGN;

	return !types.len || bytes_have_u8(types, type);
}

/* The first one that the server can do with; 0: none. */
static uint16_t choose_client(struct engine *engine,
			      const struct certificate_request *request,
			      bool fitting)
{
	struct settings *set = &engine->set;
	uint16_t scheme = 0;
	size_t i;

	for (i = 0; i < set->n_identities && !scheme; i++) {
		struct engine_identity *identity = set->identities[i];

		if (!type_wanted(identity, request->types))
			continue;
		if (request->authorities.len &&
		    !identity_issued_by(identity, request->authorities))
			continue;
		if (fitting &&
		    !identity_chain_fits(identity, request->sigalgs_cert))
			continue;
		scheme = identity_scheme(identity, set->policy->sigalgs,
					 set->policy->n_sigalgs,
					 request->sigalgs, engine->version);
		if (scheme)
			engine->identity = identity;
	}
	return scheme;
}

void auth_answer_request(struct engine *engine,
			 const struct certificate_request *request)
{
	struct client *client = &engine->client;

	client->asked = true;
	client->scheme = choose_client(engine, request, true);
	if (!client->scheme)
		client->scheme = choose_client(engine, request, false);
	if (client->scheme && request->status)
		engine->staple = ocsp_staple(engine->identity,
					     engine->set.now);
}
