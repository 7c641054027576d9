// SPDX-License-Identifier: MIT
/* The key plane: keys set, told, refused and followed by the next; data. */
#include "keyfixture.h"

static void key_both(struct fixture_key *self,
		     const struct fixture_variant_key *variant)
{
	union key down;

	key_up(self);
	make_key(&down, variant->version, variant->cipher, self->len, 1);
	ASSERT_EQ(tls_set(self->pair.server, TLS_TX, &down, self->len), 0);
	ASSERT_EQ(tls_set(self->pair.client, TLS_RX, &down, self->len), 0);
}

TEST_F(key, carries_data_both_ways)
{
	static const size_t sizes[] = { 1, 16, 16384, 16385, 100000 };
	unsigned int i;

	key_both(self, variant);
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		struct flow out = {
			.fd = self->pair.client, .len = sizes[i],
			.writing = true,
		};
		struct flow in = { .fd = self->pair.server, .len = sizes[i] };

		flow_start(&out);
		flow_start(&in);
		ASSERT_TRUE(flow_join(&out) & flow_join(&in));
		out.fd = self->pair.server;
		in.fd = self->pair.client;
		flow_start(&out);
		flow_start(&in);
		ASSERT_TRUE(flow_join(&out) & flow_join(&in));
	}
}

TEST_F(key, directions_are_keyed_one_by_one)
{
	key_up(self);
	expect_ping(self->pair.client, self->pair.server);
	/* the other one is still plain */
	expect_ping(self->pair.server, self->pair.client);
}

TEST_F(key, peek_sees_the_same_twice)
{
	key_up(self);
	ASSERT_EQ(write(self->pair.client, "hello", 5), 5);
	EXPECT_EQ(recv(self->pair.server, self->buf, 3, MSG_PEEK), 3);
	EXPECT_EQ(recv(self->pair.server, self->buf, 5, MSG_PEEK), 5);
	EXPECT_EQ(memcmp(self->buf, "hello", 5), 0);
	EXPECT_EQ(recv(self->pair.server, self->buf, 100, 0), 5);
	EXPECT_ERRNO(recv(self->pair.server, self->buf, 1, MSG_DONTWAIT),
		     EAGAIN);
}

TEST_F(key, bare_fin_is_the_end)
{
	key_up(self);
	ASSERT_EQ(write(self->pair.client, "last", 4), 4);
	ASSERT_EQ(shutdown(self->pair.client, SHUT_WR), 0);
	EXPECT_EQ(recv(self->pair.server, self->buf, 100, 0), 4);
	EXPECT_EQ(recv(self->pair.server, self->buf, 100, 0), 0);
	expect_ping(self->pair.server, self->pair.client);
}

TEST_F(key, records_that_came_before_the_key_are_read)
{
	ASSERT_EQ(tls_set(self->pair.client, TLS_TX, &self->key, self->len), 0);
	ASSERT_EQ(write(self->pair.client, "early", 5), 5);
	wait_for_events(self->pair.server, POLLIN);
	ASSERT_EQ(tls_set(self->pair.server, TLS_RX, &self->key, self->len), 0);
	EXPECT_EQ(recv(self->pair.server, self->buf, 100, 0), 5);
	EXPECT_EQ(memcmp(self->buf, "early", 5), 0);
}

/* The client of a TLS 1.2 handshake: it writes records before it reads them. */
TEST_F(key, comes_after_plain_records_where_the_other_is_there)
{
	static const char ccs[] = "\x14\3\3\0\1\1";
	int fd = self->pair.server;
	pid_t child;
	int status;

	ASSERT_EQ(tls_set(fd, TLS_TX, &self->key, self->len), 0);
	/* a part of one wakes a reader */
	child = fork();
	ASSERT_NE(child, -1);
	if (!child)
		_exit(recv(fd, self->buf, 3, 0) != 3);
	sleep_ms(100);
	ASSERT_EQ(write(self->pair.client, ccs, 3), 3);
	ASSERT_EQ(waitpid(child, &status, 0), child);
	EXPECT_EQ(status, 0);
	ASSERT_EQ(write(self->pair.client, ccs, 6), 6);
	ASSERT_EQ(tls_set(self->pair.client, TLS_TX, &self->key, self->len), 0);
	ASSERT_EQ(write(self->pair.client, "data", 4), 4);
	sleep_ms(50);
	EXPECT_EQ(recv(fd, self->buf, 6, 0), 6);
	EXPECT_EQ(memcmp(self->buf, ccs, 6), 0);
	ASSERT_EQ(tls_set(fd, TLS_RX, &self->key, self->len), 0);
	EXPECT_EQ(recv(fd, self->buf, 100, 0), 4);
	EXPECT_EQ(memcmp(self->buf, "data", 4), 0);
}

