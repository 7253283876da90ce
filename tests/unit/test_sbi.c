/*
 * The built-in SBI: what it says of itself, what it refuses, console, reset and the legacy calls.
 */
#include "tests/unit/sbi_rig.h"

/* --- What is there --- */

static void the_base_extension_describes_the_implementation(void **state)
{
	static const char *const isas[] = {EVENLY};
	static const uint32_t there[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, BASE, TIME, IPI, RFENCE, HSM, SRST, DBCN};
	static const uint32_t absent[] = {9, 0xf, 0x11, 0x504d55 /* PMU */, 0x53555350 /* SUSP */, 0x7fffffff};

	(void)state;
	for (size_t i = 0; i < BIS_ARRAY_SIZE(isas); i++) {
		struct bis_machine *m = make(isas[i], 1);

		assert_value(m, BASE, 0, ARGS(0), 2 << 24);
		assert_value(m, BASE, 1, ARGS(0), 0x426973);
		assert_int_equal(call(m, BASE, 2, ARGS(0)), 0);
		for (size_t k = 0; k < BIS_ARRAY_SIZE(there); k++)
			assert_value(m, BASE, 3, ARGS(there[k]), 1);
		for (size_t k = 0; k < BIS_ARRAY_SIZE(absent); k++)
			assert_value(m, BASE, 3, ARGS(absent[k]), 0);
		for (unsigned fid = 4; fid <= 6; fid++)
			assert_value(m, BASE, fid, ARGS(0), (int64_t)rig_csr(m, 0xf11 + fid - 4));
		bis_machine_destroy(m);
	}
}

static void unknown_extensions_and_functions_are_refused(void **state)
{
	static const struct {
		uint64_t eid, fid;
	} calls[] = {{9, 0},	  {0xf, 0},	   {BASE, 7}, {BASE, ALL}, {TIME, 1},  {IPI, 1},      {RFENCE, 3},
		     {RFENCE, 6}, {RFENCE, 7},	   {HSM, 4},  {SRST, 1},   {DBCN, 3},  {0x504d55, 0}, {ALL, ALL},
		     {TIME, ALL}, {0x80000000, 0}, {11, 2},   {0xa, 1},	   {HSM, 256}, {0x535441, 0}, {0x4e41434c, 1}};
	static const char *const isas[] = {EVENLY};

	(void)state;
	for (size_t i = 0; i < BIS_ARRAY_SIZE(isas); i++) {
		struct bis_machine *m = make(isas[i], 1);

		for (size_t k = 0; k < BIS_ARRAY_SIZE(calls); k++)
			assert_int_equal(call(m, calls[k].eid, calls[k].fid, ARGS(1, 2, 3)), NOT_SUPPORTED);
		bis_machine_destroy(m);
	}
}

static void all_other_registers_are_preserved(void **state)
{
	static const struct {
		uint64_t eid, fid;
		bool a1; /* a1 is preserved, too */
	} calls[] = {{BASE, 0, false}, {TIME, 0, false}, {RFENCE, 0, false}, {HSM, 2, false}, {0x777, 0, false},
		     {0, 0, true},     {2, 0, true},	 {3, 0, true},	     {5, 0, true}};
	struct bis_machine *m = make("rv64gc", 1);

	(void)state;
	for (size_t i = 0; i < BIS_ARRAY_SIZE(calls); i++) {
		prepare(m, calls[i].eid, calls[i].fid, ARGS(0, ALL, 2, 3, 4, 5));
		for (unsigned r = 1; r < 64; r++)
			if (r < A0 || r > A7)
				bis_hart_set_reg(rig_hart(m), r, 1000 + r);
		assert_ok(bis_machine_step(m, 1));
		assert_int_equal(bis_hart_pc(rig_hart(m)), RIG_CODE + 4);
		for (unsigned r = 1; r < 64; r++)
			if (r < A0 || r > A7)
				assert_int_equal(rig_reg(m, r), 1000 + r);
		if (calls[i].a1)
			assert_int_equal(rig_reg(m, A1), ALL);
		for (unsigned r = A2; r <= A5; r++)
			assert_int_equal(rig_reg(m, r), r - A0);
		assert_int_equal(rig_reg(m, A6), calls[i].fid);
		assert_int_equal(rig_reg(m, A7), calls[i].eid);
	}
	bis_machine_destroy(m);
}

