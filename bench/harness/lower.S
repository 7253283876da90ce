/*
 * Running code in a lower privilege mode and taking its traps: see guest.h. While the lower mode runs, mscratch holds
 * the machine-mode stack pointer, below which bench_lower() has kept the callee-saved registers.
 */
#include "width.h"

#define MSTATUS_MPP_SHIFT 11
#define MSTATUS_MPP       (3 << MSTATUS_MPP_SHIFT)
#define PMP_OPEN          0x1f /* naturally aligned power of two, read, write, execute */
#define KEPT              (16 * REG_BYTES)
#define FRAME             (16 * REG_BYTES)

	.macro each_kept instruction
	\instruction ra, 0 * REG_BYTES(sp)
	\instruction s0, 1 * REG_BYTES(sp)
	\instruction s1, 2 * REG_BYTES(sp)
	\instruction s2, 3 * REG_BYTES(sp)
	\instruction s3, 4 * REG_BYTES(sp)
	\instruction s4, 5 * REG_BYTES(sp)
	\instruction s5, 6 * REG_BYTES(sp)
	\instruction s6, 7 * REG_BYTES(sp)
	\instruction s7, 8 * REG_BYTES(sp)
	\instruction s8, 9 * REG_BYTES(sp)
	\instruction s9, 10 * REG_BYTES(sp)
	\instruction s10, 11 * REG_BYTES(sp)
	\instruction s11, 12 * REG_BYTES(sp)
	.endm

	.macro each_saved instruction
	\instruction ra, 0 * REG_BYTES(sp)
	\instruction t0, 1 * REG_BYTES(sp)
	\instruction t1, 2 * REG_BYTES(sp)
	\instruction t2, 3 * REG_BYTES(sp)
	\instruction t3, 4 * REG_BYTES(sp)
	\instruction t4, 5 * REG_BYTES(sp)
	\instruction t5, 6 * REG_BYTES(sp)
	\instruction t6, 7 * REG_BYTES(sp)
	\instruction a0, 8 * REG_BYTES(sp)
	\instruction a1, 9 * REG_BYTES(sp)
	\instruction a2, 10 * REG_BYTES(sp)
	\instruction a3, 11 * REG_BYTES(sp)
	\instruction a4, 12 * REG_BYTES(sp)
	\instruction a5, 13 * REG_BYTES(sp)
	\instruction a6, 14 * REG_BYTES(sp)
	\instruction a7, 15 * REG_BYTES(sp)
	.endm

	/* Takes an ecall: a frame on the mode's own stack, the call in C, and on behind the ecall instruction. */
	.macro take_call scratch, epc, return
	csrrw sp, \scratch, sp
	addi sp, sp, -FRAME
	each_saved REG_STORE
	mv a0, sp
	call bench_trap
	csrr t0, \epc
	addi t0, t0, 4
	csrw \epc, t0
	each_saved REG_LOAD
	addi sp, sp, FRAME
	csrrw sp, \scratch, sp
	\return
	.endm

	.text
	.globl bench_lower
bench_lower:
	addi sp, sp, -KEPT
	each_kept REG_STORE
	csrw mscratch, sp
	li t0, -1
	csrw pmpaddr0, t0
	li t0, PMP_OPEN
	csrw pmpcfg0, t0
	la t0, machine_entry
	csrw mtvec, t0
	csrw mepc, a0
	li t0, MSTATUS_MPP
	csrc mstatus, t0
	slli a2, a2, MSTATUS_MPP_SHIFT
	csrs mstatus, a2
	mv a0, a1
	la sp, lower_stack_top
	la ra, lower_return
	mret

lower_return:
	li a7, 0
	ecall

	.balign 4
machine_entry:
	beqz a7, leave
	take_call mscratch, mepc, mret
leave:
	csrr sp, mscratch
	each_kept REG_LOAD
	addi sp, sp, KEPT
	ret

	.balign 4
	.globl bench_supervisor_entry
bench_supervisor_entry:
	beqz a7, pass_on
	take_call sscratch, sepc, sret
pass_on:
	ecall

	.bss
	.balign 16
	.skip 64 * 1024
lower_stack_top:
