/*
 * What reading and writing each of the core's CSRs does: WARL masks, views and side effects. Privileged specification
 * 1.12, chapters 3 and 4; Sstc 1.0; Svadu 1.0. Hart's thread. Checks of privilege are made by the caller (csr.c).
 */
#include <string.h>

#include "src/cpu/csr_internal.h"
#include "src/machine/machine_internal.h"

#define SSTATUS_MASK (MSTATUS_SIE | MSTATUS_SPIE | MSTATUS_SPP | MSTATUS_FS | MSTATUS_SUM | MSTATUS_MXR)
#define MSTATUS_WRITE                                                                                                  \
	(SSTATUS_MASK | MSTATUS_MIE | MSTATUS_MPIE | MSTATUS_MPP | MSTATUS_MPRV | MSTATUS_TVM | MSTATUS_TW |           \
	 MSTATUS_TSR)

#define S_INTERRUPTS                                                                                                   \
	(INTERRUPT_BIT(BIS_LINE_SSIP) | INTERRUPT_BIT(BIS_LINE_STIP) | INTERRUPT_BIT(BIS_LINE_SEIP) |                  \
	 INTERRUPT_BIT(BIS_LINE_NATIVE))
#define M_INTERRUPTS (INTERRUPT_BIT(BIS_LINE_MSIP) | INTERRUPT_BIT(BIS_LINE_MTIP) | INTERRUPT_BIT(BIS_LINE_MEIP))
#define MIP_WRITE    (INTERRUPT_BIT(BIS_LINE_SSIP) | INTERRUPT_BIT(BIS_LINE_STIP) | INTERRUPT_BIT(BIS_LINE_SEIP))

/* Every exception but the environment call from M-mode, which cannot come from below it. */
#define MEDELEG_WRITE UINT64_C(0xb3ff)

#define LOW32(v) ((v)&UINT32_MAX)

static uint64_t get_zero(struct bis_hart *h, unsigned address)
{
	(void)h;
	(void)address;
	return 0;
}

/* Plain registers: stored and read back as they are. */
#define PLAIN(name)                                                                                                    \
	static uint64_t get_##name(struct bis_hart *h, unsigned address)                                               \
	{                                                                                                              \
		(void)address;                                                                                         \
		return h->name;                                                                                        \
	}                                                                                                              \
	static void set_##name(struct bis_hart *h, unsigned address, uint64_t value)                                   \
	{                                                                                                              \
		(void)address;                                                                                         \
		h->name = (__typeof__(h->name))(value);                                                                \
	}

PLAIN(mscratch)
PLAIN(mcause)
PLAIN(mtval)
PLAIN(sscratch)
PLAIN(scause)
PLAIN(stval)
PLAIN(mcounteren)
PLAIN(scounteren)

/* --- Floating point: unprivileged specification, section 11.2 --- */

static uint64_t get_fflags(struct bis_hart *h, unsigned address)
{
	(void)address;
	return h->fp.flags;
}

static void set_fflags(struct bis_hart *h, unsigned address, uint64_t value)
{
	(void)address;
	h->fp.flags = value & 0x1f;
	bis_hart_fs_dirty(h);
}

static uint64_t get_frm(struct bis_hart *h, unsigned address)
{
	(void)address;
	return h->fp.rm;
}

static void set_frm(struct bis_hart *h, unsigned address, uint64_t value)
{
	(void)address;
	h->fp.rm = value & 7;
	bis_hart_fs_dirty(h);
	bis_hart_update_mode(h);
}

static uint64_t get_fcsr(struct bis_hart *h, unsigned address)
{
	(void)address;
	return (uint64_t)h->fp.rm << 5 | h->fp.flags;
}

static void set_fcsr(struct bis_hart *h, unsigned address, uint64_t value)
{
	set_fflags(h, address, value);
	set_frm(h, address, value >> 5);
}

/* --- Status --- */

/* SD summarises FS; UXL and SXL are fixed to 64 bits. */
uint64_t bis_csr_status_view(const struct bis_hart *h, bool machine)
{
	uint64_t value = 0;

	if ((h->mstatus & MSTATUS_FS) == MSTATUS_FS)
		value = UINT64_C(1) << (h->xlen - 1);
	if (h->xlen == 64)
		value |= UINT64_C(2) << 32 | (machine ? UINT64_C(2) << 34 : 0);
	return value;
}

