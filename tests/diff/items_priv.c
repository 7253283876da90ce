/*
 * items_priv.c - privilege modes, system and illegal instructions, interrupts, the floating-point unit's state
 * (privileged specification 1.12, chapters "Machine-Level ISA" and "Supervisor-Level ISA").
 */
#include <string.h>

#include "gen.h"
#include "pages.h"

/* Causes that the S-mode handler can take; never the ecall from S-mode, by which a stretch returns to M-mode. */
#define DELEGABLE 0xb1ffu

static void csr_write(struct gen *g, unsigned csr, unsigned tmp, uint64_t value)
{
	gen_li(g, tmp, value);
	as_csrw(&g->code, csr, tmp);
}

static void csr_set(struct gen *g, unsigned csr, unsigned tmp, uint64_t bits)
{
	gen_li(g, tmp, bits);
	as_csrs(&g->code, csr, tmp);
}

static void csr_clear(struct gen *g, unsigned csr, unsigned tmp, uint64_t bits)
{
	gen_li(g, tmp, bits);
	as_csrc(&g->code, csr, tmp);
}

static void turn_paging_on(struct gen *g, unsigned tmp, bool user)
{
	csr_write(g, CSR_SATP, tmp, pages_satp(g->isa, &g->rng, user));
	as_word(&g->code, W_SFENCE_VMA);
	g->paging = true;
}

static void turn_paging_off(struct gen *g)
{
	as_csrw(&g->code, CSR_SATP, ZERO);
	as_word(&g->code, W_SFENCE_VMA);
	g->paging = false;
}

/* A software interrupt that is taken as soon as the mode and the enables allow. */
static void arm_interrupt(struct gen *g, unsigned tmp)
{
	csr_write(g, CSR_MIDELEG, tmp, rng_chance(&g->rng, 60) ? 2 : 0);
	csr_write(g, CSR_MIE, tmp, 2);
	csr_set(g, CSR_MIP, tmp, 2);
	if (rng_chance(&g->rng, 50))
		csr_set(g, CSR_MSTATUS, tmp, MSTATUS_SIE);
	g->interrupt_armed = true;
}

static void disarm_interrupt(struct gen *g, unsigned tmp)
{
	as_csrw(&g->code, CSR_MIE, ZERO);
	csr_clear(g, CSR_MIP, tmp, 2);
	g->interrupt_armed = false;
}

void gen_enter(struct gen *g, enum mode mode)
{
	unsigned a = gen_reg(g, 0);

	csr_write(g, CSR_MEDELEG, a, rng_chance(&g->rng, 70) ? rng_next(&g->rng) & DELEGABLE : 0);
	csr_write(g, CSR_MCOUNTEREN, a, rng_below(&g->rng, 8));
	csr_write(g, CSR_SCOUNTEREN, a, rng_below(&g->rng, 8));
	if (rng_chance(&g->rng, 40))
		turn_paging_on(g, a, mode == MODE_U);
	if (g->paging && mode == MODE_U) /* the S-mode handler is in pages it may not execute */
		as_csrw(&g->code, CSR_MEDELEG, ZERO);
	if (mode == MODE_S && rng_chance(&g->rng, 10)) { /* the S-mode handler could not return */
		as_csrw(&g->code, CSR_MEDELEG, ZERO);
		csr_set(g, CSR_MSTATUS, a, MSTATUS_TSR);
		g->sret_traps = true;
	} else if (!(g->paging && mode == MODE_U) && rng_chance(&g->rng, 15)) {
		arm_interrupt(g, a);
	}
	gen_drop(g, mode);
}

void gen_drop(struct gen *g, enum mode mode)
{
	unsigned a = gen_reg(g, 0);
	unsigned b = gen_reg(g, (uint32_t)1 << a);
	uint64_t la;

	gen_li(g, a, VARS);
	g->exit_la = as_here(&g->code);
	as_la(&g->code, b, g->exit_la);
	as_store(&g->code, b, a, VAR_EXIT);
	csr_clear(g, CSR_MSTATUS, a, MSTATUS_MPP);
	csr_set(g, CSR_MSTATUS, a, (uint64_t)mode << 11);
	la = as_here(&g->code);
	as_la(&g->code, b, la);
	as_csrw(&g->code, CSR_MEPC, b);
	as_word(&g->code, W_MRET);
	as_patch_la(&g->code, la, 0);
	gen_wrote(g, (uint32_t)1 << b);
	g->mode = mode;
}

void gen_leave(struct gen *g)
{
	unsigned tmp = gen_reg(g, 0);

	as_patch_la(&g->code, g->exit_la, 0);
	as_word(&g->code, W_ECALL);
	g->mode = MODE_M;
	if (g->paging)
		turn_paging_off(g);
	if (g->interrupt_armed)
		disarm_interrupt(g, tmp);
	if (g->sret_traps)
		csr_clear(g, CSR_MSTATUS, tmp, MSTATUS_TSR);
	g->sret_traps = false;
}

