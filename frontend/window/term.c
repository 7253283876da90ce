/*
 * The terminal: libvterm takes the guest's bytes apart and calls back here with what they do to the lines. Sizes and
 * places it gives are cut to the screen once more, as they come from the guest.
 */
#include "frontend/window/term.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <biscuit/error.h>

#include "frontend/window/term_internal.h"
#include "frontend/window/utf8.h"

static unsigned clamp(int value, unsigned limit)
{
	return value < 0 ? 0 : (unsigned)value < limit ? (unsigned)value : limit;
}

static uint64_t number(const struct term *t, unsigned row)
{
	return term_top(t) + row;
}

/* --- Characters --- */

/* A wide character of which a half is overwritten goes. */
static void break_wide(struct term_cell *cells, unsigned at, unsigned count)
{
	if (cells[at].style & TERM_RIGHT && at && cells[at - 1].style & TERM_WIDE) {
		cells[at - 1].character = 0;
		cells[at - 1].style &= ~(uint32_t)TERM_WIDE & 0x7ff;
	}
	if (cells[at].style & TERM_WIDE && at + 1 < count) {
		cells[at + 1].character = 0;
		cells[at + 1].style &= ~(uint32_t)TERM_RIGHT & 0x7ff;
	}
}

static void fill_cell(const struct term *t, struct term_cell *c, const VTermGlyphInfo *info)
{
	unsigned marks = 0;

	*c = t->pen;
	c->character = (info->chars[0] < 0x110000 ? info->chars[0] : 0xfffd) & 0x1fffff;
	c->marks[0] = c->marks[1] = 0;
	if (info->width > 1)
		c->style |= TERM_WIDE;
	if (info->protected_cell)
		c->style |= TERM_PROTECTED;
	for (unsigned i = 1; info->chars[0] && i < VTERM_MAX_CHARS_PER_CELL && info->chars[i]; i++)
		if (marks < TERM_MARKS && info->chars[i] <= 0xffff)
			c->marks[marks++] = (uint16_t)info->chars[i];
}

/* Text that comes to the left edge by itself, from the end of the line above, continues that line. */
static void note_wrap(struct term *t, unsigned row, unsigned column, bool wide)
{
	uint64_t above = number(t, row) - 1;
	bool wrapped = t->end.line == above && (t->end.full || (t->end.almost && wide));
	struct term_row *line = column ? NULL : term_row_above(t, row);
	struct term_cell *cells = line && wrapped && !t->end.full && row ? term_cells(t, line, t->columns) : NULL;

	if (line)
		line->wrapped = wrapped;
	if (cells)
		cells[t->columns - 1] = (struct term_cell){.style = TERM_PAD};
}

static int put_glyph(VTermGlyphInfo *info, VTermPos pos, void *user)
{
	struct term *t = user;
	unsigned row = clamp(pos.row, t->rows - 1), at = clamp(pos.col, t->columns - 1);
	unsigned end = at + (info->width > 1 ? 2 : 1);
	struct term_row *line = term_row_of(t, row);
	struct term_cell *cells = term_cells(t, line, end > t->columns ? t->columns : end);

	if (!cells)
		return 1;
	note_wrap(t, row, at, info->width > 1);
	break_wide(cells, at, line->count);
	fill_cell(t, &cells[at], info);
	if (end > t->columns) {
		cells[at].style &= ~(uint32_t)TERM_WIDE & 0x7ff;
	} else if (info->width > 1) {
		break_wide(cells, at + 1, line->count);
		cells[at + 1] = t->pen;
		cells[at + 1].style |= TERM_RIGHT;
	}
	if (end >= t->columns)
		line->wrapped = false;
	t->last_width = info->width;
	t->end = (struct line_end){.full = end >= t->columns, .almost = end == t->columns - 1, .line = number(t, row)};
	term_touch(t, number(t, row), number(t, row) + 1);
	return 1;
}

/* A cursor that was moved is not where text alone would have taken it. */
static int move_cursor(VTermPos pos, VTermPos old, int visible, void *user)
{
	struct term *t = user;
	unsigned row = clamp(pos.row, t->rows - 1);

	(void)old;
	(void)visible;
	if (number(t, row) != t->end.line || clamp(pos.col, t->columns) < t->columns - 1)
		t->end = (struct line_end){0};
	return 1;
}

/* --- Parts of the screen --- */

