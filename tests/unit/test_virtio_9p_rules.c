/* Virtio-9p: messages and chains that are not as they should be. None does anything, each gets an error or nothing. */
#include "tests/unit/p9_rig.h"

#define Q(value) ((uint64_t)(value))

/*
 * Every message in a form that succeeds, on ROOT and on FID, a clone of ROOT or of a file that is opened if `open`.
 * Names that it makes are "made", names that it takes "file".
 */
struct sample {
	uint8_t type;
	const char *format;
	bool file, open;
};

static const struct sample samples[] = {
	{P9_TSTATFS, "d", false, false},
	{P9_TLOPEN, "dd", false, false},
	{P9_TLCREATE, "dsddd", false, false},
	{P9_TSYMLINK, "dssd", false, false},
	{P9_TMKNOD, "dsdddd", false, false},
	{P9_TRENAME, "dds", true, false},
	{P9_TREADLINK, "d", false, false},
	{P9_TGETATTR, "dq", false, false},
	{P9_TSETATTR, "dddddqqqqq", true, false},
	{P9_TXATTRWALK, "dds", true, false},
	{P9_TXATTRCREATE, "dsqd", true, false},
	{P9_TREADDIR, "dqd", false, true},
	{P9_TFSYNC, "dd", true, true},
	{P9_TLOCK, "dbdqqds", true, true},
	{P9_TGETLOCK, "dbqqds", true, true},
	{P9_TLINK, "dds", false, false},
	{P9_TMKDIR, "dsdd", false, false},
	{P9_TRENAMEAT, "dsds", false, false},
	{P9_TUNLINKAT, "dsd", false, false},
	{P9_TVERSION, "ds", false, false},
	{P9_TATTACH, "ddssd", false, false},
	{P9_TFLUSH, "w", false, false},
	{P9_TWALK, "ddwss", false, false},
	{P9_TREAD, "dqd", true, true},
	{P9_TWRITE, "dqdz", true, true},
	{P9_TCLUNK, "d", false, false},
	{P9_TREMOVE, "d", true, false},
};

static void compose(struct p9_client *c, uint8_t type, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	p9_compose_v(c, type, 1, format, args);
	va_end(args);
}

static void compose_sample(struct p9_client *c, const struct sample *s)
{
	switch (s->type) {
	case P9_TLCREATE:
		compose(c, s->type, s->format, FID, "made", 2, 0644, 0);
		break;
	case P9_TSYMLINK:
		compose(c, s->type, s->format, FID, "made", "target", 0);
		break;
	case P9_TMKNOD:
		compose(c, s->type, s->format, FID, "made", S_IFREG | 0644, 0, 0, 0);
		break;
	case P9_TRENAME:
		compose(c, s->type, s->format, FID, ROOT, "made");
		break;
	case P9_TLINK:
		compose(c, s->type, s->format, FID, OTHER, "made");
		break;
	case P9_TXATTRWALK:
		compose(c, s->type, s->format, FID, NEW, "");
		break;
	case P9_TXATTRCREATE:
		compose(c, s->type, s->format, FID, "user.x", Q(0), 0);
		break;
	case P9_TREADDIR:
	case P9_TREAD:
		compose(c, s->type, s->format, FID, Q(0), 4096);
		break;
	case P9_TLOCK:
		compose(c, s->type, s->format, FID, 0, 0, Q(0), Q(0), 1, "box");
		break;
	case P9_TGETLOCK:
		compose(c, s->type, s->format, FID, 0, Q(0), Q(0), 1, "box");
		break;
	case P9_TMKDIR:
		compose(c, s->type, s->format, FID, "made", 0755, 0);
		break;
	case P9_TRENAMEAT:
		compose(c, s->type, s->format, ROOT, "file", FID, "made");
		break;
	case P9_TUNLINKAT:
		compose(c, s->type, s->format, FID, "file", 0);
		break;
	case P9_TVERSION:
		compose(c, s->type, s->format, 8192, "9P2000.L");
		break;
	case P9_TATTACH:
		compose(c, s->type, s->format, NEW, P9_NONE, "user", "", 0);
		break;
	case P9_TFLUSH:
		compose(c, s->type, s->format, 99);
		break;
	case P9_TWALK:
		compose(c, s->type, s->format, FID, NEW, 2, "..", "file");
		break;
	case P9_TWRITE:
		compose(c, s->type, s->format, FID, Q(0), 5, "NEWER", (size_t)5);
		break;
	case P9_TGETATTR:
		compose(c, s->type, s->format, FID, Q(0x7ff));
		break;
	case P9_TSETATTR:
		compose(c, s->type, s->format, FID, 8, 0, 0, 0, Q(1), Q(0), Q(0), Q(0), Q(0));
		break;
	default:
		compose(c, s->type, s->format, FID, 0);
		break;
	}
}

