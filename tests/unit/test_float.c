/*
 * The exact floating-point operations, by what IEEE 754-2019 and the RISC-V F and D extensions (2.2) say of them.
 *
 * Every case runs twice, with clear flags and with inexact already set, where the host's arithmetic may answer.
 */
#include "biscuit/float.h"
#include "biscuit/types.h"
#include "tests/random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

enum { RNE = BIS_FP_RNE, RTZ = BIS_FP_RTZ, RDN = BIS_FP_RDN, RUP = BIS_FP_RUP, RMM = BIS_FP_RMM, ANY };
enum { NX = BIS_FP_NX, UF = BIS_FP_UF, OF = BIS_FP_OF, DZ = BIS_FP_DZ, NV = BIS_FP_NV };

#define S_NAN  UINT64_C(0x7fc00000)
#define S_INF  UINT64_C(0x7f800000)
#define S_NEG  UINT64_C(0x80000000)
#define S_MAX  UINT64_C(0x7f7fffff)
#define S_ONE  UINT64_C(0x3f800000)
#define D_NAN  UINT64_C(0x7ff8000000000000)
#define D_SNAN UINT64_C(0x7ff0000000000001)
#define D_INF  UINT64_C(0x7ff0000000000000)
#define D_NEG  UINT64_C(0x8000000000000000)
#define D_MAX  UINT64_C(0x7fefffffffffffff)
#define D_ONE  UINT64_C(0x3ff0000000000000)
#define D_TWO  UINT64_C(0x4000000000000000)

typedef uint64_t unary(struct bis_fp_env *env, uint64_t a);
typedef uint64_t binary(struct bis_fp_env *env, uint64_t a, uint64_t b);
typedef uint64_t ternary(struct bis_fp_env *env, uint64_t a, uint64_t b, uint64_t c);

/* An operation, of which one pointer is set, and what it gives in a rounding mode, or in all of them. */
struct expectation {
	unary *f1;
	binary *f2;
	ternary *f3;
	uint8_t rm;
	uint64_t in[3], out;
	uint8_t flags;
};

static uint64_t apply(const struct expectation *e, struct bis_fp_env *env)
{
	if (e->f1)
		return e->f1(env, e->in[0]);
	if (e->f2)
		return e->f2(env, e->in[0], e->in[1]);
	return e->f3(env, e->in[0], e->in[1], e->in[2]);
}

static void check_in_mode(const struct expectation *e, size_t number, uint8_t rm)
{
	static const uint8_t initial[] = {0, NX};

	for (size_t k = 0; k < BIS_ARRAY_SIZE(initial); k++) {
		struct bis_fp_env env = {.rm = rm, .flags = initial[k]};
		uint64_t out = apply(e, &env);

		if (out != e->out || env.flags != (e->flags | initial[k]))
			fail_msg("row %zu, rounding mode %u: %#llx flags %#x, wanted %#llx flags %#x", number, rm,
				 (unsigned long long)out, env.flags, (unsigned long long)e->out, e->flags | initial[k]);
		assert_int_equal(env.rm, rm);
	}
}

static void check_rows(const struct expectation *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (rows[i].rm != ANY)
			check_in_mode(&rows[i], i, rows[i].rm);
		else
			for (uint8_t rm = RNE; rm < ANY; rm++)
				check_in_mode(&rows[i], i, rm);
	}
}

#define CHECK(rows) check_rows(rows, BIS_ARRAY_SIZE(rows))

/* Rows of the tables: function, rounding mode, operands, result, flags. */
#define U(function, rm, a, out, flags)                                                                                 \
	{                                                                                                              \
		function, NULL, NULL, rm, {a, 0, 0}, out, flags                                                        \
	}
#define B(function, rm, a, b, out, flags)                                                                              \
	{                                                                                                              \
		NULL, function, NULL, rm, {a, b, 0}, out, flags                                                        \
	}
#define T(function, rm, a, b, c, out, flags)                                                                           \
	{                                                                                                              \
		NULL, NULL, function, rm, {a, b, c}, out, flags                                                        \
	}

