/* A machine to be looked at: the rig's, with a struct debug and symbols from a small ELF file. */
#ifndef BISCUIT_UNIT_DEBUG_RIG_H
#define BISCUIT_UNIT_DEBUG_RIG_H

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "frontend/debug/debug.h"
#include "tests/unit/elf_builder.h"
#include "tests/unit/rig.h"

enum { DEBUG_RIG_NAMES = 5, DEBUG_RIG_EH_AT = 0x600 };

/* In the file: main (64 bytes), helper (16), asm_label (no size), $x (a mapping symbol), data at RIG_DATA - RIG_CODE.
 */
static inline void debug_rig_elf(struct elf_builder *e, bool wide, uint64_t base)
{
	static const char names[] = "\0main\0helper\0asm_label\0$xrv64\0counter\0.eh_frame";
	static const struct {
		uint32_t name;
		uint64_t at, size;
	} symbols[DEBUG_RIG_NAMES] = {{1, 0, 64}, {6, 64, 16}, {13, 0x90, 0}, {23, 0x20, 0}, {30, 0x200, 8}};

	elf_begin(e, wide);
	elf_set_segment(e, 0, base, BUILDER_CODE, 0x400, 0x800);
	elf_set_entry(e, base);
	memcpy(e->b + BUILDER_NAMES, names, sizeof(names));
	elf_set_section(e, 0, 0, 0, 0, 0, 0, 0, 0);
	elf_set_section(e, 1, 0, 1, 6, base, BUILDER_CODE, 0x200, 0);
	elf_set_section(e, 2, 0, 2, 0, 0, BUILDER_SYMBOLS, (DEBUG_RIG_NAMES + 1) * (wide ? 24 : 16), 3);
	elf_set_section(e, 3, 0, 3, 0, 0, BUILDER_NAMES, sizeof(names), 0);
	elf_put(e, elf_tail(e) + 8, 2, 3);
	for (unsigned i = 0; i < DEBUG_RIG_NAMES; i++) {
		elf_set_symbol(e, i + 1, symbols[i].name, base + symbols[i].at, i == 4 ? 1 : 2);
		elf_put(e, BUILDER_SYMBOLS + (size_t)(i + 1) * (wide ? 24 : 16) + (wide ? 16 : 8), wide ? 8 : 4,
			symbols[i].size);
	}
}

/* Loads it as a file, which is gone afterwards; the path it had is `path`. */
static inline int debug_rig_load(struct debug *d, const struct elf_builder *e, char path[64])
{
	int fd, err;

	strcpy(path, "/tmp/biscuit-symbols-XXXXXX");
	fd = mkstemp(path);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, e->b, e->size), (long)e->size);
	close(fd);
	err = debug_symbols_load(d, path);
	unlink(path);
	return err;
}

#endif
