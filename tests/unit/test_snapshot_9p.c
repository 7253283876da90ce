/*
 * Snapshots and virtio-9p: a client goes on with its fids, open files, attributes and locks in another process, as if
 * nothing had happened; what is gone is -ESTALE.
 */
#include <sys/xattr.h>

#include "tests/unit/p9_rig.h"
#include "tests/unit/snapshot_rig.h"

enum { RDWR = 2 };

static int setup(void **state)
{
	struct p9_client *c;

	p9_setup(state);
	c = *state;
	rig_add(c->r->m, "riscv");
	return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, p9_teardown)

static void move(struct p9_client *c)
{
	mfs_put(c->fs);
	c->r->m = snap_move(c->r->m);
	c->r->mod = bis_machine_find(c->r->m, "virtio-9p");
	assert_ok(mfs_find(c->r->m, "dir", &c->fs));
	assert_ok(bis_machine_resume(c->r->m));
}

static uint64_t size_of(struct p9_client *c, unsigned fid)
{
	assert_int_equal(p9(c, P9_TGETATTR, "dq", fid, UINT64_C(0x200)), 0);
	(void)p9_get(c, 8);
	(void)p9_get_qid(c);
	(void)p9_get(c, 4); /* mode */
	(void)p9_get(c, 8); /* uid, gid */
	(void)p9_get(c, 8); /* nlink */
	(void)p9_get(c, 8); /* rdev */
	return p9_get(c, 8);
}

static void open_files_go_on(void **state)
{
	struct p9_client *c = *state;

	p9_make_file(c, "a", "hello");
	p9_make_file(c, "gone", "x");
	assert_int_equal(mkdir(p9_path(c, "d"), 0755), 0);
	p9_open(c, FID, "a", RDWR);
	p9_open(c, NEW, "gone", RDWR);
	assert_int_equal(p9_go(c, OTHER, "d"), 0);
	assert_int_equal(unlink(p9_path(c, "gone")), 0);
	assert_int_equal(rename(p9_path(c, "d"), p9_path(c, "e")), 0);
	for (unsigned i = 0; i < 2; i++) {
		move(c);
		assert_int_equal(p9(c, P9_TREAD, "dqd", FID, UINT64_C(1), 3), 0);
		assert_int_equal(p9_get(c, 4), 3);
		assert_int_equal(p9_get(c, 1), 'e');
		assert_int_equal(p9(c, P9_TREAD, "dqd", NEW, UINT64_C(0), 1), ESTALE);
		assert_int_equal(size_of(c, FID), 5);
	}
	assert_int_equal(p9(c, P9_TWRITE, "dqdz", FID, UINT64_C(5), 1, "!", (size_t)1), 0);
	assert_p9_file(c, "a", "hello!");
	/* A directory is the one it was under its new name. */
	assert_int_equal(p9(c, P9_TLCREATE, "dsddd", OTHER, "f", RDWR, 0644, 0), 0);
	assert_true(p9_exists(c, "e/f"));
	assert_int_equal(p9_close(c, NEW), 0);
	assert_int_equal(p9_close(c, NEW), EBADF);
	assert_int_equal(p9_close(c, FID), 0);
	assert_int_equal(p9_go(c, FID, "a"), 0);
}

static void what_was_lost_can_be_thrown_away(void **state)
{
	struct p9_client *c = *state;

	p9_make_file(c, "gone", "x");
	assert_int_equal(p9_go(c, FID, "gone"), 0);
	assert_int_equal(p9_go(c, NEW, "gone"), 0);
	assert_int_equal(unlink(p9_path(c, "gone")), 0);
	move(c);
	assert_int_equal(p9(c, P9_TREMOVE, "d", FID), ESTALE);
	assert_int_equal(p9(c, P9_TWALK, "ddw", NEW, OTHER, 0), ESTALE);
	assert_int_equal(p9_close(c, FID), EBADF);
	assert_int_equal(p9_close(c, NEW), 0);
}

