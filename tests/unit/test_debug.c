/*
 * Debugging from outside: a hart stops before the instruction that reaches a breakpoint and goes on past it; events
 * tell what happens; safepoints and control calls from several threads.
 */
#include <pthread.h>
#include <stdlib.h>

#include <biscuit/debug.h>

#include "tests/unit/rig.h"

enum { CSR_MTVEC_ = 0x305, CSR_MSCRATCH_ = 0x340, CSR_MEPC_ = 0x341, CSR_MCAUSE_ = 0x342, CSR_MIE_ = 0x304 };

/* --- The machine, and what it told --- */

struct fixture {
	struct bis_machine *m;
	struct bis_listener *listener;
	struct bis_event last;
	char kinds[256]; /* first letters of the events so far */
};

static void heard(void *arg, const struct bis_event *event)
{
	struct fixture *f = arg;
	size_t len = strlen(f->kinds);

	if (len < sizeof(f->kinds) - 1)
		f->kinds[len] = bis_event_kind_name(event->kind)[0];
	if (event->kind == BIS_EVENT_BREAK)
		f->last = *event;
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	f->m = rig_create("rv64", 1);
	rig_start_paused(f->m);
	assert_ok(bis_listener_create(f->m, heard, f, &f->listener));
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	bis_listener_destroy(f->m, f->listener);
	bis_machine_destroy(f->m);
	free(f);
	return 0;
}

static unsigned add(struct fixture *f, struct bis_break b)
{
	unsigned id = 0;

	assert_ok(bis_break_add(f->m, &b, &id));
	assert_int_not_equal(id, 0);
	return id;
}

/* Runs until the machine comes to rest by a breakpoint; where it stands then. */
static uint64_t run_to_break(struct fixture *f)
{
	enum bis_stop_reason why;
	int status;

	f->last = (struct bis_event){0};
	assert_ok(bis_machine_resume(f->m));
	while (bis_machine_state(f->m) == BIS_RUNNING)
		assert_int_equal(bis_machine_join(f->m, 1, &why, &status), -ETIMEDOUT);
	assert_int_equal(f->last.kind, BIS_EVENT_BREAK);
	assert_int_equal(f->last.pc, bis_hart_pc(rig_hart(f->m)));
	return f->last.pc;
}

/* A loop that counts in a0, stores it to (s0), loads it from there, and writes it to mscratch. */
static const uint32_t loop[] = {
	ADDI(A0, A0, 1),	 /* 0 */
	SD(A0, 0, S0),		 /* 4 */
	LD(A1, 0, S0),		 /* 8 */
	CSRW(CSR_MSCRATCH_, A1), /* 12 */
	J(-16),			 /* 16 */
};

static void start_loop(struct fixture *f)
{
	RIG_LOAD(f->m, RIG_CODE, loop);
	bis_hart_set_reg(rig_hart(f->m), S0, RIG_DATA);
	bis_hart_set_reg(rig_hart(f->m), A0, 0);
	bis_hart_set_pc(rig_hart(f->m), RIG_CODE);
}

/* --- Breakpoints --- */

static void a_hart_stops_before_the_instruction_and_goes_on_past_it(void **state)
{
	struct fixture *f = *state;
	unsigned id, found;
	struct bis_break b;

	start_loop(f);
	id = add(f, (struct bis_break){.kind = BIS_BREAK_PC, .address = RIG_CODE + 4});
	for (uint64_t turn = 1; turn < 4; turn++) {
		assert_int_equal(run_to_break(f), RIG_CODE + 4);
		assert_int_equal(rig_reg(f->m, A0), turn);
		assert_int_equal(f->last.id, id);
	}
	assert_ok(bis_break_get(f->m, 0, &found, &b));
	assert_int_equal(found, id);
	assert_int_equal(b.hits, 3);
	assert_ok(bis_machine_step(f->m, 1));
	assert_int_equal(bis_hart_pc(rig_hart(f->m)), RIG_CODE + 8);
}

static void code_that_ran_before_stops_too(void **state)
{
	struct fixture *f = *state;

	start_loop(f);
	assert_ok(bis_machine_step(f->m, 5000));
	add(f, (struct bis_break){.kind = BIS_BREAK_PC, .address = RIG_CODE + 12});
	assert_int_equal(run_to_break(f), RIG_CODE + 12);
	assert_int_equal(rig_reg(f->m, A0), 1001);
}

