/*
 * Physical memory protection (privileged specification 3.7): address modes, permissions by mode, priority, partial
 * matches, page-table walks and locked entries. Entries 0 to 3 make rules about a zone of four pages; entry 15 allows
 * all the rest.
 */
#include "guest.h"

enum { R = 1, W = 2, X = 4, TOR = 1 << 3, NA4 = 2 << 3, NAPOT = 3 << 3, LOCK = 1 << 7 };
enum { PAGE = 4096, ZONE = 4 * PAGE };

static uint8_t zone[ZONE] __attribute__((aligned(16384)));
static ulong table[PAGE / sizeof(ulong)] __attribute__((aligned(4096)));

static ulong base(ulong offset)
{
	return (ulong)zone + offset;
}

static ulong napot(ulong address, ulong size)
{
	return address >> 2 | (size / 8 - 1);
}

static void set_address(unsigned entry, ulong value)
{
	switch (entry) {
	case 0:
		csr_write(pmpaddr0, value);
		break;
	case 1:
		csr_write(pmpaddr1, value);
		break;
	case 2:
		csr_write(pmpaddr2, value);
		break;
	default:
		csr_write(pmpaddr3, value);
		break;
	}
}

static void set_entry(unsigned entry, ulong address, unsigned config)
{
	csr_clear(pmpcfg0, 0xfful << 8 * entry);
	set_address(entry, address);
	csr_set(pmpcfg0, (ulong)config << 8 * entry);
	__asm__ volatile("sfence.vma" ::: "memory");
}

static void clear_entries(void)
{
	csr_write(pmpcfg0, 0);
	for (unsigned entry = 0; entry < 4; entry++)
		set_address(entry, 0);
	__asm__ volatile("sfence.vma" ::: "memory");
}

