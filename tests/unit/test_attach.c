/* What modules add to harts: trap handlers, control and status registers, a paging scheme, instructions. */
#include <stdlib.h>

#include <biscuit/paging.h>
#include <biscuit/riscv.h>

#include "tests/unit/rig.h"

/* State of every class here. */
struct part {
	struct bis_module *mod;
	uint64_t value, last_cause, last_tval;
	unsigned asked;
};

static int part_create(struct bis_module *mod, const struct bis_options *options, void **self)
{
	struct part *p = calloc(1, sizeof(*p));

	(void)options;
	if (!p)
		return bis_fail(ENOMEM, "no memory");
	p->mod = mod;
	*self = p;
	return 0;
}

#define PART_CLASS(symbol, name_, attach_)                                                                             \
	static const struct bis_module_class symbol = {.abi = BIS_MODULE_ABI,                                          \
						       .name = (name_),                                                \
						       .summary = "a part of the test",                                \
						       .create = part_create,                                          \
						       .attach = (attach_),                                            \
						       .destroy = free}

/* --- Traps --- */

/* Answers environment calls with a7 = 1: a0 doubled. */
static bool answer_calls(void *self, struct bis_hart *h, uint64_t cause, uint64_t tval)
{
	struct part *p = self;

	p->asked++;
	p->last_cause = cause;
	p->last_tval = tval;
	if (cause != BIS_CAUSE_ECALL_M || bis_hart_reg(h, A7) != 1)
		return false;
	bis_hart_set_reg(h, A0, 2 * bis_hart_reg(h, A0));
	bis_hart_set_pc(h, bis_hart_pc(h) + 4);
	return true;
}

/* Answers every environment call: a0 = 99. */
static bool answer_all(void *self, struct bis_hart *h, uint64_t cause, uint64_t tval)
{
	struct part *p = self;

	(void)tval;
	p->asked++;
	if (cause != BIS_CAUSE_ECALL_M)
		return false;
	bis_hart_set_reg(h, A0, 99);
	bis_hart_set_pc(h, bis_hart_pc(h) + 4);
	return true;
}

static int attach_calls(struct bis_module *mod, void *self)
{
	(void)self;
	return bis_attach_trap(mod, UINT64_MAX, answer_calls);
}

static int attach_all(struct bis_module *mod, void *self)
{
	(void)self;
	return bis_attach_trap(mod, UINT64_MAX, answer_all);
}

PART_CLASS(calls_class, "calls", attach_calls);
PART_CLASS(all_class, "all", attach_all);

/* --- Control and status registers --- */

enum { CSR_PART = 0x7c0, CSR_PART_USER = 0x800, CSR_PART_CONST = 0xfc0 };

static uint64_t part_read(void *self, struct bis_hart *h, uint16_t address)
{
	struct part *p = self;

	return address == CSR_PART_CONST ? 0x600d + bis_hart_id(h) : p->value;
}

static void part_write(void *self, struct bis_hart *h, uint16_t address, uint64_t value)
{
	struct part *p = self;

	(void)h;
	(void)address;
	p->value = value;
}

static int attach_registers(struct bis_module *mod, void *self)
{
	static const struct bis_csr_row rows[] = {
		{CSR_PART, "part", part_read, part_write},
		{CSR_PART_USER, "partuser", part_read, part_write},
		{CSR_PART_CONST, "partconst", part_read, NULL},
	};

	(void)self;
	return bis_attach_csrs(mod, rows, BIS_ARRAY_SIZE(rows));
}

static int attach_taken(struct bis_module *mod, void *self)
{
	static const struct bis_csr_row rows[] = {{0x7c8, "free", part_read, part_write},
						  {0x300, "other", part_read, part_write}};

	(void)self;
	return bis_attach_csrs(mod, rows, BIS_ARRAY_SIZE(rows));
}

static int attach_free(struct bis_module *mod, void *self)
{
	static const struct bis_csr_row row = {0x7c8, "free", part_read, part_write};

	(void)self;
	return bis_attach_csrs(mod, &row, 1);
}

static int attach_unreadable(struct bis_module *mod, void *self)
{
	static const struct bis_csr_row row = {0x7c9, "unreadable", NULL, part_write};

	(void)self;
	return bis_attach_csrs(mod, &row, 1);
}

PART_CLASS(registers_class, "registers", attach_registers);
PART_CLASS(taken_class, "taken", attach_taken);
PART_CLASS(free_class, "free", attach_free);
PART_CLASS(unreadable_class, "unreadable", attach_unreadable);

/* --- A paging scheme --- */

#define MOVED_BASE UINT64_C(0x1000000)
#define MOVED_SIZE UINT64_C(0x200000)

/* Mode 5: RAM from its base appears at MOVED_BASE; the second MiB cannot be written. */
static enum bis_walk_result moved_translate(const struct bis_paging_scheme *s, struct bis_walk *w,
					    struct bis_mapping *out)
{
	uint64_t off = w->va - MOVED_BASE;

	(void)s;
	if (off >= MOVED_SIZE)
		return BIS_WALK_PAGE_FAULT;
	*out = (struct bis_mapping){
		.pa = BIS_RAM_BASE + off, .page_size = 4096, .read = true, .write = off < MOVED_SIZE / 2, .exec = true};
	return w->access == BIS_ACCESS_WRITE && !out->write ? BIS_WALK_PAGE_FAULT : BIS_WALK_OK;
}

static const struct bis_paging_scheme moved = {
	.name = "moved", .xlen = 64, .mode = 5, .va_bits = 32, .translate = moved_translate};
static const struct bis_paging_scheme like_sv39 = {
	.name = "like", .xlen = 64, .mode = 8, .va_bits = 39, .translate = moved_translate};

static int attach_moved(struct bis_module *mod, void *self)
{
	(void)self;
	return bis_attach_paging(mod, &moved);
}

static int attach_like(struct bis_module *mod, void *self)
{
	(void)self;
	return bis_attach_paging(mod, &like_sv39);
}

PART_CLASS(moved_class, "moved", attach_moved);
PART_CLASS(like_class, "like", attach_like);

/* --- Instructions --- */

/* xtwice rd, rs1: custom-0. */
static void translate_twice(struct bis_ir *t, const struct bis_insn *i)
{
	bis_ir_op2(t, BIS_IR_add, bis_rv_xd(i->rd), bis_rv_x(i->rs1), bis_rv_x(i->rs1));
}

static const struct bis_insn_row twice = {.name = "xtwice",
					  .ext = "xtwice",
					  .xlens = BIS_X64,
					  .len = 4,
					  .format = BIS_RV_R1,
					  .match = 0x0b,
					  .mask = 0xfff0707f,
					  .translate = translate_twice};
static const struct bis_insn_row clash = {.name = "xclash",
					  .ext = "xclash",
					  .xlens = BIS_X64,
					  .len = 4,
					  .format = BIS_RV_R,
					  .match = 0x33,
					  .mask = 0xfe00707f,
					  .translate = translate_twice};
static const struct bis_insn_row lost = {
	.name = "xlost", .ext = "xlost", .xlens = BIS_X64, .len = 4, .match = 0x2b, .mask = 0x7f};

static int attach_twice(struct bis_module *mod, void *self)
{
	(void)self;
	return bis_attach_isa(mod, NULL, &twice, 1);
}

static int attach_clash(struct bis_module *mod, void *self)
{
	(void)self;
	return bis_attach_isa(mod, NULL, &clash, 1);
}

static int attach_lost(struct bis_module *mod, void *self)
{
	(void)self;
	return bis_attach_isa(mod, NULL, &lost, 1);
}

PART_CLASS(twice_class, "twice", attach_twice);
PART_CLASS(clash_class, "clash", attach_clash);
PART_CLASS(lost_class, "lost", attach_lost);

#define XTWICE(rd, rs1) ASM_R(0, 0, rs1, 0, rd, 0x0b)

static struct bis_machine *attach_create(unsigned harts)
{
	const struct bis_module_class *classes[64] = {&calls_class, &all_class,	  &registers_class, &taken_class,
						      &free_class,  &moved_class, &like_class,	    &twice_class,
						      &clash_class, &lost_class,  &unreadable_class};
	struct bis_machine *m;

	for (size_t i = 0; bis_builtin_modules[i] && i < 36; i++)
		classes[i + 11] = bis_builtin_modules[i];
	m = rig_create_with("rv64", harts, classes);
	rig_add(m, "riscv");
	rig_add(m, "sv");
	return m;
}

/* --- The tests --- */