static void conditions_compare_registers_and_csrs(void **state)
{
	struct fixture *f = *state;
	struct bis_break b = {
		.kind = BIS_BREAK_PC,
		.address = RIG_CODE,
		.n_conditions = 2,
		.conditions = {{.where = A0, .compare = BIS_ABOVE_OR_EQUAL, .value = 700},
			       {.is_csr = true, .where = CSR_MSCRATCH_, .compare = BIS_NOT_EQUAL, .value = 700}}};

	start_loop(f);
	add(f, b);
	assert_int_equal(run_to_break(f), RIG_CODE);
	assert_int_equal(rig_reg(f->m, A0), 701);
}

static void watchpoints_stop_before_the_access(void **state)
{
	static const struct {
		enum bis_break_kind kind;
		uint64_t address, length;
		uint64_t first, second; /* offsets of the first two stops */
	} rows[] = {
		{BIS_BREAK_WRITE, RIG_DATA, 8, 4, 4},
		{BIS_BREAK_READ, RIG_DATA, 8, 8, 8},
		{BIS_BREAK_ACCESS, RIG_DATA + 7, 1, 4, 8},
		{BIS_BREAK_ACCESS, RIG_DATA - 16, 17, 4, 8},
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < BIS_ARRAY_SIZE(rows); i++) {
		unsigned id;

		start_loop(f);
		assert_ok(bis_machine_step(f->m, 100)); /* so that the page is in the TLB */
		id = add(f, (struct bis_break){
				    .kind = rows[i].kind, .address = rows[i].address, .length = rows[i].length});
		assert_int_equal(run_to_break(f), RIG_CODE + rows[i].first);
		assert_int_equal(f->last.value, RIG_DATA);
		assert_int_equal(rig_get64(f->m, RIG_DATA), rig_reg(f->m, A0) - (rows[i].first == 4));
		assert_int_equal(run_to_break(f), RIG_CODE + rows[i].second);
		assert_ok(bis_break_remove(f->m, id));
	}
}

static void bytes_beside_a_watchpoint_are_not_stopped(void **state)
{
	struct fixture *f = *state;

	start_loop(f);
	add(f, (struct bis_break){.kind = BIS_BREAK_ACCESS, .address = RIG_DATA + 8, .length = 8});
	add(f, (struct bis_break){.kind = BIS_BREAK_ACCESS, .address = RIG_DATA - 8, .length = 8});
	assert_ok(bis_machine_step(f->m, 1000));
	assert_int_equal(rig_reg(f->m, A0), 200);
}

static void a_csr_that_changes_stops_and_one_that_does_not_does_not(void **state)
{
	static const uint32_t code[] = {CSRW(CSR_MSCRATCH_, ZERO), CSRRS(A1, CSR_MSCRATCH_, ZERO),
					CSRRSI(A1, CSR_MSCRATCH_, 0), CSRRSI(A1, CSR_MSCRATCH_, 4), SPIN};
	struct fixture *f = *state;

	RIG_LOAD(f->m, RIG_CODE, code);
	bis_hart_set_pc(rig_hart(f->m), RIG_CODE);
	add(f, (struct bis_break){.kind = BIS_BREAK_CSR, .address = CSR_MSCRATCH_});
	assert_int_equal(run_to_break(f), RIG_CODE + 12);
	assert_int_equal(rig_csr(f->m, CSR_MSCRATCH_), 0);
	assert_ok(bis_machine_step(f->m, 1));
	assert_int_equal(rig_csr(f->m, CSR_MSCRATCH_), 4);
}

static void a_trap_stops_at_the_instruction_that_raises_it(void **state)
{
	static const uint32_t code[] = {NOP, ECALL, ILLEGAL, SPIN};
	struct fixture *f = *state;

	RIG_LOAD(f->m, RIG_CODE, code);
	bis_hart_set_pc(rig_hart(f->m), RIG_CODE);
	rig_set_csr(f->m, CSR_MTVEC_, RIG_CODE + 8);
	rig_set_csr(f->m, CSR_MCAUSE_, 99);
	add(f, (struct bis_break){.kind = BIS_BREAK_TRAP, .address = BIS_CAUSE_ILLEGAL});
	assert_int_equal(run_to_break(f), RIG_CODE + 8); /* the ecall went through */
	assert_int_equal(rig_csr(f->m, CSR_MCAUSE_), BIS_CAUSE_ECALL_M);
	assert_int_equal(run_to_break(f), RIG_CODE + 8); /* its handler is illegal too, for ever */
	assert_int_equal(rig_csr(f->m, CSR_MCAUSE_), BIS_CAUSE_ILLEGAL);
}

