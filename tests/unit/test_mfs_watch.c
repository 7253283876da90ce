/*
 * Change events: what happens to an object of a share reaches a watcher, by name and in order, until the object is
 * gone.
 */
#include "tests/unit/watch_rig.h"

/* --- What happens in a directory --- */

static void a_directory_tells_what_happens_in_it(void **state)
{
	struct rig *r = *state;
	struct mfs_watcher *w = watcher(r);
	uint32_t id = add(w, NODE(r->root), ALL, false);

	expect_nothing(w);
	host_put(r, "share/f", "text");
	expect(w, id, "f", MFS_CREATED);
	expect(w, id, "f", MFS_CHANGED);
	expect(w, id, "f", MFS_CLOSED);
	assert_int_equal(fchmodat(r->dir, "share/f", 0600, 0), 0);
	expect(w, id, "f", MFS_ATTRIBUTES);
	host_mkdir(r, "share/d");
	expect(w, id, "d", MFS_CREATED | DIRECTORY);
	host_rmdir(r, "share/d");
	expect(w, id, "d", MFS_REMOVED | DIRECTORY);
	assert_int_equal(symlinkat("f", r->dir, "share/l"), 0);
	expect(w, id, "l", MFS_CREATED);
	host_unlink(r, "share/f");
	expect(w, id, "f", MFS_REMOVED);
	assert_int_equal(fchmodat(r->dir, "share", 0700, 0), 0);
	expect(w, id, "", MFS_ATTRIBUTES | DIRECTORY);
	expect_nothing(w);
	mfs_watcher_destroy(w);
}

static void what_a_guest_changes_is_told_as_well(void **state)
{
	struct rig *r = *state;
	struct mfs_watcher *w = watcher(r);
	uint32_t id = add(w, NODE(r->root), NAMES | MFS_CHANGED, false);

	make_file(r, "f", "text");
	expect(w, id, "f", MFS_CREATED);
	expect(w, id, "f", MFS_CHANGED);
	assert_ok(mfs_unlink(AT(r, "f"), false));
	expect(w, id, "f", MFS_REMOVED);
	mfs_watcher_destroy(w);
}

static void a_rename_is_two_events_with_one_cookie(void **state)
{
	struct rig *r = *state;
	struct mfs_watcher *w = watcher(r);
	uint32_t id, first, second;

	host_put(r, "share/a", "");
	host_put(r, "outside/b", "");
	id = add(w, NODE(r->root), NAMES, false);
	host_rename(r, "share/a", "share/c");
	first = expect(w, id, "a", FROM);
	assert_int_not_equal(first, 0);
	assert_int_equal(expect(w, id, "c", TO), first);
	host_rename(r, "share/c", "share/d");
	second = expect(w, id, "c", FROM);
	assert_int_not_equal(second, first);
	assert_int_equal(expect(w, id, "d", TO), second);
	/* Over the border of the share it is half a rename. */
	host_rename(r, "share/d", "outside/d");
	expect(w, id, "d", FROM);
	host_rename(r, "outside/b", "share/b");
	expect(w, id, "b", TO);
	expect_nothing(w);
	mfs_watcher_destroy(w);
}

static void only_what_is_asked_for_is_told(void **state)
{
	static const struct {
		uint32_t asked;
		const char *path;
		uint32_t told;
	} table[] = {
		{MFS_CREATED, "f", MFS_CREATED}, {MFS_CHANGED, "f", MFS_CHANGED}, {MFS_CLOSED, "f", MFS_CLOSED},
		{MFS_REMOVED, "f", FROM},	 {MFS_RENAMED_FROM, "f", FROM},	  {MFS_RENAMED_TO, "g", TO},
	};
	struct rig *r = *state;

	for (size_t i = 0; i < BIS_ARRAY_SIZE(table); i++) {
		struct mfs_watcher *w = watcher(r);
		uint32_t id = add(w, NODE(r->root), table[i].asked, false);

		host_put(r, "share/f", "x");
		host_rename(r, "share/f", "share/g");
		expect(w, id, table[i].path, table[i].told);
		if (table[i].asked == MFS_CREATED)
			expect(w, id, "g", TO);
		expect_nothing(w);
		mfs_watcher_destroy(w);
		host_unlink(r, "share/g");
	}
}

