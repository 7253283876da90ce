/* Drawing into memory: what is on the screen, and what comes there. Any task; a picture is drawn on by one at a time.
 */
#ifndef PICTURE_H
#define PICTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A pixel is 0xRRGGBB; in pictures that are laid over others the upper byte says how much of it covers. */
struct picture {
	uint32_t *pixels;
	int width, height;
	int pitch; /* pixels from line to line */
};

struct rect {
	int x, y, width, height;
};

/* Lengths of what is not drawn along pixels: 16 units are a pixel. */
#define UNITS 16

#define OPAQUE 256

/* What of the rectangle lies in the picture; false: nothing. */
bool rect_cut(struct rect *r, const struct picture *p);
/* The smallest rectangle around both; one without area counts for nothing. */
struct rect rect_around(struct rect a, struct rect b);
bool rect_has(struct rect r, int x, int y);

/* Part of a picture, to be drawn on as if it were one. Lies inside `p`. */
struct picture picture_part(const struct picture *p, struct rect r);

/* One colour over another: 0 leaves what is below, OPAQUE covers it. */
uint32_t colour_mix(uint32_t below, uint32_t above, unsigned cover);

void picture_fill(const struct picture *p, struct rect r, uint32_t colour);
/* The same with a colour that lets through. */
void picture_tint(const struct picture *p, struct rect r, uint32_t colour, unsigned cover);
/* A rectangle with round corners. */
void picture_panel(const struct picture *p, struct rect r, int radius, uint32_t colour, unsigned cover);
void picture_frame(const struct picture *p, struct rect r, int thick, uint32_t colour);

/* A line with round ends, smooth at its edges; with both ends at one place it is a disc. Places and width in UNITS. */
void picture_line(const struct picture *p, int x0, int y0, int x1, int y1, int width, uint32_t colour, unsigned cover);
void picture_disc(const struct picture *p, int x, int y, int radius, uint32_t colour, unsigned cover);

/* `from` at a place, all of it, or laid over what is there by its pixels' upper bytes. */
void picture_copy(const struct picture *p, int x, int y, const struct picture *from);
void picture_lay(const struct picture *p, int x, int y, const struct picture *from);

/* The square root of a number, cut off. */
uint32_t square_root(uint32_t value);
/* The sine of an angle, 1024 of which are a full turn, times 4096; to one in a thousand. */
int sine(int angle);

#endif
