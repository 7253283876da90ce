/*
 * The jit engine with the rest of the machine at work on it: steps, breakpoints, pauses, samples, observers, snapshots,
 * timers while hot loops run. The interpreter, brought to the same instruction, must be in the same state.
 */
#include <stdlib.h>
#include <unistd.h>

#include <biscuit/snapshot.h>
#include <biscuit/trace.h>

#include "tests/unit/engines_rig.h"

#define MIE_TIMER (1 << BIS_LINE_MTIP)
#define MIE_SOFT  (1 << BIS_LINE_MSIP)

/* --- A hot loop: branches both ways, memory, the instruction count, a call --- */

enum { CSR_INSTRET = 0xc02 };

static const uint32_t hot[] = {
	ADDI(A0, A0, 1),       /* 0: turns */
	ANDI(T0, A0, 3),       /* 4 */
	BEQ(T0, ZERO, 16),     /* 8 */
	MUL(A1, A1, A0),       /* 12 */
	ADD(A2, A2, A1),       /* 16 */
	J(8),		       /* 20 */
	SD(A0, 0, S0),	       /* 24 */
	LD(T1, 0, S0),	       /* 28 */
	ADD(A3, A3, T1),       /* 32 */
	ANDI(T0, A0, 63),      /* 36 */
	BNE(T0, ZERO, -40),    /* 40 */
	CSRR(T2, CSR_INSTRET), /* 44 */
	ADD(A4, A4, T2),       /* 48 */
	JAL(RA, 8),	       /* 52 */
	J(-56),		       /* 56 */
	XORI(A5, A2, 0x55),    /* 60 */
	RET,
};

static void put_hot(struct bis_machine *m)
{
	RIG_LOAD(m, RIG_CODE, hot);
	for (unsigned reg = 1; reg < 32; reg++)
		bis_hart_set_reg(rig_hart(m), reg, 0);
	bis_hart_set_reg(rig_hart(m), S0, RIG_DATA);
	bis_hart_set_reg(rig_hart(m), A1, 0x12345);
	bis_hart_set_pc(rig_hart(m), RIG_CODE);
}

static struct twins twins_hot(struct bis_machine_config cfg)
{
	struct twins t = twins_create(cfg);

	put_hot(t.jit);
	put_hot(t.interp);
	step_both(&t, WARM);
	assert_true(traces(t.jit) > 0);
	return t;
}

static void steps_end_anywhere_in_a_trace(void **state)
{
	struct twins t = twins_hot((struct bis_machine_config){0});
	uint64_t seed = 88172645463325252;

	(void)state;
	for (unsigned i = 0; i < 400; i++)
		step_both(&t, 1 + random_next(&seed) % (i % 20 ? 100 : 100000));
	twins_destroy(&t);
}

static void pauses_are_between_two_instructions(void **state)
{
	struct twins t = twins_hot((struct bis_machine_config){0});

	(void)state;
	for (unsigned i = 0; i < 30; i++) {
		run_a_little(t.jit);
		assert_ok(bis_machine_pause(t.jit));
		follow(&t);
	}
	twins_destroy(&t);
}

static void an_instruction_count_is_reached_exactly_in_a_trace(void **state)
{
	struct twins t = twins_hot((struct bis_machine_config){0});
	struct bis_break b = {.kind = BIS_BREAK_INSTRET, .once = true};
	enum bis_stop_reason why;
	int status;
	unsigned id;

	(void)state;
	for (unsigned i = 0; i < 40; i++) {
		b.address = bis_hart_instret(rig_hart(t.jit)) + 60001 + 997 * i;
		assert_ok(bis_break_add(t.jit, &b, &id));
		assert_ok(bis_machine_resume(t.jit));
		while (bis_machine_state(t.jit) == BIS_RUNNING)
			assert_int_equal(bis_machine_join(t.jit, 1, &why, &status), -ETIMEDOUT);
		assert_int_equal(bis_hart_instret(rig_hart(t.jit)), b.address);
		follow(&t);
	}
	twins_destroy(&t);
}

/* --- Breakpoints that come and go --- */

static int take_turns(void *arg)
{
	return (int)rig_reg(arg, A0);
}

