/* Virtio-9p: attributes, extended attributes, directories, locks, owners. */
#include <sys/file.h>
#include <sys/statvfs.h>
#include <sys/xattr.h>

#include "tests/unit/p9_rig.h"

#define Q(value) ((uint64_t)(value))

enum { GET_BASIC = 0x7ff, GET_BTIME = 0x800, GET_GEN = 0x1000, GET_DATA_VERSION = 0x2000, GET_ALL = 0x3fff };
enum { SET_MODE = 1, SET_SIZE = 8, SET_ATIME = 16, SET_MTIME = 32, SET_CTIME = 64, SET_ATIME_SET = 128 };
enum { SET_MTIME_SET = 256, SET_OWNERS = 6 };
enum { READ_LOCK, WRITE_LOCK, NO_LOCK };

struct attr {
	uint64_t valid;
	struct p9_qid qid;
	uint32_t mode, uid, gid;
	uint64_t nlink, rdev, size, blksize, blocks;
	uint64_t atime, atime_nsec, mtime, mtime_nsec, ctime, ctime_nsec, btime, btime_nsec, gen, data_version;
};

static struct attr get_attr(struct p9_client *c, unsigned fid, uint64_t mask)
{
	struct attr a;
	uint64_t *const words[] = {&a.nlink,	  &a.rdev,	 &a.size,	&a.blksize,    &a.blocks,
				   &a.atime,	  &a.atime_nsec, &a.mtime,	&a.mtime_nsec, &a.ctime,
				   &a.ctime_nsec, &a.btime,	 &a.btime_nsec, &a.gen,	       &a.data_version};

	assert_int_equal(p9(c, P9_TGETATTR, "dq", fid, mask), 0);
	a.valid = p9_get(c, 8);
	a.qid = p9_get_qid(c);
	a.mode = (uint32_t)p9_get(c, 4);
	a.uid = (uint32_t)p9_get(c, 4);
	a.gid = (uint32_t)p9_get(c, 4);
	for (size_t i = 0; i < BIS_ARRAY_SIZE(words); i++)
		*words[i] = p9_get(c, 8);
	assert_p9_end(c);
	return a;
}

static int set_attr(struct p9_client *c, unsigned fid, uint32_t valid, uint32_t mode, uint64_t size, uint64_t atime,
		    uint64_t mtime)
{
	return p9(c, P9_TSETATTR, "dddddqqqqq", fid, valid, mode, 7, 8, size, atime, Q(11), mtime, Q(22));
}

static void attributes_are_the_files(void **state)
{
	struct p9_client *c = *state;
	struct stat st;
	struct attr a;

	p9_make_file(c, "file", "0123456789");
	assert_int_equal(link(p9_path(c, "file"), p9_path(c, "hard")), 0);
	assert_int_equal(chmod(p9_path(c, "file"), 0640), 0);
	assert_int_equal(stat(p9_path(c, "file"), &st), 0);
	assert_int_equal(p9_go(c, FID, "file"), 0);
	a = get_attr(c, FID, GET_BASIC);
	assert_int_equal(a.valid, GET_BASIC);
	assert_int_equal(a.qid.type, 0);
	assert_int_equal(a.mode, S_IFREG | 0640);
	assert_int_equal(a.nlink, 2);
	assert_int_equal(a.size, 10);
	assert_int_equal(a.blocks, st.st_blocks);
	assert_int_equal(a.mtime, st.st_mtim.tv_sec);
	assert_int_equal(a.mtime_nsec, st.st_mtim.tv_nsec);
	assert_int_equal(a.ctime_nsec, st.st_ctim.tv_nsec);
	assert_int_equal(a.atime, st.st_atim.tv_sec);
	assert_int_equal(get_attr(c, FID, GET_ALL).valid, GET_ALL);
	assert_int_equal(get_attr(c, FID, GET_BASIC | GET_BTIME).valid, GET_BASIC | GET_BTIME);
	assert_int_equal(get_attr(c, ROOT, GET_BASIC).qid.type, 0x80);
	assert_true(S_ISDIR(get_attr(c, ROOT, GET_BASIC).mode));
}

