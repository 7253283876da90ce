/*
 * Letters in a window: a monospaced font found through fontconfig, drawn glyph by glyph from a texture that keeps them.
 * On the window's thread.
 */
#ifndef BISCUIT_WINDOW_TEXT_H
#define BISCUIT_WINDOW_TEXT_H

#include <SDL.h>
#include <stdbool.h>

#include <biscuit/types.h>

struct text;

enum text_style { TEXT_BOLD = 1, TEXT_ITALIC = 2, TEXT_UNDERLINE = 4, TEXT_STRIKE = 8 };

/* `points`: the height of the font; `scale`: pixels a point takes. -ENOENT (no monospaced font), -ENOMEM, with message.
 */
BIS_MUST_CHECK int text_create(SDL_Renderer *r, double points, double scale, struct text **out);
void text_destroy(struct text *t); /* NULL is allowed */
/* Another renderer or scale: the glyphs are made anew. */
BIS_MUST_CHECK int text_renew(struct text *t, SDL_Renderer *r, double points, double scale);
/* Pixels a character cell takes. */
int text_width(const struct text *t);
int text_height(const struct text *t);
/*
 * Draws one character with its cell's upper left corner at x, y; `cells` 2 for a wide one. characters[0] is the one
 * that the others, combining characters, belong to.
 */
void text_cluster(struct text *t, int x, int y, const uint32_t *characters, unsigned count, unsigned cells,
		  unsigned style, SDL_Color color);
/* Draws UTF-8 in cells from x, y on, at most `cells` of them; how many it took. */
int text_line(struct text *t, int x, int y, const char *utf8, int cells, unsigned style, SDL_Color color);

#endif
