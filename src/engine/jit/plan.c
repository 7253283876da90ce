/*
 * Traces: which accesses share one look at the TLB, and which guest registers and windows a loop keeps in host
 * registers. Outside the loop the convention between blocks holds, so moves lie at its entry and its exits. Hart's
 * thread.
 */
#include <string.h>

#include "src/engine/jit/lower_internal.h"

#define OFFSET_MAX 2048

/* How a trace changes a slot: not at all, or to what lies near; to anything; to what was read at the slot's place. */
enum change { CHANGE_NEAR, CHANGE_ANY, CHANGE_CHASE };

struct plan {
	struct lowering *l;
	uint8_t change[HART_SLOTS];
	uint32_t weight[HART_SLOTS];
	uint32_t turns[IR_MAX_INSNS]; /* how much an instruction counts: more inside inner loops */
	/* The accesses that share a look at present, by base slot. */
	struct group {
		bool open;
		unsigned leader, last, count;
		int64_t low, high, walked; /* from the base as the leader finds it; how far that has gone since */
	} group[HART_SLOTS];
};

static bool is_slot(struct bis_val v)
{
	return v.kind == BIS_VAL_SLOT && v.slot != HART_ZERO_SLOT;
}

/* How many of a, b and c count. */
static unsigned operands(const struct ir_node *n)
{
	static const uint8_t count[] = {
		[IR_OP1] = 1,	 [IR_OP2] = 2,	[IR_LOAD] = 1,	      [IR_STORE] = 2,
		[IR_LR] = 1,	 [IR_SC] = 2,	[IR_AMO] = 2,	      [IR_FENCE] = 0,
		[IR_FP] = 3,	 [IR_CALL] = 2, [IR_TAKE_UNLESS] = 3, [IR_LEAVE_IF] = 2,
		[IR_BRANCH] = 2, [IR_JUMP] = 0, [IR_JUMP_REG] = 1,    [IR_TRAP] = 1,
	};

	return count[n->kind];
}

static bool writes(const struct ir_node *n)
{
	return n->d != BIS_DISCARD && n->kind != IR_STORE && n->kind < IR_LEAVE_IF && n->kind != IR_FENCE;
}

/* Is the result a constant, or another slot's value give or take a constant? */
static bool is_near(const struct ir_node *n)
{
	if (n->kind == IR_OP1)
		return n->op == BIS_IR_mov;
	return n->kind == IR_OP2 && (n->op == BIS_IR_add || n->op == BIS_IR_add32) && n->b.kind == BIS_VAL_CONST;
}

static void look_at_changes(struct plan *p)
{
	const struct bis_ir *t = p->l->t;

	for (unsigned i = 0; i < t->nodes; i++) {
		const struct ir_node *n = &t->node[i];

		if (n->kind == IR_CALL && n->helper->flags & BIS_CALL_WRITES_REGS)
			memset(p->change, CHANGE_ANY, sizeof(p->change));
		if (!writes(n) || is_near(n) || p->change[n->d] == CHANGE_CHASE)
			continue;
		p->change[n->d] = n->kind == IR_LOAD && is_slot(n->a) && n->a.slot == n->d ? CHANGE_CHASE : CHANGE_ANY;
	}
}

/* --- Windows --- */

static const uint8_t sizes[] = {
	[BIS_MEM_U8] = 1,  [BIS_MEM_S8] = 1,  [BIS_MEM_U16] = 2, [BIS_MEM_S16] = 2,
	[BIS_MEM_U32] = 4, [BIS_MEM_S32] = 4, [BIS_MEM_64] = 8,	 [BIS_MEM_BOXED32] = 4,
};

static bool stays(const struct plan *p, unsigned slot)
{
	return p->l->t->loop && p->change[slot] == CHANGE_NEAR;
}