static int erase(VTermRect rect, int selective, void *user)
{
	struct term *t = user;
	unsigned to_row = clamp(rect.end_row, t->rows), to = clamp(rect.end_col, t->columns);
	unsigned from_row = clamp(rect.start_row, to_row), from = clamp(rect.start_col, to);

	for (unsigned row = from_row; row < to_row; row++)
		term_blank(t, term_row_of(t, row), from, to, selective);
	term_touch(t, number(t, from_row), number(t, to_row));
	return 1;
}

static int move_rect(VTermRect dest, VTermRect src, void *user)
{
	struct term *t = user;
	int height = src.end_row - src.start_row;
	unsigned n = clamp(src.end_col - src.start_col, t->columns);
	bool down = dest.start_row > src.start_row;

	if (src.start_row < 0 || dest.start_row < 0 || src.start_col < 0 || dest.start_col < 0 ||
	    src.start_row + height > (int)t->rows || dest.start_row + height > (int)t->rows ||
	    src.start_col + (int)n > (int)t->columns || dest.start_col + (int)n > (int)t->columns)
		return 1;
	for (int i = 0; i < height; i++) {
		int row = down ? height - 1 - i : i;
		struct term_row *to = term_row_of(t, (unsigned)(dest.start_row + row));
		struct term_cell *a = term_cells(t, term_row_of(t, (unsigned)(src.start_row + row)), t->columns);
		struct term_cell *b = term_cells(t, to, t->columns);

		if (a && b)
			memmove(b + dest.start_col, a + src.start_col, n * sizeof(*a));
		to->wrapped = false;
		term_touch(t, number(t, (unsigned)(dest.start_row + row)),
			   number(t, (unsigned)(dest.start_row + row)) + 1);
	}
	return 1;
}

static int scroll_rect(VTermRect rect, int downward, int rightward, void *user)
{
	struct term *t = user;
	unsigned to = clamp(rect.end_row, t->rows), from = clamp(rect.start_row, to);

	if (rect.start_col <= 0 && rect.end_col >= (int)t->columns && !rightward) {
		if (from < to)
			term_scroll_rows(t, from, to, downward);
		return 1;
	}
	rect.start_row = (int)from;
	rect.end_row = (int)to;
	rect.end_col = (int)clamp(rect.end_col, t->columns);
	rect.start_col = (int)clamp(rect.start_col, (unsigned)rect.end_col);
	if (from == to || rect.start_col == rect.end_col)
		return 1;
	downward = downward < 0 ? -(int)clamp(-downward, to - from) : (int)clamp(downward, to - from);
	from = (unsigned)(rect.end_col - rect.start_col);
	rightward = rightward < 0 ? -(int)clamp(-rightward, from) : (int)clamp(rightward, from);
	vterm_scroll_rect(rect, downward, rightward, move_rect, erase, t);
	return 1;
}

/* --- Style --- */

static uint32_t color_of(const VTermColor *c)
{
	if (VTERM_COLOR_IS_DEFAULT_FG(c) || VTERM_COLOR_IS_DEFAULT_BG(c))
		return 0;
	if (VTERM_COLOR_IS_INDEXED(c))
		return COLOR_INDEXED | c->indexed.idx;
	return COLOR_RGB | (uint32_t)c->rgb.red << 16 | (uint32_t)c->rgb.green << 8 | c->rgb.blue;
}

static int start_pen(void *user)
{
	struct term *t = user;

	t->pen = (struct term_cell){0};
	return 1;
}

static void set_style(struct term *t, unsigned style, bool on)
{
	t->pen.style = (on ? t->pen.style | style : t->pen.style & ~style) & 0x7ff;
}

static int set_pen(VTermAttr attr, VTermValue *value, void *user)
{
	struct term *t = user;

	switch (attr) {
	case VTERM_ATTR_BOLD:
		set_style(t, TERM_BOLD, value->boolean);
		break;
	case VTERM_ATTR_UNDERLINE:
		set_style(t, TERM_UNDERLINE, value->number);
		set_style(t, TERM_DOUBLE, value->number > VTERM_UNDERLINE_SINGLE);
		break;
	case VTERM_ATTR_ITALIC:
		set_style(t, TERM_ITALIC, value->boolean);
		break;
	case VTERM_ATTR_REVERSE:
		set_style(t, TERM_REVERSE, value->boolean);
		break;
	case VTERM_ATTR_STRIKE:
		set_style(t, TERM_STRIKE, value->boolean);
		break;
	case VTERM_ATTR_FOREGROUND:
		t->pen.fg = color_of(&value->color);
		break;
	case VTERM_ATTR_BACKGROUND:
		t->pen.bg = color_of(&value->color);
		break;
	default:
		return 0;
	}
	return 1;
}

