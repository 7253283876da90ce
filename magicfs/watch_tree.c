/*
 * Which directories of the host a watch covers, and where in it they are: magicfs/watch_internal.h. Runs on the thread
 * that has the watcher.
 *
 * The tree of places is moved on by the host's events, in their order: it shows what was so when the event at hand
 * happened. Only what is new is looked up on the host, beneath the watched directory's descriptor and without following
 * links, and may have changed once more by then: a directory that is not found where it should be is marked unsure, and
 * is listed again when an event has told where it is. Nothing here calls itself: trees of any depth need no stack.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "magicfs/watch_internal.h"

/* --- On the host --- */

/* host_open_path of what is in the tree below a directory, making room when the process has no descriptors left. */
static int open_below(struct watch *h, int dir, const char *path)
{
	const uint64_t resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS;
	int fd = host_open_path(dir, path, false, resolve);

	if (fd == -EMFILE && host_relieve(h->watcher->host, HOST_RELIEF))
		fd = host_open_path(dir, path, false, resolve);
	return fd;
}

/* The place's directory, O_PATH, which the caller closes. -ENOENT: nothing is where it is thought to be; -ESTALE:
 * another directory is. */
static int open_place(struct watch_place *p)
{
	char path[MFS_PATH_MAX];
	struct stat st;
	int fd, len;

	if (watch_top(p) != p->watch->root)
		return -ENOENT;
	len = watch_path(p, NULL, path);
	if (len < 0)
		return len;
	fd = open_below(p->watch, p->watch->fd, len ? path : ".");
	if (fd < 0)
		return fd == -ENOTDIR || fd == -ELOOP ? -ENOENT : fd;
	if (fstat(fd, &st) || st.st_dev != p->spot->dev || st.st_ino != p->spot->ino) {
		close(fd);
		return -ESTALE;
	}
	return fd;
}

/* Does the result of open_place say that the place is not where it is thought to be? */
static bool is_elsewhere(int err)
{
	return err == -ENOENT || err == -ESTALE;
}

/* What a place of the watch needs to hear, in inotify's terms. */
static uint32_t mask_of(const struct watch *h)
{
	uint32_t mask = 0;

	if (h->changes & MFS_CHANGED)
		mask |= IN_MODIFY;
	if (h->changes & (MFS_CREATED | MFS_RENAMED_TO) || h->recursive)
		mask |= IN_CREATE | IN_MOVED_TO;
	if (h->changes & (MFS_REMOVED | MFS_RENAMED_FROM) || h->recursive)
		mask |= IN_DELETE | IN_MOVED_FROM;
	if (h->changes & MFS_ATTRIBUTES)
		mask |= IN_ATTRIB;
	if (h->changes & MFS_CLOSED)
		mask |= IN_CLOSE_WRITE;
	return mask ? mask : IN_DELETE_SELF;
}

/* Is it no fault of ours that the directory cannot be watched? It has gone again, say, or may not be read. */
static bool is_forgiven(int err)
{
	return err == -ENOENT || err == -ENOTDIR || err == -ELOOP || err == -EACCES || err == -EXDEV ||
	       err == -ENAMETOOLONG || err == -ESTALE;
}

/* All of the tree is news, as it may be known under another name. */
static void report_again(struct watch_place *top)
{
	for (struct watch_place *p = top; p; p = watch_next_below(top, p))
		watch_set_scan(p, true);
}

/* The directory behind fd, which the watch does not have, has been found in `parent`. */
static int enter_new(struct watch_place *parent, const char *name, struct watch_spot *s, bool report)
{
	struct watch *h = parent->watch;
	struct watch_place *p;
	int err;

	if (h->directories >= WATCH_DIRECTORIES_MAX) {
		watch_spot_drop(h->watcher, s);
		return -ENOSPC;
	}
	err = watch_place_make(h, s, &p);
	if (err)
		return err;
	h->directories++;
	err = watch_attach(p, parent, name);
	if (err)
		watch_place_free(p);
	else
		watch_set_scan(p, report);
	return err;
}