/* The window of a base for such accesses, made if need be; 0: there is none. */
static unsigned window_of(struct plan *p, unsigned slot, bool reads, bool writes)
{
	struct lowering *l = p->l;

	for (unsigned i = 0; i < l->n_windows; i++)
		if (l->window[i].base == slot && l->window[i].reads == reads && l->window[i].writes == writes)
			return i + 1;
	if (l->n_windows == JIT_WINDOWS)
		return 0;
	l->window[l->n_windows++] =
		(struct jit_window){.base = (uint8_t)slot,
				    .reads = reads,
				    .writes = writes,
				    .stays = slot != JIT_NO_PIN && stays(p, slot),
				    .guesses = l->t->loop && (slot == JIT_NO_PIN || !stays(p, slot)),
				    .negative = JIT_NO_PIN,
				    .addend = JIT_NO_PIN};
	return l->n_windows;
}

/* The window that is the hart's stretch of such accesses. */
static unsigned stretch_of(struct plan *p, bool writes)
{
	struct lowering *l = p->l;

	for (unsigned i = 0; i < l->n_windows; i++)
		if (l->window[i].writes == writes)
			return i + 1;
	l->window[l->n_windows++] = (struct jit_window){.stretch = true,
							.base = JIT_NO_PIN,
							.stays = true,
							.reads = !writes,
							.writes = writes,
							.negative = JIT_NO_PIN,
							.addend = JIT_NO_PIN};
	return l->n_windows;
}

static bool is_access(const struct ir_node *n)
{
	return n->kind == IR_LOAD || n->kind == IR_STORE;
}

static bool is_of_group(const struct plan *p, const struct group *g, unsigned slot, unsigned i)
{
	const struct ir_node *n = &p->l->t->node[i];

	return i >= g->leader && i <= g->last && is_access(n) && is_slot(n->a) && n->a.slot == slot;
}

/* Where base plus offset may wrap, each access leads itself alone, by its address. */
static void guess_each(struct plan *p, const struct group *g, unsigned slot)
{
	struct lowering *l = p->l;
	unsigned w = window_of(p, JIT_NO_PIN, true, true);

	for (unsigned i = g->leader; w && i <= g->last; i++)
		if (is_of_group(p, g, slot, i))
			l->share[i] = (struct jit_share){.window = (uint8_t)w,
							 .leads = true,
							 .open = l->share[i].open,
							 .span = sizes[l->t->node[i].op]};
}

static void close_group(struct plan *p, unsigned slot)
{
	struct lowering *l = p->l;
	struct group *g = &p->group[slot];
	bool alone = g->count < 2 && !l->t->loop;
	bool reads = false, writes = false;
	unsigned w;

	if (!g->open)
		return;
	g->open = false;
	if (!l->stretch && !stays(p, slot) && !l->wide && l->t->loop)
		guess_each(p, g, slot);
	if (!l->stretch && !stays(p, slot) && (alone || !l->wide))
		return;
	for (unsigned i = g->leader; i <= g->last; i++) {
		reads |= is_of_group(p, g, slot, i) && l->t->node[i].kind == IR_LOAD;
		writes |= is_of_group(p, g, slot, i) && l->t->node[i].kind == IR_STORE;
	}
	if (l->stretch)
		w = stretch_of(p, writes);
	else if (g->count == 1 && !stays(p, slot))
		w = window_of(p, JIT_NO_PIN, true, true);
	else
		w = window_of(p, slot, reads, writes);
	if (!w)
		return;
	l->share[g->leader].leads = true;
	l->share[g->leader].leads_others = g->count > 1;
	l->share[g->leader].low = (int32_t)g->low;
	l->share[g->leader].span = (uint32_t)(g->high - g->low);
	if (l->window[w - 1].span < l->share[g->leader].span)
		l->window[w - 1].span = l->share[g->leader].span;
	for (unsigned i = g->leader; i <= g->last; i++) {
		if (i < g->last)
			l->share[i].open = true;
		if (is_of_group(p, g, slot, i))
			l->share[i].window = (uint8_t)w;
	}
}

