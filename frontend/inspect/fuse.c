/*
 * Requests of the kernel, turned into calls of the tree (libfuse3, low-level interface). Runs on the threads of loop.c,
 * several at once; inode numbers are the addresses of nodes, which live as long as the kernel knows them.
 *
 * A read that has to wait keeps no thread: the request is put aside and answered by the stream, or by an interrupt.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FUSE_USE_VERSION 31
#include <fuse_lowlevel.h>

#include <biscuit/error.h>

#include "frontend/inspect/fuse_internal.h"

#define REQUEST_MAX (1u << 20) /* bytes read or written at once */
#define KNOWN_FOR   3600.0     /* seconds for which a name that stays may be kept */
#define INO_UNKNOWN 0xffffffffu

static struct inspect *inspect_of(fuse_req_t req)
{
	return fuse_req_userdata(req);
}

static struct inspect_node *node_of(fuse_req_t req, fuse_ino_t ino)
{
	return ino == FUSE_ROOT_ID ? inspect_of(req)->root : (struct inspect_node *)(uintptr_t)ino;
}

static struct inspect_handle *handle_of(const struct fuse_file_info *fi)
{
	return (struct inspect_handle *)(uintptr_t)fi->fh;
}

/* What is said from here on is about this request. */
static void begin(void)
{
	(void)bis_fail(0, "%s", "");
}

static void fail(fuse_req_t req, const struct inspect_node *n, ssize_t err)
{
	inspect_note(inspect_of(req), n, (int)err);
	/* To the kernel ENOSYS says that no file of the mount can do this: it would not even ask any more. */
	fuse_reply_err(req, err == -ENOSYS ? EOPNOTSUPP : (int)-err);
}

/*
 * Does a thread of this very process ask? It may hold what the answer needs: the lock of the devices, or a hart that
 * does not come to rest before it has its answer.
 */
static bool asks_itself(fuse_req_t req)
{
	pid_t asking = fuse_req_ctx(req)->pid;

	return asking > 0 && !tgkill(getpid(), asking, 0);
}

/* --- Names and attributes --- */

/* Of the file, which may have many nodes: programs that copy compare what they looked at with what they opened. */
static ino_t number_of(const struct inspect *in, const struct inspect_node *n)
{
	uint64_t hash;

	if (n == in->root)
		return FUSE_ROOT_ID;
	if (!n->type->apart)
		return (ino_t)(uintptr_t)n;
	hash = (uintptr_t)n->parent;
	for (const char *c = n->name; *c; c++)
		hash = hash * 31 + (unsigned char)*c;
	return (ino_t)hash;
}

static struct stat stat_of(struct inspect *in, const struct inspect_node *n)
{
	struct stat st = {
		.st_ino = number_of(in, n),
		.st_mode = inspect_mode(in, n),
		.st_nlink = n->type->kind == INSPECT_DIR ? 2 : 1,
		.st_uid = geteuid(),
		.st_gid = getegid(),
		.st_blksize = 4096,
		.st_atim = {.tv_sec = in->born},
		.st_mtim = {.tv_sec = in->born},
		.st_ctim = {.tv_sec = in->born},
	};

	if (n->type->size)
		st.st_size = (off_t)n->type->size(in, n);
	else if (n->type->sized)
		st.st_size = (off_t)n->length;
	return st;
}

static double known_for(const struct inspect_node *n)
{
	return n->type->fleeting || n->type->apart ? 0 : KNOWN_FOR;
}

static void op_init(void *userdata, struct fuse_conn_info *conn)
{
	(void)userdata;
	conn->max_write = REQUEST_MAX;
	conn->max_readahead = REQUEST_MAX;
}

static void op_lookup(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	struct inspect *in = inspect_of(req);
	struct inspect_node *dir = node_of(req, parent), *n;
	struct fuse_entry_param entry = {0};
	int err;

	begin();
	err = inspect_lookup(in, dir, name, &n);
	/* Shells and desktops look for hidden files everywhere: that is no news. */
	if (err && *name == '.') {
		fuse_reply_err(req, -err);
		return;
	}
	if (err) {
		fail(req, dir, err);
		return;
	}
	entry.ino = (fuse_ino_t)(uintptr_t)n;
	entry.attr = stat_of(in, n);
	entry.entry_timeout = entry.attr_timeout = known_for(n);
	if (fuse_reply_entry(req, &entry))
		inspect_unref(in, n, 1);
}

