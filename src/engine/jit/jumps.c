/* Lowering of jumps: exits of blocks and traces, jumps inside a trace, and values that stand for short jumps. Hart's
 * thread. */
#include "src/engine/jit/lower_internal.h"

/* What an exit does until it is linked; for ever where it leads to another page. */
static const uint8_t *write_exit(struct lowering *l, unsigned index, int64_t target)
{
	const uint8_t *here = x86_here(&l->a);

	if ((target < 0 || target >= (int64_t)BIS_PAGE_SIZE) && !l->t->trace) { /* dense rather than fast */
		x86_const(&l->a, RAX, (uint64_t)target);
		x86_jmp(&l->a, l->j->to_page);
		return here;
	}
	if (target < 0 || target >= (int64_t)BIS_PAGE_SIZE) {
		x86_op(&l->a, X86_MOV, true, RAX, JIT_MEMBER(pc_page));
		x86_group(&l->a, X86_G_ADD, l->wide, x86_in(RAX), (int32_t)target);
		jit_write_jump(&l->a, l->j);
		return here;
	}
	jit_call_noted(l, JIT_EXIT, (struct jit_note){.imm = (int32_t)target, .to = (int32_t)index}, NULL);
	return here;
}

static void bind_exit(struct lowering *l, struct x86_patch p, unsigned index, int64_t target)
{
	const uint8_t *stub = write_exit(l, index, target);
	struct bis_link *out;

	x86_retarget(p.at, l->a.exec, stub);
	out = &bis_block_exits(l->b)[index];
	*out = (struct bis_link){.site = bis_far(out, p.at), .stub = bis_far(out, stub - l->a.exec)};
}

int jit_target_inside(const struct bis_ir *t, unsigned from, int64_t target)
{
	for (unsigned i = from + 1; t->trace && i < t->insns; i++)
		if (t->offset[i] == target && !t->chosen[i])
			return (int)i;
	for (unsigned i = 0; t->loop && i <= from; i++)
		if (t->offset[i] == target && !t->chosen[i])
			return (int)i;
	return -1;
}

/* What was charged for instructions from `insn` on is given back. */
static void refund(struct lowering *l, unsigned count)
{
	if (count)
		x86_group(&l->a, X86_G_ADD, true, x86_in(JIT_BUDGET), (int32_t)count);
}

void jit_leave(struct lowering *l, unsigned insn, int64_t target)
{
	refund(l, l->t->insns - insn);
	jit_extend(l, l->now.half);
	if (l->local)
		jit_leave_local(l);
	bind_exit(l, x86_jmp_later(&l->a), l->n_exits++, target);
}

/* A jump back in the trace that the budget does not suffice for. */
static void write_exhausted(struct lowering *l, const struct jit_stub *s)
{
	unsigned done = s->node->insn + 1u;

	x86_bind(&l->a, s->from);
	refund(l, done - (unsigned)s->inside + l->t->insns - done);
	jit_extend(l, l->now.half);
	if (l->local)
		jit_leave_local(l);
	x86_const(&l->a, RAX, l->t->offset[s->inside]);
	x86_jmp(&l->a, l->j->out);
}

/* Jumps back, where the instructions from there on are charged once more. */
static void jump_back(struct lowering *l, const struct ir_node *n, int inside)
{
	struct jit_stub *s;

	if (l->halves)
		jit_extend(l, l->now.half & ~l->at[inside].half);
	x86_group(&l->a, X86_G_SUB, true, x86_in(JIT_BUDGET), (int32_t)(n->insn + 1 - inside));
	x86_jcc(&l->a, X86_GE, l->label[inside]);
	s = jit_new_stub(l, n, write_exhausted);
	s->inside = inside;
	s->from = x86_jmp_later(&l->a);
}

/* The same for a jump from behind the trace's code. */
static void write_jump_inside(struct lowering *l, const struct jit_stub *s)
{
	x86_bind(&l->a, s->from);
	refund(l, (unsigned)s->inside - (s->node->insn + 1u));
	if (l->halves)
		jit_extend(l, l->now.half & ~l->at[s->inside].half);
	x86_jmp(&l->a, l->label[s->inside]);
}

static void write_leave(struct lowering *l, const struct jit_stub *s)
{
	x86_bind(&l->a, s->from);
	jit_leave(l, s->node->insn + 1u, s->node->imm);
}

static void lower_jump_inside(struct lowering *l, const struct ir_node *n, int inside)
{
	struct jit_stub *s;

	if (inside <= n->insn) {
		jump_back(l, n, inside);
		return;
	}
	if (inside == n->insn + 1 && n + 1 < l->end && n[1].insn > n->insn)
		return;
	s = jit_new_stub(l, n, write_jump_inside);
	s->inside = inside;
	s->from = x86_jmp_later(&l->a);
}

void jit_jump(struct lowering *l, const struct ir_node *n)
{
	int inside = jit_target_inside(l->t, n->insn, n->imm);

	jit_free_acc(l);
	if (inside >= 0) {
		lower_jump_inside(l, n, inside);
		return;
	}
	if (l->local) {
		jit_leave(l, n->insn + 1u, n->imm);
		return;
	}
	bind_exit(l, x86_jmp_later(&l->a), 0, n->imm);
}

/* Like jit_read; all of it, even if it is known as a half. */
static enum x86_reg read_whole(struct lowering *l, struct bis_val v, enum x86_reg scratch)
{
	if (!jit_is_half(l, v))
		return jit_read(l, v, scratch);
	x86_op(&l->a, X86_MOVSXD, true, scratch, jit_loc(l, v.slot));
	return scratch;
}

