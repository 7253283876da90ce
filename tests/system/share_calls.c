/*
 * share_calls: system calls on files of a share that no program of the shell makes. It runs in a Linux guest, without a
 * C library:
 *
 *   share_calls NAME DIR
 *
 * makes the calls of NAME (the last table) in DIR. Exit status 0, or the source line of what did not hold, modulo 251,
 * plus one. Single-threaded.
 */
#define O_RDWR	     2
#define O_CREAT	     0100
#define O_EXCL	     0200
#define O_APPEND     02000
#define O_DIRECTORY  0200000
#define AT_FDCWD     (-100)
#define AT_REMOVEDIR 0x200
#define ENOENT	     2
#define EAGAIN	     11
#define EEXIST	     17
#define ENOTEMPTY    39
#define SIGCHLD	     17

enum {
	SYS_fcntl = 25,
	SYS_flock = 32,
	SYS_mkdirat = 34,
	SYS_unlinkat = 35,
	SYS_ftruncate = 46,
	SYS_chdir = 49,
	SYS_openat = 56,
	SYS_close = 57,
	SYS_getdents64 = 61,
	SYS_read = 63,
	SYS_write = 64,
	SYS_pread64 = 67,
	SYS_fstat = 80,
	SYS_fsync = 82,
	SYS_exit = 93,
	SYS_munmap = 215,
	SYS_clone = 220,
	SYS_mmap = 222,
	SYS_msync = 227,
	SYS_wait4 = 260,
	SYS_renameat2 = 276,
};

struct file_status {
	unsigned long dev, ino;
	unsigned mode, nlink, uid, gid;
	unsigned long rdev, pad;
	long size;
	char rest[72];
};

static long call(long number, long a, long b, long c, long d, long e, long f)
{
	register long a0 __asm__("a0") = a, a1 __asm__("a1") = b, a2 __asm__("a2") = c, a3 __asm__("a3") = d,
			 a4 __asm__("a4") = e, a5 __asm__("a5") = f, a7 __asm__("a7") = number;

	__asm__ volatile("ecall" : "+r"(a0) : "r"(a1), "r"(a2), "r"(a3), "r"(a4), "r"(a5), "r"(a7) : "memory");
	return a0;
}

#define CALL(number, a, b, c, d) call(SYS_##number, (long)(a), (long)(b), (long)(c), (long)(d), 0, 0)
#define EXPECT(condition)                                                                                              \
	do {                                                                                                           \
		if (!(condition))                                                                                      \
			CALL(exit, __LINE__ % 251 + 1, 0, 0, 0);                                                       \
	} while (0)

static int open_file(const char *path, int flags)
{
	return (int)CALL(openat, AT_FDCWD, path, flags, 0644);
}

static long size_of(int fd)
{
	struct file_status st;

	EXPECT(CALL(fstat, fd, &st, 0, 0) == 0);
	return st.size;
}

static int same(const char *a, const char *b, long len)
{
	while (len--)
		if (*a++ != *b++)
			return 0;
	return 1;
}

static void share_a_mapping(void)
{
	int fd = open_file("mapped", O_RDWR | O_CREAT);
	char *p, text[6];

	EXPECT(fd >= 0 && CALL(ftruncate, fd, 10000, 0, 0) == 0);
	p = (char *)call(SYS_mmap, 0, 10000, 3, 1, fd, 0);
	EXPECT((unsigned long)p < -4096ul);
	EXPECT(p[0] == 0 && p[9999] == 0);
	for (int i = 0; i < 6; i++)
		p[8190 + i] = "mapped"[i];
	EXPECT(CALL(msync, p, 10000, 4, 0) == 0);
	EXPECT(CALL(pread64, fd, text, 6, 8190) == 6 && same(text, "mapped", 6));
	EXPECT(CALL(munmap, p, 10000, 0, 0) == 0 && CALL(close, fd, 0, 0, 0) == 0);
}

