/*
 * The bus: the physical map of register windows, bus_internal.h. Runs on hart threads, the controller thread and the
 * control thread. The map, the last-hit hint and every device call are under the machine's device lock, so a window
 * that has been unmapped is never called. The bus owns the windows and their names, not the devices behind them.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <biscuit/error.h>

#include "src/memory/bus_internal.h"

struct bis_bus {
	const struct bis_memory *memory;
	pthread_mutex_t *lock;		/* guards everything below */
	struct bis_bus_window *windows; /* in address order */
	size_t count;
	size_t last_hit;
};

int bis_bus_create(const struct bis_memory *m, pthread_mutex_t *device_lock, struct bis_bus **out)
{
	struct bis_bus *bus = calloc(1, sizeof(*bus));

	if (!bus)
		return bis_fail(ENOMEM, "bus: no host memory");
	bus->memory = m;
	bus->lock = device_lock;
	*out = bus;
	return 0;
}

void bis_bus_destroy(struct bis_bus *bus)
{
	if (!bus)
		return;
	for (size_t i = 0; i < bus->count; i++)
		free((char *)bus->windows[i].name);
	free(bus->windows);
	free(bus);
}

/* --- the map --- */

static bool is_width(unsigned width)
{
	return width >= 1 && width <= 8 && (width & (width - 1)) == 0;
}

static int check_window(const char *name, uint64_t base, const struct bis_mmio_ops *ops)
{
	unsigned align = ops->max_access > 4 ? ops->max_access : 4;

	if (ops->size == 0 || ops->size % 4)
		return bis_fail(EINVAL, "bus: window '%s' has 0x%" PRIx64 " bytes, expected a multiple of 4", name,
				ops->size);
	if (!is_width(ops->min_access) || !is_width(ops->max_access) || ops->min_access > ops->max_access)
		return bis_fail(EINVAL,
				"bus: window '%s' takes accesses of %u to %u bytes, expected powers of two from 1 to 8",
				name, ops->min_access, ops->max_access);
	if (base % align)
		return bis_fail(EINVAL, "bus: window '%s' at 0x%" PRIx64 " is not aligned to %u bytes", name, base,
				align);
	if (ops->size > UINT64_MAX - base)
		return bis_fail(EINVAL, "bus: window '%s' at 0x%" PRIx64 " with 0x%" PRIx64 " bytes goes beyond 2^64",
				name, base, ops->size);
	return 0;
}

static int overlap(const char *name, uint64_t base, uint64_t size, const char *other, uint64_t other_base,
		   uint64_t other_size)
{
	if (base >= other_base + other_size || other_base >= base + size)
		return 0;
	return bis_fail(EEXIST,
			"bus: window '%s' at 0x%" PRIx64 " with 0x%" PRIx64 " bytes overlaps '%s' at 0x%" PRIx64
			" with 0x%" PRIx64 " bytes",
			name, base, size, other, other_base, other_size);
}

static int check_overlap(const struct bis_bus *bus, const char *name, uint64_t base, uint64_t size)
{
	int err = 0;

	for (size_t i = 0; i < bus->count && !err; i++) {
		const struct bis_bus_window *w = &bus->windows[i];

		err = overlap(name, base, size, w->name, w->base, w->ops->size);
	}
	for (size_t i = 0; i < bis_mem_region_count(bus->memory) && !err; i++) {
		struct bis_mem_region r;

		err = bis_mem_region(bus->memory, i, &r);
		if (!err)
			err = overlap(name, base, size, r.name, r.base.v, r.size);
	}
	return err;
}

static int insert(struct bis_bus *bus, const struct bis_bus_window *window)
{
	struct bis_bus_window *windows = realloc(bus->windows, (bus->count + 1) * sizeof(*windows));
	size_t at = 0;

	if (!windows)
		return -ENOMEM;
	bus->windows = windows;
	while (at < bus->count && windows[at].base < window->base)
		at++;
	memmove(&windows[at + 1], &windows[at], (bus->count - at) * sizeof(*windows));
	windows[at] = *window;
	bus->count++;
	return 0;
}

