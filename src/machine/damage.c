/* Rectangles of damage: see damage.h. Any thread; the caller guards the list. */
#include "src/machine/damage.h"

static uint64_t area(const struct bis_rect *r)
{
	return (uint64_t)r->width * r->height;
}

static bool overlap(const struct bis_rect *a, const struct bis_rect *b)
{
	return a->x < b->x + b->width && b->x < a->x + a->width && a->y < b->y + b->height && b->y < a->y + a->height;
}

static uint32_t least(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

static uint32_t most(uint32_t a, uint32_t b)
{
	return a > b ? a : b;
}

/* The smallest rectangle around both. */
static struct bis_rect around(const struct bis_rect *a, const struct bis_rect *b)
{
	struct bis_rect out = {.x = least(a->x, b->x), .y = least(a->y, b->y)};

	out.width = most(a->x + a->width, b->x + b->width) - out.x;
	out.height = most(a->y + a->height, b->y + b->height) - out.y;
	return out;
}

/* What a rectangle around both covers that neither does; both are apart. */
static uint64_t waste(const struct bis_rect *a, const struct bis_rect *b)
{
	struct bis_rect all = around(a, b);

	return area(&all) - area(a) - area(b);
}

static struct bis_rect take(struct damage *d, size_t index)
{
	struct bis_rect out = d->rects[index];

	d->rects[index] = d->rects[--d->count];
	return out;
}

/* Joins *rect with every rectangle that overlaps it or continues it, and takes those out. */
static void absorb(struct damage *d, struct bis_rect *rect)
{
	for (size_t i = 0; i < d->count;) {
		struct bis_rect other;

		if (!overlap(&d->rects[i], rect) && waste(&d->rects[i], rect) > 0) {
			i++;
			continue;
		}
		other = take(d, i);
		*rect = around(&other, rect);
		i = 0; /* it has grown */
	}
}

/* Takes out the rectangle that is joined with *rect, or with another, at the least waste; *rect becomes the join. */
static void join_cheapest(struct damage *d, struct bis_rect *rect)
{
	uint64_t best = UINT64_MAX;
	size_t a = 0, b = 0;
	struct bis_rect other;

	for (size_t i = 0; i < d->count; i++) {
		for (size_t j = i + 1; j <= d->count; j++) {
			const struct bis_rect *second = j < d->count ? &d->rects[j] : rect;
			uint64_t w = waste(&d->rects[i], second);

			if (w < best) {
				best = w;
				a = i;
				b = j;
			}
		}
	}
	if (b == d->count) {
		other = take(d, a);
		*rect = around(&other, rect);
		return;
	}
	other = take(d, b); /* the later one first: it does not move the earlier */
	other = around(&d->rects[a], &other);
	d->rects[a] = *rect;
	*rect = other;
}

void bis_damage_add(struct damage *d, struct bis_rect rect)
{
	if (!rect.width || !rect.height)
		return;
	absorb(d, &rect);
	while (d->count == BIS_VIEW_RECTS) {
		join_cheapest(d, &rect);
		absorb(d, &rect);
	}
	d->rects[d->count++] = rect;
}
