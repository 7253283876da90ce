/*
 * What a snapshot needs of a 9P session: the size of its messages, and its fids. Control thread; the device is paused,
 * so no request is under way.
 *
 * msize and the number of fids (32 bits each); of each fid its number, its user (32 bits each), the id of the directory
 * that it was attached to (64 bits), an extended attribute if it stands for one, and the node.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "magicfs/saved.h"
#include "magicfs/virtio_9p.h"

struct saved_fid {
	uint64_t root;
	uint32_t number, uid;
	uint32_t has_xattr;
	uint32_t zero;
};

/* Then the name and the value. */
struct saved_xattr {
	uint32_t writing, flags, size, filled;
	uint32_t name_len;
};

static void save_xattr(const struct p9_xattr *x, mfs_put_fn put, void *arg)
{
	struct saved_xattr s = {x->writing, x->flags, x->size, x->filled, (uint32_t)strlen(x->name)};

	put(arg, &s, sizeof(s));
	put(arg, x->name, s.name_len);
	put(arg, x->value, s.size);
}

static int save_fid(const struct p9_fid *fid, mfs_put_fn put, void *arg, bool *lost)
{
	struct saved_fid s = {fid->ref.root, fid->number, fid->ref.uid, fid->ref.xattr != NULL, 0};

	put(arg, &s, sizeof(s));
	if (fid->ref.xattr)
		save_xattr(fid->ref.xattr, put, arg);
	return mfs_save_node(fid->ref.node, put, arg, lost);
}

int p9_session_save(struct p9_session *s, const struct bis_module *mod, mfs_put_fn put, void *arg)
{
	bool lost = false;
	int err = 0;

	put(arg, &s->msize, sizeof(s->msize));
	put(arg, &s->n_fids, sizeof(s->n_fids));
	for (uint32_t i = 0; i < s->n_buckets; i++)
		for (const struct p9_fid *fid = s->buckets[i]; fid && !err; fid = fid->next)
			err = save_fid(fid, put, arg, &lost);
	if (!err && lost)
		bis_log(bis_module_machine(mod), BIS_LOG_WARN, bis_module_name(mod),
			"the guest uses files that have no name any more: they end with this run");
	return err;
}

static int restore_xattr(struct p9_session *s, struct mfs_bytes *b, struct p9_xattr **out)
{
	struct saved_xattr saved;
	struct p9_xattr *x;

	mfs_bytes_take(b, &saved, sizeof(saved));
	if (b->cut || saved.size > P9_XATTR_MAX || saved.filled > saved.size || saved.name_len > MFS_NAME_MAX)
		return -EINVAL;
	x = p9_xattr_new(s, saved.size);
	if (!x)
		return -ENOMEM;
	x->writing = saved.writing != 0;
	x->flags = saved.flags;
	x->filled = saved.filled;
	mfs_bytes_take(b, x->name, saved.name_len);
	mfs_bytes_take(b, x->value, saved.size);
	*out = x;
	return 0;
}

static int restore_fid(struct p9_session *s, struct mfs_bytes *b, struct mfs_losses *losses)
{
	struct p9_ref ref = {0};
	struct saved_fid saved;
	int err = 0;

	mfs_bytes_take(b, &saved, sizeof(saved));
	ref.root = saved.root;
	ref.uid = saved.uid;
	if (saved.has_xattr)
		err = restore_xattr(s, b, &ref.xattr);
	if (!err)
		err = mfs_restore_node(s->fs, b, losses, &ref.node);
	if (!err)
		err = p9_fid_add(s, s->epoch, saved.number, &ref);
	if (err)
		p9_ref_put(&ref);
	return err;
}

int p9_session_restore(struct p9_session *s, const struct bis_module *mod, const void *data, size_t len)
{
	struct mfs_bytes b = {.at = data, .left = len};
	struct mfs_losses losses = {0};
	uint32_t msize = mfs_bytes_u32(&b), fids = mfs_bytes_u32(&b);
	int err = b.cut || (msize && (msize < P9_MSIZE_MIN || msize > P9_MSIZE_MAX)) ? -EINVAL : 0;

	if (!err)
		p9_session_restart(s, msize);
	for (uint32_t i = 0; i < fids && !err; i++)
		err = restore_fid(s, &b, &losses);
	if (!err && b.left)
		err = -EINVAL;
	if (err)
		return bis_fail(-err, "%s: the session in the snapshot makes no sense", bis_module_name(mod));
	mfs_tell_losses(mod, &losses);
	return 0;
}