static void a_trap_handler_answers_or_passes(void **state)
{
	static const uint32_t code[] = {ECALL, ADDI(A0, A0, 1), EBREAK, SPIN};
	struct bis_machine *m = attach_create(1);
	struct bis_module *calls = rig_add(m, "calls");
	struct part *p = bis_module_self(calls);

	(void)state;
	RIG_LOAD(m, RIG_CODE, code);
	rig_start_paused(m);
	rig_set_csr(m, CSR_MTVEC, RIG_SPIN);
	bis_hart_set_reg(rig_hart(m), A0, 21);
	bis_hart_set_reg(rig_hart(m), A7, 1);
	rig_step_at(m, RIG_CODE, 1);
	assert_int_equal(rig_reg(m, A0), 43);
	assert_int_equal(bis_hart_pc(rig_hart(m)), RIG_CODE + 8);
	assert_int_equal(rig_csr(m, CSR_MCAUSE), 0); /* no architectural trap */
	assert_int_equal(p->asked, 1);
	assert_ok(bis_machine_step(m, 1)); /* the breakpoint is passed on */
	assert_int_equal(p->asked, 2);
	assert_int_equal(p->last_cause, BIS_CAUSE_BREAKPOINT);
	assert_int_equal(p->last_tval, RIG_CODE + 8);
	assert_int_equal(rig_csr(m, CSR_MCAUSE), BIS_CAUSE_BREAKPOINT);
	assert_int_equal(rig_csr(m, CSR_MEPC), RIG_CODE + 8);
	assert_ok(bis_machine_remove(m, calls));
	rig_step_at(m, RIG_CODE, 1);
	assert_int_equal(rig_csr(m, CSR_MCAUSE), BIS_CAUSE_ECALL_M);
	bis_machine_destroy(m);
}

static void trap_handlers_are_asked_in_order(void **state)
{
	static const uint32_t code[] = {ECALL, SPIN};
	struct bis_machine *m = attach_create(1);
	struct bis_module *first = rig_add(m, "calls");
	struct part *second = bis_module_self(rig_add(m, "all"));

	(void)state;
	RIG_LOAD(m, RIG_CODE, code);
	rig_start_paused(m);
	bis_hart_set_reg(rig_hart(m), A0, 5);
	bis_hart_set_reg(rig_hart(m), A7, 1);
	rig_step_at(m, RIG_CODE, 1);
	assert_int_equal(rig_reg(m, A0), 10);
	assert_int_equal(second->asked, 0);
	bis_hart_set_reg(rig_hart(m), A7, 2);
	rig_step_at(m, RIG_CODE, 1);
	assert_int_equal(rig_reg(m, A0), 99);
	bis_hart_set_reg(rig_hart(m), A7, 1);
	assert_ok(bis_machine_remove(m, first));
	bis_hart_set_reg(rig_hart(m), A0, 5);
	rig_step_at(m, RIG_CODE, 1);
	assert_int_equal(rig_reg(m, A0), 99);
	bis_machine_destroy(m);
}

/* Runs one CSR instruction; true if it was legal. */
static bool csr_step(struct bis_machine *m, uint32_t insn)
{
	uint32_t code[] = {insn, SPIN};

	RIG_LOAD(m, RIG_CODE, code);
	rig_set_csr(m, CSR_MCAUSE, 0);
	rig_step_at(m, RIG_CODE, 1);
	return rig_csr(m, CSR_MCAUSE) != BIS_CAUSE_ILLEGAL;
}

