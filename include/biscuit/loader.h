/*
 * Loading guests into a machine before it starts: ELF and raw images, initrd, device tree.
 * All functions run on the control thread before bis_machine_start (or between reset and resume).
 */
#ifndef BISCUIT_LOADER_H
#define BISCUIT_LOADER_H

#include <biscuit/machine.h>
#include <biscuit/types.h>

#ifdef __cplusplus
extern "C" {
#endif

struct bis_image {
	uint64_t entry;
	uint64_t start, end;	   /* physical range touched, end exclusive */
	uint64_t tohost, fromhost; /* addresses of these ELF symbols, 0 if absent (HTIF) */
	unsigned xlen;		   /* ELF class; 0 for a raw image */
};

/*
 * Loads an ELF32/64 RISC-V executable by its program headers (physical addresses), or, if the file is no ELF, a raw
 * image at `raw_base`. The whole file is checked before a byte of guest memory changes. -ENOENT, -ENOEXEC (truncated or
 * hostile, wrong machine, wrong width for the harts), -EFAULT (outside RAM; the message names both ranges).
 */
BIS_MUST_CHECK int bis_load_kernel(struct bis_machine *m, const char *path, uint64_t raw_base, struct bis_image *out);
/* The same from memory; `name` is for messages. */
BIS_MUST_CHECK int bis_load_kernel_bytes(struct bis_machine *m, const char *name, const void *data, size_t size,
					 uint64_t raw_base, struct bis_image *out);
/* Loads a file as high in RAM as it fits below `limit` (0: end of RAM), page-aligned. *start, *end: where it lies. */
BIS_MUST_CHECK int bis_load_initrd(struct bis_machine *m, const char *path, uint64_t limit, uint64_t *start,
				   uint64_t *end);

struct bis_dt_config {
	const char *bootargs; /* NULL: none */
	uint64_t initrd_start, initrd_end;
	const char *stdout_path; /* instance name of the console; NULL: the first serial node */
};
/* Builds the machine's device tree from its modules. *blob is malloc'ed, *size its bytes. -ENOMEM, -EINVAL. */
BIS_MUST_CHECK int bis_build_dtb(struct bis_machine *m, const struct bis_dt_config *cfg, void **blob, size_t *size);
/* Checks a device tree blob read from outside (header, size, structure). -EINVAL with message. */
BIS_MUST_CHECK int bis_check_dtb(const void *blob, size_t size);
/* Places a blob near the end of RAM outside [avoid_start, avoid_end), 8-byte aligned. */
BIS_MUST_CHECK int bis_place_dtb(struct bis_machine *m, const void *blob, size_t size, uint64_t avoid_start,
				 uint64_t avoid_end, uint64_t *where);

#ifdef __cplusplus
}
#endif
#endif