static void map_for_reading(void)
{
	int fd = open_file("mapped-privately", O_RDWR | O_CREAT);
	char *p, text[4];

	EXPECT(fd >= 0 && CALL(write, fd, "abcd", 4, 0) == 4);
	p = (char *)call(SYS_mmap, 0, 4096, 3, 2, fd, 0);
	EXPECT((unsigned long)p < -4096ul && same(p, "abcd", 4));
	p[0] = 'x';
	EXPECT(CALL(pread64, fd, text, 4, 0) == 4 && same(text, "abcd", 4));
}

/* A file stays what it is for those who have it open. */
static void use_after_unlink(void)
{
	int fd = open_file("gone", O_RDWR | O_CREAT | O_EXCL);
	char text[8];

	EXPECT(fd >= 0 && CALL(write, fd, "before", 6, 0) == 6);
	EXPECT(CALL(unlinkat, AT_FDCWD, "gone", 0, 0) == 0);
	EXPECT(open_file("gone", O_RDWR) == -ENOENT);
	EXPECT(CALL(write, fd, "+after", 6, 0) == 6 && size_of(fd) == 12);
	EXPECT(CALL(pread64, fd, text, 8, 4) == 8 && same(text, "re+after", 8));
	EXPECT(CALL(ftruncate, fd, 3, 0, 0) == 0 && size_of(fd) == 3);
	EXPECT(CALL(fsync, fd, 0, 0, 0) == 0 && CALL(close, fd, 0, 0, 0) == 0);
}

static void use_after_rename(void)
{
	int fd = open_file("old-name", O_RDWR | O_CREAT), other = open_file("new-name", O_RDWR | O_CREAT);
	char text[3];

	EXPECT(fd >= 0 && other >= 0 && CALL(write, other, "two", 3, 0) == 3);
	EXPECT(CALL(renameat2, AT_FDCWD, "old-name", AT_FDCWD, "new-name") == 0);
	EXPECT(CALL(write, fd, "one", 3, 0) == 3);
	EXPECT(CALL(pread64, other, text, 3, 0) == 3 && same(text, "two", 3));
	CALL(close, fd, 0, 0, 0);
	CALL(close, other, 0, 0, 0);
	fd = open_file("new-name", O_RDWR);
	EXPECT(fd >= 0 && CALL(read, fd, text, 3, 0) == 3 && same(text, "one", 3));
}

static void truncate_and_append(void)
{
	int fd = open_file("length", O_RDWR | O_CREAT), end = open_file("length", O_RDWR | O_APPEND);
	char text[4] = "....";

	EXPECT(fd >= 0 && end >= 0 && CALL(write, fd, "0123456789", 10, 0) == 10);
	EXPECT(CALL(ftruncate, fd, 4, 0, 0) == 0 && size_of(end) == 4);
	EXPECT(CALL(write, end, "end", 3, 0) == 3 && size_of(fd) == 7);
	EXPECT(CALL(ftruncate, fd, 2, 0, 0) == 0 && CALL(ftruncate, fd, 8, 0, 0) == 0);
	EXPECT(CALL(pread64, fd, text, 4, 0) == 4 && same(text, "01\0\0", 4));
}

struct lock {
	short type, whence;
	long start, length;
	int pid;
};

/* A lock of this process keeps its child out, from its range only, until it is given up. */
static void lock_ranges(void)
{
	struct lock mine = {.type = 1, .start = 10, .length = 10}, its;
	int fd = open_file("locked", O_RDWR | O_CREAT), status = -1;
	long child;

	EXPECT(fd >= 0 && CALL(fcntl, fd, 6, &mine, 0) == 0);
	child = call(SYS_clone, SIGCHLD, 0, 0, 0, 0, 0);
	if (!child) {
		its = (struct lock){.type = 1, .start = 15, .length = 1};
		EXPECT(CALL(fcntl, fd, 6, &its, 0) == -EAGAIN);
		its = (struct lock){.type = 1, .start = 20, .length = 1};
		EXPECT(CALL(fcntl, fd, 6, &its, 0) == 0);
		CALL(exit, 0, 0, 0, 0);
	}
	EXPECT(child > 0 && CALL(wait4, child, &status, 0, 0) == child && status == 0);
	mine.type = 2;
	EXPECT(CALL(fcntl, fd, 6, &mine, 0) == 0);
}

