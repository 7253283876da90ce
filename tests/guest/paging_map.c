/*
 * Translation in every mode: leaves at every level, both halves of the address space, the entries that must fault,
 * addresses that are not canonical, tables and pages outside memory, and the page faults' registers in M and S.
 */
#include "pagetable.h"

static uint32_t frames[4][PAGE / 4] __attribute__((aligned(4096)));

#define RET	0x00008067
#define NOWHERE 0x18000000ul

static ulong read_word(ulong va, ulong unused)
{
	ulong got = 0;

	(void)unused;
	__asm__ volatile(TRY("lw %0, 0(%1)") : "+r"(got) : "r"(va) : TRY_CLOBBERS);
	return got;
}

static ulong write_word(ulong va, ulong value)
{
	__asm__ volatile(TRY("sw %0, 0(%1)")::"r"(value), "r"(va) : TRY_CLOBBERS);
	return trap.cause;
}

/* All three kinds of access at va fault with these causes, va in tval, epc precise. */
static void check_faults(const char *name, ulong va, ulong load, ulong store, ulong fetch)
{
	run_in(MODE_S, read_word, va, 0);
	check_trap(name, load, va);
	run_in(MODE_S, write_word, va, 0);
	check_trap(name, store, va);
	access_in(MODE_S, FETCH, va);
	check(name, trap.cause, fetch);
	check(name, trap.tval, va);
	check(name, trap.epc, va);
}

static void check_page_faults(const char *name, ulong va)
{
	check_faults(name, va, CAUSE_LOAD_PAGE, CAUSE_STORE_PAGE, CAUSE_FETCH_PAGE);
}

static void check_access_faults(const char *name, ulong va)
{
	check_faults(name, va, CAUSE_LOAD_ACCESS, CAUSE_STORE_ACCESS, CAUSE_FETCH_ACCESS);
}

/* va maps the frame: what one side writes the other reads, and the frame's code runs. */
static void check_mapped(const char *name, ulong va, uint32_t *frame)
{
	frame[0] = 0x12345678;
	check(name, run_in(MODE_S, read_word, va, 0), 0x12345678);
	check_no_trap(name);
	check(name, run_in(MODE_S, write_word, va + PAGE - 4, 0x9abcdef0), NO_TRAP);
	check(name, frame[PAGE / 4 - 1], 0x9abcdef0);
	frame[0] = RET;
	__asm__ volatile("fence.i" ::: "memory");
	check(name, access_in(MODE_S, FETCH, va), NO_TRAP);
}

static void pages(void)
{
	pt_map(TEST_VA, (ulong)frames[2], 0, PTE_RWX);
	pt_map(TEST_VA + PAGE, (ulong)frames[0], 0, PTE_RWX);
	check_mapped("page", TEST_VA, frames[2]);
	check_mapped("next page, lower frame", TEST_VA + PAGE, frames[0]);
	pt_map(-(ulong)PAGE, (ulong)frames[1], 0, PTE_RWX);
	check_mapped("last page of all", -(ulong)PAGE, frames[1]);
	pt_map(0, (ulong)frames[3], 0, PTE_RWX);
	check_mapped("page 0", 0, frames[3]);
	*pt_entry(0, 0) = 0;
	pt_flush();
	check_page_faults("page 0 unmapped", 0);
}

/* A leaf at a level maps its whole span; a number not aligned to it is a fault. */
static void superpages(const struct paging_mode *mode)
{
	for (unsigned level = 1; level < mode->levels; level++) {
		ulong span = pt_span(level);
		/* an index that no other mapping of this level shares: one from the end, in the upper half */
		ulong va = -2 * span, offset = (ulong)frames[1] & (span - 1);
		ulong *entry = pt_map(va, (ulong)frames[1], level, PTE_RWX);

		check_mapped("superpage", va + offset, frames[1]);
		for (unsigned below = 0; below < level; below++) {
			*entry += pt_number(pt_span(below));
			pt_flush();
			check_page_faults("misaligned superpage", va + offset);
			*entry -= pt_number(pt_span(below));
		}
		*entry = 0;
		pt_flush();
		check_page_faults("superpage unmapped", va + offset);
	}
}

static void invalid_entries(void)
{
	ulong *entry = pt_map(TEST_VA, (ulong)frames[0], 0, PTE_RWX);
	ulong good = *entry;

#define REFUSED(name, value)                                                                                           \
	do {                                                                                                           \
		*entry = (value);                                                                                      \
		pt_flush();                                                                                            \
		check_page_faults(name, TEST_VA);                                                                      \
	} while (0)
	REFUSED("V clear", good & ~(ulong)PTE_V);
	REFUSED("W without R", good & ~(ulong)(PTE_R | PTE_X));
	REFUSED("W and X without R", good & ~(ulong)PTE_R);
	REFUSED("pointer at level 0", (good & ~(ulong)(PTE_R | PTE_W | PTE_X | PTE_AD)));
#if XLEN == 64
	REFUSED("bit 63", good | 1ul << 63);
	REFUSED("bit 62", good | 1ul << 62);
	REFUSED("bit 61", good | 1ul << 61);
	REFUSED("bit 60", good | 1ul << 60);
	REFUSED("bit 54", good | 1ul << 54);
#endif
	*entry = good;
	pt_flush();
	check_mapped("restored", TEST_VA, frames[0]);
}

