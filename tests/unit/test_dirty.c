/*
 * Dirty readers and the code listener: every kind of write is told of, readers do not disturb each other, and threads
 * that write while another fetches lose nothing.
 */
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>

#include "src/memory/memory_internal.h"
#include "tests/unit/unit.h"

#define RAM    UINT64_C(0x80000000)
#define PAGES  100 /* of the first region; the second, of as many, touches it */
#define SECOND (RAM + PAGES * BIS_PAGE_SIZE)

static bool code_watched(_Atomic uint8_t *watch)
{
	return atomic_fetch_add_explicit(watch, 0, memory_order_seq_cst) & BIS_WATCH_CODE;
}

static int make_memory(void **state)
{
	struct bis_memory *m;

	if (bis_memory_create(&m))
		return -1;
	*state = m;
	return bis_memory_add_ram(m, "ram", (bis_gpa){RAM}, PAGES * BIS_PAGE_SIZE) ||
	       bis_memory_add_ram(m, "second", (bis_gpa){SECOND}, PAGES * BIS_PAGE_SIZE);
}

static int free_memory(void **state)
{
	bis_memory_destroy(*state);
	return 0;
}

static bis_gpa page(unsigned n)
{
	return (bis_gpa){RAM + (uint64_t)n * BIS_PAGE_SIZE};
}

/* Fetches `pages` pages from page `first` and asserts that just those in `expected` (ended by -1) are dirty. */
static void assert_dirty(struct bis_dirty *d, unsigned first, unsigned pages, const int *expected)
{
	uint64_t bitmap[(2 * PAGES + 63) / 64];

	memset(bitmap, 0xff, sizeof(bitmap));
	assert_ok(bis_dirty_fetch(d, page(first), pages, bitmap));
	for (unsigned i = 0; i < (pages + 63) / 64 * 64; i++) {
		bool dirty = bitmap[i / 64] >> (i % 64) & 1;

		if (*expected == (int)(first + i)) {
			assert_true(dirty);
			expected++;
		} else {
			assert_false(dirty);
		}
	}
	assert_int_equal(*expected, -1);
}

#define NONE ((const int[]){-1})
#define ALL  (2 * PAGES)

static int touch(void *arg, void *host, size_t len)
{
	(void)arg;
	memset(host, 1, len);
	return 0;
}

static void every_kind_of_write_is_told_of(void **state)
{
	struct bis_memory *m = *state;
	struct bis_dirty *d;
	uint64_t value;
	char zeros[8];

	assert_ok(bis_dirty_create(m, &d));
	assert_dirty(d, 0, ALL, NONE);
	assert_ok(bis_mem_write(m, (bis_gpa){page(3).v - 1}, "ab", 2));
	assert_ok(bis_mem_fill(m, page(10), 7, 2 * BIS_PAGE_SIZE));
	assert_ok(bis_mem_store(m, (bis_gpa){page(64).v - 8}, 8, 1));
	assert_ok(bis_mem_spans(m, (bis_gpa){SECOND - 1}, 2, true, touch, NULL));
	assert_dirty(d, 0, ALL, (const int[]){2, 3, 10, 11, 63, 99, 100, -1});
	assert_dirty(d, 0, ALL, NONE);

	/* Reads, read-only spans, empty and refused writes are not writes. */
	assert_ok(bis_mem_read(m, page(5), zeros, sizeof(zeros)));
	assert_ok(bis_mem_load(m, page(5), 8, &value));
	assert_ok(bis_mem_spans(m, page(5), 0x1000, false, touch, NULL));
	assert_ok(bis_mem_write(m, page(5), zeros, 0));
	assert_fails(bis_mem_write(m, (bis_gpa){page(ALL).v - 1}, zeros, 2), -EFAULT, "not all RAM");
	assert_dirty(d, 0, ALL, NONE);
	bis_dirty_destroy(d);
}

