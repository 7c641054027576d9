// SPDX-License-Identifier: MIT
/* See peer.h. */
#include "peer.h"

#include <openssl/err.h>

static void peer_identity(struct peer *peer)
{
	char name[256];

	snprintf(name, sizeof(name), "identities/%s/chain.pem", peer->identity);
	ASSERT_EQ(SSL_CTX_use_certificate_chain_file(peer->ctx,
						     pki_path(name)), 1);
	snprintf(name, sizeof(name), "identities/%s/key.pem", peer->identity);
	ASSERT_EQ(SSL_CTX_use_PrivateKey_file(peer->ctx, pki_path(name),
					      SSL_FILETYPE_PEM), 1);
}

void peer_prepare(struct peer *peer)
{
	peer->ctx = SSL_CTX_new(peer->server ? TLS_server_method() :
					       TLS_client_method());
	ASSERT_NE(peer->ctx, NULL);
	if (peer->version) {
		SSL_CTX_set_min_proto_version(peer->ctx, peer->version);
		SSL_CTX_set_max_proto_version(peer->ctx, peer->version);
	}
	if (peer->suite && peer->version == TLS1_3_VERSION)
		ASSERT_EQ(SSL_CTX_set_ciphersuites(peer->ctx, peer->suite), 1);
	else if (peer->suite)
		ASSERT_EQ(SSL_CTX_set_cipher_list(peer->ctx, peer->suite), 1);
	if (peer->identity)
		peer_identity(peer);
	ASSERT_EQ(SSL_CTX_load_verify_file(peer->ctx,
					   pki_path("trust/ca.pem")), 1);
	if (!peer->server || peer->request)
		SSL_CTX_set_verify(peer->ctx, SSL_VERIFY_PEER |
				   SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
}

static void *peer_run(void *arg)
{
	struct peer *peer = arg;
	int ret = peer->server ? SSL_accept(peer->ssl) : SSL_connect(peer->ssl);

	peer->ok = ret == 1;
	if (!peer->ok)
		harness_note("OpenSSL: %s",
			     ERR_reason_error_string(ERR_peek_last_error()) ? :
			     "no reason");
	return NULL;
}

void peer_start(struct peer *peer)
{
	if (!peer->ctx)
		peer_prepare(peer);
	peer->ssl = SSL_new(peer->ctx);
	ASSERT_NE(peer->ssl, NULL);
	SSL_set_fd(peer->ssl, peer->fd);
	if (!peer->server)
		SSL_set_tlsext_host_name(peer->ssl, "localhost");
	ASSERT_EQ(pthread_create(&peer->thread, NULL, peer_run, peer), 0);
}

bool peer_join(struct peer *peer)
{
	ASSERT_EQ(pthread_join(peer->thread, NULL), 0);
	return peer->ok;
}

bool peer_write(struct peer *peer, const void *buf, size_t len)
{
	return SSL_write(peer->ssl, buf, len) == (int)len;
}

bool peer_read(struct peer *peer, void *buf, size_t len)
{
	size_t done = 0;

	while (done < len) {
		int n = SSL_read(peer->ssl, buf + done, len - done);

		if (n <= 0)
			return false;
		done += n;
	}
	return true;
}

int peer_read_error(struct peer *peer)
{
	char c;
	int ret;

	ERR_clear_error();
	ret = SSL_read(peer->ssl, &c, 1);
	return SSL_get_error(peer->ssl, ret);
}
