/*
 * Displays, <biscuit/display.h>: the side of the viewers. Runs on the viewers' threads; the locks are described in
 * display_internal.h. A viewer belongs to whoever made it.
 */
#include "src/machine/display_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <biscuit/error.h>
#include <biscuit/machine.h>
#include <biscuit/memory.h>

#define VIEWERS_MAX 8u

/* --- Coming and going --- */

/* Tells the device that somebody looks now, or nobody any more. */
static void tell_device(struct bis_display *d)
{
	const struct bis_display_ops *ops;
	void *self;

	bis_machine_lock_devices(d->machine);
	pthread_mutex_lock(&d->lock);
	ops = d->ops;
	self = d->self;
	pthread_mutex_unlock(&d->lock);
	/* The device stays attached while the device lock is held. */
	if (ops && ops->watched)
		ops->watched(self);
	bis_machine_unlock_devices(d->machine);
}

/* True: it is the first that watches, or was the last. `lock` held. */
static bool set_watching(struct bis_viewer *v, bool watching)
{
	struct bis_display *d = v->display;

	if (v->watching == watching)
		return false;
	v->watching = watching;
	v->damage.count = 0;
	if (!watching)
		return atomic_fetch_sub(&d->watcher_count, 1) == 1;
	if (d->shown)
		bis_damage_add(&v->damage, (struct bis_rect){0, 0, d->surface.width, d->surface.height});
	return atomic_fetch_add(&d->watcher_count, 1) == 0;
}

int bis_viewer_create(struct bis_display *d, void (*notify)(void *arg), void *arg, struct bis_viewer **out)
{
	struct bis_viewer *v = calloc(1, sizeof(*v));
	bool first = false;
	int err = 0;

	if (!v)
		return bis_fail(ENOMEM, "no memory for a viewer of the display '%s'", d->name);
	*v = (struct bis_viewer){.display = d, .notify = notify, .arg = arg};
	pthread_mutex_lock(&d->lock);
	if (d->viewer_count == VIEWERS_MAX) {
		err = bis_fail(ENOSPC, "the display '%s' has %u viewers, which is the most it can have", d->name,
			       VIEWERS_MAX);
	} else {
		v->next = d->viewers;
		d->viewers = v;
		d->viewer_count++;
		first = set_watching(v, true);
	}
	pthread_mutex_unlock(&d->lock);
	if (err) {
		free(v);
		return err;
	}
	if (first)
		tell_device(d);
	*out = v;
	return 0;
}

static void drop_reader(struct bis_display *d)
{
	bis_dirty_destroy(d->dirty);
	d->dirty = NULL;
}

void bis_viewer_watch(struct bis_viewer *v, bool watch)
{
	struct bis_display *d = v->display;
	bool news;

	pthread_mutex_lock(&d->poll_lock);
	pthread_mutex_lock(&d->lock);
	news = set_watching(v, watch);
	pthread_mutex_unlock(&d->lock);
	if (news && !watch)
		drop_reader(d);
	pthread_mutex_unlock(&d->poll_lock);
	if (news)
		tell_device(d);
}

void bis_viewer_destroy(struct bis_viewer *v)
{
	struct bis_viewer **at;
	struct bis_display *d;

	if (!v)
		return;
	d = v->display;
	bis_viewer_watch(v, false);
	pthread_mutex_lock(&d->lock);
	for (at = &d->viewers; *at != v; at = &(*at)->next)
		;
	*at = v->next;
	d->viewer_count--;
	pthread_mutex_unlock(&d->lock);
	free(v);
}

/* --- Finding what has changed in guest memory; poll_lock held --- */

/* Lines of the surface; none while first == end. */
struct lines {
	uint32_t first, end;
};

static void damage_lines(struct bis_display *d, const struct lines *l)
{
	if (l->first < l->end)
		bis_display_add_damage(d, (struct bis_rect){0, l->first, d->surface.width, l->end - l->first});
}

/* The lines of which page `page`, counted from the surface's first, holds a part. */
static struct lines lines_of(const struct bis_surface *s, uint64_t page)
{
	uint64_t lead = s->base.v % BIS_PAGE_SIZE, extent = bis_surface_extent(s);
	uint64_t start = page * BIS_PAGE_SIZE, end = start + BIS_PAGE_SIZE - lead;

	start = start > lead ? start - lead : 0;
	end = end < extent ? end : extent;
	return (struct lines){(uint32_t)(start / s->pitch), (uint32_t)((end - 1) / s->pitch + 1)};
}