/* The directory behind fd has been found in `parent`. */
static int enter_found(struct watch_place *parent, const char *name, int fd, bool report)
{
	struct watch *h = parent->watch;
	struct watch_place *p;
	struct watch_spot *s;
	int err = watch_spot_add(h->watcher, fd, mask_of(h) | IN_ONLYDIR, &s);

	if (err)
		return err;
	parent->seen = watch_now(h->watcher);
	p = watch_place_at(h, s);
	if (!p)
		return enter_new(parent, name, s, report);
	if (watch_is_above(p, parent) || (p->parent == parent && !strcmp(p->name, name)))
		return 0;
	if (!p->adrift && report) {
		/* It has been moved here, and the event is still to come; others may come before. */
		watch_ask_resync(h);
		return 0;
	}
	err = watch_attach(p, parent, name);
	if (!err && report)
		report_again(p);
	else if (!err)
		watch_set_scan(p, false);
	return err;
}

/* `name` in `parent`, whose directory is `dir`: covers it if it is a directory. */
static int enter(struct watch_place *parent, int dir, const char *name, bool report)
{
	struct stat st;
	char path[MFS_PATH_MAX];
	int err = watch_path(parent, name, path), fd;

	if (err < 0)
		return err;
	fd = open_below(parent->watch, dir, name);
	if (fd < 0)
		return fd;
	err = fstat(fd, &st) ? -errno : 0;
	if (!err && S_ISDIR(st.st_mode))
		err = enter_found(parent, name, fd, report);
	close(fd);
	return err;
}

/* --- Listing --- */

static int begin_listing(struct watch *h, struct watch_place *p)
{
	int place = open_place(p), fd, err = 0;

	if (place < 0)
		return place;
	fd = openat(place, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		err = -errno;
	close(place);
	if (err)
		return err;
	h->listing = fdopendir(fd);
	if (!h->listing) {
		err = -errno;
		close(fd);
	}
	return err;
}

static bool is_directory(const struct watch *h, const struct dirent *e)
{
	struct stat st;

	if (e->d_type != DT_UNKNOWN)
		return e->d_type == DT_DIR;
	return !fstatat(dirfd(h->listing), e->d_name, &st, AT_SYMLINK_NOFOLLOW) && S_ISDIR(st.st_mode);
}

static int list_one(struct watch *h, struct watch_place *p)
{
	struct dirent *e = readdir(h->listing);
	bool directory;

	if (!e) {
		p->seen = watch_now(h->watcher);
		watch_unset_scan(p);
		return 0;
	}
	if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, ".."))
		return 0;
	directory = is_directory(h, e);
	if (p->report)
		watch_report(p, e->d_name, MFS_CREATED | (directory ? MFS_IS_DIRECTORY : 0u), 0);
	return directory ? enter(p, dirfd(h->listing), e->d_name, p->report) : 0;
}

/* One step of the first directory in the list. 0, or why something stays uncovered. */
static int scan_once(struct watch *h)
{
	struct watch_place *p = TAILQ_FIRST(&h->scan);
	int err = h->listing ? 0 : begin_listing(h, p);

	if (err) {
		watch_unset_scan(p);
		watch_set_unsure(p, is_elsewhere(err));
	} else {
		err = list_one(h, p);
	}
	return is_forgiven(err) ? 0 : err;
}

bool watch_scan_step(struct watch *h)
{
	if (TAILQ_EMPTY(&h->scan))
		return false;
	if (scan_once(h))
		h->watcher->overflow = true;
	return true;
}

/* Sets each place below `top` adrift on its own. */
static void take_apart(struct watch_place *top)
{
	struct watch_place *p;

	while ((p = watch_leaf(top)) != top) {
		watch_set_unsure(p, false);
		watch_set_adrift(p, 0);
	}
	watch_set_unsure(top, false);
}

