// SPDX-License-Identifier: MIT
/* What an administrator sees and sets: counters, sysctls, traces, ss. */
#include "util.h"

#include <dirent.h>
#include <linux/tls.h>

/* ---- /proc/net/socktls_stat ---- */

static unsigned long long stat_value(const char *wanted)
{
	FILE *file = fopen("/proc/net/socktls_stat", "r");
	unsigned long long value;
	bool found = false;
	char name[64];

	ASSERT_NE(file, NULL);
	while (!found && fscanf(file, "%63s %llu", name, &value) == 2)
		found = !strcmp(name, wanted);
	fclose(file);
	if (!found)
		harness_fail(true, __FILE__, __LINE__, "no counter %s", wanted);
	return value;
}

/* For what is counted in deferred work. */
static unsigned long long stat_settles(const char *name,
				       unsigned long long want)
{
	int i;

	for (i = 0; i < 300 && stat_value(name) != want; i++)
		sleep_ms(20);
	return stat_value(name);
}

/* All the counters of errors, which have to add up. */
static unsigned long long stat_error_sum(void)
{
	FILE *file = fopen("/proc/net/socktls_stat", "r");
	unsigned long long value, sum = 0;
	char name[64];

	ASSERT_NE(file, NULL);
	while (fscanf(file, "%63s %llu", name, &value) == 2)
		if (!strncmp(name, "Err", 3) && strcmp(name, "Errors"))
			sum += value;
	fclose(file);
	return sum;
}

static void key_pair(struct pair *pair)
{
	struct tls12_crypto_info_aes_gcm_128 key = {
		.info.version = TLS_1_3_VERSION,
		.info.cipher_type = TLS_CIPHER_AES_GCM_128,
		.key = "observed",
	};

	tcp_pair(AF_INET, &pair->client, &pair->server);
	ASSERT_EQ(tls_attach(pair->client), 0);
	ASSERT_EQ(tls_attach(pair->server), 0);
	ASSERT_EQ(tls_set(pair->client, TLS_TX, &key, sizeof(key)), 0);
	ASSERT_EQ(tls_set(pair->server, TLS_RX, &key, sizeof(key)), 0);
}

TEST(stat_counts_records_and_bytes_of_each_direction)
{
	struct pair pair;
	char buf[40000];

	netns_new();
	key_pair(&pair);
	memset(buf, 7, sizeof(buf));
	ASSERT_TRUE(write_all(pair.client, buf, 100));
	ASSERT_TRUE(write_all(pair.client, buf, sizeof(buf)));
	EXPECT_EQ(stat_value("TxRecords"), 4);
	EXPECT_EQ(stat_value("TxBytes"), 40100);
	EXPECT_EQ(stat_value("RxRecords"), 0);
	ASSERT_TRUE(read_all(pair.server, buf, 100));
	ASSERT_TRUE(read_all(pair.server, buf, sizeof(buf)));
	EXPECT_EQ(stat_value("RxRecords"), 4);
	EXPECT_EQ(stat_value("RxBytes"), 40100);
	EXPECT_EQ(stat_value("Errors"), 0);
}

TEST(stat_counts_next_keys_of_the_key_plane)
{
	struct tls12_crypto_info_aes_gcm_128 key = {
		.info = { TLS_1_3_VERSION, TLS_CIPHER_AES_GCM_128 },
		.key = "the next one",
	};
	struct pair pair;

	netns_new();
	key_pair(&pair);
	EXPECT_EQ(stat_value("TxRekeys"), 0);
	ASSERT_EQ(tls_set(pair.client, TLS_TX, &key, sizeof(key)), 0);
	EXPECT_EQ(stat_value("TxRekeys"), 1);
	ASSERT_EQ(tls_set(pair.server, TLS_RX, &key, sizeof(key)), 0);
	EXPECT_EQ(stat_value("RxRekeys"), 1);
	expect_ping(pair.client, pair.server);
}

