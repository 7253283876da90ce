/*
 * What firmware modules do to harts (BOOT attachment, entering, halting, launching, remote fences), with a module of
 * the test as the firmware; and the virtual clock.
 */
#include <errno.h>

#include "tests/unit/rig.h"

#define SENTINEL 0x5a

/* The firmware: hart 0 enters S-mode, the others wait. */
static void boot(void *self, struct bis_hart *h)
{
	unsigned *boots = self;

	(*boots)++;
	assert_ok(bis_hart_csr_set(h, CSR_PMPADDR0, UINT64_MAX));
	assert_ok(bis_hart_csr_set(h, CSR_PMPCFG0, 0x1f));
	assert_ok(bis_hart_csr_set(h, 0x306, 7)); /* mcounteren: S-mode may read the time */
	assert_ok(bis_hart_csr_set(h, CSR_MIDELEG, 1 << BIS_LINE_SSIP | 1 << BIS_LINE_STIP));
	if (bis_hart_id(h))
		bis_hart_halt(h);
	else
		bis_hart_enter(h, BIS_PRIV_S, bis_hart_pc(h), SENTINEL, bis_hart_reg(h, A1));
}

/*
 * ecall from S: a7 = 0 launches hart a0 at a1 and answers; 1 sets SSIP of hart a0; 2 fences hart a0; 3 halts the
 * caller; 4 sleeps; 5 sets the timer to a0.
 */
static bool serve(void *self, struct bis_hart *h, uint64_t cause, uint64_t tval)
{
	struct bis_machine *m = bis_hart_machine(h);
	struct bis_hart *other = bis_machine_hart(m, (unsigned)bis_hart_reg(h, A0));

	(void)self;
	(void)tval;
	assert_int_equal(cause, BIS_CAUSE_ECALL_S);
	bis_hart_set_pc(h, bis_hart_pc(h) + 4);
	switch (bis_hart_reg(h, A7)) {
	case 0:
		bis_hart_set_reg(h, A0, (uint64_t)bis_hart_launch(other, BIS_PRIV_S, bis_hart_reg(h, A1), SENTINEL));
		break;
	case 1:
		bis_hart_set_line(other, BIS_LINE_SSIP, true);
		break;
	case 2:
		bis_hart_fence_others(h, UINT64_C(1) << bis_hart_reg(h, A0));
		break;
	case 3:
		bis_hart_halt(h);
		break;
	case 4:
		bis_hart_sleep(h);
		break;
	default:
		bis_hart_set_stimecmp(h, bis_hart_reg(h, A0));
	}
	return true;
}

static int firmware_create(struct bis_module *mod, const struct bis_options *options, void **self)
{
	static unsigned boots;

	(void)mod;
	(void)options;
	boots = 0;
	*self = &boots;
	return 0;
}

static int firmware_attach(struct bis_module *mod, void *self)
{
	int err = bis_attach_boot(mod, boot);

	(void)self;
	return err ? err : bis_attach_trap(mod, UINT64_C(1) << BIS_CAUSE_ECALL_S, serve);
}

static void firmware_destroy(void *self)
{
	(void)self;
}

static const struct bis_module_class firmware_class = {.abi = BIS_MODULE_ABI,
						       .name = "firmware",
						       .summary = "the firmware of the test",
						       .create = firmware_create,
						       .attach = firmware_attach,
						       .destroy = firmware_destroy};

static struct bis_machine *make(unsigned harts, enum bis_clock clock)
{
	static const struct bis_module_class *const classes[] = {&bis_riscv_class, &bis_sv_class, &firmware_class,
								 NULL};
	struct bis_machine_config cfg = {
		.ram_size = RIG_RAM_SIZE, .harts = harts, .isa = "rv64", .classes = classes, .clock = clock};
	struct bis_machine *m = NULL;

	assert_ok(bis_machine_create(&cfg, &m));
	rig_add(m, "riscv");
	rig_add(m, "sv");
	rig_add(m, "firmware");
	bis_machine_set_entry(m, RIG_CODE, RIG_DATA, 7);
	return m;
}

/* The first words of every program: s1 = RIG_DATA, which is in a1. */
#define CALL(number) LI(A7, number), ECALL