uint64_t bis_csr_status_mask(bool machine)
{
	return machine ? MSTATUS_WRITE : SSTATUS_MASK;
}

static uint64_t get_mstatus(struct bis_hart *h, unsigned address)
{
	(void)address;
	return h->mstatus | bis_csr_status_view(h, true);
}

static void write_status(struct bis_hart *h, uint64_t value, uint64_t mask)
{
	uint64_t changed;

	if (!h->has_f)
		mask &= ~MSTATUS_FS;
	value = (h->mstatus & ~mask) | (value & mask);
	if ((value & MSTATUS_MPP) == (UINT64_C(2) << MSTATUS_MPP_SHIFT))
		value = (value & ~MSTATUS_MPP) | (h->mstatus & MSTATUS_MPP);
	changed = h->mstatus ^ value;
	h->mstatus = value;
	if (changed & MSTATUS_MXR)
		bis_tlb_flush(h);
	bis_hart_update_mode(h);
	bis_trap_poll(h);
}

static void set_mstatus(struct bis_hart *h, unsigned address, uint64_t value)
{
	(void)address;
	write_status(h, value, MSTATUS_WRITE);
}

static uint64_t get_sstatus(struct bis_hart *h, unsigned address)
{
	(void)address;
	return (h->mstatus & SSTATUS_MASK) | bis_csr_status_view(h, false);
}

static void set_sstatus(struct bis_hart *h, unsigned address, uint64_t value)
{
	(void)address;
	write_status(h, value, SSTATUS_MASK);
}

static uint64_t get_misa(struct bis_hart *h, unsigned address)
{
	(void)address;
	return h->isa.misa | (h->xlen == 64 ? UINT64_C(2) << 62 : UINT64_C(1) << 30);
}

static uint64_t get_mhartid(struct bis_hart *h, unsigned address)
{
	(void)address;
	return h->id;
}

/* --- Trap vectors and return addresses --- */

/* Modes above 1 are reserved; such a write keeps the old mode. */
static uint64_t legal_tvec(uint64_t old, uint64_t value)
{
	return value & 2 ? (value & ~UINT64_C(3)) | (old & 3) : value;
}

static uint64_t get_mtvec(struct bis_hart *h, unsigned address)
{
	(void)address;
	return h->mtvec;
}

static void set_mtvec(struct bis_hart *h, unsigned address, uint64_t value)
{
	(void)address;
	h->mtvec = legal_tvec(h->mtvec, value);
}

static uint64_t get_stvec(struct bis_hart *h, unsigned address)
{
	(void)address;
	return h->stvec;
}

static void set_stvec(struct bis_hart *h, unsigned address, uint64_t value)
{
	(void)address;
	h->stvec = legal_tvec(h->stvec, value);
}

/* Bit 0 is always zero; bit 1 reads as zero without compressed instructions. */
uint64_t bis_csr_epc_mask(const struct bis_hart *h)
{
	return ~(uint64_t)(h->isa.ialign - 1);
}

static uint64_t get_mepc(struct bis_hart *h, unsigned address)
{
	(void)address;
	return h->mepc & bis_csr_epc_mask(h);
}

static void set_mepc(struct bis_hart *h, unsigned address, uint64_t value)
{
	(void)address;
	h->mepc = value & ~UINT64_C(1);
}

static uint64_t get_sepc(struct bis_hart *h, unsigned address)
{
	(void)address;
	return h->sepc & bis_csr_epc_mask(h);
}

static void set_sepc(struct bis_hart *h, unsigned address, uint64_t value)
{
	(void)address;
	h->sepc = value & ~UINT64_C(1);
}

/* --- Delegation and interrupts --- */

static uint64_t get_medeleg(struct bis_hart *h, unsigned address)
{
	(void)address;
	return h->medeleg;
}

static void set_medeleg(struct bis_hart *h, unsigned address, uint64_t value)
{
	(void)address;
	h->medeleg = value & MEDELEG_WRITE;
}

static uint64_t get_mideleg(struct bis_hart *h, unsigned address)
{
	(void)address;
	return h->mideleg;
}

