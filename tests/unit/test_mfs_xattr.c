/*
 * Extended attributes, as xattr(7) has them: which names a guest may use with each way of owning files, and what comes
 * back. Biscuit's own attributes do not exist for it.
 */
#include <sys/xattr.h>

#include "tests/unit/mfs_rig.h"

#define OWN "user.biscuit.owner"

static const char *host_path(const struct rig *r, const char *name)
{
	static char path[100];

	snprintf(path, sizeof(path), "%s/share/%s", r->folder, name);
	return path;
}

/* Not every file system of a host has attributes. */
static void need_attributes(const struct rig *r)
{
	if (setxattr(host_path(r, ""), "user.probe", "x", 1, 0) && errno == EOPNOTSUPP)
		skip();
	removexattr(host_path(r, ""), "user.probe");
}

/* The value of an attribute as text; valid until the next call. */
static const char *value_of(const struct mfs_at *at, const char *name)
{
	static char text[256];
	ssize_t got = mfs_getxattr(at, name, text, sizeof(text) - 1);

	if (got < 0)
		return "(none)";
	text[got] = 0;
	return text;
}

static int set(const struct mfs_at *at, const char *name, const char *value, unsigned flags)
{
	return mfs_setxattr(at, name, value, strlen(value), flags);
}

/* Is the name in the list? */
static bool lists(const struct mfs_at *at, const char *name)
{
	char list[4096];
	ssize_t len = mfs_listxattr(at, list, sizeof(list));

	assert_true(len >= 0);
	for (ssize_t i = 0; i < len; i += (ssize_t)strlen(list + i) + 1)
		if (!strcmp(list + i, name))
			return true;
	return false;
}

static void attributes_are_kept_with_the_file(void **state)
{
	struct rig *r = *state;
	char text[8];

	need_attributes(r);
	make_file(r, "f", "text");
	assert_ok(set(AT(r, "f"), "user.color", "green", 0));
	assert_int_equal(getxattr(host_path(r, "f"), "user.color", text, sizeof(text)), 5);
	assert_string_equal(value_of(AT(r, "f"), "user.color"), "green");
	assert_true(lists(AT(r, "f"), "user.color"));
	/* The host changes it. */
	assert_int_equal(setxattr(host_path(r, "f"), "user.color", "red", 3, 0), 0);
	assert_string_equal(value_of(AT(r, "f"), "user.color"), "red");
	assert_ok(mfs_rename(AT(r, "f"), AT(r, "g"), 0));
	assert_string_equal(value_of(AT(r, "g"), "user.color"), "red");
	assert_ok(mfs_removexattr(AT(r, "g"), "user.color"));
	assert_int_equal(mfs_removexattr(AT(r, "g"), "user.color"), -ENODATA);
	assert_int_equal(mfs_getxattr(AT(r, "g"), "user.color", NULL, 0), -ENODATA);
	assert_int_equal(mfs_listxattr(AT(r, "g"), NULL, 0), 0);
	/* Directories have some, too; nodes as well as names. */
	assert_ok(set(NODE(r->root), "user.top", "", 0));
	assert_true(lists(AT(r, "/"), "user.top"));
	assert_int_equal(mfs_getxattr(NODE(r->root), "user.top", text, sizeof(text)), 0);
	assert_int_equal(mfs_getxattr(AT(r, "nothing"), "user.top", text, sizeof(text)), -ENOENT);
}

static void create_and_replace_mean_what_they_say(void **state)
{
	struct rig *r = *state;

	need_attributes(r);
	make_file(r, "f", "");
	assert_int_equal(set(AT(r, "f"), "user.a", "1", XATTR_REPLACE), -ENODATA);
	assert_ok(set(AT(r, "f"), "user.a", "1", XATTR_CREATE));
	assert_int_equal(set(AT(r, "f"), "user.a", "2", XATTR_CREATE), -EEXIST);
	assert_ok(set(AT(r, "f"), "user.a", "3", XATTR_REPLACE));
	assert_string_equal(value_of(AT(r, "f"), "user.a"), "3");
	assert_int_equal(set(AT(r, "f"), "user.a", "3", 4), -EINVAL);
}

