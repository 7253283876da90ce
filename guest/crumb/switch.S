/*
 * void switch_context(struct context *from, const struct context *to)
 *
 * To C this is a function call that returns much later: it saves the registers that a function must keep, and returns
 * into the other task, where the same call was made or where a new task begins.
 */
#include <riscv.h>

.macro each_saved operation, base
	\operation ra, 0*XBYTES(\base)
	\operation sp, 1*XBYTES(\base)
	.irp n, 0,1,2,3,4,5,6,7,8,9,10,11
	\operation s\n, (2+\n)*XBYTES(\base)
	.endr
.endm

	.text
	.globl	switch_context
switch_context:
	each_saved store, a0
	each_saved load, a1
	ret
