/*
 * Goldfish real-time clock: time, setting it, the alarm as operating systems' drivers use it, the clocks behind it, and
 * values at the ends of the range.
 */
#include <stdio.h>
#include <time.h>

#include "modules/modules.h"
#include "tests/unit/fake_machine.h"

#define NS_PER_S UINT64_C(1000000000)

enum {
	TIME_LOW = 0x00,
	TIME_HIGH = 0x04,
	ALARM_LOW = 0x08,
	ALARM_HIGH = 0x0c,
	IRQ_ENABLED = 0x10,
	CLEAR_ALARM = 0x14,
	ALARM_STATUS = 0x18,
	CLEAR_INTERRUPT = 0x1c,
};

static uint32_t rd(struct bis_module *rtc, uint64_t reg)
{
	return (uint32_t)fake_read(rtc, reg, 4);
}

static void wr(struct bis_module *rtc, uint64_t reg, uint32_t val)
{
	fake_write(rtc, reg, 4, val);
}

static uint64_t get_time(struct bis_module *rtc)
{
	uint32_t low = rd(rtc, TIME_LOW);

	return (uint64_t)rd(rtc, TIME_HIGH) << 32 | low;
}

static void set_alarm(struct bis_module *rtc, uint64_t when)
{
	wr(rtc, ALARM_HIGH, (uint32_t)(when >> 32));
	wr(rtc, ALARM_LOW, (uint32_t)when);
	wr(rtc, IRQ_ENABLED, 1);
}

static void time_is_the_hosts_wall_clock(void **state)
{
	struct bis_machine *m = fake_create(1);
	struct bis_module *rtc = fake_add(m, &bis_rtc_class, -1, "");
	uint64_t before = (uint64_t)time(NULL);

	(void)state;
	assert_in_range(get_time(rtc) / NS_PER_S, before - 1, (uint64_t)time(NULL) + 1);
	/* Whatever the machine's own time does. */
	fake_advance(m, 1000000 * NS_PER_S);
	assert_in_range(get_time(rtc) / NS_PER_S, before - 1, (uint64_t)time(NULL) + 1);
	fake_destroy(m);
}

static void under_the_virtual_clock_time_is_the_same_each_run(void **state)
{
	struct bis_machine *m = fake_create(1);
	struct bis_module *rtc;

	(void)state;
	m->clock = BIS_CLOCK_VIRTUAL;
	rtc = fake_add(m, &bis_rtc_class, -1, "");
	assert_int_equal(get_time(rtc), 1735689600 * NS_PER_S);
	fake_advance(m, 12345);
	assert_int_equal(get_time(rtc), 1735689600 * NS_PER_S + 12345);
	fake_destroy(m);
}

static void base_chooses_the_start(void **state)
{
	struct bis_machine *m = fake_create(1);
	struct bis_module *rtc = fake_add(m, &bis_rtc_class, -1, "base=77");

	(void)state;
	fake_advance(m, 5);
	assert_int_equal(get_time(rtc), 77 * NS_PER_S + 5);
	fake_remove(rtc);
	assert_fails(fake_try_add(m, &bis_rtc_class, -1, "base=18446744074", &rtc), -EINVAL, "18446744073");
	fake_destroy(m);
}

static void the_upper_half_belongs_to_the_moment_of_the_lower_one(void **state)
{
	struct bis_machine *m = fake_create(1);
	struct bis_module *rtc = fake_add(m, &bis_rtc_class, -1, "base=0");

	(void)state;
	fake_advance(m, UINT64_C(0x1ffffffff));
	assert_int_equal(rd(rtc, TIME_LOW), 0xffffffff);
	fake_advance(m, 1);
	assert_int_equal(rd(rtc, TIME_HIGH), 1);
	assert_int_equal(rd(rtc, TIME_LOW), 0);
	assert_int_equal(rd(rtc, TIME_HIGH), 2);
	fake_destroy(m);
}

static void the_guest_sets_the_time(void **state)
{
	struct bis_machine *m = fake_create(1);
	struct bis_module *rtc = fake_add(m, &bis_rtc_class, -1, "base=0");

	(void)state;
	fake_advance(m, 0xfffffff0);
	wr(rtc, TIME_HIGH, 0x17);
	assert_int_equal(get_time(rtc), UINT64_C(0x17fffffff0));
	fake_advance(m, 0x20); /* the lower half wraps between the two writes */
	wr(rtc, TIME_LOW, 0x89abcdef);
	assert_int_equal(get_time(rtc), UINT64_C(0x1789abcdef));
	fake_advance(m, 0x11);
	assert_int_equal(get_time(rtc), UINT64_C(0x1789abce00));
	/* In the other order, too; and the upper half written before is used up. */
	wr(rtc, TIME_LOW, 3);
	wr(rtc, TIME_HIGH, 2);
	assert_int_equal(get_time(rtc), UINT64_C(0x200000003));
	wr(rtc, TIME_LOW, 4);
	fake_advance(m, UINT64_C(1) << 32);
	wr(rtc, TIME_LOW, 5);
	assert_int_equal(get_time(rtc), UINT64_C(0x300000005));
	fake_destroy(m);
}

