/*
 * The inside of the virtio-9p device: 9P2000.L (the dialect of 9P that Linux's v9fs speaks) on the calls of mfs.h.
 *
 *     virtio_9p.c          the module: the queue, the threads, tags, flushing
 *     virtio_9p_message.c  reading a message and writing its reply
 *     virtio_9p_fid.c      the table of fids
 *     virtio_9p_dispatch.c the table of messages
 *     virtio_9p_session.c  version, attach, walk and what goes away: clunk, remove
 *     virtio_9p_tree.c     names: create, link, rename, unlink, …
 *     virtio_9p_attr.c     attributes, extended attributes
 *     virtio_9p_io.c       open, read, write, readdir, fsync, locks
 *     virtio_9p_save.c     the session in a snapshot
 *
 * All numbers in messages are little-endian; a string is its length in two bytes and its bytes.
 */
#ifndef BISCUIT_MAGICFS_VIRTIO_9P_H
#define BISCUIT_MAGICFS_VIRTIO_9P_H

#include <pthread.h>
#include <sys/queue.h>

#include "magicfs/mfs.h"
#include "modules/virtio/virtio.h"

/* T-messages; the reply to each has the next number. */
enum p9_type {
	P9_RLERROR = 7,
	P9_TSTATFS = 8,
	P9_TLOPEN = 12,
	P9_TLCREATE = 14,
	P9_TSYMLINK = 16,
	P9_TMKNOD = 18,
	P9_TRENAME = 20,
	P9_TREADLINK = 22,
	P9_TGETATTR = 24,
	P9_TSETATTR = 26,
	P9_TXATTRWALK = 30,
	P9_TXATTRCREATE = 32,
	P9_TREADDIR = 40,
	P9_TFSYNC = 50,
	P9_TLOCK = 52,
	P9_TGETLOCK = 54,
	P9_TLINK = 70,
	P9_TMKDIR = 72,
	P9_TRENAMEAT = 74,
	P9_TUNLINKAT = 76,
	P9_TVERSION = 100,
	P9_TAUTH = 102,
	P9_TATTACH = 104,
	P9_TFLUSH = 108,
	P9_TWALK = 110,
	P9_TREAD = 116,
	P9_TWRITE = 118,
	P9_TCLUNK = 120,
	P9_TREMOVE = 122,
};

#define P9_HEADER	7u /* size[4] type[1] tag[2] */
#define P9_ERROR_SIZE	(P9_HEADER + 4)
#define P9_READ_HEADER	(P9_HEADER + 4)	 /* of Rread and Rreaddir, before the data */
#define P9_WRITE_HEADER (P9_HEADER + 16) /* of Twrite, before the data */
#define P9_MSIZE_MIN	4096u
#define P9_MSIZE_MAX	(1u << 20)
#define P9_MESSAGE_MAX	8192u /* of a message, the data of Twrite apart: two names, or a name and a path, fit */
#define P9_REPLY_MAX	4352u /* of a reply without header and data: a path fits */
#define P9_WALK_MAX	16u   /* names in a Twalk */
#define P9_FIDS_MAX	(1u << 20)
#define P9_XATTR_MAX	65536u	   /* bytes of a value or of a list of names, as on the host */
#define P9_XATTRS_MAX	(1u << 24) /* bytes of those that are being read or written at a time */
#define P9_NONE		UINT32_MAX /* no fid, no user */
#define P9_QID_SIZE	13u

/* What a message's function returns beside 0 and -errno. */
enum p9_verdict {
	P9_LATER = 1, /* would have to wait, and may not on this thread: call it again on another */
	P9_WAIT,      /* r->lock is to be taken on r->node, a new reference, when it becomes free */
};

/* --- The session: what a driver has built up. Any thread. --- */

/* The content of an extended attribute that a fid reads, or is about to write. */
struct p9_xattr {
	atomic_uint references;
	struct p9_session *session;
	uint32_t room; /* bytes of value, constant */
	bool writing;
	uint32_t flags; /* XATTR_CREATE, XATTR_REPLACE */
	uint32_t size;
	uint32_t filled; /* bytes written so far, from the start; the session's lock, as is value */
	char name[MFS_NAME_MAX + 1];
	uint8_t value[];
};

/* What a fid stands for. A copy of it is made for each request that uses the fid. */
struct p9_ref {
	struct mfs_node *node;	/* a reference; NULL: after a restore it could not be opened again */
	struct p9_xattr *xattr; /* a reference; NULL: it is the node itself */
	uint64_t root;		/* id of the directory that it was attached to: ".." ends there */
	uint32_t uid;
};

