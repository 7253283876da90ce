/*
 * One request of the native MagicFS device: the table of operations says what each needs, which is fetched from guest
 * memory and checked here, once. On the thread of the hart that wrote the request, or on a worker's.
 */
#include <errno.h>
#include <string.h>

#include "magicfs/native_internal.h"

enum needs {
	NODE = 1,	 /* `handle` */
	PATH = 2 | NODE, /* and `path` from there */
	NODE2 = 4,	 /* `handle2` */
	TEXT2 = 8,	 /* `path2` */
	FOLLOWS = 16,	 /* a link as the last component is followed, if NOFOLLOW does not say otherwise */
	BUFFER = 32,	 /* `length` bytes at `buffer` are RAM; checked before anything happens */
	OFFSET = 64,	 /* `offset` is a place in a file */
	PATH2 = NODE2 | TEXT2,
};

struct operation {
	int64_t (*run)(struct native_call *c);
	unsigned needs;
	uint32_t flags, mask; /* the bits of these that it knows */
};

/* --- The shortest operations --- */

static struct mfs_who who(const struct native_call *c)
{
	return (struct mfs_who){c->r.uid, c->r.gid};
}

static int64_t op_nop(struct native_call *c)
{
	(void)c;
	return 0;
}

static int64_t op_share(struct native_call *c)
{
	const struct mfs *fs;

	if (c->r.handle >= c->n->shares)
		return -ENOENT;
	fs = c->n->share[c->r.handle];
	c->extra = fs->readonly ? MAGICFS_SHARE_READONLY : 0;
	return native_give(c, fs->name, strlen(fs->name));
}

static int64_t op_open(struct native_call *c)
{
	unsigned flags = c->r.flags & ~(uint32_t)MAGICFS_NOFOLLOW;
	struct mfs_node *node;
	int64_t result;

	if ((flags & MFS_ACCESS) == MFS_ACCESS)
		return -EINVAL;
	result = mfs_open(&c->at, flags, c->r.mode, who(c), &node);
	if (result)
		return result;
	result = native_handle_add(c->n, node);
	if (result < 0)
		mfs_node_put(node);
	return result;
}

static int64_t op_close(struct native_call *c)
{
	int err = native_handle_close(c->n, c->r.handle);

	if (!err)
		native_locks_closed(c->n, c->r.handle);
	return err;
}

static int64_t op_mkdir(struct native_call *c)
{
	return mfs_mkdir(&c->at, c->r.mode, who(c));
}

static int64_t op_mknod(struct native_call *c)
{
	return mfs_mknod(&c->at, c->r.mode, c->r.value[0], who(c));
}

static int64_t op_symlink(struct native_call *c)
{
	return mfs_symlink(&c->at, c->path2, who(c));
}

static int64_t op_link(struct native_call *c)
{
	return mfs_link(&c->at, &c->at2);
}

static int64_t op_rename(struct native_call *c)
{
	return mfs_rename(&c->at, &c->at2, c->r.flags);
}

static int64_t op_unlink(struct native_call *c)
{
	return mfs_unlink(&c->at, c->r.flags & MAGICFS_DIRECTORY_ONLY);
}

static int64_t op_sync(struct native_call *c)
{
	return mfs_sync(c->node, c->r.flags & MAGICFS_DATA_ONLY);
}

static int64_t op_removexattr(struct native_call *c)
{
	return mfs_removexattr(&c->at, c->path2);
}

static int64_t op_allocate(struct native_call *c)
{
	return mfs_fallocate(c->node, c->r.mask, c->r.offset, c->r.length);
}

static int64_t op_seek(struct native_call *c)
{
	return mfs_seek(c->node, c->r.offset, c->r.flags & MAGICFS_HOLE);
}

static int64_t op_copy(struct native_call *c)
{
	uint64_t len = c->r.length < MAGICFS_IO_MAX ? c->r.length : MAGICFS_IO_MAX;

	if (c->r.value[0] > INT64_MAX)
		return -EINVAL;
	return mfs_copy(c->node, c->r.offset, c->node2, c->r.value[0], len);
}

/* --- The table --- */

#define OPEN_FLAGS                                                                                                     \
	(MFS_ACCESS | MFS_CREATE | MFS_EXCLUSIVE | MFS_TRUNCATE | MFS_APPEND | MFS_DIRECTORY | MFS_TEMPORARY |         \
	 MFS_SYNC | MFS_DIRECT | MFS_NO_ATIME | MAGICFS_NOFOLLOW)
