/* Panels of the machine view: traps and interrupts, RAM, page tables. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "frontend/window/machine_view_internal.h"

/* --- Numbers --- */

static void put_rate(double rate, char *buf, size_t size)
{
	if (rate <= 0)
		snprintf(buf, size, "·");
	else if (rate < 10)
		snprintf(buf, size, "%.1f/s", rate);
	else if (rate < 10000)
		snprintf(buf, size, "%.0f/s", rate);
	else if (rate < 1e7)
		snprintf(buf, size, "%.0fk/s", rate / 1e3);
	else
		snprintf(buf, size, "%.0fM/s", rate / 1e6);
}

static void put_size(uint64_t size, char *buf, size_t room)
{
	static const char units[] = "KMGTP";
	unsigned unit = 0;
	double value = (double)size / 1024;

	for (; value >= 1024 && unit < 4; unit++)
		value /= 1024;
	snprintf(buf, room, "%.*f %ciB", value < 100 && value != floor(value) ? 1 : 0, value, units[unit]);
}

void pen_rate(const struct pen *p, int right, int y, double rate)
{
	char text[24];

	put_rate(rate, text, sizeof(text));
	pen_format(p, right - 7 * p->cw, y, 7, rate > 0 ? COLOR_BRIGHT : COLOR_DIM, "%*s", 7 + (rate > 0 ? 0 : 1),
		   text);
}

/* From one a second to ten millions. */
static int bar_length(double rate, int room)
{
	double part = rate > 0 ? log10(1 + rate) / 7 : 0;

	return (int)((part < 1 ? part : 1) * room);
}

/* A name, a bar and a rate in one line. */
static void draw_rate(const struct pen *p, const SDL_Rect *in, int y, const char *name, int name_cells, double rate,
		      uint32_t color)
{
	int x = in->x + (name_cells + 1) * p->cw, room = in->w - (name_cells + 9) * p->cw;
	int thick = p->ch * 2 / 5, inset = (p->ch - thick) / 2;

	pen_text(p, in->x, y, name_cells, rate > 0 ? COLOR_TEXT : COLOR_DIM, name);
	if (room > p->cw) {
		pen_fill(p, x, y + inset, room, thick, 0x20252d);
		pen_fill(p, x, y + inset, bar_length(rate, room), thick, color);
	}
	pen_rate(p, in->x + in->w, y, rate);
}

/* --- Traps --- */

struct cause_line {
	const char *name;
	char number[16];
	double rate;
	uint32_t color;
};

/* Causes that have come, interrupts first. */
static size_t list_causes(const struct sample *s, struct cause_line *lines, size_t max)
{
	size_t n = 0;

	for (unsigned kind = 0; kind < 2; kind++)
		for (unsigned c = 0; c < SAMPLE_CAUSES && n < max; c++) {
			uint64_t count = 0;

			for (unsigned i = 0; i < s->n_harts; i++)
				count += kind ? s->harts[i].counters.traps[c] : s->harts[i].counters.interrupts[c];
			if (!count)
				continue;
			lines[n] = (struct cause_line){.rate = kind ? s->traps[c] : s->interrupts[c],
						       .color = kind ? 0xa8665a : 0x5a7ea8};
			lines[n].name = kind ? debug_trap_name(c) : debug_interrupt_name(c);
			snprintf(lines[n].number, sizeof(lines[n].number), "%s %u", kind ? "trap" : "interrupt", c);
			n++;
		}
	return n;
}

size_t panel_traps_lines(const struct machine_view *v)
{
	struct cause_line lines[2 * SAMPLE_CAUSES];

	return list_causes(&v->now, lines, BIS_ARRAY_SIZE(lines));
}

static void draw_more(const struct pen *p, const SDL_Rect *in, int y, size_t n)
{
	pen_format(p, in->x, y, in->w / p->cw, COLOR_DIM, "and %zu more", n);
}

