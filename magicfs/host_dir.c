/*
 * Listing the host's directories. The descriptor's position is the place in the directory, so threads that list one
 * node take turns with its list_lock; a cursor is the host's own cookie, and the host refuses what is none.
 */
#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "magicfs/host_internal.h"

#define LIST_BYTES     32768u
#define LIST_BYTES_MIN 2048u
#define LIST_SPARE     512u /* so that a caller usually has enough before the buffer ends */

/* What getdents64 writes. */
struct record {
	uint64_t ino;
	int64_t next;
	uint16_t size;
	uint8_t type;
	char name[];
};

static bool give(const struct host *h, const struct host_node *n, const struct record *r, mfs_entry_fn take, void *arg)
{
	struct mfs_entry entry = {
		.id = host_id(h, n->dev, r->ino),
		.next = (uint64_t)r->next,
		.name = r->name,
		.type = r->type,
	};

	/* Above the root is the root. */
	if (n->node.id == h->fs.root->id && !strcmp(r->name, ".."))
		entry.id = n->node.id;
	/* What a regular file is may be kept with it. */
	if (h->options.owner == MFS_OWNER_MAPPED && r->type == DT_REG)
		entry.type = DT_UNKNOWN;
	return take(arg, &entry);
}

/* Gives the names in the buffer: the bytes of those taken. */
static size_t give_all(const struct host *h, struct host_node *n, const char *buf, size_t len, mfs_entry_fn take,
		       void *arg)
{
	size_t at = 0;

	while (at < len) {
		const struct record *r = (const struct record *)(const void *)(buf + at);

		if (!give(h, n, r, take, arg))
			break;
		at += r->size;
	}
	return at;
}

/* list_lock is held. */
static int list_from(const struct host *h, struct host_node *n, uint64_t cursor, mfs_entry_fn take, void *arg)
{
	_Alignas(struct record) char buf[LIST_BYTES];
	size_t size = n->list_size ? n->list_size : LIST_BYTES, taken;
	long len;

	if ((cursor || n->moved) && lseek(n->fd, (off_t)cursor, SEEK_SET) < 0)
		return -errno;
	n->moved = true;
	for (;;) {
		len = syscall(SYS_getdents64, n->fd, buf, size);
		if (len < 0 && errno == EINVAL && size < LIST_BYTES) {
			size = LIST_BYTES; /* a name longer than all of it */
			continue;
		}
		if (len <= 0)
			return len < 0 ? -errno : 0;
		taken = give_all(h, n, buf, (size_t)len, take, arg);
		if (taken < (size_t)len)
			break;
		if (size < LIST_BYTES)
			size = LIST_BYTES;
	}
	/* The next caller probably takes about as many. */
	n->list_size = taken < LIST_BYTES_MIN		 ? LIST_BYTES_MIN
		       : taken < LIST_BYTES - LIST_SPARE ? taken + LIST_SPARE
							 : LIST_BYTES;
	return 0;
}

int host_list(struct mfs *fs, struct mfs_node *node, uint64_t cursor, mfs_entry_fn take, void *arg)
{
	struct host_node *n = host_node_of(node);
	int fd, err = host_pin_start(host_of(fs), n, &fd);

	if (err)
		return err;
	host_unpin(n);
	pthread_mutex_lock(&n->list_lock);
	err = list_from(host_of(fs), n, cursor, take, arg);
	pthread_mutex_unlock(&n->list_lock);
	return err;
}
