/* SPDX-License-Identifier: MIT */
/* Whole files in memory, wiped when they are let go. */
#ifndef SOCKTLSD_FILE_H
#define SOCKTLSD_FILE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* No chain, key, trust store or configuration is longer, in bytes. */
#define FILE_SIZE_MAX	(4 << 20)

/**
 * struct file - the contents of a regular file
 * @data: @len bytes and a NUL behind them
 * @len: in bytes
 * @owner: uid of the file's owner
 * @mode: permission bits
 */
struct file {
	char	*data;
	size_t	len;
	uid_t	owner;
	mode_t	mode;
};

/**
 * file_read() - read a whole regular file
 * @file: filled on success, to be given to file_wipe()
 * @path: which file
 *
 * Return: 0, or a negative errno: of open(2) and read(2), -EFBIG above
 * FILE_SIZE_MAX, -EINVAL for what is not a regular file.
 */
int file_read(struct file *file, const char *path);

/* Wipes and frees the contents; harmless on a zeroed struct. */
void file_wipe(struct file *file);

#endif /* SOCKTLSD_FILE_H */
