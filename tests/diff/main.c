/*
 * main.c - fuzz-diff: makes random programs, runs each on two machines, and where they differ finds the first
 * instruction that does. Exit status: 0 all equal, 1 a difference, 2 wrong use, 77 a machine is not installed.
 */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fixed.h"
#include "program.h"
#include "report.h"

enum { SKIP = 77, PROGRAM_INSNS = 20000 };

struct config {
	struct isa isa;
	struct machine left, right;
	uint64_t seed;
	size_t count;
	size_t per_program;
	size_t stop;
	unsigned seconds;
	const char *emit;
	bool fixed, loops;
	char elf[PROGRAM_PATH];
};

static void usage(FILE *f)
{
	fputs("usage: fuzz-diff [--isa ISA] [--seed N] [--count INSNS] [--per-program INSNS] [--left KIND] [--right "
	      "KIND]\n"
	      "                 [--timeout SECONDS] [--loops] [--emit FILE [--stop ITEMS]]\n"
	      "Runs random RISC-V programs on two machines and compares registers, CSRs, traps and memory.\n"
	      "--loops: they spend their time in loops.\n"
	      "       fuzz-diff --fixed FILE...    runs fixed cases on Biscuit, and on QEMU where it is installed\n"
	      "KIND: qemu, qemu-step, biscuit, biscuit:ENGINE; $BISCUIT_RUN names the Biscuit command.\n",
	      f);
}

/* Runs the first stop items on both machines. */
static bool run_both(const struct config *c, uint64_t seed, size_t stop, struct gen *g, struct dump *a, struct dump *b)
{
	int err;

	gen_program(g, &c->isa, seed, c->per_program, stop, c->loops);
	err = program_write(c->elf, &c->isa, &g->code, g->data, DATA_END - DATA);
	if (err) {
		fprintf(stderr, "fuzz-diff: %s: %s\n", c->elf, strerror(-err));
		exit(2);
	}
	machine_run(&c->left, &c->isa, c->elf, c->seconds, a);
	machine_run(&c->right, &c->isa, c->elf, c->seconds, b);
	return report_equal(a, b);
}

static bool prefix_equal(const struct config *c, uint64_t seed, size_t stop)
{
	struct dump a, b;
	struct gen g;
	bool equal = run_both(c, seed, stop, &g, &a, &b);

	gen_free(&g);
	free(a.words);
	free(b.words);
	return equal;
}

/* The smallest number of items that makes the machines differ, if all of g's items do. */
static size_t find_item(const struct config *c, uint64_t seed, const struct gen *g, long stretch)
{
	size_t low = 0, high = g->item_count;

	if (stretch >= 0) {
		while (low < high && g->items[low].stretch < (unsigned)stretch)
			low++;
		for (high = low; high < g->item_count && g->items[high].stretch == (unsigned)stretch;)
			high++;
	}
	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;

		if (prefix_equal(c, seed, middle))
			low = middle;
		else
			high = middle;
	}
	return high;
}

static void explain(const struct config *c, uint64_t seed, const struct gen *whole, long stretch)
{
	const struct item *it;
	struct dump a, b;
	struct gen g;
	size_t item;

	if (!prefix_equal(c, seed, 0)) {
		printf("the start-up code alone differs or does not run\n");
		return;
	}
	item = find_item(c, seed, whole, stretch);
	it = &whole->items[item - 1];
	run_both(c, seed, item - 1, &g, &a, &b);
	printf("item %zu of %zu, stretch %u, in %c-mode%s; before it (%s):\n", item, whole->item_count, it->stretch,
	       "US?M"[it->mode], it -> paging ? " with paging" : "", c->left.kind);
	report_registers(&c->isa, &a);
	printf("the code:\n");
	report_code(whole, it->from, it->to);
	printf("as a fixed case, to be completed by hand (the form is in fixed.h):\n");
	fixed_print(whole, it, &a);
	gen_free(&g);
	free(a.words);
	free(b.words);
	printf("after it:\n");
	run_both(c, seed, item, &g, &a, &b);
	report_differences(&c->isa, c->left.kind, &a, c->right.kind, &b);
	if (report_equal(&a, &b))
		printf("  no difference: the effect shows only later, or not every time\n");
	gen_free(&g);
	free(a.words);
	free(b.words);
}