static void prepare(struct p9_client *c, const struct sample *s)
{
	p9_start(c);
	assert_int_equal(p9_go(c, FID, s->file ? "file" : s->type == P9_TREADLINK ? "link" : ""), 0);
	assert_int_equal(p9_go(c, OTHER, "file"), 0);
	if (s->open)
		assert_int_equal(p9(c, P9_TLOPEN, "dd", FID, s->file ? 2 : 0), 0);
}

static void assert_nothing_happened(struct p9_client *c)
{
	assert_p9_file(c, "file", "content");
	assert_false(p9_exists(c, "made"));
	assert_int_equal(p9_close(c, NEW), EBADF);
}

static void set_size(struct p9_client *c, uint32_t size)
{
	memcpy(c->message, &size, 4);
	c->len = size;
}

/* Cut short at every length, with as many bytes more, and with every length field inside it made too large. */
static void a_message_that_ends_early_or_late_does_nothing(void **state)
{
	struct p9_client *c = *state;

	p9_make_file(c, "file", "content");
	assert_int_equal(symlink("target", p9_path(c, "link")), 0);
	for (size_t i = 0; i < BIS_ARRAY_SIZE(samples); i++) {
		const struct sample *s = &samples[i];
		size_t len;

		prepare(c, s);
		compose_sample(c, s);
		len = c->len;
		for (uint32_t cut = P9_HEADER; cut < len; cut++) {
			compose_sample(c, s);
			set_size(c, cut);
			/* A write of no data after all is the form in which the data is not counted. */
			assert_int_equal(p9_send(c), EINVAL);
		}
		for (uint32_t more = 1; more < 20; more++) {
			compose_sample(c, s);
			p9_add(c, "extra extra extra extra", more);
			set_size(c, (uint32_t)len + more);
			assert_int_equal(p9_send(c), EINVAL);
		}
		assert_nothing_happened(c);
		compose_sample(c, s);
		assert_int_equal(p9_send(c), 0);
		unlink(p9_path(c, "made"));
		rmdir(p9_path(c, "made"));
		p9_make_file(c, "file", "content");
	}
}

static void strings_reach_no_further_than_the_message(void **state)
{
	struct p9_client *c = *state;

	p9_make_file(c, "file", "content");
	for (size_t i = 0; i < BIS_ARRAY_SIZE(samples); i++) {
		const struct sample *s = &samples[i];
		size_t at = P9_HEADER;

		if (!strchr(s->format, 's') || s->type == P9_TVERSION)
			continue;
		prepare(c, s);
		compose_sample(c, s);
		for (const char *f = s->format; *f; f++) {
			uint16_t len, wrong;
			uint8_t byte;

			if (*f != 's') {
				at += *f == 'b' ? 1 : *f == 'w' ? 2 : *f == 'd' ? 4 : 8;
				continue;
			}
			memcpy(&len, c->message + at, 2);
			for (unsigned k = 0; k < 3; k++) {
				wrong = (uint16_t[]){UINT16_MAX, 1024, (uint16_t)(c->len - at - 1)}[k];
				memcpy(c->message + at, &wrong, 2);
				assert_int_equal(p9_send(c), EINVAL);
			}
			memcpy(c->message + at, &len, 2);
			if (len) {
				byte = c->message[at + 2];
				c->message[at + 2] = 0;
				assert_int_equal(p9_send(c), EINVAL); /* NUL */
				c->message[at + 2] = byte;
			}
			at += 2 + (size_t)len;
		}
		assert_nothing_happened(c);
	}
}

