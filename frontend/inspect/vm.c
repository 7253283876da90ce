/*
 * Virtual memory of a hart, as it sees it at its present privilege (privileged specification, 4.3 to 4.6): mode; lower
 * and upper, the two halves of the address space as bytes; walk, the way of one address through the page tables in
 * words. The way itself is the paging module's; the words are for entries as the specification lays them out.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include <biscuit/error.h>

#include "frontend/inspect/inspect_internal.h"

#define STEPS_MAX 8

const struct debug_scheme *inspect_scheme_of(struct bis_hart *h, uint64_t *root)
{
	return debug_scheme_of(bis_hart_isa(h)->xlen, inspect_csr_value(h, "satp"), root);
}

/* --- walk --- */

struct walk {
	struct inspect *in;
	struct bis_hart *h;
	struct inspect_walk_ask ask;
	enum bis_walk_result result;
	struct bis_mapping map;
	const char *name; /* of the scheme */
	const struct debug_scheme *scheme;
	uint64_t root;
	enum bis_priv priv;
	uint64_t mstatus;
	struct bis_walk_step steps[STEPS_MAX];
	size_t count;
};

static void keep_step(void *arg, const struct bis_walk_step *step)
{
	struct walk *w = arg;

	if (w->count < STEPS_MAX)
		w->steps[w->count++] = *step;
}

/* The privilege that loads and stores have (3.1.6.3: MPRV); fetches have the hart's own. */
static enum bis_priv effective_priv(const struct walk *w)
{
	if (w->ask.access == BIS_ACCESS_FETCH || !(w->mstatus >> 17 & 1))
		return w->priv;
	return (enum bis_priv)(w->mstatus >> 11 & 3);
}

static int take_walk(void *arg)
{
	struct walk *w = arg;

	w->priv = bis_hart_priv(w->h);
	w->mstatus = inspect_csr_value(w->h, "mstatus");
	w->scheme = inspect_scheme_of(w->h, &w->root);
	w->result = bis_hart_walk(w->h, w->ask.address, w->ask.access, keep_step, w, &w->map, &w->name);
	return 0;
}

static void put_flags(struct inspect_text *out, uint64_t pte)
{
	static const char names[] = "VRWXUGAD";

	for (unsigned i = 0; i < 8; i++)
		if (pte >> i & 1)
			inspect_put(out, " %c", names[i]);
	if (!(pte & 0xff))
		inspect_put(out, " no flags");
}

static void put_size(struct inspect_text *out, uint64_t size)
{
	static const char units[] = "KMGTP";
	unsigned unit = 0;

	for (size >>= 10; size >= 1024 && !(size & 1023) && unit < 4; unit++)
		size >>= 10;
	inspect_put(out, "%" PRIu64 " %ciB", size, units[unit]);
}

static void put_step(struct inspect_text *out, const struct walk *w, const struct bis_walk_step *step)
{
	const struct debug_scheme *s = w->scheme;

	inspect_put(out, "level %u: entry at ", step->level);
	inspect_put_hex(out, step->pte_address, s ? s->xlen : 64);
	inspect_put(out, " is ");
	inspect_put_hex(out, step->pte, s ? s->pte_size * 8 : 64);
	if (s) {
		inspect_put(out, ":");
		put_flags(out, step->pte);
	}
	if (s && (step->pte & DEBUG_PTE_V)) {
		inspect_put(out, ", %s at ", step->pte & (DEBUG_PTE_R | DEBUG_PTE_X) ? "page" : "table");
		inspect_put_hex(out, debug_pte_target(s, step->pte), s->xlen);
	}
	inspect_put(out, "\n");
}

static const char *denied(const struct walk *w, uint64_t pte)
{
	if (effective_priv(w) == BIS_PRIV_U && !(pte & DEBUG_PTE_U))
		return "U-mode may not use the page: U is clear";
	if (effective_priv(w) == BIS_PRIV_S && (pte & DEBUG_PTE_U) && w->ask.access == BIS_ACCESS_FETCH)
		return "S-mode may not execute a page of U-mode";
	if (effective_priv(w) == BIS_PRIV_S && (pte & DEBUG_PTE_U) && !(w->mstatus >> 18 & 1))
		return "S-mode may not use a page of U-mode: mstatus.SUM is clear";
	if (w->ask.access == BIS_ACCESS_READ && !(pte & DEBUG_PTE_R) && !(pte & DEBUG_PTE_X && w->mstatus >> 19 & 1))
		return "the page cannot be read: R is clear";
	if (w->ask.access == BIS_ACCESS_WRITE && !(pte & DEBUG_PTE_W))
		return "the page cannot be written: W is clear";
	if (w->ask.access == BIS_ACCESS_FETCH && !(pte & DEBUG_PTE_X))
		return "the page cannot be executed: X is clear";
	return NULL;
}

