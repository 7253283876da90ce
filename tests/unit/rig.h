/*
 * A real machine for tests of the core: hand-assembled guests in RAM, the control thread in the test's hands. Waiting
 * is for a condition, with a deadline that only a failure reaches.
 */
#ifndef BISCUIT_UNIT_RIG_H
#define BISCUIT_UNIT_RIG_H

#include <sched.h>
#include <time.h>

#include <biscuit/machine.h>

#include "modules/modules.h"
#include "tests/unit/asm.h"
#include "tests/unit/unit.h"

#define RIG_RAM_SIZE	UINT64_C(0x800000)
#define RIG_CODE	BIS_RAM_BASE
#define RIG_DATA	(BIS_RAM_BASE + 0x100000)
#define RIG_SPIN	(BIS_RAM_BASE + RIG_RAM_SIZE - 4096) /* holds `j .` after rig_start_paused */
#define RIG_DEADLINE_MS 60000

#define RIG_LOAD(m, pa, code) rig_write((m), (pa), (code), sizeof(code))

static inline struct bis_module *rig_add(struct bis_machine *m, const char *spec)
{
	struct bis_module *mod = NULL;

	assert_ok(bis_machine_add(m, spec, &mod));
	assert_non_null(mod);
	return mod;
}

/* A machine that knows `classes`, nothing added, on an engine (NULL: the default). */
static inline struct bis_machine *rig_create_on(const char *engine, const char *isa, unsigned harts,
						const struct bis_module_class *const *classes)
{
	struct bis_machine_config cfg = {.ram_size = RIG_RAM_SIZE,
					 .harts = harts,
					 .isa = isa,
					 .engine = engine,
					 .classes = classes,
					 .background = BIS_BACKGROUND_OFF}; /* the same translations in each run */
	struct bis_machine *m = NULL;

	assert_ok(bis_machine_create(&cfg, &m));
	return m;
}

static inline struct bis_machine *rig_create_with(const char *isa, unsigned harts,
						  const struct bis_module_class *const *classes)
{
	return rig_create_on(NULL, isa, harts, classes);
}

/* A machine with the instruction set and the standard paging schemes. */
static inline struct bis_machine *rig_create(const char *isa, unsigned harts)
{
	struct bis_machine *m = rig_create_with(isa, harts, bis_builtin_modules);

	rig_add(m, "riscv");
	rig_add(m, "sv");
	return m;
}

static inline struct bis_hart *rig_hart(struct bis_machine *m)
{
	return bis_machine_hart(m, 0);
}

static inline void rig_write(struct bis_machine *m, uint64_t pa, const void *bytes, size_t size)
{
	assert_ok(bis_mem_write(bis_machine_memory(m), (bis_gpa){pa}, bytes, size));
}

static inline void rig_set64(struct bis_machine *m, uint64_t pa, uint64_t value)
{
	assert_ok(bis_mem_store(bis_machine_memory(m), (bis_gpa){pa}, 8, value));
}

static inline void rig_set32(struct bis_machine *m, uint64_t pa, uint32_t value)
{
	assert_ok(bis_mem_store(bis_machine_memory(m), (bis_gpa){pa}, 4, value));
}

static inline uint64_t rig_get64(struct bis_machine *m, uint64_t pa)
{
	uint64_t value = 0;

	assert_ok(bis_mem_load(bis_machine_memory(m), (bis_gpa){pa}, 8, &value));
	return value;
}

static inline uint64_t rig_csr(struct bis_machine *m, unsigned number)
{
	uint64_t value = 0;

	assert_ok(bis_hart_csr_get(rig_hart(m), number, &value));
	return value;
}

static inline void rig_set_csr(struct bis_machine *m, unsigned number, uint64_t value)
{
	assert_ok(bis_hart_csr_set(rig_hart(m), number, value));
}

static inline uint64_t rig_reg(struct bis_machine *m, unsigned reg)
{
	return bis_hart_reg(rig_hart(m), reg);
}

static inline uint64_t rig_now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

