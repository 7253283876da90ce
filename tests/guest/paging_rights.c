/*
 * Permissions of pages in every mode: R, W and X, user pages, SUM and MXR, MPRV; and the accessed and dirty bits, which
 * hardware may set itself (Svadu) or demand by a page fault (Svade), one or the other throughout.
 */
#include "pagetable.h"

static uint32_t frame[PAGE / 4] __attribute__((aligned(4096)));

static const ulong fault[] = {CAUSE_LOAD_PAGE, CAUSE_STORE_PAGE, CAUSE_FETCH_PAGE};

/* Written by the specification's rules (4.3.1, 3.1.6.3) for each combination that is not reserved. */
static const struct row {
	ulong flags;
	const char *plain; /* kinds of access allowed: letters of "lsf" */
	const char *mxr;   /* the same with MXR */
} rows[] = {
	{PTE_R, "l", "l"},
	{PTE_X, "f", "lf"},
	{PTE_R | PTE_W, "ls", "ls"},
	{PTE_R | PTE_X, "lf", "lf"},
	{PTE_R | PTE_W | PTE_X, "lsf", "lsf"},
};

static bool has(const char *kinds, enum access kind)
{
	for (; *kinds; kinds++)
		if (*kinds == "lsf"[kind])
			return true;
	return false;
}

/* A store puts 0x5a at the second word, so that the code at the start stays. */
static ulong attempt(enum guest_mode mode, enum access kind)
{
	ulong cause;

	if (mode == MODE_U)
		run_offset = USER_OFFSET;
	cause = access_in(mode, kind, TEST_VA + (kind == STORE ? 4 : 0));
	run_offset = 0;
	return cause;
}

static void one(ulong row, enum guest_mode mode, const char *allowed, const char *name)
{
	for (enum access kind = LOAD; kind <= FETCH; kind++) {
		ulong want = has(allowed, kind) ? NO_TRAP : fault[kind];

		check_row(name, row * 3 + kind, attempt(mode, kind), want);
		if (kind != FETCH)
			check_row(name, row * 3 + kind, access_as(mode, kind, TEST_VA + 4), want);
	}
}

static void permissions(void)
{
	frame[0] = 0x00008067; /* ret */
	__asm__ volatile("fence.i" ::: "memory");
	for (ulong i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct row *row = &rows[i];

		pt_map(TEST_VA, (ulong)frame, 0, PTE_V | PTE_AD | row->flags);
		one(i, MODE_S, row->plain, "S page from S");
		one(i, MODE_U, "", "S page from U");
		csr_set(mstatus, STATUS_MXR);
		one(i, MODE_S, row->mxr, "S page from S, MXR");
		one(i, MODE_U, "", "S page from U, MXR");
		csr_clear(mstatus, STATUS_MXR);

		pt_map(TEST_VA, (ulong)frame, 0, PTE_V | PTE_AD | PTE_U | row->flags);
		one(i, MODE_U, row->plain, "U page from U");
		one(i, MODE_S, "", "U page from S");
		csr_set(mstatus, STATUS_MXR);
		one(i, MODE_U, row->mxr, "U page from U, MXR");
		one(i, MODE_S, "", "U page from S, MXR");
		csr_clear(mstatus, STATUS_MXR);
	}
}

/* SUM lets S-mode load and store, never fetch, in U pages. */
static void supervisor_user_memory(void)
{
	for (ulong i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct row *row = &rows[i];
		bool readable = row->flags & PTE_R, writable = row->flags & PTE_W;
		const char *allowed = writable ? "ls" : readable ? "l" : "";

		pt_map(TEST_VA, (ulong)frame, 0, PTE_V | PTE_AD | PTE_U | row->flags);
		csr_set(mstatus, STATUS_SUM);
		one(i, MODE_S, allowed, "U page from S, SUM");
		one(i, MODE_U, row->plain, "U page from U, SUM");
		csr_set(mstatus, STATUS_MXR);
		one(i, MODE_S, writable ? "ls" : "l", "U page from S, SUM and MXR");
		csr_clear(mstatus, STATUS_SUM | STATUS_MXR);
	}
}

static ulong amo(ulong va, ulong unused)
{
	(void)unused;
	__asm__ volatile(TRY("amoadd.w x0, x0, (%0)")::"r"(va) : TRY_CLOBBERS);
	return trap.cause;
}

static ulong store_conditional(ulong va, ulong unused)
{
	ulong failed;

	(void)unused;
	__asm__ volatile("lr.w x0, (%0)" ::"r"(va) : "memory");
	__asm__ volatile(TRY("sc.w %0, x0, (%1)") : "=&r"(failed) : "r"(va) : TRY_CLOBBERS);
	return trap.cause;
}

/* Read-modify-write on a page that cannot be written is a store fault, even if it cannot be read either. */
static void atomics(void)
{
	pt_map(TEST_VA, (ulong)frame, 0, PTE_V | PTE_AD | PTE_R);
	check("amo on a read-only page", run_in(MODE_S, amo, TEST_VA + 4, 0), CAUSE_STORE_PAGE);
	check("tval", trap.tval, TEST_VA + 4);
	check("sc on a read-only page", run_in(MODE_S, store_conditional, TEST_VA + 4, 0), CAUSE_STORE_PAGE);
	pt_map(TEST_VA, (ulong)frame, 0, PTE_V | PTE_AD | PTE_X);
	check("amo on an execute-only page", run_in(MODE_S, amo, TEST_VA + 4, 0), CAUSE_STORE_PAGE);
	pt_map(TEST_VA, (ulong)frame, 0, 0);
	check("amo on no page", run_in(MODE_S, amo, TEST_VA + 4, 0), CAUSE_STORE_PAGE);
	pt_map(TEST_VA, (ulong)frame, 0, PTE_RW);
	check("amo on a writable page", run_in(MODE_S, amo, TEST_VA + 4, 0), NO_TRAP);
}

