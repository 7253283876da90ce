/*
 * Translated code and what invalidates it: stores by the hart itself, another hart, a device, the outside; remapped
 * pages; instructions over two pages; a full cache. Each test would run stale code if the cache missed a change.
 */
#include "src/cpu/hart_internal.h"
#include "src/translate/block_internal.h"
#include "tests/unit/rig.h"

/* --- Written code --- */

/* Writes the word in A3 over the instruction at 0x0c, executes it, and goes on at 0x14. */
static const uint32_t modify[] = {
	SW(A3, 12, A4),	 FENCE_I, ADDI(A5, A5, 1), LI(A2, 0), /* the target */
	ADD(A6, A6, A2), SPIN,
};

static void a_hart_changes_its_own_code(void **state)
{
	struct bis_machine *m = rig_create("rv64", 1);
	uint64_t sum = 0;

	(void)state;
	RIG_LOAD(m, RIG_CODE, modify);
	rig_start_paused(m);
	bis_hart_set_reg(rig_hart(m), A4, RIG_CODE);
	for (unsigned k = 1; k <= 200; k++) {
		bis_hart_set_reg(rig_hart(m), A3, LI(A2, k));
		rig_step_at(m, RIG_CODE, 5);
		assert_int_equal(rig_reg(m, A2), k);
		assert_int_equal(rig_reg(m, A6), sum += k);
	}
	bis_machine_destroy(m);
}

/* As above for every width of store and for an AMO, at the last byte of the word they share with the instruction. */
static void every_kind_of_store_is_noticed(void **state)
{
	static const uint32_t stores[] = {
		SB(A3, 3, A4), SH(A3, 2, A4), SW(A3, 0, A4), SD(A3, -4, A4), SW(A3, -1, A4), AMOADD_W(ZERO, A3, A4),
	};
	static const uint32_t before = LI(A2, 1); /* 0x00100613: bits 31:20 hold the value */
	struct bis_machine *m = rig_create("rv64", 1);

	(void)state;
	rig_start_paused(m);
	bis_hart_set_reg(rig_hart(m), A4, RIG_CODE + 8);
	for (size_t i = 0; i < BIS_ARRAY_SIZE(stores); i++) {
		static const uint64_t values[] = {
			0x77, 0x7710, LI(A2, 0x771), (uint64_t)LI(A2, 0x771) << 32 | FENCE_I, 0x10061300, 0x77000000};
		static const uint64_t results[] = {0x771, 0x771, 0x771, 0x771, 1, 0x771};
		uint32_t code[] = {stores[i], FENCE_I, before, SPIN};

		RIG_LOAD(m, RIG_CODE, code);
		rig_step_at(m, RIG_CODE + 8, 1); /* translated before it is written */
		assert_int_equal(rig_reg(m, A2), 1);
		bis_hart_set_reg(rig_hart(m), A3, values[i]);
		rig_step_at(m, RIG_CODE, 3);
		assert_int_equal(rig_reg(m, A2), results[i]);
	}
	bis_machine_destroy(m);
}

/* Calls a function again and again and stores its result. */
static const uint32_t caller[] = {JALR(RA, 0, A4), SD(A2, 0, A3), J(-8)};

static void code_written_from_outside_runs(void **state)
{
	static const uint32_t function[] = {LI(A2, 1), RET};
	struct bis_machine *m = rig_create("rv64", 2);

	(void)state;
	RIG_LOAD(m, RIG_CODE, caller);
	RIG_LOAD(m, RIG_CODE + 0x1000, function);
	rig_start_paused(m);
	for (unsigned i = 0; i < 2; i++) {
		bis_hart_set_pc(bis_machine_hart(m, i), RIG_CODE);
		bis_hart_set_reg(bis_machine_hart(m, i), A4, RIG_CODE + 0x1000);
		bis_hart_set_reg(bis_machine_hart(m, i), A3, RIG_DATA + 8 * i);
	}
	assert_ok(bis_machine_resume(m));
	for (unsigned k = 1; k <= 100; k++) {
		uint32_t word = LI(A2, k);

		rig_write(m, RIG_CODE + 0x1000, &word, sizeof(word));
		rig_wait_for(rig_get64(m, RIG_DATA) == k && rig_get64(m, RIG_DATA + 8) == k);
	}
	bis_machine_destroy(m);
}

