/*
 * A share that is read-only cannot be changed by any operation: each call that could change something is tried in every
 * way, and afterwards the host's tree is what it was, down to times and attributes.
 */
#include <dirent.h>
#include <fcntl.h>
#include <sys/sysmacros.h>

#include "tests/unit/mfs_rig.h"

/* --- The tree as a number --- */

static uint64_t mix(uint64_t hash, const void *bytes, size_t len)
{
	for (const uint8_t *p = bytes; len--; p++)
		hash = (hash ^ *p) * 0x100000001b3;
	return hash;
}

static uint64_t hash_tree(int dir, const char *name)
{
	uint64_t hash = 0xcbf29ce484222325;
	char buf[4096];
	struct dirent *e;
	struct stat st;
	ssize_t len = 0;
	int fd;
	DIR *d;

	assert_int_equal(fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW), 0);
	hash = mix(hash, name, strlen(name));
	hash = mix(hash, &st.st_mode, sizeof(st.st_mode));
	hash = mix(hash, &st.st_uid, sizeof(st.st_uid));
	hash = mix(hash, &st.st_nlink, sizeof(st.st_nlink));
	hash = mix(hash, &st.st_size, sizeof(st.st_size));
	hash = mix(hash, &st.st_mtim, sizeof(st.st_mtim));
	hash = mix(hash, &st.st_ctim, sizeof(st.st_ctim));
	if (!S_ISLNK(st.st_mode))
		hash = mix(hash, &st.st_atim, sizeof(st.st_atim));
	if (S_ISREG(st.st_mode)) {
		fd = openat(dir, name, O_RDONLY | O_NOATIME | O_CLOEXEC);
		while ((len = read(fd, buf, sizeof(buf))) > 0)
			hash = mix(hash, buf, (size_t)len);
		close(fd);
	} else if (S_ISDIR(st.st_mode)) {
		uint64_t sum = 0;

		d = fdopendir(openat(dir, name, O_RDONLY | O_NOATIME | O_DIRECTORY | O_CLOEXEC));
		while ((e = readdir(d)))
			if (e->d_name[0] != '.')
				sum += hash_tree(dirfd(d), e->d_name);
		closedir(d);
		hash = mix(hash, &sum, sizeof(sum));
	}
	return hash;
}

/* --- The calls --- */

static int set_mode(struct rig *r)
{
	return mfs_set(AT(r, "f"), MFS_SET_MODE, &(struct mfs_attr){.mode = 0});
}

static int set_owner(struct rig *r)
{
	return mfs_set(AT(r, "f"), MFS_SET_UID | MFS_SET_GID, &(struct mfs_attr){.uid = 1, .gid = 1});
}

static int set_size(struct rig *r)
{
	return mfs_set(AT(r, "f"), MFS_SET_SIZE, &(struct mfs_attr){.size = 0});
}

static int set_times(struct rig *r)
{
	return mfs_set(AT(r, "f"), MFS_SET_ATIME_NOW | MFS_SET_MTIME_NOW, &(struct mfs_attr){0});
}

static int set_nothing(struct rig *r)
{
	return mfs_set(AT(r, ""), MFS_SET_CTIME, &(struct mfs_attr){0});
}

static int open_write(struct rig *r)
{
	return try_open(AT(r, "f"), MFS_WRITE);
}

static int open_both(struct rig *r)
{
	return try_open(AT(r, "f"), MFS_READ_WRITE | MFS_APPEND);
}

static int open_truncate(struct rig *r)
{
	return try_open(AT(r, "f"), MFS_READ | MFS_TRUNCATE);
}

static int open_create(struct rig *r)
{
	return try_open(AT(r, "new"), MFS_READ | MFS_CREATE);
}

static int open_exclusive(struct rig *r)
{
	return try_open(AT(r, "new"), MFS_READ | MFS_CREATE | MFS_EXCLUSIVE);
}

static int open_dangling(struct rig *r)
{
	return try_open(FOLLOW(r, "dangling"), MFS_READ | MFS_CREATE);
}

static int open_temporary(struct rig *r)
{
	return try_open(AT(r, "d"), MFS_READ_WRITE | MFS_TEMPORARY);
}

static int open_temporary_read(struct rig *r)
{
	return try_open(AT(r, "d"), MFS_READ | MFS_TEMPORARY);
}

static int make_directory(struct rig *r)
{
	return mfs_mkdir(AT(r, "new"), 0777, rig_who);
}

static int make_regular(struct rig *r)
{
	return mfs_mknod(AT(r, "new"), S_IFREG | 0666, 0, rig_who);
}

static int make_fifo(struct rig *r)
{
	return mfs_mknod(AT(r, "d/new"), S_IFIFO | 0666, 0, rig_who);
}

static int make_device(struct rig *r)
{
	return mfs_mknod(AT(r, "new"), S_IFCHR | 0666, makedev(1, 3), rig_who);
}

static int make_symlink(struct rig *r)
{
	return mfs_symlink(AT(r, "new"), "f", rig_who);
}

static int make_link(struct rig *r)
{
	return mfs_link(AT(r, "f"), AT(r, "new"));
}

static int rename_file(struct rig *r)
{
	return mfs_rename(AT(r, "f"), AT(r, "d/f"), 0);
}

static int rename_exchange(struct rig *r)
{
	return mfs_rename(AT(r, "f"), AT(r, "d"), MFS_RENAME_EXCHANGE);
}

static int rename_whiteout(struct rig *r)
{
	return mfs_rename(AT(r, "f"), AT(r, "new"), MFS_RENAME_WHITEOUT);
}

