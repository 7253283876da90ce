/* Mouse of a console: it selects text, unless the guest's program wants it and Shift is not held. */
#include <vterm_keycodes.h>

#include "frontend/window/console_view_internal.h"

#define WHEEL_LINES 3

static bool for_guest(const struct console *c)
{
	return term_wants_mouse(c->term) && !c->dragging && !(SDL_GetModState() & KMOD_SHIFT);
}

static struct term_pos position(const struct console *c, const SDL_Rect *area, int x, int y)
{
	unsigned column, row;

	console_cell_at(c, area, x, y, &column, &row);
	return (struct term_pos){term_view(c->term) + row, column};
}

static void select_at(struct console *c, const SDL_MouseButtonEvent *b, const SDL_Rect *area)
{
	struct term_pos at = position(c, area, b->x, b->y);

	if (SDL_GetModState() & KMOD_SHIFT && term_has_selection(c->term))
		term_select_to(c->term, at);
	else
		term_select(c->term, at,
			    b->clicks > 2    ? TERM_BY_LINE
			    : b->clicks == 2 ? TERM_BY_WORD
					     : TERM_BY_CHARACTER);
	c->dragging = true;
}

static void on_button(struct console *c, const SDL_MouseButtonEvent *b, const SDL_Rect *area)
{
	bool down = b->type == SDL_MOUSEBUTTONDOWN;
	unsigned column, row;

	if (for_guest(c) && b->button >= SDL_BUTTON_LEFT && b->button <= SDL_BUTTON_RIGHT) {
		console_cell_at(c, area, b->x, b->y, &column, &row);
		term_mouse(c->term, row, column, b->button, down, console_modifiers());
	} else if (b->button == SDL_BUTTON_LEFT && down) {
		select_at(c, b, area);
	} else if (b->button == SDL_BUTTON_LEFT) {
		c->dragging = false;
		console_copy(c, true);
	} else if (b->button == SDL_BUTTON_MIDDLE && down) {
		console_paste(c, true);
	}
}

static bool on_motion(struct console *c, const SDL_MouseMotionEvent *m, const SDL_Rect *area)
{
	unsigned column, row;

	c->pointer_x = m->x;
	c->pointer_y = m->y;
	c->area.x = area->x;
	c->area.y = area->y;
	if (c->dragging) {
		term_select_to(c->term, position(c, area, m->x, m->y));
		return true;
	}
	if (!for_guest(c))
		return false;
	console_cell_at(c, area, m->x, m->y, &column, &row);
	if (column != c->reported_column || row != c->reported_row)
		term_mouse(c->term, row, column, 0, false, console_modifiers());
	c->reported_column = column;
	c->reported_row = row;
	return true;
}

static void on_wheel(struct console *c, const SDL_MouseWheelEvent *w, const SDL_Rect *area)
{
	int up = w->direction == SDL_MOUSEWHEEL_FLIPPED ? -w->y : w->y;
	unsigned column, row, n = (unsigned)(up < 0 ? -up : up);

	n = n < 10 ? n : 10;
	if (for_guest(c)) {
		console_cell_at(c, area, c->pointer_x, c->pointer_y, &column, &row);
		for (unsigned i = 0; i < n; i++)
			term_mouse(c->term, row, column, up > 0 ? 4 : 5, true, console_modifiers());
	} else if (term_in_alternate(c->term)) { /* what such programs scroll with */
		for (unsigned i = 0; i < n * WHEEL_LINES; i++)
			term_key(c->term, up > 0 ? VTERM_KEY_UP : VTERM_KEY_DOWN, 0);
	} else {
		term_scroll(c->term, (long)up * WHEEL_LINES);
	}
}

bool console_mouse(struct console *c, const SDL_Event *e, const SDL_Rect *area)
{
	switch (e->type) {
	case SDL_MOUSEMOTION:
		return on_motion(c, &e->motion, area);
	case SDL_MOUSEWHEEL:
		on_wheel(c, &e->wheel, area);
		return true;
	default:
		on_button(c, &e->button, area);
		return true;
	}
}

bool console_drag(struct console *c)
{
	SDL_Rect area = c->area;
	bool above = c->pointer_y < area.y, below = c->pointer_y >= area.y + area.h;

	if (!c->dragging || !(above || below))
		return false;
	term_scroll(c->term, above ? 1 : -1);
	term_select_to(c->term, position(c, &area, c->pointer_x, c->pointer_y));
	c->changed = true;
	return true;
}
