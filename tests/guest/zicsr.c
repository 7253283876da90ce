/*
 * The CSR instructions and the access rules of CSR addresses (privileged specification section 2.1), and registers
 * whose fields accept only legal values.
 */
#include "guest.h"

#define TRY_CSR(insn) __asm__ volatile(TRY(insn)::: "t2", TRY_CLOBBERS)

/*
 * What an instruction gives of a CSR and what it leaves in it. The operand is in a register of its own ("r"), in the
 * result's ("0"), or part of the instruction ("i").
 */
#define CHECK_CSR(insn, csr, place, operand, old, new)                                                                 \
	do {                                                                                                           \
		ulong given;                                                                                           \
		__asm__ volatile(insn " %0, " #csr ", %1" : "=&r"(given) : place((ulong)(operand)) : "memory");        \
		check(insn " of " #csr ", " place ": old", given, old);                                                \
		check(insn " of " #csr ", " place ": new", csr_read(csr), new);                                        \
	} while (0)

static void operations(void)
{
	csr_write(mscratch, -1ul);
	check("all bits of a register", csr_read(mscratch), -1ul);
	csr_write(mscratch, 0x1234);
	CHECK_CSR("csrrw", mscratch, "r", 0x5678, 0x1234, 0x5678);
	CHECK_CSR("csrrs", mscratch, "r", 0x8001, 0x5678, 0xd679);
	CHECK_CSR("csrrc", mscratch, "r", 0x0f0f, 0xd679, 0xd070);
	CHECK_CSR("csrrwi", mscratch, "i", 31, 0xd070, 31);
	CHECK_CSR("csrrsi", mscratch, "i", 16, 31, 31);
	CHECK_CSR("csrrci", mscratch, "i", 21, 31, 10);
	CHECK_CSR("csrrw", mscratch, "0", 99, 10, 99);
	__asm__ volatile("csrrw x0, mscratch, x0");
	check("csrrw of x0", csr_read(mscratch), 0);
}

/* Reading is allowed where only writing is not; csrrs and csrrc write unless rs1 is x0, whatever its value. */
static void read_only(void)
{
	TRY_CSR("csrr t2, mhartid");
	check_no_trap("csrr of a read-only register");
	TRY_CSR("csrrs t2, mhartid, x0");
	check_no_trap("csrrs with x0");
	TRY_CSR("csrrci t2, mhartid, 0");
	check_no_trap("csrrci with 0");
	TRY_CSR("csrrw x0, mhartid, x0");
	check_illegal("csrrw");
	TRY_CSR("csrrwi x0, mhartid, 0");
	check_illegal("csrrwi");
	TRY_CSR("li t2, 0\n98: csrrs x0, mhartid, t2");
	check("csrrs with a zero register: cause", trap.cause, CAUSE_ILLEGAL);
	TRY_CSR("csrrsi t2, mhartid, 1");
	check_illegal("csrrsi with 1");
	TRY_CSR("csrrw t2, cycle, x0");
	check_illegal("csrrw of cycle");
}

/* A refused access leaves rd alone. */
static void refused_keeps_rd(void)
{
	ulong got;

	__asm__ volatile(TRY("li %0, 5\n csrrw %0, 0xc00, x0") : "=&r"(got)::TRY_CLOBBERS);
	check("rd of a refused csrrw", got, 5);
}

static void missing(void)
{
	TRY_CSR("csrr t2, 0x1ff");
	check_illegal("csr 0x1ff");
	TRY_CSR("csrr t2, 0x4ff");
	check_illegal("csr 0x4ff");
	TRY_CSR("csrr t2, 0x7bf");
	check_illegal("csr 0x7bf");
	TRY_CSR("csrr t2, 0xfff");
	check_illegal("csr 0xfff");
#if XLEN == 64
	TRY_CSR("csrr t2, 0xc80");
	check_illegal("cycleh on rv64");
	TRY_CSR("csrr t2, 0x310");
	check_illegal("mstatush on rv64");
	TRY_CSR("csrr t2, 0x31a");
	check_illegal("menvcfgh on rv64");
	TRY_CSR("csrr t2, 0x3a1");
	check_illegal("pmpcfg1 on rv64");
#else
	TRY_CSR("csrr t2, 0x310");
	check_no_trap("mstatush on rv32");
	TRY_CSR("csrr t2, 0x31a");
	check_no_trap("menvcfgh on rv32");
	TRY_CSR("csrr t2, 0x3a1");
	check_no_trap("pmpcfg1 on rv32");
#endif
}

static ulong touch_s(ulong unused, ulong unused2)
{
	(void)unused;
	(void)unused2;
	__asm__ volatile(TRY("csrw sscratch, x0")::: TRY_CLOBBERS);
	return trap.cause;
}

static ulong touch_m(ulong unused, ulong unused2)
{
	(void)unused;
	(void)unused2;
	__asm__ volatile(TRY("csrr t2, mscratch")::: "t2", TRY_CLOBBERS);
	return trap.cause;
}

static ulong touch_fcsr(ulong unused, ulong unused2)
{
	(void)unused;
	(void)unused2;
	__asm__ volatile(TRY("csrr t2, fcsr")::: "t2", TRY_CLOBBERS);
	return trap.cause;
}

static void privilege(void)
{
	check("sscratch from S", run_in(MODE_S, touch_s, 0, 0), NO_TRAP);
	run_in(MODE_U, touch_s, 0, 0);
	check_illegal("sscratch from U");
	run_in(MODE_S, touch_m, 0, 0);
	check_illegal("mscratch from S");
	run_in(MODE_U, touch_m, 0, 0);
	check_illegal("mscratch from U");
	check("fcsr from U", run_in(MODE_U, touch_fcsr, 0, 0), NO_TRAP);
}

/* The same instructions in each mode in turn, in M also where its loads and stores are those of S. */
static void privilege_in_turn(void)
{
	for (ulong i = 0; i < 10; i++) {
		check("mscratch from M", touch_m(0, 0), NO_TRAP);
		csr_clear(mstatus, STATUS_MPP);
		csr_set(mstatus, MODE_S << STATUS_MPP_SHIFT | STATUS_MPRV);
		touch_m(0, 0);
		csr_clear(mstatus, STATUS_MPRV);
		check_no_trap("mscratch from M, MPRV");
		csr_set(mstatus, STATUS_SUM);
		run_in(MODE_S, touch_m, 0, 0);
		check_illegal("mscratch from S, SUM");
		csr_clear(mstatus, STATUS_SUM);
		run_in(MODE_S, touch_m, 0, 0);
		check_illegal("mscratch from S, again");
		check("sscratch from S, again", run_in(MODE_S, touch_s, 0, 0), NO_TRAP);
		run_in(MODE_U, touch_s, 0, 0);
		check_illegal("sscratch from U, again");
	}
}

/* What sepc and the status registers give and take, with the result in the operand's register. */
static void views(void)
{
	ulong v, bits = STATUS_SIE | STATUS_MIE, before;

	csr_write(sepc, 0x80000ff7);
	CHECK_CSR("csrrw", sepc, "0", 0x12345679, 0x80000ff6, 0x12345678);
	CHECK_CSR("csrrs", sepc, "0", 0x7, 0x12345678, 0x1234567e);
	CHECK_CSR("csrrc", sepc, "0", 0xe, 0x1234567e, 0x12345670);
	__asm__ volatile("csrrsi x0, sepc, 3" ::: "memory");
	check("csrrsi of sepc", csr_read(sepc), 0x12345672);
	csr_write(mie, 0);
	csr_set(mstatus, bits);
	before = csr_read(mstatus);
	__asm__ volatile("csrrci %0, sstatus, 31" : "=r"(v)::"memory");
	check("csrrci of sstatus: old", v & bits, STATUS_SIE);
	check("csrrci of sstatus: new", csr_read(mstatus), before & ~STATUS_SIE);
	__asm__ volatile("csrrci %0, mstatus, 31" : "=r"(v)::"memory");
	check("csrrci of mstatus: old", v, before & ~STATUS_SIE);
	check("csrrci of mstatus: new", csr_read(mstatus), before & ~bits);
	__asm__ volatile("csrrsi %0, mstatus, 10" : "=r"(v)::"memory");
	check("csrrsi of mstatus: old", v, before & ~bits);
	check("csrrsi of mstatus: new", csr_read(mstatus), before);
	csr_clear(mstatus, bits);
	for (ulong fs = 0; fs < 4; fs++) {
		csr_clear(mstatus, STATUS_FS);
		csr_set(mstatus, fs << 13);
		check_row("sstatus.SD of FS", fs, (csr_read(sstatus) & STATUS_SD) != 0, fs == 3);
		check_row("mstatus.SD of FS", fs, (csr_read(mstatus) & STATUS_SD) != 0, fs == 3);
	}
}

static void identity(void)
{
	ulong misa = csr_read(misa);

	check("mhartid", csr_read(mhartid), 0);
	if (misa) {
		check("misa.MXL", misa >> (XLEN - 2), XLEN / 32);
		check("misa has A C D F I M S U", misa & 0x14112d, 0x14112d);
	}
	csr_read(mvendorid);
	csr_read(marchid);
	csr_read(mimpid);
	TRY_CSR("csrr t2, mconfigptr");
	check_no_trap("mconfigptr");
}

static void floating_point_state(void)
{
	csr_write(fcsr, -1ul);
	check("fcsr has 8 bits", csr_read(fcsr), 0xff);
	check("frm of fcsr", csr_read(frm), 7);
	check("fflags of fcsr", csr_read(fflags), 31);
	csr_write(frm, 0xf2);
	check("frm has 3 bits", csr_read(frm), 2);
	csr_write(fflags, 0xe4);
	check("fflags has 5 bits", csr_read(fflags), 4);
	check("fcsr of both", csr_read(fcsr), 0x44);
	csr_write(fcsr, 0);
}

/* Trap registers: what they must hold and what they must not. */
static void trap_registers(void)
{
	ulong old = csr_read(mtvec);

	csr_write(mepc, -1ul);
	check("mepc bit 0 is zero", csr_read(mepc) & 1, 0);
	csr_write(sepc, -1ul);
	check("sepc bit 0 is zero", csr_read(sepc) & 1, 0);
	csr_write(mepc, 0x80001236);
	check("mepc with a 16-bit boundary", csr_read(mepc), 0x80001236);
	csr_write(mtvec, 0x80001000);
	check("mtvec direct", csr_read(mtvec), 0x80001000);
	csr_write(mtvec, 0x80001001);
	check("mtvec vectored", csr_read(mtvec), 0x80001001);
	csr_write(mtvec, 0x80001002);
	check("mtvec reserved mode is refused", csr_read(mtvec) & 2, 0);
	csr_write(mtvec, old);
	csr_write(medeleg, -1ul);
	check("medeleg has no environment call from M", csr_read(medeleg) & BIT(CAUSE_ECALL_M), 0);
	csr_write(medeleg, 0);
	check("medeleg can be cleared", csr_read(medeleg), 0);
	csr_write(mcause, IRQ_FLAG | IRQ_MTI);
	check("mcause holds an interrupt", csr_read(mcause), IRQ_FLAG | IRQ_MTI);
	csr_write(scause, CAUSE_STORE_PAGE);
	check("scause holds an exception", csr_read(scause), CAUSE_STORE_PAGE);
	csr_write(mtval, -1ul);
	check("mtval is writable", csr_read(mtval), -1ul);
	csr_write(stval, XMIN);
	check("stval is writable", csr_read(stval), XMIN);
}

/* satp ignores a write of a mode that does not exist, as a whole. */
static void address_translation(void)
{
#if XLEN == 64
	csr_write(satp, 0x8000000000012345);
	check("satp takes Sv39", csr_read(satp), 0x8000000000012345);
	csr_write(satp, 0x700000000000fffful);
	check("satp refuses mode 7", csr_read(satp), 0x8000000000012345);
	csr_write(satp, 0xb00000000000fffful);
	check("satp refuses mode 11", csr_read(satp), 0x8000000000012345);
#else
	csr_write(satp, 0x80012345);
	check("satp takes Sv32", csr_read(satp), 0x80012345);
#endif
	csr_write(satp, 0);
	check("satp takes Bare", csr_read(satp), 0);
}

int main(void)
{
	ulong mscratch = csr_read(mscratch);

	operations();
	csr_write(mscratch, mscratch);
	read_only();
	refused_keeps_rd();
	missing();
	open_pmp();
	privilege();
	privilege_in_turn();
	views();
	identity();
	floating_point_state();
	trap_registers();
	address_translation();
	return 0;
}
