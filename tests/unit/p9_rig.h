/*
 * A 9P client for tests of virtio-9p: a machine with a share of a fresh directory, messages composed from format
 * strings, replies taken apart piece by piece.
 *
 *     assert_int_equal(p9(c, P9_TWALK, "ddws", ROOT, FID, 1, "file"), 0);
 *     assert_int_equal(p9_get(c, 2), 1);
 *
 * Formats: b 1 byte, w 2, d 4, q 8 (a uint64_t), s a string, z bytes (const void *, size_t).
 */
#ifndef BISCUIT_UNIT_P9_RIG_H
#define BISCUIT_UNIT_P9_RIG_H

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "magicfs/virtio_9p.h"
#include "tests/unit/host_tree.h"
#include "tests/unit/virtio_rig.h"

#define P9_ROOM (P9_MSIZE_MAX + 4096)

enum { ROOT = 0, FID = 1, NEW = 2, OTHER = 3 };	     /* fids */
enum { ERRNO_MAX = 4095, NO_REPLY = ERRNO_MAX + 1 }; /* p9_wait */

/* Where a request has its message and its reply in guest memory. */
struct p9_slot {
	uint64_t out, in;
	uint16_t tag, head;
	uint8_t type;
};

struct p9_client {
	struct vrig *r;
	char dir[40];
	struct mfs *fs;
	struct mfs_ops hooked; /* of fs, for tests that change it: see p9_hook */
	struct p9_slot slot;   /* of p9() */
	uint32_t room;	       /* for a reply of p9() */
	uint8_t message[P9_ROOM], reply[P9_ROOM];
	size_t len;		/* of message */
	uint32_t reply_len, at; /* of reply; read up to here */
	uint32_t used;		/* length that the device reported */
};

/* --- Composing --- */

static inline void p9_add(struct p9_client *c, const void *bytes, size_t len)
{
	assert_true(len <= sizeof(c->message) - c->len);
	memcpy(c->message + c->len, bytes, len);
	c->len += len;
}

static inline void p9_compose_v(struct p9_client *c, uint8_t type, uint16_t tag, const char *format, va_list args)
{
	uint32_t size = 0;

	c->len = 0;
	p9_add(c, &size, 4);
	p9_add(c, &type, 1);
	p9_add(c, &tag, 2);
	for (; *format; format++) {
		uint64_t value = 0;

		if (*format == 's') {
			const char *text = va_arg(args, const char *);
			uint16_t len = (uint16_t)strlen(text);

			p9_add(c, &len, 2);
			p9_add(c, text, len);
		} else if (*format == 'z') {
			const void *bytes = va_arg(args, const void *);

			p9_add(c, bytes, va_arg(args, size_t));
		} else if (*format == 'q') {
			value = va_arg(args, uint64_t);
			p9_add(c, &value, 8);
		} else {
			value = va_arg(args, unsigned);
			p9_add(c, &value, *format == 'b' ? 1 : *format == 'w' ? 2 : 4);
		}
	}
	size = (uint32_t)c->len;
	memcpy(c->message, &size, 4);
}

/* --- Sending and waiting --- */

/* Makes c->message available, in `slot`, with `room` bytes for the reply. */
static inline void p9_submit_message(struct p9_client *c, struct p9_slot *slot, uint32_t room)
{
	vrig_put(c->r, slot->out, c->message, c->len);
	slot->type = c->message[4];
	memcpy(&slot->tag, c->message + 5, 2);
	slot->head = vrig_submit(c->r, 0, VRIG_OUT(slot->out, c->len), VRIG_IN(slot->in, room));
}

/* The reply in `slot`, of which the device has reported the length: 0, the errno of an Rlerror, or NO_REPLY. */
static inline int p9_take_reply(struct p9_client *c, const struct p9_slot *slot, uint32_t used)
{
	uint32_t size, code;
	uint16_t tag;

	c->at = P9_HEADER;
	c->used = c->reply_len = used;
	if (used == 0)
		return NO_REPLY;
	assert_true(used >= P9_HEADER && used <= sizeof(c->reply));
	vrig_get(c->r, slot->in, c->reply, used);
	memcpy(&size, c->reply, 4);
	memcpy(&tag, c->reply + 5, 2);
	assert_int_equal(size, used);
	assert_int_equal(tag, slot->tag);
	if (c->reply[4] != P9_RLERROR) {
		assert_int_equal(c->reply[4], slot->type + 1);
		return 0;
	}
	assert_int_equal(size, P9_ERROR_SIZE);
	memcpy(&code, c->reply + P9_HEADER, 4);
	assert_in_range(code, 1, ERRNO_MAX);
	return (int)code;
}

