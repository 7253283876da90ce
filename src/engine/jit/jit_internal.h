/*
 * The x86-64 engine from the inside.
 *
 * Registers in generated code: RBP is the hart; R15 what is left of the budget; RAX, RCX and RDX are free at the border
 * of any two operations but for what lowering remembers of RAX; all others hold guest registers, the same ones in every
 * block, so that blocks chain without moving anything. RSP is 8 modulo 16.
 *
 * Generated code leaves itself only through thunks, which lie where no generation of the block cache begins. They
 * put guest registers and budget where C finds them. What a thunk's C function needs to know about the place it was
 * called from is in a struct jit_site beside the code, or in a struct jit_note behind the call.
 */
#ifndef BISCUIT_ENGINE_JIT_INTERNAL_H
#define BISCUIT_ENGINE_JIT_INTERNAL_H

#include "src/cpu/hart_internal.h"
#include "src/engine/engine.h"
#include "src/engine/jit/asm.h"
#include "src/translate/block_internal.h"
#include "src/translate/ir_internal.h"

#define JIT_HART   RBP
#define JIT_BUDGET R15

/* A place in generated code that may call C. That of a helper's call is followed by the helper's address. */
struct jit_site {
	uint32_t distance; /* bytes from its block's start */
	int32_t imm;	   /* helper argument, trap cause; what follows a store, from the page start */
	uint8_t insn;
	uint8_t op, bits, rm; /* as in the IR */
	uint8_t size;	      /* of an access, in bytes */
	uint8_t slot;	      /* of a third operand */
	uint16_t behind;      /* of a call that may end the block: what follows it, from the page start */
};

static inline struct bis_block *jit_block_of(const struct jit_site *s)
{
	return (struct bis_block *)((uintptr_t)s - s->distance);
}

/*
 * What lies behind a call of C that does not come back to there: an exit of a block, or an access of a block without a
 * trace. C finds all that it needs in the hart, so that these ways, which are many and rarely gone, are short. A load
 * comes back with its value in RAX, a store with RAX as it was.
 */
struct jit_note {
	uint32_t distance; /* bytes from its block's start */
	int32_t imm;	   /* of an access: offset from the base; target of an exit, from the page start */
	int32_t to;	   /* of an access: where the code goes on, from here; of an exit: its index */
	uint8_t insn;
	uint8_t kind : 7; /* enum bis_mem_kind */
	bool done : 1;	  /* nothing of the instruction follows */
	uint8_t base;	  /* slot, or BIS_DISCARD: RAX */
	uint8_t slot;	  /* that is stored, or BIS_DISCARD: RDX; or loaded */
} __attribute__((packed));

#define JIT_NOWHERE (-1) /* behind a store: its instruction goes on */

/* What C answers: a value; and where to go on: 0 behind the call, otherwise at the code `value`, or nowhere (NULL). */
struct jit_answer {
	uint64_t value, away;
};

enum jit_thunk {
	JIT_LOAD,   /* a address */
	JIT_STORE,  /* a address, b value */
	JIT_ATOMIC, /* the same: LR, SC, AMO by site->imm */
	JIT_CALL,   /* a, b: a helper that neither traps nor ends the block */
	JIT_CALL_TRAPS,
	JIT_CALL_ENDS,
	JIT_CALL_MAY_END,
	JIT_FP,	  /* a, b, and the slot in the site */
	JIT_PURE, /* a, b */
	JIT_TRAP, /* a: tval */
	JIT_CALLS,
	/* with a note behind the call */
	JIT_EXIT = JIT_CALLS, /* a direct exit that is not linked */
	JIT_NOTED_LOAD,	      /* a: RAX, b: RDX */
	JIT_NOTED_STORE,
	JIT_THUNKS
};

/* What the host can do beyond the first x86-64. */
struct jit_host {
	bool lzcnt, tzcnt, popcnt, fma;
};

struct lowering;
struct jit_gdb;

/* Code that is the same wherever it lies, but for the 32 bits at each blank. */
struct jit_jump {
	uint8_t code[96];
	size_t size, blank[2];
};