/* What a client compares to know whether its copy is still right. */
static void versions_and_generations_tell_objects_apart(void **state)
{
	struct p9_client *c = *state;
	struct attr before, after, other;

	p9_make_file(c, "file", "0123456789");
	p9_make_file(c, "other", "x");
	assert_int_equal(p9_go(c, FID, "file"), 0);
	assert_int_equal(p9_go(c, NEW, "other"), 0);
	before = get_attr(c, FID, GET_ALL);
	other = get_attr(c, NEW, GET_ALL);
	assert_true(before.qid.path != other.qid.path);
	assert_int_equal(get_attr(c, FID, GET_ALL).qid.version, before.qid.version);
	p9_make_file(c, "file", "changed on the host");
	after = get_attr(c, FID, GET_ALL);
	assert_int_equal(after.size, 19);
	assert_true(after.qid.version != before.qid.version);
	assert_true(after.data_version != before.data_version);
	assert_int_equal(after.qid.path, before.qid.path);
	assert_int_equal(after.gen, before.gen);
}

static void attributes_are_set(void **state)
{
	struct p9_client *c = *state;
	struct stat st;
	time_t now = time(NULL);

	p9_make_file(c, "file", "0123456789");
	assert_int_equal(p9_go(c, FID, "file"), 0);
	assert_int_equal(set_attr(c, FID, SET_MODE, S_IFREG | 0600, 0, 0, 0), 0);
	assert_p9_end(c);
	assert_int_equal(set_attr(c, FID, SET_SIZE, 0, 4, 0, 0), 0);
	assert_p9_file(c, "file", "0123");
	assert_int_equal(set_attr(c, FID, SET_ATIME | SET_ATIME_SET | SET_MTIME | SET_MTIME_SET, 0, 0, 1000, 2000), 0);
	assert_int_equal(stat(p9_path(c, "file"), &st), 0);
	assert_int_equal(st.st_mode, S_IFREG | 0600);
	assert_int_equal(st.st_atim.tv_sec, 1000);
	assert_int_equal(st.st_atim.tv_nsec, 11);
	assert_int_equal(st.st_mtim.tv_sec, 2000);
	assert_int_equal(st.st_mtim.tv_nsec, 22);
	assert_int_equal(set_attr(c, FID, SET_MTIME, 0, 0, 5, 5), 0); /* now, by the host's clock */
	assert_int_equal(stat(p9_path(c, "file"), &st), 0);
	assert_int_equal(st.st_atim.tv_sec, 1000);
	assert_true(st.st_mtim.tv_sec >= now - 1);
	assert_int_equal(set_attr(c, FID, SET_CTIME, 0, 0, 0, 0), 0);
	assert_int_equal(set_attr(c, FID, 0, 0, 0, 0, 0), 0);
	assert_int_equal(set_attr(c, FID, 0x200, 0, 0, 0, 0), EINVAL);
	assert_int_equal(set_attr(c, FID, SET_SIZE, 0, UINT64_MAX, 0, 0), EFBIG);
	assert_int_equal(set_attr(c, ROOT, SET_SIZE, 0, 0, 0, 0), EISDIR);
	assert_int_equal(p9(c, P9_TSETATTR, "dddddqqqqq", FID, SET_MTIME | SET_MTIME_SET, 0, 0, 0, Q(0), Q(0), Q(0),
			    Q(0), Q(1000000000)),
			 EINVAL);
	assert_int_equal(p9(c, P9_TSETATTR, "dddddqqqqq", FID, SET_ATIME | SET_ATIME_SET, 0, 0, 0, Q(0), Q(0),
			    Q(1) << 32, Q(0), Q(0)),
			 EINVAL);
	/* What is not to be set may be anything. */
	assert_int_equal(p9(c, P9_TSETATTR, "dddddqqqqq", FID, SET_SIZE, ~0u, ~0u, ~0u, Q(3), UINT64_MAX, UINT64_MAX,
			    UINT64_MAX, Q(1000000000)),
			 0);
	assert_p9_file(c, "file", "012");
	assert_int_equal(set_attr(c, FID, SET_OWNERS, 0, 0, 0, 0), 0); /* owner=guest: changes nothing */
}

