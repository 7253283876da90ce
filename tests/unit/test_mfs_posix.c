/*
 * The file system over a host directory behaves as POSIX says, and shows what the host changes: what users of other
 * shared folders miss.
 */
#include <fcntl.h>
#include <sys/statfs.h>

#include "tests/unit/mfs_rig.h"

static void an_open_file_works_after_its_removal(void **state)
{
	struct rig *r = *state;
	struct mfs_node *node = open_file(r, "f", MFS_READ_WRITE | MFS_CREATE);
	struct mfs_attr attr = {.size = 3, .mode = 0600};

	assert_int_equal(put_text(r, node, "hello", 0), 5);
	assert_ok(mfs_unlink(AT(r, "f"), false));
	assert_false(host_has(r, "share/f"));
	assert_string_equal(get_text(r, node, 0), "hello");
	assert_int_equal(put_text(r, node, " world", 5), 6);
	assert_int_equal(attr_of(NODE(node)).size, 11);
	assert_int_equal(attr_of(NODE(node)).nlink, 0);
	assert_ok(mfs_set(NODE(node), MFS_SET_SIZE | MFS_SET_MODE, &attr));
	assert_string_equal(get_text(r, node, 0), "hel");
	assert_int_equal(attr_of(NODE(node)).mode, S_IFREG | 0600);
	/* It can even be opened once more. */
	assert_ok(try_open(NODE(node), MFS_READ));
	mfs_node_put(node);
}

static void a_directory_that_is_open_works_after_its_removal(void **state)
{
	struct rig *r = *state;
	struct mfs_node *node;

	assert_ok(mfs_mkdir(AT(r, "d"), 0755, rig_who));
	node = open_file(r, "d", MFS_READ | MFS_DIRECTORY);
	assert_ok(mfs_unlink(AT(r, "d"), true));
	assert_true(S_ISDIR(attr_of(NODE(node)).mode));
	assert_int_equal(try_open(IN(node, "f"), MFS_WRITE | MFS_CREATE), -ENOENT);
	mfs_node_put(node);
}

static void a_file_keeps_being_itself_when_it_is_renamed(void **state)
{
	struct rig *r = *state;
	struct mfs_node *open, *place;

	make_file(r, "a", "one");
	host_put(r, "share/b", "two");
	open = open_file(r, "a", MFS_READ_WRITE);
	place = lookup(r, "a");
	assert_ok(mfs_rename(AT(r, "a"), AT(r, "b"), 0));
	assert_int_equal(put_text(r, open, "1", 0), 1);
	assert_string_equal(host_text(r, "share/b"), "1ne");
	assert_int_equal(attr_of(NODE(place)).id, attr_of(AT(r, "b")).id);
	/* The host renames it, too. */
	assert_int_equal(renameat(r->dir, "share/b", r->dir, "share/c"), 0);
	assert_int_equal(attr_of(NODE(place)).id, attr_of(AT(r, "c")).id);
	mfs_node_put(open);
	mfs_node_put(place);
}

static void truncation_works_under_an_open_file_and_by_opening(void **state)
{
	struct rig *r = *state;
	struct mfs_attr attr = {.size = 2};
	struct mfs_node *node;

	make_file(r, "f", "a long text");
	node = open_file(r, "f", MFS_READ);
	assert_ok(mfs_set(AT(r, "f"), MFS_SET_SIZE, &attr));
	assert_string_equal(get_text(r, node, 0), "a ");
	attr.size = 4;
	assert_ok(mfs_set(AT(r, "f"), MFS_SET_SIZE, &attr));
	assert_int_equal(attr_of(NODE(node)).size, 4);
	make_file(r, "f", "new");
	assert_string_equal(get_text(r, node, 0), "new");
	assert_string_equal(host_text(r, "share/f"), "new");
	attr.size = (uint64_t)INT64_MAX + 1;
	assert_int_equal(mfs_set(AT(r, "f"), MFS_SET_SIZE, &attr), -EFBIG);
	mfs_node_put(node);
}