static void a_file_read_marks_just_what_it_filled(void **state)
{
	struct bis_memory *m = *state;
	struct bis_mem_region r;
	struct bis_dirty *d;

	assert_ok(bis_mem_region(m, 1, &r));
	assert_ok(bis_dirty_create(m, &d));
	assert_int_equal(bis_mem_from_fd(m, page(1), r.fd, (PAGES - 2) * BIS_PAGE_SIZE, 10 * BIS_PAGE_SIZE),
			 2 * BIS_PAGE_SIZE);
	assert_dirty(d, 0, ALL, (const int[]){1, 2, -1});
	bis_dirty_destroy(d);
}

static void a_fetch_takes_only_its_range(void **state)
{
	struct bis_memory *m = *state;
	struct bis_dirty *d;

	assert_ok(bis_dirty_create(m, &d));
	assert_ok(bis_mem_fill(m, page(0), 1, (uint64_t)ALL * BIS_PAGE_SIZE));
	assert_dirty(d, 63, 3, (const int[]){63, 64, 65, -1});
	assert_dirty(d, 98, 4, (const int[]){98, 99, 100, 101, -1});
	assert_dirty(d, 62, 5, (const int[]){62, 66, -1});
	assert_dirty(d, 199, 1, (const int[]){199, -1});
	assert_ok(bis_dirty_fetch(d, page(0), 0, NULL));
	for (unsigned i = 0; i < ALL; i++) {
		bool taken = (i >= 62 && i <= 66) || (i >= 98 && i <= 101) || i == 199;
		const int expected[] = {taken ? -1 : (int)i, -1};

		assert_dirty(d, i, 1, expected);
	}
	bis_dirty_destroy(d);
}

static void bad_ranges_clear_nothing(void **state)
{
	struct bis_memory *m = *state;
	uint64_t bitmap[8] = {0x5a};
	struct bis_dirty *d;

	assert_ok(bis_dirty_create(m, &d));
	assert_ok(bis_mem_store(m, page(0), 1, 1));
	assert_fails(bis_dirty_fetch(d, (bis_gpa){RAM + 1}, 1, bitmap), -EINVAL, "not the start of a page");
	assert_fails(bis_dirty_fetch(d, page(0), ALL + 1, bitmap), -EFAULT, "not all RAM");
	assert_fails(bis_dirty_fetch(d, (bis_gpa){RAM - 0x1000}, 2, bitmap), -EFAULT, "not all RAM");
	assert_fails(bis_dirty_fetch(d, page(0), UINT64_C(1) << 52, bitmap), -EFAULT, "not all RAM");
	assert_fails(bis_dirty_fetch(d, page(0), (UINT64_C(1) << 52) + 1, bitmap), -EFAULT, "not all RAM");
	assert_int_equal(bitmap[0], 0x5a);
	assert_dirty(d, 0, ALL, (const int[]){0, -1});
	bis_dirty_destroy(d);
}

static void readers_do_not_disturb_each_other(void **state)
{
	struct bis_memory *m = *state;
	struct bis_dirty *d[BIS_DIRTY_READERS], *extra = NULL;

	assert_ok(bis_mem_store(m, page(1), 1, 1));
	for (unsigned k = 0; k < BIS_DIRTY_READERS; k++) {
		assert_ok(bis_dirty_create(m, &d[k]));
		assert_ok(bis_mem_store(m, page(10 + k), 1, 1));
	}
	assert_fails(bis_dirty_create(m, &extra), -ENOSPC, "already 5 dirty readers");
	assert_dirty(d[4], 0, ALL, (const int[]){14, -1});
	assert_dirty(d[3], 0, ALL, (const int[]){13, 14, -1});
	assert_dirty(d[0], 0, ALL, (const int[]){10, 11, 12, 13, 14, -1});
	assert_ok(bis_mem_store(m, page(13), 1, 1));
	assert_dirty(d[4], 0, ALL, (const int[]){13, -1});
	assert_dirty(d[3], 0, ALL, (const int[]){13, -1});

	/* A number that is used again starts clean. */
	bis_dirty_destroy(d[3]);
	assert_ok(bis_mem_store(m, page(50), 1, 1));
	assert_ok(bis_dirty_create(m, &d[3]));
	assert_dirty(d[3], 0, ALL, NONE);
	assert_dirty(d[2], 0, ALL, (const int[]){12, 13, 14, 50, -1});
	for (unsigned k = 0; k < BIS_DIRTY_READERS; k++)
		bis_dirty_destroy(d[k]);
	bis_dirty_destroy(NULL);
}

