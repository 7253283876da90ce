/*
 * Change events of a host directory, magicfs/mfs.h: inotify's, translated. A watcher belongs to one thread at a time.
 *
 * - Every change is reported, whoever makes it: the host, another guest, or the guest that watches. A write through a
 *   mapping of the file is not seen by the host itself.
 * - A watch stays with its object through renames. It ends, with GONE, when the object is removed; for a file that is
 *   held open somewhere, when it is closed. The share's root is never gone.
 * - A recursive watch covers the directories below that this process may read. What is in a directory that appears is
 *   reported as CREATED; a name that comes up at that moment may be reported twice. Several watches of one object all
 *   hear of its changes.
 * - When the host's queue has run over, or a directory could not be covered any more, OVERFLOW says so; what there is
 *   when it is reported is covered again.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "magicfs/watch_internal.h"

#define WATCHES_MAX   1024
#define RECURSIVE_MAX 64  /* each holds a descriptor */
#define SCAN_TURN     256 /* names listed between events */
#define ID_MAX	      0xffffff
#define CHANGES                                                                                                        \
	(MFS_CHANGED | MFS_CREATED | MFS_REMOVED | MFS_ATTRIBUTES | MFS_RENAMED_FROM | MFS_RENAMED_TO | MFS_CLOSED |   \
	 MFS_GONE | MFS_OVERFLOW | MFS_IS_DIRECTORY)

/* --- The watcher --- */

static int add_to_set(int set, int fd)
{
	struct epoll_event e = {.events = EPOLLIN};

	return epoll_ctl(set, EPOLL_CTL_ADD, fd, &e);
}

int host_watcher_create(struct mfs *fs, struct mfs_watcher **out)
{
	struct mfs_watcher *w = calloc(1, sizeof(*w));
	int err;

	if (!w)
		return -ENOMEM;
	w->host = host_of(fs);
	LIST_INIT(&w->watches);
	TAILQ_INIT(&w->events);
	w->inotify = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	w->ready = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	w->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (w->inotify < 0 || w->ready < 0 || w->epoll < 0 || add_to_set(w->epoll, w->inotify) ||
	    add_to_set(w->epoll, w->ready)) {
		err = -errno;
		mfs_watcher_destroy(w);
		return err;
	}
	*out = w;
	return 0;
}

static void free_watch(struct watch *h)
{
	struct mfs_watcher *w = h->watcher;

	watch_uproot(h);
	LIST_REMOVE(h, of_watcher);
	w->watch_count--;
	atomic_fetch_sub_explicit(&w->host->fs.watches, 1, memory_order_relaxed);
	free(h);
}

static void free_event(struct mfs_watcher *w, struct watch_event *e)
{
	TAILQ_REMOVE(&w->events, e, queue);
	free(e);
}

void mfs_watcher_destroy(struct mfs_watcher *w)
{
	struct watch_event *e;

	if (!w)
		return;
	/* First, so that the host ends all its watches at once. */
	if (w->inotify >= 0)
		close(w->inotify);
	w->inotify = -1;
	while (!LIST_EMPTY(&w->watches))
		free_watch(LIST_FIRST(&w->watches));
	while ((e = TAILQ_FIRST(&w->events)))
		free_event(w, e);
	if (w->ready >= 0)
		close(w->ready);
	if (w->epoll >= 0)
		close(w->epoll);
	free(w);
}

int mfs_watcher_fd(const struct mfs_watcher *w)
{
	return w->epoll;
}

/* Has the watcher something that inotify's descriptor does not tell? */
static bool has_own(const struct mfs_watcher *w)
{
	const struct watch *h = LIST_FIRST(&w->watches);

	if (!TAILQ_EMPTY(&w->events) || w->overflow || w->used < w->have)
		return true;
	while (h && TAILQ_EMPTY(&h->scan))
		h = LIST_NEXT(h, of_watcher);
	return h != NULL;
}