/* --- The console --- */

static void the_debug_console_writes_and_reads(void **state)
{
	static const char *const isas[] = {EVENLY};
	char got[8] = {0};

	(void)state;
	for (size_t i = 0; i < BIS_ARRAY_SIZE(isas); i++) {
		struct bis_machine *m = make(isas[i], 1);

		rig_write(m, RIG_DATA, "hello world", 11);
		assert_value(m, DBCN, 0, ARGS(11, RIG_DATA), 11);
		assert_value(m, DBCN, 2, ARGS('!'), 0);
		assert_int_equal(call(m, 1, 0, ARGS('?')), 0);
		assert_int_equal(tty.len, 13);
		assert_memory_equal(tty.out, "hello world!?", 13);
		assert_value(m, DBCN, 0, ARGS(0, RIG_DATA), 0);
		assert_value(m, DBCN, 1, ARGS(8, RIG_DATA), 0); /* nobody has typed */
		assert_int_equal(call(m, 2, 0, ARGS(0)), -1);
		type(m, "abcde");
		assert_int_equal(call(m, 2, 0, ARGS(0)), 'a');
		assert_value(m, DBCN, 1, ARGS(2, RIG_DATA), 2);
		assert_value(m, DBCN, 1, ARGS(6, RIG_DATA + 2), 2);
		assert_ok(bis_mem_read(bis_machine_memory(m), (bis_gpa){RIG_DATA}, got, 5));
		assert_memory_equal(got, "bcdeo", 5);
		bis_machine_destroy(m);
	}
}

/* A byte with bit 7 set is input like any other. */
static void getchar_gives_every_byte(void **state)
{
	struct bis_machine *m = make("rv32gc", 1);

	(void)state;
	type(m, "\xff\x80");
	assert_int_equal(call(m, 2, 0, ARGS(0)), 0xff);
	assert_int_equal(call(m, 2, 0, ARGS(0)), 0x80);
	bis_machine_destroy(m);
}

static void a_full_console_takes_a_part_and_blocks_single_bytes(void **state)
{
	struct bis_machine *m = make("rv64gc", 1);
	struct bis_hart *h = rig_hart(m);
	uint64_t calls;

	(void)state;
	tty.room = 0;
	assert_value(m, DBCN, 0, ARGS(0x100000, RIG_DATA), BIS_CHARDEV_QUEUE);
	assert_value(m, DBCN, 0, ARGS(5, RIG_DATA), 0);
	for (unsigned i = 0; i < 2; i++) {
		prepare(m, i ? 1 : DBCN, 2, ARGS('x'));
		assert_ok(bis_machine_step(m, 1));
		assert_int_equal(bis_hart_pc(h), RIG_CODE); /* still waiting, and the machine can be paused */
		calls = rig_reg(m, A0);
		assert_int_equal(calls, 'x');
		assert_ok(bis_machine_resume(m));
		assert_ok(bis_machine_pause(m));
		assert_int_equal(bis_hart_pc(h), RIG_CODE);
		make_room(m, 1);
		assert_ok(bis_machine_step(m, 1));
		assert_int_equal(bis_hart_pc(h), RIG_CODE + 4);
		assert_int_equal(rig_reg(m, A0), 0);
	}
	bis_machine_destroy(m);
}

