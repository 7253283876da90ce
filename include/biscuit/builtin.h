/*
 * What libbiscuit brings along: the built-in module classes, and boards made of them. The core works without either.
 */
#ifndef BISCUIT_BUILTIN_H
#define BISCUIT_BUILTIN_H

#include <biscuit/machine.h>
#include <biscuit/module.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Every built-in class, ended by NULL: what a program passes in bis_machine_config.classes. */
extern const struct bis_module_class *const bis_builtin_modules[];

/*
 * Adds the modules of the common RISC-V `virt` board and the native devices of slots 0 to 2. The machine must know the
 * built-in classes and must not have started. Fails as bis_machine_add does; what was added so far stays.
 */
BIS_MUST_CHECK int bis_board_virt(struct bis_machine *m);

/*
 * Adds a virtio device ("virtio-blk,file=…") in the board's lowest free virtio-mmio slot, 0 to 7, with that slot's
 * interrupt. -ENOSPC when all are taken, otherwise as bis_machine_add.
 */
BIS_MUST_CHECK int bis_board_virtio(struct bis_machine *m, const char *spec, struct bis_module **out);
/*
 * Puts placeholders (device ID 0: no device) into the free virtio-mmio slots, for guests that probe all eight. After
 * the last bis_board_virtio.
 */
BIS_MUST_CHECK int bis_board_virtio_done(struct bis_machine *m);

#ifdef __cplusplus
}
#endif
#endif
