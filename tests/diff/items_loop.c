/*
 * items_loop.c - hot loops: nested, with branches that go both ways, calls, and accesses through pointers that walk
 * over the memory window, over pages that trap, or over pages that are mapped one way and then another. The pointers
 * stay where no access can harm the program itself.
 */
#include "gen.h"
#include "pages.h"

enum { POINTERS = 3, DEPTH_MAX = 3, LEAF = RA, REACH = 3800 /* of a branch, bytes */ };

/* Registers of a nest of loops; all are reserved while it lasts. */
struct nest {
	unsigned pointer[POINTERS], index, region; /* pointer 0 is region + index, which wraps */
	unsigned counter[DEPTH_MAX];
	unsigned index_bits;
	unsigned depth;
	uint64_t leaf;
};

static unsigned reserve(struct gen *g, unsigned reg)
{
	g->reserved |= (uint32_t)1 << reg;
	return reg;
}

/* Compressed accesses have these alone as base. */
static unsigned reserve_pointer(struct gen *g)
{
	for (;;) {
		unsigned reg = 8 + rng_below(&g->rng, 8);

		if (!(g->reserved >> reg & 1))
			return reserve(g, reg);
	}
}

static void walk_access(struct gen *g, struct nest *n, bool any)
{
	unsigned base = n->pointer[rng_below(&g->rng, rng_chance(&g->rng, 50) ? 1 : POINTERS)];
	const struct row *row;
	uint32_t raw;

	do {
		row = table_draw(&g->table, &g->rng, KIND_MEMORY);
		raw = table_set_base(row, table_encode(&g->table, row, &g->rng), base);
	} while (table_base(row, raw) != base || (table_writes(row, raw) & g->reserved) ||
		 (!any && (table_writes_float(row) || row->ext[0] == 'a')));
	gen_raw(g, row, raw);
}

static void step_index(struct gen *g, const struct nest *n)
{
	static const int steps[] = {1, 2, 4, 8, 8, 8, 16, -8, -4, 64, 72, 2040, -2048};
	int unused = (int)(g->isa->xlen - n->index_bits);

	as_i(&g->code, I_ADDI, n->index, n->index, steps[rng_below(&g->rng, sizeof(steps) / sizeof(steps[0]))]);
	as_i(&g->code, I_SLLI, n->index, n->index, unused);
	as_i(&g->code, I_SRLI, n->index, n->index, unused);
	as_r(&g->code, R_ADD, n->pointer[0], n->region, n->index);
}

/* Over a few instructions or not, by some bits of the counter or of what the loop has computed. */
static void branch_by_bits(struct gen *g, unsigned counter)
{
	unsigned from = rng_chance(&g->rng, 60) ? counter : rng_below(&g->rng, 32), bits = gen_reg(g, 0);
	uint64_t at;

	as_i(&g->code, I_ANDI, bits, from, (int)rng_below(&g->rng, 8));
	gen_wrote(g, (uint32_t)1 << bits);
	at = as_here(&g->code);
	as_branch(&g->code, rng_chance(&g->rng, 50) ? B_BEQ : B_BNE, bits, ZERO, at);
	gen_simples(g, 4);
	as_patch_branch(&g->code, at);
	g->known = 0;
}

/* Code of integers with hardly a way out, too long for a loop to be one trace. */
static void emit_straight(struct gen *g, struct nest *n, unsigned counter)
{
	for (unsigned left = 70 + rng_below(&g->rng, 200); left; left--) {
		unsigned k = rng_below(&g->rng, 100);

		if (k < 80)
			gen_integer(g);
		else if (k < 97)
			walk_access(g, n, false);
		else if (k < 99)
			step_index(g, n);
		else
			branch_by_bits(g, counter);
	}
}

static void emit_loop(struct gen *g, struct nest *n);

