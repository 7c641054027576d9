// SPDX-License-Identifier: MIT
/* 10,000 KeyUpdates in a bulk transfer, both ways, with OpenSSL and GnuTLS. */
#include "peer.h"

#include <gnutls/gnutls.h>
#include <sys/syscall.h>

#define CHUNK	700

/*
 * GnuTLS takes 8 KeyUpdates in a second (lib/tls13/key_update.c), so its second
 * is short here. Nobody else in this program reads that clock.
 */
int clock_gettime(clockid_t id, struct timespec *time)
{
	static atomic_long skew;
	int ret = syscall(SYS_clock_gettime, id, time);

	if (id == CLOCK_REALTIME)
		time->tv_sec += atomic_fetch_add(&skew, 2);
	return ret;
}

static unsigned int rounds(void)
{
	return harness_slowness() > 1 ? 1000 : 10000;
}

/* The other end, whatever library it has. */
struct end {
	bool		(*write)(struct end *end, const void *buf, size_t len);
	bool		(*read)(struct end *end, void *buf, size_t len);
	bool		(*update)(struct end *end, bool request);
	struct peer	openssl;
	gnutls_session_t gnutls;
	/* a thread's */
	pthread_t	thread;
	bool		ok;
};

static bool openssl_write(struct end *end, const void *buf, size_t len)
{
	return peer_write(&end->openssl, buf, len);
}

static bool openssl_read(struct end *end, void *buf, size_t len)
{
	return peer_read(&end->openssl, buf, len);
}

static bool openssl_update(struct end *end, bool request)
{
	return SSL_key_update(end->openssl.ssl, request ?
			      SSL_KEY_UPDATE_REQUESTED :
			      SSL_KEY_UPDATE_NOT_REQUESTED) == 1;
}

static bool gtls_write(struct end *end, const void *buf, size_t len)
{
	ssize_t n = gnutls_record_send(end->gnutls, buf, len);

	if (n < 0)
		harness_note("GnuTLS does not send: %s", gnutls_strerror(n));
	return n == (ssize_t)len;
}

static bool gtls_read(struct end *end, void *buf, size_t len)
{
	size_t done = 0;

	while (done < len) {
		ssize_t n = gnutls_record_recv(end->gnutls, buf + done,
					       len - done);

		if (n == GNUTLS_E_AGAIN || n == GNUTLS_E_INTERRUPTED)
			continue;
		if (n <= 0) {
			harness_note("GnuTLS: %s", gnutls_strerror(n));
			return false;
		}
		done += n;
	}
	return true;
}

static bool gtls_update(struct end *end, bool request)
{
	int err = gnutls_session_key_update(end->gnutls, request ?
					    GNUTLS_KU_PEER : 0);

	if (err)
		harness_note("GnuTLS changes no key: %s", gnutls_strerror(err));
	return !err;
}

/* ---- the two ends change their keys with every chunk ---- */

static void *end_reads(void *arg)
{
	struct end *end = arg;
	unsigned int i;

	end->ok = true;
	for (i = 0; end->ok && i < rounds(); i++) {
		char buf[CHUNK];

		end->ok = end->read(end, buf, CHUNK) &&
			  pattern_ok(buf, CHUNK, (size_t)i * CHUNK);
	}
	return NULL;
}

static void *end_writes(void *arg)
{
	struct end *end = arg;
	char buf[CHUNK];
	unsigned int i;

	end->ok = true;
	for (i = 0; end->ok && i < rounds(); i++) {
		pattern_fill(buf, CHUNK, (size_t)i * CHUNK);
		end->ok = end->write(end, buf, CHUNK) &&
			  end->update(end, i % 2);
	}
	return NULL;
}

static void we_rekey(struct end *end, int fd)
{
	char buf[CHUNK];
	unsigned int i;

	ASSERT_EQ(pthread_create(&end->thread, NULL, end_reads, end), 0);
	for (i = 0; i < rounds(); i++) {
		pattern_fill(buf, CHUNK, (size_t)i * CHUNK);
		ASSERT_TRUE(write_all(fd, buf, CHUNK));
		ASSERT_EQ(tls_set_u32(fd, SOCKTLS_KEY_UPDATE,
				      SOCKTLS_KEY_UPDATE_NOT_REQUESTED), 0);
	}
	pthread_join(end->thread, NULL);
	ASSERT_TRUE(end->ok);
}

