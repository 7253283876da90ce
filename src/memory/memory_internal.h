/*
 * What the TLB, the block cache and the bus need of guest memory beyond <biscuit/memory.h>: the host address of a page,
 * and the watch byte that tells who wants to hear of a write to it.
 *
 * The rule for everyone who writes guest RAM: first write the bytes, then call bis_mem_wrote for each page. A hart may
 * keep a host address for unchecked writes (a TLB write entry) only if it saw the page's watch byte 0 after its last
 * flush of write entries, with no safepoint between that look and filling the entry. Whoever sets a bit in a watch byte
 * makes every hart flush its write entries (see bis_mem_set_arm_listener).
 *
 * Hosts are little-endian with lock-free 8-byte atomics.
 */
#ifndef BISCUIT_MEMORY_INTERNAL_H
#define BISCUIT_MEMORY_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>
#include <sys/types.h>

#include <biscuit/memory.h>

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "guest memory is accessed in host byte order: the host must be little-endian"
#endif

#define BIS_DIRTY_READERS 5
#define BIS_PAGE_MASK	  ((uint64_t)BIS_PAGE_SIZE - 1)

/* The watch byte of a page: 0 while nobody wants to hear of a write. */
enum bis_watch_bits {
	BIS_WATCH_CODE = 0x01,	   /* translated code lies in this page */
	BIS_WATCH_READERS = 0x3e,  /* bit 1+k: dirty reader k waits for the first write */
	BIS_WATCH_SURE = 0x40,	   /* with CODE: no hart has a write entry for this page any more */
	BIS_WATCH_DROPPING = 0x80, /* the code listener is at work on this page */
};

/* One region of RAM. Everything but `dirty` is fixed from creation to the end of the memory. */
struct bis_ram {
	uint64_t base, size; /* base + size does not wrap */
	uint8_t *host;
	_Atomic uint8_t *watch;		    /* one byte a page */
	uint64_t *dirty[BIS_DIRTY_READERS]; /* one bit a page, NULL without that reader; guarded by bis_memory.lock */
	int fd;
	char *name;
	bool of_device;
};

/*
 * The regions in address order. A table never changes; adding RAM publishes a longer one and keeps the old to the end.
 */
struct bis_ram_table {
	struct bis_ram_table *older;
	size_t count;
	_Atomic size_t last_hit; /* a hint below count */
	struct bis_ram *regions[];
};

struct bis_memory {
	struct bis_ram_table *_Atomic table;

	pthread_mutex_t lock; /* additions, readers and dirty bits; never held while a listener runs */
	unsigned readers;     /* bit k: dirty reader k exists */
	void (*watch_armed)(void *arg);
	void *watch_armed_arg;

	pthread_mutex_t code_lock; /* held while the code listener runs; never together with `lock` */
	void (*code_written)(void *arg, uint64_t pa_page);
	void *code_written_arg;
};

/* --- finding pages; any thread, no lock --- */

/* The region that contains pa, or NULL. Valid as long as the memory. */
static inline struct bis_ram *bis_mem_find(const struct bis_memory *m, uint64_t pa)
{
	struct bis_ram_table *t = atomic_load_explicit(&m->table, memory_order_acquire);
	size_t low = 0, high = t->count, hit = atomic_load_explicit(&t->last_hit, memory_order_relaxed);

	if (hit < high && pa - t->regions[hit]->base < t->regions[hit]->size)
		return t->regions[hit];
	while (low < high) {
		size_t mid = low + (high - low) / 2;
		struct bis_ram *r = t->regions[mid];

		if (pa - r->base < r->size) {
			atomic_store_explicit(&t->last_hit, mid, memory_order_relaxed);
			return r;
		}
		if (pa < r->base)
			high = mid;
		else
			low = mid + 1;
	}
	return NULL;
}

struct bis_mem_page {
	uint8_t *host;		/* of the page's first byte */
	_Atomic uint8_t *watch; /* the page's watch byte */
};

/* The page that contains pa; false if that is not RAM. Both addresses are valid as long as the memory. */
static inline bool bis_mem_page(const struct bis_memory *m, uint64_t pa, struct bis_mem_page *out)
{
	struct bis_ram *r = bis_mem_find(m, pa);
	uint64_t page;

	if (!r)
		return false;
	page = (pa - r->base) >> BIS_PAGE_SHIFT;
	out->host = r->host + (page << BIS_PAGE_SHIFT);
	out->watch = r->watch + page;
	return true;
}

/* The guest address of a byte of RAM by its host address; -ENOENT for others. */
BIS_MUST_CHECK int bis_mem_gpa_of(const struct bis_memory *m, const uint8_t *host, bis_gpa *out);

