/* Virtio-9p: the device, sessions, fids and walks. */
#include "tests/unit/p9_rig.h"

#define Q(value) ((uint64_t)(value))

enum { RDONLY = 0, RDWR = 2 };

static void the_mount_tag_is_the_shares_name_or_the_option(void **state)
{
	struct p9_client *c = *state;

	assert_int_equal(vrig_rd(c->r, VRIG_DEVICE_ID), 9);
	assert_true(vrig_offered(c->r) & 1);
	assert_int_equal(vrig_config(c->r, 0, 2), 3);
	assert_int_equal(vrig_config(c->r, 2, 1), 'd');
	assert_int_equal(vrig_config(c->r, 4, 1), 'r');
	p9_close_machine(c);
	p9_open_machine(c, "", ",tag=elsewhere");
	assert_int_equal(vrig_config(c->r, 0, 2), 9);
	assert_int_equal(vrig_config(c->r, 10, 1), 'e');
}

static void a_device_without_its_share_is_refused(void **state)
{
	struct p9_client *c = *state;
	struct bis_module *mod;
	char spec[400];

	assert_fails(bis_machine_add(c->r->m, "virtio-9p,at=0x10002000,irq=2,share=dri", &mod), -ENOENT, "dir");
	assert_fails(bis_machine_add(c->r->m, "virtio-9p,at=0x10002000,irq=2", &mod), -EINVAL, "share");
	snprintf(spec, sizeof(spec), "virtio-9p,at=0x10002000,irq=2,share=dir,tag=%0300d", 0);
	assert_fails(bis_machine_add(c->r->m, spec, &mod), -EINVAL, "tag");
}

/* --- Sessions --- */

static void versions_are_agreed_on(void **state)
{
	static const struct {
		uint32_t msize;
		const char *version;
		int err;
		uint32_t answer;
		const char *spoken;
	} rows[] = {
		{8192, "9P2000.L", 0, 8192, "9P2000.L"},     {4096, "9P2000.L", 0, 4096, "9P2000.L"},
		{512000, "9P2000.L", 0, 512000, "9P2000.L"}, {UINT32_MAX, "9P2000.L", 0, 1 << 20, "9P2000.L"},
		{4095, "9P2000.L", EMSGSIZE, 0, NULL},	     {0, "9P2000.L", EMSGSIZE, 0, NULL},
		{8192, "9P2000", 0, 8192, "unknown"},	     {8192, "9P2000.u", 0, 8192, "unknown"},
		{8192, "9P2000.L2", 0, 8192, "unknown"},     {8192, "", 0, 8192, "unknown"},
	};
	struct p9_client *c = *state;
	char spoken[32];

	for (size_t i = 0; i < BIS_ARRAY_SIZE(rows); i++) {
		assert_int_equal(p9(c, P9_TVERSION, "ds", rows[i].msize, rows[i].version), rows[i].err);
		if (rows[i].err)
			continue;
		assert_int_equal(p9_get(c, 4), rows[i].answer);
		p9_get_text(c, spoken, sizeof(spoken));
		assert_string_equal(spoken, rows[i].spoken);
		assert_int_equal(p9(c, P9_TATTACH, "ddssd", ROOT, P9_NONE, "", "", 0),
				 strcmp(spoken, "unknown") ? 0 : EINVAL);
	}
}

static void a_version_message_clunks_all_fids(void **state)
{
	struct p9_client *c = *state;

	p9_make_file(c, "file", "x");
	p9_open(c, FID, "file", RDONLY);
	assert_int_equal(atomic_load(&c->fs->open_nodes), 1);
	assert_int_equal(p9(c, P9_TVERSION, "ds", 8192, "9P2000.L"), 0);
	assert_int_equal(atomic_load(&c->fs->open_nodes), 0);
	assert_int_equal(p9_close(c, FID), EBADF);
	assert_int_equal(p9_close(c, ROOT), EBADF);
}

static void attach_takes_a_directory_of_the_share(void **state)
{
	static const struct {
		const char *path;
		int err;
	} rows[] = {
		{"", 0},
		{"/", 0},
		{"sub", 0},
		{"/sub/deep", 0},
		{"absent", ENOENT},
		{"file", ENOTDIR},
		{"..", 0}, /* as far up as there is */
		{"sub/../../..", EXDEV},
		{"out", EXDEV},
	};
	struct p9_client *c = *state;

	assert_int_equal(mkdir(p9_path(c, "sub"), 0755), 0);
	assert_int_equal(mkdir(p9_path(c, "sub/deep"), 0755), 0);
	assert_int_equal(symlink("/etc", p9_path(c, "out")), 0);
	p9_make_file(c, "file", "x");
	for (size_t i = 0; i < BIS_ARRAY_SIZE(rows); i++) {
		assert_int_equal(p9(c, P9_TATTACH, "ddssd", FID, P9_NONE, "root", rows[i].path, 0), rows[i].err);
		if (!rows[i].err) {
			assert_int_equal(p9_get_qid(c).type, 0x80);
			assert_p9_end(c);
		}
		assert_int_equal(p9_close(c, FID), rows[i].err ? EBADF : 0);
	}
	assert_int_equal(p9(c, P9_TATTACH, "ddssd", ROOT, P9_NONE, "", "", 0), EINVAL);
	assert_int_equal(p9(c, P9_TATTACH, "ddssd", FID, 7, "", "", 0), EINVAL);
	assert_int_equal(p9(c, P9_TATTACH, "ddssd", P9_NONE, P9_NONE, "", "", 0), EBADF);
	assert_int_equal(p9(c, P9_TAUTH, "dssd", 7, "", "", 0), EOPNOTSUPP);
}

