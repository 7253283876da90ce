/*
 * mstatus and sstatus (privileged specification 3.1.6): legal values, the S-mode view, TVM, TW and TSR, MPRV across
 * returns, sret, and the state of the floating-point unit (FS and SD).
 */
#include "guest.h"

static void legal_values(void)
{
	ulong old = csr_read(mstatus);

	for (ulong mode = 0; mode < 4; mode++) {
		csr_clear(mstatus, STATUS_MPP);
		csr_set(mstatus, mode << STATUS_MPP_SHIFT);
		if (mode == 2)
			check("MPP refuses the reserved mode",
			      (csr_read(mstatus) & STATUS_MPP) == 2 << STATUS_MPP_SHIFT, 0);
		else
			check("MPP takes each mode", csr_read(mstatus) & STATUS_MPP, mode << STATUS_MPP_SHIFT);
	}
	csr_write(mstatus, old);
#if XLEN == 64
	check("mstatus.UXL", csr_read(mstatus) >> 32 & 3, 2);
	check("mstatus.SXL", csr_read(mstatus) >> 34 & 3, 2);
	check("sstatus.UXL", csr_read(sstatus) >> 32 & 3, 2);
	check("sstatus has no SXL", csr_read(sstatus) >> 34 & 3, 0);
#endif
}

/* Writing ones through sstatus changes S-mode's fields alone. */
static void supervisor_view(void)
{
	ulong visible = STATUS_SIE | STATUS_SPIE | STATUS_SPP | STATUS_FS | STATUS_SUM | STATUS_MXR;
	ulong hidden = STATUS_MIE | STATUS_MPIE | STATUS_MPP | STATUS_MPRV | STATUS_TVM | STATUS_TW | STATUS_TSR;
	ulong old = csr_read(mstatus);

	csr_clear(mstatus, hidden);
	csr_write(sstatus, -1ul);
	check("sstatus reaches its fields", csr_read(mstatus) & visible, visible);
	check("sstatus reaches no other", csr_read(mstatus) & hidden, 0);
	csr_set(mstatus, STATUS_TVM | STATUS_TW | STATUS_TSR | STATUS_MPP | STATUS_MPIE);
	check("sstatus shows its fields", csr_read(sstatus) & visible, visible);
	check("sstatus shows no other", csr_read(sstatus) & hidden, 0);
	csr_write(sstatus, 0);
	check("clearing sstatus", csr_read(mstatus) & visible, 0);
	check("leaves the others", csr_read(mstatus) & STATUS_TSR, STATUS_TSR);
	csr_write(mstatus, old);
}

static ulong use_satp(ulong unused, ulong unused2)
{
	(void)unused;
	(void)unused2;
	__asm__ volatile(TRY("csrr t2, satp")::: "t2", TRY_CLOBBERS);
	return trap.cause;
}

static ulong set_satp(ulong unused, ulong unused2)
{
	(void)unused;
	(void)unused2;
	__asm__ volatile(TRY("csrw satp, x0")::: TRY_CLOBBERS);
	return trap.cause;
}

static ulong use_fence(ulong unused, ulong unused2)
{
	(void)unused;
	(void)unused2;
	__asm__ volatile(TRY("sfence.vma")::: TRY_CLOBBERS);
	return trap.cause;
}

static ulong use_wfi(ulong unused, ulong unused2)
{
	(void)unused;
	(void)unused2;
	__asm__ volatile(TRY("wfi")::: TRY_CLOBBERS);
	return trap.cause;
}

static ulong use_sret(ulong unused, ulong unused2)
{
	(void)unused;
	(void)unused2;
	__asm__ volatile(TRY("sret")::: TRY_CLOBBERS);
	return trap.cause;
}

/* Each bit makes its instructions illegal in S-mode; sfence.vma and satp are illegal in U-mode anyway. */
static void virtualization_traps(void)
{
	csr_set(mstatus, STATUS_TVM | STATUS_TSR);
	run_in(MODE_S, use_satp, 0, 0);
	check_illegal("TVM: reading satp");
	run_in(MODE_S, set_satp, 0, 0);
	check_illegal("TVM: writing satp");
	run_in(MODE_S, use_fence, 0, 0);
	check_illegal("TVM: sfence.vma");
	run_in(MODE_S, use_sret, 0, 0);
	check_illegal("TSR: sret");
	csr_clear(mstatus, STATUS_TVM | STATUS_TSR);
	check("satp without TVM", run_in(MODE_S, use_satp, 0, 0), NO_TRAP);
	check("satp write without TVM", run_in(MODE_S, set_satp, 0, 0), NO_TRAP);
	check("sfence.vma without TVM", run_in(MODE_S, use_fence, 0, 0), NO_TRAP);
	csr_clear(mie, -1ul);
	csr_set(mstatus, STATUS_TW);
	run_in(MODE_S, use_wfi, 0, 0);
	check_illegal("TW: wfi in S");
	run_in(MODE_U, use_wfi, 0, 0);
	check_illegal("TW: wfi in U");
	csr_clear(mstatus, STATUS_TW);
	run_in(MODE_U, use_fence, 0, 0);
	check_illegal("sfence.vma in U");
	run_in(MODE_U, use_satp, 0, 0);
	check_illegal("satp in U");
}

