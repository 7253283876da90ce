/*
 * Where a picture lies in a window and which of its points a pointer is at. Pure arithmetic: no SDL, no state. Window
 * coordinates here are pixels of the renderer.
 */
#ifndef BISCUIT_WINDOW_GEOMETRY_H
#define BISCUIT_WINDOW_GEOMETRY_H

#include <stdbool.h>
#include <stdint.h>

struct box {
	int x, y, width, height;
};

enum fit {
	FIT_ALL,   /* as large as fits */
	FIT_WHOLE, /* as large as fits by a whole number of window pixels a guest pixel; smaller ones as FIT_ALL */
};

/*
 * The part of `area` in which a picture of that size is shown, in the middle and with its proportions: `factor` window
 * pixels a guest pixel where that is above 0 and fits, otherwise by `fit`. Nothing is larger than the area; each side
 * is at least one pixel where the area has one. Empty for a picture or area of no size.
 */
struct box geometry_place(struct box area, uint32_t width, uint32_t height, double factor, enum fit fit);
/* Is every guest pixel a square of the same whole number of window pixels? */
bool geometry_is_whole(struct box place, uint32_t width, uint32_t height);

/* Does the point lie in the box? */
bool geometry_inside(struct box b, int x, int y);
/*
 * One coordinate of a pointer as a share of a picture `length` window pixels long that begins at `start`: 0 to
 * BIS_INPUT_RANGE, outside of it the nearest edge. A guest that divides that range into its pixels (value * pixels /
 * (BIS_INPUT_RANGE + 1)) arrives at the pixel under the pointer.
 */
int32_t geometry_absolute(int at, int start, int length);

/* Window coordinates in the units of the screen to pixels of the renderer, for a window that is `units` units and
 * `pixels` pixels long. */
int geometry_to_pixels(int at, int units, int pixels);
/*
 * Units of a screen that a window needs for a length in pixels of the renderer, at least 1, where it has `units` units
 * for `pixels` pixels now.
 */
int geometry_to_units(int length, int units, int pixels);

/* The size of a picture in guest pixels that fills `length` window pixels at `factor` each, 1 to `max`. */
uint32_t geometry_wish(int length, double factor, uint32_t max);
/*
 * Makes *width and *height, a picture's size in window pixels, no larger than the limits while keeping its proportions.
 */
void geometry_limit(int *width, int *height, int max_width, int max_height);

#endif
