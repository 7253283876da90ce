/*
 * Snapshots and the native MagicFS device: open files, mappings, locks, watches and requests that wait go on in another
 * process; what cannot is told to the guest as its protocol has it.
 */
#include "tests/unit/magicfs_rig.h"
#include "tests/unit/snapshot_rig.h"

#include "src/machine/direct_internal.h"

static int setup(void **state)
{
	struct mrig *r = mrig_open("");

	mrig_host_write(r, "file", "0123456789", 10);
	*state = r;
	return 0;
}

static int teardown(void **state)
{
	mrig_close(*state);
	return 0;
}

/* Into another machine, which runs afterwards. */
static void move(struct mrig *r)
{
	mfs_put(r->fs);
	r->m = snap_move(r->m);
	r->device = bis_machine_find(r->m, "magicfs");
	assert_ok(mfs_nth(r->m, 0, &r->fs));
	r->ops = *r->fs->ops;
	assert_ok(bis_machine_resume(r->m));
}

static struct magicfs_request lock_request(uint32_t handle, uint32_t type, uint64_t start, uint64_t len, uint64_t owner)
{
	return (struct magicfs_request){
		.op = MAGICFS_LOCK, .handle = handle, .mask = type, .offset = start, .length = len, .value = {owner}};
}

/* Could another process write-lock these bytes of the file? */
static bool free_for_others(struct mrig *r, const char *name, uint64_t start, uint64_t len)
{
	struct flock f = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = (off_t)start, .l_len = (off_t)len};
	int fd = open(mrig_path(r, name), O_RDWR);

	assert_true(fd >= 0);
	assert_int_equal(fcntl(fd, F_OFD_GETLK, &f), 0);
	close(fd);
	return f.l_type == F_UNLCK;
}

static void open_files_and_mappings_go_on(void **state)
{
	struct mrig *r = *state;
	uint32_t file = mrig_open_ok(r, "file", MAGICFS_O_READ_WRITE);
	uint32_t gone = mrig_open_ok(r, "gone", MAGICFS_O_READ_WRITE | MAGICFS_O_CREATE);
	uint32_t dir = mrig_open_ok(r, "", MAGICFS_O_READ | MAGICFS_O_DIRECTORY);
	int64_t at = mrig_do(r, mrig_io(MAGICFS_MAP, file, 0, 4096, 0));
	struct bis_direct *d;
	uint8_t *host;
	bool writable;

	assert_int_equal(at, MRIG_WINDOW);
	assert_int_equal(unlink(mrig_path(r, "gone")), 0);
	/* Renamed on the way: it is the same file. */
	assert_int_equal(rename(mrig_path(r, "file"), mrig_path(r, "other")), 0);
	for (unsigned i = 0; i < 2; i++) {
		move(r);
		assert_int_equal(mrig_do(r, mrig_io(MAGICFS_READ, file, RIG_DATA, 10, 0)), 10);
		assert_int_equal(rig_get64(r->m, RIG_DATA) & 0xff, '0');
		assert_int_equal(mrig_do(r, mrig_io(MAGICFS_READ, gone, RIG_DATA, 1, 0)), -ESTALE);
		assert_in_range(mrig_do(r, mrig_io(MAGICFS_LIST, dir, RIG_DATA, 4096, 0)), 1, 4096);
		d = mrig_native(r)->direct;
		assert_int_equal(bis_direct_base(d), MRIG_WINDOW);
		assert_true(bis_direct_page(r->m, MRIG_WINDOW, &host, &writable));
		assert_int_equal(host[9], '9');
		assert_false(writable);
	}
	assert_int_equal(mrig_simple(r, MAGICFS_CLOSE, gone, NULL), 0);
	assert_int_equal(mrig_simple(r, MAGICFS_CLOSE, file, NULL), 0);
	assert_int_equal(mrig_simple(r, MAGICFS_CLOSE, file, NULL), -EBADF);
}

static void another_file_of_that_name_is_not_taken(void **state)
{
	struct mrig *r = *state;
	uint32_t file = mrig_open_ok(r, "file", MAGICFS_O_READ_WRITE);
	struct bis_snapshot *s;

	snap_pause(r->m);
	assert_ok(bis_snapshot_save(r->m, snap_path(), NULL));
	assert_int_equal(rename(mrig_path(r, "file"), mrig_path(r, "old")), 0);
	mrig_host_write(r, "file", "another", 7);
	mfs_put(r->fs);
	bis_machine_destroy(r->m);
	assert_ok(bis_snapshot_open(snap_path(), &s));
	r->m = snap_make(s);
	assert_ok(bis_snapshot_restore(s, r->m));
	bis_snapshot_close(s);
	unlink(snap_path());
	r->device = bis_machine_find(r->m, "magicfs");
	assert_ok(mfs_nth(r->m, 0, &r->fs));
	assert_int_equal(mrig_do(r, mrig_io(MAGICFS_READ, file, RIG_DATA, 1, 0)), -ESTALE);
}

