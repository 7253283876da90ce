/*
 * What SDL tells the window: coordinates become pixels of the renderer, motion is gathered, and what is not for the
 * window itself goes to the view that is shown.
 */
#include "frontend/window/window_internal.h"

static void to_view(struct window *w, const SDL_Event *e)
{
	struct view *v = views_current(w);
	SDL_Rect area = frame_area(w);

	if (v->ops->event(v->self, e, &area))
		w->tabs[w->current].due = 0;
}

/* --- The pointer --- */

static int pixels_x(const struct window *w, int x)
{
	return geometry_to_pixels(x, w->units_width, w->width);
}

static int pixels_y(const struct window *w, int y)
{
	return geometry_to_pixels(y, w->units_height, w->height);
}

/* In full screen the bar comes when the pointer is at the upper edge, and goes when it has left the bar. */
static void show_bar(struct window *w, int y)
{
	bool show = !w->fullscreen || (w->bar_shown ? y < w->bar.height : y <= 0);

	if (SDL_GetRelativeMouseMode())
		show = !w->fullscreen;
	if (show == w->bar_shown)
		return;
	w->bar_shown = show;
	w->redraw = true;
	if (!w->fullscreen)
		views_resized(w);
}

static bool over_bar(const struct window *w, int y)
{
	return w->bar_shown && !SDL_GetRelativeMouseMode() && y < w->bar.height;
}

void events_flush(struct window *w)
{
	SDL_Event e = w->motion;
	bool on_bar;

	if (!e.type)
		return;
	w->motion.type = 0;
	if (!SDL_GetRelativeMouseMode())
		show_bar(w, e.motion.y);
	on_bar = over_bar(w, e.motion.y) && !e.motion.state;
	if (bar_point(&w->bar, on_bar ? e.motion.x : -1, on_bar ? e.motion.y : -1))
		w->redraw = true;
	to_view(w, &e);
}

static void on_motion(struct window *w, const SDL_Event *e)
{
	int x = w->motion.type ? w->motion.motion.xrel : 0, y = w->motion.type ? w->motion.motion.yrel : 0;

	w->motion = *e;
	w->motion.motion.x = pixels_x(w, e->motion.x);
	w->motion.motion.y = pixels_y(w, e->motion.y);
	w->motion.motion.xrel += x;
	w->motion.motion.yrel += y;
}

static void on_button(struct window *w, SDL_Event *e)
{
	bool down = e->type == SDL_MOUSEBUTTONDOWN;
	const struct bar_item *item;

	e->button.x = pixels_x(w, e->button.x);
	e->button.y = pixels_y(w, e->button.y);
	if (down && over_bar(w, e->button.y)) {
		w->bar_pressed = true;
		item = bar_at(&w->bar, e->button.x, e->button.y);
		if (item && e->button.button == SDL_BUTTON_LEFT)
			actions_bar(w, item);
	} else if (!down && w->bar_pressed) {
		w->bar_pressed = false;
	} else {
		to_view(w, e);
	}
}

/* --- The window --- */

static void on_focus(struct window *w, bool focused)
{
	struct view *v = views_current(w);

	if (v->ops->focus)
		v->ops->focus(v->self, focused);
	w->redraw = true;
}

static void set_visible(struct window *w, bool visible)
{
	if (visible != w->visible)
		w->tabs[w->current].due = 0;
	w->visible = visible;
	w->redraw = true;
}

static void on_window(struct window *w, const SDL_Event *e)
{
	switch (e->window.event) {
	case SDL_WINDOWEVENT_SHOWN:
	case SDL_WINDOWEVENT_RESTORED:
	case SDL_WINDOWEVENT_EXPOSED:
		set_visible(w, true);
		break;
	case SDL_WINDOWEVENT_HIDDEN:
	case SDL_WINDOWEVENT_MINIMIZED:
		set_visible(w, false);
		break;
	case SDL_WINDOWEVENT_SIZE_CHANGED:
	case SDL_WINDOWEVENT_DISPLAY_CHANGED:
		frame_measure(w);
		size_changed(w);
		break;
	case SDL_WINDOWEVENT_FOCUS_GAINED:
	case SDL_WINDOWEVENT_FOCUS_LOST:
		on_focus(w, e->window.event == SDL_WINDOWEVENT_FOCUS_GAINED);
		break;
	case SDL_WINDOWEVENT_LEAVE:
		show_bar(w, w->height);
		if (bar_point(&w->bar, -1, -1))
			w->redraw = true;
		to_view(w, e);
		break;
	case SDL_WINDOWEVENT_CLOSE:
		actions_close(w);
		break;
	default:
		break;
	}
}

static void on_drop(struct window *w, const SDL_DropEvent *d)
{
	if (d->type == SDL_DROPFILE)
		actions_drop(w, d->file);
	SDL_free(d->file);
}

static void on_other(struct window *w, SDL_Event *e)
{
	switch (e->type) {
	case SDL_WINDOWEVENT:
		on_window(w, e);
		break;
	case SDL_MOUSEBUTTONDOWN:
	case SDL_MOUSEBUTTONUP:
		on_button(w, e);
		break;
	case SDL_KEYDOWN:
	case SDL_KEYUP:
		if (!actions_key(w, &e->key))
			to_view(w, e);
		break;
	case SDL_TEXTINPUT:
		if (!w->taken_key)
			to_view(w, e);
		break;
	case SDL_TEXTEDITING:
	case SDL_MOUSEWHEEL:
	case SDL_CLIPBOARDUPDATE:
		to_view(w, e);
		break;
	case SDL_RENDER_TARGETS_RESET:
	case SDL_RENDER_DEVICE_RESET:
		frame_renew(w);
		break;
	case SDL_DROPFILE:
	case SDL_DROPTEXT:
		on_drop(w, &e->drop);
		break;
	case SDL_QUIT:
		actions_close(w);
		break;
	default:
		break;
	}
}

void events_handle(struct window *w, SDL_Event *e)
{
	if (e->type == SDL_MOUSEMOTION) {
		on_motion(w, e);
		return;
	}
	events_flush(w);
	on_other(w, e);
}
