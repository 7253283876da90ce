/*
 * How a console looks. Its rows are kept in a texture; a row is drawn again when what is to be seen of it has changed,
 * which is found by a sum over its cells, its selected part and the cursor.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "frontend/window/console_view_internal.h"

#define FINDS_MAX 32

static const uint32_t selected_back = 0x2c4a6e, find_back = 0x5c4a1c, cursor_color = 0xd8a657;

static int points(const struct console *c, double n)
{
	int px = (int)(n * c->host->scale + 0.5);

	return px > 0 ? px : 1;
}

static SDL_Color color_of(uint32_t rgb)
{
	return (SDL_Color){(Uint8)(rgb >> 16), (Uint8)(rgb >> 8), (Uint8)rgb, 255};
}

static void fill(SDL_Renderer *r, int x, int y, int w, int h, uint32_t rgb)
{
	SDL_Rect rect = {x, y, w, h};
	SDL_Color color = color_of(rgb);

	SDL_SetRenderDrawColor(r, color.r, color.g, color.b, 255);
	SDL_RenderFillRect(r, &rect);
}

/* --- Places --- */

static int margin(const struct console *c)
{
	return points(c, 5);
}

void console_cells(const struct console *c, const SDL_Rect *area, unsigned *columns, unsigned *rows)
{
	int w = area->w - 2 * margin(c), h = area->h - 2 * margin(c);

	*columns = w > 0 ? (unsigned)(w / text_width(c->host->text)) : 0;
	*rows = h > 0 ? (unsigned)(h / text_height(c->host->text)) : 0;
}

static unsigned limit(int value, unsigned end)
{
	return value < 0 ? 0 : (unsigned)value < end ? (unsigned)value : end - 1;
}

void console_cell_at(const struct console *c, const SDL_Rect *area, int x, int y, unsigned *column, unsigned *row)
{
	*column = limit((x - area->x - margin(c)) / text_width(c->host->text), term_columns(c->term));
	*row = limit((y - area->y - margin(c)) / text_height(c->host->text), term_rows(c->term));
}

/* --- Rows --- */

/* What is to be seen of a row, besides its cells. */
struct look {
	uint64_t line;
	unsigned columns, count; /* cells there are */
	const struct term_cell *cells;
	unsigned selected[2]; /* columns; the same: none */
	unsigned finds[FINDS_MAX][2];
	unsigned n_finds;
	unsigned cursor_column;
	enum term_cursor cursor; /* TERM_CURSOR_NONE: not in this row */
	bool focused;
	uint32_t front, back; /* the default colours */
};

static void look_at(const struct console *c, unsigned row, struct look *l)
{
	struct term_pos cursor;

	memset(l, 0, sizeof(*l));
	l->line = term_view(c->term) + row;
	l->columns = term_columns(c->term);
	l->cells = term_line(c->term, l->line, &l->count);
	term_selected(c->term, l->line, &l->selected[0], &l->selected[1]);
	l->n_finds = (unsigned)term_finds(c->term, l->line, l->finds, FINDS_MAX);
	l->cursor = term_cursor(c->term, &cursor);
	if (cursor.line != l->line)
		l->cursor = TERM_CURSOR_NONE;
	else
		l->cursor_column = cursor.column;
	l->focused = c->focused && l->cursor;
	l->front = term_rgb(c->term, 0, true);
	l->back = term_rgb(c->term, 0, false);
}

static uint64_t sum(uint64_t h, const void *data, size_t len)
{
	const uint32_t *words = data;

	for (size_t i = 0; i < len / sizeof(*words); i++)
		h = (h ^ words[i]) * UINT64_C(0x9e3779b97f4a7c15) ^ h >> 29;
	return h;
}

static uint64_t sum_of(const struct look *l)
{
	const uint32_t rest[] = {l->columns,	   l->count,  l->selected[0], l->selected[1], l->n_finds,
				 l->cursor_column, l->cursor, l->focused,     l->front,	      l->back};
	uint64_t h = sum(1, rest, sizeof(rest));

	h = sum(h, l->finds, l->n_finds * sizeof(l->finds[0]));
	return sum(h, l->cells, l->count * sizeof(*l->cells)) | 1;
}

struct colors {
	uint32_t front, back;
};

static bool is_found(const struct look *l, unsigned column)
{
	for (unsigned i = 0; i < l->n_finds; i++)
		if (column >= l->finds[i][0] && column < l->finds[i][1])
			return true;
	return false;
}

