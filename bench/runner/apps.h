/* Debian's programs in Debian's kernel, under biscuit-run and under QEMU. */
#ifndef BENCH_APPS_H
#define BENCH_APPS_H

#include "samples.h"

#include <stdbool.h>

enum bench_app {
	BENCH_APP_XZ,
	BENCH_APP_GZIP,
	BENCH_APP_PYTHON_START,
	BENCH_APP_PYTHON_LOOP,
	BENCH_APP_OPENSSL,
	BENCH_APP_GCC,
	BENCH_APP_MAKE, /* a parallel one, on four harts */
	BENCH_APPS_COUNT
};

/* The names of their rows, which ONLY is compared with: "apps_xz" and so on. */
extern const char *const bench_app_names[BENCH_APPS_COUNT];

struct bench_apps {
	const char *programs[BENCH_SUBJECTS]; /* biscuit-run and qemu-system-riscv64 */
	const char *folder;		      /* with kernel, initrd and apps.img */
	unsigned runs;
	bool processor_clock;
	bool wanted[BENCH_APPS_COUNT];
};

/*
 * Boots both guests for each run and has each program do its work in one and then in the other. Adds their
 * seconds under their names; those of openssl are for ten thousand blocks of 16 KiB. False, with a message on standard
 * error, when a guest of biscuit-run did not do its part.
 */
bool bench_apps_measure(const struct bench_apps *set, struct bench_samples *samples);

#endif
