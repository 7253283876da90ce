/*
 * Changing translations: sfence.vma in its four forms, switching between address spaces with and without address-space
 * identifiers, global pages, and code that differs by address space at one virtual address.
 */
#include "pagetable.h"

static uint32_t frames[4][PAGE / 4] __attribute__((aligned(4096)));

#if XLEN == 64
enum { ASID_SHIFT = 44 };
#define ASID_MASK 0xfffful
#else
enum { ASID_SHIFT = 22 };
#define ASID_MASK 0x1fful
#endif

static ulong read_word(ulong va, ulong unused)
{
	ulong got = NO_TRAP;

	(void)unused;
	__asm__ volatile(TRY("lw %0, 0(%1)") : "+r"(got) : "r"(va) : TRY_CLOBBERS);
	return got;
}

static ulong call(ulong va, ulong unused)
{
	register ulong a0 __asm__("a0") = NO_TRAP;

	(void)unused;
	__asm__ volatile(TRY("jalr %1") : "+r"(a0) : "r"(va) : "ra", TRY_CLOBBERS);
	return a0;
}

/* The frame's number at its start, and `li a0, number; ret` behind. */
static void fill_frames(void)
{
	for (uint32_t i = 0; i < ARRAY_SIZE(frames); i++) {
		frames[i][0] = 100 + i;
		frames[i][1] = (100 + i) << 20 | 0x513; /* addi a0, x0, 100 + i */
		frames[i][2] = 0x00008067;		/* ret */
	}
	__asm__ volatile("fence.i" ::: "memory");
}

static ulong look(ulong va)
{
	return run_in(MODE_S, read_word, va, 0);
}

static ulong execute(ulong va)
{
	return run_in(MODE_S, call, va + 4, 0);
}

/* Each form of the fence that covers an address makes a changed entry visible to loads and fetches. */
static void fences(void)
{
	ulong *entry = pt_map(TEST_VA, (ulong)frames[0], 0, PTE_RWX);

	check("load", look(TEST_VA), 100);
	check("fetch", execute(TEST_VA), 100);
	*entry = pt_number((ulong)frames[1]) | PTE_RWX;
	__asm__ volatile("sfence.vma" ::: "memory");
	check("load after the full fence", look(TEST_VA), 101);
	check("fetch after the full fence", execute(TEST_VA), 101);
	*entry = pt_number((ulong)frames[2]) | PTE_RWX;
	__asm__ volatile("sfence.vma %0, x0" ::"r"(TEST_VA) : "memory");
	check("load after the fence of an address", look(TEST_VA), 102);
	check("fetch after the fence of an address", execute(TEST_VA), 102);
	*entry = pt_number((ulong)frames[3]) | PTE_RWX;
	__asm__ volatile("sfence.vma x0, %0" ::"r"(0ul) : "memory");
	check("load after the fence of an identifier", look(TEST_VA), 103);
	check("fetch after the fence of an identifier", execute(TEST_VA), 103);
	*entry = pt_number((ulong)frames[0]) | PTE_RWX;
	__asm__ volatile("sfence.vma %0, %1" ::"r"(TEST_VA + 123), "r"(0ul) : "memory");
	check("load after the fence of both", look(TEST_VA), 100);
	check("fetch after the fence of both", execute(TEST_VA), 100);
	*entry = 0;
	__asm__ volatile("sfence.vma %0, x0" ::"r"(TEST_VA) : "memory");
	look(TEST_VA);
	check("load from an unmapped page", trap.cause, CAUSE_LOAD_PAGE);
	execute(TEST_VA);
	check("fetch from an unmapped page", trap.cause, CAUSE_FETCH_PAGE);
}

/* A change of a pointer, or of a superpage into pages, takes effect for all that lies below. */
static void upper_entries(void)
{
	ulong va = -2 * pt_span(1), *parent, pointer;

	pt_map(va, (ulong)frames[0], 0, PTE_RWX);
	pt_map(va + PAGE, (ulong)frames[1], 0, PTE_RWX);
	check("first page", look(va), 100);
	check("second page", look(va + PAGE), 101);
	parent = pt_entry(va, 1);
	pointer = *parent;
	*parent = 0;
	pt_flush();
	look(va);
	check("first page without its table", trap.cause, CAUSE_LOAD_PAGE);
	look(va + PAGE);
	check("second page without its table", trap.cause, CAUSE_LOAD_PAGE);
	pt_map(va, (ulong)image_begin, 1, PTE_RWX);
	check("superpage instead", look(va + ((ulong)frames[3] - (ulong)image_begin)), 103);
	*parent = pointer;
	pt_flush();
	check("pages again", look(va), 100);
	check("and code", execute(va + PAGE), 101);
}

/* A new satp alone, with a flush, shows the other address space, data and code. */
static void two_spaces(ulong one)
{
	ulong two = pt_another();

	pt_map(TEST_VA, (ulong)frames[2], 0, PTE_RWX);
	pt_select(one);
	pt_map(TEST_VA, (ulong)frames[1], 0, PTE_RWX);
	for (int i = 0; i < 10; i++) {
		pt_switch(one);
		check("first space: load", look(TEST_VA), 101);
		check("first space: fetch", execute(TEST_VA), 101);
		pt_switch(two);
		check("second space: load", look(TEST_VA), 102);
		check("second space: fetch", execute(TEST_VA), 102);
	}
	pt_switch(one);
}

