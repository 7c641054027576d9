/* SPDX-License-Identifier: MIT */
/* What every reader of PEM shares. */
#ifndef SOCKTLS_ENGINE_PEM_H
#define SOCKTLS_ENGINE_PEM_H

#include <stdbool.h>

/*
 * A pem_password_cb. What is encrypted must fail: libcrypto's own callback
 * asks the terminal, or reads stdin, and waits. *@encrypted says why it failed.
 */
static inline int no_passphrase(char *buf, int size, int rwflag,
				void *encrypted)
{
	(void)buf;
	(void)size;
	(void)rwflag;
	*(bool *)encrypted = true;
	return -1;
}

#endif /* SOCKTLS_ENGINE_PEM_H */
