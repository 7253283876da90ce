/*
 * items_flow.c - branches, jumps, loops, code that changes itself, fetches that fault. Jumps go forward over a few
 * instructions; only counted loops go back.
 */
#include "gen.h"

/* Instructions that may be jumped over: nothing they set is known afterwards. */
static void emit_skippable(struct gen *g, unsigned max)
{
	uint32_t known = g->known, written = g->written;

	g->written = 0;
	gen_simples(g, max);
	g->known = known & ~g->written;
	g->written |= written;
}

/* Without compressed instructions, sometimes a target that is not on an instruction boundary. */
static int misalign(struct gen *g)
{
	return !g->isa->c && rng_chance(&g->rng, 5) ? 2 : 0;
}

static void emit_forward(struct gen *g, enum kind kind)
{
	const struct row *row;
	uint64_t at = as_here(&g->code);
	uint32_t raw;

	do {
		row = table_draw(&g->table, &g->rng, (int)kind);
		raw = table_encode(&g->table, row, &g->rng);
	} while (table_writes(row, raw) & g->reserved);
	gen_raw(g, row, raw);
	emit_skippable(g, 5);
	raw = table_set_target(row, raw, (int)(as_here(&g->code) - at) + misalign(g));
	as_patch_bytes(&g->code, at, raw, row->size);
}

void item_branch(struct gen *g)
{
	emit_forward(g, KIND_BRANCH);
}

void item_jump(struct gen *g)
{
	emit_forward(g, KIND_JUMP);
}

void item_jump_reg(struct gen *g)
{
	const struct row *row = table_draw(&g->table, &g->rng, KIND_JUMP_REG);
	unsigned base = gen_reg(g, 0);
	uint32_t raw = table_set_base(row, table_encode(&g->table, row, &g->rng), base);
	uint64_t la = as_here(&g->code);
	int odd; /* jalr clears bit 0 of the sum */

	if (table_writes(row, raw) & g->reserved)
		return;
	odd = (int)rng_below(&g->rng, 2);
	if (row->size == 4)
		raw &= ~((uint32_t)1 << 20); /* an even offset */
	as_la(&g->code, base, la);
	gen_wrote(g, (uint32_t)1 << base);
	gen_raw(g, row, raw);
	emit_skippable(g, 4);
	as_patch_la(&g->code, la, odd + misalign(g) - (row->size == 4 ? (int32_t)raw >> 20 : 0));
}

void item_loop(struct gen *g)
{
	unsigned counter = gen_reg(g, 0);
	uint64_t again;
	size_t before;

	gen_li(g, counter, 2 + rng_below(&g->rng, 5));
	gen_wrote(g, (uint32_t)1 << counter);
	g->known = 0; /* the second time round, registers differ from the first */
	g->reserved |= (uint32_t)1 << counter;
	again = as_here(&g->code);
	before = g->code.len;
	gen_simples(g, 6);
	g->reserved &= ~((uint32_t)1 << counter);
	as_i(&g->code, I_ADDI, counter, counter, -1);
	if (g->isa->c && counter >= 8 && counter < 16 && g->code.len - before < 250) {
		const struct row *bnez = table_find(&g->table, "c_bnez");
		uint32_t raw = bnez->match | (counter - 8) << 7;

		gen_raw(g, bnez, table_set_target(bnez, raw, (int)(again - as_here(&g->code))));
	} else {
		as_branch(&g->code, B_BNE, counter, ZERO, again);
	}
	g->known = 0;
}

/* A loop replaces an instruction of its own by another and back, so that each has run from the same place before. */
void item_self_modify(struct gen *g)
{
	unsigned counter = gen_reg(g, 0);
	unsigned address = gen_reg(g, (uint32_t)1 << counter);
	unsigned code = gen_reg(g, (uint32_t)1 << counter | (uint32_t)1 << address);
	unsigned change = gen_reg(g, (uint32_t)1 << counter | (uint32_t)1 << address | (uint32_t)1 << code);
	uint32_t own = (uint32_t)1 << counter | (uint32_t)1 << address | (uint32_t)1 << code | (uint32_t)1 << change;
	const struct row *row[2];
	uint32_t raw[2];
	uint64_t la, slot;

	if (!g->isa->zifencei)
		return;
	for (int i = 0; i < 2; i++) {
		do {
			row[i] = table_draw(&g->table, &g->rng, KIND_PLAIN);
			raw[i] = table_encode(&g->table, row[i], &g->rng);
		} while (row[i]->size != 4 || (table_writes(row[i], raw[i]) & (own | g->reserved)) ||
			 gen_is_word_count(row[i]));
	}
	gen_li(g, counter, 4 + rng_below(&g->rng, 2));
	gen_li(g, code, raw[1]);
	gen_li(g, change, raw[0] ^ raw[1]);
	la = as_here(&g->code);
	as_la(&g->code, address, la);
	slot = as_here(&g->code);
	as_patch_la(&g->code, la, 0);
	gen_raw(g, row[0], raw[0]);
	as_s(&g->code, S_SW, code, address, 0);
	as_r(&g->code, R_XOR, code, code, change);
	as_word(&g->code, W_FENCE_I);
	as_i(&g->code, I_ADDI, counter, counter, -1);
	as_branch(&g->code, B_BNE, counter, ZERO, slot);
	gen_wrote(g, own | table_writes(row[1], raw[1]));
}

/* A jump to where nothing can be fetched; the trap handler resumes behind it. */
void item_bad_fetch(struct gen *g)
{
	static const uint64_t pages[] = {PAGE_NONE, PAGE_RO, UNMAPPED, PAGE_M};
	unsigned vars = gen_reg(g, 0);
	unsigned target = gen_reg(g, (uint32_t)1 << vars);
	unsigned link = rng_below(&g->rng, 2) ? gen_reg(g, 0) : 0;
	uint64_t address = pages[rng_below(&g->rng, g->mode == MODE_M ? 3 : 4)] + (rng_below(&g->rng, PAGE) & ~3u);
	uint64_t la;

	if (g->isa->c && rng_chance(&g->rng, 30)) { /* the second half of an instruction is what cannot be fetched */
		address = PAGE_NONE - 2;
		gen_li(g, target, address);
		gen_li(g, vars, rng_next(&g->rng) | 3);
		as_s(&g->code, S_SH, vars, target, 0);
	}
	gen_li(g, vars, VARS);
	la = as_here(&g->code);
	as_la(&g->code, target, la);
	as_store(&g->code, target, vars, VAR_RECOVER);
	gen_li(g, target, address);
	as_i(&g->code, I_JALR, link, target, 0);
	as_patch_la(&g->code, la, 0);
	gen_wrote(g, (uint32_t)1 << vars | (uint32_t)1 << target | (uint32_t)1 << link);
}
