/*
 * The inside of watchers: what watch.c (calls, events) and watch_tree.c (which directories are watched, and where they
 * are) share. All of it belongs to the thread that has the watcher.
 */
#ifndef BISCUIT_MAGICFS_WATCH_INTERNAL_H
#define BISCUIT_MAGICFS_WATCH_INTERNAL_H

#include <dirent.h>
#include <sys/inotify.h>
#include <sys/queue.h>

#include "magicfs/host_internal.h"

#define WATCH_DIRECTORIES_MAX 16384 /* of the host that one recursive watch covers */
#define WATCH_BUCKETS	      4096  /* a power of two */
#define WATCH_BUFFER	      8192  /* bytes of the host's events read at a time */

/* An object of the host that is watched: inotify has one watch descriptor for it, whoever wants it. */
struct watch_spot {
	LIST_ENTRY(watch_spot) bucket;
	LIST_HEAD(watch_places, watch_place) places; /* never empty for long */
	int wd;
	uint64_t dev, ino;
};

/* Such an object as one watch sees it. */
struct watch_place {
	LIST_ENTRY(watch_place) of_spot;
	LIST_ENTRY(watch_place) siblings;
	TAILQ_ENTRY(watch_place) scanning, adrift_link;
	LIST_HEAD(watch_children, watch_place) children;
	struct watch *watch;
	struct watch_spot *spot;
	struct watch_place *parent; /* NULL: the root, the guard, or adrift */
	char *name;		    /* in the parent; the root has none */
	bool to_scan;		    /* in the watch's list */
	bool report;		    /* what the scan finds is news */
	uint64_t seen;		    /* the moment when it was last looked at, see watch_now */
	bool unsure; /* names may have been missed, as the directory was not where it was thought to be */

	/* Adrift: moved away, and perhaps to another place of the watch. The next events tell. */
	bool adrift;
	bool missed;	 /* something happened in it meanwhile */
	bool doubtful;	 /* another one may have been renamed */
	bool pushed;	 /* another one was moved to its name */
	unsigned age;	 /* how often there was no event since */
	uint32_t cookie; /* of the rename; 0: it was none */
	int parent_wd;	 /* where it was */
};

struct watch {
	LIST_ENTRY(watch) of_watcher;
	struct mfs_watcher *watcher;
	uint32_t id, changes;
	bool recursive; /* and a directory */
	bool ended;	/* GONE has been reported; it is freed with the next event */
	int fd;		/* of a recursive watch's directory, O_PATH; else -1 */
	struct watch_place *root;
	struct watch_place *guard; /* the directory that the root has its name in; NULL: none */
	bool resync;		   /* look where everything is before OVERFLOW is reported */
	uint64_t stale;		   /* the moment of the last resync */
	size_t directories, unsure;
	TAILQ_HEAD(watch_scan, watch_place) scan; /* directories to be listed */
	DIR *listing;				  /* of the first of them, once begun */
	TAILQ_HEAD(watch_adrift, watch_place) adrift;
};

struct watch_event {
	TAILQ_ENTRY(watch_event) queue;
	uint32_t watch, change, cookie;
	char path[];
};

struct mfs_watcher {
	struct host *host;
	int epoll, inotify, ready; /* readable: inotify has events, or `ready`, an event descriptor, says we have */
	bool raised;		   /* `ready` is readable */
	uint64_t taken;		   /* bytes of the host's events up to the one at hand */
	bool overflow;		   /* to be reported */
	bool ended;		   /* there is a watch that has */
	unsigned watch_count;
	uint32_t last_id;
	LIST_HEAD(watch_list, watch) watches;
	TAILQ_HEAD(watch_queue, watch_event) events;
	LIST_HEAD(watch_bucket, watch_spot) spots[WATCH_BUCKETS];
	size_t have, used; /* bytes in the buffer */
	_Alignas(struct inotify_event) char buffer[WATCH_BUFFER];
};

/* --- watch.c --- */

