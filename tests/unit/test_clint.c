/*
 * Core-local interruptor: software interrupts, compare values and time in 4- and 8-byte accesses, harts that do not
 * exist.
 */
#include "modules/modules.h"
#include "tests/unit/fake_machine.h"

enum { MSIP = 0, MTIMECMP = 0x4000, MTIME = 0xbff8 };

static void software_interrupt_reaches_its_hart_alone(void **state)
{
	struct bis_machine *m = fake_create(3);
	struct bis_module *clint = fake_add(m, &bis_clint_class, -1, "");

	(void)state;
	fake_write(clint, MSIP + 4, 4, 0xffffffff);
	assert_int_equal(fake_read(clint, MSIP + 4, 4), 1);
	assert_false(fake_line(m, 0, BIS_LINE_MSIP));
	assert_true(fake_line(m, 1, BIS_LINE_MSIP));
	assert_false(fake_line(m, 2, BIS_LINE_MSIP));
	fake_write(clint, MSIP + 4, 4, 0xfffffffe);
	assert_false(fake_line(m, 1, BIS_LINE_MSIP));
	fake_destroy(m);
}

static void compare_value_takes_whole_and_half_writes(void **state)
{
	struct bis_machine *m = fake_create(2);
	struct bis_module *clint = fake_add(m, &bis_clint_class, -1, "");

	(void)state;
	assert_int_equal(bis_hart_mtimecmp(&m->hart[1]), UINT64_MAX);
	fake_write(clint, MTIMECMP + 8, 8, UINT64_C(0x1122334455667788));
	assert_int_equal(m->hart[1].mtimecmp, UINT64_C(0x1122334455667788));
	fake_write(clint, MTIMECMP + 8, 4, 0xaabbccdd);
	assert_int_equal(m->hart[1].mtimecmp, UINT64_C(0x11223344aabbccdd));
	fake_write(clint, MTIMECMP + 12, 4, 0xffffffff);
	assert_int_equal(m->hart[1].mtimecmp, UINT64_C(0xffffffffaabbccdd));
	assert_int_equal(fake_read(clint, MTIMECMP + 8, 8), UINT64_C(0xffffffffaabbccdd));
	assert_int_equal(fake_read(clint, MTIMECMP + 12, 4), 0xffffffff);
	assert_int_equal(fake_read(clint, MTIMECMP + 8, 4), 0xaabbccdd);
	assert_int_equal(m->hart[0].mtimecmp, UINT64_MAX);
	fake_destroy(m);
}

static void time_runs_at_ten_megahertz_and_cannot_be_set(void **state)
{
	struct bis_machine *m = fake_create(1);
	struct bis_module *clint = fake_add(m, &bis_clint_class, -1, "");

	(void)state;
	fake_advance(m, UINT64_C(500000000000));
	assert_int_equal(fake_read(clint, MTIME, 8), UINT64_C(5000000000));
	assert_int_equal(fake_read(clint, MTIME, 4), UINT64_C(5000000000) & 0xffffffff);
	assert_int_equal(fake_read(clint, MTIME + 4, 4), 1);
	fake_write(clint, MTIME, 8, 0);
	assert_int_equal(fake_read(clint, MTIME, 8), UINT64_C(5000000000));
	fake_destroy(m);
}

static void harts_that_do_not_exist_read_zero_and_ignore_writes(void **state)
{
	struct bis_machine *m = fake_create(1);
	struct bis_module *clint = fake_add(m, &bis_clint_class, -1, "");
	static const uint64_t places[] = {MSIP + 4, MSIP + 32, 0x3ffc, MTIMECMP + 8, 0xbff0, 0xc000, 0xfffc};

	(void)state;
	for (size_t i = 0; i < BIS_ARRAY_SIZE(places); i++) {
		fake_write(clint, places[i], 4, 0xffffffff);
		assert_int_equal(fake_read(clint, places[i], 4), 0);
	}
	assert_int_equal(m->hart[0].lines, 0);
	assert_int_equal(m->hart[0].mtimecmp, UINT64_MAX);
	fake_destroy(m);
}

static void odd_accesses_fault(void **state)
{
	struct bis_machine *m = fake_create(1);
	struct bis_module *clint = fake_add(m, &bis_clint_class, -1, "");
	uint64_t val;

	(void)state;
	assert_int_equal(fake_try_write(clint, MSIP, 1, 1), BIS_BUS_FAULT);
	assert_int_equal(fake_try_write(clint, MSIP, 8, 1), BIS_BUS_FAULT);
	assert_int_equal(fake_try_read(clint, MTIMECMP + 4, 8, &val), BIS_BUS_FAULT);
	assert_int_equal(fake_try_read(clint, 0x10000, 4, &val), BIS_BUS_FAULT);
	fake_destroy(m);
}

static void reset_and_removal_leave_no_interrupt_behind(void **state)
{
	struct bis_machine *m = fake_create(1);
	struct bis_module *clint = fake_add(m, &bis_clint_class, -1, "");

	(void)state;
	for (int removed = 0; removed < 2; removed++) {
		fake_write(clint, MSIP, 4, 1);
		fake_write(clint, MTIMECMP, 8, 1);
		removed ? fake_remove(clint) : fake_reset(clint);
		assert_int_equal(m->hart[0].lines, 0);
		assert_int_equal(m->hart[0].mtimecmp, UINT64_MAX);
	}
	fake_destroy(m);
}

static void device_tree_wires_every_hart(void **state)
{
	struct bis_machine *m = fake_create(2);
	struct bis_module *clint = fake_add(m, &bis_clint_class, -1, "");
	char buf[512];

	(void)state;
	assert_string_equal(fake_dt(clint, buf, sizeof(buf)),
			    "compatible=sifive,clint0,riscv,clint0\ninterrupts-extended=100 3 100 7 101 3 101 7\n");
	fake_destroy(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(software_interrupt_reaches_its_hart_alone),
		cmocka_unit_test(compare_value_takes_whole_and_half_writes),
		cmocka_unit_test(time_runs_at_ten_megahertz_and_cannot_be_set),
		cmocka_unit_test(harts_that_do_not_exist_read_zero_and_ignore_writes),
		cmocka_unit_test(odd_accesses_fault),
		cmocka_unit_test(reset_and_removal_leave_no_interrupt_behind),
		cmocka_unit_test(device_tree_wires_every_hart),
	};

	return cmocka_run_group_tests_name("clint", tests, NULL, NULL);
}