/* --- Walk --- */

static void walk_goes_as_far_as_there_is_a_way(void **state)
{
	struct p9_client *c = *state;
	struct p9_qid sub, deep, again;

	assert_int_equal(mkdir(p9_path(c, "sub"), 0755), 0);
	assert_int_equal(mkdir(p9_path(c, "sub/deep"), 0755), 0);
	p9_make_file(c, "sub/deep/file", "x");
	assert_int_equal(p9(c, P9_TWALK, "ddwsss", ROOT, FID, 3, "sub", "deep", "file"), 0);
	assert_int_equal(p9_get(c, 2), 3);
	sub = p9_get_qid(c);
	deep = p9_get_qid(c);
	assert_int_equal(p9_get_qid(c).type, 0);
	assert_p9_end(c);
	assert_int_equal(sub.type, 0x80);
	assert_true(sub.path != deep.path);
	assert_int_equal(p9_close(c, FID), 0);

	/* Part of the way: qids, and no fid. */
	assert_int_equal(p9(c, P9_TWALK, "ddwsss", ROOT, FID, 3, "sub", "deep", "absent"), 0);
	assert_int_equal(p9_get(c, 2), 2);
	again = p9_get_qid(c);
	assert_int_equal(again.path, sub.path);
	assert_int_equal(p9_get_qid(c).path, deep.path);
	assert_p9_end(c);
	assert_int_equal(p9_close(c, FID), EBADF);
	assert_int_equal(p9(c, P9_TWALK, "ddwsss", ROOT, FID, 3, "sub", "absent", "deep"), 0);
	assert_int_equal(p9_get(c, 2), 1);

	/* Not a step: an error. */
	assert_int_equal(p9(c, P9_TWALK, "ddwss", ROOT, FID, 2, "absent", "deep"), ENOENT);
	assert_int_equal(p9_go(c, FID, "sub/deep/file"), 0);
	assert_int_equal(p9(c, P9_TWALK, "ddws", FID, NEW, 1, "x"), ENOTDIR);
}

static void walk_binds_the_new_fid_or_nothing(void **state)
{
	struct p9_client *c = *state;

	assert_int_equal(mkdir(p9_path(c, "sub"), 0755), 0);
	p9_make_file(c, "sub/file", "x");
	assert_int_equal(p9_go(c, FID, "sub"), 0);
	assert_int_equal(p9(c, P9_TWALK, "ddw", FID, NEW, 0), 0); /* a clone */
	assert_int_equal(p9_get(c, 2), 0);
	assert_p9_end(c);
	assert_int_equal(p9(c, P9_TWALK, "ddws", FID, NEW, 1, "file"), EINVAL); /* taken */
	assert_int_equal(p9(c, P9_TWALK, "ddw", FID, P9_NONE, 0), EBADF);
	assert_int_equal(p9(c, P9_TWALK, "ddw", OTHER, 9, 0), EBADF);
	assert_int_equal(p9(c, P9_TWALK, "ddws", NEW, NEW, 1, "absent"), ENOENT); /* in place: stays */
	assert_int_equal(p9(c, P9_TWALK, "ddws", NEW, NEW, 1, "file"), 0);
	assert_int_equal(p9(c, P9_TLOPEN, "dd", NEW, RDONLY), 0);
	assert_int_equal(p9(c, P9_TWALK, "ddw", NEW, NEW, 0), EINVAL); /* an open fid does not move */
	assert_int_equal(p9(c, P9_TWALK, "ddw", NEW, OTHER, 0), 0);    /* but another can be had of it */
	assert_int_equal(p9(c, P9_TREAD, "dqd", OTHER, Q(0), 10), EBADF);
	assert_int_equal(p9(c, P9_TLOPEN, "dd", OTHER, RDWR), 0);
}

