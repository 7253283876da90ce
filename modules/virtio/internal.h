/* What the two halves of the virtio transport, mmio.c and queue.c, know of each other. The lock of `v` is held in all.
 */
#ifndef BISCUIT_MODULES_VIRTIO_INTERNAL_H
#define BISCUIT_MODULES_VIRTIO_INTERNAL_H

#include "modules/virtio/virtio.h"

/* Section 4.2.2: what every window says of itself. */
#define VIRTIO_MMIO_MAGIC   0x74726976u /* "virt" */
#define VIRTIO_MMIO_VERSION 2u
#define VIRTIO_MMIO_WINDOW  0x200u /* bytes */

/* Bits of InterruptStatus. */
enum virtio_interrupt { VIRTIO_INTERRUPT_USED = 1, VIRTIO_INTERRUPT_CONFIG = 2 };

/* mmio.c: as virtio_has, virtio_live, virtio_broken. */
bool virtio_has_locked(const struct virtio *v, uint64_t features);
bool virtio_live_locked(const struct virtio *v);
void virtio_break_locked(struct virtio *v, const char *fmt, ...) BIS_PRINTF(2, 3);
/* mmio.c: sets bits of InterruptStatus, and the line. */
void virtio_interrupt_locked(struct virtio *v, uint32_t bits);

/* queue.c: what is wrong with the size and places of a queue that is to be ready; NULL if nothing. */
const char *virtio_queue_flaw(const struct virtio *v, unsigned queue);
/* queue.c: the queue is not ready, as after a reset; chains of it are void. */
void virtio_queue_clear(struct virtio *v, unsigned queue);

#endif
