/*
 * Conversions between integers and both floating-point formats, by the tables of float_convert.def: each row in all
 * five rounding modes, result and flags. Those of 64-bit integers exist on rv64 alone.
 */
#include "guest.h"

#define BOX 0xffffffff00000000

enum kind {
	S_TO_W_ROW,
	S_TO_WU_ROW,
	S_TO_L_ROW,
	S_TO_LU_ROW,
	D_TO_W_ROW,
	D_TO_WU_ROW,
	D_TO_L_ROW,
	D_TO_LU_ROW,
	W_TO_S_ROW,
	WU_TO_S_ROW,
	L_TO_S_ROW,
	LU_TO_S_ROW,
	W_TO_D_ROW,
	WU_TO_D_ROW,
	L_TO_D_ROW,
	LU_TO_D_ROW,
	S_TO_D_ROW,
	D_TO_S_ROW,
};

static const char *const names[] = {
	[S_TO_W_ROW] = "fcvt.w.s", [S_TO_WU_ROW] = "fcvt.wu.s", [S_TO_L_ROW] = "fcvt.l.s", [S_TO_LU_ROW] = "fcvt.lu.s",
	[D_TO_W_ROW] = "fcvt.w.d", [D_TO_WU_ROW] = "fcvt.wu.d", [D_TO_L_ROW] = "fcvt.l.d", [D_TO_LU_ROW] = "fcvt.lu.d",
	[W_TO_S_ROW] = "fcvt.s.w", [WU_TO_S_ROW] = "fcvt.s.wu", [L_TO_S_ROW] = "fcvt.s.l", [LU_TO_S_ROW] = "fcvt.s.lu",
	[W_TO_D_ROW] = "fcvt.d.w", [WU_TO_D_ROW] = "fcvt.d.wu", [L_TO_D_ROW] = "fcvt.d.l", [LU_TO_D_ROW] = "fcvt.d.lu",
	[S_TO_D_ROW] = "fcvt.d.s", [D_TO_S_ROW] = "fcvt.s.d",
};

static const struct row {
	enum kind kind;
	uint64_t in;
	uint64_t want[5];
	uint8_t flags[5];
} rows[] = {
#define ROW(kind, in, r0, r1, r2, r3, r4, f0, f1, f2, f3, f4) {kind, in, {r0, r1, r2, r3, r4}, {f0, f1, f2, f3, f4}},
#define S_TO_W(...)					      ROW(S_TO_W_ROW, __VA_ARGS__)
#define S_TO_WU(...)					      ROW(S_TO_WU_ROW, __VA_ARGS__)
#define D_TO_W(...)					      ROW(D_TO_W_ROW, __VA_ARGS__)
#define D_TO_WU(...)					      ROW(D_TO_WU_ROW, __VA_ARGS__)
#define W_TO_S(...)					      ROW(W_TO_S_ROW, __VA_ARGS__)
#define WU_TO_S(...)					      ROW(WU_TO_S_ROW, __VA_ARGS__)
#define W_TO_D(...)					      ROW(W_TO_D_ROW, __VA_ARGS__)
#define WU_TO_D(...)					      ROW(WU_TO_D_ROW, __VA_ARGS__)
#define S_TO_D(...)					      ROW(S_TO_D_ROW, __VA_ARGS__)
#define D_TO_S(...)					      ROW(D_TO_S_ROW, __VA_ARGS__)
#if XLEN == 64
#define S_TO_L(...)  ROW(S_TO_L_ROW, __VA_ARGS__)
#define S_TO_LU(...) ROW(S_TO_LU_ROW, __VA_ARGS__)
#define D_TO_L(...)  ROW(D_TO_L_ROW, __VA_ARGS__)
#define D_TO_LU(...) ROW(D_TO_LU_ROW, __VA_ARGS__)
#define L_TO_S(...)  ROW(L_TO_S_ROW, __VA_ARGS__)
#define LU_TO_S(...) ROW(LU_TO_S_ROW, __VA_ARGS__)
#define L_TO_D(...)  ROW(L_TO_D_ROW, __VA_ARGS__)
#define LU_TO_D(...) ROW(LU_TO_D_ROW, __VA_ARGS__)
#else
#define S_TO_L(...)
#define S_TO_LU(...)
#define D_TO_L(...)
#define D_TO_LU(...)
#define L_TO_S(...)
#define LU_TO_S(...)
#define L_TO_D(...)
#define LU_TO_D(...)
#endif
#include "float_convert.def"
};

#define TO_INTEGER(insn, load)                                                                                         \
	({                                                                                                             \
		ulong out_;                                                                                            \
		__asm__ volatile("fscsr %3\n" load " ft0, 0(%2)\n" insn " %0, ft0\nfrflags %1"                         \
				 : "=&r"(out_), "=&r"(*flags)                                                          \
				 : "r"(&row->in), "r"(mode << 5)                                                       \
				 : "ft0", "memory");                                                                   \
		out_;                                                                                                  \
	})

