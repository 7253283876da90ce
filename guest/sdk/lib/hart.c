/* Waking parked harts: a mailbox each, read by `park` in start.S, and a software interrupt through the CLINT. */
#include "hart.h"
#include "riscv.h"

/* The layout is known to start.S: four words, the last unused. */
struct mailbox {
	void (*volatile run)(void *argument);
	void *volatile argument;
	void *volatile stack_top;
	void *unused;
};

struct mailbox hart_mailbox[SDK_MAX_HARTS];

int hart_start(unsigned long hart, void (*run)(void *argument), void *argument, void *stack_top)
{
	if (hart == csr_read(mhartid) || hart >= SDK_MAX_HARTS || hart_mailbox[hart].run)
		return -1;
	hart_mailbox[hart].argument = argument;
	hart_mailbox[hart].stack_top = stack_top;
	memory_fence();
	hart_mailbox[hart].run = run;
	memory_fence();

	((volatile uint32_t *)CLINT_MSIP)[hart] = 1;
	return 0;
}
