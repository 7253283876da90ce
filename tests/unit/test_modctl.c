/*
 * Module controller: facts, names, native interrupts, machine control and requested modules; stray values do nothing.
 */
#include "modules/device/native.h"
#include "modules/modules.h"
#include "tests/unit/device_rig.h"

static int setup(void **state)
{
	fixture_create(state, 2, &bis_modctl_class, MODCTL_SLOT, "");
	return 0;
}

static uint64_t rd(struct fixture *f, unsigned reg)
{
	return fake_csr_read(f->mod, reg);
}

static void wr(struct fixture *f, unsigned reg, uint64_t val)
{
	fake_csr_write(f->mod, reg, val);
}

static uint64_t fact(struct fixture *f, uint64_t select)
{
	wr(f, MODCTL_SELECT, select);
	return rd(f, MODCTL_INFO);
}

static void facts_of_the_machine(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(fact(f, MODCTL_SELECT_HARTS), 2);
	assert_int_equal(fact(f, MODCTL_SELECT_TIMEBASE), 10000000);
	assert_int_equal(fact(f, MODCTL_SELECT_MEMORY_BASE), 0x80000);
	assert_int_equal(fact(f, MODCTL_SELECT_MEMORY_SIZE), FAKE_RAM_SIZE / 4096);
	assert_int_equal(fact(f, MODCTL_SELECT_GUEST_MODULES), 0);
	assert_int_equal(fact(f, 0xff), 0);
	assert_int_equal(fact(f, MODCTL_SELECT_NAME + 128), 0);
	assert_int_equal(fact(f, 0xffffffff), 0);
}

static void read_name(struct fixture *f, unsigned slot, char *name)
{
	for (unsigned part = 0; part < 8; part++) {
		uint64_t word = fact(f, MODCTL_SELECT_NAME + 8 * slot + part);

		for (unsigned i = 0; i < 4; i++)
			name[4 * part + i] = (char)(word >> (8 * i));
	}
}

static void slots_and_names(void **state)
{
	struct fixture *f = *state;
	char name[33] = "";

	fake_add(f->m, &bis_console_class, 1, "");
	fake_add(f->m, &bis_clock_class, 15, "");
	assert_int_equal(fact(f, MODCTL_SELECT_SLOTS), 0x8003);
	assert_int_equal(fact(f, MODCTL_SELECT_SLOT_COUNT), 3);
	read_name(f, 0, name);
	assert_string_equal(name, "modctl");
	read_name(f, 15, name);
	assert_string_equal(name, "clock");
	read_name(f, 2, name);
	assert_string_equal(name, "");
}

static void claim_gives_the_lowest_enabled_slot(void **state)
{
	struct fixture *f = *state;

	fake_set_input(f->mod, 3, true);
	fake_set_input(f->mod, 1, true);
	fake_set_input(f->mod, 7, true);
	assert_false(fake_line(f->m, 0, BIS_LINE_NATIVE));
	assert_int_equal(rd(f, MODCTL_CLAIM), 0);
	wr(f, MODCTL_ENABLE, 0x10000 | 1 << 1 | 1 << 3);
	assert_true(fake_line(f->m, 0, BIS_LINE_NATIVE));
	assert_true(rd(f, NATIVE_STATUS) & NATIVE_STATUS_INTERRUPT);
	assert_int_equal(rd(f, MODCTL_CLAIM), 1);
	assert_int_equal(rd(f, MODCTL_CLAIM), 3);
	assert_int_equal(rd(f, MODCTL_CLAIM), 0);
	assert_false(fake_line(f->m, 0, BIS_LINE_NATIVE));
	assert_false(rd(f, NATIVE_STATUS) & NATIVE_STATUS_INTERRUPT);
	fake_set_input(f->mod, 1, false);
	wr(f, MODCTL_CLAIM, 1);
	assert_false(fake_line(f->m, 0, BIS_LINE_NATIVE));
	/* Completed with its level still high, slot 3 asks again. */
	wr(f, MODCTL_CLAIM, 3);
	assert_true(fake_line(f->m, 0, BIS_LINE_NATIVE));
	fake_set_input(f->mod, 3, false);
	assert_false(fake_line(f->m, 0, BIS_LINE_NATIVE));
}

