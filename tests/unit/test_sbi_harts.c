/*
 * The built-in SBI and harts: how they start, timers, interrupts and fences between them, stopping and suspending.
 */
#include "tests/unit/sbi_rig.h"

/* --- Starting --- */

static void hart_0_starts_in_s_mode_and_the_others_wait(void **state)
{
	static const char *const isas[] = {EVENLY};

	(void)state;
	for (size_t i = 0; i < BIS_ARRAY_SIZE(isas); i++) {
		struct bis_machine *m = make(isas[i], 3);

		for (unsigned round = 0; round < 2; round++) {
			assert_int_equal(bis_hart_priv(rig_hart(m)), BIS_PRIV_S);
			assert_int_equal(bis_hart_pc(rig_hart(m)), ENTRY);
			assert_int_equal(rig_reg(m, A0), 0);
			assert_int_equal(rig_reg(m, A1), DTB);
			assert_int_equal(rig_csr(m, CSR_SATP), 0);
			assert_int_equal(rig_csr(m, CSR_SSTATUS) & 2, 0);
			assert_false(bis_hart_halted(rig_hart(m)));
			for (unsigned h = 1; h < 3; h++) {
				assert_true(bis_hart_halted(bis_machine_hart(m, h)));
				assert_true(round || bis_hart_instret(bis_machine_hart(m, h)) == 0);
			}
			/* And again after a reset, whatever was done before. */
			rig_set_csr(m, CSR_MEDELEG, 0);
			assert_int_equal(call(m, HSM, 0, ARGS(2, OTHER)), 0);
			assert_ok(bis_machine_reset(m));
		}
		bis_machine_destroy(m);
	}
}

/* Memory, time and timer registers are open to S-mode, and each trap but its own calls goes to its handler. */
static void s_mode_needs_no_machine_mode(void **state)
{
	static const uint32_t code[] = {SW(A1, 0, A1),	   LW(T1, 0, A1),     CSRR(T0, 0xc00), CSRR(T0, 0xc01),
					CSRW(0x14d, ZERO), CSRR(T0, CSR_SIE), LI(S0, 1),       SPIN};
	static const struct {
		uint32_t insn;
		uint64_t cause;
	} traps[] = {{ILLEGAL, BIS_CAUSE_ILLEGAL},
		     {EBREAK, BIS_CAUSE_BREAKPOINT},
		     {LW(T0, 0, ZERO), BIS_CAUSE_LOAD_ACCESS},
		     {SW(T0, 0, ZERO), BIS_CAUSE_STORE_ACCESS},
		     {JALR(ZERO, 0, ZERO), BIS_CAUSE_FETCH_ACCESS},
		     {CSRR(T0, CSR_MSTATUS), BIS_CAUSE_ILLEGAL}};
	struct bis_machine *m = make("rv64gc_sstc", 1);

	(void)state;
	RIG_LOAD(m, OTHER, code);
	bis_hart_set_reg(rig_hart(m), A1, RIG_DATA);
	rig_step_at(m, OTHER, BIS_ARRAY_SIZE(code));
	assert_int_equal(rig_reg(m, S0), 1);
	assert_int_equal((uint32_t)rig_reg(m, T1), RIG_DATA);
	/* U-mode reads the time, too. */
	rig_set32(m, OTHER, CSRR(S1, 0xc01));
	bis_hart_set_priv(rig_hart(m), BIS_PRIV_U);
	rig_step_at(m, OTHER, 1);
	assert_int_equal(bis_hart_pc(rig_hart(m)), OTHER + 4);
	rig_set32(m, ENTRY + 0x40, SPIN);
	for (size_t i = 0; i < BIS_ARRAY_SIZE(traps); i++) {
		rig_set_csr(m, CSR_STVEC, ENTRY + 0x40);
		rig_set32(m, OTHER, traps[i].insn);
		bis_hart_set_priv(rig_hart(m), BIS_PRIV_S);
		rig_step_at(m, OTHER, 2);
		assert_int_equal(bis_hart_pc(rig_hart(m)), ENTRY + 0x40);
		assert_int_equal(rig_csr(m, CSR_SCAUSE), traps[i].cause);
	}
	bis_machine_destroy(m);
}