static void close_all(struct plan *p)
{
	for (unsigned slot = 0; slot < HART_SLOTS; slot++)
		close_group(p, slot);
}

static void join_group(struct plan *p, unsigned i)
{
	const struct ir_node *n = &p->l->t->node[i];
	struct group *g = &p->group[n->a.slot];
	bool near = n->imm >= -OFFSET_MAX && n->imm < OFFSET_MAX;
	int64_t low = near && g->open ? n->imm + g->walked : n->imm, high;

	if (!near || low < -OFFSET_MAX || low >= OFFSET_MAX) {
		close_group(p, n->a.slot);
		return;
	}
	high = low + sizes[n->op];
	if (g->open) {
		int64_t all_low = low < g->low ? low : g->low, all_high = high > g->high ? high : g->high;

		if (all_high - all_low <= JIT_SPREAD_MAX) {
			g->low = all_low;
			g->high = all_high;
			g->last = i;
			g->count++;
			return;
		}
		close_group(p, n->a.slot);
	}
	*g = (struct group){
		.open = true, .leader = i, .last = i, .count = 1, .low = n->imm, .high = n->imm + sizes[n->op]};
}

/* Does C see or change memory, or the TLB, in the course of n without a way to leave the trace behind it? */
static bool is_barrier(const struct bis_ir *t, unsigned i)
{
	const struct ir_node *n = &t->node[i];

	if (is_access(n))
		return i + 1 < t->nodes && t->node[i + 1].insn == n->insn;
	return n->kind == IR_LR || n->kind == IR_SC || n->kind == IR_AMO || n->kind == IR_CALL || n->kind == IR_TRAP;
}

/* Does a jump lead to an instruction from `first` to `last`? */
static bool is_entered(const struct lowering *l, int first, int last)
{
	for (int i = first; i <= last; i++)
		if (l->is_target[i])
			return true;
	return false;
}

#define WALK_MAX 64

/* A group holds while its base takes small steps. */
static void follow_base(struct plan *p, const struct ir_node *n)
{
	struct group *g = &p->group[n->d];

	if (n->kind == IR_OP2 && n->op == BIS_IR_add && n->a.kind == BIS_VAL_SLOT && n->a.slot == n->d &&
	    n->b.kind == BIS_VAL_CONST && p->l->wide && n->b.imm >= -WALK_MAX && n->b.imm <= WALK_MAX &&
	    g->walked + n->b.imm >= -WALK_MAX && g->walked + n->b.imm <= WALK_MAX)
		g->walked += n->b.imm;
	else
		close_group(p, n->d);
}

static void find_windows(struct plan *p)
{
	const struct bis_ir *t = p->l->t;
	int last = -1;

	for (unsigned i = 0; i < t->nodes; last = t->node[i++].insn) {
		const struct ir_node *n = &t->node[i];
		bool barrier = is_barrier(t, i);

		if (barrier || (n->insn != last && is_entered(p->l, last + 1, n->insn)))
			close_all(p);
		if (is_access(n) && is_slot(n->a) && n->a.slot < HART_TEMP_SLOT)
			join_group(p, i);
		if (barrier)
			close_all(p);
		if (writes(n))
			follow_base(p, n);
	}
	close_all(p);
}

/* --- Registers --- */

#define TURNS_BITS 3 /* of a loop, as guessed */
#define DEPTH_MAX  4

static void count_turns(struct plan *p)
{
	const struct bis_ir *t = p->l->t;
	unsigned depth[IR_MAX_INSNS] = {0};

	for (unsigned i = 0; i < t->nodes; i++) {
		const struct ir_node *n = &t->node[i];
		int inside = -1;

		if (n->kind == IR_LEAVE_IF || n->kind == IR_JUMP)
			inside = jit_target_inside(t, n->insn, n->imm);
		for (int k = inside; inside >= 0 && k <= n->insn; k++)
			depth[k] += depth[k] < DEPTH_MAX;
	}
	for (unsigned i = 0; i < t->insns; i++)
		p->turns[i] = 1u << TURNS_BITS * depth[i];
}