static void nan_results_are_canonical_and_only_signalling_ones_raise(void **state)
{
	static const struct expectation rows[] = {
		B(bis_f32_add, ANY, 0xffc12345, S_ONE, S_NAN, 0),
		B(bis_f32_sub, ANY, S_ONE, 0x7f812345, S_NAN, NV),
		B(bis_f32_mul, ANY, 0xff800001, S_INF, S_NAN, NV),
		B(bis_f32_div, ANY, 0, 0x7fffffff, S_NAN, 0),
		U(bis_f32_sqrt, ANY, 0xffc00001, S_NAN, 0),
		U(bis_f32_sqrt, ANY, 0xff800001, S_NAN, NV),
		T(bis_f32_fma, ANY, S_ONE, S_ONE, 0xffc00007, S_NAN, 0),
		T(bis_f32_fma, ANY, S_ONE, S_ONE, 0x7f800007, S_NAN, NV),
		U(bis_f32_to_f64, ANY, 0xffc12345, D_NAN, 0),
		U(bis_f32_to_f64, ANY, 0x7f800001, D_NAN, NV),
		B(bis_f64_add, ANY, D_NAN | D_NEG | 5, D_INF, D_NAN, 0),
		B(bis_f64_mul, ANY, D_SNAN, D_NAN, D_NAN, NV),
		B(bis_f64_div, ANY, D_ONE, D_SNAN | D_NEG, D_NAN, NV),
		U(bis_f64_sqrt, ANY, D_NAN | D_NEG, D_NAN, 0),
		T(bis_f64_fma, ANY, D_NAN | 9, D_INF, D_ONE, D_NAN, 0),
		U(bis_f64_to_f32, ANY, D_NAN | D_NEG | 77, S_NAN, 0),
		U(bis_f64_to_f32, ANY, D_SNAN, S_NAN, NV),
	};

	(void)state;
	CHECK(rows);
}

static void operations_without_a_value_are_invalid(void **state)
{
	static const struct expectation rows[] = {
		B(bis_f32_add, ANY, S_INF, S_INF | S_NEG, S_NAN, NV),
		B(bis_f32_sub, ANY, S_INF, S_INF, S_NAN, NV),
		B(bis_f32_mul, ANY, 0, S_INF, S_NAN, NV),
		B(bis_f64_mul, ANY, D_INF | D_NEG, 0, D_NAN, NV),
		B(bis_f64_div, ANY, 0, D_NEG, D_NAN, NV),
		B(bis_f64_div, ANY, D_INF, D_INF, D_NAN, NV),
		U(bis_f64_sqrt, ANY, D_ONE | D_NEG, D_NAN, NV),
		U(bis_f64_sqrt, ANY, D_NEG | 1, D_NAN, NV),
		U(bis_f32_sqrt, ANY, S_INF | S_NEG, S_NAN, NV),
		T(bis_f64_fma, ANY, D_INF, D_ONE, D_INF | D_NEG, D_NAN, NV),
		T(bis_f64_fma, ANY, D_INF, 0, D_ONE, D_NAN, NV),
		/* The addend being a quiet NaN does not hide the invalid product. */
		T(bis_f64_fma, ANY, D_INF, 0, D_NAN, D_NAN, NV),
		T(bis_f32_fma, ANY, S_NEG, S_INF, S_NAN, S_NAN, NV),
		/* A product of large numbers is finite until it is rounded. */
		T(bis_f64_fma, ANY, D_MAX, D_MAX, D_INF | D_NEG, D_INF | D_NEG, 0),
	};

	(void)state;
	CHECK(rows);
}

static void infinities_are_exact_operands(void **state)
{
	static const struct expectation rows[] = {
		B(bis_f32_add, ANY, S_INF, S_MAX | S_NEG, S_INF, 0),
		B(bis_f64_sub, ANY, D_ONE, D_INF, D_INF | D_NEG, 0),
		B(bis_f64_mul, ANY, D_INF, D_NEG | 1, D_INF | D_NEG, 0),
		B(bis_f64_div, ANY, D_MAX | D_NEG, D_INF, D_NEG, 0),
		B(bis_f64_div, ANY, D_INF, D_NEG, D_INF | D_NEG, 0),
		B(bis_f64_div, ANY, D_ONE, D_NEG, D_INF | D_NEG, DZ),
		B(bis_f32_div, ANY, 1, 0, S_INF, DZ),
		U(bis_f64_sqrt, ANY, D_INF, D_INF, 0),
		T(bis_f32_fma, ANY, S_INF, S_ONE | S_NEG, S_MAX, S_INF | S_NEG, 0),
	};

	(void)state;
	CHECK(rows);
}

