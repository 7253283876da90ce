/*
 * Exceptions taken in M-mode: cause, epc and tval of each, the status stack on entry and on mret. Fetches from
 * a misaligned address cannot happen, for every even address is aligned where C exists. Page faults are in paging_*.c,
 * misaligned atomics in atomics.c, delegated traps in delegation.c.
 */
#include "guest.h"

/* Nothing answers here on the common board: between the virtio slots and RAM. */
#define NOWHERE 0x18000000ul

static void breakpoint_and_call(void)
{
	__asm__ volatile(TRY("ebreak")::: TRY_CLOBBERS);
	check_trap_or_zero("ebreak", CAUSE_BREAKPOINT, trap.at);
	__asm__ volatile(TRY(".option push\n.option norvc\nebreak\n.option pop")::: TRY_CLOBBERS);
	check_trap_or_zero("4-byte ebreak", CAUSE_BREAKPOINT, trap.at);
	__asm__ volatile(TRY("ecall")::: TRY_CLOBBERS);
	check_trap("ecall from M", CAUSE_ECALL_M, 0);
}

static ulong call(ulong unused, ulong unused2)
{
	(void)unused;
	(void)unused2;
	__asm__ volatile(TRY("ecall")::: TRY_CLOBBERS);
	return trap.cause;
}

static ulong breakpoint(ulong unused, ulong unused2)
{
	(void)unused;
	(void)unused2;
	__asm__ volatile(TRY("ebreak")::: TRY_CLOBBERS);
	return trap.cause;
}

static void calls_by_mode(void)
{
	run_in(MODE_S, call, 0, 0);
	check_trap("ecall from S", CAUSE_ECALL_S, 0);
	check("MPP of S", trap.status & STATUS_MPP, MODE_S << STATUS_MPP_SHIFT);
	check("handled in M", trap.mode, MODE_M);
	run_in(MODE_U, call, 0, 0);
	check_trap("ecall from U", CAUSE_ECALL_U, 0);
	check("MPP of U", trap.status & STATUS_MPP, MODE_U);
	run_in(MODE_U, breakpoint, 0, 0);
	check_trap_or_zero("ebreak from U", CAUSE_BREAKPOINT, trap.at);
}

#define ACCESS(insn, address, cause)                                                                                   \
	do {                                                                                                           \
		__asm__ volatile(TRY(insn)::"r"((ulong)(address)) : "t2", "ft0", TRY_CLOBBERS);                        \
		check_trap(insn, cause, address);                                                                      \
	} while (0)

static void access_faults(void)
{
	ACCESS("lb t2, 0(%0)", NOWHERE + 3, CAUSE_LOAD_ACCESS);
	ACCESS("lhu t2, 0(%0)", NOWHERE, CAUSE_LOAD_ACCESS);
	ACCESS("lw t2, 0(%0)", NOWHERE, CAUSE_LOAD_ACCESS);
	ACCESS("flw ft0, 0(%0)", NOWHERE, CAUSE_LOAD_ACCESS);
	ACCESS("fld ft0, 0(%0)", NOWHERE, CAUSE_LOAD_ACCESS);
	ACCESS("lr.w t2, (%0)", NOWHERE, CAUSE_LOAD_ACCESS);
	ACCESS("sb x0, 0(%0)", NOWHERE + 3, CAUSE_STORE_ACCESS);
	ACCESS("sw x0, 0(%0)", NOWHERE, CAUSE_STORE_ACCESS);
	ACCESS("fsw ft0, 0(%0)", NOWHERE, CAUSE_STORE_ACCESS);
	ACCESS("fsd ft0, 0(%0)", NOWHERE, CAUSE_STORE_ACCESS);
	ACCESS("amoadd.w t2, x0, (%0)", NOWHERE, CAUSE_STORE_ACCESS);
	ACCESS("amoswap.w t2, x0, (%0)", NOWHERE, CAUSE_STORE_ACCESS);
#if XLEN == 64
	ACCESS("ld t2, 0(%0)", NOWHERE, CAUSE_LOAD_ACCESS);
	ACCESS("sd x0, 0(%0)", NOWHERE, CAUSE_STORE_ACCESS);
	ACCESS("amoor.d t2, x0, (%0)", NOWHERE, CAUSE_STORE_ACCESS);
	ACCESS("lw t2, 0(%0)", 0x8000000080000000, CAUSE_LOAD_ACCESS);
	ACCESS("sw x0, 0(%0)", -8ul, CAUSE_STORE_ACCESS);
#endif
}

