/*
 * Symbols of the guest. A file is read once and closed; what is kept of it is constant and lives as long as the struct
 * debug, so that names may be given out. Any thread: the lists of files are guarded by d->lock.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <biscuit/error.h>

#include "frontend/debug/debug_internal.h"

#define UNWIND_MAX ((uint64_t)64 << 20) /* a larger table is left alone */

static void free_list(struct symbol_file *f)
{
	while (f) {
		struct symbol_file *next = f->next;

		cfi_free(&f->cfi[0]);
		cfi_free(&f->cfi[1]);
		free(f->segments);
		free(f->by_name);
		free(f->symbols);
		free(f->names);
		free(f->path);
		free(f);
		f = next;
	}
}

void debug_symbols_free(struct debug *d)
{
	free_list(d->files);
	free_list(d->retired);
}

/* --- Reading a file --- */

/* Mapping symbols ("$x") and local labels say nothing to a reader. */
static bool is_worth_it(const struct bis_elf_symbol *s)
{
	return s->name[0] != '$' && strncmp(s->name, ".L", 2) != 0;
}

static int by_name(const void *a, const void *b)
{
	const struct symbol *const *x = a, *const *y = b;

	return strcmp((*x)->name, (*y)->name);
}

/* Takes in those of s that are absolute, or those that are not, with their names at `to`: the end of the names. */
static char *copy_sort(struct symbol_file *f, const struct bis_elf_symbol *s, size_t count, bool absolute, char *to)
{
	for (size_t i = 0; i < count; i++) {
		size_t len = strlen(s[i].name) + 1;

		if (s[i].absolute != absolute || !is_worth_it(&s[i]))
			continue;
		memcpy(to, s[i].name, len);
		f->symbols[f->count] = (struct symbol){.value = s[i].value, .size = s[i].size, .name = to};
		f->by_name[f->count] = &f->symbols[f->count];
		f->count++;
		to += len;
	}
	return to;
}

static int copy_symbols(struct symbol_file *f, struct bis_elf *elf)
{
	const struct bis_elf_symbol *s;
	size_t count, bytes = 0;
	int err = bis_elf_symbols(elf, &s, &count);
	char *to;

	if (err)
		return err;
	for (size_t i = 0; i < count; i++)
		bytes += is_worth_it(&s[i]) ? strlen(s[i].name) + 1 : 0;
	f->symbols = calloc(count ? count : 1, sizeof(*f->symbols));
	f->by_name = calloc(count ? count : 1, sizeof(*f->by_name));
	f->names = to = malloc(bytes ? bytes : 1);
	if (!f->symbols || !f->by_name || !f->names)
		return bis_fail(ENOMEM, "%s: no memory for %zu symbols", f->path, count);
	to = copy_sort(f, s, count, false, to);
	f->placed = f->count;
	copy_sort(f, s, count, true, to);
	qsort(f->by_name, f->count, sizeof(*f->by_name), by_name);
	return 0;
}

static int copy_segments(struct symbol_file *f, const struct bis_elf *elf)
{
	struct bis_elf_segment g;

	while (!bis_elf_segment_get(elf, f->n_segments, &g))
		f->n_segments++;
	f->segments = calloc(f->n_segments ? f->n_segments : 1, sizeof(*f->segments));
	if (!f->segments)
		return bis_fail(ENOMEM, "%s: no memory for %zu segments", f->path, f->n_segments);
	for (size_t i = 0; i < f->n_segments; i++)
		if (bis_elf_segment_get(elf, i, &f->segments[i]))
			return -EIO;
	return 0;
}

