/*
 * Direct windows, <biscuit/module.h>: physical addresses at which pages of host files appear. A window is on the bus
 * like any other, where an access faults; translation asks here first. Mappings are found under the window's lock, and
 * kept in a small TLB of each hart; so whoever takes one away has every hart flush its TLB before the host's memory
 * goes.
 */
#include "src/machine/direct_internal.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <biscuit/device.h>
#include <biscuit/error.h>

#include "src/cpu/guarded.h"
#include "src/cpu/hart_internal.h"
#include "src/machine/machine_internal.h"
#include "src/memory/bus_internal.h"

#define MAPPINGS_MAX 1024

struct mapping {
	uint64_t off, len; /* in the window */
	uint8_t *host;
	bool writable;
};

struct bis_direct {
	struct bis_direct *next;
	struct bis_module *module;
	uint64_t base, size;
	struct bis_mmio_ops bus_ops; /* no functions: what reaches the bus faults */

	pthread_mutex_t lock;
	struct mapping *mappings; /* in order of off; lock */
	size_t count;		  /* lock */
};

/* --- The window --- */

int bis_attach_direct(struct bis_module *mod, uint64_t size, struct bis_direct **out)
{
	struct bis_machine *m = mod->machine;
	struct bis_direct *d;
	int err;

	if (!mod->attaching)
		return bis_fail(EPERM, "%s: a direct window can be attached only inside attach()", mod->name);
	if (!mod->has_base || (mod->base | size) % BIS_PAGE_SIZE || !size)
		return bis_fail(EINVAL, "%s: needs at=ADDRESS, the place of its window of whole pages", mod->name);
	d = calloc(1, sizeof(*d));
	if (!d)
		return bis_fail(ENOMEM, "%s: no memory", mod->name);
	d->module = mod;
	d->base = mod->base;
	d->size = size;
	d->bus_ops = (struct bis_mmio_ops){.size = size, .min_access = 1, .max_access = 8};
	err = bis_bus_map(m->bus, mod->name, d->base, &d->bus_ops, d);
	if (err) {
		free(d);
		return err;
	}
	pthread_mutex_init(&d->lock, NULL);
	d->next = m->directs;
	m->directs = d;
	*out = d;
	return 0;
}

static void destroy(struct bis_machine *m, struct bis_direct *d)
{
	if (bis_bus_unmap(m->bus, d->base))
		bis_log(m, BIS_LOG_ERROR, d->module->name, "%s", bis_error_message());
	for (size_t i = 0; i < d->count; i++)
		munmap(d->mappings[i].host, d->mappings[i].len);
	free(d->mappings);
	pthread_mutex_destroy(&d->lock);
	free(d);
}

void bis_direct_detach(struct bis_module *mod)
{
	struct bis_machine *m = mod->machine;
	struct bis_direct **at = &m->directs;
	bool gone = false;

	while (*at) {
		struct bis_direct *d = *at;

		if (d->module != mod) {
			at = &d->next;
			continue;
		}
		*at = d->next;
		destroy(m, d);
		gone = true;
	}
	for (unsigned i = 0; gone && i < m->n_harts; i++)
		bis_tlb_flush(m->harts[i]);
}

bool bis_direct_window(const struct bis_module *mod, size_t index, uint64_t *base, uint64_t *size)
{
	for (const struct bis_direct *d = mod->machine->directs; d; d = d->next) {
		if (d->module != mod || index--)
			continue;
		*base = d->base;
		*size = d->size;
		return true;
	}
	return false;
}

uint64_t bis_direct_base(const struct bis_direct *d)
{
	return d->base;
}

/* --- Mappings --- */

/* The first mapping that ends behind `off`; count if none does. Lock held. */
static size_t first_behind(const struct bis_direct *d, uint64_t off)
{
	size_t low = 0, high = d->count;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (d->mappings[mid].off + d->mappings[mid].len > off)
			high = mid;
		else
			low = mid + 1;
	}
	return low;
}

