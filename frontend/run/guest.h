/* The guest: which kernel and firmware, for which harts, and getting them into memory. */
#ifndef BISCUIT_RUN_GUEST_H
#define BISCUIT_RUN_GUEST_H

#include <biscuit/loader.h>

#include "frontend/run/options.h"
#include "frontend/run/progress.h"

struct guest {
	char *kernel;	      /* path; NULL: only the firmware */
	const char *firmware; /* path of a file that runs in M-mode; NULL: none */
	bool sbi;	      /* the built-in firmware */
	bool is_linux;	      /* the kernel is Linux, as far as one can see */
	uint64_t raw_base;    /* where a kernel lies that is a raw image */
	const char *isa;      /* for bis_machine_config; NULL: the default */
	bool htif;	      /* the machine has its module */
	struct progress progress;
	void *dtb; /* what the guest was given; NULL: nothing yet */
	size_t dtb_size;
};

/*
 * Chooses kernel, firmware and the ISA that fits them. Without either the kernel stays NULL. -errno with message.
 * guest_free in any case.
 */
BIS_MUST_CHECK int guest_describe(const struct run_options *o, struct guest *out);
/* The same; crumb is the kernel where there would be none. */
BIS_MUST_CHECK int guest_choose(const struct run_options *o, struct guest *out);
void guest_free(struct guest *g);

/* The ISA to use for the file `path`: --isa, or one as wide as the file is. */
BIS_MUST_CHECK int guest_isa(const struct run_options *o, const char *path, const char **isa);

/*
 * Loads firmware, kernel, initial RAM disk and device tree into the machine and sets its entry. Before the start, and
 * again after each reset: the files are read anew.
 */
BIS_MUST_CHECK int guest_load(struct guest *g, struct bis_machine *m, const struct run_options *o);
/* A copy of the device tree that the guest was given, or one of the machine's modules. *blob is to be freed. */
BIS_MUST_CHECK int guest_copy_device_tree(const struct guest *g, struct bis_machine *m, void **blob, size_t *size);
/* The device tree that the guest would get, without an initial RAM disk. *blob is to be freed. */
BIS_MUST_CHECK int guest_device_tree(struct bis_machine *m, const struct run_options *o, void **blob, size_t *size);

#endif
