/*
 * What the jit takes for granted about M-mode's RAM, about pages that lie side by side and about halves of registers:
 * edges of RAM, PMP entries that come late, dirty readers, pages that change amid others, values that are not extended.
 * The interpreter must come to the same state.
 */
#include <biscuit/debug.h>

#include "src/cpu/hart_internal.h"
#include "src/translate/block_internal.h"
#include "tests/unit/rig.h"

#define HANDLER (RIG_CODE + 0x1000)
#define RAM_END (BIS_RAM_BASE + RIG_RAM_SIZE)
#define WARM	400000 /* instructions after which loops have become traces */

enum { S2 = 18, S5 = 21, S6 = 22 };

#define ADDW(rd, rs1, rs2)  ASM_R(0, rs2, rs1, 0, rd, 0x3b)
#define SUBW(rd, rs1, rs2)  ASM_R(0x20, rs2, rs1, 0, rd, 0x3b)
#define ADDIW(rd, rs1, imm) (ASM_I(imm, rs1, 0, rd, 0x1b))
#define SRLIW(rd, rs1, n)   (ASM_I(n, rs1, 5, rd, 0x1b))
#define SLLIW(rd, rs1, n)   (ASM_I(n, rs1, 1, rd, 0x1b))
#define XOR(rd, rs1, rs2)   ASM_R(0, rs2, rs1, 4, rd, 0x33)
#define AND(rd, rs1, rs2)   ASM_R(0, rs2, rs1, 7, rd, 0x33)

/* Adds up where and why, and goes on behind. */
static const uint32_t handler[] = {
	CSRR(T1, CSR_MTVAL), ADD(S5, S5, T1), CSRR(T1, CSR_MCAUSE), ADD(S6, S6, T1),
	CSRR(T1, CSR_MEPC),  ADDI(T1, T1, 4), CSRW(CSR_MEPC, T1),   MRET,
};

struct twins {
	struct bis_machine *m[2]; /* jit and interpreter */
};

static struct bis_machine *make(const char *isa, const char *engine)
{
	struct bis_machine_config cfg = {.background = BIS_BACKGROUND_OFF,
					 .isa = isa,
					 .engine = engine,
					 .ram_size = RIG_RAM_SIZE,
					 .classes = bis_builtin_modules};
	struct bis_machine *m = NULL;

	if (bis_machine_create(&cfg, &m))
		return NULL;
	rig_add(m, "riscv");
	rig_add(m, "sv");
	assert_ok(bis_machine_start_paused(m));
	return m;
}

static void load(struct bis_machine *m, const uint32_t *code, size_t size)
{
	rig_write(m, RIG_CODE, code, size);
	RIG_LOAD(m, HANDLER, handler);
	for (unsigned reg = 1; reg < 32; reg++)
		bis_hart_set_reg(rig_hart(m), reg, 0);
	rig_set_csr(m, CSR_MTVEC, HANDLER);
	bis_hart_set_pc(rig_hart(m), RIG_CODE);
}

/* Ends the test where there is one engine alone. */
static struct twins twins_create(const char *isa, const uint32_t *code, size_t size)
{
	struct twins t = {{make(isa, "jit"), NULL}};

	if (!t.m[0])
		skip();
	t.m[1] = make(isa, "interp");
	for (unsigned i = 0; i < 2; i++)
		load(t.m[i], code, size);
	return t;
}

static void twins_destroy(struct twins *t)
{
	for (unsigned i = 0; i < 2; i++)
		bis_machine_destroy(t->m[i]);
}

static void set_both(struct twins *t, unsigned reg, uint64_t value)
{
	for (unsigned i = 0; i < 2; i++)
		bis_hart_set_reg(rig_hart(t->m[i]), reg, value);
}

static void assert_same(struct twins *t)
{
	assert_int_equal(bis_hart_pc(rig_hart(t->m[0])), bis_hart_pc(rig_hart(t->m[1])));
	for (unsigned reg = 1; reg < 32; reg++)
		if (rig_reg(t->m[0], reg) != rig_reg(t->m[1], reg))
			fail_msg("x%u is 0x%llx and 0x%llx", reg, (unsigned long long)rig_reg(t->m[0], reg),
				 (unsigned long long)rig_reg(t->m[1], reg));
	assert_int_equal(rig_csr(t->m[0], CSR_MINSTRET), rig_csr(t->m[1], CSR_MINSTRET));
}