static void breakpoints_come_and_go_while_a_trace_runs(void **state)
{
	static const struct {
		enum bis_break_kind kind;
		uint64_t address, length, pc;
	} rows[] = {
		{BIS_BREAK_PC, RIG_CODE, 0, RIG_CODE},		 {BIS_BREAK_WRITE, RIG_DATA, 8, RIG_CODE + 24},
		{BIS_BREAK_PC, RIG_CODE + 32, 0, RIG_CODE + 32}, {BIS_BREAK_READ, RIG_DATA + 7, 1, RIG_CODE + 28},
		{BIS_BREAK_PC, RIG_CODE + 16, 0, RIG_CODE + 16},
	};
	struct twins t = twins_hot((struct bis_machine_config){0});
	/* One more that is never hit. */
	struct bis_break other = {.kind = BIS_BREAK_PC,
				  .address = RIG_CODE + 4,
				  .n_conditions = 1,
				  .conditions = {{.where = A0, .compare = BIS_EQUAL, .value = 0}}};
	enum bis_stop_reason why;
	unsigned id, other_id;
	int status;

	(void)state;
	for (unsigned i = 0; i < 4 * BIS_ARRAY_SIZE(rows); i++) {
		unsigned row = i % BIS_ARRAY_SIZE(rows);
		struct bis_break b = {.kind = rows[row].kind,
				      .address = rows[row].address,
				      .length = rows[row].length,
				      .n_conditions = 1,
				      .conditions = {{.where = A0, .compare = BIS_ABOVE_OR_EQUAL}}};

		run_a_little(t.jit);
		if (i % 2)
			assert_ok(bis_break_add(t.jit, &other, &other_id));
		b.conditions[0].value = (uint64_t)bis_machine_at_safepoint(t.jit, take_turns, t.jit) + 500;
		assert_ok(bis_break_add(t.jit, &b, &id));
		while (bis_machine_state(t.jit) == BIS_RUNNING)
			assert_int_equal(bis_machine_join(t.jit, 1, &why, &status), -ETIMEDOUT);
		assert_int_equal(bis_hart_pc(rig_hart(t.jit)), rows[row].pc);
		assert_true(rig_reg(t.jit, A0) >= b.conditions[0].value);
		follow(&t);
		assert_ok(bis_break_remove(t.jit, id));
		if (i % 2)
			assert_ok(bis_break_remove(t.jit, other_id));
	}
	twins_destroy(&t);
}

/* --- What a condition asks for in the middle of a block --- */

enum { CSR_FFLAGS = 1, INEXACT = 1, F1 = 33, F3 = 35, FS_DIRTY = 3 << 13 };

#define ATOMIC_D(f5, rd, rs2) ASM_R((f5) << 2, rs2, S0, 3, rd, 0x2f)
#define LR_D		      ATOMIC_D(2, A1, ZERO)
#define SC_D		      ATOMIC_D(3, A1, A0)
#define FDIV_D		      ASM_R(0x0d, 3, 1, 7, 2, 0x53) /* f2 = f1 / f3 */

/* A division in front of the instruction in the middle, where the condition must find its flag and the right count. */
static void stop_in_the_middle(struct bis_machine *m, enum bis_break_kind kind, uint64_t address, uint32_t insn)
{
	enum { BEFORE = 6 };
	const uint32_t code[] = {FDIV_D, NOP, NOP, NOP, NOP, NOP, insn, NOP, NOP, NOP, SPIN};
	struct bis_break b = {.kind = kind, .address = address, .length = 8, .n_conditions = 2};
	unsigned id;

	RIG_LOAD(m, RIG_CODE, code);
	rig_set_csr(m, CSR_MSTATUS, FS_DIRTY);
	rig_set_csr(m, CSR_FFLAGS, 0);
	rig_set_csr(m, CSR_MTVEC, HANDLER);
	bis_hart_set_reg(rig_hart(m), F1, 0x3ff0000000000000); /* 1 */
	bis_hart_set_reg(rig_hart(m), F3, 0x4008000000000000);
	bis_hart_set_reg(rig_hart(m), S0, RIG_DATA);
	bis_hart_set_reg(rig_hart(m), S1, 0);
	b.conditions[0] = (struct bis_condition){.is_csr = true, .where = CSR_FFLAGS, .value = INEXACT};
	b.conditions[1] = (struct bis_condition){
		.is_csr = true, .where = CSR_INSTRET, .value = rig_csr(m, CSR_MINSTRET) + BEFORE};
	if (kind == BIS_BREAK_TRAP && address == BIS_CAUSE_FETCH_ACCESS)
		b.conditions[1].value++;
	assert_ok(bis_break_add(m, &b, &id));
	rig_step_at(m, RIG_CODE, 100);
	assert_int_equal(rig_csr(m, CSR_MINSTRET), b.conditions[1].value);
	assert_ok(bis_break_remove(m, id));
}

