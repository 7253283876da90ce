/*
 * Snapshots: the whole state of a machine in one file, from the field tables of harts and modules plus RAM (pages of
 * zeros left out), compressed and checksummed by zstd. Disks and shares are not in it: they are opened again by path,
 * and must not have changed meanwhile. docs/snapshots.md says what else is not. A snapshot names files of the host that
 * the machine made from it opens: one from a stranger is like a command line from a stranger. Without zstd at build
 * time every function here gives -ENOSYS with message.
 */
#ifndef BISCUIT_SNAPSHOT_H
#define BISCUIT_SNAPSHOT_H

#include <biscuit/machine.h>
#include <biscuit/types.h>

#ifdef __cplusplus
extern "C" {
#endif

#define BIS_SNAPSHOT_VERSION 1

/*
 * Writes a snapshot to `path`: under a temporary name beside it, renamed when it is on stable storage. A machine that
 * runs is paused meanwhile. `note` (may be NULL) is kept for whoever restores it. Takes the control lock. -EBUSY where
 * a module cannot be described (named in the message); -errno of the host. `path` is then as it was before.
 */
BIS_MUST_CHECK int bis_snapshot_save(struct bis_machine *m, const char *path, const char *note);
/* The same to a descriptor, which is written from its position on and not synced. */
BIS_MUST_CHECK int bis_snapshot_write(struct bis_machine *m, int fd, const char *note);

struct bis_snapshot;

/*
 * Opens a snapshot and reads what is needed to make a machine like the one it was taken of. -ENOENT, …; -EINVAL where
 * it is no snapshot, -EPROTONOSUPPORT where it is of another version, -EBADMSG where it is damaged, each with message.
 */
BIS_MUST_CHECK int bis_snapshot_open(const char *path, struct bis_snapshot **out);
void bis_snapshot_close(struct bis_snapshot *s);

/* What the machine was made with; the texts are valid until the snapshot is closed. */
struct bis_snapshot_machine {
	const char *isa;
	unsigned harts;
	uint64_t ram_size;
	enum bis_clock clock;
	const char *note; /* "" where none was given */
};
const struct bis_snapshot_machine *bis_snapshot_machine(const struct bis_snapshot *s);
/* The text with which instance `index` is added (bis_machine_add), in order; NULL beyond the last. */
const char *bis_snapshot_module(const struct bis_snapshot *s, size_t index);

/*
 * Is that instance a back end, of which the guest sees nothing? It may then be left out, or another one put in its
 * place. False beyond the last.
 */
bool bis_snapshot_is_backend(const struct bis_snapshot *s, size_t index);
/* Disks and shared directories may have changed since: the user knows that they fit. */
void bis_snapshot_allow_changes(struct bis_snapshot *s);

/*
 * Restores the state into a machine made that way and not started yet, which is paused afterwards. Once for each opened
 * snapshot. -EINVAL where the machine is not like it was: the message lists what differs, and the machine is as before;
 * -EBADMSG where the file is damaged further in: the machine is then of no use.
 */
BIS_MUST_CHECK int bis_snapshot_restore(struct bis_snapshot *s, struct bis_machine *m);

#ifdef __cplusplus
}
#endif
#endif
