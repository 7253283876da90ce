/* The machine: creation, run states in every order, stepping, pausing, requests and joining. */
#include "src/cpu/hart_internal.h"
#include "tests/unit/rig.h"

/* --- Creation --- */

static void refuses_impossible_configurations(void **state)
{
	static const struct {
		struct bis_machine_config cfg;
		int err;
		const char *words;
	} bad[] = {
		{{.harts = BIS_MAX_HARTS + 1}, -EINVAL, "9 harts: expected 1 to 8"},
		{{.harts = 2, .code_cache = 1 << 19}, -EINVAL, "512 KiB for 2 harts: expected 512 KiB to 1 GiB a hart"},
		{{.code_cache = (1 << 19) - 1}, -EINVAL, "511 KiB for 1 harts"},
		{{.code_cache = UINT64_MAX}, -EINVAL, "code cache"},
		{{.isa = "rv64gq"}, -EINVAL, "q"},
		{{.isa = "rv128"}, -EINVAL, "rv128"},
		{{.engine = "intrep"}, -EINVAL, "unknown engine 'intrep' (did you mean 'interp'?)"},
		{{.ram_size = 5000}, -EINVAL, "ram"},
		{{.ram_size = UINT64_C(1) << 62}, -ENOMEM, "ram"},
	};
	struct bis_machine *m = NULL;

	(void)state;
	for (size_t i = 0; i < BIS_ARRAY_SIZE(bad); i++) {
		assert_fails(bis_machine_create(&bad[i].cfg, &m), bad[i].err, bad[i].words);
		assert_null(m);
	}
}

static void an_empty_configuration_makes_a_machine(void **state)
{
	struct bis_machine_config cfg = {0};
	struct bis_machine *m = NULL;
	struct bis_mem_region ram;

	(void)state;
	assert_ok(bis_machine_create(&cfg, &m));
	assert_int_equal(bis_machine_harts(m), 1);
	assert_null(bis_machine_hart(m, 1));
#ifdef HAVE_JIT
	assert_string_equal(bis_machine_engine(m), "jit");
#else
	assert_string_equal(bis_machine_engine(m), "interp");
#endif
	assert_int_equal(bis_machine_state(m), BIS_CREATED);
	assert_ok(bis_mem_region(bis_machine_memory(m), 0, &ram));
	assert_int_equal(ram.base.v, BIS_RAM_BASE);
	assert_int_equal(ram.size, 128 << 20);
	assert_fails(bis_machine_start(m), -EINVAL, "no instruction set");
	bis_machine_destroy(m);
	bis_machine_destroy(NULL);
}

/* --- Run states --- */

static const uint32_t spin[] = {SPIN};

static void each_verb_works_only_in_its_states(void **state)
{
	struct bis_machine *m = rig_create("rv64", 2);
	enum bis_stop_reason why;
	int status;

	(void)state;
	RIG_LOAD(m, RIG_CODE, spin);
	assert_fails(bis_machine_pause(m), -EINVAL, "not running");
	assert_fails(bis_machine_resume(m), -EINVAL, "not paused");
	assert_fails(bis_machine_step(m, 1), -EINVAL, "paused");
	assert_ok(bis_machine_reset(m));

	assert_ok(bis_machine_start(m));
	assert_int_equal(bis_machine_state(m), BIS_RUNNING);
	assert_fails(bis_machine_start(m), -EINVAL, "already");
	assert_fails(bis_machine_resume(m), -EINVAL, "not paused");
	assert_fails(bis_machine_step(m, 1), -EINVAL, "paused");
	assert_ok(bis_machine_reset(m));
	assert_int_equal(bis_machine_state(m), BIS_RUNNING);

	assert_ok(bis_machine_pause(m));
	assert_int_equal(bis_machine_state(m), BIS_PAUSED);
	assert_fails(bis_machine_pause(m), -EINVAL, "not running");
	assert_fails(bis_machine_start(m), -EINVAL, "already");
	assert_ok(bis_machine_step(m, 0));
	assert_ok(bis_machine_reset(m));
	assert_int_equal(bis_machine_state(m), BIS_PAUSED);
	assert_ok(bis_machine_resume(m));

	bis_machine_request_stop(m, BIS_STOP_HOST, 7);
	bis_machine_request_stop(m, BIS_STOP_POWER_OFF, 8); /* the first request wins */
	assert_ok(bis_machine_join(m, RIG_DEADLINE_MS, &why, &status));
	assert_int_equal(why, BIS_STOP_HOST);
	assert_int_equal(status, 7);
	assert_int_equal(bis_machine_state(m), BIS_STOPPED);
	assert_fails(bis_machine_start(m), -EINVAL, "already");
	assert_fails(bis_machine_pause(m), -EINVAL, "not running");
	assert_fails(bis_machine_resume(m), -EINVAL, "not paused");
	assert_fails(bis_machine_step(m, 1), -EINVAL, "paused");
	assert_fails(bis_machine_reset(m), -EINVAL, "stopped");
	assert_ok(bis_machine_join(m, 0, &why, &status));
	assert_int_equal(status, 7);
	bis_machine_destroy(m);
}

