/* A terminal whose output is kept, and what there is to see in it as text. */
#ifndef BISCUIT_UNIT_TERM_RIG_H
#define BISCUIT_UNIT_TERM_RIG_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "frontend/window/term.h"
#include "frontend/window/utf8.h"
#include "tests/unit/unit.h"

struct fixture {
	struct term *t;
	char out[4096];
	size_t len;
	char title[128];
	unsigned bells;
};

static inline void take_output(void *arg, const char *bytes, size_t len)
{
	struct fixture *f = arg;

	assert_true(len < sizeof(f->out) - f->len);
	memcpy(f->out + f->len, bytes, len);
	f->len += len;
	f->out[f->len] = '\0';
}

static inline void take_title(void *arg, const char *title)
{
	struct fixture *f = arg;

	snprintf(f->title, sizeof(f->title), "%s", title);
}

static inline void take_bell(void *arg)
{
	struct fixture *f = arg;

	f->bells++;
}

static const struct term_ops ops = {.output = take_output, .title = take_title, .bell = take_bell};

static inline int setup_size(void **state, unsigned columns, unsigned rows, size_t history)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_int_equal(term_create(columns, rows, history, &ops, f, &f->t), 0);
	*state = f;
	return 0;
}

static inline int setup(void **state)
{
	return setup_size(state, 10, 4, 100);
}

static inline int teardown(void **state)
{
	struct fixture *f = *state;

	term_destroy(f->t);
	free(f);
	return 0;
}

static inline void put(struct fixture *f, const char *text)
{
	term_write(f->t, text, strlen(text));
}

/* A line without the blanks at its end. */
static inline const char *line_text(const struct fixture *f, uint64_t line)
{
	static char buf[4096];
	unsigned count;
	const struct term_cell *cells = term_line(f->t, line, &count);
	size_t n = 0;

	for (unsigned i = 0; i < count; i++) {
		if (cells[i].style & TERM_RIGHT)
			continue;
		n += utf8_put(cells[i].character ? cells[i].character : ' ', buf + n);
		for (unsigned k = 0; k < TERM_MARKS && cells[i].marks[k]; k++)
			n += utf8_put(cells[i].marks[k], buf + n);
	}
	while (n && buf[n - 1] == ' ')
		n--;
	buf[n] = '\0';
	return buf;
}

static inline const char *row_text(const struct fixture *f, unsigned row)
{
	return line_text(f, term_top(f->t) + row);
}

static inline struct term_cell cell(const struct fixture *f, unsigned row, unsigned column)
{
	unsigned count;
	const struct term_cell *cells = term_line(f->t, term_top(f->t) + row, &count);

	return column < count ? cells[column] : (struct term_cell){0};
}

static inline void assert_cursor(const struct fixture *f, unsigned row, unsigned column)
{
	struct term_pos at;

	term_cursor(f->t, &at);
	assert_int_equal(at.line - term_top(f->t), row);
	assert_int_equal(at.column, column);
}

static inline struct term_pos pos(const struct fixture *f, unsigned row, unsigned column)
{
	return (struct term_pos){term_top(f->t) + row, column};
}

static inline void assert_selected(const struct fixture *f, const char *expected)
{
	char *text = term_selection_text(f->t);

	if (!expected) {
		assert_null(text);
		return;
	}
	assert_non_null(text);
	assert_string_equal(text, expected);
	free(text);
}

static inline void put_numbers(struct fixture *f, unsigned from, unsigned to)
{
	char text[32];

	for (unsigned i = from; i < to; i++) {
		snprintf(text, sizeof(text), "\r\nl%u", i);
		put(f, text);
	}
}

#endif
