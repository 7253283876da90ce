/*
 * Accesses and instructions that lie in two pages: neighbours in virtual memory whose frames are not. Where one page is
 * missing, the fault names the part that faults, nothing is stored and no register changes.
 */
#include "pagetable.h"

static uint8_t frames[4][PAGE] __attribute__((aligned(4096)));

/* The first byte of the second page. */
#define BORDER (TEST_VA + PAGE)

/* Bytes around the border: the end of `first` and the start of `second`. */
static uint8_t *const first = frames[2];
static uint8_t *const second = frames[0];

static void map_both(void)
{
	pt_map(TEST_VA, (ulong)first, 0, PTE_RWX);
	pt_map(BORDER, (ulong)second, 0, PTE_RWX);
	for (unsigned i = 0; i < 8; i++) {
		first[PAGE - 8 + i] = (uint8_t)(0x11 + i);
		second[i] = (uint8_t)(0x81 + i);
		/* what lies behind the first frame and before the second must play no part */
		frames[3][i] = 0xee;
	}
}

static void set_mode_s(void)
{
	csr_clear(mstatus, STATUS_MPP);
	csr_set(mstatus, MODE_S << STATUS_MPP_SHIFT);
}

#define CROSS_LOAD(insn, before, want)                                                                                 \
	do {                                                                                                           \
		ulong got_ = 0;                                                                                        \
		set_mode_s();                                                                                          \
		__asm__ volatile(TRY_AS(insn " %0, 0(%1)")                                                             \
				 : "+&r"(got_)                                                                         \
				 : "r"(BORDER - (before)), [mprv] "r"(STATUS_MPRV)                                     \
				 : TRY_CLOBBERS);                                                                      \
		check_no_trap(insn);                                                                                   \
		check(insn " from -" #before, got_, (ulong)(want));                                                    \
	} while (0)

static void loads(void)
{
	map_both();
	CROSS_LOAD("lh", 1, SX32(0xffff8118));
	CROSS_LOAD("lhu", 1, 0x8118);
	CROSS_LOAD("lw", 1, SX32(0x83828118));
	CROSS_LOAD("lw", 2, SX32(0x82811817));
	CROSS_LOAD("lw", 3, SX32(0x81181716));
#if XLEN == 64
	CROSS_LOAD("lwu", 1, 0x83828118);
	CROSS_LOAD("ld", 1, 0x8786858483828118);
	CROSS_LOAD("ld", 4, 0x8483828118171615);
	CROSS_LOAD("ld", 7, 0x8118171615141312);
#endif
}

static uint64_t before_border(void)
{
	uint64_t v = 0;

	for (unsigned i = 8; i-- > 0;)
		v = v << 8 | first[PAGE - 8 + i];
	return v;
}

static uint64_t behind_border(void)
{
	uint64_t v = 0;

	for (unsigned i = 8; i-- > 0;)
		v = v << 8 | second[i];
	return v;
}

#define PLAIN_BEFORE 0x1817161514131211
#define PLAIN_BEHIND 0x8887868584838281

#define CROSS_STORE(insn, before, value, want_before, want_behind)                                                     \
	do {                                                                                                           \
		map_both();                                                                                            \
		set_mode_s();                                                                                          \
		__asm__ volatile(TRY_AS(insn " %0, 0(%1)")::"r"((ulong)(value)),                                       \
				 "r"(BORDER - (before)), [mprv] "r"(STATUS_MPRV)                                       \
				 : TRY_CLOBBERS);                                                                      \
		check_no_trap(insn);                                                                                   \
		check(insn " to -" #before ", first page", before_border(), want_before);                              \
		check(insn " to -" #before ", second page", behind_border(), want_behind);                             \
	} while (0)

static void stores(void)
{
	CROSS_STORE("sh", 1, 0xaabb, 0xbb17161514131211, 0x88878685848382aa);
	CROSS_STORE("sw", 1, 0xaabbccdd, 0xdd17161514131211, 0x8887868584aabbcc);
	CROSS_STORE("sw", 2, 0xaabbccdd, 0xccdd161514131211, 0x888786858483aabb);
	CROSS_STORE("sw", 3, 0xaabbccdd, 0xbbccdd1514131211, 0x88878685848382aa);
#if XLEN == 64
	CROSS_STORE("sd", 4, 0x0102030405060708, 0x0506070814131211, 0x8887868501020304);
	CROSS_STORE("sd", 1, 0x0102030405060708, 0x0817161514131211, 0x8801020304050607);
	CROSS_STORE("sd", 7, 0x0102030405060708, 0x0203040506070811, 0x8887868584838201);
#endif
}

static void floating_point(void)
{
	static const uint64_t value = 0x0102030405060708;
	static uint64_t got;

	map_both();
	set_mode_s();
	__asm__ volatile("fld ft0, 0(%0)\n" TRY_AS("fsd ft0, 0(%1)")::"r"(&value),
			 "r"(BORDER - 5), [mprv] "r"(STATUS_MPRV)
			 : "ft0", TRY_CLOBBERS);
	check_no_trap("fsd");
	check("fsd, first page", before_border(), 0x0405060708131211);
	check("fsd, second page", behind_border(), 0x8887868584010203);
	set_mode_s();
	__asm__ volatile(TRY_AS("fld ft1, 0(%1)") "fsd ft1, 0(%0)" ::"r"(&got), "r"(BORDER - 5), [mprv] "r"(STATUS_MPRV)
			 : "ft1", TRY_CLOBBERS);
	check("fld", got, value);
}

#define CROSS_FAULT(insn, before, cause, tval)                                                                         \
	do {                                                                                                           \
		ulong got_ = 0x1234;                                                                                   \
		set_mode_s();                                                                                          \
		__asm__ volatile(TRY_AS(insn " %0, 0(%1)")                                                             \
				 : "+&r"(got_)                                                                         \
				 : "r"(BORDER - (before)), [mprv] "r"(STATUS_MPRV)                                     \
				 : TRY_CLOBBERS);                                                                      \
		check_trap(insn, cause, tval);                                                                         \
		check(insn " keeps its register", got_, 0x1234);                                                       \
		check(insn " stores nothing before", before_border(), PLAIN_BEFORE);                                   \
		check(insn " stores nothing behind", behind_border(), PLAIN_BEHIND);                                   \
	} while (0)

/* The faulting part is the second page's first byte, or the access's own first byte in the first page. */
static void second_page_missing(void)
{
	map_both();
	*pt_entry(BORDER, 0) = 0;
	pt_flush();
	CROSS_FAULT("lh", 1, CAUSE_LOAD_PAGE, BORDER);
	CROSS_FAULT("lw", 2, CAUSE_LOAD_PAGE, BORDER);
	CROSS_FAULT("sh", 1, CAUSE_STORE_PAGE, BORDER);
	CROSS_FAULT("sw", 3, CAUSE_STORE_PAGE, BORDER);
#if XLEN == 64
	CROSS_FAULT("ld", 4, CAUSE_LOAD_PAGE, BORDER);
	CROSS_FAULT("sd", 7, CAUSE_STORE_PAGE, BORDER);
#endif
	check("byte before the border", access_as(MODE_S, LOAD, BORDER - 1), NO_TRAP);
}

static void first_page_missing(void)
{
	map_both();
	*pt_entry(TEST_VA, 0) = 0;
	pt_flush();
	CROSS_FAULT("lh", 1, CAUSE_LOAD_PAGE, BORDER - 1);
	CROSS_FAULT("lw", 2, CAUSE_LOAD_PAGE, BORDER - 2);
	CROSS_FAULT("sw", 3, CAUSE_STORE_PAGE, BORDER - 3);
#if XLEN == 64
	CROSS_FAULT("ld", 4, CAUSE_LOAD_PAGE, BORDER - 4);
	CROSS_FAULT("sd", 7, CAUSE_STORE_PAGE, BORDER - 7);
#endif
}

static void second_page_read_only(void)
{
	map_both();
	pt_map(BORDER, (ulong)second, 0, PTE_V | PTE_R | PTE_AD);
	CROSS_FAULT("sw", 3, CAUSE_STORE_PAGE, BORDER);
	CROSS_LOAD("lw", 3, SX32(0x81181716));
}

/* Code that ends its first page with half an instruction. */
static void put_halves(uint8_t *at, uint32_t code)
{
	for (unsigned i = 0; i < 4; i++)
		at[i] = (uint8_t)(code >> 8 * i);
}

static ulong jump(ulong target, ulong a1)
{
	register ulong a0 __asm__("a0") = 0;
	register ulong r1 __asm__("a1") = a1;

	__asm__ volatile(TRY("jalr %2") : "+r"(a0), "+r"(r1) : "r"(target) : "ra", TRY_CLOBBERS);
	return a0;
}

enum { ADDI_A0_A1_100 = 0x06458513, C_LI_A0_1 = 0x4505, C_ADDI_A0_1 = 0x0505, C_RET = 0x8082, NOP = 0x00000013 };

static void execution(void)
{
	map_both();
	/* [-4] c.li a0, 1  [-2] addi a0, a1, 100, half in each page  [2] c.ret */
	put_halves(first + PAGE - 4, C_LI_A0_1 | (uint32_t)ADDI_A0_A1_100 << 16);
	put_halves(second, ADDI_A0_A1_100 >> 16 | (uint32_t)C_RET << 16);
	__asm__ volatile("fence.i" ::: "memory");
	check("instruction across the border", run_in(MODE_S, jump, BORDER - 4, 11), 111);
	check_no_trap("instruction across the border");
	check("entered directly", run_in(MODE_S, jump, BORDER - 2, 22), 122);

	*pt_entry(BORDER, 0) = 0;
	pt_flush();
	check("with the second page missing", run_in(MODE_S, jump, BORDER - 4, 33), 1);
	check("cause", trap.cause, CAUSE_FETCH_PAGE);
	check("epc is the instruction", trap.epc, BORDER - 2);
	check("tval is the part that faults", trap.tval, BORDER);

	/* the same second half from another frame: the instruction changes with its page */
	put_halves(frames[1], ((uint32_t)ADDI_A0_A1_100 + (100u << 20)) >> 16 | (uint32_t)C_RET << 16);
	__asm__ volatile("fence.i" ::: "memory");
	pt_map(BORDER, (ulong)frames[1], 0, PTE_RX);
	check("with another second page", run_in(MODE_S, jump, BORDER - 4, 11), 211);
	pt_map(BORDER, (ulong)second, 0, PTE_RX);
	check("with the first one again", run_in(MODE_S, jump, BORDER - 4, 11), 111);
}

/* Straight execution from one page into the next, aligned at the border. */
static void running_over(void)
{
	map_both();
	put_halves(first + PAGE - 4, C_LI_A0_1 | (uint32_t)C_ADDI_A0_1 << 16);
	put_halves(second, C_ADDI_A0_1 | (uint32_t)C_RET << 16);
	__asm__ volatile("fence.i" ::: "memory");
	check("running into the next page", run_in(MODE_S, jump, BORDER - 4, 0), 3);
	pt_map(BORDER, (ulong)second, 0, PTE_RW);
	check("which cannot be executed", run_in(MODE_S, jump, BORDER - 4, 0), 2);
	check("cause", trap.cause, CAUSE_FETCH_PAGE);
	check("epc", trap.epc, BORDER);
	check("tval", trap.tval, BORDER);
}

int main(void)
{
	open_pmp();
	for (ulong i = 0; i < paging_mode_count; i++) {
		pt_switch(pt_begin(&paging_modes[i]));
		loads();
		stores();
		floating_point();
		second_page_missing();
		first_page_missing();
		second_page_read_only();
		execution();
		running_over();
		pt_off();
	}
	return 0;
}
