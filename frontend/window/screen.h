/*
 * The view of a guest's screen (screen_view in view.h): what the window asks of it besides. All on the window's thread,
 * with views made by screen_view.
 */
#ifndef BISCUIT_WINDOW_SCREEN_H
#define BISCUIT_WINDOW_SCREEN_H

#include "frontend/window/geometry.h"
#include "frontend/window/view.h"

bool screen_is(const struct view *v);
struct bis_display *screen_display(const struct view *v);
/* The size of the picture, as of the last update; false: nothing is shown. */
bool screen_size(const struct view *v, uint32_t *width, uint32_t *height);
bool screen_can_resize(const struct view *v);
/* Asks the guest for another size. */
void screen_wish(const struct view *v, uint32_t width, uint32_t height);
/* How the picture is scaled: renderer pixels a guest pixel takes (0: what fits), and what fitting is. */
void screen_set_scale(const struct view *v, double factor, enum fit fit);
/* The guest's pointer takes only relative motion: a click grabs the mouse. */
bool screen_needs_grab(const struct view *v);

#endif
