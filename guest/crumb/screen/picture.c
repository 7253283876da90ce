/*
 * Drawing. Edges are smooth because a pixel that is partly covered is partly coloured: how much, the distance of its
 * middle from the edge tells. All arithmetic is in whole numbers, as the kernel leaves floating point alone.
 */
#include "picture.h"
#include <string.h>

#define DIRECTION 4096 /* the length of a vector that says only which way */

static int min(int a, int b)
{
	return a < b ? a : b;
}

static int max(int a, int b)
{
	return a > b ? a : b;
}

bool rect_cut(struct rect *r, const struct picture *p)
{
	int right = min(r->x + r->width, p->width), bottom = min(r->y + r->height, p->height);

	r->x = max(r->x, 0);
	r->y = max(r->y, 0);
	r->width = max(right - r->x, 0);
	r->height = max(bottom - r->y, 0);
	return r->width && r->height;
}

struct rect rect_around(struct rect a, struct rect b)
{
	struct rect r = {.x = min(a.x, b.x), .y = min(a.y, b.y)};

	if (a.width <= 0 || a.height <= 0)
		return b;
	if (b.width <= 0 || b.height <= 0)
		return a;
	r.width = max(a.x + a.width, b.x + b.width) - r.x;
	r.height = max(a.y + a.height, b.y + b.height) - r.y;
	return r;
}

bool rect_has(struct rect r, int x, int y)
{
	return x >= r.x && y >= r.y && x < r.x + r.width && y < r.y + r.height;
}

static uint32_t *line_at(const struct picture *p, int y)
{
	return p->pixels + (size_t)y * (size_t)p->pitch;
}

struct picture picture_part(const struct picture *p, struct rect r)
{
	return (struct picture){line_at(p, r.y) + r.x, r.width, r.height, p->pitch};
}

/* Red and blue are far enough apart to be mixed in one multiplication. */
uint32_t colour_mix(uint32_t below, uint32_t above, unsigned cover)
{
	uint32_t red_blue = (below & 0xff00ff) * (OPAQUE - cover) + (above & 0xff00ff) * cover;
	uint32_t green = (below & 0x00ff00) * (OPAQUE - cover) + (above & 0x00ff00) * cover;

	return (red_blue >> 8 & 0xff00ff) | (green >> 8 & 0x00ff00);
}

static void mix_at(uint32_t *pixel, uint32_t colour, unsigned cover)
{
	*pixel = cover >= OPAQUE ? colour : colour_mix(*pixel, colour, cover);
}

/* --- Rectangles --- */

void picture_fill(const struct picture *p, struct rect r, uint32_t colour)
{
	picture_tint(p, r, colour, OPAQUE);
}

void picture_tint(const struct picture *p, struct rect r, uint32_t colour, unsigned cover)
{
	if (!rect_cut(&r, p))
		return;
	for (int y = r.y; y < r.y + r.height; y++) {
		uint32_t *at = line_at(p, y) + r.x;

		for (int i = 0; i < r.width; i++)
			mix_at(&at[i], colour, cover);
	}
}

void picture_frame(const struct picture *p, struct rect r, int thick, uint32_t colour)
{
	picture_fill(p, (struct rect){r.x, r.y, r.width, thick}, colour);
	picture_fill(p, (struct rect){r.x, r.y + r.height - thick, r.width, thick}, colour);
	picture_fill(p, (struct rect){r.x, r.y, thick, r.height}, colour);
	picture_fill(p, (struct rect){r.x + r.width - thick, r.y, thick, r.height}, colour);
}

/* How much of a pixel lies inside an edge that is `inside` units away from its middle. */
static unsigned cover_of(int inside, unsigned cover)
{
	inside += UNITS / 2;
	if (inside <= 0)
		return 0;
	return inside >= UNITS ? cover : cover * (unsigned)inside / UNITS;
}

void picture_panel(const struct picture *p, struct rect r, int radius, uint32_t colour, unsigned cover)
{
	struct rect visible = r;

	if (!rect_cut(&visible, p))
		return;
	for (int y = visible.y; y < visible.y + visible.height; y++) {
		int dy = max(r.y + radius - y, y - (r.y + r.height - 1 - radius));

		for (int x = visible.x; x < visible.x + visible.width; x++) {
			int dx = max(r.x + radius - x, x - (r.x + r.width - 1 - radius));
			unsigned part = cover;

			if (dx > 0 && dy > 0) {
				uint32_t away = square_root((uint32_t)(dx * dx + dy * dy) * UNITS * UNITS);

				part = cover_of(radius * UNITS - (int)away, cover);
			}
			mix_at(line_at(p, y) + x, colour, part);
		}
	}
}

/* --- Lines --- */

/* Two bits of the value at a time give a bit of the root. */
uint32_t square_root(uint32_t value)
{
	uint32_t root = 0;

	for (uint32_t bit = 1UL << 30; bit; bit >>= 2) {
		if (value >= root + bit) {
			value -= root + bit;
			root = root / 2 + bit;
		} else {
			root /= 2;
		}
	}
	return root;
}

