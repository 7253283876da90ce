/*
 * Displays: what a guest shows and who looks at it. A display is a named meeting point of two sides: a device says
 * which surface is shown and what of it has changed; viewers (a window, a remote screen, a screenshot) come and go
 * while the machine runs, each with a list of its own of what it has not seen yet. Nobody copies pixels unless a viewer
 * reads them, and a display without a viewer costs nothing.
 */
#ifndef BISCUIT_DISPLAY_H
#define BISCUIT_DISPLAY_H

#include <biscuit/types.h>

#ifdef __cplusplus
extern "C" {
#endif

struct bis_machine;
struct bis_display;
struct bis_viewer;

#define BIS_DISPLAY_SIDE_MAX   4096u /* pixels, each way */
#define BIS_DISPLAY_PITCH_MAX  65536u
#define BIS_DISPLAY_CURSOR_MAX 64u /* pixels, each way */

enum bis_pixel_format {
	BIS_PIXEL_XRGB8888, /* 32 bits, little-endian: blue lowest; the upper byte means nothing */
	BIS_PIXEL_XBGR8888, /* 32 bits, little-endian: red lowest */
	BIS_PIXEL_RGB565,   /* 16 bits, little-endian: blue lowest */
	BIS_PIXEL_FORMATS
};
/* Bytes of a pixel. */
unsigned bis_pixel_size(enum bis_pixel_format format);

struct bis_rect {
	uint32_t x, y, width, height; /* pixels */
};

/*
 * What is shown: in guest memory, whose written pages the display finds by itself, or in memory of the device's, which
 * changes only between bis_display_lock and bis_display_unlock and is followed by bis_display_damage.
 */
struct bis_surface {
	uint32_t width, height; /* 1 to BIS_DISPLAY_SIDE_MAX */
	uint32_t pitch; /* bytes from line to line: whole pixels, width of them to BIS_DISPLAY_PITCH_MAX bytes */
	enum bis_pixel_format format;
	bool in_guest;
	bis_gpa base;	    /* in_guest: where it lies in RAM; a multiple of the pixel size, as is `pixels` */
	const void *pixels; /* otherwise; valid until another surface is shown or the device detaches */
};

/* --- Both sides --- */

/*
 * The display of that name, made where there is none yet; it stays valid as long as the machine. Any thread that holds
 * no display's lock; takes the device lock. -ENOMEM.
 */
BIS_MUST_CHECK int bis_display_open(struct bis_machine *m, const char *name, struct bis_display **out);
/* The display of that name; NULL if there is none. */
struct bis_display *bis_display_find(struct bis_machine *m, const char *name);
/* Display `index` in order of making; NULL beyond the last. */
struct bis_display *bis_display_at(struct bis_machine *m, size_t index);
const char *bis_display_name(const struct bis_display *d);

/* --- Device side: any thread. The device lock comes before a display's own lock, which may be taken twice. --- */

struct bis_display_ops {
	/*
	 * A viewer would like this size, 1 to BIS_DISPLAY_SIDE_MAX each way; the guest may be told. Device lock held.
	 * NULL: the size cannot be changed.
	 */
	void (*wish)(void *self, uint32_t width, uint32_t height);
	/* Somebody looks now, or nobody does any more (bis_display_has_viewers). Device lock held. May be NULL. */
	void (*watched)(void *self);
};

/* One device at a time; `ops` outlives it. Device lock held, as in a module's create. -EBUSY. */
BIS_MUST_CHECK int bis_display_attach(struct bis_display *d, const struct bis_display_ops *ops, void *self);
/*
 * Nothing is shown any more, and no viewer reads the device's pixels once it returns. Nothing happens unless `self` is
 * attached. Device lock held.
 */
void bis_display_detach(struct bis_display *d, void *self);
/*
 * Shows another surface, all of it damaged; NULL: nothing is shown. It may differ in `base` or `pixels` alone (a page
 * flip); the same part of guest memory again damages nothing, but viewers are told. No viewer reads the `pixels` of the
 * one before once it returns; guest memory, see bis_display_is_flipping. -EINVAL (size, pitch, format or alignment),
 * -EFAULT (not wholly RAM): what was shown stays. No message, as it is a guest's doing.
 */
BIS_MUST_CHECK int bis_display_show(struct bis_display *d, const struct bis_surface *surface);
/* Does a viewer still read guest memory that was shown before? That ends within milliseconds. */
bool bis_display_is_flipping(struct bis_display *d);
/* That part has changed; it is cut to the surface. */
void bis_display_damage(struct bis_display *d, const struct bis_rect *rect);
/* Does anybody watch? */
bool bis_display_has_viewers(const struct bis_display *d);
void bis_display_lock(struct bis_display *d);
void bis_display_unlock(struct bis_display *d);

/* A pointer image: ARGB8888 (blue lowest, alpha not premultiplied), lines without gaps. */
struct bis_cursor {
	uint32_t width, height; /* 0: none is shown */
	uint32_t hot_x, hot_y;
	uint32_t pixels[BIS_DISPLAY_CURSOR_MAX * BIS_DISPLAY_CURSOR_MAX];
};
/* Copies *cursor; NULL: none. Sizes above the maximum count as none; the hot spot is moved inside. */
void bis_display_set_cursor(struct bis_display *d, const struct bis_cursor *cursor);
/* Where its hot spot is, in pixels of the surface. */
void bis_display_move_cursor(struct bis_display *d, uint32_t x, uint32_t y);

/* --- Viewer side: any thread that holds no lock of the machine's, but a viewer is used by one thread at a time --- */

/*
 * `notify(arg)` (may be NULL) is called when there is something to be seen for the first time since bis_viewer_update;
 * on whatever thread brought it about, with the display's lock held and perhaps the device lock: it only wakes the
 * viewer's own thread. It is not called any more once bis_viewer_destroy returns. Everything is damaged at first.
 * -ENOMEM, -ENOSPC beyond 8 viewers of a display.
 */
BIS_MUST_CHECK int bis_viewer_create(struct bis_display *d, void (*notify)(void *arg), void *arg,
				     struct bis_viewer **out);
void bis_viewer_destroy(struct bis_viewer *v); /* before the machine goes; NULL is allowed */
/*
 * Whether it watches, as it does at first. One that does not is none that the device knows of: it is told of no changes
 * but another size, something shown and nothing shown. When it watches again, everything is damaged. Takes the device
 * lock.
 */
void bis_viewer_watch(struct bis_viewer *v, bool watch);

#define BIS_VIEW_RECTS 16

/* What is to be seen. */
struct bis_view {
	uint32_t width, height; /* of the surface; 0: nothing is shown */
	unsigned generation;	/* another number when the size is another, or something is shown again */
	uint64_t since;		/* when something was shown after nothing: CLOCK_MONOTONIC in ns */
	size_t n_rects;		/* what has changed since the last update; they do not overlap */
	struct bis_rect rects[BIS_VIEW_RECTS];
	bool poll;	 /* changes are found by updating alone: notify does not tell of those in guest memory */
	bool can_resize; /* bis_viewer_wish has an effect */
	unsigned cursor; /* another number when the pointer's image is another */
	bool cursor_shown;
	uint32_t cursor_x, cursor_y;
};
/* Finds out what has changed. May wait for running harts, some microseconds. */
void bis_viewer_update(struct bis_viewer *v, struct bis_view *out);
/*
 * Copies part of the surface as XRGB8888 in the host's byte order with the upper byte 255, `pitch` bytes (a multiple of
 * 4) from line to line. -ERANGE where the part does not lie inside the surface (it may have become another since the
 * update): nothing is written.
 */
BIS_MUST_CHECK int bis_viewer_read(struct bis_viewer *v, const struct bis_rect *rect, uint32_t *to, size_t pitch);
void bis_viewer_cursor(struct bis_viewer *v, struct bis_cursor *out);
/* Asks the device for another size, which is cut to what a display can have; 0 asks for nothing. Takes the device lock.
 */
void bis_viewer_wish(struct bis_viewer *v, uint32_t width, uint32_t height);

#ifdef __cplusplus
}
#endif
#endif
