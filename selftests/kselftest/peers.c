// SPDX-License-Identifier: MIT
/* OpenSSL as the other end: versions and suites, tickets, ends, STARTTLS. */
#include "peer.h"

FIXTURE(suite) {
	struct pair	pair;
};

FIXTURE_VARIANT(suite) {
	int		version;
	const char	*name;
	int		code;
	const char	*identity;
};

FIXTURE_VARIANT_ADD(suite, tls13_aes128_gcm) {
	TLS1_3_VERSION, "TLS_AES_128_GCM_SHA256", 0x1301, "server-ecdsa"
};
FIXTURE_VARIANT_ADD(suite, tls13_aes256_gcm) {
	TLS1_3_VERSION, "TLS_AES_256_GCM_SHA384", 0x1302, "server-rsa"
};
FIXTURE_VARIANT_ADD(suite, tls13_chacha20) {
	TLS1_3_VERSION, "TLS_CHACHA20_POLY1305_SHA256", 0x1303, "server-ed25519"
};
FIXTURE_VARIANT_ADD(suite, tls12_ecdhe_ecdsa_aes128_gcm) {
	TLS1_2_VERSION, "ECDHE-ECDSA-AES128-GCM-SHA256", 0xc02b, "server-ecdsa"
};
FIXTURE_VARIANT_ADD(suite, tls12_ecdhe_rsa_aes256_gcm) {
	TLS1_2_VERSION, "ECDHE-RSA-AES256-GCM-SHA384", 0xc030, "server-rsa"
};
FIXTURE_VARIANT_ADD(suite, tls12_ecdhe_rsa_chacha20) {
	TLS1_2_VERSION, "ECDHE-RSA-CHACHA20-POLY1305", 0xcca8, "server-rsa"
};
FIXTURE_VARIANT_ADD(suite, tls12_rsa_aes128_gcm) {
	TLS1_2_VERSION, "AES128-GCM-SHA256", 0x009c, "server-rsa"
};
FIXTURE_VARIANT_ADD(suite, tls12_rsa_aes128_cbc_sha256) {
	TLS1_2_VERSION, "AES128-SHA256", 0x003c, "server-rsa"
};

FIXTURE_SETUP(suite)
{
	tcp_pair(AF_INET, &self->pair.client, &self->pair.server);
}

static void exchange(struct peer *peer, int fd)
{
	static char buf[100000];
	struct flow flow = { .fd = fd, .len = sizeof(buf), .writing = true };

	flow_start(&flow);
	ASSERT_TRUE(peer_read(peer, buf, sizeof(buf)));
	ASSERT_TRUE(flow_join(&flow));
	ASSERT_TRUE(pattern_ok(buf, sizeof(buf), 0));
	flow.writing = false;
	flow_start(&flow);
	ASSERT_TRUE(peer_write(peer, buf, sizeof(buf)));
	ASSERT_TRUE(flow_join(&flow));
}

static void expect_negotiated(int fd, const struct fixture_variant_suite *want)
{
	struct socktls_info info;

	tls_info(fd, &info);
	EXPECT_EQ(info.version, want->version);
	EXPECT_EQ(info.suite, want->code);
	/* RSA key exchange has no group */
	EXPECT_EQ(info.group == 0, want->code < 0x1000);
}

TEST_F(suite, works_as_client)
{
	struct peer peer = {
		.fd = self->pair.server, .server = true,
		.version = variant->version, .suite = variant->name,
		.identity = variant->identity,
	};
	char c;

	peer_start(&peer);
	tls_prepare_client(self->pair.client);
	ASSERT_EQ(tls_start(self->pair.client, SOCKTLS_CLIENT, 0), 0);
	ASSERT_TRUE(peer_join(&peer));
	expect_negotiated(self->pair.client, variant);
	exchange(&peer, self->pair.client);
	SSL_shutdown(peer.ssl);
	EXPECT_EQ(read(self->pair.client, &c, 1), 0);
	close(self->pair.client);
	EXPECT_EQ(peer_read_error(&peer), SSL_ERROR_ZERO_RETURN);
}

