/*
 * Another width: the lines of the primary screen, with those above it, are joined where they were wrapped and broken
 * anew. All rows are made before an old one goes, so that nothing is lost where memory is short.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <biscuit/error.h>

#include "frontend/window/term_internal.h"

/* A line that is longer is broken after a row. */
#define LINE_MAX_CELLS 65536

struct reflow {
	struct term *t;
	unsigned columns;
	struct term_row *rows; /* the new ones */
	size_t count, capacity;
	struct term_cell *line; /* a whole line, as the guest wrote it */
	size_t length, room;
	size_t old_cursor;     /* row in the old order */
	size_t cursor_in_line; /* cell of the line where the cursor is; SIZE_MAX: in another */
	size_t cursor_row;     /* in the new order */
	unsigned cursor_column;
};

static const struct term_row *old_row(const struct term *t, size_t index)
{
	return &t->ring[(t->head + index) % t->capacity];
}

static struct term_row *add_row(struct reflow *r)
{
	if (r->count == r->capacity) {
		size_t capacity = r->capacity ? r->capacity * 2 : 256;
		struct term_row *rows = realloc(r->rows, capacity * sizeof(*rows));

		if (!rows)
			return NULL;
		r->rows = rows;
		r->capacity = capacity;
	}
	r->rows[r->count] = (struct term_row){0};
	return &r->rows[r->count++];
}

/* Adds an old row to the line: all columns of it if it goes on behind them. */
static bool join(struct reflow *r, const struct term_row *row, unsigned cursor_column)
{
	size_t n = row->wrapped || cursor_column > row->count ? r->t->columns : row->count;

	if (r->room - r->length < n) {
		size_t room = (r->length + n) * 2;
		struct term_cell *line = realloc(r->line, room * sizeof(*line));

		if (!line)
			return false;
		r->line = line;
		r->room = room;
	}
	for (size_t i = 0; i < n; i++) {
		if (i < row->count && row->cells[i].style & TERM_PAD)
			continue;
		if (i == cursor_column)
			r->cursor_in_line = r->length;
		r->line[r->length++] = i < row->count ? row->cells[i] : (struct term_cell){0};
	}
	if (cursor_column != UINT32_MAX && r->cursor_in_line == SIZE_MAX)
		r->cursor_in_line = r->length;
	return true;
}

/* How many cells of the line from `at` on fit in a row. */
static size_t row_length(const struct reflow *r, size_t at)
{
	size_t n = r->length - at;

	if (n <= r->columns)
		return n;
	n = r->columns;
	return r->line[at + n - 1].style & TERM_WIDE ? n - 1 : n;
}

static bool put_row(struct reflow *r, size_t at, size_t n, bool wrapped)
{
	static const struct term_cell pad = {.style = TERM_PAD};
	struct term_row *row = add_row(r);
	size_t count = wrapped ? r->columns : n;

	if (!row)
		return false;
	row->wrapped = wrapped;
	if (!count)
		return true;
	row->cells = malloc(count * sizeof(*row->cells));
	if (!row->cells)
		return false;
	row->count = row->room = (uint16_t)count;
	memcpy(row->cells, r->line + at, n * sizeof(*row->cells));
	for (size_t i = n; i < count; i++)
		row->cells[i] = pad;
	return true;
}

/* Breaks the line that has been joined. */
static bool put_line(struct reflow *r)
{
	size_t cursor = r->cursor_in_line, at = 0;

	while (r->length && (cursor == SIZE_MAX || cursor < r->length - 1) &&
	       term_cell_is_blank(&r->line[r->length - 1]))
		r->length--;
	do {
		size_t n = row_length(r, at);
		bool last = at + n == r->length;

		if (cursor != SIZE_MAX && cursor >= at && (cursor < at + n || last)) {
			r->cursor_row = r->count;
			r->cursor_column = (unsigned)(cursor - at < r->columns ? cursor - at : r->columns - 1);
		}
		if (!put_row(r, at, n, !last))
			return false;
		at += n;
	} while (at < r->length);
	r->length = 0;
	r->cursor_in_line = SIZE_MAX;
	return true;
}

/* Old rows with something in them, or above such a row or the cursor. */
static size_t used_rows(const struct reflow *r)
{
	size_t n = r->t->kept + r->t->rows;

	while (n > r->old_cursor + 1) {
		const struct term_row *row = old_row(r->t, n - 1);
		unsigned i = row->count;

		while (i && term_cell_is_blank(&row->cells[i - 1]))
			i--;
		if (i)
			break;
		n--;
	}
	return n;
}

static bool reflow_all(struct reflow *r, unsigned cursor_column)
{
	size_t n = used_rows(r);

	for (size_t i = 0; i < n; i++) {
		const struct term_row *row = old_row(r->t, i);

		if (!join(r, row, i == r->old_cursor ? cursor_column : UINT32_MAX))
			return false;
		if ((!row->wrapped || i + 1 == n || r->length > LINE_MAX_CELLS) && !put_line(r))
			return false;
	}
	return true;
}

/* Takes the new rows over: the last ones are on the screen. */
static void take_over(struct reflow *r, struct term_row *ring, size_t capacity, unsigned rows)
{
	struct term *t = r->t;
	size_t kept, skipped;

	while (r->count > r->cursor_row + rows) /* the cursor stays on the screen */
		term_row_free(&r->rows[--r->count]);
	kept = r->count < rows ? 0 : r->count - rows;
	skipped = kept > t->history ? kept - t->history : 0;
	for (size_t i = 0; i < skipped; i++)
		term_row_free(&r->rows[i]);
	for (size_t i = 0; i < t->capacity; i++)
		term_row_free(&t->ring[i]);
	free(t->ring);
	memcpy(ring, r->rows + skipped, (r->count - skipped) * sizeof(*ring));
	t->first = term_end(t);
	t->ring = ring;
	t->capacity = capacity;
	t->head = 0;
	t->kept = kept - skipped;
	t->kept_cells = 0;
	for (size_t i = 0; i < t->kept; i++)
		t->kept_cells += ring[i].count;
	r->cursor_row -= kept;
}

int term_reflow(struct term *t, unsigned columns, unsigned rows, VTermPos *cursor)
{
	size_t capacity = t->history + rows;
	struct term_row *ring = calloc(capacity, sizeof(*ring));
	struct reflow r = {.t = t, .columns = columns, .cursor_in_line = SIZE_MAX};

	r.old_cursor = t->kept + (size_t)cursor->row;
	if (!ring || !reflow_all(&r, (unsigned)cursor->col)) {
		for (size_t i = 0; i < r.count; i++)
			term_row_free(&r.rows[i]);
		free(r.rows);
		free(r.line);
		free(ring);
		return bis_fail(ENOMEM, "no memory for a console of %ux%u", columns, rows);
	}
	take_over(&r, ring, capacity, rows);
	cursor->row = (int)r.cursor_row;
	cursor->col = (int)r.cursor_column;
	free(r.rows);
	free(r.line);
	return 0;
}
