/*
 * Change events through the native MagicFS device. Each share that is watched has a watcher of the core; a watch's
 * number is the watcher's with the share's number in the low bits. Watchers belong to one thread at a time: the one
 * that holds watches.lock.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "magicfs/mfs_do.h"
#include "magicfs/native_internal.h"
#include "magicfs/saved.h"

_Static_assert(MAGICFS_SHARES_MAX == 16, "the low 4 bits of a watch's number are its share");
#define SHARE_BITS 4

/* --- Watches; watches.lock held --- */

static int make_room(struct native_watches *w)
{
	if (!w->all)
		w->all = calloc(MAGICFS_WATCHES_MAX, sizeof(*w->all));
	if (!w->event)
		w->event = malloc(sizeof(*w->event));
	return w->all && w->event ? 0 : -ENOMEM;
}

/* The watcher of a share, made when it is wanted first. */
static int start_watcher(struct native *n, unsigned share)
{
	struct epoll_event event = {.events = EPOLLIN};
	struct mfs_watcher *watcher;
	int err;

	if (n->watches.watcher[share])
		return 0;
	err = mfs_watcher_create(n->share[share], &watcher);
	if (err)
		return err;
	if (epoll_ctl(n->events_fd, EPOLL_CTL_ADD, mfs_watcher_fd(watcher), &event)) {
		err = -errno;
		mfs_watcher_destroy(watcher);
		return err;
	}
	n->watches.watcher[share] = watcher;
	return 0;
}

/* There is room for a watch in a share, and a watcher. */
static int prepare(struct native *n, unsigned share)
{
	int err = make_room(&n->watches);

	if (!err && n->watches_count == MAGICFS_WATCHES_MAX)
		err = -ENOSPC;
	return err ? err : start_watcher(n, share);
}

static bool drop_number(struct native *n, uint32_t number)
{
	struct native_watch *all = n->watches.all;

	for (uint32_t i = 0; i < n->watches_count; i++) {
		if (all[i].number == number) {
			free(all[i].what);
			all[i] = all[--n->watches_count];
			return true;
		}
	}
	return false;
}

/* --- What a watch watches, in words for a snapshot --- */

static void append(void *arg, const void *data, size_t len)
{
	struct native_watch *w = arg;
	uint8_t *more;

	if (!len || w->vague)
		return;
	more = realloc(w->what, w->what_len + len);
	w->vague = !more;
	if (w->vague)
		return;
	memcpy(more + w->what_len, data, len);
	w->what = more;
	w->what_len += len;
}

static void describe(struct native_watch *w, struct mfs_node *node)
{
	bool lost = false;

	if (mfs_save_node(node, append, w, &lost))
		w->vague = true;
}

static int64_t add(struct native_call *c, uint32_t share)
{
	struct native *n = c->n;
	struct native_watch w = {.changes = c->r.mask, .recursive = c->r.flags & MAGICFS_RECURSIVE};
	struct mfs_node *node;
	int watch, err = prepare(n, share);

	if (!err)
		err = mfs_do_lookup(&c->at, &node);
	if (err)
		return err;
	watch = mfs_watch_add(n->watches.watcher[share], &(struct mfs_at){node, "", false}, w.changes, w.recursive);
	if (watch >= 0) {
		describe(&w, node);
		w.number = (uint32_t)watch << SHARE_BITS | share;
		n->watches.all[n->watches_count++] = w;
	}
	mfs_node_put(node);
	return watch < 0 ? watch : (int64_t)w.number;
}

int native_watch_restore(struct native *n, const struct native_watch *w, const uint8_t *what, size_t what_len,
			 struct mfs_node *node)
{
	unsigned share = w->number % MAGICFS_SHARES_MAX;
	struct mfs_at at = {node, "", false};
	struct native_watch copy = *w;
	int err;

	pthread_mutex_lock(&n->watches.lock);
	err = share < n->shares ? prepare(n, share) : -EINVAL;
	if (!err)
		err = mfs_watch_restore(n->watches.watcher[share], w->number >> SHARE_BITS, node ? &at : NULL,
					w->changes, w->recursive);
	if (!err) {
		append(&copy, what, what_len);
		n->watches.all[n->watches_count++] = copy;
	}
	pthread_mutex_unlock(&n->watches.lock);
	return err;
}

int64_t native_op_watch(struct native_call *c)
{
	int64_t result;

	pthread_mutex_lock(&c->n->watches.lock);
	result = add(c, native_share_of(c->n, c->node));
	pthread_mutex_unlock(&c->n->watches.lock);
	return result;
}

