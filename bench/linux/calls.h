/* What programs for Linux need that have no C library: system calls by number, a clock, and printing. One file each. */
#ifndef BENCH_CALLS_H
#define BENCH_CALLS_H

#include <stddef.h>
#include <stdint.h>

#define O_WRONLY	    1 /* the generic numbering, which riscv has */
#define O_RDWR		    2
#define O_CREAT		    0100
#define O_EXCL		    0200
#define O_DIRECT	    040000
#define O_DIRECTORY	    0200000
#define AT_FDCWD	    (-100)
#define AT_SYMLINK_NOFOLLOW 0x100
#define CLOCK_MONOTONIC	    1

enum system_call {
	SYS_MKDIRAT = 34,
	SYS_UNLINKAT = 35,
	SYS_UMOUNT = 39,
	SYS_MOUNT = 40,
	SYS_OPENAT = 56,
	SYS_CLOSE = 57,
	SYS_GETDENTS = 61,
	SYS_READ = 63,
	SYS_WRITE = 64,
	SYS_PREAD = 67,
	SYS_PWRITE = 68,
	SYS_NEWFSTATAT = 79,
	SYS_FSYNC = 82,
	SYS_SYNC_FILE_RANGE = 84,
	SYS_EXIT = 93,
	SYS_CLOCK_GETTIME = 113,
};

static inline long call(enum system_call number, long a, long b, long c, long d)
{
	register long a0 __asm__("a0") = a;
	register long a1 __asm__("a1") = b;
	register long a2 __asm__("a2") = c;
	register long a3 __asm__("a3") = d;
	register long a4 __asm__("a4") = 0;
	register long a7 __asm__("a7") = number;

	__asm__ volatile("ecall" : "+r"(a0) : "r"(a1), "r"(a2), "r"(a3), "r"(a4), "r"(a7) : "memory");
	return a0;
}

static inline uint64_t microseconds(void)
{
	struct {
		int64_t seconds, nanoseconds;
	} t = {0, 0};

	call(SYS_CLOCK_GETTIME, CLOCK_MONOTONIC, (long)&t, 0, 0);
	return (uint64_t)t.seconds * 1000000 + (uint64_t)t.nanoseconds / 1000;
}

static inline size_t text_length(const char *text)
{
	size_t length = 0;

	while (text[length])
		length++;
	return length;
}

static inline void print(const char *text)
{
	call(SYS_WRITE, 1, (long)text, (long)text_length(text), 0);
}

/* In decimal, with a space behind it. */
static inline void print_number(uint64_t n)
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

/* Ends the program, well if there is no problem to print. */
static inline __attribute__((noreturn)) void leave(const char *problem)
{
	if (problem)
		print(problem);
	for (;;)
		call(SYS_EXIT, problem ? 1 : 0, 0, 0, 0);
}

/* The program's own begin() gets the kernel's picture of the stack: argc, argv[0], argv[1], ... */
__asm__(".globl _start\n_start:\n\tmv a0, sp\n\tcall begin\n");

#endif
