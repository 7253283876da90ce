/* Displays from the inside: what the device's side (display.c) and the viewers' side (display_view.c) share. */
#ifndef BISCUIT_DISPLAY_INTERNAL_H
#define BISCUIT_DISPLAY_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>

#include <biscuit/display.h>

#include "src/machine/damage.h"

/* Pages that a surface may touch at most: the largest, and one more for a base in the middle of a page. */
#define SURFACE_PAGES ((uint64_t)BIS_DISPLAY_PITCH_MAX * BIS_DISPLAY_SIDE_MAX / 4096 + 1)

/*
 * Locks, in this order: the machine's device lock; `poll_lock`, which no hart ever takes; `lock`. While dirty pages are
 * fetched, which may wait for harts, `poll_lock` alone is held. `lock` is recursive, as devices hold it around calls
 * that take it.
 */
struct bis_display {
	struct bis_display *_Atomic next; /* set once */
	struct bis_machine *machine;
	char *name;

	pthread_mutex_t poll_lock;
	struct bis_dirty *dirty; /* while one that watches has asked about a surface in guest memory */
	uint64_t pages[(SURFACE_PAGES + 63) / 64];

	pthread_mutex_t lock;
	const struct bis_display_ops *ops; /* with `self`, changed with the device lock held, too */
	void *self;
	bool shown;
	struct bis_surface surface;
	unsigned generation;
	uint64_t since;	  /* as in struct bis_view */
	uint64_t changes; /* counts surfaces */
	unsigned cursor_number;
	uint32_t cursor_x, cursor_y;
	struct bis_cursor cursor;
	struct bis_viewer *viewers;
	unsigned viewer_count;
	_Atomic unsigned watcher_count; /* of the viewers; changed with `lock` held */
};

struct bis_viewer {
	struct bis_display *display;
	struct bis_viewer *next;
	void (*notify)(void *arg);
	void *arg;
	bool watching;	  /* changed by its own thread with `lock` held */
	bool told;	  /* since its last update */
	uint64_t reading; /* the surface, as `changes` was, that it reads from guest memory; 0: none */
	struct damage damage;
};

/* The first of the machine's displays; NULL in a new machine. Defined by the machine. */
struct bis_display *_Atomic *bis_machine_displays(struct bis_machine *m);

/* Frees every display. After the last module and the last viewer have gone. */
void bis_display_destroy_all(struct bis_machine *m);

/* --- With `lock` held --- */

void bis_display_damage_all(struct bis_display *d);
/* Lies in the surface; adds it to the list of every viewer that watches. */
void bis_display_add_damage(struct bis_display *d, struct bis_rect rect);

/* Bytes from the surface's first pixel to behind its last. */
static inline uint64_t bis_surface_extent(const struct bis_surface *s)
{
	return (uint64_t)s->pitch * (s->height - 1) + (uint64_t)s->width * bis_pixel_size(s->format);
}

#endif
