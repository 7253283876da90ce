/*
 * What the host answers reaches the guest as it is, whether it comes from the file system, from a limit of the process,
 * or from a table of operations that plays a failing host; and the calls check what needs no host.
 */
#include <fcntl.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "tests/unit/mfs_rig.h"

/* --- A host that fails --- */

struct fake {
	struct mfs fs;
	struct mfs_node root, file;
	int answer;
	unsigned calls;
};

static int fake_answer(struct mfs *fs)
{
	struct fake *f = (struct fake *)fs;

	f->calls++;
	return f->answer;
}

static int fake_stat(struct mfs *fs, const struct mfs_at *what, struct mfs_attr *out)
{
	(void)what;
	(void)out;
	return fake_answer(fs);
}

static int fake_set(struct mfs *fs, const struct mfs_at *what, unsigned mask, const struct mfs_attr *attr)
{
	(void)what;
	(void)mask;
	(void)attr;
	return fake_answer(fs);
}

static int fake_open(struct mfs *fs, const struct mfs_at *what, unsigned flags, uint32_t mode, struct mfs_who who,
		     struct mfs_node **out)
{
	(void)what;
	(void)flags;
	(void)mode;
	(void)who;
	(void)out;
	return fake_answer(fs);
}

static ssize_t fake_write(struct mfs *fs, struct mfs_node *node, const struct bis_memory *m,
			  const struct bis_mem_range *ranges, size_t count, uint64_t offset)
{
	(void)node;
	(void)m;
	(void)ranges;
	(void)count;
	(void)offset;
	return fake_answer(fs);
}

static int fake_sync(struct mfs *fs, struct mfs_node *node, bool data_only)
{
	(void)node;
	(void)data_only;
	return fake_answer(fs);
}

static int fake_rename(struct mfs *fs, const struct mfs_at *from, const struct mfs_at *to, unsigned flags)
{
	(void)from;
	(void)to;
	(void)flags;
	return fake_answer(fs);
}

static const struct mfs_ops fake_ops = {
	.stat = fake_stat,
	.set = fake_set,
	.open = fake_open,
	.write = fake_write,
	.sync = fake_sync,
	.rename = fake_rename,
};

static void fake_init(struct fake *f, int answer)
{
	*f = (struct fake){.fs.ops = &fake_ops, .answer = answer};
	f->root = (struct mfs_node){.fs = &f->fs, .references = 1, .type = S_IFDIR, .id = 1};
	f->file = (struct mfs_node){
		.fs = &f->fs, .references = 1, .open = true, .flags = MFS_READ_WRITE, .type = S_IFREG, .id = 2};
	f->fs.root = &f->root;
}

static void errors_of_the_host_come_through(void **state)
{
	static const int errors[] = {-EIO, -ENOSPC, -EDQUOT, -EACCES, -EMFILE, -ENFILE, -EROFS, -ENOMEM, -ESTALE};
	struct mfs_attr attr = {0};
	struct fake f;

	(void)state;
	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
		int err = errors[i];

		fake_init(&f, err);
		assert_int_equal(try_stat(IN(&f.root, "x")), err);
		assert_int_equal(try_open(IN(&f.root, "x"), MFS_READ_WRITE | MFS_CREATE), err);
		assert_int_equal(mfs_set(IN(&f.root, "x"), MFS_SET_SIZE, &attr), err);
		assert_int_equal(mfs_write(&f.file, NULL, NULL, 0, 0), err);
		assert_int_equal(mfs_sync(&f.file, true), err);
		assert_int_equal(mfs_rename(IN(&f.root, "x"), IN(&f.root, "y"), 0), err);
		assert_int_equal(f.calls, 6);
		assert_int_equal(atomic_load(&f.fs.nodes), 0);
		assert_int_equal(atomic_load(&f.fs.bytes_written), 0);
	}
}

static void what_a_table_has_not_is_not_supported(void **state)
{
	struct mfs_node *node;
	struct mfs_lock lock = {.type = MFS_LOCK_WRITE};
	struct mfs_watcher *w;
	struct fake f;
	int fd;

	(void)state;
	fake_init(&f, 0);
	assert_int_equal(mfs_lookup(IN(&f.root, "x"), &node), -EOPNOTSUPP);
	assert_int_equal(mfs_mkdir(IN(&f.root, "x"), 0, rig_who), -EOPNOTSUPP);
	assert_int_equal(mfs_read(&f.file, NULL, NULL, 0, 0, false), -EOPNOTSUPP);
	assert_int_equal(mfs_map(&f.file, true, &fd), -EOPNOTSUPP);
	assert_int_equal(mfs_lock(&f.file, &lock), -EOPNOTSUPP);
	assert_int_equal(mfs_watcher_create(&f.fs, &w), -EOPNOTSUPP);
	assert_int_equal(f.calls, 0);
}