/* --- telling of writes --- */

/*
 * Tells everyone who watches the page at pa_page (page-aligned) of a write that is done; on return the dirty bits are
 * set, the code listener has finished, and the bits that were set at entry are clear. Any thread; takes the memory's
 * locks, so not from inside a listener.
 */
void bis_mem_page_written(struct bis_memory *m, uint64_t pa_page, _Atomic uint8_t *watch);

/*
 * To be called after each write, for the page it went to. The read-modify-write that changes nothing orders the bytes
 * before the look: either it reads what a watcher has set, or that watcher, who looks at the bytes after setting it,
 * sees them.
 */
static inline void bis_mem_wrote(struct bis_memory *m, uint64_t pa_page, _Atomic uint8_t *watch)
{
	if (atomic_fetch_add_explicit(watch, 0, memory_order_seq_cst))
		bis_mem_page_written(m, pa_page, watch);
}

/* 0 if all of [pa, pa+len) is RAM, or -EFAULT with message. */
BIS_MUST_CHECK int bis_mem_check_ram(const struct bis_memory *m, bis_gpa pa, uint64_t len);

/* bis_mem_wrote for every page of [pa, pa+len), which is RAM. */
void bis_mem_touched(struct bis_memory *m, uint64_t pa, uint64_t len);

/*
 * `fn(arg, pa_page)` drops all translated code of a page. It is called on the writer's thread with the CODE bit already
 * clear, one page at a time for the whole memory, and must neither wait for a hart nor write guest memory. Until it
 * returns, other writers to that page wait. NULL removes the listener, waiting for a call under way.
 *
 * A translator calls bis_mem_watch_code and only then reads the code. If the listener queues the dropping, it must not
 * be carried out between that and the block's entering the cache; if it drops at once, the translator looks at the bit
 * again afterwards.
 */
void bis_mem_set_code_listener(struct bis_memory *m, void (*fn)(void *arg, uint64_t pa_page), void *arg);

/* Sets the CODE bit. True if it was clear: every hart must then flush its write entry for this page before the code
 * runs. */
static inline bool bis_mem_watch_code(_Atomic uint8_t *watch)
{
	return !(atomic_fetch_or_explicit(watch, BIS_WATCH_CODE, memory_order_seq_cst) & BIS_WATCH_CODE);
}

/*
 * Sets the SURE bit, unless the page has been written and CODE has gone. False then. Only while nobody else can set
 * CODE: it may not have come back after a write.
 */
static inline bool bis_mem_watch_sure(_Atomic uint8_t *watch)
{
	uint8_t seen = atomic_load(watch);

	while (seen & BIS_WATCH_CODE)
		if (atomic_compare_exchange_weak(watch, &seen, seen | BIS_WATCH_SURE))
			return true;
	return false;
}

/*
 * `fn(arg)` is called, with no lock held, by a dirty reader's creation and fetch when watch bits have been set in pages
 * that harts may hold write entries for. It makes every hart flush its write entries, in one of two ways: it returns
 * after all harts have done so; or it returns at once, and each hart, when it flushes, calls bis_mem_wrote for the page
 * of every write entry it drops (the write is then reported by the reader's next fetch). NULL removes the listener.
 */
void bis_mem_set_arm_listener(struct bis_memory *m, void (*fn)(void *arg), void *arg);

/* --- guest bytes: memory that harts and other processes may be changing --- */

/*
 * Copies between guest RAM and private memory. Naturally aligned 2, 4 and 8 byte words of the guest side are moved
 * whole where len is at most 64 bytes, so that no field of a descriptor is torn or read twice. Relaxed: callers that
 * need an order use bis_mem_load and bis_mem_store for the word that publishes the rest.
 */
void bis_ram_copy_out(void *dst, const uint8_t *host, size_t len);
void bis_ram_copy_in(uint8_t *host, const void *src, size_t len);
void bis_ram_fill(uint8_t *host, uint8_t byte, size_t len);
/* preadv2 (`in`) or pwritev2 on guest RAM, with the flags of those. */
struct iovec;
ssize_t bis_ram_move(int fd, const struct iovec *iov, int count, off_t offset, bool in, int flags);

/* --- dirty bitmaps of a region that is being added or freed (memory.c, dirty.c); the caller holds the lock --- */

/* Bitmaps for all existing readers, all clean, and their watch bits; -ENOMEM. */
BIS_MUST_CHECK int bis_dirty_add_region(struct bis_memory *m, struct bis_ram *r);
void bis_dirty_free_region(struct bis_ram *r);

#endif
