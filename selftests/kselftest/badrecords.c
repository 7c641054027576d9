// SPDX-License-Identifier: MIT
/*
 * Records that cannot be, put on the wire of an established connection: the alert
 * that the RFCs name, one errno, a dead connection, and nothing of them delivered.
 */
#include "fake.h"

#define PLAINTEXT_MAX	16384

FIXTURE(bad) {
	struct tap	tap;
	struct pair	pair;
	unsigned char	record[5 + 20000];
	char		buf[1000];
};

FIXTURE_VARIANT(bad) {
	unsigned char	type;
	unsigned int	version;
	unsigned int	len, present;	/* as the header says; bytes that follow */
	int		error, alert;
};

#define TYPE_AND_TAG	17

FIXTURE_VARIANT_ADD(bad, type_unknown) {
	99, 0x0303, 100, 100, EPROTO, 10,
};
FIXTURE_VARIANT_ADD(bad, type_zero) { 0, 0x0303, 100, 100, EPROTO, 10 };
/* an SSLv2 hello, an HTTP request */
FIXTURE_VARIANT_ADD(bad, no_tls) { 'G', 0x4554, 0x202f, 100, EPROTO, 10 };
FIXTURE_VARIANT_ADD(bad, version_of_another) {
	23, 0x0203, 100, 100, EPROTO, 70,
};
FIXTURE_VARIANT_ADD(bad, over_the_limit) {
	23, 0x0303, PLAINTEXT_MAX + TYPE_AND_TAG + 1, 100, EMSGSIZE, 22,
};
FIXTURE_VARIANT_ADD(bad, longest_length) {
	23, 0x0303, 65535, 5, EMSGSIZE, 22,
};
FIXTURE_VARIANT_ADD(bad, tag) { 23, 0x0303, 100, 100, EBADMSG, 20 };
FIXTURE_VARIANT_ADD(bad, tag_of_a_full_record) {
	23, 0x0303, PLAINTEXT_MAX + TYPE_AND_TAG, PLAINTEXT_MAX + TYPE_AND_TAG,
	EBADMSG, 20,
};
FIXTURE_VARIANT_ADD(bad, too_short_for_a_tag) {
	23, 0x0303, TYPE_AND_TAG - 1, TYPE_AND_TAG - 1, EBADMSG, 20,
};
FIXTURE_VARIANT_ADD(bad, empty) { 23, 0x0303, 0, 0, EBADMSG, 20 };
/* TLS 1.3 protects every record after the handshake */
FIXTURE_VARIANT_ADD(bad, handshake_in_plaintext) {
	22, 0x0303, 4, 4, EPROTO, 10,
};
FIXTURE_VARIANT_ADD(bad, alert_in_plaintext) { 21, 0x0303, 2, 2, EPROTO, 10 };
FIXTURE_VARIANT_ADD(bad, change_cipher_spec) { 20, 0x0303, 1, 1, EPROTO, 10 };

FIXTURE_SETUP(bad)
{
	tap_pair(&self->tap, AF_INET, &self->pair);
	tls_prepare_client(self->pair.client);
	tls_prepare_server(self->pair.server, "server-ecdsa");
	tls_handshake(&self->pair);
	expect_ping(self->pair.client, self->pair.server);
	memset(self->record, 1, sizeof(self->record));
	self->record[0] = variant->type;
	self->record[1] = variant->version >> 8;
	self->record[2] = variant->version;
	self->record[3] = variant->len >> 8;
	self->record[4] = variant->len;
}

static void inject(struct fixture_bad *self, unsigned int len)
{
	ASSERT_EQ(send(self->tap.up.to, self->record, len, 0), len);
}

static void expect_failure(int fd, const FIXTURE_VARIANT(bad) *variant)
{
	struct socktls_error error;

	tls_error(fd, &error);
	EXPECT_EQ(error.error, variant->error);
	EXPECT_EQ(error.alert, variant->alert);
	EXPECT_EQ(error.alert_from, SOCKTLS_ALERT_SENT);
	EXPECT_NE(error.text[0], 0);
	EXPECT_EQ(tls_state(fd), SOCKTLS_STATE_FAILED);
}

TEST_F(bad, record_kills_the_connection_with_its_alert)
{
	struct socktls_error error;
	ssize_t n;

	inject(self, 5 + variant->present);
	errno = 0;
	n = read(self->pair.server, self->buf, sizeof(self->buf));
	EXPECT_EQ(n, -1);
	EXPECT_EQ(errno, variant->error);
	expect_failure(self->pair.server, variant);
	/* it is dead in both directions, with the same errno */
	n = send(self->pair.server, "x", 1, MSG_NOSIGNAL);
	EXPECT_EQ(n, -1);
	EXPECT_EQ(errno, variant->error);
	EXPECT_EQ(read(self->pair.server, self->buf, 1), -1);
	EXPECT_EQ(errno, variant->error);
	/* the other end is told */
	EXPECT_ERRNO(read(self->pair.client, self->buf, 1), EREMOTEIO);
	tls_error(self->pair.client, &error);
	EXPECT_EQ(error.alert, variant->alert);
	EXPECT_EQ(error.alert_from, SOCKTLS_ALERT_RECEIVED);
}

TEST_F(bad, record_leaves_what_came_before_it_readable)
{
	ssize_t n;

	ASSERT_EQ(write(self->pair.client, "good", 4), 4);
	wait_for_events(self->pair.server, POLLIN);
	inject(self, 5 + variant->present);
	sleep_ms(50);
	EXPECT_EQ(read(self->pair.server, self->buf, sizeof(self->buf)), 4);
	EXPECT_EQ(memcmp(self->buf, "good", 4), 0);
	errno = 0;
	n = read(self->pair.server, self->buf, sizeof(self->buf));
	EXPECT_EQ(n, -1);
	EXPECT_EQ(errno, variant->error);
}

/* Nobody reads: the delayed work finds it, and a poller is told. */
TEST_F(bad, record_is_an_error_to_a_poller)
{
	inject(self, 5 + variant->present);
	EXPECT_TRUE(poll_for(self->pair.server, 0, 10000) & POLLERR);
	expect_failure(self->pair.server, variant);
}

/* ---- during the handshake ---- */

TEST(change_cipher_spec_under_a_handshake_key_is_unexpected)
{
	static struct fake_item item;
	static struct rig rig;

	rig_begin(&rig, SOCKTLS_CLIENT, &item);
	wire_key(&rig.out, 0x0304, 1);
	wire_key(&rig.in, 0x0304, 2);
	reply_version(&rig.reply, 0x0304);
	reply_key(&rig.reply, SOCKTLS_DIRECTION_TX, SOCKTLS_LEVEL_HANDSHAKE,
		  &rig.in);
	reply_key(&rig.reply, SOCKTLS_DIRECTION_RX, SOCKTLS_LEVEL_HANDSHAKE,
		  &rig.out);
	ASSERT_EQ(fake_reply(&rig.helper, &rig.reply), 0);
	wire_write(&rig.out, TYPE_CCS, "\1", 1);
	rig_expect_failed(&rig, EPROTO, 10);
}

int main(int argc, char **argv)
{
	return harness_main(argc, argv);
}
