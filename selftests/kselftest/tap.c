// SPDX-License-Identifier: MIT
/* A relay that can hold back, change, cut up and count what passes. */
#include "util.h"

/* Follows the headers of the records in a stream of bytes. */
static void tap_count(struct tap_direction *d, const unsigned char *bytes,
		      size_t len)
{
	while (len) {
		if (d->left) {
			size_t n = len < d->left ? len : d->left;

			d->left -= n;
			bytes += n;
			len -= n;
			continue;
		}
		d->header[d->header_len++] = *bytes++;
		len--;
		if (d->header_len == sizeof(d->header)) {
			d->header_len = 0;
			d->left = d->header[3] << 8 | d->header[4];
			atomic_fetch_add(&d->records, 1);
		}
	}
}

static bool tap_forward(struct tap_direction *d, unsigned char *bytes,
			size_t len)
{
	long long passed = atomic_load(&d->passed);
	long long flip = atomic_load(&d->flip);

	tap_count(d, bytes, len);
	if (flip >= passed && flip < passed + (long long)len)
		bytes[flip - passed] ^= 0x40;
	while (len) {
		long long room = atomic_load(&d->allow) -
				 atomic_load(&d->passed);
		size_t n = atomic_load(&d->tap->chunk);

		if (room <= 0) {
			sleep_ms(1);
			continue;
		}
		if (n > len)
			n = len;
		if ((long long)n > room)
			n = room;
		/* whoever has received them finds them counted */
		atomic_fetch_add(&d->passed, n);
		if (send(d->to, bytes, n, MSG_NOSIGNAL) != (ssize_t)n)
			return false;
		bytes += n;
		len -= n;
	}
	return true;
}

static void *tap_run(void *arg)
{
	struct tap_direction *d = arg;
	unsigned char buf[16384];
	ssize_t n;

	while ((n = read(d->from, buf, sizeof(buf))) > 0)
		if (!tap_forward(d, buf, n))
			break;
	shutdown(d->to, SHUT_WR);
	return NULL;
}

static void tap_open(struct tap *tap, struct tap_direction *d, int from,
		     int to)
{
	d->tap = tap;
	d->from = from;
	d->to = to;
	atomic_store(&d->allow, INT64_MAX);
	atomic_store(&d->flip, -1);
	set_int(to, IPPROTO_TCP, TCP_NODELAY, 1);
	ASSERT_EQ(pthread_create(&d->thread, NULL, tap_run, d), 0);
}

void tap_pair(struct tap *tap, int family, struct pair *pair)
{
	int near, far;

	memset(tap, 0, sizeof(*tap));
	atomic_store(&tap->chunk, 65536);
	tcp_pair(family, &pair->client, &near);
	tcp_pair(family, &far, &pair->server);
	tap_open(tap, &tap->up, near, far);
	tap_open(tap, &tap->down, far, near);
}