static void set_mideleg(struct bis_hart *h, unsigned address, uint64_t value)
{
	(void)address;
	h->mideleg = value & S_INTERRUPTS;
	bis_trap_poll(h);
}

static uint64_t get_mie(struct bis_hart *h, unsigned address)
{
	(void)address;
	return h->mie;
}

static void set_mie(struct bis_hart *h, unsigned address, uint64_t value)
{
	(void)address;
	h->mie = value & (S_INTERRUPTS | M_INTERRUPTS);
	bis_trap_poll(h);
}

static uint64_t get_sie(struct bis_hart *h, unsigned address)
{
	(void)address;
	return h->mie & h->mideleg;
}

static void set_sie(struct bis_hart *h, unsigned address, uint64_t value)
{
	(void)address;
	h->mie = (h->mie & ~h->mideleg) | (value & h->mideleg);
	bis_trap_poll(h);
}

static uint64_t get_mip(struct bis_hart *h, unsigned address)
{
	(void)address;
	bis_hart_update_timers(h);
	return bis_trap_mip(h);
}

void bis_csr_change_ip(struct bis_hart *h, unsigned address, uint64_t set, uint64_t clear)
{
	uint64_t mask = MIP_WRITE;

	if (address == CSR_SIP)
		mask = h->mideleg & INTERRUPT_BIT(BIS_LINE_SSIP);
	if (h->menvcfg & MENVCFG_STCE)
		mask &= ~INTERRUPT_BIT(BIS_LINE_STIP);
	bis_trap_change_mip(h, set & mask, clear & mask);
}

static void set_ip(struct bis_hart *h, unsigned address, uint64_t value)
{
	bis_csr_change_ip(h, address, value, ~value);
}

static uint64_t get_sip(struct bis_hart *h, unsigned address)
{
	return get_mip(h, address) & h->mideleg;
}

/* --- Timer (Sstc) and environment configuration --- */

static uint64_t get_stimecmp(struct bis_hart *h, unsigned address)
{
	(void)address;
	return h->xlen == 64 ? h->stimecmp : LOW32(h->stimecmp);
}

static void set_stimecmp(struct bis_hart *h, unsigned address, uint64_t value)
{
	(void)address;
	h->stimecmp = h->xlen == 64 ? value : (h->stimecmp & ~UINT64_C(0xffffffff)) | value;
	bis_hart_timer_changed(h);
}

static uint64_t get_stimecmph(struct bis_hart *h, unsigned address)
{
	(void)address;
	return h->stimecmp >> 32;
}

static void set_stimecmph(struct bis_hart *h, unsigned address, uint64_t value)
{
	(void)address;
	h->stimecmp = LOW32(h->stimecmp) | value << 32;
	bis_hart_timer_changed(h);
}

static void write_menvcfg(struct bis_hart *h, uint64_t value)
{
	uint64_t mask = MENVCFG_FIOM;

	if (h->has_sstc)
		mask |= MENVCFG_STCE;
	if (bis_isa_has(&h->isa, "svadu"))
		mask |= MENVCFG_ADUE;
	h->menvcfg = value & mask;
	h->stimer = h->menvcfg & MENVCFG_STCE;
	if (h->stimer) /* mip.STIP then shows the comparison with stimecmp alone */
		h->mip_soft &= ~INTERRUPT_BIT(BIS_LINE_STIP);
	bis_tlb_flush(h);
	bis_hart_timer_changed(h);
}

static uint64_t get_menvcfg(struct bis_hart *h, unsigned address)
{
	(void)address;
	return h->xlen == 64 ? h->menvcfg : LOW32(h->menvcfg);
}

static void set_menvcfg(struct bis_hart *h, unsigned address, uint64_t value)
{
	(void)address;
	write_menvcfg(h, h->xlen == 64 ? value : (h->menvcfg & ~UINT64_C(0xffffffff)) | value);
}

static uint64_t get_menvcfgh(struct bis_hart *h, unsigned address)
{
	(void)address;
	return h->menvcfg >> 32;
}

static void set_menvcfgh(struct bis_hart *h, unsigned address, uint64_t value)
{
	(void)address;
	write_menvcfg(h, LOW32(h->menvcfg) | value << 32);
}

