/* What the files of frontend/debug share. */
#ifndef BISCUIT_DEBUG_INTERNAL_H
#define BISCUIT_DEBUG_INTERNAL_H

#include <pthread.h>

#include <biscuit/elf.h>

#include "frontend/debug/cfi.h"
#include "frontend/debug/debug.h"

struct symbol {
	uint64_t value, size; /* size 0: up to the next symbol */
	const char *name;
};

/* What is kept of a loaded ELF file. Constant once it is in a list, and never freed before the struct debug. */
struct symbol_file {
	struct symbol_file *next;
	char *path;
	char *names;		 /* what the symbols' names point into */
	struct symbol *symbols;	 /* by value; behind `placed` of them those that name no place, only a number */
	struct symbol **by_name; /* by name */
	size_t count, placed;
	struct bis_elf_segment *segments;
	size_t n_segments;
	struct cfi cfi[2]; /* .eh_frame and .debug_frame; without entries where the file has none */
};

struct debug {
	struct bis_machine *m;
	pthread_mutex_t lock;	     /* guards the lists of files */
	struct symbol_file *files;   /* the last one loaded first */
	struct symbol_file *retired; /* replaced: names that were given out stay valid */
};

/* Frees every file in both lists. */
void debug_symbols_free(struct debug *d);
/* The rule for unwinding at `pc`, from any of the files. */
bool debug_cfi_find(const struct debug *d, uint64_t pc, struct cfi_row *out);

/* Width of the machine's registers, and a mask of that many bits. */
unsigned debug_xlen(const struct debug *d);
uint64_t debug_xmask(const struct debug *d);

/* Parses the whole of [text, text+len) as a number, decimal or 0x…. */
bool debug_number(const char *text, size_t len, uint64_t *out);

#endif