/* Why the walk ended in a fault. */
static const char *reason(const struct walk *w)
{
	const struct bis_walk_step *last = w->count ? &w->steps[w->count - 1] : NULL;
	const char *why;

	if (w->result == BIS_WALK_ACCESS_FAULT)
		return "a page table is not in RAM, or PMP keeps it from being read";
	if (!last)
		return "the address is not canonical: the bits above the translated ones differ from the highest of "
		       "them";
	if (!(last->pte & DEBUG_PTE_V))
		return "the entry is not valid: V is clear";
	if ((last->pte & DEBUG_PTE_W) && !(last->pte & DEBUG_PTE_R))
		return "the entry is reserved: W is set without R";
	if (last->pte >> 54 && w->scheme && w->scheme->pte_size == 8)
		return "the entry is reserved: a bit above 53 is set";
	if (!(last->pte & (DEBUG_PTE_R | DEBUG_PTE_X)))
		return last->level ? "the entry is reserved: A, D or U is set in a pointer to a table"
				   : "the entry at the last level points to another table";
	why = denied(w, last->pte);
	if (why)
		return why;
	if (w->scheme && (last->pte >> 10 & ((UINT64_C(1) << last->level * w->scheme->index_bits) - 1)))
		return "the large page is not aligned to its size";
	return "A or D would have to be set";
}

static void put_result(struct inspect_text *out, const struct walk *w)
{
	if (w->result != BIS_WALK_OK) {
		inspect_put(out, "%s fault: %s\n", w->result == BIS_WALK_PAGE_FAULT ? "page" : "access", reason(w));
		return;
	}
	inspect_put(out, "is ");
	inspect_put_hex(out, w->map.pa, inspect_xlen(w->in));
	if (w->count) {
		inspect_put(out, ", in a page of ");
		put_size(out, w->map.page_size);
	}
	inspect_put(out, ":%s%s%s%s\n", w->map.read ? " read" : "", w->map.write ? " write" : "",
		    w->map.exec ? " execute" : "", w->map.global ? " global" : "");
}

static int generate_walk(struct inspect *in, const struct inspect_node *n, struct inspect_text *out)
{
	static const char *const accesses[] = {"read", "write", "fetch"};
	struct walk w = {.in = in, .h = inspect_hart(in, n)};
	char where[200];
	int err;

	pthread_mutex_lock(&in->lock);
	w.ask = in->walks[n->arg.hart];
	pthread_mutex_unlock(&in->lock);
	err = bis_machine_at_safepoint(in->machine, take_walk, &w);
	if (err)
		return err;
	debug_format_address(in->debug, w.ask.address, where, sizeof(where));
	inspect_put(out, "%s: %s in %c-mode, %s", where, accesses[w.ask.access], "us?m"[effective_priv(&w)], w.name);
	if (strcmp(w.name, "bare") != 0 && w.scheme) {
		inspect_put(out, ", first table at ");
		inspect_put_hex(out, w.root, w.scheme->xlen);
	} else {
		w.scheme = NULL;
	}
	inspect_put(out, "\n");
	for (size_t i = 0; i < w.count; i++)
		put_step(out, &w, &w.steps[i]);
	put_result(out, &w);
	return 0;
}

static int accept_walk(struct inspect *in, const struct inspect_node *n, char *text, struct inspect_text *reply)
{
	static const char *const accesses[] = {"read", "write", "fetch"};
	size_t len = strcspn(text, " \t");
	char *word = inspect_trim(text + len);
	struct inspect_walk_ask ask = {.access = BIS_ACCESS_READ};
	int err;

	text[len] = '\0';
	while (*word && (size_t)ask.access < BIS_ARRAY_SIZE(accesses) && strcmp(word, accesses[ask.access]) != 0)
		ask.access++;
	if ((size_t)ask.access == BIS_ARRAY_SIZE(accesses))
		return bis_fail(EINVAL, "'%.64s' is no access: expected ADDRESS [read|write|fetch]", word);
	err = debug_parse_address(in->debug, text, &ask.address);
	if (err)
		return err;
	pthread_mutex_lock(&in->lock);
	in->walks[n->arg.hart] = ask;
	pthread_mutex_unlock(&in->lock);
	return generate_walk(in, n, reply);
}

/* --- mode --- */

static int generate_mode(struct inspect *in, const struct inspect_node *n, struct inspect_text *out)
{
	struct walk w = {.in = in, .h = inspect_hart(in, n)};
	int err = bis_machine_at_safepoint(in->machine, take_walk, &w);

	if (!err)
		inspect_put(out, "%s\n", w.name);
	return err;
}

/* --- lower and upper --- */

