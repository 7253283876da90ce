/* Shared folders: Biscuit's native device and virtio-9p beside QEMU's virtio-9p, virtiofs, and the host itself. */
#ifndef BENCH_SHARE_H
#define BENCH_SHARE_H

#include "report.h"

#include <stdbool.h>

struct bench_share {
	const char *programs[BENCH_SUBJECTS]; /* biscuit-run and qemu-system-riscv64 */
	const char *guests;		      /* the folder of share-speed.elf and share-idle.elf */
	const char *place; /* where the folder that is shared is made, NULL or empty: in memory, or in `guests` */
	const char *linux_folder; /* with kernel and initrd, NULL or empty for none */
	const char *only;	  /* the start of the names of the figures wanted, NULL for all */
	const char *folder;	  /* the folder, while it is measured */
	unsigned runs;
};

/* Is one of its figures wanted? */
bool bench_share_wanted(const char *only);
/* Adds the medians to the report. False, with a message on standard error, when a guest did not do its part. */
bool bench_share_measure(const struct bench_share *set, struct bench_report *report);
/* How Biscuit's walks compare with QEMU's where both guests were as fast: adds figures to the report that has them,
 * given how fast Biscuit's guest is, as part of QEMU's. */
void bench_share_weigh(struct bench_report *report, double guest_speed);

#endif