static void weigh(struct plan *p)
{
	const struct bis_ir *t = p->l->t;

	for (unsigned i = 0; i < t->nodes; i++) {
		const struct ir_node *n = &t->node[i];
		const struct bis_val v[] = {n->a, n->b, n->c};

		for (unsigned k = 0; k < operands(n); k++)
			if (is_slot(v[k]))
				p->weight[v[k].slot] += 2 * p->turns[n->insn];
		if (writes(n))
			p->weight[n->d] += 3 * p->turns[n->insn];
	}
	for (unsigned i = 0; i < t->nodes; i++) { /* floating point has registers of its own */
		const struct ir_node *n = &t->node[i];
		const struct bis_val v[] = {n->a, n->b, n->c};

		if (n->kind != IR_FP && !(n->kind == IR_LOAD && n->op == BIS_MEM_BOXED32))
			continue;
		for (unsigned k = 0; k < 3; k++)
			if (n->kind == IR_FP && is_slot(v[k]))
				p->weight[v[k].slot] = 0;
		if (n->d != BIS_DISCARD)
			p->weight[n->d] = 0;
	}
}

/* Something that wants a register: a slot, or a window's value. */
struct claim {
	unsigned weight;
	uint8_t slot; /* or JIT_NO_PIN */
	uint8_t *window;
};

static bool needs_negative(const struct lowering *l, const struct jit_window *w, const struct jit_share *s)
{
	return s->leads && (!w->stretch || w->writes || !jit_is_near_first(l, s->low));
}

static unsigned collect_claims(struct plan *p, struct claim *claims)
{
	struct lowering *l = p->l;
	unsigned n = 0, shared = 0; /* of the addend of both stretches */

	for (unsigned slot = 0; slot < HART_TEMP_SLOT; slot++)
		if (p->weight[slot])
			claims[n++] = (struct claim){p->weight[slot], (uint8_t)slot, NULL};
	for (unsigned i = 0; i < l->n_windows; i++) {
		struct jit_window *w = &l->window[i];
		unsigned leads = 0, all = 0;

		shared = i ? shared : n;
		for (unsigned k = 0; k < l->t->nodes; k++) {
			if (l->share[k].window != i + 1)
				continue;
			leads += needs_negative(l, w, &l->share[k]) ? p->turns[l->t->node[k].insn] : 0;
			all += p->turns[l->t->node[k].insn];
		}
		if (w->stretch && i && !l->near)
			claims[shared].weight += 2 * all;
		else if (!w->stretch || !l->near)
			claims[n++] = (struct claim){2 * all + 1, JIT_NO_PIN, &w->addend};
		if (w->stays && leads)
			claims[n++] = (struct claim){2 * leads + 1, JIT_NO_PIN, &w->negative};
	}
	for (unsigned i = 1; i < n; i++) { /* the heaviest first */
		struct claim c = claims[i];
		unsigned k = i;

		for (; k && claims[k - 1].weight < c.weight; k--)
			claims[k] = claims[k - 1];
		claims[k] = c;
	}
	return n < JIT_POOL ? n : JIT_POOL;
}

static void give(struct lowering *l, const struct claim *c, unsigned reg)
{
	if (c->slot != JIT_NO_PIN) {
		l->pin[c->slot] = (uint8_t)reg;
		l->occupant[reg] = c->slot;
	} else {
		*c->window = (uint8_t)reg;
		l->occupied[reg] = true;
	}
}

void jit_find_residents(struct lowering *l)
{
	memset(l->resident, JIT_NO_PIN, sizeof(l->resident));
	for (unsigned slot = 0; slot < HART_SLOTS; slot++)
		if (l->j->pin[slot] != JIT_NO_PIN)
			l->resident[l->j->pin[slot]] = (uint8_t)slot;
}

static void choose_registers(struct plan *p)
{
	struct claim claims[HART_TEMP_SLOT + 2 * JIT_WINDOWS];
	struct lowering *l = p->l;
	unsigned n = collect_claims(p, claims), next = 0;
	bool taken[16] = {false};

	memset(l->occupant, JIT_NO_PIN, sizeof(l->occupant));
	memset(l->occupied, 0, sizeof(l->occupied));
	memset(l->pin, JIT_NO_PIN, sizeof(l->pin));
	jit_find_residents(l);
	for (unsigned i = 0; i < n; i++) {
		unsigned home = claims[i].slot == JIT_NO_PIN ? JIT_NO_PIN : l->j->pin[claims[i].slot];

		if (home == JIT_NO_PIN)
			continue;
		taken[home] = true;
		give(l, &claims[i], home);
	}
	for (unsigned i = 0; i < n; i++) {
		if (claims[i].slot != JIT_NO_PIN && l->j->pin[claims[i].slot] != JIT_NO_PIN)
			continue;
		while (taken[jit_pool[next]])
			next++;
		taken[jit_pool[next]] = true;
		give(l, &claims[i], jit_pool[next]);
	}
	for (unsigned i = 0; i < JIT_POOL; i++) { /* what nobody wants stays as it is */
		unsigned reg = jit_pool[i];

		if (taken[reg] || l->resident[reg] == JIT_NO_PIN)
			continue;
		l->occupant[reg] = l->resident[reg];
		l->pin[l->resident[reg]] = (uint8_t)reg;
	}
	if (l->n_windows == 2 && l->window[1].stretch)
		l->window[1].addend = l->window[0].addend;
	l->local = true;
}

void jit_plan(struct lowering *l)
{
	struct plan p = {.l = l};

	memset(l->share, 0, l->t->nodes * sizeof(l->share[0]));
	look_at_changes(&p);
	find_windows(&p);
	if (!l->t->loop) {
		jit_straight_plan(l);
		return;
	}
	count_turns(&p);
	weigh(&p);
	choose_registers(&p);
	jit_floats_plan(l, p.turns);
	if (p.l->wide)
		jit_halves_plan(p.l);
}

/* --- Moves --- */

size_t jit_stretch_at(const struct lowering *l, bool writes)
{
	return (size_t)((const uint8_t *)&l->stretch[writes] - (const uint8_t *)l->h);
}

static struct x86_loc stretch_home(const struct lowering *l, bool writes, enum jit_window_value value)
{
	static const size_t members[] = {[JIT_WINDOW_NEGATIVE] = offsetof(struct bis_stretch, negative),
					 [JIT_WINDOW_ADDEND] = offsetof(struct bis_stretch, addend),
					 [JIT_WINDOW_LIMIT] = offsetof(struct bis_stretch, limit)};

	return jit_hart_at(jit_stretch_at(l, writes) + members[value]);
}

struct x86_loc jit_window_home(const struct lowering *l, unsigned window, enum jit_window_value value)
{
	unsigned index = JIT_WINDOW_VALUES * window + value;

	_Static_assert(sizeof(((struct bis_hart *)0)->engine_words) >= JIT_WINDOWS * JIT_WINDOW_VALUES * 8, "");
	if (l->window[window].stretch)
		return stretch_home(l, l->window[window].writes, value);
	return jit_hart_at(offsetof(struct bis_hart, engine_words) + index * sizeof(uint64_t));
}

/* A window's values that are in registers, to memory or back. */
static void move_window(struct lowering *l, unsigned i, enum x86_op op)
{
	const struct jit_window *w = &l->window[i];

	if (w->negative != JIT_NO_PIN)
		x86_op(&l->a, op, true, w->negative, jit_window_home(l, i, JIT_WINDOW_NEGATIVE));
	if (w->addend != JIT_NO_PIN)
		x86_op(&l->a, op, true, w->addend, jit_window_home(l, i, JIT_WINDOW_ADDEND));
}

