/*
 * What a window shows one of at a time: the guest's screen, a console, the machine. All calls come on the window's
 * thread, none with a lock of the machine's held.
 */
#ifndef BISCUIT_WINDOW_VIEW_H
#define BISCUIT_WINDOW_VIEW_H

#include <SDL.h>
#include <stdbool.h>

#include <biscuit/display.h>

#include "frontend/debug/debug.h"

struct text;

/* What every view may use; valid as long as the view. */
struct view_host {
	struct debug *debug;
	struct text *text;	 /* letters, of the monospaced font at the window's scale */
	double scale;		 /* pixels of the renderer a point of the screen takes (HiDPI) */
	void (*wake)(void *arg); /* any thread: `update` is to be called */
	/* What the status line says for some seconds. */
	void (*tell)(void *arg, const char *line);
	void *arg;
};

struct view_ops {
	const char *title; /* in the bar */
	/* Looks for news. True: it is to be drawn anew. *again_ms: when to look again, -1 only when woken. Also called
	 * while another view is shown (`shown` false), so that nothing piles up. */
	bool (*update)(void *self, bool shown, int *again_ms);
	/* Draws all of `area`, in pixels of the renderer. */
	void (*draw)(void *self, SDL_Renderer *r, const SDL_Rect *area);
	/* True: the event was for it. Coordinates in events are already in pixels of the renderer. */
	bool (*event)(void *self, const SDL_Event *e, const SDL_Rect *area);
	/* Another area, or scale. */
	void (*resized)(void *self, const SDL_Rect *area);
	/* The renderer was lost and is another one: textures are gone. */
	void (*renew)(void *self);
	/* It has the keyboard now, or no longer. May be NULL. */
	void (*focus)(void *self, bool focused);
	void (*destroy)(void *self);
};

struct view {
	const struct view_ops *ops;
	void *self;
	char name[32]; /* where several have one title: "console", "uart1" */
};

/* A view each; *out is filled in on success. -ENOMEM, …, with message. */
BIS_MUST_CHECK int screen_view(const struct view_host *host, struct bis_display *display, struct view *out);
BIS_MUST_CHECK int console_view(const struct view_host *host, const char *chardev, struct view *out);
BIS_MUST_CHECK int machine_view(const struct view_host *host, struct view *out);

#endif
