/* Debian's kernel under biscuit-run and under QEMU. */
#ifndef BENCH_LINUX_H
#define BENCH_LINUX_H

#include "samples.h"

#include <stdbool.h>

enum bench_linux_figure {
	BENCH_LINUX_INIT,     /* from exec to the first line of init */
	BENCH_LINUX_RESIDENT, /* once the guest has rested at its prompt, guest memory included */
	BENCH_LINUX_IDLE,     /* of a core, at the prompt */
	BENCH_LINUX_WRITE,    /* the disk, in pieces of 1 MiB */
	BENCH_LINUX_READ,
	BENCH_LINUX_RANDOM, /* 4 KiB at a time */
	BENCH_LINUX_FIGURES
};

/* The figures' names, which end in their units. */
extern const char *const bench_linux_names[BENCH_LINUX_FIGURES];

struct bench_linux {
	const char *programs[BENCH_SUBJECTS]; /* biscuit-run and qemu-system-riscv64 */
	const char *folder;		      /* with kernel, initrd and disk.img */
	unsigned runs;
};

/*
 * Boots the guest `runs` times under each program in turn, but not again under one that failed, and adds
 * the figures under their names. False, with a message on standard error, when biscuit-run's guest did not do its part.
 */
bool bench_linux_measure(const struct bench_linux *set, struct bench_samples *samples);

#endif
