// SPDX-License-Identifier: MIT
/* Whom a handshake believes, and how an application sees why not. */
#include "util.h"

FIXTURE(refused) {
	struct pair	pair;
};

FIXTURE_VARIANT(refused) {
	const char	*identity;
	const char	*name;
	const char	*trust;
	int		error;
	int		alert;
	const char	*text;
};

FIXTURE_VARIANT_ADD(refused, wrong_name) {
	.identity = "server-ecdsa", .name = "other.example", .trust = "ca",
	.error = EKEYREJECTED, .alert = 42, .text = "other.example",
};
FIXTURE_VARIANT_ADD(refused, certificate_for_another) {
	.identity = "wrong-name", .name = "localhost", .trust = "ca",
	.error = EKEYREJECTED, .alert = 42, .text = "localhost",
};
FIXTURE_VARIANT_ADD(refused, wrong_address) {
	.identity = "server-ecdsa", .name = "192.0.2.1", .trust = "ca",
	.error = EKEYREJECTED, .alert = 42, .text = "192.0.2.1",
};
FIXTURE_VARIANT_ADD(refused, unknown_ca) {
	.identity = "unknown-ca", .name = "localhost", .trust = "ca",
	.error = EKEYREJECTED, .alert = 48, .text = "trust store",
};
FIXTURE_VARIANT_ADD(refused, other_trust_store) {
	.identity = "server-ecdsa", .name = "localhost", .trust = "other-ca",
	.error = EKEYREJECTED, .alert = 48, .text = "trust store",
};
FIXTURE_VARIANT_ADD(refused, expired) {
	.identity = "expired", .name = "localhost", .trust = "ca",
	.error = EKEYEXPIRED, .alert = 45, .text = "expired",
};
FIXTURE_VARIANT_ADD(refused, revoked) {
	.identity = "revoked", .name = "localhost", .trust = "crl",
	.error = EKEYREVOKED, .alert = 44, .text = "revoked",
};
FIXTURE_VARIANT_ADD(refused, client_certificate_as_server) {
	.identity = "client-ecdsa", .name = "localhost", .trust = "ca",
	.error = EKEYREJECTED, .alert = 43, .text = "",
};

FIXTURE_SETUP(refused)
{
	tcp_pair(AF_INET, &self->pair.client, &self->pair.server);
	ASSERT_EQ(tls_attach(self->pair.client), 0);
	ASSERT_EQ(tls_set_text(self->pair.client, SOCKTLS_SERVER_NAME,
			       variant->name), 0);
	ASSERT_EQ(tls_set_text(self->pair.client, SOCKTLS_TRUST,
			       variant->trust), 0);
	tls_prepare_server(self->pair.server, variant->identity);
	set_nonblocking(self->pair.server, true);
	ASSERT_ERRNO(tls_start(self->pair.server, SOCKTLS_SERVER, 0),
		     EINPROGRESS);
	set_nonblocking(self->pair.server, false);
}

TEST_F(refused, certificate_fails_both_ends_with_a_reason)
{
	struct socktls_error error;
	char c;

	ASSERT_EQ(tls_start(self->pair.client, SOCKTLS_CLIENT, 0), -1);
	EXPECT_EQ(errno, variant->error);
	EXPECT_EQ(tls_state(self->pair.client), SOCKTLS_STATE_FAILED);
	tls_error(self->pair.client, &error);
	EXPECT_EQ(error.error, variant->error);
	EXPECT_EQ(error.alert, variant->alert);
	EXPECT_EQ(error.alert_from, SOCKTLS_ALERT_SENT);
	EXPECT_NE(strstr(error.text, variant->text), NULL);
	harness_note("%s", error.text);
	EXPECT_EQ(write(self->pair.client, "x", 1), -1);
	EXPECT_EQ(errno, variant->error);

	EXPECT_ERRNO(read(self->pair.server, &c, 1), EREMOTEIO);
	tls_error(self->pair.server, &error);
	EXPECT_EQ(error.error, EREMOTEIO);
	EXPECT_EQ(error.alert, variant->alert);
	EXPECT_EQ(error.alert_from, SOCKTLS_ALERT_RECEIVED);
}

TEST(refused_nonblocking_handshake_tells_by_so_error)
{
	struct pair pair;

	tcp_pair(AF_INET, &pair.client, &pair.server);
	tls_prepare_client(pair.client);
	tls_prepare_server(pair.server, "expired");
	set_nonblocking(pair.client, true);
	set_nonblocking(pair.server, true);
	ASSERT_ERRNO(tls_start(pair.client, SOCKTLS_CLIENT, 0), EINPROGRESS);
	ASSERT_ERRNO(tls_start(pair.server, SOCKTLS_SERVER, 0), EINPROGRESS);
	EXPECT_TRUE(poll_for(pair.client, POLLOUT, 20000) & POLLERR);
	EXPECT_EQ(get_int(pair.client, SOL_SOCKET, SO_ERROR), EKEYEXPIRED);
	EXPECT_ERRNO(tls_start(pair.client, SOCKTLS_CLIENT, 0), EKEYEXPIRED);
}

FIXTURE(accepted) {
	struct pair	pair;
};

FIXTURE_VARIANT(accepted) {
	const char	*identity;
	const char	*name;
	const char	*trust;		/* a file when it has a slash */
};

FIXTURE_VARIANT_ADD(accepted, rsa) { "server-rsa", "localhost", "ca" };
FIXTURE_VARIANT_ADD(accepted, ed25519) { "server-ed25519", "localhost", "ca" };
FIXTURE_VARIANT_ADD(accepted, ipv4_literal) {
	"server-ecdsa", "127.0.0.1", "ca"
};
FIXTURE_VARIANT_ADD(accepted, ipv6_literal) { "server-ecdsa", "::1", "ca" };
FIXTURE_VARIANT_ADD(accepted, pem) {
	"server-ecdsa", "localhost", "trust/ca.pem"
};
FIXTURE_VARIANT_ADD(accepted, pin) {
	"server-rsa", "localhost", "trust/server-rsa.pin"
};