static void an_interrupt_stops_before_it_is_taken(void **state)
{
	struct fixture *f = *state;

	start_loop(f);
	rig_set_csr(f->m, CSR_MTVEC_, RIG_SPIN);
	rig_set_csr(f->m, CSR_MIE_, 1 << BIS_LINE_MSIP);
	rig_set_csr(f->m, 0x300, 8);
	add(f, (struct bis_break){.kind = BIS_BREAK_INTERRUPT, .address = BIS_LINE_MSIP});
	bis_hart_set_line(rig_hart(f->m), BIS_LINE_MSIP, true);
	assert_in_range(run_to_break(f), RIG_CODE, RIG_CODE + 16);
	assert_ok(bis_machine_step(f->m, 1));
	assert_int_equal(bis_hart_pc(rig_hart(f->m)), RIG_SPIN);
}

static void an_instruction_count_is_reached_exactly(void **state)
{
	struct fixture *f = *state;
	uint64_t now = bis_hart_instret(rig_hart(f->m));

	start_loop(f);
	add(f, (struct bis_break){.kind = BIS_BREAK_INSTRET, .address = now + 5 * 12345 + 2});
	assert_int_equal(run_to_break(f), RIG_CODE + 8);
	assert_int_equal(rig_reg(f->m, A0), 12346);
	assert_int_equal(bis_hart_instret(rig_hart(f->m)), now + 5 * 12345 + 2);
}

static void a_breakpoint_for_once_goes_after_its_hit(void **state)
{
	struct fixture *f = *state;
	struct bis_break b;
	unsigned id;

	start_loop(f);
	add(f, (struct bis_break){.kind = BIS_BREAK_PC, .address = RIG_CODE, .once = true});
	assert_int_equal(run_to_break(f), RIG_CODE);
	assert_int_equal(bis_break_get(f->m, 0, &id, &b), -ENOENT);
	assert_ok(bis_machine_step(f->m, 50));
}

static void a_step_ends_early_at_a_breakpoint(void **state)
{
	struct fixture *f = *state;

	start_loop(f);
	add(f, (struct bis_break){.kind = BIS_BREAK_PC, .address = RIG_CODE + 12});
	assert_ok(bis_machine_step(f->m, 1000));
	assert_int_equal(bis_hart_pc(rig_hart(f->m)), RIG_CODE + 12);
	assert_int_equal(f->last.kind, BIS_EVENT_BREAK);
}

static void what_makes_no_sense_is_refused(void **state)
{
	struct fixture *f = *state;
	struct bis_break b = {.kind = BIS_BREAK_KINDS};
	unsigned id;

	assert_fails(bis_break_add(f->m, &b, &id), -EINVAL, "kind");
	b = (struct bis_break){.kind = BIS_BREAK_READ};
	assert_fails(bis_break_add(f->m, &b, &id), -EINVAL, "no bytes");
	b = (struct bis_break){.kind = BIS_BREAK_READ, .address = UINT64_MAX, .length = 2};
	assert_fails(bis_break_add(f->m, &b, &id), -EINVAL, "beyond");
	b = (struct bis_break){.kind = BIS_BREAK_PC, .n_conditions = 1, .conditions = {{.is_csr = true, .where = 0x5}}};
	assert_fails(bis_break_add(f->m, &b, &id), -EINVAL, "CSR");
	b = (struct bis_break){.kind = BIS_BREAK_PC, .n_conditions = 1, .conditions = {{.where = 500}}};
	assert_fails(bis_break_add(f->m, &b, &id), -EINVAL, "register");
	b = (struct bis_break){.kind = BIS_BREAK_PC};
	for (unsigned i = 0; i < BIS_BREAKS_MAX; i++)
		assert_ok(bis_break_add(f->m, &b, &id));
	assert_fails(bis_break_add(f->m, &b, &id), -ENOSPC, "already");
	assert_fails(bis_break_remove(f->m, 9999), -ENOENT, "9999");
}

/* --- Events, control from several threads --- */

