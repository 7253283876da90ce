/* A view of the window without a window: drawn by SDL's software renderer into memory, before a machine that sleeps. */
#ifndef BISCUIT_UNIT_VIEW_RIG_H
#define BISCUIT_UNIT_VIEW_RIG_H

#include <SDL.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <biscuit/builtin.h>
#include <biscuit/machine.h>

#include "frontend/debug/debug.h"
#include "frontend/window/text.h"
#include "frontend/window/view.h"
#include "tests/unit/asm.h"
#include "tests/unit/unit.h"

struct view_rig {
	struct bis_machine *machine;
	struct debug *debug;
	SDL_Surface *surface;
	SDL_Renderer *renderer;
	SDL_Rect area;
	struct text *text;
	struct view_host host;
	struct view view;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	unsigned wakes;
	char told[256];
};

static inline void view_rig_wake(void *arg)
{
	struct view_rig *r = arg;

	pthread_mutex_lock(&r->lock);
	r->wakes++;
	pthread_cond_signal(&r->changed);
	pthread_mutex_unlock(&r->lock);
}

static inline void view_rig_tell(void *arg, const char *line)
{
	struct view_rig *r = arg;

	snprintf(r->told, sizeof(r->told), "%s", line);
}

static inline void view_rig_machine(struct view_rig *r, unsigned harts)
{
	static const uint32_t sleeps[] = {WFI, J(-4)};
	struct bis_machine_config cfg = {.harts = harts, .ram_size = 8u << 20, .classes = bis_builtin_modules};

	assert_int_equal(bis_machine_create(&cfg, &r->machine), 0);
	assert_int_equal(bis_board_virt(r->machine), 0);
	assert_int_equal(bis_mem_write(bis_machine_memory(r->machine), (bis_gpa){BIS_RAM_BASE}, sleeps, sizeof(sleeps)),
			 0);
	assert_int_equal(debug_create(r->machine, &r->debug), 0);
}

/* False: there is no font. */
static inline bool view_rig_begin(struct view_rig *r, unsigned harts, int width, int height)
{
	int err;

	memset(r, 0, sizeof(*r));
	pthread_mutex_init(&r->lock, NULL);
	pthread_cond_init(&r->changed, NULL);
	setenv("SDL_VIDEODRIVER", "dummy", 1);
	assert_int_equal(SDL_Init(SDL_INIT_VIDEO), 0);
	view_rig_machine(r, harts);
	r->area = (SDL_Rect){0, 0, width, height};
	r->surface = SDL_CreateRGBSurfaceWithFormat(0, width, height, 32, SDL_PIXELFORMAT_XRGB8888);
	r->renderer = SDL_CreateSoftwareRenderer(r->surface);
	assert_non_null(r->renderer);
	err = text_create(r->renderer, 11, 1, &r->text);
	assert_true(!err || err == -ENOENT);
	r->host = (struct view_host){
		.debug = r->debug, .text = r->text, .scale = 1, .wake = view_rig_wake, .tell = view_rig_tell, .arg = r};
	return !err;
}

static inline void view_rig_end(struct view_rig *r)
{
	if (r->view.ops)
		r->view.ops->destroy(r->view.self);
	text_destroy(r->text);
	SDL_DestroyRenderer(r->renderer);
	SDL_FreeSurface(r->surface);
	debug_destroy(r->debug);
	bis_machine_destroy(r->machine);
	SDL_Quit();
	pthread_cond_destroy(&r->changed);
	pthread_mutex_destroy(&r->lock);
}

static inline bool view_rig_update(struct view_rig *r, bool shown, int *again)
{
	int unused;

	return r->view.ops->update(r->view.self, shown, again ? again : &unused);
}

static inline void view_rig_draw(struct view_rig *r)
{
	r->view.ops->draw(r->view.self, r->renderer, &r->area);
	SDL_RenderPresent(r->renderer);
}

static inline uint32_t view_rig_pixel(const struct view_rig *r, int x, int y)
{
	return ((const uint32_t *)((const uint8_t *)r->surface->pixels + y * r->surface->pitch))[x] & 0xffffff;
}

/* Pixels of a rectangle in that colour. */
static inline unsigned view_rig_count(const struct view_rig *r, SDL_Rect rect, uint32_t rgb)
{
	unsigned n = 0;

	for (int y = rect.y; y < rect.y + rect.h && y < r->area.h; y++)
		for (int x = rect.x; x < rect.x + rect.w && x < r->area.w; x++)
			n += view_rig_pixel(r, x, y) == rgb;
	return n;
}

static inline bool view_rig_event(struct view_rig *r, SDL_Event e)
{
	return r->view.ops->event(r->view.self, &e, &r->area);
}

static inline bool view_rig_key(struct view_rig *r, SDL_Keycode key, unsigned modifiers)
{
	SDL_Event e = {.type = SDL_KEYDOWN};

	e.key.keysym.sym = key;
	e.key.keysym.mod = (Uint16)modifiers;
	SDL_SetModState((SDL_Keymod)modifiers);
	return view_rig_event(r, e);
}

static inline bool view_rig_text(struct view_rig *r, const char *utf8)
{
	SDL_Event e = {.type = SDL_TEXTINPUT};

	SDL_SetModState(KMOD_NONE);
	snprintf(e.text.text, sizeof(e.text.text), "%s", utf8);
	return view_rig_event(r, e);
}

static inline bool view_rig_button(struct view_rig *r, int x, int y, bool down, unsigned clicks)
{
	SDL_Event e = {.type = down ? SDL_MOUSEBUTTONDOWN : SDL_MOUSEBUTTONUP};

	e.button.button = SDL_BUTTON_LEFT;
	e.button.clicks = (Uint8)clicks;
	e.button.x = x;
	e.button.y = y;
	return view_rig_event(r, e);
}

static inline bool view_rig_motion(struct view_rig *r, int x, int y)
{
	SDL_Event e = {.type = SDL_MOUSEMOTION};

	e.motion.x = x;
	e.motion.y = y;
	return view_rig_event(r, e);
}

#endif
