/*
 * items_memory.c - loads, stores and atomics on the memory window and on the pages around it, values for registers.
 */
#include "gen.h"
#include "pages.h"

/*
 * An address for an access of an instruction that wants align: mostly in the window, sometimes where it traps. Accesses
 * cross the end of a page only where each part is checked alone: see masks.h.
 */
static uint64_t choose_address(struct gen *g, unsigned align)
{
	uint64_t offset = rng_below(&g->rng, PAGE - 7);
	uint64_t crossing = PAGE - 1 - rng_below(&g->rng, 7);
	bool cross = align == 1 && rng_chance(&g->rng, 5);
	unsigned n = rng_below(&g->rng, 100);

	if (align > 1)
		offset &= ~(uint64_t)(align - 1);
	else if (rng_chance(&g->rng, 75))
		offset &= ~(uint64_t)7;
	if (n < 3)
		return PAGE_RO + offset;
	if (align > 1)
		return PAGE_RW + offset;
	if (g->paging && rng_chance(&g->rng, 40)) {
		unsigned alias = rng_below(&g->rng, ALIASES);

		return ALIAS + alias * PAGE + (cross && pages_alias_is_plain(alias) ? crossing : offset);
	}
	if (n < 5)
		return cross ? PAGE_NONE - PAGE + crossing : PAGE_NONE + offset;
	if (n < (g->lower_data ? 50 : 8))
		return cross && !g->paging && (g->lower_data || g->mode != MODE_M) ? PAGE_M - PAGE + crossing
										   : PAGE_M + offset;
	if (n == 50)
		return UNMAPPED + (offset & ~(uint64_t)7);
	return PAGE_RW + (cross ? crossing : offset);
}

/* A register already known to hold an address from which raw accesses the window; 0 if none. */
static unsigned find_base(struct gen *g, const struct row *row, uint32_t raw)
{
	unsigned start = rng_below(&g->rng, 32);
	unsigned align = table_alignment(row);

	for (unsigned i = 0; i < 32; i++) {
		unsigned reg = (start + i) % 32;
		uint64_t at = g->value[reg] + (uint64_t)table_offset(row, raw);

		if (!(g->known >> reg & 1) || at < PAGE_RW || at >= PAGE_RW + PAGE || at % align)
			continue;
		if (table_base(row, table_set_base(row, raw, reg)) == reg)
			return reg;
	}
	return 0;
}

void gen_memory(struct gen *g)
{
	const struct row *row;
	uint32_t raw;
	unsigned base = 0;

	do {
		row = table_draw(&g->table, &g->rng, KIND_MEMORY);
		raw = table_encode(&g->table, row, &g->rng);
		raw = table_set_base(row, raw, 8 + rng_below(&g->rng, 8));
	} while ((table_writes(row, raw) | (uint32_t)1 << table_base(row, raw)) & g->reserved);
	if (rng_chance(&g->rng, 70))
		base = find_base(g, row, raw);
	if (base) {
		raw = table_set_base(row, raw, base);
	} else {
		uint64_t at = choose_address(g, table_alignment(row));

		gen_li(g, table_base(row, raw), at - (uint64_t)table_offset(row, raw));
	}
	gen_raw(g, row, raw);
}

void item_value(struct gen *g)
{
	gen_li(g, gen_reg(g, 0), rng_value(&g->rng));
}

/* New operands for the floating-point registers, which otherwise all become NaNs. */
void item_float_load(struct gen *g)
{
	const struct row *row = table_find(&g->table, g->isa->d && rng_chance(&g->rng, 80) ? "fld" : "flw");
	unsigned base = gen_reg(g, 0);

	gen_li(g, base, POOL + 0x800);
	for (unsigned n = 2 + rng_below(&g->rng, 4); n; n--) {
		uint32_t raw = table_encode(&g->table, row, &g->rng);

		raw &= ~(uint32_t)0x700000; /* aligned to 8 */
		gen_raw(g, row, table_set_base(row, raw, base));
	}
}

static uint32_t set_fields(uint32_t raw, unsigned rd, unsigned rs1, unsigned rs2)
{
	return (raw & 0xfe00707f) | rd << 7 | rs1 << 15 | rs2 << 20;
}

/*
 * A load-reserved and store-conditional loop that must succeed in the end, whatever fails spuriously (unprivileged
 * specification, "Eventual Success of Store-Conditional Instructions"), then one store-conditional that must fail.
 */
void item_lr_sc(struct gen *g)
{
	bool wide = g->isa->xlen == 64 && rng_chance(&g->rng, 50);
	const struct row *lr = table_find(&g->table, wide ? "lr_d" : "lr_w");
	const struct row *sc = table_find(&g->table, wide ? "sc_d" : "sc_w");
	unsigned base = gen_reg(g, 0);
	unsigned old = gen_reg(g, (uint32_t)1 << base);
	unsigned new = gen_reg(g, (uint32_t)1 << base);
	unsigned failed = gen_reg(g, (uint32_t)1 << base | (uint32_t)1 << new);
	uint64_t again;

	gen_li(g, base, PAGE_RW + (rng_below(&g->rng, PAGE) & ~7u));
	again = as_here(&g->code);
	gen_raw(g, lr, set_fields(table_encode(&g->table, lr, &g->rng), old, base, 0));
	as_i(&g->code, I_ADDI, new, old, (int)rng_below(&g->rng, 4096) - 2048);
	gen_wrote(g, (uint32_t)1 << new);
	gen_raw(g, sc, set_fields(table_encode(&g->table, sc, &g->rng), failed, base, new));
	as_branch(&g->code, B_BNE, failed, ZERO, again);
	if (rng_chance(&g->rng, 50))
		gen_raw(g, sc, set_fields(table_encode(&g->table, sc, &g->rng), failed, base, new));
}
