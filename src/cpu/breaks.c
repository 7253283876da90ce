/*
 * Breakpoints, <biscuit/debug.h>. A hart that reaches one stops as if the instruction had trapped, but nothing is
 * delivered; it asks all harts to park and leaves the rest to the control thread. When it goes on, it is let past that
 * one instruction (`passing`).
 */
#include "src/cpu/breaks_internal.h"

#include <errno.h>
#include <string.h>

#include <biscuit/error.h>
#include <biscuit/ir.h>

#include "src/cpu/hart_internal.h"
#include "src/machine/machine_internal.h"
#include "src/translate/block_internal.h"

static const char *const kind_names[] = {
	[BIS_BREAK_PC] = "pc",
	[BIS_BREAK_READ] = "read",
	[BIS_BREAK_WRITE] = "write",
	[BIS_BREAK_ACCESS] = "access",
	[BIS_BREAK_CSR] = "csr",
	[BIS_BREAK_TRAP] = "trap",
	[BIS_BREAK_INTERRUPT] = "interrupt",
	[BIS_BREAK_INSTRET] = "instret",
};

const char *bis_break_kind_name(enum bis_break_kind kind)
{
	return kind < BIS_BREAK_KINDS ? kind_names[kind] : NULL;
}

/* --- On the hart's thread --- */

static bool compare(uint64_t a, enum bis_compare how, uint64_t b)
{
	switch (how) {
	case BIS_EQUAL:
		return a == b;
	case BIS_NOT_EQUAL:
		return a != b;
	case BIS_BELOW:
		return a < b;
	case BIS_BELOW_OR_EQUAL:
		return a <= b;
	case BIS_ABOVE:
		return a > b;
	default:
		return a >= b;
	}
}

static bool conditions_hold(struct bis_hart *h, const struct bis_break *b)
{
	for (unsigned i = 0; i < b->n_conditions; i++) {
		const struct bis_condition *c = &b->conditions[i];
		uint64_t value;

		if (!c->is_csr)
			value = bis_hart_reg(h, c->where);
		else if (bis_hart_csr_get(h, c->where, &value))
			return false;
		if (!compare(value, c->compare, c->value))
			return false;
	}
	return true;
}

static bool holds(struct bis_hart *h, const struct bis_break *b)
{
	return (!b->harts || (b->harts >> h->id & 1)) && conditions_hold(h, b);
}

static bool reached(struct bis_hart *h, const struct bis_breaks_entry *e, uint64_t value)
{
	struct bis_event event = {.kind = BIS_EVENT_BREAK, .hart = h->id, .id = e->id, .value = value};

	if (!holds(h, &e->b))
		return false;
	h->passing = bis_machine_break(h->machine, &event);
	return true;
}

bool bis_break_reached(struct bis_hart *h, enum bis_break_kind kind, uint64_t address)
{
	const struct bis_breaks *all = &h->machine->breaks;

	if (h->passing)
		return false;
	for (unsigned i = 0; i < all->count; i++) {
		const struct bis_breaks_entry *e = &all->at[i];

		if (e->b.kind == kind && e->b.address == address && reached(h, e, address))
			return true;
	}
	return false;
}

static bool watches(const struct bis_break *b, enum bis_access access)
{
	return b->kind == BIS_BREAK_ACCESS ||
	       b->kind == (access == BIS_ACCESS_WRITE ? BIS_BREAK_WRITE : BIS_BREAK_READ);
}

/* Do [a, a+len) and [b, b+size) share a byte? Neither is empty or wraps. */
static bool overlap(uint64_t a, uint64_t len, uint64_t b, uint64_t size)
{
	return a < b ? b - a < len : a - b < size;
}

bool bis_break_access(struct bis_hart *h, uint64_t va, unsigned size, enum bis_access access)
{
	const struct bis_breaks *all = &h->machine->breaks;

	if (h->passing)
		return false;
	for (unsigned i = 0; i < all->count; i++) {
		const struct bis_breaks_entry *e = &all->at[i];

		if (watches(&e->b, access) && overlap(e->b.address, e->b.length, va, size) && reached(h, e, va)) {
			bis_hart_raise(h, CAUSE_STOP, 0);
			return true;
		}
	}
	return false;
}

static uint64_t at_pc(struct bis_hart *h, uint64_t a, uint64_t b, uint64_t imm)
{
	(void)a;
	(void)b;
	(void)imm;
	if (bis_break_reached(h, BIS_BREAK_PC, h->pc))
		bis_hart_raise(h, CAUSE_STOP, 0);
	return 0;
}

const struct bis_helper bis_break_helper = {
	.name = "breakpoint",
	.fn = at_pc,
	.flags = BIS_CALL_TRAPS | BIS_CALL_READS_REGS | BIS_CALL_SEES_COUNT,
};

bool bis_breaks_at_offset(const struct bis_breaks *b, unsigned offset)
{
	for (unsigned i = 0; i < b->count; i++)
		if (b->at[i].b.kind == BIS_BREAK_PC && (b->at[i].b.address & (BIS_PAGE_SIZE - 1)) == offset)
			return true;
	return false;
}

bool bis_breaks_watch_page(const struct bis_breaks *b, uint64_t va_page)
{
	for (unsigned i = 0; i < b->count; i++)
		if ((BREAK_BIT(b->at[i].b.kind) & BREAKS_ON_DATA) &&
		    overlap(b->at[i].b.address, b->at[i].b.length, va_page, BIS_PAGE_SIZE))
			return true;
	return false;
}