static void conditions_see_flags_and_counts_of_the_instruction(void **state)
{
	static const struct {
		enum bis_break_kind kind;
		uint64_t address;
		uint32_t insn;
	} rows[] = {
		{BIS_BREAK_READ, RIG_DATA, LD(A1, 0, S0)},
		{BIS_BREAK_WRITE, RIG_DATA, SD(A0, 0, S0)},
		{BIS_BREAK_READ, RIG_DATA, LR_D},
		{BIS_BREAK_WRITE, RIG_DATA, SC_D},
		{BIS_BREAK_WRITE, RIG_DATA, AMOADD_D(A1, A0, S0)},
		{BIS_BREAK_CSR, CSR_MSCRATCH, CSRRSI(A1, CSR_MSCRATCH, 4)},
		{BIS_BREAK_TRAP, BIS_CAUSE_ECALL_M, ECALL},
		{BIS_BREAK_TRAP, BIS_CAUSE_LOAD_ACCESS, LD(A1, 0, S1)},
		{BIS_BREAK_TRAP, BIS_CAUSE_FETCH_ACCESS, JALR(ZERO, 0, S1)},
		{BIS_BREAK_TRAP, BIS_CAUSE_FETCH_ACCESS, J(-0x1000)},
		{BIS_BREAK_PC, RIG_CODE + 24, NOP},
	};
	struct twins t = twins_create((struct bis_machine_config){0});

	(void)state;
	for (size_t i = 0; i < BIS_ARRAY_SIZE(rows); i++) {
		stop_in_the_middle(t.jit, rows[i].kind, rows[i].address, rows[i].insn);
		stop_in_the_middle(t.interp, rows[i].kind, rows[i].address, rows[i].insn);
	}
	twins_destroy(&t);
}

/* --- Samples --- */

static void take_sample(void *arg, struct bis_hart *h)
{
	_Atomic uint64_t *pc = arg;

	atomic_store(pc, bis_hart_pc(h));
}

static void samples_are_of_the_loop(void **state)
{
	struct twins t = twins_hot((struct bis_machine_config){0});
	_Atomic uint64_t pc = 0;

	(void)state;
	assert_ok(bis_machine_resume(t.jit));
	for (unsigned i = 0; i < 50; i++) {
		atomic_store(&pc, 0);
		assert_true(bis_hart_ask_sample(rig_hart(t.jit), take_sample, &pc));
		rig_wait_for(atomic_load(&pc));
		assert_in_range(atomic_load(&pc), RIG_CODE, RIG_CODE + sizeof(hot) - 4);
	}
	assert_ok(bis_machine_pause(t.jit));
	follow(&t);
	twins_destroy(&t);
}

/* --- Time and interrupts; what an observer is told --- */

/*
 * In a loop: reads mtime now and then, and interrupts itself by a store. The timer interrupts it, too. Handlers add up
 * where they were called from, and when.
 */
static const uint32_t timed[] = {
	ADDI(A0, A0, 1),  /* 0 */
	MUL(A1, A1, A0),  /* 4 */
	ADD(A2, A2, A1),  /* 8 */
	ANDI(T0, A0, 63), /* 12 */
	BNE(T0, ZERO, -16),
	LD(T1, 0, S3),	 /* 20: mtime */
	ADD(A3, A3, T1), /* 24 */
	LI(T2, 1),	 /* 28 */
	SW(T2, 0, S4),	 /* 32: msip */
	ADDI(A4, A4, 1), /* 36 */
	CSRRW(T2, CSR_MSCRATCH, A4),
	J(-44),
};
static const uint32_t timed_handler[] = {
	CSRR(T3, CSR_MCAUSE), ANDI(T3, T3, 15), ADDI(T3, T3, -BIS_LINE_MTIP),
	BNE(T3, ZERO, 36),    LD(T3, 0, S2), /* mtimecmp */
	ADDI(T3, T3, 57),		     /* ticks */
	SD(T3, 0, S2),	      LD(T4, 0, S3),	ADD(S5, S5, T4),
	CSRR(T4, CSR_MEPC),   ADD(S6, S6, T4),	MRET,
	SW(ZERO, 0, S4), /* the other interrupt */
	CSRR(S7, CSR_MEPC),   ADDI(T6, T6, 1),	MRET,
};

