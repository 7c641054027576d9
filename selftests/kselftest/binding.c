// SPDX-License-Identifier: MIT
/*
 * Channel bindings by libsocktls, and external PSKs: what both ends say about
 * one connection, OpenSSL being the other one.
 */
#include "peer.h"

#include "socktls.h"

#define KEY	"0123456789abcdef"	/* identities/keys/psk */

FIXTURE(binding) {
	struct pair	pair;
};

FIXTURE_VARIANT(binding) {
	int		version;
	const char	*identity;
};

FIXTURE_VARIANT_ADD(binding, tls13_rsa) { TLS1_3_VERSION, "server-rsa" };
FIXTURE_VARIANT_ADD(binding, tls13_ecdsa) { TLS1_3_VERSION, "server-ecdsa" };
FIXTURE_VARIANT_ADD(binding, tls12_rsa) { TLS1_2_VERSION, "server-rsa" };
FIXTURE_VARIANT_ADD(binding, tls12_ecdsa) { TLS1_2_VERSION, "server-ecdsa" };

FIXTURE_SETUP(binding)
{
	tcp_pair(AF_INET, &self->pair.client, &self->pair.server);
}

static void expect_exporter(int fd, struct peer *peer)
{
	static const char label[] = "EXPORTER-Channel-Binding";
	uint8_t ours[SOCKTLS_BINDING_MAX], theirs[32];

	ASSERT_EQ(SSL_export_keying_material(peer->ssl, theirs, sizeof(theirs),
					     label, sizeof(label) - 1,
					     (const uint8_t *)"", 0, 1), 1);
	ASSERT_EQ(socktls_get_channel_binding(fd, "tls-exporter", ours,
					      sizeof(ours)), 32);
	EXPECT_EQ(memcmp(ours, theirs, 32), 0);
}

static void expect_end_point(int fd, X509 *cert)
{
	uint8_t ours[SOCKTLS_BINDING_MAX], theirs[EVP_MAX_MD_SIZE];
	unsigned int len;
	int hash;

	ASSERT_NE(cert, NULL);
	ASSERT_EQ(X509_get_signature_info(cert, &hash, NULL, NULL, NULL), 1);
	ASSERT_EQ(X509_digest(cert, EVP_get_digestbynid(hash), theirs, &len),
		  1);
	ASSERT_EQ(socktls_get_channel_binding(fd, "tls-server-end-point", ours,
					      sizeof(ours)), (ssize_t)len);
	EXPECT_EQ(memcmp(ours, theirs, len), 0);
	EXPECT_ERRNO(socktls_get_channel_binding(fd, "tls-server-end-point",
						 ours, len - 1), ERANGE);
	EXPECT_ERRNO(socktls_get_channel_binding(fd, "tls-unique", ours,
						 sizeof(ours)), EINVAL);
}

TEST_F(binding, is_openssls_as_client)
{
	struct peer peer = {
		.fd = self->pair.server, .server = true,
		.version = variant->version, .identity = variant->identity,
	};

	peer_start(&peer);
	tls_prepare_client(self->pair.client);
	ASSERT_EQ(tls_start(self->pair.client, SOCKTLS_CLIENT, 0), 0);
	ASSERT_TRUE(peer_join(&peer));
	expect_exporter(self->pair.client, &peer);
	expect_end_point(self->pair.client, SSL_get_certificate(peer.ssl));
}

TEST_F(binding, is_openssls_as_server)
{
	struct peer peer = {
		.fd = self->pair.client, .version = variant->version,
	};

	peer_start(&peer);
	tls_prepare_server(self->pair.server, variant->identity);
	ASSERT_EQ(tls_start(self->pair.server, SOCKTLS_SERVER, 0), 0);
	ASSERT_TRUE(peer_join(&peer));
	expect_exporter(self->pair.server, &peer);
	expect_end_point(self->pair.server,
			 SSL_get0_peer_certificate(peer.ssl));
}

FIXTURE(lack) {
	struct pair	pair;
};

FIXTURE_SETUP(lack)
{
	tcp_pair(AF_INET, &self->pair.client, &self->pair.server);
}