/* The base and destination registers, and floating-point destinations, keep their value. */
static void faults_change_nothing(void)
{
	ulong base = NOWHERE, got = 1234;

	__asm__ volatile(TRY("lw %0, 0(%1)") : "+r"(got) : "r"(base) : TRY_CLOBBERS);
	check("destination after a fault", got, 1234);
	__asm__ volatile(TRY("lw %0, 16(%0)") : "+r"(base)::TRY_CLOBBERS);
	check("base after a fault", base, NOWHERE);
	check("tval with an offset", trap.tval, NOWHERE + 16);
	got = 0x3f800000;
	__asm__ volatile("fmv.w.x ft0, %0\n" TRY("flw ft0, 0(%1)") "fmv.x.w %0, ft0"
			 : "+r"(got)
			 : "r"(base)
			 : "ft0", TRY_CLOBBERS);
	check("floating-point destination after a fault", got, 0x3f800000);
}

/* A fetch faults at the target: the jump itself has completed, link register included. */
static void fetch_fault(void)
{
	ulong link, behind;

	__asm__ volatile(TRY("li ra, 0\n98: jalr ra, 0(%2)\n97:") "mv %0, ra\nla %1, 97b"
			 : "=&r"(link), "=&r"(behind)
			 : "r"(NOWHERE)
			 : "ra", TRY_CLOBBERS);
	check("fetch: cause", trap.cause, CAUSE_FETCH_ACCESS);
	check("fetch: epc", trap.epc, NOWHERE);
	check("fetch: tval", trap.tval, NOWHERE);
	check("fetch: link", link, behind);
}

/* Entry: MPP takes the mode, MPIE takes MIE, MIE is cleared. Exit: the reverse, and MPP becomes U. */
static void status_stack(void)
{
	ulong after;

	csr_clear(mie, -1ul);
	csr_set(mstatus, STATUS_MIE);
	csr_clear(mstatus, STATUS_MPIE);
	__asm__ volatile(TRY("ecall")::: TRY_CLOBBERS);
	after = csr_read(mstatus);
	check("entry: MPP", trap.status & STATUS_MPP, STATUS_MPP);
	check("entry: MPIE", trap.status & STATUS_MPIE, STATUS_MPIE);
	check("entry: MIE", trap.status & STATUS_MIE, 0);
	check("mret: MIE", after & STATUS_MIE, STATUS_MIE);
	check("mret: MPIE", after & STATUS_MPIE, STATUS_MPIE);
	check("mret: MPP", after & STATUS_MPP, MODE_U);
	csr_clear(mstatus, STATUS_MIE);
	__asm__ volatile(TRY("ecall")::: TRY_CLOBBERS);
	after = csr_read(mstatus);
	check("entry with MIE clear: MPIE", trap.status & STATUS_MPIE, 0);
	check("mret with MPIE clear: MIE", after & STATUS_MIE, 0);
	check("mret sets MPIE", after & STATUS_MPIE, STATUS_MPIE);
}

static ulong return_m(ulong unused, ulong unused2)
{
	(void)unused;
	(void)unused2;
	__asm__ volatile(TRY("mret")::: TRY_CLOBBERS);
	return trap.cause;
}

static ulong return_s(ulong unused, ulong unused2)
{
	(void)unused;
	(void)unused2;
	__asm__ volatile(TRY("sret")::: TRY_CLOBBERS);
	return trap.cause;
}

static void returns_need_privilege(void)
{
	run_in(MODE_S, return_m, 0, 0);
	check_illegal("mret in S");
	run_in(MODE_U, return_m, 0, 0);
	check_illegal("mret in U");
	run_in(MODE_U, return_s, 0, 0);
	check_illegal("sret in U");
}

int main(void)
{
	breakpoint_and_call();
	open_pmp();
	calls_by_mode();
	access_faults();
	faults_change_nothing();
	fetch_fault();
	status_stack();
	returns_need_privilege();
	return 0;
}
