/*
 * Loops of 64-bit guests that compute on 32 bits: what is known of a slot's upper half, so that signs are extended only
 * where somebody looks. A slot is *known* to be the extension of its lower half; or it is a *half*: its register's
 * upper half may hold anything, and its value is the lower one's extension. A half becomes known by one instruction in
 * place, before whoever needs all of it: addresses, 64-bit arithmetic, every way out of the loop and into C.
 *
 * What holds at a label is what all ways to it bring; what a loop begins with is looked at when it is entered. Hart's
 * thread.
 */
#include "src/engine/jit/lower_internal.h"

#define REGISTERS  32 /* guest registers that are followed; and as many temporaries */
#define ROUNDS_MAX 12

static uint64_t bit_of(unsigned slot)
{
	if (slot < REGISTERS)
		return UINT64_C(1) << slot;
	return slot - HART_TEMP_SLOT < REGISTERS ? UINT64_C(1) << (slot - HART_TEMP_SLOT + REGISTERS) : 0;
}

static uint64_t bit(struct bis_val v)
{
	return v.kind == BIS_VAL_SLOT ? bit_of(v.slot) : 0;
}

/* Is v the extension of its lower half? */
static bool is_narrow(const struct jit_halves *s, struct bis_val v)
{
	if (v.kind == BIS_VAL_CONST)
		return jit_fits32(v.imm);
	return v.kind == BIS_VAL_SLOT && (v.slot == HART_ZERO_SLOT || ((s->known | s->half) & bit(v)));
}

bool jit_is_half(const struct lowering *l, struct bis_val v)
{
	return l->now.half & bit(v);
}

bool jit_compares_halves(const struct lowering *l, const struct ir_node *n)
{
	return ((jit_is_half(l, n->a) || jit_is_half(l, n->b)) && is_narrow(&l->now, n->a) && is_narrow(&l->now, n->b));
}

void jit_extend(struct lowering *l, uint64_t slots)
{
	for (unsigned slot = 0; slots && slot < REGISTERS; slot++)
		if (slots & bit_of(slot))
			x86_op(&l->a, X86_MOVSXD, true, l->pin[slot], x86_in(l->pin[slot]));
}

bool jit_is_half_of(const struct jit_halves *s, unsigned slot)
{
	return s->half & bit_of(slot);
}

void jit_forget_half(struct lowering *l, unsigned slot)
{
	l->now.half &= ~bit_of(slot);
}

void jit_known_half(struct lowering *l, unsigned slot)
{
	if (!jit_is_half_of(&l->now, slot))
		return;
	l->now.half &= ~bit_of(slot);
	l->now.known |= bit_of(slot);
}

/* --- What a node needs, and what it leaves --- */

enum result { RESULT_ANY, RESULT_KNOWN, RESULT_HALF };

static bool shifts_out(const struct ir_node *n)
{
	return n->op == BIS_IR_shl && n->b.kind == BIS_VAL_CONST && (n->b.imm & 63) >= 32;
}

static bool is_logic(const struct ir_node *n)
{
	return n->kind == IR_OP2 && (n->op == BIS_IR_and || n->op == BIS_IR_or || n->op == BIS_IR_xor);
}

/* Of two values that are narrow, one of which may be a half. */
static enum result combined(const struct lowering *l, const struct jit_halves *s, const struct ir_node *n,
			    uint64_t operands, uint64_t *need)
{
	if (!(s->half & operands))
		return RESULT_KNOWN;
	if (n->d < REGISTERS && l->pin[n->d] != JIT_NO_PIN)
		return RESULT_HALF;
	*need = operands;
	return RESULT_KNOWN;
}

/* Is the result read by the next operation alone, which may take it as a half? */
static bool is_taken(const struct lowering *l, const struct jit_halves *s, const struct ir_node *n)
{
	const struct ir_node *next = n + 1;

	return n->d >= HART_TEMP_SLOT && next < l->end && next->kind == IR_TAKE_UNLESS && next->insn == n->insn &&
	       next->c.kind == BIS_VAL_SLOT && next->c.slot == n->d && is_narrow(s, bis_slot(next->d)) &&
	       next->d < REGISTERS && l->pin[next->d] != JIT_NO_PIN;
}

