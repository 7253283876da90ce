/*
 * What holds for all floating-point instructions: NaN boxing, moves, static and dynamic rounding modes, the reserved
 * modes, flags that gather until cleared, and registers that instructions share.
 */
#include "guest.h"

#define BOX   0xffffffff00000000
#define ONE_S 0x3f800000
#define NAN_S 0x7fc00000

static uint64_t out;

/* `insns` with ft0 and ft1 loaded whole; gives ft0 whole. */
#define WITH(insns, a, b)                                                                                              \
	({                                                                                                             \
		uint64_t in_[2] = {a, b};                                                                              \
		__asm__ volatile("fscsr x0\nfld ft0, 0(%0)\nfld ft1, 8(%0)\n" insns "\nfsd ft0, 0(%1)" ::"r"(in_),     \
				 "r"(&out)                                                                             \
				 : "ft0", "ft1", "ft2", "memory");                                                     \
		out;                                                                                                   \
	})

/* `insn` gives an integer in %0. */
#define ASK(insn, a)                                                                                                   \
	({                                                                                                             \
		uint64_t in_ = a;                                                                                      \
		ulong got_;                                                                                            \
		__asm__ volatile("fscsr x0\nfld ft0, 0(%1)\n" insn : "=&r"(got_) : "r"(&in_) : "ft0", "memory");       \
		got_;                                                                                                  \
	})

/* A single whose upper half is not all ones counts as the canonical NaN, in every instruction that computes. */
static void boxing(void)
{
	uint64_t one = ONE_S | BOX, bad = ONE_S, almost = ONE_S | 0xfffffffe00000000;

	check("boxed", WITH("fadd.s ft0, ft0, ft1", one, one), 0x40000000 | BOX);
	check("fadd.s, first", WITH("fadd.s ft0, ft0, ft1", bad, one), NAN_S | BOX);
	check("fadd.s, second", WITH("fadd.s ft0, ft0, ft1", one, bad), NAN_S | BOX);
	check("a quiet one: no flag", csr_read(fflags), 0);
	check("one bit short", WITH("fmul.s ft0, ft0, ft1", almost, one), NAN_S | BOX);
	check("fsqrt.s", WITH("fsqrt.s ft0, ft0", bad, one), NAN_S | BOX);
	check("fmadd.s, addend", WITH("fmadd.s ft0, ft1, ft1, ft0", bad, one), NAN_S | BOX);
	check("fmadd.s, factor", WITH("fmadd.s ft0, ft0, ft1, ft1", bad, one), NAN_S | BOX);
	check("fmin.s", WITH("fmin.s ft0, ft0, ft1", bad, one), ONE_S | BOX);
	check("fmax.s of two", WITH("fmax.s ft0, ft0, ft1", bad, bad), NAN_S | BOX);
	check("fsgnj.s, value", WITH("fsgnj.s ft0, ft0, ft1", bad | 0x80000000, one), NAN_S | BOX);
	check("fsgnj.s, sign", WITH("fsgnjn.s ft0, ft1, ft0", bad, one), 0xbf800000 | BOX);
	check("fcvt.d.s", WITH("fcvt.d.s ft0, ft0", bad, one), 0x7ff8000000000000);
	check("fclass.s", ASK("fclass.s %0, ft0", bad), 1 << 9);
	check("feq.s", ASK("feq.s %0, ft0, ft0", bad), 0);
	check("fcvt.w.s", ASK("fcvt.w.s %0, ft0", bad), 0x7fffffff);
	check("its flag", csr_read(fflags), 16);
}

/* Moves and stores pass bits on as they are. */
static void moves(void)
{
	uint64_t pattern = 0x123456787f800001;

	check("fmv.x.w does not look above", ASK("fmv.x.w %0, ft0", 0x1234567880000001), SX32(0x80000001));
	__asm__ volatile("fmv.w.x ft0, %0\nfsd ft0, 0(%1)" ::"r"(0x7f800001ul), "r"(&out) : "ft0", "memory");
	check("fmv.w.x boxes", out, 0x7f800001 | BOX);
	out = 0;
	__asm__ volatile("fld ft0, 0(%0)\nfsw ft0, 0(%1)" ::"r"(&pattern), "r"(&out) : "ft0", "memory");
	check("fsw does not look above", out, 0x7f800001);
	check("fsgnj.d moves a boxed single", WITH("fsgnj.d ft0, ft1, ft1", 0, 0x7f800001 | BOX), 0x7f800001 | BOX);
#if XLEN == 64
	check("fmv.x.d", ASK("fmv.x.d %0, ft0", 0x7ff0000000000001), 0x7ff0000000000001);
	__asm__ volatile("fmv.d.x ft0, %0\nfsd ft0, 0(%1)" ::"r"(0xfff0000000000001), "r"(&out) : "ft0", "memory");
	check("fmv.d.x", out, 0xfff0000000000001);
#endif
	check("moves raise no flag", csr_read(fflags), 0);
}