struct p9_fid {
	struct p9_fid *next; /* of the same bucket */
	uint32_t number;
	struct p9_ref ref;
};

struct p9_session {
	struct mfs *fs;
	atomic_size_t xattr_bytes; /* of all struct p9_xattr */
	pthread_mutex_t lock;
	/* lock */
	struct p9_fid **buckets;
	uint32_t n_buckets; /* 0 before the first fid; else a power of two */
	uint32_t n_fids;
	uint32_t epoch; /* counts ends of sessions: a request of an earlier one has no fids and makes none */
	uint32_t msize; /* 0: no version agreed on */
};

void p9_session_init(struct p9_session *s, struct mfs *fs); /* takes over a reference */
void p9_session_fini(struct p9_session *s);
/* Ends it: every fid is clunked. A new one begins with `msize`, 0 for none. */
void p9_session_restart(struct p9_session *s, uint32_t msize);

void p9_ref_put(struct p9_ref *ref);
/* A new fid; on success *ref's references are the fid's. -EINVAL: taken. -ENFILE, -ENOMEM. -EBADF: another session. */
BIS_MUST_CHECK int p9_fid_add(struct p9_session *s, uint32_t epoch, uint32_t number, const struct p9_ref *ref);
/*
 * Lets the fid stand for something else, if it still stands for `was`, the node and no attribute; on success *ref's
 * references are the fid's. -EBADF.
 */
BIS_MUST_CHECK int p9_fid_change(struct p9_session *s, uint32_t epoch, uint32_t number, const struct mfs_node *was,
				 const struct p9_ref *ref);
/* Takes the fid away; its references are the caller's then. -EBADF. */
BIS_MUST_CHECK int p9_fid_remove(struct p9_session *s, uint32_t epoch, uint32_t number, struct p9_ref *out);

/* --- Requests --- */

/* The write cursor of a chain, to go back to. */
struct p9_mark {
	unsigned at;
	uint64_t offset, writable, written;
};

TAILQ_HEAD(p9_requests, p9_request);

/* A T-message and its reply. One thread at a time. */
struct p9_request {
	struct p9_session *session;
	struct virtio_chain chain;
	struct p9_mark start; /* of the chain's writable part */

	uint32_t size; /* as the message says */
	uint8_t type;
	uint16_t tag;
	uint32_t epoch, msize; /* of the session when the request came */
	bool may_wait;	       /* the thread has time */

	uint32_t at, end; /* read up to here; bytes of the message that are at hand */
	bool malformed;	  /* something was missing, or a string has a NUL */
	uint32_t reply_len, payload;
	bool too_long; /* the reply did not fit r->reply */
	int failed;    /* what was wrong with it on arrival: -errno */

	struct mfs_node *node; /* P9_WAIT */
	struct mfs_lock lock;

	/* The device's; its lock. */
	TAILQ_ENTRY(p9_request) link; /* in the list that it is in, if any */
	LIST_ENTRY(p9_request) busy;  /* of those not answered */
	struct p9_requests flushes;   /* Tflush messages that wait for this one */
	bool waiting;		      /* for r->lock */

	uint8_t reply[P9_REPLY_MAX];
	uint8_t message[P9_MESSAGE_MAX];
};

/*
 * Reads the message from r->chain, just taken, and looks whether its size, and the room for its reply, are right; what
 * is wrong goes to r->failed. false: it cannot even be answered with an error.
 */
bool p9_receive(struct p9_request *r);
/* Begins anew: nothing of the message has been looked at, nothing of the reply written. */
void p9_restart(struct p9_request *r);
/* Puts the reply, Rlerror if `err` is not 0, into the chain. It is still to be given back. */
void p9_answer(struct p9_request *r, int err);

/* The next part of the message; 0, "" and r->malformed where there is not enough. Strings are NUL-terminated in place.
 */
uint8_t p9_get8(struct p9_request *r);
uint16_t p9_get16(struct p9_request *r);
uint32_t p9_get32(struct p9_request *r);
uint64_t p9_get64(struct p9_request *r);
/* Valid as long as the request. */
const char *p9_get_string(struct p9_request *r);
/* After the last part: was all there and nothing more? */
bool p9_got_all(const struct p9_request *r);
/* After the last part: what fid `number` stands for: p9_ref_put(out) afterwards. -EINVAL: not p9_got_all. -EBADF, also
 * for a request of another session; -ESTALE for one that was lost. */
