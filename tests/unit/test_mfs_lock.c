/*
 * Locks: byte ranges exclude other owners and processes of the host, but not their own owner, whichever node they came
 * through; they end with their last node. fcntl(2) of POSIX, flock(2) of Linux.
 */
#include <sys/file.h>
#include <sys/wait.h>

#include "tests/unit/mfs_rig.h"

#define READ_LOCK  MFS_LOCK_READ
#define WRITE_LOCK MFS_LOCK_WRITE
#define NO_LOCK	   MFS_LOCK_NONE

static int try_lock(struct mfs_node *node, uint64_t owner, unsigned type, uint64_t start, uint64_t length)
{
	struct mfs_lock lock = {.start = start, .length = length, .owner = owner};

	memcpy(&lock.type, &type, sizeof(type));
	return mfs_lock(node, &lock);
}

/* Who is in the way. */
static struct mfs_lock ask(struct mfs_node *node, uint64_t owner, unsigned type, uint64_t start, uint64_t length)
{
	struct mfs_lock lock = {.start = start, .length = length, .owner = owner};

	memcpy(&lock.type, &type, sizeof(type));
	assert_ok(mfs_getlock(node, &lock));
	return lock;
}

static int try_whole(struct mfs_node *node, unsigned type)
{
	struct mfs_lock lock = {.whole = true};

	memcpy(&lock.type, &type, sizeof(type));
	return mfs_lock(node, &lock);
}

static unsigned open_descriptors(void)
{
	unsigned count = 0;

	for (int fd = 0; fd < 4096; fd++)
		count += fcntl(fd, F_GETFD) >= 0;
	return count;
}

/* --- A process of the host --- */

struct host_process {
	pid_t pid;
	int to, from;
};

/* Carries out what is ordered, and answers with errno. */
static int serve_orders(int file, int in, int out)
{
	struct flock f;

	while (read(in, &f, sizeof(f)) == sizeof(f)) {
		int answer = fcntl(file, F_SETLK, &f) ? errno : 0;

		if (write(out, &answer, sizeof(answer)) < 0)
			return 1;
	}
	return 0;
}

static struct host_process start_host(const struct rig *r, const char *path)
{
	struct host_process p;
	int to[2], from[2], file = openat(r->dir, path, O_RDWR | O_CLOEXEC);

	assert_true(file >= 0);
	assert_int_equal(pipe(to), 0);
	assert_int_equal(pipe(from), 0);
	p.pid = fork();
	assert_true(p.pid >= 0);
	if (p.pid == 0) {
		close(to[1]);
		close(from[0]);
		_exit(serve_orders(file, to[0], from[1]));
	}
	close(file);
	close(to[0]);
	close(from[1]);
	p.to = to[1];
	p.from = from[0];
	return p;
}

static int order_host(struct host_process *p, short type, off_t start, off_t length)
{
	struct flock order = {.l_type = type, .l_whence = SEEK_SET, .l_start = start, .l_len = length};
	int answer;

	assert_int_equal(write(p->to, &order, sizeof(order)), sizeof(order));
	assert_int_equal(read(p->from, &answer, sizeof(answer)), sizeof(answer));
	return answer;
}

static void end_host(struct host_process *p)
{
	int status;

	close(p->to);
	close(p->from);
	assert_int_equal(waitpid(p->pid, &status, 0), p->pid);
	assert_int_equal(status, 0);
}

/* --- Owners --- */

