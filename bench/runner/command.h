/* The command lines of guests, word by word, so that biscuit-run and QEMU get the same machine. */
#ifndef BENCH_COMMAND_H
#define BENCH_COMMAND_H

#include "report.h"

#include <stdbool.h>

#define BENCH_PATH_MAX	1024
#define BENCH_WORDS_MAX 48

/* A command line being put together; all zero when it is empty. It must not be moved. */
struct bench_command {
	unsigned count, used;
	char *at[BENCH_WORDS_MAX]; /* ends in NULL */
	char text[16 * BENCH_PATH_MAX];
};

/* One more word; what is too much ends the program. */
__attribute__((format(printf, 2, 3))) void bench_command_add(struct bench_command *c, const char *format, ...);
/* Words up to the NULL behind them. */
void bench_command_add_all(struct bench_command *c, const char *const *words);
/* The subject's program, and for QEMU a machine that talks through its serial line alone, without firmware if `bare`.
 */
void bench_command_machine(struct bench_command *c, enum bench_subject subject, const char *program, bool bare);
/* Such a machine with the kernel and the initial RAM disk of a folder. */
void bench_command_linux(struct bench_command *c, enum bench_subject subject, const char *program, const char *folder,
			 const char *harts, const char *memory);
/* A disk that is a file of a folder. */
void bench_command_disk(struct bench_command *c, enum bench_subject subject, const char *folder, const char *name,
			bool read_only);

#endif