/* Queues an event of `name` in a place, or of the place itself (NULL), if the watch asks for it. */
void watch_report(struct watch_place *p, const char *name, uint32_t change, uint32_t cookie);
/* The moment, in terms of the watcher's `taken`: the events up to it have been, but not those of what happens now. */
uint64_t watch_now(const struct mfs_watcher *w);

/* --- watch_place.c --- */

struct watch_spot *watch_spot_find(struct mfs_watcher *w, int wd);
/* Watches what fd, of any kind, refers to, for what `mask` (inotify's) says: the spot, which may be there already. */
BIS_MUST_CHECK int watch_spot_add(struct mfs_watcher *w, int fd, uint32_t mask, struct watch_spot **out);
/* Frees a spot that the host watches no longer. */
void watch_spot_free(struct watch_spot *s);
/* Ends the watching of a spot without places. */
void watch_spot_drop(struct mfs_watcher *w, struct watch_spot *s);

/* A place at the spot, under no name yet. On failure an unused spot is gone. */
BIS_MUST_CHECK int watch_place_make(struct watch *h, struct watch_spot *s, struct watch_place **out);
void watch_place_free(struct watch_place *p); /* without children */
void watch_tree_free(struct watch_place *top);
/* Puts a place, from wherever it is, under a name. -ENOMEM: it stays where it is. */
BIS_MUST_CHECK int watch_attach(struct watch_place *p, struct watch_place *parent, const char *name);
/* Takes it away from its name, together with what is below. `cookie` as in struct watch_place. */
void watch_set_adrift(struct watch_place *p, uint32_t cookie);
/* It is to be listed, or not any more. */
void watch_set_scan(struct watch_place *p, bool report);
void watch_unset_scan(struct watch_place *p);
void watch_end_listing(struct watch *h);
void watch_set_unsure(struct watch_place *p, bool unsure);

/* The place that the watch has for the spot, but for its guard; NULL: none. */
struct watch_place *watch_place_at(const struct watch *h, const struct watch_spot *s);
struct watch_place *watch_child(struct watch_place *p, const char *name);
/* The place that the topmost directory known above p is; p itself if there is none above. */
struct watch_place *watch_top(struct watch_place *p);
/* A place at the bottom of the tree below p, or p. */
struct watch_place *watch_leaf(struct watch_place *p);
/* The next one of the tree below top, in an order in which parents come first. */
struct watch_place *watch_next_below(struct watch_place *top, struct watch_place *p);
bool watch_is_above(const struct watch_place *p, const struct watch_place *below); /* or the same */
/* The path of `name` (NULL: of the place itself) below the watched directory: its length, or -ENAMETOOLONG. */
BIS_MUST_CHECK int watch_path(const struct watch_place *p, const char *name, char path[MFS_PATH_MAX]);

/* --- watch_tree.c --- */

/* Makes the object behind fd the watch's root and, if the watch is recursive, finds all directories below. On failure
 * the watch is to be freed. */
BIS_MUST_CHECK int watch_plant(struct watch *h, int fd);
/* Takes away all that the watch has on the host. */
void watch_uproot(struct watch *h);
/* The root has been moved: finds its new guard, if the watch has a descriptor to do so. */
void watch_set_guard(struct watch *h);
void watch_drop_guard(struct watch *h);

/* A file `name` was removed from a place or has moved. */
void watch_file_went(struct watch_place *p, const char *name);
/* A directory `name` has appeared in, moved out of, moved into or been removed from a place. */
void watch_dir_made(struct watch_place *p, const char *name);
void watch_dir_moved_from(struct watch_place *p, const char *name, uint32_t cookie);
void watch_dir_moved_to(struct watch_place *p, const char *name, uint32_t cookie);
void watch_dir_removed(struct watch_place *p, const char *name);
/* There are no more events: directories that have been adrift for long are out of the watch. Have there been any? */
bool watch_let_go(struct watch *h);
/* Goes on with listing directories by one name. false: nothing is left to do. */
bool watch_scan_step(struct watch *h);
/* What the watch knows contradicts what the host tells: OVERFLOW says so, after a resync. */
void watch_ask_resync(struct watch *h);
/* Finds out anew which directories there are, reporting nothing. */
void watch_resync(struct watch *h);

#endif