static void interrupts_go_to_the_chosen_harts(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(rd(f, MODCTL_ENABLE), 0x10000);
	wr(f, MODCTL_ENABLE, UINT64_MAX);
	assert_int_equal(rd(f, MODCTL_ENABLE), 0x3ffff);
	fake_set_input(f->mod, 2, true);
	assert_true(fake_line(f->m, 0, BIS_LINE_NATIVE));
	assert_true(fake_line(f->m, 1, BIS_LINE_NATIVE));
	wr(f, MODCTL_ENABLE, 0x2ffff);
	assert_false(fake_line(f->m, 0, BIS_LINE_NATIVE));
	assert_true(fake_line(f->m, 1, BIS_LINE_NATIVE));
}

static void hostile_interrupt_numbers_do_nothing(void **state)
{
	struct fixture *f = *state;

	wr(f, MODCTL_ENABLE, 0x1ffff);
	fake_set_input(f->mod, 0, true);
	fake_set_input(f->mod, 16, true);
	fake_set_input(f->mod, UINT32_MAX, true);
	assert_int_equal(rd(f, MODCTL_CLAIM), 0);
	fake_set_input(f->mod, 5, true);
	assert_int_equal(rd(f, MODCTL_CLAIM), 5);
	wr(f, MODCTL_CLAIM, 16);
	wr(f, MODCTL_CLAIM, 64 + 5);
	wr(f, MODCTL_CLAIM, UINT64_MAX);
	assert_int_equal(rd(f, MODCTL_CLAIM), 0);
}

static void control_takes_only_its_magic_values(void **state)
{
	struct fixture *f = *state;
	static const uint64_t stray[] = {0,
					 1,
					 UINT64_MAX,
					 0x5555,
					 0x5b150000,
					 0x5b150400,
					 0x5b150201,
					 UINT64_C(0x15b150100),
					 UINT64_C(0xffffffff5b150200)};

	for (size_t i = 0; i < BIS_ARRAY_SIZE(stray); i++) {
		wr(f, MODCTL_CONTROL, stray[i]);
		assert_int_equal(fake_csr_error(f->mod), NATIVE_ERROR_INVALID);
	}
	assert_false(f->m->stop_asked || f->m->reset_asked || f->m->pause_asked);
	wr(f, MODCTL_CONTROL, MODCTL_CONTROL_PAUSE);
	assert_true(f->m->pause_asked);
	assert_int_equal(fake_csr_error(f->mod), 0);
	wr(f, MODCTL_CONTROL, MODCTL_CONTROL_RESET);
	assert_true(f->m->reset_asked);
	wr(f, MODCTL_CONTROL, MODCTL_CONTROL_POWER_OFF + 255);
	assert_true(f->m->stop_asked);
	assert_int_equal(f->m->stop_reason, BIS_STOP_POWER_OFF);
	assert_int_equal(f->m->stop_status, 255);
	assert_int_equal(rd(f, MODCTL_CONTROL), 0);
}

static void put_text(struct fixture *f, uint64_t address, const char *text)
{
	assert_ok(bis_mem_write(f->m->memory, (bis_gpa){address}, text, strlen(text) + 1));
}

static void modules_are_requested_only_where_allowed(void **state)
{
	struct fixture *f = *state;

	put_text(f, BIS_RAM_BASE, "clock,slot=9");
	wr(f, MODCTL_REQUEST, BIS_RAM_BASE);
	assert_int_equal(fake_csr_error(f->mod), NATIVE_ERROR_DENIED);
	assert_null(f->m->request_done);
}

