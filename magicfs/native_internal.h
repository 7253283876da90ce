/*
 * The inside of the native MagicFS device (docs/magicfs.md): native.c has the registers and the lifecycle,
 * native_post.c requests in the background, native_call.c the table of operations, native_data.c, native_lock.c,
 * native_watch.c and native_map.c the longer ones of them, native_handles.c the open files, native_save.c what a
 * snapshot needs of them.
 *
 * A request is carried out by the hart that wrote it, or by a worker; neither has the device lock. Locks of this
 * device, in the order in which they are taken: `waiting_lock`, `watches.lock` or `maps.lock`, then `lock` or
 * `handles.lock`. Lifecycle calls wait until no request is being carried out; no thread of the device needs the device
 * lock meanwhile.
 */
#ifndef BISCUIT_MAGICFS_NATIVE_INTERNAL_H
#define BISCUIT_MAGICFS_NATIVE_INTERNAL_H

#include <pthread.h>

#include <biscuit/module.h>

#include "guest/sdk/include/magicfs_protocol.h"
#include "magicfs/mfs.h"
#include "modules/device/native.h"

#define NATIVE_WORKERS	8
#define NATIVE_RETRY_NS 5000000 /* between two tries to take locks that others hold */
#define NATIVE_PACK_MAX 65536u	/* bytes of entries or events that one request gets at most */

/* What an operation returns that is to go on later. */
#define NATIVE_WAITS INT64_MIN

/* --- Open files --- */

struct native_handle {
	struct mfs_node *node; /* NULL: free, or `lost` */
	uint32_t generation;
	uint32_t next_free; /* row + 1 */
	bool lost;	    /* could not be opened again: -ESTALE */
};

struct native_handles {
	pthread_mutex_t lock;
	struct native_handle *rows;
	uint32_t size;			/* rows that were ever used */
	uint32_t room;			/* rows allocated */
	uint32_t first_free, last_free; /* row + 1; 0: none */
	uint32_t free_count;
};

/* --- Requests in the background --- */

enum native_job_state { JOB_FREE, JOB_QUEUED, JOB_TAKEN, JOB_DONE };

struct native_job {
	struct native_job *next;
	uint64_t address;
	enum native_job_state state; /* lock; TAKEN: carried out or waiting */
	bool cancelled;		     /* lock: it is not to wait */
	struct mfs_node *node;	     /* of a LOCK that waits; NULL: could not be opened again */
	struct magicfs_request request;
};

struct native_jobs {
	struct native_job *first, *last;
};

/* --- Change events --- */

struct native_watch {
	uint32_t number;  /* as the guest knows it */
	uint32_t changes; /* enum mfs_change */
	bool recursive;
	bool vague;    /* `what` is not all of it, for want of memory */
	uint8_t *what; /* what it watches, as mfs_save_node said when it was added */
	size_t what_len;
};

struct native_watches {
	pthread_mutex_t lock;
	struct mfs_watcher *watcher[MAGICFS_SHARES_MAX]; /* NULL until the first watch */
	struct native_watch *all;			 /* MAGICFS_WATCHES_MAX of them; NULL until the first watch */
	struct mfs_event *event;			 /* the same */
	bool held;					 /* `event` has been taken and given to nobody yet */
	struct native_jobs waiting;			 /* EVENTS */
};

/* --- Mappings --- */

struct native_map {
	struct native_map *next;
	struct mfs_node *node;
	uint64_t off, len, file_offset; /* off: in the window */
	uint32_t flags;			/* enum bis_direct_flags */
};

struct native_maps {
	pthread_mutex_t lock;
	struct native_map *first;
	uint64_t copies; /* bytes of private mappings that can be written: memory that the guest can take */
};

struct native {
	struct bis_module *module;
	struct bis_memory *memory;
	struct bis_irq *irq;
	struct bis_timer *retry;
	struct bis_watch *watch;
	struct bis_direct *direct; /* NULL: no window */
	uint64_t window;
	int events_fd; /* an epoll set: readable while a watcher has events */