#define SET_MASK      (2 * MAGICFS_SET_MTIME_NOW - 1)
#define ALLOCATE_MASK (MAGICFS_KEEP_SIZE | MAGICFS_PUNCH_HOLE | MAGICFS_COLLAPSE | MAGICFS_ZERO | MAGICFS_INSERT)
#define RENAME_FLAGS  (MAGICFS_NOREPLACE | MAGICFS_EXCHANGE | MAGICFS_WHITEOUT)
#define CHANGES	      (2 * MAGICFS_IS_DIRECTORY - 1)
#define LOCK_MASK     3

/* The numbers of the protocol are the core's. */
_Static_assert((int)MAGICFS_O_NO_ATIME == (int)MFS_NO_ATIME && (int)MAGICFS_O_CREATE == (int)MFS_CREATE &&
		       (int)MAGICFS_O_TEMPORARY == (int)MFS_TEMPORARY,
	       "flags of OPEN");
_Static_assert((int)MAGICFS_SET_MTIME_NOW == (int)MFS_SET_MTIME_NOW && (int)MAGICFS_SET_SIZE == (int)MFS_SET_SIZE,
	       "mask of SET");
_Static_assert((int)MAGICFS_WHITEOUT == (int)MFS_RENAME_WHITEOUT && (int)MAGICFS_NOREPLACE == (int)MFS_RENAME_NOREPLACE,
	       "flags of RENAME");
_Static_assert((int)MAGICFS_IS_DIRECTORY == (int)MFS_IS_DIRECTORY && (int)MAGICFS_GONE == (int)MFS_GONE, "changes");
_Static_assert((int)MAGICFS_LOCK_NONE == (int)MFS_LOCK_NONE && MAGICFS_PATH_MAX == MFS_PATH_MAX, "locks, paths");
_Static_assert(sizeof(struct magicfs_request) == 128 && sizeof(struct magicfs_stat) == 96, "protocol");

static const struct operation operations[MAGICFS_OPS] = {
	[MAGICFS_NOP] = {op_nop, 0, 0, 0},
	[MAGICFS_SHARE] = {op_share, BUFFER, 0, 0},
	[MAGICFS_OPEN] = {op_open, PATH | FOLLOWS, OPEN_FLAGS, 0},
	[MAGICFS_CLOSE] = {op_close, 0, 0, 0},
	[MAGICFS_READ] = {native_op_read, NODE | OFFSET, MAGICFS_VECTOR, 0},
	[MAGICFS_WRITE] = {native_op_write, NODE | OFFSET, MAGICFS_VECTOR, 0},
	[MAGICFS_STAT] = {native_op_stat, PATH | FOLLOWS | BUFFER, MAGICFS_NOFOLLOW, 0},
	[MAGICFS_LIST] = {native_op_list, NODE | BUFFER, MAGICFS_ATTRIBUTES, 0},
	[MAGICFS_SET] = {native_op_set, PATH | FOLLOWS, MAGICFS_NOFOLLOW, SET_MASK},
	[MAGICFS_MKDIR] = {op_mkdir, PATH, 0, 0},
	[MAGICFS_MKNOD] = {op_mknod, PATH, 0, 0},
	[MAGICFS_SYMLINK] = {op_symlink, PATH | TEXT2, 0, 0},
	[MAGICFS_LINK] = {op_link, PATH | PATH2, 0, 0},
	[MAGICFS_RENAME] = {op_rename, PATH | PATH2, RENAME_FLAGS, 0},
	[MAGICFS_UNLINK] = {op_unlink, PATH, MAGICFS_DIRECTORY_ONLY, 0},
	[MAGICFS_READLINK] = {native_op_readlink, PATH | BUFFER, 0, 0},
	[MAGICFS_SYNC] = {op_sync, NODE, MAGICFS_DATA_ONLY, 0},
	[MAGICFS_STATFS] = {native_op_statfs, PATH | FOLLOWS | BUFFER, 0, 0},
	[MAGICFS_GETXATTR] = {native_op_getxattr, PATH | FOLLOWS | TEXT2 | BUFFER, MAGICFS_NOFOLLOW, 0},
	[MAGICFS_SETXATTR] = {native_op_setxattr, PATH | FOLLOWS | TEXT2 | BUFFER, MAGICFS_NOFOLLOW, 3},
	[MAGICFS_LISTXATTR] = {native_op_listxattr, PATH | FOLLOWS | BUFFER, MAGICFS_NOFOLLOW, 0},
	[MAGICFS_REMOVEXATTR] = {op_removexattr, PATH | FOLLOWS | TEXT2, MAGICFS_NOFOLLOW, 0},
	[MAGICFS_ALLOCATE] = {op_allocate, NODE | OFFSET, 0, ALLOCATE_MASK},
	[MAGICFS_SEEK] = {op_seek, NODE | OFFSET, MAGICFS_HOLE, 0},
	[MAGICFS_COPY] = {op_copy, NODE | NODE2 | OFFSET, 0, 0},
	[MAGICFS_LOCK] = {native_op_lock, NODE | OFFSET, MAGICFS_WAIT | MAGICFS_WHOLE, LOCK_MASK},
	[MAGICFS_GETLOCK] = {native_op_getlock, NODE | OFFSET, MAGICFS_WHOLE, LOCK_MASK},
	[MAGICFS_WATCH] = {native_op_watch, PATH | FOLLOWS, MAGICFS_NOFOLLOW | MAGICFS_RECURSIVE, CHANGES},
	[MAGICFS_UNWATCH] = {native_op_unwatch, 0, 0, 0},
	[MAGICFS_EVENTS] = {native_op_events, BUFFER, 0, 0},
	[MAGICFS_MAP] = {native_op_map, NODE | OFFSET, MAGICFS_SHARED | MAGICFS_WRITABLE, 0},
	[MAGICFS_UNMAP] = {native_op_unmap, 0, 0, 0},
	[MAGICFS_CANCEL] = {native_op_cancel, 0, 0, 0},
};

