/*
 * A terminal without a screen: bytes of a guest go in, cells come out. Colours, styles, wide and combining characters,
 * lines that have scrolled away, selection and search; libvterm takes the escape sequences apart. It knows nothing of
 * windows. One thread at a time.
 *
 * Lines have numbers that stay theirs while others scroll away: they run from term_first to term_end, and the screen
 * begins at term_top. Positions stay valid until term_resize or a switch to the alternate screen and back.
 */
#ifndef BISCUIT_WINDOW_TERM_H
#define BISCUIT_WINDOW_TERM_H

#include <stdbool.h>

#include <biscuit/types.h>

struct term;

#define TERM_COLUMNS_MIN 2u
#define TERM_COLUMNS_MAX 1000u
#define TERM_ROWS_MAX	 500u
#define TERM_MARKS	 2u /* combining characters of a cell; further ones are left out */

/* The first four are as `enum text_style` has them. */
enum term_style {
	TERM_BOLD = 1,
	TERM_ITALIC = 2,
	TERM_UNDERLINE = 4,
	TERM_STRIKE = 8,
	TERM_REVERSE = 16,
	TERM_DOUBLE = 32,     /* with TERM_UNDERLINE: a double line */
	TERM_WIDE = 64,	      /* takes this cell and the next */
	TERM_RIGHT = 128,     /* the right half of a wide character: nothing of its own */
	TERM_PAD = 256,	      /* left over at the end of a line because a wide character did not fit */
	TERM_PROTECTED = 512, /* stays when only what is not protected is erased */
};

struct term_cell {
	uint32_t character : 21; /* 0: blank */
	uint32_t style : 11;
	uint16_t marks[TERM_MARKS]; /* 0: none */
	uint32_t fg, bg;	    /* see term_rgb */
};

struct term_pos {
	uint64_t line;
	unsigned column;
};

struct term_ops {
	/* To the guest: answers to its questions, keys, mouse, pasted text. */
	void (*output)(void *arg, const char *bytes, size_t len);
	void (*title)(void *arg, const char *title); /* UTF-8 without control characters; may be NULL */
	void (*bell)(void *arg);		     /* may be NULL */
};

/* `history`: lines that are kept after they have left the screen. Sizes are cut to what there is. -ENOMEM with message.
 */
BIS_MUST_CHECK int term_create(unsigned columns, unsigned rows, size_t history, const struct term_ops *ops, void *arg,
			       struct term **out);
void term_destroy(struct term *t); /* NULL is allowed */

/* --- The guest's side --- */

void term_write(struct term *t, const void *bytes, size_t len);
/* Another size: lines are broken anew, except on the alternate screen. -ENOMEM: it stays as it was. */
BIS_MUST_CHECK int term_resize(struct term *t, unsigned columns, unsigned rows);

/* --- What there is to see --- */

unsigned term_columns(const struct term *t);
unsigned term_rows(const struct term *t);
uint64_t term_first(const struct term *t);
uint64_t term_top(const struct term *t);
uint64_t term_end(const struct term *t);
/* The cells of a line; all behind *count are blank. Valid until the next call that changes anything. */
const struct term_cell *term_line(const struct term *t, uint64_t line, unsigned *count);
/* Does the line go on in the next? */
bool term_wrapped(const struct term *t, uint64_t line);
/* 0xRRGGBB of a cell's colour, with the reversal of the whole screen. */
uint32_t term_rgb(const struct term *t, uint32_t color, bool foreground);
bool term_in_alternate(const struct term *t); /* the screen of programs that fill it: nothing scrolls away from it */
const char *term_title(const struct term *t); /* "" where the guest gave none */

enum term_cursor { TERM_CURSOR_NONE, TERM_CURSOR_BLOCK, TERM_CURSOR_UNDERLINE, TERM_CURSOR_BAR };
enum term_cursor term_cursor(const struct term *t, struct term_pos *at);

/* The line that is shown first: term_top, unless it was scrolled back. */
uint64_t term_view(const struct term *t);
void term_scroll(struct term *t, long lines); /* back by that many; forward if below 0 */
void term_scroll_home(struct term *t);	      /* to the screen */

/* --- Keyboard, mouse, paste: they come out of ops->output --- */

/* `key`: a VTermKey; `modifiers`: of VTermModifier. */
void term_key(struct term *t, int key, unsigned modifiers);
void term_type(struct term *t, uint32_t character, unsigned modifiers);
/* In brackets where the guest's program asked for that. Control characters but tab and line end are left out. */
void term_paste(struct term *t, const char *utf8, size_t len);
void term_focus(struct term *t, bool focused);
/* Does the guest's program want to hear of the mouse? */
bool term_wants_mouse(const struct term *t);
/* `row` and `column` of the screen; `button` 1 to 3, 4 and 5 for the wheel, 0: only moved. */
void term_mouse(struct term *t, unsigned row, unsigned column, unsigned button, bool pressed, unsigned modifiers);

/* --- Selection: gone when what is selected changes --- */

enum term_unit { TERM_BY_CHARACTER, TERM_BY_WORD, TERM_BY_LINE };
void term_select(struct term *t, struct term_pos at, enum term_unit unit);
/* Moves the end that is not fixed. */
void term_select_to(struct term *t, struct term_pos at);
void term_select_none(struct term *t);
bool term_has_selection(const struct term *t);
/* The selected columns of a line, [*from, *to): false where there are none. */
bool term_selected(const struct term *t, uint64_t line, unsigned *from, unsigned *to);
/* UTF-8 with lines as the guest wrote them, or NULL where nothing is selected; the caller frees it. */
char *term_selection_text(const struct term *t);

/* --- Search: capital letters matter where the text that is searched for has some --- */

/* NULL or "": none. A find may lie in up to TERM_FIND_LINES lines. */
#define TERM_FIND_LINES 8u
void term_search(struct term *t, const char *utf8);
/* Selects the next one before (or behind) the selection and scrolls to it; false: there is none. */
bool term_find(struct term *t, bool backwards);
/* The columns of a line that belong to finds: their number, at most `max`; [0] from, [1] behind the last. */
size_t term_finds(const struct term *t, uint64_t line, unsigned (*spans)[2], size_t max);

#endif