static void owners_are_those_of_the_fid_and_the_message(void **state)
{
	struct p9_client *c = *state;
	struct attr a;

	p9_close_machine(c);
	p9_open_machine(c, ",owner=mapped", "");
	p9_start(c);
	assert_int_equal(p9(c, P9_TATTACH, "ddssd", FID, P9_NONE, "", "", 1000), 0);
	if (p9(c, P9_TMKDIR, "dsdd", FID, "sub", 0755, 100) == EOPNOTSUPP)
		skip(); /* no extended attributes here */
	assert_int_equal(p9(c, P9_TWALK, "ddws", FID, NEW, 1, "sub"), 0);
	assert_int_equal(p9(c, P9_TLCREATE, "dsddd", NEW, "file", 2, 04755, 200), 0);
	a = get_attr(c, NEW, GET_BASIC);
	assert_int_equal(a.uid, 1000);
	assert_int_equal(a.gid, 200);
	assert_int_equal(a.mode, S_IFREG | 04755);
	assert_int_equal(set_attr(c, NEW, SET_OWNERS, 0, 0, 0, 0), 0);
	a = get_attr(c, NEW, GET_BASIC);
	assert_int_equal(a.uid, 7);
	assert_int_equal(a.gid, 8);
	assert_int_equal(p9_go(c, OTHER, "sub"), 0);
	assert_int_equal(get_attr(c, OTHER, GET_BASIC).uid, 1000);
	assert_int_equal(get_attr(c, OTHER, GET_BASIC).gid, 100);
}

static void file_systems_have_figures(void **state)
{
	struct p9_client *c = *state;
	struct statvfs st;

	assert_int_equal(statvfs(p9_path(c, ""), &st), 0);
	assert_int_equal(p9(c, P9_TSTATFS, "d", ROOT), 0);
	assert_true(p9_get(c, 4) != 0);
	assert_int_equal(p9_get(c, 4), st.f_bsize);
	assert_int_equal(p9_get(c, 8), st.f_blocks);
	c->at += 8 + 8;
	assert_int_equal(p9_get(c, 8), st.f_files);
	c->at += 8 + 8;
	assert_int_equal(p9_get(c, 4), 255);
	assert_p9_end(c);
}

/* --- Extended attributes --- */

static bool host_has_xattrs(struct p9_client *c)
{
	return setxattr(p9_path(c, ""), "user.probe", "x", 1, 0) == 0 && removexattr(p9_path(c, ""), "user.probe") == 0;
}

static void extended_attributes_are_read(void **state)
{
	struct p9_client *c = *state;

	if (!host_has_xattrs(c))
		skip();
	p9_make_file(c, "file", "x");
	assert_int_equal(setxattr(p9_path(c, "file"), "user.one", "value", 5, 0), 0);
	assert_int_equal(p9_go(c, FID, "file"), 0);
	assert_int_equal(p9(c, P9_TXATTRWALK, "dds", FID, NEW, "user.one"), 0);
	assert_int_equal(p9_get(c, 8), 5);
	assert_p9_end(c);
	assert_int_equal(p9(c, P9_TREAD, "dqd", NEW, Q(1), 100), 0);
	assert_int_equal(p9_get(c, 4), 4);
	assert_memory_equal(c->reply + c->at, "alue", 4);
	assert_int_equal(p9(c, P9_TREAD, "dqd", NEW, Q(1) << 63, 100), 0);
	assert_int_equal(p9_get(c, 4), 0);
	assert_int_equal(p9(c, P9_TWRITE, "dqdz", NEW, Q(0), 1, "x", (size_t)1), EBADF);
	assert_int_equal(p9(c, P9_TGETATTR, "dq", NEW, Q(GET_BASIC)), EINVAL);
	assert_int_equal(p9(c, P9_TWALK, "ddw", NEW, OTHER, 0), EINVAL);
	assert_int_equal(p9_close(c, NEW), 0);
	assert_int_equal(p9(c, P9_TXATTRWALK, "dds", FID, NEW, "user.absent"), ENODATA);
	assert_int_equal(p9_close(c, NEW), EBADF);
	assert_int_equal(p9(c, P9_TXATTRWALK, "dds", FID, ROOT, "user.one"), EINVAL);
	assert_int_equal(p9(c, P9_TXATTRWALK, "dds", FID, NEW, ""), 0); /* the list */
	assert_int_equal(p9_get(c, 8), 9);
	assert_int_equal(p9(c, P9_TREAD, "dqd", NEW, Q(0), 100), 0);
	assert_int_equal(p9_get(c, 4), 9);
	assert_memory_equal(c->reply + c->at, "user.one", 9);
}