BIS_MUST_CHECK int p9_fid_get(const struct p9_request *r, uint32_t number, struct p9_ref *out);
/* The same for one that is a node: -EINVAL for an extended attribute. */
BIS_MUST_CHECK int p9_fid_node(const struct p9_request *r, uint32_t number, struct p9_ref *out);

/* Appends to the reply. There is room for whatever a reply may have. */
void p9_put8(struct p9_request *r, uint8_t value);
void p9_put16(struct p9_request *r, uint16_t value);
void p9_put32(struct p9_request *r, uint32_t value);
void p9_put64(struct p9_request *r, uint64_t value);
/* At most 65535 bytes; what is too long for the reply is answered with an error. */
void p9_put_string(struct p9_request *r, const char *bytes, size_t len);
void p9_put_qid(struct p9_request *r, uint32_t mode, uint64_t version, uint64_t id);
/* The qid of what `at` names. -errno of the look at it. */
BIS_MUST_CHECK int p9_put_qid_of(struct p9_request *r, const struct mfs_at *at);

/*
 * For replies that are a count and data: moves the chain's write cursor to where the data goes, and says how many bytes
 * of `count` there is room for. p9_end_payload after the data is written: its length is the reply.
 */
uint32_t p9_begin_payload(struct p9_request *r, uint32_t count);
void p9_end_payload(struct p9_request *r, uint32_t len);

/* --- Messages (virtio_9p_dispatch.c) --- */

/* Carries the request out: 0, -errno, or an enum p9_verdict. Not Tflush, which is the device's. */
int p9_serve(struct p9_request *r);
/* Is it of a kind that seldom waits? */
bool p9_is_quick(const struct p9_request *r);
/* Bytes that the reply has at least; 0: no such message. */
uint32_t p9_reply_size(uint8_t type);
/* The answer to Tlock. */
enum p9_lock_status { P9_LOCK_SUCCESS, P9_LOCK_BLOCKED };

/* One function a message, each in the file where it belongs. */
int p9_version(struct p9_request *r);
int p9_auth(struct p9_request *r);
int p9_attach(struct p9_request *r);
int p9_walk(struct p9_request *r);
int p9_clunk(struct p9_request *r);
int p9_remove(struct p9_request *r);
int p9_statfs(struct p9_request *r);
int p9_lopen(struct p9_request *r);
int p9_lcreate(struct p9_request *r);
int p9_symlink(struct p9_request *r);
int p9_mknod(struct p9_request *r);
int p9_mkdir(struct p9_request *r);
int p9_link(struct p9_request *r);
int p9_rename(struct p9_request *r);
int p9_renameat(struct p9_request *r);
int p9_unlinkat(struct p9_request *r);
int p9_readlink(struct p9_request *r);
int p9_getattr(struct p9_request *r);
int p9_setattr(struct p9_request *r);
int p9_xattrwalk(struct p9_request *r);
int p9_xattrcreate(struct p9_request *r);
int p9_readdir(struct p9_request *r);
int p9_fsync(struct p9_request *r);
int p9_lock(struct p9_request *r);
int p9_getlock(struct p9_request *r);
int p9_read(struct p9_request *r);
int p9_write(struct p9_request *r);

/* virtio_9p_tree.c: where the node is now, as a path from the root, of which it gives a reference. -EBUSY: it is the
 * root. -ENOENT, -ESTALE. */
BIS_MUST_CHECK int p9_locate(struct p9_session *s, struct mfs_node *node, struct mfs_node **root,
			     struct mfs_description *out);

/* virtio_9p_attr.c: reading and writing a fid that is an extended attribute, and what its clunk does. */
int p9_xattr_read(struct p9_request *r, struct p9_xattr *x, uint64_t offset, uint32_t count);
int p9_xattr_write(struct p9_request *r, struct p9_xattr *x, uint64_t offset, uint32_t count);
BIS_MUST_CHECK int p9_xattr_apply(const struct p9_ref *ref);
void p9_xattr_put(struct p9_xattr *x);
/* One with room for a value of `size` bytes; NULL: there is no memory, or the guest has had its part of it. */
struct p9_xattr *p9_xattr_new(struct p9_session *s, size_t size);

/* virtio_9p_save.c: the session, while no request is under way. As save and restore of a module class. */
BIS_MUST_CHECK int p9_session_save(struct p9_session *s, const struct bis_module *mod,
				   void (*put)(void *arg, const void *data, size_t len), void *arg);
BIS_MUST_CHECK int p9_session_restore(struct p9_session *s, const struct bis_module *mod, const void *data, size_t len);

#endif
