/* SPDX-License-Identifier: MIT */
/*
 * What the tests of the socket API share. Everything ends the test when it
 * fails, unless it says what it returns then.
 */
#ifndef SOCKTLS_TEST_UTIL_H
#define SOCKTLS_TEST_UTIL_H

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <linux/socktls.h>

#include "harness.h"

#ifndef SOL_TCP
#define SOL_TCP 6
#endif

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

/* An address that is never mapped, and the compiler does not know it. */
extern volatile uintptr_t bad_address;
#define BAD_MEMORY	((void *)bad_address)

/* ---- TCP ---- */

/* Family of a dual-stack listener that is reached over IPv4. */
#define FAMILY_MAPPED	(-1)

int tcp_socket(int family);
/* A listener on loopback, any port. */
int tcp_listen(int family);
/* A new socket, connected to @listener. */
int tcp_connect(int family, int listener);
void tcp_pair(int family, int *client, int *server);

void set_nonblocking(int fd, bool on);
int get_int(int fd, int level, int opt);
void set_int(int fd, int level, int opt, int value);
/* Events that poll() tells of @fd within @ms, 0: none. */
int poll_for(int fd, int events, int ms);
/* For @fd to become readable etc.; as long as it takes. */
void wait_for_events(int fd, int events);
void sleep_ms(unsigned int ms);
long long now_ms(void);

/* ---- data ---- */

/* The bytes of a stream from @offset on; no period of a record's length. */
void pattern_fill(void *buf, size_t len, size_t offset);
bool pattern_ok(const void *buf, size_t len, size_t offset);
/* Return false at an error or an early end. */
bool write_all(int fd, const void *buf, size_t len);
bool read_all(int fd, void *buf, size_t len);
void expect_ping(int from, int to);

/* In a thread: write, or read and check, @len bytes of the pattern. */
struct flow {
	pthread_t	thread;
	int		fd;
	size_t		len;
	size_t		chunk;
	bool		writing;
	bool		ok;
	int		error;
	atomic_size_t	done;
};

void flow_start(struct flow *flow);
/* Waits for the end; returns whether all bytes passed. */
bool flow_join(struct flow *flow);

/* ---- TLS sockets ---- */

struct pair {
	int client, server;
};

int tls_attach(int fd);
int tls_set(int fd, int opt, const void *value, socklen_t len);
int tls_set_text(int fd, int opt, const char *text);
int tls_set_u32(int fd, int opt, uint32_t value);
int tls_get(int fd, int opt, void *value, socklen_t *len);
int tls_state(int fd);
void tls_info(int fd, struct socktls_info *info);
void tls_error(int fd, struct socktls_error *error);
/* setsockopt(SOCKTLS_HANDSHAKE); returns what it returns. */
int tls_start(int fd, uint32_t role, uint32_t timeout_ms);
/* SOCKTLS_EXPORTER without a context; returns what getsockopt returns. */
int tls_export(int fd, const char *label, void *out, uint32_t len);
/* Attach, and the options for the peer that pki-tool knows. */
void tls_prepare_client(int fd);
void tls_prepare_server(int fd, const char *identity);
/* Both ends of a TCP connection, until established. */
void tls_handshake(const struct pair *pair);
void tls_pair(int family, struct pair *pair);

/* tls_start() in a thread: result and errno when joined. */
struct starter {
	pthread_t	thread;
	int		fd;
	uint32_t	role;
	uint32_t	timeout_ms;
	int		result;
	int		error;
};

void starter_start(struct starter *starter);
int starter_join(struct starter *starter);

/* ---- a wire to look at and to cut ---- */

struct tap_direction {
	pthread_t	thread;
	int		from, to;
	struct tap	*tap;
	atomic_llong	allow;		/* bytes that may pass in all */
	atomic_llong	passed;
	atomic_llong	flip;		/* offset of a byte to be changed */
	atomic_int	records;	/* TLS records that have begun */
	unsigned char	header[5];
	unsigned int	header_len, left;
};

/**
 * struct tap - a relay between the ends of a TCP connection
 * @chunk: bytes sent at a time
 * @up: from the client to the server
 * @down: back
 */
struct tap {
	atomic_size_t		chunk;
	struct tap_direction	up, down;
};

void tap_pair(struct tap *tap, int family, struct pair *pair);

/* ---- the helper ---- */

/* A network namespace of the test's own, with loopback and no helper. */
void netns_new(void);
/* Writes to a file of /proc or /sys. */
void file_write(const char *path, const char *text);
/* Starts socktlsd in the current netns and waits until it is registered. */
pid_t helper_start(void);
void helper_kill(pid_t pid);
/* PEM of a file below the directory that pki-tool filled. */
size_t pki_read(const char *name, char *buf, size_t size);
const char *pki_path(const char *name);

/* Sum of the module's counts of living objects, see proc.c. */
long socktls_objects(void);
/* Waits until they are not more than @want; returns the last sum. */
long socktls_objects_settle(long want);
unsigned long long snmp_value(const char *group, const char *name);

#endif /* SOCKTLS_TEST_UTIL_H */