static void a_boot_function_prepares_each_hart(void **state)
{
	static const uint32_t code[] = {SD(A0, 0, A1), SD(A2, 8, A1), CSRRS(T0, 0x104, ZERO), SD(T0, 16, A1), SPIN};
	struct bis_machine *m = make(2, BIS_CLOCK_HOST);

	(void)state;
	rig_set64(m, RIG_DATA + 16, 1);
	RIG_LOAD(m, RIG_CODE, code);
	assert_ok(bis_machine_start(m));
	rig_wait_for(rig_get64(m, RIG_DATA + 16) == 0);
	assert_int_equal(rig_get64(m, RIG_DATA), SENTINEL);
	assert_int_equal(rig_get64(m, RIG_DATA + 8), 7); /* a2 as given */
	assert_false(bis_hart_halted(bis_machine_hart(m, 0)));
	assert_true(bis_hart_halted(bis_machine_hart(m, 1)));
	assert_int_equal(bis_hart_instret(bis_machine_hart(m, 1)), 0);
	assert_ok(bis_machine_pause(m));
	assert_int_equal(bis_hart_priv(bis_machine_hart(m, 0)), BIS_PRIV_S);
	/* And again at a reset. */
	rig_set64(m, RIG_DATA, 0);
	assert_ok(bis_machine_reset(m));
	assert_int_equal(*(unsigned *)bis_module_self(bis_machine_find(m, "firmware")), 4);
	assert_ok(bis_machine_resume(m));
	rig_wait_for(rig_get64(m, RIG_DATA) == SENTINEL);
	bis_machine_destroy(m);
}

/* Bit 0 of pc is always clear: instructions are read in halves of 16 bits, which do not go over the end of memory. */
static void no_hart_starts_at_an_odd_address(void **state)
{
	struct bis_machine *m = make(2, BIS_CLOCK_HOST);

	(void)state;
	rig_set32(m, RIG_CODE, SPIN);
	bis_machine_set_entry(m, RIG_CODE | 1, RIG_DATA, 0);
	assert_ok(bis_machine_start(m));
	assert_ok(bis_hart_launch(bis_machine_hart(m, 1), BIS_PRIV_S, RIG_CODE | 1, 0));
	rig_wait_for(bis_hart_instret(bis_machine_hart(m, 1)) > 0);
	assert_ok(bis_machine_pause(m));
	for (unsigned i = 0; i < 2; i++)
		assert_int_equal(bis_hart_pc(bis_machine_hart(m, i)), RIG_CODE);
	assert_ok(bis_machine_reset(m));
	assert_int_equal(bis_hart_pc(rig_hart(m)), RIG_CODE);
	bis_machine_destroy(m);
}

static void a_halted_hart_is_launched_once(void **state)
{
	static const uint32_t code[] = {
		MV(S1, A1),    AUIPC(A1, 0),   ADDI(A1, A1, 0x100 - 4),
		LI(A0, 1),     MV(S0, A1),     CALL(0),
		SD(A0, 0, S1), /* launched */
		LI(A0, 1),     MV(A1, S0),     CALL(0),
		SD(A0, 8, S1), /* a second time */
		LI(T0, 1),     SD(T0, 16, S1), SPIN,
	};
	static const uint32_t second[] = {LUI(S1, 0x80100), SLLI(S1, S1, 32), 0x0204d493 /* srli s1, s1, 32 */,
					  SD(A0, 24, S1),   SD(A1, 32, S1),   SPIN};
	struct bis_machine *m = make(2, BIS_CLOCK_HOST);

	(void)state;
	RIG_LOAD(m, RIG_CODE, code);
	RIG_LOAD(m, RIG_CODE + 0x100, second);
	assert_ok(bis_machine_start(m));
	rig_wait_for(rig_get64(m, RIG_DATA + 16) == 1 && rig_get64(m, RIG_DATA + 32));
	assert_int_equal(rig_get64(m, RIG_DATA), 0);
	assert_int_equal((int64_t)rig_get64(m, RIG_DATA + 8), -EALREADY);
	assert_int_equal(rig_get64(m, RIG_DATA + 24), 1); /* a0 is the hart's id */
	assert_int_equal(rig_get64(m, RIG_DATA + 32), SENTINEL);
	bis_machine_destroy(m);
}

