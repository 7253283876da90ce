/* The bar at the top of the window; see bar.h. */
#include "frontend/window/bar.h"

#include <stdio.h>

static const SDL_Color ground = {38, 40, 46, 255}, lit_ground = {72, 78, 92, 255}, hover_ground = {56, 60, 70, 255},
		       letters = {200, 204, 212, 255}, lit_letters = {255, 255, 255, 255}, edge = {20, 21, 24, 255};

int bar_height(int letter_height)
{
	return letter_height + letter_height / 2;
}

void bar_clear(struct bar *b)
{
	b->count = 0;
}

void bar_add(struct bar *b, enum bar_action action, unsigned view, bool lit, const char *label)
{
	struct bar_item *item;

	if (b->count == BAR_ITEMS)
		return;
	item = &b->items[b->count++];
	*item = (struct bar_item){.action = action, .view = view, .lit = lit};
	snprintf(item->label, sizeof(item->label), "%s", label);
}

/* Labels are ASCII, or names whose bytes may be more than their letters: then an item is a little wide. */
static int width_of(const struct bar_item *item, int letter_width)
{
	int n = 0;

	for (const char *c = item->label; *c; c++)
		n += (*c & 0xc0) != 0x80;
	return (n + 2) * letter_width;
}

void bar_layout(struct bar *b, int letter_width, int letter_height, int width)
{
	int left = 0, right = width;

	b->height = bar_height(letter_height);
	for (size_t i = b->count; i-- > 0;) {
		struct bar_item *item = &b->items[i];
		int w = width_of(item, letter_width);

		if (item->action == BAR_VIEW)
			continue;
		item->width = w <= right ? w : 0;
		right -= item->width;
		item->x = right;
	}
	for (size_t i = 0; i < b->count; i++) {
		struct bar_item *item = &b->items[i];
		int w = width_of(item, letter_width);

		if (item->action != BAR_VIEW)
			continue;
		item->width = w <= right - left ? w : 0;
		item->x = left;
		left += item->width;
	}
}

static int find(const struct bar *b, int x, int y)
{
	if (y < 0 || y >= b->height)
		return -1;
	for (size_t i = 0; i < b->count; i++)
		if (x >= b->items[i].x && x - b->items[i].x < b->items[i].width)
			return (int)i;
	return -1;
}

const struct bar_item *bar_at(const struct bar *b, int x, int y)
{
	int i = find(b, x, y);

	return i < 0 ? NULL : &b->items[i];
}

bool bar_point(struct bar *b, int x, int y)
{
	int before = b->hover;

	b->hover = find(b, x, y);
	return b->hover != before;
}

static void fill(SDL_Renderer *r, SDL_Color c, int x, int y, int width, int height)
{
	SDL_Rect area = {x, y, width, height};

	SDL_SetRenderDrawColor(r, c.r, c.g, c.b, c.a);
	SDL_RenderFillRect(r, &area);
}

void bar_draw(const struct bar *b, SDL_Renderer *r, struct text *t, int width)
{
	fill(r, ground, 0, 0, width, b->height);
	for (size_t i = 0; i < b->count; i++) {
		const struct bar_item *item = &b->items[i];

		if (!item->width)
			continue;
		if (item->lit || (int)i == b->hover)
			fill(r, item->lit ? lit_ground : hover_ground, item->x, 0, item->width, b->height);
		text_line(t, item->x + text_width(t), (b->height - text_height(t)) / 2, item->label,
			  (int)sizeof(item->label), 0, item->lit ? lit_letters : letters);
	}
	fill(r, edge, 0, b->height - 1, width, 1);
}
