/*
 * The native face: a bare program in M-mode that speaks to slot 4 through the SDK's client. Several harts may each have
 * a call under way; each has handles of its own. face_native_special.c has what this device alone can do.
 */
#include "face_native.h"
#include "face.h"

#include <magicfs.h>
#include <native.h>
#include <stdio.h>
#include <string.h>

enum { LIST_ROOM = 32768, PIECES = 64 };

static struct magicfs_list lists[FACE_TASKS][FACE_HANDLES];
static uint64_t list_rooms[FACE_TASKS][LIST_ROOM / 8];

static uint32_t handle(int64_t number)
{
	return (uint32_t)call_handle(number);
}

static uint32_t base(const struct call *c, unsigned which)
{
	return (uint32_t)call_base(c, which);
}

static const char *path(const struct call *c, unsigned which)
{
	return call_path(c, which);
}

static uint32_t open_flags(int64_t flags)
{
	return ((uint32_t)flags & ~(uint32_t)FLAG_NOFOLLOW) | (flags & FLAG_NOFOLLOW ? MAGICFS_NOFOLLOW : 0);
}

static int64_t keep(int64_t number, int64_t result)
{
	int64_t *handles = port_handles();

	if (result < 0)
		return result;
	if (handles[number] >= (int64_t)magicfs_shares_read())
		magicfs_close((uint32_t)handles[number]);
	handles[number] = result;
	lists[csr_read(mhartid)][number] = (struct magicfs_list){.handle = (uint32_t)result};
	return 0;
}

int64_t face_begin(struct call *c)
{
	char name[64];

	face_end(c);
	for (uint32_t share = 0; share < magicfs_shares_read(); share++) {
		int64_t len = magicfs_share(share, name, sizeof(name));

		if (len != (int64_t)c->text[0].len || memcmp(name, path(c, 0), (size_t)len) != 0)
			continue;
		keep(0, share);
		return keep(1, magicfs_open(share, path(c, 1), MAGICFS_O_DIRECTORY, 0));
	}
	return -MAGICFS_ENODEV;
}

int64_t face_end(struct call *c)
{
	int64_t *handles = port_handles();

	(void)c;
	native_stop_watching();
	native_unmap_all();
	for (unsigned i = 0; i < FACE_HANDLES; i++) {
		if (handles[i] >= (int64_t)magicfs_shares_read())
			magicfs_close((uint32_t)handles[i]);
		handles[i] = -1;
	}
	return 0;
}

int64_t face_mount(struct call *c)
{
	(void)c;
	return -FACE_ENOSYS;
}

int64_t face_flush(struct call *c)
{
	(void)c;
	return 0;
}

/* --- Files --- */

int64_t face_open(struct call *c)
{
	return keep(c->number[0],
		    magicfs_open(base(c, 0), path(c, 0), open_flags(c->number[1]), (uint32_t)c->number[2]));
}

int64_t face_close(struct call *c)
{
	int64_t result = magicfs_close(handle(c->number[0]));

	port_handles()[c->number[0]] = -1;
	return result;
}

static int64_t got_data(struct call *c, int64_t result)
{
	c->len = result > 0 ? (size_t)result : 0;
	return result;
}

int64_t face_read(struct call *c)
{
	uint64_t len = (uint64_t)c->number[2] < c->room ? (uint64_t)c->number[2] : c->room;

	return got_data(c, magicfs_read(handle(c->number[0]), c->data, len, (uint64_t)c->number[1]));
}

/* Cuts a buffer into pieces of unlike sizes. */
static unsigned cut(uint8_t *at, size_t len, unsigned count, struct magicfs_piece *pieces)
{
	for (unsigned i = 0; i < count; i++) {
		size_t part = i + 1 < count ? len / (count - i) / 2 + 1 : len;

		part = part < len ? part : len;
		pieces[i] = (struct magicfs_piece){(uintptr_t)at, part};
		at += part;
		len -= part;
	}
	return count;
}

int64_t face_readv(struct call *c)
{
	struct magicfs_piece pieces[PIECES];
	unsigned count = cut(c->data, (size_t)c->number[2], (unsigned)c->number[3], pieces);

	return got_data(c, magicfs_readv(handle(c->number[0]), pieces, count, (uint64_t)c->number[1]));
}

int64_t face_write(struct call *c)
{
	return magicfs_write(handle(c->number[0]), c->text[0].bytes, c->text[0].len, (uint64_t)c->number[1]);
}

int64_t face_writev(struct call *c)
{
	struct magicfs_piece pieces[PIECES];
	unsigned count = cut(c->text[0].bytes, c->text[0].len, (unsigned)c->number[2], pieces);

	return magicfs_writev(handle(c->number[0]), pieces, count, (uint64_t)c->number[1]);
}

