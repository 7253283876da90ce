/* Harts that sleep: what wakes them, what does not, and that they cost nothing meanwhile. */
#include "tests/unit/rig.h"

/* Sleeps, then counts its wake-ups in A2. Interrupts are enabled one by one in mie but not globally. */
static const uint32_t sleeper[] = {
	WFI,	ADDI(A2, A2, 1), SD(A2, 0, A3), CSRRC(ZERO, CSR_MIE, A4), /* the cause that woke it is switched off */
	J(-16),
};

static struct bis_machine *start_sleeper(uint64_t mie)
{
	struct bis_machine *m = rig_create("rv64", 1);

	RIG_LOAD(m, RIG_CODE, sleeper);
	rig_start_paused(m);
	bis_hart_set_pc(rig_hart(m), RIG_CODE);
	bis_hart_set_reg(rig_hart(m), A3, RIG_DATA);
	bis_hart_set_reg(rig_hart(m), A4, mie);
	rig_set_csr(m, CSR_MIE, mie);
	assert_ok(bis_machine_resume(m));
	rig_wait_for(bis_hart_sleeping(rig_hart(m)));
	return m;
}

static void a_sleeping_hart_executes_nothing(void **state)
{
	struct bis_machine *m = start_sleeper(0x888);
	uint64_t asleep = bis_hart_instret(rig_hart(m));

	(void)state;
	for (unsigned i = 0; i < 1000; i++) {
		assert_true(bis_hart_sleeping(rig_hart(m)));
		assert_int_equal(bis_hart_instret(rig_hart(m)), asleep);
		sched_yield();
	}
	assert_int_equal(rig_get64(m, RIG_DATA), 0);
	bis_machine_destroy(m);
}

static void a_line_wakes(void **state)
{
	struct bis_machine *m = start_sleeper(1 << BIS_LINE_MSIP);
	struct bis_hart *h = rig_hart(m);

	(void)state;
	bis_hart_set_line(h, BIS_LINE_MEIP, true); /* not enabled: sleeps on */
	bis_hart_set_line(h, BIS_LINE_MEIP, false);
	bis_hart_set_line(h, BIS_LINE_MSIP, true);
	rig_wait_for(rig_get64(m, RIG_DATA) == 1);
	rig_wait_for(bis_hart_sleeping(h));
	assert_int_equal(rig_get64(m, RIG_DATA), 1);
	bis_machine_destroy(m);
}

static void the_timer_wakes(void **state)
{
	struct bis_machine *m = start_sleeper(1 << BIS_LINE_MTIP);
	uint64_t due = bis_machine_ticks(m) + BIS_TIMEBASE_HZ / 100;

	(void)state;
	bis_hart_set_mtimecmp(rig_hart(m), due);
	rig_wait_for(rig_get64(m, RIG_DATA) == 1);
	assert_true(bis_machine_ticks(m) >= due);
	rig_wait_for(bis_hart_sleeping(rig_hart(m)));
	bis_machine_destroy(m);
}

static void sstc_wakes(void **state)
{
	struct bis_machine *m = start_sleeper(1 << BIS_LINE_STIP);

	(void)state;
	assert_ok(bis_machine_pause(m));
	rig_set_csr(m, 0x30a, UINT64_C(1) << 63); /* menvcfg.STCE */
	rig_set_csr(m, 0x14d, bis_machine_ticks(m) + BIS_TIMEBASE_HZ / 100);
	assert_ok(bis_machine_resume(m));
	rig_wait_for(rig_get64(m, RIG_DATA) == 1);
	bis_machine_destroy(m);
}

/* A pause ends the sleep without an instruction, and a resumed hart sleeps on. */
static void a_pause_interrupts_sleep(void **state)
{
	struct bis_machine *m = start_sleeper(1 << BIS_LINE_MSIP);
	uint64_t asleep = bis_hart_instret(rig_hart(m));

	(void)state;
	for (unsigned i = 0; i < 20; i++) {
		assert_ok(bis_machine_pause(m));
		assert_int_equal(bis_hart_pc(rig_hart(m)), RIG_CODE + 4);
		assert_ok(bis_machine_step(m, 10));
		assert_int_equal(bis_hart_instret(rig_hart(m)), asleep);
		assert_ok(bis_machine_resume(m));
		rig_wait_for(bis_hart_sleeping(rig_hart(m)));
		assert_int_equal(bis_hart_instret(rig_hart(m)), asleep);
	}
	bis_hart_set_line(rig_hart(m), BIS_LINE_MSIP, true);
	rig_wait_for(rig_get64(m, RIG_DATA) == 1);
	bis_machine_destroy(m);
}

/* The other hart's interrupt through a register: hart 0 wakes hart 1 by writing the CLINT's msip. */
static void another_hart_wakes(void **state)
{
	static const uint32_t code[] = {
		BNE(A0, ZERO, 20), /* hart 1 sleeps */
		LUI(T0, 0x2000),   /* the CLINT */
		LI(T1, 1),
		SW(T1, 4, T0), /* msip of hart 1 */
		SPIN,
		LI(T1, 8),
		CSRW(CSR_MIE, T1),
		WFI,
		CSRR(T1, CSR_MIP),
		SD(T1, 0, A1),
		SPIN,
	};
	struct bis_machine *m = rig_create("rv64", 2);

	(void)state;
	rig_add(m, "clint,at=0x2000000");
	RIG_LOAD(m, RIG_CODE, code);
	bis_machine_set_entry(m, RIG_CODE, RIG_DATA, 0);
	assert_ok(bis_machine_start(m));
	rig_wait_for(rig_get64(m, RIG_DATA) == 8);
	bis_machine_destroy(m);
}

/* A timer interrupt comes through although the hart below only takes traps of its own. */
static void the_timer_interrupts_an_endless_trap(void **state)
{
	static const uint32_t handler[] = {SD(A3, 0, A3), SPIN};
	struct bis_machine *m = rig_create("rv64", 1);

	(void)state;
	RIG_LOAD(m, RIG_CODE, handler);
	rig_start_paused(m);
	rig_set_csr(m, CSR_MTVEC, RIG_CODE);
	rig_set_csr(m, CSR_MEDELEG, 1 << BIS_CAUSE_FETCH_PAGE | 1 << BIS_CAUSE_FETCH_ACCESS);
	rig_set_csr(m, CSR_MIE, 1 << BIS_LINE_MTIP);
	rig_set_csr(m, CSR_PMPCFG0, 0x1f); /* everything, S-mode included */
	rig_set_csr(m, CSR_PMPADDR0, UINT64_MAX);
	rig_set_csr(m, CSR_STVEC, 0x1000); /* no memory there */
	bis_hart_set_reg(rig_hart(m), A3, RIG_DATA);
	bis_hart_set_priv(rig_hart(m), BIS_PRIV_S);
	bis_hart_set_pc(rig_hart(m), 0x1000);
	bis_hart_set_mtimecmp(rig_hart(m), bis_machine_ticks(m) + BIS_TIMEBASE_HZ / 1000);
	assert_ok(bis_machine_resume(m));
	rig_wait_for(rig_get64(m, RIG_DATA) == RIG_DATA);
	bis_machine_destroy(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_sleeping_hart_executes_nothing),
		cmocka_unit_test(a_line_wakes),
		cmocka_unit_test(the_timer_wakes),
		cmocka_unit_test(sstc_wakes),
		cmocka_unit_test(a_pause_interrupts_sleep),
		cmocka_unit_test(another_hart_wakes),
		cmocka_unit_test(the_timer_interrupts_an_endless_trap),
	};

	return cmocka_run_group_tests_name("sleep", tests, NULL, NULL);
}
