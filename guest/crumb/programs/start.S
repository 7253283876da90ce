/* Where a user program begins, with its argument in a0: main(argument), then the system call exit. */
#include <riscv.h>

	.section .text.start, "ax"
	.globl	_start
_start:
	.option push
	.option norelax
	la	gp, __global_pointer$
	.option pop
	call	main
	tail	exit
