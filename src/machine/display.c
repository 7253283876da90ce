/*
 * Displays, <biscuit/display.h>: the list of a machine, and the side of the devices. Any thread; the locks are
 * described in display_internal.h. The machine owns the displays through its list; devices own the pixels that are not
 * in guest memory.
 */
#include "src/machine/display_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <biscuit/error.h>
#include <biscuit/machine.h>
#include <biscuit/memory.h>

unsigned bis_pixel_size(enum bis_pixel_format format)
{
	return format == BIS_PIXEL_RGB565 ? 2 : 4;
}

/* --- The list of a machine --- */

struct bis_display *bis_display_find(struct bis_machine *m, const char *name)
{
	struct bis_display *d = atomic_load(bis_machine_displays(m));

	while (d && strcmp(d->name, name) != 0)
		d = atomic_load(&d->next);
	return d;
}

struct bis_display *bis_display_at(struct bis_machine *m, size_t index)
{
	struct bis_display *d = atomic_load(bis_machine_displays(m));

	while (d && index--)
		d = atomic_load(&d->next);
	return d;
}

const char *bis_display_name(const struct bis_display *d)
{
	return d->name;
}

static int create(struct bis_machine *m, const char *name, struct bis_display **out)
{
	struct bis_display *d = calloc(1, sizeof(*d));
	pthread_mutexattr_t attr;

	if (d)
		d->name = strdup(name);
	if (!d || !d->name) {
		free(d);
		return bis_fail(ENOMEM, "no memory for the display '%s'", name);
	}
	d->machine = m;
	pthread_mutex_init(&d->poll_lock, NULL);
	pthread_mutexattr_init(&attr);
	pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_RECURSIVE);
	pthread_mutex_init(&d->lock, &attr);
	pthread_mutexattr_destroy(&attr);
	*out = d;
	return 0;
}

int bis_display_open(struct bis_machine *m, const char *name, struct bis_display **out)
{
	struct bis_display *_Atomic *end = bis_machine_displays(m);
	struct bis_display *d;
	int err = 0;

	bis_machine_lock_devices(m);
	d = bis_display_find(m, name);
	if (!d)
		err = create(m, name, &d);
	if (!err) {
		while (atomic_load(end) && atomic_load(end) != d)
			end = &atomic_load(end)->next;
		atomic_store(end, d);
		*out = d;
	}
	bis_machine_unlock_devices(m);
	return err;
}

void bis_display_destroy_all(struct bis_machine *m)
{
	struct bis_display *d = atomic_exchange(bis_machine_displays(m), NULL);

	while (d) {
		struct bis_display *next = atomic_load(&d->next);

		bis_dirty_destroy(d->dirty);
		pthread_mutex_destroy(&d->lock);
		pthread_mutex_destroy(&d->poll_lock);
		free(d->name);
		free(d);
		d = next;
	}
}

/* --- Telling the viewers; lock held --- */

enum audience { WATCHERS, EVERYBODY };

static void tell(struct bis_display *d, enum audience audience)
{
	for (struct bis_viewer *v = d->viewers; v; v = v->next) {
		if (v->told || (audience == WATCHERS && !v->watching))
			continue;
		v->told = true;
		if (v->notify)
			v->notify(v->arg);
	}
}

void bis_display_add_damage(struct bis_display *d, struct bis_rect rect)
{
	for (struct bis_viewer *v = d->viewers; v; v = v->next)
		if (v->watching)
			bis_damage_add(&v->damage, rect);
}

void bis_display_damage_all(struct bis_display *d)
{
	for (struct bis_viewer *v = d->viewers; v; v = v->next) {
		v->damage.count = 0;
		if (d->shown && v->watching)
			bis_damage_add(&v->damage, (struct bis_rect){0, 0, d->surface.width, d->surface.height});
	}
}

/* --- Devices --- */

int bis_display_attach(struct bis_display *d, const struct bis_display_ops *ops, void *self)
{
	int err = 0;

	pthread_mutex_lock(&d->lock);
	if (d->ops) {
		err = bis_fail(EBUSY, "the display '%s' already has a device", d->name);
	} else {
		d->ops = ops;
		d->self = self;
	}
	pthread_mutex_unlock(&d->lock);
	return err;
}

static void show_nothing(struct bis_display *d)
{
	if (!d->shown)
		return;
	d->shown = false;
	d->changes++;
	bis_display_damage_all(d);
	tell(d, EVERYBODY);
}

void bis_display_detach(struct bis_display *d, void *self)
{
	pthread_mutex_lock(&d->lock);
	if (d->ops && d->self == self) {
		show_nothing(d);
		bis_display_set_cursor(d, NULL);
		d->ops = NULL;
		d->self = NULL;
		tell(d, EVERYBODY);
	}
	pthread_mutex_unlock(&d->lock);
}