static void what_the_host_changes_shows_at_once(void **state)
{
	struct rig *r = *state;
	struct mfs_node *node;
	uint64_t version;

	host_put(r, "share/f", "short");
	node = open_file(r, "f", MFS_READ);
	assert_string_equal(get_text(r, node, 0), "short");
	version = attr_of(NODE(node)).version;
	host_put(r, "share/f", "rather longer");
	assert_int_equal(attr_of(AT(r, "f")).size, 13);
	assert_int_equal(attr_of(NODE(node)).size, 13);
	assert_int_not_equal(attr_of(NODE(node)).version, version);
	assert_string_equal(get_text(r, node, 0), "rather longer");
	assert_int_equal(unlinkat(r->dir, "share/f", 0), 0);
	assert_int_equal(try_stat(AT(r, "f")), -ENOENT);
	mfs_node_put(node);
}

static void hard_links_are_one_file(void **state)
{
	struct rig *r = *state;
	struct mfs_node *node;

	make_file(r, "a", "x");
	assert_ok(mfs_mkdir(AT(r, "d"), 0755, rig_who));
	assert_ok(mfs_link(AT(r, "a"), AT(r, "d/b")));
	assert_int_equal(attr_of(AT(r, "a")).id, attr_of(AT(r, "d/b")).id);
	assert_int_equal(attr_of(AT(r, "a")).nlink, 2);
	assert_int_equal(mfs_link(AT(r, "a"), AT(r, "d/b")), -EEXIST);
	assert_int_equal(mfs_link(AT(r, "d"), AT(r, "e")), -EPERM);
	/* As 9P asks for it: a node, and a name in another. */
	node = lookup(r, "d");
	assert_ok(mfs_link(NODE(node), IN(node, "never")) == -EPERM ? 0 : -1);
	mfs_node_put(node);
	/* The link itself, not what it leads to. */
	assert_ok(mfs_symlink(AT(r, "s"), "a", rig_who));
	assert_ok(mfs_link(AT(r, "s"), AT(r, "t")));
	assert_true(S_ISLNK(attr_of(AT(r, "t")).mode));
	assert_ok(mfs_link(FOLLOW(r, "s"), AT(r, "u")));
	assert_int_equal(attr_of(AT(r, "u")).id, attr_of(AT(r, "a")).id);
}

static void links_are_read_as_they_were_written(void **state)
{
	struct rig *r = *state;
	char buf[64];

	assert_ok(mfs_symlink(AT(r, "s"), "some/where", rig_who));
	assert_int_equal(mfs_readlink(AT(r, "s"), buf, sizeof(buf)), 10);
	assert_memory_equal(buf, "some/where", 10);
	assert_int_equal(mfs_readlink(AT(r, "s"), buf, 4), 4);
	assert_int_equal(mfs_readlink(AT(r, "s"), buf, 0), -EINVAL);
	/* The host's, even one that leads out, can be read, though not followed. */
	assert_int_equal(symlinkat("/etc/hostname", r->dir, "share/out"), 0);
	assert_int_equal(mfs_readlink(AT(r, "out"), buf, sizeof(buf)), 13);
	make_file(r, "f", "");
	assert_int_equal(mfs_readlink(AT(r, "f"), buf, sizeof(buf)), -EINVAL);
	assert_int_equal(mfs_readlink(AT(r, ""), buf, sizeof(buf)), -EINVAL);
	assert_int_equal(mfs_symlink(AT(r, "e"), "", rig_who), -ENOENT);
	assert_int_equal(mfs_symlink(AT(r, "s"), "x", rig_who), -EEXIST);
}

static void a_file_is_made_where_a_dangling_link_leads(void **state)
{
	struct rig *r = *state;

	assert_ok(mfs_mkdir(AT(r, "d"), 0755, rig_who));
	assert_ok(mfs_symlink(AT(r, "a"), "d/b", rig_who));
	assert_ok(mfs_symlink(AT(r, "d/b"), "../c", rig_who));
	make_file(r, "a", "made");
	assert_string_equal(host_text(r, "share/c"), "made");
	assert_int_equal(try_open(FOLLOW(r, "a"), MFS_WRITE | MFS_CREATE | MFS_EXCLUSIVE), -EEXIST);
	assert_ok(mfs_symlink(AT(r, "round"), "round", rig_who));
	assert_int_equal(try_open(FOLLOW(r, "round"), MFS_WRITE | MFS_CREATE), -ELOOP);
	assert_int_equal(try_open(AT(r, "a"), MFS_WRITE | MFS_CREATE), -ELOOP);
	assert_ok(mfs_symlink(AT(r, "folder"), "new/", rig_who));
	assert_int_equal(try_open(FOLLOW(r, "folder"), MFS_WRITE | MFS_CREATE), -EISDIR);
}

