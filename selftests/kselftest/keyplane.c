// SPDX-License-Identifier: MIT
/*
 * Keys by TLS_TX and TLS_RX, as <linux/tls.h> has them. With --ulp tls the same
 * tests run on stock kTLS, which shows that the expectations are right.
 */
#include "util.h"

#include <linux/tls.h>

#ifndef TLS_TX_MAX_PAYLOAD_LEN
#define TLS_TX_MAX_PAYLOAD_LEN 5
#endif

static const char *ulp = SOCKTLS_ULP_NAME;

union key {
	struct tls_crypto_info				info;
	struct tls12_crypto_info_aes_gcm_128		gcm128;
	struct tls12_crypto_info_aes_gcm_256		gcm256;
	struct tls12_crypto_info_chacha20_poly1305	chacha;
	unsigned char					bytes[64];
};

static bool is_stock(void)
{
	return strcmp(ulp, SOCKTLS_ULP_NAME);
}

/* Rekeying came to stock kTLS a while before this option. */
static void need_newest(int fd)
{
	uint16_t value;
	socklen_t len = sizeof(value);

	if (is_stock() && tls_get(fd, TLS_TX_MAX_PAYLOAD_LEN, &value, &len))
		harness_skip("this kernel's tls.ko is not of the newest");
}

static int attach(int fd, const char *name)
{
	return setsockopt(fd, SOL_TCP, TCP_ULP, name, strlen(name));
}

FIXTURE(key) {
	struct pair	pair;
	union key	key;
	socklen_t	len;
	char		buf[131072];
};

FIXTURE_VARIANT(key) {
	uint16_t	version;
	uint16_t	cipher;
	socklen_t	len;
};

#define KEY_VARIANT(_name, _version, _cipher, _type)			\
	FIXTURE_VARIANT_ADD(key, _name) {				\
		_version, _cipher, sizeof(struct tls12_crypto_info_##_type) \
	}

KEY_VARIANT(tls12_aes128_gcm, TLS_1_2_VERSION, TLS_CIPHER_AES_GCM_128,
	    aes_gcm_128);
KEY_VARIANT(tls12_aes256_gcm, TLS_1_2_VERSION, TLS_CIPHER_AES_GCM_256,
	    aes_gcm_256);
KEY_VARIANT(tls12_chacha20, TLS_1_2_VERSION, TLS_CIPHER_CHACHA20_POLY1305,
	    chacha20_poly1305);
KEY_VARIANT(tls13_aes128_gcm, TLS_1_3_VERSION, TLS_CIPHER_AES_GCM_128,
	    aes_gcm_128);
KEY_VARIANT(tls13_aes256_gcm, TLS_1_3_VERSION, TLS_CIPHER_AES_GCM_256,
	    aes_gcm_256);
KEY_VARIANT(tls13_chacha20, TLS_1_3_VERSION, TLS_CIPHER_CHACHA20_POLY1305,
	    chacha20_poly1305);

/* Bytes that differ by @seed; the record number, at the end, is small. */
static void make_key(union key *key, uint16_t version, uint16_t cipher,
		     socklen_t len, int seed)
{
	memset(key, 0, sizeof(*key));
	pattern_fill(key->bytes, len, seed * 4096 + 77);
	memset(key->bytes + len - 8, 0, 7);
	key->bytes[len - 1] = 5 + seed;
	key->info.version = version;
	key->info.cipher_type = cipher;
}

FIXTURE_SETUP(key)
{
	tcp_pair(AF_INET, &self->pair.client, &self->pair.server);
	ASSERT_EQ(attach(self->pair.client, ulp), 0);
	ASSERT_EQ(attach(self->pair.server, ulp), 0);
	self->len = variant->len;
	make_key(&self->key, variant->version, variant->cipher, self->len, 0);
}

/* One direction, client to server. */
static void key_up(struct fixture_key *self)
{
	ASSERT_EQ(tls_set(self->pair.client, TLS_TX, &self->key, self->len), 0);
	ASSERT_EQ(tls_set(self->pair.server, TLS_RX, &self->key, self->len), 0);
}

static void key_both(struct fixture_key *self,
		     const struct fixture_variant_key *variant)
{
	union key down;

	key_up(self);
	make_key(&down, variant->version, variant->cipher, self->len, 1);
	ASSERT_EQ(tls_set(self->pair.server, TLS_TX, &down, self->len), 0);
	ASSERT_EQ(tls_set(self->pair.client, TLS_RX, &down, self->len), 0);
}

/* The number of the next record, as TLS_TX or TLS_RX tell it. */
static int get_record_number(struct fixture_key *self,
			     const struct fixture_variant_key *variant, int opt)
{
	union key told = { 0 };
	socklen_t len = variant->len;
	int fd = opt == TLS_TX ? self->pair.client : self->pair.server;

	ASSERT_EQ(tls_get(fd, opt, &told, &len), 0);
	return told.bytes[len - 1];
}

static ssize_t send_record(int fd, uint8_t type, const void *data, size_t len,
			   int flags)
{
	char control[CMSG_SPACE(1)] = "";
	struct iovec iov = { (void *)data, len };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control,
		.msg_controllen = sizeof(control),
	};
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);

	cmsg->cmsg_level = SOL_TLS;
	cmsg->cmsg_type = TLS_SET_RECORD_TYPE;
	cmsg->cmsg_len = CMSG_LEN(1);
	*CMSG_DATA(cmsg) = type;
	return sendmsg(fd, &msg, flags);
}

