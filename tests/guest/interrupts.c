/*
 * Interrupts: the software, timer and S-level sources, enabling by mode, priority, delegation, the S-mode views,
 * vectored tables and wfi. Conditions that a CSR write changes take effect before the next instruction; a device's line
 * is waited for.
 */
#include "guest.h"

#define S_LEVEL (BIT(IRQ_SSI) | BIT(IRQ_STI) | BIT(IRQ_SEI))
#define NEVER	UINT64_MAX

static void quiet(void)
{
	csr_clear(mstatus, STATUS_MIE | STATUS_SIE);
	csr_write(mie, 0);
	csr_clear(mip, S_LEVEL);
	csr_write(mideleg, 0);
	*clint_msip(0) = 0;
	mtimecmp_write(0, NEVER);
	while (csr_read(mip) & (BIT(IRQ_MSI) | BIT(IRQ_MTI)))
		;
	irqs_clear();
}

static void raise_msi(void)
{
	*clint_msip(0) = 1;
	while (!(csr_read(mip) & BIT(IRQ_MSI)))
		;
}

static void raise_mti(void)
{
	mtimecmp_write(0, 0);
	while (!(csr_read(mip) & BIT(IRQ_MTI)))
		;
}

static void check_only(const char *name, ulong cause, ulong mode)
{
	check(name, irqs.count, 1);
	check(name, irqs.cause[0], cause);
	check(name, irqs.mode[0], mode);
	check(name, irqs.tval[0], 0);
}

/* Raise and withdraw each source; mip's M-level bits follow the devices and cannot be written. */
static void sources(void)
{
	quiet();
	check("nothing pending", csr_read(mip) & (S_LEVEL | BIT(IRQ_MSI) | BIT(IRQ_MTI)), 0);
	csr_set(mip, BIT(IRQ_MSI) | BIT(IRQ_MTI) | BIT(IRQ_MEI));
	check("M-level bits are read-only", csr_read(mip) & (BIT(IRQ_MSI) | BIT(IRQ_MTI) | BIT(IRQ_MEI)), 0);
	raise_msi();
	csr_clear(mip, BIT(IRQ_MSI));
	check("MSIP stays", csr_read(mip) & BIT(IRQ_MSI), BIT(IRQ_MSI));
	raise_mti();
	mtimecmp_write(0, NEVER);
	while (csr_read(mip) & BIT(IRQ_MTI))
		;
	csr_set(mip, S_LEVEL);
	check("S-level bits can be set", csr_read(mip) & S_LEVEL, S_LEVEL);
	csr_clear(mip, S_LEVEL);
	check("and cleared", csr_read(mip) & S_LEVEL, 0);
	csr_write(mie, -1ul);
	check("mie has all six", csr_read(mie) & 0xaaa, 0xaaa);
	quiet();
}

/* Taken at once when the last condition comes true; epc is the instruction behind the one that made it true. */
static void enabling(void)
{
	ulong behind;

	quiet();
	raise_msi();
	csr_set(mie, BIT(IRQ_MSI));
	check("MIE clear holds it back", irqs.count, 0);
	__asm__ volatile("la %0, 1f\ncsrs mstatus, %1\n1: nop" : "=&r"(behind) : "r"(STATUS_MIE) : "memory");
	check_only("software interrupt", IRQ_MSI, MODE_M);
	check("epc", irqs.epc[0], behind);
	check("mret restores MIE", csr_read(mstatus) & STATUS_MIE, STATUS_MIE);
	irqs_clear();
	__asm__ volatile("la %0, 1f\ncsrs mie, %1\n1: nop" : "=&r"(behind) : "r"(BIT(IRQ_MSI)) : "memory");
	check_only("enabling in mie", IRQ_MSI, MODE_M);
	check("epc behind mie", irqs.epc[0], behind);
	quiet();
	csr_set(mie, BIT(IRQ_SSI));
	csr_set(mstatus, STATUS_MIE);
	__asm__ volatile("la %0, 1f\ncsrs mip, %1\n1: nop" : "=&r"(behind) : "r"(BIT(IRQ_SSI)) : "memory");
	check_only("raising in mip", IRQ_SSI, MODE_M);
	check("epc behind mip", irqs.epc[0], behind);
	quiet();
}

/* All at once: software, timer, then S-level external, software, timer. */
static void priority(void)
{
	static const ulong order[] = {IRQ_MSI, IRQ_MTI, IRQ_SEI, IRQ_SSI, IRQ_STI};

	quiet();
	raise_msi();
	raise_mti();
	csr_set(mip, S_LEVEL);
	csr_set(mie, -1ul);
	csr_set(mstatus, STATUS_MIE);
	csr_clear(mstatus, STATUS_MIE);
	check("all are taken", irqs.count, ARRAY_SIZE(order));
	for (ulong i = 0; i < ARRAY_SIZE(order); i++)
		check_row("order", i, irqs.cause[i], order[i]);
	quiet();
}

/* The timer interrupts a loop that touches no CSR. */
static void preemption(void)
{
	quiet();
	csr_set(mie, BIT(IRQ_MTI));
	csr_set(mstatus, STATUS_MIE);
	mtimecmp_write(0, mtime_read() + 2000);
	while (!irqs.count)
		;
	check_only("timer in a loop", IRQ_MTI, MODE_M);
	check("mtime has passed mtimecmp", csr_read(mip) & BIT(IRQ_MTI), BIT(IRQ_MTI));
	quiet();
}

static ulong spin(ulong a, ulong b)
{
	while (!irqs.count)
		;
	return a + b;
}

static ulong nothing(ulong a, ulong b)
{
	return a + b;
}

/* M-level interrupts are always enabled in S-mode and U-mode, whatever MIE says. */
static void lower_modes(void)
{
	for (enum guest_mode mode = MODE_U; mode <= MODE_S; mode++) {
		quiet();
		csr_clear(mstatus, STATUS_MPIE);
		csr_set(mie, BIT(IRQ_MTI));
		mtimecmp_write(0, mtime_read() + 2000);
		run_in(mode, spin, 0, 0);
		check_only("timer below M-mode", IRQ_MTI, MODE_M);
		quiet();
		raise_msi();
		csr_clear(mstatus, STATUS_MPIE);
		csr_set(mie, BIT(IRQ_MSI));
		run_in(mode, nothing, 0, 0);
		check_only("already pending", IRQ_MSI, MODE_M);
		check("before the first instruction", irqs.epc[0], (ulong)nothing);
	}
	quiet();
}

static ulong set_sie(ulong sources, ulong unused)
{
	(void)unused;
	csr_set(sie, sources);
	csr_set(sstatus, STATUS_SIE);
	csr_clear(sstatus, STATUS_SIE);
	return irqs.count;
}

/* A delegated interrupt waits for SIE in S-mode, is always taken in U-mode and never in M-mode. */
static void delegation(void)
{
	static const ulong order[] = {IRQ_SEI, IRQ_SSI, IRQ_STI};

	quiet();
	csr_write(mideleg, S_LEVEL);
	check("mideleg takes the S level", csr_read(mideleg) & S_LEVEL, S_LEVEL);
	csr_set(mip, S_LEVEL);
	csr_set(mie, S_LEVEL);
	csr_set(mstatus, STATUS_MIE | STATUS_SIE);
	check("never taken in M", irqs.count, 0);
	csr_clear(mstatus, STATUS_MIE | STATUS_SIE);
	run_in(MODE_S, nothing, 0, 0);
	check("SIE clear holds it back", irqs.count, 0);
	run_in(MODE_S, set_sie, S_LEVEL, 0);
	check("all are taken in S", irqs.count, 3);
	for (ulong i = 0; i < ARRAY_SIZE(order); i++) {
		check_row("order in S", i, irqs.cause[i], order[i]);
		check_row("mode", i, irqs.mode[i], MODE_S);
	}
	irqs_clear();
	csr_set(mie, BIT(IRQ_SSI));
	csr_clear(mstatus, STATUS_SIE);
	run_in(MODE_U, nothing, 0, 0);
	check_only("taken in U whatever SIE says", IRQ_SSI, MODE_S);
	check("epc in U", irqs.epc[0], (ulong)nothing);
	quiet();
	csr_set(mip, BIT(IRQ_SSI));
	csr_set(mie, BIT(IRQ_SSI));
	run_in(MODE_S, nothing, 0, 0);
	check_only("not delegated: taken in M", IRQ_SSI, MODE_M);
	quiet();
}

/* An M-level interrupt goes before any delegated one. */
static void machine_first(void)
{
	quiet();
	csr_write(mideleg, S_LEVEL);
	csr_set(mip, S_LEVEL);
	raise_mti();
	csr_set(mie, S_LEVEL | BIT(IRQ_MTI));
	run_in(MODE_U, nothing, 0, 0);
	check("all are taken", irqs.count, 4);
	check("M level first", irqs.cause[0], IRQ_MTI);
	check("in M", irqs.mode[0], MODE_M);
	check("then S level", irqs.cause[1], IRQ_SEI);
	check("in S", irqs.mode[1], MODE_S);
	quiet();
}

static ulong read_sip(ulong set, ulong clear)
{
	csr_set(sip, set);
	csr_clear(sip, clear);
	return csr_read(sip);
}

static ulong read_sie(ulong set, ulong clear)
{
	csr_set(sie, set);
	csr_clear(sie, clear);
	return csr_read(sie);
}

