/* SPDX-License-Identifier: MIT */
/*
 * Codecs of the handshake messages: bodies, without the 4-byte header.
 *
 * Parsers return 0 or an AlertDescription; what they fill points into the
 * body. Writers cannot fail but for memory, which the writer remembers.
 */
#ifndef SOCKTLS_ENGINE_MESSAGES_H
#define SOCKTLS_ENGINE_MESSAGES_H

#include "engine/extensions.h"

/* RFC 8446 section 4.1.2; also a TLS 1.2 ClientHello. */
struct client_hello {
	uint16_t		legacy_version;
	struct engine_bytes	random;
	struct engine_bytes	session_id;
	struct engine_bytes	suites;		/* uint16 each */
	struct engine_bytes	compression;
	struct extensions	extensions;
};

int client_hello_parse(struct client_hello *hello, struct engine_bytes body);
/* Everything before the extensions; @grease stands before @suites. */
void client_hello_write(struct writer *w, uint16_t legacy_version,
			const uint8_t random[RANDOM_LEN],
			struct engine_bytes session_id, uint16_t grease,
			const uint16_t *suites, size_t n);

/* RFC 8446 sections 4.1.3 and 4.1.4, RFC 5246 section 7.4.1.3. */
struct server_hello {
	bool			retry;		/* HelloRetryRequest */
	uint16_t		version;	/* selected_version's, if there */
	uint16_t		legacy_version;
	struct engine_bytes	random;
	struct engine_bytes	session_id;
	uint16_t		suite;
	uint8_t			compression;
	struct extensions	extensions;
};

extern const uint8_t hello_retry_random[RANDOM_LEN];

int server_hello_parse(struct server_hello *hello, struct engine_bytes body);
void server_hello_write(struct writer *w, const uint8_t random[RANDOM_LEN],
			struct engine_bytes session_id, uint16_t suite);

int encrypted_extensions_parse(struct extensions *list,
			       struct engine_bytes body);

/**
 * struct certificate_list - an iterator over the certificates of a message
 * @list: what is left of the list
 * @tls13: entries have extensions
 */
struct certificate_list {
	struct reader	list;
	bool		tls13;
};

/* @context is empty in TLS 1.2. Every entry is checked for its form. */
int certificate_parse(struct certificate_list *list, bool tls13,
		      struct engine_bytes body, struct engine_bytes *context);
/* False at the end. @extensions: raw, TLS 1.3 only. */
bool certificate_next(struct certificate_list *list, struct engine_bytes *der,
		      struct engine_bytes *extensions);

/**
 * struct certificate_request - both versions' CertificateRequest
 * @context: TLS 1.3
 * @types: TLS 1.2, ClientCertificateType each
 * @sigalgs: SignatureScheme each
 * @sigalgs_cert: the same of certificates
 * @status: an OCSP response is asked for
 * @authorities: DistinguishedName each, with a 2-byte length; may be empty
 */
struct certificate_request {
	struct engine_bytes	context;
	struct engine_bytes	types;
	struct engine_bytes	sigalgs;
	struct engine_bytes	sigalgs_cert;
	bool			status;
	struct engine_bytes	authorities;
};

int certificate_request13_parse(struct certificate_request *request,
				struct engine_bytes body);
int certificate_request12_parse(struct certificate_request *request,
				struct engine_bytes body);

/* CertificateVerify, the same in both versions. */
struct signature {
	uint16_t		scheme;
	struct engine_bytes	value;
};

int certificate_verify_parse(struct signature *signature,
			     struct engine_bytes body);
void certificate_verify_write(struct writer *w, uint16_t scheme,
			      struct engine_bytes value);

/* RFC 8422 section 5.4: @params is what the signature covers. */
struct server_key_exchange {
	struct engine_bytes	params;
	uint16_t		group;
	struct engine_bytes	point;
	struct signature	signature;
};

int server_key_exchange_ecdhe_parse(struct server_key_exchange *exchange,
				    struct engine_bytes body);
/* RFC 5246 section 7.4.3: dh_p, dh_g, dh_Ys. */
struct server_dh_params {
	struct engine_bytes	p;
	struct engine_bytes	g;
	struct engine_bytes	y;
};

int server_key_exchange_dhe_parse(struct server_key_exchange *exchange,
				  struct server_dh_params *dh,
				  struct engine_bytes body);

/* ClientKeyExchange is one vector: @width 1 for ECDHE, 2 for RSA and DHE. */
int client_key_exchange_parse(struct engine_bytes *exchange, unsigned int width,
			      struct engine_bytes body);

/* RFC 8446 section 4.6.1. */
struct new_session_ticket {
	uint32_t		lifetime;
	uint32_t		age_add;
	struct engine_bytes	nonce;
	struct engine_bytes	ticket;
	struct extensions	extensions;
};

int new_session_ticket13_parse(struct new_session_ticket *ticket,
			       struct engine_bytes body);
/* RFC 5077 section 3.3: @lifetime and @ticket alone. */
int new_session_ticket12_parse(struct new_session_ticket *ticket,
			       struct engine_bytes body);

#endif /* SOCKTLS_ENGINE_MESSAGES_H */
