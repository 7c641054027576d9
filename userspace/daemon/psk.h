/* SPDX-License-Identifier: MIT */
/* External PSKs of an identity: identities/NAME/psk. */
#ifndef SOCKTLSD_PSK_H
#define SOCKTLSD_PSK_H

#include "engine/engine.h"

/**
 * psk_parse() - read the lines of a psk file
 * @psks: what they are added to
 * @text: IDENTITY KEY [hash=sha256|sha384] [server=NAME]; KEY in hex, as is an
 *	IDENTITY behind "hex:"; '#' begins a comment. Ends with a NUL; is changed
 * @error: on failure, what is wrong, with the line; never the key
 * @error_len: length of @error in bytes
 *
 * Return: 0, -EINVAL or -ENOMEM.
 */
int psk_parse(struct engine_psks *psks, char *text, char *error,
	      size_t error_len);

#endif /* SOCKTLSD_PSK_H */
