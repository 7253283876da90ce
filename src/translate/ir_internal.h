/*
 * The intermediate representation in memory: what the builder writes and engines lower. A struct bis_ir is the work
 * area of one hart's translator; it is filled for one block at a time and holds nothing afterwards.
 */
#ifndef BISCUIT_TRANSLATE_IR_INTERNAL_H
#define BISCUIT_TRANSLATE_IR_INTERNAL_H

#include <biscuit/ir.h>
#include <biscuit/isa.h>

#define IR_MAX_INSNS	  128 /* of a trace; a block has half as many */
#define IR_MAX_NODES	  1536
#define IR_NODES_PER_INSN 16 /* room that must be left before an instruction is begun */

enum ir_kind {
	IR_OP1,
	IR_OP2,
	IR_LOAD,
	IR_STORE,
	IR_LR,
	IR_SC,
	IR_AMO,
	IR_FENCE,
	IR_FP,
	IR_CALL,
	IR_TAKE_UNLESS, /* in a trace: d = c unless the condition holds; then imm instructions have not been executed */
	IR_LEAVE_IF,	/* in a trace: an exit to imm if the condition holds; goes on otherwise */
	/* the ends of a block */
	IR_BRANCH,
	IR_JUMP,
	IR_JUMP_REG,
	IR_TRAP
};

/* One operation. Which members count depends on kind; d is a slot or BIS_DISCARD. */
struct ir_node {
	uint8_t kind; /* enum ir_kind */
	uint8_t op;   /* bis_ir_op, bis_mem_kind, bis_amo, bis_fp_op, bis_cond or bis_jump_hint; of a fence: is it full?
		       */
	uint8_t d;
	uint8_t insn; /* index of the guest instruction */
	uint8_t bits; /* width of atomics and floating point */
	uint8_t rm;
	struct bis_val a, b, c;
	int64_t imm; /* address offset, helper argument, jump target as distance from the page start, or trap cause */
	const struct bis_helper *helper;
};

struct bis_ir {
	const struct bis_isa_spec *isa;
	const struct bis_hart *hart; /* of whose state only what keys a block counts; NULL: any */
	unsigned fs, frm;
	unsigned context;		   /* enum bis_tlb_context: whose part of the TLB its accesses ask */
	const struct bis_stretch *stretch; /* what they ask first (src/cpu/stretch.c), or NULL */
	unsigned nodes, insns;
	unsigned temps; /* handed out for the current instruction */
	bool ended;	/* a node ends the block */
	bool trace;	/* a path through several blocks, see bis_block_heat */
	bool loop;	/* several paths, one of which leads back to the start */
	bool asked_fs;	/* a translator has: what it made holds for this mstatus.FS alone */
	uint32_t scratch;
	uint16_t offset[IR_MAX_INSNS + 1]; /* of each instruction from the page start; [insns] is the end */
	bool chosen[IR_MAX_INSNS];	   /* is part of a bis_ir_choose, into which no jump may lead */
	struct ir_node node[IR_MAX_NODES];
};

/* Empties t for a block of a hart with that ISA and those flags. */
void bis_ir_begin(struct bis_ir *t, const struct bis_isa_spec *isa, unsigned fs, unsigned frm);
/* The same for that hart as it is. */
void bis_ir_begin_for(struct bis_ir *t, struct bis_hart *h);
/* Opens the next guest instruction of `len` bytes at `offset` from the page start. */
static inline void bis_ir_begin_insn(struct bis_ir *t, unsigned offset, unsigned len)
{
	t->chosen[t->insns] = false;
	t->offset[t->insns++] = (uint16_t)offset;
	t->offset[t->insns] = (uint16_t)(offset + len);
	t->temps = 0;
}
/* Makes jumps over a few pure instructions of the trace into values that are taken or not. */
void bis_ir_choose(struct bis_ir *t);
/* Can one more instruction be opened? */
static inline bool bis_ir_has_room(const struct bis_ir *t)
{
	return t->insns < IR_MAX_INSNS && t->nodes + IR_NODES_PER_INSN + 1 <= IR_MAX_NODES;
}
/* The value of a pure operation on constants. */
uint64_t bis_ir_eval(enum bis_ir_op op, uint64_t a, uint64_t b);

#endif