static void times_are_kept_to_the_nanosecond(void **state)
{
	struct rig *r = *state;
	struct mfs_attr attr = {.atime = {1234567890, 123456789}, .mtime = {-5, 999999999}}, now;

	make_file(r, "f", "");
	assert_ok(mfs_set(AT(r, "f"), MFS_SET_ATIME | MFS_SET_MTIME, &attr));
	now = attr_of(AT(r, "f"));
	assert_memory_equal(&now.atime.sec, &attr.atime.sec, sizeof(int64_t));
	assert_int_equal(now.atime.nsec, attr.atime.nsec);
	assert_int_equal(now.mtime.sec, -5);
	assert_int_equal(now.mtime.nsec, 999999999);
	assert_int_equal(host_stat_of(r, "share/f").st_mtim.tv_nsec, 999999999);
	assert_ok(mfs_set(AT(r, "f"), MFS_SET_MTIME_NOW, &attr));
	assert_true(attr_of(AT(r, "f")).mtime.sec > 1600000000);
	assert_int_equal(attr_of(AT(r, "f")).atime.sec, 1234567890);
	attr.mtime.nsec = 1000000000;
	assert_int_equal(mfs_set(AT(r, "f"), MFS_SET_MTIME, &attr), -EINVAL);
	/* A link's own. */
	assert_ok(mfs_symlink(AT(r, "s"), "f", rig_who));
	attr.mtime = (struct mfs_time){77, 7};
	assert_ok(mfs_set(AT(r, "s"), MFS_SET_MTIME, &attr));
	assert_int_equal(attr_of(AT(r, "s")).mtime.sec, 77);
	assert_int_not_equal(attr_of(AT(r, "f")).mtime.sec, 77);
}

static void files_can_have_holes(void **state)
{
	struct rig *r = *state;
	struct mfs_node *node = open_file(r, "f", MFS_READ_WRITE | MFS_CREATE);
	const uint64_t far = (uint64_t)1 << 32;
	int64_t data;

	assert_int_equal(put_text(r, node, "end", far), 3);
	assert_int_equal(attr_of(NODE(node)).size, far + 3);
	assert_true(attr_of(NODE(node)).blocks < 1000);
	data = mfs_seek(node, 0, false);
	assert_true(data > 0 && data <= (int64_t)far);
	assert_int_equal(mfs_seek(node, 0, true), 0);
	assert_int_equal(mfs_seek(node, far, true), far + 3);
	assert_int_equal(mfs_seek(node, far + 3, false), -ENXIO);
	assert_int_equal(mfs_seek(node, UINT64_MAX, false), -ENXIO);
	mfs_node_put(node);
}

static void space_is_allocated_and_given_back(void **state)
{
	struct rig *r = *state;
	struct mfs_node *node = open_file(r, "f", MFS_READ_WRITE | MFS_CREATE);
	int err = mfs_fallocate(node, 0, 0, 65536);

	if (err == -EOPNOTSUPP) {
		mfs_node_put(node);
		skip();
	}
	assert_ok(err);
	assert_int_equal(attr_of(NODE(node)).size, 65536);
	assert_ok(mfs_fallocate(node, 1, 65536, 65536));
	assert_int_equal(attr_of(NODE(node)).size, 65536);
	assert_int_equal(put_text(r, node, "text", 0), 4);
	assert_ok(mfs_fallocate(node, 1 | 2, 0, 4096));
	assert_string_equal(get_text(r, node, 65532), "");
	assert_string_equal(get_text(r, node, 0), "");
	assert_int_equal(mfs_fallocate(node, 2, 0, 4096), -EOPNOTSUPP);
	assert_int_equal(mfs_fallocate(node, 0, 0, 0), -EINVAL);
	assert_int_equal(mfs_fallocate(node, 0, UINT64_MAX, 2), -EFBIG);
	assert_int_equal(mfs_fallocate(node, 64, 0, 1), -EOPNOTSUPP);
	mfs_node_put(node);
}

