/*
 * The core of MagicFS: a file system that guests share, behind one table of operations. It knows neither registers nor
 * virtio; the faces (magicfs/native*.c, magicfs/virtio_9p*.c) translate their protocols into these calls, and
 * magicfs/host*.c answers them from a directory of the host. Tests plug in a table of their own to play a host that
 * fails.
 *
 * Everything that a guest can name lies beneath the share's root: paths are resolved by the kernel (openat2 with
 * RESOLVE_BENEATH, or RESOLVE_IN_ROOT where the user wants absolute links to stay inside), never by us.
 *
 * Threads: any number of threads may call any function here on the same mfs and the same node. Calls may wait for the
 * host's storage, so no lock of the machine should be held that others cannot do without.
 * Errors: 0, or a negative errno of the host as it is (its numbers are Linux's, and so are those of both protocols);
 * no message is set, as these are answers to a guest.
 */
#ifndef BISCUIT_MAGICFS_MFS_H
#define BISCUIT_MAGICFS_MFS_H

#include <stdatomic.h>
#include <sys/types.h>

#include <biscuit/memory.h>
#include <biscuit/types.h>

#define MFS_PATH_MAX 4096 /* bytes of a path with its NUL, as on the host */
#define MFS_NAME_MAX 255

struct mfs;
struct bis_machine;
struct mfs_node; /* an object of the file system, perhaps open; counted references */
struct mfs_watcher;

/* --- What is shared, and how --- */

/* Whose the files are, as the guest sees it (docs/magicfs.md, "Owners"). */
enum mfs_owner {
	MFS_OWNER_GUEST,  /* the host user's files belong to uid and gid below, others' to nobody (65534); a change of
			     owner succeeds and changes nothing; set-id bits are never set on the host */
	MFS_OWNER_MAPPED, /* owner, full mode and device number are kept in the xattr user.biscuit.owner */
	MFS_OWNER_HOST,	  /* the host's, really changed: needs privileges */
};

struct mfs_options {
	const char *path;  /* the directory */
	const char *name;  /* what the guest calls it */
	bool readonly;	   /* nothing can be changed: -EROFS */
	bool links_inside; /* absolute links start at the share's root instead of failing */
	bool devices;	   /* device nodes may be made (owner=host); they are never opened on the host */
	bool sync;	   /* each write is on stable storage before it is acknowledged */
	enum mfs_owner owner;
	uint32_t uid, gid; /* of owner=guest, and where owner=mapped finds nothing kept */
	unsigned handles;  /* nodes open at a time at most; beyond: -EMFILE. 0: chosen from the process's limit */
};

/* Opens the directory. -errno with a message (bis_fail). *out is given up with mfs_put. */
BIS_MUST_CHECK int mfs_host_create(const struct mfs_options *options, struct mfs **out);
struct mfs *mfs_get(struct mfs *fs);
void mfs_put(struct mfs *fs); /* the last one frees it; every node and watcher is gone by then. NULL is allowed. */

/* The instances of class "share" of a machine: -ENOENT beyond the last, or without that name (with message). *out is a
 * new reference. Control thread. */
BIS_MUST_CHECK int mfs_find(struct bis_machine *m, const char *name, struct mfs **out);
BIS_MUST_CHECK int mfs_nth(struct bis_machine *m, size_t index, struct mfs **out);

/* --- Naming --- */

/* On whose behalf something is made (owner=mapped and owner=host); nothing is ever allowed because of it. UINT32_MAX is
 * nobody's number: -EINVAL. */
struct mfs_who {
	uint32_t uid, gid;
};

/*
 * An object: `path`, NUL-terminated, as seen from `base`; a leading '/' starts at the root. "" is `base` itself.
 * `follow`: a link as the last component is followed. All of it is resolved in one go beneath the root.
 */
struct mfs_at {
	struct mfs_node *base;
	const char *path;
	bool follow;
};

/* Copies a path that came from outside: -EINVAL for a NUL inside, -ENAMETOOLONG from MFS_PATH_MAX bytes on. */
BIS_MUST_CHECK int mfs_path_set(char path[MFS_PATH_MAX], const char *bytes, size_t len);
/* Is it one component that can be made: not empty, no '/', neither "." nor "..", at most MFS_NAME_MAX bytes? 0,
 * -EINVAL, -ENAMETOOLONG. */
BIS_MUST_CHECK int mfs_name_check(const char *name);

