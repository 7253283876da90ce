/*
 * Change events of whole trees: directories are covered as they come and their paths follow as they move; nothing from
 * outside the share is told, and what is lost is told to be.
 */
#include "tests/unit/watch_rig.h"

/* --- Trees --- */

static void directories_below_are_covered(void **state)
{
	struct rig *r = *state;
	struct mfs_watcher *w = watcher(r);
	uint32_t id;

	host_mkdir(r, "share/a");
	host_mkdir(r, "share/a/b");
	host_put(r, "share/a/b/old", "");
	id = add(w, NODE(r->root), ALL, true);
	expect_nothing(w);
	host_put(r, "share/a/b/f", "");
	expect(w, id, "a/b/f", MFS_CREATED);
	expect(w, id, "a/b/f", MFS_CLOSED);
	/* The directory above tells of one below; that one itself does not once more. */
	assert_int_equal(fchmodat(r->dir, "share/a/b", 0700, 0), 0);
	expect(w, id, "a/b", MFS_ATTRIBUTES | DIRECTORY);
	expect_nothing(w);
	mfs_watcher_destroy(w);
}

static void directories_made_later_are_covered_and_what_is_in_them_is_told(void **state)
{
	struct rig *r = *state;
	struct mfs_watcher *w = watcher(r);
	uint32_t id = add(w, NODE(r->root), NAMES, true);

	/* All of it is there before the first event is taken. */
	host_mkdir(r, "share/a");
	host_mkdir(r, "share/a/b");
	host_mkdir(r, "share/a/b/c");
	host_put(r, "share/a/b/c/f", "");
	expect(w, id, "a", MFS_CREATED | DIRECTORY);
	expect_among(w, "a/b", MFS_CREATED | DIRECTORY);
	expect_among(w, "a/b/c", MFS_CREATED | DIRECTORY);
	expect_among(w, "a/b/c/f", MFS_CREATED);
	drain(w);
	host_put(r, "share/a/b/c/g", "");
	expect(w, id, "a/b/c/g", MFS_CREATED);
	expect_nothing(w);
	mfs_watcher_destroy(w);
}

static void paths_follow_renames_of_directories(void **state)
{
	struct rig *r = *state;
	struct mfs_watcher *w = watcher(r);
	uint32_t id, cookie;

	host_mkdir(r, "share/a");
	host_mkdir(r, "share/a/b");
	host_mkdir(r, "share/z");
	id = add(w, NODE(r->root), NAMES, true);
	host_rename(r, "share/a", "share/z/y");
	host_put(r, "share/z/y/b/f", "");
	cookie = expect(w, id, "a", FROM | DIRECTORY);
	assert_int_equal(expect(w, id, "z/y", TO | DIRECTORY), cookie);
	expect(w, id, "z/y/b/f", MFS_CREATED);
	/* Several moves, and a new directory with the old name, before anything is taken. */
	host_rename(r, "share/z/y", "share/m");
	host_put(r, "share/m/b/1", "");
	host_rename(r, "share/m", "share/n");
	host_put(r, "share/n/b/2", "");
	host_mkdir(r, "share/m");
	host_put(r, "share/n/3", "");
	expect(w, id, "z/y", FROM | DIRECTORY);
	expect(w, id, "m", TO | DIRECTORY);
	expect(w, id, "m/b/1", MFS_CREATED);
	expect(w, id, "m", FROM | DIRECTORY);
	expect(w, id, "n", TO | DIRECTORY);
	expect(w, id, "n/b/2", MFS_CREATED);
	expect(w, id, "m", MFS_CREATED | DIRECTORY);
	expect(w, id, "n/3", MFS_CREATED);
	expect_nothing(w);
	host_put(r, "share/m/4", "");
	expect(w, id, "m/4", MFS_CREATED);
	mfs_watcher_destroy(w);
}

static void directories_that_change_places_keep_their_paths_apart(void **state)
{
	struct rig *r = *state;
	struct mfs_watcher *w = watcher(r);
	uint32_t id;

	host_mkdir(r, "share/a");
	host_mkdir(r, "share/a/in_a");
	host_mkdir(r, "share/b");
	host_mkdir(r, "share/b/in_b");
	id = add(w, NODE(r->root), NAMES, true);
	assert_int_equal(renameat2(r->dir, "share/a", r->dir, "share/b", RENAME_EXCHANGE), 0);
	expect(w, id, "a", FROM | DIRECTORY);
	expect(w, id, "b", TO | DIRECTORY);
	expect(w, id, "b", FROM | DIRECTORY);
	expect(w, id, "a", TO | DIRECTORY);
	host_put(r, "share/a/in_b/f", "");
	expect(w, id, "a/in_b/f", MFS_CREATED);
	host_put(r, "share/b/in_a/f", "");
	expect(w, id, "b/in_a/f", MFS_CREATED);
	expect_nothing(w);
	mfs_watcher_destroy(w);
}