static struct colors colors_at(const struct console *c, const struct look *l, unsigned column)
{
	struct colors out = {l->front, l->back};

	if (column < l->count) {
		const struct term_cell *cell = &l->cells[column];

		if (cell->fg)
			out.front = term_rgb(c->term, cell->fg, true);
		if (cell->bg)
			out.back = term_rgb(c->term, cell->bg, false);
		if (cell->style & TERM_REVERSE)
			out = (struct colors){out.back, out.front};
	}
	if (column >= l->selected[0] && column < l->selected[1])
		out = (struct colors){0xf2f4f8, selected_back};
	else if (is_found(l, column))
		out = (struct colors){0xf2f4f8, find_back};
	if (l->cursor == TERM_CURSOR_BLOCK && l->focused && column == l->cursor_column)
		out = (struct colors){0x14171c, cursor_color};
	return out;
}

/* Runs of one background are one rectangle. */
static void draw_backs(const struct console *c, SDL_Renderer *r, const struct look *l, int x, int y)
{
	int width = text_width(c->host->text), height = text_height(c->host->text);
	unsigned start = 0;

	for (unsigned i = 1; i <= l->columns; i++) {
		uint32_t back = colors_at(c, l, start).back;

		if (i < l->columns && colors_at(c, l, i).back == back)
			continue;
		if (back != l->back)
			fill(r, x + (int)start * width, y, (int)(i - start) * width, height, back);
		start = i;
	}
}

static void draw_cells(const struct console *c, const struct look *l, int x, int y)
{
	int width = text_width(c->host->text);

	for (unsigned i = 0; i < l->count; i++) {
		const struct term_cell *cell = &l->cells[i];
		uint32_t characters[1 + TERM_MARKS] = {cell->character};
		unsigned n = 1;

		if (cell->style & TERM_RIGHT || (!cell->character && !(cell->style & (TERM_UNDERLINE | TERM_STRIKE))))
			continue;
		while (n <= TERM_MARKS && cell->marks[n - 1]) {
			characters[n] = cell->marks[n - 1];
			n++;
		}
		text_cluster(c->host->text, x + (int)i * width, y, characters, n, cell->style & TERM_WIDE ? 2 : 1,
			     cell->style & (TERM_BOLD | TERM_ITALIC | TERM_UNDERLINE | TERM_STRIKE),
			     color_of(colors_at(c, l, i).front));
	}
}

static void draw_cursor(const struct console *c, SDL_Renderer *r, const struct look *l, int x, int y)
{
	int width = text_width(c->host->text), height = text_height(c->host->text), line = points(c, 1.5);

	x += (int)l->cursor_column * width;
	if (l->cursor == TERM_CURSOR_UNDERLINE) {
		fill(r, x, y + height - line, width, line, cursor_color);
	} else if (l->cursor == TERM_CURSOR_BAR) {
		fill(r, x, y, line, height, cursor_color);
	} else if (l->cursor == TERM_CURSOR_BLOCK && !l->focused) {
		line = points(c, 1);
		fill(r, x, y, width, line, cursor_color);
		fill(r, x, y + height - line, width, line, cursor_color);
		fill(r, x, y, line, height, cursor_color);
		fill(r, x + width - line, y, line, height, cursor_color);
	}
}

static void draw_row(const struct console *c, SDL_Renderer *r, const struct look *l, int x, int y)
{
	fill(r, x, y, (int)l->columns * text_width(c->host->text), text_height(c->host->text), l->back);
	draw_backs(c, r, l, x, y);
	draw_cells(c, l, x, y);
	draw_cursor(c, r, l, x, y);
}

/* --- All of it --- */

void console_forget_drawn(struct console *c, bool destroy)
{
	free(c->looks);
	c->looks = NULL;
	if (destroy && c->texture)
		SDL_DestroyTexture(c->texture);
	if (destroy)
		c->texture = NULL;
}

/* Draws what looks different; into the texture, or where there is none, all of it onto the window at `at`. */
static void draw_rows(struct console *c, SDL_Renderer *r, SDL_Point at, bool all)
{
	int height = text_height(c->host->text);
	struct look l;

	for (unsigned row = 0; row < term_rows(c->term); row++) {
		uint64_t look;

		look_at(c, row, &l);
		look = sum_of(&l);
		if (!all && row < c->n_looks && c->looks[row] == look)
			continue;
		draw_row(c, r, &l, at.x + margin(c), at.y + margin(c) + (int)row * height);
		if (c->looks && row < c->n_looks)
			c->looks[row] = look;
	}
}