/* With identifiers, no fence is needed at a switch. */
static void identifiers(ulong one)
{
	ulong two = pt_another(), asid;

	pt_map(TEST_VA2, (ulong)frames[2], 0, PTE_RWX);
	pt_select(one);
	pt_map(TEST_VA2, (ulong)frames[1], 0, PTE_RWX);
	csr_write(satp, one | ASID_MASK << ASID_SHIFT);
	asid = csr_read(satp) >> ASID_SHIFT & ASID_MASK;
	check("identifiers are whole low bits", asid & (asid + 1), 0);
	pt_flush();
	if (asid >= 2) {
		for (int i = 0; i < 10; i++) {
			csr_write(satp, one | 1ul << ASID_SHIFT);
			check("identifier 1: load", look(TEST_VA2), 101);
			check("identifier 1: fetch", execute(TEST_VA2), 101);
			csr_write(satp, two | 2ul << ASID_SHIFT);
			check("identifier 2: load", look(TEST_VA2), 102);
			check("identifier 2: fetch", execute(TEST_VA2), 102);
		}
		/* a fence of one identifier covers its own changes */
		pt_select(two);
		*pt_entry(TEST_VA2, 0) = pt_number((ulong)frames[3]) | PTE_RWX;
		__asm__ volatile("sfence.vma x0, %0" ::"r"(2ul) : "memory");
		check("identifier 2 after its fence", look(TEST_VA2), 103);
		pt_select(one);
	}
	pt_switch(one);
}

/* A page that is global in every space stays reachable across switches; the fence of an address covers it, too. */
static void global_pages(ulong one)
{
	ulong two = pt_another(), *entry;

	pt_map(TEST_VA2 + PAGE, (ulong)frames[2], 0, PTE_RWX | PTE_G);
	pt_select(one);
	entry = pt_map(TEST_VA2 + PAGE, (ulong)frames[2], 0, PTE_RWX | PTE_G);
	csr_write(satp, one | 1ul << ASID_SHIFT);
	check("global page in one space", look(TEST_VA2 + PAGE), 102);
	csr_write(satp, two | 2ul << ASID_SHIFT);
	check("in the other", look(TEST_VA2 + PAGE), 102);
	csr_write(satp, one | 1ul << ASID_SHIFT);
	*entry = 0;
	__asm__ volatile("sfence.vma %0, x0" ::"r"(TEST_VA2 + PAGE) : "memory");
	look(TEST_VA2 + PAGE);
	check("unmapped after the fence of its address", trap.cause, CAUSE_LOAD_PAGE);
	pt_switch(one);
}

/* One frame under two addresses: a store through one is seen through the other, by loads and after fence.i by fetches.
 */
static ulong patch(ulong alias, ulong va)
{
	*(volatile uint32_t *)(alias + 4) = 777 << 20 | 0x513; /* addi a0, x0, 777 */
	__asm__ volatile("fence.i" ::: "memory");
	return call(va + 4, 0);
}

static void aliases(void)
{
	pt_map(TEST_VA, (ulong)frames[0], 0, PTE_RX);
	pt_map(TEST_VA2, (ulong)frames[0], 0, PTE_RW);
	check("code before", execute(TEST_VA), 100);
	check("code patched through an alias", run_in(MODE_S, patch, TEST_VA2, TEST_VA), 777);
	check("the frame itself", frames[0][1], 777 << 20 | 0x513);
	fill_frames();
	check("code written physically", execute(TEST_VA), 100);
}

/* U-mode runs in its own mapping of the program, S-mode beside it, and both see one memory. */
static ulong sum_in_user(ulong a, ulong b)
{
	static volatile ulong cell;

	cell = a;
	cell += b;
	return cell;
}

static void user_mode(void)
{
	run_offset = USER_OFFSET;
	check("a function in U", run_in(MODE_U, sum_in_user, 40, 2), 42);
	pt_map(TEST_VA, (ulong)frames[1], 0, PTE_RWX | PTE_U);
	check("load in U", run_in(MODE_U, read_word, TEST_VA, 0), 101);
	check("fetch in U", run_in(MODE_U, call, TEST_VA + 4, 0), 101);
	run_in(MODE_U, read_word, (ulong)frames, 0);
	check("the program's S mapping from U", trap.cause, CAUSE_LOAD_PAGE);
	run_offset = 0;
	run_in(MODE_S, call, TEST_VA + 4, 0);
	check("a U page's code from S", trap.cause, CAUSE_FETCH_PAGE);
}

int main(void)
{
	open_pmp();
	for (ulong i = 0; i < paging_mode_count; i++) {
		ulong satp = pt_begin(&paging_modes[i]);

		fill_frames();
		pt_switch(satp);
		fences();
		upper_entries();
		two_spaces(satp);
		identifiers(satp);
		global_pages(satp);
		aliases();
		user_mode();
		pt_off();
	}
	return 0;
}
