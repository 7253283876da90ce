/*
 * Fuzz target: text that debugging is told: breakpoints, which come back as they were understood, addresses and verbs.
 * Lines of an input are one of each.
 */
#include "tests/fuzz/fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <biscuit/builtin.h>

#include "frontend/debug/debug.h"

static void must(bool held)
{
	if (!held)
		abort();
}

/* It is never started: verbs that would move it are refused. */
static struct debug *make(void)
{
	struct bis_machine_config cfg = {.ram_size = 0x100000, .harts = 3, .classes = bis_builtin_modules};
	struct bis_machine *m;
	struct debug *d;

	must(!bis_machine_create(&cfg, &m));
	must(!bis_machine_add(m, "riscv", NULL) && !bis_machine_add(m, "sv", NULL));
	must(!debug_create(m, &d));
	return d;
}

static void parse_break(struct debug *d, const char *text)
{
	struct bis_break b = {.kind = BIS_BREAK_KINDS}, again;
	char out[2048];
	int len;

	if (debug_break_parse(d, text, &b)) {
		must(b.kind == BIS_BREAK_KINDS);
		return;
	}
	len = debug_break_format(d, &b, out, sizeof(out));
	must(len > 0 && (size_t)len < sizeof(out));
	must(!debug_break_parse(d, out, &again) && !memcmp(&b, &again, sizeof(b)));
	must(debug_break_format(d, &b, out, 3) == len && strlen(out) == 2);
}

static void run_verb(struct debug *d, const char *text)
{
	char *reply = NULL;
	size_t size;
	FILE *f;
	unsigned id;
	struct bis_break b;

	if (strstr(text, "snap")) /* it would write files */
		return;
	f = open_memstream(&reply, &size);
	must(f != NULL);
	(void)!debug_verb(d, text, f);
	fclose(f);
	free(reply);
	while (!bis_break_get(debug_machine(d), 0, &id, &b))
		must(!bis_break_remove(debug_machine(d), id));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct debug *d;
	char *text = malloc(size + 1), *line, *rest = text;
	uint64_t address;

	if (!d)
		d = make();
	must(text != NULL);
	memcpy(text, data, size);
	text[size] = '\0';
	while ((line = strsep(&rest, "\n"))) {
		parse_break(d, line);
		(void)!debug_parse_address(d, line, &address);
		run_verb(d, line);
	}
	free(text);
	return 0;
}

size_t fuzz_seed(unsigned index, uint8_t *buf, size_t max)
{
	static const char *const seeds[] = {
		"pc 0x80000000\nread 0x80001000+8 hart 1\nwrite 4096+0x10 once\naccess 0xffffffffffffffff\n",
		"csr mstatus if mepc != 0x80000000\ntrap ecall-u if a7 == 64 and a0 > 2 once\ninterrupt m-timer hart "
		"2\n",
		"instret 1000000\npc 1 if a0==1 and a1!=2 and a2<=3 and a3>=4\ntrap 12\ninterrupt 16 hart 0 hart 1 "
		"once\n",
		"help\nbreaks\nbreak pc 0x1000 once\ndelete 1\nuntil 0x2000\npause\nresume\nstep 5\nriscv x\nstop "
		"3\nreset\n",
		"0x80000000\nmain+4\n18446744073709551615\n0xffffffffffffffff+1\n",
	};

	return index < sizeof(seeds) / sizeof(seeds[0]) ? fuzz_text(seeds[index], buf, max) : 0;
}