	struct mfs *share[MAGICFS_SHARES_MAX];
	struct mfs_node *root[MAGICFS_SHARES_MAX]; /* open, but for directories that cannot be read */

	/* Registers; where no lock is named, accessed atomically. */
	uint32_t shares;
	uint64_t result; /* of the last plain request */
	uint32_t enable; /* lock */
	uint8_t error;
	struct native_high high; /* read: device lock */

	/* For people to look at, accessed atomically. */
	uint64_t requests;
	uint32_t open_handles, maps_count, watches_count;

	struct native_handles handles;
	struct native_watches watches;
	struct native_maps maps;

	pthread_mutex_t lock;
	pthread_cond_t work;	 /* for workers */
	pthread_cond_t idle;	 /* nothing is queued, nothing runs */
	struct native_job *jobs; /* MAGICFS_POSTED_MAX of them; NULL until the first post */
	uint32_t jobs_used;	 /* of them, from the first on: the others were never used */
	struct native_jobs queue;
	uint32_t queued; /* jobs there */
	struct native_jobs done;
	uint32_t posted;  /* jobs that are not free */
	uint32_t running; /* workers at work */
	uint32_t asleep;  /* workers that wait */
	uint32_t workers;
	bool retry_locks, serve_events; /* wanted from a worker */
	bool paused, quit;
	pthread_t worker[NATIVE_WORKERS];

	pthread_mutex_t waiting_lock;
	struct native_jobs waiting; /* LOCK; waiting_lock */
};

/* --- native_call.c: one request --- */

struct native_call {
	struct native *n;
	struct magicfs_request r; /* the only copy: guest memory is not read again */
	struct native_job *job;	  /* NULL: the hart waits for the end */
	struct mfs_node *node, *node2;
	struct mfs_at at, at2;
	uint64_t extra;
	char path[MFS_PATH_MAX], path2[MFS_PATH_MAX];
};

/* Carries out `r` on behalf of `n`; `job` is NULL or the posted request. The result, and *extra. */
int64_t native_carry_out(struct native *n, const struct magicfs_request *r, struct native_job *job, uint64_t *extra);
/* Writes a request's outcome to guest memory, `done` last. */
void native_answer(struct native *n, uint64_t address, int64_t result, uint64_t extra);
/* Copies the first `size` bytes of an answer to the request's buffer, as far as they fit. Gives `size`, or -EFAULT. */
int64_t native_give(const struct native_call *c, const void *bytes, size_t size);

/* --- Operations: the result, or -errno --- */
int64_t native_op_stat(struct native_call *c);
int64_t native_op_set(struct native_call *c);
int64_t native_op_read(struct native_call *c);
int64_t native_op_write(struct native_call *c);
int64_t native_op_list(struct native_call *c);
int64_t native_op_readlink(struct native_call *c);
int64_t native_op_statfs(struct native_call *c);
int64_t native_op_getxattr(struct native_call *c);
int64_t native_op_setxattr(struct native_call *c);
int64_t native_op_listxattr(struct native_call *c);
int64_t native_op_watch(struct native_call *c);
int64_t native_op_unwatch(struct native_call *c);
int64_t native_op_events(struct native_call *c);
int64_t native_op_map(struct native_call *c);
int64_t native_op_unmap(struct native_call *c);
int64_t native_op_lock(struct native_call *c);
int64_t native_op_getlock(struct native_call *c);
int64_t native_op_cancel(struct native_call *c);

