/*
 * What the tests of change events stand on: a share that the host changes, and a watcher whose events are expected one
 * by one.
 */
#ifndef BISCUIT_WATCH_RIG_H
#define BISCUIT_WATCH_RIG_H

#include <poll.h>

#include "tests/unit/mfs_rig.h"

#define ALL	    (MFS_CHANGED | MFS_CREATED | MFS_REMOVED | MFS_ATTRIBUTES | MFS_RENAMED_FROM | MFS_RENAMED_TO | MFS_CLOSED)
#define NAMES	    (MFS_CREATED | MFS_REMOVED)
#define FROM	    (MFS_REMOVED | MFS_RENAMED_FROM)
#define TO	    (MFS_CREATED | MFS_RENAMED_TO)
#define DIRECTORY   MFS_IS_DIRECTORY
#define DEADLINE_MS 30000 /* only a failure waits so long */

/* --- The host's side --- */

static inline void host_mkdir(struct rig *r, const char *path)
{
	assert_int_equal(mkdirat(r->dir, path, 0755), 0);
}

static inline void host_rename(struct rig *r, const char *from, const char *to)
{
	assert_int_equal(renameat(r->dir, from, r->dir, to), 0);
}

static inline void host_unlink(struct rig *r, const char *path)
{
	assert_int_equal(unlinkat(r->dir, path, 0), 0);
}

static inline void host_rmdir(struct rig *r, const char *path)
{
	assert_int_equal(unlinkat(r->dir, path, AT_REMOVEDIR), 0);
}

/* --- The watcher's side --- */

static inline struct mfs_watcher *watcher(struct rig *r)
{
	struct mfs_watcher *w;

	assert_ok(mfs_watcher_create(r->fs, &w));
	return w;
}

static inline uint32_t add(struct mfs_watcher *w, const struct mfs_at *at, uint32_t changes, bool recursive)
{
	int id = mfs_watch_add(w, at, changes, recursive);

	assert_true(id > 0);
	return (uint32_t)id;
}

static inline bool is_readable(struct mfs_watcher *w, int timeout)
{
	struct pollfd p = {.fd = mfs_watcher_fd(w), .events = POLLIN};

	return poll(&p, 1, timeout) == 1;
}

/* The next event, waited for. Valid until the next call. */
static inline const struct mfs_event *next(struct mfs_watcher *w)
{
	static struct mfs_event event;

	for (;;) {
		assert_true(is_readable(w, DEADLINE_MS));
		if (mfs_watch_next(w, &event) == 1)
			return &event;
	}
}

/* The next event is this one; its cookie. */
static inline uint32_t expect(struct mfs_watcher *w, uint32_t id, const char *path, uint32_t change)
{
	const struct mfs_event *e = next(w);

	assert_string_equal(e->path, path);
	assert_int_equal(e->change, change);
	assert_int_equal(e->watch, id);
	return e->cookie;
}

/* Nothing has happened. The host tells of a change before the call that makes it returns. */
static inline void expect_nothing(struct mfs_watcher *w)
{
	struct mfs_event event;

	assert_int_equal(mfs_watch_next(w, &event), 0);
	assert_false(is_readable(w, 0));
}

/* Takes all there are until one with that path comes, which must. */
static inline void expect_among(struct mfs_watcher *w, const char *path, uint32_t change)
{
	const struct mfs_event *e;

	do
		e = next(w);
	while (strcmp(e->path, path) != 0 || e->change != change);
}

static inline void drain(struct mfs_watcher *w)
{
	struct mfs_event event;

	while (mfs_watch_next(w, &event) == 1)
		;
}

/* Many files are made: in memory, where the host has a file system there. */
static inline int setup_in_memory(void **state)
{
	const char *tmp = getenv("TMPDIR");
	char *before = tmp ? strdup(tmp) : NULL;
	int err;

	if (!access("/dev/shm", W_OK | X_OK))
		setenv("TMPDIR", "/dev/shm", 1);
	err = rig_setup(state);
	if (before)
		setenv("TMPDIR", before, 1);
	else
		unsetenv("TMPDIR");
	free(before);
	return err;
}

#define MEMORY_TEST(name) cmocka_unit_test_setup_teardown(name, setup_in_memory, rig_teardown)

#endif