static ssize_t recv_record(int fd, uint8_t *type, void *data, size_t len,
			   int flags)
{
	char control[CMSG_SPACE(1)] = "";
	struct iovec iov = { data, len };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control,
		.msg_controllen = sizeof(control),
	};
	ssize_t n = recvmsg(fd, &msg, flags);
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);

	*type = 0;
	if (n > 0 && cmsg && cmsg->cmsg_level == SOL_TLS &&
	    cmsg->cmsg_type == TLS_GET_RECORD_TYPE)
		*type = *CMSG_DATA(cmsg);
	return n;
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

TEST_F(key, carries_record_types)
{
	uint8_t type;

	key_up(self);
	ASSERT_EQ(send_record(self->pair.client, 22, "hand", 4, 0), 4);
	ASSERT_EQ(recv_record(self->pair.server, &type, self->buf, 100, 0), 4);
	EXPECT_EQ(type, 22);
	EXPECT_EQ(memcmp(self->buf, "hand", 4), 0);
	ASSERT_EQ(write(self->pair.client, "data", 4), 4);
	ASSERT_EQ(recv_record(self->pair.server, &type, self->buf, 100, 0), 4);
	EXPECT_EQ(type, 23);
	ASSERT_EQ(send_record(self->pair.client, 100, "any", 3, 0), 3);
	ASSERT_EQ(recv_record(self->pair.server, &type, self->buf, 100, 0), 3);
	EXPECT_EQ(type, 100);
}

TEST_F(key, control_records_are_not_mixed_with_data)
{
	uint8_t type;

	key_up(self);
	ASSERT_EQ(write(self->pair.client, "one", 3), 3);
	ASSERT_EQ(send_record(self->pair.client, 21, "\1\0", 2, 0), 2);
	ASSERT_EQ(send_record(self->pair.client, 21, "\1\1", 2, 0), 2);
	ASSERT_EQ(write(self->pair.client, "two", 3), 3);
	sleep_ms(50);
	EXPECT_EQ(recv_record(self->pair.server, &type, self->buf, 100, 0), 3);
	EXPECT_EQ(type, 23);
	EXPECT_EQ(recv_record(self->pair.server, &type, self->buf, 100, 0), 2);
	EXPECT_EQ(type, 21);
	EXPECT_EQ(self->buf[1], 0);
	EXPECT_EQ(recv_record(self->pair.server, &type, self->buf, 100, 0), 2);
	EXPECT_EQ(self->buf[1], 1);
	EXPECT_EQ(recv_record(self->pair.server, &type, self->buf, 100, 0), 3);
	EXPECT_EQ(type, 23);
	EXPECT_EQ(memcmp(self->buf, "two", 3), 0);
}

