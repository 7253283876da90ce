/*
 * What a node is, in words that outlive the process, and making it again from them: magicfs/mfs.h. Any thread.
 */
#include <errno.h>
#include <linux/openat2.h>
#include <string.h>
#include <unistd.h>

#include "magicfs/host_internal.h"

int host_describe(struct mfs *fs, struct mfs_node *node, struct mfs_description *out)
{
	struct host *h = host_of(fs);
	struct host_node *n = host_node_of(node);
	struct mfs_description d = {.flags = node->flags, .open = node->open, .id = node->id};
	int fd, err = host_pin(n, &fd);

	if (err)
		return err;
	err = host_path_true(h, fd, d.path);
	d.born = host_born(fd);
	host_unpin(n);
	if (err == -ENOENT) {
		d.nameless = true;
		d.path[0] = 0;
		err = 0;
	}
	if (!err)
		*out = d;
	return err;
}

int host_reopen(struct mfs *fs, const struct mfs_description *d, struct mfs_node **out)
{
	struct host *h = host_of(fs);
	struct host_identity identity;
	int fd, again, err;

	if (d->nameless)
		return -ENOENT;
	fd = host_open_path(host_node_of(fs->root)->fd, d->path[0] ? d->path : ".", false,
			    RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS);
	if (fd < 0)
		return fd;
	err = host_identify(h, fd, &identity);
	if (!err && !host_is(h, fd, d->id, d->born))
		err = -ESTALE;
	if (!err && !d->open)
		return host_node_make(h, fd, &identity, false, 0, out);
	if (!err && identity.type != S_IFREG && identity.type != S_IFDIR)
		err = -ENXIO;
	if (!err) {
		again = host_open_again(h, fd, d->flags);
		err = again < 0 ? again : host_node_make(h, again, &identity, true, d->flags, out);
	}
	close(fd);
	return err;
}
