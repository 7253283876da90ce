/*
 * 9P messages on the content of objects: lopen, lcreate, read, write, readdir, fsync, lock, getlock. Data moves between
 * the host's file and the ranges of the chain. Any thread.
 */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "magicfs/virtio_9p.h"

/* Flags of Tlopen and Tlcreate. */
enum open_flags {
	OPEN_ACCESS = 03,
	OPEN_EXCLUSIVE = 0200,
	OPEN_TRUNCATE = 01000,
	OPEN_APPEND = 02000,
	OPEN_DATA_SYNC = 010000,
	OPEN_DIRECTORY = 0200000,
	OPEN_NO_ATIME = 01000000,
	OPEN_SYNC = 04000000,
};

/* Types and flags of locks. */
enum lock { LOCK_READ, LOCK_WRITE, LOCK_NONE };
enum lock_flags { LOCK_FLAG_BLOCK = 1 };

#define ENTRY_FIXED (P9_QID_SIZE + 8 + 1 + 2) /* of an entry of Rreaddir: qid[13] offset[8] type[1], length of name */

/* --- Opening --- */

static int open_flags(uint32_t flags, unsigned *out)
{
	if ((flags & OPEN_ACCESS) == OPEN_ACCESS)
		return -EINVAL;
	*out = flags & OPEN_ACCESS;
	*out |= flags & OPEN_TRUNCATE ? MFS_TRUNCATE : 0u;
	/* Linux gives the offset when it appends, too. With a cache it opens what it writes for reading as well, and
	 * writes back whole pages through such a fid: those belong where they say. */
	*out |= (flags & (OPEN_APPEND | OPEN_ACCESS)) == (OPEN_APPEND | MFS_WRITE) ? MFS_APPEND : 0u;
	*out |= flags & (OPEN_SYNC | OPEN_DATA_SYNC) ? MFS_SYNC : 0u;
	*out |= flags & OPEN_DIRECTORY ? MFS_DIRECTORY : 0u;
	*out |= flags & OPEN_NO_ATIME ? MFS_NO_ATIME : 0u;
	return 0;
}

/* Opens what `at` names, and lets the fid stand for that from now on. */
static int open_into(struct p9_request *r, uint32_t fid, const struct p9_ref *from, const struct mfs_at *at,
		     unsigned flags, uint32_t mode, uint32_t gid)
{
	struct mfs_who who = {from->uid, gid == P9_NONE ? 0 : gid};
	struct p9_ref opened = {.root = from->root, .uid = from->uid};
	int err;

	if (from->node->open)
		return -EINVAL;
	err = mfs_open(at, flags, mode & 07777, who, &opened.node);
	if (err)
		return err;
	err = p9_put_qid_of(r, &(struct mfs_at){opened.node, "", false});
	if (!err)
		err = p9_fid_change(r->session, r->epoch, fid, from->node, &opened);
	if (err)
		mfs_node_put(opened.node);
	p9_put32(r, 0); /* iounit: as much as fits a message */
	return err;
}

/* Tlopen fid[4] flags[4]: Rlopen qid[13] iounit[4] */
int p9_lopen(struct p9_request *r)
{
	uint32_t fid = p9_get32(r), flags = p9_get32(r);
	struct p9_ref ref;
	unsigned how;
	int err;

	if (!p9_got_all(r))
		return -EINVAL;
	err = open_flags(flags, &how);
	if (!err)
		err = p9_fid_node(r, fid, &ref);
	if (err)
		return err;
	err = open_into(r, fid, &ref, &(struct mfs_at){ref.node, "", false}, how, 0, 0);
	p9_ref_put(&ref);
	return err;
}

/* Tlcreate fid[4] name[s] flags[4] mode[4] gid[4]: Rlcreate qid[13] iounit[4]. The directory's fid becomes the file's.
 */
int p9_lcreate(struct p9_request *r)
{
	uint32_t fid = p9_get32(r), flags, mode, gid;
	const char *name = p9_get_string(r);
	struct p9_ref ref;
	unsigned how;
	int err;

	flags = p9_get32(r);
	mode = p9_get32(r);
	gid = p9_get32(r);
	if (!p9_got_all(r))
		return -EINVAL;
	err = open_flags(flags, &how);
	if (!err)
		err = mfs_name_check(name);
	if (!err)
		err = p9_fid_node(r, fid, &ref);
	if (err)
		return err;
	how |= MFS_CREATE | (flags & OPEN_EXCLUSIVE ? MFS_EXCLUSIVE : 0u);
	err = open_into(r, fid, &ref, &(struct mfs_at){ref.node, name, false}, how, mode, gid);
	p9_ref_put(&ref);
	return err;
}

