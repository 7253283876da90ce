/*
 * How large the window and the guest's picture are. Until the user gives the window a size, it has that of the guest's
 * picture; afterwards the guest is asked for a picture of the window's size, once the user has come to rest.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <biscuit/error.h>

#include "frontend/window/screen.h"
#include "frontend/window/window_internal.h"

enum { REST_MS = 200, FIRST_WIDTH = 1024, FIRST_HEIGHT = 768, LEAST_WIDTH = 320, LEAST_HEIGHT = 200 };

static const uint64_t never = UINT64_MAX;

/* X knows only pixels; desktops on it tell programs by a variable how many make a point. */
static double desktop_scale(void)
{
	const char *driver = SDL_GetCurrentVideoDriver(), *text = getenv("GDK_SCALE");
	double scale = text && driver && (!strcmp(driver, "x11") || !strcmp(driver, "dummy")) ? strtod(text, NULL) : 1;

	return scale >= 1 && scale <= 8 ? scale : 1;
}

double size_scale_of(int units, int pixels)
{
	if (units > 0 && pixels > units)
		return (double)pixels / units;
	return desktop_scale();
}

int size_create_window(struct window *w)
{
	unsigned flags = SDL_WINDOW_RESIZABLE | SDL_WINDOW_ALLOW_HIGHDPI | SDL_WINDOW_HIDDEN;

	w->own_size = w->options.width && w->options.height;
	w->fullscreen = w->options.fullscreen;
	if (w->fullscreen)
		flags |= SDL_WINDOW_FULLSCREEN_DESKTOP;
	w->sdl = SDL_CreateWindow(w->title, SDL_WINDOWPOS_UNDEFINED, SDL_WINDOWPOS_UNDEFINED, FIRST_WIDTH, FIRST_HEIGHT,
				  flags);
	if (!w->sdl)
		return bis_fail(ENODEV, "no window: %s", SDL_GetError());
	SDL_SetWindowMinimumSize(w->sdl, LEAST_WIDTH, LEAST_HEIGHT);
	return 0;
}

/* Units the screen has room for. */
static SDL_Rect room(const struct window *w)
{
	SDL_Rect r = {0, 0, FIRST_WIDTH, FIRST_HEIGHT};
	int display = SDL_GetWindowDisplayIndex(w->sdl), top = 0, left = 0, bottom = 0, right = 0;

	SDL_GetDisplayUsableBounds(display < 0 ? 0 : display, &r);
	SDL_GetWindowBordersSize(w->sdl, &top, &left, &bottom, &right);
	r.w -= left + right;
	r.h -= top + bottom;
	return r;
}

/* Makes the view's area that many pixels large, or what the screen has room for. */
static void set_area(struct window *w, int width, int height)
{
	SDL_Rect r = room(w);
	int bar = geometry_to_units(w->bar.height, w->units_height, w->height);

	width = geometry_to_units(width, w->units_width, w->width);
	height = geometry_to_units(height, w->units_height, w->height);
	geometry_limit(&width, &height, r.w, r.h - bar);
	w->set_width = width > LEAST_WIDTH ? width : LEAST_WIDTH;
	w->set_height = height + bar > LEAST_HEIGHT ? height + bar : LEAST_HEIGHT;
	SDL_SetWindowSize(w->sdl, w->set_width, w->set_height);
	frame_measure(w);
}

void size_first(struct window *w)
{
	double factor = w->options.scale > 0 ? w->options.scale : 1;
	double width = w->own_size ? w->options.width : FIRST_WIDTH * factor;
	double height = w->own_size ? w->options.height : FIRST_HEIGHT * factor;

	if (!w->fullscreen)
		set_area(w, (int)(width * w->scale), (int)(height * w->scale));
}

void size_changed(struct window *w)
{
	w->wish_due = SDL_GetTicks64() + REST_MS;
}

/* Window pixels that a guest pixel should take. */
static double wanted_factor(const struct window *w)
{
	return w->scale * (w->options.scale > 0 ? w->options.scale : 1);
}

static void fit_window(struct window *w, uint32_t width, uint32_t height)
{
	if (width == w->shown_width && height == w->shown_height)
		return;
	w->shown_width = width;
	w->shown_height = height;
	set_area(w, (int)(width * wanted_factor(w)), (int)(height * wanted_factor(w)));
}

static void wish(struct window *w, const struct view *v, uint32_t width, uint32_t height)
{
	SDL_Rect area = frame_area(w);
	uint32_t x = geometry_wish(area.w, wanted_factor(w), BIS_DISPLAY_SIDE_MAX);
	uint32_t y = geometry_wish(area.h, wanted_factor(w), BIS_DISPLAY_SIDE_MAX);

	if (!screen_can_resize(v) || (x == w->wish_width && y == w->wish_height))
		return;
	w->wish_width = x;
	w->wish_height = y;
	if (x != width || y != height)
		screen_wish(v, x, y);
}

/* The window has rested. */
static void settle(struct window *w, const struct view *v, uint32_t width, uint32_t height)
{
	w->wish_due = never;
	if (!w->fullscreen && w->set_width && (w->units_width != w->set_width || w->units_height != w->set_height))
		w->own_size = true;
	if (width && (w->own_size || w->fullscreen))
		wish(w, v, width, height);
}

void size_follow(struct window *w, uint64_t now)
{
	struct view *v = views_current(w);
	uint32_t width, height;

	if (!screen_is(v)) {
		if (w->wish_due <= now)
			settle(w, NULL, 0, 0);
		return;
	}
	if (!screen_size(v, &width, &height)) {
		w->shown_width = w->shown_height = w->wish_width = w->wish_height = 0;
	} else if (!w->own_size && !w->fullscreen && w->wish_due == never) {
		fit_window(w, width, height);
	} else if (w->wish_due == never && !w->wish_width) {
		w->wish_due = now;
	}
	if (w->wish_due <= now)
		settle(w, v, width, height);
}
