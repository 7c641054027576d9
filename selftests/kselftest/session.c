// SPDX-License-Identifier: MIT
/*
 * What the helper is told and asked after the handshake: tickets, exporters,
 * fatal alerts.
 */
#include "fake.h"

static struct rig rig;
static struct fake_item item;
static struct wire_record record;
static uint8_t bytes[131072];

/* lifetime, age_add, a nonce of three bytes, a ticket, no extensions */
static void make_ticket(size_t body)
{
	size_t ticket = body - 8 - 4 - 2 - 2;

	pattern_fill(bytes, body + 4, 99);
	bytes[0] = 4;
	bytes[1] = body >> 16;
	bytes[2] = body >> 8;
	bytes[3] = body;
	bytes[12] = 3;
	bytes[16] = ticket >> 8;
	bytes[17] = ticket;
	bytes[body + 2] = 0;
	bytes[body + 3] = 0;
}

static void send_handshake(size_t len, size_t chunk)
{
	size_t done, n;

	for (done = 0; done < len; done += n) {
		n = len - done < chunk ? len - done : chunk;
		wire_write(&rig.out, TYPE_HANDSHAKE, bytes + done, n);
	}
}

static void expect_ticket(size_t len)
{
	fake_expect(&rig.helper, &item, SOCKTLS_ITEM_TICKET);
	EXPECT_EQ(item.id, rig.id);
	EXPECT_EQ(item.cookie_len, 6);
	EXPECT_EQ(memcmp(item.cookie, "cookie", 6), 0);
	ASSERT_EQ(item.len, len);
	EXPECT_EQ(memcmp(item.bytes, bytes, len), 0);
}

/* ---- tickets ---- */

TEST(ticket_goes_to_the_helper_with_the_cookie)
{
	rig_up(&rig, SOCKTLS_CLIENT, 0x0304);
	make_ticket(200);
	send_handshake(204, 16384);
	expect_ticket(204);
	rig_expect_alive(&rig);
	EXPECT_FALSE(fake_next(&rig.helper, &item, 150));
}

TEST(ticket_is_put_together_from_records)
{
	rig_up(&rig, SOCKTLS_CLIENT, 0x0304);
	make_ticket(200);
	send_handshake(204, 1);
	expect_ticket(204);
	make_ticket(32764);
	send_handshake(32768, 16384);
	expect_ticket(32768);
	rig_expect_alive(&rig);
}

TEST(ticket_after_ticket_in_one_record)
{
	rig_up(&rig, SOCKTLS_CLIENT, 0x0304);
	make_ticket(100);
	memcpy(bytes + 104, bytes, 104);
	send_handshake(208, 16384);
	expect_ticket(104);
	expect_ticket(104);
	rig_expect_alive(&rig);
}

TEST(ticket_outlives_its_connection)
{
	rig_up(&rig, SOCKTLS_CLIENT, 0x0304);
	make_ticket(100);
	send_handshake(104, 16384);
	sleep_ms(50);
	close(rig.fd);
	expect_ticket(104);
}

TEST(ticket_that_is_too_long_is_dropped)
{
	rig_up(&rig, SOCKTLS_CLIENT, 0x0304);
	make_ticket(32765);
	send_handshake(32769, 16384);
	make_ticket(50);
	send_handshake(54, 16384);
	expect_ticket(54);
	rig_expect_alive(&rig);
}

TEST(ticket_longer_than_its_fields_can_be_is_a_decode_error)
{
	rig_up(&rig, SOCKTLS_CLIENT, 0x0304);
	wire_write(&rig.out, TYPE_HANDSHAKE, "\4\377\377\377", 4);
	rig_expect_failed(&rig, EPROTO, 50);
}

/* A NewSessionTicket of these bytes behind lifetime and age_add. */
static size_t make_fields(const char *fields, size_t len)
{
	memset(bytes, 0, 12);
	bytes[0] = 4;
	bytes[3] = 8 + len;
	memcpy(bytes + 12, fields, len);
	return 12 + len;
}

