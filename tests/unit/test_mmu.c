/*
 * Address translation, physical memory protection and dirty tracking as a running hart meets them: through the TLB,
 * where a stale or too generous entry would show.
 */
#include <stdlib.h>

#include "tests/unit/rig.h"

#define VA     UINT64_C(0x40000000)
#define TABLES (RIG_CODE + 0x600000)

/* --- Page tables that change --- */

/* A load through the TLB, the fence under test, the load again. */
static const uint32_t fence_one[] = {LD(A2, 0, A4), LD(A3, 0, A5), SFENCE_VMA(A6, ZERO),
				     LD(A2, 0, A4), LD(A3, 0, A5), SPIN};

static struct rig_tables start_mapped(struct bis_machine *m, const uint32_t *code, size_t size)
{
	struct rig_tables t = rig_tables_at(m, TABLES);

	rig_write(m, RIG_CODE, code, size);
	rig_start_paused(m);
	rig_map(&t, RIG_CODE, RIG_CODE, 0, PTE_RWX);
	rig_enter_s(&t);
	return t;
}

static void fill_word(struct bis_machine *m, uint64_t pa, uint64_t value)
{
	rig_set64(m, pa, value);
	rig_set64(m, pa + 0x3000, value + 1);
}

/* One 2 MiB page gives way to another; the fence names an address in it other than the ones in use. */
static void a_fence_for_an_address_covers_its_whole_large_page(void **state)
{
	struct bis_machine *m = rig_create("rv64", 1);
	struct rig_tables t = start_mapped(m, fence_one, sizeof(fence_one));

	(void)state;
	fill_word(m, RIG_CODE + 0x200000, 10);
	fill_word(m, RIG_CODE + 0x400000, 20);
	rig_map(&t, VA, RIG_CODE + 0x200000, 1, PTE_RWX);
	bis_hart_set_reg(rig_hart(m), A4, VA);
	bis_hart_set_reg(rig_hart(m), A5, VA + 0x3000);
	bis_hart_set_reg(rig_hart(m), A6, VA + 0x1ff000);
	rig_step_at(m, RIG_CODE, 2);
	assert_int_equal(rig_reg(m, A2), 10);
	assert_int_equal(rig_reg(m, A3), 11);
	rig_map(&t, VA, RIG_CODE + 0x400000, 1, PTE_RWX);
	rig_step_at(m, RIG_CODE + 8, 3);
	assert_int_equal(rig_reg(m, A2), 20);
	assert_int_equal(rig_reg(m, A3), 21);
	bis_machine_destroy(m);
}

static void a_fence_for_an_address_covers_its_small_page(void **state)
{
	struct bis_machine *m = rig_create("rv64", 1);
	struct rig_tables t = start_mapped(m, fence_one, sizeof(fence_one));

	(void)state;
	rig_set64(m, RIG_DATA, 1);
	rig_set64(m, RIG_DATA + 0x1000, 2);
	rig_map(&t, VA, RIG_DATA, 0, PTE_RWX);
	bis_hart_set_reg(rig_hart(m), A4, VA);
	bis_hart_set_reg(rig_hart(m), A5, VA);
	bis_hart_set_reg(rig_hart(m), A6, VA + 0xfff);
	rig_step_at(m, RIG_CODE, 2);
	assert_int_equal(rig_reg(m, A2), 1);
	rig_map(&t, VA, RIG_DATA + 0x1000, 0, PTE_RWX);
	rig_step_at(m, RIG_CODE + 8, 3);
	assert_int_equal(rig_reg(m, A2), 2);
	bis_machine_destroy(m);
}

/* Code of a large page that is remapped is fetched from the new place. */
static void a_fence_covers_the_code_of_a_large_page(void **state)
{
	static const uint32_t code[] = {SFENCE_VMA(A6, ZERO), JALR(ZERO, 0, A5)};
	static const uint32_t old[] = {LI(A2, 1), SPIN}, new[] = {LI(A2, 2), SPIN};
	struct bis_machine *m = rig_create("rv64", 1);
	struct rig_tables t = start_mapped(m, code, sizeof(code));

	(void)state;
	RIG_LOAD(m, RIG_CODE + 0x203000, old);
	RIG_LOAD(m, RIG_CODE + 0x403000, new);
	rig_map(&t, VA, RIG_CODE + 0x200000, 1, PTE_RWX);
	bis_hart_set_reg(rig_hart(m), A5, VA + 0x3000);
	bis_hart_set_reg(rig_hart(m), A6, VA);
	rig_step_at(m, RIG_CODE, 3);
	assert_int_equal(rig_reg(m, A2), 1);
	rig_map(&t, VA, RIG_CODE + 0x400000, 1, PTE_RWX);
	rig_step_at(m, RIG_CODE, 3);
	assert_int_equal(rig_reg(m, A2), 2);
	bis_machine_destroy(m);
}