/* More pages than the queue of dropped pages holds, while the hart is parked. */
static void many_pages_written_at_once_run_anew(void **state)
{
	enum { PAGES = 100 };
	struct bis_machine *m = rig_create("rv64", 1);

	(void)state;
	rig_start_paused(m);
	for (unsigned round = 1; round <= 3; round++) {
		for (unsigned i = 0; i < PAGES; i++) {
			uint32_t code[] = {ADDI(A2, A2, round), i == PAGES - 1 ? SPIN : J(4096 - 4)};

			RIG_LOAD(m, RIG_CODE + i * 4096, code);
		}
		bis_hart_set_reg(rig_hart(m), A2, 0);
		rig_step_at(m, RIG_CODE, 2 * PAGES);
		assert_int_equal(rig_reg(m, A2), round * PAGES);
	}
	bis_machine_destroy(m);
}

/* --- A device that writes code --- */

static enum bis_bus_result plant(void *self, uint64_t off, unsigned size, uint64_t val)
{
	uint32_t word = (uint32_t)val;

	(void)size;
	if (bis_mem_write_obj(bis_module_memory(self), (bis_gpa){RIG_CODE + 0x1000 + off}, &word))
		return BIS_BUS_FAULT;
	return BIS_BUS_OK;
}

static int planter_create(struct bis_module *mod, const struct bis_options *options, void **self)
{
	(void)options;
	*self = mod;
	return 0;
}

static int planter_attach(struct bis_module *mod, void *self)
{
	static const struct bis_mmio_ops ops = {.size = 64, .min_access = 4, .max_access = 4, .write = plant};

	(void)self;
	return bis_attach_mmio(mod, &ops);
}

static void planter_destroy(void *self)
{
	(void)self;
}

static const struct bis_module_class planter = {.abi = BIS_MODULE_ABI,
						.name = "planter",
						.summary = "writes code into RAM",
						.create = planter_create,
						.attach = planter_attach,
						.destroy = planter_destroy};

static void code_written_by_a_device_runs(void **state)
{
	static const uint32_t code[] = {SW(A3, 0, A4), FENCE_I, JALR(RA, 0, A5), SPIN};
	static const uint32_t function[] = {LI(A2, 1), RET};
	const struct bis_module_class *classes[64] = {&planter};
	struct bis_machine *m;

	(void)state;
	for (size_t i = 0; bis_builtin_modules[i]; i++)
		classes[i + 1] = bis_builtin_modules[i];
	m = rig_create_with("rv64", 1, classes);
	rig_add(m, "riscv");
	rig_add(m, "planter,at=0x20000000");
	RIG_LOAD(m, RIG_CODE, code);
	RIG_LOAD(m, RIG_CODE + 0x1000, function);
	rig_start_paused(m);
	bis_hart_set_reg(rig_hart(m), A4, 0x20000000);
	bis_hart_set_reg(rig_hart(m), A5, RIG_CODE + 0x1000);
	for (unsigned k = 1; k <= 50; k++) {
		bis_hart_set_reg(rig_hart(m), A3, LI(A2, k));
		rig_step_at(m, RIG_CODE, 5);
		assert_int_equal(rig_reg(m, A2), k);
	}
	bis_machine_destroy(m);
}

/* --- Another hart writes code --- */

/*
 * The last hart writes `lui a2, n` for rising n and then publishes n; the others read what is published, fence.i, call,
 * and must get that n or a later one. A difference is written down and ends the run.
 */
static const uint32_t writer[] = {
	LUI(T0, 1), /* n << 12 */
	LUI(T1, 1),
	OR(T2, T0, A5), /* 0x08: a5: lui a2, 0 */
	SW(T2, 0, A4),	/* the function */
	SD(T0, 0, A3),	/* published */
	ADD(T0, T0, T1),
	BLTU(T0, A6, -16), /* a6: the end */
	SD(A6, 8, A3),	   /* done */
	SPIN,
};
static const uint32_t reader[] = {
	LD(T0, 0, A3), FENCE_I,	      JALR(RA, 0, A4), BLTU(A2, T0, 16), LD(T1, 8, A3), BEQ(T1, ZERO, -20),
	J(8),	       SD(A2, 0, A7), /* stale */
	LI(T1, 1),     SD(T1, 8, A7), /* through */
	SPIN,
};

