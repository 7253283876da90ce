/*
 * Contents and attributes through the native MagicFS device: file data goes between host file and guest memory
 * directly, everything else is put together here and copied once.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "magicfs/native_internal.h"

#define NS INT64_C(1000000000)

/* --- Attributes --- */

static int64_t to_ns(struct mfs_time t)
{
	int64_t ns;

	if (__builtin_mul_overflow(t.sec, NS, &ns) || __builtin_add_overflow(ns, (int64_t)t.nsec, &ns))
		return t.sec < 0 ? INT64_MIN : INT64_MAX;
	return ns;
}

static struct mfs_time from_ns(uint64_t value)
{
	int64_t ns = (int64_t)value;
	int64_t sec = ns / NS - (ns % NS < 0);

	return (struct mfs_time){.sec = sec, .nsec = (uint32_t)(ns - sec * NS)};
}

static struct magicfs_stat to_stat(const struct mfs_attr *a)
{
	return (struct magicfs_stat){.id = a->id,
				     .version = a->version,
				     .mode = a->mode,
				     .uid = a->uid,
				     .gid = a->gid,
				     .blksize = a->blksize,
				     .nlink = a->nlink,
				     .rdev = a->rdev,
				     .size = a->size,
				     .blocks = a->blocks,
				     .atime = to_ns(a->atime),
				     .mtime = to_ns(a->mtime),
				     .ctime = to_ns(a->ctime),
				     .btime = to_ns(a->btime)};
}

int64_t native_op_stat(struct native_call *c)
{
	struct magicfs_stat st;
	struct mfs_attr attr;
	int err = mfs_stat(&c->at, &attr);

	if (err)
		return err;
	st = to_stat(&attr);
	return native_give(c, &st, sizeof(st));
}

int64_t native_op_set(struct native_call *c)
{
	struct mfs_attr attr = {.mode = c->r.mode,
				.uid = c->r.uid,
				.gid = c->r.gid,
				.size = c->r.offset,
				.atime = from_ns(c->r.value[0]),
				.mtime = from_ns(c->r.value[1])};

	if (c->r.mask & MAGICFS_SET_SIZE && c->r.offset > INT64_MAX)
		return -EINVAL;
	return mfs_set(&c->at, c->r.mask, &attr);
}

int64_t native_op_statfs(struct native_call *c)
{
	struct magicfs_statfs out;
	struct mfs_statfs fs;
	int err = mfs_statfs(&c->at, &fs);

	if (err)
		return err;
	out = (struct magicfs_statfs){.blocks = fs.blocks,
				      .bfree = fs.bfree,
				      .bavail = fs.bavail,
				      .files = fs.files,
				      .ffree = fs.ffree,
				      .fsid = fs.fsid,
				      .type = fs.type,
				      .bsize = fs.bsize,
				      .namelen = fs.namelen};
	return native_give(c, &out, sizeof(out));
}

/* --- File data --- */

/* The ranges of a READ or WRITE in `ranges`, cut off at MAGICFS_IO_MAX bytes: how many there are, or -errno. */
static int fetch_ranges(const struct native_call *c, struct bis_mem_range ranges[MAGICFS_PIECES])
{
	struct magicfs_piece pieces[MAGICFS_PIECES];
	uint64_t room = MAGICFS_IO_MAX;
	size_t count = 1;
	int err;

	if (c->r.flags & MAGICFS_VECTOR) {
		if (c->r.length > MAGICFS_PIECES)
			return -EINVAL;
		count = (size_t)c->r.length;
		err = bis_mem_read(c->n->memory, (bis_gpa){c->r.buffer}, pieces, count * sizeof(*pieces));
		if (err)
			return err;
	} else {
		pieces[0] = (struct magicfs_piece){c->r.buffer, c->r.length};
	}
	for (size_t i = 0; i < count; i++) {
		uint64_t len = pieces[i].length < room ? pieces[i].length : room;

		ranges[i] = (struct bis_mem_range){{pieces[i].address}, len};
		room -= len;
	}
	return (int)count;
}

int64_t native_op_read(struct native_call *c)
{
	struct bis_mem_range ranges[MAGICFS_PIECES];
	int count = fetch_ranges(c, ranges);

	if (count < 0)
		return count;
	return mfs_read(c->node, c->n->memory, ranges, (size_t)count, c->r.offset, false);
}

int64_t native_op_write(struct native_call *c)
{
	struct bis_mem_range ranges[MAGICFS_PIECES];
	int count = fetch_ranges(c, ranges);

	if (count < 0)
		return count;
	return mfs_write(c->node, c->n->memory, ranges, (size_t)count, c->r.offset);
}