/* Sends c->message and waits for the reply; no other request is open. */
static inline int p9_send(struct p9_client *c)
{
	uint32_t id, used;

	p9_submit_message(c, &c->slot, c->room);
	vrig_notify(c->r, 0);
	vrig_wait_used(c->r, 0, &id, &used);
	assert_int_equal(id, c->slot.head);
	return p9_take_reply(c, &c->slot, used);
}

static inline int p9(struct p9_client *c, uint8_t type, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	p9_compose_v(c, type, 1, format, args);
	va_end(args);
	return p9_send(c);
}

/* Makes a message available, in guest memory that it takes; vrig_notify is still to be called. */
static inline void p9_submit(struct p9_client *c, struct p9_slot *slot, uint16_t tag, uint8_t type, const char *format,
			     ...)
{
	va_list args;

	if (!slot->out) {
		slot->out = vrig_alloc(c->r, 4096);
		slot->in = vrig_alloc(c->r, 4096);
	}
	va_start(args, format);
	p9_compose_v(c, type, tag, format, args);
	va_end(args);
	p9_submit_message(c, slot, 4096);
}

/* Waits for the next reply, which is to be that of `slot`. */
static inline int p9_wait(struct p9_client *c, const struct p9_slot *slot)
{
	uint32_t id, used;

	vrig_wait_used(c->r, 0, &id, &used);
	assert_int_equal(id, slot->head);
	return p9_take_reply(c, slot, used);
}

/* --- Replies --- */

static inline uint64_t p9_get(struct p9_client *c, unsigned size)
{
	uint64_t value = 0;

	assert_true(size <= c->reply_len - c->at);
	memcpy(&value, c->reply + c->at, size);
	c->at += size;
	return value;
}

static inline void p9_get_text(struct p9_client *c, char *text, size_t size)
{
	uint16_t len = (uint16_t)p9_get(c, 2);

	assert_true(len < size && len <= c->reply_len - c->at);
	memcpy(text, c->reply + c->at, len);
	text[len] = 0;
	c->at += len;
}

static inline void assert_p9_end(const struct p9_client *c)
{
	assert_int_equal(c->at, c->reply_len);
}

struct p9_qid {
	uint8_t type;
	uint32_t version;
	uint64_t path;
};

static inline struct p9_qid p9_get_qid(struct p9_client *c)
{
	struct p9_qid q;

	q.type = (uint8_t)p9_get(c, 1);
	q.version = (uint32_t)p9_get(c, 4);
	q.path = p9_get(c, 8);
	return q;
}

/* --- What most tests begin with --- */

static inline void p9_start(struct p9_client *c)
{
	vrig_start(c->r, 1, 1, 64);
	c->r->next = c->slot.in + P9_ROOM + 0x10000;
	assert_int_equal(p9(c, P9_TVERSION, "ds", P9_MSIZE_MAX, "9P2000.L"), 0);
	assert_int_equal(p9(c, P9_TATTACH, "ddssd", ROOT, P9_NONE, "user", "", 0), 0);
}

/* Lets `fid` be what lies at a path of up to 16 components. */
static inline int p9_go(struct p9_client *c, unsigned fid, const char *path)
{
	char names[16][256];
	uint16_t tag = 1, count = 0;
	uint8_t type = P9_TWALK;
	uint32_t size = 0, from = ROOT;
	int err;

	while (*path) {
		size_t len = strcspn(path, "/");

		assert_true(count < 16 && len < sizeof(names[0]));
		memcpy(names[count], path, len);
		names[count++][len] = 0;
		path += len + (path[len] == '/');
	}
	c->len = 0;
	p9_add(c, &size, 4);
	p9_add(c, &type, 1);
	p9_add(c, &tag, 2);
	p9_add(c, &from, 4);
	p9_add(c, &fid, 4);
	p9_add(c, &count, 2);
	for (uint16_t i = 0; i < count; i++) {
		uint16_t len = (uint16_t)strlen(names[i]);

		p9_add(c, &len, 2);
		p9_add(c, names[i], len);
	}
	size = (uint32_t)c->len;
	memcpy(c->message, &size, 4);
	err = p9_send(c);
	return err ? err : p9_get(c, 2) == count ? 0 : ENOENT;
}

