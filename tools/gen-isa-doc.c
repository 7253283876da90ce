/*
 * Writes docs/isa.md, the table of instructions, to standard output. It reads the same tables as the decoder and the
 * ISA string parser: modules/isa/riscv/insns.def, riscv_formats.def and src/cpu/isa_ext.def.
 */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum { X32 = 1, X64 = 2 };

enum format {
#define FORMAT(name, operands, text) FORMAT_##name,
#include <biscuit/riscv_formats.def>
};

static const char *const templates[] = {
#define FORMAT(name, operands, text) text,
#include <biscuit/riscv_formats.def>
};

static const struct row {
	const char *name, *ext, *as;
	unsigned xlens;
	uint32_t match, mask;
	enum format format;
} rows[] = {
#define INSN(name, ext, xlens, match, mask, format)	   {#name, #ext, NULL, xlens, match, mask, FORMAT_##format},
#define INSN_AS(name, ext, xlens, match, mask, format, as) {#name, #ext, #as, xlens, match, mask, FORMAT_##format},
#include "modules/isa/riscv/insns.def"
};

static const struct ext {
	const char *name, *implies, *help;
} exts[] = {
#define EXT(name, implies, help) {#name, implies, help},
#include "src/cpu/isa_ext.def"
};

static const size_t n_rows = sizeof(rows) / sizeof(rows[0]);
static const size_t n_exts = sizeof(exts) / sizeof(exts[0]);

static void print_name(const char *name)
{
	for (; *name; name++)
		putchar(*name == '_' ? '.' : *name);
}

/* The operands as the assembler has them, field names in place of the template's letters. */
static void print_operands(const char *text)
{
	static const struct {
		char letter;
		const char *field;
	} fields[] = {
		{'d', "rd"},  {'s', "rs1"}, {'t', "rs2"}, {'D', "fd"},	   {'S', "fs1"},
		{'T', "fs2"}, {'R', "fs3"}, {'i', "imm"}, {'h', "imm"},	   {'p', "target"},
		{'u', "imm"}, {'c', "csr"}, {'z', "imm"}, {'m', "[, rm]"}, {'f', "pred, succ"},
	};

	for (; *text; text++) {
		size_t n = 0;

		while (n < sizeof(fields) / sizeof(fields[0]) && fields[n].letter != *text)
			n++;
		if (n < sizeof(fields) / sizeof(fields[0]))
			fputs(fields[n].field, stdout);
		else
			putchar(*text);
	}
}

static void print_row(const struct row *row)
{
	static const char *const widths[] = {"", "32", "64", "32, 64"};
	int digits = row->match % 4 == 3 ? 8 : 4;
	const char *text = templates[row->format];

	fputs("| `", stdout);
	print_name(row->name);
	if (*text == '+') {
		fputs("[.aq][.rl]", stdout);
		text++;
	}
	if (*text)
		putchar(' ');
	print_operands(text);
	printf("` | %s | `%0*x` | `%0*x` | ", widths[row->xlens], digits, (unsigned)row->match, digits,
	       (unsigned)row->mask);
	if (row->as) {
		putchar('`');
		print_name(row->as);
		putchar('`');
	}
	puts(" |");
}

/* The section of one extension; nothing where it brings no instruction. */
static void print_section(const char *ext, const char *help)
{
	size_t count = 0;

	for (size_t n = 0; n < n_rows; n++)
		count += !strcmp(rows[n].ext, ext);
	if (!count)
		return;
	printf("\n## %s: %s\n\n", ext, help);
	puts("| instruction | rv | match | mask | same as |\n|---|---|---|---|---|");
	for (size_t n = 0; n < n_rows; n++)
		if (!strcmp(rows[n].ext, ext))
			print_row(&rows[n]);
}

static void print_head(void)
{
	puts("# Instructions\n");
	puts("<!-- Written by tools/gen-isa-doc from the instruction table; `make isa-doc` writes it anew. -->\n");
	puts("Every RISC-V instruction that Biscuit executes, one row each, from the table that the decoder, the\n"
	     "disassembler and the tests use (`modules/isa/riscv/insns.def`). `rv` is the register width it exists "
	     "on.\n"
	     "An instruction word belongs to a row if `word & mask == match`; where several rows match, the one with "
	     "most\n"
	     "mask bits has it. `same as` names the 32-bit instruction whose effect a compressed one has. `rm` is left "
	     "out\n"
	     "where the rounding mode is the one in `frm`. Operands that the specification reserves (a zero immediate "
	     "of\n"
	     "`c.lui`, rounding modes 5 and 6, `c.lwsp` to x0, and so on) make an instruction illegal; hints do "
	     "nothing.\n");
	puts("## Extensions\n");
	puts("`--isa` takes a string of these, for example `rv64gc_zba` or `rv32imac`. `rv64` or `rv32` alone is all\n"
	     "that Biscuit has, without svade. `g` stands for imafd_zicsr_zifencei and `b` for zba_zbb_zbs. Every "
	     "hart\n"
	     "has zicsr and zicntr, named or not.\n");
	puts("| extension | brings along | what it is |\n|---|---|---|");
	for (size_t n = 0; n < n_exts; n++)
		printf("| %s | %s | %s |\n", exts[n].name, exts[n].implies, exts[n].help);
}

int main(void)
{
	print_head();
	for (size_t n = 0; n < n_exts; n++)
		print_section(exts[n].name, exts[n].help);
	print_section("priv", "privileged instructions, on every hart");
	return ferror(stdout) || fflush(stdout) ? 1 : 0;
}