static void another_directory_is_refused(void **state)
{
	struct mrig *r = *state;
	struct bis_snapshot *s;
	struct bis_machine *m;
	char away[80];

	snprintf(away, sizeof(away), "%s-away", r->dir);
	snap_pause(r->m);
	assert_ok(bis_snapshot_save(r->m, snap_path(), NULL));
	assert_int_equal(rename(r->dir, away), 0);
	assert_ok(bis_snapshot_open(snap_path(), &s));
	assert_null(snap_make(s));
	assert_non_null(strstr(bis_error_message(), r->dir));
	assert_int_equal(mkdir(r->dir, 0755), 0);
	m = snap_make(s);
	assert_fails(bis_snapshot_restore(s, m), -EINVAL, "the directory of first");
	bis_snapshot_close(s);
	bis_machine_destroy(m);
	unlink(snap_path());
	assert_int_equal(rmdir(r->dir), 0);
	assert_int_equal(rename(away, r->dir), 0);
}

static void locks_are_taken_again(void **state)
{
	struct mrig *r = *state;
	uint32_t a = mrig_open_ok(r, "file", MAGICFS_O_READ_WRITE), b = mrig_open_ok(r, "file", MAGICFS_O_READ_WRITE);
	struct magicfs_request whole = lock_request(b, MAGICFS_LOCK_READ, 0, 0, 0);
	struct magicfs_request want;

	whole.flags = MAGICFS_WHOLE;
	assert_int_equal(mrig_do(r, lock_request(a, MAGICFS_LOCK_WRITE, 0, 4, 1)), 0);
	assert_int_equal(mrig_do(r, lock_request(a, MAGICFS_LOCK_READ, 6, 2, 1)), 0);
	assert_int_equal(mrig_do(r, lock_request(b, MAGICFS_LOCK_READ, 6, 2, 2)), 0);
	assert_int_equal(mrig_do(r, whole), 0);
	move(r);
	assert_false(free_for_others(r, "file", 0, 4));
	assert_true(free_for_others(r, "file", 4, 2));
	assert_false(free_for_others(r, "file", 6, 2));
	/* They are still whose they were. */
	assert_int_equal(mrig_do(r, lock_request(a, MAGICFS_LOCK_WRITE, 0, 4, 2)), -EAGAIN);
	assert_int_equal(mrig_do(r, lock_request(b, MAGICFS_LOCK_NONE, 6, 2, 2)), 0);
	assert_int_equal(mrig_do(r, lock_request(a, MAGICFS_LOCK_WRITE, 6, 2, 1)), 0);
	want = lock_request(a, MAGICFS_LOCK_WRITE, 0, 0, 0);
	want.flags = MAGICFS_WHOLE;
	assert_int_equal(mrig_do(r, want), -EAGAIN);
	assert_int_equal(mrig_simple(r, MAGICFS_CLOSE, b, NULL), 0);
	assert_int_equal(mrig_do(r, want), 0);
	assert_int_equal(mrig_simple(r, MAGICFS_CLOSE, a, NULL), 0);
	assert_true(free_for_others(r, "file", 0, 10));
}

static void a_lock_that_is_waited_for_comes_after_the_restore(void **state)
{
	struct mrig *r = *state;
	uint32_t file = mrig_open_ok(r, "file", MAGICFS_O_READ_WRITE);
	struct flock f = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	struct magicfs_request q = lock_request(file, MAGICFS_LOCK_WRITE, 0, 0, 1);
	int fd = open(mrig_path(r, "file"), O_RDWR);
	uint64_t block;

	assert_int_equal(fcntl(fd, F_OFD_SETLK, &f), 0);
	q.flags = MAGICFS_WAIT;
	block = mrig_block(r, q);
	snap_pause(r->m);
	assert_ok(bis_machine_resume(r->m));
	mrig_post(r, block);
	move(r);
	assert_false(mrig_done(r, block));
	assert_int_equal(mrig_native(r)->posted, 1);
	close(fd);
	assert_int_equal(mrig_finish(r, block), 0);
	assert_false(free_for_others(r, "file", 0, 10));
}

/* The answer is in guest memory already, and the guest has still to hear of it. */
static void what_is_done_and_not_taken_is_there_to_take(void **state)
{
	struct mrig *r = *state;
	struct magicfs_request q = {.op = MAGICFS_NOP};
	uint64_t first = mrig_block(r, q), second = mrig_block(r, q);

	mrig_write_reg(r, MAGICFS_ENABLE, MAGICFS_ENABLE_DONE);
	mrig_post(r, first);
	rig_wait_for(mrig_done(r, first));
	mrig_post(r, second);
	rig_wait_for(mrig_done(r, second));
	move(r);
	assert_true(mrig_irq(r));
	assert_int_equal(mrig_finish(r, first), 0);
	assert_int_equal(mrig_finish(r, second), 0);
	assert_int_equal(mrig_read_reg(r, MAGICFS_DONE), 0);
	assert_false(mrig_irq(r));
}