static void code_written_by_another_hart_is_seen_after_fence_i(void **state)
{
	enum { HARTS = 4, ROUNDS = 4000 };
	static const uint32_t function[] = {LUI(A2, 0), RET};
	struct bis_machine *m = rig_create("rv64", HARTS);

	(void)state;
	RIG_LOAD(m, RIG_CODE, reader);
	RIG_LOAD(m, RIG_CODE + 0x1000, writer);
	RIG_LOAD(m, RIG_CODE + 0x2000, function);
	rig_start_paused(m);
	for (unsigned i = 0; i < HARTS; i++) {
		struct bis_hart *h = bis_machine_hart(m, i);

		bis_hart_set_pc(h, i == HARTS - 1 ? RIG_CODE + 0x1000 : RIG_CODE);
		bis_hart_set_reg(h, A3, RIG_DATA);
		bis_hart_set_reg(h, A4, RIG_CODE + 0x2000);
		bis_hart_set_reg(h, A5, LUI(A2, 0));
		bis_hart_set_reg(h, A6, (uint64_t)ROUNDS << 12);
		bis_hart_set_reg(h, A7, RIG_DATA + 0x1000 * (i + 1));
	}
	assert_ok(bis_machine_resume(m));
	for (unsigned i = 0; i < HARTS - 1; i++) {
		rig_wait_for(rig_get64(m, RIG_DATA + 0x1000 * (i + 1) + 8));
		assert_int_equal(rig_get64(m, RIG_DATA + 0x1000 * (i + 1)), 0);
	}
	bis_machine_destroy(m);
}

/*
 * Hart 0 stores what the instruction at 0 gives; hart 1 rewrites that instruction when it is told to. No fence tells
 * hart 0, whose loop is hot.
 */
static const uint32_t obeys[] = {LUI(A2, 0), ADD(A0, A0, A2), ADDI(A1, A1, 1), SD(A2, 0, A7), J(-16)};
static const uint32_t rewrites[] = {
	LD(T0, 0, A3), BEQ(T0, T1, -4), MV(T1, T0), OR(T2, T0, A5), SW(T2, 0, A4), J(-20),
};

static void another_hart_rewrites_a_hot_loop(void **state)
{
	struct bis_machine *m = rig_create("rv64", 2);
	struct bis_hart *other = bis_machine_hart(m, 1);
	bool traces = !strcmp(bis_machine_engine(m), "jit");

	(void)state;
	rig_start_paused(m);
	RIG_LOAD(m, RIG_CODE, obeys);
	RIG_LOAD(m, RIG_CODE + 0x1000, rewrites);
	bis_hart_set_reg(rig_hart(m), A7, RIG_DATA + 0x1000);
	bis_hart_set_pc(rig_hart(m), RIG_CODE);
	bis_hart_set_reg(other, A3, RIG_DATA);
	bis_hart_set_reg(other, A4, RIG_CODE);
	bis_hart_set_reg(other, A5, LUI(A2, 0));
	bis_hart_set_pc(other, RIG_CODE + 0x1000);
	assert_ok(bis_machine_resume(m));
	for (uint64_t k = 1; k <= 30; k++) {
		uint64_t before = bis_block_cache_stats(rig_hart(m)->cache).traces;

		rig_set64(m, RIG_DATA, k << 12);
		rig_wait_for(rig_get64(m, RIG_DATA + 0x1000) == k << 12);
		rig_wait_for(!traces || bis_block_cache_stats(rig_hart(m)->cache).traces > before);
	}
	bis_machine_destroy(m);
}

/* --- Instructions over two pages --- */

#define VA 0x40000000

/* An instruction whose upper half, the constant, lies in the second page. */
struct crossing {
	struct bis_machine *m;
	struct rig_tables tables;
};

static void put_crossing(struct bis_machine *m, uint64_t first, uint64_t second, uint32_t insn)
{
	uint16_t low = (uint16_t)insn, high = (uint16_t)(insn >> 16);
	uint32_t after = SPIN;

	rig_write(m, first + 0xffe, &low, sizeof(low));
	rig_write(m, second, &high, sizeof(high));
	rig_write(m, second + 2, &after, 2);
	rig_write(m, second + 4, (uint8_t *)&after + 2, 2);
}

static struct crossing crossing_create(void)
{
	struct crossing c = {.m = rig_create("rv64", 1)};

	put_crossing(c.m, RIG_CODE, RIG_CODE + 0x1000, LI(A2, 0x111));
	put_crossing(c.m, RIG_CODE, RIG_CODE + 0x2000, LI(A2, 0x222));
	rig_start_paused(c.m);
	c.tables = rig_tables_at(c.m, RIG_DATA);
	rig_map(&c.tables, VA, RIG_CODE, 0, PTE_RWX);
	rig_map(&c.tables, VA + 0x1000, RIG_CODE + 0x1000, 0, PTE_RWX);
	rig_enter_s(&c.tables);
	return c;
}

