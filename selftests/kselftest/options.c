// SPDX-License-Identifier: MIT
/* Attaching, and every socket option of level SOL_TLS with good and bad values. */
#include "util.h"

#include <linux/tls.h>

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif

/* ---- attaching ---- */

TEST(attach_needs_a_socket_that_is_closed_listening_or_established)
{
	int client, server;

	EXPECT_EQ(tls_attach(tcp_socket(AF_INET)), 0);
	EXPECT_EQ(tls_attach(tcp_socket(AF_INET6)), 0);
	EXPECT_EQ(tls_attach(tcp_listen(AF_INET)), 0);
	EXPECT_EQ(tls_attach(tcp_listen(AF_INET6)), 0);
	tcp_pair(AF_INET, &client, &server);
	EXPECT_EQ(tls_attach(client), 0);

	tcp_pair(AF_INET, &client, &server);
	EXPECT_EQ(shutdown(client, SHUT_WR), 0);
	EXPECT_ERRNO(tls_attach(client), ENOTCONN);	/* FIN_WAIT2 */
	wait_for_events(server, POLLIN);
	EXPECT_ERRNO(tls_attach(server), ENOTCONN);	/* CLOSE_WAIT */
}

TEST(attach_twice_is_refused)
{
	int fd = tcp_socket(AF_INET);

	ASSERT_EQ(tls_attach(fd), 0);
	EXPECT_ERRNO(tls_attach(fd), EEXIST);
	EXPECT_EQ(tls_state(fd), SOCKTLS_STATE_PLAIN);
}

TEST(attach_is_told_by_tcp)
{
	int fd = tcp_socket(AF_INET);
	char name[16] = "";
	socklen_t len = sizeof(name);

	ASSERT_EQ(tls_attach(fd), 0);
	EXPECT_EQ(getsockopt(fd, SOL_TCP, TCP_ULP, name, &len), 0);
	EXPECT_EQ(strcmp(name, SOCKTLS_ULP_NAME), 0);
}

TEST(attach_refuses_other_protocols)
{
	int fd = socket(AF_INET, SOCK_DGRAM, 0), one = 1;

	EXPECT_ERRNO(tls_attach(fd), ENOPROTOOPT);
	fd = tcp_socket(AF_INET);
	ASSERT_EQ(setsockopt(fd, SOL_TCP, TCP_REPAIR, &one, sizeof(one)), 0);
	EXPECT_ERRNO(tls_attach(fd), EOPNOTSUPP);
	fd = socket(AF_INET, SOCK_STREAM, IPPROTO_MPTCP);
	if (fd >= 0)
		EXPECT_EQ(tls_attach(fd), -1);
}

TEST(attached_socket_passes_plain_bytes)
{
	int client, server, n = -1;
	char buf[16];

	tcp_pair(AF_INET, &client, &server);
	ASSERT_EQ(tls_attach(client), 0);
	ASSERT_EQ(tls_attach(server), 0);
	ASSERT_EQ(write(client, "plain", 5), 5);
	EXPECT_EQ(poll_for(server, POLLIN | POLLOUT, 5000), POLLIN | POLLOUT);
	EXPECT_EQ(ioctl(server, FIONREAD, &n), 0);
	EXPECT_EQ(n, 5);
	EXPECT_EQ(recv(server, buf, 2, MSG_PEEK), 2);
	EXPECT_EQ(read(server, buf, sizeof(buf)), 5);
	EXPECT_EQ(memcmp(buf, "plain", 5), 0);
	EXPECT_ERRNO(recv(server, buf, 1, MSG_DONTWAIT), EAGAIN);
	EXPECT_EQ(send(server, "u", 1, MSG_OOB), 1);
	EXPECT_EQ(shutdown(server, SHUT_WR), 0);
	EXPECT_EQ(read(client, buf, 1), 0);
}

