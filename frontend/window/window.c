/*
 * The window's thread: it starts SDL, makes the window and its views, and sleeps until SDL has an event or a view wants
 * to be looked at. Whoever has news for it pushes an event of its own. See window.h, window_internal.h.
 */
#include "frontend/window/window.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <biscuit/error.h>

#include "frontend/window/window_internal.h"

enum {
	EVENTS_AT_ONCE = 256, /* before views are looked at again: a flood does not keep the picture from changing */
	LINE_MS = 5000,
	LONGEST_MS = 60000,
};

/* --- What others call --- */

/* Any thread: several calls before the window's thread gets to it are one. */
void window_wake(void *arg)
{
	struct window *w = arg;
	SDL_Event e = {.type = w->wake_event};

	if (!atomic_exchange(&w->woken, true))
		SDL_PushEvent(&e);
}

void window_tell(void *arg, const char *line)
{
	struct window *w = arg;

	snprintf(w->line, sizeof(w->line), "%s", line);
	w->line_until = SDL_GetTicks64() + LINE_MS;
	w->redraw = true;
}

void window_told(struct window *w, const char *format, ...)
{
	char line[TITLE_MAX];
	va_list args;

	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	window_tell(w, line);
}

/* --- The loop --- */

static uint64_t first_due(const struct window *w)
{
	uint64_t due = views_due(w), second = w->tick;

	if (w->wish_due < due)
		due = w->wish_due;
	if (w->mend_due < due)
		due = w->mend_due;
	if (*w->line && w->line_until < due)
		due = w->line_until;
	return second < due ? second : due;
}

static int wait_ms(const struct window *w)
{
	uint64_t now = SDL_GetTicks64(), due = first_due(w);

	if (w->redraw || due <= now)
		return 0;
	return due - now < LONGEST_MS ? (int)(due - now) : LONGEST_MS;
}

static void take_events(struct window *w)
{
	int wait = wait_ms(w);
	SDL_Event e;

	if (!(wait ? SDL_WaitEventTimeout(&e, wait) : SDL_PollEvent(&e)))
		return;
	for (unsigned i = 0; i < EVENTS_AT_ONCE; i++) {
		events_handle(w, &e);
		if (!SDL_PollEvent(&e))
			break;
	}
	events_flush(w);
}

static void work(struct window *w)
{
	uint64_t now = SDL_GetTicks64();

	if (*w->line && now >= w->line_until) {
		*w->line = '\0';
		w->redraw = true;
	}
	views_update(w, now, atomic_exchange(&w->woken, false));
	views_follow(w);
	if (caption_tick(w, now))
		frame_bar(w);
	size_follow(w, now);
	frame_mend(w, now);
	if (w->redraw && w->visible)
		frame_draw(w);
	w->redraw = false;
}

static void loop(struct window *w)
{
	while (!atomic_load(&w->quit)) {
		take_events(w);
		work(w);
	}
}

/* --- The thread --- */

static bool is_set(const char *name)
{
	const char *value = getenv(name);

	return value && *value;
}

/* The window systems that there may be; SDL alone would go on to drivers that take over a console of the host. */
static const char *drivers(void)
{
	if (is_set("DISPLAY"))
		return is_set("WAYLAND_DISPLAY") ? "x11,wayland" : "x11";
	return is_set("WAYLAND_DISPLAY") ? "wayland" : NULL;
}

static void set_hints(const char *names)
{
	SDL_SetHint(SDL_HINT_VIDEODRIVER, names); /* SDL_VIDEODRIVER comes first */
	SDL_SetHint(SDL_HINT_NO_SIGNAL_HANDLERS, "1");
	SDL_SetHint(SDL_HINT_VIDEO_ALLOW_SCREENSAVER, "1");
	SDL_SetHint(SDL_HINT_QUIT_ON_LAST_WINDOW_CLOSE, "0");
	SDL_SetHint(SDL_HINT_MOUSE_FOCUS_CLICKTHROUGH, "1");
	SDL_SetHint(SDL_HINT_FRAMEBUFFER_ACCELERATION, "0"); /* a software renderer is one */
}

/* What SDL keeps beyond its subsystems goes, too, unless somebody else uses it. */
static void end_sdl(void)
{
	SDL_QuitSubSystem(SDL_INIT_VIDEO);
	if (!SDL_WasInit(0))
		SDL_Quit();
}

