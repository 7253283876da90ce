/*
 * A reboot through the SBI starts everything again: the first life starts every hart, asks for interrupts and resets
 * the machine; the second, which finds its mark in memory, sees none of that.
 */
#include "sbi_guest.h"

#define MARK ((volatile uint32_t *)0x80010000ul) /* below the program and the device tree: a reset keeps it */
enum { FIRST_LIFE = 0x11fe0001, SECOND_LIFE = 0x11fe0002 };

static void first_life(void)
{
	for (ulong h = 1; h < HARTS; h++)
		check("start", h, sbi_error(EXT_HSM, HSM_START, h, (ulong)secondary_start, 0), 0);
	sbi_timer(0);
	sbi_error(EXT_IPI, 0, 0, ALL_ONES, 0);
	csr_set(sie, BIT(IRQ_STI) | BIT(IRQ_SSI));
	csr_write(sscratch, 5);
	*MARK = *MARK == FIRST_LIFE ? SECOND_LIFE : FIRST_LIFE;
	sbi(EXT_SRST, 0, *MARK == FIRST_LIFE ? 1 : 2, 0, 0, 0, 0);
	check("reset returned", 0, 0, 1);
	sbi_finish();
}

void secondary_main(ulong hart, ulong opaque)
{
	(void)hart;
	(void)opaque;
}

/* A cold reboot, a warm one, then the end. */
void sbi_main(ulong hart, const void *dtb)
{
	(void)dtb;
	check("hart", 0, (long)hart, 0);
	for (ulong h = 1; h < HARTS; h++)
		check("stopped", h, sbi(EXT_HSM, HSM_STATUS, h, 0, 0, 0, 0).value, STOPPED);
	check("pending", 0, csr_read(sip) & (BIT(IRQ_STI) | BIT(IRQ_SSI)), 0);
	check("enabled", 0, (long)csr_read(sie), 0);
	check("satp", 0, (long)csr_read(satp), 0);
	if (*MARK != SECOND_LIFE)
		first_life();
	sbi_finish();
}
