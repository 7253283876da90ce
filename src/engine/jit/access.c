/*
 * Lowering of loads and stores: one compare with the TLB, or with a window of the trace (plan.c). A misaligned access
 * that stays in its page is like any other; what crosses the page's end, misses, or reaches a device goes through C.
 * Blocks are keyed by the data context, so that its part of the TLB is at a place of the hart known here.
 */
#include "src/engine/jit/lower_internal.h"

/* A kind of access: its size, and how memory or RAX becomes the register's value. */
struct kind {
	uint8_t size;
	bool wide;
	enum x86_op extend;
};

static const struct kind kinds[] = {
	[BIS_MEM_U8] = {1, false, X86_MOVZX8},	 [BIS_MEM_S8] = {1, true, X86_MOVSX8},
	[BIS_MEM_U16] = {2, false, X86_MOVZX16}, [BIS_MEM_S16] = {2, true, X86_MOVSX16},
	[BIS_MEM_U32] = {4, false, X86_MOV},	 [BIS_MEM_S32] = {4, true, X86_MOVSXD},
	[BIS_MEM_64] = {8, true, X86_MOV},	 [BIS_MEM_BOXED32] = {4, false, X86_MOV},
};

void jit_address(struct lowering *l, const struct ir_node *n)
{
	struct bis_val base = n->a;
	int64_t off = n->imm;
	struct x86_asm *a = &l->a;

	if (base.kind != BIS_VAL_SLOT) {
		base.imm = (int64_t)((uint64_t)base.imm + (uint64_t)off);
		if (base.kind == BIS_VAL_CONST && !l->wide)
			base.imm = (uint32_t)base.imm;
		jit_copy(l, base, RAX);
	} else if (!jit_fits32(off)) {
		x86_const(a, RCX, (uint64_t)off);
		jit_copy(l, base, RAX);
		x86_op(a, X86_ADD, l->wide, RAX, x86_in(RCX));
	} else if (!jit_loc(l, base.slot).memory && (off || !jit_is_in(l, base, RAX))) {
		x86_op(a, X86_LEA, l->wide, RAX, x86_at(jit_read(l, base, RAX), (int32_t)off));
	} else {
		jit_copy(l, base, RAX);
		if (off)
			x86_group(a, X86_G_ADD, l->wide, x86_in(RAX), (int32_t)off);
	}
	l->acc = HART_SLOTS;
	l->pending = false;
}

int32_t jit_entry_at(const struct lowering *l, size_t member)
{
	return (int32_t)((const uint8_t *)l->h->tlb[l->t->context] - (const uint8_t *)l->h) + (int32_t)member;
}

/* RCX leads to the entry of base + low; RDX is the page of the last byte of the `size` from there on. */
static void look_up(struct lowering *l, enum x86_reg base, int32_t low, uint32_t size)
{
	struct x86_asm *a = &l->a;
	int32_t last = low + (int32_t)size - 1;

	_Static_assert(sizeof(struct bis_tlb_entry) == 32, "an entry is found by a shift");
	if (low)
		x86_op(a, X86_LEA, false, RCX, x86_at(base, low));
	else
		x86_op(a, X86_MOV, false, RCX, x86_in(base));
	x86_shift(a, X86_SHR, false, x86_in(RCX), BIS_PAGE_SHIFT - 5);
	x86_group(a, X86_G_AND, false, x86_in(RCX), (TLB_ENTRIES - 1) << 5);
	if (last)
		x86_op(a, X86_LEA, l->wide, RDX, x86_at(base, last));
	else
		x86_op(a, X86_MOV, true, RDX, x86_in(base));
	x86_group(a, X86_G_AND, true, x86_in(RDX), -(int32_t)BIS_PAGE_SIZE);
}

/* The jump to where the entry is not that of RDX. */
static struct x86_patch unless_tag(struct lowering *l, size_t tag)
{
	x86_op_index(&l->a, X86_CMP, true, RDX, JIT_HART, RCX, 0, jit_entry_at(l, tag));
	return x86_jcc_later(&l->a, X86_NE);
}

static void read_addend(struct lowering *l, enum x86_reg reg)
{
	x86_op_index(&l->a, X86_MOV, true, reg, JIT_HART, RCX, 0,
		     jit_entry_at(l, offsetof(struct bis_tlb_entry, addend)));
}

