/*
 * Whose the files of a share are: the three ways to show and keep it. What truly changes owners on the host is tried as
 * root only.
 */
#include <dirent.h>
#include <fcntl.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include "tests/unit/mfs_rig.h"

/* The share once more with that owner; without extended attributes on the host owner=mapped is skipped. */
static void own(struct rig *r, enum mfs_owner owner)
{
	char path[80];

	snprintf(path, sizeof(path), "%s/share", r->folder);
	if (owner == MFS_OWNER_MAPPED && setxattr(path, "user.biscuit.probe", "1", 1, 0))
		skip();
	removexattr(path, "user.biscuit.probe");
	rig_share(r, (struct mfs_options){.owner = owner, .uid = 500, .gid = 50});
}

static void keep(const struct rig *r, const char *path, const char *text)
{
	char whole[128];

	snprintf(whole, sizeof(whole), "%s/%s", r->folder, path);
	assert_int_equal(setxattr(whole, "user.biscuit.owner", text, strlen(text), 0), 0);
}

static void the_host_users_files_are_the_guests(void **state)
{
	struct rig *r = *state;
	struct mfs_attr attr = {.uid = 7, .gid = 8, .mode = 06755};

	own(r, MFS_OWNER_GUEST);
	host_put(r, "share/f", "x");
	assert_int_equal(attr_of(AT(r, "f")).uid, 500);
	assert_int_equal(attr_of(AT(r, "f")).gid, 50);
	/* A guest's root can unpack an archive: changes of owner succeed, and change nothing. */
	assert_ok(mfs_set(AT(r, "f"), MFS_SET_UID | MFS_SET_GID | MFS_SET_MODE, &attr));
	assert_int_equal(attr_of(AT(r, "f")).uid, 500);
	assert_int_equal(host_stat_of(r, "share/f").st_mode, S_IFREG | 0755);
	assert_int_equal(host_stat_of(r, "share/f").st_uid, geteuid());
	assert_ok(mfs_symlink(AT(r, "s"), "f", rig_who));
	assert_ok(mfs_set(AT(r, "s"), MFS_SET_UID, &attr));
	assert_int_equal(mfs_set(AT(r, "s"), MFS_SET_MODE, &attr), -EOPNOTSUPP);
	if (geteuid() == 0) {
		assert_int_equal(fchownat(r->dir, "share/f", 1234, 1234, 0), 0);
		assert_int_equal(attr_of(AT(r, "f")).uid, 65534);
		assert_int_equal(attr_of(AT(r, "f")).gid, 65534);
	}
}

static void owners_and_modes_are_kept_with_the_files(void **state)
{
	struct rig *r = *state;
	struct mfs_attr attr;

	own(r, MFS_OWNER_MAPPED);
	make_file(r, "f", "x");
	assert_ok(mfs_mkdir(AT(r, "d"), 03770, rig_who));
	attr = attr_of(AT(r, "f"));
	assert_int_equal(attr.uid, rig_who.uid);
	assert_int_equal(attr.gid, rig_who.gid);
	assert_int_equal(attr.mode, S_IFREG | 0644);
	assert_int_equal(attr_of(AT(r, "d")).mode, S_IFDIR | 03770);
	attr = (struct mfs_attr){.uid = 1, .gid = 2, .mode = 04000};
	assert_ok(mfs_set(AT(r, "f"), MFS_SET_UID | MFS_SET_GID | MFS_SET_MODE, &attr));
	attr = attr_of(AT(r, "f"));
	assert_int_equal(attr.uid, 1);
	assert_int_equal(attr.gid, 2);
	assert_int_equal(attr.mode, S_IFREG | 04000);
	/* The host's user can go on using it, and nothing is set-id there. */
	assert_int_equal(host_stat_of(r, "share/f").st_mode, S_IFREG | 0600);
	assert_int_equal(host_stat_of(r, "share/d").st_mode & 07777, 0770);
	assert_string_equal(text_at(r, "f"), "x");
	/* As on the host: with a new owner the set-id bit goes. */
	attr.uid = 9;
	assert_ok(mfs_set(AT(r, "f"), MFS_SET_UID, &attr));
	assert_int_equal(attr_of(AT(r, "f")).mode, S_IFREG);
	/* It outlives the share. */
	rig_share(r, (struct mfs_options){.owner = MFS_OWNER_MAPPED});
	assert_int_equal(attr_of(AT(r, "f")).uid, 9);
}

