/* Selection in the terminal: a range of characters, words or lines, and its text. */
#include <stdlib.h>
#include <string.h>

#include "frontend/window/term_internal.h"
#include "frontend/window/utf8.h"

/* A line of the guest's is followed over at most this many rows, each way. */
#define REACH 256u

static int compare(struct term_pos a, struct term_pos b)
{
	if (a.line != b.line)
		return a.line < b.line ? -1 : 1;
	return a.column < b.column ? -1 : a.column > b.column;
}

/* --- Units --- */

static uint64_t line_start(const struct term *t, uint64_t line)
{
	for (unsigned i = 0; i < REACH && line > term_first(t) && term_wrapped(t, line - 1); i++)
		line--;
	return line;
}

static uint64_t line_end(const struct term *t, uint64_t line)
{
	for (unsigned i = 0; i < REACH && line + 1 < term_end(t) && term_wrapped(t, line); i++)
		line++;
	return line;
}

enum class { BLANK, WORD, OTHER };

/* What a path or an address on the net consists of is one word. */
static enum class class_at(const struct term *t, struct term_pos p) {
	const struct term_row *row = term_row_at(t, p.line);
	uint32_t c = row && p.column < row->count ? row->cells[p.column].character : 0;

	if (row && p.column && p.column < row->count && row->cells[p.column].style & TERM_RIGHT)
		c = row->cells[p.column - 1].character;
	if (!c || c == ' ') return BLANK;
	if (c >= 0x80 || (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z')) return WORD;
	return strchr("_-./~:@%+#?&=$", (int)c) ? WORD : OTHER;
}

static bool step_back(const struct term *t, struct term_pos *p)
{
	if (p->column) {
		p->column--;
		return true;
	}
	if (p->line == term_first(t) || !term_wrapped(t, p->line - 1))
		return false;
	*p = (struct term_pos){p->line - 1, t->columns - 1};
	return true;
}

static bool step_on(const struct term *t, struct term_pos *p)
{
	if (p->column + 1 < t->columns) {
		p->column++;
		return true;
	}
	if (!term_wrapped(t, p->line) || p->line + 1 == term_end(t))
		return false;
	*p = (struct term_pos){p->line + 1, 0};
	return true;
}

static struct term_pos word_edge(const struct term *t, struct term_pos p,
				 bool (*step)(const struct term *t, struct term_pos *p))
{
	enum class class = class_at(t, p);
	struct term_pos next = p;

	for (unsigned i = 0; i < REACH * 16 && step(t, &next) && class_at(t, next) == class; i++)
		p = next;
	return p;
}

/* Both halves of a wide character belong to it. */
static struct term_pos cell_start(const struct term *t, struct term_pos p)
{
	const struct term_row *row = term_row_at(t, p.line);

	if (row && p.column && p.column < row->count && row->cells[p.column].style & TERM_RIGHT)
		p.column--;
	return p;
}

static struct term_pos behind(const struct term *t, struct term_pos p)
{
	const struct term_row *row = term_row_at(t, p.line);

	p.column++;
	if (row && p.column < row->count && row->cells[p.column].style & TERM_RIGHT)
		p.column++;
	return p;
}

static void unit_at(const struct term *t, struct term_pos p, struct term_pos *from, struct term_pos *to)
{
	switch (t->unit) {
	case TERM_BY_WORD:
		*from = word_edge(t, p, step_back);
		*to = behind(t, word_edge(t, p, step_on));
		break;
	case TERM_BY_LINE:
		*from = (struct term_pos){line_start(t, p.line), 0};
		*to = (struct term_pos){line_end(t, p.line), t->columns};
		break;
	default:
		*from = cell_start(t, p);
		*to = behind(t, p);
	}
}

/* --- Selecting --- */

static struct term_pos limit(const struct term *t, struct term_pos p)
{
	if (p.line < term_first(t))
		return (struct term_pos){term_first(t), 0};
	if (p.line >= term_end(t))
		return (struct term_pos){term_end(t) - 1, t->columns - 1};
	if (p.column >= t->columns)
		p.column = t->columns - 1;
	return p;
}

void term_select(struct term *t, struct term_pos at, enum term_unit unit)
{
	at = limit(t, at);
	t->unit = unit;
	t->anchor = at;
	t->selecting = true;
	unit_at(t, at, &t->from, &t->to);
	if (unit == TERM_BY_CHARACTER)
		t->to = t->from; /* a click alone selects nothing */
}

void term_select_to(struct term *t, struct term_pos at)
{
	struct term_pos from, to;

	if (!t->selecting)
		return;
	at = limit(t, at);
	t->anchor = limit(t, t->anchor);
	unit_at(t, t->anchor, &t->from, &t->to);
	unit_at(t, at, &from, &to);
	if (compare(from, t->from) < 0)
		t->from = from;
	if (compare(to, t->to) > 0)
		t->to = to;
}

void term_select_none(struct term *t)
{
	t->selecting = false;
	t->from = t->to = (struct term_pos){0};
}

bool term_has_selection(const struct term *t)
{
	return compare(t->from, t->to) < 0 && t->to.line >= term_first(t);
}

bool term_selected(const struct term *t, uint64_t line, unsigned *from, unsigned *to)
{
	unsigned start, end;

	if (!term_has_selection(t) || line < t->from.line || line > t->to.line)
		return false;
	start = line == t->from.line ? t->from.column : 0;
	end = line == t->to.line ? t->to.column : t->columns;
	if (start >= end)
		return false;
	*from = start;
	*to = end < t->columns ? end : t->columns;
	return true;
}

void term_touch(struct term *t, uint64_t from, uint64_t to)
{
	if (!t->selecting || from > t->to.line || to <= t->from.line)
		return;
	if (compare(t->from, t->to) < 0)
		term_select_none(t);
}

/* --- Text --- */

struct text_out {
	char *data;
	size_t len, room;
	bool failed;
};

static void put(struct text_out *o, uint32_t character)
{
	if (o->room - o->len < UTF8_MAX + 1 && !o->failed) {
		size_t room = o->room ? o->room * 2 : 256;
		char *data = realloc(o->data, room);

		o->failed = !data;
		if (data) {
			o->data = data;
			o->room = room;
		}
	}
	if (!o->failed)
		o->len += utf8_put(character, o->data + o->len);
}

static void put_row(const struct term *t, struct text_out *o, uint64_t line, unsigned from, unsigned to)
{
	const struct term_row *row = term_row_at(t, line);
	unsigned count = row ? row->count : 0;
	bool goes_on = row && row->wrapped && to == t->columns;

	to = goes_on || to < count ? to : count;
	while (!goes_on && to > from && !row->cells[to - 1].character && !(row->cells[to - 1].style & TERM_RIGHT))
		to--;
	for (unsigned i = from; i < to; i++) {
		const struct term_cell *c = i < count ? &row->cells[i] : NULL;

		if (c && c->style & (TERM_RIGHT | TERM_PAD))
			continue;
		put(o, c && c->character ? c->character : ' ');
		for (unsigned k = 0; c && k < TERM_MARKS && c->marks[k]; k++)
			put(o, c->marks[k]);
	}
}

char *term_selection_text(const struct term *t)
{
	struct text_out o = {0};
	unsigned from, to;

	if (!term_has_selection(t))
		return NULL;
	for (uint64_t line = t->from.line < term_first(t) ? term_first(t) : t->from.line;
	     line <= t->to.line && !o.failed; line++) {
		if (!term_selected(t, line, &from, &to))
			continue;
		put_row(t, &o, line, from, to);
		if (line < t->to.line && !term_wrapped(t, line))
			put(&o, '\n');
	}
	put(&o, 0);
	if (o.failed) {
		free(o.data);
		return NULL;
	}
	return o.data;
}