/* --- Watches --- */

static uint32_t watch(struct mrig *r, const char *path, uint32_t flags)
{
	struct magicfs_request q = mrig_make(r, MAGICFS_WATCH, 0, path);
	int64_t number;

	q.mask = MAGICFS_CREATED | MAGICFS_REMOVED | MAGICFS_CHANGED;
	q.flags = flags;
	number = mrig_do(r, q);
	assert_true(number > 0);
	return (uint32_t)number;
}

/* The next events, into `text` as "NUMBER:CHANGE:PATH " each. */
static void take_events(struct mrig *r, uint64_t block, char *text, size_t size)
{
	uint8_t bytes[8192];
	int64_t len = mrig_finish(r, block);

	assert_in_range(len, 1, sizeof(bytes));
	mrig_get(r, RIG_DATA, bytes, (size_t)len);
	*text = 0;
	for (size_t at = 0; at < (size_t)len;) {
		struct magicfs_event e;

		memcpy(&e, bytes + at, sizeof(e));
		snprintf(text + strlen(text), size - strlen(text), "%u:%x:%s ", e.watch, e.change,
			 (const char *)bytes + at + sizeof(e));
		at += e.size;
	}
}

static void watches_go_on(void **state)
{
	struct mrig *r = *state;
	uint64_t events = mrig_block(r, mrig_io(MAGICFS_EVENTS, 0, RIG_DATA, 8192, 0));
	char text[512], expected[64];
	uint32_t dir, file;

	assert_int_equal(mkdir(mrig_path(r, "d"), 0755), 0);
	mrig_host_write(r, "gone", "x", 1);
	dir = watch(r, "d", MAGICFS_RECURSIVE);
	file = watch(r, "gone", 0);
	mrig_post(r, events); /* waits */
	snap_pause(r->m);
	assert_ok(bis_snapshot_save(r->m, snap_path(), NULL));
	assert_int_equal(unlink(mrig_path(r, "gone")), 0);
	mfs_put(r->fs);
	bis_machine_destroy(r->m);
	r->m = snap_restore();
	r->device = bis_machine_find(r->m, "magicfs");
	assert_ok(mfs_nth(r->m, 0, &r->fs));
	assert_ok(bis_machine_resume(r->m));
	/* Who waited hears that something may have been missed, and that one watch is gone. */
	take_events(r, events, text, sizeof(text));
	snprintf(expected, sizeof(expected), "%u:%x: ", file, MAGICFS_GONE);
	assert_non_null(strstr(text, expected));
	if (!strstr(text, "0:100: ")) {
		mrig_post(r, events);
		take_events(r, events, text, sizeof(text));
		assert_non_null(strstr(text, "0:100: "));
	}
	mrig_host_write(r, "d/new", "x", 1);
	mrig_post(r, events);
	take_events(r, events, text, sizeof(text));
	snprintf(expected, sizeof(expected), "%u:%x:new ", dir, MAGICFS_CREATED);
	assert_non_null(strstr(text, expected));
}

/* --- Bytes that make no sense --- */

static void damage_is_refused_and_does_no_harm(void **state)
{
	struct mrig *r = *state;
	uint32_t handle = mrig_open_ok(r, "file", MAGICFS_O_READ_WRITE);
	size_t len = 0;
	struct snap s;
	uint8_t *own;

	assert_int_equal(mrig_do(r, lock_request(handle, MAGICFS_LOCK_WRITE, 0, 4, 1)), 0);
	watch(r, "file", 0);
	s = snap_take(r->m);
	own = snap_record(&s, SNAPSHOT_OWN, "magicfs", &len, NULL);
	for (size_t at = 0; at < len; at++) {
		uint8_t was = own[at];

		own[at] = 0xff;
		(void)snap_try(&s);
		own[at] = was;
	}
	own[0] = 2; /* handles */
	assert_fails(snap_try(&s), -EINVAL, "magicfs: the open files, watches and requests");
	own[0] = 1;
	own[8] = 3; /* its share */
	assert_fails(snap_try(&s), -EINVAL, "make no sense");
	own[8] = 0;
	assert_ok(snap_try(&s));
	snap_free(&s);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(open_files_and_mappings_go_on),
		TEST(another_file_of_that_name_is_not_taken),
		TEST(another_directory_is_refused),
		TEST(locks_are_taken_again),
		TEST(a_lock_that_is_waited_for_comes_after_the_restore),
		TEST(what_is_done_and_not_taken_is_there_to_take),
		TEST(watches_go_on),
		TEST(damage_is_refused_and_does_no_harm),
	};

	return cmocka_run_group_tests_name("snapshot_magicfs", tests, NULL, NULL);
}