/* Under a leak checker, this shows that nothing is left whenever a machine ends. */
static void can_be_destroyed_at_every_stage(void **state)
{
	enum bis_stop_reason why;
	int status;

	(void)state;
	for (unsigned stage = 0; stage < 6; stage++) {
		struct bis_machine *m = rig_create("rv64", 3);

		RIG_LOAD(m, RIG_CODE, spin);
		if (stage >= 1)
			assert_ok(bis_machine_start(m));
		if (stage >= 2)
			assert_ok(bis_machine_pause(m));
		if (stage >= 3)
			assert_ok(bis_machine_step(m, 100));
		if (stage >= 4)
			assert_ok(bis_machine_resume(m));
		if (stage >= 5) {
			bis_machine_request_stop(m, BIS_STOP_HOST, 0);
			assert_ok(bis_machine_join(m, RIG_DEADLINE_MS, &why, &status));
		}
		bis_machine_destroy(m);
	}
}

static void reset_brings_back_the_first_state(void **state)
{
	static const uint32_t code[] = {ADDI(A0, A0, 5), ADDI(A1, A1, 6), CSRW(CSR_MSCRATCH, A1), SPIN};
	struct bis_machine *m = rig_create("rv64", 1);
	struct bis_hart *h = rig_hart(m);

	(void)state;
	RIG_LOAD(m, RIG_CODE, code);
	rig_start_paused(m);
	bis_machine_set_entry(m, RIG_CODE, 0x1234, 0);
	rig_step_at(m, RIG_CODE, 4);
	bis_hart_set_priv(h, BIS_PRIV_U);
	assert_ok(bis_machine_reset(m));
	assert_int_equal(bis_hart_pc(h), RIG_CODE);
	assert_int_equal(bis_hart_priv(h), BIS_PRIV_M);
	assert_int_equal(rig_reg(m, A0), 0);
	assert_int_equal(rig_reg(m, A1), 0x1234);
	assert_int_equal(rig_csr(m, CSR_MSCRATCH), 0);
	assert_int_equal(rig_csr(m, CSR_MINSTRET), 0);
	assert_ok(bis_machine_step(m, 3));
	assert_int_equal(rig_csr(m, CSR_MSCRATCH), 0x123a);
	bis_machine_destroy(m);
}

/* --- Stepping --- */

/*
 * A walk over block borders: branches taken and not, a call, a page border, traps of three kinds and their handler.
 * The instruction at 0xff8 of the page jumps over the border.
 */
