/*
 * What a hostile guest may ask of the native MagicFS device: every wild pointer, length, operation and bit gets an
 * error and nothing else happens; a request, its paths and its pieces are read once, however they change meanwhile; the
 * device writes nothing but the answer; failures of the host arrive as they are.
 */
#include <pthread.h>

#include "tests/unit/magicfs_rig.h"

#define RAM_END (BIS_RAM_BASE + RIG_RAM_SIZE)

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

/* --- Where requests lie --- */

static void a_request_outside_ram_is_refused(void **state)
{
	static const struct {
		uint64_t address;
		unsigned error;
		int64_t result;
	} bad[] = {
		{0, NATIVE_ERROR_ADDRESS, -EFAULT},
		{BIS_RAM_BASE - 8, NATIVE_ERROR_ADDRESS, -EFAULT},
		{RAM_END - 120, NATIVE_ERROR_ADDRESS, -EFAULT},
		{RAM_END, NATIVE_ERROR_ADDRESS, -EFAULT},
		{UINT64_MAX - 7, NATIVE_ERROR_ADDRESS, -EFAULT},
		{BIS_RAM_BASE + 4, NATIVE_ERROR_INVALID, -EINVAL},
		{UINT64_MAX, NATIVE_ERROR_INVALID, -EINVAL},
		{MRIG_WINDOW, NATIVE_ERROR_ADDRESS, -EFAULT},
	};
	struct mrig *r = *state;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		mrig_write_reg(r, MAGICFS_REQUEST, bad[i].address);
		assert_int_equal(mrig_error(r), bad[i].error);
		assert_int_equal((int64_t)mrig_read_reg(r, MAGICFS_REQUEST), bad[i].result);
		assert_int_equal(mrig_simple(r, MAGICFS_NOP, 0, NULL), 0);
		assert_int_equal(mrig_error(r), NATIVE_ERROR_NONE);
		mrig_write_reg(r, MAGICFS_POST, bad[i].address);
		assert_int_equal(mrig_error(r), bad[i].error);
		mrig_write_reg(r, NATIVE_STATUS, NATIVE_STATUS_INTERRUPT);
		assert_int_equal(mrig_error(r), NATIVE_ERROR_NONE);
	}
}

static void the_last_bytes_of_ram_are_fine(void **state)
{
	struct mrig *r = *state;
	struct magicfs_request q = {.op = MAGICFS_NOP};

	rig_write(r->m, RAM_END - sizeof(q), &q, sizeof(q));
	mrig_write_reg(r, MAGICFS_REQUEST, RAM_END - sizeof(q));
	assert_true(mrig_done(r, RAM_END - sizeof(q)));
}

static void an_address_comes_in_two_halves_on_rv32(void **state)
{
	struct mrig *r = *state;
	uint64_t block = mrig_block(r, (struct magicfs_request){.op = MAGICFS_NOP});

	mrig_write_reg(r, MAGICFS_HIGH, 1);
	mrig_write_reg(r, MAGICFS_REQUEST, block);
	assert_false(mrig_done(r, block));
	assert_int_equal((int64_t)mrig_read_reg(r, MAGICFS_REQUEST), -EFAULT);
	assert_int_equal(mrig_read_reg(r, MAGICFS_HIGH), UINT32_MAX);
	/* It was used once. */
	mrig_write_reg(r, MAGICFS_REQUEST, block);
	assert_true(mrig_done(r, block));
}

/* --- What they say --- */