TEST(stat_is_of_one_namespace)
{
	struct pair pair;

	netns_new();
	key_pair(&pair);
	expect_ping(pair.client, pair.server);
	EXPECT_NE(stat_value("TxRecords"), 0);
	netns_new();
	EXPECT_EQ(stat_value("TxRecords"), 0);
	EXPECT_EQ(stat_value("RxBytes"), 0);
}

TEST(stat_counts_handshakes_and_alerts)
{
	struct pair pair;

	netns_new();
	helper_start();
	tls_pair(AF_INET, &pair);
	EXPECT_EQ(stat_value("HandshakesStarted"), 2);
	EXPECT_EQ(stat_value("Handshakes"), 2);
	EXPECT_EQ(stat_value("HandshakesFailed"), 0);
	EXPECT_EQ(stat_value("TxAlerts"), 0);
	close(pair.client);
	wait_for_events(pair.server, POLLIN);
	EXPECT_EQ(stat_settles("RxAlerts", 1), 1);
	EXPECT_EQ(stat_value("TxAlerts"), 1);
	EXPECT_EQ(stat_value("Errors"), 0);
}

TEST(stat_counts_a_handshake_given_up)
{
	int client, server;

	netns_new();
	helper_start();
	tcp_pair(AF_INET, &client, &server);
	tls_prepare_client(client);
	set_nonblocking(client, true);
	ASSERT_ERRNO(tls_start(client, SOCKTLS_CLIENT, 0), EINPROGRESS);
	close(client);
	EXPECT_EQ(stat_settles("HandshakesFailed", 1), 1);
	EXPECT_EQ(stat_value("HandshakesStarted"), 1);
	EXPECT_EQ(stat_value("Handshakes"), 0);
}

/* ---- which error it was ---- */

FIXTURE(error) {
	struct pair	pair;
	struct tap	tap;
	char		buf[16384];
};

/* A byte of the second record after the handshake is changed on the wire. */
FIXTURE_VARIANT(error) {
	int		offset;
	int		error;
	const char	*stat;
};

FIXTURE_VARIANT_ADD(error, type) { 0, EPROTO, "ErrBadType" };
FIXTURE_VARIANT_ADD(error, version) { 1, EPROTO, "ErrBadVersion" };
FIXTURE_VARIANT_ADD(error, length) { 3, EMSGSIZE, "ErrOverLimit" };
FIXTURE_VARIANT_ADD(error, fragment) { 5, EBADMSG, "ErrBadMac" };
FIXTURE_VARIANT_ADD(error, tag) { 5 + 1000 + 16, EBADMSG, "ErrBadMac" };

FIXTURE_SETUP(error)
{
	netns_new();
	helper_start();
	tap_pair(&self->tap, AF_INET, &self->pair);
	tls_prepare_client(self->pair.client);
	tls_prepare_server(self->pair.server, "server-ecdsa");
	tls_handshake(&self->pair);
	expect_ping(self->pair.client, self->pair.server);
}

TEST_F(error, is_counted_apart)
{
	char byte;

	atomic_store(&self->tap.up.flip,
		     atomic_load(&self->tap.up.passed) + variant->offset);
	ASSERT_TRUE(write_all(self->pair.client, self->buf, 1000));
	EXPECT_ERRNO(recv(self->pair.server, &byte, 1, 0), variant->error);
	EXPECT_EQ(stat_value(variant->stat), 1);
	/* and the alert about it, at the other end */
	EXPECT_ERRNO(recv(self->pair.client, &byte, 1, 0), EREMOTEIO);
	EXPECT_EQ(stat_value("ErrAlert"), 1);
	EXPECT_EQ(stat_value("Errors"), 2);
	EXPECT_EQ(stat_error_sum(), 2);
	EXPECT_EQ(stat_value("TxAlerts"), 1);
	EXPECT_EQ(stat_value("RxAlerts"), 1);
}