static void calls_from_u_mode_are_the_guest_s_own(void **state)
{
	struct bis_machine *m = make("rv64gc", 1);

	(void)state;
	rig_set_csr(m, CSR_STVEC, ENTRY);
	prepare(m, BASE, 0, ARGS(7));
	bis_hart_set_priv(rig_hart(m), BIS_PRIV_U);
	assert_ok(bis_machine_step(m, 1));
	assert_int_equal(bis_hart_pc(rig_hart(m)), ENTRY);
	assert_int_equal(bis_hart_priv(rig_hart(m)), BIS_PRIV_S);
	assert_int_equal(rig_csr(m, CSR_SCAUSE), BIS_CAUSE_ECALL_U);
	assert_int_equal(rig_csr(m, CSR_SEPC), RIG_CODE);
	assert_int_equal(rig_reg(m, A0), 7);
	bis_machine_destroy(m);
}

/* --- Timers and interrupts --- */

static void the_timer_fires_with_and_without_sstc(void **state)
{
	static const char *const isas[] = {EVENLY, "rv32gc_sstc", "rv64gc_sstc"};

	(void)state;
	for (size_t i = 0; i < 2 * BIS_ARRAY_SIZE(isas); i++) {
		struct bis_machine *m = make(isas[i / 2], 1);
		uint64_t eid = i & 1 ? 0 : TIME, when;

		assert_int_equal(rig_csr(m, CSR_SIP) & STIP, 0);
		assert_int_equal(call(m, eid, 0, ARGS(0)), 0);
		assert_int_equal(rig_csr(m, CSR_SIP) & STIP, STIP);
		assert_int_equal(call(m, eid, 0, ARGS(ALL, ALL)), 0);
		assert_int_equal(rig_csr(m, CSR_SIP) & STIP, 0);
		/* Only the high half says that it is far away. */
		assert_int_equal(call(m, eid, 0, narrow(m) ? ARGS(0, 1) : ARGS(UINT64_C(1) << 32)), 0);
		assert_int_equal(rig_csr(m, CSR_SIP) & STIP, 0);
		when = bis_machine_ticks(m) + 10000;
		rig_set32(m, OTHER, WFI);
		rig_set32(m, OTHER + 4, SW(A7, 0, S0));
		rig_set32(m, OTHER + 8, SPIN);
		assert_int_equal(call(m, eid, 0, ARGS(when, when >> 32)), 0);
		rig_set_csr(m, CSR_SIE, STIP);
		bis_hart_set_reg(rig_hart(m), A7, 0x77);
		bis_hart_set_reg(rig_hart(m), S0, RIG_DATA);
		bis_hart_set_pc(rig_hart(m), OTHER);
		assert_ok(bis_machine_resume(m));
		rig_wait_for(rig_get64(m, RIG_DATA) == 0x77);
		assert_true(bis_machine_ticks(m) >= when);
		bis_machine_destroy(m);
	}
}

static void interrupts_reach_the_harts_that_are_named(void **state)
{
	static const char *const isas[] = {EVENLY};

	(void)state;
	for (size_t i = 0; i < BIS_ARRAY_SIZE(isas); i++) {
		struct bis_machine *m = make(isas[i], 4);

		for (unsigned h = 1; h < 3; h++)
			assert_int_equal(call(m, HSM, 0, ARGS(h, OTHER)), 0);
		assert_int_equal(call(m, IPI, 0, ARGS(1, 2)), 0);
		assert_int_equal(sip_of(m, 0) | sip_of(m, 1), 0);
		assert_int_equal(sip_of(m, 2), SSIP);
		assert_int_equal(call(m, IPI, 0, ARGS(0, ALL)), 0); /* everybody, whatever the mask */
		assert_int_equal(sip_of(m, 0) & sip_of(m, 1), SSIP);
		assert_int_equal(sip_of(m, 3), 0); /* it is stopped */
		assert_int_equal(call(m, IPI, 0, ARGS(0, 0)), 0);
		assert_true(call(m, 3, 0, ARGS(0)) > 0); /* clear_ipi says that there was one */
		assert_int_equal(sip_of(m, 0), 0);
		assert_int_equal(call(m, 3, 0, ARGS(0)), 0);
		assert_int_equal(sip_of(m, 1), SSIP);
		rig_set32(m, OTHER + 0x20, CSRRCI(ZERO, CSR_SIP, SSIP));
		assert_int_equal(call(m, IPI, 0, ARGS(1, 0)), 0);
		rig_step_at(m, OTHER + 0x20, 1);
		assert_int_equal(sip_of(m, 0), 0);
		bis_machine_destroy(m);
	}
}