uint32_t term_rgb(const struct term *t, uint32_t color, bool foreground)
{
	/* Calm ones, each readable on the background. */
	static const uint32_t low[16] = {0x434a56, 0xe06c75, 0x8fbf7f, 0xd9b46c, 0x61a8e8, 0xc080d8,
					 0x58b8c0, 0xb8bfca, 0x6b7484, 0xf48a92, 0xa8d898, 0xecc988,
					 0x85c0ff, 0xd6a0ec, 0x78d4dc, 0xf2f4f8};
	static const uint32_t back = 0x14171c, front = 0xd4d8e0;
	uint32_t value = color & 0xffffff;

	if (!color)
		return foreground != t->reverse ? front : back;
	if (color & COLOR_RGB)
		return value;
	if (value < 16)
		return low[value];
	if (value < 232) {
		static const uint32_t steps[6] = {0, 95, 135, 175, 215, 255};

		value -= 16;
		return steps[value / 36] << 16 | steps[value / 6 % 6] << 8 | steps[value % 6];
	}
	value = (value - 232) * 10 + 8;
	return value << 16 | value << 8 | value;
}

/* --- What else the guest sets --- */

void term_set_title(struct term *t, const char *title, const char *end)
{
	size_t n = 0;

	while (title < end && n + UTF8_MAX < sizeof(t->title)) {
		uint32_t c = utf8_next(&title, end);

		if (c >= 0x20 && !(c >= 0x7f && c < 0xa0))
			n += utf8_put(c, t->title + n);
	}
	t->title[n] = '\0';
	if (t->ops->title)
		t->ops->title(t->arg, t->title);
}

static void set_alternate(struct term *t, bool on)
{
	if (on == t->in_alternate || (on && !t->alternate))
		return;
	if (on)
		vterm_state_get_cursorpos(t->state, &t->primary_cursor);
	term_select_none(t);
	t->in_alternate = on;
	t->end = (struct line_end){0};
	for (unsigned i = 0; on && i < t->rows; i++)
		term_row_free(&t->alternate[i]);
}

static int set_property(VTermProp prop, VTermValue *value, void *user)
{
	struct term *t = user;

	switch (prop) {
	case VTERM_PROP_CURSORVISIBLE:
		t->cursor_visible = value->boolean;
		break;
	case VTERM_PROP_ALTSCREEN:
		set_alternate(t, value->boolean);
		break;
	case VTERM_PROP_REVERSE:
		t->reverse = value->boolean;
		break;
	case VTERM_PROP_CURSORSHAPE:
		t->cursor_shape = value->number;
		break;
	case VTERM_PROP_MOUSE:
		t->mouse = value->number;
		break;
	default:
		break;
	}
	return 1;
}

static int ring_bell(void *user)
{
	struct term *t = user;

	if (t->ops->bell)
		t->ops->bell(t->arg);
	return 1;
}

static void put_output(const char *bytes, size_t len, void *user)
{
	struct term *t = user;

	t->ops->output(t->arg, bytes, len);
}

/* Tells libvterm where the cursor has gone with its line. */
static int resized(int rows, int columns, VTermPos *delta, void *user)
{
	struct term *t = user;

	(void)rows;
	(void)columns;
	*delta = t->moved;
	return 1;
}

static const VTermStateCallbacks callbacks = {
	.putglyph = put_glyph,
	.movecursor = move_cursor,
	.scrollrect = scroll_rect,
	.moverect = move_rect,
	.erase = erase,
	.initpen = start_pen,
	.setpenattr = set_pen,
	.settermprop = set_property,
	.bell = ring_bell,
	.resize = resized,
};

/* --- Lifecycle --- */

static void limit_size(unsigned *columns, unsigned *rows)
{
	*columns = *columns < TERM_COLUMNS_MIN ? TERM_COLUMNS_MIN : *columns;
	*columns = *columns > TERM_COLUMNS_MAX ? TERM_COLUMNS_MAX : *columns;
	*rows = *rows < 1 ? 1 : *rows > TERM_ROWS_MAX ? TERM_ROWS_MAX : *rows;
}

