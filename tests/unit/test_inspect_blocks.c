/* cpu/N/blocks and cpu/N/counters: what a running hart executes most of, on each engine, and how much was translated.
 */
#include "src/cpu/hart_internal.h"
#include "src/translate/hot.h"
#include "tests/unit/inspect_rig.h"

#define LANES 300

/* A loop, which the hart leaves once in a thousand turns for another, of the same length, and comes back. */
static const uint32_t two_loops[] = {
	LI(A1, 1000), ADDI(A0, A0, 1), ADDI(A1, A1, -1), BNE(A1, ZERO, -8), /* 4 to 12 */
	LI(A1, 10),   ADDI(A0, A0, 1), ADDI(A1, A1, -1), BNE(A1, ZERO, -8), /* 20 to 28 */
	J(-32),
};

static struct files *files_on(const char *engine)
{
	struct bis_machine_config cfg = {.ram_size = RIG_RAM_SIZE,
					 .engine = engine,
					 .classes = bis_builtin_modules,
					 .code_cache = 512 << 10,
					 .background = BIS_BACKGROUND_OFF};
	struct bis_machine *m = NULL;

	if (bis_machine_create(&cfg, &m))
		skip();
	rig_add(m, "riscv");
	assert_ok(bis_machine_start_paused(m));
	return files_of(m, &(struct inspect_options){0});
}

/* Reads until the file has text that satisfies `enough`. */
static void read_until(struct files *f, const char *path, bool (*enough)(const char *text))
{
	rig_wait_for(enough(files_text(f, path)));
}

static unsigned lines_of(const char *text)
{
	unsigned n = 0;

	for (; *text; text++)
		n += *text == '\n';
	return n;
}

static bool has_hundred_samples(const char *text)
{
	double share;
	unsigned samples = 0;

	return sscanf(text, "%lf%% %u", &share, &samples) == 2 && samples >= 100;
}

static void the_hottest_block_is_the_inner_loop(void **state)
{
	static const char *const engines[] = {"interp", "jit"};

	(void)state;
	for (size_t i = 0; i < BIS_ARRAY_SIZE(engines); i++) {
		struct files *f = files_on(engines[i]);
		unsigned long long pa, va;
		unsigned insns, samples;
		size_t bytes;
		double share;
		char kind[8];

		assert_string_equal(files_text(f, "cpu/0/blocks"), "");
		RIG_LOAD(f->m, RIG_CODE, two_loops);
		bis_hart_set_pc(rig_hart(f->m), RIG_CODE);
		assert_ok(bis_machine_resume(f->m));
		read_until(f, "cpu/0/blocks", has_hundred_samples);
		assert_int_equal(bis_machine_state(f->m), BIS_RUNNING);
		assert_int_equal(sscanf(f->text, "%lf%% %u %7s %u insns %zu bytes 0x%llx 0x%llx", &share, &samples,
					kind, &insns, &bytes, &pa, &va),
				 7);
		assert_true(share > 50 && share <= 100);
		assert_string_equal(kind, i ? "loop" : "block");
		assert_in_range(pa, RIG_CODE + 4, RIG_CODE + 12);
		assert_int_equal(va, pa);
		assert_in_range(insns, 1, 128);
		assert_true(bytes > 0);
		assert_null(strchr(f->text, '<'));
		files_say(f, "cpu/0/counters", i ? "\ntraces_translated " : "\ntraces_translated 0\n");
		files_say(f, "cpu/0/counters", "\nblocks_dropped ");
		files_say(f, "cpu/0/counters", "\ncode_flushes ");
		files_say(f, "cpu/0/counters", "\ncode_bytes ");
		files_free(f);
	}
}

/* More blocks than are kept, all as hot as each other, in a cache that is emptied all the time. */
static void many_blocks_are_a_short_text(void **state)
{
	struct files *f = files_on("jit");
	struct bis_hot_block all[HOT_SETS * HOT_WAYS + 1];
	uint64_t samples, seen = 0;
	size_t count;

	(void)state;
	for (unsigned i = 0; i < LANES; i++) {
		uint32_t code[] = {LI(A1, 1000), ADDI(A0, A0, 1), ADDI(A1, A1, -1), BNE(A1, ZERO, -8), J(4096 - 16)};

		if (i == LANES - 1)
			code[4] = JALR(ZERO, 0, S0);
		RIG_LOAD(f->m, RIG_CODE + UINT64_C(4096) * i, code);
	}
	bis_hart_set_reg(rig_hart(f->m), S0, RIG_CODE);
	bis_hart_set_pc(rig_hart(f->m), RIG_CODE);
	assert_ok(bis_machine_resume(f->m));
	do {
		assert_in_range(lines_of(files_text(f, "cpu/0/blocks")), 0, 40);
		count = bis_hart_hot_blocks(rig_hart(f->m), all, BIS_ARRAY_SIZE(all), &samples);
	} while (samples < 4000 && bis_machine_state(f->m) == BIS_RUNNING);
	assert_ok(bis_machine_pause(f->m));
	count = bis_hart_hot_blocks(rig_hart(f->m), all, BIS_ARRAY_SIZE(all), &samples);
	assert_in_range(count, 40, HOT_SETS * HOT_WAYS);
	for (size_t i = 0; i < count; i++) {
		assert_true(!i || all[i].samples <= all[i - 1].samples);
		seen += all[i].samples;
	}
	assert_in_range(seen, count, samples);
	files_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_hottest_block_is_the_inner_loop),
		cmocka_unit_test(many_blocks_are_a_short_text),
	};

	return cmocka_run_group_tests_name("inspect_blocks", tests, NULL, NULL);
}
