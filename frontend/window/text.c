/* Letters in a window; see text.h. */
#include "frontend/window/text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <biscuit/error.h>

#include "frontend/window/text_internal.h"
#include "frontend/window/utf8.h"

#define PIXELS_MIN 6
#define PIXELS_MAX 128

struct text {
	SDL_Renderer *renderer;
	struct faces *faces;
	struct atlas *atlas;
	int width, height, ascent; /* of a cell */
	int line;		   /* thickness of an underline */
	uint32_t *slot;		   /* pixels of a glyph while it is made: two cells */
};

/* --- Lifecycle --- */

static int open_all(struct text *t, SDL_Renderer *r, double points, double scale)
{
	double pixels = points * scale + 0.5;
	int err = faces_create(pixels < PIXELS_MIN   ? PIXELS_MIN
			       : pixels > PIXELS_MAX ? PIXELS_MAX
						     : (int)pixels,
			       &t->faces);

	if (err)
		return err;
	faces_cell(t->faces, &t->width, &t->height, &t->ascent);
	t->line = t->height / 16 > 1 ? t->height / 16 : 1;
	t->renderer = r;
	t->slot = calloc((size_t)t->width * 2 * (size_t)t->height, sizeof(*t->slot));
	if (!t->slot)
		return bis_fail(ENOMEM, "no memory for the letters of the window");
	return atlas_create(r, t->width * 2, t->height, &t->atlas);
}

static void close_all(struct text *t)
{
	atlas_destroy(t->atlas);
	faces_destroy(t->faces);
	free(t->slot);
	*t = (struct text){0};
}

int text_create(SDL_Renderer *r, double points, double scale, struct text **out)
{
	struct text *t = calloc(1, sizeof(*t));
	int err;

	if (!t)
		return bis_fail(ENOMEM, "no memory for the letters of the window");
	err = open_all(t, r, points, scale);
	if (err) {
		text_destroy(t);
		return err;
	}
	*out = t;
	return 0;
}

void text_destroy(struct text *t)
{
	if (!t)
		return;
	close_all(t);
	free(t);
}

int text_renew(struct text *t, SDL_Renderer *r, double points, double scale)
{
	struct text new = {0};
	int err = open_all(&new, r, points, scale);

	if (err) {
		close_all(&new);
		return err;
	}
	close_all(t);
	*t = new;
	return 0;
}

int text_width(const struct text *t)
{
	return t->width;
}

int text_height(const struct text *t)
{
	return t->height;
}

/* --- Glyphs --- */

/* Copies what of the surface lies in the slot, its baseline on that of the cell. */
static void copy_in(struct text *t, SDL_Surface *from, int x, int y, int width)
{
	for (int row = 0; row < from->h; row++) {
		const uint32_t *line = (const uint32_t *)((const uint8_t *)from->pixels + row * from->pitch);

		if (y + row < 0 || y + row >= t->height)
			continue;
		for (int i = 0; i < from->w; i++)
			if (x + i >= 0 && x + i < width)
				t->slot[(y + row) * t->width * 2 + x + i] = line[i];
	}
}

static void make_glyph(struct text *t, const struct glyph_key *key, int width)
{
	static const SDL_Color white = {255, 255, 255, 255};
	const uint32_t unknown[1 + TEXT_MARKS] = {0xfffd}, *characters = key->characters;
	TTF_Font *font = faces_for(t->faces, characters[0], key->style);
	char text[(1 + TEXT_MARKS) * UTF8_MAX + 1];
	SDL_Surface *made, *argb;
	size_t n = 0;

	memset(t->slot, 0, (size_t)t->width * 2 * (size_t)t->height * sizeof(*t->slot));
	if (!font) {
		characters = unknown;
		font = faces_for(t->faces, characters[0], 0);
	}
	for (unsigned i = 0; i < 1 + TEXT_MARKS && characters[i]; i++)
		n += utf8_put(characters[i], text + n);
	text[n] = '\0';
	made = font ? TTF_RenderUTF8_Blended(font, text, white) : NULL;
	argb = made ? SDL_ConvertSurfaceFormat(made, SDL_PIXELFORMAT_ARGB8888, 0) : NULL;
	if (argb)
		copy_in(t, argb, (width - argb->w) / 2, t->ascent - TTF_FontAscent(font), width);
	SDL_FreeSurface(made);
	SDL_FreeSurface(argb);
}