/* A change of page tables from outside takes effect with a fence: writing satp is one. */
static void fence(struct crossing *c)
{
	rig_set_csr(c->m, CSR_SATP, rig_csr(c->m, CSR_SATP));
}

static void an_instruction_over_two_pages_follows_both(void **state)
{
	struct crossing c = crossing_create();

	(void)state;
	for (unsigned round = 0; round < 3; round++) {
		rig_map(&c.tables, VA + 0x1000, RIG_CODE + 0x1000, 0, PTE_RWX);
		fence(&c);
		rig_step_at(c.m, VA + 0xffe, 1);
		assert_int_equal(rig_reg(c.m, A2), 0x111);
		assert_int_equal(bis_hart_pc(rig_hart(c.m)), VA + 0x1002);
		rig_map(&c.tables, VA + 0x1000, RIG_CODE + 0x2000, 0, PTE_RWX);
		fence(&c);
		rig_step_at(c.m, VA + 0xffe, 1);
		assert_int_equal(rig_reg(c.m, A2), 0x222);
	}
	bis_machine_destroy(c.m);
}

static void either_half_of_such_an_instruction_may_be_rewritten(void **state)
{
	struct crossing c = crossing_create();
	uint16_t half;

	(void)state;
	rig_step_at(c.m, VA + 0xffe, 1);
	half = LI(A2, 0x333) >> 16;
	rig_write(c.m, RIG_CODE + 0x1000, &half, sizeof(half));
	rig_step_at(c.m, VA + 0xffe, 1);
	assert_int_equal(rig_reg(c.m, A2), 0x333);
	half = (uint16_t)LI(A3, 0);
	rig_write(c.m, RIG_CODE + 0xffe, &half, sizeof(half));
	rig_step_at(c.m, VA + 0xffe, 1);
	assert_int_equal(rig_reg(c.m, A3), 0x333);
	bis_machine_destroy(c.m);
}

static void its_second_page_may_be_missing(void **state)
{
	struct crossing c = crossing_create();

	(void)state;
	rig_step_at(c.m, VA + 0xffe, 1);
	rig_map(&c.tables, VA + 0x1000, 0, 0, 0);
	fence(&c);
	rig_set_csr(c.m, CSR_MTVEC, RIG_SPIN);
	rig_step_at(c.m, VA + 0xffe, 1);
	assert_int_equal(rig_csr(c.m, CSR_MCAUSE), BIS_CAUSE_FETCH_PAGE);
	assert_int_equal(rig_csr(c.m, CSR_MEPC), VA + 0xffe);
	assert_int_equal(rig_csr(c.m, CSR_MTVAL), VA + 0x1000);
	bis_machine_destroy(c.m);
}

/* A loop that jumps to such an instruction: the jump must not bypass the look at the second page. */
static void jumps_to_such_an_instruction_look_each_time(void **state)
{
	struct crossing c = crossing_create();
	static const uint32_t loop[] = {J(0xffe - 0xf00)};

	(void)state;
	RIG_LOAD(c.m, RIG_CODE + 0xf00, loop);
	for (unsigned i = 0; i < 10; i++) {
		rig_map(&c.tables, VA + 0x1000, RIG_CODE + (i % 2 ? 0x2000 : 0x1000), 0, PTE_RWX);
		fence(&c);
		for (unsigned k = 0; k < 3; k++)
			rig_step_at(c.m, VA + 0xf00, 2);
		assert_int_equal(rig_reg(c.m, A2), i % 2 ? 0x222 : 0x111);
	}
	bis_machine_destroy(c.m);
}

/* --- Virtual and physical --- */

static void the_same_code_runs_at_two_addresses(void **state)
{
	static const uint32_t code[] = {AUIPC(A2, 0), JAL(RA, 8), NOP, SPIN};
	struct crossing c = crossing_create();

	(void)state;
	RIG_LOAD(c.m, RIG_CODE, code);
	rig_map(&c.tables, VA + 0x5000, RIG_CODE, 0, PTE_RWX);
	for (unsigned i = 0; i < 6; i++) {
		uint64_t at = VA + (i % 2 ? 0x5000 : 0);

		rig_step_at(c.m, at, 2);
		assert_int_equal(rig_reg(c.m, A2), at);
		assert_int_equal(rig_reg(c.m, RA), at + 8);
		assert_int_equal(bis_hart_pc(rig_hart(c.m)), at + 12);
	}
	bis_machine_destroy(c.m);
}