static const uint32_t walk[] = {
	ADDI(T0, ZERO, 3),	/* 0x00 */
	ADDI(T0, T0, -1),	/* 0x04 */
	BNE(T0, ZERO, -4),	/* 0x08: twice taken, once not */
	JAL(RA, 0x24),		/* 0x0c: to 0x30 */
	ECALL,			/* 0x10: does not retire */
	EBREAK,			/* 0x14 */
	ILLEGAL,		/* 0x18 */
	LW(T1, 0, ZERO),	/* 0x1c: access fault */
	CSRW(CSR_MSCRATCH, T0), /* 0x20 */
	FENCE_I,		/* 0x24 */
	J(0xff0 - 0x28),	/* 0x28 */
	NOP,			/* 0x2c */
	ADDI(A2, A2, 1),	/* 0x30 */
	RET,			/* 0x34 */
};
static const uint32_t border[] = {NOP, NOP, NOP, NOP, NOP, NOP, J(-0x1008)}; /* 0xff0 to 0x1008, then back to 0 */
static const uint32_t skip_trap[] = {CSRR(T2, CSR_MEPC), ADDI(T2, T2, 4), CSRW(CSR_MEPC, T2), MRET};

static void load_walk(struct bis_machine *m)
{
	RIG_LOAD(m, RIG_CODE, walk);
	RIG_LOAD(m, RIG_CODE + 0xff0, border);
	RIG_LOAD(m, RIG_CODE + 0x2000, skip_trap);
	rig_start_paused(m);
	rig_set_csr(m, CSR_MTVEC, RIG_CODE + 0x2000);
}

static void steps_are_exact_over_borders_branches_and_traps(void **state)
{
	struct bis_machine *m = rig_create("rv64", 1), *single = rig_create("rv64", 1);

	(void)state;
	load_walk(m);
	load_walk(single);
	bis_hart_set_pc(rig_hart(m), RIG_CODE);
	bis_hart_set_pc(rig_hart(single), RIG_CODE);
	for (uint64_t n = 1; n <= 200; n++) {
		uint64_t before = bis_hart_instret(rig_hart(m)), minstret = rig_csr(m, CSR_MINSTRET);

		assert_ok(bis_machine_step(m, n));
		assert_int_equal(bis_hart_instret(rig_hart(m)) - before, n);
		assert_int_equal(rig_csr(m, CSR_MINSTRET) - minstret, n);
		for (uint64_t i = 0; i < n; i++)
			assert_ok(bis_machine_step(single, 1));
		assert_int_equal(bis_hart_pc(rig_hart(m)), bis_hart_pc(rig_hart(single)));
		for (unsigned r = 1; r < 32; r++)
			assert_int_equal(rig_reg(m, r), rig_reg(single, r));
	}
	assert_true(rig_reg(m, A2) > 100);
	bis_machine_destroy(m);
	bis_machine_destroy(single);
}

/* The trap of the next instruction belongs to the next step, however that instruction comes to fault. */
static void a_step_ends_before_the_next_trap(void **state)
{
	static const uint32_t leave[] = {LUI(T0, 0x1), JALR(ZERO, 0, T0)}; /* to 0x1000, where nothing is */
	struct bis_machine *m = rig_create("rv64", 1);

	(void)state;
	load_walk(m);
	RIG_LOAD(m, RIG_CODE + 0x3000, leave);
	rig_step_at(m, RIG_CODE + 0x3000, 2);
	assert_int_equal(bis_hart_pc(rig_hart(m)), 0x1000);
	rig_step_at(m, RIG_CODE + 0x0c, 3);
	assert_int_equal(bis_hart_pc(rig_hart(m)), RIG_CODE + 0x10); /* at the ecall */
	bis_machine_destroy(m);
}

static void every_hart_steps(void **state)
{
	static const uint32_t count[] = {ADDI(A2, A2, 1), J(-4)};
	struct bis_machine *m = rig_create("rv32", 4);

	(void)state;
	RIG_LOAD(m, RIG_CODE, count);
	rig_start_paused(m);
	for (unsigned i = 0; i < 4; i++)
		bis_hart_set_pc(bis_machine_hart(m, i), RIG_CODE);
	assert_ok(bis_machine_step(m, 1001));
	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(bis_hart_reg(bis_machine_hart(m, i), A2), 501);
	bis_machine_destroy(m);
}

