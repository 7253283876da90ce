/* What the kernel does about a trap: serve an interrupt, do a system call, or end a task that did wrong. */
#include "trap.h"
#include "careful.h"
#include "interrupts.h"
#include "kernel.h"
#include "system_calls.h"
#include "task.h"
#include <stdio.h>

extern void trap_entry(void);
void trap_handle(struct trap_frame *frame);

void traps_init(void)
{
	csr_write(sscratch, 0);
	csr_write(stvec, (unsigned long)trap_entry);
}

/* What happened, in words; `value` completes some of them. */
static const char *describe(unsigned long cause)
{
	switch (cause) {
	case CAUSE_FETCH_PAGE:
		return "page fault: it may not execute address";
	case CAUSE_LOAD_PAGE:
		return "page fault: it may not read address";
	case CAUSE_STORE_PAGE:
		return "page fault: it may not write address";
	case CAUSE_ILLEGAL:
		return "illegal instruction";
	case CAUSE_BREAKPOINT:
		return "breakpoint at";
	case CAUSE_FETCH_MISALIGNED:
	case CAUSE_LOAD_MISALIGNED:
	case CAUSE_STORE_MISALIGNED:
		return "misaligned address";
	case CAUSE_FETCH_ACCESS:
	case CAUSE_LOAD_ACCESS:
	case CAUSE_STORE_ACCESS:
		return "access fault: nothing is there, at address";
	default:
		return "an exception without a name, value";
	}
}

static void handle_user_exception(struct trap_frame *frame, unsigned long cause, unsigned long value)
{
	if (cause == CAUSE_ECALL_U) {
		frame->epc += 4;
		system_call(frame);
		return;
	}
	current->output = NULL; /* a person should see this */
	printf("%s[%u]: %s %#lx, at pc %#lx\n", current->name, current->id, describe(cause), value, frame->epc);
	current->killed = true;
}

/* Called by trap.S with interrupts disabled. When it returns, the frame decides where things go on. */
void trap_handle(struct trap_frame *frame)
{
	unsigned long cause = csr_read(scause), value = csr_read(stval);
	bool from_user = !(frame->status & MSTATUS_SPP);

	if (cause & CAUSE_INTERRUPT) {
		interrupts_handle(cause & ~CAUSE_INTERRUPT);
		tasks_preempt();
	} else if (from_user) {
		handle_user_exception(frame, cause, value);
	} else if (frame->epc >= (unsigned long)careful_copy && frame->epc < (unsigned long)careful_copy_fault) {
		frame->epc = (unsigned long)careful_copy_fault;
	} else {
		panic("in the kernel: %s %#lx, at pc %#lx, ra %#lx", describe(cause), value, frame->epc, frame->x[0]);
	}
	if (from_user && current->killed)
		task_exit(TASK_KILLED);
}
