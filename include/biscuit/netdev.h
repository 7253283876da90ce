/*
 * Network devices: where Ethernet frames come from and go to (user networking, a tap interface, a test's fake). A
 * network device is a named meeting point of two halves, so that a test can put a fake on either side: one front end
 * (virtio-net) attaches to it, and one back end is plugged into it. Either half may come first and may go while the
 * machine runs.
 *
 * Frames move without the device lock, so that a back end has a thread of its own, and each frame is copied once: the
 * back end fetches the guest's frames when it is woken, and delivers those to the guest whenever they come. What the
 * guest has no room for waits in a bounded queue. A frame is Ethernet without preamble and checksum, 14 to
 * BIS_NETDEV_FRAME bytes.
 *
 * Threads: everything here is called with the device lock held, but for the functions said to be callable on any
 * thread. A network device has a lock of its own, which is held during the calls of struct bis_netdev_front_ops; these
 * must not take the device lock. A network device stays valid as long as the machine.
 */
#ifndef BISCUIT_NETDEV_H
#define BISCUIT_NETDEV_H

#include <biscuit/types.h>

#ifdef __cplusplus
extern "C" {
#endif

struct bis_machine;
struct bis_netdev;

#define BIS_NETDEV_FRAME 65550u	 /* bytes of a frame at most: 64 KiB behind an Ethernet header */
#define BIS_NETDEV_QUEUE 524288u /* bytes of frames that wait for the guest, each counted with 4 to 7 more */

enum bis_netdev_flags {
	BIS_NETDEV_VERIFIED = 1, /* the checksums of every frame delivered are right */
	BIS_NETDEV_SEGMENTS = 2, /* takes TCP segments of any length up to BIS_NETDEV_FRAME, unsplit */
};

/* What a back end implements. */
struct bis_netdev_ops {
	/*
	 * There are frames to fetch, or room to deliver again. Never blocks. Device lock held; the back end may fetch
	 * and deliver at once, but usually tells its thread.
	 */
	void (*wake)(void *self);
	/* Frees self. Called once, when the back end is unplugged or the machine goes. NULL: nothing to do. */
	void (*destroy)(void *self);
	unsigned flags; /* of enum bis_netdev_flags */
};

/*
 * What a front end implements. Called with the lock of the network device held, on any thread; receive and fetch only
 * while started. `flags` are the back end's, of enum bis_netdev_flags.
 */
struct bis_netdev_front_ops {
	/*
	 * Takes a frame for the guest. False: there is no room; the front end then calls bis_netdev_flush when there
	 * is, and the frame is offered again.
	 */
	bool (*receive)(void *self, const uint8_t *frame, size_t len, unsigned flags);
	/*
	 * The guest's next frame into `frame`, which has room for BIS_NETDEV_FRAME bytes: its length, or 0 if there is
	 * none. NULL: there is no link, and the frame is lost.
	 */
	size_t (*fetch)(void *self, uint8_t *frame, unsigned flags);
	/* A frame for the guest was lost: the queue was full. NULL: not counted. */
	void (*dropped)(void *self);
	/* The link went up or down. Device lock held, too. NULL: of no interest. */
	void (*link)(void *self, bool up);
};

/* --- Both sides --- */

/* The network device of that name, made where there is none yet. -ENOMEM. */
BIS_MUST_CHECK int bis_netdev_open(struct bis_machine *m, const char *name, struct bis_netdev **out);
/* The network device of that name; NULL if nobody opened or created it. */
struct bis_netdev *bis_netdev_find(struct bis_machine *m, const char *name);
/* Pulls the cable or puts it back: while it is pulled, frames of both directions are lost. A new cable is in. */
void bis_netdev_set_link(struct bis_netdev *n, bool up);
/* Is there a back end, and the cable in? Any thread but in calls of a front end. */
bool bis_netdev_link(struct bis_netdev *n);

/* --- Back-end side --- */

/*
 * Plugs a back end into the network device `name`. -EEXIST if it has one already, -ENOMEM; `self` is then still the
 * caller's, on success it belongs to the device until ops->destroy.
 */
BIS_MUST_CHECK int bis_netdev_create(struct bis_machine *m, const char *name, const struct bis_netdev_ops *ops,
				     void *self, struct bis_netdev **out);
/*
 * Unplugs the back end and calls ops->destroy. Threads of the back end have ended. Nothing happens where no back end is
 * plugged in, or for NULL.
 */
void bis_netdev_destroy(struct bis_netdev *n);
/*
 * The guest's next frame into `frame`, which has room for BIS_NETDEV_FRAME bytes: its length, or 0 if there is none
 * now. To be called until it says so: only then does the guest know that it must wake the back end for the next one.
 * Any thread.
 */
size_t bis_netdev_fetch(struct bis_netdev *n, uint8_t *frame);
/* Hands a frame to the guest or to the queue; false if it is lost. Any thread. */
bool bis_netdev_deliver(struct bis_netdev *n, const uint8_t *frame, size_t len);
/*
 * Is more than half of the queue in use? A back end that can make its sender wait then does; it is woken when a quarter
 * is left. Any thread.
 */
bool bis_netdev_congested(struct bis_netdev *n);

/* --- Front-end side --- */

/* Attaches the front end, not started. -EEXIST if there is one already. */
BIS_MUST_CHECK int bis_netdev_attach(struct bis_netdev *n, const struct bis_netdev_front_ops *ops, void *self);
/* As bis_netdev_stop, and the front end is forgotten. Nothing happens unless `self` is attached. */
void bis_netdev_detach(struct bis_netdev *n, void *self);
/* Frames may flow from now on; those that wait come at once. */
void bis_netdev_start(struct bis_netdev *n);
/* Returns when no call of the front end runs, and none will. Frames that come meanwhile wait. */
void bis_netdev_stop(struct bis_netdev *n);
/* Returns when the calls of the front end that run now have ended; it stays started. */
void bis_netdev_settle(struct bis_netdev *n);
/* Drops the frames that wait. */
void bis_netdev_clear(struct bis_netdev *n);
/* The guest has frames to fetch. Without a link they are fetched and lost at once. */
void bis_netdev_kick(struct bis_netdev *n);
/* The guest has room: offers it the frames that wait. */
void bis_netdev_flush(struct bis_netdev *n);
/* What the back end says of itself (enum bis_netdev_flags); 0 while there is none. */
unsigned bis_netdev_flags(struct bis_netdev *n);

#ifdef __cplusplus
}
#endif
#endif