static void drop_rig(void)
{
	close(rig.fd);
	close(rig.raw);
}

struct fields {
	const char	*bytes;
	size_t		len;
};

#define FIELDS(text) { text, sizeof(text) - 1 }

TEST(ticket_that_is_well_formed_is_let_in)
{
	static const struct fields good[] = {
		FIELDS("\0\0\1t\0\0"),
		FIELDS("\1n\0\2tt\0\0"),
		FIELDS("\0\0\1t\0\4\0\52\0\0"),
		FIELDS("\0\0\1t\0\14\0\52\0\4abcd\2\2\0\0"),
	};
	size_t i, len;

	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		rig_up(&rig, SOCKTLS_CLIENT, 0x0304);
		len = make_fields(good[i].bytes, good[i].len);
		send_handshake(len, 1);
		expect_ticket(len);
		send_handshake(len, 16384);
		expect_ticket(len);
		rig_expect_alive(&rig);
		drop_rig();
	}
}

/* RFC 8446 section 6: decode_error, whether anybody wants the ticket or not. */
TEST(ticket_that_is_malformed_is_a_decode_error)
{
	static const struct fields bad[] = {
		FIELDS(""),				/* no nonce */
		FIELDS("\0"),				/* no ticket */
		FIELDS("\2n"),				/* nonce cut off */
		FIELDS("\0\0"),				/* its length is */
		FIELDS("\0\0\0\0\0"),			/* empty ticket */
		FIELDS("\0\0\2t"),			/* ticket cut off */
		FIELDS("\0\0\1t"),			/* no list */
		FIELDS("\0\0\1t\0\1"),			/* list cut off */
		FIELDS("\0\0\1t\0\0x"),			/* bytes behind it */
		FIELDS("\0\0\1t\0\2\0\52"),		/* half an extension */
		FIELDS("\0\0\1t\0\5\0\52\0\2x"),	/* cut off */
		FIELDS("\0\0\1t\0\5\0\52\0\0x"),	/* a byte behind it */
	};
	size_t i, len;

	for (i = 0; i < 2 * sizeof(bad) / sizeof(bad[0]); i++) {
		rig_up(&rig, SOCKTLS_CLIENT, 0x0304);
		if (i % 4 > 1)
			fake_close(&rig.helper);
		len = make_fields(bad[i / 2].bytes, bad[i / 2].len);
		send_handshake(len, i % 2 ? 1 : 16384);
		rig_expect_failed(&rig, EPROTO, 50);
		drop_rig();
	}
	rig_up(&rig, SOCKTLS_CLIENT, 0x0304);
	wire_write(&rig.out, TYPE_HANDSHAKE, "\4\0\0\0", 4);
	rig_expect_failed(&rig, EPROTO, 50);
	drop_rig();
	rig_up(&rig, SOCKTLS_CLIENT, 0x0304);
	wire_write(&rig.out, TYPE_HANDSHAKE, "\4\0\0\7abcdefg", 11);
	rig_expect_failed(&rig, EPROTO, 50);
}

TEST(ticket_of_a_client_is_unexpected)
{
	rig_up(&rig, SOCKTLS_SERVER, 0x0304);
	make_ticket(50);
	send_handshake(54, 16384);
	rig_expect_failed(&rig, EPROTO, 10);
}

TEST(ticket_without_a_helper_is_dropped)
{
	long objects;

	rig_up(&rig, SOCKTLS_CLIENT, 0x0304);
	rig_expect_alive(&rig);
	objects = socktls_objects();
	fake_close(&rig.helper);
	make_ticket(100);
	send_handshake(104, 16384);
	rig_expect_alive(&rig);
	EXPECT_LE(socktls_objects_settle(objects), objects);
}

TEST(ticket_without_a_cookie_is_dropped)
{
	rig_begin(&rig, SOCKTLS_CLIENT, &item);
	rig_finish(&rig, 0x0304, 0, NULL, 0);
	make_ticket(100);
	send_handshake(104, 16384);
	rig_expect_alive(&rig);
	EXPECT_FALSE(fake_next(&rig.helper, &item, 150));
}