/* A hart that only traps retires nothing; a step ends all the same. */
static void a_step_ends_in_an_endless_trap(void **state)
{
	static const uint32_t trap[] = {ECALL};
	struct bis_machine *m = rig_create("rv64", 1);

	(void)state;
	RIG_LOAD(m, RIG_CODE, trap);
	rig_start_paused(m);
	rig_set_csr(m, CSR_MTVEC, RIG_CODE); /* the handler traps, too */
	rig_step_at(m, RIG_CODE, 5);
	assert_int_equal(bis_hart_pc(rig_hart(m)), RIG_CODE);
	rig_set_csr(m, CSR_MTVEC, 0); /* nothing can be fetched there */
	rig_step_at(m, RIG_CODE, 5);
	assert_int_equal(bis_hart_pc(rig_hart(m)), 0);
	assert_int_equal(rig_csr(m, CSR_MCAUSE), BIS_CAUSE_FETCH_ACCESS);
	bis_machine_destroy(m);
}

/* --- Tracing --- */

struct trail {
	uint64_t pc[64], a2[64];
	unsigned count;
};

static void note_step(void *arg, struct bis_hart *h)
{
	struct trail *t = arg;

	if (t->count < BIS_ARRAY_SIZE(t->pc)) {
		t->pc[t->count] = bis_hart_pc(h);
		t->a2[t->count] = bis_hart_reg(h, A2);
	}
	t->count++;
}

/* The trace sees each instruction before it is executed, also one that traps. */
static void a_trace_sees_every_instruction(void **state)
{
	static const uint32_t code[] = {ADDI(A2, A2, 1), BNE(A2, A3, -4), ECALL, NOP};
	struct trail t = {.count = 0};
	struct bis_machine_config cfg = {
		.ram_size = RIG_RAM_SIZE, .classes = bis_builtin_modules, .observer = {.arg = &t, .insn = note_step}};
	struct bis_machine *m = NULL;

	(void)state;
	assert_ok(bis_machine_create(&cfg, &m));
	rig_add(m, "riscv");
	RIG_LOAD(m, RIG_CODE, code);
	rig_start_paused(m);
	rig_set_csr(m, CSR_MTVEC, RIG_CODE + 12);
	bis_hart_set_reg(rig_hart(m), A3, 3);
	t.count = 0;
	rig_step_at(m, RIG_CODE, 7);
	assert_int_equal(t.count, 8);
	for (unsigned i = 0; i < 6; i++) {
		assert_int_equal(t.pc[i], RIG_CODE + 4 * (i % 2));
		assert_int_equal(t.a2[i], (i + 1) / 2);
	}
	assert_int_equal(t.pc[6], RIG_CODE + 8);
	assert_int_equal(t.pc[7], RIG_CODE + 12);
	bis_machine_destroy(m);
}

/* --- Pausing --- */

static void pauses_what_spins(void **state)
{
	static const uint32_t loops[][3] = {
		{SPIN},
		{ADDI(A2, A2, 1), J(-4)},
		{ECALL},	     /* trap vector: itself */
		{JALR(ZERO, 0, A4)}, /* to itself */
	};
	struct bis_machine *m = rig_create("rv64", 2);

	(void)state;
	rig_start_paused(m);
	for (size_t i = 0; i < BIS_ARRAY_SIZE(loops); i++) {
		uint64_t at = RIG_CODE + i * 4096;

		RIG_LOAD(m, at, loops[i]);
		bis_hart_set_pc(rig_hart(m), at);
		bis_hart_set_reg(rig_hart(m), A4, at);
		rig_set_csr(m, CSR_MTVEC, at);
		for (unsigned round = 0; round < 20; round++) {
			assert_ok(bis_machine_resume(m));
			assert_ok(bis_machine_pause(m));
		}
		assert_in_range(bis_hart_pc(rig_hart(m)), at, at + 4);
	}
	bis_machine_destroy(m);
}

