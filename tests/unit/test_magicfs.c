/*
 * The native MagicFS device on a directory of the host: every operation as a guest asks for it, and its effect as the
 * host sees it.
 */
#include <sys/xattr.h>

#include "tests/unit/magicfs_rig.h"

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

static bool host_has(const struct mrig *r, const char *name)
{
	struct stat st;

	return lstat(mrig_path(r, name), &st) == 0;
}

/* --- Shares, handles --- */

static void shares_have_names_and_roots(void **state)
{
	struct mrig *r = *state;
	struct magicfs_request q = mrig_io(MAGICFS_SHARE, 0, mrig_alloc(r, 32), 32, 0);
	struct magicfs_stat st;
	char name[6] = "";

	assert_int_equal(mrig_read_reg(r, MAGICFS_SHARES), 1);
	assert_int_equal(mrig_do(r, q), 5);
	assert_int_equal(r->last.extra, 0);
	mrig_get(r, q.buffer, name, 5);
	assert_string_equal(name, "first");
	q.handle = 1;
	assert_int_equal(mrig_do(r, q), -ENOENT);
	assert_int_equal(mrig_stat(r, 0, "", &st), sizeof(st));
	assert_int_equal(st.mode & MAGICFS_TYPE, MAGICFS_DIRECTORY);
	assert_int_equal(mrig_stat(r, 1, "", &st), -EBADF);
}

static void a_readonly_share_says_so_and_stays_as_it_is(void **state)
{
	static const uint32_t changes[] = {MAGICFS_MKDIR, MAGICFS_UNLINK, MAGICFS_MKNOD, MAGICFS_SET};
	struct mrig *r = mrig_open(",readonly");
	struct magicfs_request q = mrig_io(MAGICFS_SHARE, 0, 0, 0, 0);

	(void)state;
	mrig_host_write(r, "file", "x", 1);
	assert_int_equal(mrig_do(r, q), 5);
	assert_int_equal(r->last.extra, MAGICFS_SHARE_READONLY);
	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		q = mrig_make(r, changes[i], 0, i == 0 || i == 2 ? "new" : "file");
		q.mode = MAGICFS_REGULAR | 0600;
		q.mask = changes[i] == MAGICFS_SET ? MAGICFS_SET_SIZE : 0;
		assert_int_equal(mrig_do(r, q), -EROFS);
	}
	assert_int_equal(mrig_open_file(r, "file", MAGICFS_O_WRITE), -EROFS);
	q = mrig_io(MAGICFS_MAP, mrig_open_ok(r, "file", MAGICFS_O_READ), 0, 4096, 0);
	q.flags = MAGICFS_SHARED | MAGICFS_WRITABLE;
	assert_int_equal(mrig_do(r, q), -EROFS);
	mrig_close(r);
}

static void a_stale_handle_is_refused(void **state)
{
	struct mrig *r = *state;
	uint32_t first, second;

	mrig_host_write(r, "file", "x", 1);
	first = mrig_open_ok(r, "file", MAGICFS_O_READ);
	assert_int_equal(mrig_simple(r, MAGICFS_SYNC, first, NULL), 0);
	assert_int_equal(mrig_simple(r, MAGICFS_CLOSE, first, NULL), 0);
	assert_int_equal(mrig_simple(r, MAGICFS_CLOSE, first, NULL), -EBADF);
	/* Its place is used again, its number is not. */
	second = mrig_open_ok(r, "file", MAGICFS_O_READ);
	assert_int_not_equal(first, second);
	assert_int_equal(mrig_simple(r, MAGICFS_SYNC, first, NULL), -EBADF);
	assert_int_equal(mrig_simple(r, MAGICFS_SYNC, second, NULL), 0);
	assert_int_equal(mrig_simple(r, MAGICFS_CLOSE, second, NULL), 0);
	for (unsigned i = 0; i < 5000; i++) {
		int64_t handle = mrig_open_file(r, "file", MAGICFS_O_READ);

		assert_int_not_equal(handle, first);
		assert_int_equal(mrig_simple(r, MAGICFS_CLOSE, (uint32_t)handle, NULL), 0);
	}
	/* A share's root is always open. */
	assert_int_equal(mrig_simple(r, MAGICFS_CLOSE, 0, NULL), -EBADF);
	assert_int_equal(mrig_simple(r, MAGICFS_CLOSE, UINT32_MAX, NULL), -EBADF);
}

