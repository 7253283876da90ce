/*
 * Nodes of the file system over a host directory: any number can be kept with few descriptors, each stays the object
 * that it was, and what is open can be described and opened again.
 */
#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>

#include "tests/unit/mfs_rig.h"

#define FEW 8 /* descriptors of the shares below */

static unsigned descriptors(void)
{
	DIR *d = opendir("/proc/self/fd");
	unsigned n = 0;

	while (readdir(d))
		n++;
	closedir(d);
	return n;
}

static void few(struct rig *r)
{
	rig_share(r, (struct mfs_options){.handles = FEW});
}

/* Has so many others looked up that the nodes before are put aside. */
static void crowd(struct rig *r)
{
	struct mfs_node *others[FEW];
	char name[16];

	for (int i = 0; i < FEW; i++) {
		snprintf(name, sizeof(name), "crowd%d", i);
		if (!host_has(r, "share/crowd7"))
			assert_ok(mfs_mkdir(AT(r, name), 0755, rig_who));
		others[i] = lookup(r, name);
	}
	for (int i = 0; i < FEW; i++)
		mfs_node_put(others[i]);
}

static void a_hundred_thousand_nodes_need_few_descriptors(void **state)
{
	enum { NODES = 100000, FILES = 100 };
	struct rig *r = *state;
	struct mfs_node **nodes = calloc(NODES, sizeof(struct mfs_node *));
	unsigned before;
	char name[16];

	rig_share(r, (struct mfs_options){.handles = 64});
	for (int i = 0; i < FILES; i++) {
		snprintf(name, sizeof(name), "f%d", i);
		make_file(r, name, name);
	}
	before = descriptors();
	for (int i = 0; i < NODES; i++) {
		snprintf(name, sizeof(name), "f%d", i % FILES);
		nodes[i] = lookup(r, name);
	}
	assert_true(descriptors() <= before + 64);
	assert_int_equal(atomic_load(&r->fs->nodes), NODES);
	for (int i = 0; i < NODES; i += 997)
		assert_int_equal(attr_of(NODE(nodes[i])).id, nodes[i]->id);
	assert_true(descriptors() <= before + 64);
	for (int i = 0; i < NODES; i++)
		mfs_node_put(nodes[i]);
	assert_int_equal(descriptors(), before);
	free(nodes);
}

static void more_open_files_than_allowed_are_refused(void **state)
{
	struct rig *r = *state;
	struct mfs_node *open[FEW], *node;

	few(r);
	make_file(r, "f", "text");
	for (int i = 0; i < FEW; i++)
		open[i] = open_file(r, "f", MFS_READ);
	assert_int_equal(mfs_open(AT(r, "f"), MFS_READ, 0, rig_who, &node), -EMFILE);
	assert_int_equal(mfs_lookup(AT(r, "f"), &node), -EMFILE);
	assert_int_equal(attr_of(AT(r, "f")).size, 4);
	mfs_node_put(open[0]);
	node = lookup(r, "f");
	/* The place in the tree makes room for the open file, and is found again when there is room. */
	open[0] = open_file(r, "f", MFS_READ);
	assert_int_equal(try_stat(NODE(node)), -EMFILE);
	for (int i = 0; i < FEW; i++)
		mfs_node_put(open[i]);
	assert_ok(try_stat(NODE(node)));
	mfs_node_put(node);
}

static void a_file_that_cannot_be_opened_is_not_cut(void **state)
{
	struct rig *r = *state;
	struct mfs_node *open[FEW];

	few(r);
	make_file(r, "f", "text");
	for (int i = 0; i < FEW; i++)
		open[i] = open_file(r, "f", MFS_READ);
	assert_int_equal(try_open(AT(r, "f"), MFS_WRITE | MFS_TRUNCATE), -EMFILE);
	assert_int_equal(try_open(AT(r, "f"), MFS_WRITE | MFS_CREATE | MFS_TRUNCATE), -EMFILE);
	assert_string_equal(host_text(r, "share/f"), "text");
	for (int i = 0; i < FEW; i++)
		mfs_node_put(open[i]);
	assert_ok(try_open(AT(r, "f"), MFS_WRITE | MFS_TRUNCATE));
	assert_string_equal(host_text(r, "share/f"), "");
}

