/* --disasm. Runs on the main thread; the file is read in pieces. */
#include "disasm.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <biscuit/elf.h>
#include <biscuit/error.h>
#include <biscuit/machine.h>

#define PIECE 4096

struct listing {
	const struct bis_decoder *decoder;
	struct bis_elf *elf; /* NULL: a raw image */
	FILE *raw;
	const struct bis_elf_symbol *symbols;
	size_t symbol_count, next_symbol;
};

/* Mapping symbols ("$x") and local labels say nothing to a reader. */
static bool is_label(const struct bis_elf_symbol *s)
{
	return s->name[0] != '$' && strncmp(s->name, ".L", 2);
}

/* The last label at or below `address`, NULL if there is none. */
static const struct bis_elf_symbol *label_before(const struct listing *l, uint64_t address)
{
	size_t low = 0, high = l->symbol_count;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (l->symbols[mid].value <= address)
			low = mid + 1;
		else
			high = mid;
	}
	while (low && !is_label(&l->symbols[low - 1]))
		low--;
	return low ? &l->symbols[low - 1] : NULL;
}

static void print_labels(struct listing *l, uint64_t pc)
{
	while (l->next_symbol < l->symbol_count && l->symbols[l->next_symbol].value < pc)
		l->next_symbol++;
	for (size_t i = l->next_symbol; i < l->symbol_count && l->symbols[i].value == pc; i++)
		if (is_label(&l->symbols[i]))
			printf("\n%08" PRIx64 " <%s>:\n", pc, l->symbols[i].name);
}

/* Branches and jumps end with their target's address: names the place. */
static void print_target(const struct listing *l, const char *text)
{
	const char *last = strrchr(text, ' '), *mnemonic = strncmp(text, "c.", 2) ? text : text + 2;
	const struct bis_elf_symbol *s;
	uint64_t target;
	char *end;

	if ((*mnemonic != 'b' && *mnemonic != 'j') || !last || strncmp(last + 1, "0x", 2))
		return;
	target = strtoull(last + 1, &end, 16);
	s = *end ? NULL : label_before(l, target);
	if (s && target > s->value)
		printf(" <%s+0x%" PRIx64 ">", s->name, target - s->value);
	else if (s)
		printf(" <%s>", s->name);
}

/* Prints the instruction at p, of which `left` bytes are there; returns its length. */
static size_t print_instruction(struct listing *l, uint64_t pc, const uint8_t *p, size_t left)
{
	uint32_t raw = p[0];
	unsigned len;
	char text[96];

	print_labels(l, pc);
	for (size_t i = 1; i < left && i < 4; i++)
		raw |= (uint32_t)p[i] << (8 * i);
	if (left < 2 || (left < 4 && (raw & 3) == 3)) {
		printf("%8" PRIx64 ":  %0*" PRIx32 "%*s .%zubyte\n", pc, (int)(2 * left), raw, (int)(8 - 2 * left), "",
		       left);
		return left;
	}
	len = bis_disassemble(l->decoder, raw, pc, text, sizeof(text));
	if (len == 2)
		printf("%8" PRIx64 ":  %04" PRIx32 "      %s", pc, raw & 0xffff, text);
	else
		printf("%8" PRIx64 ":  %08" PRIx32 "  %s", pc, raw, text);
	print_target(l, text);
	putchar('\n');
	return len;
}

static int read_bytes(const struct listing *l, uint64_t offset, uint8_t *buf, size_t len)
{
	if (l->elf)
		return bis_elf_read(l->elf, offset, buf, len);
	if (fseeko(l->raw, (off_t)offset, SEEK_SET) || fread(buf, 1, len, l->raw) != len)
		return bis_fail(EIO, "cannot read the image");
	return 0;
}

static int print_code(struct listing *l, const struct bis_elf_code *code)
{
	uint8_t buf[PIECE];
	uint64_t done = 0;

	printf("\n%s: 0x%" PRIx64 " bytes at 0x%" PRIx64 "\n", code->name, code->size, code->vaddr);
	l->next_symbol = 0;
	while (done < code->size) {
		size_t have = (size_t)(code->size - done < PIECE ? code->size - done : PIECE), used = 0;
		bool last = done + have == code->size;
		int err = read_bytes(l, code->offset + done, buf, have);

		if (err)
			return err;
		while (used < have && (last || have - used >= 4))
			used += print_instruction(l, code->vaddr + done + used, buf + used, have - used);
		done += used;
	}
	return 0;
}

static int print_elf(struct listing *l)
{
	struct bis_elf_code code;
	int err = bis_elf_symbols(l->elf, &l->symbols, &l->symbol_count);

	for (size_t i = 0; !err && !bis_elf_code_get(l->elf, i, &code); i++)
		err = print_code(l, &code);
	return err;
}

static int print_raw(struct listing *l, const char *path)
{
	struct bis_elf_code code = {.name = "raw image", .vaddr = BIS_RAM_BASE};
	off_t size;
	int err;

	l->raw = fopen(path, "re");
	if (!l->raw)
		return bis_fail(errno, "%s: %s", path, strerror(errno));
	size = fseeko(l->raw, 0, SEEK_END) ? -1 : ftello(l->raw);
	code.size = size > 0 ? (uint64_t)size : 0;
	err = print_code(l, &code);
	fclose(l->raw);
	return err;
}

int disasm_file(const char *path, const struct bis_decoder *decoder)
{
	struct listing l = {.decoder = decoder};
	int err = bis_elf_open(path, &l.elf);

	if (err && err != -ENOMSG)
		return err;
	printf("%s:\n", path);
	err = err ? print_raw(&l, path) : print_elf(&l);
	bis_elf_close(l.elf);
	if (!err && fflush(stdout))
		err = bis_fail(errno, "standard output: %s", strerror(errno));
	return err;
}
