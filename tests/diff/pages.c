/*
 * pages.c - page tables for Sv32, Sv39, Sv48 and Sv57 (privileged specification 1.12, sections 4.3 to 4.6). The entries
 * are accessed and dirty from the start: whether the hardware sets these bits or traps is a choice.
 */
#include "pages.h"

enum pte_bits { PTE_V = 1, PTE_R = 2, PTE_W = 4, PTE_X = 8, PTE_U = 16, PTE_G = 32, PTE_A = 64, PTE_D = 128 };

/* Pages of one set of tables; the top ones only lead to the next. Sv32 has the first two and its aliases in LEVEL0. */
enum table { LEVEL0, SV32_ROOT, LEVEL1, SV39_ROOT, SV48_ROOT, SV57_ROOT, ALIAS_LEVEL0, TABLES };

static uint64_t table_address(bool user, enum table t)
{
	return PAGE_TABLES + (uint64_t)(user * TABLES + t) * PAGE;
}

static unsigned entry_size(const struct isa *isa)
{
	return isa->xlen / 8;
}

static void put(uint8_t *data, const struct isa *isa, uint64_t address, uint64_t entry)
{
	for (unsigned i = 0; i < entry_size(isa); i++)
		data[address - DATA + i] = (uint8_t)(entry >> (8 * i));
}

static void set_entry(uint8_t *data, const struct isa *isa, bool user, enum table t, uint64_t n, uint64_t entry)
{
	put(data, isa, table_address(user, t) + n * entry_size(isa), entry);
}

static uint64_t entry_for(uint64_t address, unsigned flags)
{
	return address >> 12 << 10 | flags;
}

uint64_t pages_alias_address(const struct isa *isa, bool user, unsigned n)
{
	if (isa->xlen == 64)
		return table_address(user, ALIAS_LEVEL0) + 8 * (uint64_t)n;
	return table_address(user, LEVEL0) + 4 * (uint64_t)((ALIAS >> 12 & 0x3ff) + n);
}

bool pages_alias_is_plain(unsigned n)
{
	return n % 2 == 0;
}

uint64_t pages_alias_entry(const struct isa *isa, struct rng *r, unsigned n)
{
	static const uint64_t pages[] = {PAGE_RW, PAGE_RW, PAGE_RO, PAGE_NONE};
	uint64_t page = pages_alias_is_plain(n) ? PAGE_RW : pages[rng_below(r, 4)];
	unsigned flags = rng_below(r, 1 << 10) | PTE_A | PTE_D;
	uint64_t entry = entry_for(page, flags);

	if (rng_chance(r, 50)) /* otherwise most would be invalid */
		entry |= PTE_V | PTE_R | PTE_W;
	if (isa->xlen == 64 && rng_chance(r, 3))
		entry |= (uint64_t)1 << (54 + rng_below(r, 10)); /* reserved */
	return entry;
}

/* The pages of the data area where they are; PAGE_M is absent and PAGE_RO read-only here too. */
static void map_data(uint8_t *data, const struct isa *isa, bool user, unsigned all)
{
	for (uint64_t at = DATA; at < DATA_END; at += PAGE) {
		unsigned flags = at == PAGE_RO	? all & ~(unsigned)(PTE_W | PTE_X)
				 : at == PAGE_M ? all & ~(unsigned)PTE_V
						: all;

		set_entry(data, isa, user, LEVEL0, (at - DATA) >> 12, entry_for(at, flags));
	}
}

static void write_tables(uint8_t *data, const struct isa *isa, bool user)
{
	unsigned all = PTE_V | PTE_R | PTE_W | PTE_X | PTE_A | PTE_D | (user ? PTE_U : 0);

	map_data(data, isa, user, all);
	if (isa->xlen == 32) {
		for (uint64_t at = TEXT; at < DATA; at += 1 << 22)
			set_entry(data, isa, user, SV32_ROOT, at >> 22, entry_for(at, all));
		set_entry(data, isa, user, SV32_ROOT, DATA >> 22, entry_for(table_address(user, LEVEL0), PTE_V));
		return;
	}
	for (uint64_t at = TEXT; at < DATA; at += 1 << 21)
		set_entry(data, isa, user, LEVEL1, at >> 21 & 0x1ff, entry_for(at, all));
	set_entry(data, isa, user, LEVEL1, DATA >> 21 & 0x1ff, entry_for(table_address(user, LEVEL0), PTE_V));
	set_entry(data, isa, user, LEVEL1, ALIAS >> 21 & 0x1ff, entry_for(table_address(user, ALIAS_LEVEL0), PTE_V));
	set_entry(data, isa, user, SV39_ROOT, TEXT >> 30, entry_for(table_address(user, LEVEL1), PTE_V));
	set_entry(data, isa, user, SV48_ROOT, 0, entry_for(table_address(user, SV39_ROOT), PTE_V));
	set_entry(data, isa, user, SV57_ROOT, 0, entry_for(table_address(user, SV48_ROOT), PTE_V));
}

void pages_data(uint8_t *data, const struct isa *isa, struct rng *r)
{
	for (int user = 0; user < 2; user++) {
		write_tables(data, isa, user);
		for (unsigned n = 0; n < ALIASES; n++)
			put(data, isa, pages_alias_address(isa, user, n), pages_alias_entry(isa, r, n));
	}
}

uint64_t pages_satp(const struct isa *isa, struct rng *r, bool user)
{
	unsigned scheme = rng_below(r, 3);

	if (isa->xlen == 32)
		return (uint64_t)1 << 31 | table_address(user, SV32_ROOT) >> 12;
	return (uint64_t)(8 + scheme) << 60 | table_address(user, (enum table)(SV39_ROOT + scheme)) >> 12;
}