int bis_bus_map(struct bis_bus *bus, const char *name, uint64_t base, const struct bis_mmio_ops *ops, void *self)
{
	struct bis_bus_window window = {.base = base, .ops = ops, .self = self};
	int err = check_window(name, base, ops);
	char *copy;

	if (err)
		return err;
	copy = strdup(name);
	if (!copy)
		return bis_fail(ENOMEM, "bus: no host memory for window '%s'", name);
	window.name = copy;
	pthread_mutex_lock(bus->lock);
	err = check_overlap(bus, name, base, ops->size);
	if (!err && insert(bus, &window))
		err = bis_fail(ENOMEM, "bus: no host memory for window '%s'", name);
	pthread_mutex_unlock(bus->lock);
	if (err)
		free(copy);
	return err;
}

int bis_bus_unmap(struct bis_bus *bus, uint64_t base)
{
	char *name = NULL;
	size_t i = 0;

	pthread_mutex_lock(bus->lock);
	while (i < bus->count && bus->windows[i].base != base)
		i++;
	if (i < bus->count) {
		name = (char *)bus->windows[i].name;
		bus->count--;
		memmove(&bus->windows[i], &bus->windows[i + 1], (bus->count - i) * sizeof(*bus->windows));
	}
	pthread_mutex_unlock(bus->lock);
	if (!name)
		return bis_fail(ENOENT, "bus: there is no window at 0x%" PRIx64, base);
	free(name);
	return 0;
}

size_t bis_bus_window_count(struct bis_bus *bus)
{
	size_t count;

	pthread_mutex_lock(bus->lock);
	count = bus->count;
	pthread_mutex_unlock(bus->lock);
	return count;
}

int bis_bus_window(struct bis_bus *bus, size_t index, struct bis_bus_window *out)
{
	size_t count;

	pthread_mutex_lock(bus->lock);
	count = bus->count;
	if (index < count)
		*out = bus->windows[index];
	pthread_mutex_unlock(bus->lock);
	if (index >= count)
		return bis_fail(ENOENT, "bus: there is no window %zu, only %zu", index, count);
	return 0;
}

/* --- accesses; the caller holds the lock --- */

static bool holds(const struct bis_bus_window *w, uint64_t pa)
{
	return pa - w->base < w->ops->size;
}

/* The window that contains pa, or NULL. */
static const struct bis_bus_window *find(struct bis_bus *bus, uint64_t pa)
{
	size_t low = 0, high = bus->count;

	if (bus->last_hit < high && holds(&bus->windows[bus->last_hit], pa))
		return &bus->windows[bus->last_hit];
	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (holds(&bus->windows[mid], pa)) {
			bus->last_hit = mid;
			return &bus->windows[mid];
		}
		if (pa < bus->windows[mid].base)
			high = mid;
		else
			low = mid + 1;
	}
	return NULL;
}

/* The window that takes this access, or NULL. */
static const struct bis_bus_window *find_for(struct bis_bus *bus, uint64_t pa, unsigned size)
{
	const struct bis_bus_window *w = find(bus, pa);

	if (!w || !is_width(size) || size < w->ops->min_access || size > w->ops->max_access || pa % size)
		return NULL;
	return size > w->ops->size - (pa - w->base) ? NULL : w;
}

bool bis_bus_find(struct bis_bus *bus, uint64_t pa, unsigned size, bool write, struct bis_bus_window *out)
{
	const struct bis_bus_window *w = find_for(bus, pa, size);

	if (!w || !(write ? w->ops->write != NULL : w->ops->read != NULL))
		return false;
	*out = *w;
	return true;
}

static uint64_t cut(uint64_t val, unsigned size)
{
	return size < 8 ? val & ((UINT64_C(1) << (8 * size)) - 1) : val;
}

enum bis_bus_result bis_bus_read(struct bis_bus *bus, uint64_t pa, unsigned size, uint64_t *val)
{
	enum bis_bus_result result = BIS_BUS_FAULT;
	const struct bis_bus_window *w;
	uint64_t got = 0;

	pthread_mutex_lock(bus->lock);
	w = find_for(bus, pa, size);
	if (w && w->ops->read)
		result = w->ops->read(w->self, pa - w->base, size, &got);
	pthread_mutex_unlock(bus->lock);
	if (result == BIS_BUS_OK)
		*val = cut(got, size);
	return result;
}

enum bis_bus_result bis_bus_write(struct bis_bus *bus, uint64_t pa, unsigned size, uint64_t val)
{
	enum bis_bus_result result = BIS_BUS_FAULT;
	const struct bis_bus_window *w;

	pthread_mutex_lock(bus->lock);
	w = find_for(bus, pa, size);
	if (w && w->ops->write)
		result = w->ops->write(w->self, pa - w->base, size, cut(val, size));
	pthread_mutex_unlock(bus->lock);
	return result;
}
