/*
 * 9P messages that change names: symlink, mknod, mkdir, link, rename, renameat, unlinkat; and readlink. Any thread.
 */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "magicfs/virtio_9p.h"

#define UNLINK_DIRECTORY 0x200u /* of Tunlinkat */

int p9_locate(struct p9_session *s, struct mfs_node *node, struct mfs_node **root, struct mfs_description *out)
{
	struct mfs_attr attr;
	int err = mfs_describe(node, out);

	if (err)
		return err;
	if (out->nameless)
		return -ENOENT;
	if (!*out->path)
		return -EBUSY;
	*root = mfs_root(s->fs);
	err = mfs_stat(&(struct mfs_at){*root, out->path, false}, &attr);
	if (!err && attr.id != node->id)
		err = -ESTALE;
	if (err)
		mfs_node_put(*root);
	return err;
}

/* What is to be made: in which directory, under which name, whose. */
struct entry {
	struct p9_ref dir;
	struct mfs_at at;
	struct mfs_who who;
};

/* Ends in made(), if it succeeds. */
static int begin_entry(struct p9_request *r, uint32_t dfid, const char *name, uint32_t gid, struct entry *e)
{
	int err = p9_fid_node(r, dfid, &e->dir);

	if (err)
		return err;
	e->at = (struct mfs_at){e->dir.node, name, false};
	e->who = (struct mfs_who){e->dir.uid, gid == P9_NONE ? 0 : gid};
	err = mfs_name_check(name);
	if (err)
		p9_ref_put(&e->dir);
	return err;
}

static int made(struct p9_request *r, struct entry *e, int err)
{
	if (!err)
		err = p9_put_qid_of(r, &e->at);
	p9_ref_put(&e->dir);
	return err;
}

/* Tsymlink fid[4] name[s] symtgt[s] gid[4]: Rsymlink qid[13] */
int p9_symlink(struct p9_request *r)
{
	uint32_t fid = p9_get32(r);
	const char *name = p9_get_string(r), *target = p9_get_string(r);
	struct entry e;
	int err = begin_entry(r, fid, name, p9_get32(r), &e);

	return err ? err : made(r, &e, mfs_symlink(&e.at, target, e.who));
}

/* Tmknod dfid[4] name[s] mode[4] major[4] minor[4] gid[4]: Rmknod qid[13] */
int p9_mknod(struct p9_request *r)
{
	uint32_t fid = p9_get32(r), mode, major, minor;
	const char *name = p9_get_string(r);
	struct entry e;
	int err;

	mode = p9_get32(r);
	major = p9_get32(r);
	minor = p9_get32(r);
	err = begin_entry(r, fid, name, p9_get32(r), &e);
	return err ? err : made(r, &e, mfs_mknod(&e.at, mode, makedev(major, minor), e.who));
}

/* Tmkdir dfid[4] name[s] mode[4] gid[4]: Rmkdir qid[13] */
int p9_mkdir(struct p9_request *r)
{
	uint32_t fid = p9_get32(r), mode;
	const char *name = p9_get_string(r);
	struct entry e;
	int err;

	mode = p9_get32(r);
	err = begin_entry(r, fid, name, p9_get32(r), &e);
	return err ? err : made(r, &e, mfs_mkdir(&e.at, mode & 07777, e.who));
}

/* Two fids that are nodes. */
static int get_two(struct p9_request *r, uint32_t a, uint32_t b, struct p9_ref *ref_a, struct p9_ref *ref_b)
{
	int err = p9_fid_node(r, a, ref_a);

	if (err)
		return err;
	err = p9_fid_node(r, b, ref_b);
	if (err)
		p9_ref_put(ref_a);
	return err;
}

/* Tlink dfid[4] fid[4] name[s]: Rlink */
int p9_link(struct p9_request *r)
{
	uint32_t dfid = p9_get32(r), fid = p9_get32(r);
	const char *name = p9_get_string(r);
	struct p9_ref dir, file;
	int err;

	err = get_two(r, dfid, fid, &dir, &file);
	if (err)
		return err;
	err = mfs_name_check(name);
	if (!err)
		err = mfs_link(&(struct mfs_at){file.node, "", false}, &(struct mfs_at){dir.node, name, false});
	p9_ref_put(&file);
	p9_ref_put(&dir);
	return err;
}

/* Trename fid[4] dfid[4] name[s]: Rrename */
int p9_rename(struct p9_request *r)
{
	uint32_t fid = p9_get32(r), dfid = p9_get32(r);
	const char *name = p9_get_string(r);
	struct mfs_description d;
	struct p9_ref file, dir;
	struct mfs_node *root;
	int err;

	err = get_two(r, fid, dfid, &file, &dir);
	if (err)
		return err;
	err = mfs_name_check(name);
	if (!err)
		err = p9_locate(r->session, file.node, &root, &d);
	if (!err) {
		err = mfs_rename(&(struct mfs_at){root, d.path, false}, &(struct mfs_at){dir.node, name, false}, 0);
		mfs_node_put(root);
	}
	p9_ref_put(&file);
	p9_ref_put(&dir);
	return err;
}

/* Trenameat olddirfid[4] oldname[s] newdirfid[4] newname[s]: Rrenameat */
int p9_renameat(struct p9_request *r)
{
	uint32_t from = p9_get32(r), to;
	const char *old = p9_get_string(r), *new;
	struct p9_ref from_dir, to_dir;
	int err;

	to = p9_get32(r);
	new = p9_get_string(r);
	err = get_two(r, from, to, &from_dir, &to_dir);
	if (err)
		return err;
	err = mfs_name_check(old);
	if (!err)
		err = mfs_name_check(new);
	if (!err)
		err = mfs_rename(&(struct mfs_at){from_dir.node, old, false}, &(struct mfs_at){to_dir.node, new, false},
				 0);
	p9_ref_put(&from_dir);
	p9_ref_put(&to_dir);
	return err;
}

/* Tunlinkat dirfd[4] name[s] flags[4]: Runlinkat */
int p9_unlinkat(struct p9_request *r)
{
	uint32_t fid = p9_get32(r), flags;
	const char *name = p9_get_string(r);
	struct p9_ref dir;
	int err;

	flags = p9_get32(r);
	if (flags & ~UNLINK_DIRECTORY)
		return -EINVAL;
	err = p9_fid_node(r, fid, &dir);
	if (err)
		return err;
	err = mfs_name_check(name);
	if (!err)
		err = mfs_unlink(&(struct mfs_at){dir.node, name, false}, flags & UNLINK_DIRECTORY);
	p9_ref_put(&dir);
	return err;
}

/* Treadlink fid[4]: Rreadlink target[s] */
int p9_readlink(struct p9_request *r)
{
	uint32_t fid = p9_get32(r);
	char target[MFS_PATH_MAX];
	struct p9_ref ref;
	ssize_t len;
	int err;

	err = p9_fid_node(r, fid, &ref);
	if (err)
		return err;
	len = mfs_readlink(&(struct mfs_at){ref.node, "", false}, target, sizeof(target));
	p9_ref_put(&ref);
	if (len < 0)
		return (int)len;
	p9_put_string(r, target, (size_t)len);
	return 0;
}