TEST(attached_socket_starts_no_handshake_under_a_plain_read)
{
	int client, server;
	struct flow flow = { .len = 1, .chunk = 1 };

	tcp_pair(AF_INET, &client, &server);
	tls_prepare_client(client);
	flow.fd = client;
	flow_start(&flow);
	sleep_ms(150 * harness_slowness());
	/* the reader would take records for data */
	set_nonblocking(server, true);
	EXPECT_ERRNO(tls_start(client, SOCKTLS_CLIENT, 100), EBUSY);
	EXPECT_EQ(write(server, "", 1), 1);
	EXPECT_TRUE(flow_join(&flow));
}

/* ---- options ---- */

FIXTURE(opt) {
	int	fd;
};

FIXTURE_SETUP(opt)
{
	self->fd = tcp_socket(AF_INET);
	ASSERT_EQ(tls_attach(self->fd), 0);
}

static void expect_text(int fd, int opt, const char *want)
{
	char text[SOCKTLS_NAME_MAX + 1] = "";
	socklen_t len = sizeof(text);

	EXPECT_EQ(tls_get(fd, opt, text, &len), 0);
	EXPECT_EQ(len, strlen(want));
	EXPECT_EQ(memcmp(text, want, strlen(want)), 0);
}

static void check_name_option(int fd, int opt)
{
	char longest[SOCKTLS_NAME_MAX + 2];
	socklen_t len;

	expect_text(fd, opt, "");
	EXPECT_EQ(tls_set_text(fd, opt, "first.example"), 0);
	expect_text(fd, opt, "first.example");
	EXPECT_EQ(tls_set(fd, opt, "nul.example", 12), 0);
	expect_text(fd, opt, "nul.example");
	memset(longest, 'a', sizeof(longest));
	EXPECT_EQ(tls_set(fd, opt, longest, SOCKTLS_NAME_MAX), 0);
	EXPECT_ERRNO(tls_set(fd, opt, longest, SOCKTLS_NAME_MAX + 1), EINVAL);
	EXPECT_ERRNO(tls_set(fd, opt, "", 0), EINVAL);
	EXPECT_ERRNO(tls_set(fd, opt, "", 1), EINVAL);
	EXPECT_ERRNO(tls_set(fd, opt, "a b", 3), EINVAL);
	EXPECT_ERRNO(tls_set(fd, opt, "a\0b", 3), EINVAL);
	EXPECT_ERRNO(tls_set(fd, opt, "a\nb", 3), EINVAL);
	EXPECT_ERRNO(tls_set(fd, opt, NULL, 3), EFAULT);
	EXPECT_ERRNO(tls_set(fd, opt, BAD_MEMORY, 3), EFAULT);
	/* what was refused has changed nothing */
	longest[SOCKTLS_NAME_MAX] = 0;
	expect_text(fd, opt, longest);
	len = 3;
	EXPECT_ERRNO(tls_get(fd, opt, longest, &len), ERANGE);
	EXPECT_EQ(len, SOCKTLS_NAME_MAX);
	len = SOCKTLS_NAME_MAX;
	EXPECT_ERRNO(tls_get(fd, opt, NULL, &len), EFAULT);
	EXPECT_ERRNO(tls_get(fd, opt, longest, NULL), EFAULT);
	len = -1;
	EXPECT_ERRNO(tls_get(fd, opt, longest, &len), EINVAL);
}

TEST_F(opt, server_name_is_a_name)
{
	check_name_option(self->fd, SOCKTLS_SERVER_NAME);
	EXPECT_EQ(tls_set_text(self->fd, SOCKTLS_SERVER_NAME, "::1"), 0);
	expect_text(self->fd, SOCKTLS_SERVER_NAME, "::1");
}

TEST_F(opt, identity_is_a_name)
{
	check_name_option(self->fd, SOCKTLS_IDENTITY);
}

TEST_F(opt, policy_is_a_name)
{
	check_name_option(self->fd, SOCKTLS_POLICY);
}