static void extended_attributes_are_set_at_clunk(void **state)
{
	struct p9_client *c = *state;
	char got[16];

	if (!host_has_xattrs(c))
		skip();
	p9_make_file(c, "file", "x");
	assert_int_equal(p9_go(c, FID, "file"), 0);
	assert_int_equal(p9(c, P9_TXATTRCREATE, "dsqd", FID, "user.two", Q(6), 0), 0);
	assert_int_equal(p9(c, P9_TREAD, "dqd", FID, Q(0), 1), EBADF);
	assert_int_equal(p9(c, P9_TWRITE, "dqdz", FID, Q(4), 2, "xx", (size_t)2), EINVAL); /* a gap */
	assert_int_equal(p9(c, P9_TWRITE, "dqdz", FID, Q(0), 4, "abcd", (size_t)4), 0);
	assert_int_equal(p9(c, P9_TWRITE, "dqdz", FID, Q(4), 3, "efg", (size_t)3), ENOSPC);
	assert_int_equal(p9(c, P9_TWRITE, "dqdz", FID, UINT64_MAX, 3, "efg", (size_t)3), ENOSPC);
	assert_int_equal(p9(c, P9_TWRITE, "dqdz", FID, Q(4), 2, "ef", (size_t)2), 0);
	assert_int_equal(getxattr(p9_path(c, "file"), "user.two", got, sizeof(got)), -1);
	assert_int_equal(p9_close(c, FID), 0);
	assert_int_equal(getxattr(p9_path(c, "file"), "user.two", got, sizeof(got)), 6);
	assert_memory_equal(got, "abcdef", 6);

	/* Less than announced is nothing. */
	assert_int_equal(p9_go(c, FID, "file"), 0);
	assert_int_equal(p9(c, P9_TXATTRCREATE, "dsqd", FID, "user.three", Q(6), 0), 0);
	assert_int_equal(p9(c, P9_TWRITE, "dqdz", FID, Q(0), 4, "abcd", (size_t)4), 0);
	assert_int_equal(p9_close(c, FID), EINVAL);
	assert_int_equal(p9_close(c, FID), EBADF);
	assert_int_equal(getxattr(p9_path(c, "file"), "user.three", got, sizeof(got)), -1);

	/* XATTR_CREATE; an empty value; nothing in the place of one takes it away. */
	assert_int_equal(p9_go(c, FID, "file"), 0);
	assert_int_equal(p9(c, P9_TXATTRCREATE, "dsqd", FID, "user.two", Q(0), XATTR_CREATE), 0);
	assert_int_equal(p9_close(c, FID), EEXIST);
	assert_int_equal(p9_go(c, FID, "file"), 0);
	assert_int_equal(p9(c, P9_TXATTRCREATE, "dsqd", FID, "user.two", Q(0), 0), 0);
	assert_int_equal(p9_close(c, FID), 0);
	assert_int_equal(getxattr(p9_path(c, "file"), "user.two", got, sizeof(got)), 0);
	assert_int_equal(p9_go(c, FID, "file"), 0);
	assert_int_equal(p9(c, P9_TXATTRCREATE, "dsqd", FID, "user.two", Q(0), XATTR_REPLACE), 0);
	assert_int_equal(p9_close(c, FID), 0);
	assert_int_equal(getxattr(p9_path(c, "file"), "user.two", got, sizeof(got)), -1);
}

