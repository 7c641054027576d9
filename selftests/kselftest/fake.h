/* SPDX-License-Identifier: MIT */
/*
 * A helper that knows no TLS: it installs keys that the test chose. The other
 * end is a plain TCP socket on which the test writes the records itself, right
 * or wrong ones.
 */
#ifndef SOCKTLS_TEST_FAKE_H
#define SOCKTLS_TEST_FAKE_H

#include <linux/socktls_netlink.h>

#include "util.h"

#define FAKE_SECRET	32	/* SHA-256 */

enum { TYPE_CCS = 20, TYPE_ALERT, TYPE_HANDSHAKE, TYPE_DATA };

/* ---- records ---- */

/* AES-128-GCM in one direction, TLS 1.3 or 1.2. */
struct wire {
	int		fd;
	uint16_t	version;	/* 0: plaintext */
	uint64_t	seq;
	uint8_t		secret[FAKE_SECRET];
	uint8_t		key[16];
	uint8_t		iv[12];
};

struct wire_record {
	uint8_t		type;		/* the inner one */
	uint8_t		outer;
	size_t		len;
	size_t		wire_len;	/* without the header */
	uint8_t		bytes[16384 + 256];
};

/* Key and IV from a secret that @seed names. */
void wire_key(struct wire *wire, uint16_t version, unsigned int seed);
/* application_traffic_secret_N+1 */
void wire_update(struct wire *wire);
/* One record, with @padding zeros behind the inner type. */
void wire_write_padded(struct wire *wire, uint8_t type, const void *bytes,
		       size_t len, size_t padding);
void wire_write(struct wire *wire, uint8_t type, const void *bytes, size_t len);
/* A record whose tag is wrong. */
void wire_write_bad(struct wire *wire, uint8_t outer, size_t len);
void wire_key_update(struct wire *wire, uint8_t request);
/* Returns false at the end of the stream; a record that does not open fails. */
bool wire_read(struct wire *wire, struct wire_record *record);
/* Reads, and expects an alert. */
void wire_expect_alert(struct wire *wire, uint8_t description);
/* Reads, and expects application data. */
void wire_expect_data(struct wire *wire, const void *bytes, size_t len);
/* Reads, and expects a KeyUpdate; goes over to the next key. */
void wire_expect_key_update(struct wire *wire, uint8_t request);
/* Is there nothing to read for @ms? */
bool wire_is_silent(struct wire *wire, int ms);

/* ---- the helper ---- */

/**
 * struct fake - a helper's netlink socket
 * @buffer: room that it states in NEXT
 * @said: what the kernel said about the last request that it refused
 */
struct fake {
	int		fd;
	uint16_t	family;
	uint32_t	seq;
	uint32_t	buffer;
	char		said[128];
};

struct fake_item {
	uint32_t	kind;
	uint64_t	id, connection;
	uint32_t	level, content_type, reason, length;
	int		alert;		/* -1: none */
	int		role;		/* -1: none */
	uint32_t	uid, gid;
	char		label[256], policy[256];
	size_t		len, cookie_len, alpn_len, context_len;
	bool		has_context;
	uint8_t		bytes[65536];
	uint8_t		cookie[4096];
	uint8_t		alpn[4096];
	uint8_t		context[65536];
};

/* Opens a netlink socket in the current netns; and registers it. */
void fake_connect(struct fake *fake);
void fake_open(struct fake *fake);
void fake_close(struct fake *fake);
/* NEXT, its items to be got by fake_next(); 0 or a negative errno. */
int fake_fetch(struct fake *fake);
/* Waits for a doorbell. */
bool fake_is_rung(struct fake *fake, int ms);
/* The uid of the first connection of a dump. */
uint32_t fake_conn_uid(struct fake *fake);
/* The next item within @ms; false: none. */
bool fake_next(struct fake *fake, struct fake_item *item, int ms);
/* As fake_next(), and it must be of @kind. */
void fake_expect(struct fake *fake, struct fake_item *item, uint32_t kind);

/* A REPLY being built. */
struct reply {
	uint64_t	id;
	size_t		len;
	size_t		nest;
	uint8_t		bytes[300000];
};

void reply_init(struct reply *reply, uint64_t id);
void reply_action(struct reply *reply, uint32_t kind);
void reply_u32(struct reply *reply, uint16_t attr, uint32_t value);
void reply_bytes(struct reply *reply, uint16_t attr, const void *bytes,
		 size_t len);
void reply_send(struct reply *reply, uint8_t type, const void *bytes,
		size_t len, bool lazy);
void reply_version(struct reply *reply, uint16_t version);
/* @wire is the test's side: its rx is the kernel's tx. */
void reply_key(struct reply *reply, enum socktls_direction direction,
	       enum socktls_level level, const struct wire *wire);
void reply_limit(struct reply *reply, enum socktls_direction direction,
		 uint32_t limit);
void reply_skip(struct reply *reply, uint32_t mode, uint32_t limit);
void reply_done(struct reply *reply, uint16_t version, uint32_t flags,
		const void *cookie, size_t cookie_len);
/* Sends it; 0 or a negative errno, and fake->said. */
int fake_reply(struct fake *fake, struct reply *reply);

/* ---- both ---- */

/**
 * struct rig - a socket under test, its helper and the other end
 * @fd: speaks TLS
 * @raw: the other end, plain TCP
 * @out: from the test to @fd
 * @in: from @fd to the test
 * @first_seq: sequence number of the first record under a key, both ways
 */
struct rig {
	struct fake	helper;
	int		fd, raw;
	uint64_t	id;
	struct wire	out, in;
	uint64_t	first_seq;
	struct reply	reply;
};

/* In a netns of its own: attached, handshaking, its first item in @item. */
void rig_begin(struct rig *rig, uint32_t role, struct fake_item *item);
/* Answers with keys and DONE{@flags, @cookie}; waits until established. */
void rig_finish(struct rig *rig, uint16_t version, uint32_t flags,
		const void *cookie, size_t cookie_len);
/* Both. */
void rig_up(struct rig *rig, uint32_t role, uint16_t version);
/* Data passes both ways. */
void rig_expect_alive(struct rig *rig);
/* @fd failed with @error, told the other end @alert. */
void rig_expect_failed(struct rig *rig, int error, uint8_t alert);
/* net.socktls.NAME of the current netns */
void sysctl_set(const char *name, unsigned int value);
unsigned long stat_value(const char *name);

#endif /* SOCKTLS_TEST_FAKE_H */