/* Bits that a pointer must not have. */
static void invalid_pointers(const struct paging_mode *mode)
{
	ulong va = -4 * pt_span(mode->levels - 1); /* shares no table with the program's mappings */

	for (unsigned level = 1; level < mode->levels; level++) {
		ulong *entry = pt_entry(va, level), good;

		pt_map(va, (ulong)frames[0], 0, PTE_RWX);
		good = *entry;
		for (ulong bit = PTE_U; bit <= PTE_D; bit <<= 1) {
			if (bit == PTE_G)
				continue;
			*entry = good | bit;
			pt_flush();
			check_page_faults("pointer with U, A or D", va);
		}
		*entry = good & ~(ulong)PTE_V;
		pt_flush();
		check_page_faults("pointer with V clear", va);
		*entry = pt_number(NOWHERE) | PTE_V;
		pt_flush();
		check_access_faults("table outside memory", va);
		*entry = good;
		pt_flush();
		check_mapped("restored", va, frames[0]);
	}
	pt_map(va, NOWHERE, 0, PTE_RWX);
	check_access_faults("page outside memory", va);
#if XLEN == 32
	*pt_entry(va, 0) = 0xfffffc00 | PTE_RWX;
	pt_flush();
	check_access_faults("page above 4 GiB", va);
#endif
}

#if XLEN == 64
/* Bits above the highest translated one must all equal it. */
static void canonical(const struct paging_mode *mode)
{
	unsigned top = 12 + 9 * mode->levels;

	pt_map(TEST_VA, (ulong)frames[0], 0, PTE_RWX);
	check_page_faults("lowest bit above", TEST_VA | 1ul << top);
	check_page_faults("highest bit", TEST_VA | 1ul << 63);
	check_page_faults("all bits above, none below", TEST_VA | -1ul << top);
	check_page_faults("sign bit alone", TEST_VA | 1ul << (top - 1));
	pt_map(-(ulong)PAGE, (ulong)frames[1], 0, PTE_RWX);
	check_page_faults("high half with bit 63 clear", -(ulong)PAGE & ~(1ul << 63));
	check_page_faults("high half with the lowest clear", -(ulong)PAGE & ~(1ul << top));
}
#endif

/* Delegated page faults reach S-mode with the same registers. */
static void delegated(void)
{
	*pt_entry(TEST_VA, 0) = 0;
	pt_flush();
	csr_write(medeleg, BIT(CAUSE_LOAD_PAGE) | BIT(CAUSE_STORE_PAGE) | BIT(CAUSE_FETCH_PAGE));
	check_page_faults("delegated", TEST_VA);
	check("handled in S", trap.mode, MODE_S);
	check("SPP", trap.status & STATUS_SPP, STATUS_SPP);
	csr_write(medeleg, 0);
	check_page_faults("not delegated", TEST_VA);
	check("handled in M", trap.mode, MODE_M);
}

/* M-mode ignores satp, except for its loads and stores under MPRV. */
static void machine_mode(void)
{
	volatile uint32_t *cell = frames[1];

	pt_map(NOWHERE, (ulong)frames[1], 0, PTE_RW);
	*cell = 5;
	check("M as S is translated", access_as(MODE_S, STORE, NOWHERE), NO_TRAP);
	check("into the mapped frame", *cell, 0x5a);
	check("M as M is physical", access_as(MODE_M, LOAD, NOWHERE), CAUSE_LOAD_ACCESS);
	check("M is physical", access_in(MODE_M, LOAD, NOWHERE), CAUSE_LOAD_ACCESS);
	check("M fetches are physical", access_in(MODE_M, FETCH, NOWHERE), CAUSE_FETCH_ACCESS);
}

int main(void)
{
	open_pmp();
	for (ulong i = 0; i < paging_mode_count; i++) {
		const struct paging_mode *mode = &paging_modes[i];
		ulong satp = pt_begin(mode);

		pt_switch(satp);
		check("satp takes the mode", csr_read(satp), satp);
		if (csr_read(satp) != satp)
			continue;
		pages();
		superpages(mode);
		invalid_entries();
		invalid_pointers(mode);
#if XLEN == 64
		canonical(mode);
#endif
		delegated();
		machine_mode();
		pt_off();
	}
	return 0;
}