TEST_F(key, other_key_opens_nothing)
{
	union key other;

	make_key(&other, variant->version, variant->cipher, self->len, 2);
	memcpy(other.bytes + self->len - 8, self->key.bytes + self->len - 8, 8);
	ASSERT_EQ(tls_set(self->pair.client, TLS_TX, &self->key, self->len), 0);
	ASSERT_EQ(tls_set(self->pair.server, TLS_RX, &other, self->len), 0);
	ASSERT_EQ(write(self->pair.client, "x", 1), 1);
	EXPECT_ERRNO(recv(self->pair.server, self->buf, 100, 0), EBADMSG);
}

/* ---- what is told and refused ---- */

TEST_F(key, is_told_with_its_record_number)
{
	struct tls_crypto_info head;
	union key told = { 0 };
	socklen_t len = sizeof(head);

	key_up(self);
	expect_ping(self->pair.client, self->pair.server);
	expect_ping(self->pair.client, self->pair.server);
	EXPECT_EQ(tls_get(self->pair.client, TLS_TX, &head, &len), 0);
	EXPECT_EQ(head.version, variant->version);
	EXPECT_EQ(head.cipher_type, variant->cipher);
	len = self->len;
	EXPECT_EQ(tls_get(self->pair.client, TLS_TX, &told, &len), 0);
	EXPECT_EQ(told.bytes[len - 1], 7);
	/* salt and key as they were */
	if (variant->cipher == TLS_CIPHER_AES_GCM_128)
		EXPECT_EQ(memcmp(told.gcm128.key, self->key.gcm128.key,
				 sizeof(told.gcm128.key) +
				 sizeof(told.gcm128.salt)), 0);
	if (variant->cipher == TLS_CIPHER_CHACHA20_POLY1305)
		EXPECT_EQ(memcmp(told.chacha.iv, self->key.chacha.iv,
				 sizeof(told.chacha.iv) +
				 sizeof(told.chacha.key)), 0);
	len = self->len;
	EXPECT_EQ(tls_get(self->pair.server, TLS_RX, &told, &len), 0);
	EXPECT_EQ(told.bytes[len - 1], 7);
	len = self->len - 1;
	EXPECT_ERRNO(tls_get(self->pair.client, TLS_TX, &told, &len), EINVAL);
	len = sizeof(head) - 1;
	EXPECT_ERRNO(tls_get(self->pair.client, TLS_TX, &told, &len), EINVAL);
	len = self->len;
	EXPECT_ERRNO(tls_get(self->pair.client, TLS_RX, &told, &len), EBUSY);
}

TEST_F(key, is_checked)
{
	union key bad = self->key;
	int fd = self->pair.client;

	EXPECT_ERRNO(tls_set(fd, TLS_TX, &self->key, self->len - 1), EINVAL);
	EXPECT_ERRNO(tls_set(fd, TLS_TX, &self->key, 3), EINVAL);
	EXPECT_ERRNO(tls_set(fd, TLS_TX, &self->key, 0), EINVAL);
	EXPECT_ERRNO(tls_set(fd, TLS_TX, BAD_MEMORY, self->len), EFAULT);
	bad.info.version = 0x0302;
	EXPECT_ERRNO(tls_set(fd, TLS_TX, &bad, self->len), EINVAL);
	bad = self->key;
	bad.info.cipher_type = 999;
	EXPECT_ERRNO(tls_set(fd, TLS_TX, &bad, self->len), EINVAL);
	/* none of these was one */
	expect_ping(fd, self->pair.server);
	EXPECT_EQ(tls_set(fd, TLS_TX, &self->key, self->len), 0);
}

