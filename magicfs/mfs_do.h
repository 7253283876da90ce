/*
 * The calls of magicfs/mfs.h, carried out: mfs_do_X does what mfs_X says, of which nobody who watches the machine is
 * told. Any thread.
 */
#ifndef BISCUIT_MAGICFS_MFS_DO_H
#define BISCUIT_MAGICFS_MFS_DO_H

#include "magicfs/mfs.h"

BIS_MUST_CHECK int mfs_do_lookup(const struct mfs_at *at, struct mfs_node **out);
BIS_MUST_CHECK int mfs_do_stat(const struct mfs_at *at, struct mfs_attr *out);
BIS_MUST_CHECK int mfs_do_set(const struct mfs_at *at, unsigned mask, const struct mfs_attr *attr);
BIS_MUST_CHECK int mfs_do_open(const struct mfs_at *at, unsigned flags, uint32_t mode, struct mfs_who who,
			       struct mfs_node **out);
BIS_MUST_CHECK ssize_t mfs_do_read(struct mfs_node *node, struct bis_memory *m, const struct bis_mem_range *ranges,
				   size_t count, uint64_t offset, bool nowait);
BIS_MUST_CHECK ssize_t mfs_do_write(struct mfs_node *node, const struct bis_memory *m,
				    const struct bis_mem_range *ranges, size_t count, uint64_t offset);
BIS_MUST_CHECK int mfs_do_list(struct mfs_node *node, uint64_t cursor, mfs_entry_fn take, void *arg);
BIS_MUST_CHECK int mfs_do_mkdir(const struct mfs_at *at, uint32_t mode, struct mfs_who who);
BIS_MUST_CHECK int mfs_do_mknod(const struct mfs_at *at, uint32_t mode, uint64_t rdev, struct mfs_who who);
BIS_MUST_CHECK int mfs_do_symlink(const struct mfs_at *at, const char *target, struct mfs_who who);
BIS_MUST_CHECK int mfs_do_link(const struct mfs_at *from, const struct mfs_at *to);
BIS_MUST_CHECK int mfs_do_rename(const struct mfs_at *from, const struct mfs_at *to, unsigned flags);
BIS_MUST_CHECK int mfs_do_unlink(const struct mfs_at *at, bool directory);
BIS_MUST_CHECK ssize_t mfs_do_readlink(const struct mfs_at *at, char *buf, size_t size);
BIS_MUST_CHECK int mfs_do_sync(struct mfs_node *node, bool data_only);
BIS_MUST_CHECK int mfs_do_statfs(const struct mfs_at *at, struct mfs_statfs *out);
BIS_MUST_CHECK ssize_t mfs_do_getxattr(const struct mfs_at *at, const char *name, void *buf, size_t size);
BIS_MUST_CHECK ssize_t mfs_do_listxattr(const struct mfs_at *at, char *buf, size_t size);
BIS_MUST_CHECK int mfs_do_setxattr(const struct mfs_at *at, const char *name, const void *value, size_t size,
				   unsigned flags);
BIS_MUST_CHECK int mfs_do_removexattr(const struct mfs_at *at, const char *name);
BIS_MUST_CHECK int mfs_do_fallocate(struct mfs_node *node, unsigned mode, uint64_t offset, uint64_t len);
BIS_MUST_CHECK int64_t mfs_do_seek(struct mfs_node *node, uint64_t offset, bool hole);
BIS_MUST_CHECK ssize_t mfs_do_copy(struct mfs_node *from, uint64_t from_offset, struct mfs_node *to, uint64_t to_offset,
				   uint64_t len);
BIS_MUST_CHECK int mfs_do_map(struct mfs_node *node, bool write, int *fd);
BIS_MUST_CHECK int mfs_do_lock(struct mfs_node *node, const struct mfs_lock *lock);
BIS_MUST_CHECK int mfs_do_getlock(struct mfs_node *node, struct mfs_lock *lock);

#endif