static void handles_are_limited_by_the_share(void **state)
{
	struct mrig *r = mrig_open(",handles=8");
	uint32_t handles[16];
	int64_t result = 0;
	unsigned open = 0;

	(void)state;
	mrig_host_write(r, "file", "x", 1);
	while (open < 16 && (result = mrig_open_file(r, "file", MAGICFS_O_READ)) > 0)
		handles[open++] = (uint32_t)result;
	assert_int_equal(result, -EMFILE);
	assert_in_range(open, 6, 8);
	assert_int_equal(mrig_simple(r, MAGICFS_CLOSE, handles[0], NULL), 0);
	mrig_open_ok(r, "file", MAGICFS_O_READ);
	mrig_close(r);
}

/* --- Data --- */

static void what_is_written_is_read_and_seen_by_the_host(void **state)
{
	struct mrig *r = *state;
	uint32_t handle = mrig_open_ok(r, "new", MAGICFS_O_READ_WRITE | MAGICFS_O_CREATE | MAGICFS_O_EXCLUSIVE);
	uint64_t buffer = mrig_put(r, "hello, host", 11);
	char text[16] = "";

	assert_int_equal(mrig_open_file(r, "new", MAGICFS_O_CREATE | MAGICFS_O_EXCLUSIVE), -EEXIST);
	assert_int_equal(mrig_do(r, mrig_io(MAGICFS_WRITE, handle, buffer, 11, 0)), 11);
	assert_int_equal(mrig_host_read(r, "new", text, sizeof(text)), 11);
	assert_memory_equal(text, "hello, host", 11);
	buffer = mrig_alloc(r, 64);
	assert_int_equal(mrig_do(r, mrig_io(MAGICFS_READ, handle, buffer, 64, 7)), 4);
	mrig_get(r, buffer, text, 4);
	assert_memory_equal(text, "host", 4);
	assert_int_equal(mrig_do(r, mrig_io(MAGICFS_READ, handle, buffer, 64, 11)), 0);
	/* What the host writes shows at once. */
	mrig_host_write(r, "new", "changed by the host", 19);
	assert_int_equal(mrig_do(r, mrig_io(MAGICFS_READ, handle, buffer, 64, 0)), 19);
}

static void pieces_are_filled_in_order(void **state)
{
	struct mrig *r = *state;
	struct magicfs_piece pieces[] = {{RIG_DATA + 1, 3}, {RIG_DATA + 100, 0}, {RIG_DATA + 50, 4}, {RIG_DATA, 1}};
	struct magicfs_request q;
	uint32_t handle;
	char text[64];

	mrig_host_write(r, "file", "abcdefgh", 8);
	handle = mrig_open_ok(r, "file", MAGICFS_O_READ_WRITE);
	q = mrig_io(MAGICFS_READ, handle, mrig_put(r, pieces, sizeof(pieces)), 4, 0);
	q.flags = MAGICFS_VECTOR;
	assert_int_equal(mrig_do(r, q), 8);
	mrig_get(r, RIG_DATA, text, 64);
	assert_memory_equal(text, "habc", 4);
	assert_memory_equal(text + 50, "defg", 4);
	q.op = MAGICFS_WRITE;
	q.offset = 8;
	assert_int_equal(mrig_do(r, q), 8);
	assert_int_equal(mrig_host_read(r, "file", text, sizeof(text)), 16);
	assert_memory_equal(text, "abcdefghabcdefgh", 16);
}

static void an_open_file_outlives_its_name(void **state)
{
	struct mrig *r = *state;
	struct magicfs_request q = mrig_make2(r, MAGICFS_RENAME, "file", "moved");
	uint64_t buffer = mrig_put(r, "more", 4);
	struct magicfs_stat st;
	uint32_t handle;

	q.handle2 = 0;
	mrig_host_write(r, "file", "text", 4);
	handle = mrig_open_ok(r, "file", MAGICFS_O_READ_WRITE);
	assert_int_equal(mrig_do(r, q), 0);
	assert_int_equal(mrig_do(r, mrig_io(MAGICFS_WRITE, handle, buffer, 4, 4)), 4);
	assert_int_equal(mrig_simple(r, MAGICFS_UNLINK, 0, "moved"), 0);
	assert_false(host_has(r, "moved"));
	assert_int_equal(mrig_do(r, mrig_io(MAGICFS_READ, handle, buffer, 4, 4)), 4);
	assert_int_equal(mrig_stat(r, handle, "", &st), sizeof(st));
	assert_int_equal(st.size, 8);
	assert_int_equal(st.nlink, 0);
}