static void translates_for_inspection_without_a_trace(void **state)
{
	struct bis_machine *m = rig_create("rv64", 1);
	struct rig_tables t = start_mapped(m, fence_one, sizeof(fence_one));
	uint64_t pte;
	bis_gpa pa;

	(void)state;
	rig_map(&t, VA, RIG_DATA, 0, PTE_V | PTE_R | PTE_X); /* never accessed */
	pte = rig_get64(m, rig_pte_at(&t, VA, 0));
	assert_ok(bis_hart_translate(rig_hart(m), VA + 0x123, &pa));
	assert_int_equal(pa.v, RIG_DATA + 0x123);
	assert_int_equal(rig_get64(m, rig_pte_at(&t, VA, 0)), pte);
	assert_fails(bis_hart_translate(rig_hart(m), VA + 0x1000, &pa), -EFAULT, "0x40001000 is not mapped");
	bis_hart_set_priv(rig_hart(m), BIS_PRIV_M);
	assert_ok(bis_hart_translate(rig_hart(m), VA, &pa));
	assert_int_equal(pa.v, VA);
	bis_machine_destroy(m);
}

/* --- Accesses over two pages --- */

/* Steps one instruction that must trap with this cause at this address. */
static void expect_trap(struct bis_machine *m, uint64_t pc, uint64_t cause, uint64_t tval)
{
	rig_set_csr(m, CSR_MTVEC, RIG_SPIN);
	bis_hart_set_priv(rig_hart(m), BIS_PRIV_S);
	rig_step_at(m, pc, 1);
	assert_int_equal(rig_csr(m, CSR_MCAUSE), cause);
	assert_int_equal(rig_csr(m, CSR_MTVAL), tval);
	assert_int_equal(rig_csr(m, CSR_MEPC), pc);
	bis_hart_set_priv(rig_hart(m), BIS_PRIV_S);
}

static void an_access_over_two_pages_needs_both(void **state)
{
	static const uint32_t code[] = {SD(A2, 0, A4), LD(A3, 0, A4), SPIN};
	struct bis_machine *m = rig_create("rv64", 1);
	struct rig_tables t = start_mapped(m, code, sizeof(code));

	(void)state;
	rig_map(&t, VA, RIG_DATA, 0, PTE_RWX);
	rig_map(&t, VA + 0x1000, RIG_DATA + 0x5000, 0, PTE_RWX);
	bis_hart_set_reg(rig_hart(m), A2, 0x1122334455667788);
	for (unsigned over = 1; over < 8; over++) {
		bis_hart_set_reg(rig_hart(m), A4, VA + 0x1000 - over);
		bis_hart_set_reg(rig_hart(m), A3, 0);
		rig_step_at(m, RIG_CODE, 2);
		assert_int_equal(rig_reg(m, A3), 0x1122334455667788);
		assert_int_equal(rig_get64(m, RIG_DATA + 0x5000) << 8 * over,
				 UINT64_C(0x1122334455667788) >> 8 * over << 8 * over);
	}
	rig_set64(m, RIG_DATA + 0xff8, 0xaa);
	rig_map(&t, VA + 0x1000, 0, 0, 0);
	rig_enter_s(&t);
	bis_hart_set_reg(rig_hart(m), A4, VA + 0xffc);
	expect_trap(m, RIG_CODE, BIS_CAUSE_STORE_PAGE, VA + 0x1000);
	assert_int_equal(rig_get64(m, RIG_DATA + 0xff8), 0xaa); /* not a byte written */
	expect_trap(m, RIG_CODE + 4, BIS_CAUSE_LOAD_PAGE, VA + 0x1000);
	bis_machine_destroy(m);
}

/* --- Physical memory protection --- */

enum { PMP_R = 1, PMP_W = 2, PMP_X = 4, PMP_TOR = 8, PMP_NA4 = 16, PMP_NAPOT = 24 };

