/*
 * What the page tables of satp map, as runs of pages with the same rights (privileged specification, 4.3 to 4.6).
 * Tables are read while the guest runs, and believed in nothing: how many are read is bounded, and a picture that was
 * out of date for a moment does no harm.
 */
#include "frontend/debug/page_tables.h"
#include "frontend/window/machine_view_internal.h"

#define TABLES_MAX 2048u

#define RIGHTS (DEBUG_PTE_R | DEBUG_PTE_W | DEBUG_PTE_X | DEBUG_PTE_U)

struct look {
	struct bis_memory *memory;
	const struct debug_scheme *scheme;
	struct tables_sample *out;
	unsigned tables; /* read so far */
};

static void add_page(struct look *l, uint64_t va, uint64_t size, uint64_t pte)
{
	struct tables_sample *out = l->out;
	struct table_run *last = out->n_runs ? &out->runs[out->n_runs - 1] : NULL;
	uint8_t rights = pte & RIGHTS;

	out->pages += size >> BIS_PAGE_SHIFT;
	if (last && last->rights == rights && last->va + last->size == va)
		last->size += size;
	else if (out->n_runs < SAMPLE_RUNS)
		out->runs[out->n_runs++] = (struct table_run){.va = va, .size = size, .rights = rights};
	else
		out->more = true;
}

static void look_at_table(struct look *l, uint64_t pa, uint64_t va, unsigned level)
{
	const struct debug_scheme *s = l->scheme;
	uint8_t table[BIS_PAGE_SIZE];

	if (l->tables == TABLES_MAX) {
		l->out->more = true;
		return;
	}
	l->tables++;
	if (bis_mem_read(l->memory, (bis_gpa){pa}, table, sizeof(table)))
		return;
	for (unsigned i = 0; i < 1u << s->index_bits; i++) {
		uint64_t pte = debug_pte_at(s, table, i), at = debug_entry_address(s, va, level, i);

		if (debug_pte_is_page(pte))
			add_page(l, at, debug_entry_size(s, level), pte);
		else if (debug_pte_is_table(pte, level))
			look_at_table(l, debug_pte_target(s, pte), at, level - 1);
	}
}

void tables_look(struct bis_memory *m, unsigned xlen, uint64_t satp, struct tables_sample *out)
{
	struct look l = {.memory = m, .out = out};

	out->scheme = NULL;
	out->n_runs = 0;
	out->pages = 0;
	out->more = false;
	l.scheme = debug_scheme_of(xlen, satp, &out->root);
	if (!l.scheme)
		return;
	out->scheme = l.scheme->name;
	out->va_bits = l.scheme->va_bits;
	look_at_table(&l, out->root, 0, l.scheme->levels - 1);
}
