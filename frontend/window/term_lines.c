/*
 * Lines of the terminal: a ring of rows in which those of the primary screen follow those that have left it, so that
 * scrolling moves no cells; and the rows of the alternate screen.
 */
#include <stdlib.h>
#include <string.h>

#include "frontend/window/term_internal.h"

void term_row_free(struct term_row *row)
{
	free(row->cells);
	*row = (struct term_row){0};
}

/* Row `index` of the ring, the oldest line first. */
static struct term_row *ring_row(const struct term *t, size_t index)
{
	return &t->ring[(t->head + index) % t->capacity];
}

struct term_row *term_row_of(struct term *t, unsigned row)
{
	return t->in_alternate ? &t->alternate[row] : ring_row(t, t->kept + row);
}

struct term_row *term_row_above(struct term *t, unsigned row)
{
	if (row)
		return term_row_of(t, row - 1);
	return t->in_alternate || !t->kept ? NULL : ring_row(t, t->kept - 1);
}

const struct term_row *term_row_at(const struct term *t, uint64_t line)
{
	if (line < term_first(t) || line >= term_end(t))
		return NULL;
	if (t->in_alternate)
		return &t->alternate[line - term_top(t)];
	return ring_row(t, (size_t)(line - t->first));
}

struct term_cell *term_cells(struct term *t, struct term_row *row, unsigned n)
{
	if (n > row->room) {
		struct term_cell *cells = realloc(row->cells, t->columns * sizeof(*cells));

		if (!cells)
			return NULL;
		row->cells = cells;
		row->room = (uint16_t)t->columns;
	}
	if (n > row->count) {
		memset(row->cells + row->count, 0, (n - row->count) * sizeof(*row->cells));
		row->count = (uint16_t)n;
	}
	return row->cells;
}

bool term_cell_is_blank(const struct term_cell *c)
{
	return !c->character && !c->bg && !(c->style & (TERM_REVERSE | TERM_UNDERLINE | TERM_STRIKE | TERM_RIGHT));
}

void term_blank(struct term *t, struct term_row *row, unsigned from, unsigned to, bool keep_protected)
{
	struct term_cell blank = {.bg = t->pen.bg};
	struct term_cell *cells;

	if (to == t->columns)
		row->wrapped = false;
	if (!t->pen.bg && to > row->count)
		to = row->count; /* it is blank behind that */
	if (from >= to)
		return;
	cells = term_cells(t, row, to);
	if (!cells)
		return;
	for (unsigned i = from; i < to; i++)
		if (!keep_protected || !(cells[i].style & TERM_PROTECTED))
			cells[i] = blank;
	while (row->count && to >= row->count && term_cell_is_blank(&cells[row->count - 1]))
		row->count--;
}

/* --- Scrolling --- */

/* A line that leaves the screen needs no more room than it uses. */
static void shrink(struct term_row *row)
{
	struct term_cell *cells;

	while (row->count && term_cell_is_blank(&row->cells[row->count - 1]))
		row->count--;
	if (!row->count) {
		bool wrapped = row->wrapped;

		term_row_free(row);
		row->wrapped = wrapped;
		return;
	}
	cells = realloc(row->cells, row->count * sizeof(*cells));
	if (cells) {
		row->cells = cells;
		row->room = row->count;
	}
}

static void drop_oldest(struct term *t)
{
	t->kept_cells -= ring_row(t, 0)->count;
	term_row_free(ring_row(t, 0));
	t->head = (t->head + 1) % t->capacity;
	t->first++;
	t->kept--;
}

/* The screen's uppermost row joins the lines kept; a new one appears below. */
static void keep_top(struct term *t)
{
	struct term_row *top = ring_row(t, t->kept);

	shrink(top);
	t->kept_cells += top->count;
	t->kept++;
	while (t->kept > t->history || (t->kept && t->kept_cells > HISTORY_CELLS))
		drop_oldest(t);
	*ring_row(t, t->kept + t->rows - 1) = (struct term_row){0};
}

static void swap_rows(struct term *t, unsigned a, unsigned b)
{
	struct term_row *x = term_row_of(t, a), *y = term_row_of(t, b), row = *x;

	*x = *y;
	*y = row;
}

/* The last row of the screen becomes row `to`, those from there on move down. */
static void sink_last(struct term *t, unsigned to)
{
	for (unsigned i = t->rows - 1; i > to; i--)
		swap_rows(t, i, i - 1);
}

static void blank_row(struct term *t, unsigned row)
{
	term_blank(t, term_row_of(t, row), 0, t->columns, false);
}

/* Row `from` goes, those up to `to` move up. */
static void scroll_up(struct term *t, unsigned from, unsigned to)
{
	if (from == 0 && !t->in_alternate && t->history) {
		keep_top(t);
		sink_last(t, to - 1);
		if (to < t->rows)
			term_touch(t, term_top(t) + to - 1, term_end(t));
	} else {
		for (unsigned i = from; i + 1 < to; i++)
			swap_rows(t, i, i + 1);
		if (t->end.line >= term_top(t) + from && t->end.line < term_top(t) + to)
			t->end.line--;
		term_touch(t, term_top(t) + from, term_top(t) + to);
	}
	blank_row(t, to - 1);
}

static void scroll_down(struct term *t, unsigned from, unsigned to)
{
	for (unsigned i = to - 1; i > from; i--)
		swap_rows(t, i, i - 1);
	term_row_of(t, to - 1)->wrapped = false;
	blank_row(t, from);
	term_touch(t, term_top(t) + from, term_top(t) + to);
}

void term_scroll_rows(struct term *t, unsigned from, unsigned to, int n)
{
	int height = (int)(to - from);

	for (int i = 0; i < n && i < height; i++)
		scroll_up(t, from, to);
	for (int i = 0; i > n && i > -height; i--)
		scroll_down(t, from, to);
}

/* --- What there is to see --- */

uint64_t term_top(const struct term *t)
{
	return t->first + t->kept;
}

uint64_t term_first(const struct term *t)
{
	return t->in_alternate ? term_top(t) : t->first;
}

uint64_t term_end(const struct term *t)
{
	return term_top(t) + t->rows;
}

const struct term_cell *term_line(const struct term *t, uint64_t line, unsigned *count)
{
	const struct term_row *row = term_row_at(t, line);

	*count = row ? row->count : 0;
	return row ? row->cells : NULL;
}

bool term_wrapped(const struct term *t, uint64_t line)
{
	const struct term_row *row = term_row_at(t, line);

	return row && row->wrapped;
}

uint64_t term_view(const struct term *t)
{
	if (!t->scrolled || t->in_alternate || t->view >= term_top(t))
		return term_top(t);
	return t->view < t->first ? t->first : t->view;
}

void term_scroll(struct term *t, long lines)
{
	uint64_t at = term_view(t);

	if (lines >= 0)
		at = at - term_first(t) > (uint64_t)lines ? at - (uint64_t)lines : term_first(t);
	else
		at = term_top(t) - at > (uint64_t)-lines ? at + (uint64_t)-lines : term_top(t);
	t->view = at;
	t->scrolled = at < term_top(t);
}

void term_scroll_home(struct term *t)
{
	t->scrolled = false;
}
