/*
 * items_csr.c - accesses to control and status registers from every mode: those that exist, are read-only, need a
 * higher mode, or do not exist. Values written are ones that every implementation has to keep as they are, or to
 * ignore.
 */
#include "gen.h"

enum access {
	ANY_VALUE,   /* any form, any value: exact behaviour is specified */
	ANY_BITS,    /* any form; only bits of mask are ever written as ones */
	SET_CLEAR,   /* csrrs and csrrc of bits of mask */
	WRITE,	     /* csrrw of fixed | bits of mask */
	CAUSE,	     /* csrrw of an exception code */
	SWAP,	     /* as WRITE, then the old value again: the program itself needs the register */
	READ,	     /* reads of which the value is compared */
	READ_ZERO,   /* reads into x0: may trap, the value changes by itself */
	UNSUPPORTED, /* satp: bare, or a reserved mode, which makes the whole write void */
	FORBIDDEN,   /* csrrw always traps: read-only, or absent */
};

#define ADDRESS 0x80000000u, 0x07fffffcu

static const struct csr {
	unsigned addr;
	enum access access;
	uint64_t fixed, mask;
	unsigned weight;
} csrs[] = {
	{CSR_FFLAGS, ANY_VALUE, 0, 0, 30},
	{CSR_FRM, ANY_VALUE, 0, 0, 20},
	{CSR_FCSR, ANY_VALUE, 0, 0, 20},
	{CSR_MSTATUS, SET_CLEAR, 0,
	 MSTATUS_SIE | MSTATUS_SPIE | MSTATUS_MPIE | MSTATUS_SPP | MSTATUS_SUM | MSTATUS_MXR | MSTATUS_TVM | MSTATUS_TW,
	 20},
	{CSR_SSTATUS, SET_CLEAR, 0, MSTATUS_SIE | MSTATUS_SPIE | MSTATUS_SPP | MSTATUS_SUM | MSTATUS_MXR, 20},
	{CSR_MSCRATCH, SWAP, 0, UINT64_MAX, 8},
	{CSR_SSCRATCH, SWAP, 0, UINT64_MAX, 8},
	{CSR_MTVEC, SWAP, 0x80000000u, 0x07fff001u, 8},
	{CSR_STVEC, SWAP, 0x80000000u, 0x07fff001u, 8},
	{CSR_MEPC, WRITE, ADDRESS, 8},
	{CSR_SEPC, WRITE, ADDRESS, 8},
	{CSR_MTVAL, WRITE, ADDRESS, 8},
	{CSR_STVAL, WRITE, ADDRESS, 8},
	{CSR_MCAUSE, CAUSE, 0, 0, 8},
	{CSR_SCAUSE, CAUSE, 0, 0, 8},
	{CSR_MEDELEG, ANY_BITS, 0, 0xb1ff, 8},
	{CSR_MCOUNTEREN, ANY_BITS, 0, 7, 8},
	{CSR_SCOUNTEREN, ANY_BITS, 0, 7, 8},
	{CSR_SATP, UNSUPPORTED, 0, 0, 8},
	{CSR_PMPADDR0, WRITE, 0, UINT32_MAX, 4},     /* locked: ignored */
	{CSR_PMPADDR0 + 1, WRITE, 0, UINT32_MAX, 4}, /* locked: ignored */
	{CSR_PMPADDR0 + 9, ANY_BITS, 0, 0x3ffffc00, 4},
	{CSR_PMPADDR0 + 15, ANY_BITS, 0, 0x3ffffc00, 4},
	{CSR_MHARTID, READ, 0, 0, 4},
	{CSR_CYCLE, READ_ZERO, 0, 0, 8},
	{CSR_CYCLE + 1, READ_ZERO, 0, 0, 8},
	{CSR_CYCLE + 2, READ_ZERO, 0, 0, 8},
	{CSR_CYCLE, FORBIDDEN, 0, 0, 4},
	{CSR_CYCLE + 2, FORBIDDEN, 0, 0, 4},
	{CSR_MHARTID, FORBIDDEN, 0, 0, 4},
	{CSR_MHARTID - 3, FORBIDDEN, 0, 0, 4},
	{0x800, FORBIDDEN, 0, 0, 4}, /* custom, and none of Biscuit's own */
	{0x8ff, FORBIDDEN, 0, 0, 4},
	{0xcc0, FORBIDDEN, 0, 0, 4},
	{0x7ff, FORBIDDEN, 0, 0, 4},
};
enum { CSRS = sizeof(csrs) / sizeof(csrs[0]), CSRRW = 1, CSRRS = 2, CSRRC = 3, IMMEDIATE = 4 };