/* --- What a request needs --- */

/* A path or another text. */
static int fetch_text(const struct native *n, uint64_t address, uint32_t len, char text[MFS_PATH_MAX])
{
	int err;

	if (len >= MFS_PATH_MAX)
		return -ENAMETOOLONG;
	err = bis_mem_read(n->memory, (bis_gpa){address}, text, len);
	if (err)
		return err;
	text[len] = '\0';
	return memchr(text, '\0', len) ? -EINVAL : 0;
}

static int check(const struct native_call *c, const struct operation *op)
{
	const struct magicfs_request *r = &c->r;

	if (r->flags & ~op->flags || r->mask & ~op->mask || r->reserved)
		return -EINVAL;
	if (op->needs & OFFSET && r->offset > INT64_MAX)
		return -EINVAL;
	if (op->needs & BUFFER && !bis_mem_is_ram(c->n->memory, (bis_gpa){r->buffer}, r->length))
		return -EFAULT;
	return 0;
}

static int fetch(struct native_call *c, const struct operation *op)
{
	const struct magicfs_request *r = &c->r;
	bool follow = op->needs & FOLLOWS && !(r->flags & MAGICFS_NOFOLLOW);
	int err = 0;

	c->path[0] = '\0';
	c->path2[0] = '\0';
	if (op->needs & NODE)
		err = native_handle_get(c->n, r->handle, &c->node);
	if (!err && op->needs & NODE2)
		err = native_handle_get(c->n, r->handle2, &c->node2);
	if (!err && (op->needs & PATH) == PATH)
		err = fetch_text(c->n, r->path, r->path_len, c->path);
	if (!err && op->needs & TEXT2)
		err = fetch_text(c->n, r->path2, r->path2_len, c->path2);
	c->at = (struct mfs_at){.base = c->node, .path = c->path, .follow = follow};
	c->at2 = (struct mfs_at){.base = c->node2, .path = c->path2};
	return err;
}

int64_t native_carry_out(struct native *n, const struct magicfs_request *r, struct native_job *job, uint64_t *extra)
{
	const struct operation *op = r->op < MAGICFS_OPS ? &operations[r->op] : NULL;
	struct native_call c;
	int64_t result;

	if (!op)
		return -ENOSYS;
	c.n = n;
	c.r = *r;
	c.job = job;
	c.node = NULL;
	c.node2 = NULL;
	c.extra = 0;
	result = check(&c, op);
	if (!result)
		result = fetch(&c, op);
	if (!result)
		result = op->run(&c);
	mfs_node_put(c.node2);
	mfs_node_put(c.node);
	*extra = c.extra;
	return result;
}

int64_t native_give(const struct native_call *c, const void *bytes, size_t size)
{
	size_t len = size < c->r.length ? size : (size_t)c->r.length;
	int err = bis_mem_write(c->n->memory, (bis_gpa){c->r.buffer}, bytes, len);

	return err ? err : (int64_t)size;
}

void native_answer(struct native *n, uint64_t address, int64_t result, uint64_t extra)
{
	struct {
		int64_t result;
		uint64_t extra;
	} answer = {result, extra};
	const struct magicfs_request *r = NULL;
	int err;

	_Static_assert(offsetof(struct magicfs_request, extra) == offsetof(struct magicfs_request, result) + 8, "");
	__atomic_fetch_add(&n->requests, 1, __ATOMIC_RELAXED);
	err = bis_mem_write_obj(n->memory, (bis_gpa){address + offsetof(struct magicfs_request, result)}, &answer);
	if (!err)
		err = bis_mem_store(n->memory, (bis_gpa){address + offsetof(struct magicfs_request, done)},
				    sizeof(r->done), 1);
	/* The request was copied from there, and RAM stays. */
	(void)err;
}