uint64_t bis_breaks_insns_left(const struct bis_hart *h)
{
	const struct bis_breaks *all = &h->machine->breaks;
	uint64_t left = UINT64_MAX;

	for (unsigned i = 0; i < all->count; i++) {
		uint64_t at = all->at[i].b.address;

		if (all->at[i].b.kind == BIS_BREAK_INSTRET && at > h->retired && at - h->retired < left)
			left = at - h->retired;
	}
	return left;
}

/* --- On the control thread --- */

static int check_condition(struct bis_machine *m, const struct bis_condition *c)
{
	uint64_t value;

	if (c->is_csr && bis_hart_csr_get(m->harts[0], c->where, &value))
		return bis_fail(EINVAL, "there is no CSR 0x%03x to compare", c->where);
	if (!c->is_csr && c->where >= BIS_IR_MAX_GUEST_SLOTS)
		return bis_fail(EINVAL, "there is no register %u to compare", c->where);
	return c->compare <= BIS_ABOVE_OR_EQUAL ? 0 : bis_fail(EINVAL, "unknown comparison %d", (int)c->compare);
}

static int check(struct bis_machine *m, const struct bis_break *b)
{
	int err = 0;

	if (b->kind >= BIS_BREAK_KINDS)
		return bis_fail(EINVAL, "unknown kind of breakpoint %d", (int)b->kind);
	if ((BREAK_BIT(b->kind) & BREAKS_ON_DATA) && (!b->length || b->length - 1 > UINT64_MAX - b->address))
		return bis_fail(EINVAL, "a watchpoint on no bytes, or beyond the end of the address space");
	if (b->n_conditions > BIS_BREAK_CONDITIONS_MAX)
		return bis_fail(EINVAL, "more than %d conditions", BIS_BREAK_CONDITIONS_MAX);
	for (unsigned i = 0; i < b->n_conditions && !err; i++)
		err = check_condition(m, &b->conditions[i]);
	return err;
}

/* One of that kind has come or gone. Blocks have those on instructions and CSRs in them, and TLBs leave watched pages
 * out. Harts parked. */
static void changed(struct bis_machine *m, enum bis_break_kind kind)
{
	struct bis_breaks *all = &m->breaks;

	all->kinds = 0;
	for (unsigned i = 0; i < all->count; i++)
		all->kinds |= BREAK_BIT(all->at[i].b.kind);
	for (unsigned i = 0; i < m->n_harts; i++) {
		if (BREAK_BIT(kind) & BREAKS_IN_CODE)
			bis_block_cache_flush(m->harts[i]->cache);
		if (BREAK_BIT(kind) & BREAKS_ON_DATA)
			bis_tlb_flush(m->harts[i]);
	}
}

struct change {
	struct bis_machine *m;
	const struct bis_break *add; /* NULL: remove `id` */
	unsigned id;
};

static int carry_out(void *arg)
{
	struct change *c = arg;
	struct bis_breaks *all = &c->m->breaks;
	enum bis_break_kind kind;
	unsigned at = 0;

	if (c->add) {
		if (all->count == BIS_BREAKS_MAX)
			return bis_fail(ENOSPC, "there are %d breakpoints already", BIS_BREAKS_MAX);
		c->id = ++all->last_id;
		all->at[all->count] = (struct bis_breaks_entry){.id = c->id, .b = *c->add};
		all->at[all->count++].b.hits = 0;
		changed(c->m, c->add->kind);
		return 0;
	}
	while (at < all->count && all->at[at].id != c->id)
		at++;
	if (at == all->count)
		return bis_fail(ENOENT, "there is no breakpoint %u", c->id);
	kind = all->at[at].b.kind;
	memmove(&all->at[at], &all->at[at + 1], (all->count - at - 1) * sizeof(all->at[0]));
	all->count--;
	changed(c->m, kind);
	return 0;
}

int bis_break_add(struct bis_machine *m, const struct bis_break *b, unsigned *id)
{
	struct change c = {.m = m, .add = b};
	int err = check(m, b);

	if (!err)
		err = bis_machine_at_safepoint(m, carry_out, &c);
	if (!err)
		*id = c.id;
	return err;
}

int bis_break_remove(struct bis_machine *m, unsigned id)
{
	struct change c = {.m = m, .id = id};

	return bis_machine_at_safepoint(m, carry_out, &c);
}

int bis_break_get(struct bis_machine *m, size_t index, unsigned *id, struct bis_break *out)
{
	int err = -ENOENT;

	bis_machine_lock_control(m);
	if (index < m->breaks.count) {
		*id = m->breaks.at[index].id;
		*out = m->breaks.at[index].b;
		err = 0;
	}
	bis_machine_unlock_control(m);
	return err;
}

static void drop(struct bis_machine *m, unsigned id)
{
	if (bis_break_remove(m, id))
		bis_log(m, BIS_LOG_ERROR, "machine", "%s", bis_error_message());
}

void bis_breaks_was_hit(struct bis_machine *m, unsigned id)
{
	for (unsigned i = 0; i < m->breaks.count; i++) {
		if (m->breaks.at[i].id != id)
			continue;
		m->breaks.at[i].b.hits++;
		if (m->breaks.at[i].b.once)
			drop(m, id);
		return;
	}
}

void bis_breaks_at_rest(struct bis_machine *m)
{
	for (unsigned i = m->breaks.count; i-- > 0;)
		if (m->breaks.at[i].b.until_rest)
			drop(m, m->breaks.at[i].id);
}