int64_t face_sync(struct call *c)
{
	return magicfs_simple(MAGICFS_SYNC, handle(c->number[0]), NULL, c->number[1] ? MAGICFS_DATA_ONLY : 0, NULL, 0,
			      0, 0, 0);
}

int64_t face_allocate(struct call *c)
{
	return magicfs_allocate(handle(c->number[0]), (uint32_t)c->number[1], (uint64_t)c->number[2],
				(uint64_t)c->number[3]);
}

int64_t face_seek(struct call *c)
{
	return magicfs_seek(handle(c->number[0]), (uint64_t)c->number[1], c->number[2] ? MAGICFS_HOLE : 0);
}

int64_t face_copy(struct call *c)
{
	return magicfs_copy(handle(c->number[0]), (uint64_t)c->number[1], handle(c->number[2]), (uint64_t)c->number[3],
			    (uint64_t)c->number[4]);
}

/* --- Attributes --- */

static int64_t attributes(struct call *c, uint32_t flags)
{
	struct magicfs_stat s;
	int64_t result = magicfs_stat(base(c, 0), path(c, 0), flags, &s);

	if (result < 0)
		return result;
	c->attr = (struct attr){.id = s.id,
				.nlink = s.nlink,
				.rdev = s.rdev,
				.size = s.size,
				.blocks = s.blocks,
				.mode = s.mode,
				.uid = s.uid,
				.gid = s.gid,
				.atime = s.atime,
				.mtime = s.mtime,
				.ctime = s.ctime,
				.btime = s.btime};
	return result == sizeof(s) ? 0 : -FACE_EINVAL;
}

int64_t face_stat(struct call *c)
{
	return attributes(c, 0);
}

int64_t face_lstat(struct call *c)
{
	return attributes(c, MAGICFS_NOFOLLOW);
}

int64_t face_statfs(struct call *c)
{
	struct magicfs_statfs s;
	int64_t result = magicfs_statfs(base(c, 0), path(c, 0), &s);

	if (result < 0)
		return result;
	call_add(c, "bsize=%u", (unsigned)s.bsize);
	call_add(c, "blocks=%llu", (unsigned long long)s.blocks);
	call_add(c, "bfree=%llu", (unsigned long long)s.bfree);
	call_add(c, "files=%llu", (unsigned long long)s.files);
	call_add(c, "namelen=%u", (unsigned)s.namelen);
	return 0;
}

int64_t face_truncate(struct call *c)
{
	return magicfs_truncate(base(c, 0), path(c, 0), (uint64_t)c->number[0]);
}

int64_t face_chmod(struct call *c)
{
	return magicfs_chmod(base(c, 0), path(c, 0), (uint32_t)c->number[0]);
}

int64_t face_chown(struct call *c)
{
	return magicfs_chown(base(c, 0), path(c, 0), 0, (uint32_t)c->number[0], (uint32_t)c->number[1]);
}

int64_t face_lchown(struct call *c)
{
	return magicfs_chown(base(c, 0), path(c, 0), MAGICFS_NOFOLLOW, (uint32_t)c->number[0], (uint32_t)c->number[1]);
}

static uint32_t time_mask(int64_t time, uint32_t set, uint32_t now)
{
	return time == TIME_OMIT ? 0 : time == TIME_NOW ? now : set;
}

static int64_t set_times(struct call *c, uint32_t flags)
{
	struct magicfs_request r MAGICFS_ALIGNED = magicfs_make(MAGICFS_SET, base(c, 0), path(c, 0), flags, NULL, 0);

	r.value[0] = (uint64_t)c->number[0];
	r.value[1] = (uint64_t)c->number[1];
	r.mask = time_mask(c->number[0], MAGICFS_SET_ATIME, MAGICFS_SET_ATIME_NOW) |
		 time_mask(c->number[1], MAGICFS_SET_MTIME, MAGICFS_SET_MTIME_NOW);
	return magicfs_do(&r);
}

int64_t face_utimens(struct call *c)
{
	return set_times(c, 0);
}

int64_t face_lutimens(struct call *c)
{
	return set_times(c, MAGICFS_NOFOLLOW);
}

/* --- Names --- */

int64_t face_mkdir(struct call *c)
{
	return magicfs_mkdir(base(c, 0), path(c, 0), (uint32_t)c->number[0]);
}

int64_t face_rmdir(struct call *c)
{
	return magicfs_rmdir(base(c, 0), path(c, 0));
}

int64_t face_unlink(struct call *c)
{
	return magicfs_unlink(base(c, 0), path(c, 0));
}

int64_t face_rename(struct call *c)
{
	return magicfs_rename(base(c, 0), path(c, 0), base(c, 1), path(c, 1), (uint32_t)c->number[0]);
}