/* --- Directories --- */

struct packer {
	uint8_t *buf;
	size_t size, used;
	bool attributes;
	bool full;
};

static bool pack(void *arg, const struct mfs_entry *entry)
{
	struct packer *p = arg;
	size_t name_len = strlen(entry->name);
	size_t name_offset = sizeof(struct magicfs_entry) + (p->attributes ? sizeof(struct magicfs_stat) : 0);
	size_t size = (name_offset + name_len + 1 + 7) & ~(size_t)7;
	struct magicfs_entry out = {.id = entry->id, .cursor = entry->next, .type = entry->type};

	if (size > p->size - p->used) {
		p->full = true;
		return false;
	}
	out.size = (uint16_t)size;
	out.name_len = (uint16_t)name_len;
	out.name_offset = (uint16_t)name_offset;
	memset(p->buf + p->used, 0, size);
	memcpy(p->buf + p->used, &out, sizeof(out));
	memcpy(p->buf + p->used + name_offset, entry->name, name_len);
	p->used += size;
	return true;
}

/* Attributes of the entries packed, and types that the host did not tell: after the listing, which may hold a lock of
 * the directory. What has gone meanwhile keeps mode 0. */
static void add_attributes(const struct native_call *c, const struct packer *p)
{
	struct magicfs_entry entry;
	struct magicfs_stat st;
	struct mfs_attr attr;

	for (size_t at = 0; at < p->used; at += entry.size) {
		struct mfs_at name = {.base = c->node, .path = (const char *)p->buf + at};

		memcpy(&entry, p->buf + at, sizeof(entry));
		if (!p->attributes && entry.type)
			continue;
		name.path += entry.name_offset;
		/* The parent of the root is the root. */
		if (!strcmp(name.path, "..") && c->node->id == c->node->fs->root->id)
			name.path = "";
		if (mfs_stat(&name, &attr))
			continue;
		st = to_stat(&attr);
		entry.type = (uint16_t)((st.mode & S_IFMT) >> 12);
		memcpy(p->buf + at, &entry, sizeof(entry));
		if (p->attributes)
			memcpy(p->buf + at + sizeof(entry), &st, sizeof(st));
	}
}

int64_t native_op_list(struct native_call *c)
{
	struct packer p = {.size = c->r.length < NATIVE_PACK_MAX ? (size_t)c->r.length : NATIVE_PACK_MAX,
			   .attributes = c->r.flags & MAGICFS_ATTRIBUTES};
	int64_t result;

	p.buf = malloc(p.size ? p.size : 1);
	if (!p.buf)
		return -ENOMEM;
	result = mfs_list(c->node, c->r.offset, pack, &p);
	/* Entries that were read before a failure are given; the failure comes again with the next request. */
	if (p.used) {
		add_attributes(c, &p);
		result = native_give(c, p.buf, p.used);
	} else if (!result && p.full) {
		result = -EINVAL;
	}
	free(p.buf);
	return result;
}

int64_t native_op_readlink(struct native_call *c)
{
	char target[MFS_PATH_MAX];
	size_t size = c->r.length < sizeof(target) ? (size_t)c->r.length : sizeof(target);
	ssize_t len = mfs_readlink(&c->at, target, size);

	return len < 0 ? len : native_give(c, target, (size_t)len);
}

/* --- Extended attributes: values of at most 64 KiB, as on the host --- */

static int64_t get_xattr(struct native_call *c, bool list)
{
	size_t size = c->r.length < NATIVE_PACK_MAX ? (size_t)c->r.length : NATIVE_PACK_MAX;
	void *value = size ? malloc(size) : NULL;
	int64_t len;

	if (size && !value)
		return -ENOMEM;
	len = list ? mfs_listxattr(&c->at, value, size) : mfs_getxattr(&c->at, c->path2, value, size);
	if (len > 0 && size)
		len = native_give(c, value, (size_t)len);
	free(value);
	return len;
}

int64_t native_op_getxattr(struct native_call *c)
{
	return get_xattr(c, false);
}

int64_t native_op_listxattr(struct native_call *c)
{
	return get_xattr(c, true);
}

int64_t native_op_setxattr(struct native_call *c)
{
	size_t size = (size_t)c->r.length;
	int64_t result;
	void *value;

	if (c->r.length > NATIVE_PACK_MAX)
		return -E2BIG;
	value = malloc(size ? size : 1);
	if (!value)
		return -ENOMEM;
	result = bis_mem_read(c->n->memory, (bis_gpa){c->r.buffer}, value, size);
	if (!result)
		result = mfs_setxattr(&c->at, c->path2, value, size, c->r.mask);
	free(value);
	return result;
}