/* The windows show no page. One that guesses has an addend all the same, which is only used where it has been found to
 * be right. Stretches are read anew. */
static void close_windows(struct lowering *l)
{
	for (unsigned i = 0; i < l->n_windows; i++)
		if (l->window[i].stretch)
			move_window(l, i, X86_MOV);
		else if (l->window[i].stays)
			x86_store_const(&l->a, true, jit_window_home(l, i, JIT_WINDOW_LIMIT), 0);
}

void jit_enter_local(struct lowering *l)
{
	for (unsigned reg = 0; reg < 16; reg++)
		if (l->resident[reg] != JIT_NO_PIN && l->resident[reg] != l->occupant[reg])
			x86_op(&l->a, X86_MOV_TO, true, reg, jit_slot_at(l->resident[reg]));
	for (unsigned reg = 0; reg < 16; reg++)
		if (l->occupant[reg] != JIT_NO_PIN && l->occupant[reg] != l->resident[reg])
			x86_op(&l->a, X86_MOV, true, reg, jit_slot_at(l->occupant[reg]));
	jit_floats_load(l);
	close_windows(l);
}

void jit_leave_local(struct lowering *l)
{
	for (unsigned reg = 0; reg < 16; reg++)
		if (l->stale >> reg & 1 && l->occupant[reg] != JIT_NO_PIN && l->occupant[reg] != l->resident[reg])
			x86_op(&l->a, X86_MOV_TO, true, reg, jit_slot_at(l->occupant[reg]));
	for (unsigned reg = 0; reg < 16; reg++)
		if (l->resident[reg] != JIT_NO_PIN && l->resident[reg] != l->occupant[reg])
			x86_op(&l->a, X86_MOV, true, reg, jit_slot_at(l->resident[reg]));
}

static void save_windows(struct lowering *l)
{
	for (unsigned i = 0; i < l->n_windows; i++)
		if (!l->window[i].stretch)
			move_window(l, i, X86_MOV_TO);
}

static void restore_windows(struct lowering *l)
{
	for (unsigned i = 0; i < l->n_windows; i++)
		move_window(l, i, X86_MOV);
}

/* The thunk for the registers of this loop. Windows hold only over calls that leave memory and the TLB alone. */
static void write_thunk(struct lowering *l, enum jit_thunk thunk)
{
	bool holds = thunk == JIT_FP || thunk == JIT_PURE;
	struct x86_asm *a = &l->a;

	for (unsigned reg = 0; reg < 16; reg++)
		if (l->stale >> reg & 1 && l->occupant[reg] != JIT_NO_PIN)
			x86_op(a, X86_MOV_TO, true, reg, jit_slot_at(l->occupant[reg]));
	if (holds)
		save_windows(l);
	x86_op(a, X86_MOV_TO, true, JIT_BUDGET, JIT_MEMBER(budget));
	x86_call(a, l->j->inner[thunk]);
	for (unsigned reg = 0; reg < 16; reg++)
		if (l->occupant[reg] != JIT_NO_PIN)
			x86_op(a, X86_MOV, true, reg, jit_slot_at(l->occupant[reg]));
	jit_floats_load(l);
	x86_op(a, X86_MOV, true, JIT_BUDGET, JIT_MEMBER(budget));
	if (holds)
		restore_windows(l);
	else
		close_windows(l);
	x86_ret(a);
}

void jit_write_local_thunks(struct lowering *l)
{
	const uint8_t *thunk[JIT_CALLS] = {NULL};

	for (unsigned i = 0; i < l->n_calls; i++) {
		enum jit_thunk which = l->call[i].thunk;

		if (l->straight && jit_straight_use(l, l->call[i].insn))
			memset(thunk, 0, sizeof(thunk));
		if (!thunk[which]) {
			thunk[which] = x86_here(&l->a);
			write_thunk(l, which);
		}
		x86_retarget(l->call[i].at.at, l->a.exec, thunk[which]);
	}
}
