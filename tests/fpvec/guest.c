/*
 * The measured side of the floating-point comparison: a freestanding riscv64 Linux program that executes every
 * instruction of ops.def on its vectors in every rounding mode and writes a struct vec_batch a batch to standard
 * output. The seed is its argument, in decimal.
 */
#include "vectors.h"

#include <stddef.h>

enum { SYS_WRITE = 64, SYS_EXIT = 93 };

static long syscall3(long number, long a, long b, long c)
{
	register long a0 __asm__("a0") = a;
	register long a1 __asm__("a1") = b;
	register long a2 __asm__("a2") = c;
	register long a7 __asm__("a7") = number;

	__asm__ volatile("ecall" : "+r"(a0) : "r"(a1), "r"(a2), "r"(a7) : "memory");
	return a0;
}

static void write_all(const void *data, size_t len)
{
	const char *at = data;

	while (len) {
		long n = syscall3(SYS_WRITE, 1, (long)at, (long)len);

		if (n <= 0)
			syscall3(SYS_EXIT, 1, 0, 0);
		at += n;
		len -= (size_t)n;
	}
}

/* Every instruction takes its operands in ft0 to ft2 or t0 and leaves its result in ft3 or t0. */
#define TEXT_ARITH1(name)   name " ft3, ft0\n"
#define TEXT_ARITH2(name)   name " ft3, ft0, ft1\n"
#define TEXT_ARITH3(name)   name " ft3, ft0, ft1, ft2\n"
#define TEXT_COMPARE(name)  name " t0, ft0, ft1\n"
#define TEXT_CLASSIFY(name) name " t0, ft0\n"
#define TEXT_TO_INT(name)   name " t0, ft0\n"
#define TEXT_FROM_INT(name) name " ft3, t0\n"

#define RESULT_F32 "fmv.x.d %[result], ft3\n"
#define RESULT_F64 "fmv.x.d %[result], ft3\n"
#define RESULT_INT "mv %[result], t0\n"

#define EXECUTE(text, fetch)                                                                                           \
	__asm__ volatile("mv t0, %[a]\n"                                                                               \
			 "fmv.d.x ft0, %[a]\n"                                                                         \
			 "fmv.d.x ft1, %[b]\n"                                                                         \
			 "fmv.d.x ft2, %[c]\n"                                                                         \
			 "fsflags zero\n" text "frflags %[flags]\n" fetch                                              \
			 : [result] "=&r"(result), [flags] "=&r"(flags)                                                \
			 : [a] "r"(x[0]), [b] "r"(x[1]), [c] "r"(x[2])                                                 \
			 : "t0", "ft0", "ft1", "ft2", "ft3")

static struct vec_batch batch;
static uint64_t operands[VEC_BATCH][3];

static void make_operands(uint64_t seed, unsigned op, enum vec_shape shape, enum vec_format source, uint64_t first)
{
	for (unsigned i = 0; i < VEC_BATCH; i++)
		vec_operands(seed, op, shape, source, first + i, operands[i]);
}

/* One function an operation: executes the batch in the rounding mode in force. */
#define OP(name, family, shape, source, result_in, vectors, function)                                                  \
	static void run_##function(unsigned mode)                                                                      \
	{                                                                                                              \
		for (unsigned i = 0; i < VEC_BATCH; i++) {                                                             \
			const uint64_t *x = operands[i];                                                               \
			uint64_t result, flags;                                                                        \
                                                                                                                       \
			EXECUTE(TEXT_##shape(name), RESULT_##result_in);                                               \
			batch.result[mode][i] = result;                                                                \
			batch.flags[mode][i] = (uint8_t)flags;                                                         \
		}                                                                                                      \
	}
#include "ops.def"
#undef OP

static const struct {
	enum vec_shape shape;
	enum vec_format source;
	uint64_t vectors;
	void (*run)(unsigned mode);
} ops[] = {
#define OP(name, family, shape, source, result_in, vectors, function) {SHAPE_##shape, source, vectors, run_##function},
#include "ops.def"
#undef OP
};

void guest_main(const long *stack) __attribute__((noreturn));

void guest_main(const long *stack)
{
	const char *digits = stack[0] > 1 ? (const char *)stack[2] : "0";
	uint64_t seed = 0;

	for (; *digits >= '0' && *digits <= '9'; digits++)
		seed = seed * 10 + (uint64_t)(*digits - '0');
	for (unsigned op = 0; op < sizeof(ops) / sizeof(ops[0]); op++) {
		for (uint64_t first = 0; first < ops[op].vectors; first += VEC_BATCH) {
			make_operands(seed, op, ops[op].shape, ops[op].source, first);
			for (unsigned mode = 0; mode < VEC_MODES; mode++) {
				__asm__ volatile("fsrm %0" : : "r"(mode));
				ops[op].run(mode);
			}
			write_all(&batch, sizeof(batch));
		}
	}
	syscall3(SYS_EXIT, 0, 0, 0);
	__builtin_unreachable();
}

__asm__(".globl _start\n"
	"_start:\n"
	".option push\n"
	".option norelax\n"
	"	la gp, __global_pointer$\n"
	".option pop\n"
	"	mv a0, sp\n"
	"	call guest_main\n");
