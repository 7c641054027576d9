// SPDX-License-Identifier: MIT
/* How long the records on the wire are: padding, and dynamic record sizing. */
#include "peer.h"

#define OVERHEAD	22	/* header, content type, tag: TLS 1.3 and GCM */

static int set_padding(int fd, uint32_t mode, uint32_t size)
{
	struct socktls_padding padding = { .mode = mode, .size = size };

	return tls_set(fd, SOCKTLS_PADDING, &padding, sizeof(padding));
}

/* ---- the options themselves ---- */

TEST(padding_option_is_checked)
{
	struct socktls_padding padding;
	socklen_t len = sizeof(padding);
	int fd = tcp_socket(AF_INET);

	ASSERT_EQ(tls_attach(fd), 0);
	ASSERT_EQ(tls_get(fd, SOCKTLS_PADDING, &padding, &len), 0);
	EXPECT_EQ(len, sizeof(padding));
	EXPECT_EQ(padding.mode, SOCKTLS_PADDING_NONE);
	EXPECT_EQ(padding.size, 0);
	EXPECT_ERRNO(set_padding(fd, 3, 16), EINVAL);
	EXPECT_ERRNO(set_padding(fd, SOCKTLS_PADDING_NONE, 16), EINVAL);
	EXPECT_ERRNO(set_padding(fd, SOCKTLS_PADDING_MULTIPLE, 0), EINVAL);
	EXPECT_ERRNO(set_padding(fd, SOCKTLS_PADDING_FIXED, 16385), EINVAL);
	padding.mode = SOCKTLS_PADDING_FIXED;
	EXPECT_ERRNO(tls_set(fd, SOCKTLS_PADDING, &padding, 4), EINVAL);
	EXPECT_ERRNO(tls_set(fd, SOCKTLS_PADDING, BAD_MEMORY,
			     sizeof(padding)), EFAULT);
	EXPECT_EQ(set_padding(fd, SOCKTLS_PADDING_FIXED, 16384), 0);
	EXPECT_EQ(set_padding(fd, SOCKTLS_PADDING_MULTIPLE, 64), 0);
	ASSERT_EQ(tls_get(fd, SOCKTLS_PADDING, &padding, &len), 0);
	EXPECT_EQ(padding.mode, SOCKTLS_PADDING_MULTIPLE);
	EXPECT_EQ(padding.size, 64);
	EXPECT_EQ(set_padding(fd, SOCKTLS_PADDING_NONE, 0), 0);
}

static uint32_t get_sizing(int fd)
{
	uint32_t value = 99;
	socklen_t len = sizeof(value);

	EXPECT_EQ(tls_get(fd, SOCKTLS_RECORD_SIZING, &value, &len), 0);
	return value;
}

static void set_sysctl(const char *value)
{
	int fd = open("/proc/sys/net/socktls/dynamic_records", O_WRONLY);

	ASSERT_GE(fd, 0);
	ASSERT_EQ(write(fd, value, 1), 1);
	close(fd);
}

TEST(record_sizing_has_a_default_and_an_option)
{
	int off, on;

	netns_new();
	off = tcp_socket(AF_INET);
	ASSERT_EQ(tls_attach(off), 0);
	EXPECT_EQ(get_sizing(off), SOCKTLS_RECORD_SIZING_FULL);
	set_sysctl("1");
	on = tcp_socket(AF_INET);
	ASSERT_EQ(tls_attach(on), 0);
	EXPECT_EQ(get_sizing(on), SOCKTLS_RECORD_SIZING_DYNAMIC);
	EXPECT_EQ(get_sizing(off), SOCKTLS_RECORD_SIZING_FULL);
	ASSERT_EQ(tls_set_u32(off, SOCKTLS_RECORD_SIZING,
			      SOCKTLS_RECORD_SIZING_DEFAULT), 0);
	EXPECT_EQ(get_sizing(off), SOCKTLS_RECORD_SIZING_DYNAMIC);
	ASSERT_EQ(tls_set_u32(on, SOCKTLS_RECORD_SIZING,
			      SOCKTLS_RECORD_SIZING_FULL), 0);
	EXPECT_EQ(get_sizing(on), SOCKTLS_RECORD_SIZING_FULL);
	EXPECT_ERRNO(tls_set_u32(on, SOCKTLS_RECORD_SIZING, 3), EINVAL);
}

/* ---- on the wire, OpenSSL decoding ---- */

FIXTURE(wire) {
	struct peer	peer;
	struct tap	tap;
	int		fd;
	char		buf[200000];
};

FIXTURE_VARIANT(wire) {
	int	version;
};

FIXTURE_VARIANT_ADD(wire, tls13) { TLS1_3_VERSION };

FIXTURE_SETUP(wire)
{
	struct pair pair;

	tap_pair(&self->tap, AF_INET, &pair);
	self->fd = pair.client;
	self->peer = (struct peer){
		.fd = pair.server, .server = true, .version = variant->version,
		.suite = "TLS_AES_128_GCM_SHA256", .identity = "server-ecdsa",
	};
	peer_start(&self->peer);
	tls_prepare_client(self->fd);
	ASSERT_EQ(tls_start(self->fd, SOCKTLS_CLIENT, 0), 0);
	ASSERT_TRUE(peer_join(&self->peer));
	pattern_fill(self->buf, sizeof(self->buf), 0);
}