static void bytes_are_copied_by_the_host(void **state)
{
	struct rig *r = *state;
	struct mfs_node *from, *to;
	ssize_t done;

	make_file(r, "a", "0123456789");
	from = open_file(r, "a", MFS_READ);
	to = open_file(r, "b", MFS_WRITE | MFS_CREATE);
	done = mfs_copy(from, 3, to, 1, 4);
	if (done != -EOPNOTSUPP && done != -EXDEV) {
		assert_int_equal(done, 4);
		assert_string_equal(host_text(r, "share/b") + 1, "3456");
		assert_int_equal(mfs_copy(from, 8, to, 0, UINT64_MAX), 2);
		assert_int_equal(mfs_copy(from, 10, to, 0, 5), 0);
	}
	assert_int_equal(mfs_copy(to, 0, from, 0, 1), -EBADF);
	mfs_node_put(from);
	mfs_node_put(to);
}

static void writes_are_appended_where_the_file_ends_now(void **state)
{
	struct rig *r = *state;
	struct mfs_node *node = open_file(r, "log", MFS_WRITE | MFS_CREATE | MFS_APPEND);

	assert_int_equal(put_text(r, node, "one\n", 0), 4);
	host_put(r, "share/log", "host\n");
	assert_int_equal(put_text(r, node, "two\n", UINT64_MAX), 4);
	assert_string_equal(host_text(r, "share/log"), "host\ntwo\n");
	mfs_node_put(node);
}

static void a_file_without_a_name_can_get_one(void **state)
{
	struct rig *r = *state;
	struct mfs_node *node;
	int err = mfs_open(AT(r, "."), MFS_READ_WRITE | MFS_TEMPORARY, 0640, rig_who, &node);

	if (err == -EOPNOTSUPP)
		skip();
	assert_ok(err);
	assert_int_equal(put_text(r, node, "hidden", 0), 6);
	assert_int_equal(attr_of(NODE(node)).nlink, 0);
	assert_ok(mfs_link(NODE(node), AT(r, "seen")));
	assert_string_equal(host_text(r, "share/seen"), "hidden");
	assert_int_equal(attr_of(AT(r, "seen")).mode, S_IFREG | 0640);
	mfs_node_put(node);
	assert_int_equal(try_open(AT(r, "seen"), MFS_WRITE | MFS_TEMPORARY), -ENOTDIR);
	assert_int_equal(try_open(AT(r, "."), MFS_READ | MFS_TEMPORARY), -EINVAL);
}

static void opening_fails_as_the_host_does(void **state)
{
	struct rig *r = *state;

	make_file(r, "f", "");
	assert_ok(mfs_mkdir(AT(r, "d"), 0755, rig_who));
	assert_ok(mfs_symlink(AT(r, "s"), "f", rig_who));
	assert_int_equal(try_open(AT(r, "none"), MFS_READ), -ENOENT);
	assert_int_equal(try_open(AT(r, "f/x"), MFS_READ), -ENOTDIR);
	assert_int_equal(try_open(AT(r, "f"), MFS_READ | MFS_DIRECTORY), -ENOTDIR);
	assert_int_equal(try_open(AT(r, "d"), MFS_WRITE), -EISDIR);
	assert_int_equal(try_open(AT(r, "d"), MFS_READ | MFS_CREATE), -EISDIR);
	assert_int_equal(try_open(AT(r, ""), MFS_READ | MFS_CREATE | MFS_EXCLUSIVE), -EEXIST);
	assert_int_equal(try_open(AT(r, "s"), MFS_READ), -ELOOP);
	assert_ok(try_open(FOLLOW(r, "s"), MFS_READ));
	assert_int_equal(try_open(AT(r, "f"), MFS_READ | MFS_CREATE | MFS_EXCLUSIVE), -EEXIST);
	assert_int_equal(try_open(AT(r, "new/"), MFS_WRITE | MFS_CREATE), -EISDIR);
	assert_int_equal(try_open(AT(r, "f"), MFS_ACCESS), -EINVAL);
	assert_int_equal(try_open(AT(r, "f"), 1u << 20), -EINVAL);
}