/* The same and opens it. */
static inline void p9_open(struct p9_client *c, unsigned fid, const char *path, unsigned flags)
{
	assert_int_equal(p9_go(c, fid, path), 0);
	assert_int_equal(p9(c, P9_TLOPEN, "dd", fid, flags), 0);
}

static inline int p9_close(struct p9_client *c, unsigned fid)
{
	return p9(c, P9_TCLUNK, "d", fid);
}

/* --- The host's side --- */

/* The path of something in the shared directory; a few are valid at a time. */
static inline const char *p9_path(struct p9_client *c, const char *name)
{
	static char buf[4][512];
	static unsigned at;
	char *path = buf[at++ % 4];

	snprintf(path, sizeof(buf[0]), "%s/share/%s", c->dir, name);
	return path;
}

static inline void p9_make_file(struct p9_client *c, const char *name, const char *content)
{
	int fd = open(p9_path(c, name), O_WRONLY | O_CREAT | O_TRUNC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, content, strlen(content)), strlen(content));
	close(fd);
}

static inline void assert_p9_file(struct p9_client *c, const char *name, const char *content)
{
	char got[256];
	int fd = open(p9_path(c, name), O_RDONLY);
	ssize_t n;

	assert_true(fd >= 0);
	n = read(fd, got, sizeof(got) - 1);
	close(fd);
	assert_true(n >= 0);
	got[n] = 0;
	assert_string_equal(got, content);
}

static inline bool p9_exists(struct p9_client *c, const char *name)
{
	struct stat st;

	return lstat(p9_path(c, name), &st) == 0;
}

/* --- Opening and closing --- */

/* `share` and `device` are options behind the ones that every test needs. */
static inline void p9_open_machine(struct p9_client *c, const char *share, const char *device)
{
	char spec[256];

	c->r = calloc(1, sizeof(*c->r));
	assert_non_null(c->r);
	c->r->m = rig_create_with("rv64", 1, bis_builtin_modules);
	c->r->next = RIG_DATA;
	snprintf(spec, sizeof(spec), "share,path=%s/share,name=dir%s", c->dir, share);
	rig_add(c->r->m, spec);
	snprintf(spec, sizeof(spec), "virtio-9p,at=0x%x,irq=1,share=dir%s", (unsigned)VRIG_WINDOW, device);
	c->r->mod = rig_add(c->r->m, spec);
	assert_ok(mfs_find(c->r->m, "dir", &c->fs));
	c->slot.out = vrig_alloc(c->r, P9_ROOM);
	c->slot.in = vrig_alloc(c->r, P9_ROOM);
	c->room = P9_ROOM;
}

static inline void p9_close_machine(struct p9_client *c)
{
	mfs_put(c->fs);
	if (c->r)
		vrig_close(c->r);
	c->fs = NULL;
	c->r = NULL;
}

/* A table of operations that the test may change: the share's own to begin with. */
static inline struct mfs_ops *p9_hook(struct p9_client *c)
{
	if (c->fs->ops != &c->hooked) {
		c->hooked = *c->fs->ops;
		c->fs->ops = &c->hooked;
	}
	return &c->hooked;
}

static inline int p9_setup(void **state)
{
	struct p9_client *c = calloc(1, sizeof(*c));
	char share[64];

	assert_non_null(c);
	strcpy(c->dir, "/tmp/biscuit-9p-XXXXXX");
	assert_non_null(mkdtemp(c->dir));
	snprintf(share, sizeof(share), "%s/share", c->dir);
	assert_int_equal(mkdir(share, 0755), 0);
	p9_open_machine(c, "", "");
	p9_start(c);
	*state = c;
	return 0;
}

static inline int p9_teardown(void **state)
{
	struct p9_client *c = *state;

	p9_close_machine(c);
	host_remove(AT_FDCWD, c->dir);
	free(c);
	return 0;
}

#define P9_TEST(name) cmocka_unit_test_setup_teardown(name, p9_setup, p9_teardown)

#endif
