/*
 * The gdb server makes harts go on and stop: breakpoints, watchpoints, steps of one hart and of all, stops by others
 * and the end.
 */
#include "tests/unit/gdb_rig.h"

static void continue_stops_at_breakpoints(void **state)
{
	struct fixture *f = *state;

	start_loop(f);
	assert_non_null(strstr(ask(f, "qSupported:swbreak+;hwbreak+;xmlRegisters=i386"), "PacketSize=10000;"));
	assert_answer(f, "Hg2", "OK");
	assert_answer(f, "P20=0000708000000000", "OK"); /* hart 1 is elsewhere */
	rig_set32(f->m, RIG_CODE + 0x700000, SPIN);
	assert_answer(f, "Z0,80000008,4", "OK");
	assert_answer(f, "Z0,80000008,4", "OK"); /* the same */
	assert_begins(go(f, "vCont;c"), "T05thread:1;swbreak:;20:0800008000000000;");
	assert_answer(f, "z0,80000008,4", "OK");
	assert_answer(f, "z0,80000008,4", "OK");
	assert_answer(f, "Z1,80000004,4", "OK");
	assert_begins(go(f, "vCont;c"), "T05thread:1;hwbreak:;20:0400008000000000;");
	assert_int_equal(rig_reg(f->m, A0), 2);
	assert_int_equal(rig_get64(f->m, RIG_DATA), 1);
	assert_answer(f, "z1,80000004,4", "OK");
	assert_answer(f, "qC", "QC1");
	assert_answer(f, "m80000004,4", "2330a400"); /* the code as it was */
}

static void watchpoints_tell_the_address(void **state)
{
	static const struct {
		const char *set, *reason;
		uint64_t pc;
	} rows[] = {
		{"Z2,80100000,8", "T05thread:1;watch:80100000;", 4},
		{"Z3,80100004,1", "T05thread:1;rwatch:80100004;", 8},
		{"Z4,80100007,2", "T05thread:1;awatch:80100007;", 4},
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < BIS_ARRAY_SIZE(rows); i++) {
		char clear[32];

		start_loop(f);
		assert_answer(f, rows[i].set, "OK");
		assert_begins(go(f, "vCont;c"), rows[i].reason);
		assert_int_equal(pc_of(f, 0), rows[i].pc);
		snprintf(clear, sizeof(clear), "z%s", rows[i].set + 1);
		assert_answer(f, clear, "OK");
	}
}

static void a_step_goes_into_the_trap_handler(void **state)
{
	struct fixture *f = *state;

	start_loop(f);
	for (unsigned i = 0; i < 3; i++)
		assert_begins(go(f, "vCont;s:1"), "T05thread:1;");
	assert_int_equal(pc_of(f, 0), 0xc);
	assert_begins(go(f, "vCont;s:1"), "T05thread:1;20:4000008000000000;");
	assert_int_equal(rig_csr(f->m, CSR_MEPC), RIG_CODE + 0xc);
	assert_int_equal(pc_of(f, 1), 0); /* the other stayed */
	assert_begins(go(f, "vCont;s:1;c"), "T05thread:1;");
	assert_int_equal(pc_of(f, 1), 4); /* side by side */
}

static void an_interrupt_taken_is_a_step(void **state)
{
	struct fixture *f = *state;

	start_loop(f);
	rig_set_csr(f->m, CSR_MIE, 1 << BIS_LINE_MSIP);
	rig_set_csr(f->m, CSR_MSTATUS, 8);
	bis_hart_set_line(rig_hart(f->m), BIS_LINE_MSIP, true);
	assert_begins(go(f, "vCont;s:1"), "T05thread:1;20:4000008000000000;");
	assert_int_equal(rig_csr(f->m, CSR_MEPC), RIG_CODE);
}

static void a_range_is_stepped_through(void **state)
{
	struct fixture *f = *state;

	start_loop(f);
	assert_begins(go(f, "vCont;r80000000,8000000c:1"), "T05thread:1;20:0c00008000000000;");
	assert_answer(f, "Z0,80000004,4", "OK");
	assert_answer(f, "P20=0000008000000000", "OK");
	assert_begins(go(f, "vCont;r80000000,8000000c:1"), "T05thread:1;20:0400008000000000;");
}

static void one_hart_goes_on_alone(void **state)
{
	struct fixture *f = *state;

	start_loop(f);
	assert_answer(f, "Z0,80000010,4", "OK");
	assert_begins(go(f, "vCont;c:2"), "T05thread:2;20:1000008000000000;");
	assert_int_equal(pc_of(f, 0), 0);
	assert_answer(f, "qC", "QC2");
}