static void op_forget(fuse_req_t req, fuse_ino_t ino, uint64_t count)
{
	inspect_unref(inspect_of(req), node_of(req, ino), count);
	fuse_reply_none(req);
}

static void op_forget_multi(fuse_req_t req, size_t count, struct fuse_forget_data *forgets)
{
	for (size_t i = 0; i < count; i++)
		inspect_unref(inspect_of(req), node_of(req, forgets[i].ino), forgets[i].nlookup);
	fuse_reply_none(req);
}

static void op_getattr(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct inspect_node *n = node_of(req, ino);
	struct stat st = stat_of(inspect_of(req), n);

	(void)fi;
	fuse_reply_attr(req, &st, known_for(n));
}

/* Truncation comes with every `>` and means nothing here; owners, modes and times stay. */
static void op_setattr(fuse_req_t req, fuse_ino_t ino, struct stat *attr, int which, struct fuse_file_info *fi)
{
	struct inspect_node *n = node_of(req, ino);

	(void)attr;
	begin();
	if (which & (FUSE_SET_ATTR_MODE | FUSE_SET_ATTR_UID | FUSE_SET_ATTR_GID))
		fail(req, n, bis_fail(EPERM, "modes and owners of these files cannot be changed"));
	else if (!(inspect_mode(inspect_of(req), n) & 0200))
		fail(req, n, bis_fail(EACCES, "this can only be read"));
	else
		op_getattr(req, ino, fi);
}

static void op_readlink(fuse_req_t req, fuse_ino_t ino)
{
	struct inspect_node *n = node_of(req, ino);
	struct inspect_text text = {0};
	int err = -EINVAL;

	begin();
	if (n->type->kind == INSPECT_LINK)
		err = n->type->generate(inspect_of(req), n, &text);
	if (!err)
		err = inspect_text_result(&text);
	if (err)
		fail(req, n, err);
	else
		fuse_reply_readlink(req, text.data);
	inspect_text_free(&text);
}

static void op_unlink(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	struct inspect *in = inspect_of(req);
	struct inspect_node *dir = node_of(req, parent), *n;
	int err;

	begin();
	err = inspect_lookup(in, dir, name, &n);
	if (err) {
		fail(req, dir, err);
		return;
	}
	if (in->options.readonly)
		err = bis_fail(EROFS, "the files are mounted read-only");
	else
		err = n->type->remove ? n->type->remove(in, n) : bis_fail(EPERM, "this file cannot be removed");
	if (err)
		fail(req, n, err);
	else
		fuse_reply_err(req, 0);
	inspect_unref(in, n, 1);
}

/* A name that was mistyped behind `>` ends here. */
static void op_mknod(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode, dev_t rdev)
{
	struct inspect_node *dir = node_of(req, parent), *n;
	int err;

	(void)mode;
	(void)rdev;
	begin();
	err = inspect_lookup(inspect_of(req), dir, name, &n);
	if (!err) {
		inspect_unref(inspect_of(req), n, 1);
		err = bis_fail(EEXIST, "'%.100s' is there already", name);
	}
	fail(req, dir, err);
}

static void refuse(fuse_req_t req, fuse_ino_t parent, const char *what, const char *name)
{
	begin();
	fail(req, node_of(req, parent), bis_fail(EPERM, "'%.100s': %s here", name, what));
}

static void op_mkdir(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode)
{
	(void)mode;
	refuse(req, parent, "no directories are made", name);
}

static void op_rmdir(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	refuse(req, parent, "no directories are removed", name);
}

static void op_rename(fuse_req_t req, fuse_ino_t parent, const char *name, fuse_ino_t to, const char *as,
		      unsigned flags)
{
	(void)to;
	(void)as;
	(void)flags;
	refuse(req, parent, "nothing is renamed", name);
}

/* --- Open files --- */