static void a_file_can_be_watched(void **state)
{
	struct rig *r = *state;
	struct mfs_watcher *w = watcher(r);
	uint32_t id;

	host_put(r, "share/f", "x");
	host_put(r, "share/other", "x");
	id = add(w, AT(r, "f"), MFS_CHANGED, true);
	host_put(r, "share/other", "y");
	expect_nothing(w);
	/* It stays with the object, whatever that is called. */
	host_rename(r, "share/f", "share/g");
	host_put(r, "share/g", "long text");
	expect(w, id, "", MFS_CHANGED);
	drain(w);
	host_unlink(r, "share/g");
	expect(w, id, "", MFS_GONE);
	expect_nothing(w);
	assert_int_equal(mfs_watch_remove(w, id), -ENOENT);
	mfs_watcher_destroy(w);
}

static void a_link_is_watched_itself_unless_it_is_followed(void **state)
{
	struct rig *r = *state;
	struct mfs_watcher *w = watcher(r);
	uint32_t link, file;

	host_put(r, "share/f", "x");
	assert_int_equal(symlinkat("f", r->dir, "share/l"), 0);
	assert_int_equal(symlinkat("../outside/canary", r->dir, "share/out"), 0);
	link = add(w, AT(r, "l"), MFS_CHANGED, false);
	file = add(w, FOLLOW(r, "l"), MFS_CHANGED, false);
	assert_true(mfs_watch_add(w, FOLLOW(r, "out"), ALL, false) < 0);
	host_put(r, "share/f", "");
	expect(w, file, "", MFS_CHANGED);
	expect_nothing(w);
	host_unlink(r, "share/l");
	expect(w, link, "", MFS_GONE);
	mfs_watcher_destroy(w);
}

/* --- The end of a watch --- */

static void a_removed_directory_is_gone_even_while_it_is_open(void **state)
{
	struct rig *r = *state;

	for (unsigned recursive = 0; recursive < 2; recursive++) {
		struct mfs_watcher *w = watcher(r);
		struct mfs_node *open, *place;
		uint32_t id;

		host_mkdir(r, "share/d");
		open = open_file(r, "d", MFS_READ | MFS_DIRECTORY);
		place = lookup(r, "d");
		id = add(w, NODE(open), NAMES, recursive);
		host_rmdir(r, "share/d");
		expect(w, id, "", MFS_GONE);
		expect_nothing(w);
		assert_int_equal(mfs_watch_remove(w, id), -ENOENT);
		/* What has been removed cannot be watched. */
		assert_int_equal(mfs_watch_add(w, NODE(open), NAMES, recursive), -ENOENT);
		mfs_node_put(open);
		mfs_node_put(place);
		mfs_watcher_destroy(w);
	}
}

static void a_directory_is_followed_when_it_moves_inside_the_share(void **state)
{
	struct rig *r = *state;
	struct mfs_watcher *w = watcher(r);
	uint32_t id;

	host_mkdir(r, "share/a");
	host_mkdir(r, "share/a/b");
	host_mkdir(r, "share/z");
	id = add(w, AT(r, "a/b"), NAMES, true);
	host_rename(r, "share/a/b", "share/z/y");
	host_mkdir(r, "share/z/y/new");
	expect(w, id, "new", MFS_CREATED | DIRECTORY);
	host_put(r, "share/z/y/new/f", "");
	expect(w, id, "new/f", MFS_CREATED);
	host_unlink(r, "share/z/y/new/f");
	host_rmdir(r, "share/z/y/new");
	expect(w, id, "new/f", MFS_REMOVED);
	expect(w, id, "new", MFS_REMOVED | DIRECTORY);
	host_rmdir(r, "share/z/y");
	expect(w, id, "", MFS_GONE);
	mfs_watcher_destroy(w);
}

