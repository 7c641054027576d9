// SPDX-License-Identifier: MIT
/*
 * Does the time that a server takes for a ClientKeyExchange tell what is wrong
 * with it (Bleichenbacher, ROBOT)? Welch's t-test between pre-master secrets
 * that are right and such as have a wrong padding, version or length, in random
 * order, on the slowest part of the distribution cut off. |t| below 4.5 is no
 * evidence of a leak. A leak planted on purpose must be found, or the
 * measurement is worth nothing.
 *
 * usage: time_premaster [SAMPLES]
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <openssl/rand.h>
#include <openssl/rsa.h>

#include "engine/engine.h"
#include "engine/identity.h"
#include "engine/protocol.h"
#include "pki.h"

#define MODULUS		256	/* bytes, RSA of 2048 bits */
#define LIMIT		4.5
#define ROUNDS		3	/* a leak shows in each of them */
#define KEPT		0.6	/* of the samples, the fastest */
#define PLANTED		20000	/* nanoseconds */

enum kind {
	GOOD, BAD_PADDING, BAD_VERSION, BAD_LENGTH, KINDS,
};

static const char *const names[KINDS] = {
	"good", "wrong padding", "wrong version", "wrong length",
};

static struct {
	struct engine_identity	*identity;
	EVP_PKEY		*key;
	uint8_t			hello[4096];
	size_t			hello_len;
	bool			leaky;
} world;

static void must(bool good, const char *what)
{
	if (good)
		return;
	fprintf(stderr, "%s\n", what);
	exit(1);
}

static uint64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC_RAW, &t);
	return t.tv_sec * 1000000000ull + t.tv_nsec;
}

/* ------------------------------------------------------------ the server */

/* What is looked for, made on purpose: only what is right is quick. */
static int decrypt(void *key, uint16_t version, struct engine_bytes in,
		   uint8_t premaster[48])
{
	int ret = engine_local_keyops.decrypt(key, version, in, premaster);
	uint64_t end;

	/* the secrets that are right begin so, see make_premaster() */
	if (world.leaky && memcmp(premaster, "\3\3right", 7))
		for (end = now() + PLANTED; now() < end;)
			;
	return ret;
}

static int on_send(void *arg, uint8_t type, struct engine_bytes bytes,
		   bool lazy)
{
	(void)arg;
	(void)lazy;
	if (type == 22 && bytes.data[0] == CLIENT_HELLO &&
	    bytes.len <= sizeof(world.hello)) {
		memcpy(world.hello, bytes.data, bytes.len);
		world.hello_len = bytes.len;
	}
	return 0;
}

static int on_version(void *arg, uint16_t version)
{
	(void)arg;
	(void)version;
	return 0;
}

static int on_fail(void *arg, const struct engine_failure *failure)
{
	(void)arg;
	fprintf(stderr, "alert %d: %s\n", failure->alert, failure->text);
	return 0;
}

static const struct engine_output output = {
	.send		= on_send,
	.version	= on_version,
	.fail		= on_fail,
};

static const uint16_t suite = 0x003c;

static struct engine_config config_of(enum socktls_role role)
{
	return (struct engine_config){
		.role = role, .peer_auth = SOCKTLS_PEER_AUTH_NONE,
		.suites = &suite, .n_suites = 1,
		.identities = &world.identity,
		.n_identities = role == SOCKTLS_SERVER,
	};
}

static void make_world(void)
{
	static struct engine_keyops ops;
	struct pki_cert *cert = pki_issue(&(struct pki_spec){
		.key = "rsa", .name = "server" });
	struct engine_config config = config_of(SOCKTLS_CLIENT);
	struct engine *engine;
	char text[128];

	ops = engine_local_keyops;
	ops.decrypt = decrypt;
	world.key = cert->key;
	must(!engine_identity_new(&world.identity, (struct engine_bytes){
			(uint8_t *)cert->chain_pem, strlen(cert->chain_pem) },
			&ops, cert->key, text, sizeof(text)), "identity");
	must(!engine_new(&engine, &config, &output, NULL) &&
	     !engine_start(engine) && world.hello_len, "ClientHello");
	engine_free(engine);
}

/* --------------------------------------------------------------- messages */

static void rsa(const uint8_t *in, size_t len, int padding, uint8_t *out)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(world.key, NULL);
	size_t out_len = MODULUS;

	must(ctx && EVP_PKEY_encrypt_init(ctx) == 1 &&
	     EVP_PKEY_CTX_set_rsa_padding(ctx, padding) == 1 &&
	     EVP_PKEY_encrypt(ctx, out, &out_len, in, len) == 1, "encrypt");
	EVP_PKEY_CTX_free(ctx);
}

