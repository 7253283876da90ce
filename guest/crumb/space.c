/*
 * Page tables: Sv39 on rv64, Sv32 on rv32 (privileged specification 1.12, sections 4.3 and 4.4).
 *
 * Both are the same tree with different numbers: a table is one page of entries; an entry at level 0 maps a page; one
 * above it leads to a table, or maps a large page. The kernel's half of the root table is the same in every space: it
 * points at tables that are made once, in space_init(), and shared.
 */
#include "space.h"
#include "kernel.h"
#include "layout.h"
#include "pages.h"
#include <riscv.h>
#include <string.h>

#if __riscv_xlen == 64
#define LEVELS	   3
#define INDEX_BITS 9
#define SATP_MODE  (8UL << 60)
#else
#define LEVELS	   2
#define INDEX_BITS 10
#define SATP_MODE  (1UL << 31)
#endif

#define ENTRIES	   (1U << INDEX_BITS)
#define LARGE_PAGE (PAGE_SIZE << INDEX_BITS)

typedef unsigned long pte;

struct space kernel_space;
static uintptr_t next_device = DEVICES_BASE;

static unsigned index_at(uintptr_t va, int level)
{
	return (unsigned)(va >> (12 + INDEX_BITS * level)) & (ENTRIES - 1);
}

static bool is_leaf(pte entry)
{
	return entry & (PTE_R | PTE_W | PTE_X);
}

static void *entry_target(pte entry)
{
	return (void *)((entry >> 10) << 12);
}

/* Accessed and dirty are set from the start, so a hart never has to. */
static pte make_entry(const void *target, unsigned long bits)
{
	return ((pte)target >> 12) << 10 | PTE_V | bits;
}

/* The entry for `va` at `level`, or NULL when its table is missing (and, with `create`, memory is full). */
static pte *find_entry(struct space *space, uintptr_t va, int level, bool create)
{
	pte *table = space->root;

	for (int at = LEVELS - 1; at > level; at--) {
		pte *entry = &table[index_at(va, at)];

		if (!(*entry & PTE_V)) {
			void *next = create ? page_alloc() : NULL;

			if (!next)
				return NULL;
			*entry = make_entry(next, 0);
			space->tables++;
		}
		table = entry_target(*entry);
	}
	return &table[index_at(va, level)];
}

/* Maps kernel memory; at level 1 a large page. Only used while booting, where full memory is the end. */
static void map_kernel(uintptr_t va, uintptr_t pa, int level, unsigned long permissions)
{
	pte *entry = find_entry(&kernel_space, va, level, true);

	if (!entry)
		panic("no memory for the kernel's page tables");
	*entry = make_entry((void *)pa, permissions | PTE_G | PTE_A | PTE_D);
}

/* All RAM, at its own address. What shares a large page with the kernel's code is mapped in small pages, so that code
 * can be executed and not written, and everything else the other way round. */
static void map_ram(unsigned long ram)
{
	uintptr_t end = RAM_BASE + ram;
	uintptr_t small_end = ROUND_UP((uintptr_t)__rodata_end, LARGE_PAGE);

	for (uintptr_t at = RAM_BASE; at < end; at += at < small_end ? PAGE_SIZE : LARGE_PAGE) {
		if (at < (uintptr_t)__text_end)
			map_kernel(at, at, 0, PTE_R | PTE_X);
		else if (at < (uintptr_t)__rodata_end)
			map_kernel(at, at, 0, PTE_R);
		else
			map_kernel(at, at, at < small_end ? 0 : 1, PTE_R | PTE_W);
	}
}

void space_init(unsigned long ram)
{
	kernel_space = (struct space){.root = page_alloc(), .tables = 1};
	if (!kernel_space.root)
		panic("%lu KiB of memory are too few", ram / 1024);
	map_ram(ram);
	/* The tables of both windows exist before any space copies the root, so later mappings show up in all. */
	for (uintptr_t va = DEVICES_BASE; va < WINDOW_BASE + WINDOW_SIZE; va += LARGE_PAGE)
		find_entry(&kernel_space, va, 0, true);
	space_activate(&kernel_space);
}