static void a_halted_hart_takes_no_interrupt_and_survives_a_pause(void **state)
{
	static const uint32_t code[] = {MV(S1, A1),    LI(T0, 2), CSRRS(ZERO, 0x104, T0), LI(T0, 1),
					SD(T0, 0, S1), CALL(3),	  SD(T0, 8, S1),	  SPIN};
	struct bis_machine *m = make(1, BIS_CLOCK_HOST);
	struct bis_hart *h = rig_hart(m);

	(void)state;
	RIG_LOAD(m, RIG_CODE, code);
	assert_ok(bis_machine_start(m));
	rig_wait_for(rig_get64(m, RIG_DATA) == 1 && bis_hart_sleeping(h));
	bis_hart_set_line(h, BIS_LINE_SSIP, true);
	assert_ok(bis_machine_pause(m));
	assert_ok(bis_machine_step(m, 5));
	assert_true(bis_hart_halted(h));
	assert_ok(bis_machine_resume(m));
	rig_wait_for(bis_hart_sleeping(h));
	assert_int_equal(rig_get64(m, RIG_DATA + 8), 0);
	assert_ok(bis_hart_launch(h, BIS_PRIV_S, RIG_CODE + 6 * 4 + 4, 0)); /* behind the call */
	rig_wait_for(!bis_hart_halted(h));
	bis_machine_destroy(m);
}

/* What another hart sets, the guest clears; clearing one bit leaves the other alone. */
static void ssip_from_outside_is_cleared_by_the_guest(void **state)
{
	static const uint32_t code[] = {MV(S1, A1),
					LI(T0, 2),
					CSRRS(ZERO, 0x104, T0),
					0x10500073 /* wfi */,
					CSRRS(T1, 0x144, ZERO),
					SD(T1, 0, S1),
					CSRRS(ZERO, 0x144, ZERO),
					LI(T0, 0x200),
					CSRRC(ZERO, 0x144, T0),
					CSRRS(T1, 0x144, ZERO),
					SD(T1, 8, S1),
					LI(T0, 2),
					CSRRC(ZERO, 0x144, T0),
					CSRRS(T1, 0x144, ZERO),
					SD(T1, 16, S1),
					LI(T0, 1),
					SD(T0, 24, S1),
					SPIN};
	struct bis_machine *m = make(1, BIS_CLOCK_HOST);

	(void)state;
	RIG_LOAD(m, RIG_CODE, code);
	assert_ok(bis_machine_start(m));
	rig_wait_for(bis_hart_sleeping(rig_hart(m)));
	bis_hart_set_line(rig_hart(m), BIS_LINE_SSIP, true);
	rig_wait_for(rig_get64(m, RIG_DATA + 24) == 1);
	assert_int_equal(rig_get64(m, RIG_DATA), 2);
	assert_int_equal(rig_get64(m, RIG_DATA + 8), 2);
	assert_int_equal(rig_get64(m, RIG_DATA + 16), 0);
	bis_machine_destroy(m);
}

/* set_stimecmp drives STIP whether the harts have Sstc or not. */
static void the_firmware_timer_wakes(void **state)
{
	static const uint32_t code[] = {MV(S1, A1),
					LI(T0, 0x20),
					CSRRS(ZERO, 0x104, T0),
					CSRRS(A0, 0xc01, ZERO),
					ADDI(A0, A0, 2000),
					CALL(5),
					CSRRS(T1, 0x144, ZERO),
					SD(T1, 0, S1),
					CALL(4),
					CSRRS(T1, 0x144, ZERO),
					SD(T1, 8, S1),
					LI(A0, -1),
					CALL(5),
					CSRRS(T1, 0x144, ZERO),
					SD(T1, 16, S1),
					LI(T0, 1),
					SD(T0, 24, S1),
					SPIN};

	(void)state;
	for (unsigned clock = 0; clock < 2; clock++) {
		struct bis_machine *m = make(1, (enum bis_clock)clock);

		RIG_LOAD(m, RIG_CODE, code);
		assert_ok(bis_machine_start(m));
		rig_wait_for(rig_get64(m, RIG_DATA + 24) == 1);
		assert_int_equal(rig_get64(m, RIG_DATA + 8), 0x20);
		assert_int_equal(rig_get64(m, RIG_DATA + 16), 0);
		bis_machine_destroy(m);
	}
}