static void sizes_are_asked_for_and_checked(void **state)
{
	struct rig *r = *state;
	char *big = calloc(1, 70000), long_name[300] = "user.";
	char buf[16];
	int err;

	need_attributes(r);
	make_file(r, "f", "");
	assert_ok(set(AT(r, "f"), "user.a", "12345678", 0));
	assert_ok(set(AT(r, "f"), "user.b", "", 0));
	assert_int_equal(mfs_getxattr(AT(r, "f"), "user.a", NULL, 0), 8);
	assert_int_equal(mfs_getxattr(AT(r, "f"), "user.a", buf, 7), -ERANGE);
	assert_int_equal(mfs_getxattr(AT(r, "f"), "user.a", buf, 8), 8);
	assert_int_equal(mfs_getxattr(AT(r, "f"), "user.a", big, SIZE_MAX / 2), 8);
	assert_int_equal(mfs_listxattr(AT(r, "f"), NULL, 0), 14);
	assert_int_equal(mfs_listxattr(AT(r, "f"), buf, 13), -ERANGE);
	assert_int_equal(mfs_listxattr(AT(r, "f"), buf, 14), 14);
	/* The host's file system may take less than Linux allows, but nobody takes more. */
	assert_int_equal(mfs_setxattr(AT(r, "f"), "user.big", big, 65537, 0), -E2BIG);
	err = mfs_setxattr(AT(r, "f"), "user.big", big, 65536, 0);
	assert_true(err == 0 || err == -ENOSPC || err == -E2BIG);
	if (!err)
		assert_int_equal(mfs_getxattr(AT(r, "f"), "user.big", big, 70000), 65536);
	memset(long_name + 5, 'n', 255 - 5);
	assert_ok(set(AT(r, "f"), long_name, "x", 0));
	strcat(long_name, "n");
	assert_int_equal(set(AT(r, "f"), long_name, "x", 0), -ERANGE);
	assert_int_equal(mfs_getxattr(AT(r, "f"), "", buf, 1), -ERANGE);
	free(big);
}

static void links_have_none_and_lead_to_none(void **state)
{
	struct rig *r = *state;
	char buf[16];

	need_attributes(r);
	make_file(r, "f", "");
	assert_ok(mfs_symlink(AT(r, "l"), "f", rig_who));
	assert_int_equal(symlinkat("../outside/canary", r->dir, "share/out"), 0);
	assert_ok(set(AT(r, "f"), "user.a", "1", 0));
	/* The link itself. */
	assert_int_equal(set(AT(r, "l"), "user.a", "2", 0), -EPERM);
	assert_int_equal(mfs_getxattr(AT(r, "l"), "user.a", buf, sizeof(buf)), -ENODATA);
	assert_false(lists(AT(r, "l"), "user.a"));
	assert_int_equal(set(AT(r, "out"), "user.a", "2", 0), -EPERM);
	/* What it leads to. */
	assert_string_equal(value_of(FOLLOW(r, "l"), "user.a"), "1");
	assert_ok(set(FOLLOW(r, "l"), "user.a", "3", 0));
	assert_string_equal(value_of(AT(r, "f"), "user.a"), "3");
	assert_true(set(FOLLOW(r, "out"), "user.a", "2", 0) < 0);
	assert_true(mfs_listxattr(FOLLOW(r, "out"), buf, sizeof(buf)) < 0);
}

static void a_read_only_share_keeps_its_attributes(void **state)
{
	struct rig *r = *state;

	need_attributes(r);
	make_file(r, "f", "");
	assert_ok(set(AT(r, "f"), "user.a", "1", 0));
	rig_share(r, (struct mfs_options){.readonly = true});
	assert_string_equal(value_of(AT(r, "f"), "user.a"), "1");
	assert_int_equal(set(AT(r, "f"), "user.a", "2", 0), -EROFS);
	assert_int_equal(set(AT(r, "f"), "user.b", "2", XATTR_CREATE), -EROFS);
	assert_int_equal(mfs_removexattr(AT(r, "f"), "user.a"), -EROFS);
	assert_string_equal(value_of(AT(r, "f"), "user.a"), "1");
}