static void every_unknown_operation_and_bit_is_refused(void **state)
{
	struct mrig *r = *state;
	struct magicfs_request q = {.op = MAGICFS_OPS};
	static const uint32_t flags[MAGICFS_OPS] = {
		[MAGICFS_OPEN] = MAGICFS_NOFOLLOW | 2047,
		[MAGICFS_READ] = MAGICFS_VECTOR,
		[MAGICFS_WRITE] = MAGICFS_VECTOR,
		[MAGICFS_STAT] = MAGICFS_NOFOLLOW,
		[MAGICFS_LIST] = MAGICFS_ATTRIBUTES,
		[MAGICFS_SET] = MAGICFS_NOFOLLOW,
		[MAGICFS_RENAME] = 7,
		[MAGICFS_UNLINK] = MAGICFS_DIRECTORY_ONLY,
		[MAGICFS_SYNC] = MAGICFS_DATA_ONLY,
		[MAGICFS_GETXATTR] = MAGICFS_NOFOLLOW,
		[MAGICFS_SETXATTR] = MAGICFS_NOFOLLOW,
		[MAGICFS_LISTXATTR] = MAGICFS_NOFOLLOW,
		[MAGICFS_REMOVEXATTR] = MAGICFS_NOFOLLOW,
		[MAGICFS_SEEK] = MAGICFS_HOLE,
		[MAGICFS_LOCK] = MAGICFS_WAIT | MAGICFS_WHOLE,
		[MAGICFS_GETLOCK] = MAGICFS_WHOLE,
		[MAGICFS_WATCH] = MAGICFS_NOFOLLOW | MAGICFS_RECURSIVE,
		[MAGICFS_MAP] = MAGICFS_SHARED | MAGICFS_WRITABLE,
	};

	assert_int_equal(mrig_do(r, q), -ENOSYS);
	q.op = UINT32_MAX;
	assert_int_equal(mrig_do(r, q), -ENOSYS);
	for (uint32_t op = 0; op < MAGICFS_OPS; op++) {
		for (unsigned bit = 0; bit < 32; bit++) {
			q = (struct magicfs_request){.op = op, .flags = 1u << bit};
			if (!(flags[op] & q.flags))
				assert_int_equal(mrig_do(r, q), -EINVAL);
		}
		q = (struct magicfs_request){.op = op, .mask = 1u << 31};
		assert_int_equal(mrig_do(r, q), -EINVAL);
		q = (struct magicfs_request){.op = op, .reserved = 1};
		assert_int_equal(mrig_do(r, q), -EINVAL);
	}
}

static void every_wild_pointer_and_length_is_refused(void **state)
{
	static const struct {
		uint64_t address, length;
	} bad[] = {
		{0, 8},	      {BIS_RAM_BASE - 1, 8}, {RAM_END - 1, 8},	     {RAM_END, 1},
		{RAM_END, 8}, {UINT64_MAX, 8},	     {UINT64_MAX - 7, 4096},
	};
	static const uint32_t takes_buffer[] = {MAGICFS_SHARE,	  MAGICFS_STAT,	     MAGICFS_LIST,
						MAGICFS_READLINK, MAGICFS_STATFS,    MAGICFS_GETXATTR,
						MAGICFS_SETXATTR, MAGICFS_LISTXATTR, MAGICFS_EVENTS};
	struct mrig *r = *state;
	uint32_t handle = mrig_open_ok(r, "file", MAGICFS_O_READ_WRITE);

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct magicfs_piece piece = {bad[i].address, bad[i].length};
		struct magicfs_request q = mrig_io(MAGICFS_READ, handle, bad[i].address, bad[i].length, 0);

		assert_int_equal(mrig_do(r, q), -EFAULT);
		q.op = MAGICFS_WRITE;
		assert_int_equal(mrig_do(r, q), -EFAULT);
		q.flags = MAGICFS_VECTOR;
		q.length = 1;
		assert_int_equal(mrig_do(r, q), -EFAULT);
		q.buffer = mrig_put(r, &piece, sizeof(piece));
		assert_int_equal(mrig_do(r, q), -EFAULT);
		for (size_t k = 0; k < sizeof(takes_buffer) / sizeof(takes_buffer[0]); k++) {
			q = mrig_io(takes_buffer[k], 0, bad[i].address, bad[i].length, 0);
			q.path2 = BIS_RAM_BASE;
			assert_int_equal(mrig_do(r, q), -EFAULT);
		}
		q = (struct magicfs_request){.op = MAGICFS_MKDIR, .path = bad[i].address, .path_len = 8, .mode = 0755};
		assert_int_equal(mrig_do(r, q), -EFAULT);
		q = mrig_make(r, MAGICFS_SYMLINK, 0, "link");
		q.path2 = bad[i].address;
		q.path2_len = 8;
		assert_int_equal(mrig_do(r, q), -EFAULT);
	}
	/* All of RAM and a byte more. */
	assert_int_equal(mrig_do(r, mrig_io(MAGICFS_READ, handle, BIS_RAM_BASE, RIG_RAM_SIZE + 1, 0)), -EFAULT);
	assert_int_equal(mrig_do(r, mrig_io(MAGICFS_LIST, 0, BIS_RAM_BASE, RIG_RAM_SIZE + 1, 0)), -EFAULT);
}

