/*
 * What a watch knows of the tree: the objects of the host that are watched (spots), and which names lead to them in
 * each watch (places). magicfs/watch_internal.h; runs on the thread that has the watcher. Nothing here calls itself:
 * trees of any depth need no stack.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "magicfs/watch_internal.h"

/* --- Spots --- */

static struct watch_bucket *bucket_of(struct mfs_watcher *w, int wd)
{
	return &w->spots[(unsigned)wd % WATCH_BUCKETS];
}

struct watch_spot *watch_spot_find(struct mfs_watcher *w, int wd)
{
	struct watch_spot *s = LIST_FIRST(bucket_of(w, wd));

	while (s && s->wd != wd)
		s = LIST_NEXT(s, bucket);
	return s;
}

int watch_spot_add(struct mfs_watcher *w, int fd, uint32_t mask, struct watch_spot **out)
{
	char proc[HOST_PROC_SIZE];
	struct watch_spot *s;
	struct stat st;
	int wd;

	if (fstat(fd, &st))
		return -errno;
	wd = inotify_add_watch(w->inotify, host_proc_path(proc, fd), mask | IN_MASK_ADD | IN_EXCL_UNLINK);
	if (wd < 0)
		return -errno;
	s = watch_spot_find(w, wd);
	if (!s) {
		s = calloc(1, sizeof(*s));
		if (!s) {
			inotify_rm_watch(w->inotify, wd);
			return -ENOMEM;
		}
		s->wd = wd;
		s->dev = st.st_dev;
		s->ino = st.st_ino;
		LIST_INIT(&s->places);
		LIST_INSERT_HEAD(bucket_of(w, wd), s, bucket);
	}
	*out = s;
	return 0;
}

void watch_spot_free(struct watch_spot *s)
{
	LIST_REMOVE(s, bucket);
	free(s);
}

void watch_spot_drop(struct mfs_watcher *w, struct watch_spot *s)
{
	if (!LIST_EMPTY(&s->places))
		return;
	/* Fails where the host has ended it already, and that event is still to come. */
	(void)inotify_rm_watch(w->inotify, s->wd);
	watch_spot_free(s);
}

/* --- Places --- */

int watch_place_make(struct watch *h, struct watch_spot *s, struct watch_place **out)
{
	struct watch_place *p = calloc(1, sizeof(*p));

	if (!p) {
		watch_spot_drop(h->watcher, s);
		return -ENOMEM;
	}
	p->watch = h;
	p->spot = s;
	LIST_INIT(&p->children);
	LIST_INSERT_HEAD(&s->places, p, of_spot);
	*out = p;
	return 0;
}

void watch_end_listing(struct watch *h)
{
	if (h->listing)
		closedir(h->listing);
	h->listing = NULL;
}

void watch_set_scan(struct watch_place *p, bool report)
{
	p->report = report;
	if (p->to_scan)
		return;
	p->to_scan = true;
	TAILQ_INSERT_TAIL(&p->watch->scan, p, scanning);
}

void watch_unset_scan(struct watch_place *p)
{
	if (!p->to_scan)
		return;
	if (p == TAILQ_FIRST(&p->watch->scan))
		watch_end_listing(p->watch);
	TAILQ_REMOVE(&p->watch->scan, p, scanning);
	p->to_scan = false;
}

void watch_set_unsure(struct watch_place *p, bool unsure)
{
	if (p->unsure == unsure)
		return;
	p->unsure = unsure;
	p->watch->unsure += unsure ? 1u : (size_t)-1;
}

static void take_from_parent(struct watch_place *p)
{
	if (p->parent)
		LIST_REMOVE(p, siblings);
	p->parent = NULL;
	if (p->adrift)
		TAILQ_REMOVE(&p->watch->adrift, p, adrift_link);
	p->adrift = false;
}

void watch_place_free(struct watch_place *p)
{
	struct watch *h = p->watch;
	struct watch_spot *s = p->spot;

	if (p != h->root && p != h->guard)
		h->directories--;
	watch_unset_scan(p);
	watch_set_unsure(p, false);
	take_from_parent(p);
	if (s) {
		LIST_REMOVE(p, of_spot);
		watch_spot_drop(h->watcher, s);
	}
	free(p->name);
	free(p);
}

struct watch_place *watch_leaf(struct watch_place *p)
{
	while (!LIST_EMPTY(&p->children))
		p = LIST_FIRST(&p->children);
	return p;
}

void watch_tree_free(struct watch_place *top)
{
	struct watch_place *p;

	do {
		p = watch_leaf(top);
		watch_place_free(p);
	} while (p != top);
}

struct watch_place *watch_top(struct watch_place *p)
{
	while (p->parent)
		p = p->parent;
	return p;
}

struct watch_place *watch_child(struct watch_place *p, const char *name)
{
	struct watch_place *c = LIST_FIRST(&p->children);

	while (c && strcmp(c->name, name) != 0)
		c = LIST_NEXT(c, siblings);
	return c;
}

void watch_set_adrift(struct watch_place *p, uint32_t cookie)
{
	if (!p->adrift) {
		p->parent_wd = p->parent->spot->wd;
		take_from_parent(p);
		TAILQ_INSERT_TAIL(&p->watch->adrift, p, adrift_link);
		p->adrift = true;
		p->missed = p->doubtful = false;
	}
	p->pushed = false;
	p->cookie = cookie;
	p->age = 0;
}

struct watch_place *watch_next_below(struct watch_place *top, struct watch_place *p)
{
	if (!LIST_EMPTY(&p->children))
		return LIST_FIRST(&p->children);
	while (p != top && !LIST_NEXT(p, siblings))
		p = p->parent;
	return p == top ? NULL : LIST_NEXT(p, siblings);
}

int watch_attach(struct watch_place *p, struct watch_place *parent, const char *name)
{
	struct watch *h = p->watch;
	char *copy = strdup(name);

	if (!copy)
		return -ENOMEM;
	if (p->adrift && p->missed)
		watch_ask_resync(h);
	take_from_parent(p);
	free(p->name);
	p->name = copy;
	p->parent = parent;
	LIST_INSERT_HEAD(&parent->children, p, siblings);
	for (struct watch_place *q = p; h->unsure && q; q = watch_next_below(p, q)) {
		if (!q->unsure)
			continue;
		watch_set_unsure(q, false);
		watch_set_scan(q, true);
	}
	return 0;
}

int watch_path(const struct watch_place *p, const char *name, char path[MFS_PATH_MAX])
{
	size_t at = MFS_PATH_MAX - 1;

	path[at] = 0;
	if (!name) {
		name = p->name;
		p = p->parent;
	}
	while (name) {
		size_t len = strlen(name);
		bool slash = at != MFS_PATH_MAX - 1;

		if (len + slash > at)
			return -ENAMETOOLONG;
		if (slash)
			path[--at] = '/';
		at -= len;
		memcpy(path + at, name, len);
		name = p->name;
		p = p->parent;
	}
	memmove(path, path + at, MFS_PATH_MAX - at);
	return (int)(MFS_PATH_MAX - 1 - at);
}

/* --- Finding --- */

struct watch_place *watch_place_at(const struct watch *h, const struct watch_spot *s)
{
	struct watch_place *p = LIST_FIRST(&s->places);

	while (p && (p->watch != h || p == h->guard))
		p = LIST_NEXT(p, of_spot);
	return p;
}

bool watch_is_above(const struct watch_place *p, const struct watch_place *below)
{
	while (below && below != p)
		below = below->parent;
	return below != NULL;
}
