/*
 * isa.h - what an ISA string such as rv64gc_zba_zbb_zbs turns on, and the same machine in QEMU's words.
 */
#ifndef BISCUIT_TESTS_DIFF_ISA_H
#define BISCUIT_TESTS_DIFF_ISA_H

#include <stdbool.h>
#include <stddef.h>

struct isa {
	char name[64];
	unsigned xlen;
	bool m, a, f, d, c, zba, zbb, zbs, zifencei;
};

/* False if text is not an ISA string this test knows: rv32 or rv64, i or g, then of m a f d c, then of _zicsr _zifencei
 * _zba _zbb _zbs. */
bool isa_parse(const char *text, struct isa *out);
/* QEMU's -cpu argument for the same instruction set with everything else turned off. */
void isa_qemu_cpu(const struct isa *isa, char *out, size_t size);
/* True if ext, an extension as the instruction table names it, is on; *known is false if this test does not know the
 * name. */
bool isa_has(const struct isa *isa, const char *ext, bool *known);

#endif
