/*
 * An instruction set for tests of the block builder and of engines: instruction number n carries out program[n], so a
 * test builds the intermediate representation it is about. That engines run it shows that they know no RISC-V.
 */
#ifndef BISCUIT_UNIT_ACTS_H
#define BISCUIT_UNIT_ACTS_H

#include <stdio.h>

#include <biscuit/isa.h>

#include "src/translate/ir_internal.h"
#include "tests/unit/rig.h"

#define MAX_ACTIONS 2048

enum { OPCODE = 0x0b, EDGE_SLOT = 32, RESULT_SLOT = 64, RESULTS = 64 };

/* What one instruction does. */
struct action {
	void (*build)(struct bis_ir *t, const struct action *act);
	enum bis_ir_op op;
	unsigned d;
	struct bis_val a, b;
	int64_t imm;
	unsigned kind; /* bis_mem_kind or bis_cond */
	const struct bis_helper *helper;
};

/* The program of the test that runs; translators have nothing else to look at. */
static struct action program[MAX_ACTIONS];

static inline void build_pure(struct bis_ir *t, const struct action *act)
{
	if (act->op < BIS_IR_add)
		bis_ir_op1(t, act->op, act->d, act->a);
	else
		bis_ir_op2(t, act->op, act->d, act->a, act->b);
}

static inline void build_pure_sext(struct bis_ir *t, const struct action *act)
{
	struct bis_val temp = bis_ir_temp(t);

	bis_ir_op2(t, act->op, temp.slot, act->a, act->b);
	bis_ir_op1(t, BIS_IR_sext32, act->d, temp);
}

static inline void build_load(struct bis_ir *t, const struct action *act)
{
	bis_ir_load(t, (enum bis_mem_kind)act->kind, act->d, act->a, act->imm);
}

static inline void build_store(struct bis_ir *t, const struct action *act)
{
	bis_ir_store(t, (enum bis_mem_kind)act->kind, act->a, act->imm, act->b);
}

static inline void build_branch(struct bis_ir *t, const struct action *act)
{
	bis_ir_branch(t, (enum bis_cond)act->kind, act->a, act->b, act->imm);
}

static inline void build_call(struct bis_ir *t, const struct action *act)
{
	bis_ir_call(t, act->helper, act->d, act->a, act->b, (uint32_t)act->imm);
}

static inline void build_pc(struct bis_ir *t, const struct action *act)
{
	bis_ir_op1(t, BIS_IR_mov, act->d, bis_ir_pc(t, act->imm));
}
/* --- The instruction set --- */

static inline void acts_translate(struct bis_ir *t, const struct bis_insn *i)
{
	const struct action *act = &program[i->raw >> 8];

	act->build(t, act);
}

static inline unsigned acts_length(uint16_t first)
{
	(void)first;
	return 4;
}

static inline bool acts_operands(struct bis_insn *i)
{
	return i->raw >> 8 < MAX_ACTIONS && program[i->raw >> 8].build;
}

static inline int acts_format_text(const struct bis_insn *i, unsigned xlen, uint64_t pc, char *buf, size_t size)
{
	(void)i;
	(void)xlen;
	(void)pc;
	return snprintf(buf, size, "act");
}

static inline void acts_illegal(struct bis_ir *t, uint32_t raw)
{
	bis_ir_trap(t, BIS_CAUSE_ILLEGAL, bis_const((int64_t)raw));
}

static inline int acts_create(struct bis_module *mod, const struct bis_options *options, void **self)
{
	(void)options;
	*self = mod;
	return 0;
}

static inline int acts_attach(struct bis_module *mod, void *self)
{
	static const struct bis_isa_family family = {.name = "acts",
						     .length = acts_length,
						     .operands = acts_operands,
						     .format_text = acts_format_text,
						     .illegal = acts_illegal};
	static const struct bis_insn_row row = {.name = "act",
						.ext = "xact",
						.xlens = BIS_X32 | BIS_X64,
						.len = 4,
						.match = OPCODE,
						.mask = 0xff,
						.translate = acts_translate};

	(void)self;
	return bis_attach_isa(mod, &family, &row, 1);
}

static inline void acts_destroy(void *self)
{
	(void)self;
}

static const struct bis_module_class acts_class = {.abi = BIS_MODULE_ABI,
						   .name = "acts",
						   .summary = "an instruction set of the test",
						   .create = acts_create,
						   .attach = acts_attach,
						   .destroy = acts_destroy};

/* --- Running --- */

/* A paused machine with this instruction set; it stands at instruction 0, which branches to itself. */
static inline struct bis_machine *acts_machine_on(const char *engine, const char *isa)
{
	static const struct bis_module_class *const classes[] = {&acts_class, NULL};
	struct bis_machine *m = rig_create_on(engine, isa, 1, classes);

	memset(program, 0, sizeof(program));
	rig_add(m, "acts");
	bis_machine_set_entry(m, RIG_CODE, 0, 0);
	program[0] = (struct action){.build = build_branch, .kind = BIS_COND_EQ, .a = bis_const(0), .b = bis_const(0)};
	rig_set32(m, RIG_CODE, OPCODE);
	assert_ok(bis_machine_start(m));
	assert_ok(bis_machine_pause(m));
	return m;
}

static inline struct bis_machine *acts_machine(const char *isa)
{
	return acts_machine_on(NULL, isa);
}

/* Lays out program[first..first+count-1] at RIG_CODE and runs `steps` instructions from there. */
static inline void run_actions(struct bis_machine *m, unsigned first, unsigned count, unsigned steps)
{
	uint32_t words[MAX_ACTIONS];

	for (unsigned i = 0; i < count; i++)
		words[i] = (first + i) << 8 | OPCODE;
	rig_write(m, RIG_CODE, words, count * sizeof(words[0]));
	rig_step_at(m, RIG_CODE, steps);
}

#endif