int term_create(unsigned columns, unsigned rows, size_t history, const struct term_ops *ops, void *arg,
		struct term **out)
{
	struct term *t = calloc(1, sizeof(*t));

	if (!t)
		return bis_fail(ENOMEM, "no memory for a console");
	limit_size(&columns, &rows);
	*t = (struct term){.ops = ops, .arg = arg, .columns = columns, .rows = rows, .history = history};
	t->capacity = history + rows;
	t->ring = calloc(t->capacity, sizeof(*t->ring));
	t->alternate = calloc(rows, sizeof(*t->alternate));
	t->vt = vterm_new((int)rows, (int)columns);
	if (!t->ring || !t->alternate || !t->vt) {
		term_destroy(t);
		return bis_fail(ENOMEM, "no memory for a console of %ux%u", columns, rows);
	}
	t->cursor_visible = true;
	vterm_set_utf8(t->vt, 1);
	vterm_output_set_callback(t->vt, put_output, t);
	t->state = vterm_obtain_state(t->vt);
	vterm_state_set_callbacks(t->state, &callbacks, t);
	vterm_state_reset(t->state, 1);
	*out = t;
	return 0;
}

void term_destroy(struct term *t)
{
	if (!t)
		return;
	if (t->vt)
		vterm_free(t->vt);
	for (size_t i = 0; t->ring && i < t->capacity; i++)
		term_row_free(&t->ring[i]);
	for (unsigned i = 0; t->alternate && i < t->rows; i++)
		term_row_free(&t->alternate[i]);
	free(t->ring);
	free(t->alternate);
	free(t->query);
	free(t);
}

/* The alternate screen's rows are cut: a program that fills the screen draws it anew. */
static void resize_alternate(struct term *t, struct term_row *fresh, unsigned columns, unsigned rows)
{
	for (unsigned i = 0; i < t->rows; i++) {
		struct term_row *row = &t->alternate[i];

		row->wrapped = false;
		row->count = row->count < columns ? row->count : (uint16_t)columns;
		if (i < rows)
			fresh[i] = *row;
		else
			term_row_free(row);
	}
	free(t->alternate);
	t->alternate = fresh;
}

int term_resize(struct term *t, unsigned columns, unsigned rows)
{
	VTermPos old, cursor = t->primary_cursor;
	struct term_row *fresh;
	int err;

	limit_size(&columns, &rows);
	if (columns == t->columns && rows == t->rows)
		return 0;
	fresh = calloc(rows, sizeof(*fresh));
	if (!fresh)
		return bis_fail(ENOMEM, "no memory for a console of %ux%u", columns, rows);
	vterm_state_get_cursorpos(t->state, &old);
	if (!t->in_alternate)
		cursor = old;
	cursor.row = (int)clamp(cursor.row, t->rows - 1);
	cursor.col = (int)clamp(cursor.col, t->columns - 1);
	err = term_reflow(t, columns, rows, &cursor);
	if (err) {
		free(fresh);
		return err;
	}
	resize_alternate(t, fresh, columns, rows);
	term_select_none(t);
	t->columns = columns;
	t->rows = rows;
	t->primary_cursor = cursor;
	t->moved =
		t->in_alternate ? (VTermPos){0} : (VTermPos){.row = cursor.row - old.row, .col = cursor.col - old.col};
	t->end = (struct line_end){0};
	t->scrolled = false;
	vterm_set_size(t->vt, (int)rows, (int)columns);
	return 0;
}

/* --- What there is to see --- */

unsigned term_columns(const struct term *t)
{
	return t->columns;
}

unsigned term_rows(const struct term *t)
{
	return t->rows;
}

bool term_in_alternate(const struct term *t)
{
	return t->in_alternate;
}

const char *term_title(const struct term *t)
{
	return t->title;
}

enum term_cursor term_cursor(const struct term *t, struct term_pos *at)
{
	VTermPos pos;

	vterm_state_get_cursorpos(t->state, &pos);
	at->line = number(t, clamp(pos.row, t->rows - 1));
	at->column = clamp(pos.col, t->columns - 1);
	if (!t->cursor_visible)
		return TERM_CURSOR_NONE;
	switch (t->cursor_shape) {
	case VTERM_PROP_CURSORSHAPE_UNDERLINE:
		return TERM_CURSOR_UNDERLINE;
	case VTERM_PROP_CURSORSHAPE_BAR_LEFT:
		return TERM_CURSOR_BAR;
	default:
		return TERM_CURSOR_BLOCK;
	}
}