int64_t face_link(struct call *c)
{
	return magicfs_link(base(c, 0), path(c, 0), base(c, 1), path(c, 1));
}

int64_t face_symlink(struct call *c)
{
	return magicfs_symlink(path(c, 0), base(c, 1), path(c, 1));
}

int64_t face_readlink(struct call *c)
{
	return got_data(c, magicfs_readlink(base(c, 0), path(c, 0), (char *)c->data, (size_t)c->number[0]));
}

int64_t face_mknod(struct call *c)
{
	return magicfs_mknod(base(c, 0), path(c, 0), (uint32_t)c->number[0], (uint64_t)c->number[1]);
}

/* --- Directories --- */

static bool dot(const char *name)
{
	return name[0] == '.' && (!name[1] || (name[1] == '.' && !name[2]));
}

enum { WITH_DOTS = 1, WITH_ATTRIBUTES = 2, ONE_CALL = 4 };

/* Without a buffer of its own: `room` bytes of the hart's. */
static int64_t names(struct call *c, size_t room, unsigned how)
{
	unsigned long hart = csr_read(mhartid);
	struct magicfs_list *l = &lists[hart][c->number[0]];
	const struct magicfs_entry *entry;

	l->handle = handle(c->number[0]);
	l->flags = how & WITH_ATTRIBUTES ? MAGICFS_ATTRIBUTES : 0;
	l->buffer = list_rooms[hart];
	l->size = room < LIST_ROOM ? room : LIST_ROOM;
	l->at = l->filled = 0;
	l->error = 0;
	while ((entry = magicfs_list(l))) {
		const char *name = magicfs_entry_name(entry);

		if (how & WITH_ATTRIBUTES && !dot(name))
			call_add(c, "%s:%o:%llu", name, (unsigned)magicfs_entry_stat(entry)->mode,
				 (unsigned long long)magicfs_entry_stat(entry)->size);
		else if (how & WITH_DOTS || !dot(name))
			call_add(c, "%s", name);
		if (how & ONE_CALL && l->at >= l->filled)
			break;
	}
	return l->error;
}

static int64_t all_names(struct call *c, unsigned how)
{
	face_rewind(c);
	return names(c, LIST_ROOM, how);
}

int64_t face_list(struct call *c)
{
	return all_names(c, 0);
}

int64_t face_dots(struct call *c)
{
	return all_names(c, WITH_DOTS);
}

int64_t face_listplus(struct call *c)
{
	return all_names(c, WITH_ATTRIBUTES);
}

int64_t face_next(struct call *c)
{
	return names(c, (size_t)c->number[1], ONE_CALL);
}

int64_t face_rewind(struct call *c)
{
	lists[csr_read(mhartid)][c->number[0]].cursor = 0;
	return 0;
}

/* --- Extended attributes --- */

static int64_t got_value(struct call *c, int64_t result)
{
	return c->number[0] ? got_data(c, result) : result;
}

int64_t face_getxattr(struct call *c)
{
	return got_value(c, magicfs_getxattr(base(c, 0), path(c, 0), path(c, 1), c->data, (size_t)c->number[0], 0));
}

int64_t face_lgetxattr(struct call *c)
{
	return got_value(c, magicfs_getxattr(base(c, 0), path(c, 0), path(c, 1), c->data, (size_t)c->number[0],
					     MAGICFS_NOFOLLOW));
}

int64_t face_setxattr(struct call *c)
{
	return magicfs_setxattr(base(c, 0), path(c, 0), path(c, 1), c->text[2].bytes, c->text[2].len, 0,
				(uint32_t)c->number[0]);
}

int64_t face_listxattr(struct call *c)
{
	return got_value(c, magicfs_listxattr(base(c, 0), path(c, 0), (char *)c->data, (size_t)c->number[0], 0));
}

int64_t face_removexattr(struct call *c)
{
	return magicfs_removexattr(base(c, 0), path(c, 0), path(c, 1), 0);
}

/* --- Locks --- */

int64_t face_lock(struct call *c)
{
	return magicfs_lock(handle(c->number[0]), (uint32_t)c->number[1], (uint64_t)c->number[2],
			    (uint64_t)c->number[3], (uint64_t)c->number[4], 0);
}

int64_t face_getlock(struct call *c)
{
	int64_t result = magicfs_getlock(handle(c->number[0]), (uint32_t)c->number[1], (uint64_t)c->number[2],
					 (uint64_t)c->number[3], (uint64_t)c->number[4]);

	if (result >= 0)
		call_add(c, "lock=%d", (int)result);
	return result < 0 ? result : 0;
}

int64_t face_flock(struct call *c)
{
	return magicfs_lock(handle(c->number[0]), (uint32_t)c->number[1], 0, 0, 0, MAGICFS_WHOLE);
}