static void extended_attributes_have_bounds(void **state)
{
	struct p9_client *c = *state;
	char name[300];

	memset(name, 'n', sizeof(name));
	memcpy(name, "user.", 5);
	name[256] = 0;
	p9_make_file(c, "file", "x");
	assert_int_equal(p9_go(c, FID, "file"), 0);
	assert_int_equal(p9(c, P9_TXATTRCREATE, "dsqd", FID, name, Q(1), 0), ERANGE);
	assert_int_equal(p9(c, P9_TXATTRCREATE, "dsqd", FID, "", Q(1), 0), EINVAL);
	assert_int_equal(p9(c, P9_TXATTRCREATE, "dsqd", FID, "user.x", Q(65537), 0), E2BIG);
	assert_int_equal(p9(c, P9_TXATTRCREATE, "dsqd", FID, "user.x", UINT64_MAX, 0), E2BIG);
	assert_int_equal(p9(c, P9_TXATTRCREATE, "dsqd", FID, "user.x", Q(65536), 0), 0);
	assert_int_equal(p9(c, P9_TREMOVE, "d", FID), EINVAL);
	assert_true(p9_exists(c, "file"));
}

/* A guest that never finishes its attributes does not fill the host's memory. */
static void extended_attributes_have_bounds_together(void **state)
{
	enum { FIRST = 100, FIT = P9_XATTRS_MAX / P9_XATTR_MAX };
	struct p9_client *c = *state;

	p9_make_file(c, "file", "x");
	for (unsigned fid = FIRST; fid <= FIRST + FIT; fid++) {
		assert_int_equal(p9_go(c, fid, "file"), 0);
		assert_int_equal(p9(c, P9_TXATTRCREATE, "dsqd", fid, "user.x", Q(P9_XATTR_MAX), 0),
				 fid < FIRST + FIT ? 0 : ENOMEM);
	}
	assert_int_equal(p9(c, P9_TCLUNK, "d", FIRST), EINVAL); /* nothing was written */
	assert_int_equal(p9(c, P9_TXATTRCREATE, "dsqd", FIRST + FIT, "user.x", Q(P9_XATTR_MAX), 0), 0);
}

/* --- Directories --- */

/* The names from `offset` on that come with one message: how many, and where the next ones are. */
static unsigned list_some(struct p9_client *c, unsigned fid, uint64_t *offset, uint32_t count, uint8_t *seen,
			  size_t size)
{
	unsigned n = 0;
	uint32_t len;

	assert_int_equal(p9(c, P9_TREADDIR, "dqd", fid, *offset, count), 0);
	len = (uint32_t)p9_get(c, 4);
	assert_true(len <= count);
	assert_int_equal(len, c->reply_len - c->at);
	for (; c->at < c->reply_len; n++) {
		struct p9_qid q = p9_get_qid(c);
		unsigned number, type;
		char name[256];

		*offset = p9_get(c, 8);
		type = (unsigned)p9_get(c, 1);
		p9_get_text(c, name, sizeof(name));
		if (sscanf(name, "name-%u", &number) == 1) {
			assert_true(number < size);
			seen[number]++;
			assert_int_equal(type, number % 3 ? DT_REG : DT_DIR);
			assert_int_equal(q.type, number % 3 ? 0 : 0x80);
			assert_true(q.path != 0);
		}
	}
	return n;
}

static void every_name_is_listed_once(void **state)
{
	enum { NAMES = 1500 };
	static const uint32_t counts[] = {64, 300, 4096, 8192, 1 << 20};
	struct p9_client *c = *state;
	char name[32];

	for (unsigned i = 0; i < NAMES; i++) {
		snprintf(name, sizeof(name), "name-%u", i);
		if (i % 3)
			p9_make_file(c, name, "");
		else
			assert_int_equal(mkdir(p9_path(c, name), 0755), 0);
	}
	assert_int_equal(p9_go(c, FID, ""), 0);
	assert_int_equal(p9(c, P9_TREADDIR, "dqd", FID, Q(0), 4096), EBADF);
	assert_int_equal(p9(c, P9_TLOPEN, "dd", FID, 0), 0);
	for (size_t i = 0; i < BIS_ARRAY_SIZE(counts); i++) {
		uint8_t seen[NAMES] = {0};
		uint64_t offset = 0;
		unsigned total = 0, n;

		while ((n = list_some(c, FID, &offset, counts[i], seen, NAMES)))
			total += n;
		assert_int_equal(total, NAMES + 2); /* and "." and ".." */
		for (unsigned k = 0; k < NAMES; k++)
			assert_int_equal(seen[k], 1);
	}
	assert_int_equal(p9(c, P9_TREADDIR, "dqd", FID, Q(0), 20), EINVAL); /* not one name fits */
	assert_int_equal(p9(c, P9_TREAD, "dqd", FID, Q(0), 20), EISDIR);
	assert_int_equal(p9_go(c, NEW, "name-1"), 0);
	assert_int_equal(p9(c, P9_TLOPEN, "dd", NEW, 0), 0);
	assert_int_equal(p9(c, P9_TREADDIR, "dqd", NEW, Q(0), 4096), ENOTDIR);
}

