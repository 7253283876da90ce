/* Search in the terminal's lines, from each cell on over as many lines as the guest's text was wrapped to. */
#include <stdlib.h>
#include <string.h>
#include <wctype.h>

#include "frontend/window/term_internal.h"
#include "frontend/window/utf8.h"

#define QUERY_MAX 256u

static uint32_t lower(uint32_t c)
{
	if (c < 0x80)
		return c >= 'A' && c <= 'Z' ? c + 32 : c;
	return (uint32_t)towlower((wint_t)c);
}

void term_search(struct term *t, const char *utf8)
{
	const char *end = utf8 ? utf8 + strlen(utf8) : NULL;

	free(t->query);
	t->query = NULL;
	t->query_len = 0;
	t->fold = true;
	if (utf8 == end)
		return;
	t->query = calloc(QUERY_MAX, sizeof(*t->query));
	while (t->query && utf8 < end && t->query_len < QUERY_MAX) {
		uint32_t c = utf8_next(&utf8, end);

		t->fold = t->fold && lower(c) == c;
		t->query[t->query_len++] = c;
	}
}

/* A way through cells, over the ends of wrapped lines. */
struct walk {
	const struct term *t;
	const struct term_row *row;
	struct term_pos at;
	unsigned lines;
};

static const struct term_cell *cell(const struct walk *w)
{
	return w->row && w->at.column < w->row->count ? &w->row->cells[w->at.column] : NULL;
}

static bool skip_half(struct walk *w)
{
	const struct term_cell *c = cell(w);

	return c && c->style & (TERM_RIGHT | TERM_PAD);
}

/* To the next character. */
static bool advance(struct walk *w)
{
	do {
		if (++w->at.column < w->t->columns)
			continue;
		if (!w->row || !w->row->wrapped || ++w->lines == TERM_FIND_LINES)
			return false;
		w->at = (struct term_pos){w->at.line + 1, 0};
		w->row = term_row_at(w->t, w->at.line);
	} while (skip_half(w));
	return true;
}

/* Does a find begin there? *end: its last cell. */
static bool matches(const struct term *t, struct term_pos at, struct term_pos *end)
{
	struct walk w = {.t = t, .row = term_row_at(t, at.line), .at = at};

	if (skip_half(&w))
		return false;
	for (size_t i = 0; i < t->query_len; i++) {
		const struct term_cell *c;
		uint32_t character;

		if (i && !advance(&w))
			return false;
		c = cell(&w);
		character = c && c->character ? c->character : ' ';
		if ((t->fold ? lower(character) : character) != t->query[i])
			return false;
	}
	*end = w.at;
	return true;
}

/* The columns of a line where finds can begin: those written to, and blanks behind them if the line goes on. */
static unsigned width_of(const struct term *t, uint64_t line)
{
	const struct term_row *row = term_row_at(t, line);

	return row ? row->wrapped ? t->columns : row->count : 0;
}

/* --- Finds --- */

static void select_find(struct term *t, struct term_pos from, struct term_pos last)
{
	term_select(t, from, TERM_BY_CHARACTER);
	term_select_to(t, last);
	if (from.line < term_view(t) || from.line >= term_view(t) + t->rows) {
		term_scroll_home(t);
		term_scroll(t, (long)(term_top(t) - (from.line < term_top(t) ? from.line : term_top(t))) +
				       (from.line < term_top(t) ? (long)t->rows / 2 : 0));
	}
}

static bool find_in(struct term *t, uint64_t line, unsigned from, unsigned to, bool backwards)
{
	struct term_pos last;

	for (unsigned i = 0; from + i < to; i++) {
		struct term_pos at = {line, backwards ? to - 1 - i : from + i};

		if (matches(t, at, &last)) {
			select_find(t, at, last);
			return true;
		}
	}
	return false;
}

bool term_find(struct term *t, bool backwards)
{
	bool has = term_has_selection(t);
	struct term_pos start = has ? t->from : (struct term_pos){term_end(t) - 1, t->columns};
	uint64_t lines = term_end(t) - term_first(t);

	if (!t->query_len)
		return false;
	if (!has && !backwards)
		start = (struct term_pos){term_first(t), 0};
	if (start.line < term_first(t))
		start = (struct term_pos){term_first(t), 0};
	/* All lines from there on, round the end, and the first one again for what lies on the other side. */
	for (uint64_t i = 0; i <= lines; i++) {
		uint64_t offset = start.line - term_first(t);
		uint64_t line = term_first(t) + (backwards ? offset + lines - i % lines : offset + i) % lines;
		unsigned width = width_of(t, line), from = 0, to = width;

		if (backwards && i == 0)
			to = start.column < width ? start.column : width;
		if (!backwards && i == 0)
			from = has ? start.column + 1 : start.column;
		if (find_in(t, line, from, to, backwards))
			return true;
	}
	return false;
}

size_t term_finds(const struct term *t, uint64_t line, unsigned (*spans)[2], size_t max)
{
	uint64_t start = line;
	size_t n = 0;

	if (!t->query_len)
		return 0;
	while (line - start + 1 < TERM_FIND_LINES && start > term_first(t) && term_wrapped(t, start - 1))
		start--;
	for (uint64_t l = start; l <= line; l++) {
		unsigned width = width_of(t, l);

		for (unsigned column = 0; column < width && n < max; column++) {
			struct term_pos last;

			if (!matches(t, (struct term_pos){l, column}, &last))
				continue;
			if (last.line < line)
				continue;
			spans[n][0] = l < line ? 0 : column;
			spans[n++][1] = last.line > line ? t->columns : last.column + 1;
		}
	}
	return n;
}
