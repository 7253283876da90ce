/*
 * gen.h - the random test program: a list of items, each a short self-contained piece of code, grouped into stretches.
 * A stretch runs in one privilege mode and ends with a digest. The same seed and ISA give the same program; a program
 * that stops after item k is the first k items of the whole one, so the first item with a different effect can be
 * searched for.
 */
#ifndef BISCUIT_TESTS_DIFF_GEN_H
#define BISCUIT_TESTS_DIFF_GEN_H

#include "layout.h"
#include "runtime.h"
#include "table.h"

enum mode { MODE_U = 0, MODE_S = 1, MODE_M = 3 };

struct item {
	uint64_t from, to; /* guest addresses */
	unsigned stretch;
	enum mode mode; /* at its beginning */
	bool paging;
};

struct gen {
	const struct isa *isa;
	struct rng rng;
	struct code code;
	struct runtime rt;
	struct table table;
	uint8_t *data;
	struct item *items;
	size_t item_count, item_cap;
	size_t drawn; /* instructions taken from the table */
	unsigned stretch;

	/* What the code emitted so far is known to have done. */
	enum mode mode;
	uint64_t value[32]; /* of the registers in known */
	uint32_t known;
	uint32_t written;  /* since it was last cleared */
	uint32_t reserved; /* not to be written now */
	bool paging;	   /* satp is not bare */
	bool lower_data;   /* M-mode loads and stores as S or U (MPRV) */
	bool interrupt_armed;
	bool loops;	  /* with hot loops */
	bool sret_traps;  /* mstatus.TSR is set, nothing is delegated */
	uint64_t exit_la; /* the la of the address where the present stretch leaves S or U */
};

/* A program of at least count instructions from the table, or of the first stop items of it; `loops`: with hot
 * loops. */
void gen_program(struct gen *g, const struct isa *isa, uint64_t seed, size_t count, size_t stop, bool loops);
/* Its parts, for programs with a body of another kind: start-up code and data, then what runtime_finish() emits. */
void gen_start(struct gen *g, const struct isa *isa, uint64_t seed);
void gen_free(struct gen *g);

/* Shared by the items. */
unsigned gen_reg(struct gen *g, uint32_t except);	  /* a register that may be written, not x0, not in except */
void gen_wrote(struct gen *g, uint32_t regs);		  /* regs now hold something unknown */
void gen_li(struct gen *g, unsigned reg, uint64_t value); /* reg = value, known from now on */
void gen_raw(struct gen *g, const struct row *row, uint32_t raw); /* an instruction of the table */
void gen_simple(struct gen *g);		       /* one instruction without control flow, with what it needs */
void gen_simples(struct gen *g, unsigned max); /* 1 to max of them */
void gen_plain(struct gen *g);
void gen_integer(struct gen *g);	       /* the same without floating point */
bool gen_is_word_count(const struct row *row); /* ctzw, whose operand has to be a sign-extended word */
void gen_memory(struct gen *g);
void gen_enter(struct gen *g, enum mode mode); /* from M-mode, with random delegation */
void gen_drop(struct gen *g, enum mode mode);  /* from M-mode, nothing else changed */
void gen_leave(struct gen *g);		       /* back to M-mode */

/* Items, in the files items_*.c. */
void item_value(struct gen *g);
void item_float_load(struct gen *g);
void item_lr_sc(struct gen *g);
void item_branch(struct gen *g);
void item_jump(struct gen *g);
void item_jump_reg(struct gen *g);
void item_loop(struct gen *g);
void item_self_modify(struct gen *g);
void item_hot_loop(struct gen *g);
void item_bad_fetch(struct gen *g);
void item_illegal(struct gen *g);
void item_system(struct gen *g);
void item_csr(struct gen *g);
void item_float_off(struct gen *g);
void item_float_state(struct gen *g);
void item_lower_data(struct gen *g);
void item_interrupt(struct gen *g);
void item_sret(struct gen *g);
void item_remap(struct gen *g);

#endif
