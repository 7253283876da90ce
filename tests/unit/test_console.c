/*
 * Native console: the registers of docs/devices.md as a driver uses them, and hostile addresses and lengths.
 */
#include <stdlib.h>

#include "modules/device/native.h"
#include "modules/modules.h"
#include "tests/unit/device_rig.h"

static int setup(void **state)
{
	struct fixture *f = fixture_create(state, 1, &bis_console_class, CONSOLE_SLOT, "");

	fake_console_plug(f->m, &f->console);
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

static void bytes_go_out_and_come_in(void **state)
{
	struct fixture *f = *state;

	wr(f, CONSOLE_DATA, 'h');
	wr(f, CONSOLE_DATA, 0xffffff00u | 'i');
	assert_int_equal(f->console.len, 2);
	assert_memory_equal(f->console.out, "hi", 2);
	assert_int_equal(rd(f, CONSOLE_DATA), CONSOLE_DATA_EMPTY);
	fake_console_type(f->m, &f->console,
			  "\xff"
			  "y");
	assert_int_equal(rd(f, CONSOLE_COUNT), 2);
	assert_int_equal(rd(f, CONSOLE_DATA), 0xff);
	assert_int_equal(rd(f, CONSOLE_DATA), 'y');
	assert_int_equal(rd(f, CONSOLE_DATA), CONSOLE_DATA_EMPTY);
}

static void status_tells_what_is_behind_it(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(rd(f, NATIVE_STATUS), NATIVE_STATUS_READY | CONSOLE_STATUS_INTERACTIVE);
	fake_console_type(f->m, &f->console, "z");
	fake_console_eof(f->m, &f->console);
	assert_int_equal(rd(f, NATIVE_STATUS), NATIVE_STATUS_READY | CONSOLE_STATUS_INTERACTIVE | CONSOLE_STATUS_INPUT);
	assert_int_equal(rd(f, CONSOLE_DATA), 'z');
	assert_int_equal(rd(f, NATIVE_STATUS), NATIVE_STATUS_READY | CONSOLE_STATUS_INTERACTIVE | CONSOLE_STATUS_END);
	assert_int_equal(rd(f, CONSOLE_DATA), CONSOLE_DATA_EMPTY | CONSOLE_DATA_END);
}

static void interrupts_follow_the_enabled_conditions(void **state)
{
	struct fixture *f = *state;

	fake_console_type(f->m, &f->console, "a");
	assert_false(fake_irq(f->mod));
	wr(f, CONSOLE_ENABLE, CONSOLE_ENABLE_INPUT);
	assert_true(fake_irq(f->mod));
	assert_true(rd(f, NATIVE_STATUS) & NATIVE_STATUS_INTERRUPT);
	rd(f, CONSOLE_DATA);
	assert_false(fake_irq(f->mod));
	fake_console_eof(f->m, &f->console);
	assert_false(fake_irq(f->mod));
	wr(f, CONSOLE_ENABLE, CONSOLE_ENABLE_END);
	assert_true(fake_irq(f->mod));
	wr(f, CONSOLE_ENABLE, UINT64_MAX & ~(uint64_t)(CONSOLE_ENABLE_END | CONSOLE_ENABLE_ROOM));
	assert_int_equal(rd(f, CONSOLE_ENABLE), CONSOLE_ENABLE_INPUT);
	assert_false(fake_irq(f->mod));
}

static void a_buffer_is_sent_whole(void **state)
{
	struct fixture *f = *state;
	uint8_t *bytes = malloc(65536);

	for (size_t i = 0; i < 65536; i++)
		bytes[i] = (uint8_t)(i * 11);
	assert_ok(bis_mem_write(f->m->memory, (bis_gpa){FAKE_RAM_END - 65536}, bytes, 65536));
	wr(f, CONSOLE_ADDRESS, FAKE_RAM_END - 65536);
	wr(f, CONSOLE_WRITE, 65536);
	assert_int_equal(rd(f, CONSOLE_WRITE), 65536);
	assert_int_equal(fake_csr_error(f->mod), 0);
	assert_int_equal(f->console.len, 65536);
	assert_memory_equal(f->console.out, bytes, 65536);
	wr(f, CONSOLE_WRITE, 0);
	assert_int_equal(rd(f, CONSOLE_WRITE), 0);
	assert_int_equal(fake_csr_error(f->mod), 0);
	free(bytes);
}

static void full_output_is_reported_and_loses_nothing_accepted(void **state)
{
	struct fixture *f = *state;
	uint64_t accepted = 0;

	f->console.limit = 0;
	wr(f, CONSOLE_ADDRESS, BIS_RAM_BASE);
	wr(f, CONSOLE_ENABLE, CONSOLE_ENABLE_ROOM);
	assert_true(fake_irq(f->mod));
	for (int i = 0; i < 3; i++) {
		wr(f, CONSOLE_WRITE, 40000);
		accepted += rd(f, CONSOLE_WRITE);
	}
	assert_int_equal(accepted, BIS_CHARDEV_QUEUE);
	assert_int_equal(fake_csr_error(f->mod), NATIVE_ERROR_AGAIN);
	assert_true(rd(f, NATIVE_STATUS) & CONSOLE_STATUS_FULL);
	assert_false(fake_irq(f->mod));
	wr(f, CONSOLE_DATA, 'x');
	assert_int_equal(fake_csr_error(f->mod), NATIVE_ERROR_AGAIN);
	fake_console_accept(f->m, &f->console, SIZE_MAX);
	assert_int_equal(f->console.len, accepted);
	assert_true(fake_irq(f->mod));
	assert_false(rd(f, NATIVE_STATUS) & CONSOLE_STATUS_FULL);
	wr(f, CONSOLE_DATA, 'x');
	assert_int_equal(fake_csr_error(f->mod), 0);
}

static void buffers_outside_ram_send_nothing(void **state)
{
	struct fixture *f = *state;
	static const struct {
		uint64_t address, len;
		unsigned error;
	} bad[] = {
		{BIS_RAM_BASE - 1, 1, NATIVE_ERROR_ADDRESS},
		{BIS_RAM_BASE - 1, 2, NATIVE_ERROR_ADDRESS},
		{FAKE_RAM_END - 3, 4, NATIVE_ERROR_ADDRESS},
		{FAKE_RAM_END, 1, NATIVE_ERROR_ADDRESS},
		{UINT64_MAX, 2, NATIVE_ERROR_ADDRESS},
		{UINT64_MAX - 100, 65536, NATIVE_ERROR_ADDRESS},
		{0, 1, NATIVE_ERROR_ADDRESS},
		{BIS_RAM_BASE, 65537, NATIVE_ERROR_TOO_BIG},
		{BIS_RAM_BASE, UINT64_MAX, NATIVE_ERROR_TOO_BIG},
		{UINT64_MAX, UINT64_MAX, NATIVE_ERROR_TOO_BIG},
	};

	for (size_t i = 0; i < BIS_ARRAY_SIZE(bad); i++) {
		wr(f, CONSOLE_ADDRESS, bad[i].address);
		wr(f, CONSOLE_WRITE, bad[i].len);
		assert_int_equal(fake_csr_error(f->mod), bad[i].error);
		assert_int_equal(rd(f, CONSOLE_WRITE), 0);
		wr(f, NATIVE_STATUS, NATIVE_STATUS_INTERRUPT);
		assert_int_equal(fake_csr_error(f->mod), 0);
	}
	assert_int_equal(f->console.len, 0);
}

static void a_32_bit_guest_reaches_high_addresses(void **state)
{
	struct fixture *f = *state;

	wr(f, CONSOLE_HIGH, 0x12);
	wr(f, CONSOLE_ADDRESS, 0x34567890);
	assert_int_equal(rd(f, CONSOLE_ADDRESS), UINT64_C(0x1234567890));
	assert_int_equal(rd(f, CONSOLE_HIGH), 0x12);
	wr(f, CONSOLE_ADDRESS, 0x34567890);
	assert_int_equal(rd(f, CONSOLE_ADDRESS), 0x34567890);
	assert_int_equal(rd(f, CONSOLE_HIGH), 0);
}

static void a_console_shares_its_input_with_the_uart(void **state)
{
	struct fixture *f = *state;
	struct bis_module *uart = fake_add(f->m, &bis_uart16550_class, -1, "");

	fake_write(uart, 1, 1, 1);
	wr(f, CONSOLE_ENABLE, CONSOLE_ENABLE_INPUT);
	fake_console_type(f->m, &f->console, "ab");
	assert_true(fake_irq(uart) && fake_irq(f->mod));
	assert_int_equal(fake_read(uart, 0, 1), 'a');
	assert_int_equal(rd(f, CONSOLE_DATA), 'b');
	assert_int_equal(rd(f, CONSOLE_DATA), CONSOLE_DATA_EMPTY);
	fake_remove(uart);
	fake_console_type(f->m, &f->console, "c");
	assert_int_equal(rd(f, CONSOLE_DATA), 'c');
}

static void unplugged_it_neither_blocks_nor_ends(void **state)
{
	struct fixture *f = *state;

	bis_chardev_destroy(f->console.chardev);
	assert_int_equal(f->console.destroyed, 1);
	wr(f, CONSOLE_DATA, 'x');
	assert_int_equal(rd(f, NATIVE_STATUS), NATIVE_STATUS_READY);
}

static void reset_gives_the_power_on_state(void **state)
{
	struct fixture *f = *state;

	wr(f, CONSOLE_ADDRESS, 5);
	wr(f, CONSOLE_WRITE, 1);
	wr(f, CONSOLE_ENABLE, CONSOLE_ENABLE_ROOM);
	wr(f, CONSOLE_HIGH, 7);
	fake_reset(f->mod);
	assert_false(fake_irq(f->mod));
	assert_int_equal(rd(f, CONSOLE_ENABLE), 0);
	assert_int_equal(fake_csr_error(f->mod), 0);
	wr(f, CONSOLE_ADDRESS, 1);
	assert_int_equal(rd(f, CONSOLE_ADDRESS), 1);
	/* Registers without a function */
	wr(f, CONSOLE_COUNT, 9);
	wr(f, NATIVE_IDENTITY, 9);
	assert_int_equal(rd(f, CONSOLE_COUNT), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(bytes_go_out_and_come_in, setup, teardown),
		cmocka_unit_test_setup_teardown(status_tells_what_is_behind_it, setup, teardown),
		cmocka_unit_test_setup_teardown(interrupts_follow_the_enabled_conditions, setup, teardown),
		cmocka_unit_test_setup_teardown(a_buffer_is_sent_whole, setup, teardown),
		cmocka_unit_test_setup_teardown(full_output_is_reported_and_loses_nothing_accepted, setup, teardown),
		cmocka_unit_test_setup_teardown(buffers_outside_ram_send_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(a_32_bit_guest_reaches_high_addresses, setup, teardown),
		cmocka_unit_test_setup_teardown(a_console_shares_its_input_with_the_uart, setup, teardown),
		cmocka_unit_test_setup_teardown(unplugged_it_neither_blocks_nor_ends, setup, teardown),
		cmocka_unit_test_setup_teardown(reset_gives_the_power_on_state, setup, teardown),
	};

	return cmocka_run_group_tests_name("console", tests, NULL, NULL);
}
