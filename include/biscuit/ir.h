/*
 * The intermediate representation, as an instruction-set module writes it.
 *
 * A block is a straight run of guest instructions inside one page, with one exit. The translator of an instruction
 * appends a few operations through the functions below; engines (interp, jit) execute them and know no guest
 * instruction. Blocks do not know their virtual address: addresses relative to pc are values of their own kind.
 *
 * Slots 0 to 127 are guest registers as the family's register table numbers them (RISC-V: x0-x31 at 0, f0-f31 at 32);
 * temporaries come from bis_ir_temp and live until the end of the guest instruction.
 *
 * Precise traps: an operation that may trap (load, store, atomic, call with BIS_CALL_TRAPS, trap) must come before the
 * instruction's first write to a guest register, except that a load or call may itself write its destination.
 */
#ifndef BISCUIT_IR_H
#define BISCUIT_IR_H

#include <biscuit/types.h>

#ifdef __cplusplus
extern "C" {
#endif

struct bis_hart;
struct bis_ir; /* the block being built */

#define BIS_IR_MAX_GUEST_SLOTS 128

enum bis_ir_op {
#define IR_UNARY(name, help)		BIS_IR_##name,
#define IR_BINARY(name, commutes, help) BIS_IR_##name,
#include <biscuit/ir.def>
	BIS_IR_PURE_COUNT
};

/* A value: what an operation reads. Made with the four functions below. */
enum bis_val_kind { BIS_VAL_SLOT, BIS_VAL_CONST, BIS_VAL_PCREL };
struct bis_val {
	uint8_t kind;
	uint8_t slot;
	int64_t imm; /* constant; or distance from the start of the block's page */
};

static inline struct bis_val bis_slot(unsigned slot)
{
	struct bis_val v = {BIS_VAL_SLOT, (uint8_t)slot, 0};

	return v;
}

static inline struct bis_val bis_const(int64_t imm)
{
	struct bis_val v = {BIS_VAL_CONST, 0, imm};

	return v;
}

/* The address of the current instruction plus `delta`. */
struct bis_val bis_ir_pc(const struct bis_ir *t, int64_t delta);
/* A fresh temporary slot; at most 32 an instruction. */
struct bis_val bis_ir_temp(struct bis_ir *t);

/* A destination: a slot number, or BIS_DISCARD where the result is not wanted (a pure operation then vanishes). */
#define BIS_DISCARD 0xff

/* --- What the translator may look at --- */
unsigned bis_ir_xlen(const struct bis_ir *t);		  /* 32 or 64: width of guest registers and addresses */
bool bis_ir_has(const struct bis_ir *t, const char *ext); /* is that extension in the hart's ISA string? */
unsigned bis_ir_ialign(const struct bis_ir *t);		  /* instructions begin at multiples of 2 or 4 bytes */
/* The CPU flags the block is keyed by: the translation may depend on these and on nothing else of the hart's state. */
unsigned bis_ir_fs(struct bis_ir *t);	     /* mstatus.FS: 0 off, 2 initial or clean, 3 dirty */
unsigned bis_ir_frm(const struct bis_ir *t); /* fcsr.frm, 0-7 */
/* A word for the family's own use, zero at the start of each block. */
uint32_t *bis_ir_scratch(struct bis_ir *t);

/* --- Pure operations --- */
void bis_ir_op1(struct bis_ir *t, enum bis_ir_op op, unsigned d, struct bis_val a);
void bis_ir_op2(struct bis_ir *t, enum bis_ir_op op, unsigned d, struct bis_val a, struct bis_val b);

/* --- Memory: address = base + off (modulo 2^xlen) --- */
enum bis_mem_kind {
	BIS_MEM_U8,
	BIS_MEM_S8,
	BIS_MEM_U16,
	BIS_MEM_S16,
	BIS_MEM_U32,
	BIS_MEM_S32,
	BIS_MEM_64,
	BIS_MEM_BOXED32 /* load: 32 bits with ones above (a NaN-boxed float) */
};
void bis_ir_load(struct bis_ir *t, enum bis_mem_kind kind, unsigned d, struct bis_val base, int64_t off);
void bis_ir_store(struct bis_ir *t, enum bis_mem_kind kind, struct bis_val base, int64_t off, struct bis_val value);

/*
 * Atomics, always sequentially consistent, naturally aligned (a misaligned one takes the address-misaligned trap).
 * 32-bit results are sign-extended to xlen (zero-extended on a 32-bit guest). sc gives 0 on success, 1 on failure.
 */
enum bis_amo {
	BIS_AMO_SWAP,
	BIS_AMO_ADD,
	BIS_AMO_XOR,
	BIS_AMO_AND,
	BIS_AMO_OR,
	BIS_AMO_MIN,
	BIS_AMO_MAX,
	BIS_AMO_MINU,
	BIS_AMO_MAXU
};
void bis_ir_lr(struct bis_ir *t, unsigned bits, unsigned d, struct bis_val addr);
void bis_ir_sc(struct bis_ir *t, unsigned bits, unsigned d, struct bis_val addr, struct bis_val value);
void bis_ir_amo(struct bis_ir *t, enum bis_amo op, unsigned bits, unsigned d, struct bis_val addr,
		struct bis_val value);
/* Orders all earlier memory accesses of the hart before all later ones, as other harts see them; unless it is `full`,
 * later loads may still come before earlier stores. */
void bis_ir_fence(struct bis_ir *t, bool full);

/* --- Floating point --- */
enum bis_fp_op {
	BIS_FP_ADD,
	BIS_FP_SUB,
	BIS_FP_MUL,
	BIS_FP_DIV,
	BIS_FP_SQRT,
	BIS_FP_MIN,
	BIS_FP_MAX,
	BIS_FP_MADD,  /*  (a * b) + c, one rounding */
	BIS_FP_MSUB,  /*  (a * b) - c */
	BIS_FP_NMSUB, /* -(a * b) + c */
	BIS_FP_NMADD, /* -(a * b) - c */
	BIS_FP_EQ,
	BIS_FP_LT,
	BIS_FP_LE, /* 0 or 1 */
	BIS_FP_SGNJ,
	BIS_FP_SGNJN,
	BIS_FP_SGNJX,
	BIS_FP_CLASS,
	BIS_FP_TO_S32,
	BIS_FP_TO_U32,
	BIS_FP_TO_S64,
	BIS_FP_TO_U64, /* 32-bit results sign-extended to xlen */
	BIS_FP_FROM_S32,
	BIS_FP_FROM_U32,
	BIS_FP_FROM_S64,
	BIS_FP_FROM_U64,
	BIS_FP_TO_F32, /* from f64 */
	BIS_FP_TO_F64  /* from f32 */
};
/*
 * d = op(a, b, c) in format `bits` (32 or 64: the format of the floating operands; for FROM_* that of the result),
 * rounding mode `rm` (0-4). 32-bit operands that are not NaN-boxed count as the canonical NaN; 32-bit floating results
 * are NaN-boxed. Flags accumulate in the hart. Unused operands are bis_const(0).
 */
void bis_ir_fp(struct bis_ir *t, enum bis_fp_op op, unsigned bits, unsigned rm, unsigned d, struct bis_val a,
	       struct bis_val b, struct bis_val c);

/* --- Helper calls: for anything rare --- */
enum bis_call_flags {
	BIS_CALL_TRAPS = 1, /* may call bis_hart_raise; nothing of the instruction may have been written before */
	BIS_CALL_ENDS = 2,  /* ends the block; goes on at the pc behind the instruction unless the helper set another */
	BIS_CALL_READS_REGS = 4,  /* looks at guest registers other than its arguments */
	BIS_CALL_WRITES_REGS = 8, /* writes guest registers other than d */
	BIS_CALL_SEES_COUNT = 16, /* reads pc, or the instruction counter, which must be exact */
	BIS_CALL_MAY_END = 32 /* ends the block behind the instruction, which must do nothing more, if it changes what
				 blocks are keyed by or asks the hart for something; not with BIS_CALL_ENDS */
};
/* A helper: runs on the hart's thread; its result goes to d unless it raised a trap. */
typedef uint64_t (*bis_helper_fn)(struct bis_hart *h, uint64_t a, uint64_t b, uint64_t imm);
struct bis_helper {
	const char *name;
	bis_helper_fn fn;
	unsigned flags;
};
/* `helper` must be a constant that outlives the block. `imm` is 32 bits, zero-extended. */
void bis_ir_call(struct bis_ir *t, const struct bis_helper *helper, unsigned d, struct bis_val a, struct bis_val b,
		 uint32_t imm);

enum bis_csr_op { BIS_CSR_READ, BIS_CSR_WRITE, BIS_CSR_SET, BIS_CSR_CLEAR, BIS_CSR_SWAP };
/*
 * A CSR instruction with its effects and traps (bis_hart_csr_access): the instruction's last operation but moves.
 * `value` is the operand, `raw` the instruction.
 */
void bis_ir_csr(struct bis_ir *t, unsigned address, enum bis_csr_op op, unsigned d, struct bis_val value, uint32_t raw);

/* --- Ends of a block --- */
enum bis_cond { BIS_COND_EQ, BIS_COND_NE, BIS_COND_LTS, BIS_COND_GES, BIS_COND_LTU, BIS_COND_GEU };
/* If cond(a, b), compared as xlen-wide values, continue at current pc + delta, else behind this instruction. */
void bis_ir_branch(struct bis_ir *t, enum bis_cond cond, struct bis_val a, struct bis_val b, int64_t delta);
/* Continue at current pc + delta. */
void bis_ir_jump(struct bis_ir *t, int64_t delta);
/* Continue at the address in `target` with bit 0 cleared. `hint`: BIS_JUMP_CALL, BIS_JUMP_RETURN or 0. */
enum bis_jump_hint { BIS_JUMP_PLAIN, BIS_JUMP_CALL, BIS_JUMP_RETURN };
void bis_ir_jump_reg(struct bis_ir *t, struct bis_val target, enum bis_jump_hint hint);
/* Raise an exception at this instruction. */
void bis_ir_trap(struct bis_ir *t, uint64_t cause, struct bis_val tval);

#ifdef __cplusplus
}
#endif
#endif
