/*
 * Translators of the floating-point instructions: F and D (unprivileged specification, chapters 11 and 12). They are
 * illegal while mstatus.FS is off, and the first that changes floating-point state makes it dirty. Called on a hart's
 * thread; no state.
 */
#include <biscuit/hart.h>

#include "translate.h"

enum { FS_OFF = 0, FS_DIRTY = 3, RM_RNE = 0, RM_LAST = 4, RM_DYNAMIC = 7 };

static const struct bis_val unused = {.kind = BIS_VAL_CONST};

/* May the instruction run at all? If not, the illegal-instruction exception is in place. */
static bool enabled(struct bis_ir *t, const struct bis_insn *i)
{
	if (bis_ir_fs(t) != FS_OFF)
		return true;
	bis_rv_trap_illegal(t, i->raw);
	return false;
}

/* As enabled(), and *rm is the rounding mode that applies, which must be a valid one. */
static bool enabled_with_mode(struct bis_ir *t, const struct bis_insn *i, unsigned *rm)
{
	*rm = i->rm == RM_DYNAMIC ? bis_ir_frm(t) : i->rm;
	if (bis_ir_fs(t) != FS_OFF && *rm <= RM_LAST)
		return true;
	bis_rv_trap_illegal(t, i->raw);
	return false;
}

static uint64_t fs_dirty(struct bis_hart *h, uint64_t a, uint64_t b, uint64_t imm)
{
	(void)a;
	(void)b;
	(void)imm;
	bis_hart_fs_dirty(h);
	return 0;
}

/*
 * Last of an instruction that changes floating-point state. Where FS was not dirty yet the block ends, so that what
 * follows is translated for a dirty FS and needs no such call.
 */
static void changed(struct bis_ir *t)
{
	static const struct bis_helper helper = {"fs_dirty", fs_dirty, BIS_CALL_ENDS};

	if (bis_ir_fs(t) != FS_DIRTY)
		bis_ir_call(t, &helper, BIS_DISCARD, unused, unused, 0);
}

/* --- Loads and stores --- */

static void load(struct bis_ir *t, const struct bis_insn *i, enum bis_mem_kind kind)
{
	if (!enabled(t, i))
		return;
	bis_ir_load(t, kind, BIS_RV_SLOT_F + i->rd, bis_rv_x(i->rs1), i->imm);
	changed(t);
}

static void store(struct bis_ir *t, const struct bis_insn *i, enum bis_mem_kind kind)
{
	if (enabled(t, i))
		bis_ir_store(t, kind, bis_rv_x(i->rs1), i->imm, bis_rv_f(i->rs2));
}

void bis_rv_flw(struct bis_ir *t, const struct bis_insn *i)
{
	load(t, i, BIS_MEM_BOXED32);
}

void bis_rv_fld(struct bis_ir *t, const struct bis_insn *i)
{
	load(t, i, BIS_MEM_64);
}

void bis_rv_fsw(struct bis_ir *t, const struct bis_insn *i)
{
	store(t, i, BIS_MEM_U32);
}

void bis_rv_fsd(struct bis_ir *t, const struct bis_insn *i)
{
	store(t, i, BIS_MEM_64);
}

/* --- Arithmetic: f registers in and out, with a rounding mode --- */

static void arith(struct bis_ir *t, const struct bis_insn *i, enum bis_fp_op op, unsigned bits, struct bis_val b,
		  struct bis_val c)
{
	unsigned rm;

	if (!enabled_with_mode(t, i, &rm))
		return;
	bis_ir_fp(t, op, bits, rm, BIS_RV_SLOT_F + i->rd, bis_rv_f(i->rs1), b, c);
	changed(t);
}

#define ARITH3(name, op)                                                                                               \
	void bis_rv_##name##_s(struct bis_ir *t, const struct bis_insn *i)                                             \
	{                                                                                                              \
		arith(t, i, op, 32, bis_rv_f(i->rs2), bis_rv_f(i->rs3));                                               \
	}                                                                                                              \
	void bis_rv_##name##_d(struct bis_ir *t, const struct bis_insn *i)                                             \
	{                                                                                                              \
		arith(t, i, op, 64, bis_rv_f(i->rs2), bis_rv_f(i->rs3));                                               \
	}
#define ARITH2(name, op)                                                                                               \
	void bis_rv_##name##_s(struct bis_ir *t, const struct bis_insn *i)                                             \
	{                                                                                                              \
		arith(t, i, op, 32, bis_rv_f(i->rs2), unused);                                                         \
	}                                                                                                              \
	void bis_rv_##name##_d(struct bis_ir *t, const struct bis_insn *i)                                             \
	{                                                                                                              \
		arith(t, i, op, 64, bis_rv_f(i->rs2), unused);                                                         \
	}