void panel_traps(const struct machine_view *v, const struct pen *p, const SDL_Rect *rect)
{
	SDL_Rect in = pen_card(p, rect, "Interrupts and traps");
	int row = pen_row(p);
	struct cause_line lines[2 * SAMPLE_CAUSES];
	size_t n = list_causes(&v->now, lines, BIS_ARRAY_SIZE(lines)), rows = (size_t)(in.h > 0 ? in.h / row : 0);

	if (!n)
		pen_text(p, in.x, in.y, in.w / p->cw, COLOR_DIM, "none so far");
	for (size_t i = 0; i < n && i < rows; i++) {
		int y = in.y + (int)i * row;

		if (i + 1 == rows && n > rows) {
			draw_more(p, &in, y, n - i);
			break;
		}
		draw_rate(p, &in, y, lines[i].name ? lines[i].name : lines[i].number, 16, lines[i].rate,
			  lines[i].color);
	}
}

/* --- RAM --- */

static uint32_t cell_color(const struct memory_cell *c)
{
	uint32_t calm = c->filled ? pen_mix(0x2c3a4d, 0x56749b, c->filled) : 0x20252d;

	return c->heat ? pen_mix(calm, 0xe8b45c, c->heat) : calm;
}

/* How the cells lie: as many to a line as make addresses round, each region on lines of its own. */
struct grid {
	int columns, rows, width, height, gap;
	SDL_Rect in; /* room for them, with the addresses on the left */
	int left;    /* where cells begin */
};

static int rows_of(const struct memory_sample *m, int columns)
{
	int rows = 0;

	for (unsigned i = 0; i < m->n_regions; i++)
		rows += (int)((m->regions[i].cells + (unsigned)columns - 1) / (unsigned)columns);
	return rows;
}

/* A power of two of columns, with cells as near to squares as that allows. */
static bool lay_out(const struct pen *p, const struct memory_sample *m, const SDL_Rect *in, int most, struct grid *out)
{
	int labels = 11 * p->cw, least = pen_points(p, 3);
	double best = 0;

	for (int columns = 8; columns <= 256; columns *= 2) {
		struct grid g = {.columns = columns, .rows = rows_of(m, columns), .in = *in, .left = in->x + labels};
		double shape;

		g.width = (in->w - labels) / columns;
		g.height = g.rows ? in->h / g.rows : 0;
		g.height = g.height < most ? g.height : most;
		if (g.width < least || g.height < least)
			continue;
		g.width = g.width < g.height * 2 ? g.width : g.height * 2;
		g.height = g.height < g.width * 2 ? g.height : g.width * 2;
		shape = (double)g.width * g.height * columns * g.rows; /* as much of the room as can be */
		if (shape < best * 1.05)
			continue;
		best = shape;
		*out = g;
	}
	out->gap = best > 0 && out->width > 4 && out->height > 4 ? pen_points(p, 1) : 0;
	return best > 0;
}

/* A colour and what it means; where it ends. */
static int pen_legend(const struct pen *p, int x, int y, uint32_t color, const char *meaning)
{
	int side = p->ch / 2;

	pen_fill(p, x, y + (p->ch - side) / 2, side, side, color);
	return pen_text(p, x + side + p->cw * 2 / 3, y, 20, COLOR_DIM, meaning) + 2 * p->cw;
}

/* What is below the pointer, in words. */
static void describe_cell(const struct machine_view *v, const struct pen *p, const SDL_Rect *in, int y, int cell)
{
	const struct memory_sample *m = &v->now.memory;
	char size[24];
	int x;

	put_size(m->cell_size, size, sizeof(size));
	for (unsigned i = 0; cell >= 0 && i < m->n_regions; i++) {
		const struct region_sample *r = &m->regions[i];
		uint64_t from = r->base + ((unsigned)cell - r->first) * m->cell_size;

		if ((unsigned)cell < r->first || (unsigned)cell - r->first >= r->cells)
			continue;
		pen_format(p, in->x + 11 * p->cw, y, in->w / p->cw - 11, COLOR_TEXT,
			   "%s  0x%" PRIx64 " - 0x%" PRIx64 "  %s", r->name, from, from + m->cell_size - 1,
			   m->cells[cell].heat	   ? "written just now"
			   : m->cells[cell].filled ? "in use"
						   : "zero");
		return;
	}
	x = pen_format(p, in->x + 11 * p->cw, y, in->w / p->cw - 11, COLOR_DIM, "%s each", size) + 3 * p->cw;
	x = pen_legend(p, x, y, 0x20252d, "zero");
	x = pen_legend(p, x, y, 0x56749b, "in use");
	pen_legend(p, x, y, 0xe8b45c, "written");
}