/* Time a guest sees stands still while it is paused. */
static void time_stands_still_while_paused(void **state)
{
	struct bis_machine *m = rig_create("rv64", 1);
	uint64_t frozen;

	(void)state;
	assert_int_equal(bis_machine_now(m), 0);
	RIG_LOAD(m, RIG_CODE, spin);
	assert_ok(bis_machine_start(m));
	rig_wait_for(bis_machine_now(m) > 0);
	assert_ok(bis_machine_pause(m));
	frozen = bis_machine_now(m);
	rig_wait_for(rig_now_ms() % 7 == 3); /* some host time */
	assert_int_equal(bis_machine_now(m), frozen);
	assert_int_equal(bis_machine_ticks(m), frozen / 100);
	assert_ok(bis_machine_resume(m));
	rig_wait_for(bis_machine_now(m) > frozen);
	bis_machine_destroy(m);
}

/* --- Requests and joining --- */

static void join_gives_up_at_its_time(void **state)
{
	struct bis_machine *m = rig_create("rv64", 1);
	enum bis_stop_reason why;
	int status;

	(void)state;
	RIG_LOAD(m, RIG_CODE, spin);
	assert_int_equal(bis_machine_join(m, 0, &why, &status), -ETIMEDOUT);
	assert_ok(bis_machine_start(m));
	assert_int_equal(bis_machine_join(m, 5, &why, &status), -ETIMEDOUT);
	assert_int_equal(bis_machine_state(m), BIS_RUNNING);
	bis_machine_request_pause(m);
	assert_int_equal(bis_machine_join(m, 5, &why, &status), -ETIMEDOUT);
	assert_int_equal(bis_machine_state(m), BIS_PAUSED);
	bis_machine_destroy(m);
}

/* The guest's exit status comes through the finisher. */
static void the_guest_powers_off(void **state)
{
	static const uint32_t code[] = {
		LUI(T0, 0x100), LUI(T1, 0x2a3),	     ADDI(T1, T1, 0x333), LUI(T2, 3), ADD(T1, T1, T2),
		SW(T1, 0, T0), /* 0x2a0000 + 0x6333: the code is 42 above a low half of 0x6333, refused */
		LUI(T1, 0x2a3), ADDI(T1, T1, 0x333), SW(T1, 0, T0), /* 0x2a3333 */
		SPIN,
	};
	struct bis_machine *m = rig_create("rv64", 1);
	enum bis_stop_reason why;
	int status;

	(void)state;
	rig_add(m, "finisher,at=0x100000");
	RIG_LOAD(m, RIG_CODE, code);
	assert_ok(bis_machine_start(m));
	assert_ok(bis_machine_join(m, RIG_DEADLINE_MS, &why, &status));
	assert_int_equal(why, BIS_STOP_POWER_OFF);
	assert_int_equal(status, 0x2a);
	bis_machine_destroy(m);
}

static void the_guest_asks_for_a_reset(void **state)
{
	static const uint32_t code[] = {
		LUI(T0, 0x100),	 LUI(T1, 7),	ADDI(T1, T1, 0x777), LW(A2, 0, A1),
		ADDI(A2, A2, 1), SW(A2, 0, A1), SW(T1, 0, T0),	     SPIN,
	};
	struct bis_machine *m = rig_create("rv64", 2);
	enum bis_stop_reason why;
	int status;

	(void)state;
	rig_add(m, "finisher,at=0x100000");
	RIG_LOAD(m, RIG_CODE, code);
	bis_machine_set_entry(m, RIG_CODE, RIG_DATA, 0);
	assert_ok(bis_machine_start(m));
	for (unsigned round = 1; round <= 3; round++) {
		assert_ok(bis_machine_join(m, RIG_DEADLINE_MS, &why, &status));
		assert_int_equal(why, BIS_STOP_RESET_REQUEST);
		assert_int_equal(bis_machine_state(m), BIS_PAUSED);
		assert_true(rig_get64(m, RIG_DATA) >= round); /* RAM is kept */
		assert_ok(bis_machine_reset(m));
		assert_ok(bis_machine_resume(m));
	}
	bis_machine_destroy(m);
}

