/*
 * Handlers of pure operations, constants and floating point. Hart's thread.
 */
#include "src/engine/fp.h"
#include "src/engine/interp/bodies.h"
#include "src/engine/interp/interp_internal.h"

#define HANDLER(name)                                                                                                  \
	const struct iop *interp_##name(struct bis_hart *h, const struct iop *op)                                      \
	{                                                                                                              \
		do_##name(h, op);                                                                                      \
		return IOP_NEXT(h, op + 1);                                                                            \
	}
#define IR_UNARY(name, help) HANDLER(name)
#define IR_BINARY(name, commutes, help)                                                                                \
	HANDLER(name##_rr)                                                                                             \
	HANDLER(name##_ri)                                                                                             \
	HANDLER(name##_rr_sx)                                                                                          \
	HANDLER(name##_ri_sx)
#include <biscuit/ir.def>

HANDLER(const_s32)

const struct iop *interp_const_u32(struct bis_hart *h, const struct iop *op)
{
	h->slots[op->d] = (uint32_t)op->imm;
	return IOP_NEXT(h, op + 1);
}

const struct iop *interp_const_64(struct bis_hart *h, const struct iop *op)
{
	h->slots[op->d] = (uintptr_t)iop_pointer(op, 1, 1);
	return IOP_NEXT(h, op + 2);
}

const struct iop *interp_pcrel(struct bis_hart *h, const struct iop *op)
{
	h->slots[op->d] = (h->pc_page + (uint64_t)(int64_t)op->imm) & h->xmask;
	return IOP_NEXT(h, op + 1);
}

const struct iop *interp_and_ri_u32(struct bis_hart *h, const struct iop *op)
{
	h->slots[op->d] = h->slots[op->a] & (uint32_t)op->imm;
	return IOP_NEXT(h, op + 1);
}

const struct iop *interp_or_ri_u32(struct bis_hart *h, const struct iop *op)
{
	h->slots[op->d] = h->slots[op->a] | (uint32_t)op->imm;
	return IOP_NEXT(h, op + 1);
}

const struct iop *interp_xor_ri_u32(struct bis_hart *h, const struct iop *op)
{
	h->slots[op->d] = h->slots[op->a] ^ (uint32_t)op->imm;
	return IOP_NEXT(h, op + 1);
}

/* --- Floating point --- */

/* In a function of its own: a handler whose local's address is taken could not end in a jump. */
static __attribute__((noinline)) void run_fp(struct bis_hart *h, const struct iop *op, unsigned bits)
{
	h->slots[op->d] = engine_fp(h, (enum bis_fp_op)(op->imm & 0xff), bits, (unsigned)op->imm >> 8 & 7,
				    h->slots[op->a], h->slots[op->b], h->slots[op->imm >> 16 & 0xff]);
}

const struct iop *interp_fp32(struct bis_hart *h, const struct iop *op)
{
	run_fp(h, op, 32);
	return IOP_NEXT(h, op + 1);
}

const struct iop *interp_fp64(struct bis_hart *h, const struct iop *op)
{
	run_fp(h, op, 64);
	return IOP_NEXT(h, op + 1);
}