static void a_module_brings_registers(void **state)
{
	struct bis_machine *m = attach_create(1);
	struct bis_hart *h = rig_hart(m);
	struct bis_module *mod;
	char name[32];
	uint64_t value;

	(void)state;
	rig_start_paused(m);
	rig_set_csr(m, CSR_MTVEC, RIG_SPIN);
	assert_false(csr_step(m, CSRR(A2, CSR_PART)));
	mod = rig_add(m, "registers");
	bis_hart_set_reg(h, A3, 0xff0);
	assert_true(csr_step(m, CSRRW(A2, CSR_PART, A3)));
	assert_true(csr_step(m, CSRRSI(A2, CSR_PART, 3)));
	assert_int_equal(rig_reg(m, A2), 0xff0);
	assert_true(csr_step(m, CSRRCI(A2, CSR_PART, 16)));
	assert_int_equal(rig_reg(m, A2), 0xff3);
	assert_int_equal(((struct part *)bis_module_self(mod))->value, 0xfe3);
	assert_true(csr_step(m, CSRR(A2, CSR_PART_CONST)));
	assert_int_equal(rig_reg(m, A2), 0x600d);
	assert_false(csr_step(m, CSRW(CSR_PART_CONST, A3)));
	assert_ok(bis_hart_csr_get(h, CSR_PART, &value));
	assert_int_equal(value, 0xfe3);
	assert_ok(bis_hart_csr_set(h, CSR_PART, 4));
	assert_fails(bis_hart_csr_set(h, CSR_PART_CONST, 4), -EACCES, "read-only");
	assert_int_equal(bis_hart_csr_name(h, CSR_PART, name, sizeof(name)), 4);
	assert_string_equal(name, "part");
	assert_int_equal(bis_hart_csr_number(h, "partconst"), CSR_PART_CONST);
	/* Privilege comes with the number. */
	rig_set_csr(m, CSR_PMPADDR0, UINT64_MAX);
	rig_set_csr(m, CSR_PMPCFG0, 0x1f);
	bis_hart_set_priv(h, BIS_PRIV_U);
	assert_true(csr_step(m, CSRR(A2, CSR_PART_USER)));
	assert_int_equal(rig_reg(m, A2), 4);
	assert_false(csr_step(m, CSRR(A2, CSR_PART)));
	assert_ok(bis_machine_remove(m, mod));
	assert_false(csr_step(m, CSRR(A2, CSR_PART)));
	assert_fails(bis_hart_csr_get(h, CSR_PART, &value), -ENOENT, "no CSR 0x7c0");
	bis_machine_destroy(m);
}

static void registers_do_not_collide(void **state)
{
	struct bis_machine *m = attach_create(1);

	(void)state;
	assert_fails(bis_machine_add(m, "taken", NULL), -EEXIST, "taken: CSR 0x300 (other) is taken");
	rig_add(m, "free"); /* the failed module left nothing */
	assert_fails(bis_machine_add(m, "free", NULL), -EEXIST, "free1: CSR 0x7c8 (free) is taken");
	assert_fails(bis_machine_add(m, "unreadable", NULL), -EINVAL, "unreadable: CSR 0x7c9 (unreadable)");
	bis_machine_destroy(m);
}

/* Code, loads and stores through a scheme that the core has never heard of. */
static void a_module_brings_a_paging_scheme(void **state)
{
	static const uint32_t code[] = {LD(A2, 0, A4), SD(A2, 8, A4), SD(A2, 0, A5), LD(A2, 0, A6), SPIN};
	struct bis_machine *m = attach_create(1);
	struct bis_hart *h = rig_hart(m);
	struct bis_module *mod;
	uint64_t satp = UINT64_C(5) << 60 | 0x80000;
	bis_gpa pa;

	(void)state;
	RIG_LOAD(m, RIG_CODE, code);
	rig_set64(m, BIS_RAM_BASE + 0x5000, 0xabcdef);
	rig_start_paused(m);
	rig_set_csr(m, CSR_SATP, satp);
	assert_int_equal(rig_csr(m, CSR_SATP), 0); /* there is no such mode yet */
	mod = rig_add(m, "moved");
	rig_set_csr(m, CSR_SATP, satp);
	assert_int_equal(rig_csr(m, CSR_SATP), satp);
	rig_set_csr(m, CSR_PMPADDR0, UINT64_MAX);
	rig_set_csr(m, CSR_PMPCFG0, 0x1f);
	rig_set_csr(m, CSR_MTVEC, RIG_SPIN);
	bis_hart_set_priv(h, BIS_PRIV_S);
	bis_hart_set_reg(h, A4, MOVED_BASE + 0x5000);
	bis_hart_set_reg(h, A5, MOVED_BASE + MOVED_SIZE / 2);
	bis_hart_set_reg(h, A6, MOVED_BASE + MOVED_SIZE);
	rig_step_at(m, MOVED_BASE, 2);
	assert_int_equal(rig_reg(m, A2), 0xabcdef);
	assert_int_equal(rig_get64(m, BIS_RAM_BASE + 0x5008), 0xabcdef);
	assert_ok(bis_hart_translate(h, MOVED_BASE + 0x123, &pa));
	assert_int_equal(pa.v, BIS_RAM_BASE + 0x123);
	assert_ok(bis_machine_step(m, 1));
	assert_int_equal(rig_csr(m, CSR_MCAUSE), BIS_CAUSE_STORE_PAGE);
	assert_int_equal(rig_csr(m, CSR_MTVAL), MOVED_BASE + MOVED_SIZE / 2);
	bis_hart_set_priv(h, BIS_PRIV_S);
	rig_step_at(m, MOVED_BASE + 12, 1);
	assert_int_equal(rig_csr(m, CSR_MCAUSE), BIS_CAUSE_LOAD_PAGE);
	/* The scheme goes while it is in use: the hart falls back to physical addresses. */
	bis_hart_set_priv(h, BIS_PRIV_S);
	assert_ok(bis_machine_remove(m, mod));
	assert_int_equal(rig_csr(m, CSR_SATP), 0);
	rig_step_at(m, MOVED_BASE, 1);
	assert_int_equal(rig_csr(m, CSR_MCAUSE), BIS_CAUSE_FETCH_ACCESS);
	bis_hart_set_priv(h, BIS_PRIV_S);
	bis_hart_set_reg(h, A4, RIG_DATA);
	rig_step_at(m, RIG_CODE, 1);
	assert_int_equal(rig_reg(m, A2), 0);
	assert_fails(bis_machine_add(m, "like", NULL), -EEXIST, "like: satp mode 8 on rv64 is taken");
	bis_machine_destroy(m);
}

