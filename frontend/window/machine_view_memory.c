/*
 * RAM as cells: which were written lately, from the memory's dirty bits, and which hold anything but zeros. The latter
 * is found by looking at a few pages of a few cells each time, through the file behind the RAM: pages that were never
 * touched are skipped there and stay untouched.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "frontend/window/machine_view_internal.h"

#define CELLS_AT_ONCE  96u /* looked into each time */
#define PAGES_OF_CELL  4u
#define FETCH_WORDS    512u /* of 64 pages */
#define HEAT_LOSS_PART 5u

struct memory_watch {
	struct bis_memory *memory;
	struct bis_dirty *dirty;
	unsigned next; /* cell to look into */
	struct memory_sample s;
	int fds[SAMPLE_REGIONS];
};

/* Cells are as small as their number allows, and a power of two of pages. */
static void divide(struct memory_watch *w)
{
	struct memory_sample *s = &w->s;
	struct bis_mem_region region;

	for (s->cell_size = BIS_PAGE_SIZE;; s->cell_size *= 2) {
		s->n_cells = s->n_regions = 0;
		for (size_t i = 0; s->n_regions < SAMPLE_REGIONS && !bis_mem_region(w->memory, i, &region); i++) {
			struct region_sample *r = &s->regions[s->n_regions];
			uint64_t cells = (region.size + s->cell_size - 1) / s->cell_size;

			if (cells > SAMPLE_CELLS - s->n_cells)
				break;
			w->fds[s->n_regions++] = region.fd;
			*r = (struct region_sample){.base = region.base.v,
						    .size = region.size,
						    .first = s->n_cells,
						    .cells = (unsigned)cells};
			strncpy(r->name, region.name, sizeof(r->name) - 1);
			s->n_cells += (unsigned)cells;
		}
		if (s->n_regions == bis_mem_region_count(w->memory) || s->n_regions == SAMPLE_REGIONS)
			return;
	}
}

struct memory_watch *memory_watch_create(struct bis_memory *m)
{
	struct memory_watch *w = calloc(1, sizeof(*w));

	if (!w)
		return NULL;
	w->memory = m;
	if (bis_dirty_create(m, &w->dirty)) {
		free(w);
		return NULL;
	}
	divide(w);
	return w;
}

void memory_watch_destroy(struct memory_watch *w)
{
	if (!w)
		return;
	bis_dirty_destroy(w->dirty);
	free(w);
}

/* --- What was written --- */

static void heat(struct memory_watch *w, const struct region_sample *r, uint64_t page)
{
	struct memory_cell *c = &w->s.cells[r->first + (unsigned)(page * BIS_PAGE_SIZE / w->s.cell_size)];

	c->heat = 255;
	c->filled = c->filled ? c->filled : 1;
}

static void fetch(struct memory_watch *w, const struct region_sample *r)
{
	uint64_t words[FETCH_WORDS], pages = r->size / BIS_PAGE_SIZE;

	for (uint64_t at = 0; at < pages; at += FETCH_WORDS * 64) {
		uint64_t n = pages - at < FETCH_WORDS * 64 ? pages - at : FETCH_WORDS * 64;

		if (bis_dirty_fetch(w->dirty, (bis_gpa){r->base + at * BIS_PAGE_SIZE}, n, words))
			return;
		for (uint64_t i = 0; i < (n + 63) / 64; i++)
			for (uint64_t bits = words[i]; bits; bits &= bits - 1)
				heat(w, r, at + i * 64 + (unsigned)__builtin_ctzll(bits));
	}
}

/* --- What is not zero --- */

static bool page_is_zero(int fd, uint64_t offset)
{
	uint64_t page[BIS_PAGE_SIZE / sizeof(uint64_t)], any = 0;

	if (pread(fd, page, sizeof(page), (off_t)offset) != (ssize_t)sizeof(page))
		return true;
	for (size_t i = 0; i < BIS_ARRAY_SIZE(page); i++)
		any |= page[i];
	return !any;
}

static uint8_t look_into(int fd, uint64_t from, uint64_t to)
{
	uint64_t pages = (to - from) / BIS_PAGE_SIZE, step = pages / PAGES_OF_CELL ? pages / PAGES_OF_CELL : 1;
	off_t data = lseek(fd, (off_t)from, SEEK_DATA);
	unsigned seen = 0, filled = 0;

	if (data < 0 || (uint64_t)data >= to)
		return 0;
	for (uint64_t page = 0; page < pages; page += step, seen++)
		filled += !page_is_zero(fd, from + page * BIS_PAGE_SIZE);
	filled += !filled && !page_is_zero(fd, (uint64_t)data & ~(uint64_t)(BIS_PAGE_SIZE - 1));
	return (uint8_t)(filled * 255 / (seen > filled ? seen : filled ? filled : 1));
}

static void look_at_cell(struct memory_watch *w, unsigned cell)
{
	for (unsigned i = 0; i < w->s.n_regions; i++) {
		const struct region_sample *r = &w->s.regions[i];
		uint64_t from = (cell - r->first) * w->s.cell_size;

		if (cell < r->first || cell - r->first >= r->cells)
			continue;
		w->s.cells[cell].filled =
			look_into(w->fds[i], from, r->size - from < w->s.cell_size ? r->size : from + w->s.cell_size);
	}
}

void memory_watch_look(struct memory_watch *w, struct memory_sample *out)
{
	struct memory_sample *s = &w->s;

	for (unsigned i = 0; i < s->n_cells; i++)
		s->cells[i].heat -= (uint8_t)((s->cells[i].heat + HEAT_LOSS_PART - 1) / HEAT_LOSS_PART);
	for (unsigned i = 0; i < s->n_regions; i++)
		fetch(w, &s->regions[i]);
	for (unsigned i = 0; i < CELLS_AT_ONCE && i < s->n_cells; i++) {
		w->next = w->next < s->n_cells ? w->next : 0;
		look_at_cell(w, w->next++);
	}
	*out = *s;
}
