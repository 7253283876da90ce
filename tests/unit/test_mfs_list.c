/*
 * Listing: every name once, in pieces of any size, with hostile cursors, while the directory changes.
 */
#include <dirent.h>
#include <fcntl.h>
#include <malloc.h>

#include "tests/unit/mfs_rig.h"

/* Counts what is listed, up to `most` names. */
struct listing {
	unsigned count, most, seen[2048], dots;
	uint64_t next, dotdot;
	unsigned types[16];
};

static bool take(void *arg, const struct mfs_entry *entry)
{
	struct listing *l = arg;
	unsigned i;

	if (l->count == l->most)
		return false;
	l->count++;
	l->next = entry->next;
	l->types[entry->type & 15]++;
	if (entry->name[0] == '.')
		l->dots++;
	if (!strcmp(entry->name, ".."))
		l->dotdot = entry->id;
	if (sscanf(entry->name, "f%u", &i) == 1 && i < 2048)
		l->seen[i]++;
	return true;
}

static void fill(struct rig *r, unsigned count)
{
	char name[32];

	for (unsigned i = 0; i < count; i++) {
		snprintf(name, sizeof(name), "share/f%u", i);
		assert_int_equal(mknodat(r->dir, name, S_IFREG | 0644, 0), 0);
	}
}

/* Lists all of it, `piece` names at a time. */
static void list_in_pieces(struct mfs_node *dir, unsigned piece, struct listing *l)
{
	unsigned before;

	*l = (struct listing){0};
	do {
		before = l->count;
		l->most = l->count + piece;
		assert_ok(mfs_list(dir, l->next, take, l));
	} while (l->count > before);
}

static void every_name_is_seen_once(void **state)
{
	static const unsigned pieces[] = {1, 2, 7, 100, 900, 100000};
	struct rig *r = *state;
	struct mfs_node *dir;
	struct listing l;

	fill(r, 1000);
	dir = open_file(r, ".", MFS_READ | MFS_DIRECTORY);
	for (size_t p = 0; p < sizeof(pieces) / sizeof(pieces[0]); p++) {
		list_in_pieces(dir, pieces[p], &l);
		assert_int_equal(l.count, 1002);
		assert_int_equal(l.dots, 2);
		for (unsigned i = 0; i < 1000; i++)
			assert_int_equal(l.seen[i], 1);
		/* Above the root is the root. */
		assert_int_equal(l.dotdot, r->root->id);
	}
	mfs_node_put(dir);
}

static void what_stays_is_seen_once_while_others_come_and_go(void **state)
{
	struct rig *r = *state;
	struct listing l = {0};
	struct mfs_node *dir;
	char name[32];

	fill(r, 500);
	dir = open_file(r, ".", MFS_READ);
	for (unsigned i = 0; i < 500; i++) {
		l.most = l.count + 3;
		assert_ok(mfs_list(dir, l.next, take, &l));
		/* Odd ones go, and new ones come. */
		if (i % 2) {
			snprintf(name, sizeof(name), "share/f%u", i);
			unlinkat(r->dir, name, 0);
			snprintf(name, sizeof(name), "share/f%u", 1000 + i);
			host_put(r, name, "");
		}
	}
	for (unsigned i = 0; i < 500; i += 2)
		assert_int_equal(l.seen[i], 1);
	for (unsigned i = 1; i < 500; i += 2)
		assert_true(l.seen[i] <= 1 && l.seen[1000 + i] <= 1);
	mfs_node_put(dir);
}

static void types_and_ids_are_those_of_stat(void **state)
{
	struct rig *r = *state;
	struct mfs_node *dir;
	struct listing l;

	assert_ok(mfs_mkdir(AT(r, "d"), 0755, rig_who));
	assert_ok(mfs_mkdir(AT(r, "d/e"), 0755, rig_who));
	make_file(r, "d/f1", "");
	assert_ok(mfs_symlink(AT(r, "d/s"), "x", rig_who));
	assert_ok(mfs_mknod(AT(r, "d/p"), S_IFIFO | 0600, 0, rig_who));
	dir = open_file(r, "d", MFS_READ);
	list_in_pieces(dir, 100, &l);
	assert_int_equal(l.types[DT_REG], 1);
	assert_int_equal(l.types[DT_LNK], 1);
	assert_int_equal(l.types[DT_FIFO], 1);
	assert_int_equal(l.types[DT_DIR], 3);
	assert_int_equal(l.dotdot, r->root->id);
	mfs_node_put(dir);
}

static void cursors_may_be_nonsense(void **state)
{
	static const uint64_t cursors[] = {
		1, 2, 3, 12345, UINT32_MAX, (uint64_t)INT64_MAX, 1ull << 62, 0x123456789abcdef};
	struct rig *r = *state;
	struct mfs_node *dir, *place, *file;
	struct listing l;

	fill(r, 100);
	dir = open_file(r, ".", MFS_READ);
	assert_int_equal(mfs_list(dir, UINT64_MAX, take, &l), -EINVAL);
	assert_int_equal(mfs_list(dir, (uint64_t)1 << 63, take, &l), -EINVAL);
	for (size_t i = 0; i < sizeof(cursors) / sizeof(cursors[0]); i++) {
		int err;

		l = (struct listing){.most = 1000};
		err = mfs_list(dir, cursors[i], take, &l);
		assert_true(err == 0 || err == -EINVAL);
		assert_true(l.count <= 102);
	}
	/* And afterwards all is well. */
	list_in_pieces(dir, 10, &l);
	assert_int_equal(l.count, 102);
	place = lookup(r, ".");
	file = open_file(r, "f0", MFS_READ);
	assert_int_equal(mfs_list(place, 0, take, &l), -EBADF);
	assert_int_equal(mfs_list(file, 0, take, &l), -ENOTDIR);
	mfs_node_put(place);
	mfs_node_put(file);
	mfs_node_put(dir);
}

static void long_names_fit(void **state)
{
	struct rig *r = *state;
	struct mfs_node *dir;
	struct listing l;
	char name[256];

	memset(name, 'n', sizeof(name));
	name[255] = 0;
	for (char c = 'a'; c <= 'z'; c++) {
		name[0] = c;
		make_file(r, name, "");
	}
	dir = open_file(r, ".", MFS_READ);
	list_in_pieces(dir, 1, &l);
	assert_int_equal(l.count, 28);
	mfs_node_put(dir);
}

static void listing_does_not_take_memory(void **state)
{
	struct rig *r = *state;
	struct mfs_node *dir;
	struct mallinfo2 before, after;
	struct listing l;

	fill(r, 2000);
	dir = open_file(r, ".", MFS_READ);
	list_in_pieces(dir, 50, &l);
	before = mallinfo2();
	for (int i = 0; i < 50; i++)
		list_in_pieces(dir, 50, &l);
	after = mallinfo2();
	assert_int_equal(l.count, 2002);
	assert_true(after.uordblks <= before.uordblks);
	mfs_node_put(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RIG_TEST(every_name_is_seen_once),
		RIG_TEST(what_stays_is_seen_once_while_others_come_and_go),
		RIG_TEST(types_and_ids_are_those_of_stat),
		RIG_TEST(cursors_may_be_nonsense),
		RIG_TEST(long_names_fit),
		RIG_TEST(listing_does_not_take_memory),
	};

	return cmocka_run_group_tests_name("mfs_list", tests, NULL, NULL);
}
