/*
 * The lines of a trace, as text or as JSON objects: docs/trace.md. On the thread of the hart that the line is about.
 *
 *     0 M 0000000080000000 00000297 auipc t0, 0x0                        t0=0x80000000 ; _start
 *     0 M 0000000080000014 trap ecall-m tval=0x0 -> M 0x80000100 ; main+0x4
 */
#include <inttypes.h>
#include <string.h>

#include "frontend/run/trace_internal.h"

static const char *const reg_names[TRACE_SLOTS] = {
	"zero", "ra",  "sp",  "gp",  "tp",  "t0",  "t1",   "t2",   "s0",  "s1",	 "a0",	 "a1",	 "a2",
	"a3",	"a4",  "a5",  "a6",  "a7",  "s2",  "s3",   "s4",   "s5",  "s6",	 "s7",	 "s8",	 "s9",
	"s10",	"s11", "t3",  "t4",  "t5",  "t6",  "ft0",  "ft1",  "ft2", "ft3", "ft4",	 "ft5",	 "ft6",
	"ft7",	"fs0", "fs1", "fa0", "fa1", "fa2", "fa3",  "fa4",  "fa5", "fa6", "fa7",	 "fs2",	 "fs3",
	"fs4",	"fs5", "fs6", "fs7", "fs8", "fs9", "fs10", "fs11", "ft8", "ft9", "ft10", "ft11",
};

static const char privs[] = "US?M";

/* --- What all lines have --- */

static int digits_of(const struct bis_hart *h)
{
	return bis_hart_isa(h)->xlen == 32 ? 8 : 16;
}

static void put_kind(const struct trace *t, struct trace_text *to, enum trace_kind kind)
{
	trace_put(to, "{\"kind\":\"%s\",\"time\":%" PRIu64, trace_kind_name(kind), t->m ? bis_machine_now(t->m) : 0);
}

/* Where it happened: hart, privilege, pc, and the symbol that pc lies in. */
static void put_place(const struct trace *t, struct trace_text *to, enum trace_kind kind, const struct bis_hart *h,
		      enum bis_priv priv, uint64_t pc)
{
	uint64_t offset;
	const char *symbol;

	if (!t->json) {
		trace_put(to, "%u %c %0*" PRIx64 " ", bis_hart_id(h), privs[priv & 3], digits_of(h), pc);
		if (kind != TRACE_INSN)
			trace_put(to, "%s ", trace_kind_name(kind));
		return;
	}
	put_kind(t, to, kind);
	trace_put(to, ",\"hart\":%u,\"priv\":\"%c\",\"pc\":\"0x%0*" PRIx64 "\"", bis_hart_id(h), privs[priv & 3],
		  digits_of(h), pc);
	symbol = t->debug ? debug_symbol_at(t->debug, pc, &offset) : NULL;
	if (!symbol)
		return;
	trace_put(to, ",\"symbol\":");
	trace_put_json(to, symbol);
	trace_put(to, ",\"offset\":%" PRIu64, offset);
}

/* The end of a line: as text, the symbol. */
static void put_end(const struct trace *t, struct trace_text *to, uint64_t pc)
{
	uint64_t offset;
	const char *symbol = t->debug && !t->json ? debug_symbol_at(t->debug, pc, &offset) : NULL;

	if (symbol) {
		trace_put(to, " ; ");
		trace_put_plain(to, symbol);
		if (offset)
			trace_put(to, "+0x%" PRIx64, offset);
	}
	trace_put(to, t->json ? "}\n" : "\n");
}

static const char *boolean(bool value)
{
	return value ? "true" : "false";
}

/* --- Instructions --- */

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

void trace_begin_insn(const struct trace *t, struct trace_text *to, struct bis_hart *h)
{
	uint64_t pc = bis_hart_pc(h);
	char text[96];
	uint32_t raw;
	bool known = read_instruction(h, pc, &raw), wide = known && (raw & 3) == 3;

	if (known)
		bis_disassemble(bis_hart_decoder(h), raw, pc, text, sizeof(text));
	put_place(t, to, TRACE_INSN, h, bis_hart_priv(h), pc);
	if (t->json && known) {
		trace_put(to, ",\"raw\":\"0x%0*" PRIx32 "\",\"text\":", wide ? 8 : 4, raw);
		trace_put_json(to, text);
	} else if (!t->json && known) {
		trace_put(to, wide ? "%08" PRIx32 " %-36s" : "    %04" PRIx32 " %-36s", raw, text);
	} else if (!t->json) {
		trace_put(to, "???????? (not mapped)");
	}
}

static void put_changes(const struct trace *t, struct trace_hart *line, const struct bis_hart *h)
{
	bool any = false;

	for (unsigned i = 1; i < TRACE_SLOTS; i++) {
		uint64_t now = bis_hart_reg(h, i);

		if (now == line->regs[i])
			continue;
		if (t->json)
			trace_put(&line->line, "%s\"%s\":\"0x%" PRIx64 "\"", any ? "," : ",\"regs\":{", reg_names[i],
				  now);
		else
			trace_put(&line->line, " %s=0x%" PRIx64, reg_names[i], now);
		any = true;
	}
	if (any && t->json)
		trace_put(&line->line, "}");
}

void trace_end_insn(const struct trace *t, struct trace_hart *line, const struct bis_hart *h)
{
	struct trace_text *to = &line->line;

	if (h)
		put_changes(t, line, h);
	while (!t->json && to->len && to->data[to->len - 1] == ' ')
		to->len--;
	put_end(t, to, line->pc);
}

/* --- What instructions do --- */