static void lock_files(void)
{
	int fd = open_file("flocked", O_RDWR | O_CREAT), other = open_file("flocked", O_RDWR);

	EXPECT(fd >= 0 && other >= 0 && CALL(flock, fd, 2, 0, 0) == 0);
	EXPECT(CALL(flock, other, 2 | 4, 0, 0) == -EAGAIN);
	EXPECT(CALL(flock, fd, 8, 0, 0) == 0 && CALL(flock, other, 2 | 4, 0, 0) == 0);
}

struct name {
	unsigned long ino;
	long next;
	unsigned short length;
	unsigned char type;
	char text[];
};

/* Of 500 files each is listed once, although those that were listed are removed meanwhile. */
static void list_while_removing(void)
{
	static char names[2000] __attribute__((aligned(8)));
	char file[] = "many/000";
	int fd, count = 0;
	long got;

	EXPECT(CALL(mkdirat, AT_FDCWD, "many", 0755, 0) == 0);
	for (int i = 0; i < 500; i++) {
		file[5] = (char)('0' + i / 100);
		file[6] = (char)('0' + i / 10 % 10);
		file[7] = (char)('0' + i % 10);
		fd = open_file(file, O_RDWR | O_CREAT | O_EXCL);
		EXPECT(fd >= 0 && CALL(close, fd, 0, 0, 0) == 0);
	}
	EXPECT(CALL(unlinkat, AT_FDCWD, "many", AT_REMOVEDIR, 0) == -ENOTEMPTY);
	fd = open_file("many", O_DIRECTORY);
	while ((got = CALL(getdents64, fd, names, sizeof(names), 0)) > 0) {
		for (long at = 0; at < got;) {
			struct name *n = (struct name *)(names + at);

			at += n->length;
			if (n->text[0] == '.')
				continue;
			count++;
			EXPECT(CALL(unlinkat, fd, n->text, 0, 0) == 0);
		}
	}
	EXPECT(got == 0 && count == 500);
	EXPECT(CALL(unlinkat, AT_FDCWD, "many", AT_REMOVEDIR, 0) == 0);
}

static void make_exclusively(void)
{
	EXPECT(open_file("once", O_RDWR | O_CREAT | O_EXCL) >= 0);
	EXPECT(open_file("once", O_RDWR | O_CREAT | O_EXCL) == -EEXIST);
}

static const struct {
	const char *name;
	void (*run)(void);
} table[] = {
	{"share-mapping", share_a_mapping},
	{"private-mapping", map_for_reading},
	{"unlinked", use_after_unlink},
	{"renamed", use_after_rename},
	{"truncated", truncate_and_append},
	{"ranges", lock_ranges},
	{"flock", lock_files},
	{"listed", list_while_removing},
	{"exclusive", make_exclusively},
};

static int equal(const char *a, const char *b)
{
	while (*a && *a == *b)
		a++, b++;
	return *a == *b;
}

/* `sp` is where Linux has put the count of arguments and the arguments. */
__attribute__((used, noreturn)) static void begin(long *sp)
{
	char **arguments = (char **)(sp + 1);

	EXPECT(sp[0] == 3);
	EXPECT(CALL(chdir, arguments[2], 0, 0, 0) == 0);
	for (unsigned long i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		if (!equal(table[i].name, arguments[1]))
			continue;
		table[i].run();
		CALL(exit, 0, 0, 0, 0);
	}
	CALL(exit, 255, 0, 0, 0);
	__builtin_unreachable();
}

__asm__(".globl _start\n_start:\n.option push\n.option norelax\nla gp, __global_pointer$\n.option pop\nmv a0, sp\nandi "
	"sp, sp, -16\ncall begin\n");