/* One program; its instructions are added to *done. */
static bool run_program(const struct config *c, uint64_t seed, size_t *done)
{
	struct dump a, b;
	struct gen g;
	bool equal = run_both(c, seed, SIZE_MAX, &g, &a, &b);

	*done += g.drawn;
	if (!equal) {
		long stretch = report_first_stretch(&c->isa, &a, &b);

		printf("MISMATCH: --isa %s --seed 0x%" PRIx64 " --per-program %zu --count 1 --left %s --right %s\n",
		       c->isa.name, seed, c->per_program, c->left.kind, c->right.kind);
		if (*a.problem)
			printf("%s: %s\n", c->left.kind, a.problem);
		if (*b.problem)
			printf("%s: %s\n", c->right.kind, b.problem);
		explain(c, seed, &g, stretch);
	}
	gen_free(&g);
	free(a.words);
	free(b.words);
	return equal;
}

static int emit(const struct config *c)
{
	struct gen g;
	int err;

	gen_program(&g, &c->isa, c->seed, c->per_program, c->stop, c->loops);
	err = program_write(c->emit, &c->isa, &g.code, g.data, DATA_END - DATA);
	gen_free(&g);
	if (err)
		fprintf(stderr, "fuzz-diff: %s: %s\n", c->emit, strerror(-err));
	return err ? 2 : 0;
}

static int fuzz(struct config *c)
{
	size_t done = 0;
	bool equal = true;

	program_temporary(c->elf);
	for (uint64_t seed = c->seed; equal && done < c->count; seed++)
		equal = run_program(c, seed, &done);
	unlink(c->elf);
	printf("%s: %s, seed 0x%" PRIx64 ", %zu instructions on %s and %s\n", equal ? "equal" : "different",
	       c->isa.name, c->seed, done, c->left.kind, c->right.kind);
	return equal ? 0 : 1;
}

static uint64_t number(const char *text)
{
	char *end;
	uint64_t v = strtoull(text, &end, 0);

	if (end == text || *end) {
		fprintf(stderr, "fuzz-diff: \"%s\": expected a number\n", text);
		exit(2);
	}
	return v;
}

static const struct option options[] = {
	{"isa", required_argument, NULL, 'i'},
	{"seed", required_argument, NULL, 's'},
	{"count", required_argument, NULL, 'n'},
	{"per-program", required_argument, NULL, 'p'},
	{"left", required_argument, NULL, 'l'},
	{"right", required_argument, NULL, 'r'},
	{"timeout", required_argument, NULL, 't'},
	{"emit", required_argument, NULL, 'e'},
	{"fixed", no_argument, NULL, 'f'},
	{"stop", required_argument, NULL, 'k'},
	{"loops", no_argument, NULL, 'o'},
	{"help", no_argument, NULL, 'h'},
	{NULL, 0, NULL, 0},
};

static void parse_options(int argc, char **argv, struct config *c)
{
	const char *isa = "rv64gc_zba_zbb_zbs", *left = "qemu", *right = "biscuit";
	int o;

	while ((o = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		switch (o) {
		case 'i':
			isa = optarg;
			break;
		case 's':
			c->seed = number(optarg);
			break;
		case 'n':
			c->count = number(optarg);
			break;
		case 'p':
			c->per_program = number(optarg);
			break;
		case 'l':
			left = optarg;
			break;
		case 'r':
			right = optarg;
			break;
		case 't':
			c->seconds = (unsigned)number(optarg);
			break;
		case 'e':
			c->emit = optarg;
			break;
		case 'f':
			c->fixed = true;
			break;
		case 'o':
			c->loops = true;
			break;
		case 'k':
			c->stop = number(optarg);
			break;
		default:
			usage(o == 'h' ? stdout : stderr);
			exit(o == 'h' ? 0 : 2);
		}
	}
	if (!isa_parse(isa, &c->isa)) {
		fprintf(stderr, "fuzz-diff: \"%s\": expected an ISA such as rv64gc_zba_zbb_zbs\n", isa);
		exit(2);
	}
	if (!machine_init(&c->left, left, c->isa.xlen) || !machine_init(&c->right, right, c->isa.xlen)) {
		usage(stderr);
		exit(2);
	}
}

int main(int argc, char **argv)
{
	struct config c = {
		.seed = 1, .count = PROGRAM_INSNS, .per_program = PROGRAM_INSNS, .stop = SIZE_MAX, .seconds = 10};
	const struct machine *machines[2] = {&c.left, &c.right};

	parse_options(argc, argv, &c);
	if (c.fixed)
		return fixed_run(argv + optind);
	if (c.emit)
		return emit(&c);
	for (int i = 0; i < 2; i++) {
		if (!machine_present(machines[i])) {
			printf("%s: there is no %s\n", i == 1 ? "fuzz-diff" : "SKIP", machines[i]->program);
			return i == 1 ? 2 : SKIP;
		}
	}
	return fuzz(&c);
}
