/* The renderer, its letters, and what is drawn around the view that is shown. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <biscuit/error.h>

#include "frontend/window/screen.h"
#include "frontend/window/window_internal.h"

/* --- The renderer --- */

/* OpenGL without a graphics card draws slower than SDL's own software renderer, and keeps every core busy. */
static bool is_emulated(SDL_Renderer *r)
{
	enum { GL_RENDERER_NAME = 0x1f01 };
	static const char *const slow[] = {"llvmpipe", "softpipe", "swrast", "Software Rasterizer", "SwiftShader"};
	const unsigned char *(*get_string)(unsigned) = NULL;
	const char *name = NULL;
	SDL_RendererInfo info;

	if (SDL_GetRendererInfo(r, &info) || strncmp(info.name, "opengl", strlen("opengl")) != 0)
		return false;
	*(void **)&get_string = SDL_GL_GetProcAddress("glGetString");
	if (get_string)
		name = (const char *)get_string(GL_RENDERER_NAME);
	for (size_t i = 0; name && i < sizeof(slow) / sizeof(slow[0]); i++)
		if (strstr(name, slow[i]))
			return true;
	return false;
}

static SDL_Renderer *create_renderer(SDL_Window *w)
{
	const char *wish = SDL_GetHint(SDL_HINT_RENDER_DRIVER);
	SDL_Renderer *r = SDL_CreateRenderer(w, -1, 0);

	if (r && (wish && *wish))
		return r;
	if (r && is_emulated(r)) {
		SDL_DestroyRenderer(r);
		r = NULL;
	}
	return r ? r : SDL_CreateRenderer(w, -1, SDL_RENDERER_SOFTWARE);
}

/* --- The renderer gone --- */

enum { RETRY_MS = 1000 };

/* Draws to nowhere, in place of a renderer that is gone until there is one again. */
static SDL_Renderer *create_nowhere(struct window *w)
{
	if (!w->nowhere)
		w->nowhere = SDL_CreateRGBSurfaceWithFormat(0, 1, 1, 32, SDL_PIXELFORMAT_RGB888);
	return w->nowhere ? SDL_CreateSoftwareRenderer(w->nowhere) : NULL;
}

/* Goes on with `next`; of the one before nothing is left. False: everything is as it was. */
static bool change_renderer(struct window *w, SDL_Renderer *next)
{
	SDL_Renderer *before = w->renderer;

	for (unsigned i = 0; i < w->n_tabs; i++)
		w->tabs[i].view.ops->renew(w->tabs[i].view.self);
	if (text_renew(w->text, next, LETTERS, w->scale))
		return false;
	w->renderer = next;
	SDL_DestroyRenderer(before);
	return true;
}

/* A window has one renderer at a time: the old one has to go before there can be another. */
static void replace_renderer(struct window *w)
{
	SDL_Renderer *next = w->lost ? NULL : create_nowhere(w);

	if (next && !change_renderer(w, next)) {
		SDL_DestroyRenderer(next);
		return;
	}
	w->lost = w->lost || next;
	next = w->lost ? create_renderer(w->sdl) : NULL;
	if (next && change_renderer(w, next))
		w->lost = false;
	else if (next)
		SDL_DestroyRenderer(next);
}

void frame_mend(struct window *w, uint64_t now)
{
	if (now < w->mend_due)
		return;
	replace_renderer(w);
	w->mended = now;
	w->mend_due = w->lost ? now + RETRY_MS : UINT64_MAX;
	frame_measure(w);
	w->redraw = true;
}

/* --- Making and unmaking --- */

int frame_create(struct window *w)
{
	int err;

	w->renderer = create_renderer(w->sdl);
	if (!w->renderer)
		return bis_fail(ENODEV, "no renderer: %s", SDL_GetError());
	frame_measure(w);
	err = text_create(w->renderer, LETTERS, w->scale, &w->text);
	if (err) {
		SDL_DestroyRenderer(w->renderer);
		return err;
	}
	w->bar_shown = !w->fullscreen;
	w->bar.height = bar_height(text_height(w->text));
	w->host = (struct view_host){.debug = w->debug,
				     .text = w->text,
				     .scale = w->scale,
				     .wake = window_wake,
				     .tell = window_tell,
				     .arg = w};
	return 0;
}

