/* Inside of the terminal; see term.h. */
#ifndef BISCUIT_WINDOW_TERM_INTERNAL_H
#define BISCUIT_WINDOW_TERM_INTERNAL_H

#include <vterm.h>

#include "frontend/window/term.h"

/* Colours of cells: 0 is the default one. */
#define COLOR_INDEXED 0x01000000u
#define COLOR_RGB     0x02000000u

/* Lines that have left the screen take at most this many cells together. */
#define HISTORY_CELLS ((size_t)4 << 20)

/* A line. Cells behind `count` are blank. */
struct term_row {
	struct term_cell *cells;
	uint16_t count, room;
	bool wrapped; /* goes on in the next line */
};

/* Where a wrap is expected: the last thing written ended the line `line`. */
struct line_end {
	bool full;   /* its last column was written */
	bool almost; /* all but its last column: a wide character would be wrapped */
	uint64_t line;
};

/* What the guest's last bytes are the beginning of. */
enum sequence { SEQUENCE_NONE, SEQUENCE_ESCAPE, SEQUENCE_LONG_ESCAPE, SEQUENCE_CONTROL, SEQUENCE_STRING };

struct term {
	const struct term_ops *ops;
	void *arg;
	VTerm *vt;
	VTermState *state;
	unsigned columns, rows;

	/* The lines kept and, behind them, those of the primary screen. */
	struct term_row *ring;
	size_t capacity, head, kept, history;
	size_t kept_cells;
	uint64_t first; /* number of the oldest line */
	/* The alternate screen; none where memory was short. */
	struct term_row *alternate;
	bool in_alternate;

	struct term_cell pen;	 /* style and colours of what is written next */
	VTermPos primary_cursor; /* while the alternate screen is shown */
	VTermPos moved;		 /* by a resize */
	struct line_end end;
	int last_width;	   /* of the character written last; 0: none */
	char character[4]; /* UTF-8 that is not whole yet */
	unsigned character_len;
	enum sequence sequence;
	char string[256]; /* of SEQUENCE_STRING; the rest of a longer one is dropped */
	size_t string_len;
	bool cursor_visible, reverse;
	int cursor_shape, mouse;
	char title[128];

	bool scrolled; /* `view` is shown first, not the screen */
	uint64_t view;

	enum term_unit unit;
	bool selecting;			  /* `anchor` is valid */
	struct term_pos anchor, from, to; /* selected: [from, to), none where they are the same */

	uint32_t *query;
	size_t query_len;
	bool fold; /* capital letters do not matter */
};

/* --- term.c --- */

/* [title, end) without control characters. */
void term_set_title(struct term *t, const char *title, const char *end);

/* --- term_lines.c --- */

/* Row `row` of the screen that is shown. */
struct term_row *term_row_of(struct term *t, unsigned row);
/* The one above it, which may have left the screen; NULL: none. */
struct term_row *term_row_above(struct term *t, unsigned row);
/* NULL: there is no such line. */
const struct term_row *term_row_at(const struct term *t, uint64_t line);
/* Cells 0 to n - 1 of a row of the screen, made where they are missing; NULL: no memory. */
struct term_cell *term_cells(struct term *t, struct term_row *row, unsigned n);
void term_row_free(struct term_row *row);
/* Sets [from, to) of a row to blanks in the pen's background. */
void term_blank(struct term *t, struct term_row *row, unsigned from, unsigned to, bool keep_protected);
/* Moves the rows [from, to) of the screen up by n, or down if n is below 0; what leaves the top may be kept. */
void term_scroll_rows(struct term *t, unsigned from, unsigned to, int n);
bool term_cell_is_blank(const struct term_cell *c);

/* --- term_reflow.c --- */

/* Breaks the primary screen's lines anew; *cursor is moved along. -ENOMEM: nothing has changed. */
BIS_MUST_CHECK int term_reflow(struct term *t, unsigned columns, unsigned rows, VTermPos *cursor);

/* --- term_select.c --- */

/* Those lines have changed. */
void term_touch(struct term *t, uint64_t from, uint64_t to);

#endif