/* One owner has a lock, another one asks for a second. */
static void owners_exclude_each_other_as_locks_do(void **state)
{
	static const struct {
		unsigned type;
		uint64_t start, length;
		unsigned second;
		uint64_t second_start, second_length;
		int result;
	} table[] = {
		{WRITE_LOCK, 0, 10, WRITE_LOCK, 0, 10, -EAGAIN},
		{WRITE_LOCK, 0, 10, READ_LOCK, 0, 10, -EAGAIN},
		{READ_LOCK, 0, 10, WRITE_LOCK, 0, 10, -EAGAIN},
		{READ_LOCK, 0, 10, READ_LOCK, 0, 10, 0},
		{WRITE_LOCK, 0, 10, WRITE_LOCK, 10, 10, 0},
		{WRITE_LOCK, 0, 10, WRITE_LOCK, 9, 1, -EAGAIN},
		{WRITE_LOCK, 10, 10, WRITE_LOCK, 0, 10, 0},
		{WRITE_LOCK, 10, 10, WRITE_LOCK, 0, 11, -EAGAIN},
		{WRITE_LOCK, 10, 0, WRITE_LOCK, 0, 10, 0},
		{WRITE_LOCK, 10, 0, WRITE_LOCK, 1u << 30, 1, -EAGAIN},
		{WRITE_LOCK, 0, 0, READ_LOCK, INT64_MAX, 1, -EAGAIN},
		{WRITE_LOCK, 5, 1, WRITE_LOCK, 0, 0, -EAGAIN},
		{READ_LOCK, 5, 1, READ_LOCK, 0, 0, 0},
		{WRITE_LOCK, 0, 10, NO_LOCK, 0, 10, 0},
	};
	struct rig *r = *state;
	struct mfs_node *a, *b;

	make_file(r, "f", "text");
	a = open_file(r, "f", MFS_READ_WRITE);
	b = open_file(r, "f", MFS_READ_WRITE);
	for (size_t i = 0; i < BIS_ARRAY_SIZE(table); i++) {
		/* Through two nodes, then through one. */
		for (unsigned same = 0; same < 2; same++) {
			assert_ok(try_lock(a, 1, table[i].type, table[i].start, table[i].length));
			assert_int_equal(try_lock(same ? a : b, 2, table[i].second, table[i].second_start,
						  table[i].second_length),
					 table[i].result);
			/* Nobody has given up what is another's. */
			assert_int_equal(try_lock(b, 3, WRITE_LOCK, table[i].start, 1), -EAGAIN);
			assert_ok(try_lock(a, 1, NO_LOCK, 0, 0));
			assert_ok(try_lock(a, 2, NO_LOCK, 0, 0));
		}
	}
	mfs_node_put(a);
	mfs_node_put(b);
}

static void an_owner_is_never_in_its_own_way(void **state)
{
	struct rig *r = *state;
	struct mfs_node *a, *b, *reader;

	make_file(r, "f", "text");
	a = open_file(r, "f", MFS_READ_WRITE);
	b = open_file(r, "f", MFS_READ_WRITE);
	reader = open_file(r, "f", MFS_READ);
	assert_ok(try_lock(reader, 1, READ_LOCK, 0, 100));
	/* Through other nodes: up to a write lock, and down again. */
	assert_ok(try_lock(a, 1, WRITE_LOCK, 0, 100));
	assert_ok(try_lock(b, 1, WRITE_LOCK, 50, 100));
	assert_int_equal(try_lock(b, 2, READ_LOCK, 0, 1), -EAGAIN);
	assert_ok(try_lock(reader, 1, READ_LOCK, 0, 50));
	assert_ok(try_lock(b, 2, READ_LOCK, 0, 50));
	assert_int_equal(try_lock(b, 2, READ_LOCK, 50, 1), -EAGAIN);
	/* Unlocking a part leaves the rest. */
	assert_ok(try_lock(a, 1, NO_LOCK, 60, 10));
	assert_ok(try_lock(b, 2, WRITE_LOCK, 60, 10));
	assert_int_equal(try_lock(b, 2, WRITE_LOCK, 59, 1), -EAGAIN);
	assert_int_equal(try_lock(b, 2, WRITE_LOCK, 70, 1), -EAGAIN);
	mfs_node_put(a);
	mfs_node_put(b);
	mfs_node_put(reader);
}

