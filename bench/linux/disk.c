/*
 * bench-disk DEVICE: how fast a guest's disk is, past the guest's page cache. Runs inside Linux without a C library.
 *
 * Writes and then reads the device in pieces of 1 MiB, then reads pieces of 4 KiB in no order. Prints one line:
 * "disk: WRITE READ RANDOM done", in KiB a second and, the last, in reads a second.
 */
#include "calls.h"

#define PIECE	    (1 << 20)
#define PIECES	    256
#define SMALL	    4096
#define SMALL_READS 4000

static unsigned char buffer[PIECE] __attribute__((aligned(SMALL)));

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