static void ram_added_later_is_watched_too(void **state)
{
	struct bis_memory *m = *state;
	struct bis_dirty *d;

	assert_ok(bis_dirty_create(m, &d));
	assert_ok(bis_memory_add_ram(m, "third", page(ALL), BIS_PAGE_SIZE));
	assert_dirty(d, ALL, 1, NONE);
	assert_ok(bis_mem_store(m, page(ALL), 4, 1));
	assert_dirty(d, ALL, 1, (const int[]){ALL, -1});
	bis_dirty_destroy(d);
}

static void count_call(void *arg)
{
	++*(int *)arg;
}

static void harts_are_told_only_when_pages_are_armed_again(void **state)
{
	struct bis_memory *m = *state;
	struct bis_dirty *d;
	int calls = 0;

	bis_mem_set_arm_listener(m, count_call, &calls);
	assert_ok(bis_dirty_create(m, &d));
	assert_int_equal(calls, 1);
	assert_dirty(d, 0, ALL, NONE);
	assert_int_equal(calls, 1);
	assert_ok(bis_mem_store(m, page(7), 1, 1));
	assert_dirty(d, 0, ALL, (const int[]){7, -1});
	assert_int_equal(calls, 2);
	bis_mem_set_arm_listener(m, NULL, NULL);
	assert_ok(bis_mem_store(m, page(7), 1, 1));
	assert_dirty(d, 0, ALL, (const int[]){7, -1});
	assert_int_equal(calls, 2);
	bis_dirty_destroy(d);
}

struct drops {
	int count;
	uint64_t last;
};

static void note_drop(void *arg, uint64_t pa_page)
{
	struct drops *d = arg;

	d->count++;
	d->last = pa_page;
}

static void code_is_dropped_once_for_each_translation(void **state)
{
	struct bis_memory *m = *state;
	struct bis_mem_page p = {0};
	struct drops drops = {0};
	struct bis_dirty *d;

	bis_mem_set_code_listener(m, note_drop, &drops);
	assert_ok(bis_dirty_create(m, &d));
	assert_true(bis_mem_page(m, page(100).v + 12, &p));
	assert_true(bis_mem_watch_code(p.watch));
	assert_false(bis_mem_watch_code(p.watch));
	assert_ok(bis_mem_store(m, page(99), 4, 1));
	assert_int_equal(drops.count, 0);
	assert_true(code_watched(p.watch));
	assert_ok(bis_mem_write(m, (bis_gpa){page(100).v - 1}, "ab", 2));
	assert_int_equal(drops.count, 1);
	assert_int_equal(drops.last, page(100).v);
	assert_false(code_watched(p.watch));
	assert_int_equal(atomic_load(p.watch), 0);
	assert_ok(bis_mem_store(m, page(100), 4, 1));
	assert_int_equal(drops.count, 1);
	assert_dirty(d, 0, ALL, (const int[]){99, 100, -1});

	assert_true(bis_mem_watch_code(p.watch));
	bis_mem_set_code_listener(m, NULL, NULL);
	assert_ok(bis_mem_store(m, page(100), 4, 1));
	assert_int_equal(drops.count, 1);
	bis_dirty_destroy(d);
}

struct translator {
	struct bis_mem_page page;
	uint8_t during;
};

/* Stands for a translator that begins anew on another thread while the old code is being dropped. */
static void translate_again(void *arg, uint64_t pa_page)
{
	struct translator *t = arg;

	(void)pa_page;
	t->during = atomic_load(t->page.watch);
	assert_true(bis_mem_watch_code(t->page.watch));
}