/* A block's accesses have nothing to do with any window. */
static const struct jit_share *share_of(const struct lowering *l, const struct ir_node *n)
{
	static const struct jit_share none;

	return l->t->trace ? &l->share[n - l->t->node] : &none;
}

static size_t tag_of(const struct ir_node *n)
{
	return n->kind == IR_LOAD ? offsetof(struct bis_tlb_entry, rtag) : offsetof(struct bis_tlb_entry, wtag);
}

/* --- The way through C --- */

/* The register that a load's value goes to first. */
static enum x86_reg load_target(const struct lowering *l, const struct ir_node *n)
{
	return n->d == BIS_DISCARD ? RAX : jit_target(l, n->d);
}

/* A boxed float is stored in halves, if its slot is in memory. */
static void put_boxed(struct lowering *l, unsigned slot, enum x86_reg reg)
{
	struct x86_loc at = jit_slot_at(slot);

	if (slot == BIS_DISCARD || l->pin[slot] != JIT_NO_PIN) {
		x86_const(&l->a, RCX, UINT64_C(0xffffffff00000000));
		x86_op(&l->a, X86_OR, true, reg, x86_in(RCX));
		jit_put(l, slot, reg);
		return;
	}
	if (reg == RAX)
		jit_free_acc(l);
	x86_store(&l->a, 4, at, reg);
	if (!jit_is_boxed(l, slot))
		x86_store_const(&l->a, false, x86_at((enum x86_reg)at.reg, at.disp + 4), -1);
	jit_float_written(l, slot, reg);
	jit_set_boxed(l, slot, true);
}

static void put_loaded(struct lowering *l, const struct ir_node *n, enum x86_reg reg)
{
	if (n->op == BIS_MEM_BOXED32)
		put_boxed(l, n->d, reg);
	else
		jit_put(l, n->d, reg);
}

/* Goes on behind an access that was done in a stub. Where windows are open that may not hold any more, the trace is
 * left there. */
static void go_on_behind(struct lowering *l, const struct jit_stub *s, bool leaves)
{
	const struct ir_node *n = s->node;

	if (!leaves) {
		if (s->kept != HART_SLOTS)
			x86_op(&l->a, X86_MOV, true, RAX, jit_slot_at(s->kept));
		x86_jmp(&l->a, s->to);
		return;
	}
	if (n->kind == IR_LOAD) {
		jit_set_boxed(l, n->d == BIS_DISCARD ? 0 : n->d, false);
		put_loaded(l, n, (enum x86_reg)s->reg);
		jit_free_acc(l);
		jit_forget_half(l, n->d);
	}
	jit_leave(l, n->insn + 1u, l->t->offset[n->insn + 1u]);
}

/* Of a block: C finds base and value, and puts the result where it belongs. */
static void access_noted(struct lowering *l, const struct jit_stub *s)
{
	const struct ir_node *n = s->node;
	struct jit_note note = {
		.imm = s->off,
		.insn = n->insn,
		.kind = (unsigned)n->op & 127u,
		.done = jit_behind(l, n) == l->t->offset[n->insn + 1u],
		.base = s->base == RAX ? BIS_DISCARD : n->a.slot,
		.slot = n->d,
	};

	if (n->kind == IR_STORE)
		note.slot = n->b.kind == BIS_VAL_SLOT ? n->b.slot : BIS_DISCARD;
	if (n->kind == IR_STORE && note.slot == BIS_DISCARD)
		jit_copy(l, n->b, RDX);
	jit_call_noted(l, n->kind == IR_LOAD ? JIT_NOTED_LOAD : JIT_NOTED_STORE, note, s->to);
}

static void access_by_c(struct lowering *l, const struct jit_stub *s)
{
	const struct ir_node *n = s->node;
	const struct kind *k = &kinds[n->op];

	if (!l->t->trace) {
		access_noted(l, s);
		return;
	}
	l->acc = HART_SLOTS;
	l->pending = false;
	l->now = s->now;
	if (s->base != RAX || s->off)
		x86_op(&l->a, X86_LEA, l->wide, RAX, x86_at((enum x86_reg)s->base, s->off));
	if (n->kind == IR_STORE)
		jit_copy(l, n->b, RDX);
	jit_call_thunk(l, n->kind == IR_LOAD ? JIT_LOAD : JIT_STORE, s->site);
	if (n->kind == IR_LOAD)
		x86_op(&l->a, k->extend, k->wide, s->reg, x86_in(RAX));
	go_on_behind(l, s, share_of(l, n)->open);
}