/* What a guest has written shall not run with the rights of the host's user. */
static void set_id_bits_of_the_host_go_when_a_guest_writes(void **state)
{
	static const struct {
		unsigned flags;
		mode_t mode;
	} rows[] = {
		{MFS_READ, 06755},
		{MFS_WRITE, 0755},
		{MFS_READ_WRITE | MFS_APPEND, 0755},
		{MFS_READ | MFS_TRUNCATE, 0755},
		{MFS_WRITE | MFS_CREATE, 0755},
	};
	static const enum mfs_owner owners[] = {MFS_OWNER_GUEST, MFS_OWNER_MAPPED};
	struct rig *r = *state;

	for (size_t o = 0; o < 2; o++) {
		own(r, owners[o]);
		host_put(r, "share/f", "x");
		for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
			assert_int_equal(fchmodat(r->dir, "share/f", 06755, 0), 0);
			assert_ok(try_open(AT(r, "f"), rows[i].flags));
			assert_int_equal(host_stat_of(r, "share/f").st_mode & 07777, rows[i].mode);
		}
		assert_int_equal(fchmodat(r->dir, "share/f", 06755, 0), 0);
		assert_ok(mfs_set(AT(r, "f"), MFS_SET_SIZE, &(struct mfs_attr){.size = 3}));
		assert_int_equal(host_stat_of(r, "share/f").st_mode & 07777, 0755);
	}
}

static void what_keeps_nothing_has_the_default_owner(void **state)
{
	struct rig *r = *state;

	own(r, MFS_OWNER_MAPPED);
	host_put(r, "share/f", "x");
	assert_int_equal(attr_of(AT(r, "f")).uid, 500);
	assert_int_equal(attr_of(AT(r, "f")).mode, S_IFREG | 0644);
	assert_ok(mfs_symlink(AT(r, "s"), "f", rig_who));
	assert_int_equal(attr_of(AT(r, "s")).uid, 500);
	assert_ok(mfs_set(AT(r, "s"), MFS_SET_UID, &(struct mfs_attr){.uid = 3}));
	assert_int_equal(attr_of(AT(r, "s")).gid, 50);
	/* A file that even the host's user may not write can be given away. */
	assert_int_equal(fchmodat(r->dir, "share/f", 0444, 0), 0);
	assert_ok(mfs_set(AT(r, "f"), MFS_SET_UID, &(struct mfs_attr){.uid = 3}));
	assert_int_equal(attr_of(AT(r, "f")).uid, 3);
	assert_int_equal(attr_of(AT(r, "f")).mode, S_IFREG | 0444);
}

static void special_files_are_kept_as_regular_ones(void **state)
{
	struct rig *r = *state;
	struct mfs_attr attr = {.size = 1};

	own(r, MFS_OWNER_MAPPED);
	assert_ok(mfs_mknod(AT(r, "null"), S_IFCHR | 0666, makedev(1, 3), rig_who));
	assert_ok(mfs_mknod(AT(r, "disk"), S_IFBLK | 0660, makedev(259, 70000), rig_who));
	assert_ok(mfs_mknod(AT(r, "fifo"), S_IFIFO | 0600, 0, rig_who));
	assert_true(S_ISREG(host_stat_of(r, "share/null").st_mode));
	assert_int_equal(attr_of(AT(r, "null")).mode, S_IFCHR | 0666);
	assert_int_equal(attr_of(AT(r, "null")).rdev, makedev(1, 3));
	assert_int_equal(attr_of(AT(r, "disk")).rdev, makedev(259, 70000));
	assert_int_equal(attr_of(AT(r, "fifo")).mode, S_IFIFO | 0600);
	assert_int_equal(try_open(AT(r, "null"), MFS_READ_WRITE), -ENXIO);
	assert_int_equal(try_open(AT(r, "fifo"), MFS_READ), -ENXIO);
	assert_int_equal(mfs_set(AT(r, "fifo"), MFS_SET_SIZE, &attr), -EINVAL);
	attr.mode = 0640;
	assert_ok(mfs_set(AT(r, "null"), MFS_SET_MODE, &attr));
	assert_int_equal(attr_of(AT(r, "null")).mode, S_IFCHR | 0640);
}

/* Whoever can write attributes on the host can write nonsense: it is as if nothing was kept. */
static void what_is_kept_may_be_nonsense(void **state)
{
	static const char *const nonsense[] = {"",
					       "1",
					       "1:2:3",
					       "1:2:100644:0:0",
					       "-1:2:100644:0",
					       " 1:2:100644:0",
					       "1:2:100648:0",
					       "4294967295:2:100644:0",
					       "99999999999999999999:2:100644:0",
					       "1:2:777777777:0",
					       "1:2:100644:",
					       "1:2:100644:18446744073709551616",
					       "1:2:100644:0000000000000000000000000000000000000000000000000000000000"};
	struct rig *r = *state;

	own(r, MFS_OWNER_MAPPED);
	host_put(r, "share/f", "x");
	assert_int_equal(mkdirat(r->dir, "share/d", 0755), 0);
	for (size_t i = 0; i < sizeof(nonsense) / sizeof(nonsense[0]); i++) {
		keep(r, "share/f", nonsense[i]);
		assert_int_equal(attr_of(AT(r, "f")).uid, 500);
		assert_int_equal(attr_of(AT(r, "f")).mode, S_IFREG | 0644);
	}
	/* A file is no directory or link by what it says, and a directory nothing else. */
	keep(r, "share/f", "1:2:40700:0");
	assert_int_equal(attr_of(AT(r, "f")).mode, S_IFREG | 0700);
	keep(r, "share/f", "1:2:120777:0");
	assert_int_equal(attr_of(AT(r, "f")).mode, S_IFREG | 0777);
	keep(r, "share/d", "1:2:20700:259");
	assert_int_equal(attr_of(AT(r, "d")).mode, S_IFDIR | 0700);
	assert_int_equal(attr_of(AT(r, "d")).rdev, 0);
}