static void wild_console_addresses_are_refused(void **state)
{
	static const uint64_t end = BIS_RAM_BASE + RIG_RAM_SIZE;
	static const struct {
		uint64_t len, low, high;
	} wild[] = {{1, 0, 0},
		    {2, end - 1, 0},
		    {1, end, 0},
		    {1, BIS_RAM_BASE - 1, 0},
		    {ALL, RIG_DATA, 0},
		    {1, ALL, 0},
		    {ALL, ALL, ALL},
		    {1, RIG_DATA, 1},
		    {1, RIG_DATA, ALL},
		    {2, ALL, 0},
		    {0x80000000, 0x80000000, 0}};
	static const char *const isas[] = {EVENLY};

	(void)state;
	for (size_t i = 0; i < BIS_ARRAY_SIZE(isas); i++) {
		struct bis_machine *m = make(isas[i], 1);

		type(m, "stays");
		for (size_t k = 0; k < BIS_ARRAY_SIZE(wild); k++)
			for (unsigned fid = 0; fid < 2; fid++)
				assert_int_equal(call(m, DBCN, fid, ARGS(wild[k].len, wild[k].low, wild[k].high)),
						 INVALID_PARAM);
		assert_int_equal(tty.len, 0);
		assert_int_equal(call(m, 2, 0, ARGS(0)), 's');
		assert_value(m, DBCN, 0, ARGS(1, end - 1), 1);
		bis_machine_destroy(m);
	}
}

/* The option names the character device; the default has no back end here, and output to it goes nowhere. */
static void the_console_can_be_another_character_device(void **state)
{
	struct bis_machine *m = rig_create("rv64gc", 1);
	static const uint32_t call_code[] = {ECALL, SPIN};

	(void)state;
	rig_add(m, "sbi,console=second");
	plug_console(m);
	RIG_LOAD(m, RIG_CODE, call_code);
	rig_start_paused(m);
	assert_value(m, DBCN, 0, ARGS(11, RIG_DATA), 11);
	assert_int_equal(tty.len, 0);
	assert_non_null(bis_chardev_find(m, "second"));
	bis_machine_destroy(m);
}

/* --- The end of the machine --- */

static void system_reset_ends_or_restarts_the_machine(void **state)
{
	static const struct {
		uint64_t eid, type, reason;
		enum bis_stop_reason why;
		int status;
	} ends[] = {{SRST, 0, 0, BIS_STOP_POWER_OFF, 0},
		    {SRST, 0, 1, BIS_STOP_POWER_OFF, 1},
		    {SRST, 1, 0, BIS_STOP_RESET_REQUEST, 1}, /* 1: it ran */
		    {SRST, 2, 1, BIS_STOP_RESET_REQUEST, 1},
		    {8, 0, 0, BIS_STOP_POWER_OFF, 0}};
	enum bis_stop_reason why;
	int status;

	(void)state;
	for (size_t i = 0; i < BIS_ARRAY_SIZE(ends); i++) {
		struct bis_machine *m = make(i & 1 ? "rv32gc" : "rv64gc", 2);

		prepare(m, ends[i].eid, 0, ARGS(ends[i].type, ends[i].reason));
		assert_ok(bis_machine_resume(m));
		assert_ok(bis_machine_join(m, RIG_DEADLINE_MS, &why, &status));
		assert_int_equal(why, ends[i].why);
		assert_int_equal(status, ends[i].status);
		assert_int_equal(bis_hart_pc(rig_hart(m)), RIG_CODE); /* the call does not return */
		bis_machine_destroy(m);
	}
}

static void reserved_resets_are_refused(void **state)
{
	static const uint64_t types[] = {3, 0x7fffffff, 0xefffffff, 0xf0000000, 0xffffffff};
	static const uint64_t reasons[] = {2, 0xdfffffff, 0xe0000000, 0xffffffff};
	struct bis_machine *m = make("rv64gc", 1);

	(void)state;
	for (size_t i = 0; i < BIS_ARRAY_SIZE(types); i++)
		assert_int_equal(call(m, SRST, 0, ARGS(types[i], 0)), INVALID_PARAM);
	for (size_t i = 0; i < BIS_ARRAY_SIZE(reasons); i++)
		assert_int_equal(call(m, SRST, 0, ARGS(0, reasons[i])), INVALID_PARAM);
	bis_machine_destroy(m);
}

/* --- Legacy calls with a mask in the guest's virtual memory --- */

enum { VA = 0x40000000 };

static void map_data(struct bis_machine *m)
{
	struct rig_tables t = rig_tables_at(m, BIS_RAM_BASE + 0x300000);

	rig_map(&t, BIS_RAM_BASE, BIS_RAM_BASE, 2, PTE_RWX);
	rig_map(&t, VA, RIG_DATA, 0, PTE_RWX);
	rig_set_csr(m, CSR_SATP, UINT64_C(8) << 60 | t.root >> 12);
}

