// SPDX-License-Identifier: MIT
/*
 * The ULP by its name "tls". Run by selftests/ktls, on stock kTLS first, which
 * shows that the expectations are right, and then on ours with ulp=tls.
 */
#include "util.h"

#include <linux/tls.h>

static int attach(int fd)
{
	return setsockopt(fd, SOL_TCP, TCP_ULP, "tls", sizeof("tls"));
}

static int set_key(int fd, int opt)
{
	struct tls12_crypto_info_aes_gcm_128 key = {
		.info = { TLS_1_3_VERSION, TLS_CIPHER_AES_GCM_128 },
	};

	return tls_set(fd, opt, &key, sizeof(key));
}

TEST(ulp_is_for_established_connections)
{
	int listener = tcp_listen(AF_INET), client, server;

	EXPECT_ERRNO(attach(listener), ENOTCONN);
	client = tcp_socket(AF_INET);
	EXPECT_ERRNO(attach(client), ENOTCONN);
	client = tcp_connect(AF_INET, listener);
	server = accept(listener, NULL, NULL);
	EXPECT_EQ(attach(client), 0);
	EXPECT_ERRNO(attach(client), EEXIST);
	/* the peer's FIN makes it CLOSE_WAIT */
	ASSERT_EQ(shutdown(client, SHUT_WR), 0);
	wait_for_events(server, POLLIN);
	EXPECT_ERRNO(attach(server), ENOTCONN);
}

TEST(ulp_is_told_by_its_name)
{
	char name[16] = "";
	socklen_t len = sizeof(name);
	int client, server;

	tcp_pair(AF_INET6, &client, &server);
	ASSERT_EQ(attach(client), 0);
	EXPECT_EQ(getsockopt(client, SOL_TCP, TCP_ULP, name, &len), 0);
	EXPECT_EQ(strcmp(name, "tls"), 0);
}

TEST(ulp_is_plain_until_there_is_a_key)
{
	int client, server;

	tcp_pair(AF_INET, &client, &server);
	ASSERT_EQ(attach(client), 0);
	expect_ping(client, server);
	expect_ping(server, client);
	ASSERT_EQ(attach(server), 0);
	ASSERT_EQ(set_key(client, TLS_TX), 0);
	ASSERT_EQ(set_key(server, TLS_RX), 0);
	expect_ping(client, server);
	expect_ping(server, client);
}

TEST(ulp_keeps_the_connection)
{
	struct sockaddr nowhere = { .sa_family = AF_UNSPEC };
	int client, server;

	tcp_pair(AF_INET, &client, &server);
	ASSERT_EQ(attach(client), 0);
	EXPECT_ERRNO(connect(client, &nowhere, sizeof(nowhere)), EOPNOTSUPP);
	expect_ping(client, server);
	expect_ping(server, client);
}

/* What a connection brought can be read when it is over. */
TEST(ulp_is_keyed_after_the_end)
{
	struct tcp_info info;
	socklen_t len = sizeof(info);
	int client, server;
	char buf[16];

	tcp_pair(AF_INET, &client, &server);
	ASSERT_EQ(attach(client), 0);
	ASSERT_EQ(attach(server), 0);
	ASSERT_EQ(set_key(client, TLS_TX), 0);
	ASSERT_EQ(write(client, "last", 4), 4);
	ASSERT_EQ(shutdown(client, SHUT_WR), 0);
	ASSERT_EQ(shutdown(server, SHUT_WR), 0);
	do {
		sleep_ms(10);
		ASSERT_EQ(getsockopt(server, SOL_TCP, TCP_INFO, &info, &len), 0);
	} while (info.tcpi_state != TCP_CLOSE);
	EXPECT_EQ(set_key(server, TLS_RX), 0);
	EXPECT_EQ(recv(server, buf, sizeof(buf), 0), 4);
	EXPECT_EQ(memcmp(buf, "last", 4), 0);
	EXPECT_EQ(recv(server, buf, sizeof(buf), 0), 0);
}

int main(int argc, char **argv)
{
	return harness_main(argc, argv);
}
