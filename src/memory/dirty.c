/*
 * Who is told of writes to guest memory: dirty readers with a bitmap each, and the code listener, <biscuit/memory.h>.
 * Any thread. A reader belongs to its creator and must go before the memory; its bitmaps hang on the regions and are
 * guarded by the memory's lock.
 *
 * Why no write is lost. For reader k and page p, while the lock is held, exactly one of two bits is set: the watch bit
 * ("clean, tell me") or the dirty bit ("written, not yet fetched"). bis_mem_page_written moves it from watch to dirty
 * (dirty first), a fetch from dirty to watch (handing it to the caller); both under the lock. Take any write W.
 *
 * 1. A writer who looks at the watch byte after W (device, loader, hart without a write entry) sees the bit set: it
 * moves the bit under the lock, and the next fetch reports p.
 * 2. It sees the bit clear: then p was dirty at that moment. Let F be the fetch that takes that dirty bit. F sets the
 * watch bit after the writer's look in the order of changes to the watch byte, and both are read-modify-writes, so F's
 * caller, who looks at the bytes after F, sees W, and F reports p.
 * 3. A hart writes through a write entry without looking. It filled the entry after seeing the byte 0, so p was dirty
 *    then, and F, the fetch that re-arms p, reports it. If the arm listener waits for all flushes, every W through the
 *    entry precedes F's return and is seen by F's caller, as in 2. If it does not wait, the hart calls bis_mem_wrote
 * when it drops the entry, after all such W, which is case 1 or 2.
 *
 * A reader's creation stands for a fetch of all pages here. A page may be reported twice: W can be seen by F's caller
 * and told of again by the writer's look after F.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <biscuit/error.h>

#include "src/memory/memory_internal.h"

struct bis_dirty {
	struct bis_memory *memory;
	unsigned index;
};

static uint8_t watch_bit(unsigned reader)
{
	return (uint8_t)(2u << reader);
}

static size_t bitmap_words(const struct bis_ram *r)
{
	return (size_t)(((r->size >> BIS_PAGE_SHIFT) + 63) / 64);
}

/* --- listeners --- */

void bis_mem_set_code_listener(struct bis_memory *m, void (*fn)(void *arg, uint64_t pa_page), void *arg)
{
	pthread_mutex_lock(&m->code_lock);
	m->code_written = fn;
	m->code_written_arg = arg;
	pthread_mutex_unlock(&m->code_lock);
}

void bis_mem_set_arm_listener(struct bis_memory *m, void (*fn)(void *arg), void *arg)
{
	pthread_mutex_lock(&m->lock);
	m->watch_armed = fn;
	m->watch_armed_arg = arg;
	pthread_mutex_unlock(&m->lock);
}

static void tell_armed(struct bis_memory *m)
{
	void (*fn)(void *arg);
	void *arg;

	pthread_mutex_lock(&m->lock);
	fn = m->watch_armed;
	arg = m->watch_armed_arg;
	pthread_mutex_unlock(&m->lock);
	if (fn)
		fn(arg);
}

/* --- writes --- */

static void tell_readers(struct bis_memory *m, uint64_t pa_page, _Atomic uint8_t *watch)
{
	struct bis_ram *r = bis_mem_find(m, pa_page);
	uint64_t page = (pa_page - r->base) >> BIS_PAGE_SHIFT;
	uint8_t waiting;

	pthread_mutex_lock(&m->lock);
	waiting = atomic_load(watch) & BIS_WATCH_READERS;
	for (unsigned k = 0; k < BIS_DIRTY_READERS; k++) {
		if (waiting & watch_bit(k))
			r->dirty[k][page / 64] |= UINT64_C(1) << (page % 64);
	}
	atomic_fetch_and(watch, (uint8_t)~waiting);
	pthread_mutex_unlock(&m->lock);
}

/*
 * CODE goes before the listener runs, so that a translator who sets it meanwhile keeps it. DROPPING stays until the
 * listener is done, so that another writer to the page, who no longer sees CODE, waits here until the old code is gone.
 */
static void tell_code_listener(struct bis_memory *m, uint64_t pa_page, _Atomic uint8_t *watch)
{
	pthread_mutex_lock(&m->code_lock);
	if (atomic_load(watch) & BIS_WATCH_CODE) {
		atomic_fetch_or(watch, BIS_WATCH_DROPPING);
		atomic_fetch_and(watch, (uint8_t) ~(BIS_WATCH_CODE | BIS_WATCH_SURE));
		if (m->code_written)
			m->code_written(m->code_written_arg, pa_page);
		atomic_fetch_and(watch, (uint8_t)~BIS_WATCH_DROPPING);
	}
	pthread_mutex_unlock(&m->code_lock);
}

void bis_mem_page_written(struct bis_memory *m, uint64_t pa_page, _Atomic uint8_t *watch)
{
	uint8_t seen = atomic_load(watch);

	if (seen & BIS_WATCH_READERS)
		tell_readers(m, pa_page, watch);
	if (seen & (BIS_WATCH_CODE | BIS_WATCH_DROPPING))
		tell_code_listener(m, pa_page, watch);
}

/* --- regions --- */

static int add_bitmap(struct bis_ram *r, unsigned reader)
{
	r->dirty[reader] = calloc(bitmap_words(r), sizeof(uint64_t));
	if (!r->dirty[reader])
		return bis_fail(ENOMEM, "memory: no host memory for a dirty bitmap of '%s'", r->name);
	for (uint64_t page = 0; page < r->size >> BIS_PAGE_SHIFT; page++)
		atomic_fetch_or(&r->watch[page], watch_bit(reader));
	return 0;
}

