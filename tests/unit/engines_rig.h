/*
 * Twins: the same machine on both engines. What the jit has done the interpreter does, too, to the same instruction,
 * and must be in the same state.
 */
#ifndef BISCUIT_UNIT_ENGINES_RIG_H
#define BISCUIT_UNIT_ENGINES_RIG_H

#include <biscuit/debug.h>

#include "src/cpu/hart_internal.h"
#include "src/machine/machine_internal.h"
#include "src/translate/block_internal.h"
#include "tests/random.h"
#include "tests/unit/rig.h"

#define HANDLER	 (RIG_CODE + 0x1000)
#define CLINT	 UINT64_C(0x2000000)
#define MTIMECMP (CLINT + 0x4000)
#define MTIME	 (CLINT + 0xbff8)
#define WARM	 500000 /* instructions after which loops have become traces */

enum { S2 = 18, S3, S4, S5, S6, S7, T3 = 28, T4, T5, T6 };

struct twins {
	struct bis_machine *interp, *jit;
};

static inline struct bis_machine *make(struct bis_machine_config cfg, const char *engine)
{
	struct bis_machine *m = NULL;

	cfg.engine = engine;
	if (cfg.background == BIS_BACKGROUND_AUTO)
		cfg.background = BIS_BACKGROUND_OFF;
	cfg.ram_size = RIG_RAM_SIZE;
	cfg.classes = bis_builtin_modules;
	if (bis_machine_create(&cfg, &m))
		return NULL;
	rig_add(m, "riscv");
	rig_add(m, "sv");
	rig_add(m, "clint,at=0x2000000");
	return m;
}

/* Ends the test where there is one engine alone. */
static inline struct bis_machine *make_jit(struct bis_machine_config cfg)
{
	struct bis_machine *m = make(cfg, "jit");

	if (!m)
		skip();
	return m;
}

static inline struct twins twins_create(struct bis_machine_config cfg)
{
	struct twins t = {.jit = make_jit(cfg)};

	t.interp = make(cfg, "interp");
	assert_non_null(t.interp);
	assert_ok(bis_machine_start_paused(t.jit));
	assert_ok(bis_machine_start_paused(t.interp));
	return t;
}

static inline void twins_destroy(struct twins *t)
{
	bis_machine_destroy(t->interp);
	bis_machine_destroy(t->jit);
}

static inline uint64_t traces(struct bis_machine *m)
{
	return bis_block_cache_stats(rig_hart(m)->cache).traces;
}

static inline void assert_same(struct bis_machine *a, struct bis_machine *b)
{
	assert_int_equal(bis_hart_pc(rig_hart(a)), bis_hart_pc(rig_hart(b)));
	for (unsigned reg = 1; reg < 32; reg++)
		if (rig_reg(a, reg) != rig_reg(b, reg))
			fail_msg("x%u is 0x%llx and 0x%llx", reg, (unsigned long long)rig_reg(a, reg),
				 (unsigned long long)rig_reg(b, reg));
	assert_int_equal(rig_csr(a, CSR_MINSTRET), rig_csr(b, CSR_MINSTRET));
	assert_int_equal(rig_get64(a, RIG_DATA), rig_get64(b, RIG_DATA));
}

/* The interpreter goes to where the jit stands. */
static inline void follow(struct twins *t)
{
	uint64_t to = bis_hart_instret(rig_hart(t->jit)), from = bis_hart_instret(rig_hart(t->interp));

	if (to != from)
		assert_ok(bis_machine_step(t->interp, to - from));
	assert_same(t->jit, t->interp);
}

static inline void step_both(struct twins *t, uint64_t count)
{
	assert_ok(bis_machine_step(t->jit, count));
	assert_ok(bis_machine_step(t->interp, count));
	assert_same(t->jit, t->interp);
}

/* Lets the jit run for a while. */
static inline void run_a_little(struct bis_machine *m)
{
	struct bis_hart_counters now, before;

	bis_hart_counters(rig_hart(m), &before);
	assert_ok(bis_machine_resume(m));
	do {
		sched_yield();
		bis_hart_counters(rig_hart(m), &now);
	} while (now.instret < before.instret + 100000);
}

static inline uint64_t random_next(uint64_t *seed)
{
	return xorshift(seed) >> 16;
}

/* A cache too small for a program of so many pages. */
enum { LANES = 1500, SMALL_CACHE = 512 << 10 };

/* A loop of so many turns in each page, which jumps to the next; the last jumps to the first. */
static inline void put_lanes(struct bis_machine *m, unsigned turns)
{
	for (unsigned i = 0; i < LANES; i++) {
		uint32_t code[] = {
			LI(T0, turns),	  ADDI(A0, A0, i & 0x3ff), ANDI(T1, T0, 7),
			BNE(T1, ZERO, 8), XORI(A1, A1, 0x2aa),	   ADD(A1, A1, A0),
			ADDI(T0, T0, -1), BNE(T0, ZERO, -24),	   J(4096 - 32),
		};

		if (i == LANES - 1)
			code[8] = JALR(ZERO, 0, S0);
		RIG_LOAD(m, RIG_CODE + UINT64_C(4096) * i, code);
	}
	bis_hart_set_reg(rig_hart(m), S0, RIG_CODE);
	bis_hart_set_pc(rig_hart(m), RIG_CODE);
}

#endif