/* How often was something translated while hart 0 went through the address spaces, one after the other? */
static uint64_t translations(struct bis_machine *m, struct rig_tables *spaces[2], unsigned steps)
{
	uint64_t before = bis_block_cache_stats(rig_hart(m)->cache).translated;

	for (unsigned i = 0; i < 40; i++) {
		rig_enter_s(spaces[i % 2]);
		rig_step_at(m, VA, steps);
	}
	return bis_block_cache_stats(rig_hart(m)->cache).translated - before;
}

/* Two processes with different code at one address; switching needs no translation anew. */
static void an_address_space_switch_keeps_translations(void **state)
{
	static const uint32_t code[2][2] = {{LI(A2, 1), SPIN}, {LI(A2, 2), SPIN}};
	struct crossing c = crossing_create();
	struct rig_tables other = rig_tables_at(c.m, RIG_DATA + 0x10000);
	struct rig_tables *both[2] = {&c.tables, &other}, *one[2] = {&c.tables, &c.tables};
	uint64_t ends;

	(void)state;
	RIG_LOAD(c.m, RIG_CODE, code[0]);
	RIG_LOAD(c.m, RIG_CODE + 0x3000, code[1]);
	rig_map(&other, VA, RIG_CODE + 0x3000, 0, PTE_RWX);
	for (unsigned i = 0; i < 20; i++) {
		rig_enter_s(both[i % 2]);
		rig_step_at(c.m, VA, 2);
		assert_int_equal(rig_reg(c.m, A2), i % 2 + 1);
	}
	/* Steps that end inside a block translate its beginning, as often with as without a switch. */
	translations(c.m, both, 1000);
	ends = translations(c.m, one, 1000);
	assert_int_equal(translations(c.m, both, 1000), ends);
	bis_machine_destroy(c.m);
}

/* The floating-point unit is switched off after the code was translated with it on. */
static void a_switched_off_unit_traps_in_translated_code(void **state)
{
	static const uint32_t code[] = {0x02b50553 /* fadd.d fa0, fa0, fa1 */, SPIN};
	struct bis_machine *m = rig_create("rv64", 1);

	(void)state;
	RIG_LOAD(m, RIG_CODE, code);
	rig_start_paused(m);
	rig_set_csr(m, CSR_MTVEC, RIG_SPIN);
	rig_set_csr(m, CSR_MSTATUS, MSTATUS_FS);
	rig_step_at(m, RIG_CODE, 200);
	assert_int_equal(bis_hart_pc(rig_hart(m)), RIG_CODE + 4);
	rig_set_csr(m, CSR_MSTATUS, 0);
	rig_step_at(m, RIG_CODE, 200);
	assert_int_equal(rig_csr(m, CSR_MCAUSE), BIS_CAUSE_ILLEGAL);
	assert_int_equal(rig_csr(m, CSR_MEPC), RIG_CODE);
	bis_machine_destroy(m);
}

enum { FS_OFF, FS_INITIAL, FS_CLEAN, FS_DIRTY, FS_STATES };

static uint64_t in_state(unsigned fs)
{
	return (uint64_t)fs << MSTATUS_FS_SHIFT;
}

/* Runs the code to its end in that state, with A1 as given: how many blocks were translated. */
static uint64_t run_in_state(struct bis_machine *m, unsigned fs, uint64_t a1)
{
	uint64_t before = bis_block_cache_stats(rig_hart(m)->cache).translated;

	rig_set_csr(m, CSR_MSTATUS, in_state(fs));
	bis_hart_set_reg(rig_hart(m), A1, a1);
	rig_step_at(m, RIG_CODE, 3 + a1);
	return bis_block_cache_stats(rig_hart(m)->cache).translated - before;
}