TEST_F(suite, works_as_server)
{
	struct peer peer = {
		.fd = self->pair.client, .version = variant->version,
		.suite = variant->name,
	};
	char c;

	peer_start(&peer);
	tls_prepare_server(self->pair.server, variant->identity);
	ASSERT_EQ(tls_start(self->pair.server, SOCKTLS_SERVER, 0), 0);
	ASSERT_TRUE(peer_join(&peer));
	expect_negotiated(self->pair.server, variant);
	exchange(&peer, self->pair.server);
	ASSERT_EQ(shutdown(self->pair.server, SHUT_WR), 0);
	EXPECT_EQ(peer_read_error(&peer), SSL_ERROR_ZERO_RETURN);
	SSL_shutdown(peer.ssl);
	EXPECT_EQ(read(self->pair.server, &c, 1), 0);
}

/* ---- with either version ---- */

FIXTURE(version) {
	struct pair	pair;
	char		buf[65536];
};

FIXTURE_VARIANT(version) {
	int	version;
};

FIXTURE_VARIANT_ADD(version, tls12) { TLS1_2_VERSION };
FIXTURE_VARIANT_ADD(version, tls13) { TLS1_3_VERSION };

FIXTURE_SETUP(version)
{
	tcp_pair(AF_INET, &self->pair.client, &self->pair.server);
}

static void client_against(struct fixture_version *self, struct peer *peer)
{
	peer->fd = self->pair.server;
	peer->server = true;
	peer->identity = "server-ecdsa";
	peer_start(peer);
	tls_prepare_client(self->pair.client);
	ASSERT_EQ(tls_start(self->pair.client, SOCKTLS_CLIENT, 0), 0);
	ASSERT_TRUE(peer_join(peer));
}

TEST_F(version, mutual_authentication_as_client)
{
	struct peer peer = { .version = variant->version, .request = true };
	X509 *cert;

	ASSERT_EQ(tls_attach(self->pair.client), 0);
	ASSERT_EQ(tls_set_text(self->pair.client, SOCKTLS_IDENTITY,
			       "client-rsa"), 0);
	ASSERT_EQ(tls_set_text(self->pair.client, SOCKTLS_TRUST, "ca"), 0);
	ASSERT_EQ(tls_set_text(self->pair.client, SOCKTLS_SERVER_NAME,
			       "localhost"), 0);
	peer.fd = self->pair.server;
	peer.server = true;
	peer.identity = "server-ecdsa";
	peer_start(&peer);
	ASSERT_EQ(tls_start(self->pair.client, SOCKTLS_CLIENT, 0), 0);
	ASSERT_TRUE(peer_join(&peer));
	cert = SSL_get1_peer_certificate(peer.ssl);
	EXPECT_NE(cert, NULL);
	exchange(&peer, self->pair.client);
}

TEST_F(version, mutual_authentication_as_server)
{
	struct peer peer = {
		.fd = self->pair.client, .version = variant->version,
		.identity = "client-ecdsa",
	};
	struct socktls_info info;

	peer_start(&peer);
	tls_prepare_server(self->pair.server, "server-rsa");
	ASSERT_EQ(tls_set_text(self->pair.server, SOCKTLS_TRUST, "ca"), 0);
	ASSERT_EQ(tls_set_u32(self->pair.server, SOCKTLS_PEER_AUTH,
			      SOCKTLS_PEER_AUTH_REQUIRE), 0);
	ASSERT_EQ(tls_start(self->pair.server, SOCKTLS_SERVER, 0), 0);
	ASSERT_TRUE(peer_join(&peer));
	tls_info(self->pair.server, &info);
	EXPECT_TRUE(info.flags & SOCKTLS_INFO_PEER_VERIFIED);
	exchange(&peer, self->pair.server);
}

TEST_F(version, server_without_a_certificate_from_its_client_refuses)
{
	struct peer peer = {
		.fd = self->pair.client, .version = variant->version,
	};

	struct socktls_error error;

	peer_start(&peer);
	tls_prepare_server(self->pair.server, "server-rsa");
	ASSERT_EQ(tls_set_text(self->pair.server, SOCKTLS_TRUST, "ca"), 0);
	ASSERT_EQ(tls_set_u32(self->pair.server, SOCKTLS_PEER_AUTH,
			      SOCKTLS_PEER_AUTH_REQUIRE), 0);
	EXPECT_EQ(tls_start(self->pair.server, SOCKTLS_SERVER, 0), -1);
	EXPECT_EQ(tls_state(self->pair.server), SOCKTLS_STATE_FAILED);
	tls_error(self->pair.server, &error);
	EXPECT_EQ(error.alert, variant->version == TLS1_3_VERSION ?
		  116 : 40);	/* certificate_required, handshake_failure */
	/* a client of TLS 1.3 is done before it hears of it */
	if (peer_join(&peer))
		EXPECT_EQ(peer_read_error(&peer), SSL_ERROR_SSL);
}