static void emit_piece(struct gen *g, struct nest *n, unsigned counter)
{
	unsigned k = rng_below(&g->rng, 200);

	if (k < 80)
		walk_access(g, n, true);
	else if (k < 115)
		gen_plain(g);
	else if (k < 135)
		item_branch(g);
	else if (k < 150)
		branch_by_bits(g, counter);
	else if (k < 158)
		step_index(g, n);
	else if (k < 166)
		gen_memory(g);
	else if (k < 172)
		as_far_call(&g->code, LEAF, n->leaf);
	else if (k < 178)
		item_float_load(g);
	else if (k < 181)
		item_jump_reg(g);
	else if (k < 184 && g->isa->a)
		item_lr_sc(g);
	else if (k < 188)
		item_csr(g);
	else if (k == 188)
		item_system(g);
	else if (k == 189)
		item_illegal(g);
	else if (k == 190 && n->depth == 1)
		item_self_modify(g);
	else if (k == 191 && g->mode == MODE_M)
		item_remap(g);
	else if (k > 192 && n->depth < DEPTH_MAX)
		emit_loop(g, n);
}

/* Back to `again` while the counter is not zero. */
static void go_back(struct gen *g, unsigned counter, uint64_t again)
{
	uint64_t at = as_here(&g->code);

	as_i(&g->code, I_ADDI, counter, counter, -1);
	if (at - again < REACH) {
		as_branch(&g->code, B_BNE, counter, ZERO, again);
		return;
	}
	at = as_here(&g->code);
	as_branch(&g->code, B_BEQ, counter, ZERO, at);
	as_jump(&g->code, ZERO, again);
	as_patch_branch(&g->code, at);
}

static void emit_loop(struct gen *g, struct nest *n)
{
	static const unsigned turns[DEPTH_MAX] = {200, 8, 4};
	unsigned counter = n->counter[n->depth], pieces = 2 + rng_below(&g->rng, 24 / (n->depth + 1));
	uint64_t again;

	as_li(&g->code, counter, 2 + rng_below(&g->rng, turns[n->depth]));
	n->depth++;
	g->known = 0;
	again = as_here(&g->code);
	if (n->depth == 1 && rng_chance(&g->rng, 30)) {
		emit_straight(g, n, counter);
		pieces = 0;
	}
	for (; pieces; pieces--)
		emit_piece(g, n, counter);
	if (rng_chance(&g->rng, 85))
		step_index(g, n);
	for (unsigned i = 1; i < POINTERS; i++)
		if (n->depth == 1 && rng_chance(&g->rng, 50)) /* 200 turns stay within a page */
			as_i(&g->code, I_ADDI, n->pointer[i], n->pointer[i], 16 - (int)rng_below(&g->rng, 33));
	go_back(g, counter, again);
	n->depth--;
	g->known = 0;
}

/* A function that the loop may call, jumped over. */
static void emit_leaf(struct gen *g, struct nest *n)
{
	uint64_t over = as_here(&g->code);

	as_jump(&g->code, ZERO, over);
	n->leaf = as_here(&g->code);
	gen_simples(g, 6);
	as_i(&g->code, I_JALR, ZERO, LEAF, 0);
	as_patch_jump(&g->code, over);
	g->known = 0;
}

static void point(struct gen *g, struct nest *n)
{
	bool aliased = g->paging && rng_chance(&g->rng, 70);

	n->index_bits = aliased ? 17 : 12 + rng_below(&g->rng, 2);
	as_li(&g->code, n->region, aliased ? ALIAS : PAGE_RW);
	as_li(&g->code, n->index, rng_below(&g->rng, PAGE));
	as_r(&g->code, R_ADD, n->pointer[0], n->region, n->index);
	for (unsigned i = 1; i < POINTERS; i++) {
		uint64_t middle = rng_chance(&g->rng, 70) ? PAGE_RW : PAGE_NONE; /* with what lies around it */

		if (g->paging && rng_chance(&g->rng, 50))
			middle = ALIAS + ALIASES / 2 * PAGE;
		as_li(&g->code, n->pointer[i], middle + rng_below(&g->rng, PAGE));
	}
}

void item_hot_loop(struct gen *g)
{
	uint32_t reserved = g->reserved;
	struct nest n = {0};

	reserve(g, LEAF);
	for (unsigned i = 0; i < POINTERS; i++)
		n.pointer[i] = reserve_pointer(g);
	n.index = reserve(g, gen_reg(g, 0));
	n.region = reserve(g, gen_reg(g, 0));
	for (unsigned i = 0; i < DEPTH_MAX; i++)
		n.counter[i] = reserve(g, gen_reg(g, 0));
	g->known = 0;
	emit_leaf(g, &n);
	point(g, &n);
	emit_loop(g, &n);
	g->reserved = reserved;
	g->known = 0;
}
