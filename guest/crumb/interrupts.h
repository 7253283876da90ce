/* Switching interrupts off and on, and who is called when a device interrupts. */
#ifndef INTERRUPTS_H
#define INTERRUPTS_H

#include <riscv.h>
#include <stdbool.h>

/* Keeps interrupts out; returns whether they were let in before, for interrupts_restore(). */
static inline bool interrupts_disable(void)
{
	return csr_read_clear(sstatus, MSTATUS_SIE) & MSTATUS_SIE;
}

static inline void interrupts_enable(void)
{
	csr_set(sstatus, MSTATUS_SIE);
}

static inline void interrupts_restore(bool enabled)
{
	if (enabled)
		interrupts_enable();
}

/* Lets timer and device interrupts reach the hart, once interrupts are enabled. */
void interrupts_init(void);

/* Calls `handler`, with interrupts disabled, whenever the native device in this slot interrupts. */
void interrupts_attach_native(unsigned slot, void (*handler)(void));

/* The same for an input of the PLIC, 1 to 31, where the devices of the virt board are. */
void interrupts_attach_plic(unsigned input, void (*handler)(void));

/* Serves one interrupt; called by the trap handler with its number. */
void interrupts_handle(unsigned long number);

#endif