TEST_F(version, peer_that_refuses_us_is_told)
{
	struct peer peer = {
		.fd = self->pair.client, .version = variant->version,
	};
	struct socktls_error error;

	peer_start(&peer);
	tls_prepare_server(self->pair.server, "unknown-ca");
	EXPECT_ERRNO(tls_start(self->pair.server, SOCKTLS_SERVER, 0),
		     EREMOTEIO);
	tls_error(self->pair.server, &error);
	EXPECT_EQ(error.alert, 48);
	EXPECT_EQ(error.alert_from, SOCKTLS_ALERT_RECEIVED);
	EXPECT_FALSE(peer_join(&peer));
}

TEST_F(version, exporter_agrees_with_openssl)
{
	static const char label[] = "EXPORTER-Channel-Binding";
	struct peer peer = { .version = variant->version };
	uint8_t theirs[32];

	client_against(self, &peer);
	ASSERT_EQ(SSL_export_keying_material(peer.ssl, theirs, sizeof(theirs),
					     label, strlen(label), NULL, 0, 0),
		  1);
	ASSERT_EQ(tls_export(self->pair.client, label, self->buf,
			     sizeof(theirs)), 0);
	EXPECT_EQ(memcmp(self->buf, theirs, sizeof(theirs)), 0);
}

/* Two tickets in TLS 1.3: no data, nothing that a poller should see. */
TEST_F(version, tickets_are_not_readable)
{
	struct peer peer = { .version = variant->version };
	int n = -1;

	client_against(self, &peer);
	EXPECT_EQ(poll_for(self->pair.client, POLLIN, 300), 0);
	EXPECT_ERRNO(recv(self->pair.client, &n, 1, MSG_DONTWAIT), EAGAIN);
	EXPECT_EQ(ioctl(self->pair.client, FIONREAD, &n), 0);
	EXPECT_EQ(n, 0);
	ASSERT_TRUE(peer_write(&peer, "x", 1));
	EXPECT_EQ(poll_for(self->pair.client, POLLIN, 5000), POLLIN);
	EXPECT_EQ(read(self->pair.client, &n, 1), 1);
}

/*
 * Whoever closes with bytes in the receive queue sends a reset, and what the
 * peer has not read yet is lost. Tickets must not do that.
 */
static void client_that_only_writes(struct fixture_version *self,
				    struct peer *peer, unsigned int wait)
{
	unsigned long long before = snmp_value("TcpExt:", "TCPAbortOnClose");

	client_against(self, peer);
	sleep_ms(wait);
	pattern_fill(self->buf, 50000, 0);
	ASSERT_TRUE(write_all(self->pair.client, self->buf, 50000));
	ASSERT_EQ(close(self->pair.client), 0);
	sleep_ms(100);
	memset(self->buf, 0, 50000);
	EXPECT_TRUE(peer_read(peer, self->buf, 50000));
	EXPECT_TRUE(pattern_ok(self->buf, 50000, 0));
	EXPECT_EQ(peer_read_error(peer), SSL_ERROR_ZERO_RETURN);
	EXPECT_EQ(snmp_value("TcpExt:", "TCPAbortOnClose"), before);
}

TEST_F(version, client_that_only_writes_is_not_reset_by_tickets)
{
	client_that_only_writes(self, &(struct peer){
		.version = variant->version }, 0);
}

TEST_F(version, client_that_writes_late_is_not_reset_by_tickets)
{
	client_that_only_writes(self, &(struct peer){
		.version = variant->version }, 200);
}

TEST_F(version, closing_at_once_with_tickets_unread_is_no_reset)
{
	unsigned long long before = snmp_value("TcpExt:", "TCPAbortOnClose");
	int i;

	for (i = 0; i < 20; i++) {
		struct peer peer = { .version = variant->version };

		if (i)
			tcp_pair(AF_INET, &self->pair.client,
				 &self->pair.server);
		client_against(self, &peer);
		ASSERT_EQ(close(self->pair.client), 0);
		EXPECT_EQ(peer_read_error(&peer), SSL_ERROR_ZERO_RETURN);
	}
	EXPECT_EQ(snmp_value("TcpExt:", "TCPAbortOnClose"), before);
}