/* --- What an object is --- */

struct mfs_time {
	int64_t sec;
	uint32_t nsec;
};

struct mfs_attr {
	uint64_t id;	  /* unlike that of every other object of this share, also across file systems of the host */
	uint64_t version; /* changes when the content does, as well as the host tells */
	uint32_t mode;	  /* type and permissions, as POSIX numbers them */
	uint32_t uid, gid;
	uint64_t nlink, rdev, size, blocks; /* blocks of 512 bytes; rdev as Linux's 64-bit dev_t encodes it */
	uint32_t blksize;
	struct mfs_time atime, mtime, ctime, btime;
};

enum mfs_set {
	MFS_SET_MODE = 1,
	MFS_SET_UID = 2,
	MFS_SET_GID = 4,
	MFS_SET_SIZE = 8,
	MFS_SET_ATIME = 16, /* to attr.atime */
	MFS_SET_MTIME = 32,
	MFS_SET_ATIME_NOW = 64, /* to the host's time */
	MFS_SET_MTIME_NOW = 128,
	MFS_SET_CTIME = 256, /* nothing to do: the host does it with any change */
};

struct mfs_statfs {
	uint32_t type, bsize, namelen;
	uint64_t blocks, bfree, bavail, files, ffree, fsid;
};

/* How to open; the low two bits as O_RDONLY, O_WRONLY, O_RDWR. */
enum mfs_open {
	MFS_READ = 0,
	MFS_WRITE = 1,
	MFS_READ_WRITE = 2,
	MFS_ACCESS = 3,
	MFS_CREATE = 4,
	MFS_EXCLUSIVE = 8,
	MFS_TRUNCATE = 16,
	MFS_APPEND = 32,
	MFS_DIRECTORY = 64,  /* fail unless it is one */
	MFS_TEMPORARY = 128, /* a file without a name, in the directory named */
	MFS_SYNC = 256,
	MFS_DIRECT = 512, /* allowed, and without effect: guests that map see what guests that write wrote */
	MFS_NO_ATIME = 1024,
};

/* Of a rename. */
enum mfs_rename { MFS_RENAME_NOREPLACE = 1, MFS_RENAME_EXCHANGE = 2, MFS_RENAME_WHITEOUT = 4 };

/* One name in a directory. `type` as DT_*; `next` continues behind it. The name is valid during the call. */
struct mfs_entry {
	uint64_t id, next;
	const char *name;
	uint8_t type;
};
/* false: not taken, stop before it. */
typedef bool (*mfs_entry_fn)(void *arg, const struct mfs_entry *entry);

/* Byte-range locks, exclusive among owners of this share and among processes of the host; and whole-file (flock) ones.
 */
struct mfs_lock {
	enum { MFS_LOCK_READ, MFS_LOCK_WRITE, MFS_LOCK_NONE } type;
	bool whole;		/* flock(2): owner and range do not count, the open file is the owner */
	uint64_t start, length; /* length 0: to the end */
	uint64_t owner;		/* a number for who holds it; a process of the guest, say */
};

typedef void (*mfs_lock_fn)(void *arg, const struct mfs_lock *lock);

/* --- Change events (inotify on the host) --- */

enum mfs_change {
	MFS_CHANGED = 1,       /* content written */
	MFS_CREATED = 2,       /* a name has appeared, also through link or rename into the directory */
	MFS_REMOVED = 4,       /* a name has gone, also through rename out of the directory */
	MFS_ATTRIBUTES = 8,    /* mode, owner, times, xattrs, link count */
	MFS_RENAMED_FROM = 16, /* REMOVED or CREATED are set too; `cookie` joins the two */
	MFS_RENAMED_TO = 32,
	MFS_CLOSED = 64,    /* a file that was open for writing was closed */
	MFS_GONE = 128,	    /* the watched object itself was removed; the watch has ended */
	MFS_OVERFLOW = 256, /* events were lost: look at everything again */
	MFS_IS_DIRECTORY = 512,
};

struct mfs_event {
	uint32_t watch;	 /* as mfs_watch_add gave it; 0 with OVERFLOW */
	uint32_t change; /* enum mfs_change */
	uint32_t cookie;
	char path[MFS_PATH_MAX]; /* below the watched directory; "" for the watched object itself */
};

/* --- Describing open objects, for snapshots and migration --- */

