/*
 * Translators of the system instructions: Zicsr, environment calls, and the privileged instructions (unprivileged
 * specification, chapter "Zicsr" and section 2.8; privileged specification, sections 3.3 and 4.2). Each is a helper
 * call into the hart, which does the checks. Called on a hart's thread; no state.
 */
#include <biscuit/hart.h>

#include "translate.h"

enum { LEAVES = BIS_CALL_TRAPS | BIS_CALL_ENDS | BIS_CALL_SEES_COUNT };

/* CSR instruction fields of a raw instruction. */
static unsigned csr_number(uint64_t raw)
{
	return (unsigned)(raw >> 20) & 0xfff;
}

static unsigned field_rd(uint64_t raw)
{
	return (unsigned)(raw >> 7) & 31;
}

static unsigned field_rs1(uint64_t raw)
{
	return (unsigned)(raw >> 15) & 31;
}

static enum bis_csr_op csr_op(uint64_t raw)
{
	switch (raw >> 12 & 3) {
	case 1:
		return field_rd(raw) ? BIS_CSR_SWAP : BIS_CSR_WRITE;
	case 2:
		return field_rs1(raw) ? BIS_CSR_SET : BIS_CSR_READ;
	default:
		return field_rs1(raw) ? BIS_CSR_CLEAR : BIS_CSR_READ;
	}
}

static void csr_insn(struct bis_ir *t, const struct bis_insn *i, struct bis_val value)
{
	bis_ir_csr(t, csr_number(i->raw), csr_op(i->raw), bis_rv_xd(i->rd), value, i->raw);
}

void bis_rv_csrrw(struct bis_ir *t, const struct bis_insn *i)
{
	csr_insn(t, i, bis_rv_x(i->rs1));
}

void bis_rv_csrrs(struct bis_ir *t, const struct bis_insn *i)
{
	csr_insn(t, i, bis_rv_x(i->rs1));
}

void bis_rv_csrrc(struct bis_ir *t, const struct bis_insn *i)
{
	csr_insn(t, i, bis_rv_x(i->rs1));
}

void bis_rv_csrrwi(struct bis_ir *t, const struct bis_insn *i)
{
	csr_insn(t, i, bis_const(i->rs1));
}

void bis_rv_csrrsi(struct bis_ir *t, const struct bis_insn *i)
{
	csr_insn(t, i, bis_const(i->rs1));
}

void bis_rv_csrrci(struct bis_ir *t, const struct bis_insn *i)
{
	csr_insn(t, i, bis_const(i->rs1));
}

static uint64_t ecall(struct bis_hart *h, uint64_t a, uint64_t b, uint64_t raw)
{
	(void)a;
	(void)b;
	(void)raw;
	bis_hart_ecall(h);
	return 0;
}

static uint64_t ebreak(struct bis_hart *h, uint64_t a, uint64_t b, uint64_t raw)
{
	(void)a;
	(void)b;
	(void)raw;
	bis_hart_ebreak(h);
	return 0;
}

static uint64_t mret(struct bis_hart *h, uint64_t a, uint64_t b, uint64_t raw)
{
	(void)a;
	(void)b;
	bis_hart_mret(h, (uint32_t)raw);
	return 0;
}

static uint64_t sret(struct bis_hart *h, uint64_t a, uint64_t b, uint64_t raw)
{
	(void)a;
	(void)b;
	bis_hart_sret(h, (uint32_t)raw);
	return 0;
}

static uint64_t wfi(struct bis_hart *h, uint64_t a, uint64_t b, uint64_t raw)
{
	(void)a;
	(void)b;
	bis_hart_wfi(h, (uint32_t)raw);
	return 0;
}

static uint64_t sfence_vma(struct bis_hart *h, uint64_t va, uint64_t asid, uint64_t raw)
{
	bool has_asid = (raw >> 20 & 31) != 0;

	bis_hart_sfence_vma(h, field_rs1(raw) != 0, va, has_asid, asid, (uint32_t)raw);
	return 0;
}

static void call(struct bis_ir *t, const struct bis_insn *i, const struct bis_helper *helper)
{
	bis_ir_call(t, helper, BIS_DISCARD, bis_rv_x(i->rs1), bis_rv_x(i->rs2), i->raw);
}

void bis_rv_ecall(struct bis_ir *t, const struct bis_insn *i)
{
	static const struct bis_helper helper = {"ecall", ecall, LEAVES};

	call(t, i, &helper);
}

void bis_rv_ebreak(struct bis_ir *t, const struct bis_insn *i)
{
	static const struct bis_helper helper = {"ebreak", ebreak, LEAVES};

	call(t, i, &helper);
}

void bis_rv_mret(struct bis_ir *t, const struct bis_insn *i)
{
	static const struct bis_helper helper = {"mret", mret, LEAVES};

	call(t, i, &helper);
}

void bis_rv_sret(struct bis_ir *t, const struct bis_insn *i)
{
	static const struct bis_helper helper = {"sret", sret, LEAVES};

	call(t, i, &helper);
}

void bis_rv_wfi(struct bis_ir *t, const struct bis_insn *i)
{
	static const struct bis_helper helper = {"wfi", wfi, LEAVES};

	call(t, i, &helper);
}

void bis_rv_sfence_vma(struct bis_ir *t, const struct bis_insn *i)
{
	static const struct bis_helper helper = {"sfence.vma", sfence_vma, LEAVES};

	call(t, i, &helper);
}
