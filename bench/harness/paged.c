/*
 * Linked instead of direct.c: the payload runs in supervisor mode, and every 4 KiB page of the guest has a mapping of
 * its own, from its address to itself.
 */
#include "paging.h"

#define MAPPED UINT32_C(0x200000) /* from the start of RAM: all of a guest and its stacks */

static _Alignas(PAGE_SIZE) bench_table pool[LEVELS];

static uintptr_t run_paged(uintptr_t rounds)
{
	bench_use(pool[0]);
	return bench_payload((uint32_t)rounds);
}

uint32_t bench_run(uint32_t rounds)
{
	struct bench_tables tables = {pool};
	uintptr_t *root = bench_take_table(&tables);

	for (uint32_t offset = 0; offset < MAPPED; offset += PAGE_SIZE)
		bench_map(&tables, root, RAM_BASE + offset, RAM_BASE + offset, 0);
	return (uint32_t)bench_lower(run_paged, rounds, BENCH_SUPERVISOR);
}