/* Which names are taken with which owner; they are set by the host first, where that is allowed to. */
static void namespaces_depend_on_the_owner(void **state)
{
	/* Version 2; tag, permissions and id of the owner, user 1000, the group, the mask and others. */
	static const uint8_t acl[] = {2, 0,   0,   0,	1,   0,	  6,  0, 255, 255, 255, 255, 2,	  0,  4,
				      0, 232, 3,   0,	0,   4,	  0,  4, 0,   255, 255, 255, 255, 16, 0,
				      4, 0,   255, 255, 255, 255, 32, 0, 4,   0,   255, 255, 255, 255};
	static const struct {
		const char *name;
		bool guest, host;
	} table[] = {
		{"user.a", true, true},
		{"user.biscuitish", true, true},
		{"security.biscuit", false, true},
		{"trusted.a", false, true},
		{"system.posix_acl_access", false, true},
		{"system.other", false, false},
		{"other", false, false},
		{"USER.a", false, false},
	};
	struct rig *r = *state;

	need_attributes(r);
	for (unsigned owner = MFS_OWNER_GUEST; owner <= MFS_OWNER_HOST; owner++) {
		if (owner == MFS_OWNER_HOST && geteuid() != 0)
			continue;
		rig_share(r, (struct mfs_options){.owner = (enum mfs_owner)owner});
		for (size_t i = 0; i < BIS_ARRAY_SIZE(table); i++) {
			const char *name = table[i].name;
			bool is_acl = strstr(name, "posix_acl");
			bool taken = owner == MFS_OWNER_HOST ? table[i].host : table[i].guest;
			const void *value = is_acl ? (const void *)acl : "value";
			size_t size = is_acl ? sizeof(acl) : 5;
			char buf[64];
			int err;

			host_put(r, "share/f", "");
			err = mfs_setxattr(AT(r, "f"), name, value, size, 0);
			/* A host's file system may know no ACLs. */
			if (taken && is_acl && err == -EOPNOTSUPP)
				continue;
			assert_int_equal(err, taken ? 0 : -EOPNOTSUPP);
			if (!taken)
				(void)!setxattr(host_path(r, "f"), name, value, size, 0);
			assert_int_equal(mfs_getxattr(AT(r, "f"), name, buf, sizeof(buf)) >= 0, taken);
			assert_int_equal(lists(AT(r, "f"), name), taken);
			assert_int_equal(mfs_removexattr(AT(r, "f"), name), taken ? 0 : -EOPNOTSUPP);
			assert_int_equal(unlinkat(r->dir, "share/f", 0), 0);
		}
	}
}

static void biscuits_own_do_not_exist_for_a_guest(void **state)
{
	static const char *const names[] = {OWN, "user.biscuit.", "user.biscuit.other"};
	struct rig *r = *state;
	char buf[64];

	need_attributes(r);
	for (unsigned owner = MFS_OWNER_GUEST; owner <= MFS_OWNER_HOST; owner++) {
		if (owner == MFS_OWNER_HOST && geteuid() != 0)
			continue;
		rig_share(r, (struct mfs_options){.owner = (enum mfs_owner)owner});
		host_put(r, "share/f", "");
		for (size_t i = 0; i < BIS_ARRAY_SIZE(names); i++) {
			assert_int_equal(setxattr(host_path(r, "f"), names[i], "kept", 4, 0), 0);
			assert_int_equal(mfs_getxattr(AT(r, "f"), names[i], buf, sizeof(buf)), -ENODATA);
			assert_int_equal(set(AT(r, "f"), names[i], "forged", 0), -EPERM);
			assert_int_equal(mfs_removexattr(AT(r, "f"), names[i]), -ENODATA);
			assert_false(lists(AT(r, "f"), names[i]));
			assert_int_equal(getxattr(host_path(r, "f"), names[i], buf, sizeof(buf)), 4);
			assert_memory_equal(buf, "kept", 4);
		}
		assert_int_equal(mfs_listxattr(AT(r, "f"), NULL, 0), 0);
		assert_int_equal(unlinkat(r->dir, "share/f", 0), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RIG_TEST(attributes_are_kept_with_the_file),	  RIG_TEST(create_and_replace_mean_what_they_say),
		RIG_TEST(sizes_are_asked_for_and_checked),	  RIG_TEST(links_have_none_and_lead_to_none),
		RIG_TEST(a_read_only_share_keeps_its_attributes), RIG_TEST(namespaces_depend_on_the_owner),
		RIG_TEST(biscuits_own_do_not_exist_for_a_guest),
	};

	return cmocka_run_group_tests_name("mfs_xattr", tests, NULL, NULL);
}