/* Leaves S-mode for U-mode; proves it by the access that only S-mode has. */
static ulong drop_to_user(ulong unused, ulong unused2)
{
	(void)unused;
	(void)unused2;
	csr_clear(sstatus, STATUS_SPP | STATUS_SIE);
	csr_set(sstatus, STATUS_SPIE);
	__asm__ volatile("la t0, 1f\ncsrw sepc, t0\nsret\n1:" ::: "t0", "memory");
	__asm__ volatile(TRY("csrr t2, sscratch")::: "t2", TRY_CLOBBERS);
	return trap.cause;
}

/* From M-mode, sret goes to S-mode when SPP says so. */
static ulong drop_to_supervisor(ulong unused, ulong unused2)
{
	ulong s_register;

	(void)unused;
	(void)unused2;
	csr_set(mstatus, STATUS_SPP | STATUS_SPIE | STATUS_MPRV);
	csr_clear(mstatus, STATUS_SIE | STATUS_MPP);
	csr_set(mstatus, MODE_S << STATUS_MPP_SHIFT);
	__asm__ volatile("la t0, 1f\ncsrw sepc, t0\nsret\n1:" ::: "t0", "memory");
	__asm__ volatile(TRY("csrr t2, sscratch")::: "t2", TRY_CLOBBERS);
	s_register = trap.cause;
	__asm__ volatile(TRY("csrr t2, mscratch")::: "t2", TRY_CLOBBERS);
	return s_register == NO_TRAP ? trap.cause : s_register;
}

static void supervisor_return(void)
{
	check("sret to U drops privilege", run_in(MODE_S, drop_to_user, 0, 0), CAUSE_ILLEGAL);
	check("sret: SIE takes SPIE", csr_read(mstatus) & STATUS_SIE, STATUS_SIE);
	check("sret: SPIE is set", csr_read(mstatus) & STATUS_SPIE, STATUS_SPIE);
	check("sret: SPP becomes U", csr_read(mstatus) & STATUS_SPP, 0);
	check("sret from M to S", run_in(MODE_M, drop_to_supervisor, 0, 0), CAUSE_ILLEGAL);
	check("sret from M: SPP becomes U", csr_read(mstatus) & STATUS_SPP, 0);
	check("sret from M clears MPRV", csr_read(mstatus) & STATUS_MPRV, 0);
	csr_clear(mstatus, STATUS_SIE);
}

static ulong nothing(ulong a, ulong b)
{
	return a + b;
}

/* mret to a lower mode clears MPRV; mret to M-mode keeps it. */
static void modify_privilege(void)
{
	csr_set(mstatus, STATUS_MPRV | STATUS_MPP);
	__asm__ volatile("la t0, 1f\ncsrw mepc, t0\nmret\n1:" ::: "t0", "memory");
	check("mret to M keeps MPRV", csr_read(mstatus) & STATUS_MPRV, STATUS_MPRV);
	csr_clear(mstatus, STATUS_MPRV);
	csr_set(mstatus, STATUS_MPP);
	csr_set(mstatus, STATUS_MPRV);
	run_in(MODE_S, nothing, 1, 2);
	check("mret to S clears MPRV", csr_read(mstatus) & STATUS_MPRV, 0);
}

static double cell = 1.0;

#define FP_OFF(insn)                                                                                                   \
	do {                                                                                                           \
		__asm__ volatile(TRY(insn)::"r"(&cell) : "t2", "memory", TRY_CLOBBERS);                                \
		check_illegal("FS off: " insn);                                                                        \
	} while (0)

