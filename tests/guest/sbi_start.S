/*
 * Start-up code of the programs that run in S-mode on SBI firmware. Hart 0 comes in at _start with its id in a0 and
 * the device tree in a1; the others are started at secondary_start with their id in a0 and an opaque value in a1.
 */
#include "sbi_guest.h"

#if __riscv_xlen == 64
#define SX sd
#define LX ld
#define SLOT 8
#else
#define SX sw
#define LX lw
#define SLOT 4
#endif

	/* A stack and the trap entry for the hart in a0; changes t0, t1. */
	.macro set_up
	.option	push
	.option	norelax
	li	t0, STACK_SIZE
	addi	t1, a0, 1
	mul	t0, t0, t1
	la	sp, stacks
	add	sp, sp, t0
	la	t0, trap_entry
	csrw	stvec, t0
	.option	pop
	.endm

	.section .text.start, "ax"
	.globl	_start
_start:
	la	t0, bss_begin
	la	t1, bss_end
1:	bgeu	t0, t1, 2f
	SX	zero, 0(t0)
	addi	t0, t0, SLOT
	j	1b
2:	set_up
	mv	tp, a0
	call	sbi_main

	.globl	secondary_start
secondary_start:
	set_up
	mv	tp, a0
	call	secondary_main
1:	wfi
	j	1b

	.text
	.balign	4
trap_entry:
	addi	sp, sp, -16 * SLOT
	.irp	n, 1, 5, 6, 7, 10, 11, 12, 13, 14, 15
	SX	x\n, \n * SLOT(sp)
	.endr
	addi	sp, sp, -8 * SLOT
	SX	x16, 0 * SLOT(sp)
	SX	x17, 1 * SLOT(sp)
	SX	x28, 2 * SLOT(sp)
	SX	x29, 3 * SLOT(sp)
	SX	x30, 4 * SLOT(sp)
	SX	x31, 5 * SLOT(sp)
	mv	a0, tp
	call	trap
	LX	x16, 0 * SLOT(sp)
	LX	x17, 1 * SLOT(sp)
	LX	x28, 2 * SLOT(sp)
	LX	x29, 3 * SLOT(sp)
	LX	x30, 4 * SLOT(sp)
	LX	x31, 5 * SLOT(sp)
	addi	sp, sp, 8 * SLOT
	.irp	n, 1, 5, 6, 7, 10, 11, 12, 13, 14, 15
	LX	x\n, \n * SLOT(sp)
	.endr
	addi	sp, sp, 16 * SLOT
	sret

	.bss
	.balign 16
stacks:
	.space	HARTS * STACK_SIZE
