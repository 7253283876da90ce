/*
 * A guest for test_trace.sh, bare in M-mode: GUEST_short does a little of everything and powers off, GUEST_hot counts
 * in mscratch and spends its time in one function, GUEST_twin has two harts go round, each at least once, before hart 0
 * powers off.
 */
#define UART	 ((volatile unsigned char *)0x10000000)
#define FINISHER ((volatile unsigned *)0x100000)

volatile unsigned long sum;
volatile int gone_round; /* the second hart has */

__asm__(".section .boot, \"ax\"\n"
	".globl _start, trap_entry\n"
	".type _start, @function\n"
	".type trap_entry, @function\n"
	"_start: la sp, stack_top\n"
	"	slli t0, a0, 11\n"
	"	sub sp, sp, t0\n"
	"	li s0, 0\n"
	"	la t0, trap_entry\n"
	"	csrw mtvec, t0\n"
	"	call main\n"
	"1:	j 1b\n"
	".size _start, . - _start\n"
	".balign 64\n"
	"trap_entry:\n"
	"	addi sp, sp, -32\n"
	"	sd ra, 0(sp)\n"
	"	sd a5, 8(sp)\n"
	"	call handler\n"
	"	ld ra, 0(sp)\n"
	"	ld a5, 8(sp)\n"
	"	addi sp, sp, 32\n"
	"	mret\n"
	".size trap_entry, . - trap_entry\n"
	".globl handler\n"
	".type handler, @function\n"
	"handler:\n"
	"	csrr a5, mepc\n"
	"	addi a5, a5, 4\n"
	"	csrw mepc, a5\n"
	"	ret\n"
	".size handler, . - handler\n"
	".bss\n"
	".balign 16\n"
	".skip 8192\n"
	"stack_top:\n"
	".text\n");

__attribute__((noinline)) void hot(unsigned long n)
{
	for (unsigned long i = 0; i < n; i++)
		sum += i;
}

__attribute__((noinline)) void cold(unsigned long n)
{
	for (unsigned long i = 0; i < n; i++)
		sum ^= i;
}

__attribute__((noinline)) void work(void)
{
	hot(9000);
	cold(1000);
}

static void power_off(void)
{
	*FINISHER = 0x5555;
	for (;;)
		;
}

int main(unsigned long hart)
{
#ifdef GUEST_short
	__asm__ volatile("csrw mscratch, %0" ::"r"(0x1234));
	__asm__ volatile("csrsi mscratch, 0xf");
	__asm__ volatile("ecall");
	__asm__ volatile(".4byte 0xffffffff");
	UART[0] = 'A';
	(void)UART[5];
	__asm__ volatile("csrr zero, 0x5ff"); /* the identity of an empty slot */
#endif
#ifdef GUEST_hot
	for (unsigned long i = 1;; i++) {
		__asm__ volatile("csrw mscratch, %0" ::"r"(i));
		work();
	}
#endif
#ifdef GUEST_twin
	for (;;) {
		cold(200);
		if (hart != 0)
			gone_round = 1;
		else if (gone_round)
			power_off();
	}
#endif
	if (hart == 0)
		power_off();
	return 0;
}