/* Makes the descriptor readable, or not, as it should be. */
static void settle(struct mfs_watcher *w)
{
	bool own = has_own(w);
	uint64_t count = 1;

	if (own != w->raised &&
	    (own ? write(w->ready, &count, sizeof(count)) : read(w->ready, &count, sizeof(count))) > 0)
		w->raised = own;
}

/* --- Watches --- */

static struct watch *find_watch(const struct mfs_watcher *w, uint32_t id)
{
	struct watch *h = LIST_FIRST(&w->watches);

	while (h && h->id != id)
		h = LIST_NEXT(h, of_watcher);
	return h;
}

static uint32_t free_id(struct mfs_watcher *w)
{
	do
		w->last_id = w->last_id % ID_MAX + 1;
	while (find_watch(w, w->last_id));
	return w->last_id;
}

static bool is_full(const struct mfs_watcher *w, bool recursive)
{
	unsigned count = 0;

	for (const struct watch *h = LIST_FIRST(&w->watches); h && recursive; h = LIST_NEXT(h, of_watcher))
		count += h->recursive;
	return w->watch_count >= WATCHES_MAX || count >= RECURSIVE_MAX;
}

static int add_watch(struct mfs_watcher *w, uint32_t id, const struct mfs_at *at, uint32_t changes, bool recursive)
{
	struct host_ref ref;
	struct watch *h;
	int err;

	if (!changes || changes & ~(uint32_t)CHANGES)
		return -EINVAL;
	if (at->base->fs != &w->host->fs)
		return -EXDEV;
	if (is_full(w, recursive))
		return -ENOSPC;
	h = calloc(1, sizeof(*h));
	if (!h)
		return -ENOMEM;
	h->watcher = w;
	h->id = id;
	h->changes = changes;
	h->recursive = recursive;
	h->fd = -1;
	TAILQ_INIT(&h->scan);
	TAILQ_INIT(&h->adrift);
	LIST_INSERT_HEAD(&w->watches, h, of_watcher);
	w->watch_count++;
	atomic_fetch_add_explicit(&w->host->fs.watches, 1, memory_order_relaxed);
	err = host_ref(w->host, at, &ref);
	if (!err) {
		err = watch_plant(h, ref.fd);
		host_unref(&ref);
	}
	if (err)
		free_watch(h);
	settle(w);
	return err;
}

int mfs_watch_add(struct mfs_watcher *w, const struct mfs_at *at, uint32_t changes, bool recursive)
{
	uint32_t id = free_id(w);
	int err = add_watch(w, id, at, changes, recursive);

	return err ? err : (int)id;
}

int mfs_watch_restore(struct mfs_watcher *w, uint32_t watch, const struct mfs_at *at, uint32_t changes, bool recursive)
{
	struct watch_event *gone;
	int err;

	if (watch < 1 || watch > ID_MAX)
		return -EINVAL;
	if (find_watch(w, watch))
		return -EEXIST;
	w->overflow = true;
	err = at ? add_watch(w, watch, at, changes, recursive) : -ENOENT;
	if (!err)
		return 0;
	gone = calloc(1, sizeof(*gone) + 1);
	if (!gone)
		return -ENOMEM;
	gone->watch = watch;
	gone->change = MFS_GONE;
	TAILQ_INSERT_TAIL(&w->events, gone, queue);
	settle(w);
	return 0;
}

int mfs_watch_remove(struct mfs_watcher *w, uint32_t watch)
{
	struct watch *h = find_watch(w, watch);
	struct watch_event *e, *next;

	if (!h || h->ended)
		return -ENOENT;
	for (e = TAILQ_FIRST(&w->events); e; e = next) {
		next = TAILQ_NEXT(e, queue);
		if (e->watch == watch)
			free_event(w, e);
	}
	free_watch(h);
	settle(w);
	return 0;
}

/* --- Events --- */

