/*
 * What the interpreter's simple operations do, as inline functions from which single and fused handlers are made:
 * do_NAME(h, op) returns false if the slow path is needed, and has then changed nothing; end_NAME(h, op) ends a block
 * and returns where to go on.
 */
#ifndef BISCUIT_ENGINE_INTERP_BODIES_H
#define BISCUIT_ENGINE_INTERP_BODIES_H

#include "src/engine/interp/interp_internal.h"
#include "src/translate/ir_eval.h"

#define IOP_PAGE_MASK (~(uint64_t)(BIS_PAGE_SIZE - 1))
#define IOP_IMM(op)   ((uint64_t)(int64_t)(op)->imm)

/* --- Pure operations --- */

#define IR_BODY(name, expr)                                                                                            \
	static inline bool do_##name(struct bis_hart *h, const struct iop *op)                                         \
	{                                                                                                              \
		h->slots[op->d] = (expr);                                                                              \
		return true;                                                                                           \
	}
#define IR_UNARY(name, help) IR_BODY(name, ir_##name(h->slots[op->a], 0))
#define IR_BINARY(name, commutes, help)                                                                                \
	IR_BODY(name##_rr, ir_##name(h->slots[op->a], h->slots[op->b]))                                                \
	IR_BODY(name##_ri, ir_##name(h->slots[op->a], IOP_IMM(op)))                                                    \
	IR_BODY(name##_rr_sx, ir_sext32(ir_##name(h->slots[op->a], h->slots[op->b]), 0))                               \
	IR_BODY(name##_ri_sx, ir_sext32(ir_##name(h->slots[op->a], IOP_IMM(op)), 0))
#include <biscuit/ir.def>
IR_BODY(const_s32, IOP_IMM(op))

/* --- Loads and stores: one TLB probe --- */

static inline struct bis_tlb_entry *probe(struct bis_hart *h, uint64_t va)
{
	return &h->dtlb[bis_tlb_index(va)];
}

static inline uint64_t address64(const struct bis_hart *h, const struct iop *op)
{
	return h->slots[op->a] + IOP_IMM(op);
}

static inline uint64_t address32(const struct bis_hart *h, const struct iop *op)
{
	return (uint32_t)(h->slots[op->a] + IOP_IMM(op));
}

#define AS_U8(v)      ((uint64_t)(v))
#define AS_S8(v)      ((uint64_t)(int64_t)(int8_t)(v))
#define AS_U16(v)     ((uint64_t)(v))
#define AS_S16(v)     ((uint64_t)(int64_t)(int16_t)(v))
#define AS_U32(v)     ((uint64_t)(v))
#define AS_S32(v)     ((uint64_t)(int64_t)(int32_t)(v))
#define AS_64(v)      ((uint64_t)(v))
#define AS_BOXED32(v) ((uint64_t)(v) | UINT64_C(0xffffffff00000000))

#define LOAD_BODY(kind, bits, width)                                                                                   \
	static inline bool do_load_##kind##_##width(struct bis_hart *h, const struct iop *op)                          \
	{                                                                                                              \
		uint64_t va = address##width(h, op);                                                                   \
		const struct bis_tlb_entry *e = probe(h, va);                                                          \
                                                                                                                       \
		if (BIS_UNLIKELY(((va + (bits) / 8 - 1) & IOP_PAGE_MASK) != e->rtag))                                  \
			return false;                                                                                  \
		h->slots[op->d] = AS_##kind(guest_load##bits((const uint8_t *)(e->addend + va)));                      \
		return true;                                                                                           \
	}
#define STORE_BODY(bits, width)                                                                                        \
	static inline bool do_store##bits##_##width(struct bis_hart *h, const struct iop *op)                          \
	{                                                                                                              \
		uint64_t va = address##width(h, op);                                                                   \
		const struct bis_tlb_entry *e = probe(h, va);                                                          \
                                                                                                                       \
		if (BIS_UNLIKELY(((va + (bits) / 8 - 1) & IOP_PAGE_MASK) != e->wtag))                                  \
			return false;                                                                                  \
		guest_store##bits((uint8_t *)(e->addend + va), (uint##bits##_t)h->slots[op->b]);                       \
		return true;                                                                                           \
	}
#define LOAD_BODIES(kind, bits) LOAD_BODY(kind, bits, 64) LOAD_BODY(kind, bits, 32)
#define STORE_BODIES(bits)	STORE_BODY(bits, 64) STORE_BODY(bits, 32)

LOAD_BODIES(U8, 8)
LOAD_BODIES(S8, 8)
LOAD_BODIES(U16, 16)
LOAD_BODIES(S16, 16)
LOAD_BODIES(U32, 32)
LOAD_BODIES(S32, 32)
LOAD_BODIES(64, 64)
LOAD_BODIES(BOXED32, 32)
STORE_BODIES(8)
STORE_BODIES(16)
STORE_BODIES(32)
STORE_BODIES(64)

/* --- Branches --- */

/* Keeps the two ways apart, so that the host predicts the guest's branch instead of waiting for its operands. */
#define IOP_PREDICTED(head) __asm__ volatile("" : "+r"(head))

#define AS_W64(v)	  (v)
#define AS_W32(v)	  ((uint32_t)(v))
#define SIGNED_W64(v)	  ((int64_t)(v))
#define SIGNED_W32(v)	  ((int32_t)(uint32_t)(v))
#define RIGHT_rr(h, op)	  ((h)->slots[(op)->b])
#define RIGHT_ri(h, op)	  IOP_IMM(op)
#define COND_eq(w, a, b)  (AS_W##w(a) == AS_W##w(b))
#define COND_ne(w, a, b)  (AS_W##w(a) != AS_W##w(b))
#define COND_lts(w, a, b) (SIGNED_W##w(a) < SIGNED_W##w(b))
#define COND_ges(w, a, b) (SIGNED_W##w(a) >= SIGNED_W##w(b))
#define COND_ltu(w, a, b) (AS_W##w(a) < AS_W##w(b))
#define COND_geu(w, a, b) (AS_W##w(a) >= AS_W##w(b))

/* ROW(condition, width, right operand) for every form of branch. */
#define INTERP_BRANCH_FORMS(ROW, name) ROW(name, 64, rr) ROW(name, 64, ri) ROW(name, 32, rr) ROW(name, 32, ri)
#define INTERP_BRANCHES(ROW)                                                                                           \
	INTERP_BRANCH_FORMS(ROW, eq)                                                                                   \
	INTERP_BRANCH_FORMS(ROW, ne)                                                                                   \
	INTERP_BRANCH_FORMS(ROW, lts)                                                                                  \
	INTERP_BRANCH_FORMS(ROW, ges)                                                                                  \
	INTERP_BRANCH_FORMS(ROW, ltu)                                                                                  \
	INTERP_BRANCH_FORMS(ROW, geu)

#define BRANCH_BODY(name, width, right)                                                                                \
	static inline const struct iop *end_branch_##name##_##width##_##right(struct bis_hart *h,                      \
									      const struct iop *op)                    \
	{                                                                                                              \
		const struct iop *head;                                                                                \
                                                                                                                       \
		if (COND_##name(width, h->slots[op->a], RIGHT_##right(h, op))) {                                       \
			head = iop_pointer(op, 1, 1);                                                                  \
			IOP_PREDICTED(head);                                                                           \
		} else {                                                                                               \
			head = iop_pointer(op, 1, 0);                                                                  \
			IOP_PREDICTED(head);                                                                           \
		}                                                                                                      \
		return iop_continue(h, head);                                                                          \
	}
INTERP_BRANCHES(BRANCH_BODY)

#endif
