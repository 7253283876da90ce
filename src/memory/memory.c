/*
 * Guest memory: the regions of RAM and the map of them, <biscuit/memory.h>. Any thread. A region is a sealed memfd
 * mapped shared; regions live until bis_memory_destroy, and the memory owns them. Lookups take no lock: they read a
 * table that never changes once published.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <biscuit/error.h>

#include "src/memory/memory_internal.h"

static struct bis_ram_table *create_table(size_t count)
{
	struct bis_ram_table *t = calloc(1, sizeof(*t) + count * sizeof(struct bis_ram *));

	if (t)
		t->count = count;
	return t;
}

static void free_ram(struct bis_ram *r)
{
	bis_dirty_free_region(r);
	free((void *)r->watch);
	munmap(r->host, r->size);
	close(r->fd);
	free(r->name);
	free(r);
}

int bis_memory_create(struct bis_memory **out)
{
	struct bis_memory *m = calloc(1, sizeof(*m));
	struct bis_ram_table *t = create_table(0);

	if (!m || !t) {
		free(t);
		free(m);
		return bis_fail(ENOMEM, "memory: no host memory for the map");
	}
	atomic_init(&m->table, t);
	pthread_mutex_init(&m->lock, NULL);
	pthread_mutex_init(&m->code_lock, NULL);
	*out = m;
	return 0;
}

void bis_memory_destroy(struct bis_memory *m)
{
	struct bis_ram_table *t;

	if (!m)
		return;
	t = atomic_load(&m->table);
	for (size_t i = 0; i < t->count; i++)
		free_ram(t->regions[i]);
	while (t) {
		struct bis_ram_table *older = t->older;

		free(t);
		t = older;
	}
	pthread_mutex_destroy(&m->code_lock);
	pthread_mutex_destroy(&m->lock);
	free(m);
}

/* --- adding RAM --- */

/* A file of `size` zero bytes that can neither grow nor shrink, so that no access to its mapping can fault. */
static int open_backing(const char *name, uint64_t size, int *out)
{
	int fd, err;

	if (size > INT64_MAX || size > SIZE_MAX)
		return bis_fail(ENOMEM, "memory: '%s' of %" PRIu64 " bytes is more than the host can map", name, size);
	fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (fd < 0)
		return bis_fail(ENOMEM, "memory: cannot make a file for '%s': %s", name, strerror(errno));
	if (ftruncate(fd, (off_t)size) || fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL)) {
		err = bis_fail(ENOMEM, "memory: cannot give '%s' a size of %" PRIu64 " bytes: %s", name, size,
			       strerror(errno));
		close(fd);
		return err;
	}
	*out = fd;
	return 0;
}

#define NEAR_MAX UINT64_C(0x3ffff000)
#define LOWEST	 0x100000 /* programs may lie below */

/*
 * Maps r where translated code reaches host addresses from those of the guest by adding 31 bits, if there is room: as
 * far away as the host's own choice of an address is random.
 */
static void *map_backing(const struct bis_ram *r)
{
	int prot = PROT_READ | PROT_WRITE, flags = MAP_SHARED | MAP_NORESERVE;
	void *any = mmap(NULL, r->size, prot, flags, r->fd, 0), *near;
	uintptr_t wanted = r->base + ((uintptr_t)any & NEAR_MAX);

	if (any == MAP_FAILED || wanted < r->base || wanted < LOWEST)
		return any;
	near = mmap((void *)wanted, r->size, prot, flags | MAP_FIXED_NOREPLACE, r->fd, 0);
	if (near == MAP_FAILED)
		return any;
	munmap((uintptr_t)near == wanted ? any : near, r->size);
	return (uintptr_t)near == wanted ? near : any;
}

static int create_ram(const char *name, uint64_t base, uint64_t size, struct bis_ram **out)
{
	struct bis_ram *r = calloc(1, sizeof(*r));
	int err;

	if (!r)
		return bis_fail(ENOMEM, "memory: no host memory to describe '%s'", name);
	r->base = base;
	r->size = size;
	err = open_backing(name, size, &r->fd);
	if (err)
		goto free_region;
	err = -ENOMEM;
	r->host = map_backing(r);
	if (r->host == MAP_FAILED) {
		bis_fail(ENOMEM, "memory: cannot map %" PRIu64 " bytes for '%s': %s", size, name, strerror(errno));
		goto close_fd;
	}
	r->watch = calloc(size >> BIS_PAGE_SHIFT, 1);
	r->name = strdup(name);
	if (!r->watch || !r->name) {
		bis_fail(ENOMEM, "memory: no host memory to watch '%s'", name);
		goto free_parts;
	}
	*out = r;
	return 0;
free_parts:
	free(r->name);
	free((void *)r->watch);
	munmap(r->host, size);
close_fd:
	close(r->fd);
free_region:
	free(r);
	return err;
}