static void send_raw(const struct pair *pair, const char *bytes, size_t len)
{
	struct tls12_crypto_info_aes_gcm_128 key = {
		.info.version = TLS_1_3_VERSION,
		.info.cipher_type = TLS_CIPHER_AES_GCM_128,
	};

	ASSERT_EQ(tls_attach(pair->server), 0);
	ASSERT_EQ(tls_set(pair->server, TLS_RX, &key, sizeof(key)), 0);
	ASSERT_TRUE(write_all(pair->client, bytes, len));
}

TEST(stat_counts_a_record_too_short)
{
	struct pair pair;
	char byte;

	netns_new();
	tcp_pair(AF_INET, &pair.client, &pair.server);
	send_raw(&pair, "\x17\x03\x03\0\x03" "abc", 8);
	EXPECT_ERRNO(recv(pair.server, &byte, 1, 0), EBADMSG);
	EXPECT_EQ(stat_value("ErrTooShort"), 1);
	EXPECT_EQ(stat_value("Errors"), 1);
}

TEST(stat_counts_a_truncated_connection)
{
	struct pair pair;
	struct tap tap;
	char byte;

	netns_new();
	helper_start();
	tap_pair(&tap, AF_INET, &pair);
	tls_prepare_client(pair.client);
	tls_prepare_server(pair.server, "server-ecdsa");
	tls_handshake(&pair);
	ASSERT_EQ(shutdown(tap.down.from, SHUT_RD), 0);
	ASSERT_EQ(shutdown(tap.up.to, SHUT_WR), 0);
	EXPECT_ERRNO(recv(pair.server, &byte, 1, 0), ECONNRESET);
	EXPECT_EQ(stat_value("ErrReset"), 1);
}

TEST(stat_counts_a_handshake_out_of_time)
{
	int client, server;

	netns_new();
	helper_start();
	tcp_pair(AF_INET, &client, &server);
	tls_prepare_client(client);
	EXPECT_ERRNO(tls_start(client, SOCKTLS_CLIENT, 100), ETIMEDOUT);
	EXPECT_EQ(stat_value("ErrTimeout"), 1);
	EXPECT_EQ(stat_value("HandshakesFailed"), 1);
	EXPECT_EQ(stat_value("Errors"), 1);
}

/* ---- net.socktls.* ---- */

static bool sysctl_set(const char *name, const char *value)
{
	char path[128];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/sys/net/socktls/%s", name);
	fd = open(path, O_WRONLY);
	ASSERT_GE(fd, 0);
	n = write(fd, value, strlen(value));
	close(fd);
	return n == (ssize_t)strlen(value);
}

static long sysctl_get(const char *name)
{
	char path[128];
	long value = -1;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/sys/net/socktls/%s", name);
	file = fopen(path, "r");
	ASSERT_NE(file, NULL);
	ASSERT_EQ(fscanf(file, "%ld", &value), 1);
	fclose(file);
	return value;
}

static const struct {
	const char	*name;
	long		initial;
	long		min, max;
} sysctls[] = {
	{ "handshake_timeout_ms", 30000, 1, 600000 },
	{ "max_handshakes", 16384, 1, 65536 },
	{ "max_handshakes_per_uid", 4096, 1, 65536 },
	{ "dynamic_records", 0, 0, 1 },
	{ "rekey_records", 0, 0, 4294967295 },
};

TEST(sysctls_have_bounds)
{
	char text[32];
	unsigned int i;

	netns_new();
	for (i = 0; i < ARRAY_SIZE(sysctls); i++) {
		EXPECT_EQ(sysctl_get(sysctls[i].name), sysctls[i].initial);
		snprintf(text, sizeof(text), "%ld", sysctls[i].min - 1);
		EXPECT_FALSE(sysctl_set(sysctls[i].name, text));
		snprintf(text, sizeof(text), "%ld", sysctls[i].max + 1);
		EXPECT_FALSE(sysctl_set(sysctls[i].name, text));
		EXPECT_FALSE(sysctl_set(sysctls[i].name, "nonsense"));
		EXPECT_EQ(sysctl_get(sysctls[i].name), sysctls[i].initial);
		snprintf(text, sizeof(text), "%ld", sysctls[i].max);
		EXPECT_TRUE(sysctl_set(sysctls[i].name, text));
		snprintf(text, sizeof(text), "%ld", sysctls[i].min);
		EXPECT_TRUE(sysctl_set(sysctls[i].name, text));
		EXPECT_EQ(sysctl_get(sysctls[i].name), sysctls[i].min);
	}
}

