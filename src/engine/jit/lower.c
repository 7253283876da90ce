/*
 * Lowering: from the intermediate representation to machine code. Hart's thread.
 *
 * A block's code is: the charge of its instructions, its operations, its end, then what is rare: slow ways and the
 * stubs of exits that are not linked yet. Sites lie before it, and what leaves where the budget does not suffice.
 */
#include <stdlib.h>
#include <string.h>

#include "src/engine/jit/gdb.h"
#include "src/engine/jit/lower_internal.h"
#include "src/memory/memory_internal.h"

#define CODE_PER_NODE	    288 /* bytes, slow way included */
#define CODE_PER_BLOCK	    512
#define CODE_PER_TRACE	    12288
#define CODE_PER_TRACE_NODE 960
#define SITES_MAX	    2 /* that one operation needs by itself */
#define SITES_PER_TRACE	    2
#define SITES_PER_NODE	    3 /* of a trace: its own, and an exit on each of an access's slow ways */

#define LOOP_ALIGNMENT 32

/* What a block needs at most. */
struct need {
	unsigned sites;
	size_t code; /* bytes */
};

/* How often the operations are lowered at most. */
static unsigned passes(const struct bis_ir *t)
{
	return t->loop && t->isa->xlen == 64 ? 2 : 1;
}

/* What t needs if its operations need so many sites by themselves. */
static struct need need_of(const struct bis_ir *t, unsigned sites)
{
	_Static_assert(2 * (SITES_PER_TRACE + SITES_PER_NODE * IR_MAX_NODES) <= UINT16_MAX,
		       "jit_site.exit counts exits");
	if (!t->trace)
		return (struct need){sites, CODE_PER_BLOCK + t->nodes * (size_t)CODE_PER_NODE};
	/* as many exits, too */
	return (struct need){passes(t) * (SITES_PER_NODE * sites + SITES_PER_TRACE),
			     passes(t) * (t->nodes * (size_t)CODE_PER_TRACE_NODE + CODE_PER_TRACE)};
}

static struct need measure(const struct bis_ir *t)
{
	static const uint8_t of_block[] = {
		[IR_LR] = 1, [IR_SC] = 1, [IR_AMO] = 1, [IR_FP] = 1, [IR_CALL] = 2, [IR_TRAP] = 1,
	};
	static const uint8_t of_trace[] = {
		[IR_LOAD] = 1, [IR_STORE] = 1,	  [IR_LR] = 1,	   [IR_SC] = 1,	  [IR_AMO] = 1,	 [IR_FP] = 1,
		[IR_CALL] = 2, [IR_LEAVE_IF] = 1, [IR_BRANCH] = 2, [IR_JUMP] = 1, [IR_TRAP] = 1,
	};
	const uint8_t *sites = t->trace ? of_trace : of_block;
	unsigned needed = 0;

	for (const struct ir_node *n = t->node, *end = n + t->nodes; n < end; n++)
		needed += n->kind == IR_OP1 ? n->op >= BIS_IR_clz /* perhaps by C */ : sites[n->kind];
	return need_of(t, needed);
}

#define REFUSAL 9 /* bytes, see begin_code() */

/* Bytes for the sites before the code, and for what comes between them. */
static size_t sites_room(const struct bis_ir *t, unsigned sites)
{
	size_t each = sizeof(struct jit_site) + (t->trace ? sizeof(struct bis_link) : 0);

	return (sites * each + REFUSAL + 15) & ~(size_t)15;
}

size_t jit_room(const struct bis_ir *t)
{
	struct need need = need_of(t, SITES_MAX * t->nodes);

	return sites_room(t, need.sites) + need.code;
}

struct lowering *jit_lowering_create(void)
{
	return calloc(1, sizeof(struct lowering));
}

/* --- Values --- */

