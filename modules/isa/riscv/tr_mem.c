/*
 * Translators of loads, stores, atomics and fences (unprivileged specification, sections 2.6 and 2.7, chapters 4, 8 and
 * "Zifencei"). Called on a hart's thread; no state.
 */
#include <biscuit/hart.h>

#include "translate.h"

static void load(struct bis_ir *t, const struct bis_insn *i, enum bis_mem_kind kind)
{
	bis_ir_load(t, kind, bis_rv_xd(i->rd), bis_rv_x(i->rs1), i->imm);
}

/* A load that sign-extends; on rv32 the extension is cut to the register's width. */
static void load_signed(struct bis_ir *t, const struct bis_insn *i, enum bis_mem_kind kind)
{
	struct bis_val wide = bis_ir_temp(t);

	if (!rv_is_32(t) || i->rd == 0) {
		load(t, i, kind);
		return;
	}
	bis_ir_load(t, kind, wide.slot, bis_rv_x(i->rs1), i->imm);
	bis_ir_op1(t, BIS_IR_zext32, i->rd, wide);
}

void bis_rv_lb(struct bis_ir *t, const struct bis_insn *i)
{
	load_signed(t, i, BIS_MEM_S8);
}

void bis_rv_lh(struct bis_ir *t, const struct bis_insn *i)
{
	load_signed(t, i, BIS_MEM_S16);
}

void bis_rv_lw(struct bis_ir *t, const struct bis_insn *i)
{
	load(t, i, rv_is_32(t) ? BIS_MEM_U32 : BIS_MEM_S32);
}

void bis_rv_ld(struct bis_ir *t, const struct bis_insn *i)
{
	load(t, i, BIS_MEM_64);
}

void bis_rv_lbu(struct bis_ir *t, const struct bis_insn *i)
{
	load(t, i, BIS_MEM_U8);
}

void bis_rv_lhu(struct bis_ir *t, const struct bis_insn *i)
{
	load(t, i, BIS_MEM_U16);
}

void bis_rv_lwu(struct bis_ir *t, const struct bis_insn *i)
{
	load(t, i, BIS_MEM_U32);
}

static void store(struct bis_ir *t, const struct bis_insn *i, enum bis_mem_kind kind)
{
	bis_ir_store(t, kind, bis_rv_x(i->rs1), i->imm, bis_rv_x(i->rs2));
}

void bis_rv_sb(struct bis_ir *t, const struct bis_insn *i)
{
	store(t, i, BIS_MEM_U8);
}

void bis_rv_sh(struct bis_ir *t, const struct bis_insn *i)
{
	store(t, i, BIS_MEM_U16);
}

void bis_rv_sw(struct bis_ir *t, const struct bis_insn *i)
{
	store(t, i, BIS_MEM_U32);
}

void bis_rv_sd(struct bis_ir *t, const struct bis_insn *i)
{
	store(t, i, BIS_MEM_64);
}

void bis_rv_lr_w(struct bis_ir *t, const struct bis_insn *i)
{
	bis_ir_lr(t, 32, bis_rv_xd(i->rd), bis_rv_x(i->rs1));
}

void bis_rv_lr_d(struct bis_ir *t, const struct bis_insn *i)
{
	bis_ir_lr(t, 64, bis_rv_xd(i->rd), bis_rv_x(i->rs1));
}

void bis_rv_sc_w(struct bis_ir *t, const struct bis_insn *i)
{
	bis_ir_sc(t, 32, bis_rv_xd(i->rd), bis_rv_x(i->rs1), bis_rv_x(i->rs2));
}

void bis_rv_sc_d(struct bis_ir *t, const struct bis_insn *i)
{
	bis_ir_sc(t, 64, bis_rv_xd(i->rd), bis_rv_x(i->rs1), bis_rv_x(i->rs2));
}

#define AMO(name, op)                                                                                                  \
	void bis_rv_##name##_w(struct bis_ir *t, const struct bis_insn *i)                                             \
	{                                                                                                              \
		bis_ir_amo(t, op, 32, bis_rv_xd(i->rd), bis_rv_x(i->rs1), bis_rv_x(i->rs2));                           \
	}                                                                                                              \
	void bis_rv_##name##_d(struct bis_ir *t, const struct bis_insn *i)                                             \
	{                                                                                                              \
		bis_ir_amo(t, op, 64, bis_rv_xd(i->rd), bis_rv_x(i->rs1), bis_rv_x(i->rs2));                           \
	}

AMO(amoswap, BIS_AMO_SWAP)
AMO(amoadd, BIS_AMO_ADD)
AMO(amoxor, BIS_AMO_XOR)
AMO(amoand, BIS_AMO_AND)
AMO(amoor, BIS_AMO_OR)
AMO(amomin, BIS_AMO_MIN)
AMO(amomax, BIS_AMO_MAX)
AMO(amominu, BIS_AMO_MINU)
AMO(amomaxu, BIS_AMO_MAXU)

enum { FENCE_READS = 0x0a, FENCE_WRITES = 0x05 }; /* of a set: of memory and of devices */

/* Full if it orders writes before reads; one with an empty set orders nothing (a hint). */
void bis_rv_fence(struct bis_ir *t, const struct bis_insn *i)
{
	unsigned before = i->rm >> 4 & 15, after = i->rm & 15;

	if (before && after)
		bis_ir_fence(t, (before & FENCE_WRITES) && (after & FENCE_READS));
}

void bis_rv_fence_tso(struct bis_ir *t, const struct bis_insn *i)
{
	(void)i;
	bis_ir_fence(t, false);
}

/* A hint: nothing to do. */
void bis_rv_pause(struct bis_ir *t, const struct bis_insn *i)
{
	(void)t;
	(void)i;
}

static uint64_t fence_i(struct bis_hart *h, uint64_t a, uint64_t b, uint64_t imm)
{
	(void)a;
	(void)b;
	(void)imm;
	bis_hart_fence_i(h);
	return 0;
}

void bis_rv_fence_i(struct bis_ir *t, const struct bis_insn *i)
{
	static const struct bis_helper helper = {"fence.i", fence_i, BIS_CALL_ENDS};

	(void)i;
	bis_ir_call(t, &helper, BIS_DISCARD, bis_const(0), bis_const(0), 0);
}