static void nodes_put_aside_follow_renames(void **state)
{
	struct rig *r = *state;
	struct mfs_node *file, *dir, *other;

	few(r);
	assert_ok(mfs_mkdir(AT(r, "a"), 0755, rig_who));
	assert_ok(mfs_mkdir(AT(r, "a/b"), 0755, rig_who));
	make_file(r, "a/b/f", "text");
	make_file(r, "ab", "other");
	file = lookup(r, "a/b/f");
	dir = lookup(r, "a/b");
	other = lookup(r, "ab");
	crowd(r);
	assert_ok(mfs_rename(AT(r, "a"), AT(r, "c"), 0));
	assert_int_equal(attr_of(NODE(file)).id, file->id);
	crowd(r);
	assert_ok(mfs_rename(AT(r, "c/b/f"), AT(r, "c/g"), 0));
	assert_int_equal(attr_of(NODE(file)).id, file->id);
	assert_int_equal(attr_of(NODE(dir)).id, dir->id);
	assert_int_equal(attr_of(NODE(other)).id, other->id);
	/* Both ways at once. */
	make_file(r, "c/b/x", "x");
	crowd(r);
	assert_ok(mfs_rename(AT(r, "c/b"), AT(r, "ab"), MFS_RENAME_EXCHANGE));
	assert_int_equal(attr_of(NODE(dir)).id, attr_of(AT(r, "ab")).id);
	assert_int_equal(attr_of(NODE(other)).id, attr_of(AT(r, "c/b")).id);
	assert_int_equal(attr_of(NODE(file)).id, attr_of(AT(r, "c/g")).id);
	mfs_node_put(file);
	mfs_node_put(dir);
	mfs_node_put(other);
}

static void nodes_put_aside_outlive_their_names(void **state)
{
	struct rig *r = *state;
	struct mfs_node *removed, *replaced, *open;

	few(r);
	make_file(r, "removed", "one");
	make_file(r, "replaced", "two");
	removed = lookup(r, "removed");
	replaced = lookup(r, "replaced");
	crowd(r);
	assert_ok(mfs_unlink(AT(r, "removed"), false));
	make_file(r, "removed", "another");
	make_file(r, "new", "three");
	crowd(r);
	assert_ok(mfs_rename(AT(r, "new"), AT(r, "replaced"), 0));
	crowd(r);
	assert_int_equal(attr_of(NODE(removed)).nlink, 0);
	assert_ok(mfs_open(NODE(replaced), MFS_READ, 0, rig_who, &open));
	assert_string_equal(get_text(r, open, 0), "two");
	mfs_node_put(open);
	mfs_node_put(removed);
	mfs_node_put(replaced);
}

static void what_the_host_moved_meanwhile_is_stale(void **state)
{
	struct rig *r = *state;
	struct mfs_node *moved, *again, *link;

	few(r);
	make_file(r, "moved", "");
	make_file(r, "again", "");
	make_file(r, "link", "");
	moved = lookup(r, "moved");
	again = lookup(r, "again");
	link = lookup(r, "link");
	crowd(r);
	assert_int_equal(renameat(r->dir, "share/moved", r->dir, "share/else"), 0);
	/* Another file with the name, and on many hosts with the same inode number. */
	assert_int_equal(unlinkat(r->dir, "share/again", 0), 0);
	host_put(r, "share/again", "new");
	assert_int_equal(unlinkat(r->dir, "share/link", 0), 0);
	assert_int_equal(symlinkat("../outside/canary", r->dir, "share/link"), 0);
	assert_int_equal(try_stat(NODE(moved)), -ESTALE);
	assert_int_equal(try_stat(NODE(moved)), -ESTALE);
	assert_int_equal(try_stat(NODE(again)), -ESTALE);
	assert_int_equal(try_open(NODE(link), MFS_READ_WRITE), -ESTALE);
	mfs_node_put(moved);
	mfs_node_put(again);
	mfs_node_put(link);
}

/* --- Many threads --- */

struct worker {
	struct rig *r;
	struct mfs_node **nodes;
	size_t count;
	atomic_bool *stop;
	unsigned failures;
};

static void *stat_all(void *arg)
{
	struct worker *w = arg;
	struct mfs_attr attr;

	for (unsigned round = 0; round < 300; round++)
		for (size_t i = 0; i < w->count; i++)
			if (mfs_stat(NODE(w->nodes[i]), &attr) || attr.id != w->nodes[i]->id)
				w->failures++;
	return NULL;
}

static void *rename_back_and_forth(void *arg)
{
	struct worker *w = arg;

	while (!atomic_load(w->stop)) {
		w->failures += mfs_rename(AT(w->r, "a"), AT(w->r, "b"), 0) != 0;
		w->failures += mfs_rename(AT(w->r, "b"), AT(w->r, "a"), 0) != 0;
	}
	return NULL;
}

static void nodes_are_found_while_their_folder_is_renamed(void **state)
{
	enum { NODES = 40, THREADS = 3 };
	struct rig *r = *state;
	struct mfs_node *nodes[NODES];
	atomic_bool stop = false;
	struct worker workers[THREADS + 1];
	pthread_t threads[THREADS + 1];
	char name[16];

	rig_share(r, (struct mfs_options){.handles = 16});
	assert_ok(mfs_mkdir(AT(r, "a"), 0755, rig_who));
	for (int i = 0; i < NODES; i++) {
		snprintf(name, sizeof(name), "a/f%d", i);
		make_file(r, name, "");
		nodes[i] = lookup(r, name);
	}
	for (int i = 0; i <= THREADS; i++) {
		workers[i] = (struct worker){.r = r, .nodes = nodes, .count = NODES, .stop = &stop};
		assert_int_equal(
			pthread_create(&threads[i], NULL, i < THREADS ? stat_all : rename_back_and_forth, &workers[i]),
			0);
	}
	for (int i = 0; i <= THREADS; i++) {
		pthread_join(threads[i], NULL);
		if (i == THREADS - 1)
			atomic_store(&stop, true);
	}
	for (int i = 0; i <= THREADS; i++)
		assert_int_equal(workers[i].failures, 0);
	for (int i = 0; i < NODES; i++)
		mfs_node_put(nodes[i]);
}

