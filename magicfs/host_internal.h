/*
 * The inside of the file system over a host directory (magicfs/host*.c). A node holds a descriptor: O_PATH while it is
 * a place in the tree, the opened file's once it is open. When too many are held, those not open that were used longest
 * ago are put aside: they keep their path and id, and are opened again, and compared, when they are used next.
 */
#ifndef BISCUIT_MAGICFS_HOST_INTERNAL_H
#define BISCUIT_MAGICFS_HOST_INTERNAL_H

#include <pthread.h>
#include <stdio.h>
#include <sys/stat.h>

#include "magicfs/mfs.h"

#define MFS_SHARE_NAME_MAX 31

struct host_locks; /* lock.c */

struct host_node {
	struct mfs_node node;  /* first */
	uint64_t dev;	       /* the file system of the host that it is on; constant */
	_Atomic uint8_t whole; /* lock of the whole file: enum of struct mfs_lock, + 1; 0: none. lock.c's */
	atomic_uint depth;     /* of a directory: levels below the root when it was last looked for */

	/* Directories that are open for listing. */
	pthread_mutex_t list_lock;
	bool moved;	  /* the descriptor is no longer at the start; list_lock */
	size_t list_size; /* bytes worth asking the host for at a time, 0: not known; list_lock */

	/* Guarded by the file system's lock. Those of the root and of open nodes never change. */
	int fd;				 /* -1 while put aside */
	unsigned pins;			 /* users of fd at this moment */
	bool listed;			 /* among those that can be put aside */
	char *path;			 /* from the root, while put aside; NULL then: it is known to be gone */
	struct mfs_time born;		 /* while put aside: tells it from a later object with its inode number */
	struct host_node *newer, *older; /* nodes that can be put aside, by last use */
	struct host_node *aside_next;	 /* while put aside: in its bucket */
};

struct host {
	struct mfs fs;		    /* first */
	struct mfs_options options; /* path and name are not valid after creation */
	uint64_t root_dev;
	int64_t root_type;   /* of its file system, f_type of statfs(2) */
	uint32_t euid, egid; /* of this process when the share was made */
	uint64_t resolve;    /* RESOLVE_* flags for a path from the root */

	/* Read: a node is being put aside or brought back by its path. Write: names are changing. Taken before `lock`.
	 */
	pthread_rwlock_t names;
	pthread_mutex_t lock;
	unsigned held, limit;		   /* descriptors held by nodes; lock */
	struct host_node *newest, *oldest; /* lock */
	struct host_node **aside;	   /* buckets, by path; lock */
	size_t aside_buckets, aside_count; /* lock */
	pthread_mutex_t owners;		   /* owner=mapped: held from reading to writing what is kept */
	struct host_locks *locks;	   /* NULL until the first lock is taken; lock.c's */

	/* For people to look at; share.c's. */
	struct {
		char name[MFS_SHARE_NAME_MAX + 1], owner[8], path[MFS_PATH_MAX];
	} shown;
};

static inline struct host *host_of(struct mfs *fs)
{
	return (struct host *)fs;
}

static inline struct host_node *host_node_of(struct mfs_node *node)
{
	return (struct host_node *)node;
}

/* --- host_node.c: nodes and their descriptors --- */

/* What tells an object from all others. */
struct host_identity {
	uint64_t dev, id;
	uint32_t type;	    /* S_IFMT bits as the guest sees them */
	uint32_t host_mode; /* all of the mode, as the host has it */
};

/* A node for the object behind fd, which it owns from now on; with a failure fd is closed. -EMFILE, -ENOMEM. */
BIS_MUST_CHECK int host_node_make(struct host *h, int fd, const struct host_identity *identity, bool open,
				  unsigned flags, struct mfs_node **out);
/* The same in two steps, for what must not be opened if there is no room: first the room, -EMFILE, then the node, which
 * takes it over, or host_unhold. */
BIS_MUST_CHECK int host_hold(struct host *h);
void host_unhold(struct host *h);
BIS_MUST_CHECK int host_node_make_held(struct host *h, int fd, const struct host_identity *identity, bool open,
				       unsigned flags, struct mfs_node **out);
/* The root's: it is not counted against the limit. */
BIS_MUST_CHECK int host_node_make_root(struct host *h, int fd, const struct host_identity *identity);
void host_node_free(struct mfs *fs, struct mfs_node *node);
/* Puts up to `count` nodes aside, because the process has no descriptors left: have any been? */
bool host_relieve(struct host *h, unsigned count);
#define HOST_RELIEF 64

/* The node's descriptor, which stays valid until host_unpin. -ESTALE, -ENOENT, -EMFILE. */
BIS_MUST_CHECK int host_pin(struct host_node *n, int *fd);
void host_unpin(struct host_node *n);

/* --- host_path.c: from a name to an object --- */

/* A descriptor of what a struct mfs_at names, O_PATH or better: a pinned node's, or one of its own. */
struct host_ref {
	int fd;
	struct host_node *pinned; /* NULL: `fd` is closed by host_unref */
};
BIS_MUST_CHECK int host_ref(struct host *h, const struct mfs_at *at, struct host_ref *out);
void host_unref(struct host_ref *r);