TEST_F(version, bare_fin_of_the_peer_is_a_reset)
{
	struct peer peer = { .version = variant->version };

	client_against(self, &peer);
	ASSERT_TRUE(peer_write(&peer, "data", 4));
	close(self->pair.server);
	EXPECT_EQ(read(self->pair.client, self->buf, 100), 4);
	EXPECT_ERRNO(read(self->pair.client, self->buf, 100), ECONNRESET);
}

/* TLS 1.2 has an answer to renegotiation: no. */
TEST(version_tls12_renegotiation_is_refused_and_the_connection_goes_on)
{
	struct peer peer = { .version = TLS1_2_VERSION };
	static struct fixture_version self;
	struct pollfd p;
	char c;

	tcp_pair(AF_INET, &self.pair.client, &self.pair.server);
	client_against(&self, &peer);
	ASSERT_EQ(SSL_renegotiate(peer.ssl), 1);
	SSL_do_handshake(peer.ssl);	/* sends HelloRequest */
	p = (struct pollfd){ .fd = self.pair.client, .events = POLLIN };
	EXPECT_EQ(poll(&p, 1, 300), 0);
	EXPECT_EQ(tls_state(self.pair.client), SOCKTLS_STATE_ESTABLISHED);
	EXPECT_ERRNO(recv(self.pair.client, &c, 1, MSG_DONTWAIT), EAGAIN);
}

TEST(version_tls13_key_update_is_followed_and_answered)
{
	struct peer peer = { .version = TLS1_3_VERSION };
	static struct fixture_version self;

	tcp_pair(AF_INET, &self.pair.client, &self.pair.server);
	client_against(&self, &peer);
	ASSERT_EQ(SSL_key_update(peer.ssl, SSL_KEY_UPDATE_REQUESTED), 1);
	exchange(&peer, self.pair.client);
	EXPECT_EQ(SSL_get_key_update_type(peer.ssl), SSL_KEY_UPDATE_NONE);
}

/* ---- protocol names and policies ---- */

static void expect_alpn(int fd, const char *want)
{
	char name[256] = "";
	socklen_t len = sizeof(name);

	EXPECT_EQ(tls_get(fd, SOCKTLS_ALPN, name, &len), 0);
	EXPECT_EQ(len, strlen(want));
	EXPECT_EQ(strcmp(name, want), 0);
	len = 1;
	EXPECT_ERRNO(tls_get(fd, SOCKTLS_ALPN, name, &len), ERANGE);
	EXPECT_EQ(len, strlen(want));
}