/* The number that means nobody, in ids of Linux, cannot own anything. */
static void what_is_made_belongs_to_somebody(void **state)
{
	static const struct mfs_who nobody[] = {{UINT32_MAX, 1}, {1, UINT32_MAX}};
	struct mfs_node *node;
	struct fake f;

	(void)state;
	fake_init(&f, 0);
	for (size_t i = 0; i < 2; i++) {
		const struct mfs_at *x = IN(&f.root, "x");

		assert_int_equal(mfs_open(x, MFS_WRITE | MFS_CREATE, 0644, nobody[i], &node), -EINVAL);
		assert_int_equal(mfs_open(x, MFS_WRITE | MFS_TEMPORARY, 0644, nobody[i], &node), -EINVAL);
		assert_int_equal(mfs_mkdir(x, 0755, nobody[i]), -EINVAL);
		assert_int_equal(mfs_mknod(x, S_IFREG, 0, nobody[i]), -EINVAL);
		assert_int_equal(mfs_symlink(x, "y", nobody[i]), -EINVAL);
	}
	assert_int_equal(f.calls, 0);
}

static void what_needs_no_host_is_not_asked_of_it(void **state)
{
	struct mfs_attr attr = {.size = UINT64_MAX, .uid = UINT32_MAX, .atime = {0, UINT32_MAX}};
	struct mfs_lock lock = {.type = MFS_LOCK_WRITE};
	struct fake f, other;

	(void)state;
	fake_init(&f, 0);
	fake_init(&other, 0);
	assert_int_equal(mfs_set(IN(&f.root, "x"), MFS_SET_SIZE, &attr), -EFBIG);
	assert_int_equal(mfs_set(IN(&f.root, "x"), MFS_SET_UID, &attr), -EINVAL);
	assert_int_equal(mfs_set(IN(&f.root, "x"), MFS_SET_ATIME, &attr), -EINVAL);
	assert_int_equal(mfs_set(IN(&f.root, "x"), 1u << 31, &attr), -EINVAL);
	assert_int_equal(mfs_rename(IN(&f.root, "x"), IN(&other.root, "y"), 0), -EXDEV);
	assert_int_equal(mfs_link(IN(&f.root, "x"), IN(&other.root, "y")), -EXDEV);
	assert_int_equal(mfs_copy(&f.file, 0, &other.file, 0, 1), -EXDEV);
	assert_int_equal(mfs_rename(IN(&f.root, "x"), IN(&f.root, ".."), 0), -EBUSY);
	assert_int_equal(mfs_rename(IN(&f.root, "x"), IN(&f.root, "d/."), 0), -EBUSY);
	f.file.open = false;
	assert_int_equal(mfs_lock(&f.file, &lock), -EBADF);
	assert_int_equal(mfs_setxattr(IN(&f.root, "x"), "", "", 0, 0), -ERANGE);
	assert_int_equal(mfs_setxattr(IN(&f.root, "x"), "user.x", "", 65537, 0), -E2BIG);
	assert_int_equal(mfs_setxattr(IN(&f.root, "x"), "user.x", "", 0, 4), -EINVAL);
	assert_int_equal(f.calls + other.calls, 0);
}

/* --- Limits of the host --- */

static void files_have_a_largest_size(void **state)
{
	struct rig *r = *state;
	struct rlimit before, small;
	struct mfs_node *node = open_file(r, "f", MFS_READ_WRITE | MFS_CREATE);
	struct mfs_attr attr = {.size = 5000};
	void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);

	getrlimit(RLIMIT_FSIZE, &before);
	small = before;
	small.rlim_cur = 4096;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	assert_int_equal(put_text(r, node, "beyond", 4096), -EFBIG);
	assert_int_equal(mfs_set(NODE(node), MFS_SET_SIZE, &attr), -EFBIG);
	assert_int_equal(mfs_fallocate(node, 0, 4096, 1), -EFBIG);
	setrlimit(RLIMIT_FSIZE, &before);
	signal(SIGXFSZ, handler);
	mfs_node_put(node);
}

static void descriptors_run_out(void **state)
{
	struct rig *r = *state;
	struct mfs_node *places[8], *node;
	struct rlimit before, small;
	int hogs[256], count = 0, err;

	make_file(r, "f", "text");
	for (int i = 0; i < 8; i++)
		places[i] = lookup(r, "f");
	getrlimit(RLIMIT_NOFILE, &before);
	small = before;
	small.rlim_cur = 64;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &small), 0);
	while (count < 256 && (hogs[count] = open("/dev/null", O_RDONLY | O_CLOEXEC)) >= 0)
		count++;
	/* Nodes that are only places give theirs up. */
	err = mfs_open(AT(r, "f"), MFS_READ, 0, rig_who, &node);
	if (!err)
		mfs_node_put(node);
	for (int i = 0; i < 8; i++)
		mfs_node_put(places[i]);
	while (count < 256 && (hogs[count] = open("/dev/null", O_RDONLY | O_CLOEXEC)) >= 0)
		count++;
	/* Now there is really none. */
	assert_int_equal(try_open(AT(r, "f"), MFS_READ), -EMFILE);
	assert_int_equal(try_lookup(AT(r, "f")), -EMFILE);
	/* What is made and cannot be given to its owner is not left behind. */
	assert_int_equal(mfs_mkdir(AT(r, "d"), 0755, rig_who), -EMFILE);
	assert_int_equal(mfs_mknod(AT(r, "p"), S_IFIFO | 0644, 0, rig_who), -EMFILE);
	while (count > 0)
		close(hogs[--count]);
	setrlimit(RLIMIT_NOFILE, &before);
	assert_ok(err);
	assert_string_equal(text_at(r, "f"), "text");
	assert_false(host_has(r, "share/d"));
	assert_false(host_has(r, "share/p"));
}