static void op_open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct inspect_node *n = node_of(req, ino);
	unsigned how = (fi->flags & O_ACCMODE) == O_RDONLY   ? INSPECT_READ
		       : (fi->flags & O_ACCMODE) == O_WRONLY ? INSPECT_WRITE
							     : INSPECT_READ | INSPECT_WRITE;
	struct inspect_handle *h;
	int err;

	begin();
	if (asks_itself(req))
		err = bis_fail(EDEADLK, "the process that runs the machine cannot look at it through these files");
	else
		err = inspect_open(inspect_of(req), n, how, &h);
	if (err) {
		fail(req, n, err);
		return;
	}
	fi->fh = (uintptr_t)h;
	fi->direct_io = 1;
	fi->nonseekable = n->type->kind == INSPECT_STREAM;
	if (fuse_reply_open(req, fi))
		inspect_close(h);
}

static void op_release(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	(void)ino;
	inspect_close(handle_of(fi));
	fuse_reply_err(req, 0);
}

static int answer_pieces(void *arg, const struct iovec *pieces, int count)
{
	fuse_req_t *req = arg;

	fuse_reply_iov(*req, pieces, count);
	*req = NULL;
	return 0;
}

static void read_vector(fuse_req_t req, struct inspect_handle *h, size_t size, off_t off)
{
	fuse_req_t open = req;
	int err = h->node->type->vector(h->in, h->node, (uint64_t)off, size, answer_pieces, &open);

	if (open)
		fail(open, h->node, err ? err : -EIO);
}

static void read_plain(fuse_req_t req, struct inspect_handle *h, size_t size, off_t off)
{
	char *buf = malloc(size ? size : 1);
	ssize_t got =
		buf ? inspect_read(h, buf, size, (uint64_t)off) : bis_fail(ENOMEM, "no memory for %zu bytes", size);

	if (got < 0)
		fail(req, h->node, got);
	else
		fuse_reply_buf(req, buf, (size_t)got);
	free(buf);
}

/* --- Reads that wait --- */

/* A request that was put aside. Its owner is who has taken the waiter off the stream, or was refused to put it there.
 */
struct waiting_read {
	struct inspect_waiter waiter; /* first: it is found by it */
	fuse_req_t req;
	struct inspect_handle *h;
	size_t size;
};

static void interrupted(fuse_req_t req, void *data)
{
	struct waiting_read *r = data;

	if (!inspect_waiter_cancel(r->h->in, &r->waiter))
		return; /* somebody is about to answer, or to put it aside, which he will not be allowed */
	fuse_reply_err(req, EINTR);
	free(r);
}

static void try_read(struct inspect_waiter *w)
{
	struct waiting_read *r = (struct waiting_read *)w;
	char *buf = malloc(r->size ? r->size : 1);
	ssize_t got = -ENOMEM;

	fuse_req_interrupt_func(r->req, interrupted, r);
	if (buf)
		got = inspect_stream_read(r->h->in, r->h->stream, buf, r->size, w);
	if (got != -EAGAIN) {
		/* When this returns, no interrupt is on its way to `r`. */
		fuse_req_interrupt_func(r->req, NULL, NULL);
		if (got < 0)
			fuse_reply_err(r->req, (int)-got);
		else
			fuse_reply_buf(r->req, buf, (size_t)got);
		free(r);
	}
	free(buf);
}

static void read_stream(fuse_req_t req, struct inspect_handle *h, size_t size, const struct fuse_file_info *fi)
{
	struct waiting_read *r;

	if (fi->flags & O_NONBLOCK) {
		read_plain(req, h, size, 0);
		return;
	}
	r = calloc(1, sizeof(*r));
	if (!r) {
		fuse_reply_err(req, ENOMEM);
		return;
	}
	*r = (struct waiting_read){.waiter.ready = try_read, .req = req, .h = h, .size = size};
	try_read(&r->waiter);
}

static void op_read(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off, struct fuse_file_info *fi)
{
	struct inspect_handle *h = handle_of(fi);

	(void)ino;
	begin();
	if (h->stream)
		read_stream(req, h, size, fi);
	else if (h->node->type->vector)
		read_vector(req, h, size, off);
	else
		read_plain(req, h, size, off);
}

