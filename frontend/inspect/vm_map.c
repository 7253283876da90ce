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

#define TABLES_MAX 16384u

/* Tables in the order of a walk from the first address to the last. */
struct tables {
	struct inspect *in;
	struct bis_hart *h;
	const struct debug_scheme *scheme;
	uint64_t root;
	uint8_t (*at)[BIS_PAGE_SIZE];
	bool *absent; /* not in RAM: no bytes */
	size_t count, capacity;
	bool more;
};

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
		uint64_t pte = debug_pte_at(t->scheme, t->at[mine], i);

		if (debug_pte_is_table(pte, level))
			err = copy_table(t, debug_pte_target(t->scheme, pte), level - 1);
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
	const struct debug_scheme *s = l->t->scheme;
	struct line *n = &l->line, new = {.va = va, .flags = pte & 0xff};

	new.page = debug_entry_size(s, level);
	new.size = new.page;
	new.pa = debug_pte_target(s, pte);
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
	const struct debug_scheme *s = t->scheme;
	size_t mine = l->next;

	if (mine == t->count)
		return;
	l->next++;
	for (unsigned i = 0; !t->absent[mine] && i < 1u << s->index_bits; i++) {
		uint64_t pte = debug_pte_at(s, t->at[mine], i);
		uint64_t at = debug_entry_address(s, va, level, i);

		if (debug_pte_is_table(pte, level))
			list_table(l, at, level - 1);
		else if (debug_pte_is_page(pte))
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