/* The directory that a struct mfs_at's last component is in, and that component: "x" or, with slashes behind it, "x/".
 * `name` is good for the *at calls that do not follow it. -EBUSY for the root. For "" it is the name of the base
 * itself.
 */
struct host_place {
	struct host_ref dir;
	char name[MFS_NAME_MAX + 2];
};
BIS_MUST_CHECK int host_place_find(struct host *h, const struct mfs_at *at, struct host_place *out);
/* Is `path` one name that the *at calls can take without leaving the base: no '/', not ".."? */
bool host_path_is_name(const char *path);
/* openat2 with its retries: an O_PATH descriptor, or -errno. `resolve`: RESOLVE_* besides NO_MAGICLINKS. */
BIS_MUST_CHECK int host_open_path(int dir, const char *path, bool follow, uint64_t resolve);
/* What `path` names, seen from the descriptor `base`: an O_PATH descriptor, or -errno. */
BIS_MUST_CHECK int host_resolve(struct host *h, int base, const char *path, bool follow);
/* The same for what a link says that lies in the directory `base`: "/" and ".." out of the share fail. */
BIS_MUST_CHECK int host_resolve_target(struct host *h, int base, const char *target, bool follow);
/* Where the object behind fd is, from the root, without '/' at the start; "" is the root. -EXDEV if it is not beneath
 * the root, -ENAMETOOLONG. A removed object gives a path that is not its. */
BIS_MUST_CHECK int host_path_of(struct host *h, int fd, char path[MFS_PATH_MAX]);
/* The same, and -ENOENT unless that path leads to it. */
BIS_MUST_CHECK int host_path_true(struct host *h, int fd, char path[MFS_PATH_MAX]);

/* "/proc/self/fd/N": the way to what an O_PATH descriptor refers to for calls that take a path. It is never a path that
 * came from a guest. */
#define HOST_PROC_SIZE 32
static inline const char *host_proc_path(char buf[HOST_PROC_SIZE], int fd)
{
	snprintf(buf, HOST_PROC_SIZE, "/proc/self/fd/%d", fd);
	return buf;
}

/* --- host_inside.c --- */

/*
 * Pins a node to look for names from it. -ESTALE where the host has moved that directory out of the share: what lies
 * below is none of the guest's business any more.
 */
BIS_MUST_CHECK int host_pin_start(struct host *h, struct host_node *base, int *fd);
/* `node` was just found at `at`: where it probably lies, so that it need not be looked for. */
void host_depth_hint(const struct mfs_at *at, struct mfs_node *node);

/* --- host_attr.c --- */

/* mfs_attr.id of an object: its inode number where that is unambiguous, else mixed with its device. */
uint64_t host_id(const struct host *h, uint64_t dev, uint64_t ino);
/* What kind of file system the object behind fd, on device `dev`, is on: f_type of statfs(2), -1 if it cannot be told.
 */
int64_t host_fs_type(const struct host *h, int fd, uint64_t dev);
BIS_MUST_CHECK int host_identify(const struct host *h, int fd, struct host_identity *out);
/* statx of the object behind fd, or of `name` in that directory where it is not "": not followed. */
struct statx;
BIS_MUST_CHECK int host_statx(int fd, const char *name, struct statx *out);
/* When it was made: inode numbers are used again. 0 if the file system of the host does not say. */
struct mfs_time host_born(int fd);
/* Is the object behind fd the one with this id that was made then? */
bool host_is(const struct host *h, int fd, uint64_t id, struct mfs_time born);

/* --- host_aside.c: nodes that wait without a descriptor --- */

/* Puts the node aside, if its path still leads to it. `names` (read) and `lock` are held. */
bool host_aside_put(struct host *h, struct host_node *n);
/* Takes it out of the table. `lock` is held. */
void host_aside_forget(struct host *h, struct host_node *n);
/* Opens it again: a descriptor, or -ESTALE and others. `names` (read) is held; `path` and `born` are copies. */
BIS_MUST_CHECK int host_aside_open(struct host *h, const struct host_node *n, const char *path, struct mfs_time born);
/* Brings back what is put aside under the name, which is about to go. No lock is held. */
void host_aside_keep(struct host *h, const struct host_place *place);
/* The rename has been done: nodes put aside follow it, and with `exchanged` those of the other name, too.
 * `directories`: there may be nodes below. The paths are as host_aside_path gave them. `names` is held for writing. */
void host_aside_renamed(struct host *h, const char *from, const char *to, bool directories, bool exchanged);
/* The path of a place: false if no node is put aside, or none can be there. */
bool host_aside_path(struct host *h, const struct host_place *place, char path[MFS_PATH_MAX]);
/* The table's own memory; no node is in it any more. */
void host_aside_destroy(struct host *h);

/* --- host_open.c --- */

/* Opens what fd, of a regular file or a directory, refers to once more: a descriptor for I/O. `flags`: enum mfs_open.
 */
BIS_MUST_CHECK int host_open_again(struct host *h, int fd, unsigned flags);