void jit_copy(struct lowering *l, struct bis_val v, enum x86_reg reg)
{
	struct x86_asm *a = &l->a;

	switch (v.kind) {
	case BIS_VAL_SLOT:
		if (v.slot == HART_ZERO_SLOT)
			x86_const(a, reg, 0);
		else if (!jit_is_in(l, v, reg))
			x86_op(a, X86_MOV, true, reg, jit_loc(l, v.slot));
		break;
	case BIS_VAL_CONST:
		x86_const(a, reg, (uint64_t)v.imm);
		break;
	default:
		x86_op(a, X86_MOV, true, reg, JIT_MEMBER(pc_page));
		if (v.imm)
			x86_group(a, X86_G_ADD, l->wide, x86_in(reg), (int32_t)v.imm);
	}
}

enum x86_reg jit_read(struct lowering *l, struct bis_val v, enum x86_reg scratch)
{
	if (v.kind == BIS_VAL_SLOT && !jit_loc(l, v.slot).memory)
		return (enum x86_reg)jit_loc(l, v.slot).reg;
	jit_copy(l, v, scratch);
	return scratch;
}

struct x86_loc jit_operand(struct lowering *l, struct bis_val v, enum x86_reg scratch)
{
	if (v.kind == BIS_VAL_SLOT)
		return jit_loc(l, v.slot);
	jit_copy(l, v, scratch);
	return x86_in(scratch);
}

static void store_slot(struct lowering *l, unsigned slot, enum x86_reg reg)
{
	x86_op(&l->a, X86_MOV_TO, true, reg, jit_slot_at(slot));
	jit_float_written(l, slot, reg);
}

bool jit_is_boxed(const struct lowering *l, unsigned slot)
{
	return l->boxed[slot / 64] >> slot % 64 & 1;
}

void jit_put_elsewhere(struct lowering *l, unsigned slot, enum x86_reg reg)
{
	if (slot == BIS_DISCARD)
		return;
	jit_set_boxed(l, slot, false);
	if (l->pin[slot] != JIT_NO_PIN) {
		x86_op(&l->a, X86_MOV, true, l->pin[slot], x86_in(reg));
		return;
	}
	if (reg != RAX) {
		store_slot(l, slot, reg);
		return;
	}
	l->acc = slot;
	l->pending = hart_is_temp(slot);
	if (!l->pending)
		store_slot(l, slot, RAX);
}

void jit_free_acc(struct lowering *l)
{
	if (l->pending)
		store_slot(l, l->acc, RAX);
	l->pending = false;
	l->acc = HART_SLOTS;
}

void jit_free_acc_but(struct lowering *l, struct bis_val v)
{
	if (!jit_is_in(l, v, RAX))
		jit_free_acc(l);
}

static bool reads(const struct ir_node *n, unsigned slot)
{
	return (n->a.kind == BIS_VAL_SLOT && n->a.slot == slot) || (n->b.kind == BIS_VAL_SLOT && n->b.slot == slot) ||
	       (n->c.kind == BIS_VAL_SLOT && n->c.slot == slot);
}

/* Before n: a temporary that is read again later needs a place of its own. */
static void settle_acc(struct lowering *l, const struct ir_node *n)
{
	if (!l->pending)
		return;
	for (const struct ir_node *later = n + 1; later < l->end && later->insn == n->insn; later++) {
		if (!reads(later, l->acc))
			continue;
		store_slot(l, l->acc, RAX);
		l->pending = false;
		return;
	}
	if (reads(n, l->acc))
		return; /* the last to read it, who takes it from RAX */
	l->acc = HART_SLOTS;
	l->pending = false;
}

/* --- Calls of C, and what lies behind the block --- */

struct jit_site *jit_new_site(struct lowering *l, const struct ir_node *n)
{
	struct jit_site *s = l->sites;