static void events_tell_what_happened_in_order(void **state)
{
	struct fixture *f = *state;
	struct bis_module *mod;

	assert_ok(bis_machine_resume(f->m));
	assert_ok(bis_machine_pause(f->m));
	assert_ok(bis_machine_step(f->m, 1));
	assert_ok(bis_machine_reset(f->m));
	assert_ok(bis_machine_add(f->m, "clock,slot=2", &mod));
	assert_ok(bis_machine_remove(f->m, mod));
	assert_string_equal(f->kinds, "rpsrmm");
}

static int count_up(void *arg)
{
	++*(unsigned *)arg;
	return 7;
}

struct busy {
	struct bis_machine *m;
	unsigned *count; /* without a lock of its own: safepoints exclude each other */
};

static void *take_safepoints(void *arg)
{
	struct busy *b = arg;

	for (unsigned i = 0; i < 500; i++)
		assert_int_equal(bis_machine_at_safepoint(b->m, count_up, b->count), 7);
	return NULL;
}

static void *pause_and_resume(void *arg)
{
	struct busy *b = arg;

	for (unsigned i = 0; i < 200; i++) {
		/* Somebody else may have been faster; that is said, and nothing breaks. */
		int err = i % 2 ? bis_machine_resume(b->m) : bis_machine_pause(b->m);

		assert_true(err == 0 || err == -EINVAL);
	}
	return NULL;
}

static void control_calls_from_many_threads_exclude_each_other(void **state)
{
	struct fixture *f = *state;
	pthread_t threads[6];
	unsigned count = 0;
	struct busy b = {f->m, &count};

	start_loop(f);
	assert_ok(bis_machine_resume(f->m));
	for (unsigned i = 0; i < 6; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, i < 4 ? take_safepoints : pause_and_resume, &b), 0);
	for (unsigned i = 0; i < 6; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(count, 2000);
}

/* A safepoint taken at the moment of a hit does not let the hart slip past it. */
static void safepoints_lose_no_breakpoint(void **state)
{
	struct fixture *f = *state;
	unsigned count = 0;
	struct busy b = {f->m, &count};
	pthread_t other;

	start_loop(f);
	add(f, (struct bis_break){.kind = BIS_BREAK_PC, .address = RIG_CODE + 4});
	assert_int_equal(pthread_create(&other, NULL, take_safepoints, &b), 0);
	for (uint64_t turn = 1; turn < 200; turn++) {
		assert_int_equal(run_to_break(f), RIG_CODE + 4);
		assert_int_equal(rig_reg(f->m, A0), turn);
	}
	pthread_join(other, NULL);
}

static void one_hart_steps_while_another_stays(void **state)
{
	struct bis_machine *m = rig_create("rv64", 2);

	(void)state;
	rig_start_paused(m);
	RIG_LOAD(m, RIG_CODE, loop);
	for (unsigned i = 0; i < 2; i++) {
		bis_hart_set_reg(bis_machine_hart(m, i), S0, RIG_DATA + 64 * i);
		bis_hart_set_pc(bis_machine_hart(m, i), RIG_CODE);
	}
	assert_ok(bis_machine_step_harts(m, 2, 3));
	assert_int_equal(bis_hart_pc(bis_machine_hart(m, 0)), RIG_CODE);
	assert_int_equal(bis_hart_pc(bis_machine_hart(m, 1)), RIG_CODE + 12);
	assert_fails(bis_machine_step_harts(m, 4, 3), -EINVAL, "no hart");
	bis_machine_destroy(m);
}

static void a_step_of_one_thing_ends_at_the_handler(void **state)
{
	static const uint32_t code[] = {ECALL, NOP, WFI, NOP};
	struct fixture *f = *state;

	RIG_LOAD(f->m, RIG_CODE, code);
	rig_set_csr(f->m, CSR_MTVEC_, RIG_CODE + 4);
	bis_hart_set_pc(rig_hart(f->m), RIG_CODE);
	assert_ok(bis_machine_step_once(f->m, 1)); /* the trap */
	assert_int_equal(bis_hart_pc(rig_hart(f->m)), RIG_CODE + 4);
	assert_int_equal(rig_csr(f->m, CSR_MEPC_), RIG_CODE);
	assert_ok(bis_machine_step_once(f->m, 1)); /* an instruction */
	assert_int_equal(bis_hart_pc(rig_hart(f->m)), RIG_CODE + 8);
	rig_set_csr(f->m, CSR_MIE_, 1 << BIS_LINE_MSIP);
	rig_set_csr(f->m, 0x300, 8);
	bis_hart_set_line(rig_hart(f->m), BIS_LINE_MSIP, true);
	assert_ok(bis_machine_step_once(f->m, 1)); /* an interrupt */
	assert_int_equal(bis_hart_pc(rig_hart(f->m)), RIG_CODE + 4);
	assert_int_equal(rig_csr(f->m, CSR_MEPC_), RIG_CODE + 8);
	assert_ok(bis_machine_step(f->m, 1));
	assert_int_equal(bis_hart_pc(rig_hart(f->m)), RIG_CODE + 8);
	assert_fails(bis_machine_step_once(f->m, 2), -EINVAL, "no hart");
}