/* A directory is moved over an empty one, which somebody holds open, and then back: that is no exchange. */
static void a_replaced_directory_is_not_mistaken_for_a_moved_one(void **state)
{
	struct rig *r = *state;
	struct mfs_watcher *w = watcher(r);
	struct mfs_node *held;
	uint32_t id;

	host_mkdir(r, "share/a");
	host_mkdir(r, "share/a/sub");
	host_mkdir(r, "share/b");
	held = lookup(r, "b");
	id = add(w, NODE(r->root), NAMES, true);
	host_rename(r, "share/a", "share/b");
	host_rename(r, "share/b", "share/a");
	drain(w);
	host_put(r, "share/a/sub/f", "");
	expect(w, id, "a/sub/f", MFS_CREATED);
	mfs_node_put(held);
	mfs_watcher_destroy(w);
}

static void a_tree_that_moves_in_is_told_and_one_that_moves_out_is_silent(void **state)
{
	struct rig *r = *state;
	struct mfs_watcher *w = watcher(r);
	uint32_t id = add(w, NODE(r->root), ALL, true);

	host_mkdir(r, "outside/d");
	host_mkdir(r, "outside/d/e");
	host_put(r, "outside/d/e/f", "");
	host_rename(r, "outside/d", "share/d");
	expect(w, id, "d", TO | DIRECTORY);
	expect(w, id, "d/e", MFS_CREATED | DIRECTORY);
	expect(w, id, "d/e/f", MFS_CREATED);
	expect_nothing(w);
	host_rename(r, "share/d", "outside/d");
	host_put(r, "outside/d/e/secret", "");
	expect(w, id, "d", FROM | DIRECTORY);
	expect_nothing(w);
	host_put(r, "outside/d/e/secret2", "");
	expect_nothing(w);
	host_put(r, "outside/d/e/secret3", "");
	expect_nothing(w);
	mfs_watcher_destroy(w);
}

static void a_watch_below_does_not_follow_its_directory_out_of_the_share(void **state)
{
	struct rig *r = *state;
	struct mfs_watcher *w = watcher(r);
	uint32_t id;

	host_mkdir(r, "share/d");
	id = add(w, AT(r, "d"), ALL, true);
	host_rename(r, "share/d", "outside/d");
	expect(w, id, "", MFS_GONE);
	host_put(r, "outside/d/secret", "");
	expect_nothing(w);
	mfs_watcher_destroy(w);
}

static void links_are_not_followed_out_of_the_share(void **state)
{
	struct rig *r = *state;
	struct mfs_watcher *w = watcher(r);
	uint32_t id;

	host_mkdir(r, "share/d");
	assert_int_equal(symlinkat("../../outside", r->dir, "share/d/l"), 0);
	id = add(w, NODE(r->root), ALL, true);
	assert_int_equal(symlinkat("../outside", r->dir, "share/m"), 0);
	expect(w, id, "m", MFS_CREATED);
	/* Nor is a directory that has become a link since it was heard of. */
	host_mkdir(r, "share/n");
	host_rmdir(r, "share/n");
	assert_int_equal(symlinkat("../outside", r->dir, "share/n"), 0);
	expect(w, id, "n", MFS_CREATED | DIRECTORY);
	drain(w);
	host_put(r, "outside/secret", "");
	expect_nothing(w);
	mfs_watcher_destroy(w);
}

static void several_watches_of_an_object_all_hear(void **state)
{
	struct rig *r = *state;
	struct mfs_watcher *w = watcher(r);
	uint32_t seen[3] = {0}, id[3];

	host_mkdir(r, "share/d");
	id[0] = add(w, NODE(r->root), MFS_CREATED, true);
	id[1] = add(w, AT(r, "d"), MFS_CREATED, false);
	id[2] = add(w, AT(r, "d"), MFS_REMOVED, false);
	host_put(r, "share/d/f", "");
	host_unlink(r, "share/d/f");
	for (unsigned n = 0; n < 3; n++) {
		const struct mfs_event *e = next(w);

		for (unsigned i = 0; i < 3; i++)
			seen[i] += e->watch == id[i] && !strcmp(e->path, i ? "f" : "d/f");
	}
	assert_true(seen[0] == 1 && seen[1] == 1 && seen[2] == 1);
	expect_nothing(w);
	/* One of them ends: the others do not. */
	assert_ok(mfs_watch_remove(w, id[1]));
	host_put(r, "share/d/g", "");
	expect(w, id[0], "d/g", MFS_CREATED);
	expect_nothing(w);
	mfs_watcher_destroy(w);
}

