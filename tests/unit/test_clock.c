/*
 * Native clock: time, alarm and delay, halves on RV32, and values at the ends of the range.
 */
#include <time.h>

#include "modules/device/native.h"
#include "modules/modules.h"
#include "tests/unit/fake_machine.h"

static struct bis_module *add_clock(struct bis_machine *m)
{
	return fake_add(m, &bis_clock_class, CLOCK_SLOT, "");
}

static void now_is_machine_time(void **state)
{
	struct bis_machine *m = fake_create(1);
	struct bis_module *clock = add_clock(m);

	(void)state;
	assert_int_equal(fake_csr_read(clock, CLOCK_NOW), 0);
	fake_advance(m, UINT64_C(0x123456789a));
	assert_int_equal(fake_csr_read(clock, CLOCK_NOW), UINT64_C(0x123456789a));
	/* The upper half belongs to the moment of the lower one. */
	fake_advance(m, UINT64_C(1) << 40);
	assert_int_equal(fake_csr_read(clock, CLOCK_HIGH), 0x12);
	fake_csr_write(clock, CLOCK_NOW, 0);
	assert_true(fake_csr_read(clock, CLOCK_NOW) > UINT64_C(1) << 40);
	assert_in_range(fake_csr_read(clock, CLOCK_RESOLUTION), 1, 100000000);
	fake_destroy(m);
}

static void wall_clock_is_the_hosts(void **state)
{
	struct bis_machine *m = fake_create(1);
	struct bis_module *clock = add_clock(m);
	uint64_t before = (uint64_t)time(NULL);
	uint64_t wall = fake_csr_read(clock, CLOCK_WALL);

	(void)state;
	assert_in_range(wall / 1000000000, before - 1, (uint64_t)time(NULL) + 1);
	assert_int_equal(fake_csr_read(clock, CLOCK_HIGH), wall >> 32);
	fake_destroy(m);
}

static void alarm_goes_off_once_at_its_moment(void **state)
{
	struct bis_machine *m = fake_create(1);
	struct bis_module *clock = add_clock(m);

	(void)state;
	fake_csr_write(clock, CLOCK_ALARM, 1000);
	fake_advance(m, 999);
	assert_false(fake_irq(clock));
	assert_int_equal(fake_csr_read(clock, CLOCK_DELAY), 1);
	fake_advance(m, 1);
	assert_true(fake_irq(clock));
	assert_true(fake_csr_read(clock, NATIVE_STATUS) & NATIVE_STATUS_INTERRUPT);
	assert_int_equal(fake_csr_read(clock, CLOCK_ALARM), 0);
	assert_int_equal(fake_csr_read(clock, CLOCK_DELAY), 0);
	fake_csr_write(clock, NATIVE_STATUS, NATIVE_STATUS_INTERRUPT);
	assert_false(fake_irq(clock));
	fake_advance(m, 1000000);
	assert_false(fake_irq(clock));
	fake_destroy(m);
}

static void delay_counts_from_now_and_replaces_the_alarm(void **state)
{
	struct bis_machine *m = fake_create(1);
	struct bis_module *clock = add_clock(m);

	(void)state;
	fake_advance(m, 5000);
	fake_csr_write(clock, CLOCK_DELAY, 100);
	assert_int_equal(fake_csr_read(clock, CLOCK_ALARM), 5100);
	fake_csr_write(clock, CLOCK_DELAY, 300);
	fake_advance(m, 299);
	assert_false(fake_irq(clock));
	fake_advance(m, 1);
	assert_true(fake_irq(clock));
	/* Setting it again acknowledges. */
	fake_csr_write(clock, CLOCK_DELAY, 10);
	assert_false(fake_irq(clock));
	fake_csr_write(clock, CLOCK_ALARM, 0);
	fake_advance(m, 1000);
	assert_false(fake_irq(clock));
	fake_destroy(m);
}

static void past_and_zero_go_off_at_once(void **state)
{
	struct bis_machine *m = fake_create(1);
	struct bis_module *clock = add_clock(m);

	(void)state;
	fake_csr_write(clock, CLOCK_DELAY, 0);
	fake_advance(m, 1);
	assert_true(fake_irq(clock));
	fake_csr_write(clock, NATIVE_STATUS, NATIVE_STATUS_INTERRUPT);
	fake_advance(m, 1000);
	fake_csr_write(clock, CLOCK_ALARM, 1);
	assert_true(fake_irq(clock));
	fake_csr_write(clock, NATIVE_STATUS, NATIVE_STATUS_INTERRUPT);
	fake_csr_write(clock, CLOCK_DELAY, 0);
	assert_true(fake_irq(clock));
	fake_destroy(m);
}

static void the_far_future_does_not_wrap(void **state)
{
	struct bis_machine *m = fake_create(1);
	struct bis_module *clock = add_clock(m);

	(void)state;
	fake_advance(m, 1000);
	fake_csr_write(clock, CLOCK_DELAY, UINT64_MAX);
	assert_false(fake_irq(clock));
	assert_int_equal(fake_csr_read(clock, CLOCK_ALARM), UINT64_MAX);
	fake_csr_write(clock, CLOCK_ALARM, UINT64_MAX);
	fake_advance(m, 1000000);
	assert_false(fake_irq(clock));
	fake_destroy(m);
}

static void a_32_bit_guest_sets_the_upper_half_first(void **state)
{
	struct bis_machine *m = fake_create(1);
	struct bis_module *clock = add_clock(m);

	(void)state;
	fake_csr_write(clock, CLOCK_HIGH, 2);
	fake_csr_write(clock, CLOCK_ALARM, 5);
	assert_int_equal(fake_csr_read(clock, CLOCK_ALARM), UINT64_C(0x200000005));
	fake_csr_write(clock, CLOCK_DELAY, 7);
	assert_int_equal(fake_csr_read(clock, CLOCK_ALARM), 7);
	fake_destroy(m);
}

static void reset_drops_the_alarm(void **state)
{
	struct bis_machine *m = fake_create(1);
	struct bis_module *clock = add_clock(m);

	(void)state;
	fake_csr_write(clock, CLOCK_DELAY, 10);
	fake_advance(m, 10);
	fake_reset(clock);
	assert_false(fake_irq(clock));
	fake_csr_write(clock, CLOCK_DELAY, 10);
	fake_reset(clock);
	fake_advance(m, 100);
	assert_false(fake_irq(clock));
	fake_destroy(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(now_is_machine_time),
		cmocka_unit_test(wall_clock_is_the_hosts),
		cmocka_unit_test(alarm_goes_off_once_at_its_moment),
		cmocka_unit_test(delay_counts_from_now_and_replaces_the_alarm),
		cmocka_unit_test(past_and_zero_go_off_at_once),
		cmocka_unit_test(the_far_future_does_not_wrap),
		cmocka_unit_test(a_32_bit_guest_sets_the_upper_half_first),
		cmocka_unit_test(reset_drops_the_alarm),
	};

	return cmocka_run_group_tests_name("clock", tests, NULL, NULL);
}
