/*
 * The bar at the top of the window: a tab for each view and some buttons. It keeps no state of its own but which of its
 * items is under the pointer. On the window's thread.
 */
#ifndef BISCUIT_WINDOW_BAR_H
#define BISCUIT_WINDOW_BAR_H

#include <SDL.h>
#include <stdbool.h>

#include "frontend/window/text.h"

#define BAR_ITEMS 24

enum bar_action { BAR_NONE, BAR_VIEW, BAR_PAUSE, BAR_FULLSCREEN, BAR_SCREENSHOT };

struct bar_item {
	enum bar_action action;
	unsigned view; /* BAR_VIEW: which */
	bool lit;      /* it is on */
	char label[40];
	int x, width; /* pixels; laid out by bar_layout */
};

struct bar {
	size_t count;
	struct bar_item items[BAR_ITEMS];
	int height; /* pixels */
	int hover;  /* item under the pointer, -1: none */
};

/* Takes all items away. */
void bar_clear(struct bar *b);
/* Adds an item; views stand on the left, everything else on the right. Nothing happens when it is full. */
void bar_add(struct bar *b, enum bar_action action, unsigned view, bool lit, const char *label);
/* Finds their places for letters of that size in a bar of that width: what does not fit has no width. */
void bar_layout(struct bar *b, int letter_width, int letter_height, int width);
/* The item at a point; NULL: none. */
const struct bar_item *bar_at(const struct bar *b, int x, int y);
/* The pointer is at that point (negative: elsewhere). True: it is to be drawn anew. */
bool bar_point(struct bar *b, int x, int y);
void bar_draw(const struct bar *b, SDL_Renderer *r, struct text *t, int width);
/* Pixels that a bar with letters of that height takes. */
int bar_height(int letter_height);

#endif
