// SPDX-License-Identifier: GPL-2.0
/*
 * Memory of records, of the plaintext's side. A record lies in one run of pages,
 * so that it can be described and copied in one piece, at the offset in its first
 * page that it has in the packet: then source and destination cross pages
 * together, and the cipher is called once for each page. Each CPU keeps one page
 * and one run for the next record: pages fresh from the allocator are zeroed,
 * which costs more than all else of a record but its cipher. For the same reason
 * it keeps some of the page fragments that sealed records went to.
 */
#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/percpu.h>
#include <linux/slab.h>

#include "socktls.h"

/* For the longest record, wherever in a page it begins. */
#define RUN_SIZE	PAGE_ALIGN(PAGE_SIZE - 1 + RECORD_MAX_LEN)

static_assert(RUN_SIZE / PAGE_SIZE <= VEC_SEGMENTS);

static DEFINE_PER_CPU(struct rx_record *, kept_page);
static DEFINE_PER_CPU(struct rx_record *, kept_run);
static atomic_t records_alive = ATOMIC_INIT(0);

/* Fragments full of records that TCP holds, perhaps; the oldest at next. */
#define FRAGS_KEPT	4

struct kept_frags {
	unsigned int	next;
	struct page	*page[FRAGS_KEPT];
};

static DEFINE_PER_CPU(struct kept_frags, kept_frags);

/* Records in use; those that are kept for the next are not. */
int socktls_records_alive(void)
{
	return atomic_read(&records_alive);
}

static struct page *record_page(const struct rx_record *rec, unsigned int i)
{
	return rec->scattered ? rec->vec.bv[i].bv_page :
				rec->vec.bv[0].bv_page + i;
}

static void record_free(struct rx_record *rec)
{
	unsigned int i;

	if (!rec)
		return;
	for (i = 0; i < rec->size / PAGE_SIZE; i++)
		put_page(record_page(rec, i));
	kfree(rec);
}

/* The last resort: pages from anywhere. */
static int record_scatter(struct rx_record *rec, u32 size, gfp_t gfp)
{
	rec->scattered = true;
	while (rec->size < size) {
		struct page *page = alloc_page(gfp);

		if (!page)
			return -ENOMEM;
		bvec_set_page(&rec->vec.bv[rec->vec.nr++], page, PAGE_SIZE, 0);
		rec->size += PAGE_SIZE;
	}
	return 0;
}

static struct rx_record *record_new(u32 size, gfp_t gfp)
{
	struct rx_record *rec = kzalloc(sizeof(*rec), gfp);
	void *run;

	if (!rec)
		return NULL;
	run = alloc_pages_exact(size, gfp | __GFP_NOWARN | __GFP_NORETRY);
	if (run) {
		bvec_set_page(&rec->vec.bv[0], virt_to_page(run), size, 0);
		rec->vec.nr = 1;
		rec->size = size;
	} else if (record_scatter(rec, size, gfp)) {
		record_free(rec);
		return NULL;
	}
	return rec;
}

/**
 * socktls_record_alloc() - memory for a record
 * @size: its bytes on the wire, at most RECORD_MAX_LEN
 * @offset: where in a page it would best begin
 * @gfp: how to allocate
 *
 * Context: process.
 *
 * Return: the record, NULL without memory.
 */
struct rx_record *socktls_record_alloc(u32 size, u32 offset, gfp_t gfp)
{
	bool small = size <= PAGE_SIZE;
	struct rx_record *rec;

	rec = small ? this_cpu_xchg(kept_page, NULL) :
		      this_cpu_xchg(kept_run, NULL);
	if (!rec)
		rec = record_new(small ? PAGE_SIZE : RUN_SIZE, gfp);
	if (!rec)
		return NULL;
	atomic_inc(&records_alive);
	if (rec->scattered || offset + size > rec->size)
		offset = 0;
	if (!rec->scattered) {
		rec->vec.bv[0].bv_offset = offset;
		rec->vec.bv[0].bv_len = rec->size - offset;
	}
	rec->vec.len = rec->size - offset;
	rec->off = 0;
	rec->len = 0;
	return rec;
}