static void the_old_forms_move_too(void **state)
{
	struct fixture *f = *state;

	start_loop(f);
	assert_begins(go(f, "s"), "T05thread:1;20:0400008000000000;");
	assert_begins(go(f, "s80000008"), "T05thread:1;20:0c00008000000000;");
	assert_begins(go(f, "S05"), "T05thread:1;20:4000008000000000;");
	assert_answer(f, "Z0,80000000,4", "OK");
	assert_answer(f, "Hc1", "OK");
	assert_begins(go(f, "C05;80000010"), "T05thread:1;20:0000008000000000;");
}

static void ctrl_c_stops(void **state)
{
	struct fixture *f = *state;

	start_loop(f);
	feed(f, "vCont;c", 7);
	assert_true(f->s->running);
	assert_int_equal(f->len, 0); /* no answer yet */
	gdb_session_input(f->s, "\3", 1);
	assert_begins(last(f), "T02thread:1;");
	assert_int_equal(bis_machine_state(f->m), BIS_PAUSED);
	f->len = 0;
	gdb_session_input(f->s, "\3", 1);
	assert_int_equal(f->len, 0); /* it stands already */
}

static void stops_by_others_are_told(void **state)
{
	struct bis_break theirs = {.kind = BIS_BREAK_PC, .address = RIG_CODE + 4, .harts = 1};
	struct fixture *f = *state;
	unsigned id;

	start_loop(f);
	feed(f, "vCont;c", 7);
	assert_ok(bis_machine_pause(f->m));
	assert_true(gdb_session_events(f->s, false)); /* it may be over in a moment */
	assert_int_equal(f->len, 0);
	assert_ok(bis_machine_resume(f->m));
	assert_false(gdb_session_events(f->s, true)); /* it was */
	assert_int_equal(f->len, 0);
	assert_ok(bis_machine_pause(f->m));
	assert_false(gdb_session_events(f->s, true));
	assert_begins(last(f), "T02thread:1;");
	assert_ok(bis_break_add(f->m, &theirs, &id));
	assert_begins(go(f, "vCont;c"), "T05thread:1;20:0400008000000000;");
	assert_memory_equal(f->out, "$O", 2); /* "breakpoint 1: pc …" on the client's console */
}

static void the_end_is_told(void **state)
{
	struct fixture *f = *state;

	start_loop(f);
	feed(f, "vCont;c", 7);
	bis_machine_request_stop(f->m, BIS_STOP_POWER_OFF, 7);
	assert_string_equal(go(f, "vMustReplyEmpty"), "W07");
	assert_answer(f, "?", "W07");
	assert_answer(f, "vCont;c", "W07");
	assert_int_equal(strlen(ask(f, "g")), 65 * 16); /* what was can still be looked at */
}

static void a_hart_that_sleeps_steps_when_it_wakes(void **state)
{
	static const uint32_t code[] = {WFI, ADDI(A0, A0, 1), SPIN};
	struct fixture *f = *state;

	start_loop(f);
	RIG_LOAD(f->m, RIG_CODE, code);
	rig_set_csr(f->m, CSR_MIE, 1 << BIS_LINE_MSIP);
	assert_begins(go(f, "vCont;s:1"), "T05thread:1;20:0400008000000000;");
	feed(f, "vCont;s:1", 9);
	assert_true(f->s->running);
	gdb_session_input(f->s, "\3", 1);
	assert_begins(last(f), "T02thread:1;20:0400008000000000;");
	feed(f, "vCont;s:1", 9);
	bis_hart_set_line(rig_hart(f->m), BIS_LINE_MSIP, true);
	assert_begins(go(f, "vMustReplyEmpty"), "T05thread:1;20:0800008000000000;");
	assert_int_equal(rig_reg(f->m, A0), 1);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		T(continue_stops_at_breakpoints),
		T(watchpoints_tell_the_address),
		T(a_step_goes_into_the_trap_handler),
		T(an_interrupt_taken_is_a_step),
		T(a_range_is_stepped_through),
		T(one_hart_goes_on_alone),
		T(the_old_forms_move_too),
		T(ctrl_c_stops),
		T(stops_by_others_are_told),
		T(the_end_is_told),
		T(a_hart_that_sleeps_steps_when_it_wakes),
	};

	return cmocka_run_group_tests_name("gdb_motion", tests, NULL, NULL);
}