static void files_are_truncated_allocated_sought_copied_and_synced(void **state)
{
	struct mrig *r = *state;
	uint32_t from = mrig_open_ok(r, "from", MAGICFS_O_READ_WRITE | MAGICFS_O_CREATE);
	uint32_t to = mrig_open_ok(r, "to", MAGICFS_O_READ_WRITE | MAGICFS_O_CREATE);
	struct magicfs_request q = mrig_make(r, MAGICFS_SET, 0, "from");
	struct magicfs_stat st;
	char text[32] = "";

	q.mask = MAGICFS_SET_SIZE;
	q.offset = 1 << 20;
	assert_int_equal(mrig_do(r, q), 0);
	assert_int_equal(mrig_do(r, mrig_io(MAGICFS_WRITE, from, mrig_put(r, "data", 4), 4, 65536)), 4);
	q = mrig_io(MAGICFS_SEEK, from, 0, 0, 0);
	assert_in_range(mrig_do(r, q), 0, 65536);
	q.flags = MAGICFS_HOLE;
	q.offset = 65536;
	assert_in_range(mrig_do(r, q), 65540, 1 << 20);
	q = mrig_io(MAGICFS_COPY, from, 0, 4, 65536);
	q.handle2 = to;
	q.value[0] = 2;
	assert_int_equal(mrig_do(r, q), 4);
	assert_int_equal(mrig_host_read(r, "to", text, sizeof(text)), 6);
	assert_memory_equal(text, "\0\0data", 6);
	q = mrig_io(MAGICFS_ALLOCATE, to, 0, 8192, 0);
	assert_int_equal(mrig_do(r, q), 0);
	assert_int_equal(mrig_stat(r, to, "", &st), sizeof(st));
	assert_int_equal(st.size, 8192);
	q = mrig_io(MAGICFS_SYNC, to, 0, 0, 0);
	assert_int_equal(mrig_do(r, q), 0);
	q.flags = MAGICFS_DATA_ONLY;
	assert_int_equal(mrig_do(r, q), 0);
}

/* --- Attributes --- */

static void attributes_are_set_and_told(void **state)
{
	struct mrig *r = *state;
	struct magicfs_request q = mrig_make(r, MAGICFS_SET, 0, "file");
	struct magicfs_stat st;
	struct stat host;

	mrig_host_write(r, "file", "x", 1);
	q.mask = MAGICFS_SET_MODE | MAGICFS_SET_ATIME | MAGICFS_SET_MTIME;
	q.mode = 0640;
	q.value[0] = 1500000000123456789u;
	q.value[1] = (uint64_t)-1; /* one nanosecond before 1970 */
	assert_int_equal(mrig_do(r, q), 0);
	assert_int_equal(mrig_stat(r, 0, "file", &st), sizeof(st));
	assert_int_equal(st.mode, MAGICFS_REGULAR | 0640);
	assert_int_equal(st.atime, 1500000000123456789);
	assert_int_equal(st.mtime, -1);
	assert_int_equal(lstat(mrig_path(r, "file"), &host), 0);
	assert_int_equal(host.st_mtim.tv_sec, -1);
	assert_int_equal(host.st_mtim.tv_nsec, 999999999);
	q.mask = MAGICFS_SET_MTIME_NOW;
	assert_int_equal(mrig_do(r, q), 0);
	assert_int_equal(mrig_stat(r, 0, "file", &st), sizeof(st));
	assert_true(st.mtime > 1500000000123456789);
}