static void one_hart_goes_on_while_another_stays(void **state)
{
	struct bis_machine *m = rig_create("rv64", 2);
	unsigned count = 0;

	(void)state;
	rig_start_paused(m);
	assert_fails(bis_machine_resume_harts(m, 4), -EINVAL, "no hart");
	for (unsigned only = 0; only < 2; only++) {
		uint64_t before[2];

		for (unsigned i = 0; i < 2; i++)
			before[i] = bis_hart_instret(bis_machine_hart(m, i));
		assert_ok(bis_machine_resume_harts(m, 1u << only));
		rig_wait_for(bis_hart_instret(bis_machine_hart(m, only)) > before[only]);
		assert_int_equal(bis_machine_at_safepoint(m, count_up, &count), 7); /* does not wake it */
		assert_ok(bis_machine_pause(m));
		assert_int_equal(bis_hart_instret(bis_machine_hart(m, !only)), before[!only]);
	}
	assert_ok(bis_machine_resume(m)); /* all of them */
	for (unsigned i = 0; i < 2; i++) {
		uint64_t before = bis_hart_instret(bis_machine_hart(m, i));

		rig_wait_for(bis_hart_instret(bis_machine_hart(m, i)) > before);
	}
	bis_machine_destroy(m);
}

/* --- Translation in steps --- */

static void take_step(void *arg, const struct bis_walk_step *step)
{
	uint64_t *levels = arg;

	*levels = *levels << 4 | (step->level + 1);
}

static void a_walk_tells_of_each_table(void **state)
{
	struct fixture *f = *state;
	struct rig_tables t = rig_tables_at(f->m, RIG_CODE + 0x600000);
	struct bis_mapping map;
	const char *scheme;
	uint64_t levels = 0;

	rig_map(&t, 0x40000000, RIG_DATA, 0, PTE_V | PTE_R | PTE_A);
	rig_enter_s(&t);
	assert_int_equal(bis_hart_walk(rig_hart(f->m), 0x40000123, BIS_ACCESS_READ, take_step, &levels, &map, &scheme),
			 BIS_WALK_OK);
	assert_string_equal(scheme, "sv39");
	assert_int_equal(map.pa, RIG_DATA + 0x123);
	assert_int_equal(levels, 0x321);
	assert_int_equal(bis_hart_walk(rig_hart(f->m), 0x40001000, BIS_ACCESS_READ, NULL, NULL, &map, &scheme),
			 BIS_WALK_PAGE_FAULT);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		T(a_hart_stops_before_the_instruction_and_goes_on_past_it),
		T(code_that_ran_before_stops_too),
		T(conditions_compare_registers_and_csrs),
		T(watchpoints_stop_before_the_access),
		T(bytes_beside_a_watchpoint_are_not_stopped),
		T(a_csr_that_changes_stops_and_one_that_does_not_does_not),
		T(a_trap_stops_at_the_instruction_that_raises_it),
		T(an_interrupt_stops_before_it_is_taken),
		T(an_instruction_count_is_reached_exactly),
		T(a_breakpoint_for_once_goes_after_its_hit),
		T(a_step_ends_early_at_a_breakpoint),
		T(what_makes_no_sense_is_refused),
		T(events_tell_what_happened_in_order),
		T(control_calls_from_many_threads_exclude_each_other),
		T(safepoints_lose_no_breakpoint),
		cmocka_unit_test(one_hart_steps_while_another_stays),
		T(a_step_of_one_thing_ends_at_the_handler),
		cmocka_unit_test(one_hart_goes_on_while_another_stays),
		T(a_walk_tells_of_each_table),
	};

	return cmocka_run_group_tests_name("debug", tests, NULL, NULL);
}