static uint64_t napot(uint64_t base, uint64_t size)
{
	return base >> 2 | (size / 8 - 1);
}

static void set_entry(struct bis_machine *m, unsigned i, uint64_t addr, unsigned cfg)
{
	uint64_t shift = 8 * (i % 8), all;
	unsigned reg = CSR_PMPCFG0 + i / 8 * 2;

	rig_set_csr(m, CSR_PMPADDR0 + i, addr);
	all = rig_csr(m, reg) & ~(UINT64_C(0xff) << shift);
	rig_set_csr(m, reg, all | (uint64_t)cfg << shift);
}

/* In one page: 8 bytes read-only, 4 bytes closed, the rest open. Every access comes twice, so that a TLB entry would be
 * used. */
static void protection_may_divide_a_page_of_data(void **state)
{
	static const uint32_t code[] = {LD(A2, 0, A4), SD(A2, 0, A4),  LW(A2, 0, A4),
					SW(A2, 0, A4), LBU(A2, 0, A4), SPIN};
	static const struct {
		uint64_t off;
		unsigned insn; /* of code */
		unsigned cause;
	} cases[] = {
		{0x000, 0, 0},
		{0x000, 1, 0},
		{0x100, 0, 0},
		{0x100, 1, BIS_CAUSE_STORE_ACCESS},
		{0x0f8, 1, 0},
		{0x0fc, 1, BIS_CAUSE_STORE_ACCESS},
		{0x0fc, 0, BIS_CAUSE_LOAD_ACCESS},
		{0x104, 2, 0},
		{0x104, 3, BIS_CAUSE_STORE_ACCESS},
		{0x200, 2, BIS_CAUSE_LOAD_ACCESS},
		{0x204, 2, 0},
		{0x204, 3, 0},
		{0x1fc, 3, 0},
		{0x1fd, 2, BIS_CAUSE_LOAD_ACCESS},
		{0x203, 4, BIS_CAUSE_LOAD_ACCESS},
		{0x1ff, 4, 0},
		{0xff8, 1, 0},
	};
	struct bis_machine *m = rig_create("rv64", 1);

	(void)state;
	RIG_LOAD(m, RIG_CODE, code);
	rig_start_paused(m);
	set_entry(m, 0, napot(RIG_DATA + 0x100, 8), PMP_NAPOT | PMP_R);
	set_entry(m, 1, (RIG_DATA + 0x200) >> 2, PMP_NA4);
	set_entry(m, 9, UINT64_MAX, PMP_NAPOT | PMP_R | PMP_W | PMP_X);
	for (size_t i = 0; i < 3 * BIS_ARRAY_SIZE(cases); i++) {
		size_t c = i * 7 % BIS_ARRAY_SIZE(cases);
		uint64_t pc = RIG_CODE + 4 * cases[c].insn, at = RIG_DATA + cases[c].off;

		bis_hart_set_priv(rig_hart(m), BIS_PRIV_S);
		bis_hart_set_reg(rig_hart(m), A4, at);
		if (cases[c].cause) {
			expect_trap(m, pc, cases[c].cause, at);
			continue;
		}
		rig_step_at(m, pc, 1);
		assert_int_equal(bis_hart_pc(rig_hart(m)), pc + 4);
		assert_int_equal(bis_hart_priv(rig_hart(m)), BIS_PRIV_S);
	}
	bis_machine_destroy(m);
}

/* 16 executable bytes in a page: runs inside, faults at the border, also in the middle of an instruction. */
static void protection_may_divide_a_page_of_code(void **state)
{
	static const uint32_t code[] = {ADDI(A2, A2, 1), ADDI(A2, A2, 1), ADDI(A2, A2, 1), ADDI(A2, A2, 1),
					ADDI(A2, A2, 1)};
	static const uint16_t halves[] = {0x0001, 0x0001, 0x0605 /* c.addi a2, 1 */, ADDI(A2, A2, 0) & 0xffff, 0x0016};
	struct bis_machine *m = rig_create("rv64", 1);

	(void)state;
	RIG_LOAD(m, RIG_CODE + 0x100, code);
	rig_start_paused(m);
	set_entry(m, 0, napot(RIG_CODE + 0x100, 16), PMP_NAPOT | PMP_X);
	bis_hart_set_priv(rig_hart(m), BIS_PRIV_S);
	rig_step_at(m, RIG_CODE + 0x100, 4);
	assert_int_equal(rig_reg(m, A2), 4);
	expect_trap(m, RIG_CODE + 0x110, BIS_CAUSE_FETCH_ACCESS, RIG_CODE + 0x110);
	expect_trap(m, RIG_CODE + 0x0fc, BIS_CAUSE_FETCH_ACCESS, RIG_CODE + 0x0fc);
	RIG_LOAD(m, RIG_CODE + 0x108, halves); /* the last instruction of 4 bytes begins at 0x10e */
	rig_step_at(m, RIG_CODE + 0x108, 3);
	assert_int_equal(rig_reg(m, A2), 5);
	expect_trap(m, RIG_CODE + 0x10e, BIS_CAUSE_FETCH_ACCESS, RIG_CODE + 0x110);
	bis_machine_destroy(m);
}

