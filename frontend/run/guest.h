/* The guest: which kernel, for which harts, and getting it into memory. */
#ifndef BISCUIT_RUN_GUEST_H
#define BISCUIT_RUN_GUEST_H

#include <biscuit/loader.h>

#include "frontend/run/options.h"

struct guest {
	char *kernel;	 /* path */
	const char *isa; /* for bis_machine_config; NULL: the default */
	bool htif;	 /* the machine has its module */
};

/* Chooses the kernel (crumb if none is named) and the ISA that fits it. -errno with message. */
BIS_MUST_CHECK int guest_choose(const struct run_options *o, struct guest *out);
void guest_free(struct guest *g);

/* The ISA to use for the file `path`: --isa, or one as wide as the ELF file. */
BIS_MUST_CHECK int guest_isa(const struct run_options *o, const char *path, const char **isa);

/*
 * Loads kernel, initial RAM disk and device tree into the machine and sets its entry. Before the start, and again after
 * each reset: the files are read anew.
 */
BIS_MUST_CHECK int guest_load(struct guest *g, struct bis_machine *m, const struct run_options *o);
/* The device tree that the guest would get, without an initial RAM disk. *blob is to be freed. */
BIS_MUST_CHECK int guest_device_tree(struct bis_machine *m, const struct run_options *o, void **blob, size_t *size);

#endif