/* The address of every so many lines. */
static void label_row(const struct pen *p, const struct grid *g, int row, int row_in_region, uint64_t address)
{
	int every = 1;

	while (every * g->height < p->ch * 3 / 2)
		every *= 2;
	if (row_in_region % every == 0)
		pen_format(p, g->in.x, g->in.y + row * g->height + (g->height - g->gap - p->ch) / 2, 10, COLOR_DIM,
			   "%10" PRIx64, address);
}

/* Cells of a region from line `row` on; the one below the pointer, or -1. */
static int draw_region(const struct machine_view *v, const struct pen *p, const struct grid *g,
		       const struct region_sample *r, int row)
{
	const struct memory_sample *m = &v->now.memory;
	int under = -1;

	for (unsigned i = 0; i < r->cells; i++) {
		int column = (int)(i % (unsigned)g->columns), line = (int)(i / (unsigned)g->columns);
		SDL_Rect cell = {g->left + column * g->width, g->in.y + (row + line) * g->height, g->width, g->height};

		if (!column)
			label_row(p, g, row + line, line, r->base + i * m->cell_size);
		pen_fill(p, cell.x, cell.y, cell.w - g->gap, cell.h - g->gap, cell_color(&m->cells[r->first + i]));
		if (pen_over(&cell, v->pointer_x, v->pointer_y))
			under = (int)(r->first + i);
	}
	return under;
}

void panel_memory(const struct machine_view *v, const struct pen *p, const SDL_Rect *rect)
{
	const struct memory_sample *m = &v->now.memory;
	SDL_Rect in = pen_card(p, rect, "Memory"), cells = in;
	int under = -1, row = 0;
	struct grid g = {0};

	cells.h -= p->ch + pen_points(p, 8);
	if (!lay_out(p, m, &cells, pen_points(p, 18), &g))
		return;
	for (unsigned i = 0; i < m->n_regions; i++) {
		int found = draw_region(v, p, &g, &m->regions[i], row);

		under = found >= 0 ? found : under;
		row += (int)((m->regions[i].cells + (unsigned)g.columns - 1) / (unsigned)g.columns);
	}
	describe_cell(v, p, &in, in.y + in.h - p->ch, under);
}

/* --- Page tables --- */

enum { RIGHT_R = 2, RIGHT_W = 4, RIGHT_X = 8, RIGHT_U = 16 };

/* Code green, data amber, what is read only blue, all at once red; the user's brighter. */
static uint32_t run_color(uint8_t rights)
{
	uint32_t base = (rights & RIGHT_X) && (rights & RIGHT_W) ? 0xb0525a
			: rights & RIGHT_X			 ? 0x6a9a5c
			: rights & RIGHT_W			 ? 0xb08d4c
								 : 0x4f7fae;

	return rights & RIGHT_U ? pen_mix(base, 0xffffff, 60) : base;
}

/* Larger runs are wider, but not in proportion: they differ by a factor of millions. */
static int run_width(const struct pen *p, const struct table_run *r)
{
	return pen_points(p, 4 + 2.2 * log2((double)(r->size >> BIS_PAGE_SHIFT)));
}

struct mosaic {
	const struct machine_view *v;
	const struct pen *p;
	SDL_Rect in; /* room for the blocks */
	int x, y, row;
	const struct table_run *under; /* the pointer */
	size_t left_out;
};

static bool is_upper(const struct machine_view *v, const struct table_run *r)
{
	return r->va >> (v->now.xlen - 1) & 1;
}

