/*
 * One hart walks the extensions of the SBI: what there is, console, timer, interrupt to itself, and how calls are
 * refused.
 */
#include "sbi_guest.h"

static char text[] = "debug console\n";

static void identity(ulong hart, const uint32_t *dtb)
{
	static const uint32_t present[] = {0, 1,	2,	  3,	   4,	       5,	6,	  7,
					   8, EXT_BASE, EXT_TIME, EXT_IPI, EXT_RFENCE, EXT_HSM, EXT_SRST, EXT_DBCN};
	static const uint32_t absent[] = {9, 15, 17, 0x504d55, 0x53555350, 0x4e41434c, 0x535441};

	check("hart", 0, (long)hart, 0);
	check("device tree", 0, *dtb, (long)(int32_t)0xedfe0dd0 & (long)UINT32_MAX);
	check("satp", 0, (long)csr_read(satp), 0);
	check("sstatus.SIE", 0, csr_read(sstatus) & STATUS_SIE, 0);
	check("version 2.0", 0, sbi(EXT_BASE, 0, 0, 0, 0, 0, 0).value, 2 << 24);
	check("implementation", 0, sbi(EXT_BASE, 1, 0, 0, 0, 0, 0).value, 0x426973);
	for (ulong i = 0; i < ARRAY_SIZE(present); i++)
		check("present", i, sbi(EXT_BASE, 3, present[i], 0, 0, 0, 0).value, 1);
	for (ulong i = 0; i < ARRAY_SIZE(absent); i++)
		check("absent", i, sbi(EXT_BASE, 3, absent[i], 0, 0, 0, 0).value, 0);
	for (ulong fid = 4; fid <= 6; fid++)
		check("machine ids", fid, sbi_error(EXT_BASE, fid, 0, 0, 0), 0);
}

static void refused(void)
{
	static const struct {
		uint32_t eid, fid;
	} rows[] = {{9, 0},	     {EXT_BASE, 7}, {EXT_TIME, 1}, {EXT_IPI, 1},  {EXT_RFENCE, 3},
		    {EXT_RFENCE, 7}, {EXT_HSM, 4},  {EXT_SRST, 1}, {EXT_DBCN, 3}, {0x504d55, 0}};

	for (ulong i = 0; i < ARRAY_SIZE(rows); i++)
		check("not supported", i, sbi_error(rows[i].eid, rows[i].fid, 0, 0, 0), ERR_NOT_SUPPORTED);
	check("no such hart", 0, sbi_error(EXT_HSM, HSM_START, HARTS, (ulong)secondary_start, 0), ERR_INVALID_PARAM);
	check("hart runs", 0, sbi_error(EXT_HSM, HSM_START, 0, (ulong)secondary_start, 0), ERR_ALREADY_AVAILABLE);
	check("no memory", 0, sbi_error(EXT_HSM, HSM_START, 1, 0x10, 0), ERR_INVALID_ADDRESS);
	check("suspend type", 0, sbi_error(EXT_HSM, HSM_SUSPEND, 5, 0, 0), ERR_INVALID_PARAM);
	check("reset type", 0, sbi_error(EXT_SRST, 0, 3, 0, 0), ERR_INVALID_PARAM);
	check("reset reason", 0, sbi_error(EXT_SRST, 0, 0, 2, 0), ERR_INVALID_PARAM);
	check("console address", 0, sbi_error(EXT_DBCN, DBCN_WRITE, 4, 0x1000, 0), ERR_INVALID_PARAM);
	check("console high address", 0, sbi_error(EXT_DBCN, DBCN_WRITE, 4, (ulong)text, 1), ERR_INVALID_PARAM);
	check("mask", 0, sbi_error(EXT_IPI, 0, BIT(HARTS), 0, 0), ERR_INVALID_PARAM);
	check("mask base", 0, sbi_error(EXT_RFENCE, 0, 1, HARTS, 0), ERR_INVALID_PARAM);
}

