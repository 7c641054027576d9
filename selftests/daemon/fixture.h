/* SPDX-License-Identifier: MIT */
/* A configuration directory of socktlsd's, made for one test program. */
#ifndef SOCKTLS_SELFTESTS_FIXTURE_H
#define SOCKTLS_SELFTESTS_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "pki.h"

/**
 * struct fixture - directory and what is in it
 * @dir: the configuration directory, empty at first
 * @ca: a CA; fixture_fill() writes it to trust/default.pem
 * @server: example.org, by @ca: identities/default
 * @client: client.example, by @ca: identities/client
 */
struct fixture {
	char		dir[64];
	struct pki_cert	*ca;
	struct pki_cert	*server;
	struct pki_cert	*client;
};

/* Makes the directory and the certificates. */
void fixture_make(struct fixture *fixture);

/* Writes the CA and both identities. */
void fixture_fill(const struct fixture *fixture);

/* Writes DIR/@name; directories above it are made. */
void fixture_write(const struct fixture *fixture, const char *name,
		   const char *text);

/* Removes what is in the directory. */
void fixture_empty(const struct fixture *fixture);

void fixture_remove(struct fixture *fixture);

/*
 * From here to log_captured() what goes to stderr goes to memory; that call
 * gives stderr back and returns the text until the next capture.
 */
void log_capture(void);
const char *log_captured(void);

#endif /* SOCKTLS_SELFTESTS_FIXTURE_H */