static void the_guest_cannot_write_what_is_kept(void **state)
{
	struct rig *r = *state;
	char text[64];

	own(r, MFS_OWNER_MAPPED);
	make_file(r, "f", "x");
	assert_true(mfs_setxattr(AT(r, "f"), "user.biscuit.owner", "0:0:104755:0", 12, 0) < 0);
	assert_true(mfs_removexattr(AT(r, "f"), "user.biscuit.owner") < 0);
	assert_true(mfs_getxattr(AT(r, "f"), "user.biscuit.owner", text, sizeof(text)) < 0);
	assert_int_equal(mfs_listxattr(AT(r, "f"), text, sizeof(text)), 0);
	assert_int_equal(attr_of(AT(r, "f")).uid, rig_who.uid);
}

static bool count_unknown(void *arg, const struct mfs_entry *entry)
{
	*(unsigned *)arg += entry->type == DT_UNKNOWN;
	return true;
}

static void a_listing_does_not_call_a_device_a_file(void **state)
{
	struct rig *r = *state;
	struct mfs_node *dir;
	unsigned unknown = 0;

	own(r, MFS_OWNER_MAPPED);
	assert_ok(mfs_mknod(AT(r, "null"), S_IFCHR | 0666, makedev(1, 3), rig_who));
	dir = open_file(r, ".", MFS_READ);
	assert_ok(mfs_list(dir, 0, count_unknown, &unknown));
	assert_int_equal(unknown, 1);
	mfs_node_put(dir);
}

static void owners_of_the_host_are_really_changed(void **state)
{
	struct rig *r = *state;
	struct mfs_attr attr = {.uid = 77, .gid = 78, .mode = 04711};
	struct stat st;

	if (geteuid() != 0)
		skip();
	own(r, MFS_OWNER_HOST);
	make_file(r, "f", "x");
	assert_ok(mfs_mkdir(AT(r, "d"), 01777, rig_who));
	assert_ok(mfs_symlink(AT(r, "s"), "f", rig_who));
	assert_ok(mfs_mknod(AT(r, "p"), S_IFIFO | 0622, 0, rig_who));
	assert_int_equal(host_stat_of(r, "share/f").st_uid, rig_who.uid);
	assert_int_equal(host_stat_of(r, "share/f").st_gid, rig_who.gid);
	assert_int_equal(host_stat_of(r, "share/d").st_mode, S_IFDIR | 01777);
	assert_int_equal(host_stat_of(r, "share/s").st_uid, rig_who.uid);
	assert_int_equal(host_stat_of(r, "share/p").st_mode, S_IFIFO | 0622);
	assert_ok(mfs_set(AT(r, "f"), MFS_SET_UID | MFS_SET_GID | MFS_SET_MODE, &attr));
	st = host_stat_of(r, "share/f");
	assert_int_equal(st.st_uid, 77);
	assert_int_equal(st.st_gid, 78);
	assert_int_equal(st.st_mode, S_IFREG | 04711);
	/* A link's own owner, not its target's. */
	attr.uid = 99;
	assert_ok(mfs_set(AT(r, "s"), MFS_SET_UID, &attr));
	assert_int_equal(host_stat_of(r, "share/s").st_uid, 99);
	assert_int_equal(host_stat_of(r, "share/f").st_uid, 77);
}

static void without_privileges_nothing_is_left_behind(void **state)
{
	struct rig *r = *state;

	if (geteuid() == 0)
		skip();
	own(r, MFS_OWNER_HOST);
	assert_int_equal(try_open(AT(r, "f"), MFS_WRITE | MFS_CREATE), -EPERM);
	assert_int_equal(mfs_mkdir(AT(r, "d"), 0755, (struct mfs_who){0}), -EPERM);
	assert_false(host_has(r, "share/f"));
	assert_false(host_has(r, "share/d"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RIG_TEST(the_host_users_files_are_the_guests),
		RIG_TEST(owners_and_modes_are_kept_with_the_files),
		RIG_TEST(set_id_bits_of_the_host_go_when_a_guest_writes),
		RIG_TEST(what_keeps_nothing_has_the_default_owner),
		RIG_TEST(special_files_are_kept_as_regular_ones),
		RIG_TEST(what_is_kept_may_be_nonsense),
		RIG_TEST(the_guest_cannot_write_what_is_kept),
		RIG_TEST(a_listing_does_not_call_a_device_a_file),
		RIG_TEST(owners_of_the_host_are_really_changed),
		RIG_TEST(without_privileges_nothing_is_left_behind),
	};

	return cmocka_run_group_tests_name("mfs_owner", tests, NULL, NULL);
}
