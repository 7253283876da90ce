/* Virtio-9p: what is done to files and names, seen from both sides; its errors. */
#include "tests/unit/p9_rig.h"

#define Q(value) ((uint64_t)(value))

enum { RDONLY = 0, WRONLY = 1, RDWR = 2, EXCL = 0200, TRUNC = 01000, APPEND = 02000, DIRECTORY = 0200000 };

/* --- Files --- */

static void files_are_read_and_written(void **state)
{
	struct p9_client *c = *state;
	struct p9_qid q;

	p9_make_file(c, "file", "0123456789");
	assert_int_equal(p9_go(c, FID, "file"), 0);
	assert_int_equal(p9(c, P9_TREAD, "dqd", FID, Q(0), 10), EBADF);
	assert_int_equal(p9(c, P9_TWRITE, "dqdz", FID, Q(0), 1, "x", (size_t)1), EBADF);
	assert_int_equal(p9(c, P9_TLOPEN, "dd", FID, RDWR), 0);
	q = p9_get_qid(c);
	assert_int_equal(q.type, 0);
	assert_true(q.version != 0);
	assert_int_equal(p9_get(c, 4), 0);
	assert_p9_end(c);
	assert_int_equal(p9(c, P9_TLOPEN, "dd", FID, RDWR), EINVAL);
	assert_int_equal(p9(c, P9_TREAD, "dqd", FID, Q(3), 4), 0);
	assert_int_equal(p9_get(c, 4), 4);
	assert_memory_equal(c->reply + c->at, "3456", 4);
	assert_int_equal(c->used, 7 + 4 + 4);
	assert_int_equal(p9(c, P9_TREAD, "dqd", FID, Q(8), 100), 0);
	assert_int_equal(p9_get(c, 4), 2);
	assert_int_equal(p9(c, P9_TREAD, "dqd", FID, Q(10), 100), 0);
	assert_int_equal(p9_get(c, 4), 0);
	assert_int_equal(p9(c, P9_TREAD, "dqd", FID, Q(0), 0), 0);
	assert_int_equal(p9(c, P9_TREAD, "dqd", FID, UINT64_MAX, 1), EINVAL);
	assert_int_equal(p9(c, P9_TWRITE, "dqdz", FID, Q(8), 4, "abcd", (size_t)4), 0);
	assert_int_equal(p9_get(c, 4), 4);
	assert_p9_end(c);
	assert_p9_file(c, "file", "01234567abcd");
	assert_int_equal(p9(c, P9_TWRITE, "dqdz", FID, UINT64_MAX - 1, 4, "abcd", (size_t)4), EFBIG);
	assert_int_equal(p9(c, P9_TFSYNC, "dd", FID, 0), 0);
	assert_int_equal(p9(c, P9_TFSYNC, "dd", FID, 1), 0);
	assert_int_equal(p9_close(c, FID), 0);
	assert_int_equal(atomic_load(&c->fs->open_nodes), 0);
}

static void open_flags_are_those_of_the_protocol(void **state)
{
	struct p9_client *c = *state;

	p9_make_file(c, "file", "0123456789");
	p9_open(c, FID, "file", RDONLY);
	assert_int_equal(p9(c, P9_TWRITE, "dqdz", FID, Q(0), 1, "x", (size_t)1), EBADF);
	p9_close(c, FID);
	p9_open(c, FID, "file", WRONLY | APPEND);
	assert_int_equal(p9(c, P9_TREAD, "dqd", FID, Q(0), 1), EBADF);
	assert_int_equal(p9(c, P9_TWRITE, "dqdz", FID, Q(0), 1, "x", (size_t)1), 0);
	assert_p9_file(c, "file", "0123456789x");
	p9_close(c, FID);
	p9_open(c, FID, "file", RDWR | TRUNC);
	assert_p9_file(c, "file", "");
	p9_close(c, FID);
	assert_int_equal(p9_go(c, FID, "file"), 0);
	assert_int_equal(p9(c, P9_TLOPEN, "dd", FID, 3), EINVAL);
	assert_int_equal(p9(c, P9_TLOPEN, "dd", FID, DIRECTORY), ENOTDIR);
	assert_int_equal(p9(c, P9_TLOPEN, "dd", ROOT, RDWR), EISDIR);
	assert_int_equal(mkfifo(p9_path(c, "fifo"), 0644), 0);
	assert_int_equal(p9_go(c, NEW, "fifo"), 0);
	assert_int_equal(p9(c, P9_TLOPEN, "dd", NEW, RDONLY), ENXIO);
}