#define FROM_INTEGER(insn)                                                                                             \
	({                                                                                                             \
		uint64_t out_;                                                                                         \
		__asm__ volatile("fscsr %2\n" insn " ft0, %1\nfrflags %0\nfsd ft0, 0(%3)"                              \
				 : "=&r"(*flags)                                                                       \
				 : "r"((ulong)row->in), "r"(mode << 5), "r"(&out_)                                     \
				 : "ft0", "memory");                                                                   \
		out_;                                                                                                  \
	})

#define BETWEEN(insn, load)                                                                                            \
	({                                                                                                             \
		uint64_t out_;                                                                                         \
		__asm__ volatile("fscsr %2\n" load " ft0, 0(%1)\n" insn " ft0, ft0\nfrflags %0\nfsd ft0, 0(%3)"        \
				 : "=&r"(*flags)                                                                       \
				 : "r"(&row->in), "r"(mode << 5), "r"(&out_)                                           \
				 : "ft0", "memory");                                                                   \
		out_;                                                                                                  \
	})

static uint64_t convert_float(const struct row *row, ulong mode, ulong *flags)
{
	switch (row->kind) {
	case S_TO_W_ROW:
		return TO_INTEGER("fcvt.w.s", "flw");
	case S_TO_WU_ROW:
		return TO_INTEGER("fcvt.wu.s", "flw");
	case D_TO_W_ROW:
		return TO_INTEGER("fcvt.w.d", "fld");
	case D_TO_WU_ROW:
		return TO_INTEGER("fcvt.wu.d", "fld");
#if XLEN == 64
	case S_TO_L_ROW:
		return TO_INTEGER("fcvt.l.s", "flw");
	case S_TO_LU_ROW:
		return TO_INTEGER("fcvt.lu.s", "flw");
	case D_TO_L_ROW:
		return TO_INTEGER("fcvt.l.d", "fld");
	case D_TO_LU_ROW:
		return TO_INTEGER("fcvt.lu.d", "fld");
#endif
	case S_TO_D_ROW:
		return BETWEEN("fcvt.d.s", "flw");
	default:
		return BETWEEN("fcvt.s.d", "fld");
	}
}

static uint64_t convert_integer(const struct row *row, ulong mode, ulong *flags)
{
	switch (row->kind) {
	case W_TO_S_ROW:
		return FROM_INTEGER("fcvt.s.w");
	case WU_TO_S_ROW:
		return FROM_INTEGER("fcvt.s.wu");
#if XLEN == 64
	case L_TO_S_ROW:
		return FROM_INTEGER("fcvt.s.l");
	case LU_TO_S_ROW:
		return FROM_INTEGER("fcvt.s.lu");
	case L_TO_D_ROW:
		return FROM_INTEGER("fcvt.d.l");
	case LU_TO_D_ROW:
		return FROM_INTEGER("fcvt.d.lu");
#endif
	case W_TO_D_ROW:
		return FROM_INTEGER("fcvt.d.w");
	default:
		return FROM_INTEGER("fcvt.d.wu");
	}
}

/* What a 64-bit reading of the result shows: single results are boxed, integers fill the register. */
static uint64_t wanted(const struct row *row, ulong mode)
{
	if (row->kind <= D_TO_LU_ROW)
		return (ulong)row->want[mode];
	if (row->kind <= LU_TO_S_ROW || row->kind == D_TO_S_ROW)
		return row->want[mode] | BOX;
	return row->want[mode];
}

static void table(void)
{
	ulong first = 0;

	for (ulong i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct row *row = &rows[i];
		bool from_integer = row->kind >= W_TO_S_ROW && row->kind <= LU_TO_D_ROW;

		if (row->kind != rows[first].kind)
			first = i;
		for (ulong mode = 0; mode < 5; mode++) {
			ulong flags, number = (i - first) * 10 + mode;
			uint64_t got =
				from_integer ? convert_integer(row, mode, &flags) : convert_float(row, mode, &flags);

			check_row(names[row->kind], number, got, wanted(row, mode));
			check_row("its flags", number, flags, row->flags[mode]);
		}
	}
}

#if XLEN == 64
/* A conversion from 32 bits looks at the low half of its register alone. */
static void upper_halves(void)
{
	ulong junk = 0x1234567880000000;
	uint64_t out;

	__asm__ volatile("fcvt.d.w ft0, %0\nfsd ft0, 0(%1)" ::"r"(junk), "r"(&out) : "ft0", "memory");
	check("fcvt.d.w of a wide register", out, 0xc1e0000000000000);
	__asm__ volatile("fcvt.d.wu ft0, %0\nfsd ft0, 0(%1)" ::"r"(junk), "r"(&out) : "ft0", "memory");
	check("fcvt.d.wu of a wide register", out, 0x41e0000000000000);
	__asm__ volatile("fcvt.s.w ft0, %0\nfsd ft0, 0(%1)" ::"r"(junk), "r"(&out) : "ft0", "memory");
	check("fcvt.s.w of a wide register", out, 0xcf000000 | BOX);
}
#endif

int main(void)
{
	table();
#if XLEN == 64
	upper_halves();
#endif
	return 0;
}