static const struct csr *choose_csr(struct gen *g)
{
	for (;;) {
		const struct csr *csr = &csrs[rng_below(&g->rng, CSRS)];

		if (rng_below(&g->rng, 30) < csr->weight)
			return csr;
	}
}

static void access_csr(struct gen *g, unsigned funct3, unsigned rd, unsigned csr, unsigned rs1)
{
	if (g->reserved >> rd & 1)
		rd = ZERO;
	as_csr(&g->code, funct3, rd, csr, rs1);
	gen_wrote(g, (uint32_t)1 << rd);
	g->drawn++;
}

/* Any of the six forms; a register operand is any register if mask is all ones, else it is loaded first. */
static void access_any(struct gen *g, const struct csr *csr, uint64_t mask)
{
	unsigned form = CSRRW + rng_below(&g->rng, 3) + (rng_chance(&g->rng, 40) ? IMMEDIATE : 0);
	unsigned rd = rng_below(&g->rng, 32);
	unsigned operand = rng_below(&g->rng, 32);

	if (form < IMMEDIATE && (g->reserved >> operand & 1))
		operand = ZERO;
	if (form > IMMEDIATE)
		operand &= (unsigned)mask;
	else if (mask != UINT64_MAX && operand)
		gen_li(g, operand, rng_next(&g->rng) & mask);
	access_csr(g, form, rd, csr->addr, operand);
}

static void write_csr(struct gen *g, const struct csr *csr, uint64_t value)
{
	unsigned reg = gen_reg(g, 0);
	unsigned old = gen_reg(g, (uint32_t)1 << reg);

	gen_li(g, reg, value);
	access_csr(g, CSRRW, csr->access == SWAP || rng_chance(&g->rng, 80) ? old : ZERO, csr->addr, reg);
	if (csr->access == SWAP)
		access_csr(g, CSRRW, reg, csr->addr, old);
}

static void set_clear_csr(struct gen *g, const struct csr *csr)
{
	unsigned reg = gen_reg(g, 0);

	gen_li(g, reg, rng_next(&g->rng) & csr->mask);
	access_csr(g, rng_chance(&g->rng, 50) ? CSRRS : CSRRC, rng_below(&g->rng, 32), csr->addr, reg);
}

static uint64_t random_cause(struct gen *g)
{
	static const unsigned codes[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 13, 15};
	static const unsigned interrupts[] = {1, 5, 9};

	if (rng_chance(&g->rng, 30))
		return (uint64_t)1 << (g->isa->xlen - 1) | interrupts[rng_below(&g->rng, 3)];
	return codes[rng_below(&g->rng, sizeof(codes) / sizeof(codes[0]))];
}

static uint64_t unsupported_satp(struct gen *g)
{
	static const unsigned reserved[] = {1, 2, 3, 4, 5, 6, 7, 11, 12, 13, 14, 15};

	if (!g->paging && (g->isa->xlen == 32 || rng_chance(&g->rng, 30)))
		return 0;
	return (uint64_t)reserved[rng_below(&g->rng, sizeof(reserved) / sizeof(reserved[0]))] << 60 |
	       rng_next(&g->rng) >> 4;
}

void item_csr(struct gen *g)
{
	const struct csr *csr = choose_csr(g);

	switch (csr->access) {
	case ANY_VALUE:
		access_any(g, csr, UINT64_MAX);
		if (csr->addr != CSR_FFLAGS && rng_chance(&g->rng, 80)) /* mostly a valid rounding mode */
			access_csr(g, CSRRW | IMMEDIATE, ZERO, CSR_FRM, rng_below(&g->rng, 5));
		break;
	case ANY_BITS:
		access_any(g, csr, csr->mask);
		break;
	case SET_CLEAR:
		set_clear_csr(g, csr);
		break;
	case WRITE:
	case SWAP:
		write_csr(g, csr, csr->fixed | (rng_next(&g->rng) & csr->mask));
		break;
	case CAUSE:
		write_csr(g, csr, random_cause(g));
		break;
	case UNSUPPORTED:
		if (g->paging && g->isa->xlen == 32) /* every value has a meaning */
			break;
		write_csr(g, csr, unsupported_satp(g));
		break;
	case READ:
		access_csr(g, CSRRS, rng_below(&g->rng, 32), csr->addr, ZERO);
		break;
	case READ_ZERO:
		access_csr(g, CSRRS, ZERO, csr->addr, ZERO);
		break;
	default:
		access_csr(g, CSRRW, rng_below(&g->rng, 32), csr->addr, rng_below(&g->rng, 32));
		break;
	}
}