static void names_fail_as_the_host_does(void **state)
{
	struct rig *r = *state;

	make_file(r, "f", "");
	assert_ok(mfs_mkdir(AT(r, "d/"), 0755, rig_who));
	make_file(r, "d/x", "");
	assert_int_equal(mfs_mkdir(AT(r, "d"), 0755, rig_who), -EEXIST);
	assert_int_equal(mfs_mkdir(AT(r, "d/."), 0755, rig_who), -EEXIST);
	assert_int_equal(mfs_mkdir(AT(r, "/"), 0755, rig_who), -EEXIST);
	assert_int_equal(mfs_mkdir(AT(r, ""), 0755, rig_who), -ENOENT);
	assert_int_equal(mfs_mkdir(AT(r, "no/x"), 0755, rig_who), -ENOENT);
	assert_int_equal(mfs_unlink(AT(r, "d"), false), -EISDIR);
	assert_int_equal(mfs_unlink(AT(r, "d"), true), -ENOTEMPTY);
	assert_int_equal(mfs_unlink(AT(r, "f"), true), -ENOTDIR);
	assert_int_equal(mfs_unlink(AT(r, "f/"), false), -ENOTDIR);
	assert_int_equal(mfs_unlink(AT(r, "d/."), true), -EINVAL);
	assert_int_equal(mfs_unlink(AT(r, "d/.."), true), -ENOTEMPTY);
	assert_int_equal(mfs_unlink(AT(r, ""), true), -EBUSY);
	assert_int_equal(mfs_rename(AT(r, "d"), AT(r, "d/e"), 0), -EINVAL);
	assert_int_equal(mfs_rename(AT(r, "f"), AT(r, "d"), 0), -EISDIR);
	assert_int_equal(mfs_rename(AT(r, "d"), AT(r, "f"), 0), -ENOTDIR);
	assert_int_equal(mfs_rename(AT(r, "/"), AT(r, "x"), 0), -EBUSY);
	assert_int_equal(mfs_rename(AT(r, "d/.."), AT(r, "x"), 0), -EBUSY);
	assert_int_equal(mfs_rename(AT(r, "f"), AT(r, "d/x"), MFS_RENAME_NOREPLACE), -EEXIST);
	assert_int_equal(mfs_rename(AT(r, "f"), AT(r, "none"), MFS_RENAME_EXCHANGE), -ENOENT);
	assert_int_equal(mfs_rename(AT(r, "f"), AT(r, "g"), 8), -EINVAL);
	assert_int_equal(mfs_rename(AT(r, "f"), AT(r, "g"), MFS_RENAME_EXCHANGE | MFS_RENAME_NOREPLACE), -EINVAL);
	assert_ok(mfs_rename(AT(r, "f"), AT(r, "d/x"), MFS_RENAME_EXCHANGE));
	assert_ok(mfs_rename(AT(r, "d/"), AT(r, "e/"), 0));
	assert_true(host_has(r, "share/e/x"));
}

static void a_node_is_removed_and_renamed_by_itself(void **state)
{
	struct rig *r = *state;
	struct mfs_node *node, *root = r->root;

	assert_ok(mfs_mkdir(AT(r, "d"), 0755, rig_who));
	make_file(r, "d/f", "x");
	node = lookup(r, "d/f");
	assert_ok(mfs_rename(NODE(node), AT(r, "g"), 0));
	assert_true(host_has(r, "share/g"));
	assert_ok(mfs_unlink(NODE(node), false));
	assert_false(host_has(r, "share/g"));
	assert_int_equal(mfs_unlink(NODE(node), false), -ENOENT);
	mfs_node_put(node);
	assert_int_equal(mfs_unlink(NODE(root), true), -EBUSY);
	assert_int_equal(mfs_rename(NODE(root), AT(r, "x"), 0), -EBUSY);
}