/* 1/3 and -1/3, which every mode but one pair rounds differently; an instruction's own mode goes before frm. */
static void static_modes(void)
{
#define THIRD(suffix, one, three, mode)                                                                                \
	({                                                                                                             \
		uint64_t in_[2] = {one, three};                                                                        \
		__asm__ volatile("fscsr %2\nfld ft0, 0(%0)\nfld ft1, 8(%0)\nfdiv." suffix " ft0, ft0, ft1, " mode      \
				 "\nfsd ft0, 0(%1)" ::"r"(in_),                                                        \
				 "r"(&out), "r"((other) << 5)                                                          \
				 : "ft0", "ft1", "ft2", "memory");                                                     \
		out;                                                                                                   \
	})
	for (ulong other = 0; other < 8; other++) {
		uint64_t one = ONE_S | BOX, three = 0x40400000 | BOX, minus = 0xbf800000 | BOX;

		check_row("rne", other, THIRD("s", one, three, "rne"), 0x3eaaaaab | BOX);
		check_row("rtz", other, THIRD("s", one, three, "rtz"), 0x3eaaaaaa | BOX);
		check_row("rdn", other, THIRD("s", one, three, "rdn"), 0x3eaaaaaa | BOX);
		check_row("rup", other, THIRD("s", one, three, "rup"), 0x3eaaaaab | BOX);
		check_row("rmm", other, THIRD("s", one, three, "rmm"), 0x3eaaaaab | BOX);
		check_row("negative rtz", other, THIRD("s", minus, three, "rtz"), 0xbeaaaaaa | BOX);
		check_row("negative rdn", other, THIRD("s", minus, three, "rdn"), 0xbeaaaaab | BOX);
		check_row("negative rup", other, THIRD("s", minus, three, "rup"), 0xbeaaaaaa | BOX);
		check_row("double rdn", other, THIRD("d", 0x3ff0000000000000, 0x4008000000000000, "rdn"),
			  0x3fd5555555555555);
		check_row("double rup", other, THIRD("d", 0x3ff0000000000000, 0x4008000000000000, "rup"),
			  0x3fd5555555555556);
	}
	csr_write(fcsr, 0);
}

/* Halves tell round-to-even from round-to-maximum-magnitude. */
static void ties(void)
{
	static const float values[] = {0.5f, 1.5f, 2.5f, -0.5f, -1.5f, -2.5f};
	static const int even[] = {0, 2, 2, 0, -2, -2}, away[] = {1, 2, 3, -1, -2, -3};

	for (ulong i = 0; i < ARRAY_SIZE(values); i++) {
		ulong got;

		__asm__ volatile("flw ft0, 0(%1)\nfcvt.w.s %0, ft0, rne"
				 : "=r"(got)
				 : "r"(&values[i])
				 : "ft0", "memory");
		check_row("fcvt.w.s rne", i, got, (ulong)(long)even[i]);
		__asm__ volatile("flw ft0, 0(%1)\nfcvt.w.s %0, ft0, rmm"
				 : "=r"(got)
				 : "r"(&values[i])
				 : "ft0", "memory");
		check_row("fcvt.w.s rmm", i, got, (ulong)(long)away[i]);
	}
}

#define DYNAMIC(insn) __asm__ volatile(TRY(insn)::: "t2", "ft0", TRY_CLOBBERS)

