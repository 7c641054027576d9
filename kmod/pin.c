// SPDX-License-Identifier: GPL-2.0
/*
 * The writer's own pages as the source of a record: for a long one, getting
 * hold of them costs less than the copy. They are given back before the call
 * returns. A writer that changes them meanwhile garbles its own data only: the
 * cipher reads each byte once, and authenticates what it has written.
 */
#include <linux/mm.h>
#include <linux/uio.h>

#include "compat.h"
#include "pin.h"

static void pin_add(struct socktls_source *src, unsigned int nr, size_t start,
		    size_t len)
{
	unsigned int i;

	for (i = src->nr; i < nr; i++) {
		size_t n = min_t(size_t, len, PAGE_SIZE - start);

		src->offset[i] = start;
		src->len[i] = n;
		len -= n;
		start = 0;
	}
	src->nr = nr;
}

static void pin_fill_sg(struct socktls_source *src)
{
	unsigned int i;

	sg_init_table(src->sg, src->nr + 2);
	for (i = 0; i < src->nr; i++)
		sg_set_page(&src->sg[i + 1], src->pages[i], src->len[i],
			    src->offset[i]);
}

/**
 * socktls_pin() - hold the writer's next bytes where they are
 * @src: filled on success
 * @from: the writer's memory, advanced on success
 * @len: bytes
 *
 * Context: process, may sleep.
 *
 * Return: true with @src to be given to socktls_unpin(); false, and nothing has
 * happened, when they are in too many pages or not there.
 */
bool socktls_pin(struct socktls_source *src, struct iov_iter *from, u32 len)
{
	u32 done = 0;

	src->nr = 0;
	while (done < len && src->nr < SOURCE_PAGES) {
		size_t start;
		ssize_t n = iov_iter_get_pages2(from, src->pages + src->nr,
						len - done,
						SOURCE_PAGES - src->nr, &start);

		if (n <= 0)
			break;
		pin_add(src, src->nr + DIV_ROUND_UP(start + n, PAGE_SIZE),
			start, n);
		done += n;
	}
	if (done == len) {
		pin_fill_sg(src);
		return true;
	}
	socktls_unpin(src);
	iov_iter_revert(from, done);
	return false;
}

void socktls_unpin(struct socktls_source *src)
{
	while (src->nr)
		put_page(src->pages[--src->nr]);
}