TEST(tickets_that_nobody_fetches_are_bounded_and_freed)
{
	long objects;
	int i;

	rig_up(&rig, SOCKTLS_CLIENT, 0x0304);
	rig_expect_alive(&rig);
	objects = socktls_objects();
	make_ticket(16380);
	for (i = 0; i < 600; i++)
		send_handshake(16384, 16384);
	rig_expect_alive(&rig);
	/* 4 MiB of them */
	EXPECT_GE(socktls_objects(), objects + 250);
	EXPECT_LE(socktls_objects(), objects + 260);
	fake_close(&rig.helper);
	EXPECT_LE(socktls_objects_settle(objects), objects);
}

TEST(longest_cookie_comes_back)
{
	static uint8_t cookie[SOCKTLS_COOKIE_MAX];

	pattern_fill(cookie, sizeof(cookie), 5);
	rig_begin(&rig, SOCKTLS_CLIENT, &item);
	rig_finish(&rig, 0x0304, 0, cookie, sizeof(cookie));
	make_ticket(32764);
	send_handshake(32768, 16384);
	fake_expect(&rig.helper, &item, SOCKTLS_ITEM_TICKET);
	EXPECT_EQ(item.len, 32768);
	ASSERT_EQ(item.cookie_len, sizeof(cookie));
	EXPECT_EQ(memcmp(item.cookie, cookie, sizeof(cookie)), 0);
}

/* ---- fatal alerts ---- */

static void expect_ended(int alert)
{
	fake_expect(&rig.helper, &item, SOCKTLS_ITEM_ENDED);
	EXPECT_EQ(item.id, rig.id);
	EXPECT_EQ(item.alert, alert);
	EXPECT_EQ(item.cookie_len, 6);
	EXPECT_EQ(memcmp(item.cookie, "cookie", 6), 0);
}

TEST(fatal_alert_received_ends_the_session)
{
	char c;

	rig_up(&rig, SOCKTLS_CLIENT, 0x0303);
	wire_write(&rig.out, TYPE_ALERT, "\2\50", 2);
	EXPECT_ERRNO(read(rig.fd, &c, 1), EREMOTEIO);
	expect_ended(40);
}

TEST(fatal_alert_sent_ends_the_session)
{
	rig_up(&rig, SOCKTLS_SERVER, 0x0303);
	wire_write_bad(&rig.out, TYPE_DATA, 100);
	rig_expect_failed(&rig, EBADMSG, 20);
	close(rig.fd);
	expect_ended(20);
	EXPECT_FALSE(fake_next(&rig.helper, &item, 150));
}

TEST(close_notify_does_not_end_the_session)
{
	char c;

	rig_up(&rig, SOCKTLS_CLIENT, 0x0304);
	wire_write(&rig.out, TYPE_ALERT, "\1\0", 2);
	EXPECT_EQ(read(rig.fd, &c, 1), 0);
	close(rig.fd);
	EXPECT_FALSE(fake_next(&rig.helper, &item, 150));
}

/* ---- exporters ---- */

struct export {
	pthread_t	thread;
	int		fd, result, error;
	socklen_t	len;
	struct socktls_exporter *value;
	uint8_t		bytes[32768];
};

static void *export_run(void *arg)
{
	struct export *export = arg;

	export->result = tls_get(export->fd, SOCKTLS_EXPORTER, export->bytes,
				 &export->len);
	export->error = errno;
	return NULL;
}

static void export_fill(struct export *export, const char *label,
			const void *context, size_t context_len,
			uint32_t length)
{
	struct socktls_exporter *value = (void *)export->bytes;

	export->fd = rig.fd;
	export->value = value;
	export->len = sizeof(export->bytes);
	*value = (struct socktls_exporter){
		.label_len = strlen(label), .context_len = context_len,
		.length = length,
		.flags = context ? SOCKTLS_EXPORTER_CONTEXT : 0,
	};
	memcpy(value->data, label, strlen(label));
	if (context_len)
		memcpy(value->data + strlen(label), context, context_len);
}