/* One a hart; hart->engine_state. */
struct jit {
	const struct bis_isa_family *family; /* that the thunks were made for */
	const uint8_t *origin;		     /* what generated code counts sites from */
	size_t thunks_size;
	uint8_t pin[HART_SLOTS]; /* register of a slot; JIT_NO_PIN */
	const uint8_t *thunk[JIT_THUNKS];
	const uint8_t *inner[JIT_CALLS]; /* the call of C of thunks among the blocks, which may be gone behind it */
	const uint8_t *dispatch;	 /* goes on at the virtual address in RAX */
	struct jit_jump jump;		 /* the same, by the jump entries first */
	const uint8_t *to_page;		 /* the same, for where RAX is counted from the page start */
	const uint8_t *resume;		 /* goes on at the hart's pc, or leaves if something was asked for */
	const uint8_t *out;		 /* leaves; RAX: the next instruction, from the page start */
	const uint8_t *refuse;		 /* leaves before a block whose distance lies behind the call */
	void (*enter)(struct bis_hart *h, const void *code);
	struct jit_host host;
	struct lowering *lowering; /* its work area */
	struct jit_gdb *gdb;	   /* NULL unless it was asked for */
};
#define JIT_NO_PIN 0xff

/* The registers that hold guest registers. */
#define JIT_POOL 10
extern const uint8_t jit_pool[JIT_POOL];
/* What C wants back as it was; generated code is entered with these on the stack. */
#define JIT_SAVED 6
extern const uint8_t jit_saved[JIT_SAVED];

typedef struct jit_answer (*jit_function)(struct bis_hart *h, uint64_t a, uint64_t b, const struct jit_site *s);
typedef struct jit_answer (*jit_noted)(struct bis_hart *h, uint64_t a, uint64_t b, const struct jit_note *n);
/* Goes on at the virtual address in RAX, by its jump entry, or else through `dispatch`. */
void jit_write_jump(struct x86_asm *a, const struct jit *j);

/* Writes the thunks for h at `at`, as the family's table of slots says, if they are not there yet: the bytes used. */
size_t jit_make_thunks(struct bis_hart *h, uint8_t *at, size_t room);

static inline struct x86_loc jit_hart_at(size_t offset)
{
	return x86_at(JIT_HART, (int32_t)offset);
}
#define JIT_MEMBER(member) jit_hart_at(offsetof(struct bis_hart, member))

static inline struct x86_loc jit_slot_at(unsigned slot)
{
	return jit_hart_at(offsetof(struct bis_hart, slots) + slot * sizeof(uint64_t));
}

/* --- runtime.c: what thunks call --- */
struct jit_answer jit_load(struct bis_hart *h, uint64_t a, uint64_t b, const struct jit_site *s);
struct jit_answer jit_store(struct bis_hart *h, uint64_t a, uint64_t b, const struct jit_site *s);
struct jit_answer jit_atomic(struct bis_hart *h, uint64_t a, uint64_t b, const struct jit_site *s);
struct jit_answer jit_call(struct bis_hart *h, uint64_t a, uint64_t b, const struct jit_site *s);
struct jit_answer jit_call_traps(struct bis_hart *h, uint64_t a, uint64_t b, const struct jit_site *s);
struct jit_answer jit_call_ends(struct bis_hart *h, uint64_t a, uint64_t b, const struct jit_site *s);
struct jit_answer jit_call_may_end(struct bis_hart *h, uint64_t a, uint64_t b, const struct jit_site *s);
struct jit_answer jit_fp(struct bis_hart *h, uint64_t a, uint64_t b, const struct jit_site *s);
struct jit_answer jit_pure(struct bis_hart *h, uint64_t a, uint64_t b, const struct jit_site *s);
struct jit_answer jit_trap(struct bis_hart *h, uint64_t a, uint64_t b, const struct jit_site *s);
struct jit_answer jit_exit(struct bis_hart *h, uint64_t a, uint64_t b, const struct jit_note *n);
struct jit_answer jit_noted_load(struct bis_hart *h, uint64_t a, uint64_t b, const struct jit_note *n);
struct jit_answer jit_noted_store(struct bis_hart *h, uint64_t a, uint64_t b, const struct jit_note *n);
/* engine_find, for translated code. */
const void *jit_find(struct bis_hart *h, uint64_t va);

/* --- lower.c --- */
struct lowering *jit_lowering_create(void); /* NULL: no memory; to be freed */
size_t jit_room(const struct bis_ir *t);
size_t jit_lower(const struct bis_hart *h, const struct bis_ir *t, struct bis_block *b, void *code, void *work);

#endif