static void locks_are_of_one_file(void **state)
{
	struct rig *r = *state;
	struct mfs_node *f, *g, *linked;

	make_file(r, "f", "");
	make_file(r, "g", "");
	assert_ok(mfs_link(AT(r, "f"), AT(r, "h")));
	f = open_file(r, "f", MFS_READ_WRITE);
	g = open_file(r, "g", MFS_READ_WRITE);
	linked = open_file(r, "h", MFS_READ_WRITE);
	assert_ok(try_lock(f, 1, WRITE_LOCK, 0, 0));
	assert_ok(try_lock(g, 2, WRITE_LOCK, 0, 0));
	/* Another name is not another file; one that has been removed is still itself. */
	assert_int_equal(try_lock(linked, 2, WRITE_LOCK, 0, 0), -EAGAIN);
	assert_ok(mfs_unlink(AT(r, "f"), false));
	assert_ok(mfs_unlink(AT(r, "h"), false));
	assert_int_equal(try_lock(linked, 2, WRITE_LOCK, 0, 0), -EAGAIN);
	make_file(r, "f", "");
	mfs_node_put(g);
	g = open_file(r, "f", MFS_READ_WRITE);
	assert_ok(try_lock(g, 2, WRITE_LOCK, 0, 0));
	mfs_node_put(f);
	mfs_node_put(g);
	mfs_node_put(linked);
}

/* --- Their end --- */

static void locks_end_with_the_last_node_they_came_through(void **state)
{
	struct rig *r = *state;
	struct mfs_node *a, *b, *other;

	make_file(r, "f", "");
	a = open_file(r, "f", MFS_READ_WRITE);
	b = open_file(r, "f", MFS_READ_WRITE);
	other = open_file(r, "f", MFS_READ_WRITE);
	assert_ok(try_lock(a, 1, WRITE_LOCK, 0, 10));
	assert_ok(try_lock(b, 1, WRITE_LOCK, 20, 10));
	mfs_node_put(a);
	assert_int_equal(try_lock(other, 2, WRITE_LOCK, 0, 10), -EAGAIN);
	mfs_node_put(b);
	assert_ok(try_lock(other, 2, WRITE_LOCK, 0, 0));
	mfs_node_put(other);
}

static void a_lock_that_was_not_had_keeps_no_other(void **state)
{
	struct rig *r = *state;
	struct mfs_node *a, *b, *other;

	make_file(r, "f", "");
	a = open_file(r, "f", MFS_READ_WRITE);
	b = open_file(r, "f", MFS_READ_WRITE);
	other = open_file(r, "f", MFS_READ_WRITE);
	assert_ok(try_lock(other, 2, WRITE_LOCK, 20, 10));
	assert_ok(try_lock(a, 1, WRITE_LOCK, 0, 10));
	assert_int_equal(try_lock(b, 1, WRITE_LOCK, 20, 10), -EAGAIN);
	mfs_node_put(a);
	assert_ok(try_lock(other, 2, WRITE_LOCK, 0, 10));
	mfs_node_put(b);
	mfs_node_put(other);
}

static void descriptors_of_locks_are_given_back(void **state)
{
	struct rig *r = *state;
	struct mfs_node *node;
	unsigned before;

	make_file(r, "f", "");
	node = open_file(r, "f", MFS_READ_WRITE);
	before = open_descriptors();
	for (uint64_t owner = 0; owner < 10; owner++)
		assert_ok(try_lock(node, owner, WRITE_LOCK, owner * 10, 10));
	assert_int_equal(open_descriptors(), before + 10);
	/* A lock that is refused leaves nothing. */
	assert_int_equal(try_lock(node, 77, WRITE_LOCK, 0, 1), -EAGAIN);
	assert_int_equal(open_descriptors(), before + 10);
	for (uint64_t owner = 0; owner < 10; owner++) {
		assert_ok(try_lock(node, owner, NO_LOCK, owner * 10, 5));
		assert_ok(try_lock(node, owner, NO_LOCK, owner * 10 + 5, 0));
	}
	assert_int_equal(open_descriptors(), before);
	/* And one that nobody has is unlocked in vain. */
	assert_ok(try_lock(node, 5, NO_LOCK, 0, 0));
	mfs_node_put(node);
}