TEST_F(key, of_tls_1_2_is_set_once)
{
	int fd = self->pair.client;

	if (variant->version == TLS_1_3_VERSION)
		return;
	ASSERT_EQ(tls_set(fd, TLS_TX, &self->key, self->len), 0);
	EXPECT_ERRNO(tls_set(fd, TLS_TX, &self->key, self->len), EBUSY);
	EXPECT_EQ(tls_set(fd, TLS_RX, &self->key, self->len), 0);
	EXPECT_ERRNO(tls_set(fd, TLS_RX, &self->key, self->len), EBUSY);
}

TEST_F(key, is_of_one_version_in_both_directions)
{
	union key other = self->key;

	ASSERT_EQ(tls_set(self->pair.client, TLS_TX, &self->key, self->len), 0);
	other.info.version ^= TLS_1_2_VERSION ^ TLS_1_3_VERSION;
	EXPECT_ERRNO(tls_set(self->pair.client, TLS_RX, &other, self->len),
		     EINVAL);
}

TEST_F(key, options_of_tls_h_are_there)
{
	int fd = self->pair.client, value = 1;
	bool is_13 = variant->version == TLS_1_3_VERSION;

	key_both(self, variant);
	EXPECT_EQ(tls_set_u32(fd, TLS_TX_ZEROCOPY_RO, 1), 0);
	EXPECT_EQ(get_int(fd, SOL_TLS, TLS_TX_ZEROCOPY_RO), 1);
	EXPECT_ERRNO(tls_set_u32(fd, TLS_TX_ZEROCOPY_RO, 2), EINVAL);
	EXPECT_ERRNO(tls_set(fd, TLS_TX_ZEROCOPY_RO, &value, 3), EINVAL);
	if (is_13) {
		EXPECT_EQ(tls_set_u32(fd, TLS_RX_EXPECT_NO_PAD, 1), 0);
		EXPECT_EQ(get_int(fd, SOL_TLS, TLS_RX_EXPECT_NO_PAD), 1);
	} else {
		EXPECT_ERRNO(tls_set_u32(fd, TLS_RX_EXPECT_NO_PAD, 1), EINVAL);
	}
	expect_ping(self->pair.client, self->pair.server);
	expect_ping(self->pair.server, self->pair.client);
}

/* The option of the newest kernels, RFC 8449. */
TEST_F(key, limits_the_payload_of_records)
{
	const uint16_t least = variant->version == TLS_1_3_VERSION ? 63 : 64;
	int fd = self->pair.client;
	uint16_t value = 0;
	socklen_t len = sizeof(value);
	size_t n, left = 1000;

	need_newest(fd);
	ASSERT_EQ(tls_set(fd, TLS_TX, &self->key, self->len), 0);
	EXPECT_EQ(tls_get(fd, TLS_TX_MAX_PAYLOAD_LEN, &value, &len), 0);
	EXPECT_EQ(value, 16384);
	value = least - 1;
	EXPECT_ERRNO(tls_set(fd, TLS_TX_MAX_PAYLOAD_LEN, &value, 2), EINVAL);
	value = 16385;
	EXPECT_ERRNO(tls_set(fd, TLS_TX_MAX_PAYLOAD_LEN, &value, 2), EINVAL);
	value = least;
	EXPECT_ERRNO(tls_set(fd, TLS_TX_MAX_PAYLOAD_LEN, &value, 1), EINVAL);
	EXPECT_EQ(tls_set(fd, TLS_TX_MAX_PAYLOAD_LEN, &value, 2), 0);
	ASSERT_EQ(write(fd, self->buf, 1000), 1000);
	/* on the wire: it is not keyed there yet */
	for (n = 0; left; left -= value, n++) {
		unsigned char header[5];

		ASSERT_TRUE(read_all(self->pair.server, header, 5));
		if (left < value)
			value = left;
		len = header[3] << 8 | header[4];
		EXPECT_GE(len, value + 16);
		EXPECT_LE(len, value + 24);
		ASSERT_TRUE(read_all(self->pair.server, self->buf, len));
	}
	EXPECT_EQ(n, (1000 + least - 1) / least);
}