TEST_F(opt, alpn_is_a_list_of_names_behind_their_lengths)
{
	static char longest[SOCKTLS_ALPN_MAX + 16];
	int fd = self->fd;
	socklen_t len = sizeof(longest);
	size_t i;

	EXPECT_EQ(tls_set(fd, SOCKTLS_ALPN, "\2h2\10http/1.1", 12), 0);
	EXPECT_EQ(tls_set(fd, SOCKTLS_ALPN, "\1\0", 2), 0);
	EXPECT_ERRNO(tls_set(fd, SOCKTLS_ALPN, "", 0), EINVAL);
	EXPECT_ERRNO(tls_set(fd, SOCKTLS_ALPN, "\0", 1), EINVAL);
	EXPECT_ERRNO(tls_set(fd, SOCKTLS_ALPN, "\2h2\0", 4), EINVAL);
	EXPECT_ERRNO(tls_set(fd, SOCKTLS_ALPN, "\3h2", 3), EINVAL);
	EXPECT_ERRNO(tls_set(fd, SOCKTLS_ALPN, "\2h2\1", 4), EINVAL);
	EXPECT_ERRNO(tls_set(fd, SOCKTLS_ALPN, "\2h2x", 4), EINVAL);
	EXPECT_ERRNO(tls_set(fd, SOCKTLS_ALPN, NULL, 3), EFAULT);
	EXPECT_ERRNO(tls_set(fd, SOCKTLS_ALPN, BAD_MEMORY, 3), EFAULT);
	for (i = 0; i < sizeof(longest); i += 16)
		longest[i] = 15;
	EXPECT_EQ(tls_set(fd, SOCKTLS_ALPN, longest, SOCKTLS_ALPN_MAX), 0);
	EXPECT_ERRNO(tls_set(fd, SOCKTLS_ALPN, longest, sizeof(longest)),
		     EINVAL);
	/* what it tells is what was negotiated */
	EXPECT_ERRNO(tls_get(fd, SOCKTLS_ALPN, longest, &len), ENOTCONN);
}

TEST_F(opt, trust_is_a_name_or_certificates_or_pins)
{
	static char pem[SOCKTLS_TRUST_MAX + 1];
	const char *pin = "sha256/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
	size_t n = pki_read("trust/ca.pem", pem, sizeof(pem));

	expect_text(self->fd, SOCKTLS_TRUST, "");
	EXPECT_EQ(tls_set_text(self->fd, SOCKTLS_TRUST, "ca"), 0);
	expect_text(self->fd, SOCKTLS_TRUST, "ca");
	EXPECT_EQ(tls_set(self->fd, SOCKTLS_TRUST, pem, n), 0);
	expect_text(self->fd, SOCKTLS_TRUST, "");
	EXPECT_EQ(tls_set_text(self->fd, SOCKTLS_TRUST, pin), 0);
	expect_text(self->fd, SOCKTLS_TRUST, "");
	memset(pem, '\n', sizeof(pem));
	memcpy(pem, "-----BEGIN", 10);
	EXPECT_EQ(tls_set(self->fd, SOCKTLS_TRUST, pem, SOCKTLS_TRUST_MAX), 0);
	EXPECT_ERRNO(tls_set(self->fd, SOCKTLS_TRUST, pem,
			     SOCKTLS_TRUST_MAX + 1), EINVAL);
	EXPECT_ERRNO(tls_set(self->fd, SOCKTLS_TRUST, "", 0), EINVAL);
	EXPECT_ERRNO(tls_set(self->fd, SOCKTLS_TRUST, "a\0b", 3), EINVAL);
	EXPECT_ERRNO(tls_set(self->fd, SOCKTLS_TRUST, BAD_MEMORY, 3), EFAULT);
}

