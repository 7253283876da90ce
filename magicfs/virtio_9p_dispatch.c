/*
 * The table of 9P2000.L's messages: who carries a message out, how long its reply is at least, and where. Any thread.
 */
#include <errno.h>

#include "magicfs/virtio_9p.h"

/* Bytes of a write into the host's page cache that take less time than waking a thread. */
#define QUICK_WRITE 131072u

struct row {
	int (*serve)(struct p9_request *r);
	uint8_t reply; /* bytes behind the header that the reply has at least */
	bool slow;     /* likely to wait for storage */
};

/* By type / 2: T-messages are even. Tflush is the device's. */
static const struct row rows[] = {
	[P9_TSTATFS / 2] = {p9_statfs, 60, false},
	[P9_TLOPEN / 2] = {p9_lopen, P9_QID_SIZE + 4, false},
	[P9_TLCREATE / 2] = {p9_lcreate, P9_QID_SIZE + 4, false},
	[P9_TSYMLINK / 2] = {p9_symlink, P9_QID_SIZE, false},
	[P9_TMKNOD / 2] = {p9_mknod, P9_QID_SIZE, false},
	[P9_TRENAME / 2] = {p9_rename, 0, false},
	[P9_TREADLINK / 2] = {p9_readlink, 2, false},
	[P9_TGETATTR / 2] = {p9_getattr, 153, false},
	[P9_TSETATTR / 2] = {p9_setattr, 0, false},
	[P9_TXATTRWALK / 2] = {p9_xattrwalk, 8, false},
	[P9_TXATTRCREATE / 2] = {p9_xattrcreate, 0, false},
	[P9_TREADDIR / 2] = {p9_readdir, 4, false},
	[P9_TFSYNC / 2] = {p9_fsync, 0, true},
	[P9_TLOCK / 2] = {p9_lock, 1, false},
	[P9_TGETLOCK / 2] = {p9_getlock, 23, false},
	[P9_TLINK / 2] = {p9_link, 0, false},
	[P9_TMKDIR / 2] = {p9_mkdir, P9_QID_SIZE, false},
	[P9_TRENAMEAT / 2] = {p9_renameat, 0, false},
	[P9_TUNLINKAT / 2] = {p9_unlinkat, 0, false},
	[P9_TVERSION / 2] = {p9_version, 6, false},
	[P9_TAUTH / 2] = {p9_auth, 0, false},
	[P9_TATTACH / 2] = {p9_attach, P9_QID_SIZE, false},
	[P9_TWALK / 2] = {p9_walk, 2, false},
	[P9_TREAD / 2] = {p9_read, 4, false},
	[P9_TWRITE / 2] = {p9_write, 4, false},
	[P9_TCLUNK / 2] = {p9_clunk, 0, false},
	[P9_TREMOVE / 2] = {p9_remove, 0, false},
};

static const struct row *row_of(uint8_t type)
{
	static const struct row none;

	return type % 2 == 0 && type / 2 < BIS_ARRAY_SIZE(rows) ? &rows[type / 2] : &none;
}

uint32_t p9_reply_size(uint8_t type)
{
	return row_of(type)->reply;
}

bool p9_is_quick(const struct p9_request *r)
{
	return !row_of(r->type)->slow && !(r->type == P9_TWRITE && r->chain.readable > QUICK_WRITE);
}

int p9_serve(struct p9_request *r)
{
	const struct row *row = row_of(r->type);

	p9_restart(r);
	if (r->failed)
		return r->failed;
	return row->serve ? row->serve(r) : -EOPNOTSUPP;
}
