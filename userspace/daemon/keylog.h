/* SPDX-License-Identifier: MIT */
/*
 * The NSS key log, for tests: whoever reads it reads every connection.
 * The only place of the helper that writes a secret anywhere.
 */
#ifndef SOCKTLSD_KEYLOG_H
#define SOCKTLSD_KEYLOG_H

#include <stdio.h>

/**
 * keylog_open() - append to a key log, with a loud warning
 * @file: set on success, to be given to fclose()
 * @path: made with mode 0600; a symbolic link is refused
 *
 * Return: 0 or a negative errno of open(2).
 */
int keylog_open(FILE **file, const char *path);

/* One line, out at once. */
void keylog_write(FILE *file, const char *line);

#endif /* SOCKTLSD_KEYLOG_H */