static void a_short_buffer_gets_the_beginning(void **state)
{
	struct mrig *r = *state;
	struct magicfs_request q = mrig_make(r, MAGICFS_STAT, 0, "file");
	uint8_t bytes[16], before[16];

	mrig_host_write(r, "file", "x", 1);
	memset(before, 0xee, sizeof(before));
	q.buffer = mrig_put(r, before, sizeof(before));
	q.length = 8;
	assert_int_equal(mrig_do(r, q), sizeof(struct magicfs_stat));
	mrig_get(r, q.buffer, bytes, sizeof(bytes));
	assert_memory_equal(bytes + 8, before, 8);
	q.op = MAGICFS_STATFS;
	q.length = 16;
	assert_int_equal(mrig_do(r, q), sizeof(struct magicfs_statfs));
	mrig_get(r, q.buffer, bytes, sizeof(bytes));
	assert_memory_not_equal(bytes, before, 8);
}

static void extended_attributes_are_kept(void **state)
{
	struct mrig *r = *state;
	struct magicfs_request q = mrig_make2(r, MAGICFS_SETXATTR, "file", "user.color");
	char value[16] = "";

	mrig_host_write(r, "file", "x", 1);
	if (setxattr(mrig_path(r, "file"), "user.probe", "1", 1, 0))
		skip();
	q.buffer = mrig_put(r, "green", 5);
	q.length = 5;
	assert_int_equal(mrig_do(r, q), 0);
	assert_int_equal(getxattr(mrig_path(r, "file"), "user.color", value, sizeof(value)), 5);
	q.op = MAGICFS_GETXATTR;
	q.length = 0;
	assert_int_equal(mrig_do(r, q), 5);
	q.length = 2;
	assert_int_equal(mrig_do(r, q), -ERANGE);
	q.length = 5;
	q.buffer = mrig_alloc(r, 8);
	assert_int_equal(mrig_do(r, q), 5);
	mrig_get(r, q.buffer, value, 5);
	assert_memory_equal(value, "green", 5);
	q.op = MAGICFS_REMOVEXATTR;
	assert_int_equal(mrig_do(r, q), 0);
	q.op = MAGICFS_GETXATTR;
	assert_int_equal(mrig_do(r, q), -ENODATA);
	q.op = MAGICFS_LISTXATTR;
	q.buffer = mrig_alloc(r, 64);
	q.length = 64;
	assert_int_equal(mrig_do(r, q), sizeof("user.probe"));
}

/* --- Names --- */

static void names_are_made_linked_moved_and_removed(void **state)
{
	struct mrig *r = *state;
	struct magicfs_request q = mrig_make(r, MAGICFS_MKDIR, 0, "dir");
	struct magicfs_stat st;
	char target[8] = "";

	q.mode = 0755;
	assert_int_equal(mrig_do(r, q), 0);
	mrig_host_write(r, "dir/a", "a", 1);
	assert_int_equal(mrig_do(r, mrig_make2(r, MAGICFS_SYMLINK, "dir/s", "a")), 0);
	q = mrig_make(r, MAGICFS_READLINK, 0, "dir/s");
	q.buffer = mrig_alloc(r, 8);
	q.length = 8;
	assert_int_equal(mrig_do(r, q), 1);
	mrig_get(r, q.buffer, target, 1);
	assert_string_equal(target, "a");
	assert_int_equal(mrig_stat(r, 0, "dir/s", &st), sizeof(st));
	assert_int_equal(st.size, 1);
	assert_int_equal(mrig_do(r, mrig_make2(r, MAGICFS_LINK, "dir/a", "dir/b")), 0);
	assert_int_equal(mrig_stat(r, 0, "dir/b", &st), sizeof(st));
	assert_int_equal(st.nlink, 2);
	q = mrig_make2(r, MAGICFS_RENAME, "dir/b", "dir/a");
	q.flags = MAGICFS_NOREPLACE;
	assert_int_equal(mrig_do(r, q), -EEXIST);
	assert_int_equal(mrig_simple(r, MAGICFS_UNLINK, 0, "dir"), -EISDIR);
	q = mrig_make(r, MAGICFS_UNLINK, 0, "dir");
	q.flags = MAGICFS_DIRECTORY_ONLY;
	assert_int_equal(mrig_do(r, q), -ENOTEMPTY);
	assert_int_equal(mrig_simple(r, MAGICFS_UNLINK, 0, "dir/a"), 0);
	assert_int_equal(mrig_simple(r, MAGICFS_UNLINK, 0, "dir/b"), 0);
	assert_int_equal(mrig_simple(r, MAGICFS_UNLINK, 0, "dir/s"), 0);
	assert_int_equal(mrig_do(r, q), 0);
	assert_false(host_has(r, "dir"));
}