static void zeros_have_the_right_sign(void **state)
{
	static const struct expectation rows[] = {
		B(bis_f64_add, ANY, D_NEG, D_NEG, D_NEG, 0),
		B(bis_f64_add, RNE, D_NEG, 0, 0, 0),
		B(bis_f64_add, RDN, D_NEG, 0, D_NEG, 0),
		B(bis_f64_sub, RNE, D_ONE, D_ONE, 0, 0),
		B(bis_f64_sub, RDN, D_ONE, D_ONE, D_NEG, 0),
		B(bis_f64_sub, RUP, D_ONE | D_NEG, D_ONE | D_NEG, 0, 0),
		B(bis_f32_sub, RMM, S_ONE, S_ONE, 0, 0),
		B(bis_f32_sub, ANY, 0, S_NEG, 0, 0),
		B(bis_f32_mul, ANY, S_NEG, S_MAX, S_NEG, 0),
		B(bis_f32_div, ANY, 0, S_ONE | S_NEG, S_NEG, 0),
		U(bis_f32_sqrt, ANY, S_NEG, S_NEG, 0),
		U(bis_f64_sqrt, ANY, D_NEG, D_NEG, 0),
		T(bis_f64_fma, RNE, D_ONE, 0, D_NEG, 0, 0),
		T(bis_f64_fma, RDN, D_ONE, 0, D_NEG, D_NEG, 0),
		T(bis_f64_fma, ANY, D_ONE, D_NEG, D_NEG, D_NEG, 0),
		T(bis_f64_fma, RUP, D_TWO, D_ONE, D_TWO | D_NEG, 0, 0),
		T(bis_f64_fma, RDN, D_TWO, D_ONE, D_TWO | D_NEG, D_NEG, 0),
		T(bis_f64_fma, ANY, D_NEG, D_ONE, 3, 3, 0),
		/* An underflowing product keeps its sign. */
		B(bis_f64_mul, RNE, 1 | D_NEG, 1, D_NEG, UF | NX),
		B(bis_f64_mul, RDN, 1 | D_NEG, 1, D_NEG | 1, UF | NX),
	};

	(void)state;
	CHECK(rows);
}

static void overflow_goes_where_the_rounding_mode_points(void **state)
{
	static const struct expectation rows[] = {
		B(bis_f32_add, RNE, S_MAX, S_MAX, S_INF, OF | NX),
		B(bis_f32_add, RTZ, S_MAX, S_MAX, S_MAX, OF | NX),
		B(bis_f32_add, RDN, S_MAX, S_MAX, S_MAX, OF | NX),
		B(bis_f32_add, RUP, S_MAX, S_MAX, S_INF, OF | NX),
		B(bis_f32_add, RMM, S_MAX, S_MAX, S_INF, OF | NX),
		B(bis_f64_mul, RNE, D_MAX | D_NEG, D_TWO, D_INF | D_NEG, OF | NX),
		B(bis_f64_mul, RTZ, D_MAX | D_NEG, D_TWO, D_MAX | D_NEG, OF | NX),
		B(bis_f64_mul, RDN, D_MAX | D_NEG, D_TWO, D_INF | D_NEG, OF | NX),
		B(bis_f64_mul, RUP, D_MAX | D_NEG, D_TWO, D_MAX | D_NEG, OF | NX),
		B(bis_f64_mul, RMM, D_MAX | D_NEG, D_TWO, D_INF | D_NEG, OF | NX),
		B(bis_f64_div, RNE, D_MAX, 1, D_INF, OF | NX),
		T(bis_f64_fma, RTZ, D_MAX, D_MAX, D_ONE, D_MAX, OF | NX),
		/* Half a unit above the largest number overflows, anything less does not. */
		B(bis_f32_add, RNE, S_MAX, 0x73000000, S_INF, OF | NX),
		B(bis_f32_add, RNE, S_MAX, 0x72ffffff, S_MAX, NX),
		B(bis_f32_add, RUP, S_MAX, 1, S_INF, OF | NX),
		B(bis_f32_add, RDN, S_MAX, 1, S_MAX, NX),
		U(bis_f64_to_f32, RNE, 0x47efffffefffffff, S_MAX, NX),
		U(bis_f64_to_f32, RNE, 0x47effffff0000000, S_INF, OF | NX),
		U(bis_f64_to_f32, RTZ, D_MAX, S_MAX, OF | NX),
		U(bis_f64_to_f32, RUP, D_MAX | D_NEG, S_MAX | S_NEG, OF | NX),
	};

	(void)state;
	CHECK(rows);
}