/* --- native_handles.c --- */
int native_handles_create(struct native_handles *h);
void native_handles_destroy(struct native_handles *h);
/* Takes over the caller's reference: the handle, or -EMFILE, -ENOMEM with the reference still the caller's. */
int64_t native_handle_add(struct native *n, struct mfs_node *node);
/* A reference to what a handle stands for. -EBADF; -ESTALE where it could not be opened again. */
int native_handle_get(struct native *n, uint32_t handle, struct mfs_node **out);
int native_handle_close(struct native *n, uint32_t handle);
void native_handles_clear(struct native *n);
/* The number of the share that a handle's node is in. */
uint32_t native_share_of(const struct native *n, const struct mfs_node *node);
/* The first handle from row `row` on (0 at first): the row to go on with, or 0 if there is none. *node is NULL for one
 * that was lost. */
size_t native_handles_next(const struct native *n, size_t row, uint32_t *handle, struct mfs_node **node);
/* Puts a node where its handle says, in ascending order of rows; NULL is one that was lost. Takes over the reference.
 */
BIS_MUST_CHECK int native_handle_restore(struct native *n, uint32_t handle, struct mfs_node *node);

/* --- native_post.c --- */
/* Queues a copy of the request at `address`. -EAGAIN, -EBUSY, -ENOMEM. */
int native_post(struct native *n, uint64_t address, const struct magicfs_request *r);
/* The address of a request that is done, or 0. */
uint64_t native_take(struct native *n);
/* Ends a posted request that was waiting. */
void native_finish(struct native *n, struct native_job *job, int64_t result, uint64_t extra);
/* Keeps a posted request with this address that is under way and may wait from doing so. */
bool native_cancel(struct native *n, uint64_t address);
bool native_is_cancelled(struct native *n, const struct native_job *job);
/* Wants the waiting LOCKs tried again; wants EVENTS served. Any thread. */
void native_retry_locks(struct native *n);
void native_serve_events(struct native *n);
void native_update_irq(struct native *n); /* lock */
void native_settle(struct native *n);	  /* waits until nothing is queued and nothing runs */
void native_set_paused(struct native *n, bool paused);
void native_jobs_clear(struct native *n); /* settled */
void native_workers_end(struct native *n);

/* What a posted request waits for. */
enum native_wait { NATIVE_WAIT_LOCK, NATIVE_WAIT_EVENTS, NATIVE_WAIT_NONE /* done, and not taken yet */ };
/* Puts a request back where it was, when no other has come yet. -EINVAL, -ENOMEM; -errno of a thread that cannot be
 * started. */
BIS_MUST_CHECK int native_job_restore(struct native *n, uint64_t address, const struct magicfs_request *r,
				      enum native_wait wait);

void native_job_append(struct native_jobs *list, struct native_job *job);
struct native_job *native_job_remove(struct native_jobs *list, uint64_t address); /* NULL: not in it */

/* --- native_lock.c --- */
void native_locks_serve(struct native *n);		     /* a worker */
void native_locks_closed(struct native *n, uint32_t handle); /* its waiting LOCKs end */

/* --- native_watch.c --- */
void native_events_serve(struct native *n); /* a worker */
void native_events_ready(void *self, unsigned events);
void native_watches_clear(struct native *n);
/* Adds a watch again; `what` are the bytes that `node`, NULL if it is gone, came from. -EINVAL, -ENOMEM. */
BIS_MUST_CHECK int native_watch_restore(struct native *n, const struct native_watch *w, const uint8_t *what,
					size_t what_len, struct mfs_node *node);

/* --- native_map.c --- */
/* Maps what->len bytes of what->node from what->file_offset on at what->off, or where there is room: the physical
 * address, or -errno. The node gets a reference. */
int64_t native_map_add(struct native *n, const struct native_map *what, bool anywhere);
/* The same at what->off, if the guest could have asked for it. */
int64_t native_map_restore(struct native *n, const struct native_map *what);
void native_maps_clear(struct native *n, bool unmap); /* `unmap`: the window is still there */

/* --- native_save.c: save and restore of the module class --- */
BIS_MUST_CHECK int native_save(void *self, void (*put)(void *arg, const void *data, size_t len), void *arg);
BIS_MUST_CHECK int native_restore(void *self, const void *data, size_t len);

#endif