static void lengths_are_limited(void **state)
{
	struct mrig *r = *state;
	uint32_t handle = mrig_open_ok(r, "file", MAGICFS_O_READ_WRITE);
	struct magicfs_piece pieces[MAGICFS_PIECES];
	struct magicfs_request q = {.op = MAGICFS_STAT, .path = BIS_RAM_BASE, .path_len = MAGICFS_PATH_MAX};

	assert_int_equal(mrig_do(r, q), -ENAMETOOLONG);
	q.path_len = UINT32_MAX;
	assert_int_equal(mrig_do(r, q), -ENAMETOOLONG);
	q = mrig_io(MAGICFS_READ, handle, BIS_RAM_BASE, MAGICFS_PIECES + 1, 0);
	q.flags = MAGICFS_VECTOR;
	assert_int_equal(mrig_do(r, q), -EINVAL);
	q.length = UINT64_MAX;
	assert_int_equal(mrig_do(r, q), -EINVAL);
	/* The sum would wrap; the first piece is not RAM in that length anyway. */
	for (unsigned i = 0; i < MAGICFS_PIECES; i++)
		pieces[i] = (struct magicfs_piece){RIG_DATA, UINT64_C(1) << 58};
	q.buffer = mrig_put(r, pieces, sizeof(pieces));
	q.length = MAGICFS_PIECES;
	assert_int_equal(mrig_do(r, q), -EFAULT);
	q = mrig_io(MAGICFS_READ, handle, RIG_DATA, 8, UINT64_MAX);
	assert_int_equal(mrig_do(r, q), -EINVAL);
	q.op = MAGICFS_WRITE;
	q.offset = UINT64_C(1) << 63;
	assert_int_equal(mrig_do(r, q), -EINVAL);
}

static void names_with_nul_are_refused(void **state)
{
	struct mrig *r = *state;
	struct magicfs_request q = {.op = MAGICFS_STAT, .path = mrig_put(r, "file\0x", 6), .path_len = 6};

	assert_int_equal(mrig_do(r, q), -EINVAL);
}

/* --- Read once --- */

static struct mrig *changing;
static uint64_t changing_from, changing_to;

/* As a guest's other hart would, at the worst moment. */
static void change_memory(void)
{
	for (uint64_t pa = changing_from; pa < changing_to; pa += 8)
		rig_set64(changing->m, pa, UINT64_MAX);
}

static int changing_stat(struct mfs *fs, const struct mfs_at *at, struct mfs_attr *out)
{
	change_memory();
	assert_string_equal(at->path, "file");
	*out = (struct mfs_attr){.size = 77};
	(void)fs;
	return 0;
}

static ssize_t changing_read(struct mfs *fs, struct mfs_node *node, struct bis_memory *m,
			     const struct bis_mem_range *ranges, size_t count, uint64_t offset, bool nowait)
{
	(void)fs;
	(void)node;
	(void)m;
	(void)nowait;
	change_memory();
	assert_int_equal(count, 2);
	assert_int_equal(ranges[0].pa.v, RIG_DATA);
	assert_int_equal(ranges[0].len, 3);
	assert_int_equal(ranges[1].pa.v, RIG_DATA + 64);
	assert_int_equal(ranges[1].len, 5);
	assert_int_equal(offset, 2);
	return 8;
}

static void a_request_is_read_once(void **state)
{
	struct magicfs_piece pieces[] = {{RIG_DATA, 3}, {RIG_DATA + 64, 5}};
	struct mrig *r = changing = *state;
	uint32_t handle = mrig_open_ok(r, "file", MAGICFS_O_READ);
	struct mfs_ops *ops = mrig_take_ops(r);
	uint64_t answer = RIG_DATA + 4096, block;
	struct magicfs_request q;
	struct magicfs_stat st;

	ops->stat = changing_stat;
	ops->read = changing_read;
	changing_from = r->next;
	q = mrig_make(r, MAGICFS_STAT, 0, "file");
	q.buffer = answer;
	q.length = sizeof(st);
	block = mrig_block(r, q);
	changing_to = r->next;
	mrig_write_reg(r, MAGICFS_REQUEST, block);
	mrig_load(r, block);
	assert_int_equal(r->last.done, 1);
	assert_int_equal(r->last.result, sizeof(st));
	mrig_get(r, answer, &st, sizeof(st));
	assert_int_equal(st.size, 77);
	/* Pieces and the rest of a READ. */
	changing_from = r->next;
	q = mrig_io(MAGICFS_READ, handle, mrig_put(r, pieces, sizeof(pieces)), 2, 2);
	q.flags = MAGICFS_VECTOR;
	block = mrig_block(r, q);
	changing_to = r->next;
	mrig_write_reg(r, MAGICFS_REQUEST, block);
	mrig_load(r, block);
	assert_int_equal(r->last.done, 1);
	assert_int_equal(r->last.result, 8);
}

