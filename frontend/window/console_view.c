/* A console of the machine's in the window: a character device by name; see view.h. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include <biscuit/error.h>

#include "frontend/window/console_view_internal.h"

enum {
	INPUT_MS = 20, /* until the guest may have read what was typed */
	DRAG_MS = 40,
	BELL_MS = 120,
	FIRST_COLUMNS = 80,
	FIRST_ROWS = 25,
};

/* --- What the terminal tells --- */

static void on_bell(void *arg)
{
	struct console *c = arg;

	c->bell_until = SDL_GetTicks64() + BELL_MS;
}

static const struct term_ops term_ops = {.output = console_type, .bell = on_bell};

/* --- What the window calls --- */

static void sooner(int *again_ms, int ms)
{
	if (*again_ms < 0 || ms < *again_ms)
		*again_ms = ms;
}

static bool console_update(void *self, bool shown, int *again_ms)
{
	struct console *c = self;
	uint64_t now = SDL_GetTicks64();
	bool changed;

	*again_ms = -1;
	if (console_take_output(c))
		sooner(again_ms, 0);
	if (console_give_input(c))
		sooner(again_ms, INPUT_MS);
	if (shown && console_drag(c))
		sooner(again_ms, DRAG_MS);
	if (c->bell_until) {
		if (now >= c->bell_until)
			c->bell_until = 0;
		else
			sooner(again_ms, (int)(c->bell_until - now));
		c->changed = true;
	}
	changed = c->changed && shown;
	if (shown)
		c->changed = false;
	return changed;
}

static void console_view_draw(void *self, SDL_Renderer *r, const SDL_Rect *area)
{
	console_draw(self, r, area);
}

static bool console_event(void *self, const SDL_Event *e, const SDL_Rect *area)
{
	struct console *c = self;
	bool mine = false;

	switch (e->type) {
	case SDL_KEYDOWN:
		mine = console_key(c, &e->key);
		break;
	case SDL_TEXTINPUT:
		console_text(c, e->text.text);
		mine = true;
		break;
	case SDL_MOUSEBUTTONDOWN:
	case SDL_MOUSEBUTTONUP:
	case SDL_MOUSEMOTION:
	case SDL_MOUSEWHEEL:
		mine = console_mouse(c, e, area);
		break;
	default:
		break;
	}
	if (mine)
		c->changed = true;
	console_give_input(c);
	return mine;
}

/* The guest hears of the size where its console can tell it. */
static void console_resized(void *self, const SDL_Rect *area)
{
	struct console *c = self;
	unsigned columns, rows;

	console_cells(c, area, &columns, &rows);
	if (term_resize(c->term, columns, rows))
		c->host->tell(c->host->arg, bis_error_message());
	bis_machine_lock_devices(c->machine);
	bis_chardev_set_size(c->chardev, term_columns(c->term), term_rows(c->term));
	bis_machine_unlock_devices(c->machine);
	console_forget_drawn(c, false);
	c->changed = true;
}

static void console_renew(void *self)
{
	struct console *c = self;

	console_forget_drawn(c, true);
	c->changed = true;
}

static void console_focus(void *self, bool focused)
{
	struct console *c = self;

	c->focused = focused;
	c->dragging = c->dragging && focused;
	c->changed = true;
	term_focus(c->term, focused);
	console_give_input(c);
}

static void console_destroy(void *self)
{
	struct console *c = self;

	if (c->chardev) {
		bis_machine_lock_devices(c->machine);
		bis_chardev_unlisten(c->chardev, c);
		bis_chardev_set_size(c->chardev, 0, 0);
		bis_machine_unlock_devices(c->machine);
	}
	console_forget_drawn(c, true);
	term_destroy(c->term);
	pthread_mutex_destroy(&c->feed.lock);
	free(c->feed.data);
	free(c->taken);
	free(c->typed);
	free(c);
}

static const struct view_ops console_ops = {
	.title = "console",
	.update = console_update,
	.draw = console_view_draw,
	.event = console_event,
	.resized = console_resized,
	.renew = console_renew,
	.focus = console_focus,
	.destroy = console_destroy,
};

static int attach(struct console *c, const char *name)
{
	struct bis_chardev *chardev;
	int err;

	bis_machine_lock_devices(c->machine);
	err = bis_chardev_open(c->machine, name, &chardev);
	if (!err)
		err = bis_chardev_listen(chardev, console_heard, c);
	if (!err)
		c->chardev = chardev;
	bis_machine_unlock_devices(c->machine);
	return err;
}

int console_view(const struct view_host *host, const char *chardev, struct view *out)
{
	struct console *c = calloc(1, sizeof(*c));
	int err;

	if (!c)
		return bis_fail(ENOMEM, "no memory for the console '%s'", chardev);
	c->host = host;
	c->machine = debug_machine(host->debug);
	c->focused = true;
	pthread_mutex_init(&c->feed.lock, NULL);
	err = term_create(FIRST_COLUMNS, FIRST_ROWS, CONSOLE_HISTORY, &term_ops, c, &c->term);
	if (!err)
		err = attach(c, chardev);
	if (err) {
		console_destroy(c);
		return err;
	}
	out->ops = &console_ops;
	out->self = c;
	snprintf(out->name, sizeof(out->name), "%s", chardev);
	return 0;
}