struct mfs_description {
	char path[MFS_PATH_MAX]; /* from the root; "" is the root */
	uint32_t flags;		 /* enum mfs_open, without CREATE, EXCLUSIVE, TRUNCATE, TEMPORARY */
	bool open;
	bool nameless;	      /* open but removed: cannot be opened again */
	uint64_t id;	      /* of the object: another one in its place is -ESTALE */
	struct mfs_time born; /* also tells it from one that got its id later; 0: the host does not say */
};

/* --- Operations --- */

/*
 * One table a kind of file system. Callers use the functions below, which check what can be checked without the host
 * (read-only, empty or forbidden names, open modes) and count; a NULL entry answers -EOPNOTSUPP.
 */
struct mfs_ops {
	void (*destroy)(struct mfs *fs);
	void (*node_free)(struct mfs *fs, struct mfs_node *node);
	int (*lookup)(struct mfs *fs, const struct mfs_at *at, struct mfs_node **out);
	int (*stat)(struct mfs *fs, const struct mfs_at *at, struct mfs_attr *out);
	int (*set)(struct mfs *fs, const struct mfs_at *at, unsigned mask, const struct mfs_attr *attr);
	int (*open)(struct mfs *fs, const struct mfs_at *at, unsigned flags, uint32_t mode, struct mfs_who who,
		    struct mfs_node **out);
	ssize_t (*read)(struct mfs *fs, struct mfs_node *node, struct bis_memory *m, const struct bis_mem_range *ranges,
			size_t count, uint64_t offset, bool nowait);
	ssize_t (*write)(struct mfs *fs, struct mfs_node *node, const struct bis_memory *m,
			 const struct bis_mem_range *ranges, size_t count, uint64_t offset);
	int (*list)(struct mfs *fs, struct mfs_node *node, uint64_t cursor, mfs_entry_fn take, void *arg);
	int (*mkdir)(struct mfs *fs, const struct mfs_at *at, uint32_t mode, struct mfs_who who);
	int (*mknod)(struct mfs *fs, const struct mfs_at *at, uint32_t mode, uint64_t rdev, struct mfs_who who);
	int (*symlink)(struct mfs *fs, const struct mfs_at *at, const char *target, struct mfs_who who);
	int (*link)(struct mfs *fs, const struct mfs_at *from, const struct mfs_at *to);
	int (*rename)(struct mfs *fs, const struct mfs_at *from, const struct mfs_at *to, unsigned flags);
	int (*unlink)(struct mfs *fs, const struct mfs_at *at, bool directory);
	ssize_t (*readlink)(struct mfs *fs, const struct mfs_at *at, char *buf, size_t size);
	int (*sync)(struct mfs *fs, struct mfs_node *node, bool data_only);
	int (*statfs)(struct mfs *fs, const struct mfs_at *at, struct mfs_statfs *out);
	ssize_t (*getxattr)(struct mfs *fs, const struct mfs_at *at, const char *name, void *buf, size_t size);
	ssize_t (*listxattr)(struct mfs *fs, const struct mfs_at *at, char *buf, size_t size);
	int (*setxattr)(struct mfs *fs, const struct mfs_at *at, const char *name, const void *value, size_t size,
			unsigned flags);
	int (*removexattr)(struct mfs *fs, const struct mfs_at *at, const char *name);
	int (*fallocate)(struct mfs *fs, struct mfs_node *node, unsigned mode, uint64_t offset, uint64_t len);
	int64_t (*seek)(struct mfs *fs, struct mfs_node *node, uint64_t offset, bool hole);
	ssize_t (*copy)(struct mfs *fs, struct mfs_node *from, uint64_t from_offset, struct mfs_node *to,
			uint64_t to_offset, uint64_t len);
	int (*lock)(struct mfs *fs, struct mfs_node *node, const struct mfs_lock *lock);
	int (*getlock)(struct mfs *fs, struct mfs_node *node, struct mfs_lock *lock);
	void (*locks)(struct mfs *fs, struct mfs_node *node, mfs_lock_fn give, void *arg);
	int (*map)(struct mfs *fs, struct mfs_node *node, bool write, int *fd);
	int (*describe)(struct mfs *fs, struct mfs_node *node, struct mfs_description *out);
	int (*reopen)(struct mfs *fs, const struct mfs_description *d, struct mfs_node **out);
	int (*watcher_create)(struct mfs *fs, struct mfs_watcher **out);
};