static void permissions_are_the_hosts(void **state)
{
	struct rig *r = *state;

	if (geteuid() == 0)
		skip();
	host_put(r, "share/secret", "x");
	assert_int_equal(mkdirat(r->dir, "share/closed", 0555), 0);
	assert_int_equal(fchmodat(r->dir, "share/secret", 0, 0), 0);
	assert_int_equal(try_open(AT(r, "secret"), MFS_READ), -EACCES);
	assert_int_equal(try_open(AT(r, "closed/new"), MFS_WRITE | MFS_CREATE), -EACCES);
	assert_int_equal(mfs_mkdir(AT(r, "closed/new"), 0755, rig_who), -EACCES);
	assert_int_equal(fchmodat(r->dir, "share/closed", 0, 0), 0);
	assert_int_equal(try_stat(AT(r, "closed/x")), -EACCES);
	assert_int_equal(fchmodat(r->dir, "share/closed", 0755, 0), 0);
}

static void a_full_disk_says_so(void **state)
{
	struct rig *r = *state;
	struct bis_mem_range range = {.pa = {RIG_RAM}, .len = RIG_RAM_SIZE};
	struct mfs_node *node;
	ssize_t put = 0;
	char path[80];

	snprintf(path, sizeof(path), "%s/share", r->folder);
	if (geteuid() != 0 || mount("none", path, "tmpfs", 0, "size=256k,nr_inodes=8"))
		skip();
	rig_share(r, (struct mfs_options){0});
	node = open_file(r, "f", MFS_WRITE | MFS_CREATE);
	for (uint64_t at = 0; put >= 0 && at < RIG_RAM_SIZE * 4; at += RIG_RAM_SIZE)
		put = mfs_write(node, r->memory, &range, 1, at);
	assert_int_equal(put, -ENOSPC);
	assert_int_equal(mfs_fallocate(node, 0, 0, 1 << 20), -ENOSPC);
	mfs_node_put(node);
	put = 0;
	for (unsigned i = 0; !put && i < 16; i++) {
		snprintf(path, sizeof(path), "d%u", i);
		put = mfs_mkdir(AT(r, path), 0755, rig_who);
	}
	assert_int_equal(put, -ENOSPC);
	mfs_node_put(r->root);
	mfs_put(r->fs);
	r->root = NULL;
	r->fs = NULL;
	snprintf(path, sizeof(path), "%s/share", r->folder);
	assert_int_equal(umount2(path, MNT_DETACH), 0);
	rig_share(r, (struct mfs_options){0});
}

/* What was acknowledged as synced is there when the process is killed at once. */
static void what_was_synced_survives_a_kill(void **state)
{
	struct rig *r = *state;
	pid_t child = fork();
	int status;

	if (child == 0) {
		struct mfs_node *node = open_file(r, "f", MFS_WRITE | MFS_CREATE);

		if (put_text(r, node, "kept", 0) == 4 && !mfs_sync(node, false) && !mfs_sync(r->root, false))
			kill(getpid(), SIGKILL);
		_exit(1);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	assert_string_equal(host_text(r, "share/f"), "kept");
}

static void sync_shares_write_through(void **state)
{
	struct rig *r = *state;
	struct mfs_node *in, *out;
	int fd;

	rig_share(r, (struct mfs_options){.sync = true});
	out = open_file(r, "f", MFS_READ_WRITE | MFS_CREATE);
	in = open_file(r, "f", MFS_READ);
	assert_ok(mfs_map(out, true, &fd));
	assert_true(fcntl(fd, F_GETFL) & O_DSYNC);
	close(fd);
	assert_ok(mfs_map(in, false, &fd));
	assert_false(fcntl(fd, F_GETFL) & O_DSYNC);
	close(fd);
	mfs_node_put(in);
	mfs_node_put(out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(errors_of_the_host_come_through),
		cmocka_unit_test(what_a_table_has_not_is_not_supported),
		cmocka_unit_test(what_needs_no_host_is_not_asked_of_it),
		cmocka_unit_test(what_is_made_belongs_to_somebody),
		RIG_TEST(files_have_a_largest_size),
		RIG_TEST(descriptors_run_out),
		RIG_TEST(permissions_are_the_hosts),
		RIG_TEST(a_full_disk_says_so),
		RIG_TEST(what_was_synced_survives_a_kill),
		RIG_TEST(sync_shares_write_through),
	};

	return cmocka_run_group_tests_name("mfs_errors", tests, NULL, NULL);
}
