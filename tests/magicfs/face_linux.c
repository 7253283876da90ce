/*
 * The face of Linux's system calls: in a guest on a 9P mount, and on the host itself, where it shows what a local file
 * system does. No C library but for text. face_linux_special.c has locks and maps.
 */
#include "face.h"
#include "linux_calls.h"
#include "port_linux.h"

#include <stdio.h>
#include <string.h>

enum { LIST_ROOM = 32768, PIECES = 64 };

static long handle(int64_t number)
{
	return (long)call_handle(number);
}

static long base(const struct call *c, unsigned which)
{
	return (long)call_base(c, which);
}

static const char *path(const struct call *c, unsigned which)
{
	return call_path(c, which);
}

static bool itself(const struct call *c, unsigned which)
{
	return c->text[which].len == 0;
}

/* A path from a handle for calls that know no handles. */
struct long_path {
	char text[FACE_PATH_MAX + 32];
};

static const char *from_handle(const struct call *c, unsigned which, struct long_path *to)
{
	if (path(c, which)[0] == '/')
		return path(c, which);
	snprintf(to->text, sizeof(to->text), "/proc/self/fd/%ld%s%s", base(c, which), itself(c, which) ? "" : "/",
		 path(c, which));
	return to->text;
}

int64_t face_begin(struct call *c)
{
	int64_t *handles = port_handles();
	struct long_path root;
	long fd;

	face_end(c);
	port_share_path(path(c, 0), root.text, sizeof(root.text));
	fd = CALL4(openat, LINUX_AT_FDCWD, root.text, LINUX_O_DIRECTORY | LINUX_O_CLOEXEC, 0);
	if (fd < 0)
		return fd;
	handles[0] = fd;
	fd = CALL4(openat, fd, path(c, 1), LINUX_O_DIRECTORY | LINUX_O_CLOEXEC, 0);
	if (fd >= 0)
		handles[1] = fd;
	return fd < 0 ? fd : 0;
}

int64_t face_end(struct call *c)
{
	int64_t *handles = port_handles();

	(void)c;
	linux_unmap_all();
	port_unmount();
	for (unsigned i = 0; i < FACE_HANDLES; i++) {
		if (handles[i] >= 0)
			CALL1(close, handles[i]);
		handles[i] = -1;
	}
	return 0;
}

int64_t face_mount(struct call *c)
{
	return port_mount(path(c, 0), path(c, 1));
}

int64_t face_flush(struct call *c)
{
	(void)c;
	return CALL1(sync, 0);
}

/* --- Files --- */

