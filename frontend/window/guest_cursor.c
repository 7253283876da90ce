/*
 * The guest's cursor: the host's pointer looks like it where the guest follows the host's pointer; otherwise it is
 * drawn where the guest has it. On the window's thread.
 */
#include <math.h>

#include "frontend/window/screen_internal.h"

#define LARGEST 256 /* pixels a host's pointer may take each way; larger ones are drawn */

static double scale_of(const struct screen *s)
{
	return s->view.width ? (double)s->place.width / s->view.width : 1;
}

static void forget_sdl(struct guest_cursor *c)
{
	if (c->in_use)
		SDL_SetCursor(SDL_GetDefaultCursor());
	c->in_use = false;
	if (c->sdl)
		SDL_FreeCursor(c->sdl);
	c->sdl = NULL;
}

void guest_cursor_renew(struct guest_cursor *c)
{
	if (c->texture)
		SDL_DestroyTexture(c->texture);
	c->texture = NULL;
}

static void fetch_image(struct screen *s)
{
	struct guest_cursor *c = &s->cursor;

	if (c->known && c->number == s->view.cursor)
		return;
	bis_viewer_cursor(s->viewer, &c->image);
	c->number = s->view.cursor;
	c->known = true;
	forget_sdl(c);
	guest_cursor_renew(c);
}

static SDL_Surface *surface_of(struct bis_cursor *image)
{
	return SDL_CreateRGBSurfaceWithFormatFrom(image->pixels, (int)image->width, (int)image->height, 32,
						  (int)image->width * 4, SDL_PIXELFORMAT_ARGB8888);
}

static SDL_Cursor *make_scaled(SDL_Surface *small, const struct bis_cursor *image, double scale)
{
	int width = (int)ceil(image->width * scale), height = (int)ceil(image->height * scale);
	SDL_Surface *large = NULL;
	SDL_Cursor *cursor = NULL;

	if (width >= 1 && height >= 1 && width <= LARGEST && height <= LARGEST)
		large = SDL_CreateRGBSurfaceWithFormat(0, width, height, 32, SDL_PIXELFORMAT_ARGB8888);
	if (large) {
		SDL_SetSurfaceBlendMode(small, SDL_BLENDMODE_NONE);
		if (!SDL_BlitScaled(small, NULL, large, NULL))
			cursor = SDL_CreateColorCursor(large, (int)(image->hot_x * scale), (int)(image->hot_y * scale));
	}
	SDL_FreeSurface(large);
	return cursor;
}

static bool have_sdl(struct screen *s)
{
	struct guest_cursor *c = &s->cursor;
	double scale = scale_of(s);
	SDL_Surface *image;

	if (c->sdl && fabs(c->scale - scale) < 1e-9)
		return true;
	forget_sdl(c);
	image = surface_of(&c->image);
	if (image)
		c->sdl = make_scaled(image, &c->image, scale);
	SDL_FreeSurface(image);
	c->scale = scale;
	return c->sdl != NULL;
}

void guest_cursor_update(struct screen *s)
{
	struct guest_cursor *c = &s->cursor;
	bool use = s->focused && s->inside && s->view.cursor_shown && !SDL_GetRelativeMouseMode();

	if (s->view.cursor_shown)
		fetch_image(s);
	use = use && (bis_input_kinds(s->machine) & 1u << BIS_INPUT_ABSOLUTE) && have_sdl(s);
	if (use == c->in_use)
		return;
	SDL_SetCursor(use ? c->sdl : SDL_GetDefaultCursor());
	c->in_use = use;
	c->changed = true;
}

void guest_cursor_draw(struct screen *s, SDL_Renderer *r)
{
	struct guest_cursor *c = &s->cursor;
	SDL_Surface *image;
	double scale = scale_of(s);
	SDL_Rect to;

	if (c->in_use || !s->view.cursor_shown || !c->known || !c->image.width)
		return;
	if (!c->texture) {
		image = surface_of(&c->image);
		c->texture = image ? SDL_CreateTextureFromSurface(r, image) : NULL;
		SDL_FreeSurface(image);
		if (!c->texture)
			return;
		SDL_SetTextureBlendMode(c->texture, SDL_BLENDMODE_BLEND);
	}
	to.x = s->place.x + (int)floor(((double)s->view.cursor_x - c->image.hot_x) * scale);
	to.y = s->place.y + (int)floor(((double)s->view.cursor_y - c->image.hot_y) * scale);
	to.w = (int)ceil(c->image.width * scale);
	to.h = (int)ceil(c->image.height * scale);
	SDL_RenderCopy(r, c->texture, NULL, &to);
}

void guest_cursor_destroy(struct guest_cursor *c)
{
	forget_sdl(c);
	guest_cursor_renew(c);
}
