/*
 * Loads and stores of the integer and floating-point sets: widths, sign and zero extension, offsets, and misaligned
 * accesses, which hardware carries out; fence in all its forms does nothing visible.
 */
#include "guest.h"

/* All in 4-byte encodings; compressed.c has the short ones. */
__asm__(".option norvc");

static uint8_t bytes[4096] __attribute__((aligned(4096)));

/* bytes[i] = 0x81 + i at the start: every width is negative when signed, and no two bytes are equal. */
static void fill(void)
{
	for (ulong i = 0; i < 64; i++)
		bytes[i] = (uint8_t)(0x81 + i);
}

#define LOAD(insn, offset, want)                                                                                       \
	do {                                                                                                           \
		ulong got_;                                                                                            \
		__asm__ volatile(insn " %0, %1(%2)" : "=r"(got_) : "i"(offset), "r"(bytes) : "memory");                \
		check(insn " at " #offset, got_, (ulong)(want));                                                       \
	} while (0)

static void loads(void)
{
	fill();
	LOAD("lb", 0, -0x7ful);
	LOAD("lb", 1, -0x7eul);
	LOAD("lbu", 0, 0x81);
	LOAD("lbu", 63, 0xc0);
	LOAD("lh", 0, SX32(0xffff8281));
	LOAD("lh", 2, SX32(0xffff8483));
	LOAD("lhu", 0, 0x8281);
	LOAD("lw", 0, SX32(0x84838281));
	LOAD("lw", 4, SX32(0x88878685));
#if XLEN == 64
	LOAD("lwu", 0, 0x84838281);
	LOAD("ld", 0, 0x8887868584838281);
	LOAD("ld", 8, 0x908f8e8d8c8b8a89);
#endif
}

static void misaligned_loads(void)
{
	LOAD("lh", 1, SX32(0xffff8382));
	LOAD("lhu", 3, 0x8584);
	LOAD("lhu", 7, 0x8988);
	LOAD("lw", 1, SX32(0x85848382));
	LOAD("lw", 2, SX32(0x86858483));
	LOAD("lw", 7, SX32(0x8b8a8988));
#if XLEN == 64
	LOAD("lwu", 5, 0x89888786);
	LOAD("ld", 1, 0x8988878685848382);
	LOAD("ld", 4, 0x8c8b8a8988878685);
	LOAD("ld", 15, 0x9796959493929190);
#endif
}

static void load_offsets(void)
{
	ulong got;

	bytes[2047] = 0x7b;
	bytes[0] = 0x5a;
	__asm__ volatile("lbu %0, 2047(%1)" : "=r"(got) : "r"(bytes) : "memory");
	check("offset 2047", got, 0x7b);
	__asm__ volatile("lbu %0, -2048(%1)" : "=r"(got) : "r"(bytes + 2048) : "memory");
	check("offset -2048", got, 0x5a);
	__asm__ volatile("mv t0, %1\nlbu t0, 0(t0)\nmv %0, t0" : "=r"(got) : "r"(bytes) : "t0", "memory");
	check("load over its own base", got, 0x5a);
	bytes[2047] = 0;
}

/* Stores into a field of 0xee and states the 16 bytes around. */
#define STORE(insn, offset, value, want_low, want_high)                                                                \
	do {                                                                                                           \
		for (ulong i_ = 0; i_ < 16; i_++)                                                                      \
			bytes[i_] = 0xee;                                                                              \
		__asm__ volatile(insn " %0, %1(%2)" ::"r"((ulong)(value)), "i"(offset), "r"(bytes) : "memory");        \
		check(insn " at " #offset ", low half", half(0), want_low);                                            \
		check(insn " at " #offset ", high half", half(8), want_high);                                          \
	} while (0)

static uint64_t half(ulong at)
{
	uint64_t v = 0;

	for (ulong i = 8; i-- > 0;)
		v = v << 8 | bytes[at + i];
	return v;
}

#define UNTOUCHED 0xeeeeeeeeeeeeeeee

static void stores(void)
{
	STORE("sb", 0, 0x12345678, 0xeeeeeeeeeeeeee78, UNTOUCHED);
	STORE("sb", 7, -1ul, 0xffeeeeeeeeeeeeee, UNTOUCHED);
	STORE("sh", 0, 0x12345678, 0xeeeeeeeeeeee5678, UNTOUCHED);
	STORE("sh", 6, 0x12345678, 0x5678eeeeeeeeeeee, UNTOUCHED);
	STORE("sw", 0, 0x12345678, 0xeeeeeeee12345678, UNTOUCHED);
	STORE("sw", 4, 0x12345678, 0x12345678eeeeeeee, UNTOUCHED);
	STORE("sh", 1, 0x12345678, 0xeeeeeeeeee5678ee, UNTOUCHED);
	STORE("sh", 7, 0x12345678, 0x78eeeeeeeeeeeeee, 0xeeeeeeeeeeeeee56);
	STORE("sw", 3, 0x12345678, 0xee12345678eeeeee, UNTOUCHED);
	STORE("sw", 6, 0x12345678, 0x5678eeeeeeeeeeee, 0xeeeeeeeeeeee1234);
#if XLEN == 64
	STORE("sw", 0, 0xaaaaaaaa12345678, 0xeeeeeeee12345678, UNTOUCHED);
	STORE("sd", 0, 0x0123456789abcdef, 0x0123456789abcdef, UNTOUCHED);
	STORE("sd", 8, 0x0123456789abcdef, UNTOUCHED, 0x0123456789abcdef);
	STORE("sd", 1, 0x0123456789abcdef, 0x23456789abcdefee, 0xeeeeeeeeeeeeee01);
	STORE("sd", 4, 0x0123456789abcdef, 0x89abcdefeeeeeeee, 0xeeeeeeee01234567);
#endif
}

/* Every byte pattern passes through flw/fsw and fld/fsd unchanged, aligned or not. */
static void floating_point_accesses(void)
{
	static const uint64_t pattern = 0x7ff0000000000001; /* a signalling NaN, both as double and in its low half */
	uint64_t out = 0;
	ulong boxed;

	__asm__ volatile("fld ft0, 0(%0)\nfsd ft0, 0(%1)" ::"r"(&pattern), "r"(&out) : "ft0", "memory");
	check("fld and fsd", out, pattern);
	__asm__ volatile("fld ft0, 0(%0)\nfsd ft0, 3(%1)\nfld ft1, 3(%1)\nfsd ft1, 0(%2)" ::"r"(&pattern), "r"(bytes),
			 "r"(&out)
			 : "ft0", "ft1", "memory");
	check("fld and fsd, misaligned", out, pattern);
	fill();
	out = UNTOUCHED;
	__asm__ volatile("flw ft0, 0(%0)\nfsw ft0, 0(%1)" ::"r"(bytes), "r"(&out) : "ft0", "memory");
	check("flw and fsw", out, 0xeeeeeeee84838281);
	__asm__ volatile("flw ft0, 1(%1)\nfmv.x.w %0, ft0" : "=r"(boxed) : "r"(bytes) : "ft0", "memory");
	check("flw misaligned", boxed, SX32(0x85848382));
	__asm__ volatile("flw ft0, 0(%0)\nfsd ft0, 0(%1)" ::"r"(bytes + 8), "r"(&out) : "ft0", "memory");
	check("flw boxes its value", out, 0xffffffff8c8b8a89);
}

static void fences(void)
{
	volatile ulong cell = 1;

	__asm__ volatile("fence\nfence rw, rw\nfence r, r\nfence w, w\nfence iorw, iorw\nfence.tso\nfence.i\n"
			 ".4byte 0x0100000f" /* pause */ ::
				 : "memory");
	/* reserved fields of fence and fence.i are ignored: rd, rs1 and, for fence.i, the immediate */
	__asm__ volatile(".insn i 0x0f, 0, x5, x6, 0x0ff\n.insn i 0x0f, 1, x5, x6, 0x123" ::: "memory");
	check("memory after fences", cell, 1);
}

int main(void)
{
	loads();
	misaligned_loads();
	load_offsets();
	stores();
	floating_point_accesses();
	fences();
	return 0;
}