static void remove_bitmap(struct bis_ram *r, unsigned reader)
{
	if (!r->dirty[reader])
		return;
	for (uint64_t page = 0; page < r->size >> BIS_PAGE_SHIFT; page++)
		atomic_fetch_and(&r->watch[page], (uint8_t)~watch_bit(reader));
	free(r->dirty[reader]);
	r->dirty[reader] = NULL;
}

int bis_dirty_add_region(struct bis_memory *m, struct bis_ram *r)
{
	int err = 0;

	for (unsigned k = 0; k < BIS_DIRTY_READERS && !err; k++) {
		if (m->readers & 1u << k)
			err = add_bitmap(r, k);
	}
	return err;
}

void bis_dirty_free_region(struct bis_ram *r)
{
	for (unsigned k = 0; k < BIS_DIRTY_READERS; k++)
		free(r->dirty[k]);
}

/* --- readers --- */

/* Takes a free number and arms every page; the caller holds the lock. */
static int add_reader(struct bis_memory *m, unsigned *out)
{
	struct bis_ram_table *t = atomic_load(&m->table);
	unsigned k = 0;
	int err = 0;

	while (k < BIS_DIRTY_READERS && (m->readers & 1u << k))
		k++;
	if (k == BIS_DIRTY_READERS)
		return bis_fail(ENOSPC, "memory: there are already %d dirty readers", BIS_DIRTY_READERS);
	for (size_t i = 0; i < t->count && !err; i++)
		err = add_bitmap(t->regions[i], k);
	if (err) {
		for (size_t i = 0; i < t->count; i++)
			remove_bitmap(t->regions[i], k);
		return err;
	}
	m->readers |= 1u << k;
	*out = k;
	return 0;
}

int bis_dirty_create(struct bis_memory *m, struct bis_dirty **out)
{
	struct bis_dirty *d = calloc(1, sizeof(*d));
	int err;

	if (!d)
		return bis_fail(ENOMEM, "memory: no host memory for a dirty reader");
	d->memory = m;
	pthread_mutex_lock(&m->lock);
	err = add_reader(m, &d->index);
	pthread_mutex_unlock(&m->lock);
	if (err) {
		free(d);
		return err;
	}
	tell_armed(m);
	*out = d;
	return 0;
}

void bis_dirty_destroy(struct bis_dirty *d)
{
	struct bis_ram_table *t;

	if (!d)
		return;
	pthread_mutex_lock(&d->memory->lock);
	t = atomic_load(&d->memory->table);
	for (size_t i = 0; i < t->count; i++)
		remove_bitmap(t->regions[i], d->index);
	d->memory->readers &= ~(1u << d->index);
	pthread_mutex_unlock(&d->memory->lock);
	free(d);
}

/* Takes the dirty bits of `count` (1 to 64) pages from `page`, all in one word of the bitmap, and arms those pages. */
static uint64_t take_bits(struct bis_ram *r, unsigned reader, uint64_t page, unsigned count)
{
	uint64_t mask = UINT64_MAX >> (64 - count), *word = &r->dirty[reader][page / 64];
	uint64_t bits = *word >> (page % 64) & mask;

	*word &= ~(bits << (page % 64));
	for (uint64_t left = bits; left; left &= left - 1)
		atomic_fetch_or(&r->watch[page + (unsigned)__builtin_ctzll(left)], watch_bit(reader));
	return bits;
}

/* As many pages as lie in one word on either side. */
static unsigned next_count(const struct bis_ram *r, uint64_t page, uint64_t out_bit, uint64_t pages)
{
	uint64_t count = (r->size >> BIS_PAGE_SHIFT) - page;

	if (count > 64 - page % 64)
		count = 64 - page % 64;
	if (count > 64 - out_bit % 64)
		count = 64 - out_bit % 64;
	return (unsigned)(count < pages ? count : pages);
}

int bis_dirty_fetch(struct bis_dirty *d, bis_gpa pa, uint64_t pages, uint64_t *bitmap)
{
	struct bis_memory *m = d->memory;
	uint64_t any = 0;

	if (pa.v & BIS_PAGE_MASK)
		return bis_fail(EINVAL, "memory: dirty pages from 0x%" PRIx64 ", which is not the start of a page",
				pa.v);
	if (pages > UINT64_MAX >> BIS_PAGE_SHIFT || !bis_mem_is_ram(m, pa, pages << BIS_PAGE_SHIFT))
		return bis_fail(EFAULT, "memory: 0x%" PRIx64 " pages at 0x%" PRIx64 " are not all RAM", pages, pa.v);
	if (pages == 0)
		return 0;
	memset(bitmap, 0, (size_t)((pages + 63) / 64) * sizeof(uint64_t));

	pthread_mutex_lock(&m->lock);
	for (uint64_t bit = 0; bit < pages;) {
		uint64_t at = pa.v + (bit << BIS_PAGE_SHIFT), page;
		struct bis_ram *r = bis_mem_find(m, at);
		unsigned count;
		uint64_t bits;

		page = (at - r->base) >> BIS_PAGE_SHIFT;
		count = next_count(r, page, bit, pages - bit);
		bits = take_bits(r, d->index, page, count);
		bitmap[bit / 64] |= bits << (bit % 64);
		any |= bits;
		bit += count;
	}
	pthread_mutex_unlock(&m->lock);
	if (any)
		tell_armed(m);
	return 0;
}