/* Where that is hardly ever: dense rather than fast. */
static void write_by_c(struct lowering *l, const struct jit_stub *s)
{
	x86_bind(&l->a, s->from);
	access_by_c(l, s);
}

static void transfer(struct lowering *l, const struct ir_node *n, enum x86_reg base, enum x86_reg index, int32_t off);

/* An access that leads others, which it cannot: it may be possible by itself. */
static void access_alone(struct lowering *l, const struct jit_stub *s)
{
	const struct jit_share *share = share_of(l, s->node);
	struct x86_patch miss;

	if (!share->leads_others || !l->wide)
		return;
	l->acc = HART_SLOTS;
	l->pending = false;
	look_up(l, (enum x86_reg)s->base, s->off, kinds[s->node->op].size);
	miss = unless_tag(l, tag_of(s->node));
	read_addend(l, RCX);
	transfer(l, s->node, (enum x86_reg)s->base, RCX, s->off);
	go_on_behind(l, s, true);
	x86_bind(&l->a, miss);
}

static void write_slow(struct lowering *l, const struct jit_stub *s)
{
	x86_bind(&l->a, s->from);
	if (s->also.at)
		x86_bind(&l->a, s->also);
	access_alone(l, s);
	access_by_c(l, s);
}

int64_t jit_behind(const struct lowering *l, const struct ir_node *n)
{
	const struct ir_node *next = n + 1;

	if (next >= l->end)
		return JIT_NOWHERE;
	if (next->insn != n->insn)
		return l->t->offset[n->insn + 1u];
	return next->kind == IR_JUMP ? next->imm : JIT_NOWHERE;
}

static struct jit_stub *new_slow(struct lowering *l, const struct ir_node *n, enum x86_reg base, int64_t off,
				 void (*write)(struct lowering *l, const struct jit_stub *s))
{
	struct jit_stub *s = jit_new_stub(l, n, write);

	if (l->t->trace) {
		s->site = jit_new_site(l, n);
		s->site->size = kinds[n->op].size;
		s->site->imm = (int32_t)jit_behind(l, n);
	}
	s->base = (uint8_t)base;
	s->off = (int32_t)off;
	s->kept = HART_SLOTS;
	s->reg = (uint8_t)(n->kind == IR_LOAD ? load_target(l, n) : RAX);
	return s;
}

/* --- Windows --- */

static struct jit_window *window_of(struct lowering *l, const struct ir_node *n)
{
	unsigned window = share_of(l, n)->window;

	return window ? &l->window[window - 1] : NULL;
}

static struct x86_loc window_value(const struct lowering *l, const struct jit_window *w, enum jit_window_value value)
{
	unsigned reg = value == JIT_WINDOW_ADDEND ? w->addend : value == JIT_WINDOW_NEGATIVE ? w->negative : JIT_NO_PIN;

	return reg == JIT_NO_PIN ? jit_window_home(l, (unsigned)(w - l->window), value) : x86_in(reg);
}

/* value = reg. */
static void set_window(struct lowering *l, const struct jit_window *w, enum jit_window_value value, enum x86_reg reg)
{
	struct x86_loc at = window_value(l, w, value);

	if (at.memory)
		x86_op(&l->a, X86_MOV_TO, true, reg, at);
	else
		x86_op(&l->a, X86_MOV, true, (enum x86_reg)at.reg, x86_in(reg));
}

/* RDX and an address in its page must not lie on different sides of 0 where addresses have 32 bits. */
static unsigned unless_near_zero(struct lowering *l, struct x86_patch *miss)
{
	struct x86_asm *a = &l->a;

	if (l->wide)
		return 0;
	x86_group(a, X86_G_CMP, false, x86_in(RDX), 2 * BIS_PAGE_SIZE);
	miss[0] = x86_jcc_later(a, X86_B);
	x86_group(a, X86_G_CMP, false, x86_in(RDX), -2 * (int32_t)BIS_PAGE_SIZE);
	miss[1] = x86_jcc_later(a, X86_AE);
	return 2;
}