	if (s >= l->sites_end)
		abort(); /* `need` is wrong */
	l->sites++;
	*s = (struct jit_site){.distance = (uint32_t)((uintptr_t)s - (uintptr_t)l->b),
			       .imm = (int32_t)n->imm,
			       .insn = n->insn,
			       .op = n->op,
			       .bits = n->bits,
			       .rm = n->rm,
			       .slot = n->d};
	return s;
}

void jit_name_site(struct lowering *l, const struct jit_site *s)
{
	x86_const(&l->a, RCX, (uint32_t)((const uint8_t *)s - l->j->origin));
}

void jit_call_thunk(struct lowering *l, enum jit_thunk thunk, const struct jit_site *s)
{
	jit_extend(l, l->now.half);
	jit_name_site(l, s);
	if (!l->local) {
		x86_call(&l->a, l->j->thunk[thunk]);
		return;
	}
	if (l->n_calls == JIT_CALLS_MAX)
		abort(); /* more than operations have */
	l->call[l->n_calls].thunk = thunk;
	l->call[l->n_calls].insn = s->insn;
	l->call[l->n_calls++].at = x86_call_later(&l->a);
}

void jit_call_noted(struct lowering *l, enum jit_thunk thunk, struct jit_note note, const uint8_t *to)
{
	x86_call(&l->a, l->j->thunk[thunk]);
	note.distance = (uint32_t)(l->a.at - (const uint8_t *)l->b);
	if (to)
		note.to = (int32_t)(to - x86_here(&l->a));
	x86_copy(&l->a, (const uint8_t *)&note, sizeof(note));
}

struct jit_stub *jit_new_stub(struct lowering *l, const struct ir_node *n,
			      void (*write)(struct lowering *l, const struct jit_stub *s))
{
	struct jit_stub *s;

	if (l->n_stubs == JIT_STUBS_MAX)
		abort(); /* more than operations */
	s = &l->stubs[l->n_stubs++];
	s->node = n;
	s->write = write;
	s->now = l->now;
	s->also.at = NULL;
	return s;
}

/* --- Calls, traps --- */

static void call_with_two(struct lowering *l, const struct ir_node *n, enum jit_thunk thunk, struct jit_site *s)
{
	jit_free_acc(l);
	jit_copy(l, n->a, RAX);
	jit_copy(l, n->b, RDX);
	jit_call_thunk(l, thunk, s);
}

static void lower_call(struct lowering *l, const struct ir_node *n)
{
	struct jit_site *s = jit_new_site(l, n);
	enum jit_thunk thunk = JIT_CALL;

	_Static_assert(sizeof(n->helper) <= sizeof(*s), "an address takes a site's place");
	memcpy(l->sites++, &n->helper, sizeof(n->helper));
	if (n->helper->flags & BIS_CALL_ENDS)
		thunk = JIT_CALL_ENDS;
	else if (n->helper->flags & BIS_CALL_MAY_END)
		thunk = JIT_CALL_MAY_END;
	else if (n->helper->flags & (BIS_CALL_TRAPS | BIS_CALL_SEES_COUNT))
		thunk = JIT_CALL_TRAPS;
	if (thunk == JIT_CALL_MAY_END)
		s->behind = (uint16_t)jit_behind(l, n);
	call_with_two(l, n, thunk, s);
	if (thunk != JIT_CALL_ENDS)
		jit_put(l, n->d, RAX);
	memset(l->boxed, 0, sizeof(l->boxed));
}

static void lower_trap(struct lowering *l, const struct ir_node *n)
{
	struct jit_site *s = jit_new_site(l, n);

	jit_free_acc(l);
	jit_copy(l, n->a, RAX);
	jit_call_thunk(l, JIT_TRAP, s);
}

