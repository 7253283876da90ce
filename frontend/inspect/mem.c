/*
 * Physical memory: phys by physical address, each RAM by offset, and where what lies. Reads are of the file behind the
 * RAM, so that memory the guest has not touched takes none of the host's; what is no RAM is not read, as device
 * registers may change when they are.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <biscuit/error.h>
#include <biscuit/module.h>

#include "frontend/inspect/inspect_internal.h"

enum { CHUNK = 65536, PIECES_MAX = 64 };

/* --- map --- */

struct place {
	uint64_t first, last;
	const char *kind;
	char name[INSPECT_NAME_MAX];
};

struct places {
	struct inspect *in;
	struct place *at;
	size_t count, capacity;
};

static int add_place(struct places *p, uint64_t first, uint64_t last, const char *kind, const char *name)
{
	struct place *at = p->at;

	if (p->count == p->capacity) {
		p->capacity = p->capacity ? p->capacity * 2 : 32;
		at = realloc(p->at, p->capacity * sizeof(*at));
		if (!at)
			return bis_fail(ENOMEM, "no memory for the memory map");
		p->at = at;
	}
	at[p->count] = (struct place){.first = first, .last = last, .kind = kind};
	snprintf(at[p->count++].name, sizeof(at->name), "%s", name);
	return 0;
}

static int gather(void *arg)
{
	struct places *p = arg;
	struct bis_mem_region r;
	struct bis_attachment a;
	struct bis_module *mod;
	int err = 0;

	for (size_t i = 0; !err && !bis_mem_region(bis_machine_memory(p->in->machine), i, &r); i++)
		err = add_place(p, r.base.v, r.base.v + (r.size - 1), "ram", r.name);
	for (size_t i = 0; !err && (mod = bis_machine_module(p->in->machine, i)); i++)
		for (size_t k = 0; !err && !bis_module_attachment(mod, k, &a); k++)
			if (a.kind == BIS_ATTACHED_WINDOW || a.kind == BIS_ATTACHED_DIRECT)
				err = add_place(p, a.first, a.last, a.kind == BIS_ATTACHED_WINDOW ? "device" : "direct",
						bis_module_name(mod));
	return err;
}

static int by_address(const void *a, const void *b)
{
	const struct place *x = a, *y = b;

	return (x->first > y->first) - (x->first < y->first);
}

static int generate_map(struct inspect *in, const struct inspect_node *n, struct inspect_text *out)
{
	struct places p = {.in = in};
	int err = bis_machine_at_safepoint(in->machine, gather, &p);

	(void)n;
	if (p.count)
		qsort(p.at, p.count, sizeof(p.at[0]), by_address);
	for (size_t i = 0; !err && i < p.count; i++) {
		inspect_put_hex(out, p.at[i].first, 64);
		inspect_put(out, "-");
		inspect_put_hex(out, p.at[i].last, 64);
		inspect_put(out, " %s %s\n", p.at[i].kind, p.at[i].name);
	}
	free(p.at);
	return err;
}

/* --- phys, and each RAM --- */

/* What a node of bytes shows: physical addresses from `base` on. phys has no row of its own. */
static bool region_of(struct inspect *in, const struct inspect_node *n, struct bis_mem_region *r)
{
	return !bis_mem_region(bis_machine_memory(in->machine), n->arg.number, r);
}

static uint64_t phys_size(struct inspect *in, const struct inspect_node *n)
{
	struct bis_mem_region r;
	uint64_t end = 0;

	(void)n;
	for (size_t i = 0; !bis_mem_region(bis_machine_memory(in->machine), i, &r); i++)
		end = r.base.v + r.size;
	return end;
}

static uint64_t ram_size(struct inspect *in, const struct inspect_node *n)
{
	struct bis_mem_region r;

	return region_of(in, n, &r) ? r.size : 0;
}

/* --- Reading: pieces of guest memory as it lies in the host's, and zeros for what has never been touched --- */

static const uint8_t zeros[CHUNK];

struct reading {
	int fd;	      /* the file behind the memory */
	uint64_t off; /* and where in it */
	struct iovec pieces[PIECES_MAX];
	int count;
	inspect_use_fn use;
	void *arg;
};

/* The first byte from `off` on that the file holds; `end` where there is none before it. */
static uint64_t first_data(int fd, uint64_t off, uint64_t end)
{
	off_t data = lseek(fd, (off_t)off, SEEK_DATA);

	if (data < 0)
		return errno == ENXIO ? end : off;
	return (uint64_t)data < end ? (uint64_t)data : end;
}

static void add_piece(struct reading *r, const void *base, uint64_t len)
{
	if (len)
		r->pieces[r->count++] = (struct iovec){.iov_base = (void *)(uintptr_t)base, .iov_len = (size_t)len};
}

/*
 * Looking at a page that is not there would make it, so that reading all memory of a guest would cost the host as much;
 * what begins a chunk and is not there is left out.
 */