TEST_F(key, control_record_is_read_in_parts)
{
	uint8_t type;

	key_up(self);
	ASSERT_EQ(send_record(self->pair.client, 22, "handshake", 9, 0), 9);
	EXPECT_EQ(recv_record(self->pair.server, &type, self->buf, 4, 0), 4);
	EXPECT_EQ(type, 22);
	EXPECT_EQ(recv_record(self->pair.server, &type, self->buf, 100, 0), 5);
	EXPECT_EQ(type, 22);
	EXPECT_EQ(memcmp(self->buf, "shake", 5), 0);
}

TEST_F(key, control_record_without_room_for_its_type_is_eio)
{
	uint8_t type;

	key_up(self);
	ASSERT_EQ(write(self->pair.client, "data", 4), 4);
	ASSERT_EQ(send_record(self->pair.client, 21, "\1\0", 2, 0), 2);
	EXPECT_EQ(recv(self->pair.server, self->buf, 100, 0), 4);
	EXPECT_ERRNO(recv(self->pair.server, self->buf, 100, 0), EIO);
	/* and it is still there */
	EXPECT_EQ(recv_record(self->pair.server, &type, self->buf, 100, 0), 2);
	EXPECT_EQ(type, 21);
}

TEST_F(key, control_record_is_polled_for)
{
	uint8_t type;

	key_up(self);
	EXPECT_EQ(poll_for(self->pair.server, POLLIN, 20), 0);
	ASSERT_EQ(send_record(self->pair.client, 21, "\1\0", 2, 0), 2);
	EXPECT_EQ(poll_for(self->pair.server, POLLIN, 5000), POLLIN);
	EXPECT_EQ(recv_record(self->pair.server, &type, self->buf, 100,
			      MSG_DONTWAIT), 2);
}

TEST_F(key, control_record_is_peeked)
{
	uint8_t type;

	key_up(self);
	ASSERT_EQ(send_record(self->pair.client, 22, "hand", 4, 0), 4);
	EXPECT_EQ(recv_record(self->pair.server, &type, self->buf, 100,
			      MSG_PEEK), 4);
	EXPECT_EQ(type, 22);
	EXPECT_EQ(recv_record(self->pair.server, &type, self->buf, 100, 0), 4);
	EXPECT_EQ(type, 22);
}

TEST_F(key, control_record_cannot_be_more)
{
	key_up(self);
	EXPECT_ERRNO(send_record(self->pair.client, 21, "\1\0", 2, MSG_MORE),
		     EINVAL);
}

TEST_F(key, control_record_flushes_open_data_before_it)
{
	uint8_t type;

	key_up(self);
	ASSERT_EQ(send(self->pair.client, "open", 4, MSG_MORE), 4);
	ASSERT_EQ(send_record(self->pair.client, 21, "\1\0", 2, 0), 2);
	EXPECT_EQ(recv_record(self->pair.server, &type, self->buf, 100, 0), 4);
	EXPECT_EQ(type, 23);
	EXPECT_EQ(recv_record(self->pair.server, &type, self->buf, 100, 0), 2);
	EXPECT_EQ(type, 21);
}