static void a_very_deep_tree_is_no_danger(void **state)
{
	struct rig *r = *state;
	struct mfs_watcher *w = watcher(r);
	char path[MFS_PATH_MAX] = "share";
	int fd = openat(r->dir, "share", O_PATH | O_CLOEXEC);
	uint32_t id;

	/* Deeper than any path that can be written in one go. */
	for (unsigned i = 0; i < 3000; i++) {
		int below;

		assert_int_equal(mkdirat(fd, "d", 0755), 0);
		below = openat(fd, "d", O_PATH | O_CLOEXEC);
		close(fd);
		fd = below;
		assert_true(fd >= 0);
	}
	id = add(w, NODE(r->root), NAMES, true);
	for (unsigned i = 0; i < 1900; i++)
		strcat(path, "/d");
	strcat(path, "/f");
	host_put(r, path, "");
	expect(w, id, path + strlen("share/"), MFS_CREATED);
	assert_int_equal(mkdirat(fd, "unreachable", 0755), 0);
	expect_nothing(w);
	mfs_watcher_destroy(w);
	/* Too deep to be removed by its paths at the end. */
	unlinkat(fd, "unreachable", AT_REMOVEDIR);
	for (unsigned i = 0; i < 3000; i++) {
		int above = openat(fd, "..", O_PATH | O_CLOEXEC);

		unlinkat(fd, "f", 0);
		close(fd);
		assert_int_equal(unlinkat(above, "d", AT_REMOVEDIR), 0);
		fd = above;
	}
	close(fd);
}

/* --- Limits and losses --- */

static unsigned long host_limit(const char *name)
{
	char path[80];
	unsigned long limit = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/sys/fs/inotify/%s", name);
	f = fopen(path, "r");
	if (!f || fscanf(f, "%lu", &limit) != 1)
		limit = 0;
	if (f)
		fclose(f);
	return limit;
}

static void lost_events_are_told_and_nothing_stays_uncovered(void **state)
{
	struct rig *r = *state;
	struct mfs_watcher *w = watcher(r);
	unsigned long limit = host_limit("max_queued_events");
	const struct mfs_event *e;
	uint32_t id;

	if (limit == 0 || limit > 100000) {
		mfs_watcher_destroy(w);
		skip();
	}
	host_mkdir(r, "share/old");
	host_mkdir(r, "share/going");
	id = add(w, NODE(r->root), NAMES, true);
	for (unsigned long i = 0; i <= limit / 2; i++) {
		host_put(r, "share/f", "");
		host_unlink(r, "share/f");
	}
	/* Nobody hears of these. */
	host_mkdir(r, "share/new");
	host_mkdir(r, "share/new/sub");
	host_rename(r, "share/old", "share/new/old");
	host_rmdir(r, "share/going");
	do
		e = next(w);
	while (!(e->change & MFS_OVERFLOW));
	assert_int_equal(e->watch, 0);
	expect_nothing(w);
	host_put(r, "share/new/sub/1", "");
	expect(w, id, "new/sub/1", MFS_CREATED);
	host_put(r, "share/new/old/2", "");
	expect(w, id, "new/old/2", MFS_CREATED);
	expect_nothing(w);
	mfs_watcher_destroy(w);
}

static void there_is_a_limit_to_directories(void **state)
{
	struct rig *r = *state;
	struct mfs_watcher *w = watcher(r);
	unsigned limit = 16384, i;
	uint32_t id;

	if (host_limit("max_user_watches") < 2 * limit) {
		mfs_watcher_destroy(w);
		skip();
	}
	for (i = 0; i < limit; i++) {
		char name[32];

		snprintf(name, sizeof(name), "share/%u", i);
		host_mkdir(r, name);
	}
	id = add(w, NODE(r->root), NAMES, true);
	/* One too many for the watch that there is: it says so. And too many for another. */
	host_mkdir(r, "share/more");
	expect(w, id, "more", MFS_CREATED | DIRECTORY);
	expect(w, 0, "", MFS_OVERFLOW);
	assert_int_equal(mfs_watch_add(w, NODE(r->root), NAMES, true), -ENOSPC);
	expect_nothing(w);
	host_rmdir(r, "share/0");
	expect(w, id, "0", MFS_REMOVED | DIRECTORY);
	/* It has given its place up. */
	host_mkdir(r, "share/last");
	expect(w, id, "last", MFS_CREATED | DIRECTORY);
	expect_nothing(w);
	host_put(r, "share/last/f", "");
	expect(w, id, "last/f", MFS_CREATED);
	mfs_watcher_destroy(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RIG_TEST(directories_below_are_covered),
		RIG_TEST(directories_made_later_are_covered_and_what_is_in_them_is_told),
		RIG_TEST(paths_follow_renames_of_directories),
		RIG_TEST(directories_that_change_places_keep_their_paths_apart),
		RIG_TEST(a_replaced_directory_is_not_mistaken_for_a_moved_one),
		RIG_TEST(a_tree_that_moves_in_is_told_and_one_that_moves_out_is_silent),
		RIG_TEST(a_watch_below_does_not_follow_its_directory_out_of_the_share),
		RIG_TEST(links_are_not_followed_out_of_the_share),
		RIG_TEST(several_watches_of_an_object_all_hear),
		MEMORY_TEST(a_very_deep_tree_is_no_danger),
		MEMORY_TEST(lost_events_are_told_and_nothing_stays_uncovered),
		MEMORY_TEST(there_is_a_limit_to_directories),
	};

	return cmocka_run_group_tests_name("mfs_watch_tree", tests, NULL, NULL);
}