/* A device that asks for a reset, too, while the machine comes to a halt for one. */
static int asker_create(struct bis_module *mod, const struct bis_options *options, void **self)
{
	(void)options;
	*self = bis_module_machine(mod);
	return 0;
}

static void asker_pause(void *self)
{
	bis_machine_request_reset(self);
}

static void asker_destroy(void *self)
{
	(void)self;
}

static void one_reset_serves_all_who_asked(void **state)
{
	static const struct bis_module_class asker = {.abi = BIS_MODULE_ABI,
						      .name = "asker",
						      .summary = "asks for a reset when it is paused",
						      .create = asker_create,
						      .pause = asker_pause,
						      .destroy = asker_destroy};
	static const struct bis_module_class *const classes[] = {&bis_riscv_class, &asker, NULL};
	struct bis_machine *m = rig_create_with("rv64", 2, classes);
	enum bis_stop_reason why;
	int status;

	(void)state;
	rig_add(m, "riscv");
	rig_add(m, "asker");
	RIG_LOAD(m, RIG_CODE, spin);
	assert_ok(bis_machine_start(m));
	bis_machine_request_reset(m);
	assert_ok(bis_machine_join(m, RIG_DEADLINE_MS, &why, &status));
	assert_int_equal(why, BIS_STOP_RESET_REQUEST);
	assert_ok(bis_machine_reset(m));
	assert_ok(bis_machine_resume(m));
	assert_int_equal(bis_machine_join(m, 5, &why, &status), -ETIMEDOUT);
	bis_machine_destroy(m);
}

/* --- Write entries of the TLB --- */

/* A hart that spins, in code that it has translated. */
static struct bis_machine *start_spinning(void)
{
	struct bis_machine *m = rig_create("rv64", 1);

	RIG_LOAD(m, RIG_CODE, spin);
	assert_ok(bis_machine_start(m));
	rig_wait_for(bis_hart_instret(rig_hart(m)) > 0);
	return m;
}

/* It has asked the others to forget their write entries, and owes none itself. */
static void nobody_waits_for_a_hart_that_found_new_code(void **state)
{
	struct bis_machine *m = start_spinning();

	(void)state;
	rig_wait_for(bis_harts_have_flushed(m, NULL));
	bis_machine_destroy(m);
}

/* Requests that come while the hart carries out one before: none is lost. */
static void whoever_asks_for_flushed_writes_gets_them(void **state)
{
	struct bis_machine *m = start_spinning();

	(void)state;
	for (unsigned round = 0; round < 10000; round++) {
		for (unsigned i = 0; i < round % 32; i++)
			bis_harts_ask_flush_writes(m, NULL);
		rig_wait_for(bis_harts_have_flushed(m, NULL));
	}
	bis_machine_destroy(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refuses_impossible_configurations),
		cmocka_unit_test(an_empty_configuration_makes_a_machine),
		cmocka_unit_test(each_verb_works_only_in_its_states),
		cmocka_unit_test(can_be_destroyed_at_every_stage),
		cmocka_unit_test(reset_brings_back_the_first_state),
		cmocka_unit_test(steps_are_exact_over_borders_branches_and_traps),
		cmocka_unit_test(a_step_ends_before_the_next_trap),
		cmocka_unit_test(every_hart_steps),
		cmocka_unit_test(a_step_ends_in_an_endless_trap),
		cmocka_unit_test(a_trace_sees_every_instruction),
		cmocka_unit_test(pauses_what_spins),
		cmocka_unit_test(time_stands_still_while_paused),
		cmocka_unit_test(join_gives_up_at_its_time),
		cmocka_unit_test(the_guest_powers_off),
		cmocka_unit_test(the_guest_asks_for_a_reset),
		cmocka_unit_test(one_reset_serves_all_who_asked),
		cmocka_unit_test(nobody_waits_for_a_hart_that_found_new_code),
		cmocka_unit_test(whoever_asks_for_flushed_writes_gets_them),
	};

	return cmocka_run_group_tests_name("machine", tests, NULL, NULL);
}