/* A remote fence returns only when the other hart uses the new page table. */
static void a_remote_fence_reaches_a_running_hart(void **state)
{
	enum { OLD = 0x200000, NEW = 0x201000, FLAG = 0x202000, TABLES = 0x300000 };
	/* hart 1: copies what it sees at the virtual page to FLAG for ever */
	static const uint32_t second[] = {LD(T0, 0, A0), SD(T0, 0, A2), J(-8)};
	static const uint32_t code[] = {MV(S1, A1), LI(A0, 1), CALL(2), LD(T0, 0, S0), SD(T0, 0, S1), SPIN};
	struct bis_machine *m = make(2, BIS_CLOCK_HOST);
	struct rig_tables t = rig_tables_at(m, BIS_RAM_BASE + TABLES);
	uint64_t va = UINT64_C(0x40000000), ram = BIS_RAM_BASE;
	struct bis_hart *h1 = bis_machine_hart(m, 1);

	(void)state;
	rig_map(&t, ram, ram, 2, PTE_RWX);
	rig_map(&t, va, ram + OLD, 0, PTE_RWX);
	rig_set64(m, ram + OLD, 111);
	rig_set64(m, ram + NEW, 222);
	RIG_LOAD(m, RIG_CODE, code);
	RIG_LOAD(m, RIG_CODE + 0x400, second);
	rig_set32(m, RIG_SPIN, SPIN);
	bis_machine_set_entry(m, RIG_SPIN, RIG_DATA, 0);
	assert_ok(bis_machine_start(m));
	assert_ok(bis_hart_launch(h1, BIS_PRIV_S, RIG_SPIN, 0));
	rig_wait_for(!bis_hart_halted(h1) && bis_hart_instret(h1) > 0);
	assert_ok(bis_machine_pause(m));
	assert_ok(bis_hart_csr_set(h1, CSR_SATP, UINT64_C(8) << 60 | t.root >> 12));
	bis_hart_set_reg(h1, A0, va);
	bis_hart_set_reg(h1, A2, ram + FLAG);
	bis_hart_set_pc(h1, RIG_CODE + 0x400);
	assert_ok(bis_machine_resume(m));
	rig_wait_for(rig_get64(m, ram + FLAG) == 111);
	rig_map(&t, va, ram + NEW, 0, PTE_RWX);
	assert_ok(bis_machine_pause(m));
	/* Hart 0 fences hart 1, and then reads what hart 1 wrote a while later. */
	bis_hart_set_reg(rig_hart(m), S0, ram + FLAG);
	bis_hart_set_pc(rig_hart(m), RIG_CODE);
	assert_ok(bis_machine_resume(m));
	rig_wait_for(rig_get64(m, RIG_DATA) != 0);
	rig_wait_for(rig_get64(m, ram + FLAG) == 222);
	bis_machine_destroy(m);
}

static void virtual_addresses_are_read_through_the_tables(void **state)
{
	struct bis_machine *m = make(1, BIS_CLOCK_HOST);
	struct rig_tables t = rig_tables_at(m, BIS_RAM_BASE + 0x300000);
	uint8_t got[8];

	(void)state;
	rig_start_paused(m);
	rig_map(&t, 0x1000, BIS_RAM_BASE + 0x5000, 0, PTE_RWX);
	rig_map(&t, 0x2000, BIS_RAM_BASE + 0x9000, 0, PTE_RWX);
	rig_write(m, BIS_RAM_BASE + 0x5ffc, "abcd", 4);
	rig_write(m, BIS_RAM_BASE + 0x9000, "efgh", 4);
	rig_enter_s(&t);
	assert_ok(bis_hart_read_virtual(rig_hart(m), 0x1ffc, got, 8)); /* over two pages */
	assert_memory_equal(got, "abcdefgh", 8);
	assert_fails(bis_hart_read_virtual(rig_hart(m), 0x2ffc, got, 8), -EFAULT, "not mapped");
	bis_machine_destroy(m);
}

/* --- The virtual clock --- */

/* 10 ns an instruction: two reads of `time` 1000 instructions apart differ by 100 ticks, each time alike. */
static void virtual_time_counts_instructions(void **state)
{
	static const uint32_t code[] = {MV(S1, A1),
					LI(T1, 1000),
					CSRRS(S0, 0xc01, ZERO),
					ADDI(T1, T1, -1),
					BNE(T1, ZERO, -4),
					CSRRS(T0, 0xc01, ZERO),
					SUB(T0, T0, S0),
					SD(T0, 0, S1),
					LI(T0, 1),
					SD(T0, 8, S1),
					SPIN};
	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		struct bis_machine *m = make(1, BIS_CLOCK_VIRTUAL);

		RIG_LOAD(m, RIG_CODE, code);
		assert_ok(bis_machine_start(m));
		rig_wait_for(rig_get64(m, RIG_DATA + 8) == 1);
		assert_int_equal(rig_get64(m, RIG_DATA), 200); /* 2001 instructions of 10 ns, in 100 ns */
		bis_machine_destroy(m);
	}
}