static uint64_t get_senvcfg(struct bis_hart *h, unsigned address)
{
	(void)address;
	return h->senvcfg;
}

static void set_senvcfg(struct bis_hart *h, unsigned address, uint64_t value)
{
	(void)address;
	h->senvcfg = value & MENVCFG_FIOM;
}

/* --- Address translation --- */

static uint64_t get_satp(struct bis_hart *h, unsigned address)
{
	(void)address;
	return h->satp;
}

/* A write with a mode that no paging module provides has no effect at all. */
static void set_satp(struct bis_hart *h, unsigned address, uint64_t value)
{
	unsigned mode = h->xlen == 64 ? (unsigned)(value >> 60) : (unsigned)(value >> 31 & 1);
	const struct bis_paging_scheme *scheme = NULL;

	(void)address;
	if (mode) {
		scheme = bis_machine_paging(h->machine, h->xlen, mode);
		if (!scheme)
			return;
	}
	h->satp = value;
	h->paging = scheme;
	bis_tlb_flush(h);
}

/* --- Counters --- */

enum { INHIBIT_CY = 1, INHIBIT_IR = 4 };

static uint64_t get_mcountinhibit(struct bis_hart *h, unsigned address)
{
	(void)address;
	return h->mcountinhibit;
}

/* A stopped counter keeps its value in its offset; the offsets are adjusted where a counter stops or starts. */
static void set_mcountinhibit(struct bis_hart *h, unsigned address, uint64_t value)
{
	uint32_t next = value & (INHIBIT_CY | INHIBIT_IR), changed = h->mcountinhibit ^ next;
	uint64_t now = bis_hart_retired(h) + 1;

	(void)address;
	if (changed & INHIBIT_CY)
		h->mcycle_offset += next & INHIBIT_CY ? now : -now;
	if (changed & INHIBIT_IR)
		h->minstret_offset += next & INHIBIT_IR ? now : -now;
	h->mcountinhibit = next;
}

static uint64_t counter(const struct bis_hart *h, uint64_t offset, uint32_t inhibit)
{
	return offset + (h->mcountinhibit & inhibit ? 0 : bis_hart_retired(h));
}

/* A written value is what the next instruction reads: the write itself does not count. */
static uint64_t counter_offset(const struct bis_hart *h, uint64_t value, uint32_t inhibit)
{
	return value - (h->mcountinhibit & inhibit ? 0 : bis_hart_retired(h) + 1);
}

