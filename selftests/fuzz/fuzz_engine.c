// SPDX-License-Identifier: MIT
/*
 * The handshake state machines against a peer that says anything. Built once
 * per role. Randomness is deterministic, and what only a peer with the right
 * keys could send counts as right: Finished, signatures, and if the input
 * wants it, the certificate path. So a recorded handshake can be replayed and
 * changed to its very end.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/ocsp.h>
#include <openssl/rand.h>
#include <openssl/x509_vfy.h>

#include "chunks.h"
#include "engine/engine.h"
#include "pki.h"

#ifndef ROLE
#error "ROLE is SOCKTLS_CLIENT or SOCKTLS_SERVER"
#endif

#define NAME		"localhost"	/* as in recorded certificates */
#define ACTIONS_MAX	4096

/* ------------------------------------------------- what always fits (ld) */

int __wrap_CRYPTO_memcmp(const void *a, const void *b, size_t len);
int __wrap_EVP_DigestVerify(EVP_MD_CTX *ctx, const unsigned char *sig,
			    size_t sig_len, const unsigned char *data,
			    size_t len);
int __wrap_RAND_bytes(unsigned char *out, int len);
int __real_X509_verify_cert(X509_STORE_CTX *ctx);
int __wrap_X509_verify_cert(X509_STORE_CTX *ctx);

static bool trusting;

int __wrap_CRYPTO_memcmp(const void *a, const void *b, size_t len)
{
	volatile uint8_t sum = 0;
	size_t i;

	for (i = 0; i < len; i++)	/* for the sanitizer to see */
		sum ^= ((const uint8_t *)a)[i] ^ ((const uint8_t *)b)[i];
	(void)sum;
	return 0;
}

int __wrap_EVP_DigestVerify(EVP_MD_CTX *ctx, const unsigned char *sig,
			    size_t sig_len, const unsigned char *data,
			    size_t len)
{
	(void)ctx;
	(void)data;
	(void)len;
	return sig_len && !sig[0] ? 0 : 1;
}

static uint64_t random_state;

static int random_bytes(void *arg, uint8_t *out, size_t len)
{
	(void)arg;
	while (len--) {
		random_state = random_state * 6364136223846793005u + 1;
		*out++ = random_state >> 56;
	}
	return 0;
}

int __wrap_RAND_bytes(unsigned char *out, int len)
{
	random_bytes(NULL, out, len);
	return 1;
}

int __wrap_X509_verify_cert(X509_STORE_CTX *ctx)
{
	int ret = __real_X509_verify_cert(ctx);

	return trusting ? 1 : ret;
}

/* ---------------------------------------------------------- record layer */

/* Checks what a real one relies on. */
struct layer {
	enum socktls_level	level;
	uint16_t		version;
	unsigned int		actions;
	bool			done;
	bool			failed;
};

static void must(bool good)
{
	if (!good)
		abort();
}

/* FUZZ_SHOW=1: how an input ends. */
static void show(const char *text)
{
	if (getenv("FUZZ_SHOW"))
		fprintf(stderr, "ends: %s\n", text);
}

static void act(struct layer *layer)
{
	must(!layer->failed && !layer->done);
	must(++layer->actions < ACTIONS_MAX);
}

static int on_send(void *arg, uint8_t type, struct engine_bytes bytes,
		   bool lazy)
{
	(void)lazy;
	act(arg);
	must(bytes.len && (type == 22 || (type == 20 && bytes.len == 1)));
	return 0;
}

static int on_version(void *arg, uint16_t version)
{
	struct layer *layer = arg;

	act(layer);
	must(!layer->version && (version == 0x0303 || version == 0x0304));
	layer->version = version;
	return 0;
}

static int on_key(void *arg, const struct engine_key *key)
{
	struct layer *layer = arg;

	act(layer);
	must(layer->version && key->key_len <= ENGINE_KEY_MAX &&
	     key->iv_len <= ENGINE_IV_MAX &&
	     key->mac_key_len <= ENGINE_SECRET_MAX);
	if (key->direction == SOCKTLS_DIRECTION_RX)
		layer->level = key->level;
	return 0;
}

static int on_limit(void *arg, enum socktls_direction direction,
		    uint32_t max_plaintext)
{
	(void)direction;
	act(arg);
	must(max_plaintext >= 63 && max_plaintext <= 16384);
	return 0;
}

