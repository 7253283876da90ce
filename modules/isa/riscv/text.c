/*
 * Assembler text of RISC-V instructions, as the templates of riscv_formats.def say. Register names are those of the
 * ABI; pseudo-instructions are not used. Pure functions, any thread.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "riscv.h"

enum { PIECE_MAX = 32 };

const struct bis_reg_desc bis_rv_regs[BIS_RV_SLOTS] = {
#define X(n, abi)                                                                                                      \
	{                                                                                                              \
		n, "x" #n, abi                                                                                         \
	}
#define F(n, abi)                                                                                                      \
	{                                                                                                              \
		32 + n, "f" #n, abi                                                                                    \
	}
	X(0, "zero"),  X(1, "ra"),   X(2, "sp"),    X(3, "gp"),	   X(4, "tp"),	 X(5, "t0"),   X(6, "t1"),
	X(7, "t2"),    X(8, "s0"),   X(9, "s1"),    X(10, "a0"),   X(11, "a1"),	 X(12, "a2"),  X(13, "a3"),
	X(14, "a4"),   X(15, "a5"),  X(16, "a6"),   X(17, "a7"),   X(18, "s2"),	 X(19, "s3"),  X(20, "s4"),
	X(21, "s5"),   X(22, "s6"),  X(23, "s7"),   X(24, "s8"),   X(25, "s9"),	 X(26, "s10"), X(27, "s11"),
	X(28, "t3"),   X(29, "t4"),  X(30, "t5"),   X(31, "t6"),   F(0, "ft0"),	 F(1, "ft1"),  F(2, "ft2"),
	F(3, "ft3"),   F(4, "ft4"),  F(5, "ft5"),   F(6, "ft6"),   F(7, "ft7"),	 F(8, "fs0"),  F(9, "fs1"),
	F(10, "fa0"),  F(11, "fa1"), F(12, "fa2"),  F(13, "fa3"),  F(14, "fa4"), F(15, "fa5"), F(16, "fa6"),
	F(17, "fa7"),  F(18, "fs2"), F(19, "fs3"),  F(20, "fs4"),  F(21, "fs5"), F(22, "fs6"), F(23, "fs7"),
	F(24, "fs8"),  F(25, "fs9"), F(26, "fs10"), F(27, "fs11"), F(28, "ft8"), F(29, "ft9"), F(30, "ft10"),
	F(31, "ft11"),
#undef X
#undef F
};

static const char *const templates[] = {
#define FORMAT(name, operands, text) text,
#include <biscuit/riscv_formats.def>
};

/* CSRs by number; a run is numbered from `from` at `first`. */
struct csr_name {
	uint16_t first, last;
	const char *name;
	int from; /* -1: one register, no number */
};

static const struct csr_name csr_names[] = {
#define CSR(address, name, get, set, kind)		     {address, address, #name, -1},
#define CSR32(address, name, get, set, kind)		     {address, address, #name, -1},
#define CSR_RANGE(first, last, stem, from, get, set, kind)   {first, last, #stem, from},
#define CSR32_RANGE(first, last, stem, from, get, set, kind) {first, last, #stem, from},
#include "src/cpu/csr.def"
#undef CSR
#undef CSR32
#undef CSR_RANGE
#undef CSR32_RANGE
};

/* Text being built in a caller's buffer; `len` counts on where the buffer has ended, as snprintf does. */
struct out {
	char *buf;
	size_t size, len;
};

static void put(struct out *o, const char *fmt, ...) BIS_PRINTF(2, 3);

static void put(struct out *o, const char *fmt, ...)
{
	char piece[PIECE_MAX];
	va_list args;

	va_start(args, fmt);
	vsnprintf(piece, sizeof(piece), fmt, args);
	va_end(args);
	for (const char *c = piece; *c; c++, o->len++)
		if (o->len + 1 < o->size)
			o->buf[o->len] = *c;
	if (o->size)
		o->buf[o->len < o->size ? o->len : o->size - 1] = '\0';
}