static int gather_pieces(void *arg, void *host, size_t len)
{
	struct reading *r = arg;
	uint64_t at = r->off, end = r->off + len;

	while (at < end && r->count < PIECES_MAX - 1) {
		uint64_t chunk_end = (at | (CHUNK - 1)) + 1 < end ? (at | (CHUNK - 1)) + 1 : end;
		uint64_t data = first_data(r->fd, at, chunk_end);

		add_piece(r, zeros, data - at);
		add_piece(r, (const uint8_t *)host + (data - r->off), chunk_end - data);
		at = chunk_end;
	}
	return r->use(r->arg, r->pieces, r->count) ? -EIO : 1;
}

static int read_physical(struct inspect *in, uint64_t pa, size_t len, inspect_use_fn use, void *arg)
{
	struct bis_memory *memory = bis_machine_memory(in->machine);
	struct reading r = {.use = use, .arg = arg};
	struct bis_mem_region region;

	for (size_t i = 0; !bis_mem_region(memory, i, &region); i++) {
		int err;

		r.off = pa - region.base.v;
		if (pa < region.base.v || r.off >= region.size)
			continue;
		r.fd = region.fd;
		if (len > region.size - r.off)
			len = (size_t)(region.size - r.off);
		err = bis_mem_spans(memory, (bis_gpa){pa}, len, false, gather_pieces, &r);
		return err < 0 ? err : 0;
	}
	return bis_fail(EFAULT, "there is no RAM at 0x%" PRIx64 " (mem/map shows where it is)", pa);
}

static int read_phys(struct inspect *in, const struct inspect_node *n, uint64_t off, size_t len, inspect_use_fn use,
		     void *arg)
{
	return off < phys_size(in, n) ? read_physical(in, off, len, use, arg) : use(arg, NULL, 0);
}

static int read_ram(struct inspect *in, const struct inspect_node *n, uint64_t off, size_t len, inspect_use_fn use,
		    void *arg)
{
	struct bis_mem_region r;

	if (!region_of(in, n, &r) || off >= r.size)
		return use(arg, NULL, 0);
	return read_physical(in, r.base.v + off, len, use, arg);
}

/* --- Writing --- */

static ssize_t write_physical(struct inspect *in, uint64_t pa, const void *buf, size_t len)
{
	if (bis_mem_write(bis_machine_memory(in->machine), (bis_gpa){pa}, buf, len))
		return bis_fail(EFAULT, "not all of the %zu bytes from 0x%" PRIx64 " on are RAM: nothing is written",
				len, pa);
	return (ssize_t)len;
}

static ssize_t write_phys(struct inspect *in, const struct inspect_node *n, uint64_t off, const void *buf, size_t len)
{
	(void)n;
	return write_physical(in, off, buf, len);
}

static ssize_t write_ram(struct inspect *in, const struct inspect_node *n, uint64_t off, const void *buf, size_t len)
{
	struct bis_mem_region r;

	if (!region_of(in, n, &r) || off > r.size || len > r.size - off)
		return bis_fail(EFAULT, "beyond the end of the memory: nothing is written");
	return write_physical(in, r.base.v + off, buf, len);
}

static int generate_path(struct inspect *in, const struct inspect_node *n, struct inspect_text *out)
{
	struct bis_mem_region r;

	if (!region_of(in, n, &r))
		return bis_fail(ENODEV, "the memory is gone");
	inspect_put(out, "/proc/%ld/fd/%d\n", (long)getpid(), r.fd);
	return 0;
}

static const struct inspect_type map_type = {.kind = INSPECT_TEXT, .generate = generate_map};
static const struct inspect_type phys_type = {
	.kind = INSPECT_BYTES, .size = phys_size, .vector = read_phys, .write = write_phys};
static const struct inspect_type ram_type = {
	.kind = INSPECT_BYTES, .size = ram_size, .vector = read_ram, .write = write_ram};
static const struct inspect_type path_type = {.kind = INSPECT_TEXT, .generate = generate_path};

static const struct inspect_row rows[] = {
	{"map", &map_type, NULL},
	{"phys", &phys_type, NULL},
	{0},
};

/* Two files for each RAM, under its name. */
static bool region_child(struct inspect *in, const struct inspect_node *dir, size_t index, struct inspect_child *out)
{
	struct bis_mem_region r;

	(void)dir;
	if (bis_mem_region(bis_machine_memory(in->machine), index / 2, &r))
		return false;
	out->type = index % 2 ? &path_type : &ram_type;
	out->arg.number = (unsigned)(index / 2);
	snprintf(out->name, sizeof(out->name), "%.100s%s", r.name, index % 2 ? ".path" : "");
	return true;
}

const struct inspect_type inspect_mem_type = {.kind = INSPECT_DIR, .rows = rows, .child = region_child};