static void console(void)
{
	struct sbi_reply r = sbi(EXT_DBCN, DBCN_WRITE, sizeof(text) - 1, (ulong)text, 0, 0, 0);

	check("written", 0, r.value, sizeof(text) - 1);
	check("byte", 0, sbi_error(EXT_DBCN, DBCN_WRITE_BYTE, '>', 0, 0), 0);
	check("putchar", 0, sbi_error(1, 0, '\n', 0, 0), 0);
	check("getchar", 0, sbi_error(2, 0, 0, 0, 0), -1);
	check("read", 0, sbi(EXT_DBCN, DBCN_READ, sizeof(text), (ulong)text, 0, 0, 0).value, 0);
}

static void await(ulong irq, ulong count)
{
	csr_set(sie, BIT(irq));
	csr_set(sstatus, STATUS_SIE);
	while (traps[0].interrupts[irq] != count)
		;
	csr_clear(sstatus, STATUS_SIE);
}

static void timer(void)
{
	for (ulong i = 1; i <= 5; i++) {
		uint64_t when = time_now() + 5000;

		check("set timer", i, sbi_timer(when), 0);
		await(IRQ_STI, i);
		check("late enough", i, time_now() >= when, 1);
		check("pending", i, csr_read(sip) & BIT(IRQ_STI), BIT(IRQ_STI));
		check("cleared", i, (sbi_timer(UINT64_MAX), csr_read(sip) & BIT(IRQ_STI)), 0);
	}
	check("far away", 0, (sbi_timer(time_now() + ((uint64_t)1 << 40)), csr_read(sip) & BIT(IRQ_STI)), 0);
	/* WFI ends for it with interrupts off. */
	sbi_timer(time_now() + 5000);
	csr_set(sie, BIT(IRQ_STI));
	__asm__ volatile("wfi");
	check("woken", 0, csr_read(sip) & BIT(IRQ_STI), BIT(IRQ_STI));
	sbi_timer(UINT64_MAX);
	csr_clear(sie, BIT(IRQ_STI));
}

static void to_itself(void)
{
	static const struct {
		ulong mask, base;
	} rows[] = {{1, 0}, {0, ALL_ONES}};

	for (ulong i = 0; i < ARRAY_SIZE(rows); i++) {
		check("send", i, sbi_error(EXT_IPI, 0, rows[i].mask, rows[i].base, 0), 0);
		await(IRQ_SSI, i + 1);
		check("still pending", i, csr_read(sip) & BIT(IRQ_SSI), BIT(IRQ_SSI));
		csr_clear(sip, BIT(IRQ_SSI));
		check("cleared", i, csr_read(sip) & BIT(IRQ_SSI), 0);
	}
	sbi_error(EXT_IPI, 0, 1, 0, 0);
	check("clear_ipi", 0, sbi_error(3, 0, 0, 0, 0), 1);
	check("clear_ipi again", 0, sbi_error(3, 0, 0, 0, 0), 0);
	for (ulong fid = 0; fid < 3; fid++)
		check("fence", fid, sbi(EXT_RFENCE, fid, 1, 0, 0, ALL_ONES, 0).error, 0);
}

/* A mask that is not there is a fault of the caller. */
static void legacy_masks(void)
{
	static ulong mask = 1;

	check("send", 0, sbi_error(4, 0, (ulong)&mask, 0, 0), 0);
	check("pending", 0, csr_read(sip) & BIT(IRQ_SSI), BIT(IRQ_SSI));
	csr_clear(sip, BIT(IRQ_SSI));
	for (ulong eid = 5; eid <= 7; eid++)
		check("fence", eid, sbi_error(eid, 0, (ulong)&mask, 0, 0), 0);
	for (ulong eid = 4; eid <= 7; eid++) {
		traps[0].cause = 0;
		sbi_error(eid, 0, 0x1000, 0, 0);
		check("fault", eid, (long)traps[0].cause, CAUSE_LOAD_ACCESS);
		check("at", eid, (long)traps[0].tval, 0x1000);
	}
}

void secondary_main(ulong hart, ulong opaque)
{
	(void)hart;
	(void)opaque;
}

void sbi_main(ulong hart, const void *dtb)
{
	identity(hart, dtb);
	refused();
	console();
	timer();
	to_itself();
	legacy_masks();
	sbi_finish();
}