static void a_removed_watch_is_silent(void **state)
{
	struct rig *r = *state;
	struct mfs_watcher *w = watcher(r);
	uint32_t one = add(w, NODE(r->root), NAMES, false), two = add(w, NODE(r->root), NAMES, true);

	host_put(r, "share/f", "");
	host_put(r, "share/g", "");
	/* Each has two events, of which one has been taken. */
	assert_string_equal(next(w)->path, "f");
	assert_ok(mfs_watch_remove(w, one));
	assert_int_equal(mfs_watch_remove(w, one), -ENOENT);
	expect_among(w, "g", MFS_CREATED);
	expect_nothing(w);
	assert_ok(mfs_watch_remove(w, two));
	host_put(r, "share/h", "");
	expect_nothing(w);
	assert_int_equal(atomic_load(&r->fs->watches), 0);
	mfs_watcher_destroy(w);
}

/* --- Limits --- */

static void there_is_a_limit_to_watches(void **state)
{
	struct rig *r = *state;
	struct mfs_watcher *w = watcher(r);
	unsigned recursive = 0, plain = 0;
	int id;

	while ((id = mfs_watch_add(w, NODE(r->root), NAMES, true)) > 0)
		recursive++;
	assert_int_equal(id, -ENOSPC);
	while ((id = mfs_watch_add(w, NODE(r->root), NAMES, false)) > 0)
		plain++;
	assert_int_equal(id, -ENOSPC);
	assert_in_range(recursive, 16, 1024);
	assert_int_equal(plain + recursive, 1024);
	assert_int_equal(atomic_load(&r->fs->watches), 1024);
	/* One change, and all hear of it. */
	host_put(r, "share/f", "");
	for (unsigned i = 0; i < 1024; i++)
		assert_string_equal(next(w)->path, "f");
	expect_nothing(w);
	mfs_watcher_destroy(w);
	assert_int_equal(atomic_load(&r->fs->watches), 0);
}

static void what_cannot_be_watched_is_refused(void **state)
{
	struct rig *r = *state;
	struct mfs_watcher *w = watcher(r);

	assert_int_equal(mfs_watch_add(w, NODE(r->root), 0, false), -EINVAL);
	assert_int_equal(mfs_watch_add(w, NODE(r->root), 1024, false), -EINVAL);
	assert_int_equal(mfs_watch_add(w, AT(r, "nothing"), ALL, false), -ENOENT);
	assert_int_equal(mfs_watch_add(w, AT(r, "../outside"), ALL, true), -ENOENT);
	assert_int_equal(mfs_watch_remove(w, 0), -ENOENT);
	assert_int_equal(mfs_watch_remove(w, 77), -ENOENT);
	assert_int_equal(atomic_load(&r->fs->watches), 0);
	expect_nothing(w);
	mfs_watcher_destroy(w);
	mfs_watcher_destroy(NULL);
}

static void the_descriptor_is_readable_while_there_are_events(void **state)
{
	struct rig *r = *state;
	struct mfs_watcher *w = watcher(r);
	struct mfs_event event;
	unsigned count = 0;

	add(w, NODE(r->root), NAMES, true);
	add(w, NODE(r->root), NAMES, false);
	assert_false(is_readable(w, 0));
	host_mkdir(r, "share/d");
	host_put(r, "share/d/f", "");
	host_put(r, "share/d/g", "");
	/* The last event has been taken when it is not readable any more, but for what turns out to be nothing. */
	while (is_readable(w, 0))
		count += mfs_watch_next(w, &event) == 1;
	assert_in_range(count, 4, 6);
	assert_int_equal(mfs_watch_next(w, &event), 0);
	mfs_watcher_destroy(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RIG_TEST(a_directory_tells_what_happens_in_it),
		RIG_TEST(what_a_guest_changes_is_told_as_well),
		RIG_TEST(a_rename_is_two_events_with_one_cookie),
		RIG_TEST(only_what_is_asked_for_is_told),
		RIG_TEST(a_file_can_be_watched),
		RIG_TEST(a_link_is_watched_itself_unless_it_is_followed),
		RIG_TEST(a_removed_directory_is_gone_even_while_it_is_open),
		RIG_TEST(a_directory_is_followed_when_it_moves_inside_the_share),
		RIG_TEST(a_removed_watch_is_silent),
		RIG_TEST(there_is_a_limit_to_watches),
		RIG_TEST(what_cannot_be_watched_is_refused),
		RIG_TEST(the_descriptor_is_readable_while_there_are_events),
	};

	return cmocka_run_group_tests_name("mfs_watch", tests, NULL, NULL);
}
