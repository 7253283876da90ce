/*
 * fixed.c - reads fixed cases, makes a program of each, runs it and checks what it expects.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fixed.h"
#include "program.h"
#include "report.h"

enum { ISAS_MAX = 8, INSNS_MAX = 64, MEMORY_MAX = 16, EXPECTS_MAX = 32, SKIP = 77, TIMEOUT_SECONDS = 10 };

struct fixed_case {
	const char *file;
	struct isa isas[ISAS_MAX];
	size_t isa_count;
	enum mode mode;
	bool only_biscuit;
	uint64_t x[32], f[32], fcsr;
	struct {
		uint64_t address, value;
	} memory[MEMORY_MAX];
	size_t memory_count;
	uint32_t insns[INSNS_MAX];
	size_t insn_count;
	struct {
		char name[40];
		uint64_t value;
	} expects[EXPECTS_MAX];
	size_t expect_count;
};

/* Splits off the last word of text as a number. */
static bool last_number(char *text, uint64_t *out)
{
	char *space = strrchr(text, ' '), *end;

	if (!space)
		return false;
	*out = strtoull(space + 1, &end, 0);
	*space = '\0';
	return end != space + 1 && !*end;
}

static bool parse_register(const char *text, uint64_t value, struct fixed_case *c)
{
	char *end;
	unsigned long n;

	if (!strcmp(text, "fcsr")) {
		c->fcsr = value;
		return true;
	}
	if (text[0] != 'x' && text[0] != 'f')
		return false;
	n = strtoul(text + 1, &end, 10);
	if (end == text + 1 || *end || n > 31)
		return false;
	*(text[0] == 'x' ? &c->x[n] : &c->f[n]) = value;
	return true;
}

static bool parse_memory(const char *text, uint64_t value, struct fixed_case *c)
{
	uint64_t address = strtoull(text, NULL, 0);

	if (c->memory_count == MEMORY_MAX || address < POOL || address > DATA_END - 8)
		return false;
	c->memory[c->memory_count].address = address;
	c->memory[c->memory_count++].value = value;
	return true;
}

static bool parse_expect(const char *name, uint64_t value, struct fixed_case *c)
{
	if (c->expect_count == EXPECTS_MAX || strlen(name) >= sizeof(c->expects[0].name))
		return false;
	memcpy(c->expects[c->expect_count].name, name, strlen(name) + 1);
	c->expects[c->expect_count++].value = value;
	return true;
}

static bool parse_words(char *line, struct fixed_case *c)
{
	uint64_t value;

	if (!strncmp(line, "isa ", 4))
		return c->isa_count < ISAS_MAX && isa_parse(line + 4, &c->isas[c->isa_count++]);
	if (!strncmp(line, "only-biscuit ", 13))
		return c->only_biscuit = true;
	if (!strncmp(line, "mode ", 5)) {
		c->mode = line[5] == 'U' ? MODE_U : line[5] == 'S' ? MODE_S : MODE_M;
		return strchr("USM", line[5]) && !line[6];
	}
	if (!last_number(line, &value))
		return false;
	if (!strcmp(line, "insn")) {
		if (c->insn_count == INSNS_MAX)
			return false;
		c->insns[c->insn_count++] = (uint32_t)value;
		return true;
	}
	if (!strncmp(line, "memory ", 7))
		return parse_memory(line + 7, value, c);
	if (!strncmp(line, "expect ", 7))
		return parse_expect(line + 7, value, c);
	return parse_register(line, value, c);
}

static bool read_case(const char *file, struct fixed_case *c)
{
	char line[160];
	unsigned number = 0;
	FILE *f = fopen(file, "r");
	bool good = f != NULL;

	*c = (struct fixed_case){.file = file, .mode = MODE_M};
	if (!f)
		perror(file);
	while (good && fgets(line, sizeof(line), f)) {
		number++;
		line[strcspn(line, "#\n")] = '\0';
		for (size_t n = strlen(line); n && (line[n - 1] == ' ' || line[n - 1] == '\t'); n--)
			line[n - 1] = '\0';
		good = !*line || parse_words(line, c);
		if (!good)
			fprintf(stderr, "%s:%u: not understood; the form is in fixed.h\n", file, number);
	}
	if (f)
		fclose(f);
	if (good && !c->isa_count)
		fprintf(stderr, "%s: it has no isa line\n", file);
	return good && c->isa_count;
}

static void put64(struct gen *g, uint64_t address, uint64_t value)
{
	for (unsigned i = 0; i < 8; i++)
		g->data[address - DATA + i] = (uint8_t)(value >> (8 * i));
}