static void a_request_is_busy_until_it_is_done(void **state)
{
	struct fixture *f = *state;

	f->m->guest_modules = true;
	assert_int_equal(fact(f, MODCTL_SELECT_GUEST_MODULES), 1);
	put_text(f, FAKE_RAM_END - 13, "clock,slot=9");
	wr(f, MODCTL_REQUEST, FAKE_RAM_END - 13);
	assert_string_equal(f->m->request, "clock,slot=9");
	assert_true(rd(f, NATIVE_STATUS) & NATIVE_STATUS_BUSY);
	wr(f, MODCTL_REQUEST, FAKE_RAM_END - 13);
	assert_int_equal(fake_csr_error(f->mod), NATIVE_ERROR_BUSY);
	f->m->request_done(f->m->request_arg, -EEXIST);
	assert_false(rd(f, NATIVE_STATUS) & NATIVE_STATUS_BUSY);
	assert_int_equal(fake_csr_error(f->mod), NATIVE_ERROR_EXISTS);
	wr(f, MODCTL_REQUEST, FAKE_RAM_END - 13);
	f->m->request_done(f->m->request_arg, 0);
	assert_int_equal(rd(f, NATIVE_STATUS), NATIVE_STATUS_READY);
}

static void hostile_request_texts_are_refused(void **state)
{
	struct fixture *f = *state;
	static const uint64_t outside[] = {0, BIS_RAM_BASE - 1, FAKE_RAM_END, UINT64_MAX, UINT64_MAX - 3};
	char text[512];

	f->m->guest_modules = true;
	for (size_t i = 0; i < BIS_ARRAY_SIZE(outside); i++) {
		wr(f, MODCTL_REQUEST, outside[i]);
		assert_int_equal(fake_csr_error(f->mod), NATIVE_ERROR_ADDRESS);
	}
	memset(text, 'a', sizeof(text));
	text[256] = '\0';
	put_text(f, BIS_RAM_BASE, text);
	wr(f, MODCTL_REQUEST, BIS_RAM_BASE);
	assert_int_equal(fake_csr_error(f->mod), NATIVE_ERROR_TOO_BIG);
	/* No NUL before the end of RAM */
	assert_ok(bis_mem_write(f->m->memory, (bis_gpa){FAKE_RAM_END - 10}, text, 10));
	wr(f, MODCTL_REQUEST, FAKE_RAM_END - 10);
	assert_int_equal(fake_csr_error(f->mod), NATIVE_ERROR_ADDRESS);
	assert_null(f->m->request_done);
	text[255] = '\0';
	put_text(f, BIS_RAM_BASE, text);
	wr(f, MODCTL_REQUEST, BIS_RAM_BASE);
	assert_non_null(f->m->request_done);
}

static void reset_gives_the_power_on_state_and_keeps_inputs(void **state)
{
	struct fixture *f = *state;

	wr(f, MODCTL_ENABLE, 0x3ffff);
	fake_set_input(f->mod, 4, true);
	assert_int_equal(rd(f, MODCTL_CLAIM), 4);
	wr(f, MODCTL_CONTROL, 1);
	fake_reset(f->mod);
	assert_int_equal(rd(f, MODCTL_ENABLE), 0x10000);
	assert_int_equal(fake_csr_error(f->mod), 0);
	assert_int_equal(f->m->hart[0].lines | f->m->hart[1].lines, 0);
	wr(f, MODCTL_ENABLE, 0x1ffff);
	assert_int_equal(rd(f, MODCTL_CLAIM), 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(facts_of_the_machine, setup, teardown),
		cmocka_unit_test_setup_teardown(slots_and_names, setup, teardown),
		cmocka_unit_test_setup_teardown(claim_gives_the_lowest_enabled_slot, setup, teardown),
		cmocka_unit_test_setup_teardown(interrupts_go_to_the_chosen_harts, setup, teardown),
		cmocka_unit_test_setup_teardown(hostile_interrupt_numbers_do_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(control_takes_only_its_magic_values, setup, teardown),
		cmocka_unit_test_setup_teardown(modules_are_requested_only_where_allowed, setup, teardown),
		cmocka_unit_test_setup_teardown(a_request_is_busy_until_it_is_done, setup, teardown),
		cmocka_unit_test_setup_teardown(hostile_request_texts_are_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(reset_gives_the_power_on_state_and_keeps_inputs, setup, teardown),
	};

	return cmocka_run_group_tests_name("modctl", tests, NULL, NULL);
}