/* The TLB has what the window has not: the window moves there. */
static void write_move(struct lowering *l, const struct jit_stub *s)
{
	const struct ir_node *n = s->node;
	const struct jit_share *share = share_of(l, n);
	const struct jit_window *w = window_of(l, n);
	struct x86_patch miss[4];
	unsigned misses = 0;
	struct x86_asm *a = &l->a;

	x86_bind(a, s->from);
	look_up(l, (enum x86_reg)s->base, share->low, share->span);
	if (w->reads)
		miss[misses++] = unless_tag(l, offsetof(struct bis_tlb_entry, rtag));
	if (w->writes)
		miss[misses++] = unless_tag(l, offsetof(struct bis_tlb_entry, wtag));
	misses += unless_near_zero(l, &miss[misses]);
	x86_unary(a, X86_NEG, true, x86_in(RDX));
	set_window(l, w, JIT_WINDOW_NEGATIVE, RDX);
	read_addend(l, RDX);
	set_window(l, w, JIT_WINDOW_ADDEND, RDX);
	x86_store_const(a, true, window_value(l, w, JIT_WINDOW_LIMIT), (int32_t)(BIS_PAGE_SIZE - w->span + 1));
	x86_jmp(a, s->back);
	for (unsigned i = 0; i < misses; i++)
		x86_bind(a, miss[i]);
	access_alone(l, s);
	access_by_c(l, s);
}

/* The addend is another one. */
static void write_guess(struct lowering *l, const struct jit_stub *s)
{
	const struct jit_window *w = window_of(l, s->node);

	x86_bind(&l->a, s->from);
	read_addend(l, RDX);
	set_window(l, w, JIT_WINDOW_ADDEND, RDX);
	x86_jmp(&l->a, s->back);
}

/* Leads: finds the TLB to have the page of this access and of those that follow. */
static struct jit_stub *lead_by_tlb(struct lowering *l, const struct ir_node *n, const struct jit_window *w,
				    enum x86_reg base, int32_t off)
{
	const struct jit_share *share = share_of(l, n);
	struct jit_stub *s, *guess;

	look_up(l, base, share->low, share->span);
	s = new_slow(l, n, base, off, write_slow);
	if (share->leads_others && w->reads && w->writes) {
		s->also = unless_tag(l, offsetof(struct bis_tlb_entry, rtag));
		s->from = unless_tag(l, offsetof(struct bis_tlb_entry, wtag));
	} else {
		s->from = unless_tag(l, tag_of(n));
	}
	if (w->guesses && w->addend != JIT_NO_PIN) {
		x86_op_index(&l->a, X86_CMP, true, (enum x86_reg)w->addend, JIT_HART, RCX, 0,
			     jit_entry_at(l, offsetof(struct bis_tlb_entry, addend)));
		guess = jit_new_stub(l, n, write_guess);
		guess->from = x86_jcc_later(&l->a, X86_NE);
		guess->back = x86_here(&l->a);
		return s;
	}
	read_addend(l, w->addend == JIT_NO_PIN ? RCX : (enum x86_reg)w->addend);
	if (w->addend == JIT_NO_PIN && share->leads_others)
		set_window(l, w, JIT_WINDOW_ADDEND, RCX);
	return s;
}

/* Not in the stretch, but perhaps in the TLB; where others follow, at the same distance. */
static void write_beside(struct lowering *l, const struct jit_stub *s)
{
	const struct ir_node *n = s->node;
	const struct jit_share *share = share_of(l, n);
	struct jit_window *w = window_of(l, n);
	struct x86_patch miss[5];
	unsigned misses = 0;
	struct x86_asm *a = &l->a;

	x86_bind(a, s->from);
	look_up(l, (enum x86_reg)s->base, share->leads ? share->low : s->off,
		share->leads ? share->span : kinds[n->op].size);
	if (n->kind == IR_LOAD || share->leads_others)
		miss[misses++] = unless_tag(l, offsetof(struct bis_tlb_entry, rtag));
	if (n->kind == IR_STORE || (share->leads_others && w->writes))
		miss[misses++] = unless_tag(l, offsetof(struct bis_tlb_entry, wtag));
	misses += unless_near_zero(l, &miss[misses]);
	if (share->leads_others) {
		if (l->near)
			x86_const(a, RDX, (uint64_t)l->addend);
		else
			x86_op(a, X86_MOV, true, RDX, window_value(l, w, JIT_WINDOW_ADDEND));
		x86_op_index(a, X86_CMP, true, RDX, JIT_HART, RCX, 0,
			     jit_entry_at(l, offsetof(struct bis_tlb_entry, addend)));
		miss[misses++] = x86_jcc_later(a, X86_NE);
		x86_jmp(a, s->back);
	} else {
		read_addend(l, RCX);
		l->acc = HART_SLOTS;
		l->pending = false;
		transfer(l, n, (enum x86_reg)s->base, RCX, s->off);
		x86_jmp(a, s->to);
	}
	for (unsigned i = 0; i < misses; i++)
		x86_bind(a, miss[i]);
	access_alone(l, s);
	access_by_c(l, s);
}