/* Part of the address space, copied at a safepoint. */
struct copy {
	struct inspect *in;
	struct bis_hart *h;
	uint64_t off, address;
	bool upper, write;
	void *buf;
	size_t len, done;
};

static unsigned va_bits(struct bis_hart *h)
{
	uint64_t root;
	const struct debug_scheme *s = inspect_scheme_of(h, &root);

	return s ? s->va_bits : bis_hart_isa(h)->xlen;
}

static uint64_t upper_base(struct bis_hart *h)
{
	uint64_t mask = bis_hart_isa(h)->xlen == 64 ? UINT64_MAX : UINT32_MAX;

	return (UINT64_MAX << (va_bits(h) - 1)) & mask;
}

/* Finds where the bytes lie, and that they are within the half. */
static int place(struct copy *c)
{
	uint64_t half = UINT64_C(1) << (va_bits(c->h) - 1);

	if (c->off >= half)
		return c->write ? bis_fail(EFAULT, "beyond the end of this half of the address space") : 0;
	if (c->len > half - c->off)
		c->len = (size_t)(half - c->off);
	c->address = c->off + (c->upper ? upper_base(c->h) : 0);
	return 1;
}

static size_t page_part(const struct copy *c)
{
	size_t part = BIS_PAGE_SIZE - (size_t)((c->address + c->done) & (BIS_PAGE_SIZE - 1));

	return part < c->len - c->done ? part : c->len - c->done;
}

static int read_part(void *arg)
{
	struct copy *c = arg;
	int err = place(c);

	for (; err > 0 && c->done < c->len; c->done += page_part(c))
		if (debug_read(c->h, c->address + c->done, false, (char *)c->buf + c->done, page_part(c)))
			break;
	if (err > 0 && !c->done)
		return bis_fail(EFAULT, "0x%" PRIx64 " is not mapped (vm/walk says why)", c->address);
	return err < 0 ? err : 0;
}

/* All of it can be written, or nothing is. */
static int write_part(void *arg)
{
	struct copy *c = arg;
	size_t len = c->len;
	int err = place(c);

	if (err > 0 && c->len < len)
		return bis_fail(EFAULT, "beyond the end of this half of the address space: nothing is written");
	if (err > 0)
		err = debug_write(c->h, c->address, false, c->buf, c->len);
	c->done = c->len;
	return err;
}

static ssize_t copy(struct inspect *in, const struct inspect_node *n, struct copy *c, int (*fn)(void *arg))
{
	int err;

	c->in = in;
	c->h = inspect_hart(in, n);
	c->upper = !strcmp(n->name, "upper");
	err = bis_machine_at_safepoint(in->machine, fn, c);
	return err ? err : (ssize_t)c->done;
}

static ssize_t read_half(struct inspect *in, const struct inspect_node *n, uint64_t off, void *buf, size_t len)
{
	struct copy c = {.off = off, .buf = buf, .len = len};

	return copy(in, n, &c, read_part);
}

static ssize_t write_half(struct inspect *in, const struct inspect_node *n, uint64_t off, const void *buf, size_t len)
{
	struct copy c = {.off = off, .buf = (void *)(uintptr_t)buf, .len = len, .write = true};

	return copy(in, n, &c, write_part);
}

/* The sizes of halves follow satp, which the guest writes: files are as long as they can be. */
static uint64_t half_size(struct inspect *in, const struct inspect_node *n)
{
	(void)n;
	return inspect_xlen(in) == 64 ? INT64_MAX : UINT64_C(1) << 31;
}

static int take_base(void *arg)
{
	struct copy *c = arg;

	c->address = upper_base(c->h);
	return 0;
}

static int generate_base(struct inspect *in, const struct inspect_node *n, struct inspect_text *out)
{
	struct copy c = {0};
	ssize_t err = copy(in, n, &c, take_base);

	inspect_put_hex(out, c.address, inspect_xlen(in));
	inspect_put(out, "\n");
	return (int)err;
}

static const struct inspect_type mode_type = {.kind = INSPECT_TEXT, .generate = generate_mode};
static const struct inspect_type base_type = {.kind = INSPECT_TEXT, .generate = generate_base};
static const struct inspect_type walk_type = {.kind = INSPECT_TEXT, .generate = generate_walk, .accept = accept_walk};
static const struct inspect_type half_type = {
	.kind = INSPECT_BYTES, .size = half_size, .read = read_half, .write = write_half};

static const struct inspect_row rows[] = {
	{"mode", &mode_type, NULL},
	{"map", &inspect_vm_map_type, NULL},
	{"lower", &half_type, NULL},
	{"upper", &half_type, NULL},
	{"upper.base", &base_type, NULL},
	{"walk", &walk_type, NULL},
	{0},
};

const struct inspect_type inspect_vm_type = {.kind = INSPECT_DIR, .rows = rows};
