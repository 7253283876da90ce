/*
 * The native protocol of MagicFS (docs/magicfs.md): requests as they lie in guest memory. Read by the device and by
 * guests alike; needs nothing but <stdint.h>. Everything is little-endian and naturally aligned; addresses are
 * physical.
 *
 * A guest fills in a request and writes its address, a multiple of 8, to the register REQUEST (slot 4), or to POST.
 * With REQUEST it is done before the next instruction; with POST it is done when `done` is 1, its address can be taken
 * from the register DONE, and the device interrupts if it was told to. The device reads a request once, when it is
 * written to the register, and afterwards writes nothing but `result`, `extra` and `done`.
 */
#ifndef MAGICFS_PROTOCOL_H
#define MAGICFS_PROTOCOL_H

#include <stdint.h>

struct magicfs_request {
	uint32_t op;	   /* enum magicfs_op */
	uint32_t flags;	   /* by operation */
	uint32_t handle;   /* what the operation is done to, or the directory that `path` starts from */
	uint32_t handle2;  /* the directory that `path2` starts from; the other file of COPY */
	uint64_t path;	   /* address of a path, not NUL-terminated; MAGICFS_PATH_MAX-1 bytes at most */
	uint32_t path_len; /* 0: `handle` itself */
	uint32_t path2_len;
	uint64_t path2; /* the new name of LINK and RENAME, the target of SYMLINK, the name of an xattr */
	uint64_t buffer;
	uint64_t length; /* of the buffer; with MAGICFS_VECTOR the number of struct magicfs_piece there */
	uint64_t offset; /* in the file; of LIST the cursor */
	uint32_t mode;
	uint32_t uid, gid; /* owner of what is made, or to be set */
	uint32_t mask;	   /* enum magicfs_set, enum magicfs_change; the lock's type */
	uint64_t value[2]; /* by operation */
	uint64_t tag;	   /* the guest's own; the device does not look at it */
	int64_t result;	   /* 0 or a number, or below 0 an error: -MAGICFS_ENOENT, … */
	uint64_t extra;	   /* a second result, by operation */
	uint32_t done;	   /* 1 when the request is done; the device writes it last */
	uint32_t reserved; /* 0 */
};

/* One piece of a buffer that is scattered over physical memory: MAGICFS_VECTOR, at most MAGICFS_PIECES. */
struct magicfs_piece {
	uint64_t address, length;
};

enum {
	MAGICFS_PATH_MAX = 4096,
	MAGICFS_NAME_MAX = 255,
	MAGICFS_PIECES = 64,
	MAGICFS_IO_MAX = 64 << 20, /* bytes of one READ, WRITE; more is shortened */
	MAGICFS_POSTED_MAX = 256,  /* requests posted and not yet taken from DONE */
	MAGICFS_SHARES_MAX = 16,   /* handle k below the register SHARES is the root of share k */
	MAGICFS_WATCHES_MAX = 1024,
};