static void step_both(struct twins *t, uint64_t count)
{
	for (unsigned i = 0; i < 2; i++)
		assert_ok(bis_machine_step(t->m[i], count));
	assert_same(t);
}

static void assert_same_memory(const struct twins *t, uint64_t pa, uint64_t pages)
{
	for (uint64_t at = pa; at < pa + pages * BIS_PAGE_SIZE; at += 8)
		assert_int_equal(rig_get64(t->m[0], at), rig_get64(t->m[1], at));
}

static void warm(struct twins *t)
{
	step_both(t, WARM);
	assert_true(bis_block_cache_stats(rig_hart(t->m[0])->cache).traces > 0);
}

/* From S0 on, S1 + 1 bytes again and again. */
static const uint32_t walk[] = {
	ADD(T0, S0, A0),  /* 0 */
	LW(A1, -4, T0),	  /* 4 */
	LB(A3, 7, T0),	  /* 8 */
	SW(A2, 4, T0),	  /* 12: the second of a pair */
	ADD(A2, A2, A1),  /* 16 */
	SH(A2, 2046, T0), /* 20 */
	ADD(A2, A2, A3),  /* 24 */
	ADDI(A0, A0, 52), /* 28 */
	AND(A0, A0, S1),  /* 32 */
	J(-36),		  /* 36 */
};

static void accesses_beyond_the_edges_of_ram_trap(void **state)
{
	static const struct {
		const char *isa;
		uint64_t base;
	} rows[] = {
		{"rv64gc", RAM_END - 0x2000},	 {"rv32gc", RAM_END - 0x2000},	  {"rv64gc", BIS_RAM_BASE - 0x8000},
		{"rv32gc", UINT32_MAX - 0x1000}, {"rv64gc", UINT64_MAX - 0x1000},
	};

	(void)state;
	for (unsigned i = 0; i < BIS_ARRAY_SIZE(rows); i++) {
		struct twins t = twins_create(rows[i].isa, walk, sizeof(walk));

		set_both(&t, S0, rows[i].base);
		set_both(&t, S1, 0x3fff);
		step_both(&t, WARM);
		for (unsigned k = 0; k < 50; k++)
			step_both(&t, 1 + k * 7);
		assert_true(rig_reg(t.m[0], S6) > 0);
		set_both(&t, S0, RIG_DATA);
		warm(&t);
		set_both(&t, S0, rows[i].base);
		for (unsigned k = 0; k < 50; k++)
			step_both(&t, 1 + k * 97);
		twins_destroy(&t);
	}
}

static void a_locked_pmp_entry_closes_a_page_late(void **state)
{
	static const uint64_t rows[] = {0x98, 0x99}; /* 4 KiB of which nothing is allowed, or loads are */

	(void)state;
	for (size_t row = 0; row < BIS_ARRAY_SIZE(rows); row++) {
		struct twins t = twins_create("rv64gc", walk, sizeof(walk));

		set_both(&t, S0, RIG_DATA);
		set_both(&t, S1, 0x3fff);
		warm(&t);
		assert_int_equal(rig_reg(t.m[0], S6), 0);
		for (unsigned i = 0; i < 2; i++) {
			rig_set_csr(t.m[i], CSR_PMPADDR0, (RIG_DATA + 0x2000) >> 2 | 0x1ff);
			rig_set_csr(t.m[i], CSR_PMPCFG0, rows[row]);
		}
		for (unsigned k = 0; k < 50; k++)
			step_both(&t, 1 + k * 97);
		warm(&t);
		assert_true(rig_reg(t.m[0], S6) > 0);
		twins_destroy(&t);
	}
}

static void dirty_readers_hear_of_every_page_after_each_look(void **state)
{
	struct twins t = twins_create("rv64gc", walk, sizeof(walk));
	struct bis_dirty *d;

	(void)state;
	set_both(&t, S0, RIG_DATA);
	set_both(&t, S1, 0x3fff);
	warm(&t);
	assert_ok(bis_dirty_create(bis_machine_memory(t.m[0]), &d));
	for (unsigned i = 0; i < 5; i++) {
		uint64_t bits = 0;

		assert_ok(bis_dirty_fetch(d, (bis_gpa){RIG_DATA}, 4, &bits));
		step_both(&t, 30000);
		assert_ok(bis_dirty_fetch(d, (bis_gpa){RIG_DATA}, 4, &bits));
		assert_int_equal(bits & 15, 15);
	}
	bis_dirty_destroy(d);
	twins_destroy(&t);
}

