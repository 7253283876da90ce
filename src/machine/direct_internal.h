/* Direct windows, <biscuit/module.h>: what address translation asks of them. */
#ifndef BISCUIT_DIRECT_INTERNAL_H
#define BISCUIT_DIRECT_INTERNAL_H

#include <biscuit/module.h>

struct bis_machine;

/*
 * The host address of the page that appears at physical page pa_page: false if none does. *host is valid until the
 * hart's next safepoint or until it goes outside. Hart's thread, inside guest code.
 */
bool bis_direct_page(struct bis_machine *m, uint64_t pa_page, uint8_t **host, bool *writable);

/* Window `index` of an instance; false beyond the last. Control thread. */
bool bis_direct_window(const struct bis_module *mod, size_t index, uint64_t *base, uint64_t *size);

/* Takes away the windows of a module that goes. Harts parked. */
void bis_direct_detach(struct bis_module *mod);

#endif