static int check_range(const struct bis_ram_table *t, const char *name, uint64_t base, uint64_t size)
{
	if (size == 0 || ((base | size) & BIS_PAGE_MASK))
		return bis_fail(EINVAL,
				"memory: '%s' at 0x%" PRIx64 " with 0x%" PRIx64
				" bytes: base and size must be multiples of %u and the size not 0",
				name, base, size, BIS_PAGE_SIZE);
	if (size > UINT64_MAX - base)
		return bis_fail(EINVAL, "memory: '%s' at 0x%" PRIx64 " with 0x%" PRIx64 " bytes goes beyond 2^64", name,
				base, size);
	for (size_t i = 0; i < t->count; i++) {
		const struct bis_ram *r = t->regions[i];

		if (base < r->base + r->size && r->base < base + size)
			return bis_fail(EEXIST,
					"memory: '%s' at 0x%" PRIx64 " with 0x%" PRIx64
					" bytes overlaps '%s' at 0x%" PRIx64,
					name, base, size, r->name, r->base);
	}
	return 0;
}

/* Publishes a table with `r` added; the caller holds the lock and has checked the range. */
static int insert(struct bis_memory *m, struct bis_ram *r)
{
	struct bis_ram_table *old = atomic_load(&m->table), *t = create_table(old->count + 1);
	size_t i = 0;

	if (!t)
		return bis_fail(ENOMEM, "memory: no host memory for the map");
	for (; i < old->count && old->regions[i]->base < r->base; i++)
		t->regions[i] = old->regions[i];
	t->regions[i] = r;
	for (; i < old->count; i++)
		t->regions[i + 1] = old->regions[i];
	t->older = old;
	atomic_store_explicit(&m->table, t, memory_order_release);
	return 0;
}

static int add_ram(struct bis_memory *m, const char *name, bis_gpa base, uint64_t size, bool of_device)
{
	struct bis_ram *r = NULL;
	int err;

	pthread_mutex_lock(&m->lock);
	err = check_range(atomic_load(&m->table), name, base.v, size);
	if (err)
		goto unlock;
	err = create_ram(name, base.v, size, &r);
	if (err)
		goto unlock;
	r->of_device = of_device;
	err = bis_dirty_add_region(m, r);
	if (!err)
		err = insert(m, r);
	if (err)
		free_ram(r);
unlock:
	pthread_mutex_unlock(&m->lock);
	return err;
}

int bis_memory_add_ram(struct bis_memory *m, const char *name, bis_gpa base, uint64_t size)
{
	return add_ram(m, name, base, size, false);
}

int bis_memory_add_device_ram(struct bis_memory *m, const char *name, bis_gpa base, uint64_t size)
{
	return add_ram(m, name, base, size, true);
}

/* --- the map --- */

size_t bis_mem_region_count(const struct bis_memory *m)
{
	return atomic_load_explicit(&m->table, memory_order_acquire)->count;
}

int bis_mem_region(const struct bis_memory *m, size_t index, struct bis_mem_region *out)
{
	const struct bis_ram_table *t = atomic_load_explicit(&m->table, memory_order_acquire);
	const struct bis_ram *r;

	if (index >= t->count)
		return bis_fail(ENOENT, "memory: there is no region %zu, only %zu", index, t->count);
	r = t->regions[index];
	*out = (struct bis_mem_region){
		.base = {r->base}, .size = r->size, .fd = r->fd, .name = r->name, .of_device = r->of_device};
	return 0;
}

bool bis_mem_is_ram(const struct bis_memory *m, bis_gpa pa, uint64_t len)
{
	uint64_t at = pa.v;

	while (len > 0) {
		const struct bis_ram *r = bis_mem_find(m, at);
		uint64_t rest;

		if (!r)
			return false;
		rest = r->size - (at - r->base);
		if (len <= rest)
			return true;
		len -= rest;
		at += rest;
	}
	return true;
}

int bis_mem_gpa_of(const struct bis_memory *m, const uint8_t *host, bis_gpa *out)
{
	const struct bis_ram_table *t = atomic_load_explicit(&m->table, memory_order_acquire);

	for (size_t i = 0; i < t->count; i++) {
		const struct bis_ram *r = t->regions[i];

		if ((uintptr_t)host - (uintptr_t)r->host >= r->size)
			continue;
		out->v = r->base + ((uintptr_t)host - (uintptr_t)r->host);
		return 0;
	}
	return -ENOENT;
}