static void (*const lower_node[])(struct lowering *l, const struct ir_node *n) = {
	[IR_OP1] = jit_op1,	      [IR_OP2] = jit_op2,	   [IR_LOAD] = jit_access,
	[IR_STORE] = jit_access,      [IR_LR] = jit_atomic_access, [IR_SC] = jit_atomic_access,
	[IR_AMO] = jit_atomic_access, [IR_FENCE] = jit_fence,	   [IR_FP] = jit_float,
	[IR_CALL] = lower_call,	      [IR_TAKE_UNLESS] = jit_take, [IR_LEAVE_IF] = jit_leave_if,
	[IR_BRANCH] = jit_branch,     [IR_JUMP] = jit_jump,	   [IR_JUMP_REG] = jit_jump_reg,
	[IR_TRAP] = lower_trap,
};

/* Another block is meant at this address. */
static void write_other(struct lowering *l, const struct jit_stub *s)
{
	x86_bind(&l->a, s->from);
	x86_const(&l->a, RAX, l->t->offset[0]);
	x86_jmp(&l->a, l->j->to_page);
}

/* Links lead here whatever mstatus.FS is. */
static void check_key(struct lowering *l)
{
	struct x86_loc upper = jit_hart_at(offsetof(struct bis_hart, block_key) + sizeof(uint32_t));
	uint64_t key = l->b->tag >> BLOCK_KEY_SHIFT << (BLOCK_KEY_SHIFT - 32);

	if (!l->t->asked_fs || l->b->tag == BLOCK_DEAD)
		return;
	x86_group(&l->a, X86_G_CMP, false, upper, (int32_t)(uint32_t)key);
	jit_new_stub(l, l->t->node, write_other)->from = x86_jcc_later(&l->a, X86_NE);
}

/* The block's code begins, behind what takes the charge back where the budget does not suffice: where that is. */
static const uint8_t *begin_code(struct lowering *l)
{
	const uint8_t *refused = x86_here(&l->a);
	uint32_t distance;

	x86_call(&l->a, l->j->refuse);
	distance = (uint32_t)(l->a.at - (const uint8_t *)l->b);
	x86_copy(&l->a, (const uint8_t *)&distance, sizeof(distance));
	l->b->code = x86_here(&l->a);
	return refused;
}

static void charge(struct lowering *l, const uint8_t *refused)
{
	x86_group(&l->a, X86_G_SUB, true, x86_in(JIT_BUDGET), (int32_t)l->t->insns);
	x86_jcc_near(&l->a, X86_L, refused);
}

/* Is n's result read by the next operation alone, which extends its sign into a register? */
static bool extends(const struct lowering *l, const struct ir_node *n)
{
	const struct ir_node *next = n + 1;

	return n->kind == IR_OP2 && hart_is_temp(n->d) && next->kind == IR_OP1 && next->op == BIS_IR_sext32 &&
	       next->insn == n->insn && next->a.kind == BIS_VAL_SLOT && next->a.slot == n->d &&
	       l->pin[next->d] != JIT_NO_PIN && (next + 1 >= l->end || next[1].insn != n->insn);
}

/* A half stays one: sign extension is left to those who need it. */
static bool stays_half(const struct lowering *l, const struct ir_node *n)
{
	return l->halves && n->kind == IR_OP1 && n->op == BIS_IR_sext32 && n->d < HART_TEMP_SLOT &&
	       l->pin[n->d] != JIT_NO_PIN;
}

static void lower_half(struct lowering *l, const struct ir_node *n)
{
	enum x86_reg to = (enum x86_reg)l->pin[n->d];

	jit_copy(l, n->a, to);
	jit_put(l, n->d, to);
}

/* Both are made in that register. */
static void lower_extended(struct lowering *l, const struct ir_node *n)
{
	struct ir_node whole = *n;
	enum x86_reg to = (enum x86_reg)l->pin[n[1].d];

	whole.d = n[1].d;
	lower_node[whole.kind](l, &whole);
	if (!l->halves)
		x86_op(&l->a, X86_MOVSXD, true, to, x86_in(to));
}