static void code_translated_while_the_old_is_dropped_stays_watched(void **state)
{
	struct bis_memory *m = *state;
	struct translator t = {0};
	struct drops drops = {0};

	assert_true(bis_mem_page(m, page(3).v, &t.page));
	bis_mem_set_code_listener(m, translate_again, &t);
	assert_true(bis_mem_watch_code(t.page.watch));
	assert_ok(bis_mem_store(m, page(3), 4, 1));
	assert_int_not_equal(t.during, 0); /* other writers wait until the old code is gone */
	assert_true(code_watched(t.page.watch));

	bis_mem_set_code_listener(m, note_drop, &drops);
	assert_ok(bis_mem_store(m, page(3), 4, 1));
	assert_int_equal(drops.count, 1);
	assert_int_equal(atomic_load(t.page.watch), 0);
}

/* --- threads --- */

/*
 * A hart in small: it stores through a write entry as long as it has one, and passes a safepoint after every
 * store. `entry` and `safepoints` stand for the TLB and the request flags of a real one.
 */
struct hart {
	struct bis_memory *memory;
	bool waits; /* the arm listener waits for the flush; otherwise the flush itself tells of writes */
	_Atomic bool flush, done;
	uint64_t stores;
};

#define HART_PAGE 5u

static void hart_flush(struct hart *h, bool *entry, const struct bis_mem_page *p)
{
	if (*entry && !h->waits)
		bis_mem_wrote(h->memory, page(HART_PAGE).v, p->watch);
	*entry = false;
}

static void *run_hart(void *arg)
{
	struct hart *h = arg;
	struct bis_mem_page p = {0};
	bool entry = false;

	if (!bis_mem_page(h->memory, page(HART_PAGE).v, &p))
		return NULL;
	for (uint64_t i = 1; i <= h->stores; i++) {
		__atomic_store_n((uint64_t *)(void *)p.host, i, __ATOMIC_RELAXED);
		if (!entry) {
			bis_mem_wrote(h->memory, page(HART_PAGE).v, p.watch);
			entry = atomic_load(p.watch) == 0;
		}
		if (atomic_load(&h->flush)) {
			if (!h->waits)
				atomic_store(&h->flush, false);
			hart_flush(h, &entry, &p);
			if (h->waits)
				atomic_store(&h->flush, false);
		}
	}
	hart_flush(h, &entry, &p);
	atomic_store(&h->done, true);
	return NULL;
}

static void flush_hart(void *arg)
{
	struct hart *h = arg;

	atomic_store(&h->flush, true);
	while (h->waits && atomic_load(&h->flush) && !atomic_load(&h->done))
		sched_yield();
}

/* A device in small: copies numbered records into pages of both regions until it has done its share. */
static void *run_device(void *arg)
{
	struct bis_memory *m = arg;
	long failures = 0;

	for (uint64_t i = 1; i <= 20000; i++) {
		uint64_t record[4] = {i, i, i, i};

		failures += bis_mem_write(m, (bis_gpa){page(98).v + i * 1000 % (4 * BIS_PAGE_SIZE - 32) / 8 * 8},
					  record, sizeof(record)) != 0;
	}
	return (void *)failures;
}

/* Brings `copy` up to date with the pages that a fetch reports. */
static void follow(struct bis_memory *m, struct bis_dirty *d, uint8_t *copy)
{
	uint64_t bitmap[(ALL + 63) / 64];

	assert_ok(bis_dirty_fetch(d, page(0), ALL, bitmap));
	for (unsigned i = 0; i < ALL; i++) {
		if (bitmap[i / 64] >> (i % 64) & 1)
			assert_ok(bis_mem_read(m, page(i), copy + (size_t)i * BIS_PAGE_SIZE, BIS_PAGE_SIZE));
	}
}

