/*
 * 9P messages that make and end sessions and fids: version, auth, attach, walk, clunk, remove; and statfs. Any thread.
 */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "magicfs/virtio_9p.h"

/* Tversion msize[4] version[s]: Rversion msize[4] version[s] */
int p9_version(struct p9_request *r)
{
	static const char dialect[] = "9P2000.L", unknown[] = "unknown";
	uint32_t msize = p9_get32(r);
	const char *version = p9_get_string(r);
	bool known = !strcmp(version, dialect);

	if (!p9_got_all(r))
		return -EINVAL;
	if (msize < P9_MSIZE_MIN)
		return -EMSGSIZE;
	if (msize > P9_MSIZE_MAX)
		msize = P9_MSIZE_MAX;
	p9_session_restart(r->session, known ? msize : 0);
	r->msize = msize;
	p9_put32(r, msize);
	p9_put_string(r, known ? dialect : unknown, strlen(known ? dialect : unknown));
	return 0;
}

/* Tauth afid[4] uname[s] aname[s] n_uname[4]: nobody has to prove who they are. */
int p9_auth(struct p9_request *r)
{
	(void)r;
	return -EOPNOTSUPP;
}

static int find_directory(struct p9_session *s, const char *path, struct mfs_node **out)
{
	struct mfs_node *root = mfs_root(s->fs), *node;
	int err;

	if (path[strspn(path, "/")] == 0) {
		*out = root;
		return 0;
	}
	err = mfs_lookup(&(struct mfs_at){root, path, true}, &node);
	mfs_node_put(root);
	if (err)
		return err;
	if (!S_ISDIR(node->type)) {
		mfs_node_put(node);
		return -ENOTDIR;
	}
	*out = node;
	return 0;
}

/* Tattach fid[4] afid[4] uname[s] aname[s] n_uname[4]: Rattach qid[13]. aname is a directory in the share. */
int p9_attach(struct p9_request *r)
{
	uint32_t fid = p9_get32(r), afid = p9_get32(r), uid;
	const char *user = p9_get_string(r), *path = p9_get_string(r);
	struct p9_ref ref = {0};
	int err;

	(void)user;
	uid = p9_get32(r);
	if (!p9_got_all(r) || afid != P9_NONE)
		return -EINVAL;
	err = find_directory(r->session, path, &ref.node);
	if (err)
		return err;
	ref.uid = uid == P9_NONE ? 0 : uid;
	ref.root = ref.node->id;
	err = p9_put_qid_of(r, &(struct mfs_at){ref.node, "", false});
	if (!err)
		err = p9_fid_add(r->session, r->epoch, fid, &ref);
	if (err)
		p9_ref_put(&ref);
	return err;
}

/* --- Walk --- */

/* One step from `node`; a new reference. */
static int step(const struct p9_ref *from, struct mfs_node *node, const char *name, struct mfs_node **out)
{
	if (!*name || strchr(name, '/'))
		return -EINVAL;
	if (!S_ISDIR(node->type))
		return -ENOTDIR;
	if (!strcmp(name, "..") && node->id == from->root)
		name = "";
	return mfs_lookup(&(struct mfs_at){node, name, false}, out);
}

/* As many steps as go, with their qids appended to the reply. *node is replaced. */
static int walk(struct p9_request *r, const struct p9_ref *from, const char *const *names, unsigned count,
		struct mfs_node **node, unsigned *done)
{
	for (*done = 0; *done < count; ++*done) {
		struct mfs_node *next;
		int err = step(from, *node, names[*done], &next);

		if (err)
			return err;
		mfs_node_put(*node);
		*node = next;
		err = p9_put_qid_of(r, &(struct mfs_at){next, "", false});
		if (err)
			return err;
	}
	return 0;
}

/* A place in the tree, where `ref` may be an open file; a new reference. */
static int place_of(const struct p9_ref *ref, struct mfs_node **out)
{
	if (ref->node->open)
		return mfs_lookup(&(struct mfs_at){ref->node, "", false}, out);
	*out = mfs_node_get(ref->node);
	return 0;
}