static void draw_lines(struct text *t, int x, int y, int width, unsigned style, SDL_Color color)
{
	SDL_Rect line = {x, y + t->ascent + t->line, width, t->line};

	SDL_SetRenderDrawColor(t->renderer, color.r, color.g, color.b, color.a);
	if (style & TEXT_UNDERLINE)
		SDL_RenderFillRect(t->renderer, &line);
	line.y = y + t->ascent * 2 / 3;
	if (style & TEXT_STRIKE)
		SDL_RenderFillRect(t->renderer, &line);
}

void text_cluster(struct text *t, int x, int y, const uint32_t *characters, unsigned count, unsigned cells,
		  unsigned style, SDL_Color color)
{
	struct glyph_key key = {.style = (style & (TEXT_BOLD | TEXT_ITALIC)) | (cells > 1 ? 2u : 1u) << 8};
	int width = cells > 1 ? t->width * 2 : t->width;
	SDL_Rect to = {x, y, width, t->height}, slot;
	bool fresh;

	if (style & (TEXT_UNDERLINE | TEXT_STRIKE))
		draw_lines(t, x, y, width, style, color);
	if (!count || characters[0] <= ' ' || text_box(t->renderer, &to, characters[0], color))
		return;
	for (unsigned i = 0; i < count && i < 1 + TEXT_MARKS; i++)
		key.characters[i] = characters[i];
	slot = atlas_find(t->atlas, &key, &fresh);
	if (fresh) {
		make_glyph(t, &key, width);
		atlas_put(t->atlas, &slot, t->slot);
	}
	slot.w = width;
	SDL_SetTextureColorMod(atlas_texture(t->atlas), color.r, color.g, color.b);
	SDL_SetTextureAlphaMod(atlas_texture(t->atlas), color.a);
	SDL_RenderCopy(t->renderer, atlas_texture(t->atlas), &slot, &to);
}

/* --- Lines --- */

/* Cells a character takes: 0, 1 or 2. The console knows better; this is for names and titles. */
static unsigned cells_of(uint32_t c)
{
	static const uint32_t wide[][2] = {{0x1100, 0x115f},   {0x2e80, 0x303e},   {0x3041, 0xa4cf},  {0xac00, 0xd7a3},
					   {0xf900, 0xfaff},   {0xfe30, 0xfe6f},   {0xff01, 0xff60},  {0xffe0, 0xffe6},
					   {0x1f300, 0x1f64f}, {0x1f900, 0x1f9ff}, {0x20000, 0x3fffd}};

	if ((c >= 0x300 && c < 0x370) || (c >= 0x200b && c < 0x2010) || (c >= 0xfe00 && c < 0xfe10))
		return 0;
	for (size_t i = 0; i < BIS_ARRAY_SIZE(wide); i++)
		if (c >= wide[i][0] && c <= wide[i][1])
			return 2;
	return 1;
}

int text_line(struct text *t, int x, int y, const char *utf8, int cells, unsigned style, SDL_Color color)
{
	const char *end = utf8 + strlen(utf8);
	int taken = 0;

	while (utf8 < end) {
		uint32_t characters[1 + TEXT_MARKS] = {utf8_next(&utf8, end)};
		unsigned n = 1, width = cells_of(characters[0]);

		while (utf8 < end) {
			const char *next = utf8;
			uint32_t mark = utf8_next(&next, end);

			if (cells_of(mark))
				break;
			if (n < 1 + TEXT_MARKS)
				characters[n++] = mark;
			utf8 = next;
		}
		width = width ? width : 1;
		if (taken + (int)width > cells)
			break;
		text_cluster(t, x + taken * t->width, y, characters, n, width, style, color);
		taken += (int)width;
	}
	return taken;
}