/* Turns dirty pages into lines, and lines that touch into one part. `lock` held. */
static void damage_pages(struct bis_display *d, uint64_t count)
{
	struct lines part = {0, 0};

	for (uint64_t word = 0; word < (count + 63) / 64; word++) {
		for (uint64_t left = d->pages[word]; left; left &= left - 1) {
			struct lines next = lines_of(&d->surface, word * 64 + (unsigned)__builtin_ctzll(left));

			if (next.first > part.end) {
				damage_lines(d, &part);
				part.first = next.first;
			}
			part.end = next.end;
		}
	}
	damage_lines(d, &part);
}

/* Asks which pages of the surface have been written. 0, or where that cannot be told an error. */
static int fetch(struct bis_display *d, const struct bis_surface *s, uint64_t *count)
{
	uint64_t lead = s->base.v % BIS_PAGE_SIZE;

	*count = (lead + bis_surface_extent(s) + BIS_PAGE_SIZE - 1) / BIS_PAGE_SIZE;
	return bis_dirty_fetch(d->dirty, (bis_gpa){s->base.v - lead}, *count, d->pages);
}

static void find_changes(struct bis_display *d)
{
	struct bis_surface s;
	uint64_t changes, count = 0;
	bool in_guest, all;

	pthread_mutex_lock(&d->lock);
	in_guest = d->shown && d->surface.in_guest;
	s = d->surface;
	changes = d->changes;
	pthread_mutex_unlock(&d->lock);
	if (!in_guest) {
		drop_reader(d);
		return;
	}
	/* Nobody has watched until now, or cannot: then all of it may have changed. */
	all = !d->dirty;
	if (!d->dirty && bis_dirty_create(bis_machine_memory(d->machine), &d->dirty))
		d->dirty = NULL;
	if (!d->dirty || fetch(d, &s, &count))
		all = true;
	pthread_mutex_lock(&d->lock);
	if (all)
		bis_display_damage_all(d);
	else if (d->changes == changes) /* otherwise all of the new surface is damaged */
		damage_pages(d, count);
	pthread_mutex_unlock(&d->lock);
}

void bis_viewer_update(struct bis_viewer *v, struct bis_view *out)
{
	struct bis_display *d = v->display;

	pthread_mutex_lock(&d->poll_lock);
	if (v->watching)
		find_changes(d);
	pthread_mutex_lock(&d->lock);
	*out = (struct bis_view){
		.width = d->shown ? d->surface.width : 0,
		.height = d->shown ? d->surface.height : 0,
		.generation = d->generation,
		.since = d->since,
		.n_rects = v->damage.count,
		.poll = v->watching && d->shown && d->surface.in_guest,
		.can_resize = d->ops && d->ops->wish,
		.cursor = d->cursor_number,
		.cursor_shown = d->cursor.width > 0,
		.cursor_x = d->cursor_x,
		.cursor_y = d->cursor_y,
	};
	memcpy(out->rects, v->damage.rects, sizeof(out->rects));
	v->damage.count = 0;
	v->told = false;
	pthread_mutex_unlock(&d->lock);
	pthread_mutex_unlock(&d->poll_lock);
}

/* --- Pixels --- */

/*
 * Pixels that are fetched at once: few enough to stay in the first cache while they are converted, and for memcpy to
 * use vectors rather than string instructions.
 */
#define PIECE 480u
/* Pixels that loops handle at once, so that compilers make vector instructions of them. */
#define STRIDE 16u

static void from_xrgb(uint32_t *restrict to, const uint32_t *restrict from, size_t n)
{
	size_t i = 0;

	for (; n - i >= STRIDE; i += STRIDE)
		for (size_t j = 0; j < STRIDE; j++)
			to[i + j] = from[i + j] | 0xff000000u;
	for (; i < n; i++)
		to[i] = from[i] | 0xff000000u;
}

static uint32_t swap_red_and_blue(uint32_t p)
{
	return 0xff000000u | (p & 0xff) << 16 | (p & 0xff00) | (p >> 16 & 0xff);
}

static void from_xbgr(uint32_t *restrict to, const uint32_t *restrict from, size_t n)
{
	size_t i = 0;

	for (; n - i >= STRIDE; i += STRIDE)
		for (size_t j = 0; j < STRIDE; j++)
			to[i + j] = swap_red_and_blue(from[i + j]);
	for (; i < n; i++)
		to[i] = swap_red_and_blue(from[i]);
}

/* The upper bits of a part are its lower ones as well: 31 becomes 255. */
static uint32_t widen_565(uint32_t p)
{
	uint32_t red = p >> 11, green = p >> 5 & 63, blue = p & 31;

	return 0xff000000u | (red << 3 | red >> 2) << 16 | (green << 2 | green >> 4) << 8 | (blue << 3 | blue >> 2);
}

