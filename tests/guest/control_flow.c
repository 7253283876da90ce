/* Branches and jumps of the base instruction set: taken and not taken, far and backward, link values. */
#include "guest.h"

/* All in 4-byte encodings; compressed.c has the short ones. */
__asm__(".option norvc");

#define BRANCH(insn, a, b, want)                                                                                       \
	do {                                                                                                           \
		ulong got_;                                                                                            \
		__asm__ volatile("li %0, 1\n" insn " %1, %2, 1f\nli %0, 0\n1:"                                         \
				 : "=&r"(got_)                                                                         \
				 : "r"((ulong)(a)), "r"((ulong)(b)));                                                  \
		check(insn " " #a ", " #b, got_, want);                                                                \
	} while (0)

static void branches(void)
{
	BRANCH("beq", 1, 1, 1);
	BRANCH("beq", 1, 2, 0);
	BRANCH("beq", XMIN, 0, 0);
	BRANCH("beq", -1ul, -1ul, 1);
	BRANCH("bne", 1, 1, 0);
	BRANCH("bne", 1, 2, 1);
	BRANCH("bne", XMIN, 0, 1);
	BRANCH("blt", 1, 2, 1);
	BRANCH("blt", 2, 1, 0);
	BRANCH("blt", 2, 2, 0);
	BRANCH("blt", -1ul, 0, 1);
	BRANCH("blt", 0, -1ul, 0);
	BRANCH("blt", XMIN, XMIN - 1, 1);
	BRANCH("bge", 1, 2, 0);
	BRANCH("bge", 2, 1, 1);
	BRANCH("bge", 2, 2, 1);
	BRANCH("bge", -1ul, 0, 0);
	BRANCH("bge", XMIN - 1, XMIN, 1);
	BRANCH("bltu", 1, 2, 1);
	BRANCH("bltu", 2, 2, 0);
	BRANCH("bltu", -1ul, 0, 0);
	BRANCH("bltu", 0, -1ul, 1);
	BRANCH("bltu", XMIN - 1, XMIN, 1);
	BRANCH("bgeu", 1, 2, 0);
	BRANCH("bgeu", 2, 2, 1);
	BRANCH("bgeu", -1ul, 0, 1);
	BRANCH("bgeu", 0, -1ul, 0);
	BRANCH("bgeu", XMIN, XMIN - 1, 1);
}

/* The farthest targets that the formats encode: 4 KiB for a branch, 1 MiB for jal (of which 64 KiB is tried here). */
static void distances(void)
{
	ulong got;

	__asm__ volatile("li %0, 0\n"
			 "j 2f\n"
			 "1: addi %0, %0, 1\n"
			 "j 4f\n"
			 ".skip 4000\n"
			 "2: beq x0, x0, 1b\n"
			 "li %0, 100\n"
			 "4: beq x0, x0, 5f\n"
			 ".skip 4000\n"
			 "5: addi %0, %0, 2\n"
			 : "=&r"(got));
	check("branches of 4000 bytes", got, 3);
	__asm__ volatile("li %0, 0\n"
			 "jal t0, 2f\n"
			 "1: addi %0, %0, 1\n"
			 "j 4f\n"
			 ".skip 65536\n"
			 "2: jal t0, 1b\n"
			 "4: addi %0, %0, 2\n"
			 : "=&r"(got)
			 :
			 : "t0");
	check("jumps of 64 KiB", got, 3);
}

static void links(void)
{
	ulong link, want, flag;

	__asm__ volatile("la %1, 1f\nli %2, 0\njal %0, 2f\n1: li %2, 1\n2:" : "=&r"(link), "=&r"(want), "=&r"(flag));
	check("jal link", link, want);
	check("jal skips", flag, 0);
	__asm__ volatile("la %1, 1f\nli %2, 0\nla t0, 2f\njalr %0, 0(t0)\n1: li %2, 1\n2:"
			 : "=&r"(link), "=&r"(want), "=&r"(flag)
			 :
			 : "t0");
	check("jalr link", link, want);
	check("jalr skips", flag, 0);
	__asm__ volatile("la %1, 1f\nla t0, 2f\njalr t0, 0(t0)\n1: li t0, 1\n2: mv %0, t0"
			 : "=&r"(link), "=&r"(want)
			 :
			 : "t0");
	check("jalr with rd = rs1", link, want);
	__asm__ volatile("la t0, 1f - 100\nli %0, 1\njalr x0, 100(t0)\nli %0, 0\n1:" : "=&r"(flag)::"t0");
	check("jalr positive offset", flag, 1);
	__asm__ volatile("la t0, 1f + 2000\nli %0, 1\njalr x0, -2000(t0)\nli %0, 0\n1:" : "=&r"(flag)::"t0");
	check("jalr negative offset", flag, 1);
	__asm__ volatile("la t0, 1f\naddi t0, t0, 1\nli %0, 1\njalr x0, 0(t0)\nli %0, 0\n1:" : "=&r"(flag)::"t0");
	check("jalr clears bit 0 of the sum", flag, 1);
	__asm__ volatile("la t0, 1f\nli %0, 1\njalr x0, 1(t0)\nli %0, 0\n1:" : "=&r"(flag)::"t0");
	check("jalr clears bit 0 of an odd offset", flag, 1);
}

/* A backward branch as loops use it, and one that targets the very instruction stream's own start. */
static void loops(void)
{
	ulong sum, n;

	__asm__ volatile("li %0, 0\nli %1, 1000\n1: add %0, %0, %1\naddi %1, %1, -1\nbnez %1, 1b"
			 : "=&r"(sum), "=&r"(n));
	check("loop sum", sum, 500500);
	check("loop counter", n, 0);
}

static ulong __attribute__((noinline)) ackermann(ulong m, ulong n)
{
	if (m == 0)
		return n + 1;
	return ackermann(m - 1, n == 0 ? 1 : ackermann(m, n - 1));
}

int main(void)
{
	branches();
	distances();
	links();
	loops();
	check("deep recursion", ackermann(2, 20), 43);
	return 0;
}