static void tininess_is_detected_after_rounding(void **state)
{
	static const struct expectation rows[] = {
		/* (1 + ulp) times the largest subnormal rounds to the smallest normal number at full precision. */
		B(bis_f32_mul, RNE, 0x3f800001, 0x007fffff, 0x00800000, NX),
		B(bis_f32_mul, RUP, 0x3f800001, 0x007fffff, 0x00800000, NX),
		B(bis_f32_mul, RMM, 0x3f800001, 0x007fffff, 0x00800000, NX),
		B(bis_f32_mul, RTZ, 0x3f800001, 0x007fffff, 0x007fffff, UF | NX),
		B(bis_f32_mul, RDN, 0x3f800001, 0x007fffff, 0x007fffff, UF | NX),
		B(bis_f32_mul, RDN, 0xbf800001, 0x007fffff, 0x80800000, NX),
		B(bis_f64_mul, RNE, D_ONE + 1, 0x000fffffffffffff, 0x0010000000000000, NX),
		B(bis_f64_mul, RTZ, D_ONE + 1, 0x000fffffffffffff, 0x000fffffffffffff, UF | NX),
		/* One half unit below the smallest normal number is representable at full precision: tiny. */
		B(bis_f32_mul, RNE, 0x3f7fffff, 0x00800000, 0x00800000, UF | NX),
		B(bis_f32_mul, RTZ, 0x3f7fffff, 0x00800000, 0x007fffff, UF | NX),
		B(bis_f64_mul, RUP, D_ONE - 1, 0x0010000000000000, 0x0010000000000000, UF | NX),
		/* An exact subnormal raises nothing. */
		B(bis_f32_mul, ANY, 0x00800000, 0x3f000000, 0x00400000, 0),
		B(bis_f64_add, ANY, 1, 1, 2, 0),
		B(bis_f64_sub, ANY, 0x0010000000000000, 1, 0x000fffffffffffff, 0),
		B(bis_f64_div, ANY, 2, D_TWO, 1, 0),
		/* Half the smallest subnormal is a tie between it and zero. */
		B(bis_f64_div, RNE, 1, D_TWO, 0, UF | NX),
		B(bis_f64_div, RTZ, 1, D_TWO, 0, UF | NX),
		B(bis_f64_div, RDN, 1, D_TWO, 0, UF | NX),
		B(bis_f64_div, RUP, 1, D_TWO, 1, UF | NX),
		B(bis_f64_div, RMM, 1, D_TWO, 1, UF | NX),
		B(bis_f64_div, RNE, 3, D_TWO, 2, UF | NX),
		U(bis_f64_to_f32, RNE, 0x3690000000000000, 0, UF | NX),
		U(bis_f64_to_f32, RMM, 0x3690000000000000, 1, UF | NX),
		U(bis_f64_to_f32, RUP, 1, 1, UF | NX),
		U(bis_f64_to_f32, ANY, 0x36a0000000000000, 1, 0),
		U(bis_f32_to_f64, ANY, 0x80000001, 0xb6a0000000000000, 0),
		U(bis_f32_to_f64, ANY, 0x007fffff, 0x380fffffc0000000, 0),
	};

	(void)state;
	CHECK(rows);
}

static void rounding_modes_differ_on_ties_and_inexact_results(void **state)
{
	static const struct expectation rows[] = {
		/* 1 + 2^-24 lies half way between 1 and its successor. */
		B(bis_f32_add, RNE, S_ONE, 0x33800000, S_ONE, NX),
		B(bis_f32_add, RTZ, S_ONE, 0x33800000, S_ONE, NX),
		B(bis_f32_add, RDN, S_ONE, 0x33800000, S_ONE, NX),
		B(bis_f32_add, RUP, S_ONE, 0x33800000, S_ONE + 1, NX),
		B(bis_f32_add, RMM, S_ONE, 0x33800000, S_ONE + 1, NX),
		B(bis_f32_add, RNE, S_ONE + 1, 0x33800000, S_ONE + 2, NX),
		B(bis_f32_sub, RMM, S_ONE | S_NEG, 0x33800000, (S_ONE + 1) | S_NEG, NX),
		B(bis_f32_sub, RUP, S_ONE | S_NEG, 0x33800000, S_ONE | S_NEG, NX),
		B(bis_f64_add, RNE, D_ONE, 0x3ca0000000000000, D_ONE, NX),
		B(bis_f64_add, RMM, D_ONE, 0x3ca0000000000000, D_ONE + 1, NX),
		B(bis_f64_add, RMM, D_ONE, 0x3c9fffffffffffff, D_ONE, NX),
		/* However small, what is lost still counts. */
		B(bis_f64_add, RUP, D_ONE, 1, D_ONE + 1, NX),
		B(bis_f64_sub, RTZ, D_ONE, 1, D_ONE - 1, NX),
		B(bis_f64_sub, RNE, D_ONE, 1, D_ONE, NX),
		B(bis_f32_div, RNE, S_ONE, 0x40400000, 0x3eaaaaab, NX),
		B(bis_f32_div, RTZ, S_ONE, 0x40400000, 0x3eaaaaaa, NX),
		B(bis_f64_div, RNE, D_ONE, 0x4008000000000000, 0x3fd5555555555555, NX),
		B(bis_f64_div, RUP, D_ONE, 0x4008000000000000, 0x3fd5555555555556, NX),
		B(bis_f64_div, RDN, D_ONE | D_NEG, 0x4008000000000000, 0xbfd5555555555556, NX),
		U(bis_f64_sqrt, RNE, D_TWO, 0x3ff6a09e667f3bcd, NX),
		U(bis_f64_sqrt, RTZ, D_TWO, 0x3ff6a09e667f3bcc, NX),
		U(bis_f32_sqrt, RNE, 0x40000000, 0x3fb504f3, NX),
		U(bis_f32_sqrt, RUP, 0x40000000, 0x3fb504f4, NX),
		U(bis_f64_sqrt, ANY, 0x4010000000000000, D_TWO, 0),
		U(bis_f64_sqrt, ANY, 1, 0x1e60000000000000, 0),
		U(bis_f64_sqrt, RUP, D_MAX, 0x5ff0000000000000, NX),
	};

	(void)state;
	CHECK(rows);
}