static void what_the_host_makes_is_listed_the_next_time(void **state)
{
	struct p9_client *c = *state;
	uint8_t seen[4] = {0};
	uint64_t offset = 0;

	p9_open(c, FID, "", 0);
	list_some(c, FID, &offset, 8192, seen, sizeof(seen));
	assert_int_equal(seen[1], 0);
	p9_make_file(c, "name-1", "");
	offset = 0;
	list_some(c, FID, &offset, 8192, seen, sizeof(seen));
	assert_int_equal(seen[1], 1);
}

/* --- Locks --- */

static int lock(struct p9_client *c, unsigned fid, unsigned type, uint64_t start, uint64_t length, unsigned process,
		const char *client)
{
	assert_int_equal(p9(c, P9_TLOCK, "dbdqqds", fid, type, 0, start, length, process, client), 0);
	return (int)p9_get(c, 1);
}

static void locks_exclude_other_owners(void **state)
{
	struct p9_client *c = *state;
	char client[32];

	p9_make_file(c, "file", "0123456789");
	p9_open(c, FID, "file", 2);
	p9_open(c, NEW, "file", 2);
	assert_int_equal(lock(c, FID, WRITE_LOCK, 2, 3, 100, "box"), P9_LOCK_SUCCESS);
	assert_int_equal(lock(c, NEW, READ_LOCK, 0, 2, 200, "box"), P9_LOCK_SUCCESS);
	assert_int_equal(lock(c, NEW, READ_LOCK, 4, 1, 200, "box"), P9_LOCK_BLOCKED);
	assert_int_equal(lock(c, NEW, READ_LOCK, 4, 1, 100, "crate"), P9_LOCK_BLOCKED);
	assert_int_equal(p9(c, P9_TGETLOCK, "dbqqds", NEW, WRITE_LOCK, Q(0), Q(0), 300, "box"), 0);
	assert_in_range(p9_get(c, 1), READ_LOCK, WRITE_LOCK);
	c->at += 16;
	assert_true((c->reply[c->at] == 100) != (c->reply[c->at] == 200));
	p9_get(c, 4);
	p9_get_text(c, client, sizeof(client));
	assert_string_equal(client, "box");
	assert_p9_end(c);
	assert_int_equal(lock(c, FID, NO_LOCK, 0, 0, 100, "box"), P9_LOCK_SUCCESS);
	assert_int_equal(lock(c, NEW, READ_LOCK, 4, 1, 200, "box"), P9_LOCK_SUCCESS);
	assert_int_equal(lock(c, NEW, NO_LOCK, 0, 0, 200, "box"), P9_LOCK_SUCCESS);
	assert_int_equal(p9(c, P9_TGETLOCK, "dbqqds", NEW, WRITE_LOCK, Q(1), Q(5), 300, "box"), 0);
	assert_int_equal(p9_get(c, 1), NO_LOCK);
	assert_int_equal(p9_get(c, 8), 1);
	assert_int_equal(p9_get(c, 8), 5);
	assert_int_equal(p9_get(c, 4), 300);
	assert_int_equal(p9(c, P9_TLOCK, "dbdqqds", FID, 3, 0, Q(0), Q(0), 1, "box"), EINVAL);
	assert_int_equal(p9(c, P9_TGETLOCK, "dbqqds", FID, 3, Q(0), Q(0), 1, "box"), EINVAL);
	/* Linux asks with this type for whatever is in the way. */
	assert_int_equal(lock(c, FID, READ_LOCK, 7, 1, 100, "box"), P9_LOCK_SUCCESS);
	assert_int_equal(p9(c, P9_TGETLOCK, "dbqqds", NEW, NO_LOCK, Q(0), Q(0), 300, "box"), 0);
	assert_int_equal(p9_get(c, 1), READ_LOCK);
	assert_int_equal(p9_get(c, 8), 7);
}

