/* Traces made by the spare thread: the guest sees no difference, whenever they are done. */
#include "tests/unit/engines_rig.h"

enum { LANE_TURNS = 400 };

static const struct bis_machine_config aside = {.background = BIS_BACKGROUND_ON};

/* A loop that counts, adds up and goes around another one. */
static const uint32_t loop[] = {
	ADDI(A0, A0, 1), ANDI(T0, A0, 15), XORI(A1, A0, 0x2a), ADD(A2, A2, A1),
	SD(A2, 0, S0),	 ADDI(T0, T0, -1), BNE(T0, ZERO, -16), J(-28),
};

static void put_loop(struct bis_machine *m)
{
	RIG_LOAD(m, RIG_CODE, loop);
	for (unsigned reg = 1; reg < 32; reg++)
		bis_hart_set_reg(rig_hart(m), reg, 0);
	bis_hart_set_reg(rig_hart(m), S0, RIG_DATA);
	bis_hart_set_pc(rig_hart(m), RIG_CODE);
}

static struct twins twins_loop(struct bis_machine_config cfg)
{
	struct twins t = twins_create(cfg);

	put_loop(t.jit);
	put_loop(t.interp);
	return t;
}

static void traces_are_taken_over_while_the_guest_goes_on(void **state)
{
	static const enum bis_clock clocks[] = {BIS_CLOCK_HOST, BIS_CLOCK_VIRTUAL};

	(void)state;
	for (size_t i = 0; i < BIS_ARRAY_SIZE(clocks); i++) {
		struct bis_machine_config cfg = aside;
		uint64_t seed = 88172645463325252;
		struct twins t;

		cfg.clock = clocks[i];
		t = twins_loop(cfg);
		while (!traces(t.jit))
			step_both(&t, 100000);
		for (unsigned n = 0; n < 50; n++)
			step_both(&t, 1 + random_next(&seed) % 20000);
		twins_destroy(&t);
	}
}

/* The instruction at RIG_CODE + 8 adds another constant from now on. */
static void patch(struct bis_machine *m, unsigned value)
{
	const uint32_t code = XORI(A1, A0, value & 0x7ff);

	assert_ok(bis_mem_write(bis_machine_memory(m), (bis_gpa){RIG_CODE + 8}, &code, sizeof(code)));
}

/* Some of the writes meet a trace that is being made of what was there before. */
static void code_is_written_while_a_trace_is_made_of_it(void **state)
{
	struct twins t = twins_loop(aside);
	uint64_t seed = 2463534242;

	(void)state;
	for (unsigned i = 0; i < 400 || !traces(t.jit); i++) {
		step_both(&t, 1 + random_next(&seed) % 150000);
		patch(t.jit, i);
		patch(t.interp, i);
	}
	twins_destroy(&t);
}

static void the_cache_is_emptied_while_a_trace_is_made(void **state)
{
	struct bis_machine_config cfg = aside;
	struct bis_block_stats stats;
	uint64_t seed = 521288629;
	struct twins t;

	(void)state;
	cfg.code_cache = SMALL_CACHE;
	t = twins_create(cfg);
	put_lanes(t.jit, LANE_TURNS);
	put_lanes(t.interp, LANE_TURNS);
	do {
		step_both(&t, 1 + random_next(&seed) % 400000);
		stats = bis_block_cache_stats(rig_hart(t.jit)->cache);
		assert_in_range(stats.used_bytes, 0, SMALL_CACHE);
	} while (stats.flushes < 4 || stats.traces < 20);
	twins_destroy(&t);
}

static void a_machine_may_go_while_a_trace_is_made(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 20; i++) {
		struct bis_machine *m = make_jit(aside);

		assert_ok(bis_machine_start_paused(m));
		put_loop(m);
		assert_ok(bis_machine_step(m, 50000 * (i % 5) + 1));
		bis_machine_destroy(m);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(traces_are_taken_over_while_the_guest_goes_on),
		cmocka_unit_test(code_is_written_while_a_trace_is_made_of_it),
		cmocka_unit_test(the_cache_is_emptied_while_a_trace_is_made),
		cmocka_unit_test(a_machine_may_go_while_a_trace_is_made),
	};

	return cmocka_run_group_tests_name("engine_background", tests, NULL, NULL);
}