void trace_put_trap(const struct trace *t, struct trace_text *to, struct bis_hart *h, const struct bis_trap_seen *seen)
{
	char name[32], handler = privs[bis_hart_priv(h) & 3];

	trace_trap_name(seen->interrupt, seen->cause, name, sizeof(name));
	put_place(t, to, TRACE_TRAP, h, seen->from, seen->pc);
	if (t->json)
		trace_put(to,
			  ",\"interrupt\":%s,\"cause\":%" PRIu64 ",\"name\":\"%s\",\"tval\":\"0x%" PRIx64
			  "\",\"handled\":%s,\"to\":\"%c\",\"handler\":\"0x%0*" PRIx64 "\"",
			  boolean(seen->interrupt), seen->cause, name, seen->tval, boolean(seen->handled), handler,
			  digits_of(h), bis_hart_pc(h));
	else if (seen->handled)
		trace_put(to, "%s tval=0x%" PRIx64 " handled", name, seen->tval);
	else
		trace_put(to, "%s tval=0x%" PRIx64 " -> %c 0x%" PRIx64, name, seen->tval, handler, bis_hart_pc(h));
	put_end(t, to, seen->pc);
}

void trace_put_csr(const struct trace *t, struct trace_text *to, struct bis_hart *h, const struct bis_csr_seen *seen)
{
	char name[32];

	if (bis_hart_csr_name(h, seen->number, name, sizeof(name)) <= 0)
		snprintf(name, sizeof(name), "0x%03x", seen->number);
	put_place(t, to, TRACE_CSR, h, bis_hart_priv(h), seen->pc);
	if (t->json) {
		trace_put(to, ",\"csr\":");
		trace_put_json(to, name);
		trace_put(to, ",\"number\":%u,\"write\":%s", seen->number, boolean(seen->written));
		if (seen->old_known)
			trace_put(to, ",\"old\":\"0x%" PRIx64 "\"", seen->old);
		if (seen->written)
			trace_put(to, ",\"value\":\"0x%" PRIx64 "\"", seen->value);
	} else if (!seen->written) {
		trace_put(to, "%s = 0x%" PRIx64, name, seen->old);
	} else if (seen->old_known) {
		trace_put(to, "%s 0x%" PRIx64 " -> 0x%" PRIx64, name, seen->old, seen->value);
	} else {
		trace_put(to, "%s -> 0x%" PRIx64, name, seen->value);
	}
	put_end(t, to, seen->pc);
}

void trace_put_mmio(const struct trace *t, struct trace_text *to, struct bis_hart *h, const struct bis_mmio_seen *seen)
{
	const char *way = seen->write ? "write" : "read";

	put_place(t, to, TRACE_MMIO, h, bis_hart_priv(h), seen->pc);
	if (t->json) {
		if (seen->module) {
			trace_put(to, ",\"module\":");
			trace_put_json(to, seen->module);
		}
		if (seen->slot >= 0)
			trace_put(to, ",\"slot\":%d,\"register\":%" PRIu64, seen->slot, seen->offset);
		else
			trace_put(to, ",\"address\":\"0x%" PRIx64 "\",\"register\":%" PRIu64, seen->address,
				  seen->offset);
		trace_put(to, ",\"width\":%u,\"write\":%s,\"value\":\"0x%" PRIx64 "\"", seen->width,
			  boolean(seen->write), seen->value);
	} else if (seen->slot >= 0) {
		trace_put(to, "%s%u %s slot%d.%" PRIu64 " = 0x%" PRIx64, way, seen->width,
			  seen->module ? seen->module : "(empty)", seen->slot, seen->offset, seen->value);
	} else {
		trace_put(to, "%s%u %s+0x%" PRIx64 " = 0x%" PRIx64, way, seen->width, seen->module, seen->offset,
			  seen->value);
	}
	put_end(t, to, seen->pc);
}

/* --- File systems --- */

static void put_fs_json(const struct trace *t, struct trace_text *to, const struct bis_fs_seen *seen)
{
	put_kind(t, to, TRACE_FS);
	trace_put(to, ",\"share\":");
	trace_put_json(to, seen->share);
	trace_put(to, ",\"operation\":\"%s\",\"id\":%" PRIu64, seen->operation, seen->id);
	if (seen->path) {
		trace_put(to, ",\"path\":");
		trace_put_json(to, seen->path);
	}
	if (seen->other) {
		trace_put(to, ",\"other\":");
		trace_put_json(to, seen->other);
	}
	if (seen->has_range)
		trace_put(to, ",\"offset\":%" PRIu64 ",\"length\":%" PRIu64, seen->offset, seen->length);
	trace_put(to, ",\"result\":%" PRId64, seen->result);
	if (seen->result < 0) {
		trace_put(to, ",\"error\":");
		trace_put_json(to, strerror((int)-seen->result));
	}
	trace_put(to, "}\n");
}

void trace_put_fs(const struct trace *t, struct trace_text *to, const struct bis_fs_seen *seen)
{
	if (t->json) {
		put_fs_json(t, to, seen);
		return;
	}
	trace_put(to, "- fs %s %s ", seen->share, seen->operation);
	if (seen->path)
		trace_put_plain(to, seen->path);
	else
		trace_put(to, "#%" PRIu64, seen->id);
	if (seen->other) {
		trace_put(to, " ");
		trace_put_plain(to, seen->other);
	}
	if (seen->has_range)
		trace_put(to, " @%" PRIu64 "+%" PRIu64, seen->offset, seen->length);
	trace_put(to, " = %" PRId64, seen->result);
	if (seen->result < 0)
		trace_put(to, " (%s)", strerror((int)-seen->result));
	trace_put(to, "\n");
}
