/*
 * The timer of S-mode on machines without Sstc, where only M-mode has a timer (the CLINT's mtimecmp).
 *
 * S-mode asks with an ecall: a0 = the time to be woken at (a0, a1 = its halves on rv32). When that time comes, the
 * machine timer interrupt is turned into a supervisor timer interrupt and stays off until the next call.
 */
#include <riscv.h>

#define MTIMECMP 0x2004000 /* of hart 0 */

	.bss
	.balign	XBYTES
scratch:
	.skip	2*XBYTES

	.text
	.option norelax         /* gp is whatever was running's: no address may be made from it */
	.balign	4
	.globl	machine_trap
machine_trap:
	csrw	mscratch, t0
	la	t0, scratch
	store	t1, 0(t0)
	store	t2, 1*XBYTES(t0)
	csrr	t1, mcause
	bltz	t1, timer_came
	li	t2, CAUSE_ECALL_S
	bne	t1, t2, unexpected

	csrr	t1, mepc
	addi	t1, t1, 4
	csrw	mepc, t1
	li	t1, MTIMECMP
#if __riscv_xlen == 64
	sd	a0, 0(t1)
#else
	li	t2, -1          /* never a moment with a time in the past */
	sw	t2, 0(t1)
	sw	a1, 4(t1)
	sw	a0, 0(t1)
#endif
	li	t1, 1 << IRQ_S_TIMER
	csrc	mip, t1
	li	t1, 1 << IRQ_M_TIMER
	csrs	mie, t1
	j	leave

timer_came:
	li	t1, 1 << IRQ_M_TIMER
	csrc	mie, t1
	li	t1, 1 << IRQ_S_TIMER
	csrs	mip, t1

leave:
	load	t1, 0(t0)
	load	t2, 1*XBYTES(t0)
	csrr	t0, mscratch
	mret

unexpected:
	j	sdk_trap_entry