static void locks_of_the_host_count(void **state)
{
	struct p9_client *c = *state;
	struct flock held = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 5, .l_len = 1};
	int fd;

	p9_make_file(c, "file", "0123456789");
	fd = open(p9_path(c, "file"), O_RDWR);
	assert_int_equal(fcntl(fd, F_OFD_SETLK, &held), 0);
	p9_open(c, FID, "file", 2);
	assert_int_equal(lock(c, FID, READ_LOCK, 0, 0, 1, "box"), P9_LOCK_BLOCKED);
	assert_int_equal(p9(c, P9_TGETLOCK, "dbqqds", FID, READ_LOCK, Q(0), Q(0), 1, "box"), 0);
	assert_int_equal(p9_get(c, 1), WRITE_LOCK);
	assert_int_equal(p9_get(c, 8), 5);
	assert_int_equal(p9_get(c, 8), 1);
	close(fd);
	assert_int_equal(lock(c, FID, READ_LOCK, 0, 0, 1, "box"), P9_LOCK_SUCCESS);
	assert_int_equal(p9_close(c, FID), 0);
}

/* Errors of the host reach the guest as they are. */
static ssize_t no_space(struct mfs *fs, struct mfs_node *node, const struct bis_memory *m,
			const struct bis_mem_range *ranges, size_t count, uint64_t offset)
{
	(void)fs, (void)node, (void)m, (void)ranges, (void)count, (void)offset;
	return -ENOSPC;
}

static int no_handles(struct mfs *fs, const struct mfs_at *at, unsigned flags, uint32_t mode, struct mfs_who who,
		      struct mfs_node **out)
{
	(void)fs, (void)at, (void)flags, (void)mode, (void)who, (void)out;
	return -EMFILE;
}

static int broken_disk(struct mfs *fs, struct mfs_node *node, bool data_only)
{
	(void)fs, (void)node, (void)data_only;
	return -EIO;
}

static void errors_of_the_host_arrive(void **state)
{
	struct p9_client *c = *state;
	struct mfs_ops *ops = p9_hook(c);

	p9_make_file(c, "file", "x");
	p9_open(c, FID, "file", 2);
	ops->write = no_space;
	ops->sync = broken_disk;
	assert_int_equal(p9(c, P9_TWRITE, "dqdz", FID, Q(0), 1, "x", (size_t)1), ENOSPC);
	assert_int_equal(p9(c, P9_TFSYNC, "dd", FID, 0), EIO);
	ops->open = no_handles;
	ops->getxattr = NULL;
	assert_int_equal(p9_go(c, NEW, "file"), 0);
	assert_int_equal(p9(c, P9_TLOPEN, "dd", NEW, 0), EMFILE);
	assert_int_equal(p9(c, P9_TXATTRWALK, "dds", NEW, OTHER, "user.x"), EOPNOTSUPP);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		P9_TEST(attributes_are_the_files),
		P9_TEST(versions_and_generations_tell_objects_apart),
		P9_TEST(attributes_are_set),
		P9_TEST(owners_are_those_of_the_fid_and_the_message),
		P9_TEST(file_systems_have_figures),
		P9_TEST(extended_attributes_are_read),
		P9_TEST(extended_attributes_are_set_at_clunk),
		P9_TEST(extended_attributes_have_bounds),
		P9_TEST(extended_attributes_have_bounds_together),
		P9_TEST(every_name_is_listed_once),
		P9_TEST(what_the_host_makes_is_listed_the_next_time),
		P9_TEST(locks_exclude_other_owners),
		P9_TEST(locks_of_the_host_count),
		P9_TEST(errors_of_the_host_arrive),
	};

	return cmocka_run_group_tests_name("virtio_9p_attr", tests, NULL, NULL);
}