bool jit_is_near_first(const struct lowering *l, int64_t off)
{
	return l->is_whole && jit_fits32(off - l->first);
}

/* RCX = base + off + negative; of the stretch of loads, that may be known. */
static void find_distance(struct lowering *l, enum x86_reg base, int32_t off, bool of_loads, struct x86_loc negative)
{
	if (of_loads && jit_is_near_first(l, off)) {
		x86_op(&l->a, X86_LEA, true, RCX, x86_at(base, (int32_t)(off - l->first)));
		return;
	}
	if (negative.memory)
		x86_op(&l->a, X86_MOV, true, RCX, negative);
	x86_op_index(&l->a, X86_LEA, true, RCX, base, negative.memory ? RCX : (enum x86_reg)negative.reg, 0, off);
}

/* Leads: finds the window to be the one of this access and of those that follow. */
static struct jit_stub *lead_by_window(struct lowering *l, const struct ir_node *n, const struct jit_window *w,
				       enum x86_reg base)
{
	const struct jit_share *share = share_of(l, n);
	struct x86_loc negative = window_value(l, w, JIT_WINDOW_NEGATIVE), limit = window_value(l, w, JIT_WINDOW_LIMIT);
	struct jit_stub *s = new_slow(l, n, base, n->imm, w->stretch ? write_beside : write_move);

	_Static_assert(STRETCH_SPAN >= JIT_SPREAD_MAX, "");
	if (w->stretch && share->span > sizeof(uint64_t))
		limit.disp += (int32_t)(offsetof(struct bis_stretch, wide_limit) - offsetof(struct bis_stretch, limit));

	find_distance(l, base, share->low, w->stretch && !w->writes, negative);
	x86_op(&l->a, X86_CMP, true, RCX, limit);
	s->from = x86_jcc_later(&l->a, X86_AE);
	s->back = x86_here(&l->a);
	return s;
}

/* --- Accesses --- */

static void transfer(struct lowering *l, const struct ir_node *n, enum x86_reg base, enum x86_reg index, int32_t off)
{
	const struct kind *k = &kinds[n->op];

	if (n->kind == IR_LOAD)
		x86_op_index(&l->a, k->extend, k->wide, load_target(l, n), base, index, 0, off);
	else
		x86_store_index(&l->a, k->size, base, index, off, jit_read(l, n->b, RDX));
}

/* The same in a stretch, whose addend is at `addend`. */
static void transfer_flat(struct lowering *l, const struct ir_node *n, enum x86_reg base, struct x86_loc addend,
			  int32_t off)
{
	const struct kind *k = &kinds[n->op];
	struct x86_loc at = x86_at(base, (int32_t)(off + l->addend));

	if (!l->near || !jit_fits32(off + l->addend)) {
		if (addend.memory)
			x86_op(&l->a, X86_MOV, true, RCX, addend);
		transfer(l, n, base, addend.memory ? RCX : (enum x86_reg)addend.reg, off);
	} else if (n->kind == IR_LOAD) {
		x86_op(&l->a, k->extend, k->wide, load_target(l, n), at);
	} else {
		x86_store(&l->a, k->size, at, jit_read(l, n->b, RDX));
	}
}