static void check_u32_option(int fd, int opt, uint32_t max)
{
	uint32_t value;
	socklen_t len;

	EXPECT_EQ(get_int(fd, SOL_TLS, opt), 0);
	for (value = 0; value <= max; value++) {
		EXPECT_EQ(tls_set_u32(fd, opt, value), 0);
		EXPECT_EQ(get_int(fd, SOL_TLS, opt), value);
	}
	EXPECT_ERRNO(tls_set_u32(fd, opt, max + 1), EINVAL);
	EXPECT_ERRNO(tls_set_u32(fd, opt, UINT32_MAX), EINVAL);
	EXPECT_ERRNO(tls_set_u32(fd, opt, 256), EINVAL);
	value = 0;
	EXPECT_ERRNO(tls_set(fd, opt, &value, 3), EINVAL);
	EXPECT_ERRNO(tls_set(fd, opt, &value, 0), EINVAL);
	EXPECT_ERRNO(tls_set(fd, opt, NULL, 4), EFAULT);
	EXPECT_EQ(get_int(fd, SOL_TLS, opt), max);
	len = 3;
	EXPECT_ERRNO(tls_get(fd, opt, &value, &len), ERANGE);
	len = 4;
	EXPECT_ERRNO(tls_get(fd, opt, BAD_MEMORY, &len), EFAULT);
}

TEST_F(opt, peer_auth_is_one_of_its_values)
{
	check_u32_option(self->fd, SOCKTLS_PEER_AUTH,
			 SOCKTLS_PEER_AUTH_REQUIRE);
}

TEST_F(opt, eof_is_one_of_its_values)
{
	check_u32_option(self->fd, SOCKTLS_EOF, SOCKTLS_EOF_ALLOW);
}

TEST_F(opt, handshake_checks_its_value)
{
	struct socktls_handshake hs = { .role = SOCKTLS_CLIENT };
	char longer[sizeof(hs) + 4] = "";
	int client, server;
	socklen_t len = sizeof(hs);

	tcp_pair(AF_INET, &client, &server);
	ASSERT_EQ(tls_attach(client), 0);
	EXPECT_ERRNO(tls_start(client, 2, 0), EINVAL);
	hs.flags = 1;
	EXPECT_ERRNO(tls_set(client, SOCKTLS_HANDSHAKE, &hs, sizeof(hs)),
		     EINVAL);
	hs.flags = 0;
	hs.reserved = 1;
	EXPECT_ERRNO(tls_set(client, SOCKTLS_HANDSHAKE, &hs, sizeof(hs)),
		     EINVAL);
	hs.reserved = 0;
	EXPECT_ERRNO(tls_set(client, SOCKTLS_HANDSHAKE, &hs, 3), EINVAL);
	EXPECT_ERRNO(tls_set(client, SOCKTLS_HANDSHAKE, &hs, 0), EINVAL);
	EXPECT_ERRNO(tls_set(client, SOCKTLS_HANDSHAKE, longer,
			     sizeof(longer)), EINVAL);
	EXPECT_ERRNO(tls_set(client, SOCKTLS_HANDSHAKE, NULL, sizeof(hs)),
		     EFAULT);
	EXPECT_ERRNO(tls_get(client, SOCKTLS_HANDSHAKE, &hs, &len),
		     ENOPROTOOPT);
	EXPECT_EQ(tls_state(client), SOCKTLS_STATE_PLAIN);
	/* the role alone is enough */
	set_nonblocking(client, true);
	EXPECT_ERRNO(tls_set(client, SOCKTLS_HANDSHAKE, &hs, 4), EINPROGRESS);
}

TEST_F(opt, what_is_only_told_cannot_be_set)
{
	static const int opts[] = {
		SOCKTLS_STATE, SOCKTLS_INFO, SOCKTLS_ERROR, SOCKTLS_PEER,
		SOCKTLS_LOCAL_CERT, SOCKTLS_EXPORTER,
	};
	char value[512] = "";
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(opts); i++)
		EXPECT_ERRNO(tls_set(self->fd, opts[i], value, sizeof(value)),
			     ENOPROTOOPT);
}

TEST_F(opt, unknown_ones_are_told)
{
	static const int opts[] = { 0, 0x50, 0x55, 0xff, 0x1ff, 0x7fffffff, -1 };
	char value[16] = "";
	socklen_t len;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(opts); i++) {
		len = sizeof(value);
		EXPECT_ERRNO(tls_set(self->fd, opts[i], value, 4), ENOPROTOOPT);
		EXPECT_ERRNO(tls_get(self->fd, opts[i], value, &len),
			     ENOPROTOOPT);
	}
}