FIXTURE_SETUP(accepted)
{
	static char trust[SOCKTLS_TRUST_MAX];
	size_t n = strlen(variant->trust);

	memcpy(trust, variant->trust, n);
	if (strchr(variant->trust, '/'))
		n = pki_read(variant->trust, trust, sizeof(trust));
	tcp_pair(AF_INET, &self->pair.client, &self->pair.server);
	ASSERT_EQ(tls_attach(self->pair.client), 0);
	ASSERT_EQ(tls_set_text(self->pair.client, SOCKTLS_SERVER_NAME,
			       variant->name), 0);
	ASSERT_EQ(tls_set(self->pair.client, SOCKTLS_TRUST, trust, n), 0);
	tls_prepare_server(self->pair.server, variant->identity);
}

TEST_F(accepted, certificate_is_verified)
{
	struct socktls_info info;

	tls_handshake(&self->pair);
	tls_info(self->pair.client, &info);
	EXPECT_TRUE(info.flags & SOCKTLS_INFO_PEER_VERIFIED);
	EXPECT_NE(info.signature_scheme, 0);
	expect_ping(self->pair.client, self->pair.server);
}

TEST(unverified_when_no_authentication_is_asked_for)
{
	struct socktls_info info;
	struct pair pair;

	tcp_pair(AF_INET, &pair.client, &pair.server);
	ASSERT_EQ(tls_attach(pair.client), 0);
	ASSERT_EQ(tls_set_u32(pair.client, SOCKTLS_PEER_AUTH,
			      SOCKTLS_PEER_AUTH_NONE), 0);
	tls_prepare_server(pair.server, "unknown-ca");
	tls_handshake(&pair);
	tls_info(pair.client, &info);
	EXPECT_FALSE(info.flags & SOCKTLS_INFO_PEER_VERIFIED);
}

/* ---- client certificates ---- */

FIXTURE(mutual) {
	struct pair	pair;
};

FIXTURE_SETUP(mutual)
{
	tcp_pair(AF_INET, &self->pair.client, &self->pair.server);
	tls_prepare_client(self->pair.client);
	tls_prepare_server(self->pair.server, "server-ecdsa");
	ASSERT_EQ(tls_set_text(self->pair.server, SOCKTLS_TRUST, "ca"), 0);
	ASSERT_EQ(tls_set_u32(self->pair.server, SOCKTLS_PEER_AUTH,
			      SOCKTLS_PEER_AUTH_REQUIRE), 0);
}

TEST_F(mutual, authentication_verifies_both_ends)
{
	struct socktls_info info;
	char blobs[8192];
	socklen_t len = sizeof(blobs);

	ASSERT_EQ(tls_set_text(self->pair.client, SOCKTLS_IDENTITY,
			       "client-rsa"), 0);
	tls_handshake(&self->pair);
	tls_info(self->pair.server, &info);
	EXPECT_TRUE(info.flags & SOCKTLS_INFO_PEER_VERIFIED);
	EXPECT_EQ(tls_get(self->pair.server, SOCKTLS_PEER, blobs, &len), 0);
	EXPECT_GE(len, 100);
	expect_ping(self->pair.server, self->pair.client);
}

/* TLS 1.3: the client is done before the server has judged it. */
TEST_F(mutual, authentication_refuses_a_client_without_certificate)
{
	struct starter server = {
		.fd = self->pair.server, .role = SOCKTLS_SERVER,
	};
	struct socktls_error error;
	char c;

	starter_start(&server);
	tls_start(self->pair.client, SOCKTLS_CLIENT, 0);
	EXPECT_EQ(starter_join(&server), -1);
	tls_error(self->pair.server, &error);
	EXPECT_EQ(error.alert, 116);	/* certificate_required */
	EXPECT_EQ(error.alert_from, SOCKTLS_ALERT_SENT);
	EXPECT_ERRNO(read(self->pair.client, &c, 1), EREMOTEIO);
	tls_error(self->pair.client, &error);
	EXPECT_EQ(error.alert, 116);
	EXPECT_EQ(error.alert_from, SOCKTLS_ALERT_RECEIVED);
}

TEST_F(mutual, authentication_refuses_a_client_of_another_ca)
{
	struct starter server = {
		.fd = self->pair.server, .role = SOCKTLS_SERVER,
	};
	char c;

	ASSERT_EQ(tls_set_text(self->pair.client, SOCKTLS_IDENTITY,
			       "unknown-ca"), 0);
	starter_start(&server);
	tls_start(self->pair.client, SOCKTLS_CLIENT, 0);
	EXPECT_ERRNO(starter_join(&server), EKEYREJECTED);
	EXPECT_ERRNO(read(self->pair.client, &c, 1), EREMOTEIO);
}

TEST_F(mutual, authentication_may_be_only_requested)
{
	struct socktls_info info;

	ASSERT_EQ(tls_set_u32(self->pair.server, SOCKTLS_PEER_AUTH,
			      SOCKTLS_PEER_AUTH_REQUEST), 0);
	tls_handshake(&self->pair);
	tls_info(self->pair.server, &info);
	EXPECT_FALSE(info.flags & SOCKTLS_INFO_PEER_VERIFIED);
	expect_ping(self->pair.client, self->pair.server);
}

int main(int argc, char **argv)
{
	return harness_main(argc, argv);
}
