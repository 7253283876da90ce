/*
 * bench-disk DEVICE: how fast a guest's disk is, past the guest's page cache. Runs inside Linux without a C library.
 *
 * Writes and then reads the device in pieces of 1 MiB, then reads pieces of 4 KiB in no order. Prints one line:
 * "disk: WRITE READ RANDOM done", in KiB a second and, the last, in reads a second.
 */
#include <stddef.h>
#include <stdint.h>

#define PIECE		(1 << 20)
#define PIECES		256
#define SMALL		4096
#define SMALL_READS	4000
#define O_RDWR		2
#define O_DIRECT	040000 /* the generic numbering, which riscv has */
#define AT_FDCWD	(-100)
#define CLOCK_MONOTONIC 1

enum system_call {
	SYS_OPENAT = 56,
	SYS_WRITE = 64,
	SYS_PREAD = 67,
	SYS_PWRITE = 68,
	SYS_FSYNC = 82,
	SYS_EXIT = 93,
	SYS_CLOCK_GETTIME = 113,
};

static unsigned char buffer[PIECE] __attribute__((aligned(SMALL)));

static long call(enum system_call number, long a, long b, long c, long d)
{
	register long a0 __asm__("a0") = a;
	register long a1 __asm__("a1") = b;
	register long a2 __asm__("a2") = c;
	register long a3 __asm__("a3") = d;
	register long a7 __asm__("a7") = number;

	__asm__ volatile("ecall" : "+r"(a0) : "r"(a1), "r"(a2), "r"(a3), "r"(a7) : "memory");
	return a0;
}

static uint64_t microseconds(void)
{
	struct {
		int64_t seconds, nanoseconds;
	} t = {0, 0};

	call(SYS_CLOCK_GETTIME, CLOCK_MONOTONIC, (long)&t, 0, 0);
	return (uint64_t)t.seconds * 1000000 + (uint64_t)t.nanoseconds / 1000;
}

static void print(const char *text)
{
	size_t length = 0;

	while (text[length])
		length++;
	call(SYS_WRITE, 1, (long)text, (long)length, 0);
}

static void print_number(uint64_t n)
{
	char digits[24];
	size_t at = sizeof(digits);

	digits[--at] = '\0';
	digits[--at] = ' ';
	do {
		digits[--at] = (char)('0' + n % 10);
		n /= 10;
	} while (n);
	print(digits + at);
}

static __attribute__((noreturn)) void leave(const char *problem)
{
	if (problem)
		print(problem);
	for (;;)
		call(SYS_EXIT, problem ? 1 : 0, 0, 0, 0);
}

/* Takes the whole device piece by piece; the result is in KiB a second. */
static uint64_t sequence(long fd, enum system_call what)
{
	uint64_t begin = microseconds();

	for (long i = 0; i < PIECES; i++)
		if (call(what, fd, (long)buffer, PIECE, i * PIECE) != PIECE)
			leave("disk: a transfer failed\n");
	call(SYS_FSYNC, fd, 0, 0, 0);
	return (uint64_t)PIECES * (PIECE / 1024) * 1000000 / (microseconds() - begin + 1);
}

static uint64_t random_reads(long fd)
{
	uint64_t begin = microseconds(), place = 1;

	for (unsigned i = 0; i < SMALL_READS; i++) {
		place = place * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
		if (call(SYS_PREAD, fd, (long)buffer, SMALL, (long)(place >> 48) * SMALL) != SMALL)
			leave("disk: a read failed\n");
	}
	return (uint64_t)SMALL_READS * 1000000 / (microseconds() - begin + 1);
}

/* The kernel's picture of the stack at the start of a program: argc, argv[0], argv[1], ... */
__attribute__((used, noreturn)) static void begin(const long *stack)
{
	long fd;
	uint64_t written, read;

	if (stack[0] != 2)
		leave("disk: expected DEVICE\n");
	fd = call(SYS_OPENAT, AT_FDCWD, stack[2], O_RDWR | O_DIRECT, 0);
	if (fd < 0)
		leave("disk: the device cannot be opened\n");
	for (size_t i = 0; i < PIECE; i++)
		buffer[i] = (unsigned char)(i * 7 + (i >> 8));
	written = sequence(fd, SYS_PWRITE);
	read = sequence(fd, SYS_PREAD);
	print("disk: ");
	print_number(written);
	print_number(read);
	print_number(random_reads(fd));
	print("done\n");
	leave(NULL);
}

__asm__(".globl _start\n_start:\n\tmv a0, sp\n\tcall begin\n");
