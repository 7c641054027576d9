// SPDX-License-Identifier: GPL-2.0
/* The bytes of a record, in pages; see struct socktls_vec. */
#include <linux/highmem.h>

#include "cipher.h"

enum vec_direction { VEC_WRITE, VEC_READ };

static u32 vec_copy(const struct socktls_vec *vec, u32 off, void *buf, u32 len,
		    enum vec_direction direction)
{
	u32 done = 0;
	unsigned int i;

	for (i = 0; i < vec->nr && done < len; i++) {
		const struct bio_vec *bv = &vec->bv[i];
		u32 in = bv->bv_offset + off, n;

		if (off >= bv->bv_len) {
			off -= bv->bv_len;
			continue;
		}
		/* one page at a time: a segment may span several */
		for (n = min(len - done, bv->bv_len - off); n; ) {
			struct page *page = bv->bv_page + in / PAGE_SIZE;
			u32 part = min_t(u32, n, PAGE_SIZE - in % PAGE_SIZE);

			if (direction == VEC_WRITE)
				memcpy_to_page(page, in % PAGE_SIZE,
					       buf + done, part);
			else
				memcpy_from_page(buf + done, page,
						 in % PAGE_SIZE, part);
			in += part;
			done += part;
			n -= part;
		}
		off = 0;
	}
	return done;
}

/* Where the first segment holds all of a part, or NULL. Never high memory. */
static void *vec_linear(const struct socktls_vec *vec, u32 off, u32 len)
{
	const struct bio_vec *bv = vec->bv;

	if (unlikely(!vec->nr || off + len > bv->bv_len))
		return NULL;
	return page_address(bv->bv_page) + bv->bv_offset + off;
}

/**
 * socktls_vec_write() - copy into a record
 * @vec: the record
 * @off: where in it, bytes
 * @from: kernel memory
 * @len: bytes
 *
 * Return: bytes copied, less than @len only at the record's end.
 */
u32 socktls_vec_write(const struct socktls_vec *vec, u32 off, const void *from,
		      u32 len)
{
	void *to = vec_linear(vec, off, len);

	if (!to)
		return vec_copy(vec, off, (void *)from, len, VEC_WRITE);
	memcpy(to, from, len);
	return len;
}

/**
 * socktls_vec_read() - copy out of a record
 * @vec: the record
 * @off: where in it, bytes
 * @to: kernel memory
 * @len: bytes
 *
 * Return: bytes copied, less than @len only at the record's end.
 */
u32 socktls_vec_read(const struct socktls_vec *vec, u32 off, void *to, u32 len)
{
	void *from = vec_linear(vec, off, len);

	if (!from)
		return vec_copy(vec, off, to, len, VEC_READ);
	memcpy(to, from, len);
	return len;
}

/**
 * socktls_vec_to_sg() - describe the first bytes of a record to the crypto API
 * @vec: the record
 * @len: bytes, at most vec->len
 * @sg: table, initialised once; it may have served for another record before
 * @max: its entries
 *
 * Return: 0, -EMSGSIZE when the table or the record is too short.
 */
int socktls_vec_to_sg(const struct socktls_vec *vec, u32 len,
		      struct scatterlist *sg, unsigned int max)
{
	unsigned int i;

	for (i = 0; i < vec->nr && i < max && len; i++) {
		u32 n = min(len, vec->bv[i].bv_len);

		sg_unmark_end(&sg[i]);
		sg_set_page(&sg[i], vec->bv[i].bv_page, n,
			    vec->bv[i].bv_offset);
		len -= n;
	}
	if (len || !i)
		return -EMSGSIZE;
	sg_mark_end(&sg[i - 1]);
	return 0;
}

/**
 * socktls_vec_part() - describe a part that lies in one segment
 * @vec: the record
 * @off: where in it, bytes
 * @len: bytes, at least 1
 * @sg: one entry, initialised
 *
 * Return: 0; -EMSGSIZE when it does not.
 */
int socktls_vec_part(const struct socktls_vec *vec, u32 off, u32 len,
		     struct scatterlist *sg)
{
	const struct bio_vec *bv;

	for (bv = vec->bv; bv < vec->bv + vec->nr; bv++) {
		if (off < bv->bv_len) {
			if (len > bv->bv_len - off)
				break;
			sg_set_page(sg, bv->bv_page, len, bv->bv_offset + off);
			return 0;
		}
		off -= bv->bv_len;
	}
	return -EMSGSIZE;
}

/**
 * socktls_vec_trim() - forget the bytes behind the first @len
 * @vec: the record
 * @len: bytes to keep, at most vec->len
 *
 * Segments that end up empty give their page back.
 */
void socktls_vec_trim(struct socktls_vec *vec, u32 len)
{
	while (vec->nr) {
		struct bio_vec *last = &vec->bv[vec->nr - 1];
		u32 cut = min(vec->len - len, last->bv_len);

		last->bv_len -= cut;
		vec->len -= cut;
		if (last->bv_len)
			return;
		put_page(last->bv_page);
		vec->nr--;
	}
}
