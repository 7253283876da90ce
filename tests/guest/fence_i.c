/*
 * Code that changes: written, run, patched and run again, each time behind fence.i, by every kind of store, in the page
 * that runs and in others, up to the very next instruction.
 */
#include "guest.h"

/* Two pages of code, so that a patch can be in, behind or across the page that runs. */
static union {
	uint32_t w[2048];
	uint16_t h[4096];
} code __attribute__((aligned(4096)));

enum { RET = 0x00008067, C_RET = 0x8082, ADDI_A0_A0_1 = 0x00150513 };

/* addi a0, x0, value */
static uint32_t load_a0(ulong value)
{
	return (uint32_t)value << 20 | 0x513;
}

static ulong call(const void *at, ulong argument)
{
	register ulong a0 __asm__("a0") = argument;

	__asm__ volatile("jalr %1" : "+r"(a0) : "r"(at) : "ra", "t0", "t1", "memory");
	return a0;
}

static void fence(void)
{
	__asm__ volatile("fence.i" ::: "memory");
}

static void rewriting(void)
{
	bool all = true;

	code.w[1] = RET;
	for (ulong i = 0; i < 500; i++) {
		code.w[0] = load_a0(i);
		fence();
		all = all && call(code.w, 0) == i;
	}
	check("each of 500 versions ran", all, 1);
}

/* Every instruction that writes memory changes code. */
static void kinds_of_store(void)
{
	ulong old;

	code.w[1] = RET;
	code.w[0] = load_a0(0x120);
	fence();
	check("before", call(code.w, 0), 0x120);
	__asm__ volatile("sb %0, 3(%1)\nfence.i" ::"r"(0x34ul), "r"(code.w) : "memory");
	check("sb", call(code.w, 0), 0x340);
	__asm__ volatile("sh %0, 2(%1)\nfence.i" ::"r"(0x5670ul), "r"(code.w) : "memory");
	check("sh", call(code.w, 0), 0x567);
	__asm__ volatile("amoswap.w %0, %1, (%2)\nfence.i"
			 : "=&r"(old)
			 : "r"((ulong)load_a0(3)), "r"(code.w)
			 : "memory");
	check("amoswap.w", call(code.w, 0), 3);
	do
		__asm__ volatile("lr.w %0, (%2)\nsc.w %0, %1, (%2)"
				 : "=&r"(old)
				 : "r"((ulong)load_a0(4)), "r"(code.w)
				 : "memory");
	while (old);
	fence();
	check("sc.w", call(code.w, 0), 4);
	__asm__ volatile("fmv.w.x ft0, %0\nfsw ft0, 0(%1)\nfence.i" ::"r"(load_a0(5)), "r"(code.w) : "ft0", "memory");
	check("fsw", call(code.w, 0), 5);
	static const uint32_t pair[2] __attribute__((aligned(8))) = {0x00600513, RET};
	__asm__ volatile("fld ft0, 0(%0)\nfsd ft0, 0(%1)\nfence.i" ::"r"(pair), "r"(code.w) : "ft0", "memory");
	check("fsd", call(code.w, 0), 6);
	__asm__ volatile("sw %0, 1(%1)\nfence.i" ::"r"((ulong)((uint32_t)RET << 24 | load_a0(7) >> 8)), "r"(code.w)
			 : "memory");
	check("misaligned sw", call(code.w, 0), 7);
}

/* The instruction right behind fence.i is fetched anew. */
static void just_ahead(void)
{
	ulong first, second;

	for (int i = 0; i < 3; i++) {
		ulong patch = i == 1 ? 0x00200393 : 0x00300393; /* addi t2, x0, 2 or 3 */

		__asm__ volatile(".option push\n.option norvc\n"
				 "la t0, 1f\nsw %1, 0(t0)\nfence.i\n"
				 "1: addi t2, x0, 1\n"
				 ".option pop\nmv %0, t2"
				 : "=r"(first)
				 : "r"(patch)
				 : "t0", "t2", "memory");
		check_row("patched just ahead", (ulong)i, first, i == 1 ? 2 : 3);
	}
	/* the patch of a later instruction of the same straight run */
	__asm__ volatile(".option push\n.option norvc\n"
			 "la t0, 1f\nsw %2, 0(t0)\nfence.i\n"
			 "addi t2, x0, 10\nmv %0, t2\naddi t2, t2, 5\n"
			 "1: addi t2, x0, 1\n"
			 ".option pop\nmv %1, t2"
			 : "=&r"(first), "=&r"(second)
			 : "r"(0x00338393ul) /* addi t2, t2, 3 */
			 : "t0", "t2", "memory");
	check("instructions between", first, 10);
	check("patched further on", second, 18);
}

/* Half-way, a loop patches its own body: five rounds add 1, five add 100. */
static void loop_patches_itself(void)
{
	register ulong sum __asm__("a0") = 0;
	register ulong patch __asm__("a1") = 0x06450513; /* addi a0, a0, 100 */
	register ulong plain __asm__("a2") = ADDI_A0_A0_1;

	__asm__ volatile(".option push\n.option norvc\n"
			 "li t1, 10\nla t0, 1f\nli t2, 5\n"
			 "2: bne t1, t2, 1f\n"
			 "sw a1, 0(t0)\nfence.i\n"
			 "1: addi a0, a0, 1\n"
			 "addi t1, t1, -1\nbnez t1, 2b\n"
			 "sw a2, 0(t0)\nfence.i\n"
			 ".option pop"
			 : "+r"(sum)
			 : "r"(patch), "r"(plain)
			 : "t0", "t1", "t2", "memory");
	check("a loop that patches itself", sum, 505);
}

/* Code in one page calls code in the next, and goes on seeing the callee's newest version. */
static void across_pages(void)
{
	uint32_t *callee = &code.w[1024];

	/* add t0, ra, x0; jal ra, callee; addi a0, a0, 1; jr t0 */
	code.w[1020] = 0x000082b3;
	code.w[1021] = 0x00c000ef; /* jal ra, 12: word 1024 */
	code.w[1022] = ADDI_A0_A0_1;
	code.w[1023] = 0x00028067;
	callee[1] = RET;
	for (ulong i = 0; i < 20; i++) {
		callee[0] = load_a0(i * 10);
		fence();
		check("callee in the next page", call(&code.w[1020], 0), i * 10 + 1);
		check("once more", call(&code.w[1020], 0), i * 10 + 1);
	}
}

/* Either half of an instruction that lies in two pages, and a 4-byte instruction that becomes two of 2 bytes. */
static void halves(void)
{
	uint16_t *at = &code.h[2047];
	uint32_t insn = load_a0(0x123);

	at[0] = (uint16_t)insn;
	at[1] = (uint16_t)(insn >> 16);
	at[2] = C_RET;
	fence();
	check("instruction in two pages", call(at, 0), 0x123);
	at[1] = (uint16_t)(load_a0(0x456) >> 16);
	fence();
	check("second half patched", call(at, 0), 0x456);
	at[0] = 0x0593; /* addi a1, x0, .. */
	fence();
	check("first half patched", call(at, 77), 77);
	at[0] = 0x4515; /* c.li a0, 5 */
	at[1] = 0x0505; /* c.addi a0, 1 */
	fence();
	check("two short ones instead", call(at, 0), 6);
}

int main(void)
{
	rewriting();
	kinds_of_store();
	just_ahead();
	loop_patches_itself();
	across_pages();
	halves();
	return 0;
}