static void put_mnemonic(struct out *o, const char *name)
{
	for (; *name; name++)
		put(o, "%c", *name == '_' ? '.' : *name);
}

static void put_csr(struct out *o, unsigned csr)
{
	for (size_t n = 0; n < BIS_ARRAY_SIZE(csr_names); n++) {
		const struct csr_name *c = &csr_names[n];

		if (csr < c->first || csr > c->last)
			continue;
		if (c->from < 0)
			put(o, "%s", c->name);
		else if (!strcmp(c->name + strlen(c->name) - 1, "h")) /* the number goes before the h of "high half" */
			put(o, "%.*s%uh", (int)strlen(c->name) - 1, c->name, csr - c->first + (unsigned)c->from);
		else
			put(o, "%s%u", c->name, csr - c->first + (unsigned)c->from);
		return;
	}
	put(o, "0x%x", csr);
}

/* A set of fence accesses: bits i o r w. */
static void put_fence_set(struct out *o, unsigned set)
{
	static const char letters[] = "iorw";

	if (set == 0)
		put(o, "0");
	for (unsigned n = 0; n < 4; n++)
		if (set & (8u >> n))
			put(o, "%c", letters[n]);
}

static void put_rounding_mode(struct out *o, unsigned rm)
{
	static const char *const names[] = {"rne", "rtz", "rdn", "rup", "rmm"};

	if (rm < BIS_ARRAY_SIZE(names))
		put(o, ", %s", names[rm]);
}

static void put_acquire_release(struct out *o, unsigned aqrl)
{
	static const char *const suffixes[] = {"", ".rl", ".aq", ".aqrl"};

	put(o, "%s", suffixes[aqrl & 3]);
}

static void put_operand(struct out *o, const struct bis_insn *i, char letter, unsigned xlen, uint64_t pc)
{
	uint64_t target = pc + (uint64_t)i->imm;

	switch (letter) {
	case 'd':
		return put(o, "%s", bis_rv_regs[i->rd].alias);
	case 's':
		return put(o, "%s", bis_rv_regs[i->rs1].alias);
	case 't':
		return put(o, "%s", bis_rv_regs[i->rs2].alias);
	case 'D':
		return put(o, "%s", bis_rv_regs[BIS_RV_SLOT_F + i->rd].alias);
	case 'S':
		return put(o, "%s", bis_rv_regs[BIS_RV_SLOT_F + i->rs1].alias);
	case 'T':
		return put(o, "%s", bis_rv_regs[BIS_RV_SLOT_F + i->rs2].alias);
	case 'R':
		return put(o, "%s", bis_rv_regs[BIS_RV_SLOT_F + i->rs3].alias);
	case 'i':
		return put(o, "%" PRId64, i->imm);
	case 'h':
		return put(o, "0x%" PRIx64, (uint64_t)i->imm);
	case 'u':
		return put(o, "0x%" PRIx64, (uint64_t)i->imm >> 12 & 0xfffff);
	case 'p':
		return put(o, "0x%" PRIx64, xlen == 32 ? (uint32_t)target : target);
	case 'c':
		return put_csr(o, i->csr);
	case 'z':
		return put(o, "%u", i->rs1);
	case 'm':
		return put_rounding_mode(o, i->rm);
	case 'f':
		put_fence_set(o, i->rm >> 4);
		put(o, ", ");
		return put_fence_set(o, i->rm & 15);
	default:
		put(o, "%c", letter);
	}
}

int bis_rv_format_text(const struct bis_insn *i, unsigned xlen, uint64_t pc, char *buf, size_t size)
{
	struct out o = {.buf = buf, .size = size};
	const char *text = templates[i->row->format];

	put_mnemonic(&o, i->row->name);
	if (*text == '+') {
		put_acquire_release(&o, i->rm);
		text++;
	}
	if (*text)
		put(&o, " ");
	for (; *text; text++)
		put_operand(&o, i, *text, xlen, pc);
	return (int)o.len;
}
