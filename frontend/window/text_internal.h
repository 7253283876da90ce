/* Inside of text.c: faces, the glyphs that are kept, lines and blocks that are drawn. See text.h. */
#ifndef BISCUIT_WINDOW_TEXT_INTERNAL_H
#define BISCUIT_WINDOW_TEXT_INTERNAL_H

#include <SDL_ttf.h>

#include "frontend/window/text.h"

#define TEXT_MARKS 2 /* combining characters of a glyph; further ones are left out */

/* --- text_face.c: fonts that fontconfig finds --- */

struct faces;

/* `pixels`: height of an em. -ENOENT, -ENOMEM, with message. */
BIS_MUST_CHECK int faces_create(int pixels, struct faces **out);
void faces_destroy(struct faces *f); /* NULL is allowed */
void faces_cell(const struct faces *f, int *width, int *height, int *ascent);
/* A font that has the character, in that style if there is one; `style`: TEXT_BOLD, TEXT_ITALIC. NULL: none has it. */
TTF_Font *faces_for(struct faces *f, uint32_t character, unsigned style);

/* --- text_atlas.c: glyphs in a texture, the one longest unused making room --- */

struct glyph_key {
	uint32_t characters[1 + TEXT_MARKS]; /* 0 behind the last */
	uint32_t style;			     /* TEXT_BOLD, TEXT_ITALIC; `cells` above them */
};

struct atlas;

/* A slot is `width` x `height` pixels. -ENOMEM with message. */
BIS_MUST_CHECK int atlas_create(SDL_Renderer *r, int width, int height, struct atlas **out);
void atlas_destroy(struct atlas *a); /* NULL is allowed */
SDL_Texture *atlas_texture(const struct atlas *a);
/* Where the glyph is. *fresh: it is not there yet, and atlas_put makes it so. */
SDL_Rect atlas_find(struct atlas *a, const struct glyph_key *key, bool *fresh);
/* Pixels (ARGB8888) of a slot, without gaps. */
void atlas_put(struct atlas *a, const SDL_Rect *slot, const uint32_t *pixels);

/* --- text_box.c: lines and blocks, which have to meet those of the next cell --- */

/* False: it is none of them. */
bool text_box(SDL_Renderer *r, const SDL_Rect *cell, uint32_t character, SDL_Color color);

#endif