/* --- Data --- */

static int read_node(struct p9_request *r, struct mfs_node *node, uint64_t offset, uint32_t count)
{
	struct bis_mem_range ranges[VIRTIO_QUEUE_SIZE];
	ssize_t got;
	int n;

	count = p9_begin_payload(r, count);
	n = virtio_write_ranges(&r->chain, count, ranges, BIS_ARRAY_SIZE(ranges));
	if (n < 0)
		return n;
	got = mfs_read(node, r->chain.virtio->memory, ranges, (size_t)n, offset, !r->may_wait);
	if (got == -EAGAIN && !r->may_wait)
		return P9_LATER;
	if (got < 0)
		return (int)got;
	p9_end_payload(r, (uint32_t)got);
	return 0;
}

/* Tread fid[4] offset[8] count[4]: Rread count[4] data[count] */
int p9_read(struct p9_request *r)
{
	uint32_t fid = p9_get32(r);
	uint64_t offset = p9_get64(r);
	uint32_t count = p9_get32(r);
	struct p9_ref ref;
	int err;

	err = p9_fid_get(r, fid, &ref);
	if (err)
		return err;
	err = ref.xattr ? p9_xattr_read(r, ref.xattr, offset, count) : read_node(r, ref.node, offset, count);
	p9_ref_put(&ref);
	return err;
}

static int write_node(struct p9_request *r, struct mfs_node *node, uint64_t offset, uint32_t count)
{
	struct bis_mem_range ranges[VIRTIO_QUEUE_SIZE];
	int n = virtio_read_ranges(&r->chain, count, ranges, BIS_ARRAY_SIZE(ranges));
	ssize_t put = n < 0 ? n : mfs_write(node, r->chain.virtio->memory, ranges, (size_t)n, offset);

	if (put < 0)
		return (int)put;
	p9_put32(r, (uint32_t)put);
	return 0;
}

/* Twrite fid[4] offset[8] count[4] data[count]: Rwrite count[4] */
int p9_write(struct p9_request *r)
{
	uint32_t fid = p9_get32(r);
	uint64_t offset = p9_get64(r);
	uint32_t count = p9_get32(r);
	struct p9_ref ref;
	int err;

	if (count != r->chain.readable)
		return -EINVAL;
	err = p9_fid_get(r, fid, &ref);
	if (err)
		return err;
	err = ref.xattr ? p9_xattr_write(r, ref.xattr, offset, count) : write_node(r, ref.node, offset, count);
	p9_ref_put(&ref);
	return err;
}

/* Tfsync fid[4] datasync[4]: Rfsync */
int p9_fsync(struct p9_request *r)
{
	uint32_t fid = p9_get32(r), data_only = p9_get32(r);
	struct p9_ref ref;
	int err;

	err = p9_fid_node(r, fid, &ref);
	if (err)
		return err;
	err = mfs_sync(ref.node, data_only != 0);
	p9_ref_put(&ref);
	return err;
}

/* --- Directories --- */

struct listing {
	struct p9_request *r;
	uint32_t len, room;
	bool cut; /* an entry found no room */
};

static void put_le(uint8_t *to, uint64_t value, unsigned size)
{
	for (unsigned i = 0; i < size; i++)
		to[i] = (uint8_t)(value >> 8 * i);
}

static bool put_entry(void *arg, const struct mfs_entry *e)
{
	struct listing *l = arg;
	size_t len = strlen(e->name);
	uint8_t bytes[ENTRY_FIXED + MFS_NAME_MAX];

	l->cut = len > MFS_NAME_MAX || ENTRY_FIXED + len > l->room - l->len;
	if (l->cut)
		return false;
	bytes[0] = e->type == S_IFDIR >> 12 ? 0x80 : e->type == S_IFLNK >> 12 ? 0x02 : 0;
	put_le(bytes + 1, 0, 4); /* its version takes a look at each; clients have it from a walk */
	put_le(bytes + 5, e->id, 8);
	put_le(bytes + 13, e->next, 8);
	bytes[21] = e->type;
	put_le(bytes + 22, len, 2);
	memcpy(bytes + ENTRY_FIXED, e->name, len);
	l->len += (uint32_t)virtio_write(&l->r->chain, bytes, ENTRY_FIXED + len);
	return true;
}