/* What every file system begins with; the implementation's struct has it as the first member. */
struct mfs {
	const struct mfs_ops *ops;
	char *name;
	bool readonly;
	struct mfs_node *root;	     /* held by the file system */
	struct bis_machine *machine; /* whose observer is told of each call; NULL: nobody is */
	atomic_uint references;
	/* For people to look at. */
	_Atomic uint64_t operations, bytes_read, bytes_written;
	atomic_uint nodes, open_nodes, watches;
};

/* What every node begins with. */
struct mfs_node {
	struct mfs *fs;
	atomic_uint references;
	bool open;	/* for I/O or listing, with `flags`; otherwise only a place in the tree */
	unsigned flags; /* enum mfs_open; constant */
	uint32_t type;	/* S_IFMT bits; constant */
	uint64_t id;	/* as in its attr; constant */
};

/* --- The calls --- */

struct mfs_node *mfs_node_get(struct mfs_node *node);
void mfs_node_put(struct mfs_node *node); /* NULL is allowed */
/* The root, a new reference. */
struct mfs_node *mfs_root(struct mfs *fs);

/*
 * A node for what `at` names, not open: it stays that object through renames and after its removal, as a descriptor
 * does. Names seen from a directory that the host has moved out of the share are -ESTALE, and so is a node whose object
 * the host has moved while it was put aside (see host.c). -ENOENT, -ELOOP, -EXDEV (out of the share).
 */
BIS_MUST_CHECK int mfs_lookup(const struct mfs_at *at, struct mfs_node **out);
BIS_MUST_CHECK int mfs_stat(const struct mfs_at *at, struct mfs_attr *out);
/* Changes what `mask` (enum mfs_set) names: all or, if the host fails halfway, part of it. */
BIS_MUST_CHECK int mfs_set(const struct mfs_at *at, unsigned mask, const struct mfs_attr *attr);
/*
 * Opens a regular file or a directory; everything else is -ENXIO, except that a link that is not followed is -ELOOP.
 * Opening for writing in a read-only share is -EROFS. `mode` is for what it makes; the guest has applied its umask.
 */
BIS_MUST_CHECK int mfs_open(const struct mfs_at *at, unsigned flags, uint32_t mode, struct mfs_who who,
			    struct mfs_node **out);
/* Bytes moved, short at the end of the file; with `nowait` -EAGAIN if it would have to wait for storage. -EBADF unless
 * open for it, -EISDIR. Writing to a node opened with APPEND ignores the offset. */
BIS_MUST_CHECK ssize_t mfs_read(struct mfs_node *node, struct bis_memory *m, const struct bis_mem_range *ranges,
				size_t count, uint64_t offset, bool nowait);
BIS_MUST_CHECK ssize_t mfs_write(struct mfs_node *node, const struct bis_memory *m, const struct bis_mem_range *ranges,
				 size_t count, uint64_t offset);
/*
 * Names of an open directory, "." and ".." among them, from `cursor` (0, or an entry's `next`) on, until there are no
 * more or `take` refuses one. A name that neither comes nor goes meanwhile is seen exactly once. Threads listing the
 * same node take turns.
 */
BIS_MUST_CHECK int mfs_list(struct mfs_node *node, uint64_t cursor, mfs_entry_fn take, void *arg);
BIS_MUST_CHECK int mfs_mkdir(const struct mfs_at *at, uint32_t mode, struct mfs_who who);
/* Regular files, FIFOs and sockets; devices as the share's options say, else -EPERM. */
BIS_MUST_CHECK int mfs_mknod(const struct mfs_at *at, uint32_t mode, uint64_t rdev, struct mfs_who who);
BIS_MUST_CHECK int mfs_symlink(const struct mfs_at *at, const char *target, struct mfs_who who);
/* Both in the same share, else -EXDEV; the same for a rename. */
BIS_MUST_CHECK int mfs_link(const struct mfs_at *from, const struct mfs_at *to);
BIS_MUST_CHECK int mfs_rename(const struct mfs_at *from, const struct mfs_at *to, unsigned flags);
BIS_MUST_CHECK int mfs_unlink(const struct mfs_at *at, bool directory);
/* The target's bytes without NUL; as many as fit. */
BIS_MUST_CHECK ssize_t mfs_readlink(const struct mfs_at *at, char *buf, size_t size);
/* What was written to the object is on stable storage when it gives 0; of a directory, its names. */
BIS_MUST_CHECK int mfs_sync(struct mfs_node *node, bool data_only);
BIS_MUST_CHECK int mfs_statfs(const struct mfs_at *at, struct mfs_statfs *out);
/* As xattr(7): size 0 asks for the size; -ERANGE, -ENODATA. Names in the namespaces user.* and, with owner=host,
 * security.*, trusted.* and system.posix_acl_*; Biscuit's own are neither shown nor taken. */
