/*
 * Entry of a bare guest in machine mode. Hart 0 gets a stack, floating point and a trap vector; other harts sleep.
 */
#define MSTATUS_FS_INITIAL (1 << 13)

	.section .text.start, "ax"
	.globl _start
_start:
	csrr t0, mhartid
	bnez t0, sleep
	.option push
	.option norelax
	la gp, __global_pointer$
	.option pop
	la sp, bench_stack_top
	la t0, unexpected
	csrw mtvec, t0
	li t0, MSTATUS_FS_INITIAL
	csrs mstatus, t0
	call bench_guest_main
sleep:
	wfi
	j sleep

	.balign 4
unexpected:
	la sp, bench_stack_top
	j bench_unexpected_trap

	.bss
	.balign 16
	.skip 64 * 1024
	.globl bench_stack_top
bench_stack_top:
