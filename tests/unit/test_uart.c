/*
 * UART 16550A: the register behaviour that operating systems' drivers rely on (PC16550D data sheet), and hostile
 * accesses.
 */
#include "modules/modules.h"
#include "tests/unit/device_rig.h"

enum { RBR, IER, IIR, LCR, MCR, LSR, MSR, SCR };
enum { LSR_DR = 1, LSR_THRE = 0x20, LSR_TEMT = 0x40 };

static int setup(void **state)
{
	struct fixture *f = fixture_create(state, 1, &bis_uart16550_class, -1, "");

	fake_console_plug(f->m, &f->console);
	return 0;
}

static uint8_t rd(struct fixture *f, unsigned reg)
{
	return (uint8_t)fake_read(f->mod, reg, 1);
}

static void wr(struct fixture *f, unsigned reg, uint8_t val)
{
	fake_write(f->mod, reg, 1, val);
}

static void polled_output_and_input(void **state)
{
	struct fixture *f = *state;

	for (const char *p = "hello"; *p; p++) {
		assert_true(rd(f, LSR) & LSR_THRE);
		wr(f, RBR, (uint8_t)*p);
	}
	assert_int_equal(f->console.len, 5);
	assert_memory_equal(f->console.out, "hello", 5);
	assert_false(rd(f, LSR) & LSR_DR);
	assert_int_equal(rd(f, RBR), 0);
	fake_console_type(f->m, &f->console, "ok");
	assert_true(rd(f, LSR) & LSR_DR);
	assert_int_equal(rd(f, RBR), 'o');
	assert_int_equal(rd(f, RBR), 'k');
	assert_false(rd(f, LSR) & LSR_DR);
	assert_false(fake_irq(f->mod));
}

static void divisor_latch_hides_data_and_interrupt_enable(void **state)
{
	struct fixture *f = *state;

	wr(f, IER, 0x05);
	wr(f, LCR, 0x83);
	wr(f, 0, 0x34);
	wr(f, 1, 0x12);
	assert_int_equal(rd(f, 0), 0x34);
	assert_int_equal(rd(f, 1), 0x12);
	wr(f, LCR, 0x03);
	assert_int_equal(f->console.len, 0);
	assert_int_equal(rd(f, IER), 0x05);
	assert_int_equal(rd(f, LCR), 0x03);
}

static void receive_interrupt_follows_waiting_input(void **state)
{
	struct fixture *f = *state;

	fake_console_type(f->m, &f->console, "ab");
	assert_false(fake_irq(f->mod));
	wr(f, IER, 0x01);
	assert_true(fake_irq(f->mod));
	assert_int_equal(rd(f, IIR) & 0x0f, 0x04);
	assert_true(fake_irq(f->mod));
	rd(f, RBR);
	assert_true(fake_irq(f->mod));
	rd(f, RBR);
	assert_false(fake_irq(f->mod));
	assert_int_equal(rd(f, IIR) & 0x0f, 0x01);
	fake_console_type(f->m, &f->console, "c");
	assert_true(fake_irq(f->mod));
}

static void below_the_trigger_level_the_fifo_times_out(void **state)
{
	struct fixture *f = *state;

	wr(f, IIR, 0x81); /* FIFOs on, trigger at 8 */
	wr(f, IER, 0x01);
	fake_console_type(f->m, &f->console, "1234567");
	assert_true(fake_irq(f->mod));
	assert_int_equal(rd(f, IIR), 0xcc);
	fake_console_type(f->m, &f->console, "8");
	assert_int_equal(rd(f, IIR), 0xc4);
}

static void transmitter_interrupt_is_raised_once_until_asked_for_again(void **state)
{
	struct fixture *f = *state;

	wr(f, IER, 0x02);
	assert_true(fake_irq(f->mod));
	assert_int_equal(rd(f, IIR) & 0x0f, 0x02);
	assert_false(fake_irq(f->mod));
	wr(f, IER, 0x02); /* stays enabled: no new edge */
	assert_false(fake_irq(f->mod));
	wr(f, RBR, 'x'); /* sent at once, so empty again */
	assert_true(fake_irq(f->mod));
	wr(f, IER, 0);
	assert_false(fake_irq(f->mod));
	wr(f, IER, 0x02);
	assert_true(fake_irq(f->mod));
}

/* xv6's driver, for one, never reads IIR: an interrupt that only IIR could end would come again and again. */
static void a_driver_that_reads_lsr_alone_is_not_interrupted_for_ever(void **state)
{
	struct fixture *f = *state;

	wr(f, IER, 0x03);
	wr(f, RBR, 'x');
	assert_true(fake_irq(f->mod));
	assert_true(rd(f, LSR) & LSR_THRE);
	assert_false(fake_irq(f->mod));
	wr(f, RBR, 'y');
	assert_true(fake_irq(f->mod));

	/* For one that does, LSR changes nothing. */
	assert_int_equal(rd(f, IIR) & 0x0f, 0x02);
	wr(f, RBR, 'z');
	assert_true(rd(f, LSR) & LSR_THRE);
	assert_true(fake_irq(f->mod));
	assert_int_equal(rd(f, IIR) & 0x0f, 0x02);
	assert_false(fake_irq(f->mod));
}

static void receive_comes_before_transmit(void **state)
{
	struct fixture *f = *state;

	wr(f, IER, 0x03);
	fake_console_type(f->m, &f->console, "a");
	assert_int_equal(rd(f, IIR) & 0x0f, 0x04);
	rd(f, RBR);
	assert_int_equal(rd(f, IIR) & 0x0f, 0x02);
}

/* A driver that looks at THRE and then sends a whole FIFO's worth of 16 bytes loses none, however slow the other side.
 */