static void walk_stays_in_what_was_attached(void **state)
{
	static const struct {
		const char *name;
		int err;
	} rows[] = {
		{"", EINVAL}, {"/", EINVAL}, {"sub/file", EINVAL}, {"/etc", EINVAL}, {"../x", EINVAL},
	};
	struct p9_client *c = *state;
	struct p9_qid root, sub;
	char name[300];

	assert_int_equal(mkdir(p9_path(c, "sub"), 0755), 0);
	assert_int_equal(mkdir(p9_path(c, "sub/deep"), 0755), 0);
	assert_int_equal(symlink("..", p9_path(c, "up")), 0);
	for (size_t i = 0; i < BIS_ARRAY_SIZE(rows); i++)
		assert_int_equal(p9(c, P9_TWALK, "ddws", ROOT, FID, 1, rows[i].name), rows[i].err);
	memset(name, 'n', sizeof(name));
	name[256] = 0;
	assert_int_equal(p9(c, P9_TWALK, "ddws", ROOT, FID, 1, name), ENAMETOOLONG);

	/* ".." is the parent, and the root's own parent. */
	assert_int_equal(p9(c, P9_TATTACH, "ddssd", 10, P9_NONE, "", "", 0), 0);
	root = p9_get_qid(c);
	assert_int_equal(p9(c, P9_TWALK, "ddwsssss", ROOT, FID, 5, "sub", "..", "..", "sub", "deep"), 0);
	assert_int_equal(p9_get(c, 2), 5);
	sub = p9_get_qid(c);
	assert_int_equal(p9_get_qid(c).path, root.path);
	assert_int_equal(p9_get_qid(c).path, root.path);
	assert_int_equal(p9_get_qid(c).path, sub.path);
	assert_int_equal(p9(c, P9_TATTACH, "ddssd", 11, P9_NONE, "", "sub", 0), 0);
	assert_int_equal(p9_get_qid(c).path, sub.path);
	assert_int_equal(p9(c, P9_TWALK, "ddwsss", 11, NEW, 3, "deep", "..", ".."), 0);
	p9_get(c, 2);
	p9_get_qid(c);
	assert_int_equal(p9_get_qid(c).path, sub.path);
	assert_int_equal(p9_get_qid(c).path, sub.path);

	/* A link is not followed. */
	assert_int_equal(p9(c, P9_TWALK, "ddws", ROOT, OTHER, 1, "up"), 0);
	p9_get(c, 2);
	assert_int_equal(p9_get_qid(c).type, 2);
	assert_int_equal(p9(c, P9_TWALK, "ddws", OTHER, 12, 1, "sub"), ENOTDIR);
	assert_int_equal(p9(c, P9_TLOPEN, "dd", OTHER, RDONLY), ELOOP);
}

static void walk_takes_sixteen_names(void **state)
{
	struct p9_client *c = *state;
	char path[64] = "";

	for (unsigned i = 0; i < 16; i++) {
		strcat(path, i ? "/d" : "d");
		assert_int_equal(mkdir(p9_path(c, path), 0755), 0);
	}
	assert_int_equal(p9_go(c, FID, path), 0);
	assert_int_equal(p9(c, P9_TWALK, "ddw", ROOT, NEW, 17), EINVAL);
	assert_int_equal(p9(c, P9_TWALK, "ddwsssssssssssssssss", ROOT, NEW, 17, "d", "d", "d", "d", "d", "d", "d", "d",
			    "d", "d", "d", "d", "d", "d", "d", "d", "d"),
			 EINVAL);
}

static void many_fids_are_kept_apart(void **state)
{
	struct p9_client *c = *state;
	unsigned nodes = atomic_load(&c->fs->nodes);

	p9_make_file(c, "a", "x");
	p9_make_file(c, "b", "xx");
	for (unsigned i = 0; i < 3000; i++)
		assert_int_equal(p9_go(c, 1000 + i * 64, i % 2 ? "a" : "b"), 0);
	for (unsigned i = 0; i < 3000; i++) {
		assert_int_equal(p9(c, P9_TGETATTR, "dq", 1000 + i * 64, Q(0x7ff)), 0);
		c->at += 8 + 13 + 12 + 16;
		assert_int_equal(p9_get(c, 8), i % 2 ? 1 : 2);
		assert_int_equal(p9_close(c, 1000 + i * 64), 0);
		assert_int_equal(p9_close(c, 1000 + i * 64), EBADF);
	}
	assert_int_equal(atomic_load(&c->fs->nodes), nodes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		P9_TEST(the_mount_tag_is_the_shares_name_or_the_option),
		P9_TEST(a_device_without_its_share_is_refused),
		P9_TEST(versions_are_agreed_on),
		P9_TEST(a_version_message_clunks_all_fids),
		P9_TEST(attach_takes_a_directory_of_the_share),
		P9_TEST(walk_goes_as_far_as_there_is_a_way),
		P9_TEST(walk_binds_the_new_fid_or_nothing),
		P9_TEST(walk_stays_in_what_was_attached),
		P9_TEST(walk_takes_sixteen_names),
		P9_TEST(many_fids_are_kept_apart),
	};

	return cmocka_run_group_tests_name("virtio_9p_session", tests, NULL, NULL);
}
