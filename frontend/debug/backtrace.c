/*
 * Call frames of a hart. Each step finds the caller's registers, by call frame information or else by the frame pointer
 * (RISC-V ELF psABI, "Frame Pointer Convention": ra lies below where s0 points, the caller's s0 below that). Memory is
 * the guest's and may hold anything: a frame lies above the one before it, or it is the last.
 */
#include <string.h>

#include "frontend/debug/debug_internal.h"

#define FRAME_MAX ((uint64_t)16 << 20) /* no frame is larger */

enum { RA = 1, SP = 2, FP = 8 };

struct unwind {
	const struct debug *d;
	struct bis_hart *h;
	uint64_t mask;
	unsigned word;
	uint64_t regs[CFI_REGS];
	uint32_t known; /* bit i: regs[i] is that of this frame */
	uint64_t pc;	/* of this frame */
	uint64_t below; /* this frame's CFA is above it, or equal where nothing has been pushed yet */
	bool innermost; /* pc is an instruction about to run, not where a call returns to */
};

static bool read_word(const struct unwind *u, uint64_t address, uint64_t *out)
{
	uint8_t b[8] = {0};

	if (debug_read(u->h, address & u->mask, false, b, u->word))
		return false;
	*out = 0;
	for (unsigned i = u->word; i--;)
		*out = *out << 8 | b[i];
	return true;
}

static bool is_known(const struct unwind *u, unsigned reg)
{
	return u->known >> reg & 1;
}

/* Could an instruction lie there? */
static bool is_code(const struct unwind *u, uint64_t address)
{
	uint8_t b[2];

	return address && !(address & 1) && !debug_read(u->h, address, false, b, sizeof(b));
}

/* --- By call frame information --- */

static bool apply_rule(const struct unwind *u, const struct cfi_row *row, unsigned reg, uint64_t cfa, uint64_t *out)
{
	uint64_t value = (uint64_t)row->regs[reg].value;

	switch (row->regs[reg].rule) {
	case CFI_SAME:
		*out = u->regs[reg];
		return is_known(u, reg);
	case CFI_AT:
		return read_word(u, cfa + value, out);
	case CFI_IS:
		*out = (cfa + value) & u->mask;
		return true;
	case CFI_IN:
		*out = value < CFI_REGS ? u->regs[value] : 0;
		return value < CFI_REGS && is_known(u, (unsigned)value);
	default:
		return false;
	}
}

/* False: there is no information for this frame. Otherwise *cfa, and *last is set where it has no caller. */
static bool step_cfi(struct unwind *u, uint64_t *cfa, bool *last)
{
	struct cfi_row row;
	struct unwind up = *u;

	if (!debug_cfi_find(u->d, u->innermost ? u->pc : u->pc - 1, &row) || !is_known(u, row.cfa_reg))
		return false;
	*cfa = (u->regs[row.cfa_reg] + (uint64_t)row.cfa_offset) & u->mask;
	up.known = 0;
	for (unsigned i = 1; i < CFI_REGS; i++)
		up.known |= (uint32_t)apply_rule(u, &row, i, *cfa, &up.regs[i]) << i;
	if (row.regs[SP].rule == CFI_SAME) {
		up.regs[SP] = *cfa;
		up.known |= 1u << SP;
	}
	up.pc = up.regs[row.ra];
	up.below = *cfa;
	up.innermost = row.signal;
	/* A return address that has not been saved is a leaf's: only the innermost frame is one. */
	*last = !is_known(&up, row.ra) || (row.regs[row.ra].rule == CFI_SAME && !u->innermost) ||
		(u->innermost ? *cfa < u->below : *cfa <= u->below);
	*u = up;
	return true;
}

/* --- By frame pointer --- */

/* In a leaf function the word below s0 is the caller's s0, as ra has not been saved. */
static bool is_leaf(const struct unwind *u, uint64_t fp, uint64_t saved)
{
	uint64_t offset;

	return u->innermost && saved > fp && saved - fp < FRAME_MAX && saved % u->word == 0 &&
	       !debug_symbol_at(u->d, saved, &offset);
}

static bool step_fp(struct unwind *u, uint64_t *cfa, bool *last)
{
	uint64_t fp = u->regs[FP], ra, next;

	if (!is_known(u, FP) || fp % u->word || fp <= u->below || fp - u->below > FRAME_MAX ||
	    !read_word(u, fp - u->word, &ra) || !read_word(u, fp - 2 * u->word, &next))
		return false;
	if (is_leaf(u, fp, ra)) {
		next = ra;
		ra = u->regs[RA];
	}
	if (u->innermost && !is_code(u, ra))
		return false;
	*cfa = u->below = u->regs[SP] = fp;
	u->regs[FP] = next;
	u->known = 1u << SP | 1u << FP;
	u->pc = ra;
	u->innermost = false;
	*last = false;
	return true;
}

/* Before its first instruction a function has changed nothing. */
static bool step_entry(struct unwind *u, uint64_t *cfa)
{
	uint64_t offset;

	if (!u->innermost || !debug_symbol_at(u->d, u->pc, &offset) || offset)
		return false;
	*cfa = u->regs[SP];
	u->pc = u->regs[RA];
	u->innermost = false;
	return true;
}

/* All that is left is ra, of the innermost frame alone. */
static bool step_ra(struct unwind *u, uint64_t *cfa)
{
	if (!u->innermost || !is_known(u, RA))
		return false;
	*cfa = 0;
	u->pc = u->regs[RA];
	u->known = 0;
	u->innermost = false;
	return true;
}

/* Goes to the caller. False at the outermost frame; *cfa is that of the frame left. */
static bool step(struct unwind *u, uint64_t *cfa)
{
	bool last = false;

	*cfa = 0;
	if (step_cfi(u, cfa, &last) || step_entry(u, cfa) || step_fp(u, cfa, &last) || step_ra(u, cfa))
		return !last && is_code(u, u->pc);
	return false;
}

size_t debug_backtrace(const struct debug *d, struct bis_hart *h, struct debug_frame *frames, size_t max)
{
	struct unwind u = {.d = d,
			   .h = h,
			   .mask = debug_xmask(d),
			   .word = debug_xlen(d) / 8,
			   .known = UINT32_MAX,
			   .pc = bis_hart_pc(h),
			   .innermost = true};
	size_t n = 0;
	bool more = true;

	for (unsigned i = 0; i < CFI_REGS; i++)
		u.regs[i] = bis_hart_reg(h, i);
	u.below = u.regs[SP];
	while (more && n < max) {
		frames[n].pc = u.pc;
		more = step(&u, &frames[n].cfa);
		n++;
	}
	return n;
}
