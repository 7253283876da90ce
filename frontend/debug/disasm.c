/* Disassembly around an address. At a safepoint, or while the machine is paused. */
#include <inttypes.h>
#include <string.h>

#include "frontend/debug/debug_internal.h"

#define WAY_MAX 8192 /* bytes that are gone through to find where instructions begin */

/* The instruction's bytes: two halves, since the second may lie in a page that is not there. Its length, or 0. */
static unsigned fetch(struct bis_hart *h, uint64_t pc, uint32_t *raw)
{
	bis_le16 half;

	if (debug_read(h, pc, false, &half, sizeof(half)))
		return 0;
	*raw = bis_le16_get(half);
	if ((*raw & 3) != 3)
		return 2;
	if (debug_read(h, pc + 2, false, &half, sizeof(half)))
		return 0;
	*raw |= (uint32_t)bis_le16_get(half) << 16;
	return 4;
}

/*
 * Goes from `from` on, instruction by instruction. If `to` is the start of one: the number of instructions up to there,
 * and in *start where the last `want` of them begin. Otherwise 0.
 */
static unsigned walk(struct bis_hart *h, uint64_t from, uint64_t to, unsigned want, uint64_t *start)
{
	unsigned count = 0, skip = 0;
	uint64_t first = from, pc = from;
	uint32_t raw;

	while (pc < to) {
		unsigned len = fetch(h, pc, &raw);

		if (!len || !bis_decode(bis_hart_decoder(h), raw, NULL))
			return 0;
		pc += len;
		if (count < want)
			count++;
		else
			skip += fetch(h, first + skip, &raw);
	}
	*start = first + skip;
	return pc == to ? count : 0;
}

/* Where the `before` instructions in front of `address` begin. */
static uint64_t find_start(const struct debug *d, struct bis_hart *h, uint64_t address, unsigned before)
{
	uint64_t offset, start;
	unsigned best = 0;
	uint64_t found = address;

	if (!before)
		return address;
	/* The function's start is the start of an instruction. */
	if (debug_symbol_at(d, address, &offset) && offset && offset <= WAY_MAX &&
	    walk(h, address - offset, address, before, &start))
		return start;
	/* Else the longest way back on which every instruction is one. */
	for (unsigned back = 2; back <= 4 * before && back <= WAY_MAX && back <= address; back += 2) {
		unsigned n = walk(h, address - back, address, before, &start);

		if (n > best) {
			best = n;
			found = start;
		}
	}
	return found;
}

/* Branches and jumps end with their target's address: names the place. */
static void print_target(const struct debug *d, const char *text, FILE *out)
{
	const char *last = strrchr(text, ' '), *mnemonic = strncmp(text, "c.", 2) ? text : text + 2, *name;
	uint64_t target, offset;

	if ((*mnemonic != 'b' && *mnemonic != 'j') || !last || !debug_number(last + 1, strlen(last + 1), &target))
		return;
	name = debug_symbol_at(d, target, &offset);
	if (name && offset)
		fprintf(out, " <%s+0x%" PRIx64 ">", name, offset);
	else if (name)
		fprintf(out, " <%s>", name);
}

/* One line; the instruction's length, or 0 where it cannot be read. */
static unsigned print_instruction(const struct debug *d, struct bis_hart *h, uint64_t pc, FILE *out)
{
	char address[320], text[96];
	uint32_t raw;
	unsigned len = fetch(h, pc, &raw);

	debug_format_address(d, pc, address, sizeof(address));
	fprintf(out, "%s %s:  ", pc == bis_hart_pc(h) ? "=>" : "  ", address);
	if (!len) {
		fputs("cannot be read\n", out);
		return 0;
	}
	bis_disassemble(bis_hart_decoder(h), raw, pc, text, sizeof(text));
	if (len == 2)
		fprintf(out, "%04" PRIx32 "      %s", raw & 0xffff, text);
	else
		fprintf(out, "%08" PRIx32 "  %s", raw, text);
	print_target(d, text, out);
	fputc('\n', out);
	return len;
}

void debug_disassemble(const struct debug *d, struct bis_hart *h, uint64_t address, unsigned before, unsigned count,
		       FILE *out)
{
	uint64_t mask = debug_xmask(d), pc = find_start(d, h, address & mask & ~UINT64_C(1), before);

	while (count--) {
		unsigned len = print_instruction(d, h, pc, out);

		if (!len)
			return;
		pc = (pc + len) & mask;
	}
}
