/*
 * The state of a hart as a field table, for snapshots; what can be computed from it is left out. Harts parked.
 */
#include "src/cpu/csr_internal.h"
#include "src/cpu/hart_internal.h"
#include "src/machine/machine_internal.h"
#include "src/machine/snapshot_internal.h"
#include "src/translate/block_internal.h"

#define FIELD(member, kind, help)	   BIS_FIELD(struct bis_hart, member, kind, BIS_FIELD_HEX, help)
#define FIELDS(member, kind, count_, help) BIS_FIELD_ARRAY(struct bis_hart, member, kind, count_, BIS_FIELD_HEX, help)

const struct bis_field bis_hart_fields[] = {
	FIELDS(slots, U64, BIS_IR_MAX_GUEST_SLOTS, "guest registers"),
	FIELD(pc, U64, "program counter"),
	FIELD(priv, U8, "privilege"),
	FIELD(sleeping, BOOL, "waits for an interrupt"),
	FIELD(retired, U64, "instructions retired"),
	FIELD(fp.flags, U8, "accrued floating-point exceptions"),
	FIELD(fp.rm, U8, "rounding mode"),
	FIELD(res_addr, U64, "reservation: address"),
	FIELD(res_value, U64, "reservation: value read"),
	FIELD(res_size, U8, "reservation: size"),
	FIELD(mstatus, U64, "mstatus"),
	FIELD(medeleg, U64, "medeleg"),
	FIELD(mideleg, U64, "mideleg"),
	FIELD(mie, U64, "mie"),
	FIELD(mtvec, U64, "mtvec"),
	FIELD(mscratch, U64, "mscratch"),
	FIELD(mepc, U64, "mepc"),
	FIELD(mcause, U64, "mcause"),
	FIELD(mtval, U64, "mtval"),
	FIELD(menvcfg, U64, "menvcfg"),
	FIELD(stvec, U64, "stvec"),
	FIELD(sscratch, U64, "sscratch"),
	FIELD(sepc, U64, "sepc"),
	FIELD(scause, U64, "scause"),
	FIELD(stval, U64, "stval"),
	FIELD(satp, U64, "satp"),
	FIELD(senvcfg, U64, "senvcfg"),
	FIELD(stimecmp, U64, "stimecmp"),
	FIELD(stimer, BOOL, "stimecmp drives STIP"),
	FIELD(mip_soft, U64, "bits of mip that software set"),
	FIELD(mcounteren, U32, "mcounteren"),
	FIELD(scounteren, U32, "scounteren"),
	FIELD(mcountinhibit, U32, "mcountinhibit"),
	FIELD(mcycle_offset, U64, "mcycle less instructions retired"),
	FIELD(minstret_offset, U64, "minstret less instructions retired"),
	FIELDS(pmpaddr, U64, PMP_ENTRIES, "pmpaddr registers"),
	FIELDS(pmpcfg, U8, PMP_ENTRIES, "pmpcfg bytes"),
	FIELD(lines, U64, "interrupt inputs"),
	FIELD(mtimecmp, U64, "machine timer compare value"),
	FIELD(halted, BOOL, "executes nothing until launched"),
	FIELD(launching, BOOL, "a launch is to be carried out"),
	FIELD(launch.pc, U64, "where a launch begins"),
	FIELD(launch.a1, U64, "its argument"),
	FIELD(launch.priv, U8, "its privilege"),
	FIELD(virtual_base, U64, "virtual clock: time less that of instructions"),
	BIS_FIELD_END,
};

_Static_assert(sizeof(bool) == sizeof(_Atomic bool) && sizeof(uint64_t) == sizeof(_Atomic uint64_t),
	       "fields are copied as plain bytes");

static uint8_t legal_priv(uint8_t priv)
{
	return priv == BIS_PRIV_M || priv == BIS_PRIV_S ? priv : BIS_PRIV_U;
}

/* Values that no instruction could have left behind become some that one could: the rest of the hart relies on it. */
static void make_legal(struct bis_hart *h)
{
	uint64_t *const of_xlen[] = {&h->mtvec, &h->mscratch, &h->mepc,	     &h->mcause,   &h->mtval, &h->stvec,
				     &h->sepc,	&h->sscratch, &h->scause,    &h->stval,	   &h->satp,  &h->senvcfg,
				     &h->mie,	&h->mideleg,  &h->launch.pc, &h->launch.a1};

	for (size_t i = 0; i < 32; i++)
		h->slots[i] &= h->xmask;
	for (size_t i = 0; i < BIS_ARRAY_SIZE(of_xlen); i++)
		*of_xlen[i] &= h->xmask;
	h->slots[0] = 0;
	h->pc &= h->xmask & ~UINT64_C(1);
	h->mepc &= ~UINT64_C(1);
	h->sepc &= ~UINT64_C(1);
	h->launch.pc &= ~UINT64_C(1);
	h->mtvec &= ~UINT64_C(2);
	h->stvec &= ~UINT64_C(2);
	h->mstatus &= bis_csr_status_mask(true);
	if (!h->has_f)
		h->mstatus &= ~MSTATUS_FS;
	if ((h->mstatus & MSTATUS_MPP) == UINT64_C(2) << MSTATUS_MPP_SHIFT)
		h->mstatus &= ~MSTATUS_MPP;
	h->priv = legal_priv(h->priv);
	h->launch.priv = legal_priv(h->launch.priv);
	h->fp.rm &= 7;
	h->fp.flags &= 0x1f;
}

void bis_hart_restored(struct bis_hart *h)
{
	unsigned mode;

	make_legal(h);
	mode = h->xlen == 64 ? (unsigned)(h->satp >> 60) : (unsigned)(h->satp >> 31 & 1);
	h->next_pc = h->pc;
	h->exception = h->passing = false;
	h->paging = mode ? bis_machine_paging(h->machine, h->xlen, mode) : NULL;
	atomic_store(&h->retired_public, h->retired);
	bis_pmp_update(h);
	bis_tlb_flush(h);
	bis_block_cache_flush(h->cache);
	bis_hart_update_mode(h);
	bis_hart_request(h, REQ_IRQ);
}
