/*
 * System calls of Linux without a C library: in a riscv64 guest by instruction, on the host through syscall(2). They
 * give a negative error number, as the kernel does. Structures are laid out as on every 64-bit Linux.
 */
#ifndef MAGICFS_LINUX_CALLS_H
#define MAGICFS_LINUX_CALLS_H

#include <stdint.h>

#ifdef __linux__
#include <errno.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Those that processors number differently. */
enum { LINUX_O_DIRECT = O_DIRECT, LINUX_O_DIRECTORY = O_DIRECTORY, LINUX_O_NOFOLLOW = O_NOFOLLOW };

static inline long linux_call(long number, long a, long b, long c, long d, long e, long f)
{
	long result = syscall(number, a, b, c, d, e, f);

	return result < 0 ? -errno : result;
}
#else
enum { LINUX_O_DIRECT = 040000, LINUX_O_DIRECTORY = 0200000, LINUX_O_NOFOLLOW = 0400000 };

/* The kernel's generic numbers. */
enum {
	SYS_fsetxattr = 7,
	SYS_setxattr = 5,
	SYS_getxattr = 8,
	SYS_lgetxattr = 9,
	SYS_fgetxattr = 10,
	SYS_listxattr = 11,
	SYS_flistxattr = 13,
	SYS_removexattr = 14,
	SYS_fremovexattr = 16,
	SYS_fcntl = 25,
	SYS_ioctl = 29,
	SYS_flock = 32,
	SYS_mknodat = 33,
	SYS_mkdirat = 34,
	SYS_unlinkat = 35,
	SYS_symlinkat = 36,
	SYS_linkat = 37,
	SYS_umount2 = 39,
	SYS_mount = 40,
	SYS_statfs = 43,
	SYS_fstatfs = 44,
	SYS_truncate = 45,
	SYS_ftruncate = 46,
	SYS_fallocate = 47,
	SYS_fchmod = 52,
	SYS_fchmodat = 53,
	SYS_fchownat = 54,
	SYS_openat = 56,
	SYS_close = 57,
	SYS_pipe2 = 59,
	SYS_getdents64 = 61,
	SYS_lseek = 62,
	SYS_read = 63,
	SYS_write = 64,
	SYS_pread64 = 67,
	SYS_pwrite64 = 68,
	SYS_preadv = 69,
	SYS_pwritev = 70,
	SYS_ppoll = 73,
	SYS_readlinkat = 78,
	SYS_sync = 81,
	SYS_fsync = 82,
	SYS_fdatasync = 83,
	SYS_utimensat = 88,
	SYS_exit_group = 94,
	SYS_clock_gettime = 113,
	SYS_reboot = 142,
	SYS_umask = 166,
	SYS_munmap = 215,
	SYS_clone = 220,
	SYS_mmap = 222,
	SYS_wait4 = 260,
	SYS_renameat2 = 276,
	SYS_copy_file_range = 285,
	SYS_statx = 291,
};

static inline long linux_call(long number, long a, long b, long c, long d, long e, long f)
{
	register long a0 __asm__("a0") = a;
	register long a1 __asm__("a1") = b;
	register long a2 __asm__("a2") = c;
	register long a3 __asm__("a3") = d;
	register long a4 __asm__("a4") = e;
	register long a5 __asm__("a5") = f;
	register long a7 __asm__("a7") = number;

	__asm__ volatile("ecall" : "+r"(a0) : "r"(a1), "r"(a2), "r"(a3), "r"(a4), "r"(a5), "r"(a7) : "memory");
	return a0;
}
#endif

#define CALL1(n, a)		   linux_call(SYS_##n, (long)(a), 0, 0, 0, 0, 0)
#define CALL2(n, a, b)		   linux_call(SYS_##n, (long)(a), (long)(b), 0, 0, 0, 0)
#define CALL3(n, a, b, c)	   linux_call(SYS_##n, (long)(a), (long)(b), (long)(c), 0, 0, 0)
#define CALL4(n, a, b, c, d)	   linux_call(SYS_##n, (long)(a), (long)(b), (long)(c), (long)(d), 0, 0)
#define CALL5(n, a, b, c, d, e)	   linux_call(SYS_##n, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), 0)
#define CALL6(n, a, b, c, d, e, f) linux_call(SYS_##n, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), (long)(f))

enum {
	LINUX_AT_FDCWD = -100,
	LINUX_AT_SYMLINK_NOFOLLOW = 0x100,
	LINUX_AT_REMOVEDIR = 0x200,
	LINUX_AT_EMPTY_PATH = 0x1000,
	LINUX_STATX_ALL = 0xfff,

	LINUX_O_CREAT = 0100,
	LINUX_O_EXCL = 0200,
	LINUX_O_TRUNC = 01000,
	LINUX_O_APPEND = 02000,
	LINUX_O_NONBLOCK = 04000,
	LINUX_O_NOATIME = 01000000,
	LINUX_O_CLOEXEC = 02000000,
	LINUX_O_SYNC = 04010000,
	LINUX_O_TMPFILE = 020000000 | LINUX_O_DIRECTORY,

	LINUX_UTIME_NOW = 0x3fffffff,
	LINUX_UTIME_OMIT = 0x3ffffffe,
	LINUX_SEEK_SET = 0,
	LINUX_SEEK_DATA = 3,
	LINUX_SEEK_HOLE = 4,
	LINUX_F_GETLK = 5,
	LINUX_F_SETLK = 6,
	LINUX_LOCK_NB = 4,
	LINUX_SIGCHLD = 17,
	LINUX_PROT_READ = 1,
	LINUX_PROT_WRITE = 2,
	LINUX_MAP_SHARED = 1,
	LINUX_MAP_PRIVATE = 2,
	LINUX_MAP_ANONYMOUS = 32,
};

struct linux_time {
	int64_t sec, nsec;
};

struct linux_statx_time {
	int64_t sec;
	uint32_t nsec;
	int32_t reserved;
};

struct linux_statx {
	uint32_t mask, blksize;
	uint64_t attributes;
	uint32_t nlink, uid, gid;
	uint16_t mode, reserved;
	uint64_t ino, size, blocks, attributes_mask;
	struct linux_statx_time atime, btime, ctime, mtime;
	uint32_t rdev_major, rdev_minor, dev_major, dev_minor;
	uint64_t rest[14];
};

struct linux_statfs {
	int64_t type, bsize;
	uint64_t blocks, bfree, bavail, files, ffree;
	int32_t fsid[2];
	int64_t namelen, frsize, flags, spare[4];
};

struct linux_dirent {
	uint64_t ino;
	int64_t off;
	uint16_t reclen;
	uint8_t type;
	char name[];
};

struct linux_iovec {
	void *base;
	uint64_t len;
};

struct linux_flock {
	int16_t type, whence;
	int64_t start, len;
	int32_t pid;
};

#endif