/* With FS off, every instruction of F and D, compressed ones included, and each access to fcsr is illegal. */
static void unit_off(void)
{
	csr_clear(mstatus, STATUS_FS);
	FP_OFF("fadd.s ft0, ft0, ft0");
	FP_OFF("fadd.d ft0, ft0, ft0");
	FP_OFF("fmadd.d ft0, ft0, ft0, ft0");
	FP_OFF("fmv.x.w t2, ft0");
	FP_OFF("fmv.w.x ft0, x0");
	FP_OFF("feq.s t2, ft0, ft0");
	FP_OFF("fcvt.w.d t2, ft0");
	FP_OFF("fcvt.d.w ft0, x0");
	FP_OFF("fsgnj.s ft0, ft0, ft0");
	FP_OFF("fclass.d t2, ft0");
	FP_OFF(".option push\n.option norvc\nflw ft0, 0(%0)\n.option pop");
	FP_OFF(".option push\n.option norvc\nfld ft0, 0(%0)\n.option pop");
	FP_OFF("fsw ft0, 0(%0)");
	FP_OFF(".option push\n.option norvc\nfsd ft0, 0(%0)\n.option pop");
	FP_OFF("c.fldsp ft0, 0(sp)");
	FP_OFF("c.fsdsp ft0, 0(sp)");
	FP_OFF("csrr t2, fcsr");
	FP_OFF("csrr t2, frm");
	FP_OFF("csrw fflags, x0");
	check("FS stays off", csr_read(mstatus) & STATUS_FS, 0);
	check("SD is clear", csr_read(mstatus) & STATUS_SD, 0);
	csr_set(mstatus, STATUS_FS_INITIAL);
}

#define FP_DIRTIES(insn)                                                                                               \
	do {                                                                                                           \
		csr_clear(mstatus, STATUS_FS);                                                                         \
		csr_set(mstatus, STATUS_FS_CLEAN);                                                                     \
		check("SD before " insn, csr_read(mstatus) & STATUS_SD, 0);                                            \
		__asm__ volatile(insn ::"r"(&cell) : "t2", "ft0", "memory");                                           \
		check("FS after " insn, csr_read(mstatus) & STATUS_FS, STATUS_FS_DIRTY);                               \
		check("SD after " insn, csr_read(mstatus) & STATUS_SD, STATUS_SD);                                     \
		check("sstatus.SD after " insn, csr_read(sstatus) & STATUS_SD, STATUS_SD);                             \
	} while (0)

/* Whatever writes a floating-point register or fcsr leaves the unit dirty. */
static void dirty_tracking(void)
{
	csr_write(fcsr, 0);
	FP_DIRTIES("fmv.w.x ft0, x0");
	FP_DIRTIES("fcvt.d.w ft0, x0");
	FP_DIRTIES("flw ft0, 0(%0)");
	FP_DIRTIES("fld ft0, 0(%0)");
	FP_DIRTIES("fadd.s ft0, ft0, ft0");
	FP_DIRTIES("fmul.d ft0, ft0, ft0");
	FP_DIRTIES("fsgnjn.s ft0, ft0, ft0");
	FP_DIRTIES("fmin.d ft0, ft0, ft0");
	FP_DIRTIES("fsqrt.s ft0, ft0");
	FP_DIRTIES("csrw fcsr, x0");
	FP_DIRTIES("csrwi frm, 0");
	FP_DIRTIES("csrwi fflags, 0");
	FP_DIRTIES("c.fldsp ft0, 0(sp)");
	csr_clear(mstatus, STATUS_FS);
	csr_set(mstatus, STATUS_FS_INITIAL);
	check("FS takes Initial", csr_read(mstatus) & STATUS_FS, STATUS_FS_INITIAL);
}

/* Instructions that only raise a flag change fcsr as well. */
static void flags_dirty(void)
{
	ulong big = 0x7f7fffff, got;

	__asm__ volatile("fmv.w.x ft0, %0\nfmv.w.x ft1, %1" ::"r"(big), "r"(0x7f800001ul) : "ft0", "ft1");
	csr_write(fflags, 0);
	csr_clear(mstatus, STATUS_FS);
	csr_set(mstatus, STATUS_FS_CLEAN);
	__asm__ volatile("feq.s %0, ft0, ft1" : "=r"(got));
	check("FS after an invalid comparison", csr_read(mstatus) & STATUS_FS, STATUS_FS_DIRTY);
	csr_clear(mstatus, STATUS_FS);
	csr_set(mstatus, STATUS_FS_CLEAN);
	csr_write(fflags, 0);
	csr_clear(mstatus, STATUS_FS);
	csr_set(mstatus, STATUS_FS_CLEAN);
	__asm__ volatile("fcvt.w.s %0, ft0" : "=r"(got));
	check("FS after an invalid conversion", csr_read(mstatus) & STATUS_FS, STATUS_FS_DIRTY);
}

int main(void)
{
	legal_values();
	supervisor_view();
	open_pmp();
	virtualization_traps();
	supervisor_return();
	modify_privilege();
	unit_off();
	dirty_tracking();
	flags_dirty();
	return 0;
}
