/*
 * Address-space switches: supervisor mode under Sv39 or Sv32 goes round several page tables that map the same addresses
 * to different pages, flushes translations after each switch, touches pages, and now and then exchanges two mappings.
 */
#include "../harness/paging.h"

#define SPACES	   8
#define USER_PAGES 16
#define SWITCHES   2000
#define USER_BASE  UINT32_C(0x40000000)
#define RAM_MAPPED UINT32_C(0x1000000)
#define POOL_PAGES (SPACES * 8)

const uint32_t bench_rounds = 22 * BENCH_SCALE;

static _Alignas(PAGE_SIZE) bench_table pool[POOL_PAGES];
static _Alignas(PAGE_SIZE) uint32_t frames[SPACES][USER_PAGES][PAGE_SIZE / 4];
static uintptr_t *roots[SPACES];
static struct bench_tables tables = {pool};

/* The start of RAM at its own address in superpages, and user pages of the space's own. */
static uintptr_t *make_space(unsigned space)
{
	uintptr_t *root = bench_take_table(&tables);
	uintptr_t superpage = (uintptr_t)1 << (12 + INDEX_BITS);

	for (uintptr_t offset = 0; offset < RAM_MAPPED; offset += superpage)
		bench_map(&tables, root, RAM_BASE + offset, RAM_BASE + offset, 1);
	for (unsigned page = 0; page < USER_PAGES; page++)
		bench_map(&tables, root, USER_BASE + page * PAGE_SIZE, (uintptr_t)frames[space][page], 0);
	return root;
}

static void exchange_pages(uintptr_t *root, uintptr_t first, uintptr_t second)
{
	uintptr_t *a = bench_entry_at(&tables, root, first, 0), *b = bench_entry_at(&tables, root, second, 0),
		  kept = *a;

	*a = *b;
	*b = kept;
	__asm__ volatile("sfence.vma %0" ::"r"(first) : "memory");
	__asm__ volatile("sfence.vma %0" ::"r"(second) : "memory");
}

static uint32_t touch_pages(uint32_t step)
{
	uint32_t sum = 0;

	for (unsigned page = 0; page < USER_PAGES; page++) {
		volatile uint32_t *word =
			(volatile uint32_t *)(uintptr_t)(USER_BASE + page * PAGE_SIZE + step % 64 * 64);

		*word += step + page;
		sum = sum * 5 + *word;
	}
	return sum;
}

/* Runs in supervisor mode. */
static uintptr_t switch_spaces(uintptr_t rounds)
{
	uint32_t checksum = 1, seed = 777767777;

	for (uint32_t step = 0; step < rounds * SWITCHES; step++) {
		uintptr_t *root = roots[step % SPACES];

		bench_use(root);
		checksum = bench_mix(checksum, touch_pages(step));
		if (step % 4 == 0) {
			uint32_t which = bench_random(&seed);

			exchange_pages(root, USER_BASE + which % USER_PAGES * PAGE_SIZE,
				       USER_BASE + which / USER_PAGES % USER_PAGES * PAGE_SIZE);
			checksum = bench_mix(checksum, touch_pages(step));
		}
	}
	return checksum;
}

uint32_t bench_payload(uint32_t rounds)
{
	for (unsigned space = 0; space < SPACES; space++)
		roots[space] = make_space(space);
	return (uint32_t)bench_lower(switch_spaces, rounds, BENCH_SUPERVISOR);
}
