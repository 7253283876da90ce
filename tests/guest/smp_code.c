/*
 * One hart writes and runs code in many pages, and rewrites the page that the other executes, which spends its time in
 * long runs of device reads: translations are dropped while code of theirs is on its way.
 */
#include "guest.h"

enum { PAGES = 50, ROUNDS = 1500, PAGE = 4096, RET = 0x00008067 };

static volatile uint32_t stop, passes;
static uint32_t fresh[PAGES][PAGE / 4] __attribute__((aligned(4096)));

/* Reads the low half of mtime (a0) over and over; the first word is what gets rewritten, with itself. */
__asm__(".balign 4096\n"
	".option push\n"
	".option norvc\n"
	"reader: nop\n"
	".rept 200\n"
	"	lw t1, 0(a0)\n"
	"	j 1f\n"
	"1:\n"
	".endr\n"
	"	ret\n"
	".option pop\n"
	".balign 4096\n");

void reader(ulong mtime);

void secondary_main(ulong hart)
{
	(void)hart;
	while (!stop) {
		reader(0x200bff8);
		passes++;
	}
	passes = 0;
	for (;;)
		;
}

int main(void)
{
	volatile uint32_t *head = (volatile uint32_t *)(ulong)reader;
	ulong ran = 0;

	*clint_msip(1) = 1;
	while (!passes)
		;
	for (ulong round = 0; round < ROUNDS; round++) {
		for (ulong page = 0; page < PAGES; page++) {
			*(volatile uint32_t *)fresh[page] = RET;
			__asm__ volatile("fence.i" ::: "memory");
			((void (*)(void))(ulong)fresh[page])();
			ran++;
		}
		*head = *head;
	}
	stop = 1;
	while (passes)
		;
	check("pages written and run", ran, (ulong)PAGES * ROUNDS);
	return 0;
}