static void follow_writers(struct bis_memory *m, bool waits)
{
	struct hart hart = {.memory = m, .waits = waits, .stores = 300000};
	uint8_t *copies[2], *now;
	struct bis_dirty *readers[2];
	pthread_t hart_thread, device_thread;
	void *failures;

	now = calloc(ALL, BIS_PAGE_SIZE);
	for (int i = 0; i < 2; i++) {
		copies[i] = calloc(ALL, BIS_PAGE_SIZE);
		assert_ok(bis_dirty_create(m, &readers[i]));
	}
	bis_mem_set_arm_listener(m, flush_hart, &hart);
	assert_int_equal(pthread_create(&hart_thread, NULL, run_hart, &hart), 0);
	assert_int_equal(pthread_create(&device_thread, NULL, run_device, m), 0);
	for (unsigned turn = 0; !atomic_load(&hart.done); turn++) {
		follow(m, readers[0], copies[0]);
		if (turn % 3 == 0)
			follow(m, readers[1], copies[1]);
	}
	pthread_join(hart_thread, NULL);
	pthread_join(device_thread, &failures);
	assert_null(failures);

	assert_ok(bis_mem_read(m, page(0), now, (size_t)ALL * BIS_PAGE_SIZE));
	for (int i = 0; i < 2; i++) {
		follow(m, readers[i], copies[i]);
		assert_memory_equal(copies[i], now, (size_t)ALL * BIS_PAGE_SIZE);
		bis_dirty_destroy(readers[i]);
		free(copies[i]);
	}
	bis_mem_set_arm_listener(m, NULL, NULL);
	free(now);
}

static void no_write_is_lost_when_fetches_wait_for_harts(void **state)
{
	follow_writers(*state, true);
}

static void no_write_is_lost_when_harts_flush_later(void **state)
{
	follow_writers(*state, false);
}

/*
 * A block cache in small: one block made of the first two words of a page, which two writers change. Whoever has
 * written must not find a block with the word it replaced.
 */
struct block_cache {
	struct bis_memory *memory;
	pthread_mutex_t lock; /* guards the block */
	bool entered, verified;
	uint64_t words[2];
	_Atomic int writers;
};

static void drop_block(void *arg, uint64_t pa_page)
{
	struct block_cache *c = arg;

	(void)pa_page;
	pthread_mutex_lock(&c->lock);
	c->entered = c->verified = false;
	pthread_mutex_unlock(&c->lock);
}

static void *translate(void *arg)
{
	struct block_cache *c = arg;
	struct bis_mem_page p = {0};
	uint64_t words[2];
	long failures = !bis_mem_page(c->memory, page(0).v, &p);

	while (!failures && atomic_load(&c->writers)) {
		bool valid;

		bis_mem_watch_code(p.watch);
		failures += bis_mem_read(c->memory, page(0), words, sizeof(words)) != 0;
		pthread_mutex_lock(&c->lock);
		c->entered = true;
		c->verified = false;
		memcpy(c->words, words, sizeof(words));
		pthread_mutex_unlock(&c->lock);
		valid = code_watched(p.watch);
		pthread_mutex_lock(&c->lock);
		c->verified = valid && c->entered;
		pthread_mutex_unlock(&c->lock);
	}
	return (void *)failures;
}

struct writer {
	struct block_cache *cache;
	unsigned word;
};

static void *write_code(void *arg)
{
	struct writer *w = arg;
	struct block_cache *c = w->cache;
	long failures = 0;

	for (uint64_t i = 1; i <= 30000; i++) {
		failures += bis_mem_store(c->memory, (bis_gpa){page(0).v + 8 * w->word}, 8, i) != 0;
		pthread_mutex_lock(&c->lock);
		failures += c->verified && c->words[w->word] != i;
		pthread_mutex_unlock(&c->lock);
	}
	atomic_fetch_sub(&c->writers, 1);
	return (void *)failures;
}

static void nobody_runs_code_after_overwriting_it(void **state)
{
	struct block_cache c = {.memory = *state, .writers = 2};
	struct writer writers[2] = {{&c, 0}, {&c, 1}};
	pthread_t threads[3];
	void *failures;

	pthread_mutex_init(&c.lock, NULL);
	bis_mem_set_code_listener(*state, drop_block, &c);
	assert_int_equal(pthread_create(&threads[0], NULL, translate, &c), 0);
	for (int i = 0; i < 2; i++)
		assert_int_equal(pthread_create(&threads[1 + i], NULL, write_code, &writers[i]), 0);
	for (int i = 0; i < 3; i++) {
		pthread_join(threads[i], &failures);
		assert_null(failures);
	}
	bis_mem_set_code_listener(*state, NULL, NULL);
	pthread_mutex_destroy(&c.lock);
}

