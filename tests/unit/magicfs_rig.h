/*
 * A driver for tests of the native MagicFS device: a real machine with one share, a new directory under /tmp, and the
 * device in slot 4. The machine does not run; the test is the guest. Requests and their data are put into guest RAM.
 *
 *     struct mrig *r = mrig_open("");
 *     handle = mrig_ok(r, mrig_open_request(r, 0, "file", MAGICFS_O_READ, 0));
 *     mrig_close(r);
 */
#ifndef BISCUIT_UNIT_MAGICFS_RIG_H
#define BISCUIT_UNIT_MAGICFS_RIG_H

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "magicfs/native_internal.h"
#include "src/machine/machine_internal.h"
#include "tests/unit/rig.h"

#define MRIG_SLOT   4u
#define MRIG_WINDOW UINT64_C(0x4000000000)

struct mrig {
	struct bis_machine *m;
	struct bis_module *device;
	struct mfs *fs; /* of share 0 */
	struct mfs_ops ops;
	char dir[64];
	uint64_t next; /* free guest memory */
	struct magicfs_request last;
};

/* --- The host's side --- */

/* Removes all that is in a directory. */
static inline void mrig_clear(int dir)
{
	DIR *d = fdopendir(openat(dir, ".", O_RDONLY | O_DIRECTORY));
	struct dirent *e;

	assert_non_null(d);
	while ((e = readdir(d))) {
		int below;

		if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, "..") || !unlinkat(dir, e->d_name, 0))
			continue;
		below = openat(dir, e->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
		assert_true(below >= 0);
		mrig_clear(below);
		close(below);
		assert_int_equal(unlinkat(dir, e->d_name, AT_REMOVEDIR), 0);
	}
	closedir(d);
}

/* "DIR/name", valid until the next call but three. */
static inline const char *mrig_path(const struct mrig *r, const char *name)
{
	static char paths[4][512];
	static unsigned next;
	char *path = paths[next++ % 4];

	snprintf(path, sizeof(paths[0]), "%s/%s", r->dir, name);
	return path;
}

static inline void mrig_host_write(const struct mrig *r, const char *name, const void *bytes, size_t len)
{
	int fd = open(mrig_path(r, name), O_WRONLY | O_CREAT | O_TRUNC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, len), len);
	close(fd);
}

static inline size_t mrig_host_read(const struct mrig *r, const char *name, void *bytes, size_t size)
{
	int fd = open(mrig_path(r, name), O_RDONLY);
	ssize_t len;

	assert_true(fd >= 0);
	len = read(fd, bytes, size);
	assert_true(len >= 0);
	close(fd);
	return (size_t)len;
}

/* --- Registers --- */

static inline uint64_t mrig_read_reg(struct mrig *r, unsigned reg)
{
	return bis_devctl_read(r->m, MRIG_SLOT, reg);
}

static inline void mrig_write_reg(struct mrig *r, unsigned reg, uint64_t value)
{
	bis_devctl_write(r->m, MRIG_SLOT, reg, value);
}

static inline unsigned mrig_error(struct mrig *r)
{
	return (unsigned)(mrig_read_reg(r, NATIVE_STATUS) & NATIVE_STATUS_ERROR_MASK) >> NATIVE_STATUS_ERROR_SHIFT;
}

static inline bool mrig_irq(const struct mrig *r)
{
	return bis_irq_level(bis_module_irq(r->device, 0));
}

/* --- Guest memory --- */

static inline uint64_t mrig_alloc(struct mrig *r, size_t size)
{
	uint64_t pa = r->next;

	r->next = (r->next + size + 127) & ~UINT64_C(127);
	assert_true(r->next < BIS_RAM_BASE + RIG_RAM_SIZE);
	return pa;
}

static inline uint64_t mrig_put(struct mrig *r, const void *bytes, size_t len)
{
	uint64_t pa = mrig_alloc(r, len);

	rig_write(r->m, pa, bytes, len);
	return pa;
}

static inline void mrig_get(struct mrig *r, uint64_t pa, void *bytes, size_t len)
{
	assert_ok(bis_mem_read(bis_machine_memory(r->m), (bis_gpa){pa}, bytes, len));
}

/* --- Requests --- */

/* Puts a request into guest memory: its address. */
static inline uint64_t mrig_block(struct mrig *r, struct magicfs_request request)
{
	request.result = INT64_C(0x5a5a5a5a5a5a5a5a);
	return mrig_put(r, &request, sizeof(request));
}

static inline void mrig_load(struct mrig *r, uint64_t block)
{
	mrig_get(r, block, &r->last, sizeof(r->last));
}

/* Carries out a request: its result; r->last is the whole answer. */
static inline int64_t mrig_do(struct mrig *r, struct magicfs_request request)
{
	uint64_t block = mrig_block(r, request);

	mrig_write_reg(r, MAGICFS_REQUEST, block);
	mrig_load(r, block);
	assert_int_equal(r->last.done, 1);
	assert_int_equal((int64_t)mrig_read_reg(r, MAGICFS_REQUEST), r->last.result);
	return r->last.result;
}