static int on_skip_early(void *arg, enum socktls_skip_mode mode,
			 uint32_t max_bytes)
{
	(void)max_bytes;
	act(arg);
	must(mode == SOCKTLS_SKIP_OPAQUE || mode == SOCKTLS_SKIP_TRIAL);
	return 0;
}

static int on_certificate(void *arg, enum socktls_chain chain,
			  struct engine_bytes der)
{
	(void)chain;
	act(arg);
	must(der.len);
	return 0;
}

static int on_done(void *arg, const struct engine_result *result)
{
	struct layer *layer = arg;

	act(layer);
	must(result->version == layer->version && result->suite);
	must(result->cookie.len <= 4096);
	layer->done = true;
	show("done");
	return 0;
}

static int on_fail(void *arg, const struct engine_failure *failure)
{
	struct layer *layer = arg;

	must(!layer->failed && !layer->done);
	must(failure->error > 0 && strlen(failure->text) > 10);
	show(failure->text);
	layer->failed = true;
	return 0;
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
};

/* -------------------------------------------------------------- sessions */

/* What was added last; tickets are sealed by no more than a prefix. */
static uint8_t stored[ENGINE_SESSION_MAX];
static size_t stored_len;

static int on_add(void *arg, enum engine_session_kind kind,
		  struct engine_bytes key, struct engine_bytes value,
		  time_t expires)
{
	(void)arg;
	(void)kind;
	(void)key;
	(void)expires;
	must(value.len <= sizeof(stored));
	memcpy(stored, value.data, value.len);
	stored_len = value.len;
	return 0;
}

static int on_find(void *arg, enum engine_session_kind kind,
		   struct engine_bytes key, time_t now, uint8_t *value,
		   size_t *len)
{
	(void)arg;
	(void)kind;
	(void)key;
	(void)now;
	if (!stored_len || stored_len > *len)
		return -ENOENT;
	memcpy(value, stored, stored_len);
	*len = stored_len;
	return 0;
}

static void on_drop(void *arg, enum engine_session_kind kind,
		    struct engine_bytes key)
{
	(void)arg;
	(void)kind;
	(void)key;
	stored_len = 0;
}

static int on_seal(void *arg, time_t now, struct engine_bytes plain,
		   uint8_t *sealed, size_t *len)
{
	(void)arg;
	(void)now;
	sealed[0] = 's';
	memcpy(sealed + 1, plain.data, plain.len);
	*len = plain.len + 1;
	return 0;
}

static int on_open(void *arg, time_t now, struct engine_bytes sealed,
		   uint8_t *plain, size_t *len)
{
	(void)arg;
	(void)now;
	if (!sealed.len || sealed.data[0] != 's')
		return -EBADMSG;
	memcpy(plain, sealed.data + 1, sealed.len - 1);
	*len = sealed.len - 1;
	return 0;
}

static const struct engine_sessions sessions = {
	.add	= on_add,
	.find	= on_find,
	.drop	= on_drop,
	.seal	= on_seal,
	.open	= on_open,
};

/* ------------------------------------------------------------ the fuzzer */

static struct engine_identity *identities[3];
static struct engine_identity *client_identity;
static struct engine_trust *trust;
static struct engine_psks *psks;

static struct engine_identity *identity_of(const struct pki_cert *cert)
{
	struct engine_identity *identity;
	char text[128];
	void *key;

	must(!engine_local_key_new(&key, (struct engine_bytes){
			(uint8_t *)cert->key_pem, strlen(cert->key_pem) },
			text, sizeof(text)));
	must(!engine_identity_new(&identity, (struct engine_bytes){
			(uint8_t *)cert->chain_pem, strlen(cert->chain_pem) },
			&engine_local_keyops, key, text, sizeof(text)));
	return identity;
}

static void make_psks(void)
{
	static const uint8_t secret[32] = { 1, 2, 3 };
	static const char identity[] = "fuzz";
	char text[128];

	psks = engine_psks_new();
	must(psks && !engine_psks_add(psks, (struct engine_bytes){
			(const uint8_t *)identity, strlen(identity) },
			(struct engine_bytes){ secret, sizeof(secret) }, NULL,
			NULL, text, sizeof(text)));
}

