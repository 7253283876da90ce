/*
 * How the virtio-9p device carries requests out (virtio_9p_queue.c), as its module (virtio_9p.c) sees it.
 */
#ifndef BISCUIT_MAGICFS_VIRTIO_9P_QUEUE_H
#define BISCUIT_MAGICFS_VIRTIO_9P_QUEUE_H

#include "magicfs/virtio_9p.h"

#define P9_WORKERS 8u

LIST_HEAD(p9_busy, p9_request);

struct p9_queue {
	struct virtio *virtio;
	struct p9_session *session;
	const char *name; /* of the module, for its threads */
	/* Device lock, in ns. */
	uint64_t slow_until;	/* nothing is carried out in place before */
	uint64_t suspect_until; /* a request that is slow before is not the only one */

	pthread_mutex_t lock; /* taken before the virtio's and the session's */
	pthread_cond_t work;  /* `ready` has a request, or quit */
	pthread_cond_t idle;  /* no request is busy */
	pthread_cond_t freed; /* a lock may have become free, somebody waits for one, or quit */
	/* lock */
	struct p9_requests free;    /* to be used again */
	struct p9_requests ready;   /* for the workers */
	struct p9_requests waiting; /* for locks */
	struct p9_busy busy;	    /* all that were taken and not given back */
	unsigned n_requests, n_waiting;
	unsigned n_sleeping; /* workers that wait for work */
	bool starved;	     /* chains were left in the queue, as there was no request for them */
	bool draining;	     /* p9_queue_drain is waiting: no lock is waited for */
	bool quit;
	struct bis_log_limit log_limit; /* of messages about chains that are of no use */
	unsigned n_workers;
	bool has_waiter;
	pthread_t workers[P9_WORKERS], waiter;
};

void p9_queue_init(struct p9_queue *q, struct virtio *v, struct p9_session *session, const char *name);
/* Ends the threads. No request is busy any more. */
void p9_queue_fini(struct p9_queue *q);
/* Takes what the driver has made available. Device lock. */
void p9_queue_run(struct p9_queue *q);
/* Returns when no request is busy; those that wait for a lock are told so. No chain comes out meanwhile. Device lock.
 */
void p9_queue_drain(struct p9_queue *q);

#endif
