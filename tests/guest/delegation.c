/*
 * Delegation of exceptions to S-mode through medeleg: who handles, with which registers, and what M-mode keeps.
 * Delegated interrupts are in interrupts.c, delegated page faults in the paging programs.
 */
#include "guest.h"

#define NOWHERE 0x18000000ul

enum probe { PROBE_CALL, PROBE_BREAK, PROBE_ILLEGAL, PROBE_LOAD, PROBE_STORE, PROBE_FETCH };

static ulong provoke(ulong probe, ulong unused)
{
	(void)unused;
	switch (probe) {
	case PROBE_CALL:
		__asm__ volatile(TRY("ecall")::: TRY_CLOBBERS);
		break;
	case PROBE_BREAK:
		__asm__ volatile(TRY("ebreak")::: TRY_CLOBBERS);
		break;
	case PROBE_ILLEGAL:
		__asm__ volatile(TRY("csrr t2, mscratch")::: "t2", TRY_CLOBBERS);
		break;
	case PROBE_LOAD:
		__asm__ volatile(TRY("lw t2, 4(%0)")::"r"(NOWHERE) : "t2", TRY_CLOBBERS);
		break;
	case PROBE_STORE:
		__asm__ volatile(TRY("sw x0, 8(%0)")::"r"(NOWHERE) : TRY_CLOBBERS);
		break;
	case PROBE_FETCH:
		__asm__ volatile(TRY("jr %0")::"r"(NOWHERE) : TRY_CLOBBERS);
		trap.at = NOWHERE;
		break;
	}
	return trap.cause;
}

static const struct {
	enum probe probe;
	ulong cause_u, cause_s;
} probes[] = {
	{PROBE_CALL, CAUSE_ECALL_U, CAUSE_ECALL_S},
	{PROBE_BREAK, CAUSE_BREAKPOINT, CAUSE_BREAKPOINT},
	{PROBE_ILLEGAL, CAUSE_ILLEGAL, CAUSE_ILLEGAL},
	{PROBE_LOAD, CAUSE_LOAD_ACCESS, CAUSE_LOAD_ACCESS},
	{PROBE_STORE, CAUSE_STORE_ACCESS, CAUSE_STORE_ACCESS},
	{PROBE_FETCH, CAUSE_FETCH_ACCESS, CAUSE_FETCH_ACCESS},
};

static ulong want_tval(enum probe probe)
{
	switch (probe) {
	case PROBE_BREAK:
		return trap.tval ? trap.at : 0;
	case PROBE_ILLEGAL:
		return *(const uint16_t *)trap.at | (ulong) * (const uint16_t *)(trap.at + 2) << 16;
	case PROBE_LOAD:
		return NOWHERE + 4;
	case PROBE_STORE:
		return NOWHERE + 8;
	case PROBE_FETCH:
		return NOWHERE;
	default:
		return 0;
	}
}

static void one(ulong row, enum guest_mode mode, bool delegated)
{
	ulong cause = mode == MODE_U ? probes[row].cause_u : probes[row].cause_s;

	csr_write(medeleg, delegated ? BIT(cause) : ~BIT(cause) & 0xf7ff & ~(ulong)(BIT(8) | BIT(9)));
	run_in(mode, provoke, probes[row].probe, 0);
	check_row("handler's mode", row, trap.mode, delegated ? MODE_S : MODE_M);
	check_row("cause", row, trap.cause, cause);
	check_row("epc", row, trap.epc, trap.at);
	check_row("tval", row, trap.tval, want_tval(probes[row].probe));
	if (delegated)
		check_row("SPP", row, trap.status & STATUS_SPP, mode == MODE_S ? STATUS_SPP : 0);
	else
		check_row("MPP", row, trap.status & STATUS_MPP, (ulong)mode << STATUS_MPP_SHIFT);
	csr_write(medeleg, 0);
}

/* Each cause alone delegated, then everything but it. */
static void each_cause(void)
{
	for (ulong row = 0; row < ARRAY_SIZE(probes); row++) {
		one(row, MODE_U, true);
		one(row, MODE_S, true);
		one(row, MODE_U, false);
		one(row, MODE_S, false);
	}
}