/* A record whose pages nobody else holds (a pipe may) can serve again. */
static bool record_is_reusable(const struct rx_record *rec)
{
	unsigned int i;

	if (rec->scattered)
		return false;
	for (i = 0; i < rec->size / PAGE_SIZE; i++)
		if (page_count(record_page(rec, i)) != 1)
			return false;
	return true;
}

/**
 * socktls_record_free() - give a record's memory back
 * @rec: not charged to a socket any more; may be NULL
 *
 * Context: any, BH included.
 */
void socktls_record_free(struct rx_record *rec)
{
	if (!rec)
		return;
	atomic_dec(&records_alive);
	if (record_is_reusable(rec))
		rec = rec->size == PAGE_SIZE ? this_cpu_xchg(kept_page, rec) :
					       this_cpu_xchg(kept_run, rec);
	record_free(rec);
}

/**
 * socktls_record_at() - where a record's byte is
 * @rec: the record
 * @off: counted from the record's header, less than its memory
 * @room: filled: how many bytes lie there in one piece
 *
 * Return: the address. The pages are never in high memory.
 */
void *socktls_record_at(const struct rx_record *rec, u32 off, u32 *room)
{
	const struct bio_vec *bv = rec->vec.bv;

	if (rec->scattered) {
		bv += off / PAGE_SIZE;
		off %= PAGE_SIZE;
	}
	*room = bv->bv_len - off;
	return page_address(bv->bv_page) + bv->bv_offset + off;
}

/**
 * socktls_record_charge() - account a record to its socket
 * @sk: locked
 * @rec: nothing happens when it is charged already
 *
 * To the socket's memory, but not to its receive window: a record that was
 * opened must never keep the next one out. One that is read by the call that
 * opened it need not be charged.
 *
 * Return: true when it is charged; false over the limit of tcp_mem or of the
 * memory cgroup.
 */
bool socktls_record_charge(struct sock *sk, struct rx_record *rec)
{
	if (rec->charged)
		return true;
	if (sk->sk_forward_alloc < (int)rec->size &&
	    !__sk_mem_schedule(sk, rec->size, SK_MEM_RECV))
		return false;
	sk_mem_charge(sk, rec->size);
	rec->charged = rec->size;
	return true;
}

/* sk locked, or nobody else sees the connection any more */
void socktls_record_uncharge(struct sock *sk, struct rx_record *rec)
{
	if (rec->charged)
		sk_mem_uncharge(sk, rec->charged);
	rec->charged = 0;
}

/* Gives up a full fragment for one that nobody holds any more, if there is one. */
static struct page *frag_exchange(struct page *full)
{
	struct kept_frags *kept = get_cpu_ptr(&kept_frags);
	struct page *oldest = kept->page[kept->next];

	kept->page[kept->next] = full;
	kept->next = (kept->next + 1) % FRAGS_KEPT;
	put_cpu_ptr(&kept_frags);
	if (oldest && page_ref_count(oldest) != 1) {
		put_page(oldest);
		oldest = NULL;
	}
	return oldest;
}

/**
 * socktls_frag_refill() - a page fragment for sealed records
 * @sk: locked
 * @frag: of sk_page_frag(); begun anew if nobody else holds it
 *
 * Context: process.
 *
 * Return: whether there is room in @frag now.
 */
bool socktls_frag_refill(struct sock *sk, struct page_frag *frag)
{
	struct page *page = frag->page;

	if (page && frag->offset + FRAG_ROOM_MIN > frag->size &&
	    page_ref_count(page) != 1 && !page_is_pfmemalloc(page)) {
		page = frag_exchange(page);
		frag->page = page;
		frag->offset = 0;
		frag->size = page ? page_size(page) : 0;
		if (page)
			return true;
	}
	return sk_page_frag_refill(sk, frag);
}

/* Nobody sends or receives any more: the module goes. */
void socktls_record_exit(void)
{
	unsigned int i;
	int cpu;

	for_each_possible_cpu(cpu) {
		for (i = 0; i < FRAGS_KEPT; i++)
			if (per_cpu(kept_frags, cpu).page[i])
				put_page(per_cpu(kept_frags, cpu).page[i]);
		record_free(per_cpu(kept_page, cpu));
		record_free(per_cpu(kept_run, cpu));
	}
}