/* The same code, with the protection around it changed between runs. */
static void a_change_of_protection_applies_to_translated_code(void **state)
{
	static const uint32_t code[] = {ADDI(A2, A2, 1), LD(A3, 0, A4), J(-8)};
	struct bis_machine *m = rig_create("rv64", 1);

	(void)state;
	RIG_LOAD(m, RIG_CODE, code);
	rig_start_paused(m);
	bis_hart_set_reg(rig_hart(m), A4, RIG_DATA);
	for (unsigned round = 0; round < 4; round++) {
		set_entry(m, 0, UINT64_MAX, PMP_NAPOT | PMP_R | PMP_X);
		bis_hart_set_priv(rig_hart(m), BIS_PRIV_S);
		rig_step_at(m, RIG_CODE, 300);
		assert_int_equal(rig_reg(m, A2), 100 * (round + 1));
		set_entry(m, 0, UINT64_MAX, PMP_NAPOT | PMP_X);
		expect_trap(m, RIG_CODE + 4, BIS_CAUSE_LOAD_ACCESS, RIG_DATA);
		set_entry(m, 0, UINT64_MAX, PMP_NAPOT | PMP_R);
		expect_trap(m, RIG_CODE, BIS_CAUSE_FETCH_ACCESS, RIG_CODE);
	}
	bis_machine_destroy(m);
}

/* Page tables in closed memory: the walk is an access, too. */
static void page_tables_are_protected(void **state)
{
	struct bis_machine *m = rig_create("rv64", 1);
	struct rig_tables t = start_mapped(m, fence_one, sizeof(fence_one));

	(void)state;
	rig_map(&t, VA, RIG_DATA, 0, PTE_RWX);
	set_entry(m, 0, (rig_pte_at(&t, VA, 0)) >> 2, PMP_NA4);
	set_entry(m, 1, UINT64_MAX, PMP_NAPOT | PMP_R | PMP_W | PMP_X);
	bis_hart_set_reg(rig_hart(m), A4, VA);
	expect_trap(m, RIG_CODE, BIS_CAUSE_LOAD_ACCESS, VA);
	bis_machine_destroy(m);
}

/* --- Dirty tracking of a running guest --- */

enum { DIRTY_PAGES = 64, DIRTY_HARTS = 2 };

/* Walks over the pages with a step that has no common divisor with their number; each store differs from the last. */
static const uint32_t scribble[] = {
	ADDI(T0, T0, 17), ANDI(T1, T0, DIRTY_PAGES - 1), SLLI(T1, T1, 12), ADD(T1, T1, A3), SD(T0, 0, T1), J(-20),
};

static void copy_dirty(struct bis_machine *m, struct bis_dirty *d, uint8_t *mirror, unsigned *count)
{
	uint64_t bits;

	assert_ok(bis_dirty_fetch(d, (bis_gpa){RIG_DATA}, DIRTY_PAGES, &bits));
	for (unsigned i = 0; i < DIRTY_PAGES; i++) {
		if (!(bits >> i & 1))
			continue;
		assert_ok(bis_mem_read(bis_machine_memory(m), (bis_gpa){RIG_DATA + i * 4096}, mirror + i * 4096, 4096));
		++*count;
	}
}