static void make_premaster(enum kind kind, uint8_t *out)
{
	uint8_t plain[MODULUS] = { 3, 3, 'r', 'i', 'g', 'h', 't' };

	must(RAND_bytes(plain + 7, sizeof(plain) - 7) == 1, "random");
	switch (kind) {
	case GOOD:
		rsa(plain, 48, RSA_PKCS1_PADDING, out);
		return;
	case BAD_VERSION:
		plain[1] = 1;
		rsa(plain, 48, RSA_PKCS1_PADDING, out);
		return;
	case BAD_LENGTH:
		rsa(plain, 47, RSA_PKCS1_PADDING, out);
		return;
	default:
		plain[0] = 0;
		plain[1] = 1;	/* block type 1 */
		rsa(plain, MODULUS, RSA_NO_PADDING, out);
	}
}

/* The time of ClientKeyExchange, in nanoseconds. */
static double measure(enum kind kind)
{
	uint8_t message[4 + 2 + MODULUS] = {
		CLIENT_KEY_EXCHANGE, 0, 1, 2, MODULUS >> 8, MODULUS & 0xff,
	};
	struct engine_config config = config_of(SOCKTLS_SERVER);
	struct engine *engine;
	uint64_t start, end;
	int ret;

	make_premaster(kind, message + 6);
	must(!engine_new(&engine, &config, &output, NULL), "engine");
	must(!engine_receive(engine, SOCKTLS_LEVEL_PLAINTEXT, 22,
			     (struct engine_bytes){ world.hello,
						    world.hello_len }),
	     "ClientHello");
	start = now();
	ret = engine_receive(engine, SOCKTLS_LEVEL_PLAINTEXT, 22,
			     (struct engine_bytes){ message,
						    sizeof(message) });
	end = now();
	must(!ret, "a fault was told apart by more than time");
	engine_free(engine);
	return end - start;
}

/* -------------------------------------------------------------- statistics */

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

struct moments {
	double	n, mean, variance;
};

/* Of what is below @limit, which is the same for all kinds. */
static struct moments moments_of(const double *samples, size_t n, double limit)
{
	struct moments m = { 0 };
	size_t i;

	for (i = 0; i < n; i++) {
		if (samples[i] > limit)
			continue;
		m.n++;
		m.mean += samples[i];
	}
	m.mean /= m.n;
	for (i = 0; i < n; i++)
		if (samples[i] <= limit)
			m.variance += (samples[i] - m.mean) *
				      (samples[i] - m.mean);
	m.variance /= m.n - 1;
	return m;
}

static double welch(struct moments a, struct moments b)
{
	return (a.mean - b.mean) / sqrt(a.variance / a.n + b.variance / b.n);
}

/* The largest |t| between GOOD and the others of @kinds. */
static double round_of(size_t n, size_t kinds)
{
	double *samples[KINDS], *all = malloc(kinds * n * sizeof(*all));
	size_t taken[KINDS] = { 0 }, i, left = kinds * n;
	double limit, worst = 0, t;
	struct moments good;

	for (i = 0; i < kinds; i++)
		samples[i] = malloc(n * sizeof(**samples));
	for (i = 0; i < 50; i++)
		measure(i % kinds);
	while (left) {
		i = random() % kinds;
		if (taken[i] == n)
			continue;
		all[--left] = measure(i);
		samples[i][taken[i]++] = all[left];
	}
	qsort(all, kinds * n, sizeof(*all), by_value);
	limit = all[(size_t)(KEPT * (kinds * n - 1))];
	good = moments_of(samples[GOOD], n, limit);
	for (i = 1; i < kinds; i++) {
		t = welch(good, moments_of(samples[i], n, limit));
		printf("    %s against good: t = %.2f\n", names[i], t);
		worst = fabs(t) > worst ? fabs(t) : worst;
	}
	for (i = 0; i < kinds; i++)
		free(samples[i]);
	free(all);
	return worst;
}

int main(int argc, char **argv)
{
	size_t n = argc > 1 ? strtoul(argv[1], NULL, 10) : 1500;
	unsigned int passed = 0, failed = 0;
	bool found, leaks = true;
	int i;

	make_world();
	srandom(1);
	world.leaky = true;
	found = round_of(n / 4, 2) > LIMIT;
	printf("%s - a planted leak of %d ns is found\n", found ? "ok" :
	       "not ok", PLANTED);
	*(found ? &passed : &failed) += 1;

	world.leaky = false;
	for (i = 0; i < ROUNDS && leaks; i++)
		leaks = round_of(n, KINDS) > LIMIT;
	printf("%s - time does not tell padding, version and length\n",
	       leaks ? "not ok" : "ok");
	*(leaks ? &failed : &passed) += 1;
	printf("%u passed, %u failed\n", passed, failed);
	return failed ? 1 : 0;
}
