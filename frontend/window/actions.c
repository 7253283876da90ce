/* What keys, buttons and closing of the window do. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <biscuit/error.h>
#include <biscuit/input.h>

#include "frontend/image/png.h"
#include "frontend/window/screen.h"
#include "frontend/window/window_internal.h"

#define SHOTS_MAX 9999u

/* --- Pictures --- */

/* The first free name in the current folder. The descriptor, or -errno with message. */
static int create_shot(struct window *w, char *name, size_t size)
{
	int fd;

	while (++w->shots <= SHOTS_MAX) {
		snprintf(name, size, "biscuit-%04u.png", w->shots);
		fd = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
		if (fd >= 0)
			return fd;
		if (errno != EEXIST)
			return bis_fail(errno, "no picture: %s: %s", name, strerror(errno));
	}
	w->shots = 0;
	return bis_fail(EEXIST, "no picture: there are %u of them here already", SHOTS_MAX);
}

static int write_all(int fd, const char *data, size_t size)
{
	while (size > 0) {
		ssize_t n = write(fd, data, size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		data += n;
		size -= (size_t)n;
	}
	return 0;
}

static void write_shot(struct window *w, const void *data, size_t size)
{
	char name[32];
	int fd = create_shot(w, name, sizeof(name)), err;

	if (fd < 0) {
		window_tell(w, bis_error_message());
		return;
	}
	err = write_all(fd, data, size);
	if (close(fd) && !err)
		err = -errno;
	if (err) {
		unlink(name);
		window_told(w, "no picture: %s: %s", name, strerror(-err));
	} else {
		window_told(w, "wrote %s, %zu bytes", name, size);
	}
}

/* What the view looks like in the window. */
static int picture_of_view(struct window *w, void **data, size_t *size)
{
	SDL_Rect area = frame_area(w);
	struct view *v = views_current(w);
	uint32_t *pixels = calloc((size_t)area.w * (size_t)area.h, sizeof(*pixels));
	int err;

	if (!pixels)
		return bis_fail(ENOMEM, "no memory for a picture");
	v->ops->draw(v->self, w->renderer, &area);
	err = SDL_RenderReadPixels(w->renderer, &area, SDL_PIXELFORMAT_ARGB8888, pixels, area.w * 4)
		      ? bis_fail(EIO, "no picture: %s", SDL_GetError())
		      : png_encode(pixels, (uint32_t)area.w, (uint32_t)area.h, data, size);
	w->redraw = true;
	free(pixels);
	return err;
}

static void take_screenshot(struct window *w)
{
	struct view *v = views_current(w);
	size_t size;
	void *data;
	int err =
		screen_is(v) ? png_of_display(screen_display(v), true, &data, &size) : picture_of_view(w, &data, &size);

	if (err == -ENODATA) {
		window_tell(w, "no picture: the guest shows none");
	} else if (err) {
		window_tell(w, bis_error_message());
	} else {
		write_shot(w, data, size);
		free(data);
	}
}

/* --- The machine --- */

/* A pause is asked for: whoever has the control lock may need it for long. */
static void pause_or_resume(struct window *w)
{
	switch (bis_machine_state(w->machine)) {
	case BIS_RUNNING:
		bis_machine_request_pause(w->machine);
		break;
	case BIS_PAUSED:
		if (bis_machine_resume(w->machine))
			window_tell(w, bis_error_message());
		break;
	case BIS_CREATED:
	case BIS_STOPPED:
		break;
	}
	w->tick = 0;
}

void actions_close(struct window *w)
{
	static const struct bis_input_event power[] = {{BIS_INPUT_KEY, BIS_KEY_POWER, 1, 0, 0},
						       {BIS_INPUT_KEY, BIS_KEY_POWER, 0, 0, 0}};

	if (w->asked) {
		bis_machine_request_stop(w->machine, BIS_STOP_HOST, 0);
		return;
	}
	w->asked = true;
	if (bis_machine_state(w->machine) == BIS_PAUSED)
		window_tell(w, "the machine is paused; close again to end it");
	else if (bis_input_send(w->machine, power, 2))
		window_tell(w, "asked the guest to power off; close again to end it");
	else
		window_tell(w, "the guest takes no power key; close again to end it");
}

void actions_drop(struct window *w, const char *path)
{
	char told[TITLE_MAX] = "";

	if (!w->options.drop)
		window_tell(w, "there is nowhere to put files: no writable share (--share)");
	else if (w->options.drop(w->options.drop_arg, path, told, sizeof(told)))
		window_tell(w, bis_error_message());
	else
		window_tell(w, told);
}

/* --- Keys and buttons --- */

static void toggle_fullscreen(struct window *w)
{
	if (SDL_SetWindowFullscreen(w->sdl, w->fullscreen ? 0 : SDL_WINDOW_FULLSCREEN_DESKTOP)) {
		window_told(w, "no full screen: %s", SDL_GetError());
		return;
	}
	w->fullscreen = !w->fullscreen;
	w->bar_shown = !w->fullscreen;
	if (w->fullscreen)
		window_tell(w, "F11 leaves the full screen");
	frame_measure(w);
	size_changed(w);
	views_resized(w);
	frame_bar(w);
}

void actions_bar(struct window *w, const struct bar_item *item)
{
	switch (item->action) {
	case BAR_VIEW:
		w->chosen = true;
		views_show(w, item->view);
		break;
	case BAR_PAUSE:
		pause_or_resume(w);
		break;
	case BAR_FULLSCREEN:
		toggle_fullscreen(w);
		break;
	case BAR_SCREENSHOT:
		take_screenshot(w);
		break;
	case BAR_NONE:
		break;
	}
}

static void whole_pixels(struct window *w)
{
	w->fit = w->fit == FIT_ALL ? FIT_WHOLE : FIT_ALL;
	window_tell(w, w->fit == FIT_ALL ? "the picture fills the window" : "the picture is enlarged by whole numbers");
	w->redraw = true;
}

static void guest_size(struct window *w)
{
	w->own_size = false;
	w->shown_width = w->shown_height = 0;
	w->set_width = 0;
	w->wish_due = 0;
}

static bool control_alt(struct window *w, SDL_Keycode key)
{
	switch (key) {
	case SDLK_f:
		toggle_fullscreen(w);
		return true;
	case SDLK_s:
		take_screenshot(w);
		return true;
	case SDLK_p:
		pause_or_resume(w);
		return true;
	case SDLK_i:
		whole_pixels(w);
		return true;
	case SDLK_0:
		guest_size(w);
		return true;
	default:
		return false;
	}
}

static bool act(struct window *w, const SDL_Keysym *k)
{
	unsigned mod = k->mod & (KMOD_CTRL | KMOD_ALT | KMOD_SHIFT | KMOD_GUI);

	if (!mod && k->sym == SDLK_F12)
		views_next(w);
	else if (!mod && k->sym == SDLK_F11)
		toggle_fullscreen(w);
	else
		return (mod & KMOD_CTRL) && (mod & KMOD_LALT) && !(mod & (KMOD_SHIFT | KMOD_GUI)) &&
		       control_alt(w, k->sym);
	return true;
}

/* A key that did something here does nothing elsewhere until it is up again. */
bool actions_key(struct window *w, const SDL_KeyboardEvent *k)
{
	if (k->type == SDL_KEYDOWN && k->repeat)
		return w->taken_key == k->keysym.scancode;
	if (k->type == SDL_KEYUP) {
		bool taken = w->taken_key && w->taken_key == k->keysym.scancode;

		if (taken)
			w->taken_key = SDL_SCANCODE_UNKNOWN;
		return taken;
	}
	if (!act(w, &k->keysym))
		return false;
	w->taken_key = k->keysym.scancode;
	return true;
}
