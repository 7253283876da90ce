/*
 * One and the same atomic instruction at all kinds of places in turn: writable pages up to their last word, misaligned
 * across the end, read-only pages, none, devices, and code. Where it cannot be carried out it traps and changes
 * nothing.
 */
#include "pagetable.h"

static uint32_t writable[PAGE / 4] __attribute__((aligned(4096)));
static uint32_t readable[PAGE / 4] __attribute__((aligned(4096)));
static uint32_t code[PAGE / 4] __attribute__((aligned(4096)));

#define DEVICE_VA (TEST_VA2 + PAGE)
#define MISSING	  (TEST_VA + PAGE) /* behind the writable page */
#define ROUNDS	  20

/* Each adds, so to speak, 0 to what is at the address, and leaves the value it found. */
static ulong found;

#define OPERATION(name, insn)                                                                                          \
	static ulong name(ulong va, ulong operand)                                                                     \
	{                                                                                                              \
		ulong old = 0x5e7f;                                                                                    \
                                                                                                                       \
		__asm__ volatile(TRY(insn) : "+&r"(old) : "r"(operand), "r"(va) : TRY_CLOBBERS);                       \
		found = old;                                                                                           \
		return trap.cause;                                                                                     \
	}

OPERATION(do_lr, "lr.w %0, (%2)")
OPERATION(do_add, "amoadd.w %0, %1, (%2)")
OPERATION(do_or, "amoor.w %0, %1, (%2)")
OPERATION(do_max, "amomaxu.w %0, %1, (%2)")
OPERATION(do_or_alone, "amoor.w x0, %1, (%2)")
#if XLEN == 64
OPERATION(do_add_d, "amoadd.d %0, %1, (%2)")
OPERATION(do_xor_d, "amoxor.d %0, %1, (%2)")
#endif

static const struct operation {
	const char *name;
	ulong (*run)(ulong va, ulong operand);
	unsigned size;
	bool reads_only, gives;
} operations[] = {
	{"lr.w", do_lr, 4, true, true},
	{"amoadd.w", do_add, 4, false, true},
	{"amoor.w", do_or, 4, false, true},
	{"amomaxu.w", do_max, 4, false, true},
	{"amoor.w to x0", do_or_alone, 4, false, false},
#if XLEN == 64
	{"amoadd.d", do_add_d, 8, false, true},
	{"amoxor.d", do_xor_d, 8, false, true},
#endif
};

static void succeeds(const struct operation *o, ulong va, uint32_t want)
{
	check(o->name, run_in(MODE_S, o->run, va, 0), NO_TRAP);
	if (o->gives)
		check(o->name, (uint32_t)found, want);
}

static void fails(const struct operation *o, ulong va, ulong cause, ulong other)
{
	ulong got = run_in(MODE_S, o->run, va, 0);

	check(o->name, got == other ? cause : got, cause);
	check(o->name, trap.tval, va);
	check(o->name, found, 0x5e7f);
}

static void everywhere(const struct operation *o)
{
	ulong page = o->reads_only ? CAUSE_LOAD_PAGE : CAUSE_STORE_PAGE;
	ulong access = o->reads_only ? CAUSE_LOAD_ACCESS : CAUSE_STORE_ACCESS;
	ulong misaligned = o->reads_only ? CAUSE_LOAD_MISALIGNED : CAUSE_STORE_MISALIGNED;
	ulong last = TEST_VA + PAGE - o->size;

	succeeds(o, TEST_VA + 8, 0x89abcdef);
	succeeds(o, last, writable[(PAGE - o->size) / 4]);
	fails(o, last + o->size / 2, misaligned, page);
	fails(o, last + 1, misaligned, access);
	if (o->reads_only)
		succeeds(o, TEST_VA2 + 8, 0x76543210);
	else
		fails(o, TEST_VA2 + 8, CAUSE_STORE_PAGE, CAUSE_STORE_PAGE);
	fails(o, MISSING, page, page);
	fails(o, DEVICE_VA, access, access);
	fails(o, o->size / 2, misaligned, page);
	fails(o, 1, misaligned, page);
}

/* A store-conditional fails at the other places, or traps there, and takes the reservation along. */
static ulong conditional(ulong from, ulong to)
{
	ulong failed = 2;

	__asm__ volatile("lr.w t0, (%0)" ::"r"(from) : "t0", "memory");
	__asm__ volatile(TRY("sc.w %0, x0, (%1)") : "+&r"(failed) : "r"(to) : TRY_CLOBBERS);
	return trap.cause == NO_TRAP ? failed : trap.cause << 8;
}

static void conditionals(void)
{
	writable[2] = 0x89abcdef;
	check("sc.w at another word", run_in(MODE_S, conditional, TEST_VA + 8, TEST_VA + 12), 1);
	check("sc.w at a read-only page", run_in(MODE_S, conditional, TEST_VA + 8, TEST_VA2 + 8),
	      CAUSE_STORE_PAGE << 8);
	check("sc.w at no page", run_in(MODE_S, conditional, TEST_VA + 8, MISSING), CAUSE_STORE_PAGE << 8);
	check("sc.w at a device", run_in(MODE_S, conditional, TEST_VA + 8, DEVICE_VA), CAUSE_STORE_ACCESS << 8);
	check("none of them stores", writable[2], 0x89abcdef);
	check("sc.w where it should be", run_in(MODE_S, conditional, TEST_VA + 8, TEST_VA + 8), 0);
	check("it stores", writable[2], 0);
	writable[2] = 0x89abcdef;
}

/* Code that atomics write is what runs next. */
static void writes_code(void)
{
	code[1] = 0x00008067; /* ret */
	for (uint32_t i = 0; i < ROUNDS; i++) {
		uint32_t insn = i << 20 | 0x513; /* addi a0, x0, i */
		ulong old, failed;

		if (i & 1)
			__asm__ volatile("amoswap.w %0, %1, (%2)" : "=&r"(old) : "r"(insn), "r"(code) : "memory");
		else
			__asm__ volatile("1: lr.w %0, (%3)\nsc.w %1, %2, (%3)\nbnez %1, 1b"
					 : "=&r"(old), "=&r"(failed)
					 : "r"(insn), "r"(code)
					 : "memory");
		__asm__ volatile("fence.i" ::: "memory");
		check("code written by an atomic", ((ulong(*)(void))code)(), i);
	}
}

int main(void)
{
	writes_code();
	open_pmp();
	readable[2] = 0x76543210;
	for (ulong i = 0; i < PAGE / 4; i++)
		writable[i] = i == 2 ? 0x89abcdef : (uint32_t)i * 0x01010101;
	pt_switch(pt_begin(&paging_modes[0]));
	pt_map(TEST_VA, (ulong)writable, 0, PTE_RW);
	pt_map(TEST_VA2, (ulong)readable, 0, PTE_V | PTE_R | PTE_AD);
	pt_map(DEVICE_VA, CLINT_BASE, 0, PTE_RW);
	for (unsigned round = 0; round < ROUNDS; round++)
		for (ulong i = 0; i < ARRAY_SIZE(operations); i++)
			everywhere(&operations[i]);
	conditionals();
	pt_off();
	check("the read-only page", readable[2], 0x76543210);
	for (ulong i = 0; i < PAGE / 4; i++)
		if (i != 2)
			check_row("the writable page", i, writable[i], (uint32_t)i * 0x01010101);
	return 0;
}
