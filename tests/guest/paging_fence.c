/*
 * sfence.vma with an address reaches every piece of the superpage that holds it (privileged specification, section
 * 4.2.1), and with another address leaves a small page's new mapping to be found all the same.
 */
#include "pagetable.h"

static ulong read_word(ulong va, ulong unused)
{
	ulong got = 0;

	(void)unused;
	__asm__ volatile(TRY("lw %0, 0(%1)") : "+r"(got) : "r"(va) : TRY_CLOBBERS);
	return got;
}

int main(void)
{
	ulong first = 0x82000000, second = 0x82400000, *entry;

	open_pmp();
	*(volatile uint32_t *)(first + 0x5000) = 0x1111;
	*(volatile uint32_t *)(second + 0x5000) = 0x2222;
	pt_switch(pt_begin(&paging_modes[0]));
	entry = pt_map(TEST_VA, first, 1, PTE_RWX);
	check("a piece of a superpage", run_in(MODE_S, read_word, TEST_VA + 0x5000, 0), 0x1111);
	*entry = pt_number(second) | PTE_RWX;
	__asm__ volatile("sfence.vma %0, zero" ::"r"(TEST_VA) : "memory");
	check("after a fence for its first byte", run_in(MODE_S, read_word, TEST_VA + 0x5000, 0), 0x2222);
	pt_off();
	return 0;
}