volatile void *device_map(uintptr_t pa, size_t size)
{
	uintptr_t offset = pa % PAGE_SIZE;
	size_t span = ROUND_UP(offset + size, PAGE_SIZE);
	uintptr_t va = next_device;

	if (span < size || span > DEVICES_BASE + DEVICES_SIZE - va)
		return NULL;
	for (size_t at = 0; at < span; at += PAGE_SIZE)
		map_kernel(va + at, pa - offset + at, 0, PTE_R | PTE_W);
	next_device += span;
	__asm__ volatile("sfence.vma" : : : "memory");
	return (volatile void *)(va + offset);
}

const void *window_map(uint64_t pa, size_t size)
{
	if (size > WINDOW_SIZE || pa > UINTPTR_MAX || size > UINTPTR_MAX - pa)
		return NULL;
	for (size_t at = 0; at < WINDOW_SIZE; at += PAGE_SIZE) {
		pte *entry = find_entry(&kernel_space, WINDOW_BASE + at, 0, false);

		*entry = at < size ? make_entry((void *)((uintptr_t)pa + at), PTE_R | PTE_G | PTE_A | PTE_D) : 0;
	}
	__asm__ volatile("sfence.vma" : : : "memory");
	return (const void *)WINDOW_BASE;
}

bool space_create(struct space *space)
{
	unsigned kernel_half = index_at(KERNEL_BASE, LEVELS - 1);

	*space = (struct space){.root = page_alloc(), .tables = 1};
	if (!space->root)
		return false;
	memcpy(&space->root[kernel_half], &kernel_space.root[kernel_half], (ENTRIES - kernel_half) * sizeof(pte));
	return true;
}

/* Frees what the first `entries` entries of a table lead to. */
static void free_entries(pte *table, unsigned entries)
{
	for (unsigned i = 0; i < entries; i++) {
		if (!(table[i] & PTE_V))
			continue;
		if (!is_leaf(table[i]))
			free_entries(entry_target(table[i]), ENTRIES);
		page_free(entry_target(table[i]));
	}
}

void space_destroy(struct space *space)
{
	free_entries(space->root, index_at(KERNEL_BASE, LEVELS - 1));
	page_free(space->root);
	*space = (struct space){0};
}

void space_activate(const struct space *space)
{
	csr_write(satp, SATP_MODE | (uintptr_t)space->root / PAGE_SIZE);
	__asm__ volatile("sfence.vma" : : : "memory");
}

void *space_add_page(struct space *space, uintptr_t va, unsigned long permissions)
{
	pte *entry = find_entry(space, va, 0, true);

	if (!entry)
		return NULL;
	if (!(*entry & PTE_V)) {
		void *page = page_alloc();

		if (!page)
			return NULL;
		*entry = make_entry(page, PTE_U | PTE_A | PTE_D);
		space->user_pages++;
	}
	*entry |= permissions;
	return entry_target(*entry);
}

/* The kernel address of user address `va`, or NULL when the user may not access it in this way. */
static char *user_byte(const struct space *space, uintptr_t va, unsigned long permission)
{
	pte *entry;

	if (va >= KERNEL_BASE)
		return NULL;
	entry = find_entry((struct space *)(uintptr_t)space, va, 0, false);
	if (!entry || (*entry & (PTE_V | PTE_U | permission)) != (PTE_V | PTE_U | permission))
		return NULL;
	return (char *)entry_target(*entry) + va % PAGE_SIZE;
}

/* How much of `len` bytes at `va` lies in one page. */
static size_t part_in_page(uintptr_t va, size_t len)
{
	size_t rest = PAGE_SIZE - va % PAGE_SIZE;

	return len < rest ? len : rest;
}

bool space_copy_out(const struct space *space, uintptr_t va, const void *from, size_t len)
{
	for (size_t part; len; va += part, from = (const char *)from + part, len -= part) {
		char *to = user_byte(space, va, PTE_W);

		if (!to)
			return false;
		part = part_in_page(va, len);
		memcpy(to, from, part);
	}
	return true;
}

bool space_copy_in(const struct space *space, void *to, uintptr_t va, size_t len)
{
	for (size_t part; len; va += part, to = (char *)to + part, len -= part) {
		char *from = user_byte(space, va, PTE_R);

		if (!from)
			return false;
		part = part_in_page(va, len);
		memcpy(to, from, part);
	}
	return true;
}