static enum result step_op1(const struct lowering *l, const struct jit_halves *s, const struct ir_node *n,
			    uint64_t *need)
{
	switch (n->op) {
	case BIS_IR_mov:
		return is_narrow(s, n->a) ? combined(l, s, n, bit(n->a), need) : RESULT_ANY;
	case BIS_IR_sext32:
		if (is_taken(l, s, n))
			return RESULT_HALF;
		if (n->d >= REGISTERS || l->pin[n->d] == JIT_NO_PIN)
			return RESULT_KNOWN;
		return s->known & bit(n->a) ? RESULT_KNOWN : RESULT_HALF;
	case BIS_IR_sext8:
	case BIS_IR_sext16:
	case BIS_IR_zext8:
	case BIS_IR_zext16:
		return RESULT_KNOWN;
	case BIS_IR_zext32:
		return RESULT_ANY;
	default:
		*need = bit(n->a);
		return RESULT_ANY;
	}
}

static enum result step_op2(const struct lowering *l, const struct jit_halves *s, const struct ir_node *n,
			    uint64_t *need)
{
	uint64_t operands = bit(n->a) | bit(n->b);
	bool narrow = is_narrow(s, n->a) && is_narrow(s, n->b);

	switch (n->op) {
	case BIS_IR_add32:
	case BIS_IR_sub32:
	case BIS_IR_shl32:
	case BIS_IR_shr32:
	case BIS_IR_sar32:
	case BIS_IR_mul32:
	case BIS_IR_divu32:
	case BIS_IR_divs32:
	case BIS_IR_remu32:
	case BIS_IR_rems32:
		return RESULT_ANY;
	case BIS_IR_and:
		if (n->b.kind == BIS_VAL_CONST && n->b.imm >= 0 && jit_fits32(n->b.imm))
			return RESULT_KNOWN;
		/* fall through */
	case BIS_IR_or:
	case BIS_IR_xor:
		if (narrow)
			return combined(l, s, n, operands, need);
		break;
	case BIS_IR_shl:
		if (shifts_out(n))
			return RESULT_ANY;
		break;
	case BIS_IR_seteq:
	case BIS_IR_setne:
	case BIS_IR_setltu:
	case BIS_IR_setlts:
		*need = operands;
		return RESULT_KNOWN;
	default:
		break;
	}
	*need = operands;
	return RESULT_ANY;
}

static enum result loaded(const struct ir_node *n)
{
	return n->op == BIS_MEM_U32 || n->op == BIS_MEM_64 || n->op == BIS_MEM_BOXED32 ? RESULT_ANY : RESULT_KNOWN;
}

static enum result step_take(const struct lowering *l, const struct jit_halves *s, const struct ir_node *n,
			     uint64_t *need)
{
	uint64_t operands = bit(n->c) | bit_of(n->d);

	if (is_narrow(s, n->c) && is_narrow(s, bis_slot(n->d)))
		return combined(l, s, n, operands, need);
	*need = operands;
	return RESULT_ANY;
}

uint64_t jit_halves_step(const struct lowering *l, struct jit_halves *s, const struct ir_node *n)
{
	uint64_t need = 0, d = n->d == BIS_DISCARD ? 0 : bit_of(n->d);
	enum result result = RESULT_ANY;

	switch ((enum ir_kind)n->kind) {
	case IR_OP1:
		result = step_op1(l, s, n, &need);
		break;
	case IR_OP2:
		result = step_op2(l, s, n, &need);
		break;
	case IR_LOAD:
		need = bit(n->a);
		result = loaded(n);
		break;
	case IR_STORE:
		need = bit(n->a) | (n->op == BIS_MEM_64 ? bit(n->b) : 0);
		d = 0;
		break;
	case IR_TAKE_UNLESS:
		result = step_take(l, s, n, &need);
		break;
	case IR_LEAVE_IF:
	case IR_JUMP:
	case IR_FENCE:
		return 0;
	default:
		need = UINT64_MAX;
		if (n->kind == IR_CALL && n->helper->flags & BIS_CALL_WRITES_REGS)
			d = UINT64_MAX;
	}
	need &= s->half;
	s->half &= ~need;
	s->known |= need;
	s->half &= ~d;
	s->known &= ~d;
	if (result == RESULT_KNOWN)
		s->known |= d;
	else if (result == RESULT_HALF)
		s->half |= d;
	return need;
}

/* --- What holds at labels --- */

