/*
 * --trace: the observer of the machine, and the order of its lines. The line of an instruction waits for the hart's
 * next one, since only then the registers that it changed are known; what it did meanwhile (a CSR, a device) waits
 * behind it. A struct trace_hart belongs to its hart's thread, and to trace_close once there are none.
 */
#include "trace.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <biscuit/error.h>

#include "frontend/run/trace_internal.h"

static struct trace_hart *hart_of(struct trace *t, const struct bis_hart *h)
{
	return &t->harts[bis_hart_id(h) % BIS_MAX_HARTS];
}

/* Writes the instruction that waits, with what it did. */
static void complete(struct trace *t, struct trace_hart *line, const struct bis_hart *h)
{
	if (!line->open)
		return;
	trace_end_insn(t, line, h);
	trace_put_bytes(&line->line, line->behind.data ? line->behind.data : "", line->behind.len);
	trace_file_write(&t->out, line->line.data ? line->line.data : "", line->line.len);
	line->line.len = 0;
	line->behind.len = 0;
	line->open = false;
}

static void on_insn(void *arg, struct bis_hart *h)
{
	struct trace *t = arg;
	struct trace_hart *line = hart_of(t, h);

	complete(t, line, h);
	if (!trace_wants_insn(t, bis_hart_pc(h)))
		return;
	line->open = true;
	line->pc = bis_hart_pc(h);
	for (unsigned i = 0; i < TRACE_SLOTS; i++)
		line->regs[i] = bis_hart_reg(h, i);
	trace_begin_insn(t, &line->line, h);
}

/* A line is in `behind`: it goes out unless an instruction is before it. */
static void line_is_done(struct trace *t, struct trace_hart *line)
{
	if (line->open || !line->behind.len)
		return;
	trace_file_write(&t->out, line->behind.data, line->behind.len);
	line->behind.len = 0;
}

/* The instruction before it has done all it did. */
static void on_trap(void *arg, struct bis_hart *h, const struct bis_trap_seen *seen)
{
	struct trace *t = arg;
	struct trace_hart *line = hart_of(t, h);

	complete(t, line, h);
	if (!(t->kinds & 1u << TRACE_TRAP) || !trace_wants_trap(t, seen))
		return;
	trace_put_trap(t, &line->behind, h, seen);
	line_is_done(t, line);
}

static void on_csr(void *arg, struct bis_hart *h, const struct bis_csr_seen *seen)
{
	struct trace *t = arg;
	struct trace_hart *line = hart_of(t, h);

	if (!trace_wants_csr(t, seen))
		return;
	trace_put_csr(t, &line->behind, h, seen);
	line_is_done(t, line);
}

static void on_mmio(void *arg, struct bis_hart *h, const struct bis_mmio_seen *seen)
{
	struct trace *t = arg;
	struct trace_hart *line = hart_of(t, h);

	if (!trace_wants_mmio(t, seen))
		return;
	trace_put_mmio(t, &line->behind, h, seen);
	line_is_done(t, line);
}

static void on_fs(void *arg, const struct bis_fs_seen *seen)
{
	struct trace_text text = {0};
	struct trace *t = arg;

	/* What devices open while the machine is put together is not the guest's doing. */
	if (!atomic_load(&t->started) || !trace_wants_fs(t, seen))
		return;
	trace_put_fs(t, &text, seen);
	trace_file_write(&t->out, text.data ? text.data : "", text.len);
	free(text.data);
}

struct bis_observer trace_observer(struct trace *t)
{
	struct bis_observer o = {.arg = t};
	unsigned kinds = t ? t->kinds : 0;

	if (kinds & 1u << TRACE_INSN)
		o.insn = on_insn;
	if (kinds & (1u << TRACE_TRAP | 1u << TRACE_INSN))
		o.trap = on_trap;
	if (kinds & 1u << TRACE_CSR)
		o.csr = on_csr;
	if (kinds & 1u << TRACE_MMIO)
		o.mmio = on_mmio;
	if (kinds & 1u << TRACE_FS)
		o.fs = on_fs;
	return o;
}

int trace_open(const struct run_words *values, struct trace **out)
{
	struct trace *t = calloc(1, sizeof(*t));
	struct trace_target target = {0};
	int err = t ? 0 : bis_fail(ENOMEM, "--trace: out of memory");

	for (size_t i = 0; !err && i < values->count; i++)
		err = trace_spec_read(values->at[i], t, &target);
	if (!err && !t->count)
		err = trace_spec_add(t, TRACE_INSN, NULL);
	if (!err) {
		t->json = target.json;
		err = trace_file_open(&t->out, target.path);
		target.path = NULL;
	}
	free(target.path);
	if (err)
		trace_close(t);
	else
		*out = t;
	return err;
}

int trace_start(struct trace *t, struct bis_machine *m, const struct debug *d)
{
	int err = 0;

	t->m = m;
	t->debug = d;
	for (size_t i = 0; !err && i < t->count; i++)
		err = trace_filter_resolve(t, &t->filters[i]);
	atomic_store(&t->started, !err);
	return err;
}

void trace_close(struct trace *t)
{
	if (!t)
		return;
	t->m = NULL;
	for (unsigned i = 0; i < BIS_MAX_HARTS; i++) {
		complete(t, &t->harts[i], NULL);
		free(t->harts[i].line.data);
		free(t->harts[i].behind.data);
	}
	trace_file_close(&t->out);
	trace_filters_free(t);
	free(t);
}