static void access_window(struct lowering *l, const struct ir_node *n, const struct jit_window *w)
{
	const struct jit_share *share = share_of(l, n);
	struct jit_stub *s = NULL;
	bool by_address = !l->wide && !w->stays;
	enum x86_reg base = RAX, index;
	int32_t off = by_address ? 0 : (int32_t)n->imm;

	jit_free_acc(l);
	if (by_address)
		jit_address(l, n);
	else
		base = jit_read(l, n->a, RAX);
	if (share->leads)
		s = w->stays ? lead_by_window(l, n, w, base) : lead_by_tlb(l, n, w, base, off);
	index = w->addend == JIT_NO_PIN ? RCX : (enum x86_reg)w->addend;
	if (!w->stretch && w->addend == JIT_NO_PIN && (w->stays || !share->leads))
		x86_op(&l->a, X86_MOV, true, RCX, window_value(l, w, JIT_WINDOW_ADDEND));
	if (w->stretch)
		transfer_flat(l, n, base, window_value(l, w, JIT_WINDOW_ADDEND), off);
	else
		transfer(l, n, base, index, off);
	if (s)
		s->to = x86_here(&l->a);
	if (n->kind == IR_LOAD)
		put_loaded(l, n, load_target(l, n));
}

static bool is_direct(const struct lowering *l, const struct ir_node *n)
{
	return (l->wide || l->stretch) && n->a.kind == BIS_VAL_SLOT && n->a.slot != HART_ZERO_SLOT &&
	       jit_fits32(n->imm) && jit_fits32(n->imm + 8);
}

/* In the hart's stretch. */
static void access_flat(struct lowering *l, const struct ir_node *n)
{
	size_t at = jit_stretch_at(l, n->kind == IR_STORE);
	int32_t off = 0;
	enum x86_reg base = RAX;
	struct jit_stub *s;
	struct x86_asm *a = &l->a;

	if (is_direct(l, n)) {
		off = (int32_t)n->imm;
		base = jit_read(l, n->a, RAX);
	} else {
		jit_address(l, n);
	}
	s = new_slow(l, n, base, off, l->is_whole && !l->t->trace ? write_by_c : write_beside);
	find_distance(l, base, off, n->kind == IR_LOAD, jit_hart_at(at + offsetof(struct bis_stretch, negative)));
	x86_op(a, X86_CMP, true, RCX, jit_hart_at(at + offsetof(struct bis_stretch, limit)));
	s->from = x86_jcc_later(a, X86_AE);
	transfer_flat(l, n, base, jit_hart_at(at + offsetof(struct bis_stretch, addend)), off);
	if (n->kind == IR_STORE || load_target(l, n) != RAX)
		s->kept = (uint8_t)l->acc;
	s->to = x86_here(a);
}

/* With the address as base + offset: no wrap, and nothing to compute. */
static void access_direct(struct lowering *l, const struct ir_node *n)
{
	int32_t off = (int32_t)n->imm;
	enum x86_reg base = jit_read(l, n->a, RAX);
	struct jit_stub *s = new_slow(l, n, base, off, write_slow);

	look_up(l, base, off, kinds[n->op].size);
	s->from = unless_tag(l, tag_of(n));
	read_addend(l, RCX);
	transfer(l, n, base, RCX, off);
	if (n->kind == IR_STORE || load_target(l, n) != RAX)
		s->kept = (uint8_t)l->acc;
	s->to = x86_here(&l->a);
}

/* Through the address in RAX. */
static void access_address(struct lowering *l, const struct ir_node *n)
{
	struct jit_stub *s = new_slow(l, n, RAX, 0, write_slow);

	jit_address(l, n);
	look_up(l, RAX, 0, kinds[n->op].size);
	s->from = unless_tag(l, tag_of(n));
	read_addend(l, RCX);
	transfer(l, n, RAX, RCX, 0);
	s->to = x86_here(&l->a);
}

void jit_access(struct lowering *l, const struct ir_node *n)
{
	const struct jit_window *w = window_of(l, n);

	if (w) {
		access_window(l, n, w);
		return;
	}
	if (l->acc != HART_SLOTS && jit_is_in(l, n->b, RAX))
		jit_free_acc(l);
	if (l->acc != HART_SLOTS)
		jit_free_acc_but(l, n->a);
	if (l->stretch)
		access_flat(l, n);
	else if (is_direct(l, n))
		access_direct(l, n);
	else
		access_address(l, n);
	if (n->kind == IR_LOAD)
		put_loaded(l, n, load_target(l, n));
}