void watch_report(struct watch_place *p, const char *name, uint32_t change, uint32_t cookie)
{
	struct watch *h = p->watch;
	struct mfs_watcher *w = h->watcher;
	struct watch_event *e;
	char path[MFS_PATH_MAX];
	int len;

	if (!(change & ~(uint32_t)MFS_IS_DIRECTORY & (h->changes | MFS_GONE)))
		return;
	len = watch_path(p, name, path);
	e = len < 0 ? NULL : malloc(sizeof(*e) + (size_t)len + 1);
	if (!e) {
		w->overflow = true;
		return;
	}
	e->watch = h->id;
	e->change = change;
	e->cookie = cookie;
	memcpy(e->path, path, (size_t)len + 1);
	TAILQ_INSERT_TAIL(&w->events, e, queue);
}

static uint32_t change_of(uint32_t mask)
{
	static const struct {
		uint32_t mask, change;
	} table[] = {
		{IN_MODIFY, MFS_CHANGED},
		{IN_CREATE, MFS_CREATED},
		{IN_DELETE, MFS_REMOVED},
		{IN_MOVED_FROM, MFS_REMOVED | MFS_RENAMED_FROM},
		{IN_MOVED_TO, MFS_CREATED | MFS_RENAMED_TO},
		{IN_ATTRIB, MFS_ATTRIBUTES},
		{IN_CLOSE_WRITE, MFS_CLOSED},
	};
	uint32_t change = mask & IN_ISDIR ? MFS_IS_DIRECTORY : 0u;

	for (size_t i = 0; i < BIS_ARRAY_SIZE(table); i++)
		if (mask & table[i].mask)
			change |= table[i].change;
	return change;
}

static void end_watch(struct watch *h)
{
	watch_report(h->root, NULL, MFS_GONE, 0);
	h->ended = h->watcher->ended = true;
}

/* The directory that a watch's root is in: has the root gone from there? */
static void hear_guard(struct watch_place *p, const struct inotify_event *e)
{
	struct watch *h = p->watch;

	if (e->len == 0 || strcmp(e->name, p->name) != 0 || !(e->mask & IN_ISDIR))
		return;
	if (e->mask & IN_MOVED_FROM)
		watch_set_guard(h);
	/* One that covers directories below does not follow its own out of the share. */
	if (e->mask & IN_DELETE || (h->recursive && !h->guard))
		end_watch(h);
}

static void change_tree(struct watch_place *p, const struct inotify_event *e)
{
	if (!(e->mask & IN_ISDIR)) {
		if (e->mask & (IN_DELETE | IN_MOVED_FROM))
			watch_file_went(p, e->name);
		return;
	}
	if (e->mask & IN_CREATE)
		watch_dir_made(p, e->name);
	else if (e->mask & IN_DELETE)
		watch_dir_removed(p, e->name);
	else if (e->mask & IN_MOVED_FROM)
		watch_dir_moved_from(p, e->name, e->cookie);
	else if (e->mask & IN_MOVED_TO)
		watch_dir_moved_to(p, e->name, e->cookie);
}

static void hear(struct watch_place *p, const struct inotify_event *e)
{
	struct watch *h = p->watch;
	const struct mfs_watcher *w = h->watcher;

	if (h->ended)
		return;
	if (p == h->guard) {
		hear_guard(p, e);
		return;
	}
	if (h->resync || w->taken <= h->stale)
		return; /* OVERFLOW tells */
	if (watch_top(p) != h->root) {
		/* Where that is nobody knows yet, perhaps not in the share any more. */
		watch_top(p)->missed = true;
		return;
	}
	if (e->len > 0)
		watch_report(p, e->name, change_of(e->mask), e->cookie);
	else if (p == h->root) /* the one above has told of others */
		watch_report(p, NULL, change_of(e->mask), 0);
	if (e->len > 0 && h->recursive)
		change_tree(p, e);
}

/* The host has ended the watching of the spot. */
static void end_spot(struct watch_spot *s)
{
	struct watch_place *p;

	while ((p = LIST_FIRST(&s->places))) {
		struct watch *h = p->watch;

		LIST_REMOVE(p, of_spot);
		p->spot = NULL;
		if (p == h->guard)
			watch_drop_guard(h);
		else if (p != h->root)
			watch_tree_free(p);
		else if (!h->ended)
			end_watch(h);
	}
	watch_spot_free(s);
}