static void alarm_goes_off_once_at_its_moment(void **state)
{
	struct bis_machine *m = fake_create(1);
	struct bis_module *rtc = fake_add(m, &bis_rtc_class, -1, "base=100");

	(void)state;
	set_alarm(rtc, 105 * NS_PER_S);
	assert_int_equal(rd(rtc, ALARM_STATUS), 1);
	assert_int_equal(rd(rtc, ALARM_LOW), (uint32_t)(105 * NS_PER_S));
	assert_int_equal(rd(rtc, ALARM_HIGH), 105 * NS_PER_S >> 32);
	fake_advance(m, 5 * NS_PER_S - 1);
	assert_false(fake_irq(rtc));
	fake_advance(m, 1);
	assert_true(fake_irq(rtc));
	assert_int_equal(rd(rtc, ALARM_STATUS), 0);
	wr(rtc, CLEAR_INTERRUPT, 1);
	assert_false(fake_irq(rtc));
	fake_advance(m, 1000 * NS_PER_S);
	assert_false(fake_irq(rtc));
	fake_destroy(m);
}

static void an_alarm_waits_for_its_enable_and_can_be_cleared(void **state)
{
	struct bis_machine *m = fake_create(1);
	struct bis_module *rtc = fake_add(m, &bis_rtc_class, -1, "base=100");

	(void)state;
	set_alarm(rtc, 101 * NS_PER_S);
	wr(rtc, IRQ_ENABLED, 0);
	fake_advance(m, NS_PER_S);
	assert_false(fake_irq(rtc));
	assert_int_equal(rd(rtc, ALARM_STATUS), 0);
	wr(rtc, IRQ_ENABLED, 1);
	assert_true(fake_irq(rtc));
	wr(rtc, CLEAR_INTERRUPT, 1);
	set_alarm(rtc, 102 * NS_PER_S);
	wr(rtc, CLEAR_ALARM, 1);
	assert_int_equal(rd(rtc, ALARM_STATUS), 0);
	fake_advance(m, 2 * NS_PER_S);
	assert_false(fake_irq(rtc));
	fake_destroy(m);
}

static void an_alarm_in_the_past_goes_off_at_once(void **state)
{
	struct bis_machine *m = fake_create(1);
	struct bis_module *rtc = fake_add(m, &bis_rtc_class, -1, "");

	(void)state;
	set_alarm(rtc, 0);
	assert_true(fake_irq(rtc));
	wr(rtc, CLEAR_INTERRUPT, 1);
	set_alarm(rtc, get_time(rtc));
	assert_true(fake_irq(rtc));
	fake_destroy(m);
}

static void setting_the_time_moves_it_past_the_alarm(void **state)
{
	struct bis_machine *m = fake_create(1);
	struct bis_module *rtc = fake_add(m, &bis_rtc_class, -1, "base=100");

	(void)state;
	set_alarm(rtc, 1000 * NS_PER_S);
	fake_advance(m, 10 * NS_PER_S);
	assert_false(fake_irq(rtc));
	wr(rtc, TIME_HIGH, (uint32_t)(999 * NS_PER_S >> 32));
	wr(rtc, TIME_LOW, (uint32_t)(999 * NS_PER_S));
	assert_false(fake_irq(rtc));
	fake_advance(m, NS_PER_S);
	assert_true(fake_irq(rtc));
	fake_destroy(m);
}

/* The alarm belongs to the wall clock: machine time alone does not make it due, and a pause does not delay it. */
static void an_alarm_follows_the_wall_clock(void **state)
{
	struct bis_machine *m = fake_create(1);
	struct bis_module *rtc = fake_add(m, &bis_rtc_class, -1, "");
	uint64_t soon;

	(void)state;
	set_alarm(rtc, get_time(rtc) + 86400 * NS_PER_S);
	fake_advance(m, 2 * 86400 * NS_PER_S);
	assert_false(fake_irq(rtc));
	assert_int_equal(rd(rtc, ALARM_STATUS), 1);

	soon = get_time(rtc) + 1000000;
	set_alarm(rtc, soon);
	fake_pause(rtc);
	for (time_t end = time(NULL) + 60; get_time(rtc) < soon && time(NULL) < end;)
		;
	fake_resume(rtc);
	assert_true(fake_irq(rtc));
	fake_destroy(m);
}

static void the_far_future_does_not_wrap(void **state)
{
	struct bis_machine *m = fake_create(1);
	struct bis_module *rtc = fake_add(m, &bis_rtc_class, -1, "base=0");

	(void)state;
	fake_advance(m, 1000);
	set_alarm(rtc, UINT64_MAX);
	fake_advance(m, 1000 * NS_PER_S);
	assert_false(fake_irq(rtc));
	wr(rtc, TIME_HIGH, 0);
	wr(rtc, TIME_LOW, 0);
	fake_advance(m, 1000);
	assert_false(fake_irq(rtc));
	wr(rtc, TIME_HIGH, 0xffffffff);
	wr(rtc, TIME_LOW, 0xfffffffe);
	assert_false(fake_irq(rtc));
	fake_advance(m, 1);
	assert_true(fake_irq(rtc));
	fake_advance(m, 5);
	assert_int_equal(get_time(rtc), 4);
	fake_destroy(m);
}

static void reset_drops_alarm_and_setting(void **state)
{
	struct bis_machine *m = fake_create(1);
	struct bis_module *rtc = fake_add(m, &bis_rtc_class, -1, "base=50");

	(void)state;
	wr(rtc, TIME_HIGH, 0x1000);
	set_alarm(rtc, 0);
	assert_true(fake_irq(rtc));
	fake_reset(rtc);
	assert_false(fake_irq(rtc));
	assert_int_equal(get_time(rtc), 50 * NS_PER_S);
	assert_int_equal(rd(rtc, IRQ_ENABLED), 0);
	set_alarm(rtc, 51 * NS_PER_S);
	fake_reset(rtc);
	fake_advance(m, 5 * NS_PER_S);
	wr(rtc, IRQ_ENABLED, 1);
	assert_false(fake_irq(rtc));
	fake_destroy(m);
}

static void other_registers_read_zero_and_other_widths_fault(void **state)
{
	struct bis_machine *m = fake_create(1);
	struct bis_module *rtc = fake_add(m, &bis_rtc_class, -1, "base=50");
	uint64_t val = 7;

	(void)state;
	wr(rtc, 0xffc, 1);
	wr(rtc, ALARM_STATUS, 1);
	assert_int_equal(rd(rtc, 0xffc), 0);
	assert_int_equal(rd(rtc, ALARM_STATUS), 0);
	assert_int_equal(rd(rtc, CLEAR_ALARM), 0);
	assert_int_equal(fake_try_read(rtc, TIME_LOW, 8, &val), BIS_BUS_FAULT);
	assert_int_equal(fake_try_read(rtc, TIME_LOW, 1, &val), BIS_BUS_FAULT);
	assert_int_equal(val, 7);
	fake_destroy(m);
}

static void device_tree_names_the_clock(void **state)
{
	struct bis_machine *m = fake_create(1);
	struct bis_module *rtc = fake_add(m, &bis_rtc_class, -1, "");
	char buf[256];

	(void)state;
	assert_string_equal(fake_dt(rtc, buf, sizeof(buf)), "compatible=google,goldfish-rtc\n");
	fake_destroy(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(time_is_the_hosts_wall_clock),
		cmocka_unit_test(under_the_virtual_clock_time_is_the_same_each_run),
		cmocka_unit_test(base_chooses_the_start),
		cmocka_unit_test(the_upper_half_belongs_to_the_moment_of_the_lower_one),
		cmocka_unit_test(the_guest_sets_the_time),
		cmocka_unit_test(alarm_goes_off_once_at_its_moment),
		cmocka_unit_test(an_alarm_waits_for_its_enable_and_can_be_cleared),
		cmocka_unit_test(an_alarm_in_the_past_goes_off_at_once),
		cmocka_unit_test(setting_the_time_moves_it_past_the_alarm),
		cmocka_unit_test(an_alarm_follows_the_wall_clock),
		cmocka_unit_test(the_far_future_does_not_wrap),
		cmocka_unit_test(reset_drops_alarm_and_setting),
		cmocka_unit_test(other_registers_read_zero_and_other_widths_fault),
		cmocka_unit_test(device_tree_names_the_clock),
	};

	return cmocka_run_group_tests_name("rtc", tests, NULL, NULL);
}
