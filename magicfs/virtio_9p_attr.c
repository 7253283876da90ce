/*
 * 9P messages about attributes: getattr, setattr, xattrwalk, xattrcreate, and fids that are extended attributes. Any
 * thread.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>

#include "magicfs/virtio_9p.h"

/* Bits of Tgetattr's request_mask and Rgetattr's valid. */
enum get {
	GET_BASIC = 0x7ff, /* mode, nlink, uid, gid, rdev, times, ino, size, blocks */
	GET_BTIME = 0x800,
	GET_GEN = 0x1000,
	GET_DATA_VERSION = 0x2000,
};

/* Bits of Tsetattr's valid. */
enum set {
	SET_MODE = 0x1,
	SET_UID = 0x2,
	SET_GID = 0x4,
	SET_SIZE = 0x8,
	SET_ATIME = 0x10,
	SET_MTIME = 0x20,
	SET_CTIME = 0x40,
	SET_ATIME_SET = 0x80, /* ATIME is to the time given */
	SET_MTIME_SET = 0x100,
	SET_ALL = 0x1ff,
};

static void put_time(struct p9_request *r, struct mfs_time t)
{
	p9_put64(r, (uint64_t)t.sec);
	p9_put64(r, t.nsec);
}

/* One that is not to be set may be anything: Linux sends what happens to be there. mfs_set looks at the others. */
static struct mfs_time get_time(struct p9_request *r)
{
	uint64_t sec = p9_get64(r), nsec = p9_get64(r);

	return (struct mfs_time){(int64_t)sec, nsec < UINT32_MAX ? (uint32_t)nsec : UINT32_MAX};
}

/* Objects that have an id one after the other differ in this. */
static uint64_t generation_of(const struct mfs_attr *a)
{
	return (uint64_t)a->btime.sec * 1000000000u + a->btime.nsec;
}

static void put_attr(struct p9_request *r, uint64_t valid, const struct mfs_attr *a)
{
	p9_put64(r, valid);
	p9_put_qid(r, a->mode, a->version, a->id);
	p9_put32(r, a->mode);
	p9_put32(r, a->uid);
	p9_put32(r, a->gid);
	p9_put64(r, a->nlink);
	p9_put64(r, a->rdev);
	p9_put64(r, a->size);
	p9_put64(r, a->blksize);
	p9_put64(r, a->blocks);
	put_time(r, a->atime);
	put_time(r, a->mtime);
	put_time(r, a->ctime);
	put_time(r, a->btime);
	p9_put64(r, generation_of(a));
	p9_put64(r, a->version);
}

/*
 * Tgetattr fid[4] request_mask[8]: Rgetattr valid[8] qid[13] mode[4] uid[4] gid[4] nlink[8] rdev[8] size[8] blksize[8]
 * blocks[8] atime, mtime, ctime, btime: sec[8] nsec[8] each, gen[8] data_version[8]
 */
int p9_getattr(struct p9_request *r)
{
	uint32_t fid = p9_get32(r);
	uint64_t mask = p9_get64(r);
	struct mfs_attr attr;
	struct p9_ref ref;
	int err;

	err = p9_fid_node(r, fid, &ref);
	if (err)
		return err;
	err = mfs_stat(&(struct mfs_at){ref.node, "", false}, &attr);
	p9_ref_put(&ref);
	if (err)
		return err;
	put_attr(r, GET_BASIC | (mask & (GET_BTIME | GET_GEN | GET_DATA_VERSION)), &attr);
	return 0;
}

static unsigned set_mask(uint32_t valid)
{
	unsigned mask = 0;

	mask |= valid & SET_MODE ? MFS_SET_MODE : 0;
	mask |= valid & SET_UID ? MFS_SET_UID : 0;
	mask |= valid & SET_GID ? MFS_SET_GID : 0;
	mask |= valid & SET_SIZE ? MFS_SET_SIZE : 0;
	mask |= valid & SET_CTIME ? MFS_SET_CTIME : 0;
	if (valid & SET_ATIME)
		mask |= valid & SET_ATIME_SET ? MFS_SET_ATIME : MFS_SET_ATIME_NOW;
	if (valid & SET_MTIME)
		mask |= valid & SET_MTIME_SET ? MFS_SET_MTIME : MFS_SET_MTIME_NOW;
	return mask;
}

/* Tsetattr fid[4] valid[4] mode[4] uid[4] gid[4] size[8] atime_sec[8] atime_nsec[8] mtime_sec[8] mtime_nsec[8]:
 * Rsetattr
 */
int p9_setattr(struct p9_request *r)
{
	uint32_t fid = p9_get32(r), valid = p9_get32(r);
	struct mfs_attr attr = {0};
	struct p9_ref ref;
	int err;

	attr.mode = p9_get32(r);
	attr.uid = p9_get32(r);
	attr.gid = p9_get32(r);
	attr.size = p9_get64(r);
	attr.atime = get_time(r);
	attr.mtime = get_time(r);
	if (valid & ~(uint32_t)SET_ALL)
		return -EINVAL;
	err = p9_fid_node(r, fid, &ref);
	if (err)
		return err;
	err = mfs_set(&(struct mfs_at){ref.node, "", false}, set_mask(valid), &attr);
	p9_ref_put(&ref);
	return err;
}

/* --- Extended attributes --- */

struct p9_xattr *p9_xattr_new(struct p9_session *s, size_t size)
{
	struct p9_xattr *x = NULL;