/* A trap never goes to a mode with less privilege than where it happens. */
static void machine_mode_keeps_its_traps(void)
{
	csr_write(medeleg, -1ul);
	__asm__ volatile(TRY("ebreak")::: TRY_CLOBBERS);
	check("ebreak in M: mode", trap.mode, MODE_M);
	check_trap_or_zero("ebreak in M", CAUSE_BREAKPOINT, trap.at);
	__asm__ volatile(TRY("csrw mhartid, x0")::: TRY_CLOBBERS);
	check("illegal in M: mode", trap.mode, MODE_M);
	__asm__ volatile(TRY("lw t2, 0(%0)")::"r"(NOWHERE) : "t2", TRY_CLOBBERS);
	check("load fault in M: mode", trap.mode, MODE_M);
	__asm__ volatile(TRY("ecall")::: TRY_CLOBBERS);
	check("ecall in M: mode", trap.mode, MODE_M);
	check_trap("ecall in M", CAUSE_ECALL_M, 0);
	csr_write(medeleg, 0);
}

static ulong status_seen(ulong set, ulong clear)
{
	csr_set(sstatus, set);
	csr_clear(sstatus, clear);
	__asm__ volatile(TRY("ebreak")::: TRY_CLOBBERS);
	return csr_read(sstatus);
}

/* Entry to S-mode moves SIE to SPIE; sret moves it back. */
static void status_stack(void)
{
	ulong after;

	csr_write(medeleg, BIT(CAUSE_BREAKPOINT));
	csr_clear(mie, -1ul);
	after = run_in(MODE_S, status_seen, STATUS_SIE, STATUS_SPIE);
	check("entry: SPIE takes SIE", trap.status & STATUS_SPIE, STATUS_SPIE);
	check("entry: SIE is cleared", trap.status & STATUS_SIE, 0);
	check("entry: SPP", trap.status & STATUS_SPP, STATUS_SPP);
	check("sret: SIE", after & STATUS_SIE, STATUS_SIE);
	check("sret: SPIE", after & STATUS_SPIE, STATUS_SPIE);
	check("sret: SPP", after & STATUS_SPP, 0);
	after = run_in(MODE_S, status_seen, STATUS_SPIE, STATUS_SIE);
	check("entry: SPIE takes a clear SIE", trap.status & STATUS_SPIE, 0);
	check("sret: SIE stays clear", after & STATUS_SIE, 0);
	csr_write(medeleg, 0);
}

/* A delegated trap leaves M-mode's registers alone; read while the harness is about to leave S-mode. */
static ulong trapped_in_s(ulong unused, ulong unused2)
{
	(void)unused;
	(void)unused2;
	__asm__ volatile(TRY("ebreak")::: TRY_CLOBBERS);
	return trap.mode;
}

static void machine_registers_survive(void)
{
	csr_write(medeleg, BIT(CAUSE_BREAKPOINT));
	csr_write(mtval, 0x5a5a);
	csr_write(scause, 0);
	check("breakpoint went to S", run_in(MODE_S, trapped_in_s, 0, 0), MODE_S);
	check("scause", csr_read(scause), CAUSE_BREAKPOINT);
	check("mcause is that of the call that left S", csr_read(mcause), CAUSE_ECALL_S);
	csr_write(scause, 7);
	csr_write(sepc, 0x1234);
	csr_write(medeleg, 0);
	check("breakpoint went to M", run_in(MODE_S, trapped_in_s, 0, 0), MODE_M);
	check("scause after a trap to M", csr_read(scause), 7);
	check("sepc after a trap to M", csr_read(sepc), 0x1234);
}

/* With stvec in vectored mode an exception still goes to its base. */
static void vectored_base(void)
{
	csr_set(stvec, 1);
	check("stvec takes vectored mode", csr_read(stvec), (ulong)trap_s_entry | 1);
	csr_write(medeleg, BIT(CAUSE_BREAKPOINT));
	check("breakpoint reaches the base", run_in(MODE_S, trapped_in_s, 0, 0), MODE_S);
	csr_write(medeleg, 0);
	csr_write(stvec, (ulong)trap_s_entry);
}

int main(void)
{
	open_pmp();
	each_cause();
	machine_mode_keeps_its_traps();
	status_stack();
	machine_registers_survive();
	vectored_base();
	return 0;
}