BIS_MUST_CHECK ssize_t mfs_getxattr(const struct mfs_at *at, const char *name, void *buf, size_t size);
BIS_MUST_CHECK ssize_t mfs_listxattr(const struct mfs_at *at, char *buf, size_t size);
BIS_MUST_CHECK int mfs_setxattr(const struct mfs_at *at, const char *name, const void *value, size_t size,
				unsigned flags); /* XATTR_CREATE 1, XATTR_REPLACE 2 */
BIS_MUST_CHECK int mfs_removexattr(const struct mfs_at *at, const char *name);
/* As fallocate(2), with its mode bits KEEP_SIZE 1, PUNCH_HOLE 2, COLLAPSE 8, ZERO 16, INSERT 32. */
BIS_MUST_CHECK int mfs_fallocate(struct mfs_node *node, unsigned mode, uint64_t offset, uint64_t len);
/* The next data or hole from `offset` on: its offset, or -ENXIO. */
BIS_MUST_CHECK int64_t mfs_seek(struct mfs_node *node, uint64_t offset, bool hole);
BIS_MUST_CHECK ssize_t mfs_copy(struct mfs_node *from, uint64_t from_offset, struct mfs_node *to, uint64_t to_offset,
				uint64_t len);
/* Never waits: -EAGAIN where another owner, or a process of the host, has a lock in the way. */
BIS_MUST_CHECK int mfs_lock(struct mfs_node *node, const struct mfs_lock *lock);
/* Who would be in the way of *lock: replaced by that lock, or its type by NONE. */
BIS_MUST_CHECK int mfs_getlock(struct mfs_node *node, struct mfs_lock *lock);
/*
 * Gives each lock that was taken through the node and is held: those of all owners who locked the object through it,
 * and the node's own of the whole file. For snapshots; `give` may not call anything of this page.
 */
void mfs_locks(struct mfs_node *node, mfs_lock_fn give, void *arg);
/* A descriptor to map the file's pages with, the caller's to close. `write`: shared mappings may be written. */
BIS_MUST_CHECK int mfs_map(struct mfs_node *node, bool write, int *fd);
BIS_MUST_CHECK int mfs_describe(struct mfs_node *node, struct mfs_description *out);
/* Opens again what was described: -ESTALE if another object has its name, -ENOENT, … */
BIS_MUST_CHECK int mfs_reopen(struct mfs *fs, const struct mfs_description *d, struct mfs_node **out);

/* A queue of change events of one user. It belongs to one thread at a time, but for its descriptor. */
BIS_MUST_CHECK int mfs_watcher_create(struct mfs *fs, struct mfs_watcher **out);
void mfs_watcher_destroy(struct mfs_watcher *w);
/* Readable while there are events; owned by the watcher. */
int mfs_watcher_fd(const struct mfs_watcher *w);
/* Watches a file or a directory, with `recursive` also all directories below, those made later too. `changes`: enum
 * mfs_change; GONE and OVERFLOW always come. The watch's number, above 0. -ENOSPC: too many. */
BIS_MUST_CHECK int mfs_watch_add(struct mfs_watcher *w, const struct mfs_at *at, uint32_t changes, bool recursive);
/*
 * Adds a watch again under the number that it had, after a restore; `at` NULL: what it watched is gone, which is
 * reported. What has happened in the meantime is not known, so OVERFLOW is reported, too. -EINVAL, -EEXIST: the number.
 */
BIS_MUST_CHECK int mfs_watch_restore(struct mfs_watcher *w, uint32_t watch, const struct mfs_at *at, uint32_t changes,
				     bool recursive);
BIS_MUST_CHECK int mfs_watch_remove(struct mfs_watcher *w, uint32_t watch);
/* Takes the next event: 1, or 0 if there is none. */
BIS_MUST_CHECK int mfs_watch_next(struct mfs_watcher *w, struct mfs_event *out);

#endif