static void put_timed(struct bis_machine *m, uint64_t first)
{
	RIG_LOAD(m, RIG_CODE, timed);
	RIG_LOAD(m, HANDLER, timed_handler);
	for (unsigned reg = 1; reg < 32; reg++)
		bis_hart_set_reg(rig_hart(m), reg, reg);
	bis_hart_set_reg(rig_hart(m), S2, MTIMECMP);
	bis_hart_set_reg(rig_hart(m), S3, MTIME);
	bis_hart_set_reg(rig_hart(m), S4, CLINT);
	bis_hart_set_reg(rig_hart(m), T6, 0);
	rig_set_csr(m, CSR_MTVEC, HANDLER);
	rig_set_csr(m, CSR_MIE, MIE_TIMER | MIE_SOFT);
	rig_set_csr(m, CSR_MSTATUS, 8);
	bis_hart_set_mtimecmp(rig_hart(m), first);
	bis_hart_set_pc(rig_hart(m), RIG_CODE);
}

static struct twins twins_timed(struct bis_machine_config cfg)
{
	struct twins t;

	cfg.clock = BIS_CLOCK_VIRTUAL;
	t = twins_create(cfg);
	put_timed(t.jit, 1000);
	put_timed(t.interp, 1000);
	return t;
}

static void virtual_time_interrupts_at_the_same_instruction(void **state)
{
	struct twins t = twins_timed((struct bis_machine_config){0});
	uint64_t seed = 362436069;

	(void)state;
	step_both(&t, WARM);
	assert_true(traces(t.jit) > 0);
	for (unsigned i = 0; i < 200; i++)
		step_both(&t, 1 + random_next(&seed) % 20000);
	assert_int_equal(bis_machine_now(t.jit), bis_machine_now(t.interp));
	assert_true(rig_reg(t.jit, T6) > 1000);
	assert_int_equal(rig_reg(t.jit, S7), RIG_CODE + 36); /* right behind the store */
	twins_destroy(&t);
}

struct told {
	uint64_t count, hash;
};

static void tell(void *arg, uint64_t a, uint64_t b, uint64_t c)
{
	struct told *t = arg;

	t->count++;
	t->hash = (((t->hash * 31 + a) * 31 + b) * 31 + c) ^ t->hash >> 29;
}

static void told_insn(void *arg, struct bis_hart *h)
{
	tell(arg, bis_hart_pc(h), bis_hart_reg(h, A2), bis_hart_reg(h, T1));
}

static void told_trap(void *arg, struct bis_hart *h, const struct bis_trap_seen *s)
{
	tell(arg, s->cause, s->pc, bis_hart_reg(h, A2));
}

static void told_csr(void *arg, struct bis_hart *h, const struct bis_csr_seen *s)
{
	(void)h;
	tell(arg, s->pc, s->number, s->value);
}

static void told_mmio(void *arg, struct bis_hart *h, const struct bis_mmio_seen *s)
{
	(void)h;
	tell(arg, s->pc, s->address, s->value);
}

static void observers_are_told_the_same(void **state)
{
	static const struct bis_observer rows[] = {
		{.trap = told_trap},
		{.csr = told_csr},
		{.mmio = told_mmio},
		{.insn = told_insn},
		{.trap = told_trap, .csr = told_csr, .mmio = told_mmio},
	};

	(void)state;
	for (size_t i = 0; i < BIS_ARRAY_SIZE(rows); i++) {
		struct bis_machine_config cfg = {.clock = BIS_CLOCK_VIRTUAL, .observer = rows[i]};
		struct told told[2] = {0};
		struct twins t;

		cfg.observer.arg = &told[0];
		t.jit = make_jit(cfg);
		cfg.observer.arg = &told[1];
		t.interp = make(cfg, "interp");
		assert_ok(bis_machine_start_paused(t.jit));
		assert_ok(bis_machine_start_paused(t.interp));
		put_timed(t.jit, 1000);
		put_timed(t.interp, 1000);
		step_both(&t, rows[i].insn ? 20000 : WARM);
		assert_true(told[0].count > 100);
		assert_int_equal(told[0].count, told[1].count);
		assert_int_equal(told[0].hash, told[1].hash);
		twins_destroy(&t);
	}
}

