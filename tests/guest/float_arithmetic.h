/*
 * The arithmetic of one floating-point format, by tables: each row in all five rounding modes, result and flags. The
 * includer defines FORMAT ("s" or "d"), LOAD_INSN, BOX (the bits above the value in a
 * register), the values SIGN, ONE and SNAN, and VECTORS (the file of tables), and includes this once.
 */
#include "guest.h"

enum operation { OP_ADD, OP_SUB, OP_MUL, OP_DIV, OP_SQRT, OP_MADD, OP_MSUB, OP_NMSUB, OP_NMADD };

static const char *const operation_names[] = {
	[OP_ADD] = "fadd",   [OP_SUB] = "fsub",	  [OP_MUL] = "fmul",	 [OP_DIV] = "fdiv",	[OP_SQRT] = "fsqrt",
	[OP_MADD] = "fmadd", [OP_MSUB] = "fmsub", [OP_NMSUB] = "fnmsub", [OP_NMADD] = "fnmadd",
};

struct arithmetic_row {
	enum operation operation;
	uint64_t in[3];
	uint64_t want[5];
	uint8_t flags[5];
};

struct pair_row {
	uint64_t a, b, minimum, maximum;
	uint8_t extremum_flags, equal, less, less_equal, equal_flags, order_flags;
};

struct class_row {
	uint64_t in;
	ulong want;
};

#define ARITHMETIC(op, a, b, c, r0, r1, r2, r3, r4, f0, f1, f2, f3, f4)                                                \
	{op, {a, b, c}, {r0, r1, r2, r3, r4}, {f0, f1, f2, f3, f4}},
#define ADD(...)   ARITHMETIC(OP_ADD, __VA_ARGS__)
#define SUB(...)   ARITHMETIC(OP_SUB, __VA_ARGS__)
#define MUL(...)   ARITHMETIC(OP_MUL, __VA_ARGS__)
#define DIV(...)   ARITHMETIC(OP_DIV, __VA_ARGS__)
#define SQRT(...)  ARITHMETIC(OP_SQRT, __VA_ARGS__)
#define MADD(...)  ARITHMETIC(OP_MADD, __VA_ARGS__)
#define MSUB(...)  ARITHMETIC(OP_MSUB, __VA_ARGS__)
#define NMSUB(...) ARITHMETIC(OP_NMSUB, __VA_ARGS__)
#define NMADD(...) ARITHMETIC(OP_NMADD, __VA_ARGS__)
#define PAIR(...)
#define CLASS(...)
static const struct arithmetic_row arithmetic_rows[] = {
#include VECTORS
};
#undef ADD
#undef SUB
#undef MUL
#undef DIV
#undef SQRT
#undef MADD
#undef MSUB
#undef NMSUB
#undef NMADD
#undef PAIR
#undef CLASS
#define ADD(...)
#define SUB(...)
#define MUL(...)
#define DIV(...)
#define SQRT(...)
#define MADD(...)
#define MSUB(...)
#define NMSUB(...)
#define NMADD(...)

#define PAIR(...) {__VA_ARGS__},
#define CLASS(...)
static const struct pair_row pair_rows[] = {
#include VECTORS
};
#undef PAIR
#undef CLASS

#define PAIR(...)
#define CLASS(...) {__VA_ARGS__},
static const struct class_row class_rows[] = {
#include VECTORS
};

/* `insn` on ft0, ft1, ft2 leaves ft0; gives it whole, and the flags it raised. */
#define OPERATE(insn, in, mode, flags)                                                                                 \
	({                                                                                                             \
		uint64_t out_;                                                                                         \
		__asm__ volatile("fscsr %2\n" LOAD_INSN " ft0, 0(%1)\n" LOAD_INSN " ft1, 8(%1)\n" LOAD_INSN            \
				 " ft2, 16(%1)\n" insn "\nfrflags %0\nfsd ft0, 0(%3)"                                  \
				 : "=&r"(flags)                                                                        \
				 : "r"(in), "r"((mode) << 5), "r"(&out_)                                               \
				 : "ft0", "ft1", "ft2", "memory");                                                     \
		out_;                                                                                                  \
	})

static uint64_t operate(const struct arithmetic_row *row, ulong mode, ulong *flags)
{
	switch (row->operation) {
	case OP_ADD:
		return OPERATE("fadd." FORMAT " ft0, ft0, ft1", row->in, mode, *flags);
	case OP_SUB:
		return OPERATE("fsub." FORMAT " ft0, ft0, ft1", row->in, mode, *flags);
	case OP_MUL:
		return OPERATE("fmul." FORMAT " ft0, ft0, ft1", row->in, mode, *flags);
	case OP_DIV:
		return OPERATE("fdiv." FORMAT " ft0, ft0, ft1", row->in, mode, *flags);
	case OP_SQRT:
		return OPERATE("fsqrt." FORMAT " ft0, ft0", row->in, mode, *flags);
	case OP_MADD:
		return OPERATE("fmadd." FORMAT " ft0, ft0, ft1, ft2", row->in, mode, *flags);
	case OP_MSUB:
		return OPERATE("fmsub." FORMAT " ft0, ft0, ft1, ft2", row->in, mode, *flags);
	case OP_NMSUB:
		return OPERATE("fnmsub." FORMAT " ft0, ft0, ft1, ft2", row->in, mode, *flags);
	default:
		return OPERATE("fnmadd." FORMAT " ft0, ft0, ft1, ft2", row->in, mode, *flags);
	}
}