/* A guest that stores plain words and a device that copies the same bytes race by design; no tool may object. */
struct guest {
	struct bis_memory *memory;
	_Atomic bool ready, stop;
};

static void *store_words(void *arg)
{
	struct guest *g = arg;
	struct bis_mem_page p = {0};

	if (!bis_mem_page(g->memory, page(0).v, &p))
		return NULL;
	for (uint32_t i = 0; !atomic_load(&g->stop); i++) {
		__atomic_store_n((uint32_t *)(void *)(p.host + i % 1024 * 4), (i & 0xff) * 0x01010101u,
				 __ATOMIC_RELAXED);
		if (i == 10000)
			atomic_store(&g->ready, true);
	}
	return NULL;
}

/* Words that were torn, with some work for the tools to look at. */
static int copy_while_stored_to(struct bis_memory *m, int fd)
{
	uint32_t words[16];
	uint8_t bulk[5000];
	int bad = 0;

	for (int i = 0; i < 300; i++) {
		bad += bis_mem_read(m, page(0), words, sizeof(words)) != 0;
		for (size_t k = 0; k < BIS_ARRAY_SIZE(words); k++)
			bad += words[k] != (words[k] & 0xff) * 0x01010101u;
		bad += bis_mem_read(m, (bis_gpa){RAM + 1}, bulk, sizeof(bulk)) != 0;
		bad += bis_mem_to_fd(m, page(0), fd, 0, BIS_PAGE_SIZE) != BIS_PAGE_SIZE;
		bad += bis_mem_from_fd(m, page(0), fd, BIS_PAGE_SIZE, 64) != 64;
		memset(bulk, 0, sizeof(bulk));
		bad += bis_mem_write(m, page(0), bulk, sizeof(bulk)) != 0;
	}
	return bad;
}

static void copies_may_race_with_the_guest(void **state)
{
	struct guest guest = {.memory = *state};
	struct bis_mem_region second;
	pthread_t thread;
	int bad;

	assert_ok(bis_mem_region(*state, 1, &second));
	assert_int_equal(pthread_create(&thread, NULL, store_words, &guest), 0);
	while (!atomic_load(&guest.ready))
		sched_yield();
	bad = copy_while_stored_to(*state, second.fd);
	atomic_store(&guest.stop, true);
	pthread_join(thread, NULL);
	assert_int_equal(bad, 0);
}

#define MEMORY_TEST(f) cmocka_unit_test_setup_teardown(f, make_memory, free_memory)

int main(void)
{
	const struct CMUnitTest tests[] = {
		MEMORY_TEST(every_kind_of_write_is_told_of),
		MEMORY_TEST(a_file_read_marks_just_what_it_filled),
		MEMORY_TEST(a_fetch_takes_only_its_range),
		MEMORY_TEST(bad_ranges_clear_nothing),
		MEMORY_TEST(readers_do_not_disturb_each_other),
		MEMORY_TEST(ram_added_later_is_watched_too),
		MEMORY_TEST(harts_are_told_only_when_pages_are_armed_again),
		MEMORY_TEST(code_is_dropped_once_for_each_translation),
		MEMORY_TEST(code_translated_while_the_old_is_dropped_stays_watched),
		MEMORY_TEST(no_write_is_lost_when_fetches_wait_for_harts),
		MEMORY_TEST(no_write_is_lost_when_harts_flush_later),
		MEMORY_TEST(nobody_runs_code_after_overwriting_it),
		MEMORY_TEST(copies_may_race_with_the_guest),
	};

	return cmocka_run_group_tests_name("dirty", tests, NULL, NULL);
}