/* The list above is the whole list: nothing is without a test. */
TEST(sysctls_are_all_known)
{
	DIR *dir = opendir("/proc/sys/net/socktls");
	struct dirent *entry;
	unsigned int i;

	ASSERT_NE(dir, NULL);
	while ((entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		for (i = 0; i < ARRAY_SIZE(sysctls); i++)
			if (!strcmp(sysctls[i].name, entry->d_name))
				break;
		if (i == ARRAY_SIZE(sysctls))
			harness_fail(false, __FILE__, __LINE__,
				     "net.socktls.%s has no test",
				     entry->d_name);
	}
	closedir(dir);
}

TEST(sysctls_are_of_one_namespace)
{
	netns_new();
	ASSERT_TRUE(sysctl_set("max_handshakes", "7"));
	netns_new();
	EXPECT_EQ(sysctl_get("max_handshakes"), 16384);
}

TEST(sysctl_handshake_timeout_is_the_default)
{
	int client, server;

	netns_new();
	helper_start();
	ASSERT_TRUE(sysctl_set("handshake_timeout_ms", "100"));
	tcp_pair(AF_INET, &client, &server);
	tls_prepare_client(client);
	EXPECT_ERRNO(tls_start(client, SOCKTLS_CLIENT, 0), ETIMEDOUT);
}

FIXTURE(limit) {
	int	client[2];
};

FIXTURE_VARIANT(limit) {
	const char	*name;
};

FIXTURE_VARIANT_ADD(limit, of_namespace) { "max_handshakes" };
FIXTURE_VARIANT_ADD(limit, of_uid) { "max_handshakes_per_uid" };

FIXTURE_SETUP(limit)
{
	int server, i;

	netns_new();
	helper_start();
	ASSERT_TRUE(sysctl_set(variant->name, "1"));
	for (i = 0; i < 2; i++) {
		tcp_pair(AF_INET, &self->client[i], &server);
		tls_prepare_client(self->client[i]);
		set_nonblocking(self->client[i], true);
	}
}

TEST_F(limit, bounds_pending_handshakes)
{
	ASSERT_ERRNO(tls_start(self->client[0], SOCKTLS_CLIENT, 0),
		     EINPROGRESS);
	EXPECT_ERRNO(tls_start(self->client[1], SOCKTLS_CLIENT, 0), EUSERS);
	close(self->client[0]);
	/* the worker that had it has to be told before it is forgotten */
	while (tls_start(self->client[1], SOCKTLS_CLIENT, 0) &&
	       errno == EUSERS)
		sleep_ms(20);
	EXPECT_EQ(errno, EINPROGRESS);
}

/* ---- tracepoints ---- */

#define TRACING "/sys/kernel/tracing"

static void trace_write(const char *name, const char *value)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), TRACING "/%s", name);
	fd = open(path, O_WRONLY | O_TRUNC);
	if (fd < 0)
		harness_skip("no tracefs with %s", name);
	ASSERT_EQ(write(fd, value, strlen(value)), strlen(value));
	close(fd);
}

static void trace_begin(void)
{
	trace_write("trace", "\n");
	trace_write("events/socktls/enable", "1");
}

/* Whether one line of the trace holds both texts. */
static bool trace_has(const char *event, const char *fields)
{
	FILE *file = fopen(TRACING "/trace", "r");
	bool found = false;
	char line[512];

	ASSERT_NE(file, NULL);
	while (!found && fgets(line, sizeof(line), file))
		found = strstr(line, event) && strstr(line, fields);
	fclose(file);
	return found;
}