TEST_F(opt, nothing_is_told_before_a_handshake)
{
	struct socktls_error error;
	struct socktls_info info;
	char blobs[64];
	socklen_t len = sizeof(info);

	EXPECT_EQ(tls_state(self->fd), SOCKTLS_STATE_PLAIN);
	EXPECT_ERRNO(tls_get(self->fd, SOCKTLS_INFO, &info, &len), ENOTCONN);
	len = sizeof(blobs);
	EXPECT_ERRNO(tls_get(self->fd, SOCKTLS_PEER, blobs, &len), ENOTCONN);
	len = sizeof(blobs);
	EXPECT_ERRNO(tls_get(self->fd, SOCKTLS_LOCAL_CERT, blobs, &len),
		     ENOTCONN);
	tls_error(self->fd, &error);
	EXPECT_EQ(error.error, 0);
	EXPECT_EQ(error.alert_from, SOCKTLS_ALERT_NONE);
	EXPECT_EQ(error.text[0], 0);
}

TEST_F(opt, other_levels_reach_tcp)
{
	struct tcp_info info;
	socklen_t len = sizeof(info);

	set_int(self->fd, IPPROTO_TCP, TCP_NODELAY, 1);
	EXPECT_EQ(get_int(self->fd, IPPROTO_TCP, TCP_NODELAY), 1);
	set_int(self->fd, SOL_SOCKET, SO_KEEPALIVE, 1);
	EXPECT_EQ(get_int(self->fd, SOL_SOCKET, SO_KEEPALIVE), 1);
	EXPECT_EQ(getsockopt(self->fd, SOL_TCP, TCP_INFO, &info, &len), 0);
}

/* ---- once established ---- */

FIXTURE(est) {
	struct pair	pair;
};

FIXTURE_SETUP(est)
{
	tls_pair(AF_INET, &self->pair);
}

TEST_F(est, parameters_cannot_change_any_more_but_for_eof)
{
	int fd = self->pair.client;

	EXPECT_ERRNO(tls_set_text(fd, SOCKTLS_SERVER_NAME, "a"), EISCONN);
	EXPECT_ERRNO(tls_set_text(fd, SOCKTLS_IDENTITY, "a"), EISCONN);
	EXPECT_ERRNO(tls_set_text(fd, SOCKTLS_POLICY, "modern"), EISCONN);
	EXPECT_ERRNO(tls_set(fd, SOCKTLS_ALPN, "\2h2", 3), EISCONN);
	EXPECT_ERRNO(tls_set_text(fd, SOCKTLS_TRUST, "a"), EISCONN);
	EXPECT_ERRNO(tls_set_u32(fd, SOCKTLS_PEER_AUTH, 1), EISCONN);
	EXPECT_EQ(tls_set_u32(fd, SOCKTLS_EOF, SOCKTLS_EOF_ALLOW), 0);
	EXPECT_EQ(get_int(fd, SOL_TLS, SOCKTLS_EOF), SOCKTLS_EOF_ALLOW);
	expect_text(fd, SOCKTLS_SERVER_NAME, "localhost");
	expect_text(self->pair.server, SOCKTLS_IDENTITY, "server-ecdsa");
}

TEST_F(est, no_protocol_name_reads_as_none)
{
	char name[8];
	socklen_t len = sizeof(name);

	EXPECT_EQ(tls_get(self->pair.client, SOCKTLS_ALPN, name, &len), 0);
	EXPECT_EQ(len, 0);
}

TEST_F(est, keys_never_leave_the_kernel)
{
	struct tls12_crypto_info_aes_gcm_128 key = {
		.info = { TLS_1_3_VERSION, TLS_CIPHER_AES_GCM_128 },
	};
	int fd = self->pair.client;
	socklen_t len = sizeof(key);

	EXPECT_ERRNO(tls_get(fd, TLS_TX, &key, &len), EPERM);
	EXPECT_ERRNO(tls_get(fd, TLS_RX, &key, &len), EPERM);
	len = sizeof(key.info);
	EXPECT_ERRNO(tls_get(fd, TLS_TX, &key, &len), EPERM);
	EXPECT_ERRNO(tls_set(fd, TLS_TX, &key, sizeof(key)), EBUSY);
	EXPECT_ERRNO(tls_set(fd, TLS_RX, &key, sizeof(key)), EBUSY);
	expect_ping(self->pair.client, self->pair.server);
}

