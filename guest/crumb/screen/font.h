/* Letters: ASCII in cells of 8 times 16 pixels, or any multiple of that. Any task. */
#ifndef FONT_H
#define FONT_H

#include "picture.h"

#define FONT_WIDTH  8
#define FONT_HEIGHT 16

/* Draws a text; (x, y) is the upper left corner of its first cell. `scale` makes it that many times as large. What is
 * no ASCII letter leaves its cell empty. Returns x behind the last cell. */
int font_draw(const struct picture *p, int x, int y, int scale, const char *text, uint32_t colour);

#endif