static void the_size_is_that_of_the_chain(void **state)
{
	static const uint32_t sizes[] = {0, 1, 6, 7, 10, 12, 100, 0x7fffffff, UINT32_MAX};
	struct p9_client *c = *state;

	for (size_t i = 0; i < BIS_ARRAY_SIZE(sizes); i++) {
		compose(c, P9_TSTATFS, "d", ROOT);
		memcpy(c->message, &sizes[i], 4);
		assert_int_equal(p9_send(c), sizes[i] > P9_MSIZE_MAX ? EMSGSIZE : EINVAL);
	}
	compose(c, P9_TSTATFS, "d", ROOT);
	assert_int_equal(p9_send(c), 0);
	/* Twrite may leave its data out of the size, and nothing else. */
	p9_make_file(c, "file", "content");
	p9_open(c, FID, "file", 2);
	for (uint32_t size = 0; size < 40; size++) {
		compose(c, P9_TWRITE, "dqdz", FID, Q(0), 10, "0123456789", (size_t)10);
		memcpy(c->message, &size, 4);
		assert_int_equal(p9_send(c), size == 23 || size == 33 ? 0 : EINVAL);
	}
	/* And its count is exact. */
	for (uint32_t count = 0; count < 20; count++) {
		compose(c, P9_TWRITE, "dqdz", FID, Q(0), count, "0123456789", (size_t)10);
		assert_int_equal(p9_send(c), count == 10 ? 0 : EINVAL);
	}
	assert_p9_file(c, "file", "0123456789");
}

static void messages_are_no_larger_than_agreed(void **state)
{
	struct p9_client *c = *state;
	static char bytes[9000];

	memset(bytes, 'x', sizeof(bytes));
	p9_make_file(c, "file", "");
	assert_int_equal(p9(c, P9_TVERSION, "ds", 4096, "9P2000.L"), 0);
	assert_int_equal(p9(c, P9_TATTACH, "ddssd", ROOT, P9_NONE, "", "", 0), 0);
	p9_open(c, FID, "file", 2);
	assert_int_equal(p9(c, P9_TWRITE, "dqdz", FID, Q(0), 4096 - 22, bytes, (size_t)4096 - 22), EMSGSIZE);
	assert_int_equal(p9(c, P9_TWRITE, "dqdz", FID, Q(0), 4096 - 23, bytes, (size_t)4096 - 23), 0);
	assert_int_equal(p9(c, P9_TWRITE, "dqdz", FID, Q(4073), 4096 - 23, bytes, (size_t)4096 - 23), 0);
	/* Nor with the data left out of the size. */
	compose(c, P9_TWRITE, "dqdz", FID, Q(0), 4096 - 22, bytes, (size_t)4096 - 22);
	memcpy(c->message, &(uint32_t){P9_WRITE_HEADER}, 4);
	assert_int_equal(p9_send(c), EMSGSIZE);
	assert_int_equal(p9(c, P9_TREAD, "dqd", FID, Q(0), 1 << 20), 0);
	assert_int_equal(p9_get(c, 4), 4096 - 11);
	assert_int_equal(p9(c, P9_TREAD, "dqd", FID, Q(0), UINT32_MAX), 0);
	assert_int_equal(p9_get(c, 4), 4096 - 11);
	/* Between msize and what a message that is not Twrite can have. */
	assert_int_equal(p9(c, P9_TVERSION, "ds", 65536, "9P2000.L"), 0);
	assert_int_equal(p9(c, P9_TATTACH, "ddssd", ROOT, P9_NONE, "", "", 0), 0);
	bytes[8999] = 0;
	assert_int_equal(p9(c, P9_TMKDIR, "dsdd", ROOT, bytes, 0755, 0), ENAMETOOLONG);
	bytes[4096] = 0;
	assert_int_equal(p9(c, P9_TSYMLINK, "dssd", ROOT, "link", bytes, 0), ENAMETOOLONG);
	bytes[4095] = 0;
	assert_int_equal(p9(c, P9_TSYMLINK, "dssd", ROOT, "link", bytes, 0), 0);
	assert_int_equal(p9_go(c, NEW, "link"), 0);
	assert_int_equal(p9(c, P9_TREADLINK, "d", NEW), 0);
	assert_int_equal(p9_get(c, 2), 4095);
	/* A link that does not fit. */
	assert_int_equal(p9(c, P9_TVERSION, "ds", 4096, "9P2000.L"), 0);
	assert_int_equal(p9(c, P9_TATTACH, "ddssd", ROOT, P9_NONE, "", "", 0), 0);
	assert_int_equal(p9_go(c, NEW, "link"), 0);
	assert_int_equal(p9(c, P9_TREADLINK, "d", NEW), EMSGSIZE);
}

