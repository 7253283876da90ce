/* The M extension: products by half, and division with its two special cases (by zero, and overflow). */
#include "tables.h"

static void products(void)
{
	CHECK_RR("mul", {0, 5, 0}, {3, 5, 15}, {-3ul, 5, -15ul}, {-3ul, -5ul, 15}, {XMIN, 2, 0}, {XMIN, 3, XMIN},
		 {XMIN, -1ul, XMIN}, {-1ul, -1ul, 1}, {0x12345678, 0x10001, (ulong)0x123468ac5678});
#if XLEN == 64
	CHECK_RR("mulh", {3, 5, 0}, {-3ul, 5, -1ul}, {XMIN, XMIN, 0x4000000000000000}, {XMIN, -1ul, 0}, {XMIN, 1, -1ul},
		 {-1ul, -1ul, 0}, {0x7fffffffffffffff, 0x7fffffffffffffff, 0x3fffffffffffffff},
		 {0x123456789abcdef0, 0x1000, 0x123}, {XMIN, 0x7fffffffffffffff, 0xc000000000000000});
	CHECK_RR("mulhu", {3, 5, 0}, {-1ul, -1ul, 0xfffffffffffffffe}, {XMIN, 2, 1}, {XMIN, XMIN, 0x4000000000000000},
		 {-1ul, 2, 1}, {0xf23456789abcdef0, 0x1000, 0xf23});
	CHECK_RR("mulhsu", {3, 5, 0}, {-1ul, 1, -1ul}, {-1ul, -1ul, -1ul}, {1, -1ul, 0},
		 {XMIN, XMIN, 0xc000000000000000}, {0x7fffffffffffffff, -1ul, 0x7ffffffffffffffe}, {2, XMIN, 1},
		 {-2ul, XMIN, -1ul});
	CHECK_RR("mulw", {0x7fffffff, 2, -2ul}, {0x100000003, 0x100000005, 15}, {0x10000, 0x10000, 0},
		 {0x10000, 0x8000, 0xffffffff80000000}, {0xffffffff80000000, -1ul, 0xffffffff80000000});
#else
	CHECK_RR("mulh", {3, 5, 0}, {-3ul, 5, -1ul}, {XMIN, XMIN, 0x40000000}, {XMIN, -1ul, 0}, {XMIN, 1, -1ul},
		 {-1ul, -1ul, 0}, {0x7fffffff, 0x7fffffff, 0x3fffffff}, {0x12345678, 0x1000, 0x123},
		 {XMIN, 0x7fffffff, 0xc0000000});
	CHECK_RR("mulhu", {3, 5, 0}, {-1ul, -1ul, 0xfffffffe}, {XMIN, 2, 1}, {XMIN, XMIN, 0x40000000}, {-1ul, 2, 1},
		 {0xf2345678, 0x1000, 0xf23});
	CHECK_RR("mulhsu", {3, 5, 0}, {-1ul, 1, -1ul}, {-1ul, -1ul, -1ul}, {1, -1ul, 0}, {XMIN, XMIN, 0xc0000000},
		 {0x7fffffff, -1ul, 0x7ffffffe}, {2, XMIN, 1}, {-2ul, XMIN, -1ul});
#endif
}

static void quotients(void)
{
	CHECK_RR("div", {20, 6, 3}, {-20ul, 6, -3ul}, {20, -6ul, -3ul}, {-20ul, -6ul, 3}, {1, 0, -1ul}, {0, 0, -1ul},
		 {-5ul, 0, -1ul}, {XMIN, 0, -1ul}, {XMIN, -1ul, XMIN}, {XMIN, 1, XMIN}, {XMIN - 1, -1ul, XMIN + 1},
		 {0, XMIN, 0}, {5, 7, 0});
	CHECK_RR("divu", {20, 6, 3}, {1, 0, -1ul}, {0, 0, -1ul}, {XMIN, 0, -1ul}, {XMIN, -1ul, 0}, {XMIN, 1, XMIN},
		 {-1ul, 2, XMIN - 1}, {-1ul, -1ul, 1}, {XMIN, 2, XMIN >> 1});
	CHECK_RR("rem", {20, 6, 2}, {-20ul, 6, -2ul}, {20, -6ul, 2}, {-20ul, -6ul, -2ul}, {1, 0, 1}, {0, 0, 0},
		 {-5ul, 0, -5ul}, {XMIN, 0, XMIN}, {XMIN, -1ul, 0}, {XMIN, 1, 0}, {5, 7, 5}, {-5ul, 7, -5ul});
	CHECK_RR("remu", {20, 6, 2}, {1, 0, 1}, {0, 0, 0}, {XMIN, 0, XMIN}, {XMIN, -1ul, XMIN}, {-1ul, 2, 1},
		 {-1ul, XMIN, XMIN - 1}, {5, 7, 5});
}

#if XLEN == 64
static void word_quotients(void)
{
	CHECK_RR("divw", {20, 6, 3}, {-20ul, 6, -3ul}, {0xf00000014, 0x700000006, 3}, {1, 0, -1ul},
		 {0x80000000, 0, -1ul}, {0x80000000, 0xffffffff, 0xffffffff80000000},
		 {0xffffffff80000000, -1ul, 0xffffffff80000000}, {0x80000000, 1, 0xffffffff80000000},
		 {0x100000000, 5, 0}, {7, 0x100000000, -1ul});
	CHECK_RR("divuw", {20, 6, 3}, {0xffffffff, 1, -1ul}, {0x80000000, 0, -1ul}, {0x80000000, 1, 0xffffffff80000000},
		 {0x80000000, 2, 0x40000000}, {0xabcdef00fffffffe, 2, 0x7fffffff}, {7, 0xabcdef0000000000, -1ul});
	CHECK_RR("remw", {20, 6, 2}, {-20ul, 6, -2ul}, {1, 0, 1}, {0x80000000, 0, 0xffffffff80000000},
		 {0x80000000, 0xffffffff, 0}, {0x1234567800000007, 0xf00000004, 3},
		 {0x1234567887654321, 0x100000000, 0xffffffff87654321});
	CHECK_RR("remuw", {20, 6, 2}, {1, 0, 1}, {0x80000000, 0, 0xffffffff80000000},
		 {0x80000000, 0xffffffff, 0xffffffff80000000}, {0xffffffff, 0x10, 15},
		 {0xabcdef01ffffffff, 0x100000000, -1ul});
}
#endif

int main(void)
{
	products();
	quotients();
#if XLEN == 64
	word_quotients();
#endif
	return 0;
}