static void reading_and_writing_need_the_right_node(void **state)
{
	struct rig *r = *state;
	struct bis_mem_range range = {.pa = {RIG_RAM}, .len = 4}, wild = {.pa = {0x1000}, .len = 4};
	struct mfs_node *place, *in, *out, *dir;

	make_file(r, "f", "text");
	place = lookup(r, "f");
	in = open_file(r, "f", MFS_READ);
	out = open_file(r, "f", MFS_WRITE);
	dir = open_file(r, ".", MFS_READ);
	assert_int_equal(mfs_read(place, r->memory, &range, 1, 0, false), -EBADF);
	assert_int_equal(mfs_read(out, r->memory, &range, 1, 0, false), -EBADF);
	assert_int_equal(mfs_read(dir, r->memory, &range, 1, 0, false), -EISDIR);
	assert_int_equal(mfs_write(in, r->memory, &range, 1, 0), -EBADF);
	assert_int_equal(mfs_write(dir, r->memory, &range, 1, 0), -EISDIR);
	assert_int_equal(mfs_read(in, r->memory, &wild, 1, 0, false), -EFAULT);
	assert_int_equal(mfs_write(out, r->memory, &wild, 1, 0), -EFAULT);
	assert_int_equal(mfs_read(in, r->memory, &range, 1, (uint64_t)1 << 63, false), -EINVAL);
	assert_int_equal(mfs_write(out, r->memory, &range, 1, (uint64_t)1 << 63), -EFBIG);
	assert_int_equal(mfs_read(in, r->memory, &range, 1, 2, false), 2);
	assert_int_equal(mfs_read(in, r->memory, &range, 1, 100, false), 0);
	/* What has just been written is in memory: no waiting for it. */
	assert_int_equal(mfs_read(in, r->memory, &range, 1, 0, true), 4);
	assert_ok(mfs_sync(out, false));
	assert_ok(mfs_sync(in, true));
	assert_ok(mfs_sync(place, false));
	assert_ok(mfs_sync(dir, false));
	mfs_node_put(place);
	mfs_node_put(in);
	mfs_node_put(out);
	mfs_node_put(dir);
}

static void pages_are_mapped_through_a_descriptor_of_the_callers(void **state)
{
	struct rig *r = *state;
	struct mfs_node *in, *both;
	int fd;

	make_file(r, "f", "text");
	in = open_file(r, "f", MFS_READ);
	both = open_file(r, "f", MFS_READ_WRITE);
	assert_int_equal(mfs_map(in, true, &fd), -EACCES);
	assert_ok(mfs_map(in, false, &fd));
	close(fd);
	assert_ok(mfs_map(both, true, &fd));
	mfs_node_put(both);
	assert_int_equal(pwrite(fd, "T", 1, 0), 1);
	close(fd);
	assert_string_equal(get_text(r, in, 0), "Text");
	mfs_node_put(in);
}

static void modes_are_what_the_guest_asked_for(void **state)
{
	struct rig *r = *state;
	struct mfs_attr attr = {.mode = 06711};

	umask(077);
	assert_ok(mfs_mkdir(AT(r, "d"), 0777, rig_who));
	assert_ok(mfs_mknod(AT(r, "n"), S_IFREG | 0666, 0, rig_who));
	assert_ok(mfs_mknod(AT(r, "fifo"), S_IFIFO | 0622, 0, rig_who));
	make_file(r, "f", "");
	umask(022);
	assert_int_equal(host_stat_of(r, "share/d").st_mode, S_IFDIR | 0777);
	assert_int_equal(host_stat_of(r, "share/n").st_mode, S_IFREG | 0666);
	assert_int_equal(host_stat_of(r, "share/fifo").st_mode, S_IFIFO | 0622);
	assert_int_equal(host_stat_of(r, "share/f").st_mode, S_IFREG | 0644);
	/* Set-id bits never reach the host. */
	assert_ok(mfs_set(AT(r, "f"), MFS_SET_MODE, &attr));
	assert_int_equal(host_stat_of(r, "share/f").st_mode, S_IFREG | 0711);
	assert_int_equal(mfs_mknod(AT(r, "x"), S_IFDIR, 0, rig_who), -EPERM);
	assert_int_equal(mfs_mknod(AT(r, "x"), S_IFLNK, 0, rig_who), -EINVAL);
}

static void the_file_system_is_described(void **state)
{
	struct rig *r = *state;
	struct mfs_statfs got;
	struct statfs host;

	make_file(r, "f", "");
	assert_ok(mfs_statfs(AT(r, "f"), &got));
	assert_int_equal(statfs(r->folder, &host), 0);
	assert_int_equal(got.blocks, host.f_blocks);
	assert_int_equal(got.bsize, host.f_bsize);
	assert_int_equal(got.namelen, host.f_namelen);
	assert_int_equal(mfs_statfs(AT(r, "none"), &got), -ENOENT);
}

