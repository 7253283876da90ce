/*
 * Files as guest memory through the native MagicFS device, as a hart meets them; and open files and mappings described
 * and opened again, as a snapshot needs it.
 */
#include <pthread.h>
#include <sys/resource.h>

#include "src/machine/direct_internal.h"
#include "tests/unit/magicfs_rig.h"

enum { CSR_MTVEC_ = 0x305, CSR_MCAUSE_ = 0x342 };

static _Atomic bool mappings_done;

static int setup(void **state)
{
	*state = mrig_open("");
	return 0;
}

static int teardown(void **state)
{
	mrig_close(*state);
	return 0;
}

/* --- Mappings --- */

static uint8_t *window_page(struct mrig *r, int64_t address)
{
	uint8_t *host = NULL;
	bool writable;

	assert_true(address >= (int64_t)MRIG_WINDOW);
	return bis_direct_page(r->m, (uint64_t)address, &host, &writable) ? host : NULL;
}

static void pages_of_a_file_appear_in_the_window(void **state)
{
	struct mrig *r = *state;
	uint32_t handle = mrig_open_ok(r, "file", MAGICFS_O_READ_WRITE | MAGICFS_O_CREATE);
	struct magicfs_request q = mrig_io(MAGICFS_MAP, handle, 0, 8192, 4096);
	uint8_t *shared, *private;
	int64_t at[2];
	char byte;

	assert_int_equal(truncate(mrig_path(r, "file"), 12288), 0);
	q.flags = MAGICFS_SHARED | MAGICFS_WRITABLE;
	at[0] = mrig_do(r, q);
	q.flags = MAGICFS_WRITABLE;
	at[1] = mrig_do(r, q);
	assert_int_not_equal(at[0], at[1]);
	shared = window_page(r, at[0]);
	private = window_page(r, at[1]);
	*private = 'p';
	*shared = 's';
	assert_int_equal(mrig_do(r, mrig_io(MAGICFS_READ, handle, RIG_DATA, 1, 4096)), 1);
	mrig_get(r, RIG_DATA, &byte, 1);
	assert_int_equal(byte, 's');
	assert_int_equal(*private, 'p');
	/* They stay when the file is closed, and go as they were made. */
	assert_int_equal(mrig_simple(r, MAGICFS_CLOSE, handle, NULL), 0);
	assert_non_null(window_page(r, at[0] + 4096));
	q = mrig_io(MAGICFS_UNMAP, 0, 0, 4096, 0);
	q.value[0] = (uint64_t)at[0];
	assert_int_equal(mrig_do(r, q), -EINVAL);
	q.length = 8192;
	assert_int_equal(mrig_do(r, q), 0);
	assert_int_equal(mrig_do(r, q), -EINVAL);
	assert_null(window_page(r, at[0]));
	assert_non_null(window_page(r, at[1]));
}

static void mappings_that_make_no_sense_are_refused(void **state)
{
	struct mrig *r = *state;
	uint32_t read_only, write_only;
	struct magicfs_request q;

	mrig_host_write(r, "file", "x", 1);
	read_only = mrig_open_ok(r, "file", MAGICFS_O_READ);
	write_only = mrig_open_ok(r, "file", MAGICFS_O_WRITE);
	assert_int_equal(mrig_do(r, mrig_io(MAGICFS_MAP, 0, 0, 4096, 0)), -ENODEV);
	assert_int_equal(mrig_do(r, mrig_io(MAGICFS_MAP, write_only, 0, 4096, 0)), -EACCES);
	assert_int_equal(mrig_do(r, mrig_io(MAGICFS_MAP, read_only, 0, 0, 0)), -EINVAL);
	assert_int_equal(mrig_do(r, mrig_io(MAGICFS_MAP, read_only, 0, 4097, 0)), -EINVAL);
	assert_int_equal(mrig_do(r, mrig_io(MAGICFS_MAP, read_only, 0, 4096, 1)), -EINVAL);
	assert_int_equal(mrig_do(r, mrig_io(MAGICFS_MAP, read_only, 0, INT64_MAX - 4095, 4096)), -EINVAL);
	assert_int_equal(mrig_do(r, mrig_io(MAGICFS_MAP, read_only, 0, UINT64_MAX - 4095, 4096)), -EINVAL);
	assert_int_equal(mrig_do(r, mrig_io(MAGICFS_MAP, read_only, 0, UINT64_C(1) << 50, 0)), -ENOSPC);
	q = mrig_io(MAGICFS_MAP, read_only, 0, 4096, 0);
	q.flags = MAGICFS_SHARED | MAGICFS_WRITABLE;
	assert_int_equal(mrig_do(r, q), -EACCES);
	q.flags = MAGICFS_WRITABLE;
	assert_int_equal(mrig_do(r, q), MRIG_WINDOW);
}

/* Another hart takes away what this one has just got; which of the two succeeds does not matter. */
static void *unmap_always(void *arg)
{
	struct mrig *r = arg;
	struct magicfs_request q = {.op = MAGICFS_UNMAP, .value = {MRIG_WINDOW}, .length = 4096};

	rig_write(r->m, RIG_DATA, &q, sizeof(q));
	while (!mappings_done)
		mrig_write_reg(r, MAGICFS_REQUEST, RIG_DATA);
	return NULL;
}

