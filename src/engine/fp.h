/* Floating-point operations of the intermediate representation, exact to the flag: what engines call. Hart's thread. */
#ifndef BISCUIT_ENGINE_FP_H
#define BISCUIT_ENGINE_FP_H

#include <biscuit/ir.h>

#include "src/cpu/hart_internal.h"

/* The result as a slot holds it; flags go to the hart. Operands, `bits` and `rm` as bis_ir_fp says. */
uint64_t engine_fp(struct bis_hart *h, enum bis_fp_op op, unsigned bits, unsigned rm, uint64_t a, uint64_t b,
		   uint64_t c);

#endif