/* --- Describing --- */

static void open_files_are_described_and_opened_again(void **state)
{
	struct rig *r = *state;
	struct mfs_description d, place, root;
	struct mfs_node *node, *dir;

	assert_ok(mfs_mkdir(AT(r, "d"), 0755, rig_who));
	make_file(r, "d/f", "0123456789");
	node = open_file(r, "d/f", MFS_READ_WRITE | MFS_APPEND);
	dir = lookup(r, "d");
	assert_ok(mfs_rename(AT(r, "d/f"), AT(r, "d/g"), 0));
	assert_ok(mfs_describe(node, &d));
	assert_ok(mfs_describe(dir, &place));
	assert_ok(mfs_describe(r->root, &root));
	assert_string_equal(d.path, "d/g");
	assert_int_equal(d.flags, MFS_READ_WRITE | MFS_APPEND);
	assert_true(d.open && !d.nameless);
	assert_string_equal(place.path, "d");
	assert_false(place.open);
	assert_string_equal(root.path, "");
	mfs_node_put(node);
	mfs_node_put(dir);
	/* Another life: the share is made again. */
	rig_share(r, (struct mfs_options){0});
	assert_ok(mfs_reopen(r->fs, &d, &node));
	assert_string_equal(get_text(r, node, 4), "456789");
	assert_int_equal(put_text(r, node, "X", 0), 1);
	assert_string_equal(host_text(r, "share/d/g"), "0123456789X");
	assert_ok(mfs_reopen(r->fs, &place, &dir));
	assert_ok(try_stat(IN(dir, "g")));
	mfs_node_put(dir);
	assert_ok(mfs_reopen(r->fs, &root, &dir));
	assert_int_equal(dir->id, r->root->id);
	mfs_node_put(dir);
	mfs_node_put(node);
}

static void what_cannot_be_opened_again_says_so(void **state)
{
	struct rig *r = *state;
	struct mfs_description d, hostile;
	struct mfs_node *node;

	make_file(r, "f", "text");
	node = open_file(r, "f", MFS_READ_WRITE);
	assert_ok(mfs_describe(node, &d));
	assert_ok(mfs_unlink(AT(r, "f"), false));
	assert_int_equal(mfs_reopen(r->fs, &d, &node), -ENOENT);
	host_put(r, "share/f", "another");
	assert_int_equal(mfs_reopen(r->fs, &d, &node), -ESTALE);
	hostile = d;
	assert_ok(mfs_describe(node, &d));
	assert_true(d.nameless && d.open);
	mfs_node_put(node);
	assert_int_equal(mfs_reopen(r->fs, &d, &node), -ENOENT);
	/* A description that somebody has changed leads no further than any name. */
	assert_int_equal(symlinkat("../outside/canary", r->dir, "share/s"), 0);
	strcpy(hostile.path, "../outside/canary");
	assert_int_equal(mfs_reopen(r->fs, &hostile, &node), -EXDEV);
	strcpy(hostile.path, "s");
	assert_int_equal(mfs_reopen(r->fs, &hostile, &node), -ESTALE);
	strcpy(hostile.path, "/etc/passwd");
	assert_int_equal(mfs_reopen(r->fs, &hostile, &node), -EXDEV);
	memset(hostile.path, 'x', sizeof(hostile.path));
	assert_int_equal(mfs_reopen(r->fs, &hostile, &node), -ENAMETOOLONG);
	hostile.path[0] = 0;
	hostile.flags = MFS_TRUNCATE;
	assert_int_equal(mfs_reopen(r->fs, &hostile, &node), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RIG_TEST(a_hundred_thousand_nodes_need_few_descriptors),
		RIG_TEST(more_open_files_than_allowed_are_refused),
		RIG_TEST(a_file_that_cannot_be_opened_is_not_cut),
		RIG_TEST(nodes_put_aside_follow_renames),
		RIG_TEST(nodes_put_aside_outlive_their_names),
		RIG_TEST(what_the_host_moved_meanwhile_is_stale),
		RIG_TEST(nodes_are_found_while_their_folder_is_renamed),
		RIG_TEST(open_files_are_described_and_opened_again),
		RIG_TEST(what_cannot_be_opened_again_says_so),
	};

	return cmocka_run_group_tests_name("mfs_nodes", tests, NULL, NULL);
}