/* sip and sie show and change only what is delegated; of sip, only SSIP can be written. */
static void supervisor_views(void)
{
	quiet();
	csr_set(mip, S_LEVEL);
	csr_write(mie, 0xaaa);
	check("sip of nothing delegated", run_in(MODE_M, read_sip, 0, 0), 0);
	check("sie of nothing delegated", run_in(MODE_M, read_sie, 0, 0), 0);
	csr_write(mie, 0);
	csr_clear(mip, S_LEVEL);
	csr_write(mideleg, S_LEVEL);
	check("sip write", run_in(MODE_S, read_sip, -1ul, 0), BIT(IRQ_SSI));
	check("mip after it", csr_read(mip) & 0xaaa, BIT(IRQ_SSI));
	csr_set(mip, S_LEVEL);
	check("sip clear", run_in(MODE_S, read_sip, 0, -1ul), BIT(IRQ_STI) | BIT(IRQ_SEI));
	check("sie write", run_in(MODE_S, read_sie, -1ul, 0) & 0xaaa, S_LEVEL);
	check("mie after it", csr_read(mie) & 0xaaa, S_LEVEL);
	quiet();
	csr_write(mideleg, BIT(IRQ_SSI));
	csr_set(mip, S_LEVEL);
	check("sip of a part", run_in(MODE_M, read_sip, 0, 0), BIT(IRQ_SSI));
	check("sie write of a part", run_in(MODE_M, read_sie, -1ul, 0), BIT(IRQ_SSI));
	quiet();
}

/* Entry n notes n + 1 in the tval register, which is 0 otherwise, and goes on to the handler. */
void vectors_m(void);
void vectors_s(void);
__asm__(".macro vectors name, tval, handler\n"
	".balign 256\n.globl \\name\n\\name:\n.option push\n.option norvc\n"
	".set number, 0\n"
	".rept 12\nj 1f + (8 * number)\n.set number, number + 1\n.endr\n"
	"1: .set number, 0\n"
	".rept 12\ncsrwi \\tval, number + 1\nj \\handler\n.set number, number + 1\n.endr\n"
	".option pop\n.endm\n"
	"vectors vectors_m, mtval, trap_m_entry\n"
	"vectors vectors_s, stval, trap_s_entry\n");

static void vectored(void)
{
	quiet();
	csr_write(mtvec, (ulong)vectors_m | 1);
	csr_write(stvec, (ulong)vectors_s | 1);
	raise_msi();
	raise_mti();
	csr_write(mideleg, BIT(IRQ_SEI) | BIT(IRQ_SSI));
	csr_set(mip, S_LEVEL);
	csr_set(mie, 0xaaa);
	run_in(MODE_U, nothing, 0, 0);
	check("all are taken", irqs.count, 5);
	for (ulong i = 0; i < irqs.count; i++)
		check_row("entry of the table", i, irqs.tval[i], irqs.cause[i] + 1);
	check("two of them in S", irqs.mode[3] == MODE_S && irqs.mode[4] == MODE_S, 1);
	csr_write(mtvec, (ulong)trap_m_entry);
	csr_write(stvec, (ulong)trap_s_entry);
	quiet();
}

static ulong wait_in_s(ulong a, ulong b)
{
	__asm__ volatile("wfi" ::: "memory");
	return a + b;
}

/* wfi ends when an enabled interrupt is pending, taken or not. */
static void waiting(void)
{
	quiet();
	csr_set(mie, BIT(IRQ_MTI));
	mtimecmp_write(0, mtime_read() + 2000);
	__asm__ volatile("wfi" ::: "memory");
	check("wfi with MIE clear takes nothing", irqs.count, 0);
	raise_msi();
	csr_set(mie, BIT(IRQ_MSI));
	__asm__ volatile("wfi" ::: "memory");
	check("wfi with one pending goes on", irqs.count, 0);
	quiet();
	timer_period = 2000;
	csr_set(mie, BIT(IRQ_MTI));
	csr_set(mstatus, STATUS_MIE);
	mtimecmp_write(0, mtime_read() + 2000);
	__asm__ volatile("wfi" ::: "memory");
	check("wfi with MIE set", irqs.count > 0, 1);
	check("was ended by the timer", irqs.cause[0], IRQ_MTI);
	quiet();
	csr_set(mie, BIT(IRQ_MTI));
	mtimecmp_write(0, mtime_read() + 2000);
	check("wfi in S", run_in(MODE_S, wait_in_s, 1, 2), 3);
	check("was ended by the timer", irqs.count > 0 && irqs.cause[0] == IRQ_MTI, 1);
	timer_period = 0;
	quiet();
}

/* wfi in S-mode with a delegated interrupt pending and SIE clear ends without a trap. */
static void waiting_delegated(void)
{
	quiet();
	csr_write(mideleg, S_LEVEL);
	csr_set(mip, BIT(IRQ_SSI));
	csr_set(mie, BIT(IRQ_SSI));
	check("wfi in S with SIE clear", run_in(MODE_S, wait_in_s, 3, 4), 7);
	check("takes nothing", irqs.count, 0);
	quiet();
}

int main(void)
{
	open_pmp();
	sources();
	enabling();
	priority();
	preemption();
	lower_modes();
	delegation();
	machine_first();
	supervisor_views();
	vectored();
	waiting();
	waiting_delegated();
	return 0;
}