/* clang-format off */
enum magicfs_op {
	MAGICFS_NOP = 0,		/* nothing */
	MAGICFS_SHARE = 1,		/* handle: a share; buffer: its name. result: the name's length; extra: magicfs_share_flags */
	MAGICFS_OPEN = 2,		/* handle, path; flags: magicfs_open, NOFOLLOW; mode, uid, gid. result: a handle */
	MAGICFS_CLOSE = 3,		/* handle */
	MAGICFS_READ = 4,		/* handle, buffer, length, offset; flags: VECTOR. result: bytes, fewer only at the end */
	MAGICFS_WRITE = 5,		/* the same */
	MAGICFS_STAT = 6,		/* handle, path; flags: NOFOLLOW; buffer: struct magicfs_stat. result: its size */
	MAGICFS_LIST = 7,		/* handle; offset: 0 or the last entry's cursor; flags: ATTRIBUTES; buffer: entries.
					   result: bytes, 0 at the end */
	MAGICFS_SET = 8,		/* handle, path; flags: NOFOLLOW; mask: magicfs_set; mode, uid, gid; offset: the size;
					   value: atime, mtime in ns */
	MAGICFS_MKDIR = 9,		/* handle, path, mode, uid, gid */
	MAGICFS_MKNOD = 10,		/* handle, path, mode, uid, gid; value[0]: device number */
	MAGICFS_SYMLINK = 11,		/* handle, path: the link; path2: what it says; uid, gid */
	MAGICFS_LINK = 12,		/* handle, path: what there is; handle2, path2: the new name */
	MAGICFS_RENAME = 13,		/* handle, path: the old name; handle2, path2: the new one; flags: magicfs_rename */
	MAGICFS_UNLINK = 14,		/* handle, path; flags: DIRECTORY_ONLY removes an empty directory */
	MAGICFS_READLINK = 15,		/* handle, path; buffer. result: bytes of the target, cut off at the buffer's end */
	MAGICFS_SYNC = 16,		/* handle; flags: DATA_ONLY. On stable storage when it is done */
	MAGICFS_STATFS = 17,		/* handle, path; buffer: struct magicfs_statfs. result: its size */
	MAGICFS_GETXATTR = 18,		/* handle, path; path2: the name; flags: NOFOLLOW; buffer. result: the size, also with length 0 */
	MAGICFS_SETXATTR = 19,		/* the same; mask: 1 only make, 2 only replace */
	MAGICFS_LISTXATTR = 20,		/* handle, path; flags: NOFOLLOW; buffer: names, each with its NUL. result: bytes */
	MAGICFS_REMOVEXATTR = 21,	/* handle, path; path2: the name; flags: NOFOLLOW */
	MAGICFS_ALLOCATE = 22,		/* handle, offset, length; mask: magicfs_allocate */
	MAGICFS_SEEK = 23,		/* handle, offset; flags: HOLE. result: where data (or a hole) is next */
	MAGICFS_COPY = 24,		/* handle, offset: from; handle2, value[0]: to; length. result: bytes copied by the host */
	MAGICFS_LOCK = 25,		/* handle, offset, length (0: to the end); mask: magicfs_lock; value[0]: owner;
					   flags: WAIT (posted only), WHOLE */
	MAGICFS_GETLOCK = 26,		/* the same. result: type of the lock in the way, NONE if there is none; extra: its start;
					   buffer (16 bytes, or 0): its length, owner */
	MAGICFS_WATCH = 27,		/* handle, path; mask: magicfs_change; flags: RECURSIVE, NOFOLLOW. result: the watch's number */
	MAGICFS_UNWATCH = 28,		/* value[0]: the watch's number */
	MAGICFS_EVENTS = 29,		/* buffer: struct magicfs_event one after the other. result: bytes;
					   posted: when there are any, else -EAGAIN */
	MAGICFS_MAP = 30,		/* handle, offset, length (pages); flags: SHARED, WRITABLE. result: physical address */
	MAGICFS_UNMAP = 31,		/* value[0]: what MAP gave; length */
	MAGICFS_CANCEL = 32,		/* value[0]: address of a posted EVENTS or waiting LOCK: it is done with -EINTR.
					   -ENOENT if it is not under way */
	MAGICFS_OPS
};
/* clang-format on */

/* Bits of `flags` that several operations know. */
enum magicfs_flags {
	MAGICFS_VECTOR = 1u << 31,	  /* READ, WRITE: the buffer is a list of pieces */
	MAGICFS_NOFOLLOW = 1u << 30,	  /* OPEN, STAT, SET, …: a link as the last component is meant itself */
	MAGICFS_DIRECTORY_ONLY = 1u << 0, /* UNLINK */
	MAGICFS_ATTRIBUTES = 1u << 0,	  /* LIST: each entry has a struct magicfs_stat */
	MAGICFS_DATA_ONLY = 1u << 0,	  /* SYNC */
	MAGICFS_HOLE = 1u << 0,		  /* SEEK */
	MAGICFS_WAIT = 1u << 0,		  /* LOCK */
	MAGICFS_WHOLE = 1u << 1,	  /* LOCK: of the open file, not of an owner and range (flock) */
	MAGICFS_RECURSIVE = 1u << 0,	  /* WATCH */
	MAGICFS_SHARED = 1u << 0,	  /* MAP: what the host changes shows; without it a copy on write */
	MAGICFS_WRITABLE = 1u << 1,	  /* MAP: stores are allowed; with SHARED they go to the file */
};

enum magicfs_open {
	MAGICFS_O_READ = 0,
	MAGICFS_O_WRITE = 1,
	MAGICFS_O_READ_WRITE = 2,
	MAGICFS_O_CREATE = 4,
	MAGICFS_O_EXCLUSIVE = 8,
	MAGICFS_O_TRUNCATE = 16,
	MAGICFS_O_APPEND = 32,
	MAGICFS_O_DIRECTORY = 64,
	MAGICFS_O_TEMPORARY = 128, /* a file without a name in the directory `path` */
	MAGICFS_O_SYNC = 256,
	MAGICFS_O_DIRECT = 512,
	MAGICFS_O_NO_ATIME = 1024,
};

enum magicfs_share_flags { MAGICFS_SHARE_READONLY = 1 };

enum magicfs_rename { MAGICFS_NOREPLACE = 1, MAGICFS_EXCHANGE = 2, MAGICFS_WHITEOUT = 4 };

enum magicfs_set {
	MAGICFS_SET_MODE = 1,
	MAGICFS_SET_UID = 2,
	MAGICFS_SET_GID = 4,
	MAGICFS_SET_SIZE = 8,
	MAGICFS_SET_ATIME = 16,
	MAGICFS_SET_MTIME = 32,
	MAGICFS_SET_ATIME_NOW = 64,
	MAGICFS_SET_MTIME_NOW = 128,
};