void watch_ask_resync(struct watch *h)
{
	h->resync = h->watcher->overflow = true;
}

void watch_resync(struct watch *h)
{
	struct watch_place *p;

	h->resync = false;
	if (!h->recursive || h->ended)
		return;
	h->stale = watch_now(h->watcher);
	while ((p = TAILQ_FIRST(&h->scan)))
		watch_unset_scan(p);
	take_apart(h->root);
	for (p = TAILQ_FIRST(&h->adrift); p; p = TAILQ_NEXT(p, adrift_link)) {
		take_apart(p);
		p->missed = false;
	}
	watch_set_scan(h->root, false);
	/* What stays uncovered is part of what the OVERFLOW that follows tells. */
	while (!TAILQ_EMPTY(&h->scan))
		scan_once(h);
	while (!TAILQ_EMPTY(&h->adrift))
		watch_tree_free(TAILQ_FIRST(&h->adrift));
}

/* --- Events of names in directories --- */

/* Does the event at hand come from a time before the place was looked at? */
static bool is_ahead(const struct watch_place *p)
{
	return p->watch->watcher->taken <= p->seen;
}

void watch_dir_made(struct watch_place *p, const char *name)
{
	struct watch_place *old = watch_child(p, name);
	int dir = open_place(p), err = dir;

	if (dir >= 0) {
		err = enter(p, dir, name, true);
		close(dir);
	}
	if (is_elsewhere(dir))
		watch_set_unsure(p, true);
	if (err < 0 && !is_forgiven(err))
		p->watch->watcher->overflow = true;
	if (old && watch_child(p, name) != old)
		watch_ask_resync(p->watch);
}

void watch_dir_removed(struct watch_place *p, const char *name)
{
	struct watch_place *child = watch_child(p, name);

	if (child)
		watch_set_adrift(child, 0);
}

void watch_file_went(struct watch_place *p, const char *name)
{
	if (is_ahead(p) && watch_child(p, name))
		watch_ask_resync(p->watch);
}

/* The one that is adrift because of that rename. */
static struct watch_place *find_moved(const struct watch *h, uint32_t cookie)
{
	struct watch_place *a = TAILQ_FIRST(&h->adrift);

	while (a && a->cookie != cookie)
		a = TAILQ_NEXT(a, adrift_link);
	return a;
}

/* The one that is adrift because another one was moved to its name in p. */
static struct watch_place *find_pushed(const struct watch_place *p, const char *name)
{
	struct watch_place *a = TAILQ_FIRST(&p->watch->adrift);

	while (a && (!a->pushed || a->parent_wd != p->spot->wd || strcmp(a->name, name) != 0))
		a = TAILQ_NEXT(a, adrift_link);
	return a;
}

/*
 * A rename is followed by its cookie. It is doubtful which directory it was where
 * - p was looked at after the event: a later directory with that name may have been found;
 * - two directories change places: the second one moves from a name that the first one already has. But if that second
 *   one had been replaced instead, and somebody holds it open so that it is not gone yet, the first one is meant.
 */
void watch_dir_moved_from(struct watch_place *p, const char *name, uint32_t cookie)
{
	struct watch_place *child = watch_child(p, name), *pushed = find_pushed(p, name);
	struct watch_place *meant = pushed ? pushed : child;

	if (!meant)
		return;
	watch_set_adrift(meant, cookie);
	meant->doubtful = (child && pushed) || is_ahead(p);
}

