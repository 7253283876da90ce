/*
 * The C extension: every row with the edges of its immediates, the two illegal encodings, and 4-byte instructions that
 * lie across a page border.
 */
#include "guest.h"

/* `insn` works on a0 (in: a, out: the result) with a1 = b. */
#define C_OP(insn, a, b, want)                                                                                         \
	do {                                                                                                           \
		register ulong x_ __asm__("a0") = (ulong)(a);                                                          \
		register ulong y_ __asm__("a1") = (ulong)(b);                                                          \
		__asm__ volatile(insn : "+r"(x_) : "r"(y_));                                                           \
		check(insn " of " #a ", " #b, x_, (ulong)(want));                                                      \
	} while (0)

static void arithmetic(void)
{
	C_OP("c.addi a0, 31", 1, 0, 32);
	C_OP("c.addi a0, -32", 1, 0, -31ul);
	C_OP("c.li a0, 31", 1, 0, 31);
	C_OP("c.li a0, -32", 1, 0, -32ul);
	C_OP("c.lui a0, 31", 1, 0, 0x1f000);
	C_OP("c.lui a0, 0xfffe0", 1, 0, -0x20000ul);
	C_OP("c.lui a0, 1", 1, 0, 0x1000);
	C_OP("c.mv a0, a1", 1, -7ul, -7ul);
	C_OP("c.add a0, a1", 5, -7ul, -2ul);
	C_OP("c.sub a0, a1", 5, 7, -2ul);
	C_OP("c.and a0, a1", 0xff00, 0x0ff0, 0x0f00);
	C_OP("c.or a0, a1", 0xff00, 0x0ff0, 0xfff0);
	C_OP("c.xor a0, a1", 0xff00, 0x0ff0, 0xf0f0);
	C_OP("c.andi a0, 31", -1ul, 0, 31);
	C_OP("c.andi a0, -32", -1ul, 0, -32ul);
	C_OP("c.slli a0, 1", XMIN | 3, 0, 6);
	C_OP("c.slli a0, 31", 1, 0, 0x80000000);
	C_OP("c.srli a0, 1", XMIN, 0, XMIN >> 1);
	C_OP("c.srli a0, 31", XMIN, 0, XMIN >> 31);
	C_OP("c.srai a0, 1", XMIN, 0, XMIN | XMIN >> 1);
	C_OP("c.srai a0, 31", XMIN, 0, BY_XLEN(-1ul, 0xffffffff00000000));
#if XLEN == 64
	C_OP("c.slli a0, 63", 1, 0, XMIN);
	C_OP("c.srli a0, 63", XMIN, 0, 1);
	C_OP("c.srai a0, 63", XMIN, 0, -1ul);
	C_OP("c.srai a0, 32", XMIN, 0, 0xffffffff80000000);
	C_OP("c.addw a0, a1", 0x7fffffff, 1, 0xffffffff80000000);
	C_OP("c.subw a0, a1", 0xffffffff80000000, 1, 0x7fffffff);
	C_OP("c.addiw a0, 31", 0x7fffffff, 0, 0xffffffff8000001e);
	C_OP("c.addiw a0, -32", 0x1234567800000000, 0, -32ul);
	C_OP("c.addiw a0, 0", 0x1234567887654321, 0, 0xffffffff87654321);
#endif
	C_OP("c.nop", 5, 6, 5);
}

static void stack_pointer(void)
{
	ulong before, low, high, after;

	__asm__ volatile("mv %0, sp\nc.addi16sp sp, -512\nmv %1, sp\nc.addi16sp sp, 496\nmv %2, sp\nc.addi16sp sp, 16\n"
			 "mv %3, sp"
			 : "=&r"(before), "=&r"(low), "=&r"(high), "=&r"(after));
	check("c.addi16sp -512", low, before - 512);
	check("c.addi16sp 496", high, before - 16);
	check("c.addi16sp 16", after, before);
	__asm__ volatile("mv %0, sp\nc.addi4spn a0, sp, 1020\nmv %1, a0\nc.addi4spn a0, sp, 4\nmv %2, a0"
			 : "=&r"(before), "=&r"(high), "=&r"(low)
			 :
			 : "a0");
	check("c.addi4spn 1020", high, before + 1020);
	check("c.addi4spn 4", low, before + 4);
}

static uint64_t cells[64] __attribute__((aligned(16)));

/* `insns` with a0 = value and a1 = cells; gives a0 afterwards. */
#define C_MEMORY(insns, value)                                                                                         \
	({                                                                                                             \
		register ulong x_ __asm__("a0") = (ulong)(value);                                                      \
		register uint64_t *y_ __asm__("a1") = cells;                                                           \
		__asm__ volatile(insns : "+r"(x_) : "r"(y_) : "t0", "t1", "fa0", "memory");                            \
		x_;                                                                                                    \
	})

/* The same with sp = cells meanwhile. */
#define C_STACK(insns, value) C_MEMORY("mv t0, sp\nmv sp, a1\n" insns "\nmv sp, t0", value)

static void memory(void)
{
	C_MEMORY("c.sw a0, 0(a1)\nc.sw a0, 124(a1)\nc.sw a0, 4(a1)", 0x87654321);
	check("c.sw 0 and 4", cells[0], 0x8765432187654321);
	check("c.sw 124", cells[15], 0x8765432100000000);
	check("c.lw 124", C_MEMORY("c.lw a0, 124(a1)", 0), SX32(0x87654321));
	cells[8] = 0x11223344;
	check("c.lw 64", C_MEMORY("c.lw a0, 64(a1)", 0), 0x11223344);
#if XLEN == 64
	C_MEMORY("c.sd a0, 0(a1)\nc.sd a0, 248(a1)", 0x8877665544332211);
	check("c.sd 0", cells[0], 0x8877665544332211);
	check("c.sd 248", cells[31], 0x8877665544332211);
	check("c.ld 248", C_MEMORY("c.ld a0, 248(a1)", 0), 0x8877665544332211);
#else
	cells[15] = 0x44332211;
	C_MEMORY("c.flw fa0, 120(a1)\nc.fsw fa0, 4(a1)", 0);
	check("c.flw and c.fsw", cells[0], 0x4433221187654321);
#endif
	cells[31] = 0x7ff0000000000001;
	C_MEMORY("c.fld fa0, 248(a1)\nc.fsd fa0, 8(a1)", 0);
	check("c.fld and c.fsd", cells[1], 0x7ff0000000000001);
}

static void stack_memory(void)
{
	C_STACK("c.swsp a0, 0(sp)\nc.swsp a0, 252(sp)", 0x89abcdef);
	check("c.swsp 0", (uint32_t)cells[0], 0x89abcdef);
	check("c.swsp 252", cells[31], 0x89abcdef00000001);
	check("c.lwsp 252", C_STACK("c.lwsp a0, 252(sp)", 0), SX32(0x89abcdef));
	cells[63] = 0x0123456789abcdef;
	C_STACK("c.fldsp fa0, 504(sp)\nc.fsdsp fa0, 8(sp)", 0);
	check("c.fldsp and c.fsdsp", cells[1], 0x0123456789abcdef);
#if XLEN == 64
	C_STACK("c.sdsp a0, 504(sp)", 0xfedcba9876543210);
	check("c.sdsp 504", cells[63], 0xfedcba9876543210);
	check("c.ldsp 504", C_STACK("c.ldsp a0, 504(sp)", 0), 0xfedcba9876543210);
#else
	C_STACK("c.flwsp fa0, 252(sp)\nc.fswsp fa0, 4(sp)", 0);
	check("c.flwsp and c.fswsp", cells[0], 0x89abcdef89abcdef);
#endif
}

static void control_flow(void)
{
	ulong flag, link, want;

	__asm__ volatile("li a0, 0\nli %0, 1\nc.beqz a0, 1f\nli %0, 0\n1:" : "=&r"(flag)::"a0");
	check("c.beqz taken", flag, 1);
	__asm__ volatile("li a0, 8\nli %0, 1\nc.beqz a0, 1f\nli %0, 0\n1:" : "=&r"(flag)::"a0");
	check("c.beqz not taken", flag, 0);
	__asm__ volatile("li a0, 8\nli %0, 1\nc.bnez a0, 1f\nli %0, 0\n1:" : "=&r"(flag)::"a0");
	check("c.bnez taken", flag, 1);
	__asm__ volatile("li a0, 0\nli %0, 1\nc.bnez a0, 1f\nli %0, 0\n1:" : "=&r"(flag)::"a0");
	check("c.bnez not taken", flag, 0);
	__asm__ volatile("li %0, 0\nli a0, 0\nc.j 2f\n1: addi %0, %0, 1\nc.j 3f\n.skip 200\n2: c.beqz a0, 1b\n3:"
			 : "=&r"(flag)::"a0");
	check("c.beqz backward", flag, 1);
	__asm__ volatile("li %0, 0\nc.j 2f\n1: addi %0, %0, 1\nj 3f\n.skip 2000\n2: c.j 1b\n3:" : "=&r"(flag));
	check("c.j 2000 back", flag, 1);
	__asm__ volatile("li %0, 1\nla t0, 1f\nc.jr t0\nli %0, 0\n1:" : "=&r"(flag)::"t0");
	check("c.jr", flag, 1);
	__asm__ volatile("la t0, 2f\nla %1, 1f\nc.jalr t0\n1: nop\n2: mv %0, ra"
			 : "=&r"(link), "=&r"(want)::"t0", "ra");
	check("c.jalr link", link, want);
	__asm__ volatile("la ra, 2f\nla %1, 1f\nc.jalr ra\n1: nop\n2: mv %0, ra" : "=&r"(link), "=&r"(want)::"ra");
	check("c.jalr through ra", link, want);
#if XLEN == 32
	__asm__ volatile("la %1, 1f\nc.jal 2f\n1: nop\n2: mv %0, ra" : "=&r"(link), "=&r"(want)::"ra");
	check("c.jal link", link, want);
#endif
}

static void traps(void)
{
	__asm__ volatile(TRY("c.ebreak")::: TRY_CLOBBERS);
	check_trap_or_zero("c.ebreak", CAUSE_BREAKPOINT, trap.at);
	__asm__ volatile(TRY(".2byte 0")::: TRY_CLOBBERS);
	check_illegal("all zeros");
	__asm__ volatile(TRY(".2byte 0x0004")::: TRY_CLOBBERS);
	check_illegal("c.addi4spn of 0");
	__asm__ volatile(TRY(".2byte 0x4002")::: TRY_CLOBBERS);
	check_illegal("c.lwsp to x0");
	__asm__ volatile(TRY(".2byte 0x8002")::: TRY_CLOBBERS);
	check_illegal("c.jr x0");
	__asm__ volatile(TRY(".2byte 0x6101")::: TRY_CLOBBERS);
	check_illegal("c.addi16sp of 0");
	__asm__ volatile(TRY(".2byte 0x6281")::: TRY_CLOBBERS);
	check_illegal("c.lui of 0");
	__asm__ volatile(TRY(".2byte 0x8000")::: TRY_CLOBBERS);
	check_illegal("quadrant 0 reserved");
#if XLEN == 64
	__asm__ volatile(TRY(".2byte 0x2001")::: TRY_CLOBBERS);
	check_illegal("c.addiw to x0");
	__asm__ volatile(TRY(".2byte 0x6002")::: TRY_CLOBBERS);
	check_illegal("c.ldsp to x0");
	__asm__ volatile(TRY(".2byte 0x9c41")::: TRY_CLOBBERS);
	check_illegal("quadrant 1 reserved");
#endif
}

/* A 4-byte instruction whose halves are in two pages, plain, as a loop's end, and trapping. */
static void page_border(void)
{
	ulong got, count;

	__asm__ volatile("j 1f\n.option push\n.option norvc\n.balign 4096\n.skip 4092\n.option rvc\n"
			 "1: c.li %0, 1\n.option norvc\n2: addi %0, %0, 1000\n.option pop"
			 : "=&r"(got));
	check("addi across pages", got, 1001);
	__asm__ volatile(
		"li %0, 0\nli %1, 100\nj 1f\n.option push\n.option norvc\n.balign 4096\n.skip 4090\n.option rvc\n"
		"1: c.addi %0, 2\nc.addi %1, -1\n.option norvc\n2: bne %1, zero, 1b\n.option pop"
		: "=&r"(got), "=&r"(count));
	check("branch across pages", got, 200);
	__asm__ volatile(TRY("nop\nj 2f\n.option push\n.option norvc\n.balign 4096\n.skip 4094\n.option rvc\n"
			     "2: .4byte 0xffffffff\n.option pop")::
				 : TRY_CLOBBERS);
	check("trap across pages: cause", trap.cause, CAUSE_ILLEGAL);
	check("trap across pages: epc", trap.epc & 4095, 4094);
	check("trap across pages: tval", trap.tval == 0 || trap.tval == 0xffffffff, 1);
}

int main(void)
{
	arithmetic();
	stack_pointer();
	memory();
	stack_memory();
	control_flow();
	traps();
	page_border();
	return 0;
}