static void build(const struct fixed_case *c, const struct isa *isa, struct gen *g)
{
	gen_start(g, isa, 1);
	for (unsigned i = 0; i < 32; i++)
		put64(g, POOL + 8 * i, c->f[i]); /* the start-up code loads the f registers from here */
	for (size_t i = 0; i < c->memory_count; i++)
		put64(g, c->memory[i].address, c->memory[i].value);
	if (c->mode != MODE_M)
		gen_drop(g, c->mode);
	if (isa->f) {
		as_li(&g->code, T0, c->fcsr);
		as_csrw(&g->code, CSR_FCSR, T0);
	}
	for (unsigned i = 1; i < 32; i++)
		as_li(&g->code, i, c->x[i]);
	for (size_t i = 0; i < c->insn_count; i++) {
		if ((c->insns[i] & 3) == 3)
			as_word(&g->code, c->insns[i]);
		else
			as_half(&g->code, c->insns[i]);
	}
	if (c->mode != MODE_M)
		gen_leave(g);
	runtime_finish(&g->rt, &g->code);
}

static bool expects_hold(const struct fixed_case *c, const struct isa *isa, const struct machine *m,
			 const struct dump *d)
{
	bool good = !*d->problem;

	if (!good)
		printf("%s: %s, %s: %s\n", c->file, isa->name, m->kind, d->problem);
	for (size_t i = 0; i < c->expect_count && !*d->problem; i++) {
		const char *name = c->expects[i].name;
		bool wide = isa->xlen == 64 || (name[0] == 'f' && name[1] != 'c');
		uint64_t want = wide ? c->expects[i].value : (uint32_t)c->expects[i].value, got;

		if (!report_word(isa, d, name, &got)) {
			printf("%s: %s: there is no \"%s\"\n", c->file, isa->name, name);
			good = false;
		} else if (got != want) {
			printf("%s: %s, %s: %s is 0x%" PRIx64 ", expected 0x%" PRIx64 "\n", c->file, isa->name, m->kind,
			       name, got, want);
			good = false;
		}
	}
	return good;
}

static bool run_case(const struct fixed_case *c, const struct isa *isa, const char *elf, bool *ran)
{
	static const char *const kinds[] = {"biscuit", "qemu"};
	struct dump dumps[2] = {{0}, {0}};
	struct machine machines[2];
	bool good = true, present[2];
	struct gen g;

	build(c, isa, &g);
	if (program_write(elf, isa, &g.code, g.data, DATA_END - DATA)) {
		perror(elf);
		exit(2);
	}
	for (int i = 0; i < 2; i++) {
		present[i] = machine_init(&machines[i], kinds[i], isa->xlen) && machine_present(&machines[i]) &&
			     !(i == 1 && c->only_biscuit);
		if (!present[i])
			continue;
		*ran = true;
		machine_run(&machines[i], isa, elf, TIMEOUT_SECONDS, &dumps[i]);
		good &= expects_hold(c, isa, &machines[i], &dumps[i]);
	}
	if (present[0] && present[1] && !report_equal(&dumps[0], &dumps[1])) {
		printf("%s: %s: the machines differ:\n", c->file, isa->name);
		report_differences(isa, kinds[0], &dumps[0], kinds[1], &dumps[1]);
		good = false;
	}
	gen_free(&g);
	free(dumps[0].words);
	free(dumps[1].words);
	return good;
}

int fixed_run(char **files)
{
	char elf[PROGRAM_PATH];
	bool good = true, ran = false;
	unsigned count = 0;

	program_temporary(elf);
	for (; *files; files++) {
		struct fixed_case c;

		if (!read_case(*files, &c)) {
			good = false;
			continue;
		}
		for (size_t i = 0; i < c.isa_count; i++, count++)
			good &= run_case(&c, &c.isas[i], elf, &ran);
	}
	unlink(elf);
	if (good && !ran) {
		printf("SKIP: neither Biscuit nor QEMU is installed\n");
		return SKIP;
	}
	printf("%s: %u fixed cases\n", good ? "equal" : "different", count);
	return good ? 0 : 1;
}

static void print_insns(const struct gen *g, uint64_t from, uint64_t to)
{
	const uint8_t *bytes = g->code.bytes;

	for (uint64_t at = from - TEXT; at < to - TEXT;) {
		uint32_t raw = (uint32_t)(bytes[at] | bytes[at + 1] << 8);

		if ((raw & 3) == 3) {
			raw |= (uint32_t)bytes[at + 2] << 16 | (uint32_t)bytes[at + 3] << 24;
			printf("  insn 0x%08x\n", raw);
			at += 4;
		} else {
			printf("  insn 0x%04x\n", raw);
			at += 2;
		}
	}
}

void fixed_print(const struct gen *g, const struct item *item, const struct dump *before)
{
	char name[8];
	uint64_t v;

	printf("  isa %s\n  mode %c\n", g->isa->name, "US?M"[item->mode]);
	for (unsigned i = 1; i < 64; i++) {
		snprintf(name, sizeof(name), "%c%u", i < 32 ? 'x' : 'f', i % 32);
		if (report_word(g->isa, before, name, &v) && v)
			printf("  %s 0x%" PRIx64 "\n", name, v);
	}
	if (report_word(g->isa, before, "fcsr", &v) && v)
		printf("  fcsr 0x%" PRIx64 "\n", v);
	print_insns(g, item->from, item->to);
}
