/* The register-only instructions of RV32I and RV64I: arithmetic, logic, shifts, comparison, lui, auipc, and x0. */
#include "tables.h"

/* All in 4-byte encodings; compressed.c has the short ones. */
__asm__(".option norvc");

static void register_operations(void)
{
	CHECK_RR("add", {0, 0, 0}, {1, 2, 3}, {-1ul, 1, 0}, {XMIN, XMIN, 0}, {XMIN - 1, 1, XMIN},
		 {0x7fffffff, 1, 0x80000000});
	CHECK_RR("sub", {0, 0, 0}, {3, 2, 1}, {0, 1, -1ul}, {XMIN, 1, XMIN - 1}, {5, -3ul, 8}, {0, XMIN, XMIN});
	CHECK_RR("slt", {0, 0, 0}, {1, 2, 1}, {2, 1, 0}, {-1ul, 0, 1}, {0, -1ul, 0}, {XMIN, XMIN - 1, 1},
		 {XMIN - 1, XMIN, 0}, {-2ul, -1ul, 1});
	CHECK_RR("sltu", {0, 0, 0}, {1, 2, 1}, {2, 1, 0}, {-1ul, 0, 0}, {0, -1ul, 1}, {XMIN, XMIN - 1, 0},
		 {XMIN - 1, XMIN, 1});
	CHECK_RR("and", {0xff00ff00, 0x0ff00ff0, 0x0f000f00}, {-1ul, XMIN, XMIN}, {0, -1ul, 0});
	CHECK_RR("or", {0xff00ff00, 0x0ff00ff0, 0xfff0fff0}, {0, XMIN, XMIN}, {XMIN - 1, XMIN, -1ul});
	CHECK_RR("xor", {0xff00ff00, 0x0ff00ff0, 0xf0f0f0f0}, {-1ul, -1ul, 0}, {-1ul, XMIN, XMIN - 1});
}

/* A shift uses the low five or six bits of its amount alone. */
static void shifts(void)
{
	CHECK_RR("sll", {1, 0, 1}, {1, XLEN - 1, XMIN}, {1, XLEN, 1}, {3, XLEN - 1, XMIN}, {1, -1ul, XMIN},
		 {0x121, XLEN + 4, 0x1210});
	CHECK_RR("srl", {XMIN, 0, XMIN}, {XMIN, XLEN - 1, 1}, {XMIN, XLEN, XMIN}, {-1ul, XLEN - 4, 15},
		 {0x1210, -XLEN + 4, 0x121});
	CHECK_RR("sra", {XMIN, 0, XMIN}, {XMIN, XLEN - 1, -1ul}, {XMIN, XLEN, XMIN}, {XMIN - 1, XLEN - 2, 1},
		 {-0x1210ul, 4, -0x121ul});
	CHECK_I("slli", 1, XLEN - 1, XMIN);
	CHECK_I("slli", 0x121, 4, 0x1210);
	CHECK_I("slli", -1ul, 0, -1ul);
	CHECK_I("srli", XMIN, XLEN - 1, 1);
	CHECK_I("srli", -1ul, XLEN - 4, 15);
	CHECK_I("srai", XMIN, XLEN - 1, -1ul);
	CHECK_I("srai", XMIN - 1, XLEN - 2, 1);
	CHECK_I("srai", -0x1210ul, 4, -0x121ul);
}

static void immediates(void)
{
	CHECK_I("addi", 0, 0, 0);
	CHECK_I("addi", 1, 2047, 2048);
	CHECK_I("addi", 1, -2048, -2047ul);
	CHECK_I("addi", XMIN, -1, XMIN - 1);
	CHECK_I("slti", 5, 6, 1);
	CHECK_I("slti", -1ul, 0, 1);
	CHECK_I("slti", 0, -1, 0);
	CHECK_I("slti", XMIN, -2048, 1);
	CHECK_I("sltiu", 5, 6, 1);
	CHECK_I("sltiu", 0, -1, 1);
	CHECK_I("sltiu", -1ul, -1, 0);
	CHECK_I("sltiu", -2049ul, -2048, 1);
	CHECK_I("sltiu", 0, 1, 1);
	CHECK_I("andi", -1ul, -2048, -2048ul);
	CHECK_I("andi", 0x12345678, 0x0f0, 0x070);
	CHECK_I("ori", 0x12345000, 0x678, 0x12345678);
	CHECK_I("ori", 1, -2048, -2047ul);
	CHECK_I("xori", 0x12345678, -1, ~0x12345678ul);
	CHECK_I("xori", 0x0f0, 0x7ff, 0x70f);
}