/* Another way to a label, which brings `s`. True if less holds there now. */
static bool meet(struct jit_halves *at, const struct jit_halves *s)
{
	struct jit_halves met = {.known = at->known & s->known};

	met.half = (at->known | at->half) & (s->known | s->half) & ~met.known;
	if (met.known == at->known && met.half == at->half)
		return false;
	*at = met;
	return true;
}

static const struct jit_halves anything = {.known = UINT64_MAX}; /* of a place that no way leads to */

/* Follows all ways once. True if that changed what holds somewhere. */
static bool follow(struct lowering *l)
{
	struct jit_halves now = {.known = l->guarded};
	bool changed = false;
	unsigned label = 0;

	for (const struct ir_node *n = l->t->node; n < l->end; n++) {
		int inside = -1;

		for (; label <= n->insn; label++) {
			if (!l->is_target[label])
				continue;
			changed |= meet(&l->at[label], &now);
			now = l->at[label];
		}
		jit_halves_step(l, &now, n);
		if (n->kind == IR_LEAVE_IF || n->kind == IR_JUMP)
			inside = jit_target_inside(l->t, n->insn, n->imm);
		if (inside >= 0)
			changed |= meet(&l->at[inside], &now);
		if (n->kind == IR_JUMP)
			now = anything;
	}
	return changed;
}

/* --- What is worth a look where the loop is entered --- */

static bool compares(const struct ir_node *n)
{
	return n->kind == IR_LEAVE_IF || n->kind == IR_TAKE_UNLESS;
}

/* The slots that hold extended halves, as far as one can guess from what is done with them. */
static uint64_t guess(const struct lowering *l)
{
	uint64_t halves = 0, wide = 0;

	for (const struct ir_node *n = l->t->node; n < l->end; n++) {
		if (n->kind == IR_OP1 && n->op == BIS_IR_sext32)
			halves |= bit_of(n->d);
		if (n->kind == IR_LOAD || n->kind == IR_STORE)
			wide |= bit(n->a);
		if (n->kind == IR_OP2 && !is_logic(n) && (n->op < BIS_IR_add32) && !shifts_out(n))
			wide |= bit(n->a) | bit(n->b);
	}
	wide &= ~halves;
	for (unsigned i = 0; i < 2; i++) {
		for (const struct ir_node *n = l->t->node; n < l->end; n++) {
			uint64_t pair = is_logic(n) || compares(n) ? bit(n->a) | bit(n->b) : 0;

			if (pair & halves)
				halves |= pair & ~wide;
			if (is_logic(n) && (bit_of(n->d) & halves))
				halves |= pair & ~wide;
		}
	}
	return halves;
}

/* Those of them that somebody reads before they are written. */
static uint64_t live(const struct lowering *l, uint64_t slots)
{
	uint64_t written = 0, read = 0;

	for (const struct ir_node *n = l->t->node; n < l->end; n++) {
		read |= (bit(n->a) | bit(n->b) | bit(n->c)) & ~written;
		if (n->kind == IR_TAKE_UNLESS)
			read |= bit_of(n->d) & ~written;
		else if (n->kind < IR_LEAVE_IF && n->kind != IR_STORE && n->d != BIS_DISCARD)
			written |= bit_of(n->d);
	}
	return read & slots & UINT32_MAX;
}

void jit_halves_plan(struct lowering *l)
{
	uint64_t guesses = guess(l);
	bool changes = true;

	l->guarded = live(l, guesses);
	while ((unsigned)__builtin_popcountll(l->guarded) > JIT_GUARDS_MAX)
		l->guarded &= l->guarded - 1;
	for (unsigned i = 0; i < l->t->insns; i++)
		l->at[i] = anything;
	for (unsigned i = 0; i < ROUNDS_MAX && changes; i++)
		changes = follow(l);
	if (l->is_target[0])
		l->guarded &= l->at[0].known | l->at[0].half;
	l->halves = !changes;
}

/* --- The entry --- */

unsigned jit_guard(struct lowering *l, struct x86_patch *fails)
{
	unsigned n = 0;

	for (unsigned slot = 0; slot < REGISTERS; slot++) {
		struct x86_loc at = jit_loc(l, slot);

		if (!(l->guarded & bit_of(slot)))
			continue;
		x86_op(&l->a, X86_MOVSXD, true, RCX, at);
		x86_op(&l->a, X86_CMP, true, RCX, at);
		fails[n++] = x86_jcc_later(&l->a, X86_NE);
	}
	return n;
}