static void the_device_writes_nothing_but_the_answer(void **state)
{
	struct mrig *r = *state;
	struct magicfs_request before = {.op = MAGICFS_NOP, .tag = 99, .result = 5, .extra = 6, .done = 7}, after;
	uint64_t block;

	memset(&before.handle, 0xa5, offsetof(struct magicfs_request, mask) - offsetof(struct magicfs_request, handle));
	block = mrig_put(r, &before, sizeof(before));
	mrig_write_reg(r, MAGICFS_REQUEST, block);
	mrig_get(r, block, &after, sizeof(after));
	assert_int_equal(after.result, 0);
	assert_int_equal(after.extra, 0);
	assert_int_equal(after.done, 1);
	after.result = 5;
	after.extra = 6;
	after.done = 7;
	assert_memory_equal(&after, &before, sizeof(before));
}

/* --- A guest's other hart changes a request all the time --- */

struct racer {
	struct mrig *r;
	uint64_t block;
	_Atomic bool stop;
};

static void *race(void *arg)
{
	struct racer *race = arg;
	uint64_t rng = 1;

	while (!race->stop) {
		rng = rng * 6364136223846793005u + 1442695040888963407u;
		rig_set64(race->r->m, race->block + (rng >> 33) % 14 * 8, rng >> (rng >> 40 & 63));
	}
	return NULL;
}

static void a_request_that_changes_all_the_time_does_no_harm(void **state)
{
	struct mrig *r = *state;
	struct racer racer = {.r = r};
	struct magicfs_request q = mrig_make(r, MAGICFS_STAT, 0, "file");
	pthread_t thread;

	q.buffer = RIG_DATA;
	q.length = 96;
	racer.block = mrig_block(r, q);
	pthread_create(&thread, NULL, race, &racer);
	for (unsigned i = 0; i < 20000; i++) {
		rig_write(r->m, racer.block, &q, sizeof(q));
		mrig_write_reg(r, i % 2 ? MAGICFS_REQUEST : MAGICFS_POST, racer.block);
		mrig_read_reg(r, MAGICFS_DONE);
	}
	racer.stop = true;
	pthread_join(thread, NULL);
	native_settle(mrig_native(r));
	assert_int_equal(mrig_simple(r, MAGICFS_NOP, 0, NULL), 0);
}

/* --- A host that fails --- */

static int host_error;

static int failing_open(struct mfs *fs, const struct mfs_at *at, unsigned flags, uint32_t mode, struct mfs_who who,
			struct mfs_node **out)
{
	(void)fs;
	(void)at;
	(void)flags;
	(void)mode;
	(void)who;
	(void)out;
	return host_error;
}

static ssize_t failing_write(struct mfs *fs, struct mfs_node *node, const struct bis_memory *m,
			     const struct bis_mem_range *ranges, size_t count, uint64_t offset)
{
	(void)fs;
	(void)node;
	(void)m;
	(void)ranges;
	(void)count;
	(void)offset;
	return host_error;
}

static int failing_sync(struct mfs *fs, struct mfs_node *node, bool data_only)
{
	(void)fs;
	(void)node;
	(void)data_only;
	return host_error;
}

static void failures_of_the_host_arrive_as_they_are(void **state)
{
	static const int errors[] = {-ENOSPC, -EIO, -EACCES, -EMFILE, -EDQUOT, -EFBIG, -ETXTBSY};
	struct mrig *r = *state;
	uint32_t handle = mrig_open_ok(r, "file", MAGICFS_O_READ_WRITE);
	struct mfs_ops *ops = mrig_take_ops(r);

	ops->open = failing_open;
	ops->write = failing_write;
	ops->sync = failing_sync;
	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
		host_error = errors[i];
		assert_int_equal(mrig_open_file(r, "file", 0), host_error);
		assert_int_equal(mrig_do(r, mrig_io(MAGICFS_WRITE, handle, RIG_DATA, 8, 0)), host_error);
		assert_int_equal(mrig_simple(r, MAGICFS_SYNC, handle, NULL), host_error);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_request_outside_ram_is_refused),
		TEST(the_last_bytes_of_ram_are_fine),
		TEST(an_address_comes_in_two_halves_on_rv32),
		TEST(every_unknown_operation_and_bit_is_refused),
		TEST(every_wild_pointer_and_length_is_refused),
		TEST(lengths_are_limited),
		TEST(names_with_nul_are_refused),
		TEST(a_request_is_read_once),
		TEST(the_device_writes_nothing_but_the_answer),
		TEST(a_request_that_changes_all_the_time_does_no_harm),
		TEST(failures_of_the_host_arrive_as_they_are),
	};

	return cmocka_run_group_tests_name("magicfs_hostile", tests, NULL, NULL);
}