/* A file whose unwind tables cannot be used is one without. */
static int copy_unwind_table(struct cfi *c, const struct bis_elf *elf, const char *section, bool eh_frame)
{
	uint64_t offset, size, vaddr;
	uint8_t *bytes;
	int err;

	if (bis_elf_section_get(elf, section, &offset, &size, &vaddr) || !size || size > UNWIND_MAX)
		return 0;
	bytes = malloc((size_t)size);
	if (!bytes)
		return bis_fail(ENOMEM, "no memory for %s", section);
	err = bis_elf_read(elf, offset, bytes, (size_t)size);
	if (err) {
		free(bytes);
		return err;
	}
	return cfi_create(c, bytes, (size_t)size, vaddr, bis_elf_xlen(elf), eh_frame);
}

static int read_file(struct symbol_file *f, struct bis_elf *elf)
{
	int err = copy_symbols(f, elf);

	if (!err)
		err = copy_segments(f, elf);
	if (!err)
		err = copy_unwind_table(&f->cfi[0], elf, ".eh_frame", true);
	if (!err)
		err = copy_unwind_table(&f->cfi[1], elf, ".debug_frame", false);
	return err;
}

/* Puts it in front; one of the same path goes to the retired ones. */
static void take_in(struct debug *d, struct symbol_file *f)
{
	pthread_mutex_lock(&d->lock);
	for (struct symbol_file **at = &d->files; *at; at = &(*at)->next) {
		struct symbol_file *old = *at;

		if (strcmp(old->path, f->path) != 0)
			continue;
		*at = old->next;
		old->next = d->retired;
		d->retired = old;
		break;
	}
	f->next = d->files;
	d->files = f;
	pthread_mutex_unlock(&d->lock);
}

int debug_symbols_load(struct debug *d, const char *path)
{
	struct symbol_file *f;
	struct bis_elf *elf;
	int err = bis_elf_open(path, &elf);

	if (err)
		return err;
	f = calloc(1, sizeof(*f));
	if (f)
		f->path = realpath(path, NULL);
	if (f && !f->path) /* a pipe, say: it has no better name */
		f->path = strdup(path);
	if (!f || !f->path)
		err = bis_fail(ENOMEM, "%s: out of memory", path);
	else if (bis_elf_xlen(elf) != debug_xlen(d))
		err = bis_fail(EINVAL, "%s: is a %u-bit file, the machine has %u bits", path, bis_elf_xlen(elf),
			       debug_xlen(d));
	else
		err = read_file(f, elf);
	bis_elf_close(elf);
	if (err)
		free_list(f);
	else
		take_in(d, f);
	return err;
}

/* --- Asking --- */

static struct symbol_file *files(const struct debug *d)
{
	pthread_mutex_lock((pthread_mutex_t *)&d->lock);
	return d->files;
}

static void done(const struct debug *d)
{
	pthread_mutex_unlock((pthread_mutex_t *)&d->lock);
}

const char *debug_symbols_file(const struct debug *d, size_t index, size_t *symbols)
{
	struct symbol_file *f = files(d);

	while (f && index--)
		f = f->next;
	done(d);
	if (!f)
		return NULL;
	*symbols = f->count;
	return f->path;
}

/* The segment that holds a virtual address. */
static const struct bis_elf_segment *segment_of(const struct symbol_file *f, uint64_t address)
{
	for (size_t i = 0; i < f->n_segments; i++)
		if (address >= f->segments[i].vaddr && address - f->segments[i].vaddr < f->segments[i].mem_size)
			return &f->segments[i];
	return NULL;
}