TEST_F(key, payload_limit_waits_for_the_open_record)
{
	int fd = self->pair.client;
	uint16_t value = 100;

	need_newest(fd);
	key_up(self);
	ASSERT_EQ(send(fd, "open", 4, MSG_MORE), 4);
	EXPECT_ERRNO(tls_set(fd, TLS_TX_MAX_PAYLOAD_LEN, &value, 2), EBUSY);
	ASSERT_EQ(send(fd, "shut", 4, 0), 4);
	EXPECT_EQ(tls_set(fd, TLS_TX_MAX_PAYLOAD_LEN, &value, 2), 0);
}

/* ---- new keys ---- */

/* RFC 8446 section 4.6.3: type 24, one byte, update_not_requested. */
#define KEY_UPDATE	"\x18\0\0\1"
#define KEY_UPDATE_LEN	5

static void next_key(struct fixture_key *self,
		     const struct fixture_variant_key *variant)
{
	need_newest(self->pair.client);
	if (variant->version != TLS_1_3_VERSION)
		harness_skip("TLS 1.2 has no KeyUpdate");
	key_up(self);
	make_key(&self->key, variant->version, variant->cipher, self->len, 3);
}

TEST_F(key, is_followed_by_the_next)
{
	uint8_t type;

	next_key(self, variant);
	expect_ping(self->pair.client, self->pair.server);
	ASSERT_EQ(send(self->pair.client, "old", 3, MSG_MORE), 3);
	ASSERT_EQ(send_record(self->pair.client, 22, KEY_UPDATE,
			      KEY_UPDATE_LEN, 0), KEY_UPDATE_LEN);
	ASSERT_EQ(tls_set(self->pair.client, TLS_TX, &self->key, self->len), 0);
	ASSERT_EQ(write(self->pair.client, "new", 3), 3);
	EXPECT_EQ(recv(self->pair.server, self->buf, 100, 0), 3);
	EXPECT_EQ(memcmp(self->buf, "old", 3), 0);
	EXPECT_EQ(recv_record(self->pair.server, &type, self->buf, 100, 0),
		  KEY_UPDATE_LEN);
	EXPECT_EQ(type, 22);
	ASSERT_EQ(tls_set(self->pair.server, TLS_RX, &self->key, self->len), 0);
	EXPECT_EQ(recv(self->pair.server, self->buf, 100, 0), 3);
	EXPECT_EQ(memcmp(self->buf, "new", 3), 0);
}

TEST_F(key, update_expires_it)
{
	int fd = self->pair.server, pipes[2];
	uint8_t type;

	next_key(self, variant);
	ASSERT_EQ(pipe(pipes), 0);
	ASSERT_EQ(send_record(self->pair.client, 22, KEY_UPDATE,
			      KEY_UPDATE_LEN, 0), KEY_UPDATE_LEN);
	ASSERT_EQ(tls_set(self->pair.client, TLS_TX, &self->key, self->len), 0);
	ASSERT_EQ(write(self->pair.client, "new", 3), 3);
	EXPECT_EQ(poll_for(fd, POLLIN, 5000), POLLIN);
	EXPECT_ERRNO(splice(fd, NULL, pipes[1], NULL, 100, 0), EINVAL);
	EXPECT_EQ(recv_record(fd, &type, self->buf, 100, MSG_PEEK),
		  KEY_UPDATE_LEN);
	EXPECT_EQ(recv_record(fd, &type, self->buf, 100, 0), KEY_UPDATE_LEN);
	EXPECT_EQ(poll_for(fd, POLLIN, 20), 0);
	EXPECT_ERRNO(recv(fd, self->buf, 100, 0), EKEYEXPIRED);
	EXPECT_ERRNO(recv(fd, self->buf, 100, MSG_DONTWAIT), EKEYEXPIRED);
	EXPECT_ERRNO(splice(fd, NULL, pipes[1], NULL, 100, 0), EKEYEXPIRED);
	ASSERT_EQ(tls_set(fd, TLS_RX, &self->key, self->len), 0);
	EXPECT_EQ(poll_for(fd, POLLIN, 5000), POLLIN);
	EXPECT_EQ(recv(fd, self->buf, 100, 0), 3);
}

