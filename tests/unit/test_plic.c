/*
 * Platform-level interrupt controller: priorities, enables, thresholds, claim and completion as the PLIC
 * specification 1.0 states them, and hostile register values.
 */
#include "modules/modules.h"
#include "tests/unit/device_rig.h"

enum { PRIORITY = 0, PENDING = 0x1000, ENABLE = 0x2000, THRESHOLD = 0x200000, CLAIM = 0x200004 };

static int setup(void **state)
{
	fixture_create(state, 2, &bis_plic_class, -1, "");
	return 0;
}

static uint32_t rd(struct fixture *f, uint64_t off)
{
	return (uint32_t)fake_read(f->mod, off, 4);
}

static void wr(struct fixture *f, uint64_t off, uint32_t val)
{
	fake_write(f->mod, off, 4, val);
}

static uint64_t enable(unsigned context, unsigned source)
{
	return ENABLE + 0x80 * context + source / 32 * 4;
}

static uint64_t claim_of(unsigned context)
{
	return CLAIM + UINT64_C(0x1000) * context;
}

/* Source with priority, enabled for a context. */
static void arm(struct fixture *f, unsigned context, unsigned source, uint32_t priority)
{
	wr(f, PRIORITY + 4 * source, priority);
	wr(f, enable(context, source), rd(f, enable(context, source)) | 1u << source % 32);
}

static void request_claim_complete(void **state)
{
	struct fixture *f = *state;

	arm(f, 1, 10, 1);
	fake_set_input(f->mod, 10, true);
	assert_true(fake_line(f->m, 0, BIS_LINE_SEIP));
	assert_false(fake_line(f->m, 0, BIS_LINE_MEIP));
	assert_false(fake_line(f->m, 1, BIS_LINE_SEIP));
	assert_int_equal(rd(f, PENDING), 1u << 10);
	assert_int_equal(rd(f, claim_of(1)), 10);
	assert_false(fake_line(f->m, 0, BIS_LINE_SEIP));
	assert_int_equal(rd(f, PENDING), 0);
	assert_int_equal(rd(f, claim_of(1)), 0);
	fake_set_input(f->mod, 10, false);
	wr(f, claim_of(1), 10);
	assert_false(fake_line(f->m, 0, BIS_LINE_SEIP));
}

static void level_still_high_at_completion_asks_again(void **state)
{
	struct fixture *f = *state;

	arm(f, 0, 5, 1);
	fake_set_input(f->mod, 5, true);
	assert_int_equal(rd(f, claim_of(0)), 5);
	assert_false(fake_line(f->m, 0, BIS_LINE_MEIP));
	wr(f, claim_of(0), 5);
	assert_true(fake_line(f->m, 0, BIS_LINE_MEIP));
	assert_int_equal(rd(f, claim_of(0)), 5);
}

static void a_request_once_accepted_stays_pending(void **state)
{
	struct fixture *f = *state;

	fake_set_input(f->mod, 7, true);
	fake_set_input(f->mod, 7, false);
	assert_int_equal(rd(f, PENDING), 1u << 7);
	arm(f, 0, 7, 1);
	assert_true(fake_line(f->m, 0, BIS_LINE_MEIP));
	assert_int_equal(rd(f, claim_of(0)), 7);
	wr(f, claim_of(0), 7);
	assert_int_equal(rd(f, PENDING), 0);
}

static void highest_priority_first_then_lowest_number(void **state)
{
	struct fixture *f = *state;
	static const struct {
		unsigned source;
		uint32_t priority;
	} sources[] = {{40, 3}, {3, 2}, {96, 7}, {41, 3}, {8, 0}};
	static const uint32_t order[] = {96, 40, 41, 3, 0};

	for (size_t i = 0; i < BIS_ARRAY_SIZE(sources); i++) {
		arm(f, 3, sources[i].source, sources[i].priority);
		fake_set_input(f->mod, sources[i].source, true);
	}
	for (size_t i = 0; i < BIS_ARRAY_SIZE(order); i++)
		assert_int_equal(rd(f, claim_of(3)), order[i]);
	/* Priority 0 never interrupts, though it is pending. */
	assert_int_equal(rd(f, PENDING), 1u << 8);
}

static void threshold_masks_the_notification_and_not_the_claim(void **state)
{
	struct fixture *f = *state;

	arm(f, 0, 1, 3);
	wr(f, THRESHOLD, 3);
	fake_set_input(f->mod, 1, true);
	assert_false(fake_line(f->m, 0, BIS_LINE_MEIP));
	wr(f, THRESHOLD, 2);
	assert_true(fake_line(f->m, 0, BIS_LINE_MEIP));
	wr(f, THRESHOLD, 7);
	assert_false(fake_line(f->m, 0, BIS_LINE_MEIP));
	assert_int_equal(rd(f, claim_of(0)), 1);
}

static void one_source_two_contexts_one_claim(void **state)
{
	struct fixture *f = *state;

	arm(f, 1, 10, 1);
	arm(f, 3, 10, 1);
	fake_set_input(f->mod, 10, true);
	assert_true(fake_line(f->m, 0, BIS_LINE_SEIP));
	assert_true(fake_line(f->m, 1, BIS_LINE_SEIP));
	assert_int_equal(rd(f, claim_of(3)), 10);
	assert_false(fake_line(f->m, 0, BIS_LINE_SEIP));
	assert_int_equal(rd(f, claim_of(1)), 0);
}

static void completion_counts_only_from_a_context_that_enables_the_source(void **state)
{
	struct fixture *f = *state;

	arm(f, 0, 9, 1);
	fake_set_input(f->mod, 9, true);
	assert_int_equal(rd(f, claim_of(0)), 9);
	wr(f, claim_of(2), 9);
	wr(f, claim_of(0), 0);
	wr(f, claim_of(0), 127);
	wr(f, claim_of(0), 0xffffffff);
	assert_false(fake_line(f->m, 0, BIS_LINE_MEIP));
	wr(f, claim_of(0), 9);
	assert_true(fake_line(f->m, 0, BIS_LINE_MEIP));
}

static void registers_keep_only_bits_that_exist(void **state)
{
	struct fixture *f = *state;

	wr(f, PRIORITY, 7);
	assert_int_equal(rd(f, PRIORITY), 0);
	wr(f, PRIORITY + 4, 0xffffffff);
	assert_int_equal(rd(f, PRIORITY + 4), 7);
	wr(f, PRIORITY + 4 * 97, 7);
	assert_int_equal(rd(f, PRIORITY + 4 * 97), 0);
	for (unsigned word = 0; word < 8; word++)
		wr(f, ENABLE + 4 * word, 0xffffffff);
	assert_int_equal(rd(f, ENABLE), 0xfffffffe);
	assert_int_equal(rd(f, ENABLE + 8), 0xffffffff);
	assert_int_equal(rd(f, ENABLE + 12), 1);
	assert_int_equal(rd(f, ENABLE + 16), 0);
	wr(f, THRESHOLD, 0xfffffff8);
	assert_int_equal(rd(f, THRESHOLD), 0);
	wr(f, PENDING, 0xffffffff);
	assert_int_equal(rd(f, PENDING), 0);
}

static void places_without_a_register_read_zero(void **state)
{
	struct fixture *f = *state;
	static const uint64_t places[] = {0xffc,    0x1010,   0x1ffc,	ENABLE + 0x80 * 4, 0x1f1ffc,
					  0x1ffffc, 0x200008, 0x204000, 0x204004,	   0x3fffffc};
	uint64_t val;

	for (size_t i = 0; i < BIS_ARRAY_SIZE(places); i++) {
		wr(f, places[i], 0xffffffff);
		assert_int_equal(rd(f, places[i]), 0);
	}
	assert_int_equal(fake_try_read(f->mod, 0, 8, &val), BIS_BUS_FAULT);
	assert_int_equal(fake_try_read(f->mod, 2, 2, &val), BIS_BUS_FAULT);
	fake_set_input(f->mod, 0, true);
	fake_set_input(f->mod, 97, true);
	fake_set_input(f->mod, UINT32_MAX, true);
	assert_int_equal(f->m->hart[0].lines, 0);
}

static void reset_forgets_all_but_the_inputs(void **state)
{
	struct fixture *f = *state;

	arm(f, 0, 4, 1);
	fake_set_input(f->mod, 4, true);
	assert_int_equal(rd(f, claim_of(0)), 4);
	fake_reset(f->mod);
	assert_int_equal(rd(f, enable(0, 4)), 0);
	assert_false(fake_line(f->m, 0, BIS_LINE_MEIP));
	arm(f, 0, 4, 1);
	assert_true(fake_line(f->m, 0, BIS_LINE_MEIP));
}

static void the_number_of_sources_is_an_option(void **state)
{
	struct bis_machine *m = fake_create(1);
	struct bis_module *mod;
	char buf[512];

	(void)state;
	assert_fails(fake_try_add(m, &bis_plic_class, -1, "sources=0", &mod), -EINVAL, "1 to 127");
	assert_fails(fake_try_add(m, &bis_plic_class, -1, "sources=128", &mod), -EINVAL, "sources=128");
	mod = fake_add(m, &bis_plic_class, -1, "sources=31");
	fake_write(mod, ENABLE, 4, 0xffffffff);
	fake_write(mod, ENABLE + 4, 4, 0xffffffff);
	assert_int_equal(fake_read(mod, ENABLE, 4), 0xfffffffe);
	assert_int_equal(fake_read(mod, ENABLE + 4, 4), 0);
	assert_non_null(strstr(fake_dt(mod, buf, sizeof(buf)), "riscv,ndev=31\n"));
	assert_non_null(strstr(buf, "interrupts-extended=100 11 100 9\n"));
	fake_remove(mod);
	mod = fake_add(m, &bis_plic_class, -1, "sources=127");
	fake_write(mod, ENABLE + 12, 4, 0xffffffff);
	assert_int_equal(fake_read(mod, ENABLE + 12, 4), 0xffffffff);
	fake_destroy(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(request_claim_complete, setup, teardown),
		cmocka_unit_test_setup_teardown(level_still_high_at_completion_asks_again, setup, teardown),
		cmocka_unit_test_setup_teardown(a_request_once_accepted_stays_pending, setup, teardown),
		cmocka_unit_test_setup_teardown(highest_priority_first_then_lowest_number, setup, teardown),
		cmocka_unit_test_setup_teardown(threshold_masks_the_notification_and_not_the_claim, setup, teardown),
		cmocka_unit_test_setup_teardown(one_source_two_contexts_one_claim, setup, teardown),
		cmocka_unit_test_setup_teardown(completion_counts_only_from_a_context_that_enables_the_source, setup,
						teardown),
		cmocka_unit_test_setup_teardown(registers_keep_only_bits_that_exist, setup, teardown),
		cmocka_unit_test_setup_teardown(places_without_a_register_read_zero, setup, teardown),
		cmocka_unit_test_setup_teardown(reset_forgets_all_but_the_inputs, setup, teardown),
		cmocka_unit_test(the_number_of_sources_is_an_option),
	};

	return cmocka_run_group_tests_name("plic", tests, NULL, NULL);
}