static struct x86_loc whole_operand(struct lowering *l, struct bis_val v, enum x86_reg scratch)
{
	return jit_is_half(l, v) ? x86_in(read_whole(l, v, scratch)) : jit_operand(l, v, scratch);
}

/* Compares a and b; the condition that holds if n's does. */
static enum x86_cond compare(struct lowering *l, const struct ir_node *n);

/* A constant on the left goes to the right. */
static enum x86_cond compare_swapped(struct lowering *l, const struct ir_node *n)
{
	static const enum x86_cond conds[] = {
		[X86_E] = X86_E,   [X86_NE] = X86_NE, [X86_L] = X86_G,
		[X86_GE] = X86_LE, [X86_B] = X86_A,   [X86_AE] = X86_BE,
	};
	struct ir_node swapped = *n;

	swapped.a = n->b;
	swapped.b = n->a;
	return conds[compare(l, &swapped)];
}

static enum x86_cond compare(struct lowering *l, const struct ir_node *n)
{
	static const enum x86_cond conds[] = {[BIS_COND_EQ] = X86_E,   [BIS_COND_NE] = X86_NE, [BIS_COND_LTS] = X86_L,
					      [BIS_COND_GES] = X86_GE, [BIS_COND_LTU] = X86_B, [BIS_COND_GEU] = X86_AE};
	bool constant = n->b.kind == BIS_VAL_CONST && (jit_fits32(n->b.imm) || !l->wide);
	bool halves = jit_compares_halves(l, n), wide = l->wide && !halves;
	struct x86_loc right;
	enum x86_reg left;

	if (n->a.kind == BIS_VAL_CONST && n->b.kind == BIS_VAL_SLOT)
		return compare_swapped(l, n);
	if (constant && n->b.imm == 0 && n->a.kind == BIS_VAL_SLOT && n->op <= BIS_COND_NE &&
	    !jit_loc(l, n->a.slot).memory) {
		left = halves ? jit_read(l, n->a, RAX) : read_whole(l, n->a, RCX);
		x86_op(&l->a, X86_TEST, wide, left, x86_in(left));
	} else if (constant) {
		right = halves ? jit_operand(l, n->a, RCX) : whole_operand(l, n->a, RCX);
		x86_group(&l->a, X86_G_CMP, wide, right, (int32_t)n->b.imm);
	} else {
		left = halves ? jit_read(l, n->a, RCX) : read_whole(l, n->a, RCX);
		right = halves ? jit_operand(l, n->b, RDX) : whole_operand(l, n->b, RDX);
		x86_op(&l->a, X86_CMP, wide, left, right);
	}
	l->acc = HART_SLOTS;
	l->pending = false;
	return conds[n->op];
}

void jit_leave_if(struct lowering *l, const struct ir_node *n)
{
	enum x86_cond cond = compare(l, n);
	int inside = jit_target_inside(l->t, n->insn, n->imm);
	struct x86_patch on;
	struct jit_stub *s;

	if (inside >= 0 && inside <= n->insn) {
		on = x86_jcc_later(&l->a, (enum x86_cond)(cond ^ 1));
		jump_back(l, n, inside);
		x86_bind(&l->a, on);
		return;
	}
	s = jit_new_stub(l, n, inside < 0 ? write_leave : write_jump_inside);
	s->inside = inside;
	s->from = x86_jcc_later(&l->a, cond);
}

/* The value waits in RAX, where jumps over it would be hard to foresee. */
void jit_take(struct lowering *l, const struct ir_node *n)
{
	struct x86_asm *a = &l->a;
	struct x86_loc to = l->pin[n->d] == JIT_NO_PIN ? jit_slot_at(n->d) : x86_in(l->pin[n->d]);
	enum x86_reg reg = to.memory ? RCX : (enum x86_reg)to.reg;
	enum x86_cond cond;

	jit_free_acc_but(l, n->c);
	jit_copy(l, n->c, RAX);
	cond = compare(l, n);
	if (to.memory)
		x86_op(a, X86_MOV, true, RCX, to);
	x86_op(a, (enum x86_op)(X86_CMOV | (cond ^ 1)), true, reg, x86_in(RAX));
	if (to.memory) {
		x86_op(a, X86_MOV_TO, true, RCX, to);
		jit_float_written(l, n->d, RCX);
	}
	jit_set_boxed(l, n->d, false);
	if (!n->imm)
		return;
	x86_setcc(a, cond, RCX);
	x86_op(a, X86_MOVZX8, false, RCX, x86_in(RCX));
	if (n->imm == 1)
		x86_op(a, X86_ADD, true, JIT_BUDGET, x86_in(RCX));
	else
		for (int64_t i = n->imm; i > 0; i -= 2)
			x86_op_index(a, X86_LEA, true, JIT_BUDGET, JIT_BUDGET, RCX, i > 1, 0);
}

void jit_branch(struct lowering *l, const struct ir_node *n)
{
	enum x86_cond cond = compare(l, n);
	struct x86_patch taken, not_taken;

	taken = x86_jcc_later(&l->a, cond);
	not_taken = x86_jmp_later(&l->a);
	bind_exit(l, not_taken, 0, l->t->offset[n->insn + 1u]);
	bind_exit(l, taken, 1, n->imm);
}

void jit_jump_reg(struct lowering *l, const struct ir_node *n)
{
	jit_copy(l, n->a, RAX);
	x86_group(&l->a, X86_G_AND, true, x86_in(RAX), -2);
	jit_write_jump(&l->a, l->j);
}