/* --- Pages side by side --- */

#define PAGES	  32
#define VIRTUAL	  UINT64_C(0x40000000)
#define TABLES	  (RIG_CODE + 0x600000)
#define OTHERS	  (RIG_CODE + 0x700000) /* tables of the second space */
#define AMID	  0x9000		/* a page amid the others, in the lower half, */
#define AMID_UP	  0x17000		/* in the upper one */
#define ELSEWHERE (RIG_DATA + 0x40000)
#define FENCES	  (RIG_CODE + 0x800)
#define SUM	  (UINT64_C(1) << 18)
#define MXR	  (UINT64_C(1) << 19)
#define MPRV	  (UINT64_C(1) << 17)
#define MPP_S	  (UINT64_C(1) << 11)

static const uint32_t pages_walk[] = {
	ADD(T0, S0, A0), LD(A1, 0, T0),	    ADD(A2, A2, A1), ADDI(A2, A2, 1),
	SD(A2, 8, T0),	 ADDI(A0, A0, 952), AND(A0, A0, S1), J(-28),
};
static const uint32_t pages_walk32[] = {
	ADD(T0, S0, A0), LW(A1, 0, T0),	    ADD(A2, A2, A1), ADDI(A2, A2, 1),
	SW(A2, 8, T0),	 ADDI(A0, A0, 952), AND(A0, A0, S1), J(-28),
};
static const uint32_t fences[] = {SFENCE_VMA(A6, ZERO)};

/* What is done to one of the twins while it stands still; `page` is the address of the page amid the others. */
typedef void change_function(struct bis_machine *m, struct rig_tables *t, uint64_t page);

static void fence(struct bis_machine *m, uint64_t va)
{
	uint64_t pc = bis_hart_pc(rig_hart(m));

	bis_hart_set_reg(rig_hart(m), A6, va);
	rig_step_at(m, FENCES, 1);
	bis_hart_set_pc(rig_hart(m), pc);
}

/* The physical address of one of the pages. */
static uint64_t behind(uint64_t page)
{
	return RIG_DATA + page % (PAGES * BIS_PAGE_SIZE);
}

static void remap(struct rig_tables *t, uint64_t page, uint64_t pa, unsigned flags)
{
	rig_map(t, page, pa, 0, flags);
	fence(t->m, page);
}

static void move_page(struct bis_machine *m, struct rig_tables *t, uint64_t page)
{
	(void)m;
	remap(t, page, ELSEWHERE, PTE_RWX);
}

static void only_fence(struct bis_machine *m, struct rig_tables *t, uint64_t page)
{
	(void)t;
	fence(m, page);
}

/* Its rights are others. */
#define RIGHTS(name, flags)                                                                                            \
	static void name(struct bis_machine *m, struct rig_tables *t, uint64_t page)                                   \
	{                                                                                                              \
		(void)m;                                                                                               \
		remap(t, page, behind(page), flags);                                                                   \
	}
RIGHTS(clear_write, PTE_RWX & ~PTE_W)
RIGHTS(clear_dirty, PTE_RWX & ~PTE_D)
RIGHTS(clear_accessed, PTE_RWX & ~(PTE_A | PTE_D))
RIGHTS(clear_valid, 0)
RIGHTS(give_to_user, PTE_RWX | PTE_U)
RIGHTS(leave_only_code, PTE_V | PTE_X | PTE_A)

/* It moves without a fence: whoever comes to store there finds the new place, and from then on is there. */
static void move_clean_page(struct bis_machine *m, struct rig_tables *t, uint64_t page)
{
	clear_dirty(m, t, page);
	assert_ok(bis_machine_step(m, 20000));
	rig_map(t, page, ELSEWHERE, 0, PTE_RWX);
}

static void allow_user(struct bis_machine *m, struct rig_tables *t, uint64_t page)
{
	give_to_user(m, t, page);
	rig_set_csr(m, CSR_MSTATUS, rig_csr(m, CSR_MSTATUS) | SUM);
}

static void read_code(struct bis_machine *m, struct rig_tables *t, uint64_t page)
{
	leave_only_code(m, t, page);
	rig_set_csr(m, CSR_MSTATUS, rig_csr(m, CSR_MSTATUS) | MXR);
}