/* --- Interrupts from outside, in a loop that touches nothing but registers --- */

static const uint32_t deaf[] = {ADDI(A0, A0, 1), MUL(A1, A1, A0), ADD(A2, A2, A1), BNE(A0, ZERO, -12), J(-16)};
static const uint32_t deaf_handler[] = {
	CSRR(T4, CSR_MEPC),
	SD(T4, 0, S0),
	CSRW(CSR_MIE, ZERO),
	MRET,
};

static void a_loop_without_memory_hears_interrupts(void **state)
{
	struct bis_machine *m = make_jit((struct bis_machine_config){0});

	(void)state;
	assert_ok(bis_machine_start_paused(m));
	RIG_LOAD(m, RIG_CODE, deaf);
	RIG_LOAD(m, HANDLER, deaf_handler);
	bis_hart_set_reg(rig_hart(m), S0, RIG_DATA);
	rig_set_csr(m, CSR_MTVEC, HANDLER);
	rig_step_at(m, RIG_CODE, WARM);
	assert_true(traces(m) > 0);
	for (unsigned i = 0; i < 50; i++) {
		rig_set64(m, RIG_DATA, 0);
		rig_set_csr(m, CSR_MIE, MIE_SOFT);
		rig_set_csr(m, CSR_MSTATUS, 8);
		run_a_little(m);
		bis_hart_set_line(rig_hart(m), BIS_LINE_MSIP, true);
		rig_wait_for(rig_get64(m, RIG_DATA));
		assert_in_range(rig_get64(m, RIG_DATA), RIG_CODE, RIG_CODE + sizeof(deaf) - 4);
		assert_ok(bis_machine_pause(m));
		bis_hart_set_line(rig_hart(m), BIS_LINE_MSIP, false);
	}
	bis_machine_destroy(m);
}

/* --- Snapshots --- */

static struct bis_machine *restored(const char *path, const char *engine)
{
	struct bis_machine *m = make((struct bis_machine_config){0}, engine);
	struct bis_snapshot *s;

	assert_non_null(m);
	assert_ok(bis_snapshot_open(path, &s));
	assert_ok(bis_snapshot_restore(s, m));
	bis_snapshot_close(s);
	return m;
}

/* Of a running loop; it goes on on either engine. */
static void a_snapshot_goes_on_on_either_engine(void **state)
{
	struct twins t = twins_hot((struct bis_machine_config){0}), after;
	char path[] = "engines-XXXXXX";
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	close(fd);
	for (unsigned i = 0; i < 5; i++) {
		run_a_little(t.jit);
		if (bis_snapshot_save(t.jit, path, NULL))
			break; /* built without zstd */
		assert_ok(bis_machine_pause(t.jit));
		follow(&t);
		after.jit = restored(path, "jit");
		after.interp = restored(path, "interp");
		step_both(&after, 1);
		step_both(&after, WARM + 12345 * i);
		twins_destroy(&after);
	}
	unlink(path);
	twins_destroy(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(steps_end_anywhere_in_a_trace),
		cmocka_unit_test(pauses_are_between_two_instructions),
		cmocka_unit_test(an_instruction_count_is_reached_exactly_in_a_trace),
		cmocka_unit_test(breakpoints_come_and_go_while_a_trace_runs),
		cmocka_unit_test(conditions_see_flags_and_counts_of_the_instruction),
		cmocka_unit_test(samples_are_of_the_loop),
		cmocka_unit_test(virtual_time_interrupts_at_the_same_instruction),
		cmocka_unit_test(observers_are_told_the_same),
		cmocka_unit_test(a_loop_without_memory_hears_interrupts),
		cmocka_unit_test(a_snapshot_goes_on_on_either_engine),
	};

	return cmocka_run_group_tests_name("engines", tests, NULL, NULL);
}