/* The host's queue has run over. */
static void ask_resync(struct mfs_watcher *w)
{
	w->overflow = true;
	for (struct watch *h = LIST_FIRST(&w->watches); h; h = LIST_NEXT(h, of_watcher))
		watch_ask_resync(h);
}

static void dispatch(struct mfs_watcher *w, const struct inotify_event *e)
{
	struct watch_spot *s = watch_spot_find(w, e->wd);
	struct watch_place *p, *next;

	if (e->mask & IN_Q_OVERFLOW)
		ask_resync(w);
	if (!s)
		return;
	if (e->mask & IN_IGNORED) {
		end_spot(s);
		return;
	}
	for (p = LIST_FIRST(&s->places); p; p = next) {
		next = LIST_NEXT(p, of_spot);
		hear(p, e);
	}
}

uint64_t watch_now(const struct mfs_watcher *w)
{
	int waiting = 0;

	if (ioctl(w->inotify, FIONREAD, &waiting))
		waiting = 0;
	return w->taken + (w->have - w->used) + (uint64_t)waiting;
}

/* Takes one event of the host: false if there is none. */
static bool take_one(struct mfs_watcher *w)
{
	const struct inotify_event *e;
	ssize_t got;

	if (w->used >= w->have) {
		got = read(w->inotify, w->buffer, sizeof(w->buffer));
		w->used = 0;
		w->have = got > 0 ? (size_t)got : 0;
		if (got <= 0)
			return false;
	}
	e = (const void *)(w->buffer + w->used);
	w->used += sizeof(*e) + e->len;
	w->taken += sizeof(*e) + e->len;
	dispatch(w, e);
	return true;
}

static void free_ended(struct mfs_watcher *w)
{
	struct watch *h, *next;

	for (h = LIST_FIRST(&w->watches); h; h = next) {
		next = LIST_NEXT(h, of_watcher);
		if (h->ended)
			free_watch(h);
	}
	w->ended = false;
}

/* Lists a few names. false: there is nothing to be listed. */
static bool scan(struct mfs_watcher *w)
{
	unsigned names = 0;

	for (struct watch *h = LIST_FIRST(&w->watches); h; h = LIST_NEXT(h, of_watcher))
		while (names < SCAN_TURN && watch_scan_step(h))
			names++;
	return names > 0;
}

/* Does what may bring events: false if there is nothing to do. */
static bool work(struct mfs_watcher *w)
{
	bool any = false;

	if (w->ended)
		free_ended(w);
	if (scan(w))
		return true;
	if (take_one(w)) {
		/* At once, since what comes up until then is reported twice. */
		scan(w);
		return true;
	}
	for (struct watch *h = LIST_FIRST(&w->watches); h; h = LIST_NEXT(h, of_watcher))
		any = watch_let_go(h) || any;
	return any;
}

static void take_overflow(struct mfs_watcher *w, struct mfs_event *out)
{
	w->overflow = false;
	for (struct watch *h = LIST_FIRST(&w->watches); h; h = LIST_NEXT(h, of_watcher))
		if (h->resync)
			watch_resync(h);
	*out = (struct mfs_event){.change = MFS_OVERFLOW};
}

int mfs_watch_next(struct mfs_watcher *w, struct mfs_event *out)
{
	struct watch_event *e;
	int got = 1;

	while (TAILQ_EMPTY(&w->events) && !w->overflow && got)
		got = work(w);
	e = TAILQ_FIRST(&w->events);
	if (e) {
		out->watch = e->watch;
		out->change = e->change;
		out->cookie = e->cookie;
		memcpy(out->path, e->path, strlen(e->path) + 1);
		free_event(w, e);
		got = 1;
	} else if (w->overflow) {
		take_overflow(w, out);
		got = 1;
	}
	settle(w);
	return got;
}
