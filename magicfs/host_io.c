/*
 * Reading, writing and the like on open files of the host's directory. Any thread; an open node's descriptor is its own
 * until it is freed, and every transfer names its offset.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <unistd.h>

#include "magicfs/host_internal.h"

#define COPY_MAX (1u << 30) /* bytes at a time; the host copies no more than twice that */

static int fd_of(struct mfs_node *node)
{
	return host_node_of(node)->fd;
}

/* Is it on a file system that never waits for storage, but does not say so when it is asked? */
static bool is_in_memory(const struct host *h, const struct host_node *n)
{
	return host_fs_type(h, n->fd, n->dev) == TMPFS_MAGIC;
}

ssize_t host_read(struct mfs *fs, struct mfs_node *node, struct bis_memory *m, const struct bis_mem_range *ranges,
		  size_t count, uint64_t offset, bool nowait)
{
	int fd = fd_of(node);

	if (nowait && !is_in_memory(host_of(fs), host_node_of(node)))
		return bis_mem_preadv_nowait(m, ranges, count, fd, offset);
	return bis_mem_preadv(m, ranges, count, fd, offset);
}

ssize_t host_write(struct mfs *fs, struct mfs_node *node, const struct bis_memory *m,
		   const struct bis_mem_range *ranges, size_t count, uint64_t offset)
{
	(void)fs;
	return bis_mem_pwritev(m, ranges, count, fd_of(node), offset);
}

static int sync_fd(int fd, bool data_only)
{
	return (data_only ? fdatasync(fd) : fsync(fd)) ? -errno : 0;
}

int host_sync(struct mfs *fs, struct mfs_node *node, bool data_only)
{
	struct host_node *n = host_node_of(node);
	int fd, again, err;

	if (node->open)
		return sync_fd(n->fd, data_only);
	if (node->type != S_IFREG && node->type != S_IFDIR)
		return -EINVAL;
	err = host_pin(n, &fd);
	if (err)
		return err;
	again = host_open_again(host_of(fs), fd, MFS_READ);
	host_unpin(n);
	if (again < 0)
		return again;
	err = sync_fd(again, data_only);
	close(again);
	return err;
}

int host_fallocate(struct mfs *fs, struct mfs_node *node, unsigned mode, uint64_t offset, uint64_t len)
{
	(void)fs;
	while (fallocate(fd_of(node), (int)mode, (off_t)offset, (off_t)len))
		if (errno != EINTR)
			return -errno;
	return 0;
}

int64_t host_seek(struct mfs *fs, struct mfs_node *node, uint64_t offset, bool hole)
{
	off_t at = lseek(fd_of(node), (off_t)offset, hole ? SEEK_HOLE : SEEK_DATA);

	(void)fs;
	return at < 0 ? -errno : at;
}

ssize_t host_copy(struct mfs *fs, struct mfs_node *from, uint64_t from_offset, struct mfs_node *to, uint64_t to_offset,
		  uint64_t len)
{
	off_t in = (off_t)from_offset, out = (off_t)to_offset;
	ssize_t done;

	(void)fs;
	if (len > COPY_MAX)
		len = COPY_MAX;
	do
		done = copy_file_range(fd_of(from), &in, fd_of(to), &out, (size_t)len, 0);
	while (done < 0 && errno == EINTR);
	return done < 0 ? -errno : done;
}

int host_map(struct mfs *fs, struct mfs_node *node, bool write, int *fd)
{
	int copy = fcntl(fd_of(node), F_DUPFD_CLOEXEC, 0);

	(void)fs;
	(void)write;
	if (copy < 0)
		return -errno;
	*fd = copy;
	return 0;
}