static void there_is_a_limit_to_locks(void **state)
{
	struct rig *r = *state;
	struct mfs_node *node;
	uint64_t owner = 0, ranges = 0;
	int err;

	make_file(r, "f", "");
	node = open_file(r, "f", MFS_READ_WRITE);
	while (!(err = try_lock(node, owner, READ_LOCK, 0, 1)) && owner < 100000)
		owner++;
	assert_int_equal(err, -ENOLCK);
	assert_in_range(owner, 64, 1024);
	assert_ok(try_lock(node, owner - 1, NO_LOCK, 0, 0));
	assert_ok(try_lock(node, owner, READ_LOCK, 0, 1));
	/* And to the ranges of one owner, locked or left over by unlocking. */
	while (!(err = try_lock(node, owner, READ_LOCK, 2 * ranges, 1)) && ranges < 100000)
		ranges++;
	assert_int_equal(err, -ENOLCK);
	assert_ok(try_lock(node, owner, READ_LOCK, 0, 0));
	for (ranges = 0; !(err = try_lock(node, owner, NO_LOCK, 2 * ranges, 1)) && ranges < 100000;)
		ranges++;
	assert_int_equal(err, -ENOLCK);
	assert_ok(try_lock(node, owner, NO_LOCK, 0, 0));
	mfs_node_put(node);
}

/* --- Processes of the host --- */

static void processes_of_the_host_count(void **state)
{
	struct rig *r = *state;
	struct host_process host;
	struct mfs_node *node;
	struct mfs_lock found;

	make_file(r, "f", "text");
	node = open_file(r, "f", MFS_READ_WRITE);
	host = start_host(r, "share/f");
	assert_int_equal(order_host(&host, F_WRLCK, 10, 10), 0);
	assert_int_equal(try_lock(node, 1, WRITE_LOCK, 15, 1), -EAGAIN);
	assert_int_equal(try_lock(node, 1, READ_LOCK, 0, 0), -EAGAIN);
	assert_ok(try_lock(node, 1, WRITE_LOCK, 0, 10));
	found = ask(node, 1, READ_LOCK, 0, 0);
	assert_int_equal(found.type, WRITE_LOCK);
	assert_int_equal(found.owner, 0);
	assert_int_equal(found.start, 10);
	assert_int_equal(found.length, 10);
	/* And the other way round. */
	assert_int_equal(order_host(&host, F_WRLCK, 0, 1), EAGAIN);
	assert_int_equal(order_host(&host, F_UNLCK, 0, 0), 0);
	assert_ok(try_lock(node, 1, WRITE_LOCK, 0, 0));
	assert_int_equal(order_host(&host, F_RDLCK, 100, 1), EAGAIN);
	mfs_node_put(node);
	assert_int_equal(order_host(&host, F_WRLCK, 0, 0), 0);
	end_host(&host);
}

/* --- Asking --- */

static void who_is_in_the_way_is_told(void **state)
{
	struct rig *r = *state;
	struct mfs_node *node;
	struct mfs_lock found;

	make_file(r, "f", "");
	node = open_file(r, "f", MFS_READ_WRITE);
	assert_int_equal(ask(node, 1, WRITE_LOCK, 0, 0).type, NO_LOCK);
	assert_ok(try_lock(node, 7, READ_LOCK, 100, 50));
	assert_ok(try_lock(node, 8, WRITE_LOCK, 200, 0));
	found = ask(node, 1, WRITE_LOCK, 120, 1);
	assert_int_equal(found.type, READ_LOCK);
	assert_int_equal(found.owner, 7);
	assert_int_equal(found.start, 100);
	assert_int_equal(found.length, 50);
	assert_int_equal(ask(node, 1, READ_LOCK, 120, 1).type, NO_LOCK);
	found = ask(node, 1, READ_LOCK, 100, 0);
	assert_int_equal(found.type, WRITE_LOCK);
	assert_int_equal(found.owner, 8);
	assert_int_equal(found.start, 200);
	assert_int_equal(found.length, 0);
	/* Its own are not in its way. */
	assert_int_equal(ask(node, 8, WRITE_LOCK, 200, 0).type, NO_LOCK);
	mfs_node_put(node);
}

