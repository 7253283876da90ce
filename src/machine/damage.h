/*
 * What of a picture has changed, as at most BIS_VIEW_RECTS rectangles that do not overlap and cover all of it; when
 * there would be more, those are joined that cover least beside. Pure data: callers lock.
 */
#ifndef BISCUIT_DAMAGE_H
#define BISCUIT_DAMAGE_H

#include <biscuit/display.h>

struct damage {
	size_t count;
	struct bis_rect rects[BIS_VIEW_RECTS];
};

/* Adds a rectangle that lies inside a picture (nothing wraps); an empty one adds nothing. */
void bis_damage_add(struct damage *d, struct bis_rect rect);

#endif