TEST_F(est, shorter_structs_get_the_part_they_know)
{
	struct socktls_info info = { 0 };
	socklen_t len = 4;

	EXPECT_EQ(tls_get(self->pair.client, SOCKTLS_INFO, &info, &len), 0);
	EXPECT_EQ(len, 4);
	EXPECT_EQ(info.version, 0x0304);
	EXPECT_EQ(info.group, 0);
	len = 4096;
	EXPECT_ERRNO(tls_get(self->pair.client, SOCKTLS_INFO, BAD_MEMORY, &len),
		     EFAULT);
	len = 0;
	EXPECT_ERRNO(tls_get(self->pair.client, SOCKTLS_INFO, &info, &len),
		     EINVAL);
}

static size_t first_certificate(int fd, int opt, const uint8_t **der)
{
	static uint8_t blobs[16384];
	const struct socktls_blob *blob = (void *)blobs;
	socklen_t len = sizeof(blobs), small = 8;

	EXPECT_ERRNO(tls_get(fd, opt, blobs, &small), ERANGE);
	EXPECT_EQ(tls_get(fd, opt, blobs, &len), 0);
	EXPECT_EQ(len, small);
	ASSERT_GE(len, sizeof(*blob));
	EXPECT_EQ(blob->type, SOCKTLS_BLOB_CERTIFICATE);
	ASSERT_LE(blob->len, len - sizeof(*blob));
	*der = blob->data;
	EXPECT_EQ(blob->data[0], 0x30);
	return blob->len;
}

TEST_F(est, both_ends_tell_the_same_certificate)
{
	static uint8_t copy[16384];
	const uint8_t *der;
	char none[8];
	socklen_t len = sizeof(none);
	size_t n = first_certificate(self->pair.client, SOCKTLS_PEER, &der);

	memcpy(copy, der, n);
	EXPECT_EQ(first_certificate(self->pair.server, SOCKTLS_LOCAL_CERT,
				    &der), n);
	EXPECT_EQ(memcmp(copy, der, n), 0);
	/* the client has shown none */
	EXPECT_EQ(tls_get(self->pair.server, SOCKTLS_PEER, none, &len), 0);
	EXPECT_EQ(len, 0);
	len = sizeof(none);
	EXPECT_EQ(tls_get(self->pair.client, SOCKTLS_LOCAL_CERT, none, &len),
		  0);
	EXPECT_EQ(len, 0);
}

TEST_F(est, both_planes_exclude_each_other)
{
	struct tls12_crypto_info_aes_gcm_128 key = {
		.info = { TLS_1_3_VERSION, TLS_CIPHER_AES_GCM_128 },
	};
	int client, server;

	tcp_pair(AF_INET, &client, &server);
	ASSERT_EQ(tls_attach(client), 0);
	ASSERT_EQ(tls_set(client, TLS_TX, &key, sizeof(key)), 0);
	EXPECT_ERRNO(tls_start(client, SOCKTLS_CLIENT, 0), EBUSY);
	EXPECT_ERRNO(tls_set_text(client, SOCKTLS_SERVER_NAME, "a"), EBUSY);
	EXPECT_ERRNO(tls_set(client, SOCKTLS_ALPN, "\2h2", 3), EBUSY);

	tcp_pair(AF_INET, &client, &server);
	tls_prepare_client(client);
	set_nonblocking(client, true);
	ASSERT_ERRNO(tls_start(client, SOCKTLS_CLIENT, 0), EINPROGRESS);
	EXPECT_ERRNO(tls_set(client, TLS_TX, &key, sizeof(key)), EBUSY);
	EXPECT_ERRNO(tls_set(client, TLS_RX, &key, sizeof(key)), EBUSY);
}

int main(int argc, char **argv)
{
	return harness_main(argc, argv);
}
