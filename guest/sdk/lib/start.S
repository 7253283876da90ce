/*
 * Where a program begins: every hart enters at _start in M-mode with a0 = its number, a1 = the device tree.
 *
 * Hart 0 gets a stack, clears the program's zero-initialised memory and calls sdk_start() (start.c), which calls main.
 * Every other hart sleeps in `park` until hart_start() (hart.c) gives it a function.
 *
 * With -DSUPERVISOR the program is started by firmware instead: in S-mode, on one hart, whichever it is.
 */
#include "hart.h"
#include "riscv.h"

#ifdef SUPERVISOR
#define tvec stvec
#define ie sie
#else
#define tvec mtvec
#define ie mie
#endif

	.section .text.start, "ax"
	.globl	_start
_start:
	.option push
	.option norelax
	la	gp, __global_pointer$
	.option pop
	csrw	ie, zero
	la	t0, sdk_trap_entry
	csrw	tvec, t0
#ifndef SUPERVISOR
	csrr	t0, mhartid
	bnez	t0, park
#endif
	la	sp, __stack_top
	la	t0, __bss_start
	la	t1, __bss_end
1:	bgeu	t0, t1, 2f
	store	zero, 0(t0)
	addi	t0, t0, XBYTES
	j	1b
2:	tail	sdk_start

/* A trap that the program did not prepare for. The stack pointer may be what broke, so use a fresh stack. */
	.balign	4
	.globl	sdk_trap_entry
sdk_trap_entry:
	.option push
	.option norelax
	la	gp, __global_pointer$
	.option pop
	la	sp, __stack_top
	tail	sdk_unexpected_trap

#ifndef SUPERVISOR
/* Waits for a software interrupt, with interrupts disabled: wfi returns and nothing is taken. The hart's mailbox then
 * holds { function, argument, stack top }. Clearing the function says that the mailbox is free again. */
	.globl	park
park:
	li	t1, 1 << IRQ_M_SOFTWARE
	csrw	mie, t1
	li	t1, SDK_MAX_HARTS
	bgeu	t0, t1, park_forever
	la	s0, hart_mailbox
	li	t1, 4 * XBYTES
	mul	t1, t0, t1
	add	s0, s0, t1
1:	wfi
	fence
	load	s1, 0(s0)
	beqz	s1, 1b
	li	t1, CLINT_MSIP
	slli	t2, t0, 2
	add	t1, t1, t2
	sw	zero, 0(t1)
	csrw	mie, zero
	load	a0, 1*XBYTES(s0)
	load	sp, 2*XBYTES(s0)
	fence
	store	zero, 0(s0)
	jalr	s1
	csrr	t0, mhartid
	j	park

park_forever:
	wfi
	j	park_forever
#endif