#define COUNTER(name, inhibit)                                                                                         \
	static uint64_t get_##name(struct bis_hart *h, unsigned address)                                               \
	{                                                                                                              \
		uint64_t value = counter(h, h->name##_offset, inhibit);                                                \
                                                                                                                       \
		(void)address;                                                                                         \
		return h->xlen == 64 ? value : LOW32(value);                                                           \
	}                                                                                                              \
	static uint64_t get_##name##h(struct bis_hart *h, unsigned address)                                            \
	{                                                                                                              \
		(void)address;                                                                                         \
		return counter(h, h->name##_offset, inhibit) >> 32;                                                    \
	}                                                                                                              \
	static void set_##name(struct bis_hart *h, unsigned address, uint64_t value)                                   \
	{                                                                                                              \
		uint64_t high = counter(h, h->name##_offset, inhibit) & ~UINT64_C(0xffffffff);                         \
                                                                                                                       \
		(void)address;                                                                                         \
		h->name##_offset = counter_offset(h, h->xlen == 64 ? value : high | value, inhibit);                   \
	}                                                                                                              \
	static void set_##name##h(struct bis_hart *h, unsigned address, uint64_t value)                                \
	{                                                                                                              \
		uint64_t low = LOW32(counter(h, h->name##_offset, inhibit));                                           \
                                                                                                                       \
		(void)address;                                                                                         \
		h->name##_offset = counter_offset(h, value << 32 | low, inhibit);                                      \
	}

COUNTER(mcycle, INHIBIT_CY)
COUNTER(minstret, INHIBIT_IR)

static uint64_t get_time(struct bis_hart *h, unsigned address)
{
	uint64_t ticks = bis_hart_ticks(h);

	(void)address;
	return h->xlen == 64 ? ticks : LOW32(ticks);
}

static uint64_t get_timeh(struct bis_hart *h, unsigned address)
{
	(void)address;
	return bis_hart_ticks(h) >> 32;
}

/* --- PMP: section 3.7.1 --- */

enum { PMP_LOCKED = 0x80, PMP_TOR_MODE = 0x08, PMP_MODE_MASK = 0x18, PMP_CFG_WRITE = 0x9f };

static uint64_t get_pmpcfg(struct bis_hart *h, unsigned address)
{
	unsigned first = (address - 0x3a0) * 4, count = h->xlen / 8;
	uint64_t value = 0;

	for (unsigned i = 0; i < count; i++)
		if (first + i < PMP_ENTRIES)
			value |= (uint64_t)h->pmpcfg[first + i] << (8 * i);
	return value;
}

static void set_pmpcfg(struct bis_hart *h, unsigned address, uint64_t value)
{
	unsigned first = (address - 0x3a0) * 4, count = h->xlen / 8;

	for (unsigned i = 0; i < count; i++) {
		uint8_t cfg = (uint8_t)(value >> (8 * i)) & PMP_CFG_WRITE;

		if (first + i >= PMP_ENTRIES || (h->pmpcfg[first + i] & PMP_LOCKED))
			continue;
		if ((cfg & 3) == 2) /* write without read is reserved: the entry keeps what it had */
			continue;
		h->pmpcfg[first + i] = cfg;
	}
	bis_pmp_update(h);
}

static uint64_t get_pmpaddr(struct bis_hart *h, unsigned address)
{
	unsigned i = address - 0x3b0;

	return i < PMP_ENTRIES ? h->pmpaddr[i] : 0;
}

static void set_pmpaddr(struct bis_hart *h, unsigned address, uint64_t value)
{
	unsigned i = address - 0x3b0;
	unsigned bits = h->xlen == 64 ? 54 : 32;

	if (i >= PMP_ENTRIES || (h->pmpcfg[i] & PMP_LOCKED))
		return;
	/* A locked TOR entry also locks the address below it. */
	if (i + 1 < PMP_ENTRIES && (h->pmpcfg[i + 1] & PMP_LOCKED) &&
	    (h->pmpcfg[i + 1] & PMP_MODE_MASK) == PMP_TOR_MODE)
		return;
	h->pmpaddr[i] = value & ((UINT64_C(1) << bits) - 1);
	bis_pmp_update(h);
}

/* --- The table --- */

#define SLOT(member)   (offsetof(struct bis_hart, member) / sizeof(uint64_t))
#define REST	       CSR_REST, 0
#define ASKS	       CSR_ASKS, 0
#define STATUS(member) CSR_STATUS, SLOT(member)
#define WORD(member)   CSR_WORD, SLOT(member)
#define EPC(member)    CSR_EPC, SLOT(member)

#define set_none NULL
#define CSR_RANGE(first, last, stem, from, get, set, ...)                                                              \
	{first, last, false, from, #stem, get_##get, set_##set, __VA_ARGS__},
#define CSR32_RANGE(first, last, stem, from, get, set, ...)                                                            \
	{first, last, true, from, #stem, get_##get, set_##set, __VA_ARGS__},
#define CSR(address, name, get, set, ...)   CSR_RANGE(address, address, name, 0, get, set, __VA_ARGS__)
#define CSR32(address, name, get, set, ...) CSR32_RANGE(address, address, name, 0, get, set, __VA_ARGS__)

static const struct csr_row rows[] = {
#include "src/cpu/csr.def"
};

const struct csr_row *bis_csr_core_row_at(size_t index)
{
	return index < BIS_ARRAY_SIZE(rows) ? &rows[index] : NULL;
}

const struct csr_row *bis_csr_core_row(unsigned address, unsigned xlen)
{
	size_t low = 0, high = BIS_ARRAY_SIZE(rows);

	while (low < high) {
		size_t mid = (low + high) / 2;

		if (address > rows[mid].last)
			low = mid + 1;
		else
			high = mid;
	}
	if (low == BIS_ARRAY_SIZE(rows) || address < rows[low].first || (rows[low].rv32_only && xlen != 32))
		return NULL;
	return &rows[low];
}