/*
 * An access to a page that lacks A, or D for a store: either it faults and the entry is as before, or it completes and
 * the entry has gained what it lacked and no more. Returns whether hardware updates.
 */
static bool accessed_one(enum access kind, unsigned level, ulong flags, ulong gained)
{
	ulong va = TEST_VA + ((ulong)frame & (pt_span(level) - 1) & ~(ulong)(PAGE - 1));
	ulong *entry = pt_map(TEST_VA, (ulong)frame, level, PTE_V | PTE_R | PTE_W | PTE_X | flags);
	ulong before = *entry;
	ulong cause = access_in(MODE_S, kind, va + (kind == STORE ? 4 : 0));

	if (cause == NO_TRAP) {
		check("entry after an update", *(volatile ulong *)entry, before | gained);
	} else {
		check("cause of a missing A or D", cause, fault[kind]);
		check("entry after a fault", *(volatile ulong *)entry, before);
	}
	*entry = 0;
	pt_flush();
	return cause == NO_TRAP;
}

static bool accessed_and_dirty(unsigned level)
{
	bool updates = accessed_one(LOAD, level, 0, PTE_A);

	check("store without A and D", accessed_one(STORE, level, 0, PTE_AD), updates);
	check("store without D", accessed_one(STORE, level, PTE_A, PTE_D), updates);
	check("store without A", accessed_one(STORE, level, PTE_D, PTE_A), updates);
	check("fetch without A", accessed_one(FETCH, level, 0, PTE_A), updates);
	check("load with A", accessed_one(LOAD, level, PTE_A, 0), 1);
	check("fetch with A", accessed_one(FETCH, level, PTE_A, 0), 1);
	return updates;
}

/* A store that permissions refuse leaves D alone; a load behind it does not set D. */
static void refused_store_is_not_dirty(void)
{
	ulong *entry = pt_map(TEST_VA, (ulong)frame, 0, PTE_V | PTE_R | PTE_A);

	check("store to a clean read-only page", access_as(MODE_S, STORE, TEST_VA), CAUSE_STORE_PAGE);
	check("its entry", *(volatile ulong *)entry & PTE_D, 0);
	entry = pt_map(TEST_VA, (ulong)frame, 0, PTE_V | PTE_R | PTE_W | PTE_A);
	check("load from a clean page", access_as(MODE_S, LOAD, TEST_VA), NO_TRAP);
	check("its entry", *(volatile ulong *)entry & PTE_D, 0);
	/* the translation that the load has cached must not let a store pass without D */
	if (access_as(MODE_S, STORE, TEST_VA) == NO_TRAP)
		check("D after a store behind a load", *(volatile ulong *)entry & PTE_D, PTE_D);
	else
		check("store behind a load", trap.cause, CAUSE_STORE_PAGE);
}

/* menvcfg.ADUE, where it can be set, chooses between the two ways. */
static void update_choice(void)
{
	bool updates = accessed_and_dirty(0);

	check("a superpage does as a page", accessed_and_dirty(1), updates);
#if XLEN == 64
	csr_set(menvcfg, 1ul << 61);
	if (csr_read(menvcfg) >> 61 & 1) {
		pt_flush();
		check("ADUE set", accessed_and_dirty(0), 1);
		csr_clear(menvcfg, 1ul << 61);
		pt_flush();
		check("ADUE clear", accessed_and_dirty(0), 0);
	}
#else
	csr_set(0x31a, 1ul << 29);
	if (csr_read(0x31a) >> 29 & 1) {
		pt_flush();
		check("ADUE set", accessed_and_dirty(0), 1);
		csr_clear(0x31a, 1ul << 29);
		pt_flush();
		check("ADUE clear", accessed_and_dirty(0), 0);
	}
#endif
}

/* MPRV makes M-mode's loads and stores those of MPP's mode, SUM and MXR included. */
static void modified_privilege(void)
{
	pt_map(TEST_VA, (ulong)frame, 0, PTE_RW | PTE_U);
	check("M as U", access_as(MODE_U, LOAD, TEST_VA), NO_TRAP);
	check("M as S", access_as(MODE_S, LOAD, TEST_VA), CAUSE_LOAD_PAGE);
	check("handled in M", trap.mode, MODE_M);
	check("MPP is M, where it happened", trap.status & STATUS_MPP, STATUS_MPP);
	csr_set(mstatus, STATUS_SUM);
	check("M as S, SUM", access_as(MODE_S, LOAD, TEST_VA), NO_TRAP);
	csr_clear(mstatus, STATUS_SUM);
	csr_write(medeleg, BIT(CAUSE_LOAD_PAGE));
	check("M as S, delegated", access_as(MODE_S, LOAD, TEST_VA), CAUSE_LOAD_PAGE);
	check("still handled in M", trap.mode, MODE_M);
	csr_write(medeleg, 0);
}

int main(void)
{
	open_pmp();
	for (ulong i = 0; i < paging_mode_count; i++) {
		pt_switch(pt_begin(&paging_modes[i]));
		permissions();
		supervisor_user_memory();
		atomics();
		update_choice();
		refused_store_is_not_dirty();
		modified_privilege();
		pt_off();
	}
	return 0;
}