static void draw_run(struct mosaic *m, const struct table_run *r)
{
	int width = run_width(m->p, r), gap = pen_points(m->p, 2);
	SDL_Rect block;

	if (m->x > m->in.x && m->x + width > m->in.x + m->in.w) {
		m->x = m->in.x;
		m->y += m->row + gap;
	}
	if (m->y + m->row > m->in.y + m->in.h) {
		m->left_out++;
		return;
	}
	block = (SDL_Rect){m->x, m->y, width, m->row};
	pen_fill(m->p, block.x, block.y, block.w, block.h, run_color(r->rights));
	if (pen_over(&block, m->v->pointer_x, m->v->pointer_y)) {
		m->under = r;
		pen_fill(m->p, block.x, block.y + block.h - gap, block.w, gap, COLOR_BRIGHT);
	}
	m->x += width + gap;
}

/* One half of the address space, with its first address. */
static void draw_half(struct mosaic *m, bool upper)
{
	const struct tables_sample *t = &m->v->now.tables;
	bool any = false;

	for (size_t i = 0; i < t->n_runs; i++) {
		if (is_upper(m->v, &t->runs[i]) != upper)
			continue;
		if (!any && m->y + m->p->ch + m->row <= m->in.y + m->in.h) {
			pen_format(m->p, m->in.x, m->y, m->in.w / m->p->cw, COLOR_DIM, "%s half, from %0*" PRIx64,
				   upper ? "upper" : "lower", (int)m->v->now.xlen / 4, t->runs[i].va);
			m->y += m->p->ch + pen_points(m->p, 2);
		}
		any = true;
		draw_run(m, &t->runs[i]);
	}
	if (any) {
		m->x = m->in.x;
		m->y += m->row + pen_points(m->p, 6);
	}
}

static void describe_run(const struct mosaic *m, int y)
{
	const struct table_run *r = m->under;
	const struct pen *p = m->p;
	static const struct {
		const char *name;
		uint8_t rights;
	} legend[] = {{"r", RIGHT_R},
		      {"rw", RIGHT_R | RIGHT_W},
		      {"rx", RIGHT_R | RIGHT_X},
		      {"rwx", RIGHT_R | RIGHT_W | RIGHT_X},
		      {"user's: brighter", RIGHT_U | RIGHT_R}};
	int x = m->in.x;

	if (r) {
		char size[24];

		put_size(r->size, size, sizeof(size));
		pen_format(p, x, y, m->in.w / p->cw, COLOR_TEXT, "%0*" PRIx64 " %c%c%c%c %s", (int)m->v->now.xlen / 4,
			   r->va, r->rights & RIGHT_R ? 'r' : '-', r->rights & RIGHT_W ? 'w' : '-',
			   r->rights & RIGHT_X ? 'x' : '-', r->rights & RIGHT_U ? 'u' : '-', size);
		return;
	}
	for (size_t i = 0; i < BIS_ARRAY_SIZE(legend); i++) {
		if (x + ((int)strlen(legend[i].name) + 2) * p->cw > m->in.x + m->in.w)
			break;
		x = pen_legend(p, x, y, run_color(legend[i].rights), legend[i].name);
	}
}

void panel_tables(const struct machine_view *v, const struct pen *p, const SDL_Rect *rect)
{
	const struct tables_sample *t = &v->now.tables;
	struct mosaic m = {.v = v, .p = p, .row = pen_points(p, 14)};
	char title[64], size[24];

	put_size(t->pages << BIS_PAGE_SHIFT, size, sizeof(size));
	if (t->scheme)
		snprintf(title, sizeof(title), "Page tables: %s, %s in %zu%s runs", t->scheme, size, t->n_runs,
			 t->more ? "+" : "");
	else
		snprintf(title, sizeof(title), "Page tables");
	m.in = pen_card(p, rect, title);
	if (!t->scheme || !t->n_runs) {
		pen_text(p, m.in.x, m.in.y, m.in.w / p->cw, COLOR_DIM,
			 t->scheme ? "nothing is mapped" : "none: addresses are physical");
		return;
	}
	m.x = m.in.x;
	m.y = m.in.y;
	m.in.h -= p->ch + pen_points(p, 4);
	draw_half(&m, false);
	draw_half(&m, true);
	describe_run(&m, m.in.y + m.in.h + pen_points(p, 4));
}
