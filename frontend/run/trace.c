/*
 * Execution trace. Each hart has a line of its own, which is written when the hart's next instruction begins, since
 * only then the registers that the instruction changed are known. trace_step runs on the harts' threads.
 *
 *     0 M 0000000080000000 00000297 auipc t0, 0x0                   t0=0x80000000
 */
#include "trace.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SLOTS 64

struct hart_line {
	uint64_t regs[SLOTS];
	char text[512];
	size_t len;
};

struct trace {
	FILE *file;
	struct hart_line harts[BIS_MAX_HARTS];
};

static const char *const reg_names[SLOTS] = {
	"zero", "ra",  "sp",  "gp",  "tp",  "t0",  "t1",   "t2",   "s0",  "s1",	 "a0",	 "a1",	 "a2",
	"a3",	"a4",  "a5",  "a6",  "a7",  "s2",  "s3",   "s4",   "s5",  "s6",	 "s7",	 "s8",	 "s9",
	"s10",	"s11", "t3",  "t4",  "t5",  "t6",  "ft0",  "ft1",  "ft2", "ft3", "ft4",	 "ft5",	 "ft6",
	"ft7",	"fs0", "fs1", "fa0", "fa1", "fa2", "fa3",  "fa4",  "fa5", "fa6", "fa7",	 "fs2",	 "fs3",
	"fs4",	"fs5", "fs6", "fs7", "fs8", "fs9", "fs10", "fs11", "ft8", "ft9", "ft10", "ft11",
};

int trace_open(const char *path, struct trace **out)
{
	struct trace *t = calloc(1, sizeof(*t));
	int err;

	if (!t)
		return bis_fail(ENOMEM, "--trace: out of memory");
	t->file = path ? fopen(path, "we") : stderr;
	if (!t->file) {
		err = errno;
		free(t);
		return bis_fail(err, "--trace: %s: %s", path, strerror(err));
	}
	*out = t;
	return 0;
}

static void finish_line(FILE *file, struct hart_line *line)
{
	while (line->len && line->text[line->len - 1] == ' ')
		line->len--;
	if (!line->len)
		return;
	line->text[line->len++] = '\n';
	fwrite(line->text, 1, line->len, file);
	line->len = 0;
}

void trace_close(struct trace *t)
{
	if (!t)
		return;
	for (unsigned i = 0; i < BIS_MAX_HARTS; i++)
		finish_line(t->file, &t->harts[i]);
	if (t->file != stderr)
		fclose(t->file);
	free(t);
}

/* Appends to the line; a byte stays free for its newline. */
static void BIS_PRINTF(2, 3) append(struct hart_line *line, const char *fmt, ...)
{
	size_t room = sizeof(line->text) - 1 - line->len;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(line->text + line->len, room, fmt, ap);
	va_end(ap);
	if (n > 0)
		line->len += (size_t)n < room ? (size_t)n : room - 1;
}

static void append_changes(struct hart_line *line, const struct bis_hart *h)
{
	for (unsigned i = 1; i < SLOTS; i++) {
		uint64_t now = bis_hart_reg(h, i);

		if (now == line->regs[i])
			continue;
		if (line->len)
			append(line, " %s=0x%" PRIx64, reg_names[i], now);
		line->regs[i] = now;
	}
}

/* The instruction's bytes: two halves, since the second may lie in a page that is not there. */
static bool read_instruction(struct bis_hart *h, uint64_t pc, uint32_t *raw)
{
	const struct bis_memory *mem = bis_machine_memory(bis_hart_machine(h));
	bis_le16 half;
	bis_gpa pa;

	if (bis_hart_translate(h, pc, &pa) || bis_mem_read_obj(mem, pa, &half))
		return false;
	*raw = bis_le16_get(half);
	if ((*raw & 3) != 3)
		return true;
	if (bis_hart_translate(h, pc + 2, &pa) || bis_mem_read_obj(mem, pa, &half))
		return false;
	*raw |= (uint32_t)bis_le16_get(half) << 16;
	return true;
}

void trace_step(void *arg, struct bis_hart *h)
{
	static const char privs[] = "US?M";
	struct trace *t = arg;
	struct hart_line *line = &t->harts[bis_hart_id(h) % BIS_MAX_HARTS];
	int digits = bis_hart_isa(h)->xlen == 32 ? 8 : 16;
	uint64_t pc = bis_hart_pc(h);
	char text[96];
	uint32_t raw;

	append_changes(line, h);
	finish_line(t->file, line);
	append(line, "%u %c %0*" PRIx64 " ", bis_hart_id(h), privs[bis_hart_priv(h) & 3], digits, pc);
	if (!read_instruction(h, pc, &raw)) {
		append(line, "???????? (not mapped)");
		return;
	}
	bis_disassemble(bis_hart_decoder(h), raw, pc, text, sizeof(text));
	append(line, (raw & 3) == 3 ? "%08" PRIx32 " %-36s" : "    %04" PRIx32 " %-36s", raw, text);
}