static int unlink_file(struct rig *r)
{
	return mfs_unlink(AT(r, "f"), false);
}

static int unlink_directory(struct rig *r)
{
	return mfs_unlink(AT(r, "d"), true);
}

static int unlink_root(struct rig *r)
{
	return mfs_unlink(AT(r, ""), true);
}

static int set_xattr(struct rig *r)
{
	return mfs_setxattr(AT(r, "f"), "user.a", "b", 1, 0);
}

static int remove_xattr(struct rig *r)
{
	return mfs_removexattr(AT(r, "f"), "user.a");
}

/* Calls on a file that is open, as far as that goes. */
static int on_open(struct rig *r, int which)
{
	struct bis_mem_range range = {.pa = {RIG_RAM}, .len = 4};
	struct mfs_node *node = open_file(r, "f", MFS_READ);
	ssize_t result = 0;
	int fd = -1;

	if (which == 0)
		result = mfs_write(node, r->memory, &range, 1, 0);
	else if (which == 1)
		result = mfs_fallocate(node, 0, 0, 65536);
	else if (which == 2)
		result = mfs_fallocate(node, 1 | 2, 0, 4);
	else if (which == 3)
		result = mfs_copy(node, 0, node, 4, 4);
	else if (which == 4)
		result = mfs_map(node, true, &fd);
	else if (which == 5)
		result = mfs_set(NODE(node), MFS_SET_SIZE, &(struct mfs_attr){.size = 1});
	else if (which == 6)
		result = try_open(NODE(node), MFS_WRITE);
	else
		result = mfs_setxattr(NODE(node), "user.a", "b", 1, 0);
	mfs_node_put(node);
	return (int)result;
}

/* A description that says it was open for writing. */
static int reopen(struct rig *r)
{
	struct mfs_node *node = open_file(r, "f", MFS_READ);
	struct mfs_description d;

	assert_ok(mfs_describe(node, &d));
	mfs_node_put(node);
	d.flags = MFS_READ_WRITE;
	return mfs_reopen(r->fs, &d, &node);
}

static int (*const calls[])(struct rig *) = {
	set_mode,
	set_owner,
	set_size,
	set_times,
	set_nothing,
	open_write,
	open_both,
	open_truncate,
	open_create,
	open_exclusive,
	open_dangling,
	open_temporary,
	open_temporary_read,
	make_directory,
	make_regular,
	make_fifo,
	make_device,
	make_symlink,
	make_link,
	rename_file,
	rename_exchange,
	rename_whiteout,
	unlink_file,
	unlink_directory,
	unlink_root,
	set_xattr,
	remove_xattr,
	reopen,
};

static void fill_tree(struct rig *r)
{
	host_put(r, "share/f", "some text");
	assert_int_equal(mkdirat(r->dir, "share/d", 0755), 0);
	host_put(r, "share/d/g", "more text");
	assert_int_equal(symlinkat("nowhere", r->dir, "share/dangling"), 0);
	assert_int_equal(symlinkat("d/g", r->dir, "share/s"), 0);
}

/* What reads must go on working. */
static void read_everything(struct rig *r)
{
	struct mfs_node *node;
	char buf[16];
	int fd;

	assert_string_equal(text_at(r, "f"), "some text");
	assert_string_equal(text_at(r, "s"), "more text");
	assert_int_equal(mfs_readlink(AT(r, "s"), buf, sizeof(buf)), 3);
	node = open_file(r, "f", MFS_READ | MFS_CREATE);
	assert_ok(mfs_map(node, false, &fd));
	/* Not even its descriptor can write. */
	assert_int_equal(fcntl(fd, F_GETFL) & O_ACCMODE, O_RDONLY);
	close(fd);
	assert_ok(mfs_sync(node, false));
	mfs_node_put(node);
	assert_int_equal(try_open(AT(r, "f"), MFS_READ | MFS_CREATE | MFS_EXCLUSIVE), -EEXIST);
	assert_int_equal(try_open(AT(r, "none"), MFS_READ), -ENOENT);
}

static void nothing_can_be_changed(void **state)
{
	static const enum mfs_owner owners[] = {MFS_OWNER_GUEST, MFS_OWNER_MAPPED, MFS_OWNER_HOST};
	struct rig *r = *state;
	uint64_t before;

	fill_tree(r);
	before = hash_tree(r->dir, "share");
	for (size_t o = 0; o < sizeof(owners) / sizeof(owners[0]); o++) {
		struct mfs_options options = {.readonly = true, .devices = true, .owner = owners[o]};

		rig_share(r, options);
		for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
			int err = calls[i](r);

			if (err != -EROFS)
				print_error("call %zu with owner %zu: %d\n", i, o, err);
			assert_int_equal(err, -EROFS);
		}
		for (int i = 0; i < 8; i++)
			assert_int_equal(on_open(r, i), -EROFS);
		read_everything(r);
		assert_int_equal(hash_tree(r->dir, "share"), before);
	}
}

/* What the host may go on doing shows in a read-only share, too. */
static void the_host_may_change_it(void **state)
{
	struct rig *r = *state;
	struct mfs_node *node;

	fill_tree(r);
	rig_share(r, (struct mfs_options){.readonly = true});
	node = open_file(r, "f", MFS_READ);
	host_put(r, "share/f", "changed");
	assert_string_equal(get_text(r, node, 0), "changed");
	mfs_node_put(node);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RIG_TEST(nothing_can_be_changed),
		RIG_TEST(the_host_may_change_it),
	};

	return cmocka_run_group_tests_name("mfs_readonly", tests, NULL, NULL);
}