static void unknown_messages_are_refused(void **state)
{
	struct p9_client *c = *state;
	bool known[256] = {false};

	for (size_t i = 0; i < BIS_ARRAY_SIZE(samples); i++)
		known[samples[i].type] = true;
	for (unsigned type = 0; type < 256; type++) {
		if (!known[type]) {
			assert_int_equal(p9(c, (uint8_t)type, "d", ROOT), EOPNOTSUPP);
			assert_int_equal(p9(c, (uint8_t)type, ""), EOPNOTSUPP);
		}
	}
}

static void nothing_is_answered_before_a_version(void **state)
{
	struct p9_client *c = *state;

	vrig_start(c->r, 1, 1, 64);
	for (size_t i = 0; i < BIS_ARRAY_SIZE(samples); i++) {
		if (samples[i].type == P9_TVERSION)
			continue;
		compose_sample(c, &samples[i]);
		assert_int_equal(p9_send(c), EINVAL);
	}
}

/* --- Chains --- */

/* Where there is too little room for a reply, nothing is done: an error if there is room for that. */
static void a_request_has_room_for_its_reply(void **state)
{
	struct p9_client *c = *state;

	p9_make_file(c, "file", "content");
	assert_int_equal(symlink("target", p9_path(c, "link")), 0);
	for (size_t i = 0; i < BIS_ARRAY_SIZE(samples); i++) {
		uint32_t least = P9_HEADER + (samples[i].type == P9_TFLUSH ? 0 : p9_reply_size(samples[i].type));

		prepare(c, &samples[i]);
		for (c->room = 1; c->room < P9_ERROR_SIZE; c->room++) {
			compose_sample(c, &samples[i]);
			assert_int_equal(p9_send(c), NO_REPLY);
		}
		for (; c->room < least; c->room++) {
			compose_sample(c, &samples[i]);
			assert_int_equal(p9_send(c), ENOBUFS);
		}
		assert_nothing_happened(c);
		c->room = P9_ROOM;
	}
}

/* A walk of which the reply does not fit makes no fid. */
static void a_walk_has_room_for_all_its_steps(void **state)
{
	struct p9_client *c = *state;

	assert_int_equal(mkdir(p9_path(c, "sub"), 0755), 0);
	c->room = P9_HEADER + 2 + 2 * P9_QID_SIZE - 1;
	assert_int_equal(p9(c, P9_TWALK, "ddwss", ROOT, NEW, 2, "sub", ".."), ENOBUFS);
	assert_int_equal(p9(c, P9_TCLUNK, "d", NEW), EBADF);
	c->room++;
	assert_int_equal(p9(c, P9_TWALK, "ddwss", ROOT, NEW, 2, "sub", ".."), 0);
	assert_int_equal(p9(c, P9_TCLUNK, "d", NEW), 0);
}

/* A client's name comes back with what is asked about a lock: one that does not fit the reply is an error. */
static void a_reply_is_whole_or_an_error(void **state)
{
	struct p9_client *c = *state;
	char name[8000];

	memset(name, 'n', sizeof(name));
	name[sizeof(name) - 1] = 0;
	p9_make_file(c, "file", "");
	p9_open(c, FID, "file", 2);
	assert_int_equal(p9(c, P9_TGETLOCK, "dbqqds", FID, 1, Q(0), Q(0), 1, name), EMSGSIZE);
	name[4000] = 0;
	assert_int_equal(p9(c, P9_TGETLOCK, "dbqqds", FID, 1, Q(0), Q(0), 1, name), 0);
	assert_int_equal(c->reply_len, P9_HEADER + 23 + 4000);
}