static void instructions_do_not_collide(void **state)
{
	struct bis_machine *m = attach_create(1);

	(void)state;
	assert_fails(bis_machine_add(m, "clash", NULL), -EEXIST, "add (i) and xclash (xclash) have the same encoding");
	assert_fails(bis_machine_add(m, "lost", NULL), -EINVAL, "lost: instruction xlost has no translator");
	rig_add(m, "twice");
	assert_fails(bis_machine_add(m, "twice", NULL), -EEXIST, "have the same encoding");
	bis_machine_destroy(m);
}

/* Counts at 0 how often the instruction worked, at 8 how often it was illegal. */
static const uint32_t use_twice[] = {XTWICE(A2, A4), BNE(A2, A5, 12), ADDI(S0, S0, 1),
				     SD(S0, 0, A3),  LI(A2, 0),	      J(-20)};
static const uint32_t count_illegal[] = {
	ADDI(S1, S1, 1), SD(S1, 8, A3), CSRR(T1, CSR_MEPC), ADDI(T1, T1, 4), CSRW(CSR_MEPC, T1), MRET,
};

static void an_instruction_comes_and_goes_while_code_runs(void **state)
{
	enum { HARTS = 2 };
	struct bis_machine *m = attach_create(HARTS);

	(void)state;
	RIG_LOAD(m, RIG_CODE, use_twice);
	RIG_LOAD(m, RIG_CODE + 0x1000, count_illegal);
	rig_start_paused(m);
	for (unsigned i = 0; i < HARTS; i++) {
		struct bis_hart *h = bis_machine_hart(m, i);

		bis_hart_set_pc(h, RIG_CODE);
		bis_hart_set_reg(h, A3, RIG_DATA + 0x1000 * i);
		bis_hart_set_reg(h, A4, 333);
		bis_hart_set_reg(h, A5, 666);
		assert_ok(bis_hart_csr_set(h, CSR_MTVEC, RIG_CODE + 0x1000));
	}
	assert_ok(bis_machine_resume(m));
	for (unsigned round = 0; round < 20; round++) {
		struct bis_module *mod = NULL;

		for (unsigned what = 8;; what -= 8) {
			for (unsigned i = 0; i < HARTS; i++) {
				uint64_t at = RIG_DATA + 0x1000 * i + what, before = rig_get64(m, at);

				rig_wait_for(rig_get64(m, at) > before);
			}
			if (what == 0)
				break;
			mod = rig_add(m, "twice");
		}
		assert_ok(bis_machine_remove(m, mod));
	}
	bis_machine_destroy(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_trap_handler_answers_or_passes),
		cmocka_unit_test(trap_handlers_are_asked_in_order),
		cmocka_unit_test(a_module_brings_registers),
		cmocka_unit_test(registers_do_not_collide),
		cmocka_unit_test(a_module_brings_a_paging_scheme),
		cmocka_unit_test(instructions_do_not_collide),
		cmocka_unit_test(an_instruction_comes_and_goes_while_code_runs),
	};

	return cmocka_run_group_tests_name("attach", tests, NULL, NULL);
}