static void fused_multiply_add_rounds_once(void **state)
{
	static const struct expectation rows[] = {
		/* (1 + e)(1 - e) - 1 = -e^2; two roundings would give zero. */
		T(bis_f64_fma, ANY, D_ONE + 1, D_ONE - 2, D_ONE | D_NEG, 0xb970000000000000, 0),
		T(bis_f32_fma, ANY, S_ONE + 1, S_ONE - 2, S_ONE | S_NEG, 0xa8800000, 0),
		/* A tie of the product is broken by the smallest addend. */
		T(bis_f32_fma, RNE, S_ONE + 1, 0x3fc00000, 0, 0x3fc00002, NX),
		T(bis_f32_fma, RNE, S_ONE + 1, 0x3fc00000, 0x80000001, 0x3fc00001, NX),
		T(bis_f64_fma, RNE, D_ONE + 1, 0x3ff8000000000000, D_NEG | 1, 0x3ff8000000000001, NX),
		/* The product overflows, the sum does not. */
		T(bis_f64_fma, ANY, D_MAX, D_TWO, D_MAX | D_NEG, D_MAX, 0),
		/* The product vanishes next to the addend, or the addend next to the product. */
		T(bis_f64_fma, RUP, 1, 1, D_ONE, D_ONE + 1, NX),
		T(bis_f64_fma, RTZ, 1 | D_NEG, 1, D_ONE, D_ONE - 1, NX),
		T(bis_f64_fma, RTZ, D_MAX, D_ONE, D_NEG | 1, D_MAX - 1, NX),
		T(bis_f64_fma, RNE, 1, 1, 1, 1, UF | NX),
		T(bis_f64_fma, RUP, 1, 1, 1, 2, UF | NX),
	};

	(void)state;
	CHECK(rows);
}

static void minimum_and_maximum_prefer_numbers_and_order_zeros(void **state)
{
	static const struct expectation rows[] = {
		B(bis_f64_min, ANY, 0, D_NEG, D_NEG, 0),
		B(bis_f64_min, ANY, D_NEG, 0, D_NEG, 0),
		B(bis_f64_max, ANY, 0, D_NEG, 0, 0),
		B(bis_f64_max, ANY, D_NEG, 0, 0, 0),
		B(bis_f64_min, ANY, D_NAN | 4, D_ONE, D_ONE, 0),
		B(bis_f64_max, ANY, D_ONE | D_NEG, D_NAN, D_ONE | D_NEG, 0),
		B(bis_f64_min, ANY, D_SNAN, D_INF, D_INF, NV),
		B(bis_f64_max, ANY, D_SNAN, D_NAN | 4, D_NAN, NV),
		B(bis_f64_min, ANY, D_NAN | D_NEG, D_NAN | 4, D_NAN, 0),
		B(bis_f32_min, ANY, S_INF | S_NEG, S_MAX | S_NEG, S_INF | S_NEG, 0),
		B(bis_f32_max, ANY, S_INF | S_NEG, S_MAX | S_NEG, S_MAX | S_NEG, 0),
		B(bis_f32_min, ANY, 1, S_ONE, 1, 0),
		B(bis_f32_max, ANY, 1 | S_NEG, S_ONE | S_NEG, 1 | S_NEG, 0),
		B(bis_f32_max, ANY, 0xff800001, S_ONE, S_ONE, NV),
	};

	(void)state;
	CHECK(rows);
}

static void equality_is_quiet_and_order_is_signalling(void **state)
{
	static const struct expectation rows[] = {
		B(bis_f64_eq, ANY, 0, D_NEG, 1, 0),
		B(bis_f64_lt, ANY, D_NEG, 0, 0, 0),
		B(bis_f64_le, ANY, 0, D_NEG, 1, 0),
		B(bis_f64_eq, ANY, D_NAN, D_NAN, 0, 0),
		B(bis_f64_eq, ANY, D_SNAN, D_ONE, 0, NV),
		B(bis_f64_lt, ANY, D_NAN, D_ONE, 0, NV),
		B(bis_f64_le, ANY, D_ONE, D_NAN, 0, NV),
		B(bis_f64_le, ANY, D_SNAN, D_NAN, 0, NV),
		B(bis_f64_lt, ANY, D_ONE | D_NEG, D_ONE, 1, 0),
		B(bis_f64_lt, ANY, D_INF | D_NEG, D_MAX | D_NEG, 1, 0),
		B(bis_f64_lt, ANY, D_ONE | D_NEG, D_TWO | D_NEG, 0, 0),
		B(bis_f64_le, ANY, D_ONE, D_ONE, 1, 0),
		B(bis_f64_eq, ANY, D_ONE, D_ONE | D_NEG, 0, 0),
		B(bis_f32_lt, ANY, S_NAN, S_ONE, 0, NV),
		B(bis_f32_le, ANY, 1 | S_NEG, 1, 1, 0),
	};

	(void)state;
	CHECK(rows);
}