struct stroke {
	int x0, y0, x1, y1; /* UNITS */
	int radius, length;
	int way_x, way_y; /* from one end to the other, DIRECTION long */
};

static struct stroke make_stroke(int x0, int y0, int x1, int y1, int width)
{
	struct stroke s = {x0, y0, x1, y1, width / 2, 0, DIRECTION, 0};
	int dx = x1 - x0, dy = y1 - y0, shift = 0;

	/* A long line's square has no room in 32 bits. */
	while (dx >> shift > 20000 || -dx >> shift > 20000 || dy >> shift > 20000 || -dy >> shift > 20000)
		shift++;
	s.length =
		(int)(square_root((uint32_t)((dx >> shift) * (dx >> shift)) + (uint32_t)((dy >> shift) * (dy >> shift)))
		      << shift);
	if (s.length) {
		s.way_x = dx * DIRECTION / s.length;
		s.way_y = dy * DIRECTION / s.length;
	}
	return s;
}

/* How far a place is from the line between the ends; only exact where that matters, which is near it. */
static int distance(const struct stroke *s, int x, int y)
{
	int dx = x - s->x0, dy = y - s->y0, along = (dx * s->way_x + dy * s->way_y) / DIRECTION;

	if (along > 0 && along < s->length) {
		int across = (dx * s->way_y - dy * s->way_x) / DIRECTION;

		return across < 0 ? -across : across;
	}
	if (along > 0) {
		dx = x - s->x1;
		dy = y - s->y1;
	}
	if (max(max(dx, -dx), max(dy, -dy)) > 30000)
		return 30000;
	return (int)square_root((uint32_t)(dx * dx) + (uint32_t)(dy * dy));
}

/* Which pixels of a line of the picture can be near enough: all that the ends allow, or what the slope leaves. */
static void narrow(const struct stroke *s, int y, int *first, int *end)
{
	int reach = s->radius + 2 * UNITS, steep = s->way_y < 0 ? -s->way_y : s->way_y, middle, half;

	if (steep < DIRECTION / 16)
		return;
	middle = s->x0 + (y - s->y0) * s->way_x / s->way_y;
	half = reach * DIRECTION / steep + reach;
	*first = max(*first, (middle - half) / UNITS - 1);
	*end = min(*end, (middle + half) / UNITS + 2);
}

void picture_line(const struct picture *p, int x0, int y0, int x1, int y1, int width, uint32_t colour, unsigned cover)
{
	struct stroke s = make_stroke(x0, y0, x1, y1, width);
	int reach = s.radius + UNITS;
	struct rect box = {(min(x0, x1) - reach) / UNITS - 1, (min(y0, y1) - reach) / UNITS - 1, 0, 0};

	box.width = (max(x0, x1) + reach) / UNITS + 2 - box.x;
	box.height = (max(y0, y1) + reach) / UNITS + 2 - box.y;
	if (!rect_cut(&box, p))
		return;
	for (int y = box.y; y < box.y + box.height; y++) {
		int first = box.x, end = box.x + box.width, middle = y * UNITS + UNITS / 2;

		narrow(&s, middle, &first, &end);
		for (int x = first; x < end; x++) {
			unsigned part = cover_of(s.radius - distance(&s, x * UNITS + UNITS / 2, middle), cover);

			if (part)
				mix_at(line_at(p, y) + x, colour, part);
		}
	}
}

void picture_disc(const struct picture *p, int x, int y, int radius, uint32_t colour, unsigned cover)
{
	picture_line(p, x, y, x, y, 2 * radius, colour, cover);
}

/* --- Pictures on pictures --- */

void picture_copy(const struct picture *p, int x, int y, const struct picture *from)
{
	struct rect r = {x, y, from->width, from->height};

	if (!rect_cut(&r, p))
		return;
	for (int i = r.y; i < r.y + r.height; i++)
		memcpy(line_at(p, i) + r.x, line_at(from, i - y) + (r.x - x), (size_t)r.width * sizeof(uint32_t));
}

void picture_lay(const struct picture *p, int x, int y, const struct picture *from)
{
	struct rect r = {x, y, from->width, from->height};

	if (!rect_cut(&r, p))
		return;
	for (int i = r.y; i < r.y + r.height; i++) {
		const uint32_t *above = line_at(from, i - y) + (r.x - x);
		uint32_t *at = line_at(p, i) + r.x;

		for (int j = 0; j < r.width; j++) {
			uint32_t cover = above[j] >> 24;

			if (cover)
				mix_at(&at[j], above[j] & 0xffffff, cover + (cover >> 7));
		}
	}
}

/* Over half a turn, a fraction of two parabolas comes close (Bhaskara's approximation). */
int sine(int angle)
{
	int along = angle & 511, hump = along * (512 - along);
	int value = (int)((int64_t)65536 * hump / (5 * 512 * 512 - 4 * hump));

	return angle & 512 ? -value : value;
}