/* Two readers follow at a different pace. Once the guest stands still, each copy must equal the memory. */
static void no_store_of_a_running_guest_is_lost(void **state)
{
	struct bis_machine *m = rig_create("rv64", DIRTY_HARTS);
	uint8_t *mirror[2], *truth = malloc(DIRTY_PAGES * 4096);
	struct bis_dirty *reader[2];
	unsigned copies[2] = {0, 0};

	(void)state;
	RIG_LOAD(m, RIG_CODE, scribble);
	rig_start_paused(m);
	for (unsigned i = 0; i < 2; i++) {
		mirror[i] = calloc(DIRTY_PAGES, 4096);
		assert_ok(bis_dirty_create(bis_machine_memory(m), &reader[i]));
	}
	for (unsigned i = 0; i < DIRTY_HARTS; i++) {
		bis_hart_set_pc(bis_machine_hart(m, i), RIG_CODE);
		bis_hart_set_reg(bis_machine_hart(m, i), A3, RIG_DATA + 8 * i);
	}
	for (unsigned round = 0; round < 20; round++) {
		uint64_t before = bis_hart_instret(rig_hart(m));

		assert_ok(bis_machine_resume(m));
		for (unsigned k = 0; k < 20; k++) {
			if (k == 10)
				rig_wait_for(bis_hart_instret(rig_hart(m)) > before);
			copy_dirty(m, reader[0], mirror[0], &copies[0]);
			if (k % 5 == 0)
				copy_dirty(m, reader[1], mirror[1], &copies[1]);
		}
		assert_ok(bis_machine_pause(m));
		assert_ok(bis_mem_read(bis_machine_memory(m), (bis_gpa){RIG_DATA}, truth, DIRTY_PAGES * 4096));
		for (unsigned i = 0; i < 2; i++) {
			copy_dirty(m, reader[i], mirror[i], &copies[i]);
			assert_memory_equal(mirror[i], truth, DIRTY_PAGES * 4096);
		}
	}
	assert_true(copies[0] > 0 && copies[1] > 0);
	for (unsigned i = 0; i < 2; i++) {
		bis_dirty_destroy(reader[i]);
		free(mirror[i]);
	}
	free(truth);
	bis_machine_destroy(m);
}

/* A page is reported as often as it is written between two looks, and not when it is only read. */
static void each_look_reports_the_stores_since_the_last(void **state)
{
	static const uint32_t code[] = {SD(A2, 0, A4), LD(A2, 0, A5), AMOADD_D(A2, A2, A6), J(-12)};
	struct bis_machine *m = rig_create("rv64", 1);
	struct bis_dirty *d = NULL;
	uint64_t bits;

	(void)state;
	RIG_LOAD(m, RIG_CODE, code);
	rig_start_paused(m);
	bis_hart_set_reg(rig_hart(m), A4, RIG_DATA);
	bis_hart_set_reg(rig_hart(m), A5, RIG_DATA + 0x1000);
	bis_hart_set_reg(rig_hart(m), A6, RIG_DATA + 0x2000);
	rig_step_at(m, RIG_CODE, 8); /* there are write entries before there is a reader */
	assert_ok(bis_dirty_create(bis_machine_memory(m), &d));
	for (unsigned i = 0; i < 5; i++) {
		rig_step_at(m, RIG_CODE, 4);
		assert_ok(bis_dirty_fetch(d, (bis_gpa){RIG_DATA}, 8, &bits));
		assert_int_equal(bits, 5);
		rig_step_at(m, RIG_CODE + 8, 1);
		assert_ok(bis_dirty_fetch(d, (bis_gpa){RIG_DATA}, 8, &bits));
		assert_int_equal(bits, 4);
		rig_step_at(m, RIG_CODE + 4, 1);
		assert_ok(bis_dirty_fetch(d, (bis_gpa){RIG_DATA}, 8, &bits));
		assert_int_equal(bits, 0);
	}
	bis_dirty_destroy(d);
	bis_machine_destroy(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_fence_for_an_address_covers_its_whole_large_page),
		cmocka_unit_test(a_fence_for_an_address_covers_its_small_page),
		cmocka_unit_test(a_fence_covers_the_code_of_a_large_page),
		cmocka_unit_test(translates_for_inspection_without_a_trace),
		cmocka_unit_test(an_access_over_two_pages_needs_both),
		cmocka_unit_test(protection_may_divide_a_page_of_data),
		cmocka_unit_test(protection_may_divide_a_page_of_code),
		cmocka_unit_test(a_change_of_protection_applies_to_translated_code),
		cmocka_unit_test(page_tables_are_protected),
		cmocka_unit_test(no_store_of_a_running_guest_is_lost),
		cmocka_unit_test(each_look_reports_the_stores_since_the_last),
	};

	return cmocka_run_group_tests_name("mmu", tests, NULL, NULL);
}