static void compose(struct p9_client *c, uint8_t type, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	p9_compose_v(c, type, 1, format, args);
	va_end(args);
}

/* Data in pieces that lie anywhere, and more of it than a page. */
static void large_reads_and_writes_keep_every_byte(void **state)
{
	struct p9_client *c = *state;
	uint32_t most = P9_MSIZE_MAX - P9_WRITE_HEADER, used;
	uint64_t offset = 5;
	uint8_t *bytes = malloc(most), header[P9_READ_HEADER];
	struct stat st;

	for (uint32_t i = 0; i < most; i++)
		bytes[i] = (uint8_t)(i * 7 + i / 4096);
	assert_int_equal(p9_go(c, FID, ""), 0);
	assert_int_equal(p9(c, P9_TLCREATE, "dsddd", FID, "big", RDWR, 0644, 0), 0);
	assert_int_equal(p9(c, P9_TWRITE, "dqdz", FID, offset, most, bytes, (size_t)most), 0);
	assert_int_equal(p9_get(c, 4), most);
	assert_int_equal(stat(p9_path(c, "big"), &st), 0);
	assert_int_equal(st.st_size, 5 + most);
	/* As some clients do it: the size tells of the header alone, and the data lies elsewhere. */
	compose(c, P9_TWRITE, "dqd", FID, Q(1), 3000);
	vrig_put(c->r, c->slot.out, c->message, c->len);
	vrig_put(c->r, c->slot.out + 0x10001, bytes + 1, 3000);
	used = vrig_request(c->r, 0, VRIG_OUT(c->slot.out, 5), VRIG_OUT(c->slot.out + 5, P9_WRITE_HEADER - 5),
			    VRIG_OUT(c->slot.out + 0x10001, 1000), VRIG_OUT(c->slot.out + 0x10001 + 1000, 2000),
			    VRIG_IN(c->slot.in, 3), VRIG_IN(c->slot.in + 3, 100));
	assert_int_equal(used, 11);
	/* And read back into pieces. */
	compose(c, P9_TREAD, "dqd", FID, Q(0), 100000);
	vrig_put(c->r, c->slot.out, c->message, c->len);
	used = vrig_request(c->r, 0, VRIG_OUT(c->slot.out, c->len), VRIG_IN(c->slot.in, 11),
			    VRIG_IN(c->slot.in + 4097, 1), VRIG_IN(c->slot.in + 5000, 8190),
			    VRIG_IN(c->slot.in + 20000, 200000));
	assert_int_equal(used, 11 + 100000);
	vrig_get(c->r, c->slot.in, header, sizeof(header));
	assert_int_equal(header[4], P9_TREAD + 1);
	vrig_get(c->r, c->slot.in + 5000, c->reply, 8190);
	assert_memory_equal(c->reply, bytes + 1, 3000);
	assert_memory_equal(c->reply + 3000, bytes + 3001 - 5, 8190 - 3000);
	vrig_get(c->r, c->slot.in + 20000, c->reply, 91809);
	assert_memory_equal(c->reply, bytes + 8191 - 5, 91809);
	free(bytes);
}

