/*
 * The window: what the guest shows, its consoles, and a picture of the machine, in SDL2 (docs/window.md). Needs SDL2,
 * SDL2_ttf, libvterm and fontconfig; a build without them has the same functions, which fail.
 */
#ifndef BISCUIT_FRONTEND_WINDOW_H
#define BISCUIT_FRONTEND_WINDOW_H

#include <stdbool.h>

#include <biscuit/types.h>

#include "frontend/debug/debug.h"

struct window;

struct window_options {
	unsigned width, height; /* of the window at first, in points of the screen; 0: as the guest's picture */
	double scale;		/* points a guest pixel takes; 0: what fits */
	bool fullscreen;
	const char *title;   /* what runs, e.g. "kernel.elf"; may be NULL */
	const char *console; /* name of the character device that is shown first; NULL: "console" */
	/*
	 * Copies a file that was dropped onto the window to where the guest finds it: 0 with what to say of it in
	 * `told`, or -errno with message. NULL: files are not taken. Called on the window's thread without locks.
	 */
	int (*drop)(void *arg, const char *path, char *told, size_t size);
	void *drop_arg;
};

/*
 * Opens the window on a thread of its own, which alone calls SDL. `options` (may be NULL) is copied with its texts; `d`
 * stays the caller's and outlives the window. Closing it sends the power key, closing it again ends the machine
 * (bis_machine_request_stop). -ENOSYS (built without), -ENODEV (no display; the message says which driver was tried),
 * -ENOENT (no monospaced font), -EBUSY (a process has one at a time), -ENOMEM, with message: the machine may go on
 * without. Called without the control lock and the device lock.
 */
BIS_MUST_CHECK int window_start(struct debug *d, const struct window_options *options, struct window **out);
/* Closes it. Before bis_machine_destroy, without the control lock or the device lock. NULL is allowed. */
void window_stop(struct window *w);

#endif
