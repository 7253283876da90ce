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

/* Where a kernel in S-mode lies behind the start of RAM: the large page of the harts' width. */
#define BIS_NEXT_STAGE_RV64 UINT64_C(0x200000)
#define BIS_NEXT_STAGE_RV32 UINT64_C(0x400000)

/* Bytes behind a device tree that stay free: firmware grows it in place. */
#define BIS_DTB_SLACK ((uint64_t)8 << 10)

enum bis_image_kind {
	BIS_IMAGE_RAW,
	BIS_IMAGE_ELF,
	BIS_IMAGE_LINUX, /* raw, with the header of the RISC-V Linux boot protocol */
};

struct bis_image_info {
	enum bis_image_kind kind;
	unsigned xlen;	/* 0: the file does not tell */
	uint64_t entry; /* physical; of a Linux image where its header asks, 0 for another raw image */
};

/* Says what a kernel or firmware file is, without a machine. Errors as bis_load_kernel, but for what RAM is there. */
BIS_MUST_CHECK int bis_identify_kernel(const char *path, struct bis_image_info *out);

/* Who wants to know how far a loader is; called now and then on the loading thread, at last with done == total. */
struct bis_load_progress {
	void (*report)(void *arg, const char *name, uint64_t done, uint64_t total);
	void *arg;
};

struct bis_image {
	uint64_t entry;
	uint64_t start, end;	   /* physical range touched, end exclusive */
	uint64_t tohost, fromhost; /* addresses of these ELF symbols, 0 if absent (HTIF) */
	unsigned xlen;		   /* ELF class; 0 for a raw image */
};

/*
 * Loads an ELF32/64 RISC-V executable by its program headers (physical addresses), or, if the file is no ELF, a raw
 * image at `raw_base`, one with the header of a Linux image where that asks. The whole file is checked before a byte of
 * guest memory changes. `progress` may be NULL. -ENOENT, -ENOEXEC (truncated or hostile, wrong machine, wrong width for
 * the harts), -EFAULT (outside RAM; the message names both ranges).
 */
BIS_MUST_CHECK int bis_load_kernel(struct bis_machine *m, const char *path, uint64_t raw_base,
				   const struct bis_load_progress *progress, struct bis_image *out);
/* The same from memory; `name` is for messages. */
BIS_MUST_CHECK int bis_load_kernel_bytes(struct bis_machine *m, const char *name, const void *data, size_t size,
					 uint64_t raw_base, struct bis_image *out);
/* Loads a file as high in RAM as it fits below `limit` (0: end of RAM), page-aligned. *start, *end: where it lies. */
BIS_MUST_CHECK int bis_load_initrd(struct bis_machine *m, const char *path, uint64_t limit,
				   const struct bis_load_progress *progress, uint64_t *start, uint64_t *end);

struct bis_dt_config {
	const char *bootargs; /* NULL: none */
	uint64_t initrd_start, initrd_end;
	const char *stdout_path; /* instance name of the console; NULL: the first serial node */
};
/* Builds the machine's device tree from its modules. *blob is malloc'ed, *size its bytes. -ENOMEM, -EINVAL. */
BIS_MUST_CHECK int bis_build_dtb(struct bis_machine *m, const struct bis_dt_config *cfg, void **blob, size_t *size);
/* Checks a device tree blob read from outside (header, size, structure). -EINVAL with message. */
BIS_MUST_CHECK int bis_check_dtb(const void *blob, size_t size);
/*
 * Places a blob near the end of RAM outside [avoid_start, avoid_end), with BIS_DTB_SLACK bytes behind it: at a multiple
 * of 2 MiB if one is free, of the page size otherwise. -ENOSPC.
 */
BIS_MUST_CHECK int bis_place_dtb(struct bis_machine *m, const void *blob, size_t size, uint64_t avoid_start,
				 uint64_t avoid_end, uint64_t *where);
/*
 * Places what OpenSBI's fw_dynamic wants to find at the address in a2: go on at `next` in S-mode, on hart 0. As
 * bis_place_dtb, below `limit` (0: end of RAM).
 */
BIS_MUST_CHECK int bis_place_fw_dynamic(struct bis_machine *m, uint64_t next, uint64_t limit, uint64_t avoid_start,
					uint64_t avoid_end, uint64_t *where);

#ifdef __cplusplus
}
#endif
#endif