static void each_class_is_one_bit(void **state)
{
	static const uint64_t single[] = {S_INF | S_NEG, S_MAX | S_NEG, 0x807fffff, S_NEG,	0,
					  0x007fffff,	 0x00800000,	S_INF,	    0xff800001, 0xffc00000};
	static const uint64_t twice[] = {D_INF | D_NEG, D_MAX | D_NEG, D_NEG | 1, D_NEG,	0, 1,
					 D_ONE,		D_INF,	       D_SNAN,	  D_NAN | D_NEG};

	(void)state;
	for (unsigned bit = 0; bit < 10; bit++) {
		assert_int_equal(bis_f32_classify(single[bit]), 1u << bit);
		assert_int_equal(bis_f64_classify(twice[bit]), 1u << bit);
	}
}

static void conversion_to_32_bits_saturates_and_sign_extends(void **state)
{
	static const struct expectation rows[] = {
		U(bis_f64_to_i32, ANY, 0x41dfffffffc00000, INT32_MAX, 0),
		U(bis_f64_to_i32, ANY, 0x41e0000000000000, INT32_MAX, NV),
		U(bis_f64_to_i32, ANY, 0xc1e0000000000000, UINT64_C(0xffffffff80000000), 0),
		U(bis_f64_to_i32, ANY, 0xc1e0000000200000, UINT64_C(0xffffffff80000000), NV),
		/* 2^31 - 1/2: in range or not by the rounding mode. */
		U(bis_f64_to_i32, RNE, 0x41dfffffffe00000, INT32_MAX, NV),
		U(bis_f64_to_i32, RTZ, 0x41dfffffffe00000, INT32_MAX, NX),
		U(bis_f64_to_i32, RDN, 0x41dfffffffe00000, INT32_MAX, NX),
		U(bis_f64_to_i32, RUP, 0x41dfffffffe00000, INT32_MAX, NV),
		U(bis_f64_to_i32, RMM, 0x41dfffffffe00000, INT32_MAX, NV),
		/* -2^31 - 1/2 */
		U(bis_f64_to_i32, RNE, 0xc1e0000000100000, UINT64_C(0xffffffff80000000), NX),
		U(bis_f64_to_i32, RDN, 0xc1e0000000100000, UINT64_C(0xffffffff80000000), NV),
		U(bis_f64_to_i32, RMM, 0xc1e0000000100000, UINT64_C(0xffffffff80000000), NV),
		U(bis_f64_to_i32, ANY, D_NAN | D_NEG, INT32_MAX, NV),
		U(bis_f64_to_i32, ANY, D_INF | D_NEG, UINT64_C(0xffffffff80000000), NV),
		U(bis_f64_to_u32, ANY, 0x41efffffffe00000, UINT64_MAX, 0),
		U(bis_f64_to_u32, ANY, 0x41e0000000000000, UINT64_C(0xffffffff80000000), 0),
		U(bis_f64_to_u32, ANY, 0x41f0000000000000, UINT64_MAX, NV),
		U(bis_f64_to_u32, ANY, D_NAN, UINT64_MAX, NV),
		U(bis_f64_to_u32, ANY, D_ONE | D_NEG, 0, NV),
		U(bis_f32_to_i32, ANY, 0x4f000000, INT32_MAX, NV),
		U(bis_f32_to_i32, ANY, 0xcf000000, UINT64_C(0xffffffff80000000), 0),
		U(bis_f32_to_u32, ANY, 0x4f800000, UINT64_MAX, NV),
		U(bis_f32_to_u32, ANY, S_NEG, 0, 0),
		/* -1/2 becomes -1 or 0: only the former is out of an unsigned range. */
		U(bis_f32_to_u32, RNE, 0xbf000000, 0, NX),
		U(bis_f32_to_u32, RTZ, 0xbf000000, 0, NX),
		U(bis_f32_to_u32, RDN, 0xbf000000, 0, NV),
		U(bis_f32_to_u32, RUP, 0xbf000000, 0, NX),
		U(bis_f32_to_u32, RMM, 0xbf000000, 0, NV),
	};

	(void)state;
	CHECK(rows);
}