static void masks_that_name_a_missing_hart_are_refused(void **state)
{
	static const struct {
		uint64_t mask, base;
		int want;
	} masks[] = {{7, 0, 0},
		     {8, 0, INVALID_PARAM},
		     {ALL, 0, INVALID_PARAM},
		     {3, 1, 0},
		     {4, 1, INVALID_PARAM},
		     {1, 2, 0},
		     {1, 3, INVALID_PARAM},
		     {0, 3, INVALID_PARAM},
		     {0, 64, INVALID_PARAM},
		     {1, 64, INVALID_PARAM},
		     {1, ALL - 1, INVALID_PARAM},
		     {1, UINT64_C(1) << 31, INVALID_PARAM},
		     {UINT64_C(1) << 31, 0, INVALID_PARAM},
		     {ALL, ALL, 0}};
	static const char *const isas[] = {EVENLY};

	(void)state;
	for (size_t i = 0; i < BIS_ARRAY_SIZE(isas); i++) {
		struct bis_machine *m = make(isas[i], 3);

		for (size_t k = 0; k < BIS_ARRAY_SIZE(masks); k++) {
			struct args args = ARGS(masks[k].mask, masks[k].base, 0x1000, ALL, 5);

			assert_int_equal(call(m, IPI, 0, args), masks[k].want);
			for (unsigned fid = 0; fid < 3; fid++)
				assert_int_equal(call(m, RFENCE, fid, args), masks[k].want);
		}
		bis_machine_destroy(m);
	}
}

/* --- Hart states --- */

static void a_stopped_hart_is_started_where_asked(void **state)
{
	static const uint32_t code[] = {
		SW(A0, 0, A1), CSRR(T0, CSR_SSTATUS), ANDI(T0, T0, 2), SW(T0, 4, A1), CSRR(T0, CSR_SATP), SW(T0, 8, A1),
		LI(T0, 1),     SW(T0, 12, A1),	      LI(A7, 0),       SPIN};
	static const char *const isas[] = {EVENLY};

	(void)state;
	for (size_t i = 0; i < BIS_ARRAY_SIZE(isas); i++) {
		struct bis_machine *m = make(isas[i], 2);

		RIG_LOAD(m, OTHER, code);
		rig_set64(m, RIG_DATA, ALL);
		rig_set64(m, RIG_DATA + 8, UINT32_MAX);
		assert_value(m, HSM, 2, ARGS(0), 0);
		assert_value(m, HSM, 2, ARGS(1), 1);
		assert_int_equal(call(m, HSM, 0, ARGS(1, OTHER, RIG_DATA)), 0);
		assert_value(m, HSM, 2, ARGS(1), 0);
		assert_int_equal(call(m, HSM, 0, ARGS(1, OTHER, RIG_DATA)), ALREADY_AVAILABLE);
		assert_ok(bis_machine_resume(m));
		rig_wait_for(rig_get64(m, RIG_DATA + 8) >> 32 == 1);
		assert_int_equal(rig_get64(m, RIG_DATA), 1); /* its id; interrupts off */
		assert_int_equal((uint32_t)rig_get64(m, RIG_DATA + 8), 0);
		assert_ok(bis_machine_pause(m));
		assert_int_equal(bis_hart_priv(bis_machine_hart(m, 1)), BIS_PRIV_S);
		bis_machine_destroy(m);
	}
}

static void impossible_starts_are_refused(void **state)
{
	static const char *const isas[] = {EVENLY};

	(void)state;
	for (size_t i = 0; i < BIS_ARRAY_SIZE(isas); i++) {
		struct bis_machine *m = make(isas[i], 2);

		assert_int_equal(call(m, HSM, 0, ARGS(2, OTHER)), INVALID_PARAM);
		assert_int_equal(call(m, HSM, 0, ARGS(ALL, OTHER)), INVALID_PARAM);
		assert_int_equal(call(m, HSM, 2, ARGS(2)), INVALID_PARAM);
		assert_int_equal(call(m, HSM, 2, ARGS(ALL)), INVALID_PARAM);
		assert_int_equal(call(m, HSM, 0, ARGS(1, 0)), INVALID_ADDRESS);
		assert_int_equal(call(m, HSM, 0, ARGS(1, OTHER + 1)), INVALID_ADDRESS);
		assert_int_equal(call(m, HSM, 0, ARGS(1, ALL)), INVALID_ADDRESS);
		assert_int_equal(call(m, HSM, 0, ARGS(1, BIS_RAM_BASE + RIG_RAM_SIZE)), INVALID_ADDRESS);
		assert_int_equal(call(m, HSM, 0, ARGS(0, OTHER)), ALREADY_AVAILABLE);
		assert_true(bis_hart_halted(bis_machine_hart(m, 1)));
		bis_machine_destroy(m);
	}
}