ARITH3(fmadd, BIS_FP_MADD)
ARITH3(fmsub, BIS_FP_MSUB)
ARITH3(fnmsub, BIS_FP_NMSUB)
ARITH3(fnmadd, BIS_FP_NMADD)
ARITH2(fadd, BIS_FP_ADD)
ARITH2(fsub, BIS_FP_SUB)
ARITH2(fmul, BIS_FP_MUL)
ARITH2(fdiv, BIS_FP_DIV)

void bis_rv_fsqrt_s(struct bis_ir *t, const struct bis_insn *i)
{
	arith(t, i, BIS_FP_SQRT, 32, unused, unused);
}

void bis_rv_fsqrt_d(struct bis_ir *t, const struct bis_insn *i)
{
	arith(t, i, BIS_FP_SQRT, 64, unused, unused);
}

void bis_rv_fcvt_s_d(struct bis_ir *t, const struct bis_insn *i)
{
	arith(t, i, BIS_FP_TO_F32, 64, unused, unused);
}

void bis_rv_fcvt_d_s(struct bis_ir *t, const struct bis_insn *i)
{
	arith(t, i, BIS_FP_TO_F64, 32, unused, unused);
}

/* --- Sign injection, minimum and maximum: no rounding --- */

static void select_two(struct bis_ir *t, const struct bis_insn *i, enum bis_fp_op op, unsigned bits)
{
	if (!enabled(t, i))
		return;
	bis_ir_fp(t, op, bits, RM_RNE, BIS_RV_SLOT_F + i->rd, bis_rv_f(i->rs1), bis_rv_f(i->rs2), unused);
	changed(t);
}

/* A double's own sign injected is a move, a negation or an absolute value: an integer operation on the slot. */
static void sign_double(struct bis_ir *t, const struct bis_insn *i, enum bis_fp_op op, enum bis_ir_op pure,
			int64_t mask)
{
	if (i->rs1 != i->rs2) {
		select_two(t, i, op, 64);
		return;
	}
	if (!enabled(t, i))
		return;
	bis_ir_op2(t, pure, BIS_RV_SLOT_F + i->rd, bis_rv_f(i->rs1), bis_const(mask));
	changed(t);
}

void bis_rv_fsgnj_d(struct bis_ir *t, const struct bis_insn *i)
{
	sign_double(t, i, BIS_FP_SGNJ, BIS_IR_or, 0);
}

void bis_rv_fsgnjn_d(struct bis_ir *t, const struct bis_insn *i)
{
	sign_double(t, i, BIS_FP_SGNJN, BIS_IR_xor, INT64_MIN);
}

void bis_rv_fsgnjx_d(struct bis_ir *t, const struct bis_insn *i)
{
	sign_double(t, i, BIS_FP_SGNJX, BIS_IR_and, INT64_MAX);
}

void bis_rv_fsgnj_s(struct bis_ir *t, const struct bis_insn *i)
{
	select_two(t, i, BIS_FP_SGNJ, 32);
}

void bis_rv_fsgnjn_s(struct bis_ir *t, const struct bis_insn *i)
{
	select_two(t, i, BIS_FP_SGNJN, 32);
}

void bis_rv_fsgnjx_s(struct bis_ir *t, const struct bis_insn *i)
{
	select_two(t, i, BIS_FP_SGNJX, 32);
}

void bis_rv_fmin_s(struct bis_ir *t, const struct bis_insn *i)
{
	select_two(t, i, BIS_FP_MIN, 32);
}

void bis_rv_fmin_d(struct bis_ir *t, const struct bis_insn *i)
{
	select_two(t, i, BIS_FP_MIN, 64);
}

void bis_rv_fmax_s(struct bis_ir *t, const struct bis_insn *i)
{
	select_two(t, i, BIS_FP_MAX, 32);
}

void bis_rv_fmax_d(struct bis_ir *t, const struct bis_insn *i)
{
	select_two(t, i, BIS_FP_MAX, 64);
}

/* --- Results in x registers. Flags are set even where the result is for x0. --- */

static void compare(struct bis_ir *t, const struct bis_insn *i, enum bis_fp_op op, unsigned bits)
{
	if (!enabled(t, i))
		return;
	bis_ir_fp(t, op, bits, RM_RNE, bis_rv_xd(i->rd), bis_rv_f(i->rs1), bis_rv_f(i->rs2), unused);
	changed(t);
}

