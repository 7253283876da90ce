/*
 * The bus: the physical map of register windows. It checks width, alignment, straddling, overlap and wrap-around once
 * for all devices; a device sees offset, width and value.
 */
#ifndef BISCUIT_BUS_INTERNAL_H
#define BISCUIT_BUS_INTERNAL_H

#include <pthread.h>

#include <biscuit/device.h>
#include <biscuit/memory.h>

struct bis_bus;

/*
 * An empty bus beside the RAM of `m`. `device_lock` is the machine's device lock, not recursive; every function below
 * but create, destroy and find takes it, so none may be called with it held. Both are borrowed and outlive the bus.
 * -ENOMEM.
 */
BIS_MUST_CHECK int bis_bus_create(const struct bis_memory *m, pthread_mutex_t *device_lock, struct bis_bus **out);
void bis_bus_destroy(struct bis_bus *bus);

/*
 * Puts a window at `base`; from then on `ops` are called with `self`, until bis_bus_unmap returns. -EINVAL for a size
 * that is 0 or not a multiple of 4, widths that are not powers of two with min_access <= max_access <= 8, a base that
 * is not a multiple of 4 and of max_access, or a window that goes beyond 2^64; -EEXIST where RAM or another window
 * lies; -ENOMEM. A NULL read or write operation means that such accesses fault. `name` is copied.
 */
BIS_MUST_CHECK int bis_bus_map(struct bis_bus *bus, const char *name, uint64_t base, const struct bis_mmio_ops *ops,
			       void *self);

/* Takes away the window that begins at `base`; no call into it is under way or follows. -ENOENT. */
BIS_MUST_CHECK int bis_bus_unmap(struct bis_bus *bus, uint64_t base);

/*
 * One access of `size` bytes. FAULT, with the device not called and *val untouched, if no window holds all of it, or
 * the width is not one the window takes, or pa is not a multiple of size; FAULT also if the device says so. The value
 * is cut to `size` bytes both ways. Any thread.
 */
enum bis_bus_result bis_bus_read(struct bis_bus *bus, uint64_t pa, unsigned size, uint64_t *val);
enum bis_bus_result bis_bus_write(struct bis_bus *bus, uint64_t pa, unsigned size, uint64_t val);

/* A window as reported for listings; `name` is valid until the window is unmapped. */
struct bis_bus_window {
	const char *name;
	uint64_t base;
	const struct bis_mmio_ops *ops;
	void *self;
};

size_t bis_bus_window_count(struct bis_bus *bus);
/* Window `index` in address order; -ENOENT beyond the last. */
BIS_MUST_CHECK int bis_bus_window(struct bis_bus *bus, size_t index, struct bis_bus_window *out);
/* The window that takes an access; false: none. The caller holds the device lock, and *out is valid as long. */
bool bis_bus_find(struct bis_bus *bus, uint64_t pa, unsigned size, bool write, struct bis_bus_window *out);

#endif