/*
 * Sends a write and has OpenSSL read it. Return: bytes on the wire; @records:
 * in how many records.
 */
static long long wire_send(struct fixture_wire *self, size_t len, int *records)
{
	long long bytes = atomic_load(&self->tap.up.passed);
	int before = atomic_load(&self->tap.up.records);
	char *got = malloc(len);

	ASSERT_NE(got, NULL);
	ASSERT_TRUE(write_all(self->fd, self->buf, len));
	ASSERT_TRUE(peer_read(&self->peer, got, len));
	EXPECT_EQ(memcmp(got, self->buf, len), 0);
	free(got);
	*records = atomic_load(&self->tap.up.records) - before;
	return atomic_load(&self->tap.up.passed) - bytes;
}

static void expect_wire(struct fixture_wire *self, size_t len, int records,
			long long plain)
{
	int seen;

	EXPECT_EQ(wire_send(self, len, &seen),
		  plain + (long long)records * OVERHEAD);
	EXPECT_EQ(seen, records);
}

TEST_F(wire, without_padding_length_is_told)
{
	expect_wire(self, 1, 1, 1);
	expect_wire(self, 1000, 1, 1000);
	expect_wire(self, 16384, 1, 16384);
}

TEST_F(wire, padding_to_a_multiple)
{
	ASSERT_EQ(set_padding(self->fd, SOCKTLS_PADDING_MULTIPLE, 512), 0);
	expect_wire(self, 1, 1, 512);
	expect_wire(self, 512, 1, 512);
	expect_wire(self, 513, 1, 1024);
	/* never over the limit of a record */
	expect_wire(self, 16383, 1, 16384);
	expect_wire(self, 20000, 2, 16384 + 4096);
	ASSERT_EQ(set_padding(self->fd, SOCKTLS_PADDING_MULTIPLE, 10000), 0);
	expect_wire(self, 10001, 1, 16384);
	ASSERT_EQ(set_padding(self->fd, SOCKTLS_PADDING_NONE, 0), 0);
	expect_wire(self, 513, 1, 513);
}

TEST_F(wire, padding_to_a_fixed_size)
{
	ASSERT_EQ(set_padding(self->fd, SOCKTLS_PADDING_FIXED, 4096), 0);
	expect_wire(self, 1, 1, 4096);
	expect_wire(self, 4096, 1, 4096);
	expect_wire(self, 4097, 2, 2 * 4096);
	expect_wire(self, 100000, 25, 25 * 4096);
	ASSERT_EQ(set_padding(self->fd, SOCKTLS_PADDING_FIXED, 16384), 0);
	expect_wire(self, 1, 1, 16384);
	expect_wire(self, 17000, 2, 2 * 16384);
}

TEST_F(wire, padding_covers_alerts)
{
	long long before;
	int i;

	ASSERT_EQ(set_padding(self->fd, SOCKTLS_PADDING_FIXED, 1000), 0);
	before = atomic_load(&self->tap.up.passed);
	ASSERT_EQ(shutdown(self->fd, SHUT_WR), 0);
	EXPECT_EQ(peer_read_error(&self->peer), SSL_ERROR_ZERO_RETURN);
	for (i = 0; i < 100 && atomic_load(&self->tap.up.passed) == before; i++)
		sleep_ms(10);
	EXPECT_EQ(atomic_load(&self->tap.up.passed) - before, 1000 + OVERHEAD);
}

TEST_F(wire, padding_to_less_than_an_alert_does_not_divide_it)
{
	long long before = atomic_load(&self->tap.up.passed);
	int i;

	ASSERT_EQ(set_padding(self->fd, SOCKTLS_PADDING_FIXED, 1), 0);
	ASSERT_EQ(shutdown(self->fd, SHUT_WR), 0);
	EXPECT_EQ(peer_read_error(&self->peer), SSL_ERROR_ZERO_RETURN);
	for (i = 0; i < 100 && atomic_load(&self->tap.up.passed) == before; i++)
		sleep_ms(10);
	EXPECT_EQ(atomic_load(&self->tap.up.passed) - before, 2 + OVERHEAD);
}

/* Small writes in turns, of which each takes a piece of memory of its own. */
TEST(padding_finds_room_behind_scattered_writes)
{
	struct pair pair[2];
	char got[40];
	int i, j;

	for (j = 0; j < 2; j++) {
		tls_pair(AF_INET, &pair[j]);
		ASSERT_EQ(set_padding(pair[j].client, SOCKTLS_PADDING_FIXED,
				      16384), 0);
	}
	for (i = 0; i < 39; i++)
		for (j = 0; j < 2; j++)
			ASSERT_EQ(send(pair[j].client, "x", 1, MSG_MORE), 1);
	for (j = 0; j < 2; j++) {
		ASSERT_EQ(send(pair[j].client, "x", 1, 0), 1);
		EXPECT_TRUE(read_all(pair[j].server, got, 40));
	}
}