static void a_mapping_may_be_gone_before_its_address_is_known(void **state)
{
	struct mrig *r = *state;
	uint32_t handle = mrig_open_ok(r, "file", MAGICFS_O_READ | MAGICFS_O_CREATE);
	uint64_t block = mrig_block(r, mrig_io(MAGICFS_MAP, handle, 0, 4096, 0));
	pthread_t other;

	mappings_done = false;
	assert_int_equal(pthread_create(&other, NULL, unmap_always, r), 0);
	for (unsigned i = 0; i < 3000; i++) {
		mrig_write_reg(r, MAGICFS_REQUEST, block);
		mrig_load(r, block);
		assert_true(r->last.result >= (int64_t)MRIG_WINDOW || r->last.result == -ENOSPC);
	}
	mappings_done = true;
	pthread_join(other, NULL);
	assert_int_equal(mrig_simple(r, MAGICFS_CLOSE, handle, NULL), 0);
}

/* What a guest stores in private mappings is the host's memory: as much as it has RAM, and no more. */
static void private_mappings_are_as_large_as_ram_at_most(void **state)
{
	struct mrig *r = *state;
	uint32_t handle = mrig_open_ok(r, "file", MAGICFS_O_READ | MAGICFS_O_CREATE);
	struct magicfs_request q = mrig_io(MAGICFS_MAP, handle, 0, RIG_RAM_SIZE, 0);
	struct magicfs_request unmap = mrig_io(MAGICFS_UNMAP, 0, 0, RIG_RAM_SIZE, 0);

	q.flags = MAGICFS_WRITABLE;
	unmap.value[0] = (uint64_t)mrig_do(r, q);
	assert_int_equal(unmap.value[0], MRIG_WINDOW);
	q.length = 4096;
	assert_int_equal(mrig_do(r, q), -ENOMEM);
	q.flags = MAGICFS_SHARED;
	assert_in_range(mrig_do(r, q), MRIG_WINDOW, INT64_MAX);
	q.flags = MAGICFS_WRITABLE;
	assert_int_equal(mrig_do(r, unmap), 0);
	assert_int_equal(mrig_do(r, q), MRIG_WINDOW);
	q.length = UINT64_C(1) << 40;
	assert_int_equal(mrig_do(r, q), -ENOMEM);
}

/* The cause of the trap that a load from there takes, 0 for none. */
static uint64_t load_cause(struct mrig *r, int64_t address)
{
	rig_set32(r->m, RIG_DATA, LD(A2, 0, A0));
	rig_set_csr(r->m, CSR_MCAUSE_, 0);
	bis_hart_set_reg(rig_hart(r->m), A0, (uint64_t)address);
	rig_step_at(r->m, RIG_DATA, 1);
	return rig_csr(r->m, CSR_MCAUSE_);
}

static void behind_the_end_of_a_file_is_an_access_fault(void **state)
{
	struct mrig *r = *state;
	uint32_t handle = mrig_open_ok(r, "file", MAGICFS_O_READ_WRITE | MAGICFS_O_CREATE);
	struct magicfs_request q = mrig_io(MAGICFS_MAP, handle, 0, 16384, 0);
	int64_t at;

	rig_start_paused(r->m);
	rig_set_csr(r->m, CSR_MTVEC_, RIG_SPIN);
	assert_int_equal(truncate(mrig_path(r, "file"), 8192), 0);
	q.flags = MAGICFS_SHARED;
	at = mrig_do(r, q);
	assert_true(at >= (int64_t)MRIG_WINDOW);
	assert_int_equal(load_cause(r, at), 0);
	assert_int_equal(load_cause(r, at + 4096), 0);
	assert_int_equal(load_cause(r, at + 8192), BIS_CAUSE_LOAD_ACCESS);
	/* The host makes it shorter, under a page that was just read. */
	assert_int_equal(truncate(mrig_path(r, "file"), 1), 0);
	assert_int_equal(load_cause(r, at + 4096), BIS_CAUSE_LOAD_ACCESS);
	assert_int_equal(load_cause(r, at), 0);
	q = mrig_io(MAGICFS_UNMAP, 0, 0, 16384, 0);
	q.value[0] = (uint64_t)at;
	assert_int_equal(mrig_do(r, q), 0);
	assert_int_equal(load_cause(r, at), BIS_CAUSE_LOAD_ACCESS);
}

/* --- Limits of the host --- */