TEST_F(key, control_record_does_not_go_into_a_pipe)
{
	int pipes[2];

	key_up(self);
	ASSERT_EQ(pipe(pipes), 0);
	ASSERT_EQ(write(self->pair.client, "data", 4), 4);
	ASSERT_EQ(send_record(self->pair.client, 21, "\1\0", 2, 0), 2);
	EXPECT_EQ(splice(self->pair.server, NULL, pipes[1], NULL, 100, 0), 4);
	EXPECT_ERRNO(splice(self->pair.server, NULL, pipes[1], NULL, 100, 0),
		     EINVAL);
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

/* ---- what comes from the wire ---- */

static void send_raw(struct fixture_key *self, uint16_t version, size_t len,
		     size_t body)
{
	unsigned char *bytes = (void *)self->buf;

	memset(bytes, 0x5a, 5 + body);
	bytes[0] = 23;
	bytes[1] = version >> 8;
	bytes[2] = version;
	bytes[3] = len >> 8;
	bytes[4] = len;
	ASSERT_EQ(tls_set(self->pair.server, TLS_RX, &self->key, self->len), 0);
	ASSERT_TRUE(write_all(self->pair.client, bytes, 5 + body));
}

TEST_F(key, record_of_another_version_is_refused)
{
	send_raw(self, 0x0301, 100, 100);
	EXPECT_ERRNO(recv(self->pair.server, self->buf, 100, 0), EINVAL);
}

TEST_F(key, record_over_the_limit_is_refused)
{
	send_raw(self, 0x0303, 16384 + 257, 100);
	EXPECT_ERRNO(recv(self->pair.server, self->buf, 100, 0), EMSGSIZE);
}

TEST_F(key, record_too_short_for_its_tag_is_refused)
{
	send_raw(self, 0x0303, 15, 15);
	EXPECT_ERRNO(recv(self->pair.server, self->buf, 100, 0), EBADMSG);
}

TEST_F(key, record_not_authentic_is_refused)
{
	send_raw(self, 0x0303, 100, 100);
	EXPECT_TRUE(poll_for(self->pair.server, POLLIN, 5000) & POLLIN);
	EXPECT_ERRNO(recv(self->pair.server, self->buf, 100, 0), EBADMSG);
}

TEST_F(key, garbage_is_told_once)
{
	need_newest(self->pair.client);
	send_raw(self, 0x5555, 0x5555, 100);
	EXPECT_ERRNO(recv(self->pair.server, self->buf, 100, 0), EMSGSIZE);
	EXPECT_ERRNO(recv(self->pair.server, self->buf, 100, MSG_DONTWAIT),
		     EAGAIN);
	EXPECT_EQ(poll_for(self->pair.server, POLLIN, 20), 0);
	ASSERT_EQ(close(self->pair.client), 0);
	EXPECT_EQ(recv(self->pair.server, self->buf, 100, 0), 0);
}

TEST_F(key, forgery_is_told_each_time)
{
	int fd = self->pair.server;

	send_raw(self, 0x0303, 100, 100);
	EXPECT_ERRNO(recv(fd, self->buf, 100, 0), EBADMSG);
	EXPECT_ERRNO(recv(fd, self->buf, 100, 0), EBADMSG);
	/* and stops writing until it has been taken notice of */
	ASSERT_EQ(tls_set(fd, TLS_TX, &self->key, self->len), 0);
	EXPECT_ERRNO(write(fd, "x", 1), EBADMSG);
	EXPECT_EQ(get_int(fd, SOL_SOCKET, SO_ERROR), EBADMSG);
	EXPECT_EQ(write(fd, "x", 1), 1);
}

TEST_F(key, more_and_end_of_record_contradict)
{
	need_newest(self->pair.client);
	key_up(self);
	EXPECT_ERRNO(send(self->pair.client, "x", 1, MSG_MORE | MSG_EOR),
		     EINVAL);
	expect_ping(self->pair.client, self->pair.server);
}

TEST_F(key, given_type_ends_the_open_record)
{
	uint8_t type;

	key_up(self);
	ASSERT_EQ(send(self->pair.client, "one", 3, MSG_MORE), 3);
	ASSERT_EQ(send_record(self->pair.client, 23, "two", 3, 0), 3);
	sleep_ms(50);
	/* two records, of one type */
	EXPECT_EQ(recv_record(self->pair.server, &type, self->buf, 4, 0), 4);
	EXPECT_EQ(recv_record(self->pair.server, &type, self->buf, 100, 0), 2);
	EXPECT_EQ(get_record_number(self, variant, TLS_RX), 5 + 2);
}

/* A reader that peeks and waits for more may lose what it peeked at. */
TEST_F(key, peek_survives_another_reader)
{
	struct flow out = { .len = 4000000, .writing = true, .chunk = 100 };
	struct flow in = { .len = 4000000, .chunk = 4096 };
	size_t n;

	key_up(self);
	out.fd = self->pair.client;
	in.fd = self->pair.server;
	flow_start(&in);
	flow_start(&out);
	for (n = 0; n < 2000 && atomic_load(&in.done) < in.len / 2; n++)
		recv(self->pair.server, self->buf, 5000,
		     MSG_PEEK | (n & 1 ? MSG_WAITALL : 0));
	ASSERT_TRUE(flow_join(&out) & flow_join(&in));
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

int main(int argc, char **argv)
{
	if (argc > 2 && !strcmp(argv[1], "--ulp")) {
		ulp = argv[2];
		argv += 2;
		argc -= 2;
	}
	return harness_main(argc, argv);
}