/* --- Directories --- */

#define FILES 500u

/* Lists the root with a buffer of `size`, `flags`; marks file numbers seen, checks sizes where attributes come. */
static int64_t list_all(struct mrig *r, uint32_t flags, size_t size, unsigned seen[FILES])
{
	struct magicfs_request q = mrig_io(MAGICFS_LIST, 0, mrig_alloc(r, size), size, 0);
	uint8_t *buf = malloc(size);
	int64_t result;

	q.flags = flags;
	while ((result = mrig_do(r, q)) > 0) {
		mrig_get(r, q.buffer, buf, (size_t)result);
		for (int64_t at = 0; at < result;) {
			const struct magicfs_entry *e = (const void *)(buf + at);
			const struct magicfs_stat *st = (const void *)(e + 1);
			const char *name = (const char *)e + e->name_offset;
			unsigned n = FILES;

			assert_int_equal(e->size % 8, 0);
			assert_int_equal(strlen(name), e->name_len);
			if (sscanf(name, "file%u", &n) == 1) {
				assert_int_equal(e->type, MAGICFS_REGULAR >> 12);
				seen[n]++;
			} else {
				assert_int_equal(e->type, MAGICFS_DIRECTORY >> 12);
			}
			if (flags & MAGICFS_ATTRIBUTES && n < FILES)
				assert_int_equal(st->size, n);
			if (flags & MAGICFS_ATTRIBUTES)
				assert_int_equal((st->mode & MAGICFS_TYPE) >> 12, e->type);
			q.offset = e->cursor;
			at += e->size;
		}
	}
	free(buf);
	return result;
}

static void a_directory_is_listed_in_pieces_of_any_size(void **state)
{
	struct mrig *r = *state;
	static const char zeros[FILES];

	for (unsigned i = 0; i < FILES; i++) {
		char name[32];

		snprintf(name, sizeof(name), "file%u", i);
		mrig_host_write(r, name, zeros, i);
	}
	for (unsigned flags = 0; flags <= MAGICFS_ATTRIBUTES; flags++) {
		for (size_t size = 256; size <= 65536; size *= 16) {
			unsigned seen[FILES] = {0};

			assert_int_equal(list_all(r, flags, size, seen), 0);
			for (unsigned i = 0; i < FILES; i++)
				assert_int_equal(seen[i], 1);
		}
	}
	assert_int_equal(mrig_do(r, mrig_io(MAGICFS_LIST, 0, RIG_DATA, 16, 0)), -EINVAL);
	assert_int_equal(mrig_do(r, mrig_io(MAGICFS_LIST, mrig_open_ok(r, "file1", 0), RIG_DATA, 4096, 0)), -ENOTDIR);
}

/* --- Locks --- */

static void locks_of_two_owners_exclude_each_other(void **state)
{
	struct mrig *r = *state;
	uint32_t handle = mrig_open_ok(r, "file", MAGICFS_O_READ_WRITE | MAGICFS_O_CREATE);
	struct magicfs_request q = mrig_io(MAGICFS_LOCK, handle, 0, 100, 10);
	uint64_t more[2];

	q.mask = MAGICFS_LOCK_WRITE;
	q.value[0] = 1;
	assert_int_equal(mrig_do(r, q), 0);
	q.value[0] = 2;
	assert_int_equal(mrig_do(r, q), -EAGAIN);
	q.op = MAGICFS_GETLOCK;
	q.buffer = mrig_alloc(r, 16);
	assert_int_equal(mrig_do(r, q), MAGICFS_LOCK_WRITE);
	assert_int_equal(r->last.extra, 10);
	mrig_get(r, q.buffer, more, 16);
	assert_int_equal(more[0], 100);
	assert_int_equal(more[1], 1);
	q.offset = 110;
	assert_int_equal(mrig_do(r, q), MAGICFS_LOCK_NONE);
	q = mrig_io(MAGICFS_LOCK, handle, 0, 0, 0);
	q.mask = 3;
	assert_int_equal(mrig_do(r, q), -EINVAL);
	q.mask = 0;
	q.offset = INT64_MAX;
	q.length = 2;
	assert_int_equal(mrig_do(r, q), -EINVAL);
}

