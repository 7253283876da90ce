/*
 * vm/map: what the page tables of satp map, in address order, runs of pages with the same rights as one line. The
 * tables are copied at a safepoint and read after it. They are the guest's: a table may be reached on many ways, or lie
 * nowhere, so that what is copied is bounded.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <biscuit/error.h>

#include "frontend/inspect/inspect_internal.h"

enum pte_bits { PTE_V = 1, PTE_R = 2, PTE_W = 4, PTE_X = 8, PTE_U = 16, PTE_G = 32, PTE_A = 64, PTE_D = 128 };

#define TABLES_MAX 16384u

/* Tables in the order of a walk from the first address to the last. */
struct tables {
	struct inspect *in;
	struct bis_hart *h;
	const struct inspect_scheme *scheme;
	uint64_t root;
	uint8_t (*at)[BIS_PAGE_SIZE];
	bool *absent; /* not in RAM: no bytes */
	size_t count, capacity;
	bool more;
};

static uint64_t pte_of(const struct inspect_scheme *s, const uint8_t *table, unsigned index)
{
	bis_le32 half;
	bis_le64 whole;

	if (s->pte_size == 4) {
		memcpy(&half, table + index * 4, 4);
		return bis_le32_get(half);
	}
	memcpy(&whole, table + index * 8, 8);
	return bis_le64_get(whole);
}

static uint64_t target(const struct inspect_scheme *s, uint64_t pte)
{
	return (pte >> 10 & ((UINT64_C(1) << s->ppn_bits) - 1)) << BIS_PAGE_SHIFT;
}

static bool is_pointer(uint64_t pte, unsigned level)
{
	return level && (pte & 0xdf) == PTE_V; /* no R, W, X, U, A, D; G may be set */
}

static bool is_leaf(uint64_t pte)
{
	return (pte & PTE_V) && (pte & (PTE_R | PTE_X)) && ((pte & PTE_R) || !(pte & PTE_W));
}

/* --- At the safepoint: copies --- */

static bool grow(struct tables *t)
{
	size_t capacity = t->capacity ? t->capacity * 2 : 64;
	void *at, *absent;

	if (t->count < t->capacity)
		return true;
	at = realloc(t->at, capacity * sizeof(t->at[0]));
	if (at)
		t->at = at;
	absent = realloc(t->absent, capacity * sizeof(t->absent[0]));
	if (absent)
		t->absent = absent;
	if (!at || !absent)
		return false;
	t->capacity = capacity;
	return true;
}

static int copy_table(struct tables *t, uint64_t pa, unsigned level)
{
	size_t mine = t->count;
	int err = 0;

	if (t->count == TABLES_MAX) {
		t->more = true;
		return 0;
	}
	if (!grow(t))
		return bis_fail(ENOMEM, "no memory for the page tables");
	t->count++;
	t->absent[mine] = bis_mem_read(bis_machine_memory(t->in->machine), (bis_gpa){pa}, t->at[mine], BIS_PAGE_SIZE);
	for (unsigned i = 0; !err && !t->absent[mine] && i < 1u << t->scheme->index_bits; i++) {
		uint64_t pte = pte_of(t->scheme, t->at[mine], i);

		if (is_pointer(pte, level))
			err = copy_table(t, target(t->scheme, pte), level - 1);
	}
	return err;
}

static int copy_tables(void *arg)
{
	struct tables *t = arg;

	t->scheme = inspect_scheme_of(t->h, &t->root);
	return t->scheme ? copy_table(t, t->root, t->scheme->levels - 1) : 0;
}

/* --- After it: lines --- */

struct line {
	uint64_t va, pa, size, page;
	uint64_t flags;
};

struct lines {
	struct inspect_text *out;
	const struct tables *t;
	size_t next; /* the next table in order */
	struct line line;
};

static void put_line(struct lines *l)
{
	const struct line *n = &l->line;
	unsigned xlen = l->t->scheme->xlen;
	char rights[] = "rwxugad";

	if (!n->size)
		return;
	for (unsigned i = 0; i < 7; i++)
		if (!(n->flags >> (i + 1) & 1))
			rights[i] = '-';
	inspect_put_hex(l->out, n->va, xlen);
	inspect_put(l->out, "-");
	inspect_put_hex(l->out, n->va + (n->size - 1), xlen);
	inspect_put(l->out, " %s ", rights);
	inspect_put_hex(l->out, n->pa, xlen);
	inspect_put(l->out, " %" PRIu64 "K\n", n->page >> 10);
}

static void add_page(struct lines *l, uint64_t va, uint64_t pte, unsigned level)
{
	const struct inspect_scheme *s = l->t->scheme;
	struct line *n = &l->line, new = {.va = va, .flags = pte & 0xff};

	new.page = UINT64_C(1) << (BIS_PAGE_SHIFT + level * s->index_bits);
	new.size = new.page;
	new.pa = target(s, pte);
	if (new.pa &(new.page - 1))
		return; /* misaligned: every access faults */
	if (n->size && n->va + n->size == va && n->pa + n->size == new.pa && n->flags == new.flags &&
	    n->page == new.page) {
		n->size += new.size;
		return;
	}
	put_line(l);
	*n = new;
}

static void list_table(struct lines *l, uint64_t va, unsigned level)
{
	const struct tables *t = l->t;
	const struct inspect_scheme *s = t->scheme;
	size_t mine = l->next;

	if (mine == t->count)
		return;
	l->next++;
	for (unsigned i = 0; !t->absent[mine] && i < 1u << s->index_bits; i++) {
		uint64_t pte = pte_of(s, t->at[mine], i);
		uint64_t at = va | (uint64_t)i << (BIS_PAGE_SHIFT + level * s->index_bits);

		if (s->xlen == 64 && at >> (s->va_bits - 1) & 1)
			at |= UINT64_MAX << (s->va_bits - 1);
		if (is_pointer(pte, level))
			list_table(l, at, level - 1);
		else if (is_leaf(pte))
			add_page(l, at, pte, level);
	}
}

static int generate_map(struct inspect *in, const struct inspect_node *n, struct inspect_text *out)
{
	struct tables t = {.in = in, .h = inspect_hart(in, n)};
	struct lines l = {.out = out, .t = &t};
	int err = bis_machine_at_safepoint(in->machine, copy_tables, &t);

	if (!err && t.scheme) {
		list_table(&l, 0, t.scheme->levels - 1);
		put_line(&l);
	}
	if (t.more)
		inspect_put(out, "# more than %u page tables: the rest is left out\n", TABLES_MAX);
	free(t.at);
	free(t.absent);
	return err;
}

const struct inspect_type inspect_vm_map_type = {.kind = INSPECT_TEXT, .generate = generate_map};