static void upper_immediates(void)
{
	ulong got, here;

	__asm__ volatile("lui %0, 0x12345" : "=r"(got));
	check("lui", got, 0x12345000);
	__asm__ volatile("lui %0, 0x80000" : "=r"(got));
	check("lui sign", got, SX32(0x80000000));
	__asm__ volatile("lui %0, 0xfffff" : "=r"(got));
	check("lui ones", got, -4096ul);
	__asm__ volatile("la %0, 1f\n1: auipc %1, 0x12345" : "=&r"(here), "=r"(got));
	check("auipc", got, here + 0x12345000);
	__asm__ volatile("la %0, 1f\n1: auipc %1, 0xfffff" : "=&r"(here), "=r"(got));
	check("auipc back", got, here - 4096);
	__asm__ volatile("la %0, 1f\n1: auipc %1, 0" : "=&r"(here), "=r"(got));
	check("auipc 0", got, here);
}

#if XLEN == 64
static void word_operations(void)
{
	CHECK_RR("addw", {0x7fffffff, 1, 0xffffffff80000000}, {0xffffffff, 1, 0},
		 {0x123456780000000f, 0xabcdef0000000001, 16}, {0x80000000, 0xffffffff80000000, 0});
	CHECK_RR("subw", {0, 1, -1ul}, {0x80000000, 1, 0x7fffffff}, {0xffffffff00000005, 0x7fffffff00000003, 2});
	CHECK_RR("sllw", {1, 31, 0xffffffff80000000}, {1, 32, 1}, {0xffffffff00000001, 4, 16},
		 {1, 63, 0xffffffff80000000});
	CHECK_RR("srlw", {0xffffffff80000000, 31, 1}, {0xffffffff80000000, 0, 0xffffffff80000000},
		 {0x1234567880000000, 4, 0x08000000}, {0xf0, 36, 0xf});
	CHECK_RR("sraw", {0x80000000, 31, -1ul}, {0xffffffff70000000, 4, 0x07000000},
		 {0x80000000, 32, SX32(0x80000000)}, {0x1234567880000000, 4, 0xfffffffff8000000});
	CHECK_I("addiw", 0x7fffffff, 1, 0xffffffff80000000);
	CHECK_I("addiw", 0xffffffff80000000, -1, 0x7fffffff);
	CHECK_I("addiw", 0x1234567887654321, 0, 0xffffffff87654321);
	CHECK_I("slliw", 0x1234567800000001, 31, 0xffffffff80000000);
	CHECK_I("slliw", 0xffffffff00000011, 4, 0x110);
	CHECK_I("srliw", 0x1234567880000000, 31, 1);
	CHECK_I("srliw", 0x1234567880000000, 0, 0xffffffff80000000);
	CHECK_I("sraiw", 0x1234567880000000, 31, -1ul);
	CHECK_I("sraiw", 0xffffffff40000000, 30, 1);
}
#endif

/* x0 reads as zero whatever is written to it, and an instruction may name one register three times. */
static void register_names(void)
{
	ulong got = 21;

	__asm__ volatile("li t0, 77\nadd x0, t0, t0\naddi x0, t0, 5\nlui x0, 0x12345\nauipc x0, 1\nadd %0, x0, x0"
			 : "=r"(got)::"t0");
	check("x0 as destination", got, 0);
	__asm__ volatile("li t0, 77\nsub %0, x0, t0" : "=r"(got)::"t0");
	check("x0 as source", got, -77ul);
	__asm__ volatile("lw x0, 0(sp)\nmv %0, x0" : "=r"(got));
	check("load to x0", got, 0);
	got = 21;
	__asm__ volatile("add %0, %0, %0" : "+r"(got));
	check("rd = rs1 = rs2", got, 42);
	__asm__ volatile("sub %0, %0, %0" : "+r"(got));
	check("sub from itself", got, 0);
}

/* Each register holds a value of its own: written in a row, read back in another. */
static void register_file(void)
{
	ulong want = 0, got;

	for (ulong n = 1; n <= 31; n++)
		if (n != 2)
			want += n << n % 16;
	__asm__ volatile("addi sp, sp, -128\n"
			 ".irp n, 1,3,4,8,9\n" GUEST_SX " x\\n, (\\n)*" GUEST_SLOT "(sp)\n.endr\n"
			 ".irp n, 1,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31\n"
			 "li x\\n, \\n << (\\n %% 16)\n.endr\n"
			 ".irp n, 1,3,4,5,6,7,8,9,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31\n"
			 "add a0, a0, x\\n\n.endr\n"
			 ".irp n, 1,3,4,8,9\n" GUEST_LX " x\\n, (\\n)*" GUEST_SLOT "(sp)\n.endr\n"
			 "addi sp, sp, 128\n"
			 "mv %0, a0\n"
			 : "=&r"(got)
			 :
			 : "t0", "t1", "t2", "a0", "a1", "a2", "a3", "a4", "a5", "a6", "a7", "s2", "s3", "s4", "s5",
			   "s6", "s7", "s8", "s9", "s10", "s11", "t3", "t4", "t5", "t6", "memory");
	check("sum of all registers", got, want);
}

int main(void)
{
	register_operations();
	shifts();
	immediates();
	upper_immediates();
#if XLEN == 64
	word_operations();
#endif
	register_names();
	register_file();
	return 0;
}