/* The number reported for a row counts within its operation; its column is the rounding mode. */
static void arithmetic(void)
{
	ulong first = 0;

	for (ulong i = 0; i < ARRAY_SIZE(arithmetic_rows); i++) {
		const struct arithmetic_row *row = &arithmetic_rows[i];
		const char *name = operation_names[row->operation];

		if (row->operation != arithmetic_rows[first].operation)
			first = i;
		for (ulong mode = 0; mode < 5; mode++) {
			ulong flags, number = (i - first) * 10 + mode;

			check_row(name, number, operate(row, mode, &flags), row->want[mode] | BOX);
			check_row("its flags", number, flags, row->flags[mode]);
		}
	}
}

/* An integer result of `insn` on ft0 and ft1. */
#define ASK(insn, in, flags)                                                                                           \
	({                                                                                                             \
		ulong out_;                                                                                            \
		__asm__ volatile("fscsr x0\n" LOAD_INSN " ft0, 0(%2)\n" LOAD_INSN " ft1, 8(%2)\n" insn "\nfrflags %1"  \
				 : "=&r"(out_), "=&r"(flags)                                                           \
				 : "r"(in)                                                                             \
				 : "ft0", "ft1", "memory");                                                            \
		out_;                                                                                                  \
	})

static void comparisons(void)
{
	for (ulong i = 0; i < ARRAY_SIZE(pair_rows); i++) {
		const struct pair_row *row = &pair_rows[i];
		uint64_t in[3] = {row->a, row->b, 0};
		ulong flags;

		check_row("fmin", i, OPERATE("fmin." FORMAT " ft0, ft0, ft1", in, 0ul, flags), row->minimum | BOX);
		check_row("fmin flags", i, flags, row->extremum_flags);
		check_row("fmax", i, OPERATE("fmax." FORMAT " ft0, ft0, ft1", in, 0ul, flags), row->maximum | BOX);
		check_row("fmax flags", i, flags, row->extremum_flags);
		check_row("feq", i, ASK("feq." FORMAT " %0, ft0, ft1", in, flags), row->equal);
		check_row("feq flags", i, flags, row->equal_flags);
		check_row("flt", i, ASK("flt." FORMAT " %0, ft0, ft1", in, flags), row->less);
		check_row("flt flags", i, flags, row->order_flags);
		check_row("fle", i, ASK("fle." FORMAT " %0, ft0, ft1", in, flags), row->less_equal);
		check_row("fle flags", i, flags, row->order_flags);
	}
}

static void classes(void)
{
	for (ulong i = 0; i < ARRAY_SIZE(class_rows); i++) {
		uint64_t in[2] = {class_rows[i].in, 0};
		ulong flags;

		check_row("fclass", i, ASK("fclass." FORMAT " %0, ft0", in, flags), class_rows[i].want);
		check_row("fclass flags", i, flags, 0);
	}
}

/* The three sign injections on every pair of signs, signalling NaNs included, raise nothing. */
static void signs(uint64_t plain)
{
	for (ulong i = 0; i < 4; i++) {
		bool a = i & 2, b = i & 1;
		uint64_t in[3] = {plain | (a ? SIGN : 0), ONE | (b ? SIGN : 0), 0};
		ulong flags;

		check_row("fsgnj", i, OPERATE("fsgnj." FORMAT " ft0, ft0, ft1", in, 0ul, flags),
			  plain | (b ? SIGN : 0) | BOX);
		check_row("fsgnj flags", i, flags, 0);
		check_row("fsgnjn", i, OPERATE("fsgnjn." FORMAT " ft0, ft0, ft1", in, 0ul, flags),
			  plain | (b ? 0 : SIGN) | BOX);
		check_row("fsgnjn flags", i, flags, 0);
		check_row("fsgnjx", i, OPERATE("fsgnjx." FORMAT " ft0, ft0, ft1", in, 0ul, flags),
			  plain | (a != b ? SIGN : 0) | BOX);
		check_row("fsgnjx flags", i, flags, 0);
	}
}

int main(void)
{
	arithmetic();
	comparisons();
	classes();
	signs(ONE);
	signs(SNAN);
	return 0;
}