static void export_start(struct export *export)
{
	ASSERT_EQ(pthread_create(&export->thread, NULL, export_run, export), 0);
}

static int export_join(struct export *export)
{
	ASSERT_EQ(pthread_join(export->thread, NULL), 0);
	errno = export->error;
	return export->result;
}

static void answer(size_t len)
{
	static uint8_t secret[16384];

	pattern_fill(secret, len, 7);
	reply_init(&rig.reply, item.id);
	reply_action(&rig.reply, SOCKTLS_ACTION_EXPORTED);
	reply_bytes(&rig.reply, SOCKTLS_A_ACTION_BYTES, secret, len);
}

static struct export export;

TEST(exporter_is_what_the_helper_answers)
{
	rig_up(&rig, SOCKTLS_CLIENT, 0x0304);
	export_fill(&export, "EXPORTER-Channel-Binding", "", 0, 32);
	export_start(&export);
	fake_expect(&rig.helper, &item, SOCKTLS_ITEM_EXPORT);
	EXPECT_EQ(strcmp(item.label, "EXPORTER-Channel-Binding"), 0);
	EXPECT_TRUE(item.has_context);
	EXPECT_EQ(item.context_len, 0);
	EXPECT_EQ(item.length, 32);
	EXPECT_EQ(memcmp(item.cookie, "cookie", 6), 0);
	EXPECT_EQ(item.connection, rig.id);
	EXPECT_NE(item.id, rig.id);
	answer(32);
	ASSERT_EQ(fake_reply(&rig.helper, &rig.reply), 0);
	ASSERT_EQ(export_join(&export), 0);
	EXPECT_EQ(export.len, sizeof(*export.value) + 32);
	EXPECT_TRUE(pattern_ok(export.value->data, 32, 7));
	/* once */
	EXPECT_EQ(fake_reply(&rig.helper, &rig.reply), -ENOENT);
	rig_expect_alive(&rig);
}

TEST(exporter_tells_no_context_from_an_empty_one)
{
	static uint8_t context[SOCKTLS_EXPORTER_CONTEXT_MAX];

	rig_up(&rig, SOCKTLS_SERVER, 0x0303);
	export_fill(&export, "x", NULL, 0, 20);
	EXPECT_EQ(export_run(&export), NULL);
	EXPECT_EQ(export.error, EOPNOTSUPP);	/* no extended master secret */

	rig_begin(&rig, SOCKTLS_SERVER, &item);
	rig_finish(&rig, 0x0303, SOCKTLS_INFO_EXT_MASTER_SECRET, "cookie", 6);
	export_fill(&export, "x", NULL, 0, 20);
	export_start(&export);
	fake_expect(&rig.helper, &item, SOCKTLS_ITEM_EXPORT);
	EXPECT_FALSE(item.has_context);
	answer(20);
	ASSERT_EQ(fake_reply(&rig.helper, &rig.reply), 0);
	ASSERT_EQ(export_join(&export), 0);

	pattern_fill(context, sizeof(context), 3);
	export_fill(&export, "x", context, sizeof(context),
		    SOCKTLS_EXPORTER_LENGTH_MAX);
	export_start(&export);
	fake_expect(&rig.helper, &item, SOCKTLS_ITEM_EXPORT);
	ASSERT_EQ(item.context_len, sizeof(context));
	EXPECT_TRUE(pattern_ok(item.context, sizeof(context), 3));
	answer(SOCKTLS_EXPORTER_LENGTH_MAX);
	ASSERT_EQ(fake_reply(&rig.helper, &rig.reply), 0);
	ASSERT_EQ(export_join(&export), 0);
	EXPECT_TRUE(pattern_ok(export.value->data, SOCKTLS_EXPORTER_LENGTH_MAX,
			       7));
}

