/*
 * gen.c - puts items together into stretches and a program, and keeps track of what the program has done.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gen.h"
#include "pages.h"

enum { STRETCH_INSNS = 200, IN_U = 1 << MODE_U, IN_S = 1 << MODE_S, IN_M = 1 << MODE_M, ANYWHERE = IN_U | IN_S | IN_M };

static const struct item_class {
	void (*emit)(struct gen *g);
	unsigned weight;
	unsigned modes;
	char needs; /* 0, or the extension letter it needs */
} classes[] = {
	{gen_plain, 400, ANYWHERE, 0},
	{gen_memory, 200, ANYWHERE, 0},
	{item_value, 80, ANYWHERE, 0},
	{item_float_load, 60, ANYWHERE, 'f'},
	{item_lr_sc, 15, ANYWHERE, 'a'},
	{item_branch, 60, ANYWHERE, 0},
	{item_jump, 20, ANYWHERE, 0},
	{item_jump_reg, 30, ANYWHERE, 0},
	{item_loop, 20, ANYWHERE, 0},
	{item_self_modify, 5, ANYWHERE, 0},
	{item_bad_fetch, 4, ANYWHERE, 0},
	{item_illegal, 10, ANYWHERE, 0},
	{item_system, 12, ANYWHERE, 0},
	{item_csr, 60, ANYWHERE, 0},
	{item_float_off, 4, IN_M | IN_S, 'f'},
	{item_float_state, 8, IN_M, 'f'},
	{item_lower_data, 6, IN_M, 0},
	{item_interrupt, 4, IN_M, 0},
	{item_sret, 6, IN_S, 0},
	{item_remap, 20, IN_M, 0},
};
enum { CLASSES = sizeof(classes) / sizeof(classes[0]) };

unsigned gen_reg(struct gen *g, uint32_t except)
{
	for (;;) {
		unsigned reg = 1 + rng_below(&g->rng, 31);

		if (!((except | g->reserved) >> reg & 1))
			return reg;
	}
}

void gen_wrote(struct gen *g, uint32_t regs)
{
	g->known &= ~regs;
	g->written |= regs;
}

void gen_li(struct gen *g, unsigned reg, uint64_t value)
{
	as_li(&g->code, reg, value);
	gen_wrote(g, (uint32_t)1 << reg);
	g->value[reg] = value;
	g->known |= (uint32_t)1 << reg;
}

void gen_raw(struct gen *g, const struct row *row, uint32_t raw)
{
	if (row->size == 2)
		as_half(&g->code, raw);
	else
		as_word(&g->code, raw);
	gen_wrote(g, table_writes(row, raw));
	g->drawn++;
}

bool gen_is_word_count(const struct row *row)
{
	return !strcmp(row->name, "ctzw");
}

static void draw_plain(struct gen *g, bool float_too)
{
	const struct row *row;
	uint32_t raw, writes;

	do {
		row = table_draw(&g->table, &g->rng, KIND_PLAIN);
		raw = table_encode(&g->table, row, &g->rng);
		writes = table_writes(row, raw);
		if (gen_is_word_count(row))
			writes |= (uint32_t)1 << table_base(row, raw);
	} while (writes & g->reserved || (!float_too && strchr("fd", row->ext[0])));
	if (gen_is_word_count(row) && table_base(row, raw)) { /* see masks.h */
		as_i(&g->code, I_ADDIW, table_base(row, raw), table_base(row, raw), 0);
		gen_wrote(g, (uint32_t)1 << table_base(row, raw));
	}
	gen_raw(g, row, raw);
}

void gen_plain(struct gen *g)
{
	draw_plain(g, true);
}

void gen_integer(struct gen *g)
{
	draw_plain(g, false);
}

void gen_simple(struct gen *g)
{
	unsigned n = rng_below(&g->rng, 10);

	if (n < 6)
		gen_plain(g);
	else if (n < 9)
		gen_memory(g);
	else
		item_value(g);
}

void gen_simples(struct gen *g, unsigned max)
{
	for (unsigned n = 1 + rng_below(&g->rng, max); n; n--)
		gen_simple(g);
}

/* Records everything emitted since from as one more item. */
static void add_item(struct gen *g, uint64_t from, enum mode mode, bool paging)
{
	if (g->item_count == g->item_cap) {
		g->item_cap = g->item_cap ? g->item_cap * 2 : 1024;
		g->items = realloc(g->items, g->item_cap * sizeof(*g->items));
		if (!g->items) {
			fputs("fuzz-diff: out of memory\n", stderr);
			exit(2);
		}
	}
	g->items[g->item_count++] = (struct item){from, as_here(&g->code), g->stretch, mode, paging};
}

/* Of programs that are to spend their time in loops. */
static const struct item_class hot_loop = {item_hot_loop, 0, ANYWHERE, 0};

static const struct item_class *choose_class(struct gen *g)
{
	if (g->loops && rng_chance(&g->rng, 20))
		return &hot_loop;
	for (;;) {
		const struct item_class *class = &classes[rng_below(&g->rng, CLASSES)];

		if (!(class->modes >> g->mode & 1) || (class->needs == 'f' && !g->isa->f) ||
		    (class->needs == 'a' && !g->isa->a))
			continue;
		if (rng_below(&g->rng, 400) < class->weight)
			return class;
	}
}

static enum mode choose_mode(struct gen *g)
{
	unsigned n = rng_below(&g->rng, 4);

	return n < 2 ? MODE_M : n == 2 ? MODE_S : MODE_U;
}

/* One stretch, or as much of it as stop allows. Starts and ends in M-mode. */
static void emit_stretch(struct gen *g, size_t stop)
{
	size_t end = g->drawn + STRETCH_INSNS;
	enum mode mode = choose_mode(g);
	uint64_t from = as_here(&g->code);

	if (mode != MODE_M) {
		gen_enter(g, mode);
		add_item(g, from, MODE_M, false);
	}
	while (g->drawn < end && g->item_count < stop) {
		bool paging = g->paging;

		mode = g->mode;
		from = as_here(&g->code);
		choose_class(g)->emit(g);
		add_item(g, from, mode, paging);
	}
	mode = g->mode;
	from = as_here(&g->code);
	if (mode != MODE_M) {
		bool paging = g->paging;

		gen_leave(g);
		add_item(g, from, mode, paging);
	}
}

void gen_start(struct gen *g, const struct isa *isa, uint64_t seed)
{
	memset(g, 0, sizeof(*g));
	g->isa = isa;
	g->rng.state = seed;
	g->code.xlen = isa->xlen;
	g->mode = MODE_M;
	table_load(&g->table, isa);
	g->data = malloc(DATA_END - DATA);
	if (!g->data) {
		fputs("fuzz-diff: out of memory\n", stderr);
		exit(2);
	}
	runtime_data(g->data, &g->rng);
	pages_data(g->data, isa, &g->rng);
	runtime_start(&g->rt, &g->code, isa, &g->rng);
}

void gen_program(struct gen *g, const struct isa *isa, uint64_t seed, size_t count, size_t stop, bool loops)
{
	gen_start(g, isa, seed);
	g->loops = loops;
	while (g->drawn < count && g->item_count < stop && g->stretch < DIGESTS_MAX - 1) {
		emit_stretch(g, stop);
		if (g->item_count < stop)
			runtime_fold(&g->rt, &g->code);
		g->stretch++;
	}
	runtime_finish(&g->rt, &g->code);
}

void gen_free(struct gen *g)
{
	table_free(&g->table);
	free(g->code.bytes);
	free(g->data);
	free(g->items);
}
