/* The window's title: what runs, how it goes, how fast, and how to get the mouse back. */
#include <stdio.h>
#include <string.h>

#include "frontend/window/screen.h"
#include "frontend/window/window_internal.h"

#define TICK_MS 1000u

static const char *state_name(enum bis_run_state state)
{
	switch (state) {
	case BIS_CREATED:
		return "not started";
	case BIS_RUNNING:
		return "running";
	case BIS_PAUSED:
		return "paused";
	case BIS_STOPPED:
		break;
	}
	return "ended";
}

/* Millions of instructions in a second of machine time. */
static void measure(struct window *w)
{
	uint64_t now = bis_machine_now(w->machine), instret = 0;

	for (unsigned i = 0; i < bis_machine_harts(w->machine); i++)
		instret += bis_hart_instret(bis_machine_hart(w->machine, i));
	w->mips = 0;
	if (now > w->instret_time && instret >= w->instret)
		w->mips = (double)(instret - w->instret) * 1000 / (double)(now - w->instret_time);
	w->instret = instret;
	w->instret_time = now;
}

static const char *mouse_hint(struct window *w)
{
	if (SDL_GetRelativeMouseMode() || SDL_GetWindowMouseGrab(w->sdl))
		return " - Ctrl-Alt-G releases the mouse";
	if (screen_is(views_current(w)) && screen_needs_grab(views_current(w)))
		return " - a click takes the mouse";
	return "";
}

static void set_caption(struct window *w)
{
	enum bis_run_state state = bis_machine_state(w->machine);
	char caption[TITLE_MAX], speed[32] = "";

	if (state == BIS_RUNNING)
		snprintf(speed, sizeof(speed), ", %.*f MIPS", w->mips >= 9.95 || w->mips < 0.05 ? 0 : 1, w->mips);
	snprintf(caption, sizeof(caption), "%s - %s%s%s", w->title, state_name(state), speed, mouse_hint(w));
	if (!strcmp(caption, w->caption))
		return;
	memcpy(w->caption, caption, sizeof(caption));
	SDL_SetWindowTitle(w->sdl, caption);
}

bool caption_tick(struct window *w, uint64_t now)
{
	enum bis_run_state state = bis_machine_state(w->machine);
	bool grabbed = SDL_GetRelativeMouseMode() || SDL_GetWindowMouseGrab(w->sdl);
	bool changed = state != w->state || grabbed != w->grabbed;

	if (!changed && now < w->tick)
		return false;
	if (now >= w->tick) {
		measure(w);
		w->tick = now + TICK_MS;
	}
	set_caption(w);
	changed = state != w->state;
	w->state = state;
	w->grabbed = grabbed;
	return changed;
}
