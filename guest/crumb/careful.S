/*
 * careful_copy(to, from, len): a copy that survives when memory goes away. A fault between its first instruction and
 * careful_copy_fault is no reason to panic: the trap handler goes on at careful_copy_fault.
 */
	.text
	.balign	4
	.globl	careful_copy
careful_copy:
	beqz	a2, careful_copy_fault
1:	lbu	t0, 0(a1)
	sb	t0, 0(a0)
	addi	a0, a0, 1
	addi	a1, a1, 1
	addi	a2, a2, -1
	bnez	a2, 1b
	.globl	careful_copy_fault
careful_copy_fault:
	mv	a0, a2
	ret
