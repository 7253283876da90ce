/* The cache of translated code: too small for the program, emptied, and what is known of the blocks in it. */
#include "tests/unit/engines_rig.h"

/* --- A cache too small for the program --- */

enum { LANE_TURNS = 2000 };

static void a_small_cache_is_emptied_again_and_again(void **state)
{
	struct twins t = twins_create((struct bis_machine_config){.code_cache = SMALL_CACHE});
	struct bis_block_stats stats;
	uint64_t seed = 521288629;

	(void)state;
	put_lanes(t.jit, LANE_TURNS);
	put_lanes(t.interp, LANE_TURNS);
	for (unsigned i = 0; i < 60; i++) {
		step_both(&t, 1 + random_next(&seed) % 400000);
		stats = bis_block_cache_stats(rig_hart(t.jit)->cache);
		assert_in_range(stats.used_bytes, 0, SMALL_CACHE);
	}
	assert_true(stats.flushes >= 2);
	/* A look at every few thousand instructions: now it is traces that fill it. */
	for (unsigned i = 0; i < 1500; i++)
		step_both(&t, 1 + random_next(&seed) % 4000);
	assert_true(bis_block_cache_stats(rig_hart(t.jit)->cache).flushes > stats.flushes);
	assert_true(traces(t.jit) > 150);
	twins_destroy(&t);
}

/* A trace that would fill much of the cache is not made; its blocks go on. */
static void a_trace_too_big_for_a_small_cache_is_not_made(void **state)
{
	struct twins t = twins_create((struct bis_machine_config){.code_cache = SMALL_CACHE});
	uint32_t code[101];

	(void)state;
	for (unsigned i = 0; i < 100; i++)
		code[i] = ASM_I(i, A0, 0, A0, 0x1b); /* addiw */
	code[100] = J(-400);
	for (unsigned i = 0; i < 2; i++) {
		struct bis_machine *m = i ? t.interp : t.jit;

		RIG_LOAD(m, RIG_CODE, code);
		bis_hart_set_pc(rig_hart(m), RIG_CODE);
	}
	step_both(&t, WARM);
	step_both(&t, 12345);
	assert_int_equal(traces(t.jit), 0);
	twins_destroy(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_small_cache_is_emptied_again_and_again),
		cmocka_unit_test(a_trace_too_big_for_a_small_cache_is_not_made),
	};

	return cmocka_run_group_tests_name("engine_cache", tests, NULL, NULL);
}