/* --- owner.c: whose a file is --- */

#define HOST_OWNER_XATTR "user.biscuit.owner"
/* Turns mode, uid, gid and rdev, as the host gave them for the object behind fd, into what the guest sees. */
void host_owner_show(const struct host *h, int fd, struct mfs_attr *attr);
/* The mode for the system call that makes what the guest wants with `mode` (with its type): never more than it wants.
 */
uint32_t host_owner_mode(const struct host *h, uint32_t mode);
/* Has just been made: gives it to `who` as the share's options say. `mode` and `rdev` are what the guest asked for. */
BIS_MUST_CHECK int host_owner_made(const struct host *h, int fd, uint32_t mode, uint64_t rdev, struct mfs_who who);
/* The content of the object behind fd, which has this mode on the host, is about to be the guest's: its set-id bits go,
 * which would lend the host's rights to it. The host itself leaves them when a privileged process writes. */
BIS_MUST_CHECK int host_owner_writes(const struct host *h, int fd, uint32_t host_mode);
/* The part of MFS_SET_MODE, UID and GID in `mask`. */
BIS_MUST_CHECK int host_owner_set(struct host *h, int fd, unsigned mask, const struct mfs_attr *attr);

/* --- The rest of the table in host.c, by file --- */

int host_lookup(struct mfs *fs, const struct mfs_at *at, struct mfs_node **out); /* host_path.c */

int host_stat(struct mfs *fs, const struct mfs_at *at, struct mfs_attr *out); /* host_attr.c */
int host_set(struct mfs *fs, const struct mfs_at *at, unsigned mask, const struct mfs_attr *attr);
ssize_t host_readlink(struct mfs *fs, const struct mfs_at *at, char *buf, size_t size);
int host_statfs(struct mfs *fs, const struct mfs_at *at, struct mfs_statfs *out);

int host_open(struct mfs *fs, const struct mfs_at *at, unsigned flags, uint32_t mode, struct mfs_who who,
	      struct mfs_node **out); /* host_open.c */

ssize_t host_read(struct mfs *fs, struct mfs_node *node, struct bis_memory *m, const struct bis_mem_range *ranges,
		  size_t count, uint64_t offset, bool nowait); /* host_io.c */
ssize_t host_write(struct mfs *fs, struct mfs_node *node, const struct bis_memory *m,
		   const struct bis_mem_range *ranges, size_t count, uint64_t offset);
int host_sync(struct mfs *fs, struct mfs_node *node, bool data_only);
int host_fallocate(struct mfs *fs, struct mfs_node *node, unsigned mode, uint64_t offset, uint64_t len);
int64_t host_seek(struct mfs *fs, struct mfs_node *node, uint64_t offset, bool hole);
ssize_t host_copy(struct mfs *fs, struct mfs_node *from, uint64_t from_offset, struct mfs_node *to, uint64_t to_offset,
		  uint64_t len);
int host_map(struct mfs *fs, struct mfs_node *node, bool write, int *fd);

int host_list(struct mfs *fs, struct mfs_node *node, uint64_t cursor, mfs_entry_fn take, void *arg); /* host_dir.c */

int host_mkdir(struct mfs *fs, const struct mfs_at *at, uint32_t mode, struct mfs_who who); /* host_make.c */
int host_mknod(struct mfs *fs, const struct mfs_at *at, uint32_t mode, uint64_t rdev, struct mfs_who who);
int host_symlink(struct mfs *fs, const struct mfs_at *at, const char *target, struct mfs_who who);

int host_link(struct mfs *fs, const struct mfs_at *from, const struct mfs_at *to); /* host_change.c */
int host_rename(struct mfs *fs, const struct mfs_at *from, const struct mfs_at *to, unsigned flags);
int host_unlink(struct mfs *fs, const struct mfs_at *at, bool directory);

int host_describe(struct mfs *fs, struct mfs_node *node, struct mfs_description *out); /* host_describe.c */
int host_reopen(struct mfs *fs, const struct mfs_description *d, struct mfs_node **out);

/* --- xattr.c, lock.c, watch.c --- */
ssize_t host_getxattr(struct mfs *fs, const struct mfs_at *at, const char *name, void *buf, size_t size);
ssize_t host_listxattr(struct mfs *fs, const struct mfs_at *at, char *buf, size_t size);
int host_setxattr(struct mfs *fs, const struct mfs_at *at, const char *name, const void *value, size_t size,
		  unsigned flags);
int host_removexattr(struct mfs *fs, const struct mfs_at *at, const char *name);
int host_lock(struct mfs *fs, struct mfs_node *node, const struct mfs_lock *lock);
int host_getlock(struct mfs *fs, struct mfs_node *node, struct mfs_lock *lock);
void host_locks_list(struct mfs *fs, struct mfs_node *node, mfs_lock_fn give, void *arg);
/* The node is going: locks that nobody else can give up go with it. */
void host_locks_drop(struct host *h, struct host_node *n);
void host_locks_destroy(struct host *h);
int host_watcher_create(struct mfs *fs, struct mfs_watcher **out);

#endif