static void make_texture(struct console *c, SDL_Renderer *r, const SDL_Rect *area)
{
	if (c->texture && c->area.w == area->w && c->area.h == area->h)
		return;
	console_forget_drawn(c, true);
	if (SDL_RenderTargetSupported(r))
		c->texture = SDL_CreateTexture(r, SDL_PIXELFORMAT_ARGB8888, SDL_TEXTUREACCESS_TARGET, area->w, area->h);
}

static void draw_text(struct console *c, SDL_Renderer *r, const SDL_Rect *area)
{
	uint32_t back = term_rgb(c->term, 0, false);
	bool all = !c->looks;

	make_texture(c, r, area);
	c->area = *area;
	if (!c->texture || SDL_SetRenderTarget(r, c->texture)) {
		fill(r, area->x, area->y, area->w, area->h, back);
		draw_rows(c, r, (SDL_Point){area->x, area->y}, true);
		return;
	}
	if (!c->looks) {
		all = true;
		c->n_looks = term_rows(c->term);
		c->looks = calloc(c->n_looks, sizeof(*c->looks));
		c->n_looks = c->looks ? c->n_looks : 0;
	}
	if (all)
		fill(r, 0, 0, area->w, area->h, back);
	draw_rows(c, r, (SDL_Point){0, 0}, all);
	SDL_SetRenderTarget(r, NULL);
	SDL_RenderCopy(r, c->texture, NULL, area);
}

/* How far back the text is scrolled. */
static void draw_scrollbar(const struct console *c, SDL_Renderer *r, const SDL_Rect *area)
{
	uint64_t first = term_first(c->term), lines = term_end(c->term) - first;
	int height = area->h - 2 * margin(c), bar;

	if (term_view(c->term) == term_top(c->term))
		return;
	bar = (int)((uint64_t)height * term_rows(c->term) / lines);
	bar = bar > points(c, 16) ? bar : points(c, 16);
	fill(r, area->x + area->w - points(c, 4), area->y + margin(c), points(c, 3), height, 0x22272f);
	fill(r, area->x + area->w - points(c, 4),
	     area->y + margin(c) +
		     (int)((uint64_t)(height - bar) * (term_view(c->term) - first) / (term_top(c->term) - first)),
	     points(c, 3), bar, 0x5a6678);
}

static void draw_search(const struct console *c, SDL_Renderer *r, const SDL_Rect *area)
{
	struct text *t = c->host->text;
	int height = text_height(t) + points(c, 8), y = area->y + area->h - height, width = text_width(t);
	int x = area->x + margin(c), cells = (area->w - 2 * margin(c)) / width, used;
	static const char help[] = "Enter back   Shift-Enter forward   Esc close";
	const char *query = c->query;

	fill(r, area->x, y, area->w, height, 0x262c36);
	fill(r, area->x, y, area->w, points(c, 1), 0x3a4250);
	y += points(c, 4);
	used = text_line(t, x, y, "find ", cells, 0, color_of(0x8b95a5));
	used += text_line(t, x + used * width, y, query, cells - used - 1, 0, color_of(c->found ? 0xf2f4f8 : 0xf48a92));
	fill(r, x + used * width, y, points(c, 1.5), text_height(t), cursor_color);
	if (cells - used > (int)sizeof(help) + 2)
		text_line(t, area->x + area->w - margin(c) - ((int)sizeof(help) - 1) * width, y, help,
			  (int)sizeof(help), 0, color_of(0x6b7484));
}

static void draw_bell(const struct console *c, SDL_Renderer *r, const SDL_Rect *area)
{
	int line = points(c, 2);

	fill(r, area->x, area->y, area->w, line, cursor_color);
	fill(r, area->x, area->y + area->h - line, area->w, line, cursor_color);
	fill(r, area->x, area->y, line, area->h, cursor_color);
	fill(r, area->x + area->w - line, area->y, line, area->h, cursor_color);
}

void console_draw(struct console *c, SDL_Renderer *r, const SDL_Rect *area)
{
	draw_text(c, r, area);
	draw_scrollbar(c, r, area);
	if (c->searching)
		draw_search(c, r, area);
	if (c->bell_until)
		draw_bell(c, r, area);
}