/* From S-mode to U-mode for the rest of the stretch; not where U-mode could execute nothing. */
void item_sret(struct gen *g)
{
	unsigned a = gen_reg(g, 0);
	uint64_t la;

	if (g->paging && !g->sret_traps)
		return;
	csr_clear(g, CSR_SSTATUS, a, MSTATUS_SPP);
	la = as_here(&g->code);
	as_la(&g->code, a, la);
	as_csrw(&g->code, CSR_SEPC, a);
	as_word(&g->code, W_SRET);
	as_patch_la(&g->code, la, 0);
	gen_wrote(g, (uint32_t)1 << a);
	if (!g->sret_traps)
		g->mode = MODE_U;
}

/* In M-mode: a software interrupt to M-mode itself. */
void item_interrupt(struct gen *g)
{
	unsigned tmp = gen_reg(g, 0);

	arm_interrupt(g, tmp);
	csr_write(g, CSR_MIDELEG, tmp, rng_chance(&g->rng, 80) ? 0 : 2);
	csr_set(g, CSR_MSTATUS, tmp, MSTATUS_MIE);
	gen_simple(g);
	csr_clear(g, CSR_MSTATUS, tmp, MSTATUS_MIE);
	disarm_interrupt(g, tmp);
}

void item_illegal(struct gen *g)
{
	uint32_t raw = table_illegal(&g->table, &g->rng);

	if ((raw & 3) == 3)
		as_word(&g->code, raw);
	else
		as_half(&g->code, raw);
	g->drawn++;
}

/* ecall, ebreak, sfence.vma; returns from traps only where they are illegal. wfi may wait or not: left out. */
void item_system(struct gen *g)
{
	for (;;) {
		const struct row *row = table_draw(&g->table, &g->rng, KIND_SYSTEM);

		if (!strcmp(row->name, "wfi") || (!strcmp(row->name, "mret") && g->mode == MODE_M) ||
		    (!strcmp(row->name, "sret") && g->mode != MODE_U))
			continue;
		gen_raw(g, row, table_encode(&g->table, row, &g->rng));
		return;
	}
}

static void emit_plain_float(struct gen *g)
{
	const struct row *row;

	do
		row = table_draw(&g->table, &g->rng, KIND_PLAIN);
	while (!table_writes_float(row));
	gen_raw(g, row, table_encode(&g->table, row, &g->rng));
}

/* With the unit off, every floating-point instruction is illegal and changes nothing. */
void item_float_off(struct gen *g)
{
	unsigned status = g->mode == MODE_M ? CSR_MSTATUS : CSR_SSTATUS;
	unsigned tmp = gen_reg(g, 0);

	csr_clear(g, status, tmp, MSTATUS_FS);
	emit_plain_float(g);
	gen_simples(g, 3);
	as_csrr(&g->code, gen_reg(g, (uint32_t)1 << tmp), CSR_FCSR);
	g->known = 0;
	csr_set(g, status, tmp, MSTATUS_FS);
}

/* From initial or clean, an instruction that writes an f register makes the state dirty. */
void item_float_state(struct gen *g)
{
	unsigned tmp = gen_reg(g, 0);
	unsigned seen = gen_reg(g, (uint32_t)1 << tmp);

	csr_clear(g, CSR_MSTATUS, tmp, MSTATUS_FS);
	csr_set(g, CSR_MSTATUS, tmp, (uint64_t)(1 + rng_below(&g->rng, 2)) << 13);
	if (rng_chance(&g->rng, 80))
		emit_plain_float(g);
	else
		as_csrw(&g->code, CSR_FFLAGS + rng_below(&g->rng, 3), ZERO);
	as_csrr(&g->code, seen, CSR_MSTATUS);
	gen_wrote(g, (uint32_t)1 << seen);
	csr_set(g, CSR_MSTATUS, tmp, MSTATUS_FS);
}

/* Loads and stores of M-mode checked as if in S-mode or U-mode. */
void item_lower_data(struct gen *g)
{
	unsigned tmp = gen_reg(g, 0);
	unsigned mode = rng_chance(&g->rng, 50) ? MODE_S : MODE_U;

	if (rng_chance(&g->rng, 50))
		turn_paging_on(g, tmp, mode == MODE_U);
	g->lower_data = true;
	for (unsigned n = 1 + rng_below(&g->rng, 4); n; n--) { /* the return from a trap changes MPP */
		csr_clear(g, CSR_MSTATUS, tmp, MSTATUS_MPP);
		csr_set(g, CSR_MSTATUS, tmp, MSTATUS_MPRV | (uint64_t)mode << 11);
		gen_memory(g);
	}
	g->lower_data = false;
	csr_clear(g, CSR_MSTATUS, tmp, MSTATUS_MPRV);
	if (g->paging)
		turn_paging_off(g);
}

/* Another page-table entry for an alias. */
void item_remap(struct gen *g)
{
	unsigned address = gen_reg(g, 0);
	unsigned entry = gen_reg(g, (uint32_t)1 << address);
	bool user = rng_chance(&g->rng, 50);
	unsigned alias = rng_below(&g->rng, ALIASES);

	gen_li(g, address, pages_alias_address(g->isa, user, alias));
	gen_li(g, entry, pages_alias_entry(g->isa, &g->rng, alias));
	as_store(&g->code, entry, address, 0);
	as_word(&g->code, W_SFENCE_VMA);
}
