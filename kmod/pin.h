/* SPDX-License-Identifier: GPL-2.0 */
/* The writer's own pages as the source of a record. */
#ifndef SOCKTLS_PIN_H
#define SOCKTLS_PIN_H

#include <linux/scatterlist.h>
#include <linux/types.h>

struct iov_iter;

#define SOURCE_PAGES	8

/**
 * struct socktls_source - plaintext outside the record
 * @nr: pages held
 * @sg: describes them from the second entry on; the first is for the additional
 *	data, the one behind them for the content type
 */
struct socktls_source {
	unsigned int		nr;
	struct page		*pages[SOURCE_PAGES];
	u16			offset[SOURCE_PAGES];
	u16			len[SOURCE_PAGES];
	struct scatterlist	sg[SOURCE_PAGES + 2];
};

bool socktls_pin(struct socktls_source *src, struct iov_iter *from, u32 len);
void socktls_unpin(struct socktls_source *src);

#endif /* SOCKTLS_PIN_H */