static void to_int(struct bis_ir *t, const struct bis_insn *i, enum bis_fp_op op, unsigned bits)
{
	unsigned rm;

	if (!enabled_with_mode(t, i, &rm))
		return;
	bis_ir_fp(t, op, bits, rm, bis_rv_xd(i->rd), bis_rv_f(i->rs1), unused, unused);
	changed(t);
}

static void classify(struct bis_ir *t, const struct bis_insn *i, unsigned bits)
{
	if (enabled(t, i))
		bis_ir_fp(t, BIS_FP_CLASS, bits, RM_RNE, bis_rv_xd(i->rd), bis_rv_f(i->rs1), unused, unused);
}

static void from_int(struct bis_ir *t, const struct bis_insn *i, enum bis_fp_op op, unsigned bits)
{
	unsigned rm;

	if (!enabled_with_mode(t, i, &rm))
		return;
	bis_ir_fp(t, op, bits, rm, BIS_RV_SLOT_F + i->rd, bis_rv_x(i->rs1), unused, unused);
	changed(t);
}

#define CONVERT(name, from_or_to, op, bits)                                                                            \
	void bis_rv_##name(struct bis_ir *t, const struct bis_insn *i)                                                 \
	{                                                                                                              \
		from_or_to(t, i, op, bits);                                                                            \
	}

CONVERT(feq_s, compare, BIS_FP_EQ, 32)
CONVERT(flt_s, compare, BIS_FP_LT, 32)
CONVERT(fle_s, compare, BIS_FP_LE, 32)
CONVERT(feq_d, compare, BIS_FP_EQ, 64)
CONVERT(flt_d, compare, BIS_FP_LT, 64)
CONVERT(fle_d, compare, BIS_FP_LE, 64)
CONVERT(fcvt_w_s, to_int, BIS_FP_TO_S32, 32)
CONVERT(fcvt_wu_s, to_int, BIS_FP_TO_U32, 32)
CONVERT(fcvt_l_s, to_int, BIS_FP_TO_S64, 32)
CONVERT(fcvt_lu_s, to_int, BIS_FP_TO_U64, 32)
CONVERT(fcvt_w_d, to_int, BIS_FP_TO_S32, 64)
CONVERT(fcvt_wu_d, to_int, BIS_FP_TO_U32, 64)
CONVERT(fcvt_l_d, to_int, BIS_FP_TO_S64, 64)
CONVERT(fcvt_lu_d, to_int, BIS_FP_TO_U64, 64)
CONVERT(fcvt_s_w, from_int, BIS_FP_FROM_S32, 32)
CONVERT(fcvt_s_wu, from_int, BIS_FP_FROM_U32, 32)
CONVERT(fcvt_s_l, from_int, BIS_FP_FROM_S64, 32)
CONVERT(fcvt_s_lu, from_int, BIS_FP_FROM_U64, 32)
CONVERT(fcvt_d_w, from_int, BIS_FP_FROM_S32, 64)
CONVERT(fcvt_d_wu, from_int, BIS_FP_FROM_U32, 64)
CONVERT(fcvt_d_l, from_int, BIS_FP_FROM_S64, 64)
CONVERT(fcvt_d_lu, from_int, BIS_FP_FROM_U64, 64)

void bis_rv_fclass_s(struct bis_ir *t, const struct bis_insn *i)
{
	classify(t, i, 32);
}

void bis_rv_fclass_d(struct bis_ir *t, const struct bis_insn *i)
{
	classify(t, i, 64);
}

/* --- Moves of bits between the register files --- */

void bis_rv_fmv_x_w(struct bis_ir *t, const struct bis_insn *i)
{
	if (enabled(t, i))
		bis_ir_op1(t, rv_is_32(t) ? BIS_IR_zext32 : BIS_IR_sext32, bis_rv_xd(i->rd), bis_rv_f(i->rs1));
}

void bis_rv_fmv_x_d(struct bis_ir *t, const struct bis_insn *i)
{
	if (enabled(t, i))
		bis_ir_op1(t, BIS_IR_mov, bis_rv_xd(i->rd), bis_rv_f(i->rs1));
}

/* Ones in the upper half are the NaN box. */
void bis_rv_fmv_w_x(struct bis_ir *t, const struct bis_insn *i)
{
	if (!enabled(t, i))
		return;
	bis_ir_op2(t, BIS_IR_or, BIS_RV_SLOT_F + i->rd, bis_rv_x(i->rs1), bis_const(-(INT64_C(1) << 32)));
	changed(t);
}

void bis_rv_fmv_d_x(struct bis_ir *t, const struct bis_insn *i)
{
	if (!enabled(t, i))
		return;
	bis_ir_op1(t, BIS_IR_mov, BIS_RV_SLOT_F + i->rd, bis_rv_x(i->rs1));
	changed(t);
}