/* --- Change events --- */

static int64_t watch(struct mrig *r, const char *path, uint32_t mask, uint32_t flags)
{
	struct magicfs_request q = mrig_make(r, MAGICFS_WATCH, 0, path);

	q.mask = mask;
	q.flags = flags;
	return mrig_do(r, q);
}

/* Is there an event of this kind for `path` in a buffer of `len` bytes? */
static bool has_event(struct mrig *r, uint64_t buffer, int64_t len, int64_t number, uint32_t change, const char *path)
{
	uint8_t buf[8192];

	mrig_get(r, buffer, buf, (size_t)len);
	for (int64_t at = 0; at < len;) {
		const struct magicfs_event *e = (const void *)(buf + at);

		if (e->watch == number && e->change & change && !strcmp((const char *)(e + 1), path))
			return true;
		at += e->size;
	}
	return false;
}

static void the_guest_hears_of_what_the_host_changes(void **state)
{
	struct mrig *r = *state;
	struct magicfs_request q = mrig_io(MAGICFS_EVENTS, 0, mrig_alloc(r, 8192), 8192, 0);
	int64_t number = watch(r, "", MAGICFS_CREATED | MAGICFS_REMOVED, 0);
	uint64_t block = mrig_block(r, q);

	assert_true(number > 0);
	assert_int_equal(mrig_do(r, q), -EAGAIN);
	mrig_post(r, block);
	assert_false(mrig_done(r, block));
	mrig_host_write(r, "appears", "x", 1);
	assert_in_range(mrig_finish(r, block), 1, 8192);
	assert_true(has_event(r, q.buffer, r->last.result, number, MAGICFS_CREATED, "appears"));
	mrig_post(r, block);
	assert_int_equal(unlink(mrig_path(r, "appears")), 0);
	assert_in_range(mrig_finish(r, block), 1, 8192);
	assert_true(has_event(r, q.buffer, r->last.result, number, MAGICFS_REMOVED, "appears"));
	q = mrig_make(r, MAGICFS_UNWATCH, 0, NULL);
	q.value[0] = (uint64_t)number;
	assert_int_equal(mrig_do(r, q), 0);
	assert_int_equal(mrig_do(r, q), -ENOENT);
	q.value[0] |= UINT64_C(1) << 32;
	assert_int_equal(mrig_do(r, q), -ENOENT);
}

static void an_event_that_does_not_fit_is_kept(void **state)
{
	struct mrig *r = *state;
	struct magicfs_request q = mrig_io(MAGICFS_EVENTS, 0, mrig_alloc(r, 8192), 16, 0);
	int64_t number = watch(r, "", MAGICFS_CREATED, 0), result;

	mrig_host_write(r, "appears", "x", 1);
	rig_wait_for((result = mrig_do(r, q)) != -EAGAIN);
	assert_int_equal(result, -EINVAL);
	q.length = 8192;
	assert_in_range(mrig_do(r, q), 1, 8192);
	assert_true(has_event(r, q.buffer, r->last.result, number, MAGICFS_CREATED, "appears"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(shares_have_names_and_roots),
		cmocka_unit_test(a_readonly_share_says_so_and_stays_as_it_is),
		TEST(a_stale_handle_is_refused),
		cmocka_unit_test(handles_are_limited_by_the_share),
		TEST(what_is_written_is_read_and_seen_by_the_host),
		TEST(pieces_are_filled_in_order),
		TEST(an_open_file_outlives_its_name),
		TEST(files_are_truncated_allocated_sought_copied_and_synced),
		TEST(attributes_are_set_and_told),
		TEST(a_short_buffer_gets_the_beginning),
		TEST(extended_attributes_are_kept),
		TEST(names_are_made_linked_moved_and_removed),
		TEST(a_directory_is_listed_in_pieces_of_any_size),
		TEST(locks_of_two_owners_exclude_each_other),
		TEST(the_guest_hears_of_what_the_host_changes),
		TEST(an_event_that_does_not_fit_is_kept),
	};

	return cmocka_run_group_tests_name("magicfs", tests, NULL, NULL);
}