static void conversion_to_64_bits_saturates(void **state)
{
	static const struct expectation rows[] = {
		U(bis_f64_to_i64, ANY, 0x43dfffffffffffff, UINT64_C(0x7ffffffffffffc00), 0),
		U(bis_f64_to_i64, ANY, 0x43e0000000000000, INT64_MAX, NV),
		U(bis_f64_to_i64, ANY, 0xc3e0000000000000, D_NEG, 0),
		U(bis_f64_to_i64, ANY, 0xc3e0000000000001, D_NEG, NV),
		U(bis_f64_to_i64, ANY, D_NAN, INT64_MAX, NV),
		U(bis_f64_to_u64, ANY, 0x43efffffffffffff, UINT64_C(0xfffffffffffff800), 0),
		U(bis_f64_to_u64, ANY, 0x43f0000000000000, UINT64_MAX, NV),
		U(bis_f64_to_u64, ANY, D_INF | D_NEG, 0, NV),
		U(bis_f32_to_i64, ANY, S_INF, INT64_MAX, NV),
		U(bis_f32_to_u64, ANY, 0x5f7fffff, UINT64_C(0xffffff0000000000), 0),
		U(bis_f32_to_u64, ANY, S_NAN, UINT64_MAX, NV),
	};

	(void)state;
	CHECK(rows);
}

static void conversion_to_integer_rounds_in_every_mode(void **state)
{
	static const struct expectation rows[] = {
		/* 2.5, -2.5, 3.5, the number below one half, the smallest numbers */
		U(bis_f64_to_i64, RNE, 0x4004000000000000, 2, NX),
		U(bis_f64_to_i64, RTZ, 0x4004000000000000, 2, NX),
		U(bis_f64_to_i64, RDN, 0x4004000000000000, 2, NX),
		U(bis_f64_to_i64, RUP, 0x4004000000000000, 3, NX),
		U(bis_f64_to_i64, RMM, 0x4004000000000000, 3, NX),
		U(bis_f64_to_i64, RDN, 0xc004000000000000, UINT64_MAX - 2, NX),
		U(bis_f64_to_i64, RMM, 0xc004000000000000, UINT64_MAX - 2, NX),
		U(bis_f64_to_i64, RUP, 0xc004000000000000, UINT64_MAX - 1, NX),
		U(bis_f64_to_i64, RNE, 0x400c000000000000, 4, NX),
		U(bis_f64_to_i64, RMM, 0x3fdfffffffffffff, 0, NX),
		U(bis_f64_to_i64, RNE, 0x3fe0000000000000, 0, NX),
		U(bis_f64_to_i64, RMM, 0x3fe0000000000000, 1, NX),
		U(bis_f64_to_i64, RUP, 1, 1, NX),
		U(bis_f64_to_i64, RDN, D_NEG | 1, UINT64_MAX, NX),
		U(bis_f32_to_i32, RNE, 0xc0200000, UINT64_MAX - 1, NX),
	};

	(void)state;
	CHECK(rows);
}

static void conversion_from_integer_rounds_and_reads_its_width(void **state)
{
	static const struct expectation rows[] = {
		U(bis_f32_from_i32, RNE, 0x01000001, 0x4b800000, NX),
		U(bis_f32_from_i32, RUP, 0x01000001, 0x4b800001, NX),
		U(bis_f32_from_i32, RMM, 0x01000001, 0x4b800001, NX),
		U(bis_f32_from_i32, ANY, 0x80000000, 0xcf000000, 0),
		U(bis_f32_from_u32, ANY, 0x80000000, 0x4f000000, 0),
		U(bis_f32_from_u32, RNE, UINT64_MAX, 0x4f800000, NX),
		U(bis_f32_from_u32, RTZ, UINT64_MAX, 0x4f7fffff, NX),
		U(bis_f64_from_i32, ANY, UINT64_C(0x12345678ffffffff), 0xbff0000000000000, 0),
		U(bis_f64_from_u32, ANY, UINT64_C(0x12345678ffffffff), 0x41efffffffe00000, 0),
		U(bis_f64_from_i64, ANY, D_NEG, 0xc3e0000000000000, 0),
		U(bis_f64_from_i64, ANY, UINT64_MAX, 0xbff0000000000000, 0),
		U(bis_f64_from_i64, RNE, INT64_MAX, 0x43e0000000000000, NX),
		U(bis_f64_from_i64, RDN, D_NEG | 1, 0xc3e0000000000000, NX),
		U(bis_f64_from_u64, RNE, UINT64_MAX, 0x43f0000000000000, NX),
		U(bis_f64_from_u64, RTZ, UINT64_MAX, 0x43efffffffffffff, NX),
		U(bis_f32_from_u64, RDN, UINT64_MAX, 0x5f7fffff, NX),
		U(bis_f32_from_i64, ANY, 0, 0, 0),
		U(bis_f64_from_u64, ANY, UINT64_C(1) << 63, 0x43e0000000000000, 0),
	};

	(void)state;
	CHECK(rows);
}

