/* See saved.h. */
#include "magicfs/saved.h"

#include <errno.h>
#include <string.h>

#include <biscuit/error.h>
#include <biscuit/module.h>

#include "magicfs/mfs_do.h"

enum saved_flags { SAVED_OPEN = 1, SAVED_LOST = 2 };

/* What comes before the path; then the number of locks (32 bits) and each. */
struct saved_node {
	uint64_t id;
	struct mfs_time born;
	uint32_t flags; /* enum mfs_open */
	uint16_t path_len;
	uint8_t what; /* enum saved_flags */
	uint8_t zero;
};

struct saved_lock {
	uint64_t start, length, owner;
	uint32_t type;
	uint32_t whole;
};

_Static_assert(sizeof(struct mfs_time) == 16, "saved as it is");

void mfs_bytes_take(struct mfs_bytes *b, void *out, size_t len)
{
	if (len > b->left) {
		memset(out, 0, len);
		b->cut = true;
		b->left = 0;
		return;
	}
	memcpy(out, b->at, len);
	b->at += len;
	b->left -= len;
}

/* --- Saving --- */

struct lock_list {
	mfs_put_fn put;
	void *arg;
	uint32_t count;
};

static void count_lock(void *arg, const struct mfs_lock *lock)
{
	struct lock_list *l = arg;

	(void)lock;
	l->count++;
}

static void put_lock(void *arg, const struct mfs_lock *lock)
{
	struct lock_list *l = arg;
	struct saved_lock s = {lock->start, lock->length, lock->owner, lock->type, lock->whole};

	l->put(l->arg, &s, sizeof(s));
}

/* What the host has moved out of the share, or where no path is long enough to lead, is lost like what was removed. */
static int describe(struct mfs_node *node, struct mfs_description *out)
{
	int err = node ? mfs_describe(node, out) : -ESTALE;

	if (err == -EXDEV || err == -ENAMETOOLONG || err == -ESTALE || err == -ENOENT) {
		*out = (struct mfs_description){.open = node && node->open, .nameless = true};
		return 0;
	}
	return err ? bis_fail(-err, "an open file of a share cannot be described: %s", strerror(-err)) : 0;
}

int mfs_save_node(struct mfs_node *node, mfs_put_fn put, void *arg, bool *lost)
{
	struct lock_list locks = {.put = put, .arg = arg};
	struct mfs_description d;
	struct saved_node s = {0};
	int err = describe(node, &d);

	if (err)
		return err;
	*lost = *lost || d.nameless;
	s.id = d.id;
	s.born.sec = d.born.sec;
	s.born.nsec = d.born.nsec;
	s.flags = d.flags;
	s.path_len = (uint16_t)strlen(d.path);
	s.what = (uint8_t)((d.open ? SAVED_OPEN : 0) | (d.nameless ? SAVED_LOST : 0));
	put(arg, &s, sizeof(s));
	put(arg, d.path, s.path_len);
	if (node && !d.nameless)
		mfs_locks(node, count_lock, &locks);
	put(arg, &locks.count, sizeof(locks.count));
	if (locks.count)
		mfs_locks(node, put_lock, &locks);
	return 0;
}

/* --- And back --- */

static void lose(struct mfs_losses *losses, unsigned *count, const char *path)
{
	++*count;
	strcpy(losses->path, path);
}

static void retake_lock(struct mfs_node *node, struct mfs_bytes *b, const char *path, struct mfs_losses *losses)
{
	struct mfs_lock lock = {0};
	struct saved_lock s;

	mfs_bytes_take(b, &s, sizeof(s));
	if (b->cut || !node)
		return;
	if (s.type != MFS_LOCK_READ && s.type != MFS_LOCK_WRITE) {
		b->cut = true;
		return;
	}
	lock.type = s.type == MFS_LOCK_WRITE ? MFS_LOCK_WRITE : MFS_LOCK_READ;
	lock.whole = s.whole != 0;
	lock.start = s.start;
	lock.length = s.length;
	lock.owner = s.owner;
	if (mfs_do_lock(node, &lock))
		lose(losses, &losses->locks, path);
}

int mfs_restore_node(struct mfs *fs, struct mfs_bytes *b, struct mfs_losses *losses, struct mfs_node **out)
{
	struct mfs_description d = {0};
	struct mfs_node *node = NULL;
	struct saved_node s;
	uint32_t locks;

	mfs_bytes_take(b, &s, sizeof(s));
	b->cut = b->cut || s.path_len >= MFS_PATH_MAX;
	mfs_bytes_take(b, d.path, b->cut ? 0 : s.path_len);
	locks = mfs_bytes_u32(b);
	if (b->cut)
		return -EINVAL;
	d.flags = s.flags;
	d.open = s.what & SAVED_OPEN;
	d.nameless = s.what & SAVED_LOST;
	d.id = s.id;
	d.born = s.born;
	if (d.nameless || mfs_reopen(fs, &d, &node)) {
		node = NULL;
		lose(losses, &losses->nodes, d.path);
	}
	for (uint32_t i = 0; i < locks && !b->cut; i++)
		retake_lock(node, b, d.path, losses);
	if (b->cut) {
		mfs_node_put(node);
		return -EINVAL;
	}
	*out = node;
	return 0;
}

void mfs_tell_losses(const struct bis_module *mod, const struct mfs_losses *losses)
{
	struct bis_machine *m = bis_module_machine(mod);

	if (losses->nodes)
		bis_log(m, BIS_LOG_WARN, bis_module_name(mod),
			"%u files that the guest has in use could not be opened again (the last: '%s')", losses->nodes,
			losses->path);
	if (losses->locks)
		bis_log(m, BIS_LOG_WARN, bis_module_name(mod),
			"%u locks that the guest had are held by others now (the last: '%s')", losses->locks,
			losses->path);
}