static void write_interrupted(fuse_req_t req, void *data)
{
	const struct inspect_handle *h = data;

	(void)req;
	h->node->type->interrupt(h->in);
}

static void op_write(fuse_req_t req, fuse_ino_t ino, const char *buf, size_t size, off_t off, struct fuse_file_info *fi)
{
	struct inspect_handle *h = handle_of(fi);
	ssize_t done;

	(void)ino;
	begin();
	if (h->node->type->interrupt)
		fuse_req_interrupt_func(req, write_interrupted, h);
	done = inspect_write(h, buf, size, (uint64_t)off);
	fuse_req_interrupt_func(req, NULL, NULL);
	if (done < 0)
		fail(req, h->node, done);
	else
		fuse_reply_write(req, (size_t)done);
}

/* --- poll --- */

struct waiting_poll {
	struct inspect_waiter waiter; /* first */
	struct fuse_pollhandle *handle;
};

static void wake_poll(struct inspect_waiter *w)
{
	struct waiting_poll *p = (struct waiting_poll *)w;

	fuse_lowlevel_notify_poll(p->handle);
	fuse_pollhandle_destroy(p->handle);
	free(p);
}

static void op_poll(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi, struct fuse_pollhandle *ph)
{
	struct inspect_handle *h = handle_of(fi);
	struct waiting_poll *p = h->stream && ph ? calloc(1, sizeof(*p)) : NULL;
	bool ready;

	(void)ino;
	if (p)
		*p = (struct waiting_poll){.waiter.ready = wake_poll, .handle = ph};
	ready = !h->stream || inspect_stream_ready(h->in, h->stream, p ? &p->waiter : NULL);
	if (ready || !p) {
		free(p);
		if (ph)
			fuse_pollhandle_destroy(ph);
	}
	fuse_reply_poll(req, (h->stream ? 0 : POLLOUT) | (ready ? POLLIN | POLLRDNORM : 0));
}

/* --- Directories --- */

static void op_opendir(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct inspect *in = inspect_of(req);
	struct inspect_node *n = node_of(req, ino);
	struct inspect_listing *l;

	begin();
	if (asks_itself(req)) {
		fail(req, n,
		     bis_fail(EDEADLK, "the process that runs the machine cannot look at it through these files"));
		return;
	}
	l = inspect_listing_open(in, n);
	if (!l) {
		fail(req, n, bis_fail(ENOMEM, "no memory for the directory"));
		return;
	}
	fi->fh = (uintptr_t)l;
	if (fuse_reply_open(req, fi))
		inspect_listing_close(in, l);
}

static void op_readdir(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off, struct fuse_file_info *fi)
{
	const struct inspect_listing *l = (const struct inspect_listing *)(uintptr_t)fi->fh;
	char *buf = malloc(size ? size : 1);
	size_t used = 0;

	(void)ino;
	if (!buf) {
		fuse_reply_err(req, ENOMEM);
		return;
	}
	for (size_t i = (size_t)off; i < l->count; i++) {
		struct stat st = {.st_ino = INO_UNKNOWN, .st_mode = l->at[i].mode};
		size_t len = fuse_add_direntry(req, buf + used, size - used, l->at[i].name, &st, (off_t)(i + 1));

		if (len > size - used)
			break;
		used += len;
	}
	fuse_reply_buf(req, buf, used);
	free(buf);
}

static void op_releasedir(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	(void)ino;
	inspect_listing_close(inspect_of(req), (struct inspect_listing *)(uintptr_t)fi->fh);
	fuse_reply_err(req, 0);
}

const struct fuse_lowlevel_ops inspect_fuse_ops = {
	.init = op_init,
	.lookup = op_lookup,
	.forget = op_forget,
	.forget_multi = op_forget_multi,
	.getattr = op_getattr,
	.setattr = op_setattr,
	.readlink = op_readlink,
	.unlink = op_unlink,
	.mknod = op_mknod,
	.mkdir = op_mkdir,
	.rmdir = op_rmdir,
	.rename = op_rename,
	.open = op_open,
	.release = op_release,
	.read = op_read,
	.write = op_write,
	.poll = op_poll,
	.opendir = op_opendir,
	.readdir = op_readdir,
	.releasedir = op_releasedir,
};