static void registers(void)
{
	/* bits 33:2 of an address on rv32, at most 55:2 on rv64; bits above do not exist */
	ulong absent = BY_XLEN(0, 0x3fful << 54);

#define HOLDS(csr)                                                                                                     \
	do {                                                                                                           \
		csr_write(csr, -1ul);                                                                                  \
		check(#csr " holds an address", csr_read(csr) & 0x3fffffff, 0x3fffffff);                               \
		check(#csr " has no more", csr_read(csr) & absent, 0);                                                 \
		csr_write(csr, 0);                                                                                     \
	} while (0)
	HOLDS(pmpaddr0);
	HOLDS(pmpaddr1);
	HOLDS(pmpaddr7);
	HOLDS(pmpaddr8);
	HOLDS(pmpaddr14);
	HOLDS(pmpaddr15);
	csr_write(pmpcfg0, 0x1f0f1b07);
	check("pmpcfg0", csr_read(pmpcfg0), 0x1f0f1b07);
	csr_write(pmpcfg0, 0x60);
	check("reserved bits of a configuration", csr_read(pmpcfg0) & 0x60, 0);
	csr_write(pmpcfg0, W);
	check("W without R is refused", (csr_read(pmpcfg0) & (R | W)) == W, 0);
	csr_write(pmpcfg0, 0);
}

/* With every entry off, M-mode reaches all and no other mode anything. */
static void no_entry(void)
{
	clear_entries();
	check("S load", access_as(MODE_S, LOAD, base(0)), CAUSE_LOAD_ACCESS);
	check("U load", access_as(MODE_U, LOAD, base(0)), CAUSE_LOAD_ACCESS);
	check("S store", access_as(MODE_S, STORE, base(0)), CAUSE_STORE_ACCESS);
	check("U store", access_as(MODE_U, STORE, base(0)), CAUSE_STORE_ACCESS);
	check("tval", trap.tval, base(0));
	check("M load", access_as(MODE_M, LOAD, base(0)), NO_TRAP);
	check("M store", access_as(MODE_M, STORE, base(0)), NO_TRAP);
}

/* Each legal combination against each kind of access; the zone holds `ret` for fetches. */
static void permissions(void)
{
	static const unsigned rights[] = {0, R, R | W, X, R | X, R | W | X};
	static const ulong fault[] = {CAUSE_LOAD_ACCESS, CAUSE_STORE_ACCESS, CAUSE_FETCH_ACCESS};

	for (ulong i = 0; i < ARRAY_SIZE(rights); i++) {
		*(volatile uint32_t *)zone = 0x00008067;
		__asm__ volatile("fence.i" ::: "memory");
		set_entry(0, napot(base(0), PAGE), NAPOT | rights[i]);
		for (ulong kind = LOAD; kind <= FETCH; kind++) {
			ulong want = rights[i] >> kind & 1 ? NO_TRAP : fault[kind];
			ulong address = base(kind == STORE ? 8 : 0);

			check_row("S", i * 3 + kind, access_in(MODE_S, kind, address), want);
			check_row("U", i * 3 + kind, access_in(MODE_U, kind, address), want);
			check_row("M", i * 3 + kind, access_in(MODE_M, kind, address), NO_TRAP);
			if (kind != FETCH)
				check_row("M as U", i * 3 + kind, access_as(MODE_U, kind, address), want);
		}
	}
	clear_entries();
}

/* Bytes just outside and just inside [from, from + size), which entry 0 closes. */
static void bounds(const char *name, ulong from, ulong size)
{
	check(name, access_as(MODE_U, LOAD, base(from - 1)), NO_TRAP);
	check(name, access_as(MODE_U, LOAD, base(from)), CAUSE_LOAD_ACCESS);
	check(name, access_as(MODE_U, STORE, base(from + size - 1)), CAUSE_STORE_ACCESS);
	check(name, access_as(MODE_U, LOAD, base(from + size / 2)), CAUSE_LOAD_ACCESS);
	check(name, access_as(MODE_U, STORE, base(from + size)), NO_TRAP);
}

static void address_modes(void)
{
	set_entry(0, base(0x104) >> 2, NA4);
	bounds("NA4", 0x104, 4);
	set_entry(0, napot(base(0x108), 8), NAPOT);
	bounds("NAPOT of 8", 0x108, 8);
	set_entry(0, napot(base(0x140), 64), NAPOT);
	bounds("NAPOT of 64", 0x140, 64);
	set_entry(0, napot(base(PAGE), PAGE), NAPOT);
	bounds("NAPOT of a page", PAGE, PAGE);
	set_entry(0, napot(base(2 * PAGE), 2 * PAGE), NAPOT);
	check("NAPOT of two pages", access_as(MODE_U, LOAD, base(2 * PAGE - 1)), NO_TRAP);
	check("NAPOT of two pages", access_as(MODE_U, LOAD, base(2 * PAGE)), CAUSE_LOAD_ACCESS);
	check("NAPOT of two pages", access_as(MODE_U, LOAD, base(ZONE - 1)), CAUSE_LOAD_ACCESS);
	set_entry(0, base(0x10c) >> 2, 0);
	set_entry(1, base(0x220) >> 2, TOR);
	bounds("TOR", 0x10c, 0x114);
	set_entry(1, base(PAGE + 4) >> 2, TOR);
	bounds("TOR across pages", 0x10c, PAGE + 4 - 0x10c);
	set_entry(1, base(0x10c) >> 2, TOR);
	check("empty TOR", access_as(MODE_U, LOAD, base(0x10c)), NO_TRAP);
	set_entry(1, base(0x100) >> 2, TOR);
	check("reversed TOR", access_as(MODE_U, LOAD, base(0x104)), NO_TRAP);
	clear_entries();
	set_entry(0, base(0) >> 2, TOR);
	check("TOR of entry 0 ends at its address", access_as(MODE_U, LOAD, base(0)), NO_TRAP);
	check("TOR of entry 0 starts at 0", access_as(MODE_U, LOAD, base(-PAGE)), CAUSE_LOAD_ACCESS);
	clear_entries();
}

/* The entry with the lowest number that matches decides alone. */
static void priority(void)
{
	set_entry(0, napot(base(0x100), 16), NAPOT | R);
	set_entry(1, napot(base(0), PAGE), NAPOT);
	check("hole: load", access_as(MODE_U, LOAD, base(0x100)), NO_TRAP);
	check("hole: store", access_as(MODE_U, STORE, base(0x100)), CAUSE_STORE_ACCESS);
	check("around: load", access_as(MODE_U, LOAD, base(0x110)), CAUSE_LOAD_ACCESS);
	set_entry(0, napot(base(0), PAGE), NAPOT);
	set_entry(1, napot(base(0x100), 16), NAPOT | R);
	check("the wide entry first", access_as(MODE_U, LOAD, base(0x100)), CAUSE_LOAD_ACCESS);
	clear_entries();
}

#define WIDE(insn, address, want)                                                                                      \
	do {                                                                                                           \
		csr_clear(mstatus, STATUS_MPP);                                                                        \
		__asm__ volatile(TRY_AS(insn)::"r"(address), [mprv] "r"(STATUS_MPRV) : "t2", TRY_CLOBBERS);            \
		check(insn, trap.cause, want);                                                                         \
	} while (0)

/* Read-modify-write needs R and W; the fault of either is a store's. */
static void atomics(void)
{
	set_entry(0, napot(base(0), PAGE), NAPOT | R);
	WIDE("lr.w t2, (%0)", zone, NO_TRAP);
	WIDE("sc.w t2, x0, (%0)", zone, CAUSE_STORE_ACCESS);
	WIDE("amoadd.w t2, x0, (%0)", zone, CAUSE_STORE_ACCESS);
	set_entry(0, napot(base(0), PAGE), NAPOT);
	WIDE("lr.w t2, (%0)", zone, CAUSE_LOAD_ACCESS);
	WIDE("amoswap.w t2, x0, (%0)", zone, CAUSE_STORE_ACCESS);
	set_entry(0, napot(base(0), PAGE), NAPOT | R | W);
	WIDE("amoadd.w t2, x0, (%0)", zone, NO_TRAP);
	clear_entries();
}

/* An access that an entry matches in part fails, whatever both parts allow; even in M-mode, which no lock binds. */
static void partial_match(void)
{
#if XLEN == 64
	volatile uint64_t *cell = (volatile uint64_t *)(zone + 0x100);

	*cell = 0x1122334455667788;
	set_entry(0, base(0x104) >> 2, NA4 | R | W);
	WIDE("ld t2, 0(%0)", cell, CAUSE_LOAD_ACCESS);
	WIDE("sd x0, 0(%0)", cell, CAUSE_STORE_ACCESS);
	check("tval is the access's address", trap.tval, (ulong)cell);
	WIDE("lw t2, 0(%0)", cell, NO_TRAP);
	WIDE("lw t2, 4(%0)", cell, NO_TRAP);
	WIDE("ld t2, 8(%0)", cell, NO_TRAP);
	__asm__ volatile(TRY("ld t2, 0(%0)")::"r"(cell) : "t2", TRY_CLOBBERS);
	check("M-mode, too", trap.cause, CAUSE_LOAD_ACCESS);
	set_entry(0, base(0x100) >> 2, NA4 | R | W);
	WIDE("sd x0, 0(%0)", cell, CAUSE_STORE_ACCESS);
	clear_entries();
	check("nothing was stored", *cell, 0x1122334455667788);
#endif
	/* entries that match wholly, though others below match in part, allow */
	set_entry(0, napot(base(0x100), 16), NAPOT | R | W);
	set_entry(1, base(0x104) >> 2, NA4);
	WIDE("lw t2, 0x104(%0)", zone, NO_TRAP);
	clear_entries();
}

/* A walk that may not read the table is an access fault of the original access's kind. */
static void table_walk(void)
{
	ulong page = base(0);

#if XLEN == 64
	table[0x80000000u >> 30] = 0x80000000u >> 2 | 0xcf;
	csr_write(satp, 8ul << 60 | (ulong)table >> 12);
#else
	table[0x80000000u >> 22] = 0x80000000u >> 2 | 0xcf;
	csr_write(satp, 1ul << 31 | (ulong)table >> 12);
#endif
	__asm__ volatile("sfence.vma" ::: "memory");
	check("table within reach", access_as(MODE_S, LOAD, page), NO_TRAP);
	set_entry(0, napot((ulong)table, PAGE), NAPOT);
	check("walk for a load", access_as(MODE_S, LOAD, page), CAUSE_LOAD_ACCESS);
	check("tval", trap.tval, page);
	check("walk for a store", access_as(MODE_S, STORE, page), CAUSE_STORE_ACCESS);
	check("tval", trap.tval, page);
	set_entry(0, napot((ulong)table, PAGE), NAPOT | R | W);
	check("translated store", access_as(MODE_S, STORE, page), NO_TRAP);
	set_entry(1, napot(page, PAGE), NAPOT | R);
	check("the page itself: load", access_as(MODE_S, LOAD, page), NO_TRAP);
	check("the page itself: store", access_as(MODE_S, STORE, page), CAUSE_STORE_ACCESS);
	csr_write(satp, 0);
	clear_entries();
}

/* A locked entry binds M-mode and stays until reset. Entry 2 locks a page; entry 3 locks a range above it. */
static void locking(void)
{
	ulong config, address = napot(base(PAGE), PAGE);

	set_entry(2, address, NAPOT | R | LOCK);
	check("M load", access_as(MODE_M, LOAD, base(PAGE)), NO_TRAP);
	check("M store", access_as(MODE_M, STORE, base(PAGE)), CAUSE_STORE_ACCESS);
	check("M store outside", access_as(MODE_M, STORE, base(2 * PAGE)), NO_TRAP);
	check("U load", access_as(MODE_U, LOAD, base(PAGE)), NO_TRAP);
	check("U store", access_as(MODE_U, STORE, base(PAGE)), CAUSE_STORE_ACCESS);
	check("M fetch", access_in(MODE_M, FETCH, base(PAGE)), CAUSE_FETCH_ACCESS);
	csr_write(pmpcfg0, 0);
	config = csr_read(pmpcfg0);
	check("configuration stays", config >> 16 & 0xff, NAPOT | R | LOCK);
	check("the others change", config & 0xffff, 0);
	csr_write(pmpaddr2, 0);
	check("address stays", csr_read(pmpaddr2), address);
	set_entry(1, base(2 * PAGE) >> 2, 0);
	check("an unlocked address changes", csr_read(pmpaddr1), base(2 * PAGE) >> 2);
	csr_write(pmpaddr0, base(2 * PAGE) >> 2);
	csr_write(pmpaddr1, base(3 * PAGE) >> 2);
	csr_set(pmpcfg0, (ulong)(TOR | R | LOCK) << 8);
	csr_write(pmpaddr0, 0);
	check("a locked TOR locks the address below", csr_read(pmpaddr0), base(2 * PAGE) >> 2);
	csr_write(pmpcfg0, (ulong)(TOR | R | W) << 8);
	check("and itself", csr_read(pmpcfg0) >> 8 & 0xff, TOR | R | LOCK);
	check("M store below its range", access_as(MODE_M, STORE, base(0)), NO_TRAP);
	check("M store in its range", access_as(MODE_M, STORE, base(2 * PAGE)), CAUSE_STORE_ACCESS);
	check("M store above its range", access_as(MODE_M, STORE, base(3 * PAGE)), NO_TRAP);
}

int main(void)
{
	registers();
	no_entry();
	open_pmp();
	permissions();
	address_modes();
	priority();
	atomics();
	partial_match();
	table_walk();
	locking();
	return 0;
}