static void a_lookup_of_the_node_itself_is_that_object(void **state)
{
	struct rig *r = *state;
	struct mfs_node *open, *place, *again;

	open = open_file(r, "f", MFS_READ_WRITE | MFS_CREATE);
	assert_ok(mfs_unlink(AT(r, "f"), false));
	assert_ok(mfs_lookup(NODE(open), &place));
	assert_false(place->open);
	assert_int_equal(place->id, open->id);
	mfs_node_put(open);
	assert_ok(mfs_lookup(NODE(place), &again));
	assert_int_equal(attr_of(NODE(again)).nlink, 0);
	assert_ok(try_open(NODE(again), MFS_READ_WRITE));
	mfs_node_put(place);
	mfs_node_put(again);
}

static void calls_and_bytes_are_counted(void **state)
{
	struct rig *r = *state;
	uint64_t before = atomic_load(&r->fs->operations);
	struct mfs_node *node = open_file(r, "f", MFS_READ_WRITE | MFS_CREATE);

	assert_int_equal(put_text(r, node, "12345", 0), 5);
	assert_string_equal(get_text(r, node, 1), "2345");
	assert_int_equal(atomic_load(&r->fs->operations) - before, 3);
	assert_int_equal(atomic_load(&r->fs->bytes_written), 5);
	assert_int_equal(atomic_load(&r->fs->bytes_read), 4);
	assert_int_equal(atomic_load(&r->fs->open_nodes), 1);
	mfs_node_put(node);
}

static void a_share_is_made_of_directories_only(void **state)
{
	struct rig *r = *state;
	char path[80];
	struct mfs *fs;

	snprintf(path, sizeof(path), "%s/outside/canary", r->folder);
	assert_fails(mfs_host_create(&(struct mfs_options){.path = path}, &fs), -ENOTDIR, "outside/canary");
	snprintf(path, sizeof(path), "%s/none", r->folder);
	assert_fails(mfs_host_create(&(struct mfs_options){.path = path}, &fs), -ENOENT, "none");
	assert_fails(mfs_host_create(&(struct mfs_options){.path = r->folder, .name = "a/b"}, &fs), -EINVAL, "a/b");
	assert_ok(mfs_host_create(&(struct mfs_options){.path = "/"}, &fs));
	assert_string_equal(fs->name, "root");
	mfs_put(fs);
	assert_string_equal(r->fs->name, "share");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RIG_TEST(an_open_file_works_after_its_removal),
		RIG_TEST(a_directory_that_is_open_works_after_its_removal),
		RIG_TEST(a_file_keeps_being_itself_when_it_is_renamed),
		RIG_TEST(truncation_works_under_an_open_file_and_by_opening),
		RIG_TEST(what_the_host_changes_shows_at_once),
		RIG_TEST(hard_links_are_one_file),
		RIG_TEST(links_are_read_as_they_were_written),
		RIG_TEST(a_file_is_made_where_a_dangling_link_leads),
		RIG_TEST(times_are_kept_to_the_nanosecond),
		RIG_TEST(files_can_have_holes),
		RIG_TEST(space_is_allocated_and_given_back),
		RIG_TEST(bytes_are_copied_by_the_host),
		RIG_TEST(writes_are_appended_where_the_file_ends_now),
		RIG_TEST(a_file_without_a_name_can_get_one),
		RIG_TEST(opening_fails_as_the_host_does),
		RIG_TEST(names_fail_as_the_host_does),
		RIG_TEST(a_node_is_removed_and_renamed_by_itself),
		RIG_TEST(reading_and_writing_need_the_right_node),
		RIG_TEST(pages_are_mapped_through_a_descriptor_of_the_callers),
		RIG_TEST(modes_are_what_the_guest_asked_for),
		RIG_TEST(the_file_system_is_described),
		RIG_TEST(a_lookup_of_the_node_itself_is_that_object),
		RIG_TEST(calls_and_bytes_are_counted),
		RIG_TEST(a_share_is_made_of_directories_only),
	};

	return cmocka_run_group_tests_name("mfs_posix", tests, NULL, NULL);
}
