// SPDX-License-Identifier: MIT
/* Whole files in memory, wiped when they are let go. */
#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/crypto.h>

static int read_all(int fd, char *data, size_t len)
{
	ssize_t n;

	for (size_t done = 0; done < len; done += n) {
		n = read(fd, data + done, len - done);
		if (n < 0)
			return -errno;
		if (n == 0)	/* somebody truncates it while we read */
			return -EAGAIN;
	}
	data[len] = '\0';
	return 0;
}

static int read_open_file(struct file *file, int fd)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	if (st.st_size > FILE_SIZE_MAX)
		return -EFBIG;

	file->len = st.st_size;
	file->owner = st.st_uid;
	file->mode = st.st_mode & 07777;
	file->data = malloc(file->len + 1);
	if (!file->data)
		return -ENOMEM;
	return read_all(fd, file->data, file->len);
}

int file_read(struct file *file, const char *path)
{
	int fd, err;

	memset(file, 0, sizeof(*file));
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return -errno;
	err = read_open_file(file, fd);
	close(fd);
	if (err)
		file_wipe(file);
	return err;
}

void file_wipe(struct file *file)
{
	if (file->data)
		OPENSSL_cleanse(file->data, file->len);
	free(file->data);
	memset(file, 0, sizeof(*file));
}