static void what_makes_no_sense_is_refused(void **state)
{
	struct rig *r = *state;
	struct mfs_node *node, *reader, *writer, *place;
	struct mfs_lock lock = {.type = NO_LOCK};

	make_file(r, "f", "");
	node = open_file(r, "f", MFS_READ_WRITE);
	reader = open_file(r, "f", MFS_READ);
	writer = open_file(r, "f", MFS_WRITE);
	place = lookup(r, "f");
	assert_int_equal(try_lock(place, 1, READ_LOCK, 0, 0), -EBADF);
	assert_int_equal(try_lock(reader, 1, WRITE_LOCK, 0, 0), -EBADF);
	assert_int_equal(try_lock(writer, 1, READ_LOCK, 0, 0), -EBADF);
	assert_int_equal(try_lock(node, 1, 3, 0, 0), -EINVAL);
	assert_int_equal(try_lock(node, 1, READ_LOCK, (uint64_t)INT64_MAX + 1, 0), -EINVAL);
	assert_int_equal(try_lock(node, 1, READ_LOCK, UINT64_MAX, UINT64_MAX), -EINVAL);
	assert_true(try_lock(node, 1, READ_LOCK, INT64_MAX, 2) < 0);
	assert_true(try_lock(node, 1, READ_LOCK, 2, UINT64_MAX) < 0);
	assert_true(try_lock(node, 1, READ_LOCK, 2, INT64_MAX) < 0);
	assert_ok(try_lock(node, 1, READ_LOCK, 1, INT64_MAX));
	assert_ok(try_lock(node, 1, READ_LOCK, INT64_MAX, 1));
	assert_int_equal(mfs_getlock(node, &lock), -EINVAL);
	mfs_node_put(node);
	mfs_node_put(reader);
	mfs_node_put(writer);
	mfs_node_put(place);
}

/* --- Whole files --- */

static void whole_locks_belong_to_what_was_opened(void **state)
{
	struct rig *r = *state;
	struct mfs_node *a, *b;
	char path[100];
	int fd;

	make_file(r, "f", "");
	a = open_file(r, "f", MFS_READ);
	b = open_file(r, "f", MFS_READ);
	assert_ok(try_whole(a, WRITE_LOCK));
	assert_ok(try_whole(a, WRITE_LOCK));
	assert_int_equal(try_whole(b, READ_LOCK), -EAGAIN);
	/* It has nothing to do with ranges. */
	assert_ok(try_lock(b, 1, READ_LOCK, 0, 0));
	snprintf(path, sizeof(path), "%s/share/f", r->folder);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_int_equal(flock(fd, LOCK_SH | LOCK_NB), -1);
	assert_ok(try_whole(a, READ_LOCK));
	assert_ok(try_whole(b, READ_LOCK));
	assert_int_equal(flock(fd, LOCK_SH | LOCK_NB), 0);
	close(fd);
	mfs_node_put(a);
	assert_ok(try_whole(b, WRITE_LOCK));
	assert_ok(try_whole(b, NO_LOCK));
	mfs_node_put(b);
}

static void directories_and_read_only_shares_can_be_locked(void **state)
{
	struct rig *r = *state;
	struct mfs_node *dir, *file;

	make_file(r, "f", "");
	rig_share(r, (struct mfs_options){.readonly = true});
	dir = open_file(r, "/", MFS_READ | MFS_DIRECTORY);
	file = open_file(r, "f", MFS_READ);
	assert_ok(try_whole(dir, WRITE_LOCK));
	assert_ok(try_whole(file, WRITE_LOCK));
	assert_ok(try_lock(file, 1, READ_LOCK, 0, 0));
	assert_int_equal(try_lock(file, 1, WRITE_LOCK, 0, 0), -EBADF);
	mfs_node_put(dir);
	mfs_node_put(file);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RIG_TEST(owners_exclude_each_other_as_locks_do),
		RIG_TEST(an_owner_is_never_in_its_own_way),
		RIG_TEST(locks_are_of_one_file),
		RIG_TEST(locks_end_with_the_last_node_they_came_through),
		RIG_TEST(a_lock_that_was_not_had_keeps_no_other),
		RIG_TEST(descriptors_of_locks_are_given_back),
		RIG_TEST(there_is_a_limit_to_locks),
		RIG_TEST(processes_of_the_host_count),
		RIG_TEST(who_is_in_the_way_is_told),
		RIG_TEST(what_makes_no_sense_is_refused),
		RIG_TEST(whole_locks_belong_to_what_was_opened),
		RIG_TEST(directories_and_read_only_shares_can_be_locked),
	};

	return cmocka_run_group_tests_name("mfs_lock", tests, NULL, NULL);
}
