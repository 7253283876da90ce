/*
 * The mouse over the guest's screen. A guest that takes absolute positions gets them while the pointer is over the
 * picture; one that takes only motion gets it after a click has grabbed the mouse. Coordinates are pixels of the
 * renderer.
 */
#include <math.h>
#include <string.h>

#include "frontend/window/keys.h"
#include "frontend/window/screen_internal.h"

#define NOTCH 120

static bool takes(const struct screen *s, enum bis_input_kind kind)
{
	return bis_input_kinds(s->machine) >> kind & 1;
}

bool screen_grabbed(void)
{
	SDL_Window *w = SDL_GetGrabbedWindow();

	return SDL_GetRelativeMouseMode() || (w && SDL_GetWindowMouseGrab(w));
}

void screen_grab(struct screen *s, bool grab)
{
	SDL_Window *w = SDL_GetKeyboardFocus();
	bool absolute = takes(s, BIS_INPUT_ABSOLUTE);

	if (grab == screen_grabbed() || (grab && !w))
		return;
	if (!grab) {
		w = SDL_GetGrabbedWindow() ? SDL_GetGrabbedWindow() : w;
		guest_keys_let_go(&s->keys);
	}
	SDL_SetRelativeMouseMode(grab && !absolute);
	if (w) {
		SDL_SetWindowMouseGrab(w, grab && absolute);
		SDL_SetWindowKeyboardGrab(w, grab);
	}
	guest_cursor_update(s);
}

static void send_position(struct screen *s, int x, int y)
{
	struct bis_input_event e = {.kind = BIS_INPUT_ABSOLUTE};

	e.x = geometry_absolute(x, s->place.x, s->place.width);
	e.y = geometry_absolute(y, s->place.y, s->place.height);
	bis_input_send(s->machine, &e, 1);
}

static void note_position(struct screen *s, int x, int y)
{
	s->inside = s->view.width && geometry_inside(s->place, x, y);
	guest_cursor_update(s); /* also, because the guest may take positions now */
}

static bool on_motion(struct screen *s, const SDL_MouseMotionEvent *m)
{
	struct bis_input_event e = {.kind = BIS_INPUT_RELATIVE, .x = m->xrel, .y = m->yrel};

	if (SDL_GetRelativeMouseMode()) {
		if (takes(s, BIS_INPUT_RELATIVE))
			bis_input_send(s->machine, &e, 1);
		return true;
	}
	note_position(s, m->x, m->y);
	if (!s->inside && !s->dragging)
		return false;
	if (takes(s, BIS_INPUT_ABSOLUTE))
		send_position(s, m->x, m->y);
	return true;
}

/* A click into a guest that takes only motion grabs the mouse, and is not the guest's. */
static bool grabs(struct screen *s)
{
	if (takes(s, BIS_INPUT_ABSOLUTE) || !takes(s, BIS_INPUT_RELATIVE))
		return false;
	screen_grab(s, true);
	return true;
}

static bool any_button_held(const struct screen *s)
{
	for (uint16_t code = BIS_BTN_LEFT; code < BIS_BTN_LEFT + 8; code++)
		if (guest_keys_held(&s->keys, code))
			return true;
	return false;
}

static bool on_button(struct screen *s, const SDL_MouseButtonEvent *b)
{
	bool down = b->type == SDL_MOUSEBUTTONDOWN, relative = SDL_GetRelativeMouseMode();
	uint16_t code = keys_button(b->button);

	if (!relative)
		note_position(s, b->x, b->y);
	if (!code || (down && !relative && !s->inside))
		return false;
	if (!relative && (s->inside || s->dragging)) {
		if (down && grabs(s))
			return true;
		if (takes(s, BIS_INPUT_ABSOLUTE))
			send_position(s, b->x, b->y);
	}
	if (down)
		guest_keys_press(&s->keys, BIS_INPUT_BUTTON, code, false);
	else
		guest_keys_release(&s->keys, BIS_INPUT_BUTTON, code);
	s->dragging = any_button_held(s);
	return true;
}

/* What is less than 1/120 of a notch waits for more. */
static int32_t whole_part(double *sum, double more)
{
	double whole;

	if (!(fabs(more) <= 1000))
		return 0;
	*sum += more * NOTCH;
	whole = trunc(*sum);
	*sum -= whole;
	return (int32_t)whole;
}

static bool on_wheel(struct screen *s, const SDL_MouseWheelEvent *w)
{
	double sign = w->direction == SDL_MOUSEWHEEL_FLIPPED ? -1 : 1;
	struct bis_input_event e = {.kind = BIS_INPUT_WHEEL};

	if (!SDL_GetRelativeMouseMode() && !s->inside)
		return false;
	e.x = whole_part(&s->wheel_x, sign * (double)w->preciseX);
	e.y = whole_part(&s->wheel_y, sign * (double)w->preciseY);
	if (e.x || e.y)
		bis_input_send(s->machine, &e, 1);
	return true;
}

bool screen_pointer(struct screen *s, const SDL_Event *e)
{
	switch (e->type) {
	case SDL_MOUSEMOTION:
		return on_motion(s, &e->motion);
	case SDL_MOUSEBUTTONDOWN:
	case SDL_MOUSEBUTTONUP:
		return on_button(s, &e->button);
	case SDL_MOUSEWHEEL:
		return on_wheel(s, &e->wheel);
	case SDL_WINDOWEVENT:
		if (e->window.event == SDL_WINDOWEVENT_LEAVE && s->inside) {
			s->inside = false;
			guest_cursor_update(s);
		}
		return false;
	default:
		return false;
	}
}
