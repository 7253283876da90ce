/* Between the files that measure shared folders. */
#ifndef BENCH_SHARE_INTERNAL_H
#define BENCH_SHARE_INTERNAL_H

#include "command.h"
#include "samples.h"
#include "session.h"
#include "share.h"

#define SHARE_NAME "bench" /* the guests' name of the folder */

/* What a mounted folder is asked for, in the order in which bench-share prints it. */
enum share_linux_figure {
	SHARE_WALK,
	SHARE_STAT,
	SHARE_READ, /* MiB a second, as WRITE */
	SHARE_WRITE,
	SHARE_CREATE,
	SHARE_UNLINK,
	SHARE_LINUX_FIGURES
};

/* What the host itself reaches: the figures of the native device, and those of a mounted folder. */
void share_host_native(const char *folder, struct bench_samples *samples);
void share_host_linux(const char *folder, double values[SHARE_LINUX_FIGURES]);

/* Each of these is one run and adds a value to each of its figures; false, with a message, when a guest of
 * biscuit-run did not do its part. */
bool share_native_run(const struct bench_share *set, struct bench_samples *samples);
bool share_unused_run(const struct bench_share *set, struct bench_samples *samples);
bool share_linux_run(const struct bench_share *set, struct bench_samples *samples);
bool share_list_run(const struct bench_share *set, struct bench_samples *samples);

#endif