static int take_http(SSL *ssl, const unsigned char **out, unsigned char *outlen,
		     const unsigned char *in, unsigned int inlen, void *arg)
{
	(void)ssl;
	(void)arg;
	return SSL_select_next_proto((unsigned char **)out, outlen,
				     (const unsigned char *)"\10http/1.1", 9,
				     in, inlen) == OPENSSL_NPN_NEGOTIATED ?
	       SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

TEST_F(version, protocol_name_is_negotiated_as_client)
{
	struct peer peer = {
		.fd = self->pair.server, .server = true,
		.version = variant->version, .identity = "server-ecdsa",
	};

	peer_prepare(&peer);
	SSL_CTX_set_alpn_select_cb(peer.ctx, take_http, NULL);
	peer_start(&peer);
	tls_prepare_client(self->pair.client);
	ASSERT_EQ(tls_set(self->pair.client, SOCKTLS_ALPN, "\2h2\10http/1.1",
			  12), 0);
	ASSERT_EQ(tls_start(self->pair.client, SOCKTLS_CLIENT, 0), 0);
	ASSERT_TRUE(peer_join(&peer));
	expect_alpn(self->pair.client, "http/1.1");
	exchange(&peer, self->pair.client);
}

TEST_F(version, protocol_name_is_negotiated_by_a_listeners_child)
{
	struct peer peer = { .version = variant->version };
	const unsigned char *name;
	int fd = tcp_listen(AF_INET), child;
	unsigned int len;

	tls_prepare_server(fd, "server-ecdsa");
	ASSERT_EQ(tls_set(fd, SOCKTLS_ALPN, "\2h2\10http/1.1", 12), 0);
	ASSERT_EQ(tls_set_text(fd, SOCKTLS_POLICY, "intermediate"), 0);
	ASSERT_EQ(tls_start(fd, SOCKTLS_SERVER, 0), 0);
	peer.fd = tcp_connect(AF_INET, fd);
	peer_prepare(&peer);
	SSL_CTX_set_alpn_protos(peer.ctx,
				(const unsigned char *)"\10http/1.1\2h2", 12);
	peer_start(&peer);
	child = accept(fd, NULL, NULL);
	ASSERT_TRUE(peer_join(&peer));
	exchange(&peer, child);
	/* the server's order counts */
	expect_alpn(child, "h2");
	SSL_get0_alpn_selected(peer.ssl, &name, &len);
	EXPECT_EQ(len, 2);
}

TEST_F(version, policy_modern_is_tls13_alone)
{
	struct peer peer = {
		.fd = self->pair.client, .version = variant->version,
	};
	int ret;

	peer_start(&peer);
	tls_prepare_server(self->pair.server, "server-ecdsa");
	ASSERT_EQ(tls_set_text(self->pair.server, SOCKTLS_POLICY, "modern"), 0);
	ret = tls_start(self->pair.server, SOCKTLS_SERVER, 0);
	if (variant->version == TLS1_3_VERSION)
		EXPECT_EQ(ret, 0);
	else
		EXPECT_TRUE(ret == -1 && errno == EPROTONOSUPPORT);
	peer_join(&peer);
}

TEST_F(version, policy_that_the_helper_does_not_know_is_refused)
{
	tls_prepare_client(self->pair.client);
	ASSERT_EQ(tls_set_text(self->pair.client, SOCKTLS_POLICY, "no-such"),
		  0);
	EXPECT_ERRNO(tls_start(self->pair.client, SOCKTLS_CLIENT, 0), EINVAL);
}

/* ---- STARTTLS ---- */

static void expect_line(int fd, const char *line)
{
	char buf[64] = "";

	ASSERT_TRUE(read_all(fd, buf, strlen(line)));
	EXPECT_EQ(strcmp(buf, line), 0);
}

TEST_F(version, plain_lines_come_first)
{
	struct peer peer = { .version = variant->version };

	ASSERT_EQ(tls_attach(self->pair.client), 0);
	ASSERT_EQ(write(self->pair.client, "STARTTLS\r\n", 10), 10);
	expect_line(self->pair.server, "STARTTLS\r\n");
	ASSERT_EQ(write(self->pair.server, "220 go\r\n", 8), 8);
	expect_line(self->pair.client, "220 go\r\n");
	peer.fd = self->pair.server;
	peer.server = true;
	peer.identity = "server-ecdsa";
	peer_start(&peer);
	ASSERT_EQ(tls_set_text(self->pair.client, SOCKTLS_SERVER_NAME,
			       "localhost"), 0);
	ASSERT_EQ(tls_set_text(self->pair.client, SOCKTLS_TRUST, "ca"), 0);
	ASSERT_EQ(tls_start(self->pair.client, SOCKTLS_CLIENT, 0), 0);
	ASSERT_TRUE(peer_join(&peer));
	exchange(&peer, self->pair.client);
}

/* The client's first flight is in the queue before the server asks for TLS. */
TEST_F(version, records_that_came_before_the_handshake_are_used)
{
	struct peer peer = {
		.fd = self->pair.client, .version = variant->version,
	};
	int n = 0;

	ASSERT_EQ(write(self->pair.client, "STARTTLS\r\n", 10), 10);
	peer_start(&peer);
	while (n < 60) {
		ASSERT_EQ(ioctl(self->pair.server, FIONREAD, &n), 0);
		sleep_ms(10);
	}
	expect_line(self->pair.server, "STARTTLS\r\n");
	tls_prepare_server(self->pair.server, "server-ecdsa");
	ASSERT_EQ(tls_start(self->pair.server, SOCKTLS_SERVER, 0), 0);
	ASSERT_TRUE(peer_join(&peer));
	exchange(&peer, self->pair.server);
}

int main(int argc, char **argv)
{
	return harness_main(argc, argv);
}