int64_t native_op_unwatch(struct native_call *c)
{
	struct native *n = c->n;
	uint32_t number = (uint32_t)c->r.value[0];
	int64_t result = -ENOENT;

	pthread_mutex_lock(&n->watches.lock);
	if (c->r.value[0] <= UINT32_MAX && drop_number(n, number))
		result = mfs_watch_remove(n->watches.watcher[number % MAGICFS_SHARES_MAX], number >> SHARE_BITS);
	pthread_mutex_unlock(&n->watches.lock);
	return result;
}

/* --- Events; watches.lock held --- */

/* Makes sure that watches.event is the next one: 1, 0 if there is none, -errno. */
static int next_event(struct native *n)
{
	struct native_watches *w = &n->watches;
	int got = w->held;

	for (uint32_t share = 0; share < n->shares && !got; share++) {
		if (!w->watcher[share])
			continue;
		got = mfs_watch_next(w->watcher[share], w->event);
		if (got > 0)
			w->event->watch = w->event->watch << SHARE_BITS | share;
	}
	w->held = got > 0;
	return got;
}

/* Packs the next event. false: it does not fit, and is kept. */
static bool pack(struct native *n, uint8_t *buf, size_t size, size_t *used)
{
	const struct mfs_event *event = n->watches.event;
	size_t path_len = strlen(event->path);
	size_t len = (sizeof(struct magicfs_event) + path_len + 1 + 7) & ~(size_t)7;
	struct magicfs_event out = {.size = (uint32_t)len,
				    .watch = event->watch,
				    .change = event->change,
				    .cookie = event->cookie,
				    .path_len = (uint32_t)path_len};

	if (len > size - *used)
		return false;
	memset(buf + *used, 0, len);
	memcpy(buf + *used, &out, sizeof(out));
	memcpy(buf + *used + sizeof(out), event->path, path_len);
	*used += len;
	n->watches.held = false;
	if (event->change & MFS_GONE)
		drop_number(n, event->watch);
	return true;
}

/* Gives what has happened to a request: bytes, 0 if nothing has, -errno. */
static int64_t give_events(struct native *n, const struct magicfs_request *r)
{
	size_t size = r->length < NATIVE_PACK_MAX ? (size_t)r->length : NATIVE_PACK_MAX, used = 0;
	int got = next_event(n);
	uint8_t *buf;
	int err;

	if (got <= 0)
		return got;
	buf = malloc(size ? size : 1);
	if (!buf)
		return -ENOMEM;
	while (got > 0 && pack(n, buf, size, &used))
		got = next_event(n);
	err = used ? bis_mem_write(n->memory, (bis_gpa){r->buffer}, buf, used) : -EINVAL;
	free(buf);
	return err ? err : (int64_t)used;
}

int64_t native_op_events(struct native_call *c)
{
	struct native *n = c->n;
	int64_t result;

	pthread_mutex_lock(&n->watches.lock);
	/* Others that have been waiting longer come first. */
	result = n->watches.waiting.first ? 0 : give_events(n, &c->r);
	if (result == 0 && c->job && native_is_cancelled(n, c->job)) {
		result = -EINTR;
	} else if (result == 0 && c->job) {
		native_job_append(&n->watches.waiting, c->job);
		bis_watch_set(n->watch, BIS_WATCH_IN);
		result = NATIVE_WAITS;
	}
	pthread_mutex_unlock(&n->watches.lock);
	return result ? result : -EAGAIN;
}

void native_events_serve(struct native *n)
{
	struct native_watches *w = &n->watches;
	int64_t result = 1;

	pthread_mutex_lock(&w->lock);
	while (w->waiting.first && result) {
		struct native_job *job = w->waiting.first;

		result = give_events(n, &job->request);
		if (!result)
			break;
		native_job_remove(&w->waiting, job->address);
		native_finish(n, job, result, 0);
	}
	if (w->waiting.first)
		bis_watch_set(n->watch, BIS_WATCH_IN);
	pthread_mutex_unlock(&w->lock);
}

void native_events_ready(void *self, unsigned events)
{
	struct native *n = self;

	(void)events;
	bis_watch_set(n->watch, 0);
	native_serve_events(n);
}

/* --- Lifecycle --- */

void native_watches_clear(struct native *n)
{
	struct native_watches *w = &n->watches;

	for (uint32_t share = 0; share < n->shares; share++) {
		if (w->watcher[share])
			mfs_watcher_destroy(w->watcher[share]);
		w->watcher[share] = NULL;
	}
	for (uint32_t i = 0; i < n->watches_count; i++)
		free(w->all[i].what);
	free(w->all);
	free(w->event);
	w->all = NULL;
	w->event = NULL;
	w->held = false;
	n->watches_count = 0;
}