static void attributes_half_written_are_finished(void **state)
{
	struct p9_client *c = *state;
	char value[16] = "";

	p9_make_file(c, "a", "x");
	if (setxattr(p9_path(c, "a"), "user.old", "before", 6, 0))
		skip();
	assert_int_equal(p9_go(c, FID, "a"), 0);
	assert_int_equal(p9_go(c, NEW, "a"), 0);
	assert_int_equal(p9(c, P9_TXATTRCREATE, "dsqd", FID, "user.new", UINT64_C(6), 0), 0);
	assert_int_equal(p9(c, P9_TWRITE, "dqdz", FID, UINT64_C(0), 3, "val", (size_t)3), 0);
	assert_int_equal(p9(c, P9_TXATTRWALK, "dds", NEW, OTHER, "user.old"), 0);
	move(c);
	assert_int_equal(p9(c, P9_TREAD, "dqd", OTHER, UINT64_C(3), 100), 0);
	assert_int_equal(p9_get(c, 4), 3);
	assert_int_equal(p9_get(c, 1), 'o');
	assert_int_equal(p9(c, P9_TWRITE, "dqdz", FID, UINT64_C(3), 3, "ue!", (size_t)3), 0);
	assert_int_equal(p9_close(c, FID), 0);
	assert_int_equal(getxattr(p9_path(c, "a"), "user.new", value, sizeof(value)), 6);
	assert_memory_equal(value, "value!", 6);
}

static void locks_are_taken_again(void **state)
{
	struct p9_client *c = *state;
	struct flock f = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	int fd;

	p9_make_file(c, "a", "hello");
	p9_open(c, FID, "a", RDWR);
	assert_int_equal(p9(c, P9_TLOCK, "dbdqqds", FID, 1, 0, UINT64_C(0), UINT64_C(0), 7, "client"), 0);
	assert_int_equal(p9_get(c, 1), P9_LOCK_SUCCESS);
	move(c);
	fd = open(p9_path(c, "a"), O_RDWR);
	assert_int_equal(fcntl(fd, F_OFD_GETLK, &f), 0);
	assert_int_equal(f.l_type, F_WRLCK);
	/* The same process of the guest gives it up. */
	assert_int_equal(p9(c, P9_TLOCK, "dbdqqds", FID, 2, 0, UINT64_C(0), UINT64_C(0), 7, "client"), 0);
	f = (struct flock){.l_type = F_WRLCK, .l_whence = SEEK_SET};
	assert_int_equal(fcntl(fd, F_OFD_GETLK, &f), 0);
	assert_int_equal(f.l_type, F_UNLCK);
	close(fd);
}

static void damage_is_refused_and_does_no_harm(void **state)
{
	struct p9_client *c = *state;
	struct snap s;
	size_t len = 0;
	uint8_t *own;

	p9_make_file(c, "a", "hello");
	p9_open(c, FID, "a", RDWR);
	assert_int_equal(p9(c, P9_TLOCK, "dbdqqds", FID, 1, 0, UINT64_C(0), UINT64_C(0), 7, "client"), 0);
	assert_int_equal(p9_go(c, NEW, "a"), 0);
	assert_int_equal(p9(c, P9_TXATTRCREATE, "dsqd", NEW, "user.new", UINT64_C(6), 0), 0);
	s = snap_take(c->r->m);
	own = snap_record(&s, SNAPSHOT_OWN, "virtio-9p", &len, NULL);
	for (size_t at = 0; at < len; at++) {
		uint8_t was = own[at];

		own[at] = 0xff;
		(void)snap_try(&s);
		own[at] = was;
	}
	own[0] = 1; /* msize */
	own[2] = 0;
	assert_fails(snap_try(&s), -EINVAL, "virtio-9p: the session in the snapshot");
	snap_free(&s);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(open_files_go_on),
		TEST(what_was_lost_can_be_thrown_away),
		TEST(attributes_half_written_are_finished),
		TEST(locks_are_taken_again),
		TEST(damage_is_refused_and_does_no_harm),
	};

	return cmocka_run_group_tests_name("snapshot_9p", tests, NULL, NULL);
}