/* The guest asks on a hart: the signal that the host sends with it must not end the process. */
static void a_file_that_may_not_grow_is_an_error_for_the_guest(void **state)
{
	struct mrig *r = *state;
	uint32_t handle = mrig_open_ok(r, "file", MAGICFS_O_READ_WRITE | MAGICFS_O_CREATE);
	uint64_t block = mrig_block(r, mrig_io(MAGICFS_WRITE, handle, RIG_DATA, 1, 4096));
	struct rlimit before, small;

	rig_start_paused(r->m);
	rig_set32(r->m, RIG_DATA, CSRW(0x5c0 + 8 * MRIG_SLOT + MAGICFS_REQUEST, A1));
	bis_hart_set_reg(rig_hart(r->m), A1, block);
	getrlimit(RLIMIT_FSIZE, &before);
	small = before;
	small.rlim_cur = 4096;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	rig_step_at(r->m, RIG_DATA, 1);
	setrlimit(RLIMIT_FSIZE, &before);
	mrig_load(r, block);
	assert_int_equal(r->last.done, 1);
	assert_int_equal(r->last.result, -EFBIG);
}

/* --- Snapshots --- */

struct saved {
	uint8_t bytes[1 << 16];
	size_t len;
};

static void keep(void *arg, const void *data, size_t len)
{
	struct saved *s = arg;

	assert_true(len <= sizeof(s->bytes) - s->len);
	memcpy(s->bytes + s->len, data, len);
	s->len += len;
}

static void open_files_and_mappings_can_be_described_and_opened_again(void **state)
{
	struct mrig *r = *state;
	uint32_t kept, lost, dir;
	struct saved saved = {.len = 0};
	struct magicfs_request q;
	int64_t at;

	mrig_host_write(r, "kept", "0123456789", 10);
	mrig_host_write(r, "lost", "x", 1);
	mrig_open_ok(r, "kept", MAGICFS_O_READ);
	assert_int_equal(mrig_simple(r, MAGICFS_CLOSE, mrig_open_ok(r, "kept", 0), NULL), 0);
	kept = mrig_open_ok(r, "kept", MAGICFS_O_READ_WRITE);
	lost = mrig_open_ok(r, "lost", MAGICFS_O_READ);
	dir = mrig_open_ok(r, "", MAGICFS_O_READ | MAGICFS_O_DIRECTORY);
	at = mrig_do(r, mrig_io(MAGICFS_MAP, kept, 0, 4096, 0));
	assert_int_equal(unlink(mrig_path(r, "lost")), 0);
	rig_start_paused(r->m);
	assert_ok(native_save(mrig_native(r), keep, &saved));
	assert_ok(bis_machine_reset(r->m));
	assert_int_equal(mrig_simple(r, MAGICFS_SYNC, kept, NULL), -EBADF);
	assert_ok(native_restore(mrig_native(r), saved.bytes, saved.len));
	assert_int_equal(mrig_do(r, mrig_io(MAGICFS_WRITE, kept, RIG_DATA, 1, 0)), 1);
	assert_int_equal(mrig_do(r, mrig_io(MAGICFS_READ, lost, RIG_DATA, 1, 0)), -ESTALE);
	assert_in_range(mrig_do(r, mrig_io(MAGICFS_LIST, dir, RIG_DATA, 4096, 0)), 1, 4096);
	assert_int_equal(*(window_page(r, at) + 9), '9');
	q = mrig_io(MAGICFS_UNMAP, 0, 0, 4096, 0);
	q.value[0] = (uint64_t)at;
	assert_int_equal(mrig_do(r, q), 0);
	assert_int_equal(mrig_simple(r, MAGICFS_CLOSE, lost, NULL), 0);
	assert_int_equal(mrig_simple(r, MAGICFS_CLOSE, lost, NULL), -EBADF);
	mrig_open_ok(r, "kept", MAGICFS_O_READ);
}

static void what_the_host_has_moved_away_is_lost_and_no_obstacle(void **state)
{
	struct mrig *r = *state;
	struct saved saved = {.len = 0};
	uint32_t handle;
	char away[80];

	snprintf(away, sizeof(away), "%s-away", r->dir);
	mrig_host_write(r, "moved", "x", 1);
	handle = mrig_open_ok(r, "moved", MAGICFS_O_READ);
	assert_int_equal(rename(mrig_path(r, "moved"), away), 0);
	assert_int_equal(mrig_do(r, mrig_io(MAGICFS_READ, handle, RIG_DATA, 1, 0)), 1);
	rig_start_paused(r->m);
	assert_ok(native_save(mrig_native(r), keep, &saved));
	assert_ok(bis_machine_reset(r->m));
	assert_ok(native_restore(mrig_native(r), saved.bytes, saved.len));
	assert_int_equal(mrig_do(r, mrig_io(MAGICFS_READ, handle, RIG_DATA, 1, 0)), -ESTALE);
	assert_int_equal(unlink(away), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(pages_of_a_file_appear_in_the_window),
		TEST(mappings_that_make_no_sense_are_refused),
		TEST(private_mappings_are_as_large_as_ram_at_most),
		TEST(a_mapping_may_be_gone_before_its_address_is_known),
		TEST(behind_the_end_of_a_file_is_an_access_fault),
		TEST(a_file_that_may_not_grow_is_an_error_for_the_guest),
		TEST(open_files_and_mappings_can_be_described_and_opened_again),
		TEST(what_the_host_has_moved_away_is_lost_and_no_obstacle),
	};

	return cmocka_run_group_tests_name("magicfs_map", tests, NULL, NULL);
}