void watch_dir_moved_to(struct watch_place *p, const char *name, uint32_t cookie)
{
	struct watch_place *moved = find_moved(p->watch, cookie), *old = watch_child(p, name);
	int fd;

	if (!moved) {
		watch_dir_made(p, name);
		return;
	}
	if (old && is_ahead(p)) {
		watch_ask_resync(p->watch);
		return;
	}
	if (old) {
		watch_set_adrift(old, 0);
		old->pushed = true;
	}
	if (watch_attach(moved, p, name)) {
		watch_ask_resync(p->watch);
		return;
	}
	if (!moved->doubtful)
		return;
	fd = open_place(moved);
	if (fd >= 0)
		close(fd);
	else
		watch_ask_resync(p->watch);
}

bool watch_let_go(struct watch *h)
{
	struct watch_place *p, *next;
	bool any = false;

	for (p = TAILQ_FIRST(&h->adrift); p; p = next) {
		next = TAILQ_NEXT(p, adrift_link);
		if (!p->age++)
			continue;
		watch_tree_free(p);
		any = true;
	}
	return any;
}

/* --- The root and its guard --- */

void watch_drop_guard(struct watch *h)
{
	if (h->guard)
		watch_place_free(h->guard);
	h->guard = NULL;
}

/*
 * A directory that somebody holds open says nothing when it is removed, and a recursive watch holds its own: the
 * directory above it, inside the share, tells. Without it, which is no failure, the end is noticed when nobody holds
 * the directory any more.
 */
static void set_guard(struct watch *h, int fd)
{
	struct mfs_watcher *w = h->watcher;
	char path[MFS_PATH_MAX], *slash;
	struct watch_spot *s;
	int parent;

	watch_drop_guard(h);
	if (host_path_true(w->host, fd, path) || !path[0])
		return;
	slash = strrchr(path, '/');
	if (slash)
		*slash = 0;
	parent = open_below(h, host_node_of(w->host->fs.root)->fd, slash ? path : ".");
	if (parent < 0)
		return;
	if (!watch_spot_add(w, parent, IN_DELETE | IN_MOVED_FROM | IN_ONLYDIR, &s) &&
	    !watch_place_make(h, s, &h->guard)) {
		h->guard->name = strdup(slash ? slash + 1 : path);
		if (!h->guard->name)
			watch_drop_guard(h);
	}
	close(parent);
}

void watch_set_guard(struct watch *h)
{
	if (h->fd >= 0)
		set_guard(h, h->fd);
	else
		watch_drop_guard(h);
}

/* A descriptor of the watch's own, which is no part of what the guest has open. */
static int keep_root(struct watch *h, int fd)
{
	char proc[HOST_PROC_SIZE];

	host_proc_path(proc, fd);
	h->fd = open(proc, O_PATH | O_CLOEXEC);
	if (h->fd < 0 && errno == EMFILE && host_relieve(h->watcher->host, HOST_RELIEF))
		h->fd = open(proc, O_PATH | O_CLOEXEC);
	return h->fd < 0 ? -errno : 0;
}

int watch_plant(struct watch *h, int fd)
{
	struct watch_spot *s;
	struct stat st;
	int err;

	if (fstat(fd, &st))
		return -errno;
	h->recursive = h->recursive && S_ISDIR(st.st_mode);
	if (S_ISDIR(st.st_mode)) {
		set_guard(h, fd);
		if (fstat(fd, &st) || st.st_nlink == 0)
			return -ENOENT;
	}
	err = h->recursive ? keep_root(h, fd) : 0;
	if (!err)
		err = watch_spot_add(h->watcher, fd, mask_of(h), &s);
	if (!err)
		err = watch_place_make(h, s, &h->root);
	if (err || !h->recursive)
		return err;
	watch_set_scan(h->root, false);
	while (!err && !TAILQ_EMPTY(&h->scan))
		err = scan_once(h);
	return err;
}

void watch_uproot(struct watch *h)
{
	while (!TAILQ_EMPTY(&h->adrift))
		watch_tree_free(TAILQ_FIRST(&h->adrift));
	if (h->root)
		watch_tree_free(h->root);
	watch_drop_guard(h);
	watch_end_listing(h);
	if (h->fd >= 0)
		close(h->fd);
}