/* poll() opens the record itself: that must not hide it. */
TEST_F(key, update_is_readable_until_it_is_read)
{
	int fd = self->pair.server;
	uint8_t type;

	next_key(self, variant);
	ASSERT_EQ(send_record(self->pair.client, 22, KEY_UPDATE,
			      KEY_UPDATE_LEN, 0), KEY_UPDATE_LEN);
	EXPECT_EQ(poll_for(fd, POLLIN, 5000), POLLIN);
	EXPECT_EQ(poll_for(fd, POLLIN, 5000), POLLIN);
	EXPECT_EQ(recv_record(fd, &type, self->buf, 100, 0), KEY_UPDATE_LEN);
	EXPECT_EQ(poll_for(fd, POLLIN, 20), 0);
}

TEST_F(key, next_one_wakes_who_polls)
{
	int fd = self->pair.server;
	uint8_t type;
	pid_t child;
	int status;

	next_key(self, variant);
	ASSERT_EQ(send_record(self->pair.client, 22, KEY_UPDATE,
			      KEY_UPDATE_LEN, 0), KEY_UPDATE_LEN);
	EXPECT_EQ(recv_record(fd, &type, self->buf, 100, 0), KEY_UPDATE_LEN);
	ASSERT_EQ(tls_set(self->pair.client, TLS_TX, &self->key, self->len), 0);
	ASSERT_EQ(write(self->pair.client, "new", 3), 3);
	child = fork();
	ASSERT_NE(child, -1);
	if (!child)
		_exit(poll_for(fd, POLLIN, 20000) != POLLIN);
	sleep_ms(200);
	ASSERT_EQ(tls_set(fd, TLS_RX, &self->key, self->len), 0);
	ASSERT_EQ(waitpid(child, &status, 0), child);
	EXPECT_EQ(status, 0);
}

TEST_F(key, next_one_is_of_the_same_kind)
{
	union key other;

	next_key(self, variant);
	other = self->key;
	other.info.version = TLS_1_2_VERSION;
	EXPECT_ERRNO(tls_set(self->pair.client, TLS_TX, &other, self->len),
		     EINVAL);
	EXPECT_ERRNO(tls_set(self->pair.server, TLS_RX, &other, self->len),
		     EINVAL);
	other = self->key;
	other.info.cipher_type = TLS_CIPHER_AES_CCM_128;
	EXPECT_ERRNO(tls_set(self->pair.client, TLS_TX, &other,
			     sizeof(struct tls12_crypto_info_aes_ccm_128)),
		     EINVAL);
	/* and the old one still works */
	expect_ping(self->pair.client, self->pair.server);
}

TEST_F(key, next_one_is_told)
{
	union key told = { 0 };
	socklen_t len = self->len;

	next_key(self, variant);
	expect_ping(self->pair.client, self->pair.server);
	ASSERT_EQ(tls_set(self->pair.client, TLS_TX, &self->key, self->len), 0);
	EXPECT_EQ(tls_get(self->pair.client, TLS_TX, &told, &len), 0);
	EXPECT_EQ(memcmp(&told, &self->key, self->len), 0);
}

TEST_F(key, record_number_may_not_wrap)
{
	need_newest(self->pair.client);
	memset(self->key.bytes + self->len - 8, 0xff, 8);
	key_up(self);
	EXPECT_ERRNO(write(self->pair.client, "x", 1), EBADMSG);
	EXPECT_ERRNO(write(self->pair.client, "x", 1), EBADMSG);
}

/* ---- ours alone ---- */

TEST_F(key, plane_is_told)
{
	struct socktls_info info;

	if (is_stock())
		harness_skip("ours alone");
	key_up(self);
	tls_info(self->pair.client, &info);
	EXPECT_EQ(info.version, variant->version);
	EXPECT_TRUE(info.flags & SOCKTLS_INFO_KEY_PLANE);
}