static int bind(struct p9_request *r, const struct p9_ref *from, uint32_t fid, uint32_t newfid, struct mfs_node *node)
{
	struct p9_ref ref = {.node = node, .root = from->root, .uid = from->uid};

	if (newfid != fid)
		return p9_fid_add(r->session, r->epoch, newfid, &ref);
	if (from->node->open)
		return -EINVAL;
	return p9_fid_change(r->session, r->epoch, fid, from->node, &ref);
}

static int walk_from(struct p9_request *r, const struct p9_ref *from, uint32_t fid, uint32_t newfid,
		     const char *const *names, unsigned count)
{
	struct mfs_node *node;
	unsigned done;
	int err = place_of(from, &node);

	if (err)
		return err;
	p9_put16(r, 0);
	err = walk(r, from, names, count, &node, &done);
	if (done == count) {
		err = bind(r, from, fid, newfid, node);
		if (!err)
			node = NULL;
	} else if (done) {
		err = 0; /* the qids tell how far it went */
	}
	r->reply[0] = (uint8_t)done;
	mfs_node_put(node);
	return err;
}

/* Twalk fid[4] newfid[4] nwname[2] nwname*(wname[s]): Rwalk nwqid[2] nwqid*(qid[13]) */
int p9_walk(struct p9_request *r)
{
	uint32_t fid = p9_get32(r), newfid = p9_get32(r);
	unsigned count = p9_get16(r);
	const char *names[P9_WALK_MAX];
	struct p9_ref from;
	int err;

	if (count > P9_WALK_MAX)
		return -EINVAL;
	for (unsigned i = 0; i < count; i++)
		names[i] = p9_get_string(r);
	if (!p9_got_all(r))
		return -EINVAL;
	if (P9_HEADER + 2 + count * P9_QID_SIZE > r->chain.writable)
		return -ENOBUFS; /* before newfid is made, of which the client would not know */
	err = p9_fid_node(r, fid, &from);
	if (err)
		return err;
	err = walk_from(r, &from, fid, newfid, names, count);
	p9_ref_put(&from);
	return err;
}

/* --- Ends --- */

/* Tclunk fid[4]: Rclunk. The fid is gone even with an error. */
int p9_clunk(struct p9_request *r)
{
	uint32_t fid = p9_get32(r);
	struct p9_ref ref;
	int err;

	if (!p9_got_all(r))
		return -EINVAL;
	err = p9_fid_remove(r->session, r->epoch, fid, &ref);
	if (err)
		return err;
	err = p9_xattr_apply(&ref);
	p9_ref_put(&ref);
	return err;
}

/* Tremove fid[4]: Rremove. The fid is gone even with an error. */
int p9_remove(struct p9_request *r)
{
	uint32_t fid = p9_get32(r);
	struct mfs_description d;
	struct mfs_node *root;
	struct p9_ref ref;
	int err;

	if (!p9_got_all(r))
		return -EINVAL;
	err = p9_fid_remove(r->session, r->epoch, fid, &ref);
	if (err)
		return err;
	err = ref.xattr ? -EINVAL : !ref.node ? -ESTALE : p9_locate(r->session, ref.node, &root, &d);
	if (!err) {
		err = mfs_unlink(&(struct mfs_at){root, d.path, false}, S_ISDIR(ref.node->type));
		mfs_node_put(root);
	}
	p9_ref_put(&ref);
	return err;
}

/* Tstatfs fid[4]: Rstatfs type[4] bsize[4] blocks[8] bfree[8] bavail[8] files[8] ffree[8] fsid[8] namelen[4] */
int p9_statfs(struct p9_request *r)
{
	uint32_t fid = p9_get32(r);
	struct mfs_statfs st;
	struct p9_ref ref;
	int err;

	err = p9_fid_node(r, fid, &ref);
	if (err)
		return err;
	err = mfs_statfs(&(struct mfs_at){ref.node, "", false}, &st);
	p9_ref_put(&ref);
	if (err)
		return err;
	p9_put32(r, st.type);
	p9_put32(r, st.bsize);
	p9_put64(r, st.blocks);
	p9_put64(r, st.bfree);
	p9_put64(r, st.bavail);
	p9_put64(r, st.files);
	p9_put64(r, st.ffree);
	p9_put64(r, st.fsid);
	p9_put32(r, st.namelen);
	return 0;
}