/* frm may hold 5 to 7, but an instruction that would round by it is illegal; those that do not round work. */
static void reserved_modes(void)
{
	for (ulong mode = 5; mode < 8; mode++) {
		csr_write(frm, mode);
		check("frm holds it", csr_read(frm), mode);
		DYNAMIC("fadd.s ft0, ft0, ft0");
		check_illegal("fadd.s");
		DYNAMIC("fsqrt.d ft0, ft0");
		check_illegal("fsqrt.d");
		DYNAMIC("fmadd.d ft0, ft0, ft0, ft0");
		check_illegal("fmadd.d");
		DYNAMIC("fcvt.w.d t2, ft0");
		check_illegal("fcvt.w.d");
		DYNAMIC("fcvt.s.w ft0, x0");
		check_illegal("fcvt.s.w");
		DYNAMIC("fcvt.s.d ft0, ft0");
		check_illegal("fcvt.s.d");
		DYNAMIC("fadd.s ft0, ft0, ft0, rtz");
		check_no_trap("fadd.s with a mode of its own");
		DYNAMIC("fsgnj.s ft0, ft0, ft0");
		check_no_trap("fsgnj.s");
		DYNAMIC("fmin.d ft0, ft0, ft0");
		check_no_trap("fmin.d");
		DYNAMIC("feq.s t2, ft0, ft0");
		check_no_trap("feq.s");
		DYNAMIC("fclass.d t2, ft0");
		check_no_trap("fclass.d");
		DYNAMIC("fmv.w.x ft0, x0");
		check_no_trap("fmv.w.x");
	}
	csr_write(fcsr, 0);
}

/* Flags gather: each operation adds its own, none takes another's away. */
static void gathering(void)
{
	uint64_t one = ONE_S | BOX, zero = BOX, max = 0x7f7fffff | BOX;

	csr_write(fcsr, 0);
	__asm__ volatile("fld ft0, 0(%0)\nfld ft1, 0(%1)\nfdiv.s ft2, ft0, ft1" ::"r"(&one), "r"(&zero)
			 : "ft0", "ft1", "ft2", "memory");
	check("division by zero", csr_read(fflags), 8);
	__asm__ volatile("fld ft1, 0(%0)\nfadd.s ft1, ft1, ft1" ::"r"(&max) : "ft1", "memory");
	check("and overflow", csr_read(fflags), 8 | 4 | 1);
	__asm__ volatile("fld ft1, 0(%0)\nfdiv.s ft1, ft1, ft1" ::"r"(&zero) : "ft1", "memory");
	check("and an invalid one", csr_read(fflags), 16 | 8 | 4 | 1);
	__asm__ volatile("fld ft0, 0(%0)\nfadd.s ft1, ft0, ft0" ::"r"(&one) : "ft0", "ft1", "memory");
	check("an exact one takes none away", csr_read(fflags), 16 | 8 | 4 | 1);
	csr_write(fflags, 2);
	check("a written flag stays", csr_read(fflags), 2);
	__asm__ volatile("fld ft0, 0(%0)\nfadd.s ft1, ft0, ft0" ::"r"(&one) : "ft0", "ft1", "memory");
	check("an exact one adds none", csr_read(fflags), 2);
	csr_write(fcsr, 0);
}

/* Every register holds a value of its own. */
static void register_file(void)
{
	static uint64_t in[32], back[32];

	for (ulong i = 0; i < 32; i++)
		in[i] = 0x0101010101010101 * i;
#define EACH(insn, base)                                                                                               \
	".irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31\n" insn         \
	" f\\n, 8*\\n(" base ")\n.endr\n"
	__asm__ volatile(EACH("fld", "%0") EACH("fsd", "%1")::"r"(in), "r"(back)
			 : "ft0", "ft1", "ft2", "ft3", "ft4", "ft5", "ft6", "ft7", "fs0", "fs1", "fa0", "fa1", "fa2",
			   "fa3", "fa4", "fa5", "fa6", "fa7", "fs2", "fs3", "fs4", "fs5", "fs6", "fs7", "fs8", "fs9",
			   "fs10", "fs11", "ft8", "ft9", "ft10", "ft11", "memory");
	for (ulong i = 0; i < 32; i++)
		check_row("register", i, back[i], in[i]);
	check("one register in all places", WITH("fmadd.d ft0, ft0, ft0, ft0", 0x4000000000000000, 0),
	      0x4018000000000000);
}

/* As many in a row as a block can have, of operands whose boxes nobody has seen: each must be looked at. */
static void dense(void)
{
	uint64_t one = ONE_S | BOX, bad = ONE_S;

	check("fadd.s in a row", WITH(".rept 200\nfadd.s ft2, ft1, ft0\n.endr\nfsgnj.s ft0, ft2, ft2", one, one),
	      0x40000000 | BOX);
	check("fmadd.s in a row", WITH(".rept 200\nfmadd.s ft2, ft1, ft1, ft0\n.endr\nfsgnj.s ft0, ft2, ft2", bad, one),
	      NAN_S | BOX);
}

int main(void)
{
	boxing();
	dense();
	moves();
	static_modes();
	ties();
	reserved_modes();
	gathering();
	register_file();
	return 0;
}
