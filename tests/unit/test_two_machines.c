/* Machines of different width in one process, each with a control thread of its own, running at the same time. */
#include <pthread.h>

#include "tests/unit/rig.h"

enum { ROUNDS = 6, TURNS = 100000 };

/* Mixes a word TURNS times in the registers' width, stores it, and powers off with the width's own exit code. */
static const uint32_t mix[] = {
	LI(T0, 1),	     SLLI(T1, T0, 5), /* 0x04 */
	ADD(T0, T0, T1),     XORI(T0, T0, -1), MUL(T0, T0, T0), ADDI(T0, T0, 7),  ADDI(A4, A4, -1),
	BNE(A4, ZERO, -24),  SW(T0, 0, A1),    LI(T2, 1),	SLLI(T2, T2, 31), /* -2^31 where registers are that wide
										   */
	LI(A5, 32),	     BLT(T2, ZERO, 8), SLLI(A5, A5, 1), SLLI(A5, A5, 16), LUI(T1, 3),
	ADDI(T1, T1, 0x333), ADD(A5, A5, T1),  LUI(T1, 0x100),	SW(A5, 0, T1),	  SPIN,
};

struct side {
	const char *isa;
	unsigned width;
	int failures;
};

static uint32_t mixed(void)
{
	uint32_t v = 1; /* its low half depends on nothing above */

	for (unsigned i = 0; i < TURNS; i++) {
		v += v << 5;
		v = ~v;
		v = v * v + 7;
	}
	return v;
}

/* cmocka's assertions belong to the main thread: here failures are counted. */
static int run_once(const struct side *side, uint32_t want)
{
	struct bis_machine_config cfg = {.ram_size = RIG_RAM_SIZE, .isa = side->isa, .classes = bis_builtin_modules};
	struct bis_memory *mem;
	struct bis_machine *m;
	enum bis_stop_reason why;
	int status = 0, failures = 0;
	uint64_t word = 0;
	uint32_t turns[] = {LUI(A4, TURNS >> 12), ADDI(A4, A4, TURNS & 0xfff)};

	if (bis_machine_create(&cfg, &m))
		return 1;
	mem = bis_machine_memory(m);
	failures += bis_machine_add(m, "riscv", NULL) || bis_machine_add(m, "finisher,at=0x100000", NULL);
	failures += bis_mem_write(mem, (bis_gpa){RIG_CODE}, turns, sizeof(turns)) != 0;
	failures += bis_mem_write(mem, (bis_gpa){RIG_CODE + sizeof(turns)}, mix, sizeof(mix)) != 0;
	bis_machine_set_entry(m, RIG_CODE, RIG_DATA, 0);
	failures += bis_machine_start(m) || bis_machine_join(m, RIG_DEADLINE_MS, &why, &status);
	failures += status != (int)side->width;
	failures += bis_mem_load(mem, (bis_gpa){RIG_DATA}, 4, &word) || word != want;
	bis_machine_destroy(m);
	return failures;
}

static void *run_side(void *arg)
{
	struct side *side = arg;
	uint32_t want = mixed();

	for (unsigned i = 0; i < ROUNDS; i++)
		side->failures += run_once(side, want);
	return NULL;
}

static void widths_run_side_by_side(void **state)
{
	struct side sides[] = {{"rv64", 64, 0}, {"rv32", 32, 0}, {"rv32im", 32, 0}};
	pthread_t threads[BIS_ARRAY_SIZE(sides)];

	(void)state;
	assert_true((TURNS & 0xfff) < 0x800);
	for (size_t i = 0; i < BIS_ARRAY_SIZE(sides); i++)
		assert_int_equal(pthread_create(&threads[i], NULL, run_side, &sides[i]), 0);
	for (size_t i = 0; i < BIS_ARRAY_SIZE(sides); i++) {
		assert_int_equal(pthread_join(threads[i], NULL), 0);
		assert_int_equal(sides[i].failures, 0);
	}
}

/* What one machine does leaves the other alone. */
static void machines_share_nothing(void **state)
{
	static const uint32_t count[] = {ADDI(A2, A2, 1), J(-4)};
	struct bis_machine *wide = rig_create("rv64", 1), *narrow = rig_create("rv32", 1);

	(void)state;
	RIG_LOAD(wide, RIG_CODE, count);
	RIG_LOAD(narrow, RIG_CODE, count);
	rig_start_paused(wide);
	rig_start_paused(narrow);
	bis_hart_set_reg(rig_hart(wide), A2, 0xffffffff);
	bis_hart_set_reg(rig_hart(narrow), A2, 0xffffffff);
	rig_step_at(wide, RIG_CODE, 1);
	assert_int_equal(rig_reg(wide, A2), 0x100000000);
	assert_int_equal(rig_reg(narrow, A2), 0xffffffff);
	rig_step_at(narrow, RIG_CODE, 1);
	assert_int_equal(rig_reg(narrow, A2), 0);
	rig_set64(wide, RIG_DATA, 5);
	assert_int_equal(rig_get64(narrow, RIG_DATA), 0);
	assert_ok(bis_machine_resume(wide));
	assert_int_equal(bis_machine_state(narrow), BIS_PAUSED);
	bis_machine_destroy(wide);
	rig_step_at(narrow, RIG_CODE, 3);
	assert_int_equal(rig_reg(narrow, A2), 2);
	bis_machine_destroy(narrow);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(widths_run_side_by_side),
		cmocka_unit_test(machines_share_nothing),
	};

	return cmocka_run_group_tests_name("two_machines", tests, NULL, NULL);
}
