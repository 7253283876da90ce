/*
 * Start-up code and trap entries of the guest programs. Hart 0 clears .bss and calls guest_main(); the others
 * sleep until they get a software interrupt and call secondary_main(hart).
 */
#include "layout.h"

#if __riscv_xlen == 64
#define SX sd
#define LX ld
#define SLOT 8
#else
#define SX sw
#define LX lw
#define SLOT 4
#endif
#define FRAME_SIZE (32 * SLOT)
#define MSTATUS_FS_INITIAL 0x2000
#define MSTATUS_MPP 0x1800
#define MIP_MSIP 8

	.section .text.start, "ax"
	.globl	_start
_start:
	csrw	mie, zero
	la	t0, trap_m_entry
	csrw	mtvec, t0
	la	t0, trap_s_entry
	csrw	stvec, t0
	li	t0, MSTATUS_FS_INITIAL
	csrs	mstatus, t0
	csrr	s0, mhartid
	li	t0, HARTS_MAX
	bgeu	s0, t0, park
	li	t0, STACK_SIZE
	addi	t1, s0, 1
	mul	t0, t0, t1
	la	sp, stacks_m
	add	sp, sp, t0
	la	t1, stacks_trap
	add	t1, t1, t0
	addi	t1, t1, -FRAME_SIZE
	csrw	mscratch, t1
	bnez	s0, secondary

	la	t0, bss_begin
	la	t1, bss_end
1:	bgeu	t0, t1, 2f
	SX	zero, 0(t0)
	addi	t0, t0, SLOT
	j	1b
2:	call	guest_main

park:	wfi
	j	park

secondary:
	li	t0, MIP_MSIP
	csrw	mie, t0
1:	wfi
	csrr	t0, mip
	andi	t0, t0, MIP_MSIP
	beqz	t0, 1b
	csrw	mie, zero
	li	t0, CLINT_BASE
	slli	t1, s0, 2
	add	t0, t0, t1
	sw	zero, 0(t0)
	mv	a0, s0
	call	secondary_main
	j	park

	.macro each_reg op
	.irp	n, 1, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
	\op	x\n, \n * SLOT(sp)
	.endr
	.endm

/*
 * A trap entry: the scratch register holds the address of the register frame, which is also the top of the
 * handler's stack. The C handler may change the frame; frame[0] is unused.
 */
	.macro trap_entry name, scratch, handler, back
	.text
	.balign 4
	.globl	\name
\name:
	csrrw	sp, \scratch, sp
	each_reg SX
	csrr	t0, \scratch
	SX	t0, 2 * SLOT(sp)
	csrw	\scratch, sp
	mv	a0, sp
	call	\handler
	each_reg LX
	LX	sp, 2 * SLOT(sp)
	\back
	.endm

	trap_entry trap_m_entry, mscratch, trap_m, mret
	trap_entry trap_s_entry, sscratch, trap_s, sret

	.macro each_saved op
	\op	ra, 0 * SLOT(sp)
	\op	gp, 1 * SLOT(sp)
	\op	tp, 2 * SLOT(sp)
	\op	s0, 3 * SLOT(sp)
	\op	s1, 4 * SLOT(sp)
	\op	s2, 5 * SLOT(sp)
	\op	s3, 6 * SLOT(sp)
	\op	s4, 7 * SLOT(sp)
	\op	s5, 8 * SLOT(sp)
	\op	s6, 9 * SLOT(sp)
	\op	s7, 10 * SLOT(sp)
	\op	s8, 11 * SLOT(sp)
	\op	s9, 12 * SLOT(sp)
	\op	s10, 13 * SLOT(sp)
	\op	s11, 14 * SLOT(sp)
	.endm

/* ulong run_in(mode a0, fn a1, arg0 a2, arg1 a3) */
	.globl	run_in
run_in:
	addi	sp, sp, -16 * SLOT
	each_saved SX
	la	t0, leave_sp
	SX	sp, 0(t0)
	la	t0, stack_s_trap + STACK_SIZE - FRAME_SIZE
	csrw	sscratch, t0
	li	t0, MSTATUS_MPP
	csrc	mstatus, t0
	slli	a0, a0, 11
	csrs	mstatus, a0
	la	t0, run_offset
	LX	t0, 0(t0)
	add	a1, a1, t0
	csrw	mepc, a1
	la	sp, stack_run + STACK_SIZE
	add	sp, sp, t0
	la	ra, leave
	add	ra, ra, t0
	mv	a0, a2
	mv	a1, a3
	mret

leave:
	li	a7, CALL_LEAVE
	ecall

/* Back in the caller of run_in() with the value in a0; runs on the trap stack, which is dropped. */
	.globl	leave_finish
leave_finish:
	la	t0, leave_sp
	LX	sp, 0(t0)
	each_saved LX
	addi	sp, sp, 16 * SLOT
	ret

	.bss
	.balign 16
stacks_m:
	.space	HARTS_MAX * STACK_SIZE
stacks_trap:
	.space	HARTS_MAX * STACK_SIZE
stack_s_trap:
	.space	STACK_SIZE
stack_run:
	.space	STACK_SIZE
	.balign 8
leave_sp:
	.space	8
