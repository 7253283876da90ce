/*
 * Test finisher: each command, statuses at their limits, values that mean nothing.
 */
#include "modules/modules.h"
#include "tests/unit/fake_machine.h"

static void each_command_does_what_it_says(void **state)
{
	static const struct {
		uint32_t value;
		bool stops, resets;
		int status;
	} commands[] = {
		{0x5555, true, false, 0},      {0x3333, true, false, 0},      {0x2a3333, true, false, 42},
		{0xff3333, true, false, 255},  {0x1003333, true, false, 255}, {0xffff3333, true, false, 255},
		{0x7777, false, true, 0},      {0x0000, false, false, 0},     {0x5554, false, false, 0},
		{0xffffffff, false, false, 0},
	};

	(void)state;
	for (size_t i = 0; i < BIS_ARRAY_SIZE(commands); i++) {
		struct bis_machine *m = fake_create(1);
		struct bis_module *finisher = fake_add(m, &bis_finisher_class, -1, "");

		fake_write(finisher, 0, 4, commands[i].value);
		assert_int_equal(m->stop_asked, commands[i].stops);
		assert_int_equal(m->reset_asked, commands[i].resets);
		if (commands[i].stops) {
			assert_int_equal(m->stop_reason, BIS_STOP_POWER_OFF);
			assert_int_equal(m->stop_status, commands[i].status);
		}
		assert_int_equal(fake_read(finisher, 0, 4), 0);
		fake_destroy(m);
	}
}

static void nothing_else_has_an_effect(void **state)
{
	struct bis_machine *m = fake_create(1);
	struct bis_module *finisher = fake_add(m, &bis_finisher_class, -1, "");

	(void)state;
	fake_write(finisher, 4, 4, 0x5555);
	fake_write(finisher, 0xffc, 4, 0x5555);
	assert_int_equal(fake_read(finisher, 0xffc, 4), 0);
	assert_int_equal(fake_try_write(finisher, 0, 1, 0x55), BIS_BUS_FAULT);
	assert_int_equal(fake_try_write(finisher, 0, 8, 0x5555), BIS_BUS_FAULT);
	assert_int_equal(fake_try_write(finisher, 0x1000, 4, 0x5555), BIS_BUS_FAULT);
	assert_false(m->stop_asked);
	fake_destroy(m);
}

static void device_tree_offers_power_off_and_reboot(void **state)
{
	struct bis_machine *m = fake_create(1);
	struct bis_module *finisher = fake_add(m, &bis_finisher_class, -1, "");
	char buf[1024];

	(void)state;
	assert_string_equal(fake_dt(finisher, buf, sizeof(buf)),
			    "compatible=sifive,test1,sifive,test0,syscon,simple-mfd\nphandle=7\n"
			    "poweroff{\ncompatible=syscon-poweroff\nregmap=7\noffset=0\nvalue=21845\n}\n"
			    "reboot{\ncompatible=syscon-reboot\nregmap=7\noffset=0\nvalue=30583\n}\n");
	fake_destroy(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_command_does_what_it_says),
		cmocka_unit_test(nothing_else_has_an_effect),
		cmocka_unit_test(device_tree_offers_power_off_and_reboot),
	};

	return cmocka_run_group_tests_name("finisher", tests, NULL, NULL);
}