TEST_F(lack, no_exporter_without_extended_master_secret)
{
	struct peer peer = {
		.fd = self->pair.server, .server = true,
		.version = TLS1_2_VERSION, .identity = "server-rsa",
	};
	uint8_t value[SOCKTLS_BINDING_MAX];

	peer_prepare(&peer);
	SSL_CTX_set_options(peer.ctx, SSL_OP_NO_EXTENDED_MASTER_SECRET);
	peer_start(&peer);
	tls_prepare_client(self->pair.client);
	ASSERT_EQ(tls_start(self->pair.client, SOCKTLS_CLIENT, 0), 0);
	ASSERT_TRUE(peer_join(&peer));
	EXPECT_ERRNO(socktls_get_channel_binding(self->pair.client,
						 "tls-exporter", value,
						 sizeof(value)), EOPNOTSUPP);
	expect_end_point(self->pair.client, SSL_get_certificate(peer.ssl));
}

TEST_F(lack, no_end_point_before_the_handshake)
{
	uint8_t value[SOCKTLS_BINDING_MAX];

	tls_prepare_client(self->pair.client);
	EXPECT_EQ(socktls_get_channel_binding(self->pair.client,
					      "tls-server-end-point", value,
					      sizeof(value)), -1);
	EXPECT_EQ(socktls_get_channel_binding(self->pair.client,
					      "tls-exporter", value,
					      sizeof(value)), -1);
}

/* ---- external PSKs: there is no certificate to bind to ---- */

FIXTURE(psk) {
	struct pair	pair;
};

FIXTURE_SETUP(psk)
{
	tcp_pair(AF_INET, &self->pair.client, &self->pair.server);
}

static unsigned int client_key(SSL *ssl, const char *hint, char *identity,
			       unsigned int identity_len, unsigned char *key,
			       unsigned int key_len)
{
	(void)ssl;
	(void)hint;
	(void)key_len;
	snprintf(identity, identity_len, "device-7");
	memcpy(key, KEY, strlen(KEY));
	return strlen(KEY);
}

static unsigned int server_key(SSL *ssl, const char *identity,
			       unsigned char *key, unsigned int key_len)
{
	(void)ssl;
	(void)key_len;
	if (strcmp(identity, "device-7"))
		return 0;
	memcpy(key, KEY, strlen(KEY));
	return strlen(KEY);
}

static void expect_psk(int fd, struct peer *peer)
{
	uint8_t value[SOCKTLS_BINDING_MAX];
	struct socktls_info info;
	char identity[64], c;

	tls_info(fd, &info);
	EXPECT_TRUE(info.flags & SOCKTLS_INFO_PSK);
	EXPECT_FALSE(info.flags & SOCKTLS_INFO_PEER_VERIFIED);
	ASSERT_EQ(socktls_get_peer_identity(fd, identity, sizeof(identity)), 0);
	EXPECT_EQ(strcmp(identity, "psk:device-7"), 0);
	EXPECT_ERRNO(socktls_get_channel_binding(fd, "tls-server-end-point",
						 value, sizeof(value)),
		     ENODATA);
	expect_exporter(fd, peer);
	ASSERT_EQ(write(fd, "x", 1), 1);
	ASSERT_TRUE(peer_read(peer, &c, 1));
	EXPECT_EQ(c, 'x');
	ASSERT_TRUE(peer_write(peer, "y", 1));
	ASSERT_EQ(read(fd, &c, 1), 1);
	EXPECT_EQ(c, 'y');
}

TEST_F(psk, proves_the_server)
{
	struct peer peer = {
		.fd = self->pair.server, .server = true,
		.version = TLS1_3_VERSION,
	};

	peer_prepare(&peer);
	SSL_CTX_set_psk_server_callback(peer.ctx, server_key);
	peer_start(&peer);
	ASSERT_EQ(tls_attach(self->pair.client), 0);
	ASSERT_EQ(tls_set_text(self->pair.client, SOCKTLS_IDENTITY, "keys"), 0);
	ASSERT_EQ(tls_start(self->pair.client, SOCKTLS_CLIENT, 0), 0);
	ASSERT_TRUE(peer_join(&peer));
	expect_psk(self->pair.client, &peer);
}

TEST_F(psk, proves_the_client)
{
	struct peer peer = {
		.fd = self->pair.client, .version = TLS1_3_VERSION,
	};

	peer_prepare(&peer);
	SSL_CTX_set_psk_client_callback(peer.ctx, client_key);
	peer_start(&peer);
	tls_prepare_server(self->pair.server, "keys");
	ASSERT_EQ(tls_start(self->pair.server, SOCKTLS_SERVER, 0), 0);
	ASSERT_TRUE(peer_join(&peer));
	expect_psk(self->pair.server, &peer);
}

int main(int argc, char **argv)
{
	return harness_main(argc, argv);
}
