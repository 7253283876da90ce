/*
 * The judging side of the floating-point comparison: reads what the guest wrote, computes the same vectors with the
 * library and prints the differences. Usage: guest SEED | fpvec SEED. Exits 0 if every vector agrees, 1 otherwise.
 *
 * Each vector is computed twice, with clear flags and with inexact already set, where results may come from the host's
 * own arithmetic.
 */
#include "biscuit/float.h"
#include "vectors.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { MAX_SHOWN = 40 };

static const uint64_t f32_sign = UINT64_C(1) << 31;
static const uint64_t f64_sign = UINT64_C(1) << 63;

static uint64_t fmsub_f32(struct bis_fp_env *env, uint64_t a, uint64_t b, uint64_t c)
{
	return bis_f32_fma(env, a, b, c ^ f32_sign);
}

static uint64_t fnmadd_f32(struct bis_fp_env *env, uint64_t a, uint64_t b, uint64_t c)
{
	return bis_f32_fma(env, a ^ f32_sign, b, c ^ f32_sign);
}

static uint64_t fnmsub_f32(struct bis_fp_env *env, uint64_t a, uint64_t b, uint64_t c)
{
	return bis_f32_fma(env, a ^ f32_sign, b, c);
}

static uint64_t fmsub_f64(struct bis_fp_env *env, uint64_t a, uint64_t b, uint64_t c)
{
	return bis_f64_fma(env, a, b, c ^ f64_sign);
}

static uint64_t fnmadd_f64(struct bis_fp_env *env, uint64_t a, uint64_t b, uint64_t c)
{
	return bis_f64_fma(env, a ^ f64_sign, b, c ^ f64_sign);
}

static uint64_t fnmsub_f64(struct bis_fp_env *env, uint64_t a, uint64_t b, uint64_t c)
{
	return bis_f64_fma(env, a ^ f64_sign, b, c);
}

#define CALL_ARITH1(function)	function(env, x[0])
#define CALL_ARITH2(function)	function(env, x[0], x[1])
#define CALL_ARITH3(function)	function(env, x[0], x[1], x[2])
#define CALL_COMPARE(function)	function(env, x[0], x[1])
#define CALL_CLASSIFY(function) ((void)env, function(x[0]))
#define CALL_TO_INT(function)	function(env, x[0])
#define CALL_FROM_INT(function) function(env, x[0])

#define OP(name, family, shape, source, result, vectors, function)                                                     \
	static uint64_t call_##function(struct bis_fp_env *env, const uint64_t x[3])                                   \
	{                                                                                                              \
		return CALL_##shape(function);                                                                         \
	}
#include "ops.def"
#undef OP

struct op {
	const char *name;
	enum vec_family family;
	enum vec_shape shape;
	enum vec_format source, result;
	uint64_t vectors;
	uint64_t (*call)(struct bis_fp_env *env, const uint64_t x[3]);
};

static const struct op ops[] = {
#define OP(name, family, shape, source, result, vectors, function)                                                     \
	{name, family, SHAPE_##shape, source, result, vectors, call_##function},
#include "ops.def"
#undef OP
};

static const char *const family_names[VEC_FAMILIES] = {
	[ADDSUB] = "add, sub",
	[MUL] = "mul",
	[DIV] = "div",
	[SQRT] = "sqrt",
	[FMA] = "fused multiply-add",
	[COMPARE] = "min, max, compare, class",
	[CONVERT] = "conversions",
};

static struct vec_batch batch;

/* Returns whether the library agrees with the guest; prints the difference if show. */
static bool check(const struct op *op, const uint64_t x[3], unsigned mode, uint64_t want, uint8_t want_flags, bool show)
{
	static const uint8_t initial[] = {0, BIS_FP_NX};

	if (op->result == F32)
		want &= UINT32_MAX;
	for (unsigned k = 0; k < 2; k++) {
		struct bis_fp_env env = {.rm = (uint8_t)mode, .flags = initial[k]};
		uint64_t got = op->call(&env, x);

		if (got == want && env.flags == (want_flags | initial[k]))
			continue;
		if (show)
			printf("%s rm %u flags %#x: %#" PRIx64 " %#" PRIx64 " %#" PRIx64 " -> %#" PRIx64
			       " flags %#x, guest %#" PRIx64 " flags %#x\n",
			       op->name, mode, initial[k], x[0], x[1], x[2], got, env.flags, want,
			       want_flags | initial[k]);
		return false;
	}
	return true;
}

/* Compares one batch from standard input. Returns the number of differing results, or -1 if the guest's output ends. */
static long check_batch(uint64_t seed, unsigned number, uint64_t first, long shown)
{
	const struct op *op = &ops[number];
	uint64_t left = op->vectors - first, x[3];
	long bad = 0;

	if (fread(&batch, sizeof(batch), 1, stdin) != 1)
		return -1;
	for (unsigned i = 0; i < VEC_BATCH && i < left; i++) {
		vec_operands(seed, number, op->shape, op->source, first + i, x);
		for (unsigned mode = 0; mode < VEC_MODES; mode++)
			bad += !check(op, x, mode, batch.result[mode][i], batch.flags[mode][i],
				      shown + bad < MAX_SHOWN);
	}
	return bad;
}

int main(int argc, char **argv)
{
	uint64_t seed, vectors[VEC_FAMILIES] = {0};
	long bad[VEC_FAMILIES] = {0}, total = 0;

	if (argc != 2) {
		fprintf(stderr, "usage: guest SEED | fpvec SEED\n");
		return 2;
	}
	seed = strtoull(argv[1], NULL, 10);
	for (unsigned number = 0; number < sizeof(ops) / sizeof(ops[0]); number++) {
		for (uint64_t first = 0; first < ops[number].vectors; first += VEC_BATCH) {
			long n = check_batch(seed, number, first, total);

			if (n < 0) {
				fprintf(stderr, "fpvec: the guest's output ends at %s, vector %" PRIu64 "\n",
					ops[number].name, first);
				return 1;
			}
			bad[ops[number].family] += n;
			total += n;
		}
		vectors[ops[number].family] += ops[number].vectors;
	}
	for (unsigned k = 0; k < VEC_FAMILIES; k++)
		printf("%-26s %7" PRIu64 " vectors in %d rounding modes, %ld differences\n", family_names[k],
		       vectors[k], VEC_MODES, bad[k]);
	return total != 0;
}