/* A hart that stops does nothing more; nothing is pending when another one starts it again. */
static void a_hart_stops_itself(void **state)
{
	static const uint32_t code[] = {MV(A7, A1), CSRRWI(ZERO, CSR_SIP, SSIP), LI(A6, 1), ECALL, SPIN};
	struct bis_machine *m = make("rv64gc", 2);
	struct bis_hart *h = bis_machine_hart(m, 1);

	(void)state;
	RIG_LOAD(m, OTHER, code);
	assert_int_equal(call(m, HSM, 0, ARGS(1, OTHER, HSM)), 0);
	assert_ok(bis_machine_resume(m));
	rig_wait_for(bis_hart_halted(h));
	assert_ok(bis_machine_pause(m));
	assert_value(m, HSM, 2, ARGS(1), 1);
	assert_int_equal(sip_of(m, 1), 0);
	rig_set32(m, OTHER, SPIN);
	assert_int_equal(call(m, HSM, 0, ARGS(1, OTHER)), 0);
	assert_value(m, HSM, 2, ARGS(1), 0);
	bis_machine_destroy(m);
}

static void a_suspended_hart_wakes_and_returns(void **state)
{
	static const char *const isas[] = {EVENLY};

	(void)state;
	for (size_t i = 0; i < BIS_ARRAY_SIZE(isas); i++) {
		struct bis_machine *m = make(isas[i], 1);
		struct bis_hart *h = rig_hart(m);
		uint64_t asleep;

		rig_set_csr(m, CSR_SIE, SSIP);
		assert_int_equal(call(m, HSM, 3, ARGS(0, 0, 7)), 0);
		assert_ok(bis_machine_resume(m));
		rig_wait_for(bis_hart_sleeping(h));
		asleep = bis_hart_instret(h);
		bis_hart_set_line(h, BIS_LINE_SSIP, true);
		rig_wait_for(bis_hart_instret(h) > asleep);
		assert_ok(bis_machine_pause(m));
		assert_int_equal(bis_hart_pc(h), RIG_CODE + 4);
		assert_int_equal(rig_reg(m, A0), 0);
		bis_machine_destroy(m);
	}
}

static void a_non_retentive_suspend_resumes_elsewhere(void **state)
{
	struct bis_machine *m = make("rv64gc", 1);
	struct bis_hart *h = rig_hart(m);

	(void)state;
	assert_int_equal(call(m, HSM, 3, ARGS(0x80000000, ALL)), INVALID_ADDRESS);
	assert_int_equal(call(m, HSM, 3, ARGS(0x80000000, OTHER + 1)), INVALID_ADDRESS);
	assert_int_equal(call(m, HSM, 3, ARGS(1)), INVALID_PARAM);
	assert_int_equal(call(m, HSM, 3, ARGS(0x10000000)), INVALID_PARAM);
	assert_int_equal(call(m, HSM, 3, ARGS(0x80000001, OTHER)), INVALID_PARAM);
	rig_set_csr(m, CSR_SIE, SSIP);
	rig_set_csr(m, CSR_SSTATUS, 2);
	/* As RV64 code passes a 32-bit argument: sign-extended. */
	prepare(m, HSM, 3, ARGS(UINT64_C(0xffffffff80000000), OTHER, 0x1234));
	assert_ok(bis_machine_resume(m));
	rig_wait_for(bis_hart_sleeping(h));
	bis_hart_set_line(h, BIS_LINE_SSIP, true);
	rig_wait_for(!bis_hart_sleeping(h));
	assert_ok(bis_machine_pause(m));
	assert_int_equal(bis_hart_pc(h), OTHER);
	assert_int_equal(rig_reg(m, A0), 0);
	assert_int_equal(rig_reg(m, A1), 0x1234);
	assert_int_equal(rig_csr(m, CSR_SSTATUS) & 2, 0);
	bis_machine_destroy(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hart_0_starts_in_s_mode_and_the_others_wait),
		cmocka_unit_test(s_mode_needs_no_machine_mode),
		cmocka_unit_test(calls_from_u_mode_are_the_guest_s_own),
		cmocka_unit_test(the_timer_fires_with_and_without_sstc),
		cmocka_unit_test(interrupts_reach_the_harts_that_are_named),
		cmocka_unit_test(masks_that_name_a_missing_hart_are_refused),
		cmocka_unit_test(a_stopped_hart_is_started_where_asked),
		cmocka_unit_test(impossible_starts_are_refused),
		cmocka_unit_test(a_hart_stops_itself),
		cmocka_unit_test(a_suspended_hart_wakes_and_returns),
		cmocka_unit_test(a_non_retentive_suspend_resumes_elsewhere),
	};

	return cmocka_run_group_tests_name("sbi_harts", tests, NULL, NULL);
}