static void close_by_pmp(struct bis_machine *m, struct rig_tables *t, uint64_t page)
{
	(void)t;
	rig_set_csr(m, CSR_PMPADDR0 + 1, UINT64_MAX);
	rig_set_csr(m, CSR_PMPADDR0, behind(page) >> 2 | 0x1ff);
	rig_set_csr(m, CSR_PMPCFG0, 0x1f19);
}

static void switch_space(struct bis_machine *m, struct rig_tables *t, uint64_t page)
{
	struct rig_tables other = rig_tables_at(m, OTHERS);

	(void)t;
	rig_map(&other, RIG_CODE, RIG_CODE, 0, PTE_RWX);
	for (uint64_t at = 0; at < PAGES * BIS_PAGE_SIZE; at += BIS_PAGE_SIZE)
		rig_map(&other, page - (behind(page) - RIG_DATA) + at, RIG_DATA + (at ^ BIS_PAGE_SIZE), 0, PTE_RWX);
	rig_set_csr(m, CSR_SATP, rig_satp(&other, 1));
}

/* From M-mode with the rights of S-mode. */
static void borrow_rights(struct bis_machine *m, struct rig_tables *t, uint64_t page)
{
	clear_write(m, t, page);
	bis_hart_set_priv(rig_hart(m), BIS_PRIV_M);
	rig_set_csr(m, CSR_MSTATUS, rig_csr(m, CSR_MSTATUS) | MPRV | MPP_S);
}

static const uint32_t one_more[] = {ADDI(A3, A3, 1)};

/* What the walk then writes over. */
static void execute_there(struct bis_machine *m, struct rig_tables *t, uint64_t page)
{
	uint64_t pc = bis_hart_pc(rig_hart(m));

	(void)t;
	for (unsigned at = 0; at < BIS_PAGE_SIZE; at += 4)
		RIG_LOAD(m, behind(page) + at, one_more);
	rig_step_at(m, page, 100);
	bis_hart_set_pc(rig_hart(m), pc);
}

/* Does the stretch reach all pages from va on? */
static bool has_stretch(struct bis_machine *m, uint64_t va)
{
	const struct bis_stretch *s = rig_hart(m)->stretch[TLB_S][va == RIG_DATA ? STRETCH_OWN : STRETCH_MOVED];

	return s[BIS_ACCESS_READ].limit > (PAGES - 1) * BIS_PAGE_SIZE &&
	       s[BIS_ACCESS_WRITE].limit > (PAGES - 1) * BIS_PAGE_SIZE;
}

/* Twins who walk over the pages at va; one of them in a stretch. */
static struct twins twins_paged(const char *isa, uint64_t va, struct rig_tables tables[2])
{
	struct twins t = strncmp(isa, "rv32", 4) ? twins_create(isa, pages_walk, sizeof(pages_walk))
						 : twins_create(isa, pages_walk32, sizeof(pages_walk32));

	for (unsigned i = 0; i < 2; i++) {
		tables[i] = rig_tables_at(t.m[i], TABLES);
		RIG_LOAD(t.m[i], FENCES, fences);
		rig_map(&tables[i], RIG_CODE, RIG_CODE, 0, PTE_RWX);
		for (uint64_t at = 0; at < PAGES * BIS_PAGE_SIZE; at += BIS_PAGE_SIZE)
			rig_map(&tables[i], va + at, RIG_DATA + at, 0, PTE_RWX);
		rig_enter_s(&tables[i]);
	}
	set_both(&t, S0, va);
	set_both(&t, S1, PAGES * BIS_PAGE_SIZE - 16);
	warm(&t);
	assert_true(has_stretch(t.m[0], va));
	return t;
}

static void walk_pages(const char *isa, uint64_t va, uint64_t amid, change_function *change)
{
	struct rig_tables tables[2];
	struct twins t = twins_paged(isa, va, tables);

	for (unsigned i = 0; i < 2; i++)
		change(t.m[i], &tables[i], va + amid);
	for (unsigned k = 0; k < 40; k++)
		step_both(&t, 1 + k * 97);
	for (unsigned i = 0; i < 2; i++) /* what is written there is executed, or traps */
		rig_step_at(t.m[i], va + amid + 64, 50);
	step_both(&t, 1);
	assert_same_memory(&t, RIG_DATA, PAGES);
	assert_same_memory(&t, ELSEWHERE, 1);
	assert_int_equal(rig_get_entry(&tables[0], rig_pte_at(&tables[0], va + amid, 0)),
			 rig_get_entry(&tables[1], rig_pte_at(&tables[1], va + amid, 0)));
	twins_destroy(&t);
}