/* Waits until the condition holds; fails the test at the deadline. */
#define rig_wait_for(condition)                                                                                        \
	do {                                                                                                           \
		uint64_t rig_until_ = rig_now_ms() + RIG_DEADLINE_MS;                                                  \
                                                                                                                       \
		while (!(condition)) {                                                                                 \
			if (rig_now_ms() > rig_until_)                                                                 \
				fail_msg("never became true: %s", #condition);                                         \
			sched_yield();                                                                                 \
		}                                                                                                      \
	} while (0)

/* Starts the machine and pauses it at once; every hart then stands at an endless loop of one instruction. */
static inline void rig_start_paused(struct bis_machine *m)
{
	rig_set32(m, RIG_SPIN, SPIN);
	bis_machine_set_entry(m, RIG_SPIN, 0, 0);
	assert_ok(bis_machine_start(m));
	assert_ok(bis_machine_pause(m));
}

/* Puts hart 0 at pc and runs exactly `count` instructions. */
static inline void rig_step_at(struct bis_machine *m, uint64_t pc, uint64_t count)
{
	bis_hart_set_pc(rig_hart(m), pc);
	assert_ok(bis_machine_step(m, count));
}

/* --- Page tables (Sv39, or Sv32 where harts have 32 bits), made from outside --- */

enum { PTE_V = 1, PTE_R = 2, PTE_W = 4, PTE_X = 8, PTE_U = 16, PTE_G = 32, PTE_A = 64, PTE_D = 128 };
#define PTE_RWX (PTE_V | PTE_R | PTE_W | PTE_X | PTE_A | PTE_D)

struct rig_tables {
	struct bis_machine *m;
	uint64_t root, next;	     /* physical addresses: the root table, the next free table */
	unsigned levels, bits, size; /* of a virtual address for each level; bytes of an entry */
};

static inline struct rig_tables rig_tables_at(struct bis_machine *m, uint64_t pa)
{
	bool wide = bis_hart_isa(rig_hart(m))->xlen == 64;

	return (struct rig_tables){m, pa, pa + 4096, wide ? 3 : 2, wide ? 9 : 10, wide ? 8 : 4};
}

static inline uint64_t rig_entry_at(const struct rig_tables *t, uint64_t table, uint64_t va, unsigned level)
{
	return table + (va >> (12 + t->bits * level) & ((1u << t->bits) - 1)) * t->size;
}

static inline uint64_t rig_get_entry(const struct rig_tables *t, uint64_t at)
{
	uint64_t entry = 0;

	assert_ok(bis_mem_load(bis_machine_memory(t->m), (bis_gpa){at}, t->size, &entry));
	return entry;
}

static inline void rig_set_entry(const struct rig_tables *t, uint64_t at, uint64_t pa, unsigned flags)
{
	assert_ok(bis_mem_store(bis_machine_memory(t->m), (bis_gpa){at}, t->size, pa >> 12 << 10 | flags));
}

/* Where the entry of va at `level` lies (0: a page, 1: 2 MiB); tables above are made as needed. */
static inline uint64_t rig_pte_at(struct rig_tables *t, uint64_t va, unsigned level)
{
	uint64_t table = t->root;

	for (unsigned l = t->levels - 1; l > level; l--) {
		uint64_t at = rig_entry_at(t, table, va, l), entry = rig_get_entry(t, at);

		if (!(entry & PTE_V)) {
			entry = t->next >> 12 << 10 | PTE_V;
			rig_set_entry(t, at, t->next, PTE_V);
			t->next += 4096;
		}
		table = entry >> 10 << 12;
	}
	return rig_entry_at(t, table, va, level);
}

static inline void rig_map(struct rig_tables *t, uint64_t va, uint64_t pa, unsigned level, unsigned flags)
{
	rig_set_entry(t, rig_pte_at(t, va, level), pa, flags);
}

static inline uint64_t rig_satp(const struct rig_tables *t, unsigned asid)
{
	uint64_t root = t->root >> 12;

	return t->size == 8 ? UINT64_C(8) << 60 | (uint64_t)asid << 44 | root
			    : UINT64_C(1) << 31 | (uint64_t)asid << 22 | root;
}

/* Hart 0 continues in S-mode under these tables; PMP lets it do everything. */
static inline void rig_enter_s(struct rig_tables *t)
{
	rig_set_csr(t->m, CSR_PMPADDR0, UINT64_MAX);
	rig_set_csr(t->m, CSR_PMPCFG0, 0x1f);
	rig_set_csr(t->m, CSR_SATP, rig_satp(t, 0));
	bis_hart_set_priv(rig_hart(t->m), BIS_PRIV_S);
}

#endif