/* The code of n's instruction begins, and of those before it that have none. */
static void begin_insns(struct lowering *l, const struct ir_node *n)
{
	for (; l->n_labels <= n->insn; l->n_labels++) {
		if (l->is_target[l->n_labels] && l->halves) {
			jit_extend(l, l->now.half & ~l->at[l->n_labels].half);
			l->now = l->at[l->n_labels];
		}
		if (l->is_head[l->n_labels])
			x86_align(&l->a, LOOP_ALIGNMENT);
		if (l->straight)
			jit_straight_begin(l, l->n_labels);
		l->label[l->n_labels] = x86_here(&l->a);
		if (!l->is_target[l->n_labels])
			continue;
		l->acc = HART_SLOTS;
		l->pending = false;
		memset(l->boxed, 0, sizeof(l->boxed));
	}
}

static void find_targets(struct lowering *l)
{
	if (!l->t->trace)
		return;
	memset(l->is_target, 0, l->t->insns * sizeof(l->is_target[0]));
	memset(l->is_head, 0, l->t->insns * sizeof(l->is_head[0]));
	for (unsigned i = 0; i < l->t->nodes; i++) {
		const struct ir_node *n = &l->t->node[i];
		int inside = -1;

		if (n->kind == IR_LEAVE_IF || n->kind == IR_JUMP)
			inside = jit_target_inside(l->t, n->insn, n->imm);
		if (inside >= 0)
			l->is_target[inside] = true;
		if (inside >= 0 && inside <= n->insn)
			l->is_head[inside] = true;
	}
}

/* What n extends is taken or not by the operation behind it. */
static void lower_taken(struct lowering *l, const struct ir_node *n)
{
	struct ir_node whole = n[1];

	whole.c = n->a;
	lower_node[whole.kind](l, &whole);
}

/* Is n a shift to the left by 32 whose result the next operation shifts back, to clear the upper half? */
static bool clears_upper(const struct lowering *l, const struct ir_node *n)
{
	const struct ir_node *next = n + 1;

	return l->wide && n->kind == IR_OP2 && n->op == BIS_IR_shl && n->b.kind == BIS_VAL_CONST && n->b.imm == 32 &&
	       next->kind == IR_OP2 && next->op == BIS_IR_shr && next->b.kind == BIS_VAL_CONST && next->b.imm > 0 &&
	       next->b.imm <= 32 && next->d == n->d && next->a.kind == BIS_VAL_SLOT && next->a.slot == n->d &&
	       n->a.kind == BIS_VAL_SLOT && (next->insn == n->insn || !l->t->trace || !l->is_target[next->insn]);
}

static void lower_cleared(struct lowering *l, const struct ir_node *n)
{
	enum x86_reg to = jit_target(l, n->d);

	x86_op(&l->a, X86_MOV, false, to, jit_operand(l, n->a, RCX));
	if (n[1].b.imm < 32)
		x86_shift(&l->a, X86_SHL, true, x86_in(to), (unsigned)(32 - n[1].b.imm));
	jit_put(l, n->d, to);
}

/* n, or the two from n on: returns the last. */
static const struct ir_node *lower_next(struct lowering *l, const struct ir_node *n)
{
	bool cleared, two, taken = false;
	struct jit_halves behind = l->now;

	if (!l->halves && n->kind != IR_OP2) {
		lower_node[n->kind](l, n);
		return n;
	}
	cleared = n + 1 < l->end && clears_upper(l, n);
	two = n + 1 < l->end && extends(l, n);
	if (l->halves) {
		uint64_t need = jit_halves_step(l, &behind, n);

		taken = n->d >= HART_TEMP_SLOT && n->d != BIS_DISCARD && jit_is_half_of(&behind, n->d);
		if (two || taken || cleared)
			jit_halves_step(l, &behind, n + 1);
		jit_extend(l, need);
		l->now.half &= ~need;
		l->now.known |= need;
	}
	if (cleared)
		lower_cleared(l, n++);
	else if (two)
		lower_extended(l, n++);
	else if (taken)
		lower_taken(l, n++);
	else if (stays_half(l, n))
		lower_half(l, n);
	else
		lower_node[n->kind](l, n);
	l->now = behind;
	return n;
}

