// SPDX-License-Identifier: MIT
/* The NSS key log, for tests: whoever reads it reads every connection. */
#include "keylog.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "log.h"

int keylog_open(FILE **file, const char *path)
{
	int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC |
		      O_NOFOLLOW, 0600);

	if (fd < 0)
		return -errno;
	*file = fdopen(fd, "a");
	if (!*file) {
		int err = errno;

		close(fd);
		return -err;
	}
	/* stdio's buffer would keep secrets in memory. */
	setvbuf(*file, NULL, _IONBF, 0);
	log_warning("*** TEST MODE: the secrets of EVERY connection are written to %s ***",
		    path);
	log_warning("*** whoever reads that file can decrypt them all: never use --key-log for real traffic ***");
	return 0;
}

void keylog_write(FILE *file, const char *line)
{
	if (fprintf(file, "%s\n", line) < 0)
		log_error("cannot write to the key log: %s", strerror(errno));
}
