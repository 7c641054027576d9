// SPDX-License-Identifier: MIT
/*
 * What a record costs in instructions: the time of a write and the read of what
 * it sent, over loopback on one CPU, with a TLS end and a plain one, so that the
 * directions are apart. Time is instructions under QEMU's -icount.
 *
 * Prints a point to a line: PEER DIRECTION SIZE VALUE
 */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <linux/tls.h>

#ifndef SOL_TLS
#define SOL_TLS 282
#endif

#define WARM		64	/* rounds before those that count */
#define ROUNDS		400
#define DROPPED		40	/* of them, the dearest: timer interrupts */
#define OVERHEAD	22	/* header, content type, tag: TLS 1.3 and GCM */
#define SIZE_MAX_PLAIN	16384

static const size_t sizes[] = { 256, 1024, 4096, 16384 };

static void die(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fprintf(stderr, ": %s\n", strerror(errno));
	exit(1);
}

static uint64_t now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

static void tcp_pair(int *from, int *to)
{
	struct sockaddr_in sin = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	socklen_t len = sizeof(sin);
	int listener = socket(AF_INET, SOCK_STREAM, 0), one = 1;

	if (bind(listener, (void *)&sin, sizeof(sin)) || listen(listener, 1) ||
	    getsockname(listener, (void *)&sin, &len))
		die("listen");
	*from = socket(AF_INET, SOCK_STREAM, 0);
	if (connect(*from, (void *)&sin, sizeof(sin)))
		die("connect");
	*to = accept(listener, NULL, NULL);
	if (*to < 0)
		die("accept");
	close(listener);
	setsockopt(*from, SOL_TCP, TCP_NODELAY, &one, sizeof(one));
	setsockopt(*to, SOL_TCP, TCP_NODELAY, &one, sizeof(one));
}

static void set_key(int fd, const char *ulp, int direction)
{
	struct tls12_crypto_info_aes_gcm_128 key = {
		.info.version = TLS_1_3_VERSION,
		.info.cipher_type = TLS_CIPHER_AES_GCM_128,
		.key = "bench", .iv = "bench", .salt = "abc",
	};

	if (setsockopt(fd, SOL_TCP, TCP_ULP, ulp, strlen(ulp)))
		die("TCP_ULP %s", ulp);
	if (setsockopt(fd, SOL_TLS, direction, &key, sizeof(key)))
		die("the key of %s", ulp);
}

static void send_all(int fd, const unsigned char *buf, size_t len)
{
	if (send(fd, buf, len, 0) != (ssize_t)len)
		die("send");
}

static void recv_all(int fd, unsigned char *buf, size_t len)
{
	ssize_t n;

	for (; len; buf += n, len -= n) {
		n = recv(fd, buf, len, 0);
		if (n <= 0)
			die("recv");
	}
}

/* ---- one round after the other ---- */

/**
 * struct course - what a round sends and receives
 * @from: sends @out bytes
 * @to: receives @in bytes
 * @bytes: what is sent, @stride further on in each round
 */
struct course {
	int			from, to;
	size_t			out, in;
	const unsigned char	*bytes;
	size_t			stride;
};

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/* Return: nanoseconds of a round, without the dearest ones. */
static double run(const struct course *c)
{
	static unsigned char buf[SIZE_MAX_PLAIN + OVERHEAD];
	static uint64_t cost[WARM + ROUNDS];
	uint64_t sum = 0;
	int i;

	for (i = 0; i < WARM + ROUNDS; i++) {
		uint64_t start = now();

		send_all(c->from, c->bytes + i * c->stride, c->out);
		recv_all(c->to, buf, c->in);
		cost[i] = now() - start;
	}
	qsort(cost + WARM, ROUNDS, sizeof(*cost), compare);
	for (i = 0; i < ROUNDS - DROPPED; i++)
		sum += cost[WARM + i];
	close(c->from);
	close(c->to);
	return (double)sum / (ROUNDS - DROPPED);
}

static unsigned char plaintext[SIZE_MAX_PLAIN + OVERHEAD];

static double run_plain(size_t size)
{
	struct course c = { .out = size, .in = size, .bytes = plaintext };

	tcp_pair(&c.from, &c.to);
	return run(&c);
}

static double run_send(const char *ulp, size_t size)
{
	struct course c = {
		.out = size, .in = size + OVERHEAD, .bytes = plaintext,
	};

	tcp_pair(&c.from, &c.to);
	set_key(c.from, ulp, TLS_TX);
	return run(&c);
}

/* The records of a sender, to be sent again by a plain socket. */
static unsigned char *record(const char *ulp, size_t size)
{
	size_t wire = size + OVERHEAD;
	unsigned char *all = malloc((WARM + ROUNDS) * wire);
	int from, to, i;

	if (!all)
		die("memory");
	tcp_pair(&from, &to);
	set_key(from, ulp, TLS_TX);
	for (i = 0; i < WARM + ROUNDS; i++) {
		send_all(from, plaintext, size);
		recv_all(to, all + i * wire, wire);
	}
	close(from);
	close(to);
	return all;
}

static double run_receive(const char *ulp, size_t size)
{
	unsigned char *records = record(ulp, size);
	struct course c = {
		.out = size + OVERHEAD, .in = size, .bytes = records,
		.stride = size + OVERHEAD,
	};
	double cost;

	tcp_pair(&c.from, &c.to);
	set_key(c.to, ulp, TLS_RX);
	cost = run(&c);
	free(records);
	return cost;
}

static void point(const char *peer, const char *direction, size_t size,
		  double value)
{
	printf("%s %s %zu %.0f\n", peer, direction, size, value);
}

int main(int argc, char **argv)
{
	unsigned int i;
	int arg;

	memset(plaintext, 'x', sizeof(plaintext));
	for (i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		double plain = run_plain(sizes[i]);

		point("plain", "both", sizes[i], plain);
		for (arg = 1; arg < argc; arg++) {
			point(argv[arg], "send", sizes[i],
			      run_send(argv[arg], sizes[i]) - plain);
			point(argv[arg], "receive", sizes[i],
			      run_receive(argv[arg], sizes[i]) - plain);
		}
	}
	return 0;
}