static long open_flags(int64_t flags)
{
	static const struct {
		unsigned flag;
		long meaning;
	} known[] = {
		{FLAG_CREATE, LINUX_O_CREAT},	     {FLAG_EXCLUSIVE, LINUX_O_EXCL},
		{FLAG_TRUNCATE, LINUX_O_TRUNC},	     {FLAG_APPEND, LINUX_O_APPEND},
		{FLAG_DIRECTORY, LINUX_O_DIRECTORY}, {FLAG_TEMPORARY, LINUX_O_TMPFILE},
		{FLAG_SYNC, LINUX_O_SYNC},	     {FLAG_DIRECT, LINUX_O_DIRECT},
		{FLAG_NO_ATIME, LINUX_O_NOATIME},    {FLAG_NOFOLLOW, LINUX_O_NOFOLLOW},
	};
	long result = (flags & 3) | LINUX_O_CLOEXEC;

	for (unsigned i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (flags & known[i].flag)
			result |= known[i].meaning;
	return result;
}

int64_t face_open(struct call *c)
{
	int64_t *handles = port_handles(), number = c->number[0];
	long fd = CALL4(openat, base(c, 0), itself(c, 0) ? "." : path(c, 0), open_flags(c->number[1]), c->number[2]);

	if (fd < 0)
		return fd;
	if (handles[number] >= 0)
		CALL1(close, handles[number]);
	handles[number] = fd;
	return 0;
}

int64_t face_close(struct call *c)
{
	int64_t *handles = port_handles(), number = c->number[0];
	long result = CALL1(close, handle(number));

	handles[number] = -1;
	return result;
}

int64_t face_read(struct call *c)
{
	uint64_t len = (uint64_t)c->number[2] < c->room ? (uint64_t)c->number[2] : c->room;
	long result = CALL4(pread64, handle(c->number[0]), c->data, len, c->number[1]);

	c->len = result > 0 ? (size_t)result : 0;
	return result;
}

/* Cuts a buffer into pieces of unlike sizes. */
static unsigned cut(uint8_t *at, size_t len, unsigned count, struct linux_iovec *pieces)
{
	for (unsigned i = 0; i < count; i++) {
		size_t part = i + 1 < count ? len / (count - i) / 2 + 1 : len;

		part = part < len ? part : len;
		pieces[i] = (struct linux_iovec){at, part};
		at += part;
		len -= part;
	}
	return count;
}

int64_t face_readv(struct call *c)
{
	struct linux_iovec pieces[PIECES];
	unsigned count = cut(c->data, (size_t)c->number[2], (unsigned)c->number[3], pieces);
	long result = CALL5(preadv, handle(c->number[0]), pieces, count, c->number[1], 0);

	c->len = result > 0 ? (size_t)result : 0;
	return result;
}

int64_t face_write(struct call *c)
{
	return CALL4(pwrite64, handle(c->number[0]), c->text[0].bytes, c->text[0].len, c->number[1]);
}

int64_t face_writev(struct call *c)
{
	struct linux_iovec pieces[PIECES];
	unsigned count = cut(c->text[0].bytes, c->text[0].len, (unsigned)c->number[2], pieces);

	return CALL5(pwritev, handle(c->number[0]), pieces, count, c->number[1], 0);
}

int64_t face_sync(struct call *c)
{
	return c->number[1] ? CALL1(fdatasync, handle(c->number[0])) : CALL1(fsync, handle(c->number[0]));
}

int64_t face_allocate(struct call *c)
{
	return CALL4(fallocate, handle(c->number[0]), c->number[1], c->number[2], c->number[3]);
}

int64_t face_seek(struct call *c)
{
	return CALL3(lseek, handle(c->number[0]), c->number[1], c->number[2] ? LINUX_SEEK_HOLE : LINUX_SEEK_DATA);
}

int64_t face_copy(struct call *c)
{
	int64_t from = c->number[1], to = c->number[3];

	return CALL6(copy_file_range, handle(c->number[0]), &from, handle(c->number[2]), &to, c->number[4], 0);
}

/* --- Attributes --- */

static int64_t ns(struct linux_statx_time t)
{
	return t.sec * 1000000000 + t.nsec;
}

static int64_t attributes(struct call *c, long flags)
{
	struct linux_statx s;
	long result = CALL5(statx, base(c, 0), path(c, 0), flags | LINUX_AT_EMPTY_PATH, LINUX_STATX_ALL, &s);
	uint64_t major = s.rdev_major, minor = s.rdev_minor;

	if (result < 0)
		return result;
	c->attr = (struct attr){.id = s.ino, .nlink = s.nlink, .size = s.size, .blocks = s.blocks, .mode = s.mode};
	c->attr.rdev = (major & 0xfffff000) << 32 | (major & 0xfff) << 8 | (minor & 0xffffff00) << 12 | (minor & 0xff);
	c->attr.uid = s.uid;
	c->attr.gid = s.gid;
	c->attr.atime = ns(s.atime);
	c->attr.mtime = ns(s.mtime);
	c->attr.ctime = ns(s.ctime);
	c->attr.btime = ns(s.btime);
	return 0;
}

int64_t face_stat(struct call *c)
{
	return attributes(c, 0);
}

int64_t face_lstat(struct call *c)
{
	return attributes(c, LINUX_AT_SYMLINK_NOFOLLOW);
}

int64_t face_statfs(struct call *c)
{
	struct long_path p;
	struct linux_statfs s;
	long result = itself(c, 0) ? CALL2(fstatfs, base(c, 0), &s) : CALL2(statfs, from_handle(c, 0, &p), &s);

	if (result < 0)
		return result;
	call_add(c, "bsize=%lld", (long long)s.bsize);
	call_add(c, "blocks=%llu", (unsigned long long)s.blocks);
	call_add(c, "bfree=%llu", (unsigned long long)s.bfree);
	call_add(c, "files=%llu", (unsigned long long)s.files);
	call_add(c, "namelen=%lld", (long long)s.namelen);
	return 0;
}

int64_t face_truncate(struct call *c)
{
	struct long_path p;

	return itself(c, 0) ? CALL2(ftruncate, base(c, 0), c->number[0])
			    : CALL2(truncate, from_handle(c, 0, &p), c->number[0]);
}

int64_t face_chmod(struct call *c)
{
	return itself(c, 0) ? CALL2(fchmod, base(c, 0), c->number[0])
			    : CALL3(fchmodat, base(c, 0), path(c, 0), c->number[0]);
}

int64_t face_chown(struct call *c)
{
	return CALL5(fchownat, base(c, 0), path(c, 0), c->number[0], c->number[1], LINUX_AT_EMPTY_PATH);
}

int64_t face_lchown(struct call *c)
{
	return CALL5(fchownat, base(c, 0), path(c, 0), c->number[0], c->number[1],
		     LINUX_AT_EMPTY_PATH | LINUX_AT_SYMLINK_NOFOLLOW);
}

static struct linux_time time_of(int64_t t)
{
	int64_t sec = t / 1000000000, nsec = t % 1000000000;

	if (t == TIME_NOW)
		return (struct linux_time){0, LINUX_UTIME_NOW};
	if (t == TIME_OMIT)
		return (struct linux_time){0, LINUX_UTIME_OMIT};
	return nsec < 0 ? (struct linux_time){sec - 1, nsec + 1000000000} : (struct linux_time){sec, nsec};
}

static int64_t set_times(struct call *c, long flags)
{
	struct linux_time times[2] = {time_of(c->number[0]), time_of(c->number[1])};

	return CALL4(utimensat, base(c, 0), itself(c, 0) ? NULL : path(c, 0), times, itself(c, 0) ? 0 : flags);
}

int64_t face_utimens(struct call *c)
{
	return set_times(c, 0);
}

int64_t face_lutimens(struct call *c)
{
	return set_times(c, LINUX_AT_SYMLINK_NOFOLLOW);
}

/* --- Names --- */

int64_t face_mkdir(struct call *c)
{
	return CALL3(mkdirat, base(c, 0), path(c, 0), c->number[0]);
}

int64_t face_rmdir(struct call *c)
{
	return CALL3(unlinkat, base(c, 0), path(c, 0), LINUX_AT_REMOVEDIR);
}

int64_t face_unlink(struct call *c)
{
	return CALL3(unlinkat, base(c, 0), path(c, 0), 0);
}

int64_t face_rename(struct call *c)
{
	return CALL5(renameat2, base(c, 0), path(c, 0), base(c, 1), path(c, 1), c->number[0]);
}

int64_t face_link(struct call *c)
{
	return CALL5(linkat, base(c, 0), path(c, 0), base(c, 1), path(c, 1), itself(c, 0) ? LINUX_AT_EMPTY_PATH : 0);
}

int64_t face_symlink(struct call *c)
{
	return CALL3(symlinkat, path(c, 0), base(c, 1), path(c, 1));
}

int64_t face_readlink(struct call *c)
{
	long result = CALL4(readlinkat, base(c, 0), path(c, 0), c->data, c->number[0]);

	c->len = result > 0 ? (size_t)result : 0;
	return result;
}

int64_t face_mknod(struct call *c)
{
	return CALL4(mknodat, base(c, 0), path(c, 0), c->number[0], c->number[1]);
}

/* --- Directories --- */

static bool dot(const char *name)
{
	return name[0] == '.' && (!name[1] || (name[1] == '.' && !name[2]));
}

enum { WITH_DOTS = 1, WITH_ATTRIBUTES = 2 };

static void add_entry(struct call *c, const char *name, unsigned how)
{
	struct linux_statx s;

	if (dot(name) && !(how & WITH_DOTS))
		return;
	if (!(how & WITH_ATTRIBUTES))
		call_add(c, "%s", name);
	else if (CALL5(statx, handle(c->number[0]), name, LINUX_AT_SYMLINK_NOFOLLOW, LINUX_STATX_ALL, &s) == 0)
		call_add(c, "%s:%o:%llu", name, s.mode, (unsigned long long)s.size);
}

/* One call's worth of names: the number of bytes that the kernel gave. */
static long some_names(struct call *c, size_t room, unsigned how)
{
	uint64_t buffer[LIST_ROOM / 8];
	long got = CALL3(getdents64, handle(c->number[0]), buffer, room < LIST_ROOM ? room : LIST_ROOM);

	for (long at = 0; at < got;) {
		const struct linux_dirent *entry = (const void *)((const char *)buffer + at);

		add_entry(c, entry->name, how);
		at += entry->reclen;
	}
	return got;
}

static int64_t all_names(struct call *c, unsigned how)
{
	long got = face_rewind(c) < 0 ? -FACE_EBADF : 1;

	while (got > 0)
		got = some_names(c, LIST_ROOM, how);
	return got;
}

int64_t face_list(struct call *c)
{
	return all_names(c, 0);
}

int64_t face_dots(struct call *c)
{
	return all_names(c, WITH_DOTS);
}

int64_t face_listplus(struct call *c)
{
	return all_names(c, WITH_ATTRIBUTES);
}

int64_t face_next(struct call *c)
{
	long got = some_names(c, (size_t)c->number[1], 0);

	return got < 0 ? got : 0;
}

int64_t face_rewind(struct call *c)
{
	return CALL3(lseek, handle(c->number[0]), 0, LINUX_SEEK_SET);
}

/* --- Extended attributes --- */

static int64_t got_data(struct call *c, long result, int64_t room)
{
	c->len = result > 0 && room > 0 ? (size_t)result : 0;
	return result;
}

int64_t face_getxattr(struct call *c)
{
	struct long_path p;
	int64_t room = c->number[0];
	long result = itself(c, 0) ? CALL4(fgetxattr, base(c, 0), path(c, 1), c->data, room)
				   : CALL4(getxattr, from_handle(c, 0, &p), path(c, 1), c->data, room);

	return got_data(c, result, room);
}

int64_t face_lgetxattr(struct call *c)
{
	struct long_path p;

	return got_data(c, CALL4(lgetxattr, from_handle(c, 0, &p), path(c, 1), c->data, c->number[0]), c->number[0]);
}

int64_t face_setxattr(struct call *c)
{
	struct long_path p;
	struct text *value = &c->text[2];

	return itself(c, 0)
		       ? CALL5(fsetxattr, base(c, 0), path(c, 1), value->bytes, value->len, c->number[0])
		       : CALL5(setxattr, from_handle(c, 0, &p), path(c, 1), value->bytes, value->len, c->number[0]);
}

int64_t face_listxattr(struct call *c)
{
	struct long_path p;
	int64_t room = c->number[0];
	long result = itself(c, 0) ? CALL3(flistxattr, base(c, 0), c->data, room)
				   : CALL3(listxattr, from_handle(c, 0, &p), c->data, room);

	return got_data(c, result, room);
}

int64_t face_removexattr(struct call *c)
{
	struct long_path p;

	return itself(c, 0) ? CALL2(fremovexattr, base(c, 0), path(c, 1))
			    : CALL2(removexattr, from_handle(c, 0, &p), path(c, 1));
}