static void a_page_that_changes_amid_others_is_seen(void **state)
{
	static change_function *const changes[] = {
		move_page,	move_clean_page, only_fence,   clear_write,   clear_dirty,
		clear_accessed, clear_valid,	 give_to_user, allow_user,    leave_only_code,
		read_code,	close_by_pmp,	 switch_space, borrow_rights, execute_there,
	};

	(void)state;
	for (unsigned i = 0; i < BIS_ARRAY_SIZE(changes); i++) {
		walk_pages("rv64gc", VIRTUAL, AMID, changes[i]);
		walk_pages("rv64gc_svadu", RIG_DATA, AMID_UP, changes[i]);
		walk_pages("rv32gc", VIRTUAL, AMID_UP, changes[i]);
		walk_pages("rv32gc_svadu", RIG_DATA, AMID, changes[i]);
		walk_pages("rv32gc", UINT32_MAX - PAGES * BIS_PAGE_SIZE + 1, AMID, changes[i]);
	}
}

static void accesses_over_the_end_of_32_bits_begin_anew(void **state)
{
	uint64_t va = UINT32_MAX - PAGES * BIS_PAGE_SIZE + 1;
	struct twins t = twins_create("rv32gc", walk, sizeof(walk));

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		struct rig_tables tables = rig_tables_at(t.m[i], TABLES);

		rig_map(&tables, RIG_CODE, RIG_CODE, 0, PTE_RWX);
		for (uint64_t at = 0; at <= PAGES * BIS_PAGE_SIZE; at += BIS_PAGE_SIZE)
			rig_map(&tables, (va + at) & UINT32_MAX, RIG_DATA + at, 0, PTE_RWX);
		rig_enter_s(&tables);
	}
	set_both(&t, S0, va);
	set_both(&t, S1, PAGES * BIS_PAGE_SIZE - 1);
	warm(&t);
	step_both(&t, 12345);
	assert_same_memory(&t, RIG_DATA, PAGES + 1);
	twins_destroy(&t);
}

/* --- Watchpoints --- */

static bool is_in_stretch(struct bis_machine *m, uint64_t va)
{
	struct bis_hart *h = rig_hart(m);

	for (unsigned kind = 0; kind < STRETCH_KINDS; kind++) {
		const struct bis_stretch *s = h->stretch[bis_tlb_context(h)][kind];

		if (va + s[BIS_ACCESS_READ].negative < s[BIS_ACCESS_READ].limit &&
		    va + s[BIS_ACCESS_WRITE].negative < s[BIS_ACCESS_WRITE].limit)
			return true;
	}
	return false;
}

static void wait_for_rest(struct bis_machine *m)
{
	enum bis_stop_reason why;
	int status;

	while (bis_machine_state(m) == BIS_RUNNING)
		assert_int_equal(bis_machine_join(m, 1, &why, &status), -ETIMEDOUT);
}

/* The jit has been stopped amid its work; the interpreter comes to the same instruction. */
static void follow(struct twins *t)
{
	uint64_t to = bis_hart_instret(rig_hart(t->m[0])), from = bis_hart_instret(rig_hart(t->m[1]));

	assert_ok(bis_machine_step(t->m[1], to - from));
	assert_same(t);
}

static void watch(struct twins *t, enum bis_break_kind kind, uint64_t at)
{
	struct bis_break b = {.kind = kind, .address = at, .length = 16};
	struct bis_hart_counters now, before;
	unsigned id[2];

	assert_true(is_in_stretch(t->m[0], at));
	bis_hart_counters(rig_hart(t->m[0]), &before);
	assert_ok(bis_machine_resume(t->m[0]));
	do
		bis_hart_counters(rig_hart(t->m[0]), &now);
	while (now.instret < before.instret + 10000);
	assert_ok(bis_break_add(t->m[0], &b, &id[0]));
	wait_for_rest(t->m[0]);
	follow(t);
	assert_ok(bis_break_add(t->m[1], &b, &id[1]));
	assert_ok(bis_machine_step(t->m[1], 1)); /* the interpreter is to stop here, too */
	assert_same(t);
	for (unsigned hit = 0; hit < 5; hit++) {
		for (unsigned i = 0; i < 2; i++) {
			assert_ok(bis_machine_resume(t->m[i]));
			wait_for_rest(t->m[i]);
		}
		assert_same(t);
		assert_false(is_in_stretch(t->m[0], at));
	}
	for (unsigned i = 0; i < 2; i++)
		assert_ok(bis_break_remove(t->m[i], id[i]));
	warm(t);
}