/* What is written with MSG_MORE is padded once, when it goes. */
TEST_F(wire, padding_is_of_records_not_of_writes)
{
	long long before = atomic_load(&self->tap.up.passed);
	char got[30];
	int i;

	ASSERT_EQ(set_padding(self->fd, SOCKTLS_PADDING_MULTIPLE, 100), 0);
	for (i = 0; i < 3; i++)
		ASSERT_EQ(send(self->fd, self->buf + 10 * i, 10,
			       i < 2 ? MSG_MORE : 0), 10);
	ASSERT_TRUE(peer_read(&self->peer, got, 30));
	EXPECT_EQ(memcmp(got, self->buf, 30), 0);
	EXPECT_EQ(atomic_load(&self->tap.up.passed) - before, 100 + OVERHEAD);
}

TEST_F(wire, dynamic_records_are_short_until_warm)
{
	int cold = (65536 + 1299) / 1300;

	ASSERT_EQ(tls_set_u32(self->fd, SOCKTLS_RECORD_SIZING,
			      SOCKTLS_RECORD_SIZING_DYNAMIC), 0);
	expect_wire(self, 1300, 1, 1300);
	expect_wire(self, 1301, 2, 1301);
	/* 65,536 bytes in all, then full ones */
	expect_wire(self, 1300 * (cold - 3), cold - 3, 1300 * (cold - 3));
	expect_wire(self, 1300, 1, 1300);
	expect_wire(self, 16384, 1, 16384);
	expect_wire(self, 100000, 7, 100000);
}

TEST_F(wire, dynamic_records_are_short_again_after_idling)
{
	ASSERT_EQ(tls_set_u32(self->fd, SOCKTLS_RECORD_SIZING,
			      SOCKTLS_RECORD_SIZING_DYNAMIC), 0);
	ASSERT_TRUE(write_all(self->fd, self->buf, 70000));
	ASSERT_TRUE(peer_read(&self->peer, self->buf, 70000));
	expect_wire(self, 10000, 1, 10000);
	sleep_ms(1200);
	expect_wire(self, 2600, 2, 2600);
	ASSERT_EQ(tls_set_u32(self->fd, SOCKTLS_RECORD_SIZING,
			      SOCKTLS_RECORD_SIZING_FULL), 0);
	expect_wire(self, 2600, 1, 2600);
}

TEST_F(wire, padding_and_dynamic_records_together)
{
	ASSERT_EQ(set_padding(self->fd, SOCKTLS_PADDING_MULTIPLE, 1000), 0);
	ASSERT_EQ(tls_set_u32(self->fd, SOCKTLS_RECORD_SIZING,
			      SOCKTLS_RECORD_SIZING_DYNAMIC), 0);
	expect_wire(self, 2600, 2, 4000);
	expect_wire(self, 1400, 2, 2000 + 1000);
}

/* ---- where it does not apply, and where it comes from ---- */

TEST(padding_is_not_of_tls12)
{
	struct tap tap;
	struct pair pair;
	struct peer peer = {
		.server = true, .version = TLS1_2_VERSION,
		.identity = "server-ecdsa",
		.suite = "ECDHE-ECDSA-AES128-GCM-SHA256",
	};
	long long before;
	char got[10];

	tap_pair(&tap, AF_INET, &pair);
	peer.fd = pair.server;
	peer_start(&peer);
	tls_prepare_client(pair.client);
	ASSERT_EQ(set_padding(pair.client, SOCKTLS_PADDING_FIXED, 1000), 0);
	ASSERT_EQ(tls_start(pair.client, SOCKTLS_CLIENT, 0), 0);
	ASSERT_TRUE(peer_join(&peer));
	before = atomic_load(&tap.up.passed);
	ASSERT_TRUE(write_all(pair.client, "0123456789", 10));
	ASSERT_TRUE(peer_read(&peer, got, 10));
	EXPECT_EQ(atomic_load(&tap.up.passed) - before, 5 + 8 + 10 + 16);
}

TEST(shape_is_inherited_from_the_listener)
{
	struct socktls_padding padding;
	socklen_t len = sizeof(padding);
	int listener, client, child;

	listener = tcp_listen(AF_INET);
	ASSERT_EQ(tls_attach(listener), 0);
	ASSERT_EQ(set_padding(listener, SOCKTLS_PADDING_MULTIPLE, 32), 0);
	ASSERT_EQ(tls_set_u32(listener, SOCKTLS_RECORD_SIZING,
			      SOCKTLS_RECORD_SIZING_DYNAMIC), 0);
	client = tcp_connect(AF_INET, listener);
	child = accept(listener, NULL, NULL);
	ASSERT_GE(child, 0);
	ASSERT_EQ(tls_get(child, SOCKTLS_PADDING, &padding, &len), 0);
	EXPECT_EQ(padding.mode, SOCKTLS_PADDING_MULTIPLE);
	EXPECT_EQ(padding.size, 32);
	EXPECT_EQ(get_sizing(child), SOCKTLS_RECORD_SIZING_DYNAMIC);
	close(client);
}

int main(int argc, char **argv)
{
	return harness_main(argc, argv);
}