enum magicfs_allocate {
	MAGICFS_KEEP_SIZE = 1,
	MAGICFS_PUNCH_HOLE = 2,
	MAGICFS_COLLAPSE = 8,
	MAGICFS_ZERO = 16,
	MAGICFS_INSERT = 32,
};

enum magicfs_lock { MAGICFS_LOCK_READ = 0, MAGICFS_LOCK_WRITE = 1, MAGICFS_LOCK_NONE = 2 };

enum magicfs_change {
	MAGICFS_CHANGED = 1,
	MAGICFS_CREATED = 2,
	MAGICFS_REMOVED = 4,
	MAGICFS_ATTRIBUTES_CHANGED = 8,
	MAGICFS_RENAMED_FROM = 16,
	MAGICFS_RENAMED_TO = 32,
	MAGICFS_CLOSED = 64,
	MAGICFS_GONE = 128,
	MAGICFS_OVERFLOW = 256,
	MAGICFS_IS_DIRECTORY = 512,
};

struct magicfs_stat {
	uint64_t id, version; /* unlike every other object's of the share; changes with the content */
	uint32_t mode;	      /* type and permissions, as POSIX numbers them: MAGICFS_DIRECTORY | 0755 */
	uint32_t uid, gid;
	uint32_t blksize;
	uint64_t nlink, rdev, size, blocks; /* blocks of 512 bytes */
	int64_t atime, mtime, ctime, btime; /* ns since 1970 */
};

enum magicfs_mode {
	MAGICFS_TYPE = 0170000,
	MAGICFS_SOCKET = 0140000,
	MAGICFS_SYMBOLIC_LINK = 0120000,
	MAGICFS_REGULAR = 0100000,
	MAGICFS_BLOCK_DEVICE = 0060000,
	MAGICFS_DIRECTORY = 0040000,
	MAGICFS_CHARACTER_DEVICE = 0020000,
	MAGICFS_FIFO = 0010000,
};

/* An entry of LIST; the next one begins `size` bytes on. With ATTRIBUTES a struct magicfs_stat lies before the name. */
struct magicfs_entry {
	uint64_t id, cursor; /* where to go on behind this one */
	uint16_t size;	     /* of all of it, a multiple of 8 */
	uint16_t name_len;
	uint16_t name_offset; /* from the start of the entry; a NUL follows the name */
	uint16_t type;	      /* mode >> 12: 4 directory, 8 regular, 10 symbolic link, … */
};

/* A change; the next one begins `size` bytes on. */
struct magicfs_event {
	uint32_t size; /* of all of it, a multiple of 8 */
	uint32_t watch, change, cookie;
	uint32_t path_len;
	uint32_t reserved;
	/* path_len bytes: below the watched directory; then a NUL */
};

struct magicfs_statfs {
	uint64_t blocks, bfree, bavail, files, ffree, fsid; /* blocks of bsize bytes */
	uint32_t type, bsize, namelen, reserved;
};

/* Errors; the numbers are those of Linux. */
enum magicfs_error {
	MAGICFS_EPERM = 1,
	MAGICFS_ENOENT = 2,
	MAGICFS_EINTR = 4,
	MAGICFS_EIO = 5,
	MAGICFS_ENXIO = 6,
	MAGICFS_E2BIG = 7,
	MAGICFS_EBADF = 9,
	MAGICFS_EAGAIN = 11,
	MAGICFS_ENOMEM = 12,
	MAGICFS_EACCES = 13,
	MAGICFS_EFAULT = 14,
	MAGICFS_EBUSY = 16,
	MAGICFS_EEXIST = 17,
	MAGICFS_EXDEV = 18,
	MAGICFS_ENODEV = 19,
	MAGICFS_ENOTDIR = 20,
	MAGICFS_EISDIR = 21,
	MAGICFS_EINVAL = 22,
	MAGICFS_ENFILE = 23,
	MAGICFS_EMFILE = 24,
	MAGICFS_ETXTBSY = 26,
	MAGICFS_EFBIG = 27,
	MAGICFS_ENOSPC = 28,
	MAGICFS_ESPIPE = 29,
	MAGICFS_EROFS = 30,
	MAGICFS_EMLINK = 31,
	MAGICFS_ERANGE = 34,
	MAGICFS_ENAMETOOLONG = 36,
	MAGICFS_ENOSYS = 38,
	MAGICFS_ENOTEMPTY = 39,
	MAGICFS_ELOOP = 40,
	MAGICFS_ENODATA = 61,
	MAGICFS_EOVERFLOW = 75,
	MAGICFS_EOPNOTSUPP = 95,
	MAGICFS_ESTALE = 116,
	MAGICFS_EDQUOT = 122,
};

#endif
