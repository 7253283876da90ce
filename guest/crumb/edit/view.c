/*
 * The editor on a terminal. Each row is put together in memory first; only if it is another than the one that is there
 * is it sent. What is not to be printed never gets there: a text cannot give orders to the terminal.
 */
#include "editor.h"
#include <stdio.h>
#include <string.h>

#define TAB 8

/* A row that is being put together. */
struct row {
	char bytes[COLUMNS_MAX * 4 + 1];
	size_t used;
	size_t column, first, end; /* the columns from `first` to before `end` are shown */
};

/* --- Columns --- */

/* How many columns a character has that begins with this byte. Those that are two wide on the terminal are not known.
 */
static size_t width_of(int byte, size_t column)
{
	return byte == '\t' ? TAB - column % TAB : 1;
}

size_t view_column(const struct text *t, size_t at)
{
	size_t column = 0;

	for (size_t i = text_line_start(t, at); i < at; i += text_character(t, i))
		column += width_of(text_at(t, i), column);
	return column;
}

size_t view_place(const struct text *t, size_t line_start, size_t column)
{
	size_t at = line_start, here = 0;
	int byte;

	while ((byte = text_at(t, at)) >= 0 && byte != '\n') {
		here += width_of(byte, here);
		if (here > column)
			break;
		at += text_character(t, at);
	}
	return at;
}

/* --- Rows --- */

/* A character, or what stands for it, in one column. */
static void put(struct row *r, const char *bytes, size_t count)
{
	if (r->column >= r->first && r->column < r->end) {
		memcpy(r->bytes + r->used, bytes, count);
		r->used += count;
	}
	r->column++;
}

static void put_text(struct row *r, const char *text)
{
	for (; *text; text++)
		put(r, text, 1);
}

/* Control characters, those of ISO 6429's second set too, and broken UTF-8 are shown as a question mark. */
static void put_character(struct row *r, const struct text *t, size_t at, size_t length)
{
	char bytes[4];

	for (size_t i = 0; i < length; i++)
		bytes[i] = (char)text_at(t, at + i);
	if (length == 1 && (bytes[0] < ' ' || bytes[0] == 0x7f || (bytes[0] & 0x80)))
		put(r, "?", 1);
	else if (length == 2 && memcmp(bytes, "\xc2\xa0", 2) < 0)
		put(r, "?", 1);
	else
		put(r, bytes, length);
}

static void put_line(struct row *r, const struct text *t, size_t at)
{
	int byte;

	while ((byte = text_at(t, at)) >= 0 && byte != '\n' && r->column < r->end) {
		size_t length = text_character(t, at);

		if (byte == '\t') {
			for (size_t width = width_of(byte, r->column); width > 0; width--)
				put(r, " ", 1);
		} else {
			put_character(r, t, at, length);
		}
		at += length;
	}
}

static struct row *new_row(const struct editor *e, size_t first)
{
	static struct row row;

	row.used = row.column = 0;
	row.first = first;
	row.end = first + e->columns;
	return &row;
}

/* Never 0, which says that nothing is known of a row (FNV-1a). */
static uint32_t number_of(const struct row *r, bool inverse)
{
	uint32_t number = 2166136261U + inverse;

	for (size_t i = 0; i < r->used; i++)
		number = (number ^ (unsigned char)r->bytes[i]) * 16777619U;
	return number | 1;
}

/* Sends a row, `which` from 0. */
static void show(struct editor *e, unsigned which, struct row *r, bool inverse)
{
	uint32_t number = number_of(r, inverse);

	if (number == e->drawn[which])
		return;
	e->drawn[which] = number;
	r->bytes[r->used] = '\0';
	printf("\x1b[%u;1H%s%s%s%s", which + 1, inverse ? "\x1b[7m" : "", r->bytes, inverse ? "\x1b[m" : "",
	       r->column < r->end ? "\x1b[K" : "");
}

static void show_status(struct editor *e)
{
	struct row *r = new_row(e, 0);
	char where[64];

	snprintf(where, sizeof(where), "line %lu of %lu, column %lu ", (unsigned long)e->text.line + 1,
		 (unsigned long)e->text.lines + 1, (unsigned long)view_column(&e->text, text_cursor(&e->text)) + 1);
	put_text(r, " ");
	put_text(r, e->path[0] ? e->path : "no name yet");
	put_text(r, e->changed ? "   changed" : "");
	while (r->column + strlen(where) < r->end)
		put(r, " ", 1);
	put_text(r, where);
	show(e, e->rows - 2, r, true);
}

static void show_message(struct editor *e, const char *first, const char *second)
{
	struct row *r = new_row(e, 0);

	put_text(r, first);
	put_text(r, second);
	show(e, e->rows - 1, r, false);
}

/* --- All of it --- */

/* So that the cursor's line is one of those that are shown, and its column, too. */
static void bring_into_sight(struct editor *e)
{
	const struct text *t = &e->text;
	size_t start = text_line_start(t, text_cursor(t)), column = view_column(t, text_cursor(t)), top = start;

	for (unsigned i = 1; i < view_lines(e) && top > e->top; i++)
		top = text_line_start(t, top - 1);
	if (top > e->top || start < e->top)
		e->top = top > e->top ? top : start;
	if (column < e->left || column >= e->left + e->columns)
		e->left = column < e->columns ? 0 : column - e->columns / 2;
}

static unsigned show_lines(struct editor *e)
{
	const struct text *t = &e->text;
	size_t at = e->top, cursor = text_cursor(t);
	unsigned row_of_cursor = 0;

	for (unsigned i = 0; i < view_lines(e); i++) {
		struct row *r = new_row(e, e->left);

		if (at <= text_length(t)) {
			put_line(r, t, at);
			if (at <= cursor)
				row_of_cursor = i;
			at = text_line_end(t, at) + 1;
		} else {
			put_text(r, e->left ? "" : "~");
		}
		show(e, i, r, false);
	}
	return row_of_cursor;
}

void view_draw(struct editor *e)
{
	unsigned row;

	bring_into_sight(e);
	printf("\x1b[?25l");
	row = show_lines(e);
	show_status(e);
	show_message(e, e->message, "");
	printf("\x1b[%u;%uH\x1b[?25h", row + 1, (unsigned)(view_column(&e->text, text_cursor(&e->text)) - e->left) + 1);
}

void view_draw_question(struct editor *e, const char *question, const char *answer)
{
	view_draw(e);
	show_message(e, question, answer);
	printf("\x1b[%u;%uH", e->rows, (unsigned)(strlen(question) + strlen(answer)) + 1);
}

/* --- The terminal --- */

void view_resize(struct editor *e, unsigned rows, unsigned columns)
{
	e->rows = rows < 4 ? 4 : rows > ROWS_MAX ? ROWS_MAX : rows;
	e->columns = columns < 20 ? 20 : columns > COLUMNS_MAX ? COLUMNS_MAX : columns;
	memset(e->drawn, 0, sizeof(e->drawn));
	printf("\x1b[2J");
}

/* A cursor that is sent too far stays at the edge. */
void view_ask_size(void)
{
	printf("\x1b[999;999H\x1b[6n");
}

/* The terminal has a second screen for programs like this one: what was on the first one comes back at the end. */
void view_begin(struct editor *e)
{
	printf("\x1b[?1049h");
	view_resize(e, 24, 80);
	view_ask_size();
}

void view_end(void)
{
	printf("\x1b[?1049l");
}