static int check_surface(const struct bis_display *d, const struct bis_surface *s)
{
	unsigned size = bis_pixel_size(s->format);

	if (s->width < 1 || s->width > BIS_DISPLAY_SIDE_MAX || s->height < 1 || s->height > BIS_DISPLAY_SIDE_MAX)
		return -EINVAL;
	if ((unsigned)s->format >= BIS_PIXEL_FORMATS)
		return -EINVAL;
	if (s->pitch < s->width * size || s->pitch > BIS_DISPLAY_PITCH_MAX || s->pitch % size)
		return -EINVAL;
	if (!s->in_guest)
		return s->pixels && (uintptr_t)s->pixels % size == 0 ? 0 : -EINVAL;
	if (s->base.v % size)
		return -EINVAL;
	return bis_mem_is_ram(bis_machine_memory(d->machine), s->base, bis_surface_extent(s)) ? 0 : -EFAULT;
}

/* The same part of guest memory as is shown: what has changed in it will be found. */
static bool is_same(const struct bis_display *d, const struct bis_surface *s)
{
	const struct bis_surface *now = &d->surface;

	return d->shown && now->in_guest && s->in_guest && now->base.v == s->base.v && now->width == s->width &&
	       now->height == s->height && now->pitch == s->pitch && now->format == s->format;
}

static uint64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static void replace(struct bis_display *d, const struct bis_surface *s)
{
	bool resized = !d->shown || d->surface.width != s->width || d->surface.height != s->height;

	if (resized)
		d->generation++;
	if (!d->shown)
		d->since = now();
	d->surface = *s;
	d->shown = true;
	d->changes++;
	bis_display_damage_all(d);
	tell(d, resized ? EVERYBODY : WATCHERS);
}

int bis_display_show(struct bis_display *d, const struct bis_surface *surface)
{
	int err = surface ? check_surface(d, surface) : 0;

	if (err)
		return err;
	pthread_mutex_lock(&d->lock);
	if (!surface)
		show_nothing(d);
	else if (is_same(d, surface))
		tell(d, WATCHERS);
	else
		replace(d, surface);
	pthread_mutex_unlock(&d->lock);
	return 0;
}

bool bis_display_is_flipping(struct bis_display *d)
{
	bool flipping = false;

	pthread_mutex_lock(&d->lock);
	for (const struct bis_viewer *v = d->viewers; v; v = v->next)
		flipping |= v->reading && v->reading != d->changes;
	pthread_mutex_unlock(&d->lock);
	return flipping;
}

/* What of `from` and `len` lies below `end`; the result wraps nowhere. */
static uint32_t cut(uint32_t from, uint32_t len, uint32_t end)
{
	if (from >= end)
		return 0;
	return len < end - from ? len : end - from;
}

void bis_display_damage(struct bis_display *d, const struct bis_rect *rect)
{
	struct bis_rect part = *rect;

	pthread_mutex_lock(&d->lock);
	if (d->shown) {
		part.width = cut(part.x, part.width, d->surface.width);
		part.height = cut(part.y, part.height, d->surface.height);
		if (part.width && part.height) {
			bis_display_add_damage(d, part);
			tell(d, WATCHERS);
		}
	}
	pthread_mutex_unlock(&d->lock);
}

bool bis_display_has_viewers(const struct bis_display *d)
{
	return atomic_load(&d->watcher_count) > 0;
}

void bis_display_lock(struct bis_display *d)
{
	pthread_mutex_lock(&d->lock);
}

void bis_display_unlock(struct bis_display *d)
{
	pthread_mutex_unlock(&d->lock);
}

/* --- The pointer --- */

static void copy_cursor(struct bis_cursor *to, const struct bis_cursor *from)
{
	to->width = from->width;
	to->height = from->height;
	to->hot_x = from->hot_x < from->width ? from->hot_x : from->width - 1;
	to->hot_y = from->hot_y < from->height ? from->hot_y : from->height - 1;
	memcpy(to->pixels, from->pixels, (size_t)from->width * from->height * sizeof(from->pixels[0]));
}

void bis_display_set_cursor(struct bis_display *d, const struct bis_cursor *cursor)
{
	bool some = cursor && cursor->width && cursor->height && cursor->width <= BIS_DISPLAY_CURSOR_MAX &&
		    cursor->height <= BIS_DISPLAY_CURSOR_MAX;

	pthread_mutex_lock(&d->lock);
	if (some || d->cursor.width) {
		if (some)
			copy_cursor(&d->cursor, cursor);
		else
			d->cursor.width = d->cursor.height = 0;
		d->cursor_number++;
		tell(d, WATCHERS);
	}
	pthread_mutex_unlock(&d->lock);
}

void bis_display_move_cursor(struct bis_display *d, uint32_t x, uint32_t y)
{
	pthread_mutex_lock(&d->lock);
	if (d->cursor_x != x || d->cursor_y != y) {
		d->cursor_x = x;
		d->cursor_y = y;
		if (d->cursor.width)
			tell(d, WATCHERS);
	}
	pthread_mutex_unlock(&d->lock);
}
