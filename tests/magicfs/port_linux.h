/* The Linux face and its ports: what differs between a guest (port_linux.c) and the host (port_host.c), and the rest.
 */
#ifndef MAGICFS_PORT_LINUX_H
#define MAGICFS_PORT_LINUX_H

#include <stddef.h>
#include <stdint.h>

/* Where the share of that name is. */
void port_share_path(const char *share, char *path, size_t size);
/* In a guest: mounts the share with these options, anew if it is mounted. On the host: mounts a new file system at a
 * folder of the case; port_unmount() takes it away. */
int64_t port_mount(const char *name, const char *options);
void port_unmount(void);

/* A child as fork(2) makes it: its number, 0 in the child, or the error. */
long linux_fork(void);
void linux_unmap_all(void);

#endif