/* A read takes the room that there is. */
static void a_short_chain_is_a_short_read(void **state)
{
	struct p9_client *c = *state;

	p9_make_file(c, "file", "content");
	p9_open(c, FID, "file", 0);
	for (c->room = 11; c->room < 30; c->room++) {
		assert_int_equal(p9(c, P9_TREAD, "dqd", FID, Q(0), 7), 0);
		assert_int_equal(p9_get(c, 4), c->room - 11 < 7 ? c->room - 11 : 7);
		assert_int_equal(c->used, 11 + (c->room - 11 < 7 ? c->room - 11 : 7));
	}
}

static void headers_in_pieces_are_put_together(void **state)
{
	struct p9_client *c = *state;
	struct vrig_range ranges[40];
	uint8_t reply[7];
	size_t n = 0;

	compose(c, P9_TSTATFS, "d", ROOT);
	vrig_put(c->r, c->slot.out, c->message, c->len);
	for (size_t i = 0; i < c->len; i++)
		ranges[n++] = VRIG_OUT(c->slot.out + i, 1);
	for (size_t i = 0; i < 20; i++)
		ranges[n++] = VRIG_IN(c->slot.in + i, 1);
	ranges[n++] = VRIG_IN(c->slot.in + 20, 100);
	assert_int_equal(vrig_request_n(c->r, 0, ranges, n), 7 + 60);
	vrig_get(c->r, c->slot.in, reply, sizeof(reply));
	assert_int_equal(reply[4], P9_TSTATFS + 1);
}

static void chains_without_a_message_get_no_reply(void **state)
{
	struct p9_client *c = *state;

	for (uint32_t len = 1; len < P9_HEADER; len++)
		assert_int_equal(vrig_request(c->r, 0, VRIG_OUT(c->slot.out, len), VRIG_IN(c->slot.in, 100)), 0);
	assert_int_equal(vrig_request(c->r, 0, VRIG_OUT(c->slot.out, 100)), 0);
	assert_int_equal(vrig_request(c->r, 0, VRIG_IN(c->slot.in, 100)), 0);
	assert_int_equal(p9(c, P9_TSTATFS, "d", ROOT), 0);
	assert_false(vrig_needs_reset(c->r));
}

static void fids_have_a_limit(void **state)
{
	struct p9_session s = {0};
	struct p9_client *c = *state;
	struct p9_ref ref = {.root = 1};

	p9_session_init(&s, mfs_get(c->fs));
	p9_session_restart(&s, 8192);
	for (uint32_t i = 0; i < P9_FIDS_MAX; i++) {
		ref.node = mfs_root(c->fs);
		if (p9_fid_add(&s, s.epoch, i * 3, &ref))
			fail();
	}
	ref.node = mfs_root(c->fs);
	assert_int_equal(p9_fid_add(&s, s.epoch, 1, &ref), -ENFILE);
	assert_int_equal(p9_fid_remove(&s, s.epoch, 3, &ref), 0);
	assert_int_equal(p9_fid_add(&s, s.epoch - 1, 1, &ref), -EBADF); /* of a session that has ended */
	assert_int_equal(p9_fid_add(&s, s.epoch, 1, &ref), 0);
	mfs_node_put(c->fs->root);
	p9_session_fini(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		P9_TEST(a_message_that_ends_early_or_late_does_nothing),
		P9_TEST(strings_reach_no_further_than_the_message),
		P9_TEST(the_size_is_that_of_the_chain),
		P9_TEST(messages_are_no_larger_than_agreed),
		P9_TEST(unknown_messages_are_refused),
		P9_TEST(nothing_is_answered_before_a_version),
		P9_TEST(a_request_has_room_for_its_reply),
		P9_TEST(a_walk_has_room_for_all_its_steps),
		P9_TEST(a_reply_is_whole_or_an_error),
		P9_TEST(a_short_chain_is_a_short_read),
		P9_TEST(headers_in_pieces_are_put_together),
		P9_TEST(chains_without_a_message_get_no_reply),
		P9_TEST(fids_have_a_limit),
	};

	return cmocka_run_group_tests_name("virtio_9p_rules", tests, NULL, NULL);
}