static int start_sdl(void)
{
	const char *wish = is_set("SDL_VIDEODRIVER") ? getenv("SDL_VIDEODRIVER") : NULL, *names = drivers();
	const char *x11 = getenv("DISPLAY"), *wayland = getenv("WAYLAND_DISPLAY");
	int err;

	if (SDL_WasInit(SDL_INIT_VIDEO))
		return bis_fail(EBUSY, "this process has a window already");
	if (!wish && !names)
		return bis_fail(ENODEV, "there is no display (neither DISPLAY nor WAYLAND_DISPLAY is set)");
	set_hints(names);
	if (!SDL_InitSubSystem(SDL_INIT_VIDEO))
		return 0;
	if (wish)
		err = bis_fail(ENODEV, "there is no display (SDL_VIDEODRIVER=%s: %s)", wish, SDL_GetError());
	else
		err = bis_fail(ENODEV, "there is no display (DISPLAY=%s, WAYLAND_DISPLAY=%s: %s)", x11 ? x11 : "",
			       wayland ? wayland : "", SDL_GetError());
	end_sdl();
	return err;
}

static int open_all(struct window *w)
{
	int err = start_sdl();

	if (err)
		return err;
	w->wake_event = SDL_RegisterEvents(1);
	err = size_create_window(w);
	if (err)
		goto quit_sdl;
	err = frame_create(w);
	if (err)
		goto destroy_window;
	size_first(w);
	err = views_create(w);
	if (err)
		goto destroy_frame;
	size_follow(w, SDL_GetTicks64());
	SDL_StartTextInput();
	SDL_ShowWindow(w->sdl);
	return 0;
destroy_frame:
	frame_destroy(w);
destroy_window:
	SDL_DestroyWindow(w->sdl);
quit_sdl:
	end_sdl();
	return err;
}

static void close_all(struct window *w)
{
	views_destroy(w);
	frame_destroy(w);
	SDL_DestroyWindow(w->sdl);
	end_sdl();
}

static void say_started(struct window *w, int err)
{
	pthread_mutex_lock(&w->lock);
	w->started = true;
	w->error = err;
	if (err)
		snprintf(w->message, sizeof(w->message), "%s", bis_error_message());
	pthread_cond_signal(&w->changed);
	pthread_mutex_unlock(&w->lock);
}

static void *run(void *arg)
{
	struct window *w = arg;
	int err = open_all(w);

	say_started(w, err);
	if (!err) {
		loop(w);
		close_all(w);
	}
	return NULL;
}

/* --- Starting and stopping --- */

static void release(struct window *w)
{
	pthread_cond_destroy(&w->changed);
	pthread_mutex_destroy(&w->lock);
	free(w->title);
	free(w->console);
	free(w);
}

static struct window *make(struct debug *d, const struct window_options *options)
{
	struct window *w = calloc(1, sizeof(*w));

	if (!w)
		return NULL;
	w->debug = d;
	w->machine = debug_machine(d);
	if (options)
		w->options = *options;
	pthread_mutex_init(&w->lock, NULL);
	pthread_cond_init(&w->changed, NULL);
	w->title = strdup(w->options.title ? w->options.title : "biscuit");
	w->console = strdup(w->options.console ? w->options.console : "console");
	w->wish_due = w->mend_due = UINT64_MAX;
	w->bar.hover = -1;
	if (w->title && w->console)
		return w;
	release(w);
	return NULL;
}

/* Signals go to the program's other threads. */
static int start_thread(struct window *w)
{
	sigset_t all, before;
	int err;

	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &before);
	err = pthread_create(&w->thread, NULL, run, w);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (err)
		return bis_fail(err, "no thread: %s", strerror(err));
	pthread_setname_np(w->thread, "window");
	return 0;
}

int window_start(struct debug *d, const struct window_options *options, struct window **out)
{
	struct window *w = make(d, options);
	int err;

	if (!w)
		return bis_fail(ENOMEM, "no memory");
	err = start_thread(w);
	if (err)
		goto free_window;
	pthread_mutex_lock(&w->lock);
	while (!w->started)
		pthread_cond_wait(&w->changed, &w->lock);
	pthread_mutex_unlock(&w->lock);
	if (w->error) {
		pthread_join(w->thread, NULL);
		err = bis_fail(w->error, "%s", w->message);
		goto free_window;
	}
	*out = w;
	return 0;
free_window:
	release(w);
	return err;
}

void window_stop(struct window *w)
{
	if (!w)
		return;
	atomic_store(&w->quit, true);
	window_wake(w);
	pthread_join(w->thread, NULL);
	release(w);
}