/* Blocks lead to one another whatever the state is: each must find out for itself. */
static void code_without_floating_point_is_the_same_in_all_states(void **state)
{
	static const uint32_t code[] = {
		ADDI(A2, A2, 1), BEQ(A1, ZERO, 8), 0x02b50553 /* fadd.d fa0, fa0, fa1 */, J(4), SPIN,
	};
	static const char *const engines[] = {NULL, "interp"};

	(void)state;
	for (size_t i = 0; i < BIS_ARRAY_SIZE(engines); i++) {
		struct bis_machine *m = rig_create_on(engines[i], "rv64", 1, bis_builtin_modules);

		rig_add(m, "riscv");
		RIG_LOAD(m, RIG_CODE, code);
		rig_start_paused(m);
		rig_set_csr(m, CSR_MTVEC, RIG_SPIN);
		assert_true(run_in_state(m, FS_DIRTY, 0) > 0);
		for (unsigned fs = 0; fs < FS_STATES; fs++)
			assert_int_equal(run_in_state(m, fs, 0), 0);
		assert_true(run_in_state(m, FS_DIRTY, 1) > 0);
		for (unsigned k = 0; k < 4 * FS_STATES; k++) {
			unsigned fs = k % FS_STATES;

			run_in_state(m, fs, 1);
			assert_int_equal(bis_hart_pc(rig_hart(m)), fs == FS_OFF ? RIG_SPIN : RIG_CODE + 16);
			assert_int_equal(rig_csr(m, CSR_MSTATUS) & MSTATUS_FS,
					 in_state(fs == FS_OFF ? FS_OFF : FS_DIRTY));
			assert_int_equal(rig_reg(m, A2), FS_STATES + 3 + k);
		}
		assert_int_equal(rig_csr(m, CSR_MEPC), RIG_CODE + 8);
		bis_machine_destroy(m);
	}
}

static void translated_reads_of_mstatus_have_the_right_summary(void **state)
{
	static const uint32_t code[] = {CSRR(A3, CSR_MSTATUS), SPIN};
	struct bis_machine *m = rig_create("rv64", 1);

	(void)state;
	RIG_LOAD(m, RIG_CODE, code);
	rig_start_paused(m);
	for (unsigned k = 0; k < 4 * FS_STATES; k++) {
		rig_set_csr(m, CSR_MSTATUS, in_state(k % FS_STATES));
		rig_step_at(m, RIG_CODE, 2);
		assert_int_equal(rig_reg(m, A3), rig_csr(m, CSR_MSTATUS));
		assert_int_equal(rig_reg(m, A3) >> 63, k % FS_STATES == FS_DIRTY);
	}
	bis_machine_destroy(m);
}

/* --- A full cache --- */

static void a_full_cache_starts_anew(void **state)
{
	enum { BYTES = 0x700000, CHUNK = 0x10000 };
	static uint32_t code[CHUNK / 4];
	struct bis_machine *m = rig_create("rv64", 1);
	uint64_t count = BYTES / 4;

	(void)state;
	for (size_t i = 0; i < BIS_ARRAY_SIZE(code); i++)
		code[i] = ADDI(A2, A2, 1);
	for (uint64_t at = 0; at < BYTES; at += CHUNK)
		RIG_LOAD(m, RIG_CODE + at, code);
	rig_set32(m, RIG_CODE + BYTES, SPIN);
	rig_start_paused(m);
	for (unsigned round = 1; round <= 2; round++) {
		rig_step_at(m, RIG_CODE, count + 1000);
		assert_int_equal(rig_reg(m, A2), round * count);
		assert_int_equal(bis_hart_pc(rig_hart(m)), RIG_CODE + BYTES);
	}
	assert_in_range(bis_block_cache_stats(rig_hart(m)->cache).flushes, 2, 100);
	bis_machine_destroy(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_hart_changes_its_own_code),
		cmocka_unit_test(every_kind_of_store_is_noticed),
		cmocka_unit_test(code_written_from_outside_runs),
		cmocka_unit_test(many_pages_written_at_once_run_anew),
		cmocka_unit_test(code_written_by_a_device_runs),
		cmocka_unit_test(code_written_by_another_hart_is_seen_after_fence_i),
		cmocka_unit_test(another_hart_rewrites_a_hot_loop),
		cmocka_unit_test(an_instruction_over_two_pages_follows_both),
		cmocka_unit_test(either_half_of_such_an_instruction_may_be_rewritten),
		cmocka_unit_test(its_second_page_may_be_missing),
		cmocka_unit_test(jumps_to_such_an_instruction_look_each_time),
		cmocka_unit_test(the_same_code_runs_at_two_addresses),
		cmocka_unit_test(an_address_space_switch_keeps_translations),
		cmocka_unit_test(a_switched_off_unit_traps_in_translated_code),
		cmocka_unit_test(code_without_floating_point_is_the_same_in_all_states),
		cmocka_unit_test(translated_reads_of_mstatus_have_the_right_summary),
		cmocka_unit_test(a_full_cache_starts_anew),
	};

	return cmocka_run_group_tests_name("block_cache", tests, NULL, NULL);
}