static void legacy_masks_are_read_as_the_guest_sees_them(void **state)
{
	struct bis_machine *m = make("rv64gc", 3);

	(void)state;
	for (unsigned h = 1; h < 3; h++)
		assert_int_equal(call(m, HSM, 0, ARGS(h, OTHER)), 0);
	map_data(m);
	rig_set64(m, RIG_DATA, 4);
	assert_int_equal(call(m, 4, 99, ARGS(VA)), 0);
	assert_int_equal(sip_of(m, 2), SSIP);
	assert_int_equal(sip_of(m, 0) | sip_of(m, 1), 0);
	for (unsigned eid = 5; eid <= 7; eid++)
		assert_int_equal(call(m, eid, 0, ARGS(VA, 0, ALL, 1)), 0);
	rig_set64(m, RIG_DATA, 8);
	for (unsigned eid = 4; eid <= 7; eid++)
		assert_int_equal(call(m, eid, 0, ARGS(VA)), INVALID_PARAM);
	assert_int_equal(call(m, 4, 0, ARGS(0)), 0); /* no mask: all */
	assert_int_equal(sip_of(m, 0) & sip_of(m, 1), SSIP);
	bis_machine_destroy(m);
}

/* The guest gets the fault at its call, as if the call were a load. */
static void a_legacy_mask_that_cannot_be_read_faults(void **state)
{
	static const struct {
		uint64_t va;
		bool paged;
		uint64_t cause;
	} faults[] = {{VA + 0x1000, true, BIS_CAUSE_LOAD_PAGE},
		      {UINT64_C(1) << 50, true, BIS_CAUSE_LOAD_PAGE},
		      {0x1000, false, BIS_CAUSE_LOAD_ACCESS},
		      {ALL, false, BIS_CAUSE_LOAD_ACCESS}};
	struct bis_machine *m = make("rv64gc", 1);

	(void)state;
	for (size_t i = 0; i < BIS_ARRAY_SIZE(faults); i++) {
		if (faults[i].paged)
			map_data(m);
		else
			rig_set_csr(m, CSR_SATP, 0);
		rig_set_csr(m, CSR_STVEC, OTHER | 1);
		rig_set_csr(m, CSR_SSTATUS, 2); /* SIE */
		prepare(m, 4, 0, ARGS(faults[i].va, 5));
		assert_ok(bis_machine_step(m, 1));
		assert_int_equal(bis_hart_pc(rig_hart(m)), OTHER);
		assert_int_equal(rig_csr(m, CSR_SCAUSE), faults[i].cause);
		assert_int_equal(rig_csr(m, CSR_STVAL), faults[i].va);
		assert_int_equal(rig_csr(m, CSR_SEPC), RIG_CODE);
		assert_int_equal(rig_csr(m, CSR_SSTATUS) & 0x122, 0x120); /* SPP, SPIE, not SIE */
		assert_int_equal(rig_reg(m, A0), faults[i].va);
		assert_int_equal(rig_reg(m, A1), 5);
	}
	bis_machine_destroy(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_base_extension_describes_the_implementation),
		cmocka_unit_test(unknown_extensions_and_functions_are_refused),
		cmocka_unit_test(all_other_registers_are_preserved),
		cmocka_unit_test(the_debug_console_writes_and_reads),
		cmocka_unit_test(getchar_gives_every_byte),
		cmocka_unit_test(a_full_console_takes_a_part_and_blocks_single_bytes),
		cmocka_unit_test(wild_console_addresses_are_refused),
		cmocka_unit_test(the_console_can_be_another_character_device),
		cmocka_unit_test(system_reset_ends_or_restarts_the_machine),
		cmocka_unit_test(reserved_resets_are_refused),
		cmocka_unit_test(legacy_masks_are_read_as_the_guest_sees_them),
		cmocka_unit_test(a_legacy_mask_that_cannot_be_read_faults),
	};

	return cmocka_run_group_tests_name("sbi", tests, NULL, NULL);
}