static void from_565(uint32_t *restrict to, const uint16_t *restrict from, size_t n)
{
	size_t i = 0;

	for (; n - i >= STRIDE; i += STRIDE)
		for (size_t j = 0; j < STRIDE; j++)
			to[i + j] = widen_565(from[i + j]);
	for (; i < n; i++)
		to[i] = widen_565(from[i]);
}

union piece {
	uint32_t wide[PIECE];
	uint16_t narrow[PIECE];
};

static void convert(enum bis_pixel_format format, uint32_t *to, const union piece *from, size_t n)
{
	if (format == BIS_PIXEL_RGB565)
		from_565(to, from->narrow, n);
	else if (format == BIS_PIXEL_XBGR8888)
		from_xbgr(to, from->wide, n);
	else
		from_xrgb(to, from->wide, n);
}

/* Copies bytes of the surface as they are. Each is read once: a guest may be writing. */
static int fetch_bytes(const struct bis_display *d, const struct bis_surface *s, uint64_t off, void *to, size_t len)
{
	if (s->in_guest)
		return bis_mem_read(bis_machine_memory(d->machine), (bis_gpa){s->base.v + off}, to, len);
	memcpy(to, (const uint8_t *)s->pixels + off, len);
	return 0;
}

static int read_line(const struct bis_display *d, const struct bis_surface *s, uint64_t off, uint32_t *to, uint32_t n)
{
	unsigned size = bis_pixel_size(s->format);
	union piece piece;
	int err = 0;

	while (n > 0 && !err) {
		uint32_t part = n < PIECE ? n : PIECE;

		err = fetch_bytes(d, s, off, &piece, (size_t)part * size);
		if (!err)
			convert(s->format, to, &piece, part);
		off += part * size;
		to += part;
		n -= part;
	}
	return err;
}

static int read_part(const struct bis_display *d, const struct bis_surface *s, const struct bis_rect *r, uint32_t *to,
		     size_t pitch)
{
	uint64_t off = (uint64_t)r->y * s->pitch + (uint64_t)r->x * bis_pixel_size(s->format);
	int err = 0;

	if (!r->width)
		return 0;
	for (uint32_t y = 0; y < r->height && !err; y++) {
		err = read_line(d, s, off, to, r->width);
		off += s->pitch;
		to += pitch / sizeof(*to);
	}
	return err;
}

static bool lies_inside(const struct bis_rect *r, const struct bis_surface *s)
{
	return r->x <= s->width && r->width <= s->width - r->x && r->y <= s->height && r->height <= s->height - r->y;
}

/* RAM stays, whatever is shown next: `lock` is released meanwhile, so that a guest that shows it need not wait. */
static int read_guest(struct bis_viewer *v, const struct bis_rect *rect, uint32_t *to, size_t pitch)
{
	struct bis_display *d = v->display;
	struct bis_surface s = d->surface;
	int err;

	v->reading = d->changes;
	pthread_mutex_unlock(&d->lock);
	err = read_part(d, &s, rect, to, pitch);
	pthread_mutex_lock(&d->lock);
	v->reading = 0;
	return err;
}

int bis_viewer_read(struct bis_viewer *v, const struct bis_rect *rect, uint32_t *to, size_t pitch)
{
	struct bis_display *d = v->display;
	int err;

	pthread_mutex_lock(&d->lock);
	if (!d->shown || !lies_inside(rect, &d->surface))
		err = -ERANGE;
	else if (d->surface.in_guest)
		err = read_guest(v, rect, to, pitch);
	else
		err = read_part(d, &d->surface, rect, to, pitch);
	pthread_mutex_unlock(&d->lock);
	return err;
}

void bis_viewer_cursor(struct bis_viewer *v, struct bis_cursor *out)
{
	pthread_mutex_lock(&v->display->lock);
	*out = v->display->cursor;
	pthread_mutex_unlock(&v->display->lock);
}

static uint32_t side(uint32_t pixels)
{
	return pixels < BIS_DISPLAY_SIDE_MAX ? pixels : BIS_DISPLAY_SIDE_MAX;
}

void bis_viewer_wish(struct bis_viewer *v, uint32_t width, uint32_t height)
{
	struct bis_display *d = v->display;
	const struct bis_display_ops *ops;
	void *self;

	if (!width || !height)
		return;
	bis_machine_lock_devices(d->machine);
	pthread_mutex_lock(&d->lock);
	ops = d->ops;
	self = d->self;
	pthread_mutex_unlock(&d->lock);
	/* The device stays attached while the device lock is held. */
	if (ops && ops->wish)
		ops->wish(self, side(width), side(height));
	bis_machine_unlock_devices(d->machine);
}