void frame_destroy(struct window *w)
{
	text_destroy(w->text);
	SDL_DestroyRenderer(w->renderer);
	SDL_FreeSurface(w->nowhere);
}

static void renew_text(struct window *w)
{
	if (text_renew(w->text, w->renderer, LETTERS, w->scale))
		window_tell(w, bis_error_message());
	w->bar.height = bar_height(text_height(w->text));
}

void frame_renew(struct window *w)
{
	renew_text(w);
	for (unsigned i = 0; i < w->n_tabs; i++)
		w->tabs[i].view.ops->renew(w->tabs[i].view.self);
	w->redraw = true;
}

void frame_measure(struct window *w)
{
	double scale;

	SDL_GetWindowSize(w->sdl, &w->units_width, &w->units_height);
	if (w->lost || SDL_GetRendererOutputSize(w->renderer, &w->width, &w->height)) {
		w->width = w->units_width;
		w->height = w->units_height;
	}
	scale = size_scale_of(w->units_width, w->width);
	if (w->text && scale != w->scale) {
		w->scale = w->host.scale = scale;
		renew_text(w);
	}
	w->scale = scale;
	if (w->n_tabs) {
		views_resized(w);
		frame_bar(w);
	}
}

SDL_Rect frame_area(const struct window *w)
{
	int top = w->fullscreen ? 0 : w->bar.height;
	SDL_Rect area = {0, top, w->width > 1 ? w->width : 1, w->height > top ? w->height - top : 1};

	return area;
}

/* --- The bar --- */

void frame_bar(struct window *w)
{
	bool paused = bis_machine_state(w->machine) == BIS_PAUSED;

	bar_clear(&w->bar);
	for (unsigned i = 0; i < w->n_tabs; i++)
		if (views_offered(w, i))
			bar_add(&w->bar, BAR_VIEW, i, i == w->current, views_label(w, i));
	bar_add(&w->bar, BAR_PAUSE, 0, paused, paused ? "resume" : "pause");
	bar_add(&w->bar, BAR_SCREENSHOT, 0, false, "picture");
	bar_add(&w->bar, BAR_FULLSCREEN, 0, w->fullscreen, w->fullscreen ? "window" : "full screen");
	bar_layout(&w->bar, text_width(w->text), text_height(w->text), w->width);
	w->redraw = true;
}

/* --- Drawing --- */

static int letters_of(const char *utf8)
{
	int n = 0;

	for (; *utf8; utf8++)
		n += (*utf8 & 0xc0) != 0x80;
	return n;
}

static void draw_line(struct window *w)
{
	int cell = text_width(w->text), height = bar_height(text_height(w->text)), cells = letters_of(w->line);
	SDL_Rect box = {0, w->height - height, (cells + 2) * cell, height};
	SDL_Color letters = {255, 255, 255, 255};

	if (box.w > w->width) {
		box.w = w->width;
		cells = w->width / cell - 2;
	}
	SDL_SetRenderDrawBlendMode(w->renderer, SDL_BLENDMODE_BLEND);
	SDL_SetRenderDrawColor(w->renderer, 20, 21, 24, 225);
	SDL_RenderFillRect(w->renderer, &box);
	SDL_SetRenderDrawBlendMode(w->renderer, SDL_BLENDMODE_NONE);
	if (cells > 0)
		text_line(w->text, cell, box.y + (height - text_height(w->text)) / 2, w->line, cells, 0, letters);
}

void frame_draw(struct window *w)
{
	struct view *v = views_current(w);
	SDL_Rect area = frame_area(w);

	if (screen_is(v))
		screen_set_scale(v, w->options.scale > 0 ? w->options.scale * w->scale : 0, w->fit);
	SDL_RenderSetClipRect(w->renderer, &area);
	v->ops->draw(v->self, w->renderer, &area);
	SDL_RenderSetClipRect(w->renderer, NULL);
	if (w->bar_shown)
		bar_draw(&w->bar, w->renderer, w->text, w->width);
	if (*w->line)
		draw_line(w);
	if (SDL_RenderFlush(w->renderer) && w->mend_due == UINT64_MAX)
		w->mend_due = w->mended + RETRY_MS;
	else
		SDL_RenderPresent(w->renderer);
}
