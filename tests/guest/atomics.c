/*
 * The A extension on one hart: each AMO in each width and ordering, LR/SC and its rules of reservation, and the traps
 * of misaligned atomics. The two-hart side is smp_atomics.c.
 */
#include "guest.h"

static union {
	uint32_t w[4];
	uint64_t d[2];
} cell __attribute__((aligned(64)));

#define BEYOND 0x5ca1ab1e

/* One AMO: the old value is returned (sign-extended), memory holds the result, and the word behind is untouched. */
#define AMO_W(insn, order, memory, operand, want)                                                                      \
	do {                                                                                                           \
		ulong got_;                                                                                            \
		cell.w[0] = (uint32_t)(memory);                                                                        \
		cell.w[1] = BEYOND;                                                                                    \
		__asm__ volatile(insn ".w" order " %0, %1, (%2)"                                                       \
				 : "=&r"(got_)                                                                         \
				 : "r"((ulong)(operand)), "r"(&cell)                                                   \
				 : "memory");                                                                          \
		check(insn ".w" order " old value", got_, SX32(memory));                                               \
		check(insn ".w" order " of " #memory ", " #operand, cell.w[0], (uint32_t)(want));                      \
		check(insn ".w" order " neighbour", cell.w[1], BEYOND);                                                \
	} while (0)

#if XLEN == 64
#define AMO_D(insn, order, memory, operand, want)                                                                      \
	do {                                                                                                           \
		ulong got_;                                                                                            \
		cell.d[0] = (memory);                                                                                  \
		cell.d[1] = BEYOND;                                                                                    \
		__asm__ volatile(insn ".d" order " %0, %1, (%2)"                                                       \
				 : "=&r"(got_)                                                                         \
				 : "r"((ulong)(operand)), "r"(&cell)                                                   \
				 : "memory");                                                                          \
		check(insn ".d" order " old value", got_, (memory));                                                   \
		check(insn ".d" order " of " #memory ", " #operand, cell.d[0], (want));                                \
		check(insn ".d" order " neighbour", cell.d[1], BEYOND);                                                \
	} while (0)
#endif

static void word_operations(void)
{
	AMO_W("amoswap", "", 0x80000001, 0x7fffffff, 0x7fffffff);
	AMO_W("amoswap", ".aq", 1, -1ul, 0xffffffff);
	AMO_W("amoadd", "", 0xffffffff, 2, 1);
	AMO_W("amoadd", ".rl", 0x7fffffff, 1, 0x80000000);
	AMO_W("amoxor", "", 0xff00ff00, 0x0ff00ff0, 0xf0f0f0f0);
	AMO_W("amoand", "", 0xff00ff00, 0x0ff00ff0, 0x0f000f00);
	AMO_W("amoor", ".aqrl", 0xff00ff00, 0x0ff00ff0, 0xfff0fff0);
	AMO_W("amomin", "", 0xffffffff, 1, 0xffffffff);
	AMO_W("amomin", "", 1, 0xffffffff, 0xffffffff);
	AMO_W("amomin", "", 5, 5, 5);
	AMO_W("amomax", "", 0xffffffff, 1, 1);
	AMO_W("amomax", "", 0x80000000, 0x7fffffff, 0x7fffffff);
	AMO_W("amominu", "", 0xffffffff, 1, 1);
	AMO_W("amominu", "", 0x7fffffff, 0x80000000, 0x7fffffff);
	AMO_W("amomaxu", "", 0xffffffff, 1, 0xffffffff);
	AMO_W("amomaxu", "", 0x7fffffff, 0x80000000, 0x80000000);
}

#if XLEN == 64
/* A word operation looks at the low half of its register operand alone. */
static void word_operations_on_wide_registers(void)
{
	AMO_W("amoswap", "", 1, 0x1234567887654321, 0x87654321);
	AMO_W("amoadd", "", 1, 0xffffffff00000001, 2);
	AMO_W("amomin", "", 1, 0x00000000ffffffff, 0xffffffff);
	AMO_W("amomax", "", 1, 0x7fffffff80000000, 1);
	AMO_W("amominu", "", 5, 0xffffffff00000003, 3);
	AMO_W("amomaxu", "", 5, 0xffffffff00000003, 5);
}

static void doubleword_operations(void)
{
	AMO_D("amoswap", "", 0x8000000000000001, 0x7fffffffffffffff, 0x7fffffffffffffff);
	AMO_D("amoadd", ".aqrl", 0xffffffffffffffff, 2, 1);
	AMO_D("amoadd", "", 0xffffffff, 1, 0x100000000);
	AMO_D("amoxor", ".rl", 0xff00ff00ff00ff00, 0x0ff00ff00ff00ff0, 0xf0f0f0f0f0f0f0f0);
	AMO_D("amoand", ".aq", 0xff00ff00ff00ff00, 0x0ff00ff00ff00ff0, 0x0f000f000f000f00);
	AMO_D("amoor", "", 0xff00ff00ff00ff00, 0x0ff00ff00ff00ff0, 0xfff0fff0fff0fff0);
	AMO_D("amomin", "", 0xffffffffffffffff, 1, 0xffffffffffffffff);
	AMO_D("amomin", "", 0xffffffff, 1, 1);
	AMO_D("amomax", "", 0x8000000000000000, 0x7fffffffffffffff, 0x7fffffffffffffff);
	AMO_D("amomax", "", 1, 0xffffffff, 0xffffffff);
	AMO_D("amominu", "", 0xffffffffffffffff, 1, 1);
	AMO_D("amomaxu", "", 0x7fffffffffffffff, 0x8000000000000000, 0x8000000000000000);
}
#endif

/* rd = x0 drops the old value; rd = rs2 returns it in the operand's register. */
static void register_names(void)
{
	ulong got = 5;

	cell.w[0] = 10;
	__asm__ volatile("amoadd.w x0, %0, (%1)" ::"r"(got), "r"(&cell) : "memory");
	check("amoadd.w to x0", cell.w[0], 15);
	__asm__ volatile("amoadd.w %0, %0, (%1)" : "+r"(got) : "r"(&cell) : "memory");
	check("amoadd.w, rd = rs2: old", got, 15);
	check("amoadd.w, rd = rs2: new", cell.w[0], 20);
	got = (ulong)&cell;
	__asm__ volatile("amoswap.w %0, x0, (%0)" : "+r"(got)::"memory");
	check("amoswap.w, rd = rs1: old", got, 20);
	check("amoswap.w, rd = rs1: new", cell.w[0], 0);
}

/* An uninterrupted pair may fail a few times; it succeeds in the end. */
static void reservations(void)
{
	ulong old, failed, tries = 0;

	do {
		cell.w[0] = 0x87654321;
		__asm__ volatile("lr.w %0, (%2)\nli t0, 77\nsc.w %1, t0, (%2)"
				 : "=&r"(old), "=&r"(failed)
				 : "r"(&cell)
				 : "t0", "memory");
	} while (failed && ++tries < 100);
	check("lr.w", old, SX32(0x87654321));
	check("sc.w", failed, 0);
	check("sc.w stored", cell.w[0], 77);

	__asm__ volatile("li t0, 88\nsc.w %0, t0, (%1)" : "=&r"(failed) : "r"(&cell) : "t0", "memory");
	check("sc.w without reservation fails", failed != 0, 1);
	check("failed sc.w stores nothing", cell.w[0], 77);

	__asm__ volatile("lr.w x0, (%1)\nli t0, 88\nsc.w %0, t0, (%2)"
			 : "=&r"(failed)
			 : "r"(&cell), "r"(&cell.w[3])
			 : "t0", "memory");
	if (failed)
		check("failed sc.w elsewhere stores nothing", cell.w[3], 0);

	/* a store-conditional, even a failed one, ends the reservation */
	__asm__ volatile("lr.w x0, (%1)\nli t0, 91\nsc.w x0, t0, (%2)\nsc.w %0, t0, (%1)"
			 : "=&r"(failed)
			 : "r"(&cell), "r"(&cell.w[2])
			 : "t0", "memory");
	check("second sc.w fails", failed != 0, 1);
	check("second sc.w stores nothing", cell.w[0], 77);

	/* the second load-reserved replaces the first: an address outside the set that it reserves must fail */
	static uint32_t far[1024] __attribute__((aligned(4096)));

	far[1000] = 3;
	__asm__ volatile("lr.w x0, (%1)\nlr.w x0, (%2)\nli t0, 92\nsc.w %0, t0, (%1)"
			 : "=&r"(failed)
			 : "r"(&far[1000]), "r"(&cell)
			 : "t0", "memory");
	check("sc.w to a replaced reservation fails", failed != 0, 1);
	check("and stores nothing", far[1000], 3);
}

#if XLEN == 64
static void doubleword_reservations(void)
{
	ulong old, failed, tries = 0;

	do {
		cell.d[0] = 0x8765432112345678;
		__asm__ volatile("lr.d.aqrl %0, (%2)\nli t0, -5\nsc.d.rl %1, t0, (%2)"
				 : "=&r"(old), "=&r"(failed)
				 : "r"(&cell)
				 : "t0", "memory");
	} while (failed && ++tries < 100);
	check("lr.d", old, 0x8765432112345678);
	check("sc.d", failed, 0);
	check("sc.d stored", cell.d[0], -5ul);
	__asm__ volatile("li t0, 88\nsc.d %0, t0, (%1)" : "=&r"(failed) : "r"(&cell) : "t0", "memory");
	check("sc.d without reservation fails", failed != 0, 1);
	check("failed sc.d stores nothing", cell.d[0], -5ul);
}
#endif

/* Misaligned atomics trap, as misaligned or as access fault, and change nothing. */
#define MISALIGNED(insn, address, misaligned, fault)                                                                   \
	do {                                                                                                           \
		__asm__ volatile(TRY(insn)::"r"(address) : "t2", TRY_CLOBBERS);                                        \
		check_trap(insn, trap.cause == (fault) ? (fault) : (misaligned), (ulong)(address));                    \
	} while (0)

static void misaligned(void)
{
	uint8_t *odd = (uint8_t *)&cell + 1;

	cell.d[0] = 0x1122334455667788;
	cell.d[1] = 0;
	MISALIGNED("lr.w t2, (%0)", odd, CAUSE_LOAD_MISALIGNED, CAUSE_LOAD_ACCESS);
	MISALIGNED("sc.w t2, zero, (%0)", odd, CAUSE_STORE_MISALIGNED, CAUSE_STORE_ACCESS);
	MISALIGNED("amoadd.w t2, a0, (%0)", odd + 1, CAUSE_STORE_MISALIGNED, CAUSE_STORE_ACCESS);
	MISALIGNED("amoswap.w t2, a0, (%0)", odd, CAUSE_STORE_MISALIGNED, CAUSE_STORE_ACCESS);
	MISALIGNED("amomaxu.w t2, a0, (%0)", odd + 2, CAUSE_STORE_MISALIGNED, CAUSE_STORE_ACCESS);
#if XLEN == 64
	MISALIGNED("lr.d t2, (%0)", odd + 3, CAUSE_LOAD_MISALIGNED, CAUSE_LOAD_ACCESS);
	MISALIGNED("sc.d t2, zero, (%0)", odd + 3, CAUSE_STORE_MISALIGNED, CAUSE_STORE_ACCESS);
	MISALIGNED("amoadd.d t2, a0, (%0)", odd + 3, CAUSE_STORE_MISALIGNED, CAUSE_STORE_ACCESS);
#endif
	check("memory after misaligned atomics", cell.d[0], 0x1122334455667788);
	check("memory behind", cell.d[1], 0);
}

int main(void)
{
	word_operations();
#if XLEN == 64
	word_operations_on_wide_registers();
	doubleword_operations();
	doubleword_reservations();
#endif
	register_names();
	reservations();
	misaligned();
	return 0;
}
