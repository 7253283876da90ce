/*
 * The part of crumb that runs in M-mode: it opens the machine for S-mode and leaves for good.
 *
 * The SDK's start-up code has set up the stack, cleared .bss, probed the native devices and parked the other harts.
 * What remains in M-mode afterwards is mtimer.S, and that only on machines without the Sstc extension.
 */
#include "board.h"
#include "kernel.h"
#include "timer.h"
#include <riscv.h>

/* Entered at each M-mode trap once the kernel runs; in mtimer.S. */
extern void machine_trap(void);

/* One region with all permissions: S-mode may use the whole address space (privileged specification, section 3.7). */
static void open_memory(void)
{
	csr_write(pmpaddr0, ~0UL);
	csr_write(pmpcfg0, 0x1f); /* naturally aligned region, R W X */
}

/* Every trap that S-mode can handle goes to it directly: all exceptions but its own calls to M-mode, and all its
 * interrupts. Bits that a machine lacks stay 0. */
static void delegate_traps(void)
{
	csr_write(medeleg, ~(1UL << CAUSE_ECALL_S | 1UL << CAUSE_ECALL_M));
	csr_write(mideleg, 1UL << IRQ_S_SOFTWARE | 1UL << IRQ_S_TIMER | 1UL << IRQ_S_EXTERNAL | 1UL << IRQ_NATIVE);
}

/* cycle, time and instret may be read in S-mode and in U-mode. */
static void open_counters(void)
{
	csr_write(mcounteren, 7);
	csr_write(scounteren, 7);
}

static _Noreturn void enter_supervisor(void (*entry)(void))
{
	csr_write(satp, 0);
	csr_clear(mstatus, MSTATUS_MPP | MSTATUS_MPIE);
	csr_set(mstatus, MSTATUS_MPP_S);
	csr_write(mepc, (unsigned long)entry);
	__asm__ volatile("mret");
	__builtin_unreachable();
}

int main(unsigned long hart, const void *device_tree)
{
	(void)hart;
	board_read(device_tree);
	open_memory();
	delegate_traps();
	open_counters();
	if (!timer_probe_sstc())
		csr_write(mtvec, (unsigned long)machine_trap);
	enter_supervisor(kernel_main);
}