static void peer_rekeys(struct end *end, int fd)
{
	char buf[CHUNK];
	unsigned int i;

	ASSERT_EQ(pthread_create(&end->thread, NULL, end_writes, end), 0);
	for (i = 0; i < rounds(); i++) {
		ASSERT_TRUE(read_all(fd, buf, CHUNK));
		ASSERT_TRUE(pattern_ok(buf, CHUNK, (size_t)i * CHUNK));
	}
	pthread_join(end->thread, NULL);
	ASSERT_TRUE(end->ok);
}

static void transfer(struct end *end, int fd)
{
	char buf[4];

	we_rekey(end, fd);
	peer_rekeys(end, fd);
	/* and with the keys that both ended up with */
	ASSERT_TRUE(end->write(end, "ping", 4));
	ASSERT_TRUE(read_all(fd, buf, 4));
	EXPECT_EQ(memcmp(buf, "ping", 4), 0);
	ASSERT_TRUE(write_all(fd, "pong", 4));
	ASSERT_TRUE(end->read(end, buf, 4));
	EXPECT_EQ(memcmp(buf, "pong", 4), 0);
}

static void not_on_debug(void)
{
	if (harness_slowness() > 1)
		harness_skip("stalls at times on the debug kernel: Documentation/testing.md");
}

TEST_TIMEOUT(rekey_ten_thousand_times_with_openssl, 200)
{
	static struct end end = {
		.write = openssl_write, .read = openssl_read,
		.update = openssl_update,
	};
	struct pair pair;

	not_on_debug();
	tcp_pair(AF_INET, &pair.client, &pair.server);
	end.openssl = (struct peer){
		.fd = pair.server, .server = true, .version = TLS1_3_VERSION,
		.identity = "server-ecdsa",
	};
	peer_start(&end.openssl);
	tls_prepare_client(pair.client);
	ASSERT_EQ(tls_start(pair.client, SOCKTLS_CLIENT, 0), 0);
	ASSERT_TRUE(peer_join(&end.openssl));
	transfer(&end, pair.client);
}

static void *gtls_handshake(void *arg)
{
	struct end *end = arg;
	int ret;

	do {
		ret = gnutls_handshake(end->gnutls);
	} while (ret < 0 && !gnutls_error_is_fatal(ret));
	if (ret)
		harness_note("GnuTLS: %s", gnutls_strerror(ret));
	end->ok = !ret;
	return NULL;
}

TEST_TIMEOUT(rekey_ten_thousand_times_with_gnutls, 200)
{
	static struct end end = {
		.write = gtls_write, .read = gtls_read, .update = gtls_update,
	};
	gnutls_certificate_credentials_t credentials;
	struct pair pair;

	not_on_debug();
	tcp_pair(AF_INET, &pair.client, &pair.server);
	gnutls_certificate_allocate_credentials(&credentials);
	gnutls_init(&end.gnutls, GNUTLS_CLIENT);
	gnutls_priority_set_direct(end.gnutls,
				   "NORMAL:-VERS-ALL:+VERS-TLS1.3", NULL);
	gnutls_credentials_set(end.gnutls, GNUTLS_CRD_CERTIFICATE, credentials);
	gnutls_transport_set_int(end.gnutls, pair.client);
	ASSERT_EQ(pthread_create(&end.thread, NULL, gtls_handshake, &end), 0);
	tls_prepare_server(pair.server, "server-ecdsa");
	ASSERT_EQ(tls_start(pair.server, SOCKTLS_SERVER, 0), 0);
	pthread_join(end.thread, NULL);
	ASSERT_TRUE(end.ok);
	transfer(&end, pair.server);
}

int main(int argc, char **argv)
{
	return harness_main(argc, argv);
}