static void watch_all(struct twins *t, uint64_t at)
{
	watch(t, BIS_BREAK_READ, at);
	watch(t, BIS_BREAK_WRITE, at);
	watch(t, BIS_BREAK_ACCESS, at);
	assert_true(is_in_stretch(t->m[0], at));
	twins_destroy(t);
}

static void a_watchpoint_amid_a_stretch_is_hit_exactly(void **state)
{
	static const char *const isas[] = {"rv64gc", "rv32gc"};
	struct rig_tables tables[2];

	(void)state;
	for (size_t i = 0; i < BIS_ARRAY_SIZE(isas); i++) {
		struct twins t = twins_create(isas[i], walk, sizeof(walk));

		set_both(&t, S0, RIG_DATA);
		set_both(&t, S1, 0x3fff);
		warm(&t);
		watch_all(&t, RIG_DATA + 0x1230);
		t = twins_paged(isas[i], VIRTUAL, tables);
		watch_all(&t, VIRTUAL + AMID + 0x120);
	}
}

/* --- Halves of registers --- */

/* 32-bit values in a loop with a side path; A6 is only compared, S2 only xored, T0's access traps now and then. */
static const uint32_t halves[] = {
	ADDW(A1, A1, A0),  /* 0 */
	XOR(A2, A1, S2),   /* 4 */
	SRLIW(A3, A2, 7),  /* 8 */
	SUBW(A1, A1, A3),  /* 12 */
	SLLI(T0, A3, 32),  /* 16 */
	SRLI(T0, T0, 30),  /* 20 */
	AND(T0, T0, S1),   /* 24 */
	ADD(T0, T0, S0),   /* 28 */
	LW(A4, 0, T0),	   /* 32 */
	BLTU(A1, A6, 12),  /* 36 */
	SLLIW(A1, A1, 3),  /* 40 */
	SW(A1, 4, T0),	   /* 44 */
	BEQ(A2, ZERO, 8),  /* 48 */
	ADDIW(A5, A2, 0),  /* 52 */
	ADDIW(A0, A0, 77), /* 56 */
	BNE(A0, A7, -60),  /* 60 */
	ADD(A1, A1, A5),   /* 64: what lies above is seen */
	J(-68),		   /* 68 */
};

static void values_of_32_bits_are_extended_where_they_are_seen(void **state)
{
	static const uint64_t values[] = {0x12345678, 0xffffffff80000000, 0xfedcba9876543210, 0x80000000};

	(void)state;
	for (unsigned i = 0; i < 16; i++) {
		struct twins t = twins_create("rv64gc", halves, sizeof(halves));

		set_both(&t, S0, RAM_END - 0x1000);
		set_both(&t, S1, 0x1ffc);
		set_both(&t, S2, values[i % 4]);
		set_both(&t, A6, values[i / 4]);
		set_both(&t, A7, i & 1 ? 77 * 300 : 1);
		warm(&t);
		for (unsigned k = 0; k < 100; k++)
			step_both(&t, 1 + k % 23);
		set_both(&t, A1, values[(i + 1) % 4]);
		set_both(&t, A0, values[(i + 2) % 4]);
		for (unsigned k = 0; k < 50; k++)
			step_both(&t, 1 + k * 31);
		twins_destroy(&t);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(accesses_beyond_the_edges_of_ram_trap),
		cmocka_unit_test(a_locked_pmp_entry_closes_a_page_late),
		cmocka_unit_test(dirty_readers_hear_of_every_page_after_each_look),
		cmocka_unit_test(a_page_that_changes_amid_others_is_seen),
		cmocka_unit_test(accesses_over_the_end_of_32_bits_begin_anew),
		cmocka_unit_test(a_watchpoint_amid_a_stretch_is_hit_exactly),
		cmocka_unit_test(values_of_32_bits_are_extended_where_they_are_seen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