static void create_makes_and_opens(void **state)
{
	struct p9_client *c = *state;
	struct stat st;

	assert_int_equal(p9_go(c, FID, ""), 0);
	assert_int_equal(p9(c, P9_TLCREATE, "dsddd", FID, "new", RDWR | EXCL | 0100, S_IFREG | 0640, 0), 0);
	assert_int_equal(p9_get_qid(c).type, 0);
	assert_int_equal(p9_get(c, 4), 0);
	assert_p9_end(c);
	assert_int_equal(p9(c, P9_TWRITE, "dqdz", FID, Q(0), 2, "hi", (size_t)2), 0);
	assert_p9_file(c, "new", "hi");
	assert_int_equal(stat(p9_path(c, "new"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0640);
	assert_int_equal(p9(c, P9_TLCREATE, "dsddd", FID, "more", RDWR, 0644, 0), EINVAL); /* open already */
	assert_int_equal(p9_go(c, NEW, ""), 0);
	assert_int_equal(p9(c, P9_TLCREATE, "dsddd", NEW, "new", RDWR | EXCL, 0644, 0), EEXIST);
	assert_int_equal(p9(c, P9_TLCREATE, "dsddd", NEW, "new", RDONLY, 0644, 0), 0);
	p9_close(c, NEW);
	assert_int_equal(p9_go(c, NEW, "new"), 0);
	assert_int_equal(p9(c, P9_TLCREATE, "dsddd", NEW, "x", RDWR, 0644, 0), ENOTDIR);
	p9_close(c, NEW);
	assert_int_equal(symlink("/tmp/elsewhere-9p", p9_path(c, "link")), 0);
	assert_int_equal(p9_go(c, NEW, ""), 0);
	assert_int_equal(p9(c, P9_TLCREATE, "dsddd", NEW, "link", RDWR, 0644, 0), ELOOP);
}

/* The same for every message that makes or takes a name. */
static void names_that_cannot_be_are_refused(void **state)
{
	static const char *const bad[] = {"", ".", "..", "a/b", "/", "/abs", "../x"};
	struct p9_client *c = *state;
	char longest[300];
	unsigned nodes;

	memset(longest, 'n', sizeof(longest));
	longest[256] = 0;
	p9_make_file(c, "file", "x");
	assert_int_equal(p9_go(c, FID, "file"), 0);
	nodes = atomic_load(&c->fs->nodes);
	for (size_t i = 0; i <= BIS_ARRAY_SIZE(bad); i++) {
		const char *name = i < BIS_ARRAY_SIZE(bad) ? bad[i] : longest;
		int err = i < BIS_ARRAY_SIZE(bad) ? EINVAL : ENAMETOOLONG;

		assert_int_equal(p9(c, P9_TLCREATE, "dsddd", ROOT, name, RDWR, 0644, 0), err);
		assert_int_equal(p9(c, P9_TSYMLINK, "dssd", ROOT, name, "x", 0), err);
		assert_int_equal(p9(c, P9_TMKNOD, "dsdddd", ROOT, name, S_IFIFO, 0, 0, 0), err);
		assert_int_equal(p9(c, P9_TMKDIR, "dsdd", ROOT, name, 0755, 0), err);
		assert_int_equal(p9(c, P9_TLINK, "dds", ROOT, FID, name), err);
		assert_int_equal(p9(c, P9_TRENAME, "dds", FID, ROOT, name), err);
		assert_int_equal(p9(c, P9_TRENAMEAT, "dsds", ROOT, name, ROOT, "y"), err);
		assert_int_equal(p9(c, P9_TRENAMEAT, "dsds", ROOT, "file", ROOT, name), err);
		assert_int_equal(p9(c, P9_TUNLINKAT, "dsd", ROOT, name, 0), err);
		assert_int_equal(p9(c, P9_TUNLINKAT, "dsd", ROOT, name, 0x200), err);
	}
	assert_int_equal(atomic_load(&c->fs->nodes), nodes);
	assert_true(p9_exists(c, "file"));
}

static void names_are_made(void **state)
{
	struct p9_client *c = *state;
	char target[64];
	struct stat st, other;
	ssize_t len;

	assert_int_equal(p9(c, P9_TMKDIR, "dsdd", ROOT, "sub", 0750, 0), 0);
	assert_int_equal(p9_get_qid(c).type, 0x80);
	assert_p9_end(c);
	assert_int_equal(stat(p9_path(c, "sub"), &st), 0);
	assert_int_equal(st.st_mode, S_IFDIR | 0750);
	assert_int_equal(p9(c, P9_TMKDIR, "dsdd", ROOT, "sub", 0750, 0), EEXIST);

	assert_int_equal(p9(c, P9_TSYMLINK, "dssd", ROOT, "link", "/any/../where", 0), 0);
	assert_int_equal(p9_get_qid(c).type, 2);
	len = readlink(p9_path(c, "link"), target, sizeof(target));
	assert_int_equal(len, 13);
	assert_memory_equal(target, "/any/../where", 13);
	assert_int_equal(p9_go(c, FID, "link"), 0);
	assert_int_equal(p9(c, P9_TREADLINK, "d", FID), 0);
	p9_get_text(c, target, sizeof(target));
	assert_string_equal(target, "/any/../where");
	assert_p9_end(c);
	assert_int_equal(p9(c, P9_TREADLINK, "d", ROOT), EINVAL);
	assert_int_equal(p9(c, P9_TSYMLINK, "dssd", ROOT, "link", "x", 0), EEXIST);

	assert_int_equal(p9(c, P9_TMKNOD, "dsdddd", ROOT, "fifo", S_IFIFO | 0600, 0, 0, 0), 0);
	assert_int_equal(p9_get_qid(c).type, 0);
	assert_int_equal(lstat(p9_path(c, "fifo"), &st), 0);
	assert_int_equal(st.st_mode, S_IFIFO | 0600);
	assert_int_equal(p9(c, P9_TMKNOD, "dsdddd", ROOT, "file", S_IFREG | 0644, 0, 0, 0), 0);
	assert_int_equal(p9(c, P9_TMKNOD, "dsdddd", ROOT, "null", S_IFCHR | 0644, 1, 3, 0), EPERM);
	assert_false(p9_exists(c, "null"));

	assert_int_equal(p9_go(c, NEW, "file"), 0);
	assert_int_equal(p9_go(c, OTHER, "sub"), 0);
	assert_int_equal(p9(c, P9_TLINK, "dds", OTHER, NEW, "hard"), 0);
	assert_p9_end(c);
	assert_int_equal(stat(p9_path(c, "file"), &st), 0);
	assert_int_equal(stat(p9_path(c, "sub/hard"), &other), 0);
	assert_int_equal(st.st_ino, other.st_ino);
	assert_int_equal(p9(c, P9_TLINK, "dds", OTHER, NEW, "hard"), EEXIST);
	assert_int_equal(p9(c, P9_TLINK, "dds", OTHER, OTHER, "dirlink"), EPERM);
	assert_int_equal(p9(c, P9_TLINK, "dds", NEW, NEW, "x"), ENOTDIR);
}

static void names_are_moved_and_taken_away(void **state)
{
	struct p9_client *c = *state;

	assert_int_equal(mkdir(p9_path(c, "a"), 0755), 0);
	assert_int_equal(mkdir(p9_path(c, "b"), 0755), 0);
	p9_make_file(c, "a/one", "1");
	p9_make_file(c, "a/two", "2");
	assert_int_equal(p9_go(c, FID, "a"), 0);
	assert_int_equal(p9_go(c, NEW, "b"), 0);
	assert_int_equal(p9(c, P9_TRENAMEAT, "dsds", FID, "one", NEW, "uno"), 0);
	assert_p9_end(c);
	assert_p9_file(c, "b/uno", "1");
	assert_int_equal(p9(c, P9_TRENAMEAT, "dsds", FID, "two", NEW, "uno"), 0); /* replaces */
	assert_p9_file(c, "b/uno", "2");
	assert_int_equal(p9(c, P9_TRENAMEAT, "dsds", FID, "absent", NEW, "x"), ENOENT);
	assert_int_equal(p9(c, P9_TRENAMEAT, "dsds", ROOT, "b", NEW, "self"), EINVAL);
	assert_int_equal(p9(c, P9_TUNLINKAT, "dsd", ROOT, "b", 0), EISDIR);
	assert_int_equal(p9(c, P9_TUNLINKAT, "dsd", ROOT, "b", 0x200), ENOTEMPTY);
	assert_int_equal(p9(c, P9_TUNLINKAT, "dsd", NEW, "uno", 0x200), ENOTDIR);
	assert_int_equal(p9(c, P9_TUNLINKAT, "dsd", NEW, "uno", 1), EINVAL);
	assert_int_equal(p9(c, P9_TUNLINKAT, "dsd", NEW, "uno", 0), 0);
	assert_int_equal(p9(c, P9_TUNLINKAT, "dsd", NEW, "uno", 0), ENOENT);
	assert_int_equal(p9(c, P9_TUNLINKAT, "dsd", ROOT, "b", 0x200), 0);
	assert_false(p9_exists(c, "b"));
}

/* Trename and Tremove know a fid alone: it is found where it is by then. */
static void a_fid_is_renamed_and_removed_wherever_it_has_gone(void **state)
{
	struct p9_client *c = *state;

	assert_int_equal(mkdir(p9_path(c, "a"), 0755), 0);
	p9_make_file(c, "a/file", "1");
	assert_int_equal(p9_go(c, FID, "a/file"), 0);
	assert_int_equal(rename(p9_path(c, "a"), p9_path(c, "b")), 0);
	assert_int_equal(p9(c, P9_TRENAME, "dds", FID, ROOT, "moved"), 0);
	assert_p9_file(c, "moved", "1");
	p9_make_file(c, "other", "2");
	assert_int_equal(p9(c, P9_TREMOVE, "d", FID), 0);
	assert_false(p9_exists(c, "moved"));
	assert_true(p9_exists(c, "other"));
	assert_int_equal(p9_close(c, FID), EBADF);
	/* The fid goes even if the object stays. */
	p9_make_file(c, "b/file", "3");
	assert_int_equal(p9_go(c, FID, "b"), 0);
	assert_int_equal(p9(c, P9_TREMOVE, "d", FID), ENOTEMPTY);
	assert_int_equal(p9_close(c, FID), EBADF);
	assert_int_equal(p9_go(c, FID, "other"), 0);
	assert_int_equal(unlink(p9_path(c, "other")), 0);
	assert_int_equal(p9(c, P9_TRENAME, "dds", FID, ROOT, "again"), ENOENT);
	assert_int_equal(p9(c, P9_TREMOVE, "d", FID), ENOENT);
	assert_int_equal(p9(c, P9_TRENAME, "dds", ROOT, ROOT, "x"), EBUSY);
	assert_int_equal(p9(c, P9_TREMOVE, "d", ROOT), EBUSY);
}

static void an_open_file_survives_its_name(void **state)
{
	struct p9_client *c = *state;

	p9_make_file(c, "file", "content");
	p9_open(c, FID, "file", RDWR);
	assert_int_equal(p9(c, P9_TRENAMEAT, "dsds", ROOT, "file", ROOT, "moved"), 0);
	assert_int_equal(p9(c, P9_TWRITE, "dqdz", FID, Q(0), 2, "C0", (size_t)2), 0);
	assert_p9_file(c, "moved", "C0ntent");
	assert_int_equal(p9(c, P9_TUNLINKAT, "dsd", ROOT, "moved", 0), 0);
	assert_int_equal(p9(c, P9_TREAD, "dqd", FID, Q(0), 100), 0);
	assert_int_equal(p9_get(c, 4), 7);
	assert_memory_equal(c->reply + c->at, "C0ntent", 7);
	assert_int_equal(p9(c, P9_TSETATTR, "dddddqqqqq", FID, 8, 0, 0, 0, Q(3), Q(0), Q(0), Q(0), Q(0)), 0);
	assert_int_equal(p9(c, P9_TGETATTR, "dq", FID, Q(0x7ff)), 0);
	c->at += 8 + 13 + 12;
	assert_int_equal(p9_get(c, 8), 0); /* links */
	c->at += 8;
	assert_int_equal(p9_get(c, 8), 3);
	assert_int_equal(p9_close(c, FID), 0);
}

/* --- A table of calls on fids that are not there, or not what the call needs --- */

static void every_message_refuses_an_unknown_fid(void **state)
{
	struct p9_client *c = *state;

	assert_int_equal(p9(c, P9_TSTATFS, "d", 99), EBADF);
	assert_int_equal(p9(c, P9_TLOPEN, "dd", 99, RDONLY), EBADF);
	assert_int_equal(p9(c, P9_TLCREATE, "dsddd", 99, "x", RDWR, 0644, 0), EBADF);
	assert_int_equal(p9(c, P9_TSYMLINK, "dssd", 99, "x", "y", 0), EBADF);
	assert_int_equal(p9(c, P9_TMKNOD, "dsdddd", 99, "x", S_IFIFO, 0, 0, 0), EBADF);
	assert_int_equal(p9(c, P9_TRENAME, "dds", 99, ROOT, "x"), EBADF);
	assert_int_equal(p9(c, P9_TRENAME, "dds", ROOT, 99, "x"), EBADF);
	assert_int_equal(p9(c, P9_TREADLINK, "d", 99), EBADF);
	assert_int_equal(p9(c, P9_TGETATTR, "dq", 99, Q(0x7ff)), EBADF);
	assert_int_equal(p9(c, P9_TSETATTR, "dddddqqqqq", 99, 0, 0, 0, 0, Q(0), Q(0), Q(0), Q(0), Q(0)), EBADF);
	assert_int_equal(p9(c, P9_TXATTRWALK, "dds", 99, 98, "user.x"), EBADF);
	assert_int_equal(p9(c, P9_TXATTRCREATE, "dsqd", 99, "user.x", Q(1), 0), EBADF);
	assert_int_equal(p9(c, P9_TREADDIR, "dqd", 99, Q(0), 1000), EBADF);
	assert_int_equal(p9(c, P9_TFSYNC, "dd", 99, 0), EBADF);
	assert_int_equal(p9(c, P9_TLOCK, "dbdqqds", 99, 0, 0, Q(0), Q(0), 1, "c"), EBADF);
	assert_int_equal(p9(c, P9_TGETLOCK, "dbqqds", 99, 0, Q(0), Q(0), 1, "c"), EBADF);
	assert_int_equal(p9(c, P9_TLINK, "dds", 99, ROOT, "x"), EBADF);
	assert_int_equal(p9(c, P9_TLINK, "dds", ROOT, 99, "x"), EBADF);
	assert_int_equal(p9(c, P9_TMKDIR, "dsdd", 99, "x", 0755, 0), EBADF);
	assert_int_equal(p9(c, P9_TRENAMEAT, "dsds", 99, "x", ROOT, "y"), EBADF);
	assert_int_equal(p9(c, P9_TRENAMEAT, "dsds", ROOT, "x", 99, "y"), EBADF);
	assert_int_equal(p9(c, P9_TUNLINKAT, "dsd", 99, "x", 0), EBADF);
	assert_int_equal(p9(c, P9_TWALK, "ddw", 99, 98, 0), EBADF);
	assert_int_equal(p9(c, P9_TREAD, "dqd", 99, Q(0), 1), EBADF);
	assert_int_equal(p9(c, P9_TWRITE, "dqdz", 99, Q(0), 1, "x", (size_t)1), EBADF);
	assert_int_equal(p9(c, P9_TCLUNK, "d", 99), EBADF);
	assert_int_equal(p9(c, P9_TREMOVE, "d", 99), EBADF);
}

static void a_read_only_share_is_changed_by_nothing(void **state)
{
	struct p9_client *c = *state;

	p9_make_file(c, "file", "content");
	p9_close_machine(c);
	p9_open_machine(c, ",readonly", "");
	p9_start(c);
	assert_int_equal(p9_go(c, FID, "file"), 0);
	assert_int_equal(p9(c, P9_TLOPEN, "dd", FID, RDWR), EROFS);
	assert_int_equal(p9(c, P9_TLOPEN, "dd", FID, RDONLY | TRUNC), EROFS);
	assert_int_equal(p9(c, P9_TLCREATE, "dsddd", ROOT, "x", RDWR, 0644, 0), EROFS);
	assert_int_equal(p9(c, P9_TSYMLINK, "dssd", ROOT, "x", "y", 0), EROFS);
	assert_int_equal(p9(c, P9_TMKNOD, "dsdddd", ROOT, "x", S_IFIFO, 0, 0, 0), EROFS);
	assert_int_equal(p9(c, P9_TRENAME, "dds", FID, ROOT, "x"), EROFS);
	assert_int_equal(p9(c, P9_TSETATTR, "dddddqqqqq", FID, 1, 0777, 0, 0, Q(0), Q(0), Q(0), Q(0), Q(0)), EROFS);
	assert_int_equal(p9(c, P9_TLINK, "dds", ROOT, FID, "x"), EROFS);
	assert_int_equal(p9(c, P9_TMKDIR, "dsdd", ROOT, "x", 0755, 0), EROFS);
	assert_int_equal(p9(c, P9_TRENAMEAT, "dsds", ROOT, "file", ROOT, "y"), EROFS);
	assert_int_equal(p9(c, P9_TUNLINKAT, "dsd", ROOT, "file", 0), EROFS);
	assert_int_equal(p9(c, P9_TLOPEN, "dd", FID, RDONLY), 0);
	assert_int_equal(p9(c, P9_TWRITE, "dqdz", FID, Q(0), 1, "x", (size_t)1), EROFS);
	assert_int_equal(p9(c, P9_TREMOVE, "d", FID), EROFS);
	assert_int_equal(p9_go(c, FID, "file"), 0);
	assert_int_equal(p9(c, P9_TXATTRCREATE, "dsqd", FID, "user.x", Q(0), 0), 0);
	assert_int_equal(p9_close(c, FID), EROFS);
	assert_p9_file(c, "file", "content");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		P9_TEST(files_are_read_and_written),
		P9_TEST(open_flags_are_those_of_the_protocol),
		P9_TEST(large_reads_and_writes_keep_every_byte),
		P9_TEST(create_makes_and_opens),
		P9_TEST(names_that_cannot_be_are_refused),
		P9_TEST(names_are_made),
		P9_TEST(names_are_moved_and_taken_away),
		P9_TEST(a_fid_is_renamed_and_removed_wherever_it_has_gone),
		P9_TEST(an_open_file_survives_its_name),
		P9_TEST(every_message_refuses_an_unknown_fid),
		P9_TEST(a_read_only_share_is_changed_by_nothing),
	};

	return cmocka_run_group_tests_name("virtio_9p", tests, NULL, NULL);
}
