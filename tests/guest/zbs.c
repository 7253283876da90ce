/* The Zbs extension: one bit set, cleared, inverted and extracted, its number taken modulo the register width. */
#include "tables.h"

__asm__(".option arch, +zbs");

static void register_forms(void)
{
#if XLEN == 64
	CHECK_RR("bclr", {0, 0, 0}, {0xffffffffffffffff, 0, 0xfffffffffffffffe}, {0, 0x3f, 0},
		 {0xffffffffffffffff, 0x3f, 0x7fffffffffffffff}, {0, 0x1f, 0},
		 {0xffffffffffffffff, 0x20, 0xfffffffeffffffff}, {0x123456789abcdef0, 0x44, 0x123456789abcdee0},
		 {0x123456789abcdef0, 3, 0x123456789abcdef0}, {0, 0xffffffffffffffff, 0});
	CHECK_RR("bext", {0, 0, 0}, {0xffffffffffffffff, 0, 1}, {0, 0x3f, 0}, {0xffffffffffffffff, 0x3f, 1},
		 {0, 0x1f, 0}, {0xffffffffffffffff, 0x20, 1}, {0x123456789abcdef0, 0x44, 1}, {0x123456789abcdef0, 3, 0},
		 {0, 0xffffffffffffffff, 0});
	CHECK_RR("binv", {0, 0, 1}, {0xffffffffffffffff, 0, 0xfffffffffffffffe}, {0, 0x3f, 0x8000000000000000},
		 {0xffffffffffffffff, 0x3f, 0x7fffffffffffffff}, {0, 0x1f, 0x80000000},
		 {0xffffffffffffffff, 0x20, 0xfffffffeffffffff}, {0x123456789abcdef0, 0x44, 0x123456789abcdee0},
		 {0x123456789abcdef0, 3, 0x123456789abcdef8}, {0, 0xffffffffffffffff, 0x8000000000000000});
	CHECK_RR("bset", {0, 0, 1}, {0xffffffffffffffff, 0, 0xffffffffffffffff}, {0, 0x3f, 0x8000000000000000},
		 {0xffffffffffffffff, 0x3f, 0xffffffffffffffff}, {0, 0x1f, 0x80000000},
		 {0xffffffffffffffff, 0x20, 0xffffffffffffffff}, {0x123456789abcdef0, 0x44, 0x123456789abcdef0},
		 {0x123456789abcdef0, 3, 0x123456789abcdef8}, {0, 0xffffffffffffffff, 0x8000000000000000});
#else
	CHECK_RR("bclr", {0, 0, 0}, {0xffffffff, 0, 0xfffffffe}, {0, 0x1f, 0}, {0xffffffff, 0x1f, 0x7fffffff},
		 {0, 0xf, 0}, {0xffffffff, 0x10, 0xfffeffff}, {0x12345678, 0x24, 0x12345668},
		 {0x12345678, 3, 0x12345670}, {0, 0xffffffff, 0});
	CHECK_RR("bext", {0, 0, 0}, {0xffffffff, 0, 1}, {0, 0x1f, 0}, {0xffffffff, 0x1f, 1}, {0, 0xf, 0},
		 {0xffffffff, 0x10, 1}, {0x12345678, 0x24, 1}, {0x12345678, 3, 1}, {0, 0xffffffff, 0});
	CHECK_RR("binv", {0, 0, 1}, {0xffffffff, 0, 0xfffffffe}, {0, 0x1f, 0x80000000}, {0xffffffff, 0x1f, 0x7fffffff},
		 {0, 0xf, 0x8000}, {0xffffffff, 0x10, 0xfffeffff}, {0x12345678, 0x24, 0x12345668},
		 {0x12345678, 3, 0x12345670}, {0, 0xffffffff, 0x80000000});
	CHECK_RR("bset", {0, 0, 1}, {0xffffffff, 0, 0xffffffff}, {0, 0x1f, 0x80000000}, {0xffffffff, 0x1f, 0xffffffff},
		 {0, 0xf, 0x8000}, {0xffffffff, 0x10, 0xffffffff}, {0x12345678, 0x24, 0x12345678},
		 {0x12345678, 3, 0x12345678}, {0, 0xffffffff, 0x80000000});
#endif
}

static void immediate_forms(void)
{
	CHECK_I("bclri", -1ul, 0, -2ul);
	CHECK_I("bclri", -1ul, XLEN - 1, XMIN - 1);
	CHECK_I("bclri", 0x10, 4, 0);
	CHECK_I("bexti", XMIN, XLEN - 1, 1);
	CHECK_I("bexti", XMIN - 1, XLEN - 1, 0);
	CHECK_I("bexti", 0x10, 4, 1);
	CHECK_I("binvi", 0, 0, 1);
	CHECK_I("binvi", XMIN, XLEN - 1, 0);
	CHECK_I("binvi", -1ul, 5, -33ul);
	CHECK_I("bseti", 0, XLEN - 1, XMIN);
	CHECK_I("bseti", 0, 31, 0x80000000);
	CHECK_I("bseti", 0x10, 4, 0x10);
}

int main(void)
{
	register_forms();
	immediate_forms();
	return 0;
}