/* The timer interrupt comes at the same instruction every time, and a sleeping machine's time moves to the deadline. */
static void virtual_time_is_repeatable(void **state)
{
	static const uint32_t code[] = {MV(S1, A1),
					LI(T0, 0x20),
					CSRRS(ZERO, 0x104, T0),
					AUIPC(T0, 0),
					ADDI(T0, T0, 0x200 - 12),
					CSRRW(ZERO, 0x105, T0),
					CSRRS(A0, 0xc01, ZERO),
					ADDI(A0, A0, 1234),
					CALL(5),
					LI(T0, 2),
					CSRRS(ZERO, 0x100, T0),
					ADDI(T1, T1, 1),
					J(-4)};
	static const uint32_t handler[] = {
		SD(T1, 0, S1),		CSRRS(A0, 0xc01, ZERO), LUI(T0, 0x8), ADD(A0, A0, T0), CALL(5), CALL(4),
		CSRRS(A0, 0xc01, ZERO), SD(A0, 8, S1),		LI(T0, 1),    SD(T0, 16, S1),  SPIN};
	uint64_t count = 0, time = 0;

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		struct bis_machine *m = make(1, BIS_CLOCK_VIRTUAL);

		RIG_LOAD(m, RIG_CODE, code);
		RIG_LOAD(m, RIG_CODE + 0x200, handler);
		assert_ok(bis_machine_start(m));
		rig_wait_for(rig_get64(m, RIG_DATA + 16) == 1);
		if (i) {
			assert_int_equal(rig_get64(m, RIG_DATA), count);
			assert_int_equal(rig_get64(m, RIG_DATA + 8), time);
		}
		count = rig_get64(m, RIG_DATA);
		time = rig_get64(m, RIG_DATA + 8);
		assert_true(count > 5000 && count < 7000);
		assert_true(time > 0x8000 + 1234 && time < 0x8000 + 1234 + 100);
		bis_machine_destroy(m);
	}
}

/* A sleeping hart is woken by the time that another one spends computing. */
static void virtual_time_of_one_hart_wakes_another(void **state)
{
	static const uint32_t code[] = {MV(S1, A1), AUIPC(A1, 0), ADDI(A1, A1, 0x100 - 4), LI(A0, 1), CALL(0), SPIN};
	static const uint32_t second[] = {LUI(S1, 0x80100),
					  SLLI(S1, S1, 32),
					  0x0204d493 /* srli s1, s1, 32 */,
					  LI(T0, 0x20),
					  CSRRS(ZERO, 0x104, T0),
					  CSRRS(A0, 0xc01, ZERO),
					  LUI(T0, 0x100),
					  ADD(A0, A0, T0),
					  CALL(5),
					  CALL(4),
					  LI(T0, 1),
					  SD(T0, 0, S1),
					  SPIN};
	struct bis_machine *m = make(2, BIS_CLOCK_VIRTUAL);

	(void)state;
	RIG_LOAD(m, RIG_CODE, code);
	RIG_LOAD(m, RIG_CODE + 0x100, second);
	assert_ok(bis_machine_start(m));
	rig_wait_for(rig_get64(m, RIG_DATA) == 1);
	assert_true(bis_machine_ticks(m) >= 0x100000);
	assert_ok(bis_machine_pause(m));
	bis_machine_destroy(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_boot_function_prepares_each_hart),
		cmocka_unit_test(no_hart_starts_at_an_odd_address),
		cmocka_unit_test(a_halted_hart_is_launched_once),
		cmocka_unit_test(a_halted_hart_takes_no_interrupt_and_survives_a_pause),
		cmocka_unit_test(ssip_from_outside_is_cleared_by_the_guest),
		cmocka_unit_test(the_firmware_timer_wakes),
		cmocka_unit_test(a_remote_fence_reaches_a_running_hart),
		cmocka_unit_test(virtual_addresses_are_read_through_the_tables),
		cmocka_unit_test(virtual_time_counts_instructions),
		cmocka_unit_test(virtual_time_is_repeatable),
		cmocka_unit_test(virtual_time_of_one_hart_wakes_another),
	};

	return cmocka_run_group_tests_name("firmware", tests, NULL, NULL);
}
