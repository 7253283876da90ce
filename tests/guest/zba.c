/* The Zba extension: shift and add, with and without zero extension of the index. */
#include "tables.h"

__asm__(".option arch, +zba");

static void indexed_addresses(void)
{
#if XLEN == 64
	CHECK_RR("sh1add", {0, 0, 0}, {1, 2, 4}, {0xffffffffffffffff, 1, 0xffffffffffffffff},
		 {0x8000000000000000, 0x8000000000000000, 0x8000000000000000},
		 {0xffffffff80000001, 0x10, 0xffffffff00000012},
		 {0x123456789abcdef0, 0xfedcba9876543210, 0x23456789abcdeff0},
		 {0x2000000000000000, 5, 0x4000000000000005});
	CHECK_RR("sh2add", {0, 0, 0}, {1, 2, 6}, {0xffffffffffffffff, 1, 0xfffffffffffffffd},
		 {0x8000000000000000, 0x8000000000000000, 0x8000000000000000},
		 {0xffffffff80000001, 0x10, 0xfffffffe00000014},
		 {0x123456789abcdef0, 0xfedcba9876543210, 0x47ae147ae147add0},
		 {0x2000000000000000, 5, 0x8000000000000005});
	CHECK_RR("sh3add", {0, 0, 0}, {1, 2, 0xa}, {0xffffffffffffffff, 1, 0xfffffffffffffff9},
		 {0x8000000000000000, 0x8000000000000000, 0x8000000000000000},
		 {0xffffffff80000001, 0x10, 0xfffffffc00000018},
		 {0x123456789abcdef0, 0xfedcba9876543210, 0x907f6e5d4c3b2990}, {0x2000000000000000, 5, 5});
#else
	CHECK_RR("sh1add", {0, 0, 0}, {1, 2, 4}, {0xffffffff, 1, 0xffffffff}, {0x80000000, 0x80000000, 0x80000000},
		 {0x12345678, 0xfedcba98, 0x23456788}, {0x20000000, 5, 0x40000005},
		 {0x7fffffff, 0x7fffffff, 0x7ffffffd});
	CHECK_RR("sh2add", {0, 0, 0}, {1, 2, 6}, {0xffffffff, 1, 0xfffffffd}, {0x80000000, 0x80000000, 0x80000000},
		 {0x12345678, 0xfedcba98, 0x47ae1478}, {0x20000000, 5, 0x80000005},
		 {0x7fffffff, 0x7fffffff, 0x7ffffffb});
	CHECK_RR("sh3add", {0, 0, 0}, {1, 2, 0xa}, {0xffffffff, 1, 0xfffffff9}, {0x80000000, 0x80000000, 0x80000000},
		 {0x12345678, 0xfedcba98, 0x907f6e58}, {0x20000000, 5, 5}, {0x7fffffff, 0x7fffffff, 0x7ffffff7});
#endif
}

#if XLEN == 64
static void unsigned_word_indices(void)
{
	CHECK_RR("add.uw", {0, 0, 0}, {1, 2, 3}, {0xffffffffffffffff, 1, 0x100000000},
		 {0x8000000000000000, 0x8000000000000000, 0x8000000000000000}, {0xffffffff80000001, 0x10, 0x80000011},
		 {0x123456789abcdef0, 0xfedcba9876543210, 0xfedcba9911111100}, {0x2000000000000000, 5, 5});
	CHECK_RR("sh1add.uw", {0, 0, 0}, {1, 2, 4}, {0xffffffffffffffff, 1, 0x1ffffffff},
		 {0x8000000000000000, 0x8000000000000000, 0x8000000000000000}, {0xffffffff80000001, 0x10, 0x100000012},
		 {0x123456789abcdef0, 0xfedcba9876543210, 0xfedcba99abcdeff0}, {0x2000000000000000, 5, 5});
	CHECK_RR("sh2add.uw", {0, 0, 0}, {1, 2, 6}, {0xffffffffffffffff, 1, 0x3fffffffd},
		 {0x8000000000000000, 0x8000000000000000, 0x8000000000000000}, {0xffffffff80000001, 0x10, 0x200000014},
		 {0x123456789abcdef0, 0xfedcba9876543210, 0xfedcba9ae147add0}, {0x2000000000000000, 5, 5});
	CHECK_RR("sh3add.uw", {0, 0, 0}, {1, 2, 0xa}, {0xffffffffffffffff, 1, 0x7fffffff9},
		 {0x8000000000000000, 0x8000000000000000, 0x8000000000000000}, {0xffffffff80000001, 0x10, 0x400000018},
		 {0x123456789abcdef0, 0xfedcba9876543210, 0xfedcba9d4c3b2990}, {0x2000000000000000, 5, 5});
}
#endif

#if XLEN == 64
static void shift_of_unsigned_word(void)
{
	CHECK_I("slli.uw", 0xffffffff80000001, 0, 0x80000001);
	CHECK_I("slli.uw", 0xffffffff80000001, 1, 0x100000002);
	CHECK_I("slli.uw", 0xffffffff80000001, 32, 0x8000000100000000);
	CHECK_I("slli.uw", 0x1234567800000001, 63, 0x8000000000000000);
}
#endif

int main(void)
{
	indexed_addresses();
#if XLEN == 64
	unsigned_word_indices();
	shift_of_unsigned_word();
#endif
	return 0;
}
