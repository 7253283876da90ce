/*
 * The way into the kernel and back.
 *
 * sscratch tells where a trap comes from: while a user task runs it holds the top of that task's kernel stack, and
 * while the kernel runs it is zero. A trap from the kernel simply goes on with the stack that is in use.
 */
#include "trap.h"
#include <riscv.h>

#define FRAME_BYTES (FRAME_WORDS * XBYTES)

/* Does `operation` for every register but x0 and sp (x2). */
.macro each_register operation
	\operation x1, 0*XBYTES(sp)
	.irp n, 3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
	\operation x\n, (\n-1)*XBYTES(sp)
	.endr
.endm

	.text
	.balign	4
	.globl	trap_entry
trap_entry:
	csrrw	sp, sscratch, sp
	bnez	sp, 1f
	csrr	sp, sscratch
1:	addi	sp, sp, -FRAME_BYTES
	each_register store
	csrrw	t0, sscratch, zero        /* the stack pointer at the time of the trap */
	store	t0, 1*XBYTES(sp)
	csrr	t0, sepc
	store	t0, FRAME_EPC*XBYTES(sp)
	csrr	t0, sstatus
	store	t0, FRAME_STATUS*XBYTES(sp)
	.option push
	.option norelax
	la	gp, __global_pointer$
	.option pop
	mv	a0, sp
	call	trap_handle

	.globl	trap_return
trap_return:
	load	t0, FRAME_EPC*XBYTES(sp)
	csrw	sepc, t0
	load	t0, FRAME_STATUS*XBYTES(sp)
	csrw	sstatus, t0
	andi	t0, t0, MSTATUS_SPP
	bnez	t0, 1f
	addi	t0, sp, FRAME_BYTES       /* back to the user: the next trap begins with an empty kernel stack */
	csrw	sscratch, t0
1:	each_register load
	load	sp, 1*XBYTES(sp)
	sret
