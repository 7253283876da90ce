/*
 * bench-share DIR: how fast a directory is that Linux has mounted freshly, with what the runner has put there
 * (bench/runner/tree.h). Prints one line: "share: WALK STAT READ WRITE CREATE UNLINK done", in files and in KiB a
 * second. bench-share names DIR reads the names in DIR, bench-share files DIR looks at each file, too: "list: NAMES
 * MICROSECONDS done".
 *
 * What is slow is ended early and counted as far as it came. Runs inside Linux without a C library.
 */
#include "calls.h"

#define DIRECTORIES	   100 /* with as many files each, as bench/runner/tree.h has them */
#define PIECE		   (1 << 20)
#define PIECES		   256
#define CREATED		   2000
#define PATH_LENGTH_MAX	   256
#define WALK_MICROSECONDS  3000000
#define STAT_MICROSECONDS  1000000
#define MOVE_MICROSECONDS  1500000
#define MAKE_MICROSECONDS  750000
#define SYNC_RANGE_AND_END 7 /* SYNC_FILE_RANGE_WAIT_BEFORE, _WRITE and _WAIT_AFTER */

struct directory_entry {
	uint64_t inode, next;
	uint16_t size;
	uint8_t type;
	char name[];
};

static unsigned char buffer[PIECE] __attribute__((aligned(4096)));
static unsigned char attributes[256]; /* struct stat, which nobody reads here */

static char *put(char *to, const char *text)
{
	while (*text)
		*to++ = *text++;
	*to = '\0';
	return to;
}

static char *put_number(char *to, unsigned number, unsigned digits)
{
	for (unsigned i = digits; i--; number /= 10)
		to[i] = (char)('0' + number % 10);
	to[digits] = '\0';
	return to + digits;
}

static uint64_t rate(uint64_t count, uint64_t begin)
{
	return count * 1000000 / (microseconds() - begin + 1);
}

static long open_or_leave(const char *path, long flags)
{
	long fd = call(SYS_OPENAT, AT_FDCWD, (long)path, flags, 0644);

	if (fd < 0) {
		print(path);
		leave(": cannot be opened\n");
	}
	return fd;
}

/* Reads the names of a directory and perhaps looks at each file: how many there were. */
static uint64_t list(const char *path, int look)
{
	long fd = open_or_leave(path, O_DIRECTORY), got;
	uint64_t count = 0;

	while ((got = call(SYS_GETDENTS, fd, (long)buffer, 32768, 0)) > 0) {
		for (long at = 0; at < got;) {
			const struct directory_entry *entry = (const void *)(buffer + at);

			at += entry->size;
			if (entry->name[0] == '.')
				continue;
			if (look && call(SYS_NEWFSTATAT, fd, (long)entry->name, (long)attributes, AT_SYMLINK_NOFOLLOW))
				leave("share: a file in a directory cannot be looked at\n");
			count++;
		}
	}
	if (got < 0)
		leave("share: a directory cannot be read\n");
	call(SYS_CLOSE, fd, 0, 0, 0);
	return count;
}

/* The files of the tree for the first time: files a second. *directories is how far it came. */
static uint64_t walk(char *path, char *end, unsigned *directories)
{
	uint64_t begin = microseconds(), count = 0;

	for (*directories = 0; *directories < DIRECTORIES; ++*directories) {
		if (microseconds() - begin > WALK_MICROSECONDS)
			break;
		put_number(put(end, "/tree/d"), *directories, 2);
		count += list(path, 1);
	}
	return rate(count, begin);
}

/* The same files again, each by its whole path. */
static uint64_t stat_again(char *path, char *end, unsigned directories)
{
	uint64_t begin = microseconds(), count = 0;

	for (unsigned i = 0; i < directories * 100; i++, count++) {
		if (i % 100 == 0 && microseconds() - begin > STAT_MICROSECONDS)
			break;
		put_number(put(put_number(put(end, "/tree/d"), i / 100, 2), "/f"), i % 100, 2);
		if (call(SYS_NEWFSTATAT, AT_FDCWD, (long)path, (long)attributes, AT_SYMLINK_NOFOLLOW))
			leave("share: a file cannot be looked at again\n");
	}
	return rate(count, begin);
}

/* KiB a second. What is written is with the host in the end, not necessarily on its disk. */
static uint64_t move_pieces(long fd, enum system_call what)
{
	uint64_t begin = microseconds(), count = 0;

	for (long i = 0; i < PIECES && microseconds() - begin < MOVE_MICROSECONDS; i++, count++)
		if (call(what, fd, (long)buffer, PIECE, i * PIECE) != PIECE)
			leave("share: a transfer failed\n");
	if (what == SYS_PWRITE)
		call(SYS_SYNC_FILE_RANGE, fd, 0, 0, SYNC_RANGE_AND_END);
	return rate(count * (PIECE / 1024), begin);
}

static void name_made(char *end, unsigned number)
{
	put_number(put(end, "/made/n"), number, 4);
}

static uint64_t create(char *path, char *end, unsigned *count)
{
	uint64_t begin = microseconds();

	for (*count = 0; *count < CREATED && microseconds() - begin < MAKE_MICROSECONDS; ++*count) {
		name_made(end, *count);
		call(SYS_CLOSE, open_or_leave(path, O_CREAT | O_EXCL | O_WRONLY), 0, 0, 0);
	}
	return rate(*count, begin);
}

static uint64_t remove_made(char *path, char *end, unsigned count)
{
	uint64_t begin = microseconds();

	for (unsigned i = 0; i < count; i++) {
		name_made(end, i);
		if (call(SYS_UNLINKAT, AT_FDCWD, (long)path, 0, 0))
			leave("share: a file cannot be removed\n");
	}
	return rate(count, begin);
}

static void measure(char *path, char *end)
{
	uint64_t results[6];
	unsigned directories, made;
	long fd;

	results[0] = walk(path, end, &directories);
	results[1] = stat_again(path, end, directories);
	put(end, "/data");
	fd = open_or_leave(path, 0);
	results[2] = move_pieces(fd, SYS_PREAD);
	call(SYS_CLOSE, fd, 0, 0, 0);
	put(end, "/made/data");
	fd = open_or_leave(path, O_CREAT | O_EXCL | O_WRONLY);
	results[3] = move_pieces(fd, SYS_PWRITE);
	call(SYS_CLOSE, fd, 0, 0, 0);
	call(SYS_UNLINKAT, AT_FDCWD, (long)path, 0, 0);
	results[4] = create(path, end, &made);
	results[5] = remove_made(path, end, made);
	print("share: ");
	for (unsigned i = 0; i < 6; i++)
		print_number(results[i]);
	print("done\n");
}

__attribute__((used, noreturn)) static void begin(const long *stack)
{
	const char *folder;
	char path[PATH_LENGTH_MAX], *end;
	uint64_t begun;

	/* stack[0] is argc; argv[k] is stack[1 + k]. */
	folder = stack[0] > 1 ? (const char *)stack[stack[0]] : "";
	if (stack[0] < 2 || stack[0] > 3 || text_length(folder) > sizeof(path) / 2)
		leave("share: expected DIR, or names DIR, or files DIR\n");
	end = put(path, folder);
	if (stack[0] == 2) {
		measure(path, end);
		leave(NULL);
	}
	begun = microseconds();
	print("list: ");
	print_number(list(path, *(const char *)stack[2] == 'f'));
	print_number(microseconds() - begun);
	print("done\n");
	leave(NULL);
}
