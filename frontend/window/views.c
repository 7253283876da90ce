/*
 * Which views there are, and which one is shown: a screen for each of the machine's displays, a console for each
 * character device behind a module, and the machine. Until the user chooses, the window follows what the guest shows.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <biscuit/error.h>
#include <biscuit/module.h>

#include "frontend/window/screen.h"
#include "frontend/window/window_internal.h"

#define CONSOLES_MAX 6u

static const uint64_t never = UINT64_MAX;

struct view *views_current(struct window *w)
{
	return w->n_tabs ? &w->tabs[w->current].view : NULL;
}

/* --- Making them --- */

/* Puts it behind the first `at` ones. */
static void insert(struct window *w, unsigned at, const struct view *v)
{
	memmove(&w->tabs[at + 1], &w->tabs[at], (w->n_tabs - at) * sizeof(w->tabs[0]));
	w->tabs[at] = (struct tab){.view = *v};
	w->n_tabs++;
	if (w->n_tabs > 1 && w->current >= at)
		w->current++;
}

static void add_screens(struct window *w)
{
	struct bis_display *d;
	struct view v;

	while (w->n_tabs < VIEWS_MAX && (d = bis_display_at(w->machine, w->n_displays))) {
		if (screen_view(&w->host, d, &v)) {
			window_tell(w, bis_error_message());
			return;
		}
		insert(w, (unsigned)w->n_displays++, &v);
		if (w->width)
			views_resized(w);
		frame_bar(w);
	}
}

struct console_names {
	size_t count;
	char names[CONSOLES_MAX][32];
};

static void add_name(struct console_names *list, const char *name, size_t len)
{
	if (!len || len >= sizeof(list->names[0]) || list->count == CONSOLES_MAX)
		return;
	for (size_t i = 0; i < list->count; i++)
		if (strlen(list->names[i]) == len && !memcmp(list->names[i], name, len))
			return;
	memcpy(list->names[list->count], name, len);
	list->names[list->count++][len] = '\0';
}

/* The character devices that modules were told to use. */
static void find_consoles(struct window *w, struct console_names *list)
{
	static const char key[] = ",chardev=";
	const struct bis_module *mod;

	add_name(list, w->console, strlen(w->console));
	bis_machine_lock_control(w->machine);
	for (size_t i = 0; (mod = bis_machine_module(w->machine, i)); i++) {
		const char *at = strstr(bis_module_spec(mod), key);

		if (at)
			add_name(list, at + sizeof(key) - 1, strcspn(at + sizeof(key) - 1, ","));
	}
	bis_machine_unlock_control(w->machine);
}

/* Without one of them the window is still good for the others. */
static void add_others(struct window *w)
{
	struct console_names list = {0};
	struct view v;

	find_consoles(w, &list);
	for (size_t i = 0; i < list.count && w->n_tabs < VIEWS_MAX; i++) {
		if (console_view(&w->host, list.names[i], &v))
			window_tell(w, bis_error_message());
		else
			insert(w, w->n_tabs, &v);
	}
	if (w->n_tabs < VIEWS_MAX) {
		if (machine_view(&w->host, &v))
			window_tell(w, bis_error_message());
		else
			insert(w, w->n_tabs, &v);
	}
}

int views_create(struct window *w)
{
	add_screens(w);
	add_others(w);
	if (!w->n_tabs)
		return bis_fail(ENODEV, "there is nothing to show: %s", bis_error_message());
	w->current = 0;
	views_update(w, SDL_GetTicks64(), true);
	views_follow(w);
	views_resized(w);
	frame_bar(w);
	return 0;
}

void views_destroy(struct window *w)
{
	while (w->n_tabs) {
		struct view *v = &w->tabs[--w->n_tabs].view;

		v->ops->destroy(v->self);
	}
}

/* --- Looking --- */

void views_update(struct window *w, uint64_t now, bool all)
{
	for (unsigned i = 0; i < w->n_tabs; i++) {
		struct tab *t = &w->tabs[i];
		int again = -1;

		if (!all && t->due > now)
			continue;
		if (t->view.ops->update(t->view.self, i == w->current && w->visible, &again))
			w->redraw |= i == w->current;
		t->due = again < 0 ? never : now + (uint64_t)again;
	}
}

uint64_t views_due(const struct window *w)
{
	uint64_t due = never;

	for (unsigned i = 0; i < w->n_tabs; i++)
		if (w->tabs[i].due < due)
			due = w->tabs[i].due;
	return due;
}

void views_resized(struct window *w)
{
	SDL_Rect area = frame_area(w);

	for (unsigned i = 0; i < w->n_tabs; i++)
		w->tabs[i].view.ops->resized(w->tabs[i].view.self, &area);
	w->redraw = true;
}

/* --- Which one --- */

static bool shows_something(const struct view *v)
{
	uint32_t width, height;

	return screen_is(v) && screen_size(v, &width, &height);
}

static unsigned count_shown(const struct window *w)
{
	unsigned n = 0;

	for (unsigned i = 0; i < w->n_tabs; i++)
		n += shows_something(&w->tabs[i].view);
	return n;
}

/* Screens are offered when they show something; the first, when none does. */
bool views_offered(const struct window *w, unsigned index)
{
	const struct view *v = &w->tabs[index].view;

	return !screen_is(v) || shows_something(v) || (index == 0 && !count_shown(w));
}

const char *views_label(const struct window *w, unsigned index)
{
	const struct view *v = &w->tabs[index].view;

	for (unsigned i = 0; i < w->n_tabs; i++)
		if (i != index && w->tabs[i].view.ops->title == v->ops->title && views_offered(w, i))
			return *v->name ? v->name : v->ops->title;
	return v->ops->title;
}

void views_show(struct window *w, unsigned index)
{
	struct view *from = views_current(w), *to;

	if (index >= w->n_tabs || index == w->current)
		return;
	if (from->ops->focus)
		from->ops->focus(from->self, false);
	w->tabs[w->current].due = 0;
	w->current = index;
	to = views_current(w);
	if (to->ops->focus)
		to->ops->focus(to->self, (SDL_GetWindowFlags(w->sdl) & SDL_WINDOW_INPUT_FOCUS) != 0);
	w->tabs[index].due = 0;
	w->wish_due = 0;
	w->redraw = true;
	frame_bar(w);
}

void views_next(struct window *w)
{
	unsigned i = w->current;

	do
		i = (i + 1) % w->n_tabs;
	while (i != w->current && !views_offered(w, i));
	w->chosen = true;
	views_show(w, i);
}

/* The first screen that shows something; without one a console, which says what goes on. */
static unsigned best(const struct window *w)
{
	for (unsigned i = 0; i < w->n_tabs; i++)
		if (shows_something(&w->tabs[i].view))
			return i;
	for (unsigned i = 0; i < w->n_tabs; i++)
		if (!screen_is(&w->tabs[i].view))
			return i;
	return 0;
}

void views_follow(struct window *w)
{
	add_screens(w);
	if (!views_offered(w, w->current))
		w->chosen = false;
	if (!w->chosen && !shows_something(&w->tabs[w->current].view))
		views_show(w, best(w));
	if (w->offered != count_shown(w)) {
		w->offered = count_shown(w);
		frame_bar(w);
	}
}