static inline struct magicfs_request mrig_make(struct mrig *r, uint32_t op, uint32_t handle, const char *path)
{
	return (struct magicfs_request){.op = op,
					.handle = handle,
					.path = path ? mrig_put(r, path, strlen(path)) : 0,
					.path_len = path ? (uint32_t)strlen(path) : 0};
}

static inline int64_t mrig_simple(struct mrig *r, uint32_t op, uint32_t handle, const char *path)
{
	return mrig_do(r, mrig_make(r, op, handle, path));
}

static inline struct magicfs_request mrig_make2(struct mrig *r, uint32_t op, const char *path, const char *path2)
{
	struct magicfs_request q = mrig_make(r, op, 0, path);

	q.path2 = mrig_put(r, path2, strlen(path2));
	q.path2_len = (uint32_t)strlen(path2);
	return q;
}

static inline int64_t mrig_open_file(struct mrig *r, const char *path, uint32_t flags)
{
	struct magicfs_request q = mrig_make(r, MAGICFS_OPEN, 0, path);

	q.flags = flags;
	q.mode = 0644;
	return mrig_do(r, q);
}

static inline uint32_t mrig_open_ok(struct mrig *r, const char *path, uint32_t flags)
{
	int64_t handle = mrig_open_file(r, path, flags);

	assert_true(handle > 0 && handle <= INT32_MAX);
	return (uint32_t)handle;
}

static inline struct magicfs_request mrig_io(uint32_t op, uint32_t handle, uint64_t buffer, uint64_t len,
					     uint64_t offset)
{
	return (struct magicfs_request){.op = op, .handle = handle, .buffer = buffer, .length = len, .offset = offset};
}

static inline int64_t mrig_stat(struct mrig *r, uint32_t handle, const char *path, struct magicfs_stat *out)
{
	struct magicfs_request q = mrig_make(r, MAGICFS_STAT, handle, path);
	int64_t result;

	q.buffer = mrig_alloc(r, sizeof(*out));
	q.length = sizeof(*out);
	result = mrig_do(r, q);
	if (result >= 0)
		mrig_get(r, q.buffer, out, sizeof(*out));
	return result;
}

/* --- Posted requests --- */

static inline void mrig_post(struct mrig *r, uint64_t block)
{
	mrig_write_reg(r, MAGICFS_POST, block);
	assert_int_equal(mrig_error(r), NATIVE_ERROR_NONE);
}

static inline bool mrig_done(struct mrig *r, uint64_t block)
{
	uint64_t done = 0;

	assert_ok(bis_mem_load(bis_machine_memory(r->m), (bis_gpa){block + offsetof(struct magicfs_request, done)}, 4,
			       &done));
	return done;
}

/* Waits until the posted request is done and takes it; it must be the next one. */
static inline int64_t mrig_finish(struct mrig *r, uint64_t block)
{
	rig_wait_for(mrig_read_reg(r, NATIVE_STATUS) & MAGICFS_STATUS_DONE);
	assert_int_equal(mrig_read_reg(r, MAGICFS_DONE), block);
	assert_true(mrig_done(r, block));
	mrig_load(r, block);
	return r->last.result;
}

/* --- Beginning and end --- */

/* `more` are options of the share behind path=. */
static inline struct mrig *mrig_open(const char *more)
{
	struct mrig *r = calloc(1, sizeof(*r));
	char spec[256];

	assert_non_null(r);
	strcpy(r->dir, "/tmp/biscuit-magicfs-XXXXXX");
	assert_non_null(mkdtemp(r->dir));
	r->m = rig_create("rv64", 1);
	r->next = BIS_RAM_BASE + 0x1000;
	snprintf(spec, sizeof(spec), "share,path=%s,name=first%s", r->dir, more);
	rig_add(r->m, spec);
	snprintf(spec, sizeof(spec), "magicfs,slot=%u,at=0x%llx", MRIG_SLOT, (unsigned long long)MRIG_WINDOW);
	r->device = rig_add(r->m, spec);
	assert_ok(mfs_nth(r->m, 0, &r->fs));
	r->ops = *r->fs->ops;
	return r;
}

/* From here on the file system's table is r->ops, which the test may change. */
static inline struct mfs_ops *mrig_take_ops(struct mrig *r)
{
	r->fs->ops = &r->ops;
	return &r->ops;
}

static inline struct native *mrig_native(const struct mrig *r)
{
	return bis_module_self(r->device);
}

static inline void mrig_close(struct mrig *r)
{
	int dir = open(r->dir, O_RDONLY | O_DIRECTORY);

	bis_machine_destroy(r->m);
	mfs_put(r->fs);
	mrig_clear(dir);
	close(dir);
	assert_int_equal(rmdir(r->dir), 0);
	free(r);
}

#endif