bool bis_direct_page(struct bis_machine *m, uint64_t pa_page, uint8_t **host, bool *writable)
{
	for (struct bis_direct *d = m->directs; d; d = d->next) {
		uint64_t off = pa_page - d->base;
		bool found = false;
		size_t i;

		if (off >= d->size)
			continue;
		pthread_mutex_lock(&d->lock);
		i = first_behind(d, off);
		if (i < d->count && d->mappings[i].off <= off) {
			*host = d->mappings[i].host + (off - d->mappings[i].off);
			*writable = d->mappings[i].writable;
			found = true;
		}
		pthread_mutex_unlock(&d->lock);
		return found;
	}
	return false;
}

static int check_range(const struct bis_direct *d, uint64_t off, uint64_t len)
{
	if ((off | len) % BIS_PAGE_SIZE || !len)
		return -EINVAL;
	return len > d->size || off > d->size - len ? -ERANGE : 0;
}

/* Puts the mapping in its place in order. */
static int insert(struct bis_direct *d, const struct mapping *new)
{
	size_t at = first_behind(d, new->off);
	struct mapping *more;

	if (at < d->count && d->mappings[at].off < new->off + new->len)
		return -EEXIST;
	if (d->count == MAPPINGS_MAX)
		return -ENOSPC;
	more = realloc(d->mappings, (d->count + 1) * sizeof(*more));
	if (!more)
		return -ENOMEM;
	d->mappings = more;
	memmove(&more[at + 1], &more[at], (d->count - at) * sizeof(*more));
	more[at] = *new;
	d->count++;
	return 0;
}

int bis_direct_map(struct bis_direct *d, uint64_t off, uint64_t len, int fd, uint64_t fd_offset, unsigned flags)
{
	int protection = PROT_READ | (flags & BIS_DIRECT_WRITE ? PROT_WRITE : 0);
	int kind = flags & BIS_DIRECT_SHARED ? MAP_SHARED : MAP_PRIVATE | MAP_NORESERVE;
	struct mapping new = {.off = off, .len = len, .writable = flags & BIS_DIRECT_WRITE};
	int err = check_range(d, off, len);
	void *host;

	if (err)
		return err;
	if (fd_offset % BIS_PAGE_SIZE || fd_offset > INT64_MAX - len)
		return -EINVAL;
	err = bis_guarded_arm();
	if (err)
		return err;
	host = mmap(NULL, len, protection, kind, fd, (off_t)fd_offset);
	if (host == MAP_FAILED)
		return -errno;
	new.host = host;
	pthread_mutex_lock(&d->lock);
	err = insert(d, &new);
	pthread_mutex_unlock(&d->lock);
	if (err)
		munmap(host, len);
	return err;
}

int bis_direct_unmap(struct bis_direct *d, uint64_t off, uint64_t len)
{
	struct mapping old;
	int err = -ENOENT;
	size_t i;

	pthread_mutex_lock(&d->lock);
	i = first_behind(d, off);
	if (i < d->count && d->mappings[i].off == off && d->mappings[i].len == len) {
		old = d->mappings[i];
		memmove(&d->mappings[i], &d->mappings[i + 1], (d->count - i - 1) * sizeof(old));
		d->count--;
		err = 0;
	}
	pthread_mutex_unlock(&d->lock);
	if (err)
		return err;
	bis_harts_fence(d->module->machine);
	munmap(old.host, old.len);
	return 0;
}

int bis_direct_place(struct bis_direct *d, uint64_t len, uint64_t *off)
{
	uint64_t at = 0;
	int err = check_range(d, 0, len);

	if (err)
		return err == -ERANGE ? -ENOSPC : err;
	pthread_mutex_lock(&d->lock);
	for (size_t i = 0; i < d->count && d->mappings[i].off - at < len; i++)
		at = d->mappings[i].off + d->mappings[i].len;
	pthread_mutex_unlock(&d->lock);
	if (at > d->size - len)
		return -ENOSPC;
	*off = at;
	return 0;
}