/* Lives as long as the process. */
static void make_world(void)
{
	static const char *const kinds[] = { "ed25519", "rsa", "p256" };
	static struct pki_cert *ca, *certs[4];
	struct pki_status status = { 0 };
	unsigned char *der;
	char text[128];
	size_t i, len;

	make_psks();
	ca = pki_issue(&(struct pki_spec){ .key = "ed25519", .name = "CA",
					   .ca = true });
	for (i = 0; i < 3; i++) {
		certs[i] = pki_issue(&(struct pki_spec){ .key = kinds[i],
			.name = "server", .san = "DNS:" NAME, .issuer = ca });
		identities[i] = identity_of(certs[i]);
		status.cert = certs[i];
		status.issuer = ca;
		der = pki_ocsp(&status, &len);
		must(!engine_identity_staple(identities[i],
				(struct engine_bytes){ der, len }, text,
				sizeof(text)));
		OPENSSL_free(der);
	}
	certs[3] = pki_issue(&(struct pki_spec){ .key = "ed25519",
		.name = "client", .issuer = ca });
	client_identity = identity_of(certs[3]);
	must(!engine_trust_new(&trust, (struct engine_bytes){
			(uint8_t *)ca->cert_pem, strlen(ca->cert_pem) },
			text, sizeof(text)));
}

static struct engine_config configure(uint8_t how)
{
	static const char *const policies[] = {
		NULL, "modern", "intermediate", "legacy",
	};
	static const uint8_t alpn[] = "\2h2\10http/1.1";
	struct engine_config config = {
		.role = ROLE, .policy = policies[how & 3],
		.random = random_bytes,
		.sessions = &sessions, .session_ids = true, .tickets = 2,
	};

	trusting = how & 4;
	if (how & 8)
		config.alpn = (struct engine_bytes){ alpn, sizeof(alpn) - 1 };
	if (how & 16 && (how & 3) != 1)
		config.max_version = 0x0303;
	config.peer_auth = how & 32 ? SOCKTLS_PEER_AUTH_REQUEST :
				      SOCKTLS_PEER_AUTH_NONE;
	config.trust = how & 32 ? trust : NULL;
	if (ROLE == SOCKTLS_CLIENT) {
		config.server_name = how & 64 ? "127.0.0.1" : NAME;
		config.identities = &client_identity;
		config.n_identities = how & 128 ? 1 : 0;
		/* then the server has to take it */
		if ((how & 67) == 66)
			config.psks = psks;
	} else {
		config.psks = psks;
		config.identities = identities;
		config.n_identities = how & 64 ? 1 : 3;
		if (how & 128)
			config.peer_auth = SOCKTLS_PEER_AUTH_NONE;
	}
	return config;
}

static int feed(struct engine *engine, const struct layer *layer,
		const struct chunk *chunk)
{
	static const struct {
		int	level;		/* -1: the one the layer is at */
		uint8_t	type;
	} kinds[KINDS] = {
		[CHUNK_HANDSHAKE] = { -1, 22 },
		[CHUNK_CCS]	  = { -1, 20 },
		[CHUNK_PLAINTEXT] = { SOCKTLS_LEVEL_PLAINTEXT, 22 },
		[CHUNK_PROTECTED] = { SOCKTLS_LEVEL_HANDSHAKE, 22 },
		[CHUNK_DATA]	  = { -1, 23 },
	};
	int level = kinds[chunk->kind].level;

	/* The record layer drops these in TLS 1.3. */
	if (chunk->kind == CHUNK_CCS && layer->version == 0x0304)
		return 0;
	return engine_receive(engine, level < 0 ? layer->level :
			      (enum socktls_level)level,
			      kinds[chunk->kind].type,
			      (struct engine_bytes){ chunk->data, chunk->len });
}

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Keys take a second: once, before AFL++ forks. */
int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	make_world();
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct chunk chunks[CHUNKS_MAX];
	struct engine_config config;
	struct layer layer = { 0 };
	struct engine *engine;
	size_t i, n;
	int ret;

	if (!size)
		return 0;
	random_state = 1;
	stored_len = 0;
	config = configure(data[0]);
	must(!engine_new(&engine, &config, &output, &layer));
	ret = engine_start(engine);
	n = chunks_read(data, size, chunks);
	for (i = 0; i < n && !ret && !layer.done; i++)
		ret = feed(engine, &layer, &chunks[i]);
	must(!ret == !layer.failed);
	must(layer.done == engine_is_done(engine));
	engine_free(engine);
	return 0;
}