TEST(exporter_has_the_helpers_errno)
{
	rig_up(&rig, SOCKTLS_CLIENT, 0x0304);
	export_fill(&export, "x", NULL, 0, 20);
	export_start(&export);
	fake_expect(&rig.helper, &item, SOCKTLS_ITEM_EXPORT);
	reply_init(&rig.reply, item.id);
	reply_action(&rig.reply, SOCKTLS_ACTION_FAIL);
	reply_u32(&rig.reply, SOCKTLS_A_ACTION_ERRNO, ENOKEY);
	ASSERT_EQ(fake_reply(&rig.helper, &rig.reply), 0);
	EXPECT_ERRNO(export_join(&export), ENOKEY);
	/* the connection has nothing to do with it */
	rig_expect_alive(&rig);
}

TEST(exporter_of_another_length_than_asked_for_is_refused)
{
	rig_up(&rig, SOCKTLS_CLIENT, 0x0304);
	export_fill(&export, "x", NULL, 0, 20);
	export_start(&export);
	fake_expect(&rig.helper, &item, SOCKTLS_ITEM_EXPORT);
	answer(21);
	ASSERT_EQ(fake_reply(&rig.helper, &rig.reply), 0);
	EXPECT_ERRNO(export_join(&export), EIO);
}

TEST(exporter_takes_one_action)
{
	rig_up(&rig, SOCKTLS_CLIENT, 0x0304);
	export_fill(&export, "x", NULL, 0, 20);
	export_start(&export);
	fake_expect(&rig.helper, &item, SOCKTLS_ITEM_EXPORT);
	reply_init(&rig.reply, item.id);
	reply_action(&rig.reply, SOCKTLS_ACTION_MORE);
	EXPECT_EQ(fake_reply(&rig.helper, &rig.reply), -EINVAL);
	answer(20);
	ASSERT_EQ(fake_reply(&rig.helper, &rig.reply), 0);
	EXPECT_EQ(export_join(&export), 0);
}

TEST(exporter_goes_to_another_helper_when_one_dies)
{
	struct fake second;

	rig_up(&rig, SOCKTLS_CLIENT, 0x0304);
	fake_open(&second);
	export_fill(&export, "x", NULL, 0, 20);
	export_start(&export);
	fake_expect(&rig.helper, &item, SOCKTLS_ITEM_EXPORT);
	fake_close(&rig.helper);
	rig.helper = second;
	fake_expect(&rig.helper, &item, SOCKTLS_ITEM_EXPORT);
	answer(20);
	ASSERT_EQ(fake_reply(&rig.helper, &rig.reply), 0);
	EXPECT_EQ(export_join(&export), 0);
}

TEST(exporter_fails_when_the_last_helper_dies)
{
	rig_up(&rig, SOCKTLS_CLIENT, 0x0304);
	export_fill(&export, "x", NULL, 0, 20);
	export_start(&export);
	fake_expect(&rig.helper, &item, SOCKTLS_ITEM_EXPORT);
	fake_close(&rig.helper);
	EXPECT_ERRNO(export_join(&export), ESRCH);
	export_fill(&export, "x", NULL, 0, 20);
	export_run(&export);
	EXPECT_EQ(export.result, -1);
	EXPECT_EQ(export.error, ESRCH);
}

static void nothing(int sig)
{
	(void)sig;
}

TEST(exporter_is_interrupted_by_a_signal)
{
	struct sigaction action = { .sa_handler = nothing };

	sigaction(SIGUSR1, &action, NULL);
	rig_up(&rig, SOCKTLS_CLIENT, 0x0304);
	export_fill(&export, "x", NULL, 0, 20);
	export_start(&export);
	fake_expect(&rig.helper, &item, SOCKTLS_ITEM_EXPORT);
	pthread_kill(export.thread, SIGUSR1);
	EXPECT_ERRNO(export_join(&export), EINTR);
	answer(20);
	EXPECT_EQ(fake_reply(&rig.helper, &rig.reply), -ENOENT);
}