/* Number of those with a place at or below `address`. */
static size_t symbols_up_to(const struct symbol_file *f, uint64_t address)
{
	size_t low = 0, high = f->placed;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (f->symbols[mid].value <= address)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

#define LOOK_BACK 16 /* labels inside a function, before one that encloses them */

/*
 * A symbol with a size holds its bytes; one without holds all up to the next symbol in its segment. Among several that
 * start at the same place, one with a size wins.
 */
static const struct symbol *symbol_in(const struct symbol_file *f, uint64_t address)
{
	const struct bis_elf_segment *g = segment_of(f, address);
	size_t n = g ? symbols_up_to(f, address) : 0;
	const struct symbol *best = NULL;

	for (size_t i = n; i > 0 && n - i < LOOK_BACK; i--) {
		const struct symbol *s = &f->symbols[i - 1];

		if (s->value < g->vaddr || (best && (best->size || best->value != s->value)))
			break;
		if (s->size ? address - s->value < s->size : s->value == f->symbols[n - 1].value)
			best = s;
	}
	return best;
}

/* An address at which the file is loaded, as it names it; before paging is on these differ. */
static bool to_virtual(const struct symbol_file *f, uint64_t pa, uint64_t *va)
{
	for (size_t i = 0; i < f->n_segments; i++) {
		const struct bis_elf_segment *g = &f->segments[i];

		if (g->paddr != g->vaddr && pa >= g->paddr && pa - g->paddr < g->mem_size) {
			*va = pa - g->paddr + g->vaddr;
			return true;
		}
	}
	return false;
}

const char *debug_symbol_at(const struct debug *d, uint64_t address, uint64_t *offset)
{
	const struct symbol *found = NULL;
	struct symbol_file *first = files(d);
	uint64_t va = address;

	for (struct symbol_file *f = first; f && !found; f = f->next)
		found = symbol_in(f, address);
	for (struct symbol_file *f = first; f && !found; f = f->next)
		found = to_virtual(f, address, &va) ? symbol_in(f, va) : NULL;
	done(d);
	if (!found)
		return NULL;
	*offset = va - found->value;
	return found->name;
}

static const struct symbol *named(const struct symbol_file *f, const char *name)
{
	struct symbol key = {.name = name}, *p = &key, **at;

	at = bsearch(&p, f->by_name, f->count, sizeof(*f->by_name), by_name);
	return at ? *at : NULL;
}

/* The nearest symbol of any file to a name that none has. */
static const char *nearest_symbol(const struct debug *d, const char *name)
{
	const char **all = NULL, *near = NULL;
	size_t count = 0;

	for (struct symbol_file *f = files(d); f; f = f->next)
		count += f->count;
	if (count)
		all = calloc(count, sizeof(*all));
	if (all) {
		count = 0;
		for (const struct symbol_file *f = d->files; f; f = f->next)
			for (size_t i = 0; i < f->count; i++)
				all[count++] = f->symbols[i].name;
		near = bis_nearest_name(name, all, count);
	}
	done(d);
	free(all);
	return near;
}

/* Where a symbol ends that does not say so: at the next one above it, or with its segment. */
static uint64_t end_of(const struct symbol_file *f, const struct symbol *s)
{
	size_t next = symbols_up_to(f, s->value);
	const struct bis_elf_segment *g = segment_of(f, s->value);

	if (s->size)
		return s->value + s->size;
	if (next < f->placed && (!g || f->symbols[next].value - g->vaddr < g->mem_size))
		return f->symbols[next].value;
	return g ? g->vaddr + g->mem_size : s->value + 1;
}

int debug_symbol_range(const struct debug *d, const char *name, uint64_t *start, uint64_t *end)
{
	const struct symbol *found = NULL;
	const char *near;

	for (struct symbol_file *f = files(d); f && !found; f = f->next) {
		found = named(f, name);
		if (found)
			*end = end_of(f, found);
	}
	done(d);
	if (found) {
		*start = found->value;
		return 0;
	}
	near = nearest_symbol(d, name);
	if (near)
		return bis_fail(ENOENT, "unknown symbol '%s' (did you mean '%s'?)", name, near);
	return bis_fail(ENOENT, "unknown symbol '%s'", name);
}

int debug_symbol_find(const struct debug *d, const char *name, uint64_t *address)
{
	uint64_t end;

	return debug_symbol_range(d, name, address, &end);
}

bool debug_cfi_find(const struct debug *d, uint64_t pc, struct cfi_row *out)
{
	bool found = false;

	for (struct symbol_file *f = files(d); f && !found; f = f->next)
		found = cfi_find(&f->cfi[0], pc, out) || cfi_find(&f->cfi[1], pc, out);
	done(d);
	return found;
}