/* The operations, and what is rare. */
static void lower_nodes(struct lowering *l)
{
	l->acc = HART_SLOTS;
	l->pending = false;
	memset(l->boxed, 0, sizeof(l->boxed));
	l->n_labels = 0;
	l->now = (struct jit_halves){.known = l->halves ? l->guarded : 0};
	for (const struct ir_node *n = l->t->node; n < l->end; n++) {
		if (l->t->trace)
			begin_insns(l, n);
		settle_acc(l, n);
		n = lower_next(l, n);
	}
	for (unsigned i = 0; i < l->n_stubs; i++) {
		l->now = l->stubs[i].now;
		if (l->straight)
			jit_straight_use(l, l->stubs[i].node->insn);
		l->stubs[i].write(l, &l->stubs[i]);
	}
	l->n_stubs = 0;
}

/* Twice, where it takes something for granted that may turn out not to be so. */
static void lower_passes(struct lowering *l)
{
	struct x86_patch fails[JIT_GUARDS_MAX];
	unsigned n = l->halves ? jit_guard(l, fails) : 0;

	lower_nodes(l);
	if (!n)
		return;
	for (unsigned i = 0; i < n; i++)
		x86_bind(&l->a, fails[i]);
	l->halves = false;
	lower_nodes(l);
}

#define NEAR_MAX (INT64_C(1) << 30)

static void use_stretches(struct lowering *l)
{
	const struct bis_ram *ram = l->h->stretch_ram;

	l->stretch = l->t->stretch;
	l->is_whole = l->stretch && l->t->context == TLB_M;
	l->addend = ram ? (int64_t)((uintptr_t)ram->host - ram->base) : 0;
	l->first = ram ? (int64_t)ram->base : 0;
	l->near = l->stretch == l->h->stretch[l->t->context][STRETCH_OWN] && l->addend >= -NEAR_MAX &&
		  l->addend <= NEAR_MAX;
}

size_t jit_lower(const struct bis_hart *h, const struct bis_ir *t, struct bis_block *b, void *code, void *work)
{
	const struct jit *j = h->engine_state;
	struct lowering *l = work ? work : j->lowering;
	struct need need = measure(t);
	uint8_t *start = (uint8_t *)code + sites_room(t, need.sites);
	const uint8_t *refused;

	l->a.at = start - REFUSAL;
	l->a.end = start + need.code;
	l->a.exec = h->code_exec;
	l->h = h;
	l->j = j;
	l->t = t;
	l->end = t->node + t->nodes;
	l->b = b;
	l->wide = t->isa->xlen == 64;
	use_stretches(l);
	l->sites = code;
	l->sites_end = l->sites + need.sites;
	l->n_stubs = l->n_windows = l->n_calls = l->n_labels = 0;
	find_targets(l);
	l->n_exits = 2;
	l->local = l->halves = l->straight = l->floats = false;
	l->stale = UINT16_MAX;
	memcpy(l->pin, j->pin, sizeof(l->pin));
	if (t->trace) {
		b->out = bis_far(b, l->sites_end);
		memset(l->sites_end, 0, need.sites * sizeof(struct bis_link));
		jit_plan(l);
	}
	refused = begin_code(l);
	check_key(l);
	charge(l, refused);
	if (l->local && !l->straight)
		jit_enter_local(l);
	lower_passes(l);
	if (l->n_calls)
		jit_write_local_thunks(l);
	if (l->a.at > l->a.end)
		abort(); /* CODE_PER_NODE is too small */
	if (j->gdb)
		jit_gdb_add(j->gdb, t, b, x86_here(&l->a));
	return (size_t)(l->a.at - (uint8_t *)code);
}
