/*
 * What a snapshot needs of the nodes of a share: bytes that say what a node is and which locks were taken through it,
 * and the way back. For the faces (native_save.c, virtio_9p_save.c). Control thread, machine paused.
 */
#ifndef BISCUIT_MAGICFS_SAVED_H
#define BISCUIT_MAGICFS_SAVED_H

#include "magicfs/mfs.h"

/* Takes the next bytes of what is saved, as `save` of a module class has it. */
typedef void (*mfs_put_fn)(void *arg, const void *data, size_t len);

/* Saved bytes on their way back; `cut` once something was missing or makes no sense. */
struct mfs_bytes {
	const uint8_t *at;
	size_t left;
	bool cut;
};

/* The next `len` bytes; zeros where there are not as many. */
void mfs_bytes_take(struct mfs_bytes *b, void *out, size_t len);
static inline uint32_t mfs_bytes_u32(struct mfs_bytes *b)
{
	uint32_t value;

	mfs_bytes_take(b, &value, sizeof(value));
	return value;
}
static inline uint64_t mfs_bytes_u64(struct mfs_bytes *b)
{
	uint64_t value;

	mfs_bytes_take(b, &value, sizeof(value));
	return value;
}

/*
 * Saves what a node is; NULL is one that was lost earlier. What has no name any more is lost from here on, true for
 * *lost. -errno of the host, with message.
 */
BIS_MUST_CHECK int mfs_save_node(struct mfs_node *node, mfs_put_fn put, void *arg, bool *lost);

/* How much did not come back. */
struct mfs_losses {
	unsigned nodes, locks;
	char path[MFS_PATH_MAX]; /* of the last of them; "" where it had none */
};
/*
 * The node again, open and locked as it was: a reference, or NULL where that cannot be: the file is gone, or another
 * one has its name, or there is no descriptor left. -EINVAL (no message) for bytes that make no sense.
 */
BIS_MUST_CHECK int mfs_restore_node(struct mfs *fs, struct mfs_bytes *b, struct mfs_losses *losses,
				    struct mfs_node **out);

/* Says in the log what did not come back, if anything. */
struct bis_module;
void mfs_tell_losses(const struct bis_module *mod, const struct mfs_losses *losses);

#endif