TEST(exporter_waits_no_longer_than_ten_seconds)
{
	long long start;

	rig_up(&rig, SOCKTLS_CLIENT, 0x0304);
	export_fill(&export, "x", NULL, 0, 20);
	start = now_ms();
	export_run(&export);
	errno = export.error;
	EXPECT_EQ(export.result, -1);
	EXPECT_EQ(errno, ETIMEDOUT);
	EXPECT_GE(now_ms() - start, 9000);
	/* data passes meanwhile and after */
	rig_expect_alive(&rig);
}

static void export_refused(int error)
{
	export_run(&export);
	errno = export.error;
	EXPECT_EQ(export.result, -1);
	EXPECT_EQ(errno, error);
}

TEST(exporter_checks_its_value)
{
	rig_up(&rig, SOCKTLS_CLIENT, 0x0304);
	export_fill(&export, "", NULL, 0, 20);
	export_refused(EINVAL);
	export_fill(&export, "x", NULL, 0, 0);
	export_refused(EINVAL);
	export_fill(&export, "x", NULL, 0, SOCKTLS_EXPORTER_LENGTH_MAX + 1);
	export_refused(EINVAL);
	export_fill(&export, "x", NULL, 0, 20);
	export.value->flags = 2;
	export_refused(EINVAL);
	export_fill(&export, "x", NULL, 0, 20);
	export.value->context_len = 1;
	export_refused(EINVAL);
	export_fill(&export, "x", "", 0, 20);
	export.value->context_len = SOCKTLS_EXPORTER_CONTEXT_MAX + 1;
	export_refused(EINVAL);
	export_fill(&export, "x", NULL, 0, 20);
	export.value->label_len = SOCKTLS_EXPORTER_LABEL_MAX + 1;
	export_refused(EINVAL);
	export_fill(&export, "a", NULL, 0, 20);
	export.value->data[0] = 0;
	export_refused(EINVAL);
	export_fill(&export, "x", NULL, 0, 20);
	export.len = sizeof(*export.value) - 1;
	export_refused(EINVAL);
	export_fill(&export, "label", NULL, 0, 20);
	export.len = sizeof(*export.value) + 4;
	export_refused(EINVAL);
	export_fill(&export, "label", NULL, 0, 20);
	export.len = sizeof(*export.value) + 19;
	export_refused(ERANGE);
	EXPECT_EQ(export.len, sizeof(*export.value) + 20);
	EXPECT_FALSE(fake_next(&rig.helper, &item, 50));
}

TEST(exporter_needs_an_established_connection)
{
	rig_begin(&rig, SOCKTLS_CLIENT, &item);
	export_fill(&export, "x", NULL, 0, 20);
	export_refused(ENOTCONN);
	rig_finish(&rig, 0x0304, 0, NULL, 0);
	/* the helper gave nothing to export from */
	export_refused(EOPNOTSUPP);
}

/* ---- TLS 1.2 has no post-handshake messages ---- */

TEST(certificate_request_after_the_handshake_is_unexpected)
{
	rig_up(&rig, SOCKTLS_CLIENT, 0x0303);
	wire_write(&rig.out, TYPE_HANDSHAKE, "\15\0\0\0", 4);
	rig_expect_failed(&rig, EPROTO, 10);
	rig_up(&rig, SOCKTLS_CLIENT, 0x0304);
	wire_write(&rig.out, TYPE_HANDSHAKE, "\15\0\0\0", 4);
	rig_expect_failed(&rig, EPROTO, 10);
}

TEST(hello_requests_are_answered_eight_times)
{
	int i;

	rig_up(&rig, SOCKTLS_CLIENT, 0x0303);
	for (i = 0; i < 9; i++)
		wire_write(&rig.out, TYPE_HANDSHAKE, "\0\0\0\0", 4);
	for (i = 0; i < 8; i++) {
		ASSERT_TRUE(wire_read(&rig.in, &record));
		EXPECT_EQ(record.type, TYPE_ALERT);
		EXPECT_EQ(record.bytes[0], 1);
		EXPECT_EQ(record.bytes[1], 100);
	}
	rig_expect_failed(&rig, EPROTO, 10);
}

int main(int argc, char **argv)
{
	return harness_main(argc, argv);
}