static void slow_other_side_loses_no_burst(void **state)
{
	struct fixture *f = *state;
	size_t sent = 0;

	f->console.limit = 100;
	while (rd(f, LSR) & LSR_THRE) {
		for (int i = 0; i < 16; i++)
			wr(f, RBR, (uint8_t)(sent++ % 251));
	}
	assert_false(rd(f, LSR) & LSR_TEMT);
	wr(f, IER, 0x02);
	assert_false(fake_irq(f->mod));
	fake_console_accept(f->m, &f->console, SIZE_MAX);
	assert_true(fake_irq(f->mod));
	assert_true(rd(f, LSR) & LSR_THRE);
	assert_int_equal(f->console.len, sent);
	for (size_t i = 0; i < sent; i++)
		assert_int_equal(f->console.out[i], i % 251);
}

static void loop_back_joins_outputs_and_inputs(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(rd(f, MSR) & 0xf0, 0xb0);
	wr(f, MCR, 0x1a); /* the probe of common 8250 drivers */
	assert_int_equal(rd(f, MSR) & 0xf0, 0x90);
	for (int i = 0; i < 20; i++)
		wr(f, RBR, (uint8_t)i);
	for (int i = 0; i < 16; i++)
		assert_int_equal(rd(f, RBR), i);
	assert_false(rd(f, LSR) & LSR_DR);
	wr(f, MCR, 0x0b);
	assert_int_equal(f->console.len, 0);
}

static void fifo_reset_keeps_input_that_has_not_been_read(void **state)
{
	struct fixture *f = *state;

	fake_console_type(f->m, &f->console, "typed ahead");
	wr(f, IIR, 0x07);
	assert_int_equal(rd(f, RBR), 't');
}

static void probing_writes_read_back_or_stay_zero(void **state)
{
	struct fixture *f = *state;

	wr(f, SCR, 0xa5);
	assert_int_equal(rd(f, SCR), 0xa5);
	wr(f, IER, 0xff);
	assert_int_equal(rd(f, IER), 0x0f);
	wr(f, LSR, 0xff);
	wr(f, MSR, 0xff);
	assert_int_equal(rd(f, LSR), LSR_THRE | LSR_TEMT);
	wr(f, IIR, 0);
	assert_int_equal(rd(f, IIR) & 0xc0, 0);
	wr(f, IIR, 1);
	assert_int_equal(rd(f, IIR) & 0xc0, 0xc0);
}

static void accesses_that_the_chip_does_not_have_fault(void **state)
{
	struct fixture *f = *state;
	uint64_t val = 77;

	assert_int_equal(fake_try_read(f->mod, 0, 4, &val), BIS_BUS_FAULT);
	assert_int_equal(fake_try_read(f->mod, 8, 1, &val), BIS_BUS_FAULT);
	assert_int_equal(fake_try_write(f->mod, 8, 1, 1), BIS_BUS_FAULT);
	assert_int_equal(fake_try_write(f->mod, 0xff, 1, 1), BIS_BUS_FAULT);
	assert_int_equal(fake_try_read(f->mod, 0x100, 1, &val), BIS_BUS_FAULT);
	assert_int_equal(val, 77);
}

static void reset_gives_the_power_on_state(void **state)
{
	struct fixture *f = *state;

	wr(f, IER, 0x03);
	wr(f, LCR, 0x1f);
	wr(f, MCR, 0x1f);
	wr(f, SCR, 1);
	fake_console_type(f->m, &f->console, "x");
	assert_true(fake_irq(f->mod));
	fake_reset(f->mod);
	assert_false(fake_irq(f->mod));
	assert_int_equal(rd(f, IER), 0);
	assert_int_equal(rd(f, LCR), 0);
	assert_int_equal(rd(f, MCR), 0);
	assert_int_equal(rd(f, SCR), 0);
	assert_int_equal(rd(f, RBR), 'x');
}

static void device_tree_names_the_chip(void **state)
{
	struct fixture *f = *state;
	char buf[512];

	assert_string_equal(fake_dt(f->mod, buf, sizeof(buf)), "compatible=ns16550a\nclock-frequency=3686400\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(polled_output_and_input, setup, teardown),
		cmocka_unit_test_setup_teardown(divisor_latch_hides_data_and_interrupt_enable, setup, teardown),
		cmocka_unit_test_setup_teardown(receive_interrupt_follows_waiting_input, setup, teardown),
		cmocka_unit_test_setup_teardown(below_the_trigger_level_the_fifo_times_out, setup, teardown),
		cmocka_unit_test_setup_teardown(transmitter_interrupt_is_raised_once_until_asked_for_again, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_driver_that_reads_lsr_alone_is_not_interrupted_for_ever, setup,
						teardown),
		cmocka_unit_test_setup_teardown(receive_comes_before_transmit, setup, teardown),
		cmocka_unit_test_setup_teardown(slow_other_side_loses_no_burst, setup, teardown),
		cmocka_unit_test_setup_teardown(loop_back_joins_outputs_and_inputs, setup, teardown),
		cmocka_unit_test_setup_teardown(fifo_reset_keeps_input_that_has_not_been_read, setup, teardown),
		cmocka_unit_test_setup_teardown(probing_writes_read_back_or_stay_zero, setup, teardown),
		cmocka_unit_test_setup_teardown(accesses_that_the_chip_does_not_have_fault, setup, teardown),
		cmocka_unit_test_setup_teardown(reset_gives_the_power_on_state, setup, teardown),
		cmocka_unit_test_setup_teardown(device_tree_names_the_chip, setup, teardown),
	};

	return cmocka_run_group_tests_name("uart", tests, NULL, NULL);
}