TEST_F(key, stock_ktls_understands_us_and_we_it)
{
	struct flow out = { .len = 200000, .writing = true, .chunk = 50000 };
	struct flow in = { .len = 200000 };
	uint8_t type;
	int client, server;

	if (is_stock())
		harness_skip("between both");
	tcp_pair(AF_INET, &client, &server);
	if (attach(client, "tls"))
		harness_skip("no stock kTLS here");
	ASSERT_EQ(attach(server, ulp), 0);
	self->pair = (struct pair){ client, server };
	key_both(self, variant);
	out.fd = client;
	in.fd = server;
	flow_start(&out);
	flow_start(&in);
	ASSERT_TRUE(flow_join(&out) & flow_join(&in));
	out.fd = server;
	in.fd = client;
	flow_start(&out);
	flow_start(&in);
	ASSERT_TRUE(flow_join(&out) & flow_join(&in));
	ASSERT_EQ(send_record(client, 21, "\1\0", 2, 0), 2);
	EXPECT_EQ(recv_record(server, &type, self->buf, 100, 0), 2);
	EXPECT_EQ(type, 21);
	ASSERT_EQ(send_record(server, 22, "hand", 4, 0), 4);
	EXPECT_EQ(recv_record(client, &type, self->buf, 100, 0), 4);
	EXPECT_EQ(type, 22);
}

static void *read_ten(void *arg)
{
	char buf[10];

	return (void *)read(*(int *)arg, buf, sizeof(buf));
}

/* It is asleep in TCP, where nobody sees it. */
TEST(reader_from_before_the_ulp_breaks_the_stream_and_is_named)
{
	struct socktls_error error;
	pthread_t thread;
	union key key;
	int client, server;
	socklen_t len = sizeof(key.gcm128);
	char buf[100] = "";
	void *n;

	if (is_stock())
		harness_skip("stock kTLS parses what is left");
	tcp_pair(AF_INET, &client, &server);
	ASSERT_EQ(pthread_create(&thread, NULL, read_ten, &server), 0);
	sleep_ms(100);
	ASSERT_EQ(attach(client, ulp), 0);
	ASSERT_EQ(attach(server, ulp), 0);
	make_key(&key, TLS_1_3_VERSION, TLS_CIPHER_AES_GCM_128, len, 0);
	ASSERT_EQ(tls_set(client, TLS_TX, &key, len), 0);
	ASSERT_EQ(tls_set(server, TLS_RX, &key, len), 0);
	ASSERT_EQ(write(client, buf, sizeof(buf)), sizeof(buf));
	pthread_join(thread, &n);
	ASSERT_EQ((ssize_t)n, 10);
	EXPECT_ERRNO(recv(server, buf, sizeof(buf), MSG_DONTWAIT), ENODATA);
	tls_error(server, &error);
	EXPECT_EQ(error.error, ENODATA);
	EXPECT_NE(strstr(error.text, "TCP_ULP"), NULL);
}

TEST_F(key, low_water_mark_counts_bytes_until_rx_has_its_key)
{
	struct timeval timeout = { .tv_usec = 200000 };
	int fd = self->pair.client;

	ASSERT_EQ(tls_set(fd, TLS_TX, &self->key, self->len), 0);
	set_int(fd, SOL_SOCKET, SO_RCVLOWAT, 5000);
	EXPECT_EQ(get_int(fd, SOL_SOCKET, SO_RCVLOWAT), 5000);
	ASSERT_EQ(write(self->pair.server, "0123456789", 10), 10);
	EXPECT_EQ(poll_for(fd, POLLIN, 100), 0);
	ASSERT_EQ(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout,
			     sizeof(timeout)), 0);
	EXPECT_EQ(read(fd, self->buf, 100), 10);
	if (is_stock())
		return;
	ASSERT_EQ(tls_set(fd, TLS_RX, &self->key, self->len), 0);
	EXPECT_EQ(get_int(fd, SOL_SOCKET, SO_RCVLOWAT), 1);
}

TEST_F(key, under_tcp_repair_is_refused)
{
	if (is_stock())
		harness_skip("stock kTLS does not look");
	set_int(self->pair.client, SOL_TCP, TCP_REPAIR, 1);
	EXPECT_ERRNO(tls_set(self->pair.client, TLS_TX, &self->key, self->len),
		     EOPNOTSUPP);
	EXPECT_ERRNO(tls_set(self->pair.client, TLS_RX, &self->key, self->len),
		     EOPNOTSUPP);
	set_int(self->pair.client, SOL_TCP, TCP_REPAIR, -1);
	key_up(self);
}

int main(int argc, char **argv)
{
	return keys_main(argc, argv);
}
