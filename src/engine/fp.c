/* The floating-point operations of the intermediate representation; see fp.h. */
#include "fp.h"

#include <biscuit/float.h>

#define BOX    UINT64_C(0xffffffff00000000)
#define NAN32  UINT64_C(0x7fc00000)
#define SIGN32 UINT64_C(0x80000000)
#define SIGN64 (UINT64_C(1) << 63)

static uint64_t unbox(uint64_t v)
{
	return (v & BOX) == BOX ? v & ~BOX : NAN32;
}

/* An integer result of `bits` bits as a register of the hart holds it. */
static uint64_t int_result(const struct bis_hart *h, uint64_t v, unsigned bits)
{
	return (bits == 32 ? (uint64_t)(int64_t)(int32_t)v : v) & h->xmask;
}

static uint64_t fp32(struct bis_hart *h, enum bis_fp_op op, struct bis_fp_env *env, uint64_t ra, uint64_t rb,
		     uint64_t rc)
{
	uint64_t a = unbox(ra), b = unbox(rb), c = unbox(rc);

	switch (op) {
	case BIS_FP_ADD:
		return bis_f32_add(env, a, b) | BOX;
	case BIS_FP_SUB:
		return bis_f32_sub(env, a, b) | BOX;
	case BIS_FP_MUL:
		return bis_f32_mul(env, a, b) | BOX;
	case BIS_FP_DIV:
		return bis_f32_div(env, a, b) | BOX;
	case BIS_FP_SQRT:
		return bis_f32_sqrt(env, a) | BOX;
	case BIS_FP_MIN:
		return bis_f32_min(env, a, b) | BOX;
	case BIS_FP_MAX:
		return bis_f32_max(env, a, b) | BOX;
	case BIS_FP_MADD:
		return bis_f32_fma(env, a, b, c) | BOX;
	case BIS_FP_MSUB:
		return bis_f32_fma(env, a, b, c ^ SIGN32) | BOX;
	case BIS_FP_NMSUB:
		return bis_f32_fma(env, a ^ SIGN32, b, c) | BOX;
	case BIS_FP_NMADD:
		return bis_f32_fma(env, a ^ SIGN32, b, c ^ SIGN32) | BOX;
	case BIS_FP_EQ:
		return bis_f32_eq(env, a, b);
	case BIS_FP_LT:
		return bis_f32_lt(env, a, b);
	case BIS_FP_LE:
		return bis_f32_le(env, a, b);
	case BIS_FP_SGNJ:
		return (a & ~SIGN32) | (b & SIGN32) | BOX;
	case BIS_FP_SGNJN:
		return (a & ~SIGN32) | (~b & SIGN32) | BOX;
	case BIS_FP_SGNJX:
		return (a ^ (b & SIGN32)) | BOX;
	case BIS_FP_CLASS:
		return bis_f32_classify(a);
	case BIS_FP_TO_S32:
		return int_result(h, bis_f32_to_i32(env, a), 32);
	case BIS_FP_TO_U32:
		return int_result(h, bis_f32_to_u32(env, a), 32);
	case BIS_FP_TO_S64:
		return bis_f32_to_i64(env, a);
	case BIS_FP_TO_U64:
		return bis_f32_to_u64(env, a);
	case BIS_FP_FROM_S32:
		return bis_f32_from_i32(env, ra) | BOX;
	case BIS_FP_FROM_U32:
		return bis_f32_from_u32(env, ra) | BOX;
	case BIS_FP_FROM_S64:
		return bis_f32_from_i64(env, ra) | BOX;
	case BIS_FP_FROM_U64:
		return bis_f32_from_u64(env, ra) | BOX;
	case BIS_FP_TO_F64:
		return bis_f32_to_f64(env, a);
	case BIS_FP_TO_F32:
		break;
	}
	return ra;
}

static uint64_t fp64(struct bis_hart *h, enum bis_fp_op op, struct bis_fp_env *env, uint64_t a, uint64_t b, uint64_t c)
{
	switch (op) {
	case BIS_FP_ADD:
		return bis_f64_add(env, a, b);
	case BIS_FP_SUB:
		return bis_f64_sub(env, a, b);
	case BIS_FP_MUL:
		return bis_f64_mul(env, a, b);
	case BIS_FP_DIV:
		return bis_f64_div(env, a, b);
	case BIS_FP_SQRT:
		return bis_f64_sqrt(env, a);
	case BIS_FP_MIN:
		return bis_f64_min(env, a, b);
	case BIS_FP_MAX:
		return bis_f64_max(env, a, b);
	case BIS_FP_MADD:
		return bis_f64_fma(env, a, b, c);
	case BIS_FP_MSUB:
		return bis_f64_fma(env, a, b, c ^ SIGN64);
	case BIS_FP_NMSUB:
		return bis_f64_fma(env, a ^ SIGN64, b, c);
	case BIS_FP_NMADD:
		return bis_f64_fma(env, a ^ SIGN64, b, c ^ SIGN64);
	case BIS_FP_EQ:
		return bis_f64_eq(env, a, b);
	case BIS_FP_LT:
		return bis_f64_lt(env, a, b);
	case BIS_FP_LE:
		return bis_f64_le(env, a, b);
	case BIS_FP_SGNJ:
		return (a & ~SIGN64) | (b & SIGN64);
	case BIS_FP_SGNJN:
		return (a & ~SIGN64) | (~b & SIGN64);
	case BIS_FP_SGNJX:
		return a ^ (b & SIGN64);
	case BIS_FP_CLASS:
		return bis_f64_classify(a);
	case BIS_FP_TO_S32:
		return int_result(h, bis_f64_to_i32(env, a), 32);
	case BIS_FP_TO_U32:
		return int_result(h, bis_f64_to_u32(env, a), 32);
	case BIS_FP_TO_S64:
		return bis_f64_to_i64(env, a);
	case BIS_FP_TO_U64:
		return bis_f64_to_u64(env, a);
	case BIS_FP_FROM_S32:
		return bis_f64_from_i32(env, a);
	case BIS_FP_FROM_U32:
		return bis_f64_from_u32(env, a);
	case BIS_FP_FROM_S64:
		return bis_f64_from_i64(env, a);
	case BIS_FP_FROM_U64:
		return bis_f64_from_u64(env, a);
	case BIS_FP_TO_F32:
		return bis_f64_to_f32(env, a) | BOX;
	case BIS_FP_TO_F64:
		break;
	}
	return a;
}

uint64_t engine_fp(struct bis_hart *h, enum bis_fp_op op, unsigned bits, unsigned rm, uint64_t a, uint64_t b,
		   uint64_t c)
{
	struct bis_fp_env env = {.rm = (uint8_t)rm, .flags = h->fp.flags};
	uint64_t result = bits == 32 ? fp32(h, op, &env, a, b, c) : fp64(h, op, &env, a, b, c);

	h->fp.flags = env.flags;
	return result;
}
