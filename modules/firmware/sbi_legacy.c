/*
 * SBI: the legacy extensions 0 to 8 (SBI 2.0 chapter 5) as far as they differ from what replaced them: harts are named
 * by a bit set in the guest's virtual memory. Runs on the thread of the hart that calls.
 */
#include "modules/firmware/sbi.h"

enum { SSTATUS_SIE = 1 << 1, SSTATUS_SPIE = 1 << 5, SSTATUS_SPP = 1 << 8, SIP_SSIP = 1 << BIS_LINE_SSIP };

/* The call itself faults at `va`: the trap to S-mode that a load there would take. */
static void fault(struct sbi_call *c, uint64_t va)
{
	struct bis_hart *h = c->hart;
	uint64_t status = bis_sbi_csr(h, CSR_SSTATUS), entry = bis_sbi_csr(h, CSR_STVEC);
	bis_gpa pa;

	bis_sbi_set_csr(h, CSR_SEPC, bis_hart_pc(h));
	bis_sbi_set_csr(h, CSR_SCAUSE, bis_hart_translate(h, va, &pa) ? BIS_CAUSE_LOAD_PAGE : BIS_CAUSE_LOAD_ACCESS);
	bis_sbi_set_csr(h, CSR_STVAL, va);
	status = status & SSTATUS_SIE ? status | SSTATUS_SPIE : status & ~(uint64_t)SSTATUS_SPIE;
	bis_sbi_set_csr(h, CSR_SSTATUS, (status & ~(uint64_t)SSTATUS_SIE) | SSTATUS_SPP);
	bis_hart_set_pc(h, entry & ~UINT64_C(3));
	c->flow = SBI_LEAVES;
}

/* The harts of the bit set at virtual address a0; a null pointer names all. False if `*error` is to be returned. */
static bool listed_harts(struct sbi_call *c, uint64_t *out, int64_t *error)
{
	uint64_t all = (UINT64_C(1) << c->sbi->harts) - 1;
	bis_le64 word = {{0}};

	*error = SBI_SUCCESS;
	*out = all;
	if (c->arg[0] == 0)
		return true;
	if (bis_hart_read_virtual(c->hart, c->arg[0], &word, c->ones == UINT32_MAX ? 4 : 8)) {
		fault(c, c->arg[0]);
		return false;
	}
	*out = bis_le64_get(word);
	*error = *out & ~all ? SBI_ERR_INVALID_PARAM : SBI_SUCCESS;
	return !*error;
}

/* Positive if there was one. */
int64_t bis_sbi_clear_ipi(struct sbi_call *c)
{
	bool pending = bis_sbi_csr(c->hart, CSR_SIP) & SIP_SSIP;

	bis_sbi_set_csr(c->hart, CSR_SIP, 0);
	return pending;
}

int64_t bis_sbi_legacy_send_ipi(struct sbi_call *c)
{
	uint64_t harts;
	int64_t error;

	if (listed_harts(c, &harts, &error))
		bis_sbi_interrupt(c->sbi, harts);
	return error;
}

int64_t bis_sbi_legacy_remote_fence(struct sbi_call *c)
{
	uint64_t harts;
	int64_t error;

	if (listed_harts(c, &harts, &error))
		bis_hart_fence_others(c->hart, harts);
	return error;
}

int64_t bis_sbi_shutdown(struct sbi_call *c)
{
	bis_machine_request_stop(c->sbi->machine, BIS_STOP_POWER_OFF, 0);
	c->flow = SBI_REPEATS;
	return SBI_SUCCESS;
}
