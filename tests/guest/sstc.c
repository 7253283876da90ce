/*
 * The Sstc extension: stimecmp drives STIP, menvcfg.STCE and mcounteren.TM decide who may use it, and the delegated
 * timer interrupt reaches S-mode without M-mode's help.
 */
#include "guest.h"

#define COUNTEREN_TM 2ul

static void set_stce(bool on)
{
#if XLEN == 64
	if (on)
		csr_set(menvcfg, BIT(63));
	else
		csr_clear(menvcfg, BIT(63));
#else
	if (on)
		csr_set(0x31a, BIT(31));
	else
		csr_clear(0x31a, BIT(31));
#endif
}

/* A new high half must not let an old low half fire early. */
static void stimecmp_write(uint64_t when)
{
#if XLEN == 64
	csr_write(stimecmp, when);
#else
	csr_write(stimecmp, -1ul);
	csr_write(stimecmph, when >> 32);
	csr_write(stimecmp, when);
#endif
}

static ulong pending(void)
{
	return csr_read(mip) & BIT(IRQ_STI);
}

static void comparison(void)
{
	stimecmp_write(UINT64_MAX);
	set_stce(true);
	check("nothing pending before its time", pending(), 0);
	csr_set(mip, BIT(IRQ_STI));
	check("STIP is read-only with STCE", pending(), 0);
	stimecmp_write(0);
	while (!pending())
		;
	csr_clear(mip, BIT(IRQ_STI));
	check("STIP cannot be cleared", pending(), BIT(IRQ_STI));
	stimecmp_write(UINT64_MAX);
	while (pending())
		;
	check("a later time withdraws it", pending(), 0);
	stimecmp_write(mtime_read() + 2000);
	while (!pending())
		;
	check("time has come", csr_read(time) != 0, 1);
#if XLEN == 64
	stimecmp_write(0x123456789abcdef0);
	check("stimecmp", csr_read(stimecmp), 0x123456789abcdef0);
#else
	stimecmp_write(0x123456789abcdef0);
	check("stimecmp", csr_read(stimecmp), 0x9abcdef0);
	check("stimecmph", csr_read(stimecmph), 0x12345678);
#endif
	stimecmp_write(UINT64_MAX);
}

static ulong use_stimecmp(ulong unused, ulong unused2)
{
	(void)unused;
	(void)unused2;
	__asm__ volatile(TRY("csrr t2, stimecmp")::: "t2", TRY_CLOBBERS);
	return trap.cause;
}

static void access(void)
{
	set_stce(true);
	csr_set(mcounteren, COUNTEREN_TM);
	check("S with STCE and TM", run_in(MODE_S, use_stimecmp, 0, 0), NO_TRAP);
	run_in(MODE_U, use_stimecmp, 0, 0);
	check_illegal("U never");
	csr_clear(mcounteren, COUNTEREN_TM);
	run_in(MODE_S, use_stimecmp, 0, 0);
	check_illegal("S without TM");
	check("M without TM", run_in(MODE_M, use_stimecmp, 0, 0), NO_TRAP);
	csr_set(mcounteren, COUNTEREN_TM);
	set_stce(false);
	run_in(MODE_S, use_stimecmp, 0, 0);
	check_illegal("S without STCE");
	stimecmp_write(0);
	csr_set(mip, BIT(IRQ_STI));
	check("STIP is M-mode's without STCE", pending(), BIT(IRQ_STI));
	csr_clear(mip, BIT(IRQ_STI));
	check("and can be cleared", pending(), 0);
	stimecmp_write(UINT64_MAX);
	set_stce(true);
}

static ulong arm_and_spin(ulong ticks, ulong unused)
{
	(void)unused;
#if XLEN == 64
	csr_write(stimecmp, csr_read(time) + ticks);
#else
	ulong low = csr_read(time);

	csr_write(stimecmp, -1ul);
	csr_write(stimecmph, csr_read(timeh) + (low + ticks < low));
	csr_write(stimecmp, low + ticks);
#endif
	csr_set(sie, BIT(IRQ_STI));
	csr_set(sstatus, STATUS_SIE);
	while (!irqs.count)
		;
	csr_clear(sstatus, STATUS_SIE);
	return irqs.mode[0];
}

static void delivery(void)
{
	irqs_clear();
	csr_set(mcounteren, COUNTEREN_TM);
	csr_set(mideleg, BIT(IRQ_STI));
	check("timer interrupt in S", run_in(MODE_S, arm_and_spin, 2000, 0), MODE_S);
	check("its cause", irqs.cause[0], IRQ_STI);
	check("is taken once", irqs.count, 1);
	csr_write(mideleg, 0);
	stimecmp_write(UINT64_MAX);
}

int main(void)
{
	open_pmp();
	comparison();
	access();
	delivery();
	return 0;
}