static void expect_trace(const char *event, const char *fmt,
			 unsigned long long id)
{
	char fields[128];

	snprintf(fields, sizeof(fields), fmt, id);
	if (!trace_has(event, fields))
		harness_fail(false, __FILE__, __LINE__, "no trace of %s %s",
			     event, fields);
}

TEST(trace_follows_a_connection)
{
	struct socktls_info client, server;
	struct pair pair;
	char byte;

	netns_new();
	helper_start();
	trace_begin();
	tls_pair(AF_INET, &pair);
	tls_info(pair.client, &client);
	tls_info(pair.server, &server);
	ASSERT_TRUE(write_all(pair.client, "some bytes", 10));
	ASSERT_TRUE(read_all(pair.server, &(char[10]){ 0 }, 10));
	ASSERT_EQ(shutdown(pair.client, SHUT_WR), 0);
	EXPECT_EQ(read(pair.server, &byte, 1), 0);
	trace_write("events/socktls/enable", "0");

	expect_trace("socktls_state", "id=%llu from=plain to=handshaking role=client error=0",
		     client.id);
	expect_trace("socktls_handshake_item", "id=%llu level=plaintext type=handshake len=",
		     server.id);
	expect_trace("socktls_handshake_action", "id=%llu kind=key len=",
		     client.id);
	expect_trace("socktls_handshake_action", "id=%llu kind=done len=",
		     server.id);
	expect_trace("socktls_state", "id=%llu from=handshaking to=established role=server error=0",
		     server.id);
	expect_trace("socktls_record_tx", "id=%llu type=application_data len=10 seq=0 version=0x0304",
		     client.id);
	expect_trace("socktls_record_rx", "id=%llu type=application_data len=10 seq=0 version=0x0304",
		     server.id);
	expect_trace("socktls_alert_tx", "id=%llu level=1 description=0",
		     client.id);
	expect_trace("socktls_alert_rx", "id=%llu level=1 description=0",
		     server.id);
}

TEST(trace_tells_a_failure)
{
	struct socktls_info info;
	struct pair pair;
	struct tap tap;
	char byte;

	netns_new();
	helper_start();
	trace_begin();
	tap_pair(&tap, AF_INET, &pair);
	tls_prepare_client(pair.client);
	tls_prepare_server(pair.server, "server-ecdsa");
	tls_handshake(&pair);
	tls_info(pair.server, &info);
	atomic_store(&tap.up.flip, atomic_load(&tap.up.passed) + 6);
	ASSERT_TRUE(write_all(pair.client, "some bytes", 10));
	EXPECT_ERRNO(recv(pair.server, &byte, 1, 0), EBADMSG);
	trace_write("events/socktls/enable", "0");
	expect_trace("socktls_state", "id=%llu from=established to=failed role=server error=74",
		     info.id);
	expect_trace("socktls_alert_tx", "id=%llu level=2 description=20",
		     info.id);
}

/* ---- ss -i ---- */

static bool ss_has(const char *text)
{
	FILE *pipe = popen("ss -tinH 2>&1", "r");
	bool found = false;
	char line[4096];

	ASSERT_NE(pipe, NULL);
	while (fgets(line, sizeof(line), pipe))
		found |= strstr(line, text) != NULL;
	pclose(pipe);
	return found;
}

TEST(ss_shows_what_protects_a_socket)
{
	struct pair pair;

	netns_new();
	if (system("ss -V > /dev/null 2>&1"))
		harness_skip("no ss");
	key_pair(&pair);
	EXPECT_TRUE(ss_has("tcp-ulp-socktls"));
	EXPECT_TRUE(ss_has("version: 1.3"));
	EXPECT_TRUE(ss_has("cipher: aes-gcm-128"));
	/* keyed in one direction only */
	EXPECT_TRUE(ss_has("rxconf: none txconf: sw"));
	EXPECT_TRUE(ss_has("rxconf: sw txconf: none"));
}

int main(int argc, char **argv)
{
	return harness_main(argc, argv);
}