static void single_precision_ignores_and_clears_the_upper_half(void **state)
{
	const uint64_t high = UINT64_C(0xdeadbeef00000000);
	struct bis_fp_env env = {.rm = RNE, .flags = 0};

	(void)state;
	assert_int_equal(bis_f32_add(&env, S_ONE | high, S_ONE | high), 0x40000000);
	assert_int_equal(bis_f32_mul(&env, (S_ONE | S_NEG) | high, S_ONE), S_ONE | S_NEG);
	assert_int_equal(bis_f32_fma(&env, high, high, S_NEG | high), 0);
	assert_int_equal(bis_f32_add(&env, 0, 1 | high), 1);
	assert_int_equal(bis_f32_min(&env, S_ONE | high, S_INF | high), S_ONE);
	assert_int_equal(bis_f32_eq(&env, high, S_NEG), 1);
	assert_int_equal(bis_f32_classify(high), BIS_FP_POS_ZERO);
	assert_int_equal(bis_f32_to_i32(&env, high), 0);
	assert_int_equal(bis_f32_to_f64(&env, S_ONE | high), D_ONE);
	assert_int_equal(env.flags, 0);
}

static void flags_accumulate(void **state)
{
	struct bis_fp_env env = {.rm = RNE, .flags = 0};

	(void)state;
	bis_f64_div(&env, D_ONE, 0);
	assert_int_equal(env.flags, DZ);
	bis_f64_add(&env, D_ONE, D_ONE);
	assert_int_equal(env.flags, DZ);
	bis_f64_sqrt(&env, D_ONE | D_NEG);
	bis_f64_mul(&env, D_MAX, D_MAX);
	bis_f64_mul(&env, 1, 1);
	assert_int_equal(env.flags, NV | DZ | OF | UF | NX);
}

/* Operands of which every field looks random and whose exponents are close enough to interact. */
static void random_operands(uint64_t *seed, unsigned frac_bits, uint64_t x[3])
{
	uint64_t exp = xorshift(seed);

	for (unsigned k = 0; k < 3; k++) {
		uint64_t v = xorshift(seed), near = (exp + v % 4) << frac_bits, low = (UINT64_C(1) << frac_bits) - 1;

		x[k] = (near & ~low) ^ (v >> 11 & low & -(v >> 5 & 1)) ^ (v & UINT64_C(0x8000000080000000));
	}
}

static void host_arithmetic_cannot_be_told_from_the_exact_one(void **state)
{
	static const struct expectation ops[] = {
		B(bis_f32_add, RNE, 0, 0, 0, 0),    B(bis_f64_add, RNE, 0, 0, 0, 0), B(bis_f32_mul, RNE, 0, 0, 0, 0),
		B(bis_f64_mul, RNE, 0, 0, 0, 0),    B(bis_f32_div, RNE, 0, 0, 0, 0), B(bis_f64_div, RNE, 0, 0, 0, 0),
		U(bis_f32_sqrt, RNE, 0, 0, 0),	    U(bis_f64_sqrt, RNE, 0, 0, 0),   T(bis_f32_fma, RNE, 0, 0, 0, 0, 0),
		T(bis_f64_fma, RNE, 0, 0, 0, 0, 0),
	};
	uint64_t seed = UINT64_C(0x2545f4914f6cdd1d);

	(void)state;
	print_message("seed %#llx\n", (unsigned long long)seed);
	for (unsigned i = 0; i < 200000; i++) {
		struct expectation e = ops[i % BIS_ARRAY_SIZE(ops)];
		struct bis_fp_env exact = {.rm = RNE, .flags = 0};

		random_operands(&seed, i % 2 ? 52 : 23, e.in);
		e.out = apply(&e, &exact);
		e.flags = exact.flags;
		check_in_mode(&e, i, RNE);
	}
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(nan_results_are_canonical_and_only_signalling_ones_raise),
	cmocka_unit_test(operations_without_a_value_are_invalid),
	cmocka_unit_test(infinities_are_exact_operands),
	cmocka_unit_test(zeros_have_the_right_sign),
	cmocka_unit_test(overflow_goes_where_the_rounding_mode_points),
	cmocka_unit_test(tininess_is_detected_after_rounding),
	cmocka_unit_test(rounding_modes_differ_on_ties_and_inexact_results),
	cmocka_unit_test(fused_multiply_add_rounds_once),
	cmocka_unit_test(minimum_and_maximum_prefer_numbers_and_order_zeros),
	cmocka_unit_test(equality_is_quiet_and_order_is_signalling),
	cmocka_unit_test(each_class_is_one_bit),
	cmocka_unit_test(conversion_to_32_bits_saturates_and_sign_extends),
	cmocka_unit_test(conversion_to_64_bits_saturates),
	cmocka_unit_test(conversion_to_integer_rounds_in_every_mode),
	cmocka_unit_test(conversion_from_integer_rounds_and_reads_its_width),
	cmocka_unit_test(single_precision_ignores_and_clears_the_upper_half),
	cmocka_unit_test(flags_accumulate),
	cmocka_unit_test(host_arithmetic_cannot_be_told_from_the_exact_one),
};

int main(void)
{
	return cmocka_run_group_tests_name("float", tests, NULL, NULL);
}