/* Treaddir fid[4] offset[8] count[4]: Rreaddir count[4], entries: qid[13] offset[8] type[1] name[s] */
int p9_readdir(struct p9_request *r)
{
	uint32_t fid = p9_get32(r);
	uint64_t offset = p9_get64(r);
	uint32_t count = p9_get32(r);
	struct listing l = {.r = r};
	struct p9_ref ref;
	int err;

	err = p9_fid_node(r, fid, &ref);
	if (err)
		return err;
	l.room = p9_begin_payload(r, count);
	err = mfs_list(ref.node, offset, put_entry, &l);
	p9_ref_put(&ref);
	if (err)
		return err;
	if (l.cut && l.len == 0)
		return -EINVAL; /* an empty reply would be the directory's end */
	p9_end_payload(r, l.len);
	return 0;
}

/* --- Locks --- */

/*
 * Who holds a lock: a process of one client. The top bit keeps these numbers apart from those that other faces of the
 * share give.
 */
static uint64_t owner_of(const char *client, uint32_t process)
{
	uint32_t hash = 2166136261u;

	for (; *client; client++)
		hash = (hash ^ (uint8_t)*client) * 16777619u;
	return UINT64_C(1) << 63 | (uint64_t)(hash & 0x7fffffff) << 32 | process;
}

static int get_lock(uint8_t type, uint64_t start, uint64_t length, uint64_t owner, struct mfs_lock *out)
{
	if (type > LOCK_NONE)
		return -EINVAL;
	*out = (struct mfs_lock){.start = start, .length = length, .owner = owner};
	out->type = type == LOCK_READ ? MFS_LOCK_READ : type == LOCK_WRITE ? MFS_LOCK_WRITE : MFS_LOCK_NONE;
	return 0;
}

/* Tlock fid[4] type[1] flags[4] start[8] length[8] proc_id[4] client_id[s]: Rlock status[1] */
int p9_lock(struct p9_request *r)
{
	uint32_t fid = p9_get32(r);
	uint8_t type = p9_get8(r);
	uint32_t flags = p9_get32(r);
	uint64_t start = p9_get64(r), length = p9_get64(r);
	uint32_t process = p9_get32(r);
	const char *client = p9_get_string(r);
	struct p9_ref ref;
	int err;

	if (!p9_got_all(r))
		return -EINVAL;
	err = get_lock(type, start, length, owner_of(client, process), &r->lock);
	if (!err)
		err = p9_fid_node(r, fid, &ref);
	if (err)
		return err;
	err = mfs_lock(ref.node, &r->lock);
	if (err == -EAGAIN && flags & LOCK_FLAG_BLOCK) {
		r->node = ref.node;
		return P9_WAIT;
	}
	p9_ref_put(&ref);
	if (err && err != -EAGAIN)
		return err;
	p9_put8(r, err ? P9_LOCK_BLOCKED : P9_LOCK_SUCCESS);
	return 0;
}

static void put_lock(struct p9_request *r, const struct mfs_lock *held, uint64_t owner, uint32_t process,
		     const char *client)
{
	/* Who it is can be told of processes of the same client alone. */
	bool same = held->type == MFS_LOCK_NONE || held->owner >> 32 == owner >> 32;

	p9_put8(r, held->type == MFS_LOCK_READ ? LOCK_READ : held->type == MFS_LOCK_WRITE ? LOCK_WRITE : LOCK_NONE);
	p9_put64(r, held->start);
	p9_put64(r, held->length);
	p9_put32(r, held->type == MFS_LOCK_NONE ? process : same ? (uint32_t)held->owner : 0);
	p9_put_string(r, same ? client : "", same ? strlen(client) : 0);
}

/* Tgetlock fid[4] type[1] start[8] length[8] proc_id[4] client_id[s]: Rgetlock type[1] start[8] length[8] proc_id[4]
 * client_id[s] */
int p9_getlock(struct p9_request *r)
{
	uint32_t fid = p9_get32(r);
	uint8_t type = p9_get8(r);
	uint64_t start = p9_get64(r), length = p9_get64(r), owner;
	uint32_t process = p9_get32(r);
	const char *client = p9_get_string(r);
	struct mfs_lock lock;
	struct p9_ref ref;
	int err;

	if (!p9_got_all(r))
		return -EINVAL;
	/* Linux says this whatever it wants to know: any lock is in its way then. */
	if (type == LOCK_NONE)
		type = LOCK_WRITE;
	owner = owner_of(client, process);
	err = get_lock(type, start, length, owner, &lock);
	if (!err)
		err = p9_fid_node(r, fid, &ref);
	if (err)
		return err;
	err = mfs_getlock(ref.node, &lock);
	p9_ref_put(&ref);
	if (!err)
		put_lock(r, &lock, owner, process, client);
	return err;
}