	if (atomic_fetch_add(&s->xattr_bytes, size) <= P9_XATTRS_MAX - size)
		x = calloc(1, sizeof(*x) + size);
	if (!x) {
		atomic_fetch_sub(&s->xattr_bytes, size);
		return NULL;
	}
	atomic_init(&x->references, 1);
	x->session = s;
	x->room = x->size = (uint32_t)size;
	return x;
}

void p9_xattr_put(struct p9_xattr *x)
{
	if (!x || atomic_fetch_sub(&x->references, 1) != 1)
		return;
	atomic_fetch_sub(&x->session->xattr_bytes, x->room);
	free(x);
}

/* The value, or for "" the list of names. */
static ssize_t look(const struct mfs_at *at, const char *name, void *buf, size_t size)
{
	return *name ? mfs_getxattr(at, name, buf, size) : mfs_listxattr(at, buf, size);
}

/* All of it as it is at one moment, which may be another size than a moment before. */
static int load(struct p9_session *s, const struct mfs_at *at, const char *name, struct p9_xattr **out)
{
	ssize_t size = look(at, name, NULL, 0);

	for (unsigned tries = 0; size >= 0 && tries < 4; tries++) {
		struct p9_xattr *x = size > P9_XATTR_MAX ? NULL : p9_xattr_new(s, (size_t)size);
		ssize_t got;

		if (!x)
			return size > P9_XATTR_MAX ? -E2BIG : -ENOMEM;
		got = size ? look(at, name, x->value, (size_t)size) : 0;
		if (got >= 0) {
			x->size = x->filled = (uint32_t)got;
			*out = x;
			return 0;
		}
		p9_xattr_put(x);
		if (got != -ERANGE)
			return (int)got;
		size = look(at, name, NULL, 0);
	}
	return size < 0 ? (int)size : -EAGAIN;
}

/* Txattrwalk fid[4] newfid[4] name[s]: Rxattrwalk size[8]. newfid reads the value, or without a name the list. */
int p9_xattrwalk(struct p9_request *r)
{
	uint32_t fid = p9_get32(r), newfid = p9_get32(r);
	const char *name = p9_get_string(r);
	struct p9_ref ref;
	int err;

	if (newfid == fid)
		return -EINVAL;
	err = p9_fid_node(r, fid, &ref);
	if (err)
		return err;
	err = load(r->session, &(struct mfs_at){ref.node, "", false}, name, &ref.xattr);
	if (!err) {
		p9_put64(r, ref.xattr->size);
		err = p9_fid_add(r->session, r->epoch, newfid, &ref);
	}
	if (err)
		p9_ref_put(&ref);
	return err;
}

/* Txattrcreate fid[4] name[s] attr_size[8] flags[4]: Rxattrcreate. The value is written to the fid and set at clunk. */
int p9_xattrcreate(struct p9_request *r)
{
	uint32_t fid = p9_get32(r), flags;
	const char *name = p9_get_string(r);
	uint64_t size = p9_get64(r);
	struct p9_ref ref;
	int err;

	flags = p9_get32(r);
	if (!p9_got_all(r) || !*name)
		return -EINVAL;
	if (strlen(name) > MFS_NAME_MAX)
		return -ERANGE;
	if (size > P9_XATTR_MAX)
		return -E2BIG;
	err = p9_fid_node(r, fid, &ref);
	if (err)
		return err;
	ref.xattr = p9_xattr_new(r->session, (size_t)size);
	if (ref.xattr) {
		ref.xattr->writing = true;
		ref.xattr->flags = flags;
		strcpy(ref.xattr->name, name);
		err = p9_fid_change(r->session, r->epoch, fid, ref.node, &ref);
	} else {
		err = -ENOMEM;
	}
	if (err)
		p9_ref_put(&ref);
	return err;
}

int p9_xattr_read(struct p9_request *r, struct p9_xattr *x, uint64_t offset, uint32_t count)
{
	uint32_t len = 0;

	if (x->writing)
		return -EBADF;
	count = p9_begin_payload(r, count);
	if (offset < x->size)
		len = count < x->size - offset ? count : x->size - (uint32_t)offset;
	if (len)
		virtio_write(&r->chain, x->value + offset, len);
	p9_end_payload(r, len);
	return 0;
}

int p9_xattr_write(struct p9_request *r, struct p9_xattr *x, uint64_t offset, uint32_t count)
{
	int err = 0;

	if (!x->writing)
		return -EBADF;
	if (offset > x->size || count > x->size - offset)
		return -ENOSPC;
	pthread_mutex_lock(&r->session->lock);
	if (offset > x->filled)
		err = -EINVAL;
	else
		virtio_read(&r->chain, x->value + offset, count);
	if (!err && offset + count > x->filled)
		x->filled = (uint32_t)offset + count;
	pthread_mutex_unlock(&r->session->lock);
	if (!err)
		p9_put32(r, count);
	return err;
}

int p9_xattr_apply(const struct p9_ref *ref)
{
	const struct p9_xattr *x = ref->xattr;
	struct mfs_at at = {ref->node, "", false};

	if (!x || !x->writing)
		return 0;
	if (!ref->node)
		return -ESTALE;
	if (x->filled != x->size)
		return -EINVAL;
	/* Linux removes an attribute by replacing it with nothing. */
	if (x->size == 0 && x->flags & XATTR_REPLACE)
		return mfs_removexattr(&at, x->name);
	return mfs_setxattr(&at, x->name, x->value, x->size, x->flags);
}
