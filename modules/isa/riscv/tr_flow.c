/*
 * Translators of jumps and branches (unprivileged specification, section 2.5). A target that is not a multiple of four
 * is an error only on harts without compressed instructions; the exception is then the jump's own. Called on a hart's
 * thread; no state.
 */
#include <biscuit/hart.h>

#include "translate.h"

enum { X_RA = 1, X_T0 = 5 };

/* Registers that hold return addresses by convention (section 2.5.1, return-address stack hints). */
static bool is_link(unsigned reg)
{
	return reg == X_RA || reg == X_T0;
}

static bool may_misalign(const struct bis_ir *t, const struct bis_insn *i)
{
	return i->row->len == 4 && bis_ir_ialign(t) == 4;
}

void bis_rv_jal(struct bis_ir *t, const struct bis_insn *i)
{
	if ((i->imm & 2) && may_misalign(t, i)) {
		bis_ir_trap(t, BIS_CAUSE_FETCH_MISALIGNED, bis_ir_pc(t, i->imm));
		return;
	}
	bis_ir_op1(t, BIS_IR_mov, bis_rv_xd(i->rd), bis_ir_pc(t, i->row->len));
	bis_ir_jump(t, i->imm);
}

static uint64_t check_target(struct bis_hart *h, uint64_t target, uint64_t b, uint64_t imm)
{
	(void)b;
	(void)imm;
	if (target & 2)
		bis_hart_raise(h, BIS_CAUSE_FETCH_MISALIGNED, target & ~UINT64_C(1));
	return 0;
}

void bis_rv_jalr(struct bis_ir *t, const struct bis_insn *i)
{
	static const struct bis_helper check = {"check_target", check_target, BIS_CALL_TRAPS};
	struct bis_val target = bis_rv_x(i->rs1);
	enum bis_jump_hint hint = BIS_JUMP_PLAIN;

	if (is_link(i->rd))
		hint = BIS_JUMP_CALL;
	else if (is_link(i->rs1))
		hint = BIS_JUMP_RETURN;
	if (i->imm != 0 || (i->rd != 0 && i->rd == i->rs1)) {
		target = bis_ir_temp(t);
		bis_ir_op2(t, rv_is_32(t) ? BIS_IR_add32 : BIS_IR_add, target.slot, bis_rv_x(i->rs1),
			   rv_const(t, i->imm));
	}
	if (may_misalign(t, i))
		bis_ir_call(t, &check, BIS_DISCARD, target, bis_const(0), 0);
	bis_ir_op1(t, BIS_IR_mov, bis_rv_xd(i->rd), bis_ir_pc(t, i->row->len));
	bis_ir_jump_reg(t, target, hint);
}

/* Raises the exception of a branch to `target` that is taken; `imm` is the value of `compared` with which it is. */
static uint64_t check_branch(struct bis_hart *h, uint64_t compared, uint64_t target, uint64_t imm)
{
	if (compared == imm)
		bis_hart_raise(h, BIS_CAUSE_FETCH_MISALIGNED, target);
	return 0;
}

/* A branch whose target is misaligned: traps if taken, goes on behind if not. */
static void branch_misaligned(struct bis_ir *t, const struct bis_insn *i, enum bis_cond cond)
{
	static const struct bis_helper check = {"check_branch", check_branch, BIS_CALL_TRAPS};
	static const struct {
		enum bis_ir_op op64, op32;
		uint32_t taken;
	} compare[] = {
		[BIS_COND_EQ] = {BIS_IR_seteq, BIS_IR_seteq, 1},
		[BIS_COND_NE] = {BIS_IR_seteq, BIS_IR_seteq, 0},
		[BIS_COND_LTS] = {BIS_IR_setlts, BIS_IR_setlts32, 1},
		[BIS_COND_GES] = {BIS_IR_setlts, BIS_IR_setlts32, 0},
		[BIS_COND_LTU] = {BIS_IR_setltu, BIS_IR_setltu, 1},
		[BIS_COND_GEU] = {BIS_IR_setltu, BIS_IR_setltu, 0},
	};
	struct bis_val compared = bis_ir_temp(t);

	bis_ir_op2(t, rv_is_32(t) ? compare[cond].op32 : compare[cond].op64, compared.slot, bis_rv_x(i->rs1),
		   bis_rv_x(i->rs2));
	bis_ir_call(t, &check, BIS_DISCARD, compared, bis_ir_pc(t, i->imm), compare[cond].taken);
}

static void branch(struct bis_ir *t, const struct bis_insn *i, enum bis_cond cond)
{
	if ((i->imm & 2) && may_misalign(t, i))
		branch_misaligned(t, i, cond);
	else
		bis_ir_branch(t, cond, bis_rv_x(i->rs1), bis_rv_x(i->rs2), i->imm);
}

void bis_rv_beq(struct bis_ir *t, const struct bis_insn *i)
{
	branch(t, i, BIS_COND_EQ);
}

void bis_rv_bne(struct bis_ir *t, const struct bis_insn *i)
{
	branch(t, i, BIS_COND_NE);
}

void bis_rv_blt(struct bis_ir *t, const struct bis_insn *i)
{
	branch(t, i, BIS_COND_LTS);
}

void bis_rv_bge(struct bis_ir *t, const struct bis_insn *i)
{
	branch(t, i, BIS_COND_GES);
}

void bis_rv_bltu(struct bis_ir *t, const struct bis_insn *i)
{
	branch(t, i, BIS_COND_LTU);
}

void bis_rv_bgeu(struct bis_ir *t, const struct bis_insn *i)
{
	branch(t, i, BIS_COND_GEU);
}
