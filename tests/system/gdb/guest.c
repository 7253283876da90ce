/*
 * A guest for test_gdb.sh, linked at 0xffffffff80000000 and loaded at 0x80000000. Hart 0 turns paging on and goes round
 * in S-mode in the upper half, calling functions and the trap handler; hart 1 counts in M-mode without paging.
 */
#define FINISHER ((volatile unsigned *)0x100000)

volatile unsigned long watched, other, turns, finish, counted;
unsigned long root[512] __attribute__((aligned(4096)));

__asm__(".section .boot, \"ax\"\n"
	".globl _start, paging_on, trap, count_here\n"
	"_start: bnez a0, count_here\n"
	"	la sp, stack_top\n"
	"	la t0, root\n"
	"	li t1, 0xcf\n" /* the first gigabyte, for devices */
	"	sd t1, 0(t0)\n"
	"	li t1, 0x200000cf\n" /* RAM, where it lies */
	"	sd t1, 16(t0)\n"
	"	li t2, 510*8\n"
	"	add t2, t0, t2\n"
	"	sd t1, 0(t2)\n"
	"	srli t0, t0, 12\n"
	"	li t1, 8 << 60\n"
	"	or t0, t0, t1\n"
	"	li t1, -1\n"
	"	csrw pmpaddr0, t1\n"
	"	li t1, 0x1f\n"
	"	csrw pmpcfg0, t1\n"
	"	li t1, 0xffff\n"
	"	csrw medeleg, t1\n"
	"	li t1, 0x1800\n"
	"	csrc mstatus, t1\n"
	"	li t1, 0x800\n"
	"	csrs mstatus, t1\n"
	"paging_on:\n"
	"	csrw satp, t0\n"
	"	li t1, 0xffffffff00000000\n"
	"	add sp, sp, t1\n"
	"	la t0, trap\n"
	"	add t0, t0, t1\n"
	"	csrw stvec, t0\n"
	"	la t0, high\n"
	"	add t0, t0, t1\n"
	"	csrw mepc, t0\n"
	"	mret\n"
	"count_here:\n"
	"	la t0, counted\n"
	"1:	ld t1, 0(t0)\n"
	"	addi t1, t1, 1\n"
	"	sd t1, 0(t0)\n"
	"	j 1b\n"
	"	.balign 4\n"
	"trap:	csrr t0, sepc\n"
	"	addi t0, t0, 4\n"
	"	csrw sepc, t0\n"
	"	sret\n");

static char stack[8192] __attribute__((aligned(16), used));
__asm__(".globl stack_top\n.set stack_top, stack + 8192\n");

__attribute__((noinline)) void third(unsigned long n)
{
	watched = n;
}

__attribute__((noinline)) void second(unsigned long n)
{
	third(n + 1);
	other++;
}

__attribute__((noinline)) void first(unsigned long n)
{
	second(n * 2);
	other++;
}

void high(void)
{
	while (!finish) {
		first(turns);
		__asm__ volatile("call_here: .option push\n.option norvc\necall\n.option pop" ::: "t0", "memory");
		turns++;
	}
	*FINISHER = 0x73333;
	for (;;)
		;
}
